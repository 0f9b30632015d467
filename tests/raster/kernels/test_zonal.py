"""Sums by runs of labels, borders anywhere among sixteen cells, against a loop over the cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.raster.kernels import label_pairs, zonal
from carbongrid.raster.kernels.hi_lo import combine_hi_lo

RUNS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 40)), min_size=1, max_size=12)
ODD = [math.nan, math.inf, -math.inf, 2.0**40, -(2.0**41), 2.0**40 - 1]


def _labels(runs: list[tuple[int, int]]) -> Any:
    return np.repeat(
        np.array([label for label, _ in runs], np.uint32), [length for _, length in runs]
    )


def _by_cell(values: Any, labels: Any, scale: float | None) -> dict[int, tuple[float, int]]:
    """Sum and count of each label; None in the place of the sum where a value is too large for quanta."""
    found: dict[int, tuple[float, int]] = {}
    for value, label in zip(values.tolist(), labels.tolist(), strict=True):
        if label:
            total, count = found.get(label, (0, 0))
            if value == value:
                if scale is not None:
                    if abs(value * scale) >= zonal.MAX_QUANTA:
                        raise OverflowError
                    value = round(value * scale)
                total, count = total + value, count + 1
            found[label] = total, count
    return found


@given(
    RUNS,
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, *ODD]),
    st.sampled_from([None, 1.0, 8.0]),
)
def test_sums_equal_those_of_a_loop(
    runs: list[tuple[int, int]], seed: int, odd: float | None, scale: float | None
) -> None:
    """Seen to fail when a value of label 0 overflows, and when a NaN is counted in a block of two labels."""
    labels = _labels(runs)
    random = np.random.default_rng(seed)
    values = random.integers(-1000, 1000, labels.size) / 8
    if odd is not None:
        values[random.random(labels.size) < random.choice([0.02, 0.3])] = odd
    try:
        wanted = _by_cell(values, labels, scale)
    except OverflowError:
        with pytest.raises(OverflowError):
            zonal.label_sums(values, labels, scale)
        return
    keys, sums, counts = zonal.label_sums(values, labels, scale)
    sums = sums if scale is None else combine_hi_lo(sums)
    assert keys.tolist() == sorted(wanted)
    assert counts.tolist() == [wanted[key][1] for key in sorted(wanted)]
    # Eighths: every order of adding has the same sum.
    np.testing.assert_array_equal(sums, [wanted[key][0] for key in sorted(wanted)])


def test_tables_grow_in_the_middle_of_a_block() -> None:
    """Far more labels than slots, in runs of one to twenty cells."""
    lengths = np.random.default_rng(0).integers(1, 21, 9000)
    labels = np.repeat(np.arange(9000, dtype=np.uint32), lengths)
    keys, sums, counts = zonal.label_sums(np.ones(labels.size), labels)
    assert keys.tolist() == list(range(1, 9000))
    assert counts.tolist() == sums.tolist() == lengths[1:].tolist()


@given(RUNS, RUNS)
def test_pairs_equal_those_of_a_loop(
    runs: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    """Seen to fail when the first border among sixteen cells is taken for one later."""
    a, b = _labels(runs), _labels(others)
    a, b = a[: min(a.size, b.size)], b[: min(a.size, b.size)]
    wanted: dict[int, int] = {}
    for mine, other in zip(a.tolist(), b.tolist(), strict=True):
        if mine:
            key = mine << 32 | other
            wanted[key] = wanted.get(key, 0) + 1
    keys, counts = label_pairs.pair_sums(a, b)
    assert keys.tolist() == sorted(wanted)
    assert counts.tolist() == [wanted[key] for key in sorted(wanted)]
