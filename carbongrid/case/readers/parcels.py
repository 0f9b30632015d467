"""Read the parcels: ids, land use, area and geometry, in canonical order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.fields import keys_of_columns
from carbongrid.case.readers.declared import misspelt, read_declared
from carbongrid.case.readers.geometry import (
    Names,
    geodesic_area,
    missing_problems,
    normalize_outlines,
    polygon_problems,
    repair_polygons,
    reproject_outlines,
    taken_in,
    without_crossings,
)
from carbongrid.case.readers.grid_crs import (
    Bounds,
    crs_problems,
    decimals_of,
    grid_crs,
    scale_problems,
    shift_problems,
    turned_problems,
)
from carbongrid.case.readers.partition import (
    find_overlaps,
    overlap_problems,
    partition_by_order,
    stack_order,
)
from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.case.readers.tables import DOUBTS, on_thousands
from carbongrid.case.readers.vector import (
    missing_columns,
    number_column,
    read_vector,
    text_column,
)
from carbongrid.case.table_formats import CODE_SYSTEM
from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.method.landuse import (
    SYSTEMS,
    codes_of_several_types,
    codes_stored_as_numbers,
    exchanged_types,
    fitting_systems,
    match_codes,
    read_code_system,
    type_priority,
)
from carbongrid.method.tonnes import counted
from carbongrid.raster.kernels.rings import LARGEST
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.polygons.outlines import (
    Outlines,
    Shapes,
    bounds_of,
    outlines_of,
    shapely_of,
)
from carbongrid.raster.portable import give_back

SURVEY_FIELDS = {
    "id": "BSM",
    "land_use": "DLBM",
    "area_field": "TBDLMJ",
    "unit_field": "ZLDWDM",
}
"""Fields of the national land survey's DLTB layer, by the key of the case that takes them."""

FLOOR_AREA = "floor_area"
"""Column of floor area in m2, read wherever it is there (D16)."""

FIELD = "field:"
"""Columns that weights name stand in the table under the rule's own name, so that none is taken for one of ours."""

_BETTER_FIT = 0.05

_BY_MISTAKE = 0.01
"""Codes of a smaller part of the parcels may lack a zero each by itself, or have one; a column of numbers loses all of them."""

_SEVERAL = 3
"""So many codes without their zeros are no chance: 101 and 102 are roads of the second survey, too."""

_KEPT = re.compile(r"0\d+")
"""What no number looks like. A spreadsheet takes cells one by one, and leaves 08H2 as it is."""

_NATURAL = {"forest", "grassland", "water", "unused"}
"""Types of land on which nothing but sinks and what land itself gives off lies."""

_FILL_IN = "Fill them in, or leave area_field out for geodesic areas."

_ROUNDED = 0.5
"""Area in m2 that is 0 where areas are written in whole m2."""

_AREAS_APART = 2
"""A surveyed area that is so many times that of its polygon, or so small a part, is in another unit or of another parcel; ridges take a third at most."""
_WORTH_A_WARNING = 0.001
"""Part of all land by which areas of such parcels are off."""


@dataclass(frozen=True)
class _Parcels:
    """Parcels on their way through the reader, in id order."""

    attributes: pd.DataFrame
    outlines: Outlines
    area: NDArray[np.float64]
    crs: CRS
    where: str

    @property
    def names(self) -> Names:
        return self.attributes["id"].to_numpy(dtype=object)

    def take(self, rows: NDArray[Any]) -> _Parcels:
        attributes = self.attributes.iloc[rows].reset_index(drop=True)
        outlines, area = self.outlines.take(rows), self.area[rows]
        return replace(self, attributes=attributes, outlines=outlines, area=area)


