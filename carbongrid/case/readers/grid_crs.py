"""Coordinate reference systems: the source's checked, the grid's chosen, and the way between them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion
from pyproj.exceptions import ProjError

from carbongrid.errors import InputError, Problem, listed
from carbongrid.raster.areal_scale import LIMIT, plane_factors
from carbongrid.raster.crs_units import why_no_map
from carbongrid.raster.opening.crs import crs_of, way_between

Bounds = tuple[float, float, float, float]

Features = tuple[NDArray[np.float64], NDArray[np.object_]]
"""Bounds of each feature, x first, NaN of none, and how to call it."""

ROUND = 360.0
"""Degrees of the whole way around: coordinates that are larger are none."""
_MARGIN = 3.0
"""Degrees by which data may reach beyond a CRS's area of use: a province in one 3-degree zone does."""

_EACH_LOOKED_AT, _OF_MANY = 1000, 0.01
"""Features that are each held against an area of use; of more, those beyond the box of all but this part on each side."""

_SAME_FIGURE = 1.0
"""Metres between the equator's radii of figures whose datums lie apart by no more than some metres: those of GPS and of its like have the same."""

_DECIMALS_OF_METRES, _DECIMALS_OF_DEGREES = 4, 9

_HALF = 180.0
"""Degrees of longitude that no city or country fills."""
_NEAR_HALF, _WIDE, _APART = 150.0, 90.0, 40.0
"""Degrees from which land may go on beyond 180, that features all around the earth fill, and that lie between those of one country seldom."""


class _WithGrid(Protocol):
    @property
    def grid(self) -> Any: ...


def equal_area_crs(bounds: Bounds, geodetic: CRS | None = None) -> CRS:
    """Return a Lambert azimuthal equal-area CRS, centred on the data in whole degrees (D23).

    Parameters
    ----------
    bounds
        Longitude and latitude of the data in degrees from Greenwich: west, south, east, north.
    geodetic
        Geographic CRS that it rests on, best the data's own, so that no datum shift comes in;
        default WGS 84.
    """
    west, south, east, north = bounds
    longitude, latitude = round((west + east) / 2), round((south + north) / 2)
    if abs(longitude) > 180:  # data that go on beyond the antimeridian
        longitude = (longitude + 180) % 360 - 180
    geodetic = geodetic or CRS.from_epsg(4326)
    return ProjectedCRS(
        conversion=LambertAzimuthalEqualAreaConversion(
            latitude_natural_origin=latitude,
            longitude_natural_origin=longitude - _prime_meridian(geodetic),
        ),
        name=f"Lambert azimuthal equal-area, {latitude} N {longitude} E",
        geodetic_crs=geodetic,
    )


def grid_crs(case: _WithGrid, bounds: Bounds, source: CRS) -> CRS:
    """Return the CRS that the grids share.

    Parameters
    ----------
    case
        With ``grid.crs``, a text that pyproj reads, or None for an equal-area one.
    bounds
        Bounds of the parcels in their own CRS, x first.
    source
        The parcels' own CRS.

    Raises
    ------
    InputError
        If the case names a CRS that is not projected in metres, or is not made for where the parcels lie; if these reach
        around half of the earth, as across the antimeridian.
    """
    there = _lonlat_bounds(bounds, source)
    if there[2] - there[0] > _HALF:
        raise InputError(
            f"the parcels run from longitude {there[0]:,.6g} to {there[2]:,.6g}: around half of the earth, or across the "
            "antimeridian, where degrees leap from 180 to -180",
            "parcels",
            "Store them with longitudes that go on beyond 180, or in a projected CRS of their place, such as EPSG:3832.",
        )
    if case.grid.crs is None:
        # A system that brings its own way to WGS 84, with heights or without, would lose it: from its bare datum PROJ knows none.
        return equal_area_crs(there, _geographic(source.to_2d().target_crs or source))
    chosen = crs_of(case.grid.crs)
    if not chosen.is_projected or [axis.unit_conversion_factor for axis in chosen.axis_info] != [
        1,
        1,
    ]:
        raise InputError(
            f"the grid's CRS must be projected, in metres; {case.grid.crs} is not",
            "grid.crs",
            "Leave it out for an equal-area one.",
        )
    area = _area_of_use(chosen)
    if not _within(there, area):
        edges = (area.west, area.south, area.east, area.north)
        raise InputError(
            f"the parcels lie outside the area of use of {chosen.name} ({_in_words(edges)}): they run {_in_words(there)}",
            f"grid.crs = {case.grid.crs!r}",
            "Leave it out for an equal-area one, or name the CRS of their place.",
        )
    return chosen


