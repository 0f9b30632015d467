"""Lists of what touches each tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel


@kernel
def listed(
    ranges: NDArray[np.int64], shape: tuple[int, int]
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
