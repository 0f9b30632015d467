"""Whether parcels overlap, and the planar partition that they are cut to (D18)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case.readers.geometry import Geometries, Names, geodesic_area, only_polygons
from carbongrid.case.readers.grid_crs import decimals_of
from carbongrid.errors import Problem, listed
from carbongrid.raster.polygons.boxes import rows_near
from carbongrid.raster.polygons.matching import unmatched
from carbongrid.raster.polygons.outlines import Shapes, bounds_of, shapely_of
from carbongrid.raster.row_blocks import each_block, row_blocks

MAX_OVERLAP = 1e-3
"""Share of the area that overlaps may have before they are an error."""

_WORTH_A_WARNING = 1e-6
_WORTH_NAMING_M2 = 0.05
"""Overlaps below what a decimal of a square metre shows are told together."""
_UNITS_OF_AREA = ((1e6, "km2"), (_WORTH_NAMING_M2, "m2"), (1e-4, "cm2"), (0.0, "mm2"))
_M2_OF = {"km2": 1e6, "m2": 1.0, "cm2": 1e-4, "mm2": 1e-6}
_SLIVER_M2 = 1e-6
# Overlay in floating point loses parts without a word where edges nearly coincide: unions of 3 in
# 6,000 random partitions lacked up to 6 % of their area (GEOS 3.14). On a lattice it does not.
_DECIMALS_OF_LATTICE = 3
"""More than coordinates have."""
_M_PER_DEGREE = 111_320.0
_ROWS_OF_STRIPE = 100_000
_PREPARED_AT_ONCE = 100
"""Prepared polygons take many times their size: 30 kB each with 50 vertices, 350 MB for those of a small country together."""
_PAIRS_AT_ONCE = 10_000
"""Boxes of long polygons that lie askew meet those of thousands of others, though they themselves meet few."""


@dataclass(frozen=True)
class Overlaps:
    """Pairs of polygons whose interiors meet, and the area that they share.

    Parameters
    ----------
    first, second
        Rows of the polygons, int64, first < second, shape (m,).
    area
        Shared area in m2, shape (m,).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    area: NDArray[np.float64]

    @property
    def total(self) -> float:
        """Sum of the shared areas in m2; where three overlap, each pair counts."""
        return float(self.area.sum())


def find_overlaps(shapes: Shapes, crs: CRS) -> Overlaps:
    """Return the pairs of valid polygons that overlap.

    Notes
    -----
    Polygons whose edges all have an equal counterpart overlap nothing, unless a place that lies twice reaches to them from a rim that
    has none. So polygons with edges of their own are asked first, those by GEOS's coverage check whose edges do not fit; then those that
    were found to overlap, until no other is found. On a clean partition of 100,000 parcels that is none: 0.3 s of processor time, where the coverage check of all takes 1.4 s
    and intersecting all neighbours six times that.
    """
    first, second = _meeting(shapes)
    if not len(first):
        return Overlaps(first, second, np.zeros(0))
    rows, place = np.unique([first, second], return_inverse=True)
    one, other = shapely_of(shapes, rows)[place]
    shared = shapely.intersection(one, other, grid_size=_grid_size(crs))
    if crs.is_geographic:
        area = geodesic_area(only_polygons(shared), crs)
    else:
        area = shapely.area(shared) * crs.axis_info[0].unit_conversion_factor ** 2
    overlapping = area > 0
    return Overlaps(first[overlapping], second[overlapping], area[overlapping])


def overlap_problems(
    overlaps: Overlaps, names: Names, total_area: float, where: str, what: str = "parcels"
) -> list[Problem]:
    """Return what to say of overlaps: an error above 0.1 % of the area, else a warning or a note.

    Parameters
    ----------
    overlaps
        From :func:`find_overlaps`.
    names
        Ids of the polygons.
    total_area
        Of all the polygons, m2.
    where
        The file.
    what
        What the polygons are, in the plural.
    """
    if not len(overlaps.area):
        return []
    share = overlaps.total / total_area
    worst = np.lexsort((names[overlaps.second], names[overlaps.first], -overlaps.area))
    pairs = [
        f"{names[overlaps.first[i]]} and {names[overlaps.second[i]]} ({area_text(overlaps.area[i])})"
        for i in worst
        if overlaps.area[i] >= _WORTH_NAMING_M2
    ]
    size = f"{area_text(overlaps.total)}, {_share_text(share)}"
    head = f"{len(overlaps.area):,} pairs of {what} overlap by {size}"
    crumbs = overlaps.area[overlaps.area < _WORTH_NAMING_M2]
    tail = (
        f"{len(crumbs):,} of them by less than 0.1 m2 each, {area_text(float(crumbs.sum()))} in all"
    )
    if len(overlaps.area) == 1:
        both = f": {names[overlaps.first[0]]} and {names[overlaps.second[0]]}" if pairs else ""
        text = f"1 pair of {what} overlaps by {size} of the area{both}"
    elif not pairs:
        text = f"{head} of the area; {tail}"
    else:
        text = f"{head} of the area; the worst: {listed(pairs)}"
        text += f"; {tail}" if len(crumbs) else ""
    if share > MAX_OVERLAP:
        hint = f"More than {MAX_OVERLAP:.1%} is an error. Mend the layer"
        hint += ', or set overlap = "priority".' if what == "parcels" else "."
        return [Problem(text, where, hint)]
    return [Problem(text, where, level="warning" if share > _WORTH_A_WARNING else "note")]


