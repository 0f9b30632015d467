"""What a coordinate reference system measures in: metres in a unit of its plane, and true areas of cells in degrees."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.opening.crs import authority_code, crs_of

if TYPE_CHECKING:
    from pyproj import CRS


def crs_text(crs: Any) -> str:
    """Return a CRS as text: an authority's code where one says the same, else WKT."""
    return _short(crs if isinstance(crs, str) else crs_of(crs).to_wkt())


@functools.lru_cache(maxsize=64)
def _short(text: str) -> str:
    parsed = crs_of(text)
    return authority_code(parsed, 100) or parsed.to_wkt()


def crs_name(crs: Any) -> str:
    """Return what people call a CRS."""
    return str(crs_of(crs).name)


def why_no_map(crs: CRS) -> str:
    """Return why coordinates in a CRS are no places on a map, in words that follow its name; blank where they are."""
    if crs.is_geocentric:
        return "gives places in space, from the middle of the earth, not on a map"
    if crs.geodetic_crs is None:
        return "is not a CRS on the earth's surface"
    if crs.is_geographic and crs.is_derived:
        return "has its poles elsewhere than the earth"
    return ""


@functools.lru_cache(maxsize=64)
def metres_per_unit(crs: str) -> float | None:
    """Return the metres in a unit of length of a plane; None for a geographic CRS, whose units are angles.

    Raises
    ------
    InputError
        If the CRS is neither, as a geocentric or a vertical one.
    """
    parsed = crs_of(crs)
    if parsed.is_geographic:
        return None
    factors = [axis.unit_conversion_factor for axis in parsed.axis_info[:2]]
    if parsed.is_geocentric or len(factors) < 2 or factors[0] != factors[1] or factors[0] <= 0:
        raise InputError(
            f"{parsed.name} has no plane with one unit of length",
            hint="Take a projected CRS, for example a UTM zone.",
        )
    return float(factors[0])


def full_turn(crs: str) -> float | None:
    """Return how many units of a geographic CRS go round the earth, 360 of degrees; None for a plane."""
    if metres_per_unit(crs) is not None:
        return None
    radians = float(crs_of(crs).axis_info[0].unit_conversion_factor)
    turn = 2 * np.pi / radians
    return round(turn) if abs(turn - round(turn)) < 1e-6 else turn


def require_plane(crs: str | None, what: str) -> float:
    """Return the metres in a unit of a CRS; of an unknown one, 1.

    Parameters
    ----------
    crs
        As text.
    what
        What is measured, for the message: ``exact areas``.

    Raises
    ------
    InputError
        If the CRS is geographic: its units are no lengths.
    """
    if crs is None:
        return 1.0
    metres = metres_per_unit(crs)
    if metres is None:
        raise InputError(
            f"{what} cannot be measured in {crs_name(crs)}, whose units are angles",
            hint="Reproject first, best to an equal-area CRS: EPSG:6933, or EPSG:3035 in Europe.",
        )
    return metres


def unit_of(crs: str) -> str:
    """Return the unit of the coordinates, as UDUNITS spells it: m, degree, or metres in a unit and m."""
    metres = metres_per_unit(crs)
    if metres is None:
        return str(crs_of(crs).axis_info[0].unit_name)
    return "m" if metres == 1 else f"{metres!r} m"


def areas_between(crs: str, parallels: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return the true areas between neighbouring parallels of a geographic CRS, on its ellipsoid.

    Parameters
    ----------
    crs
        As text.
    parallels : float64 [n + 1]
        Latitudes in the CRS's unit, from the north. Nothing lies beyond the poles.
    width
        Length along the parallel, in the CRS's unit.

    Returns
    -------
    float64 [n]
        m2.

    Notes
    -----
    The area from the equator to latitude p, per radian of longitude, is
    b^2/2 (s / (1 - e^2 s^2) + artanh(e s) / e) with s = sin p, semi-minor axis b and eccentricity e.

    References
    ----------
    J. P. Snyder, Map Projections: A Working Manual, 1987, equation 3-12.
    """
    parsed = crs_of(crs)
    ellipsoid, radians = parsed.ellipsoid, parsed.axis_info[0].unit_conversion_factor
    assert ellipsoid is not None
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    e = np.sqrt(1 - (b / a) ** 2)
    s = np.sin(np.clip(parallels * radians, -np.pi / 2, np.pi / 2))
    arc = s + s if e == 0 else s / (1 - (e * s) ** 2) + np.arctanh(e * s) / e
    areas: NDArray[np.float64] = width * radians * b**2 / 2 * -np.diff(arc)
    return areas
