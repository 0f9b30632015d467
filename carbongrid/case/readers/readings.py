"""How else the numbers of points may be read: the systems in use where the parcels lie (D12, docs/decisions/0037)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import takewhile

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from carbongrid.case.readers.coordinates import (
    READINGS,
    SHIFTED,
    Degrees,
    from_wgs84,
    project_points,
    to_wgs84,
)
from carbongrid.case.readers.grid_crs import ROUND
from carbongrid.errors import Problem
from carbongrid.raster.opening.crs import crs_of, same_crs
from carbongrid.raster.polygons.outlines import geometries_of
from carbongrid.raster.row_blocks import each_block, row_blocks

REACH = 100.0
"""A point this near to a parcel, in m, is not off the map: as far as a POI is carried to its land (D11)."""

_WGS84 = CRS.from_epsg(4326)
_LOOKED_AT = 1000
_WIDEST = 90.0
"""Degrees of longitude; a system for more than that is no country's, nor a zone's."""

_MIN_SHIFT, _MAX_SHIFT = 30.0, 1500.0
"""m between two readings of one number: less cannot be told by land, more is no shift of a datum."""

_FRAMES = ("ETRF", "ITRF", "IG", "RGF93 v2")
"""Realizations of one datum, centimetres apart."""

_NORTH_FIRST = "(N-E)"
"""Ends the name of a system that another code has with x first."""

_NEIGHBOURS = 6.0
_LISTED = 3
_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])

_CHINA = shapely.Polygon(
    [
        (73.4, 39.4), (74.9, 37.2), (77.8, 35.4), (78.5, 32.5), (81.1, 30.1), (84.0, 28.9), (86.0, 27.9), (88.1, 27.9),
        (88.9, 27.3), (89.2, 28.1), (91.7, 28.0), (94.0, 28.5), (97.3, 28.2), (98.7, 27.5), (97.5, 24.0), (99.2, 22.1), (101.8, 21.1),
        (102.4, 22.4), (105.3, 23.3), (106.7, 22.0), (108.1, 21.5), (108.1, 17.5), (111.5, 17.5), (114.5, 21.5), (118.0, 23.3), (120.2, 25.8),
        (122.8, 28.5), (123.0, 31.5), (122.2, 34.5), (123.2, 37.5), (124.1, 39.7), (126.0, 41.0), (128.2, 41.8), (130.0, 42.4), (131.4, 43.5),
        (131.2, 44.8), (133.2, 45.0), (135.2, 48.4), (131.0, 47.8), (130.7, 49.0), (127.6, 50.2), (126.0, 53.0), (121.0, 53.6), (119.8, 52.0),
        (117.5, 49.7), (115.5, 47.9), (119.7, 46.8), (112.0, 45.0), (111.9, 43.6), (109.3, 42.5), (105.0, 41.6), (101.7, 42.6), (96.4, 42.8), (95.3, 44.3),
        (91.0, 45.2), (90.0, 47.9), (87.8, 49.2), (85.5, 48.4), (83.0, 47.2), (82.3, 45.4), (80.0, 45.0), (80.2, 42.2), (76.9, 41.0), (73.7, 39.9),
    ]
)  # fmt: skip
"""Mainland China, give or take half a degree: where maps are shifted."""


def place_of(parcels: gpd.GeoDataFrame) -> tuple[float, float]:
    """Return longitude and latitude of the middle of the parcels' bounds."""
    west, south, east, north = parcels.geometry.array.total_bounds
    middle = [(west + east) / 2], [(south + north) / 2]
    longitude, latitude = project_points(*middle, parcels.crs, _WGS84)
    return float(longitude[0]), float(latitude[0])


def maps_are_shifted(place: tuple[float, float], declared: str) -> bool:
    """Return whether GCJ-02 and BD-09 are readings at a place: in China, or where the case speaks of one."""
    return declared in SHIFTED or bool(shapely.intersects_xy(_CHINA, *place))


def shifted_readings(x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS, declared: str) -> dict[str, Degrees]:  # fmt: skip
    """Return the points as they would lie if their numbers were WGS 84, GCJ-02 and BD-09.

    Parameters
    ----------
    x, y : shape (points,)
        In the CRS, read as declared.
    crs
        The grid's.
    declared
        ``gcj02``, ``bd09`` or a CRS.
    """
    numbers = from_wgs84(*project_points(x, y, crs, _WGS84), declared)
    return {name: project_points(*to_wgs84(*numbers, name), _WGS84, crs) for name in READINGS}


