"""Measures of cells against slow loops in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.analysis.validation.cells import _measures
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
