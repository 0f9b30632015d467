"""Tables of statistics: against loops and against each statistic alone, band by band, in any order of dimensions, lazy or not."""

from __future__ import annotations

import dask
import dask.array as da
import geopandas as gpd
import naive
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS, partition

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import (
    ZonalOperator,
    zonal_count,
    zonal_max,
    zonal_mean,
    zonal_min,
    zonal_stats,
    zonal_sum,
)

SHAPE = (4, 5)
STATS = ["count", "sum", "mean", "min", "max"]
ALONE = {
    "count": zonal_count,
    "sum": zonal_sum,
    "mean": zonal_mean,
    "min": zonal_min,
    "max": zonal_max,
}
LABELS = st_numpy.arrays(np.uint32, SHAPE, elements=st.integers(0, 3))
INTEGERS = st_numpy.arrays(np.int64, SHAPE, elements=st.integers(-(2**50), 2**50))
# Quarters add up exactly in any order, so equality is exact.
QUARTERS = st_numpy.arrays(np.int16, SHAPE).map(
    lambda quarters: np.where(quarters % 7 == 0, np.nan, quarters / 4)
)
CHUNKS = st.tuples(st.integers(1, 4), st.integers(1, 5))
GRID = Grid(CRS, 10, (0, 0, 50, 40))


def raiser(*_, **__):
    raise AssertionError("computed too early")


def on_grid(values, **attributes):
    return rasterize(np.array([None]), GRID).copy(data=values).assign_attrs(attributes)


def cube(planes, chunks=None):
    """Bands of the grid, in time; y and x named by CF attributes only."""
    data = np.stack(planes)
    data = data if chunks is None else da.from_array(data, chunks=(1, *chunks))
    template = rasterize(np.array([None]), GRID)
    return xr.DataArray(
        data,
        dims=("time", "rows", "cols"),
        coords={
            "time": pd.date_range("2020", periods=len(planes)),
            "rows": ("rows", GRID.y, template["y"].attrs),
            "cols": ("cols", GRID.x, template["x"].attrs),
            "spatial_ref": template["spatial_ref"],
            "season": ("time", ["dry"] * len(planes)),
        },
        name="heat",
        attrs={"units": "K", "long_name": "heat", "standard_name": "air_temperature"},
    )


@settings(max_examples=30)
@given(LABELS, st.one_of(QUARTERS, INTEGERS), CHUNKS, st.sets(st.sampled_from(STATS), min_size=1))
def test_a_table_equals_loops_and_each_statistic_alone(labels, values, chunks, stats):
    """Seen to fail when a maximum loses its sign, when a count takes what is unknown, and when sums are made without their halves."""
    stats = sorted(stats)
    wanted = naive.label_statistics(values, labels, 4)
    found = zonal_stats(values, labels, stats, n=4)
    assert list(found.data_vars) == stats
    with dask.config.set(scheduler=raiser):
        lazy = zonal_stats(da.from_array(values, chunks=chunks), labels, stats, n=4)
    assert all(lazy[stat].chunks is not None for stat in stats)
    for stat in stats:
        np.testing.assert_array_equal(found[stat], wanted[stat])
        assert found[stat].values.tobytes() == ALONE[stat](values, labels, 4).values.tobytes()
        assert lazy[stat].dtype == found[stat].dtype
    assert lazy.compute().identical(found)


def test_a_mean_of_integers_is_rounded_once():
    """Seen to fail: a sum beyond 2^53 was rounded, and its quotient once more."""
    values = np.array([[0] + [562949953421295] * 19, [0] + [-562949953421295] * 19])
    labels = np.array([[1] * 20, [2] * 20], np.uint32)
    found = zonal_stats(values, labels, "mean", n=2)["mean"].values.tolist()
    assert found == [534802455750230.25, -534802455750230.25]


@settings(max_examples=20)
@given(LABELS, st.lists(QUARTERS, min_size=1, max_size=3), st.permutations(range(3)), CHUNKS)
def test_bands_in_any_order_of_dimensions_are_those_of_each_alone(labels, planes, order, chunks):
    """Seen to fail when the last two dimensions were taken for y and x, and when every band was the first."""
    values, numbers = cube(planes), on_grid(labels)
    turned = values.transpose(*(values.dims[axis] for axis in order))
    found = zonal_stats(turned, numbers.transpose("x", "y"), n=3)
    assert found["sum"].dims == ("time", "label")
    for i in range(len(planes)):
        for stat, alone in ALONE.items():
            wanted = alone(values[i].drop_vars(["time", "season"]), numbers, 3)
            assert found[stat][i].values.tobytes() == wanted.values.tobytes()
    with dask.config.set(scheduler=raiser):
        lazy = zonal_stats(cube(planes, chunks), numbers, n=3)
    assert lazy["mean"].chunks is not None
    assert lazy.compute().identical(found)


