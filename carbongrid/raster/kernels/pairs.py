"""Spans over spans: how many cells each two owners have in common, without a visit to each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, in_place, kernel, maker
from carbongrid.raster.kernels.scanline import RawSpans
from carbongrid.raster.kernels.spans import Spans

Table = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Open addressing: keys (-1 where free) and counts, a power of two of each, at most half of it used."""

# 2^64 over the golden ratio: multiples of it are spread evenly over the high bits.
_SPREAD = np.uint64(11400714819323198485)


@helper
def _home(key: np.int64, mask: int) -> Any:
    """Return where a key is looked for first."""
    return np.int64((np.uint64(key) * _SPREAD) >> np.uint64(32)) & mask


@maker
def _table(size: int) -> Table:
    return np.full(size, -1, np.int64), np.zeros(size, np.int64)


@maker
def _enlarged(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> Table:
    new_keys, new_counts = _table(2 * keys.size)
    mask = new_keys.size - 1
    for i in range(keys.size):
        if keys[i] >= 0:
            place = _home(keys[i], mask)
            while new_keys[place] != -1:
                place = (place + 1) & mask
            new_keys[place], new_counts[place] = keys[i], counts[i]
    return new_keys, new_counts


@maker
def _packed(keys: NDArray[np.int64], counts: NDArray[np.int64], used: int) -> Table:
    packed_keys, packed_counts = np.empty(used, np.int64), np.empty(used, np.int64)
    place = 0
    for i in range(keys.size):
        if keys[i] >= 0:
            packed_keys[place], packed_counts[place] = keys[i], counts[i]
            place += 1
    return packed_keys, packed_counts


@helper
def _count(keys: NDArray[np.int64], counts: NDArray[np.int64], key: int, cells: int) -> int:
    """Add to what a key has, of which there is none before the first; return how many keys that makes more."""
    if cells == 0:
        return 0
    mask = keys.size - 1
    place = _home(np.int64(key), mask)
    while keys[place] != key and keys[place] != -1:
        place = (place + 1) & mask
    counts[place] += cells
    new = keys[place] == -1
    keys[place] = key
    return int(new)


@in_place
def _count_cells(
    a: RawSpans, b: Spans, n_b: int, table: Table, used: int, i: int
) -> tuple[int, int]:
    """Count from span i on, while there is room for what one span may meet; return the span to go on from, and the keys.

    What follows each other with one pair of owners is counted at once: of b, that is looked at first which had the span before,
    in a row above or below. No array is exchanged inside: that costs more than a span does.
    """
    rows, firsts, ends, owners = a
    start_b, first_b, end_b, owner_b = b
    keys, counts = table
    key, cells, place = -1, 0, 0
    while i < rows.size:
        here, end, mine = int(firsts[i]), int(ends[i]), int(owners[i]) * (n_b + 1)
        begin, last = start_b[rows[i]], start_b[rows[i] + 1]
        j = begin + place
        if j < last and first_b[j] <= here and end <= end_b[j] and mine + owner_b[j] == key:
            cells += end - here
            i += 1
            continue
        # The first that ends behind it, wherever that is: rows of a set are in no order in space.
        j, high = begin, last
        while j < high:
            middle = (j + high) // 2
            if end_b[middle] <= here:
                j = middle + 1
            else:
                high = middle
        place = j - begin
        if 2 * (used + min(2 * (last - j) + 1, end - here) + 1) > keys.size:
            break
        while here < end:
            if j == last or first_b[j] >= end:
                owner, until = n_b, end
            elif first_b[j] > here:
                owner, until = n_b, int(first_b[j])
            else:
                owner, until = int(owner_b[j]), min(int(end_b[j]), end)
                j += 1
            if mine + owner != key:
                used += _count(keys, counts, key, cells)
                key, cells = mine + owner, 0
            cells += until - here
            here = until
        i += 1
    return i, used + _count(keys, counts, key, cells)


@kernel
def common_cells(a: RawSpans, b: Spans, n_b: int, size: int) -> Table:
    """Count the cells of each pair of owners; what of a lies on b's background counts with owner n_b.

    Spans of a share no cell. Return keys, a's owner * (n_b + 1) + b's owner, in no order, and counts. ``size``, a power of
    two, is where the table starts.
    """
    table = _table(size)
    i, used = 0, 0
    while i < a[0].size:
        i, used = _count_cells(a, b, n_b, table, used, i)
        if i < a[0].size:
            table = _enlarged(table[0], table[1])
    return _packed(table[0], table[1], used)


@in_place
def _count_squares(
    a: RawSpans,
    window: tuple[int, int, int, int],
    factor: int,
    before: NDArray[np.int64],
    table: Table,
    used: int,
    i: int,
) -> tuple[int, int]:
    """Count from span i on, as ``_count_cells`` does; ``before`` is how many squares lie before those of each row, and of all rows."""
    rows, firsts, ends, owners = a
    keys, counts = table
    left, squares = window[1], before[before.size - 1]
    key, cells = -1, 0
    column = left // factor
    border = (column + 1) * factor - left
    while i < rows.size:
        here, end = int(firsts[i]), int(ends[i])
        mine = int(owners[i]) * squares + before[rows[i]]
        if here >= border or here < border - factor:
            column = (left + here) // factor
            border = (column + 1) * factor - left
        if end > border and 2 * (used + (end - here) // factor + 3) > keys.size:
            break
        if 2 * (used + 2) > keys.size:
            break
        while here < end:
            until = min(border, end)
            if mine + column != key:
                used += _count(keys, counts, key, cells)
                key, cells = mine + column, 0
            cells += until - here
            here = until
            if here < end:
                column += 1
                border += factor
        i += 1
    return i, used + _count(keys, counts, key, cells)


@kernel
def common_squares(
    a: RawSpans, window: tuple[int, int, int, int], factor: int, columns: int, size: int
) -> Table:
    """Count the cells that owners have in squares of factor x factor cells of the whole grid, in a window of it.

    Spans of a share no cell. Return keys, owner * (number of squares that the window's rows touch) + square counted from the
    first of these rows' first, in no order, and counts.
    """
    top, _, height, _ = window
    before = np.empty(height + 1, np.int64)
    for row in range(height):
        before[row] = ((top + row) // factor - top // factor) * columns
    before[height] = before[height - 1] + columns
    table = _table(size)
    i, used = 0, 0
    while i < a[0].size:
        i, used = _count_squares(a, window, factor, before, table, used, i)
        if i < a[0].size:
            table = _enlarged(table[0], table[1])
    return _packed(table[0], table[1], used)
