"""The exact split, against Python integers."""

from __future__ import annotations

import math

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.allocate import apportion
from carbongrid.raster.kernels import split as splits
from carbongrid.raster.kernels.split import _rounded_sum

TOTALS = st.one_of(st.integers(0, 2**63 - 1), st.integers(0, 1000), st.just(2**63 - 1))


@st.composite
def integer_weights(draw, largest=2**56):
    """Weights of one row: few or many, tiny or huge, adding up to at most 2^56."""
    count = draw(st.integers(1, 30))
    top = draw(st.sampled_from([1, 7, 1000, 2**31, largest])) // count
    weights = draw(st.lists(st.integers(0, max(top, 1)), min_size=count, max_size=count))
    return weights if sum(weights) <= largest else [1] * count


FLOATS = st.floats(0, 2.0**1000, allow_subnormal=True)


@given(TOTALS, integer_weights())
@example(2**63 - 1, [2**56 - 1, 1])
@example(2**63 - 1, [3, 2**55, 2**55 - 3])
@example(0, [0, 0])
def test_split_equals_python_integers(total, weights):
    """Seen to fail when the guess is not mended from the remainder, and with rest * running / whole in int64."""
    if sum(weights) == 0:
        total = 0
    assert apportion(total, weights).tolist() == naive.apportion(total, weights)


@given(st.lists(st.tuples(TOTALS, integer_weights()), min_size=1, max_size=6))
def test_many_rows_at_once_equal_one_by_one(rows):
    """Seen to fail when the running sum is not reset at the start of a row."""
    rows = [(total if sum(weights) else 0, weights) for total, weights in rows]
    start = np.cumsum([0] + [len(weights) for _, weights in rows])
    flat = [weight for _, weights in rows for weight in weights]
    parts = apportion([total for total, _ in rows], flat, start)
    expected = [part for total, weights in rows for part in naive.apportion(total, weights)]
    assert parts.tolist() == expected


@given(TOTALS, st.lists(FLOATS, min_size=1, max_size=40))
@example(2**63 - 1, [0.1] * 3)
@example(2**63 - 1, [5e-324, 5e-324, 1e-323])
def test_float_weights_are_scaled_to_56_bits(total, weights):
    """Seen to fail with a scale of 2^55 and with weights truncated instead of rounded."""
    if math.fsum(weights) == 0:
        total = 0
    parts = apportion(total, weights)
    assert parts.tolist() == naive.apportion(total, naive.quanta(weights))
    assert sum(parts.tolist()) == total


@given(
    st.lists(FLOATS, max_size=50),
    st.lists(st.sampled_from([1.0, 2.0**-53, 2.0**-54, 3 * 2.0**-55]), max_size=50),
)
def test_rounded_sum_is_that_of_fsum(spread, close):
    """Seen to fail without the half-way correction at the end, and with plain summation."""
    values = np.array(spread + close)
    assert _rounded_sum(values, np.empty(2100)) == math.fsum(values)


@given(TOTALS, integer_weights(), st.randoms(use_true_random=False))
def test_order_decides_at_most_a_gram(total, weights, random):
    """A part is within a gram of the real share, whatever the order. Seen to fail with shares rounded one by one."""
    whole = sum(weights)
    if whole == 0:
        return
    random.shuffle(weights)
    parts = apportion(total, weights).tolist()
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - total * weight) < whole


def test_a_total_for_all_rows():
    assert apportion(7, [1, 1, 1, 2], [0, 2, 4]).tolist() == [3, 4, 2, 5]


def test_empty_rows_take_nothing():
    assert apportion([0, 5, 0], [2, 3], [0, 0, 2, 2]).tolist() == [2, 3]
    assert apportion(0, []).tolist() == []


def test_unsigned_and_narrow_dtypes_are_the_same_split():
    weights = np.array([3, 200, 50])
    expected = apportion(10**15, weights).tolist()
    for dtype in (np.uint8, np.int16, np.uint32, np.uint64, np.float32, np.float64):
        assert sum(apportion(10**15, weights.astype(dtype)).tolist()) == 10**15
    assert apportion(10**15, weights.astype(np.uint32)).tolist() == expected


@pytest.mark.parametrize(
    ("total", "weights", "start", "says"),
    [
        (5, [0, 0], None, "row 0: all weights are zero, yet the total is 5"),
        ([0, 3], [1, 0.0, 0.0], [0, 1, 3], "row 1: all weights are zero, yet the total is 3"),
        (5, [], None, "row 0: all weights are zero"),
        (5, [1, -1], None, "row 0: a weight is negative"),
        (5, [1.0, -1e-300], None, "row 0: a weight is negative"),
        (5, [1.0, math.nan], None, "row 0: a weight is NaN or infinite"),
        (5, [1.0, math.inf], None, "row 0: a weight is NaN or infinite"),
        (
            5,
            [1e308, 1e308],
            None,
            "row 0: the weights add up to too much (total 5). Scale the weights",
        ),
        (
            5,
            [2**56, 1],
            None,
            "row 0: the weights add up to too much (total 5). Integers may add up to 2^56; as grams that is 72 thousand million t",
        ),
        (5, [2**62, 2**62, 2**62], None, "row 0: the weights add up to too much"),
        (5, np.array([2**63], np.uint64), None, "2^56"),
        (-1, [1], None, "row 0: a total is negative: -1"),
        (2**63, [1], None, "totals must be int64"),
        (2**70, [1], None, "totals must be int64"),
        (1.5, [1], None, "totals must be int64"),
        ([1, 2], [1], None, "totals must be int64"),
        (1, [[1]], None, "weights must be one row"),
        (1, ["a"], None, "weights must be one row"),
        (1, [1, 2], [0, 1], "start must rise"),
        (1, [1, 2], [0, 2, 1, 2], "start must rise"),
    ],
)
def test_refusals_name_the_row(total, weights, start, says):
    with pytest.raises(InputError, match=r".") as caught:
        apportion(total, weights, start)
    assert says in str(caught.value)


def test_ten_bad_rows_are_listed():
    with pytest.raises(InputError) as caught:
        apportion(1, [0] * 25, np.arange(26))
    assert len(caught.value.problems) == 11
    assert "and 15 rows more" in str(caught.value)


@pytest.mark.skipif(not hasattr(splits.split, "overloads"), reason="nothing is compiled")
def test_arrays_that_may_be_written_and_that_may_not_share_compiled_code() -> None:
    """Numba compiles anew for each of the two, and a wheel brings one."""
    found = set()
    for weights, total in (([1, 2, 3], [4, 5]), ([1.0, 2.0, 3.0], [4, 5])):
        for writeable in (True, False):
            arrays = [np.array(each) for each in (total, weights, [0, 1, 3])]
            for each in arrays:
                each.flags.writeable = writeable
            before = set(splits.split.overloads)
            apportion(*arrays)
            found |= set(splits.split.overloads) - before
    assert len(found) <= 1
