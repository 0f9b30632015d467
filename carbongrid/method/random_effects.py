"""Spread of logarithms in groups: what each has by itself, and what its group shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_LEAST, _LARGEST = -20.0, 2.0
"""Logarithms of the least and the largest sigma and tau that are looked for: where all in a group are equal the likelihood has no end below, and nothing is known by a factor of a million."""


class Spread(NamedTuple):
    """sigma and tau with their standard errors; inf where nothing tells."""

    sigma: float
    sigma_error: float
    tau: float
    tau_error: float


Sample = tuple["NDArray[np.float64]", "NDArray[np.int64]"]
"""Logarithms, and the group of each."""


def spread_in_groups(samples: Sequence[Sample]) -> Spread:
    """Return the standard deviation of each by itself, sigma, and of what a group shares, tau; each sample has a mean of its own.

    Parameters
    ----------
    samples
        Logarithms and their groups, one for each category; groups of different samples share nothing.

    Notes
    -----
    A one-way random-effects model by restricted maximum likelihood. Of a sample with n_g values of mean r_g in group g, s_g = sigma^2 + n_g tau^2 and mu the
    mean of the r_g weighted by n_g/s_g, minus twice the logarithm is sum_g [(n_g - 1) ln sigma^2 + ln s_g + SS_g/sigma^2 + n_g (r_g - mu)^2/s_g] + ln sum_g n_g/s_g.
    Without two values in one group only sigma^2 + tau^2 is told: both errors are inf. Errors are from the curvature at the best.
    """
    parts = [_groups(*sample) for sample in samples if sample[0].size > 1]
    repeated = any((count > 1).any() for count, _, _ in parts)
    several = any(count.size > 1 for count, _, _ in parts)
    if not parts or not (repeated and several):
        return Spread(math.nan, math.inf, math.nan, math.inf)

    def unlikely(sigma: float, tau: float) -> float:
        return sum(_unlikely(*part, sigma=sigma, tau=tau) for part in parts)

    values = np.concatenate([logs - logs.mean() for logs, _ in samples if logs.size > 1])
    whole = max(float(values.std()), 1e-3)
    starts = [(whole * a, whole * b) for a, b in ((0.7, 0.7), (1.0, 0.1), (0.3, 1.0))]
    sigma, tau = _likeliest(unlikely, starts)
    errors = _curvature(unlikely, sigma, tau)
    return Spread(sigma, errors[0], tau, errors[1])


def spread_together(samples: Sequence[NDArray[np.float64]]) -> float:
    """Return the standard deviation of sigma and tau together, where they are not told apart; NaN for less than two values in every sample.

    Parameters
    ----------
    samples
        Logarithms, each sample with a mean of its own.
    """
    there = [each for each in samples if each.size > 1]
    free = sum(each.size - 1 for each in there)
    squares = sum(float(((each - each.mean()) ** 2).sum()) for each in there)
    return math.sqrt(squares / free) if free else math.nan


_Part = tuple["NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def _groups(logs: NDArray[np.float64], group: NDArray[np.int64]) -> _Part:
    """Return the number, the mean and the sum of squares within of each group."""
    _, place, count = np.unique(group, return_inverse=True, return_counts=True)
    mean = np.bincount(place, logs) / count
    within = np.bincount(place, (logs - mean[place]) ** 2)
    return count, mean, within


def _unlikely(
    count: NDArray[np.int64],
    mean: NDArray[np.float64],
    within: NDArray[np.float64],
    *,
    sigma: float,
    tau: float,
) -> float:
    variance = sigma**2 + count * tau**2
    weight = count / variance
    centre = (weight * mean).sum() / weight.sum()
    return float(
        ((count - 1) * math.log(sigma**2) + np.log(variance) + within / sigma**2).sum()
        + (weight * (mean - centre) ** 2).sum()
        + math.log(weight.sum())
    )


def _curvature(
    unlikely: Callable[[float, float], float], sigma: float, tau: float
) -> tuple[float, float]:
    """Return the standard errors of sigma and tau where minus twice the logarithm of the likelihood is least; inf where it is flat or at an end."""
    step = 1e-3 * max(sigma, tau)
    if min(sigma, tau) <= 2 * step or max(sigma, tau) >= math.exp(_LARGEST) * (1 - 1e-6):
        return math.inf, math.inf
    here = unlikely(sigma, tau)
    by_sigma = (unlikely(sigma + step, tau) - 2 * here + unlikely(sigma - step, tau)) / step**2
    by_tau = (unlikely(sigma, tau + step) - 2 * here + unlikely(sigma, tau - step)) / step**2
    corners = [unlikely(sigma + a * step, tau + b * step) * a * b for a in (-1, 1) for b in (-1, 1)]
    both = sum(corners) / (4 * step**2)
    curvature = np.array([[by_sigma, both], [both, by_tau]]) / 2
    if np.linalg.det(curvature) <= 0 or by_sigma <= 0:
        return math.inf, math.inf
    first, second = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return float(first), float(second)


class SpreadOfSums(NamedTuple):
    """sigma and tau with their standard errors, and tau if sigma is what it was taken to be."""

    sigma: float
    sigma_error: float
    tau: float
    tau_error: float
    tau_if_sigma_holds: float


def spread_in_sums(
    log_ratio: NDArray[np.float64],
    of_parcels: NDArray[np.float64],
    of_units: NDArray[np.float64],
    sigma: float,
) -> SpreadOfSums:
    """Return sigma and tau under which the ratios of sums to what claims predict are the likeliest.

    Parameters
    ----------
    log_ratio : shape (n,)
        Natural.
    of_parcels, of_units : shape (n,)
        Sum of squares of the shares that parcels, and units, have of a sum.
    sigma
        What it was taken to be.

    Notes
    -----
    A sum of lognormal numbers is taken as one: its logarithm has the variance ln(1 + H_u (exp(tau^2) - 1)) + ln(1 + H_p (exp(sigma^2) - 1)).
    """

    def variance(a: float, b: float) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.log1p(of_units * np.expm1(b**2)) + np.log1p(of_parcels * np.expm1(a**2))  # fmt: skip
        return found

    def unlikely(a: float, b: float) -> float:
        each = np.maximum(variance(a, b), 1e-12)
        mean = (log_ratio / each).sum() / (1 / each).sum()
        return float((np.log(each) + (log_ratio - mean) ** 2 / each).sum() + math.log((1 / each).sum()))  # fmt: skip

    start = max(float(log_ratio.std()), 1e-3)
    starts = [(start * a, start * b) for a, b in ((0.7, 0.7), (2.0, 0.2), (0.2, 1.0))]
    best = _likeliest(unlikely, starts)

    def of_tau(_: float, tau: float) -> float:
        return unlikely(sigma, tau)

    _, given = _likeliest(of_tau, [(1.0, start)])
    error, of_error = _curvature(unlikely, *best)
    return SpreadOfSums(best[0], error, best[1], of_error, given)


def _likeliest(
    unlikely: Callable[[float, float], float], starts: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Return sigma and tau where minus twice the logarithm of the likelihood is least, from several starts."""
    from scipy.optimize import minimize

    def of_logarithms(of: NDArray[np.float64]) -> float:
        return unlikely(*np.exp(of).tolist())

    options: Any = {"maxiter": 4000, "xatol": 1e-6, "fatol": 1e-8}
    found = [
        minimize(
            of_logarithms,
            np.clip(np.log(start), _LEAST, _LARGEST),
            method="Nelder-Mead",
            bounds=[(_LEAST, _LARGEST)] * 2,
            options=options,
        )
        for start in starts
    ]
    sigma, tau = np.exp(min(found, key=lambda each: float(each.fun)).x).tolist()
    return sigma, tau
