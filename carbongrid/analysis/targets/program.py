"""The linear program of a joint plan: the least cost at which units reach their targets within limits, by HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from carbongrid.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.analysis.targets.limits import Limit

WHOLE = 1e-9
"""A share of a parcel this close to 0 or 1 is that."""


@dataclass(frozen=True)
class Step:
    """What one variable of the program does when it is 1; in between, that part of it.

    Parameters
    ----------
    do
        ``cut``, ``convert`` or ``gdp``.
    limit
        The row that allows it.
    unit
        Row of the unit.
    names
        Categories that are cut.
    parcel
        Row of the parcel that is converted.
    amount
        Of all of it: g, ha, or the case's unit of GDP.
    """

    do: str
    limit: Limit
    unit: int
    names: tuple[str, ...] = ()
    parcel: int = -1
    amount: float = 0.0


class Cap(NamedTuple):
    """A sum over variables that may not be more than ``most``; of a limit (None: of land that is there once) and a unit (-1: of all together)."""

    limit: Limit | None
    unit: int
    row: dict[int, float]
    most: float


@dataclass(frozen=True)
class Need:
    """An index of a unit that is to be high: emission at most ``ratio`` times its sink, or GDP, which is its ``part``."""

    unit: int
    index: str
    ratio: Fraction
    part: int
    emission: int
    must: bool
    """Whether it is a target; else it is high now, and has to stay so."""

    @property
    def now(self) -> Fraction:
        """ratio*part - C_i, g: below 0 by what is missing."""
        return self.ratio * self.part - self.emission


@dataclass(frozen=True, eq=False)
class Program:
    """Variables, what each does to units, and what bounds them.

    Parameters
    ----------
    steps
        One for each variable.
    emission, sink, gdp
        CSR [unit, variable]: what a variable at 1 adds, g and currency units.
    cost
        Of each variable at 1.
    upper
        Most of each variable, at most 1.
    caps
        Sums that are bounded.
    needs
        Indices that are to be high.
    """

    steps: Sequence[Step]
    emission: Any
    sink: Any
    gdp: Any
    cost: NDArray[np.float64]
    upper: NDArray[np.float64]
    caps: Sequence[Cap]
    needs: Sequence[Need]

    @cached_property
    def matrix(self) -> Any:
        """Rows A of A x <= b: of the needs, scaled by each unit's emission, then of the caps, scaled by the bounds."""
        rows = [need.unit for need in self.needs]
        economic = np.array([need.index == "ecc" for need in self.needs], np.float64)
        ratio = np.array([float(need.ratio) for need in self.needs])
        parts = _scaled(self.gdp[rows], ratio * economic) + _scaled(self.sink[rows], ratio * (1 - economic))  # fmt: skip
        scale = np.array([1 / max(need.emission, 1) for need in self.needs])
        needs = _scaled(self.emission[rows] - parts, scale)
        cells = [(number, place, value / (cap.most or 1.0)) for number, cap in enumerate(self.caps) for place, value in cap.row.items()]  # fmt: skip
        at, places, values = zip(*cells, strict=True) if cells else ((), (), ())
        caps = sparse.csr_array((values, (at, places)), shape=(len(self.caps), len(self.steps)))
        return sparse.vstack([needs, caps], format="csr")

    @cached_property
    def columns(self) -> Any:
        """The same by variables, CSC."""
        return self.matrix.tocsc()

    @cached_property
    def parcels(self) -> NDArray[np.bool_]:
        """Which variables convert a parcel."""
        return np.array([step.do == "convert" for step in self.steps], bool)

    def beyond_reach(self) -> tuple[Need, ...]:
        """Return the targets of units that have none of the sink or GDP, where no variable gives them any: no cut lifts them."""
        columns = {"ecc": self.gdp, "esc": self.sink}
        return tuple(
            need
            for need in self.needs
            if need.must and not need.part and not (columns[need.index][[need.unit]].data > 0).any()
        )

    def bounds(self, margin: Sequence[float]) -> NDArray[np.float64]:
        """Return b of A x <= b, ``margin`` g being kept between each target and what is reached."""
        found = []
        for need, more in zip(self.needs, margin, strict=True):
            # A unit that is at its boundary now cannot have more than that.
            kept = more if need.must else min(more, float(need.now))
            found.append((float(need.now) - kept) / max(need.emission, 1))
        return np.array([*found, *(float(cap.most > 0) for cap in self.caps)])


def _scaled(rows: Any, factors: NDArray[np.float64]) -> Any:
    return sparse.diags_array(factors, format="csr") @ rows if len(factors) else rows


class Short(NamedTuple):
    """A target that the limits do not allow: how much emission is too much, whatever is done."""

    need: Need
    grams: float


