"""Sums over coarse cells at the limit of int64."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS

from carbongrid import block_sum, zonal_sum
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal.coarse import _largest


@given(st.integers(50, 62), st.integers(1, 5), st.sampled_from([1, -1]))
def test_a_sum_is_exact_up_to_the_limit_and_refused_beyond(power, factor, sign):
    """Seen to fail when the size of a sum was taken for that of a row of it: beyond int64 it wrapped."""
    values = np.full((factor, 2 * factor), sign * 2**power)
    expected = sign * factor**2 * 2**power
    if -(2**63) <= expected < 2**63:
        assert block_sum(values, factor).values.tolist() == [[expected] * 2]
    else:
        with pytest.raises(InputError, match="leaves int64"):
            block_sum(values, factor)


@pytest.mark.parametrize("value", [2**63, 2**63 + 1, 2**64 - 1])
def test_unsigned_integers_above_int64_are_refused(value):
    """Seen to fail when only far larger ones were: these came back below zero."""
    with pytest.raises(InputError, match="leaves int64"):
        block_sum(np.array([[value, 0]], np.uint64), 1)


@given(st_numpy.arrays(st_numpy.integer_dtypes() | st_numpy.unsigned_integer_dtypes(), (2, 3)))
def test_no_integer_of_a_block_is_above_its_bound(block):
    """A bound that is too low would show in sums of 2^32 cells only, more than a test can hold."""
    assert _largest(block) >= max(abs(int(value)) for value in block.ravel())


def test_centres_of_coarse_cells_lie_between_integers_of_any_type():
    """Seen to fail: x of -12718 between 20000 and 20100, which were int16."""
    places = np.array([20_000, 20_100, 20_200, 20_300])
    fine = xr.DataArray(np.ones((4, 4)), dims=("y", "x"), coords={"y": places[::-1].astype("i2"), "x": places.astype("u2")})  # fmt: skip
    coarse = block_sum(fine, 2)
    assert coarse["x"].values.tolist() == [20_050, 20_250]
    assert coarse["y"].values.tolist() == [20_250, 20_050]


def test_coarse_cells_of_columns_first_keep_their_geotransform():
    """Seen to have none: what reads it then took the cells' centres for what they are without a size."""
    fine = rasterize(
        gpd.GeoSeries([shapely.box(0, 0, 30, 40)], crs=CRS), Grid(CRS, 10, (0, 0, 60, 40))
    )
    turned, told = block_sum(fine.T, 2), "0.0 20.0 0.0 40.0 0.0 -20.0"
    assert turned.spatial_ref.attrs["GeoTransform"] == told
    assert turned.T.identical(block_sum(fine, 2))


def test_a_factor_that_is_no_whole_number_is_refused():
    """Seen to fail as a TypeError of a range."""
    with pytest.raises(InputError, match=r"a whole number, not 2.0. Take int\(\.\.\.\)"):
        block_sum(np.ones((4, 4)), 1000 / 500)
    with pytest.raises(InputError, match=r"n is the largest label, a whole number, not 2.0"):
        zonal_sum(np.ones((4, 4)), np.ones((4, 4), np.uint32), 2.0)
