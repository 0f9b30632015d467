"""Pairs of labels against loops, and sums of a raster against exactextract; the same for any chunks."""

from __future__ import annotations

import dask
import dask.array as da
import geopandas as gpd
import naive
import numpy as np
import pytest
import shapely
import xarray as xr
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


@given(LABELS, LABELS, CHUNKS, st.booleans())
def test_crosstab_equals_loop(a, b, chunks, smooth):
    """Seen to fail when a run ends with its sixteen cells, and when only the first label of a pair is compared."""
    if smooth:
        a, b = np.repeat(a[:, :1], 25, axis=1), np.repeat(b[:1], 7, axis=0)
    wanted = np.zeros((5, 6), np.int64)
    for (i, j), count in naive.pair_counts(a, b).items():
        if i and j:
            wanted[i - 1, j - 1] = count
    found = crosstab(a, b, shape=(5, 6))
    assert found.dtype == np.int64
    assert found.toarray().tolist() == wanted.tolist()
    lazy = crosstab(da.from_array(a, chunks=chunks), b, shape=(5, 6)).compute()
    assert lazy.toarray().tolist() == wanted.tolist()


@settings(max_examples=30)
@given(LABELS, LABELS, st_numpy.arrays(np.int16, SHAPE), CHUNKS)
def test_weighted_crosstab_adds_up_to_zonal_sums(a, b, quarters, chunks):
    """Seen to fail when NaN is added, and when each run takes the value of its first cell."""
    values = np.where(quarters % 5 == 0, np.nan, quarters / 4)
    found = crosstab(a, b + 1, shape=(5, 6), values=values)
    assert found.dtype == np.float64
    assert found.sum(axis=1).tolist() == zonal_sum(values, a, 5).values.tolist()
    chunked = [da.from_array(array, chunks=chunks) for array in (a, b + 1, values)]
    lazy = crosstab(*chunked[:2], shape=(5, 6), values=chunked[2]).compute()
    assert lazy.toarray().tolist() == found.toarray().tolist()
    whole = crosstab(a, b + 1, shape=(5, 6), values=quarters)
    assert whole.dtype == np.int64
    assert whole.sum(axis=1).tolist() == zonal_sum(quarters, a, 5).values.tolist()


COMBINED = st.lists(LABELS, min_size=2, max_size=4)


@settings(max_examples=25)
@given(COMBINED, st_numpy.arrays(np.int16, SHAPE), CHUNKS, st.sampled_from([np.int64, np.float32]))
def test_combinations_equal_a_loop(labels, quarters, chunks, dtype):
    """Seen to fail when a combination is known by its last two labels, and when background of the middle ones counts."""
    values = quarters.astype(dtype) / (4 if dtype is np.float32 else 1)
    values = np.where(quarters % 5 == 0, np.nan, values) if dtype is np.float32 else quarters
    counts: dict[tuple[int, ...], int] = {}
    sums: dict[tuple[int, ...], float] = {}
    for *here, value in zip(*(each.ravel().tolist() for each in (*labels, values)), strict=True):
        if all(here):
            counts[tuple(here)] = counts.get(tuple(here), 0) + 1
            sums[tuple(here)] = sums.get(tuple(here), 0) + (0 if value != value else value)
    lazy = [da.from_array(each, chunks=chunks) for each in (*labels, values)]
    with dask.config.set(scheduler=raiser):
        later = crosstab(*lazy[:-1]), crosstab(*lazy[:-1], values=lazy[-1])
    for found in (crosstab(*labels), later[0].compute()):
        assert table_of(found, "count") == [(*here, counts[here]) for here in sorted(counts)]
    for found in (crosstab(*labels, values=values), later[1].compute()):
        assert found["sum"].dtype == (np.int64 if dtype is np.int64 else np.float64)
        assert table_of(found, "sum") == [(*here, sums[here]) for here in sorted(sums)]


def table_of(found, name):
    """Return rows of labels and an amount."""
    labels = [coordinate.to_numpy().tolist() for coordinate in found.coords.values()]
    return list(zip(*labels, found[name].to_numpy().tolist(), strict=True))


def raiser(*_, **__):
    raise AssertionError("computed too early")


@settings(max_examples=20)
@given(LABELS, LABELS, st_numpy.arrays(np.int32, SHAPE), CHUNKS)
def test_a_lazy_matrix_is_the_one_of_arrays(a, b, numbers, chunks):
    """Seen to fail when the sums came back in quanta, and when a quantum was of the values with their background."""
    values = numbers / 3
    lazy = [da.from_array(each, chunks=chunks) for each in (a, b, values)]
    for what, quantum in ((None, None), (2, None), (2, 0.5)):
        with dask.config.set(scheduler=raiser):
            later = crosstab(
                *lazy[:2], values=None if what is None else lazy[2], quantum=quantum, shape=(5, 5)
            )
        now = crosstab(a, b, values=None if what is None else values, quantum=quantum, shape=(5, 5))
        found = later.compute()
        assert found.dtype == now.dtype
        assert found.toarray().tolist() == now.toarray().tolist()


