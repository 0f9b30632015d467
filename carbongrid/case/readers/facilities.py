"""Reads the emitters that are known by name, and by coordinates where they have them (D9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from pydantic_core import PydanticCustomError
from pyproj import CRS

from carbongrid.case.models import Case
from carbongrid.case.readers.coordinates import SHIFTED, project_points
from carbongrid.case.readers.declared import Row, read_declared, rows_declared
from carbongrid.case.readers.facility_masses import (
    Amount,
    amount_of,
    doubts_of_shares,
    grams_of,
)
from carbongrid.case.readers.located import place_problems
from carbongrid.case.readers.masses import notes_on_faint
from carbongrid.case.readers.regions import left_by_regions, masses_here
from carbongrid.case.readers.tables import Faults, records
from carbongrid.case.table_formats import FACILITIES
from carbongrid.case.values import crs_of_points
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.electricity import is_supply
from carbongrid.inventory.units_of_measure import gas_of
from carbongrid.method.agreement import FAR_IN_SIZE, far_in_size
from carbongrid.method.categories import Category
from carbongrid.method.evidence import in_words
from carbongrid.method.gas import CO2, CO2E, gases_by_category
from carbongrid.method.tonnes import readable_tonnes
from carbongrid.raster.opening.crs import crs_of

_SHOWN = 5

COLUMNS = ("name", "category", "way", "grams", "x", "y", "crs", "place_uncertainty", "part", "part_unit", "remainder")  # fmt: skip


def read_facilities(
    case: Case,
    categories: Mapping[str, Category] | None,
    totals: pd.DataFrame | None,
    *,
    notes: list[Problem] | None = None,
) -> pd.DataFrame:
    """Return the facilities that have a place in what is to be spread.

    Parameters
    ----------
    case
        Without [facilities] the table is empty.
    categories
        Those that a facility may name; not checked if None.
    totals
        Of :func:`carbongrid.case.readers.totals.read_totals`; not compared with if None.
    notes
        A note is appended on facilities without coordinates, on those of a category whose total
        lies elsewhere, which are left out, on those that agree in all but their names, and on shares that may be parts of 1.

    Returns
    -------
    DataFrame
        name, category, way (value, share or capacity: how its mass was given), grams (int64), x, y (float64, NaN where unknown), crs (as
        written), place_uncertainty (m, float64, NaN where nothing is said of it), part (share in percent, or capacity, as a fraction in
        text), part_unit (of the capacity) and remainder (of a value, what its mass is more than its grams, or less, as a fraction in text), sorted by category, name, x and y.

    Raises
    ------
    InputError
        With every wrong cell, a facility of a category without total, facilities with
        coordinates above their category's total, and what :func:`carbongrid.case.readers.facility_masses.grams_of` refuses.
    """
    notes = [] if notes is None else notes
    if case.facilities is None:
        return _table([])
    path = case.resolve(case.facilities.path)
    table = read_declared(path, FACILITIES, encoding=case.facilities.encoding)
    read, faults = rows_declared(table, FACILITIES, path.name, {"category": categories}, notes)
    rows = [facility for row in read if (facility := _facility(row, faults)) is not None]
    faults.once(
        ((row["row"], f"{row['name']!r} ({row['category']})") for row in rows), "the facility"
    )
    away: set[str] = set()
    if totals is not None:
        here = masses_here(totals)
        for name in _plants_set_aside(case, categories, totals):
            here.pop(name, None)
        away = set(totals["category"]) - set(here)
        masses = grams_of([row["amount"] for row in rows], here, faults)
        rows = [{**row, "grams": grams} for row, grams in zip(rows, masses, strict=True)]
        _check_totals(rows, here, away, faults)
        notes += doubts_of_shares([row["amount"] for row in rows], here, path.name)
        if categories is not None:
            apart = left_by_regions(totals, ("category", "place"))
            gases = gases_by_category(apart, categories.values(), formed=case.inventory is not None)
            notes += _notes_on_gases(rows, gases, path.name)
    faults.raise_any()
    with_value = ((row.number, row.cells) for row in read if row.cells["value"])
    notes += notes_on_faint(with_value, path.name)
    notes += _notes(rows, away, path.name) + _notes_on_copies(rows, path.name)
    notes += _notes_on_sizes(rows, path.name)
    return _table([facility for facility in rows if facility["category"] not in away])


def under_totals(facilities: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Return facilities with the grams that they have under other totals: shares and capacities follow those of their category.

    Parameters
    ----------
    facilities
        Of :func:`read_facilities`, or some of them.
    totals
        Of the same categories.

    Raises
    ------
    InputError
        For facilities above their category's total, and what :func:`carbongrid.case.readers.facility_masses.grams_of` refuses.
    """
    here = masses_here(totals)
    faults, amounts = Faults("facilities"), []
    rows = records(facilities, facilities.columns)
    for row in rows:
        mass = exact_mass(row) if row["way"] == "value" else Fraction(0)
        told = row["name"], row["category"], None, row["way"]
        amounts.append(Amount(*told, mass, Fraction(row["part"]), row["part_unit"]))
    masses = grams_of(amounts, here, faults)
    changed = [
        {**row, "grams": grams, "row": None} for row, grams in zip(rows, masses, strict=True)
    ]
    _check_totals(changed, here, set(), faults)
    faults.raise_any()
    return with_grams(facilities, masses)


