"""Overlap counts and exact coverage, against loops, NumPy and shapely."""

from __future__ import annotations

import re
from functools import partial

import dask.array as da
import geopandas as gpd
import naive
import numpy as np
import pytest
import rasterio.features
import rioxarray  # noqa: F401, the accessor
import scipy.sparse
import shapely
import xarray as xr
import zarr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS, grids, partition, polygons

from carbongrid.errors import InputError
from carbongrid.raster import overlaps, polygon_coverage, row_blocks, spans
from carbongrid.raster.chunked import pieces
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels import coverage as coverage_kernels
from carbongrid.raster.kernels.pair_keys import pairs_of
from carbongrid.raster.labels import rasterize
from carbongrid.raster.overlaps import area_field, coverage, overlap
from carbongrid.raster.pair_counts import counts_matrix, window_pairs
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import crosstab
from carbongrid.raster.zonal.stats import zonal_stats

LABELS = st_numpy.arrays(np.uint32, (6, 9), elements=st.integers(0, 4))


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@given(polygons(), polygons(), grids())
def test_polygons_labels_and_loop_agree(a, b, grid):
    """With polygons that overlap, too. Seen to fail when cells of nobody in b are kept in the last column."""
    labels_a, labels_b = rasterize(a, grid), rasterize(b, grid)
    counts = overlap(a, b, grid=grid)
    dense = crosstab(labels_a, labels_b, shape=(len(a), len(b)))
    expected = np.zeros((len(a), len(b)), np.int64)
    for (i, j), count in naive.pair_counts(labels_a.values, labels_b.values).items():
        if i and j:
            expected[i - 1, j - 1] = count
    assert counts.dtype == dense.dtype == np.int64
    assert np.array_equal(counts.toarray(), expected)
    assert np.array_equal(dense.toarray(), expected)


def test_tiles_and_bands_do_not_matter(monkeypatch):
    a, b = partition(80, 1000.0, 1), partition(7, 1000.0, 2)
    grid = Grid(CRS, 5, (0, 0, 1000, 1000))
    whole = overlap(a, b, grid=grid)
    monkeypatch.setattr(spans, "SPANS_AT_ONCE", 300)
    monkeypatch.setattr(pieces, "_MIN_CELLS", 37)
    monkeypatch.setattr(pieces, "MAX_TASKS", 2)
    assert len(pieces.pieces_of(grid.shape, pieces.tile_size(grid, ()))) == 2
    assert (overlap(a, b, grid=grid) != whole).nnz == 0
    assert whole.sum() == 200 * 200
    assert whole.has_sorted_indices


@given(LABELS, LABELS, st.integers(1, 5), st.integers(1, 5))
def test_dask_labels_count_the_same(a, b, rows, columns):
    """Seen to fail when the second array keeps chunks of its own."""
    lazy = da.from_array(a, chunks=(rows, columns))
    other = xr.DataArray(da.from_array(b, chunks=(columns, rows)), dims=("y", "x"))
    expected = crosstab(a, b, shape=(4, 4))
    assert (crosstab(lazy, other, shape=(4, 4)).compute() != expected).nnz == 0
    assert (crosstab(lazy, b, shape=(4, 4)).compute() != expected).nnz == 0


@pytest.mark.parametrize("label", [1, 65_535, 2**24 + 1, 2**31, 2**32 - 1])
def test_large_labels(label):
    labels = np.array([[label, 0, label]], np.uint32)
    keys, counts = window_pairs(labels, np.array([[3, 1, 3]], np.uint32))
    assert [part.tolist() for part in pairs_of(keys)] == [[label], [3]]
    assert counts.tolist() == [2]
    keys, _ = window_pairs(np.array([[3, 1, 3]], np.uint32), labels)
    assert [part.tolist() for part in pairs_of(keys)] == [[1, 3], [0, label]]


