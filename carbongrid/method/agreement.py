"""How well two tables of masses agree, and the slips by which a table differs from its own totals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLIPS: tuple[tuple[str, float], ...] = (
    ("carbon for CO2, 44/12", 44 / 12),
    ("a unit a thousand times as large", 1000.0),
    ("short tons for tonnes", 1 / 0.90718474),
    ("CH4 by its mass, GWP 25 (AR4)", 25.0),
    ("CH4 by its mass, GWP 28 (AR5)", 28.0),
    ("CH4 by its mass, GWP 27.9 (AR6)", 27.9),
    ("N2O by its mass, GWP 298 (AR4)", 298.0),
    ("N2O by its mass, GWP 265 (AR5)", 265.0),
    ("N2O by its mass, GWP 273 (AR6)", 273.0),
    ("counted twice", 2.0),
)
"""Ratios that a slip makes, either way round."""

_NEAR_SLIP = 0.01
"""A ratio is a slip's within so much of it."""

UNIT_SLIPS: tuple[tuple[str, float], ...] = (
    ("carbon for CO2, 44/12", 44 / 12),
    ("a month for a year", 12.0),
    ("a day for a year", 365.25),
    ("a unit a thousand times as large", 1e3),
    ("a unit a million times as large", 1e6),
    ("a second for a year", 365.25 * 86400),
)
"""Ratios that the wrong unit of a raster makes, either way round."""

ROUNDING = 1e-9
"""A share of mass below this is noise of sums."""

SAME_PROXY = 0.005
"""A share misplaced below this is no agreement: both were made with the same proxy. Nor does a baseline that misplaces no more tell of skill: it is how the values were made, but for their
two or three digits, or areas in a projection instead of those on the ellipsoid; against it any share is hundreds below 0."""

NEAR_UNIT_SLIP = 0.15
"""The same, of two estimates of one thing: they differ by more than rounding."""


FAR_IN_SIZE, _MIN_ALIKE = 1000, 5
"""A size so many times the median of its like, or one part in so many, is far from them, where these are so many at least: works and districts differ by hundreds of times."""

_GAP = 2.0
"""Powers of ten between those and the others in which there is none: a refinery and its boilers have some between."""


def slip_of(
    ratio: float, slips: Iterable[tuple[str, float]] = SLIPS, near: float = _NEAR_SLIP
) -> str:
    """Return the slip that would make a ratio, either way round; blank where it is near none."""
    if not (ratio > 0 and math.isfinite(ratio)):
        return ""
    found = [
        (abs(math.log(each / slip)), name)
        for name, slip in slips
        for each in (ratio, 1 / ratio)
        if abs(each / slip - 1) <= near
    ]
    return min(found)[1] if found else ""


def far_in_size[Name](sizes: Mapping[Name, float]) -> dict[Name, float]:
    """Return which of some sizes are far from the others, with none between, and how many times the median they are; of fewer than five none is.

    Parameters
    ----------
    sizes
        Above 0, in one unit.
    """
    if len(sizes) < _MIN_ALIKE:
        return {}
    powers = {name: math.log10(size) for name, size in sizes.items()}
    low, high = _apart(sorted(powers.values()))
    median = statistics.median(powers.values())
    return {
        name: 10 ** (power - median)
        for name, power in powers.items()
        if abs(power - median) > math.log10(FAR_IN_SIZE) and not low < power < high
    }


def _apart(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the nearest gaps on both sides of the middle of some powers of ten, infinite where there is none."""
    middle = len(ordered) // 2
    gaps = [place for place in range(1, len(ordered)) if ordered[place] - ordered[place - 1] > _GAP]
    low = max((ordered[place - 1] for place in gaps if place <= middle), default=-math.inf)
    high = min((ordered[place] for place in gaps if place > middle), default=math.inf)
    return low, high


def misplaced(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], *, scaled: bool = False
) -> float:
    """Return the share of their mass that would have to be moved to make ours theirs: half the sum of differences over their total.

    ``scaled`` brings both to one total first. NaN where there is none.
    """
    if not theirs.sum() or (scaled and not ours.sum()):
        return math.nan
    own = ours * (theirs.sum() / ours.sum()) if scaled else ours
    return float(np.abs(own - theirs).sum() / 2 / theirs.sum())


def rank_correlation(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return Spearman's coefficient, values that are equal but for noise at their mean rank; NaN where one of the two does not vary."""
    if ours.size < 3:
        return math.nan
    from scipy.stats import rankdata

    one, other = (rankdata(_steps(each)) for each in (ours, theirs))
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) and np.ptp(other) else math.nan


