"""Functions of two rasters: the same cells or a refusal, however a raster was sorted, picked, coarsened, turned, renamed or stored. Never another number."""

from __future__ import annotations

from contextlib import nullcontext

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.georeference import (
    north_up,
    require_same_cells,
    stated_crs,
    with_mappings,
)
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import georeferenced
from carbongrid.raster.labels import rasterize
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import (
    ZonalOperator,
    block_sum,
    crosstab,
    lookup,
    lookup_sum,
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
WEST_EAST = Polygons.of(np.array([shapely.box(0, 0, 40, 60), shapely.box(40, 0, 80, 60)]), CRS)
SOUTH_NORTH = Polygons.of(np.array([shapely.box(0, 0, 80, 30), shapely.box(0, 30, 80, 60)]), CRS)
# Whole numbers add up exactly in any order, so equality is exact.
WHOLE = st_numpy.arrays(np.int16, SHAPE, elements=st.integers(-50, 1000))


def raster_of(values, grid=GRID) -> xr.DataArray:
    return georeferenced(values, grid, "v", {"units": "1"})


def by_place(values: xr.DataArray, labels: xr.DataArray, n: int) -> list[float]:
    """Sum values per label by where cells are, one cell at a time."""
    sums = [0.0] * n
    for y in labels["y"].values:
        for x in labels["x"].values:
            label = int(labels.sel(x=x, y=y))
            if label:
                sums[label - 1] += float(values.sel(x=x, y=y))
    return sums


@st.composite
def changes(draw):
    """A change of a raster that says itself where its cells are afterwards."""
    kind = draw(st.sampled_from(["sort", "stride", "coarsen", "turn", "roll", "part", "rename"]))
    if kind == "sort":
        axis, ascending = draw(st.sampled_from("xy")), draw(st.booleans())
        return lambda v: v.sortby(axis, ascending=ascending)
    if kind == "stride":
        x, y = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        return lambda v: v.isel(x=slice(None, None, x), y=slice(None, None, y))
    if kind == "coarsen":
        x, y = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 2, 3]))
        return lambda v: v.coarsen(x=x, y=y).sum()
    if kind == "turn":
        return lambda v: v.transpose("x", "y")
    if kind == "roll":
        shift, coordinates = draw(st.integers(-3, 3)), draw(st.booleans())
        return lambda v: v.roll(x=shift, roll_coords=coordinates)
    if kind == "part":
        first = draw(st.integers(0, 4))
        return lambda v: v.isel(x=slice(first, None), y=slice(first, None))
    return lambda v: v.rename(x="lon", y="lat")


@settings(max_examples=2 * settings.default.max_examples)
@given(WHOLE, st.lists(changes(), min_size=1, max_size=2))
def test_polygons_sum_the_cells_that_are_where_the_coordinates_say(values, made):
    """Seen to fail for every change but the last two when the geotransform was believed."""
    changed = raster_of(values.astype(np.float64))
    try:
        for change in made:
            changed = change(changed)
    except (ValueError, KeyError):
        return  # no such axis any more
    try:
        found = weighted_overlap(WEST_EAST, SOUTH_NORTH, changed).toarray()
    except InputError:
        return
    x, y = (changed[axis].values for axis in (changed.dims[1], changed.dims[0]))
    expected = np.zeros((2, 2))
    for row in range(y.size):
        for column in range(x.size):
            # A centre on the border of both is the later's, or GDAL's rule decides: none lies on one here but after coarsening.
            point = shapely.Point(x[column], y[row])
            owners = [
                [k for k, each in enumerate(polygons.geometries()) if each.contains(point)]
                for polygons in (WEST_EAST, SOUTH_NORTH)
            ]
            if not all(owners):
                return
            expected[owners[0][0], owners[1][0]] += float(changed.values[row, column])
    assert found.tolist() == expected.tolist()


@settings(max_examples=2 * settings.default.max_examples)
@given(WHOLE, st_numpy.arrays(np.uint32, SHAPE, elements=st.integers(0, 3)), changes(), st.booleans())  # fmt: skip
def test_two_rasters_are_summed_where_they_are_or_refused(values, numbers, change, both):
    """Seen to fail for squares that were turned, for cells moved by one, and for names of another kind."""
    raster, labels = raster_of(values), raster_of(numbers)
    changed = change(raster)
    if both and changed.dtype == raster.dtype and changed.shape != raster.shape:
        labels = change(labels)
    try:
        found = zonal_sum(changed, labels, 3).values.tolist()
    except InputError:
        return
    if set(changed.dims) == {"x", "y"}:
        assert found == by_place(changed, labels, 3)
    else:
        assert found == zonal_sum(values, numbers, 3).values.tolist()


