"""The same bits whoever does the work: threads, processes, and workers of a real cluster on 127.0.0.1."""

from __future__ import annotations

import dask
import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapes import CRS, partition

from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator
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
