"""Labels and counts tile by tile: the same bits for any chunks, scheduler and number of workers."""

from __future__ import annotations

import errno
import math
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import dask
import naive
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds
from shapes import CRS, partition
from steps import given as given_to
from waiting import HANG

import carbongrid.raster.chunked.rasters as chunked_rasters
from carbongrid.errors import InputError, RunError, VerificationError
from carbongrid.raster import label_store, plane_files
from carbongrid.raster.chunked import (
    Counts,
    label_and_count,
    paint_and_count,
    pieces,
    rasters,
    recount,
    tasks,
)
from carbongrid.raster.chunked import counts as chunked_counts
from carbongrid.raster.chunked.rasters import WeightRaster, _values_at, problems_of_top
from carbongrid.raster.chunked.tasks import run_tasks
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import open_labels
from carbongrid.raster.labels import rasterize
from carbongrid.raster.plane_files import open_plane
from carbongrid.raster.polygons import Polygons

SIDE = 3000.0
EAST, NORTH = 4_000_000.0, 3_000_000.0
GRID = Grid(CRS, 10, (EAST, NORTH, EAST + SIDE, NORTH + SIDE), snap=500)


def moved(shapes: np.ndarray) -> Polygons:
    return Polygons.of(shapely.transform(shapes, lambda xy: xy + np.array([EAST, NORTH])), CRS)


@pytest.fixture(scope="module")
def land() -> tuple[Polygons, Polygons]:
    """A partition with parcels below a cell and a straddling one; units that leave a corner to nobody."""
    parcels = partition(70, SIDE, 8)
    specks = shapely.box([101, 1502, 2901], [101, 1503, 2902], [103, 1504, 2903], [104, 1504, 2904])
    units = partition(5, SIDE, 9)
    return moved(np.concatenate([parcels, specks])), moved(units[1:])


@pytest.fixture(scope="module")
def raster(tmp_path_factory) -> Path:
    """A raster of people in another CRS, with holes, whose cells fit no tile."""
    from pyproj import Transformer

    path = tmp_path_factory.mktemp("raster") / "people.tif"
    x, y = Transformer.from_crs(CRS, 32631, always_xy=True).transform(EAST, NORTH + SIDE)
    random = np.random.default_rng(3)
    values = random.random((90, 120)).astype(np.float32) * 30
    values[10:30, 20:40] = -9999
    values[50, 60] = np.nan
    with rasterio.open(
        path, "w", driver="GTiff", height=90, width=120, count=1, dtype="float32", nodata=-9999,
        crs=32631, transform=from_origin(x - 1000, y + 1000, 61.3, 61.3),
    ) as target:  # fmt: skip
        target.write(values, 1)
    return path


def digest(counts: Counts) -> list:
    pairs = [(counts.parcel_unit, counts.parcel_cell), *counts.rasters.values()]
    return [
        (
            matrix.shape,
            str(matrix.dtype),
            matrix.indptr.tolist(),
            matrix.indices.tolist(),
            matrix.data.tolist(),
        )
        for pair in pairs
        for matrix in pair
    ]


@pytest.fixture(scope="module")
def expected(land, raster, tmp_path_factory) -> tuple[Counts, Path]:
    store = tmp_path_factory.mktemp("labels") / "labels.zarr"
    return label_and_count(
        *land, GRID, 500, store, rasters=[raster], scheduler="synchronous"
    ), store


def test_counts_equal_a_loop_over_cells(land, expected):
    """Seen to fail when cells outside every unit are dropped, and when coarse cells are numbered column by column."""
    counts, store = expected
    parcels, units = land
    parcel, unit = rasterize(parcels, GRID).values, rasterize(units, GRID).values
    assert np.array_equal(open_labels(store)["parcel"], parcel)
    assert np.array_equal(open_labels(store)["unit"], unit)
    row, column = np.indices(parcel.shape) // 50
    for found, other in ((counts.parcel_unit, unit), (counts.parcel_cell, row * 6 + column + 1)):
        assert found.dtype == np.int64
        wanted = np.zeros(found.shape, np.int64)
        for (i, j), count in naive.pair_counts(parcel, other).items():
            if i:
                wanted[i - 1, j - 1] += count  # nobody's unit, 0, is the last column
        assert np.array_equal(found.toarray(), wanted)
    assert counts.parcel_unit.shape == (len(parcels), len(units) + 1)
    assert counts.parcel_unit.toarray()[:, -1].sum() > 0