def _steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return on which step from the least each value stands; one that is no more than noise above the one before stands on its step."""
    order = np.argsort(values, kind="stable")
    rising = values[order]
    steps = np.empty(values.size, np.int64)
    steps[order] = np.append(0, (np.diff(rising) > ROUNDING * np.abs(rising[1:])).cumsum())
    return steps


def covered(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> float:
    """Return the share of their values in the interval from low to high, of those where one of the two has any: that nothing is where nothing can be tells of no interval. NaN where nobody has any."""
    some = (ours > 0) | (theirs > 0)
    near = ROUNDING * theirs
    within = (theirs + near >= low) & (theirs - near <= high)
    return float(within[some].mean()) if some.any() else math.nan


def median_log2_ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the median of |log2(ours/theirs)|: 1 is a factor of two; where both are 0 they agree, where one is they do not at all."""
    both = (ours > 0) | (theirs > 0)
    if not both.any():
        return math.nan
    with np.errstate(divide="ignore"):
        return float(np.median(np.abs(np.log2(ours[both]) - np.log2(theirs[both]))))


def skill(share: float, baselines: Sequence[float]) -> float:
    """Return 1 - share/min(baselines): 1 is perfect, 0 no better than the best baseline, below 0 worse; NaN without one, and where it misplaces nothing, or no more than :data:`SAME_PROXY` and no more than the share does."""
    best = min((each for each in baselines if math.isfinite(each)), default=0.0)
    return math.nan if best <= ROUNDING or share >= best <= SAME_PROXY else 1 - share / best


def kappa(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """Return Cohen's kappa: agreement beyond that by lot; NaN where all are of one kind."""
    codes = np.union1d(ours, theirs)
    by_lot = sum(float((ours == code).mean() * (theirs == code).mean()) for code in codes)
    return (float((ours == theirs).mean()) - by_lot) / (1 - by_lot) if by_lot < 1 else math.nan


class Found(NamedTuple):
    """sigma and tau found in differences, with their standard errors (inf where nothing tells), and tau if sigma is what it was taken to be."""

    sigma: float
    sigma_error: float
    tau: float
    tau_error: float
    tau_if_sigma_holds: float


def sigma_and_tau(
    log_ratio: NDArray[np.float64], concentration: NDArray[np.float64], sigma: float
) -> Found:
    """Return sigma and tau under which the differences are the likeliest.

    Parameters
    ----------
    log_ratio : shape (units,)
        Of theirs to ours, natural.
    concentration : shape (units,)
        Sum of squares of the parcels' shares of a unit's mass: 1 where it lies on one parcel.
    sigma
        What it was taken to be.

    Notes
    -----
    A unit's factor has the variance tau^2 on the logarithm; what its parcels add has ln(1 + H*(exp(sigma^2) - 1)), as for a sum of
    lognormal numbers. Units with few parcels tell sigma, those with many tau; where all are alike, or there are few, only the sum of both is told, which
    the errors show (by Fisher's information). Then tau with sigma given is what can be known.
    """
    both = _likeliest(log_ratio, concentration, None)
    given = _likeliest(log_ratio, concentration, sigma)
    errors = _errors(concentration, *both)
    return Found(both[0], errors[0], both[1], errors[1], given[1])


def _variance(concentration: NDArray[np.float64], sigma: float, tau: float) -> NDArray[np.float64]:
    variance: NDArray[np.float64] = tau**2 + np.log1p(concentration * np.expm1(sigma**2))
    return variance


def _likeliest(
    log_ratio: NDArray[np.float64], concentration: NDArray[np.float64], sigma: float | None
) -> tuple[float, float]:
    from scipy.optimize import minimize

    def unlikely(of: NDArray[np.float64]) -> float:
        tau = math.exp(of[1])
        variance = _variance(concentration, math.exp(of[2]) if sigma is None else sigma, tau)
        return float((np.log(variance) + (log_ratio - of[0]) ** 2 / variance).sum())

    start = math.log(max(float(log_ratio.std()), 1e-3) / math.sqrt(2))
    options: Any = {"maxiter": 2000, "xatol": 1e-4, "fatol": 1e-6}
    first = [float(log_ratio.mean()), start]
    starts = [[*first, start + more] for more in (0.0, 0.5, -1.0)] if sigma is None else [first]
    found = [
        minimize(unlikely, np.array(each), method="Nelder-Mead", options=options) for each in starts
    ]
    best = min(found, key=lambda each: float(each.fun)).x
    return (math.exp(best[2]) if sigma is None else sigma), math.exp(best[1])


def _errors(concentration: NDArray[np.float64], sigma: float, tau: float) -> tuple[float, float]:
    """Return the standard errors of sigma and tau by Fisher's information."""
    variance = _variance(concentration, sigma, tau)
    by_sigma = 2 * sigma * np.exp(sigma**2) * concentration / (1 + concentration * np.expm1(sigma**2))  # fmt: skip
    slopes = np.stack([by_sigma, np.full(concentration.size, 2 * tau)]) / variance
    information = slopes @ slopes.T / 2
    if np.linalg.cond(information) > 1e12:
        return math.inf, math.inf
    first, second = np.sqrt(np.diag(np.linalg.inv(information)))
    return float(first), float(second)
