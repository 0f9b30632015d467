"""A zonal operator on disk: a directory of three Parquet files that others can read (docs/howto/zonal.md has the layout)."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.zonal.shares import Shares, as_shares, rows_beyond_poles

FORMAT = "carbongrid zonal operator 1"

_KEY = b"carbongrid"
_AGAIN = "Save the operator anew."
_COLUMNS = {
    "polygons": ("polygon", "id", "outside"),
    "spans": ("polygon", "row", "first", "last"),
    "edges": ("polygon", "row", "column", "share"),
}

type Saved = tuple[Grid, str, NDArray[Any] | None, Shares]
"""Grid, coverage, ids and shares."""


def write_operator(path: Path, saved: Saved) -> None:
    """Write an operator to a new directory, which is there when it is complete.

    Raises
    ------
    InputError
        If the path exists, or an id is neither text nor a whole number.
    """
    import pyarrow as pa

    grid, coverage, ids, shares = saved
    if path.exists():
        raise InputError("the path exists already", str(path), "Take another path, or remove it.")
    size = shares.outside.size
    start, row, first, end = shares.spans
    edge_start, edge_row, column, share = shares.edges
    tables = {
        "polygons": (np.arange(size, dtype=np.int32), _id_column(ids, size), shares.outside),
        "spans": (_owners(start), row, first, end - np.int32(1)),
        "edges": (_owners(edge_start), edge_row, column, share),
    }
    about = {
        "format": FORMAT,
        "coverage": coverage,
        "crs": grid.crs,
        "resolution": grid.resolution,
        "west": grid.bounds[0],
        "north": grid.bounds[3],
        "shape": list(grid.shape),
        "rows": {name: len(columns[0]) for name, columns in tables.items()},
        # Which files belong together: counts alone are those of many operators.
        "digest": _digest(ids, (shares.outside, *shares.spans, *shares.edges)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
        draft = Path(folder) / "draft"
        draft.mkdir()
        for name, columns in tables.items():
            table = pa.table(dict(zip(_COLUMNS[name], columns, strict=True)))
            table = table.replace_schema_metadata({_KEY: json.dumps(about)})
            _write(table, draft / f"{name}.parquet")
        draft.rename(path)


def read_operator(path: Path) -> Saved:
    """Read what ``write_operator`` wrote; checksums and structure are checked, since kernels look at what is named without asking.

    Raises
    ------
    InputError
        If there is no such directory, or it is damaged.
    """
    if not path.is_dir():
        raise InputError(
            "there is no saved operator", str(path), "Make one with ZonalOperator.save(path)."
        )
    tables, about = {}, []
    for name in _COLUMNS:
        columns, told = _read(path / f"{name}.parquet", name)
        tables[name] = columns
        about.append(told)
    first = about[0]
    counts = {name: len(columns["polygon"]) for name, columns in tables.items()}
    if any(told != first for told in about) or first.get("rows") != counts:
        raise InputError("the files are not of one operator", str(path), _AGAIN)
    if first.get("format") != FORMAT:
        raise InputError(
            f"the format is {first.get('format')!r}, not {FORMAT!r}", str(path), _AGAIN
        )
    grid = Grid.of_corner(
        first["crs"], first["resolution"], (first["west"], first["north"]), tuple(first["shape"])
    )
    size = counts["polygons"]
    _require_structure(path, tables, grid, size)
    spans, edges = tables["spans"], tables["edges"]
    shares = as_shares(
        (_starts(spans["polygon"], size), spans["row"], spans["first"], spans["last"] + 1),
        (_starts(edges["polygon"], size), edges["row"], edges["column"], edges["share"]),
        tables["polygons"]["outside"],
    )
    if "digest" not in first and first["coverage"] == "exact":
        _require_rows_on_earth(path, grid, shares)
    ids = tables["polygons"]["id"]
    return grid, first["coverage"], None if size and ids[0] is None else ids, shares


def _require_rows_on_earth(path: Path, grid: Grid, shares: Shares) -> None:
    """Raise if an operator from before shares were of a cell's part on the earth has cells that reach beyond a pole."""
    beyond = list(rows_beyond_poles(grid))
    if np.isin(np.concatenate([shares.spans[1], shares.edges[1]]), beyond).any():
        raise InputError(
            "the operator is of an older version, which counted cells that reach beyond a pole with half of what they hold",
            str(path),
            "Make it anew from the polygons: cg.ZonalOperator(polygons, grid).save(path).",
        )


