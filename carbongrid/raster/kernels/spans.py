"""Spans of cells painted; or with one owner a cell, in order, to be laid under others, or in none, to be counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel
from carbongrid.raster.kernels.memory import fetch
from carbongrid.raster.kernels.scanline import RawSpans
from carbongrid.raster.kernels.vectors import CELLS, first_of, repeat

Spans = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
"""Where each row starts (rows + 1), then first column, end column and owner of each span; disjoint and sorted."""

Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]

# Spans of one row and one stretch of columns are sorted together; about two of them on average.
_BUCKETS_PER_SPAN = 0.5
# Below this number insertion beats a heap.
_SHORT = 24
_ALL = np.uint64(2**64 - 1)
# Spans whose first cells are asked for before their turn.
_AHEAD = 16


@helper
def _append_free(
    taken: NDArray[np.uint64], span: tuple[int, int, int, int], bits: int, out: RawSpans, used: int
) -> int:
    """Append the stretches of a span whose cells nobody has taken; bits is where its row's begin. Return how many spans there are."""
    row, here, end, owner = span
    rows, firsts, ends, owners = out
    before = used
    while here < end:
        free = ~taken[(bits + here) >> 6] >> np.uint64(here & 63)
        here += first_of(free) if free != 0 else 64 - (here & 63)
        if free == 0 or here >= end:
            continue
        met = taken[(bits + here) >> 6] >> np.uint64(here & 63)
        until = min(here + (first_of(met) if met != 0 else 64 - (here & 63)), end)
        if used > before and ends[used - 1] == here:
            ends[used - 1] = until
        else:
            rows[used], firsts[used], ends[used], owners[used] = row, here, until, owner
            used += 1
        here = until
    return used