def test_each_statistic_has_its_own_units_and_nothing_is_inherited():
    values = cube([np.ones(SHAPE)] * 2)
    found = zonal_stats(values, on_grid(np.ones(SHAPE, np.uint32)), n=1)
    assert {stat: found[stat].attrs["units"] for stat in STATS} == {
        "count": "1", "sum": "K", "mean": "K", "min": "K", "max": "K",
    }  # fmt: skip
    assert found["max"].attrs == {"units": "K", "long_name": "maximum of heat per label"}
    assert found["count"].attrs["long_name"] == "cells with known heat per label"
    assert found.attrs == {}
    assert set(found.coords) == {"time", "season", "label"}
    assert found["season"].dims == ("time",)


def test_a_stack_of_arrays_and_what_a_raster_declares():
    labels = np.array([[1, 2], [2, 0]], np.uint32)
    stack = np.arange(8).reshape(2, 2, 2)
    assert zonal_stats(stack, labels, "sum")["sum"].values.tolist() == [[0, 3], [4, 11]]
    assert zonal_stats(stack, labels, "sum")["sum"].dims == ("dim_0", "label")
    four = stack.reshape(1, 2, 2, 2)
    assert zonal_stats(four, labels, "max")["max"].values.tolist() == [[[0, 2], [4, 6]]]
    values = xr.DataArray(stack, dims=("band", "y", "x")).assign_attrs(_FillValue=5)
    assert zonal_stats(values, labels, "count")["count"].values.tolist() == [[1, 2], [1, 1]]
    beside = xr.DataArray(stack, dims=("band", "y", "x"))
    import rioxarray  # noqa: F401

    beside.rio.set_nodata(5, inplace=True)
    assert zonal_stats(beside, labels, "count")["count"].values.tolist() == [[1, 2], [1, 1]]


@pytest.fixture(scope="module")
def town():
    frame = gpd.GeoDataFrame(geometry=partition(12, 50.0, 4), crs=CRS)
    frame["id"] = [f"P{i:02d}" for i in range(len(frame))]
    return frame


@settings(max_examples=10)
@given(values=st.one_of(QUARTERS, INTEGERS), chunks=CHUNKS)
def test_polygons_are_burnt_into_the_values_own_cells(town, values, chunks):
    """Seen to fail when ids are those of other rows."""
    raster = on_grid(values)
    wanted = zonal_stats(raster, rasterize(town, GRID), ids=town["id"])
    assert wanted.sizes == {"label": len(town)}
    for polygons in (town, town.set_index("id").geometry, Polygons.of(town)):
        assert zonal_stats(raster, polygons, coverage="centre").identical(wanted)
    bare = zonal_stats(raster, town.geometry.to_numpy(), coverage="centre")
    assert bare.identical(wanted.drop_vars("id"))
    with dask.config.set(scheduler=raiser):
        parts = raster.chunk({"y": chunks[0], "x": chunks[1]})
        lazy = zonal_stats(parts, town, coverage="centre")
    assert lazy.compute().identical(wanted)


def test_an_id_finds_its_row(town):
    found = zonal_stats(cube([np.ones(SHAPE)] * 2), town, ["sum", "count"])
    assert found["id"].values.tolist() == town["id"].tolist()
    assert found.set_xindex("id").sel(id="P03")["label"].item() == 4
    assert found.sel(label=4)["id"].item() == "P03"
    assert float(found["count"].sum()) == pytest.approx(2 * 20)
    numbered = zonal_stats(on_grid(np.ones(SHAPE)), town.drop(columns="id"), "sum")
    assert numbered["id"].dtype == np.int64
    assert found.to_dataframe().shape == (2 * len(town), 4)


