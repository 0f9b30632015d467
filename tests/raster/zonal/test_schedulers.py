"""The same bits whoever does the work: threads, processes, and workers of a real cluster on 127.0.0.1."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import cloudpickle
import dask
import dask.array as da
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from shapes import CRS, partition

from carbongrid.errors import InputError, RunError
from carbongrid.raster import software
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import (
    ZonalOperator,
    block_sum,
    crosstab,
    lookup,
    lookup_sum,
    spread,
    zonal_mean,
    zonal_stats,
    zonal_sum,
)
from carbongrid.raster.zonal.moments import MOMENTS

GRID = Grid(CRS, 10, (0, 0, 600, 500))
STATS = (*MOMENTS, "median", "quantile_90", "majority", "variety", "fractions")
CLASSES = np.arange(-9.0, 10.0)
CHUNKS = {"y": 17, "x": 23}


@pytest.fixture(scope="module")
def case():
    """Values and weights of many powers of ten: sums of floats would move with the order."""
    random = np.random.default_rng(8)
    template = rasterize(np.array([None]), GRID).assign_attrs(polygons=None)
    values = np.round(random.normal(0, 3, GRID.shape)) * 10.0 ** random.integers(0, 2, GRID.shape)
    values[random.random(GRID.shape) < 0.05] = np.nan
    weights = random.random(GRID.shape) * 10.0 ** random.integers(-9, 9, GRID.shape)
    slivers = [shapely.box(3, 3, 3.4, 490), shapely.box(50.2, 50.3, 50.4, 50.9), None]
    land = gpd.GeoSeries([*partition(25, 700.0, 4), *slivers], crs=CRS)
    raster, weights = template.copy(data=values), template.copy(data=weights)
    operator = ZonalOperator(land, GRID)
    return operator, raster, weights, tables(operator, raster, weights)


def tables(operator, raster, weights):
    later = [operator.apply(raster, STATS, weights=w, classes=CLASSES) for w in (None, weights)]
    return [{stat: made[stat].values.tobytes() for stat in STATS} for made in dask.compute(*later)]


@pytest.mark.parametrize(
    "scheduler", ["synchronous", "threads", pytest.param("processes", marks=pytest.mark.thorough)]
)
def test_schedulers_of_dask(case, scheduler):
    operator, raster, weights, expected = case
    with dask.config.set(scheduler=scheduler, num_workers=2):
        assert tables(operator, raster.chunk(CHUNKS), weights.chunk(y=50, x=9)) == expected


@pytest.mark.thorough  # starts a cluster
def test_workers_of_a_cluster(case, tmp_path):
    """Two processes, which are sent the operator once each; a saved one that was opened, too."""
    from distributed import Client, LocalCluster

    operator, raster, weights, expected = case
    operator.save(tmp_path / "operator")
    opened = ZonalOperator.open(tmp_path / "operator")
    means = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with (
        LocalCluster(host="127.0.0.1", dashboard_address="127.0.0.1:0", **means) as cluster,
        Client(cluster),
    ):
        for own in (operator, opened):
            assert tables(own, raster.chunk(CHUNKS), weights.chunk(CHUNKS)) == expected


SQUARES = gpd.GeoSeries([shapely.box(0, 0, 40, 40), shapely.box(40, 0, 80, 40)], crs=CRS)
SMALL = Grid(CRS, 10, (0, 0, 80, 40))
PIECES = rasterize(SQUARES, SMALL, chunks=2)
"""Labels that are painted in tasks."""

REDUCTIONS: list[Callable[..., object]] = [
    lambda labels, values: zonal_sum(values, labels, 2),
    lambda labels, values: zonal_stats(values, labels, ["sum", "max"], n=2),
    lambda labels, values: ZonalOperator(SQUARES, SMALL).apply(values),
    lambda labels, values: crosstab(labels, labels, values=values),
    lambda labels, values: block_sum(values, 2),
    lambda labels, values: lookup([1, 2], labels),
    lambda labels, values: lookup_sum([1, 2], labels, 2),
    lambda labels, values: spread([1, 2], labels, weights=values),
    lambda labels, values: rasterize(SQUARES, SMALL, chunks=2),
]


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_what_another_release_makes_of_blocks_is_refused(reduce, monkeypatch):
    """Seen to add up sums of two releases: a worker with the older one gave 10,200 for 10,000 ones."""
    here = software.versions()
    elsewhere = {**here, "carbongrid": "0.0.9"}
    far = {**here, "xlsxwriter": "0.0.1"}  # no part of it
    sent = []

    def on_worker(work, keys, **_):
        # As by way of a scheduler, which may have a third release and computes nothing.
        monkeypatch.setattr(software, "_found", lambda: here)
        graph = work if isinstance(work, dict) else work.__dask_graph__()
        graph, keys = cloudpickle.loads(cloudpickle.dumps((dict(graph), keys)))
        monkeypatch.setattr(software, "_found", lambda: {**here, "carbongrid": "0.0.8"})
        graph, keys = cloudpickle.loads(cloudpickle.dumps((graph, keys)))
        monkeypatch.setattr(software, "_found", lambda: sent[-1])
        return dask.get(graph, keys)

    values = PIECES.copy(data=da.ones(SMALL.shape, chunks=3))
    with dask.config.set(scheduler=on_worker):
        for versions in (here, far):
            sent.append(versions)
            dask.compute(reduce(PIECES, values))
        sent.append(elsewhere)
        with pytest.raises(RunError, match=r"other versions .*: carbongrid 0\.0\.9, there "):
            dask.compute(reduce(PIECES, values))


def test_what_is_made_beside_a_cluster_is_computed_without_it():
    """Seen to end in an error of a closed cluster's shuffle: Dask chose how to rechunk by the client that was there."""
    ones = da.ones(SMALL.shape, chunks=(1, 8))
    values = PIECES.copy(data=ones)
    with dask.config.set({"array.rechunk.method": "p2p"}):
        later = [block_sum(values, 2), spread([1, 2], PIECES, weights=values)]
    sums, density = dask.compute(*later, scheduler="sync")
    assert (sums == 4).all()
    assert (density > 0).all()


