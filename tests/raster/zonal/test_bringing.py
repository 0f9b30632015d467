"""Polygons from another CRS, on grids from 0 to 360 degrees, over the antimeridian: against shapely on edges cut very finely."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rioxarray  # noqa: F401
import shapely
import xarray as xr
from shapely import affinity
from shapes import partition

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import ZonalOperator, zonal_stats
from carbongrid.raster.zonal.bringing import MAX_BEND, brought

WORLD = Grid("EPSG:4326", 1, (-180, -90, 180, 90))
PACIFIC = Grid("EPSG:4326", 1, (0, -90, 360, 90))
FIJI = "EPSG:3460"


def on(grid, values):
    return rasterize(np.array([None]), grid).copy(data=values).drop_attrs(deep=False)


def count(land, grid, coverage="exact"):
    made = ZonalOperator(land, grid, coverage=coverage).apply(
        np.ones(grid.shape), ["count", "valid_fraction"]
    )
    return made["count"].values, made["valid_fraction"].values


@pytest.mark.parametrize(
    ("source", "target", "square"),
    [
        (4326, 3035, (-5.0, 45.0, 25.0, 65.0)),
        (3035, 4326, (2.6e6, 1.5e6, 6.4e6, 5.2e6)),
        (3857, 4326, (-1.9e7, -6e6, 1.9e7, 8e6)),
        (32631, 25832, (3e5, 5.2e6, 7e5, 5.6e6)),
        # The diagonal goes through the origin: its middle lies on its chord, a quarter does not.
        (32631, 4326, (1e5, -8e6, 9e5, 8e6)),
    ],
)
def test_edges_bend_as_the_projection_bends_them(source, target, square):
    """Seen to fail when vertices alone are brought, and when only the middles of edges are looked at."""
    west, south, east, north = square
    wide, high = east - west, north - south
    corners = [(0, 0), (1, 1), (1, 0.2), (0.1, 0)]
    land = gpd.GeoSeries(
        [shapely.Polygon([(west + x * wide, south + y * high) for x, y in corners])], crs=source
    )
    fine = land.segmentize(max(wide, high) / 20_000).to_crs(target)
    left, bottom, right, top = fine.total_bounds
    grid = Grid(f"EPSG:{target}", max(right - left, top - bottom) / 100, tuple(fine.total_bounds))
    [image] = brought(Polygons.of(land), grid)[0].geometries()
    reach = shapely.hausdorff_distance(image.boundary, fine.boundary.iloc[0]) / grid.resolution
    assert reach <= MAX_BEND
    assert shapely.get_num_coordinates(image) < 20_000
    straight = land.to_crs(target).boundary.iloc[0]
    assert shapely.hausdorff_distance(straight, fine.boundary.iloc[0]) / grid.resolution > 0.04
    found, known = count(land, grid)
    assert found[0] == pytest.approx(shapely.area(fine.iloc[0]) / grid.resolution**2, rel=1e-4)
    assert known[0] == pytest.approx(1.0, abs=1e-12)


def test_neighbours_keep_their_common_edge():
    """Seen to fail when points on an edge depend on the direction in which it is gone along."""
    corners = (
        np.random.default_rng(0).random((6, 6, 2)) * 2e4 + np.indices((6, 6)).T * 5e4 + [4e6, 3e6]
    )
    land = gpd.GeoSeries(
        [
            shapely.Polygon(corners[[i, i, i + 1, i + 1], [j, j + 1, j + 1, j]])
            for i in range(5)
            for j in range(5)
        ],
        crs=3035,
    )
    grid = Grid("EPSG:4326", 0.002, tuple(land.to_crs(4326).total_bounds))
    image = brought(Polygons.of(land), grid)[0].geometries()
    points, times = np.unique(shapely.get_coordinates(image), axis=0, return_counts=True)
    # Closing points come twice; on the common edges each point is that of both neighbours.
    outline = shapely.union_all(image)
    inner = ~shapely.intersects(outline.boundary.buffer(1e-9), shapely.points(points))
    assert inner.sum() > 200
    assert times[inner].min() == 2
    assert outline.area == pytest.approx(shapely.area(image).sum(), rel=1e-12)


def test_vertices_are_those_of_to_crs():
    land = gpd.GeoSeries(partition(30, 1000.0, 2), crs=32631)
    land = gpd.GeoSeries(affinity.translate(each, 5e5, 5e6) for each in land).set_crs(32631)
    grid = Grid("EPSG:3035", 50, tuple(land.to_crs(3035).total_bounds))
    moved, times = brought(Polygons.of(land), grid)
    expected = Polygons.of(land.to_crs(3035))
    assert times.tolist() == [1] * len(land)
    assert np.array_equal(moved.x, expected.x)
    assert np.array_equal(moved.y, expected.y)
    assert moved.crs == grid.crs


def test_the_same_from_both_sides_of_zero_and_of_180():
    """Seen to fail: polygons west of Greenwich had no cell from 0 to 360, and nothing was said."""
    land = gpd.GeoSeries(
        [
            shapely.box(-10.25, 40, 5.5, 50.5),
            shapely.box(-80, -20.5, -60, 1),
            shapely.box(100.5, 10, 110, 20),
            shapely.box(170.5, -20, 190.25, -10),
            shapely.MultiPolygon([shapely.box(170.5, -20, 180, -10), shapely.box(-180, -20, -169.75, -10)]),
            shapely.box(-189.5, -20, -169.75, -10),
            shapely.segmentize(shapely.box(-180, -90, 180, 90), 90),
            None,
        ],
        crs=4326,
    )  # fmt: skip
    areas = [15.75 * 10.5, 20 * 21.5, 95, 197.5, 197.5, 197.5, 360 * 180, 0]
    for coverage in ("exact", "centre"):
        for grid in (WORLD, PACIFIC, Grid("EPSG:4326", 1, (-100, -90, 260, 90))):
            for polygon, area in zip(land, areas, strict=True):
                found, known = count(gpd.GeoSeries([polygon], crs=4326), grid, coverage)
                exact = coverage == "exact"
                assert found[0] == pytest.approx(area, rel=1e-12 if exact else 0.08)
                assert not exact or not area or known[0] == pytest.approx(1.0)
    values = np.random.default_rng(0).random(WORLD.shape)
    turned = np.roll(values, 180, axis=1)
    stats = ["sum", "max", "median"]
    here, there = (
        ZonalOperator(land, grid).apply(on(grid, each), stats, weights="cells")
        for grid, each in ((WORLD, values), (PACIFIC, turned))
    )
    for stat in stats:
        np.testing.assert_allclose(here[stat], there[stat], rtol=1e-12)
    labels = zonal_stats(on(PACIFIC, turned), land[:3], "sum", coverage="centre")
    expected = zonal_stats(on(WORLD, values), land[:3], "sum", coverage="centre")
    np.testing.assert_allclose(labels["sum"], expected["sum"], rtol=1e-12)


def test_part_of_a_turn_and_nothing_of_it():
    grid = Grid("EPSG:4326", 1, (350, 0, 370, 10))
    land = gpd.GeoSeries([shapely.box(-20, 0, 0, 10), shapely.box(20, 0, 30, 10)], crs=4326)
    found, known = count(land, grid)
    assert found.tolist() == [100.0, 0.0]
    assert known.tolist() == [0.5, 0.0]


def test_land_over_the_antimeridian_from_a_plane():
    """Seen to fail when longitudes leap, and when a hole stays on the other side."""
    west, south = 1.9e6, 3.6e6
    shell = shapely.box(west, south, west + 3e5, south + 2e5)
    hole = shapely.box(west + 2.4e5, south + 5e4, west + 2.8e5, south + 1.5e5)
    land = gpd.GeoSeries([shell.difference(hole), shell.union(hole)], crs=FIJI)
    longitudes = land.to_crs(4326).get_coordinates()["x"]
    assert longitudes.min() < 0 < longitudes.max()
    fine = land.segmentize(500).to_crs(4326)
    onward = shapely.transform(
        fine.to_numpy(), lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]])
    )
    for west_edge in (-180, 0):
        grid = Grid("EPSG:4326", 0.1, (west_edge, -30, west_edge + 360, 0))
        found, known = count(land, grid)
        np.testing.assert_allclose(found, shapely.area(onward) * 100, rtol=1e-4)
        np.testing.assert_allclose(known, 1.0, rtol=1e-12)


def test_refusals_of_what_has_no_image():
    long = gpd.GeoDataFrame({"id": ["x"]}, geometry=[shapely.box(-179, 0, 179, 10)], crs=4326)
    with pytest.raises(InputError, match=r"row 0, id x: an edge.*358 degrees long.*antimeridian"):
        ZonalOperator(long, WORLD)
    with pytest.raises(InputError, match=r"an edge.*358 degrees long"):
        ZonalOperator(long, Grid("EPSG:6933", 1e5, (-1.7e7, -7e6, 1.7e7, 7e6)))
    round_it = gpd.GeoSeries([shapely.Point(0, 0).buffer(1e6)], crs=3031)
    with pytest.raises(InputError, match=r"row 0, id 0: a polygon encloses a pole.*meridian"):
        ZonalOperator(round_it, WORLD)
    wide = Grid("EPSG:4326", 1, (-180, -90, 181, 90))
    with pytest.raises(InputError, match=r"361 degrees wide.*isel\({raster.dims\[-1\]: "):
        ZonalOperator(gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=4326), wide)
    far = gpd.GeoSeries([shapely.box(0, 0, 1, 1), shapely.box(170, -10, 175, -5)], crs=4326)
    with pytest.raises(InputError, match=r"row 1, id 1: a polygon in WGS 84 has no place in"):
        ZonalOperator(
            far, Grid("+proj=ortho +lat_0=0 +lon_0=0 +type=crs", 1e5, (-6e6, -6e6, 6e6, 6e6))
        )


@pytest.mark.parametrize("first", [0.05, pytest.param(-179.95, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_world_in_single_precision_is_one_turn(kind, first):
    """Centres of 3600 columns rounded to float32 lie up to 0.0002 of a cell beside theirs."""
    x = (first + 0.1 * np.arange(3600)).astype(kind)
    y = (89.95 - 0.1 * np.arange(1800)).astype(kind)
    ones = np.ones((1800, 3600), np.uint8)
    world = xr.DataArray(ones, {"lat": y, "lon": x}, ("lat", "lon"))
    land = gpd.GeoSeries([shapely.box(-0.53, 51.9, 0.41, 52.2), shapely.box(116.1, 51.9, 116.5, 52.2), shapely.box(179.8, 51.9, 180.3, 52.2)], crs=4326)  # fmt: skip
    grid = Grid.like(world.rio.write_crs("EPSG:4326"))
    made = ZonalOperator(land, grid).apply(ones, ["count", "valid_fraction"])
    np.testing.assert_allclose(made["count"], [9.4 * 3, 4 * 3, 5 * 3], rtol=1e-3)
    np.testing.assert_allclose(made["valid_fraction"], 1, rtol=1e-3)


@pytest.mark.parametrize("grid", [WORLD, PACIFIC, Grid(FIJI, 1000, (0, 0, 90_000, 90_000))])
def test_polygons_that_lie_on_the_grid_are_not_copied(grid):
    """All of a city's parcels, most often."""
    polygons = Polygons.of(gpd.GeoSeries(partition(9, 80.0, 1), crs=grid.crs))
    found, times = brought(polygons, grid)
    assert found is polygons
    assert times.tolist() == [1] * len(polygons)
