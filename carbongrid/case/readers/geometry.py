"""Geometry on entry: normalized, its area, and what is wrong with it (docs/decisions/0006)."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case.readers.grid_crs import moved, reproject, transformer_between
from carbongrid.errors import Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.kernels.geodesic import ring_areas
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.scanline import Starts
from carbongrid.raster.polygons.entry import rows_of
from carbongrid.raster.polygons.outlines import Outlines, Shapes, in_normal_form, ragged_of
from carbongrid.raster.portable import give_back
from carbongrid.raster.row_blocks import each_block, in_blocks, replace_in_blocks, row_blocks

Geometries = NDArray[np.object_]
Names = NDArray[np.object_]

_POLYGONAL = (3, 6)
_COLLECTION = 7
_MAX_CHANGED = 0.01
_REPAIR = "Mend them in a GIS, or set repair = true."


def normalize_geometry(geometry: Geometries, *, decimals: int) -> Geometries:
    """Return geometries in the one form that every file format gives.

    Coordinates are rounded, to 0.1 mm where ``decimals`` are those of their CRS, unless the rounding alone makes
    a valid polygon invalid; then direction and start of rings and the order of holes and parts
    are shapely's normal form. A multipolygon of one part is that part. Z and M, empty parts and empty rings are dropped.

    Parameters
    ----------
    geometry
        Shapely geometries, shape (n,).
    decimals
        From :func:`carbongrid.case.readers.grid_crs.decimals_of`.
    """
    flat = _flat(geometry)
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


def _flat(geometry: Geometries) -> Geometries:
    """Return geometries without Z and M, empty parts and empty rings."""
    flat = geometry.copy()
    deep = shapely.has_z(flat) | shapely.has_m(flat)
    flat[deep] = shapely.force_2d(flat[deep])
    return _without_empty(flat)


def taken_in(geometry: Geometries) -> Outlines | None:
    """Return polygons as coordinates, without Z and M, empty parts and empty rings; none are left in the array.

    Returns
    -------
    Outlines or None
        None, and in the array what is left without all that, where one is no polygon, is missing or empty as a whole, or has a coordinate that is not finite or from 1e100 up.
    """
    replace_in_blocks(geometry, _flat)
    outlines = Outlines.taken_out_of(geometry)
    give_back()
    return outlines


def normalize_outlines(outlines: Outlines, *, decimals: int) -> Outlines:
    """Return valid polygons in the form of :func:`normalize_geometry`, to the bit; of most no geometry is made."""

    def normal(rows: slice) -> Outlines:
        some = outlines.take(rows)
        points, starts = some.ragged()
        rounded = np.round(points, decimals)
        made, odd = _normal(rounded, starts)
        # Rounding may spoil a polygon; most layers are round already.
        changed = rows_of(np.flatnonzero((rounded != points).ravel()) // 2, starts)
        doubtful = changed[~made.take(changed).surely_valid()]
        odd[doubtful] |= ~shapely.is_valid(made.geometries(doubtful))
        left = np.flatnonzero(odd)
        others = normalize_geometry(some.geometries(left), decimals=decimals)
        return made.replaced(left, _taken(others))

    return _in_blocks(normal, outlines)


def reproject_outlines(outlines: Outlines, source: CRS, target: CRS) -> Outlines:
    """Return polygons in another CRS, in normal form; one may bend into a crossing there."""
    if source == target:
        return outlines

    def projected(rows: slice) -> Outlines:
        some = outlines.take(rows)
        points, starts = some.ragged()
        made, odd = _normal(moved(points, source, target), starts)
        left = np.flatnonzero(odd)
        return made.replaced(left, _taken(normal_form(reproject(some.geometries(left), source, target))))  # fmt: skip

    return _in_blocks(projected, outlines)


def without_crossings(outlines: Outlines) -> tuple[Outlines, NDArray[np.int64]]:
    """Return polygons with those mended that cross themselves (make_valid by structure), and the rows of these; what would be empty stays as it is."""
    doubtful = np.flatnonzero(~outlines.surely_valid())
    shapes = outlines.geometries(doubtful)
    crosses = ~in_blocks(shapely.is_valid, shapes)
    mended = only_polygons(
        shapely.make_valid(shapes[crosses], method="structure", keep_collapsed=False)
    )
    kept = ~shapely.is_empty(mended)
    rows = doubtful[crosses][kept]
    return outlines.replaced(rows, _taken(mended[kept])), rows


def _normal(points: NDArray[np.float64], starts: Starts) -> tuple[Outlines, NDArray[np.bool_]]:
    """Return polygons in normal form, and which rows GEOS has to bring into it."""
    normal, odd = in_normal_form(points, starts)
    return Outlines.of_rings(normal, starts), odd


def _taken(geometry: Geometries) -> Outlines:
    outlines = Outlines.taken_out_of(geometry)
    assert outlines is not None, "valid polygons of two dimensions, none of them empty"
    return outlines


def _in_blocks(made: Callable[[slice], Outlines], outlines: Outlines) -> Outlines:
    with closing(each_block(made, row_blocks(len(outlines)))) as parts:
        return Outlines.joined(parts, outlines.polygons.x.size)


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


def geodesic_area(shapes: Shapes, crs: CRS) -> NDArray[np.float64]:
    """Return the area of polygons on the ellipsoid of their CRS, in m2, shape (n,); of what is neither polygon nor multipolygon, 0.

    Notes
    -----
    Exteriors less holes; edges are geodesics between the vertices. By a series for short edges, which is closer than pyproj's ``Geod``
    (off by up to 5e-5 m2, whatever the size), and by that where an edge is too long for it: some 5 km, less in slivers.
    """

    def areas(rows: slice) -> NDArray[np.float64]:
        return _geodesic_area(*ragged_of(shapes, rows), crs)

    return np.concatenate(list(each_block(areas, row_blocks(len(shapes)))))


def _geodesic_area(xy: NDArray[np.float64], starts: Starts, crs: CRS) -> NDArray[np.float64]:
    ring_start, part_start, row_start = starts
    longitude, latitude = _degrees(xy, crs)
    geod = crs.get_geod()
    areas = ring_areas(longitude, latitude, ring_start, geod.a, geod.f)  # type: ignore[union-attr]
    for ring in np.flatnonzero(np.isnan(areas)):
        own = slice(ring_start[ring], ring_start[ring + 1])
        areas[ring] = abs(geod.polygon_area_perimeter(longitude[own], latitude[own])[0])  # type: ignore[union-attr]
    is_exterior = np.zeros(len(areas), np.bool_)
    is_exterior[part_start[:-1]] = True
    signed = np.where(is_exterior, areas, -areas)
    rows = row_start.size - 1
    row = np.repeat(np.arange(rows), np.diff(part_start[row_start]))
    return np.bincount(row, weights=signed, minlength=rows)


def row_names(count: int, word: str = "row") -> Names:
    """Return what rows without names of their own are called in messages: ``row 1``, and so on."""
    return np.array([f"{word} {row + 1}" for row in range(count)], dtype=object)


def missing_problems(shapes: Shapes, names: Names, where: str) -> list[Problem]:
    """Return a problem if geometries are null, unreadable or empty, with their names."""
    if isinstance(shapes, Outlines):  # which has none of these
        return []
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if not missing.any():
        return []
    return [
        Problem(
            f"{counted(int(missing.sum()), 'row has', 'rows have')} no geometry (null, empty, or a ring that is not "
            f"closed): {listed(names[row] for row in np.flatnonzero(missing))}",
            where,
            "Mend these rows, or remove them.",
        )
    ]


def polygon_problems(
    shapes: Shapes, names: Names, where: str, hint: str = _REPAIR
) -> list[Problem]:
    """Return problems of geometries that are not valid polygons, with their names and reasons."""
    if isinstance(shapes, Outlines):  # GEOS is asked of those of which nothing else is sure
        rows = np.flatnonzero(~shapes.surely_valid())
        return polygon_problems(shapes.geometries(rows), names[rows], where, hint)
    geometry = shapes
    present = ~shapely.is_missing(geometry)
    other = present & ~np.isin(shapely.get_type_id(geometry), _POLYGONAL)
    problems = []
    if other.any():
        rows = np.flatnonzero(other)
        kinds = (f"{names[row]} ({geometry[row].geom_type})" for row in rows)
        what = f"{counted(len(rows), 'geometry is no polygon', 'geometries are not polygons')}: {listed(kinds)}"
        advice = "Take out what is no polygon in a GIS."
        if hint == _REPAIR and len(_with_polygons(geometry)):
            advice = "Take out what is no polygon in a GIS, or set repair = true, which keeps the polygons of a collection."
        problems.append(Problem(what, where, advice))
    invalid = present & ~other & ~in_blocks(shapely.is_valid, geometry)
    if invalid.any():
        rows = np.flatnonzero(invalid)
        reasons = shapely.is_valid_reason(geometry[rows])
        told = (f"{names[row]} ({reason})" for row, reason in zip(rows, reasons, strict=True))
        problems.append(
            Problem(
                f"{counted(len(rows), 'polygon is', 'polygons are')} not valid: {listed(told, 20)}",
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
    """Return polygons with the invalid ones mended (make_valid by structure), and of a collection the polygons.

    A polygon whose area changes by more than 1 % is an error; the rest is told in a warning.
    """
    problems = []
    if len(mixed := _with_polygons(geometry)):
        polygons = only_polygons(geometry[mixed])
        shorter = shapely.get_num_coordinates(polygons) < shapely.get_num_coordinates(geometry[mixed])  # fmt: skip
        geometry = geometry.copy()
        geometry[mixed] = polygons
        if len(mixed := mixed[shorter]):
            what = f"{len(mixed)} collections were read as their polygons, without lines and points: {listed(names[row] for row in mixed)}"
            problems.append(Problem(what, where, level="warning"))
    rows = np.flatnonzero(~shapely.is_valid(geometry) & ~shapely.is_missing(geometry))
    if not len(rows):
        return Repair(geometry, tuple(problems))
    mended = geometry.copy()
    mended[rows] = only_polygons(
        shapely.make_valid(geometry[rows], method="structure", keep_collapsed=False)
    )
    before, after = (geodesic_area(some[rows], crs) for some in (geometry, mended))
    change = np.abs(after - before)
    share = np.divide(change, before, out=np.full(len(rows), np.inf), where=before > 0)
    too_much = np.flatnonzero(share > _MAX_CHANGED)
    if len(too_much):
        told = (f"{names[rows[i]]} ({before[i]:,.1f} to {after[i]:,.1f} m2)" for i in too_much)
        problems.append(
            Problem(
                f"repair would change the area of {counted(len(too_much), 'polygon')} by more than 1 %: {listed(told, 20)}",
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


def _with_polygons(geometry: Geometries) -> NDArray[np.intp]:
    """Return the rows of collections in which there are polygons."""
    rows = np.flatnonzero(shapely.get_type_id(geometry) == _COLLECTION)
    return rows[~shapely.is_empty(only_polygons(geometry[rows]))]


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
