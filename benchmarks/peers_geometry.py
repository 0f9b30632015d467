"""What starts from polygons, against rusterize, geocube, rasterizer and exactextract."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator

import geopandas as gpd
import landuse
import measuring
import numpy as np
import shapely
from measuring import Measured, Row, measured, of_peer

import carbongrid as cg

BAND = 4096


class Land:
    """Parcels and units, prepared and as frames, with the fine grid."""

    def __init__(self, count: int, side: float, units: int) -> None:
        self.frame = landuse.parcels(count, side)
        self.frame["label"] = np.arange(1, len(self.frame) + 1, dtype=np.uint32)
        self.units_frame = landuse.townships(units, side)
        self.units_frame["label"] = np.arange(1, len(self.units_frame) + 1, dtype=np.uint32)
        self.parcels, self.units = cg.Polygons.of(self.frame), cg.Polygons.of(self.units_frame)
        self.grid = cg.Grid(landuse.CRS, 10, (0, 0, side, side), snap=1000)
        cells = self.grid.shape[0] * self.grid.shape[1]
        self.size = f"{len(self.frame)} parcels, {cells / 1e6:.0f} Mcells"


def labels(land: Land) -> Iterator[Row]:
    """Dense labels, from prepared polygons and from a GeoDataFrame."""
    grid, frame = land.grid, land.frame
    prepared = measured(lambda: cg.rasterize(land.parcels, grid))
    unprepared = measured(lambda: cg.rasterize(frame, grid))
    note = ""
    if measuring.installed("rusterize"):
        unlike = _rusterized(frame, grid) != cg.rasterize(land.parcels, grid).values
        note = f"{np.count_nonzero(unlike)} cells differ"
    for name, function, goals in (
        ("rusterize", lambda: _rusterized(frame, grid), (7, 2.5)),
        ("geocube", lambda: _geocubed(frame, grid), (20, 10)),
    ):
        theirs = of_peer(name, function)
        told = note if name == "rusterize" else ""
        yield Row(
            "labels", "labels, prepared polygons", name, land.size, prepared, theirs, goals[0], told
        )
        yield Row(
            "labels", "labels from a GeoDataFrame", name, land.size, unprepared, theirs, goals[1]
        )


def overlaps(land: Land) -> Iterator[Row]:
    """Cells that parcels and units have in common, from polygons; the peers go in bands of rows."""
    grid = land.grid
    ours = measured(lambda: cg.overlap(land.parcels, land.units, grid=grid))
    from_frames = measured(lambda: cg.overlap(land.frame, land.units_frame, grid=grid))
    fine = cg.Grid(landuse.CRS, 2.5, grid.bounds)
    finer = measured(lambda: cg.overlap(land.parcels, land.units, grid=fine))
    # numpy.unique sorts: quickly where NumPy has AVX-512, at a fifth of that elsewhere; to count in an array takes the same anywhere.
    counted = of_peer("rusterize", lambda: _banded_pairs(land, _rusterized, _by_bincount))
    rusterize = of_peer("rusterize", lambda: _banded_pairs(land, _rusterized, _by_unique))
    geocube = of_peer("geocube", lambda: _banded_pairs(land, _geocubed, _by_bincount))
    size = f"{land.size}, {len(land.units)} units"

    def row(
        work: str,
        peer: str,
        mine: Measured,
        theirs: Measured | None,
        goal: float | None,
        note: str = "",
    ) -> Row:
        return Row("overlaps", work, peer, size, mine, theirs, goal, note)

    work = "parcels x units, prepared polygons"
    yield row(work, "rusterize twice + numpy.bincount", ours, counted, 25)
    yield row(work, "rusterize twice + numpy.unique", ours, rusterize, None)
    yield row(work, "geocube twice + numpy.bincount", ours, geocube, 100)
    work = "parcels x units, from GeoDataFrames"
    yield row(work, "rusterize twice + numpy.bincount", from_frames, counted, None)
    yield row(
        "parcels x units at 2.5 m", "itself at 10 m", finer, ours, 1 / 3,
        f"{finer.seconds / ours.seconds:.1f} times the time at 10 m; at most 3 is aimed at",
    )  # fmt: skip


def areas(land: Land) -> Iterator[Row]:
    """Exact area shares on a 1 km grid, and the field of a mass alone."""
    coarse = land.grid.coarsen(1000)
    ours = measured(lambda: cg.coverage(land.parcels, coarse))
    frame = land.frame
    amounts = shapely.area(frame.geometry.to_numpy())
    field = measured(lambda: cg.area_field(land.parcels, coarse, amounts))
    theirs, note = None, ""
    if measuring.installed("rasterizer"):
        theirs = measured(lambda: _areas_by_rasterizer(frame, coarse))
        mine = np.asarray(cg.coverage(land.parcels, coarse).sum(axis=0)).reshape(coarse.shape)
        apart = np.abs(_areas_by_rasterizer(frame, coarse) - mine).max() / coarse.cell_area
        note = f"at most {apart:.0e} of a cell apart"
    size = f"{len(land.frame)} parcels, {coarse.shape[0]} x {coarse.shape[1]} cells of 1 km"
    yield Row(
        "areas",
        "area shares on a 1 km grid, as CSR",
        "rasterizer, area mode, sums only",
        size,
        ours,
        theirs,
        12,
        note,
    )
    yield Row(
        "areas", "area per cell of a 1 km grid", "rasterizer, area mode", size, field, theirs, 40
    )


def _areas_by_rasterizer(frame: gpd.GeoDataFrame, grid: cg.Grid) -> np.ndarray:
    from rasterizer import rasterize_polygons

    # It wants y to rise.
    return rasterize_polygons(frame, grid.x, grid.y[::-1], crs=landuse.CRS).values[::-1]


def weighted(land: Land) -> Iterator[Row]:
    """Sums of a weight raster, by cell centres here and by exact shares of cells in exactextract."""
    grid = land.grid
    values = cg.rasterize(land.parcels, grid).copy(data=_smooth(grid.shape))
    frame = land.units_frame[["label", "geometry"]]
    everywhere = gpd.GeoSeries([shapely.box(*grid.bounds)], crs=landuse.CRS)
    theirs, note = None, ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = measured(lambda: cg.weighted_overlap(frame, everywhere, values))
        if measuring.installed("exactextract"):
            theirs = measured(lambda: _exactly_extracted(values.values, frame, grid))
            mine = cg.weighted_overlap(frame, everywhere, values).toarray().ravel()
            apart = np.abs(mine / _exactly_extracted(values.values, frame, grid) - 1).max()
            assert apart < 0.05, "weighted overlap and exactextract differ"
            note = f"by centres; at most {apart:.0e} from exact shares of cells"
    size = f"{len(frame)} units, {values.size / 1e6:.0f} Mcells"
    yield Row(
        "weighted", "sum of a raster per unit", "exactextract", size, ours, theirs, None, note
    )


def _exactly_extracted(values: np.ndarray, frame: gpd.GeoDataFrame, grid: cg.Grid) -> np.ndarray:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    west, south, east, north = grid.bounds
    source = NumPyRasterSource(values, west, south, east, north, srs_wkt=None)
    return exact_extract(source, frame, ["sum"], output="pandas")["sum"].to_numpy()


def _smooth(shape: tuple[int, int]) -> np.ndarray:
    rows, columns = (np.linspace(0, 20, length) for length in shape)
    return 2 + np.sin(rows)[:, None] * np.cos(columns)[None, :]


def _rusterized(frame: gpd.GeoDataFrame, grid: cg.Grid) -> np.ndarray:
    from rusterize import rusterize

    return rusterize(
        frame, out_shape=grid.shape, extent=grid.bounds, field="label", fun="last", background=0, encoding="numpy", dtype="uint32",
    ).reshape(grid.shape)  # fmt: skip


def _geocubed(frame: gpd.GeoDataFrame, grid: cg.Grid) -> np.ndarray:
    from geocube.api.core import make_geocube

    side = grid.resolution
    geometry = shapely.geometry.mapping(shapely.box(*grid.bounds))
    geom = json.dumps({**geometry, "crs": {"type": "name", "properties": {"name": landuse.CRS}}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cube = make_geocube(
            frame, measurements=["label"], resolution=(-side, side), geom=geom, fill=0
        )
    return cube["label"].values


def _by_unique(parcel: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of two label arrays, in order, and how often each is there."""
    keys = parcel.astype(np.uint64) << np.uint64(32) | unit.astype(np.uint64)
    return np.unique(keys, return_counts=True)


