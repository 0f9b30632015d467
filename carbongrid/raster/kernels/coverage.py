"""Exact area of polygons in the cells of a grid: signed edge terms and one prefix sum per row."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.bins import product
from carbongrid.raster.kernels.jit import helper, in_place, kernel, maker
from carbongrid.raster.kernels.scanline import Starts, Vertices
from carbongrid.raster.kernels.vectors import first_of

Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""Row and column of each term, the height that it moves from outside to inside east of its cell, and the area inside it; columns are counted from the one west of the window."""

Window = tuple[int, int, int, int]
"""First row and column, and one past the last, that are measured, counted from the cell where coordinates are 0."""

Covered = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Runs of cells of one row, one polygon after the other: row and column of the first cell, how many there are, and the part of each that is covered."""

Order = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Room for an order of terms, and for where each row of a grid ends in it."""

Line = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint64]]
"""Height and area of each cell of a row, and a bit for each that is touched: all 0 between rows."""

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
_FURTHEST = 2.0**52
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
    events: Events, used: int, row: int, columns: tuple[int, int], start: tuple[float, float], end: tuple[float, float]
) -> int:  # fmt: skip
    """Add the signed terms of an edge piece inside one row; points are (x, height in the row).

    A piece of height h moves h of every cell to its east from outside to inside, and of its own cell the part to its
    east. West of the window it counts for all cells of the row, east of it for none.
    """
    west, width = columns
    if start[1] == end[1]:
        return used
    (x1, t1), (x2, t2) = start, end
    sign = 1.0
    if x1 > x2:
        x1, t1, x2, t2 = x2, t2, x1, t1
        sign = -1.0
    here, height = x1, t1
    column = math.floor(min(max(x1, west - 1.0), float(width)))
    while column < width:
        border = float(column + 1)
        if border >= x2:
            next_x, next_height = x2, t2
        else:
            next_x = border
            next_height = _height(t1 + (border - x1) * ((t2 - t1) / (x2 - x1)), 0)
            next_height = min(max(next_height, min(t1, t2)), max(t1, t2))
        cover = sign * (next_height - height)
        # West of the window only the height counts.
        east = border - 0.5 * (here + next_x)
        used = _add_event(events, used, row, column - west + 1, cover, cover * east)
        if border >= x2:
            break
        here, height = next_x, next_height
        column += 1
    return used


@helper
def _add_edge(
    events: Events,
    used: int,
    window: Window,
    a: tuple[float, float],
    b: tuple[float, float],
) -> int:
    """Add the terms of the edge from a to b (x, y in cells), row by row; in a row they are the same for any window."""
    if a[1] == b[1]:
        return used
    down = a[1] < b[1]
    low, high = (a, b) if down else (b, a)
    first = math.floor(min(max(low[1], float(window[0])), float(window[2])))
    last = math.ceil(max(min(high[1], float(window[2])), float(window[0])))
    columns = (window[1], window[3])
    x_middle = _x_before_middle(low, high)
    x1 = _cut(low, high, x_middle, float(first)) if low[1] < first else low[0]
    for row in range(first, last):
        y1 = max(low[1], float(row))
        y2 = min(high[1], row + 1.0)
        x2 = high[0] if y2 == high[1] else _cut(low, high, x_middle, y2)
        top, bottom = (x1, _height(y1, row)), (x2, _height(y2, row))
        if down:
            used = _add_row_piece(events, used, row, columns, top, bottom)
        else:
            used = _add_row_piece(events, used, row, columns, bottom, top)
        x1 = x2
    return used


