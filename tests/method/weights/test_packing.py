"""Packed claims come back to the bit, and are as small as what is claimed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.method.weights import PackedWeights, Weights


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_claims_come_back(dtype: type) -> None:
    random = np.random.default_rng(1)
    eligible = random.random(1000) < 0.1
    weight = np.where(eligible, random.integers(0, 9, 1000), 0).astype(dtype)
    near = np.where(random.random(1000) < 0.01, 3, 0)
    claims = Weights(
        weight, "area", "m2", weight.astype(np.int64), near, 7, eligible, 1000, "a note", 0.25
    )
    packed = PackedWeights.of(claims)
    assert packed.rows.size == np.count_nonzero(eligible | (near > 0))
    opened = packed.opened()
    for field in dataclasses.fields(Weights):
        was, now = getattr(claims, field.name), getattr(opened, field.name)
        assert np.array_equal(was, now)
        assert getattr(was, "dtype", None) == getattr(now, "dtype", None)


@given(st.sampled_from(["POI", "m2"]), st.booleans(), st.booleans())
def test_they_go_by_counts_alone_as_before(unit: str, sized: bool, by_area: bool) -> None:
    """Seen to fail when points with weights of their own, and areas counted by the square metre, were points that all count alike."""
    one = np.ones(1, np.int64)
    claims = Weights(one, "rule", unit, one, one, 0, one > 0, by_area=by_area, sized=sized)
    alone = unit == "POI" and not sized and not by_area
    assert PackedWeights.of(claims).by_counts_alone is claims.by_counts_alone is alone


@pytest.mark.parametrize("per_unit", [1, 1000])
def test_a_run_of_an_earlier_version_has_sizes_where_any_poi_has_a_weight(per_unit: int) -> None:
    """Seen to fail: a what-if of such a run told works with sizes that they count alike, and wrote it into its ledger."""
    one = np.ones(1, np.int64)
    packed = PackedWeights.of(Weights(one, "pois", "POI", one, one, 0, one > 0, per_unit))
    facts = {name: value for name, value in packed.facts.items() if name != "sized"}
    old = dataclasses.replace(packed, facts=facts)
    assert old.opened().sized is (per_unit > 1)
    assert old.opened().by_counts_alone is old.by_counts_alone is (per_unit == 1)
