"""Reads the totals of a case per category and region."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd

from carbongrid.case.models import Case
from carbongrid.case.readers.declared import Row, read_declared, rows_declared
from carbongrid.case.readers.electricity_counted import scopes_with_mass
from carbongrid.case.readers.formed_totals import Formed
from carbongrid.case.readers.masses import notes_on_faint
from carbongrid.case.readers.region_columns import refuse_regions_unread
from carbongrid.case.readers.regional import notes_on_old_codes, notes_on_years, read_old_codes
from carbongrid.case.readers.regions import (
    check_activities,
    check_regions,
    fit_to_whole,
    left_by_regions,
    notes_on_sizes,
    whole_masses,
)
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import ELSEWHERE, HERE, TOTALS
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.electricity import rows_set_aside, set_aside
from carbongrid.inventory.units_of_measure import exact_grams, gas_of
from carbongrid.method.categories import Category
from carbongrid.method.gas import CO2, CO2E, emissions_by_gas
from carbongrid.method.tonnes import readable_tonnes

_SINK_LAND = "sink/land"

TOTALS_COLUMNS = ("category", "region", "grams", "place", "gas", "year", "source", "basis", "row", "remainder")  # fmt: skip


def read_totals(
    case: Case,
    categories: Mapping[str, Category] | None,
    *,
    codes: Collection[str] | None = None,
    ancestors: Mapping[str, Collection[str]] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
    notes: list[Problem] | None = None,
) -> pd.DataFrame:
    """Return the totals of a case, the rule of D24 applied.

    Parameters
    ----------
    case
        With [totals].
    categories
        Those that a total may name; not checked, and nothing set aside, if None.
    codes
        Codes that a region may have: those of the units and of their parents. Not checked if None.
    ancestors
        For a code, the codes of the higher levels that hold it; a category given for a district and for a
        township in it is refused.
    names
        Codes by name (:func:`carbongrid.case.readers.region_columns.codes_by_name`): a column of them that is not read is refused.
    notes
        Warnings and notes are appended to it.

    Returns
    -------
    DataFrame
        category, region ("" is the whole), grams (int64), place (here, elsewhere), gas (CO2, CO2e), year
        (int64), source, basis (guess, or blank), row (in the file), remainder (what its mass is more than its grams, or less, as a fraction in text), sorted by category, region and place. Rows as written: a whole
        includes what its regions have.

    Raises
    ------
    InputError
        With every wrong cell, repeated key, and regions that contradict their whole (D8).
    """
    notes = [] if notes is None else notes
    if case.totals is None:
        raise InputError(
            "the case has activity data, no table of totals",
            case.path.name,
            "Form its totals first.",
        )
    if case.electricity == "consumption":
        raise InputError(
            "a balance of electricity counts kWh, of which a table of totals says nothing",
            f"{case.path.name}, electricity",
            "Give activity data, [inventory], with rows electricity/generated; or choose supply, use or both.",
        )
    path = case.resolve(case.totals.path)
    table = read_declared(path, TOTALS, encoding=case.totals.encoding)
    _refuse_others(table, path.name)
    for name in ("place", "basis"):
        if name in table.columns:
            table[name] = table[name].str.lower()
    old_codes = read_old_codes(case, codes)
    known = None if codes is None else {*codes, *old_codes}
    refuse_regions_unread(
        table,
        TOTALS.names(),
        path.name,
        codes=known or (),
        ancestors=ancestors or {},
        names=names or {},
        own=(case.units.id, *case.units.parents),
        notes=notes,
    )
    read, faults = rows_declared(
        table, TOTALS, path.name, {"category": categories, "region": known}, notes, names
    )
    if table.empty:
        faults.add("there are no totals", "Write one row per category.")
    rows = [_total(row, case.year, categories) for row in read if row.right]
    years = {total["row"]: total["year"] for total in rows}
    faults.once(((total["row"], _key_text(total)) for total in rows), "the total of", years)
    faults.raise_any()
    parts = [
        (total["row"], total["region"], f"{total['category']}{'' if total['place'] == HERE else ' ' + total['place']}")
        for total in rows
    ]  # fmt: skip
    merged = list(notes_on_old_codes(parts, old_codes, path.name))
    for total in rows:
        total["region"] = old_codes.get(total["region"], total["region"])
    fit_to_whole(rows)
    for total in rows:
        total["remainder"] = total["exact"] - total["grams"]
    check_regions(rows, ancestors or {}, faults, notes)
    faults.raise_any()
    if categories is not None:
        unsaid = {row.number for row in read if not row.cells["place"]}
        away = [total for total in rows if total["row"] in unsaid and total["place"] == ELSEWHERE]
        notes += _notes_on_scope_3(away, path.name, "Where they are emitted here, write 'here' in the column place.")  # fmt: skip
        _apply_electricity(rows, categories, case, notes)
        notes += _notes_on_sinks(rows, categories, path.name)
        notes += notes_on_gases(_table(rows), categories, path.name)
    notes += notes_on_sizes(rows, path.name)
    notes += notes_on_faint(((row.number, row.cells) for row in read), path.name)
    notes += notes_on_years([(total["row"], total["year"]) for total in rows], case.year, path.name)
    notes += merged
    return _table(rows)


def totals_of_rows(
    case: Case,
    categories: Mapping[str, Category],
    formed: Formed,
    notes: list[Problem] | None = None,
    *,
    ancestors: Mapping[str, Collection[str]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the totals that were formed of activity data, D24 applied row by row (docs/decisions/0016).

    Parameters
    ----------
    case
        With [inventory].
    categories
        Those that the rows name.
    formed
        What was formed.
    notes
        Warnings and notes are appended to it.
    ancestors
        As for :func:`read_totals`.

    Returns
    -------
    tuple of DataFrame
        The totals as :func:`read_totals` returns them, gases added up; and the same mass with its gases apart, in rows that add up: of a whole
        with regions, what the regions leave.

    Raises
    ------
    InputError
        If electricity is counted where it is made and where it is used, and the case does not choose; if regions contradict their whole
        or each other (D8), or have other activities than it.
    """
    notes = [] if notes is None else notes
    rows = [dict(row) for row in formed.rows_by(case.electricity)]
    scopes = scopes_with_mass(formed, case)
    aside = rows_set_aside(scopes, categories, case.electricity, case.path.name)
    for row in rows:
        away = (row["category"], row["scope"]) in aside or categories[row["category"]].scope == 3
        row["place"] = ELSEWHERE if away else HERE
    for name, scope in sorted(aside):
        mass = whole_masses(
            row for row in rows if (row["category"], row["scope"]) == (name, scope)
        )[name]
        notes.append(_aside_note(case, f"sets scope {scope} of {name}", mass))
    if case.electricity == "both" and rows_set_aside(scopes, categories, "use"):
        notes.append(_both_note(case))
    abroad = [row for row in rows if row["place"] == ELSEWHERE and (row["category"], row["scope"]) not in aside]  # fmt: skip
    notes += _notes_on_scope_3(abroad, formed.file, "Where they are emitted here, give the category scope 1 or 2 in the case.")  # fmt: skip
    notes += _notes_on_sinks(rows, categories, formed.file)
    totals = _table(rows)
    faults = Faults(formed.file)
    check_activities(rows, faults)
    faults.raise_any()
    check_regions(totals.to_dict("records"), ancestors or {}, faults, notes)
    faults.raise_any()
    keys = ["category", "region", "place", "gas", "year", "source"]
    apart = (
        pd.DataFrame(rows, columns=[*keys, "grams"]).groupby(keys, as_index=False)[["grams"]].sum()
    )
    return totals, left_by_regions(apart, ("category", "place", "gas"))