def area_text(square_metres: float) -> str:
    """Return an area in km2, m2, cm2 or mm2, whichever shows it."""
    unit = next(name for least, name in _UNITS_OF_AREA if square_metres >= least)
    number = square_metres / _M2_OF[unit]
    return f"{number:,.1f} {unit}" if number >= 0.05 else f"less than 0.1 {unit}"


def _share_text(share: float) -> str:
    return f"{share:.3%}" if share >= 5e-6 else "less than 0.001%"


@dataclass(frozen=True)
class Partition:
    """What is left of those polygons that lay partly under others, so that none overlaps another.

    Parameters
    ----------
    rows
        Of the polygons that lost area, in order.
    geometry
        These polygons in normal form; empty where one was eaten whole.
    """

    rows: NDArray[np.int64]
    geometry: Geometries

    def of(self, geometry: Geometries) -> Geometries:
        """Return all polygons that were held against each other, as they are now."""
        cut = geometry.copy()
        cut[self.rows] = self.geometry
        return cut


def partition_by_order(shapes: Shapes, order: NDArray[np.int64], crs: CRS) -> Partition:
    """Cut from each polygon what lies on top of it.

    Parameters
    ----------
    shapes
        Valid polygons, n of them.
    order
        Place of each polygon in the stack, all different; 0 lies on top.
    crs
        Of the polygons; cutting is done in its plane.

    Notes
    -----
    What is cut is the union of the whole polygons above: whatever lies on top of one of them lies
    on top of the lower one too. Parts below 1e-6 m2 are dropped: they are rounding.
    """
    first, second = _meeting(shapes)
    below = order[first] > order[second]
    lower, upper = np.where(below, first, second), np.where(below, second, first)
    ranked = np.lexsort((order[upper], lower))
    lower, upper = lower[ranked], upper[ranked]
    rows, group = np.unique(lower, return_inverse=True)
    if not rows.size:
        return Partition(rows, np.empty(0, object))
    above, place = np.unique(upper, return_inverse=True)
    upper_shapes = shapely_of(shapes, above)[place]
    stacked = np.asarray(shapely.geometrycollections(upper_shapes, indices=group))
    smallest = _SLIVER_M2 / _square_metres(crs)
    cut = without(shapely_of(shapes, rows), stacked[:, np.newaxis], crs)
    return Partition(rows, only_polygons(cut, smallest))


def stack_order(
    ranks: NDArray[np.int64], area: NDArray[np.float64], names: Names
) -> NDArray[np.int64]:
    """Return each polygon's place in the stack: by rank of its type, then smaller on top, then id."""
    sequence = np.lexsort((names, area, ranks))
    order = np.empty(len(ranks), dtype=np.int64)
    order[sequence] = np.arange(len(ranks))
    return order


