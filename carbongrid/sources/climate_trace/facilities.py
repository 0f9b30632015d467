"""From sources of Climate TRACE to a table of facilities (docs/decisions/0094)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.case.readers.coordinates import project_points
from carbongrid.case.readers.grid_crs import transformer_between
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.tonnes import exact_tonnes
from carbongrid.outputs.tables.plain import write_text_csv
from carbongrid.raster.opening.crs import crs_of
from carbongrid.sources.climate_trace import account as why
from carbongrid.sources.climate_trace.account import CO2E, CO2E_20, GASES, Account, Written
from carbongrid.sources.climate_trace.notes import Box, all_over_the_turn, no_facility, notes_on
from carbongrid.sources.climate_trace.published import Published, Source
from carbongrid.sources.climate_trace.subsectors import SUBSECTORS, Subsector
from carbongrid.sources.new_files import require_new, written_whole

CRS = "EPSG:4326"
"""Of the coordinates; the publisher says latitude and longitude, and names no datum."""

READINGS = {"gases": tuple(GASES), "co2e": (CO2E,)}
"""What may be counted: CO2, CH4 and N2O by a GWP set, or CO2e over 100 years as published."""

_BOUNDARIES = ("gadm", "ghs-fua")
"""How the names of boundaries begin, of which a source's coordinates are the centre."""

_GRAMS = 10**6
_COLUMNS = ("name", "category", "value", "unit", "x", "y", "crs", "subsector", "source_id")


@dataclass(frozen=True)
class Facilities:
    """What the sources became.

    Parameters
    ----------
    table
        name, category, value (whole grams, in t), unit, x, y, crs, subsector and source_id, all text, as [facilities] takes them.
    written
        By gas, tonnes of the facilities, exactly, before any GWP.
    rounded
        By how many tonnes of CO2e the values are more than that, for their whole grams.
    left_out
        Columns reason, subsector, gas, sources (rows, where rows are meant), tonnes (of that gas, as Fraction).
    notes
        What is worth saying.
    """

    table: pd.DataFrame
    written: dict[str, Fraction]
    rounded: Fraction
    left_out: pd.DataFrame
    notes: tuple[Problem, ...]

    def by_category(self) -> list[tuple[str, int, Decimal]]:
        """Return category, count and tonnes of the facilities, by category."""
        values = self.table["value"].map(Decimal)
        return [
            (str(category), len(each), sum(each, Decimal(0)))
            for category, each in values.groupby(self.table["category"])
        ]

    def as_text(self) -> dict[str, Any]:
        """Return the account with every number as its exact digits."""
        left_out = self.left_out.assign(tonnes=self.left_out["tonnes"].map(digits))
        return {
            "categories": [
                {"category": category, "facilities": count, "tonnes": f"{tonnes:f}"}
                for category, count, tonnes in self.by_category()
            ],
            "written": {gas: digits(tonnes) for gas, tonnes in self.written.items()},
            "rounded": digits(self.rounded),
            "left_out": left_out.to_dict("records"),
        }


def digits(value: Fraction) -> str:
    """Return the digits of a number that has finitely many, all of them."""
    places, rest = 0, value.denominator
    while rest != 1:
        rest //= gcd(rest, 10)
        places += 1
    scaled = int(abs(value) * 10**places)
    whole, part = divmod(scaled, 10**places)
    return f"{'-' if value < 0 else ''}{whole}{f'.{part:0{places}d}' if places else ''}"


def facilities_of(
    published: Published,
    *,
    within: gpd.GeoDataFrame | None = None,
    by: str | None = None,
    gwp: str = "AR5",
) -> Facilities:
    """Return the sources that are places, as facilities.

    Parameters
    ----------
    published
        Of :func:`carbongrid.sources.climate_trace.published.read_published`.
    within
        Outlines of units; sources outside are left out. Everywhere if None.
    by
        One of :data:`READINGS`; by default gases where all three are there, else CO2e, else those gases that are there.
    gwp
        One of :data:`carbongrid.inventory.factors.gwp.GWP_SETS`, for gases.

    Raises
    ------
    InputError
        If what is to be counted is in none of the files, or no source becomes a facility.

    Notes
    -----
    For each gas, the tonnes of ``published.read`` are those of ``written`` and of ``left_out`` together, exactly. CO2e and gases of
    one source are never added: where both are there, one is left out as told again.
    """
    masses = [_masses(source) for source in published.sources]
    present = {gas for each in masses for gas in each}
    if not present and published.over_the_turn:
        raise InputError([all_over_the_turn(published), *published.notes])
    counted = _counted(by, present)
    account = Account(published, gwp)
    written: list[Written] = []
    outside: list[Source] = []
    inside = _inside(published.sources, within)
    for source, tonnes, is_inside in zip(published.sources, masses, inside, strict=True):
        own = {gas: tonnes[gas] for gas in counted if gas in tonnes}
        for gas in source.series:
            if gas not in own and not (
                own and gas in counted
            ):  # blank beside others: a note says so
                account.leave(_aside(gas, bool(own), counted), source, gas, tonnes.get(gas))
        mass = account.weighed(source.subsector, own)
        subsector = SUBSECTORS.get(source.subsector)
        reason = _reason(source, subsector, is_inside, mass)
        if subsector is None or reason:
            for gas, left in own.items():
                account.leave(reason, source, gas, left)
            if own and reason == why.OUTSIDE:
                outside.append(source)
        elif own:
            account.write(own)
            written.append(Written(source, subsector, mass))
    notes = notes_on(published, written, counted, account, everywhere=within is None)
    if not written:
        boxes = _box_of_units(within), _box_of_sources(outside)
        raise InputError([no_facility(published, account, *boxes), *notes])
    table, rounded = _table(written, "t CO2" if counted == ("co2",) else "t CO2e")
    return Facilities(table, account.written, rounded, account.left_out(), notes)


