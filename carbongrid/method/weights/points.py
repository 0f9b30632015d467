"""Where points fall: the polygon that covers a point, or the nearest one (docs/decisions/0002, 0003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem
from carbongrid.raster.row_blocks import in_blocks, pairs_in_blocks

FACILITY_REACH = 100.0
"""Farthest that a facility may lie from the nearest parcel, in m (D9)."""

_LISTED = 10

TIE = 1e-6
"""Distances that differ by less, in m, are equal (docs/decisions/0003)."""


def point_array(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[Any]:
    """Return points, shape (points,)."""
    return np.asarray(shapely.points(x, y), dtype=object)


def locate(
    x: NDArray[np.float64], y: NDArray[np.float64], polygons: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the first polygon that covers each point, border included.

    Parameters
    ----------
    x, y : shape (points,)
        Coordinates in the polygons' CRS.
    polygons : geometries, shape (polygons,)
        In id order; where several cover a point, the first takes it.

    Returns
    -------
    int64, shape (points,)
        Row of the polygon; -1 where none covers the point.
    """
    # The tree holds the points, so that each polygon is prepared once and asked often.
    tree = shapely.STRtree(point_array(x, y))
    return first_of_pairs(len(x), *pairs_in_blocks(tree, polygons, predicate="intersects"))


