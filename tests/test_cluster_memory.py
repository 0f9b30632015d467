"""Whole runs on two workers bound to 1 GB each: what the client sends, and what everybody holds.

A few hundred tiles here; ``nox -s cluster`` runs 4 billion cells with the same assertions.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from data import ROOT

from carbongrid.case import Case
from carbongrid.chunked.tasks import MOST_TASKS
from carbongrid.pipeline import run
from carbongrid.pipeline.memory import estimated_memory
from carbongrid.pipeline.workers import working_with

sys.path.insert(0, str(ROOT / "benchmarks"))
import scale_model

distributed = pytest.importorskip("distributed")

logger = logging.getLogger(__name__)

PER_WORKER = 10**9
MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class Size:
    """Parcels of a square of 20 km, side of a cell in m, side of a tile in cells, and how many tiles that makes."""

    parcels: int
    resolution: float
    chunks: int
    tiles: int


FEW = Size(2_500, 10.0, 128, 256)
MANY = Size(40_000, 0.3125, 2048, 1024)
only_alone = pytest.mark.skipif("CARBONGRID_CLUSTER" not in os.environ, reason="nox -s cluster")


class Graphs(distributed.SchedulerPlugin):
    """Counts, on the scheduler, the tasks of every graph that arrives there and their bytes."""

    name = "graphs"

    def __init__(self) -> None:
        self.tasks: list[int] = []
        self.size: list[int] = []

    def update_graph(self, scheduler: Any, *, tasks: Any, **_: Any) -> None:
        from distributed.protocol.pickle import dumps

        self.tasks.append(len(tasks))
        self.size.append(sum(len(dumps(scheduler.tasks[key].run_spec)) for key in tasks))


def _counted(dask_scheduler: Any) -> tuple[list[int], list[int]]:
    graphs = dask_scheduler.plugins[Graphs.name]
    return graphs.tasks, graphs.size


def held(line: str, process: object = "self") -> int:
    """Return bytes that a process holds (VmRSS) or held at most (VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(rf"{line}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.parametrize(
    "size", [FEW, pytest.param(MANY, marks=only_alone)], ids=lambda size: f"{size.tiles} tiles"
)
def test_what_is_sent_and_held(size: Size, tmp_path: Path) -> None:
    """Caught: slices of polygons in the graph, a task per chunk without an end, tiles that pile up on a worker or at home."""
    scale_model.write_case(tmp_path, size.parcels, size.resolution)
    case = Case.read(tmp_path / "case.toml")
    with working_with(workers=2, memory=str(PER_WORKER)) as client:
        client.wait_for_workers(2)
        workers = sorted(client.run(os.getpid).values())
        client.register_plugin(Graphs())
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before, sent = held("VmRSS"), client.scheduler_comm.byte_count
        result = run(case, tmp_path / "run", scheduler=client, chunks=size.chunks)
        sent = client.scheduler_comm.byte_count - sent
        grown, peak = held("VmHWM") - before, held("VmHWM")
        assert sorted(client.run(os.getpid).values()) == workers, (
            "a worker died and another took its place"
        )
        peaks = [held("VmHWM", worker) for worker in workers]
        (tasks,), (graph,) = client.run_on_scheduler(_counted)
    logger.info(
        "%d tiles: %d tasks, a graph of %.2f MB, %.2f MB sent; a worker held at most %.2f GB, the client %.2f GB",
        size.tiles, tasks, graph / 1e6, sent / 1e6, max(peaks) / 1e9, peak / 1e9,
    )  # fmt: skip
    # The sources' share of what scale_model.write_case hands out: nothing was lost on the way.
    assert int(result.parcels["emission_g"].sum()) == 2_007 * 10**9
    assert tasks == size.tiles < 5_000
    # As large as a graph ever gets.
    assert graph / tasks * MOST_TASKS < MOST_BYTES
    assert sent / tasks * MOST_TASKS < MOST_BYTES
    assert max(peaks) < PER_WORKER
    assert grown < estimated_memory(case)
