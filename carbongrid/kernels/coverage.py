"""Exact area of polygons in the cells of a grid: signed edge terms and one prefix sum per row."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel
from carbongrid.kernels.scanline import Starts

Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]

# Heights inside a row of cells are multiples of 2^-44 cell (0.06 nm at 1 km), so that signed heights that should cancel
# cancel exactly, and a cell outside gets nothing rather than 1e-16.
_QUANTUM = 2.0**-44
# A touched cell with less than this part of the polygon's area holds rounding, not land; of a large polygon's, with less than
# that part of the cell: its area is no measure of what rounding does to one cell.
_NOTHING = 1e-12
_NOTHING_OF_CELL = 1e-9


@kernel
def _height(y: float, row: int) -> float:
    return float(min(max(np.rint((y - row) / _QUANTUM) * _QUANTUM, 0.0), 1.0))


@kernel
def _add_event(events: Events, used: int, row: int, column: int, cover: float, area: float) -> int:
    rows, columns, covers, areas = events
    rows[used], columns[used], covers[used], areas[used] = row, column, cover, area
    return used + 1


@kernel
def _add_row_piece(
    events: Events,
    used: int,
    row: int,
    width: int,
    start: tuple[float, float],
    end: tuple[float, float],
) -> int:
    """Add the signed terms of an edge piece inside one row; points are (x, height in the row).

    A piece of height h moves h of every cell to its east from outside to inside, and of its own cell the part to its
    east. West of the grid it counts for all cells of the row, east of the grid for none.
    """
    if start[1] == end[1]:
        return used
    (x1, t1), (x2, t2) = start, end
    sign = 1.0
    if x1 > x2:
        x1, t1, x2, t2 = x2, t2, x1, t1
        sign = -1.0
    here, height = x1, t1
    column = math.floor(min(max(x1, -1.0), float(width)))
    while column < width:
        border = float(column + 1) if column >= 0 else 0.0
        if border >= x2:
            next_x, next_height = x2, t2
        else:
            next_x = border
            next_height = _height(t1 + (border - x1) * ((t2 - t1) / (x2 - x1)), 0)
            next_height = min(max(next_height, min(t1, t2)), max(t1, t2))
        cover = sign * (next_height - height)
        if column < 0:
            used = _add_event(events, used, row, 0, cover, cover)
        else:
            east = column + 1.0 - 0.5 * (here + next_x)
            used = _add_event(events, used, row, column, cover, cover * east)
        if border >= x2:
            break
        here, height = next_x, next_height
        column = max(column + 1, 0)
    return used


@kernel
def _add_edge(
    events: Events,
    used: int,
    shape: tuple[int, int],
    a: tuple[float, float],
    b: tuple[float, float],
) -> int:
    """Add the terms of the edge from a to b (x, y in cells), row by row."""
    (xa, ya), (xb, yb) = a, b
    if ya == yb:
        return used
    slope = (xb - xa) / (yb - ya)
    low, high = min(ya, yb), max(ya, yb)
    first = math.floor(min(max(low, 0.0), float(shape[0])))
    last = math.ceil(max(min(high, float(shape[0])), 0.0))
    for row in range(first, last):
        y1 = max(low, float(row))
        y2 = min(high, row + 1.0)
        # The edge's own ends are taken as they are; only cuts are computed.
        x1 = (xa if ya < yb else xb) if y1 == low else xa + (y1 - ya) * slope
        x2 = (xb if ya < yb else xa) if y2 == high else xa + (y2 - ya) * slope
        top, bottom = (x1, _height(y1, row)), (x2, _height(y2, row))
        if ya < yb:
            used = _add_row_piece(events, used, row, shape[1], top, bottom)
        else:
            used = _add_row_piece(events, used, row, shape[1], bottom, top)
    return used


@kernel
def _most_events(
    px: NDArray[np.float64], py: NDArray[np.float64], size: int, shape: tuple[int, int]
) -> int:
    """Bound the terms of consecutive vertices: a row makes at most three more pieces than the columns it passes."""
    total = 0
    for i in range(1, size):
        low, high = min(py[i - 1], py[i]), max(py[i - 1], py[i])
        rows = math.ceil(max(min(high, float(shape[0])), 0.0)) - math.floor(
            min(max(low, 0.0), float(shape[0]))
        )
        west, east = min(px[i - 1], px[i]), max(px[i - 1], px[i])
        columns = math.ceil(max(min(east, float(shape[1])), 0.0)) - math.floor(
            min(max(west, 0.0), float(shape[1]))
        )
        if rows > 0:
            total += 3 * rows + max(columns, 0)
    return total


@kernel
def _by_row(rows: NDArray[np.int64], used: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the order of the terms by row, where each row ends in it, and the first row."""
    first, last = rows[0], rows[0]
    for i in range(used):
        first, last = min(first, rows[i]), max(last, rows[i])
    end = np.zeros(last - first + 1, np.int64)
    for i in range(used):
        end[rows[i] - first] += 1
    total = 0
    for row in range(end.size):
        total, end[row] = total + end[row], total
    order = np.empty(used, np.int64)
    for i in range(used):
        row = rows[i] - first
        order[end[row]] = i
        end[row] += 1
    return order, end, first


