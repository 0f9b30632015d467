"""Sums over coarse cells at the limit of int64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid import block_sum
from carbongrid.errors import InputError
from carbongrid.raster.zonal.coarse import _largest


@given(st.integers(50, 62), st.integers(1, 5), st.sampled_from([1, -1]))
def test_a_sum_is_exact_up_to_the_limit_and_refused_beyond(power, factor, sign):
    """Seen to fail when the size of a sum was taken for that of a row of it: beyond int64 it wrapped."""
    values = np.full((factor, 2 * factor), sign * 2**power)
    expected = sign * factor**2 * 2**power
    if -(2**63) <= expected < 2**63:
        assert block_sum(values, factor).values.tolist() == [[expected] * 2]
    else:
        with pytest.raises(InputError, match="leaves int64"):
            block_sum(values, factor)


@pytest.mark.parametrize("value", [2**63, 2**63 + 1, 2**64 - 1])
def test_unsigned_integers_above_int64_are_refused(value):
    """Seen to fail when only far larger ones were: these came back below zero."""
    with pytest.raises(InputError, match="leaves int64"):
        block_sum(np.array([[value, 0]], np.uint64), 1)


@given(st_numpy.arrays(st_numpy.integer_dtypes() | st_numpy.unsigned_integer_dtypes(), (2, 3)))
def test_no_integer_of_a_block_is_above_its_bound(block):
    """A bound that is too low would show in sums of 2^32 cells only, more than a test can hold."""
    assert _largest(block) >= max(abs(int(value)) for value in block.ravel())
