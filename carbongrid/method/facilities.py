"""Emitters known by name: how much, on which parcel, and in which unit it could lie as well (docs/decisions/0061)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FacilityRow:
    """One facility of a run.

    Parameters
    ----------
    name, category
        Its own.
    way
        How its mass was given: value, share or capacity.
    grams
        Its mass.
    parcel, unit
        Ids of the parcel and of the unit that hold its coordinates; empty for none, as without coordinates.
    place_uncertainty
        How far it may lie from its coordinates, m; None where nothing is said of it.
    in_reach
        Ids of the other units within that distance, sorted.
    by_unit
        Ids of the units in which its mass lies, with grams: a parcel that crosses a border splits what lies on it. An empty id is
        what is outside every unit. Nothing before mass is reduced to units, and without coordinates.
    """

    name: str
    category: str
    way: str
    grams: int
    parcel: str
    unit: str
    place_uncertainty: float | None
    in_reach: tuple[str, ...]
    by_unit: tuple[tuple[str, int], ...] = ()

    @property
    def could_be_elsewhere(self) -> int:
        """Grams that could be in another unit: all of them, or none."""
        return self.grams if self.in_reach else 0


def units_in_reach(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    distance: NDArray[np.float64],
    own: NDArray[np.int64],
    units: NDArray[Any],
) -> list[Sequence[int]]:
    """Return the rows of the units within a distance of points, without their own.

    Parameters
    ----------
    x, y, distance : shape (points,)
        In the units' CRS; NaN where a point has no place, or nothing is said of how far it may be off.
    own : int64, shape (points,)
        Row of the unit that a point is counted in, -1 for none.
    units : geometries, shape (units,)
        In id order.
    """
    found: list[list[int]] = [[] for _ in range(len(x))]
    some = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (distance > 0))
    if some.size:
        tree = shapely.STRtree(units)
        points = shapely.points(x[some], y[some])
        point, unit = tree.query(points, predicate="dwithin", distance=distance[some])
        for place, row in zip(some[point].tolist(), unit.tolist(), strict=True):
            if row != own[place]:
                found[place].append(row)
    return [sorted(rows) for rows in found]