def scale_problems(crs: CRS, bounds: Bounds, where: str) -> list[Problem]:
    """Return a warning if the grid's plane shows areas or lengths of the data off by more than 2 %.

    Parameters
    ----------
    crs
        The grid's CRS.
    bounds
        Of the data, in that CRS; their centre and corners are looked at.
    where
        For the message.
    """
    west, south, east, north = bounds
    x = np.array([(west + east) / 2, west, east, west, east])
    y = np.array([(south + north) / 2, south, south, north, north])
    factors = plane_factors(crs, x, y)
    areas = np.asarray(factors.areal_scale) - 1
    lengths = np.array([factors.tissot_semimajor, factors.tissot_semiminor]) - 1
    area, length = (each.flat[np.argmax(np.abs(each))] for each in (areas, lengths))
    if not max(abs(area), abs(length)) > LIMIT:
        return []
    what = (
        f"the grid's plane, {crs.name}, shows areas here off by up to {area:+.1%} and lengths by up to {length:+.1%}, so "
        "that 100 m in it are not 100 m on the ground, and a cell of 1 km2 is not 1 km2"
    )
    hint = "Leave grid.crs out for an equal-area plane centred on the data."
    return [Problem(what, where, hint, "warning")]


def decimals_of(crs: CRS) -> int:
    """Return the decimals to which coordinates are rounded: 0.1 mm in the unit of a plane, 1e-9 of a degree."""
    if crs.is_geographic:
        return _DECIMALS_OF_DEGREES
    # Germany's legal metre, in Namibia's planes, is 14 millionths longer than the metre.
    power = round(math.log10(crs.axis_info[0].unit_conversion_factor), 4)
    return _DECIMALS_OF_METRES + math.ceil(power)


def reproject(geometry: NDArray[np.object_], source: CRS, target: CRS) -> NDArray[np.object_]:
    """Return geometries in another CRS, x first in both."""
    if source == target:
        return geometry
    result: NDArray[np.object_] = shapely.transform(geometry, lambda xy: moved(xy, source, target))
    return result


def moved(points: NDArray[np.float64], source: CRS, target: CRS) -> NDArray[np.float64]:
    """Return points (x, y) in another CRS, x first in both."""
    x, y = points.T
    return np.column_stack(transformer_between(source, target).transform(x, y))


def transformer_between(source: CRS, target: CRS) -> Transformer:
    """Return the way from one CRS to another, x first; raise InputError if there is none."""
    try:
        return way_between(source, target)
    except ProjError as error:  # of a projection that PROJ does not have, such as EPSG:3145
        raise InputError(
            f"no way is known between {source.name} and {target.name}: {error}",
            hint="Reproject the file first, with the program that it is from, for example to EPSG:4326.",
        ) from error


def shift_problems(source: CRS, target: CRS, bounds: Bounds, where: str) -> list[Problem]:
    """Return a warning if two CRS rest on different figures of the earth and PROJ knows no way between them here: it takes longitudes and latitudes over as they are.

    Parameters
    ----------
    source, target
        Of the data, and of the grid.
    bounds
        Of the data, x first.
    where
        The file, for messages.
    """
    source, target = crs_of(source), crs_of(target)
    own, other = source.ellipsoid, target.ellipsoid
    if own is None or other is None or abs(own.semi_major_metre - other.semi_major_metre) < _SAME_FIGURE:  # fmt: skip
        return []
    if not (own.inverse_flattening and other.inverse_flattening):
        return []  # latitudes on a sphere are taken over by convention
    west, south, east, north = bounds
    way = transformer_between(source, target)
    way.transform((west + east) / 2, (south + north) / 2)
    if "ballpark" not in way.get_last_used_operation().description.lower():
        return []
    names = [" ".join(each.name.split()) for each in (source, target)]
    what = f"between {names[0]} and {names[1]}, which as a rule lie tens to hundreds of metres apart, no shift is applied here: the coordinates are taken over as they are"
    hint = "Transform the file by the parameters of its survey first, or say which CRS the coordinates are really in."
    return [Problem(what, where, hint, "warning")]


def layer_crs_problems(
    table: gpd.GeoDataFrame, where: str, names: NDArray[np.object_] | None = None
) -> list[Problem]:
    """Return what :func:`crs_problems` says of a layer; nothing of one without any geometry."""
    geometry = np.asarray(table.geometry.array, dtype=object)
    present = geometry[~shapely.is_missing(geometry) & ~shapely.is_empty(geometry)]
    if not len(present):
        return []
    west, south, east, north = shapely.total_bounds(present)
    crs = None if table.crs is None else crs_of(table.crs)
    features = None if names is None else (shapely.bounds(geometry), names)
    return crs_problems(crs, (west, south, east, north), where, features)


