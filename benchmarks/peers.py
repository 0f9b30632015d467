"""Ratios to other tools, in one process, on the same polygons: ``python benchmarks/peers.py [parcels] [side in m]``.

Each side starts from the same GeoDataFrame unless it says "prepared", and realizes its result in full. The best of three
runs counts. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import landuse

import carbongrid as cg

RUNS = 3


def best(function: Callable[[], object]) -> float:
    """Return the least of a few times, in s."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def compare(count: int, side: float) -> list[tuple[str, str, float, float]]:
    """Return work, peer, our time and the peer's time."""
    frame, units = landuse.parcels(count, side), landuse.townships(max(count // 200, 2), side)
    grid = cg.Grid(landuse.CRS, 10, (0, 0, side, side), snap=1000)
    prepared, prepared_units = cg.Polygons.of(frame), cg.Polygons.of(units)
    labels, unit_labels = (
        cg.rasterize(prepared, grid).values,
        cg.rasterize(prepared_units, grid).values,
    )
    mass = np.full(len(frame), 10**9)
    rows: list[tuple[str, str, float, float]] = []

    def add(work: str, peer: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        rows.append((work, peer, best(ours), best(theirs)))

    def burnt_by_rasterio(polygons: object = frame) -> np.ndarray:
        from rasterio.features import rasterize

        shapes = ((shape, row + 1) for row, shape in enumerate(polygons.geometry))
        return rasterize(shapes, out_shape=grid.shape, transform=grid.transform, dtype="uint32")

    assert np.array_equal(burnt_by_rasterio(), labels), "rasterio and carbongrid differ"
    add("labels, prepared", "rasterio", lambda: cg.rasterize(prepared, grid), burnt_by_rasterio)
    add(
        "labels from a GeoDataFrame",
        "rasterio",
        lambda: cg.rasterize(frame, grid),
        burnt_by_rasterio,
    )
    if importlib.util.find_spec("geocube"):
        add(
            "labels from a GeoDataFrame",
            "geocube",
            lambda: cg.rasterize(frame, grid),
            lambda: _geocube(frame),
        )
    else:
        print("geocube is not installed")

    def pairs() -> object:
        keys = burnt_by_rasterio().astype(np.uint64) << np.uint64(32) | burnt_by_rasterio(units)
        return np.unique(keys, return_counts=True)

    add(
        "parcels x units, from polygons",
        "rasterio twice, numpy.unique",
        lambda: cg.overlap(frame, units, grid=grid),
        pairs,
    )
    shape = (len(frame), len(units))
    keys = labels.astype(np.uint64) << np.uint64(32) | unit_labels
    add(
        "crosstab of two label arrays",
        "numpy.unique",
        lambda: cg.overlap(labels, unit_labels, shape=shape),
        lambda: np.unique(keys, return_counts=True),
    )
    values = np.random.default_rng(0).random(labels.shape)
    add(
        "zonal sum",
        "numpy.bincount",
        lambda: cg.zonal_sum(values, labels, len(frame)),
        lambda: np.bincount(labels.ravel(), values.ravel()),
    )
    density = np.concatenate([[0.0], mass / 1e5])
    raster = cg.rasterize(prepared, grid)
    add(
        "density of cells",
        "numpy.take of known densities",
        lambda: cg.spread(mass, raster, polygons=prepared),
        lambda: density[labels],
    )
    return rows


def _geocube(frame: object) -> object:
    import warnings

    from geocube.api.core import make_geocube

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbered = frame.assign(label=np.arange(1, len(frame) + 1, dtype=np.float64))
        return make_geocube(numbered, measurements=["label"], resolution=(-10, 10), geom=None)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    side = float(sys.argv[2]) if len(sys.argv) > 2 else 60_000.0
    print(f"{count} parcels, {side / 10:.0f} x {side / 10:.0f} cells, best of {RUNS}")
    print(f"{'work':32} {'peer':32} {'carbongrid s':>12} {'peer s':>10} {'ratio':>7}")
    for work, peer, ours, theirs in compare(count, side):
        print(f"{work:32} {peer:32} {ours:12.3f} {theirs:10.3f} {theirs / ours:7.1f}")


if __name__ == "__main__":
    main()
