"""Spans over spans: how many cells each two owners have in common, without a visit to any cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import helper, kernel
from carbongrid.kernels.spans import Spans

Table = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Open addressing: keys (-1 where free) and counts, a power of two of each, at most half of it used."""

# 2^64 over the golden ratio: multiples of it are spread evenly over the high bits.
_SPREAD = np.uint64(11400714819323198485)


@helper
def _home(key: np.int64, mask: int) -> Any:
    """Return where a key is looked for first."""
    return np.int64((np.uint64(key) * _SPREAD) >> np.uint64(32)) & mask


@helper
def _table(size: int) -> Table:
    return np.full(size, -1, np.int64), np.zeros(size, np.int64)


@helper
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


@helper
def _packed(keys: NDArray[np.int64], counts: NDArray[np.int64], used: int) -> Table:
    packed_keys, packed_counts = np.empty(used, np.int64), np.empty(used, np.int64)
    place = 0
    for i in range(keys.size):
        if keys[i] >= 0:
            packed_keys[place], packed_counts[place] = keys[i], counts[i]
            place += 1
    return packed_keys, packed_counts


@kernel
def common_cells(a: Spans, b: Spans, n_b: int, size: int) -> Table:
    """Count the cells of each pair of owners; what of a lies under nobody of b counts with owner n_b.

    Return keys, a's owner * (n_b + 1) + b's owner, in no order, and counts. ``size``, a power of two, is where the table starts.
    """
    start_a, first_a, end_a, owner_a = a
    start_b, first_b, end_b, owner_b = b
    keys, counts = _table(size)
    used, mask = 0, size - 1
    for row in range(start_a.size - 1):
        j, last = start_b[row], start_b[row + 1]
        for i in range(start_a[row], start_a[row + 1]):
            here, end = first_a[i], end_a[i]
            while j < last and end_b[j] <= here:
                j += 1
            while here < end:
                if j == last or first_b[j] >= end:
                    owner, until = np.int64(n_b), end
                elif first_b[j] > here:
                    owner, until = np.int64(n_b), first_b[j]
                else:
                    owner, until = np.int64(owner_b[j]), min(end_b[j], end)
                    if end_b[j] <= end:
                        j += 1
                key = np.int64(owner_a[i]) * (n_b + 1) + owner
                place = _home(key, mask)
                while keys[place] != key and keys[place] != -1:
                    place = (place + 1) & mask
                counts[place] += until - here
                here = until
                if keys[place] == -1:
                    keys[place] = key
                    used += 1
                    if 2 * used > mask:
                        keys, counts = _enlarged(keys, counts)
                        mask = keys.size - 1
    return _packed(keys, counts, used)


@kernel
def common_squares(
    a: Spans, corner: tuple[int, int], factor: int, columns: int, size: int
) -> Table:
    """Count the cells that owners have in squares of factor x factor cells of the whole grid, of which the window starts at corner.

    Return keys, owner * (number of squares that the window's rows touch) + square counted from the first of these rows'
    first, in no order, and counts.
    """
    start, firsts, ends, owners = a
    keys, counts = _table(size)
    used, mask = 0, size - 1
    top, left = corner
    first_row = top // factor
    squares = ((top + start.size - 2) // factor - first_row + 1) * columns
    for row in range(start.size - 1):
        base = ((top + row) // factor - first_row) * columns
        square = left // factor
        border = (square + 1) * factor - left
        for i in range(start[row], start[row + 1]):
            here, end = int(firsts[i]), int(ends[i])
            if border <= here:
                square = (left + here) // factor
                border = (square + 1) * factor - left
            while here < end:
                until = border if border < end else end
                key = np.int64(owners[i]) * squares + base + square
                place = _home(key, mask)
                while keys[place] != key and keys[place] != -1:
                    place = (place + 1) & mask
                counts[place] += until - here
                here = until
                if keys[place] == -1:
                    keys[place] = key
                    used += 1
                    if 2 * used > mask:
                        keys, counts = _enlarged(keys, counts)
                        mask = keys.size - 1
                if here == border:
                    square += 1
                    border += factor
    return _packed(keys, counts, used)
