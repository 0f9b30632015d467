"""Whether totals of regions and of the whole agree with each other (D8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from carbongrid.case.readers.rounding import fitted
from carbongrid.case.readers.tables import Faults, records
from carbongrid.case.table_formats import HERE
from carbongrid.errors import Problem, listed
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.method.agreement import FAR_IN_SIZE, far_in_size
from carbongrid.method.evidence import in_words
from carbongrid.method.tonnes import readable_tonnes

LEFT_OVER = 100
"""Regions that cover every unit may leave one part in this many of their whole, for rounding."""

_LISTED = 5

OF_TOTAL = ("category", "region", "grams", "place")

Row = Mapping[Any, Any]
"""One total: :data:`OF_TOTAL`, row."""


def left_by_regions(rows: pd.DataFrame, of: Sequence[str]) -> pd.DataFrame:
    """Return totals as rows that add up: of a whole with regions, what the regions leave.

    Parameters
    ----------
    rows
        region, grams (int64), and more.
    of
        Columns that say of what a row is the total.
    """
    of_region = rows["region"] != ""
    if not of_region.any():
        return rows
    in_regions = rows["grams"].where(of_region, 0)
    part = in_regions.groupby([rows[name] for name in of]).transform("sum")
    return rows.assign(grams=rows["grams"].where(of_region, rows["grams"] - part))


def whole_masses(rows: Iterable[Row]) -> dict[str, int]:
    """Return the grams of each category: of its whole where it has one, else of its regions."""
    wholes: dict[str, int] = {}
    regions: dict[str, int] = {}
    for total in rows:
        masses = regions if total["region"] else wholes
        masses[total["category"]] = masses.get(total["category"], 0) + total["grams"]
    return {**regions, **wholes}


def masses_here(totals: pd.DataFrame) -> dict[str, int]:
    """Return the grams of each category that are spread here, as :func:`whole_masses` does."""
    return whole_masses(row for row in records(totals, OF_TOTAL) if row["place"] == HERE)


def fit_to_whole(rows: Sequence[dict[Any, Any]]) -> None:
    """Take the grams off regions, or add them, by which rounding alone puts them above or below their whole (:func:`fitted`).

    Parameters
    ----------
    rows
        category, place, region, grams and exact (grams, a Fraction) of each total, in any order; grams are replaced.
    """
    accounts: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for total in rows:
        accounts.setdefault((total["category"], total["place"]), []).append(total)
    for totals in accounts.values():
        wholes = [total for total in totals if not total["region"]]
        parts = [total for total in totals if total["region"]]
        if wholes and parts:
            parts.sort(key=lambda part: (part["region"], part["exact"]))
            masses = fitted([part["exact"] for part in parts], wholes[0]["grams"])
            for part, grams in zip(parts, masses, strict=True):
                part["grams"] = grams


def check_regions(
    rows: Sequence[Row],
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
    notes = [] if notes is None else notes
    if sum(total["grams"] for total in rows) > INT64_MAX:
        faults.add(
            "the totals add up to more than can be counted exactly (9.2e12 t)", "Check the units."
        )
    accounts: dict[tuple[str, str], list[Row]] = {}
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


def notes_on_sizes(rows: Iterable[Row], file: str) -> list[Problem]:
    """Return a note on totals of regions that are far from those of all other regions of their category, as t among kt."""
    sizes: dict[tuple[str, str], dict[str, float]] = {}
    for total in rows:
        if total["region"] and total["grams"]:
            of = sizes.setdefault((total["category"], total["place"]), {})
            of[total["region"]] = of.get(total["region"], 0.0) + total["grams"]
    told = [
        f"{region} ({category}, {in_words(times)} times)"
        for (category, _), of in sizes.items()
        for region, times in far_in_size(of).items()
    ]
    if not told:
        return []
    what = f"totals of regions are more than {FAR_IN_SIZE:,} times the median of their category's, or less than one part in {FAR_IN_SIZE:,}, and none lies between: {listed(told, _LISTED)}"
    return [
        Problem(
            what,
            file,
            "Check their units, as t for kt; one large works among small ones is as far.",
            "note",
        )
    ]


def check_activities(rows: Sequence[Row], faults: Faults) -> None:
    """Add an error for each category that is given for the whole and for regions, but not all of its activities for all of them.

    What the regions leave of the whole is spread over the rest of the city. So an activity of the whole alone would lie outside those
    regions, and one of regions alone would take the place of what the others have there (docs/decisions/0095).

    Parameters
    ----------
    rows
        category, place, region, activity, gas, ids, grams, exact: what the rows of activity data come to; what is here and what is elsewhere are held apart.
    faults
        Of the activity data.
    """
    accounts: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        accounts.setdefault((row["category"], row["place"]), []).append(row)
    for (category, _), own in accounts.items():
        regions = sorted({row["region"] for row in own if row["region"]})
        if regions and any(not row["region"] for row in own):
            activities = list(dict.fromkeys(row["activity"] for row in own))
            for activity in activities:
                there = [row for row in own if row["activity"] == activity]
                _check_activity(f"{category!r}, {activity}", there, regions, faults)
            for gas in dict.fromkeys(row["gas"] for row in own):
                there = [row for row in own if row["gas"] == gas]
                if not faults.problems:
                    _check_part(f"{category!r}, {gas}", there, "grams", faults)


def _check_activity(name: str, rows: list[Row], regions: list[str], faults: Faults) -> None:
    given = {row["region"] for row in rows}
    ids = ", ".join(dict.fromkeys(row["ids"] for row in rows))
    whole = sum(row["grams"] for row in rows if not row["region"])
    parts = sum(row["grams"] for row in rows if row["region"])
    missing = [region for region in regions if region not in given]
    lacking = listed(map(repr, missing), more=", ...")
    if "" not in given:
        faults.add(
            f"{name} ({ids}) has {readable_tonnes(parts)} t in regions and no row of the whole, which other activities of the category have: "
            "it would lie in place of what they have there",
            "Write a row without a region that has the regions in it, or give all of the category by region.",
        )
    elif missing:
        faults.add(
            f"{name} ({ids}) has {readable_tonnes(whole)} t for the whole and nothing for {lacking}, which other activities of the category name: "
            f"it would all lie outside {lacking if len(missing) == 1 else 'them'}",
            "Write its amount there, 0 if there is none, or take the category's other rows of that region out.",
        )
    else:
        _check_part(name, rows, "exact", faults)


def _check_part(name: str, rows: list[Row], by: str, faults: Faults) -> None:
    """Add an error if regions add up to more than their whole in a part of a category."""
    regional: dict[str, int] = {}
    for row in rows:
        if row["region"]:
            regional[row["region"]] = regional.get(row["region"], 0) + row["grams"]
    whole = sum(row["grams"] for row in rows if not row["region"])
    # Of one activity rounding alone may be a gram too much: exact masses decide.
    if sum(-row[by] if row["region"] else row[by] for row in rows) < 0:
        _check_sum(name, whole, regional, {}, faults, [])


def _check_nested(
    name: str, regional: Mapping[str, int], ancestors: Mapping[str, Collection[str]], faults: Faults
) -> None:
    # In two passes: a country's communes are a hundred thousand regions.
    below: dict[str, dict[str, int]] = {}
    for region, mass in regional.items():
        for holder in ancestors.get(region, ()):
            if holder in regional and holder != region:
                below.setdefault(holder, {})[region] = mass
    within: dict[str, dict[str, Collection[str]]] = {holder: {} for holder in below}
    for code, above in ancestors.items():
        for holder in above:
            if holder in within:
                within[holder][code] = above
    for holder in (region for region in regional if region in below):
        mass, lower = regional[holder], below[holder]
        # Of several levels below, the parts are those that lie in none of the others.
        parts = {r: part for r, part in lower.items() if not any(above in lower and above != r for above in ancestors[r])}  # fmt: skip
        if not parts:
            continue
        added = sum(parts.values())
        if added > mass or _cover_all(parts, within[holder]):
            told = _moves(mass, parts)
        else:
            told = f"they leave {readable_tonnes(mass - added)} t to the rest of it"
        faults.add(
            f"{name} is given for {holder!r} ({readable_tonnes(mass)} t) and for {_listed(parts)} in it ({readable_tonnes(added)} t together): {told}",
            "Give one level of regions for a category.",
        )


def _check_sum(
    name: str,
    whole: int,
    regional: Mapping[str, int],
    ancestors: Mapping[str, Collection[str]],
    faults: Faults,
    notes: list[Problem],
) -> None:
    added = sum(regional.values())
    if added > whole:
        faults.add(
            f"{name}: the regions ({_listed(regional)}) add up to {readable_tonnes(added)} t, more than the whole's "
            f"{readable_tonnes(whole)} t: {_moves(whole, regional)}",
            "Correct the row without a region, or those with one.",
        )
    elif added < whole and _cover_all(regional, ancestors):
        rest = whole - added
        what = (
            f"{name}: the regions ({_listed(regional)}) cover every unit and add up to {readable_tonnes(added)} t, less than "
            f"the whole's {readable_tonnes(whole)} t: {_moves(whole, regional)}"
        )
        if rest * LEFT_OVER > whole:
            hint = "Correct one of them. If the rest lies elsewhere, take it off the row without a region and give it a row of its own, with place = elsewhere."
            faults.add(what, hint)
        else:
            hint = f"The remaining {readable_tonnes(rest)} t go to land in no unit."
            notes.append(Problem(what, faults.file, hint, "warning"))


def _listed(masses: Mapping[str, int]) -> str:
    """Return regions with their masses, the first ten."""
    return listed(
        (f"{region} {readable_tonnes(mass)} t" for region, mass in masses.items()), more=", ..."
    )


def _moves(whole: int, parts: Mapping[str, int]) -> str:
    """Return how much a total moves if its parts hold, and how much each part if the total holds, those that move most first."""
    added = sum(parts.values())
    if added == whole:
        return "they agree"
    told = f"by the parts the total moves by {_change(whole, added - whole)}"
    if not added:
        return told
    moved = {
        region: round(Fraction(mass * (whole - added), added)) for region, mass in parts.items()
    }
    most = sorted(moved, key=lambda region: (-abs(moved[region]), region))
    each = listed((f"{region} {_signed(moved[region])}" for region in most), more=", ...")
    return f"{told}, by the total each part moves by {_percent(added, whole - added)} ({each})"


def _change(now: int, change: int) -> str:
    return f"{_signed(change)} ({_percent(now, change)})" if now else _signed(change)


def _percent(now: int, change: int) -> str:
    return f"{100 * change / now:+,.4g} %"


def _signed(change: int) -> str:
    return f"{'-' if change < 0 else '+'}{readable_tonnes(abs(change))} t"


def _cover_all(regional: Mapping[str, int], ancestors: Mapping[str, Collection[str]]) -> bool:
    """Whether every unit is a region or lies in one."""
    units = lowest_codes(ancestors)
    return bool(units) and all(
        unit in regional or any(holder in regional for holder in ancestors[unit]) for unit in units
    )


def lowest_codes(ancestors: Mapping[str, Collection[str]]) -> list[str]:
    """Return the codes of units: those that hold no other, by the codes of the higher levels that hold each."""
    holders = {holder for code, above in ancestors.items() for holder in above if holder != code}
    return [code for code in ancestors if code not in holders]
