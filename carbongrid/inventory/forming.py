"""Forms the inventory: every row of activity becomes products, in grams that add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import CLIMATES, ActivityData, ActivityRow, climate_of
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.electricity import USES
from carbongrid.inventory.factors import catalogue, gwp_of
from carbongrid.inventory.lines import Input, Inventory, LeftOut, Line, PassedOver, amount_of
from carbongrid.inventory.methods import (
    Chosen,
    Setting,
    choose,
    missing_roles,
    variants,
    what_to_write,
)
from carbongrid.inventory.places import Place, place_of
from carbongrid.inventory.regions import turned_by_regions
from carbongrid.inventory.sink_sets import DEFAULT, METHANE, SinkSet, sink_set
from carbongrid.inventory.terms import TERMS, Product
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.method.categories import Category, read_categories

EQUATION_OF_SECTOR = {
    "industry": 2,
    "buildings": 3,
    "transport": 4,
    "agriculture": 5,
    "waste": 6,
    "sink": 7,
}
LOST_LAND = "agriculture/land"
"""Category of land that gives off carbon in a year: a source, never a negative sink (D27)."""

METHANE_OF = {"land/water": "agriculture/water", "land/ponds": "agriculture/ponds"}
"""Category of the methane that water gives off: it stands beside a sink, and is a source."""

OF_THE_BALANCE = "it is of the balance of electricity, which electricity = consumption counts"
"""Why a row of the balance is in no other total (docs/decisions/0057)."""

WITHOUT_CARBON = (
    "its factor of fossil CO2 tells no carbon, and so no biogenic part; variant=fraction does"
)
"""Why waste by a factor of the whole has no memo (docs/decisions/0058)."""

_MOLAR = {
    "C": "44/12 (C to CO2)",
    "CE": "44/12 (C to CO2, as CO2e)",
    "N2O-N": "44/28 (N2O-N to N2O)",
}


@in_own_decimals
def form(
    data: ActivityData,
    *,
    gwp: str = "AR5",
    sinks: str | SinkSet = DEFAULT,
    year: int | None = None,
    country: str = "",
    code_system: str = "",
    categories: Mapping[str, Category] | None = None,
) -> Inventory:
    """Form the inventory of a file of activity data.

    Parameters
    ----------
    data
        As :func:`carbongrid.read_activity` returns it.
    gwp
        AR4, AR5 or AR6.
    sinks
        A name of :func:`carbongrid.inventory.sink_sets`, or a set of the user's.
    year
        Of the inventory, if the sheet of settings names none; else the one year that all rows name.
    country
        Whose factors come first, in two letters (ISO 3166), a province such as ``CN/shandong``, or ``world``, if the sheet of settings
        names none; else that of the electricity grid, else that of the land survey.
    code_system
        Of the land survey.
    categories
        Those that rows may name; default the package's.

    Returns
    -------
    Inventory
        Lines of each gas in grams; CO2e by the GWP set, which is applied last.

    Raises
    ------
    InputError
        With every problem of the file and of its factors, by sheet, row and column.
    """
    factors, grid = catalogue().with_own(data.factors), data.settings["grid"]
    place = place_of(factors, grid, data.settings["country"] or country, code_system)
    return form_at(place, data, gwp=gwp, sinks=sinks, year=year, categories=categories)


def form_at(
    place: Place,
    data: ActivityData,
    *,
    gwp: str,
    sinks: str | SinkSet,
    year: int | None,
    categories: Mapping[str, Category] | None,
) -> Inventory:
    """Form the inventory of a place that is known, as :func:`form` does."""
    known = dict(read_categories() if categories is None else categories)
    gwp_of(gwp)
    counted = sink_set(sinks)
    factors, grid = catalogue().with_own(data.factors), data.settings["grid"]
    climate = climate_of(data.settings["climate"]) or CLIMATES[0]
    setting = Setting(
        factors, _year(data, year), grid, data.settings["prefer"], place, climate, known
    )
    lines, left_out, memo = _of_rows(data, setting, known, counted)
    masses = [line.exact for line in lines]
    weighed = [line.exact * line.potential(gwp) for line in lines]
    if sum(weighed, Fraction(0)) > INT64_MAX:
        raise InputError(
            "the totals add up to more than can be counted exactly (9.2e12 t)",
            data.file,
            "Check the units.",
        )
    return Inventory(
        data=data,
        lines=tuple(lines),
        grams=_whole(lines, masses),
        grams_co2e=_whole(lines, weighed),
        left_out=tuple(left_out),
        gwp=gwp,
        sinks=counted,
        year=setting.year,
        place=place,
        categories=known,
        factors=setting.factors,
        memo=tuple(memo),
        memo_grams=_whole(memo, [line.exact for line in memo]),
    )


def _year(data: ActivityData, given: int | None) -> int | None:
    if data.settings["year"]:
        return int(data.settings["year"])
    named = {row.year for row in data.rows if row.year}
    return given or (int(named.pop()) if len(named) == 1 else None)


def _of_rows(
    data: ActivityData, setting: Setting, categories: Mapping[str, Category], sinks: SinkSet
) -> tuple[list[Line], list[LeftOut], list[Line]]:
    """Return the products of all rows, what is left out, and the memo; or raise with all that is wrong."""
    problems = [*data.problems, *_faults_of_settings(data)]
    lines: list[Line] = []
    left_out: list[LeftOut] = []
    memo: list[Line] = []
    for row in data.rows:
        try:
            formed, left, beside = _of_row(
                row, setting, categories, data.settings["upstream"], sinks
            )
        except InputError as error:
            problems += [_placed(fault, row) for fault in error.problems]
            continue
        lines += formed
        left_out += left
        memo += beside
    problems += turned_by_regions(lines)
    if problems:
        raise InputError(problems)
    return lines, left_out, memo


def _faults_of_settings(data: ActivityData) -> list[Problem]:
    place, found = f"{data.file}, sheet settings", []
    prefer, climate = data.settings["prefer"], data.settings["climate"]
    if prefer and prefer not in variants():
        hint = f"Known: {', '.join(sorted(variants()))}."
        found.append(Problem(f"no activity has the variant {prefer!r}", place, hint))
    if climate and not climate_of(climate):
        hint = f"Write {', '.join(CLIMATES[:-1])} or {CLIMATES[-1]}."
        found.append(Problem(f"unknown climate {climate!r}", place, hint))
    return found


def _placed(fault: Problem, row: ActivityRow) -> Problem:
    return Problem(fault.what, fault.where or row.place("parameters"), fault.hint, fault.level)


def _of_row(
    row: ActivityRow,
    setting: Setting,
    categories: Mapping[str, Category],
    upstream: str,
    sinks: SinkSet,
) -> tuple[list[Line], list[LeftOut], list[Line]]:
    sink = categories[row.category].sink
    # Before the amount is looked at: an unknown one hides no mistake in the other cells.
    chosen = choose(row, setting)
    if row.amount is None:
        _require_gases(chosen.products)
        why = (
            f"the amount is {row.written!r}: unknown, which is not zero"
            if row.written
            else "the amount is blank: unknown, which is not zero"
        )
        return [], [LeftOut(row, row.activity, why, True)], []
    memo = [
        _line(row, product, inputs, chosen, categories) for product, inputs in chosen.memo_formed
    ]
    if TERMS[chosen.method.term].balance:
        return [], [LeftOut(row, row.activity, OF_THE_BALANCE, False)], memo
    if sink and sinks.row_of(row.activity) is None:
        return [], [LeftOut(row, row.activity, sinks.why_not(row.activity), False)], memo
    flagged = _upstream(row, chosen)
    if flagged and upstream != "include":
        why = f"{', '.join(flagged)} holds upstream or life-cycle emissions, which overlap equation 2 (D28)"
        return [], [LeftOut(row, row.activity, why, False)], memo
    counted = [
        each for each in chosen.products if not sink or sinks.counts(row.activity, each[0].name)
    ]
    _require_gases(counted)
    lines, left = [], []
    for product, inputs in chosen.products:
        if sink and not sinks.counts(row.activity, product.name):
            why = f"the set {sinks.name} does not count it"
            left.append(LeftOut(row, f"{row.activity}, {product.name}", why, False))
        elif isinstance(inputs, str):
            left.append(_not_formed(row, product, inputs, chosen, setting))
        else:
            lines.append(_line(row, product, inputs, chosen, categories))
    for product, inputs in chosen.memo:
        if isinstance(inputs, str):
            what = f"{row.activity}, {product.name}"
            left.append(LeftOut(row, what, WITHOUT_CARBON, False))
    if not lines and not left:
        raise InputError(
            f"{row.activity} of {row.category} has no factor at all",
            hint="Name one in parameters.",
        )
    return lines, left, memo


def _upstream(row: ActivityRow, chosen: Chosen) -> list[str]:
    """Return which of a row's factors hold what was emitted upstream, or that the row as a whole is of such emissions."""
    flagged = {
        entry.factor.key
        for _, inputs in chosen.products
        if not isinstance(inputs, str)
        for entry in inputs
        if entry.factor.upstream
    }
    if TERMS[chosen.method.term].upstream and not flagged:
        return [f"the making of {row.activity.removeprefix('input/')}"]
    return sorted(flagged)