def _refuse_others(table: pd.DataFrame, file: str) -> None:
    """Refuse tables that are often given in the place of totals; they are told how to become some."""
    there = {str(name).lower() for name in table.columns}
    missing = set(TOTALS.names(required=True)) - there
    if missing and any(name.endswith("code") for name in there):
        what = (
            f"this is a table under codes, not of totals: it has no {' or '.join(sorted(missing))}"
        )
        hint = f"Form totals of it: carbongrid inventory {file} --system crt --totals NEW.csv (docs/inventory.md)."
        raise InputError(what, file, hint)
    if missing and {"mass_t", "co2e_t"} <= there:
        what = "this is what carbongrid inventory --out writes, a row for each gas, not a table of totals"
        hint = "Name the activity data themselves: [inventory] path instead of [totals]."
        raise InputError(what, file, hint)


def _total(row: Row, year: int, categories: Mapping[str, Category] | None) -> dict[str, Any]:
    name = row.cells["category"]
    abroad = categories is not None and categories[name].scope == 3
    return {
        "category": name,
        "region": row.cells["region"],
        "grams": row.values["value"],
        "exact": exact_grams(Decimal(row.cells["value"]), row.cells["unit"]),
        "place": row.cells["place"] or (ELSEWHERE if abroad else HERE),
        "gas": gas_of(row.cells["unit"]),
        "year": row.values["year"] or year,
        "source": row.cells["source"],
        "basis": row.cells["basis"],
        "row": row.number,
    }


def _key_text(total: Mapping[str, Any]) -> str:
    region = f" in region {total['region']!r}" if total["region"] else ""
    return f"{total['category']!r}{region} ({total['place']})"