@pytest.mark.parametrize("reduce", REDUCTIONS[:6] + REDUCTIONS[7:8])
def test_blocks_are_what_their_raster_says(reduce):
    """Seen to give fields of int64 with 1.2 in them, of which Zarr stored 1."""

    def said(real, declared):
        lazy = da.from_array(np.full(SMALL.shape, real), chunks=3)
        return PIECES.copy(data=lazy.map_blocks(lambda block: block, dtype=declared))

    told = r"the raster says \w+ and its blocks are (f|c|<U)"
    for real, declared in ((0.3, "i4"), (0.3, "?"), (1 + 1j, "f8"), ("1", "f8")):
        values = said(real, declared)
        labels = values if reduce is REDUCTIONS[5] else PIECES
        with pytest.raises(InputError, match=told):
            dask.compute(reduce(labels, values))


def test_whole_numbers_in_blocks_of_reals_are_reals():
    """What a function returned where its author said float: honest, and seen to be int64 in a field of float64."""
    ones = da.from_array(np.ones(SMALL.shape, "u1"), chunks=3)
    values = PIECES.copy(data=ones.map_blocks(lambda block: block, dtype="f8"))
    made = zonal_stats(values, PIECES, ["sum"], n=2)["sum"]
    for later, sums in ((block_sum(values, 2), 4), (made, 16)):
        assert later.compute().dtype == later.dtype == np.float64
        assert (later == sums).all()
    short = PIECES.copy(data=ones.map_blocks(lambda block: block.astype("i8"), dtype="u1"))
    assert zonal_sum(short, PIECES, 2).values.tolist() == [16, 16]


def _said(cells, declared):
    lazy = da.from_array(np.broadcast_to(np.asarray(cells), SMALL.shape).copy(), chunks=3)
    return PIECES.copy(data=lazy.map_blocks(lambda block: block, dtype=declared))


def _by_hint(error, values):
    """Return the raster that a message says to give."""
    way = re.search(r"or give (raster\..*)\.$", str(error.value))
    return eval(way[1], {"raster": values})


