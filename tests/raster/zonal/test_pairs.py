"""Pairs of labels against loops, and sums of a raster against exactextract; the same for any chunks."""

from __future__ import annotations

import dask
import dask.array as da
import geopandas as gpd
import naive
import numpy as np
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS, partition

from carbongrid.errors import InputError
from carbongrid.raster.chunked import arrays
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.overlaps import coverage, overlap
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import crosstab, weighted_overlap, zonal_max, zonal_min, zonal_sum

# rioxarray multiplies transforms in a way that affine is about to deprecate.
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

SHAPE = (7, 25)
LABELS = st_numpy.arrays(np.uint32, SHAPE, elements=st.sampled_from([0, 1, 2, 5]))
CHUNKS = st.tuples(st.integers(1, 7), st.integers(1, 25))


@settings(max_examples=50)
@given(LABELS, LABELS, CHUNKS, st.booleans())
def test_crosstab_equals_loop(a, b, chunks, smooth):
    """Seen to fail when a run ends with its sixteen cells, and when only the first label of a pair is compared."""
    if smooth:
        a, b = np.repeat(a[:, :1], 25, axis=1), np.repeat(b[:1], 7, axis=0)
    wanted = np.zeros((5, 6), np.int64)
    for (i, j), count in naive.pair_counts(a, b).items():
        if i and j:
            wanted[i - 1, j - 1] = count
    found = crosstab(a, b, (5, 6))
    assert found.dtype == np.int64
    assert found.toarray().tolist() == wanted.tolist()
    lazy = crosstab(da.from_array(a, chunks=chunks), b, (5, 6))
    assert lazy.toarray().tolist() == wanted.tolist()
    assert overlap(a, b, shape=(5, 6)).toarray().tolist() == wanted.tolist()


@settings(max_examples=30)
@given(LABELS, LABELS, st_numpy.arrays(np.int16, SHAPE), CHUNKS)
def test_weighted_crosstab_adds_up_to_zonal_sums(a, b, quarters, chunks):
    """Seen to fail when NaN is added, and when each run takes the value of its first cell."""
    values = np.where(quarters % 5 == 0, np.nan, quarters / 4)
    found = crosstab(a, b + 1, (5, 6), values=values)
    assert found.dtype == np.float64
    assert found.sum(axis=1).tolist() == zonal_sum(values, a, 5).values.tolist()
    chunked = [da.from_array(array, chunks=chunks) for array in (a, b + 1, values)]
    lazy = crosstab(*chunked[:2], (5, 6), values=chunked[2])
    assert lazy.toarray().tolist() == found.toarray().tolist()
    whole = crosstab(a, b + 1, (5, 6), values=quarters)
    assert whole.dtype == np.int64
    assert whole.sum(axis=1).tolist() == zonal_sum(quarters, a, 5).values.tolist()


def raiser(*_, **__):
    raise AssertionError("computed too early")


@settings(max_examples=20)
@given(LABELS, LABELS, st_numpy.arrays(np.int32, SHAPE), CHUNKS, st.booleans())
def test_what_is_not_computed_yet_computes_to_the_same(a, b, values, chunks, lazy):
    """Seen to fail when the sums came back in quanta."""
    mine = [da.from_array(x, chunks=chunks) for x in (a, b, values)] if lazy else [a, b, values]
    for given_values, quantum in ((None, None), (2, None), (2, 0.5)):
        what = None if given_values is None else mine[2]
        with dask.config.set(scheduler=raiser):
            later = crosstab(*mine[:2], (5, 5), values=what, quantum=quantum, compute=False)
        now = crosstab(a, b, (5, 5), values=None if what is None else values, quantum=quantum)
        found = later.compute()
        assert found.dtype == now.dtype
        assert found.toarray().tolist() == now.toarray().tolist()


def test_what_a_later_crosstab_needs_and_refuses():
    labels = da.from_array(np.array([[1, 2]], np.uint32), chunks=1)
    with dask.config.set(scheduler=raiser), pytest.raises(InputError, match="need a quantum="):
        crosstab(labels, labels, (2, 2), values=da.ones((1, 2)), compute=False)
    with pytest.raises(InputError, match="label 2 of b is above"):
        crosstab(labels, labels, (2, 1), compute=False).compute()
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, (2, 2), values=da.full((1, 2), 2**50), compute=False).compute()


def test_numpy_in_bands_is_counted_later_too(monkeypatch):
    """Seen to fail when only the first band was taken."""
    monkeypatch.setattr(arrays, "_CELLS_IN_BAND", 30)
    a = np.arange(1, 101, dtype=np.uint32).reshape(10, 10)
    found = crosstab(a, a, (100, 100), compute=False).compute()
    assert found.toarray().tolist() == np.eye(100).tolist()


