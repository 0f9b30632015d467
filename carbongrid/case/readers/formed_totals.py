"""Totals of a case that has activity data: the inventory formed, for the readers to go on with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import xarray as xr

from carbongrid import inventory
from carbongrid.case import Case
from carbongrid.case.readers.activity import read_activity
from carbongrid.case.readers.regional import notes_on_old_codes, read_old_codes
from carbongrid.case.readers.regions import check_activities
from carbongrid.case.readers.sinks import sinks_of
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import HERE
from carbongrid.errors import Problem
from carbongrid.inventory.activity import ActivityData
from carbongrid.inventory.regions import has_regions
from carbongrid.inventory.uncertainty import DRAWS, SEED
from carbongrid.method.categories import Category


@dataclass(frozen=True)
class Formed:
    """Totals that were formed of activity data.

    Parameters
    ----------
    file
        The activity data's name.
    rows
        category, scope, region (blank is the whole), gas, activity, ids, grams (CO2e), exact (the same before they are rounded), year, source, row.
    audit
        How each was formed, every cell text.
    intervals
        category, co2e_t, and low and high by both approaches, in t CO2e.
    drawn
        Draws of the categories' totals, t CO2e [draw, category].
    by_consumption
        Rows with electricity by its balance (docs/decisions/0057); none where it is not known.
    not_balanced
        Why it is not known; blank where it is.
    """

    file: str
    rows: tuple[Mapping[str, Any], ...]
    audit: pd.DataFrame
    intervals: pd.DataFrame
    drawn: xr.DataArray
    by_consumption: tuple[Mapping[str, Any], ...] = ()
    not_balanced: str = ""

    def rows_by(self, electricity: str | None) -> tuple[Mapping[str, Any], ...]:
        """Return the rows as a choice of ``electricity`` counts them, before anything is set aside."""
        return self.by_consumption if electricity == "consumption" else self.rows


def form_totals(
    case: Case,
    categories: Mapping[str, Category],
    notes: list[Problem],
    *,
    codes: Collection[str] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
) -> Formed:
    """Return the totals that a case's activity data make.

    Parameters
    ----------
    case
        With [inventory].
    categories
        Those that rows may name.
    notes
        What a reader must know is appended: unknowns, recalled factors, intervals.
    codes
        Codes that a region may have: those of the units and of their parents. Not checked if None.
    names
        Codes by name, for messages.

    Raises
    ------
    InputError
        With every problem of the file, by sheet, row and column.
    """
    section = case.inventory
    if section is None:
        raise ValueError("the case has no activity data")
    data = _known_regions(read_activity(case.resolve(section.path), categories), case, codes, names)
    formed = as_given = _formed(case, categories, data)
    balanced, unknown = inventory.consumption_if_known(formed)
    if case.electricity == "consumption":
        formed = balanced = inventory.by_consumption(formed)
    counted = inventory.as_counted(formed, case.electricity)
    drawn = inventory.draws(counted)
    intervals = _intervals(counted, drawn)
    notes += _notes_on_old_codes(data, case)
    notes += inventory.notes(formed)
    notes += inventory.energy_notes(as_given)
    notes += _notes(formed, intervals, case)
    return Formed(
        file=data.file,
        rows=_rows(as_given, case),
        audit=inventory.audit_with_readings(formed, as_given, case.electricity),
        intervals=intervals,
        drawn=drawn,
        by_consumption=() if balanced is None else _rows(balanced, case),
        not_balanced=unknown.what if unknown and inventory.has_balance(as_given) else "",
    )


def form_rows(case: Case, categories: Mapping[str, Category], data: ActivityData) -> Formed:
    """Return the totals that activity data make under a case's settings, with neither audit nor draws.

    Parameters
    ----------
    case
        With [inventory], whose file is not read.
    categories
        Those that rows may name.
    data
        What was read of it.

    Raises
    ------
    InputError
        As :func:`form_totals`.
    """
    formed = _formed(case, categories, data)
    balanced, unknown = inventory.consumption_if_known(formed)
    return Formed(
        file=data.file,
        rows=_rows(formed, case),
        audit=pd.DataFrame(),
        intervals=pd.DataFrame(),
        drawn=xr.DataArray(),
        by_consumption=() if balanced is None else _rows(balanced, case),
        not_balanced=unknown.what if unknown else "",
    )


def _formed(
    case: Case, categories: Mapping[str, Category], data: ActivityData
) -> inventory.Inventory:
    section = case.inventory
    if section is None:
        raise ValueError("the case has no activity data")
    return inventory.form(
        _with_codes_of_today(data, case),
        gwp=section.gwp,
        sinks=sinks_of(section.sinks, case.resolve(section.sinks)),
        year=case.year,
        country=case.country,
        code_system=case.parcels.code_system,
        categories=categories,
    )


def _known_regions(
    data: ActivityData,
    case: Case,
    codes: Collection[str] | None,
    names: Mapping[str, Collection[str]] | None,
) -> ActivityData:
    """Return activity data with an error for each region that is no code of the units, today or before they were merged."""
    if codes is None or not has_regions(data):
        return data
    known = {*codes, *read_old_codes(case, codes)}
    problems = [*data.problems]
    for row in data.rows:
        if row.region:
            faults = Faults(f"{row.file}, sheet {row.sheet}", names)
            faults.member(row.region, known, "region", row.row, "region")
            problems += faults.problems
    return replace(data, problems=tuple(problems))


def _with_codes_of_today(data: ActivityData, case: Case) -> ActivityData:
    """Return activity data with regions by the codes that they have since units were merged."""
    if not has_regions(data):
        return data
    old_codes = read_old_codes(case)
    rows = tuple(replace(row, region=old_codes.get(row.region, row.region)) for row in data.rows)
    return replace(data, rows=rows)


def _notes_on_old_codes(data: ActivityData, case: Case) -> Iterator[Problem]:
    """Yield warnings of merged units, sheet by sheet, by category."""
    if not has_regions(data):
        return
    old_codes = read_old_codes(case)
    sheets: dict[str, list[tuple[int, str, str]]] = {}
    for row in data.rows:
        where = f"{row.file}, sheet {row.sheet}" if row.sheet else row.file
        sheets.setdefault(where, []).append((row.row, row.region, row.category))
    for where, rows in sheets.items():
        yield from notes_on_old_codes(rows, old_codes, where)


def regions_told(formed: inventory.Inventory) -> list[Problem]:
    """Return as warnings what a run of an inventory would refuse about its regions, but for what only their codes tell."""
    faults = Faults(formed.data.file)
    check_activities([{**row, "place": HERE} for row in _masses(formed)], faults)
    return [replace(problem, level="warning") for problem in faults.problems]


def _masses(formed: inventory.Inventory) -> list[dict[str, Any]]:
    """Return what the rows of activity data come to, by category, region, scope, gas and activity."""
    return [
        {
            "category": str(row["category"]),
            "scope": int(row["scope"]),
            "region": str(row["region"]),
            "gas": str(row["gas"]) if row["gas"] in ("CO2", "CO2e") else f"{row['gas']} as CO2e",
            "activity": str(row["activity"]),
            "ids": str(row["ids"]),
            "grams": int(row["grams_co2e"]),
            "exact": row["exact_co2e"],
        }
        for row in inventory.by_region(formed).to_dict("records")
    ]


def _rows(formed: inventory.Inventory, case: Case) -> tuple[dict[str, object], ...]:
    """Return the totals as rows of a table of totals, gases, scopes and activities apart."""
    return tuple(
        {
            **row,
            "year": formed.year or case.year,
            "source": f"activity data {formed.data.file}, {formed.gwp}",
            "row": number,
        }
        for number, row in enumerate(_masses(formed), start=1)
    )


def _intervals(formed: inventory.Inventory, drawn: xr.DataArray) -> pd.DataFrame:
    """Return the 95 % interval of each category by both approaches, t CO2e."""
    first, second = inventory.approach_1(formed), inventory.approach_2(formed, drawn=drawn)
    ends = ["low_t", "high_t"]
    wide = first[["category", "co2e_t", *ends]].merge(
        second[["category", *ends]], on="category", suffixes=("_1", "_2")
    )
    return wide.rename(columns={f"{end}_{n}": f"{end[:-2]}_{n}_t" for end in ends for n in (1, 2)})


def _notes(formed: inventory.Inventory, intervals: pd.DataFrame, case: Case) -> list[Problem]:
    file = formed.data.file
    year = formed.year or case.year
    said = [
        Problem(
            f"GWP set {formed.gwp}, 100 years; sinks by the set {formed.sinks.name} (D26 and D27)",
            file,
            "",
            "note",
        )
    ]
    said += formed.sinks.problems(file)
    compared = inventory.compare_sinks(formed).to_dict("records")
    if compared:
        by_set = "; ".join(f"{row['set']} {row['net_t']:,.0f} t" for row in compared)
        said.append(Problem(f"sinks less the methane of water, by set: {by_set}", file, "", "note"))
    if year != case.year:
        said.append(
            Problem(
                f"the activity data are of {year}, the case is of {case.year}", file, "", "warning"
            )
        )
    for row in intervals.to_dict("records"):
        what = (
            f"{row['category']}: {row['co2e_t']:,.0f} t CO2e, 95 % interval {row['low_2_t']:,.0f} to {row['high_2_t']:,.0f} t "
            f"({DRAWS:,} draws, seed {SEED}), {row['low_1_t']:,.0f} to {row['high_1_t']:,.0f} t by error propagation"
        )
        said.append(Problem(what, file, "", "note"))
    return said + inventory.notes_on_bounds(formed)
