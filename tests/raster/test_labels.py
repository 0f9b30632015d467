"""Label rasters: in memory, in Zarr, opened by others, damaged."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import shutil
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import dask
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
import zarr
from dask.multiprocessing import get_context
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, SIDE, partition, polygons

from carbongrid.errors import InputError, VerificationError
from carbongrid.raster import label_store
from carbongrid.raster.chunked import pieces
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import open_labels, read_window, write_window
from carbongrid.raster.labels import burn_window, rasterize
from carbongrid.raster.opening import whole_store
from carbongrid.raster.opening.stores import open_zarr_array
from carbongrid.raster.overlaps import overlap
from carbongrid.raster.polygons import Polygons

GRID = Grid(CRS, 10, (4_000_000, 3_000_000, 4_003_000, 3_002_000))


@pytest.fixture(scope="module")
def parcels() -> gpd.GeoDataFrame:
    shapes = partition(50, 3000.0, 3)
    frame = gpd.GeoDataFrame(
        {"id": [f"{i:03d}" for i in range(len(shapes))]}, geometry=shapes, crs=CRS
    )
    return frame.set_geometry(frame.translate(4_000_000, 3_000_000))


@pytest.fixture(scope="module")
def another_process() -> Iterator[ProcessPoolExecutor]:
    """One process for all that Dask computes outside of this one: each takes seconds to begin."""
    with ProcessPoolExecutor(1, mp_context=get_context()) as pool:
        yield pool


@pytest.fixture
def store(parcels, tmp_path) -> Path:
    rasterize(parcels, GRID, store=tmp_path / "labels.zarr", chunks=64)
    return tmp_path / "labels.zarr"


def test_memory_and_store_hold_the_same(parcels, store):
    whole = rasterize(parcels, GRID)
    lazy = open_labels(store)["label"]
    assert whole.dtype == lazy.dtype == np.uint32
    assert lazy.chunks is not None
    assert np.array_equal(whole, lazy)
    assert whole.values.max() == len(parcels)
    xr.testing.assert_equal(whole.drop_vars("spatial_ref"), lazy.drop_vars("spatial_ref").compute())


def raiser(*_, **__):
    raise AssertionError("computed too early")


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@settings(max_examples=25)
@given(polygons(), st.tuples(st.integers(1, 13), st.integers(1, 13)), st.sampled_from([1.0, 0.7]))
def test_lazy_labels_are_those_in_memory_in_any_chunks(shapes, chunks, resolution):
    """Seen to fail when a block counts its own rows for labels, and when every block lies at the origin."""
    grid = Grid(CRS, resolution, (0, 0, SIDE, SIDE))
    with dask.config.set(scheduler=raiser):
        lazy = rasterize(np.array(shapes, object), grid, chunks=chunks)
    assert max(lazy.chunks[0]) <= chunks[0]
    assert max(lazy.chunks[1]) <= chunks[1]
    assert lazy.compute().identical(rasterize(np.array(shapes, object), grid))


def test_a_block_of_lazy_labels_burns_what_touches_it(parcels, monkeypatch):
    """Seen to fail when every block was given all polygons, and when one side was not compared."""
    scans = importlib.import_module("carbongrid.raster.chunked.scans")
    given_rows, whole = [], rasterize(parcels, GRID)
    paint = scans.paint_window
    monkeypatch.setattr(
        scans,
        "paint_window",
        lambda excerpt, *rest: (given_rows.append(excerpt.rows.size), paint(excerpt, *rest)),
    )
    lazy = rasterize(parcels, GRID, chunks=(50, 60))
    found = lazy[100:150, 120:180].compute(scheduler="synchronous")
    assert np.array_equal(found, whole[100:150, 120:180])
    # A cell more on each side.
    x, y = GRID.bounds[0], GRID.bounds[3]
    near = shapely.box(x + 1190, y - 1510, x + 1810, y - 990)
    assert given_rows == [near.intersects(parcels.envelope.to_numpy()).sum()]
    assert given_rows[0] < len(parcels) / 2


def test_chunks_that_are_none_are_refused(parcels, tmp_path):
    for chunks in (0, (3, -1)):
        with pytest.raises(InputError, match="chunks must be positive numbers of cells"):
            rasterize(parcels, GRID, chunks=chunks)
    with pytest.raises(InputError, match="a store has square chunks"):
        rasterize(parcels, GRID, store=tmp_path / "s.zarr", chunks=(3, 4))


@pytest.mark.parametrize("chunks", [37, 41, 100, 129, 1000])
def test_any_chunks_hold_the_same(parcels, tmp_path, chunks):
    lazy = rasterize(parcels, GRID, store=tmp_path / "s.zarr", chunks=chunks)
    assert np.array_equal(rasterize(parcels, GRID), lazy)


@pytest.mark.parametrize("tiles", [5, 7, 30])
def test_labels_in_memory_are_the_same_in_any_tiles(parcels, monkeypatch, tiles):
    """Seen to fail when every tile is painted into the corner."""
    alone = burn_window(Polygons.of(parcels), GRID, (0, 0), GRID.shape)
    monkeypatch.setattr(pieces, "_TILES", tiles)
    monkeypatch.setattr(pieces, "_MIN_CELLS", 1)
    monkeypatch.setattr(pieces, "_POLYGONS_ACROSS", 0)
    height, width = pieces.tile_size(GRID, ())
    assert height < GRID.shape[0]
    assert width < GRID.shape[1]
    assert rasterize(parcels, GRID).values.tobytes() == alone.tobytes()


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_any_number_of_threads_makes_the_same_labels_and_overlaps(
    parcels, tmp_path, monkeypatch, workers
):
    monkeypatch.setattr(pieces, "_MIN_CELLS", 1)
    shape = pieces.tile_size(GRID, (Polygons.of(parcels),))
    assert len(pieces.tile_windows(GRID.shape, shape)) > workers
    alone = rasterize(parcels, GRID)
    assert (
        alone.values.tobytes()
        == burn_window(Polygons.of(parcels), GRID, (0, 0), GRID.shape).tobytes()
    )
    with dask.config.set(scheduler="synchronous"):
        pairs = overlap(parcels, parcels, grid=GRID)
    with dask.config.set(num_workers=workers):
        assert rasterize(parcels, GRID).values.tobytes() == alone.values.tobytes()
        stored = rasterize(parcels, GRID, store=tmp_path / "s.zarr", chunks=37)
        assert stored.values.tobytes() == alone.values.tobytes()
        assert (overlap(parcels, parcels, grid=GRID) != pairs).nnz == 0


def test_format_on_disk(store):
    """Zarr 3, zstd 1, crc32c, every chunk on disk though some are empty, no _FillValue."""
    meta = json.loads((store / "label" / "zarr.json").read_text(encoding="utf-8"))
    assert meta["zarr_format"] == 3
    assert [codec["name"] for codec in meta["codecs"]] == ["bytes", "zstd", "crc32c"]
    assert meta["codecs"][1]["configuration"]["level"] == 1
    assert "_FillValue" not in meta["attributes"]
    assert len([path for path in (store / "label" / "c").rglob("*") if path.is_file()]) == 4 * 5


def test_empty_chunks_are_written(tmp_path):
    shapes = np.array([shapely.box(4_000_000, 3_001_990, 4_000_010, 3_002_000)])
    rasterize(shapes, GRID, store=tmp_path / "s.zarr", chunks=100)
    assert len([path for path in (tmp_path / "s.zarr/label/c").rglob("*") if path.is_file()]) == 6


def test_rioxarray_reads_crs_and_transform(parcels, store):
    import rioxarray  # noqa: F401

    for raster in (rasterize(parcels, GRID), open_labels(store)["label"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # of rioxarray, about affine
            assert raster.rio.crs.to_epsg() == 3035
            assert raster.rio.transform() == GRID.transform
            assert raster.rio.nodata is None
            assert Grid.like(raster) == GRID
        assert raster.attrs["units"] == "1"
        assert "label" in raster.attrs["long_name"]


def test_hash_of_the_polygons_travels_with_the_labels(parcels, store):
    from carbongrid.raster.polygons import Polygons

    assert open_labels(store)["label"].attrs["polygons"] == Polygons.of(parcels).content_hash


def test_shards_where_there_would_be_too_many_files(parcels, tmp_path, monkeypatch):
    monkeypatch.setattr(label_store, "MAX_FILES", 10)
    lazy = rasterize(parcels, GRID, store=tmp_path / "s.zarr", chunks=16)
    assert zarr.open_group(tmp_path / "s.zarr")["label"].shards == (64, 64)
    assert (
        len([path for path in (tmp_path / "s.zarr/label/c").rglob("*") if path.is_file()]) == 4 * 5
    )
    assert np.array_equal(rasterize(parcels, GRID), lazy)


def test_a_missing_chunk_is_an_error(store, another_process):
    (store / "label/c/1/2").unlink()
    gone = r"label/c/1/2 is gone.*Make it again"
    lazy = open_labels(store)["label"]
    for scheduler, pool in (("threads", None), ("processes", another_process)):
        with (
            dask.config.set(scheduler=scheduler, pool=pool, num_workers=1),
            pytest.raises(VerificationError, match=gone),
        ):
            lazy.compute()
    with pytest.raises(VerificationError, match=gone):
        read_window(store, "label", (64, 128), (10, 10))
    assert read_window(store, "label", (0, 0), (10, 10)).shape == (10, 10)


@pytest.mark.parametrize("sharded", [False, True])
def test_a_missing_chunk_is_an_error_whichever_way_zarr_reads(parcels, tmp_path, monkeypatch, sharded):  # fmt: skip
    """Seen to fail: the pipeline that asks a store without waiting read zeros."""
    if sharded:
        monkeypatch.setattr(label_store, "MAX_FILES", 10)
    store = tmp_path / "labels.zarr"
    rasterize(parcels, GRID, store=store, chunks=16 if sharded else 64)
    whole = open_zarr_array(store, "label")[:]
    (store / "label/c/1/2").unlink()
    with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.FusedCodecPipeline"}):
        array = open_zarr_array(store, "label")
        assert np.array_equal(array[:64, :64], whole[:64, :64])
        for read in (lambda: array[:], open_labels(store)["label"].load):
            with pytest.raises(VerificationError, match=r"label/c/1/2 is gone"):
                read()


def test_labels_that_others_took_the_place_of_are_told_when_they_are_read(parcels, store, another_process):  # fmt: skip
    """Seen to fail: chunks of the labels that were made again, under the numbers of those that were opened."""
    rows, again = (open_labels(store)["label"] for _ in range(2))
    held = pickle.dumps(rows)
    assert rows.data.name == again.data.name
    shutil.rmtree(store)
    rasterize(parcels.iloc[::-1], GRID, store=store, chunks=64)
    replaced = open_labels(store)["label"]
    assert replaced.data.name != rows.data.name, "Dask would take one for the other"
    for lazy in (rows, pickle.loads(held)):
        for scheduler, pool in (("threads", None), ("processes", another_process)):
            with (
                dask.config.set(scheduler=scheduler, pool=pool, num_workers=1),
                pytest.raises(
                    VerificationError, match="was made again, or removed, since it was opened"
                ),
            ):
                lazy.compute()
    assert np.array_equal(replaced, rasterize(parcels.iloc[::-1], GRID))
    shutil.rmtree(store)
    with pytest.raises(VerificationError, match="since it was opened"):
        replaced.compute()


def test_labels_under_other_numbers_are_the_same_labels(parcels, store, tmp_path, monkeypatch):
    """Seen to fail: on another machine a share has another device, and what is copied has other numbers as well."""
    lazy, whole = open_labels(store)["label"], rasterize(parcels, GRID)
    held = pickle.dumps(lazy)
    stamp = whole_store.stamp_of
    monkeypatch.setattr(
        whole_store, "stamp_of", lambda path: (*stamp(path)[:3], stamp(path)[3] + 1)
    )
    assert np.array_equal(pickle.loads(held), whole)
    monkeypatch.undo()
    copied = tmp_path / "copied"
    shutil.copytree(store, copied)
    shutil.rmtree(store)
    copied.rename(store)
    assert np.array_equal(lazy, whole)
    chunk = store / "label/c/1/2"
    chunk.unlink()
    with pytest.raises(VerificationError, match=r"label/c/1/2 is gone"):
        open_labels(store)["label"].compute()


def test_an_array_without_dimensions_has_a_chunk_as_well(store):
    """Caught: the number of spatial_ref was written nowhere, so that an undamaged store did not load whole."""
    assert open_labels(store).load()["spatial_ref"].item() == 0
    (store / "spatial_ref/c").unlink()
    gone = r"spatial_ref/c is gone.*Make it again: carbongrid run --replace if a run wrote it, else as it was made"
    with pytest.raises(VerificationError, match=gone):
        open_zarr_array(store, "spatial_ref")[...]
    with pytest.raises(VerificationError, match=gone):
        open_labels(store).load()


def test_a_flipped_bit_is_an_error(store):
    random = np.random.default_rng(0)
    for _ in range(40):
        chunk = store / "label/c/1/2"
        whole = chunk.read_bytes()
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        chunk.write_bytes(damaged)
        with pytest.raises(Exception, match=r".+"):
            read_window(store, "label", (64, 128), (64, 64))
        chunk.write_bytes(whole)


@pytest.mark.parametrize(
    ("corner", "shape"), [((0, 10), (64, 64)), ((0, 0), (60, 64)), ((64, 256), (64, 43))]
)
def test_misaligned_writes_are_refused(store, corner, shape):
    before = open_labels(store)["label"].values
    with pytest.raises(InputError, match="not aligned"):
        write_window(store, "label", corner, np.ones(shape, np.uint32))
    assert np.array_equal(open_labels(store)["label"], before)


def test_a_store_that_is_made_again_is_written_to_as_it_is_now(tmp_path):
    """As large, and as old. Seen to fail when an opened array is known by its path, and by size and time of what describes it."""
    path, written = tmp_path / "labels.zarr", []
    for side in ((16, 64), (64, 16)):
        height, width = side
        grid = Grid(
            CRS, 10, (4_000_000, 3_000_000, 4_000_000 + 10 * width, 3_000_000 + 10 * height)
        )
        shutil.rmtree(path, ignore_errors=True)
        label_store.create_label_store(path, grid, {"label": "0" * 64}, 64)
        os.utime(path / "label" / "zarr.json", (0, 0))
        labels = np.arange(16 * 64, dtype=np.uint32).reshape(side)
        write_window(path, "label", (0, 0), labels)
        written.append((path / "label" / "zarr.json").stat().st_size)
        assert np.array_equal(open_labels(path)["label"], labels)
    assert written[0] == written[1]


def test_refusals(parcels, store):
    with pytest.raises(InputError, match="Reproject"):
        rasterize(parcels.to_crs(3034), GRID)
    with pytest.raises(InputError, match="exists already"):
        rasterize(parcels, GRID, store=store)
    with pytest.raises(InputError, match="positive number"):
        rasterize(parcels, GRID, store=store.with_name("t.zarr"), chunks=0)


def test_rasters_that_fit_nowhere_are_refused_at_once(tmp_path):
    """Seen to ask the system for terabytes, and to begin files without end."""
    endless = Grid(CRS, 1, (0, 0, 3_000_000, 3_000_000))
    boxes = np.array([shapely.box(0, 0, 9, 9)])
    with pytest.raises(
        InputError,
        match=r"^labels of 3,000,000 x 3,000,000 cells need 36,000.0 GB of memory, .* store=, ",
    ):
        rasterize(boxes, endless)
    with pytest.raises(
        InputError, match=r"would be 900,000,000 chunks of 100 cells .* larger chunks"
    ):
        rasterize(boxes, endless, store=tmp_path / "s.zarr", chunks=100)
    assert not (tmp_path / "s.zarr").exists()
    assert overlap(boxes, boxes, grid=endless).toarray().tolist() == [[81]]


def test_later_rows_win():
    shapes = np.array([shapely.box(0, 0, 40, 40), shapely.box(20, 20, 60, 60)])
    grid = Grid(CRS, 10, (0, 0, 60, 60))
    assert rasterize(shapes, grid).values[3].tolist() == [1, 1, 2, 2, 2, 2]
    assert rasterize(shapes[::-1], grid).values[3].tolist() == [2, 2, 2, 2, 1, 1]


@pytest.mark.parametrize("size", [1e19, 1e30, 1e99])
def test_coordinates_that_fit_no_integer(size):
    """Seen to write outside its arrays (a crash) when columns and rows are made integers before they are clipped."""
    grid = Grid(CRS, 1, (0, 0, 10, 30))
    steep = shapely.Polygon([(-size, -size), (size, -size / 2), (size / 4, size), (-size, size)])
    teeth = [(5, 0), (size, 10), (5, 12), (size, 20), (5, 30)]
    for polygon in (shapely.box(-size, -size, size, size), steep):
        assert (rasterize(np.array([polygon]), grid).values == 1).all()
    found = rasterize(np.array([shapely.Polygon([*teeth, (-size, 15)])]), grid).values
    assert found.max() == 1
    with pytest.raises(InputError, match=r"beyond 1e\+100, NaN or infinite in rows \[1\]"):
        Polygons.of(np.array([steep, shapely.box(0, 0, 1, 1e101)]), CRS)


def test_a_store_of_one_column_at_zero_is_whole(tmp_path):
    """Seen to be called damaged: of a coordinate that is 0 no chunk was written."""
    grid = Grid.of_corner(CRS, 10.0, (-5.0, 45.0), (5, 1))
    land = np.array([shapely.box(-5, -5, 5, 45)])
    stored = rasterize(land, grid, store=tmp_path / "one.zarr")
    assert stored.values.tolist() == rasterize(land, grid).values.tolist() == [[1]] * 5


def test_a_grid_made_of_numbers_of_numpy_has_a_geotransform():
    """Seen to be written ``np.float64(3.3)``."""
    grid = Grid.of_corner(CRS, np.float64(10), (np.float64(3.3), np.float64(40)), (4, 4))
    text = rasterize(np.array([None], object), grid)["spatial_ref"].attrs["GeoTransform"]
    assert text == "3.3 10.0 0.0 40.0 0.0 -10.0"
    around = Grid.around(Polygons.of(gpd.GeoSeries([shapely.box(0, 0, 25, 5)], crs=CRS)), 10)
    assert around.shape == (1, 3)
    for nothing in (gpd.GeoSeries([], crs=CRS), Polygons.of(gpd.GeoSeries([None], crs=CRS))):
        with pytest.raises(InputError, match="polygons are empty"):
            Grid.around(nothing, 10)


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
def test_land_that_is_on_the_grid_a_turn_further_is_refused():
    """Seen to find nothing, where zonal statistics by centres found 100 cells."""
    grid = Grid("EPSG:4326", 1, (0, -90, 360, 90))
    west = gpd.GeoSeries([shapely.box(10, 10, 20, 20), shapely.box(-20, 10, -10, 20)], crs=4326)
    for call in (lambda: rasterize(west, grid), lambda: overlap(west, west, grid=grid)):
        with pytest.raises(InputError, match=r"row 1: 1 polygon has .* only after a whole turn"):
            call()
    assert (rasterize(west.translate(360).iloc[1:], grid) > 0).sum() == 100
    # Nothing of it holds the centre of a cell, lies on the grid's rows, or is beyond the grid.
    for beside, grid in (
        (shapely.box(177, -18, 180, -16), Grid.of_corner("EPSG:4326", 0.25, (-180.125, 90.125), (721, 1440))),
        (shapely.box(-100, -60, -90, -50), Grid("EPSG:4326", 1, (200, 0, 300, 50))),
        (shapely.box(10, 10, 20, 20), Grid("EPSG:4326", 1, (-180, 0, 540, 90))),
    ):  # fmt: skip
        rasterize(gpd.GeoSeries([beside], crs=4326), grid)
    whole = Grid("EPSG:4326", 1, (-180, -90, 180, 90))
    world = gpd.GeoSeries([shapely.box(-180, -90, 180.0000001, 90)], crs="OGC:CRS84")
    assert (rasterize(world, whole) > 0).all()
