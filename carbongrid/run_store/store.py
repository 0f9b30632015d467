"""A run directory under construction: its steps, its manifest, its commit."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError, Problem, RunError
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.portable import sync
from carbongrid.raster.row_blocks import each_block, go_on, import_all, meanwhile
from carbongrid.run_store.disk import full_disk, is_full
from carbongrid.run_store.hashes import Hashes
from carbongrid.run_store.hashing import SEAL, seal_of, sync_tree, write_whole
from carbongrid.run_store.location import (
    MANIFEST,
    check_target,
    commit,
    mend,
    place_of,
    remove,
    sibling,
)
from carbongrid.run_store.recall import STEPS, STORE, Recall, Record, is_kept_for_runs, records_in

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Making:
    """How the files of a step are made.

    Parameters
    ----------
    name
        Name of the step.
    key
        Hash of everything that the files depend on.
    files
        Paths of the files or folders that ``make`` writes, relative to the run's folder.
    make
        Called if nothing can be reused. It finds what an interrupted run of the same key left.
    scratch
        What it writes on the way; removed when the step is finished.
    imports
        Modules that its threads import, if they are there: they are imported before (:func:`carbongrid.raster.row_blocks.import_all`).
    """

    name: str
    key: str
    files: Sequence[str]
    make: Callable[[], None]
    scratch: Sequence[str] = ()
    imports: Sequence[str] = ()


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
    _taken_over: set[str] = field(default_factory=set)
    _seen: list[str] = field(default_factory=list)
    _recording: threading.Lock = field(default_factory=threading.Lock)

    @property
    def reused(self) -> list[str]:
        """Steps that were taken over, where they stand in the manifest."""
        return [name for name in self._seen if name in self._taken_over]

    def step(self, step: Making) -> None:
        """Make the files of a step, or take them over from a run whose inputs were the same."""
        deque(self.steps([step]), maxlen=0)

    def steps(self, steps: Sequence[Making]) -> Iterator[str]:
        """Make, or take over, the files of steps none of which needs another's; those that are made beside each other, by a thread for each core.

        Yields
        ------
        str
            The name of each step when its files are finished, in the order given.
        """
        to_make = self._begun(steps)
        names = {step.name for step in to_make}
        with contextlib.closing(each_block(self._digests_of, to_make)) as digests:
            for step in steps:
                if step.name in names:
                    self._end(step, next(digests))
                self._seen.append(step.name)
                yield step.name

    @contextlib.contextmanager
    def beside(
        self, steps: Sequence[Making], *, take_over_first: bool = False
    ) -> Iterator[Callable[[], None]]:
        """Make, or take over, the files of steps by a thread, one after the other, while the block of code makes those of other steps; at its end they are finished. In the manifest they stand where they were begun, whoever is faster.

        An error of theirs is raised there, or by what the block is given, as soon as it is called, unless the block ends in one of its own. That waits for them, since what is finished is worth keeping; Ctrl-C does not.
        ``take_over_first``: what can be taken over is so before the block begins, which takes long and tells no error before its end.
        """
        self._seen += [step.name for step in steps]
        if take_over_first:
            steps = [step for step in steps if not self._has_taken_over(step)]
        import_all(name for step in steps for name in step.imports)

        def finish(step: Making) -> None:
            if not self._has_taken_over(step):
                self._begin(step)
                self._end(step, self._digests_of(step))

        with meanwhile(finish, steps) as require_none_failed:
            yield require_none_failed

    def _begun(self, steps: Sequence[Making]) -> list[Making]:
        """Take over what can be, and return those steps that are to be made."""
        to_make = [step for step in steps if not self._has_taken_over(step)]
        for step in to_make:
            self._begin(step)
        import_all(name for step in to_make for name in step.imports)
        return to_make

    def _end(self, step: Making, digests: Mapping[str, str]) -> None:
        self._finish(step.name, Record(step.key, digests))
        for file in step.scratch:
            remove(self.folder / file)
        logger.info("%s: made", step.name)

    def _has_taken_over(self, step: Making) -> bool:
        """Take the files of a step over from a run whose inputs were the same, if there is one."""
        found = self.recall.find(step.name, step.key, step.files, self._recording)
        if found is None:
            return False
        if found.folder != self.folder:
            self._take_over(step.name, found.folder, step.files)
        self._finish(step.name, found.record)
        self._taken_over.add(step.name)
        logger.info("%s: reused", step.name)
        return True

    def _begin(self, step: Making) -> None:
        go_on()
        self._taken_over.discard(step.name)
        if self.records.get(step.name) != Record(step.key):
            for file in (*step.files, *step.scratch):
                remove(self.folder / file)
            self._finish(step.name, Record(step.key))  # begun: no files yet
        for file in step.files:
            (self.folder / file).parent.mkdir(exist_ok=True)

    def _digests_of(self, step: Making) -> dict[str, str]:
        """Make the files of a step, bring them to the disk, and return the digest of each."""
        step.make()
        for file in step.files:
            go_on()
            self._sync(file)
        return {file: self._digest_of(file) for file in step.files}

    def _digest_of(self, file: str) -> str:
        return self.recall.hashes.take(self.folder / file)[0]

    def _take_over(self, name: str, place: Path, files: Sequence[str]) -> None:
        # A step that was begun writes into the files that it finds: these may soon be another run's as well.
        with self._recording:
            go_on()
            if self.records.pop(name, None) is not None:
                self._keep_records()
        for file in files:
            source, target = place / file, self.folder / file
            go_on()
            remove(target)
            target.parent.mkdir(exist_ok=True)
            never_edited = is_kept_for_runs(file)
            linked = never_edited and place != self.recall.lent
            copy = functools.partial(_copy, place.resolve() if linked else None)
            # What people edit is read again: on a share it may look as before for a while.
            known = (
                self.recall.hashes.copying(source, target)
                if never_edited
                else contextlib.nullcontext()
            )
            with known:
                if source.is_dir():
                    shutil.copytree(source, target, copy_function=copy)
                else:
                    copy(source, target)
            # A file with one more name was brought to the disk when it was made.
            self._sync(file, content=not linked)

    def _sync(self, file: str, *, content: bool = True) -> None:
        """Bring a file, and the folders by which it is found, to the disk."""
        path = self.folder / file
        sync_tree(path, files=content)
        for parent in path.parents:
            sync(parent)
            if parent == self.folder:
                break

    def _finish(self, name: str, record: Record) -> None:
        with self._recording:
            go_on()  # whoever was left alone by a second Ctrl-C has no lock of the run any more
            self.records[name] = record
            self._keep_records()

    def _keep_records(self) -> None:
        write_whole(self.folder / STEPS, json.dumps(_plain(self.records)))

    def forget(self, name: str) -> None:
        """Take a step and its files out again: they are not to be part of the run."""
        for file in self.records.pop(name, Record("")).files:
            remove(self.folder / file)
        self._seen = [each for each in self._seen if each != name]
        self._taken_over.discard(name)

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
        # A file is read again where its stamps are not those that it was hashed with.
        again = each_block(self._digest_of, list(digests))
        with contextlib.closing(again) as found:
            for (file, digest), now in zip(digests.items(), found, strict=True):
                if now != digest:
                    raise RunError(
                        f"{self.folder / file} was changed while the run was working. Run it again."
                    )
        hashes = dict(sorted(_file_by_file(self.folder, digests)))
        whole = {**content, "steps": _plain(records), "files": hashes}
        # What JSON cannot hold as it is would be another thing when it is read again.
        whole = json.loads(json.dumps(whole))
        whole[SEAL] = seal_of(whole)
        write_whole(self.folder / MANIFEST, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        (self.folder / STEPS).unlink(missing_ok=True)

    def _keep_only(self, files: Mapping[str, str]) -> None:
        for path in self.folder.iterdir():
            inside = [file for file in files if file.startswith(f"{path.name}/")]
            if inside and path.name not in files:
                for entry in path.iterdir():
                    if f"{path.name}/{entry.name}" not in inside:
                        remove(entry)
            elif path.name not in (*files, STEPS):
                remove(path)


@contextlib.contextmanager
def new_run(
    out: Path,
    *,
    replace: bool = False,
    reuse: Path | None = None,
    restart: bool = False,
    for_next: bool = True,
    hashes: Hashes | None = None,
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
    for_next
        Whether what is finished is kept where something is wrong: a plan takes nothing over from another try.
    hashes
        Digests that are known.

    Raises
    ------
    InputError
        If ``out`` exists and may not be replaced, or is not a run directory, or holds files of the user's: at the start, or
        at the end, when what is finished is kept for the next run unless ``for_next`` is off.
    RunError
        If the disk is full.
    """
    out = place_of(out)
    mend(out)
    check_target(out, replace=replace)
    folder = sibling(out, "partial")
    recall = Recall.around(out, reuse, restart=restart, hashes=hashes)
    if restart:
        remove(folder)
    store = RunStore(folder, recall, records_in(folder))
    if folder not in recall.places and not restart:
        store.recall = replaced(recall, places=(folder, *recall.places))
    try:
        folder.mkdir(exist_ok=True)
        yield store
        if not (folder / MANIFEST).exists():
            raise RunError(f"{out}: the run ended without a manifest")
        commit(folder, out, replace=replace)
    except InputError as error:
        # What took hours and was finished is worth keeping, whatever is wrong with what comes after it.
        if for_next and any(record.files for record in store.records.values()):
            raise InputError([*error.problems, _kept_in(folder)]) from error
        remove(folder)
        raise
    except Exception as error:
        full = is_full(folder, error)
        if not for_next:
            remove(folder)
        if full:
            met = f"The system said {type(error).__name__}: {error}"
            kept = " What is finished is taken over." if for_next else ""
            raise RunError(f"{full_disk(out)}{kept} {met}") from error
        raise


def _kept_in(folder: Path) -> Problem:
    return Problem(
        f"what was finished is kept in {folder}",
        hint="The next run to the same place takes over what still holds; remove the folder to begin anew.",
        level="note",
    )


def _copy(going: Path | None, source: str | Path, target: str | Path) -> None:
    """Copy a file, or give it a second name if it lies in a run that goes when this one is finished. What only a link leads to is copied."""
    go_on()
    if going is None:
        shutil.copy2(source, target)
        return
    real = Path(source).resolve()
    if real.is_file() and real.is_relative_to(going):
        with contextlib.suppress(OSError):  # a file system without such links
            os.link(real, target)
            return
    shutil.copy2(source, target)
    sync(Path(target))


def _file_by_file(folder: Path, digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file and its digest; a store of many chunks counts as one file."""
    for name, digest in digests.items():
        path = folder / name
        if not path.is_dir() or path.suffix == STORE:
            yield name, digest
            continue
        for file in path.rglob("*"):
            if file.is_file():
                yield file.relative_to(folder).as_posix(), hash_path(file)


def _plain(records: Mapping[str, Record]) -> dict[str, Any]:
    return {name: asdict(record) for name, record in records.items()}