def _require_gases(products: Iterable[tuple[Product, tuple[Input, ...] | str]]) -> None:
    """Raise InputError with each product whose factor is of another gas."""
    problems: list[Problem] = []
    for product, inputs in products:
        try:
            if not isinstance(inputs, str):
                _gas_of(product, inputs)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)


def _not_formed(
    row: ActivityRow, product: Product, why: str, chosen: Chosen, setting: Setting
) -> LeftOut:
    """Return a product that has no factor: a gas that is emitted all the same is a warning, with the way out."""
    what, why = f"{row.activity}, {product.name}", f"not formed: {why}"
    if product.name == "enteric":
        why = "the IPCC has no factor for the digestion of poultry (2006 Guidelines, Vol. 4, Table 10.10)"  # fmt: skip
        return LeftOut(row, what, why, False)
    if product.gas not in ("CH4", "N2O"):
        return LeftOut(row, what, why, False)
    roles = missing_roles(product, chosen.method, row, setting)
    hint = what_to_write(roles, row, setting)
    return LeftOut(row, what, why, True, "parameters", hint)


def _line(
    row: ActivityRow,
    product: Product,
    factors: Sequence[Input],
    chosen: Chosen,
    categories: Mapping[str, Category],
) -> Line:
    inputs = (amount_of(row), *factors)
    gas, molar, molar_text = _gas_of(product, factors)
    mass = _mass(product, inputs, molar, row)
    category = categories[row.category]
    sector, name = category.sector, category.name
    if product.name == "land":
        mass = -mass
        if mass < 0:
            mass, name = -mass, LOST_LAND
    if category.sink and product.name == METHANE:
        name = METHANE_OF[row.activity]
    if mass < 0:
        raise InputError(
            f"{product.name} of {row.activity} comes out below zero",
            hint="What is recovered or removed cannot be more than what forms.",
        )
    term = TERMS[chosen.method.term]
    return Line(
        row=row,
        category=name,
        scope=term.scope,
        equation=EQUATION_OF_SECTOR.get(sector, 2),
        symbol=term.symbol,
        product=product.name,
        variant=chosen.method.variant,
        function=product.function,
        inputs=inputs,
        molar=molar,
        molar_text=molar_text,
        gas=gas,
        exact=mass,
        passed_over=_passed_over(row, product, chosen),
    )


