"""Direction of rings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel

# GDAL takes two vertices for the same one below this distance, whatever the unit.
_SAME = 1e-5


@kernel
def clockwise(
    x: NDArray[np.float64], y: NDArray[np.float64], ring_start: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which closed rings run clockwise (y up), as GDAL decides it.

    GDAL looks at the corner of the lowest, then rightmost vertex, and at the signed area only where that corner is not
    clear. The two differ for rings that cross themselves, and the direction decides which horizontal edges are filled.
    """
    rings = ring_start.size - 1
    result = np.ones(rings, np.bool_)
    for ring in range(rings):
        first = ring_start[ring]
        last = ring_start[ring + 1] - 1  # the closing vertex repeats the first
        if last - first < 1:
            continue
        pivot = first
        unclear = False
        for i in range(first + 1, last):
            if y[i] < y[pivot] or (y[i] == y[pivot] and x[i] > x[pivot]):
                pivot = i
                unclear = False
            elif y[i] == y[pivot] and x[i] == x[pivot]:
                unclear = True
        before = pivot - 1 if pivot > first else last - 1
        after = pivot + 1 if pivot + 1 < last else first
        dx0, dy0 = x[before] - x[pivot], y[before] - y[pivot]
        dx1, dy1 = x[after] - x[pivot], y[after] - y[pivot]
        if (abs(dx0) < _SAME and abs(dy0) < _SAME) or (abs(dx1) < _SAME and abs(dy1) < _SAME):
            unclear = True
        corner = dx1 * dy0 - dx0 * dy1
        if not unclear and corner != 0.0:
            result[ring] = corner < 0.0
            continue
        area = x[first] * (y[first + 1] - y[last])
        for i in range(first + 1, last):
            area += x[i] * (y[i + 1] - y[i - 1])
        area += x[last] * (y[first] - y[last - 1])
        result[ring] = area < 0.0
    return result


@kernel
def turned(
    values: NDArray[np.float64], ring_start: NDArray[np.int64], keep: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return one coordinate with the rings reversed that are not to be kept."""
    result = np.empty_like(values)
    for ring in range(keep.size):
        first, last = ring_start[ring], ring_start[ring + 1] - 1
        for i in range(first, last + 1):
            result[i] = values[i] if keep[ring] else values[first + last - i]
    return result
