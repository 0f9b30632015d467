"""Checks that the factors of a product go together: dimensions, substances, fractions, divisors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import ActivityRow, activities, words_elsewhere
from carbongrid.inventory.dimensions import Measure
from carbongrid.inventory.factors import read_unit
from carbongrid.inventory.factors.catalogue import OWN
from carbongrid.inventory.factors.units import dimension_name
from carbongrid.inventory.lines import Input, amount_of, plain
from carbongrid.inventory.terms import Product

_OF = {
    "carbon": ("C",),
    "nitrogen": ("N",),
    "bod": ("BOD",),
    "sludge": ("COD",),
}
"""What a role that is no emission may be of."""
_FRACTIONS = frozenset(
    [
        "oxidation", "share", "cullet", "correction", "degradable", "methane", "oxidised", "dry", "carbon", "fossil", "served",
        "volatilised", "leached", "nitrogen", "harvest_index",
    ]
)  # fmt: skip
"""Roles that cannot be above 1; methane where it is no emission factor."""
_HIGHEST = {
    "water": Fraction("1.27"), "before": Fraction("2.73"), "conversion": Fraction("1.04"),
    "co_discharge": Fraction("1.5"), "non_consumed": Fraction("1.5"), "industrial": Fraction("1.5"),
}  # fmt: skip
"""Of roles that may be above 1 and only scale: the highest end of the ranges that the IPCC gives (2006 Guidelines and 2019 Refinement, Vol. 4, Tables 5.12 to 5.14, and Vol. 5, Table 6.11; the co-discharge of BOD, 1.25 without a range, as that of protein). More than twice as much is no field and no sewer."""
_DIVISORS = ("harvest_index", "straw_unit")


def faults_of(row: ActivityRow, product: Product, factors: Sequence[Input]) -> Sequence[Problem]:
    """Return what is wrong with the factors of a product, the plainest kind of fault first and alone; without a place."""
    return (
        _faults_of_units(row, product, factors)
        or _faults_of_roles(row, product, factors)
        or _faults_of_words(row, product, factors)
        or _faults_of_values(product, factors)
    )


def _faults_of_units(
    row: ActivityRow, product: Product, factors: Sequence[Input]
) -> tuple[Problem, ...]:
    """Return what is wrong if the function, called with the dimensions, does not give a mass."""
    inputs = (amount_of(row), *factors)
    try:
        result: Measure = product.function(*(Measure(entry.dimension) for entry in inputs))
    except InputError as error:
        fault = error.problems[0].what
    else:
        if result.dimension == read_unit("t").dimension:
            return ()
        fault = f"{product.name} would be {dimension_name(result.dimension)}"
    told = (
        f"{entry.role} in {entry.factor.unit}" + f" ({entry.factor.key})" * bool(entry.factor.key)
        for entry in inputs
    )
    what = f"the units of {row.activity} do not make a mass of gas: {fault}, of {'; '.join(told)}"
    hint = "Choose a factor that fits the unit of the amount, or write the amount in the factor's."
    if any(_is_of_decay(entry, product) and entry.dimension for entry in factors):
        hint = "Write the rate in 1/yr."
    return (Problem(what, "", hint),)


def _faults_of_roles(row: ActivityRow, product: Product, factors: Sequence[Input]) -> list[Problem]:
    """Return what is wrong that dimensions do not show: a mass of one thing for that of another, or for a plain number."""
    faults = []
    there = {"", activities()[row.activity].of, *(_thing_of(entry, product) for entry in factors)}
    emitted = next(
        (entry.factor.substance for entry in factors if entry.role == product.emitter), ""
    )
    for entry in factors:
        unit, name = read_unit(entry.factor.unit), entry.factor.key or entry.factor.unit
        if entry.role != product.emitter and unit.substance not in (
            "",
            *_of(entry.role, product),
        ):
            faults.append((entry, f"is no mass of gas, but {name} is of {unit.substance}"))
        elif entry.role == "recovered" and entry.value and emitted == "C":
            faults.append((entry, f"is of CO2, and the {product.emitter} of C"))
        elif entry.role == product.emitter and unit.bare and entry.role != "carbon":
            faults.append((entry, f"is a mass of gas, but {name} is a plain number"))
        elif _is_of_decay(entry, product) and _is_no_rate(entry):
            faults.append((entry, f"is per year, but {name} is in {entry.factor.unit}"))
        elif unit.per not in there:
            faults.append((entry, f"by {name} is per {unit.per}, of which nothing is counted here"))
    return [Problem(f"{entry.role} {what}", "", _what_to_choose(entry)) for entry, what in faults]


def _faults_of_words(row: ActivityRow, product: Product, factors: Sequence[Input]) -> list[Problem]:
    """Return what is wrong with a factor of the amount whose unit says that it is by another thing."""
    faults = []
    for entry in factors:
        if entry.role != "factor":
            continue
        words = read_unit(entry.factor.unit).per_words - read_unit(row.unit).words
        strange = words_elsewhere(row.activity, words, "factor")
        if strange:
            by_share = "share" in product.roles
            counted = "the amount times share is" if by_share else f"{row.activity} is counted of"
            hint = "Choose a factor by the thing that is counted."
            if not words_elsewhere(row.activity, words):
                hint = "Choose a factor by the thing that is counted, or write the unit of the amount as the factor's is."
            whole = "For a factor by the whole write share=1 and its unit without the word."
            name = entry.factor.key or entry.factor.unit
            what = f"factor by {name} is per {strange}, but {counted} another thing"
            faults.append(Problem(what, "", whole if by_share else hint))
    return faults


def _is_of_decay(entry: Input, product: Product) -> bool:
    return entry.role == "rate" and "age" in product.roles


def _is_no_rate(entry: Input) -> bool:
    """Whether what is given as a rate of decay is by no year; a number of the user's own may leave it out."""
    years = read_unit(entry.factor.unit).years
    return years != -1 and (years != 0 or entry.factor.status != OWN)


