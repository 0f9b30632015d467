"""Scanline rasterizer: polygons to spans of cells, cell for cell as GDAL burns the whole grid.

A span is a stretch of one row: its row in the window, its first column, one past its last column, and whose it is (the
place of its polygon in the list that was scanned).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, in_place, kernel, maker
from carbongrid.raster.kernels.memory import LINE, fetch

Blocks = tuple[NDArray[np.int64], NDArray[np.float64], int]
"""Where each ring's blocks of edges start, west, south, east, north of each, and the edges of a block."""
Starts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
Vertices = tuple[NDArray[np.float64], NDArray[np.float64]]
RawSpans = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
"""Row, first column, end column and owner of each span; as ``scan`` gives them polygon by polygon, so that owners ascend."""

Slots = tuple[NDArray[np.int32], NDArray[np.int32]]
"""How many crossings of each row there are, and the columns of the first few."""

Buffers = tuple[Vertices, NDArray[np.int64], Slots, tuple[NDArray[np.int64], NDArray[np.int64]]]
"""A part's vertices in cells, where its rings end, slots, and where each row's crossings end and the crossings."""

Room = tuple[int, int, int, int]
"""How many ends of rings, vertices, crossings and spans there must be room for."""

# Crossings of a row that a part has at most to take the shorter way.
_SLOTS = 4
# Polygons that are asked for before their turn, and vertices of one.
_AHEAD, _MAX_AHEAD = 8, 512
# Room for spans at first, for each polygon and at most; to grow from less by doubling took a fifteenth of the time.
_SPANS_EACH, _MAX_AT_FIRST = 64, 2**19
# Below this length insertion beats a heap.
_SHORT = 24


@helper
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


@helper
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


@helper
def _column(x: float, left: int, width: int) -> int:
    """Nearest cell border to x, counted from the window's west edge and clipped to the window before it is made an integer."""
    border = np.floor(x + 0.5)
    if border >= left + width:
        return width
    # So that NaN, which an edge of huge coordinates can give, is a border too.
    return int(border) - left if border > left else 0


@helper
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
        for i in range(rings[ring] + 1, rings[ring + 1]):
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


@helper
def _store_crossings(
    cells: Vertices,
    rings: NDArray[np.int64],
    row_end: NDArray[np.int64],
    crossings: NDArray[np.int64],
    corner: tuple[int, int],
    width: int,
) -> int:
    """Store the columns of all crossings, row after row; row_end[r] ends as the end of row r.

    Return how many edges are level on a row of centres and run from east to west.
    """
    x, y = cells
    top, left = corner
    height = row_end.size - 1
    level = 0
    for ring in range(rings.size - 1):
        for i in range(rings[ring] + 1, rings[ring + 1]):
            if y[i - 1] == y[i]:
                level += _is_level(x[i - 1], x[i], y[i] - 0.5 - top, height)
                continue
            first, last = _rows_crossed(y[i - 1], y[i], top, height)
            # As GDAL: from the end with the smaller y.
            j, k = (i - 1, i) if y[i - 1] < y[i] else (i, i - 1)
            run, rise = x[k] - x[j], y[k] - y[j]
            for row in range(first, last):
                crossing = (top + row + 0.5 - y[j]) * run / rise + x[j]
                crossings[row_end[row]] = _column(crossing, left, width)
                row_end[row] += 1
    return level


@helper
def _is_level(x_a: float, x_b: float, row: float, height: int) -> bool:
    """Whether a horizontal edge lies on a row of centres of the window and runs from east to west.

    In a clockwise ring such an edge has the inside to its north, where its row has no crossing; GDAL fills along it.
    """
    return x_a > x_b and row >= 0 and row < height and row == math.floor(row)


@helper
def _add_level_edges(
    cells: Vertices,
    rings: NDArray[np.int64],
    window: tuple[int, int, int, int],
    spans: RawSpans,
    used: int,
    owner: int,
) -> int:
    x, y = cells
    top, left, height, width = window
    rows, firsts, ends, owners = spans
    for ring in range(rings.size - 1):
        for i in range(rings[ring] + 1, rings[ring + 1]):
            row = y[i] - 0.5 - top
            if y[i - 1] != y[i] or not _is_level(x[i - 1], x[i], row, height):
                continue
            first, end = _column(x[i], left, width), _column(x[i - 1], left, width)
            if first < end:
                rows[used], firsts[used], ends[used], owners[used] = int(row), first, end, owner
                used += 1
    return used


