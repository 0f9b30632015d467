"""How large a GeoParquet file is once it is read, and where its geometries lie: without holding them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from carbongrid.case.readers.grid_crs import Bounds
from carbongrid.errors import InputError
from carbongrid.raster.opening.footers import footer_of
from carbongrid.raster.opening.parquet import open_parquet

_WIDEST = 16
"""Bytes of a value of fixed width, at most."""
_DICTIONARY = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_PREFIXED = "DELTA_BYTE_ARRAY"
_AT_ONCE = 4096


def decoded_size(path: Path) -> int:
    """Return the bytes of a Parquet file's values, each counted as often as it stands there.

    The footer tells the size before compression; but a value that stands once in a dictionary, or as what it differs by from
    the one before, may be read a million times.

    Raises
    ------
    InputError
        If the values are stored as differences from each other, so that only reading them would tell.
    """
    size: Counter[str] = Counter()
    told_apart: set[str] = set()
    for _, columns in footer_of(path).groups:
        for column in columns:
            if _PREFIXED in column.encodings:
                raise InputError(
                    f"column {column.name!r} is stored in an encoding ({_PREFIXED}) whose size nobody can tell beforehand",
                    path.name,
                    "Write the file again with GeoDataFrame.to_parquet, or run without --memory.",
                )
            held = column.size
            if column.kind not in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"):
                held = max(held, _WIDEST * column.values)
            elif _DICTIONARY.intersection(column.encodings):
                told_apart.add(column.name)
            size[column.name] += held
    for name in told_apart:  # the footer's size holds the dictionary, and what did not fit into it
        size[name] = _size_by_dictionary(path, name)
    return size.total()


def _size_by_dictionary(path: Path, column: str) -> int:
    """Return the bytes of a column of texts or geometries, read as a dictionary and numbers in it."""
    import pyarrow as pa
    import pyarrow.compute as compute

    size = 0
    with open_parquet(path, read_dictionary=[column]) as file:
        for batch in file.iter_batches(batch_size=_AT_ONCE, columns=[column]):
            values: Any = batch.column(0)
            if not isinstance(values, pa.DictionaryArray):
                size += values.nbytes  # inside a list or a struct
                continue
            lengths = compute.binary_length(values.dictionary).to_numpy(zero_copy_only=False)
            places = values.indices.drop_null().to_numpy(zero_copy_only=False)
            size += int(lengths[places].sum(dtype=np.int64))
    return size


def geometry_about(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the name of the first geometry column and what GeoParquet's metadata say of it; blank without any."""
    with open_parquet(path) as file:
        known = (file.metadata.metadata or {}).get(b"geo")
    about: dict[str, Any] = json.loads(known) if known else {}
    name = str(about.get("primary_column", ""))
    return name, about.get("columns", {}).get(name, {})


def scanned_bounds(path: Path, column: str) -> Bounds | None:
    """Return the bounds of the geometries of a column, a few thousand of them at a time; None if there are none."""
    found = []
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=_AT_ONCE, columns=[column]):
            geometry = shapely.from_wkb(batch.column(0).to_numpy(zero_copy_only=False))
            found.append(shapely.total_bounds(geometry))
    if not found or np.isnan(found).all():
        return None
    corners = np.array(found)
    west, south = np.nanmin(corners[:, :2], axis=0)
    east, north = np.nanmax(corners[:, 2:], axis=0)
    return float(west), float(south), float(east), float(north)
