"""Shares of cells: where polygons lie, what of them is off the grid, and polygons that have no shares."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from shapes import CRS, partition
from shares import shares as slow_shares

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.overlaps import area_field, coverage
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.raster.zonal import shares as zonal_shares
from carbongrid.raster.zonal.shares import blocks_touched, exact_shares, extents

GRID = Grid(CRS, 1, (0, 0, 12, 10))
BOW_TIE = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])


def test_polygons_that_cross_or_cover_themselves_are_refused():
    """Seen to fail: half of the first one's land was left out, and of the second a corner was counted once."""
    twice = shapely.MultiPolygon([shapely.box(1, 1, 5, 5), shapely.box(4, 4, 8, 8)])
    land = gpd.GeoDataFrame(
        {"id": ["a", "b", "c"]}, geometry=[shapely.box(0, 0, 3, 3), BOW_TIE, twice], crs=CRS
    )
    with pytest.raises(
        InputError, match=r"row 1, id b.*enclose 0 cells, and it covers 8.*make_valid"
    ):
        ZonalOperator(land, GRID)
    with pytest.raises(InputError, match=r"^row 0: .*enclose 32 cells, and it covers 31"):
        ZonalOperator(np.array([twice]), GRID)
    mended = ZonalOperator(
        land.geometry.make_valid(method="structure", keep_collapsed=False), GRID
    ).apply(np.ones(GRID.shape), "count")
    assert mended["count"].values.tolist() == [9.0, 8.0, 31.0]


@pytest.mark.parametrize("at_once", [1, 5, 2**20])
def test_blocks_that_have_a_cell_of_any_polygon(at_once, monkeypatch):
    """Cell by cell. Seen to fail when a span was only in the blocks of its ends."""
    monkeypatch.setattr(zonal_shares, "_CELLS_AT_ONCE", at_once)
    random = np.random.default_rng(3)
    for _ in range(20):
        centres = shapely.points(random.random((2, 2)) * (16, 14) - 2)
        shares = exact_shares(Polygons.of(shapely.buffer(centres, random.choice([0.3, 3.1], 2))), GRID)  # fmt: skip
        there = np.zeros(GRID.shape, np.bool_)
        there[shares.edges[1], shares.edges[2]] = True
        for row, first, end in zip(*shares.spans[1:], strict=True):
            there[row, first:end] = True
        down, across = (
            np.unique([0, *random.integers(1, side, 4), side]).tolist() for side in GRID.shape
        )
        found = blocks_touched(shares, (tuple(np.diff(down)), tuple(np.diff(across))))
        wanted = [
            [there[top:bottom, left:right].any() for left, right in itertools.pairwise(across)]
            for top, bottom in itertools.pairwise(down)
        ]
        assert found.tolist() == wanted


def test_polygons_by_centre_that_reach_beyond_the_grid():
    """Seen to fail: half of the polygon's area is off the grid, and all of it was said to be known."""
    land = np.array([shapely.box(4, 4, 20, 9), shapely.box(1, 1, 3, 3), shapely.box(30, 0, 40, 4)])
    made = ZonalOperator(land, GRID, coverage="centre").apply(
        np.ones(GRID.shape), ["count", "valid_fraction"]
    )
    assert made["count"].values.tolist() == [40, 4, 0]
    assert made["valid_fraction"].values.tolist() == [0.5, 1.0, 0.0]


def test_what_lies_beyond_any_sides_of_the_grid_is_not_known():
    """All boxes whose sides lie beyond the grid, on its edge or inside. Seen to fail of those that reach beyond two opposite sides."""
    across, down = (itertools.combinations((-2, 0, 4, end, end + 3), 2) for end in GRID.shape[::-1])
    boxes = np.array(
        [
            shapely.box(left, bottom, right, top)
            for (left, right), (bottom, top) in itertools.product(across, down)
        ]
    )
    inside = shapely.area(shapely.intersection(boxes, shapely.box(*GRID.bounds)))
    made = ZonalOperator(boxes, GRID).apply(np.ones(GRID.shape), ["count", "valid_fraction"])
    assert made["count"].values.tolist() == inside.tolist()
    np.testing.assert_allclose(made["valid_fraction"], inside / shapely.area(boxes), rtol=1e-12)


