"""Digests of content: sha256 over canonical bytes, the same whatever the file format or the time."""

from __future__ import annotations

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
from carbongrid.raster.polygons.outlines import digest_of_binary, outlines_of
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_LENGTH = struct.Struct("<q")
_OF_ONE = struct.pack("<BII", 1, int(shapely.GeometryType.MULTIPOLYGON), 1)
"""How the binary of a multipolygon of one part begins."""
_GRID_VARIABLES = ("covered_area", "emission", "sink", "x", "y")


def digests_of(content: Content) -> dict[str, str]:
    """Return the digest of each table, in hexadecimal.

    Notes
    -----
    Columns are taken in the order of their names, rows as they stand. A column is its name, its kind, its number of
    rows, a mask of missing values (one byte each) and its values: int64 and float64 little endian with zeros where
    missing; texts in UTF-8 and geometries in little-endian WKB, each after its length. A polygon is taken as a
    multipolygon of one part, since file formats differ in that. The geometry of the parcels is the sha256 of these
    bytes, in hexadecimal: it is nearly all that there is, and the same from year to year (docs/decisions/0111). A grid
    is its variables in C order; what it has by sector has a digest of its own, names of sectors included.
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
        digests["parcels"] = digest_of_table(content.parcels, geometry_apart=True)
    digests["grid_1km"] = _digest_of_grid(content.grid_1km, _GRID_VARIABLES)
    if BY_SECTOR in content.grid_1km:
        digests["grid_1km_by_sector"] = _digest_of_grid(content.grid_1km, ("sector", BY_SECTOR))
    return dict(sorted(digests.items()))


def digest_of_table(table: Table, *, geometry_apart: bool = False) -> str:
    """Return the digest of one table, in hexadecimal, as :func:`digests_of` has it; ``geometry_apart``: as it has that of the parcels."""
    digest = hashlib.sha256()
    kinds: dict[str, Kind | str] = {**table.kinds}
    if "geometry" in table.frame.columns:
        kinds["geometry"] = "geometry"
    for name, kind in sorted(kinds.items()):
        digest.update(_with_lengths([name.encode(), kind.encode()]))
        digest.update(_LENGTH.pack(len(table.frame)))
        if kind == "geometry" and geometry_apart:
            digest.update(_digest_of_polygons(table.frame[name]).encode())
            continue
        for piece in _column(table.frame[name], kind):
            digest.update(piece)
    return digest.hexdigest()


def _digest_of_polygons(column: pd.Series[Any]) -> str:
    held = column.array
    return held.digest if isinstance(held, PolygonColumn) else digest_of_binary(_column(column, "geometry"))  # fmt: skip


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