def exact_mass(row: Mapping[Any, Any]) -> Fraction:
    """Return the grams of a facility given by value before they were rounded."""
    return int(row["grams"]) + Fraction(row["remainder"])


def with_grams(facilities: pd.DataFrame, masses: Sequence[int]) -> pd.DataFrame:
    """Return facilities of the same masses in other whole grams; those by share and capacity have just these."""
    rows = records(facilities, ("way", "grams", "remainder"))
    remainders = [
        str(exact_mass(row) - grams if row["way"] == "value" else 0)
        for row, grams in zip(rows, masses, strict=True)
    ]
    return facilities.assign(
        grams=pd.Series(masses, facilities.index, dtype="int64"),
        remainder=pd.Series(remainders, facilities.index, dtype="str"),
    )


def _plants_set_aside(
    case: Case, categories: Mapping[str, Category] | None, totals: pd.DataFrame
) -> set[str]:
    """Return the categories of supply whose own emission is set aside, though what they buy is spread: a plant goes with the former.

    Of a table of totals a category is set aside whole.
    """
    if case.inventory is None or case.electricity not in ("use", "consumption"):
        return set()
    aside = set(totals.loc[totals["place"] == "elsewhere", "category"])
    return {name for name in aside if categories and is_supply(categories[name])}


def project_facilities(facilities: pd.DataFrame, crs: CRS, where: str) -> pd.DataFrame:
    """Return facilities with x and y in another CRS, NaN where they have none.

    Parameters
    ----------
    facilities
        Of :func:`read_facilities`.
    crs
        The grid's CRS.
    where
        Their file, for messages.

    Raises
    ------
    InputError
        For each facility whose coordinates cannot be in the CRS it names, or cannot be brought to the grid's.
    """
    problems: list[Problem] = []
    moved = facilities[["x", "y"]].to_numpy(np.float64, copy=True)
    for row in np.flatnonzero(~np.isnan(moved).any(axis=1)):
        name, source = repr(facilities["name"].iloc[row]), str(facilities["crs"].iloc[row])
        system = source if source in SHIFTED else crs_of(source)
        place, names = f"{where}, facility {name}", np.array([name], dtype=object)
        x, y = moved[row, :1], moved[row, 1:]
        found = place_problems(x, y, names, system, place)
        if not found:
            moved[row] = np.ravel(project_points(x, y, system, crs))
            if not np.isfinite(moved[row]).all():
                what = f"it lies too far away for the grid's plane ({crs.name})"
                found = [Problem(what, place, "Check x, y and crs.")]
        problems += found
    if problems:
        raise InputError(problems)
    return facilities.assign(x=moved[:, 0], y=moved[:, 1])


