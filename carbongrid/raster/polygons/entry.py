"""Geometries and binary taken apart: coordinates, and where rings, parts and rows start."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels import wkb
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.rings import LARGEST
from carbongrid.raster.kernels.scanline import Starts

_POLYGON, _MULTIPOLYGON = int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON)

_FAULTS = {
    wkb.NO_POLYGON: (
        "is neither polygon nor multipolygon",
        "Leave it out, or take its polygons only.",
    ),
    wkb.CUT_SHORT: ("ends before its geometry does", "Read the file again."),
    wkb.OPEN_RING: ("has a ring that is not closed", "Repair the geometry."),
    wkb.SHORT_RING: ("has a ring of fewer than four points", "Repair the geometry."),
    wkb.BIG_ENDIAN: ("is not little-endian", "Write it with byte order 1."),
}


def ragged(geometries: NDArray[np.object_]) -> tuple[NDArray[np.float64], Starts]:
    """Take shapely polygons apart: points (x, y), and where rings, parts and rows start; without empty parts.

    Most polygons have one ring, whose size shapely knows without making a ring; only the others are taken apart one by one.
    """
    if geometries.ndim != 1:
        raise InputError(
            f"polygons must be one row of geometries, not of shape {geometries.shape}",
            hint="Of GeoJSON: geopandas.GeoDataFrame.from_features(geojson, crs=4326).",
        )
    kinds = shapely.get_type_id(geometries)
    odd = np.flatnonzero((kinds != -1) & (kinds != _POLYGON) & (kinds != _MULTIPOLYGON))
    if odd.size:
        name = shapely.GeometryType(kinds[odd[0]]).name
        raise InputError(
            f"{'1 geometry is no polygon' if odd.size == 1 else f'{odd.size:,} geometries are not polygons'} ({name} ...), rows {odd[:10].tolist()}",
            hint="Leave them out, or take their polygons only.",
        )
    size = shapely.get_num_coordinates(geometries)
    simple = (kinds == _POLYGON) & (shapely.get_num_interior_rings(geometries) == 0) & (size > 0)
    plain = np.flatnonzero(simple)
    others = np.flatnonzero(~simple & (size > 0))
    parts, part_row = shapely.get_parts(geometries[others], return_index=True)
    full = ~shapely.is_empty(parts)
    parts, part_row = parts[full], others[part_row[full]]
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    ring_sizes, _ = _by_row(
        plain, size[plain], part_row[ring_part], shapely.get_num_coordinates(rings)
    )
    in_part = np.bincount(ring_part, minlength=parts.size)
    part_sizes, row_of_part = _by_row(plain, np.ones(plain.size, np.int64), part_row, in_part)
    row_sizes = np.bincount(row_of_part, minlength=geometries.size)
    return shapely.get_coordinates(geometries), (
        _starts(ring_sizes),
        _starts(part_sizes),
        _starts(row_sizes),
    )


def ragged_where_polygons(
    geometries: NDArray[np.object_],
) -> tuple[NDArray[np.float64], Starts]:
    """Take shapely polygons apart, as ``ragged``; what is none has no parts."""
    polygons = geometries.copy()
    polygons[~np.isin(shapely.get_type_id(geometries), (_POLYGON, _MULTIPOLYGON))] = None
    return ragged(polygons)


def ragged_of_wkb(values: Any) -> tuple[NDArray[np.float64], Starts]:
    """Take well-known binary apart, as ``ragged`` does geometries."""
    binary = _binary(values)
    fault, row, n_parts, n_rings, n_vertices = wkb.sizes(binary)
    if fault != wkb.GOOD:
        says, hint = _FAULTS[fault]
        raise InputError(f"the binary of row {row} {says}", hint=hint)
    points = np.empty((n_vertices, 2))
    starts = wkb.read(binary, n_parts, n_rings, points.reshape(-1).view(np.uint8))
    ring_start, part_start, row_start = (
        as_readonly_contiguous(start, np.int64) for start in starts
    )
    return points[: ring_start[-1]], (ring_start, part_start, row_start)


def wkb_of(
    geometries: NDArray[np.object_], *, collections: bool = False, lengths: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    """Return the binary that shapely writes of polygons, little-endian and without Z and M, one after the other, and where each begins.

    Shapely makes an object of bytes of each with Python's lock held, which takes three times as long, and keeps other threads from theirs.

    Parameters
    ----------
    geometries
        Shapely geometries, shape (n,).
    collections
        Write a polygon as a multipolygon of one part.
    lengths
        Write each after its length, int64.

    Returns
    -------
    tuple or None
        None where one is missing or empty, or is no polygon, or has an empty part: then shapely writes them.
    """
    kinds = shapely.get_type_id(geometries)
    if not np.isin(kinds, (_POLYGON, _MULTIPOLYGON)).all():
        return None
    points, starts = ragged(geometries)
    is_multi = kinds == _MULTIPOLYGON
    parts = np.diff(starts[2])
    if (parts == 0).any() or (parts != shapely.get_num_geometries(geometries)).any():
        return None
    x, y = (as_readonly_contiguous(side, np.float64) for side in points.T)
    as_they_are = np.zeros(starts[0].size - 1, np.bool_)
    return binary_of((x, y), starts, as_they_are, is_multi | collections, lengths)


def binary_of(
    coordinates: tuple[NDArray[np.float64], NDArray[np.float64]],
    starts: Starts,
    backwards: NDArray[np.bool_],
    many: NDArray[np.bool_],
    lengths: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the binary of polygons taken apart, one after the other, and where each begins; as :func:`carbongrid.raster.kernels.wkb.write`."""
    x, y = (side.view(np.uint8) for side in coordinates)
    turned, several = (as_readonly_contiguous(each, np.bool_) for each in (backwards, many))
    return wkb.write((x, y), starts, turned, several, lengths)


