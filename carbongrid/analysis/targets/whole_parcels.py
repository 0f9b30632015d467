"""Parcels of a joint plan are converted whole or not at all: the cheapest choice that is found, and what none costs less than."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from carbongrid.analysis.targets.program import WHOLE, Bounds, Program, Solution, least_cost
from carbongrid.raster.portable import compiled_says_to_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW_PARCELS, _NODES = 200, 500
"""Of so many parcels that may be converted the cheapest choice is looked for, in so many nodes at most."""

_MANY_PARCELS, _NODES_OF_MANY = 10_000, 20
"""Of more, up to so many, one that is near the cheapest, in so many nodes; of more than that among those that are nearest to being worth it."""

_NEAR = 1e-3
"""Of many parcels a plan that may cost so little more than the cheapest is not made better."""

_ROUNDS = 200
"""Of whole parcels, one after the other; then what is open stays as it is."""

_NOTHING = 1e-12
"""Of a cap, as floats are added up."""

_NONE_THERE_IS = 2
"""What SciPy says of a program without a solution."""


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
    The program with parts of parcels is solved by HiGHS. Where some are in part, it looks for the cheapest choice of whole ones by integer programming, of many parcels for one that is near to it. Where none is found
    parcels are made whole one after the other, which costs more (docs/decisions/0078).
    """
    # Land that does nothing for any need, which costs nothing, would be as near to being worth it as can be.
    upper = np.where(program.parcels & ~_helping(program), 0.0, program.upper)
    bounds = Bounds(np.zeros(len(program.steps)), upper, margin)
    in_parts = least_cost(program, bounds)
    if in_parts.short:
        return in_parts
    if not _parts(program, in_parts.x).size:
        return _whole(program, in_parts.x, in_parts)
    best = _best_choice(program, bounds, in_parts)
    if best.x is not None:
        return _whole(program, best.x, in_parts, best.least)
    tried = _parcel_by_parcel(program, bounds, in_parts.x)
    if tried.short:
        return dataclasses.replace(tried, binding=in_parts.binding, in_parts=True, proven=best.none)
    return _whole(program, tried.x, in_parts, best.least)


def _helping(program: Program) -> NDArray[np.bool_]:
    """Return which variables change the index of a need."""
    found: NDArray[np.bool_] = np.asarray(abs(program.matrix[: len(program.needs)]).sum(axis=0)).ravel() > 0  # fmt: skip
    return found


