"""From a town to a country: tasks, bytes, memory and hours, computed from unit costs that were measured here.

``python benchmarks/scale_model.py --measure`` runs whole cases of several sizes, fits the unit costs to three of them, holds the
prediction against the two others, and keeps all of it in scale_costs.json; without it the table of docs/scale.md is made
from what was kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

COSTS = Path(__file__).with_name("scale_costs.json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- begin: scale_model -->", "<!-- end: scale_model -->"

FITTED = [(2_000, 10.0), (2_000, 2.5), (40_000, 10.0)]
"""Parcels and resolution in m of the runs that the unit costs are fitted to; the land is 20 km x 20 km."""
CHECKED = [(20_000, 5.0), (60_000, 4.0)]
"""Runs that the prediction is held against."""
SPAN = 20_000.0

TILE, SHARD, MAX_FILES, MAX_TASKS = 2048, 8192, 10_000, 4_000
VERTICES = 25
"""Vertices of a parcel of the national land survey, about."""
CLIENT, CLIENT_PER_PARCEL = 0.67e9, 1450.0
"""Bytes at the peak: 2.1 GB were measured with a million parcels of 27 vertices and 25 categories, 0.70 GB with the demo's 20,490."""


@dataclass(frozen=True)
class Size:
    """A place."""

    name: str
    parcels: float
    cells: float
    workers: int


SIZES = [
    Size("town", 1e4, 1e7, 2),
    Size("city", 1e5, 1e9, 4),
    Size("province", 1e6, 1e10, 16),
    Size("province, fine", 1e6, 5e10, 32),
    Size("country", 1e8, 1e12, 512),
]


def features(parcels: float, cells: float) -> list[float]:
    """Return what a run's time is made of: a start, parcels, cells."""
    return [1.0, parcels, cells]


def fitted(runs: list[dict[str, float]]) -> list[float]:
    """Return seconds of one core per run, per parcel and per cell, from three runs."""
    matrix = np.array([features(run["parcels"], run["cells"]) for run in runs])
    return [float(cost) for cost in np.linalg.solve(matrix, [run["seconds"] for run in runs])]


def predicted(costs: list[float], parcels: float, cells: float) -> float:
    """Return seconds of one core."""
    return float(np.dot(costs, features(parcels, cells)))


def measured(parcels: int, resolution: float) -> dict[str, float]:
    """Run a whole case; return its size, the seconds of processor time, and bytes of labels per cell."""
    from carbongrid.pipeline import run

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = write_case(folder, parcels, resolution)
        begun = time.process_time()
        result = run(folder / "case.toml", folder / "run")
        seconds = time.process_time() - begun
        grid = result.manifest["parameters"]
        west, south, east, north = grid["bounds"]
        cells = (east - west) * (north - south) / resolution**2
        stored = sum(
            f.stat().st_size for f in (folder / "run" / "labels.zarr").rglob("*") if f.is_file()
        )
    return {
        "parcels": written,
        "resolution": resolution,
        "cells": cells,
        "seconds": round(seconds, 3),
        "label_bytes_per_cell": round(stored / cells, 4),
    }


def bent_lattice(parcels: int, random: np.random.Generator) -> NDArray[np.object_]:
    """Return about so many four-sided parcels that cover a square of 20 km."""
    import shapely

    side = math.isqrt(parcels)
    x, y = np.meshgrid(*[np.linspace(0, SPAN, side + 1)] * 2)
    bend = SPAN / side * 0.3
    for axis in (x, y):
        axis[1:-1, 1:-1] += random.uniform(-bend, bend, (side - 1, side - 1)).round(1)
    corner = np.stack([x, y], axis=-1) + np.array([40_500_000.0, 3_400_000.0])
    rings = [corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]]
    return np.asarray(shapely.polygons(np.stack(rings, axis=2).reshape(-1, 4, 2)))


def boxes_of_units() -> list[Any]:
    """Return 10 x 10 squares that cover the same land."""
    import shapely

    edges = np.linspace(0, SPAN, 11) + np.array([[40_500_000.0], [3_400_000.0]])
    return [
        shapely.box(edges[0, i], edges[1, j], edges[0, i + 1], edges[1, j + 1])
        for i in range(10)
        for j in range(10)
    ]


