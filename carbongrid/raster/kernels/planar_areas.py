"""Areas of polygons in the plane, added up as GEOS adds them up: bit for bit, where its compiler did not join products and sums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel


@helper
def _ring_area(x: NDArray[np.float64], y: NDArray[np.float64], first: int, last: int) -> float:
    """Return the area of the closed ring of vertices first to last, the last as the first; x is counted from the first vertex."""
    total = 0.0
    for i in range(first + 1, last):
        total += (x[i] - x[first]) * (y[i - 1] - y[i + 1])
    return abs(total / 2.0)


@kernel
def planar_areas(
    points: tuple[NDArray[np.float64], NDArray[np.float64]],
    starts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the area of each of some rows of polygons: exteriors less holes, part by part.

    Parameters
    ----------
    points
        x and y of all closed rings.
    starts
        Where rings, parts and rows start; the first ring of a part is its exterior.
    rows
        Which rows.
    """
    x, y = points
    ring_start, part_start, row_start = starts
    areas = np.empty(rows.size)
    for i in range(rows.size):
        total = 0.0
        for part in range(row_start[rows[i]], row_start[rows[i] + 1]):
            area = 0.0
            for ring in range(part_start[part], part_start[part + 1]):
                own = _ring_area(x, y, ring_start[ring], ring_start[ring + 1] - 1)
                area = own if ring == part_start[part] else area - own
            total += area
        areas[i] = total
    return areas