def _parts(program: Program, x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of parcels that are converted in part."""
    return np.flatnonzero(program.parcels & (x > WHOLE) & (x < 1 - WHOLE))


def _whole(
    program: Program, x: NDArray[np.float64], in_parts: Solution, least: float = -np.inf
) -> Solution:
    """Return a choice of parcels that are whole but for what floats are off by, with the better of two bounds on what any costs."""
    x = np.where(program.parcels, np.round(x), x)
    return Solution(x, (), in_parts.binding, float(program.cost @ x), max(in_parts.least, least))


class _Choice(NamedTuple):
    """A choice of whole parcels by integer programming, with what is done beside it; None where none was found."""

    x: NDArray[np.float64] | None = None
    least: float = -np.inf
    """What no choice costs less than."""
    none: bool = False
    """Whether there is no choice."""


def _best_choice(program: Program, bounds: Bounds, in_parts: Solution) -> _Choice:
    """Look for the cheapest choice of whole parcels, of many for one that is near to it, of more than that among those whose cost is nearest to their worth."""
    open_ = program.parcels & (bounds.upper > 0)
    all_are_open = np.count_nonzero(open_) <= _MANY_PARCELS
    if not all_are_open:
        open_[_nearest_last(program, in_parts, np.flatnonzero(open_))[:-_MANY_PARCELS]] = False
    search = _Search(program, open_, in_parts)
    # First with nothing kept for rounding: what is said of all choices is to hold of each that reaches the targets.
    every = search.solved([0.0] * len(program.needs))
    x = None if every.x is None else _beside(program, bounds, search.whole(every.x))
    if x is None and every.status != _NONE_THERE_IS:
        other = search.solved(bounds.margin)
        x = None if other.x is None else _beside(program, bounds, search.whole(other.x))
    if not all_are_open:
        return _Choice(x)
    least = -np.inf if every.mip_dual_bound is None else every.mip_dual_bound * search.one
    return _Choice(x, float(least), every.status == _NONE_THERE_IS)


def _nearest_last(
    program: Program, in_parts: Solution, places: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return places of parcels by how far what they cost is from what they are worth, those that are in part last.

    Equal ones, as where all land of a code does the same for the same cost, are in a drawn order, so that of each unit some that are converted and some that are not come last.
    """
    cost = program.cost[places]
    away = np.abs(in_parts.beyond_worth[places]) / np.where(cost > 0, cost, 1.0)
    in_part = np.isin(places, _parts(program, in_parts.x))
    drawn = np.random.default_rng(0).permutation(places.size)
    return places[np.lexsort((drawn, -np.round(np.minimum(away, 1.0), 9), in_part))]


@dataclass(frozen=True, eq=False)
class _Search:
    """Integer programming over parcels that are ``open``, and all that is no parcel; other parcels are as in ``in_parts``."""

    program: Program
    open: NDArray[np.bool_]
    in_parts: Solution

    @cached_property
    def one(self) -> float:
        """What a cost of 1 stands for: costs are held against those of the plan in parts, since HiGHS takes a millionth for nothing, and what nobody does may cost any sum."""
        return (self.in_parts.cost or float(self.program.cost.max(initial=0)) or 1.0) / 1000

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """Which variables are looked for."""
        return self.open | ~self.program.parcels

    def whole(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all variables, given those that are looked for."""
        found = np.floor(self.in_parts.x + WHOLE)
        found[self.asked] = x
        return found

    def solved(self, margin: Sequence[float]) -> Any:
        """Return what HiGHS says of the variables that are looked for."""
        from scipy import optimize

        program, asked = self.program, self.asked
        rows = program.columns[:, asked]
        # SciPy 1.14 takes short indices only.
        rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
        left = program.bounds(margin) - program.matrix @ self.whole(np.zeros(rows.shape[1]))
        few = np.count_nonzero(self.open) <= _FEW_PARCELS
        # HiGHS writes a line by itself, of 1 in 400 drawn programs, with presolve of 1 in 30: among what --json says.
        with compiled_says_to_errors():
            return optimize.milp(
                program.cost[asked] / self.one,
                integrality=program.parcels[asked].astype(np.uint8),
                bounds=optimize.Bounds(np.zeros(rows.shape[1]), program.upper[asked]),
                constraints=optimize.LinearConstraint(rows, -np.inf, left),
                options={"node_limit": _NODES if few else _NODES_OF_MANY, "mip_rel_gap": 0.0 if few else _NEAR, "presolve": False},
            )  # fmt: skip


def _beside(program: Program, bounds: Bounds, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return a choice of parcels, with what is done beside it solved for anew, to the last digit; None where that falls short."""
    found = least_cost(program, _with_parcels_of(program, bounds, np.round(x)))
    return None if found.short else _without_needless_parcels(program, found.x, bounds.margin)


def _with_parcels_of(program: Program, bounds: Bounds, x: NDArray[np.float64]) -> Bounds:
    """Return bounds between which parcels are as they are in a solution."""
    parcels = program.parcels
    return Bounds(np.where(parcels, x, 0.0), np.where(parcels, x, program.upper), bounds.margin)


def _parcel_by_parcel(program: Program, bounds: Bounds, x: NDArray[np.float64]) -> Solution:
    """Make parcels whole one after the other; what is missing where that reaches no plan.

    Of a solution, parcels that are whole are kept; of one that is in part all is converted where the caps allow it, the largest part first, else nothing of it; then the rest is solved again. At a vertex as
    many parcels are in part as there are needs and caps at most, so that little is converted beyond what the program asks for. At last each parcel that was in part is left out again where cuts and GDP in its
    place cost less, and so is every parcel without which all needs hold: what was converted beyond need takes the place of others.
    """
    parcels, columns = program.parcels, program.columns
    lower, upper, completed = bounds.lower.copy(), bounds.upper.copy(), list[int]()
    for _ in range(_ROUNDS):
        lower[parcels & (upper > 0) & (x >= 1 - WHOLE)] = 1.0
        left = program.bounds(bounds.margin) - program.matrix @ lower
        for place in sorted(_parts(program, x).tolist(), key=lambda place: (-x[place], place)):
            cells = slice(*columns.indptr[place : place + 2])
            rows, more = columns.indices[cells], columns.data[cells]
            of_caps = rows >= len(program.needs)
            if (left[rows] - more >= -_NOTHING)[of_caps].all():
                lower[place] = 1.0
                left[rows] -= more
                completed.append(place)
            else:
                upper[place] = 0.0
        found = least_cost(program, Bounds(lower, upper, bounds.margin))
        if found.short or not _parts(program, found.x).size:
            break
        x = found.x
    else:
        found = least_cost(program, _with_parcels_of(program, bounds, lower))
    if found.short:
        return found
    x = _whole(program, found.x, found).x
    x = _without_dear_parcels(program, bounds, x, completed)
    x = _without_needless_parcels(program, x, bounds.margin)
    return Solution(x, cost=float(program.cost @ x))


def _without_dear_parcels(
    program: Program, bounds: Bounds, x: NDArray[np.float64], completed: Sequence[int]
) -> NDArray[np.float64]:
    """Leave out parcels that were converted whole for a part of them, one after the other, where something else costs less."""
    for place in sorted(completed, key=lambda place: (-program.cost[place], place)):
        without = x.copy()
        without[place] = 0.0
        found = least_cost(program, _with_parcels_of(program, bounds, without))
        if not found.short and found.cost < program.cost @ x:
            x = found.x
    return x


def _without_needless_parcels(
    program: Program, x: NDArray[np.float64], margin: Sequence[float]
) -> NDArray[np.float64]:
    """Leave out parcels, the dearest first, without which all needs hold, nothing else being done in their place."""
    x, columns = x.copy(), program.columns
    left = program.bounds(margin) - program.matrix @ x
    converted = np.flatnonzero(program.parcels & (x == 1)).tolist()
    for place in sorted(converted, key=lambda place: (-program.cost[place], place)):
        cells = slice(*columns.indptr[place : place + 2])
        rows, without = columns.indices[cells], columns.data[cells]
        if (left[rows] + without >= 0)[without < 0].all():
            x[place] = 0.0
            left[rows] += without
    return x