def write_case(folder: Path, parcels: int, resolution: float) -> int:
    """Write a bent lattice of parcels and what a case needs beside it; return the number of parcels."""
    import geopandas as gpd

    random = np.random.default_rng(parcels)
    shapes = bent_lattice(parcels, random)
    count = len(shapes)
    codes = random.choice(["0601", "0701", "0702", "0101", "0301", "1003", "1101", "0508"], count)
    ids = [f"{i:08d}" for i in range(count)]
    land = gpd.GeoDataFrame({"id": ids, "code": codes}, geometry=shapes, crs="EPSG:4528")
    land.to_file(folder / "parcels.gpkg")
    units = gpd.GeoDataFrame(
        {"id": [f"u{i:02d}" for i in range(100)]}, geometry=boxes_of_units(), crs="EPSG:4528"
    )
    units.to_file(folder / "units.gpkg")
    names = ["agriculture/plantation", "waste/industrial", "sink/forest", "sink/crops"]
    rows = [f"{name},{1000 + 7 * i},kt CO2e" for i, name in enumerate(names)]
    (folder / "totals.csv").write_text("\n".join(["category,value,unit", *rows]), encoding="utf-8")
    (folder / "case.toml").write_text(
        f'year = 2020\n[grid]\ncrs = "EPSG:4528"\nresolution = {resolution}\nlabels = true\n[parcels]\npath = "parcels.gpkg"\nid = "id"\n'
        'land_use = "code"\ncode_system = "tdland3"\n[units]\npath = "units.gpkg"\nid = "id"\n[totals]\npath = "totals.csv"\n',
        encoding="utf-8",
    )
    return count


def measure() -> dict[str, Any]:
    """Run all sizes and keep what they took."""
    measured(500, 20.0)  # compiles, and loads what is loaded late
    runs = [measured(*size) for size in FITTED]
    costs = fitted(runs)
    checks = []
    for size in CHECKED:
        run = measured(*size)
        guess = predicted(costs, run["parcels"], run["cells"])
        checks.append(
            {**run, "predicted": round(guess, 3), "off": round(guess / run["seconds"] - 1, 4)}
        )
    found = {"fitted": runs, "costs": costs, "checked": checks, "cores": os.cpu_count()}
    COSTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def plan(size: Size, found: dict[str, Any]) -> dict[str, float]:
    """Return what a run of this size takes."""
    tiles = size.cells / TILE**2
    blocks = tiles if tiles <= MAX_FILES else size.cells / SHARD**2
    tasks = min(math.ceil(blocks), MAX_TASKS)
    per_cell = max(run["label_bytes_per_cell"] for run in found["fitted"])
    coordinates = size.parcels * VERTICES * 16
    # What grows with parcels is the client's work on one core; what grows with cells is shared.
    start, parcel, cell = found["costs"]
    seconds = start + parcel * size.parcels + cell * size.cells / size.workers
    return {
        "tasks": tasks,
        "sent": tasks * 1_000.0,
        "read": coordinates,
        "labels": size.cells * per_cell,
        "client": CLIENT + CLIENT_PER_PARCEL * size.parcels,
        "hours": seconds / 3600,
    }


def table(found: dict[str, Any]) -> str:
    """Return the plan of every size as a table in Markdown, with what it rests on."""
    start, parcel, cell = found["costs"]
    lines = [
        f"Seconds of one core: {start:.1f} per run, {parcel * 1e6:,.0f} per million parcels, {cell * 1e9:,.0f} per billion cells.",
        "",
        "| run held against the prediction | measured, s of processor | predicted, s | off |",
        "| --- | ---: | ---: | ---: |",
    ]
    for run in found["checked"]:
        what = f"{run['parcels']:,} parcels, {run['cells'] / 1e6:,.0f} million cells"
        lines.append(
            f"| {what} | {run['seconds']:.1f} | {run['predicted']:.1f} | {run['off']:+.0%} |"
        )
    lines += [
        "",
        "| size | parcels | cells | workers | tasks | sent by the client | polygons read | labels stored | memory of the client | hours |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size in SIZES:
        row = plan(size, found)
        lines.append(
            f"| {size.name} | {size.parcels:.0e} | {size.cells:.0e} | {size.workers} | {row['tasks']:,.0f} | {row['sent'] / 1e6:,.1f} MB "
            f"| {row['read'] / 1e9:,.1f} GB | {row['labels'] / 1e9:,.1f} GB | {row['client'] / 1e9:,.1f} GB | {row['hours']:,.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table; with --write put it into the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = measure() if options.measure else json.loads(COSTS.read_text(encoding="utf-8"))
    text = table(found)
    print(text)
    if options.write:
        head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        tail = rest.split(END)[1]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
