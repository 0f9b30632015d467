"""Sums of values times shares per polygon, in bins of bits: the same for any order of cells, since each cell's bits go to fixed bins.

Bin b counts multiples of 2^(30 b). A number is cut into what it has of four bins, from the highest down that any number of the same
sum reaches; what is below the lowest one is left out, at least 2^-91 of the largest number. Which bins a number's bits go to is decided by the number alone,
so sums of parts can be put together in any order (Demmel and Nguyen, Parallel Reproducible Summation, 2015; recalled).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, in_place, kernel

BINS = 4
BITS = 30
LOWEST = -29
"""Highest bin of a sum at least: multiples of 2^-960 are the least that is counted."""

LARGEST = 2.0**450
"""Values must be smaller, so that squares, and what cuts them into bins, are finite."""

SUM, SQUARES, WEIGHTS = 0, 1, 2
"""What is summed: weight times value, weight times its square, weight of cells with a share below 1."""

SUMS = 3

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
"""Where those of each polygon start, then row, first and end column of each span of whole cells, in order of rows."""

Edges = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""Where those of each polygon start, then row, column and share of each cell, in order of rows."""

# By bin, from the lowest there is: what rounds a number to its multiples, and multiples per unit.
_UNIT_BITS = BITS * np.arange(LOWEST - BINS + 1, 34)
_ROUNDING = 1.5 * 2.0 ** np.minimum(52 + _UNIT_BITS, 1023)
_PER_UNIT = 2.0**-_UNIT_BITS
_FIRST = BINS - 1 - LOWEST
# So many multiples below 2^30 add up exactly as floats.
_CELLS_AT_ONCE = 4096
_SPLITTER = 2.0**27 + 1.0


