"""A run directory under construction: its steps, its manifest, its commit."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carbongrid.errors import CarbongridError, InputError, RunError
from carbongrid.run_store.hashing import SEAL, hash_path, seal_of, sync, sync_tree, write_whole

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_STEPS = "steps.json"
_SPACE = 16 * 2**20
"""Where less than this is left, a failure to write is told as a full disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STORE = ".zarr"
_SIDE_FILES = ("-wal", "-shm", "-journal", ".aux.xml", ".ovr", ".qmd", ".lock")
"""What GIS programs lay beside a file that they only look at; goes with it."""


@dataclass(frozen=True)
class Record:
    """What a finished step was made from (``key``), and the digest of each file that it made."""

    key: str
    files: Mapping[str, str] = field(default_factory=dict)

    def holds_in(self, folder: Path, key: str, files: Sequence[str]) -> bool:
        """Tell whether the step was made from the same and its files are as it left them."""
        if self.key != key or set(self.files) != set(files):
            return False
        try:
            return all(hash_path(folder / name) == digest for name, digest in self.files.items())
        except OSError:
            return False


@dataclass(frozen=True)
class Recall:
    """Where finished steps may be found: an interrupted run, the run to be replaced, another run."""

    places: tuple[Path, ...]

    @classmethod
    def around(cls, out: Path, reuse: Path | None = None, *, restart: bool = False) -> Recall:
        """Look beside ``out``, in it, and in ``reuse``; with ``restart`` nowhere."""
        out = out.absolute()
        places = () if restart else (_sibling(out, "partial"), out, _sibling(out, "old"), reuse)
        return cls(tuple(place for place in places if place is not None and place.is_dir()))

    def find(self, name: str, key: str, files: Sequence[str]) -> Path | None:
        """Return a folder that holds the step's files, hashed again just now; None if there is none."""
        for place in self.places:
            record = _records_in(place).get(name)
            if record is not None and record.holds_in(place, key, files):
                return place
        return None