@dataclass(frozen=True, eq=False)
class Solution:
    """What the program says.

    Parameters
    ----------
    x
        The variables; of an infeasible program those with the least that is missing.
    short
        What is missing; empty where the program has a solution.
    binding
        Limits that are used up, and the unit (-1: all together); of an infeasible program those that are in the way.
    """

    x: NDArray[np.float64]
    short: tuple[Short, ...] = ()
    binding: tuple[tuple[Limit, int], ...] = ()
    cost: float = 0.0
    """Of the variables."""
    least: float = 0.0
    """What nothing that reaches the targets within the limits costs less than, whichever parcels it converts, whole or in part."""
    in_parts: bool = False
    """Whether parts of parcels would do where whole ones were not found to."""
    proven: bool = False
    """Whether no choice of whole ones does."""
    beyond_worth: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Of each variable what it costs beyond what it is worth by the prices of needs and caps."""


@dataclass
class Bounds:
    """What each variable is at least and at most, and grams kept between each need and what is reached."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    margin: Sequence[float]


def least_cost(program: Program, bounds: Bounds) -> Solution:
    """Return the least cost between some bounds, parcels being converted in parts as well; what is missing where no plan reaches the targets."""
    matrix, right = program.matrix, program.bounds(bounds.margin)
    if not program.steps:
        return _least_missing(program, bounds, matrix, right) if (right < 0).any() else Solution(np.zeros(0))  # fmt: skip
    scale = float(program.cost.max(initial=0)) or 1.0
    found = _solved(program.cost / scale, matrix, right, bounds.lower, bounds.upper)
    if found.status == 0:
        x = np.clip(found.x, bounds.lower, bounds.upper)
        binding = _binding(program, x, found, len(program.needs))
        prices = np.maximum(-scale * found.ineqlin.marginals, 0.0)
        beyond = program.cost + program.matrix.T @ prices
        least = _least_by_prices(program, bounds, prices, beyond)
        return Solution(x, (), binding, float(program.cost @ x), least, beyond_worth=beyond)
    return _least_missing(program, bounds, matrix, right)


def _least_by_prices(
    program: Program, bounds: Bounds, prices: NDArray[np.float64], beyond: NDArray[np.float64]
) -> float:
    """Return what nothing costs less than that reaches the targets, with nothing kept for rounding.

    Whatever the prices y >= 0 of the rows are: where A x <= b, c x >= c x + y (A x - b), of which the least between the bounds is known. So it holds with what the solver takes for nothing as well.
    """
    least = np.where(beyond < 0, bounds.upper, bounds.lower) @ beyond
    return float(least - prices @ program.bounds([0.0] * len(program.needs)))


def _least_missing(
    program: Program, bounds: Bounds, matrix: Any, right: NDArray[np.float64]
) -> Solution:
    """Return what comes nearest to the targets, and what is in the way."""
    count = len(program.needs)
    aims = [number for number, need in enumerate(program.needs) if need.must]
    slack = sparse.csr_array((-np.ones(len(aims)), (aims, range(len(aims)))), shape=(matrix.shape[0], len(aims)))  # fmt: skip
    cost = np.append(np.zeros(len(program.steps)), np.ones(len(aims)))
    lower, upper = np.append(bounds.lower, np.zeros(len(aims))), np.append(bounds.upper, np.full(len(aims), np.inf))  # fmt: skip
    found = _solved(cost, sparse.hstack([matrix, slack], format="csr"), right, lower, upper)
    if found.status != 0:
        raise RunError(f"the linear program was not solved: {found.message}")
    x, missing = found.x[: len(program.steps)], found.x[len(program.steps) :]
    short = tuple(
        Short(
            program.needs[number],
            _without_margin(program.needs[number], float(part), bounds.margin[number]),
        )
        for number, part in zip(aims, missing, strict=True)
        if part > 1e-12
    )
    return Solution(x, short, _binding(program, x, found, count))


def _without_margin(need: Need, part: float, margin: float) -> float:
    """Return grams that a target is missed by: what is kept between it and what is reached is none of them."""
    return max(part * max(need.emission, 1) - margin, 0.0)


def _binding(
    program: Program, x: NDArray[np.float64], found: Any, needs: int
) -> tuple[tuple[Limit, int], ...]:
    """Return the limits whose loosening would help, by the solver's prices."""
    prices = found.ineqlin.marginals[needs:]
    tight = [(cap.limit, cap.unit) for cap, price in zip(program.caps, prices, strict=True) if price < -1e-12 and cap.limit]  # fmt: skip
    own = found.upper.marginals[: len(program.steps)]
    groups: dict[tuple[Limit, int], list[int]] = {}
    for place, step in enumerate(program.steps):
        groups.setdefault((step.limit, step.unit), []).append(place)
    for key, places in groups.items():
        used_up = all(x[place] >= program.upper[place] - WHOLE for place in places)
        if used_up and any(own[place] < -1e-12 for place in places):
            tight.append(key)
    return tuple(dict.fromkeys(tight))


def _solved(
    cost: NDArray[np.float64],
    matrix: Any,
    right: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> Any:
    from scipy.optimize import linprog

    return linprog(  # type: ignore[call-overload]  # takes sparse constraints, as its page says
        cost,
        A_ub=matrix,
        b_ub=right,
        bounds=np.column_stack([lower, upper]),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
