"""Values of the cells that polygons have, with the measure of each: what quantiles and classes are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, in_place, kernel, maker
from carbongrid.raster.kernels.moments import Edges, Spans

Scratch = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]
"""Keys in two orders, measures in the second, and counts of digits."""

# Up to this number insertion beats counting.
_SHORT = 40

Cells = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]
"""Polygon, value and measure; those of one polygon lie beside each other."""


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


@maker
def _with_room(cells: Cells, used: int, size: int) -> Cells:
    polygons, values, measures = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    for i in range(used):
        polygons[i], values[i], measures[i] = cells[0][i], cells[1][i], cells[2][i]
    return polygons, values, measures


@helper
def _add(cells: Cells, used: int, begin: int, polygon: int, value: float, measure: Any) -> int:
    """Append a cell, or add it to the one before of its polygon if that has the same value."""
    polygons, values, measures = cells
    if used > begin and values[used - 1] == value:
        measures[used - 1] += measure
        return used
    polygons[used], values[used], measures[used] = polygon, value, measure
    return used + 1


@helper
def _by_insertion(
    values: NDArray[np.float64], measures: NDArray[np.int64], begin: int, end: int
) -> None:
    for i in range(begin + 1, end):
        value, measure, j = values[i], measures[i], i
        while j > begin and values[j - 1] > value:
            values[j], measures[j] = values[j - 1], measures[j - 1]
            j -= 1
        values[j], measures[j] = value, measure


@helper
def _by_digits(
    values: NDArray[np.float64],
    measures: NDArray[np.int64],
    begin: int,
    used: int,
    scratch: Scratch,
) -> None:
    """Put cells in order of their values, byte by byte from the last; bytes that all have in common are passed over."""
    keys, others, theirs, counts = scratch
    size = used - begin
    counts[:] = 0
    bits = values.view(np.uint64)
    for i in range(size):
        # Bits of floats in the order of the numbers: those of negative ones run backwards.
        key = bits[begin + i]
        key = ~key if key >> np.uint64(63) else key | np.uint64(1 << 63)
        keys[i] = key
        for digit in range(8):
            counts[digit, (key >> np.uint64(8 * digit)) & np.uint64(255)] += 1
    mine, of_values = measures[begin:used], measures[begin:used]
    swapped = False
    for digit in range(8):
        shift, count = np.uint64(8 * digit), counts[digit]
        if count[(keys[0] >> shift) & np.uint64(255)] == size:
            continue
        total = 0
        for k in range(256):
            count[k], total = total, total + count[k]
        for i in range(size):
            k = (keys[i] >> shift) & np.uint64(255)
            others[count[k]], theirs[count[k]] = keys[i], mine[i]
            count[k] += 1
        keys, others, mine, theirs = others, keys, theirs, mine
        swapped = not swapped
    if swapped:
        for i in range(size):
            of_values[i] = mine[i]
    for i in range(size):
        key = keys[i]
        bits[begin + i] = key & np.uint64(2**63 - 1) if key >> np.uint64(63) else ~key


@helper
def _in_order(cells: Cells, begin: int, used: int, scratch: Scratch) -> int:
    """Put the last polygon's cells in order of their values, each value once; return how many cells there are now."""
    _, values, measures = cells
    if used - begin <= _SHORT:
        _by_insertion(values, measures, begin, used)
    else:
        _by_digits(values, measures, begin, used, scratch)
    now = begin
    for i in range(begin, used):
        if now > begin and values[now - 1] == values[i]:
            measures[now - 1] += measures[i]
        else:
            # Of zeros there is one, without a sign.
            values[now], measures[now] = values[i] + 0.0, measures[i]
            now += 1
    return now


@maker
def _scratch(size: int) -> Scratch:
    return (
        np.empty(size, np.uint64),
        np.empty(size, np.uint64),
        np.empty(size, np.int64),
        np.empty((8, 256), np.int64),
    )


@in_place
def _values_until_full(
    raster: NDArray[Any],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    polygons: NDArray[np.int64],
    i: int,
    by: tuple[NDArray[np.float64], NDArray[np.float64]],
    cells: Cells,
    used: int,
    scratch: Scratch,
) -> tuple[int, int, tuple[int, int]]:
    """Add what polygons[i:] have as long as there is room; return the place of the first that is left, how many cells there are, and how many all polygons and one must have room for."""
    (top, left), (height, width) = corner, raster.shape
    start, rows, firsts, ends = spans
    edge_start, edge_rows, edge_columns, shares = edges
    scales, factors = by
    room = cells[0].size
    while i < polygons.size:
        polygon, begin = polygons[i], used
        j = _first_at(rows, start[polygon], start[polygon + 1], top)
        while j < start[polygon + 1] and rows[j] < top + height:
            row = rows[j] - top
            measure = np.int64(np.rint(scales[polygon] * factors[rows[j]]))
            first, end = max(firsts[j] - left, 0), min(ends[j] - left, width)
            if used + max(end - first, 0) > room:
                return i, begin, (used + end - first, 0)
            for column in range(first, end):
                value = np.float64(raster[row, column])
                if value == value:
                    used = _add(cells, used, begin, polygon, value, measure)
            j += 1
        j = _first_at(edge_rows, edge_start[polygon], edge_start[polygon + 1], top)
        while j < edge_start[polygon + 1] and edge_rows[j] < top + height:
            row, column = edge_rows[j] - top, edge_columns[j] - left
            if column >= 0 and column < width:
                value = np.float64(raster[row, column])
                if value == value:
                    if used == room:
                        return i, begin, (used + 1, 0)
                    measure = np.int64(
                        np.rint(scales[polygon] * (shares[j] * factors[edge_rows[j]]))
                    )
                    used = _add(cells, used, begin, polygon, value, measure)
            j += 1
        if used - begin > scratch[0].size:
            return i, begin, (0, used - begin)
        used = _in_order(cells, begin, used, scratch)
        i += 1
    return i, used, (0, 0)


