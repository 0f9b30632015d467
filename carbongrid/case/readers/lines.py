"""Read roads, railways and waterways, with the weight and mode of their class."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.class_weights import read_class_weights
from carbongrid.case.readers.copies import OF_LINES, copy_problems
from carbongrid.case.readers.declared import cell
from carbongrid.case.readers.geometry import (
    Geometries,
    missing_problems,
    normal_form,
    normalize_geometry,
    row_names,
)
from carbongrid.case.readers.grid_crs import (
    decimals_of,
    layer_crs_problems,
    reproject,
    shift_problems,
)
from carbongrid.case.readers.tables import DOUBTS, Faults, on_thousands
from carbongrid.case.readers.vector import read_layer, text_column
from carbongrid.case.table_formats import LINE_WEIGHT
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.truth import truth_of
from carbongrid.method.landuse import MODES
from carbongrid.method.tonnes import counted
from carbongrid.raster.opening.crs import crs_of

FAR_APART = 10
"""Counts that are on the whole more than this many times what classes weigh, or less than one part in as many, are of another unit."""

_LINEAR = (1, 2, 5)
_EACH_CLASS = "Give class_weights a row for each class of the lines, spelt as there, or weights in the package's unit: vehicles a day."


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
        weight 0 and no mode; a line with a count of its own has that, unless its class carries nothing), dual (one carriageway of two), geometry; sorted by normalized WKB,
        then class.
    list of Problem
        Classes without a weight, with their number and length; lines without a count beside some that have one; those that weigh as in the package's
        table beside some that weigh as in the case's own; counts whose points may stand between thousands.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    section = case.lines
    assert section is not None, "the case names no lines"
    where = section.path
    own = [] if section.weight is None else [section.weight]
    if section.dual != type(section).model_fields["dual"].default:
        # The default is used if it is there, a name that somebody wrote is meant.
        own.append(section.dual)
    table = read_layer(case, section, [section.class_, *own], if_there=[section.dual])
    problems: list[Problem] = []
    classes = text_column(table, section.class_, where, problems)
    dual = np.zeros(len(table), dtype=bool)
    if section.dual in table:
        dual = _truth(table[section.dual], section.dual, where, problems)
    geometry = np.asarray(table.geometry.array, dtype=object)
    problems += _geometry_problems(table, geometry, where)
    weights = read_class_weights(case).set_index("class")
    of_class = weights["weight"].reindex(classes, fill_value=0.0).to_numpy(dtype=np.float64)
    counts = np.full(len(table), np.nan)
    if section.weight is not None:
        counts = _counts(table[section.weight], section.weight, where, problems)
    if problems:
        raise InputError(problems)
    source = crs_of(table.crs)
    geometry = normalize_geometry(geometry, decimals=decimals_of(source))
    lines = gpd.GeoDataFrame(
        {
            "line_class": pd.Series(classes, dtype=str),
            "mode": weights["mode"].reindex(classes, fill_value="").to_numpy(dtype=str),
            "weight": np.where((of_class > 0) & ~np.isnan(counts), counts, of_class),
            "dual": dual,
        },
        geometry=normal_form(reproject(geometry, source, crs)),
        crs=crs,
    )
    notes = [*table.attrs.get(DOUBTS, ()), *_unknown_classes(lines, set(weights.index), where)]
    if section.class_weights is not None:
        notes += _half_classed(lines, np.isnan(counts), weights, str(section.class_weights))
    if section.weight is not None:
        notes += _half_counted(lines, of_class, counts, where)
        notes += on_thousands(table, section.weight, where)
    west, south, east, north = shapely.total_bounds(geometry)
    notes += shift_problems(source, crs, (west, south, east, north), where)
    lines = lines.iloc[_canonical(lines)].reset_index(drop=True)
    outlines = shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object))
    values = [lines[name].to_numpy() for name in ("line_class", "dual", "weight")]
    return lines, notes + copy_problems([outlines, *values], where, OF_LINES)


def _truth(
    values: pd.Series, column: str, where: str, problems: list[Problem]
) -> NDArray[np.bool_]:
    texts = (
        values.astype(object)
        .where(values.notna(), "")
        .map(lambda value: str(value).strip().lower())
    )
    told = {text: truth_of(text) for text in set(texts)}
    wrong = sorted(text for text, said in told.items() if said is None)
    if wrong:
        problems.append(
            Problem(
                f"column {column!r} must be true or false, not {listed(map(repr, wrong))}", where
            )
        )
    return texts.isin([text for text, said in told.items() if said]).to_numpy(dtype=bool)


def _counts(
    values: pd.Series, column: str, where: str, problems: list[Problem]
) -> NDArray[np.float64]:
    """Return what each line counts, NaN where its cell is blank."""
    named, faults = replace(LINE_WEIGHT, name=column), Faults(where)
    numbers = (
        cell(named, "" if pd.isna(value) else str(value).strip(), f"feature {row}", faults)
        for row, value in enumerate(values, start=1)
    )
    found = [np.nan if number is None else float(number) for number in numbers]
    problems += faults.problems
    return np.array(found, dtype=np.float64)


def _half_counted(
    lines: gpd.GeoDataFrame,
    of_class: NDArray[np.float64],
    counts: NDArray[np.float64],
    where: str,
) -> list[Problem]:
    """Return, for each mode of which some lines have a count and some have none, how both compare: they are added up."""
    metres = shapely.length(np.asarray(lines.geometry.array, dtype=object))
    notes = []
    for mode in MODES:
        own = (lines["mode"] == mode).to_numpy(dtype=bool) & (of_class > 0)
        told, blank = own & ~np.isnan(counts), own & np.isnan(counts)
        if not told.any() or not blank.any():
            continue
        times = float((metres * counts)[told].sum() / (metres * of_class)[told].sum())
        far = not 1 / FAR_APART <= times <= FAR_APART
        what = (
            f"{blank.sum():,} of {own.sum():,} lines of mode {mode} ({metres[blank].sum() / metres[own].sum():.1%} of their length) have no count and weigh as "
            f"their class does; those with one count {times:.3g} times what their classes weigh"
        )
        hint = "Give counts and class_weights in one unit: vehicles a day, in both directions together."
        notes.append(Problem(what, where, hint, "warning" if far else "note"))
    return notes


def _half_classed(
    lines: gpd.GeoDataFrame, by_class: NDArray[np.bool_], weights: pd.DataFrame, where: str
) -> list[Problem]:
    """Return, for each mode of which the case's table names some classes of the lines and the package's others, how both compare: they are added up.

    Parameters
    ----------
    lines
        All lines.
    by_class
        Those that weigh as their class does: they have no count.
    weights
        Of :func:`read_class_weights`, by class.
    where
        The case's table.
    """
    metres = shapely.length(np.asarray(lines.geometry.array, dtype=object))
    of_lines = weights.reindex(lines["line_class"])
    weight, packaged = of_lines["weight"].to_numpy(), of_lines["packaged"].to_numpy()
    own = of_lines["own"].fillna(value=False).to_numpy(dtype=bool)
    there = set(lines["line_class"])
    folded = {name.casefold() for name in there}
    unmet = [name for name in weights.index[weights["own"]] if name not in there]
    spelt = {name.casefold(): name for name in unmet if name.casefold() in folded}
    if (weight > 0).any() and not own.any():
        # A table that several towns share may name classes that this one has not.
        what = f"no line is of a class that the table names ({listed(spelt.values() or unmet)}): all weigh as in the package's table"
        return [Problem(what, where, _EACH_CLASS, "warning" if spelt else "note")]
    notes = []
    for mode in MODES:
        here = (lines["mode"] == mode).to_numpy(dtype=bool) & (weight > 0) & by_class
        told, left = here & own, here & ~own
        if not told.any() or not left.any():
            continue
        both = told & (packaged > 0)
        times = float((metres * weight)[both].sum() / (metres * packaged)[both].sum()) if both.any() else np.nan  # fmt: skip
        far = not 1 / FAR_APART <= times <= FAR_APART and both.any()
        classes = lines["line_class"].to_numpy()[left]
        which = listed(
            f"{name} (spelt {spelt[name.casefold()]} there)" if name.casefold() in spelt else name
            for name in sorted(set(classes))
        )
        what = (
            f"{left.sum():,} of {here.sum():,} lines of mode {mode} ({metres[left].sum() / metres[here].sum():.1%} of their length) are of classes that the table does "
            f"not name, and weigh as in the package's: {which}; those that it names weigh {f'{times:.3g}' if both.any() else 'nobody knows how many'} times what they do there"
        )
        notes.append(Problem(what, where, _EACH_CLASS, "warning" if far else "note"))
    return notes


def _geometry_problems(table: gpd.GeoDataFrame, geometry: Geometries, where: str) -> list[Problem]:
    names = row_names(len(geometry), "feature")
    problems = missing_problems(geometry, names, where)
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    other = np.flatnonzero(~missing & ~np.isin(shapely.get_type_id(geometry), _LINEAR))
    if len(other):
        kinds = listed(f"{names[row]} ({geometry[row].geom_type})" for row in other)
        problems.append(
            Problem(
                f"{counted(len(other), 'geometry is no line', 'geometries are not lines')}: {kinds}",
                where,
            )
        )
    return problems + layer_crs_problems(table, where, names)


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
            lines["weight"],
            strict=True,
        )
    )
    return sorted(range(len(keys)), key=keys.__getitem__)