@kernel
def apart(raw: RawSpans, height: int, width: int) -> RawSpans:
    """Give every cell to one owner only, that of the last span; what is left of the spans comes last to first.

    Owners ascend and no span is empty, as ``scan`` gives them. Each span takes the bits of its cells. As in ``single`` it starts or
    ends at most two pieces.
    """
    rows, firsts, ends, owners = raw
    # An odd number of cache lines a row: else all rows of a polygon would fight for a few places in the cache.
    words = 8 * ((width + 511) // 512 | 1)
    taken = np.zeros(height * words, np.uint64)
    size = 2 * rows.size
    out_rows, out_firsts = np.empty(size, np.int32), np.empty(size, np.int32)
    out_ends, out_owners = np.empty(size, np.int32), np.empty(size, np.int32)
    used = 0
    for i in range(rows.size - 1, -1, -1):
        row, first, end, owner = int(rows[i]), int(firsts[i]), int(ends[i]), int(owners[i])
        bits = 64 * row * words
        low, high = (bits + first) >> 6, (bits + end - 1) >> 6
        mask, high_mask = _ALL << np.uint64(first & 63), _ALL >> np.uint64(-end & 63)
        if low == high:
            mask &= high_mask
            high_mask = mask
        met = (taken[low] & mask) | (taken[high] & high_mask)
        for word in range(low + 1, high):
            met |= taken[word]
        if met == 0:
            out_rows[used], out_firsts[used] = row, first
            out_ends[used], out_owners[used] = end, owner
            used += 1
        else:
            out = (out_rows, out_firsts, out_ends, out_owners)
            used = _append_free(taken, (row, first, end, owner), bits, out, used)
        taken[low] |= mask
        taken[high] |= high_mask
        for word in range(low + 1, high):
            taken[word] = _ALL
    return out_rows[:used], out_firsts[:used], out_ends[:used], out_owners[:used]


@helper
def _before(a: int, b: int, firsts: NDArray[np.int32]) -> bool:
    return bool(firsts[a] < firsts[b])


@helper
def _swap(spans: Columns, a: int, b: int) -> None:
    for column in spans:
        column[a], column[b] = column[b], column[a]


@helper
def _sift(spans: Columns, begin: int, hole: int, count: int) -> None:
    """Let spans[begin + hole] sink in the heap spans[begin : begin + count], whose root is the last in order."""
    child = 2 * hole + 1
    while child < count:
        if child + 1 < count and _before(begin + child, begin + child + 1, spans[0]):
            child += 1
        if not _before(begin + hole, begin + child, spans[0]):
            return
        _swap(spans, begin + hole, begin + child)
        hole = child
        child = 2 * hole + 1


@helper
def _sort(spans: Columns, begin: int, end: int) -> None:
    """Sort by first column in place: by insertion if short, else as a heap, so never quadratic."""
    firsts, ends, owners = spans
    if end - begin <= _SHORT:
        for i in range(begin + 1, end):
            first, last, owner = firsts[i], ends[i], owners[i]
            j = i - 1
            while j >= begin and firsts[j] > first:
                firsts[j + 1], ends[j + 1], owners[j + 1] = firsts[j], ends[j], owners[j]
                j -= 1
            firsts[j + 1], ends[j + 1], owners[j + 1] = first, last, owner
        return
    count = end - begin
    for hole in range(count // 2 - 1, -1, -1):
        _sift(spans, begin, hole, count)
    for last in range(count - 1, 0, -1):
        _swap(spans, begin, begin + last)
        _sift(spans, begin, 0, last)


@kernel
def in_order(
    raw: RawSpans,
    height: int,
    width: int,
) -> Spans:
    """Sort spans (row, first column, end column, owner) by row, then first column.

    One pass puts them into buckets of a row's stretch of columns, in which few are left to sort.
    """
    rows, firsts, ends, owners = raw
    stretches = max(int(_BUCKETS_PER_SPAN * rows.size / max(height, 1)), 1)
    shift = 0
    while (width >> shift) >= stretches and (width >> shift) > 0:
        shift += 1
    stretches = (width >> shift) + 1
    place = np.zeros(height * stretches + 1, np.int64)
    for i in range(rows.size):
        place[rows[i] * stretches + (firsts[i] >> shift)] += 1
    total = 0
    for bucket in range(place.size):
        total, place[bucket] = total + place[bucket], total
    start = np.empty(height + 1, np.int64)
    for row in range(height + 1):
        start[row] = place[row * stretches]
    ordered = (np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.int32))
    for i in range(rows.size):
        bucket = rows[i] * stretches + (firsts[i] >> shift)
        here = place[bucket]
        ordered[0][here], ordered[1][here], ordered[2][here] = firsts[i], ends[i], owners[i]
        place[bucket] = here + 1
    begin = 0
    for bucket in range(height * stretches):
        end = place[bucket]
        if end - begin > 1:
            _sort(ordered, begin, end)
        begin = end
    return start, ordered[0], ordered[1], ordered[2]


@helper
def _divide(
    spans: Columns, cluster: tuple[int, int], heap: NDArray[np.int64], out: Columns, used: int
) -> int:
    """Write the pieces of spans that overlap, sorted by first column; return how many pieces there are now.

    Spans that reach a place wait in a heap whose root has the largest owner.
    """
    firsts, ends, owners = spans
    out_first, out_end, out_owner = out
    i, last = cluster
    here, waiting = firsts[i], 0
    row_begin = used
    while i < last or waiting > 0:
        while i < last and firsts[i] == here:
            child = waiting
            waiting += 1
            while child > 0 and owners[heap[(child - 1) // 2]] < owners[i]:
                heap[child] = heap[(child - 1) // 2]
                child = (child - 1) // 2
            heap[child] = i
            i += 1
        while waiting > 0 and ends[heap[0]] <= here:
            waiting -= 1
            moved = heap[waiting]
            hole, child = 0, 1
            while child < waiting:
                if child + 1 < waiting and owners[heap[child + 1]] > owners[heap[child]]:
                    child += 1
                if owners[heap[child]] <= owners[moved]:
                    break
                heap[hole] = heap[child]
                hole, child = child, 2 * child + 1
            heap[hole] = moved
        if waiting == 0:
            # Spans of a cluster overlap, so this is its end.
            continue
        until, owner = ends[heap[0]], owners[heap[0]]
        if i < last and firsts[i] < until:
            until = firsts[i]
        if used > row_begin and out_owner[used - 1] == owner:
            out_end[used - 1] = until
        else:
            out_first[used], out_end[used], out_owner[used] = here, until, owner
            used += 1
        here = until
    return used


@kernel
def single(spans: Spans) -> Spans:
    """Give every cell to one owner only, that of the largest number; the input is sorted by row and first column.

    Each span starts or ends at most two pieces.
    """
    start, firsts, ends, owners = spans
    size = 2 * firsts.size
    out_first, out_end = np.empty(size, np.int32), np.empty(size, np.int32)
    out_owner = np.empty(size, np.int32)
    out_start = np.zeros(start.size, np.int64)
    heap = np.empty(16, np.int64)
    used = 0
    for row in range(start.size - 1):
        i, last = start[row], start[row + 1]
        while i < last:
            begin, reach = i, ends[i]
            i += 1
            while i < last and firsts[i] < reach:
                reach = max(reach, ends[i])
                i += 1
            if i == begin + 1:
                out_first[used], out_end[used] = firsts[begin], reach
                out_owner[used] = owners[begin]
                used += 1
                continue
            if i - begin > heap.size:
                heap = np.empty(2 * (i - begin), np.int64)
            used = _divide(
                (firsts, ends, owners), (begin, i), heap, (out_first, out_end, out_owner), used
            )
        out_start[row + 1] = used
    return out_start, out_first[:used], out_end[:used], out_owner[:used]


@kernel
def paint(raw: RawSpans, labels: NDArray[np.uint32], raster: NDArray[np.uint32], left: int) -> None:
    """Write labels[owner] to the cells of each span, whose columns count from ``left``; where spans overlap the last one has the cell.

    Spans come polygon by polygon, each on other rows than the one before, so the memory of each is asked for before its turn.
    """
    rows, firsts, ends, owners = raw
    for i in range(rows.size):
        ahead = min(i + _AHEAD, rows.size - 1)
        fetch(raster[rows[ahead]], left + firsts[ahead])
        line, label = raster[rows[i]], labels[owners[i]]
        here, end = left + firsts[i], left + ends[i]
        if end - here < CELLS:
            for column in range(here, end):
                line[column] = label
            continue
        while here + CELLS < end:
            repeat(line, here, label)
            here += CELLS
        repeat(line, end - CELLS, label)
