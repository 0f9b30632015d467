"""Geometry on entry: normalized, its area, and what is wrong with it (docs/decisions/0006)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case.readers.reference import transformer_between
from carbongrid.case.readers.vector import listed
from carbongrid.errors import Problem
from carbongrid.raster.kernels.geodesic import ring_areas
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.polygons.entry import ragged_where_polygons
from carbongrid.raster.row_blocks import in_blocks

Geometries = NDArray[np.object_]
Names = NDArray[np.object_]

_DECIMALS, _DECIMALS_OF_DEGREES = 4, 9
_POLYGONAL = (3, 6)
_MAX_CHANGED = 0.01
_REPAIR = "Mend them in a GIS, or set repair = true."


def normalize_geometry(geometry: Geometries, *, geographic: bool) -> Geometries:
    """Return geometries in the one form that every file format gives.

    Coordinates are rounded to 0.1 mm (1e-9 degree if geographic), unless the rounding alone makes
    a valid polygon invalid; then direction and start of rings and the order of holes and parts
    are shapely's normal form. A multipolygon of one part is that part. Z and M, empty parts and empty rings are dropped.

    Parameters
    ----------
    geometry
        Shapely geometries, shape (n,).
    geographic
        Whether coordinates are degrees.
    """
    decimals = _DECIMALS_OF_DEGREES if geographic else _DECIMALS
    flat = geometry.copy()
    deep = shapely.has_z(flat) | shapely.has_m(flat)
    flat[deep] = shapely.force_2d(flat[deep])
    flat = _without_empty(flat)
    # Most layers are round already, as surveys are: nothing of theirs is made, or looked at, again.
    points, row = shapely.get_coordinates(flat, return_index=True)
    rows = np.unique(row[(np.round(points, decimals) != points).any(axis=1)])
    found = flat[rows]
    rounded = shapely.transform(found, lambda xy: np.round(xy, decimals))
    spoilt = np.flatnonzero(~shapely.is_valid(rounded))
    spoilt = spoilt[shapely.is_valid(found[spoilt])]
    rounded[spoilt] = found[spoilt]
    flat[rows] = rounded
    return normal_form(flat)


def _without_empty(geometry: Geometries) -> Geometries:
    """Return polygons without empty parts and rings, which some files have; what is empty as a whole stays."""
    several = shapely.get_type_id(geometry) == shapely.GeometryType.MULTIPOLYGON
    rows = np.flatnonzero(several | (shapely.get_num_interior_rings(geometry) > 0))
    parts, row = shapely.get_parts(geometry[rows], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    odd = rows[np.union1d(row[shapely.is_empty(parts)], row[part[shapely.is_empty(rings)]])]
    whole = geometry.copy()
    for each in odd[~shapely.is_empty(geometry[odd])].tolist():
        kept = [shape for shape in shapely.get_parts(geometry[each]) if not shape.is_empty]
        holes = [[hole for hole in shape.interiors if not hole.is_empty] for shape in kept]
        full = [shapely.Polygon(shape.exterior, inner) for shape, inner in zip(kept, holes, strict=True)]  # fmt: skip
        whole[each] = shapely.MultiPolygon(full) if several[each] else full[0]
    return whole


def normal_form(geometry: Geometries) -> Geometries:
    """Return geometries in shapely's normal form, a collection of one part as that part."""
    single = (shapely.get_type_id(geometry) >= 4) & (shapely.get_num_geometries(geometry) == 1)
    parts = geometry.copy()
    parts[single] = shapely.get_geometry(geometry[single], 0)
    result: Geometries = shapely.normalize(parts)
    return result


def geodesic_area(geometry: Geometries, crs: CRS) -> NDArray[np.float64]:
    """Return the area of polygons on the ellipsoid of their CRS, in m2, shape (n,); of what is neither polygon nor multipolygon, 0.

    Notes
    -----
    Exteriors less holes; edges are geodesics between the vertices. By a series for short edges, which is closer than pyproj's ``Geod``
    (off by up to 5e-5 m2, whatever the size), and by that where an edge is too long for it: some 5 km, less in slivers.
    """
    return in_blocks(lambda some: _geodesic_area(some, crs), geometry)


def _geodesic_area(geometry: Geometries, crs: CRS) -> NDArray[np.float64]:
    xy, (ring_start, part_start, row_start) = ragged_where_polygons(geometry)
    longitude, latitude = _degrees(xy, crs)
    geod = crs.get_geod()
    areas = ring_areas(longitude, latitude, ring_start, geod.a, geod.f)  # type: ignore[union-attr]
    for ring in np.flatnonzero(np.isnan(areas)):
        own = slice(ring_start[ring], ring_start[ring + 1])
        areas[ring] = abs(geod.polygon_area_perimeter(longitude[own], latitude[own])[0])  # type: ignore[union-attr]
    is_exterior = np.zeros(len(areas), np.bool_)
    is_exterior[part_start[:-1]] = True
    signed = np.where(is_exterior, areas, -areas)
    row = np.repeat(np.arange(len(geometry)), np.diff(part_start[row_start]))
    return np.bincount(row, weights=signed, minlength=len(geometry))


