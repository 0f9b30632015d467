"""Boxes around polygons, one by one and around neighbours together: of many polygons few have to be asked then."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

_TOGETHER = (256, 16, 1)


def rows_near(bounds: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows whose bounds meet those of one of some rows, which are among them; what has no bounds is near to nothing."""
    tree = shapely.STRtree(boxes(bounds[rows]))
    near = np.flatnonzero(~np.isnan(bounds[:, 0]))
    for together in _TOGETHER:
        group, around = boxes_around(bounds[near], together)
        meets = np.zeros(len(around), np.bool_)
        meets[tree.query(around)[0]] = True
        near = near[meets[group]]
    return near


def boxes_around(
    bounds: NDArray[np.float64], together: int
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the group of each of some boxes, so many neighbours in one, and a box around each group."""
    if not len(bounds):
        return np.zeros(0, np.int64), np.zeros(0, object)
    if together == 1:
        return np.arange(len(bounds)), boxes(bounds)
    sides = max(int((len(bounds) / together) ** 0.5), 1)
    cell = np.zeros(len(bounds), np.int64)
    for low, high in ((1, 3), (0, 2)):
        middle = (bounds[:, low] + bounds[:, high]) / 2
        step = (np.ptp(middle) or 1.0) / sides
        place = np.minimum((middle - middle.min()) / step, sides - 1)
        cell = cell * sides + place.astype(np.int64)
    used = np.bincount(cell, minlength=sides * sides) > 0
    group = (np.cumsum(used) - 1)[cell]
    around = np.repeat([np.inf, -np.inf], 2)[:, None] * np.ones(np.count_nonzero(used))
    for side, own in enumerate(bounds.T):
        (np.minimum if side < 2 else np.maximum).at(around[side], group, own)
    return group, boxes(around.T)


def boxes(bounds: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return a box for each of west, south, east and north."""
    made: NDArray[np.object_] = np.asarray(shapely.box(*bounds.T), dtype=object)
    return made
