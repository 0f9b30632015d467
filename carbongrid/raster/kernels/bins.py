"""Sums in bins of bits: the same for any order of what is added, since each number's bits go to fixed bins.

Bin b counts multiples of 2^(30 b). A number is cut into what it has of four bins, from the highest down that any number of the same
sum reaches; what is below the lowest one is left out, at least 2^-91 of the largest number. Which bins a number's bits go to is decided by the number alone,
so sums of parts can be put together in any order (Demmel and Nguyen, Parallel Reproducible Summation, 2015; recalled).

Sums are tops [row, sum], their highest bins, and sums [row, sum, BINS], multiples in bins from the highest down. What adds to them is put into
the kernels of other files, whose kept code is made anew after an edit here as after one of ``vectors``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, in_place, kernel
from carbongrid.raster.kernels.vectors import pattern

BINS = 4
BITS = 30
LOWEST = -29
"""Highest bin of a sum at least: multiples of 2^-960 are the least that is counted."""

LARGEST = 2.0**450
"""Values and weights must be smaller."""

SQUARES_END = 2.0**989
"""Weight times square must be smaller, so that what cuts it into bins is finite."""

# Patterns of bits of floats, which ascend with their size.
SIZE = np.int64(2**63 - 1)
"""Mask of a pattern's bits that are its size alone."""

INFINITE = np.int64(0x7FF << 52)
"""Pattern of infinity; what is unknown is beyond."""

TOO_LARGE, TOO_LARGE_SQUARE = np.array([LARGEST, SQUARES_END]).view(np.int64)

# By bin, from the lowest there is: what rounds a number to its multiples, and the unit.
_UNIT_BITS = BITS * np.arange(LOWEST - BINS + 1, 33)
_ROUNDING = 1.5 * 2.0 ** (52 + _UNIT_BITS)
_UNIT = 2.0**_UNIT_BITS
_FIRST = BINS - 1 - LOWEST
_EXPONENT_OF_HALF = 1022
_LOWER_HALF = 2**32 - 1
_BELOW_A_BIN = 2**BITS - 1
_SPLITTER = 2.0**27 + 1.0


@helper
def _bin_of(size: Any) -> Any:
    """Return the highest bin that a number of this size, as a pattern of bits, has bits of: it is at most half of one more."""
    return max(((size >> 52) - _EXPONENT_OF_HALF) // BITS, LOWEST)


@helper
def raise_top(
    tops: NDArray[np.int64], sums: NDArray[np.int64], i: int, what: int, top: int
) -> None:
    """Let a sum's highest bin be at least this one; what falls below the lowest is left out."""
    up = top - tops[i, what]
    if up <= 0:
        return
    for k in range(BINS - 1, -1, -1):
        sums[i, what, k] = sums[i, what, k - up] if k >= up else 0
    tops[i, what] = top


@helper
def product(a: float, b: float) -> tuple[float, float]:
    """Return a product and what it was rounded by (Dekker, A floating-point technique, 1971; recalled)."""
    whole = a * b
    c = _SPLITTER * a
    a_high = c - (c - a)
    c = _SPLITTER * b
    b_high = c - (c - b)
    a_low, b_low = a - a_high, b - b_high
    rest = a_low * b_low - (((whole - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return whole, rest


@helper
def largest_of(scratch: NDArray[np.float64], at: int, count: int) -> Any:
    """Return the size of the largest of some numbers, as a pattern of bits; beyond infinity if one is unknown."""
    largest = np.int64(0)
    first = np.uintp(at)
    for n in range(np.uintp(count)):
        largest = max(largest, pattern(scratch[first + n]) & SIZE)
    return largest


@in_place
def put(
    tops: NDArray[np.int64], sums: NDArray[np.int64], i: int, what: int, scratch: NDArray[np.float64], at: int, count: int, largest: Any
) -> None:  # fmt: skip
    """Add some numbers to the bins of a sum, given the size of the largest as a pattern of bits.

    A number that rounds another to multiples of a unit has the unit as its last bit, so that patterns tell how many units there are, and whole numbers
    may be added in any order: several at once.
    """
    if largest == 0:
        return
    raise_top(tops, sums, i, what, _bin_of(largest))
    place = tops[i, what] + _FIRST
    first, second, third, fourth = (
        _ROUNDING[place],
        _ROUNDING[place - 1],
        _ROUNDING[place - 2],
        _ROUNDING[place - 3],
    )
    a, b, c, d = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    begin = np.uintp(at)
    if (scratch[at] + first) - first == scratch[at]:
        # As whole numbers are: perhaps all of them have no more than the first bin.
        left = np.int64(0)
        for n in range(np.uintp(count)):
            number = scratch[begin + n]
            rounded = number + first
            a += pattern(rounded) - pattern(first)
            left |= pattern(number - (rounded - first))
        if left & SIZE == 0:
            sums[i, what, 0] += a
            return
        a = np.int64(0)
    for n in range(np.uintp(count)):
        number = scratch[begin + n]
        rounded = number + first
        a += pattern(rounded) - pattern(first)
        number -= rounded - first
        rounded = number + second
        b += pattern(rounded) - pattern(second)
        number -= rounded - second
        rounded = number + third
        c += pattern(rounded) - pattern(third)
        number -= rounded - third
        d += pattern(number + fourth) - pattern(fourth)
    sums[i, what, 0] += a
    sums[i, what, 1] += b
    sums[i, what, 2] += c
    sums[i, what, 3] += d


@helper
def times_square(measure: float, rest: float, value: float) -> tuple[float, float]:
    """Return a measure, of which the rest is what it was rounded by, times a value's square, and what that was rounded by; right to 2^-104."""
    square, of_square = product(value, value)
    whole, of_whole = product(measure, square)
    return whole, of_whole + (measure * of_square + rest * square)


@helper
def put_whole(tops: NDArray[np.int64], sums: NDArray[np.int64], i: int, what: int, total: Any, largest: Any) -> None:  # fmt: skip
    """Add whole numbers to the bins of a sum, given their total, and the size of the largest, which is below 2^32."""
    if largest == 0:
        return
    raise_top(tops, sums, i, what, _bin_of(pattern(np.float64(largest))))
    if tops[i, what] > 0:
        sums[i, what, 0] += total >> BITS
        sums[i, what, 1] += total & _BELOW_A_BIN
    else:
        sums[i, what, 0] += total


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