def test_more_pairs_than_first_slots():
    a = np.arange(1, 40_001, dtype=np.uint32).reshape(200, 200)
    found = crosstab(a, a.T.copy(), (40_000, 40_000))
    assert found.nnz == 40_000
    assert set(found.data.tolist()) == {1}
    rows, columns = found.nonzero()
    assert np.array_equal(a.T[rows // 200, rows % 200] - 1, columns)


def test_weighted_overlap_sums_the_cells_that_both_cover():
    """Seen to fail when a window's values are those of another window."""
    grid = Grid(CRS, 10, (0, 0, 3000, 2000))
    a, b = partition(30, 3000.0, 1), partition(4, 3000.0, 2)
    shapes = Polygons.of(a, CRS), Polygons.of(b, CRS)
    random = np.random.default_rng(0)
    values = rasterize(shapes[0], grid).copy(data=random.random(grid.shape))
    found = weighted_overlap(*shapes, values)
    labels = [rasterize(polygons, grid) for polygons in shapes]
    for row in range(0, 30, 7):
        for column in range(4):
            here = (labels[0].values == row + 1) & (labels[1].values == column + 1)
            assert found[row, column] == pytest.approx(values.values[here].sum(), rel=1e-9)
    lazy = weighted_overlap(*shapes, values.chunk({"y": 70, "x": 90}))
    assert (lazy != found).nnz == 0
    ones = weighted_overlap(*shapes, values.copy(data=np.ones(grid.shape, np.int32)))
    assert (ones != overlap(*shapes, grid=grid)).nnz == 0


def test_weighted_overlap_is_near_that_of_exact_shares_of_cells():
    """By centres a polygon errs by less than half a cell along its border, here less than 2 %; exactextract sums exact shares."""
    grid = Grid(CRS, 10, (0, 0, 3000, 2000))
    polygons = Polygons.of(partition(12, 3000.0, 4), CRS)
    y, x = np.meshgrid(grid.y, grid.x, indexing="ij")
    values = rasterize(polygons, grid).copy(data=2 + np.sin(x / 300) * np.cos(y / 200))
    everywhere = Polygons.of(np.array([shapely.box(*grid.bounds)]), CRS)
    found = weighted_overlap(polygons, everywhere, values).toarray().ravel()
    exact = coverage(polygons, grid) @ values.values.ravel() / grid.cell_area
    np.testing.assert_allclose(found, exact, rtol=0.02)
    source = NumPyRasterSource(values.values, *grid.bounds)
    frame = gpd.GeoDataFrame(geometry=polygons.geometries(), crs=CRS)
    theirs = exact_extract(source, frame, ["sum"], output="pandas")["sum"].to_numpy()
    np.testing.assert_allclose(found, theirs, rtol=0.02)
    np.testing.assert_allclose(exact, theirs, rtol=1e-6)
    assert found.sum() == pytest.approx(exact.sum(), rel=1e-9)


def test_sums_of_many_large_values_are_refused_not_wrapped():
    """Seen to fail when tables of one block's pieces, each below 2^62, are added as int64."""
    labels = np.ones((4096, 4096), np.uint32)
    largest = np.broadcast_to(np.int64(2**40 - 1), labels.shape)
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, (1, 1), values=largest)
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, (1, 1), values=largest.astype(np.float64), quantum=1)
    labels = labels[:, :1024]
    found = crosstab(labels, labels, (1, 1), values=largest[:, :1024])
    assert found.toarray().tolist() == [[(2**40 - 1) * labels.size]]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_quantum_means_the_same_in_sums_and_pairs(dtype):
    """Seen to fail when values are scaled in their own type."""
    values = np.array([[0.1, 0.7, 1e-3]], dtype)
    labels = np.ones(values.shape, np.uint32)
    alone = zonal_sum(values, labels, 1, quantum=1e-9)
    assert crosstab(labels, labels, (1, 1), values=values, quantum=1e-9).toarray() == alone.values


def test_refusals():
    labels = np.ones((2, 3), np.uint32)
    with pytest.raises(InputError, match="label 1 of b is above its number of rows, 0"):
        crosstab(labels, labels, (1, 0))
    with pytest.raises(InputError, match="differ in shape"):
        crosstab(labels, labels.T, (1, 1))
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, (1, 1), values=np.full((2, 3), 2**41))
    with pytest.raises(InputError, match="a value is infinite"):
        crosstab(labels, labels, (1, 1), values=np.full((2, 3), np.inf))
    grid = Grid(CRS, 10, (0, 0, 100, 100))
    values = rasterize(Polygons.of(np.array([shapely.box(0, 0, 50, 50)]), CRS), grid)
    with pytest.raises(InputError, match="Reproject"):
        weighted_overlap(
            Polygons.of(np.array([shapely.box(0, 0, 50, 50)]), 3034),
            Polygons.of(np.array([shapely.box(0, 0, 50, 50)]), CRS),
            values,
        )


def test_what_lies_on_the_background_refuses_nothing() -> None:
    """Seen to refuse the whole table for a fill value of integers that no label has."""
    labels, values = np.array([[0, 1, 2]], np.uint32), np.array([[2**62, 5, 6]])
    assert crosstab(labels, labels, (2, 2), values=values).toarray().tolist() == [[5, 0], [0, 6]]
    assert zonal_min(values, labels, 2).values.tolist() == [5, 6]
    assert zonal_max(-values, labels, 2).values.tolist() == [-5, -6]
