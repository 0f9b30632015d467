"""Read the polygons around the units, among which a figure shows their place; they decide nothing."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.geometry import (
    Geometries,
    missing_problems,
    normal_form,
    only_polygons,
    row_names,
)
from carbongrid.case.readers.grid_crs import layer_crs_problems, reproject
from carbongrid.case.readers.tables import DOUBTS
from carbongrid.case.readers.vector import read_layer, text_column
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.opening.crs import crs_of

_DETAIL = 3000
"""What is smaller than this part of the whole is no longer seen on a page, and left out of the outlines."""


def read_surroundings(
    case: Case, units: gpd.GeoDataFrame, notes: list[Problem] | None = None
) -> gpd.GeoDataFrame | None:
    """Return the polygons around the units in the units' CRS, with as many vertices as a figure can show.

    Parameters
    ----------
    case
        Its ``surroundings`` are read.
    units
        The units.
    notes
        Warnings of how the text was read are appended.

    Returns
    -------
    GeoDataFrame or None
        Columns name (blank where there is none) and geometry, in the order of the file; None where the case names no file.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    notes = [] if notes is None else notes
    section = case.surroundings
    if section is None:
        return None
    where, problems = section.path, list[Problem]()
    table = read_layer(case, section, [section.name] if section.name else [])
    notes += table.attrs.get(DOUBTS, [])
    rows = row_names(len(table))
    names = text_column(table, section.name, where, problems) if section.name else None
    geometry = np.asarray(table.geometry.array, dtype=object)
    problems += missing_problems(geometry, rows, where)
    problems += layer_crs_problems(table, where, rows)
    if problems:
        raise InputError(problems)
    # Only drawn: a ring that crosses itself does no harm.
    polygons = only_polygons(shapely.make_valid(geometry))
    drawn = _simplified(_in_plane(polygons, crs_of(table.crs), crs_of(units.crs), rows, where))
    if not shapely.intersects(shapely.union_all(drawn), shapely.box(*units.total_bounds)):
        hint = "Name polygons of the region that the units lie in, and check their CRS."
        raise InputError("none of the polygons touches the units", where, hint)
    texts = names if names is not None else [""] * len(drawn)
    return gpd.GeoDataFrame({"name": texts}, geometry=drawn, crs=units.crs)


def _in_plane(
    polygons: Geometries, source: CRS, target: CRS, rows: Geometries, where: str
) -> Geometries:
    moved = reproject(polygons, source, target)
    bounds = shapely.bounds(moved)
    far = ~np.isfinite(bounds).all(axis=1)
    if far.any():
        raise InputError(
            Problem(
                f"{counted(int(far.sum()), 'polygon lies', 'polygons lie')} too far away for the plane of the grid: {listed(rows[far])}",
                where,
                "Leave out what is no neighbour of the units.",
            )
        )
    return moved


def _simplified(polygons: Geometries) -> Geometries:
    """Return the polygons with fewer vertices, common borders still common where they were."""
    west, south, east, north = shapely.total_bounds(polygons)
    tolerance = max(east - west, north - south) / _DETAIL
    if shapely.coverage_is_valid(polygons):
        simple = shapely.coverage_simplify(polygons, tolerance)
    else:
        simple = shapely.simplify(polygons, tolerance, preserve_topology=True)
    result: Geometries = normal_form(np.where(shapely.is_empty(simple), polygons, simple))
    return result
