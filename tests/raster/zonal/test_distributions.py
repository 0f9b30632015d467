"""Quantiles, classes and their shares: against loops and exactextract, the same bits whatever the chunks."""

from __future__ import annotations

import dask
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, partition

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator

GRID = Grid(CRS, 1, (0, 0, 12, 10))
STATS = ("median", "quantile_25", "quantile_90", "majority", "minority", "variety")


def on(grid, values, **attributes):
    template = rasterize(np.array([None]), grid)
    return template.copy(data=values).assign_attrs({"polygons": None, **attributes})


def land(seed):
    slivers = [shapely.box(3, 3, 3.0004, 9), shapely.box(5.2, 5.3, 5.4, 5.9)]
    return gpd.GeoDataFrame(geometry=[*partition(6, 13.0, seed), *slivers], crs=CRS)


def slow_classes(share, values):
    classes = {}
    for c, x in zip(share, values.ravel(), strict=True):
        if c > 0 and not np.isnan(x):
            classes[x] = classes.get(x, 0.0) + c
    return classes


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_classes_as_by_loops(seed, count):
    random = np.random.default_rng(seed)
    values = random.integers(0, count, GRID.shape).astype("f4")
    values[random.random(GRID.shape) < 0.2] = np.nan
    polygons = partition(6, 13.0, seed % 1000)
    made = ZonalOperator(polygons, GRID).apply(on(GRID, values), ["fractions", *STATS])
    shares = cg.coverage(polygons, GRID).toarray()
    for i, share in enumerate(shares):
        classes = slow_classes(share, values)
        assert int(made["variety"][i]) == len(classes)
        total = sum(classes.values())
        found = made["fractions"][i]
        for x in made["class"].values:
            if total:
                assert float(found.sel({"class": x})) == pytest.approx(
                    classes.get(x, 0.0) / total, abs=1e-14
                )
        if not total:
            assert np.isnan(found).all()
            assert np.isnan(float(made["majority"][i]))
        else:
            assert classes[float(made["majority"][i])] == pytest.approx(max(classes.values()))
            assert classes[float(made["minority"][i])] == pytest.approx(min(classes.values()))


@pytest.mark.parametrize("classes", [4, None])
def test_as_exactextract(classes):
    """Ties of whole cells, too. Seen to fail when values that occur twice are two values."""
    exactextract = pytest.importorskip("exactextract")
    for seed in range(8):
        random = np.random.default_rng(seed)
        values = random.normal(0, 9, GRID.shape) if classes is None else random.integers(0, classes, GRID.shape) * 1.0  # fmt: skip
        values[random.random(GRID.shape) < 0.1] = np.nan
        boxes = [shapely.box(1, 1, 1 + k, 3) for k in range(1, 5)]
        of = gpd.GeoDataFrame(geometry=[*land(seed).geometry, *boxes], crs=CRS)
        made = ZonalOperator(of, GRID).apply(on(GRID, values), STATS)
        names = ["median", "quantile(q=0.25)", "quantile(q=0.9)", "majority", "minority", "variety"]
        theirs = exactextract.exact_extract(on(GRID, values), of, names, output="pandas")
        for stat, column in zip(STATS, theirs.columns, strict=True):
            expected = theirs[column].astype(float)
            if classes is None and stat in ("majority", "minority"):
                continue  # their shares are float32, and all whole cells are ties
            np.testing.assert_allclose(made[stat], expected, rtol=1e-5, atol=1e-6, err_msg=stat)
        fractions = exactextract.exact_extract(
            on(GRID, values), of, ["unique", "frac"], output="pandas"
        )
        if classes is not None:
            made = ZonalOperator(of, GRID).apply(on(GRID, values), "fractions")["fractions"]
            for i, (unique, frac) in enumerate(zip(fractions["unique"], fractions["frac"], strict=True)):  # fmt: skip
                for x, share in zip(unique, frac, strict=True):
                    assert float(made[i].sel({"class": x})) == pytest.approx(share, abs=1e-6)


def test_with_whole_cells_a_quantile_is_the_usual_one():
    values = np.random.default_rng(0).permutation(120).reshape(10, 12) * 1.5
    box = np.array([shapely.box(2, 1, 9, 8)])
    own = values[2:9, 2:9]
    made = ZonalOperator(box, GRID).apply(values, ["median", "quantile_12.5"])
    assert float(made["median"][0]) == np.quantile(own, 0.5)
    assert float(made["quantile_12.5"][0]) == pytest.approx(np.quantile(own, 0.125), rel=1e-13)
    assert made["quantile_12.5"].attrs["long_name"] == "12.5 % quantile of values per polygon"


