"""Digests of content: sha256 over canonical bytes, the same whatever the file format or the time."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from carbongrid.export.content import Content, Table
from carbongrid.result import Kind

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_LENGTH = struct.Struct("<q")
_GRID_VARIABLES = ("covered_area", "emission", "sink", "x", "y")


def digests_of(content: Content) -> dict[str, str]:
    """Return the digest of each table, in hexadecimal.

    Notes
    -----
    Columns are taken in the order of their names, rows as they stand. A column is its name, its kind, its number of
    rows, a mask of missing values (one byte each) and its values: int64 and float64 little endian with zeros where
    missing; texts in UTF-8 and geometries in little-endian WKB, each after its length. A polygon is taken as a
    multipolygon of one part, since file formats differ in that. A grid is its variables in C order.
    """
    tables = {"inventory": content.inventory, "ledger": content.ledger, "units": content.units}
    if content.parcels is not None:
        tables["parcels"] = content.parcels
    digests = {name: _digest_of_table(table) for name, table in tables.items()}
    return dict(sorted({**digests, "grid_1km": _digest_of_grid(content.grid_1km)}.items()))


def _digest_of_table(table: Table) -> str:
    digest = hashlib.sha256()
    kinds: dict[str, Kind | str] = {**table.kinds}
    if "geometry" in table.frame.columns:
        kinds["geometry"] = "geometry"
    for name, kind in sorted(kinds.items()):
        digest.update(_with_lengths([name.encode(), kind.encode()]))
        digest.update(_LENGTH.pack(len(table.frame)))
        digest.update(_column(table.frame[name], kind))
    return digest.hexdigest()


def _digest_of_grid(grid: xr.Dataset) -> str:
    digest = hashlib.sha256()
    for name in _GRID_VARIABLES:
        values = grid[name].to_numpy()
        whole = values.dtype.kind in "iu"
        digest.update(_with_lengths([name.encode(), b"whole" if whole else b"number"]))
        digest.update(b"".join(_LENGTH.pack(length) for length in values.shape))
        digest.update(values.astype("<i8" if whole else "<f8").tobytes())
    return digest.hexdigest()


def _column(column: pd.Series[Any], kind: str) -> bytes:
    if kind == "text":
        return _with_lengths([text.encode() for text in column.tolist()])
    if kind == "geometry":
        return _with_lengths(shapely.to_wkb(_multipolygons(column), byte_order=1).tolist())
    if kind == "flag":
        return column.to_numpy(dtype=bool).astype("<i8").tobytes()
    missing = column.isna().to_numpy(dtype=np.uint8).tobytes()
    if kind == "number":
        return missing + column.fillna(0.0).to_numpy(dtype="<f8").tobytes()
    return missing + column.fillna(0).to_numpy(dtype="<i8").tobytes()


def _multipolygons(column: pd.Series[Any]) -> Any:
    geometry = shapely.force_2d(np.asarray(column, dtype=object))
    single = shapely.get_type_id(geometry) == shapely.GeometryType.POLYGON
    geometry[single] = shapely.multipolygons(geometry[single], indices=np.arange(single.sum()))
    return geometry


def _with_lengths(pieces: Iterable[bytes] | Sequence[bytes]) -> bytes:
    return b"".join(part for piece in pieces for part in (_LENGTH.pack(len(piece)), piece))