def test_overlap_refusals():
    a = np.array([[1, 2]])
    with pytest.raises(InputError, match=r"overlap takes polygons\. cg\.crosstab"):
        overlap(a, a, grid=Grid(CRS, 1, (0, 0, 2, 2)))
    with pytest.raises(InputError, match="label 2 of a is above its number of rows, 1"):
        crosstab(a, a, shape=(1, 2))
    with pytest.raises(InputError, match="differ in shape"):
        crosstab(a, a.T, shape=(2, 2))
    with pytest.raises(InputError, match="must be integers"):
        crosstab(a * 1.0, a, shape=(2, 2))
    with pytest.raises(InputError, match="must fit uint32"):
        crosstab(a - 2, a, shape=(2, 2))
    with pytest.raises(InputError, match="Reproject"):
        polygons = Polygons.of(np.array([shapely.box(0, 0, 1, 1)]), 4326)
        overlap(polygons, polygons, grid=Grid(CRS, 1, (0, 0, 2, 2)))


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@settings(max_examples=2 * settings.default.max_examples)
@given(polygons(most=2), grids())
@example(
    np.array([shapely.Polygon([(-3, 12), (-3, -3), (13.5, 12)])]), Grid(CRS, 0.7, (0, 0, 12, 12))
)
def test_coverage_of_cells_equals_intersections(shapes, grid):
    """Any valid polygons, with vertices and edges on the cells' borders, reaching off the grid.

    Seen to fail when a piece's own cell gets its whole height, when what lies west of the grid is dropped, when holes are
    added, when cells without a share are kept, and when a level edge that leaves the grid ends at its last crossing."""
    valid = np.array(
        [
            None if shape is None else shapely.make_valid(shape, method="structure")
            for shape in shapes
        ]
    )
    valid = valid[[each is None or each.geom_type in ("Polygon", "MultiPolygon") for each in valid]]
    cells = _cells(grid)
    found = coverage(valid, grid)
    expected = shapely.area(shapely.intersection(valid[:, None], cells[None, :])).reshape(
        len(valid), len(cells)
    )
    assert found.shape == expected.shape
    # What is less than 1e-12 of the polygon and 1e-9 of a cell is left out, as rounding.
    near = 1e-11 + min(
        1e-12 * float(np.nanmax(shapely.area(valid), initial=0)), 1e-9 * grid.resolution**2
    )
    np.testing.assert_allclose(found.toarray(), np.nan_to_num(expected), rtol=0, atol=near)
    if found.nnz:
        assert found.data.min() > 0


def test_cells_that_are_only_touched_have_no_share():
    """A box on cell borders covers its own cells, wholly and no others, however many borders it touches."""
    grid = Grid(CRS, 1000, (500_000, 3_400_000, 520_000, 3_420_000))
    found = coverage(np.array([shapely.box(503_000, 3_405_000, 507_000, 3_406_000)]), grid).tocoo()
    assert found.col.tolist() == [14 * 20 + column for column in (3, 4, 5, 6)]
    assert found.data.tolist() == [1e6] * 4


@given(st.binary(min_size=24, max_size=24))
def test_a_thin_ring_has_no_share_of_what_it_encloses(raw):
    """Seen to fail when heights inside a row of cells are not rounded: what should cancel leaves 1e-16 of a cell."""
    wobble = np.frombuffer(raw, np.uint8) / 1000
    angle = np.arange(24) * np.pi / 12
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * (3100 + wobble)[:, None] + [
        504_513.7,
        3_404_487.3,
    ]
    thin = shapely.Polygon(ring).boundary.buffer(0.0005, cap_style="flat", join_style="mitre")
    grid = Grid(CRS, 1000, (500_000, 3_400_000, 509_000, 3_409_000))
    found = coverage(np.array([thin]), grid)
    touched = shapely.intersects(thin, _cells(grid))
    assert found.indices.tolist() == np.flatnonzero(touched).tolist()
    np.testing.assert_allclose(found.sum(), thin.area, rtol=1e-5)


@pytest.mark.parametrize("resolution", [1000.0, 130.0, 7.0])
def test_coverage_adds_up_to_areas(resolution):
    shapes = partition(60, 3000.0, 4)
    shapes = shapely.transform(shapes, lambda xy: xy + np.array([523_000.0, 3_456_000.0]))
    grid = Grid(CRS, resolution, tuple(shapely.total_bounds(shapes)))
    found = coverage(shapes, grid)
    np.testing.assert_allclose(found.sum(axis=1), shapely.area(shapes), rtol=1e-10)
    assert found.has_sorted_indices
    full = found.sum(axis=0)
    assert full.max() < grid.cell_area * (1 + 1e-9)
    assert (
        np.count_nonzero(full > grid.cell_area * (1 - 1e-9))
        > 0.8 * 9e6 / grid.cell_area - 12 / resolution * 1000
    )