def first_of_pairs(
    size: int, polygon: NDArray[np.int64], row: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first polygon that is paired with each row, int64, shape (size,); -1 for none."""
    none = np.iinfo(np.int64).max
    first = np.full(size, none)
    np.minimum.at(first, row, polygon)
    return np.where(first < none, first, -1)


def nearest(
    geometries: NDArray[Any], polygons: NDArray[Any], within: float = np.inf
) -> NDArray[np.int64]:
    """Return the polygon nearest to each geometry; of equally near ones the first.

    Parameters
    ----------
    geometries : shape (n,)
        What looks for a polygon, in the polygons' CRS.
    polygons : shape (polygons,)
        In id order.
    within
        Farthest allowed distance in units of the CRS (m), itself included.

    Returns
    -------
    int64, shape (n,)
        Row of the polygon; -1 where none is near enough.
    """
    if len(geometries) == 0 or len(polygons) == 0:
        return np.full(len(geometries), -1, np.int64)
    if not np.isfinite(within):
        tree = shapely.STRtree(polygons)
        row, polygon = tree.query_nearest(geometries, all_matches=True)
        return first_of_pairs(len(geometries), polygon, row)
    # Two rings, the second asked only of what the first left over: a third of the time of query_nearest with max_distance
    # (150,000 points, 5,000 polygons), and few pairs where polygons are tiny.
    found = np.full(len(geometries), -1, np.int64)
    for reach in (within / 4, within):
        left = np.flatnonzero(found < 0)
        found[left] = _nearest_of(geometries[left], polygons, reach)
    return found


def _nearest_of(
    geometries: NDArray[Any], polygons: NDArray[Any], reach: float
) -> NDArray[np.int64]:
    # A micrometre more or less is a tie: on a diagonal between two parcels, or at the reach itself, the last bits say nothing.
    tree = shapely.STRtree(geometries)
    polygon, row = pairs_in_blocks(tree, polygons, predicate="dwithin", distance=reach + 2 * TIE)
    distance = in_blocks(shapely.distance, geometries[row], polygons[polygon])
    shortest = np.full(len(geometries), np.inf)
    np.minimum.at(shortest, row, distance)
    nearest_ones = (shortest[row] <= reach + TIE) & (distance < shortest[row] + TIE)
    return first_of_pairs(len(geometries), polygon[nearest_ones], row[nearest_ones])


@dataclass(frozen=True)
class PointClaims:
    """Integer claims that points brought to parcels.

    Parameters
    ----------
    inside : int64, shape (parcels,)
        Quanta of the points that the parcel covers.
    snapped : int64, shape (parcels,)
        Quanta of points in no eligible parcel that came to the nearest.
    unplaced
        Quanta of the points that reached no parcel.
    """

    inside: NDArray[np.int64]
    snapped: NDArray[np.int64]
    unplaced: int

    @property
    def weight(self) -> NDArray[np.int64]:
        """All quanta of a parcel, shape (parcels,)."""
        return self.inside + self.snapped


def points_in_parcels(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    quanta: NDArray[np.int64],
    parcels: Any,
    eligible: NDArray[np.bool_],
    within: float,
) -> PointClaims:
    """Sum the points' quanta over the eligible parcels.

    A point goes to the first eligible parcel that covers it, border included; else to the nearest
    eligible parcel within the distance (of equally near ones the first); else nowhere.

    Parameters
    ----------
    x, y : shape (points,)
        Coordinates in the parcels' CRS.
    quanta : int64, shape (points,)
        What each point brings: 1 for a POI, thousandths for people.
    parcels : geometries, shape (parcels,)
        All parcels in id order; those that are eligible are asked for.
    eligible : bool, shape (parcels,)
        Parcels that may take a point.
    within
        Farthest distance of a point outside, in m; negative drops every such point.
    """
    rows = np.flatnonzero(eligible)
    polygons = np.asarray(parcels[rows], dtype=object)
    home = locate(x, y, polygons)
    outside = np.flatnonzero(home < 0)
    near = np.full(len(x), -1, np.int64)
    if within >= 0 and outside.size:
        near[outside] = nearest(point_array(x[outside], y[outside]), polygons, within)
    inside, snapped = (sums_of_rows(rows, place, quanta, len(parcels)) for place in (home, near))
    lost = (home < 0) & (near < 0)
    return PointClaims(inside, snapped, int(quanta[lost].sum()))


def sums_of_rows(
    rows: NDArray[np.int64], place: NDArray[np.int64], quanta: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """Sum quanta by ``rows[place]`` into an array of the given size; a negative place is nowhere."""
    sums = np.zeros(size, np.int64)
    there = place >= 0
    np.add.at(sums, rows[place[there]], quanta[there])
    return sums


def parcels_in_reach(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the parcel that covers each point, or else the nearest within 100 m (D9), int64, shape (points,); -1 where there is none, and where a coordinate is not finite."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    parcel = np.full(len(x), -1, np.int64)
    parcel[known] = locate(x[known], y[known], parcels)
    stray = known[parcel[known] < 0]
    parcel[stray] = nearest(point_array(x[stray], y[stray]), parcels, FACILITY_REACH)
    return parcel


def parcels_of_facilities(
    x: NDArray[np.float64], y: NDArray[np.float64], names: list[str], parcels: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the parcel of each facility, whatever its type (D9).

    Parameters
    ----------
    x, y : shape (facilities,)
        Coordinates in the parcels' CRS; NaN where a facility has none.
    names
        For messages.
    parcels : geometries, shape (parcels,)
        In id order.

    Returns
    -------
    int64, shape (facilities,)
        Row of the parcel that covers the facility, or of the nearest within 100 m; -1 for a facility
        without coordinates.

    Raises
    ------
    InputError
        If a facility with coordinates has no parcel within 100 m; all such are named.
    """
    parcel = parcels_in_reach(x, y, parcels)
    # Infinite coordinates are far away, not unknown: a projection leaves them where it cannot reach.
    lost = np.flatnonzero((parcel < 0) & ~(np.isnan(x) | np.isnan(y)))
    if lost.size:
        raise InputError(
            Problem(
                f"facility {names[row]!r} at ({x[row]:.1f}, {y[row]:.1f}) in the grid's CRS has no parcel within"
                f" {FACILITY_REACH:g} m",
                "facilities",
                "Check its coordinates and its CRS, or leave them blank to spread its mass.",
            )
            for row in lost[:_LISTED]
        )
    return parcel