@helper
def _x_before_middle(low: tuple[float, float], high: tuple[float, float]) -> float:
    """Return where an edge crosses the last border of rows that is nearer to its low end; its low end where there is none."""
    if high[1] - low[1] <= 1.0:
        # It crosses one border at most: from the high end it is cut there only where that lies beyond the middle.
        return low[0]
    # One border before the middle, but for rounding: where edges reach far, numbers beside each other are many rows apart.
    before = after = float(np.floor(0.5 * (low[1] + high[1])))
    step = 1.0
    while not before - low[1] < high[1] - before:
        before -= step
        step *= 2.0
    step = 1.0
    while after - low[1] < high[1] - after:
        after += step
        step *= 2.0
    while True:
        y = float(np.floor(0.5 * (before + after)))
        if y in (before, after):
            break
        if y - low[1] < high[1] - y:
            before = y
        else:
            after = y
    return _cut(low, high, low[0], before) if before > low[1] else low[0]


@helper
def _cut(low: tuple[float, float], high: tuple[float, float], x_middle: float, y: float) -> float:
    """Where an edge crosses y, from the end that is nearer to it.

    Never back: rounding of a far end could otherwise make an edge pass columns twice. From each end places go one way; those from the high end
    begin where the others ended.
    """
    slope = (high[0] - low[0]) / (high[1] - low[1])
    if y - low[1] < high[1] - y:
        x, start = low[0] + (y - low[1]) * slope, low[0]
    else:
        x, start = high[0] - (high[1] - y) * slope, x_middle
    return min(max(x, min(start, high[0])), max(start, high[0]))


@helper
def _by_row(
    rows: NDArray[np.int64], used: int, order: NDArray[np.int64], end: NDArray[np.int64]
) -> None:
    """Put the order of the terms by row, those of a row as they came, into order[:used]; ``end`` has room for each row."""
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
    count = last - first + 1
    end[:count] = 0
    for i in range(used):
        end[rows[i] - first] += 1
    total = 0
    for row in range(count):
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
    line: Line,
    row: int,
    least: float,
    covered: Covered,
    count: int,
) -> int:
    """Add up one row of the grid from west to east; return how many runs there are now."""
    _, columns, covers, areas = events
    cover, area, touched = line
    width = cover.size
    column, inside = width, 0.0
    for i in chosen:
        at = columns[i]
        if at == 0:
            inside += covers[i]
            continue
        cover[at] += covers[i]
        area[at] += areas[i]
        touched[at >> 6] |= np.uint64(1) << np.uint64(at & 63)
        column = min(column, at)
    if inside != 0.0:
        column = 1
    begin = count
    while column < width:
        until = _next_touched(touched, column, width)
        share = min(inside, 1.0)
        # Where nothing touches, heights have cancelled exactly, as long as fewer than 512 turns go around a cell. What
        # remains past the last touched cell belongs to a polygon that goes on beyond the grid.
        if until == width and inside < _QUANTUM:
            break
        if until > column and share > least:
            count = _add_run(covered, begin, count, (row, column - 1), until - column, share)  # fmt: skip
        if until < width:
            share = min(inside + area[until], 1.0)
            inside += cover[until]
            cover[until], area[until] = 0.0, 0.0
            touched[until >> 6] &= ~(np.uint64(1) << np.uint64(until & 63))
            if share > least:
                count = _add_run(covered, begin, count, (row, until - 1), 1, share)
        column = until + 1
    return count


@helper
def _add_run(
    covered: Covered, begin: int, count: int, first: tuple[int, int], length: int, share: float
) -> int:
    """Append a run; whole cells beside whole cells of the same row are one."""
    rows, columns, lengths, shares = covered
    whole = count > begin and share == 1.0 and shares[count - 1] == 1.0
    if whole and columns[count - 1] + lengths[count - 1] == first[1]:
        lengths[count - 1] += length
        return count
    rows[count], columns[count] = first
    lengths[count], shares[count] = length, share
    return count + 1


@maker
def _runs(size: int) -> Covered:
    return (
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty(size),
    )


@maker
def _with_room(covered: Covered, used: int, size: int) -> Covered:
    larger = _runs(size)
    for i in range(used):
        larger[0][i], larger[1][i] = covered[0][i], covered[1][i]
        larger[2][i], larger[3][i] = covered[2][i], covered[3][i]
    return larger


