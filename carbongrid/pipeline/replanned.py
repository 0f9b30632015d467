"""What an action of a plan changes of a run's tables: totals that follow mass, facilities at points, land of another use."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.facilities import COLUMNS, project_facilities
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.rounding import moved_by_rounding, roughly
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError
from carbongrid.inventory.units_of_measure import (
    base_currency,
    exact_currency,
    grams_of_text,
    require_not_grouped,
)
from carbongrid.method.allocate import apportion
from carbongrid.method.categories import Category
from carbongrid.method.landuse import SYSTEMS, match_codes, read_code_system
from carbongrid.method.tonnes import counted, readable_tonnes
from carbongrid.method.weights import PackedWeights
from carbongrid.method.weights.packing import OF_SOME
from carbongrid.method.weights.rules import eligible
from carbongrid.pipeline.changes import TOTALS, total_given
from carbongrid.pipeline.guesses import are_guesses, basis_under_given_whole
from carbongrid.pipeline.land import Land

Rows = NDArray[np.int64]

MOST = 2**63 - 1
"""Grams, or currency units, that an int64 holds."""

_MONEY = re.compile(
    r"(?P<number>(?>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))\s*(?P<unit>(?<=\s)\S.*|[^\d.\s].*)"
)


def amount_after(told: Mapping[str, Any], now: int, where: str) -> int:
    """Return a mass after ``factor``, ``change`` or ``total``, in whole grams, rounded half even.

    Raises
    ------
    InputError
        If it would be negative, or what is told is no mass.
    """
    if "factor" in told:
        after = round(Fraction(now) * Fraction(str(told["factor"])))
        if after > MOST:
            what = f"{where} would be {roughly(after)} g CO2e, more than can be counted: 9.2e12 t"
            raise InputError(what, "factor", "Give a smaller one.")
        return after
    if "total" in told:
        return total_given(told["total"], where).grams
    after = now + _signed_mass(told["change"], where)
    if after < 0:
        there = readable_tonnes(now)
        raise InputError(f"it removes more than there is: {there} t", hint="Give a smaller change.")
    return after


def _signed_mass(value: Any, where: str) -> int:
    if isinstance(value, str):
        text = value.strip()
        return -grams_of_text(text[1:]) if text.startswith("-") else grams_of_text(text.lstrip("+"))  # fmt: skip
    sign = -1 if isinstance(value, int | float) and value < 0 else 1
    return sign * total_given(abs(value) if sign < 0 else value, where).grams


def money_after(told: Mapping[str, Any], now: int, unit: str) -> Fraction:
    """Return an amount of currency units after ``factor``, ``change`` or ``total``; :func:`whole_money` rounds it.

    Parameters
    ----------
    told
        What the action says. A number counts the case's unit of GDP; text has its own unit.
    now
        Whole currency units.
    unit
        Of the case's GDP, such as ``1e8 CNY``.

    Raises
    ------
    InputError
        If it would be negative or more than can be counted, or what is told is no amount of the case's currency.
    """
    name = base_currency(unit)
    if "factor" in told:
        after = Fraction(now) * Fraction(str(told["factor"]))
    elif "change" in told:
        after = Fraction(now + _money(told["change"], unit, "change"))
    else:
        after = Fraction(_money(told["total"], unit, "total"))
    if after < 0:
        raise InputError(f"it removes more than there is: {now} {name}", hint="Give a smaller change.")  # fmt: skip
    if after > MOST:
        raise InputError(f"GDP would be {roughly(after)} {name}, more than can be counted: 9.2e18", hint="Give less.")  # fmt: skip
    return after


def whole_money(amounts: Sequence[Fraction], unit: str, key: str) -> list[int]:
    """Return amounts of money in whole currency units, rounded half even.

    Parameters
    ----------
    amounts
        In currency units.
    unit
        Of the case's GDP.
    key
        Of the action that gives them.

    Raises
    ------
    InputError
        If rounding takes one to 0, or moves more than 1 % of their sum.
    """
    name = base_currency(unit)
    if moved := moved_by_rounding(amounts, name):
        raise InputError(f"GDP is counted in whole {name}: {moved}", key, "Give whole ones, or more.")  # fmt: skip
    return [round(each) for each in amounts]


def _money(value: Any, unit: str, key: str) -> int:
    """Return an amount in whole currency units."""
    number, own = value, unit
    if isinstance(value, str):
        match = _MONEY.fullmatch(value.strip())
        if match is None:
            raise InputError(f"{value!r} is no number with a currency", key, f"Write for example 2.5e9 {base_currency(unit)}.")  # fmt: skip
        number, own = match["number"], match["unit"]
    try:
        require_not_grouped(str(value))
        if base_currency(own) != base_currency(unit):
            what = f"{value!r} is of {base_currency(own)}, GDP of the run of {base_currency(unit)}"
            raise InputError(what, hint="Convert it at a rate that you know.")
        return whole_money([exact_currency(Decimal(str(number)), own)], unit, key)[0]
    except InputError as error:
        raise InputError(dataclasses.replace(each, where=key) for each in error.problems) from error


def scaled_total(inputs: Inputs, name: str, after: int, *, gas: str | None) -> pd.DataFrame:
    """Return the totals with another whole of a category, its regions and the rest in proportion.

    Parameters
    ----------
    inputs
        Those of a run.
    name
        The category.
    after
        Grams of the whole.
    gas
        What the whole is of (blank: what it was), where somebody gives it as a total: then it is no first guess any more, though how it lies over regions may be (docs/decisions/0098).

    Raises
    ------
    InputError
        If nothing of the category is spread here, or if nobody knows which region has the new mass.
    """
    totals = inputs.totals
    own = _rows_here(totals, name)
    region, grams = totals["region"].to_numpy(object), totals["grams"].to_numpy(np.int64, copy=True)
    regions, whole = own & (region != ""), own & (region == "")
    masses = grams[regions].tolist()
    now = int(grams[whole][0]) if whole.any() else sum(masses)
    rest = now - sum(masses)
    if rest < 0:
        raise InputError(f"{name} has regions within regions", TOTALS, "Give the totals of its regions.")  # fmt: skip
    weights = np.array([*masses, rest], np.int64)
    parts = apportion(after, weights) if now else np.zeros(len(weights), np.int64)
    if not now and after:
        if masses:
            what = f"{name} is 0 and has regions: nobody knows whose the new mass is"
            raise InputError(what, TOTALS, "Give the totals of its regions.")
        parts[-1] = after
    grams[regions] = parts[:-1]
    if whole.any():
        grams[whole] = after
    if gas is not None:
        totals = totals.assign(gas=totals["gas"].mask(own & bool(gas), gas))
        if "basis" in totals:
            totals = totals.assign(basis=basis_under_given_whole(totals, own, after))
    return _with_grams(totals, grams, own)


def moved_totals(
    totals: pd.DataFrame, land: Land, name: str, homes: Rows, change: Sequence[int]
) -> pd.DataFrame:
    """Return the totals with mass that came to parcels and facilities, or went from them: of the whole, and of the region in which each lies.

    Parameters
    ----------
    totals, land
        Those of a run.
    name
        The category.
    homes
        Rows of the units in which they lie; -1 for none.
    change
        Grams, of each.

    Raises
    ------
    InputError
        If nothing of the category is spread here, if nobody knows whose total changes, or if less would be left than nothing.
    """
    own, region = _rows_here(totals, name), totals["region"].to_numpy(object)
    codes = [code for code in sorted(region[own]) if code]
    sums = dict.fromkeys([-1, *range(len(codes))], 0)
    for home, grams in zip(land.regions_at(codes, homes).tolist(), change, strict=True):
        sums[home] += int(grams)
    whole = own & (region == "")
    if sums[-1] and not whole.any():
        what = f"{name} has totals of regions only, and this lies in none of them: nobody knows whose total changes"
        raise InputError(what, TOTALS, "Give a total of the whole.")
    after = totals["grams"].to_numpy(np.int64, copy=True)
    after[whole] += sum(sums.values())
    for position, code in enumerate(codes):
        after[own & (region == code)] += sums[position]
    if (after[own] < 0).any():
        there_are = readable_tonnes(totals.loc[own, "grams"].iloc[0])
        raise InputError(f"it removes more of {name} than there is: {there_are} t", TOTALS)
    return _with_grams(totals, after, own)


def _with_grams(
    totals: pd.DataFrame, grams: NDArray[np.int64], own: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the totals with other grams; no source tells those of its own rows, but what a guess is made by stays."""
    told = np.where(
        own & ~are_guesses(totals).to_numpy(bool), "", totals["source"].to_numpy(object)
    )
    source = pd.array(told, dtype="str")
    whole = totals["remainder"].mask(own, "0")  # a plan counts on from what the run counted
    return totals.assign(grams=grams, source=source, remainder=whole)


