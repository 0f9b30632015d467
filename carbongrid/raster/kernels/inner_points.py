"""A point inside each polygon, chosen as GEOS chooses it: bit for bit, where its compiler did not join products and sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel


@helper
def _scanline(points: NDArray[np.float64], first: int, last: int, exterior_last: int) -> float:
    """Return the y between the middle of the polygon's box and its vertices, half way between the nearest on either side.

    Vertices first to last are those of all rings, up to ``exterior_last`` those of the exterior.
    """
    low, high = points[first, 1], points[first, 1]
    for i in range(first + 1, exterior_last):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    middle = (low + high) / 2.0
    for i in range(first, last):
        y = points[i, 1]
        if y <= middle:
            low = max(low, y)
        elif y < high:
            high = y
    return float((high + low) / 2.0)


@helper
def _crossing(points: NDArray[np.float64], i: int, y: float) -> tuple[bool, float]:
    """Return whether the edge that begins at i counts as one that crosses y, and where it does."""
    x0, y0, x1, y1 = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
    if (y0 > y and y1 > y) or (y0 < y and y1 < y) or y0 == y1:
        return False, 0.0
    # Of edges that begin or end on the line only those count that lie above it.
    if (y0 == y and y1 < y) or (y1 == y and y0 < y):
        return False, 0.0
    if x0 == x1:
        return True, x0
    slope = (y1 - y0) / (x1 - x0)
    return True, x0 + (y - y0) / slope


@helper
def _sort(values: NDArray[np.float64], count: int) -> None:
    """Sort the first values, by Shell's steps: of most polygons there are two."""
    step = 1
    while 3 * step + 1 < count:
        step = 3 * step + 1
    while step > 0:
        for i in range(step, count):
            value, place = values[i], i
            while place >= step and values[place - step] > value:
                values[place] = values[place - step]
                place -= step
            values[place] = value
        step //= 3


@kernel
def inner_points(
    points: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    part_start: NDArray[np.int64],
    row_start: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return a point inside of each polygon [row, 2]: the middle of the widest part of a line through its middle; of several polygons, of that which is widest there.

    Parameters
    ----------
    points
        Vertices of all closed rings [vertex, 2]. The direction of edges decides on the last bit.
    ring_start, part_start, row_start
        Where rings, parts and rows start; the first ring of a part is its exterior. No row is empty.
    """
    most = 0
    for part in range(part_start.size - 1):
        most = max(most, ring_start[part_start[part + 1]] - ring_start[part_start[part]])
    crossings = np.empty(most)
    found = np.empty((row_start.size - 1, 2))
    for row in range(row_start.size - 1):
        widest = -1.0
        for part in range(row_start[row], row_start[row + 1]):
            ring = part_start[part]
            first, last = ring_start[ring], ring_start[part_start[part + 1]]
            y = _scanline(points, first, last, ring_start[ring + 1])
            count = 0
            for own in range(ring, part_start[part + 1]):
                for i in range(ring_start[own], ring_start[own + 1] - 1):
                    crosses, x = _crossing(points, i, y)
                    if crosses:
                        crossings[count] = x
                        count += 1
            _sort(crossings, count)
            width, middle, height = 0.0, points[first, 0], points[first, 1]
            for i in range(0, count - 1, 2):
                if crossings[i + 1] - crossings[i] > width:
                    width = crossings[i + 1] - crossings[i]
                    middle, height = (crossings[i] + crossings[i + 1]) / 2.0, y
            if width > widest:
                widest = width
                found[row, 0], found[row, 1] = middle, height
    return found
