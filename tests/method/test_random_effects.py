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
