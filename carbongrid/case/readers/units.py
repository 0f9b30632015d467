"""Read the administrative units: codes, names, parents and geometry, in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.fields import composed
from carbongrid.case.readers.geometry import (
    Geometries,
    Names,
    geodesic_area,
    missing_problems,
    normal_form,
    normalize_geometry,
    only_polygons,
    polygon_problems,
    row_names,
)
from carbongrid.case.readers.grid_crs import (
    ROUND,
    decimals_of,
    layer_crs_problems,
    reproject,
    shift_problems,
    turned_problems,
)
from carbongrid.case.readers.partition import find_overlaps, overlap_problems
from carbongrid.case.readers.tables import DOUBTS
from carbongrid.case.readers.vector import read_layer, text_column
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.raster.opening.crs import crs_of


def read_units(case: Case, crs: CRS) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the units in the grid's CRS, sorted by id, and what is worth saying of them.

    Parameters
    ----------
    case
        A :class:`carbongrid.case.Case`: its ``units`` are read.
    crs
        The grid's CRS.

    Returns
    -------
    GeoDataFrame
        Columns id, name (the id where there is none), name_en (blank where there is none), the
        parent columns, their names where the case has columns for them (:func:`parent_name_columns`), geometry.
    list of Problem
        Warnings and notes.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    section, where = case.units, case.units.path
    named = (*section.parent_names, *section.parent_names_en)
    wanted = [section.id, section.name, section.name_en, *section.parents, *named]
    columns = list(dict.fromkeys(column for column in wanted if column))
    table = read_layer(case, section, columns)
    problems: list[Problem] = []
    attributes = _attributes(section, table, where, problems)
    names = attributes["id"].to_numpy(dtype=object)
    geometry = np.asarray(table.geometry.array, dtype=object)
    problems += missing_problems(geometry, names, where)
    problems += layer_crs_problems(table, where, names)
    problems += polygon_problems(geometry, names, where, "Mend them in a GIS.")
    if problems:
        raise InputError(problems)
    source = crs_of(table.crs)
    order = np.argsort(names, kind="stable")
    geometry = normalize_geometry(geometry[order], decimals=decimals_of(source))
    notes = overlap_problems(
        find_overlaps(geometry, source),
        names[order],
        float(geodesic_area(geometry, source).sum()),
        where,
        "units",
    )
    if any(problem.level == "error" for problem in notes):
        raise InputError(notes)
    west, _, east, _ = shapely.bounds(geometry).T
    notes += turned_problems(source, (west + east) / 2, names[order], where, "units")
    notes += table.attrs.get(DOUBTS, [])
    notes += shift_problems(source, crs, tuple(shapely.total_bounds(geometry)), where)
    attributes = attributes.iloc[order].reset_index(drop=True)
    projected, crossing = _projected(geometry, source, crs, names[order], where)
    return gpd.GeoDataFrame(attributes, geometry=projected, crs=crs), [*notes, *crossing]


def _projected(
    geometry: Geometries, source: CRS, crs: CRS, names: Names, where: str
) -> tuple[Geometries, list[Problem]]:
    """Return valid units in the grid's CRS, and a warning of those that cross themselves there; one that was cut at 180 degrees only comes together again."""
    projected = normal_form(reproject(geometry, source, crs))
    rows = np.flatnonzero(~shapely.is_valid(projected))
    projected[rows] = only_polygons(
        shapely.make_valid(projected[rows], method="structure", keep_collapsed=False)
    )
    west, _, east, _ = shapely.bounds(geometry[rows]).T
    rows = rows[~(source.is_geographic & (east - west > ROUND / 2))]
    if not rows.size:
        return projected, []
    what = (
        f"{counted(rows.size, 'unit crosses itself', 'units cross themselves')} in the grid's CRS, since long edges stay straight between corners that "
        f"move, and were mended there: {listed(names[rows])}"
    )
    hint = "Give these more corners along their long edges."
    return projected, [Problem(what, where, hint, "warning")]


