"""How independent tasks are run: threads, processes, one by one, or a distributed cluster."""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, cast

from carbongrid.errors import CarbongridError, InputError, RunError, require_extra
from carbongrid.raster.chunked.versions import require_same
from carbongrid.raster.portable import interrupts_blocked
from carbongrid.raster.software import versions

if TYPE_CHECKING:
    from multiprocessing.synchronize import Semaphore

    import distributed

Progress = Callable[[int, int], None]
type Scheduler = str | distributed.Client | None

logger = logging.getLogger(__name__)

_RETRIES = 3
MAX_TASKS = 4000
"""A graph holds no more tasks than this, whatever the raster; each then has several tiles."""
_TIMEOUT_S = 60.0
_TOGETHER = 8
_BETWEEN_LOOKS, _UNTIL_ASKED = 0.01, 5.0
_STANDS_STILL = 300.0
"""Seconds in which a cluster answers a question, however much it has to do: workers may have to import every library first."""
_UNTIL_GIVEN_UP = 900.0
"""Seconds for which a run waits for workers, once none is left: clusters that start some on demand take minutes."""
_UNTIL_TAKEN_UP = 900.0
"""Seconds for which a run waits until any worker is at a task: of workers that are ended as they come, and started again, one is always there."""
_ABSENT = {
    False: ("no worker of the cluster is left", "new ones"),
    True: ("every worker of the cluster is paused, as when its memory is nearly full", "them"),
}
_GIVEN_UP = {
    False: "no worker of the cluster has come for {:.0f} minutes. Start some and run again: what is finished is taken over.",
    True: "every worker of the cluster has been paused for {:.0f} minutes, as when its memory is nearly full. "
    "Give workers more memory and run again: what is finished is taken over.",
}
_NOT_TAKEN_UP = (
    "no worker of the cluster has been at a task for {:.0f} minutes, though some came: they are paused, or end as they come, "
    "as where they may take less memory than their libraries do. Give workers more memory (--memory for those of --workers) "
    "and run again: what is finished is taken over."
)
_LOCAL = ("threads", "processes", "synchronous")
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://(\[[0-9A-Fa-f:.]+(%\w+)?\]|[A-Za-z0-9_.-]{1,253}):(?P<port>[0-9]{1,5})(/[\w./-]*)?|inproc://[\w./-]+",
    re.ASCII,
)
_SECURE = ("tls://", "wss://")


def run_tasks[T, R](
    function: Callable[[T], R],
    pieces: Sequence[T],
    scheduler: Scheduler = None,
    progress: Progress | None = None,
    *,
    combine: Callable[[list[R]], R] | None = None,
) -> Any:
    """Return function(piece) for every piece, in their order; or their sum.

    Parameters
    ----------
    function
        A picklable function: of a module, or a functools.partial of one.
    pieces
        What each task is given, and nothing more.
    scheduler
        ``threads``, ``processes``, ``synchronous``, a distributed Client or the address of a Dask scheduler; default
        the active client, else threads.
    progress
        Called with the number of tasks done and their total, in the caller's process.
    combine
        A picklable function that makes one result of several, in any order: then eight results at a time are added up
        as they come, and one comes back; combine([]) of no pieces.

    Raises
    ------
    InputError
        If the scheduler is none of these.
    RunError
        If a task fails, which it names, or if no scheduler answers at the address.
    """
    report = progress or _silent
    task = functools.partial(_named, function)
    client = _active_client() if scheduler is None else scheduler
    if combine is not None and not pieces:
        return combine([])
    if client is None:
        client = "threads"
    if not isinstance(client, str):
        results = _run_distributed(task, pieces, client, report)
    elif client in _LOCAL:
        return _run_locally(task, pieces, client, report, combine)
    else:
        with client_at(client) as named:
            results = _run_distributed(task, pieces, named, report)
    return results if combine is None else combine(results)


def travels(scheduler: Scheduler) -> bool:
    """Tell whether tasks leave this process, so that what they are given is pickled."""
    if scheduler is None:
        return _active_client() is not None
    return scheduler not in ("threads", "synchronous")


def threads_at_once() -> int:
    """Return how many tasks threads of this process work on at once: what Dask is told (``DASK_NUM_WORKERS``), else one more than the cores that it may use.

    Each waits now and then for Zarr's own threads: a billion labels took a tenth less time on two cores.
    """
    told, cores = _told_and_cores()
    return told or cores + 1


def _told_and_cores() -> tuple[int, int]:
    import dask
    from dask.system import CPU_COUNT

    return int(dask.config.get("num_workers", None) or 0), CPU_COUNT


def _silent(done: int, total: int) -> None:
    """Say nothing."""


