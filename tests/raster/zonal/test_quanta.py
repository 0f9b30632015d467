"""Quanta: which numbers are one, and how many of it a value is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.raster.zonal.quanta import quantum_of, scale_of

# Of a float, 2**-1024 and less have no finite inverse.
NONE = [0, 0.0, -0.5, -1, math.nan, math.inf, -math.inf, 2.0**-1024, 2.0**-1074]


@pytest.mark.parametrize("quantum", NONE)
def test_what_is_no_quantum(quantum):
    """Seen to fail when a quantum between -1 and 0 was taken, and when an infinite one was."""
    with pytest.raises(InputError, match="a quantum must be a positive number"):
        scale_of(quantum)


@given(st.integers(-1022, 1023))
def test_a_power_of_two_is_divided_by_exactly(exponent):
    """Seen to fail when the scale was the quantum itself."""
    assert scale_of(math.ldexp(1.0, exponent)) == math.ldexp(1.0, -exponent)


def test_without_a_quantum_there_is_no_scale():
    assert scale_of(None) is None


@given(st.integers(-980, 1023), st.integers(1, 5000))
def test_the_largest_value_and_the_sum_of_all_have_room(exponent, size):
    """Seen to fail when the largest value had one bit more."""
    largest = math.ldexp(1.0, exponent)
    quanta = int(largest / quantum_of(np.full((1, size), -largest)))
    assert quanta == 2**38
    assert quanta * size < 2**61


def test_many_cells_take_bits_from_each_value():
    """Seen to fail when the sum had one bit more, and when the bits of a value did not depend on how many there are."""
    values = np.broadcast_to(np.float64(1.5), (2**11, 2**12))
    assert 1.5 / quantum_of(values) == 1.5 * 2**37