def _attributes(
    section: Any, table: gpd.GeoDataFrame, where: str, problems: list[Problem]
) -> pd.DataFrame:
    ids = text_column(table, section.id, where, problems)
    attributes = {"id": ids, "name": ids, "name_en": np.full(len(ids), "", dtype=object)}
    if section.name:
        names = text_column(table, section.name, where, problems)
        attributes["name"] = np.where(names == "", ids, names)
    if section.name_en:
        attributes["name_en"] = text_column(table, section.name_en, where, problems)
    for column in section.parents:
        attributes[column] = text_column(table, column, where, problems)
        _check_blank(attributes[column], f"code in {column!r}", ids, where, problems)
        problems += _alike_problems(attributes[column], column, where)
    problems += _order_problems(section.parents, attributes, where)
    attributes |= _parent_names(section, table, attributes, where, problems)
    _check_blank(ids, f"code in {section.id!r}", row_names(len(ids)), where, problems)
    problems += _alike_problems(ids, section.id, where)
    codes, counts = np.unique(ids[ids != ""].astype(str), return_counts=True)
    if (counts > 1).any():
        hint = "Codes must be unique; dissolve a unit of several rows into one."
        if section.id == section.name:
            hint = (
                "Names repeat between districts: give the units codes, and set id to that column."
            )
        what = f"{counted(int((counts > 1).sum()), 'unit stands', 'units stand')} more than once: {listed(codes[counts > 1])}"
        problems.append(Problem(what, where, hint))
    return pd.DataFrame(attributes, dtype=str)


def _alike_problems(codes: Names, column: str, where: str) -> list[Problem]:
    """Return an error for each two codes of a level that nobody can tell apart: they would be two regions, with shares of their own."""
    first: dict[str, str] = {}
    pairs = ((first.setdefault(composed(code), code), code) for code in dict.fromkeys(codes))
    hint = "Write them in one way (Unicode NFC or NFD), such as an accent that is part of its letter in one, and a character of its own in the other."
    return [
        Problem(f"column {column!r} has {code!r} in two ways that look alike", where, hint)
        for other, code in pairs
        if other != code
    ]


def parent_name_columns(parent: str) -> tuple[str, str]:
    """Return the columns of the units with the names of a parent, and with those in English."""
    return f"{parent}: name", f"{parent}: name_en"


def _parent_names(
    section: Any,
    table: gpd.GeoDataFrame,
    codes: Mapping[str, Names],
    where: str,
    problems: list[Problem],
) -> dict[str, Names]:
    """Return the names of the parents of each unit; a code that has several is an error."""
    found: dict[str, Names] = {}
    for key, place in (("parent_names", 0), ("parent_names_en", 1)):
        named = getattr(section, key)
        if named and len(named) != len(section.parents):
            what = f"{key} names {len(named)} columns, and parents {len(section.parents)}"
            problems.append(Problem(what, where, "Give one for each level, in the same order."))
            continue
        for parent, column in zip(section.parents, named, strict=False):
            names = text_column(table, column, where, problems)
            several = pd.DataFrame({"code": codes[parent], "name": names}).groupby("code")["name"].nunique()  # fmt: skip
            for code in several.index[several > 1]:
                what = f"{parent} {code!r} has {several[code]} names in {column!r}"
                problems.append(Problem(what, where, "Give each code one name."))
            found[parent_name_columns(parent)[place]] = names
    return found


def _order_problems(
    parents: Sequence[str], codes: Mapping[str, Names], where: str
) -> list[Problem]:
    """Return an error for each pair of neighbouring parents of which the farther one is named first."""
    return [
        Problem(
            f"parents must be named nearest first, but each {far!r} lies in one {near!r}, and not the other way round",
            where,
            f"Write {far!r} before {near!r} in parents.",
        )
        for near, far in pairwise(parents)
        if _lie_in_one(codes[far], codes[near]) and not _lie_in_one(codes[near], codes[far])
    ]


def _lie_in_one(inner: Names, outer: Names) -> bool:
    """Whether each code of one level goes with one code of the other."""
    pairs = set(zip(inner.tolist(), outer.tolist(), strict=True))
    return len(pairs) == len(set(inner.tolist()))


def _check_blank(
    values: Names, what: str, names: Names, where: str, problems: list[Problem]
) -> None:
    blank = np.flatnonzero(values == "")
    if len(blank):
        told = listed(str(names[row]) for row in blank)
        text = f"{counted(len(blank), 'unit has', 'units have')} no {what}: {told}"
        problems.append(Problem(text, where, "Fill it in."))
