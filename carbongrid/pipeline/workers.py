"""Workers of a run: threads of this process, a cluster that is there, or one started here because it was asked for.

A cluster is looked at before work starts: whether somebody answers, whether its versions are those of this process, and
whether its workers see the run directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import multiprocessing
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.errors import InputError, RunError, require_extra
from carbongrid.raster.chunked.tasks import answered, client_at, present
from carbongrid.raster.chunked.versions import HINT, differences
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.portable import interrupts_blocked
from carbongrid.raster.software import versions
from carbongrid.run_store.location import remove, sibling

if TYPE_CHECKING:
    import distributed

LOCAL = ("threads", "processes", "synchronous")

MEMORY_PER_WORKER = "1GB"
"""What a worker of a cluster started here may take; a tile of 2048 x 2048 cells needs about 0.5 GB with all libraries."""

_TIMEOUT_S = 30
_UNTIL_STARTED_S = 300.0
"""Seconds in which a worker process is there, however busy its machine; one that stands still is ended then."""
_UNTIL_BACK_S = 240.0
"""Seconds in which another worker comes where all have left; shorter than any question to a cluster may take."""
_TIMES_ASKED = 5


@contextlib.contextmanager
def dask_client(
    scheduler: Any = None, workers: int | None = None, memory: str | None = None
) -> Iterator[Any]:
    """Give what runs the tasks of a run: a word for this process's own, or a Dask client.

    Parameters
    ----------
    scheduler
        ``threads``, ``processes``, ``synchronous``, a client or the address of a scheduler; default the active client, else threads.
    workers
        Start so many worker processes on 127.0.0.1 for this run, and end them after it.
    memory
        What each of these may take, such as ``2GB``; they never spill to disk.

    Raises
    ------
    InputError
        If both a scheduler and a number of workers are given, they are fewer than one, the scheduler is none, or distributed is not installed.
    RunError
        If nobody answers, there is no worker, or versions differ.
    """
    if workers is not None:
        if scheduler is not None:
            raise InputError(
                "both a scheduler and a number of workers are given",
                hint="Give --scheduler for a cluster that is there, or --workers to start one here.",
            )
        if workers < 1:
            raise InputError(f"expected at least one worker, not {workers}", "workers")
        with _started_here(workers, memory or MEMORY_PER_WORKER) as client:
            yield client
    elif isinstance(scheduler, str) and scheduler not in LOCAL:
        with client_at(scheduler, _TIMEOUT_S) as client:
            _require_workers(client)
            yield client
    else:
        means = (_active_client() or "threads") if scheduler is None else scheduler
        if not isinstance(means, str):
            _require_workers(means)
        yield means


@contextlib.contextmanager
def _started_here(workers: int, memory: str) -> Iterator[distributed.Client]:
    require_extra(
        "distributed",
        *("distributed", "cryptography"),
        purpose="starting worker processes",
        or_else="Without it a run works with the threads of this process.",
    )
    # What multiprocessing asks as well, after a hundred lines of others' words.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RunError(
            "each worker process runs the script that starts it from the top, and comes here again. "
            'Put what the script does below `if __name__ == "__main__":`.'
        )
    import dask
    import distributed

    settings = {
        # Nobody asks for the pages of this cluster, which would answer any user of the machine.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": 0.85,
        "distributed.worker.memory.terminate": 0.97,
        # By default a worker that ends, and is not back after 15 s, is given up for good: on a busy machine one takes 20 s to start.
        "distributed.deploy.lost-worker-timeout": "1 day",
    }
    with contextlib.ExitStack() as stack:
        told = logging.getLogger("tornado.application")
        stack.callback(setattr, told, "disabled", told.disabled)
        stack.enter_context(dask.config.set(settings))
        with interrupts_blocked():
            try:
                cluster = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    worker_class=_nanny(),
                    host="127.0.0.1",
                    memory_limit=memory,
                    # Any user of the machine reaches its ports, and whoever is let in runs code: certificates made for this
                    # run, which no file holds, keep the others out.
                    protocol="tls://",
                    security=distributed.Security.temporary(),
                    dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False},
                    # What fails in a task comes home as its error. What else a worker says is how it lost a cluster that ends.
                    silence_logs=logging.CRITICAL,
                )
            except (OSError, RuntimeError) as error:
                raise RunError(
                    "worker processes could not be started. If they say above that they run the script again, put what it does "
                    'below `if __name__ == "__main__":`. Else memory may be full, or one was ended from outside: '
                    "run again, with fewer workers or without, since a run has threads by itself."
                ) from error
            _hear_nannies()
            # Before a Ctrl-C that came meanwhile arrives, which it does at the end of this block.
            stack.callback(_end, cluster)
            # What its parts still ask each other while it ends, over connections that are closed by then, is no news.
            stack.callback(setattr, told, "disabled", True)
        yield stack.enter_context(distributed.Client(cluster, set_as_default=False))


def _nanny() -> type[distributed.Nanny]:
    """Return the class of what starts a worker process, and another one when it ends."""
    import distributed
    from distributed.core import Status

    ends = (Status.closing, Status.closed, Status.failed)

    class Nanny(distributed.Nanny):
        def __init__(self, *about: Any, **known: Any) -> None:
            super().__init__(*about, **known)
            self._one_start = asyncio.Lock()

        def close_gracefully(self, reason: str = "") -> None:
            """Stay: a worker whose connection breaks asks its nanny to end with it, and none would come in its place."""
            # One connection that its other end closed breaks sound ones of the thread, as those of workers just there:
            # Python leaves its error in OpenSSL's queue, where the next to read finds it (python/cpython#148594).

        async def instantiate(self) -> Status:
            # Before distributed 2026.8 a process that ended as it started was followed by the next while this one was
            # still waited for, and who waited for the first took what came from the next: neither had an end.
            async with self._one_start:
                if self.status in ends:
                    return self.status
                overdue = self.loop.call_later(_UNTIL_STARTED_S, self._end_process)
                try:
                    return await super().instantiate()
                finally:
                    self.loop.remove_timeout(overdue)

        async def _end_process(self) -> None:
            if self.process is not None and self.process.process is not None:
                await self.process.process.kill()

    return Nanny


def _end(cluster: distributed.LocalCluster) -> None:
    """End a cluster; that a Ctrl-C closed its connections first must not stand in place of the Ctrl-C."""
    with contextlib.suppress(OSError):
        cluster.__exit__(None, None, None)


def _hear_nannies() -> None:
    """Let this process's part of a cluster say what it warns of, such as a worker that was ended for its memory."""
    for handler in logging.getLogger("distributed").handlers:
        handler.setLevel(logging.WARNING)


