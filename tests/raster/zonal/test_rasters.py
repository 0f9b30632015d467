"""What kernels get of a block: the same numbers, in one of few types."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from shapely import box
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.zonal import ZonalOperator, block_sum, crosstab, zonal_stats, zonal_sum
from carbongrid.raster.zonal.rasters import described, flat_values, rows_of, sum_dtype, units

# What each type becomes: kernels are compiled for these only.
BECOMES = {
    "bool": "int32", "int8": "int32", "uint8": "int32", "int16": "int32", "uint16": "int32",
    "int32": "int32", "uint32": "uint32", "int64": "int64", "uint64": "int64",
    "float16": "float32", "float32": "float32", "float64": "float64",
}  # fmt: skip


@pytest.mark.parametrize(("given", "becomes"), BECOMES.items())
def test_every_number_of_a_type_stays_the_same(given, becomes):
    """Seen to fail when short integers became int16, and when integers and floats changed places."""
    dtype = np.dtype(given)
    limits = (False, True) if given == "bool" else _limits(dtype)
    block = np.array([limits, limits[::-1]], dtype)
    found = flat_values(block)
    assert found.dtype == becomes
    assert found.tolist() == [*limits, *limits[::-1]]


def _limits(dtype):
    if dtype == np.uint64:
        return 0, 2**63 - 1
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    return np.iinfo(dtype).min, np.iinfo(dtype).max


@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
def test_what_int64_cannot_hold_overflows(value):
    """Seen to fail when only blocks below 2**63 overflowed, and when 2**62 did."""
    with pytest.raises(OverflowError):
        flat_values(np.array([[0, value]], np.uint64))
    assert flat_values(np.array([[2**62, 2**63 - 1]], np.uint64)).tolist() == [2**62, 2**63 - 1]
    assert flat_values(np.empty((0, 3), np.uint64)).size == 0


def test_sums_are_of_whole_or_of_real_numbers():
    assert {sum_dtype(np.dtype(each)) for each in BECOMES if "float" not in each} == {
        np.dtype("int64")
    }
    assert {sum_dtype(np.dtype(each)) for each in BECOMES if "float" in each} == {
        np.dtype("float64")
    }
    for each in (np.dtype(complex), np.dtype("U3"), np.dtype("M8[s]")):
        with pytest.raises(InputError, match="must be real numbers or integers"):
            sum_dtype(each)


def test_the_last_label_has_a_row_and_the_next_has_none():
    """Seen to fail when the last label of all was refused."""
    assert rows_of(np.array([1, 3], np.uint32), 3).tolist() == [0, 2]
    assert rows_of(np.array([], np.uint32), 0).tolist() == []
    with pytest.raises(InputError, match="label 4 is above the largest there can be, 3"):
        rows_of(np.array([1, 4], np.uint32), 3)


@pytest.mark.parametrize("dtype", ["<u8", ">u8"])
def test_integers_above_int64_are_told_in_any_byte_order(dtype):
    """Seen to become negative where bytes were in the other order."""
    with pytest.raises(OverflowError):
        flat_values(np.array([[2**63 + 5]], dtype))


def test_bands_have_their_own_units_and_names():
    """Seen to fail: the units of a mean were "('K', 'K', 'm')", also of the third band alone."""
    stack = xr.DataArray(np.zeros((3, 1, 1)), dims=("band", "y", "x"), coords={"band": [1, 2, 3]})
    stack.attrs = {"units": ("K", "K", None), "long_name": ("day", "night", None)}
    assert (units(stack), described(stack)) == ("K, 1", "day, night")
    assert (units(stack[0]), described(stack[1])) == ("K", "night")
    assert (units(stack[2]), described(stack[2])) == ("1", "values")
    assert units(stack.assign_attrs(units=("K",) * 3)) == "K"
    assert units(stack.assign_attrs(units="mm")) == "mm"


LAND = gpd.GeoSeries([box(0, 0, 3, 2)], crs=CRS)
GRID = Grid(CRS, 1, (0, 0, 3, 2))
ONES = np.ones(GRID.shape)


@pytest.mark.parametrize(
    "call",
    [
        lambda path: zonal_sum(path, ONES.astype("u4"), 1),
        lambda path: crosstab(path, ONES.astype("u4")),
        lambda path: block_sum(path, 1),
        Grid.like,
    ],
)
def test_a_path_where_none_is_read_says_how_it_is_opened(tmp_path, call):
    """Seen to fail: "a raster has two dimensions, this one 0"."""
    for path in (tmp_path / "heat.tif", str(tmp_path / "heat.tif")):
        with pytest.raises(InputError, match=r"heat\.tif: this is a path.*open_rasterio"):
            call(path)


def test_polygons_that_are_none_are_told_as_such():
    """Seen to fail: WKT, GeoJSON and an empty list were rasters of one dimension, or no rasters at all."""
    values = xr.DataArray(ONES, dims=("y", "x"), coords={"y": GRID.y, "x": GRID.x})
    values = values.assign_coords(spatial_ref=((), 0, {"crs_wkt": LAND.crs.to_wkt()}))
    with pytest.raises(InputError, match="from_wkt"):
        zonal_stats(values, [LAND[0].wkt], "sum")
    with pytest.raises(InputError, match="from_features"):
        zonal_stats(values, LAND.__geo_interface__, "sum")
    assert zonal_stats(values, [], "sum")["sum"].shape == (0,)
    with pytest.raises(InputError, match=r"ZonalOperator\(polygons, grid\)\.apply\(array"):
        zonal_stats(ONES, LAND, "sum")


@pytest.mark.parametrize("stat", ["sum", "median"])
def test_values_that_are_no_numbers_say_what_to_take(stat):
    """Seen to fail: there was no way out."""
    with pytest.raises(InputError, match=r"not complex128.*values\.real"):
        ZonalOperator(LAND, GRID).apply(ONES * 1j, stat)


def test_a_quantile_below_one_percent_may_be_meant_as_a_share():
    """Seen to fail: quantile_0.9 was the 0.9 % quantile without a word."""
    with pytest.warns(UserWarning, match=r"0\.9 % quantile.*quantile_90"):
        zonal_stats_of = ZonalOperator(LAND, GRID).apply(ONES, "quantile_0.9")
    assert float(zonal_stats_of["quantile_0.9"][0]) == 1
    ZonalOperator(LAND, GRID).apply(ONES, ["quantile_0", "quantile_1", "quantile_99.9"])


def test_classes_of_half_floats_are_float32():
    """Seen to warn: pandas has no index of float16."""
    found = ZonalOperator(LAND, GRID).apply(ONES.astype("f2"), "fractions")
    assert found["class"].dtype == np.float32
