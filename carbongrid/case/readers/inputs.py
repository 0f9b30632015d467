"""Everything that a case names, read and checked; what is wrong is told all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.categories import categories_of, notes_on_unused
from carbongrid.case.readers.extents import stored_crs
from carbongrid.case.readers.facilities import project_facilities, read_facilities
from carbongrid.case.readers.formed_totals import Formed, form_totals
from carbongrid.case.readers.grid_crs import Bounds
from carbongrid.case.readers.lines import read_lines
from carbongrid.case.readers.parcels import read_parcels
from carbongrid.case.readers.people import PeopleGrid, read_people
from carbongrid.case.readers.points import (
    crosswalk_categories,
    hit_rates,
    read_pois,
    reading_notes,
)
from carbongrid.case.readers.readings import REACH, apart, off_the_map, readings_on_land
from carbongrid.case.readers.region_columns import codes_by_name
from carbongrid.case.readers.regional import read_census, read_gdp, read_old_codes, read_water
from carbongrid.case.readers.sinks import coefficients_of, read_sinks
from carbongrid.case.readers.surroundings import read_surroundings
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.case.readers.totals import read_totals, totals_of_rows
from carbongrid.case.readers.uncertainty import Told, read_uncertainty
from carbongrid.case.readers.units import read_units
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError, Problem
from carbongrid.method.categories import Category
from carbongrid.method.columns import clashes, parent_clashes
from carbongrid.method.guidance import COLUMNS, Advice, read_guidance
from carbongrid.raster.opening.crs import crs_of

_ANY_PLANE = "EPSG:6933"
_LISTED = 10


@dataclass(frozen=True)
class Section:
    """What was read of one section of a case.

    Parameters
    ----------
    table
        The table; None where the case has no such section, or it could not be read.
    notes
        Warnings and notes of the reader.
    errors
        Why there is no table.
    """

    table: Any = None
    notes: tuple[Problem, ...] = ()
    errors: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SectionReader:
    """How one section of a case is read: the long ones, of which an earlier run may have kept the table.

    Parameters
    ----------
    name
        The section.
    needs
        Sections that are read before, since something in them decides the table.
    decided_by
        Returns that: called with the case and the sections of ``needs``.
    read
        Reads the table and its notes: called with the case and what ``decided_by`` returned.
    """

    name: str
    needs: tuple[str, ...]
    decided_by: Callable[..., tuple[Any, ...]]
    read: Callable[..., tuple[Any, list[Problem]]]

    def __call__(self, case: Case, *before: Section) -> Section:
        """Read the section; what is wrong is returned, so that the rest is read all the same."""
        if getattr(case, self.name) is None:
            return Section()
        return _tried(lambda: self.read(case, *self.decided_by(case, *before)))


@dataclass(frozen=True)
class Inputs:
    """The input tables of a run, geometry in the grid's CRS, rows in canonical order.

    Parameters
    ----------
    case
        The case.
    categories
        The categories that have a total, by name, sorted.
    totals, facilities, gdp, census, water
        As their readers return them; None where the case names none.
    parcels, units
        GeoDataFrames in id order.
    pois, people, lines
        Evidence; None where the case names none.
    notes
        Warnings and notes of the readers.
    guidance
        Advice per zone.
    coefficients
        What an area of each territorial type takes up, by the case's set of sinks.
    formed
        What the totals were formed of, where the case has activity data.
    by_gas
        The totals of activity data with their gases apart; None where the case has totals.
    surroundings
        Polygons around the units for a figure; None where the case names none.
    uncertainty
        What the case says of how uncertain its numbers are; empty where it says nothing.
    years
        Of GDP (``gdp``) and of the census (``residents``), where figures are not all of the case's year.
    scopes
        Returns grams by category and scope that activity data made, before electricity was set aside: read where a plan asks. None for totals, and
        of inputs that were read from a case's own files.
    """

    case: Case
    categories: dict[str, Category]
    totals: pd.DataFrame
    parcels: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    pois: pd.DataFrame | None
    people: pd.DataFrame | PeopleGrid | None
    lines: gpd.GeoDataFrame | None
    facilities: pd.DataFrame | None
    gdp: pd.DataFrame | None
    census: pd.DataFrame | None
    water: dict[str, int] | None
    notes: tuple[Problem, ...]
    guidance: tuple[Advice, ...]
    coefficients: Mapping[str, float]
    formed: Formed | None = None
    by_gas: pd.DataFrame | None = None
    surroundings: gpd.GeoDataFrame | None = None
    uncertainty: Told | None = None
    years: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    scopes: Callable[[], Mapping[tuple[str, int], int]] | None = field(default=None, repr=False)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The notes, as every step of a run has what it found: no errors, which are raised."""
        return self.notes

    @cached_property
    def regions(self) -> Mapping[str, Sequence[str]]:
        """By category the regions that have a total of it here, in order: asked for again and again, of 25 totals of 1,500 units it took a second."""
        columns = (self.totals[name].tolist() for name in ("category", "place", "region"))
        found: dict[str, set[str]] = {}
        for category, place, region in zip(*columns, strict=True):
            if place == HERE and region:
                found.setdefault(category, set()).add(region)
        return {category: sorted(regions) for category, regions in found.items()}


