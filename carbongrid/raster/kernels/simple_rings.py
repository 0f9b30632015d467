"""Rings that touch themselves nowhere, as far as a few products tell without any doubt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

_ROUNDING, _LEAST = 1e-15, 1e-290
"""Two differences, a product and their difference are each rounded once; products below the second may lose digits."""

_MOST = 200
"""Edges of a ring whose pairs are all looked at; GEOS sorts those of longer ones."""

_RUN = 4
"""Edges that have a box of their own: of a ring of 25 vertices a third of the pairs is left."""


@helper
def _side(x: NDArray[np.float64], y: NDArray[np.float64], a: int, b: int, c: int) -> int:
    """Return 1 if c lies left of the line from a to b, -1 if right of it, 0 where rounding leaves it open."""
    one = (x[b] - x[a]) * (y[c] - y[a])
    other = (y[b] - y[a]) * (x[c] - x[a])
    across = one - other
    if abs(across) > _ROUNDING * (abs(one) + abs(other)) + _LEAST:
        return 1 if across > 0.0 else -1
    return 0


@helper
def _apart(x: NDArray[np.float64], y: NDArray[np.float64], a: int, b: int) -> bool:
    """Whether the edges that begin at a and at b surely have no point in common."""
    if max(x[a], x[a + 1]) < min(x[b], x[b + 1]):
        return True
    if max(x[b], x[b + 1]) < min(x[a], x[a + 1]):
        return True
    if max(y[a], y[a + 1]) < min(y[b], y[b + 1]):
        return True
    if max(y[b], y[b + 1]) < min(y[a], y[a + 1]):
        return True
    one = _side(x, y, a, a + 1, b)
    if one != 0 and one == _side(x, y, a, a + 1, b + 1):
        return True
    one = _side(x, y, b, b + 1, a)
    return one != 0 and one == _side(x, y, b, b + 1, a + 1)


@helper
def _turns(x: NDArray[np.float64], y: NDArray[np.float64], a: int, b: int, c: int) -> bool:
    """Whether the edges from a to b and from b to c surely have nothing but b in common."""
    one = (x[b] - x[a]) * (x[c] - x[b])
    other = (y[b] - y[a]) * (y[c] - y[b])
    onward = one + other
    return onward > _ROUNDING * (abs(one) + abs(other)) + _LEAST or _side(x, y, a, b, c) != 0


@helper
def _is_simple(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    first: int,
    last: int,
    boxes: NDArray[np.float64],
) -> bool:
    """Whether the closed ring points[first : last + 1] surely touches itself nowhere; ``boxes`` are written over."""
    if last - first < 3 or last - first > _MOST:
        return False
    for i in range(first, last):
        before = i - 1 if i > first else last - 1
        # A vertex that is there twice has no turn.
        if not _turns(x, y, before, i, i + 1):
            return False
    runs = (last - first + _RUN - 1) // _RUN
    for run in range(runs):
        begin = first + run * _RUN
        west, south, east, north = x[begin], y[begin], x[begin], y[begin]  # fmt: skip
        for i in range(begin + 1, min(begin + _RUN, last) + 1):
            west, east = min(west, x[i]), max(east, x[i])
            south, north = min(south, y[i]), max(north, y[i])
        boxes[run, 0], boxes[run, 1], boxes[run, 2], boxes[run, 3] = west, south, east, north
    for run in range(runs):
        begin, end = first + run * _RUN, min(first + (run + 1) * _RUN, last)
        for other in range(run, runs):
            if boxes[run, 2] < boxes[other, 0] or boxes[other, 2] < boxes[run, 0]:
                continue
            if boxes[run, 3] < boxes[other, 1] or boxes[other, 3] < boxes[run, 1]:
                continue
            stop = min(first + (other + 1) * _RUN, last)
            for i in range(begin, end):
                for j in range(max(i + 2, first + other * _RUN), stop):
                    # The last edge and the first meet where the ring is closed.
                    if not (i == first and j == last - 1) and not _apart(x, y, i, j):
                        return False
    return True


@kernel
def simple_rings(
    points: tuple[NDArray[np.float64], NDArray[np.float64]], ring_start: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which closed rings surely touch themselves nowhere, so that each is a valid polygon; the others may.

    Of edges that follow each other the turn is looked at, of all others a line between them: what rounding could turn is left open.

    Parameters
    ----------
    points
        x and y of all rings, one after the other; the last vertex of a ring as its first.
    ring_start
        Where rings start, and where the last ends.
    """
    x, y = points
    sure, boxes = np.zeros(ring_start.size - 1, np.bool_), np.empty((_MOST // _RUN + 1, 4))
    for ring in range(ring_start.size - 1):
        sure[ring] = _is_simple(x, y, ring_start[ring], ring_start[ring + 1] - 1, boxes)
    return sure
