"""A run on a cluster: the same bits, checked before work starts, nothing left behind."""

from __future__ import annotations

import contextlib
import functools
import logging
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import numpy as np
import psutil
import pytest
from data import ROOT
from graphs import graphs_on
from shapes import partition
from waiting import HANG, until

from carbongrid.errors import InputError, RunError
from carbongrid.pipeline import run, workers
from carbongrid.pipeline.workers import dask_client, require_shared
from carbongrid.raster import software
from carbongrid.raster.chunked import label_and_count, tasks
from carbongrid.raster.chunked.tasks import run_tasks
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Polygons

sys.path.insert(0, str(ROOT / "benchmarks"))
import scale_model

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each in a process of its own, started as ``--workers 2`` does."""
    # A worker that imports on a busy machine is silent for long, and is not dead.
    patient = dask.config.set({"distributed.scheduler.worker-ttl": None})
    for _ in range(3):
        with patient, dask_client(workers=2, memory="1.1GB") as client:
            # Beside two busy loops one of them was seen never to come; a run goes on with the other.
            try:
                client.wait_for_workers(2, timeout=120)
            except TimeoutError:
                continue
            yield client
            return
    pytest.fail("two workers did not come")


def listening(pids: set[int]) -> set[str]:
    """Addresses at which these processes and their children listen."""
    found = set()
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            found |= {c.laddr.ip for c in each.net_connections("inet") if c.status == "LISTEN"}
    return found


def test_what_is_started_listens_on_this_machine_only(client: Any) -> None:
    assert listening({psutil.Process().pid}) == {"127.0.0.1"}


def test_workers_are_bound_in_memory_and_never_spill(client: Any) -> None:
    """By what was asked for. Seen to pass with what they have by default, and with two tiles at once in it."""

    def settings(dask_worker: Any) -> tuple[int, int, object, object]:
        manager = dask_worker.memory_manager
        return manager.memory_limit, dask_worker.state.nthreads, manager.memory_target_fraction, manager.memory_spill_fraction  # fmt: skip

    answers = client.run(settings)
    assert len(answers) == 2
    for limit, threads, target, spill in answers.values():
        assert (limit, threads) == (1_100_000_000, 1)
        assert not target
        assert not spill


def _cut_off(address: str, dask_scheduler: Any) -> None:
    dask_scheduler.stream_comms[address].comm.abort()


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["ended", "cut off"])
def test_a_worker_that_is_lost_comes_back_however_long_it_takes(how: str) -> None:
    """Seen to fail: one that took longer than 15 s to start again, or whose connection broke, was given up, and a run went on, or waited, without it."""
    impatient = dask.config.set({"distributed.deploy.lost-worker-timeout": "0s"})
    with impatient, dask_client(workers=1, memory="1GB") as client:
        ((before, pid),) = client.run(os.getpid).items()
        if how == "ended":
            psutil.Process(pid).kill()
        else:
            client.run_on_scheduler(_cut_off, before)
        until(lambda: before not in client.scheduler_info()["workers"])
        client.wait_for_workers(1, timeout=HANG)
        assert run_tasks(_square, [2, 3], client) == [4, 9]


def test_a_worker_does_not_take_its_nanny_along(client: Any) -> None:
    """Seen to fail: a worker whose connection broke as it started ended its nanny, and whoever waited for two waited in vain."""
    nannies = list(client.cluster.workers.values())
    assert len(nannies) == 2
    for nanny in nannies:
        nanny.close_gracefully(reason="worker-handle-scheduler-connection-broken")
        assert nanny.status == distributed.core.Status.running


def test_a_script_without_its_guard_is_told_by_the_workers_that_run_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen to be a hundred lines of others, and one of three reasons."""
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(RunError, match="Put what the script does below `if __name__"), dask_client(workers=1):  # fmt: skip
        pass


@pytest.mark.thorough
def test_a_worker_process_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: one that stood still was waited for without an end, deaf to Ctrl-C; of one that ended, the library's words."""
    monkeypatch.setattr(workers, "_UNTIL_STARTED_S", 0.0)
    with pytest.raises(RunError, match="worker processes could not be started"), dask_client(workers=1):  # fmt: skip
        pass


