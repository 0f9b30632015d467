"""Measures of cells against slow loops in fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.analysis.validation.cells import _measures, _remarks_of_turned, _turned
from carbongrid.method.agreement import SAME_PROXY


def apart(ours, theirs):
    """The share of theirs that lies elsewhere, both brought to one total; None where one side has nothing."""
    if not sum(ours) or not sum(theirs):
        return None
    factor = Fraction(sum(theirs), sum(ours))
    return sum(abs(factor * a - b) for a, b in zip(ours, theirs, strict=True)) / (2 * sum(theirs))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 3)), max_size=8))
def test_measures_of_cells_are_those_of_slow_loops(rows):
    """None, one and several cells, nothing on either side, values that are all alike. Seen to fail where area was not scaled."""
    ours, theirs, area = ([row[side] for row in rows] for side in range(3))
    found = _measures(*(np.array(each, float) for each in (ours, theirs, area)))
    assert (found["ours_t"], found["published_t"]) == (sum(ours), sum(theirs))
    bias = sum(ours) / sum(theirs) if sum(theirs) else math.nan
    assert found["bias"] == pytest.approx(bias, nan_ok=True)
    scaled, by_area = apart(ours, theirs), apart(area, theirs)
    for name, slow in (("misplaced_scaled", scaled), ("by_area", by_area)):
        expected = math.nan if slow is None else float(slow)
        assert found[name] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    alike = len(rows) > 1 and scaled is not None and scaled < SAME_PROXY
    assert found["same_proxy"] is alike
    if len(rows) < 2 or alike or scaled is None or not by_area:
        assert math.isnan(found["skill"])
    else:
        assert found["skill"] == pytest.approx(float(1 - scaled / by_area), abs=1e-12)


def _quantity(whole, corner, shape, covered=1.0):
    """What a window of a whole raster says, all of it covered alike."""
    rows, columns = (slice(first, first + size) for first, size in zip(corner, shape, strict=True))
    window = SimpleNamespace(corner=corner)
    land = SimpleNamespace(
        grid=SimpleNamespace(shape=whole.shape), window=window, covered=np.full(shape, covered)
    )
    return SimpleNamespace(of="emission", land=land, grams=whole[rows, columns].astype(float))


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_a_raster_turned_over_is_the_flip_of_its_whole(axes):
    """The window lies off the middle: what comes from beyond it is unknown. Seen to fail where the window was flipped."""
    whole, corner, shape = np.arange(99.0).reshape(11, 9), (3, 2), (6, 6)
    rows, columns = slice(3, 9), slice(2, 8)
    seen = np.full(whole.shape, np.nan)
    seen[rows, columns] = whole[rows, columns]
    expected = np.flip(seen, axes)[rows, columns]
    assert np.array_equal(_turned(_quantity(whole, corner, shape), axes), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("axes", "words"),
    [((0,), "upside down"), ((1,), "left to right"), ((0, 1), "by half a turn"), (None, "")],
)
def test_a_raster_that_agrees_only_when_turned_is_told_with_both_coefficients(axes, words):
    ours = np.random.default_rng(2).lognormal(size=(12, 10))
    whole = ours if axes is None else np.flip(ours, axes)
    found = _remarks_of_turned(_quantity(whole, (0, 0), ours.shape, 0.8), ours * 0.8)
    assert len(found) == (axes is not None)
    if found:
        assert f"and 1.00 with it turned {words}:" in found[0][0].what
        assert found[0][0].level == "warning"


def test_of_few_cells_and_of_noise_nothing_is_said_of_turning():
    random = np.random.default_rng(4)
    few = random.random((6, 8))
    assert not _remarks_of_turned(_quantity(few[::-1], (0, 0), few.shape), few)
    for _ in range(20):
        noise = random.random((10, 10))
        assert not _remarks_of_turned(_quantity(noise, (0, 0), (10, 10)), random.random((10, 10)))


def test_two_works_among_empty_cells_are_not_called_turned():
    """Seen to be told, of one cell on either side, as -0.00 as it is and 1.00 turned."""
    ours, theirs = np.zeros((20, 20)), np.zeros((20, 20))
    ours[3, 5] = theirs[16, 5] = 1.0
    assert not _remarks_of_turned(_quantity(theirs, (0, 0), (20, 20)), ours)


def test_fields_that_rise_to_opposite_sides_are_not_called_turned():
    """Homes in the north, works in the south: smooth fields agree turned over by chance. Seen to fail without the moves."""
    north = np.linspace(0, 1, 14)[:, np.newaxis] + 0.02 * np.random.default_rng(6).random((14, 14))
    south = north[::-1] + 0.02 * np.random.default_rng(7).random((14, 14))
    assert np.corrcoef(north.ravel(), south[::-1].ravel())[0, 1] > 0.9
    assert not _remarks_of_turned(_quantity(south, (0, 0), (14, 14)), north)
