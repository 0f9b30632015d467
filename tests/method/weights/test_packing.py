"""Packed claims come back to the bit, and are as small as what is claimed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

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