def _by_bincount(parcel: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same in an array of a place for each pair that could be: of the labels that are there."""
    there = np.zeros(int(parcel.max()) + 1, np.bool_)
    there[parcel] = True
    rank, units = np.cumsum(there) - 1, int(unit.max()) + 1
    counts = np.bincount((rank[parcel] * units + unit).ravel())
    pair = np.flatnonzero(counts)
    labels = np.flatnonzero(there)[pair // units].astype(np.uint64)
    return labels << np.uint64(32) | (pair % units).astype(np.uint64), counts[pair]


def _banded_pairs(land: Land, burn: object, count: object) -> dict[int, int]:
    """Counts of pairs, band by band, so that the peers' rasters fit into memory."""
    keys, counts = [], []
    west, _, east, north = land.grid.bounds
    for first in range(0, land.grid.shape[0], BAND):
        top = north - first * land.grid.resolution
        rows = min(BAND, land.grid.shape[0] - first)
        bounds = (west, top - rows * land.grid.resolution, east, top)
        band = cg.Grid(landuse.CRS, land.grid.resolution, bounds)
        parcel, unit = (
            burn(frame.iloc[np.sort(frame.sindex.query(shapely.box(*bounds)))], band)
            for frame in (land.frame, land.units_frame)
        )
        pairs, often = count(parcel, unit)
        keys.append(pairs)
        counts.append(often)
    every, place = np.unique(np.concatenate(keys), return_inverse=True)
    return dict(
        zip(every.tolist(), np.bincount(place, np.concatenate(counts)).tolist(), strict=True)
    )


def large_labels(land: Land) -> Iterator[Row]:
    """A million parcels: labels alone, band by band where the peers' rasters would not fit."""
    grid = land.grid
    prepared = measured(lambda: cg.rasterize(land.parcels, grid))
    unprepared = measured(lambda: cg.rasterize(land.frame, grid))
    streamed = measured(lambda: cg.overlap(land.parcels, land.units, grid=grid))
    for name, burn, goals in (
        ("rusterize", _rusterized, (7, 10, 2.5)),
        ("geocube", _geocubed, (30, 40, 10)),
    ):
        theirs = of_peer(name, lambda burn=burn: _banded_labels(land, burn))
        peer = f"{name}, in bands of {BAND} rows"
        works = (
            "labels, prepared polygons",
            "labels streamed into parcels x units",
            "labels from a GeoDataFrame",
        )
        for work, ours, goal in zip(works, (prepared, streamed, unprepared), goals, strict=True):
            yield Row("labels-large", work, peer, land.size, ours, theirs, goal)


def _banded_labels(land: Land, burn: object) -> int:
    west, _, east, north = land.grid.bounds
    total = 0
    for first in range(0, land.grid.shape[0], BAND):
        top = north - first * land.grid.resolution
        rows = min(BAND, land.grid.shape[0] - first)
        bounds = (west, top - rows * land.grid.resolution, east, top)
        touching = np.sort(land.frame.sindex.query(shapely.box(*bounds)))
        total += burn(
            land.frame.iloc[touching], cg.Grid(landuse.CRS, land.grid.resolution, bounds)
        ).size
    return total
