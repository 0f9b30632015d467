"""Rasters by their paths give what the same rasters give in memory, chunk by chunk, and nothing is read early."""

from __future__ import annotations

import zipfile
from pathlib import Path

import dask
import geopandas as gpd
import numpy as np
import pytest
import rasterio
import rioxarray
import xarray as xr
import zarr
from shapes import CRS, partition

from carbongrid.errors import InputError, VerificationError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.nodata import valid_range
from carbongrid.raster.zonal import ZonalOperator, sources, zonal_stats
from carbongrid.raster.zonal.sources import is_raster, opened

# rioxarray's own.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

GRID = Grid(CRS, 10, (0, 0, 900, 700))
STATS = ["sum", "count", "median", "max", "valid_fraction"]


def raiser(*_, **__):
    raise AssertionError("computed too early")


@pytest.fixture
def raster():
    values = np.random.default_rng(0).integers(-50, 50, GRID.shape).astype("i2")
    template = rasterize(np.array([None]), GRID)
    return template.copy(data=values).drop_attrs(deep=False).rename("heat")


LAND = gpd.GeoSeries(partition(20, 900.0, 1), crs=CRS)


def test_geotiffs(tmp_path, raster):
    """Seen to fail when the nodata value counts, when scales are left out, and when a file of one band has a band."""
    operator = ZonalOperator(LAND, GRID)
    path = tmp_path / "heat.tif"
    raster.rio.write_nodata(-50).rio.to_raster(path, tiled=True, blockxsize=32, blockysize=16)
    expected = operator.apply(raster.where(raster != -50), STATS)
    with dask.config.set(scheduler=raiser):
        made = operator.apply(path, STATS)
        assert opened(str(path)).dtype == np.int16
    made = made.compute()
    for stat in STATS:
        assert made[stat].values.tobytes() == expected[stat].values.tobytes()
    weighed = operator.apply(raster, "mean", weights=abs(raster))
    both = tmp_path / "both.tif"
    xr.concat([abs(raster), raster + 1], "band").transpose("band", "y", "x").rio.to_raster(both)
    assert zonal_stats(both, LAND, "sum").compute()["sum"].dims == ("band", "label")
    alone = tmp_path / "weights.tif"
    abs(raster).rio.to_raster(alone)
    by_path = operator.apply(raster, "mean", weights=alone).compute()
    assert by_path["mean"].values.tobytes() == weighed["mean"].values.tobytes()
    with rasterio.open(alone, "r+") as file:
        file.scales, file.offsets = [0.5], [10.0]
    scaled = operator.apply(alone, "max").compute()
    meant = operator.apply(abs(raster) / 2 + 10, "max")
    assert np.array_equal(scaled["max"], meant["max"], equal_nan=True)


@pytest.mark.filterwarnings("ignore:.*will not be added:UserWarning")
def test_bands_of_different_scales(tmp_path, raster):
    """Seen to fail: what means 0 in the second band was taken for nodata, and an array that was not decoded for what it means."""
    path = tmp_path / "climate.tif"
    stored = xr.concat([abs(raster), abs(raster) + 60], "band").transpose("band", "y", "x")
    stored = stored.astype("u2").rio.write_nodata(0)
    stored.rio.to_raster(path)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [1.0, 0.1], [0.0, -10.0]
    meant = stored.drop_attrs(deep=False).astype("f8")
    meant = xr.concat([meant[0], meant[1] * 0.1 - 10], "band").where(stored != 0)
    operator = ZonalOperator(LAND, GRID)
    found = operator.apply(path, ["count", "min", "mean"]).compute()
    wanted = operator.apply(meant.transpose("band", "y", "x"), ["count", "min", "mean"])
    for stat in ("count", "min", "mean"):
        assert np.allclose(found[stat], wanted[stat], rtol=1e-5, atol=1e-5, equal_nan=True)
    with pytest.raises(InputError, match=r"as they are stored.*scales"):
        operator.apply(rioxarray.open_rasterio(path), "mean")
    first = rioxarray.open_rasterio(path).sel(band=1)
    assert np.allclose(operator.apply(first, "mean")["mean"], wanted["mean"][0], equal_nan=True)
    with pytest.raises(InputError, match="as they are stored"):
        operator.apply(rioxarray.open_rasterio(path).sel(band=2), "mean")
    operator.apply(raster.assign_attrs(scales="1:50000"), "mean")


