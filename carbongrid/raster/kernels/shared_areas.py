"""Areas that two polygons have in common, without a look at where their edges cross: edges that lie on each other, and corners on edges, are no special case.

A polygon is what lies below its edges that run east, less what lies below those that run west. So two have in common, added up over all pairs of
an edge of each with both signs, what lies below both edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

RUN = 16
"""Edges of a run, which has a box of its own."""

Shape = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]  # fmt: skip
"""x, y, and where rings, parts and rows start: all rings closed and clockwise, the first of a part is its exterior."""

Runs = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Where the runs of each ring start, and west, south, east, north of each run: :func:`carbongrid.raster.kernels.excerpts.edge_blocks` of ``RUN`` edges, of all rings."""


@helper
def _at(x: float, x0: float, y0: float, x1: float, y1: float) -> float:
    """Return the height of the line from (x0, y0) to (x1, y1) over x, counted from its nearer end."""
    slope = (y1 - y0) / (x1 - x0)
    return y0 + (x - x0) * slope if x - x0 <= x1 - x else y1 - (x1 - x) * slope


@helper
def _below_both(
    west: float, own_west: float, other_west: float, east: float, own_east: float, other_east: float
) -> float:
    """Return the area below two lines between west and east, whose heights there are given and not negative."""
    first, last = own_west - other_west, own_east - other_east
    if first <= 0.0 and last <= 0.0:
        return 0.5 * (own_west + own_east) * (east - west)
    if first >= 0.0 and last >= 0.0:
        return 0.5 * (other_west + other_east) * (east - west)
    # They cross: the lower one of each side, up to the height there.
    share = first / (first - last)
    middle = own_west + (own_east - own_west) * share
    low_west, low_east = min(own_west, other_west), min(own_east, other_east)
    width = east - west
    return 0.5 * width * ((low_west + middle) * share + (middle + low_east) * (1.0 - share))


@helper
def _below_line(
    mine: Shape, runs: Runs, row: int, origin: tuple[float, float],
    west: float, height_west: float, east: float, height_east: float,
) -> float:  # fmt: skip
    """Return what a polygon has of the area below a line, whose heights over the origin are not negative."""
    x, y, ring_start, part_start, row_start = mine
    run_start, boxes = runs
    x_origin, y_origin = origin
    total = 0.0
    for part in range(row_start[row], row_start[row + 1]):
        for ring in range(part_start[part], part_start[part + 1]):
            found = 0.0
            for run in range(run_start[ring], run_start[ring + 1]):
                if boxes[run, 2] - x_origin <= west or boxes[run, 0] - x_origin >= east:
                    continue
                if boxes[run, 3] <= y_origin:
                    continue
                begin = ring_start[ring] + (run - run_start[ring]) * RUN
                for i in range(begin, min(begin + RUN, ring_start[ring + 1] - 1)):
                    a, b = (i, i + 1) if x[i] < x[i + 1] else (i + 1, i)
                    x0, x1 = x[a] - x_origin, x[b] - x_origin
                    left, right = max(x0, west), min(x1, east)
                    if left >= right:
                        continue
                    y0, y1 = y[a] - y_origin, y[b] - y_origin
                    own_left, own_right = _at(left, x0, y0, x1, y1), _at(right, x0, y0, x1, y1)
                    if own_left <= 0.0 and own_right <= 0.0:
                        continue
                    if own_left < 0.0:
                        left += (right - left) * own_left / (own_left - own_right)
                        own_left = 0.0
                    elif own_right < 0.0:
                        right -= (right - left) * own_right / (own_right - own_left)
                        own_right = 0.0
                    other_left = _at(left, west, height_west, east, height_east)
                    other_right = _at(right, west, height_west, east, height_east)
                    area = _below_both(left, own_left, other_left, right, own_right, other_right)
                    found += area if a == i else -area
            total += found if ring == part_start[part] else -found
    return total


