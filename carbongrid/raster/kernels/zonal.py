"""Sums and extremes per label, run by run, into a hash table of the labels that occur.

Sixteen cells that bear the label of their run are added at once, without a branch or a store; the table is touched once a
run. Its size follows the labels that occur, not the largest one: a kernel stops where the table is half full and
says where to go on, so no buffer can overflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.hi_lo import carry, split_hi_lo
from carbongrid.raster.kernels.jit import as_readonly_contiguous, helper, kernel
from carbongrid.raster.kernels.vectors import (
    ROUNDING,
    bits,
    differing,
    known,
    largest_where,
    quanta_where,
    sum_where,
)

MAX_QUANTA = 2.0**40
"""A value must be smaller than this many quanta, so that those of one call add up to less than 2^62."""

Columns = tuple[NDArray[np.uint64], NDArray[Any], NDArray[np.int64]]
"""Labels in order, an amount for each (of sums of integers, its halves), and the number of its cells with a known value."""

_CELLS_AT_ONCE = 2**22
_SLOTS = 4096
_GROWTH = 4


def label_sums(
    values: NDArray[Any], labels: NDArray[np.uint32], scale: float | None = None
) -> Columns:
    """Sum values per label above 0; NaN counts as nothing.

    Parameters
    ----------
    values : integers up to 64 bits (not uint64), float32 or float64
        Contiguous. Integers are summed as int64.
    labels
        As many, contiguous.
    scale
        Values times this are rounded to whole numbers first, whose sums are int64 too.

    Returns
    -------
    Columns
        Whole numbers come as ``split_hi_lo``.

    Raises
    ------
    OverflowError
        If a value times the scale is infinite or not below ``MAX_QUANTA``, or an integer not below it in size.
    """
    whole = scale is not None or values.dtype.kind != "f"
    if values.dtype == np.int64 and values.size:
        _require_below(max(-int(values.min()), int(values.max())))
    zero = np.int64(0) if whole else np.float64(0)
    add, how = (_add_runs, zero) if scale is None else (_add_quanta, np.float64(scale))
    return _by_label(add, how, values, labels, zero)


def label_counts(labels: NDArray[np.uint32]) -> Columns:
    """Count cells per label above 0; the amounts are the counts."""
    parts = [_empty_table(0, np.int64(0))]
    for first in range(0, labels.size, _CELLS_AT_ONCE):
        piece = labels[first : first + _CELLS_AT_ONCE]
        keys, _, counts = _tabulated(_add_runs, np.int64(0), piece, piece, np.int64(0))
        parts.append((keys, counts, counts))
    return combined(parts)


def label_minima(values: NDArray[Any], labels: NDArray[np.uint32], sign: float) -> Columns:
    """Return the least value times sign (1 or -1) of each label above 0, as float64; NaN counts as nothing."""
    return _by_label(_lower_runs, np.float64(sign), values, labels, np.float64(np.inf), np.minimum)


def combined(parts: list[Columns], reduce: np.ufunc = np.add) -> Columns:
    """Merge tables: amounts of one label are reduced in the order of the parts, counts are added."""
    keys, amounts, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(parts) == 1 or not keys.size:
        return keys, amounts, counts
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    reduced = reduce.reduceat(amounts[order], first)
    amounts = carry(reduced) if reduced.ndim == 2 else reduced
    return keys[first], amounts, np.add.reduceat(counts[order], first)


def _require_below(size: int) -> None:
    if size >= MAX_QUANTA:
        raise OverflowError


def _by_label(
    add: Callable[..., int],
    how: Any,
    values: NDArray[Any],
    labels: NDArray[np.uint32],
    empty: Any,
    reduce: np.ufunc = np.add,
) -> Columns:
    parts = [_empty_table(0, empty)]
    for first in range(0, labels.size, _CELLS_AT_ONCE):
        piece = slice(first, first + _CELLS_AT_ONCE)
        parts.append(_tabulated(add, how, values[piece], labels[piece], empty))
    if isinstance(empty, np.int64):
        parts = [(keys, split_hi_lo(sums), counts) for keys, sums, counts in parts]
    return combined(parts, reduce)


def _tabulated(
    add: Callable[..., int],
    how: Any,
    values: NDArray[Any],
    labels: NDArray[np.uint32],
    empty: Any,
) -> Columns:
    table = _empty_table(_SLOTS, empty)
    whole = labels.size - labels.size % 16
    rest = np.zeros(16, values.dtype), np.zeros(16, np.uint32)
    rest[0][: labels.size - whole], rest[1][: labels.size - whole] = values[whole:], labels[whole:]
    for some, whose in ((values[:whole], labels[:whole]), rest):
        done = 0
        while done < some.size:
            step = add(
                as_readonly_contiguous(some[done:], some.dtype),
                as_readonly_contiguous(whose[done:], np.uint32),
                how,
                table,
            )
            if step < 0:
                raise OverflowError
            done += step
            if done < some.size:
                larger = _empty_table(table[0].size * _GROWTH, empty)
                _move(table, larger)
                table = larger
    taken = np.flatnonzero(table[0])
    order = taken[np.argsort(table[0][taken])]
    return table[0][order], table[1][order], table[2][order]


def _empty_table(slots: int, empty: Any) -> Columns:
    return np.zeros(slots, np.uint64), np.full(slots, empty), np.zeros(slots, np.int64)


@helper
def _slot(keys: NDArray[np.uint64], key: Any) -> Any:
    """Place of a key, or the empty slot where it belongs."""
    mask = keys.size - 1
    # 2^32 over the golden ratio; a label has 32 bits, so the product fits.
    place = np.int64((np.uint64(key) * np.uint64(0x9E3779B9)) >> np.uint64(16)) & mask
    while keys[place] != 0 and keys[place] != np.uint64(key):
        place = (place + 1) & mask
    return place


@kernel
def _move(table: Columns, larger: Columns) -> None:
    for old in range(table[0].size):
        if table[0][old] != 0:
            new = _slot(larger[0], table[0][old])
            larger[0][new] = table[0][old]
            larger[1][new] = table[1][old]
            larger[2][new] = table[2][old]


@helper
def _taken(keys: NDArray[np.uint64]) -> int:
    count = 0
    for key in keys:
        count += key != 0
    return count


@helper
def _put(
    keys: NDArray[np.uint64], sums: NDArray[Any], counts: NDArray[np.int64], label: Any, amount: Any, count: int
) -> int:  # fmt: skip
    """Add to a label's row, and return how many slots that took.

    The table comes in pieces: taking a tuple apart counts references, which doubles what a run costs.
    """
    slot = _slot(keys, label)
    new = keys[slot] == 0
    keys[slot] = label
    sums[slot] += amount
    counts[slot] += count
    return int(new)


@kernel
def _add_runs(values: NDArray[Any], labels: NDArray[np.uint32], zero: Any, table: Columns) -> int:
    """Add up sixteen cells at a time, while there is room for as many labels; return the cell to go on from.

    Sixteen cells have one label, or two, nearly always.
    """
    keys, sums, counts = table
    room = keys.size // 2 - _taken(keys)
    label, total, cells, i = labels[0], zero, 0, 0
    while i + 16 <= labels.size:
        others = differing(labels, i, label)
        if others == 0:
            if label > 0:
                there = known(values, i)
                total += sum_where(values, i, there)
                cells += bits(there)
            i += 16
            continue
        if room < 17:
            break
        last = labels[i + 15]
        if others & differing(labels, i, last) == 0:
            there = known(values, i)
            if label > 0:
                mine = there & ~others
                total += sum_where(values, i, mine)
                room -= _put(keys, sums, counts, label, total, cells + bits(mine))
            theirs = there & others
            label, total, cells = last, sum_where(values, i, theirs), bits(theirs)
            i += 16
            continue
        for k in range(i, i + 16):
            if labels[k] != label:
                if label > 0:
                    room -= _put(keys, sums, counts, label, total, cells)
                label, total, cells = labels[k], zero, 0
            value = values[k]
            total += value if value == value else zero
            cells += value == value
        i += 16
    if label > 0:
        _put(keys, sums, counts, label, total, cells)
    return i


@kernel
def _add_quanta(
    values: NDArray[Any], labels: NDArray[np.uint32], scale: float, table: Columns
) -> int:
    """Add up values times scale, each rounded to a whole number, as _add_runs does; -1 if one is too large.

    Sixteen whole numbers below 2^40 add up exactly as floats.
    """
    keys, sums, counts = table
    room = keys.size // 2 - _taken(keys)
    label, total, cells, i = labels[0], np.int64(0), 0, 0
    while i + 16 <= labels.size:
        others = differing(labels, i, label)
        if others == 0 and label == 0:
            i += 16
            continue
        there = known(values, i)
        ordinary = largest_where(values, i, there, scale) < MAX_QUANTA
        if ordinary and others == 0:
            total += np.int64(quanta_where(values, i, there, scale))
            cells += bits(there)
            i += 16
            continue
        if room < 17:
            break
        last = labels[i + 15]
        if ordinary and others & differing(labels, i, last) == 0:
            if label > 0:
                mine = there & ~others
                total += np.int64(quanta_where(values, i, mine, scale))
                room -= _put(keys, sums, counts, label, total, cells + bits(mine))
            theirs = there & others
            label, cells = last, bits(theirs)
            total = np.int64(quanta_where(values, i, theirs, scale))
            i += 16
            continue
        for k in range(i, i + 16):
            if labels[k] != label:
                if label > 0:
                    room -= _put(keys, sums, counts, label, total, cells)
                label, total, cells = labels[k], np.int64(0), 0
            value = values[k] * scale
            if value != value:
                continue
            cells += 1
            if label > 0:
                if abs(value) >= MAX_QUANTA:
                    return -1
                total += np.int64((value + ROUNDING) - ROUNDING)
        i += 16
    if label > 0:
        _put(keys, sums, counts, label, total, cells)
    return i


@kernel
def _lower_runs(
    values: NDArray[Any], labels: NDArray[np.uint32], sign: float, table: Columns
) -> int:
    """Take the least of values times sign, as _add_runs adds."""
    keys, least, counts = table
    room = keys.size // 2 - _taken(keys)
    label, lowest, known, i = labels[0], np.inf, 0, 0
    while True:
        done = i >= labels.size or room < 1
        if done or labels[i] != label:
            if label > 0:
                slot = _slot(keys, label)
                room -= keys[slot] == 0
                keys[slot] = label
                least[slot] = min(least[slot], lowest)
                counts[slot] += known
            if done:
                return i
            label, lowest, known = labels[i], np.inf, 0
        value = values[i] * sign
        known += value == value
        lowest = value if value < lowest else lowest
        i += 1
