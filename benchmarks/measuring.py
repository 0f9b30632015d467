"""Time and peak memory of one call, and the rows that a comparison is made of."""

from __future__ import annotations

import gc
import importlib.util
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = (
    "reductions",
    "lookups",
    "from-zarr",
    "labels",
    "labels-large",
    "overlaps",
    "steps",
    "areas",
    "weighted",
    "zonal",
    "first-calls",
    "demo",
    "whole-run",
    "live",
    "labels-zarr",
    "analysis",
    "land-cover",
)
"""What ``peers.py`` measures, each in a process of its own."""

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
# Beyond this, once is enough: noise is small against it, and peers may take minutes.
_LONG = 15.0
_touched: list[int] = []


@dataclass(frozen=True)
class Measured:
    """Least seconds of the runs, and how far resident memory rose above what it was before, in MB."""

    seconds: float
    peak: float
    runs: int


@dataclass(frozen=True)
class Row:
    """One line of the comparison: who did the same work, how long each took, and the ratio aimed at."""

    part: str
    work: str
    peer: str
    size: str
    ours: Measured
    theirs: Measured | None
    goal: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.theirs.seconds / self.ours.seconds if self.theirs else None


def measured(function: Callable[[], object], runs: int = 3) -> Measured:
    """Call a few times; what is returned is let go before the next call."""
    seconds, peak, done = [], 0.0, 0
    for _ in range(runs):
        gc.collect()
        _touch_memory()
        before = _resident("VmRSS")
        reset = _reset_peak()
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
        if reset:
            peak = max(peak, _resident("VmHWM") - before)
        del result
        done += 1
        if seconds[-1] > _LONG:
            break
    return Measured(min(seconds), peak, done)


def touch_memory_first(most: int = 5 * 2**30) -> None:
    """From now on, write to as much memory as a result takes at most, and let it go, before each call that is measured.

    A virtual machine's memory may have gone back to its host: to be handed 4 GB again took 11 s once, and 0.5 s afterwards.
    """
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    _touched.append(min(most, available // 2))


def _touch_memory() -> None:
    for size in _touched[-1:]:
        np.empty(size, np.uint8).fill(1)


def installed(name: str) -> bool:
    """Tell whether a peer is there."""
    return importlib.util.find_spec(name) is not None


def of_peer(name: str, function: Callable[[], object], runs: int = 3) -> Measured | None:
    """Measure a peer, or nothing where it is not installed."""
    return measured(function, runs) if installed(name) else None


def _reset_peak() -> bool:
    try:
        _CLEAR.write_text("5", encoding="utf-8")
    except OSError:
        return False
    return True


def _resident(name: str) -> float:
    if not _STATUS.exists():
        return 0.0
    line = next(
        line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(name)
    )
    return int(line.split()[1]) / 1024


def on_threads(function: Callable[[int], object], count: int) -> None:
    """Call function(0..count-1) on as many threads."""
    threads = [threading.Thread(target=function, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