def other_datums(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame, declared: str
) -> Iterator[tuple[str, Degrees]]:
    """Yield the readings that lie 30 to 1,500 m from the declared one, by systems in use at the place; one of each shift.

    Parameters
    ----------
    x, y : shape (points,)
        In the parcels' CRS, read as declared.
    parcels
        Where the place is.
    declared
        A CRS; none is yielded for ``gcj02`` and ``bd09``.
    """
    if declared in SHIFTED or not len(x):
        return
    seen = [np.zeros(2)]
    for name, moved in _read_by_others(x, y, parcels, declared, around=0.0):
        shift = np.array([np.median(moved[0] - x), np.median(moved[1] - y)])
        size = float(np.hypot(*shift))
        if not _MIN_SHIFT <= size <= _MAX_SHIFT:
            continue
        if all(np.hypot(*(shift - other)) > _MIN_SHIFT for other in seen):
            seen.append(shift)
            yield name, moved


def off_the_map(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    parcels: gpd.GeoDataFrame,
    declared: str,
    where: tuple[str, str],
) -> list[Problem]:
    """Return an error if no point lies in the parcels or within 100 m of them, with the readings that would put some there.

    Parameters
    ----------
    x, y : shape (points,)
        In the parcels' CRS, read as declared.
    parcels
        All of them.
    declared
        What the case says the coordinates are: ``gcj02``, ``bd09`` or a CRS.
    where
        The file, and the case's section of it.
    """
    if not len(x) or _share_near(x, y, parcels, enough=True) > 0:
        return []
    best = readings_on_land(x, y, parcels, declared)
    file, section = where
    lies = "the only point does not lie" if len(x) == 1 else f"none of the {len(x):,} points lies"
    what = f"{lies} in a parcel or within {REACH:g} m of one, read as {declared}: {apart(x, y, parcels)}"
    if best:
        told = ", or ".join(f"{share:.1%} {name}" for name, share in best)
        hint = f"On the parcels would lie {told}. Correct [{section}] crs, x or y."
    else:
        hint = f"Check [{section}] crs, and which columns x and y are: neither exchanged nor by another system in use there does one lie in the parcels."
    return [Problem(what, file, hint)]


def readings_on_land(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame, declared: str
) -> list[tuple[str, float]]:
    """Return what else the numbers may be that puts some of the points on parcels, and how many: the best first, three at most.

    Parameters
    ----------
    x, y, parcels, declared
        As for :func:`off_the_map`.
    """
    shares: dict[str, float] = {}
    places: list[NDArray[np.float64]] = []
    for name, moved in _readings(x, y, parcels, declared):
        place = np.array([np.median(each) if len(each) else np.nan for each in moved])
        # What comes to the same place by another name, as ETRS89 and WGS 84 do, is one reading.
        known = bool(np.isfinite(place).all())
        if not known or any(np.hypot(*(place - other)) < 1.0 for other in places):
            continue
        places.append(place)
        shares[name] = _share_near(*moved, parcels)
    best = sorted((name for name in shares if shares[name] > 0), key=lambda name: -shares[name])
    return [(name, shares[name]) for name in best[:_LISTED]]


def apart(x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame) -> str:
    """Return in words where points lie and where the parcels do."""
    longitude, latitude = project_points(x, y, parcels.crs, _WGS84)
    there = np.isfinite(longitude) & np.isfinite(latitude)
    if not there.any():
        return "they lie nowhere on the parcels' plane"
    own, land = (float(np.median(longitude[there])), float(np.median(latitude[there]))), place_of(parcels)  # fmt: skip
    return f"they lie about {_degrees(own)}, the parcels about {_degrees(land)}"


def _degrees(place: tuple[float, float]) -> str:
    longitude, latitude = place
    return f"{abs(latitude):.2f} {'S' if latitude < 0 else 'N'} {abs(longitude):.2f} {'W' if longitude < 0 else 'E'}"


