"""``run``: the method, step by step, into a run directory."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from carbongrid.case import Case
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.inputs import Inputs, read_inputs
from carbongrid.errors import InputError, Problem
from carbongrid.method.allocate import outside_problems
from carbongrid.method.sharing import (
    Reduced,
    Shares,
    load_shares,
    reduce_mass,
    save_shares,
    share_by_area,
    share_by_cells,
    with_water_rule,
)
from carbongrid.outputs.result import Result
from carbongrid.outputs.tables import published, read_result, table_digests
from carbongrid.pipeline import land as land_step
from carbongrid.pipeline.allocation import Allocation, allocate_totals, weight_rasters
from carbongrid.pipeline.check_report import cross_problems
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.memory import require_memory, require_memory_of_inputs
from carbongrid.pipeline.reading import Reading
from carbongrid.pipeline.tables import make_tables, manifest_of, method_notes, notes_of_sinks
from carbongrid.pipeline.weights_step import FILES, STEP, load_weights, save_weights, weights_key
from carbongrid.pipeline.workers import dask_client, require_shared
from carbongrid.pipeline.writing import left_out, problems_of_left_out, write_products
from carbongrid.raster.chunked import Counts, label_and_count, travels
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.software import versions
from carbongrid.run_store import (
    Recall,
    RunStore,
    check_target,
    claimed,
    hash_values,
    new_run,
    place_of,
)

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

LABELS, OVERLAP, JOURNAL = "labels.zarr", "overlap.npz", "tiles"
SHARING = "labels and overlaps"


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """How a run works; none of it changes a number."""

    out: Path
    replace: bool
    reuse: Path | None
    restart: bool
    scheduler: Any
    chunks: int
    report: Progress
    memory: str | None = None
    public: bool = False


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
    out = place_of(out)
    check_target(out, replace=replace)
    case = case if isinstance(case, Case) else Case.read(case)
    if memory is not None:
        require_memory(case, memory)
    report = progress or _silent
    for problem in problems_of_left_out():
        logger.warning("%s", problem)
    earlier = Path(reuse) if reuse else None
    with dask_client(scheduler, workers, memory) as client:
        means = RunOptions(out, replace, earlier, restart, client, chunks, report, memory, public)
        report("reading", 0, 4)
        if out.parent.is_dir():
            with claimed(out):
                require_shared(client, out)
                return _run_alone(case, means)
        # Nothing is made, not even the folder of the lock, before the input is known to be right.
        read = _read(case, means)
        out.parent.mkdir(parents=True, exist_ok=True)
        with claimed(out):
            require_shared(client, out)
            return _run_alone(case, means, read)


@dataclasses.dataclass(frozen=True)
class _Read:
    """The input, checked, and the mass on parcels where no weight raster has to be summed first."""

    inputs: Inputs
    land: Land
    grid: Grid
    reading: Reading
    rasters: list[str]
    allocation: Allocation | None


def _read(case: Case, means: RunOptions) -> _Read:
    fingerprints = Fingerprints(case)
    fingerprints.take_all()
    recall = Recall.around(means.out, means.reuse, restart=means.restart)
    reading = Reading(fingerprints, recall)
    inputs = _one_spelling(read_inputs(case, reading))
    if means.memory is not None:
        # Before borders are measured: of a million holes that takes more than all the rest.
        tiles = 0 if travels(means.scheduler) else None
        require_memory_of_inputs(
            inputs, means.memory, fine_grid(inputs), chunks=means.chunks, tiles=tiles
        )
    land = _land(inputs, reading, recall)
    odd = cross_problems(inputs, land)
    _refuse(odd, inputs)
    inputs = dataclasses.replace(inputs, notes=(*inputs.notes, *odd))
    rasters = weight_rasters(inputs)
    fingerprints.take(rasters)
    grid = fine_grid(inputs)
    read = _Read(inputs, land, grid, reading, rasters, None)
    if not rasters:
        read = dataclasses.replace(read, allocation=_allocated(read, means, recall))
    fingerprints.require_unchanged()
    means.report("reading", 4, 4)
    return read


def _run_alone(case: Case, means: RunOptions, read: _Read | None = None) -> Result:
    """Run with the lock held."""
    read = read or _read(case, means)
    inputs, land, grid = read.inputs, read.land, read.grid
    with new_run(
        means.out, replace=means.replace, reuse=means.reuse, restart=means.restart
    ) as store:
        read.reading.save(store)
        measured = store.folder / land_step.FILES[0]
        key = _land_key(read.reading)
        store.step(land_step.STEP, key, land_step.FILES, lambda: land.save(measured))
        shares = _shares(store, read, means)
        allocation = read.allocation or _allocated(read, means, store.recall, shares)
        inputs = dataclasses.replace(inputs, notes=(*inputs.notes, *allocation.problems))
        weights, claims = store.folder / FILES[0], allocation.claims
        store.step(STEP, _weights_key(read, means), FILES, lambda: save_weights(weights, claims))
        shares = with_water_rule(shares, land.parcels, land.units, _water(inputs))
        reduced = _reduced(inputs, allocation, shares, grid)
        _refuse(_outside(inputs, allocation, reduced), inputs)
        tables = make_tables(inputs, land, allocation, shares, reduced, grid)
        listed = tuple(sorted(read.reading.fingerprints.digests.items()))
        tables = dataclasses.replace(tables, inputs=listed)
        if means.public:
            of_sinks = notes_of_sinks(tables.units, tables.sink_floor)
            tables = published(tables, [*method_notes(inputs), *of_sinks])
            store.forget_all()
        digests = table_digests(tables, public=means.public)
        write_products(store, tables, digests, means.report)
        read.reading.fingerprints.require_unchanged()
        content = manifest_of(inputs, grid, tables, digests, means.chunks)
        facts = {"public": means.public, "reused": store.reused, "left_out": left_out()}
        store.write_manifest({**content, **facts})
    return read_result(means.out)


def _land_key(reading: Reading) -> str:
    return hash_values(versions(), reading.keys["parcels"], reading.keys["units"])


def _land(inputs: Inputs, reading: Reading, recall: Recall) -> Land:
    """Return where parcels stand, from an earlier run if it read the same polygons."""
    of = (inputs.parcels, inputs.units, inputs.case.units.parents)
    found = recall.find(land_step.STEP, _land_key(reading), land_step.FILES)
    return Land.of(*of) if found is None else Land.measured_before(found / land_step.FILES[0], *of)


def _one_spelling(inputs: Inputs) -> Inputs:
    """Write each weight raster in one way, relative to the case: two spellings of one file are one raster."""
    case, spelled = inputs.case, {}
    for name, category in inputs.categories.items():
        rule, _, path = category.weight.partition(":")
        if rule == "raster":
            plain = case.resolve(path).relative_to(case.folder.resolve(), walk_up=True).as_posix()
            category = dataclasses.replace(category, weight=f"raster:{plain}")
        spelled[name] = category
    return dataclasses.replace(inputs, categories=spelled)


def _sharing_key(read: _Read, means: RunOptions) -> str:
    """Return the hash of all that decides labels and overlaps."""
    case, grid = read.inputs.case, read.grid
    exact = case.reduce == "exact"
    return hash_values(
        versions(),
        *read.land.hashes,
        (grid.crs, grid.resolution, grid.bounds, case.grid.coarse),
        case.reduce,
        None if exact and not read.rasters else means.chunks,
        read.rasters,
        read.reading.fingerprints.take(read.rasters),
    )


def _shares(store: RunStore, read: _Read, means: RunOptions) -> Shares:
    """Make the labels and the overlaps, or take them over from the run before."""
    case, grid, land = read.inputs.case, read.grid, read.land
    paths = [case.resolve(raster) for raster in read.rasters]
    exact = case.reduce == "exact"
    coarse_grid = grid.coarsen(case.grid.coarse)

    def count() -> Counts:
        return label_and_count(
            Polygons.of(land.parcels),
            Polygons.of(land.units),
            grid,
            case.grid.coarse,
            store.folder / LABELS,
            chunks=means.chunks,
            scheduler=means.scheduler,
            rasters=paths,
            progress=lambda done, total: means.report("rasterizing", done, total),
            journal=store.folder / JOURNAL,
        )

    def make() -> None:
        if exact:
            shares = share_by_area(land.parcels, land.units, coarse_grid)
            if paths:
                shares = shares.with_rasters(count(), read.rasters)
        else:
            counts = count()
            shares = share_by_cells(land.parcels, land.units, counts, coarse_grid)
            shares = shares.with_rasters(counts, read.rasters)
        save_shares(store.folder / OVERLAP, shares)

    files = [OVERLAP] if exact and not paths else [LABELS, OVERLAP]
    store.step(SHARING, _sharing_key(read, means), files, make, [JOURNAL])
    return load_shares(store.folder / OVERLAP)


def _weights_key(read: _Read, means: RunOptions) -> str:
    sums = _sharing_key(read, means) if read.rasters else ""
    return weights_key(read.inputs, read.reading, sums)


def _allocated(
    read: _Read, means: RunOptions, recall: Recall, shares: Shares | None = None
) -> Allocation:
    """Spread the totals, by the claims of an earlier run if nothing that decides them changed."""
    found = recall.find(STEP, _weights_key(read, means), FILES)
    known = None if found is None else load_weights(found / FILES[0])
    allocation = allocate_totals(read.inputs, read.land, shares, known)
    _refuse(allocation.problems, read.inputs)
    return allocation


def _reduced(inputs: Inputs, allocation: Allocation, shares: Shares, grid: Grid) -> Reduced:
    categories = inputs.categories.values()
    rules = [category.weight.partition(":") for category in categories]
    return reduce_mass(
        allocation.mass,
        np.array([category.sink for category in categories], np.bool_),
        [path if rule == "raster" else "" for rule, _, path in rules],
        shares,
        grid.coarsen(inputs.case.grid.coarse).shape,
    )


def _outside(inputs: Inputs, allocation: Allocation, reduced: Reduced) -> list[Problem]:
    """Return an error for each category of which too much lies outside every unit."""
    found = zip(
        inputs.categories,
        allocation.mass.sum(axis=0).tolist(),
        reduced.outside.tolist(),
        strict=True,
    )
    return outside_problems(found, inputs.case.allow.outside)


def _water(inputs: Inputs) -> str | dict[str, int]:
    """Return the rule for water outside every unit, or the shares of a table by unit."""
    return inputs.case.units.water if inputs.water is None else inputs.water


def _refuse(problems: Iterable[Problem], inputs: Inputs) -> None:
    """Raise if there is an error; the readers' warnings often say where it comes from."""
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise InputError([*(note for note in inputs.notes if note.level == "warning"), *errors])


def _silent(step: str, done: int, total: int) -> None:
    logger.debug("%s: %d of %d", step, done, total)
