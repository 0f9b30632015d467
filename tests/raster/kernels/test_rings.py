"""Rings in the normal form of GEOS, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import valid_polygons

from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.rings import normal_rings

OUTER = np.array([(3, 0), (0, 2), (0, 5), (4, 6), (9, 3)], float)
INNER = np.array([(2, 3), (2, 4), (4, 4), (5, 3)], float)


def normalized(points, *starts):
    """Of arrays as outlines have them, or all is compiled once more."""
    held = (as_readonly_contiguous(each, np.int64) for each in starts)
    return normal_rings(as_readonly_contiguous(points, np.float64), *held)


def normal(*rings):
    """Rings of one polygon, the exterior first."""
    start = np.cumsum([0, *map(len, rings)])
    found, unknown = normalized(np.concatenate(rings), start, [0, len(rings)])
    return np.split(found, start[1:-1]), unknown.tolist()


def of_geos(*rings):
    polygon = shapely.normalize(shapely.Polygon(rings[0], rings[1:]))
    return [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]


def ring(corners, seed):
    """A closed ring that begins anywhere, in either direction; some corners are there twice or thrice."""
    rng = np.random.default_rng(seed)
    turned = np.roll(corners, rng.integers(len(corners)), axis=0)[:: rng.choice([-1, 1])]
    many = np.repeat(turned, rng.choice([1, 1, 1, 2, 3], len(turned)), axis=0)
    many = np.roll(many, rng.integers(-3, 4), axis=0)
    return np.concatenate([many, many[:1]])


def begins_amid_its_least(closed):
    """Whether the least corner comes first in the ring, and last before it closes."""
    least = min(map(tuple, closed))
    places = [i for i, corner in enumerate(closed[:-1]) if tuple(corner) == least]
    return places[0] == 0 and places[-1] == len(closed) - 2


def bits(rings):
    return [np.ascontiguousarray(each).tobytes() for each in rings]


@given(st.integers(0, 2**32), st.booleans(), st.floats(0, 1e7))
@example(1, True, 0.0)
def test_rings_are_those_of_geos(seed, holed, away):
    """Wherever they begin, in either direction, with corners that are there twice. Seen to fail when a ring begins at the last of its least corners, when the lowest of the leftmost ones is the highest, when holes run as exteriors do, and when a ring that begins amid equal corners is told."""
    rings = [ring(OUTER + away, seed), *([ring(INNER + away, seed + 1)] if holed else [])]
    found, unknown = normal(*rings)
    assert unknown == [begins_amid_its_least(each) for each in rings]
    if not any(unknown):
        assert bits(found) == bits(of_geos(*rings))


@given(valid_polygons(most=6))
def test_polygons_of_up_to_one_hole_are_those_of_geos(shapes):
    """Of any shape, several in one call. Seen to fail when rings begin at the start of all."""
    parts = shapely.get_parts(shapes)
    parts = parts[shapely.get_num_interior_rings(parts) < 2]
    rings, owner = shapely.get_rings(parts, return_index=True)
    points = shapely.get_coordinates(rings)
    start = np.cumsum([0, *shapely.get_num_coordinates(rings)])
    own = np.cumsum([0, *np.bincount(owner, minlength=len(parts))])
    found, unknown = normalized(points, start, own)
    expected = shapely.get_rings(shapely.normalize(parts))
    for number in np.flatnonzero(~unknown):
        own = found[start[number] : start[number + 1]]
        assert bits([own]) == bits([shapely.get_coordinates(expected[number])])


@pytest.mark.parametrize(
    ("corners", "unknown"),
    [
        ([0, 1, 2, 3, 4, 0], False),
        ([1, 2, 3, 4, 0, 1], False),
        ([1, 1, 2, 3, 4, 0, 1], False),
        ([1, 1, 0, 4, 3, 2, 1], False),
        ([0, 1, 1, 1, 2, 3, 4, 0], False),
        ([0, 4, 3, 2, 1, 1, 1, 0], False),
        ([0, 0, 1, 2, 3, 4, 0, 0], False),
        ([1, 2, 3, 4, 0, 1, 1], True),
        ([1, 0, 4, 3, 2, 1, 1], True),
        ([1, 1, 2, 3, 4, 0, 1, 1], True),
    ],
)
def test_a_ring_that_begins_amid_its_least_corner_is_left_to_geos(corners, unknown):
    """GEOS drops a corner of it, at times. Seen to fail when it is taken for any other."""
    closed = OUTER[corners]
    found, told = normal(closed)
    assert told == [unknown] == [begins_amid_its_least(closed)]
    if not unknown:
        assert bits(found) == bits(of_geos(closed))


def test_a_sliver_whose_direction_rounding_leaves_open_is_left_to_geos():
    """Seen to fail when a corner of no area has a direction."""
    flat = np.array([(0, 0), (1, 1), (2, 2), (0, 0)], float)
    assert normal(flat)[1] == [True]
    found, unknown = normal(OUTER[[0, 1, 2, 3, 4, 0]], flat)
    assert unknown == [False, True]
    assert bits(found[:1]) == bits(of_geos(OUTER[[0, 1, 2, 3, 4, 0]]))


def test_signs_of_nought_stay():
    """As numbers they are equal: the first of them is the least. Seen to fail when nought is added."""
    closed = np.array([(-0.0, -0.0), (-0.0, 2), (2, -0.0), (-0.0, -0.0)])
    for each in (closed, closed[::-1], closed * [-1, 1], closed[[1, 2, 0, 1]]):
        assert bits(normal(each)[0]) == bits(of_geos(each))
