"""Sums of values times shares per polygon, of whole cells and edge cells, in bins of bits (``bins``), so that they are the same for any order of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.bins import (
    BINS,
    INFINITE,
    LOWEST,
    SIZE,
    TOO_LARGE,
    TOO_LARGE_SQUARE,
    largest_of,
    product,
    put,
    put_whole,
    times_square,
)
from carbongrid.raster.kernels.jit import helper, in_place, kernel
from carbongrid.raster.kernels.memory import LINE, fetch
from carbongrid.raster.kernels.vectors import CELLS, pattern, take

SUM, SQUARES, WEIGHTS = 0, 1, 2
"""What is summed: weight times value, weight times its square, weight of cells with a share below 1."""

SUMS = 3

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
"""Where those of each polygon start, then row, first and end column of each span of whole cells, in order of rows."""

Edges = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""Where those of each polygon start, then row, column and share of each cell, in order of rows."""

ShareBins = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Of each polygon highest bin and multiples in bins of what the shares of its edge cells add up to."""

Cells = tuple[NDArray[Any], NDArray[np.float64]]
"""Values and weights of a window, row by row; no weights where each is 1."""

Window = tuple[int, int, int, int]
"""First row and column in the grid, height and width."""

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Of each polygon: cells that it has a share in, whole ones that are known and have no weights, and known ones of unknown weight; least and largest as keys
(``NO_LEAST``, ``NO_MOST`` of none); highest bins [sum]; multiples in each bin [sum, BINS]."""

# What is done with so many cells at once stays in a core's own memory.
_CELLS_AT_ONCE = 1024
_COLUMN = _CELLS_AT_ONCE + CELLS
# Lines of memory are asked for so long before they are needed: far apart as rows are, each would be waited for.
_SPANS_AHEAD, _EDGES_AHEAD, _LINES = np.uintp(16), np.uintp(96), 8
# Where the scratch memory of a thread has each: values, their measure and what that is rounded by, products.
_VALUES, _MEASURES, _RESTS, _A, _B = range(0, 5 * _COLUMN, _COLUMN)
_OF_CELLS = (_VALUES, _MEASURES, _RESTS)
# As many as compiled loops take in one round.
_TOGETHER = 32
# Beyond what two bytes hold.
_NO_SHORT = np.int64(2**16)

NO_LEAST, NO_MOST = INFINITE, ~INFINITE
"""Keys of infinity and of its negative: the extremes of no value."""


def nothing_found(size: int) -> Found:
    """Return what so many polygons have before anything is added; made here, since to make arrays takes long to compile."""
    cells, extremes = np.zeros((size, 3), np.int64), np.empty((size, 2), np.int64)
    extremes[:, 0], extremes[:, 1] = NO_LEAST, NO_MOST
    tops, sums = np.full((size, SUMS), LOWEST, np.int64), np.zeros((size, SUMS, BINS), np.int64)
    return cells, extremes, tops, sums


@helper
def _first_at(rows: NDArray[np.int32], begin: int, end: int, row: int) -> int:
    """Return the first place in rows[begin:end], which ascend, that is not before a row: mostly that of the first or the end."""
    if begin == end or rows[begin] >= row:
        return begin
    if rows[end - 1] < row:
        return end
    while begin < end:
        middle = (begin + end) >> 1
        if rows[middle] < row:
            begin = middle + 1
        else:
            end = middle
    return begin


@helper
def _padded(scratch: NDArray[np.float64], count: int) -> int:
    """Fill columns with zeros, which add nothing, up to a number of cells that are taken at once to the last; return that number."""
    wide = (count + _TOGETHER - 1) // _TOGETHER * _TOGETHER
    for n in range(count, wide):
        for at in _OF_CELLS:
            scratch[at + n] = 0.0
    return wide


@helper
def _kept(scratch: NDArray[np.float64], by: int, count: int) -> int:
    """Leave out cells for which one of their numbers is unknown; return how many are left."""
    kept = 0
    for n in range(count):
        known = scratch[by + n] == scratch[by + n]
        # Written in any case: a processor guesses a branch wrongly where unknown cells are scattered.
        for at in _OF_CELLS:
            scratch[at + kept] = scratch[at + n]
        kept += 1 if known else 0
    return kept


