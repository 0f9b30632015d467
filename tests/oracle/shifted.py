"""Longitudes and latitudes of the two shifted Chinese systems, brought back to WGS 84.

Both shifts are published only as forward formulae; they are undone here by fixed-point iteration, to
far below a millimetre.
"""

from __future__ import annotations

import numpy as np

SEMI_MAJOR = 6378245.0
ECCENTRICITY2 = 0.00669342162296594323
BD_ANGLE = np.pi * 3000.0 / 180.0


def _in_china(lon, lat):
    return (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)


def _waves(value, *terms):
    return sum(2.0 / 3.0 * size * np.sin(value * np.pi * factor) for size, factor in terms)


def wgs84_to_gcj02(lon, lat):
    x, y = lon - 105.0, lat - 35.0
    shared = _waves(x, (20.0, 6.0), (20.0, 2.0))
    north = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + shared
    )
    north = north + _waves(
        y, (20.0, 1.0), (40.0, 1.0 / 3.0), (160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0)
    )
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + shared
    east = east + _waves(
        x, (20.0, 1.0), (40.0, 1.0 / 3.0), (150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0)
    )
    radians = np.radians(lat)
    magic = 1.0 - ECCENTRICITY2 * np.sin(radians) ** 2
    meridian = SEMI_MAJOR * (1.0 - ECCENTRICITY2) / (magic * np.sqrt(magic))
    parallel = SEMI_MAJOR / np.sqrt(magic) * np.cos(radians)
    inside = _in_china(lon, lat)
    return (
        np.where(inside, lon + np.degrees(east / parallel), lon),
        np.where(inside, lat + np.degrees(north / meridian), lat),
    )


def gcj02_to_bd09(lon, lat):
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * BD_ANGLE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * BD_ANGLE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _undo(forward, lon, lat):
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(60):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + (lon - there_lon), guess_lat + (lat - there_lat)
    return guess_lon, guess_lat


def gcj02_to_wgs84(lon, lat):
    return _undo(wgs84_to_gcj02, lon, lat)


def bd09_to_wgs84(lon, lat):
    return gcj02_to_wgs84(*_undo(gcj02_to_bd09, lon, lat))