@pytest.mark.parametrize("dtype", ["i2", "f4", "i4"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_mask_of_a_geotiff_hides_cells(tmp_path, raster, dtype, inside):
    """Seen to fail: what a mask hid was counted, beside the file and in it, and so was nodata beside a mask."""
    values = raster.values.astype(dtype)
    there = np.random.default_rng(1).random(GRID.shape) < 0.7
    path = tmp_path / "masked.tif"
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside),
        rasterio.open(
            path, "w", driver="GTiff", height=GRID.shape[0], width=GRID.shape[1], count=1,
            dtype=values.dtype, nodata=-50, crs=CRS, transform=GRID.transform,
        ) as file,
    ):  # fmt: skip
        file.write(values, 1)
        file.write_mask(there)
    expected = raster.astype("f8").where(there & (values != -50))
    operator = ZonalOperator(LAND, GRID)
    made, meant = operator.apply(path, STATS).compute(), operator.apply(expected, STATS)
    for stat in STATS:
        assert made[stat].values.tobytes() == meant[stat].values.tobytes()


def test_transparent_cells_are_unknown(tmp_path, raster):
    """Seen to fail: where an image is transparent its colours were counted."""
    values = (raster.values + 50).astype("u1")
    there = values > 40
    path = tmp_path / "alpha.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=GRID.shape[0], width=GRID.shape[1], count=2,
        dtype="uint8", crs=CRS, transform=GRID.transform, alpha="YES",
    ) as file:  # fmt: skip
        file.write(np.stack([values, np.where(there, 255, 0).astype("u1")]))
    operator = ZonalOperator(LAND, GRID)
    made = operator.apply(path, STATS).compute()
    meant = operator.apply(raster.copy(data=values).astype("f8").where(there), STATS)
    for stat in STATS:
        assert made[stat][0].values.tobytes() == meant[stat].values.tobytes()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_stores(tmp_path, raster, zarr_format):
    """Seen to fail when a store of several variables is taken for its first."""
    raster = raster.where(raster > -40).astype("f4")
    one, two = tmp_path / "one.zarr", tmp_path / "two.zarr"
    days = xr.concat([raster, raster + 1], xr.IndexVariable("day", [1, 2]))
    days.chunk(day=1, y=20, x=30).to_dataset().to_zarr(
        one, zarr_format=zarr_format, consolidated=False
    )
    xr.Dataset({"heat": raster, "rain": -raster}).to_zarr(
        two, zarr_format=zarr_format, consolidated=False
    )
    operator = ZonalOperator(LAND, GRID)
    expected = operator.apply(days, STATS)
    made = operator.apply(one, STATS).compute()
    assert made["sum"].dims == ("day", "label")
    for stat in STATS:
        assert made[stat].values.tobytes() == expected[stat].values.tobytes()
    both = zonal_stats(two, LAND, ["max"]).compute()
    assert set(both.data_vars) == {"heat_max", "rain_max"}


def test_what_is_no_raster_is_told(tmp_path):
    operator = ZonalOperator(LAND, GRID)
    with pytest.raises(InputError, match=r"gone.tif: there is no such file"):
        operator.apply(tmp_path / "gone.tif")
    (tmp_path / "text.tif").write_text("no raster", encoding="utf-8")
    with pytest.raises(InputError, match=r"text.tif"):
        operator.apply(tmp_path / "text.tif")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=r"folder: this is no Zarr store"):
        operator.apply(tmp_path / "folder")


@pytest.mark.parametrize("address", ["s3://bucket/heat.zarr", Path("s3://bucket/heat.zarr")])
def test_an_address_is_told_from_a_path(address):
    """Seen to be told that there is no file s3:/bucket/heat.zarr."""
    operator = ZonalOperator(LAND, GRID)
    with pytest.raises(InputError, match=r"heat.zarr: this is an address.*open_zarr.*DataArray"):
        operator.apply(address)
    with pytest.raises(InputError, match=r"this is an address"):
        operator.apply(np.ones(GRID.shape), ["mean"], weights=address)


def test_an_archive_is_told(tmp_path):
    """Seen to be told to convert it with gdal_translate."""
    with zipfile.ZipFile(tmp_path / "heat.zarr.zip", "w") as archive:
        archive.writestr("zarr.json", "{}")
    with pytest.raises(InputError, match=r"heat.zarr.zip: this is a ZIP archive.*ZipStore"):
        zonal_stats(tmp_path / "heat.zarr.zip", LAND, ["sum"])


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_files(tmp_path, raster, engine):
    """NetCDF-4 and the classic format, told by their content; months since a day stay numbers."""
    values = raster.where(raster > -40).astype("f8")
    path = tmp_path / "heat"
    time = xr.Variable("time", [3, 4], {"units": "months since 2000-01-01"})
    days = xr.concat([values, values + 1], "time").assign_coords(time=time)
    days.to_dataset().to_netcdf(path, engine=engine)
    operator = ZonalOperator(LAND, GRID)
    made, expected = (operator.apply(each, STATS) for each in (path, days))
    for stat in STATS:
        assert made[stat].values.tobytes() == expected[stat].values.tobytes()
    assert is_raster(path)


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_crs_that_no_raster_names_is_the_file_s(tmp_path, raster, suffix):
    """Seen to be lost where nothing but the usual name of its variable tells: polygons of another CRS were laid on the cells as they are."""
    path = tmp_path / f"heat{suffix}"
    dataset = raster.astype("f8").to_dataset().drop_encoding()
    dataset["heat"].attrs.pop("grid_mapping", None)
    dataset = dataset.reset_coords("spatial_ref")
    dataset.to_zarr(path, consolidated=False) if suffix == ".zarr" else dataset.to_netcdf(path)
    assert "grid_mapping" not in {**opened(path).encoding, **opened(path).attrs}
    elsewhere = LAND.to_crs(4326)
    expected, made = (zonal_stats(each, elsewhere, ["sum"]).compute() for each in (raster, path))
    assert np.isfinite(expected["sum"]).any()
    np.testing.assert_allclose(made["sum"], expected["sum"], rtol=1e-9)


