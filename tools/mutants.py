"""``nox -s mutants``: plant a fault in a copy of the package, run the tests of the changed module, and count who notices.

Each fault is a piece of text and what it becomes; a piece that is not there (any more) is an error, so that the list cannot rot.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """One fault: in a file of the package ``was`` becomes ``now``; ``tests`` are expected to notice."""

    name: str
    file: str
    was: str
    now: str
    tests: str


_SPLIT, _SPREAD, _TARGETS = "kernels/split.py", "allocate/spreading.py", "allocate/targets.py"
_APPORTION, _SPREADING = "tests/test_apportion.py", "tests/allocate/test_spreading.py"
_OF_TARGETS, _OVERLAPS = "tests/allocate/test_targets.py", "tests/test_overlaps.py"
_ZONING, _INDICES = "tests/test_zoning.py", "tests/test_carbon_indices.py"

MUTANTS = [
    Mutant("split: the remainder is lost", _SPLIT, "guess + remainder // whole", "guess", _APPORTION),
    Mutant("split: a part starts where the first one did", _SPLIT, "            before = after\n", "", _APPORTION),
    Mutant("split: sign of the rest", _SPLIT, "total[row] - quotient * whole", "total[row] + quotient * whole", _APPORTION),
    Mutant("split: the last weight is left out", _SPLIT, "            running += weights[i]\n", "            running += weights[max(i - 1, first)]\n", _APPORTION),
    Mutant("split: scaled by one power too few", _SPLIT, "56 - math.frexp", "40 - math.frexp", _APPORTION),
    Mutant("spreading: < for <= at the limit of what is unallocated", _SPREAD, "lost * MOST_UNALLOCATED > total", "lost * MOST_UNALLOCATED >= total", _SPREADING),
    Mutant("spreading: the whole keeps what its regions have", _SPREAD, "here[WHOLE] = whole - part", "here[WHOLE] = whole", _SPREADING),
    Mutant("spreading: order of the rows within a region", _SPREAD, 'np.argsort(region[some], kind="stable")', "np.lexsort((-some, region[some]))", _SPREADING),
    Mutant("spreading: area and parent are not added up", _SPREAD, "sum(row.by_area + row.by_parent for row in rows)", "max(row.by_area for row in rows)", _SPREADING),
    Mutant("targets: entries as they are stored", _TARGETS, "        overlap.sum_duplicates()", "        pass", _OF_TARGETS),
    Mutant("targets: dry land is moved too", _TARGETS, "np.flatnonzero(water & (outside > 0))", "np.flatnonzero(outside > 0)", _OF_TARGETS),
    Mutant("targets: a factor is forgotten", _TARGETS, "keep.data *= factor[owner]", "pass", _OF_TARGETS),
    Mutant("overlaps: off by one column", "overlaps.py", "a, b = a[both] - 1, b[both] - 1", "a, b = a[both] - 1, b[both] - 2", _OVERLAPS),
    Mutant("overlaps: nobody is somebody", "overlaps.py", "both = (a > 0) & (b > 0)", "both = (a >= 0) & (b > 0)", _OVERLAPS),
    Mutant("overlaps: the last label is too large", "overlaps.py", "labels.max() >= size", "labels.max() >= size - 1", _OVERLAPS),
    Mutant("overlaps: tiles that meet are not added up", "overlaps.py", "return summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))", "return parts[0]", _OVERLAPS),
    Mutant("indices: upside down", "carbon_indices.py", "ccr = CA_i / C_i", "ccr = C_i / CA_i", _INDICES),
    Mutant("indices: ESC of the known units only", "carbon_indices.py", "(CA_i / CA) / (C_i / C)", "(CA_i / CA) / (C_i / C_known)", _INDICES),
    Mutant("indices: ECC over all units", "carbon_indices.py", "(G_i / G) / (C_i / C_known)", "(G_i / G) / (C_i / C)", _INDICES),
    Mutant("indices: a negative sink passes", "carbon_indices.py", "(floats < 0) | np.isinf", "np.isinf", _INDICES),
    Mutant("zoning: a tie is low", "zoning.py", "part * C >= whole * C_i", "part * C > whole * C_i", _ZONING),
    Mutant("zoning: nothing is high where nothing is emitted", "zoning.py", "if C_i else part > 0", "if C_i else part >= 0", _ZONING),
    Mutant("zoning: a twentieth itself is not near", "zoning.py", "- whole * C_i) <= whole * C_i", "- whole * C_i) < whole * C_i", _ZONING),
    Mutant("zoning: sinks are sources", "zoning.py", '"sink" if CA_i > C_i', '"sink" if CA_i < C_i', _ZONING),
    Mutant("zoning: a region of one unit decides", "zoning.py", "near and region.units > 1", "near and region.units > 0", _ZONING),
    Mutant("pipeline: outside is the first column", "sharing.py", "per_target[:-1], per_target[-1]", "per_target[1:], per_target[0]", "tests/test_by_hand.py"),
    Mutant("pipeline: south for north", "sharing.py", "(north - y) // grid", "(y - north) // grid", "tests/test_sharing.py"),
    Mutant("pipeline: snapped mass is counted by the first unit", "sharing.py", "np.where(unit < 0, len(units), unit)", "np.where(unit < 0, len(units), 0)", "tests/test_sharing.py"),
    Mutant("pipeline: regions are counted twice", "pipeline/assembly.py", 'rows["grams"] - part', 'rows["grams"]', "tests/test_pipeline.py -k regional_totals"),
    Mutant("run store: a file is trusted by its name", "run_store/store.py", "return all(hash_path(folder / name) == digest for", "return all((folder / name).exists() for", "tests/test_run_store.py -k hashed_before"),
    Mutant("journal: a tile is trusted by its name", "chunked/journal.py", "known is not None and known[0] == journal.key + _digest(store, names, tile)", "known is not None", "tests/test_journal.py"),
]  # fmt: skip


AT_ONCE = 2
"""Copies of the package, each with a fault of its own."""

PATIENCE = 300.0
"""Seconds after which tests that find no end, as of a loop that a fault made endless, count as failed."""


def main() -> None:
    """Plant every fault, print who noticed, end with an error if nobody did."""
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="?", default="", help="faults whose name holds this word")
    chosen = [mutant for mutant in MUTANTS if parser.parse_args().only in mutant.name]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="carbongrid-mutants-") as name:
        copies = [_copied(Path(name) / str(number)) for number in range(AT_ONCE)]

        def in_turn[T](work: Callable[[Path, T], bool], items: Sequence[T]) -> list[T]:
            """Return the items that the work, done in a copy, does not hold for."""

            def in_a_copy(item: T) -> bool:
                copy = copies.pop()
                try:
                    return work(copy, item)
                finally:
                    copies.append(copy)

            with ThreadPoolExecutor(AT_ONCE) as pool:
                outcome = list(pool.map(in_a_copy, items))
            return [item for item, held in zip(items, outcome, strict=True) if not held]

        failing = in_turn(_pass, sorted({mutant.tests for mutant in chosen}))
        if failing:
            raise SystemExit(f"these fail without a fault: {'; '.join(failing)}")
        survivors = [mutant.name for mutant in in_turn(_killed, chosen)]
    seconds = time.monotonic() - begun
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} faults noticed in {seconds:.0f} s")
    if survivors:
        raise SystemExit(f"nobody noticed: {'; '.join(survivors)}")


def _copied(copy: Path) -> Path:
    for folder in ("carbongrid", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    shutil.copy2(ROOT / "pyproject.toml", copy)
    return copy


def _pass(copy: Path, tests: str) -> bool:
    """Tell whether tests pass on the sound package: only then does a failure mean that they noticed a fault."""
    begun = time.monotonic()
    passed = _run_tests(copy, tests).returncode == 0
    print(
        f"{'sound' if passed else 'FAIL '}     {time.monotonic() - begun:5.1f} s  {tests}",
        flush=True,
    )
    return passed


def _run_tests(copy: Path, tests: str) -> subprocess.CompletedProcess[str]:
    options = ("-q", "-x", "-p", "no:cacheprovider", "--no-header")
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "NUMBA_CACHE_DIR": str(copy / "numba"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", *options, *tests.split()]
    try:
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, f"FAILED: no end in {PATIENCE:.0f} s", "")


def _killed(copy: Path, mutant: Mutant) -> bool:
    path = copy / "carbongrid" / mutant.file
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutant.was) != 1:
        raise SystemExit(
            f"{mutant.name}: {mutant.was!r} is {sound.count(mutant.was)} times in {mutant.file}"
        )
    path.write_text(sound.replace(mutant.was, mutant.now), encoding="utf-8")
    begun = time.monotonic()
    done = _run_tests(copy, mutant.tests)
    path.write_text(sound, encoding="utf-8")
    # 1: tests failed. Anything else is no test that noticed: none collected, or the run itself broke.
    noticed = done.returncode == 1 and ("AssertionError" in done.stdout or "FAILED" in done.stdout)
    told = "noticed  " if noticed else f"SURVIVED ({done.returncode})"
    print(f"{told} {time.monotonic() - begun:5.1f} s  {mutant.name}", flush=True)
    return noticed


if __name__ == "__main__":
    main()