@pytest.mark.parametrize(
    ("number", "declared", "stored"),
    [(2**24 + 1, "f4", "i4"), (2**24 + 1, "f4", "O"), (2**60, "f8", "i8"), (-(2**63), "f8", "i8"), (2**63, "f4", "u8"), (1, "f2", "?")],
)  # fmt: skip
def test_whole_numbers_in_blocks_of_reals_are_not_rounded(number, declared, stored):
    """Seen to be rounded to float32 without a word: 268,435,456 for 16 cells of 16,777,217."""
    values = _said(np.array(number, stored), declared)
    sums = zonal_sum(values, PIECES, 2)
    assert sums.dtype == np.float64
    assert [int(each) for each in sums.values] == [16 * number] * 2
    coarse = block_sum(values, 4)
    assert coarse.compute().dtype == coarse.dtype == np.float64
    assert int(coarse.values[0, 0]) == 16 * number


@pytest.mark.parametrize("number", [2**53 + 1, 2**58 + 1, -(2**53) - 1])
@pytest.mark.parametrize("stored", ["i8", "O"])
def test_whole_numbers_that_reals_would_round_are_refused(number, stored):
    """Seen to be rounded without a word; given as the message says they are exact."""
    values = _said(np.array(number, stored), "f8")
    told = r"whole numbers beyond 2\^53, which that would round"
    with pytest.raises(InputError, match=told) as error:
        zonal_sum(values, PIECES, 2)
    assert zonal_sum(_by_hint(error, values), PIECES, 2).values.tolist() == [16 * number] * 2
    with pytest.raises(InputError, match=told):
        zonal_mean(_said(np.array(2**63 - 1, stored), "f4"), PIECES, 2)


def test_numbers_of_python_are_numbers():
    """Seen to be refused, honest as they are, with a hint that Dask takes for nothing to do."""
    ones = PIECES.copy(data=da.ones(SMALL.shape, chunks=3))
    for made in (
        lambda one: Fraction(1, 2), lambda one: Decimal("0.5"), lambda one: np.float32(0.5), lambda one: 0.5,
    ):  # fmt: skip
        half = xr.apply_ufunc(np.frompyfunc(made, 1, 1), ones, dask="parallelized", output_dtypes=[float])  # fmt: skip
        assert zonal_sum(half, PIECES, 2).values.tolist() == [8, 8]
    rows = _said(np.array([1, None, np.nan, 2, True, 1.5, None, 2**53], object), "f4")
    assert zonal_stats(rows, PIECES, ["count"], n=2)["count"].values.tolist() == [8, 12]
    assert zonal_sum(rows, PIECES, 2).values.tolist() == [12, 4 * 2.5 + 4 * 2**53]
    assert zonal_sum(_said(np.array(3, object), "i4"), PIECES, 2).values.tolist() == [48, 48]
    for strange in ("1", 10**400, 1j, dt.date(2020, 1, 1)):
        cells = np.array([strange, 0.5] * 4, object)
        with pytest.raises(InputError, match="says float64 and its blocks are object"):
            zonal_sum(_said(cells, "f8"), PIECES, 2)


@pytest.mark.parametrize(("cells", "declared"), [("1", "f8"), ("1", "f4"), (0.5, "i4")])
def test_what_a_refusal_of_blocks_says_to_give_is_taken(cells, declared):
    values = _said(cells, declared)
    with pytest.raises(InputError, match="or give raster") as error:
        zonal_sum(values, PIECES, 2)
    assert zonal_sum(_by_hint(error, values), PIECES, 2).values.tolist() == [16 * float(cells)] * 2


def test_tasks_are_called_after_what_they_do():
    """Seen to be called with_declared, all of them, on a dashboard."""
    values = _said(1, "f8")
    for later, name in (
        (zonal_stats(values, PIECES, ["sum"], n=2)["sum"], "tables_block"),
        (block_sum(values, 2), "coarsen_block"),
    ):
        names = {str(key[0] if isinstance(key, tuple) else key) for key in later.data.__dask_graph__()}  # fmt: skip
        assert any(name in each for each in names)
        assert not any("declared" in each for each in names)


def test_nothing_of_a_raster_without_rows_is_nothing():
    """Seen to end in Dask's error about empty tuples."""
    rows = PIECES[:0].chunk()
    for labels in (rows, rows.compute()):
        assert block_sum(labels, 2).compute().shape == (0, 4)
        assert lookup_sum([1, 2], labels, 2).compute().shape == (0, 4)
