"""How far the plane of a CRS shows areas off from the true ones, told where areas are asked for or cells count alike."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem, warn_of
from carbongrid.raster.crs_units import crs_name
from carbongrid.raster.opening.crs import crs_of

if TYPE_CHECKING:
    from pyproj import CRS, Proj, Transformer

LIMIT = 0.02
"""Share by which areas or lengths may be off in a plane without a word."""

_EQUAL_AREA = "Reproject to an equal-area CRS first: EPSG:6933, or EPSG:3035 in Europe."
# Of so many polygons, the largest, cells are held against each other: a tenth of a microsecond each.
_LARGEST = 20_000

type Bounds = tuple[float, float, float, float]


def plane_factors(crs: CRS, x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    """Return what the plane of a projected CRS makes of areas and lengths at places in it, as PROJ has it: ``areal_scale``, ``tissot_semimajor``, ``tissot_semiminor``."""
    to_angles, radians = _to_angles(crs)
    angles = np.array(to_angles.transform(x, y), np.float64)
    return _projection(crs).get_factors(*np.rad2deg(angles * radians))


@functools.lru_cache(maxsize=64)
def areal_scales(crs: str | None, bounds: Bounds) -> tuple[float, float]:
    """Return the least and the largest that areas within bounds are in the plane, in shares of the true ones; 1 and 1 where that is not known, and in degrees."""
    west, south, east, north = bounds
    x, y = np.meshgrid([west, (west + east) / 2, east], [south, (south + north) / 2, north])
    scales = _scales(crs, x.ravel(), y.ravel())
    scales = scales[np.isfinite(scales) & (scales > 0)]
    return (float(scales.min()), float(scales.max())) if scales.size else (1.0, 1.0)


def is_off(crs: str | None, bounds: Bounds) -> bool:
    """Tell whether areas within bounds are off by more than the limit."""
    low, high = areal_scales(crs, bounds)
    return max(abs(low - 1), abs(high - 1)) > LIMIT


def is_uneven(crs: str | None, bounds: Bounds) -> bool:
    """Tell whether areas within bounds are off from each other by more than the limit."""
    low, high = areal_scales(crs, bounds)
    return high / low > 1 + LIMIT


def areas_problem(crs: str | None, bounds: Bounds, where: str = "") -> Problem | None:
    """Return a warning if areas within bounds are off by more than the limit; None if they are not."""
    if not is_off(crs, bounds):
        return None
    low, high = areal_scales(crs, bounds)
    return Problem(
        f"areas in {crs_name(crs)} are about {_times(low, high)} the true ones here, and what is made of them is as far off",
        where,
        _EQUAL_AREA,
        "warning",
    )


def warn_of_areas(crs: str | None, bounds: Any) -> None:
    """Warn where areas within bounds of a plane are off by more than the limit."""
    west, south, east, north = map(float, bounds)
    problem = None if np.isnan(west) else areas_problem(crs, (west, south, east, north))
    if problem is not None:
        warn_of(problem)


def cells_apart(crs: str, bounds: NDArray[np.float64]) -> float:
    """Return how many times as large as its smallest cell the largest of one polygon truly is, of the polygon where that is most.

    Parameters
    ----------
    crs
        As text.
    bounds
        Of each polygon on the grid, in that CRS; NaN where it has none [polygon, 4].
    """
    some = bounds[np.isfinite(bounds).all(axis=1)]
    if not some.size:
        return 1.0
    size = np.hypot(some[:, 2] - some[:, 0], some[:, 3] - some[:, 1])
    west, south, east, north = some[np.argsort(-size, kind="stable")[:_LARGEST]].T
    x = np.stack([(west + east) / 2, west, east, west, east])
    y = np.stack([(south + north) / 2, south, south, north, north])
    scales = _scales(crs, x.ravel(), y.ravel()).reshape(x.shape)
    scales = np.where(np.isfinite(scales) & (scales > 0), scales, np.nan)
    with np.errstate(invalid="ignore"):
        ratios = np.fmax.reduce(scales) / np.fmin.reduce(scales)
    return float(np.fmax.reduce(ratios))


def warn_of_unequal_cells(crs: str, ratio: float) -> None:
    """Warn where the true areas of the cells of one polygon, which count alike, differ by more than the limit."""
    if ratio > 1 + LIMIT:
        warn_of(
            Problem(
                f"cells count alike in means, and inside of one polygon the true areas of those of {crs_name(crs)} differ by up to {ratio - 1:.1%}",
                hint=f'{_EQUAL_AREA} weights="cells" says that they shall count alike.',
            )
        )


def _times(low: float, high: float) -> str:
    told = [f"{each:.3g}" for each in (low, high)]
    return f"{' to '.join(dict.fromkeys(told))} times"


def _scales(crs: str | None, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    parsed = None if crs is None else crs_of(crs)
    if parsed is None or not parsed.is_projected:
        return np.ones(x.size)
    from pyproj.exceptions import CRSError, ProjError

    try:
        return np.asarray(plane_factors(parsed, x, y).areal_scale, np.float64)
    except (CRSError, ProjError):  # of a projection without an inverse
        return np.ones(x.size)


@functools.lru_cache(maxsize=16)
def _projection(crs: CRS) -> Proj:
    from pyproj import Proj

    return Proj(crs)


@functools.lru_cache(maxsize=16)
def _to_angles(crs: CRS) -> tuple[Transformer, float]:
    """Return the way to the longitudes and latitudes that a plane is made of, and their unit in radians: in France's old zones grads."""
    from pyproj import Transformer

    geodetic = crs.geodetic_crs
    assert geodetic is not None, "projected"
    if len(geodetic.axis_info) > 2:
        geodetic = geodetic.to_2d()
    to_angles = Transformer.from_crs(crs, geodetic, always_xy=True)
    return to_angles, float(geodetic.axis_info[0].unit_conversion_factor)
