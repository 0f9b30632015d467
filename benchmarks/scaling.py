"""How time grows with parcels, cells and threads: ``python benchmarks/scaling.py [parcels|cells|threads]``, then pictures in docs/images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import dask
import landuse
import numpy as np
import performance
from measuring import measured

import carbongrid as cg

SIDE = 327_680.0
PARCELS = (1_000, 10_000, 100_000, 1_000_000)
CELL_POWERS = tuple(range(20, 35, 2))
THREADS = (1, 2, 3, 4)
DENSE = 2**28


def against_parcels(
    counts: tuple[int, ...] = PARCELS, side: float = SIDE, units_count: int = 1500
) -> dict[str, Any]:
    """Overlap and coverage of ever more parcels in the same square at 10 m."""
    units = cg.Polygons.of(landuse.townships(units_count, side))
    grid = cg.Grid(landuse.CRS, 10, (0, 0, side, side))
    coarse = cg.Grid(landuse.CRS, side / 320, (0, 0, side, side))
    lines: dict[str, list[float | None]] = {"preparing": [], "overlap": [], "coverage": []}
    for count in counts:
        frame = landuse.parcels(count, side)
        lines["preparing"].append(measured(lambda f=frame: cg.Polygons.of(f), 1).seconds)
        parcels = cg.Polygons.of(frame)
        lines["overlap"].append(
            measured(lambda p=parcels: cg.overlap(p, units, grid=grid), 2).seconds
        )
        lines["coverage"].append(measured(lambda p=parcels: cg.coverage(p, coarse), 2).seconds)
    what = f"seconds; square of {side / 1000:.0f} km at 10 m, {units_count:,} units, coverage of 320 x 320 cells"
    return {"axis": "parcels", "what": what, "x": list(counts), "lines": lines}


def against_cells(
    powers: tuple[int, ...] = CELL_POWERS, count: int = 100_000, units_count: int = 500
) -> dict[str, Any]:
    """Overlap from polygons, and reductions of label arrays up to what fits, on ever finer grids of the same land."""
    parcels = cg.Polygons.of(landuse.parcels(count, SIDE))
    units = cg.Polygons.of(landuse.townships(units_count, SIDE))
    shape = (len(parcels), len(units))
    lines: dict[str, list[float | None]] = {
        name: [] for name in ("overlap from polygons", "labels", "zonal sum", "crosstab")
    }
    for power in powers:
        side = 2 ** (power // 2)
        grid = cg.Grid(landuse.CRS, SIDE / side, (0, 0, SIDE, SIDE))
        lines["overlap from polygons"].append(
            measured(lambda g=grid: cg.overlap(parcels, units, grid=g), 2).seconds
        )
        if side * side > DENSE:
            for name in ("labels", "zonal sum", "crosstab"):
                lines[name].append(None)
            continue
        labels, other = cg.rasterize(parcels, grid).values, cg.rasterize(units, grid).values
        values = np.ones(labels.shape)
        lines["labels"].append(measured(lambda g=grid: cg.rasterize(parcels, g), 2).seconds)
        lines["zonal sum"].append(
            measured(lambda v=values, m=labels: cg.zonal_sum(v, m, shape[0])).seconds
        )
        lines["crosstab"].append(
            measured(lambda m=labels, o=other: cg.crosstab(m, o, shape=shape)).seconds
        )
    what = f"seconds; {len(parcels)} parcels and {len(units)} units, from 2^{powers[0]} to 2^{powers[-1]} cells; label arrays up to 2^28"
    return {"axis": "cells", "what": what, "x": [2**power for power in powers], "lines": lines}


def against_threads(threads: tuple[int, ...] = THREADS, side: int = 16_384) -> dict[str, Any]:
    """Reductions of label arrays."""
    length = side * 10.0
    grid = cg.Grid(landuse.CRS, 10, (0, 0, length, length))
    frame = landuse.parcels(side * 6, length)
    labels = cg.rasterize(frame, grid).values
    other = cg.rasterize(landuse.townships(500, length), grid).values
    values = np.ones(labels.shape)
    lines: dict[str, list[float | None]] = {
        "zonal sum": [],
        "crosstab": [],
        "lookup + block sum": [],
    }
    for count in threads:
        with dask.config.set(num_workers=count):
            lines["zonal sum"].append(
                measured(lambda: cg.zonal_sum(values, labels, len(frame)), 5).seconds
            )
            lines["crosstab"].append(
                measured(lambda: cg.crosstab(labels, other, shape=(len(frame), 500)), 5).seconds
            )
            table = np.ones(len(frame))
            lines["lookup + block sum"].append(
                measured(lambda t=table: cg.lookup_sum(t, labels, 128), 5).seconds
            )
    what = f"seconds; {len(frame)} labels on {side} x {side} cells, on a machine of two cores"
    return {"axis": "threads", "what": what, "x": list(threads), "lines": lines}


def draw(series: dict[str, Any], path: Path, title: str) -> None:
    """Draw one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, values in series["lines"].items():
        known = [(x, y) for x, y in zip(series["x"], values, strict=True) if y is not None]
        axes.plot(*zip(*known, strict=True), marker="o", label=name)
    if series["axis"] == "threads":
        axes.set_xticks(series["x"])
        axes.set_ylim(bottom=0)
    else:
        axes.set_xscale("log", base=10 if series["axis"] == "parcels" else 2)
        axes.set_yscale("log")
    axes.set_xlabel(series["axis"])
    axes.set_ylabel("s")
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure the named series (default all), keep the others, and draw."""
    measure = {"parcels": against_parcels, "cells": against_cells, "threads": against_threads}
    known = (
        json.loads(performance.SCALING.read_text(encoding="utf-8"))["series"]
        if performance.SCALING.exists()
        else {}
    )
    for name in sys.argv[1:] or measure:
        known[name] = measure[name]()
        print(name, known[name]["x"], known[name]["lines"])
    performance.RESULTS.mkdir(exist_ok=True)
    ordered = {name: known[name] for name in measure if name in known}
    performance.SCALING.write_text(
        json.dumps({"series": ordered}, indent=1) + "\n", encoding="utf-8"
    )
    images = performance.PAGE.parent / "images"
    for name, series in ordered.items():
        draw(series, images / performance.PICTURES[name][0], performance.PICTURES[name][1])
    performance.write()


if __name__ == "__main__":
    main()