def _apply_electricity(
    rows: list[dict[str, Any]],
    categories: Mapping[str, Category],
    case: Case,
    notes: list[Problem],
) -> None:
    present = {total["category"] for total in rows if total["place"] == HERE and total["grams"]}
    aside = set_aside(present, categories, case.electricity, case.path.name)
    for name in sorted(aside):
        mass = sum(
            whole_masses([t for t in rows if t["place"] == HERE and t["category"] == name]).values()
        )
        hint = "Give what of it is no electricity as a category of its own, with scope 1."
        notes.append(_aside_note(case, f"sets {name}", mass, hint))
    for total in rows:
        if total["category"] in aside:
            total["place"] = ELSEWHERE
    if case.electricity == "both" and set_aside(present, categories, "use"):
        notes.append(_both_note(case))


def _aside_note(case: Case, what: str, grams: int, hint: str = "") -> Problem:
    tonnes = readable_tonnes(grams)
    told = f"electricity = {case.electricity!r} {what} aside: its {tonnes} t are reported, never spread"
    return Problem(told, case.path.name, hint, "note")


def _both_note(case: Case) -> Problem:
    what = "electricity is counted where it is made and where it is used, as in the study"
    return Problem(what, case.path.name, "", "note")


def _notes_on_scope_3(rows: list[dict[str, Any]], file: str, hint: str) -> list[Problem]:
    """Return a note of each category that is elsewhere since it is of scope 3, which no row says."""
    return [
        Problem(
            f"{name} is of scope 3: its {readable_tonnes(mass)} t are reported, never spread",
            file,
            hint,
            "note",
        )
        for name, mass in sorted(whole_masses(rows).items())
        if mass
    ]


def _notes_on_sinks(
    rows: list[dict[str, Any]], categories: Mapping[str, Category], file: str
) -> list[Problem]:
    """Return a warning of sinks that take up something on the land of sink/land, beside it."""
    masses = whole_masses(total for total in rows if total["place"] == HERE and total["grams"])
    land = set(categories[_SINK_LAND].types) if _SINK_LAND in masses else set()
    parts = [
        name
        for name in sorted(set(masses) - {_SINK_LAND})
        if categories[name].sink and land.intersection(categories[name].types)
    ]
    if not parts:
        return []
    beside = ", ".join(f"{name} {readable_tonnes(masses[name])} t" for name in parts)
    what = (
        f"sink/land ({readable_tonnes(masses[_SINK_LAND])} t) stands beside {beside}, on land of the same types: "
        f"{readable_tonnes(sum(masses[name] for name in parts))} t may be counted twice"
    )
    return [Problem(what, file, "Give either, unless they do not overlap.", "warning")]


def notes_on_gases(
    totals: pd.DataFrame, categories: Mapping[str, Category], file: str
) -> list[Problem]:
    """Return a warning of emissions of CO2 alone beside others of CO2e: their sum is of neither.

    Parameters
    ----------
    totals, categories
        Totals as :func:`read_totals` returns them, and their categories.
    file
        Where they are from.
    """
    apart = left_by_regions(totals, ("category", "place"))
    masses = emissions_by_gas(apart, categories.values(), formed=False)
    told = {
        gas: listed(f"{name} {readable_tonnes(grams)} t" for (name, own), grams in sorted(masses.items()) if own == gas)
        for gas in (CO2, CO2E)
    }  # fmt: skip
    if not all(told.values()):
        return []
    what = f"emissions are of unlike gases, and added up: of CO2 alone {told[CO2]}; of CO2e {told[CO2E]}"
    hint = "Give all in CO2e, or all in CO2. What gives off no other gas may be called CO2e: it is as much."
    return [Problem(what, file, hint, "warning")]


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows as a table, those that became one key by merged units or places added up."""
    merged: dict[tuple[str, str, str], dict[str, Any]] = {}
    for total in sorted(rows, key=lambda total: (*_key(total), total["row"])):
        kept = merged.setdefault(_key(total), {"basis": "", **total, "grams": 0, "remainder": Fraction(0), "source": ""})  # fmt: skip
        kept["grams"] += total["grams"]
        kept["remainder"] += total.get("remainder", 0)  # activity data are added up in whole grams
        kept["basis"] = kept["basis"] or total.get("basis", "")
        kept["gas"] = total["gas"] if total["gas"] == kept["gas"] else "CO2e"
        if total["source"] and total["source"] not in kept["source"].split("; "):
            kept["source"] = "; ".join(filter(None, (kept["source"], total["source"])))
    table = pd.DataFrame(list(merged.values()), columns=list(TOTALS_COLUMNS))
    numbers = {"grams": "int64", "year": "int64", "row": "int64"}
    return table.assign(remainder=table["remainder"].map(str).astype("str")).astype(numbers)


def _key(total: Mapping[str, Any]) -> tuple[str, str, str]:
    return total["category"], total["region"], total["place"]
