"""Rows of activity data held against each other: a total beside its parts, one fuel under two names and a region in another unit add up as well as what is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

from carbongrid.errors import Problem, listed
from carbongrid.inventory.activity import ActivityData, ActivityRow
from carbongrid.inventory.factors import read_unit
from carbongrid.inventory.lines import Inventory
from carbongrid.inventory.regions import rows_once
from carbongrid.method.agreement import FAR_IN_SIZE, far_in_size
from carbongrid.method.evidence import in_words

_BY_CHANCE = 4
"""Digits that two fuels have in common beyond the first of each amount: of so many one file in thousands has a pair by chance."""

_PARTS, _EXACT = 3, 1000
"""A sum of so many rows that agrees to one part in so many, its last digit included, is hardly one by chance."""

_FLOATS = Fraction(1, 10**9)
"""What a spreadsheet's sums are off by."""

_OTHERS = 3
"""So many rows of regions in one unit say which unit the table is in, and so many times the regions that have no row must have one before they are told."""

_LISTED = 5


def rows_that_contradict(inventory: Inventory) -> list[Problem]:
    """Return what is odd of rows beside each other: amounts that may count twice, units and rows of regions that may be slips."""
    data = inventory.data
    return [
        *_two_names(inventory),
        *_sums_beside_parts(inventory),
        *_far_regions(data),
        *_lone_units(data),
        *_regions_without_row(inventory),
    ]


def _exact(row: ActivityRow) -> Fraction:
    """Return a row's amount in the base units of its dimension; 0 where it is unknown."""
    return Fraction(row.amount or 0) * read_unit(row.unit).scale


def _digits(amount: Decimal) -> int:
    return len(str(int("".join(map(str, amount.as_tuple().digits)))).rstrip("0"))


def _written(row: ActivityRow) -> str:
    return f"{row.written} {row.unit}"


def _tonnes(inventory: Inventory, rows: Iterable[ActivityRow]) -> str:
    """Return what rows come to, in t CO2e."""
    ids = {row.id for row in rows}
    whole = sum((line.exact * line.potential(inventory.gwp) for line in inventory.lines if line.row.id in ids), Fraction(0))  # fmt: skip
    return f"{float(whole) / 1e6:,.0f}"


def _groups(rows: Iterable[ActivityRow], *of: str) -> list[list[ActivityRow]]:
    """Return rows that agree in some of their cells and in what their unit measures."""
    found: dict[tuple[object, ...], list[ActivityRow]] = {}
    for row in rows:
        key = (*(getattr(row, name) for name in of), read_unit(row.unit).dimension)
        found.setdefault(key, []).append(row)
    return list(found.values())


def _two_names(inventory: Inventory) -> list[Problem]:
    """Return a warning of each two fuels whose amounts agree in one category and region, by more digits than chance explains."""
    pairs: dict[tuple[str, str], list[tuple[ActivityRow, ActivityRow]]] = {}
    single: Counter[str] = Counter()
    fuels = [row for row in inventory.data.rows if row.amount and row.activity.startswith("fuel/")]
    for rows in _groups(fuels, "category", "region", "year"):
        # Of many works of one fuel some burn by chance as much as some of another.
        count = Counter(row.activity for row in rows)
        by_amount: dict[Fraction, list[ActivityRow]] = {}
        for row in rows:
            if count[row.activity] == 1:
                single[row.activity] += 1
                by_amount.setdefault(_exact(row), []).append(row)
        for alike in by_amount.values():
            for one, other in combinations(alike, 2):
                pairs.setdefault((one.activity, other.activity), []).append((one, other))
    found = []
    for (first, second), both in pairs.items():
        shorter = min(single[first], single[second])
        digits = sum(_digits(one.amount or Decimal(0)) - 1 for one, _ in both)
        if digits < _BY_CHANCE or 2 * len(both) <= shorter:
            continue
        told = listed((f"{one.id} and {other.id} ({_written(one)})" for one, other in both), _LISTED)  # fmt: skip
        now, then = (_tonnes(inventory, [pair[side] for pair in both]) for side in (0, 1))
        what = f"{first} and {second} have the same amounts in one category, and count each, {now} t CO2e and {then} t: {told}"
        hint = "If they are one fuel under two names, leave its rows under one."
        found.append(Problem(what, inventory.data.file, hint, "warning"))
    return found


def _sums_beside_parts(inventory: Inventory) -> list[Problem]:
    """Return a warning of each row that is the sum of all others of its activity: of the regions of a category, or of all that the city counts."""
    data = inventory.data
    once, _ = rows_once(data.rows)
    found: dict[str, Problem] = {}
    for rows in (
        *_groups((row for row in data.rows if row.region and row.amount), "activity", "category"),
        *_groups((row for row in once if row.amount), "activity"),
    ):
        largest, *parts = sorted(rows, key=_exact, reverse=True)
        if len(parts) < _PARTS or not _is_sum(largest, parts):
            continue
        ids = listed((row.id for row in parts), _LISTED, more=", ...")
        what = f"row {largest.id} ({_written(largest)}) is the sum of rows {ids} of {largest.activity}, and counts beside them, {_tonnes(inventory, [largest])} t CO2e"
        hint = "If it is their total, take it out; one of the whole city has no region."
        found[largest.id] = Problem(what, data.file, hint, "warning")
    return list(found.values())