def test_all_that_tiles_are_made_from_changes_their_key(tmp_path, monkeypatch):
    """Seen to pass without coarse cells and the time of a raster: tiles of an interrupted run with others would have been counted."""
    path, hashes = tmp_path / "a.tif", {"parcel": "1", "unit": "2"}
    path.write_bytes(b"1")
    weights = (SimpleNamespace(path=path),)
    asked = (hashes, GRID, 500, 64, weights)
    grid = Grid(CRS, 5, GRID.bounds, snap=500)
    others = ({**hashes, "unit": "3"}, grid, 1000, 128, ())
    keys = [chunked_counts._key(*asked)]
    keys += [chunked_counts._key(*asked[:n], each, *asked[n + 1 :]) for n, each in enumerate(others)]  # fmt: skip
    os.utime(path, ns=(1, 1))
    keys.append(chunked_counts._key(*asked))
    path.write_bytes(b"22")
    os.utime(path, ns=(1, 1))
    keys.append(chunked_counts._key(*asked))
    assert keys[-1] == chunked_counts._key(*asked)
    monkeypatch.setattr(chunked_counts, "versions", lambda: {"numpy": "0"})
    keys.append(chunked_counts._key(*asked))
    assert len({*keys}) == len(keys) == 9


def test_parcels_that_no_centre_hits_are_named(land, expected):
    counts, _ = expected
    assert counts.no_cell_centre.tolist() == [len(land[0]) - 3, len(land[0]) - 2, len(land[0]) - 1]
    assert counts.cells.sum() == 300 * 300


@pytest.mark.parametrize("chunks", [64, 113, 149, 217, 299])
def test_any_chunks_same_bits(land, raster, expected, tmp_path, chunks):
    """Seen to fail when the raster's power of two is taken per tile, and when a parcel on a tile's edge is left out there."""
    store = tmp_path / "labels.zarr"
    counts = label_and_count(*land, GRID, 500, store, chunks=chunks, rasters=[raster])
    assert digest(counts) == digest(expected[0])


@pytest.mark.thorough  # beside those of saved polygons
def test_processes_same_bits(land, raster, expected, tmp_path):
    counts = label_and_count(
        *land,
        GRID,
        500,
        tmp_path / "labels.zarr",
        chunks=150,
        scheduler="processes",
        rasters=[raster],
    )
    assert digest(counts) == digest(expected[0])


@given(st.integers(1, 2**20), st.integers(1, 2**20))
@example(1, 2**30)
@example(2**30, 600)
@example(513, 513)
@example(7100, 454_000)
@example(163_905, 4098)
def test_rasters_of_any_shape_have_few_tiles(height, width):
    """Seen to fail when tiles are not evened out, and when long and narrow rasters have square ones."""
    rows, columns = pieces.tile_size(Grid(CRS, 1, (0, 0, width, height)), ())
    down, across = -(-height // rows), -(-width // columns)
    assert down * across <= 130
    assert height - (down - 1) * rows > rows // 2
    assert width - (across - 1) * columns > columns // 2
    if height * width > 64 * 256**2:
        assert down * across >= 64
    if min(down, across) > 2:
        assert 0.6 < rows / columns < 2.3


def test_tiles_are_wider_than_most_polygons():
    """Each row of a polygon is a span in every tile that it touches: nested boxes took seven times as long in square ones."""
    grid = Grid(CRS, 1, (0, 0, 6400, 6400))
    west, south = np.mgrid[0:6400:20, 0:6400:20].reshape(2, -1)
    parcels = Polygons.of(shapely.box(west, south, west + 30, south + 30))
    boxes = Polygons.of(shapely.box(0, np.arange(0, 6400, 64), 6400, np.arange(64, 6464, 64)))
    whole = Polygons.of(shapely.box([0, -1e99], 0, [6400, 1e99], 6400))
    assert pieces.tile_size(grid, ()) == pieces.tile_size(grid, (boxes.take([]),)) == (800, 800)
    assert pieces.tile_size(grid, (boxes,)) == pieces.tile_size(grid, (whole,)) == (100, 6400)
    assert pieces.tile_size(grid, (parcels,))[1] == 800


@pytest.mark.parametrize(
    "scheduler", ["threads", pytest.param("processes", marks=pytest.mark.thorough), "synchronous"]
)
def test_counts_without_labels_are_the_same(land, expected, monkeypatch, scheduler):
    """Seen to fail when a tile's first row is not the first of a square, and when sums are combined twice."""
    monkeypatch.setattr(pieces, "_TILES", 7)
    monkeypatch.setattr(pieces, "_MIN_CELLS", 1)
    counts = label_and_count(*land, GRID, 500, None, scheduler=scheduler)
    assert digest(counts) == digest(expected[0])[:2]


@pytest.mark.parametrize(("side", "tasks"), [(2048, 2000), (97, 2000), (31, 3)])
def test_counts_of_labels_painted_for_it_are_the_same(land, expected, monkeypatch, side, tasks):
    """Cell by cell, in tiles that fit no coarse cell, one or several to a task."""
    monkeypatch.setattr(chunked_counts, "CHUNK", side)
    monkeypatch.setattr(pieces, "MAX_TASKS", tasks)
    assert digest(paint_and_count(*land, GRID, 500)) == digest(expected[0])[:2]
    with pytest.raises(InputError, match="do not divide"):
        paint_and_count(*land, GRID, 700)


@pytest.mark.thorough  # starts processes
def test_counts_of_saved_polygons_are_the_same(land, expected, tmp_path):
    """Seen to fail when a worker reads rows in the order of the file."""
    saved = []
    for name, polygons in zip(("parcels", "units"), land, strict=True):
        polygons.save(tmp_path / name)
        saved.append(Polygons.open(tmp_path / name))
    store = tmp_path / "labels.zarr"
    counts = label_and_count(*saved, GRID, 500, store, chunks=150, scheduler="processes")
    assert digest(counts) == digest(expected[0])[:2]


def test_values_that_are_stored_scaled_count_as_they_are_meant(land, tmp_path):
    """Seen to be weighed by what is stored, offset and all left out."""
    stored = np.arange(120, dtype=np.int16).reshape(10, 12)
    stored[3] = -1
    corner = from_origin(EAST - 100, NORTH + SIDE + 100, 500, 500)
    common = {
        "driver": "GTiff",
        "height": 10,
        "width": 12,
        "count": 1,
        "crs": CRS,
        "transform": corner,
    }
    plain, packed = tmp_path / "plain.tif", tmp_path / "packed.tif"
    with rasterio.open(plain, "w", dtype="float64", nodata=-9999, **common) as target:
        target.write(np.where(stored < 0, -9999, stored * 0.25 + 40), 1)
    with rasterio.open(packed, "w", dtype="int16", nodata=-1, **common) as target:
        target.write(stored, 1)
        target.scales, target.offsets = (0.25,), (40.0,)
    counts = [
        label_and_count(
            *land,
            GRID,
            500,
            tmp_path / f"{path.stem}.zarr",
            rasters=[path],
            scheduler="synchronous",
        )
        for path in (plain, packed)
    ]
    assert digest(counts[0]) == digest(counts[1])


def test_rasters_need_labels(land, raster):
    with pytest.raises(InputError, match="Give a store"):
        label_and_count(*land, GRID, 500, None, rasters=[raster])


def test_distributed_same_bits(land, raster, expected, tmp_path):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster),
    ):
        counts = label_and_count(
            *land, GRID, 500, tmp_path / "labels.zarr", chunks=113, rasters=[raster]
        )
    assert digest(counts) == digest(expected[0])


