"""Statistics by exact shares of cells: the operator built and applied, against extractrs, exactextract, geohalo and numbagg.

Sizes are those that are published or aimed at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import landuse
import numpy as np
import rioxarray  # noqa: F401  (registers .rio)
import shapely
import xarray as xr
from measuring import Measured, Row, installed, measured, of_peer

import carbongrid as cg

_STRATEGIES = ("feature-sequential", "raster-sequential")
# exactextract keeps shares as float32.
_NEAR = 1e-4


class Sizes(NamedTuple):
    """Polygons and cells along a side of each comparison, and days."""

    layers: tuple[int, int]
    days: tuple[int, int]
    stored: tuple[int, int]
    large: tuple[int, int]


FULL = Sizes((225_000, 7_937), (5_600, 365), (8_000, 122_880), (100_000, 16_384))
SMALL = Sizes((60, 128), (20, 2), (20, 256), (26, 256))


def zonal(sizes: Sizes) -> Iterator[Row]:
    """Polygons of 280 cells each, a year of a global grid, a raster from Zarr, and large polygons with their quantiles."""
    yield from _layers(*sizes.layers)
    yield from _days(*sizes.days)
    yield from _stored(*sizes.stored)
    yield from _large(*sizes.large)


def _land(count: int, side: float) -> gpd.GeoDataFrame:
    return landuse.parcels(count, side).drop(columns="id")


def _raster(grid: cg.Grid, dtype: str = "f4") -> xr.DataArray:
    template = cg.rasterize(np.array([None]), grid)
    values = np.random.default_rng(0).random(grid.shape, dtype=dtype)
    return template.copy(data=values).assign_attrs(polygons=None).rio.write_crs(grid.crs)


def _exactextract(raster: Any, land: Any, stats: list[str], strategy: str) -> Callable[[], Any]:
    def call() -> Any:
        import exactextract

        return exactextract.exact_extract(raster, land, stats, output="pandas", strategy=strategy)

    return call


def _cache(land: gpd.GeoDataFrame, grid: cg.Grid) -> Any:
    import extractrs

    wkb = [geometry.wkb for geometry in land.geometry]
    side = grid.resolution
    west, south, east, north = grid.bounds
    return extractrs.build_cache(wkb, list(range(len(wkb))), west, south, east, north, side, side)


def _layers(count: int, cells: int) -> Iterator[Row]:
    side = cells * 30.0
    land, grid = _land(count, side), cg.Grid(landuse.CRS, 30, (0, 0, side, side))
    raster = _raster(grid)
    doubles = raster.values.astype(np.float64)
    size = f"{len(land)} polygons, {doubles.size / 1e6:.2g} Mcells"

    def row(
        work: str, peer: str, mine: Measured, other: Measured | None, goal: float | None, note: str = ""
    ) -> Row:  # fmt: skip
        return Row("zonal", work, peer, size, mine, other, goal, note)

    build = measured(lambda: cg.ZonalOperator(land, grid))
    operator = cg.ZonalOperator(land, grid)
    layer = measured(lambda: operator.apply(raster, "mean"))
    alone = measured(lambda: cg.zonal_stats(raster, land, "mean"))
    mean = operator.apply(raster, "mean")["mean"].values
    if installed("extractrs"):
        import extractrs

        note = "WKB is made in the time, as its accessor does"
        yield row("build", "extractrs", build, measured(lambda: _cache(land, grid)), 8, note)
        cache = _cache(land, grid)
        odd = _apart(mean, extractrs.apply_stat(cache, doubles, -9999.0, "mean"))
        # Where holes share a cell; exactextract and carbongrid agree there.
        assert odd < 0.01 * len(land)
        theirs = measured(lambda: extractrs.apply_stat(cache, doubles, -9999.0, "mean"))
        yield row(
            "mean of a further layer",
            "extractrs",
            layer,
            theirs,
            4,
            f"float64 for it; its mean is another one in {odd} polygons with holes",
        )
        theirs = measured(lambda: extractrs.apply_stat(_cache(land, grid), doubles, -9999.0, "mean"))  # fmt: skip
        yield row("mean of one layer, with the build", "extractrs", alone, theirs, None)
    if installed("exactextract"):
        # Its best strategy here: with feature-sequential, 4,495 of these polygons took 12.6 s where this took 0.9 s.
        theirs, found = _measured_once(_exactextract(raster, land, ["mean"], "raster-sequential"))
        _require_near(mean, found["mean"])
        peer = "exactextract, raster-sequential"
        yield row("mean of a further layer", peer, layer, theirs, 100)
        yield row("mean of one layer, with the build", peer, alone, theirs, None)


def _days(count: int, days: int) -> Iterator[Row]:
    """A global grid of a quarter degree, day by day; per day on both sides."""
    grid = cg.Grid("EPSG:4326", 0.25, (-180, -90, 180, 90))
    random = np.random.default_rng(3)
    points = random.random((count, 2)) * (340, 128) - (170, 56)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points)))
    cells = shapely.intersection(cells, shapely.box(-170, -56, 170, 72))
    land = gpd.GeoDataFrame(geometry=shapely.segmentize(cells, 0.2), crs=4326)
    planes = random.random((days, *grid.shape), dtype="f4")
    one = _raster(grid)
    cube = xr.DataArray(
        planes, dims=("time", "y", "x"), coords={"y": one.y, "x": one.x}
    ).rio.write_crs(4326)
    operator = cg.ZonalOperator(land, grid)
    size = f"{len(land)} polygons, 0.25 degrees, {days} days"

    def per_day(of: Measured, times: int) -> Measured:
        return Measured(of.seconds / times, of.peak, of.runs)

    ours = measured(lambda: operator.apply(cube, "mean", weights="cells"))
    ours = per_day(ours, days)
    mean = operator.apply(cube, "mean", weights="cells")["mean"].values

    def row(peer: str, other: Measured | None, goal: float | None, note: str = "") -> Row:
        return Row("zonal", "mean of a day", peer, size, ours, other, goal, note)

    for strategy in _STRATEGIES if installed("exactextract") else ():
        theirs, found = _measured_once(_exactextract(cube[0], land, ["mean"], strategy))
        _require_near(mean[0], found["mean"])
        yield row(f"exactextract, {strategy}", theirs, 5, "one day of theirs")
    if installed("extractrs"):
        import extractrs

        cache, doubles = _cache(land, grid), planes.astype(np.float64)
        theirs = measured(lambda: extractrs.apply_stat_batch(cache, doubles, -9999.0, "mean"))
        yield row("extractrs", per_day(theirs, days), None, "float64 for it")
    if installed("geohalo"):
        from geohalo import ReduceOperator, Stencil, reduce_with_operator

        degrees = cube.rename(y="latitude", x="longitude")
        places = (degrees.latitude.values, degrees.longitude.values)
        stencil = Stencil.compute(*places, land.geometry, spherical_correction=False)
        reducer = ReduceOperator.compute(stencil, *places)
        theirs = measured(lambda: reduce_with_operator(degrees, reducer, skipna=True))
        yield row("geohalo", per_day(theirs, days), None, "unknown cells are left out")


def _stored(count: int, cells: int) -> Iterator[Row]:
    """A byte of land cover for each cell, in a Zarr store on disk: reading them is what it should take."""
    import dask.array as da

    side = cells * 10.0
    land, grid = _land(count, side), cg.Grid(landuse.CRS, 10, (0, 0, side, side))
    template = cg.rasterize(np.array([None]), grid, chunks=2048)
    cover = da.random.default_rng(0).integers(0, 100, grid.shape, dtype="u1", chunks=2048)
    raster = template.copy(data=cover).assign_attrs(polygons=None).rio.write_crs(grid.crs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raster.zarr"
        raster.rename("cover").to_zarr(path, consolidated=False)
        operator = cg.ZonalOperator(land, grid)
        ours = measured(lambda: operator.apply(path, ["sum", "mean"]).compute())
        stored = da.from_zarr(str(path / "cover"))
        reading = measured(lambda: stored.sum().compute())
        size = f"{len(land)} polygons, {raster.size / 1e9:.2g} Gcells of a byte"
        yield Row("zonal", "sum and mean from Zarr", "reading, and one sum of all", size, ours, reading, 1 / 1.3)  # fmt: skip


def _large(count: int, cells: int) -> Iterator[Row]:
    """Polygons of some 2,700 cells: moments against numbagg on labels made before, quantiles against exactextract."""
    side = cells * 10.0
    land, grid = _land(count, side), cg.Grid(landuse.CRS, 10, (0, 0, side, side))
    raster = _raster(grid)
    operator = cg.ZonalOperator(land, grid)
    size = f"{len(land)} polygons, {raster.size / 1e6:.2g} Mcells"
    ours = measured(lambda: operator.apply(raster, ["sum", "mean", "std"]))

    def row(work: str, peer: str, mine: Measured, other: Measured | None, goal: float) -> Row:
        return Row("zonal", work, peer, size, mine, other, goal)

    if installed("numbagg"):
        labels = cg.rasterize(land, grid).values.ravel().astype(np.int64)
        flat = raster.values.ravel()

        def theirs() -> None:
            import numbagg

            for function in (numbagg.group_nansum, numbagg.group_nanmean, numbagg.group_nanstd):
                function(flat, labels, num_labels=len(land) + 1)

        peer = "numbagg's three, by labels made before"
        yield row("sum, mean and std", peer, ours, measured(theirs), 15)
    median = measured(lambda: operator.apply(raster, "median"))
    yield row(
        "median", "exactextract, raster-sequential", median,
        of_peer("exactextract", _exactextract(raster, land, ["median"], "raster-sequential"), 1), 10,
    )  # fmt: skip


def _measured_once(call: Callable[[], Any]) -> tuple[Measured, Any]:
    """Return what a call takes that may take minutes, and what it finds."""
    found = []
    return measured(lambda: found.append(call()), runs=1), found[0]


def _require_near(ours: Any, theirs: Any) -> None:
    assert not _apart(ours, theirs)


def _apart(ours: Any, theirs: Any) -> int:
    near = np.isclose(ours, np.asarray(theirs, np.float64), rtol=_NEAR, equal_nan=True)
    return int(np.count_nonzero(~near))
