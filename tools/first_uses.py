"""What users do first, so that ``tools/platform_wheel.py`` knows which kernels to compile, and for which types: the array functions, a town and what it is asked."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import rasterio
import shapely
import xarray as xr

import carbongrid as cg
from carbongrid.cli import main as carbongrid
from carbongrid.raster.polygons import Excerpt
from carbongrid.raster.polygons.entry import multipolygons_of_wkb
from carbongrid.raster.polygons.tiles import inverse_of

STORED = [
    "uint8",
    "int8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
]
"""Types that rasters have in files."""


def use_it() -> None:
    """Use all of it, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        use_arrays(Path(name))
        use_a_town(Path(name))


def use_arrays(folder: Path) -> None:
    """Call the array functions with rasters of every stored type, whole and with unknown cells, in memory and lazily."""
    grid = cg.Grid("EPSG:32650", 10, (0, 0, 1000, 1000))
    pond = shapely.Point(500, 500).buffer(120)
    frame = gpd.GeoDataFrame(
        {"id": ["a", "b", "c"]},
        geometry=[
            shapely.box(0, 0, 455, 1000).difference(pond),
            shapely.box(455, 0, 990, 1000).difference(pond),
            shapely.MultiPolygon([pond, shapely.box(991, 3, 994, 4)]),
        ],
        crs="EPSG:32650",
    )
    polygons, halves = (
        cg.Polygons.of(frame),
        cg.Polygons.of(shapely.box(0, [0, 430], 1000, [430, 1000]), crs="EPSG:32650"),
    )
    labels, others = cg.rasterize(frame, grid), cg.rasterize(halves, grid)
    cg.rasterize(polygons, grid, store=folder / "labels.zarr")
    coarse, table = grid.coarsen(100), np.arange(4.0)
    (
        cg.overlap(polygons, halves, grid=grid),
        cg.coverage(polygons, coarse),
        cg.area_field(polygons, coarse, table[1:]),
    )
    cg.crosstab(labels, others), cg.lookup(table, labels), cg.lookup_sum(table, labels, 10)
    cg.spread(np.ones(3), labels, polygons=frame, weights=xr.ones_like(labels, dtype="float64"))
    multipolygons_of_wkb(pa.array(shapely.to_wkb(frame.geometry.to_numpy())))
    # What a cluster is sent: polygons cut down to what a tile needs.
    Excerpt(polygons, np.arange(3), np.arange(1, 4), (0, 0, 50, 50), inverse_of(grid)).cut()
    cg.apportion([10**9], np.ones(4), np.array([0, 4]))
    cg.apportion([10**9, 3], np.ones(4), np.array([0, 2, 4]))
    operator = cg.ZonalOperator(frame, grid)
    operator.save(folder / "operator.parquet")
    for dtype, lazily, hidden in product(STORED, (False, True), (False, True)):
        values = labels.copy(
            data=(np.arange(labels.size).reshape(labels.shape) % 7 + 1).astype(dtype)
        )
        if hidden:
            values = values.assign_attrs(_FillValue=values.dtype.type(3).item())
        use_raster(values.chunk(y=40, x=40) if lazily else values, labels, others, operator)
        # As many labels as cells, so that tables grow.
        cg.zonal_sum(
            values, np.arange(labels.size, dtype="uint32").reshape(labels.shape), labels.size
        )


def use_raster(values: Any, labels: Any, others: Any, operator: cg.ZonalOperator) -> None:
    """Take every statistic of a raster, by labels and by shares of cells, with weights and without."""
    weights = xr.ones_like(values, dtype="float64")
    each: list[Callable[[], Any]] = [
        lambda: cg.zonal_sum(values, labels, 4),
        lambda: cg.zonal_sum(values, labels, 4, quantum=2.0**-20),
        lambda: cg.zonal_stats(values, labels, n=4),
        lambda: cg.crosstab(labels, others, values=values),
        lambda: cg.block_sum(values, 10),
        lambda: operator.apply(values, ["sum"]),
        lambda: operator.apply(values, ["mean"]),
        lambda: operator.apply(
            values, ["count", "sum", "mean", "std", "min", "max", "valid_fraction"]
        ),
        lambda: operator.apply(values, ["median", "quantile_90"]),
        lambda: operator.apply(
            values, ["fractions", "majority", "minority", "variety"], classes=np.arange(1, 8)
        ),
        lambda: operator.apply(values, ["sum", "mean", "std"], weights=weights),
        lambda: operator.apply(values, ["median", "majority"], weights=weights),
    ]
    for call in each:
        call().compute()


def use_a_town(folder: Path) -> None:
    """Run the small demo with its years and its plan, ask it all that the command line can, and make parcels of a raster for it."""
    town = folder / "town"
    units = town / "case" / "townships.gpkg"
    ask("demo", town, "--size", "small", "--years")
    for question in QUESTIONS:
        ask(question, town / "run")
    cover = land_cover(folder, units)
    ask(
        "from-raster",
        cover,
        "--units",
        units,
        "--codes",
        "worldcover",
        "--out",
        folder / "land.parquet",
    )


def ask(*words: str | Path) -> None:
    """Do as the command line does."""
    carbongrid([str(word) for word in words], standalone_mode=False)


QUESTIONS = [
    "verify",
    "margins",
    "probability",
    "audit-choices",
    "audit-scale",
    "skill",
    "compensation",
    "inequality",
    "targets",
    "figures",
]


def land_cover(folder: Path, units: Path) -> Path:
    """Write a raster of WorldCover's codes that covers the units."""
    frame = gpd.read_file(units)
    west, _, _, north = frame.total_bounds
    codes = np.kron(np.arange(400).reshape(20, 20) % 6 * 10 + 10, np.ones((20, 20))).astype("uint8")
    profile = {
        "driver": "GTiff",
        "width": 400,
        "height": 400,
        "count": 1,
        "dtype": "uint8",
        "crs": frame.crs,
    }
    with rasterio.open(
        folder / "cover.tif",
        "w",
        transform=rasterio.transform.from_origin(west, north, 60, 60),
        **profile,
    ) as target:
        target.write(codes, 1)
    return folder / "cover.tif"
