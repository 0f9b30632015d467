"""Everything that a case names, read and checked; what is wrong is told all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.facilities import project_facilities, read_facilities
from carbongrid.case.readers.lines import read_lines
from carbongrid.case.readers.parcels import read_parcels
from carbongrid.case.readers.people import PeopleGrid, read_people
from carbongrid.case.readers.points import hit_rates, read_pois, reading_notes
from carbongrid.case.readers.readings import off_the_map
from carbongrid.case.readers.reference import Bounds
from carbongrid.case.readers.regional import read_census, read_gdp, read_old_codes, read_water
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.case.readers.totals import Formed, categories_of, read_totals, totals_of_rows
from carbongrid.case.readers.units import read_units
from carbongrid.errors import InputError, Problem
from carbongrid.method.categories import Category
from carbongrid.method.columns import parent_clashes
from carbongrid.method.guidance import COLUMNS, Advice, read_guidance
from carbongrid.raster.opening.crs import crs_of

_ANY_PLANE = "EPSG:6933"

Noted = tuple[Any, list[Problem]]
Reading = Callable[[str, list[Any], Callable[[], Noted]], Noted]


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
    formed
        What the totals were formed of, where the case has activity data.
    by_gas
        The totals of activity data with their gases apart; None where the case has totals.
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
    formed: Formed | None = None
    by_gas: pd.DataFrame | None = None


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
        try:
            return read()
        except InputError as error:
            self.problems += error.problems
        except OSError as error:
            self.problems.append(Problem(f"a file cannot be read: {error}", "", "Check it."))
        return None

    def noted(self, read: Callable[[], tuple[Any, list[Problem]]]) -> Any:
        """Like a call, for readers that return their notes beside the table."""
        outcome = self(read)
        if outcome is None:
            return None
        table, notes = outcome
        self.notes += notes
        return table


def read_inputs(case: Case, reading: Reading | None = None) -> Inputs:
    """Read everything that a case names.

    Parameters
    ----------
    case
        The case.
    reading
        What reads a section's table, or takes it from an earlier run: called with the section, with what decides its
        table beside the section itself, and with the reader. Default: the reader is called.

    Raises
    ------
    InputError
        With every problem of every file.
    """
    gather = _Gathering()
    reading = reading or _read_anew
    # Where the categories are wrong, the names of categories elsewhere are not held against them.
    known = gather(lambda: categories_of(case))
    columns = _field_columns(known or {})
    parcels = gather.noted(
        lambda: reading("parcels", [columns], lambda: read_parcels(case, columns))
    )
    # Where the parcels are wrong the rest is read all the same, to find what else is.
    crs = crs_of(case.grid.crs or _ANY_PLANE) if parcels is None else parcels.crs
    units = gather.noted(lambda: reading("units", [crs], lambda: read_units(case, crs)))
    evidence = _read_evidence(case, gather, reading, (crs, known, _bounds_of_both(parcels, units)))
    gather.problems += _clash_problems(case, known or {})
    codes = None if units is None else codes_of(units, case.units.parents)
    ancestors = None if units is None else _ancestors(units, case.units.parents)
    totals, formed, by_gas = _read_totals(case, gather, (known, codes, ancestors))
    facilities = None
    if case.facilities:
        facilities = gather(lambda: _placed_facilities(case, known, totals, crs, gather.notes))
    regional = _read_regional(case, gather, units, (codes, ancestors))
    guidance = gather(lambda: guidance_of(case))
    if parcels is not None and len(parcels):
        off = _off_the_map(case, evidence, parcels)
        gather.problems += off
        if not off:
            gather.notes += _reading_notes(case, evidence["pois"], parcels, known or {})
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
        **evidence,
        **regional,
    )


def _read_evidence(
    case: Case,
    gather: _Gathering,
    reading: Reading,
    of: tuple[CRS, dict[str, Category] | None, Bounds | None],
) -> dict[str, Any]:
    """Read POIs, people and lines, as far as the case names them."""
    crs, known, bounds = of
    names = None if known is None else list(known)
    found: dict[str, Any] = dict.fromkeys(("pois", "people", "lines"))
    if case.pois:
        found["pois"] = gather.noted(
            lambda: reading("pois", [crs, *(names or ())], lambda: read_pois(case, crs, names))
        )
    if case.people:
        # A table of people is read whole, whatever the bounds.
        of_raster = bounds if case.people.is_raster else None
        found["people"] = gather.noted(
            lambda: reading("people", [crs, of_raster], lambda: read_people(case, crs, of_raster))
        )
    if case.lines:
        found["lines"] = gather.noted(
            lambda: reading("lines", [crs], lambda: read_lines(case, crs))
        )
    return found


def _read_totals(
    case: Case,
    gather: _Gathering,
    of: tuple[dict[str, Category] | None, set[str] | None, dict[str, set[str]] | None],
) -> tuple[Any, Formed | None, pd.DataFrame | None]:
    """Read the totals, or form them of activity data: the totals, what they were formed of, and their gases."""
    known, codes, ancestors = of
    if case.inventory is None:
        totals = gather(
            lambda: read_totals(case, known, codes=codes, ancestors=ancestors, notes=gather.notes)
        )
        return totals, None, None
    if known is None:
        return None, None, None
    # The inventory and its units are slow to load, and few cases need them.
    from carbongrid.case.readers.formed_totals import form_totals

    formed = gather(lambda: form_totals(case, known, gather.notes))
    if formed is None:
        return None, None, None
    made = gather(lambda: totals_of_rows(case, known, formed, gather.notes))
    totals, by_gas = (None, None) if made is None else made
    return totals, formed, by_gas


def _read_regional(
    case: Case,
    gather: _Gathering,
    units: gpd.GeoDataFrame | None,
    of: tuple[set[str] | None, dict[str, set[str]] | None],
) -> dict[str, Any]:
    """Read what is told by region: GDP, census, water; None where the case names none."""
    codes, ancestors = of
    if codes is not None:
        gather(lambda: read_old_codes(case, codes))
    gdp_codes = None if units is None else gather(lambda: _gdp_codes(units, case))
    gdp = gather(lambda: read_gdp(case, codes=gdp_codes)) if case.gdp else None
    census = None
    if case.people and case.people.census:
        census = gather(
            lambda: read_census(case, codes=codes, ancestors=ancestors, notes=gather.notes)
        )
    unit_codes = None if units is None else set(units["id"])
    water = gather(lambda: read_water(case, codes=unit_codes))
    return {"gdp": gdp, "census": census, "water": water}


def _bounds_of_both(
    parcels: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame | None
) -> Bounds | None:
    if parcels is None or units is None:
        return None
    corners = np.array([parcels.total_bounds, units.total_bounds])
    west, south = corners[:, :2].min(axis=0).tolist()
    east, north = corners[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _read_anew(_section: str, _more: list[Any], read: Callable[[], Noted]) -> Noted:
    return read()


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
    table = read_table(path)
    require_columns(table, path.name, COLUMNS[:1])
    return read_guidance(table, where=path.name)


def _clash_problems(case: Case, known: dict[str, Category]) -> list[Problem]:
    """Return an error for each parent column whose name a run needs for a column of its own."""
    return [
        Problem(
            f"a parent column cannot be called {name!r}: a run gives the units a column of that name",
            f"{case.units.path}, {case.path.name}: [units] parents",
            "Rename it in the file.",
        )
        for name in parent_clashes(case.units.parents, known.values())
    ]


def _field_columns(categories: dict[str, Category]) -> list[str]:
    rules = (category.weight.partition(":") for category in categories.values())
    return sorted({column for rule, _, column in rules if rule == "field"})


def _ancestors(units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> dict[str, set[str]]:
    """Return, for each code, the codes of the higher levels that hold it."""
    levels = ["id", *parents]
    above: dict[str, set[str]] = {}
    for row in units[levels].itertuples(index=False):
        for level, code in enumerate(row):
            above.setdefault(code, set()).update(higher for higher in row[level + 1 :] if higher)
    return above


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
    crs: CRS,
    notes: list[Problem],
) -> pd.DataFrame:
    """Return the facilities with x and y in the grid's CRS, NaN where they have none."""
    assert case.facilities is not None, "the case names no facilities"
    table = read_facilities(case, known, totals, notes=notes)
    return project_facilities(table, crs, case.facilities.path)


def _off_the_map(case: Case, evidence: dict[str, Any], parcels: gpd.GeoDataFrame) -> list[Problem]:
    """Return an error for POIs, and for points of people, none of which lies in the parcels."""
    problems = []
    for name, section in (("pois", case.pois), ("people", case.people)):
        table = evidence[name]
        if section is not None and isinstance(table, pd.DataFrame) and section.crs:
            x, y = table["x"].to_numpy(np.float64), table["y"].to_numpy(np.float64)
            problems += off_the_map(x, y, parcels, section.crs, (section.path, name))
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
