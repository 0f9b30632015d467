"""``run``: all steps of the method, into a run directory."""

from __future__ import annotations

import contextlib
import importlib
import logging
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, get_args

from carbongrid.case import Case
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.errors import InputError
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
    check_target,
    claimed,
    mend,
    new_run,
    place_of,
)

logger = logging.getLogger(__name__)

WANTED = ("fingerprints", "read", "grid", "assemble", "digest")
"""What the manifest tells of, when all steps are done."""
_SOON = 0.05
"""Seconds; libraries are imported early only where digests take longer."""
_IMPORTED_BY_XARRAY = ("dask.array",)
"""When the first variable is made."""


def run(
    case: Case | str | Path,
    out: str | Path,
    *,
    replace: bool = False,
    reuse: str | Path | None = None,
    restart: bool = False,
    scheduler: Any = None,
    workers: int | None = None,
    memory: str | None = None,
    chunks: int = 2048,
    public: bool = False,
    parcels: ParcelFormat = "parquet",
    progress: Progress | None = None,
) -> Result:
    """Run a case: from its totals to the zones of its units, into a new directory.

    Parameters
    ----------
    case
        A case, or the path of its file.
    out
        The run directory to make; it is absent or complete at any moment.
    replace
        Whether an existing run may be replaced. Steps whose inputs are the same are taken over from it.
    reuse
        Another finished run to take steps from, if their inputs are the same.
    restart
        Take nothing over, neither from an interrupted run nor from a finished one.
    scheduler
        ``threads``, ``processes``, ``synchronous`` or the address of a Dask scheduler; default the active Dask
        client, else threads. Results are the same bits. A cluster's workers must see the run directory.
    workers
        Start so many worker processes on 127.0.0.1 for this run, and end them after it; instead of a scheduler.
    memory
        Such as ``4GB``: a case of which this process is sure to take more is refused before its geometry is read, one of which
        it may take more after that (docs/reliability.md); both are estimates, and this process is not bound. Each worker
        that is started here is bound to it, by default to 1 GB; what workers hold is not counted for this process.
    chunks
        Side of a label tile in cells; results are the same bits.
    public
        Write what may be published: units and coarse cells, without parcels and names, small counts not printed (D31).
        Nothing can be taken over from such a run.
    parcels
        ``gpkg`` or ``fgb``: write the parcels also as a layer for a GIS that reads no Parquet, such as Debian's QGIS; ``pmtiles``: as tiles
        for a map on the web; in tonnes, with the unit and the zone that each lies in; not with ``public``.
    progress
        Called with the name of a long step, what is done and what there is to do.

    Returns
    -------
    Result
        The finished run, opened.

    Raises
    ------
    InputError
        With every problem of the input. Where they are found before labels are made, nothing is written; after that, as of
        weight rasters or of mass outside every unit, no run directory is made, but what was finished is kept beside it in
        ``.NAME.partial``, which the message names and the next run takes over (docs/decisions/0026).
    RunError
        If another process writes the same directory, the disk is full, an input changes while it is read, or a
        cluster does not answer, has other versions or does not see the run directory.
    """
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
    out = place_of(out)
    check_target(out, replace=replace)
    case = case if isinstance(case, Case) else Case.read(case)
    if memory is not None:
        require_memory(case, memory)
    for problem in problems_of_left_out():
        logger.warning("%s", problem)
    earlier = Path(reuse) if reuse else None
    hashes = Hashes()
    store = new_run(out, replace=replace, reuse=earlier, restart=restart, hashes=hashes)
    with dask_client(scheduler, workers, memory) as client:
        options = RunOptions(client, chunks, progress or silent, public, parcels)

        def first_half() -> Work:
            recall = Recall.around(out, earlier, restart=restart, hashes=hashes)
            with recall.ahead():
                return _first_half(case, options, recall, memory)

        if out.parent.is_dir():
            with claimed(out):
                mend(out)  # before anything of the run that was there is read
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
    fingerprints = Fingerprints(case)
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
        work.keep_in(store)
        work.go("digest")
        if options.public:
            work.forget()
        work.go()
        fingerprints, inputs, grid, tables, digests = (work.values[name] for name in WANTED)
        fingerprints.require_unchanged()
        content = manifest_of(inputs, grid, tables, digests, options.chunks)
        facts = {"public": options.public, "reused": store.reused, "left_out": left_out()}
        store.write_manifest({**content, **facts})
