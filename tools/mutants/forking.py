"""A process that has imported libraries and forks for each run of tests: most of such a run would else be imports."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import pytest
from hypothesis import Phase, settings

MAX_MEMORY = 16 << 30
"""Bytes of address space: a fault that asks for endless memory ends with an error of its own."""

LONGEST = 3600.0
"""Seconds after which tests that wait for what never comes are ended."""

# The same examples each time, and none made smaller: that a test fails is all that is asked.
settings.register_profile(
    "mutants",
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
OPTIONS = (
    *("-q", "-x", "-p", "no:cacheprovider", "--no-header", "--hypothesis-profile=mutants"),
    # Of hypothesis, which is imported before the fork.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


def main() -> None:
    """Answer each line of the standard input, tests to be run, with how they ended."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    # Of a fork beside the threads of an import: none of them holds a lock.
    warnings.simplefilter("ignore", DeprecationWarning)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run(asked["tests"], asked["limit"])), flush=True)


def _run(tests: list[str], limit: int) -> dict[str, object]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="carbongrid-mutant-") as folder:
        said = Path(folder) / "said.txt"
        child = os.fork()
        if child == 0:
            _tests(tests, said, Path(folder) / "tmp", limit)
        code, busy = _waited(child, begun + LONGEST)
        text = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    shutil.rmtree(".hypothesis", ignore_errors=True)
    seconds = time.monotonic() - begun
    return {"code": code, "text": text[-20_000:], "seconds": seconds, "busy": busy}


def _waited(child: int, until: float) -> tuple[int, float]:
    """Return the exit code of a process, negative for a signal, and its seconds of processor time; kill it when it is late.

    What it started and left behind is killed too.
    """
    while True:
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            _kill_group(child)
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        if time.monotonic() > until:
            _kill_group(child)
            os.waitpid(child, 0)
            return -signal.SIGKILL, 0.0
        time.sleep(0.02)


def _kill_group(child: int) -> None:
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _tests(tests: list[str], said: Path, folder: Path, limit: int) -> None:
    """Run tests in the forked process, which ends with pytest's exit code."""
    code = 3
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        # Processor time: beside other work tests take many times their seconds, but a loop without an end takes all it gets.
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        written = os.open(said, os.O_CREAT | os.O_WRONLY)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(written, 1)
        os.dup2(written, 2)
        found = importlib.util.find_spec("carbongrid")
        if found is not None and not str(found.origin).startswith(str(Path.cwd())):
            raise SystemExit(f"these tests would run on {found.origin}")
        code = int(pytest.main([*OPTIONS, f"--basetemp={folder}", *tests]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
