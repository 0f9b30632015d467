"""GCJ-02, the shifted coordinates of Chinese map services, from WGS 84.

The formulas are those in common use; the ellipsoid is that of Krassovsky 1940.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AXIS = 6_378_245.0
_ECCENTRICITY = 0.00669342162296594323


def gcj02_from_wgs84(longitude: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 longitude and latitude of WGS 84 ones, degrees; inside China only.

    Near 31 degrees north the shift is about 500 m.
    """
    east, north = longitude - 105.0, latitude - 35.0
    shift_north = -100.0 + 2.0 * east + 3.0 * north + 0.2 * north**2 + 0.1 * east * north
    shift_north += 0.2 * np.sqrt(np.abs(east)) + _waves(east, (6.0, 2.0), 20.0)
    shift_north += _waves(north, (1.0, 1 / 3), 40.0)
    shift_north += (160.0 * _sine(north / 12.0) + 320.0 * _sine(north / 30.0)) * 2.0 / 3.0
    shift_east = 300.0 + east + 2.0 * north + 0.1 * east**2 + 0.1 * east * north
    shift_east += 0.1 * np.sqrt(np.abs(east)) + _waves(east, (6.0, 2.0), 20.0)
    shift_east += _waves(east, (1.0, 1 / 3), 40.0)
    shift_east += (150.0 * _sine(east / 12.0) + 300.0 * _sine(east / 30.0)) * 2.0 / 3.0
    radians = np.radians(latitude)
    flattening = 1.0 - _ECCENTRICITY * np.sin(radians) ** 2
    metres_north = _AXIS * (1.0 - _ECCENTRICITY) / (flattening * np.sqrt(flattening))
    metres_east = _AXIS / np.sqrt(flattening) * np.cos(radians)
    return (
        longitude + np.degrees(shift_east / metres_east),
        latitude + np.degrees(shift_north / metres_north),
    )


def _sine(turns: Floats) -> Floats:
    return np.asarray(np.sin(turns * np.pi))


def _waves(value: Floats, pitches: tuple[float, float], second: float) -> Floats:
    return (20.0 * _sine(pitches[0] * value) + second * _sine(pitches[1] * value)) * 2.0 / 3.0