def test_the_same_bits_for_any_chunks():
    grid = Grid(CRS, 10, (0, 0, 900, 700))
    random = np.random.default_rng(5)
    values = np.round(random.normal(0, 3, grid.shape), 1)
    values[random.random(grid.shape) < 0.05] = np.nan
    values[values == 0] *= -1.0  # zeros of both signs are one value
    raster, operator = on(grid, values), ZonalOperator(partition(40, 900.0, 2), grid)
    stats = (*STATS, "fractions")
    classes = np.unique(values[~np.isnan(values)])
    whole = operator.apply(raster, stats, classes=classes)
    assert operator.apply(raster, stats).identical(whole)
    for chunks in [(70, 90), (1, 90), (70, 1), (13, 17), (64, 30)]:
        lazy = raster.chunk(y=chunks[0], x=chunks[1])
        with dask.config.set(scheduler="threads", num_workers=3):
            made = operator.apply(lazy, stats, classes=classes).compute()
        for stat in stats:
            assert made[stat].values.tobytes() == whole[stat].values.tobytes(), stat


def test_bands_and_named_classes():
    cover = on(GRID, np.arange(120).reshape(GRID.shape).astype("u1") % 4)
    operator = ZonalOperator(np.array([shapely.box(0, 0, 12, 10)]), GRID)
    found = operator.apply(cover, "fractions")
    assert found["class"].dtype == np.uint8
    assert found["fractions"].values.tolist() == [[0.25] * 4]
    both = xr.concat([cover, cover * 0 + 9], "year")
    made = operator.apply(both, ["fractions", "variety"], classes=[9, 1, 7])
    assert made["fractions"].dims == ("year", "label", "class")
    assert made["class"].values.tolist() == [1, 7, 9]
    assert made["fractions"].values.tolist() == [[[0.25, 0, 0]], [[0, 0, 1]]]
    assert made["variety"].values.tolist() == [[4], [1]]
    with pytest.raises(InputError, match=r"which classes.*classes=\[\.\.\.\]"):
        operator.apply(both, "fractions")
    with pytest.raises(InputError, match="which classes"):
        operator.apply(cover.chunk(), "fractions")


def test_weights_by_area():
    grid = Grid("EPSG:4326", 1, (0, 0, 4, 60))
    raster = on(grid, np.broadcast_to((grid.y[:, None] > 30) * 1, grid.shape).copy())
    operator = ZonalOperator(gpd.GeoSeries([shapely.box(0, 0, 4, 60)], crs=4326), grid)
    made = operator.apply(raster, "fractions", weights="area")["fractions"]
    areas = grid.cell_areas
    assert made.values[0].tolist() == pytest.approx(
        [areas[30:].sum() / areas.sum(), areas[:30].sum() / areas.sum()], rel=1e-13
    )
    assert operator.apply(raster, "fractions", weights="cells")["fractions"].values[0].tolist() == [0.5, 0.5]  # fmt: skip
    with pytest.raises(InputError, match="favours the poles"):
        operator.apply(raster, "median")
    assert int(operator.apply(raster, "variety")["variety"][0]) == 2


@pytest.mark.parametrize("stat", ["quantile_", "quantile_101", "quantile_x", "quantile_nan", "p5"])
def test_names_that_are_none(stat):
    with pytest.raises(InputError, match="there is no statistic"):
        ZonalOperator(np.array([shapely.box(0, 0, 1, 1)]), GRID).apply(np.ones(GRID.shape), stat)


WEIGHED = ("median", "quantile_25", "quantile_90", "majority", "minority")


def slow_quantile(classes, q):
    """Value i of n, in order, at i w[i] + (n - 1) W[i]; between two of them linearly."""
    values = sorted(x for x, w in classes.items() if w > 0)
    weights = [classes[x] for x in values]
    places = [i * w + (len(values) - 1) * sum(weights[:i]) for i, w in enumerate(weights)]
    return np.interp(q * (len(values) - 1) * sum(weights), places, values)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([1.0, 1e-20, 1e12]))