def test_what_is_wrong_with_lazy_labels_is_found_when_they_are_computed():
    labels = da.from_array(np.array([[1, 2]], np.uint32), chunks=1)
    with pytest.raises(InputError, match="label 2 of b is above"):
        crosstab(labels, labels, shape=(2, 1)).compute()
    for shape in (None, (2, 2)):
        with pytest.raises(InputError, match="too large to be summed exactly"):
            crosstab(labels, labels, values=da.full((1, 2), 2**50), shape=shape).compute()
    with pytest.raises(InputError, match="a value is infinite"):
        crosstab(labels, labels, values=da.full((1, 2), np.inf)).compute()


def test_numpy_beside_lazy_labels_is_counted_in_bands(monkeypatch):
    """Seen to fail when only the first band was taken."""
    monkeypatch.setattr(arrays, "_CELLS_IN_BAND", 30)
    a = np.arange(1, 101, dtype=np.uint32).reshape(10, 10)
    for other in (a, da.from_array(a, chunks=10)):
        (found,) = dask.compute(crosstab(a, other, shape=(100, 100)))
        assert found.toarray().tolist() == np.eye(100).tolist()


def test_what_is_background_in_the_second_raster_refuses_no_matrix():
    """Seen to fail: an infinite value there was refused with a shape, and not without."""
    a, b = np.array([[1, 1]], np.uint32), np.array([[1, 0]], np.uint32)
    values = np.array([[0.5, np.inf]])
    assert crosstab(a, b, values=values, quantum=0.25, shape=(1, 1)).toarray().tolist() == [[0.5]]
    assert crosstab(a, b, values=values, quantum=0.25)["sum"].to_numpy().tolist() == [0.5]


def test_combinations_have_the_names_and_units_of_their_rasters():
    units = xr.DataArray(np.array([[1, 2]], np.uint32), dims=("y", "x"), name="unit")
    heat = (units * 1.5).rename("heat").assign_attrs(units="K")
    found = crosstab(units, units.rename("parcel"), values=heat)
    assert list(found.coords) == ["unit", "parcel"]
    assert found["sum"].attrs == {"units": "K", "long_name": "sum of heat"}
    assert crosstab(units, units).coords.keys() == {"label_1", "label_2"}
    assert crosstab(units, units.rename("count"))["count"].attrs["units"] == "1"


def test_more_pairs_than_first_slots():
    a = np.arange(1, 40_001, dtype=np.uint32).reshape(200, 200)
    found = crosstab(a, a.T.copy(), shape=(40_000, 40_000))
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
        crosstab(labels, labels, shape=(1, 1), values=largest)
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, shape=(1, 1), values=largest.astype(np.float64), quantum=1)
    labels = labels[:, :1024]
    found = crosstab(labels, labels, shape=(1, 1), values=largest[:, :1024])
    assert found.toarray().tolist() == [[(2**40 - 1) * labels.size]]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_quantum_means_the_same_in_sums_and_pairs(dtype):
    """Seen to fail when values are scaled in their own type."""
    values = np.array([[0.1, 0.7, 1e-3]], dtype)
    labels = np.ones(values.shape, np.uint32)
    alone = zonal_sum(values, labels, 1, quantum=1e-9)
    assert (
        crosstab(labels, labels, shape=(1, 1), values=values, quantum=1e-9).toarray()
        == alone.values
    )


def test_refusals():
    labels = np.ones((2, 3), np.uint32)
    with pytest.raises(InputError, match="two label rasters or more, not 1"):
        crosstab(labels)
    with pytest.raises(InputError, match=r"a shape is given as a label raster\. Name it"):
        crosstab(labels, labels, (1, 1))
    with pytest.raises(InputError, match="a quantum is of values, and none are given"):
        crosstab(labels, labels, quantum=0.5)
    with pytest.raises(InputError, match="3 label rasters make no matrix"):
        crosstab(labels, labels, labels, shape=(1, 1))
    with pytest.raises(InputError, match="label 1 of b is above its number of rows, 0"):
        crosstab(labels, labels, shape=(1, 0))
    with pytest.raises(InputError, match="differ in shape"):
        crosstab(labels, labels.T, shape=(1, 1))
    with pytest.raises(InputError, match="too large to be summed exactly"):
        crosstab(labels, labels, shape=(1, 1), values=np.full((2, 3), 2**41))
    with pytest.raises(InputError, match="a value is infinite"):
        crosstab(labels, labels, shape=(1, 1), values=np.full((2, 3), np.inf))
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
    assert crosstab(labels, labels, shape=(2, 2), values=values).toarray().tolist() == [
        [5, 0],
        [0, 6],
    ]
    assert zonal_min(values, labels, 2).values.tolist() == [5, 6]
    assert zonal_max(-values, labels, 2).values.tolist() == [-5, -6]