def read_parcels(
    case: Case, field_columns: Sequence[str] = ()
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return the parcels in the grid's CRS, sorted by id, and what is worth saying of them.

    They are repaired and cut to a planar partition where the case says so.

    Parameters
    ----------
    case
        A :class:`carbongrid.case.Case`: its ``parcels`` and ``grid`` are used.
    field_columns
        Columns that weights name (``field:COLUMN``).

    Returns
    -------
    GeoDataFrame
        Columns id, land_use, type, mode, area_m2, survey_unit (with ``unit_field``), floor_area (if
        the file has it), the field columns (``field:COLUMN``, float64, NaN where blank), geometry.
    list of Problem
        Warnings and notes.

    Raises
    ------
    InputError
        With every problem that was found.
    """
    section, where = case.parcels, case.parcels.path
    path = case.resolve(section.path)
    numeric = {FIELD + column: column for column in field_columns}
    system, system_notes = _code_system(case)
    padded = bool(system["code"].str.startswith("0").any())
    # The table is passed on without a name, so that what it held is free once its geometry is in the one form.
    parcels, notes = _checked(
        case, _read_table(case, path, list(numeric.values())), numeric, where, padded
    )
    numeric |= {FLOOR_AREA: FLOOR_AREA} if FLOOR_AREA in parcels.attributes else {}
    kinds = match_codes(parcels.attributes["land_use"], system)
    attributes = parcels.attributes.assign(type=kinds["type"], mode=kinds["mode"])
    parcels = replace(parcels, attributes=attributes)
    notes += system_notes
    matched = kinds["matched"].to_numpy(dtype=str)
    known = matched != ""
    unknown = sorted({*attributes["land_use"][~known]})
    were = codes_stored_as_numbers(sorted(unknown, key=len), system)
    _refuse_numbers(parcels, known, were, system, section.code_system)
    notes += _code_notes(case, parcels, known, were)
    notes += _notes_on_several_types(parcels, kinds["matched"], were, system, section.code_system)
    if section.code_system not in SYSTEMS:
        notes += _notes_on_codes_above(parcels, matched, section.code_system)
        notes += _notes_on_exchanges(parcels, matched, system, section.code_system)
    parcels, overlap_notes = _partitioned(section.overlap, parcels)
    notes += overlap_notes
    if section.area_field is not None:
        notes += _area_notes(section.area_field, parcels)
        parcels = replace(parcels, area=parcels.attributes["surveyed"].to_numpy(dtype=np.float64))
    located, crossing_notes = _in_grid(case, parcels, numeric)
    notes += crossing_notes
    give_back()  # what blocks were made in
    if case.grid.crs is not None:
        west, south, east, north = located.geometry.array.total_bounds
        bounds, key = (west, south, east, north), f"{case.path.name}: grid.crs"
        notes += scale_problems(located.crs, bounds, key)
    return located, notes


def _read_table(case: Case, path: Path, numeric: list[str]) -> gpd.GeoDataFrame:
    section = case.parcels
    named = [section.land_use, section.area_field, section.unit_field]
    columns = [*section.id, *(column for column in named if column), *numeric]

    def wanted(known: list[str]) -> list[str]:
        keys = keys_of_columns(case, section)
        problems = missing_columns(dict.fromkeys(columns), known, section.path, keys)
        if problems:
            survey = [
                f'{key} = "{field}"' for key, field in SURVEY_FIELDS.items() if field in known
            ]
            if {"BSM", "DLBM"} <= set(known):
                hint = f" This looks like a DLTB layer of the national survey: {', '.join(survey)}."
                problems = [replace(one, hint=one.hint + hint) for one in problems]
            raise InputError(problems)
        return [*columns, *([FLOOR_AREA] if FLOOR_AREA in known else [])]

    return read_vector(
        path,
        section.layer,
        section.encoding,
        wanted,
        close_rings=section.repair,
        as_coordinates=True,
    )


def _checked(
    case: Case, table: gpd.GeoDataFrame, numeric: Mapping[str, str], where: str, padded: bool
) -> tuple[_Parcels, list[Problem]]:
    """Return the parcels in id order, or raise with all that is wrong with rows and geometry."""
    section = case.parcels
    problems: list[Problem] = []
    if not len(table):
        raise InputError("the layer is empty", where)
    numeric = {**numeric, **({FLOOR_AREA: FLOOR_AREA} if FLOOR_AREA in table else {})}
    names = parcel_ids(table, section.id, where, problems)
    if problems:  # what else is wrong with a row without an id is told of its number
        names = np.where(names == "", [f"row {row + 1}" for row in range(len(names))], names)
    attributes: dict[str, Any] = {
        "id": names,
        "land_use": text_column(table, section.land_use, where, problems, padded=padded),
    }
    if section.unit_field:
        attributes["survey_unit"] = text_column(table, section.unit_field, where, problems)
    for name, column in numeric.items():
        attributes[name] = number_column(table, column, where, problems, names)
    if section.area_field:
        surveyed = number_column(table, section.area_field, where, problems, names)
        problems += _blank_areas(surveyed, names, section.area_field, where)
        attributes["surveyed"] = surveyed
    doubts: list[Problem] = [*table.attrs.get(DOUBTS, [])]
    weighty = [*numeric.values(), *([section.area_field] if section.area_field else [])]
    doubts += [doubt for column in dict.fromkeys(weighty) for doubt in on_thousands(table, column, where)]  # fmt: skip
    held, declared = outlines_of(table), table.crs
    shapes: Shapes = np.array(table.geometry.array, dtype=object) if held is None else held
    del table, held
    if not isinstance(shapes, Outlines):
        shapes = taken_in(shapes) or shapes
    problems += missing_problems(shapes, names, where)
    problems += _coordinate_problems(declared, shapes, names, where)
    if not section.repair:
        problems += polygon_problems(shapes, names, where)
    if problems:
        raise InputError(problems)
    crs = crs_of(declared)
    outlines, notes = _mended(shapes, section.repair, crs, names, where)
    if crs.is_geographic:
        west, _, east, _ = bounds_of(shapes).T
        notes = [*turned_problems(crs, (west + east) / 2, names, where, "parcels"), *notes]
    notes = [*doubts, *notes]
    del shapes
    outlines = normalize_outlines(outlines, decimals=decimals_of(crs))
    parcels = _Parcels(pd.DataFrame(attributes), outlines, geodesic_area(outlines, crs), crs, where)
    if section.area_field:
        wrong = _areas_of_nought(parcels, section.area_field)
        if wrong:
            raise InputError(wrong)
    order = np.argsort(names, kind="stable")
    as_they_are = bool((order == np.arange(order.size)).all())
    return parcels if as_they_are else parcels.take(order), notes


def _mended(
    shapes: Shapes, repair: bool, crs: CRS, names: Names, where: str
) -> tuple[Outlines, list[Problem]]:
    """Return valid polygons as coordinates, and what was repaired."""
    if not repair and isinstance(shapes, Outlines):
        return shapes, []
    rows = np.arange(len(shapes))
    if isinstance(shapes, Outlines):
        rows = np.flatnonzero(~shapes.surely_valid())
    done = repair_polygons(shapely_of(shapes, rows), crs, names[rows], where)
    remaining = [*done.problems, *polygon_problems(done.geometry, names[rows], where)]
    remaining += missing_problems(done.geometry, names[rows], where)
    mended = taken_in(done.geometry.copy())
    if mended is None or any(problem.level == "error" for problem in remaining):
        raise InputError(
            remaining or [Problem(f"coordinates are not finite, or from {LARGEST:g} up", where)]
        )
    if not isinstance(shapes, Outlines):
        return mended, remaining
    return (shapes.replaced(rows, mended) if done.problems else shapes), remaining


def parcel_ids(
    table: pd.DataFrame, columns: Sequence[str], where: str, problems: list[Problem]
) -> Names:
    """Return ids as text, several columns joined by ``/``; blanks and duplicates are problems."""
    parts = [text_column(table, column, where, problems) for column in columns]
    blank = np.any([part == "" for part in parts], axis=0)
    joined = parts[0] if len(parts) == 1 else list(map("/".join, zip(*parts, strict=True)))
    names = np.array(joined, dtype=object)
    if blank.any():
        rows = listed(str(row + 1) for row in np.flatnonzero(blank))
        problems.append(
            Problem(
                f"{counted(int(blank.sum()), 'row has', 'rows have')} a blank id ({' or '.join(columns)}): rows {rows}",
                where,
                "Give every row an id.",
            )
        )
    known = pd.Series(names[~blank], dtype=object)
    twice = sorted(known[known.duplicated()].unique())
    if twice:
        problems.append(
            Problem(
                f"{len(twice)} ids stand more than once: {listed(twice)}",
                where,
                'Ids must be unique. Where they repeat between counties, name several columns: id = ["county", "BSM"].',
            )
        )
    return names


def _blank_areas(
    surveyed: NDArray[np.float64], names: Names, column: str, where: str
) -> list[Problem]:
    blank = np.flatnonzero(np.isnan(surveyed))
    if not len(blank):
        return []
    what = f"{counted(len(blank), 'parcel has', 'parcels have')} no area in {column!r}: {listed(names[row] for row in blank)}"
    return [Problem(what, where, _FILL_IN)]


def _areas_of_nought(parcels: _Parcels, column: str) -> list[Problem]:
    """Return the error on parcels that the survey gives no area, and that no rounding explains: they would carry nothing."""
    surveyed = parcels.attributes["surveyed"].to_numpy(np.float64)
    rows = np.flatnonzero((surveyed == 0) & (parcels.area > _ROUNDED))
    if not len(rows):
        return []
    have, polygons = ("has", "its polygon has") if len(rows) == 1 else ("have", "their polygons have")  # fmt: skip
    what = (
        f"{counted(len(rows), 'parcel')} {have} an area of 0 in {column!r}, though {polygons} up to "
        f"{parcels.area[rows].max():,.1f} m2: {listed(sorted(parcels.names[rows]))}"
    )
    return [Problem(what, parcels.where, _FILL_IN)]


def _coordinate_problems(declared: Any, shapes: Shapes, names: Names, where: str) -> list[Problem]:
    boxes = bounds_of(shapes)
    bounds = boxes[~np.isnan(boxes).all(axis=1)]
    if not len(bounds):
        return []
    crs = None if declared is None else crs_of(declared)
    return crs_problems(crs, _around(bounds), where, (boxes, names))


def _around(bounds: NDArray[np.float64]) -> Bounds:
    west, south = bounds[:, :2].min(axis=0).tolist()
    east, north = bounds[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _code_system(case: Case) -> tuple[pd.DataFrame, list[Problem]]:
    name = case.parcels.code_system
    if name in SYSTEMS:
        return read_code_system(name), []
    table = read_declared(case.resolve(name), CODE_SYSTEM, beside=case.parcels.encoding)
    return read_code_system(table, where=name), misspelt(table, CODE_SYSTEM, name)


def _notes_on_codes_above(
    parcels: _Parcels, matched: NDArray[np.str_], system: str
) -> list[Problem]:
    """Return a warning of codes that a table of the user's own lacks and that were taken for a code above, as in the national systems: 1045 for 10, 11A for 11."""
    codes = parcels.attributes["land_use"].to_numpy(dtype=str)
    above = (
        (matched != "")
        & (matched != np.char.upper(codes))
        & (matched != codes)
        & ~np.char.endswith(matched, "=*")
    )
    if not above.any():
        return []
    taken = sorted(set(zip(codes[above].tolist(), matched[above].tolist(), strict=True)))
    share = parcels.area[above].sum() / parcels.area.sum()
    told = (f"{code} as {row}" for code, row in taken)
    what = f"{len(taken)} land-use codes are not in {system} themselves and count as a code above, {share:.2%} of the area: {listed(told, 20)}"
    hint = "Add these codes to the table if they mean something else."
    return [Problem(what, parcels.where, hint, "warning")]


def _seem_stored_as_numbers(
    codes: pd.Series, known: NDArray[np.bool_], were: Collection[str]
) -> bool:
    """Tell whether codes that are known only with a zero in front, or without decimals, are too many for slips of the pen.

    Other unknown codes are then fewer, or of fewer parcels: land without a code is one code of many parcels, slips are many codes of one each.
    """
    stored = codes.isin(list(were)).to_numpy(dtype=bool)
    others = codes[~known & ~stored & ~codes.isin(["", "0"]).to_numpy(dtype=bool)]
    more = len(were) > others.nunique() or stored.sum() > len(others)
    return len(were) >= _SEVERAL and bool(stored.mean() >= _BY_MISTAKE) and bool(more)


def _refuse_numbers(
    parcels: _Parcels,
    known: NDArray[np.bool_],
    were: Mapping[str, str],
    system: pd.DataFrame,
    named: str,
) -> None:
    """Raise where codes were stored as numbers: several are known with a zero in front or without decimals alone, next to none of digits begins with 0, and no other system has as many."""
    codes = parcels.attributes["land_use"]
    stored = codes.isin(list(were)).to_numpy(dtype=bool)
    kept = codes.isin([code for code in codes.unique() if _KEPT.fullmatch(code)])
    if not _seem_stored_as_numbers(codes, known, were) or kept.sum() > _BY_MISTAKE * stored.sum():
        return
    fits = [fit for name, fit in fitting_systems(codes).items() if name != named]
    if max(fits) >= (stored | known).mean():
        return
    too = codes_stored_as_numbers(sorted({*codes[known]}), system)
    told, doubted = (listed((f"{code} is {meant}" for code, meant in each.items()), 5) for each in (were, too))  # fmt: skip
    lost = {code for code, meant in {**were, **too}.items() if meant.startswith("0")}
    odd = {code for code in {*were, *codes[known]} if len(re.split(r"\D", code)[0]) % 2}
    which = "with an odd number of digits" if lost == odd else "that had one"
    hints = [f"put a 0 in front of those {which}"] if lost else []
    way = "with a zero in front alone, which was lost where codes were stored as numbers"
    if any(code.endswith(".0") for code in were):
        hints.insert(0, "take '.0' off")
        way = "only without '.0', some with a zero in front, which was lost where codes were stored as numbers"
        if not lost:
            way = "only without '.0', which codes get where they are stored as numbers"
    hint = f"Take the codes as text from where they come from, or {' and '.join(hints)}."
    what = f"land-use codes of {stored.mean():.1%} of the parcels are in {named} {way}: {told}"
    what += f"; then others have become codes of something else: {doubted}" * bool(too)
    raise InputError(what, parcels.where, hint)


def _notes_on_several_types(
    parcels: _Parcels,
    matched: pd.Series,
    were: Mapping[str, str],
    system: pd.DataFrame,
    named: str,
) -> list[Problem]:
    """Return what is of codes that tell no type, though their land has one that carries mass: a note where it is natural land alone, whatever of it has sinks, else a warning."""
    several = codes_of_several_types(named)
    here = matched.isin(list(several)).to_numpy(dtype=bool)
    if not here.any():
        return []
    told = _parcels_by_code(matched[here], parcels.area[here])
    meant = {kind for code in told for kind in several[code]}
    which = listed((f"{code} ({those}; {', '.join(several[code])})" for code, those in told.items()), 20)  # fmt: skip
    share = parcels.area[here].sum() / parcels.area.sum()
    what = f"{len(told)} land-use codes of {named} are of several types of land that they do not tell apart, and carry nothing, {share:.2%} of the area: {which}"
    hint = "Take finer codes, where there are any; or give these the type that most of their land has, settlement where homes and works are mixed, in a CSV of your own: docs/howto/factor.md."
    also = codes_stored_as_numbers(told, system)
    beside = [code for code in were if any(len(code) == len(other) for other in also)]
    if _seem_stored_as_numbers(parcels.attributes["land_use"], (matched != "").to_numpy(), beside):
        doubted = (f"{code} may be {meant}" for code, meant in also.items())
        hint = f"Give these no type before you know whether zeros in front were lost, as it seems of {listed(beside, 5)}: {listed(doubted, 5)}."
    return [Problem(what, parcels.where, hint, "note" if meant <= _NATURAL else "warning")]


def _parcels_by_code(codes: pd.Series, area: NDArray[np.float64]) -> dict[str, str]:
    """Return in words how many parcels each code has, and their area, the largest first."""
    table = pd.DataFrame({"code": codes, "area": area})
    sums = table.groupby("code", sort=True)["area"].agg(["count", "sum"])
    sums = sums.sort_values("sum", ascending=False, kind="stable")
    those = zip(sums.index, sums["count"], sums["sum"], strict=True)
    return {
        str(code): f"{counted(count, 'parcel')}, {m2 / 1e6:,.4g} km2" for code, count, m2 in those
    }


def _notes_on_exchanges(
    parcels: _Parcels, matched: NDArray[np.str_], system: pd.DataFrame, named: str
) -> list[Problem]:
    """Return a note on codes that have each other's type in a user's system, by the shipped one that it is nearest to: rows in the wrong order."""
    shipped, pairs = exchanged_types(matched.tolist(), system)
    if not pairs:
        return []
    types = dict(zip(system["code"], system["type"], strict=True))
    told = listed((f"{a} ({types[a]}) and {b} ({types[b]})" for a, b in pairs), 10)
    what = f"codes have each other's type of land in {named}, by {shipped}, which it is nearest to: {told}"
    return [Problem(what, parcels.where, "Check the rows of these codes, unless that is meant.", "note")]  # fmt: skip


def _code_notes(
    case: Case, parcels: _Parcels, known: NDArray[np.bool_], were: Mapping[str, str]
) -> list[Problem]:
    """Return warnings of codes without a match, with count and area, and of a system that fits better, or as well as the declared one with zeros in front."""
    codes = parcels.attributes["land_use"]
    where, declared = parcels.where, case.parcels.code_system
    notes = []
    if not known.all():
        by_code = _parcels_by_code(codes[~known], parcels.area[~known])
        told = (f"{code or '(blank)'} ({those})" for code, those in by_code.items())
        share = parcels.area[~known].sum() / parcels.area.sum()
        hint = "Check code_system, or write a CSV of your own with these codes."
        if were:
            hint += f" Only if they were stored as numbers: {listed((f'{code} is {meant}' for code, meant in were.items()), 5)}."
        notes.append(
            Problem(
                f"{len(by_code)} land-use codes are not in {declared} and carry nothing, "
                f"{share:.2%} of the area: {listed(told, 20)}",
                where,
                hint,
                "warning",
            )
        )
    shares = fitting_systems(codes)
    best, fit = next(iter(shares.items()))
    own = shares.get(declared, float(known.mean()))
    padded = own + float(codes.isin(list(were)).mean())
    if best != declared and padded >= fit - _BY_MISTAKE > own + _BETTER_FIT:
        what = f"{own:.1%} of the parcels have a code of {declared}, {padded:.1%} with a zero in front of some, and {fit:.1%} one of {best} as they stand"
        hint = f'Look at the codes: put the zeros back if they are those of {declared} and were stored as numbers; or is code_system "{best}", or a CSV of your own?'
        notes.append(Problem(what, where, hint, "warning"))
    elif best != declared and fit > own + _BETTER_FIT:
        hint = f'Check code_system: is it "{best}"?'
        if declared == "osm" and not codes.str.contains("=", regex=False).any():
            hint = f'Codes of osm are a key and its value, such as landuse=forest: is the key in another column, or is code_system "{best}"?'
        notes.append(
            Problem(
                f"{own:.1%} of the parcels have a code of {declared}, but {fit:.1%} one of {best}",
                where,
                hint,
                "warning",
            )
        )
    return notes


def _partitioned(overlap: str, parcels: _Parcels) -> tuple[_Parcels, list[Problem]]:
    if overlap != "priority":
        overlaps = find_overlaps(parcels.outlines, parcels.crs)
        problems = overlap_problems(overlaps, parcels.names, parcels.area.sum(), parcels.where)
        if any(problem.level == "error" for problem in problems):
            raise InputError(problems)
        return parcels, problems
    rank = type_priority()
    ranks = np.array([rank[name] for name in parcels.attributes["type"]], dtype=np.int64)
    order = stack_order(ranks, parcels.area, parcels.names)
    partition = partition_by_order(parcels.outlines, order, parcels.crs)
    rows = partition.rows
    if not rows.size:
        return parcels, []
    area = parcels.area.copy()
    area[rows] = geodesic_area(partition.geometry, parcels.crs)
    moved = parcels.area.sum() - area.sum()
    gone = shapely.is_empty(partition.geometry)
    eaten = np.zeros(area.size, np.bool_)
    eaten[rows[gone]] = True
    what = (
        f"{counted(len(rows), 'parcel lay', 'parcels lay')} partly under others; by priority {moved:,.1f} m2, "
        f"{moved / parcels.area.sum():.3%} of the area, stay with the parcel on top"
    )
    notes = [Problem(what, parcels.where, level="warning")]
    if eaten.any():
        what = f"{counted(int(eaten.sum()), 'parcel lay wholly under others and is', 'parcels lay wholly under others and are')} left out: "
        what += listed(parcels.names[row] for row in np.flatnonzero(eaten))
        notes.append(Problem(what, parcels.where, level="warning"))
    attributes = parcels.attributes
    if "surveyed" in attributes:
        kept = np.divide(area, parcels.area, out=np.ones_like(area), where=parcels.area > 0)
        attributes = attributes.assign(surveyed=attributes["surveyed"] * kept)
    left = taken_in(partition.geometry[~gone])
    assert left is not None, "what is left of polygons are polygons"
    outlines = parcels.outlines.replaced(rows[~gone], left)
    cut = replace(parcels, attributes=attributes, outlines=outlines, area=area)
    return cut.take(np.flatnonzero(~eaten)), notes


_FAR = 0.1
"""Share of the land from which on two sums of areas are told to be far apart."""

_UNITS_OF_AREA = {
    "square feet": 0.09290304,
    "square yards": 0.83612736,
    "ares": 100.0,
    "mu": 2000 / 3,
    "acres": 4046.8564224,
    "hectares": 1e4,
    "km2": 1e6,
    "square miles": 2589988.110336,
}
"""Those in which areas of parcels are recorded, in m2."""


def _area_notes(area_field: str, parcels: _Parcels) -> list[Problem]:
    surveyed, geodesic = parcels.attributes["surveyed"].sum(), parcels.area.sum()
    what = (
        f"areas are those of {area_field}: {surveyed / 1e6:,.3f} km2 in all, where the polygons have "
        f"{geodesic / 1e6:,.3f} km2 on the ellipsoid ({surveyed / geodesic - 1:+.3%})"
    )
    apart = _notes_on_areas_apart(area_field, parcels)
    if abs(surveyed / geodesic - 1) <= _FAR:
        return [Problem(what, parcels.where, level="note"), *apart]
    meant = [name for name, size in _UNITS_OF_AREA.items() if abs(surveyed * size / geodesic - 1) <= _FAR]  # fmt: skip
    hint = f"{area_field} has to be in m2. Correct it, or leave area_field out for the areas of the polygons."
    if meant:
        hint = f"{area_field} has to be in m2, and seems to be in {meant[0]}, of {_UNITS_OF_AREA[meant[0]]:,.10g} m2 each: multiply it, or leave area_field out for the areas of the polygons."
    return [Problem(what, parcels.where, hint, "warning"), *apart]


def _notes_on_areas_apart(area_field: str, parcels: _Parcels) -> list[Problem]:
    """Return the parcels whose surveyed area is of something else than their polygon: in mu or hectares, or of another parcel. In the sum of all they are lost."""
    own = parcels.attributes["surveyed"].to_numpy(np.float64)
    apart = np.abs(own - parcels.area)
    most, least = np.maximum(own, parcels.area), np.minimum(own, parcels.area)
    rows = np.flatnonzero((most > _AREAS_APART * least) & (apart > 2 * _ROUNDED))
    if not rows.size or rows.size == len(own):
        return []  # all of them is what the sum says
    order = rows[np.argsort(-apart[rows], kind="stable")]
    named = listed((f"{parcels.names[row]} ({own[row]:,.6g} m2 for {parcels.area[row]:,.6g})" for row in order), count=len(order))  # fmt: skip
    share = apart[rows].sum() / parcels.area.sum()
    what = (
        f"the areas of {rows.size} parcels in {area_field} are more than {_AREAS_APART} times those of their polygons, or less than one part in {_AREAS_APART}; "
        f"the polygons have {parcels.area[rows].sum() / parcels.area.sum():.2%} of the land: {named}"
    )
    level: Level = "warning" if share > _WORTH_A_WARNING else "note"
    return [Problem(what, parcels.where, "Check that all areas are in m2, and of these parcels.", level)]  # fmt: skip


def _in_grid(
    case: Case, parcels: _Parcels, numeric: Iterable[str]
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    around = _around(bounds_of(parcels.outlines))
    target = grid_crs(case, around, parcels.crs)
    outlines, notes = parcels.outlines, []
    if target != parcels.crs:
        notes += shift_problems(parcels.crs, target, around, parcels.where)
        outlines, rows = without_crossings(reproject_outlines(outlines, parcels.crs, target))
        if rows.size:
            what = (
                f"{counted(rows.size, 'parcel crosses itself', 'parcels cross themselves')} in the grid's CRS, since long edges stay straight between corners that "
                f"move, and were mended there: {listed(parcels.names[rows])}"
            )
            hint = "Give these more corners along their long edges."
            notes.append(Problem(what, parcels.where, hint, "warning"))
    columns = ["id", "land_use", "type", "mode"]
    table = parcels.attributes[columns].astype(str).assign(area_m2=parcels.area)
    if "survey_unit" in parcels.attributes:
        table["survey_unit"] = parcels.attributes["survey_unit"].astype(str)
    for column in numeric:
        table[column] = parcels.attributes[column].astype(np.float64)
    return gpd.GeoDataFrame(table, geometry=PolygonColumn(outlines, target)), notes
