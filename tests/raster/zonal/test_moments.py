"""Statistics and what bins hold: against rational numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS

from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.bins import BINS, BITS
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.raster.zonal.moments import moved_down, pair_of_bins

STATS = ("count", "valid_fraction", "min", "max", "sum", "mean", "variance", "std")
CELLS = st.lists(
    st.tuples(st.integers(1, 4), st.floats(-1e3, 1e3, width=32) | st.just(np.nan), st.integers(0, 3)),
    min_size=1,
    max_size=8,
)  # fmt: skip


@given(
    st_numpy.arrays(np.int64, (3, BINS), elements=st.integers(-(2**61), 2**61)),
    st.integers(-29, 30),
)
def test_bins_are_a_float_and_its_rest(parts, top):
    """Seen to fail when what a bin has beyond its 30 bits is carried, and kept as well."""
    high, low = pair_of_bins(parts[:, None], np.full((3, 1), top), 0)
    unit = Fraction(2) ** (BITS * top)
    for mine, whole, rest in zip(parts.tolist(), high.tolist(), low.tolist(), strict=True):
        exact = sum(Fraction(part) * unit / 2 ** (BITS * k) for k, part in enumerate(mine))
        largest = max(abs(exact), 2**32 * unit)  # the highest bin is added in two halves
        assert abs(Fraction(whole) + Fraction(rest) - exact) <= largest / 2**100
        assert abs(rest) <= abs(whole) * 2.0**-53


@given(
    st_numpy.arrays(np.int64, (2, 3, BINS)),
    st_numpy.arrays(np.int64, (2, 3), elements=st.integers(0, 2 * BINS)),
)
def test_bins_are_moved_down_and_out(sums, down):
    """Seen to fail when an empty bin on top was not empty."""
    found = moved_down(sums, down)
    for mine, by, was in zip(
        found.reshape(-1, BINS), down.ravel(), sums.reshape(-1, BINS), strict=True
    ):
        assert mine.tolist() == ([0] * by + was.tolist())[:BINS]


@settings(max_examples=40)
@example([(1, 0.0, 0), (1, float(np.float32(1e-10)), 0)], 1e6, False)
@given(CELLS, st.sampled_from([0.0, 1e6]), st.booleans())
def test_statistics_are_those_of_rational_numbers(cells, offset, weighted):
    """A polygon that has one to four quarters of the cells of a row. Seen to fail when a variance was more by the weight than the sum of squares."""
    quarters, values, weights = zip(*cells, strict=True)
    values = np.array([values]) + offset
    grid = Grid(CRS, 1, (0, 0, len(cells), 1))
    skyline = shapely.union_all(
        [shapely.box(k, 0, k + 1, own / 4) for k, own in enumerate(quarters)]
    )
    made = ZonalOperator(np.array([skyline]), grid).apply(
        values, STATS, weights=np.array([weights], np.float64) if weighted else None
    )
    known = [
        (Fraction(own, 4), Fraction(value), weight if weighted else 1)
        for own, value, weight in zip(quarters, values[0].tolist(), weights, strict=True)
        if value == value
    ]
    nothing = float("nan")
    share = sum(own for own, _, _ in known)
    weight = sum(own * weight for own, _, weight in known)
    total = sum(own * weight * value for own, value, weight in known)
    mean = total / weight if weight else nothing
    variance = sum(own * w * (value - mean) ** 2 for own, value, w in known) / weight if weight else nothing  # fmt: skip
    expected = {
        "count": share,
        "valid_fraction": share * 4 / sum(quarters),
        "min": min((value for _, value, _ in known), default=nothing),
        "max": max((value for _, value, _ in known), default=nothing),
        "sum": total,
        "mean": mean,
        "variance": variance,
    }
    for stat, number in expected.items():
        near = pytest.approx(float(number), rel=1e-14, abs=1e-18, nan_ok=True)
        assert float(made[stat][0]) == near, stat
    # Of 0 and 1e-10 above a million the variance is nearer to 0 than that, and its root is not.
    assert float(made["std"][0]) ** 2 == pytest.approx(float(variance), rel=4e-14, abs=1e-18, nan_ok=True)  # fmt: skip
