"""The linear program of a joint plan: the least cost at which units reach their targets within limits, by HiGHS."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from carbongrid.errors import RunError
from carbongrid.raster.portable import compiled_says_to_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.analysis.targets.limits import Limit

_WHOLE = 1e-9
"""A share of a parcel this close to 0 or 1 is that."""

_NOTHING = 1e-12
"""Of a cap, as floats are added up."""

_ROUNDS = 200
"""Of whole parcels, one after the other; then what is open stays as it is."""

_FEW_PARCELS, _NODES = 200, 500
"""Of so many parcels that may be converted the cheapest choice is looked for, in so many nodes at most."""

_MANY_PARCELS, _NODES_OF_MANY = 10_000, 20
"""Of more, up to so many, one that is near the cheapest, in so many nodes: 10,000 in 60 units took 13 s. Of more than that those that are nearest to being worth it."""

_NEAR, _DEAR = 1e-3, 1e-2
"""Of many parcels a plan that may cost so little more than the cheapest is not made better; what may cost so much more is held against parcel by parcel, but of more than ``_MANY_PARCELS``: that takes minutes of 100,000."""

_NONE_THERE_IS = 2
"""What SciPy says of a program without a solution."""


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
class _Bounds:
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    margin: Sequence[float] = field(default_factory=list)


def solve(program: Program, margin: Sequence[float]) -> Solution:
    """Return the least cost with parcels converted whole or not at all.

    Parameters
    ----------
    program
        The program.
    margin
        Grams kept between each need and what is reached.

    Notes
    -----
    The program with parts of parcels is solved by HiGHS. Where some are in part, it looks for the cheapest choice of whole ones by integer programming, of many parcels for one that is near to it. Where none is found, or one that may be
    dearer by more than a hundredth, parcels are made whole one after the other as well, and the cheaper plan is taken.
    """
    bounds = _Bounds(np.zeros(len(program.steps)), program.upper.copy(), margin)
    parcels = np.array([step.do == "convert" for step in program.steps], bool)
    in_parts = _least_cost(program, bounds)
    if in_parts.short:
        return in_parts
    if not _parts(in_parts.x, parcels).size:
        return _whole(program, np.where(parcels, np.round(in_parts.x), in_parts.x), in_parts)
    best = _best_choice(program, margin, parcels, in_parts)
    found = None if best.x is None else _whole(program, best.x, in_parts, best.least)
    many = np.count_nonzero(parcels) > _MANY_PARCELS
    if found is not None and (many or found.cost <= found.least * (1 + _DEAR)):
        return found
    tried = _parcel_by_parcel(program, bounds, in_parts.x, parcels)
    if not tried.short and (found is None or tried.cost < found.cost):
        return _whole(program, tried.x, in_parts, best.least)
    return found or dataclasses.replace(tried, binding=in_parts.binding, in_parts=True, proven=best.none)  # fmt: skip


def _parts(x: NDArray[np.float64], parcels: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the places of parcels that are converted in part."""
    return np.flatnonzero(parcels & (x > _WHOLE) & (x < 1 - _WHOLE))


def _parcel_by_parcel(
    program: Program, bounds: _Bounds, x: NDArray[np.float64], parcels: NDArray[np.bool_]
) -> Solution:
    """Make parcels whole one after the other; what is missing where that reaches no plan.

    Of a solution, parcels that are whole are kept; of one that is in part all is converted where the caps allow it, the largest part first, else nothing of it; then the rest is solved again. At a vertex as
    many parcels are in part as there are needs and caps at most, so that little is converted beyond what the program asks for. At last each parcel that was in part is left out again where cuts and GDP in its
    place cost less, and so is every parcel without which all needs hold: what was converted beyond need takes the place of others.
    """
    completed, columns = list[int](), program.matrix.tocsc()
    for _ in range(_ROUNDS):
        bounds.lower[parcels & (bounds.upper > 0) & (x >= 1 - _WHOLE)] = 1.0
        left = program.bounds(bounds.margin) - columns @ bounds.lower
        for place in sorted(_parts(x, parcels).tolist(), key=lambda place: (-x[place], place)):
            cells = slice(*columns.indptr[place : place + 2])
            rows, more = columns.indices[cells], columns.data[cells]
            caps = rows >= len(program.needs)
            if (left[rows] - more >= -_NOTHING)[caps].all():
                bounds.lower[place] = 1.0
                left[rows] -= more
                completed.append(place)
            else:
                bounds.upper[place] = 0.0
        found = _least_cost(program, bounds)
        if found.short:
            return found
        x = found.x
        if not _parts(x, parcels).size:
            break
    else:
        bounds.upper[parcels] = bounds.lower[parcels]
        found = _least_cost(program, bounds)
        if found.short:
            return found
    x = np.where(parcels, np.round(found.x), found.x)
    x = _without_dear_parcels(program, x, bounds.margin, completed)
    x = _without_needless_parcels(program, x, bounds.margin)
    return Solution(x, cost=float(program.cost @ x))


