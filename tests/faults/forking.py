"""A process that has imported everything and forks: the command line in a process of its own, in two seconds instead of nine."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.threaded
from waiting import HANG

# Threads of a BLAS would be there before the fork, and not after it.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

_TIMEOUT_S = HANG
"""Seconds after which a process that should have ended by itself gets SIGKILL: then it is a fault."""
_BETWEEN_INTERRUPTS = 0.15


@dataclass(frozen=True)
class Outcome:
    """How a process ended: exit code (negative: the signal), what it said, how long it took."""

    code: int
    text: str
    seconds: float


class Shell:
    """Runs command lines of carbongrid, each in a forked process; not for two threads at once."""

    def __init__(self) -> None:
        tests = Path(__file__).resolve().parents[1]
        environment = {
            **os.environ,
            **_ONE_THREAD,
            "PYTHONPATH": os.pathsep.join([str(tests), *sys.path]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.forking"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def run(
        self,
        *words: object,
        kill_after: float = 0,
        interrupts: int = 0,
        at: float = 0,
        file_limit: int = 0,
        warm: bool = False,
    ) -> Outcome:
        """Run ``carbongrid WORDS``.

        Parameters
        ----------
        words
            The command line.
        kill_after
            Seconds from its first open file after which the process gets SIGKILL; 0 for never.
        interrupts
            So many SIGINT then, to it and all that it started, as a terminal sends them, instead of the SIGKILL.
        at
            When to begin, as time.time() has it.
        file_limit
            Bytes that a file may hold (RLIMIT_FSIZE); 0 for any.
        warm
            Run it in the forking process itself: what it loads and compiles, its children then have.
        """
        order = {"words": [str(word) for word in words], "kill_after": kill_after, "at": at}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order |= {"file_limit": file_limit, "warm": warm, "interrupts": interrupts}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return Outcome(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@contextlib.contextmanager
def shells(count: int) -> Iterator[list[Shell]]:
    """Open several shells, to be used by a thread each."""
    opened = [Shell() for _ in range(count)]
    try:
        yield opened
    finally:
        for shell in opened:
            shell.close()


def side_by_side(shells: list[Shell], tasks: list[Any]) -> list[Any]:
    """Return task(shell) of every task, as many at once as there are shells."""
    free = list(shells)

    def work(task: Any) -> Any:
        shell = free.pop()
        try:
            return task(shell)
        finally:
            free.append(shell)

    with ThreadPoolExecutor(len(shells)) as pool:
        return list(pool.map(work, tasks))


def _serve() -> None:

    # Imported late by the package; here once for all children.
    for name in ("matplotlib.figure", "matplotlib.backends.backend_agg", "dask.delayed",
                 "rioxarray", "openpyxl", "xlsxwriter", "h5netcdf", "jinja2", "pyarrow.parquet", "xarray.backends"):  # fmt: skip
        __import__(name)
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside the threads of an import
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(vars(_forked(**order))), flush=True)


def _forked(words: list[str], at: float, file_limit: int, warm: bool, **end: float) -> Outcome:
    with tempfile.TemporaryFile() as said:
        time.sleep(max(0.0, at - time.time()))
        begun = time.monotonic()
        if warm:
            code = _worked_here(words, said.fileno())
        else:
            reads, writes = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reads)
                _work(words, said.fileno(), file_limit, writes)
            os.close(writes)
            # Ends when the command opens its first file: on a busy machine a process may be held up before it is one.
            os.read(reads, 1)
            os.close(reads)
            code = _ending(child, **end)
        seconds = time.monotonic() - begun
        said.seek(0)
        return Outcome(code, said.read().decode(errors="replace"), seconds)


def _ending(child: int, kill_after: float, interrupts: float) -> int:
    """Wait for the end of a process, or bring it about."""
    begun = time.monotonic()
    end = kill_after or _TIMEOUT_S
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - begun > end:
            if interrupts:
                os.killpg(child, signal.SIGINT)
                interrupts -= 1
                end += _BETWEEN_INTERRUPTS if interrupts else _TIMEOUT_S
            else:
                os.kill(child, signal.SIGKILL)
                end = math.inf
        time.sleep(0.002)


def _worked_here(words: list[str], said: int) -> int:
    kept = [os.dup(stream) for stream in (1, 2)]
    try:
        for stream in (1, 2):
            os.dup2(said, stream)
        return _exit_code(words)
    finally:
        for stream, own in zip((1, 2), kept, strict=True):
            os.dup2(own, stream)
            os.close(own)


def _work(words: list[str], said: int, file_limit: int, waits: int) -> None:
    code, waiting = 1, [waits]

    def opens(event: str, _: object) -> None:
        if event == "open" and waiting:
            os.close(waiting.pop())

    try:
        os.setpgid(0, 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdin.close()
        # Threads do not outlive a fork; what waits for those of the parent would wait for ever.
        dask.threaded.default_pool = None
        if file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
        sys.addaudithook(opens)
        code = _exit_code(words)
    finally:
        os._exit(code)


def _exit_code(words: list[str]) -> int:
    from carbongrid.cli import main

    try:
        main(words, standalone_mode=True)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    _serve()
