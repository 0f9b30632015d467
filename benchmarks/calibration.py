"""Are probabilities of zones calibrated? Worlds with known errors, seen as a user sees them: ``python benchmarks/calibration.py``.

A town has units, parcels and the weights that a user would have. A world is one truth behind it: claims off by errors whose sigma and tau are
known here. Its truth is drawn by plain NumPy, its probabilities by the package, from the weights alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from carbongrid.method.spread_draws import Carriers, CategoryDraws
from carbongrid.method.zone_draws import drawn_indices, zone_shares_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS, PARCELS = 60, 40
"""Of a town; a category lies on as many parcels of each unit, more or less."""

CATEGORIES = {"works": (0.8, 0.4, 5e13), "homes": (0.3, 0.2, 3e13), "traffic": (0.5, 0.3, 2e13), "forest": (0.3, 0.3, 1e12)}  # fmt: skip
"""sigma, tau, g; the last is the sink."""


@dataclass(frozen=True)
class Town:
    """What a user has: where parcels lie, what they weigh, and GDP."""

    home: dict[str, NDArray[np.int64]]
    weight: dict[str, NDArray[np.float64]]
    gdp: NDArray[np.float64]


def town(seed: int, spread: float = 0.9) -> Town:
    """Return a town; ``spread`` is the standard deviation of the logarithm of units' sizes and GDP, which in the demo is 0.7 to 1.0."""
    rng = np.random.default_rng(seed)
    home, weight = {}, {}
    for name in CATEGORIES:
        size = np.maximum((PARCELS * rng.lognormal(0, spread, UNITS)).astype(int), 1)
        home[name] = np.repeat(np.arange(UNITS), size)
        weight[name] = rng.lognormal(0, 0.8, home[name].size)
    return Town(home, weight, rng.lognormal(0, spread, UNITS) * 1e9)


def spread_by(town: Town, claims: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the mass of each category in each unit if parcels claim so much, g, shape (categories, units)."""
    rows = []
    for name, (_, _, total) in CATEGORIES.items():
        sums = np.bincount(town.home[name], claims[name], UNITS)
        rows.append(total * sums / sums.sum())
    return np.array(rows)


def zones_of(masses: NDArray[np.float64], gdp: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return zones by the equations, in plain arithmetic."""
    emission, sink = masses[:-1].sum(axis=0), masses[-1]
    economy = gdp / gdp.sum() >= emission / emission.sum()
    ecology = sink / sink.sum() >= emission / emission.sum()
    found: NDArray[np.int64] = 1 + 2 * ~economy + ~ecology
    return found


def truths(town: Town, count: int, seed: int, errors: float = 1.0) -> Iterator[NDArray[np.int64]]:
    """Yield the true zones of worlds behind a town; ``errors``: sigma and tau are so many times those of ``CATEGORIES``."""
    rng = np.random.default_rng([seed, 99])
    for _ in range(count):
        claims = {}
        for name, (sigma, tau, _) in CATEGORIES.items():
            home = town.home[name]
            of_parcel = np.exp(errors * sigma * rng.standard_normal(home.size))
            of_unit = np.exp(errors * tau * rng.standard_normal(UNITS))
            claims[name] = town.weight[name] * of_parcel * of_unit[home]
        yield zones_of(spread_by(town, claims), town.gdp)


def told(town: Town, draws: int, times: float = 1.0) -> NDArray[np.float64]:
    """Return the probability of the published zone of each unit, sigma and tau taken so many times as large as they are."""
    published = spread_by(town, town.weight)
    sums = np.zeros((2, draws, UNITS))
    for row, (name, (sigma, tau, _)) in enumerate(CATEGORIES.items()):
        home = town.home[name]
        mass = published[row][home] * town.weight[name] / np.bincount(home, town.weight[name])[home]
        shares = sparse.csr_array((np.ones(home.size), (np.arange(home.size), home)), shape=(home.size, UNITS + 1))  # fmt: skip
        one = np.zeros(UNITS + 1, np.int64)
        carriers = Carriers(mass, home, one, shares, np.zeros(0, np.int64), times * sigma, times * tau)  # fmt: skip
        drawn = CategoryDraws(name, carriers, UNITS, 0)
        sums[int(name == "forest")] += drawn.masses(drawn.drawn(range(draws)))[:, :-1]
    gdp = np.broadcast_to(town.gdp, (draws, UNITS))
    zone = drawn_indices(sums[0], sums[1], gdp, [np.arange(UNITS)]).zone
    shares_of = zone_shares_of(zone)
    return shares_of[np.arange(UNITS), zones_of(published, town.gdp)]


@dataclass(frozen=True)
class Calibration:
    """Probabilities of the published zones, and how often worlds kept them: one row for each unit and world."""

    told: NDArray[np.float64]
    kept: NDArray[np.bool_]

    def kept_between(self, low: float, high: float) -> tuple[int, float]:
        """Return of how many units the probability is in an interval, and how often they kept their zone."""
        inside = (self.told >= low) & (self.told < high)
        return int(inside[0].sum()), float(self.kept[:, inside[0]].mean()) if inside.any() else np.nan  # fmt: skip

    @property
    def auc(self) -> float:
        """How well the probability tells units that keep their zone from those that do not: 1 at best, 0.5 by lot."""
        return auc_of(self.told.ravel(), self.kept.ravel())

    @property
    def ceiling(self) -> float:
        """What it would be if worlds kept zones just as often as told: no exact probability does better."""
        by_lot = np.random.default_rng(5).random(self.told.shape) < self.told
        return auc_of(self.told.ravel(), by_lot.ravel())


def auc_of(score: NDArray[np.float64], kept: NDArray[np.bool_]) -> float:
    """Return how often, of a pair of which one is kept, its score is the higher one; half where they are equal."""
    order = np.argsort(np.argsort(score, kind="stable")) + 1.0
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.bincount(place, order) / counts)[place]
    n, m = int(kept.sum()), int((~kept).sum())
    return float((ranks[kept].sum() - n * (n + 1) / 2) / (n * m))


