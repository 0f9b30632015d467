"""Areas that two polygons have in common, against fractions and against GEOS."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from carbongrid.raster.kernels import shared_areas as kernels
from carbongrid.raster.kernels.excerpts import edge_blocks
from carbongrid.raster.polygons import Polygons

CORNERS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=8, unique=True
)


def taken(shapes):
    made = Polygons.of(np.asarray(shapes, dtype=object))
    shape = (made.x, made.y, made.ring_start, made.part_start, made.row_start)
    return shape, edge_blocks(made.x, made.y, made.ring_start, kernels.RUN, 0), made.bounds


def shared(one, other):
    """Return the area of one pair, and of the window."""
    pair = np.zeros(1, np.int64)
    (area,), (window,) = kernels.shared_areas(*taken([one]), *taken([other]), pair, pair)
    return area, window


def convex(corners):
    """Return the corners of a convex hull, counter-clockwise, or None where it is flat."""
    hull = shapely.MultiPoint(corners).convex_hull
    if hull.geom_type != "Polygon":
        return None
    return [(Fraction(x), Fraction(y)) for x, y in hull.normalize().reverse().exterior.coords[:-1]]


def cut(subject, clip):
    """Return the corners of what two convex polygons have in common, in fractions, edge by edge (Sutherland and Hodgman)."""
    for (x0, y0), (x1, y1) in zip(clip, clip[1:] + clip[:1], strict=True):
        sides = [(x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for x, y in subject]
        kept = []
        for k, (here, side) in enumerate(zip(subject, sides, strict=True)):
            before, side_before = subject[k - 1], sides[k - 1]
            if side * side_before < 0:
                share = side_before / (side_before - side)
                kept.append(tuple(a + (b - a) * share for a, b in zip(before, here, strict=True)))
            if side >= 0:
                kept.append(here)
        subject = kept
    return subject


def area_of(corners):
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum((x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs), Fraction(0))) / 2


@given(CORNERS, CORNERS, st.sampled_from([0.0, 4e7]))
def test_convex_polygons_have_in_common_what_fractions_say(a, b, offset):
    """Corners on a lattice, so that edges and corners lie on each other. Seen to fail when edges that run west are not taken away, and when an edge above the window is taken for one below."""
    one, other = convex(a), convex(b)
    if one is None or other is None:
        return
    expected = float(area_of(cut(one, other)))
    shapes = [shapely.Polygon([(float(x) + offset, float(y) + offset) for x, y in each]) for each in (one, other)]  # fmt: skip
    for first, second in (shapes, shapes[::-1]):
        area, window = shared(first, second)
        assert area == pytest.approx(expected, rel=1e-14, abs=1e-14 * window)


def star(count, seed, radius, place):
    """Return a polygon of many corners in any direction from its middle, most of them no corner of its hull."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, count))
    far = radius * rng.uniform(0.3, 1.0, count)
    return shapely.Polygon(np.column_stack([far * np.cos(angle), far * np.sin(angle)]) + place)


@given(st.integers(3, 150), st.integers(3, 150), st.integers(0, 99), st.floats(0.05, 3.0), st.floats(-2, 2), st.floats(-2, 2))  # fmt: skip
@example(140, 5, 1, 0.1, 0.5, 0.0)
def test_long_rings_have_in_common_what_geos_cuts_out(many, few, seed, size, right, up):
    """Of more than a run, in part aside, above and below the other. Seen to fail when a run that is aside does not end what is above, and when the last run reaches over its ring's end."""
    one, other = star(many, seed, 1.0, (0, 0)), star(few, seed + 1, size, (right, up))
    hole = shapely.affinity.scale(one, 0.2, 0.2, origin=(0, 0))
    for mine in (one, one - hole, shapely.MultiPolygon([one, shapely.affinity.translate(one, 3)])):
        if not (mine.is_valid and other.is_valid):
            continue
        expected = shapely.area(shapely.intersection(mine, other))
        for first, second in ((mine, other), (other, mine)):
            assert shared(first, second)[0] == pytest.approx(expected, abs=1e-12)


def test_what_lies_inside_or_aside_is_all_or_nothing():
    """Seen to fail when an origin that is not the window's lets digits be lost."""
    unit = shapely.transform(
        star(2000, 5, 5e4, (0, 0)), lambda xy: np.add(xy, [40500000.0, 3500000.0])
    )
    inside = shapely.box(40_500_010, 3_500_010, 40_500_110, 3_500_100)
    area, window = shared(inside, unit)
    assert area == pytest.approx(inside.area, rel=1e-13)
    assert window == inside.area
    aside = shapely.box(40_549_000, 3_549_000, 40_549_100, 3_549_090)
    assert not aside.intersects(unit)
    assert abs(shared(aside, unit)[0]) < 1e-13 * aside.area


def test_boxes_without_a_common_inside_have_nothing():
    left, right = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)
    assert shared(left, right) == (0.0, 0.0)
    assert shared(left, left) == (1.0, 1.0)
