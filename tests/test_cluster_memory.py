"""``nox -s cluster``: 4 billion cells, and the labels of 18 billion, on two workers bound to 1 GB each: what is sent and held.

How many tasks a graph has, and of how many bytes, is held in test_workers.py as well, by a run of a few hundred tiles.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data import ROOT
from graphs import graphs_on
from waiting import HANG

from carbongrid.case import Case
from carbongrid.pipeline import run
from carbongrid.pipeline.memory import estimated_memory
from carbongrid.pipeline.workers import dask_client
from carbongrid.raster.chunked import label_and_count
from carbongrid.raster.chunked.tasks import MAX_TASKS
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Polygons

sys.path.insert(0, str(ROOT / "benchmarks"))
import scale_model

logger = logging.getLogger(__name__)

PER_WORKER = 10**9
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class Size:
    """Parcels of a square of 20 km, side of a cell in m, side of a tile in cells, and how many tiles that makes."""

    parcels: int
    resolution: float
    chunks: int
    tiles: int


FEW = Size(2_500, 10.0, 128, 256)
MANY = Size(40_000, 0.3125, 2048, 1024)


def held(line: str, process: object = "self") -> int:
    """Return bytes that a process holds (VmRSS) or held at most (VmHWM)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(rf"{line}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


@dataclass
class Found:
    """What a run took: tasks of its graph, bytes of the graph, bytes sent by the client, most bytes held by whom."""

    tasks: int = 0
    graph: int = 0
    sent: int = 0
    workers: tuple[int, ...] = ()
    client: int = 0
    grown: int = 0

    def require_little(self) -> None:
        told = "%d tasks, a graph of %.2f MB, %.2f MB sent; a worker held at most %.2f GB, the client %.2f GB"
        most = max(self.workers) / 1e9
        logger.info(told, self.tasks, self.graph / 1e6, self.sent / 1e6, most, self.client / 1e9)
        assert self.tasks < 5_000
        # As large as a graph ever gets.
        assert self.graph / self.tasks * MAX_TASKS < MAX_BYTES
        assert self.sent / self.tasks * MAX_TASKS < MAX_BYTES
        assert max(self.workers) < PER_WORKER


@contextlib.contextmanager
def watched() -> Iterator[tuple[Any, Found]]:
    """Give a client of two workers bound to 1 GB each, and what there is to tell of them afterwards."""
    found = Found()
    with dask_client(workers=2, memory=str(PER_WORKER)) as client:
        client.wait_for_workers(2, timeout=HANG)
        workers = sorted(client.run(os.getpid).values())
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before, sent = held("VmRSS"), client.scheduler_comm.byte_count
        with graphs_on(client) as graphs:
            yield client, found
        found.sent = client.scheduler_comm.byte_count - sent
        found.client = held("VmHWM")
        found.grown = found.client - before
        assert sorted(client.run(os.getpid).values()) == workers, "a worker died"
        found.workers = tuple(held("VmHWM", worker) for worker in workers)
        ((found.tasks, found.graph),) = graphs


@pytest.mark.parametrize("size", [FEW, MANY], ids=lambda size: f"{size.tiles} tiles")
def test_a_whole_run(size: Size, tmp_path: Path) -> None:
    """Caught: slices of polygons in the graph, a task per chunk without an end, tiles that pile up on a worker or at home."""
    scale_model.write_case(tmp_path, size.parcels, size.resolution)
    case = Case.read(tmp_path / "case.toml")
    with watched() as (client, found):
        result = run(case, tmp_path / "run", scheduler=client, chunks=size.chunks)
    # The sources' share of what scale_model.write_case hands out: nothing was lost on the way.
    assert int(result.parcels["emission_g"].sum()) == 2_007 * 10**9
    found.require_little()
    assert found.tasks == size.tiles
    assert found.grown < estimated_memory(case)


def test_labels_of_a_million_parcels_in_18_billion_cells(tmp_path: Path) -> None:
    """Labels to Zarr, under 2 GB in every process."""
    random = np.random.default_rng(1)
    land = Polygons.of(scale_model.bent_lattice(1_000_000, random), "EPSG:4528")
    units = Polygons.of(np.array(scale_model.boxes_of_units()), "EPSG:4528")
    (west, south), (east, north) = land.bounds[:, :2].min(axis=0), land.bounds[:, 2:].max(axis=0)
    grid = Grid("EPSG:4528", 0.15, (west, south, east, north), snap=1200.0)
    with watched() as (client, found):
        counts = label_and_count(
            land, units, grid, 1200.0, tmp_path / "labels.zarr", scheduler=client
        )
    cells = round((east - west) * (north - south) / 0.15**2)
    assert counts.cells.sum() == counts.parcel_unit.sum() == pytest.approx(cells, rel=1e-4)
    assert len(counts.no_cell_centre) == 0
    found.require_little()
    assert found.client < 2 * 10**9
