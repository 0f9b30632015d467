"""Arrays of bands: what is a raster without cells, and what is no raster at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.raster.zonal import zonal_stats


@given(st.lists(st.integers(0, 2), max_size=2), st.integers(0, 2), st.integers(0, 2))
def test_only_a_stack_of_none_holds_no_raster(bands, rows, columns):
    """A raster of no rows has nothing in it, and that can be counted. Seen to fail: it was refused as a stack of no bands is."""
    labels = np.ones((rows, columns), np.uint32)
    values = np.ones((*bands, rows, columns))
    if 0 in bands:
        with pytest.raises(InputError, match="hold no raster"):
            zonal_stats(values, labels, "count", n=2)
        return
    found = zonal_stats(values, labels, "count", n=2)["count"]
    assert found.shape == (*bands, 2)
    assert (found == [labels.size, 0]).all()