def _meeting(shapes: Shapes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of rows, first < second, whose interiors may meet, in order."""
    bounds = bounds_of(shapes)
    asked, there = np.zeros(len(shapes), np.bool_), np.zeros(len(shapes), np.bool_)
    geometry = np.full(len(shapes), None, dtype=object)
    found = [np.zeros((0, 2), np.int64)]
    rows = np.flatnonzero(_unmatched(shapes))
    while rows.size:
        asked[rows] = True
        near = rows_near(bounds, rows)
        new = near[~there[near]]
        there[new] = True
        geometry[new] = shapely_of(shapes, new)
        found.append(_meeting_these(geometry, shapely.STRtree(geometry), rows))
        # Under a heap of polygons that fit to each other, only those at its rim are unmatched.
        met = np.unique(found[-1])
        rows = met[~asked[met]]
    unique = np.unique(np.concatenate(found), axis=0)
    return unique[:, 0], unique[:, 1]


def _meeting_these(
    geometry: Geometries, tree: shapely.STRtree, rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return pairs of one of these rows and any other, the lower row first, whose interiors may meet."""
    size = shapely.get_num_coordinates(geometry)
    among, near = np.zeros(len(geometry), np.bool_), np.zeros(len(geometry), np.bool_)
    among[rows] = True
    for some in _batches(rows, _PREPARED_AT_ONCE):
        near[some] = True
        near[tree.query(geometry[some])[1]] = True
    found = [np.zeros((0, 2), np.int64)]
    # The larger of a pair is prepared: what is prepared keeps the edges of all that it is held against, and 130 neighbours of a
    # polygon of 55,000 holes kept 1.4 GB. So each is taken once, with all that are smaller.
    for some in _batches(np.flatnonzero(near), _PREPARED_AT_ONCE):
        query, smaller = tree.query(geometry[some])
        larger = some[query]
        wanted = (size[smaller] < size[larger]) | (
            (size[smaller] == size[larger]) & (smaller < larger)
        )
        wanted &= among[larger] | among[smaller]
        pairs = np.column_stack([larger[wanted], smaller[wanted]]).astype(np.int64)
        prepared = geometry[np.unique(pairs[:, 0])]
        shapely.prepare(prepared)
        found += [_with_common_interior(geometry, each) for each in _batches(pairs, _PAIRS_AT_ONCE)]
        shapely.destroy_prepared(prepared)
    return np.sort(np.concatenate(found), axis=1)


def _with_common_interior(geometry: Geometries, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those pairs of rows, the prepared one first, that meet in more than a border."""
    one, other = geometry[pairs[:, 0]], geometry[pairs[:, 1]]
    meets = shapely.intersects(one, other)
    meets[meets] = ~shapely.touches(one[meets], other[meets])
    return pairs[meets]


def _batches(rows: NDArray[np.int64], most: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, len(rows), most):
        yield rows[first : first + most]


def _unmatched(shapes: Shapes) -> NDArray[np.bool_]:
    """Return whether a polygon has edges that do not match its neighbours': found stripe by stripe, each with all neighbours."""
    bounds = bounds_of(shapes)
    west, south, east, north = bounds.T
    # What is empty has no bounds: NaN would be the least of its stripe, and nothing near it.
    order = np.argsort(west, kind="stable")[: np.count_nonzero(~np.isnan(west))]

    def own_edges(rows: slice) -> NDArray[np.bool_]:
        own = order[rows]
        if not own.size:
            return np.zeros(0, np.bool_)
        near = (east >= west[own].min()) & (west <= east[own].max())
        near &= (north >= south[own].min()) & (south <= north[own].max())
        near[own] = False
        return unmatched(shapes, np.concatenate([own, np.flatnonzero(near)]))[: own.size]

    def misfits(rows: slice) -> NDArray[np.bool_]:
        own = lonely[rows]
        if not own.size:
            return np.zeros(0, np.bool_)
        near = np.setdiff1d(rows_near(bounds, own), own)
        edges = shapely.coverage_invalid_edges(shapely_of(shapes, np.concatenate([own, near])))
        found: NDArray[np.bool_] = ~shapely.is_empty(edges[: own.size])
        return found

    alone = np.concatenate(list(each_block(own_edges, row_blocks(len(order), _ROWS_OF_STRIPE))))
    lonely = order[alone]
    misfit = np.zeros(len(shapes), np.bool_)
    found = each_block(misfits, row_blocks(len(lonely), _ROWS_OF_STRIPE))
    misfit[lonely] = np.concatenate(list(found))
    return misfit


def without(polygons: Geometries, stacks: Geometries, crs: CRS) -> Geometries:
    """Return polygons without what stacks of others cover, shape (n,) and (n, 1).

    In floating point, where new vertices lie on the edges that they come from; where that differs
    from the answer on a lattice by more than the lattice explains, the latter.
    """
    lattice = _grid_size(crs)
    plain = shapely.difference(polygons, shapely.union_all(stacks, axis=1))
    above = shapely.union_all(stacks, axis=1, grid_size=lattice)
    sure = shapely.difference(polygons, above, grid_size=lattice)
    off = np.abs(shapely.area(plain) - shapely.area(sure))
    wrong = off > 10 * lattice * (shapely.length(polygons) + shapely.length(above))
    return np.where(wrong, sure, plain)


def _grid_size(crs: CRS) -> float:
    return float(f"1e-{decimals_of(crs) + _DECIMALS_OF_LATTICE}")


def _square_metres(crs: CRS) -> float:
    """Return the area in m2 of a square of one unit of the CRS, near enough for a threshold."""
    if crs.is_geographic:
        return _M_PER_DEGREE**2
    return float(crs.axis_info[0].unit_conversion_factor) ** 2
