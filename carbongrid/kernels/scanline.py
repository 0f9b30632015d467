"""Scanline rasterizer: polygons burnt into a window of a larger grid, cell for cell as GDAL burns the whole grid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel

Starts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

# Below this length insertion beats a heap.
_SHORT = 24


@kernel
def _sort(values: NDArray[np.int64], first: int, last: int) -> None:
    """Sort values[first:last] in place: by insertion if short, else as a heap, so never quadratic."""
    count = last - first
    if count <= _SHORT:
        for i in range(first + 1, last):
            moved = values[i]
            j = i - 1
            while j >= first and values[j] > moved:
                values[j + 1] = values[j]
                j -= 1
            values[j + 1] = moved
        return
    unsorted = count
    parent = count // 2
    while unsorted > 1:
        if parent > 0:
            parent -= 1
            moved = values[first + parent]
        else:
            unsorted -= 1
            moved = values[first + unsorted]
            values[first + unsorted] = values[first]
        hole = parent
        child = 2 * hole + 1
        while child < unsorted:
            if child + 1 < unsorted and values[first + child + 1] > values[first + child]:
                child += 1
            if values[first + child] <= moved:
                break
            values[first + hole] = values[first + child]
            hole = child
            child = 2 * hole + 1
        values[first + hole] = moved


@kernel
def _rows_crossed(y_a: float, y_b: float, top: int, height: int) -> tuple[int, int]:
    """Rows of the window whose centre c has min(y) <= c < max(y): first, and one past the last.

    Subtracting 0.5 is exact from 0.25 up, and below only rows off the grid could be affected.
    """
    low = max(min(y_a, y_b), top - 1.0)
    high = min(max(y_a, y_b), top + height + 1.0)
    if low >= high:
        return 0, 0
    first = max(math.ceil(low - 0.5) - top, 0)
    last = min(math.ceil(high - 0.5) - top, height)
    return first, last


@kernel
def _column(x: float, left: int, width: int) -> int:
    """Nearest cell border to x, counted from the window's west edge and clipped to the window."""
    return int(min(max(math.floor(x + 0.5) - left, 0.0), float(width)))


@kernel
def _count_crossings(
    y: NDArray[np.float64],
    rings: NDArray[np.int64],
    row_end: NDArray[np.int64],
    top: int,
) -> tuple[int, int]:
    """Set row_end[r] to the crossings in all rows before r; return the range of rows that have any."""
    height = row_end.size - 1
    first_row, last_row = height, 0
    for row in range(height + 1):
        row_end[row] = 0
    for ring in range(rings.size - 1):
        for i in range(rings[ring] + 1 - rings[0], rings[ring + 1] - rings[0]):
            first, last = _rows_crossed(y[i - 1], y[i], top, height)
            if first < last:
                row_end[first] += 1
                row_end[last] -= 1
                first_row = min(first_row, first)
                last_row = max(last_row, last)
    running, total = 0, 0
    for row in range(height + 1):
        running += row_end[row]
        row_end[row] = total
        total += running
    return first_row, last_row


@kernel
def _store_crossings(
    coordinates: tuple[NDArray[np.float64], NDArray[np.float64]],
    rings: NDArray[np.int64],
    row_end: NDArray[np.int64],
    crossings: NDArray[np.int64],
    corner: tuple[int, int],
    width: int,
) -> None:
    """Store the columns of all crossings, row after row; row_end[r] ends as the end of row r."""
    x, y = coordinates
    top, left = corner
    for ring in range(rings.size - 1):
        for i in range(rings[ring] + 1 - rings[0], rings[ring + 1] - rings[0]):
            first, last = _rows_crossed(y[i - 1], y[i], top, row_end.size - 1)
            # As GDAL: from the end with the smaller y.
            j, k = (i - 1, i) if y[i - 1] < y[i] else (i, i - 1)
            run, rise = x[k] - x[j], y[k] - y[j]
            for row in range(first, last):
                centre = top + row + 0.5
                crossing = (centre - y[j]) * run / rise + x[j]
                crossings[row_end[row]] = _column(crossing, left, width)
                row_end[row] += 1


