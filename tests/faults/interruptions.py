"""What ends a run before its time: a kill, a full disk, a second writer."""

from __future__ import annotations

import functools
import random
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from carbongrid.raster.opening.digests import hash_path
from carbongrid.run_store import Recall
from faults.forking import Outcome, Shell, side_by_side
from faults.ground import CHUNKS, Ground, is_whole, manifest_of
from faults.tally import Row

TRIES = 5
"""How often two writers start until they meet: one that was held up may find that the other has ended."""
CLUSTER_STARTS = 4.0
"""Seconds until workers are there, about."""

Words = tuple[object, ...]


def kills(ground: Ground, shells: list[Shell], rounds: int, seed: int = 6) -> Row:
    """SIGKILL at random times, half of them while an older run is replaced; then run again to the end."""
    row = Row("run killed (SIGKILL) at a random time, then run again")
    return _ended_early(row, ground, shells, [()] * rounds, 0, seed)


def interrupts(ground: Ground, shells: list[Shell], rounds: int, seed: int = 7) -> Row:
    """Ctrl-C, once or twice, at random times, a fifth of them with workers; then run again to the end."""
    row = Row("Ctrl-C once, or twice, at a random time, then run again")
    means = [("--workers", 2) if number % 5 == 1 else () for number in range(rounds)]
    return _ended_early(row, ground, shells, means, 2, seed)


def _ended_early(
    row: Row, ground: Ground, shells: list[Shell], means: Sequence[Words], most: int, seed: int
) -> Row:
    """Run with some means each; ``most``: at most so many SIGINT, 0 for SIGKILL."""
    whole = _seconds_undisturbed(ground, shells[0])
    draw = random.Random(seed)
    tasks = []
    for number, words in enumerate(means):
        moment = draw.uniform(0.05, whole + (CLUSTER_STARTS if words else 0))
        count = 1 + number % most if most else 0
        tasks.append(functools.partial(_killed, ground, number, moment, count, words))
    for name, lost, silent, text in side_by_side(shells, tasks):
        row.case(name, lost=lost, silent=silent, text=text)
    return row


def _seconds_undisturbed(ground: Ground, shell: Shell) -> float:
    known = ground.folder / "seconds"
    if not known.exists():
        done = shell.run("run", ground.case, "--out", ground.new("timing"), *CHUNKS)
        known.write_text(str(done.seconds), encoding="ascii")
    return float(known.read_text(encoding="ascii"))


def _killed(
    ground: Ground, number: int, moment: float, interrupts: int, words: Words, shell: Shell
) -> tuple[str, bool, bool, str]:
    replaced = number % 2 == 1
    name = f"end-{interrupts}-{number}"
    out = ground.copy(ground.other_run, name) if replaced else ground.new(name)
    options = ["--replace"] if replaced else []
    before = manifest_of(out).get("digests")
    command = ("run", ground.case, "--out", out, *options, *CHUNKS)
    first = shell.run(*command, *words, kill_after=moment, interrupts=interrupts)
    silent = bool(interrupts) and first.code != 0 and "Aborted!" not in first.text
    held = manifest_of(out).get("digests") or manifest_of(_sibling(out, "old")).get("digests")
    # Whatever the moment: the old run, whole, or the new one, whole.
    lost = held not in (before, ground.digests) or (out.exists() and not is_whole(out))
    finished = _finished_steps(out)
    if first.code == 0 or (held == ground.digests and not replaced):
        options = ["--replace"]
    again = shell.run("run", ground.case, "--out", out, *options, *CHUNKS)
    manifest = manifest_of(out)
    lost |= again.code != 0 or manifest.get("digests") != ground.digests or not is_whole(out)
    lost |= bool(finished - set(manifest.get("reused", ()))) if held != ground.digests else False
    lost |= sorted(path.name for path in out.parent.iterdir()) != ["run"]
    shutil.rmtree(out.parent)
    told = f"after {moment:.2f} s {words}{', replacing' if replaced else ''}"
    return told, lost, silent, first.text + again.text


def _sibling(out: Path, suffix: str) -> Path:
    return out.with_name(f".{out.name}.{suffix}")


def _finished_steps(out: Path) -> set[str]:
    """Return the steps that an interrupted run has finished, with files as they were left."""
    import json

    partial = _sibling(out, "partial")
    try:
        records = json.loads((partial / "steps.json").read_text(encoding="utf-8"))
    except OSError:
        return set()
    recall = Recall((partial,))
    return {
        name
        for name, each in records.items()
        if each["files"] and recall.find(name, each["key"], list(each["files"]))
    }


