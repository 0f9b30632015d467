"""A lookup and its sums over coarse cells, borders anywhere among sixteen cells, against NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.raster.kernels.lookup import look_up_sums


@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_sums_over_coarse_cells(factor: int, columns: int, labels_there: int, seed: int) -> None:
    """Seen to fail when the first of two labels is counted for both."""
    random = np.random.default_rng(seed)
    size = factor * factor * columns
    runs = random.integers(1, 30, size)
    labels = np.repeat(random.integers(0, labels_there, size), runs)[:size].astype(np.uint32)
    labels = labels.reshape(factor, factor * columns)
    # Eighths: every order of adding has the same sum.
    table = random.integers(-100, 100, labels_there) / 8
    sums = np.zeros((1, columns))
    assert look_up_sums(table, labels, sums) == 0
    wanted = table[labels].reshape(factor, columns, factor).sum(axis=(0, 2))
    np.testing.assert_array_equal(sums[0], wanted)
    labels[-1, -1] = labels_there
    assert look_up_sums(table, labels, sums) == labels_there