def _without_needless_parcels(
    program: Program, x: NDArray[np.float64], margin: Sequence[float]
) -> NDArray[np.float64]:
    """Leave out parcels, the dearest first, without which all needs hold, nothing else being done in their place."""
    x, columns = x.copy(), program.matrix.tocsc()
    left = program.bounds(margin) - columns @ x
    converted = [n for n, step in enumerate(program.steps) if step.do == "convert" and x[n] == 1]
    for place in sorted(converted, key=lambda place: (-program.cost[place], place)):
        cells = slice(*columns.indptr[place : place + 2])
        rows, without = columns.indices[cells], columns.data[cells]
        if (left[rows] + without >= 0)[without < 0].all():
            x[place] = 0.0
            left[rows] += without
    return x


def _without_dear_parcels(
    program: Program, x: NDArray[np.float64], margin: Sequence[float], completed: Sequence[int]
) -> NDArray[np.float64]:
    """Leave out parcels that were converted whole for a part of them, one after the other, where something else costs less."""
    parcels = np.array([step.do == "convert" for step in program.steps], bool)
    for place in sorted(completed, key=lambda place: (-program.cost[place], place)):
        lower, upper = np.where(parcels, x, 0.0), np.where(parcels, x, program.upper)
        lower[place] = upper[place] = 0.0
        found = _least_cost(program, _Bounds(lower, upper, margin))
        if not found.short and program.cost @ found.x < program.cost @ x:
            x = np.where(parcels, lower, found.x)
    return x


class _Choice(NamedTuple):
    """A choice of whole parcels by integer programming, with what is done beside it; None where none was found."""

    x: NDArray[np.float64] | None = None
    least: float = -np.inf
    """What no choice costs less than."""
    none: bool = False
    """Whether there is no choice."""


def _best_choice(
    program: Program, margin: Sequence[float], parcels: NDArray[np.bool_], in_parts: Solution
) -> _Choice:
    """Look for the cheapest choice of whole parcels, of many for one that is near to it, of more than that among those whose cost is nearest to their worth."""
    helping = np.diff(program.matrix[: len(program.needs)].tocsc().indptr) > 0
    open_ = parcels & (program.upper > 0) & helping
    all_are_open = np.count_nonzero(open_) <= _MANY_PARCELS
    if not all_are_open:
        some = np.flatnonzero(open_)
        open_[some[_nearest_last(program, in_parts, some)[:-_MANY_PARCELS]]] = False
    search = _Search(program, parcels, open_, np.where(parcels & helping, np.floor(in_parts.x + _WHOLE), 0.0), in_parts.cost)  # fmt: skip
    # First with nothing kept for rounding: what is said of all choices is to hold of each that reaches the targets.
    every = search.solved([0.0] * len(margin))
    x = None if every.x is None else _beside(program, margin, parcels, search.whole(every.x))
    if x is None and every.status != _NONE_THERE_IS:
        other = search.solved(margin)
        x = None if other.x is None else _beside(program, margin, parcels, search.whole(other.x))
    if not all_are_open:
        return _Choice(x)
    least = -np.inf if every.mip_dual_bound is None else every.mip_dual_bound * search.one
    return _Choice(x, float(least), every.status == _NONE_THERE_IS)


