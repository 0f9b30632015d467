"""First calls, a whole run and its second year, and labels to Zarr, each in a process of its own: its seconds and peak memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import landuse
import whole_case
from measuring import Measured, Row

from carbongrid.pipeline.steps import STEPS
from carbongrid.sources.demo import write_city

FIRST_YEAR, SECOND_YEAR, MEGABYTES = 5.0, 1.0, 2200.0
"""A run takes at most so many times what GeoPandas takes to load and save the parcels (R), and so much memory."""
LABELS_MEGABYTES, LINEAR = 2000.0, 1.5
COLD, WARM = 8.0, 0.5

RUN = """import sys, time, carbongrid as cg
told = lambda step, done, total: print("at", time.time(), step, done)
cg.run(sys.argv[1], sys.argv[2], replace=True, progress=told)
told("end", 0, 0)
"""
PLAN = """import sys, carbongrid as cg, whole_case
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan

def plan(run, out):
    base = cg.open(run)
    run_plan(base, plan_of(whole_case.plan(base), folder=None), out)
"""
SCENARIO = f"{PLAN}plan(*sys.argv[1:])\n"
LIBRARIES = "import carbongrid.pipeline.running, matplotlib.figure, xlsxwriter, jinja2, h5netcdf"
CALLED = f"""{PLAN}
import time, dask.array
{LIBRARIES}

def run(case, out):
    cg.run(case, out, replace=True)

begin = time.perf_counter()
{{"run": run, "plan": plan}}[sys.argv[1]](*sys.argv[2:])
print(time.perf_counter() - begin)
"""
"""A call in a process that has imported what it needs, as R is one: how long it took."""
YARDSTICK = """import sys, time, geopandas, geopandas.io.arrow, pyarrow.parquet
begin = time.perf_counter()
geopandas.read_parquet(sys.argv[1]).to_parquet(sys.argv[2])
print(time.perf_counter() - begin)
"""
READ, WRITTEN = (sum(step.phase == phase for step in STEPS) for phase in ("reading", "writing"))
BESIDE = sum(step.beside for step in STEPS)
PHASES = {
    "reading 0": "Python and its libraries",
    f"reading {READ}": "read, checked, measured, placed",
    "adding up 0": "weighed, spread, kept, rasterized or taken over",
    f"writing {WRITTEN - BESIDE - 1}": "added up, zoned, put together",
    f"writing {WRITTEN - BESIDE}": "digests",
    f"writing {WRITTEN}": "tables, report and figures",
    "end 0": "hashed, on disk, opened",
}
"""What a run did before it tells this."""

LABELS = """import sys, time, carbongrid as cg, geopandas as gpd
polygons = cg.Polygons.open(sys.argv[1])
side, resolution = float(sys.argv[2]), float(sys.argv[3])
cg.rasterize(polygons, cg.Grid(polygons.crs, resolution, (0, 0, side, side), snap=1000), store=sys.argv[4])
"""

FIRST_CALLS = """import sys, time
import carbongrid as cg, dask.array, numpy as np, shapely, xarray, zarr
grid = cg.Grid("EPSG:3035", 10, (0, 0, 1000, 1000))
begin = time.perf_counter()
west, south = cg.Polygons.of(shapely.box(0, 0, [500, 1000], 1000)), cg.Polygons.of(shapely.box(0, 0, 1000, [500, 1000]))
labels, others = cg.rasterize(west, grid).values, cg.rasterize(south, grid).values
values, table, coarse = np.ones(grid.shape), np.ones(2), grid.coarsen(100)
cg.overlap(west, south, grid=grid), cg.coverage(west, coarse), cg.area_field(west, coarse, table)
cg.zonal_sum(values, labels, 2), cg.zonal_sum(values, labels, 2, quantum=2.0**-20), cg.zonal_min(values, labels, 2)
cg.crosstab(labels, others, shape=(2, 2)), cg.crosstab(labels, others, shape=(2, 2), values=values)
cg.lookup(table, labels), cg.lookup_sum(table, labels, 10), cg.block_sum(values, 10)
cg.apportion([10**9], np.ones(2), np.array([0, 2]))
print(time.perf_counter() - begin)
"""


def first_calls(*, small: bool) -> Iterator[Row]:
    """Call each part of the engine once, in a process that finds no compiled code, in one that does, and in one that runs from a platform's wheel."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {"NUMBA_CACHE_DIR": str(folder / "cache")}
        works: list[tuple[str, float, dict[str, str]]]
        if small:
            # To compile takes too long for a mere trial, which has the caller's cache.
            works = [("on a warm cache", WARM, {})]
        else:
            wheel = {
                "PYTHONPATH": str(_platform_wheel(folder)),
                "NUMBA_CACHE_DIR": str(folder / "unused"),
            }
            works = [
                ("on an empty cache", COLD, own),
                ("on a warm cache", WARM, own),
                ("from a platform's wheel, on an empty cache", COLD, wheel),
            ]
        for work, goal, settings in works:
            told = subprocess.run(
                [sys.executable, "-c", FIRST_CALLS],
                # Not beside the source, which would come before the wheel.
                cwd=folder,
                env=environment() | settings,
                capture_output=True,
                check=True,
            )
            yield Row(
                "first-calls",
                f"first calls, {work}",
                "the goal",
                "16 calls of the array functions, imports not counted",
                Measured(float(told.stdout), 0.0, 1),
                Measured(goal, 0.0, 0),
                1,
            )
        if (folder / "unused").exists():
            raise RuntimeError("the platform's wheel lacks compiled kernels")


