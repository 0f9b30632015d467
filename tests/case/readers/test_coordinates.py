from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod

from carbongrid.case.readers.coordinates import (
    READINGS,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_china,
    project_points,
    to_wgs84,
    wgs84_to_gcj02,
)

inside = st.tuples(st.floats(73.0, 136.0), st.floats(2.0, 54.0))


def published_gcj02(lon, lat):
    """Return GCJ-02 of a WGS 84 point, written down from the formula as it circulates."""
    a, ee = 6378245.0, 0.00669342162296594323
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    d_lat += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lat += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * pi) + 320 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    d_lon += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    d_lon += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    d_lon += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    magic = 1 - ee * math.sin(lat / 180.0 * pi) ** 2
    d_lat = d_lat * 180.0 / ((a * (1 - ee)) / (magic * math.sqrt(magic)) * pi)
    d_lon = d_lon * 180.0 / (a / math.sqrt(magic) * math.cos(lat / 180.0 * pi) * pi)
    return lon + d_lon, lat + d_lat


@given(point=inside)
def test_forward_is_the_published_formula(point):
    x, y = wgs84_to_gcj02(*point)
    assert (x[0], y[0]) == pytest.approx(published_gcj02(*point), abs=1e-12)


def test_a_known_point():
    """Tiananmen in WGS 84 and on Gaode's map."""
    x, y = wgs84_to_gcj02(116.391349, 39.907375)
    assert (x[0], y[0]) == pytest.approx((116.397590, 39.908776), abs=1e-5)
    bx, by = gcj02_to_bd09(116.404, 39.915)
    assert (bx[0], by[0]) == pytest.approx((116.41036949371029, 39.92133699351022), abs=1e-9)


@pytest.mark.parametrize("reading", READINGS)
@given(point=inside)
def test_there_and_back(reading, point):
    """Seen to fail with two steps instead of ten, and with the usual one-step inverse."""
    x, y = to_wgs84(*from_wgs84(*point, reading), reading)
    assert (x[0], y[0]) == pytest.approx(point, abs=1e-10)
    x, y = from_wgs84(*to_wgs84(*point, reading), reading)
    assert (x[0], y[0]) == pytest.approx(point, abs=1e-10)


@settings(max_examples=25)
@given(points=st.lists(inside, min_size=2, max_size=20))
def test_no_point_depends_on_the_others(points):
    """Seen to fail when the iteration stopped once every point had settled."""
    x, y = np.array(points).T
    together = to_wgs84(x, y, "bd09")
    for row, point in enumerate(points):
        alone = to_wgs84(*point, "bd09")
        assert (together[0][row], together[1][row]) == (alone[0][0], alone[1][0])


def test_the_shift_at_suzhou():
    x, y = wgs84_to_gcj02(120.585, 31.299)
    _, _, distance = Geod(ellps="WGS84").inv(120.585, 31.299, x[0], y[0])
    assert distance == pytest.approx(465, abs=5)


def test_outside_china_nothing_moves():
    for point in ((9.5, 47.1), (-122.4, 37.8), (140.0, 36.0)):
        for move in (wgs84_to_gcj02, gcj02_to_wgs84):
            x, y = move(*point)
            assert (x[0], y[0]) == point
    assert in_china([9.5, 120.6], [47.1, 31.3]).tolist() == [False, True]


def test_projection_puts_x_first():
    grid = CRS.from_epsg(4549)
    x, y = project_points([120.6], [31.3], "EPSG:4490", grid)
    assert 500_000 < x[0] < 600_000 < y[0]
    gcj = wgs84_to_gcj02(120.6, 31.3)
    moved = project_points(*gcj, "gcj02", grid)
    assert (moved[0][0], moved[1][0]) == pytest.approx((x[0], y[0]), abs=1e-3)