def full_disks(ground: Ground, shells: list[Shell], points: int) -> Row:
    """Let the disk be full at another point each time; then run again with space."""
    row = Row("disk full at another point each time, then run again")
    biggest = max(file.stat().st_size for file in ground.run.rglob("*") if file.is_file())
    size = sum(file.stat().st_size for file in ground.run.rglob("*") if file.is_file())
    mounts = can_mount(ground.folder)
    half = points // 2 if mounts else points
    tasks = [
        functools.partial(_limited, ground, n, 200 + int(biggest * 0.95 * n / half))
        for n in range(half)
    ]
    tasks += [
        functools.partial(_small_disk, ground, n, 40_000 + int(size * 0.9 * n / (points - half)))
        for n in range(points - half)
    ]
    for name, lost, silent, text in side_by_side(shells, tasks):
        row.case(name, lost=lost, silent=silent, text=text)
    return row


def _limited(ground: Ground, number: int, limit: int, shell: Shell) -> tuple[str, bool, bool, str]:
    """No file may be larger than this: writes fail with EFBIG, wherever a file passes it."""
    out = ground.copy(ground.other_run, f"limit-{number}")
    outcome = _filled(ground, out, shell, limit)
    shutil.rmtree(out.parent)
    return (f"files of at most {limit} bytes", *outcome)


def _small_disk(
    ground: Ground, number: int, free: int, shell: Shell
) -> tuple[str, bool, bool, str]:
    """Leave only so much space beside an older run on a disk of its own."""
    folder = ground.folder / f"disk-{number}"
    folder.mkdir()
    size = sum(
        -(-file.stat().st_size // 4096) * 4096 + 4096 for file in ground.other_run.rglob("*")
    )
    with tmpfs(folder, size + free) as grow:
        out = Path(shutil.copytree(ground.other_run, folder / "run"))
        outcome = _filled(ground, out, shell, 0, grow)
    folder.rmdir()
    return (f"{free} bytes left", *outcome)


def _filled(
    ground: Ground, out: Path, shell: Shell, limit: int, grow: object = None
) -> tuple[bool, bool, str]:
    before = hash_path(out)
    command = ("run", ground.case, "--out", out, "--replace", *CHUNKS)
    first = shell.run(*command, file_limit=limit)
    lost = first.code != 0 and hash_path(out) != before
    silent = first.code == 0 and not is_whole(out)
    silent |= first.code not in (0, 1) or (first.code == 1 and "disk is full" not in first.text)
    if callable(grow):
        grow()
    again = shell.run(*command)
    lost |= (
        again.code != 0 or manifest_of(out).get("digests") != ground.digests or not is_whole(out)
    )
    return lost, silent, first.text + again.text


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[object]:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield lambda: subprocess.run(
            ["mount", "-o", "remount,size=64m", str(folder)], check=True, capture_output=True
        )
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def can_mount(folder: Path) -> bool:
    """Tell whether this user may make a small disk of memory."""
    probe = folder / "probe"
    probe.mkdir()
    try:
        with tmpfs(probe, 65536):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        probe.rmdir()


def two_writers(ground: Ground, shells: list[Shell], rounds: int) -> Row:
    """Start two runs of one directory at the same moment, every other time to replace a run that is there."""
    row = Row("two writers of one directory")
    for number in range(rounds):
        for trial in range(TRIES):
            name = f"writers-{number}-{trial}"
            out = ground.copy(ground.other_run, name) if number % 2 else ground.new(name)
            first, second = _two_at_once(ground, shells, out, number)
            named = second.code == 1 and "process " in second.text and "is writing" in second.text
            lost = first.code != 0 or manifest_of(out).get("digests") != ground.digests
            shutil.rmtree(out.parent)
            if named or lost:
                break
        row.case(f"round {number}", lost=lost, silent=not named, text=first.text + second.text)
    return row


def _two_at_once(
    ground: Ground, shells: list[Shell], out: Path, number: int
) -> tuple[Outcome, Outcome]:
    """Run a case twice into one directory, and return how both ended, the one that wrote it first."""
    options = ["--replace"] if number % 2 else []
    command = ("run", ground.case, "--out", out, *options, *CHUNKS)
    at = time.time() + 0.1
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(shell.run, *command, at=at + 0.01 * (number % 5) * i)
            for i, shell in enumerate(shells[:2])
        ]
        first, second = sorted((each.result() for each in both), key=lambda each: each.code)
    return first, second
