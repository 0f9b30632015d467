"""How independent tasks are run: threads, processes, one by one, or a distributed cluster."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from carbongrid.errors import CarbongridError, InputError, RunError

if TYPE_CHECKING:
    import distributed

Progress = Callable[[int, int], None]
type Scheduler = str | distributed.Client | None

_RETRIES = 3
_LOCAL = ("threads", "processes", "synchronous")


def run_tasks[T, R](
    function: Callable[[T], R],
    pieces: Sequence[T],
    scheduler: Scheduler = None,
    progress: Progress | None = None,
) -> list[R]:
    """Return function(piece) for every piece, in their order.

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
    if client is None:
        return _run_locally(task, pieces, "threads", report)
    if not isinstance(client, str):
        return _run_distributed(task, pieces, client, report)
    if client in _LOCAL:
        return _run_locally(task, pieces, client, report)
    with _client_of(client) as named:
        return _run_distributed(task, pieces, named, report)


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


def _client_of(address: str) -> distributed.Client:
    if "://" not in address:
        raise InputError(
            f"{address!r} is no scheduler",
            "scheduler",
            f"Known: {', '.join(_LOCAL)}, or an address such as tcp://127.0.0.1:8786.",
        )
    import distributed

    try:
        return distributed.Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(f"no Dask scheduler answers at {address}: {error}") from error


def _run_locally[T, R](
    task: Callable[[T], R], pieces: Sequence[T], scheduler: str, report: Progress
) -> list[R]:
    from dask.base import compute
    from dask.callbacks import Callback
    from dask.delayed import delayed

    done = 0

    def count(key: object, *_: object) -> None:
        nonlocal done
        if str(key).startswith("piece-"):
            done += 1
            report(done, len(pieces))

    task_of = delayed(task, pure=False, traverse=False)
    tasks = [task_of(piece, dask_key_name=f"piece-{i}") for i, piece in enumerate(pieces)]
    with Callback(posttask=count):
        return list(compute(*tasks, scheduler=scheduler))


def _run_distributed[T, R](
    task: Callable[[T], R], pieces: Sequence[T], client: distributed.Client, report: Progress
) -> list[R]:
    from distributed import as_completed

    futures = [client.submit(task, piece, pure=False, retries=_RETRIES) for piece in pieces]
    place = {future: i for i, future in enumerate(futures)}
    results: list[Any] = [None] * len(pieces)
    try:
        for done, future in enumerate(as_completed(futures, loop=client.loop), start=1):
            results[place[future]] = future.result()
            report(done, len(pieces))
    finally:
        client.cancel(futures)
    return results