@maker
def _spans(size: int) -> RawSpans:
    return (
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
    )


@maker
def _enlarged(spans: RawSpans, used: int, size: int) -> RawSpans:
    larger = _spans(size)
    for i in range(used):
        larger[0][i], larger[1][i] = spans[0][i], spans[1][i]
        larger[2][i], larger[3][i] = spans[2][i], spans[3][i]
    return larger


@helper
def _to_cells(
    vertices: Vertices,
    span: tuple[int, int],
    inverse: tuple[float, float, float, float],
    cells: Vertices,
    used: int,
) -> int:
    """Transform vertices span[0]:span[1] to cells of the whole grid; return how many there are now."""
    x, y = vertices
    px, py = cells
    count = span[1] - span[0]
    for i in range(count):
        px[used + i] = inverse[0] + x[span[0] + i] * inverse[1]
    for i in range(count):
        py[used + i] = inverse[2] + y[span[0] + i] * inverse[3]
    return used + count


@helper
def _rows_of(cells: Vertices, size: int, window: tuple[int, int, int, int]) -> tuple[int, int]:
    """Return the rows of the window that vertices in cells may touch: first, and one past the last; 0, 0 for none."""
    top, left, height, width = window
    px, py = cells
    low, high, west, east = np.inf, -np.inf, np.inf, -np.inf
    for i in range(size):
        low, high = min(low, py[i]), max(high, py[i])
        west, east = min(west, px[i]), max(east, px[i])
    if not (high >= top and low <= top + height and east >= left and west <= left + width):
        return 0, 0
    # Clipped as floats, since what is far away does not fit an integer.
    first = max(math.ceil(max(low, top - 1.0) - 0.5) - top, 0)
    last = min(math.floor(min(high, top + height + 1.0) - 0.5) + 1 - top, height)
    return first, last


@helper
def _misses(
    box: NDArray[np.float64],
    inverse: tuple[float, float, float, float],
    window: tuple[int, int, int, int],
) -> bool:
    """Whether a box (west, south, east, north) lies wholly on one side of the window."""
    top, left, height, width = window
    west, east = inverse[0] + box[0] * inverse[1], inverse[0] + box[2] * inverse[1]
    low, high = inverse[2] + box[3] * inverse[3], inverse[2] + box[1] * inverse[3]
    return bool(high <= top or low >= top + height or east <= left or west >= left + width)


@helper
def _load_rings(
    vertices: Vertices,
    ring_start: NDArray[np.int64],
    part: tuple[int, int],
    blocks: Blocks,
    inverse: tuple[float, float, float, float],
    window: tuple[int, int, int, int],
    cells: Vertices,
    rings: NDArray[np.int64],
) -> None:
    """Put the rings of a part (first ring, their number) into cells of the whole grid, and their ends into ``rings``.

    The edges of a long ring come in blocks with known bounds. A block wholly on one side of the window is replaced by its
    chord: north or south of it neither has a crossing in its rows; west of it all crossings are at its first border,
    east of it at its last one, and a chord crosses a row as often as its edges do, but for pairs, which make empty spans.
    """
    block_start, boxes, length = blocks
    used = 0
    for ring in range(part[1]):
        each = part[0] + ring
        first, last = ring_start[each], ring_start[each + 1]
        if block_start[each] == block_start[each + 1]:
            used = _to_cells(vertices, (first, last), inverse, cells, used)
        else:
            used = _to_cells(vertices, (first, first + 1), inverse, cells, used)
            for block in range(block_start[each], block_start[each + 1]):
                begin = first + 1 + (block - block_start[each]) * length
                end = min(begin + length, last)
                if _misses(boxes[block], inverse, window):
                    begin = end - 1
                used = _to_cells(vertices, (begin, end), inverse, cells, used)
        rings[ring + 1] = used