def test_extents_are_those_of_all_cells():
    """Seen to fail when columns of edges are left out, and when the last row is that of the first span."""
    land = np.array([*partition(9, 9.0, 3), None, shapely.box(2.2, 3.1, 2.4, 3.2)], dtype=object)
    found = extents(exact_shares(Polygons.of(land), GRID))
    for polygon, mine in zip(land, found.tolist(), strict=True):
        if polygon is None:
            assert mine == [0, 0, 0, 0]
            continue
        rows, columns = np.nonzero(slow_shares(polygon, GRID) > 1e-9)
        assert mine == [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]


BEYOND = {
    "crosses itself": shapely.Polygon([(-1, 1), (6, 4), (6, 1), (-1, 5)]),
    "covers itself": shapely.MultiPolygon([shapely.box(-1, 0, 3, 3)] * 2),
    "its hole is outside": shapely.Polygon(
        shapely.box(-3, 0, 3, 3).exterior, [shapely.box(5, 5, 6, 6).exterior]
    ),
}


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@pytest.mark.parametrize("what", BEYOND)
def test_so_are_those_that_reach_beyond_the_grid(what):
    """Seen to fail: the part on the grid was counted, one lobe once and the other not at all."""
    land = np.array([shapely.box(-1, -1, 3, 3), BEYOND[what]])
    with pytest.raises(InputError, match=r"^row 1: .*crosses or covers itself.*make_valid"):
        ZonalOperator(land, GRID)
    far = shapely.affinity.translate(BEYOND[what], 50, 50)
    assert not ZonalOperator(np.array([far]), GRID).apply(np.ones(GRID.shape), "count")["count"][0]


def test_parts_that_touch_cover_no_land_twice():
    """Not valid for GEOS, and nothing is wrong with their shares: as in a polygon that was cut and moved round the earth."""
    parts = shapely.MultiPolygon([shapely.box(-2, 0, 2, 3), shapely.box(2, 0, 4.5, 3)])
    assert not parts.is_valid
    made = ZonalOperator(np.array([parts]), GRID).apply(np.ones(GRID.shape), ["count", "valid_fraction"])  # fmt: skip
    assert made["count"].values.tolist() == [13.5]
    assert made["valid_fraction"].values.tolist() == [13.5 / 19.5]


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (shapely.Polygon([(1, 1), (5, 5), (5, 1), (1, 5)]), "enclose 0 cells, and it covers 0.08"),
        (shapely.Polygon([(1, 1), (7, 7), (7, 1), (1, 3)]), "enclose 0.12 cells, and it covers"),
        (shapely.MultiPolygon([shapely.box(1, 1, 4, 4)] * 2), "enclose 0.18 cells, and it covers 0.09"),
    ],
)  # fmt: skip
def test_polygons_that_cross_themselves_inside_one_cell_are_refused(shape, says):
    """Seen to be taken with lobes that cancel, and a part that counts twice: both sides of the sum were wrong alike."""
    coarse = Grid(CRS, 10, (0, 0, 30, 30))
    land = gpd.GeoSeries([shapely.box(0, 0, 3, 3), shape], crs=CRS)
    for call in (lambda: ZonalOperator(land, coarse), lambda: coverage(land, coarse), lambda: area_field(land, coarse, [1.0, 1.0])):  # fmt: skip
        with pytest.raises(InputError, match=f"row 1.*{says}"):
            call()
    touching = shapely.Polygon([(0, 0), (8, 0), (8, 8), (4, 8), (4, 4), (4, 8), (0, 8)])
    assert coverage(gpd.GeoSeries([touching], crs=CRS), coarse).sum() == pytest.approx(
        64, rel=1e-12
    )


@pytest.mark.parametrize("resolution", [0.1, 0.05, 0.2, 0.3])
def test_cells_that_rounding_alone_would_give_a_share_are_left_out(resolution):
    """Seen to leave rows of neighbours with shares of 1e-13, whose values were least and most of all."""
    random = np.random.default_rng(0)
    grid = Grid("EPSG:4326", resolution, (100, 30, 100 + 200 * resolution, 30 + 200 * resolution))
    west, south = round(100 / resolution), round(30 / resolution)
    corners, sides = random.integers(1, 150, (30, 2)), random.integers(20, 48, (30, 2))
    edges = [np.round((start + corners[:, k] + step * sides[:, k]) * resolution, 6) for step in (0, 1) for k, start in enumerate((west, south))]  # fmt: skip
    boxes = gpd.GeoSeries(shapely.box(*edges), crs=4326)
    operator = ZonalOperator(boxes, grid)
    assert operator.shares.edges[3].min(initial=1) > 1e-9
    inside = np.zeros(grid.shape)
    for number, box in enumerate(boxes):
        one = ZonalOperator(gpd.GeoSeries([box], crs=4326), grid)
        inside[:] = -1000.0
        column, row = corners[number, 0], 200 - corners[number, 1] - sides[number, 1]
        inside[row : row + sides[number, 1], column : column + sides[number, 0]] = 1.0
        found = one.apply(inside, ["min", "variety"], weights="cells")
        assert (float(found["min"][0]), int(found["variety"][0])) == (1.0, 1)


