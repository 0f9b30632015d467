"""What is in bins, as floats: a number and what it was rounded by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel
from carbongrid.raster.kernels.moments import BINS, BITS, LOWEST

# By bin, from the lowest there is.
_UNIT = 2.0 ** (BITS * np.arange(LOWEST - BINS + 1, 34))
_FIRST = BINS - 1 - LOWEST
_LOWER_HALF = 2**32 - 1


@helper
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """Return a sum and what it was rounded by."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


@kernel
def pairs_of_bins(
    tops: NDArray[np.int64], sums: NDArray[np.int64], what: int, whole: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is in the bins of a sum, as a float and what that is rounded by.

    Each bin hands on to the next what is beyond its bits, so that the same sum is the same pair, however it came about.

    Parameters
    ----------
    tops : [polygon, sum]
        Highest bins.
    sums : [polygon, sum, BINS]
        Multiples in bins.
    what
        Which sum.
    whole : [polygon] or [0]
        Whole numbers that are added.
    """
    size = tops.shape[0]
    high, low = np.empty(size), np.empty(size)
    digits = np.empty(BINS, np.int64)
    for i in range(size):
        top = max(tops[i, what], 0) if whole.size > 0 else tops[i, what]
        down = top - tops[i, what]
        for k in range(BINS):
            digits[k] = sums[i, what, k - down] if k >= down else 0
        if whole.size > 0:
            digits[min(top, BINS - 1)] += whole[i]
        for k in range(BINS - 1, 0, -1):
            over = digits[k] >> BITS
            digits[k] -= over << BITS
            digits[k - 1] += over
        place = top + _FIRST
        # The highest bin may have more bits than a float: its lower ones come first.
        upper = digits[0] - (digits[0] & _LOWER_HALF)
        digits[0] -= upper
        total, rest = 0.0, 0.0
        for k in range(BINS - 1, -1, -1):
            total, off = _two_sum(np.float64(digits[k]) * _UNIT[place - k], total)
            rest += off
        total, off = _two_sum(np.float64(upper) * _UNIT[place], total)
        high[i], low[i] = _two_sum(total, rest + off)
    return high, low