def _mass(product: Product, inputs: Sequence[Input], molar: Fraction, row: ActivityRow) -> Fraction:
    """Return what a product comes to, in grams of its gas."""
    try:
        return Fraction(product.function(*(entry.value for entry in inputs))) * molar
    except (ArithmeticError, ValueError):
        raise InputError(
            f"{product.name} of {row.activity} cannot be computed of these numbers",
            hint="One of them is far too large, or too small.",
        ) from None


def _passed_over(row: ActivityRow, product: Product, chosen: Chosen) -> tuple[PassedOver, ...]:
    """Return what a product could have been formed of unasked."""
    found = []
    for other in chosen.alternatives:
        if other.product.name == product.name:
            gas, molar, _ = _gas_of(other.product, other.inputs)
            mass = _mass(other.product, (amount_of(row), *other.inputs), molar, row)
            found.append(PassedOver(other.name, other.why, gas, abs(mass)))
    return tuple(found)


def _gas_of(product: Product, factors: Iterable[Input]) -> tuple[str, Fraction, str]:
    """Return the gas of a product and what makes the printed substance that gas; the factor's unit decides."""
    emitter = next((entry.factor for entry in factors if entry.role == product.emitter), None)
    if emitter is None:
        return product.gas, Fraction(1), ""
    name = f"the factor {emitter.key!r}" if emitter.key else f"{emitter.name}={emitter.unit}"
    if not emitter.emits:
        raise InputError(
            f"{name} names no gas",
            hint="Give it a gas, or a unit that does: kg CH4/head, t C/TJ.",
        )
    if product.gas and emitter.emits != product.gas:
        several = " One in CO2e holds other gases too, which are formed by factors of their own." if emitter.emits == "CO2e" else ""  # fmt: skip
        raise InputError(
            f"{name} is of {emitter.substance}, but {product.name} is {product.gas}",
            hint=f"Choose a factor of that gas.{several}",
        )
    return emitter.emits, emitter.molar, _MOLAR.get(emitter.substance, "")


def _whole(lines: Sequence[Line], exact: Sequence[Fraction]) -> tuple[int, ...]:
    """Return whole grams per line that add up, per category, scope and gas, to the exact sum rounded once.

    A line's part is the rounded sum up to it less the rounded sum before it. Lines of regions add up so among themselves, region
    by region: rounded, they come to no more than a whole that has them in it. Power comes last: what a balance leaves when it counts
    power anew is the rounded sum of the rest.
    """
    running: dict[tuple[str, int, str, bool], Fraction] = {}
    parts = [0] * len(lines)
    order = [(line.row.activity in USES, line.row.region, k) for k, line in enumerate(lines)]
    for *_, k in sorted(order):
        line = lines[k]
        key = (line.category, line.scope, line.gas, bool(line.row.region))
        before = running.get(key, Fraction(0))
        running[key] = before + exact[k]
        parts[k] = round(running[key]) - round(before)
    return tuple(parts)
