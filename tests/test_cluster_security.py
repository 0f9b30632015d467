"""Who reaches a cluster that a run starts, and how long its processes live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
from waiting import HANG

from carbongrid.errors import RunError
from carbongrid.pipeline.workers import dask_client
from carbongrid.raster.chunked.tasks import run_tasks

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One worker, as ``--workers 1`` starts it."""
    with dask_client(workers=1, memory="1GB") as client:
        client.wait_for_workers(1)
        yield client


def _ports() -> set[int]:
    """Ports at which this process and what it started listen."""
    here = psutil.Process()
    return {
        connection.laddr.port
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == "LISTEN"
    }


def test_without_the_runs_certificates_nobody_talks_to_any_of_its_ports(client: Any) -> None:
    """Any user of the machine could run code in the workers. Seen to fail: the scheduler, the nanny and the worker let this in."""
    from distributed.comm import connect

    async def let_in(address: str, **means: Any) -> bool:
        try:
            comm = await connect(address, timeout=HANG, **means)
            await comm.write({"op": "identity", "reply": True})
            await comm.read()
        except OSError:
            return False
        return True

    told = client.scheduler_info()
    nannies = [worker["nanny"] for worker in told["workers"].values()]
    addresses = [told["address"], *told["workers"], *nannies]
    assert len(addresses) == 3
    assert client.submit(os.getpid).result() != os.getpid()
    strangers = distributed.Security.temporary().get_connection_args("client")
    for address in addresses:
        assert address.startswith("tls://")
        assert client.sync(let_in, address, **client.security.get_connection_args("client"))
        assert not client.sync(let_in, address.replace("tls://", "tcp://")), address
        assert not client.sync(let_in, address, **strangers), address


def test_no_page_of_it_is_served(client: Any) -> None:
    """Dashboards show what runs to every user of the machine."""
    answers = 0
    for port in _ports():
        for page in ("", "health", "info/main/workers.html", "json/counts.json", "status"):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=HANG)
            except urllib.error.HTTPError as error:
                with error:
                    answers += 1
                    assert error.code == 404
            except OSError:
                continue
            else:
                pytest.fail(f"port {port} serves {page!r}")
    assert answers


def test_certificates_of_the_configuration_are_taken(client: Any) -> None:
    address, security = client.scheduler.address, client.security
    with pytest.raises(RunError, match=r"distributed\.comm\.tls"), dask_client(address):
        pass
    known = {
        "distributed.comm.tls.ca-file": security.tls_ca_file,
        "distributed.comm.tls.client.cert": security.tls_client_cert,
        "distributed.comm.tls.client.key": security.tls_client_key,
    }
    with dask.config.set(known), dask_client(address) as other:
        assert run_tasks(abs, [-1, 2], other) == [1, 2]


_PARENT = """
import os, sys
from pathlib import Path
from carbongrid.raster.chunked.tasks import run_tasks
from parent_and_workers import wait_forever

if __name__ == "__main__":
    run_tasks(wait_forever, [sys.argv[1]] * 2, "processes")
"""
_WORKER = """
import os, sys, threading
from pathlib import Path

def wait_forever(folder):
    Path(folder, f"{os.getpid()}.tmp").touch()
    Path(folder, f"{os.getpid()}.tmp").rename(Path(folder, str(os.getpid())))
    threading.Event().wait()
"""


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.thorough)]
)
def test_worker_processes_end_with_the_one_that_started_them(tmp_path: Path, how: int) -> None:
    """Two of 350 MB each stayed for good, and kept the end of a pipe open."""
    folder = tmp_path / "pids"
    folder.mkdir()
    (tmp_path / "parent.py").write_text(_PARENT, encoding="utf-8")
    (tmp_path / "parent_and_workers.py").write_text(_WORKER, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, "parent.py", str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
    )
    try:
        started: list[psutil.Process] = []
        while not started:
            assert parent.poll() is None
            started = [psutil.Process(int(each.name)) for each in folder.iterdir() if not each.suffix]  # fmt: skip
        parent.send_signal(how)
        gone, alive = psutil.wait_procs(started, timeout=HANG)
        assert gone
        assert not alive
        # Whoever reads the run's output, as a pipe to tee does, comes to its end.
        assert parent.communicate(timeout=HANG)[0] == b""
    finally:
        parent.kill()
        parent.wait()
