"""What the inventory is made of: numbers that enter a product, products, and the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from carbongrid.inventory.activity import ActivityData, ActivityRow
from carbongrid.inventory.factors import Catalogue, Factor, gwp_of, read_unit
from carbongrid.inventory.factors.units import Dimension
from carbongrid.inventory.places import Place
from carbongrid.inventory.sink_sets import SinkSet
from carbongrid.method.categories import Category


@dataclass(frozen=True)
class Input:
    """A number that enters a product.

    Parameters
    ----------
    role
        Its name in the function: ``amount``, ``carbon_content`` ...
    factor
        The factor, or the row's own number as one.
    complement
        Whether it enters as 1 less the factor.
    """

    role: str
    factor: Factor
    complement: bool = False

    @property
    def scale(self) -> Fraction:
        """One of its unit in gram, metre, second ..."""
        return read_unit(self.factor.unit).scale

    @property
    def value(self) -> Fraction:
        """The number in gram, metre, second ..."""
        return Fraction(self.of(Fraction(self.factor.value or 0) * self.scale))

    def of(self, number: Any) -> Any:
        """Return what enters the function when the factor is this number, in gram, metre, second ..."""
        return 1 - number if self.complement else number

    @property
    def dimension(self) -> Dimension:
        """Dimension of its unit."""
        return self.factor.dimension

    @property
    def text(self) -> str:
        """The factor as the audit writes it: role, key, number, unit, status."""
        number = plain(self.factor.value)
        shown = f"{'1 - ' if self.complement else ''}{number} {self.factor.unit}".strip()
        key = self.factor.key
        status = f" [{self.factor.status}]" if self.factor.status else ""
        return f"{self.role} = {shown} ({key}){status}" if key else f"{self.role} = {shown}"


def amount_of(row: ActivityRow) -> Input:
    """Return the amount of a row as the first input of its products; unknown, it has no value."""
    amount = None if row.amount is None else Fraction(row.amount)
    factor = Factor("", row.id, amount, row.unit, source=row.source, year=row.year, status="")
    return Input("amount", factor)


_FOSSIL = ("fugitive/", "product/")
"""How the activities begin whose CH4 brings fossil carbon that no CO2 of the inventory has: what escapes, and what processes give off.
What is burnt is none of them: CO2 is counted as if all carbon burnt, that of the CH4 too (docs/decisions/0058)."""


@dataclass(frozen=True)
class PassedOver:
    """Factors that a product was not formed of, and what they would have given.

    Parameters
    ----------
    name
        The variant, or the factor's key.
    why
        What comes before it.
    gas, mass
        Grams of a gas.
    """

    name: str
    why: str
    gas: str
    mass: Fraction


@dataclass(frozen=True)
class Line:
    """One product formed of a row.

    Parameters
    ----------
    row
        The row of activity data.
    category, scope
        Where it counts; scope 2 was emitted where electricity and heat are made.
    equation, symbol, product, variant
        Which term it is, and by which of the activity's methods.
    function
        Of :mod:`carbongrid.inventory.equations`.
    inputs
        The amount first, then the factors.
    molar, molar_text
        What makes the printed substance the gas, such as 44/12.
    gas
        CO2, CH4, N2O or CO2e.
    exact
        Mass in grams, at or above 0, before it is rounded.
    passed_over
        What else it could have been formed of unasked.
    behind
        Factors that one of its own was formed of, as a town's mix of electricity is of the grid's.
    """

    row: ActivityRow
    category: str
    scope: int
    equation: int
    symbol: str
    product: str
    variant: str
    function: Callable[..., Any]
    inputs: tuple[Input, ...]
    molar: Fraction
    molar_text: str
    gas: str
    exact: Fraction
    passed_over: tuple[PassedOver, ...] = ()
    behind: tuple[Factor, ...] = ()

    @property
    def taken(self) -> Iterator[Input]:
        """Yield the factors that its mass rests on: those that enter the product, and those behind them."""
        yield from self.inputs[1:]
        yield from (Input("behind", factor) for factor in self.behind)

    @property
    def fossil(self) -> bool:
        """Whether it brings carbon of fuels and rocks that is in no CO2 of the inventory: AR6 weighs such CH4 otherwise."""
        return self.row.activity.startswith(_FOSSIL)

    def potential(self, gwp: str, gas: str = "") -> Fraction:
        """Return the global warming potential of its gas, or of another one of the same origin, by a set."""
        return gwp_of(gwp, fossil=self.fossil)[gas or self.gas]


@dataclass(frozen=True)
class LeftOut:
    """A row, or a product of it, that is not in the totals, and why; the column that would mend it, and how."""

    row: ActivityRow
    what: str
    why: str
    warn: bool
    column: str = "amount"
    hint: str = ""


@dataclass(frozen=True)
class Inventory:
    """An inventory: its lines in the order of the file, in whole grams that add up.

    Parameters
    ----------
    data
        The activity data.
    lines
        Products.
    grams, grams_co2e
        Of each line, int: per category, scope and gas they add up to the exact sum, rounded once; lines of regions by themselves.
    left_out
        What is not in them.
    gwp, sinks
        Name of the set of potentials; the set of sinks.
    year
        None if nothing says it.
    place
        Where it is of.
    categories
        By name.
    factors
        The catalogue with the user's factors.
    memo, memo_grams
        Biogenic CO2, which stands beside the lines and enters no total; and its whole grams, added up as theirs are.
    """

    data: ActivityData
    lines: tuple[Line, ...]
    grams: tuple[int, ...]
    grams_co2e: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    gwp: str
    sinks: SinkSet
    year: int | None
    place: Place
    categories: dict[str, Category]
    factors: Catalogue = field(repr=False)
    memo: tuple[Line, ...] = ()
    memo_grams: tuple[int, ...] = ()

    @property
    def formed(self) -> Iterator[tuple[Line, int, int]]:
        """Each line with its whole grams, and those of CO2e."""
        return zip(self.lines, self.grams, self.grams_co2e, strict=True)


def plain(value: Fraction | None) -> str:
    """Return a number as digits: exactly if it has a short decimal, else to 12 figures."""
    if value is None:
        return ""
    denominator = value.denominator
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    places = max(twos, fives)
    if denominator != 1 or places > 15:
        return f"{float(value):.12g}"
    digits = abs(value.numerator) * 10**places // value.denominator
    text = f"{digits:0{places + 1}d}"
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else f"{sign}{text}"