def codes_of(units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> set[str]:
    """Return the codes of the units and of all their parents."""
    return {code for column in ("id", *parents) for code in units[column] if code}


class _Gathering:
    """Call one reader after the other; keep what is wrong and go on."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []

    def __call__(self, read: Callable[[], Any]) -> Any:
        """Return what a reader returns, or None after noting why it could not."""
        return self.table_of(_tried(lambda: (read(), [])))

    def table_of(self, section: Section) -> Any:
        """Return the table of a section that was read before."""
        self.problems += section.errors
        self.notes += section.notes
        return section.table


def _tried(read: Callable[[], tuple[Any, list[Problem]]]) -> Section:
    try:
        table, notes = read()
    except InputError as error:
        return Section(errors=error.problems)
    except OSError as error:
        return Section(errors=(Problem(f"a file cannot be read: {error}", "", "Check it."),))
    return Section(table, tuple(notes))


def read_inputs(case: Case) -> Inputs:
    """Read everything that a case names.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    read = {"categories": read_section_of_categories(case)}
    for reader in SECTION_READERS:
        read[reader.name] = reader(case, *[read[name] for name in reader.needs])
    held = hold_points(case, *[read[name] for name in NEEDED_FOR_POINTS])
    return complete_inputs(case, *read.values(), held=held)


def read_section_of_categories(case: Case) -> Section:
    """Read the categories: where they are wrong, their names elsewhere are not held against them."""
    notes: list[Problem] = []
    return _tried(lambda: (categories_of(case, notes), notes))


def hold_points(
    case: Case, categories: Section, parcels: Section, pois: Section, people: Section
) -> Section:
    """Hold points of evidence against the parcels, for which outlines are needed: a section without a table.

    Returns
    -------
    Section
        An error for POIs, and for points of people, none of which lies in the parcels; else how many POIs hit their land under each coordinate system (D12).
    """
    if parcels.table is None or not len(parcels.table):
        return Section()
    off = _off_the_map(case, {"pois": pois.table, "people": people.table}, parcels.table)
    if off:
        return Section(errors=tuple(off))
    notes = _reading_notes(case, pois.table, parcels.table, categories.table or {})
    return Section(notes=tuple(notes))


NEEDED_FOR_POINTS = ("categories", "parcels", "pois", "people")
"""Sections that :func:`hold_points` is called with."""


def complete_inputs(case: Case, categories: Section, *sections: Section, held: Section) -> Inputs:
    """Read the rest of what a case names, and hold the tables against each other.

    Parameters
    ----------
    case
        The case.
    categories, sections
        The categories, and what each of :data:`SECTION_READERS` read.
    held
        What :func:`hold_points` found.

    Raises
    ------
    InputError
        With every problem of every file, those of the sections among them.
    """
    gather = _Gathering()
    known = gather.table_of(categories)
    parcels, units, *others = [gather.table_of(section) for section in sections]
    evidence = dict(zip(("pois", "people", "lines"), others, strict=True))
    crs = _crs_of(case, sections[0])
    regions = _Regions() if units is None else _Regions.of(units, case.units.parents)
    totals, formed, by_gas = _read_totals(case, gather, known, regions)
    # A category without a total has no column; of totals that cannot be read any may have one.
    spread = list((known or {}).values())
    if known is not None and totals is not None:
        spread = [known[name] for name in {*totals["category"]}]
    gather.problems += _clash_problems(case, spread)
    if case.categories and known is not None and totals is not None:
        own = case.resolve(case.categories.path).name
        gather.problems += _column_problems(spread, own)
        used = {*totals["category"], *(gather(lambda: crosswalk_categories(case)) or ())}
        gather.notes += notes_on_unused(case, known, used)
    facilities = None
    if case.facilities:
        facilities = gather(
            lambda: _placed_facilities(case, known, totals, parcels, crs, gather.notes)
        )
    regional = _read_regional(case, gather, units, regions)
    guidance = gather(lambda: guidance_of(case))
    uncertainty = None
    if not gather.problems:
        uncertainty = gather(
            lambda: read_uncertainty(case, regions.codes, known, notes=gather.notes)
        )
    coefficients = gather(lambda: coefficients_of(read_sinks(case)))
    around = None if units is None else gather(lambda: read_surroundings(case, units, gather.notes))
    gather.table_of(held)
    if gather.problems:
        warnings = [note for note in gather.notes if note.level == "warning"]
        # Several readers look into the table of old codes; what is wrong there is told once.
        raise InputError(dict.fromkeys([*warnings, *gather.problems]))
    return Inputs(
        case=case,
        categories={name: known[name] for name in sorted(set(totals["category"]))},
        totals=totals,
        parcels=parcels,
        units=units,
        facilities=facilities,
        notes=tuple(gather.notes),
        guidance=guidance,
        formed=formed,
        by_gas=by_gas,
        surroundings=around,
        uncertainty=uncertainty,
        coefficients=coefficients,
        **evidence,
        **regional,
    )


class _Regions(NamedTuple):
    """What a table may name as a region, and the codes that are above one; None where the units cannot be read."""

    codes: set[str] | None = None
    ancestors: dict[str, set[str]] | None = None
    codes_by_name: dict[str, set[str]] | None = None

    @classmethod
    def of(cls, units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> _Regions:
        return cls(codes_of(units, parents), ancestors_of(units, parents), codes_by_name(units, parents))  # fmt: skip


def _read_totals(
    case: Case,
    gather: _Gathering,
    known: dict[str, Category] | None,
    regions: _Regions,
) -> tuple[Any, Formed | None, pd.DataFrame | None]:
    """Read the totals, or form them of activity data: the totals, what they were formed of, and their gases."""
    codes, ancestors, names = regions
    if case.inventory is None:
        told = gather.notes
        totals = gather(
            lambda: read_totals(
                case, known, codes=codes, ancestors=ancestors, names=names, notes=told
            )
        )
        return totals, None, None
    if known is None:
        return None, None, None
    formed = gather(lambda: form_totals(case, known, gather.notes, codes=codes, names=names))
    if formed is None:
        return None, None, None
    made = gather(lambda: totals_of_rows(case, known, formed, gather.notes, ancestors=ancestors))
    totals, by_gas = (None, None) if made is None else made
    return totals, formed, by_gas


def _read_regional(
    case: Case,
    gather: _Gathering,
    units: gpd.GeoDataFrame | None,
    regions: _Regions,
) -> dict[str, Any]:
    """Read what is told by region: GDP, census, water; None where the case names none."""
    codes, ancestors, names = regions
    if codes is not None:
        gather(lambda: read_old_codes(case, codes))
    gdp_codes = None if units is None else gather(lambda: _gdp_codes(units, case))
    gdp = None
    if case.gdp:
        levels = {} if units is None else _levels_of(units, case.units.parents)
        gdp = gather(
            lambda: read_gdp(case, codes=gdp_codes, levels=levels, notes=gather.notes, names=names)
        )
    census = None
    if case.people and case.people.census:
        census = gather(
            lambda: read_census(
                case, codes=codes, ancestors=ancestors, notes=gather.notes, names=names
            )
        )
    unit_codes = None if units is None else set(units["id"])
    water = gather(lambda: read_water(case, codes=unit_codes, notes=gather.notes, names=names))
    told = {name: table.attrs["years"] for name, table in (("gdp", gdp), ("residents", census)) if table is not None}  # fmt: skip
    years = {name: each for name, each in told.items() if each and each != (case.year,)}
    return {"gdp": gdp, "census": census, "water": water, "years": years}


def _crs_of(case: Case, parcels: Section) -> CRS:
    """Return the CRS of all geometry; where the parcels are wrong the rest is read all the same, to find what else is."""
    if parcels.table is None:
        return crs_of(case.grid.crs or _ANY_PLANE)
    crs: CRS = parcels.table.crs
    return crs


def _names_of(categories: Section) -> list[str] | None:
    return None if categories.table is None else list(categories.table)


def _names_by_pois(categories: Section) -> list[str] | None:
    known = categories.table
    return None if known is None else [name for name, one in known.items() if one.weight == "pois"]


def _bounds_of_raster(case: Case, parcels: Section, units: Section) -> Bounds | None:
    """Return the part of a raster of people that is read; a table of people is read whole, whatever the bounds."""
    if parcels.table is None or units.table is None or case.people is None:
        return None
    if not case.people.is_raster:
        return None
    corners = np.array([layer.table.geometry.array.total_bounds for layer in (parcels, units)])
    west, south = corners[:, :2].min(axis=0).tolist()
    east, north = corners[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def guidance_of(case: Case) -> tuple[Advice, ...]:
    """Return the advice per zone: the package's, with that of the case's file laid over it.

    Raises
    ------
    InputError
        As :func:`carbongrid.method.guidance.read_guidance`, and if the file has no column ``zone``.
    """
    if case.report is None or case.report.guidance is None:
        return read_guidance()
    path = case.resolve(case.report.guidance)
    table = read_table(path, columns=COLUMNS)
    require_columns(table, path.name, COLUMNS[:1])
    return read_guidance(table, where=path.name)


def _clash_problems(case: Case, spread: Iterable[Category]) -> list[Problem]:
    """Return an error for each parent column whose name a run needs for a column of its own."""
    return [
        Problem(
            f"a parent column cannot be called {name!r}: a run gives the units a column of that name",
            f"{case.units.path}, {case.path.name}: [units] parents",
            "Rename it in the file.",
        )
        for name in parent_clashes(case.units.parents, spread)
    ]


def _column_problems(spread: Iterable[Category], where: str) -> list[Problem]:
    """Return an error for each sector and category that is spread and would share a column of the units with another."""
    return [
        Problem(
            f"{name} would have the same column as {other}",
            where,
            hint,
        )
        for name, other, hint in clashes(sorted(spread))
    ]


def _field_columns(categories: Section) -> list[str]:
    known: dict[str, Category] = categories.table or {}
    rules = (category.weight.partition(":") for category in known.values())
    return sorted({column for rule, _, column in rules if rule == "field"})


def ancestors_of(units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> dict[str, set[str]]:
    """Return, for each code, the codes of the higher levels that hold it."""
    levels = [units[name].tolist() for name in ("id", *parents)]
    above: dict[str, set[str]] = {}
    for row in zip(*levels, strict=True):
        for level, code in enumerate(row):
            above.setdefault(code, set()).update(higher for higher in row[level + 1 :] if higher)
    return above


def _levels_of(units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> dict[str, str]:
    """Return for each code the level that it is of, as ``by`` names it: ``unit`` or a parent column; the nearest of several."""
    farthest_first = [*((name, name) for name in reversed(parents)), ("unit", "id")]
    return {code: level for level, column in farthest_first for code in units[column] if code}


def _gdp_codes(units: gpd.GeoDataFrame, case: Case) -> set[str]:
    column = "id" if case.gdp is None or case.gdp.by == "unit" else case.gdp.by
    if column not in units:
        raise InputError(
            f"{column!r} is not a column of the units' parents",
            f"{case.path.name}: [gdp] by",
            f"Known: unit, {', '.join(case.units.parents) or 'and no parents are given in [units]'}.",
        )
    return set(units[column])


def _placed_facilities(
    case: Case,
    known: dict[str, Category] | None,
    totals: pd.DataFrame | None,
    parcels: gpd.GeoDataFrame | None,
    crs: CRS,
    notes: list[Problem],
) -> pd.DataFrame:
    """Return the facilities with x and y in the grid's CRS, NaN where they have none."""
    assert case.facilities is not None, "the case names no facilities"
    table = read_facilities(case, known, totals, notes=notes)
    placed = project_facilities(table, crs, case.facilities.path)
    problems = [] if parcels is None else _misread(placed, parcels, case.facilities.path)
    if problems:
        raise InputError(problems)
    return placed


def _off_the_map(case: Case, evidence: dict[str, Any], parcels: gpd.GeoDataFrame) -> list[Problem]:
    """Return an error for POIs, and for points of people, none of which lies in the parcels."""
    problems = []
    for name, section in (("pois", case.pois), ("people", case.people)):
        table = evidence[name]
        if section is not None and isinstance(table, pd.DataFrame):
            x, y = table["x"].to_numpy(np.float64), table["y"].to_numpy(np.float64)
            declared = section.crs or _stored_crs(case, section)
            problems += off_the_map(x, y, parcels, declared, (section.path, name))
    return problems


def _stored_crs(case: Case, section: Any) -> str:
    """Return the CRS of a vector file as it can be named, for a case that names none."""
    crs = stored_crs(case.resolve(section.path), section.layer)
    assert crs is not None, "without one its points were not read"
    return f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else str(crs.to_wkt())


def _misread(facilities: pd.DataFrame, parcels: gpd.GeoDataFrame, where: str) -> list[Problem]:
    """Return an error for each facility off the parcels' bounds that would lie on them if its coordinates were read otherwise."""
    west, south, east, north = parcels.geometry.array.total_bounds
    x, y = (facilities[name].to_numpy(np.float64) for name in ("x", "y"))
    inside = (x >= west - REACH) & (x <= east + REACH) & (y >= south - REACH) & (y <= north + REACH)
    problems = []
    for row in np.flatnonzero(~inside & ~np.isnan(x))[:_LISTED].tolist():
        name, declared = str(facilities["name"].iloc[row]), str(facilities["crs"].iloc[row])
        place = x[row : row + 1], y[row : row + 1]
        best = readings_on_land(*place, parcels, declared)
        if best:
            what = f"read as {declared} its coordinates are in no parcel, nor within {REACH:g} m of one: {apart(*place, parcels)}"
            hint = f"On the parcels it would lie {', or '.join(name for name, _ in best)}. Correct crs, x or y."
            problems.append(Problem(what, f"{where}, facility {name!r}", hint))
    return problems


def _reading_notes(
    case: Case,
    pois: pd.DataFrame | None,
    parcels: gpd.GeoDataFrame,
    known: dict[str, Category],
) -> list[Problem]:
    """Return how many POIs hit their land under each coordinate system (D12)."""
    if case.pois is None or pois is None:
        return []
    rates = hit_rates(pois, parcels, known, case.pois.crs)
    return reading_notes(rates, case.pois.crs, case.pois.path)


SECTION_READERS = (
    SectionReader(
        "parcels", ("categories",), lambda _, known: (_field_columns(known),), read_parcels
    ),
    SectionReader(
        "units", ("parcels",), lambda case, parcels: (_crs_of(case, parcels),), read_units
    ),
    SectionReader(
        "pois",
        ("parcels", "categories"),
        lambda case, parcels, known: (
            _crs_of(case, parcels),
            _names_of(known),
            _names_by_pois(known),
        ),
        read_pois,
    ),
    SectionReader(
        "people",
        ("parcels", "units"),
        lambda case, parcels, units: (
            _crs_of(case, parcels),
            _bounds_of_raster(case, parcels, units),
        ),
        read_people,
    ),
    SectionReader(
        "lines", ("parcels",), lambda case, parcels: (_crs_of(case, parcels),), read_lines
    ),
)
"""In the order in which they are read, and in which their problems are listed."""
