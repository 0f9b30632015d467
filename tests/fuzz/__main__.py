"""``nox -s fuzz``: headers with changed bytes, and texts that nobody would write, seed after seed, in processes of bounded memory and time.

What goes wrong is printed with its seed and its bytes, or its text; put it into kept.json, and every run of the tests tries it again.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

MEMORY = 4 * 2**30
"""Bytes of address space: with 2 GiB the libraries alone are not loaded."""
EXAMPLES = 150
PATIENCE = 600  # seconds for one process: a guard against a hang
FOLDER = Path(__file__).parent


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def attempt(number: int) -> str:
    """Run the tests of headers with one seed; return what went wrong."""
    env = {**os.environ, "CARBONGRID_FUZZ_SEED": str(number), "CARBONGRID_FUZZ_EXAMPLES": str(EXAMPLES)}  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER)]
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False,
            preexec_fn=_bounded, timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"seed {number}: no end within {PATIENCE} seconds"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("E  ", "FAILED", "Fatal"))]  # fmt: skip
    return "\n".join([f"seed {number}: exit {done.returncode}", *lines[:20], done.stderr[-2000:]])


def main() -> int:
    """Try seeds until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="this one only")
    given = parser.parse_args()
    if given.seed is not None:
        told = attempt(given.seed)
        print(told or f"seed {given.seed}: nothing")
        return int(bool(told))
    end = time.monotonic() + 60 * given.minutes
    first = number = int(time.time())
    found = 0
    while time.monotonic() < end:
        told = attempt(number)
        found += bool(told)
        if told:
            print(told, flush=True)
        number += 1
    print(f"seeds {first} to {number - 1}, {EXAMPLES} changes of each format a seed: {found} with faults")  # fmt: skip
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