def _is_sum(largest: ActivityRow, parts: Sequence[ActivityRow]) -> bool:
    """Whether a row is the sum of others by the digits that are written, and by more of them than chance explains."""
    whole, roundings = _exact(largest), [_half_digit(row) for row in (largest, *parts)]
    apart = abs(whole - sum(map(_exact, parts), Fraction(0)))
    if apart > sum(roundings, whole * _FLOATS):
        return False
    # Round amounts, as 2500 and 1500 of 4000, add up by themselves.
    finest = min(_half_digit(replace(row, amount=(row.amount or Decimal(0)).normalize())) for row in parts)  # fmt: skip
    return (apart + 2 * max(*roundings, finest)) * _EXACT <= whole


def _half_digit(row: ActivityRow) -> Fraction:
    exponent = (row.amount or Decimal(0)).as_tuple().exponent
    return Fraction(10) ** int(exponent) / 2 * read_unit(row.unit).scale


def _far_regions(data: ActivityData) -> list[Problem]:
    """Return a note on regions whose amount is far from those of all others, as t among 10,000 t."""
    told = []
    regional = [row for row in data.rows if row.region and row.amount]
    for rows in _groups(regional, "activity", "category"):
        sizes = {row.id: float(_exact(row)) for row in rows}
        told += [f"{name} ({in_words(times)} times)" for name, times in far_in_size(sizes).items()]
    if not told:
        return []
    what = f"amounts of regions are more than {FAR_IN_SIZE:,} times the median of their activity's, or less than one part in {FAR_IN_SIZE:,}, and none lies between: {listed(told, _LISTED)}"
    return [
        Problem(
            what,
            data.file,
            "Check their units, as t for kt; one large works among small ones is as far.",
            "note",
        )
    ]


def _lone_units(data: ActivityData) -> list[Problem]:
    """Return a note on a region that alone has its unit, though its number is as those of the others: by its unit it is of another kind, or more, or less than any."""
    kinds: dict[tuple[str, str], list[ActivityRow]] = {}
    for row in data.rows:
        if row.region and row.amount:
            kinds.setdefault((row.activity, row.category), []).append(row)
    told = []
    for rows in kinds.values():
        count = Counter(row.unit for row in rows)
        if len(count) != 2 or min(count.values()) != 1 or len(rows) <= _OTHERS:
            continue
        row = next(each for each in rows if count[each.unit] == 1)
        others = [each for each in rows if each is not row]
        if _is_alone(row, others):
            told.append(f"{row.id} ({_written(row)} among {others[0].unit})")
    if not told:
        return []
    what = f"rows of regions have a unit that no other of their activity has, and a number like those of the others: {listed(told, _LISTED)}"
    hint = "Check it: 10,000 t for t, coal equivalent for coal as it is."
    return [Problem(what, data.file, hint, "note")]


def _is_alone(row: ActivityRow, others: Sequence[ActivityRow]) -> bool:
    own, usual = read_unit(row.unit), read_unit(others[0].unit)
    if (own.scale, own.dimension) == (usual.scale, usual.dimension):
        return False
    numbers = [each.amount or Decimal(0) for each in others]
    if not min(numbers) <= (row.amount or Decimal(0)) <= max(numbers):
        return False
    amounts = list(map(_exact, others))
    return own.dimension != usual.dimension or not min(amounts) <= _exact(row) <= max(amounts)


def _regions_without_row(inventory: Inventory) -> list[Problem]:
    """Return a note on activities that are given by region, without a row of the whole, and have none of a few regions that others of their category have."""
    data = inventory.data
    # What is of the balance alone may be the city's.
    wholes = {line.row.category for line in inventory.lines if not line.row.region}
    regions: dict[str, dict[str, None]] = {}
    given: dict[tuple[str, str], set[str]] = {}
    for row in data.rows:
        if row.region and row.category not in wholes:
            regions.setdefault(row.category, {})[row.region] = None
            given.setdefault((row.activity, row.category), set()).add(row.region)
    told = []
    for (activity, category), own in given.items():
        without = [region for region in regions[category] if region not in own]
        if without and len(own) > _OTHERS * len(without):
            told.append(f"{activity} of {category} ({listed(without, _LISTED)})")
    if not told:
        return []
    what = f"activities have no row of a few regions that others of their category name, and count nothing there: {listed(told, _LISTED)}"
    return [Problem(what, data.file, "Write their amount, 0 if there is none.", "note")]