@kernel
def values_in_polygons(
    raster: NDArray[Any],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    polygons: NDArray[np.int64],
    scales: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> Cells:
    """Return the different values that some polygons have in a window, each in order, and the measure of the cells that have it.

    Parameters
    ----------
    raster : [y, x]
        Float32 or float64; NaN is unknown.
    corner
        Row and column of the window's first cell in the grid.
    spans, edges
        Of all polygons, in the grid.
    polygons
        Those that may have cells in the window, ascending.
    scales : [polygon]
        What a share is multiplied by to be a whole number, of all polygons.
    factors : [row]
        What cells of each row of the grid weigh, at most 1.
    """
    cells = (np.empty(1024, np.int64), np.empty(1024), np.empty(1024, np.int64))
    i, used, scratch = 0, 0, _scratch(1024)
    while True:
        i, used, needed = _values_until_full(
            raster, corner, spans, edges, polygons, i, (scales, factors), cells, used, scratch
        )
        if i == polygons.size:
            break
        if needed[0] > cells[0].size:
            cells = _with_room(cells, used, 2 * needed[0])
        if needed[1] > scratch[0].size:
            scratch = _scratch(2 * needed[1])
    return cells[0][:used], cells[1][:used], cells[2][:used]


@kernel
def weighted_cells(
    raster: NDArray[Any],
    weights: NDArray[np.float64],
    corner: tuple[int, int],
    spans: Spans,
    edges: Edges,
    polygons: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return polygon, value, and share times weight of each known cell that some polygons have in a window, as they come.

    Parameters
    ----------
    raster, weights : [y, x]
        Of the same cells; NaN is unknown.
    corner, spans, edges, polygons
        As for ``values_in_polygons``.
    """
    (top, left), (height, width) = corner, raster.shape
    start, rows, firsts, ends = spans
    edge_start, edge_rows, edge_columns, shares = edges
    size = 0
    for polygon in polygons:
        size += edge_start[polygon + 1] - edge_start[polygon]
        for j in range(start[polygon], start[polygon + 1]):
            first, end = max(firsts[j] - left, 0), min(ends[j] - left, width)
            size += max(end - first, 0)
    owners, values, measures = np.empty(size, np.int64), np.empty(size), np.empty(size)
    used = 0
    for polygon in polygons:
        j = _first_at(rows, start[polygon], start[polygon + 1], top)
        while j < start[polygon + 1] and rows[j] < top + height:
            row = rows[j] - top
            for column in range(max(firsts[j] - left, 0), min(ends[j] - left, width)):
                value = np.float64(raster[row, column])
                if value == value:
                    owners[used], values[used] = polygon, value
                    measures[used] = weights[row, column]
                    used += 1
            j += 1
        j = _first_at(edge_rows, edge_start[polygon], edge_start[polygon + 1], top)
        while j < edge_start[polygon + 1] and edge_rows[j] < top + height:
            row, column = edge_rows[j] - top, edge_columns[j] - left
            if column >= 0 and column < width:
                value = np.float64(raster[row, column])
                if value == value:
                    owners[used], values[used] = polygon, value
                    measures[used] = shares[j] * weights[row, column]
                    used += 1
            j += 1
    return owners[:used], values[:used], measures[:used]


@kernel
def quantiles_in_rows(
    ends: NDArray[np.int64],
    values: NDArray[np.float64],
    measures: NDArray[np.int64],
    quantile: float,
) -> NDArray[np.float64]:
    """Interpolate between values as exactextract does, so that with equal measures it is the usual linear quantile.

    Value i of n different ones in order, with measure w[i] and the sum W[i] of those before it, stands at i w[i] + (n - 1) W[i]; quantile q at
    q (n - 1) times the sum of all.

    Parameters
    ----------
    ends : [row + 1]
        Where the values of each row start; each row has one at least.
    values, measures
        In order of rows, then of values; the measures of a row add up to less than 2^63.
    quantile
        From 0 to 1.
    """
    found = np.empty(ends.size - 1)
    for row in range(found.size):
        begin, end = ends[row], ends[row + 1]
        total, steps = np.int64(0), end - begin - 1
        for i in range(begin, end):
            total += measures[i]
        if total == 0:
            found[row] = np.nan
            continue
        wanted = quantile * steps
        before, position, last = np.int64(0), 0.0, 0.0
        right = end - 1
        for i in range(begin, end):
            last = position
            position = (i - begin) * (measures[i] / total) + steps * (before / total)
            before += measures[i]
            if position > wanted or i == end - 1:
                right = i
                break
        left = max(right - 1, begin)
        gap = position - last if right > begin else 0.0
        share = min(max((wanted - last) / gap, 0.0), 1.0) if gap > 0 else 0.0
        low, high = values[left], values[right]
        if share == 0.0 or (low == -np.inf and share < 1.0 and high < np.inf):
            found[row] = low
        elif share == 1.0:
            found[row] = high
        else:
            found[row] = low + share * (high - low)
    return found
