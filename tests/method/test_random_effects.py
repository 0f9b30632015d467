"""sigma and tau: the likelihood against a dense one, and planted ones found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.method import random_effects
from carbongrid.method.random_effects import spread_in_groups, spread_in_sums, spread_together


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-2, 2), st.integers(0, 3)), min_size=3, max_size=9), st.floats(0.2, 2), st.floats(0.2, 2))  # fmt: skip
def test_the_likelihood_is_that_of_the_whole_matrix(rows, sigma, tau):
    """Restricted: ln|V| + ln|1'V^-1 1| + (r - mu)'V^-1(r - mu), V with sigma^2 on the diagonal and tau^2 within groups."""
    logs, group = (np.array(column) for column in zip(*rows, strict=True))
    matrix = sigma**2 * np.eye(logs.size) + tau**2 * (group[:, None] == group[None, :])
    inverse, ones = np.linalg.inv(matrix), np.ones(logs.size)
    mean = ones @ inverse @ logs / (ones @ inverse @ ones)
    slow = np.linalg.slogdet(matrix)[1] + math.log(ones @ inverse @ ones) + (logs - mean) @ inverse @ (logs - mean)  # fmt: skip
    fast = random_effects._unlikely(*random_effects._groups(logs, group), sigma=sigma, tau=tau)
    assert fast == pytest.approx(slow, abs=1e-8)


def planted(rng, sigma, tau, groups, each):
    group = np.repeat(np.arange(groups), each)
    logs = 3.0 + sigma * rng.standard_normal(group.size) + tau * rng.standard_normal(groups)[group]
    return logs, group


@pytest.mark.parametrize(("sigma", "tau"), [(1.0, 0.5), (0.4, 0.8), (1.2, 1.0)])
def test_planted_values_are_found_within_their_errors(sigma, tau):
    """Two categories of 60 units with 6 facilities: the mean of twenty worlds within 5 %, errors as told, each within 4 of them."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found.append(spread_in_groups([planted(rng, sigma, tau, 60, 6), planted(rng, sigma, tau, 60, 6)]))  # fmt: skip
    values = np.array(found)
    assert values[:, [0, 2]].mean(axis=0) == pytest.approx([sigma, tau], rel=0.05)
    assert (np.abs(values[:, [0, 2]] - [sigma, tau]) < 4 * values[:, [1, 3]]).all()
    assert values[:, [0, 2]].std(axis=0) == pytest.approx(values[:, [1, 3]].mean(axis=0), rel=0.5)


def test_one_facility_in_each_unit_tells_the_sum_only():
    logs = np.random.default_rng(2).normal(0, 1.3, 400)
    found = spread_in_groups([(logs, np.arange(400))])
    assert found.sigma_error == found.tau_error == math.inf
    assert spread_together([logs]) == pytest.approx(logs.std(ddof=1))
    assert spread_together([logs + 5, logs - 5]) == pytest.approx(np.sqrt((2 * 399) * logs.var(ddof=1) / (2 * 399)))  # fmt: skip
    assert math.isnan(spread_together([logs[:1], logs[1:2]]))


def test_one_group_tells_no_tau():
    logs = np.random.default_rng(2).normal(0, 1.3, 40)
    found = spread_in_groups([(logs, np.zeros(40, np.int64))])
    assert found.sigma_error == found.tau_error == math.inf
    assert math.isnan(found.tau)


def test_equal_works_of_each_unit_have_no_sigma():
    """Two works alike in each of three units: tau is the deviation of the units' means, and neither is told. Seen to end in a math domain error."""
    logs = np.repeat([1.0, 2.0, 5.0], 2)
    found = spread_in_groups([(logs, np.repeat([0, 1, 2], 2))])
    assert found.sigma < 1e-8
    assert found.tau == pytest.approx(logs[::2].std(ddof=1), rel=1e-4)
    assert found.sigma_error == found.tau_error == math.inf
    alike = spread_in_groups([(np.ones(4), np.array([0, 0, 1, 1]))])
    assert max(alike.sigma, alike.tau) < 1e-8


@pytest.mark.parametrize(
    ("information", "at", "errors"),
    [
        ([[4.0, 1.0], [1.0, 3.0]], (1.0, 0.5), (math.sqrt(3 / 11), math.sqrt(4 / 11))),
        ([[4.0, 0.0], [0.0, -3.0]], (1.0, 0.5), (math.inf, math.inf)),
        ([[-4.0, 0.0], [0.0, -3.0]], (1.0, 0.5), (math.inf, math.inf)),
        ([[4.0, 1.0], [1.0, 3.0]], (1.0, 1e-4), (math.inf, math.inf)),
        ([[4.0, 1.0], [1.0, 3.0]], (1e-4, 1.0), (math.inf, math.inf)),
    ],
)
def test_errors_are_those_of_the_information(information, at, errors):
    """Of a likelihood that is normal in sigma and tau. Seen to pass with errors 0.7 times as large, and with some where it has no maximum or has it at an end."""

    def unlikely(*where: float) -> float:
        off = np.array(where) - at
        return float(off @ information @ off)

    assert random_effects._curvature(unlikely, *at) == pytest.approx(errors)


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_tau_is_what_a_given_sigma_leaves_of_the_spread(sigma):
    """Sums of one parcel each, whose logarithms have the variance sigma^2 + tau^2. Seen to pass with the sigma that was found for the one that was given, without the freedom of the mean, and with all spreads cut at 1.6."""
    logs, ones = np.random.default_rng(3).normal(0, 3, 12), np.ones(12)
    found = spread_in_sums(logs, ones, ones, sigma)
    left = math.sqrt(logs.var(ddof=1) - sigma**2)
    assert found.tau_if_sigma_holds == pytest.approx(left, rel=1e-4)
    assert math.hypot(found.sigma, found.tau) == pytest.approx(logs.std(ddof=1), rel=1e-4)


def test_planted_values_are_found_in_sums():
    """Regions of one to five units, each of one to forty parcels: what their sums say of both, in the mean of twenty worlds."""
    sigma, tau, found = 1.0, 0.6, []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        logs, of_parcels, of_units = [], [], []
        for _ in range(300):
            units, each = int(rng.integers(1, 6)), int(rng.choice([1, 2, 40]))
            claim = rng.uniform(0.5, 1.5, (units, each))
            true = claim * np.exp(sigma * rng.standard_normal((units, each)) - sigma**2 / 2)
            true *= np.exp(tau * rng.standard_normal(units) - tau**2 / 2)[:, None]
            logs.append(math.log(true.sum() / claim.sum()))
            of_parcels.append((claim**2).sum() / claim.sum() ** 2)
            of_units.append((claim.sum(axis=1) ** 2).sum() / claim.sum() ** 2)
        found.append(
            spread_in_sums(np.array(logs), np.array(of_parcels), np.array(of_units), sigma)
        )
    values = np.array(found)
    assert values[:, [0, 2]].mean(axis=0) == pytest.approx([sigma, tau], rel=0.1)
    assert values[:, 4].mean() == pytest.approx(tau, rel=0.1)
    assert values[:, [0, 2]].std(axis=0) == pytest.approx(values[:, [1, 3]].mean(axis=0), rel=0.5)


def test_where_the_search_ends_nothing_is_told():
    """Of works a factor of exp(50) apart the largest that is looked for is no estimate. Seen with a standard error of 3 %."""
    logs = np.random.default_rng(0).normal(0, 50, 60)
    found = spread_in_groups([(logs, np.arange(60) // 3)])
    assert found.sigma == pytest.approx(math.exp(2))
    assert found.sigma_error == found.tau_error == math.inf
