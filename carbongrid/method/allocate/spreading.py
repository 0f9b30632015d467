"""From a category's totals to parcels, with every gram in the ledger (D8 to D10; docs/decisions/0002, 0008)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.allocate.apportioning import apportion
from carbongrid.method.landuse import PARENT
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.rule_skill import no_skill
from carbongrid.method.tonnes import exact_tonnes, readable_tonnes

if TYPE_CHECKING:
    from carbongrid.method.categories import Category
    from carbongrid.method.weights import Weights


WHOLE = ""
"""Region of a total that holds for the whole city."""

MAX_UNALLOCATED = 100
"""One part in this many of a category may stay unallocated."""

MAX_BY_FALLBACK = 20
"""One part in this many of a category may be placed by a fallback."""


Facility = tuple[str, int, int]
"""A facility's name, the row of its parcel (-1: without coordinates), its grams."""


def allocate(
    category: Category,
    totals: pd.DataFrame,
    claims: Weights,
    parcels: pd.DataFrame,
    *,
    rows: NDArray[np.int64] | slice = slice(None),
    regions: Sequence[str] = (),
    region_of_parcel: NDArray[np.int64] | None = None,
    facilities: Sequence[Facility] = (),
    region_of_facility: NDArray[np.int64] | None = None,
    by_part: Collection[str] = (),
) -> tuple[NDArray[np.int64], list[LedgerRow]]:
    """Spread a category's totals over the parcels: facilities first, then weight, area, parent type.

    Parameters
    ----------
    category
        The category.
    totals
        Its rows: region, grams, place; gases add up. A blank region is the whole, its regions included.
    claims
        Its weights.
    parcels
        In id order: type and area_m2.
    rows
        Those parcels of which the claims are, and all that follows; default all.
    regions
        Codes of the regions that the totals name.
    region_of_parcel : int64, shape (parcels,)
        Each parcel's region, a position in ``regions``; -1 for none of them, which is the default.
    facilities
        Those of the category: name, row of the parcel (-1: without coordinates), grams.
    region_of_facility : int64, shape (facilities,)
        Each facility's region, off whose total it comes, as ``region_of_parcel`` has those of parcels, and given with it. Its parcel may lie
        in another.
    by_part
        Names of those whose mass is a part of the category's total, by share or capacity, for messages.

    Returns
    -------
    mass : int64, shape (parcels,)
        Grams per parcel.
    ledger : list of LedgerRow
        One per region, the whole first; total = facilities + by rule + by area + by parent + unallocated.

    Raises
    ------
    InputError
        If regions add up to more than the whole, facilities to more than their total, or a facility lies in
        no region that has a total.
    """
    area = parcels["area_m2"].to_numpy(np.float64)[rows]
    assert area.shape == claims.weight.shape, "claims are of these parcels"
    both = (region_of_parcel is None) == (region_of_facility is None)
    assert both or not facilities, "regions are those of parcels and of facilities"
    accounts = _accounts(category.name, totals)
    region = _accounts_of(accounts, regions, region_of_parcel, claims.weight.size)
    of_facility = _accounts_of(accounts, regions, region_of_facility, len(facilities))
    mass, known = _place_facilities(
        category.name, accounts, of_facility, facilities, region.size, by_part
    )
    steps: dict[str, Callable[[], NDArray[Any]]] = {
        "rule": lambda: claims.weight,
        "area": lambda: np.where(claims.eligible, area, 0.0),
        "parent": lambda: np.where(of_same_parent(category, parcels["type"].iloc[rows]), area, 0.0),
    }
    left = np.array([account.grams for account in accounts], np.int64) - known
    placed = {"facilities": known, **dict.fromkeys(steps, np.zeros_like(left))}
    for name, weight in steps.items():
        # The rule mostly takes all: then nobody asks for the other weights.
        if left.any():
            part, placed[name] = _spread(left, weight(), region)
            mass += part
            left = left - placed[name]
    placed["unallocated"] = left
    order = np.argsort(region, kind="stable")
    ends = np.searchsorted(region[order], np.arange(len(accounts) + 1))
    ledger = []
    for number, account in enumerate(accounts):
        here = order[ends[number] : ends[number + 1]]
        fate = {name: int(grams[number]) for name, grams in placed.items()}
        ledger.append(_ledger_row(category.name, account, claims, here, fate))
    note = "; ".join(filter(None, (ledger[0].reason, claims.note, _unlocated(facilities))))
    ledger[0] = replace(ledger[0], weight_unplaced=claims.unplaced, reason=note)
    return mass, ledger


@dataclass(frozen=True)
class _Account:
    """A region's own grams, less those of the regions named beside the whole; and what is elsewhere."""

    region: str
    grams: int
    elsewhere: int


