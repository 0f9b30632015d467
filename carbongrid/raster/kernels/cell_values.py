"""Values of the cells that polygons have, with the measure of each: what quantiles and classes are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel
from carbongrid.raster.kernels.moments import Edges, Spans

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


@helper
def _with_room(cells: Cells, used: int) -> Cells:
    size = 2 * cells[0].size
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
def _in_order(cells: Cells, begin: int, used: int) -> int:
    """Put the last polygon's cells in order of their values, each value once; return how many cells there are now."""
    _, values, measures = cells
    mine, measure = values[begin:used].copy(), measures[begin:used].copy()
    now = begin
    for i in np.argsort(mine):
        if now > begin and values[now - 1] == mine[i]:
            measures[now - 1] += measure[i]
        else:
            # Of zeros there is one, without a sign.
            values[now], measures[now] = mine[i] + 0.0, measure[i]
            now += 1
    return now


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
    (top, left), (height, width) = corner, raster.shape
    cells = (np.empty(1024, np.int64), np.empty(1024), np.empty(1024, np.int64))
    start, rows, firsts, ends = spans
    edge_start, edge_rows, edge_columns, shares = edges
    used = 0
    for polygon in polygons:
        begin = used
        j = _first_at(rows, start[polygon], start[polygon + 1], top)
        while j < start[polygon + 1] and rows[j] < top + height:
            row = rows[j] - top
            measure = np.int64(np.rint(scales[polygon] * factors[rows[j]]))
            first, end = max(firsts[j] - left, 0), min(ends[j] - left, width)
            while used + max(end - first, 0) > cells[0].size:
                cells = _with_room(cells, used)
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
                    if used == cells[0].size:
                        cells = _with_room(cells, used)
                    measure = np.int64(
                        np.rint(scales[polygon] * (shares[j] * factors[edge_rows[j]]))
                    )
                    used = _add(cells, used, begin, polygon, value, measure)
            j += 1
        used = _in_order(cells, begin, used)
    return cells[0][:used], cells[1][:used], cells[2][:used]
