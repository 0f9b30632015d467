"""The graphs that arrive at a cluster's scheduler: how many tasks each has, and of how many bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from distributed import SchedulerPlugin


class Graphs(SchedulerPlugin):
    """Counts, on the scheduler, the tasks of every graph that arrives there and their bytes."""

    name = "graphs"

    def __init__(self) -> None:
        self.found: list[tuple[int, int]] = []

    def update_graph(self, scheduler: Any, *, tasks: Any, **_: Any) -> None:
        from distributed.protocol.pickle import dumps

        size = sum(len(dumps(scheduler.tasks[key].run_spec)) for key in tasks)
        self.found.append((len(tasks), size))


def _found(dask_scheduler: Any) -> list[tuple[int, int]]:
    return dask_scheduler.plugins[Graphs.name].found


@contextlib.contextmanager
def graphs_on(client: Any) -> Iterator[list[tuple[int, int]]]:
    """Give a list that holds, after the block, the tasks and the bytes of each graph that was sent in it."""
    graphs: list[tuple[int, int]] = []
    client.register_plugin(Graphs())
    try:
        yield graphs
        graphs += client.run_on_scheduler(_found)
    finally:
        client.unregister_scheduler_plugin(Graphs.name)