def multipolygons_of_wkb(values: Any) -> NDArray[np.uint8]:
    """Return the binary of polygons and multipolygons, little-endian and of two dimensions, as :func:`wkb_of` writes it with ``collections`` and ``lengths``: no polygon is taken apart.

    Raises
    ------
    InputError
        If a row is none of these.
    """
    data, begin, there = _binary(values)
    written, other = wkb.as_multipolygons(data, begin)
    if other >= 0 or not there.all():
        row = other if other >= 0 else int(np.argmin(there))
        says, hint = _FAULTS[wkb.NO_POLYGON]
        raise InputError(f"the binary of row {row} {says}", hint=hint)
    return written


def rows_not_finite(points: NDArray[np.float64], starts: Starts) -> list[int]:
    """Return the first ten rows that have a coordinate that is not finite, or too large."""
    wrong = np.flatnonzero(~(np.abs(points) < LARGEST).all(axis=1))
    return [int(row) for row in rows_of(wrong, starts)[:10]]


def rows_of(vertices: NDArray[np.int64], starts: Starts) -> NDArray[np.int64]:
    """Return the rows that have some vertices, each once, in order."""
    ring_start, part_start, row_start = starts
    ring = np.searchsorted(ring_start, vertices, "right") - 1
    part = np.searchsorted(part_start, ring, "right") - 1
    return np.unique(np.searchsorted(row_start, part, "right") - 1)


def _by_row(
    plain: NDArray[np.int64],
    plain_sizes: NDArray[Any],
    rows: NDArray[np.int64],
    sizes: NDArray[Any],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put sizes of what belongs to plain rows and to others in the order of rows."""
    if not rows.size:
        return plain_sizes.astype(np.int64), plain
    both = np.concatenate([plain, rows])
    order = np.argsort(both, kind="stable")
    return np.concatenate([plain_sizes, sizes])[order].astype(np.int64), both[order]


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return as_readonly_contiguous(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), np.int64
    )


def _binary(values: Any) -> wkb.Binary:
    """Return Arrow's buffers as they are, or the bytes of an array one after the other."""
    if hasattr(values, "combine_chunks") and hasattr(values, "chunks"):
        values = values.combine_chunks()
    if not hasattr(values, "buffers"):
        return _joined(values)
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], pa.binary())
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if not (pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
        raise InputError(f"well-known binary must be a binary column, not {values.type}")
    wide = np.int64 if pa.types.is_large_binary(values.type) else np.int32
    _, offsets, data = values.buffers()
    begin = np.frombuffer(offsets, wide)[values.offset : values.offset + len(values) + 1]
    there = ~np.asarray(values.is_null()) if values.null_count else np.ones(len(values), np.bool_)
    raw = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return (
        as_readonly_contiguous(raw, np.uint8),
        as_readonly_contiguous(begin, np.int64),
        as_readonly_contiguous(there, np.bool_),
    )


def _joined(values: Any) -> wkb.Binary:
    each = [None if value is None else bytes(value) for value in values]
    there = np.array([value is not None for value in each], np.bool_)
    sizes = np.array([0 if value is None else len(value) for value in each], np.int64)
    raw = np.frombuffer(b"".join(value for value in each if value is not None), np.uint8)
    return (
        as_readonly_contiguous(raw, np.uint8),
        _starts(sizes),
        as_readonly_contiguous(there, np.bool_),
    )