def test_with_a_raster_of_weights_as_by_loops(seed, count, size):
    """Seen to fail when weights are left out, and when values without weight count as values."""
    random = np.random.default_rng(seed)
    values = random.integers(0, count, GRID.shape).astype("f4")
    values[random.random(GRID.shape) < 0.2] = np.nan
    weights = random.random(GRID.shape) * size
    weights[random.random(GRID.shape) < 0.3] = 0.0
    polygons = partition(6, 13.0, seed % 1000)
    operator = ZonalOperator(polygons, GRID)
    made = operator.apply(
        on(GRID, values), ["fractions", "variety", *WEIGHED], weights=on(GRID, weights), classes=range(count)
    )  # fmt: skip
    shares = cg.coverage(polygons, GRID).toarray()
    for i, share in enumerate(shares):
        classes = slow_classes(share * weights.ravel(), values)
        total = sum(classes.values())
        assert int(made["variety"][i]) == len(slow_classes(share, values))
        if not total:
            assert all(np.isnan(made[stat][i]).all() for stat in ("fractions", *WEIGHED))
            continue
        for x in range(count):
            found = float(made["fractions"][i].sel({"class": x}))
            assert found == pytest.approx(classes.get(x, 0.0) / total, abs=1e-13)
        assert classes[float(made["majority"][i])] == pytest.approx(max(classes.values()))
        assert classes[float(made["minority"][i])] == pytest.approx(min(classes.values()))
        for stat, q in (("median", 0.5), ("quantile_25", 0.25), ("quantile_90", 0.9)):
            assert float(made[stat][i]) == pytest.approx(slow_quantile(classes, q), abs=1e-9)


def test_equal_weights_are_none_and_unknown_ones_leave_nothing():
    values = np.random.default_rng(2).integers(0, 5, GRID.shape) * 1.0
    land = np.array([shapely.box(0.5, 0.5, 6.2, 9), shapely.box(7.3, 1, 11, 4)])
    operator = ZonalOperator(land, GRID)
    stats = ("fractions", *WEIGHED)
    plain = operator.apply(on(GRID, values), stats)
    weights = np.full(GRID.shape, 3.0)
    made = operator.apply(on(GRID, values), stats, weights=weights)
    for stat in stats:
        np.testing.assert_allclose(made[stat], plain[stat], rtol=1e-13, err_msg=stat)
    weights[1, 1] = np.nan
    made = operator.apply(on(GRID, values), stats, weights=weights)
    assert np.isnan(made["median"].values).tolist() == [True, False]
    assert np.isnan(made["fractions"].values[0]).all()
    values[1, 1] = np.nan  # of an unknown value the weight does not matter
    assert not np.isnan(operator.apply(on(GRID, values), "median", weights=weights)["median"]).any()
    with pytest.raises(InputError, match="a weight is negative"):
        operator.apply(on(GRID, values), "median", weights=-weights)
    with pytest.raises(InputError, match="a weight is infinite"):
        operator.apply(on(GRID, values), "median", weights=np.full(GRID.shape, np.inf))


def test_with_weights_the_same_bits_for_any_chunks():
    """Weights of forty powers of ten: their sums in floats would differ. Seen to fail with sums of floats."""
    grid = Grid(CRS, 10, (0, 0, 900, 700))
    random = np.random.default_rng(5)
    values = np.round(random.normal(0, 2, grid.shape))
    values[values == 0] *= -1.0
    weights = on(grid, random.random(grid.shape) * 10.0 ** random.integers(-12, 12, grid.shape))
    raster, operator = on(grid, values), ZonalOperator(partition(40, 900.0, 2), grid)
    stats, classes = (*WEIGHED, "fractions"), np.unique(values)
    whole = operator.apply(raster, stats, weights=weights, classes=classes)
    for chunks in [(70, 90), (1, 90), (70, 1), (13, 17), (64, 30)]:
        lazy = raster.chunk(y=chunks[0], x=chunks[1])
        with dask.config.set(scheduler="threads", num_workers=3):
            made = operator.apply(lazy, stats, weights=weights, classes=classes).compute()
        for stat in stats:
            assert made[stat].values.tobytes() == whole[stat].values.tobytes(), stat


def test_weighted_fractions_as_exactextract():
    exactextract = pytest.importorskip("exactextract")
    random = np.random.default_rng(4)
    values, weights = random.integers(0, 4, GRID.shape) * 1.0, on(GRID, random.random(GRID.shape))
    of = land(4)
    made = ZonalOperator(of, GRID).apply(on(GRID, values), "fractions", weights=weights)
    theirs = exactextract.exact_extract(
        on(GRID, values), of, ["unique", "weighted_frac"], weights=weights, output="pandas"
    )
    for i, (unique, shares) in enumerate(zip(theirs["unique"], theirs["weighted_frac"], strict=True)):  # fmt: skip
        for x, share in zip(unique, shares, strict=True):
            found = float(made["fractions"][i].sel({"class": x}))
            assert found == pytest.approx(share, abs=1e-6)
