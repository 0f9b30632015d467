"""Statistics per label against loops; the same bits for any chunks, threads, processes; large numbers refused, not wrapped."""

from __future__ import annotations

import dask
import dask.array as da
import naive
import numpy as np
import pyproj
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.errors import InputError
from carbongrid.raster.chunked import arrays
from carbongrid.raster.zonal import (
    quantum_of,
    zonal_count,
    zonal_max,
    zonal_mean,
    zonal_min,
    zonal_stats,
    zonal_sum,
)

SHAPE = (6, 9)
LABELS = st_numpy.arrays(np.uint32, SHAPE, elements=st.integers(0, 4))
QUARTERS = st_numpy.arrays(np.int16, SHAPE).map(
    lambda quarters: np.where(quarters % 7 == 0, np.nan, quarters / 4)
)
CHUNKS = st.tuples(st.integers(1, 6), st.integers(1, 9))


def by_label(values, labels, n):
    return [values[(labels == label) & ~np.isnan(values)] for label in range(1, n + 1)]


@settings(max_examples=40)
@given(LABELS, QUARTERS, CHUNKS, st.booleans())
def test_statistics_equal_those_of_each_label_alone(labels, values, chunks, lazy):
    """Seen to fail when NaN wins a minimum, when it is counted, and when label 0 takes part."""
    mine = by_label(values, labels, 5)
    a, b = (da.from_array(x, chunks=chunks) for x in (values, labels)) if lazy else (values, labels)
    expected = {
        zonal_count: [part.size for part in mine],
        zonal_mean: [part.sum() / part.size if part.size else np.nan for part in mine],
        zonal_min: [part.min() if part.size else np.nan for part in mine],
        zonal_max: [part.max() if part.size else np.nan for part in mine],
    }
    for statistic, wanted in expected.items():
        np.testing.assert_array_equal(statistic(a, b, 5), wanted)
    assert zonal_count(a, b, 5).dtype == np.int64


def test_integers_too():
    labels = np.array([[1, 1, 2, 0]])
    values = np.array([[-3, 5, 2**40, 9]])
    assert zonal_count(values, labels, 3).values.tolist() == [2, 1, 0]
    assert zonal_mean(values, labels, 2).values.tolist() == [1, 2.0**40]
    assert zonal_min(values, labels, 2).values.tolist() == [-3, 2**40]
    assert zonal_max(np.array([[200, 3, 4, 5]], np.uint8), labels, 2).values.tolist() == [200, 4]
    with pytest.raises(InputError, match="beyond 2\\^53"):
        zonal_max(values * 2**14, labels, 2)


@pytest.fixture(scope="module")
def land():
    """A raster with more labels than the table's first slots and runs of every length, and real values of very different size."""
    random = np.random.default_rng(5)
    labels = np.repeat(random.integers(0, 9000, 14_000), random.integers(1, 40, 14_000))
    labels = labels[: 251 * 997].reshape(251, 997).astype(np.uint32)
    values = np.ldexp(random.standard_normal(labels.shape), random.integers(-30, 3, labels.shape))
    values[random.random(values.shape) < 0.01] = np.nan
    return values, labels


def test_many_labels_equal_bincount(land):
    """Seen to fail when a table that is full loses the run that it stopped at."""
    values, labels = land
    wanted = np.bincount(labels.ravel(), np.nan_to_num(values).ravel(), 9001)[1:]
    np.testing.assert_allclose(zonal_sum(values, labels, 9000), wanted, rtol=1e-12, atol=1e-12)
    known = np.bincount(labels[~np.isnan(values)], minlength=9001)[1:]
    assert zonal_count(values, labels, 9000).values.tolist() == known.tolist()
    lowest = np.full(9001, np.inf)
    np.fmin.at(lowest, labels, values)
    lowest = np.where(np.isinf(lowest), np.nan, lowest)[1:]
    np.testing.assert_array_equal(zonal_min(values, labels, 9000), lowest)