def _what_to_choose(entry: Input) -> str:
    """Return the way out of a factor that is not of its role; of a rate in years, which is a half-life, the rate."""
    years = float(entry.value)
    if entry.role == "rate" and read_unit(entry.factor.unit).years > 0 and years > 0:
        rate = f"ln 2 / {years:g} = {math.log(2) / years:.3g} 1/yr"
        return f"Write 1/yr: a half-life of {years:g} years is a rate of {rate}."
    return f"Choose a factor for {entry.role}; search with `carbongrid factors`."


def _of(role: str, product: Product) -> tuple[str, ...]:
    """Return what a role that is no emission may be of; what is recovered is of the gas that forms."""
    if role == "recovered":
        return (product.gas or "CO2",)
    return _OF.get(role, ())


def _thing_of(entry: Input, product: Product) -> str:
    """Return what a number is of if it is no emission: by its unit, else by its role."""
    of = _of(entry.role, product)
    return read_unit(entry.factor.unit).substance or (of[0] if of else "")


def _faults_of_values(product: Product, factors: Sequence[Input]) -> list[Problem]:
    """Return what is wrong with a fraction above 1, a factor that scales beyond all that is known, or a divisor of 0."""
    faults = []
    for entry in factors:
        value = Fraction(entry.factor.value or 0) * entry.scale
        written = f"{plain(entry.factor.value)} {entry.factor.unit}".removesuffix(" 1")
        name = entry.factor.key or written
        if value == 0 and entry.role in _DIVISORS and not entry.complement:
            faults.append(
                Problem(f"{entry.role} is {name}: nothing can be divided by 0", "", "Give a number above 0.")
            )  # fmt: skip
        percent = f"Write {entry.role}={written} %, if that is meant."
        highest = _HIGHEST.get(entry.role)
        if value > 1 and _is_fraction(entry.role, product):
            hint = percent if written.isdigit() and value <= 100 else "It is at most 1, or 100 %."
            faults.append(
                Problem(
                    f"{entry.role} is a fraction, but {name} is above 1"
                    + f" ({written})" * bool(entry.factor.key),
                    "",
                    hint,
                )
            )
        elif highest is not None and value > 2 * highest:
            hint = f"The IPCC's ranges end at {plain(highest)}."
            if written.isdigit() and value <= 200 * highest:
                hint += f" {percent}"
            what = f"{entry.role} is a scaling factor, but {name} is more than twice the highest that is known"
            faults.append(Problem(what, "", hint))
    return faults


def _is_fraction(role: str, product: Product) -> bool:
    if role in ("water", "rate"):
        return product.name == "crop"
    return role in _FRACTIONS and not (role == "methane" == product.emitter)