def test_a_dataset_is_each_of_its_rasters(town, tmp_path):
    """Seen to fail when the CRS was left behind among the variables, and when any two dimensions were y and x."""
    heat = cube([np.arange(20.0).reshape(SHAPE), np.ones(SHAPE)])
    people = on_grid(np.arange(20).reshape(SHAPE), units="people").rename(
        {"y": "rows", "x": "cols"}
    )
    people = people.assign_coords(rows=heat["rows"], cols=heat["cols"])
    both = xr.Dataset({"heat": heat, "people": people, "bounds": (("time", "nv"), np.ones((2, 2)))})
    found = zonal_stats(both, town, ["sum", "mean"])
    assert list(found.data_vars) == ["heat_sum", "heat_mean", "people_sum", "people_mean"]
    alone = zonal_stats(heat, town, ["sum", "mean"])
    assert found["heat_sum"].equals(alone["sum"])
    assert found["people_sum"].dims == ("label",)
    assert found["people_sum"].attrs["units"] == "people"
    # As a file that is opened without decode_coords has it.
    for name in ("heat", "people"):
        both[name].attrs["grid_mapping"] = "spatial_ref"
    assert zonal_stats(both.reset_coords("spatial_ref"), town, ["sum", "mean"]).equals(found)
    found.to_netcdf(tmp_path / "stats.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "stats.nc", engine="h5netcdf") as again:
        assert again["id"].values.tolist() == found["id"].values.tolist()
    with dask.config.set(scheduler=raiser):
        lazy = zonal_stats(both.chunk(), town, ["sum", "mean"])
    assert lazy.compute().identical(found)


def test_how_many_labels_there_are(town, tmp_path):
    values, few = on_grid(np.ones(SHAPE)), town.iloc[:3]
    assert rasterize(few, GRID).attrs["polygon_count"] == 3
    lazy = rasterize(few, GRID, chunks=2)
    stored = rasterize(few, GRID, store=tmp_path / "few.zarr")
    for labels in (rasterize(few, GRID), lazy, stored, rasterize(few, GRID)[:3]):
        assert zonal_stats(values[: len(labels)], labels, "sum").sizes == {"label": 3}
    plain = np.full(SHAPE, 2, np.uint8)
    assert zonal_stats(values, plain, "sum").sizes == {"label": 2}
    assert zonal_stats(values, plain, "sum", n=5).sizes == {"label": 5}
    assert zonal_stats(values, plain, "sum", ids=["a", "b", "c"])["id"].values[2] == "c"
    with pytest.raises(InputError, match=r"not known before they are read.*n="):
        zonal_stats(values, da.from_array(plain), "sum")
    with pytest.raises(InputError, match="there are 3 ids for 2 labels"):
        zonal_stats(values, plain, "sum", n=2, ids=["a", "b", "c"])
    with pytest.raises(InputError, match="one row"):
        zonal_stats(values, plain, "sum", ids=[["a"], ["b"]])
    with pytest.raises(InputError, match="label 2 is above"):
        zonal_stats(values, plain, "sum", n=1)


def test_what_is_wrong_with_a_lazy_table_is_told_when_it_is_computed():
    """Seen to fail when an overflow of a task came out as it was."""
    labels = np.ones((2, 4), np.uint32)
    large = da.full((2, 4), 2**62, chunks=(1, 2), dtype=np.int64)
    with pytest.raises(InputError, match="too large to be summed exactly"):
        zonal_stats(large, labels, "sum", n=1).compute()
    with pytest.raises(InputError, match="too large to be summed exactly"):
        zonal_stats(large / 2, labels, "sum", n=1, quantum=1).compute()
    assert zonal_stats(large, labels, "count", n=1)["count"].values.tolist() == [8]
    with pytest.raises(InputError, match="no exact float64"):
        zonal_stats(large, labels, "min", n=1).compute()
    with pytest.raises(InputError, match="label 1 is above"):
        zonal_stats(large // 8, labels, "mean", n=0).compute()


def test_a_quantum_makes_the_same_bits_for_any_chunks():
    random = np.random.default_rng(3)
    values = random.standard_normal((40, 30)) * 1e6
    labels = random.integers(0, 9, (40, 30)).astype(np.uint32)
    whole = zonal_stats(values, labels, ["sum", "mean"], n=8, quantum=2.0**-12)
    for chunks in ((7, 11), (40, 1), (13, 30)):
        lazy = zonal_stats(
            da.from_array(values, chunks=chunks), labels, ["sum", "mean"], n=8, quantum=2.0**-12
        )
        assert lazy.compute().identical(whole)
    assert np.array_equal(whole["sum"], zonal_sum(values, labels, 8, quantum=2.0**-12))


def test_bare_zarr_is_lazy_too(tmp_path):
    values = zarr.create_array(tmp_path / "v.zarr", data=np.ones((4, 4)), chunks=(2, 2))
    labels = np.ones((4, 4), np.uint32)
    with dask.config.set(scheduler=raiser):
        lazy = zonal_stats(values, labels, "sum", n=1)
    assert lazy["sum"].values.tolist() == [16]
    bands = zarr.create_array(tmp_path / "b.zarr", data=np.ones((2, 4, 4)), chunks=(1, 2, 2))
    with pytest.raises(InputError, match="Take one band"):
        zonal_stats(bands, labels, "sum", n=1)


def test_a_crs_beside_a_stack_is_asked_too():
    """Seen to fail when only the bands were asked, which have lost it."""
    labels = on_grid(np.ones(SHAPE, np.uint32))
    values = xr.DataArray(np.ones((2, *SHAPE)), dims=("band", "y", "x"))
    import rioxarray  # noqa: F401

    with pytest.warns(FutureWarning, match="write_crs"):
        values.rio.set_crs("EPSG:4326", inplace=True)
    with pytest.raises(InputError, match="the rasters are in"):
        zonal_stats(values, labels, "sum", n=1)


def test_refusals(town):
    values, labels = on_grid(np.ones(SHAPE)), np.ones(SHAPE, np.uint32)
    with pytest.raises(InputError, match=r"no statistic 'median'.*count, sum, mean, min, max"):
        zonal_stats(values, labels, ["sum", "median"])
    with pytest.raises(InputError, match="no statistic is named"):
        zonal_stats(values, labels, [])
    with pytest.raises(InputError, match=r"which dimensions are y and x\? These are a, b, c"):
        zonal_stats(xr.DataArray(np.ones((2, *SHAPE)), dims=("a", "b", "c")), labels)
    with pytest.raises(InputError, match="no variable with dimensions y and x"):
        zonal_stats(xr.Dataset({"a": ("t", [1])}), labels)
    with pytest.raises(InputError, match="in another order"):
        zonal_stats(values.transpose("x", "y"), labels)
    with pytest.raises(InputError, match="in another order"):
        zonal_stats(cube([np.ones(SHAPE)]).transpose("cols", "time", "rows"), labels)
    with pytest.raises(InputError, match="hold no raster"):
        zonal_stats(np.ones((0, *SHAPE)), labels)
    with pytest.raises(InputError, match="hold no raster"):
        zonal_stats(cube([np.ones(SHAPE)]).isel(time=slice(0)), town)
    with pytest.raises(InputError, match="a dimension of the values is called 'label'"):
        zonal_stats(cube([np.ones(SHAPE)]).rename(time="label"), labels)
    with pytest.raises(InputError, match="where the values' cells lie is not known"):
        zonal_stats(np.ones(SHAPE), town)
    with pytest.raises(InputError, match="the polygons are in"):
        rasterize(town.to_crs("EPSG:4326"), Grid.like(values))
    with pytest.raises(InputError, match="a raster has two dimensions"):
        zonal_stats(np.ones(3), labels)
    with pytest.raises(InputError, match="a raster has two dimensions"):
        zonal_stats(values, np.ones((2, *SHAPE), np.uint32))


def test_labels_name_the_dimensions_that_values_do_not():
    values = xr.DataArray(np.arange(12.0).reshape(2, 3, 2), dims=("i", "j", "band"))
    labels = xr.DataArray(np.array([[1, 1, 2], [2, 0, 1]], np.uint32), dims=("i", "j"))
    found = zonal_stats(values, labels, "sum")
    for band in range(2):
        alone = zonal_sum(values[:, :, band], labels, 2)
        assert found["sum"][band].values.tolist() == alone.values.tolist()


def test_a_dataset_whose_dimensions_say_nothing():
    labels = xr.DataArray(np.array([[1, 2]], np.uint32), dims=("i", "j"))
    both = xr.Dataset({"a": (("i", "j"), [[3, 4]]), "b": (("t", "i", "j"), [[[5, 6]]])})
    found = zonal_stats(both, labels, "max")
    assert found["a_max"].values.tolist() == [3, 4]
    assert found["b_max"].values.tolist() == [[5, 6]]
    assert zonal_stats(both[["a"]], labels.values, "max")["a_max"].values.tolist() == [3, 4]


def test_columns_of_any_name_hide_nothing():
    """Seen to fail when the geometry was taken by the name of its column."""
    shapes = [shapely.box(0, 0, 20, 40), shapely.box(20, 0, 50, 40)]
    plain = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=shapes, crs=CRS)
    names = (
        "type",
        "geometry",
        "crs",
        "bounds",
        "index",
        "area",
        "total_bounds",
        "ring_start",
        "dask",
    )
    own = gpd.GeoDataFrame({"id": ["a", "b"], "shape_of": shapes}, geometry="shape_of", crs=CRS)
    own = own.assign(**{name: ["x", "y"] for name in names})
    values = on_grid(np.arange(20.0).reshape(SHAPE))
    assert Polygons.of(own).content_hash == Polygons.of(plain).content_hash
    assert rasterize(own, GRID).identical(rasterize(plain, GRID))
    assert Grid.around(own, 10) == Grid.around(plain, 10)
    assert zonal_stats(values, own).identical(zonal_stats(values, plain))
    assert (cg.overlap(own, plain, grid=GRID) != cg.overlap(plain, plain, grid=GRID)).nnz == 0
    assert (cg.coverage(own, GRID) != cg.coverage(plain, GRID)).nnz == 0
    assert Polygons.of(list(shapes), CRS).ids is None


@pytest.mark.parametrize("n", [3.9, "3", [3]])
def test_the_largest_label_is_a_whole_number(n):
    """Seen to take 3.9 for 3."""
    with pytest.raises(InputError, match="a whole number, not"):
        cg.zonal_stats(np.ones((2, 2)), np.ones((2, 2), np.uint32), n=n)


def test_polygons_by_exact_shares_are_the_operator(town):
    planes = cube([np.random.default_rng(day).random(SHAPE) for day in range(2)])
    operator = cg.ZonalOperator(town, GRID)
    stats = ["sum", "std", "median", "valid_fraction"]
    assert zonal_stats(planes, town, stats).identical(operator.apply(planes, stats))
    turned = planes.isel(rows=slice(None, None, -1))
    assert zonal_stats(turned, town, stats).identical(operator.apply(planes, stats))
    weights = on_grid(np.random.default_rng(9).random(SHAPE)).rename(y="rows", x="cols")
    weighed = zonal_stats(planes, town, "mean", weights=weights)
    assert weighed.identical(operator.apply(planes, "mean", weights=weights))
    both = zonal_stats(xr.Dataset({"heat": planes, "rain": planes[0] * 2}), town, "sum")
    assert np.array_equal(both["rain_sum"], 2 * both["heat_sum"][0])
    assert both["id"].values.tolist() == town["id"].tolist()


def test_by_centre_with_weights_or_a_deviation_is_the_operator_by_centre(town):
    raster = on_grid(np.random.default_rng(1).random(SHAPE))
    operator = cg.ZonalOperator(town, GRID, coverage="centre")
    made = zonal_stats(raster, town, ["std", "count"], coverage="centre")
    assert made.identical(operator.apply(raster, ["std", "count"]))


def test_ids_of_polygons_may_be_given(town):
    raster = on_grid(np.ones(SHAPE))
    ids = [f"x{i}" for i in range(len(town))]
    assert zonal_stats(raster, town, "sum", ids=ids)["id"].values.tolist() == ids
    with pytest.raises(InputError, match="say otherwise"):
        zonal_stats(raster, town, "sum", ids=ids[1:])


def test_what_is_for_polygons_or_for_labels_alone(town):
    raster = on_grid(np.ones(SHAPE))
    with pytest.raises(InputError, match="exact without a quantum"):
        zonal_stats(raster, town, "sum", quantum=0.5)
    with pytest.raises(InputError, match="these are labels"):
        zonal_stats(raster, rasterize(town, GRID), coverage="exact")
    with pytest.raises(InputError, match="where the values' cells lie is not known"):
        zonal_stats(np.ones(SHAPE), town)


def test_of_background_alone_there_is_no_label():
    """Seen to fail when there was one, of no cell."""
    found = zonal_stats(np.ones((3, 4)), np.zeros((3, 4), np.uint8))
    assert dict(found.sizes) == {"label": 0}
    assert list(found) == STATS


CLASSES = np.arange(20).reshape(4, 5)
CORNER = gpd.GeoSeries([shapely.box(0, 0, 20, 20)], crs=CRS)


def test_fractions_of_a_dataset_of_several_layers():
    """Seen to fail as a MergeError about the name of the classes."""
    layers = xr.Dataset({"a": on_grid(CLASSES.astype("u1")), "b": on_grid(CLASSES.astype("f4"))})
    found = zonal_stats(layers, CORNER, ["fractions"], classes=[10, 15])
    assert found["class"].values.tolist() == [10, 15]
    for name in ("a_fractions", "b_fractions"):
        assert found[name].values.tolist() == [[0.25, 0.25]]
    mixed = xr.Dataset({"a": on_grid(np.full((4, 5), 0.1)), "b": on_grid(np.full((4, 5), np.float32(0.1)))})  # fmt: skip
    with pytest.raises(InputError, match="classes are other numbers in the types"):
        zonal_stats(mixed, CORNER, ["fractions"], classes=[0.1])
    one = zonal_stats(on_grid(CLASSES).expand_dims("band"), CORNER, ["fractions"])
    assert one["fractions"].shape == (1, 1, 4)
    with pytest.raises(InputError, match="may differ from layer to layer"):
        zonal_stats(on_grid(CLASSES).expand_dims(band=2), CORNER, ["fractions"])


@pytest.mark.parametrize("odd", [np.full((4, 5), "ok"), np.full((4, 5), np.timedelta64(5, "ns")), np.full((4, 5), 1j)])  # fmt: skip
@pytest.mark.parametrize("coverage", ["exact", "centre"])
def test_a_layer_that_is_no_number_is_named(odd, coverage):
    """Seen to fail: that values must be real was said, and not of which."""
    layers = xr.Dataset({"no2": on_grid(CLASSES), "qa": on_grid(odd)})
    with pytest.raises(InputError, match=r"^qa: a layer of the type .*drop_vars\('qa'\)"):
        zonal_stats(layers, CORNER, ["sum"], coverage=coverage)
    operator = ZonalOperator(CORNER, GRID)
    with pytest.raises(InputError, match=r"^qa: a layer"):
        operator.apply(layers, ["sum"])
    scaled = layers.drop_vars("qa").assign(packed=on_grid(CLASSES, scale_factor=0.1))
    with pytest.raises(InputError, match=r"^packed: the values are as they are stored"):
        operator.apply(scaled, ["sum"])


def test_polygons_in_other_clothes_are_taken_or_refused_with_the_way_out(tmp_path):
    """Seen to fail: `there is no statistic 'median'`, `the rasters differ in shape`, errors of NumPy and of shapely."""
    values = on_grid(CLASSES.astype(float))
    for land in (CORNER.values, list(CORNER)):
        assert zonal_stats(values, land, ["sum", "median"])["sum"].item() == 52
    for land, told in {
        "bare table": (gpd.GeoDataFrame({"id": [1]}), r"none is active. .*set_geometry"),
        "WKB": (pd.DataFrame({"geometry": CORNER.to_wkb()}), "are bytes.*from_wkb"),
        "WKT": (pd.DataFrame({"geometry": CORNER.to_wkt()}), "are text.*from_wkt"),
        "one": (CORNER.iloc[0], r"a single shape, .*GeoSeries\(\[polygon\]"),
    }.values():
        with pytest.raises(InputError, match=told):
            zonal_stats(values, land, ["sum"])
        with pytest.raises(InputError, match=told):
            rasterize(land, GRID)
    with pytest.raises(InputError, match=r"the path 'town.gpkg'. .*read_file"):
        ZonalOperator("town.gpkg", GRID)
    for call in (ZonalOperator, rasterize):
        with pytest.raises(InputError, match=r"a Grid is wanted, not DataArray. .*Grid.like"):
            call(CORNER, values)


def test_weights_of_several_layers_are_refused(tmp_path):
    """Seen to fail as an AttributeError of a Dataset."""
    layers = xr.Dataset({"a": on_grid(CLASSES), "b": on_grid(CLASSES)}).drop_attrs()
    layers.to_netcdf(tmp_path / "two.nc")
    with pytest.raises(InputError, match=r"several rasters \('a', 'b'\), and one is wanted"):
        ZonalOperator(CORNER, GRID).apply(CLASSES, ["sum"], weights=tmp_path / "two.nc")
