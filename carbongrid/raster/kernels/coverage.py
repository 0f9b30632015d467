"""Exact area of polygons in the cells of a grid: signed edge terms and one prefix sum per row."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel
from carbongrid.raster.kernels.scanline import Starts, Vertices
from carbongrid.raster.kernels.vectors import first_of

Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""Row and column of each term, the height that it moves from outside to inside east of its cell, and the area inside it."""

Covered = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Runs of cells of one row, one polygon after the other: the first cell (row * width + column), how many there are, and the part of each that is covered."""

Land = tuple[Vertices, Starts, tuple[float, float, float]]
"""Vertices in the CRS, where rings, parts and rows start, and west, north and cell side of a grid."""

# Heights inside a row of cells are multiples of 2^-44 cell (0.06 nm at 1 km), so that signed heights that should cancel
# cancel exactly, and a cell outside gets nothing rather than 1e-16.
_QUANTUM = 2.0**-44
_ROUNDING = 1.5 * 2.0**8
# A touched cell with less than this part of the polygon's area holds rounding, not land; of a large polygon's, with less than
# that part of the cell: its area is no measure of what rounding does to one cell.
_NOTHING = 1e-12
_NOTHING_OF_CELL = 1e-9
# Up to this number insertion beats counting.
_SHORT = 32


@helper
def _height(y: float, row: int) -> float:
    return float(min(max(np.rint((y - row) / _QUANTUM) * _QUANTUM, 0.0), 1.0))


@helper
def _add_event(events: Events, used: int, row: int, column: int, cover: float, area: float) -> int:
    rows, columns, covers, areas = events
    rows[used], columns[used], covers[used], areas[used] = row, column, cover, area
    return used + 1


@helper
def _add_row_piece(
    events: Events, used: int, row: int, width: int, start: tuple[float, float], end: tuple[float, float]
) -> int:  # fmt: skip
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


@helper
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
    down = ya < yb
    x_low, low, x_high, high = (xa, ya, xb, yb) if down else (xb, yb, xa, ya)
    west, east = min(xa, xb), max(xa, xb)
    first = math.floor(min(max(low, 0.0), float(shape[0])))
    last = math.ceil(max(min(high, float(shape[0])), 0.0))
    x1 = x_low
    if low < first:
        x1 = min(max(_cut(x_low, low, x_high, high, slope, float(first)), west), east)
    for row in range(first, last):
        y1 = max(low, float(row))
        y2 = min(high, row + 1.0)
        if y2 == high:
            x2 = x_high
        else:
            # Never back: rounding of a far end could otherwise make an edge pass columns twice.
            x2 = _cut(x_low, low, x_high, high, slope, y2)
            x2 = min(max(x2, min(x1, x_high)), max(x1, x_high))
        top, bottom = (x1, _height(y1, row)), (x2, _height(y2, row))
        if down:
            used = _add_row_piece(events, used, row, shape[1], top, bottom)
        else:
            used = _add_row_piece(events, used, row, shape[1], bottom, top)
        x1 = x2
    return used


@helper
def _cut(x_low: float, low: float, x_high: float, high: float, slope: float, y: float) -> float:
    """Where an edge crosses y, from the end that is nearer to it."""
    if y - low < high - y:
        return x_low + (y - low) * slope
    return x_high - (high - y) * slope


@helper
def _by_row(rows: NDArray[np.int64], used: int, order: NDArray[np.int64]) -> None:
    """Put the order of the terms by row, those of a row as they came, into order[:used]."""
    if used <= _SHORT:
        for i in range(used):
            j = i
            while j > 0 and rows[order[j - 1]] > rows[i]:
                order[j] = order[j - 1]
                j -= 1
            order[j] = i
        return
    first, last = rows[0], rows[0]
    for i in range(used):
        first, last = min(first, rows[i]), max(last, rows[i])
    end = np.zeros(last - first + 1, np.int64)
    for i in range(used):
        end[rows[i] - first] += 1
    total = 0
    for row in range(end.size):
        total, end[row] = total + end[row], total
    for i in range(used):
        row = rows[i] - first
        order[end[row]] = i
        end[row] += 1


@helper
def _next_touched(touched: NDArray[np.uint64], column: int, width: int) -> int:
    while column < width:
        met = touched[column >> 6] >> np.uint64(column & 63)
        if met != 0:
            return column + int(first_of(met))
        column = (column | 63) + 1
    return width


@helper
def _sweep(
    events: Events,
    chosen: NDArray[np.int64],
    line: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]],
    least: float,
    covered: Covered,
    count: int,
) -> int:
    """Add up one row from west to east; return how many runs there are now."""
    rows, columns, covers, areas = events
    cells, lengths, shares = covered
    cover, area, touched = line
    width = cover.size
    column = columns[chosen[0]]
    for i in chosen:
        at = columns[i]
        cover[at] += covers[i]
        area[at] += areas[i]
        touched[at >> 6] |= np.uint64(1) << np.uint64(at & 63)
        column = min(column, at)
    row = rows[chosen[0]] * width
    begin, inside = count, 0.0
    while column < width:
        until = _next_touched(touched, column, width)
        share = min(inside, 1.0)
        # Where nothing touches, heights have cancelled exactly, as long as fewer than 512 turns go around a cell. What
        # remains past the last touched cell belongs to a polygon that goes on beyond the grid.
        if until == width and inside < _QUANTUM:
            break
        if until > column and share > 0.0:
            count = _add_run((cells, lengths, shares), begin, count, row + column, until - column, share)  # fmt: skip
        if until < width:
            share = min(inside + area[until], 1.0)
            inside += cover[until]
            cover[until], area[until] = 0.0, 0.0
            touched[until >> 6] &= ~(np.uint64(1) << np.uint64(until & 63))
            if share > least:
                count = _add_run((cells, lengths, shares), begin, count, row + until, 1, share)
        column = until + 1
    return count


@helper
def _add_run(
    covered: Covered, begin: int, count: int, first: int, length: int, share: float
) -> int:
    """Append a run; whole cells beside whole cells of the same row are one."""
    cells, lengths, shares = covered
    whole = count > begin and share == 1.0 and shares[count - 1] == 1.0
    if whole and cells[count - 1] + lengths[count - 1] == first:
        lengths[count - 1] += length
        return count
    cells[count], lengths[count], shares[count] = first, length, share
    return count + 1


@helper
def _enlarged(events: Events, used: int, size: int) -> Events:
    rows, columns = np.empty(size, np.int64), np.empty(size, np.int64)
    covers, areas = np.empty(size), np.empty(size)
    for i in range(used):
        rows[i], columns[i] = events[0][i], events[1][i]
        covers[i], areas[i] = events[2][i], events[3][i]
    return rows, columns, covers, areas


@helper
def _with_room(covered: Covered, used: int, size: int) -> Covered:
    cells, lengths, shares = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)
    for i in range(used):
        cells[i], lengths[i], shares[i] = covered[0][i], covered[1][i], covered[2][i]
    return cells, lengths, shares


@helper
def _cell(place: float, size: int) -> int:
    """Row or column that holds a place; -1 before the grid, size behind it."""
    return int(np.floor(min(max(place, -1.0), float(size))))


@helper
def _most_terms(rows: int, columns: int) -> int:
    """Bound the terms of an edge: a row makes at most three more than the columns that the edge passes."""
    return 3 * (abs(rows) + 1) + abs(columns) + 1


@helper
def _add_cell(
    events: Events, used: int, place: tuple[int, int], shape: tuple[int, int], hole: bool, cover: float, area: float
) -> int:  # fmt: skip
    """Add the term of edges that lie inside one cell, or off the grid in line with a row."""
    row, column = place
    if row < 0 or row >= shape[0] or column == shape[1] or (cover == 0.0 and area == 0.0):
        return used
    # With y downwards a clockwise shell comes up along its west side: backwards is positive.
    sign = 1.0 if hole else -1.0
    if column < 0:
        return _add_event(events, used, row, 0, sign * cover, sign * cover)
    return _add_event(events, used, row, column, sign * cover, sign * area)


@helper
def _add_ring(
    ring: tuple[NDArray[np.float64], NDArray[np.float64]],
    hole: bool,
    shape: tuple[int, int],
    events: Events,
    used: int,
) -> tuple[int, float]:
    """Add the terms of a ring (in cells); return how many terms there are now, or -1 if there is no room, and the ring's area.

    Edges that follow each other inside one cell, as most do, are one term.
    """
    px, py = ring
    room = events[0].size
    xa, ya = px[0], py[0]
    row, column = _cell(ya, shape[0]), _cell(xa, shape[1])
    south, east = row + 1.0, column + 1.0
    height = _height(ya, row)
    cover, area, whole = 0.0, 0.0, 0.0
    x_first, y_first, across_a, down_a = xa, ya, 0.0, 0.0
    alone = True
    for i in range(1, px.size):
        xb, yb = px[i], py[i]
        across_b, down_b = xb - x_first, yb - y_first
        whole += across_a * down_b - across_b * down_a
        across_a, down_a = across_b, down_b
        if xb >= column and xb < east and yb >= row and yb < south:
            height_b = (yb - row + _ROUNDING) - _ROUNDING
            cover += height_b - height
            area += (height_b - height) * (east - 0.5 * (xa + xb))
        else:
            alone = False
            row_b, column_b = _cell(yb, shape[0]), _cell(xb, shape[1])
            height_b = _height(yb, row_b)
            if used + _most_terms(row_b - row, column_b - column) > room:
                return -1, whole
            used = _add_cell(events, used, (row, column), shape, hole, cover, area)
            start, end = ((xa, ya), (xb, yb)) if hole else ((xb, yb), (xa, ya))
            used = _add_edge(events, used, shape, start, end)
            row, column, cover, area = row_b, column_b, 0.0, 0.0
            south, east = row + 1.0, column + 1.0
        xa, ya, height = xb, yb, height_b
    if used == room:
        return -1, whole
    if alone and column >= 0:
        # The closed ring never left its cell: its area needs no rounded heights.
        cover, area = 0.0, -0.5 * abs(whole)
    return _add_cell(events, used, (row, column), shape, hole, cover, area), 0.5 * abs(whole)


@helper
def _polygon_events(
    land: Land, polygon: int, shape: tuple[int, int], ring_in_cells: Vertices, events: Events
) -> tuple[Events, int, float]:
    """Return the terms of all rings of one polygon (in a buffer large enough), their number, and the area in cells."""
    (x, y), (ring_start, part_start, row_start), (west, north, side) = land
    px, py = ring_in_cells
    used, whole = 0, 0.0
    for part in range(row_start[polygon], row_start[polygon + 1]):
        for ring in range(part_start[part], part_start[part + 1]):
            begin = ring_start[ring]
            count = ring_start[ring + 1] - begin
            # Subtracted first, so large coordinates keep the bits that division would round away.
            for i in range(count):
                px[i] = (x[begin + i] - west) / side
            for i in range(count):
                py[i] = (north - y[begin + i]) / side
            hole = ring > part_start[part]
            now, area = -1, 0.0
            while now < 0:
                now, area = _add_ring((px[:count], py[:count]), hole, shape, events, used)
                if now < 0:
                    events = _enlarged(events, used, 2 * events[0].size)
            used = now
            whole += -area if hole else area
    return events, used, whole


@helper
def _longest_ring(starts: Starts, rows: tuple[int, int]) -> int:
    ring_start, part_start, row_start = starts
    longest = 0
    for ring in range(part_start[row_start[rows[0]]], part_start[row_start[rows[1]]]):
        longest = max(longest, ring_start[ring + 1] - ring_start[ring])
    return longest


@helper
def _buffers(longest: int) -> tuple[Vertices, Events]:
    events = (np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256), np.empty(256))
    return (np.empty(longest), np.empty(longest)), events


@kernel
def cover_runs(
    land: Land, rows: tuple[int, int], shape: tuple[int, int]
) -> tuple[NDArray[np.int64], Covered, NDArray[np.float64]]:
    """Return how many runs of cells each valid polygon covers, the runs row by row of cells, and the area of each polygon, on the grid or off it, in cells.

    Parameters
    ----------
    land
        Polygons with clockwise rings, and the grid's corner and cell side.
    rows
        First polygon, and one past the last.
    shape
        Rows and columns of the grid.
    """
    width = shape[1]
    counts, wholes = np.zeros(rows[1] - rows[0], np.int64), np.zeros(rows[1] - rows[0])
    runs = (np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024))
    line = (np.zeros(width), np.zeros(width), np.zeros((width >> 6) + 1, np.uint64))
    ring, events = _buffers(_longest_ring(land[1], rows))
    order = np.empty(events[0].size, np.int64)
    total = 0
    for polygon in range(rows[0], rows[1]):
        events, used, whole = _polygon_events(land, polygon, shape, ring, events)
        wholes[polygon - rows[0]] = whole
        if used > order.size:
            order = np.empty(2 * used, np.int64)
        least = min(_NOTHING * whole, _NOTHING_OF_CELL)
        begin = 0
        if used == 1 and events[2][0] == 0.0:
            # Half of all parcels lie in one cell of a coarse grid: there is nothing to sort and to add up.
            share = min(events[3][0], 1.0)
            if share > least:
                if total == runs[0].size:
                    runs = _with_room(runs, total, 2 * total)
                total = _add_run(runs, total, total, events[0][0] * width + events[1][0], 1, share)
                counts[polygon - rows[0]] = 1
            continue
        _by_row(events[0], used, order)
        while begin < used:
            row, end = events[0][order[begin]], begin + 1
            while end < used and events[0][order[end]] == row:
                end += 1
            # A touched cell is a run, and so may be what lies east of it.
            most = total + 2 * (end - begin)
            if most > runs[0].size:
                runs = _with_room(runs, total, 2 * most)
            now = _sweep(events, order[begin:end], line, least, runs, total)
            counts[polygon - rows[0]] += now - total
            total = now
            begin = end
    return counts, (runs[0][:total], runs[1][:total], runs[2][:total]), wholes


@kernel
def spread_evenly(
    land: Land, rows: tuple[int, int], amounts: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], int]:
    """Return the sum in each cell of amounts spread evenly over the area of each valid polygon, and the first with no area, or -1.

    Terms of all polygons are added up before the one prefix sum, so nothing is kept of a single polygon.
    """
    cover, field = np.zeros(shape), np.zeros(shape)
    ring, events = _buffers(_longest_ring(land[1], rows))
    lost = -1
    for polygon in range(rows[0], rows[1]):
        if amounts[polygon] == 0.0:
            continue
        events, used, whole = _polygon_events(land, polygon, shape, ring, events)
        if whole == 0.0:
            lost = polygon if lost < 0 else lost
            continue
        density = amounts[polygon] / whole
        for i in range(used):
            row, column = events[0][i], events[1][i]
            cover[row, column] += density * events[2][i]
            field[row, column] += density * events[3][i]
    for row in range(shape[0]):
        inside = 0.0
        for column in range(shape[1]):
            field[row, column] += inside
            inside += cover[row, column]
    return field, lost
