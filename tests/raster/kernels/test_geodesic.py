"""Areas by the series, held against the same rings divided into many short edges, and against pyproj."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import Geod

from carbongrid.raster.kernels.geodesic import ring_areas

WGS84 = Geod(ellps="WGS84")
PARALLEL = 111_320.0


def areas(*rings, geod=WGS84):
    closed = [np.array([*ring, ring[0]]) for ring in rings]
    start = np.concatenate([[0], np.cumsum([len(ring) for ring in closed])])
    lonlat = np.concatenate(closed)
    columns = np.ascontiguousarray(lonlat[:, 0]), np.ascontiguousarray(lonlat[:, 1])
    return ring_areas(*columns, start, geod.a, geod.f)


def around(longitude, latitude, size, seed, corners):
    """Return a star of so many corners, size in m."""
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = size * rng.uniform(0.2, 1, corners)
    across = np.cos(np.radians(latitude))
    east, north = reach * np.cos(turn), reach * np.sin(turn)
    x = longitude + east / PARALLEL / across
    return np.column_stack([np.where(x > 180, x - 360, x), latitude + north / PARALLEL])


@given(
    longitude=st.floats(-180, 180),
    latitude=st.floats(-80, 80),
    size=st.floats(0, 5).map(lambda power: 10**power),
    seed=st.integers(0, 2**32),
    corners=st.integers(3, 12),
)
@example(longitude=180.0, latitude=-17.0, size=500.0, seed=1, corners=7)
@example(longitude=10.0, latitude=0.0, size=2000.0, seed=2, corners=5)
def test_areas_are_those_of_geodesics_wherever_they_are_told(
    longitude, latitude, size, seed, corners
):
    """Geod is off by some 1e-5 m2 a corner, whatever the size."""
    ring = around(longitude, latitude, size, seed, corners)
    (area,) = areas(ring)
    expected = abs(WGS84.polygon_area_perimeter(ring[:, 0], ring[:, 1])[0])
    assert np.isnan(area) or area == pytest.approx(expected, rel=1.1e-9, abs=2e-5 * corners)
    if size < 1000 and expected > 0.05 * size**2:
        assert not np.isnan(area)


@given(
    longitude=st.floats(-179, 179),
    latitude=st.floats(-70, 70),
    size=st.floats(1, 10),
    seed=st.integers(0, 2**32),
)
def test_small_rings_are_measured_to_less_than_a_square_millimetre(longitude, latitude, size, seed):
    """On a plane of degrees, in fractions, where geodesics bend by less than size^3 / radius; both axes have the scale of the ring's centre."""
    ring = around(longitude, latitude, size, seed, 5)
    (area,) = areas(ring)
    squared = WGS84.f * (2 - WGS84.f)
    twice = Fraction(0)
    points = [tuple(map(Fraction, point)) for point in ring]
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        twice += (x0 - points[0][0]) * (y1 - points[0][1]) - (x1 - points[0][0]) * (
            y0 - points[0][1]
        )
    # Radii of the meridian and of the parallel at the ring's centre of area, to which the scale is linear.
    centre = float(_centre(points))
    sine = np.sin(np.radians(centre))
    meridian = WGS84.a * (1 - squared) / (1 - squared * sine**2) ** 1.5
    parallel = WGS84.a * np.cos(np.radians(centre)) / np.sqrt(1 - squared * sine**2)
    flat = abs(float(twice)) / 2 * np.radians(1) ** 2 * meridian * parallel
    assert area == pytest.approx(flat, rel=1e-9, abs=1e-8 * size + size**3 / WGS84.a)


def _centre(points):
    """Return the latitude of the centre of area, exactly."""
    twice = moment = Fraction(0)
    x, y = points[0]
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        cross = (x0 - x) * (y1 - y) - (x1 - x) * (y0 - y)
        twice += cross
        moment += cross * (y0 - y + y1 - y)
    return y + moment / (3 * twice)


def test_what_the_series_does_not_reach_is_not_a_number():
    """Edges of a country, a ring around the pole with short edges, a needle; and a sphere has a series as well."""
    country = [(100.0, 30.0), (110.0, 30.0), (105.0, 40.0)]
    turn = np.arange(-180.0, 180.0, 0.05)
    polar = np.column_stack([turn, np.full(turn.size, 80.0)])
    needle = [(100.0, 30.0), (100.05, 30.02), (100.05, 30.0200000001)]
    small = [(100.0, 30.0), (100.001, 30.0), (100.001, 30.001)]
    assert np.isnan(areas(country, polar, needle, small)).tolist() == [True, True, True, False]
    sphere = Geod(a=6_371_000, b=6_371_000)
    expected = abs(sphere.polygon_area_perimeter(*zip(*small, strict=True))[0])
    assert areas(small, geod=sphere)[0] == pytest.approx(expected, abs=1e-4)