def _accounts(name: str, totals: pd.DataFrame) -> list[_Account]:
    here: dict[str, int] = {}
    aside: dict[str, int] = {}
    columns = (totals[column].tolist() for column in ("region", "grams", "place"))
    for code, grams, place in zip(*columns, strict=True):
        sums = aside if place == "elsewhere" else here
        sums[str(code)] = sums.get(str(code), 0) + int(grams)
    if WHOLE in aside:
        aside[WHOLE] -= sum(grams for code, grams in aside.items() if code != WHOLE)
    named = sorted(set(here) - {WHOLE})
    if WHOLE in here or not named:
        part, whole = sum(here[code] for code in named), here.get(WHOLE, 0)
        if part > whole:
            parts = listed(
                (f"{code} {readable_tonnes(here[code])} t" for code in named), more=", ..."
            )
            raise InputError(
                f"{name!r}: the regions ({parts}) add up to {readable_tonnes(part)} t, more than the whole's {readable_tonnes(whole)} t",
                "totals",
                "Correct the row without a region, or those with one.",
            )
        here[WHOLE] = whole - part
        named = [WHOLE, *named]
    elsewhere = {code: aside.pop(code, 0) for code in named}
    elsewhere[named[0]] += sum(aside.values())
    return [_Account(code, here[code], elsewhere[code]) for code in named]


def _accounts_of(
    accounts: list[_Account],
    regions: Sequence[str],
    region: NDArray[np.int64] | None,
    size: int,
) -> NDArray[np.int64]:
    """Return the account of each parcel or facility of a region; the whole's where it has no other, -1 where there is no whole."""
    position = {account.region: number for number, account in enumerate(accounts)}
    rest = position.get(WHOLE, -1)
    if region is None:
        return np.full(size, rest, np.int64)
    account = np.array([*(position.get(code, rest) for code in regions), rest], np.int64)
    return account[region]


