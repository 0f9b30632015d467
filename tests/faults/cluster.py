"""Workers killed in the middle of a run on a real cluster whose nannies start new ones."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from waiting import HANG

from carbongrid.errors import RunError
from carbongrid.pipeline import run
from carbongrid.raster.chunked.tasks import run_tasks
from faults.ground import CHUNKS, Ground, is_whole
from faults.tally import Row

if TYPE_CHECKING:
    import distributed


@dataclass(frozen=True)
class DeadlyTile:
    """A tile that its worker does not survive."""

    number: int

    def __str__(self) -> str:
        return f"tile at row {self.number}, column 9"


def _die(tile: DeadlyTile) -> None:
    os._exit(tile.number)


def worker_deaths(ground: Ground, rounds: int, seed: int = 9) -> list[Row]:
    """SIGKILL a worker at a random moment of the rasterization; then a tile that kills every worker that it comes to."""
    rows = [_worker_kills(ground, rounds, seed)]
    with _two_workers() as client:
        return [*rows, _deadly_tiles(client, 1)]


@contextmanager
def _two_workers() -> Iterator[distributed.Client]:
    """Start a cluster whose nannies start another worker for one that dies."""
    import distributed

    means = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(host="127.0.0.1", processes=True, **means) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2, timeout=HANG)
        yield client


def _worker_kills(ground: Ground, rounds: int, seed: int) -> Row:
    row = Row("a cluster's worker killed (SIGKILL) at a random moment, the run goes on")
    draw = random.Random(seed)
    for number in range(rounds):
        out: Path = ground.new(f"worker-{number}")
        tile = draw.randrange(1, 40)
        # Each round has a cluster of its own: now and then a nanny starts no other worker, and the next round waited for it in vain.
        with _two_workers() as client:
            lost, text = _killed_once(ground, client, out, tile, draw)
        row.case(f"at tile {tile}", lost=lost, text=text)
        shutil.rmtree(out.parent)
    return row


def _killed_once(
    ground: Ground, client: distributed.Client, out: Path, tile: int, draw: random.Random
) -> tuple[bool, str]:
    """Run the case, a worker being killed at a tile; return whether anything is lost, and what went wrong."""
    killed: list[int] = []

    def strike(step: str, done: int, total: int) -> None:
        if step == "rasterizing" and done >= min(tile, total - 1) and not killed:
            victim = draw.choice(sorted(client.run(os.getpid).values()))
            killed.append(victim)
            os.kill(victim, signal.SIGKILL)

    try:
        means = {"scheduler": client.scheduler.address, "progress": strike}
        result = run(ground.case, out, chunks=int(CHUNKS[1]), **means)
        lost = result.manifest["digests"] != ground.digests or not is_whole(out)
    except Exception as error:
        return True, f"{type(error).__name__}: {error}"
    return lost or not killed, ""


def _deadly_tiles(client: distributed.Client, count: int) -> Row:
    row = Row("a tile whose worker dies, four times over, then named")
    for number in range(count):
        tile = DeadlyTile(number + 7)
        text = ""
        try:
            run_tasks(_die, [tile], client)
        except RunError as error:
            text = str(error)
        row.case(str(tile), silent=not (str(tile) in text and "died" in text), text=text)
    return row
