"""Planar areas, bit for bit those of GEOS."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import polygons

from carbongrid.raster.kernels.planar_areas import planar_areas
from carbongrid.raster.polygons import Polygons


@given(polygons(), st.floats(-1e7, 1e7), st.integers(0, 5))
def test_areas_are_those_of_geos_to_the_last_bit(shapes, away, seed):
    """Holes, parts and rings far from the origin among them. Seen to fail when holes are added, and when x is counted from 0."""
    some = Polygons.of(shapely.transform(np.asarray(shapes, dtype=object), lambda xy: xy + away))
    rows = np.random.default_rng(seed).permutation(len(some))
    starts = (some.ring_start, some.part_start, some.row_start)
    found = planar_areas((some.x, some.y), starts, rows)
    expected = [shape.area if shape else 0.0 for shape in some.geometries(rows)]
    assert found.tolist() == expected
