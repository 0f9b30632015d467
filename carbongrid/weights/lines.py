"""Roads, railways and waterways as integer lengths per parcel (docs/decisions/0004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.weights.points import nearest, point_array

LINE_REACH = 30.0
"""Farthest that a piece of line comes to a parcel, in m (decision 14)."""

PIECE = 10.0
"""Longest piece of a line outside eligible land, in m."""

ROADSIDE = 250.0
"""A transport POI this near to a road part counts for the part's parcel, in m (decision 14)."""

# Shorter rests than this round to 0 mm however they are cut.
_NOTHING = 4e-4


@dataclass(frozen=True)
class LineLengths:
    """Lengths of lines in parcels, int64 mm.

    Parameters
    ----------
    line, parcel, length : int64, shape (pairs,)
        Row of the line, row of the parcel, mm inside it.
    part : geometries, shape (pairs,)
        The clipped lines.
    snapped_line, snapped_parcel, snapped_length : int64, shape (pieces,)
        Pieces outside eligible land that came to the nearest parcel.
    lost_line, lost_length : int64, shape (lost,)
        Pieces that reached none.
    """

    line: NDArray[np.int64]
    parcel: NDArray[np.int64]
    length: NDArray[np.int64]
    part: NDArray[Any]
    snapped_line: NDArray[np.int64]
    snapped_parcel: NDArray[np.int64]
    snapped_length: NDArray[np.int64]
    lost_line: NDArray[np.int64]
    lost_length: NDArray[np.int64]


def line_lengths(
    lines: NDArray[Any], parcels: NDArray[Any], eligible: NDArray[np.bool_]
) -> LineLengths:
    """Measure each line in each eligible parcel, and carry its rest to the nearest.

    The length inside is that of the exact intersection; what runs along a border of two parcels, or
    inside two that overlap, counts for the first in id order. The rest (difference with the union of
    the eligible parcels that the line meets) is cut, per simple part, into equal pieces of at
    most 10 m; a piece goes to the eligible parcel nearest to its midpoint within 30 m, else it is lost.

    Parameters
    ----------
    lines : geometries, shape (lines,)
        In the grid's CRS, each taken by itself.
    parcels : geometries, shape (parcels,)
        All parcels, in id order.
    eligible : bool, shape (parcels,)
        Parcels that may take a line.
    """
    rows = np.flatnonzero(eligible)
    polygons = parcels[rows]
    shapely.prepare(polygons)
    polygon, line = shapely.STRtree(lines).query(polygons, predicate="intersects")
    order = np.lexsort((polygon, line))
    line, polygon = line[order], polygon[order]
    part = _inside(lines, polygons, line, polygon)
    part = _counted_once(part, line)
    length = shapely.length(part)
    rest_line, rest = _rests(lines, polygons, (line, polygon, length))
    piece_line, midpoint, piece_length = _pieces(rest_line, rest)
    place = nearest(midpoint, polygons, LINE_REACH)
    near, lost = place >= 0, place < 0
    millimetres = np.rint(1000.0 * length).astype(np.int64)
    real = millimetres > 0
    return LineLengths(
        line[real],
        rows[polygon[real]],
        millimetres[real],
        part[real],
        piece_line[near],
        rows[place[near]],
        piece_length[near],
        piece_line[lost],
        piece_length[lost],
    )


def _inside(
    lines: NDArray[Any], polygons: NDArray[Any], line: NDArray[np.int64], polygon: NDArray[np.int64]
) -> NDArray[Any]:
    """Return the part of the line inside the polygon, pair by pair."""
    part: NDArray[Any] = lines[line]
    # An overlay would also merge what a line runs twice, so only simple lines may skip it.
    skip = shapely.is_simple(lines)[line] & shapely.covers(polygons[polygon], part)
    part[~skip] = shapely.intersection(part[~skip], polygons[polygon[~skip]])
    mixed = np.flatnonzero(shapely.get_type_id(part) == shapely.GeometryType.GEOMETRYCOLLECTION)
    if mixed.size:
        part[mixed] = _lines_of(part[mixed])
    return part