def _facility(row: Row, faults: Faults) -> dict[str, Any] | None:
    """Return a facility; None, with errors added, if its place is half known or a cell is wrong."""
    before, cells = len(faults.problems), row.cells
    if bool(cells["x"]) != bool(cells["y"]):
        faults.add(
            "one coordinate is blank, the other is not", "Give both or none.", row=row.number
        )
    if cells["x"] and cells["y"]:
        _check_crs(cells["crs"], row.number, faults)
    elif cells["place_uncertainty_m"]:
        what = f"the place of {cells['name']!r} is uncertain by {cells['place_uncertainty_m']} m, and it has none"
        hint = "Give x, y and crs, or leave the uncertainty blank."
        faults.add(what, hint, row=row.number, column="place_uncertainty_m")
    amount = amount_of(row, faults)
    if amount is None or not row.right or len(faults.problems) > before:
        return None
    x, y, reach = (
        float("nan" if row.values[name] is None else row.values[name])
        for name in ("x", "y", "place_uncertainty_m")
    )
    found = {"name": cells["name"], "category": cells["category"], "way": amount.way}
    found["gas"] = gas_of(cells["unit"]) if amount.way == "value" else ""
    place = {"x": x, "y": y, "crs": cells["crs"], "place_uncertainty": reach}
    return {**found, **place, "grams": round(amount.grams), "amount": amount, "row": row.number}


def _check_crs(text: str, row: object, faults: Faults) -> None:
    if not text:
        hint = "Write gcj02, bd09 or a code such as EPSG:4490; there is no default."
        faults.add("the crs of the coordinates is blank", hint, row=row, column="crs")
        return
    try:
        crs_of_points(text)
    except PydanticCustomError as error:
        context = error.context or {}
        faults.add(context["message"], context["hint"], row=row, column="crs")


def _check_totals(
    rows: list[dict[str, Any]], here: Mapping[str, int], away: set[str], faults: Faults
) -> None:
    masses: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for facility in rows:
        name = facility["category"]
        if name not in here and name not in away:
            what = f"{facility['name']!r} is of {name!r}, which has no total"
            faults.add(
                what, "Add its total, or take it out.", row=facility["row"], column="category"
            )
        elif facility["crs"] and facility["x"] == facility["x"]:
            masses[name] = masses.get(name, 0) + facility["grams"]
            names.setdefault(name, []).append(facility["name"])
    for name, mass in masses.items():
        if name in here and mass > here[name]:
            some = listed(names[name], more=", ...")
            added, total = map(readable_tonnes, (mass, here[name]))
            what = f"the facilities of {name!r} ({some}) add up to {added} t, more than its total of {total} t"
            faults.add(what, "Correct the total or the facilities.")


def _notes(rows: list[dict[str, Any]], away: set[str], file: str) -> list[Problem]:
    notes = []
    out = [facility for facility in rows if facility["category"] in away]
    lost = [facility for facility in rows if facility["x"] != facility["x"] and facility not in out]
    if out:
        what = f"{_listed(out)}: their category's total lies elsewhere, and so do they"
        notes.append(Problem(what, file, "", "note"))
    if lost:
        what = f"{_listed(lost)}: without coordinates, so their mass stays in the category's total"
        notes.append(Problem(what, file, "Add x, y and crs to place them.", "warning"))
    return notes


def _notes_on_gases(
    rows: list[dict[str, Any]], gases: Mapping[str, Collection[str]], file: str
) -> list[Problem]:
    """Return a warning of facilities in CO2e whose category's total is of CO2 alone; one in CO2 is a part of CO2e, where it gives off nothing else all of it."""
    more = [row for row in rows if row["gas"] == CO2E and row["grams"] and set(gases.get(row["category"], ())) == {CO2}]  # fmt: skip
    if not more:
        return []
    what = f"{_listed(more)}: given in CO2e, within totals of CO2 alone"
    hint = "Give the CO2 of each, or the total in CO2e. What gives off no other gas may be called CO2: it is as much."
    return [Problem(what, file, hint, "warning")]