def test_one_place_again_in_other_tiles_on_workers_that_stay(land, expected, tmp_path):
    """Seen to fail with the tiles of the call before: workers kept what they had opened by folder and polygons alone."""
    from distributed import Client, LocalCluster

    store = tmp_path / "labels.zarr"
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
    ):
        for chunks in (150, 113, 300):
            counts = label_and_count(*land, GRID, 500, store, chunks=chunks)
            assert digest(counts) == digest(expected[0])[:2]
            shutil.rmtree(store)
        other = Grid(CRS, 20, GRID.bounds, snap=500)
        counts = label_and_count(*land, other, 500, store, chunks=300)
    alone = label_and_count(*land, other, 500, store.with_name("alone.zarr"), chunks=300)
    assert digest(counts) == digest(alone)


def test_shards_same_bits(land, raster, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(label_store, "MAX_FILES", 20)
    store = tmp_path / "labels.zarr"
    counts = label_and_count(*land, GRID, 500, store, chunks=20, rasters=[raster])
    assert digest(counts) == digest(expected[0])
    assert label_store.block_side(store) == 80
    assert digest(recount(store, len(land[0]), len(land[1]), 500)) == digest(expected[0])[:2]


def test_recount_finds_the_same_in_the_labels(land, expected):
    counts, store = expected
    again = recount(store, len(land[0]), len(land[1]), 500)
    assert digest(again) == digest(counts)[:2]
    with pytest.raises(InputError, match="is above its number of rows"):
        recount(store, 5, len(land[1]), 500)
    with pytest.raises(InputError, match="do not divide"):
        recount(store, len(land[0]), len(land[1]), 700)


def test_recount_of_a_grid_that_is_no_square(land, tmp_path):
    """Seen to pass with height and width swapped, and with a side of which nothing was asked."""
    for name, (width, height) in {"wide": (2000, 800), "high": (800, 2000)}.items():
        grid = Grid(CRS, 10, (EAST, NORTH, EAST + width, NORTH + height), snap=400)
        counts = label_and_count(*land, grid, 400, tmp_path / name, scheduler="synchronous")
        again = recount(tmp_path / name, len(land[0]), len(land[1]), 400)
        assert digest(again) == digest(counts)[:2]
        with pytest.raises(InputError, match="do not divide"):
            recount(tmp_path / name, len(land[0]), len(land[1]), 500)


def test_recount_names_the_tile_of_a_missing_chunk(land, tmp_path):
    store = tmp_path / "labels.zarr"
    label_and_count(*land, GRID, 500, store, chunks=100)
    (store / "unit/c/1/2").unlink()
    with pytest.raises(VerificationError, match=r"unit/c/1/2 is gone"):
        recount(store, len(land[0]), len(land[1]), 500)


INTERRUPTED = r"""
import os
import signal

import dask

from carbongrid.raster.chunked.tasks import run_tasks

if __name__ == "__mp_main__":
    # A process that starts reads this file: all are interrupted while each of them does, as by a terminal.
    # In one piece, which several processes do not mix.
    os.write(1, b"starts\n")
    os.killpg(0, signal.SIGINT)
elif __name__ == "__main__":
    # A shell has its background jobs ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with dask.config.set(num_workers=3):
            run_tasks(str, range(5), "processes")
    except KeyboardInterrupt:
        os.write(1, b"interrupted\n")
"""


@pytest.mark.thorough
def test_an_interrupt_while_processes_start_waits_until_all_are_there(tmp_path):
    """Seen to fail, with tracebacks, while one process alone was waited for, and while those that started heard Ctrl-C."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(os.path.isdir, sys.path))}
    done = subprocess.run(
        [sys.executable, script], env=environment, start_new_session=True, timeout=HANG,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split() == ["starts", "starts", "starts", "interrupted"]


@pytest.mark.thorough
def test_no_more_processes_than_tasks():
    with dask.config.set(num_workers=3), tasks._processes(2) as pool:
        assert len(pool._processes) == 2
    assert run_tasks(str, [], "processes") == []


@pytest.mark.thorough
def test_processes_that_cannot_all_start_do_not_wait_for_each_other(monkeypatch):
    """Seen to hang while those that were there waited for the one that the system refused."""
    real = ProcessPoolExecutor._spawn_process

    def refused(pool):
        if len(pool._processes) == 1:
            raise OSError(errno.EAGAIN, "no more processes")
        real(pool)

    monkeypatch.setattr(ProcessPoolExecutor, "_spawn_process", refused)
    with (
        dask.config.set(num_workers=2),
        pytest.raises(OSError, match="no more processes"),
        tasks._processes(2),
    ):
        pytest.fail("one of two is not there")


def test_raster_sums_are_those_of_the_values_under_the_centres(land, raster, expected):
    """Seen to fail with the raster read a cell to the side, and with nodata taken as a value."""
    from pyproj import Transformer

    parcel = rasterize(land[0], GRID).values
    x, y = np.meshgrid(GRID.x, GRID.y)
    px, py = Transformer.from_crs(CRS, 32631, always_xy=True).transform(x.ravel(), y.ravel())
    with rasterio.open(raster) as source:
        sampled = np.array([value[0] for value in source.sample(zip(px, py, strict=True))], float)
    values = np.where((sampled == -9999) | np.isnan(sampled), 0.0, sampled).reshape(parcel.shape)
    in_units, in_cells = expected[0].rasters[raster]
    sums = np.array(naive.label_sums(values, parcel, len(land[0])))
    np.testing.assert_allclose(expected[0].sums[raster], sums, rtol=1e-14)
    for matrix in (in_units, in_cells):
        np.testing.assert_allclose(matrix.sum(axis=1), sums, rtol=1e-14)
    unit, there = rasterize(land[1], GRID).values, parcel > 0
    by_unit = np.zeros(in_units.shape)
    # Nobody's unit, 0, is the last column.
    np.add.at(by_unit, (parcel[there] - 1, unit[there].astype(int) - 1), values[there])
    np.testing.assert_allclose(in_units.toarray(), by_unit, rtol=1e-12, atol=1e-9)
    has_value = ((sampled != -9999) & ~np.isnan(sampled)).reshape(parcel.shape) & there
    known = np.bincount(parcel[has_value] - 1, minlength=len(land[0]))
    assert np.array_equal(expected[0].known[raster], known)


def test_each_of_two_rasters_has_its_own_sums(land, raster, tmp_path):
    """Seen to pass with what the first one knows read as sums of the second: no test had two."""
    with rasterio.open(raster) as source:
        values = source.read(1)
        profile = {key: source.profile[key] for key in ("driver", "height", "width", "count", "nodata", "crs", "transform")}  # fmt: skip
    other = tmp_path / "other.tif"
    with rasterio.open(other, "w", dtype="float64", **profile) as target:
        target.write(np.where(values == -9999, 7, values.astype(float) * 1e5), 1)
    corner = Grid(CRS, 10, (EAST, NORTH + SIDE - 500, EAST + 1000, NORTH + SIDE), snap=500)
    alone, both = (
        label_and_count(*land, corner, 500, tmp_path / str(number), rasters=several, scheduler="synchronous")
        for number, several in enumerate(([raster], [other, raster]))
    )  # fmt: skip
    assert digest(both)[4:] == digest(alone)[2:]
    assert both.sums[raster].tolist() == alone.sums[raster].tolist()
    assert np.array_equal(both.known[raster], alone.known[raster])
    assert (both.known[other] >= both.known[raster]).all()
    assert both.known[other].sum() > both.known[raster].sum()


@pytest.mark.parametrize("rows", [3, 1024])
def test_a_raster_is_scanned_to_its_last_row(tmp_path, monkeypatch, rows):
    """Seen to fail when only the first band is scanned, when the last one is cut off, and when the last one counts alone."""
    monkeypatch.setattr(rasters, "_CELLS_AT_ONCE", 4 * rows)
    bands = given_to(monkeypatch, rasters, "_known", 1)
    for row in range(11):
        path, values = tmp_path / f"{row}.tif", np.ones((1, 11, 4))
        values[0, row, 1] = 7.0
        with rasterio.open(
            path, "w", driver="GTiff", height=11, width=4, count=1, dtype="float64", crs=3035,
            transform=from_origin(EAST, NORTH + SIDE, 1000, 1000),
        ) as target:  # fmt: skip
            target.write(values)
        bands.clear()
        assert WeightRaster.around(path, _tall(11)).largest == 7.0
        rows_of_bands = [(band.row_off, band.height) for band in bands]
        assert rows_of_bands == [(first, min(rows, 11 - first)) for first in range(0, 11, rows)]
        with rasterio.open(path, "r+") as target:
            target.write(np.where(values == 7.0, -2.0, values))
        with pytest.raises(InputError, match="a value is -2"):
            WeightRaster.around(path, _tall(11))


@pytest.mark.parametrize(("crs", "west", "south", "first", "columns"), [(32618, 580e3, 4.5e6, 0, {571, 572}), (32630, 700e3, 5.7e6, 0, {719, 0}), (32601, 325e3, 6.7e6, -180, {719, 0}), (32660, 660e3, 6.7e6, 0, {359, 360})])  # fmt: skip
def test_longitudes_go_round(tmp_path, crs, west, south, first, columns):
    """New York, London and the antimeridian under rasters that begin at Greenwich, or at 180. Seen to: of one from 0 to 360 all in the west was said not to touch it, and London had the half of its land without a value; then what lay anywhere around the earth beside London was scanned, and refused."""
    path = tmp_path / "world.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=360, width=720, count=1, dtype="float64", crs=4326,
        transform=from_origin(first, 90, 0.5, 0.5),
    ) as target:  # fmt: skip
        values = np.tile(np.arange(720.0), (360, 1))
        values[:, [180, 540]] = -9999
        target.write(values, 1)
    grid = Grid(f"EPSG:{crs}", 1000, (west, south, west + 20e3, south + 2e3))
    weights = WeightRaster.around(path, grid)
    *places, known = weights.sample(grid, (0, 0), np.ones(grid.shape, bool))
    assert known.all()
    found = sum(
        np.ldexp(place.astype(float), -exponent)
        for place, exponent in zip(places, weights.exponents, strict=True)
    )
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    longitude, _ = to_degrees.transform(*np.meshgrid(grid.x, grid.y))
    assert np.array_equal(found, (longitude - first) % 360 // 0.5)
    assert {*found.ravel()} <= columns


def test_a_hair_west_of_a_raster_is_its_other_end_or_its_edge(tmp_path):
    path = tmp_path / "world.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=1, width=4, count=1, dtype="float64", crs=4326,
        transform=from_origin(0, 45, 90, 90),
    ) as target:  # fmt: skip
        target.write(np.array([[1.0, 2, 3, 4]]), 1)
    x = np.array([-1e-17, -1e-9, 0, 360, 361, -91])
    with open_plane(path) as source:
        assert _values_at(source, x, np.zeros(6)).tolist() == [1, 4, 1, 1, 1, 3]


@pytest.mark.parametrize("side", [0, 16, 256])
@pytest.mark.parametrize("most", [100, 5000])
def test_a_raster_much_finer_than_the_grid_is_read_in_bounded_pieces(
    tmp_path, monkeypatch, side, most
):
    """Caught: all cells from the first to the last of a tile's centres at once, 12 GiB under coarse cells."""
    for name in ("_CELLS_AT_ONCE", "_PLACED_AT_ONCE"):
        monkeypatch.setattr(rasters, name, most)
    read = given_to(monkeypatch, plane_files, "known_values", 1)
    path, size = tmp_path / "fine.tif", 300
    values = np.random.default_rng(side).integers(0, 1000, (size, size)).astype(np.float32)
    tiled = {"tiled": True, "blockxsize": side, "blockysize": side} if side else {}
    with rasterio.open(
        path, "w", driver="GTiff", height=size, width=size, count=1, dtype="float32", crs=CRS,
        transform=from_origin(EAST, NORTH + 3000, 10, 10), **tiled,
    ) as target:  # fmt: skip
        target.write(values, 1)
    grid = Grid(CRS, 100, (EAST, NORTH, EAST + 3000, NORTH + 3000))
    weights = WeightRaster.around(path, grid)
    assert weights.largest == values.max()
    needed = np.random.default_rng(1).random((20, 25)) < 0.8
    *places, known = weights.sample(grid, (5, 3), needed)
    assert max(window.width * window.height for window in read) <= most
    sums = values.reshape(30, 10, 30, 10).sum((1, 3))[5:25, 3:28]
    assert np.array_equal(_told(weights, places), np.where(needed, sums, 0))
    assert np.array_equal(known, needed)


def _told(weights: WeightRaster, places: list[np.ndarray]) -> np.ndarray:
    """What the whole numbers of the places stand for."""
    numbers = zip(places, weights.exponents, strict=True)
    return sum(np.ldexp(place.astype(float), -exponent) for place, exponent in numbers)


@settings(max_examples=10)
@given(
    cell=st.floats(3, 20), east=st.floats(0, 40), north=st.floats(0, 40), turned=st.floats(-40, 40),
    far=st.booleans(), rows=st.integers(1, 12),
)  # fmt: skip
def test_finer_cells_are_added_up_where_their_centres_lie(tmp_path_factory, cell, east, north, turned, far, rows):  # fmt: skip
    """Against a loop over the raster's cells, in the grid's CRS and in another, also rotated; whatever the window. Seen: 489 and 247 buildings in cells of 2 m, on a grid of 50 m, of which the centres hit one."""
    path = tmp_path_factory.mktemp("finer") / "counts.tif"
    values = np.random.default_rng(rows).integers(0, 9, (50, 40)).astype(np.float32)
    values[20:28, 10:30] = -1
    to_grid = Transformer.from_crs(32631 if far else CRS, CRS, always_xy=True)
    x, y = to_grid.transform(EAST + east, NORTH + 600 - north, direction="INVERSE")
    placed = from_origin(x, y, cell, cell) @ Affine.rotation(turned)
    with rasterio.open(
        path, "w", driver="GTiff", height=50, width=40, count=1, dtype="float32", nodata=-1,
        crs=32631 if far else CRS, transform=placed,
    ) as target:  # fmt: skip
        target.write(values, 1)
    grid = Grid(CRS, 60, (EAST, NORTH, EAST + 600, NORTH + 600))
    needed = np.random.default_rng(1).random(grid.shape) < 0.8
    wanted, there = np.zeros(grid.shape), np.zeros(grid.shape, int)
    weights = WeightRaster.around(path, grid)
    parts = weights.parts
    assert weights.is_finer and parts in (1, 2, 4)
    numbers = [(row, column) for row in range(50 * parts) for column in range(40 * parts)]
    centres = np.array(
        [placed @ ((column + 0.5) / parts, (row + 0.5) / parts) for row, column in numbers]
    )
    numbers = [(row // parts, column // parts) for row, column in numbers]
    for number, px, py in zip(numbers, *to_grid.transform(*centres.T), strict=True):
        at = math.floor((grid.bounds[3] - py) / 60), math.floor((px - grid.bounds[0]) / 60)
        inside = 0 <= at[0] < grid.shape[0] and 0 <= at[1] < grid.shape[1]
        if inside and needed[at] and values[number] >= 0:
            wanted[at] += values[number] / parts**2
            there[at] = 1
    *places, known = weights.sample(grid, (0, 0), needed)
    assert np.array_equal(_told(weights, places), wanted)
    assert np.array_equal(known, there)
    parts = [weights.sample(grid, (first, 2), needed[first : first + rows, 2:9]) for first in range(0, grid.shape[0], rows)]  # fmt: skip
    for whole, *strips in zip([*places, known], *parts, strict=True):
        assert np.array_equal(np.concatenate(strips), whole[:, 2:9])


@pytest.mark.parametrize("crs", [CRS, 32631, 4326])
@pytest.mark.parametrize("along", [2.3, 2.5, 3, 3.4, 4.5, 7.7, 9.3])
def test_an_even_density_stays_even_in_a_coarser_grid(tmp_path, along, crs):
    """Seen: cells of 40 m on a grid of 100 m, of which each held 4, 6 or 9, so that of even homes some had 2.25 times as much as others."""
    path, (west, south, *_) = tmp_path / "even.tif", GRID.bounds
    grid = Grid(CRS, 100, (west, south, west + 1000, south + 1000))
    left, bottom, right, top = transform_bounds(
        CRS, crs, west - 500, south - 500, west + 1500, south + 1500
    )
    cell = 100 / along if crs != 4326 else 100 / along / 111_000
    size = math.ceil((top - bottom) / cell), math.ceil((right - left) / cell)
    with rasterio.open(
        path, "w", driver="GTiff", height=size[0], width=size[1], count=1, dtype="float32", crs=crs,
        transform=from_origin(left, bottom + size[0] * cell, cell, cell),
    ) as target:  # fmt: skip
        target.write(np.ones(size, np.float32), 1)
    weights = WeightRaster.around(path, grid)
    assert weights.is_finer
    *places, known = weights.sample(grid, (0, 0), np.ones(grid.shape, bool))
    sums = _told(weights, places)
    assert known.all()
    assert sums.max() <= sums.min() * (9 / 8) ** 2
    if crs == CRS and along == 3:
        assert weights.parts == 1 and set(sums.ravel()) == {along**2}
    # No more and no less than lies there.
    assert sums.sum() == pytest.approx(
        sums.size * (100 / cell) ** 2 if crs == CRS else sums.sum(), rel=0.03
    )


def test_cells_in_degrees_that_are_left_unread_are_told_in_metres(tmp_path):
    """As far as they reach on the ground, by the ellipsoid. A test in one CRS alone does not see whether they are brought to the grid's."""
    path, longitude, latitude, cell = tmp_path / "degrees.tif", 120.0, 31.0, 0.0006
    with rasterio.open(
        path, "w", driver="GTiff", height=30, width=30, count=1, dtype="float32", crs=4326,
        transform=from_origin(longitude, latitude, cell, cell),
    ) as target:  # fmt: skip
        target.write(np.ones((1, 30, 30), np.float32))
    middle = longitude + 15 * cell, latitude - 15 * cell
    x, y = Transformer.from_crs(4326, 4549, always_xy=True).transform(*middle)
    grid = Grid("EPSG:4549", 100, (x - 400, y - 400, x + 400, y + 400))
    weights = WeightRaster.around(path, grid)
    assert not weights.is_finer
    (told,) = rasters.problems_of_finer_cells(weights, grid)
    ground = pyproj.Geod(ellps="GRS80")
    wide = ground.inv(*middle, middle[0] + cell, middle[1])[2]
    high = ground.inv(*middle, middle[0], middle[1] + cell)[2]
    assert f"about {wide:.3g} x {high:.3g} m" in told.what
    assert f"1 in {100**2 / (wide * high):.1f}" in told.what


def test_what_lies_twice_on_a_raster_of_more_than_a_turn_is_added_up_once(tmp_path):
    """Of one whose last column is its first once more, beside 180 degrees."""
    path = tmp_path / "world.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=721, count=1, dtype="float32", crs=4326,
        transform=from_origin(-180.1, 10, 0.5, 0.5),
    ) as target:  # fmt: skip
        target.write(np.ones((40, 721), np.float32), 1)
    two_degrees = 222_638.98158654716
    grid = Grid("EPSG:3832", two_degrees, (14 * two_degrees, 0, 16 * two_degrees, two_degrees))
    assert grid.shape == (1, 2)
    weights = WeightRaster.around(path, grid)
    assert weights.is_finer
    *places, _ = weights.sample(grid, (0, 0), np.ones(grid.shape, bool))
    assert _told(weights, places).tolist() == [[16.0, 16.0]]


def test_sums_of_many_finer_cells_stay_within_64_bits(tmp_path):
    """Bits are counted by the raster's cells where they are more than the grid's: 2^20 of the largest value in one cell."""
    path = tmp_path / "fine.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=1024, width=1024, count=1, dtype="float32", crs=CRS,
        transform=from_origin(2**22, 2**21 + 1024, 1, 1), compress="deflate",
    ) as target:  # fmt: skip
        target.write(np.full((1024, 1024), 1 - 2**-24, np.float32), 1)
    grid = Grid(CRS, 1024, (2**22, 2**21, 2**22 + 1024, 2**21 + 1024))
    assert grid.shape == (1, 1)
    weights = WeightRaster.around(path, grid)
    *places, known = weights.sample(grid, (0, 0), np.ones((1, 1), bool))
    assert max(int(place[0, 0]) for place in places) < 2**55
    assert _told(weights, places).tolist() == [[2.0**20 - 2.0**-4]]
    assert known.tolist() == [[1]]


def test_a_raster_in_huge_blocks_is_refused_with_their_size(raster, monkeypatch):
    monkeypatch.setattr(rasters, "_MAX_BLOCK", 1000)
    with pytest.raises(
        InputError, match=r"in blocks of \d+ x \d+ cells, .*unpacked whole.*TILED=YES"
    ):
        WeightRaster.around(raster, GRID)


@pytest.mark.parametrize(("interleave", "bands"), [("pixel", 3), ("band", 1)])
def test_a_block_holds_all_bands_where_they_lie_side_by_side(tmp_path, interleave, bands):
    """Seen to fail with one band counted: the size that is told is that of what GDAL unpacks."""
    path = tmp_path / "bands.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=32, width=48, count=3, dtype="float32", crs=CRS, tiled=True,
        blockxsize=16, blockysize=16, interleave=interleave, transform=from_origin(EAST, NORTH, 10, 10),
    ) as target:  # fmt: skip
        target.write(np.ones((3, 32, 48), np.float32))
    of_one = 16 * 16 * 4
    with open_plane(path) as source, pytest.MonkeyPatch.context() as patched:
        patched.setattr(rasters, "_MAX_BLOCK", bands * of_one)
        assert not list(rasters._block_problems(source, path))
        patched.setattr(rasters, "_MAX_BLOCK", bands * of_one - 1)
        (problem,) = rasters._block_problems(source, path)
    assert "blocks of 16 x 16 cells" in problem.what


