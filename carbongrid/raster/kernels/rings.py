"""Rings on entry: turned as GDAL turns them, and their bounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

# GDAL takes two vertices for the same one below this distance, whatever the unit.
_SAME = 1e-5
_ROUNDING = 1e-15
LARGEST = 1e100
"""Coordinates must be smaller: products of those from 1e154 up are infinite."""


@helper
def _is_clockwise(points: NDArray[np.float64], first: int, last: int) -> bool:
    """Tell whether the closed ring points[first : last + 1] runs clockwise (y up), as GDAL decides it.

    GDAL looks at the corner of the lowest, then rightmost vertex, and at the signed area only where that corner is not
    clear. The two differ for rings that cross themselves, and the direction decides which horizontal edges are filled.
    """
    if last - first < 1:
        return True
    pivot = first
    unclear = False
    for i in range(first + 1, last):
        if points[i, 1] < points[pivot, 1]:
            pivot, unclear = i, False
        elif points[i, 1] == points[pivot, 1]:
            if points[i, 0] > points[pivot, 0]:
                pivot, unclear = i, False
            elif points[i, 0] == points[pivot, 0]:
                unclear = True
    before = pivot - 1 if pivot > first else last - 1
    after = pivot + 1 if pivot + 1 < last else first
    dx0, dy0 = points[before, 0] - points[pivot, 0], points[before, 1] - points[pivot, 1]
    dx1, dy1 = points[after, 0] - points[pivot, 0], points[after, 1] - points[pivot, 1]
    if (abs(dx0) < _SAME and abs(dy0) < _SAME) or (abs(dx1) < _SAME and abs(dy1) < _SAME):
        unclear = True
    corner = dx1 * dy0 - dx0 * dy1
    if not unclear and corner != 0.0:
        return bool(corner < 0.0)
    area = points[first, 0] * (points[first + 1, 1] - points[last, 1])
    for i in range(first + 1, last):
        area += points[i, 0] * (points[i + 1, 1] - points[i - 1, 1])
    area += points[last, 0] * (points[first, 1] - points[last - 1, 1])
    return bool(area < 0.0)


@kernel
def clockwise(
    points: NDArray[np.float64], ring_start: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], int]:
    """Return x and y of all closed rings, turned clockwise, which of them ran the other way, and the first vertex that is not below ``LARGEST``, or -1."""
    size = points.shape[0]
    x, y, other_way = np.empty(size), np.empty(size), np.empty(ring_start.size - 1, np.bool_)
    odd = -1
    for ring in range(ring_start.size - 1):
        # The closing vertex repeats the first.
        first, last = ring_start[ring], ring_start[ring + 1] - 1
        keep = _is_clockwise(points, first, last)
        other_way[ring] = not keep
        for i in range(first, last + 1):
            source = i if keep else first + last - i
            x[i], y[i] = points[source, 0], points[source, 1]
            if odd < 0 and not (abs(x[i]) < LARGEST and abs(y[i]) < LARGEST):
                odd = i
    return x, y, other_way, odd


@helper
def _direction(points: NDArray[np.float64], first: int, last: int, up: float) -> int:
    """Return 1 if the closed ring runs clockwise, -1 if it does not, 0 where rounding leaves it open; of a ring that touches itself nowhere but at vertices.

    By the corner of the lowest, then rightmost vertex, which no valid ring turns the other way; where ``up`` is -1, of the highest, then leftmost.
    """
    if last - first < 1:
        return 1
    pivot = first
    for i in range(first + 1, last):
        lower = up * points[i, 1] < up * points[pivot, 1]
        beside = up * points[i, 0] > up * points[pivot, 0]
        if lower or (points[i, 1] == points[pivot, 1] and beside):
            pivot = i
    x, y = points[pivot, 0], points[pivot, 1]
    before, after = pivot, pivot
    for _ in range(last - first):
        before = before - 1 if before > first else last - 1
        if points[before, 0] != x or points[before, 1] != y:
            break
    for _ in range(last - first):
        after = after + 1 if after + 1 < last else first
        if points[after, 0] != x or points[after, 1] != y:
            break
    forth = (points[after, 0] - x) * (points[before, 1] - y)
    back = (points[before, 0] - x) * (points[after, 1] - y)
    corner = forth - back
    # Two differences, a product and their difference are each rounded once.
    if abs(corner) <= _ROUNDING * (abs(forth) + abs(back)):
        return 0
    return 1 if corner < 0.0 else -1


@kernel
def turned(
    points: NDArray[np.float64], ring_start: NDArray[np.int64], part_start: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the vertices of all closed rings with exteriors clockwise and holes the other way, as ``points``, and of which rings the direction is not known.

    The first ring of a part is its exterior.
    """
    found, unknown = np.empty_like(points), np.zeros(ring_start.size - 1, np.bool_)
    for part in range(part_start.size - 1):
        for ring in range(part_start[part], part_start[part + 1]):
            first, last = ring_start[ring], ring_start[ring + 1] - 1
            direction = _direction(points, first, last, 1.0)
            unknown[ring] = direction == 0
            keep = (direction >= 0) == (ring == part_start[part])
            for i in range(first, last + 1):
                source = i if keep else first + last - i
                found[i, 0], found[i, 1] = points[source, 0], points[source, 1]
    return found, unknown