def test_netcdf_files_that_are_not_read(tmp_path):
    """Seen to fail when the format with 64-bit data is left to SciPy, and when links are followed."""
    for name, content, told in (
        ("more.nc", b"CDF\x05" + bytes(40), "classic format with 64-bit data"),
        ("short.nc", b"CDF\x01" + bytes(3), "cannot be read"),
        ("broken.nc", b"\x89HDF\r\n\x1a\n" + bytes(99), "cannot be read"),
        ("text.nc", b"none", "not a GeoTIFF"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=told):
            opened(tmp_path / name)
    import h5py

    with h5py.File(tmp_path / "link.nc", "w") as file:
        file["heat"] = h5py.ExternalLink("other.nc", "/heat")
    with pytest.raises(InputError, match="taken from another file"):
        opened(tmp_path / "link.nc")
    assert not is_raster(tmp_path / "text.nc")
    assert not is_raster(tmp_path / "none.nc")
    assert is_raster(tmp_path)


@pytest.mark.parametrize("declared", [{"valid_min": np.int16(0)}, {"valid_range": np.array([0, 100], "i2")}])  # fmt: skip
def test_what_a_file_calls_invalid_is_unknown(raster, tmp_path, declared):
    """As weight rasters have it. Seen to fail: -99 was added up."""
    hidden = raster.copy(data=np.where(raster < 0, -99, raster).astype("i2"))
    hidden.assign_attrs(declared).to_netcdf(tmp_path / "a.nc")
    hidden.assign_attrs(declared).chunk({"y": 30, "x": 40}).to_dataset().to_zarr(tmp_path / "a.zarr", consolidated=False, encoding={"heat": {"_FillValue": None}})  # fmt: skip
    expected = zonal_stats(raster.where(raster >= 0), LAND, STATS)
    for name in ("a.nc", "a.zarr"):
        found = zonal_stats(tmp_path / name, LAND, STATS)
        for each in STATS:
            np.testing.assert_array_equal(found[each], expected[each], each)
    # Whoever made something else of the values has the attribute on it still.
    assert zonal_stats(hidden.assign_attrs(declared), LAND, ["min"])["min"].min() == -99


def test_a_range_of_bytes_that_are_stored_signed(raster, tmp_path):
    """As NOAA's satellites write it: 0 to 65530 is 0 to -6 then. Seen to fail: nothing lay inside, and every cell was unknown."""
    meant = raster.copy(data=(raster.values.astype("i4") + 60_000).astype("u2"))
    stored = meant.copy(data=meant.values.view("i2")).assign_attrs(_Unsigned="true", valid_range=np.array([0, -6], "i2"))  # fmt: skip
    stored.to_netcdf(tmp_path / "a.nc", encoding={"heat": {"_FillValue": None}})
    found, expected = zonal_stats(tmp_path / "a.nc", LAND, STATS), zonal_stats(meant, LAND, STATS)
    for each in STATS:
        np.testing.assert_array_equal(found[each], expected[each], each)
    reversed_range = raster.assign_attrs(valid_range=np.array([100, -100], "i2"))
    assert valid_range(reversed_range) == (-np.inf, np.inf)
    falling = {"scale_factor": -2.0, "add_offset": 1.0}
    for declared, expected in (
        ({"valid_min": np.int16(5)}, (-np.inf, -9.0)),
        ({"valid_range": np.array([5, 9], "i2")}, (-17.0, -9.0)),
        ({"valid_range": np.array([-3.0, 4.0])}, (-3.0, 4.0)),
    ):
        assert valid_range(raster.assign_attrs({**falling, **declared})) == expected


def test_a_file_in_one_piece_is_read_some_rows_at_once(raster, tmp_path, monkeypatch):
    """Seen to fail: of a file without chunks all cells were held, with what is known of each."""
    monkeypatch.setattr(sources, "_CELLS_AT_ONCE", 10 * GRID.shape[1])
    raster.assign_attrs(valid_min=np.int16(-40)).to_netcdf(tmp_path / "a.nc")
    assert set(opened(tmp_path / "a.nc").chunks[0]) == {10}
    assert opened(tmp_path / "a.nc").chunks[1] == (GRID.shape[1],)


def test_cells_that_nobody_wrote_are_unknown_in_netcdf(raster, tmp_path):
    """Seen to fail: NetCDF's own number for them, -32767, was added up."""
    written = raster.copy(data=np.where(raster < 0, -32767, raster).astype("i2"))
    written.to_netcdf(tmp_path / "a.nc", encoding={"heat": {"_FillValue": None}})
    found, expected = zonal_stats(tmp_path / "a.nc", LAND, STATS), zonal_stats(raster.where(raster >= 0), LAND, STATS)  # fmt: skip
    for each in STATS:
        np.testing.assert_array_equal(found[each], expected[each], each)


def test_a_damaged_store_of_labels_is_no_background(tmp_path):
    """Seen to read a chunk that was gone as 0."""
    halves = gpd.GeoSeries.from_wkt(["POLYGON ((0 0, 455 0, 455 700, 0 700, 0 0))", "POLYGON ((455 0, 900 0, 900 700, 455 700, 455 0))"], crs=CRS)  # fmt: skip
    rasterize(halves, GRID, store=tmp_path / "labels.zarr", chunks=32)
    found = zonal_stats(tmp_path / "labels.zarr", halves, "min")
    assert found["min"].values.tolist() == [1, 1]
    built = (rasterize(halves, GRID, chunks=100) > 1).astype("uint8").to_dataset(name="built")
    built.to_zarr(tmp_path / "mask.zarr", consolidated=False)  # whose chunks of 0 are not written
    assert zonal_stats(tmp_path / "mask.zarr", halves, "max")["max"].values.tolist() == [0, 1]
    (tmp_path / "labels.zarr" / "label" / "c" / "1" / "1").unlink()
    with pytest.raises(VerificationError, match="is gone"):
        zonal_stats(tmp_path / "labels.zarr", halves, "min").compute()
    with pytest.raises(InputError, match=r"not the path 'units\.gpkg'"):
        zonal_stats(tmp_path / "labels.zarr", "units.gpkg", "min")


def test_several_numbers_for_unknown_in_netcdf_give_no_warning(tmp_path, raster):
    """Seen to warn, by xarray, of what is right: all of them are unknown."""
    path = tmp_path / "heat.nc"
    stored = raster.astype("f8").assign_attrs(missing_value=np.array([-50.0, -49.0]))
    stored.to_netcdf(path, engine="h5netcdf")
    found = ZonalOperator(LAND, GRID).apply(path, "count")
    wanted = ZonalOperator(LAND, GRID).apply(raster.where(raster > -49), "count")
    assert np.array_equal(found["count"], wanted["count"])


def test_a_single_array_of_zarr_is_told_as_one(tmp_path):
    """Seen to fail: "an array already exists in store", and to be opened with xarray, which does not."""
    path = tmp_path / "heat.zarr"
    array = zarr.create_array(path, shape=GRID.shape, dtype="f4")
    array[:] = 2
    operator = ZonalOperator(LAND, GRID)
    with pytest.raises(InputError, match=r"single array.*apply\(zarr\.open_array\(path\)"):
        operator.apply(path, "mean")
    assert operator.apply(zarr.open_array(path), "mean")["mean"].max().compute() == 2


def test_a_word_for_unknown_says_how_it_is_removed(tmp_path, raster):
    """Seen to fail: a file that xarray had opened was to be opened with xarray."""
    path = tmp_path / "heat.nc"
    raster.assign_attrs(missing_value="NA").to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match=r"'NA', which is no number.*attrs\.pop.*encoding\.pop"):
        zonal_stats(path, LAND, "sum")
    told = xr.open_dataset(path, engine="h5netcdf", decode_coords="all")["heat"]
    told.attrs.pop("missing_value", None)
    told.encoding.pop("missing_value", None)
    assert zonal_stats(told, LAND, "sum").equals(zonal_stats(raster, LAND, "sum"))


def test_days_in_one_block_beside_lazy_weights(raster):
    """The bits are those of memory."""
    days = np.stack([raster.to_numpy() + 0.1 * day for day in range(5)])
    stack = xr.DataArray(days, dims=("day", "y", "x")).chunk(day=3, y=32, x=50)
    weights = abs(raster).drop_vars(["x", "y", "spatial_ref"]).chunk(y=40, x=40)
    operator, stats = ZonalOperator(LAND, GRID), ["mean", "median", "std"]
    found = operator.apply(stack, stats, weights=weights).compute()
    wanted = operator.apply(days, stats, weights=abs(raster).to_numpy())
    for stat in stats:
        assert found[stat].to_numpy().tobytes() == wanted[stat].to_numpy().tobytes()
