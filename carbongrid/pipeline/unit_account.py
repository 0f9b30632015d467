"""How the numbers of one unit came about: its categories, the rules and parcels behind them, and how far it is from another zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import InputError
from carbongrid.method.allocate import split_to_targets
from carbongrid.method.categories import suggestion_of
from carbongrid.method.margins import margins
from carbongrid.method.tonnes import at_decimals, signed_percent
from carbongrid.outputs.numbers import index_number
from carbongrid.pipeline.facilities import facilities_by_unit
from carbongrid.pipeline.opening import open_run
from carbongrid.pipeline.scenario import facility_rows
from carbongrid.pipeline.step import Progress
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    from carbongrid.method.facilities import FacilityRow
    from carbongrid.method.parcel_mass import ParcelMass
    from carbongrid.outputs.result import Result
    from carbongrid.pipeline.live import LiveResult


@dataclass(frozen=True)
class CarryingParcel:
    """A parcel that carries a category in the unit: grams here, the part of the parcel's own mass that this is, and of the unit's."""

    id: str
    land_use: str
    type: str
    grams: int
    part_of_parcel: float
    part_of_unit: float


@dataclass(frozen=True)
class CarriedCategory:
    """One category in the unit.

    Parameters
    ----------
    category, sink
        Its name, and whether it is a sink.
    grams
        In the unit.
    part_of_unit
        Of the unit's emission, or sink.
    part_of_category
        Of what all parcels carry of it.
    rule
        What it is spread by.
    placed
        Grams of the whole category by what placed them: facilities, by_rule, by_area, by_parent, as in the ledger.
    facilities
        Name and grams of the facilities whose mass lies in the unit.
    parcels
        How many parcels carry it here.
    largest
        Those that carry most.
    """

    category: str
    sink: bool
    grams: int
    part_of_unit: float
    part_of_category: float
    rule: str
    placed: dict[str, int]
    facilities: tuple[tuple[str, int], ...]
    parcels: int
    largest: tuple[CarryingParcel, ...]


@dataclass(frozen=True)
class UnitAccount:
    """The account of one unit: its row of the units, its categories from the largest, and its margins as :func:`carbongrid.margins` has them."""

    unit: dict[str, Any]
    categories: tuple[CarriedCategory, ...]
    margins: tuple[dict[str, Any], ...]


def account_of_unit(
    run: str | Path | Result, code: str, *, largest: int = 3, progress: Progress | None = None
) -> UnitAccount:
    """Return how the numbers of a unit came about, from what a finished run keeps.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    code
        The unit's code.
    largest
        How many parcels of each category are named.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    UnitAccount
        Whole grams. Those of a category's parcels add up to the unit's, and these to units.csv.

    Raises
    ------
    InputError
        If the run has no such unit, or keeps no parcels, as one that was made to be published.
    VerificationError
        If a file is not what the run wrote.
    """
    tell = progress or silent
    tell("reading", 0, 1)
    answer = (open_run(run) if isinstance(run, str | Path) else run).live
    kept = answer.prepared
    result, units = kept.result, kept.units
    codes = units["id"].tolist()
    if code not in codes:
        raise InputError(f"no unit {code!r}", str(result.directory), _closest(code, result))
    row = codes.index(code)
    names = list(answer.inputs.categories)
    rasters = {name: path for name in names if (path := answer.inputs.categories[name].structure)}
    known = facilities_by_unit(facility_rows(answer), kept.land, kept.shares, rasters)
    masses, found = answer.masses(names), list[CarriedCategory]()
    tell("reading", 1, 1)
    for name, mass in zip(names, masses, strict=True):
        tell("explaining", len(found), len(names))
        found.append(_carried(answer, (name, mass), row, known, largest))
    tell("explaining", len(found), len(names))
    whole = {sink: sum(each.grams for each in found if each.sink == sink) for sink in (False, True)}
    there = sorted((each for each in found if each.grams), key=lambda each: (each.sink, -each.grams, each.category))  # fmt: skip
    parameters = result.manifest["parameters"]
    table = margins(answer.zoned.units, parameters["reference"], parameters.get("ties", ">="))
    own = table[(table["unit"] == code) & (table["reference"] == "floating")]
    values = result.units.drop(columns="geometry").iloc[row].to_dict()
    return UnitAccount(
        {str(key): value for key, value in values.items()},
        tuple(_of_unit(each, whole[each.sink]) for each in there),
        tuple({str(key): value for key, value in each.items()} for each in own.to_dict("records")),
    )


def _closest(code: str, result: Result) -> str:
    """Return what may be meant: the code of a unit of that name, or a code like it."""
    units = result.units
    for column in ("name", "name_en"):
        same = units["id"][units[column] == code]
        if len(same):
            return f"{code} has the code {', '.join(map(str, same))}."
    return suggestion_of(code, units["id"].tolist())


def _carried(
    answer: LiveResult,
    of: tuple[str, ParcelMass],
    row: int,
    known: Sequence[FacilityRow],
    largest: int,
) -> CarriedCategory:
    """Return a category in the unit of that row; its part of the unit is not known yet."""
    name, mass = of
    category = answer.inputs.categories[name]
    path, shares = category.structure, answer.prepared.shares
    targets = (shares.rasters[path][0] if path else shares.units)[mass.rows]
    touched = np.flatnonzero(targets[:, [row]].toarray().ravel())
    here = split_to_targets(mass.grams[touched], targets[touched])[:, [row]].toarray().ravel()
    order = np.argsort(-here, kind="stable")[:largest]
    facts = answer.prepared.parcels
    total = int(here.sum())
    parcels = []
    for place in order[here[order] > 0].tolist():
        number = touched[place]
        own = facts.iloc[int(mass.rows[number])]
        grams = int(here[place])
        parcels.append(CarryingParcel(str(own["id"]), str(own["land_use"]), str(own["type"]), grams, grams / int(mass.grams[number]), grams / total))  # fmt: skip
    ledger = [each for each in answer.ledger_rows if each.category == name]
    code = answer.prepared.units["id"].iloc[row]
    return CarriedCategory(
        category=name,
        sink=category.sink,
        grams=total,
        part_of_unit=0.0,
        part_of_category=total / mass.total if mass.total else 0.0,
        rule=category.weight,
        placed={
            how: sum(getattr(each, how) for each in ledger)
            for how in ("facilities", "by_rule", "by_area", "by_parent")
        },
        facilities=tuple(
            (each.name, grams)
            for each in known
            if each.category == name
            for unit, grams in each.by_unit
            if unit == code
        ),
        parcels=int((here > 0).sum()),
        largest=tuple(parcels),
    )


def _of_unit(each: CarriedCategory, whole: int) -> CarriedCategory:
    return replace(each, part_of_unit=each.grams / whole)


def account_lines(account: UnitAccount, currency: str) -> Iterator[str]:
    """Yield the account as text.

    Parameters
    ----------
    account
        The account.
    currency
        Of GDP; may be empty.
    """
    unit = account.unit
    names = " ".join(dict.fromkeys(filter(None, (unit["name_en"], unit["name"]))))
    yield f"{names} ({unit['id']}): zone {unit['zone']}, {unit['zone_name']}"
    yield f"ECC {_number(unit['ecc'])}, ESC {_number(unit['esc'])}, CCR {_number(100 * unit['ccr'])} %"
    if unit["reason"]:
        yield f"{unit['reason']}"
    yield ""
    yield f"{'category':<26} {'t':>14} {'of unit':>8} {'of category':>11} {'parcels':>7}  rule"
    for each in account.categories:
        yield f"{each.category:<26} {_tonnes(each.grams):>14} {_percent(each.part_of_unit, 2):>8} {_percent(each.part_of_category, 2):>11} {each.parcels:>7,}  {_how(each)}"
        for name, grams in each.facilities:
            yield f"  facility {name}: {_tonnes(grams)} t"
        for parcel in each.largest:
            part = (
                ""
                if parcel.part_of_parcel == 1
                else f", {_percent(parcel.part_of_parcel, 1)} of the parcel's"
            )
            yield f"  parcel {parcel.id} ({parcel.type}, {parcel.land_use}): {_tonnes(parcel.grams)} t, {_percent(parcel.part_of_unit, 1)}{part}"
    yield ""
    yield "An index is just 1, all other units as they are, at"
    for row in account.margins:
        yield f"  {row['boundary'].upper()}: {_margin(row, currency)}"


def _how(each: CarriedCategory) -> str:
    """Return the rule, and what else placed the category anywhere."""
    whole = sum(each.placed.values())
    words = {
        "facilities": "facilities",
        "by_area": "area instead",
        "by_parent": "parent type instead",
    }
    others = [
        f"{text} {_percent(each.placed[key] / whole, 1)}"
        for key, text in words.items()
        if each.placed[key]
    ]
    return "; ".join([each.rule, *others])


def _margin(row: dict[str, Any], currency: str) -> str:
    name = {"gdp": "GDP"}.get(row["quantity"], row["quantity"])
    if row["at_boundary"] is None:
        return f"no {name} ({row['remark']})"
    part = "" if np.isnan(row["percent"]) else f" ({signed_percent(row['percent'])})"
    if row["quantity"] == "gdp":
        return f"{name} {row['at_boundary']:,} {currency or 'currency units'}{part}"
    return f"{name} {_tonnes(row['at_boundary'])} t{part}"


def _tonnes(grams: int) -> str:
    return at_decimals(grams / 1e6, 2)


def _percent(share: float, digits: int) -> str:
    return f"{at_decimals(100 * share, digits)}%"


def _number(value: float) -> str:
    return "unknown" if np.isnan(value) else index_number(value, "{:.4g}".format)