def _tall(rows: int) -> Grid:
    """A grid over so many rows of 1 km from the northern edge down."""
    north = NORTH + SIDE
    return Grid(CRS, 100, (EAST, north - rows * 1000, EAST + 4000, north), snap=100)


def test_samples_of_more_rows_than_are_read_at_once_are_the_same(raster, monkeypatch):
    """Seen to fail when all but the first rows are left out, and when rows count from each block."""
    needed = np.random.default_rng(1).random((40, 60)) < 0.7
    needed[14:21] = False
    weights = WeightRaster.around(raster, GRID)
    whole = weights.sample(GRID, (150, 150), needed)
    assert whole[-1].sum() > 500
    monkeypatch.setattr(rasters, "_ROWS_AT_ONCE", 7)
    for found, wanted in zip(weights.sample(GRID, (150, 150), needed), whole, strict=True):
        assert np.array_equal(found, wanted)


def test_rasters_that_cannot_be_weights_are_refused(land, tmp_path):
    def written(name, value, crs=3035, west=EAST):
        path = tmp_path / name
        with rasterio.open(
            path, "w", driver="GTiff", height=4, width=4, count=1, dtype="float64", crs=crs,
            transform=from_origin(west, NORTH + SIDE, 1000, 1000),
        ) as target:  # fmt: skip
            target.write(np.full((1, 4, 4), value))
        return path

    for path, says in (
        (written("negative.tif", -1.0), "a value is -1"),
        (written("infinite.tif", np.inf), "a value is infinite"),
        (
            written("end.tif", 3.4028234663852886e38),
            r"a value is 3.40282e\+38; weights are >= 0, and less than 1e\+38",
        ),
        (written("nowhere.tif", 1.0, crs=None), "no CRS"),
        (written("far.tif", 1.0, west=EAST + 1e6), "does not touch the grid"),
    ):
        with pytest.raises(InputError, match=says):
            label_and_count(*land, GRID, 500, tmp_path / "s.zarr", rasters=[path])
        assert not (tmp_path / "s.zarr").exists()
    counts = label_and_count(
        *land, GRID, 500, tmp_path / "s.zarr", rasters=[written("zero.tif", 0.0)]
    )
    assert counts.rasters[tmp_path / "zero.tif"][0].nnz == 0


