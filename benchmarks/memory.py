"""What a run is said to take at least, and the most that it took, on kinds of case that differ.

    python benchmarks/memory.py [KIND ...]

Each kind runs in a fresh process, of which the kernel tells the peak of resident memory. Ends with 1 if an estimate
is above the peak, as no least may be. Liechtenstein is made of the extract that is found through CARBONGRID_DATA, and left out where there is none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import whole_case

from carbongrid.case import Case
from carbongrid.pipeline.memory import estimated_memory
from carbongrid.sources.demo import write_city
from carbongrid.sources.osm import write_case_from_osm

MOST_ABOVE = 0.02
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


KINDS: dict[str, Callable[[Path], Path | None]] = {
    "small-demo": small_demo,
    "full-demo": full_demo,
    "exact-areas": exact_areas,
    "activity-data": activity_data,
    "many-categories": many_categories,
    "openstreetmap": openstreetmap,
}


RUN = """
import sys
from pathlib import Path
from carbongrid.pipeline import run

run(sys.argv[1], sys.argv[2])
told = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(int(told) * 1024 / 1e9)
"""
"""The kernel's own figure for a child counts its parent's pages before the child began, so the child tells."""


def peak_of(case: Path, out: Path) -> float:
    """Run a case in a process of its own; return the most resident memory in GB."""
    words = [sys.executable, "-c", RUN, str(case), str(out)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main() -> int:
    """Print a line for each kind; return the exit code."""
    parser = argparse.ArgumentParser(description="The least memory that is told, against peaks.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    kinds = parser.parse_args().kinds or list(KINDS)
    above = []
    print(f"{'kind':<16} {'at least GB':>12} {'peak GB':>8} {'ratio':>6}")
    for kind in kinds:
        with tempfile.TemporaryDirectory() as name:
            case = KINDS[kind](Path(name) / "case")
            if case is None:
                print(f"{kind:<16} left out: there is no {EXTRACT}")
                continue
            estimate = estimated_memory(Case.read(case)) / 1e9
            peak = peak_of(case, Path(name) / "run")
        print(f"{kind:<16} {estimate:>12.2f} {peak:>8.2f} {estimate / peak:>6.2f}", flush=True)
        if estimate / peak - 1 > MOST_ABOVE:
            above.append(kind)
    if above:
        print(f"said to take more than they took: {', '.join(above)}")
    return 1 if above else 0


if __name__ == "__main__":
    raise SystemExit(main())