def _named[T, R](function: Callable[[T], R], piece: T) -> R:
    try:
        return function(piece)
    except CarbongridError:
        raise
    except Exception as error:
        raise RunError(f"{piece}: {type(error).__name__}: {error}") from error


def _active_client() -> distributed.Client | None:
    # Whoever has a client has imported distributed, which costs most of a second.
    if "distributed" not in sys.modules:
        return None
    import distributed

    try:
        return cast("distributed.Client", distributed.default_client())
    except ValueError:
        return None


def client_at(address: str, timeout: float | None = None) -> distributed.Client:
    """Return a client of the scheduler at an address; certificates for ``tls://`` are those of Dask's configuration.

    Raises
    ------
    InputError
        If it is no address, or distributed is not installed.
    RunError
        If nobody answers there within the timeout, or certificates do not fit.
    """
    if not _is_address(address):
        raise InputError(
            f"{address!r} is no scheduler",
            "scheduler",
            f"Known: {', '.join(_LOCAL)}, or an address such as tcp://127.0.0.1:8786.",
        )
    require_extra("distributed", "distributed", purpose="a Dask scheduler", where=address)

    patience = _TIMEOUT_S if timeout is None else timeout
    try:
        # Who listens at a port and says nothing is waited for beyond the client's own timeout.
        return answer_within(2 * patience, _connected, address, patience)
    except (OSError, ValueError, RunError) as error:
        raise RunError(f"no Dask scheduler answers at {address}: {error}") from error
    except (TypeError, RuntimeError) as error:
        if not address.startswith(_SECURE) and "encrypt" not in str(error):
            raise RunError(f"no Dask scheduler answers at {address}: {error}") from error
        # How distributed says that there are no certificates, or that an address must be encrypted.
        raise RunError(
            f"the scheduler at {address} cannot be reached securely: {error}. "
            "Name the certificates in Dask's configuration (distributed.comm.tls)."
        ) from error


def _connected(address: str, patience: float) -> distributed.Client:
    import distributed

    class Connected(distributed.Client):
        def start(self, **means: Any) -> None:
            try:
                super().start(**means)  # type: ignore[no-untyped-call]
            except BaseException:
                # Or Python closes it at its end, when nothing answers any more: a minute, and a traceback.
                self.close()  # type: ignore[no-untyped-call]
                raise

    return Connected(address, set_as_default=False, timeout=patience)  # type: ignore[no-untyped-call]


def _is_address(text: str) -> bool:
    """Tell whether a text has the form of an address; Dask would wait for who answers at anything else."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and (found["port"] is None or 0 < int(found["port"]) < 2**16)


def answered[T](ask: Callable[..., T], *about: Any, **known: Any) -> T:
    """Return what a cluster answers in the time that any takes; raises as :func:`answer_within`."""
    return answer_within(_STANDS_STILL, ask, *about, **known)


def answer_within[T](seconds: float, ask: Callable[..., T], *about: Any, **known: Any) -> T:
    """Return what a cluster answers.

    Raises
    ------
    RunError
        If nothing comes in so many seconds, as from a process that was stopped. Who waits for it is left behind.
    """
    coming = _Coming(functools.partial(ask, *about, **known))
    if not coming.came(seconds):
        raise RunError(
            f"the cluster has not answered for {seconds:.0f} s: its scheduler or a worker stands still. "
            "Start it anew and run again: what is finished is taken over."
        )
    return coming.answer()


def present(client: distributed.Client) -> dict[str, dict[str, Any]]:
    """Return what the scheduler says of each worker, by address; raises as :func:`answer_within`."""
    # Asked for no number, distributed 2025.7 tells of five.
    told = answered(client.scheduler_info, n_workers=-1)
    return cast("dict[str, dict[str, Any]]", told["workers"])


class _Coming[T]:
    """An answer that a thread waits for, which is left behind if none comes."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._answers: list[T] = []
        self._faults: list[BaseException] = []
        self._waiting = threading.Thread(target=self._wait, args=(ask,), daemon=True)
        self._waiting.start()

    def _wait(self, ask: Callable[[], T]) -> None:
        try:
            self._answers.append(ask())
        except BaseException as error:  # told by whoever asked
            self._faults.append(error)

    def came(self, seconds: float) -> bool:
        """Wait so many seconds at most; tell whether it came."""
        self._waiting.join(seconds)
        return not self._waiting.is_alive()

    def answer(self) -> T:
        if self._faults:
            raise self._faults[0]
        return self._answers[0]


