"""Copies of the package, each with a fault of its own, and what the tests say to it."""

from __future__ import annotations

import compileall
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parents[2]

AT_ONCE = 2
"""Copies, each with a process that runs tests."""

PATIENCE = 300
"""Seconds of processor time after which tests that find no end, as of a loop that a fault made endless, count as failed."""

_NO_END = (-signal.SIGXCPU, -signal.SIGKILL)


LIBRARIES = (
    *("dask.array", "distributed", "geopandas", "h5netcdf", "jinja2", "matplotlib.pyplot"),
    *("numba", "openpyxl", "pandas", "pint", "pyarrow.parquet", "pydantic", "pyogrio"),
    *("rasterio.features", "rioxarray", "scipy.sparse", "shapely", "xarray", "xlsxwriter", "zarr"),
)
"""What the package and its tests import and what takes long; never the package itself."""


@dataclass(frozen=True)
class Mutant:
    """One fault: in a file of the package ``was`` becomes ``now``; ``tests`` are expected to notice."""

    name: str
    file: str
    was: str
    now: str
    tests: str


@dataclass(frozen=True)
class Outcome:
    """How tests ended: pytest's exit code, or below 0 the signal; what they said; seconds, and those of processor time."""

    code: int
    text: str
    seconds: float
    busy: float

    @property
    def noticed(self) -> bool:
        """Whether a test failed; anything else is no test that noticed: none collected, or the run itself broke."""
        return self.code in _NO_END or (
            self.code == 1 and ("AssertionError" in self.text or "FAILED" in self.text)
        )

    @property
    def survived(self) -> bool:
        """Whether every test passed."""
        if self.code in (4, 5):
            raise SystemExit(f"no tests were run: {self.text[-2000:]}")
        return self.code == 0

    @property
    def by(self) -> str:
        """The test that failed first, or how the run ended."""
        failed = [line for line in self.text.splitlines() if line.startswith(("FAILED", "ERROR "))]
        return failed[0][:150] if failed else f"exit code {self.code}"


class Copy:
    """A copy of the package with its tests, its own cache of Numba, and a process that forks for each run of tests."""

    def __init__(
        self, folder: Path, root: Path = ROOT, libraries: Sequence[str] = LIBRARIES
    ) -> None:
        self.root = folder
        for name in ("carbongrid", "tests", "docs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / name, folder / name, ignore=ignored)
        shutil.copy2(root / "pyproject.toml", folder)
        # Bytecode is trusted by the hash of its source: by time and size, `<` for `>` in the same second is no change.
        checked = PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(folder / "carbongrid", quiet=2, invalidation_mode=checked)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[1])]),
            "NUMBA_CACHE_DIR": str(folder / "numba"),
            "PYTHONDONTWRITEBYTECODE": "1",
            # Threads of a BLAS would be there before the fork, and not after it.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mutants.forking", *libraries], cwd=folder, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, tests: str, patience: float = PATIENCE) -> Outcome:
        """Run tests on the copy as it is."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if pipe_in is None or pipe_out is None:
            raise SystemExit("the process that runs tests has no pipes")
        pipe_in.write(
            json.dumps({"tests": shlex.split(tests), "limit": math.ceil(patience)}) + "\n"
        )
        pipe_in.flush()
        answer = pipe_out.readline()
        if not answer:
            raise SystemExit(f"the process that runs tests ended: {tests}")
        return Outcome(**json.loads(answer))

    def run_on(self, mutant: Mutant, patience: float = PATIENCE) -> Outcome:
        """Plant a fault, run its tests, and take it out again."""
        path = self.root / "carbongrid" / mutant.file
        sound = path.read_text(encoding="utf-8")
        if sound.count(mutant.was) != 1:
            raise SystemExit(
                f"{mutant.name}: {mutant.was!r} is {sound.count(mutant.was)} times in {mutant.file}"
            )
        path.write_text(sound.replace(mutant.was, mutant.now), encoding="utf-8")
        try:
            return self.run(mutant.tests, patience)
        finally:
            path.write_text(sound, encoding="utf-8")

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Copies:
    """The copies, and work that is done in whichever is free."""

    def __init__(self, copies: Sequence[Copy]) -> None:
        self._all = copies
        self._free: SimpleQueue[Copy] = SimpleQueue()
        for copy in copies:
            self._free.put(copy)

    def each[T, R](self, work: Callable[[Copy, T], R], items: Sequence[T]) -> list[R]:
        """Return what the work, done in a copy, makes of each item."""

        def in_a_copy(item: T) -> R:
            copy = self._free.get()
            try:
                return work(copy, item)
            finally:
                self._free.put(copy)

        with ThreadPoolExecutor(len(self._all)) as pool:
            return list(pool.map(in_a_copy, items))

    def sound(self, mutants: Sequence[Mutant]) -> dict[str, float]:
        """Run every mutant's tests on the sound package and return the seconds of processor time of each run.

        Only where they pass does a failure mean that they noticed a fault; so all must.
        """

        def passed(copy: Copy, tests: str) -> Outcome:
            outcome = copy.run(tests)
            told = "FAIL " if outcome.code else "sound"
            print(f"{told}     {outcome.seconds:5.1f} s  {tests}", flush=True)
            return outcome

        runs = sorted({mutant.tests for mutant in mutants})
        outcomes = dict(zip(runs, self.each(passed, runs), strict=True))
        failing = [f"{tests}: {each.by}" for tests, each in outcomes.items() if each.code]
        if failing:
            raise SystemExit("these fail without a fault: " + "; ".join(failing))
        return {tests: outcome.busy for tests, outcome in outcomes.items()}


@contextmanager
def copies(at_once: int = AT_ONCE) -> Iterator[Copies]:
    """Make copies of the package in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="carbongrid-mutants-") as folder:
        made = [Copy(Path(folder) / str(number)) for number in range(at_once)]
        try:
            yield Copies(made)
        finally:
            for copy in made:
                copy.close()
