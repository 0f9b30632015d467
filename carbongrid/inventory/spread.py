"""How far a number may be off: the distribution that its source gives it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbongrid.inventory.lines import Input, Line

NORMAL_95 = 1.959963984540054
"""Half of a normal distribution's 95 % interval, in standard deviations."""

_LOGNORMAL = re.compile(r"lognormal(?: x(?P<factor>\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class Spread:
    """The distribution of one uncertain number, shared by all lines that use it.

    Parameters
    ----------
    key
        The factor, or the row whose amount it is.
    kind
        ``normal`` (truncated at ``least`` and ``most``) or ``lognormal``.
    centre
        Mean of the normal, median of the lognormal, in the factor's unit.
    deviation
        Standard deviation of the number, or of its logarithm.
    least, most
        What it cannot be below or above.
    """

    key: str
    kind: str
    centre: float
    deviation: float
    least: float = -math.inf
    most: float = math.inf

    @property
    def linear_deviation(self) -> float:
        """Standard deviation of the number itself, for approach 1."""
        if self.kind == "normal":
            return self.deviation
        variance = self.deviation**2
        return self.centre * math.sqrt(math.exp(variance) * (math.exp(variance) - 1))

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n draws; a truncated normal is drawn again where it falls outside."""
        if self.kind == "lognormal":
            return self.centre * np.exp(generator.normal(0.0, self.deviation, n))
        values = generator.normal(self.centre, self.deviation, n)
        outside = (values < self.least) | (values > self.most)
        while outside.any():
            values[outside] = generator.normal(self.centre, self.deviation, int(outside.sum()))
            outside = (values < self.least) | (values > self.most)
        return values


def spread_of(line: Line, entry: Input) -> Spread | None:
    """Return the spread of a number in a line; None if its source gives none.

    An amount has the row's ``uncertainty_pct``; a factor its bounds, which are the ends of a 95 % interval. Bounds as far from the
    value on both sides make a normal distribution, cut off at 0 (a fraction at 1 too); bounds whose ratios to the value are
    nearer to each other than their distances make a lognormal one.
    """
    factor = entry.factor
    if entry.role == "amount":
        pct = line.row.uncertainty_pct
        if not pct or not factor.value:
            return None
        deviation = float(factor.value) * float(pct) / 100 / NORMAL_95
        return Spread(f"amount of {line.row.id}", "normal", float(factor.value), deviation, 0.0)
    if not factor.key or factor.value is None:
        return None
    value = float(factor.value)
    said = _LOGNORMAL.fullmatch(factor.distribution)
    if said and said["factor"] and value > 0:
        return Spread(factor.key, "lognormal", value, math.log(float(said["factor"])) / NORMAL_95)
    if factor.low is None or factor.high is None or factor.low == factor.high:
        return None
    return _of_bounds(
        factor.key,
        value,
        float(factor.low),
        float(factor.high),
        _is_fraction(entry),
        said is not None,
    )


def _of_bounds(
    key: str, value: float, low: float, high: float, fraction: bool, lognormal: bool
) -> Spread:
    if low > 0 and value > 0:
        ratios = abs(math.log(high / value) - math.log(value / low)) / math.log(high / low)
        distances = abs((high - value) - (value - low)) / (high - low)
        if lognormal or ratios < distances:
            return Spread(key, "lognormal", value, math.log(high / low) / (2 * NORMAL_95))
    # A factor below 0 is an uptake, which may be more or less but no emission.
    least, most = (
        (-math.inf, 0.0) if value < 0 and high <= 0 else (0.0 if low >= 0 else -math.inf, math.inf)
    )
    if fraction and value <= 1:
        most = min(most, 1.0)
    return Spread(key, "normal", value, (high - low) / (2 * NORMAL_95), least, most)


def _is_fraction(entry: Input) -> bool:
    return entry.factor.unit == "fraction"
