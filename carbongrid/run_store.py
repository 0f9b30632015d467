"""The run directory and its commit: work in a temporary sibling, one rename at the end.

A run directory is absent or complete. What a step made is reused, from an interrupted run or
from the run that is being replaced, when the hash of its inputs still matches.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError, RunError

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_STEPS = "steps.json"


@dataclass
class RunStore:
    """A run directory under construction.

    Parameters
    ----------
    folder
        Where the run works; it becomes ``out`` when it is committed.
    previous
        A finished run to take steps from: the one that is being replaced, or another.
    """

    folder: Path
    previous: Path | None = None
    steps: dict[str, str] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)

    def step(self, name: str, key: str, files: Sequence[str], make: Callable[[], None]) -> None:
        """Make the files of a step, or take them over from a run whose inputs were the same.

        Parameters
        ----------
        name
            Name of the step.
        key
            Hash of everything that the files depend on.
        files
            Names of the files or folders that ``make`` writes into :attr:`folder`.
        make
            Called if nothing can be reused.
        """
        if self._holds(name, key, files) or self._take_over(name, key, files):
            self.reused.append(name)
        else:
            for file in files:
                _remove(self.folder / file)
            make()
        self.steps[name] = key
        (self.folder / _STEPS).write_text(json.dumps(self.steps))
        logger.info("%s: %s", name, "reused" if name in self.reused else "done")

    def _holds(self, name: str, key: str, files: Sequence[str]) -> bool:
        """Tell whether an interrupted run left this step finished."""
        return self.steps.get(name) == key and all((self.folder / file).exists() for file in files)

    def _take_over(self, name: str, key: str, files: Sequence[str]) -> bool:
        """Copy a step of the previous run, if its inputs and its files are the same."""
        if self.previous is None:
            return False
        try:
            manifest = json.loads((self.previous / MANIFEST).read_text())
            if manifest["steps"].get(name) != key:
                return False
            if any(hash_path(self.previous / file) != manifest["files"][file] for file in files):
                return False
        except (OSError, ValueError, KeyError):
            return False
        for file in files:
            source, target = self.previous / file, self.folder / file
            _remove(target)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)
        return True

    def drop_leftovers(self, files: Sequence[str]) -> None:
        """Remove what an interrupted run left in the folder, but for the files of this run's steps."""
        for path in self.folder.iterdir():
            if path.name not in (*files, _STEPS):
                _remove(path)

    def write_manifest(self, content: Mapping[str, Any]) -> None:
        """Write the manifest, with the hash of every file beside it; nothing may follow it."""
        (self.folder / _STEPS).unlink(missing_ok=True)
        files = {path.name: path for path in sorted(self.folder.iterdir())}
        files.pop(MANIFEST, None)
        hashes = {name: hash_path(path) for name, path in files.items()}
        text = json.dumps(
            {**content, "steps": self.steps, "files": hashes}, indent=1, ensure_ascii=False
        )
        with (self.folder / MANIFEST).open("w", encoding="utf-8") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())


@contextlib.contextmanager
def new_run(out: Path, *, replace: bool = False, reuse: Path | None = None) -> Iterator[RunStore]:
    """Open a store that becomes ``out`` if the block ends well.

    Parameters
    ----------
    out
        The run directory to be.
    replace
        Whether an existing one may be replaced; it stays as it is until the very end.
    reuse
        Another finished run to take steps from, where ``out`` does not exist.

    Raises
    ------
    InputError
        If ``out`` exists and may not be replaced, or is not a run directory.
    RunError
        If another process is writing it.
    """
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    with _lock(out):
        _mend(out)
        _check_target(out, replace)
        folder = _sibling(out, "partial")
        folder.mkdir(exist_ok=True)
        store = RunStore(folder, out if out.exists() else reuse, steps=_steps_in(folder))
        try:
            yield store
        except InputError:
            _remove(folder)
            raise
        if not (folder / MANIFEST).exists():
            raise RunError(f"{out}: the run ended without a manifest")
        _commit(folder, out)


def check_target(out: Path, *, replace: bool) -> None:
    """Raise InputError, before any work, if ``out`` exists and may not be replaced."""
    _check_target(out.absolute(), replace)


def hash_path(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's relative names and files in order."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file():
                digest.update(file.relative_to(path).as_posix().encode() + b"\0")
                digest.update(hash_path(file).encode() + b"\0")
        return digest.hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_values(*values: Any) -> str:
    """Return the sha256 of values that JSON can hold, the key of a step."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def _sibling(out: Path, suffix: str) -> Path:
    return out.with_name(f".{out.name}.{suffix}")


def _steps_in(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / _STEPS).read_text()))
    except (OSError, ValueError):
        for leftover in folder.iterdir():
            _remove(leftover)
        return {}


def _check_target(out: Path, replace: bool) -> None:
    if not out.exists():
        return
    if not replace:
        raise InputError(
            "the run directory exists already",
            str(out),
            "Give another, or replace it with --replace.",
        )
    if out.is_dir() and not any(out.iterdir()):
        return
    if not (out / MANIFEST).exists():
        raise InputError(
            f"this is not a run directory (it has no {MANIFEST}), so it will not be replaced",
            str(out),
            "Give another directory, or remove this one yourself.",
        )


def _mend(out: Path) -> None:
    """Finish a commit that was cut between its two renames."""
    old = _sibling(out, "old")
    if not old.exists():
        return
    if out.exists():
        _remove(old)
    else:
        old.rename(out)


def _commit(folder: Path, out: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            _sync(path)
    _sync(folder)
    old = _sibling(out, "old")
    if out.exists():
        out.rename(old)
    folder.rename(out)
    _sync(out.parent)
    _remove(old)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(out: Path) -> Iterator[None]:
    """Hold the directory's lock; the kernel frees it when its holder dies."""
    path = _sibling(out, "lock")
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between open and flock the holder may have finished and removed the file.
            still_there = path.exists() and os.fstat(stream.fileno()).st_ino == path.stat().st_ino
        except OSError:
            still_there = False
        if not still_there:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise RunError(
                f"{out}: {holder} is writing this run directory. Wait for it, or give another."
            )
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {os.uname().nodename}")
        stream.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
