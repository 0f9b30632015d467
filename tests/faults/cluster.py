"""Workers killed in the middle of a run on a real cluster whose nannies start new ones."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

from faults.ground import CHUNKS, Ground, is_whole
from faults.tally import Row


def worker_kills(ground: Ground, rounds: int, seed: int = 9) -> Row:
    """SIGKILL a worker at a random moment of the rasterization; the run goes on by itself."""
    import distributed

    from carbongrid.pipeline import run

    row = Row("a cluster's worker killed (SIGKILL) at a random moment, the run goes on")
    draw = random.Random(seed)
    means = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(host="127.0.0.1", processes=True, **means) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        for number in range(rounds):
            out: Path = ground.new(f"worker-{number}")
            tile = draw.randrange(1, 40)
            killed: list[int] = []

            def strike(
                step: str, done: int, total: int, tile: int = tile, killed: list[int] = killed
            ) -> None:
                if step == "rasterizing" and done >= min(tile, total - 1) and not killed:
                    victim = draw.choice(sorted(client.run(os.getpid).values()))
                    killed.append(victim)
                    os.kill(victim, signal.SIGKILL)

            text = ""
            try:
                client.wait_for_workers(2, timeout=60)
                result = run(
                    ground.case,
                    out,
                    chunks=int(CHUNKS[1]),
                    scheduler=cluster.scheduler_address,
                    progress=strike,
                )
                lost = result.manifest["digests"] != ground.digests or not is_whole(out)
            except Exception as error:
                lost, text = True, f"{type(error).__name__}: {error}"
            row.case(f"at tile {tile}", lost=lost or not killed, text=text)
            shutil.rmtree(out.parent)
    return row