def _end_the_first_child() -> None:
    def started() -> list[psutil.Process]:
        return [each for each in psutil.Process().children() if "spawn_main" in str(each.cmdline())]

    until(started)
    started()[0].kill()


@pytest.mark.thorough
def test_a_worker_process_that_ends_as_it_starts_is_told() -> None:
    """Seen to stand still with distributed 2025.1: who waited for it took the news of the one that came in its place."""
    ending = threading.Thread(target=_end_the_first_child)
    ending.start()
    with pytest.raises(RunError, match="worker processes could not be started"), dask_client(workers=1):  # fmt: skip
        pass
    ending.join()


@pytest.mark.thorough
def test_a_large_land_sends_little(client: Any, tmp_path: Path) -> None:
    """36 tiles, a lake with 100,000 vertices in half of them: what the client sends is the plan, not the land. Caught: slices in the graph."""
    land = Polygons.of(np.concatenate([partition(400, 36_000.0, 1), _dense(100_000)]), "EPSG:32650")
    grid = Grid("EPSG:32650", 10.0, (0.0, 0.0, 36_000.0, 36_000.0), snap=1200.0)
    units = Polygons.of(partition(5, 36_000.0, 2), "EPSG:32650")
    with graphs_on(client) as graphs:
        counts = label_and_count(
            land, units, grid, 1200.0, tmp_path / "labels.zarr", chunks=600, scheduler=client
        )
    assert counts.cells.sum() == 3600**2
    assert land.x.nbytes + land.y.nbytes > 1.5e6
    ((count, size),) = graphs
    assert count == 36
    # A graph of the largest size would stay below 10 MB.
    assert size / count * tasks.MAX_TASKS < 10_000_000, size
    assert not (tmp_path / "labels.zarr.polygons").exists()


def _dense(vertices: int) -> np.ndarray:
    """One ring of many vertices around a lake in the middle."""
    import shapely

    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = 3000 + 10 * np.sin(angle * 500)
    ring = np.column_stack([18_000 + radius * np.cos(angle), 18_000 + radius * np.sin(angle)])
    return np.array([shapely.Polygon(ring)])


@pytest.mark.thorough
def test_a_whole_run_sends_a_task_a_tile(client: Any, tmp_path: Path) -> None:
    """256 tiles. Caught: slices of polygons in the graph, a task per chunk without an end."""
    scale_model.write_case(tmp_path, 2_500, 10.0)
    with graphs_on(client) as graphs:
        result = run(tmp_path / "case.toml", tmp_path / "run", scheduler=client, chunks=128)
    # The sources' share of what scale_model.write_case hands out: nothing was lost on the way.
    assert int(result.parcels["emission_g"].sum()) == 2_007 * 10**9
    ((count, size),) = graphs
    assert count == 256
    assert size / count * tasks.MAX_TASKS < 10_000_000, size


def _square(value: int) -> int:
    return value * value


