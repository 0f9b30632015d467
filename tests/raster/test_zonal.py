"""Sums per label, densities, coarse sums: against loops, in NumPy and in Dask."""

from __future__ import annotations

from collections import Counter

import dask
import dask.array as da
import naive
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from shapes import CRS
from steps import given as given_to

from carbongrid.errors import InputError
from carbongrid.raster.chunked import arrays
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels import label_pairs, zonal
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import (
    block_sum,
    crosstab,
    spread,
    weighted_overlap,
    zonal_count,
    zonal_min,
    zonal_sum,
)

SHAPE = (6, 9)
LABELS = st_numpy.arrays(np.uint32, SHAPE, elements=st.integers(0, 4))
INTEGERS = st_numpy.arrays(np.int32, SHAPE, elements=st.integers(-(2**31), 2**31 - 1))
# Quarters add up exactly in any order, so equality is exact.
QUARTERS = st_numpy.arrays(np.int16, SHAPE).map(
    lambda quarters: np.where(quarters % 7 == 0, np.nan, quarters / 4)
)
CHUNKS = st.tuples(st.integers(1, 6), st.integers(1, 9))
GRID = Grid(CRS, 10, (0, 0, 90, 60))


def raiser(*_, **__):
    raise AssertionError("computed too early")


def on_grid(values):
    template = rasterize(np.array([None]), GRID)
    return template.copy(data=values)


@given(LABELS, QUARTERS, CHUNKS, CHUNKS)
def test_zonal_sum_equals_loop(labels, values, chunks, other_chunks):
    """Seen to fail when NaN is added, and when blocks overwrite one another's sums."""
    expected = naive.label_sums(values, labels, 5)
    found = zonal_sum(values, labels, 5)
    assert found.dtype == np.float64
    assert found.values.tolist() == expected
    assert found["label"].values.tolist() == [1, 2, 3, 4, 5]
    lazy = da.from_array(labels, chunks=chunks)
    assert (
        zonal_sum(da.from_array(values, chunks=other_chunks), lazy, 5).values.tolist() == expected
    )
    assert zonal_sum(values, lazy, 5).values.tolist() == expected


@settings(max_examples=30)
@given(LABELS, INTEGERS, CHUNKS)
def test_integers_are_summed_exactly(labels, values, chunks):
    """Seen to fail with float64 sums, for values near 2^55."""
    large = values.astype(np.int64) * 2**24 + 1
    found = zonal_sum(large, labels, 4)
    assert found.dtype == np.int64
    assert found.values.tolist() == naive.label_sums(large, labels, 4)
    lazy = zonal_sum(da.from_array(large, chunks=chunks), da.from_array(labels, chunks=chunks), 4)
    assert lazy.values.tolist() == found.values.tolist()


def test_zonal_sum_takes_narrow_types_and_says_its_units():
    labels = np.array([[1, 2, 2]])
    values = xr.DataArray(
        np.array([[True, True, True]]), dims=("y", "x"), attrs={"units": "m2", "long_name": "roofs"}
    )
    found = zonal_sum(values, labels, 2)
    assert found.values.tolist() == [1, 2]
    assert found.attrs == {"units": "m2", "long_name": "sum of roofs per label"}
    assert zonal_sum(np.float32([[0.5, 0.25, 8]]), labels.astype(np.int8), 2).values.tolist() == [
        0.5,
        8.25,
    ]


@pytest.mark.parametrize("kind", ["band", "piece", "both"])
def test_zonal_sum_over_more_rows_than_it_takes_at_once(monkeypatch, kind):
    """Bands on threads, and pieces of a band in the kernels. Seen to fail when the last band, or all but the first piece, is left out."""
    band, piece = {"band": (700, 2**22), "piece": (2**24, 100), "both": (700, 100)}[kind]
    monkeypatch.setattr(arrays, "_CELLS_IN_BAND", band)
    monkeypatch.setattr(zonal, "_CELLS_AT_ONCE", piece)
    steps = given_to(monkeypatch, zonal, "_tabulated", 3)
    random = np.random.default_rng(3)
    labels = np.repeat(random.integers(0, 5, 500), 3).reshape(500, 3).astype(np.uint32)
    values = random.integers(-9, 9, labels.shape)
    assert zonal_sum(values, labels, 5).values.tolist() == naive.label_sums(values, labels, 5)
    known = np.bincount(labels.ravel(), minlength=6)[1:].tolist()
    assert zonal_count(values, labels, 5).values.tolist() == known
    lowest = [values[labels == label].min(initial=99) for label in range(1, 5)]
    assert zonal_min(values, labels, 4).values.tolist() == lowest
    # Each of the three took all cells, in so many steps, of which none is larger than it may be.
    sizes = [labels.size for labels in steps]
    assert sum(sizes) == 3 * labels.size
    assert len(sizes) == 3 * {"band": 3, "piece": 15, "both": 7 + 7 + 2}[kind]
    assert max(sizes) == min(band - band % 3, piece)


