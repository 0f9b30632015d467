"""Arrays of bands: what is a raster without cells, what is no raster at all, and how often a file is read."""

from __future__ import annotations

import threading

import dask.array as da
import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from shapely import box
from shapes import CRS
from xarray.backends import BackendArray
from xarray.core import indexing

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator, stacks, zonal_stats

GRID = Grid(CRS, 1, (0, 0, 6, 4))
LAND = gpd.GeoSeries([box(0.5, 0, 5, 4), box(1, 1, 6, 3.25)], crs=CRS)
DAYS = np.random.default_rng(1).normal(size=(10, *GRID.shape))


class _File(BackendArray):
    """An array that lies in a file, and counts how often it is read."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.reads = values, values.shape, values.dtype, 0

    def __getitem__(self, key):
        def read(plain):
            self.reads += 1
            return self.values[plain]

        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, read
        )


def _in_file(values, dims, blocks=None):
    file = _File(values)
    stack = xr.DataArray(xr.Variable(dims, indexing.LazilyIndexedArray(file)))
    stack.encoding = {"preferred_chunks": blocks} if blocks else {}
    return file, stack


@pytest.mark.parametrize(
    ("dims", "blocks", "reads"),
    [
        (("day", "y", "x"), {"day": 5, "y": 2, "x": 3}, 2),
        (("day", "y", "x"), {"day": 4}, 3),
        (("day", "y", "x"), {"day": 1}, 10),
        (("day", "y", "x"), None, 10),
        (("y", "x", "day"), None, 1),
        (("x", "day", "y"), None, 1),
    ],
)
def test_days_that_a_file_keeps_in_one_block_are_read_at_once(dims, blocks, reads):
    """Seen to fail: a block of 250 days was unpacked 250 times, and a file of 300 MB took nine minutes."""
    axes = [("day", "y", "x").index(name) for name in dims]
    operator = ZonalOperator(LAND, GRID)
    file, stack = _in_file(DAYS.transpose(axes), dims, blocks)
    found = operator.apply(stack, ["mean", "median"])
    wanted = operator.apply(DAYS, ["mean", "median"])
    assert file.reads == reads
    for stat in ("mean", "median"):
        assert found[stat].to_numpy().tobytes() == wanted[stat].to_numpy().tobytes()


def test_no_more_days_are_read_at_once_than_there_is_room_for(monkeypatch):
    """Seen to fail with a year of the whole earth in memory."""
    monkeypatch.setattr(stacks, "_CELLS_AHEAD", 3 * 24)
    file, stack = _in_file(DAYS, ("day", "y", "x"), {"day": 10})
    ZonalOperator(LAND, GRID).apply(stack, "mean")
    assert file.reads == 4
    monkeypatch.setattr(stacks, "_CELLS_AHEAD", 3)
    file, stack = _in_file(DAYS, ("day", "y", "x"), {"day": 10})
    ZonalOperator(LAND, GRID).apply(stack, "mean")
    assert file.reads == 10


@pytest.mark.parametrize("by_labels", [False, True])
@pytest.mark.parametrize("chunks", [(10, 2, 3), (5, 4, 6), (1, 2, 2)])
def test_a_block_of_several_days_is_made_once(by_labels, chunks):
    """Seen to fail: reading was fused into the reduction of each day, so that a block of Zarr was unpacked for each."""
    made, lock = [], threading.Lock()

    def block(values):
        with lock:
            made.append(values.shape)
        return values

    stack = da.from_array(DAYS, chunks=chunks).map_blocks(block, meta=np.empty((0, 0, 0)))
    lazy = xr.DataArray(stack, dims=("day", "y", "x"))
    if by_labels:
        labels, stats = rasterize(LAND, GRID), ["count", "max"]
        found, wanted = zonal_stats(lazy, labels, stats), zonal_stats(DAYS, labels, stats)
    else:
        operator, stats = ZonalOperator(LAND, GRID), ["sum", "median"]
        found, wanted = operator.apply(lazy, stats), operator.apply(DAYS, stats)
    assert not made
    found = found.compute()
    assert len(made) == stack.npartitions
    for stat in stats:
        assert found[stat].to_numpy().tobytes() == wanted[stat].to_numpy().tobytes()


@given(st.lists(st.integers(0, 2), max_size=2), st.integers(0, 2), st.integers(0, 2))
def test_only_a_stack_of_none_holds_no_raster(bands, rows, columns):
    """A raster of no rows has nothing in it, and that can be counted. Seen to fail: it was refused as a stack of no bands is."""
    labels = np.ones((rows, columns), np.uint32)
    values = np.ones((*bands, rows, columns))
    if 0 in bands:
        with pytest.raises(InputError, match="hold no raster"):
            zonal_stats(values, labels, "count", n=2)
        return
    found = zonal_stats(values, labels, "count", n=2)["count"]
    assert found.shape == (*bands, 2)
    assert (found == [labels.size, 0]).all()


@pytest.mark.parametrize("by_labels", [False, True])
def test_what_all_days_need_is_read_once(by_labels):
    """Seen to fail: weights and labels in a file were read with every day."""
    if by_labels:
        labels = rasterize(LAND, GRID)
        file, stored = _in_file(labels.to_numpy(), ("y", "x"))
        found = zonal_stats(DAYS, stored, "count", n=2)
        assert found["count"].equals(zonal_stats(DAYS, labels, "count", n=2)["count"])
    else:
        file, stored = _in_file(abs(DAYS[0]), ("y", "x"))
        operator = ZonalOperator(LAND, GRID)
        found = operator.apply(DAYS, "mean", weights=stored)
        assert found.equals(operator.apply(DAYS, "mean", weights=abs(DAYS[0])))
    assert file.reads == 1
