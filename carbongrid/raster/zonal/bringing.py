"""Polygons brought onto a raster's grid: into its CRS, with edges bent as the projection bends them, and round the earth to where its longitudes are (docs/decisions/0064)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import crs_name, full_turn
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.crs import crs_of, same_crs, way_between
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.row_blocks import each_block, row_blocks

MAX_BEND = 1e-3
"""Cells that an edge may lie beside where its projection bends it."""

_NEAR_A_TURN = 1e-2
"""Cells by which a grid may be wider than a turn: longitudes are often written in single precision."""

# An edge is halved so often at most: what bends more has no image.
_MAX_HALVINGS = 24
_EDGES_AT_ONCE = 50_000

type _Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def brought(polygons: Polygons, grid: Grid) -> tuple[Polygons, NDArray[np.int64]]:
    """Return polygons as they lie on a grid, and how many times each is in them.

    Parameters
    ----------
    polygons
        In any CRS, or in none, which is taken for the grid's.
    grid
        In a geographic CRS, polygons are also moved by whole turns to where its longitudes are; one on both sides of its edge comes several times,
        as parts of one row.

    Raises
    ------
    InputError
        If a polygon cannot be brought into the CRS, encloses a pole, or has an edge of more than half a turn; or the grid is wider than a turn.
    """
    turn = full_turn(grid.crs)
    own_turn = turn if polygons.crs is None else full_turn(polygons.crs)
    if own_turn is not None:
        _require_short(polygons, own_turn)
    moved = polygons
    if polygons.crs is not None and not _is_same(polygons.crs, grid.crs):
        moved = _projected(polygons, grid, (own_turn, turn))
    if turn is None:
        return moved, np.ones(len(moved), np.int64)
    return _round_the_earth(moved, grid, turn)


def _is_same(a: str, b: str) -> bool:
    return a == b or same_crs(crs_of(a), crs_of(b))


def _projected(
    polygons: Polygons, grid: Grid, turns: tuple[float | None, float | None]
) -> Polygons:
    """Bring vertices into the grid's CRS, with more of them where edges bend; turns of both CRS."""
    transformer = way_between(crs_of(polygons.crs), crs_of(grid.crs))
    own_turn, turn = turns

    def transform(points: _Points) -> _Points:
        x, y = transformer.transform(*points)
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if turn is not None and own_turn is not None:
            # From longitudes to longitudes: beyond 180 degrees stays beyond.
            x = x + turn * np.rint((points[0] / own_turn * turn - x) / turn)
        return x, y

    stored = polygons if polygons.place is None else polygons.take(np.arange(len(polygons)))
    places = (stored.x, stored.y)
    last = np.zeros(stored.x.size, np.bool_)
    last[stored.ring_start[1:] - 1] = True
    first = np.flatnonzero(~last)
    leaps = turn if own_turn is None else None
    parts = list(
        each_block(
            lambda rows: _bent(places, first[rows], transform, MAX_BEND * grid.resolution, leaps),
            row_blocks(first.size, _EDGES_AT_ONCE),
        )
    )
    counts, x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Each edge gave its begin and what is between; a ring ends where it began.
    of_vertex = np.zeros(stored.x.size, np.int64)
    of_vertex[first] = counts
    ends = np.concatenate([[0], np.cumsum(of_vertex)])
    ring_start = ends[stored.ring_start] + np.arange(stored.ring_start.size)
    whole = np.empty((2, int(ring_start[-1])))
    kept = np.ones(whole.shape[1], np.bool_)
    kept[ring_start[1:] - 1] = False
    whole[:, kept] = x, y
    whole[:, ring_start[1:] - 1] = whole[:, ring_start[:-1]]
    starts = (ring_start, stored.part_start, stored.row_start)
    odd = ~np.isfinite(whole).all(axis=0)
    if odd.any():
        raise _no_image(stored, starts, odd, grid)
    if leaps is not None:
        whole[0] = _unwound(whole[0], stored, starts, leaps)
    return _entered(whole.T, starts, grid.crs, stored.ids)


