"""Pairs of labels as numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.raster.kernels.pair_keys import pair_keys, pairs_of

LABELS = st_numpy.arrays(
    np.uint32,
    st.integers(0, 60),
    elements=st.sampled_from([0, 1, 2, 65_535, 2**24 + 1, 2**31, 2**32 - 1]),
)


@given(LABELS)
def test_keys_sort_as_pairs_do(labels):
    """Seen to fail with a shift by 31 bits."""
    other = labels[::-1].copy()
    keys = pair_keys(labels, other)
    a, b = pairs_of(np.sort(keys))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == sorted(
        zip(labels.tolist(), other.tolist(), strict=True)
    )
