"""How two tables agree: by hand, at both ends, and planted errors found again."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from carbongrid.method.agreement import (
    NEAR_UNIT_SLIP,
    SLIPS,
    UNIT_SLIPS,
    covered,
    kappa,
    median_log2_ratio,
    misplaced,
    rank_correlation,
    sigma_and_tau,
    skill,
    slip_of,
)

OURS = np.array([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 50])
THEIRS = np.array([20.0, 20, 20, 40, 100, 30, 70, 80, 90, 30])
"""Both add up to 500; they differ by 10, 10, 50, 30 and 20: 120 in all, so 60 of 500 lie elsewhere."""


def test_ten_rows_by_hand():
    assert misplaced(OURS, THEIRS) == 0.12
    assert misplaced(2 * OURS, THEIRS, scaled=True) == pytest.approx(0.12)
    logs = sorted([1, 0, math.log2(1.5), 0, 1, 1, 0, 0, 0, math.log2(5 / 3)])
    assert median_log2_ratio(OURS, THEIRS) == pytest.approx((logs[4] + logs[5]) / 2)
    assert rank_correlation(OURS, THEIRS) == pytest.approx(stats.spearmanr(OURS, THEIRS).statistic)
    assert skill(0.12, [0.48, math.nan, 0.3]) == pytest.approx(0.6)
    assert kappa(np.array([1, 1, 2, 2]), np.array([1, 2, 2, 2])) == pytest.approx(
        (0.75 - 0.5) / 0.5
    )


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=30))
def test_the_same_is_the_same_whatever_its_scale(values):
    """Seen to fail with the total of ours in the place of theirs."""
    theirs = np.array(values, float)
    if not theirs.sum():
        assert math.isnan(misplaced(theirs, theirs))
        return
    assert misplaced(theirs, theirs) == 0
    assert misplaced(theirs / 7, theirs, scaled=True) == pytest.approx(0, abs=1e-12)
    assert misplaced(theirs / 2, theirs) == pytest.approx(0.25)
    if np.ptp(theirs):
        assert rank_correlation(theirs / 7, theirs) == pytest.approx(1)
    assert median_log2_ratio(theirs, theirs) == 0


def test_a_permuted_proxy_has_no_rank():
    rng = np.random.default_rng(3)
    theirs = rng.lognormal(0, 1, 2000)
    assert abs(rank_correlation(rng.permutation(theirs), theirs)) < 3 / math.sqrt(2000)


SOME = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=9)  # fmt: skip


def mean_ranks(values):
    """How many are less, and half of the equal ones, in fractions."""
    return [sum(v < own for v in values) + Fraction(sum(v == own for v in values) + 1, 2) for own in values]  # fmt: skip


@given(SOME)
def test_measures_are_those_of_slow_loops(rows):
    """In fractions, with values that tie, that are all one, that are 0 on one side or both, and a single one. Seen to fail where equal values had the least of their ranks."""
    ours, theirs, wide = zip(*rows, strict=True)
    a, b = (np.array(each, float) for each in (ours, theirs))
    ranks = [mean_ranks(each) for each in (ours, theirs)]
    mean = Fraction(len(rows) + 1, 2)
    cross, *squares = (sum((x - mean) * (y - mean) for x, y in zip(*pair, strict=True)) for pair in (ranks, [ranks[0]] * 2, [ranks[1]] * 2))  # fmt: skip
    if len(rows) > 2 and all(squares):
        assert rank_correlation(a, b) == pytest.approx(float(cross) / math.sqrt(squares[0] * squares[1]))  # fmt: skip
    else:
        assert math.isnan(rank_correlation(a, b))
    for scaled in (False, True):
        if not sum(theirs) or (scaled and not sum(ours)):
            assert math.isnan(misplaced(a, b, scaled=scaled))
            continue
        factor = Fraction(sum(theirs), sum(ours)) if scaled else 1
        apart = sum(abs(factor * x - y) for x, y in zip(ours, theirs, strict=True))
        assert misplaced(a, b, scaled=scaled) == pytest.approx(float(apart / (2 * sum(theirs))))
    far = sorted(abs(math.log2(x / y)) if x and y else math.inf for x, y in zip(ours, theirs, strict=True) if x or y)  # fmt: skip
    middle = far[(len(far) - 1) // 2] + far[len(far) // 2] if far else math.nan
    assert median_log2_ratio(a, b) == pytest.approx(middle / 2, nan_ok=True)
    inside = [x - w <= y <= x + w for x, y, w in rows if x or y]
    width = np.array(wide, float)
    share = sum(inside) / len(inside) if inside else math.nan
    assert covered(a, b, a - width, a + width) == pytest.approx(share, nan_ok=True)
    n, zones = len(rows), range(5)
    by_lot = sum(Fraction(ours.count(z) * theirs.count(z), n * n) for z in zones)
    alike = Fraction(sum(x == y for x, y in zip(ours, theirs, strict=True)), n)
    beyond = float((alike - by_lot) / (1 - by_lot)) if by_lot < 1 else math.nan
    assert kappa(np.array(ours), np.array(theirs)) == pytest.approx(beyond, abs=1e-12, nan_ok=True)


def test_values_that_are_equal_but_for_noise_have_one_rank():
    """Seen as -0.13: values that were published as 0.37 t a head do not vary per head."""
    heads = np.array([303_537_141, 120_003_007, 98_765_432, 5_000_001, 777_777_777, 31]) / 1000
    per_head = np.rint(heads * 370_000) / 1e6 / heads
    assert np.ptp(per_head)
    assert math.isnan(rank_correlation(np.arange(6.0), per_head))
    ours = np.array([0.3, 0.1 + 0.2, 0.7, 0.1 * 7])
    assert rank_correlation(ours, np.array([1.0, 1, 2, 2])) == pytest.approx(1)


def test_what_nobody_has_is_in_no_interval():
    """Seen as 0.82 of a category that 16 of 89 units have, not one of them in its interval."""
    ours, theirs = np.array([0.0] * 73 + [5.0] * 16), np.array([0.0] * 73 + [9.0] * 16)
    assert covered(ours, theirs, ours * 0.9, ours * 1.1) == 0
    assert math.isnan(covered(ours[:9], theirs[:9], ours[:9], ours[:9]))
    # What is not drawn is in its interval, which sums of draws have but for their noise.
    known = np.array([0.3, 0.7])
    assert covered(known, known, known * (1 + 1e-15), known * (1 + 1e-15)) == 1


def test_nothing_to_compare_is_nan():
    none, some = np.zeros(4), np.ones(4)
    assert math.isnan(misplaced(some, none))
    assert math.isnan(rank_correlation(some, OURS[:4]))
    assert math.isnan(median_log2_ratio(none, none))
    assert median_log2_ratio(none, some) == math.inf
    assert math.isnan(skill(0.1, [math.nan]))
    # Seen as -7284871.94: units of equal sides differ a little in their area on the ellipsoid.
    assert math.isnan(skill(0.36, [4.9e-8, 0.4]))
    # Seen as -1142.47: values of three digits, or areas far from a projection's middle.
    assert math.isnan(skill(0.302, [2.637e-4]))
    assert skill(0.36, [0.01]) == pytest.approx(-35)
    # Who misplaces less has skill however little is left to misplace.
    assert skill(0.001, [0.004]) == pytest.approx(0.75)
    assert math.isnan(kappa(np.ones(3, int), np.ones(3, int)))


def test_every_slip_is_named_either_way_round():
    for name, ratio in SLIPS:
        for each in (ratio, 1 / ratio, ratio * 1.002):
            named = slip_of(each)
            near = {other for other, value in SLIPS if abs(value / ratio - 1) < 0.02}
            assert named in near, (name, each)
    for ratio in (1.0, 1.07, 0.93, 5.0, 0.0, math.inf, math.nan):
        assert slip_of(ratio) == ""


def test_every_slip_of_a_unit_is_named_either_way_round_and_none_of_two_estimates():
    for name, ratio in UNIT_SLIPS:
        for each in (ratio, 1 / ratio, ratio * 1.1, ratio / 1.1):
            assert slip_of(each, UNIT_SLIPS, NEAR_UNIT_SLIP) == name
    for ratio in (1.0, 0.5, 2.0, 3.0, 4.5, 30.0):
        assert slip_of(ratio, UNIT_SLIPS, NEAR_UNIT_SLIP) == ""


@pytest.mark.parametrize(("sigma", "tau"), [(1.0, 0.5), (0.6, 0.3), (0.8, 0.8)])
def test_planted_sigma_and_tau_are_found(sigma, tau):
    """Units of 1 to 200 parcels, added up as they are: within 20 % of what was planted, and the errors as large as they scatter."""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        ratio, concentration = [], []
        for _ in range(400):
            mass = rng.lognormal(0, 0.8, int(rng.choice([1, 2, 3, 5, 20, 200])))
            truth = mass * np.exp(sigma * rng.standard_normal(mass.size) + tau * rng.normal())
            ratio.append(math.log(truth.sum() / mass.sum()))
            concentration.append((mass**2).sum() / mass.sum() ** 2)
        found.append(sigma_and_tau(np.array(ratio), np.array(concentration), sigma))
    mean, scatter = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
    assert mean[0] == pytest.approx(sigma, rel=0.2)
    assert mean[2] == pytest.approx(tau, rel=0.2)
    assert mean[4] == pytest.approx(tau, rel=0.2)
    for value, error in ((0, 1), (2, 3)):
        assert 0.3 * mean[error] < scatter[value] < 2.5 * mean[error]


def test_units_that_are_all_alike_do_not_tell_sigma_from_tau():
    rng = np.random.default_rng(0)
    alike = sigma_and_tau(rng.normal(0, 0.7, 300), np.ones(300), 0.5)
    assert alike.sigma_error == alike.tau_error == math.inf
    assert alike.tau_if_sigma_holds == pytest.approx(math.sqrt(0.49 - 0.25), rel=0.15)
