"""Shares of cells as an operator keeps them, spans of whole cells and edge cells: made of runs, and where they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.coverage import Covered
from carbongrid.raster.kernels.jit import in_place, kernel
from carbongrid.raster.kernels.moments import Edges, Spans

_FAR = 2**31


@kernel
def whole_and_parts(
    counts: NDArray[np.int64], runs: Covered
) -> tuple[
    NDArray[np.int64],
    tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    NDArray[np.int64],
    tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    NDArray[np.float64],
]:
    """Return spans of whole cells and cells in part, given how many runs each polygon has, and the runs.

    Returns
    -------
    int64 [polygon], (int32, int32, int32) [span], int64 [polygon], (int32, int32, float64) [cell], float64 [polygon]
        How many spans each polygon has; their rows, first and end columns; how many cells in part; their rows, columns and shares; and the sum of all shares.
    """
    rows, columns, lengths, shares = runs
    spans, cells = 0, 0
    for run in range(rows.size):
        if shares[run] == 1.0:
            spans += 1
        else:
            cells += lengths[run]
    of_spans, of_cells = np.zeros(counts.size, np.int64), np.zeros(counts.size, np.int64)
    row, first, end = (
        np.empty(spans, np.int32),
        np.empty(spans, np.int32),
        np.empty(spans, np.int32),
    )
    edge_row, column, share = np.empty(cells, np.int32), np.empty(cells, np.int32), np.empty(cells)
    sums = np.zeros(counts.size)
    run, spans, cells = 0, 0, 0
    for polygon in range(counts.size):
        for _ in range(counts[polygon]):
            sums[polygon] += lengths[run] * shares[run]
            if shares[run] == 1.0:
                row[spans], first[spans] = rows[run], columns[run]
                end[spans] = columns[run] + lengths[run]
                of_spans[polygon] += 1
                spans += 1
            else:
                for step in range(lengths[run]):
                    edge_row[cells], column[cells] = rows[run], columns[run] + step
                    share[cells] = shares[run]
                    cells += 1
                of_cells[polygon] += lengths[run]
            run += 1
    return of_spans, (row, first, end), of_cells, (edge_row, column, share), sums


@in_place
def _add_extents(spans: Spans, edges: Edges, found: NDArray[np.int64]) -> None:
    start, rows, firsts, ends = spans
    edge_start, edge_rows, columns, _ = edges
    for i in range(start.size - 1):
        begin, end = start[i], start[i + 1]
        edge, last = edge_start[i], edge_start[i + 1]
        if begin == end and edge == last:
            continue
        left, right = np.int64(_FAR), np.int64(0)
        for j in range(begin, end):
            left, right = min(left, firsts[j]), max(right, ends[j])
        for j in range(edge, last):
            left, right = min(left, columns[j]), max(right, columns[j] + 1)
        top, bottom = np.int64(_FAR), np.int64(0)
        if begin < end:
            top, bottom = rows[begin], rows[end - 1] + 1
        if edge < last:
            top, bottom = min(top, edge_rows[edge]), max(bottom, edge_rows[last - 1] + 1)
        found[i, 0], found[i, 1], found[i, 2], found[i, 3] = top, left, bottom, right


@kernel
def extents_of(spans: Spans, edges: Edges) -> NDArray[np.int64]:
    """Return first row, first column, and one past the last row and column of the cells of each polygon [polygon, 4]; 0 where it has none."""
    found = np.zeros((spans[0].size - 1, 4), np.int64)
    _add_extents(spans, edges, found)
    return found