@helper
def _cell(place: float, first: int, end: int) -> int:
    """Row or column that holds a place; one before the first where it lies before it, the end behind it."""
    return int(np.floor(min(max(place, first - 1.0), float(end))))


@helper
def _most_terms(rows: int, columns: int) -> int:
    """Bound the terms of an edge: a row makes at most three more than the columns that the edge passes."""
    return 3 * (abs(rows) + 1) + abs(columns) + 1


@helper
def _add_cell(
    events: Events, used: int, place: tuple[int, int], window: Window, hole: bool, cover: float, area: float
) -> int:  # fmt: skip
    """Add the term of edges that lie inside one cell, or off the window in line with a row."""
    row, column = place
    # West of the window only the height counts.
    nothing = cover == 0.0 and (area == 0.0 or column < window[1])
    if row < window[0] or row >= window[2] or column == window[3] or nothing:
        return used
    # With y downwards a clockwise shell comes up along its west side: backwards is positive.
    sign = 1.0 if hole else -1.0
    return _add_event(events, used, row, column - window[1] + 1, sign * cover, sign * area)


@helper
def _add_ring(
    ring: tuple[NDArray[np.float64], NDArray[np.float64]],
    hole: bool,
    window: Window,
    events: Events,
    used: int,
) -> tuple[int, float]:
    """Add the terms of a ring (in cells); return how many terms there are now, or -1 if there is no room, and the ring's area.

    Edges that follow each other inside one cell, as most do, are one term.
    """
    px, py = ring
    room = events[0].size
    xa, ya = px[0], py[0]
    row, column = _cell(ya, window[0], window[2]), _cell(xa, window[1], window[3])
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
            row_b, column_b = _cell(yb, window[0], window[2]), _cell(xb, window[1], window[3])
            height_b = _height(yb, row_b)
            if used + _most_terms(row_b - row, column_b - column) > room:
                return -1, whole
            used = _add_cell(events, used, (row, column), window, hole, cover, area)
            start, end = ((xa, ya), (xb, yb)) if hole else ((xb, yb), (xa, ya))
            used = _add_edge(events, used, window, start, end)
            row, column, cover, area = row_b, column_b, 0.0, 0.0
            south, east = row + 1.0, column + 1.0
        xa, ya, height = xb, yb, height_b
    if used == room:
        return -1, whole
    if alone and column >= window[1]:
        # The closed ring never left its cell: its area needs no rounded heights.
        cover, area = 0.0, -0.5 * abs(whole)
    return _add_cell(events, used, (row, column), window, hole, cover, area), 0.5 * abs(whole)


@helper
def _offset(place: float, corner: float, side: float, cells: float) -> float:
    """Return how far a place lies beyond a border of cells, so many from the corner, in units of the CRS.

    What subtractions and the product are rounded by is added, so that what comes out depends on the border's place alone, not on the corner that it is counted from.
    """
    far = place - corner
    back = far - place
    rest = (place - (far - back)) - (corner + back)
    border, of_border = product(cells, side)
    near = far - border
    back = near - far
    of_near = (far - (near - back)) - (border + back)
    return near + (of_near + (rest - of_border))


@helper
def _border_before(place: float, corner: float, side: float) -> float:
    """Return the number of the last border of cells that is not beyond a place."""
    cells = float(np.floor(min(max((place - corner) / side, -_FURTHEST), _FURTHEST)))
    away = _offset(place, corner, side, cells)
    if away < 0.0:
        return cells - 1.0
    return cells + 1.0 if away >= side else cells


@helper
def _first_cell(land: Land, polygon: int) -> tuple[float, float]:
    """Return row and column of the cell at the north-west corner of a polygon's bounds, also off the grid."""
    (x, y), (ring_start, part_start, row_start), (west, north, side) = land
    begin = ring_start[part_start[row_start[polygon]]]
    end = ring_start[part_start[row_start[polygon + 1]]]
    if begin == end:
        return 0.0, 0.0
    left, top = x[begin], y[begin]
    for i in range(begin, end):
        left, top = min(left, x[i]), max(top, y[i])
    return _border_before(-top, -north, side), _border_before(left, west, side)


