"""Sixteen cells at once, compiled, equal what their bodies say in Python.

Seen to fail with halves added in another order, with "greater" for "another label", and with the last of a mask for its first.
"""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.raster.kernels import vectors
from carbongrid.raster.kernels.jit import kernel


@kernel
def _differing(labels: Any, i: int, label: Any) -> Any:
    return vectors.differing(labels, i, label)


@kernel
def _bits(mask: Any) -> int:
    return vectors.bits(mask)


@kernel
def _first_of(mask: Any) -> int:
    return vectors.first_of(mask)


@kernel
def _known(values: Any, i: int) -> Any:
    return vectors.known(values, i)


@kernel
def _sum(values: Any, i: int, mask: Any) -> Any:
    return vectors.sum_where(values, i, mask)


@kernel
def _quanta(values: Any, i: int, mask: Any, scale: float) -> Any:
    return vectors.quanta_where(values, i, mask, scale)


@kernel
def _largest(values: Any, i: int, mask: Any, scale: float) -> Any:
    return vectors.largest_where(values, i, mask, scale)


@kernel
def _repeat(values: Any, i: int, value: Any) -> None:
    vectors.repeat(values, i, value)


@kernel
def _take(values: Any, i: int, numbers: Any, k: int) -> None:
    vectors.take(values, i, numbers, k)


@kernel
def _pattern(number: Any) -> Any:
    return vectors.pattern(number)


places = st.integers(0, 5)
masks = st.integers(0, 2**16 - 1).map(np.uint16)


@given(hnp.arrays(np.uint32, 21, elements=st.sampled_from([0, 1, 2, 2**32 - 1])), places)
def test_cells_that_differ(labels: Any, i: int) -> None:
    for label in (np.uint32(1), np.uint32(2**32 - 1)):
        mask = _differing(labels, i, label)
        assert mask == vectors.differing(labels, i, label)
        assert [bool(mask >> k & 1) for k in range(16)] == list(labels[i : i + 16] != label)


@given(masks)
def test_bits_and_the_first_of_a_mask(mask: Any) -> None:
    cells = [k for k in range(16) if mask >> k & 1]
    assert _bits(mask) == vectors.bits(mask) == len(cells)
    if cells:
        assert _first_of(mask) == vectors.first_of(mask) == cells[0]


@given(hnp.arrays(np.uint32, 21), places, st.integers(0, 2**32 - 1).map(np.uint32))
def test_one_value_in_sixteen_cells(values: Any, i: int, value: Any) -> None:
    wanted = [value if i <= k < i + 16 else values[k] for k in range(21)]
    meant = values.copy()
    _repeat(values, i, value)
    vectors.repeat(meant, i, value)
    assert list(values) == list(meant) == wanted


def _arrays(dtype: Any) -> st.SearchStrategy[Any]:
    small = {"min_value": -(2**7), "max_value": 2**7 - 1} if np.dtype(dtype).kind == "i" else {}
    return hnp.arrays(dtype, 21, elements=hnp.from_dtype(np.dtype(dtype), **small))


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float32, np.int64, np.int32, np.int16, np.uint8, np.uint32]
)
@given(data=st.data(), i=places, mask=masks, scale=st.sampled_from([1.0, 2.0**20, 0.3]))
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_sums_of_the_cells_in_a_mask(
    dtype: Any, data: Any, i: int, mask: Any, scale: float
) -> None:
    values = data.draw(_arrays(dtype))
    assert _known(values, i) == vectors.known(values, i)
    assert [bool(_known(values, i) >> k & 1) for k in range(16)] == [
        value == value for value in values[i : i + 16]
    ]
    there = np.uint16(mask & _known(values, i))
    for compiled, meant, cells, more in (
        (_sum, vectors.sum_where, mask, ()),
        (_quanta, vectors.quanta_where, mask, (scale,)),
        (_largest, vectors.largest_where, there, (scale,)),
    ):
        found, wanted = compiled(values, i, cells, *more), meant(values, i, cells, *more)
        assert np.array_equal(found, wanted, equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(places, places)
def test_cells_are_taken_as_they_are(dtype: Any, i: int, k: int) -> None:
    values = np.random.default_rng(2).normal(size=21).astype(dtype)
    values[7] = np.nan
    found, expected = np.zeros(23), np.zeros(23)
    _take(values, i, found, k)
    vectors.take(values, i, expected, k)
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(found[k : k + 16], values[i : i + 16], equal_nan=True)
    assert np.count_nonzero(np.delete(found, np.s_[k : k + 16])) == 0


@given(st.floats())
def test_a_pattern_is_the_bits_of_a_float(number: float) -> None:
    assert _pattern(number) == vectors.pattern(number) == np.array([number]).view(np.int64)[0]