def _lines_of(collections: NDArray[Any]) -> NDArray[Any]:
    """Return the linear pieces of collections; points where a line only touches have no length."""
    pieces, owner = shapely.get_parts(collections, return_index=True)
    linear = shapely.get_dimensions(pieces) == 1
    found = np.full(len(collections), shapely.MultiLineString(), dtype=object)
    shapely.multilinestrings(pieces[linear], indices=owner[linear], out=found)
    return found


def _counted_once(part: NDArray[Any], line: NDArray[np.int64]) -> NDArray[Any]:
    """Take from each part what an earlier parcel has of the same line."""
    length = shapely.length(part)
    real = np.flatnonzero(length > 0)
    several = real[np.bincount(line[real])[line[real]] > 1] if real.size else real
    if several.size == 0:
        return part
    owner, group = np.unique(line[several], return_inverse=True)
    merged = _unions(part[several], group)
    excess = np.bincount(group, length[several], owner.size) - shapely.length(merged)
    shared = several[(excess > 1e-6)[group]]
    if shared.size == 0:
        return part
    part = part.copy()
    position = np.arange(shared.size)
    rank = position - np.searchsorted(line[shared], line[shared])
    taken = part[shared[rank == 0]]
    place = np.cumsum(rank == 0) - 1
    for turn in range(1, int(rank.max()) + 1):
        now = rank == turn
        pair, at = shared[now], place[now]
        mine = part[pair]
        part[pair] = shapely.difference(mine, taken[at])
        taken[at] = shapely.union(taken[at], mine)
    return part


def _unions(
    geometry: NDArray[Any], group: NDArray[np.int64], lattice: float | None = None
) -> NDArray[Any]:
    """Return the union of each group's geometries; groups are numbered from 0, in order."""
    together = np.asarray(shapely.geometrycollections(geometry, indices=group), dtype=object)
    return np.asarray(shapely.union_all(together[:, None], axis=1, grid_size=lattice), dtype=object)


