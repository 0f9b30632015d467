"""Which units lie side by side: one rule for all that asks, whatever corners the borders were drawn with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 1e-6
"""How far apart neighbours may be, of the longer side of the bounds of all units: 0.1 m of 100 km."""


def neighbours_of(outlines: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Return the units that each touches, in order.

    Parameters
    ----------
    outlines : geometries, shape (units,)
        Of the units. A corner in common is enough, and so is a stretch of border of which only one of the two has corners; borders that were drawn twice touch within :data:`REACH`.
    """
    if not len(outlines):
        return []
    west, south, east, north = shapely.total_bounds(outlines)
    reach = REACH * max(east - west, north - south)
    tree = shapely.STRtree(outlines)
    pairs = tree.query(outlines, predicate="dwithin", distance=reach)
    one, other = pairs[:, pairs[0] != pairs[1]]
    order = np.lexsort((other, one))
    ends = np.cumsum(np.bincount(one, minlength=len(outlines)))
    return np.split(other[order].astype(np.int64), ends[:-1])