def _notes_on_copies(rows: list[dict[str, Any]], file: str) -> list[Problem]:
    """Return a warning of facilities that may be one under several names, and one of those that may be counted in two categories; of capacities, works have several units that are alike."""
    alike: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    elsewhere: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
    for row in rows:
        if not row["grams"] or row["way"] == "capacity":
            continue
        # Of two values that are alike, rounding may give one a gram more.
        mass = round(row["amount"].grams) or row["grams"]
        place = (row["crs"], row["x"], row["y"]) if row["x"] == row["x"] else ()
        if place:
            alike.setdefault((row["category"], *place, mass), []).append(row)
        # A share of another total is another mass.
        if row["way"] == "value":
            for same in filter(None, (row["name"].casefold(), place)):
                elsewhere.setdefault((same, mass), {})[row["row"]] = row
    notes = []
    if told := [_copies(same) for same in alike.values() if len(same) > 1]:
        what = f"facilities that agree in category, place and mass count each: {listed(told)}"
        hint = "If they are one works under several names, leave one of each."
        notes.append(Problem(what, file, hint, "warning"))
    twice = {tuple(same): list(same.values()) for same in elsewhere.values()}
    if told := [_copies(same) for same in twice.values() if len({row["category"] for row in same}) > 1 and _may_be_one(same)]:  # fmt: skip
        what = f"facilities that agree in mass, and in name or place, count in several categories: {listed(told)}"
        hint = "If they are one works, leave it in the category that it is part of."
        notes.append(Problem(what, file, hint, "warning"))
    return notes


def _may_be_one(same: list[dict[str, Any]]) -> bool:
    """Return whether no two of them have places of their own, as boilers at two places do."""
    return len({(row["crs"], row["x"], row["y"]) for row in same if row["x"] == row["x"]}) < 2


def _copies(same: list[dict[str, Any]]) -> str:
    few = same[:_SHOWN]
    names = " and ".join(repr(row["name"]) for row in few)
    categories = listed(dict.fromkeys(row["category"] for row in same), _SHOWN)
    numbers = listed((str(row["row"]) for row in same), _SHOWN)
    return f"{names} ({categories}, {readable_tonnes(same[0]['grams'])} t each, rows {numbers})"


def _notes_on_sizes(rows: list[dict[str, Any]], file: str) -> list[Problem]:
    """Return a note on facilities far smaller or larger than the others of their category, as one in kt among those in t."""
    sizes: dict[tuple[str, str], dict[int, float]] = {}
    for number, row in enumerate(rows):
        amount = row["amount"]
        size = amount.grams if amount.way == "value" else amount.part
        if size > 0:
            sizes.setdefault((row["category"], amount.way), {})[number] = float(size)
    told = []
    for (category, _), found in sizes.items():
        for number, times in far_in_size(found).items():
            told.append(f"{rows[number]['name']!r} ({category}, {in_words(times)} times)")
    if not told:
        return []
    what = f"facilities are more than {FAR_IN_SIZE:,} times the median of their category's, or less than one part in {FAR_IN_SIZE:,}, and none lies between: {listed(told, _SHOWN)}"
    return [Problem(what, file, "Check their units, as t for kt.", "note")]


def _listed(rows: list[dict[str, Any]]) -> str:
    some = listed((facility["name"] for facility in rows), more=", ...")
    return f"1 facility ({some})" if len(rows) == 1 else f"{len(rows)} facilities ({some})"


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    rows = sorted(rows, key=lambda row: (row["category"], row["name"], row["x"], row["y"]))
    text = {
        name: pd.Series([row[name] for row in rows], dtype="str")
        for name in ("name", "category", "way", "crs")
    }
    numbers = {
        name: pd.Series([row[name] for row in rows], dtype="float64")
        for name in ("x", "y", "place_uncertainty")
    }
    masses = pd.Series([row["grams"] for row in rows], dtype="int64")
    parts = pd.Series([str(row["amount"].part) for row in rows], dtype="str")
    of_parts = pd.Series([row["amount"].unit for row in rows], dtype="str")
    # A share has no mass of its own: what it comes to is in whole grams.
    exact = [row["amount"].grams if row["way"] == "value" else row["grams"] for row in rows]
    left = [str(Fraction(mass) - row["grams"]) for row, mass in zip(rows, exact, strict=True)]
    columns = {**text, **numbers, "grams": masses, "part": parts, "part_unit": of_parts, "remainder": pd.Series(left, dtype="str")}  # fmt: skip
    return pd.DataFrame({name: columns[name] for name in COLUMNS})