@pytest.mark.thorough
def test_a_graph_has_a_bounded_number_of_tasks(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.MAX_TASKS < 5000
    most = 100
    monkeypatch.setattr(tasks, "MAX_TASKS", most)
    told: list[int] = []
    count = 3 * most + 17
    found = run_tasks(_square, range(count), client, lambda done, _: told.append(done))
    assert found == [value * value for value in range(count)]
    assert most / 2 < len(told) <= most
    assert told[-1] == count


class Tile:
    """A piece whose task always fails, and says how often it was tried."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return "tile at row 7, column 9"


def _fail(tile: Tile) -> None:
    (Path(tile.folder) / uuid.uuid4().hex).touch()
    raise OSError("no luck")


def test_a_task_is_retried_three_times_then_its_tile_is_named(client: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="tile at row 7, column 9: OSError: no luck"):
        run_tasks(_fail, [Tile(str(tmp_path))], client)
    assert len(list(tmp_path.iterdir())) == 4


def _end_when_asked(piece: tuple[int, Path]) -> int:
    """The first piece ends by itself; the others go on until somebody looks whether they do, and then end."""
    number, folder = piece
    (folder / f"{number}.begun").touch()
    until(lambda: number == 0 or (folder / "asked").exists())
    (folder / f"{number}.ended").touch()
    return os.getpid()


def _under_way_and_asked(under_way: Any, folder: Path, dask_worker: Any) -> Any:
    found = under_way(dask_worker)
    (folder / "asked").touch()
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Leave a file once workers have been asked what they are still at, after a cancellation; at the latest after the test."""
    told = functools.partial(_under_way_and_asked, tasks._under_way, tmp_path)
    monkeypatch.setattr(tasks, "_under_way", told)
    yield
    (tmp_path / "asked").touch()


@pytest.mark.usefixtures("asked")
def test_cancel_leaves_nothing_running(client: Any, tmp_path: Path) -> None:
    """Told by what the tasks do: the scheduler forgets a cancelled one at once. Caught: tiles that were written after it."""

    def interrupt(done: int, total: int) -> None:
        until(lambda: len(list(tmp_path.glob("*.begun"))) > 1)
        # As any version of distributed says it, or a run of long tiles is given up.
        until(lambda: any(map(tasks._at_a_task, tasks.present(client).values())))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tasks(_end_when_asked, [(i, tmp_path) for i in range(100)], client, interrupt)
    begun, ended = (
        {path.stem for path in tmp_path.glob(f"*.{what}")} for what in ("begun", "ended")
    )
    assert begun == ended
    assert not client.futures
    # What was left of the first run would come before the second.
    assert run_tasks(_square, range(20), client) == [value**2 for value in range(20)]
    assert {path.stem for path in tmp_path.glob("*.begun")} == begun
    until(lambda: not any(client.processing().values()))


def test_workers_that_do_not_see_the_folder_are_named(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_shared(client, tmp_path / "run")
    assert not list(tmp_path.iterdir())
    # A worker on another machine: the path is there, but it is another folder.
    monkeypatch.setattr(workers, "_answer", _elsewhere)
    with pytest.raises(
        RunError, match=rf"{tmp_path} is not .*tls://127\.0\.0\.1:\d+, .* do not see it"
    ):
        require_shared(client, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def _elsewhere(probe: str, token: str) -> str:
    return workers._answer.__name__


def test_workers_with_other_versions_are_refused_by_name(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, and with each piece of work; here it is this process that has the others."""
    here, others = metadata.version("zarr"), {**software.versions(), "zarr": "2.1.0"}
    monkeypatch.setattr(software, "_found", lambda: others)
    with (
        pytest.raises(RunError, match=rf"tls://.*: zarr {here}, here 2\.1\.0"),
        dask_client(client),
    ):
        pass
    with pytest.raises(RunError, match=rf"other versions .*: zarr {here}, there 2\.1\.0"):
        run_tasks(_square, [2, 3], client)


@pytest.mark.usefixtures("asked")
@pytest.mark.thorough
def test_a_worker_with_other_versions_is_refused_whenever_it_comes(
    client: Any, tmp_path: Path
) -> None:
    """A worker in an environment where Zarr is older joins in the middle of a run; then it is there at the start.

    Caught: versions looked at only on the workers that were there at the start; a refusal that was tried again on another
    worker, and never told.
    """
    here = metadata.version("zarr")
    started: list[subprocess.Popen[bytes]] = []

    def join(done: int, total: int) -> None:
        if not started:
            started.append(_worker_with(client, tmp_path, {"zarr": "2.1.0"}))
            client.wait_for_workers(3, timeout=HANG)

    try:
        with pytest.raises(RunError, match=rf"other versions .*: zarr 2\.1\.0, there {here}"):
            # The other two workers are busy until this one has answered.
            run_tasks(_end_when_asked, [(i, tmp_path) for i in range(100)], client, join)
        with (
            pytest.raises(RunError, match=rf"tls://.*: zarr 2\.1\.0, here {here}"),
            dask_client(client),
        ):
            pass
    finally:
        for worker in started:
            worker.kill()
            worker.wait(HANG)
    assert started
    until(lambda: len(client.scheduler_info()["workers"]) == 2)


def _worker_with(client: Any, folder: Path, packages: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker whose environment has these versions of packages: what is installed first on its path."""
    for name, version in packages.items():
        installed = folder / f"{name}-{version}.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
        )
    path = os.pathsep.join([str(folder), *sys.path])
    certificates = []
    for option, text in (
        ("--tls-ca-file", client.security.tls_ca_file),
        ("--tls-cert", client.security.tls_worker_cert),
        ("--tls-key", client.security.tls_worker_key),
    ):
        (folder / f"{option}.pem").write_text(text, encoding="utf-8")
        certificates += [option, str(folder / f"{option}.pem")]
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", client.scheduler.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *certificates],
        env={**os.environ, "PYTHONPATH": path}, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_cluster_without_workers_is_told_and_waited_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught: a run that stood still without a word after its last worker was gone."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", 0.0)
    means = {"n_workers": 0, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(**means) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        # It comes when its absence has been told.
        told = SimpleNamespace(handle=lambda _: cluster.scale(1), level=logging.WARNING)
        monkeypatch.setattr(tasks.logger, "handlers", [told])
        assert run_tasks(_square, [1, 2, 3], client) == [1, 4, 9]
    told = [record.message for record in caplog.records if record.name == tasks.logger.name]
    assert told == ["no worker of the cluster is left; the run waits for new ones"]


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A client of two workers in threads of this process, whose memory nobody watches."""
    means = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "memory_limit": 0}
    with (
        distributed.LocalCluster(**means, dashboard_address="127.0.0.1:0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


async def _pause(dask_worker: Any) -> None:
    dask_worker.status = distributed.core.Status.paused


def test_workers_that_are_paused_for_good_end_a_run_in_words(
    cluster: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to stand still without a word: workers answered, and took no task."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", 0.0)
    monkeypatch.setattr(tasks, "_UNTIL_GIVEN_UP", 0.0)
    cluster.run(_pause)
    until(lambda: not any(map(tasks._works, cluster.scheduler_info()["workers"].values())))
    with pytest.raises(RunError, match=r"has been paused .* Give workers more memory"):
        run_tasks(_square, [1, 2, 3], cluster)
    told = [record.message for record in caplog.records if record.name == tasks.logger.name]
    assert told == [
        "every worker of the cluster is paused, as when its memory is nearly full; the run waits for them"
    ]


def test_a_worker_that_is_paused_and_at_a_task_is_no_reason_to_give_up() -> None:
    """It ends what it has, however long that takes."""
    paused = {"status": "paused", "metrics": {"task_counts": {"executing": 1}}}
    assert tasks._works(paused)
    assert not tasks._works({"status": "paused", "metrics": {}})


class _FiveTold:
    """A client as of distributed 2025.7, which tells of five workers unless it is asked for more; all but the last are paused."""

    def __init__(self, last: str) -> None:
        self._last = last

    def scheduler_info(self, n_workers: int = 5) -> dict[str, Any]:
        states = ["paused"] * 6 + [self._last]
        told = {f"tcp://{n}": {"status": each, "metrics": {}} for n, each in enumerate(states)}
        return {"workers": dict(list(told.items())[: n_workers if n_workers >= 0 else None])}

    def run(self, *_: Any, **__: Any) -> dict[str, str]:
        return dict.fromkeys(self.scheduler_info(-1)["workers"], "here")


def test_all_workers_are_heard_and_looked_at(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: the sixth could have other versions, or be the one that works."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", -1.0)
    client: Any = _FiveTold("running")
    assert len(workers._asked(client, str)) == 7
    tasks._Watch(client).look()
    assert not caplog.records


def test_workers_that_are_paused_now_and_then_are_no_reason_to_give_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen to fail: a pause of half a minute ended a run, a quarter of an hour of tiles after another one."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", -1.0)
    monkeypatch.setattr(tasks, "_UNTIL_GIVEN_UP", -1.0)
    client: Any = _FiveTold("paused")
    watch = tasks._Watch(client)
    watch.look()
    watch.moves()
    watch.look()
    with pytest.raises(RunError, match="has been paused"):
        watch.look()


class _EndAsTheyCome:
    """A client of a cluster whose nanny starts one worker after the other: each is there for a moment, idle, and is ended."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}

    def scheduler_info(self, **_: Any) -> dict[str, Any]:
        worker = {"status": "running", "metrics": {"task_counts": self.at}}
        return {"workers": {f"tcp://{uuid.uuid4().hex}": worker}}


def test_workers_that_end_as_they_come_end_a_run_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to have no end: of workers that may take less than their libraries one was always there, and none took a task."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", -1.0)
    monkeypatch.setattr(tasks, "_UNTIL_TAKEN_UP", -1.0)
    client: Any = _EndAsTheyCome()
    watch = tasks._Watch(client)
    watch.look()
    # One that took a task since, or is at one for long, is waited for.
    watch.moves()
    watch.look()
    client.at["executing"] = 1
    watch.look()
    watch.look()
    client.at.clear()
    watch.look()
    with pytest.raises(RunError, match=r"been at a task for .* Give workers more memory \(--memory"):  # fmt: skip
        watch.look()


async def _end_when_asked_for_results(dask_worker: Any) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        await dask_worker.close(nanny=False)

    dask_worker.handlers["get_data"] = gone


def test_a_result_that_is_lost_on_its_way_home_is_waited_for_with_an_end(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to stand still: its task was to be done again, nobody was left to do it, and nobody looked."""
    monkeypatch.setattr(tasks, "_UNTIL_ASKED", 0.0)
    monkeypatch.setattr(tasks, "_UNTIL_GIVEN_UP", 0.0)
    cluster.run(_end_when_asked_for_results)
    with pytest.raises(RunError, match="no worker of the cluster has come for"):
        run_tasks(_square, [1, 2, 3], cluster)


async def _leave_or_answer(dask_worker: Any) -> str:
    if dask_worker.name:
        await dask_worker.close(nanny=False)
    return "here"


def test_a_worker_that_leaves_as_it_is_asked_has_no_other_versions(cluster: Any) -> None:
    """Seen to refuse the run: CommClosedError was a version."""
    assert list(workers._asked(cluster, _leave_or_answer).values()) == ["here"]


class _LeaveWhenAsked:
    """A client whose workers leave while they are asked, so many times; in their place another one comes, or nobody."""

    def __init__(self, times: int, *, nobody: bool = False) -> None:
        self._left, self._nobody = times, nobody

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        self._left -= 1
        return {f"tcp://{self._left}": "here"}

    def scheduler_info(self, **_: Any) -> dict[str, Any]:
        return {"workers": {} if self._left >= 0 else {f"tcp://{self._left}": {}}}

    def wait_for_workers(self, *_: Any, **__: Any) -> None:
        if self._nobody:
            raise TimeoutError


def test_where_every_worker_leaves_as_it_is_asked_the_next_is_asked(tmp_path: Path) -> None:
    """Seen to pass: of workers that had left none had other versions, and each saw the folder."""
    client: Any = _LeaveWhenAsked(2)
    assert list(workers._asked(client, str).values()) == ["here"]
    without_end: Any = _LeaveWhenAsked(1000)
    without_others: Any = _LeaveWhenAsked(1, nobody=True)
    for client in (without_end, without_others):
        with pytest.raises(RunError, match="every worker of the cluster left while it was asked"):
            require_shared(client, tmp_path / "run")
        assert not list(tmp_path.iterdir())


class _Asked:
    """A client of workers that come, or do not, and answer."""

    def __init__(self, answer: Any = None, *, come: bool = True) -> None:
        self._answer, self._come = answer, come

    def wait_for_workers(self, least: int, **_: Any) -> None:
        if least and not self._come:
            raise TimeoutError

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"tcp://1": self._answer}

    def scheduler_info(self, **_: Any) -> dict[str, Any]:
        return {"workers": {"tcp://1": {}} if self._come else {}}


@pytest.mark.parametrize("how", ["client", "address", "active"])
def test_whoever_is_to_work_is_looked_at_first(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """However it is named. Seen to pass where an address was taken as it was, and where the active client was not found."""
    sound: Any = _Asked(software.versions())
    nobody: Any = _Asked(come=False)
    failing: Any = _Asked(OSError("no disk"))
    for client, said in ((sound, ""), (nobody, "has no workers"), (failing, "tcp://1: OSError: no disk")):  # fmt: skip
        monkeypatch.setattr(workers, "client_at", lambda *_, it=client: contextlib.nullcontext(it))
        monkeypatch.setattr(distributed, "default_client", lambda it=client: it)
        means = {"client": client, "address": "tcp://127.0.0.1:9", "active": None}[how]
        refused = pytest.raises(RunError, match=said) if said else contextlib.nullcontext()
        with refused, dask_client(means) as found:
            assert found is client


def test_without_a_client_threads_work() -> None:
    with dask_client() as means:
        assert means == "threads"


@pytest.mark.parametrize("none", [0, -1])
def test_no_worker_is_refused(none: int) -> None:
    """Seen to fail: a cluster was started for none, and a run on it waited for workers that nobody would start."""
    with pytest.raises(InputError, match=f"at least one worker, not {none}"), dask_client(workers=none):  # fmt: skip
        pass


def test_nobody_at_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_TIMEOUT_S", 1)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with (
        pytest.raises(RunError, match="no Dask scheduler answers"),
        dask_client("tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize(
    "address",
    ["", "thread", "tls", "tls://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:x", "tcp://[::1", "tcp:/127.0.0.1:9",
     "TCP://127.0.0.1:9", " tcp://127.0.0.1:9", "tcp://127.0.0.1:9\n", "tcp://\udcff:9", "tcp://a\0b:9", "file:///etc/passwd", "://"],
)  # fmt: skip
def test_what_has_no_form_of_an_address_is_no_scheduler(address: str) -> None:
    """Seen to fail: Dask waits for whoever answers at some of these, for two minutes here."""
    with (
        pytest.raises(InputError, match=r"is no scheduler\. Known: threads, .* such as tcp://"),
        dask_client(address),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:9", "no Dask scheduler answers at http://127.0.0.1:9: unknown address scheme"),
        ("ucx://127.0.0.1:9", "no Dask scheduler answers at ucx://127.0.0.1:9: "),
        ("inproc://1/2/3", "no Dask scheduler answers at inproc://1/2/3: "),
        ("tls://127.0.0.1:9", "the scheduler at tls://127.0.0.1:9 cannot be reached securely: "),
    ],
)  # fmt: skip
def test_an_address_of_another_kind_is_told_as_what_it_is(address: str, says: str) -> None:
    """Seen to fail: certificates were asked for where none would help."""
    with pytest.raises(RunError, match=re.escape(says)), dask_client(address):
        pass


@pytest.mark.thorough
def test_the_command_line_says_one_thing_of_a_scheduler_without_certificates(
    small_city: Path, tmp_path: Path
) -> None:
    words = ["run", small_city / "case.toml", "--out", tmp_path / "run", "--scheduler", "tls://127.0.0.1:9"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "carbongrid", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the scheduler at tls://127.0.0.1:9 cannot be reached securely: ")
    assert line.endswith("Name the certificates in Dask's configuration (distributed.comm.tls).")
    assert not list(tmp_path.iterdir())


def _end_at_once(code: int) -> None:
    os._exit(code)


@pytest.mark.thorough
def test_a_process_of_a_pool_that_is_ended_from_outside_is_told() -> None:
    """Seen to fail: a fault of the package, in words of the library."""
    with pytest.raises(RunError, match=r"a worker process died, .* Run again: what is finished"):
        run_tasks(_end_at_once, [1, 2], "processes")


def test_a_scheduler_and_a_number_of_workers_are_too_much() -> None:
    with pytest.raises(InputError, match="both"), dask_client("threads", 2):
        pass


def test_an_interrupt_while_workers_start_closes_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Caught: the interrupt arrived when the cluster was made and nobody had it in hand yet."""
    closed = []

    class Interrupted(distributed.LocalCluster):
        def __init__(self, **options: Any) -> None:
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            super().__init__(**{**options, "n_workers": 0})

        def __exit__(self, *fault: object) -> None:
            super().__exit__(*fault)
            closed.append(self.status)

    monkeypatch.setattr(distributed, "LocalCluster", Interrupted)
    # A shell has its background jobs ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), dask_client(workers=1):
            pytest.fail("the interrupt was lost")
    finally:
        signal.signal(signal.SIGINT, before)
    assert closed == [distributed.core.Status.closed]


def test_what_a_killed_run_left_of_its_probe_is_removed_by_the_next(tmp_path: Path) -> None:
    """Seen to fail: folders with names drawn by lot stayed for good."""
    left = tmp_path / ".run.probe"
    left.mkdir()
    (left / "question").touch()
    require_shared("threads", tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_who_listens_and_says_nothing_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_TIMEOUT_S", 1)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            pytest.raises(RunError, match=f"no Dask scheduler answers at tcp://127.0.0.1:{port}"),
            dask_client(f"tcp://127.0.0.1:{port}"),
        ):
            pass