@np.errstate(invalid="ignore")  # infinite images are told later, by name
def _bent(
    places: _Points,
    edges: NDArray[np.int64],
    transform: Callable[[_Points], _Points],
    most: float,
    leaps: float | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the image of each edge's begin, and of as many points on it as it takes: how many for each edge, x and y.

    Halves are halved again where the image of a point at a quarter, a half or three quarters lies further than half of the bound from the chord of images. Points
    come from sums of both ends, so that an edge that two polygons share is the same from both sides.
    """
    a = (places[0][edges], places[1][edges])
    b = (places[0][edges + 1], places[1][edges + 1])
    of_a, of_b = transform(a), transform(b)
    edge, place = np.arange(edges.size), np.zeros(edges.size)
    found = [(edge, place, of_a)]
    step = 1.0
    for _ in range(_MAX_HALVINGS):
        if not edge.size:
            break
        middle = _between(a, b)
        quarters = [middle, _between(a, middle), _between(middle, b)]
        images = [transform(points) for points in quarters]
        away = np.zeros(edge.size)
        for share, image in zip((0.5, 0.25, 0.75), images, strict=True):
            gaps = []
            for axis in (0, 1):
                turn = leaps if axis == 0 else None
                along = _nearest(of_b[axis] - of_a[axis], turn)
                gaps.append(_nearest(image[axis] - of_a[axis], turn) - share * along)
            away = np.maximum(away, np.hypot(*gaps))
        more = away > most / 2
        step /= 2
        edge, place = edge[more], place[more]
        middle, of_middle = _chosen(middle, more), _chosen(images[0], more)
        found.append((edge, place + step, of_middle))
        a = _joined(_chosen(a, more), middle)
        b = _joined(middle, _chosen(b, more))
        of_a, of_b = (
            _joined(_chosen(of_a, more), of_middle),
            _joined(of_middle, _chosen(of_b, more)),
        )
        edge, place = np.concatenate([edge, edge]), np.concatenate([place, place + step])
    else:
        # Of what bends without end a place is left out, and is told by name.
        found.append(
            (edge, place + step / 2, (np.full(edge.size, np.nan), np.full(edge.size, np.nan)))
        )
    every, where = (np.concatenate([each[k] for each in found]) for k in (0, 1))
    x, y = (np.concatenate([each[2][axis] for each in found]) for axis in (0, 1))
    order = np.lexsort((where, every))
    return np.bincount(every, minlength=edges.size), x[order], y[order]


def _between(a: _Points, b: _Points) -> _Points:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _chosen(points: _Points, some: NDArray[np.bool_]) -> _Points:
    return points[0][some], points[1][some]


def _joined(a: _Points, b: _Points) -> _Points:
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])


def _nearest(difference: NDArray[np.float64], turn: float | None) -> NDArray[np.float64]:
    """Return a difference of longitudes the short way round."""
    return difference if turn is None else difference - turn * np.rint(difference / turn)


def _unwound(
    x: NDArray[np.float64], polygons: Polygons, starts: Any, turn: float
) -> NDArray[np.float64]:
    """Return longitudes that go on beyond 180 degrees instead of leaping; holes beside their shells.

    Raises
    ------
    InputError
        If a ring goes around a pole.
    """
    ring_start, part_start, _ = starts
    turns = np.zeros(x.size)
    turns[1:] = -np.rint(np.diff(x) / turn)
    turns[ring_start[:-1]] = 0
    so_far = np.cumsum(turns)
    sizes = np.diff(ring_start)
    x = x + turn * (so_far - np.repeat(so_far[ring_start[:-1]], sizes))
    around = np.flatnonzero(np.abs(x[ring_start[1:] - 1] - x[ring_start[:-1]]) > turn / 2)
    if around.size:
        row = _row_of_ring(around[0], starts)
        raise InputError(
            "a polygon encloses a pole, and no ring of longitudes and latitudes does",
            _named(polygons, row),
            "Cut it along a meridian first, or take a raster in a polar projection.",
        )
    west = np.minimum.reduceat(x, ring_start[:-1]) if x.size else x
    shells = np.repeat(west[part_start[:-1]], np.diff(part_start))
    # A hole lies within its shell, so that it begins less than a turn east of it.
    return np.asarray(x - turn * np.repeat(np.floor((west - shells) / turn), sizes), np.float64)


def _round_the_earth(
    polygons: Polygons, grid: Grid, turn: float
) -> tuple[Polygons, NDArray[np.int64]]:
    """Return polygons moved by whole turns, each as often as that brings it onto the grid, and how often."""
    west, _, east, _ = grid.bounds
    if east - west > turn + _NEAR_A_TURN * grid.resolution:
        raise InputError(
            f"the grid is {(east - west) / turn * 360:g} degrees wide: some land is on it twice",
            hint="Leave out the columns that repeat: raster.isel({raster.dims[-1]: slice(0, -1)}).",
        )
    left, right = polygons.bounds[:, 0], polygons.bounds[:, 2]
    there = ~np.isnan(left)
    low = np.floor((west - np.where(there, right, east)) / turn).astype(np.int64) + 1
    high = np.ceil((east - np.where(there, left, west)) / turn).astype(np.int64) - 1
    times = np.maximum(high - low + 1, 1)
    # What is nowhere on the grid stays where it is.
    low = np.where(high < low, 0, low)
    if ((times == 1) & (low == 0)).all():
        return polygons, times
    owner = np.repeat(np.arange(len(polygons)), times)
    turns = low[owner] + np.arange(owner.size) - np.repeat(np.cumsum(times) - times, times)
    many = polygons.take(owner)
    rings = many.part_start[many.row_start]
    vertices = np.diff(many.ring_start[rings])
    x = many.x + turn * np.repeat(turns, vertices)
    starts = (
        many.ring_start,
        many.part_start,
        many.row_start[np.concatenate([[0], np.cumsum(times)])],
    )
    return _entered(np.column_stack([x, many.y]), starts, grid.crs, polygons.ids), times


def _require_short(polygons: Polygons, turn: float) -> None:
    """Raise if an edge goes more than half the way round: it may stand for the short way, over the antimeridian, and nobody can tell."""
    along = np.abs(np.diff(polygons.x))
    if along.size:
        along[polygons.ring_start[1:-1] - 1] = 0.0
    odd = np.flatnonzero((along > turn / 2 * (1 + 1e-9)) & (along < turn * (1 - 1e-9)))
    if odd.size:
        starts = (polygons.ring_start, polygons.part_start, polygons.row_start)
        ring = int(np.searchsorted(polygons.ring_start, odd[0], side="right")) - 1
        row = _row_of_ring(ring, starts)
        if polygons.place is not None:
            row = int(np.flatnonzero(polygons.place == row)[0])
        raise InputError(
            f"an edge of a polygon is {along[odd[0]] / turn * 360:g} degrees long: does it cross the antimeridian, or go round the other way?",
            _named(polygons, row),
            "Cut the polygon there, or write longitudes beyond 180; where the long way is meant, put a vertex between.",
        )


def _row_of_ring(ring: int, starts: Any) -> int:
    _, part_start, row_start = starts
    part = int(np.searchsorted(part_start, ring, side="right")) - 1
    return int(np.searchsorted(row_start, part, side="right")) - 1


def _no_image(polygons: Polygons, starts: Any, odd: NDArray[np.bool_], grid: Grid) -> InputError:
    ring = int(np.searchsorted(starts[0], np.flatnonzero(odd)[0], side="right")) - 1
    return InputError(
        f"a polygon in {crs_name(polygons.crs)} has no place in {crs_name(grid.crs)}, the raster's CRS",
        _named(polygons, _row_of_ring(ring, starts)),
        "Cut it to the raster's part of the earth first.",
    )


def _named(polygons: Polygons, row: int) -> str:
    return f"row {row}" if polygons.ids is None else f"row {row}, id {polygons.ids[row]}"


def _entered(
    points: NDArray[np.float64], starts: Any, crs: str, ids: NDArray[np.object_] | None
) -> Polygons:
    return Polygons.of_rings(points, starts, crs, ids)