def _run_locally[T, R](
    task: Callable[[T], R],
    pieces: Sequence[T],
    scheduler: str,
    report: Progress,
    combine: Callable[[list[R]], R] | None,
) -> Any:
    import dask
    from dask.base import compute, named_schedulers
    from dask.callbacks import Callback
    from dask.delayed import delayed

    done = 0

    def count(key: object, *_: object) -> None:
        nonlocal done
        if str(key).startswith("piece-"):
            done += 1
            report(done, len(pieces))

    report(done, len(pieces))
    task_of = delayed(task, pure=False, traverse=False)
    tasks = [task_of(piece, dask_key_name=f"piece-{i}") for i, piece in enumerate(pieces)]
    if combine is not None:
        sum_of = delayed(combine, pure=False)
        while len(tasks) > 1:
            tasks = [sum_of(tasks[i : i + _TOGETHER]) for i in range(0, len(tasks), _TOGETHER)]
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(Callback(posttask=count))
            threads: dict[str, ThreadPoolExecutor] = {}
            if scheduler == "processes":
                pool = stack.enter_context(_processes(len(pieces)))
                stack.enter_context(dask.config.set(pool=pool))
            # By its name Dask would look for a cluster's client first, and import distributed for that: a third of a second.
            if scheduler == "threads" and dask.config.get("pool", None) is None:
                # Its own: Dask keeps those that it makes, also in a process that was forked, where their threads are gone.
                threads["pool"] = ThreadPoolExecutor(threads_at_once())
                stack.callback(threads["pool"].shutdown, wait=False, cancel_futures=True)
            results = compute(*tasks, scheduler=named_schedulers[scheduler], **threads)
    except BrokenProcessPool as error:
        raise RunError(
            "a worker process died, as it does when memory is full, or when it is ended from outside. "
            "Run again: what is finished is taken over; with smaller chunks a worker takes less memory."
        ) from error
    return list(results) if combine is None else results[0]


@contextlib.contextmanager
def _processes(most: int) -> Iterator[ProcessPoolExecutor]:
    """Give Dask's processes, all of them there: one that is interrupted, or whose parent is, while it starts prints a traceback.

    None hears Ctrl-C, which a terminal sends to all: this process ends them in order.
    """
    from dask.multiprocessing import get_context

    told, cores = _told_and_cores()
    number = min(told or cores, most) or 1
    context = get_context()
    others, go = context.Semaphore(number - 1), context.Semaphore(0)
    with ProcessPoolExecutor(
        number, mp_context=context, initializer=_begin, initargs=(others, go, number - 1)
    ) as pool:
        with _interrupts_later(), interrupts_blocked():
            try:
                # None has an answer before all are there, so that each of these starts one.
                wait([pool.submit(os.getpid) for _ in range(number)], _TIMEOUT_S)
            except BaseException:
                for _ in range(number):
                    go.release()
                raise
        yield pool


