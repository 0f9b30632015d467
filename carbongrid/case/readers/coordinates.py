"""The shifted coordinate systems of Chinese maps: GCJ-02 (Gaode, Tencent) and BD-09 (Baidu).

Both are functions of WGS 84 longitude and latitude in degrees. The forward functions are the
published formulas; the ways back are fixed-point iterations of these, so that a round trip ends
within 1e-10 degree, where the usual one-step inverses are off by metres.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from carbongrid.case.readers.grid_crs import transformer_between
from carbongrid.raster.opening.crs import crs_of

Degrees = tuple[NDArray[np.float64], NDArray[np.float64]]

SHIFTED = ("gcj02", "bd09")
"""Names of the shifted systems, as the case writes them."""

READINGS = ("wgs84", *SHIFTED)
"""How the same numbers may be read."""

_AXIS, _ECCENTRICITY_SQUARED = 6378245.0, 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_BD_PI = np.pi * 3000.0 / 180.0
# The shift changes by less than 1 % over its own length: each step gains two digits or more. The
# number of steps is fixed, so that no point's result depends on the other points.
_STEPS = 10


def wgs84_to_gcj02(longitude: ArrayLike, latitude: ArrayLike) -> Degrees:
    """Return GCJ-02 longitude and latitude of WGS 84 ones; outside China they are the same."""
    x, y = _arrays(longitude, latitude)
    dx, dy = _shift(x, y)
    inside = _in_china(x, y)
    return np.where(inside, x + dx, x), np.where(inside, y + dy, y)


def gcj02_to_wgs84(longitude: ArrayLike, latitude: ArrayLike) -> Degrees:
    """Return WGS 84 longitude and latitude of GCJ-02 ones; outside China they are the same."""
    x, y = _arrays(longitude, latitude)

    def shifted(a: NDArray[np.float64], b: NDArray[np.float64]) -> Degrees:
        dx, dy = _shift(a, b)
        return a + dx, b + dy

    back_x, back_y = _solve(shifted, x, y)
    inside = _in_china(x, y)
    return np.where(inside, back_x, x), np.where(inside, back_y, y)


def gcj02_to_bd09(longitude: ArrayLike, latitude: ArrayLike) -> Degrees:
    """Return BD-09 longitude and latitude of GCJ-02 ones."""
    x, y = _arrays(longitude, latitude)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_PI)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(longitude: ArrayLike, latitude: ArrayLike) -> Degrees:
    """Return GCJ-02 longitude and latitude of BD-09 ones."""
    x, y = _arrays(longitude, latitude)
    return _solve(gcj02_to_bd09, x, y)


def to_wgs84(longitude: ArrayLike, latitude: ArrayLike, reading: str) -> Degrees:
    """Return WGS 84 longitude and latitude of coordinates in one of :data:`READINGS`."""
    x, y = _arrays(longitude, latitude)
    if reading == "bd09":
        x, y = bd09_to_gcj02(x, y)
    if reading in SHIFTED:
        x, y = gcj02_to_wgs84(x, y)
    return x, y


def from_wgs84(longitude: ArrayLike, latitude: ArrayLike, reading: str) -> Degrees:
    """Return coordinates in one of :data:`READINGS` of WGS 84 longitude and latitude."""
    x, y = _arrays(longitude, latitude)
    if reading in SHIFTED:
        x, y = wgs84_to_gcj02(x, y)
    if reading == "bd09":
        x, y = gcj02_to_bd09(x, y)
    return x, y


def project_points(x: ArrayLike, y: ArrayLike, source: str | CRS, target: CRS) -> Degrees:
    """Return points in another CRS, x first.

    Parameters
    ----------
    x, y
        Coordinates, longitude or easting first, shape (n,).
    source
        ``gcj02``, ``bd09``, or anything that pyproj reads.
    target
        A CRS of pyproj.
    """
    east, north = _arrays(x, y)
    if isinstance(source, str) and source in SHIFTED:
        east, north = to_wgs84(east, north, source)
        source = "EPSG:4326"
    transformer = transformer_between(crs_of(source), target)
    moved_x, moved_y = transformer.transform(east, north)
    return np.asarray(moved_x, dtype=np.float64), np.asarray(moved_y, dtype=np.float64)


def in_china(longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.bool_]:
    """Return whether points lie in the rectangle inside which GCJ-02 shifts."""
    return _in_china(*_arrays(longitude, latitude))


def _arrays(x: ArrayLike, y: ArrayLike) -> Degrees:
    return np.array(x, dtype=np.float64, ndmin=1), np.array(y, dtype=np.float64, ndmin=1)


def _in_china(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (x >= _WEST) & (x <= _EAST) & (y >= _SOUTH) & (y <= _NORTH)


def _solve(
    forward: Callable[[NDArray[np.float64], NDArray[np.float64]], Degrees],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> Degrees:
    """Return the point whose forward image is (x, y)."""
    guess_x, guess_y = x, y
    for _ in range(_STEPS):
        there_x, there_y = forward(guess_x, guess_y)
        guess_x, guess_y = guess_x + (x - there_x), guess_y + (y - there_y)
    return guess_x, guess_y


def _shift(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> Degrees:
    """Return the shift of GCJ-02 in degrees."""
    x, y = longitude - 105.0, latitude - 35.0
    pi, root = np.pi, np.sqrt(np.abs(x))
    ripple = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    dx = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    dx = dx + (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    dx = dx + (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    dy = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    dy = dy + (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    dy = dy + (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    radians = latitude / 180.0 * pi
    magic = 1.0 - _ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    root_magic = np.sqrt(magic)
    meridian = _AXIS * (1.0 - _ECCENTRICITY_SQUARED) / (magic * root_magic)
    return (
        dx * 180.0 / (_AXIS / root_magic * np.cos(radians) * pi),
        dy * 180.0 / (meridian * pi),
    )
