"""Roads, railways and waterways as integer lengths per parcel (docs/decisions/0004, 0053)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.weights.clipping import Runs, lines_of, runs_of
from carbongrid.method.weights.points import nearest

LINE_REACH = 30.0
"""Farthest that a piece of line comes to a parcel, in m (D14)."""

PIECE = 10.0
"""Longest piece of a line outside eligible land, in m."""

NANOMETRES = 1e9
"""Quanta of a metre: a road of 100 m that is cut into 20 is the same to 1e-10, where millimetres would lose 1e-4."""

_PER_MILLIMETRE = 10**6


@dataclass(frozen=True)
class LineLengths:
    """Lengths of lines in parcels, int64 nm.

    Parameters
    ----------
    line, parcel, length : int64, shape (pairs,)
        Row of the line, row of the parcel, nm inside it.
    part_line, part_parcel : int64, shape (stretches,)
        The lines inside parcels, straight stretch by straight stretch: rows of the line and of the parcel.
    part_start, part_end : float64, shape (stretches, 2)
        Both ends of the stretches.
    snapped_line, snapped_parcel, snapped_length : int64, shape (pieces,)
        Pieces outside eligible land that came to the nearest parcel.
    snapped_middle : float64, shape (pieces, 2)
        Their midpoints.
    lost_line, lost_length : int64, shape (lost,)
        Pieces that reached none.
    """

    line: NDArray[np.int64]
    parcel: NDArray[np.int64]
    length: NDArray[np.int64]
    part_line: NDArray[np.int64]
    part_parcel: NDArray[np.int64]
    part_start: NDArray[np.float64]
    part_end: NDArray[np.float64]
    snapped_line: NDArray[np.int64]
    snapped_parcel: NDArray[np.int64]
    snapped_length: NDArray[np.int64]
    snapped_middle: NDArray[np.float64]
    lost_line: NDArray[np.int64]
    lost_length: NDArray[np.int64]


def line_lengths(lines: NDArray[Any], parcels: Any, eligible: NDArray[np.bool_]) -> LineLengths:
    """Measure each line in each eligible parcel, and carry its rest to the nearest.

    Lines are cut at the parcels' borders; a stretch lies in the first parcel in id order that its middle is in or touches
    (within 1e-6 m). What lies in none is cut, stretch by stretch, into equal pieces of at most 10 m; a piece goes to the eligible parcel nearest to its midpoint within 30 m, else it is lost.

    Parameters
    ----------
    lines : geometries, shape (lines,)
        In the grid's CRS, each taken by itself.
    parcels : geometries, shape (parcels,)
        All parcels, in id order; those that are eligible are asked for.
    eligible : bool, shape (parcels,)
        Parcels that may take a line.
    """
    rows = np.flatnonzero(eligible)
    polygons = np.asarray(parcels[rows], dtype=object)
    runs = runs_of(lines, polygons)
    inside = runs.polygon >= 0
    pair = runs.line[inside] * np.int64(max(rows.size, 1)) + runs.polygon[inside]
    pairs, which = np.unique(pair, return_inverse=True)
    metres = np.bincount(which, runs.length[inside], pairs.size)
    line, polygon = np.divmod(pairs, max(rows.size, 1))
    piece_run, midpoint, piece_length = _pieces(runs, ~inside)
    place = nearest(midpoint, polygons, LINE_REACH)
    near, lost = place >= 0, place < 0
    part = inside[runs.run]
    part_run = runs.run[part]
    return LineLengths(
        line,
        rows[polygon],
        np.rint(NANOMETRES * metres).astype(np.int64),
        runs.line[part_run],
        rows[runs.polygon[part_run]],
        runs.start[part],
        runs.end[part],
        runs.line[piece_run[near]],
        rows[place[near]],
        piece_length[near],
        shapely.get_coordinates(midpoint[near]),
        runs.line[piece_run[lost]],
        piece_length[lost],
    )


def _pieces(
    runs: Runs, outside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.int64]]:
    """Cut each run outside into equal pieces of at most 10 m: run, midpoint, nm of each piece."""
    rest = lines_of(runs, outside)
    length = shapely.length(rest)
    # Whole micrometres: the last bits of a length, which depend on where it was cut, shall not make a piece more.
    count = np.ceil(np.round(length, 6) / PIECE).astype(np.int64)
    which = np.repeat(np.arange(rest.size), count)
    number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    along = (number + 0.5) * length[which] / count[which]
    midpoint = shapely.line_interpolate_point(rest[which], along)
    each = np.rint(NANOMETRES * length / np.maximum(count, 1)).astype(np.int64)
    return np.flatnonzero(outside)[which], midpoint, each[which]


@dataclass(frozen=True)
class RoadParts:
    """Stretches of line that count, so that POIs can be put beside them.

    Parameters
    ----------
    start, end : float64, shape (parts, 2)
        Both ends of a straight stretch; of a piece that came to a parcel from outside, its midpoint twice.
    length : float64, shape (parts,)
        In m.
    parcel : int64, shape (parts,)
        Row of the parcel that it counts for.
    weight : float64, shape (parts,)
        Its class's weight.
    dual : bool, shape (parts,)
        One carriageway of two, which counts half.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    length: NDArray[np.float64]
    parcel: NDArray[np.int64]
    weight: NDArray[np.float64]
    dual: NDArray[np.bool_]