@in_place
def _known_of(scratch: NDArray[np.float64], by: int, count: int, hidden: float) -> tuple[int, int, Any]:  # fmt: skip
    """Leave out cells for which one of their numbers is unknown or hidden; return how many are left, that padded, and the size of the number's largest."""
    if hidden == hidden:
        first = np.uintp(by)
        for n in range(np.uintp(count)):
            number = scratch[first + n]
            scratch[first + n] = np.nan if number == hidden else number
    wide = _padded(scratch, count)
    largest = largest_of(scratch, by, wide)
    if largest > INFINITE:
        count = _kept(scratch, by, count)
        wide = _padded(scratch, count)
        largest = largest_of(scratch, by, wide)
    return count, wide, largest


@helper
def _key(number: float) -> Any:
    """Return a float as a whole number; they are in the same order."""
    bits = pattern(number)
    return bits ^ ((bits >> 63) & SIZE)


@helper
def _note_extremes(scratch: NDArray[np.float64], count: int, i: int, extremes: NDArray[np.int64]) -> None:  # fmt: skip
    """Note least and largest of some values, as whole numbers in the same order."""
    least, most = extremes[i, 0], extremes[i, 1]
    for n in range(count):
        key = _key(scratch[_VALUES + n])
        least, most = min(least, key), max(most, key)
    extremes[i, 0], extremes[i, 1] = least, most


@in_place
def _whole_cells(
    scratch: NDArray[np.float64], count: int, hidden: float, i: int, order: int, ends: bool, short: bool, found: Found
) -> bool:  # fmt: skip
    """Add values of cells with a share of 1, whose squares are exact as floats if they are short; False if one is too large."""
    cells, extremes, tops, sums = found
    cells[i, 0] += count
    count, wide, largest = _known_of(scratch, _VALUES, count, hidden)
    if order > 0 and largest >= TOO_LARGE:
        return False
    cells[i, 1] += count
    if ends:
        _note_extremes(scratch, count, i, extremes)
    if order > 0:
        put(tops, sums, i, SUM, scratch, _VALUES, wide, largest)
    if order == 2 and short:
        for n in range(wide):
            scratch[_A + n] = scratch[_VALUES + n] * scratch[_VALUES + n]
    elif order == 2:
        for n in range(wide):
            value = scratch[_VALUES + n]
            scratch[_A + n], scratch[_B + n] = product(value, value)
        put(tops, sums, i, SQUARES, scratch, _B, wide, largest_of(scratch, _B, wide))
    if order == 2:
        put(tops, sums, i, SQUARES, scratch, _A, wide, largest_of(scratch, _A, wide))
    return True


@in_place
def _measured_cells(
    scratch: NDArray[np.float64], count: int, hidden: float, i: int, order: int, ends: bool, weighted: bool, found: Found
) -> int:  # fmt: skip
    """Add values of cells with their shares, and their weights if there are any; return how many are known, or -1 if one is too large."""
    cells, extremes, tops, sums = found
    cells[i, 0] += count
    count, wide, largest = _known_of(scratch, _VALUES, count, hidden)
    known = count
    if order > 0 and largest >= TOO_LARGE:
        return -1
    if ends:
        _note_extremes(scratch, count, i, extremes)
    if weighted:
        count, wide, largest = _known_of(scratch, _RESTS, count, np.nan)
        cells[i, 2] += known - count
        if order > 0 and largest >= TOO_LARGE:
            return -1
        for n in range(wide):
            share, weight = scratch[_MEASURES + n], scratch[_RESTS + n]
            scratch[_MEASURES + n], scratch[_RESTS + n] = product(share, weight)
        put(tops, sums, i, WEIGHTS, scratch, _MEASURES, wide, largest_of(scratch, _MEASURES, wide))
        put(tops, sums, i, WEIGHTS, scratch, _RESTS, wide, largest_of(scratch, _RESTS, wide))
    if order == 0:
        return known
    largest_a, largest_b = np.int64(0), np.int64(0)
    for n in range(wide):
        value = scratch[_VALUES + n]
        a, b = product(scratch[_MEASURES + n], value)
        b += scratch[_RESTS + n] * value
        scratch[_A + n], scratch[_B + n] = a, b
        largest_a = max(largest_a, pattern(a) & SIZE)
        largest_b = max(largest_b, pattern(b) & SIZE)
    put(tops, sums, i, SUM, scratch, _A, wide, largest_a)
    put(tops, sums, i, SUM, scratch, _B, wide, largest_b)
    if order == 1:
        return known
    largest_a, largest_b = np.int64(0), np.int64(0)
    for n in range(wide):
        a, b = times_square(scratch[_MEASURES + n], scratch[_RESTS + n], scratch[_VALUES + n])
        scratch[_A + n], scratch[_B + n] = a, b
        largest_a = max(largest_a, pattern(a) & SIZE)
        largest_b = max(largest_b, pattern(b) & SIZE)
    if largest_a >= TOO_LARGE_SQUARE:
        return -1
    put(tops, sums, i, SQUARES, scratch, _A, wide, largest_a)
    put(tops, sums, i, SQUARES, scratch, _B, wide, largest_b)
    return known


