"""Where cells of a raster lie by coordinates, bounds and geotransforms."""

from __future__ import annotations

from contextlib import nullcontext

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.lattice import north_up, with_mappings
from carbongrid.raster.zonal import (
    ZonalOperator,
    zonal_stats,
)


def as_read(made: xr.Dataset) -> xr.Dataset:
    """A Dataset whose bounds have an encoding, as those of a file have and computed ones have not."""
    for name, variable in made.variables.items():
        if str(name).endswith("_bnds"):
            variable.encoding["dtype"] = variable.dtype
    return made


def with_bounds(low: float, high: float) -> xr.Dataset:
    """1000 in the cell from 115 to 116 degrees east and 35 to 36 north, where bounds are 0 and 1 beside the coordinates."""
    values = np.zeros((10, 10))
    values[5, 5] = 1000.0
    degrees = {"lat": np.arange(30.0, 40) - low, "lon": np.arange(110.0, 120) - low}
    places = {axis: (axis, each, {"bounds": f"{axis}_bnds"}) for axis, each in degrees.items()}
    made = xr.Dataset({"e": (("lat", "lon"), values)}, coords=places)
    for axis, each in degrees.items():
        made[f"{axis}_bnds"] = ((axis, "nv"), np.stack([each + low, each + high], axis=1))
    return as_read(made.assign_coords(spatial_ref=((), 0, pyproj.CRS.from_epsg(4326).to_cf())))


def test_bounds_that_say_that_cells_lie_elsewhere_are_believed_by_nobody(tmp_path):
    """Seen to fail: a county had 250 of its 1000, by path, as a Dataset and of a published raster."""
    county = gpd.GeoSeries([shapely.box(115, 35, 116, 36)], crs=4326)
    corners, middles = with_bounds(0, 1), with_bounds(-0.5, 0.5)
    corners.to_netcdf(tmp_path / "corners.nc")
    operator = ZonalOperator(county, Grid.like(north_up(middles.e)))
    for call in (
        lambda: zonal_stats(tmp_path / "corners.nc", county, ["sum"]),
        lambda: zonal_stats(corners, county, ["sum"]),
        lambda: zonal_stats(corners, county, ["sum"], coverage="centre"),
        lambda: operator.apply(corners, ["sum"]),
    ):
        with pytest.raises(InputError, match=r"along lat are not the middles of its bounds. .*drop_vars\('lat_bnds'\)"):  # fmt: skip
            call()
    turned = middles.assign_coords(lon=("lon", middles.lon.values - 360, middles.lon.attrs))
    for sound in (middles, turned, middles.isel(lat=slice(2, 8)), middles.isel(lat=[5])):
        with_mappings(sound)
    assert zonal_stats(middles, county, ["sum"])["e_sum"].item() == 1000
    assert zonal_stats(corners.drop_vars(["lat_bnds", "lon_bnds"]), county, ["sum"])["e_sum"].item() == 250  # fmt: skip


def with_latitudes(centres, outer):
    made = xr.Dataset({"e": (("lat", "lon"), np.ones((len(centres), 2)))}, coords={"lat": centres, "lon": [0.5, 1.5]})  # fmt: skip
    made["lat"].attrs["bounds"] = "lat_bnds"
    return as_read(made.assign(lat_bnds=(("lat", "nv"), outer)))


def test_bounds_of_latitudes_end_at_the_poles_and_gaussian_ones_lie_anywhere():
    """Seen to fail: every Gaussian grid of 64 rows and more was refused, by labels, too."""
    with_mappings(with_latitudes(np.array([90.0, 89.0, 88.0]), np.array([[90, 89.5], [89.5, 88.5], [88.5, 87.5]])))  # fmt: skip
    for rows in (4, 64, 512):
        gauss = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(rows)[0]))
        edges = np.concatenate([[-90], (gauss[1:] + gauss[:-1]) / 2, [90]])
        made = with_latitudes(gauss, np.stack([edges[:-1], edges[1:]], axis=1))
        assert zonal_stats(with_mappings(made), np.ones((rows, 2), np.uint32), ["sum"])["e_sum"].item() == 2 * rows  # fmt: skip
    corners = with_latitudes(np.array([90.0, 89.0, 88.0]), np.array([[90, 89], [89, 88], [88, 87]]))
    with pytest.raises(InputError, match="along lat are not the middles"):
        with_mappings(corners)
    # Labels lie as the values do, wherever that is.
    assert zonal_stats(corners, np.ones((3, 2), np.uint32), ["sum"])["e_sum"].item() == 6


def test_bounds_that_were_computed_along_with_the_values_are_left_over(tmp_path):
    """Seen to fail: a Dataset as it is read, times 86400 or less its mean, was refused, and one in whole numbers."""
    lat, lon = np.arange(-89.5, 90), np.arange(0.5, 360)
    made = xr.Dataset({"e": (("lat", "lon"), np.ones((180, 360)))}, coords={"lat": ("lat", lat, {"units": "degrees_north"}), "lon": ("lon", lon, {"units": "degrees_east"})})  # fmt: skip
    for axis in ("lat", "lon"):
        made[axis].attrs["bounds"] = f"{axis}_bnds"
        made[f"{axis}_bnds"] = ((axis, "nv"), made[axis].to_numpy()[:, None] + [-0.5, 0.5])
    made = as_read(made)
    for computed in (
        made.astype("int16"), np.floor(made), np.ceil(made), made // 1, made + 0.5, made * 86400, made - 273.15, made - made.mean(), made - made, 0.3 * made + 0.2 * made, 1 / made, made.where(made > 0),
        made.coarsen(lat=2, lon=2).sum(), made.reindex(lat=np.arange(-89.75, 90, 0.5), method="nearest"),
    ):  # fmt: skip
        for axis in ("lat", "lon"):
            computed[axis].attrs.update(made[axis].attrs)
        with_mappings(computed)
    (made * 86400).to_netcdf(tmp_path / "per_day.nc")
    assert zonal_stats(tmp_path / "per_day.nc", np.ones((180, 360), np.uint32), ["sum"])


