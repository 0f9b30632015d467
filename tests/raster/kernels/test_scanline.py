"""The scanline rasterizer against GDAL, cell for cell, ties included."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio.features
import shapely
from geocube.api.core import make_geocube
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapes import CRS, grids, partition, polygons, ribbons, windows

from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.scanline import _sort
from carbongrid.raster.labels import burn_window, rasterize
from carbongrid.raster.polygons import Excerpt, Polygons
from carbongrid.raster.polygons.tiles import inverse_of


def gdal(shapes: np.ndarray, grid: Grid) -> np.ndarray:
    burnt = [
        (shape, row + 1)
        for row, shape in enumerate(shapes)
        if shape is not None and not shape.is_empty
    ]
    if not burnt:
        return np.zeros(grid.shape, np.uint32)
    return rasterio.features.rasterize(
        burnt, out_shape=grid.shape, transform=grid.transform, dtype="uint32"
    )


def ours(shapes: np.ndarray, grid: Grid) -> np.ndarray:
    return burn_window(Polygons.of(shapes), grid, (0, 0), grid.shape)


@settings(max_examples=3 * settings.default.max_examples)
@given(polygons(), grids())
@example(np.array([shapely.box(0.5, 0.5, 3.5, 3.5)]), Grid(CRS, 1, (0, 0, 12, 12)))
@example(
    np.array([shapely.box(0, 0, 8, 8) - shapely.box(2.5, 2.5, 5.5, 5.5)]),
    Grid(CRS, 1, (0, 0, 12, 12)),
)
def test_equals_gdal(shapes, grid):
    """Seen to fail when level edges are not filled, when rings keep their direction, when a crossing starts from the other
    end, and when the parts of a multipolygon are taken as one."""
    assert np.array_equal(ours(shapes, grid), gdal(shapes, grid))


@settings(max_examples=2 * settings.default.max_examples)
@given(
    polygons(),
    st.sampled_from([0.7, 30 / 7, 2.5, 10.0, 1 / 3]),
    st.sampled_from([0.0, 40_519.3, 523_456.7]),
)
def test_equals_gdal_on_the_centres_of_any_grid(shapes, resolution, origin):
    """Vertices on computed centres and borders, which decimal fractions miss by a rounding.

    Seen to fail with the origin multiplied by 1 / resolution, and with (x - west) / resolution."""
    grid = Grid(
        CRS, resolution, (origin, origin, origin + 12 * resolution, origin + 12 * resolution)
    )
    west, south, _, _ = grid.bounds
    placed = shapely.transform(shapes, lambda xy: xy * resolution + [west, south])
    assert np.array_equal(ours(placed, grid), gdal(placed, grid))


@given(st.data(), polygons(), grids())
def test_a_window_is_that_part_of_the_whole(data, shapes, grid):
    """Seen to fail when the centre of a row is rounded differently in each window, and with a window a column too narrow."""
    corner, shape = data.draw(windows(grid.shape))
    window = burn_window(Polygons.of(shapes), grid, corner, shape)
    whole = ours(shapes, grid)
    assert np.array_equal(
        window, whole[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]]
    )


@pytest.mark.parametrize("snap", [1.0, 2.5, 5.0, 10.0, 0.1])
@pytest.mark.parametrize("resolution", [10.0, 30 / 7])
def test_partitions_snapped_to_the_lattice_equal_gdal(snap, resolution):
    """Vertices and edges on cell centres and borders, in real coordinates."""
    shapes = shapely.affinity.translate(
        shapely.GeometryCollection(list(partition(60, 1000.0, 5, snap))), 4_000_000, 3_000_000
    )
    parts = np.array(shapely.get_parts(shapes))
    grid = Grid(CRS, resolution, (4_000_000, 3_000_000, 4_001_000, 3_001_000))
    burnt = ours(parts, grid)
    assert np.array_equal(burnt, gdal(parts, grid))
    assert (burnt > 0).mean() > 0.98


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of what geocube is built on
@pytest.mark.parametrize("resolution", [10.0, 30 / 7])
def test_ribbons_islands_and_specks_equal_gdal_and_geocube(resolution):
    """Land as surveys draw it: parcels with islands, long thin roads over them, parcels of one cell, of less, and of no area."""
    random = np.random.default_rng(3)
    corners = random.random((60, 2)) * 990
    specks = shapely.box(*corners.T, *(corners + random.choice([0.0, 0.3, 4.0, 10.0], (60, 2))).T)
    parts = np.concatenate([partition(60, 1000.0, 8), ribbons(40, 1000.0, 9), specks])
    grid = Grid(CRS, resolution, (0, 0, 1000, 1000), snap=30)
    burnt = ours(parts, grid)
    assert np.array_equal(burnt, gdal(parts, grid))
    frame = gpd.GeoDataFrame({"label": np.arange(1, parts.size + 1)}, geometry=parts, crs=CRS)
    template = rasterize(parts, grid)
    cube = make_geocube(frame, measurements=["label"], like=template, fill=0)
    assert np.array_equal(burnt, cube["label"].values)


def test_a_comb_of_many_teeth_equals_gdal():
    """Rows with thousands of crossings, which insertion would take too long to sort."""
    teeth = 3000
    x = np.arange(2 * teeth + 1) * 0.37
    y = np.where(np.arange(x.size) % 2, 90.3, 3.1)
    comb = shapely.Polygon([*zip(x, y, strict=True), (x[-1], 0), (0, 0)])
    shuffled = shapely.Polygon([(x[-1] - a, b) for a, b in comb.exterior.coords])
    grid = Grid(CRS, 1, (0, 0, 2300, 100))
    for shape in (comb, shuffled):
        assert np.array_equal(ours(np.array([shape]), grid), gdal(np.array([shape]), grid))


def test_few_polygons_on_many_rows_equal_gdal():
    """More spans than there is room for at first: seen to crash when what holds them does not grow."""
    grid = Grid(CRS, 1, (0, 0, 40, 3900))
    leaning = [shapely.Polygon([(x, 3), (x + 9, 3890), (x + 4, 3)]) for x in (1.3, 9.7, 20.1)]
    shapes = np.array([*leaning, shapely.box(0.2, 30, 33, 3800)])
    assert np.array_equal(ours(shapes, grid), gdal(shapes, grid))


@pytest.mark.parametrize("turned", [False, True])
def test_a_million_vertices_equal_gdal(turned):
    angle = np.linspace(0, 2 * np.pi, 10**6, endpoint=False)
    radius = 300 + 5 * np.sin(5000 * angle)
    ring = np.column_stack([500 + radius * np.cos(angle), 500 + radius * np.sin(angle)])
    shapes = np.array([shapely.Polygon(ring[::-1] if turned else ring)])
    # GDAL scans every vertex for every row, so its grid has few rows; ours is a band of a finer one.
    grid = Grid(CRS, 40, (0, 0, 1000, 1000))
    assert np.array_equal(ours(shapes, grid), gdal(shapes, grid))


@pytest.mark.parametrize("seed", range(4))
def test_chords_stand_for_what_misses_a_window(seed):
    """A ring of 6,000 vertices in windows all around: what misses a window is replaced by chords.

    Seen to fail when the blocks north of a window are dropped with their ends, and when those east of it count twice.
    """
    random = np.random.default_rng(seed)
    angle = np.sort(random.random(6000)) * 2 * np.pi
    radius = 40 + 8 * np.sin(7 * angle) + random.random(6000) * (seed % 2) * 12
    ring = np.column_stack([60 + radius * np.cos(angle), 60 + radius * np.sin(angle)])
    hole = np.round(ring[::3] * 0.4 + 36, 0 if seed < 2 else 3)
    shape = shapely.Polygon(np.round(ring * 2) / 2 if seed == 3 else ring, [hole])
    grid = Grid(CRS, 1, (0, 0, 120, 120))
    whole, polygons = gdal(np.array([shape]), grid), Polygons.of(np.array([shape]))
    assert polygons.blocks[1].shape[0] > 90
    for _ in range(60):
        corner = tuple(int(each) for each in random.integers(0, 110, 2))
        height, width = (
            int(min(each, 120 - at))
            for each, at in zip(random.integers(1, 50, 2), corner, strict=True)
        )
        expected = whole[corner[0] : corner[0] + height, corner[1] : corner[1] + width]
        assert np.array_equal(burn_window(polygons, grid, corner, (height, width)), expected)
        excerpt = Excerpt(
            polygons, np.array([0]), np.array([1]), (*corner, height, width), inverse_of(grid)
        )
        cut = excerpt.cut()
        assert cut.x.size < polygons.x.size
        assert np.array_equal(burn_window(cut, grid, corner, (height, width)), expected)


@given(
    st.one_of(
        st.lists(st.integers(0, 100), max_size=24), st.binary(min_size=20, max_size=300).map(list)
    ),
    st.integers(0, 5),
)
def test_sort_sorts_its_part_only(values, margin):
    """Seen to fail when the heap's root is taken from the whole array."""
    padded = np.array([7] * margin + values + [-3] * margin, dtype=np.int64)
    _sort(padded, margin, margin + len(values))
    assert padded.tolist() == [7] * margin + sorted(values) + [-3] * margin
