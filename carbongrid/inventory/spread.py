"""How far a number may be off: the distribution that its source gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from carbongrid.inventory.activity import ActivityRow
from carbongrid.inventory.factors import Factor
from carbongrid.inventory.factors.catalogue import DISTRIBUTION
from carbongrid.inventory.lines import Input, Line
from carbongrid.method.landuse import packaged_table

NORMAL_95 = 1.959963984540054
"""Half of a normal distribution's 95 % interval, in standard deviations."""


@dataclass(frozen=True)
class Spread:
    """The distribution of one uncertain number, shared by all lines that use it.

    It is two-sided: half of the draws lie below the value and half above, each half as wide as its own end of the interval is
    far. So 2.5 % lie below ``low`` and 2.5 % above ``high``, whatever the source's bounds; with ends as far on both sides it is the
    plain normal or lognormal distribution.

    Parameters
    ----------
    key
        The factor, or the row whose amount it is.
    kind
        ``normal`` or ``lognormal``.
    centre
        The median, in the factor's unit.
    low, high
        Ends of the 95 % interval.
    least, most
        What it cannot be below or above: a draw outside is put there, which leaves the interval's ends where they are.
    group
        Numbers of one group stand as many deviations off as each other: they are of one source.
    """

    key: str
    kind: str
    centre: float
    low: float
    high: float
    least: float = -math.inf
    most: float = math.inf
    group: str = ""

    @property
    def draw_key(self) -> str:
        """What it shares its draw with: its group, else nothing but itself."""
        return f"group {self.group}" if self.group else self.key

    @property
    def linear_deviation(self) -> float:
        """Standard deviation of the number itself, before it is cut off."""
        below, above = self._sides
        if self.kind == "normal":
            # Of two half-normals: E[x] = (above - below) / sqrt(2 pi), E[x^2] = (above^2 + below^2) / 2.
            return math.sqrt((above**2 + below**2) / 2 - (above - below) ** 2 / (2 * math.pi))
        first, second = (
            _moment(above, n) * _phi(n * above) + _moment(below, n) * _phi(-n * below)
            for n in (1, 2)
        )
        return self.centre * math.sqrt(max(second - first**2, 0.0))

    def at(self, deviations: ArrayLike) -> NDArray[np.float64]:
        """Return the number that stands as many standard deviations from its median as a normal one would."""
        z = np.asarray(deviations, dtype=np.float64)
        below, above = self._sides
        moved = z * np.where(z < 0, below, above)
        if self.kind == "lognormal":
            return np.asarray(self.centre * np.exp(moved), dtype=np.float64)
        return np.clip(self.centre + moved, self.least, self.most)

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n draws."""
        return self.at(generator.standard_normal(n))

    @property
    def _sides(self) -> tuple[float, float]:
        """Standard deviations of the halves, of the number or of its logarithm."""
        if self.kind == "normal":
            return (self.centre - self.low) / NORMAL_95, (self.high - self.centre) / NORMAL_95
        return (
            math.log(self.centre / self.low) / NORMAL_95,
            math.log(self.high / self.centre) / NORMAL_95,
        )


def _moment(sigma: float, n: int) -> float:
    return math.exp((n * sigma) ** 2 / 2)


def _phi(z: float) -> float:
    """Return the share of a normal distribution below z."""
    return (1 + math.erf(z / math.sqrt(2))) / 2


def spread_of(line: Line, entry: Input) -> Spread | None:
    """Return the spread of a number in a line; None if its source gives none.

    An amount has the row's ``uncertainty_pct``, else that of its kind (``amount_ranges.csv``); a factor its bounds, which are the ends of a 95 % interval. Bounds whose ratios to
    the value are nearer to each other than their distances make a lognormal distribution, others a normal one, cut off at 0 (a
    fraction at 1 too). What the source says of the distribution comes first.
    """
    factor = entry.factor
    if entry.role == "amount":
        pct = line.row.uncertainty_pct
        if pct == 0 or not factor.value:
            return None
        value = float(factor.value)
        half = value * float(usual_percent(line.row) if pct is None else pct) / 100
        return Spread(f"amount of {line.row.id}", "normal", value, value - half, value + half, 0.0)
    return spread_of_factor(factor)


def spread_of_factor(factor: Factor) -> Spread | None:
    """Return the spread of a factor; None if it has no bounds, or is a number given in a row."""
    if not factor.key or factor.value is None:
        return None
    value = float(factor.value)
    said = DISTRIBUTION.fullmatch(factor.distribution)
    if said and said["factor"] and value > 0:
        times = float(said["factor"])
        return Spread(
            factor.key, "lognormal", value, value / times, value * times, group=factor.group
        )
    if factor.low is None or factor.high is None or factor.low == factor.high:
        return None
    bounds = float(factor.low), float(factor.high)
    kind = said["kind"] if said else _kind_of_bounds(value, *bounds)
    # A factor below 0 is an uptake, which may be more or less but no emission.
    uptake = value < 0 and bounds[1] <= 0
    least = 0.0 if bounds[0] >= 0 else -math.inf
    most = 0.0 if uptake else 1.0 if factor.unit == "fraction" and value <= 1 else math.inf
    return Spread(factor.key, kind, value, *bounds, least, most, factor.group)


def usual_percent(row: ActivityRow) -> Fraction:
    """Return half of the 95 % interval of an amount of which the row says none, in percent: that of its kind."""
    return next(
        percent
        for activity, category, percent in _amount_ranges()
        if fnmatchcase(row.activity, activity) and fnmatchcase(row.category, category)
    )


@cache
def _amount_ranges() -> tuple[tuple[str, str, Fraction], ...]:
    table = packaged_table("inventory/amount_ranges.csv")
    return tuple(
        (activity, category, Fraction(percent))
        for activity, category, percent in zip(
            table["activity"], table["category"], table["percent"], strict=True
        )
    )


def _kind_of_bounds(value: float, low: float, high: float) -> str:
    if low <= 0 or value <= 0:
        return "normal"
    ratios = abs(math.log(high / value) - math.log(value / low)) / math.log(high / low)
    distances = abs((high - value) - (value - low)) / (high - low)
    return "lognormal" if ratios < distances else "normal"