def other_rasters():
    labels = rasterize(WEST_EAST, GRID)
    return {
        "cells differ in x": labels.assign_coords(x=labels["x"] + 1e6),
        "cells differ in y": labels.assign_coords(y=labels["y"] + 10),
        "run in opposite directions": labels.sortby("y"),
        "in WGS 84 / UTM zone 32N and ETRS89": labels.copy().assign_coords(
            spatial_ref=rasterize(np.array([None]), Grid(32632, 10, (0, 0, 10, 10)))["spatial_ref"]
        ),
        "another order": labels.transpose("x", "y"),
        "differ in shape": labels.isel(x=slice(0, 6)),
        "differ in x": labels.assign_coords(x=[np.nan] * 8),
        "a Dataset holds several": labels.to_dataset(name="labels"),
        "these are polygons": WEST_EAST,
        "three": labels.expand_dims("band"),
    }


@pytest.mark.parametrize("fault", other_rasters())
def test_one_check_stands_before_every_function_of_two_rasters(fault):
    """Seen to count what lies 1000 km apart, to spread over another CRS, and to add up what was never laid over each other."""
    other, labels = other_rasters()[fault], rasterize(WEST_EAST, GRID)
    match = {"three": "two dimensions, this one 3"}.get(fault, fault)
    for reduce in (
        lambda: crosstab(other, labels, shape=(2, 2)),
        lambda: crosstab(labels, other),
        lambda: crosstab(labels, labels, shape=(2, 2), values=other),
        *(
            lambda f=statistic: f(other, labels, 2)
            for statistic in (zonal_sum, zonal_count, zonal_mean, zonal_min, zonal_max)
        ),
        lambda: spread([1.0, 1.0], labels, weights=other),
    ):
        with pytest.raises(InputError, match=match if "UTM" not in match else "UTM zone 32N"):
            reduce()


def test_one_raster_alone_is_asked_too():
    labels = rasterize(WEST_EAST, GRID)
    for wrong, message in ((labels.to_dataset(name="a"), "Dataset"), (WEST_EAST, "polygons"), (WEST_EAST.geometries(), "polygons")):  # fmt: skip
        for reduce in (
            lambda w: block_sum(w, 2),
            lambda w: lookup([1.0, 2.0], w),
            lambda w: lookup_sum([1.0, 2.0], w, 2),
            lambda w: spread([1.0, 2.0], w),
        ):
            with pytest.raises(InputError, match=message):
                reduce(wrong)
    with pytest.raises(InputError, match="Dataset"):
        weighted_overlap(WEST_EAST, WEST_EAST, labels.to_dataset(name="a"))


def test_names_of_axes_do_not_matter_and_attributes_tell_them():
    labels = rasterize(WEST_EAST, GRID)
    values = raster_of(np.arange(48.0).reshape(SHAPE))
    expected = zonal_sum(values, labels, 2).values.tolist()
    for x, y in (("lon", "lat"), ("Longitude", "Latitude"), ("easting", "northing")):
        assert zonal_sum(values.rename(x=x, y=y), labels, 2).values.tolist() == expected
        with pytest.raises(InputError, match="another order"):
            zonal_sum(values.rename(x=x, y=y).transpose(x, y), labels.values, 2)
    # "a" and "b" mean nothing, but CF's attributes of these coordinates do.
    told = values.rename(x="a", y="b")
    assert zonal_sum(told, labels, 2).values.tolist() == expected
    with pytest.raises(InputError, match=r"another order.*transpose\(\"b\", \"a\"\)"):
        zonal_sum(told.transpose("a", "b"), labels, 2)


def test_coordinates_that_were_rounded_are_the_same():
    grid = Grid("EPSG:4326", 1 / 120, (10, 40, 10.5, 40.25))
    labels = rasterize(Polygons.of(np.array([shapely.box(10, 40, 10.25, 41)]), "EPSG:4326"), grid)
    values = raster_of(np.ones(grid.shape), grid)
    rounded = values.assign_coords(x=values["x"].astype(np.float32), y=values["y"].round(6))
    assert zonal_sum(rounded, labels, 1).values.tolist() == [30 * 30]
    with pytest.raises(InputError, match="longitudes and latitudes"):
        spread([1.0], labels.drop_vars("spatial_ref"))
    with pytest.raises(InputError, match="mass per area cannot be measured in WGS 84"):
        spread([1.0], labels)


