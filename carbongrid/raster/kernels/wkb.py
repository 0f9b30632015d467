"""Well-known binary of polygons and multipolygons, read and written without making geometries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

Binary = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]
"""All bytes, where each row's begin (rows + 1), and which rows are there."""

GOOD, NO_POLYGON, CUT_SHORT, OPEN_RING, BIG_ENDIAN, SHORT_RING = range(6)
_POLYGON, _MULTIPOLYGON = 3, 6
_HEADER, _COUNT = 5, 4
_MIN_POINTS = 4


@helper
def _number(data: NDArray[np.uint8], at: int) -> int:
    """Read four bytes, least significant first."""
    value = np.int64(data[at])
    for i in range(1, 4):
        value |= np.int64(data[at + i]) << (8 * i)
    return int(value)


@helper
def _header(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int, int, int]:
    """Return fault, kind, dimensions, and where what follows the header begins; ISO and extended WKB."""
    if at + _HEADER + _COUNT > end:
        return CUT_SHORT, 0, 0, at
    if data[at] != 1:
        return BIG_ENDIAN, 0, 0, at
    code = _number(data, at + 1)
    at += _HEADER
    dimensions = 2 + ((code >> 31) & 1) + ((code >> 30) & 1)
    if (code >> 29) & 1:
        at += 4
        if at + _COUNT > end:
            return CUT_SHORT, 0, 0, at
    code &= 0x1FFFFFFF
    thousands = code // 1000
    if thousands > 0:
        dimensions = 4 if thousands == 3 else 3
    return GOOD, code % 1000, dimensions, at


@helper
def _same(data: NDArray[np.uint8], a: int, b: int) -> bool:
    """Whether two little-endian reals are the same value; 0 and -0 are, and NaN is what refuses it later on."""
    same, mine, other = True, 0, 0
    for i in range(8):
        same = same and data[a + i] == data[b + i]
        sign = 0x7F if i == 7 else 0xFF
        mine |= data[a + i] & sign
        other |= data[b + i] & sign
    return same or (mine | other) == 0


@helper
def _ring(data: NDArray[np.uint8], at: int, end: int, dimensions: int) -> tuple[int, int]:
    """Return fault and points of the ring whose count is at ``at``."""
    if at + _COUNT > end:
        return CUT_SHORT, 0
    points = _number(data, at)
    step = 8 * dimensions
    if at + _COUNT + points * step > end:
        return CUT_SHORT, 0
    if points == 0:
        return GOOD, 0
    if points < _MIN_POINTS:
        return SHORT_RING, 0
    first, last = at + _COUNT, at + _COUNT + (points - 1) * step
    if not (_same(data, first, last) and _same(data, first + 8, last + 8)):
        return OPEN_RING, 0
    return GOOD, points


@kernel
def sizes(binary: Binary) -> tuple[int, int, int, int, int]:
    """Return fault, the row that has it, and the most parts, rings and vertices that there can be."""
    data, offsets, there = binary
    n_parts, n_rings, n_vertices = 0, 0, 0
    for row in range(there.size):
        if not there[row]:
            continue
        at, end = offsets[row], offsets[row + 1]
        fault, kind, dimensions, at = _header(data, at, end)
        if fault != GOOD:
            return fault, row, 0, 0, 0
        if kind != _POLYGON and kind != _MULTIPOLYGON:
            return NO_POLYGON, row, 0, 0, 0
        parts = 1
        if kind == _MULTIPOLYGON:
            parts = _number(data, at)
            at += _COUNT
        for _ in range(parts):
            if kind == _MULTIPOLYGON:
                fault, inner, dimensions, at = _header(data, at, end)
                if fault != GOOD or inner != _POLYGON:
                    return max(fault, NO_POLYGON), row, 0, 0, 0
            rings = _number(data, at)
            at += _COUNT
            for _ in range(rings):
                fault, points = _ring(data, at, end, dimensions)
                if fault != GOOD:
                    return fault, row, 0, 0, 0
                at += _COUNT + points * 8 * dimensions
                n_vertices += points
            n_rings += rings
        n_parts += parts
    return GOOD, -1, n_parts, n_rings, n_vertices


