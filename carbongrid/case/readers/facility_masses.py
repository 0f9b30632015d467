"""How much facilities emit: a mass of their own, a share of their category, or by their capacity (docs/decisions/0061)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

from carbongrid.case.readers.declared import Row
from carbongrid.case.readers.rounding import fitted
from carbongrid.case.readers.tables import Faults
from carbongrid.errors import Problem, listed
from carbongrid.inventory.units_of_measure import exact_grams
from carbongrid.method.tonnes import readable_tonnes

WAYS = ("value", "share", "capacity")
"""Columns that tell how much a facility emits; a facility fills one of them."""


@dataclass(frozen=True)
class Amount:
    """What a row tells of how much its facility emits.

    Parameters
    ----------
    name, category
        The facility's.
    row
        In the file.
    way
        One of ``WAYS``.
    grams
        Of a value, before they are rounded, else 0.
    part
        Share in percent, or capacity.
    unit
        Of the capacity.
    """

    name: str
    category: str
    row: Any
    way: str
    grams: Fraction
    part: Fraction
    unit: str


def amount_of(row: Row, faults: Faults) -> Amount | None:
    """Return what a row tells; None, with an error added, unless it fills one of the columns, and that rightly."""
    given = [way for way in WAYS if row.cells[way]]
    name = row.cells["name"]
    if len(given) != 1:
        what = (
            f"the facility {name!r} is given by {' and by '.join(given)}"
            if given
            else f"the facility {name!r} has neither value nor share nor capacity"
        )
        hint = "Keep one: value with its unit, share in % of its category, or capacity with capacity_unit."
        faults.add(what, hint, row=row.number)
        return None
    [way] = given
    if way == "capacity" and not row.cells["capacity_unit"]:
        hint = "Write MW, t a day or what it is, the same for all of a category."
        faults.add(f"the capacity of {name!r} has no unit", hint, row=row.number, column="capacity_unit")  # fmt: skip
        return None
    value = row.values[way]
    if not row.right or value is None:
        return None
    mass = way == "value"
    grams = exact_grams(Decimal(row.cells["value"]), row.cells["unit"]) if mass else Fraction(0)
    part = Fraction(0) if mass else Fraction(value)
    told = name, row.cells["category"], row.number, way
    return Amount(*told, grams, part, row.cells["capacity_unit"])


def grams_of(amounts: Sequence[Amount], totals: Mapping[str, int], faults: Faults) -> list[int]:
    """Return the grams of each facility, in whole grams that add up.

    Parameters
    ----------
    amounts
        Of all facilities.
    totals
        Grams of each category that is spread here; of another one shares and capacities are nothing.
    faults
        An error is added for each category whose shares add up to more than 100 %, whose capacities are of several units or all
        0, or of which nothing is left for them.

    Notes
    -----
    Values that fill their category's total, or what shares leave of it, are no gram more (:func:`fitted`). Shares are split off the category's total T in the order of names: with their running sum S, facility i has
    floor(T*S[i]/100) - floor(T*S[i-1]/100). Capacities then split all that values and shares leave, in the same way.
    """
    grams = [round(each.grams) for each in amounts]
    members: dict[str, list[int]] = {}
    for number, each in enumerate(amounts):
        members.setdefault(each.category, []).append(number)
    for category, numbers in members.items():
        total = totals.get(category, 0)
        ordered = sorted(numbers, key=lambda number: amounts[number].name)
        by_value, by_share, by_capacity = (
            [number for number in ordered if amounts[number].way == way] for way in WAYS
        )
        if _shares_fit(category, [amounts[number] for number in by_share], faults):
            parts = _split(total, [amounts[number].part for number in by_share], Fraction(100))
            for number, part in zip(by_share, parts, strict=True):
                grams[number] = part
        left = total - sum(grams[number] for number in by_share)
        if sum(grams[number] for number in by_value) > left:
            # None gets a gram more: it may be all of its region's total.
            parts = fitted([amounts[number].grams for number in by_value], left)
            for number, part in zip(by_value, parts, strict=True):
                grams[number] = part
        rest = total - sum(grams[number] for number in numbers)
        capacities = [amounts[number] for number in by_capacity]
        if _capacities_fit(category, capacities, rest, totals.get(category), faults):
            parts = _split(rest, [each.part for each in capacities], None)
            for number, part in zip(by_capacity, parts, strict=True):
                grams[number] = part
    return grams


def doubts_of_shares(
    amounts: Sequence[Amount], totals: Mapping[str, int], where: str
) -> list[Problem]:
    """Return a warning of each category whose shares in percent would fit into it as parts of 1 too, as 0.4 does for 40 %; 0.9 and 0.8 would not."""
    shares: dict[str, list[Amount]] = {}
    for each in amounts:
        if each.way == "share" and each.category in totals:
            shares.setdefault(each.category, []).append(each)
    problems = []
    for category, found in shares.items():
        whole, total = sum((each.part for each in found), Fraction(0)), totals[category]
        if not 0 < whole <= 1:
            continue
        placed, as_parts, of = map(readable_tonnes, (floor(total * whole / 100), floor(total * whole), total))  # fmt: skip
        what = f"the shares of {category!r} ({_listed(found)}) are read as percent, {float(whole):.10g} % in all, {placed} t of its {of} t; as parts of 1 they would be {float(100 * whole):.10g} %, {as_parts} t"
        hint = "If parts of 1 are meant, write 40 for 0.4; given as value, there is no doubt."
        problems.append(Problem(what, where, hint, "warning"))
    return problems


def _split(total: int, parts: Sequence[Fraction], whole: Fraction | None) -> list[int]:
    """Split a total in proportion to parts of a whole, their sum if None, telescoped."""
    whole = sum(parts, Fraction(0)) if whole is None else whole
    running, ends = Fraction(0), [0]
    for part in parts:
        running += part
        ends.append(floor(total * running / whole))
    return [end - start for start, end in pairwise(ends)]


def _shares_fit(category: str, amounts: Sequence[Amount], faults: Faults) -> bool:
    whole = sum((each.part for each in amounts), Fraction(0))
    if whole <= 100:
        return True
    what = f"the shares of {category!r} ({_listed(amounts)}) add up to {float(whole):.10g} %, more than 100 %"
    hint = "Correct the shares; what they leave of the category is spread by its rule."
    faults.add(what, hint, row=amounts[-1].row, column="share")
    return False


def _capacities_fit(
    category: str, amounts: Sequence[Amount], rest: int, total: int | None, faults: Faults
) -> bool:
    if not amounts:
        return False
    units = sorted({each.unit for each in amounts})
    if len(units) > 1:
        what = f"the capacities of {category!r} ({_listed(amounts)}) are in {' and '.join(units)}"
        hint = "Give all capacities of a category in one unit; they are weights among each other."
        faults.add(what, hint, row=amounts[-1].row, column="capacity_unit")
        return False
    if not any(each.part for each in amounts):
        what = f"the capacities of {category!r} ({_listed(amounts)}) are all 0"
        hint = "Give one a capacity, or take them out."
        faults.add(what, hint, row=amounts[-1].row, column="capacity")
        return False
    if total is None:  # nothing of it is spread here
        return False
    if rest < 0 or (total and not rest):
        what = f"the other facilities of {category!r} add up to {'more than ' if rest else ''}its total, so that nothing is left for {_listed(amounts)}"
        hint = "Correct the total or the facilities."
        faults.add(what, hint, row=amounts[-1].row, column="capacity")
        return False
    return True


def _listed(amounts: Sequence[Amount]) -> str:
    return listed((each.name for each in amounts), more=", ...")