@dataclass
class RunStore:
    """A run directory under construction.

    Parameters
    ----------
    folder
        Where the run works; it becomes ``out`` when it is committed.
    recall
        Where finished steps may be taken from.
    records
        Steps that are finished in :attr:`folder`.
    """

    folder: Path
    recall: Recall
    records: dict[str, Record] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    _seen: list[str] = field(default_factory=list)

    def step(
        self,
        name: str,
        key: str,
        files: Sequence[str],
        make: Callable[[], None],
        scratch: Sequence[str] = (),
    ) -> None:
        """Make the files of a step, or take them over from a run whose inputs were the same.

        Parameters
        ----------
        name
            Name of the step.
        key
            Hash of everything that the files depend on.
        files
            Paths of the files or folders that ``make`` writes, relative to :attr:`folder`.
        make
            Called if nothing can be reused. It finds what an interrupted run of the same key left.
        scratch
            What it writes on the way; removed when the step is finished.
        """
        found = self.recall.find(name, key, files)
        if found is None:
            self._make(name, key, (files, scratch), make)
        else:
            if found != self.folder:
                self._take_over(found, files)
            self.reused.append(name)
            self._finish(name, Record(key, _records_in(found)[name].files))
        self._seen.append(name)
        logger.info("%s: %s", name, "made" if found is None else "reused")

    def _make(
        self,
        name: str,
        key: str,
        written: tuple[Sequence[str], Sequence[str]],
        make: Callable[[], None],
    ) -> None:
        files, scratch = written
        if self.records.get(name) != Record(key):
            for file in (*files, *scratch):
                _remove(self.folder / file)
            self._finish(name, Record(key))  # begun: no files yet
        for file in files:
            (self.folder / file).parent.mkdir(exist_ok=True)
        make()
        for file in files:
            sync_tree(self.folder / file)
        self._finish(name, Record(key, {file: hash_path(self.folder / file) for file in files}))
        for file in scratch:
            _remove(self.folder / file)

    def _take_over(self, place: Path, files: Sequence[str]) -> None:
        for file in files:
            source, target = place / file, self.folder / file
            _remove(target)
            target.parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)

    def _finish(self, name: str, record: Record) -> None:
        self.records[name] = record
        write_whole(self.folder / _STEPS, json.dumps(_plain(self.records)))

    def forget(self, name: str) -> None:
        """Take a step and its files out again: they are not to be part of the run."""
        for file in self.records.pop(name, Record("")).files:
            _remove(self.folder / file)
        self._seen = [each for each in self._seen if each != name]

    def forget_all(self) -> None:
        """Forget every step so far: nothing of what is kept for the next run may be published."""
        for name in list(self.records):
            self.forget(name)

    def write_manifest(self, content: Mapping[str, Any]) -> None:
        """Write the manifest, with the hash of every file beside it; nothing may follow it.

        What no step of this run made is taken out first.

        Raises
        ------
        RunError
            If a file is not what its step made.
        """
        records = {name: self.records[name] for name in self._seen}
        digests = {file: digest for each in records.values() for file, digest in each.files.items()}
        self._keep_only(digests)
        for file, digest in digests.items():
            if hash_path(self.folder / file) != digest:
                raise RunError(
                    f"{self.folder / file} was changed while the run was working. Run it again."
                )
        hashes = dict(sorted(_file_by_file(self.folder, digests)))
        whole = {**content, "steps": _plain(records), "files": hashes}
        # What JSON cannot hold as it is would be another thing when it is read again.
        whole = json.loads(json.dumps(whole))
        whole[SEAL] = seal_of(whole)
        write_whole(self.folder / MANIFEST, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        (self.folder / _STEPS).unlink(missing_ok=True)

    def _keep_only(self, files: Mapping[str, str]) -> None:
        for path in self.folder.iterdir():
            inside = [file for file in files if file.startswith(f"{path.name}/")]
            if inside and path.name not in files:
                for entry in path.iterdir():
                    if f"{path.name}/{entry.name}" not in inside:
                        _remove(entry)
            elif path.name not in (*files, _STEPS):
                _remove(path)


@contextlib.contextmanager
def new_run(
    out: Path, *, replace: bool = False, reuse: Path | None = None, restart: bool = False
) -> Iterator[RunStore]:
    """Open a store that becomes ``out`` if the block ends well; whoever calls holds the lock (:func:`claimed`).

    Parameters
    ----------
    out
        The run directory to be.
    replace
        Whether an existing one may be replaced; it stays as it is until the very end.
    reuse
        Another finished run to take steps from.
    restart
        Whether to take nothing over, neither from an interrupted run nor from a finished one.

    Raises
    ------
    InputError
        If ``out`` exists and may not be replaced, or is not a run directory, or holds files of the user's.
    RunError
        If the disk is full.
    """
    out = out.absolute()
    _mend(out)
    check_target(out, replace=replace)
    folder = _sibling(out, "partial")
    recall = Recall.around(out, reuse, restart=restart)
    if restart:
        _remove(folder)
    folder.mkdir(exist_ok=True)
    store = RunStore(folder, recall, _records_in(folder))
    if folder not in recall.places and not restart:
        store.recall = Recall((folder, *recall.places))
    try:
        yield store
        if not (folder / MANIFEST).exists():
            raise RunError(f"{out}: the run ended without a manifest")
        _commit(folder, out)
    except InputError:
        _remove(folder)
        raise
    except Exception as error:
        if _disk_is_full(folder, error):
            raise RunError(
                f"{out.parent}: the disk is full. {_untouched(out)} Free some space and run again: "
                "what is finished is taken over."
            ) from error
        raise


def check_target(out: Path, *, replace: bool) -> None:
    """Raise InputError, before any work, if ``out`` exists and may not be replaced."""
    out = out.absolute()
    if not out.exists() and not _sibling(out, "old").exists():
        return
    if not replace:
        raise InputError(
            "the run directory exists already",
            str(out),
            "Give another, or replace it with --replace.",
        )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    manifest = _manifest_in(out)
    if manifest is None:
        raise InputError(
            f"this is not a run directory (it has no {MANIFEST}), so it will not be replaced",
            str(out),
            "Give another directory, or remove this one yourself.",
        )
    others = _not_of_the_run(out, manifest)
    if others:
        raise InputError(
            f"the directory holds what is not part of its run, so it will not be replaced: {', '.join(others[:10])}",
            str(out),
            "Move that elsewhere, or give another directory.",
        )


def _not_of_the_run(out: Path, manifest: Mapping[str, Any]) -> list[str]:
    names = sorted(path.name for path in out.iterdir())
    listed = tuple(manifest.get("files", ()))
    known = {MANIFEST, *listed, *(name.split("/")[0] for name in listed)}
    return [
        name
        for name in names
        if name not in known and not name.startswith(".") and not name.endswith(_SIDE_FILES)
    ]


def _file_by_file(folder: Path, digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file and its digest; a store of many chunks counts as one file."""
    for name, digest in digests.items():
        path = folder / name
        if not path.is_dir() or path.suffix == _STORE:
            yield name, digest
            continue
        for file in path.rglob("*"):
            if file.is_file():
                yield file.relative_to(folder).as_posix(), hash_path(file)


def _disk_is_full(folder: Path, error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return True
        cause = cause.__cause__ or cause.__context__
    # Drivers of formats say it in words of their own, or not at all.
    return not isinstance(error, CarbongridError) and shutil.disk_usage(folder.parent).free < _SPACE


def _untouched(out: Path) -> str:
    return "The run that was there is as it was." if out.exists() else "Nothing is lost."


def _sibling(out: Path, suffix: str) -> Path:
    return out.with_name(f".{out.name}.{suffix}")


def _plain(records: Mapping[str, Record]) -> dict[str, Any]:
    return {name: asdict(record) for name, record in records.items()}


def _records_in(folder: Path) -> dict[str, Record]:
    """Return the steps of an interrupted run, or of a finished one; none where nothing can be read."""
    try:
        listed = json.loads((folder / _STEPS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        listed = (_manifest_in(folder) or {}).get("steps", {})
    except (OSError, ValueError):
        return {}
    try:
        return {name: Record(each["key"], dict(each["files"])) for name, each in listed.items()}
    except (TypeError, KeyError, AttributeError, ValueError):
        return {}


def _manifest_in(folder: Path) -> dict[str, Any] | None:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _mend(out: Path) -> None:
    """Finish a commit that was cut between its two renames, or after them."""
    old = _sibling(out, "old")
    if not old.exists():
        return
    if out.exists():
        _remove(old)
    else:
        old.rename(out)


def _commit(folder: Path, out: Path) -> None:
    sync(folder)
    old = _sibling(out, "old")
    if out.exists():
        out.rename(old)
    folder.rename(out)
    sync(out.parent)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