def test_progress_counts_tiles(land, tmp_path):
    told: list[tuple[int, int]] = []
    label_and_count(
        *land,
        GRID,
        500,
        tmp_path / "s.zarr",
        chunks=100,
        progress=lambda *count: told.append(count),
    )
    assert told == [(i, 9) for i in range(10)]


def test_a_failing_task_is_named():
    with pytest.raises(RunError, match="0: ZeroDivisionError: division by zero"):
        run_tasks(_inverse, [2, 0], "threads")
    assert run_tasks(_inverse, [2, 4], "synchronous") == [0.5, 0.25]
    assert run_tasks(_inverse, []) == []


def _inverse(value: int) -> float:
    return 1 / value


def test_refusals_leave_no_store(land, tmp_path):
    parcels, units = land
    store = tmp_path / "s.zarr"
    with pytest.raises(InputError, match="do not divide"):
        label_and_count(parcels, units, GRID, 700, store)
    with pytest.raises(InputError, match="Reproject"):
        label_and_count(Polygons.of(parcels.geometries(), 3034), units, GRID, 500, store)
    assert not store.exists()
    store.mkdir()
    with pytest.raises(InputError, match="exists already"):
        label_and_count(parcels, units, GRID, 500, store)


@pytest.mark.parametrize(
    ("nodata", "others", "count", "told"),
    [
        (None, (0, 9), 400, True),
        (None, (0, 9), 9, False),
        (255, (0, 9), 400, False),
        (None, (0, 250), 400, False),
        (None, (0, 1), 400, False),
    ],
    ids=["unmarked", "few", "marked", "full range", "mask"],
)
def test_an_unmarked_top_of_a_type_is_told_with_its_share(tmp_path, nodata, others, count, told):
    """Bytes of 255 with nothing between: not few, not marked, not the end of a range, not a mask."""
    path = tmp_path / "bytes.tif"
    values = np.random.default_rng(5).integers(others[0], others[1] + 1, 1600).astype(np.uint8)
    values[:count] = 255
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=40, count=1, dtype="uint8", nodata=nodata,
        crs=CRS, transform=from_origin(EAST, NORTH + SIDE, 75, 75),
    ) as target:  # fmt: skip
        target.write(values.reshape(40, 40), 1)
    found = list(problems_of_top(WeightRaster.around(path, GRID), GRID))
    assert len(found) == told
    if told:
        share = 100 * count * 255 / int(values.sum(dtype=np.int64))
        assert f"{count} cells around the grid hold 255" in found[0].what
        assert f"all others 9 or less; they are {share:.1f} % of the sum" in found[0].what
        assert found[0].level == "warning" and "-a_nodata 255" in found[0].hint


def test_a_raster_without_a_cell_at_the_top_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "bytes.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=40, count=1, dtype="uint8",
        crs=CRS, transform=from_origin(EAST, NORTH + SIDE, 75, 75),
    ) as target:  # fmt: skip
        target.write(np.full((40, 40), 100, np.uint8), 1)
    scanned = WeightRaster.around(path, GRID)
    monkeypatch.setattr(chunked_rasters, "_known", _never_read)
    assert not list(problems_of_top(scanned, GRID))


def _never_read(*_: object) -> None:
    raise AssertionError("it was read again")
