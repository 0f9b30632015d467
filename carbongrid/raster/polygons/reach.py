"""Polygons of which not one meets what they are laid on: a CRS is missing or wrong, or the place is another one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem, warn_of
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.polygons.sets import Polygons


def require_reach(
    polygons: Polygons,
    bounds: tuple[float, ...] | NDArray[np.float64],
    there: str | None,
    crs: str | None,
) -> None:
    """Warn where there are polygons and not one meets these bounds; raise where their missing CRS is why.

    Parameters
    ----------
    polygons
        As they are laid: in the CRS of the bounds, or in none that is known.
    bounds
        West, south, east, north of a grid or of other polygons.
    there
        CRS of the bounds.
    crs
        In which the polygons came.

    Raises
    ------
    InputError
        If not one meets the bounds, nobody named the polygons' CRS, and they may be in degrees where the bounds are not, or the reverse.
    """
    west, south, east, north = bounds
    left, bottom, right, top = polygons.bounds.T
    own = polygons.total_bounds
    nothing = np.isnan(own[0]) or np.isnan(west)
    if nothing or ((left <= east) & (right >= west) & (bottom <= north) & (top >= south)).any():
        return
    what = f"none of the polygons meets what they are laid on: they run {_run(own)}, and that runs {_run(bounds)}"
    if crs is None and there is not None and _of_other_kind(own, bounds, there):
        hint = "Set it: polygons.set_crs(...) of a GeoDataFrame, cg.Polygons.of(geometries, crs=...) of an array."
        raise InputError(f"the polygons have no CRS, and {what}", hint=hint)
    warn_of(Problem(what, hint="Check the CRS of both; every result is empty."))


def _of_other_kind(
    own: NDArray[np.float64], bounds: tuple[float, ...] | NDArray[np.float64], there: str
) -> bool:
    """Whether coordinates are degrees on a plane, or none in degrees; those of a plane near its origin may be either, and tell nothing."""
    if crs_of(there).is_geographic:
        return not _may_be_degrees(own)
    return _may_be_degrees(own) and not _may_be_degrees(bounds)


def _may_be_degrees(bounds: tuple[float, ...] | NDArray[np.float64]) -> bool:
    west, south, east, north = bounds
    return bool(west >= -360 and east <= 360 and south >= -90 and north <= 90)


def _run(bounds: tuple[float, ...] | NDArray[np.float64]) -> str:
    west, south, east, north = bounds
    return f"x {west:.8g}..{east:.8g}, y {south:.8g}..{north:.8g}"
