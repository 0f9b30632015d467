"""Lines cut where they cross the borders of polygons, by arithmetic on their segments.

No overlay engine is asked: where a line runs along a border, off by 1e-10 m, an overlay may lose its length or leave crumbs
(docs/decisions/0004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.weights.points import first_of_pairs, point_array
from carbongrid.raster.row_blocks import each_block, pairs_in_blocks, row_blocks

TOUCH = 1e-6
"""A stretch whose middle is this near to a polygon, in m, lies in it."""

_PARALLEL = 1e-9

_POLYGONS_AT_ONCE = 500
"""Few enough for all cores in a town: of 2,000 polygons and 40,000 segments half of the time of 5,000 at once."""
_EDGES_TOGETHER = 16
"""Edges in a row that a tree is asked for at once. In less than half of the time of 4 where segments are long (490,000 edges, 60 segments of 10 km), in two thirds of that of 32 where they are short (20,000 of 140 m)."""


@dataclass(frozen=True)
class Runs:
    """Longest stretches of lines that lie in one polygon, or in none; in order along each line.

    Parameters
    ----------
    line, polygon : int64, shape (runs,)
        Row of the line; row of the polygon, the first where several cover it, -1 for none.
    length : float64, shape (runs,)
        In m.
    run, start, end
        The straight stretches that the runs consist of: run, and both ends, shapes (stretches,) and (stretches, 2).
    """

    line: NDArray[np.int64]
    polygon: NDArray[np.int64]
    length: NDArray[np.float64]
    run: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def runs_of(lines: NDArray[Any], polygons: NDArray[Any]) -> Runs:
    """Cut lines at the borders of polygons, and tell where each stretch lies.

    Parameters
    ----------
    lines : geometries, shape (lines,)
    polygons : geometries, shape (polygons,)
        In the same plane.
    """
    parts, owner = shapely.get_parts(lines, return_index=True)
    a, b, part = _segments(parts)
    segment, low, high = _between_cuts(a, b, *_cuts(a, b, polygons))
    along = (b - a)[segment]
    start, end = a[segment] + low[:, None] * along, a[segment] + high[:, None] * along
    length = np.hypot(*(end - start).T)
    polygon = _first_at((start + end) / 2, polygons)
    change = np.ones(len(segment), np.bool_)
    change[1:] = (part[segment][1:] != part[segment][:-1]) | (polygon[1:] != polygon[:-1])
    run = np.cumsum(change, dtype=np.int64) - 1
    sums = np.bincount(run, length, int(change.sum()))
    line = owner[part[segment[change]]]
    return Runs(line, polygon[change], np.asarray(sums, np.float64), run, start, end)


def lines_of(runs: Runs, chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the chosen runs as lines, shape (chosen runs,)."""
    kept = np.flatnonzero(chosen[runs.run])
    number = (np.cumsum(chosen) - 1)[runs.run[kept]]
    last = np.append(number[1:] != number[:-1], True)[: number.size]
    xy = np.concatenate([runs.start[kept], runs.end[kept][last]])
    row = np.concatenate([number, number[last]])
    order = np.argsort(row, kind="stable")
    if row.size == 0:
        return np.empty(0, dtype=object)
    return np.asarray(shapely.linestrings(xy[order], indices=row[order]), dtype=object)