def _place_facilities(
    name: str,
    accounts: list[_Account],
    of_facility: NDArray[np.int64],
    facilities: Sequence[Facility],
    parcels: int,
    by_part: Collection[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the facilities' grams per parcel and per account."""
    mass, known = np.zeros(parcels, np.int64), [0] * len(accounts)
    parts: dict[int, list[tuple[str, int]]] = {}
    given, whole = (
        sum(grams for _, _, grams in facilities),
        sum(account.grams for account in accounts),
    )
    if given > whole:
        raise InputError(_too_much(f"the facilities of {name}", given, whole))
    problems = []
    for (label, parcel, grams), account in zip(facilities, of_facility.tolist(), strict=True):
        if parcel < 0:
            continue
        if account < 0:
            what = f"facility {label!r} of {name} lies in no region that has a total"
            hint = "Give its region a total, or write one for the whole."
            problems.append(Problem(what, "facilities", hint))
            continue
        mass[parcel] += grams
        known[account] += grams
        if label in by_part:
            parts.setdefault(account, []).append((label, grams))
    for number, (own, grams) in enumerate(zip(accounts, known, strict=True)):
        if grams > own.grams:
            where = f"region {own.region!r}" if own.region else "the rest of the whole"
            what = f"the facilities of {name} in {where}"
            problem = _too_much(what, grams, own.grams)
            own_parts = parts.get(number, [])
            # Where masses of their own are too much already, parts are not why.
            if grams - sum(part for _, part in own_parts) <= own.grams:
                names = [label for label, _ in own_parts]
                problem = _by_part_of_the_whole(problem, names, whole)
            problems.append(problem)
    if problems:
        raise InputError(problems)
    return mass, np.array(known, np.int64)


def _too_much(what: str, part: int, whole: int) -> Problem:
    return Problem(
        f"{what} add up to {readable_tonnes(part)} t, more than its total, {readable_tonnes(whole)} t",
        "facilities",
        "Correct the facilities or the total.",
    )


def _by_part_of_the_whole(problem: Problem, names: Sequence[str], whole: int) -> Problem:
    """Return what is too much in a region with why it is so: masses by share or capacity are parts of all regions' totals together."""
    which = listed(names, more=", ...")
    return replace(
        problem,
        what=f"{problem.what}: by share or capacity {which} have parts of all regions' totals together, {readable_tonnes(whole)} t",
        hint="Give them masses of their own, value and unit, such as their part of the region's total; or give one total of the whole in place of those of regions.",
    )


def _spread(
    left: NDArray[np.int64], weight: NDArray[Any], region: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split what is left of each region over its parcels with weight: grams per parcel, per region."""
    some = np.flatnonzero((weight > 0) & (region >= 0))
    some = some[left[region[some]] > 0]
    some = some[np.argsort(region[some], kind="stable")]
    rows, start = np.unique(region[some], return_index=True)
    mass, placed = np.zeros(len(region), np.int64), np.zeros(len(left), np.int64)
    mass[some] = apportion(left[rows], weight[some], np.append(start, some.size))
    placed[rows] = left[rows]
    return mass, placed


def of_same_parent(category: Category, types: pd.Series[str]) -> NDArray[np.bool_]:
    """Return the parcels whose type has the same parent as a type of the category."""
    wanted = {PARENT.get(name.partition(":")[0], "") for name in category.types} - {""}
    alike = [kind for kind, parent in PARENT.items() if parent in wanted]
    return types.isin(alike).to_numpy(dtype=bool)


def _ledger_row(
    name: str,
    account: _Account,
    claims: Weights,
    here: NDArray[np.int64],
    fate: dict[str, int],
) -> LedgerRow:
    """Return the row of one region, whose parcels are the rows ``here``."""
    own, area = fate["rule"], fate["area"]
    reasons = []
    if area and claims.by_area:
        own, area = own + area, 0
        reasons.append(
            "no type of POI stands for it: by area, which is its rule then"
            if claims.rule == "pois"
            else "no line of this mode on its land: by area, which is its rule then"
        )
    elif area:
        reasons.append(f"no parcel of its types has a weight ({claims.rule}): by area")
    if fate["parent"]:
        reasons.append("no parcel of its types: by area of the types with the same parent")
    if fate["unallocated"]:
        reasons.append("no parcel of its types, nor of types with the same parent: unallocated")
    if own and claims.by_counts_alone and no_skill(name, claims.rule):
        reasons.append(
            f"what no facility names lies by {claims.rule}, a rule that has shown no skill for it"
        )
    placed, snapped = claims.of_region(here)
    return LedgerRow(
        category=name,
        region=account.region,
        total=account.grams,
        facilities=fate["facilities"],
        by_rule=own,
        by_area=area,
        by_parent=fate["parent"],
        unallocated=fate["unallocated"],
        rule=claims.rule,
        weight_unit=claims.unit,
        weight_placed=placed,
        weight_snapped=snapped,
        elsewhere=account.elsewhere,
        reason="; ".join(reasons),
    )


def _unlocated(facilities: Sequence[Facility]) -> str:
    # Names stay out: the ledger is written with --public too.
    grams = [grams for _, parcel, grams in facilities if parcel < 0]
    if not grams:
        return ""
    some = f"{len(grams)} facilities" if len(grams) > 1 else "a facility"
    those = "stay" if len(grams) > 1 else "stays"
    return f"{some} without coordinates ({exact_tonnes(sum(grams))} t) {those} in the total"


def check_limits(
    ledger: Collection[LedgerRow],
    allow_unallocated: Collection[str] = (),
    allow_fallback: Collection[str] = (),
) -> list[Problem]:
    """Return an error for each category of which too much went astray, a warning where the case allows it.

    Parameters
    ----------
    ledger
        All rows.
    allow_unallocated, allow_fallback
        Categories that the case allows by name.

    Returns
    -------
    list of Problem
        More than 1 % of a category unallocated, or more than 5 % placed by a fallback; compared in integers.
    """
    problems = []
    for name in dict.fromkeys(row.category for row in ledger):
        rows = [row for row in ledger if row.category == name]
        total = sum(row.total for row in rows)
        lost = sum(row.unallocated for row in rows)
        fallen = sum(row.by_area + row.by_parent for row in rows)
        why = "; ".join(dict.fromkeys(row.reason for row in rows if row.reason))
        if lost * MAX_UNALLOCATED > total:
            what = f"{readable_tonnes(lost)} t of {name}'s {readable_tonnes(total)} t stay unallocated, more than {100 / MAX_UNALLOCATED:g} % ({why})"
            problems.append(_astray(what, name, "unallocated", allow_unallocated))
        if fallen * MAX_BY_FALLBACK > total:
            what = f"{readable_tonnes(fallen)} t of {name}'s {readable_tonnes(total)} t were placed by a fallback, more than {100 / MAX_BY_FALLBACK:g} % ({why})"
            problems.append(_astray(what, name, "fallback", allow_fallback))
    return problems


def _astray(what: str, name: str, key: str, allowed: Collection[str]) -> Problem:
    if name in allowed:
        return Problem(what, "ledger", f"The case lets it pass: [allow] {key}.", "warning")
    hint = f'Give it a carrier and a weight, or allow it: [allow] {key} = ["{name}"].'
    return Problem(what, "ledger", hint)
