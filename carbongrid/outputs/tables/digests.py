"""Digests of content: sha256 over canonical bytes, the same whatever the file format or the time."""

from __future__ import annotations

import contextlib
import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.method.columns import Kind
from carbongrid.outputs.tables.content import BY_SECTOR, Content, Table
from carbongrid.raster.polygons.entry import wkb_of
from carbongrid.raster.polygons.outlines import outlines_of
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FILES_OF = {
    "inventory": "inventory.csv",
    "ledger": "ledger.csv",
    "evidence": "evidence.csv",
    "land_types": "land_types.csv",
    "facilities": "facilities.csv",
    "units": "units.csv or units.gpkg",
    "parcels": "parcels.parquet",
    "grid_1km": "grid_1km.nc",
    "grid_1km_by_sector": "grid_1km.nc",
    "surroundings": "surroundings.gpkg",
}
"""The file of a run that holds what a digest is of."""

_LENGTH = struct.Struct("<q")
_OF_ONE = struct.pack("<BII", 1, int(shapely.GeometryType.MULTIPOLYGON), 1)
"""How the binary of a multipolygon of one part begins."""
_GRID_VARIABLES = ("covered_area", "emission", "sink", "x", "y")


def digests_of(content: Content, parcels: str | None = None) -> dict[str, str]:
    """Return the digest of each table, in hexadecimal; ``parcels``: that of the parcels, where it is known.

    Notes
    -----
    Columns are taken in the order of their names, rows as they stand. A column is its name, its kind, its number of
    rows, a mask of missing values (one byte each) and its values: int64 and float64 little endian with zeros where
    missing; texts in UTF-8 and geometries in little-endian WKB, each after its length. A polygon is taken as a
    multipolygon of one part, since file formats differ in that. Of the parcels each column's mask and values count as
    their own sha256, in hexadecimal: they are nearly all that there is, so columns are hashed by all cores, and a run
    keeps that of the geometry for other years of the same land (docs/decisions/0111). A grid is its variables in C
    order; what it has by sector has a digest of its own, names of sectors included.
    """
    tables = {
        "inventory": content.inventory,
        "ledger": content.ledger,
        "evidence": content.evidence,
        "land_types": content.land_types,
        "units": content.units,
    }
    more = {"surroundings": content.surroundings, "facilities": content.facilities}
    tables |= {name: table for name, table in more.items() if table is not None}
    digests = {name: digest_of_table(table) for name, table in tables.items()}
    if content.parcels is not None:
        digests["parcels"] = parcels or digest_of_table(content.parcels, by_column=True)
    digests["grid_1km"] = _digest_of_grid(content.grid_1km, _GRID_VARIABLES)
    if BY_SECTOR in content.grid_1km:
        digests["grid_1km_by_sector"] = _digest_of_grid(content.grid_1km, ("sector", BY_SECTOR))
    return dict(sorted(digests.items()))


def digest_of_table(table: Table, *, by_column: bool = False) -> str:
    """Return the digest of one table, in hexadecimal, as :func:`digests_of` has it; ``by_column``: as it has that of the parcels."""
    digest = hashlib.sha256()
    kinds: dict[str, Kind | str] = {**table.kinds}
    if "geometry" in table.frame.columns:
        kinds["geometry"] = "geometry"
    columns = [(table.frame[name], kind) for name, kind in sorted(kinds.items())]
    values = each_block(_as_digest, columns) if by_column else (_column(*each) for each in columns)
    with contextlib.closing(values) as of_each:
        for (column, kind), pieces in zip(columns, of_each, strict=True):
            digest.update(_with_lengths([str(column.name).encode(), kind.encode()]))
            digest.update(_LENGTH.pack(len(column)))
            for piece in pieces:
                digest.update(piece)
    return digest.hexdigest()