def _rests(
    lines: NDArray[Any],
    polygons: NDArray[Any],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the lines that are not inside eligible land all along, and what is left of them."""
    line, polygon, length = pairs
    covered = np.bincount(line, length, len(lines))
    open_line = np.flatnonzero(shapely.length(lines) - covered > _NOTHING)
    rest = lines[open_line]
    met = np.isin(line, open_line)
    if met.any():
        owner, group = np.unique(line[met], return_inverse=True)
        # GEOS's floating-point union of polygons may silently lose area (docs/decisions/0010); on a lattice it does not.
        land = _unions(polygons[polygon[met]], group, lattice=1e-7)
        at = np.searchsorted(open_line, owner)
        rest[at] = shapely.difference(rest[at], land)
    return open_line, rest


def _pieces(
    owner: NDArray[np.int64], rest: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    """Cut each simple part into equal pieces of at most 10 m: line, midpoint, mm of each piece."""
    part, row = shapely.get_parts(rest, return_index=True)
    length = shapely.length(part)
    part, row, length = part[length > 0], row[length > 0], length[length > 0]
    count = np.ceil(length / PIECE).astype(np.int64)
    which = np.repeat(np.arange(part.size), count)
    number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    along = (number + 0.5) * length[which] / count[which]
    midpoint = shapely.line_interpolate_point(part[which], along)
    millimetres = np.rint(1000.0 * length / count).astype(np.int64)
    return owner[row[which]], midpoint, millimetres[which]


@dataclass(frozen=True)
class LineClaims:
    """Claims of lines on parcels.

    Parameters
    ----------
    weight : float64, shape (parcels,)
        Sum over classes of mm times the class's weight; one carriageway of two counts half.
    inside, snapped : int64, shape (parcels,)
        Plain mm inside the parcel, and of pieces that came to it.
    unplaced
        Plain mm that reached no parcel.
    road_line, road_parcel
        Clipped lines and the rows of their parcels, for :func:`corrected_lengths`.
    """

    weight: NDArray[np.float64]
    inside: NDArray[np.int64]
    snapped: NDArray[np.int64]
    unplaced: int
    road_line: NDArray[Any]
    road_parcel: NDArray[np.int64]


def weighted_lengths(
    lines: gpd.GeoDataFrame, mode: str, parcels: NDArray[Any], eligible: NDArray[np.bool_]
) -> LineClaims:
    """Return each parcel's length of a mode, weighted by class.

    Parameters
    ----------
    lines
        Columns line_class, mode, weight, dual, geometry (grid CRS).
    mode
        road, rail, water or air; lines of other modes or of weight 0 are no claim at all.
    parcels, eligible
        As for :func:`line_lengths`.
    """
    claim = ((lines["mode"] == mode) & (lines["weight"] > 0)).to_numpy(dtype=bool)
    lines = lines[claim]
    found = line_lengths(lines.geometry.to_numpy(), parcels, eligible)
    line = np.concatenate([found.line, found.snapped_line])
    parcel = np.concatenate([found.parcel, found.snapped_parcel])
    length = np.concatenate([found.length, found.snapped_length])
    dual = lines["dual"].to_numpy(dtype=bool)
    halves = np.where(dual[line], length, 2 * length)
    class_weight = lines["weight"].to_numpy(np.float64)
    weight = np.zeros(len(parcels))
    for value in np.unique(class_weight):
        of_class = class_weight[line] == value
        weight += _sums(parcel[of_class], halves[of_class], len(parcels)) * (value / 2)
    return LineClaims(
        weight,
        _sums(found.parcel, found.length, len(parcels)),
        _sums(found.snapped_parcel, found.snapped_length, len(parcels)),
        int(found.lost_length.sum()),
        found.part,
        found.parcel,
    )


def _sums(parcel: NDArray[np.int64], length: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, parcel, length)
    return sums


def corrected_lengths(
    claims: LineClaims,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    lambda_: float,
    regions: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return road lengths corrected by the transport POIs beside the road.

    Parameters
    ----------
    claims
        Of mode road.
    x, y : shape (pois,)
        Transport POIs, in the grid's CRS.
    lambda_
        0 (pure length) to 1.
    regions : int64, shape (parcels,)
        Region of each parcel, over which the mean is taken; those of none (-1) share one.

    Returns
    -------
    float64, shape (parcels,)

    Notes
    -----
    L' = L * w_class * (1 + lambda*(d/d_mean - 1)): d the POIs within 250 m of the parcel's own road parts per km
    of its road, d_mean their sum over the sum of km in the region. Without any such POI there the factor is 1.
    """
    n = _pois_beside(claims, x, y)
    length = claims.inside + claims.snapped
    group = np.asarray(regions, np.int64) + 1
    size = int(group.max(initial=0)) + 1
    pois, metres = np.zeros(size, np.int64), np.zeros(size, np.int64)
    road = length > 0
    np.add.at(pois, group[road], n[road])
    np.add.at(metres, group[road], length[road])
    factor = np.ones(len(length))
    told = road & (pois > 0)[group]
    there = group[told]
    relative = (n[told] / length[told]) / (pois[there] / metres[there])
    factor[told] = 1.0 + lambda_ * (relative - 1.0)
    return claims.weight * factor


def _pois_beside(
    claims: LineClaims, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count the POIs within 250 m of each parcel's road parts, a POI once per parcel."""
    tree = shapely.STRtree(point_array(x, y))
    part, poi = tree.query(claims.road_line, predicate="dwithin", distance=ROADSIDE)
    pair = np.unique(claims.road_parcel[part] * np.int64(max(len(x), 1)) + poi)
    counts: NDArray[np.int64] = np.bincount(
        pair // max(len(x), 1), minlength=len(claims.weight)
    ).astype(np.int64)
    return counts
