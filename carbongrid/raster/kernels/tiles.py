"""Lists of what touches each tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel


@helper
def _tile(cell: float, cells: int, side: int) -> int:
    """Return which tile has a row or column of cells, or the nearest to it; clipped as a float, since what is far away is no integer."""
    return int(min(max(cell, 0.0), cells - 1.0)) // side


@kernel
def ranges_of(
    bounds: NDArray[np.float64],
    corner: tuple[float, float],
    side: float,
    cells: tuple[int, int],
    size: tuple[int, int],
) -> NDArray[np.int32]:
    """Return first and last tile row, first and last tile column of each box; -1 where it is off the grid, or NaN.

    Boxes are west, south, east, north; corner is the grid's north-west, side that of a cell, cells and size the rows and columns of
    the grid and of a tile. Boxes are widened by a cell, so rounding loses none.
    """
    west, north = corner
    ranges = np.full((bounds.shape[0], 4), -1, np.int32)
    for i in range(bounds.shape[0]):
        left, right = np.floor((bounds[i, 0] - west) / side), np.floor((bounds[i, 2] - west) / side)
        top, bottom = (
            np.floor((north - bounds[i, 3]) / side),
            np.floor((north - bounds[i, 1]) / side),
        )
        if right >= -1 and left <= cells[1] and bottom >= -1 and top <= cells[0]:
            ranges[i, 0] = _tile(top - 1, cells[0], size[0])
            ranges[i, 1] = _tile(bottom + 1, cells[0], size[0])
            ranges[i, 2] = _tile(left - 1, cells[1], size[1])
            ranges[i, 3] = _tile(right + 1, cells[1], size[1])
    return ranges


@kernel
def listed(
    ranges: NDArray[np.int32], shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and rows of each tile's list, rows ascending.

    ranges[i] are first and last tile row, first and last tile column of row i; -1 where it touches none.
    """
    start = np.zeros(shape[0] * shape[1] + 1, np.int64)
    for row in range(ranges.shape[0]):
        if ranges[row, 0] >= 0:
            for y in range(ranges[row, 0], ranges[row, 1] + 1):
                for x in range(ranges[row, 2], ranges[row, 3] + 1):
                    start[y * shape[1] + x + 1] += 1
    for tile in range(start.size - 1):
        start[tile + 1] += start[tile]
    place = start.copy()
    rows = np.empty(start[start.size - 1], np.int64)
    for row in range(ranges.shape[0]):
        if ranges[row, 0] >= 0:
            for y in range(ranges[row, 0], ranges[row, 1] + 1):
                for x in range(ranges[row, 2], ranges[row, 3] + 1):
                    tile = y * shape[1] + x
                    rows[place[tile]] = row
                    place[tile] += 1
    return start, rows
