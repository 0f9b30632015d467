"""Values with a raster of weights: against a dictionary of rational numbers, and the same however the row is cut."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS

from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.bins import BITS
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.shares import exact_shares
from carbongrid.raster.zonal.weighted_values import block_weighted_values, merged_weighted_values

SIZE = 12
LAND = [(0, SIZE, 4), (0, SIZE, 1), (3, 9, 3), (5, 6, 4)]
"""Columns from and to, and quarters of the row's height."""
SHARES = exact_shares(
    Polygons.of(np.array([shapely.box(left, 0, right, own / 4) for left, right, own in LAND])),
    Grid(CRS, 1, (0, 0, SIZE, 1)),
)
CELLS = st.lists(
    st.tuples(
        st.sampled_from([0.0, -0.0, 1.0, 2.0, -3.5, np.nan]),
        st.tuples(st.floats(0, 1), st.integers(-80, 80)).map(lambda pair: pair[0] * 2.0 ** pair[1])
        | st.just(np.nan),
    ),
    min_size=SIZE,
    max_size=SIZE,
)


def in_block(values, weights, first, end):
    rows = (np.array([each[first:end]]) for each in (values, weights))
    return block_weighted_values(*rows, (0, first), SHARES[:2], np.arange(len(LAND)))


@settings(max_examples=40)
@given(CELLS, st.lists(st.integers(1, SIZE - 1), max_size=4), st.randoms())
def test_sums_of_weights_of_each_value(cells, cuts, random):
    """Seen to fail when a value was compared with the first one only, and came several times."""
    values, weights = zip(*cells, strict=True)
    expected: dict[tuple[int, float | None], list[Fraction]] = {}
    for row, (left, right, own) in enumerate(LAND):
        for value, weight in cells[left:right]:
            if value == value:
                key = (row, value if weight == weight else None)
                # The product is rounded, the sum is not.
                amount = own / 4 * weight if weight == weight else 0.0
                expected.setdefault(key, []).append(Fraction(amount))
    whole = in_block(values, weights, 0, SIZE)
    keys = [
        (row, None if value != value else value)
        for row, value in zip(whole.polygons.tolist(), whole.values.tolist(), strict=True)
    ]
    assert keys == sorted(expected, key=lambda key: (key[0], key[1] is None, key[1] or 0.0))
    for key, top, parts in zip(keys, whole.tops.tolist(), whole.sums.tolist(), strict=True):
        found = sum(
            Fraction(part) * Fraction(2) ** (BITS * (top - k)) for k, part in enumerate(parts)
        )
        amounts = expected[key]
        left_out = max(max(amounts) / 2**88, Fraction(2) ** -960)
        assert abs(found - sum(amounts)) <= len(amounts) * left_out
    parts = [
        in_block(values, weights, *ends)
        for ends in itertools.pairwise([0, *sorted(set(cuts)), SIZE])
    ]
    random.shuffle(parts)
    for one, other in zip(whole, merged_weighted_values(parts), strict=True):
        assert np.array_equal(one, other, equal_nan=True)
