"""What is unknown: declared numbers, masks and NaN mean the same in every function, whatever the type, in memory and lazy."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import shapely
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import georeferenced
from carbongrid.raster.labels import rasterize
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import (
    ZonalOperator,
    block_sum,
    crosstab,
    lookup,
    quantum_of,
    spread,
    weighted_overlap,
    zonal_count,
    zonal_max,
    zonal_mean,
    zonal_min,
    zonal_stats,
    zonal_sum,
)

SHAPE = (6, 8)
GRID = Grid(CRS, 10, (0, 0, 80, 60))
HALVES = Polygons.of(np.array([shapely.box(0, 0, 40, 60), shapely.box(40, 0, 80, 60)]), CRS)
LABELS = rasterize(HALVES, GRID)
# Lowest float32 as GeoTIFFs have it; the largest uint8; one that float64 does not hold; a decimal that float32 rounds.
DECLARED = [
    ("float32", float(np.finfo(np.float32).min)),
    ("float64", float(np.finfo(np.float32).min)),
    ("float64", -9999.0),
    ("float32", -9999.9),
    ("float64", -np.inf),
    ("uint8", 255),
    ("int16", -9999),
    ("int32", -(2**31)),
    ("int64", -(2**63)),
    ("int64", 2**63 - 1),
    ("uint64", 2**64 - 1),
    ("uint8", -9999),
]


def raiser(*_, **__):
    raise AssertionError("computed too early")


def declared(values, number, where, name="_FillValue") -> xr.DataArray:
    raster = georeferenced(values, GRID, "v", {})
    if where == "attrs":
        raster.attrs[name] = number
    elif where == "encoding":
        raster.encoding[name] = number
    else:
        import rioxarray  # noqa: F401

        raster = raster.rio.set_nodata(number)
    return raster


def statistics(values, labels=LABELS) -> dict[str, list]:
    """What each function makes of a raster of values."""
    ones = np.ones(SHAPE, np.uint32)
    return {
        "sum": zonal_sum(values, labels, 2).values.tolist(),
        "exact": zonal_sum(values, labels, 2, quantum=0.25).values.tolist(),
        "count": zonal_count(values, labels, 2).values.tolist(),
        "mean": zonal_mean(values, labels, 2).values.tolist(),
        "least": zonal_min(values, labels, 2).values.tolist(),
        "largest": zonal_max(values, labels, 2).values.tolist(),
        "pairs": dask.compute(crosstab(labels, ones, shape=(2, 1), values=values))[0]
        .toarray()
        .tolist(),
        "coarse": block_sum(values, 2).values.tolist(),
        "quantum": quantum_of(values),
        "density": np.round(spread([1000.0, 500.0], LABELS, weights=values).values, 12).tolist(),
    }


@settings(max_examples=20)
@given(
    st.sampled_from(DECLARED),
    st_numpy.arrays(np.int16, SHAPE, elements=st.integers(0, 100)),
    st_numpy.arrays(np.bool_, SHAPE),
    st.sampled_from(["attrs", "encoding", "accessor"]),
    st.booleans(),
)
def test_declared_numbers_mean_what_nan_means(kind, numbers, hidden, where, lazy):
    """Seen to fail with sums of -1e42, with minima of -9999, with counts of all cells, and with integers made floats."""
    dtype, number = kind
    fits = np.dtype(dtype).kind == "f" or np.can_cast(np.min_scalar_type(number), dtype)
    hidden = hidden if fits else np.zeros(SHAPE, np.bool_)
    if where == "accessor" and not fits:
        where = "attrs"
    stored = numbers.astype(dtype)
    stored[hidden] = np.dtype(dtype).type(number) if fits else 0
    wanted = statistics(np.where(hidden, np.nan, numbers))
    raster = declared(stored, number, where)
    values = raster.copy(data=da.from_array(stored, chunks=(4, 3))) if lazy else raster
    if where == "accessor" and lazy:
        values = values.rio.set_nodata(number)
    found = statistics(values)
    if np.dtype(dtype).kind != "f":
        # Of integers nothing is made a float, so 1 is the quantum of what has none.
        assert zonal_sum(values, LABELS, 2).dtype == np.int64
    for name, result in wanted.items():
        np.testing.assert_array_equal(found[name], result, name)


@settings(max_examples=30)
@given(
    st.sampled_from(["float32", "float64", "int32", "uint8"]),
    st_numpy.arrays(np.int16, SHAPE, elements=st.integers(0, 100)),
    st_numpy.arrays(np.bool_, SHAPE),
    st.booleans(),
)
def test_masks_mean_what_nan_means(dtype, numbers, hidden, lazy):
    """Seen to fail when the array below the mask is taken."""
    masked = np.ma.masked_array(numbers.astype(dtype), hidden)
    values = da.from_array(masked, chunks=(4, 3)) if lazy else masked
    found, wanted = statistics(values), statistics(np.where(hidden, np.nan, numbers))
    for name, result in wanted.items():
        np.testing.assert_array_equal(found[name], result, name)
    within = statistics(np.ones(SHAPE), np.ma.masked_array(LABELS.values, hidden))
    assert within["count"] == statistics(np.where(hidden, np.nan, 1))["count"]


def test_masked_labels_are_nobody_s():
    labels = np.ma.masked_array(LABELS.values, LABELS["x"].values[None, :] < 25 + 0 * LABELS.values)
    for each in (labels, da.from_array(labels, chunks=(4, 3))):
        (matrix,) = dask.compute(crosstab(each, LABELS, shape=(2, 2)))
        assert matrix.toarray().tolist() == [[12, 0], [0, 24]]
        (table,) = dask.compute(crosstab(each, LABELS))
        assert table["count"].to_numpy().tolist() == [12, 24]
        assert float(lookup([1.0, 1.0], each).sum()) == 36


@pytest.mark.parametrize("where", ["attrs", "encoding", "accessor"])
@pytest.mark.parametrize("lazy", [False, True])
def test_weights_of_polygons_too(where, lazy):
    """Seen to be all zeros: the quantum followed the nodata value."""
    stored = np.arange(48, dtype=np.float32).reshape(SHAPE)
    stored[0] = -3.4e38
    raster = declared(stored, float(np.float32(-3.4e38)), where)
    if lazy:
        raster = raster.copy(data=da.from_array(stored, chunks=(4, 3)))
        raster = raster.rio.set_nodata(-3.4e38) if where == "accessor" else raster
    found = weighted_overlap(HALVES, HALVES, raster).diagonal()
    assert found.tolist() == [stored[1:, :4].sum(), stored[1:, 4:].sum()]


@pytest.mark.parametrize("name", ["_FillValue", "missing_value", "nodata"])
def test_any_attribute_that_readers_write(name):
    stored = np.array([[1, 2, -1, -2]])
    raster = xr.DataArray(stored, dims=("y", "x"), attrs={name: np.int16(-1)})
    raster.encoding["source"] = "read.tif"
    assert zonal_sum(raster, np.ones((1, 4), int), 1).values.tolist() == [1]
    raster.attrs[name] = np.array([-1, -2])
    assert zonal_sum(raster, np.ones((1, 4), int), 1).values.tolist() == [3]
    raster.attrs[name] = "none known"
    with pytest.raises(InputError, match=f"{name} is 'none known', which is no number"):
        zonal_sum(raster, np.ones((1, 4), int), 1)


def test_what_was_decoded_keeps_every_value():
    """A stored 25 with a factor of 10 is 250; the number in the encoding is that of stored values."""
    raster = xr.DataArray(np.array([[250.0, 255.0, np.nan]]), dims=("y", "x"))
    raster.encoding = {"_FillValue": 255, "scale_factor": 10.0, "dtype": "uint8"}
    assert zonal_sum(raster, np.ones((1, 3), int), 1).values.tolist() == [505]
    assert Unknown.of(raster) == Unknown()


def test_scaled_values_that_nobody_decoded_are_refused():
    """Seen to be summed as they are stored."""
    raster = georeferenced(np.ones(SHAPE, np.int16), GRID, "v", {"scale_factor": 0.1})
    for reduce in (
        lambda: zonal_sum(raster, LABELS, 2),
        lambda: block_sum(raster, 2),
        lambda: weighted_overlap(HALVES, HALVES, raster),
        lambda: spread([1.0, 1.0], LABELS, weights=raster),
    ):
        with pytest.raises(
            InputError, match=r"not what they mean: scale_factor = 0.1. .*mask_and_scale=True"
        ):
            reduce()
    raster.attrs = {"scale_factor": 1.0, "add_offset": 0.0}  # as rioxarray writes for every GeoTIFF
    assert zonal_sum(raster, LABELS, 2).values.tolist() == [24, 24]
    raster.attrs["add_offset"] = -3
    with pytest.raises(InputError, match=r"scale_factor = 1\.0, add_offset = -3"):
        zonal_sum(raster, LABELS, 2)


def test_labels_declare_0_or_nothing():
    labels = LABELS.assign_attrs(_FillValue=0)
    ones = np.ones(SHAPE)
    assert zonal_sum(ones, labels, 2).values.tolist() == [24, 24]
    wrong = LABELS.assign_attrs(_FillValue=4294967295)
    for reduce in (
        lambda: zonal_sum(ones, wrong, 2),
        lambda: crosstab(wrong, LABELS, shape=(2, 2)),
        lambda: crosstab(LABELS, wrong),
        lambda: lookup([1.0, 2.0], wrong),
        lambda: spread([1.0, 2.0], wrong),
    ):
        with pytest.raises(
            InputError, match=r"declare 4294967295 as nodata, .* Write labels.where\("
        ):
            reduce()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of rioxarray, about affine
def test_a_file_means_the_same_however_it_is_opened(tmp_path):
    """Seen to be -1.1e42 without masked=True."""
    import rioxarray

    values = np.arange(48, dtype=np.float32).reshape(SHAPE)
    values[2, 3] = np.nan
    raster = georeferenced(values, GRID, "v", {})
    filled = raster.fillna(-3.4028235e38).rio.write_nodata(-3.4028235e38)
    filled.rio.to_raster(tmp_path / "v.tif")
    expected = zonal_sum(raster, LABELS, 2).values.tolist()
    for masked in (False, True):
        for chunks in (None, {"x": 3, "y": 4}):
            with rioxarray.open_rasterio(
                tmp_path / "v.tif", masked=masked, chunks=chunks
            ) as opened:
                one = opened.squeeze("band", drop=True)
                assert zonal_sum(one, LABELS, 2).values.tolist() == expected
                with pytest.raises(InputError, match="Take one band"):
                    zonal_sum(opened, LABELS, 2)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_zarr_arrays_as_xarray_writes_them(tmp_path, version, dtype):
    stored = np.arange(48).reshape(SHAPE).astype(dtype)
    stored[0] = -9999
    dataset = xr.Dataset({"v": (("y", "x"), stored)})
    encoding = {"v": {"_FillValue": np.dtype(dtype).type(-9999), "chunks": (4, 3)}}
    dataset.to_zarr(tmp_path / "v.zarr", zarr_format=version, encoding=encoding, consolidated=False)
    array = zarr.open_array(tmp_path / "v.zarr", path="v", mode="r")
    found = zonal_sum(array, LABELS.values, 2).values.tolist()
    assert found == [stored[1:, :4].sum(), stored[1:, 4:].sum()]


@pytest.mark.parametrize("version", [2, 3])
def test_a_fill_value_of_0_means_one_thing_by_every_door(tmp_path, version):
    """Seen to be a mean of 5 of the array, and of 10 of the store that it is in."""
    values = np.tile(np.array([0, 10], np.int32), (6, 4))
    group = zarr.create_group(tmp_path / "v.zarr", zarr_format=version)
    names = {"dimension_names": ("y", "x")} if version == 3 else {}
    array = group.create_array("v", data=values, chunks=(4, 3), **names)
    assert array.fill_value == 0
    labels, operator = np.ones(SHAPE, np.uint32), ZonalOperator(HALVES, GRID)
    # Of a mere array of Zarr, which xarray does not read, nobody has said anything.
    assert zonal_mean(array, labels, 1).item() == 5
    array.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    opened = xr.open_zarr(tmp_path / "v.zarr", consolidated=False)["v"]
    opened = opened.assign_coords(x=LABELS.x, y=LABELS.y)
    raw = xr.open_zarr(tmp_path / "v.zarr", consolidated=False, mask_and_scale=False)["v"]
    for raster in (array, opened):
        if version == 2:
            with pytest.warns(UserWarning, match=r"cells of 0 count as unknown.*del raster"):
                assert zonal_mean(raster, labels, 1).item() == 10
            with pytest.warns(UserWarning, match=r"cells of 0 count as unknown"):
                assert zonal_stats(raster, labels, ["mean"], n=1)["mean"].values.item() == 10
            with pytest.warns(UserWarning, match=r"cells of 0 count as unknown"):
                assert operator.apply(raster, ["mean"])["mean"].values.tolist() == [10, 10]
        else:
            assert zonal_mean(raster, labels, 1).item() == 5
        assert zonal_sum(raster, labels, 1).item() == 240
        assert (block_sum(raster, 2) == 20).all()
    assert zonal_mean(raw.drop_attrs(), labels, 1).item() == 5


def test_zeros_of_zarr_2_are_values_by_either_way_that_the_warning_says(tmp_path):
    """Seen to lead to a refusal and an error; and, one step short of it, to drop the zeros without a word."""
    values = np.tile(np.array([0, 10], "f4"), (6, 4))
    raster = LABELS.copy(data=values).drop_attrs(deep=False).rename("v")

    def stored(name, fill):
        # By encoding= of to_zarr the variable would lose its CRS.
        raster.encoding["_FillValue"] = fill
        raster.to_dataset().to_zarr(tmp_path / name, zarr_format=2, consolidated=False)
        return tmp_path / name

    def undecoded(path):
        return xr.open_zarr(path, consolidated=False, mask_and_scale=False, decode_coords="all")["v"]  # fmt: skip

    def means(of):
        return zonal_stats(of, HALVES, ["mean"])["mean"].values.tolist()

    zeros = stored("zeros.zarr", 0)
    as_read = xr.open_zarr(zeros, consolidated=False, decode_coords="all")["v"]
    one_step_short = undecoded(zeros)
    for of in (as_read, one_step_short):
        with pytest.warns(UserWarning, match="cells of 0 count as unknown"):
            assert means(of) == [10, 10]
    assert means(one_step_short.assign_attrs(nodata=0)) == [10, 10]
    assert means(undecoded(zeros).assign_attrs(_FillValue=0)) == [10, 10]
    by_reading = undecoded(zeros)
    del by_reading.attrs["_FillValue"]
    written = stored("none.zarr", None)
    by_writing = xr.open_zarr(written, consolidated=False, decode_coords="all")["v"]
    for of in (by_reading, by_writing, undecoded(written)):
        assert means(of) == [5, 5]
        assert zonal_mean(of, LABELS, 2).values.tolist() == [5, 5]
    assert means(undecoded(stored("other.zarr", -1))) == [5, 5]


def test_nothing_is_computed_to_find_out():
    lazy = declared(da.from_array(np.ones(SHAPE), chunks=(3, 4)), -1.0, "attrs")
    with dask.config.set(scheduler=raiser):
        assert block_sum(lazy, 2).chunks is not None
        assert spread([1.0, 1.0], LABELS, weights=lazy).chunks is not None


def test_bands_with_nodata_values_of_their_own():
    """Seen to fail: each was taken for unknown in every band."""
    values = xr.DataArray(np.zeros((2, *SHAPE)), dims=("band", "y", "x"), coords={"band": [1, 2]}, attrs={"nodatavals": (0.0, -1.0)})  # fmt: skip
    assert Unknown.of(values.isel(band=0)).numbers == (0.0,)
    assert Unknown.of(values.isel(band=1)).numbers == (-1.0,)
    with pytest.raises(InputError, match=r"bands differ in their nodata values: 0\.0, -1\.0"):
        Unknown.of(values)
    assert Unknown.of(values.assign_attrs(nodatavals=(-1.0, -1.0))).numbers == (-1.0,)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of rioxarray, about affine
@pytest.mark.parametrize("kept", [True, False])
def test_the_number_of_another_raster_is_not_taken_for_ones_own(kept, tmp_path):
    """Seen to fail: a share of forest of 1 for a quarter, since cells of another cover were 0, which had been nodata."""
    cover = xr.DataArray(np.tile(np.array([10, 20, 20, 20], np.uint8), (4, 1)), dims=("y", "x"))
    cover = cover.assign_coords(y=[35.0, 25, 15, 5], x=[5.0, 15, 25, 35]).rio.write_crs(32650)
    cover.rio.write_nodata(0).rio.to_raster(tmp_path / "cover.tif")
    labels = np.ones((4, 4), np.uint32)
    import rioxarray

    with rioxarray.open_rasterio(tmp_path / "cover.tif") as read, xr.set_options(keep_attrs=kept):
        first = read[0].load()
        forest, change = (first == 10).astype("float32"), first - first
    assert zonal_sum(first.sel(x=slice(0, 20)), labels[:, :2], 1).item() == 120
    assert crosstab((first * 1).astype(np.uint32), labels, shape=(20, 1)).sum() == 16
    if not kept:
        assert zonal_mean(forest, labels, 1).item() == 0.25
        return
    placed = forest.astype(np.uint8).rio.write_crs(32650).rio.write_transform()
    for computed in (forest, change, first.astype(np.float64), placed):
        with pytest.raises(InputError, match=r"declares 0.* perhaps taken over.*drop_attrs"):
            zonal_mean(computed, labels, 1)
    assert zonal_mean(forest.drop_attrs(), labels, 1).item() == 0.25
    assert zonal_mean(forest.assign_attrs(_FillValue=0), labels, 1).item() == 1
    assert zonal_mean(forest.rio.write_nodata(0), labels, 1).item() == 1
    assert zonal_mean(forest.rio.write_nodata(255), labels, 1).item() == 0.25


@pytest.mark.parametrize(("dtype", "told"), [("int8", "true"), ("int16", b"true"), ("uint8", "false")])  # fmt: skip
def test_integers_whose_sign_is_elsewhere_are_refused(dtype, told):
    """Seen to fail: cells of 200 had a mean of -56."""
    stored = xr.DataArray(np.full((4, 4), 200, np.uint8).view("i1").astype(dtype), dims=("y", "x"))
    labels = np.ones((4, 4), np.uint32)
    with pytest.raises(InputError, match=r'_Unsigned = "(true|false)"'):
        zonal_sum(stored.assign_attrs(_Unsigned=told), labels, 1)
    zonal_sum(stored.assign_attrs(_Unsigned="false" if dtype != "uint8" else "true"), labels, 1)
