"""Units that coordinates say they are in, held against those of their CRS."""

from __future__ import annotations

import math
import re
from typing import Any

from carbongrid.errors import InputError
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.planes import crs_name, metres_per_unit

_DIRECTED = re.compile(r"degrees?_?(?:(?P<x>east|E)|(?P<y>north|N))")
"""Degrees as the CF conventions (4.1, 4.2) let longitudes and latitudes have them."""

_LENGTHS = {
    "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0,
    "km": 1000.0, "kilometre": 1000.0, "kilometres": 1000.0, "kilometer": 1000.0, "kilometers": 1000.0,
    "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us_survey_foot": 0.3048, "us_survey_feet": 0.3048,
}  # fmt: skip
"""Metres in a unit; feet of both kinds are told apart by the CRS alone."""

_ANGLES = {
    "degree": math.pi / 180, "degrees": math.pi / 180, "deg": math.pi / 180,
    "rad": 1.0, "radian": 1.0, "radians": 1.0, "microradian": 1e-6, "microradians": 1e-6,
}  # fmt: skip
"""Radians in a unit."""

# More than lies between the two kinds of feet, less than between any other units.
_SAME = 1e-5


def axis_of_angle(units: Any) -> str | None:
    """Return x for degrees to the east and y for degrees to the north, in any spelling of CF; None for other units."""
    found = _DIRECTED.fullmatch(str(units).strip())
    return None if found is None else found.lastgroup


def require_unit_of_crs(units: Any, axis: Any, crs: str | None) -> None:
    """Raise if coordinates say another unit than their CRS has, as kilometres for metres.

    Parameters
    ----------
    units
        As their attribute has it; one that is not known says nothing.
    axis
        Their name.
    crs
        As text; without one, lengths are taken for metres.

    Raises
    ------
    InputError
        If so.
    """
    told = str(units).strip()
    length = _LENGTHS.get(told.lower())
    angle = _ANGLES["degree"] if axis_of_angle(told) else _ANGLES.get(told.lower())
    if length is None and (angle is None or crs is None):
        return
    metres = 1.0 if crs is None else metres_per_unit(crs)
    place = "coordinates without a CRS" if crs is None else f"the CRS {crs_name(crs)}"
    if metres is None:
        radians = float(crs_of(crs).axis_info[0].unit_conversion_factor)
        if angle is None:
            raise _other(axis, told, f"{place} has angles")
        if not math.isclose(angle, radians, rel_tol=_SAME):
            raise _in_another(axis, told, f"{place} has units of {radians:g} rad", angle / radians)
    elif length is None:
        raise _other(axis, told, f"{place} has lengths")
    elif not math.isclose(length, metres, rel_tol=_SAME):
        has = "are taken for" if crs is None else "has units of"
        raise _in_another(axis, told, f"{place} {has} {metres:g} m", length / metres)


def _in_another(axis: Any, told: str, has: str, times: float) -> InputError:
    written = f'raster.assign_coords({axis}=("{axis}", raster["{axis}"].values * {times:g}, {{}}))'
    return InputError(
        f"the coordinates along {axis} are in {told!r}, and {has}",
        hint=f"Write them in that unit: {written}.",
    )


def _other(axis: Any, told: str, has: str) -> InputError:
    return InputError(
        f"the coordinates along {axis} are in {told!r}, and {has}",
        hint='Name the CRS that they are in, raster.rio.write_crs("EPSG:..."), or write them in the unit of this one, with it as their attribute units.',
    )