@pytest.mark.parametrize("resolution", [1000.0, 130.0, 7.0])
def test_field_of_amounts_is_the_sum_of_their_shares(resolution):
    """Some of the land lies off the grid. Seen to fail when holes are added, and when the prefix sum starts a cell too late."""
    shapes = np.append(partition(60, 3000.0, 4), shapely.Point(900, 900).buffer(700))
    grid = Grid(CRS, resolution, (130, 0, 2730, 2600))
    amounts = np.random.default_rng(0).random(len(shapes)) * 1e12
    expected = amounts @ (coverage(shapes, grid).toarray() / shapely.area(shapes)[:, None])
    found = area_field(shapes, grid, amounts)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-9, atol=1e-9 * expected.max())
    with pytest.raises(InputError, match="no area"):
        area_field(np.array([shapely.Polygon([(500, 0), (500, 700), (500, 900)])]), grid, [1])
    with pytest.raises(InputError, match="of shape"):
        area_field(shapes, grid, [1])


def test_coverage_of_a_ring_with_many_terms_equals_intersections():
    """More terms than the buffer has room for at first, and than are sorted by insertion.

    Seen to fail when a buffer that is enlarged forgets what it held."""
    angle = np.linspace(0, 2 * np.pi, 1201)[:-1]
    reach = np.where(np.arange(1200) % 2, 9.7, 3.1)
    star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None] + 10)
    both = shapely.MultiPolygon([shapely.box(0, 0, 0.5, 0.5), star])
    shapes = np.array([both, shapely.box(2, 2, 3.5, 3.5), star - shapely.box(9, 9, 11, 11)])
    grid = Grid(CRS, 1, (0, 0, 20, 20))
    expected = shapely.area(shapely.intersection(shapes[:, None], _cells(grid)[None, :]))
    np.testing.assert_allclose(coverage(shapes, grid).toarray(), expected, rtol=0, atol=1e-11)
    even = area_field(shapes, grid, shapely.area(shapes)).ravel()
    np.testing.assert_allclose(even, expected.sum(axis=0), rtol=0, atol=1e-11)


@pytest.mark.parametrize("side", [1.0, 0.01, 0.001])
def test_specks_inside_a_cell_are_right_relative_to_their_size(side):
    """Seen to fail when a ring that never leaves its cell is measured by rounded heights."""
    corner = (
        np.random.default_rng(0).random((200, 2)) * 800
        + np.random.default_rng(1).integers(0, 3, (200, 2)) * 1000
        + 100
    )
    boxes = shapely.box(*corner.T, *np.add(corner, [side, 0.7 * side]).T)
    grid = Grid(CRS, 1000, (0, 0, 3000, 3000))
    found = coverage(boxes, grid).sum(axis=1)
    # At 1 mm coordinates themselves are right to some 1e-9 of a side.
    np.testing.assert_allclose(found, shapely.area(boxes), rtol=3e-9)
    for box in boxes[:20]:
        assert area_field(np.array([box]), grid, [1e9]).sum() == pytest.approx(1e9, rel=1e-14)