@helper
def _polygon_events(
    land: Land, polygon: int, window: Window, origin: tuple[float, float], ring_in_cells: Vertices, events: Events
) -> tuple[int, float]:  # fmt: skip
    """Return how many terms all rings of one polygon have, or -1 if there is no room, and the area in cells; rows and columns count from ``origin``."""
    (x, y), (ring_start, part_start, row_start), (west, north, side) = land
    px, py = ring_in_cells
    used, whole = 0, 0.0
    for part in range(row_start[polygon], row_start[polygon + 1]):
        for ring in range(part_start[part], part_start[part + 1]):
            begin = ring_start[ring]
            count = ring_start[ring + 1] - begin
            # Subtracted first, so large coordinates keep the bits that division would round away. From the corner itself
            # that is all that ``_offset`` does: the same bits.
            if origin[0] == 0.0 and origin[1] == 0.0:
                for i in range(count):
                    px[i] = (x[begin + i] - west) / side
                for i in range(count):
                    py[i] = (north - y[begin + i]) / side
            else:
                for i in range(count):
                    px[i] = _offset(x[begin + i], west, side, origin[1]) / side
                for i in range(count):
                    py[i] = _offset(-y[begin + i], -north, side, origin[0]) / side
            hole = ring > part_start[part]
            used, area = _add_ring((px[:count], py[:count]), hole, window, events, used)
            if used < 0:
                return used, whole
            whole += -area if hole else area
    return used, whole


@helper
def _longest_ring(starts: Starts, rows: tuple[int, int]) -> int:
    ring_start, part_start, row_start = starts
    longest = 0
    for ring in range(part_start[row_start[rows[0]]], part_start[row_start[rows[1]]]):
        longest = max(longest, ring_start[ring + 1] - ring_start[ring])
    return longest


@maker
def _events(size: int) -> Events:
    return np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size), np.empty(size)