@kernel
def read(
    binary: Binary, n_parts: int, n_rings: int, coordinates: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Copy x and y of every vertex to ``coordinates``, 16 bytes each; return starts of rings, parts and rows.

    ``sizes`` has found no fault. Empty rings and parts without a shell are left out.
    """
    data, offsets, there = binary
    ring_start, part_start = np.zeros(n_rings + 1, np.int64), np.zeros(n_parts + 1, np.int64)
    row_start = np.zeros(there.size + 1, np.int64)
    ring, part, vertex = 0, 0, 0
    for row in range(there.size):
        if there[row]:
            at, end = offsets[row], offsets[row + 1]
            _, kind, dimensions, at = _header(data, at, end)
            parts = 1
            if kind == _MULTIPOLYGON:
                parts = _number(data, at)
                at += _COUNT
            for _ in range(parts):
                if kind == _MULTIPOLYGON:
                    _, _, dimensions, at = _header(data, at, end)
                rings = _number(data, at)
                at += _COUNT
                shell = False
                for place in range(rings):
                    points = _number(data, at)
                    at += _COUNT
                    if place == 0:
                        shell = points > 0
                    if shell and points > 0:
                        for i in range(points):
                            for byte in range(16):
                                coordinates[16 * (vertex + i) + byte] = data[
                                    at + i * 8 * dimensions + byte
                                ]
                        vertex += points
                        ring += 1
                        ring_start[ring] = vertex
                    at += points * 8 * dimensions
                if shell:
                    part += 1
                    part_start[part] = ring
        row_start[row + 1] = part
    return ring_start[: ring + 1], part_start[: part + 1], row_start


@helper
def _put(data: NDArray[np.uint8], at: int, value: int, size: int) -> int:
    """Write so many bytes, least significant first; return where the next begin."""
    for i in range(size):
        data[at + i] = (value >> (8 * i)) & 0xFF
    return at + size


@helper
def _put_header(data: NDArray[np.uint8], at: int, kind: int, count: int) -> int:
    data[at] = 1
    return _put(data, _put(data, at + 1, kind, 4), count, _COUNT)


@helper
def _put_real(data: NDArray[np.uint8], at: int, values: NDArray[np.uint8], vertex: int) -> int:
    for byte in range(8):
        data[at + byte] = values[8 * vertex + byte]
    return at + 8


@kernel
def write(
    coordinates: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    starts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    backwards: NDArray[np.bool_],
    many: NDArray[np.bool_],
    lengths: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the binary of each row, one after the other, and where each begins (rows + 1).

    Parameters
    ----------
    coordinates
        x and y of the vertices, 8 bytes each.
    starts
        Where rings, parts and rows start: those of the rows may be some of them only.
    backwards
        Which rings are written from their last vertex to their first.
    many
        Which rows are multipolygons; a row that is none has one part.
    lengths
        Whether each is written after its length, in eight bytes.
    """
    x, y = coordinates
    ring_start, part_start, row_start = starts
    rows = row_start.size - 1
    begin = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        first, last = part_start[row_start[row]], part_start[row_start[row + 1]]
        size = 16 * (ring_start[last] - ring_start[first]) + _COUNT * (last - first)
        parts = row_start[row + 1] - row_start[row] if many[row] else 0
        size += (_HEADER + _COUNT) * (parts + 1)
        begin[row + 1] = begin[row] + size + (8 if lengths else 0)
    data = np.empty(begin[rows], np.uint8)
    for row in range(rows):
        at = begin[row]
        if lengths:
            at = _put(data, at, begin[row + 1] - at - 8, 8)
        first, last = row_start[row], row_start[row + 1]
        if many[row]:
            at = _put_header(data, at, _MULTIPOLYGON, last - first)
        for part in range(first, last):
            at = _put_header(data, at, _POLYGON, part_start[part + 1] - part_start[part])
            for ring in range(part_start[part], part_start[part + 1]):
                begun, end = ring_start[ring], ring_start[ring + 1]
                at = _put(data, at, end - begun, _COUNT)
                for i in range(begun, end):
                    vertex = begun + end - 1 - i if backwards[ring] else i
                    at = _put_real(data, at, x, vertex)
                    at = _put_real(data, at, y, vertex)
    return data, begin


@kernel
def as_multipolygons(
    data: NDArray[np.uint8], begin: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], int]:
    """Return binary with each row after its length, a polygon as a multipolygon of one part, as :func:`write` does; and the first row that is neither of the two, or -1.

    Parameters
    ----------
    data
        All bytes.
    begin
        Where each row's begin (rows + 1).
    """
    rows, head = begin.size - 1, _HEADER + _COUNT
    size = np.int64(0)
    for row in range(rows):
        at = begin[row]
        known = begin[row + 1] - at >= head and data[at] == 1
        kind = _number(data, at + 1) if known else 0
        if kind != _POLYGON and kind != _MULTIPOLYGON:
            return np.empty(0, np.uint8), row
        size += 8 + begin[row + 1] - at + (head if kind == _POLYGON else 0)
    found = np.empty(size, np.uint8)
    at = 0
    for row in range(rows):
        first, last = begin[row], begin[row + 1]
        single = data[first + 1] == _POLYGON
        at = _put(found, at, last - first + (head if single else 0), 8)
        if single:
            at = _put_header(found, at, _MULTIPOLYGON, 1)
        found[at : at + last - first] = data[first:last]
        at += last - first
    return found, -1
