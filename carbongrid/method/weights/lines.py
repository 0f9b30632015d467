"""Roads, railways and waterways as integer lengths per parcel (docs/decisions/0004)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.weights.clipping import Runs, lines_of, runs_of
from carbongrid.method.weights.points import nearest, point_array

LINE_REACH = 30.0
"""Farthest that a piece of line comes to a parcel, in m (D14)."""

PIECE = 10.0
"""Longest piece of a line outside eligible land, in m."""

ROADSIDE = 250.0
"""A transport POI this near to a road part counts for the part's parcel, in m (D14)."""

CRUMB = 5e-4
"""A shorter stretch, in m, is no road part beside which POIs count."""


@dataclass(frozen=True)
class LineLengths:
    """Lengths of lines in parcels, int64 mm.

    Parameters
    ----------
    line, parcel, length : int64, shape (pairs,)
        Row of the line, row of the parcel, mm inside it.
    part, part_parcel : geometries and int64, shape (stretches,)
        The clipped lines, straight stretch by stretch, and the rows of their parcels.
    snapped_line, snapped_parcel, snapped_length : int64, shape (pieces,)
        Pieces outside eligible land that came to the nearest parcel.
    lost_line, lost_length : int64, shape (lost,)
        Pieces that reached none.
    """

    line: NDArray[np.int64]
    parcel: NDArray[np.int64]
    length: NDArray[np.int64]
    part: NDArray[Any]
    part_parcel: NDArray[np.int64]
    snapped_line: NDArray[np.int64]
    snapped_parcel: NDArray[np.int64]
    snapped_length: NDArray[np.int64]
    lost_line: NDArray[np.int64]
    lost_length: NDArray[np.int64]


def line_lengths(
    lines: NDArray[Any], parcels: NDArray[Any], eligible: NDArray[np.bool_]
) -> LineLengths:
    """Measure each line in each eligible parcel, and carry its rest to the nearest.

    Lines are cut at the parcels' borders; a stretch lies in the first parcel in id order that its middle is in or touches
    (within 1e-6 m). What lies in none is cut, stretch by stretch, into equal pieces of at most 10 m; a piece goes to the eligible parcel nearest to its midpoint within 30 m, else it is lost.

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
    runs = runs_of(lines, polygons)
    inside = runs.polygon >= 0
    pair = runs.line[inside] * np.int64(max(rows.size, 1)) + runs.polygon[inside]
    pairs, which = np.unique(pair, return_inverse=True)
    metres = np.bincount(which, runs.length[inside], pairs.size)
    millimetres = np.rint(1000.0 * metres).astype(np.int64)
    line, polygon = np.divmod(pairs, max(rows.size, 1))
    real = millimetres > 0
    piece_run, midpoint, piece_length = _pieces(runs, ~inside)
    place = nearest(midpoint, polygons, LINE_REACH)
    near, lost = place >= 0, place < 0
    part, part_polygon = _road_parts(runs)
    return LineLengths(
        line[real],
        rows[polygon[real]],
        millimetres[real],
        part,
        rows[part_polygon],
        runs.line[piece_run[near]],
        rows[place[near]],
        piece_length[near],
        runs.line[piece_run[lost]],
        piece_length[lost],
    )


def _road_parts(runs: Runs) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the straight stretches inside polygons, of runs that are no crumbs, and their polygons."""
    counts = ((runs.polygon >= 0) & (runs.length >= CRUMB))[runs.run]
    ends = np.stack([runs.start[counts], runs.end[counts]], axis=1)
    return np.asarray(shapely.linestrings(ends), dtype=object), runs.polygon[runs.run[counts]]


def _pieces(
    runs: Runs, outside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    """Cut each run outside into equal pieces of at most 10 m: run, midpoint, mm of each piece."""
    rest = lines_of(runs, outside)
    # Whole micrometres: the last bits of a length, which depend on where it was cut, shall not make a piece more.
    length = np.round(shapely.length(rest), 6)
    count = np.ceil(length / PIECE).astype(np.int64)
    which = np.repeat(np.arange(rest.size), count)
    number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    along = (number + 0.5) * length[which] / count[which]
    midpoint = shapely.line_interpolate_point(rest[which], along)
    millimetres = np.rint(1000.0 * length / np.maximum(count, 1)).astype(np.int64)
    return np.flatnonzero(outside)[which], midpoint, millimetres[which]


@dataclass(frozen=True)
class LineWeights:
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
) -> LineWeights:
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
    split_hi_lo = np.where(dual[line], length, 2 * length)
    class_weight = lines["weight"].to_numpy(np.float64)
    weight = np.zeros(len(parcels))
    for value in np.unique(class_weight):
        of_class = class_weight[line] == value
        weight += _sums(parcel[of_class], split_hi_lo[of_class], len(parcels)) * (value / 2)
    return LineWeights(
        weight,
        _sums(found.parcel, found.length, len(parcels)),
        _sums(found.snapped_parcel, found.snapped_length, len(parcels)),
        int(found.lost_length.sum()),
        found.part,
        found.part_parcel,
    )


def _sums(parcel: NDArray[np.int64], length: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, parcel, length)
    return sums


def corrected_lengths(
    claims: LineWeights,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    lambda_: float,
    regions: NDArray[np.int64],
    quanta: NDArray[np.int64] | None = None,
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
    quanta : int64, shape (pois,), optional
        What each POI counts; default 1.

    Returns
    -------
    float64, shape (parcels,)

    Notes
    -----
    L' = L * w_class * (1 + lambda*(d/d_mean - 1)): d the POIs within 250 m of the parcel's own road parts per km
    of its road, d_mean their sum over the sum of km in the region. Without any such POI there the factor is 1.
    """
    n = _pois_beside(claims, x, y, np.ones(len(x), np.int64) if quanta is None else quanta)
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
    claims: LineWeights,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    quanta: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Add up the quanta of the POIs within 250 m of each parcel's road parts, a POI once per parcel."""
    tree = shapely.STRtree(point_array(x, y))
    part, poi = tree.query(claims.road_line, predicate="dwithin", distance=ROADSIDE)
    pair = np.unique(claims.road_parcel[part] * np.int64(max(len(x), 1)) + poi)
    parcel, poi = np.divmod(pair, max(len(x), 1))
    return _sums(parcel, quanta[poi], len(claims.weight))