def _segments(
    geometry: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return both ends of every segment that has a length, and the row of its geometry."""
    xy, row = shapely.get_coordinates(geometry, return_index=True)
    joined = (row[1:] == row[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    return xy[:-1][joined], xy[1:][joined], row[:-1][joined]


def _cuts(
    a: NDArray[np.float64], b: NDArray[np.float64], polygons: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where segments meet borders: row of the segment, and how far along it, 0 to 1."""
    tree = shapely.STRtree(np.asarray(shapely.linestrings(np.stack([a, b], axis=1)), dtype=object))
    west, south, east, north = shapely.bounds(polygons).T
    around = shapely.box(west - TOUCH, south - TOUCH, east + TOUCH, north + TOUCH)
    near = polygons[np.unique(tree.query(around)[0])]

    def cuts(rows: slice) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return _cuts_at(a, b, tree, near[rows])

    found = each_block(cuts, row_blocks(near.size, _POLYGONS_AT_ONCE))
    segment, share = (np.concatenate(each) for each in zip(*found, strict=True))
    return segment, share


def _cuts_at(
    a: NDArray[np.float64], b: NDArray[np.float64], tree: shapely.STRtree, polygons: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Do :func:`_cuts` with the segments' tree and some polygons."""
    c, d, ring = _segments(shapely.get_rings(shapely.get_parts(polygons)))
    segment, edge = _boxes_meet(a, b, tree, c, d, ring)
    origin, way = a[segment], (b - a)[segment]
    across = d[edge] - c[edge]
    size, breadth = np.hypot(*way.T), np.hypot(*across.T)
    turn = _cross(way, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = _cross(c[edge] - origin, across) / turn
    meant, shares = [np.abs(turn) > _PARALLEL * size * breadth], [crossing]
    for corner in (c[edge], d[edge]):
        offset = corner - origin
        meant.append(np.abs(_cross(way, offset)) <= TOUCH * size)
        shares.append((offset * way).sum(axis=1) / (size * size))
    share = np.stack(shares)
    # A corner that is only touched ends no stretch.
    least = TOUCH / size
    cut = np.stack(meant) & (share > least) & (share < 1.0 - least)
    # The line of an edge may cross where the edge does not reach: GEOS tells, of what would cut alone.
    some = np.flatnonzero(cut.any(axis=0))
    edges = shapely.linestrings(np.stack([c, d], axis=1)[edge[some]])
    touching = shapely.dwithin(edges, tree.geometries[segment[some]], TOUCH)
    cut[:, some[~touching]] = False
    return np.broadcast_to(segment, cut.shape)[cut], share[cut]


def _boxes_meet(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    tree: shapely.STRtree,
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    ring: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of a segment and an edge of a ring whose boxes are as near as TOUCH, of those that boxes around some edges in a row let meet."""
    new = np.diff(ring, prepend=-1) != 0
    number = np.arange(ring.size)
    start = np.flatnonzero((number - number[new][np.cumsum(new) - 1]) % _EDGES_TOGETHER == 0)
    low, high = np.minimum(c, d) - TOUCH, np.maximum(c, d) + TOUCH
    # Wider by another TOUCH, so that rounding loses none. The segment itself, not its box, meets them: that of a long slanting one holds half of the map.
    least, most = np.minimum.reduceat(low, start) - TOUCH, np.maximum.reduceat(high, start) + TOUCH
    group, segment = tree.query(shapely.box(*least.T, *most.T), predicate="intersects")
    count = np.diff(start, append=ring.size)[group]
    segment = np.repeat(segment, count)
    edge = np.repeat(start[group] - np.cumsum(count) + count, count) + np.arange(segment.size)
    meet = (low[edge] <= np.maximum(a, b)[segment]) & (high[edge] >= np.minimum(a, b)[segment])
    both = meet.all(axis=1)
    return segment[both], edge[both]


def _between_cuts(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    cut: NDArray[np.int64],
    share: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the stretches between neighbouring cuts: segment, from and to, 0 to 1."""
    every = np.arange(len(a))
    segment = np.concatenate([every, cut, every])
    place = np.concatenate([np.zeros(len(a)), share, np.ones(len(b))])
    order = np.lexsort((place, segment))
    segment, place = segment[order], place[order]
    apart = np.diff(place, prepend=-1.0) * np.hypot(*(b - a).T)[segment] > TOUCH
    apart |= (np.diff(segment, prepend=-1) != 0) | (place == 1.0)
    segment, place = segment[apart], place[apart]
    real = (segment[1:] == segment[:-1]) & (place[1:] > place[:-1])
    return segment[:-1][real], place[:-1][real], place[1:][real]


def _first_at(xy: NDArray[np.float64], polygons: NDArray[Any]) -> NDArray[np.int64]:
    """Return the first polygon that holds or touches each point, -1 for none."""
    tree = shapely.STRtree(point_array(xy[:, 0], xy[:, 1]))
    return first_of_pairs(
        len(xy), *pairs_in_blocks(tree, polygons, predicate="dwithin", distance=TOUCH)
    )


def _cross(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return product