def _begin(others: Semaphore, go: Semaphore, waiting: int) -> None:
    """Make this process one of Dask's, and wait until all are: the last one to come lets the others go on."""
    from dask.multiprocessing import initialize_worker_process

    initialize_worker_process(end_with_parent)
    if others.acquire(block=False):
        go.acquire()
        return
    for _ in range(waiting):
        go.release()


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come at the end of this."""
    came: list[int] = []
    usual: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        usual = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    # What is ignored, processes that are started here ignore, too; what was not set by Python cannot be set again.
    usual = {each: by for each, by in usual.items() if by not in (None, signal.SIG_IGN)}
    try:
        for each in usual:
            signal.signal(each, lambda number, _: came.append(number))
        yield
    finally:
        for each, by in usual.items():
            signal.signal(each, by)
    for number in came:
        signal.raise_signal(number)


def end_with_parent() -> None:
    """Make this worker process end when the one that started it does, however that ends."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _run_distributed[T, R](
    task: Callable[[T], R], pieces: Sequence[T], client: distributed.Client, report: Progress
) -> list[R]:
    """Run batches of pieces on a cluster; results are taken home as they come, and nothing is left running."""
    size = -(-len(pieces) // MAX_TASKS) or 1
    batches = [list(pieces[first : first + size]) for first in range(0, len(pieces), size)]
    each = functools.partial(_batch, task, versions())
    futures = client.map(each, batches, pure=False, retries=_RETRIES, key="carbongrid-tiles")
    place = {future.key: i for i, future in enumerate(futures)}
    results: list[list[Any]] = [[] for _ in batches]
    done = 0
    try:
        report(done, len(pieces))
        watch = _Watch(client)
        for future in _as_they_come(futures, client, watch):
            number = place[future.key]
            results[number] = _taken_home(future, batches[number], watch)
            future.release()
            done += len(batches[number])
            report(done, len(pieces))
    finally:
        _end(client, futures)
    return [result for batch in results for result in batch]


def _end(client: distributed.Client, futures: list[distributed.Future[Any]]) -> None:
    """Leave nothing running; where the cluster stands still, as little as this process can see to."""
    open_ones = [future for future in futures if not future.done()]
    try:
        answer_within(_TIMEOUT_S, client.cancel, open_ones, force=True)
        for future in futures:
            future.release()
        _wait_until_idle(client, {future.key for future in futures})
    except RunError as error:
        logger.warning("%s", error)


class _Watch:
    """Looks, while nothing comes, whether anybody works on it: warns, once, while nobody does, and gives up in the end."""

    def __init__(self, client: distributed.Client) -> None:
        self._client = client
        self.moves()

    def moves(self) -> None:
        """Wait anew before the next look, and from it on for who works: something came."""
        self._looked, self._alone, self._idle = time.monotonic(), 0.0, 0.0

    def look(self) -> None:
        if time.monotonic() - self._looked <= _UNTIL_ASKED:
            return
        workers = present(self._client).values()
        self._looked = time.monotonic()
        if any(map(_works, workers)):
            self._alone = 0.0
        elif not self._alone:
            logger.warning("%s; the run waits for %s", *_ABSENT[bool(workers)])
            self._alone = self._looked
        elif self._looked - self._alone > _UNTIL_GIVEN_UP:
            raise RunError(_GIVEN_UP[bool(workers)].format(_UNTIL_GIVEN_UP / 60))
        if any(map(_at_a_task, workers)):
            self._idle = 0.0
        elif not self._idle:
            self._idle = self._looked
        elif self._looked - self._idle > _UNTIL_TAKEN_UP:
            raise RunError(_NOT_TAKEN_UP.format(_UNTIL_TAKEN_UP / 60))


def _works(worker: dict[str, Any]) -> bool:
    """Tell whether a worker takes tasks, or is at one: where memory is nearly full it ends what it has and takes no more."""
    return worker["status"] == "running" or _at_a_task(worker)


def _at_a_task(worker: dict[str, Any]) -> bool:
    at = worker["metrics"].get("task_counts", {})
    return bool(at.get("executing") or at.get("long-running"))


def _as_they_come(
    futures: list[distributed.Future[Any]], client: distributed.Client, watch: _Watch
) -> Iterator[distributed.Future[Any]]:
    """Yield futures as they are finished."""
    from distributed import as_completed

    coming = as_completed(futures, loop=client.loop)
    while coming.count():
        batch = coming.next_batch(block=False)
        yield from batch
        if batch:
            watch.moves()
        else:
            watch.look()
            time.sleep(_BETWEEN_LOOKS)


def _batch[T, R](task: Callable[[T], R], theirs: dict[str, str], pieces: list[T]) -> list[R] | str:
    """Return the results; or, in words, why this worker must not work on them."""
    # Workers join while a run goes on: whoever looked at its start has not seen them. Told as a result, since after an
    # error the task would be tried again, here or on a worker that may do it, and nobody would hear of this one.
    try:
        require_same(theirs)
    except RunError as error:
        return str(error)
    return [task(piece) for piece in pieces]


def _taken_home(
    future: distributed.Future[Any], batch: Sequence[object], watch: _Watch
) -> list[Any]:
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    named = str(batch[0]) if len(batch) == 1 else f"{batch[0]} to {batch[-1]}"
    # One that is lost with its worker on the way home is made again, for which nobody may be left.
    coming = _Coming(future.result)
    while not coming.came(_UNTIL_ASKED):
        watch.look()
    try:
        results = coming.answer()
    except KilledWorker as error:
        raise RunError(
            f"{named}: the workers that had it died, one after the other, as they do when their memory is full. "
            "Give workers more memory, or take smaller chunks."
        ) from error
    except FutureCancelledError as error:
        raise RunError(
            f"{named}: the cluster is gone. Run again: what is finished is taken over."
        ) from error
    if isinstance(results, str):
        raise RunError(results)
    return cast("list[Any]", results)


def _wait_until_idle(client: distributed.Client, keys: set[Any]) -> None:
    """Wait for tasks that were under way when they were cancelled: a thread cannot be stopped from outside."""
    patience = time.monotonic() + _TIMEOUT_S
    while client.status == "running":
        # The scheduler forgets a cancelled task at once; its worker knows that it still runs.
        answers = answer_within(_TIMEOUT_S, client.run, _under_way, on_error="ignore")
        if not any(keys.intersection(under_way) for under_way in answers.values()):
            return
        if time.monotonic() > patience:
            logger.warning("workers are still at tiles that were cancelled; nothing reads them")
            return
        time.sleep(0.05)


def _under_way(dask_worker: Any) -> list[Any]:
    """Return the keys of what a worker's threads are at, cancelled or not."""
    state = dask_worker.state
    return [task.key for task in (*state.executing, *state.long_running)]