@in_place
def _cover_until_full(
    land: Land,
    rows: tuple[int, int],
    shape: tuple[int, int],
    near: bool,
    buffers: tuple[Vertices, Events, Order, Line],
    covered: Covered,
    used: int,
    of_polygons: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> tuple[int, int, tuple[int, int]]:  # fmt: skip
    """Add the runs of polygons as long as there is room; return the first that is left, how many runs there are, and how many terms and runs there must be room for."""
    ring, events, (order, ends), line = buffers
    counts, wholes = of_polygons
    first = rows[1] - counts.size
    for polygon in range(rows[0], rows[1]):
        origin = _first_cell(land, polygon) if near else (0.0, 0.0)
        down, across = int(origin[0]), int(origin[1])
        window = (-down, -across, shape[0] - down, shape[1] - across)
        terms, whole = _polygon_events(land, polygon, window, origin, ring, events)
        if terms < 0:
            # What so many hold is known of no polygon before; a few times more costs a third of its terms again.
            return polygon, used, (4 * events[0].size, 0)
        # A touched cell is a run, and so may be what lies east of it.
        if used + 4 * terms > covered[0].size:
            return polygon, used, (0, used + 4 * terms)
        wholes[polygon - first] = whole
        least = min(_NOTHING * whole, _NOTHING_OF_CELL)
        before, begin = used, 0
        if terms == 1 and events[2][0] == 0.0:
            # Half of all parcels lie in one cell of a coarse grid: there is nothing to sort and to add up.
            share = min(events[3][0], 1.0)
            if share > least:
                cell = (down + events[0][0], events[1][0] - 1)
                used = _add_run(covered, used, used, cell, 1, share)
                counts[polygon - first] = 1
            continue
        _by_row(events[0], terms, order, ends)
        while begin < terms:
            row, end = events[0][order[begin]], begin + 1
            while end < terms and events[0][order[end]] == row:
                end += 1
            used = _sweep(events, order[begin:end], line, down + row, least, covered, used)
            begin = end
        counts[polygon - first] = used - before
    return rows[1], used, (0, 0)


@kernel
def cover_runs(
    land: Land, rows: tuple[int, int], shape: tuple[int, int], near: bool
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
    near
        Count coordinates from a cell near each polygon, not from the grid's corner: shares are then the same bits on any grid with the same borders of cells.
    """
    of_polygons = (np.zeros(rows[1] - rows[0], np.int64), np.zeros(rows[1] - rows[0]))
    width = shape[1] + 1
    line = (np.zeros(width), np.zeros(width), np.zeros((width >> 6) + 1, np.uint64))
    longest = _longest_ring(land[1], rows)
    ring = (np.empty(longest), np.empty(longest))
    events, runs, total, polygon = _events(256), _runs(1024), 0, rows[0]
    order = (np.empty(events[0].size, np.int64), np.empty(shape[0], np.int64))
    while True:
        polygon, total, room = _cover_until_full(
            land, (polygon, rows[1]), shape, near, (ring, events, order, line), runs, total, of_polygons
        )  # fmt: skip
        if polygon == rows[1]:
            break
        if room[0] > events[0].size:
            events, order = _events(room[0]), (np.empty(room[0], np.int64), order[1])
        if room[1] > runs[0].size:
            runs = _with_room(runs, total, 2 * room[1])
    runs = (runs[0][:total], runs[1][:total], runs[2][:total], runs[3][:total])
    return of_polygons[0], runs, of_polygons[1]


@kernel
def each_cell(
    cells: NDArray[np.int64], lengths: NDArray[np.int64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each cell of runs, given the first, and its share."""
    total = 0
    for length in lengths:
        total += length
    each, its_share = np.empty(total, np.int64), np.empty(total)
    at = 0
    for run in range(cells.size):
        for step in range(lengths[run]):
            each[at], its_share[at] = cells[run] + step, shares[run]
            at += 1
    return each, its_share


@in_place
def _spread_until_full(
    land: Land,
    rows: tuple[int, int],
    amounts: NDArray[np.float64],
    ring: Vertices,
    events: Events,
    fields: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[int, int]:
    """Add the terms of polygons times what lies on a cell of each; return the first whose terms had no room, and the first with no area, or -1."""
    cover, field = fields
    window, lost = (0, 0, cover.shape[0], cover.shape[1]), -1
    for polygon in range(rows[0], rows[1]):
        if amounts[polygon] == 0.0:
            continue
        terms, whole = _polygon_events(land, polygon, window, (0.0, 0.0), ring, events)
        if terms < 0:
            return polygon, lost
        if whole == 0.0:
            lost = polygon if lost < 0 else lost
            continue
        density = amounts[polygon] / whole
        for i in range(terms):
            row, column = events[0][i], events[1][i] - 1
            if column < 0:
                cover[row, 0] += density * events[2][i]
                field[row, 0] += density * events[2][i]
                continue
            cover[row, column] += density * events[2][i]
            field[row, column] += density * events[3][i]
    return rows[1], lost


@kernel
def spread_evenly(
    land: Land, rows: tuple[int, int], amounts: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], int]:
    """Return the sum in each cell of amounts spread evenly over the area of each valid polygon, and the first with no area, or -1.

    Terms of all polygons are added up before the one prefix sum, so nothing is kept of a single polygon.
    """
    cover, field = np.zeros(shape), np.zeros(shape)
    longest = _longest_ring(land[1], rows)
    ring, terms = (np.empty(longest), np.empty(longest)), 256
    polygon, lost = rows[0], -1
    while polygon < rows[1]:
        polygon, empty = _spread_until_full(
            land, (polygon, rows[1]), amounts, ring, _events(terms), (cover, field)
        )
        lost = empty if lost < 0 else lost
        terms *= 4
    for row in range(shape[0]):
        inside = 0.0
        for column in range(shape[1]):
            field[row, column] += inside
            inside += cover[row, column]
    return field, lost