@helper
def _take(cells: NDArray[Any], at: int, some: int, scratch: NDArray[np.float64], to: int) -> None:
    """Copy some cells that lie side by side; up to fifteen after them come along."""
    if at + some + CELLS <= cells.size:
        for n in range(0, some, CELLS):
            take(cells, at + n, scratch, to + n)
    else:
        for n in range(some):
            scratch[to + n] = cells[at + n]


@helper
def _ask_for(values: NDArray[Any], window: Window, spans: Spans, later: Any) -> None:
    """Ask for the cells of a span that is taken later."""
    top, left, height, width = window
    _, rows, firsts, ends = spans
    if later < np.uintp(rows.size) and rows[later] < top + height:
        row = (rows[later] - top) * width - left
        near, far = max(firsts[later], left), min(ends[later], left + width)
        step = LINE // values.itemsize
        # Of a longer span the processor asks for the rest by itself.
        for at in range(row + near, row + min(far, near + _LINES * step), step):
            fetch(values, at)


@in_place
def _add_spans(
    cells: Cells, hidden: float, window: Window, spans: Spans, polygon: int, i: int, order: int, ends: bool, found: Found, scratch: NDArray[np.float64]
) -> bool:  # fmt: skip
    """Add the whole cells that a polygon has in a window; False if a value or a weight is too large."""
    (values, weights), (top, left, height, width) = cells, window
    start, rows, firsts, lasts = spans
    weighted, short = weights.size > 0, values.itemsize == 4
    ordinary, count = True, 0
    begin = _first_at(rows, start[polygon], start[polygon + 1], top)
    last = _first_at(rows, begin, start[polygon + 1], top + height)
    for j in range(np.uintp(begin), np.uintp(last)):
        _ask_for(values, window, spans, j + _SPANS_AHEAD)
        column, end = max(firsts[j] - left, 0), min(lasts[j] - left, width)
        while column < end:
            some = min(end - column, _CELLS_AT_ONCE - count)
            at = (rows[j] - top) * width + column
            _take(values, at, some, scratch, _VALUES + count)
            if weighted:
                for n in range(some):
                    scratch[_MEASURES + count + n] = 1.0
                _take(weights, at, some, scratch, _RESTS + count)
            column, count = column + some, count + some
            if count == _CELLS_AT_ONCE:
                if weighted:
                    ordinary &= (
                        _measured_cells(scratch, count, hidden, i, order, ends, True, found) >= 0
                    )
                else:
                    ordinary &= _whole_cells(scratch, count, hidden, i, order, ends, short, found)
                count = 0
    if weighted:
        return ordinary & (
            _measured_cells(scratch, count, hidden, i, order, ends, True, found) >= 0
        )
    return ordinary & _whole_cells(scratch, count, hidden, i, order, ends, short, found)


@in_place
def _add_edges(
    cells: Cells, hidden: float, window: Window, edges: Edges, polygon: int, i: int, order: int, ends: bool, found: Found, scratch: NDArray[np.float64]
) -> tuple[bool, int]:  # fmt: skip
    """Add the edge cells that a polygon has in a window; False if a value or a weight is too large, and how many are known."""
    (values, weights), (top, left, height, width) = cells, window
    start, rows, columns, shares = edges
    weighted = weights.size > 0
    corner = top * width + left
    ordinary, count, known = True, 0, 0
    begin = _first_at(rows, start[polygon], start[polygon + 1], top)
    end = _first_at(rows, begin, start[polygon + 1], top + height)
    # Places that are never negative are not looked at for that.
    size = np.uintp(rows.size)
    for j in range(np.uintp(begin), np.uintp(end)):
        later = j + _EDGES_AHEAD
        if later < size:
            fetch(values, rows[later] * width + columns[later] - corner)
        column = columns[j] - left
        if column < 0 or column >= width:
            continue
        at, to = np.uintp(rows[j] * width + columns[j] - corner), np.uintp(_VALUES + count)
        scratch[to] = values[at]
        scratch[np.uintp(_MEASURES + count)] = shares[j]
        if weighted:
            scratch[np.uintp(_RESTS + count)] = weights[at]
        count += 1
        if count == _CELLS_AT_ONCE:
            some = _measured_cells(scratch, count, hidden, i, order, ends, weighted, found)
            ordinary, known, count = ordinary & (some >= 0), known + some, 0
    some = _measured_cells(scratch, count, hidden, i, order, ends, weighted, found)
    return ordinary & (some >= 0), known + some