@helper
def _bin_of(size: float) -> int:
    """Return the highest bin that a number of this size has bits of: it is at most half of one more."""
    return max(math.frexp(size)[1] // BITS, LOWEST)


@helper
def _raise_top(
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
def _product(a: float, b: float) -> tuple[float, float]:
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
def _put_cells(
    tops: NDArray[np.int64], sums: NDArray[np.int64], i: int, what: int, numbers: NDArray[np.float64], count: int, largest: float
) -> None:  # fmt: skip
    """Add some numbers, bin by bin, until nothing is left of any; they are spent."""
    if largest == 0.0:
        return
    _raise_top(tops, sums, i, what, _bin_of(largest))
    for k in range(BINS):
        place = tops[i, what] + _FIRST - k
        rounding = _ROUNDING[place]
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        left = 0.0
        whole = count - count % 4
        for n in range(0, whole, 4):
            p = (numbers[n] + rounding) - rounding
            q = (numbers[n + 1] + rounding) - rounding
            r = (numbers[n + 2] + rounding) - rounding
            s = (numbers[n + 3] + rounding) - rounding
            a, b, c, d = a + p, b + q, c + r, d + s
            numbers[n] -= p
            numbers[n + 1] -= q
            numbers[n + 2] -= r
            numbers[n + 3] -= s
            left = max(
                max(left, abs(numbers[n])),
                max(max(abs(numbers[n + 1]), abs(numbers[n + 2])), abs(numbers[n + 3])),
            )
        for n in range(whole, count):
            p = (numbers[n] + rounding) - rounding
            a += p
            numbers[n] -= p
            left = max(left, abs(numbers[n]))
        sums[i, what, k] += np.int64(((a + b) + (c + d)) * _PER_UNIT[place])
        if left == 0.0:
            return


@helper
def _products(weight: tuple[float, float], value: float) -> tuple[float, float, float, float]:
    """Return weight times value and weight times its square, each with what it was rounded by; right to 2^-104."""
    product, rest = _product(weight[0], value)
    square, of_square = _product(value, value)
    whole, of_whole = _product(weight[0], square)
    rest += weight[1] * value
    of_whole += weight[0] * of_square + weight[1] * square
    return product, rest, whole, of_whole


@helper
def _first_at(rows: NDArray[np.int32], begin: int, end: int, row: int) -> int:
    """Return the first place in rows[begin:end], which ascend, that is not before a row."""
    while begin < end:
        middle = (begin + end) >> 1
        if rows[middle] < row:
            begin = middle + 1
        else:
            end = middle
    return begin


@helper
def _put_short(
    tops: NDArray[np.int64], sums: NDArray[np.int64], i: int, what: int, numbers: NDArray[np.float64], count: int, largest: float
) -> bool:  # fmt: skip
    """Add some numbers to three bins in one go, as ``_put_cells`` does in several; False, and nothing is added, if one has bits below them.

    Integers and numbers that came as float32 seldom have.
    """
    if largest == 0.0:
        return True
    top = max(_bin_of(largest), tops[i, what])
    place = top + _FIRST
    first, second, third = _ROUNDING[place], _ROUNDING[place - 1], _ROUNDING[place - 2]
    a, b, c, d, e, f = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    fine = True
    whole = count - count % 2
    for n in range(0, whole, 2):
        p, q = numbers[n], numbers[n + 1]
        high, high_q = (p + first) - first, (q + first) - first
        p, q = p - high, q - high_q
        middle, middle_q = (p + second) - second, (q + second) - second
        p, q = p - middle, q - middle_q
        a, b, c = a + high, b + middle, c + p
        d, e, f = d + high_q, e + middle_q, f + q
        fine &= ((p + third) - third == p) & ((q + third) - third == q)
    for n in range(whole, count):
        p = numbers[n]
        high = (p + first) - first
        p -= high
        middle = (p + second) - second
        p -= middle
        a, b, c = a + high, b + middle, c + p
        fine &= (p + third) - third == p
    if not fine:
        return False
    _raise_top(tops, sums, i, what, top)
    sums[i, what, 0] += np.int64((a + d) * _PER_UNIT[place])
    sums[i, what, 1] += np.int64((b + e) * _PER_UNIT[place - 1])
    sums[i, what, 2] += np.int64((c + f) * _PER_UNIT[place - 2])
    return True


@helper
def _extremes(
    numbers: NDArray[np.float64], count: int, least: float, most: float
) -> tuple[float, float, int]:
    """Return least and largest of some numbers and two others, and how many are known; unknown ones become 0."""
    low, high, known = least, most, 0
    whole = count - count % 2
    for n in range(0, whole, 2):
        p, q = numbers[n], numbers[n + 1]
        known += (p == p) + (q == q)
        least = p if p < least else least
        most = p if p > most else most
        low = q if q < low else low
        high = q if q > high else high
    for n in range(whole, count):
        p = numbers[n]
        known += p == p
        least = p if p < least else least
        most = p if p > most else most
    if known < count:
        for n in range(count):
            if numbers[n] != numbers[n]:
                numbers[n] = 0.0
    return min(least, low), max(most, high), known


@helper
def _whole_cells(
    scratch: NDArray[np.float64], count: int, i: int, order: int, weighted: bool, found: Any
) -> bool:
    """Add cells with a share of 1, few enough to be summed at once: values and weights, which are spent; False if one is too large."""
    cells, extremes, tops, sums = found
    first, second, third = scratch[0], scratch[1], scratch[2]
    unknown, heaviest = 0, 0.0
    if weighted:
        for n in range(count):
            weight = second[n] if first[n] == first[n] else 0.0
            unknown += weight != weight
            second[n] = weight if weight == weight else 0.0
            heaviest = max(heaviest, second[n])
    least, most, known = _extremes(first, count, np.inf, -np.inf)
    largest = max(abs(least), abs(most)) if known else 0.0
    if order > 0 and (largest >= LARGEST or heaviest >= LARGEST):
        return False
    cells[i, 0] += count
    cells[i, 1] += 0 if weighted else known
    cells[i, 2] += unknown
    extremes[i, 0], extremes[i, 1] = min(extremes[i, 0], least), max(extremes[i, 1], most)
    if order == 0:
        return True
    if not weighted and order == 1:
        if not _put_short(tops, sums, i, SUM, first, count, largest):
            _put_cells(tops, sums, i, SUM, first, count, largest)
        return True
    fourth, fifth = scratch[3], scratch[4]
    largest_a, largest_b, largest_c, largest_d = 0.0, 0.0, 0.0, 0.0
    for n in range(count):
        weight = second[n] if weighted else 1.0
        a, b, c, d = _products((weight, 0.0), first[n])
        first[n], third[n], fourth[n], fifth[n] = a, b, c, d
        largest_a, largest_b = max(largest_a, abs(a)), max(largest_b, abs(b))
        largest_c, largest_d = max(largest_c, abs(c)), max(largest_d, abs(d))
    if not _put_short(tops, sums, i, SUM, first, count, largest_a):
        _put_cells(tops, sums, i, SUM, first, count, largest_a)
    _put_cells(tops, sums, i, SUM, third, count, largest_b)
    if weighted:
        _put_cells(tops, sums, i, WEIGHTS, second, count, heaviest)
    if order == 2:
        _put_cells(tops, sums, i, SQUARES, fourth, count, largest_c)
        _put_cells(tops, sums, i, SQUARES, fifth, count, largest_d)
    return True


@helper
def _edge_cells(
    scratch: NDArray[np.float64], count: int, i: int, order: int, weighted: bool, found: Any
) -> None:
    """Add cells with a share below 1, few enough to be summed at once: shares, values and weights, which are spent."""
    _, _, tops, sums = found
    largest_whole, largest_rest = 0.0, 0.0
    largest_a, largest_b, largest_c, largest_d = 0.0, 0.0, 0.0, 0.0
    for n in range(count):
        share, value = scratch[0, n], scratch[1, n]
        whole, rest = _product(share, scratch[2, n]) if weighted else (share, 0.0)
        scratch[0, n], scratch[1, n] = whole, rest
        largest_whole, largest_rest = max(largest_whole, abs(whole)), max(largest_rest, abs(rest))
        if order > 0:
            a, b, c, d = _products((whole, rest), value)
            scratch[2, n], scratch[3, n], scratch[4, n], scratch[5, n] = a, b, c, d
            largest_a, largest_b = max(largest_a, abs(a)), max(largest_b, abs(b))
            largest_c, largest_d = max(largest_c, abs(c)), max(largest_d, abs(d))
    _put_cells(tops, sums, i, WEIGHTS, scratch[0], count, largest_whole)
    _put_cells(tops, sums, i, WEIGHTS, scratch[1], count, largest_rest)
    if order > 0:
        _put_cells(tops, sums, i, SUM, scratch[2], count, largest_a)
        _put_cells(tops, sums, i, SUM, scratch[3], count, largest_b)
    if order == 2:
        _put_cells(tops, sums, i, SQUARES, scratch[4], count, largest_c)
        _put_cells(tops, sums, i, SQUARES, scratch[5], count, largest_d)


@in_place
def _add_polygons(
    values: NDArray[Any],
    weights: NDArray[np.float64],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    polygons: NDArray[np.int64],
    order: int,
    found: Any,
    scratch: NDArray[np.float64],
) -> bool:
    """Add what polygons have in a window to zeros; False if a value or a weight is too large."""
    (top, left), (height, width) = corner, values.shape
    cells, extremes, _, _ = found
    weighted = weights.size > 0
    start, rows, firsts, ends = spans
    edge_start, edge_rows, edge_columns, shares = edges
    ordinary = True
    for i in range(polygons.size):
        extremes[i, 0], extremes[i, 1] = np.inf, -np.inf
        polygon = polygons[i]
        count = 0
        j = _first_at(rows, start[polygon], start[polygon + 1], top)
        while j < start[polygon + 1] and rows[j] < top + height:
            row, end = rows[j] - top, min(ends[j] - left, width)
            for column in range(max(firsts[j] - left, 0), end):
                scratch[0, count] = values[row, column]
                if weighted:
                    scratch[1, count] = weights[row, column]
                count += 1
                if count == _CELLS_AT_ONCE:
                    ordinary &= _whole_cells(scratch, count, i, order, weighted, found)
                    count = 0
            j += 1
        ordinary &= _whole_cells(scratch, count, i, order, weighted, found)
        count = 0
        j = _first_at(edge_rows, edge_start[polygon], edge_start[polygon + 1], top)
        while j < edge_start[polygon + 1] and edge_rows[j] < top + height:
            row, column = edge_rows[j] - top, edge_columns[j] - left
            share = shares[j]
            j += 1
            if column < 0 or column >= width:
                continue
            cells[i, 0] += 1
            value = np.float64(values[row, column])
            if value != value:
                continue
            weight = weights[row, column] if weighted else 1.0
            if order > 0 and (abs(value) >= LARGEST or weight >= LARGEST):
                ordinary = False
                continue
            extremes[i, 0], extremes[i, 1] = min(extremes[i, 0], value), max(extremes[i, 1], value)
            if weight != weight:
                cells[i, 2] += 1
                continue
            scratch[0, count], scratch[1, count], scratch[2, count] = share, value, weight
            count += 1
            if count == _CELLS_AT_ONCE:
                _edge_cells(scratch, count, i, order, weighted, found)
                count = 0
        _edge_cells(scratch, count, i, order, weighted, found)
    return ordinary


@kernel
def polygon_moments(
    values: NDArray[Any],
    weights: NDArray[np.float64],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    polygons: NDArray[np.int64],
    order: int,
) -> tuple[bool, NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return what some polygons have in a window of a raster; False at first if a value or a weight is too large.

    Parameters
    ----------
    values : [y, x]
        Float32 or float64; NaN is unknown.
    weights : [y, x]
        Of the same cells, or of no cells: each weighs 1.
    corner
        Row and column of the window's first cell in the grid.
    spans, edges
        Of all polygons, in the grid.
    polygons
        Those that may have cells in the window.
    order
        0 for shares and extremes only, 1 for sums of values, too, 2 for those of their squares, too.
    """
    size = polygons.size
    cells, extremes = np.zeros((size, 3), np.int64), np.empty((size, 2))
    tops, sums = np.full((size, SUMS), LOWEST, np.int64), np.zeros((size, SUMS, BINS), np.int64)
    found = (cells, extremes, tops, sums)
    scratch = np.empty((6, _CELLS_AT_ONCE))
    ordinary = _add_polygons(values, weights, corner, spans, edges, polygons, order, found, scratch)
    return ordinary, cells, extremes, tops, sums


@in_place
def _add_shares(
    spans: Spans, edges: Edges, found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], scratch: NDArray[np.float64]
) -> None:  # fmt: skip
    start, _, firsts, ends = spans
    edge_start, _, _, shares = edges
    cells, tops, sums = found
    for i in range(start.size - 1):
        for j in range(start[i], start[i + 1]):
            cells[i, 1] += ends[j] - firsts[j]
        for begin in range(edge_start[i], edge_start[i + 1], _CELLS_AT_ONCE):
            count = min(edge_start[i + 1] - begin, _CELLS_AT_ONCE)
            largest = 0.0
            for n in range(count):
                scratch[n] = shares[begin + n]
                largest = max(largest, scratch[n])
            _put_cells(tops, sums, i, WEIGHTS, scratch, count, largest)


@kernel
def share_sums(
    spans: Spans, edges: Edges
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return cells, highest bins and multiples as ``polygon_moments`` does of a raster that is known everywhere, of shares alone."""
    size = spans[0].size - 1
    cells = np.zeros((size, 3), np.int64)
    tops, sums = np.full((size, SUMS), LOWEST, np.int64), np.zeros((size, SUMS, BINS), np.int64)
    _add_shares(spans, edges, (cells, tops, sums), np.empty(_CELLS_AT_ONCE))
    return cells, tops, sums
