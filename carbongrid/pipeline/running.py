"""All steps of the method, into a run directory."""

from __future__ import annotations

import contextlib
import importlib
import logging
import threading
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, get_args

from carbongrid.case import Case
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.errors import InputError
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.outputs.result import Result
from carbongrid.outputs.tables.parcel_layer import ParcelFormat
from carbongrid.pipeline.land import fine_grid
from carbongrid.pipeline.memory import require_memory, require_memory_of_inputs
from carbongrid.pipeline.opening import open_run
from carbongrid.pipeline.step import Progress, RunOptions
from carbongrid.pipeline.steps import STEPS
from carbongrid.pipeline.tables import manifest_of
from carbongrid.pipeline.work import Work, silent
from carbongrid.pipeline.workers import dask_client, require_shared
from carbongrid.pipeline.writing import left_out, problems_of_left_out
from carbongrid.raster.chunked import travels
from carbongrid.raster.row_blocks import meanwhile
from carbongrid.run_store import (
    Hashes,
    Recall,
    RunStore,
    claimed,
    mend,
    new_run,
)

logger = logging.getLogger(__name__)

WANTED = ("fingerprints", "read", "grid", "assemble", "digest")
"""What the manifest tells of, when all steps are done."""
_SOON = 0.05
"""Seconds; libraries are imported early only where digests take longer."""
_IMPORTED_BY_XARRAY = ("dask.array",)
"""When the first variable is made."""


@in_own_decimals
def run_case(
    case: Case | str | Path,
    out: Path,
    *,
    replace: bool,
    earlier: Path | None,
    restart: bool,
    scheduler: Any,
    workers: int | None,
    memory: str | None,
    chunks: int,
    public: bool,
    parcels: ParcelFormat,
    progress: Progress | None,
    hashes: Hashes,
    ahead: ExitStack,
) -> Result:
    """Do what :func:`carbongrid.run` is asked for, which says what it is given and what it raises; ``hashes``: what is known of files already, and is found out until ``ahead`` is closed."""
    if parcels not in get_args(ParcelFormat):
        raise InputError(
            f"parcels are written as {', '.join(get_args(ParcelFormat))}, not as {parcels!r}",
            "parcels",
        )
    if public and parcels != "parquet":
        raise InputError(
            "a published run has no parcels, so none can be written for a GIS",
            f"--public, --parcels {parcels}",
            "Leave one of them out.",
        )
    case = case if isinstance(case, Case) else Case.read(case)
    if memory is not None:
        require_memory(case, memory)
    for problem in problems_of_left_out():
        logger.warning("%s", problem)
    store = new_run(out, replace=replace, reuse=earlier, restart=restart, hashes=hashes)
    with dask_client(scheduler, workers, memory) as client:
        options = RunOptions(client, chunks, progress or silent, public, parcels)

        def first_half() -> Work:
            recall = Recall.around(out, earlier, restart=restart, hashes=hashes)
            with ahead:
                return _first_half(case, options, recall, memory)

        if out.parent.is_dir():
            with claimed(out):
                mend(out)  # before anything is taken over from the run that was there
                require_shared(client, out)
                _write(first_half(), options, store)
        else:
            # Nothing is made, not even the folder of the lock, before the input is known to be right.
            work = first_half()
            out.parent.mkdir(parents=True, exist_ok=True)
            with claimed(out):
                require_shared(client, out)
                _write(work, options, store)
    return open_run(out)


def _first_half(case: Case, options: RunOptions, recall: Recall, memory: str | None) -> Work:
    """Do the steps that write nothing: all before the land is rasterized."""
    fingerprints = Fingerprints(case, recall.hashes.digest_of)
    _take_all(fingerprints)
    given = {"case": case, "options": options, "fingerprints": fingerprints}
    work = Work(STEPS, given, fingerprints, recall, options.progress, wanted=WANTED)
    work.go("read")
    if memory is not None:
        # Before borders are measured: of a million holes that takes more than all the rest.
        inputs, tiles = work.values["read"], 0 if travels(options.scheduler) else None
        grid = fine_grid(inputs)
        require_memory_of_inputs(inputs, memory, grid, chunks=options.chunks, tiles=tiles)
    work.go()
    fingerprints.require_unchanged()
    return work


def _take_all(fingerprints: Fingerprints) -> None:
    """Take the digests of all inputs by a thread, and import meanwhile what later steps import: of a million parcels 0.2 s pass, and of small ones nothing is imported before it is needed.

    Whoever mends a small table by trial is told what is wrong before that.
    """
    taken = threading.Event()

    def take(each: Fingerprints) -> None:
        try:
            each.take_all()
        finally:
            taken.set()

    with meanwhile(take, [fingerprints]):
        if taken.wait(_SOON):
            return
        for module in (*_IMPORTED_BY_XARRAY, *(name for step in STEPS for name in step.imports)):
            if taken.is_set():
                break
            with contextlib.suppress(Exception):  # whoever needs it is told
                importlib.import_module(module)


def _write(work: Work, options: RunOptions, new: AbstractContextManager[RunStore]) -> None:
    """Do the steps that write, with the lock held."""
    with new as store:
        with work.keep_in(store):
            work.go("digest")
            if options.public:
                work.forget()
            work.go()
        fingerprints, inputs, grid, tables, digests = (work.values[name] for name in WANTED)
        fingerprints.require_unchanged()
        content = manifest_of(inputs, grid, tables, digests, options.chunks)
        facts = {"public": options.public, "reused": store.reused, "left_out": left_out()}
        store.write_manifest({**content, **facts})