def missing_problems(geometry: Geometries, names: Names, where: str) -> list[Problem]:
    """Return a problem if geometries are null, unreadable or empty, with their names."""
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    if not missing.any():
        return []
    return [
        Problem(
            f"{int(missing.sum())} rows have no geometry (null, empty, or a ring that is not "
            f"closed): {listed(names[row] for row in np.flatnonzero(missing))}",
            where,
            "Mend these rows, or remove them.",
        )
    ]


def polygon_problems(
    geometry: Geometries, names: Names, where: str, hint: str = _REPAIR
) -> list[Problem]:
    """Return problems of geometries that are not valid polygons, with their names and reasons."""
    present = ~shapely.is_missing(geometry)
    other = present & ~np.isin(shapely.get_type_id(geometry), _POLYGONAL)
    problems = []
    if other.any():
        rows = np.flatnonzero(other)
        kinds = (f"{names[row]} ({geometry[row].geom_type})" for row in rows)
        problems.append(Problem(f"{len(rows)} geometries are not polygons: {listed(kinds)}", where))
    invalid = present & ~other & ~in_blocks(shapely.is_valid, geometry)
    if invalid.any():
        rows = np.flatnonzero(invalid)
        reasons = shapely.is_valid_reason(geometry[rows])
        told = (f"{names[row]} ({reason})" for row, reason in zip(rows, reasons, strict=True))
        problems.append(
            Problem(
                f"{len(rows)} polygons are not valid: {listed(told, 20)}",
                where,
                hint,
            )
        )
    return problems


@dataclass(frozen=True)
class Repair:
    """Polygons after mending, and what it did."""

    geometry: Geometries
    problems: tuple[Problem, ...]


def repair_polygons(geometry: Geometries, crs: CRS, names: Names, where: str) -> Repair:
    """Return polygons with the invalid ones mended (make_valid by structure).

    A polygon whose area changes by more than 1 % is an error; the rest is told in a warning.
    """
    rows = np.flatnonzero(~shapely.is_valid(geometry) & ~shapely.is_missing(geometry))
    if not len(rows):
        return Repair(geometry, ())
    mended = geometry.copy()
    mended[rows] = only_polygons(
        shapely.make_valid(geometry[rows], method="structure", keep_collapsed=False)
    )
    before, after = (geodesic_area(some[rows], crs) for some in (geometry, mended))
    change = np.abs(after - before)
    share = np.divide(change, before, out=np.full(len(rows), np.inf), where=before > 0)
    too_much = np.flatnonzero(share > _MAX_CHANGED)
    problems = []
    if len(too_much):
        told = (f"{names[rows[i]]} ({before[i]:,.1f} to {after[i]:,.1f} m2)" for i in too_much)
        problems.append(
            Problem(
                f"repair would change the area of {len(too_much)} polygons by more than 1 %: {listed(told, 20)}",
                where,
                "Mend these by hand.",
            )
        )
    problems.append(
        Problem(
            f"{len(rows)} invalid polygons were repaired; their area changed by {change.sum():,.3f} m2 "
            f"in all: {listed(names[row] for row in rows)}",
            where,
            level="warning",
        )
    )
    return Repair(mended, tuple(problems))


def only_polygons(geometry: Geometries, smallest: float = 0.0) -> Geometries:
    """Return the polygons of geometries, without lines, points and parts up to a planar area.

    What has no polygon becomes an empty polygon.
    """
    parts, owner = shapely.get_parts(geometry, return_index=True)
    nested = shapely.get_type_id(parts) >= 4
    while nested.any():
        inner, of = shapely.get_parts(parts, return_index=True)
        parts, owner = inner, owner[of]
        nested = shapely.get_type_id(parts) >= 4
    keep = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > smallest)
    parts, owner = parts[keep], owner[keep]
    result = np.full(len(geometry), shapely.Polygon(), dtype=object)
    if len(parts):
        owners = np.unique(owner)
        result[owners] = shapely.multipolygons(parts, indices=np.searchsorted(owners, owner))
    return normal_form(result)


def _degrees(xy: NDArray[np.float64], crs: CRS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude in degrees, also where the CRS counts in grads, as those of old French maps."""
    around = crs if crs.is_geographic else crs.geodetic_crs
    assert around is not None, "a CRS of the earth rests on a geographic one"
    longitude, latitude = xy[:, 0], xy[:, 1]
    if not crs.is_geographic:
        longitude, latitude = transformer_between(crs, around).transform(longitude, latitude)
    unit = math.degrees(around.axis_info[0].unit_conversion_factor)
    scale = 1.0 if math.isclose(unit, 1.0, rel_tol=1e-12) else unit
    return (
        as_readonly_contiguous(longitude * scale, np.float64),
        as_readonly_contiguous(latitude * scale, np.float64),
    )