def crs_problems(
    crs: CRS | None, bounds: Bounds, where: str, features: Features | None = None
) -> list[Problem]:
    """Return what is wrong with the coordinates, seen from the CRS that the file declares.

    Parameters
    ----------
    crs
        As the file declares it; None if it does not.
    bounds
        Of the data, x first.
    where
        The file, for messages.
    features
        Bounds of each feature and how to call it: if only some do not fit, they are named.
    """
    if not all(map(np.isfinite, bounds)):
        return [Problem("coordinates are not finite", where, "Remove or mend these rows.")]
    if crs is None:
        return [
            Problem(
                f"the layer has no CRS; its coordinates run {_in_words(bounds)}",
                where,
                zone_suggestion(bounds) or "Set it in the file (a .prj, or assign a projection).",
            )
        ]
    if why := why_no_map(crs):
        what = f"the layer is in {crs.name}, which {why}"
        return [Problem(what, where, "Reproject it, for example to EPSG:4326 with ogr2ogr -t_srs.")]
    if fits(crs, bounds):
        return []
    if features is not None and (some := _few_that_do_not_fit(crs, features, where)):
        return [some]
    west, south, east, north = bounds
    hint = "Check which CRS the coordinates are in."
    if fits(crs, (south, west, north, east)):
        hint = "The axes seem swapped: with x and y exchanged they fit. Store x (east) first."
    elif zone_suggestion(bounds):
        hint = zone_suggestion(bounds)
    elif crs.is_projected and max(map(abs, bounds)) <= ROUND:
        hint = "They look like degrees: of longitude and latitude in WGS 84 that is EPSG:4326."
    return [
        Problem(
            f"coordinates lie outside the area of use of {crs.name}; they run {_in_words(bounds)}",
            where,
            hint,
        )
    ]


def _few_that_do_not_fit(crs: CRS, features: Features, where: str) -> Problem | None:
    """Return a problem that names the features outside a CRS's area of use; None if they are half of all or more, as in a wrong CRS."""
    boxes, names = features
    there = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    rows = there
    if there.size > _EACH_LOOKED_AT:
        low, high = np.quantile(boxes[there], (_OF_MANY, 1 - _OF_MANY), axis=0)
        inside = (boxes >= low).all(axis=1) & (boxes <= high).all(axis=1)
        if not fits(crs, (low[0], low[1], high[2], high[3])):
            return None
        rows = there[~inside[there]]
    few = [row for row in rows if not fits(crs, tuple(boxes[row]))]
    if not few or 2 * len(few) >= there.size:
        return None
    told = listed(f"{names[row]} ({_in_words(tuple(boxes[row]))})" for row in few)
    what = f"{len(few):,} of {there.size:,} features {'lies' if len(few) == 1 else 'lie'} outside the area of use of {crs.name}, where the others lie: {told}"
    return Problem(what, where, "Check their coordinates: perhaps a digit was typed wrong.")


def turned_problems(
    crs: CRS, longitude: NDArray[np.float64], names: NDArray[np.object_], where: str, things: str
) -> list[Problem]:
    """Return a warning if some features lie beyond 180 degrees and far from all others, as by a digit that was typed wrong.

    Parameters
    ----------
    crs
        Of the layer.
    longitude
        Of each feature, shape (n,).
    names
        How to call each in a message, shape (n,).
    where
        The file, for messages.
    things
        What the features are, such as ``points``.

    Notes
    -----
    Land at 180 degrees, and at Greenwich, is in two parts where degrees run from 0 to 360: these lie side by side, or one of them near 180. What
    lies all around the earth is no typing error either.
    """
    beyond = np.abs(longitude) > _HALF
    if not crs.is_geographic or not beyond.any() or beyond.all():
        return []
    west, east = float(longitude[~beyond].min()), float(longitude[~beyond].max())
    if max(abs(west), abs(east)) > _NEAR_HALF or east - west > _WIDE:
        return []
    middle, reach = (west + east) / 2, (east - west) / 2 + _APART
    away = np.abs((longitude - middle + _HALF) % ROUND - _HALF) > reach
    far = np.flatnonzero(beyond & away)
    if not far.size:
        return []
    which = listed(f"{names[row]} ({longitude[row]:.6g})" for row in far)
    what = f"longitudes beyond 180 degrees, far from the others, at {far.size:,} of {len(longitude):,} {things}: {which}; the others run from {west:.6g} to {east:.6g}"
    return [Problem(what, where, "Check their digits: they are taken as 360 degrees less, elsewhere on the earth.", "warning")]  # fmt: skip


def fits(crs: CRS, bounds: Bounds) -> bool:
    """Whether bounds, x first, lie in the area that a CRS is made for, give or take 3 degrees."""
    west, south, east, north = _lonlat_bounds(bounds, crs)
    if not all(map(np.isfinite, (west, south, east, north))):
        return False
    if west < -360 or east > 360 or south < -90 or north > 90:
        return False
    return fits_in_degrees(crs, (west, south, east, north))


