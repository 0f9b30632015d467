"""Read roads, railways and waterways, with the weight and mode of their class."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.class_weights import read_class_weights
from carbongrid.case.readers.geometry import (
    Geometries,
    missing_problems,
    normal_form,
    normalize_geometry,
)
from carbongrid.case.readers.reference import crs_problems, reproject
from carbongrid.case.readers.vector import (
    fields_of,
    listed,
    missing_columns,
    read_vector,
    text_column,
)
from carbongrid.errors import InputError, Problem
from carbongrid.raster.opening.crs import crs_of

_LINEAR = (1, 2, 5)
_TRUE = ("1", "1.0", "true", "t", "yes", "y", "是")
_FALSE = ("", "0", "0.0", "false", "f", "no", "n", "否")


def read_lines(case: Case, crs: CRS) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the lines in the grid's CRS and what is worth saying of them.

    Parameters
    ----------
    case
        A :class:`carbongrid.case.Case`: its ``lines`` are read.
    crs
        The grid's CRS.

    Returns
    -------
    GeoDataFrame
        Columns line_class, mode, weight (0: no claim; a class that the table does not know has
        weight 0 and no mode), dual (one carriageway of two), geometry; sorted by normalized WKB,
        then class.
    list of Problem
        Classes without a weight, with their number and length.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    section = case.lines
    assert section is not None, "the case names no lines"
    where = section.path
    path = case.resolve(where)
    known = fields_of(path, section.layer, section.encoding)
    problems = missing_columns([section.class_], known, where)
    if problems:
        raise InputError(problems)
    columns = [section.class_, *([section.dual] if section.dual in known else [])]
    table = read_vector(path, section.layer, section.encoding, columns)
    if not len(table):
        raise InputError("the layer is empty", where)
    classes = text_column(table, section.class_, where, problems)
    dual = np.zeros(len(table), dtype=bool)
    if section.dual in known:
        dual = _truth(table[section.dual], section.dual, where, problems)
    geometry = np.asarray(table.geometry.array, dtype=object)
    problems += _geometry_problems(table, geometry, where)
    weights = read_class_weights(case).set_index("class")
    if problems:
        raise InputError(problems)
    source = crs_of(table.crs)
    geometry = normalize_geometry(geometry, geographic=source.is_geographic)
    lines = gpd.GeoDataFrame(
        {
            "line_class": pd.Series(classes, dtype=str),
            "mode": weights["mode"].reindex(classes, fill_value="").to_numpy(dtype=str),
            "weight": weights["weight"].reindex(classes, fill_value=0.0).to_numpy(dtype=np.float64),
            "dual": dual,
        },
        geometry=normal_form(reproject(geometry, source, crs)),
        crs=crs,
    )
    notes = _unknown_classes(lines, set(weights.index), where)
    return lines.iloc[_canonical(lines)].reset_index(drop=True), notes


def _truth(
    values: pd.Series, column: str, where: str, problems: list[Problem]
) -> NDArray[np.bool_]:
    texts = (
        values.astype(object)
        .where(values.notna(), "")
        .map(lambda value: str(value).strip().lower())
    )
    wrong = sorted(set(texts) - {*_TRUE, *_FALSE})
    if wrong:
        problems.append(
            Problem(
                f"column {column!r} must be true or false, not {listed(map(repr, wrong))}", where
            )
        )
    return texts.isin(_TRUE).to_numpy(dtype=bool)


def _geometry_problems(table: gpd.GeoDataFrame, geometry: Geometries, where: str) -> list[Problem]:
    names = np.array([f"feature {row + 1}" for row in range(len(geometry))], dtype=object)
    problems = missing_problems(geometry, names, where)
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    other = np.flatnonzero(~missing & ~np.isin(shapely.get_type_id(geometry), _LINEAR))
    if len(other):
        kinds = listed(f"{names[row]} ({geometry[row].geom_type})" for row in other)
        problems.append(Problem(f"{len(other)} geometries are not lines: {kinds}", where))
    if not missing.all():
        crs = None if table.crs is None else crs_of(table.crs)
        west, south, east, north = shapely.total_bounds(geometry[~missing])
        problems += crs_problems(crs, (west, south, east, north), where)
    return problems


def _unknown_classes(lines: gpd.GeoDataFrame, known: set[str], where: str) -> list[Problem]:
    unknown = lines[~lines["line_class"].isin(known)]
    if not len(unknown):
        return []
    lengths = shapely.length(np.asarray(unknown.geometry.array, dtype=object)) / 1000
    by_class = pd.DataFrame({"line_class": unknown["line_class"].to_numpy(), "km": lengths})
    sums = by_class.groupby("line_class", sort=True)["km"].agg(["count", "sum"])
    sums = sums.sort_values("sum", ascending=False, kind="stable")
    rows = zip(sums.index, sums["count"], sums["sum"], strict=True)
    told = listed((f"{name or '(blank)'} ({n}, {km:,.1f} km)" for name, n, km in rows), 20)
    what = f"{len(sums)} classes of lines have no weight and are left out (weight 0): {told}"
    hint = "Write class_weights of your own with these classes, if they matter."
    return [Problem(what, where, hint, "warning")]


def _canonical(lines: gpd.GeoDataFrame) -> list[int]:
    keys = list(
        zip(
            shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object)),
            lines["line_class"],
            lines["dual"],
            strict=True,
        )
    )
    return sorted(range(len(keys)), key=keys.__getitem__)