def _readings(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame, declared: str
) -> Iterator[tuple[str, Degrees]]:
    """Yield what else the numbers may be, nearest guesses first, and where they lie then; of a sample."""
    some = slice(None, None, -(-len(x) // _LOOKED_AT))
    x, y = x[some], y[some]
    crs = parcels.crs
    numbers = _as_written(x, y, crs, declared)
    yield "with x and y exchanged", project_points(*numbers[::-1], declared, crs)
    if maps_are_shifted(place_of(parcels), declared):
        for name, moved in shifted_readings(x, y, crs, declared).items():
            yield f"as {name}", moved
    system = "EPSG:4326" if declared in SHIFTED else declared
    if crs_of(system).is_projected and len(numbers[0]) and np.abs(numbers).max() <= ROUND:
        yield "as degrees, EPSG:4326", project_points(*numbers, _WGS84, crs)
    for name, moved in _read_by_others(*project_points(*numbers, system, crs), parcels, system, _NEIGHBOURS):  # fmt: skip
        yield f"as {name}", moved


def _as_written(x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS, declared: str) -> Degrees:
    """Return the numbers of the file again, where they were somewhere."""
    if declared in SHIFTED:
        numbers = from_wgs84(*project_points(x, y, crs, _WGS84), declared)
    else:
        numbers = project_points(x, y, crs, crs_of(declared))
    known = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
    return numbers[0][known], numbers[1][known]


def _read_by_others(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame, declared: str, around: float
) -> Iterator[tuple[str, Degrees]]:  # fmt: skip
    own = crs_of(declared)
    numbers = project_points(x, y, parcels.crs, own)
    for code, title in systems_at(place_of(parcels), own, around).items():
        other = CRS.from_epsg(code)
        if not same_crs(other, own):
            yield f"EPSG:{code} ({title})", project_points(*numbers, other, parcels.crs)


@lru_cache(maxsize=64)
def systems_at(place: tuple[float, float], own: CRS, around: float = 0.0) -> Mapping[int, str]:
    """Return code and name of the EPSG's systems of the same kind that are used at a place, those with the most like name first; PROJ searches its database for 0.1 s.

    Those of a whole continent or of the world are left out.

    Parameters
    ----------
    place
        Longitude and latitude.
    own
        Geographic, or else projected, are the others.
    around
        Degrees of longitude beyond the place within which zones of its own family count too.
    """
    longitude, latitude = place
    kind = PJType.GEOGRAPHIC_2D_CRS if own.is_geographic else PJType.PROJECTED_CRS
    found: dict[int, str] = {}
    for reach in {0.0, around if own.is_projected else 0.0}:
        box = AreaOfInterest(longitude - reach, latitude, longitude + reach, latitude)
        for info in query_crs_info("EPSG", kind, area_of_interest=box):
            area = info.area_of_use
            wide = area is None or (area.east - area.west) % 360 > _WIDEST or area.east - area.west >= 360  # fmt: skip
            foreign = reach > 0 and info.name.partition(" / ")[0] != own.name.partition(" / ")[0]
            if not (
                info.deprecated
                or wide
                or foreign
                or info.name.startswith(_FRAMES)
                or info.name.endswith(_NORTH_FIRST)
            ):
                found[int(info.code)] = info.name
    return dict(sorted(found.items(), key=lambda each: (-_begun_alike(each[1], own.name), each[0])))


def _begun_alike(name: str, other: str) -> int:
    """Return how many letters two names begin with in common."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other, strict=False))
    )


def _share_near(
    x: NDArray[np.float64], y: NDArray[np.float64], parcels: gpd.GeoDataFrame, *, enough: bool = False
) -> float:  # fmt: skip
    """Return the share of points in a parcel or within 100 m of one; with ``enough``, of the first piece that has some."""
    west, south, east, north = (parcels.geometry.array.bounds + REACH * _OUTWARD).T
    inside = (x >= np.fmin.reduce(west, initial=np.inf)) & (x <= np.fmax.reduce(east, initial=-np.inf))  # fmt: skip
    inside &= (y >= np.fmin.reduce(south, initial=np.inf)) & (y <= np.fmax.reduce(north, initial=-np.inf))  # fmt: skip
    places = np.column_stack([x[inside], y[inside]])
    found = 0
    # As a rule some of the first points are there, and the others need not be looked for.
    for start in range(0, len(places), _LOOKED_AT):
        some = places[start : start + _LOOKED_AT]
        (left, low), (right, high) = some.min(axis=0), some.max(axis=0)
        # Points come in their order, mostly from one side of the map: most parcels lie nowhere near.
        around = (west <= right) & (east >= left) & (south <= high) & (north >= low)
        tree = shapely.STRtree(np.asarray(shapely.points(some), dtype=object))
        found += _points_near(tree, parcels, np.flatnonzero(around))
        if enough and found:
            break
    return found / len(x) if len(x) else 0.0


def _points_near(tree: shapely.STRtree, parcels: gpd.GeoDataFrame, rows: NDArray[np.int64]) -> int:
    """Return how many points of a tree lie in one of these parcels or within 100 m of one; they may be all parcels, so that geometries are made some at once."""

    def near(some: slice) -> NDArray[np.int64]:
        geometry = geometries_of(parcels, rows[some])
        points: NDArray[np.int64] = tree.query(geometry, predicate="dwithin", distance=REACH)[1]
        return points

    return len(np.unique(np.concatenate(list(each_block(near, row_blocks(rows.size))))))