def write_facilities(facilities: Facilities, path: Path) -> None:
    """Write the table as CSV, whole or not at all.

    Raises
    ------
    InputError
        If the file is there already, or its folder is not.
    """
    require_new(path)
    with written_whole(path) as partial:
        write_text_csv(facilities.table, partial)


def _masses(source: Source) -> dict[str, Fraction]:
    """Return the tonnes of each gas of which a quantity is known."""
    found = {gas: source.tonnes(gas) for gas in source.series}
    return {gas: tonnes for gas, tonnes in found.items() if tonnes is not None}


def _counted(by: str | None, present: set[str]) -> tuple[str, ...]:
    """Return the gases that are counted, as published."""
    if by is None:
        by = "co2e" if CO2E in present and not present.issuperset(GASES) else "gases"
    counted = tuple(gas for gas in READINGS[by] if gas in present)
    if not counted:
        there = listed(sorted(present)) or "no quantity at all"
        what = f"the files hold no {' and no '.join(READINGS[by])}, but {there}"
        raise InputError(what, "", "Give the files of these gases, or choose by --by.")
    return counted


def _aside(gas: str, told: bool, counted: Collection[str]) -> str:
    """Return why a gas is not counted of a source, of which others are or not."""
    if gas in counted:
        return why.NO_QUANTITY
    if gas not in (*GASES, CO2E, CO2E_20):
        return why.ANOTHER_GAS
    return why.TWICE if told else why.NOT_COUNTED


def _reason(source: Source, subsector: Subsector | None, inside: bool, mass: Fraction) -> str:
    """Return why a source becomes no facility; blank if it does."""
    if subsector is None:
        return why.UNKNOWN
    if _is_area(source, subsector):
        return why.AREA
    if subsector.place == "boundary" and source.boundary is None:
        return why.UNTOLD
    if not subsector.category:
        return why.NO_CATEGORY
    if source.x is None:
        return why.NO_PLACE
    if not inside:
        return why.OUTSIDE
    grams = round(mass * _GRAMS)
    return why.UPTAKE if grams < 0 else "" if grams else why.NOTHING


def _is_area(source: Source, subsector: Subsector) -> bool:
    if subsector.place == "area" or (source.boundary or "").lower().startswith(_BOUNDARIES):
        return True
    return subsector.place == "boundary" and bool(source.boundary)


def _box_of_units(within: gpd.GeoDataFrame | None) -> Box | None:
    if within is None:
        return None
    to_degrees = transformer_between(crs_of(within.crs), crs_of(CRS))
    west, south, east, north = to_degrees.transform_bounds(*within.total_bounds)
    return west, south, east, north


def _box_of_sources(sources: Sequence[Source]) -> Box | None:
    places = [(float(s.x), float(s.y)) for s in sources if s.x is not None and s.y is not None]
    if not places:
        return None
    x, y = zip(*places, strict=True)
    return min(x), min(y), max(x), max(y)


def _inside(sources: Sequence[Source], within: gpd.GeoDataFrame | None) -> list[bool]:
    """Return which sources lie in a unit or on its border; all, where no units are named."""
    if within is None:
        return [True] * len(sources)
    degrees = np.array(
        [(np.nan, np.nan) if s.x is None or s.y is None else (s.x, s.y) for s in sources],
        dtype=np.float64,
    )
    x, y = project_points(degrees[:, 0], degrees[:, 1], CRS, crs_of(within.crs))
    known = np.isfinite(x) & np.isfinite(y)
    tree = shapely.STRtree(within.geometry.to_numpy())
    found, _ = tree.query(shapely.points(x[known], y[known]), predicate="intersects")
    inside = np.zeros(len(degrees), dtype=bool)
    inside[np.flatnonzero(known)[found]] = True
    return [bool(each) for each in inside]


def _table(written: Sequence[Written], unit: str) -> tuple[pd.DataFrame, Fraction]:
    """Return the facilities, and by how many tonnes whole grams are more than what was counted."""
    rows: list[tuple[str, ...]] = []
    rounded = Fraction(0)
    called = Counter((each.source.number, each.subsector.category) for each in written)
    for each in written:
        source, subsector = each.source, each.subsector
        grams = round(each.mass * _GRAMS)
        rounded += Fraction(grams, _GRAMS) - each.mass
        alone = called[source.number, subsector.category] == 1
        number = source.number if alone else f"{source.number}, {subsector.name}"
        name = f"{source.name or subsector.name} ({number})"
        place = f"{source.x:f}", f"{source.y:f}", CRS
        value = exact_tonnes(grams)
        rows.append((name, subsector.category, value, unit, *place, subsector.name, source.number))
    table = pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str")
    return table.sort_values(["category", "name"], kind="stable", ignore_index=True), rounded