def test_pairs_over_more_cells_than_are_taken_at_once(monkeypatch):
    """A matrix and a table. Seen to fail when all but the first piece is left out, in either."""
    random = np.random.default_rng(4)
    a, b = (random.integers(0, 4, (50, 7)).astype(np.uint32) for _ in "ab")
    wanted = np.zeros((3, 3), np.int64)
    for (i, j), count in naive.pair_counts(a, b).items():
        if i and j:
            wanted[i - 1, j - 1] = count
    steps = given_to(monkeypatch, label_pairs, "_tabulated")
    monkeypatch.setattr(label_pairs, "_CELLS_AT_ONCE", 100)
    assert crosstab(a, b, shape=(3, 3)).toarray().tolist() == wanted.tolist()
    table = crosstab(a, b)
    assert table["count"].to_numpy().tolist() == wanted[wanted > 0].tolist()
    assert [some.size for some in steps] == [100, 100, 100, 50] * 2


def test_zonal_sum_refusals():
    labels = np.array([[1, 2, 2]])
    with pytest.raises(InputError, match="label 2 is above the largest there can be, 1"):
        zonal_sum(labels, labels, 1)
    with pytest.raises(InputError, match=r"sums of \d+ labels need"):
        zonal_sum(labels, labels, 2**45)
    with pytest.raises(InputError, match="differ in shape"):
        zonal_sum(labels, labels.T, 2)
    with pytest.raises(InputError, match="real numbers"):
        zonal_sum(labels * 1j, labels, 2)
    with pytest.raises(InputError, match=">= 0"):
        zonal_sum(labels, labels, -1)
    here = xr.DataArray(labels, dims=("y", "x"), coords={"x": [5.0, 15.0, 25.0]})
    with pytest.raises(InputError, match="cells differ in x"):
        zonal_sum(here.assign_coords(x=here["x"] + 10), here, 2)


@settings(max_examples=40)
@given(LABELS, st.lists(st.integers(0, 10**12), min_size=4, max_size=4), CHUNKS)
def test_sum_of_density_is_the_mass(labels, mass, chunks):
    """Seen to fail when the density is not divided by the cells, and when label 0 takes that of the last label."""
    masses = np.array(mass) * np.isin([1, 2, 3, 4], labels)
    found = spread(masses, on_grid(labels))
    assert found.dtype == np.float64
    assert found.attrs["units"] == "kg m-2 yr-1"
    np.testing.assert_allclose(found.sum() * GRID.cell_area * 1000, masses.sum(), rtol=1e-12)
    np.testing.assert_allclose(
        zonal_sum(found, labels, 4) * GRID.cell_area * 1000, masses, rtol=1e-12
    )
    lazy = on_grid(da.from_array(labels, chunks=chunks))
    with dask.config.set(scheduler=raiser):
        field = spread(masses, lazy)
    assert field.chunks is not None
    assert np.array_equal(field, found)


@settings(max_examples=40)
@given(LABELS, QUARTERS, CHUNKS)
def test_mass_follows_weights_and_falls_back_to_cells(labels, values, chunks):
    """Seen to fail when a label without weight gets NaN, and when unknown weights spread."""
    weights = np.abs(values)
    masses = 1000.0 * 100 * np.isin([1, 2, 3, 4], labels)
    found = spread(masses, on_grid(labels), weights=weights).values
    for label in (1, 2, 3, 4):
        mine = labels == label
        claim = np.nan_to_num(weights[mine], nan=0.0)
        if claim.sum() == 0:
            claim = np.ones(claim.size)
        if mine.any():
            np.testing.assert_allclose(found[mine], claim / claim.sum(), rtol=1e-12)
    lazy = spread(masses, on_grid(da.from_array(labels, chunks=chunks)), weights=on_grid(weights))
    np.testing.assert_allclose(lazy, found, rtol=1e-12)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_label_without_cell_takes_that_of_its_point(chunked):
    shapes = np.array(
        [shapely.box(0, 0, 60, 60), shapely.box(36, 36, 38, 39), shapely.box(0, 0, 90, 60)]
    )
    labels = rasterize(shapes[:2], GRID)
    assert set(np.unique(labels)) == {0, 1}
    if chunked:
        labels = labels.chunk({"y": 4, "x": 5})
    field = spread([36_000, 5_000, 0], labels, polygons=shapes)
    expected = np.where(rasterize(shapes[:1], GRID) == 1, 36 / 3600, 0.0)
    expected[2, 3] += 5 / 100
    np.testing.assert_allclose(field, expected, rtol=1e-12)
    with pytest.raises(InputError, match=r"1 label has mass and no cell: 2. Give polygons="):
        spread([36_000, 5_000, 0], labels).compute()
    with pytest.raises(InputError, match="off the grid"):
        spread(
            [1, 1], labels, polygons=np.array([shapes[0], shapely.box(200, 0, 201, 1)])
        ).compute()