def test_a_density_is_per_square_metre_in_any_unit():
    """Seen to be 10.76 times too large where a foot was taken for a metre."""
    grid = Grid("EPSG:2263", 100, (0, 0, 800, 600))
    labels = rasterize(Polygons.of(np.array([shapely.box(0, 0, 400, 600)]), "EPSG:2263"), grid)
    density = spread([5000.0], labels)
    assert float(density.sum()) * grid.cell_area == pytest.approx(5)
    elsewhere = Polygons.of(np.array([shapely.box(0, 0, 1, 1)]), CRS)
    with pytest.raises(InputError, match="the polygons are in"):
        spread([1.0], labels, polygons=elsewhere)


def test_a_crs_is_found_wherever_it_is_kept():
    import rioxarray  # noqa: F401

    raster = raster_of(np.zeros(SHAPE))
    bare = raster.drop_vars("spatial_ref")
    assert stated_crs(raster) == CRS
    assert stated_crs(bare) is None
    with pytest.warns(FutureWarning, match="write_crs"):
        beside = raster.drop_vars("spatial_ref").rio.set_crs(3034)
    assert stated_crs(beside) == "EPSG:3034"
    elsewhere = raster.rename(spatial_ref="lambert").assign_attrs(grid_mapping="lambert")
    assert stated_crs(elsewhere) == CRS
    only_cf = {
        k: v for k, v in raster["spatial_ref"].attrs.items() if k not in ("crs_wkt", "spatial_ref")
    }
    parameters = bare.assign_coords(spatial_ref=((), 0, only_cf))
    require_same_cells(raster, bare, raster.values)
    with pytest.raises(InputError, match="ETRS89"):
        require_same_cells(raster, parameters.assign_coords(spatial_ref=((), 0, {**only_cf, "false_easting": 1.0})))  # fmt: skip


def test_coarse_sums_lie_where_the_coordinates_say():
    """Seen to carry on the geotransform of the raster that a part was taken from."""
    values = raster_of(np.ones(SHAPE)).isel(x=slice(4, None), y=slice(2, None))
    coarse = block_sum(values, 2)
    assert Grid.like(coarse) == Grid(CRS, 20, (40, 0, 80, 40))
    single = block_sum(values, 4)
    assert Grid.like(single) == Grid(CRS, 40, (40, 0, 80, 40))
    uneven = raster_of(np.ones(SHAPE)).isel(x=[0, 1, 5, 6])
    assert "GeoTransform" not in block_sum(uneven, 2)["spatial_ref"].attrs


def test_columns_first_beside_dimensions_that_tell_nothing_are_refused():
    """Seen to fail: one function took them by place, another turned them."""
    values = xr.DataArray(np.arange(9.0).reshape(3, 3), dims=("x", "y"))
    for dims in (("dim_0", "dim_1"), ("row", "col")):
        labels = xr.DataArray(np.arange(1, 10).reshape(3, 3), dims=dims)
        with pytest.raises(InputError, match=r"another order.*transpose\(\"y\", \"x\"\)"):
            zonal_sum(values, labels, 9)
        assert zonal_sum(values.transpose("y", "x"), labels, 9).values.tolist() == values.values.T.ravel().tolist()  # fmt: skip


def test_a_crs_under_any_name_stays_with_results_and_through_arithmetic():
    """Seen to take feet for metres: 0.093 kg of one."""
    centres = np.arange(4) * 10.0 + 5
    labels = xr.DataArray(np.ones((4, 4), np.uint32), dims=("y", "x"), coords={"y": centres[::-1], "x": centres})  # fmt: skip
    labels = labels.rio.write_crs(2263, grid_mapping_name="lambert_conformal_conic")
    for result in (lookup([5.0], labels), spread([1000], labels), block_sum(labels, 2), lookup_sum([5.0], labels, 2)):  # fmt: skip
        assert stated_crs(result) == stated_crs(labels) is not None
    coarse = (block_sum(labels, 2) > 0).astype(np.uint32)
    density = spread([1000], coarse)
    assert float((density * (20 * 1200 / 3937) ** 2).sum()) == pytest.approx(1, rel=1e-6)


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