def test_bounds_of_longitudes_may_be_turned_edge_by_edge():
    """Seen to fail: in 0..360 the first cell is [359.5, 0.5], and bounds turned to -180..180 have one of 359 degrees."""
    for lon, turned in ((np.arange(0.0, 360), lambda x: x % 360), (np.arange(-180.0, 180), lambda x: (x + 180) % 360 - 180)):  # fmt: skip
        for low, refused in ((-0.5, False), (0.0, True)):
            made = xr.Dataset({"e": (("lat", "lon"), np.ones((2, 360)))}, coords={"lat": [1.5, 0.5], "lon": lon})  # fmt: skip
            made["lon"].attrs["bounds"] = "lon_bnds"
            made["lon_bnds"] = (("lon", "nv"), turned(lon[:, None] + [low, low + 1]))
            with pytest.raises(InputError, match="along lon") if refused else nullcontext():
                with_mappings(as_read(made))


def test_a_geotransform_half_a_cell_beside_the_coordinates_is_refused():
    """Seen to fail: of 1000 that GDAL has in the polygon 250 were there by the coordinates, which are corners."""
    corners = xr.DataArray(np.ones((10, 10)), dims=("y", "x"), coords={"y": np.arange(10.0, 0, -1) * 1000, "x": np.arange(10.0) * 1000})  # fmt: skip
    told = {**pyproj.CRS.from_epsg(32650).to_cf(), "GeoTransform": "0 1000 0 10000 0 -1000"}
    corners = corners.assign_coords(spatial_ref=((), 0, told))
    with pytest.raises(InputError, match="corner is -500, 10500, by its geotransform 0, 10000"):
        Grid.like(corners)
    middles = corners.assign_coords(x=corners.x + 500, y=corners.y - 500)
    assert Grid.like(middles).bounds == (0, 0, 10_000, 10_000)
    # A part of it keeps the geotransform of the whole.
    assert Grid.like(middles.isel(x=slice(1, None))).bounds == (1000, 0, 10_000, 10_000)


def test_of_a_geotransform_half_a_cell_counts_on_each_axis_and_in_parts():
    """Seen to fail: corners of which three rows were cut passed, with 250 of 1000; and a third of a cell off, as of an interpolation, was refused."""
    corners = xr.DataArray(np.ones((10, 10)), dims=("y", "x"), coords={"y": np.arange(10.0, 0, -1) * 1000, "x": np.arange(10.0) * 1000})  # fmt: skip
    told = {**pyproj.CRS.from_epsg(32650).to_cf(), "GeoTransform": "0 1000 0 10000 0 -1000"}
    corners = corners.assign_coords(spatial_ref=((), 0, told))
    for part in ({"y": slice(3, None)}, {"x": slice(1, None)}, {"x": slice(2, None), "y": slice(2, None)}):  # fmt: skip
        with pytest.raises(InputError, match=r"by its geotransform .*write_transform\(\)"):
            Grid.like(corners.isel(part))
    middles = corners.assign_coords(x=corners.x + 500, y=corners.y - 500)
    for moved in (middles.assign_coords(x=middles.x + 330, y=middles.y - 120), middles.assign_coords(x=500 + np.arange(1, 11) * 1005.0, y=9500 - np.arange(1, 11) * 1005.0)):  # fmt: skip
        Grid.like(moved)


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rioxarray's own
@pytest.mark.parametrize("coverage", ["exact", "centre"])
@pytest.mark.parametrize(
    ("crs", "transform", "words"),
    [
        (None, Affine(1, 0, 0, 0, -1, 10), "a.tif: the raster has no CRS"),
        ("EPSG:3857", Affine(1, 0, 0, 0, -2, 20), "a.tif: the raster's cells are not square"),
        ("EPSG:3857", Affine(1, 0.1, 0, 0.1, -1, 10), "a.tif: the raster is rotated"),
    ],
)
def test_what_is_wrong_with_a_file_names_it(tmp_path, crs, transform, words, coverage):
    """Seen to fail: of a loop over many files nobody was told which; a rotated one had no coordinates, by centres."""
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=9, height=9, count=1, dtype="float32", crs=crs, transform=transform
    ) as file:  # fmt: skip
        file.write(np.ones((1, 9, 9), "f4"))
    land = gpd.GeoSeries([shapely.box(1, 1, 5, 5)], crs=3857)
    with pytest.raises(InputError, match=f"^{words}"):
        zonal_stats(tmp_path / "a.tif", land, ["sum"], coverage=coverage)


def test_what_is_wrong_with_a_store_names_it(tmp_path):
    """Of Zarr nothing in the array says where it is from; of an array that was computed nothing does."""
    plain = xr.DataArray(np.ones((9, 9)), {"y": np.arange(9.0)[::-1], "x": np.arange(9.0)}, ("y", "x"), "a")  # fmt: skip
    plain.to_dataset().to_zarr(tmp_path / "a.zarr", consolidated=False)
    land = gpd.GeoSeries([shapely.box(1, 1, 5, 5)], crs=3857)
    with pytest.raises(InputError, match=r"^a.zarr: the raster has no CRS"):
        zonal_stats(tmp_path / "a.zarr", land, ["sum"])
    with pytest.raises(InputError, match=r"^the raster has no CRS"):
        zonal_stats(plain, land, ["sum"])