def _as_digest(column: tuple[pd.Series[Any], str]) -> Iterable[bytes]:
    """Return the digest of a column's values in place of them; polygons held as coordinates, or by a run, know theirs."""
    values, kind = column
    if isinstance(values.array, PolygonColumn):
        return [values.array.digest.encode()]
    digest = hashlib.sha256()
    for piece in _column(values, kind):
        digest.update(piece)
    return [digest.hexdigest().encode()]


def _digest_of_grid(grid: xr.Dataset, variables: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in variables:
        values = grid[name].to_numpy()
        kind = {"i": "whole", "u": "whole", "f": "number"}.get(values.dtype.kind, "text")
        digest.update(_with_lengths([name.encode(), kind.encode()]))
        digest.update(b"".join(_LENGTH.pack(length) for length in values.shape))
        if kind == "text":
            digest.update(_with_lengths([str(text).encode() for text in values.tolist()]))
        else:
            digest.update(values.astype("<i8" if kind == "whole" else "<f8").tobytes())
    return digest.hexdigest()


def _column(column: pd.Series[Any], kind: str) -> Iterator[bytes | NDArray[np.uint8]]:
    """Yield a column's bytes, what is long block by block."""
    if kind == "text":
        for rows in row_blocks(len(column)):
            yield _texts(column.iloc[rows])
    elif kind == "geometry":
        blocks = row_blocks(len(column))
        yield from each_block(lambda rows: _multipolygons(column.iloc[rows]), blocks)
    elif kind == "flag":
        yield column.to_numpy(dtype=bool).astype("<i8").tobytes()
    else:
        missing = column.isna().to_numpy(np.bool_)
        yield missing.view(np.uint8)
        whole = kind != "number"
        filled = column.fillna(0 if whole else 0.0) if missing.any() else column
        yield np.ascontiguousarray(filled.to_numpy("<i8" if whole else "<f8")).view(np.uint8)


def _texts(texts: pd.Series[Any]) -> NDArray[np.uint8]:
    """Return texts in UTF-8, each after its length; none is made an object, or encoded, by itself."""
    import pyarrow as pa
    import pyarrow.compute as compute

    packed = pa.array(texts, pa.large_string())
    if isinstance(packed, pa.ChunkedArray):
        packed = packed.combine_chunks()
    assert not packed.null_count, "a table's texts are all there"
    kind, size = pa.large_binary(), _LENGTH.size
    begin = np.arange(0, size * (len(packed) + 1), size)
    lengths = compute.binary_length(packed).to_numpy().astype("<i8")
    heads = pa.Array.from_buffers(kind, len(packed), [None, pa.py_buffer(begin), pa.py_buffer(lengths)])  # fmt: skip
    joined = compute.binary_join_element_wise(heads, packed.cast(kind), pa.scalar(b"", kind))
    _, _, data = joined.buffers()
    return np.frombuffer(data or b"", np.uint8)[: size * len(packed) + int(lengths.sum())]


def _multipolygons(column: Any) -> bytes | NDArray[np.uint8]:
    """Return binary with lengths; that of a polygon gets the head of a collection of one."""
    held = outlines_of(column)
    if held is not None:
        return held.binary(collections=True, lengths=True)[0]
    geometry = np.asarray(column, dtype=object)
    written = wkb_of(geometry, collections=True, lengths=True)
    if written is not None:
        return written[0]
    binary = shapely.to_wkb(geometry, output_dimension=2, byte_order=1).tolist()
    single = (shapely.get_type_id(geometry) == shapely.GeometryType.POLYGON).tolist()
    return _with_lengths([_OF_ONE + each if one else each for one, each in zip(single, binary, strict=True)])  # fmt: skip


def _with_lengths(pieces: Sequence[bytes]) -> bytes:
    """Return each piece after its length; joined once, since there are millions."""
    lengths = np.fromiter(map(len, pieces), "<i8", len(pieces)).view("V8").tolist()
    return b"".join(chain.from_iterable(zip(lengths, pieces, strict=True)))