def spread_here(totals: pd.DataFrame) -> set[str]:
    """Return the categories that are spread here, and not set aside whole."""
    return {*totals["category"][totals["place"] == HERE]}


def not_spread(name: str) -> InputError:
    """Return the error for a category, or a pattern of them, of which nothing is spread here."""
    hint = "Leave it out: all of it is elsewhere, as where the case's electricity sets it aside."
    return InputError(f"nothing of {name} is spread here", TOTALS, hint)


def _rows_here(totals: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    category, place = (totals[column].to_numpy(object) for column in ("category", "place"))
    own: NDArray[np.bool_] = (category == name) & (place == HERE)
    if not own.any():
        raise not_spread(name)
    return own


def kept_shares(facilities: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the facilities, those of a category that are given by share with the grams that they have: their share was of a total that was."""
    category, way = (facilities[column].to_numpy(object) for column in ("category", "way"))
    shared = (category == name) & (way == "share")
    return facilities.assign(way=facilities["way"].mask(shared, "value")) if shared.any() else facilities  # fmt: skip


def facility_table(told: Mapping[str, Any], grams: int, crs: Any) -> pd.DataFrame:
    """Return one facility as a table of facilities, its place in the grid's CRS.

    Raises
    ------
    InputError
        If its coordinates cannot be in the CRS that it names.
    """
    row = {
        "name": told["facility"],
        "category": told["category"][0],
        "way": "value",
        "grams": grams,
        "x": float(told["x"]),
        "y": float(told["y"]),
        "crs": told["crs"],
        "place_uncertainty": math.nan,
        "part": "0",
        "part_unit": "",
        "remainder": "0",
    }
    table = pd.DataFrame({name: [row[name]] for name in COLUMNS})
    text = dict.fromkeys(
        ("name", "category", "way", "crs", "part", "part_unit", "remainder"), "str"
    )
    return project_facilities(table.astype(text), crs, "the plan")


def meaning_of(code: str, inputs: Inputs) -> tuple[str, str]:
    """Return territorial type and mode of a land-use code: by the case's code system, or, where that is a file of the user's, as the run's parcels have it.

    Raises
    ------
    InputError
        If it means no land.
    """
    system = inputs.case.parcels.code_system
    if system in SYSTEMS:
        kind, mode = _meaning(code, system)
        there = f"the code system is {system}"
    else:
        parcels = inputs.parcels
        rows = parcels[parcels["land_use"] == code]
        kind, mode = ("none", "") if rows.empty else (str(rows["type"].iloc[0]), str(rows["mode"].iloc[0]))  # fmt: skip
        there = f"the run's parcels have {', '.join(sorted(set(parcels['land_use']))[:20])}"
    if kind == "none":
        raise InputError(f"the land-use code {code!r} means no land of the method", "to", f"Give another: {there}.")  # fmt: skip
    return kind, mode


@lru_cache(maxsize=1024)
def _meaning(code: str, system: str) -> tuple[str, str]:
    found = match_codes(pd.Series([code]), read_code_system(system)).iloc[0]
    return str(found["type"]), str(found["mode"])


def without_claims(
    packed: PackedWeights, category: Category, parcels: pd.DataFrame, rows: Rows
) -> PackedWeights:
    """Return claims that were measured, after land is of another use: what stood on it is gone, and nothing is known to have come.

    Parameters
    ----------
    packed
        Claims on the category.
    category
        The category.
    parcels
        With the types that they have now.
    rows
        Parcels that are of one other use.
    """
    claims = packed.opened()
    carries = claims.eligible.copy()
    carries[rows] = eligible(category, parcels[["type", "mode"]].iloc[rows[:1]])
    gone = rows[~carries[rows]]
    measured = ("weight", "inside", "near", *OF_SOME)
    arrays = {name: array.copy() for name in measured if (array := getattr(claims, name)) is not None}  # fmt: skip
    lost = int(arrays["inside"][gone].sum() + arrays["near"][gone].sum())
    for array in arrays.values():
        array[gone] = 0
    counted = claims.counted
    if counted is not None:
        counted = (counted[0] - lost, counted[1] - lost, counted[2])
    return PackedWeights.of(dataclasses.replace(claims, **arrays, eligible=carries, counted=counted))  # fmt: skip


def gained(
    before: PackedWeights, after: NDArray[np.float64], grams: NDArray[np.int64],
    regions: NDArray[np.int64], rows: Rows,
) -> NDArray[np.int64]:  # fmt: skip
    """Return what a sink takes up on parcels of another use, at the rate of its region: grams over claims, area times coefficient.

    Parameters
    ----------
    before
        Claims on the sink.
    after : float64, shape (rows,)
        What the parcels claim now.
    grams : int64, shape (parcels,)
        Taken up before, by the claims before.
    regions : int64, shape (parcels,)
        Of its totals, of each parcel.
    rows
        Parcels of another use.
    """
    found = np.zeros(len(rows), np.int64)
    weight, home = before.arrays["weight"].astype(np.float64), regions[before.rows]
    for region in np.unique(regions[rows]):
        claimed = math.fsum(weight[home == region].tolist())
        if not claimed:
            continue
        rate = Fraction(int(grams[regions == region].sum())) / Fraction(claimed)
        places = np.flatnonzero((regions[rows] == region) & (after > 0))
        found[places] = _times(rate, after[places])
    return found


def _times(rate: Fraction, numbers: NDArray[np.float64]) -> list[int]:
    """Return ``round(rate * Fraction(number))`` of positive numbers; by integers, a fifth of its time."""
    mantissas, exponents = np.frexp(numbers)
    wholes, shifts = np.ldexp(mantissas, 53).astype(np.int64), exponents - 53
    products = []
    for whole, shift in zip(wholes.tolist(), shifts.tolist(), strict=True):
        over, under = rate.numerator * whole << max(shift, 0), rate.denominator << max(-shift, 0)
        product, rest = divmod(over, under)
        products.append(product + (2 * rest > under or (2 * rest == under and product % 2)))
    return products


def named_once[T](values: Sequence[T], known: Callable[[T], bool], what: str, there: str) -> None:
    """Raise :class:`InputError` for values that are not known; what one of them is called takes an s for several."""
    unknown = [value for value in values if not known(value)]
    if unknown:
        listed = ", ".join(map(repr, unknown[:10]))
        told = counted(len(unknown), f"{what} is", f"{what}s are")
        raise InputError(f"{told} none of the run: {listed}", hint=there)