def marked(town: Town) -> NDArray[np.float64]:
    """Return 0 for the units that are marked as close to 1, an index within 0.05 of it, and 1 for all others."""
    masses = spread_by(town, town.weight)
    emission, sink = masses[:-1].sum(axis=0), masses[-1]
    ecc = town.gdp / town.gdp.sum() / (emission / emission.sum())
    esc = sink / sink.sum() / (emission / emission.sum())
    return 1.0 - ((abs(ecc - 1) <= 0.05) | (abs(esc - 1) <= 0.05))


def calibrate(
    towns: int = 10, worlds: int = 200, draws: int = 1000, times: float = 1.0, errors: float = 1.0
) -> Calibration:
    """Return what is told of towns, and what their worlds are.

    Parameters
    ----------
    towns, worlds, draws
        So many towns, truths behind each, and draws of the package for each.
    times
        Sigma and tau are taken so many times as large as they are.
    errors
        Sigma and tau are so many times those of ``CATEGORIES``.
    """
    said, kept = [], []
    for seed in range(towns):
        place = town(seed)
        published = zones_of(spread_by(place, place.weight), place.gdp)
        said.append(told(place, draws, times * errors))
        kept.append(np.array([zones == published for zones in truths(place, worlds, seed, errors)]))
    every = np.concatenate(said)
    return Calibration(np.broadcast_to(every, (worlds, every.size)), np.hstack(kept))


def main() -> None:
    """Print the table of docs/method/probability.md."""
    columns = {f"{times:g} times": calibrate(times=times) for times in (1.0, 0.5, 2.0)}
    print(
        "| told | units | kept their zone | with half of sigma and tau: units, kept | with twice: units, kept |"
    )
    print("| --- | --- | --- | --- | --- |")
    for low, high in ((0.0, 0.5), (0.5, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.99), (0.99, 1.01)):
        cells = []
        for each in columns.values():
            count, share = each.kept_between(low, high)
            cells.append((f"{count}", "–" if np.isnan(share) else f"{share:.3f}"))
        first, half, twice = cells
        print(
            f"| {low:g} to {min(high, 1):g} | {first[0]} | {first[1]} | {half[0]}, {half[1]} | {twice[0]}, {twice[1]} |"
        )
    for name, each in columns.items():
        print(
            f"AUC with {name} the true sigma and tau: {each.auc:.3f}, by exact probabilities {each.ceiling:.3f}"
        )
    for errors in (0.5, 0.25):
        small = calibrate(errors=errors)
        print(
            f"AUC where errors are {errors:g} times as large, and known: {small.auc:.3f}, by exact probabilities "
            f"{small.ceiling:.3f}; {small.kept.mean():.1%} keep their zone"
        )
    mark = np.concatenate([marked(town(seed)) for seed in range(10)])
    kept = columns["1 times"].kept
    distance = auc_of(np.broadcast_to(mark, kept.shape).ravel(), kept.ravel())
    print(
        f"AUC of the mark close to 1: {distance:.3f}; it marks {int((mark == 0).sum())} of {mark.size} units"
    )


if __name__ == "__main__":
    main()