def test_a_row_centred_on_a_pole_counts_what_of_it_lies_on_the_earth(tmp_path):
    """Seen to fail: the cap had half of its 39.2 Mm2, the globe's tonnes lost half of both polar rows."""
    lat, lon = np.arange(90, -91, -2.0), np.arange(0, 360, 2.0)
    tonnes = xr.DataArray(np.ones((91, 180)), dims=("lat", "lon"), coords={"lat": lat, "lon": lon})
    tonnes = tonnes.assign_coords(spatial_ref=((), 0, pyproj.CRS(4326).to_cf()))
    places = [shapely.box(0, -90, 360, 90), shapely.box(0, 89.5, 360, 90), shapely.box(10, 88, 21, 90)]  # fmt: skip
    land = gpd.GeoSeries([*places, shapely.box(0, -90, 360, -89)], crs=4326)
    operator = ZonalOperator(land, Grid.like(tonnes))
    found = operator.apply(tonnes, ["sum", "valid_fraction"])
    np.testing.assert_allclose(found["sum"], [91 * 180, 90, 5.5 * 1.5, 180], rtol=1e-12)
    np.testing.assert_allclose(found["valid_fraction"], 1, rtol=1e-12)
    areas = operator.apply(tonnes, ["sum"], weights="area")["sum"]
    assert float(areas[0]) == pytest.approx(5.10065621724e14, rel=1e-11)
    assert float(areas[3]) == pytest.approx(3.9192e10, rel=1e-4)
    operator.save(tmp_path / "poles")
    assert ZonalOperator.open(tmp_path / "poles").apply(tonnes, ["sum"])["sum"].equals(found["sum"])
    # Where rows end at the pole nothing changes.
    plain = Grid("EPSG:4326", 2, (0, -90, 360, 90))
    assert ZonalOperator(land, plain).shares.whole[0] == 90 * 180


def test_what_of_an_outline_lies_beyond_a_pole_counts_nothing():
    """Seen to fail: outlines of cells centred on the pole had 4 cells for 3 each, 2876 columns of 1440 together."""
    lat, lon = np.arange(90, -90.01, -0.25), np.arange(0, 360, 0.25)
    ones = xr.DataArray(np.ones((721, 1440)), dims=("lat", "lon"), coords={"lat": lat, "lon": lon})
    ones = ones.assign_coords(spatial_ref=((), 0, pyproj.CRS(4326).to_cf()))
    low, middles = shapely.box(-360, -90, 720, 90), np.arange(0.5, 360, 0.5)
    top = shapely.box(middles - 0.25, 89.75, middles + 0.25, 90.25)
    slanted = [
        shapely.Polygon([(30, 80), (60, 100), (90, 80)]),
        shapely.Polygon([(0, 85), (0, 95), (20, 95), (20, 85), (15, 85), (15, 92), (5, 92), (5, 85)]),
        shapely.box(0, -100, 170, 100) - shapely.box(10, -95, 20, 95),
        shapely.Polygon([(30, -100), (60, 100), (90, -100)]),
    ]  # fmt: skip
    beyond = gpd.GeoSeries([*top, *slanted, shapely.box(10, 90.5, 12, 92)], crs=4326)
    grid = Grid.like(ones)
    found = ZonalOperator(beyond, grid).apply(ones, ["sum", "valid_fraction"], weights="cells")
    assert found["sum"][: top.size].values.tolist() == [3.0] * top.size
    cut = gpd.GeoSeries(shapely.intersection(slanted, low), crs=4326)
    wanted = ZonalOperator(cut, grid).apply(ones, ["sum", "valid_fraction"], weights="cells")
    of_slanted = slice(top.size, top.size + len(slanted))
    for name in ("sum", "valid_fraction"):
        np.testing.assert_allclose(found[name][of_slanted], wanted[name], rtol=1e-12)
    assert found["sum"][-1] == 0