@pytest.mark.parametrize("chunks", [(64, 64), (100, 33), (251, 7), (13, 997), (250, 996)])
@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_quantized_sums_are_the_same_bits_for_any_chunks(land, chunks, scheduler):
    """Seen to fail with the quantum taken block by block, and with sums of floats."""
    values, labels = land
    quantum = quantum_of(values)
    whole = zonal_sum(values, labels, 9000, quantum=quantum)
    exact = naive.label_sums(np.rint(values / quantum), labels, 9000)
    assert (whole / quantum).astype(np.int64).values.tolist() == [int(total) for total in exact]
    lazy = [da.from_array(array, chunks=chunks) for array in land]
    for workers in (1, 2, 3, 4) if scheduler == "threads" else (1,):
        with dask.config.set(scheduler=scheduler, num_workers=workers):
            assert quantum_of(lazy[0]) == quantum
            found = zonal_sum(*lazy, 9000, quantum=quantum)
        assert found.values.tobytes() == whole.values.tobytes()


@pytest.mark.thorough
def test_quantized_sums_are_the_same_bits_in_processes_and_from_zarr(land, tmp_path, monkeypatch):
    values, labels = land
    quantum = quantum_of(values)
    whole = zonal_sum(values, labels, 9000, quantum=quantum)
    stored = [
        zarr.create_array(tmp_path / f"{i}.zarr", data=array, chunks=(60, 110))
        for i, array in enumerate(land)
    ]
    with dask.config.set(scheduler="processes", num_workers=1):
        assert zonal_sum(*stored, 9000, quantum=quantum).identical(whole)
    monkeypatch.setattr(arrays, "_MAX_BLOCKS", 6)
    assert arrays.as_chunked(stored[0]).npartitions <= 6
    assert zonal_sum(*stored, 9000, quantum=quantum).identical(whole)
    assert quantum_of(stored[0]) == quantum


def test_a_graph_is_bounded_and_reads_and_reduces_in_one_task(tmp_path, monkeypatch):
    """Seen to fail when blocks are the store's chunks, and when reading is a task of its own."""
    stored = zarr.create_array(
        tmp_path / "a.zarr", shape=(4000, 4000), chunks=(20, 20), dtype=np.uint32
    )
    monkeypatch.setattr(arrays, "_MAX_BLOCKS", 100)
    blocks = arrays.as_chunked(stored).npartitions
    assert 50 < blocks <= 100
    merged = arrays._merged_tree(arrays._partials(max, arrays._aligned((stored, stored))), max)
    assert len(dict(merged.__dask_graph__())) < 1.2 * blocks + 10


def test_bands_on_threads_are_the_same_bits_for_any_number(land, monkeypatch):
    values, labels = land
    monkeypatch.setattr(arrays, "_CELLS_IN_BAND", 30_000)
    found = []
    for workers in (1, 2, 4):
        with dask.config.set(num_workers=workers):
            found.append(zonal_sum(values, labels, 9000).values.tobytes())
    assert len(set(found)) == 1


def test_a_missing_chunk_of_labels_is_an_error(tmp_path):
    store = zarr.create_array(
        tmp_path / "a.zarr", data=np.ones((8, 8), np.uint32), chunks=(4, 4),
        attributes={"polygons": "digest"}, dimension_names=("y", "x"),
    )  # fmt: skip
    assert zonal_count(store, store, 1).values.tolist() == [64]
    (tmp_path / "a.zarr/c/1/0").unlink()
    with pytest.raises(Exception, match="c/1/0"):
        zonal_count(store, store, 1)