def _platform_wheel(folder: Path) -> Path:
    """Build this platform's wheel and unpack it."""
    tool = Path(__file__).resolve().parents[1] / "tools" / "platform_wheel.py"
    subprocess.run([sys.executable, str(tool), str(folder / "dist")], env=environment(), check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


COMMAND = """import sys
from carbongrid.cli import command
sys.argv = ["carbongrid", "run", sys.argv[1], "--out", sys.argv[2], "--quiet", *sys.argv[3:]]
command()
"""
DEMO = 6.0
"""Seconds that ``carbongrid run`` of the demo takes at most, where compiled code is there."""

PEAK = """import atexit
atexit.register(lambda: print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))))
"""
"""Tells the most memory that the process had, at its end, whoever ends it."""


def demo(*, small: bool) -> Iterator[Row]:
    """Run the demo's case on the command line as whoever tries the package does, once more, and what no run of it can be faster than."""
    size = "small" if small else "full"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case = write_city(folder / "city", size=size)
        parcels = f"the {size} demo"
        in_process(COMMAND, case, folder / "first")
        again = [in_process(COMMAND, case, folder / f"run-{turn}") for turn in range(2)]
        floor = [in_process(LIBRARIES) for _ in range(2)]
    run, libraries = (min(each, key=lambda one: one.seconds) for each in (again, floor))
    goal = Measured(DEMO, 0.0, 0)
    yield Row("demo", "carbongrid run, compiled code there", "the goal", parcels, run, goal, 1, f"{run.peak:.0f} MB of the whole process")  # fmt: skip
    yield Row("demo", "of it: Python and its libraries", "-", parcels, libraries, None, None, f"{libraries.seconds / run.seconds:.0%} of {run.seconds:.1f} s")  # fmt: skip


def whole_run(count: int, side: float, units: int) -> Iterator[Row]:
    """Run a province's case as a user does, then with another year's totals."""
    with tempfile.TemporaryDirectory() as name:
        case, out = Path(name) / "case", Path(name) / "run"
        parcels = whole_case.write(case, count, side, units)
        size = f"{parcels} parcels, {(side / 10) ** 2 / 1e6:.0f} Mcells, {units} units"
        # Before and after, since a machine is not the same for minutes.
        loads = [_loaded_and_saved(case / "parcels.parquet", Path(name) / "again.parquet")]
        first, first_phases = _run(case / "case.toml", out)
        first_called = _called("run", case / "case.toml", Path(name) / "first-again")
        shutil.rmtree(Path(name) / "first-again")
        whole_case.write_totals(case, 2000)
        second, second_phases = _run(case / "case.toml", out)
        whole_case.write_totals(case, 2001)
        commanded = in_process(COMMAND, case / "case.toml", out, "--replace")
        planned = in_process(SCENARIO, out, Path(name) / "planned")
        whole_case.write_totals(case, 2002)
        called = _called("run", case / "case.toml", out)
        plan_called = _called("plan", out, Path(name) / "planned-again")
        loads.append(_loaded_and_saved(case / "parcels.parquet", Path(name) / "again.parquet"))
    load = min(loads, key=lambda one: one.seconds)
    categories = f"{len(whole_case.CATEGORIES)} categories"
    for work, ours, most in (
        (f"whole run, {categories}", first, FIRST_YEAR),
        ("the same run, its libraries imported before", first_called, FIRST_YEAR),
        ("the year after: other totals", second, SECOND_YEAR),
        ("the same on the command line", commanded, SECOND_YEAR),
        ("the same year, its libraries imported before", called, SECOND_YEAR),
        ("a plan on it, written as a run", planned, SECOND_YEAR),
        ("the same plan, its libraries imported before", plan_called, SECOND_YEAR),
    ):
        note = f"{ours.seconds / load.seconds:.1f} R, at most {most:g} is aimed at; {_memory(ours, MEGABYTES)}"
        peer = "GeoPandas, parcels loaded and saved (R)"
        yield Row("whole-run", work, peer, size, ours, load, 1 / most, note)
    for work, whole, phases in (
        ("first year", first, first_phases),
        ("year after", second, second_phases),
    ):
        for phase, seconds in phases.items():
            told = f"{seconds / whole.seconds:.0%} of {whole.seconds:.1f} s"
            yield Row(
                "whole-run",
                f"{work}: {phase}",
                "-",
                size,
                Measured(seconds, 0, 1),
                None,
                None,
                told,
            )


def _loaded_and_saved(parcels: Path, out: Path) -> Measured:
    """Return what GeoPandas takes, the import of its libraries not counted."""
    whole, lines = in_process_told(YARDSTICK, parcels, out)
    return Measured(float(lines[0]), whole.peak, 1)


def _called(work: str, *arguments: object) -> Measured:
    """Return what a call takes: as of R, the import of its libraries and the end of the process are not counted."""
    whole, lines = in_process_told(CALLED, work, *arguments)
    return Measured(float(lines[0]), whole.peak, 1)


def _run(case: Path, out: Path) -> tuple[Measured, dict[str, float]]:
    """Run a case; return what it took, and the seconds of each phase."""
    begin = time.time()
    whole, lines = in_process_told(RUN, case, out)
    phases = {}
    for line in lines:
        at, _, step = line.removeprefix("at ").partition(" ")
        # The end of a part is told again where the next begins.
        if line.startswith("at ") and step in PHASES and PHASES[step] not in phases:
            phases[PHASES[step]], begin = float(at) - begin, float(at)
    assert list(phases) == list(PHASES.values()), "a run tells of other steps than it did"
    return whole, phases | {"the process ends": whole.seconds - sum(phases.values())}


def labels_to_zarr(count: int, side: float, resolutions: tuple[float, ...]) -> Iterator[Row]:
    """Write labels of ever finer grids, and hold the time against that of the coarsest times their cells."""
    import carbongrid as cg

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        polygons = cg.Polygons.of(landuse.parcels(count, side))
        polygons.save(folder / "polygons")
        number = len(polygons)
        del polygons
        coarsest: Measured | None = None
        for resolution in resolutions:
            store = folder / f"{resolution:g}.zarr"
            ours = in_process(LABELS, folder / "polygons", side, resolution, store)
            coarsest = coarsest or ours
            linear = Measured(
                coarsest.seconds * (resolutions[0] / resolution) ** 2, coarsest.peak, 1
            )
            size = (
                f"{number} parcels, {(side / resolution) ** 2 / 1e6:.0f} Mcells at {resolution:g} m"
            )
            peer = f"itself at {resolutions[0]:g} m, times the cells"
            yield Row(
                "labels-zarr",
                "labels to Zarr",
                peer,
                size,
                ours,
                linear,
                1 / LINEAR,
                _memory(ours, LABELS_MEGABYTES),
            )


def in_process(code: str, *arguments: object) -> Measured:
    """Run code in a process of its own; return its seconds, imports included, and the most memory it ever had, in MB."""
    return in_process_told(code, *arguments)[0]


def in_process_told(code: str, *arguments: object) -> tuple[Measured, list[str]]:
    """Run code in a process of its own; return what it took, and the lines that it printed."""
    command = [sys.executable, "-c", PEAK + code, *map(str, arguments)]
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment())
    seconds = time.perf_counter() - begin
    *lines, peak = done.stdout.strip().splitlines()
    # Not what the parent is told of its child: that counts the parent's own memory at the fork.
    return Measured(seconds, int(peak) / 1024, 1), lines


def environment() -> dict[str, str]:
    """Return this process's environment, in which Python keeps what it compiles, as it does where it was not told otherwise."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(Path(__file__).parent), kept.get("PYTHONPATH")))
    )
    return kept | {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "carbongrid-pycache")}


def _memory(ours: Measured, most: float) -> str:
    return f"{ours.peak:.0f} MB of the whole process; less than {most:.0f} is aimed at"