def test_spread_refusals():
    labels = on_grid(np.ones(SHAPE, np.uint32))
    with pytest.raises(InputError, match="label 1 is above the largest there can be, 0"):
        spread([], labels)
    with pytest.raises(InputError, match="coordinates x and y"):
        spread([1], labels.values)
    with pytest.raises(InputError, match="negative or infinite"):
        spread([1], labels, weights=np.full(SHAPE, -1.0))
    with pytest.raises(InputError, match="finite numbers"):
        spread([np.nan], labels)
    with pytest.raises(InputError, match="differ in shape"):
        spread([1], labels, weights=np.ones((2, 2)))


@given(QUARTERS, CHUNKS)
def test_block_sum_equals_loop(values, chunks):
    """Seen to fail when a block of Dask is cut inside a coarse cell."""
    expected = naive.block_sums(values, 3)
    assert np.array_equal(block_sum(values, 3), expected)
    with dask.config.set(scheduler=raiser):
        lazy = block_sum(da.from_array(values, chunks=chunks), 3)
    assert lazy.chunks is not None
    assert np.array_equal(lazy, expected)


def test_block_sum_keeps_the_place_and_the_integers():
    import warnings

    fine = on_grid(np.full(SHAPE, 2**53 + 1, np.int64))
    coarse = block_sum(fine, 3)
    assert coarse.dtype == np.int64
    assert coarse.values.tolist() == [[9 * (2**53 + 1)] * 3] * 2
    wide = GRID.coarsen(30)
    assert coarse["x"].values.tolist() == wide.x.tolist()
    assert coarse["y"].values.tolist() == wide.y.tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of rioxarray, about affine
        assert Grid.like(coarse) == wide


@pytest.mark.parametrize("factor", [0, -3, 4, 5])
def test_block_sum_refuses_factors_that_do_not_divide(factor):
    with pytest.raises(InputError, match="does not divide"):
        block_sum(np.zeros(SHAPE), factor)


def test_no_blocks_stay_in_memory_between_the_two_passes():
    """The counting pass reads under other names than the lookup, so Dask need not keep what it has read."""
    lazy = on_grid(da.zeros(SHAPE, chunks=(3, 3), dtype=np.uint32))
    graph = dict(spread([], lazy).data.dask)
    readers = Counter(key for task in graph.values() for key in task.dependencies)
    blocks = [key for key in readers if isinstance(key, tuple) and key[0] == lazy.data.name]
    assert len(blocks) == 6
    assert all(readers[key] == 1 for key in blocks)


@pytest.mark.parametrize("lazy", [False, True])
def test_block_sums_of_integers_are_exact_or_refused(lazy):
    """Seen to fail when sums of 64-bit integers wrap."""
    fits = np.array([[2**63 - 1, 2**62], [-(2**62), 0]])
    for values in (fits, np.full((2, 2), 2**62), np.full((2, 2), 2**63, np.uint64)):
        array = da.from_array(values, chunks=(1, 1)) if lazy else values
        if values is fits:
            assert block_sum(array, 2).values.tolist() == [[2**63 - 1]]
        else:
            with pytest.raises(InputError, match="leaves int64"):
                block_sum(array, 2).compute()


def test_rasters_in_another_order_are_refused():
    """Seen to be mixed when only shapes are compared, which are one for a square."""
    labels = rasterize(np.array([shapely.box(0, 0, 20, 10)]), Grid(CRS, 10, (0, 0, 30, 30)))
    turned = labels.transpose("x", "y")
    box = np.array([shapely.box(0, 0, 20, 10)])
    for reduce in (
        lambda: zonal_sum(turned, labels, 1),
        lambda: zonal_sum(turned, labels.values, 1),
        lambda: crosstab(labels, turned, shape=(1, 1)),
        lambda: crosstab(labels, labels, shape=(1, 1), values=turned),
        lambda: weighted_overlap(box, box, turned),
        lambda: spread([1.0], turned),
        lambda: spread([1.0], labels, weights=turned),
    ):
        with pytest.raises(InputError, match="dimensions are in another order"):
            reduce()
    assert zonal_sum(turned, turned, 1).values.tolist() == [2]


def test_spread_knows_cells_that_are_not_square():
    """Seen to spread a fifth of the mass when a cell's area is the square of its longer side."""
    numbers = np.array([[1, 1, 0], [2, 1, 0]], np.uint32)
    coordinates = {"x": [1.0, 3.0, 5.0], "y": [25.0, 15.0]}
    labels = xr.DataArray(numbers, dims=("y", "x"), coords=coordinates)
    thin = np.array([None, None, shapely.box(4.1, 21, 4.2, 22)])
    density = spread([3000, 500, 100], labels, polygons=thin)
    np.testing.assert_allclose(density, [[0.05, 0.05, 0.005], [0.025, 0.05, 0.0]])
    assert float(density.sum()) * 20 == pytest.approx(3.6)
    for axis in ("x", "y"):
        uneven = labels.assign_coords({axis: np.cumsum([1.0, 2.0, 5.0])[: labels.sizes[axis]]})
        with pytest.raises(
            InputError, match="north to south" if axis == "y" else "differ in size along x"
        ):
            spread([3000, 500], uneven)