@dataclass(frozen=True)
class LineWeights:
    """Claims of lines on parcels.

    Parameters
    ----------
    weight : float64, shape (parcels,)
        Sum over classes of nm times the class's weight; one carriageway of two counts half.
    inside, snapped : int64, shape (parcels,)
        Plain mm inside the parcel, and of pieces that came to it.
    unplaced
        Plain mm that reached no parcel.
    parts
        The lines that count, for :func:`~carbongrid.method.weights.roadside.lengths_by_pois`; None without any line.
    """

    weight: NDArray[np.float64]
    inside: NDArray[np.int64]
    snapped: NDArray[np.int64]
    unplaced: int
    parts: RoadParts | None = None


def weighted_lengths(
    lines: gpd.GeoDataFrame, mode: str, parcels: Any, eligible: NDArray[np.bool_]
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
    weight, dual = lines["weight"].to_numpy(np.float64), lines["dual"].to_numpy(dtype=bool)
    counted = summed_by_class(parcel, length, weight[line], dual[line], len(parcels))
    return LineWeights(
        counted,
        _millimetres(found.parcel, found.length, len(parcels)),
        _millimetres(found.snapped_parcel, found.snapped_length, len(parcels)),
        _in_millimetres(int(found.lost_length.sum())),
        _parts(found, weight, dual),
    )


def summed_by_class(
    row: NDArray[np.int64],
    length: NDArray[np.int64],
    weight: NDArray[np.float64],
    dual: NDArray[np.bool_],
    size: int,
) -> NDArray[np.float64]:
    """Sum length times weight by row, those of one weight in integers, so that the order of lines does not matter.

    Parameters
    ----------
    row, length, weight, dual : shape (n,)
        Where each length goes, nm, weight of its class, and whether it counts half.
    size
        Number of rows.
    """
    order = np.lexsort((weight, row))
    row, weight = row[order], weight[order]
    doubled = np.where(dual, length, 2 * length)[order]
    first = np.flatnonzero(np.diff(row, prepend=-1) | (np.diff(weight, prepend=-1.0) != 0))
    if not first.size:
        return np.zeros(size)
    # Row by row from the lightest class on: floats are added up in one order.
    of_class = np.add.reduceat(doubled, first) * (weight[first] / 2)
    return np.bincount(row[first], of_class, size)


def _parts(found: LineLengths, weight: NDArray[np.float64], dual: NDArray[np.bool_]) -> RoadParts:
    line = np.concatenate([found.part_line, found.snapped_line])
    straight = np.hypot(*(found.part_end - found.part_start).T)
    return RoadParts(
        np.concatenate([found.part_start, found.snapped_middle]),
        np.concatenate([found.part_end, found.snapped_middle]),
        np.concatenate([straight, found.snapped_length / NANOMETRES]),
        np.concatenate([found.part_parcel, found.snapped_parcel]),
        weight[line],
        dual[line],
    )


def _millimetres(
    parcel: NDArray[np.int64], length: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    return _in_millimetres(_sums(parcel, length, size))


def _in_millimetres[T: (int, NDArray[np.int64])](nanometres: T) -> T:
    return (nanometres + _PER_MILLIMETRE // 2) // _PER_MILLIMETRE


def _sums(row: NDArray[np.int64], length: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    sums = np.zeros(size, np.int64)
    np.add.at(sums, row, length)
    return sums
