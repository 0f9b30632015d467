"""Joint plans of whole parcels (asv): made units and fields, with and without a cap in common; ``python benchmarks/bench_plans.py`` tells how dear they are."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
from scipy import sparse

from carbongrid.analysis.targets.limits import Limit
from carbongrid.analysis.targets.program import Bounds, Cap, Need, Program, Step, least_cost
from carbongrid.analysis.targets.whole_parcels import solve

SIZES = ((20, 1_000), (20, 2_000), (60, 5_000), (100, 10_000))
LARGE = ((100, 30_000), (300, 100_000))
MISSING = (0.1, 0.3)
"""Of what all fields of a unit would save: emission that is too much."""


def made(units: int, fields: int, missing: float) -> Program:
    """Fields of all sizes, of which a fifth lies in two units, take emission and give a sink; cuts are dear."""
    draws = np.random.default_rng(units)
    home, area = draws.integers(units, size=fields), draws.lognormal(1, 1, fields)
    both = np.flatnonzero(draws.random(fields) < 0.2)
    place = (np.r_[home, (home[both] + 1) % units], np.r_[np.arange(fields), both])
    saved = np.r_[area * draws.uniform(0.5, 2, fields), area[both] * draws.uniform(0.1, 0.5, both.size)]  # fmt: skip
    sink = np.r_[area * draws.uniform(0.5, 2, fields), 0.2 * area[both]]
    whole = np.bincount(place[0], saved, units)
    cuts = (np.arange(units), fields + np.arange(units))
    shape = (units, fields + units)
    limit = Limit(2, "convert", code="0103", to="0301", cost=2.0)
    needs = [
        Need(unit, index, ratio, int((10 * grams - float(ratio) * missing * grams) / ratio), int(10 * grams), must=True)
        for index, ratio in (("ecc", Fraction(1)), ("esc", Fraction(5)))
        for unit, grams in enumerate(whole)
    ]  # fmt: skip
    return Program(
        [
            *(Step("convert", limit, unit, parcel=number) for number, unit in enumerate(home.tolist())),
            *(Step("cut", limit, unit, names=("industry/mining",)) for unit in range(units)),
        ],
        emission=sparse.csr_array((-np.r_[saved, 0.3 * whole], (np.r_[place[0], cuts[0]], np.r_[place[1], cuts[1]])), shape),
        sink=sparse.csr_array((sink, place), shape),
        gdp=sparse.csr_array(shape),
        cost=np.r_[2 * area, 9 * whole],
        upper=np.ones(fields + units),
        caps=(),
        needs=needs,
    )  # fmt: skip


def under_a_cap(asked: Program, part: float = 0.95) -> Program:
    """Allow less land than the plan in parts of parcels takes."""
    areas = np.where(asked.parcels, asked.cost / 2, 0.0)
    bounds = Bounds(np.zeros(areas.size), asked.upper, [0.0] * len(asked.needs))
    most = part * float(areas @ least_cost(asked, bounds).x)
    row = {int(n): float(areas[n]) for n in np.flatnonzero(areas)}
    return replace(asked, caps=(Cap(asked.steps[0].limit, -1, row, most),))


class JointPlans:
    """A plan of a city's fields."""

    params = SIZES
    timeout = 300

    def setup(self, size: tuple[int, int]) -> None:
        self.asked = made(*size, MISSING[0])
        self.capped = under_a_cap(self.asked)

    def time_without_a_cap(self, _: tuple[int, int]) -> None:
        assert not solve(self.asked, [1e-6] * len(self.asked.needs)).short

    def time_under_a_cap(self, _: tuple[int, int]) -> None:
        solve(self.capped, [1e-6] * len(self.capped.needs))


def main() -> None:
    """Print how much more each plan costs than nothing can cost less than, and seconds of the processor."""
    for size in (*SIZES, *LARGE):
        for missing in MISSING:
            asked = made(*size, missing)
            for name, program in (("no cap", asked), ("cap", under_a_cap(asked))):
                start = time.process_time()
                found = solve(program, [1e-6] * len(program.needs))
                took = time.process_time() - start
                told = "no plan" if found.short else f"{100 * (found.cost / found.least - 1):.3f} % above the bound"  # fmt: skip
                print(f"{size[1]:,} parcels, {size[0]} units, {missing:.0%}, {name}: {told}, {took:.1f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
