"""How far the GDP of a unit may be from what was split off its parent's: 90 % intervals (docs/decisions/0060)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.9
"""Of the intervals, nominally; docs/decisions/0060 has what simulated ones cover."""

MIN_PARENTS = 3
"""Parents that must be known for the split to be tried on them, and their residuals to have a spread."""

ASSUMED_TAU = 0.67
"""Where it cannot be tried: a factor of 3 either way at 90 %. Assumed, no measurement."""


@dataclass(frozen=True)
class IndustryWeights:
    """What an industry's GDP is split by.

    Parameters
    ----------
    industry
        Its name.
    of_units
        Claim of each unit, float64, shape (units,); comparable among the units of a parent.
    total
        GDP of the industry in each parent, float64, shape (parents,).
    by_rule
        Whether the parent's claims are the industry's own weight and not what it fell back to: only these can be
        compared from parent to parent, shape (parents,).
    """

    industry: str
    of_units: NDArray[np.float64]
    total: NDArray[np.float64]
    by_rule: NDArray[np.bool_]


@dataclass(frozen=True)
class Spread:
    """How far an industry's GDP per claim differs between units.

    Parameters
    ----------
    industry
        Its name.
    tau
        Standard deviation of its logarithm.
    parents
        On how many parents the split was tried; 0 where ``tau`` is assumed.
    """

    industry: str
    tau: float
    parents: int

    @property
    def quantile(self) -> float:
        """Of the interval's end, in ``tau``: Student's t, since ``tau`` rests on few parents; the normal one where it is assumed."""
        from scipy.special import ndtri, stdtrit

        end = (1 + LEVEL) / 2
        return float(stdtrit(self.parents - 1, end) if self.parents else ndtri(end))

    @property
    def half_width(self) -> float:
        """Of the interval of the logarithm of GDP per claim."""
        return self.tau * self.quantile


def gdp_intervals(
    gdp: Sequence[int | None], parent: NDArray[np.int64], claims: Sequence[IndustryWeights]
) -> tuple[list[int | None], list[int | None], tuple[Spread, ...]]:
    """Return the 90 % interval of each unit's GDP, given that of its parent, and what its width rests on.

    Parameters
    ----------
    gdp
        Of each unit, currency units; None is unknown.
    parent
        Number of each unit's parent, -1 for none whose GDP is known, shape (units,).
    claims
        Of each industry.

    Returns
    -------
    low, high : lists of int, None where GDP is unknown
        Currency units, low <= gdp <= high; equal where a parent has one unit.
    spreads
        One for each industry that has GDP.

    Notes
    -----
    A unit's true claim is its claim times a factor of its own, lognormal with ``tau``. The same split is tried one level up, where
    its answer is known: all parents' GDP together is split over the parents. If factors are independent, the relative residual e_d of parent d
    has the variance c2 * h_d, h_d = H_d*(1 - 2*q_d) + sum_e q_e^2*H_e, with q_d its share of claims and H_d the sum of squares of its
    units' shares; so c2 is the mean of e_d^2/h_d, and tau^2 = ln(1 + c2). A parent whose claims fell back takes what is assumed, if that is wider. On the scale of the logit a share s of a parent then has the variance
    tau^2 * (1 + H'), H' the sum of squares of the other units' shares among themselves: no interval leaves 0 to the parent's GDP, and that
    of an only unit has no width. A unit without a claim may have what half the least claim in its parent would get. Industries are added end by end,
    as if they deviated together.
    """
    low, high = np.zeros(parent.size), np.zeros(parent.size)
    point = np.zeros(parent.size)
    spreads = []
    for each in claims:
        if not each.total.any():
            continue
        spread = measured_spread(each, parent)
        spreads.append(spread)
        assumed = Spread(each.industry, ASSUMED_TAU, 0).half_width
        # What was measured is of the industry's own weight: where claims fell back it may be too little.
        of_parent = np.where(each.by_rule, spread.half_width, max(spread.half_width, assumed))
        width = np.where(parent >= 0, of_parent[parent], 0.0)
        share, below, above = _ends(each.of_units, parent, width)
        total = np.where(parent >= 0, each.total[parent], 0.0)
        point += total * share
        low += total * below
        high += total * above
    down, up = np.rint(point - low), np.rint(high - point)
    low_of, high_of = list(gdp), list(gdp)
    for row, value in enumerate(gdp):
        if value is not None:
            low_of[row] = max(value - int(down[row]), 0)
            high_of[row] = value + int(up[row])
    return low_of, high_of, tuple(spreads)


def measured_spread(claims: IndustryWeights, parent: NDArray[np.int64]) -> Spread:
    """Return how far GDP per claim differs between units, from the split tried on the parents; else what is assumed.

    Parameters
    ----------
    claims
        Of an industry.
    parent
        As for :func:`gdp_intervals`.
    """
    parents = claims.total.size
    sums, squares = _sums(claims.of_units, parent, parents)
    tried = claims.by_rule & (sums > 0)
    whole = float(claims.total[tried].sum())
    if tried.sum() < MIN_PARENTS or not whole:
        return Spread(claims.industry, ASSUMED_TAU, 0)
    concentration = squares[tried] / sums[tried] ** 2
    share = sums[tried] / sums[tried].sum()
    residual = claims.total[tried] / (whole * share) - 1
    expected = concentration * (1 - 2 * share) + (share**2 * concentration).sum()
    variance = float((residual**2 / expected).mean())
    return Spread(claims.industry, float(np.sqrt(np.log1p(variance))), int(tried.sum()))


def _ends(
    claims: NDArray[np.float64], parent: NDArray[np.int64], width: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return each unit's share of its parent's claims and the ends of its interval, 0 to 1."""
    parents = int(parent.max(initial=-1)) + 1
    if not parents:
        return np.zeros(claims.size), np.zeros(claims.size), np.zeros(claims.size)
    sums, _ = _sums(claims, parent, parents)
    claimed = (parent >= 0) & (sums[parent] > 0)
    filled = np.where(claims > 0, claims, _least(claims, parent, parents)[parent] / 2)
    whole, squares = (each[parent] for each in _sums(filled, parent, parents))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(claimed, claims / sums[parent], 0.0)
        rest = whole - filled
        half = width * np.sqrt(1 + np.maximum(squares - filled**2, 0.0) / rest**2)
        below = 1 / (1 + rest / filled * np.exp(half))
        above = 1 / (1 + rest / filled * np.exp(-half))
    alone = np.bincount(parent[parent >= 0], minlength=parents)[parent] == 1
    below = np.where(claims > 0, np.minimum(below, share), 0.0)
    fixed = alone | ~claimed
    return share, np.where(fixed, share, below), np.where(fixed, share, np.maximum(above, share))


def _sums(
    claims: NDArray[np.float64], parent: NDArray[np.int64], parents: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inside = parent >= 0
    of = parent[inside]
    return (
        np.bincount(of, claims[inside], parents).astype(np.float64),
        np.bincount(of, claims[inside] ** 2, parents).astype(np.float64),
    )


def _least(
    claims: NDArray[np.float64], parent: NDArray[np.int64], parents: int
) -> NDArray[np.float64]:
    """Return the least claim above 0 in each parent, 0 if there is none."""
    least = np.full(parents, np.inf)
    some = (parent >= 0) & (claims > 0)
    np.minimum.at(least, parent[some], claims[some])
    return np.where(np.isfinite(least), least, 0.0)
