"""What a run is said to take at least and at most, and the peak, on kinds of case that differ and on shapes drawn by lot.

    python benchmarks/memory.py [KIND | seed-N ...]

Each runs in a fresh process that may take what is said at most, and of which the kernel tells the peak of resident memory. Ends with 1 if
a peak is above what was allowed, or the least is above the peak. Liechtenstein is made of the extract that is found through CARBONGRID_DATA,
and left out where there is none.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import memory_shapes
import numpy as np
import shapely
import whole_case
from memory_shapes import Shape

from carbongrid.sources.demo import write_city
from carbongrid.sources.osm import write_case_from_osm

MAX_ABOVE = 0.02
"""Peaks differ by so much from run to run on an idle machine."""
EXTRACT = "liechtenstein/liechtenstein-2024-03-04.osm.pbf"


def small_demo(folder: Path) -> Path:
    """Write 962 parcels, 12 units."""
    return Path(write_city(folder, size="small"))


def full_demo(folder: Path) -> Path:
    """Write 20,000 parcels, 97 units."""
    return Path(write_city(folder, size="full"))


def exact_areas(folder: Path) -> Path:
    """Write the full demo, shared by exact area: no fine raster."""
    case = full_demo(folder)
    text = case.read_text(encoding="utf-8")
    exact = text.replace('reduce = "cells"', 'reduce = "exact"')
    if exact == text:
        raise SystemExit("the demo's case does not say how it is reduced")
    case.write_text(exact, encoding="utf-8")
    return case


def activity_data(folder: Path) -> Path:
    """Write the full demo, its totals formed of activity data."""
    return full_demo(folder).with_name("case-inventory.toml")


def many_categories(folder: Path) -> Path:
    """Write 60,000 parcels, 25 categories, residents as a raster."""
    whole_case.write(folder, 60_000, 80_000.0, 100)
    return folder / "case.toml"


def openstreetmap(folder: Path) -> Path | None:
    """Write Liechtenstein: 9,600 parcels with holes, overlaps that are cut, cells of 5 m."""
    extract = Path(os.environ.get("CARBONGRID_DATA", "../shared/data")) / EXTRACT
    if not extract.exists():
        return None
    case = write_case_from_osm(extract, folder).case
    totals = folder / "totals.csv"
    totals.write_text(totals.read_text(encoding="utf-8").replace(",0,", ",1000,"), encoding="utf-8")
    return case


def small_cells(folder: Path) -> Path:
    """Write the small demo with 7.5 million coarse cells of 8 m."""
    case = small_demo(folder)
    text = case.read_text(encoding="utf-8")
    text, changed = re.subn(r"^resolution = 40\b", "resolution = 4", text, flags=re.MULTILINE)
    text, also = re.subn(r"^coarse = 1000\b", "coarse = 8", text, flags=re.MULTILINE)
    if not changed or not also:
        raise SystemExit("the demo's case does not say how large its cells are")
    case.write_text(text, encoding="utf-8")
    return case


def squares(folder: Path) -> Path:
    """Write 490,000 squares, 100 units and two categories by area: the least that so many parcels can be."""
    folder.mkdir(parents=True, exist_ok=True)
    side, units = 700, 10
    for name, count, columns in (("parcels", side, ("id", "code")), ("units", units, ("id", "name"))):  # fmt: skip
        size, number = 70_000 / count, np.arange(count * count)
        west, south = 4e6 + size * (number % count), 3e6 + size * (number // count)
        named = {"id": [f"{each:06d}" for each in number], "code": np.array(["0305", "0702"])[number % 2], "name": number.astype(str)}  # fmt: skip
        boxes = shapely.box(west, south, west + size, south + size)
        frame = gpd.GeoDataFrame({each: named[each] for each in columns}, geometry=boxes, crs="EPSG:3035")  # fmt: skip
        frame.to_parquet(folder / f"{name}.parquet")
    (folder / "totals.csv").write_text("category,value,unit\nbuildings/construction,10,kt CO2e\nsink/forest,1,kt CO2e\n", encoding="utf-8")  # fmt: skip
    (folder / "categories.csv").write_text("category,sector,name_en,name_zh,scope,sink,types,weight\nbuildings/construction,buildings,Sites,工地,1,false,rural-homestead,area\n", encoding="utf-8")  # fmt: skip
    case = folder / "case.toml"
    case.write_text(SQUARES, encoding="utf-8")
    return case


SQUARES = """
year = 2020
[grid]
crs = "EPSG:3035"
[parcels]
path = "parcels.parquet"
id = "id"
land_use = "code"
code_system = "tdland3"
[units]
path = "units.parquet"
id = "id"
[totals]
path = "totals.csv"
[categories]
path = "categories.csv"
"""

KINDS: dict[str, Callable[[Path], Path | None]] = {
    "small-demo": small_demo,
    "full-demo": full_demo,
    "exact-areas": exact_areas,
    "activity-data": activity_data,
    "many-categories": many_categories,
    "openstreetmap": openstreetmap,
    "small-cells": small_cells,
    "squares": squares,
}

SHAPES = {
    "holes": Shape(500, holes=200_000),
    "holes-exact": Shape(500, holes=200_000, reduce="exact"),
    "300-categories": Shape(20_000, categories=300),
    "fine-raster": Shape(2000, resolution=50, ratio=50),
    "long-borders": Shape(3000, vertices=100),
}
"""What was once above what was allowed, and a case of many vertices."""

SEEDS = (1, 2, 3, 4, 5, 6)
"""Of the shapes that are drawn by default; one that fails stays here."""


MOST = """
import sys
from carbongrid.case import Case
from carbongrid.case.readers.inputs import read_inputs
from carbongrid.pipeline.land import fine_grid
from carbongrid.pipeline.memory import estimated_memory, most_memory