@settings(max_examples=30)
@given(LABELS, st_numpy.arrays(np.int64, SHAPE), CHUNKS)
def test_sums_of_integers_are_exact_or_refused(labels, values, chunks):
    """Seen to fail when sums of 64-bit integers wrap."""
    expected = naive.label_sums(values, labels, 4)
    lazy = [da.from_array(array, chunks=chunks) for array in (values, labels)]
    for arguments in ((values, labels), lazy):
        try:
            found = zonal_sum(*arguments, 4)
        except InputError:
            assert max(expected) >= 2**63 or min(expected) < -(2**63)
        else:
            assert found.values.tolist() == expected


def test_chunks_do_not_matter_where_parts_of_a_sum_leave_int64():
    """Seen to fail when partial sums, or sums of sizes, must fit int64."""
    values = np.array([[2**63 - 1, 0, 2**62, -(2**62), -3, 3]])
    labels = np.ones(values.shape, np.uint32)
    for side in (1, 2, 3, 6):
        lazy = da.from_array(values, chunks=(1, side))
        assert zonal_sum(lazy, labels, 1).values.tolist() == [2**63 - 1]
        with pytest.raises(InputError, match="too large to be summed exactly"):
            zonal_sum(abs(lazy), labels, 1)


def test_refusals():
    labels = np.array([[1, 2, 2]])
    for values in (np.full((1, 3), 2**62), np.full((1, 3), 2**63, np.uint64)):
        with pytest.raises(InputError, match="too large to be summed exactly"):
            zonal_sum(values, labels, 2)
    for value in (2.0**41, np.inf):
        with pytest.raises(InputError, match="Take a larger quantum"):
            zonal_sum(np.full((1, 3), value), labels, 2, quantum=1)
    assert zonal_sum(np.full((1, 3), np.inf), labels, 2).values.tolist() == [np.inf, np.inf]
    for quantum in (0, -1, np.nan, np.inf):
        with pytest.raises(InputError, match="a quantum must be a positive number"):
            zonal_sum(labels, labels, 2, quantum=quantum)
    with pytest.raises(InputError, match="a value is infinite"):
        quantum_of(np.array([[np.inf]]))
    with pytest.raises(InputError, match="two dimensions"):
        zonal_sum(labels[0], labels[0], 2)
    assert quantum_of(np.zeros((2, 2))) == 1


@given(st_numpy.arrays(np.float64, (3, 4), elements=st.floats(-1e300, 1e300)))
def test_a_quantum_leaves_room_for_the_sum(values):
    quantum = quantum_of(values)
    assert np.abs(values / quantum).max() < 2**39
    assert quantum in (1, 2.0**-1022) or np.abs(values / quantum).max() >= 2**38


@pytest.mark.parametrize("statistic", [zonal_min, zonal_max])
def test_extremes_of_integers_are_those_that_float64_holds(statistic):
    """Seen to fail when 2^53 alone, or all but it, was refused."""
    labels = np.array([[1, 1]])
    for largest in (2**52, 2**53):
        for sign in (1, -1):
            found = statistic(np.array([[sign * largest, sign * largest]]), labels, 1)
            assert found.values.tolist() == [float(sign * largest)]
    for beyond in (2**53 + 1, -(2**53) - 1, 2**60):
        with pytest.raises(InputError, match="no exact float64"):
            statistic(np.array([[beyond, 0]]), labels, 1)


def test_unsigned_integers_are_summed_up_to_the_limit_of_int64():
    """Seen to fail when half of int64 was the limit."""
    labels = np.array([[1, 2]])
    values = np.array([[2**63 - 1, 2**62]], np.uint64)
    assert zonal_sum(values, labels, 2).values.tolist() == [2**63 - 1, 2**62]


@pytest.mark.parametrize(
    ("name", "attributes", "said"),
    [
        (None, {"long_name": "people"}, "people"),
        ("pop", {"long_name": "people"}, "people"),
        ("pop", {}, "pop"),
        (None, {}, "values"),
    ],
)
def test_a_sum_says_what_it_is_of(name, attributes, said):
    """Seen to fail when a long name counted only beside a short one."""
    values = xr.DataArray(np.ones((1, 2)), dims=("y", "x"), name=name, attrs=attributes)
    found = zonal_sum(values, np.array([[1, 2]]), 2)
    assert found.attrs["long_name"] == f"sum of {said} per label"


