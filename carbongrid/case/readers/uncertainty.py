"""Reads how uncertain a case says that its numbers are: its own table, and a column of the tables of figures."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from carbongrid.case.models import Case
from carbongrid.case.readers.declared import Row, read_declared, rows_declared
from carbongrid.case.readers.regional import INDUSTRIES, read_old_codes
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import (
    ELSEWHERE,
    FACILITIES,
    GDP,
    GDP_BY_INDUSTRY,
    TOTALS,
    UNCERTAINTY,
    TableFormat,
)
from carbongrid.errors import Problem
from carbongrid.inventory.percents import percent_problems
from carbongrid.method.weights import sink_coefficients

Told = dict[str, list[dict[str, Any]]]
"""Rows by table, as a run's manifest has them."""


_NUMBERS = {"weights": ("sigma", "tau")}
"""Columns that count in rows of a source; in all others ``percent`` alone."""

_RULES = ("area", "pois", "people", "roads")
_RULES_OF = ("lines:", "field:", "raster:")


def read_uncertainty(
    case: Case,
    codes: Collection[str] | None = None,
    categories: Collection[str] | None = None,
    *,
    notes: list[Problem] | None = None,
) -> Told:
    """Return what a case says of the uncertainty of its numbers.

    Parameters
    ----------
    case
        Its tables of figures were read before, so that their other cells are right.
    codes
        Codes of today, for those of merged units.
    categories
        Those that the case knows; which a row is for is not checked if None.
    notes
        A warning is appended for each column of the case's own table that is not read and looks like one that is missing, and for half-widths that may be parts of 1.

    Returns
    -------
    dict
        rules: rows of the case's own table; totals (category, region, percent), facilities (category, name, percent), gdp (region, percent): cells of
        the column ``uncertainty`` that are filled, those of merged units as one. Without any it is empty.

    Raises
    ------
    InputError
        With every wrong cell.
    """
    told: Told = {}
    if case.uncertainty is not None and case.uncertainty.path is not None:
        path = case.resolve(case.uncertainty.path)
        table = read_declared(path, UNCERTAINTY, encoding=case.uncertainty.encoding)
        rows, faults = rows_declared(table, UNCERTAINTY, path.name, notes=notes)
        for row in rows:
            _check_rule(row, set(table.columns), faults)
            if categories is not None:
                _check_whom(row, case, {*categories}, faults)
        faults.raise_any()
        if notes is not None:
            notes += _doubts(rows, "percent", path.name)
        told["rules"] = [_rule(row.values) for row in rows]
    old = read_old_codes(case, codes)
    sections: dict[str, tuple[Any, TableFormat]] = {
        "totals": (case.totals, TOTALS),
        "facilities": (case.facilities, FACILITIES),
    }
    if case.gdp is not None:
        sections["gdp"] = (case.gdp, GDP)
    for name, (section, form) in sections.items():
        if section is None:
            continue
        path = case.resolve(section.path)
        table = read_declared(path, form, encoding=section.encoding)
        if "uncertainty" not in table.columns:
            continue
        if name == "gdp" and section.by != "unit" and {*INDUSTRIES} & {*table.columns}:
            form = GDP_BY_INDUSTRY
        rows, faults = rows_declared(table, form, path.name)
        faults.raise_any()
        kept = [row for row in rows if row.cells.get("place", "").lower() != ELSEWHERE]
        if notes is not None:
            notes += _doubts(kept, "uncertainty", path.name)
        # The value beside the three industries is the same money again.
        counted = INDUSTRIES if form is GDP_BY_INDUSTRY else ("value",)
        told[name] = _as_one(name, kept, old, counted, faults)
        faults.raise_any()
    return {name: rows for name, rows in told.items() if rows}


def _doubts(rows: Sequence[Row], column: str, where: str) -> list[Problem]:
    """Return what is said of half-widths that may be parts of 1."""
    told = ((f"row {row.number}", float(row.values[column] or 0)) for row in rows)
    return percent_problems(told, column, where)


def _as_one(
    table: str,
    rows: Sequence[Row],
    old: Mapping[str, str],
    counted: Collection[str],
    faults: Faults,
) -> list[dict[str, Any]]:
    """Return a row for each figure, which is the sum of the columns that are counted; figures of merged units are independent, so the squares of their half-widths add up."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(_of(table, row.cells, old).values()), []).append(row)
    found = []
    for same in groups.values():
        told = [row for row in same if row.values["uncertainty"] is not None]
        if not told:
            continue
        if len(told) < len(same):
            what = f"{same[0].cells['region']!r} and {len(same) - 1} more are one unit today, and not all say how uncertain they are"
            hint = "Give the uncertainty of all of them, or of none."
            faults.add(what, hint, row=told[0].number, column="uncertainty")
            continue
        percents = [float(row.values["uncertainty"]) for row in same]
        if len(same) > 1:
            amounts = [sum(float(row.values[name] or 0) for name in counted) for row in same]
            widths = [each * amount for each, amount in zip(percents, amounts, strict=True)]
            percents = [math.hypot(*widths) / sum(amounts) if sum(amounts) else max(percents)]
        found.append({**_of(table, same[0].cells, old), "percent": percents[0]})
    return found


def _check_rule(row: Row, columns: Collection[str], faults: Faults) -> None:
    """Add an error for a number that its source does not take, and where the table has no column for those that it takes."""
    source = row.values["source"]
    if source is None:
        return
    own = _NUMBERS.get(source, ("percent",))
    for name in ("percent", "sigma", "tau"):
        if row.values[name] is not None and name not in own:
            what = f"a row of {source} has no {name}, and would be exact without {' or '.join(own)}"
            faults.add(what, f"Write it as {' and '.join(own)}.", row=row.number, column=name)
    if not any(name in columns for name in own):
        what = f"the table has no column {' or '.join(own)}, so that this row would make {source} exact"
        faults.add(what, f"Add {' and '.join(own)}; 0 is exact.", row=row.number)


def _check_whom(row: Row, case: Case, categories: set[str], faults: Faults) -> None:
    """Add an error for a row that is for nothing there is."""
    source, of = row.values["source"], row.values["of"]
    if source is None or of is None:
        return
    known = _known_to(source, case, categories)
    named = of.startswith(_RULES_OF) if source == "weights" else False
    if not named and not any(fnmatchcase(name, of) for name in known):
        what = (
            f"{of!r} is for none of what {source} are drawn for, so the row would count for nothing"
        )
        faults.add(what, UNCERTAINTY.column("of").meaning, row=row.number, column="of")


def _known_to(source: str, case: Case, categories: set[str]) -> set[str]:
    if source == "gdp":
        return {"unit", *case.units.parents}
    if source == "sinks":
        return {*sink_coefficients(), *categories}
    return categories | ({*_RULES, *_RULES_OF} if source == "weights" else set())


def _of(table: str, cells: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    region = old.get(cells.get("region", ""), cells.get("region", ""))
    if table == "gdp":
        return {"region": region}
    if table == "facilities":
        return {"category": cells["category"], "name": cells["name"]}
    return {"category": cells["category"], "region": region}


def _rule(values: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: float(values[name] or 0) for name in ("percent", "sigma", "tau")}
    texts = {name: values[name] or "" for name in ("source", "of", "group", "origin")}
    return {**texts, **numbers, "basis": values["basis"] or "assumed"}
