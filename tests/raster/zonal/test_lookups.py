"""Lookups by label, whole and summed over coarse cells, against NumPy's indexing."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.errors import InputError
from carbongrid.raster.zonal import block_sum, lookup, lookup_sum

SHAPE = (6, 36)
LABELS = st_numpy.arrays(np.uint32, SHAPE, elements=st.integers(0, 3))
CHUNKS = st.tuples(st.integers(1, 6), st.integers(1, 36))
TABLE = np.array([0.5, -2.25, 8.0])


def raiser(*_, **__):
    raise AssertionError("computed too early")


@given(LABELS, CHUNKS, st.booleans(), st.sampled_from([1, 2, 3, 6]))
def test_lookups_equal_indexing(labels, chunks, smooth, factor):
    """Seen to fail when the sixteenth cell of a mixed stretch gives its value to the next stretch, and when a run that crosses a
    coarse cell is added to the first one whole.
    """
    if smooth:
        labels = np.repeat(labels[:, :1], 36, axis=1)
    wanted = np.concatenate([[0.0], TABLE])[labels]
    assert np.array_equal(lookup(TABLE, labels), wanted)
    out = np.full(SHAPE, np.nan)
    assert lookup(TABLE, labels, out=out).values is out
    assert np.array_equal(out, wanted)
    coarse = block_sum(wanted, factor)
    assert np.array_equal(lookup_sum(TABLE, labels, factor), coarse)
    cut = da.from_array(labels, chunks=chunks)
    with dask.config.set(scheduler=raiser):
        lazy, summed = lookup(TABLE, cut), lookup_sum(TABLE, cut, factor)
    assert np.array_equal(lazy, wanted)
    assert np.array_equal(summed, coarse)


def test_from_zarr(tmp_path):
    labels = np.random.default_rng(0).integers(0, 4, (50, 70)).astype(np.uint32)
    stored = zarr.create_array(tmp_path / "l.zarr", data=labels, chunks=(20, 30))
    assert np.array_equal(lookup(TABLE, stored), lookup(TABLE, labels))
    assert np.array_equal(lookup_sum(TABLE, stored, 10), lookup_sum(TABLE, labels, 10))
    assert np.array_equal(block_sum(stored, 10), block_sum(labels, 10))


@pytest.mark.parametrize("place", [(0, 0), (3, 17), (5, 35)])
def test_a_label_that_the_table_does_not_have_is_an_error(place):
    """Seen to fail when only mixed stretches are looked at, and when the last cells are not."""
    labels = np.ones(SHAPE, np.uint32)
    labels[place] = 4
    for broken in (labels, np.full(SHAPE, 4, np.uint32)):
        with pytest.raises(InputError, match="label 4 is above the largest there can be, 3"):
            lookup(TABLE, broken)
        with pytest.raises(InputError, match="label 4 is above the largest there can be, 3"):
            lookup_sum(TABLE, broken, 2)


def test_refusals():
    labels = np.ones(SHAPE, np.uint32)
    with pytest.raises(InputError, match="finite numbers"):
        lookup([1.0, np.nan], labels)
    with pytest.raises(InputError, match="does not divide"):
        lookup_sum(TABLE, labels, 5)
    others = [
        np.zeros(SHAPE, kind) for kind in (np.float32, np.int64, ">f8", np.complex128, object)
    ]
    for out in (np.zeros((2, 2)), *others, np.zeros((36, 6)).T):
        with pytest.raises(InputError, match="out must be contiguous float64"):
            lookup(TABLE, labels, out=out)
    with pytest.raises(InputError, match="labels in memory"):
        lookup(TABLE, da.from_array(labels), out=np.zeros(SHAPE))


def test_a_table_of_other_labels_is_refused():
    """What zonal_stats gives, sorted by value. Seen to fail: it was taken by position."""
    labels = np.array([[1, 2], [3, 3]], np.uint32)
    table = xr.DataArray([10.0, 30.0, 20.0], dims="label", coords={"label": [1, 2, 3]})
    assert lookup(table, labels).to_numpy().tolist() == [[10, 30], [20, 20]]
    for wrong in (table.sortby(table), table.isel(label=[0, 1])[::-1], table.assign_coords(label=[0, 1, 2])):  # fmt: skip
        with pytest.raises(InputError, match="of labels that are not 1, 2, 3"):
            lookup(wrong, labels)


def test_chunks_of_unknown_size_are_told():
    values = da.from_array(np.ones(SHAPE), chunks=(2, 36))
    some = values[values[:, 0] > 0]
    with pytest.raises(InputError, match=r"chunks are of unknown size\. Call its compute_chunk_sizes\(\) first"):  # fmt: skip
        block_sum(some, 2)
    some.compute_chunk_sizes()
    assert block_sum(some, 2).to_numpy().sum() == values.size


def test_looked_up_values_have_the_units_of_the_table():
    """Seen to fail: t yr-1 became 1."""
    table = xr.DataArray([5.0], dims="label", coords={"label": [1]}, attrs={"units": "t yr-1"})
    labels = np.ones((2, 2), np.uint32)
    assert lookup(table, labels).attrs["units"] == "t yr-1"
    assert lookup_sum(table, labels, 2).attrs["units"] == "t yr-1"
    assert lookup([5.0], labels).attrs["units"] == "1"


def test_blocks_without_cells_are_looked_up():
    """Seen to end in an IndexError."""
    labels = da.from_array(np.ones((4, 4), np.uint32), chunks=((0, 4), (4,)))
    assert lookup([2.0], labels).values.sum() == 32
