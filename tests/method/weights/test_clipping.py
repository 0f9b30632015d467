"""Runs of lines in polygons: each line is cut up completely, in order, and each stretch lies where it is said to."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import small_land
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.method.weights import clipping
from carbongrid.method.weights.clipping import TOUCH, lines_of, runs_of

SIDE = 3


def setting(seed):
    """Land with gaps, and lines of whole-number vertices of which many run along borders or end on them."""
    rng = np.random.default_rng(seed)
    land = small_land.bent(rng, SIDE) if seed % 2 else small_land.squares(SIDE)
    steps = rng.choice([1, 50, 100], 5)
    lines = [
        shapely.LineString(rng.integers(-60, 360, (rng.integers(2, 5), 2)) // step * step)
        for step in steps
    ]
    return land[rng.random(len(land)) < 0.7], np.array([x for x in lines if x.length], dtype=object)


@given(st.integers(0, 2**32))
def test_runs_cover_each_line_once_and_lie_where_they_say(seed):
    """Seen to fail when a stretch lay where its end does, not its middle, and when a run went on into the next polygon."""
    land, lines = setting(seed)
    runs = runs_of(lines, land)
    for row, line in enumerate(lines):
        mine = runs.line == row
        assert abs(runs.length[mine].sum() - line.length) < 1e-6
    stretch = np.hypot(*(runs.end - runs.start).T)
    assert (stretch > 0).all()
    assert np.allclose(np.bincount(runs.run, stretch, runs.line.size), runs.length)
    same = runs.run[1:] == runs.run[:-1]
    assert np.abs(runs.end[:-1][same] - runs.start[1:][same]).max(initial=0) < 1e-6
    middles = shapely.points((runs.start + runs.end) / 2)
    for middle, polygon in zip(middles, runs.polygon[runs.run], strict=True):
        held = [row for row, parcel in enumerate(land) if parcel.distance(middle) <= 1e-6]
        assert polygon == (held[0] if held else -1)
    # A run is the longest stretch: the next one on the same line is of another polygon.
    joined = (runs.line[1:] == runs.line[:-1]) & (runs.polygon[1:] == runs.polygon[:-1])
    assert not joined.any()


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0]))
def test_chosen_runs_are_the_lines_they_were(seed, share):
    """Seen to fail when the last vertex of a run was the one before."""
    land, lines = setting(seed)
    runs = runs_of(lines, land)
    chosen = np.random.default_rng(seed).random(runs.line.size) < share
    found = lines_of(runs, chosen)
    assert len(found) == chosen.sum()
    assert np.allclose(shapely.length(found), runs.length[chosen])


def slow_cuts(a, b, polygons):
    """Every segment with every edge of every ring: where they cross, and where an end of the edge lies beside the segment."""
    found = []
    rings = [ring.coords for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    edges = [pair for ring in rings for pair in np.stack([ring[:-1], ring[1:]], axis=1)]
    for row, (start, end) in enumerate(zip(a, b, strict=True)):
        way = end - start
        size = np.hypot(*way)
        for c, d in edges:
            if shapely.LineString([c, d]).distance(shapely.LineString([start, end])) > TOUCH:
                continue
            across, (u, v) = d - c, c - start
            turn = way[0] * across[1] - way[1] * across[0]
            shares = []
            if abs(turn) > 1e-9 * size * np.hypot(*across):
                shares.append((u * across[1] - v * across[0]) / turn)
            for x, y in (c - start, d - start):
                if abs(way[0] * y - way[1] * x) <= TOUCH * size:
                    shares.append((x * way[0] + y * way[1]) / (size * size))
            found += [(row, share) for share in shares if TOUCH / size < share < 1 - TOUCH / size]
    return sorted(found)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 100]), st.sampled_from([1, 3, 32]))
def test_cuts_are_where_segments_meet_edges_however_they_are_grouped(seed, polygons, edges):
    """Seen to fail when the last edge of a ring was left out."""
    land, lines = setting(seed)
    x, y = np.random.default_rng(seed).uniform(0, 250, (2, 3))
    holed = [shapely.box(*each).difference(shapely.box(*each).buffer(-20)) for each in zip(x, y, x + 90, y + 90, strict=True)]  # fmt: skip
    land = np.append(land, holed)
    a, b, _ = clipping._segments(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clipping, "_POLYGONS_AT_ONCE", polygons)
        patch.setattr(clipping, "_EDGES_TOGETHER", edges)
        row, share = clipping._cuts(a, b, land)
    assert sorted(zip(row.tolist(), share.tolist(), strict=True)) == slow_cuts(a, b, land)


@pytest.mark.parametrize(("apart", "polygon"), [(0.0, 0), (TOUCH / 2, 0), (2 * TOUCH, -1)])
def test_a_line_beside_a_polygon_touches_it_within_a_micrometre(apart, polygon):
    """Seen to fail when the boxes of polygons, or of their edges, were not wider by a touch."""
    line = shapely.LineString([(-10, -apart), (20, -apart)])
    runs = runs_of(np.array([line]), np.array([shapely.box(0, 0, 10, 10)]))
    assert polygon in runs.polygon
    assert np.allclose(runs.length, [10, 10, 10] if polygon == 0 else [30])


def test_no_polygon_leaves_each_line_whole():
    line = shapely.LineString([(0, 0), (10, 0), (10, 10)])
    runs = runs_of(np.array([line]), np.empty(0, object))
    assert (runs.line.tolist(), runs.polygon.tolist(), runs.length.tolist()) == ([0], [-1], [20.0])


def test_a_long_line_is_held_against_what_lies_beside_it():
    """Of 400 squares those near the diagonal. Seen to fail when all were, whose edges meet the line's box: gigabytes for straight roads."""
    corners = 12.0 * np.stack(np.meshgrid(np.arange(20), np.arange(20)), axis=-1).reshape(-1, 2)
    land = shapely.segmentize(shapely.box(*corners.T, *(corners + 10).T), 1.0)
    asked = []

    class Tree(shapely.STRtree):
        def query(self, geometry, *arguments, **how):
            found = super().query(geometry, *arguments, **how)
            asked.append(found.shape[1])
            return found

    c, d, ring = clipping._segments(shapely.get_rings(land))
    a, b = np.array([[-5.0, -4.0]]), np.array([[245.0, 244.0]])
    tree = Tree(shapely.linestrings(np.stack([a, b], axis=1)))
    segment, edge = clipping._boxes_meet(a, b, tree, c, d, ring)
    assert len(ring) == 16_000
    assert asked == [pytest.approx(40, abs=20)]
    assert 40 <= len(segment) == len(edge)
