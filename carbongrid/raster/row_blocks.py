"""Rows done block by block on all cores: GEOS and PROJ let go of Python's lock while they work.

Whatever is done to a row alone has the same result in any blocks; what is made on the way never exists for all rows at once.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

ROWS = 20_000
"""Rows of a block: polygons of some 10 MB, and a thread switches between blocks once in 50 ms."""

_ASKED = 5_000
"""Rows of a block of which a tree is asked: some 10 ms."""

_MAX_THREADS = 8


def each_block[T, R](
    function: Callable[[T], R], blocks: Iterable[T], ahead: int = _MAX_THREADS
) -> Generator[R]:
    """Yield function(block) of every block in order, worked on by a thread for each core that this process may use.

    Whoever leaves before the end, by an error or Ctrl-C, waits for the blocks that are being worked on, which end where they call :func:`go_on`; no other is begun, nor any block of
    theirs. To leave is to close the generator: who has a name for it closes it, or an error keeps it alive.

    Parameters
    ----------
    function
        Lets go of Python's lock while it works.
    blocks
        Taken one by one.
    ahead
        Blocks at most that are worked on, or wait to be asked for, beside the one that was yielded; never more than threads.
    """
    if isinstance(blocks, Sequence) and len(blocks) < 2:
        yield from map(function, blocks)
        return

    def worked_on(block: T) -> R:
        go_on()
        return function(block)

    threads = min(_cores(), _MAX_THREADS, ahead)
    waiting: deque[Future[R]] = deque()
    over = threading.Event()
    known = (*_overs(), over)
    with ThreadPoolExecutor(threads, initializer=_take, initargs=(known,)) as pool:
        try:
            for block in blocks:
                go_on()
                waiting.append(pool.submit(worked_on, block))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            over.set()
            pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def meanwhile[T](
    function: Callable[[T], object], things: Iterable[T], *, spare: bool = False
) -> Iterator[Callable[[], None]]:
    """Work on things one after the other, by a thread, while the block of code does other work; at its end they are done.

    An error of theirs is raised there, or by what the block is given, as soon as it is called. Whoever leaves the block by an error of its own raises that, and waits for them all the same, whose
    errors go to the log; by what is no Exception, as Ctrl-C, for the one that is being worked on, which ends where it calls :func:`go_on`.

    Parameters
    ----------
    function, things
        What is done, and what to.
    spare
        Whether they are of use to the block alone: whoever leaves it leaves them, as Ctrl-C does, and nobody is told of their errors.

    Yields
    ------
    callable
        Raises the error of the first thing that ended in one, if there is one yet.
    """
    over = threading.Event()
    known = (*_overs(), over)
    waiting: list[Future[object]] = []

    def require_none_failed() -> None:
        for each in waiting:
            if each.done():
                each.result()

    with ThreadPoolExecutor(1, initializer=_take, initargs=(known,)) as pool:
        ended = False
        try:
            waiting.extend(pool.submit(function, each) for each in things)
            yield require_none_failed
            ended = spare or _ended(waiting)
        except Exception as error:
            if not spare:
                ended = _ended(waiting)
                _log_hidden(waiting, error)
            raise
        finally:
            if spare or not ended:
                over.set()
                pool.shutdown(wait=False, cancel_futures=True)
        if not spare:
            require_none_failed()


def import_all(modules: Iterable[str]) -> None:
    """Import those modules that are there, before threads do: of modules that import each other one thread may meet what another has half imported."""
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def _ended(waiting: Collection[Future[object]]) -> bool:
    """Wait for all, and return that they have ended."""
    return not wait(waiting).not_done


def _log_hidden(ended: Iterable[Future[object]], error: Exception) -> None:
    """Log errors that the caller does not raise, by themselves or in other words, since another one is."""
    raised: list[BaseException | None] = [None]
    told: BaseException | None = error
    while told is not None and told not in raised:
        raised.append(told)
        told = told.__cause__
    for each in ended:
        hidden = None if each.cancelled() else each.exception()
        if hidden not in raised and not isinstance(hidden, CancelledError):
            logger.warning("beside %r came another error", error, exc_info=hidden)


_thread = threading.local()


def _take(overs: tuple[threading.Event, ...]) -> None:
    _thread.overs = overs


def _overs() -> tuple[threading.Event, ...]:
    """Return what says to this thread that nobody waits for it any more: its own pool, and those that it works for."""
    found: tuple[threading.Event, ...] = getattr(_thread, "overs", ())
    return found


def go_on() -> None:
    """Raise CancelledError in a thread of :func:`each_block` or :func:`meanwhile` for which nobody waits any more.

    Long loops ask again and again, and let it pass: it is an Exception.
    """
    if any(over.is_set() for over in _overs()):
        raise CancelledError


def _cores() -> int:
    if hasattr(
        os, "sched_getaffinity"
    ):  # not everywhere; a container or a batch job may give fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def row_blocks(size: int, rows: int = ROWS) -> list[slice]:
    """Return the blocks of so many rows; at least one, which may be empty."""
    return [slice(first, min(first + rows, size)) for first in range(0, size, rows)] or [
        slice(0, 0)
    ]


def in_blocks(function: Callable[..., NDArray[Any]], *arrays: NDArray[Any]) -> NDArray[Any]:
    """Return function(*arrays), made block by block; the arrays have as many rows each."""
    blocks = row_blocks(len(arrays[0]))
    parts = each_block(lambda rows: function(*(array[rows] for array in arrays)), blocks)
    return np.concatenate(list(parts))


def pairs_in_blocks(
    tree: shapely.STRtree, geometries: NDArray[np.object_], **how: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tree.query(geometries, **how), made block by block."""

    def pairs(rows: slice) -> NDArray[np.int64]:
        own: NDArray[np.int64] = tree.query(geometries[rows], **how)
        own[0] += rows.start
        return own

    found = each_block(pairs, row_blocks(len(geometries), _ASKED))
    row, other = np.concatenate(list(found), axis=1)
    return row, other


def replace_in_blocks(
    array: NDArray[Any], function: Callable[[NDArray[Any]], NDArray[Any]]
) -> None:
    """Put function(array) in the place of array, block by block, so that both never exist at once."""

    def replace(rows: slice) -> None:
        array[rows] = function(array[rows])

    deque(each_block(replace, row_blocks(len(array))), maxlen=0)