@kernel
def normal_rings(
    points: NDArray[np.float64], ring_start: NDArray[np.int64], part_start: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the vertices of all closed rings in the normal form of GEOS, as ``points``, and of which rings this does not tell it.

    Each ring begins at the first of its leftmost, then lowest vertices; the first ring of a part, its exterior, runs clockwise, holes the other way.
    GEOS drops a vertex of a ring that begins in the midst of equal ones.
    """
    found, unknown = np.empty_like(points), np.zeros(ring_start.size - 1, np.bool_)
    for part in range(part_start.size - 1):
        for ring in range(part_start[part], part_start[part + 1]):
            first, size = ring_start[ring], ring_start[ring + 1] - 1 - ring_start[ring]
            least = 0
            for i in range(1, size):
                x, y = points[first + least, 0], points[first + least, 1]
                if points[first + i, 0] < x or (points[first + i, 0] == x and points[first + i, 1] < y):  # fmt: skip
                    least = i
            direction = _direction(points, first, first + size, 1.0)
            # Of a ring that crosses itself they differ, and GEOS looks at the highest corner.
            agreed = direction == _direction(points, first, first + size, -1.0)
            before = first + (least - 1 if least > 0 else size - 1)
            twice = points[before, 0] == points[first + least, 0] and points[before, 1] == points[first + least, 1]  # fmt: skip
            unknown[ring] = direction == 0 or twice or not agreed
            forward = (direction >= 0) == (ring == part_start[part])
            source = least
            for i in range(size + 1):
                found[first + i, 0] = points[first + source, 0]
                found[first + i, 1] = points[first + source, 1]
                source += 1 if forward else -1
                if source == size:
                    source = 0
                elif source < 0:
                    source = size - 1
    return found, unknown


@kernel
def bounds(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    part_start: NDArray[np.int64],
    row_start: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return west, south, east, north of all rings of each row, NaN where there are none.

    Of an invalid polygon, holes may lie outside of their shell.
    """
    boxes = np.full((row_start.size - 1, 4), np.nan)
    for row in range(row_start.size - 1):
        begin = ring_start[part_start[row_start[row]]]
        end = ring_start[part_start[row_start[row + 1]]]
        if begin == end:
            continue
        west, south, east, north = x[begin], y[begin], x[begin], y[begin]
        for i in range(begin + 1, end):
            west, east = min(west, x[i]), max(east, x[i])
            south, north = min(south, y[i]), max(north, y[i])
        boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3] = west, south, east, north
    return boxes
