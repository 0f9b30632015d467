"""A point inside of each polygon, bit for bit that of GEOS."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import partition, ribbons, valid_polygons

from carbongrid.raster.kernels.inner_points import inner_points
from carbongrid.raster.polygons.entry import ragged

RING = shapely.box(0, 0, 10, 10) - shapely.box(1, 1, 9, 9)
SEVERAL = np.array(
    [
        RING,
        RING.reverse(),
        shapely.MultiPolygon([RING, shapely.box(20, 0, 21, 1)]),
        shapely.MultiPolygon([shapely.box(20, 0, 21, 1), RING]),
        shapely.MultiPolygon([shapely.box(20, 0, 22, 1), shapely.box(0, 5, 2, 9)]),
        shapely.Polygon([(0, 0), (4, 2), (0, 4), (1, 2)]),
        shapely.Polygon([(0, 0), (3, 1), (6, 0), (6, 2), (3, 3), (0, 2)]),
        shapely.box(-2, -2, 2, 2) - shapely.box(-1, -1, 1, 0),
    ],
    dtype=object,
)
"""Holes in the middle, parts of equal width, and corners as high as the middle of the box."""


def found(shapes):
    points, starts = ragged(shapes)
    return inner_points(points, *starts)


def assert_as_geos_chooses(shapes):
    assert found(shapes).tobytes() == shapely.get_coordinates(shapely.point_on_surface(shapes)).tobytes()  # fmt: skip


@given(valid_polygons(most=6), st.floats(-1e7, 1e7))
@example(SEVERAL, 0.0)
@example(SEVERAL, 1e7 / 3)
def test_points_are_those_of_geos_to_the_last_bit(shapes, away):
    """Holes and parts among them. Seen to fail when holes do not count for the height of the line, when edges that end on it count twice or never, when the last of parts of one width is taken, and when x is found from the other end of an edge."""
    moved = shapely.transform(shapes, lambda xy: xy + away)
    assert_as_geos_chooses(moved[shapely.is_valid(moved)])


def test_points_of_parcels_are_those_of_geos():
    cells = shapely.transform(partition(500, 9000.0, 5), lambda xy: xy / 3 + [4e7, 3.4e6])
    assert_as_geos_chooses(cells)
    roads = ribbons(50, 3000.0, 6)
    assert_as_geos_chooses(roads[shapely.is_valid(roads)])
    merged = shapely.union_all(roads[shapely.is_valid(roads)])
    assert shapely.get_num_interior_rings(shapely.get_parts(merged)).sum() > 20
    assert_as_geos_chooses(np.array([merged, *shapely.get_parts(merged)], dtype=object))


def test_no_rows_have_no_points():
    assert found(SEVERAL[:0]).shape == (0, 2)