@helper
def _add_part(
    cells: Vertices,
    rings: NDArray[np.int64],
    span: tuple[int, int],
    window: tuple[int, int, int, int],
    scratch: tuple[NDArray[np.int64], NDArray[np.int64]],
    output: tuple[RawSpans, int, int],
) -> tuple[int, int, int]:
    """Add the spans of one part, whatever it is; return their number, or -1 and how many crossings and spans there must be room for."""
    left, width = window[1], window[3]
    # Only the rows that the part touches.
    top, height = window[0] + span[0], span[1] - span[0]
    row_end, crossings = scratch[0][: height + 1], scratch[1]
    spans, used, owner = output
    first_row, last_row = _count_crossings(cells[1], rings, row_end, top)
    total = row_end[height]
    if total > crossings.size:
        return -1, total, 0
    level = _store_crossings(cells, rings, row_end, crossings, (top, left), width)
    if used + total // 2 + level > spans[0].size:
        return -1, 0, used + total // 2 + level
    rows, firsts, ends, owners = spans
    before, begin = used, 0
    for row in range(first_row, last_row):
        end = row_end[row]
        _sort(crossings, begin, end)
        for pair in range(begin, end - 1, 2):
            if crossings[pair] < crossings[pair + 1]:
                rows[used], owners[used] = row, owner
                firsts[used], ends[used] = crossings[pair], crossings[pair + 1]
                used += 1
        begin = end
    if level > 0:
        used = _add_level_edges(cells, rings, (top, left, height, width), spans, used, owner)
    for i in range(before, used):
        rows[i] += span[0]
    return used, 0, 0


@helper
def _scan_simple(
    window: tuple[int, int, int, int],
    cells: Vertices,
    rings: NDArray[np.int64],
    rows: tuple[int, int],
    slots: Slots,
) -> bool:
    """Put the crossings of a part into four slots a row; return whether they are all, with no level edge to fill."""
    x, y = cells
    counts, columns = slots
    top, left, height, width = window
    for row in range(rows[0], rows[1]):
        counts[row] = 0
    for ring in range(rings.size - 1):
        xa, ya = x[rings[ring]], y[rings[ring]]
        for i in range(rings[ring] + 1, rings[ring + 1]):
            xb, yb = x[i], y[i]
            if ya == yb:
                if _is_level(xa, xb, yb - 0.5 - top, height):
                    return False
            else:
                first, last = _rows_crossed(ya, yb, top, height)
                # As GDAL: from the end with the smaller y.
                x0, y0, x1, y1 = (xa, ya, xb, yb) if ya < yb else (xb, yb, xa, ya)
                run, rise = x1 - x0, y1 - y0
                for row in range(first, last):
                    crossing = (top + row + 0.5 - y0) * run / rise + x0
                    count = counts[row]
                    if count == _SLOTS:
                        return False
                    columns[_SLOTS * row + count] = _column(crossing, left, width)
                    counts[row] = count + 1
            xa, ya = xb, yb
    return True


@helper
def _add_rows(
    slots: Slots,
    rows: tuple[int, int],
    spans: RawSpans,
    used: int,
    owner: int,
) -> int:
    """Add the spans of a part whose crossings are in slots, of which most rows have two: those go without a branch."""
    counts, columns = slots
    out_rows, firsts, ends, owners = spans
    for row in range(rows[0], rows[1]):
        base = _SLOTS * row
        if counts[row] == 2:
            a, b = columns[base], columns[base + 1]
            out_rows[used], owners[used] = row, owner
            firsts[used], ends[used] = min(a, b), max(a, b)
            used += a != b
            continue
        for i in range(1, counts[row]):
            moved, j = columns[base + i], i
            while j > 0 and columns[base + j - 1] > moved:
                columns[base + j] = columns[base + j - 1]
                j -= 1
            columns[base + j] = moved
        for pair in range(base, base + counts[row] - 1, 2):
            if columns[pair] < columns[pair + 1]:
                out_rows[used], owners[used] = row, owner
                firsts[used], ends[used] = columns[pair], columns[pair + 1]
                used += 1
    return used