@helper
def _below_edge(
    mine: Shape, runs: Runs, row: int, window: tuple[float, float, float, float],
    x0: float, y0: float, x1: float, y1: float,
) -> float:  # fmt: skip
    """Return what a polygon has in a window of the area below an edge: negative where the edge runs west."""
    west, south, east, north = window
    sign = 1.0
    if x0 > x1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
    x0, y0, x1, y1 = x0 - west, y0 - south, x1 - west, y1 - south
    left, right, top = max(x0, 0.0), min(x1, east - west), north - south
    if left >= right:
        return 0.0
    origin = (west, south)
    low, high = _at(left, x0, y0, x1, y1), _at(right, x0, y0, x1, y1)
    if low <= 0.0 and high <= 0.0:
        return 0.0
    total = 0.0
    if low >= top and high >= top:
        return sign * _below_line(mine, runs, row, origin, left, top, right, top)
    # What is below the window is left out, what is above counts as its upper side.
    if low < 0.0:
        left, low = left + (right - left) * low / (low - high), 0.0
    elif high < 0.0:
        right, high = right - (right - left) * high / (high - low), 0.0
    if low > top:
        over = left + (right - left) * (low - top) / (low - high)
        if left < over:
            total += _below_line(mine, runs, row, origin, left, top, over, top)
        left, low = over, top
    elif high > top:
        over = right - (right - left) * (high - top) / (high - low)
        if over < right:
            total += _below_line(mine, runs, row, origin, over, top, right, top)
        right, high = over, top
    if left < right:
        total += _below_line(mine, runs, row, origin, left, low, right, high)
    return sign * total


@helper
def _shared(
    mine: Shape, my_runs: Runs, row: int, theirs: Shape, their_runs: Runs, other: int,
    window: tuple[float, float, float, float],
) -> float:  # fmt: skip
    """Return the area that two polygons have in common in a window that holds all of it."""
    west, south, east, north = window
    x, y, ring_start, part_start, row_start = theirs
    run_start, boxes = their_runs
    total = 0.0
    for part in range(row_start[other], row_start[other + 1]):
        for ring in range(part_start[part], part_start[part + 1]):
            found = 0.0
            # Edges above the window that follow each other count as one, from the first's beginning to the last's end.
            begun, ended, above = 0.0, 0.0, False
            for run in range(run_start[ring], run_start[ring + 1]):
                aside = boxes[run, 2] <= west or boxes[run, 0] >= east or boxes[run, 3] <= south
                begin = ring_start[ring] + (run - run_start[ring]) * RUN
                end = min(begin + RUN, ring_start[ring + 1] - 1)
                over = not aside and boxes[run, 1] >= north
                # A run that is aside ends what is above; one that is above is one step, others go edge by edge.
                step = end - begin if aside or over else 1
                for i in range(begin, end, step):
                    if over or (not aside and y[i] >= north and y[i + 1] >= north):
                        if not above:
                            begun, above = x[i], True
                        ended = x[i + step]
                        continue
                    if above:
                        found += _below_edge(mine, my_runs, row, window, begun, north, ended, north)  # fmt: skip
                        above = False
                    if not aside:
                        found += _below_edge(mine, my_runs, row, window, x[i], y[i], x[i + 1], y[i + 1])  # fmt: skip
            if above:
                found += _below_edge(mine, my_runs, row, window, begun, north, ended, north)
            total += found if ring == part_start[part] else -found
    return total


@kernel
def shared_areas(
    mine: Shape,
    my_runs: Runs,
    my_bounds: NDArray[np.float64],
    theirs: Shape,
    their_runs: Runs,
    their_bounds: NDArray[np.float64],
    rows: NDArray[np.int64],
    others: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the area that each pair of polygons has in common, as it is added up, and the area of the window that their bounds have in common.

    Rounding takes or adds less than 1e-13 of that window: of polygons that only touch as well.

    Parameters
    ----------
    mine, my_runs, my_bounds
        Valid polygons; few edges are best.
    theirs, their_runs, their_bounds
        Valid polygons; of long rings only what is near is looked at edge by edge.
    rows, others
        The pairs.
    """
    areas, windows = np.zeros(rows.size), np.zeros(rows.size)
    for pair in range(rows.size):
        row, other = rows[pair], others[pair]
        west = max(my_bounds[row, 0], their_bounds[other, 0])
        south = max(my_bounds[row, 1], their_bounds[other, 1])
        east = min(my_bounds[row, 2], their_bounds[other, 2])
        north = min(my_bounds[row, 3], their_bounds[other, 3])
        if west < east and south < north:
            windows[pair] = (east - west) * (north - south)
            window = (west, south, east, north)
            areas[pair] = _shared(mine, my_runs, row, theirs, their_runs, other, window)
    return areas, windows
