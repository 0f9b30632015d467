"""A cluster whose processes stand still: seconds decide, so ``nox -s cluster`` asks it, and not the default suite."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from waiting import HANG, until

from carbongrid.errors import RunError
from carbongrid.pipeline.workers import dask_client
from carbongrid.raster.chunked import tasks
from carbongrid.raster.chunked.tasks import run_tasks

distributed = pytest.importorskip("distributed")


def _freeze(number: int) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.mark.parametrize("frozen", ["scheduler", "worker", "scheduler before the run"])
def test_a_process_that_stands_still_ends_the_run_in_words(
    frozen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while tasks are under way, as a suspended machine is. Seen to fail: the run waited for ever."""
    address = tmp_path / "scheduler.json"
    path = os.pathsep.join(sys.path)
    known = {**os.environ, "PYTHONPATH": path, "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "2s"}
    means = ("--no-dashboard", "--scheduler-file", str(address))
    start = functools.partial(
        subprocess.Popen, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *means]  # fmt: skip
    started = [start(words)]
    try:
        until(address.exists)
        started.append(
            start(
                [
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_worker",
                    "--nthreads",
                    "1",
                    "--no-nanny",
                    *means,
                ]
            )
        )
        monkeypatch.setattr(tasks, "_TIMEOUT_S", 2.0)
        monkeypatch.setattr(tasks, "_UNTIL_ASKED", 0.1)
        monkeypatch.setattr(tasks, "_UNTIL_GIVEN_UP", 0.5)
        with distributed.Client(scheduler_file=str(address), set_as_default=False) as client:
            client.wait_for_workers(1, timeout=HANG)
            if frozen == "worker":
                with pytest.raises(RunError, match=r"no worker of the cluster has come|died"):
                    run_tasks(_freeze, [1, 2], client)
                return

            def stop(done: int, total: int) -> None:
                started[0].send_signal(signal.SIGSTOP)

            monkeypatch.setattr(tasks, "_STANDS_STILL", 2.0)
            if frozen != "scheduler":
                stop(0, 0)
                with pytest.raises(RunError, match="has not answered for 2 s"), dask_client(client):
                    pass
                return
            with pytest.raises(RunError, match="has not answered for 2 s"):
                run_tasks(_square_in_turn, [(n, str(tmp_path)) for n in range(100)], client, stop)
    finally:
        for process in started:
            process.kill()
            process.wait(HANG)


def _square_in_turn(piece: tuple[int, str]) -> int:
    """Wait, but for the first, for what nobody makes: its scheduler stands still by then."""
    if piece[0]:
        threading.Event().wait(HANG)
    return piece[0] ** 2
