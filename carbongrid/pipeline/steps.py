"""``run``: the method, step by step, into a run directory."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid import __version__
from carbongrid.case import Case
from carbongrid.chunked import Counts, label_and_count
from carbongrid.errors import InputError, Problem
from carbongrid.export import read_result, table_digests, write_tables
from carbongrid.grid import Grid
from carbongrid.io.inputs import Inputs, read_inputs
from carbongrid.maps import write_figures
from carbongrid.pipeline.assembly import make_tables, manifest_of
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.outlook import cross_problems
from carbongrid.pipeline.placing import Placed, place, weight_rasters
from carbongrid.polygons import Polygons
from carbongrid.report import write_report
from carbongrid.result import Result
from carbongrid.run_store import RunStore, check_target, hash_path, hash_values, new_run
from carbongrid.sharing import (
    Reduced,
    Shares,
    load_shares,
    reduce_mass,
    save_shares,
    share_by_area,
    share_by_cells,
    with_water_rule,
)

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

LABELS, OVERLAP = "labels.zarr", "overlap.npz"
FORMAT = 1
"""Version of what the sharing step writes; a change makes old ones be made again."""


def run(
    case: Case | str | Path,
    out: str | Path,
    *,
    replace: bool = False,
    reuse: str | Path | None = None,
    scheduler: Any = None,
    chunks: int = 2048,
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
    scheduler
        ``threads``, ``processes``, ``synchronous`` or the address of a Dask scheduler; default the active Dask
        client, else threads. Results are the same bits.
    chunks
        Side of a label tile in cells; results are the same bits.
    progress
        Called with the name of a long step, what is done and what there is to do.

    Returns
    -------
    Result
        The finished run, opened.

    Raises
    ------
    InputError
        With every problem of the input; nothing is written then.
    RunError
        If another process writes the same directory.
    """
    out = Path(out)
    check_target(out, replace=replace)
    tell = progress or _silent
    tell("reading", 0, 4)
    inputs = read_inputs(case if isinstance(case, Case) else Case.read(case))
    land = Land.of(inputs.parcels, inputs.units, inputs.case.units.parents)
    odd = cross_problems(inputs, land)
    _refuse(odd, inputs)
    inputs = _with_notes(inputs, odd)
    rasters = weight_rasters(inputs)
    placed = None if rasters else _placed(inputs, land, {})
    tell("reading", 4, 4)
    grid = fine_grid(inputs)
    with new_run(out, replace=replace, reuse=Path(reuse) if reuse else None) as store:
        shares = _shares(store, inputs, land, grid, rasters, (scheduler, chunks, tell))
        if placed is None:
            placed = _placed(inputs, land, shares.raster_sums)
        shares = with_water_rule(shares, land.parcels, land.units, _water(inputs))
        reduced = _reduced(inputs, placed, shares, grid)
        tables = make_tables(inputs, land, placed, shares, reduced, grid)
        tell("writing", 0, 3)
        write_tables(tables, store.folder)
        tell("writing", 1, 3)
        write_report(tables, store.folder)
        tell("writing", 2, 3)
        write_figures(tables, store.folder / "figures")
        tell("writing", 3, 3)
        content = manifest_of(inputs, grid, tables, table_digests(tables), chunks)
        store.write_manifest({**content, "reused": store.reused})
    return read_result(out)


def _shares(
    store: RunStore,
    inputs: Inputs,
    land: Land,
    grid: Grid,
    rasters: list[str],
    means: tuple[Any, int, Progress],
) -> Shares:
    """Make the labels and the overlaps, or take them over from the run before."""
    scheduler, chunks, tell = means
    case = inputs.case
    paths = [case.resolve(raster) for raster in rasters]
    exact = case.reduce == "exact"
    key = hash_values(
        __version__,
        FORMAT,
        Polygons.of(land.parcels).content_hash,
        Polygons.of(land.units).content_hash,
        (grid.crs, grid.resolution, grid.bounds, case.grid.coarse),
        case.reduce,
        None if exact and not paths else chunks,
        [(name, hash_path(path)) for name, path in zip(rasters, paths, strict=True)],
    )
    coarse_grid = grid.coarsen(case.grid.coarse)

    def count() -> Counts:
        return label_and_count(
            Polygons.of(land.parcels),
            Polygons.of(land.units),
            grid,
            case.grid.coarse,
            store.folder / LABELS,
            chunks=chunks,
            scheduler=scheduler,
            rasters=paths,
            progress=lambda done, total: tell("rasterizing", done, total),
        )

    def make() -> None:
        if exact:
            shares = share_by_area(land.parcels, land.units, coarse_grid)
            if paths:
                shares = shares.with_rasters(count(), rasters)
        else:
            counts = count()
            shares = share_by_cells(land.parcels, counts, store.folder / LABELS, coarse_grid)
            shares = shares.with_rasters(counts, rasters)
        save_shares(store.folder / OVERLAP, shares)

    files = [OVERLAP] if exact and not paths else [LABELS, OVERLAP]
    store.drop_leftovers(files)
    store.step("labels and overlaps", key, files, make)
    return load_shares(store.folder / OVERLAP)


def _placed(inputs: Inputs, land: Land, rasters: Mapping[str, NDArray[np.int64]]) -> Placed:
    placed = place(inputs, land, rasters)
    _refuse(placed.problems, inputs)
    return placed


def _reduced(inputs: Inputs, placed: Placed, shares: Shares, grid: Grid) -> Reduced:
    categories = inputs.categories.values()
    rules = [category.weight.partition(":") for category in categories]
    return reduce_mass(
        placed.mass,
        np.array([category.sink for category in categories], np.bool_),
        [path if rule == "raster" else "" for rule, _, path in rules],
        shares,
        grid.coarsen(inputs.case.grid.coarse).shape,
    )


def _water(inputs: Inputs) -> str | dict[str, int]:
    """Return the rule for water outside every unit, or the shares of a table by unit."""
    return inputs.case.units.water if inputs.water is None else inputs.water


def _with_notes(inputs: Inputs, odd: list[Problem]) -> Inputs:
    """Return the inputs with what only showed when the tables were held side by side."""
    return dataclasses.replace(inputs, notes=(*inputs.notes, *odd))


def _refuse(problems: Iterable[Problem], inputs: Inputs) -> None:
    """Raise if there is an error; the readers' warnings often say where it comes from."""
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise InputError([*(note for note in inputs.notes if note.level == "warning"), *errors])


def _silent(step: str, done: int, total: int) -> None:
    logger.debug("%s: %d of %d", step, done, total)
