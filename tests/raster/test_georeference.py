"""Functions of two rasters: the same cells or a refusal, however a raster was sorted, picked, coarsened, turned, renamed or stored. Never another number."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import georeferenced
from carbongrid.raster.labels import rasterize
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import (
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