def _active_client() -> distributed.Client | None:
    # Whoever has a client has imported distributed, which costs most of a second.
    if "distributed" not in sys.modules:
        return None
    import distributed

    try:
        client: distributed.Client = distributed.default_client()
    except ValueError:
        return None
    return client


def _require_workers(client: distributed.Client) -> None:
    """Raise RunError unless there are workers, with the versions of this process."""
    try:
        answered(client.wait_for_workers, 1, timeout=_TIMEOUT_S)
    except TimeoutError as error:
        raise RunError(
            "the scheduler has no workers. Start some, for example with: dask worker ADDRESS"
        ) from error
    mine = versions()
    differ = []
    for worker, theirs in _asked(client, versions).items():
        if isinstance(theirs, dict):
            differ += [f"{worker}: {each}" for each in differences(theirs, mine, "here")]
        else:
            differ.append(f"{worker}: {theirs}")
    if differ:
        raise RunError(
            f"the versions on workers are not those of this process. {'; '.join(differ[:20])}. "
            f"{HINT}"
        )


def _asked(client: distributed.Client, function: Any) -> dict[str, Any]:
    """Return each worker's answer, or its exception in words; whoever left meanwhile is not asked, but who came in place of all.

    Raises
    ------
    RunError
        If nobody comes, or all leave again and again.
    """
    for _ in range(_TIMES_ASKED):
        answers = answered(client.run, function, on_error="return")
        there = present(client)
        told = {
            worker: f"{type(answer).__name__}: {answer}"
            if isinstance(answer, BaseException)
            else answer
            for worker, answer in answers.items()
            if worker in there
        }
        if told:
            return told
        try:
            answered(client.wait_for_workers, 1, timeout=_UNTIL_BACK_S)
        except TimeoutError:
            break
    raise RunError(
        "every worker of the cluster left while it was asked, and none came that stays, as where they may take less memory "
        "than their libraries do. Give workers more memory (--memory for those of --workers), or start others, and run again."
    )


def require_shared(client: Any, out: Path) -> None:
    """Raise RunError unless every worker sees the folder of a run of this process, and this process what they write there.

    Parameters
    ----------
    client
        As :func:`dask_client` gives it; whoever works in this process, or on this machine's files by a word, sees them.
    out
        The run directory to be, whose lock is held: what a run that was killed has left of its probe is removed.
    """
    probe = sibling(out, "probe")
    remove(probe)
    if isinstance(client, str):
        return
    token = uuid.uuid4().hex
    probe.mkdir()
    try:
        (probe / "question").write_text(token, encoding="utf-8")
        answers = _asked(client, functools.partial(_answer, str(probe), token))
        blind = [
            worker for worker, answer in answers.items() if not _heard(probe, str(answer), token)
        ]
    finally:
        remove(probe)
    if blind:
        raise RunError(
            f"{out.parent} is not storage that all workers share: {', '.join(blind[:10])} do not see it. "
            "Write the run to a shared file system."
        )


def _answer(probe: str, token: str) -> str:
    folder = Path(probe)
    if read_text(folder / "question") != token:
        return ""
    name = uuid.uuid4().hex
    (folder / name).write_text(token, encoding="utf-8")
    return name


def _heard(probe: Path, name: str, token: str) -> bool:
    try:
        return bool(name) and read_text(probe / name) == token
    except (OSError, ValueError):
        return False