@kernel
def _fill_level_edges(
    window: NDArray[np.uint32],
    coordinates: tuple[NDArray[np.float64], NDArray[np.float64]],
    rings: NDArray[np.int64],
    corner: tuple[int, int],
    label: np.uint32,
) -> None:
    """Fill along horizontal edges that lie on a row of centres and run from east to west.

    In a clockwise ring these are the edges with the inside to their north, whose rows have no crossing.
    """
    x, y = coordinates
    top, left = corner
    height, width = window.shape
    for ring in range(rings.size - 1):
        for i in range(rings[ring] + 1 - rings[0], rings[ring + 1] - rings[0]):
            if y[i - 1] != y[i] or x[i - 1] <= x[i]:
                continue
            row = y[i] - 0.5 - top
            if row < 0 or row >= height or row != math.floor(row):
                continue
            for column in range(_column(x[i], left, width), _column(x[i - 1], left, width)):
                window[int(row), column] = label


@kernel
def _burn_part(
    window: NDArray[np.uint32],
    coordinates: tuple[NDArray[np.float64], NDArray[np.float64]],
    rings: NDArray[np.int64],
    corner: tuple[int, int],
    label: np.uint32,
    scratch: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Burn one part, whose vertices are in cells of the whole grid; return the (perhaps enlarged) buffer."""
    row_end, crossings = scratch
    first_row, last_row = _count_crossings(coordinates[1], rings, row_end, corner[0])
    total = row_end[row_end.size - 1]
    if total > crossings.size:
        crossings = np.empty(2 * total, np.int64)
    if total > 0:
        _store_crossings(coordinates, rings, row_end, crossings, corner, window.shape[1])
    for row in range(first_row, last_row):
        first = row_end[row - 1] if row > 0 else 0
        last = row_end[row]
        _sort(crossings, first, last)
        for pair in range(first, last - 1, 2):
            for column in range(crossings[pair], crossings[pair + 1]):
                window[row, column] = label
    _fill_level_edges(window, coordinates, rings, corner, label)
    return crossings


@kernel
def _to_cells(
    vertices: tuple[NDArray[np.float64], NDArray[np.float64]],
    begin: int,
    size: int,
    inverse: tuple[float, float, float, float],
    cells: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[float, float, float, float]:
    """Transform vertices to cells of the whole grid; return the least and largest row and column."""
    x, y = vertices
    px, py = cells
    low, high, west, east = np.inf, -np.inf, np.inf, -np.inf
    for i in range(size):
        px[i] = inverse[0] + x[begin + i] * inverse[1]
        py[i] = inverse[2] + y[begin + i] * inverse[3]
        low, high = min(low, py[i]), max(high, py[i])
        west, east = min(west, px[i]), max(east, px[i])
    return low, high, west, east


@kernel
def burn(
    window: NDArray[np.uint32],
    corner: tuple[int, int],
    inverse: tuple[float, float, float, float],
    vertices: tuple[NDArray[np.float64], NDArray[np.float64]],
    starts: Starts,
    labels: NDArray[np.uint32],
) -> None:
    """Burn polygon i with labels[i] into the window whose first cell is cell ``corner`` (row, column) of the grid.

    Coordinates go to cells of the whole grid by x' = inverse[0] + x * inverse[1], y' = inverse[2] + y * inverse[3], so every
    window sees the same numbers. Crossings are counted, then stored, so no polygon overflows a buffer and the cost is
    vertices + crossings + cells filled. Later polygons win; the parts of one polygon are united.
    """
    ring_start, part_start, row_start = starts
    top, left = corner
    height, width = window.shape
    row_end = np.empty(height + 1, np.int64)
    crossings = np.empty(1024, np.int64)
    px, py = np.empty(1024), np.empty(1024)
    for row in range(row_start.size - 1):
        for part in range(row_start[row], row_start[row + 1]):
            rings = ring_start[part_start[part] : part_start[part + 1] + 1]
            size = rings[rings.size - 1] - rings[0]
            if size > px.size:
                px, py = np.empty(2 * size), np.empty(2 * size)
            low, high, west, east = _to_cells(vertices, rings[0], size, inverse, (px, py))
            if high < top or low > top + height or east < left or west > left + width:
                continue
            first = int(max(math.ceil(low - 0.5) - top, 0.0))
            last = int(min(math.floor(high - 0.5) + 1.0 - top, float(height)))
            if first < last:
                crossings = _burn_part(
                    window[first:last],
                    (px, py),
                    rings,
                    (top + first, left),
                    labels[row],
                    (row_end[: last - first + 1], crossings),
                )
