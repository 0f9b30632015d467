"""One raster in a file: the same values and places whether it is a GeoTIFF, NetCDF or Zarr, and what is none is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import from_origin
from rasterio.windows import Window
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.chunked.rasters import WeightRaster
from carbongrid.raster.grid import Grid
from carbongrid.raster.plane_files import open_plane

# rioxarray's own.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

WEST, NORTH, SIDE = 4_000_000.0, 3_000_700.0, 25.0
ROWS, COLUMNS = 28, 36
GRID = Grid(CRS, 10, (WEST + 50, NORTH - 600, WEST + 800, NORTH - 50))


def raster(kind: str = "float64", *, rising: bool = False) -> xr.DataArray:
    """A raster of made values, one in ten unknown in those that have a number for it."""
    random = np.random.default_rng(5)
    values = random.integers(0, 200, (ROWS, COLUMNS)).astype(kind)
    made = xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "y": NORTH - SIDE * (np.arange(ROWS) + 0.5),
            "x": WEST + SIDE * (np.arange(COLUMNS) + 0.5),
        },
        name="people",
    ).rio.write_crs(CRS)
    if kind.startswith("float"):
        made = made.where(random.random(values.shape) > 0.1)
    return made.sortby("y") if rising else made


def stored(made: xr.DataArray, path, **encoding):
    dataset = made.to_dataset()
    if path.suffix == ".zarr":
        dataset.to_zarr(path, encoding={"people": encoding}, consolidated=False)
    elif path.suffix == ".tif":
        made.rio.to_raster(path, **encoding)
    else:
        dataset.to_netcdf(path, encoding={"people": encoding})
    return path


@given(
    kind=st.sampled_from(["float64", "float32", "int16", "uint8"]),
    suffix=st.sampled_from([".nc", ".zarr"]),
    rising=st.booleans(),
    chunks=st.tuples(st.integers(1, ROWS), st.integers(1, COLUMNS)) | st.none(),
    window=st.tuples(
        st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), st.integers(1, 9), st.integers(1, 9)
    ),
)
def test_values_and_places_are_those_of_a_geotiff(
    tmp_path_factory, kind, suffix, rising, chunks, window
):
    """Seen to fail when rows from the south are not turned, and when a window counts from the other end."""
    folder = tmp_path_factory.mktemp("same")
    plain = stored(raster(kind), folder / "people.tif")
    name = "chunksizes" if suffix == ".nc" else "chunks"
    encoding = {} if chunks is None else {name: chunks}
    other = stored(raster(kind, rising=rising), folder / f"people{suffix}", **encoding)
    row, column, high, wide = window
    inside = Window(column, row, min(wide, COLUMNS - column), min(high, ROWS - row))
    with open_plane(plain) as one, open_plane(other) as two:
        assert not [*two.problems("it")]
        assert np.array_equal(one.known(inside), two.known(inside), equal_nan=True)
        assert (one.width, one.height) == (two.width, two.height)
        assert one.transform.almost_equals(two.transform)
        assert np.allclose(one.bounds, two.bounds)
        assert one.crs == two.crs
    shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_opening_reads_no_value_and_a_window_only_its_own(tmp_path, monkeypatch, suffix):
    """Seen to read the whole raster for its shape, once more for each tile."""
    path = stored(raster(), tmp_path / f"people{suffix}")
    read = []
    for kind in (xr.backends.h5netcdf_.H5NetCDFArrayWrapper, xr.backends.zarr.ZarrArrayWrapper):
        asked = kind.__getitem__

        def getitem(self, key, asked=asked):
            found = asked(self, key)
            if self.shape == (ROWS, COLUMNS):
                read.append(np.asarray(found).size)
            return found

        monkeypatch.setattr(kind, "__getitem__", getitem)
    with open_plane(path) as plane:
        assert not [*plane.problems("it")]
        assert read == []
        plane.known(Window(3, 4, 5, 6))
    assert read == [30]


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_weight_is_the_same_bits(tmp_path, suffix):
    needed = np.random.default_rng(1).random((30, 40)) < 0.8
    plain, other = (
        WeightRaster.around(stored(raster(), tmp_path / f"people{each}"), GRID)
        for each in (".tif", suffix)
    )
    assert plain.exponents == other.exponents
    for one, two in zip(
        plain.sample(GRID, (5, 6), needed), other.sample(GRID, (5, 6), needed), strict=True
    ):
        assert np.array_equal(one, two)


def test_what_stands_for_unknown_and_scales_are_read_as_meant(tmp_path):
    meant = raster("float64")
    path = stored(
        meant, tmp_path / "people.nc", dtype="int16", scale_factor=0.5, add_offset=3.0, _FillValue=-99
    )  # fmt: skip
    with open_plane(path) as plane:
        assert np.array_equal(plane.known(Window(0, 0, COLUMNS, ROWS)), meant, equal_nan=True)
    undeclared = raster("int16")
    undeclared[2, 3] = -7
    undeclared.attrs["nodata"] = -7
    with open_plane(stored(undeclared, tmp_path / "nodata.zarr")) as plane:
        known = plane.known(Window(0, 0, COLUMNS, ROWS))
    assert np.argwhere(np.isnan(known)).tolist() == [[2, 3]]


@pytest.mark.parametrize("suffix", [".nc", ".zarr", ".tif"])
def test_the_top_of_a_type_is_known_where_nothing_is_declared(tmp_path, suffix):
    """Of every format the same: plain whole numbers, with a number for no data, scaled, real ones."""
    tops = []
    for number, (kind, encoding) in enumerate(
        [("uint8", {}), ("int16", {}), ("uint8", {"_FillValue": 9}), ("float32", {})]
    ):
        made = raster(kind)
        if encoding and suffix == ".tif":
            made, encoding = made.rio.write_nodata(9), {}
        with open_plane(stored(made, tmp_path / f"{number}{suffix}", **encoding)) as plane:
            tops.append(plane.top)
    assert tops == [255, 32767, None, None]


def test_degrees_without_a_crs_are_taken_as_wgs_84_and_that_is_said(tmp_path):
    made = xr.DataArray(
        np.ones((1, 4, 6)),
        dims=("time", "lat", "lon"),
        coords={"lat": [30.5, 31.5, 32.5, 33.5], "lon": np.arange(100.5, 106)},
        name="people",
    )
    with open_plane(stored(made, tmp_path / "degrees.nc")) as plane:
        (remark,) = plane.remarks()
        assert plane.crs.to_epsg() == 4326
        assert plane.bounds == (100, 30, 106, 34)
    assert "taken as WGS 84" in remark.what
    metres = made.rename(lat="y", lon="x")
    with open_plane(stored(metres, tmp_path / "metres.nc")) as plane:
        assert plane.crs is None
    with pytest.raises(InputError, match=r"metres.nc: the raster has no CRS"):
        WeightRaster.around(tmp_path / "metres.nc", GRID)


def test_chunks_that_are_not_in_a_store_are_counted(tmp_path):
    """Zarr reads them as its fill value: nobody knows whether they were empty, or were lost on the way."""
    path = stored(raster("uint8") + np.uint8(1), tmp_path / "people.zarr", chunks=(14, 12))
    with open_plane(path) as plane:
        assert not [*plane.remarks()]
    gone = sorted(each for each in path.rglob("*") if each.is_file() and "people/c/" in str(each))
    gone[0].unlink()
    with open_plane(path) as plane:
        (remark,) = plane.remarks()
    assert "1 of the raster's 6 chunks is not in the store, and is read as 0" in remark.what
    gone[1].write_bytes(b"none")
    with open_plane(path) as plane, pytest.raises(InputError, match="cannot be read"):
        plane.known(Window(0, 0, COLUMNS, ROWS))


def test_a_store_of_zarr_2_that_tells_no_fill_value_is_read(tmp_path):
    """As xarray writes integers. Seen to end in a TypeError, whole or not."""
    path, made = tmp_path / "people.zarr", raster("uint8") + np.uint8(1)
    encoding = {"people": {"chunks": (14, 12), "_FillValue": None}}
    made.to_dataset().to_zarr(path, zarr_format=2, encoding=encoding, consolidated=False)
    with open_plane(path) as plane:
        assert not [*plane.remarks()]
    (path / "people" / "0.0").unlink()
    with open_plane(path) as plane:
        (remark,) = plane.remarks()
        assert plane.known(Window(0, 0, COLUMNS, ROWS)).min() == 0
    assert "1 of the raster's 6 chunks is not in the store, and is read as 0" in remark.what


def test_cells_that_were_never_written_or_are_not_valid_are_unknown(tmp_path):
    """Seen to count: 9.97e36 outweighed all other cells together."""
    made = raster("float32").fillna(1.0)
    made[0, 0] = 9.969209968386869e36
    path = stored(made, tmp_path / "classic.nc", _FillValue=None)
    with open_plane(path) as plane:
        known = plane.known(Window(0, 0, COLUMNS, ROWS))
    assert np.argwhere(np.isnan(known)).tolist() == [[0, 0]]
    whole = raster("uint8")
    whole[0, 0], whole[0, 1] = 250, 200
    whole.attrs["valid_range"] = np.array([0, 200], np.uint8)
    with open_plane(stored(whole, tmp_path / "range.nc")) as plane:
        known = plane.known(Window(0, 0, COLUMNS, ROWS))
    assert np.argwhere(np.isnan(known)).tolist() == [[0, 0]]
    packed = raster("float64").fillna(1.0)
    packed.attrs["valid_max"] = np.int16(100)
    path = stored(packed, tmp_path / "packed.nc", dtype="int16", scale_factor=2.0, _FillValue=-1)
    with open_plane(path) as plane:
        known = plane.known(Window(0, 0, COLUMNS, ROWS))
    assert np.nanmax(known) == 200


def degrees(**attributes):
    made = xr.DataArray(
        np.ones((4, 6)),
        dims=("lat", "lon"),
        coords={"lat": np.arange(33.5, 30, -1), "lon": np.arange(100.5, 106)},
        name="people",
        attrs=attributes,
    )
    return made.to_dataset()


def test_a_stated_crs_is_read_or_refused_and_never_wgs_84_in_its_place(tmp_path):
    """Seen to be WGS 84, 111 m off, with a note that there is no CRS."""
    extended = degrees(grid_mapping="osgb: lat lon")
    extended["osgb"] = ((), 0, pyproj.CRS(4277).to_cf())
    extended.to_netcdf(tmp_path / "extended.nc")
    with open_plane(tmp_path / "extended.nc") as plane:
        assert plane.crs.to_epsg() == 4277
        assert not [*plane.remarks()]
    unnamed = degrees()
    unnamed["datum"] = ((), 0, {"crs_wkt": pyproj.CRS(4277).to_wkt()})
    unnamed.to_netcdf(tmp_path / "unnamed.nc")
    code = degrees(grid_mapping="mine")
    code["mine"] = ((), 0, {"epsg_code": "EPSG:4277"})
    code.to_netcdf(tmp_path / "code.nc")
    broken = degrees(grid_mapping="crs")
    broken["crs"] = ((), 0, {"crs_wkt": "none"})
    broken.to_netcdf(tmp_path / "broken.nc")
    for name, told in {
        "unnamed.nc": r"unnamed.nc: the file states its CRS in a way that is not read \(datum\)",
        "code.nc": r"in a way that is not read \(mine\)",
        "broken.nc": "broken.nc: the raster's CRS cannot be read",
    }.items():
        with pytest.raises(InputError, match=told), open_plane(tmp_path / name):
            pass


def test_what_a_file_says_twice_and_differently_is_refused(tmp_path):
    """Half a cell off, kilometres for metres, another variable than the one that is meant: nobody would see it."""
    corner = degrees(grid_mapping="crs")
    corner["crs"] = ((), 0, {**pyproj.CRS(4326).to_cf(), "GeoTransform": "100.5 1 0 33.5 0 -1"})
    corner.to_netcdf(tmp_path / "corner.nc")
    edges = degrees()
    edges["lat"].attrs["bounds"] = "lat_bnds"
    edges["lat_bnds"] = (("lat", "nv"), np.stack([edges["lat"], edges["lat"] - 1], axis=1))
    edges.to_netcdf(tmp_path / "edges.nc")
    sound = degrees()
    sound["lat"].attrs["bounds"] = "lat_bnds"
    sound["lat_bnds"] = (("lat", "nv"), np.stack([edges["lat"] - 0.5, edges["lat"] + 0.5], axis=1))
    sound.to_netcdf(tmp_path / "sound.nc")
    metres = raster().drop_encoding()
    km = metres.assign_coords(x=("x", metres["x"].values / 1000, {"units": "km"}))
    stored(km, tmp_path / "km.zarr")
    mixed = metres.assign_coords(y=("y", metres["y"].values / 1e5, {"units": "degrees_north"}))
    stored(mixed, tmp_path / "mixed.zarr")
    metres["x"].attrs["units"] = "km"
    stored(metres, tmp_path / "kept.zarr")
    other = degrees()
    other["emission"] = (("south_north", "west_east"), np.ones((5, 5)))
    other.to_netcdf(tmp_path / "other.nc")
    with open_plane(tmp_path / "sound.nc") as plane:
        assert plane.bounds == (100, 30, 106, 34)
    # No plane reaches that far: the unit was kept where metres were made of kilometres.
    with open_plane(tmp_path / "kept.zarr") as plane:
        assert plane.bounds[0] == WEST
    for name, told in {
        "corner.nc": "north-west corner is 100, 34, by its geotransform 100.5, 33.5",
        "edges.nc": "along lat are not the middles of its bounds",
        "km.zarr": "along x are in 'km', and the CRS .* has units of 1 m",
        "mixed.zarr": "along y are in 'degrees_north', and the CRS .* has lengths",
        "other.nc": "2 rasters: people, emission",
    }.items():
        with pytest.raises(InputError, match=told), open_plane(tmp_path / name):
            pass


@pytest.mark.parametrize(
    ("west", "east", "whole"),
    [(-180, 180, True), (-30, 180, True), (0, 360, False), (100, 260, False), (-190, 10, False)],
)
def test_longitudes_beyond_half_a_turn_are_refused(tmp_path, west, east, whole):
    """Seen to refuse Europe, Africa and Asia in one piece, and to lose what lies east of 180 degrees."""
    side = (east - west) / 40
    made = xr.DataArray(
        np.ones((3, 40)),
        dims=("lat", "lon"),
        coords={"lat": side * np.array([1, 0, -1]), "lon": west + side * (np.arange(40) + 0.5)},
        name="people",
    )
    path = stored(made, tmp_path / "earth.nc")
    if whole:
        with open_plane(path) as plane:
            assert plane.bounds[::2] == (west, east)
    else:
        with pytest.raises(InputError, match=f"run from {west} to {east}"), open_plane(path):
            pass


def test_what_is_not_one_raster_is_refused_with_the_way_out(tmp_path):
    one = raster()
    two = xr.Dataset({"people": one, "jobs": one})
    two.to_netcdf(tmp_path / "two.nc")
    xr.concat([one, one], "time").to_dataset().to_netcdf(tmp_path / "years.nc")
    xr.Dataset({"people": ("code", [1.0, 2.0])}).to_netcdf(tmp_path / "table.nc")
    around = one.assign_coords(x=np.linspace(5, 355, COLUMNS), y=np.linspace(67.5, -67.5, ROWS))
    around.drop_vars("spatial_ref").rename(x="lon", y="lat").to_netcdf(tmp_path / "turn.nc")
    (tmp_path / "text.nc").write_text("none", encoding="utf-8")
    (tmp_path / "folder.zarr").mkdir()
    for name, told in {
        "two.nc": r"2 rasters: people, jobs; expected one raster.*dataset\[\[NAME\]\]",
        "years.nc": r"several layers \(time 2\), expected one.*isel\(time=0\)",
        "table.nc": "no variable with dimensions y and x",
        "turn.nc": "longitudes run from 0 to 360, expected within -180 to 180.*sortby",
        "text.nc": "not a GeoTIFF, and neither NetCDF nor a Zarr store.*gdal_translate",
        "folder.zarr": "no Zarr store of rasters",
        "gone.nc": "there is no such file",
    }.items():
        with pytest.raises(InputError, match=told), open_plane(tmp_path / name):
            pass
    times = one.astype("datetime64[s]").to_dataset()
    times.to_zarr(tmp_path / "times.zarr", consolidated=False)
    with open_plane(tmp_path / "times.zarr") as plane:
        (problem,) = plane.problems("it")
    assert "numbers of the type datetime64" in problem.what


def test_a_raster_in_one_huge_chunk_is_refused_with_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr("carbongrid.raster.chunked.rasters._MAX_BLOCK", 1000)
    path = stored(raster(), tmp_path / "people.zarr", chunks=(ROWS, COLUMNS))
    with pytest.raises(InputError, match=f"in blocks of {ROWS} x {COLUMNS} cells"):
        WeightRaster.around(path, GRID)


def test_a_geotiff_says_what_rasterio_says(tmp_path):
    path = tmp_path / "people.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=4, width=6, count=2, dtype="uint8", crs=CRS,
        transform=from_origin(WEST, NORTH, SIDE, SIDE),
    ) as file:  # fmt: skip
        bounds = tuple(file.bounds)
    with open_plane(path) as plane:
        (problem,) = plane.problems("it")
        assert plane.bounds == bounds
        assert not [*plane.remarks()]
    assert "2 bands, expected one" in problem.what