def fits_in_degrees(crs: CRS, bounds: Bounds) -> bool:
    """Whether longitudes and latitudes lie in the area that a CRS is made for, give or take 3 degrees."""
    return _within(bounds, _area_of_use(crs))


def _within(bounds: Bounds, area: Any) -> bool:
    """Whether longitudes and latitudes lie in an area of use, give or take 3 degrees; None is everywhere."""
    if area is None:
        return True
    west, south, east, north = bounds
    right = area.east if area.east >= area.west else area.east + 360
    # What is made for the whole earth is so at whichever meridian longitudes begin.
    across = right - area.west >= ROUND or any(
        area.west - _MARGIN <= west + turn and east + turn <= right + _MARGIN
        for turn in (-360, 0, 360)
    )
    return across and area.south - _MARGIN <= south and north <= area.north + _MARGIN


def zone_suggestion(bounds: Bounds) -> str:
    """Return the CGCS2000 Gauss-Kruger CRS whose zone number the eastings bear, in words.

    Eastings such as 40,5xx,xxx bear the number of their zone in front: 13 to 23 in zones of 6
    degrees, 25 to 45 in zones of 3 degrees.
    """
    for low, high, swapped in ((bounds[0], bounds[2], False), (bounds[1], bounds[3], True)):
        zone = int(low // 1_000_000)
        if zone != int(high // 1_000_000):
            continue
        code, width = 0, 0
        if 25 <= zone <= 45:
            code, width = 4513 + zone - 25, 3
        elif 13 <= zone <= 23:
            code, width = 4491 + zone - 13, 6
        if code:
            axes = " with its axes swapped (store the easting first)" if swapped else ""
            return (
                f"Eastings that begin with {zone} look like {width}-degree Gauss-Kruger zone {zone}: "
                f"for CGCS2000 that is EPSG:{code}{axes}."
            )
    return ""


def _geographic(crs: CRS) -> CRS:
    geodetic = crs.geodetic_crs
    if geodetic is None:
        raise InputError(f"{crs.name} is not a CRS on the earth's surface")
    return geodetic.to_2d() if len(geodetic.axis_info) > 2 else geodetic


def _prime_meridian(crs: CRS) -> float:
    """Return the degrees from Greenwich to the meridian that a CRS counts longitudes from, such as that of Paris."""
    meridian = crs.prime_meridian
    return (
        math.degrees(meridian.longitude * float(meridian.unit_conversion_factor))
        if meridian
        else 0.0
    )


def _lonlat_bounds(bounds: Bounds, crs: CRS) -> Bounds:
    """Return bounds in degrees from Greenwich, as areas of use are told, whatever angles and meridian the CRS has."""
    geographic = _geographic(crs)
    unit = math.degrees(geographic.axis_info[0].unit_conversion_factor)
    scale = 1.0 if math.isclose(unit, 1.0, rel_tol=1e-12) else unit
    west, south, east, north = (
        scale * each for each in _own_lonlat_bounds(bounds, crs, geographic)
    )
    meridian = _prime_meridian(geographic)
    return west + meridian, south, east + meridian, north


def _own_lonlat_bounds(bounds: Bounds, crs: CRS, geographic: CRS) -> Bounds:
    if crs.is_geographic:
        return bounds
    transformer = transformer_between(crs, geographic)
    # The corners and the middles of the sides: enough for a margin of degrees.
    west, south, east, north = bounds
    x, y = np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3))
    longitude, latitude = transformer.transform(x.ravel(), y.ravel())
    if np.isfinite(longitude).all() and np.ptp(longitude) > _HALF:
        # Across the antimeridian degrees go on beyond 180, seen from the middle; a map of the whole earth has both edges.
        middle = longitude[len(longitude) // 2]
        beyond = middle + (longitude - middle + 180) % 360 - 180
        longitude = beyond if np.ptp(beyond) < _HALF else longitude
    return (
        float(np.min(longitude)),
        float(np.min(latitude)),
        float(np.max(longitude)),
        float(np.max(latitude)),
    )


@lru_cache(maxsize=64)
def _area_of_use(crs: CRS) -> Any:
    """Return the area that a system is made for, or None; PROJ searches tenths of a second for the code of one that names none."""
    if crs.area_of_use is not None:
        return crs.area_of_use
    code = crs.to_epsg(min_confidence=70)
    return CRS.from_epsg(code).area_of_use if code else None


def _in_words(bounds: Bounds) -> str:
    west, south, east, north = bounds
    if (west, south) == (east, north):
        return f"x {west:,.8g}, y {south:,.8g}"
    return f"x {west:,.6g}..{east:,.6g}, y {south:,.6g}..{north:,.6g}"