@helper
def _fetch_ahead(vertices: Vertices, starts: Starts, chosen: NDArray[np.int64], owner: int) -> None:
    """Ask for the vertices of a polygon some places on: the chosen ones lie here and there, and each would be waited for."""
    ring_start, part_start, row_start = starts
    fetch(row_start, chosen[min(owner + 4 * _AHEAD, chosen.size - 1)])
    polygon = chosen[min(owner + _AHEAD, chosen.size - 1)]
    first = ring_start[part_start[row_start[polygon]]]
    end = ring_start[part_start[row_start[polygon + 1]]]
    for i in range(first, min(end, first + _MAX_AHEAD), LINE // 8):
        fetch(vertices[0], i)
        fetch(vertices[1], i)


@in_place
def _scan_until_full(
    window: tuple[int, int, int, int],
    inverse: tuple[float, float, float, float],
    vertices: Vertices,
    starts: Starts,
    blocks: Blocks,
    chosen: NDArray[np.int64],
    owner: int,
    buffers: Buffers,
    spans: RawSpans,
    used: int,
) -> tuple[int, int, Room]:
    """Add the spans of the chosen polygons from one on as long as there is room; return the first that is left, how many spans there are, and the room it takes."""
    ring_start, part_start, row_start = starts
    cells, rings, slots, scratch = buffers
    block_start = blocks[0]
    while owner < chosen.size:
        polygon, before = chosen[owner], used
        _fetch_ahead(vertices, starts, chosen, owner)
        for part in range(row_start[polygon], row_start[polygon + 1]):
            first_ring, count = part_start[part], part_start[part + 1] - part_start[part]
            begin = ring_start[first_ring]
            size = ring_start[first_ring + count] - begin
            if count + 1 > rings.size or size > cells[0].size:
                return owner, before, (count + 1, size, 0, 0)
            if block_start[first_ring] == block_start[first_ring + count]:
                _to_cells(vertices, (begin, begin + size), inverse, cells, 0)
                for ring in range(1, count + 1):
                    rings[ring] = ring_start[first_ring + ring] - begin
            else:
                _load_rings(
                    vertices, ring_start, (first_ring, count), blocks, inverse, window, cells, rings
                )
            first, last = _rows_of(cells, rings[count], window)
            if first >= last:
                continue
            if _scan_simple(window, cells, rings[: count + 1], (first, last), slots):
                if used + 2 * (last - first) > spans[0].size:
                    return owner, before, (0, 0, 0, used + 2 * (last - first))
                used = _add_rows(slots, (first, last), spans, used, owner)
            else:
                used, crossings, of_spans = _add_part(
                    cells, rings[: count + 1], (first, last), window, scratch, (spans, used, owner)
                )
                if used < 0:
                    return owner, before, (0, 0, crossings, of_spans)
        owner += 1
    return owner, used, (0, 0, 0, 0)


@kernel
def scan(
    window: tuple[int, int, int, int],
    inverse: tuple[float, float, float, float],
    vertices: Vertices,
    starts: Starts,
    blocks: Blocks,
    chosen: NDArray[np.int64],
) -> RawSpans:
    """Return the spans of the chosen polygons in a window (first row, first column, height, width) of the grid.

    Coordinates go to cells of the whole grid by x' = inverse[0] + x * inverse[1], y' = inverse[2] + y * inverse[3], so every
    window sees the same numbers. Crossings are counted, then stored, so no polygon overflows a buffer; a part with few in
    every row, as most have, takes a shorter way. Spans of the parts of one polygon may overlap.
    """
    height = window[2]
    slots = (np.zeros(height, np.int32), np.zeros(_SLOTS * height, np.int32))
    row_end, crossings = np.empty(height + 1, np.int64), np.empty(1024, np.int64)
    cells, rings = (np.empty(1024), np.empty(1024)), np.zeros(16, np.int64)
    spans = _spans(min(_SPANS_EACH * chosen.size, _MAX_AT_FIRST) + 1024)
    owner, used = 0, 0
    while True:
        buffers = (cells, rings, slots, (row_end, crossings))
        owner, used, room = _scan_until_full(
            window, inverse, vertices, starts, blocks, chosen, owner, buffers, spans, used
        )
        if owner == chosen.size:
            break
        if room[0] > rings.size:
            rings = np.zeros(2 * room[0], np.int64)
        if room[1] > cells[0].size:
            cells = (np.empty(2 * room[1]), np.empty(2 * room[1]))
        if room[2] > crossings.size:
            crossings = np.empty(2 * room[2], np.int64)
        if room[3] > spans[0].size:
            spans = _enlarged(spans, used, 2 * room[3])
    return spans[0][:used], spans[1][:used], spans[2][:used], spans[3][:used]
