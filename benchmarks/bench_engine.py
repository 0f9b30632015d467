"""Time and peak memory of the engine (asv).

Kernels are compiled in ``setup``, on a tiny piece of the same work; lazy results are realized inside the timed body.
``SIDE`` and ``COUNT`` are small enough for minutes; tests/test_benchmarks.py runs each once on next to nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import landuse
import zarr

import carbongrid as cg
from carbongrid.raster.chunked import label_and_count, recount

SIDE = 40_000.0
COUNT = 10_000
UNITS = 50


class Land:
    """Parcels and units on a 10 m grid, prepared."""

    timeout = 600

    def setup(self, *_: Any) -> None:
        self.frame = landuse.parcels(COUNT, SIDE)
        self.units_frame = landuse.townships(UNITS, SIDE)
        self.parcels, self.units = cg.Polygons.of(self.frame), cg.Polygons.of(self.units_frame)
        self.grid = cg.Grid(landuse.CRS, 10, (0, 0, SIDE, SIDE), snap=1000)
        self.folder = tempfile.TemporaryDirectory()
        few, tiny = self.parcels.take([0, 1]), cg.Grid(landuse.CRS, 100, (0, 0, 2000, 2000))
        cg.overlap(few, few, grid=tiny)
        cg.coverage(few, tiny)

    def teardown(self, *_: Any) -> None:
        self.folder.cleanup()

    def path(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder.name)) / "labels.zarr"


class Prepare(Land):
    """From shapely to ragged arrays."""

    def time_polygons_of(self) -> None:
        cg.Polygons.of(self.frame)


class Rasterize(Land):
    """Labels in memory and in Zarr."""

    def time_in_memory(self) -> None:
        cg.rasterize(self.parcels, self.grid)

    def time_to_zarr(self) -> None:
        cg.rasterize(self.parcels, self.grid, store=self.path())

    peakmem_to_zarr = time_to_zarr


class Reduce(Land):
    """Counts and areas straight from polygons."""

    def time_overlap(self) -> None:
        cg.overlap(self.parcels, self.units, grid=self.grid)

    peakmem_overlap = time_overlap

    def time_coverage_of_cells(self) -> None:
        cg.coverage(self.parcels, self.grid.coarsen(1000))

    def time_coverage_of_units(self) -> None:
        cg.coverage(self.parcels, self.units)


class LabelAndCount(Land):
    """The whole pass of a run, by scheduler."""

    params = ("synchronous", "threads")
    param_names = ("scheduler",)

    def time_label_and_count(self, scheduler: str) -> None:
        label_and_count(self.parcels, self.units, self.grid, 1000, self.path(), scheduler=scheduler)

    def peakmem_label_and_count(self, scheduler: str) -> None:
        label_and_count(self.parcels, self.units, self.grid, 1000, self.path(), scheduler=scheduler)


class FromLabels(Land):
    """Reductions and lookups on label rasters."""

    def setup(self, *_: Any) -> None:
        super().setup()
        self.labels = cg.rasterize(self.parcels, self.grid)
        self.unit_labels = cg.rasterize(self.units, self.grid)
        self.values = np.random.default_rng(0).random(self.grid.shape)
        self.field = np.zeros(self.grid.shape)
        self.mass = np.full(len(self.parcels), 10**9)
        self.store = self.path()
        label_and_count(self.parcels, self.units, self.grid, 1000, self.store)
        cg.zonal_sum(np.ones((2, 2)), np.ones((2, 2), int), 1)
        cg.block_sum(np.ones((2, 2)), 2)

    def time_zonal_sum(self) -> None:
        cg.zonal_sum(self.values, self.labels, len(self.parcels))

    def time_zonal_sum_quantized(self) -> None:
        cg.zonal_sum(self.values, self.labels, len(self.parcels), quantum=2.0**-30)

    def time_zonal_min(self) -> None:
        cg.zonal_min(self.values, self.labels, len(self.parcels))

    def time_zonal_count_from_zarr(self) -> None:
        stored = zarr.open_array(self.store, path="parcel", mode="r")
        cg.zonal_count(stored, stored, len(self.parcels))

    def time_weighted_crosstab(self) -> None:
        shape = (len(self.parcels), len(self.units))
        cg.crosstab(
            self.labels, self.unit_labels, shape=shape, values=self.values, quantum=2.0**-30
        )

    def time_lookup(self) -> None:
        cg.lookup(self.mass, self.labels, out=self.field)

    def time_lookup_sum(self) -> None:
        cg.lookup_sum(self.mass, self.labels, 100)

    peakmem_lookup_sum = time_lookup_sum

    def time_crosstab(self) -> None:
        cg.crosstab(self.labels, self.unit_labels, shape=(len(self.parcels), len(self.units)))

    def time_spread(self) -> None:
        cg.spread(self.mass, self.labels, polygons=self.parcels)

    def time_spread_from_zarr(self) -> None:
        from carbongrid.raster.label_store import open_labels

        cg.block_sum(
            cg.spread(self.mass, open_labels(self.store)["parcel"], polygons=self.parcels), 100
        ).compute()

    def time_block_sum(self) -> None:
        cg.block_sum(self.values, 100)

    def time_recount(self) -> None:
        recount(self.store, len(self.parcels), len(self.units), 1000)


class Apportion:
    """Exact splits of a million parts."""

    params = ("int64", "float64")
    param_names = ("dtype",)

    def setup(self, dtype: str) -> None:
        weights = np.random.default_rng(0).integers(0, 2**30, 100 * COUNT)
        self.weights = weights.astype(dtype)
        self.start = np.arange(0, weights.size + 1, 4)
        cg.apportion(1, self.weights[:4])

    def time_one_row(self, _dtype: str) -> None:
        cg.apportion(2**62, self.weights)

    def time_many_rows(self, _dtype: str) -> None:
        cg.apportion(10**12, self.weights, self.start)
