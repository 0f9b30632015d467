"""Where the processor's time goes, function by function: ``nox -s profile [-- --small]``.

A first run, the year after and the demo's run, each in a process of its own. A thread beside the work looks some hundred times a second at what every
thread does, and gives what the thread has taken since of the processor to the innermost function of this package, so that waiting, and other work on the machine, count for
nothing. What is compiled counts for the function that calls it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parent))

import peers
import peers_whole
import performance
import whole_case

INTERVAL = 0.005
LISTED = 12
"""So many functions stand in the page."""

IMPORTS, COMPILED, LIBRARIES = (
    "Python's imports",
    "Numba: its start, compiled code loaded",
    "threads of libraries (Arrow, GDAL, BLAS)",
)
_TASKS = Path("/proc/self/task")


class Sampler(threading.Thread):
    """Adds up the processor time of all threads by function, until it is ended."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: Counter[str] = Counter()
        self._seen: dict[int, float] = {}
        self._begun = False
        self._over = threading.Event()

    def run(self) -> None:
        """Look, again and again."""
        while not self._over.wait(INTERVAL):
            self._look()

    def end(self) -> Counter[str]:
        """Return the seconds by function; what no Python thread took is that of libraries."""
        self._over.set()
        self.join()
        self.seconds[LIBRARIES] += max(time.process_time() - sum(self.seconds.values()), 0.0)
        return self.seconds

    def _look(self) -> None:
        frames = sys._current_frames()
        for thread in threading.enumerate():
            number, frame = thread.native_id, frames.get(thread.ident or 0)
            if number is None or frame is None:
                continue
            try:
                taken = (
                    int((_TASKS / str(number) / "schedstat").read_text(encoding="utf-8").split()[0])
                    / 1e9
                )
            except OSError:  # it has ended
                continue
            since, self._seen[number] = taken - self._seen.get(number, 0.0), taken
            self.seconds[self._place_of(thread, frame)] += since
        self._begun = True

    def _place_of(self, thread: threading.Thread, frame: FrameType) -> str:
        if thread is self:
            return "the sampling"
        # What was there before has started Python and its libraries until now.
        return place_of(frame) if self._begun else IMPORTS


def place_of(frame: FrameType | None) -> str:
    """Return the innermost function of the package, unless something is imported or compiled code is loaded inside of it."""
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if "importlib._bootstrap" in file:
            return IMPORTS
        if "/numba/" in file:
            return COMPILED
        _, package, module = file.rpartition("/carbongrid/")
        if package and not name.startswith("<"):
            return f"{module.removesuffix('.py')}: {name}"
        frame = frame.f_back
    return "elsewhere"


CHILD = """import sys
sys.path.insert(0, sys.argv[1])
import profiling
profiling.run_here(*sys.argv[2:])
"""


def run_here(case: str, out: str, told: str) -> None:
    """Run a case under the sampler, and write what it saw."""
    sampler = Sampler()
    sampler.start()
    begin = time.perf_counter()
    import carbongrid as cg

    cg.run(case, out, replace=True)
    wall = time.perf_counter() - begin
    seconds = sampler.end()
    total = time.process_time()
    found = {"wall": wall, "processor": total, "functions": dict(seconds.most_common())}
    Path(told).write_text(json.dumps(found), encoding="utf-8")


def profiled(case: Path, out: Path) -> dict[str, object]:
    """Run a case in a process of its own; return its seconds by function."""
    with tempfile.NamedTemporaryFile(suffix=".json") as told:
        words = [sys.executable, "-c", CHILD, str(Path(__file__).parent), *map(str, (case, out, told.name))]  # fmt: skip
        subprocess.run(words, check=True, env=peers_whole.environment())
        return dict(json.loads(Path(told.name).read_text(encoding="utf-8")))


def profiles(*, small: bool) -> dict[str, object]:
    """Return the profile of each of the three runs."""
    from carbongrid.sources.demo import write_city

    province = (60, 2000.0, 4) if small else (1_000_000, 327_000.0, 1_500)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # What compiles on an empty cache is measured by "first-calls".
        whole_case.write(folder / "few", 60, 2000.0, 4)
        profiled(folder / "few" / "case.toml", folder / "run-of-few")
        parcels = whole_case.write(folder / "case", *province)
        what = f"{parcels} parcels, {province[2]} units, {len(whole_case.CATEGORIES)} categories"
        case, out = folder / "case" / "case.toml", folder / "run"
        found = {f"First run: {what}": profiled(case, out)}
        whole_case.write_totals(folder / "case", 2000)
        found[f"The year after, other totals: {what}"] = profiled(case, out)
        size = "small" if small else "full"
        demo = write_city(folder / "city", size=size)
        profiled(demo, folder / "demo")
        found[f"The {size} demo, with compiled code there"] = profiled(demo, folder / "demo-again")
    return found


def main() -> None:
    """Profile, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="next to nothing, nothing is written")
    small = parser.parse_args().small
    found = {"machine": peers.machine(), "runs": profiles(small=small)}
    for line in performance.profile_lines(found, LISTED):
        print(line)
    if not small:
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        performance.PROFILE.write_text(text, encoding="utf-8")
        performance.write()


if __name__ == "__main__":
    main()
