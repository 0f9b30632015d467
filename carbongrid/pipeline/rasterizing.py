"""From polygons to labels and shares, and from mass on parcels to mass of units and coarse cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem
from carbongrid.method.allocate import outside_problems
from carbongrid.method.categories import Category
from carbongrid.method.sharing import (
    Reduced,
    Shares,
    UnitMass,
    load_shares,
    reduce_mass,
    save_shares,
    share_by_cells,
    shares_of_areas,
    with_water_rule,
)
from carbongrid.method.tonnes import counted, readable_tonnes
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.step import RunOptions
from carbongrid.pipeline.weights_step import weight_rasters
from carbongrid.raster.chunked import Counts, label_and_count
from carbongrid.raster.grid import Grid
from carbongrid.raster.overlaps import areas_in_plane

LABELS, OVERLAP, JOURNAL = "labels.zarr", "overlap.npz", "tiles"

_MAX_BARE = 20
"""One part in so many of a category may lie by area inside its parcels, before that is a warning."""


@dataclass(frozen=True)
class Reduction:
    """Mass of units and coarse cells, and what led there.

    Parameters
    ----------
    shares
        What parcels have in common with units and cells, after the rule for water outside every unit.
    mass
        Grams.
    problems
        An error for each category of which too much lies outside every unit, and what lies by area where its raster has nothing.
    """

    shares: Shares
    mass: Reduced
    problems: tuple[Problem, ...]


def files_of_shares(inputs: Inputs, *_: Any) -> list[str]:
    """Return what a rasterization writes: labels where they are asked for, or a raster is sampled by them."""
    return [LABELS, OVERLAP] if keeps_labels(inputs) else [OVERLAP]


def what_shares(inputs: Inputs, land: Land, grid: Grid, options: RunOptions) -> list[Any]:
    """Return what decides labels and overlaps: of the land its polygons alone."""
    case = inputs.case
    return [
        land.hashes,
        (grid.crs, grid.resolution, grid.bounds, case.grid.coarse),
        case.reduce,
        options.chunks if keeps_labels(inputs) else None,
        weight_rasters(inputs),
    ]


def rasterize_land(
    folder: Path, inputs: Inputs, land: Land, grid: Grid, options: RunOptions
) -> None:
    """Write what parcels have in common with units and coarse cells, and the labels that are kept."""
    case, rasters, kept = inputs.case, weight_rasters(inputs), keeps_labels(inputs)
    coarse_grid = grid.coarsen(case.grid.coarse)

    def count() -> Counts:
        return label_and_count(
            *land.polygons,
            grid,
            case.grid.coarse,
            folder / LABELS if kept else None,
            chunks=options.chunks,
            scheduler=options.scheduler,
            rasters=[case.resolve(raster) for raster in rasters],
            progress=lambda done, total: options.progress("rasterizing", done, total),
            journal=folder / JOURNAL if kept else None,
        )

    if case.reduce == "exact":
        options.progress("measuring areas", 0, 1)
        in_cells = areas_in_plane(land.polygons[0], coarse_grid)
        options.progress("measuring areas", 1, 1)
        shares = shares_of_areas(land.area, land.shared_area, in_cells)
        if kept:
            shares = shares.with_rasters(count(), rasters)
    else:
        counts = count()
        shares = share_by_cells(land.parcels, land.units, counts, coarse_grid)
        shares = shares.with_rasters(counts, rasters)
    save_shares(folder / OVERLAP, shares, land.hashes)


def shares_in(folder: Path, *_: Any) -> Shares:
    """Read the shares of a run."""
    return load_shares(folder / OVERLAP)


def share_water(inputs: Inputs, land: Land, shares: Shares) -> Shares:
    """Return the shares after the rule for water outside every unit, or by a table's shares of it by unit."""
    water = inputs.case.units.water if inputs.water is None else inputs.water
    return with_water_rule(shares, land.parcels, land.units, water)


def reduce_allocation(
    inputs: Inputs, allocation: Allocation, shares: Shares, grid: Grid
) -> Reduction:
    """Split every parcel's mass to units and to coarse cells."""
    categories = [inputs.categories[name] for name in allocation.names]
    structures = [category.structure for category in categories]
    shape = grid.coarsen(inputs.case.grid.coarse).shape
    mass = reduce_mass(allocation.masses, sectors_of(categories), structures, shares, shape)
    bare = problems_of_bare_parcels(inputs, allocation, shares)
    return Reduction(shares, mass, (*problems_outside(inputs, allocation, mass), *bare))


def problems_of_bare_parcels(inputs: Inputs, allocation: Allocation, shares: Shares) -> Iterator[Problem]:  # fmt: skip
    """Yield what lies by area inside its parcels since the raster that a category names for that has nothing there: a note, a warning above 5 %."""
    for name, mass in zip(allocation.names, allocation.masses, strict=True):
        category = inputs.categories[name]
        if not category.inside:
            continue
        bare = shares.raster_sums[category.structure][mass.rows] == 0
        grams, parcels = int(mass.grams[bare].sum()), int(np.count_nonzero(mass.grams[bare]))
        if grams:
            what = f"{readable_tonnes(grams)} t of it ({grams / mass.total:.1%}) lie by area inside {counted(parcels, 'parcel')}, of which {category.structure} knows nothing"
            hint = "Take a raster that covers the land of the category, or leave inside blank."
            yield Problem(what, f"categories: {name}", hint, "warning" if grams * _MAX_BARE > mass.total else "note")  # fmt: skip


def sectors_of(categories: Iterable[Category]) -> list[str]:
    """Return the sector of each category that emits, empty for a sink."""
    return ["" if category.sink else category.sector for category in categories]


def problems_outside(inputs: Inputs, allocation: Allocation, mass: UnitMass) -> tuple[Problem, ...]:
    """Return an error for each category of which too much lies outside every unit; what the case allows is told."""
    placed = [each.total for each in allocation.masses]
    fates = zip(allocation.names, placed, mass.outside.tolist(), strict=True)
    sinks = [name for name, each in inputs.categories.items() if each.sink]
    return tuple(outside_problems(fates, inputs.case.allow.outside, sinks))


def keeps_labels(inputs: Inputs) -> bool:
    """Tell whether a run writes labels: they are asked for, or a raster is sampled by them."""
    return inputs.case.grid.labels or bool(weight_rasters(inputs))