case = Case.read(sys.argv[1])
inputs = read_inputs(case)
print(estimated_memory(case), most_memory(inputs, fine_grid(inputs)))
"""

RUN = """
import sys
from pathlib import Path
from carbongrid.pipeline import run

run(sys.argv[1], sys.argv[2], memory=sys.argv[3])
told = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(int(told) * 1024)
"""
"""The kernel's own figure for a child counts its parent's pages before the child began, so the child tells."""


def numbers_of(code: str, *words: object) -> list[int]:
    """Run code in a process of its own; return the numbers that it prints."""
    command = [sys.executable, "-c", code, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


def written(kind: str, folder: Path) -> Path | None:
    """Write a case of a kind, a shape or a seed."""
    if kind in KINDS:
        return KINDS[kind](folder)
    if kind not in SHAPES and not kind.removeprefix("seed-").isdecimal():
        raise SystemExit(f"{kind} is none of {', '.join([*KINDS, *SHAPES])} and no seed-N")
    shape = SHAPES.get(kind) or Shape.drawn(int(kind.removeprefix("seed-")))
    print(f"{kind}: {shape}")
    return memory_shapes.write(folder, shape)


def main() -> int:
    """Print a line for each kind; return the exit code."""
    parser = argparse.ArgumentParser(description="What is told of memory, against peaks.")
    names = [*KINDS, *SHAPES, *(f"seed-{seed}" for seed in SEEDS)]
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(names))
    wrong = []
    print(f"{'kind':<16} {'at least GB':>12} {'peak GB':>8} {'at most GB':>11} {'most/peak':>10}")
    for kind in parser.parse_args().kinds or names:
        with tempfile.TemporaryDirectory() as name:
            case = written(kind, Path(name) / "case")
            if case is None:
                print(f"{kind:<16} left out: there is no {EXTRACT}")
                continue
            least, most = numbers_of(MOST, case)
            (peak,) = numbers_of(RUN, case, Path(name) / "run", most)
        print(
            f"{kind:<16} {least / 1e9:>12.2f} {peak / 1e9:>8.2f} {most / 1e9:>11.2f} {most / peak:>10.2f}",
            flush=True,
        )
        if peak > most:
            wrong.append(f"{kind} took more than it was allowed")
        if least > peak * (1 + MAX_ABOVE):
            wrong.append(f"{kind} was said to take more than it took")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
