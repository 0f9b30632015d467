"""This carbongrid against another version, in turns: ``python benchmarks/versus.py --python OTHER/.venv/bin/python``.

Both versions live in processes of their own, hold the same land, and do each operation in turns, so that whatever else the machine does
falls on both. Told is the least CPU time of all threads, which neighbours move less than the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def operations(count: int, cells: int, units: int) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return by name the part of ``peers.py`` that measures an operation, and the operation."""
    sys.path.insert(0, str(HERE))
    import peers_geometry
    import peers_labels
    import shapely

    import carbongrid as cg

    rasters = peers_labels.Rasters(count, cells, units)
    land = peers_geometry.Land(count, cells * 10.0, units)
    values, labels, n = rasters.values, rasters.labels, rasters.count
    amounts = shapely.area(land.frame.geometry.to_numpy())
    coarse = land.grid.coarsen(1000)
    return {
        "zonal sum": ("reductions", lambda: cg.zonal_sum(values, labels, n)),
        "zonal sum, quantized": (
            "reductions",
            lambda: cg.zonal_sum(values, labels, n, quantum=2.0**-40),
        ),
        "zonal minimum": ("reductions", lambda: cg.zonal_min(values, labels, n)),
        "zonal mean": ("reductions", lambda: cg.zonal_mean(values, labels, n)),
        "crosstab": (
            "reductions",
            lambda: cg.crosstab(labels, rasters.unit_labels, shape=(n, rasters.units)),
        ),
        "labels": ("labels", lambda: cg.rasterize(land.parcels, land.grid)),
        "labels of a table": ("labels", lambda: cg.rasterize(land.frame, land.grid)),
        "overlap": ("overlaps", lambda: cg.overlap(land.parcels, land.units, grid=land.grid)),
        "overlap of tables": (
            "overlaps",
            lambda: cg.overlap(land.frame, land.units_frame, grid=land.grid),
        ),
        "coverage": ("areas", lambda: cg.coverage(land.parcels, coarse)),
        "area field": ("areas", lambda: cg.area_field(land.parcels, coarse, amounts)),
    }


def serve(sizes: list[int]) -> None:
    """Do what is asked for on the standard input, and write how long it took."""
    out = sys.stdout
    sys.stdout = sys.stderr
    known = operations(*sizes)
    print(json.dumps({name: part for name, (part, _) in known.items()}), file=out, flush=True)
    for line in sys.stdin:
        begin, cpu = time.perf_counter(), time.process_time()
        result = known[line.strip()][1]()
        told = (time.process_time() - cpu, time.perf_counter() - begin)
        del result
        print(json.dumps(told), file=out, flush=True)


def in_turns(
    pythons: list[str], sizes: list[int], turns: int, only: list[str] | None
) -> Iterator[tuple[Any, ...]]:
    """Yield part, operation, and least CPU and wall seconds of each version; of all operations that both have, or of some."""
    command = [str(Path(__file__)), "--serve", *(f"--size={size}" for size in sizes)]
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen([python, *command], stdin=pipe, stdout=pipe, text=True)
        for python in pythons
    ]
    known = [json.loads(each.stdout.readline()) for each in both]
    for name, part in known[0].items():
        if name not in (only or known[1]):
            continue
        told: list[list[list[float]]] = [[], []]
        for turn in range(turns + 1):
            for at in (0, 1) if turn % 2 else (1, 0):
                print(name, file=both[at].stdin, flush=True)
                took = json.loads(both[at].stdout.readline())
                if turn:  # the first compiles
                    told[at].append(took)
        yield part, name, *(min(x) for each in told for x in zip(*each, strict=True))
    for each in both:
        each.stdin.close()
        each.wait()


def main() -> None:
    """Print a row for each operation; a ratio above 1 is slower than the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="the interpreter of the other version's environment")
    parser.add_argument("--size", type=int, action="append", help="parcels, cells of a side, units")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--only", action="append", help="an operation; default: all")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sizes = given.size or [100_000, 8192, 500]
    if given.serve:
        serve(sizes)
        return
    print(
        f"{'part':<12}{'operation':<24}{'other, CPU s':>14}{'this, CPU s':>14}{'ratio':>8}{'of walls':>10}"
    )
    for part, name, cpu, wall, other_cpu, other_wall in in_turns(
        [sys.executable, given.python], sizes, given.turns, given.only
    ):
        print(
            f"{part:<12}{name:<24}{other_cpu:>14.3f}{cpu:>14.3f}{cpu / other_cpu:>8.2f}{wall / other_wall:>10.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