@pytest.mark.parametrize("told", ["crs", "names", "units"])
def test_means_per_label_of_squares_of_degrees_are_told(told):
    """Seen to fail: of a hemisphere the mean latitude was 45, by area it is 32.7, and nothing was said."""
    lat, lon = np.arange(89.5, 0, -1), np.arange(0.5, 10)
    names = ("lat", "lon") if told == "names" else ("y", "x")
    values = xr.DataArray(np.repeat(lat[:, None], 10, axis=1), dims=names, coords={names[0]: lat, names[1]: lon})  # fmt: skip
    if told == "crs":
        values = values.assign_coords(spatial_ref=((), 0, pyproj.CRS(4326).to_cf()))
    if told == "units":
        values["y"].attrs["units"] = "degree_north"
    labels = xr.ones_like(values, np.uint32)
    for call in (
        lambda: zonal_mean(values, labels, 1),
        lambda: zonal_mean(values, labels.to_numpy(), 1),
        lambda: zonal_mean(values.to_numpy(), labels, 1),
        lambda: zonal_stats(values, labels, ["mean", "sum"]),
    ):
        with pytest.warns(UserWarning, match=r'have up to 115 times the area .*weights="area"'):
            call()
    zonal_sum(values, labels, 1)
    zonal_stats(values, labels, ["sum", "max"])
    zonal_mean(values.to_numpy(), labels.to_numpy(), 1)
    # A town's rows hardly differ, and of a plane nothing is known.
    town = values.assign_coords({names[0]: 45 + lat / 1000})
    zonal_mean(town, labels.assign_coords(town.coords), 1)
    plane = values.rename({names[0]: "v", names[1]: "u"}).drop_vars("spatial_ref", errors="ignore")
    zonal_mean(plane.drop_attrs(), labels.to_numpy(), 1)


def test_means_of_labels_whose_own_rows_hardly_differ_say_nothing():
    """Seen to fail: two towns on a raster of the whole earth were told 115 times, and so were means of each row."""
    lat, lon = np.arange(89.75, -90, -0.5), np.arange(0.25, 360, 0.5)
    values = xr.DataArray(np.ones((360, 720)), dims=("lat", "lon"), coords={"lat": lat, "lon": lon})
    rows = np.repeat(np.arange(1, 361, dtype=np.uint32)[:, None], 720, axis=1)
    towns = np.zeros((360, 720), np.uint32)
    towns[100:102, 10:14], towns[150:153, 40:50] = 1, 2
    zonal_mean(values, rows, 360)
    zonal_stats(values.transpose("lon", "lat"), xr.DataArray(rows, coords=values.coords), "mean")
    zonal_mean(values, towns, 2)
    zonal_mean(values.transpose("lon", "lat"), xr.DataArray(towns, coords=values.coords).T, 2)
    # As large north of the equator as south of it: seen to be told 115 times.
    bands = np.minimum(rows, rows[::-1])
    zonal_mean(values, bands, 180)
    towns[40:60, 300] = 1
    # Of row 40 at 69.75 degrees and row 101 at 39.25.
    for one, other in ((values, towns), (values.T, xr.DataArray(towns, coords=values.coords).T)):
        with pytest.warns(
            UserWarning, match=r"of one label have up to 2.24 times the area of each"
        ):
            zonal_mean(one, other, 2)
    both = np.zeros((360, 720), np.uint32)
    both[100:260] = 1
    with pytest.warns(UserWarning, match=r"up to 1.3 times"):
        zonal_mean(values, both, 1)
    # Of what is not in memory nothing is known.
    zonal_stats(values, xr.DataArray(towns, coords=values.coords).chunk(), "mean", n=2).compute()
