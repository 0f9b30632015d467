"""Values of cells in order, against NumPy: signs, zeros, infinities, few values and many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.raster.kernels.cell_values import quantiles_in_rows, values_in_polygons
from carbongrid.raster.kernels.jit import as_readonly_contiguous


def row_of(values):
    """One polygon that has each cell of a row, of measure 1, 2, 3, 1, 2, 3 ..., as values and measures in order."""
    size = values.size
    share = as_readonly_contiguous((np.arange(size) % 3 + 1) / 4, np.float64)
    starts = [as_readonly_contiguous([0, length], np.int64) for length in (0, size)]
    nothing = as_readonly_contiguous([], np.int32)
    columns = as_readonly_contiguous(np.arange(size), np.int32)
    rows = as_readonly_contiguous(np.zeros(size), np.int32)
    polygons, found, measures = values_in_polygons(
        as_readonly_contiguous(values[None], values.dtype),
        (0, 0),
        (starts[0], nothing, nothing, nothing),
        (starts[1], rows, columns, share),
        np.zeros(1, np.int64),  # not read-only, as of operators, or all is compiled once more
        as_readonly_contiguous([4.0], np.float64),
        as_readonly_contiguous([1.0], np.float64),
    )
    assert (polygons == 0).all()
    return found, measures


@given(
    st_numpy.arrays(
        st.sampled_from(["f4", "f8"]),
        st.integers(1, 200),
        elements=st.one_of(
            st.sampled_from([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 0.5]), st.floats(width=32)
        ),
    )
)
def test_values_come_in_order_each_once(values):
    """Seen to fail when negative numbers keep their bits, when a byte is passed over, and when measures stay where they were."""
    found, measures = row_of(values)
    known = ~np.isnan(values)
    expected, place = np.unique(values[known].astype("f8"), return_inverse=True)
    weights = np.bincount(place, (np.arange(values.size) % 3 + 1)[known], expected.size)
    assert found.tolist() == expected.tolist()
    assert not np.signbit(found[found == 0]).any()
    assert measures.tolist() == weights.tolist()


def test_a_quantile_beside_infinity():
    """Seen to fail with NaN, which stands for no known cell."""
    ends = as_readonly_contiguous([0, 2, 4, 5], np.int64)
    values = as_readonly_contiguous([-np.inf, 1.0, 1.0, np.inf, 3.0], np.float64)
    ones = as_readonly_contiguous(np.ones(5), np.int64)
    assert quantiles_in_rows(ends, values, ones, 0.5).tolist() == [-np.inf, np.inf, 3.0]
    assert quantiles_in_rows(ends, values, ones, 1.0).tolist() == [1.0, np.inf, 3.0]
    nothing = as_readonly_contiguous(np.zeros(5), np.int64)
    assert np.isnan(quantiles_in_rows(ends, values, nothing, 0.5)).all()
    assert quantiles_in_rows(ends, values, ones, 0.0).tolist() == pytest.approx([-np.inf, 1.0, 3.0])
