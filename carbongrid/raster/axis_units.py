"""Units that coordinates say they are in, held against those of their CRS."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import crs_name, metres_per_unit
from carbongrid.raster.opening.crs import crs_of

if TYPE_CHECKING:
    import xarray as xr

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

# No plane reaches further: its earth is 4e7 m round, and false eastings of numbered zones go to 6e7 m.
MAX_LENGTH = 1e8
# One turn, with what rounding may add.
MAX_ANGLE = 2 * math.pi * 1.01


def axis_of_angle(units: Any) -> str | None:
    """Return x for degrees to the east and y for degrees to the north, in any spelling of CF; None for other units."""
    found = _DIRECTED.fullmatch(str(units).strip())
    return None if found is None else found.lastgroup


def require_units_of_crs(raster: xr.DataArray, crs: str | None) -> None:
    """Raise if coordinates of a raster [y, x] say another unit than their CRS has, as kilometres for metres, and may be in it.

    In arithmetic xarray keeps attributes: numbers that cannot be in the unit that they say were brought into another one, and are taken as they are.

    Parameters
    ----------
    raster
        Coordinates without units, or in one that is not known, say nothing.
    crs
        As text; without one, lengths are taken for metres.

    Raises
    ------
    InputError
        If so.
    """
    found = [_contradiction(raster[axis], crs) for axis in raster.dims if axis in raster.coords]
    wrong = [each for each in found if each is not None]
    if not wrong or any(map(_is_beyond_its_unit, wrong)) or _lies_as_it_is(raster, wrong, crs):
        return
    first = wrong[0]
    off = "; ".join(f'raster["{each.axis}"].attrs.pop("units")' for each in wrong)
    hint = f"Where the numbers are right already, take off what they say: {off}. "
    if all(each.times for each in wrong):
        written = ", ".join(
            f'{each.axis}=("{each.axis}", raster["{each.axis}"].values * {each.times!r}, {{}})'
            for each in wrong
        )
        hint += f"Otherwise write them in that unit: raster.assign_coords({written})."
    else:
        hint += 'Otherwise name the CRS that they are in, import rioxarray; raster = raster.rio.write_crs("EPSG:..."), or write them in the unit of this one.'
    raise InputError(f"the coordinates along {first.axis} are in {first.told!r}, and {first.has}", hint=hint)  # fmt: skip


@dataclass(frozen=True)
class _Contradiction:
    """Coordinates in another unit than their CRS has: what both say, by how much to multiply (None between lengths and angles), and the largest number in metres or radians if it is in the unit that they say."""

    axis: Hashable
    told: str
    has: str
    times: float | None
    is_length: bool
    reach: float


def _contradiction(place: xr.DataArray, crs: str | None) -> _Contradiction | None:
    told = str(place.attrs.get("units")).strip()
    length = _LENGTHS.get(told.lower())
    angle = _ANGLES["degree"] if axis_of_angle(told) else _ANGLES.get(told.lower())
    if length is None and (angle is None or crs is None):
        return None
    metres = 1.0 if crs is None else metres_per_unit(crs)
    name = "coordinates without a CRS" if crs is None else f"the CRS {crs_name(crs)}"
    times = None
    if metres is None:
        radians = float(crs_of(crs).axis_info[0].unit_conversion_factor)
        has = f"{name} has angles" if angle is None else f"{name} has units of {radians:g} rad"
        times = None if angle is None else angle / radians
    else:
        verb = "are taken for" if crs is None else "has units of"
        has = f"{name} has lengths" if length is None else f"{name} {verb} {metres:g} m"
        times = None if length is None else length / metres
    if times is not None and math.isclose(times, 1.0, rel_tol=_SAME):
        return None
    largest = float(np.abs(place.to_numpy().astype(np.float64)).max(initial=0.0))
    of_unit = angle if length is None else length
    assert of_unit is not None
    return _Contradiction(place.name, told, has, times, length is not None, largest * of_unit)


def _is_beyond_its_unit(found: _Contradiction) -> bool:
    """Tell whether numbers in this unit lie nowhere on the earth."""
    return found.reach > (MAX_LENGTH if found.is_length else MAX_ANGLE)


def _lies_as_it_is(raster: xr.DataArray, wrong: Sequence[_Contradiction], crs: str | None) -> bool:
    """Tell whether the middle of a raster lies where its CRS is used, and far from there in the unit that it says."""
    if crs is None or not all(axis in raster.coords for axis in raster.dims):
        return False
    parsed = crs_of(crs)
    area = parsed.area_of_use
    if area is None or not all(each.is_length and each.times for each in wrong):
        return False
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        to_plane = Transformer.from_crs("OGC:CRS84", parsed, always_xy=True)
        used = np.array(to_plane.transform_bounds(*area.bounds)).reshape(2, 2)
    except ProjError:
        return False
    sides = used[1] - used[0]
    if not (np.isfinite(used).all() and (sides > 0).all()):
        return False
    y, x = raster.dims
    middle = np.array([float(raster[axis].mean()) for axis in (x, y)])
    by_axis = {each.axis: each.times for each in wrong}
    moved = middle * np.array([by_axis.get(axis) or 1.0 for axis in (x, y)])
    is_there = ((middle >= used[0]) & (middle <= used[1])).all()
    is_far = ((moved < used[0] - sides) | (moved > used[1] + sides)).any()
    return bool(is_there and is_far)