@in_place
def _add_shares(
    cells: Cells, hidden: float, window: Window, edges: Edges, polygon: int, i: int, found: Found, scratch: NDArray[np.float64]
) -> None:  # fmt: skip
    """Add the shares of known edge cells that a polygon has in a window."""
    (values, _), (top, left, height, width) = cells, window
    _, _, tops, sums = found
    start, rows, columns, shares = edges
    count = 0
    begin = _first_at(rows, start[polygon], start[polygon + 1], top)
    for j in range(begin, _first_at(rows, begin, start[polygon + 1], top + height)):
        column = columns[j] - left
        if column < 0 or column >= width:
            continue
        value = values[(rows[j] - top) * width + column]
        if value == value and value != hidden:
            scratch[_MEASURES + count] = shares[j]
            count += 1
            if count == _CELLS_AT_ONCE:
                put(
                    tops,
                    sums,
                    i,
                    WEIGHTS,
                    scratch,
                    _MEASURES,
                    count,
                    largest_of(scratch, _MEASURES, count),
                )
                count = 0
    wide = _padded(scratch, count)
    put(tops, sums, i, WEIGHTS, scratch, _MEASURES, wide, largest_of(scratch, _MEASURES, wide))


@in_place
def _add_measured(
    cells: Cells, hidden: float, window: Window, edges: Edges, bins: ShareBins, polygon: int, i: int, order: int, ends: bool, found: Found, scratch: NDArray[np.float64]
) -> bool:  # fmt: skip
    """Add the edge cells that a polygon has in a window, and their shares; False if a value or a weight is too large."""
    _, _, tops, sums = found
    few = edges[0][polygon + 1] - edges[0][polygon]
    if few == 0:
        return True
    ordinary, known = _add_edges(cells, hidden, window, edges, polygon, i, order, ends, found, scratch)  # fmt: skip
    if cells[1].size > 0:
        return ordinary
    if known < few:
        _add_shares(cells, hidden, window, edges, polygon, i, found, scratch)
        return ordinary
    # All are here and known, and what they add up to is known as well.
    tops[i, WEIGHTS] = bins[0][polygon]
    for k in range(BINS):
        sums[i, WEIGHTS, k] = bins[1][polygon, k]
    return ordinary


@in_place
def _add_polygons(
    cells: Cells, hidden: float, window: Window, spans: Spans, edges: Edges, bins: ShareBins, polygons: NDArray[np.int64], order: int, ends: bool, found: Found, scratch: NDArray[np.float64]
) -> bool:  # fmt: skip
    """Add what polygons have in a window to zeros; False if a value or a weight is too large."""
    ordinary = True
    for i in range(polygons.size):
        polygon = polygons[i]
        ordinary &= _add_spans(cells, hidden, window, spans, polygon, i, order, ends, found, scratch)  # fmt: skip
        ordinary &= _add_measured(cells, hidden, window, edges, bins, polygon, i, order, ends, found, scratch)  # fmt: skip
    return ordinary


@in_place
def _add_whole_numbers(
    values: NDArray[Any], hidden: float, window: Window, spans: Spans, polygon: int, i: int, order: int, ends: bool, found: Found
) -> None:  # fmt: skip
    """Add the whole cells that a polygon has in a window of short integers: no sum of theirs, or of their squares, leaves int64."""
    top, left, height, width = window
    start, rows, firsts, lasts = spans
    cells, extremes, tops, sums = found
    unknown = np.int64(hidden) if hidden == hidden else _NO_SHORT
    count, known, total, squares = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    least, most = _NO_SHORT, -_NO_SHORT
    begin = _first_at(rows, start[polygon], start[polygon + 1], top)
    last = _first_at(rows, begin, start[polygon + 1], top + height)
    for j in range(np.uintp(begin), np.uintp(last)):
        _ask_for(values, window, spans, j + _SPANS_AHEAD)
        column, end = max(firsts[j] - left, 0), min(lasts[j] - left, width)
        if column >= end:
            continue
        row = (rows[j] - top) * width
        count += end - column
        for n in range(np.uintp(row + column), np.uintp(row + end)):
            value = np.int64(values[n])
            if value != unknown:
                known += 1
                total += value
                squares += value * value
                least, most = min(least, value), max(most, value)
    cells[i, 0] += count
    cells[i, 1] += known
    if known == 0:
        return
    if ends:
        extremes[i, 0], extremes[i, 1] = _key(np.float64(least)), _key(np.float64(most))
    largest = max(-least, most)
    if order > 0:
        put_whole(tops, sums, i, SUM, total, largest)
    if order == 2:
        put_whole(tops, sums, i, SQUARES, squares, largest * largest)


