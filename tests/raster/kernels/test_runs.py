"""Runs of labels against loops over cells."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.raster.kernels.jit import sealed
from carbongrid.raster.kernels.runs import pair_keys, pairs_of, run_starts

LABELS = st_numpy.arrays(
    np.uint32,
    st.integers(0, 60),
    elements=st.sampled_from([0, 1, 2, 65_535, 2**24 + 1, 2**31, 2**32 - 1]),
)


@given(LABELS, st.binary(min_size=1))
def test_runs_start_where_a_pair_changes(labels, others):
    """Seen to fail when only the first label of the pair is compared."""
    other = np.resize(np.frombuffer(others, np.uint8) % 3, labels.size)
    pairs = list(zip(labels.tolist(), other.tolist(), strict=True))
    expected = [i for i in range(len(pairs)) if i == 0 or pairs[i] != pairs[i - 1]]
    assert run_starts(sealed(labels, np.uint32), sealed(other, np.uint32)).tolist() == expected


@given(LABELS)
def test_keys_sort_as_pairs_do(labels):
    """Seen to fail with a shift by 31 bits."""
    other = labels[::-1].copy()
    keys = pair_keys(labels, other)
    a, b = pairs_of(np.sort(keys))
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == sorted(
        zip(labels.tolist(), other.tolist(), strict=True)
    )
