"""Pairs of labels: how many cells each has, or what sum of values, run by run, into a hash table of the pairs that occur."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.hi_lo import carry, split_hi_lo
from carbongrid.raster.kernels.jit import as_readonly_contiguous, helper, kernel
from carbongrid.raster.kernels.vectors import differing, first_of

Table = tuple[NDArray[np.uint64], NDArray[np.int64]]
"""Pairs (a << 32 | b) in order, and an amount for each: a count, or the halves of a sum of values."""

_CELLS_AT_ONCE = 2**22
_SLOTS = 4096
_GROWTH = 4


def pair_sums(
    a: NDArray[np.uint32], b: NDArray[np.uint32], values: NDArray[np.int64] | None = None
) -> Table:
    """Return the pairs of labels, and how many cells, or what sum of values, each has; 0 in a is left out.

    Parameters
    ----------
    a, b
        Contiguous, of one size.
    values
        As many, each below 2^40 in size; their sums come as ``split_hi_lo``.
    """
    ones = np.zeros(0, np.int64) if values is None else values
    parts = []
    for first in range(0, a.size, _CELLS_AT_ONCE):
        piece = slice(first, first + _CELLS_AT_ONCE)
        keys, amounts = _tabulated(a[piece], b[piece], ones[piece])
        parts.append((keys, amounts if values is None else split_hi_lo(amounts)))
    if not parts and values is not None:
        parts.append((np.zeros(0, np.uint64), split_hi_lo(ones)))
    return parts[0] if len(parts) == 1 else added(parts)


def added(parts: list[Table]) -> Table:
    """Add up tables of integers; the order of the parts does not matter."""
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    keys, amounts = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not keys.size:
        return keys, amounts
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    sums = np.add.reduceat(amounts[order], first)
    return keys[first], carry(sums) if sums.ndim == 2 else sums


def _tabulated(a: NDArray[np.uint32], b: NDArray[np.uint32], values: NDArray[np.int64]) -> Table:
    table = np.zeros(_SLOTS, np.uint64), np.zeros(_SLOTS, np.int64)
    done = 0
    while done < a.size:
        rest = (
            as_readonly_contiguous(a[done:], np.uint32),
            as_readonly_contiguous(b[done:], np.uint32),
        )
        done += _add_pairs(*rest, as_readonly_contiguous(values[done:], np.int64), table)
        if done < a.size:
            slots = table[0].size * _GROWTH
            larger = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
            _move(table, larger)
            table = larger
    taken = np.flatnonzero(table[0])
    order = taken[np.argsort(table[0][taken])]
    return table[0][order], table[1][order]


@helper
def _slot(keys: NDArray[np.uint64], key: Any) -> Any:
    """Place of a pair, or the empty slot where it belongs."""
    mask = keys.size - 1
    # Both labels have 32 bits, so neither product overflows.
    mine = (np.uint64(key) >> np.uint64(32)) * np.uint64(0x9E3779B9)
    other = (np.uint64(key) & np.uint64(0xFFFFFFFF)) * np.uint64(0x85EBCA6B)
    place = np.int64((mine ^ other) >> np.uint64(16)) & mask
    while keys[place] != 0 and keys[place] != np.uint64(key):
        place = (place + 1) & mask
    return place


@kernel
def _move(table: Table, larger: Table) -> None:
    for old in range(table[0].size):
        if table[0][old] != 0:
            new = _slot(larger[0], table[0][old])
            larger[0][new] = table[0][old]
            larger[1][new] = table[1][old]


@kernel
def _add_pairs(
    a: NDArray[np.uint32], b: NDArray[np.uint32], values: NDArray[np.int64], table: Table
) -> int:
    """Add up whole runs while the table is not half full; return the cell to go on from. No values: each cell is 1."""
    keys, sums = table
    room = keys.size // 2
    for key in keys:
        room -= key != 0
    mine, other, start, i = a[0], b[0], 0, 0
    while True:
        if i + 16 <= a.size:
            others = differing(a, i, mine) | differing(b, i, other)
            if others == 0:
                i += 16
                continue
            i += first_of(others)
        else:
            while i < a.size and a[i] == mine and b[i] == other:
                i += 1
        if mine > 0:
            key = (np.uint64(mine) << np.uint64(32)) | np.uint64(other)
            slot = _slot(keys, key)
            if keys[slot] == 0:
                if room == 0:
                    return start
                room -= 1
                keys[slot] = key
            if values.size == 0:
                sums[slot] += i - start
            else:
                total = np.int64(0)
                for k in range(start, i):
                    total += values[k]
                sums[slot] += total
        if i == a.size:
            return i
        mine, other, start = a[i], b[i], i