def test_many_polygons_of_one_cell_each():
    """They are not sorted and summed as others are. Seen to fail when their buffer does not grow, and when a cell is taken for its column."""
    place = np.arange(5000)
    west, south = place % 100 * 10.0 + 2.5, place // 100 * 10.0 + 1.25
    boxes = shapely.box(west, south, west + 4, south + np.where(place % 2, 8, 1e-10))
    found = coverage(boxes, Grid(CRS, 10, (0, 0, 1000, 500)))
    some = place[place % 2 == 1]
    assert found[some].indices.tolist() == ((49 - some // 100) * 100 + some % 100).tolist()
    np.testing.assert_allclose(found[some].data, 32.0, rtol=1e-13)
    # Less than 1e-9 of a cell, but all that there is of its polygon.
    assert (np.diff(found.indptr) == 1).all()


@pytest.mark.parametrize("away", [0.25, 1.5, 40])
def test_what_lies_off_the_grid_in_one_cell_has_no_share(away):
    """Seen to fail when the area of a polygon west of the grid was given to the last cell of the row above."""
    grid = Grid(CRS, 10, (0, 0, 40, 30))
    centres = [5.0, 15.0, 25.0, -10 * away, 40 + 10 * away]
    places = np.array([(x, y) for x in centres for y in centres])
    boxes = shapely.box(*(places - 1).T, *(places + 1).T)
    inside = shapely.area(shapely.intersection(boxes, shapely.box(0, 0, 40, 30)))
    found = coverage(boxes, grid)
    np.testing.assert_allclose(found.sum(axis=1), inside, rtol=1e-13)
    south, west = 3 - np.floor(places[:, 1] / 10) - 1, np.floor(places[:, 0] / 10)
    here = np.flatnonzero(inside)
    assert found[here].indices.tolist() == (south * 4 + west)[here].astype(int).tolist()
    density = np.add(1.0, np.arange(12).reshape(3, 4))
    raster = xr.DataArray(
        density, dims=("y", "x"), coords={"y": [25.0, 15, 5], "x": [5.0, 15, 25, 35]}
    )
    sums = zonal_stats(raster.rio.write_crs(CRS), gpd.GeoSeries(boxes, crs=CRS), stats=["sum"])[
        "sum"
    ]
    np.testing.assert_allclose(np.nan_to_num(sums), found @ density.reshape(-1) / 100, rtol=1e-13)


@pytest.mark.parametrize("far", [1e6, 1e9, 1e12, 1e16, 1e20])
def test_coverage_of_a_polygon_that_reaches_very_far(far):
    """Seen to fail (and to write past a buffer) when where an edge crosses a row is computed from its farther end."""
    wedge = np.array([shapely.Polygon([(0.3, 0.2), (far, 1.01 * far), (far, 0.99 * far)])])
    grid = Grid(CRS, 1, (0, 0, 300, 300))
    expected = shapely.intersection(wedge[0], shapely.box(0, 0, 300, 300)).area
    assert coverage(wedge, grid).sum() == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(-1e30, 1e30), min_size=4, max_size=4))
@example([23154.91, 4.7133015895422705, 3.5848366876959624e20, 5.052047847459062e16])
def test_an_edge_makes_no_more_terms_than_are_reserved(ends):
    shape = (12, 2000)
    a, b = (ends[0], ends[1]), (ends[2], ends[3])
    cells = [
        (coverage_kernels._cell(y, 0, shape[0]), coverage_kernels._cell(x, 0, shape[1]))
        for x, y in (a, b)
    ]
    events = (*(np.empty(10**6, np.int64) for _ in range(2)), *(np.empty(10**6) for _ in range(2)))
    most = coverage_kernels._most_terms(cells[1][0] - cells[0][0], cells[1][1] - cells[0][1])
    assert coverage_kernels._add_edge(events, 0, (0, 0, *shape), a, b) <= most


def test_coverage_in_parts_on_threads_is_the_same(monkeypatch):
    """Seen to fail when each part takes the first polygons, and when one part's field is left out."""
    shapes, grid = partition(60, 3000.0, 4), Grid(CRS, 130, (0, 0, 2860, 2860))
    whole, field = coverage(shapes, grid), area_field(shapes, grid, np.arange(len(shapes)))
    monkeypatch.setattr(overlaps, "_POLYGONS_AT_ONCE", 7)
    parts = coverage(shapes, grid)
    assert (parts != whole).nnz == 0
    assert np.array_equal(parts.indptr, whole.indptr)
    np.testing.assert_allclose(area_field(shapes, grid, np.arange(len(shapes))), field, rtol=1e-12)


def test_coverage_of_saved_polygons(tmp_path):
    """Seen to fail when rows come in the order of the file."""
    shapes = partition(60, 3000.0, 4)
    made, grid = Polygons.of(shapes, CRS), Grid(CRS, 130, (0, 0, 3000, 3000))
    made.save(tmp_path / "set")
    opened = Polygons.open(tmp_path / "set")
    assert (coverage(opened, grid) != coverage(made, grid)).nnz == 0
    assert (coverage(opened, opened) != coverage(made, made)).nnz == 0
    amounts = np.arange(len(made))
    np.testing.assert_allclose(area_field(opened, grid, amounts), area_field(made, grid, amounts))
    made = Polygons.of(np.append(shapes, shapely.Polygon([(5, 0), (5, 7), (5, 9)])))
    made.save(tmp_path / "flat")
    with pytest.raises(InputError, match=f"row {len(shapes)}"):
        area_field(Polygons.open(tmp_path / "flat"), grid, np.ones(len(made)))