def _nearest_last(program: Program, in_parts: Solution, some: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the order of parcels by how far what they cost is from what they are worth, those that are in part last.

    Of equal ones, as where all land of a code does the same for the same cost, those that come last are drawn, so that some of each unit, converted and not, are among them.
    """
    cost = program.cost[some]
    away = np.abs(in_parts.beyond_worth[some]) / np.where(cost > 0, cost, 1.0)
    in_part = np.isin(some, _parts(in_parts.x, np.ones(len(in_parts.x), bool)))
    drawn = np.random.default_rng(0).permutation(some.size)
    return np.lexsort((drawn, -np.round(np.minimum(away, 1.0), 9), in_part))


@dataclass(frozen=True, eq=False)
class _Search:
    """Integer programming over some of the parcels, the others being as they are in ``rest``."""

    program: Program
    parcels: NDArray[np.bool_]
    open: NDArray[np.bool_]
    rest: NDArray[np.float64]
    about: float
    """What a plan costs."""

    @cached_property
    def one(self) -> float:
        """What a cost of 1 stands for: costs are held against those of a plan, since HiGHS takes a millionth for nothing, and what nobody does may cost any sum."""
        return (self.about or float(self.program.cost.max(initial=0)) or 1.0) / 1000

    def whole(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all variables, given those that are looked for."""
        found = self.rest.copy()
        found[self.open | ~self.parcels] = x
        return found

    def solved(self, margin: Sequence[float]) -> Any:
        """Return what HiGHS says of the variables that are looked for."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        program, some = self.program, self.open | ~self.parcels
        columns = program.matrix.tocsc()
        rows = columns[:, some]
        # SciPy 1.14 takes short indices only.
        rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
        left = program.bounds(margin) - columns[:, ~some] @ self.rest[~some]
        few = np.count_nonzero(self.open) <= _FEW_PARCELS
        # HiGHS writes a line by itself, of 1 in 400 drawn programs, with presolve of 1 in 30: among what --json says.
        with compiled_says_to_errors():
            return milp(
                program.cost[some] / self.one,
                integrality=self.parcels[some].astype(np.uint8),
                bounds=Bounds(np.zeros(rows.shape[1]), program.upper[some]),
                constraints=LinearConstraint(rows, -np.inf, left),
                options={"node_limit": _NODES if few else _NODES_OF_MANY, "mip_rel_gap": 0.0 if few else _NEAR, "presolve": False},
            )  # fmt: skip


def _beside(
    program: Program, margin: Sequence[float], parcels: NDArray[np.bool_], x: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return a choice of parcels, with what is done beside it solved for anew, to the last digit; None where that falls short."""
    chosen = np.round(x) + 0.0
    lower, upper = np.where(parcels, chosen, 0.0), np.where(parcels, chosen, program.upper)
    found = _least_cost(program, _Bounds(lower, upper, margin))
    if found.short:
        return None
    return _without_needless_parcels(program, np.where(parcels, chosen, found.x), margin)


def _whole(
    program: Program, x: NDArray[np.float64], in_parts: Solution, least: float = -np.inf
) -> Solution:
    """Return a choice of whole parcels, with the better of two bounds on what any costs."""
    return Solution(x, (), in_parts.binding, float(program.cost @ x), max(in_parts.least, least))


def _least_cost(program: Program, bounds: _Bounds) -> Solution:
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
    program: Program, bounds: _Bounds, prices: NDArray[np.float64], beyond: NDArray[np.float64]
) -> float:
    """Return what nothing costs less than that reaches the targets, with nothing kept for rounding.

    Whatever the prices y >= 0 of the rows are: where A x <= b, c x >= c x + y (A x - b), of which the least between the bounds is known. So it holds with what the solver takes for nothing as well.
    """
    least = np.where(beyond < 0, bounds.upper, bounds.lower) @ beyond
    return float(least - prices @ program.bounds([0.0] * len(program.needs)))


def _least_missing(
    program: Program, bounds: _Bounds, matrix: Any, right: NDArray[np.float64]
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
        used_up = all(x[place] >= program.upper[place] - _WHOLE for place in places)
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