@kernel
def _sweep(
    events: Events,
    chosen: NDArray[np.int64],
    line: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
    least: float,
    cells: NDArray[np.int64],
    shares: NDArray[np.float64],
) -> int:
    """Add up one row from west to east; return how many cells were written to cells and shares."""
    _, columns, covers, areas = events
    cover, area, touched = line
    first, last = columns[chosen[0]], columns[chosen[0]]
    for i in chosen:
        column = columns[i]
        cover[column] += covers[i]
        area[column] += areas[i]
        touched[column] = True
        first, last = min(first, column), max(last, column)
    count = 0
    inside = 0.0
    # What remains past the last touched cell belongs to a polygon that goes on beyond the grid.
    for column in range(first, touched.size):
        if column > last and inside < _QUANTUM:
            break
        share = inside
        # Where nothing touches, heights have cancelled exactly.
        lowest = 0.0
        if touched[column]:
            lowest = least
            share = inside + area[column]
            inside += cover[column]
            cover[column], area[column], touched[column] = 0.0, 0.0, False
        if share > lowest:
            cells[count] = column
            shares[count] = min(share, 1.0)
            count += 1
    return count


@kernel
def _enlarged(events: Events, used: int, size: int) -> Events:
    rows, columns = np.empty(size, np.int64), np.empty(size, np.int64)
    covers, areas = np.empty(size), np.empty(size)
    for i in range(used):
        rows[i], columns[i] = events[0][i], events[1][i]
        covers[i], areas[i] = events[2][i], events[3][i]
    return rows, columns, covers, areas


@kernel
def _polygon_events(
    vertices: tuple[NDArray[np.float64], NDArray[np.float64]],
    rings: tuple[NDArray[np.int64], NDArray[np.bool_]],
    shape: tuple[int, int],
    events: Events,
) -> tuple[Events, int, float]:
    """Return the terms of all rings of one polygon (in a buffer large enough), their number, and the area in cells."""
    ring_start, hole = rings
    used = 0
    whole = 0.0
    for ring in range(hole.size):
        px = vertices[0][ring_start[ring] : ring_start[ring + 1]]
        py = vertices[1][ring_start[ring] : ring_start[ring + 1]]
        need = used + _most_events(px, py, px.size, shape)
        if need > events[0].size:
            events = _enlarged(events, used, 2 * need)
        sign = -0.5 if hole[ring] else 0.5
        for i in range(1, px.size):
            a, b = (px[i - 1], py[i - 1]), (px[i], py[i])
            whole += sign * ((a[0] - px[0]) * (b[1] - py[0]) - (b[0] - px[0]) * (a[1] - py[0]))
            # With y downwards a clockwise shell comes up along its west side: backwards is positive.
            if hole[ring]:
                used = _add_edge(events, used, shape, a, b)
            else:
                used = _add_edge(events, used, shape, b, a)
    return events, used, abs(whole)


@kernel
def cover_cells(
    vertices: tuple[NDArray[np.float64], NDArray[np.float64]],
    starts: Starts,
    hole: NDArray[np.bool_],
    shape: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return, as CSR (start, cell, share), which part of each cell (row * width + column) each valid polygon covers.

    Vertices are in cells from the grid's north-west corner, y to the south. Rings are clockwise; holes are taken off.
    """
    ring_start, part_start, row_start = starts
    width = shape[1]
    start = np.zeros(row_start.size, np.int64)
    cells, shares = np.empty(1024, np.int64), np.empty(1024)
    line = (np.zeros(width), np.zeros(width), np.zeros(width, np.bool_))
    events = (np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256), np.empty(256))
    total = 0
    for polygon in range(row_start.size - 1):
        first_ring, last_ring = part_start[row_start[polygon]], part_start[row_start[polygon + 1]]
        rings = (ring_start[first_ring : last_ring + 1], hole[first_ring:last_ring])
        events, used, whole = _polygon_events(vertices, rings, shape, events)
        start[polygon + 1] = total
        if used == 0:
            continue
        least = min(_NOTHING * whole, _NOTHING_OF_CELL)
        order, end, first = _by_row(events[0], used)
        for row in range(end.size):
            chosen = order[(end[row - 1] if row > 0 else 0) : end[row]]
            if chosen.size == 0:
                continue
            if total + width > cells.size:
                larger, room = (
                    np.empty(2 * (total + width), np.int64),
                    np.empty(2 * (total + width)),
                )
                for i in range(total):
                    larger[i], room[i] = cells[i], shares[i]
                cells, shares = larger, room
            count = _sweep(events, chosen, line, least, cells[total:], shares[total:])
            for i in range(total, total + count):
                cells[i] += (first + row) * width
            total += count
        start[polygon + 1] = total
    return start, cells[:total], shares[:total]


@kernel
def spread_evenly(
    vertices: tuple[NDArray[np.float64], NDArray[np.float64]],
    starts: Starts,
    hole: NDArray[np.bool_],
    amounts: NDArray[np.float64],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float64], int]:
    """Return the sum in each cell of amounts spread evenly over the area of each valid polygon, and the first with no area, or -1.

    Terms of all polygons are added up before the one prefix sum, so nothing is kept of a single polygon.
    """
    ring_start, part_start, row_start = starts
    cover, field = np.zeros(shape), np.zeros(shape)
    events = (np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256), np.empty(256))
    lost = -1
    for polygon in range(row_start.size - 1):
        if amounts[polygon] == 0.0:
            continue
        first_ring, last_ring = part_start[row_start[polygon]], part_start[row_start[polygon + 1]]
        rings = (ring_start[first_ring : last_ring + 1], hole[first_ring:last_ring])
        events, used, whole = _polygon_events(vertices, rings, shape, events)
        if whole == 0.0:
            lost = polygon if lost < 0 else lost
            continue
        density = amounts[polygon] / whole
        rows, columns, covers, areas = events
        for i in range(used):
            cover[rows[i], columns[i]] += density * covers[i]
            field[rows[i], columns[i]] += density * areas[i]
    for row in range(shape[0]):
        inside = 0.0
        for column in range(shape[1]):
            field[row, column] += inside
            inside += cover[row, column]
    return field, lost
