"""Doing the steps of a list: what is reused, kept and told is decided here, and in no step."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.errors import InputError, Problem
from carbongrid.pipeline.step import SAVES, Kept, Progress, Step
from carbongrid.raster.portable import give_back
from carbongrid.raster.row_blocks import import_all, meanwhile
from carbongrid.raster.software import versions
from carbongrid.raster.surroundings import settings
from carbongrid.run_store import Making, Recall, RunStore, hash_values

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Later:
    """A value that a thread works out: ``value`` waits for it, and raises as ``require_not_failed`` does as soon as the thread has failed."""

    require_not_failed: Callable[[], None]
    value: Callable[[], Any]


class Work:
    """What of a list of steps is done.

    Parameters
    ----------
    steps
        The list. The first step whose needs are there comes next; what a thread works out (``Step.meanwhile``) is waited for by the first one that needs it.
    given
        Values by name that are there at the start.
    fingerprints, recall
        Digests of the case's files, and earlier runs from which finished steps are taken; without them all is made, and nothing is kept.
    progress
        Called with a phase, the number of its steps that are done, and their number.
    wanted
        Names of what is asked for in the end: anything else is let go of when the last step that needs it is done. By default all is kept.

    Attributes
    ----------
    values
        By name, what is given and what the steps made; None for what was let go of.
    problems
        What the steps found, in their order.
    store
        The run directory under construction, once it is open (:meth:`keep_in`); no step writes files before that.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        given: Mapping[str, Any],
        fingerprints: Fingerprints | None = None,
        recall: Recall | None = None,
        progress: Progress | None = None,
        wanted: Collection[str] | None = None,
    ) -> None:
        self.steps, self.fingerprints, self.recall = steps, fingerprints, recall
        self.values: dict[str, Any] = dict(given)
        self.problems: list[Problem] = []
        self.store: RunStore | None = None
        self._progress = progress or silent
        self._wanted = wanted
        self._keys: dict[str, str] = {}
        self._unsaved: list[Callable[[Path], Making]] = []
        self._writing = contextlib.ExitStack()
        self._written_meanwhile: list[Callable[[], None]] = []
        self._threads = contextlib.ExitStack()
        self._later: dict[str, _Later] = {}

    def go(self, until: str | None = None, *, refuse: bool = True) -> None:
        """Do the steps up to one, or all that can be done: before the store is open, those that write no files themselves. What threads work out is there at the end.

        Raises
        ------
        InputError
            If a step refuses, or finds an error and ``refuse`` holds: with the warnings so far, which often say where it comes from.
        """
        with _passed_over(), contextlib.ExitStack() as self._threads:
            try:
                self._go(until, refuse=refuse)
            finally:
                self._later.clear()

    def _go(self, until: str | None, *, refuse: bool) -> None:
        while steps := self._next(until):
            values = []
            with self._with_warnings():
                self._require_none_failed()
                self._tell(steps[0])
                for step, value in self._done(steps):
                    self.values[step.name] = value
                    values.append(value)
                    self._tell(step)
            found = [problem for value in values for problem in getattr(value, "problems", ())]
            errors = [problem for problem in found if problem.level == "error"]
            if errors and refuse:
                told = dict.fromkeys([*_warnings(self.problems), *_warnings(found), *errors])
                raise InputError(list(told))
            self.problems += found
            self._let_go()

    @contextlib.contextmanager
    def _with_warnings(self) -> Iterator[None]:
        """Tell the warnings so far with an error of the block, which may have told them already."""
        try:
            yield
        except InputError as error:
            told = list(dict.fromkeys([*_warnings(self.problems), *error.problems]))
            if told == list(error.problems):
                raise
            raise InputError(told) from error

    def _require_none_failed(self) -> None:
        """Raise the error of a thread that ended in one."""
        for require_none_failed in self._written_meanwhile:
            require_none_failed()
        for later in self._later.values():
            later.require_not_failed()

    def _let_go(self) -> None:
        if self._wanted is None:
            return
        ahead = {name for step in self.steps if step.name not in self.values for name in step.needs}
        for name in self.values.keys() - ahead - set(self._wanted):
            self.values[name] = None

    @contextlib.contextmanager
    def keep_in(self, store: RunStore) -> Iterator[None]:
        """Open the run directory: what was made is kept there beside the first step that writes its files itself, what was taken over before it, and so is what is made in this block; at its end all files are finished.

        An error of a step that writes meanwhile is raised before the next step, or there, unless the block ends in one of its own.
        """
        self.store = store
        try:
            with self._with_warnings(), contextlib.ExitStack() as self._writing:
                yield
        finally:
            self.store = None
            self._written_meanwhile.clear()

    def keep_meanwhile(self, steps: Sequence[Making]) -> None:
        """Let a thread make, or take over, files that no step needs; they are finished where the store closes."""
        assert self.store is not None, "the store is not open"
        self._written_meanwhile.append(self._writing.enter_context(self.store.beside(steps)))

    def forget(self) -> None:
        """Take all that is kept out of the run again: it may not be published."""
        assert self.store is not None, "the store is not open"
        self._unsaved.clear()
        self.store.forget_all()

    def _next(self, until: str | None) -> list[Step]:
        """Return the step that comes next, with those that may be done beside it; or one that a thread does, if that step, or nobody, waits for it."""
        there = until in self.values or until in self._later
        due = [] if there else [step for step in self.steps if self._is_due(step)]
        waited_for = due[0].needs if due else tuple(self._later)
        later = [step for step in self.steps if step.name in self._later]
        for step in later:
            if step.name in waited_for:
                return [step]
        if not due or not due[0].beside:
            return due[:1]
        return [step for step in due if step.beside and self.values.keys() >= set(step.needs)]

    def _is_due(self, step: Step) -> bool:
        begun = self.values.keys() | self._later.keys()
        if step.name in begun or (step.writes_itself and self.store is None):
            return False
        return begun >= set(step.needs)

    def _done(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Any]]:
        first = steps[0]
        if first.name in self._later:
            yield first, self._later.pop(first.name).value()
        elif first.writes_itself and self.recall is not None:
            yield from self._written(steps)
        elif first.meanwhile:
            self._later[first.name] = self._in_a_thread(first)
        else:
            for step in steps:
                yield step, self._made(step)

    def _in_a_thread(self, step: Step) -> _Later:
        """Let a thread work out the value of a step."""
        assert step.kept is None, "what is kept is not worked out by a thread"
        import_all(step.imports)
        arguments, made = self._arguments(step), []
        thread = self._threads.enter_context(contextlib.ExitStack())
        working = meanwhile(lambda own: made.append(own.make(*arguments)), [step])
        require_not_failed = thread.enter_context(working)

        def value() -> Any:
            thread.close()
            return made.pop()

        return _Later(require_not_failed, value)

    def _made(self, step: Step) -> Any:
        arguments, kept = self._arguments(step), step.kept
        if kept is None or kept.save is None or self.recall is None:
            return step.make(*arguments)
        files = kept.files(*arguments)
        if not files:
            return step.make(*arguments)
        key = self._keys[step.name] = self._key(step, kept, arguments)
        found = self.recall.find(step.name, key, files)
        if found is None:
            value = step.make(*arguments)
        else:
            value = found.read(lambda folder: kept.load(folder, *arguments))
        self._unsaved.append(functools.partial(_making, step.name, key, files, kept.save, value))
        return value

    def _written(self, steps: Sequence[Step]) -> Iterator[tuple[Step, Any]]:
        """Do steps that write their files themselves, beside each other if there are several; without files there is nothing to do."""
        assert self.store is not None, "the store is not open"
        folder, makings = self.store.folder, []
        for step in steps:
            arguments, kept = self._arguments(step), step.kept
            assert kept is not None, "what writes itself is kept"
            files = kept.files(*arguments)
            if not files:
                yield step, None
                continue
            key = self._keys[step.name] = self._key(step, kept, arguments)
            make = functools.partial(step.make, folder, *arguments)
            makings.append(Making(step.name, key, files, make, kept.scratch, step.imports))
        by_name = {step.name: step for step in steps}
        give_back()  # files are written where most memory is in use
        if steps[0].meanwhile:
            self.keep_meanwhile(makings)
            for making in makings:
                yield by_name[making.name], None
            return
        # Not at once: nothing is written before the input is known to be right, and no claims before all could be used.
        unsaved = [kept_in(folder) for kept_in in self._unsaved]
        self._unsaved.clear()
        with self.store.beside(unsaved, take_over_first=True):
            for name in self.store.steps(makings):
                step = by_name[name]
                assert step.kept is not None, "what writes itself is kept"
                yield step, step.kept.load(folder, *self._arguments(step))
        give_back()  # and of what was made for them hardly anything is needed any more

    def _arguments(self, step: Step) -> list[Any]:
        return [self.values[name] for name in step.needs]

    def _key(self, step: Step, kept: Kept, arguments: list[Any]) -> str:
        """Return the hash of all that decides a step's files: what GDAL and its like read of the environment too, unless the command line has set it aside."""
        assert self.fingerprints is not None, "nothing is kept without digests of the files"
        return hash_values(
            versions(),
            settings(),
            step.name,
            [self._keys.get(name) for name in kept.after],
            self.fingerprints.take(kept.sources(*arguments)),
            kept.decided_by(*arguments),
        )

    def _tell(self, step: Step) -> None:
        if step.phase:
            those = [each.name in self.values for each in self.steps if each.phase == step.phase]
            self._progress(step.phase, sum(those), len(those))


_passing_over = threading.Lock()
"""Held by the work that has Python's search for cycles pass over something."""

_left_to_others = threading.Event()
"""Set once somebody else was seen to: to count what is passed over takes 0.1 s of a few million objects, each time."""


@contextlib.contextmanager
def _passed_over() -> Iterator[None]:
    """Let Python's search for cycles pass over what is there already, unless somebody else has it pass over something.

    Of a second year a twentieth of the time went to looking at some 300,000 objects of libraries again and again. What was garbage in
    a cycle before is collected afterwards.
    """
    if _left_to_others.is_set() or not _passing_over.acquire(blocking=False):
        yield
        return
    try:
        if gc.get_freeze_count():
            _left_to_others.set()
            yield
            return
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
    finally:
        _passing_over.release()


def _warnings(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.level == "warning"]


def _making(
    name: str,
    key: str,
    files: Sequence[str],
    save: Callable[..., None],
    value: Any,
    folder: Path,
) -> Making:
    return Making(name, key, files, functools.partial(save, folder, value), imports=SAVES)


def silent(phase: str, done: int, total: int) -> None:
    """Tell nobody but the log."""
    logger.debug("%s: %d of %d", phase, done, total)
