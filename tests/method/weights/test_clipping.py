"""Runs of lines in polygons: each line is cut up completely, in order, and each stretch lies where it is said to."""

from __future__ import annotations

import numpy as np
import shapely
import small_land
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.method.weights.clipping import lines_of, runs_of

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


def test_no_polygon_leaves_each_line_whole():
    line = shapely.LineString([(0, 0), (10, 0), (10, 10)])
    runs = runs_of(np.array([line]), np.empty(0, object))
    assert (runs.line.tolist(), runs.polygon.tolist(), runs.length.tolist()) == ([0], [-1], [20.0])