def test_coverage_of_polygons_equals_intersections():
    parcels, units = partition(80, 3000.0, 6), partition(6, 3000.0, 7)
    found = coverage(parcels, units)
    expected = shapely.area(shapely.intersection(parcels[:, None], units[None, :]))
    np.testing.assert_allclose(found.toarray(), expected, rtol=0, atol=1e-6)
    inside = shapely.covers(units[None, :], parcels[:, None])
    rows, columns = np.nonzero(inside)
    assert rows.size > 20
    # The shortcut gives the very area, not one that went through an intersection.
    assert found.toarray()[rows, columns].tolist() == shapely.area(parcels)[rows].tolist()


@pytest.mark.parametrize("rows", [1, 7, 80, 81])
def test_coverage_of_polygons_in_blocks_of_rows_is_the_same(monkeypatch, rows):
    """Seen to fail when all but the first block is left out, and when rows of saved polygons come in the order of the file."""
    parcels, units = partition(80, 3000.0, 6), partition(6, 3000.0, 7)
    whole = coverage(parcels, units)
    assert whole.nnz > len(parcels)
    blocks = partial(row_blocks.row_blocks, rows=rows)
    monkeypatch.setattr(polygon_coverage, "row_blocks", blocks)
    assert_same_bits(coverage(parcels, units), whole)


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@given(polygons(), polygons())
@example(np.array([shapely.box(0, 0, 4, 4)]), np.array([shapely.box(4, 0, 8, 4)]))
@example(np.array([None, shapely.box(0, 0, 4, 4)]), np.array([shapely.box(0, 0, 4, 4), None]))
def test_what_polygons_have_in_common_is_what_geos_cuts_out(a, b):
    """Polygons that lie over each other, with edges and corners on edges of others. Seen to fail when what only touches has an area, and when holes are added."""
    a, b = _mended(a), _mended(b)
    expected = shapely.area(shapely.intersection(a[:, None], b[None, :]))
    found = coverage(a, b).toarray()
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    inside = shapely.covers(b[None, :], a[:, None]) & (expected > 1e-9)
    assert (found[inside] == np.broadcast_to(polygon_coverage.areas_of(Polygons.of(a))[:, None], found.shape)[inside]).all()  # fmt: skip


def test_what_touches_has_nothing_in_common():
    """Borders that lie on each other, at coordinates that a map has. Seen to fail when rounding is kept: 200 pairs more."""
    cells = shapely.transform(
        partition(400, 3000.0, 8), lambda xy: np.add(xy, [40512345.678, 3456789.012])
    )
    found = coverage(cells, cells)
    assert found.nnz == len(cells)
    assert found.diagonal().tolist() == polygon_coverage.areas_of(Polygons.of(cells)).tolist()


def test_a_small_piece_of_a_large_polygon_is_no_rounding():
    """Seen to fail when what counts as rounding is a share of the larger polygon's box."""
    large, small = shapely.box(0, 0, 1e6, 1e6), shapely.box(10.0, 10.0, 10.01, 10.01)
    assert coverage(np.array([large]), np.array([small])).toarray() == pytest.approx(1e-4)
    assert coverage(np.array([small]), np.array([large])).toarray() == pytest.approx(1e-4)


def test_little_of_a_long_polygon_is_no_rounding():
    """Islands far from each other, and a piece of a long strip, whose box is a billion times as large. Seen to fail when 1e-12 of the box is rounding: nothing, and the piece twice."""
    far = 1.2e6
    islands = shapely.MultiPolygon(
        [shapely.box(0, 0, 0.7, 0.7), shapely.box(far, far, far + 0.7, far + 0.7)]
    )
    assert coverage([islands], [shapely.box(-1, -1, far + 1, far + 1)]).toarray() == pytest.approx(
        0.98
    )
    strip = shapely.Polygon([(0, 0), (7e4, 7e4), (7e4 + 0.7, 7e4 - 0.7), (0.7, -0.7)])
    piece = shapely.Polygon([(100, 100), (100.05, 99.95), (100.15, 100.05), (100.1, 100.1)])
    found = coverage([strip], [strip - piece, piece]).toarray()[0]
    assert found[1] == pytest.approx(piece.area)
    assert found.sum() == pytest.approx(strip.area, abs=1e-5)