@in_place
def _add_polygons_of_whole_numbers(
    cells: Cells, hidden: float, window: Window, spans: Spans, edges: Edges, bins: ShareBins, polygons: NDArray[np.int64], order: int, ends: bool, found: Found, scratch: NDArray[np.float64]
) -> None:  # fmt: skip
    """Add whole cells as integers, and edge cells as floats."""
    for i in range(polygons.size):
        polygon = polygons[i]
        _add_whole_numbers(cells[0], hidden, window, spans, polygon, i, order, ends, found)
        _add_measured(cells, hidden, window, edges, bins, polygon, i, order, ends, found, scratch)


@kernel
def polygon_moments(
    values: NDArray[Any],
    hidden: float,
    weights: NDArray[np.float64],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    bins: ShareBins,
    polygons: NDArray[np.int64],
    order: int,
    ends: bool,
    found: Found,
) -> bool:
    """Add what some polygons have in a window of a raster; return False if a value or a weight is too large.

    Parameters
    ----------
    values : [y, x]
        Float32 or float64; NaN is unknown.
    hidden
        Value that is unknown as well; NaN for none.
    weights : [y, x]
        Of the same cells, or of no cells: each weighs 1.
    corner
        Row and column of the window's first cell in the grid.
    spans, edges
        Of all polygons, in the grid.
    bins
        What shares of edge cells add up to, of all polygons: ``share_bins``.
    polygons
        Those that may have cells in the window.
    order
        0 for shares and extremes only, 1 for sums of values, too, 2 for those of their squares, too.
    ends
        Whether extremes are wanted.
    found
        What is added to: ``nothing_found`` of as many polygons.
    """
    window = (corner[0], corner[1], values.shape[0], values.shape[1])
    flat, scratch = (values.reshape(-1), weights.reshape(-1)), np.zeros(5 * _COLUMN)
    return _add_polygons(flat, hidden, window, spans, edges, bins, polygons, order, ends, found, scratch)  # fmt: skip


@kernel
def whole_number_moments(
    values: NDArray[Any],
    hidden: float,
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    bins: ShareBins,
    polygons: NDArray[np.int64],
    order: int,
    ends: bool,
    found: Found,
) -> None:
    """Add what ``polygon_moments`` does, of integers of at most two bytes without weights: none of them is too large.

    What whole cells add up to, and their squares, are integers themselves, and are added as such: 0.16 ns a cell, a fifth of what it takes to make floats of bytes and to cut them into bins.
    """
    window = (corner[0], corner[1], values.shape[0], values.shape[1])
    flat, scratch = (values.reshape(-1), np.empty(0)), np.zeros(5 * _COLUMN)
    _add_polygons_of_whole_numbers(flat, hidden, window, spans, edges, bins, polygons, order, ends, found, scratch)  # fmt: skip


@in_place
def _add_all_shares(edges: Edges, tops: NDArray[np.int64], sums: NDArray[np.int64], scratch: NDArray[np.float64]) -> None:  # fmt: skip
    start, _, _, shares = edges
    for i in range(start.size - 1):
        for begin in range(start[i], start[i + 1], _CELLS_AT_ONCE):
            count = min(start[i + 1] - begin, _CELLS_AT_ONCE)
            for n in range(count):
                scratch[n] = shares[begin + n]
            wide = _padded(scratch, count)
            put(tops, sums, i, 0, scratch, 0, wide, largest_of(scratch, 0, wide))


@kernel
def share_bins(edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return highest bins [polygon] and multiples [polygon, BINS] of the shares of all edge cells."""
    size = edges[0].size - 1
    tops, sums = np.full((size, 1), LOWEST, np.int64), np.zeros((size, 1, BINS), np.int64)
    _add_all_shares(edges, tops, sums, np.empty(len(_OF_CELLS) * _COLUMN))
    return tops[:, 0].copy(), sums[:, 0].copy()
