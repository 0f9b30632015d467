"""Whether totals of regions and of the whole agree with each other (D8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from carbongrid.case.readers.tables import Faults
from carbongrid.errors import Problem
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.method.tonnes import format_tonnes

LEFT_OVER = 100
"""Regions that cover every unit may leave one part in this many of their whole, for rounding."""

Row = Mapping[Any, Any]
"""One total: category, region, grams, place, row."""


def whole_masses(rows: Iterable[Row]) -> dict[str, int]:
    """Return the grams of each category: of its whole where it has one, else of its regions."""
    wholes: dict[str, int] = {}
    regions: dict[str, int] = {}
    for total in rows:
        masses = regions if total["region"] else wholes
        masses[total["category"]] = masses.get(total["category"], 0) + total["grams"]
    return {**regions, **wholes}


def check_regions(
    rows: list[dict[str, Any]],
    ancestors: Mapping[str, Collection[str]],
    faults: Faults,
    notes: list[Problem] | None = None,
) -> None:
    """Add an error for each category whose regions contradict its whole or each other.

    Parameters
    ----------
    rows
        Totals; what is here and what is elsewhere are held apart.
    ancestors
        For each code of a unit or of a parent, the codes of the higher levels that hold it.
    faults
        Of the table of totals.
    notes
        A warning is appended where regions cover every unit and leave a little.
    """
    if sum(total["grams"] for total in rows) > INT64_MAX:
        faults.add(
            "the totals add up to more than can be counted exactly (9.2e12 t)", "Check the units."
        )
    accounts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for total in rows:
        accounts.setdefault((total["category"], total["place"]), []).append(total)
    for (category, place), totals in accounts.items():
        name = repr(category) if place == "here" else f"{category!r} ({place})"
        regional: dict[str, int] = {}
        for total in totals:
            if total["region"]:
                regional[total["region"]] = regional.get(total["region"], 0) + total["grams"]
        wholes = [total["grams"] for total in totals if not total["region"]]
        _check_nested(name, regional, ancestors, faults)
        if wholes and regional:
            units = ancestors if place == "here" else {}  # what is elsewhere need not add up
            _check_sum(name, wholes[0], regional, units, faults, notes)


def _check_nested(
    name: str, regional: Mapping[str, int], ancestors: Mapping[str, Collection[str]], faults: Faults
) -> None:
    for region, mass in regional.items():
        for holder in sorted(set(ancestors.get(region, ())) & set(regional) - {region}):
            faults.add(
                f"{name} is given for {holder!r} ({_tonnes(regional[holder])}) and for {region!r} in it "
                f"({_tonnes(mass)})",
                "Give one level of regions for a category.",
            )


def _check_sum(
    name: str,
    whole: int,
    regional: Mapping[str, int],
    ancestors: Mapping[str, Collection[str]],
    faults: Faults,
    notes: list[Problem] | None,
) -> None:
    added = sum(regional.values())
    listed = ", ".join(f"{region} {_tonnes(mass)}" for region, mass in list(regional.items())[:10])
    more = ", ..." if len(regional) > 10 else ""
    if added > whole:
        faults.add(
            f"{name}: the regions ({listed}{more}) add up to {_tonnes(added)}, more than the whole's "
            f"{_tonnes(whole)}",
            "Correct the row without a region, or those with one.",
        )
    elif added < whole and _cover_all(regional, ancestors):
        rest = whole - added
        what = (
            f"{name}: the regions ({listed}{more}) cover every unit and add up to {_tonnes(added)}, less than "
            f"the whole's {_tonnes(whole)}"
        )
        if rest * LEFT_OVER > whole:
            hint = "Correct one of them, or give the rest with place = elsewhere."
            faults.add(what, hint)
        elif notes is not None:
            hint = f"The remaining {_tonnes(rest)} go to land in no unit."
            notes.append(Problem(what, faults.file, hint, "warning"))


def _cover_all(regional: Mapping[str, int], ancestors: Mapping[str, Collection[str]]) -> bool:
    """Whether every unit, a code that holds no other, is a region or lies in one."""
    holders = {holder for code, above in ancestors.items() for holder in above if holder != code}
    units = [code for code in ancestors if code not in holders]
    return bool(units) and all(
        unit in regional or any(holder in regional for holder in ancestors[unit]) for unit in units
    )


def _tonnes(mass: int) -> str:
    return f"{format_tonnes([mass])[0]} t"