def _digest(ids: NDArray[Any] | None, arrays: Iterable[NDArray[Any]]) -> str:
    found = hashlib.blake2b(str(None if ids is None else ids.tolist()).encode(), digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _write(table: Any, path: Path) -> None:
    import pyarrow.parquet as parquet

    whole = [field.name for field in table.schema if str(field.type) == "int32"]
    real = [field.name for field in table.schema if str(field.type) == "double"]
    parquet.write_table(
        table,
        path,
        compression="zstd",
        use_dictionary=False,
        column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED")
        | dict.fromkeys(real, "BYTE_STREAM_SPLIT"),
        write_page_checksum=True,
    )


def _read(path: Path, name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    import pyarrow as pa

    try:
        with open_parquet(path, page_checksum_verification=True) as file:
            table = file.read()
            about = json.loads((file.schema_arrow.metadata or {}).get(_KEY, b"{}"))
        columns = {column: table[column].to_numpy() for column in _COLUMNS[name]}
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise InputError(f"the file is damaged: {error}", str(path), _AGAIN) from None
    return columns, about


def _require_structure(
    path: Path, tables: dict[str, dict[str, NDArray[Any]]], grid: Grid, size: int
) -> None:
    height, width = grid.shape
    spans, edges = tables["spans"], tables["edges"]
    good = {
        "polygons": np.array_equal(tables["polygons"]["polygon"], np.arange(size))
        and bool((tables["polygons"]["outside"] >= 0).all()),
        "spans": _in_order(spans, "first", "last", size, (height, width)),
        "edges": _in_order(edges, "column", "column", size, (height, width))
        and bool(((edges["share"] > 0) & (edges["share"] < 1)).all()),
    }
    wrong = next((name for name, fine in good.items() if not fine), None)
    if wrong is not None:
        raise InputError(
            "the rows do not fit the grid, or are out of order",
            str(path / f"{wrong}.parquet"),
            _AGAIN,
        )


def _in_order(
    table: dict[str, NDArray[Any]], first: str, last: str, size: int, shape: tuple[int, int]
) -> bool:
    """Tell whether cells are on the grid, and in order of polygons, rows and columns without lying over each other."""
    owner, row, low, high = (
        table[name].astype(np.int64) for name in ("polygon", "row", first, last)
    )
    within = (owner >= 0) & (owner < size) & (row >= 0) & (row < shape[0])
    within &= (low >= 0) & (low <= high) & (high < shape[1])
    ahead, down = np.diff(owner), np.diff(row)
    ordered = (ahead > 0) | ((ahead == 0) & ((down > 0) | ((down == 0) & (low[1:] > high[:-1]))))
    return bool(within.all() and ordered.all())


def _owners(start: NDArray[np.int64]) -> NDArray[np.int32]:
    return np.repeat(np.arange(start.size - 1, dtype=np.int32), np.diff(start))


def _starts(owners: NDArray[Any], size: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=size))])


def _id_column(ids: NDArray[Any] | None, size: int) -> Any:
    import pyarrow as pa

    if ids is None:
        return pa.nulls(size)
    odd = [
        each for each in ids.tolist() if not isinstance(each, str | int) or isinstance(each, bool)
    ]
    odd += [each for each in ids.tolist() if isinstance(each, int) and not -(2**63) <= each < 2**63]
    kinds = {type(each) for each in ids.tolist()}
    if odd or len(kinds) > 1:
        told = f"an id is {odd[0]!r}" if odd else "ids are text and numbers mixed"
        raise InputError(
            told,
            hint="Only ids that are all text or all whole numbers of 64 bits with a sign can be saved.",
        )
    return pa.array(ids.tolist(), pa.string() if kinds == {str} else pa.int64())