BOW_TIE = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])


@pytest.mark.parametrize(
    "wrong",
    [
        BOW_TIE,
        shapely.MultiPolygon([shapely.box(0, 0, 3, 3), shapely.box(2, 0, 5, 3)]),
        shapely.Polygon(shapely.box(0, 0, 3, 3).exterior, [shapely.box(2, 1, 5, 2).exterior]),
    ],
)
def test_polygons_that_are_not_valid_are_named_where_they_are_cut(wrong):
    """Seen to fail: areas of polygons that cross themselves are a number, too. GEOS ended in an error without a row."""
    sound, cutting = shapely.box(10, 0, 12, 2), shapely.box(1, 0.5, 2.5, 9)
    for polygons_, targets, told in (
        ([sound, wrong], [cutting], "rows [1]"),
        ([sound, cutting], [sound, wrong], "the targets are not valid, rows [1]"),
    ):
        with pytest.raises(InputError, match=re.escape(told)):
            coverage(polygons_, targets)


def _mended(shapes):
    given = np.array([shape or shapely.Polygon() for shape in shapes], dtype=object)
    return shapely.buffer(given, 0.0)


def assert_same_bits(found, expected):
    for part in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(found, part), getattr(expected, part))


def test_containment_is_not_taken_from_bounds():
    unit = shapely.box(0, 0, 10, 10) - shapely.box(4, 4, 6, 6)
    parcels = np.array(
        [
            shapely.box(3, 3, 7, 7),
            shapely.box(4.5, 4.5, 5, 5),
            shapely.box(0, 0, 1, 1),
            shapely.box(10, 0, 11, 1),
            None,
        ]
    )
    found = coverage(parcels, np.array([unit, None, shapely.box(3, 3, 7, 7)]))
    assert found.toarray().tolist() == [[12, 0, 16], [0, 0, 0.25], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.nnz == 4


def test_coverage_of_nothing():
    nothing = np.array([], dtype=object)
    assert coverage(nothing, nothing).shape == (0, 0)
    assert coverage(np.array([None]), Grid(CRS, 1, (0, 0, 2, 2))).nnz == 0


def _cells(grid: Grid) -> np.ndarray:
    west, _, _, north = grid.bounds
    row, column = np.divmod(np.arange(grid.shape[0] * grid.shape[1]), grid.shape[1])
    side = grid.resolution
    x, y = west + column * side, north - row * side
    return shapely.box(x, y - side, x + side, y)


@pytest.mark.parametrize("half", [1e3, 1e6, 1e9])
def test_a_polygon_far_larger_than_the_grid_covers_all_of_it(half):
    """Seen to fail when every cell must hold a part of the polygon's area, not only those that an edge enters."""
    grid = Grid(CRS, 1, (500, 400, 510, 410))
    box = np.array([shapely.box(-half, -half, half, half)])
    assert coverage(box, grid).toarray().tolist() == [[1.0] * 100]
    west = np.array([shapely.box(-half, -half, 504.25, half)])
    expected = np.tile([1.0] * 4 + [0.25] + [0.0] * 5, (10, 1))
    np.testing.assert_allclose(coverage(west, grid).toarray().reshape(10, 10), expected, atol=1e-9)


def test_a_missing_chunk_of_a_zarr_array_is_an_error(tmp_path):
    """Seen to be counted as nobody's land when only Dask arrays went chunk by chunk."""
    store = zarr.create_array(
        tmp_path / "a.zarr", data=np.ones((8, 8), np.uint32), chunks=(4, 4),
        attributes={"polygons": "digest"}, dimension_names=("y", "x"),
    )  # fmt: skip
    assert crosstab(store, store, shape=(1, 1)).compute().toarray().tolist() == [[64]]
    (tmp_path / "a.zarr/c/1/0").unlink()
    with pytest.raises(Exception, match="c/1/0"):
        crosstab(store, np.ones((8, 8), np.uint32), shape=(1, 1)).compute()


def test_rasters_in_another_order_are_refused():
    labels = rasterize(np.array([shapely.box(0, 0, 2, 1)]), Grid(CRS, 1, (0, 0, 3, 3)))
    assert crosstab(labels, labels, shape=(1, 1)).sum() == 2
    for other in (labels, labels.values):
        with pytest.raises(InputError, match="dimensions are in another order"):
            crosstab(labels.transpose("x", "y"), other, shape=(1, 1))


def test_amounts_that_are_not_finite_are_refused():
    boxes = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    for odd in (np.nan, np.inf):
        with pytest.raises(InputError, match=r"NaN or infinite in rows \[1\]"):
            area_field(boxes, Grid(CRS, 1, (0, 0, 2, 1)), [1.0, odd])


def test_pairs_with_nobody_are_left_out() -> None:
    """A label in one raster where the other has none."""
    keys = np.array([[0, 1], [1, 0], [1, 1]], np.uint64) @ np.array([2**32, 1], np.uint64)
    matrix = counts_matrix(keys, np.array([5, 6, 7]), (1, 1))
    assert matrix.toarray().tolist() == [[7]]


def test_large_polygons_among_small_ones_are_what_they_are_alone():
    """Each buffer of the kernels is too small for one of them: the loop stops, and goes on from it. Seen to fail with what was added before the stop."""
    grid = Grid("EPSG:32650", 1.0, bounds=(0, 0, 300, 300))
    angles = np.linspace(0, 2 * np.pi, 3001)[:-1]
    reach = np.where(np.arange(3000) % 2, 140.0, 60.0)
    star = shapely.Polygon(
        np.c_[150 + reach * np.cos(angles), 150 + reach * np.sin(angles)],
        [shapely.box(x, y, x + 2.3, y + 2.3).exterior.coords for x in range(120, 180, 8) for y in range(120, 180, 8)],
    )  # fmt: skip
    crumbs = shapely.MultiPolygon([shapely.box(x, y, x + 1.7, y + 0.6) for x in range(1, 290, 9) for y in range(1, 290, 9)])  # fmt: skip
    small = [shapely.box(x, 20.5, x + 3.2, 24.1) for x in range(10, 40, 5)]
    shapes = [*small, star, *small, crumbs, *small, shapely.box(0.2, 0.2, 299.7, 299.6), *small]
    table = gpd.GeoDataFrame(geometry=shapes, crs=grid.crs)
    found = coverage(table, grid)
    alone = [coverage(table.iloc[[i]], grid) for i in range(len(table))]
    assert (found != scipy.sparse.vstack(alone)).nnz == 0
    np.testing.assert_allclose(found.sum(axis=1), table.area, rtol=1e-11)
    cells = np.random.default_rng(3).random(grid.shape)
    values = xr.DataArray(cells, {"y": grid.y, "x": grid.x}, ("y", "x")).rio.write_crs(grid.crs)
    medians = zonal_stats(values, table, stats=["median"])["median"].to_numpy()
    each = [float(zonal_stats(values, table.iloc[[i]], stats=["median"])["median"][0]) for i in range(len(table))]  # fmt: skip
    assert medians.tolist() == each
    fields = [area_field(table.iloc[[i]], grid, np.ones(1)) for i in range(len(table))]
    np.testing.assert_allclose(
        area_field(table, grid, np.ones(len(table))), sum(fields), rtol=1e-11
    )
    labels = rasterize(table.iloc[[6, 13]], grid).to_numpy()
    of_star = rasterio.features.rasterize([(star, 1)], grid.shape, transform=grid.transform)
    of_crumbs = rasterio.features.rasterize([(crumbs, 2)], grid.shape, transform=grid.transform)
    assert np.array_equal(labels, np.where(of_crumbs == 2, 2, of_star))


def test_a_polygon_that_crosses_itself_is_refused_on_a_grid_too():
    """Seen to fail: shares that add up to no area, and less than nothing in a cell."""
    crossed = gpd.GeoSeries([shapely.box(0, 0, 20, 20), shapely.Polygon([(0, 0), (30, 30), (30, 0), (0, 10)])], crs=CRS)  # fmt: skip
    grid = Grid(CRS, 10, (0, 0, 40, 40))
    for measure in (coverage, partial(area_field, amounts=[1.0, 100.0])):
        with pytest.raises(InputError, match=r"row 1, id 1: .* itself: Self-intersection"):
            measure(crossed, grid)
        with pytest.raises(InputError, match=r"1 of the polygons are not valid, rows \[1\]: Self-intersection"):  # fmt: skip
            measure(Polygons.of(crossed), grid)
    assert coverage(crossed.iloc[:1], grid).sum() == 400
