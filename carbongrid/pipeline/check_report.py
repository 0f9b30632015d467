"""``check``: what a run would do, what is odd and what is wrong, without a raster and without writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from carbongrid.case import Case
from carbongrid.case.readers.inputs import Inputs, read_inputs
from carbongrid.errors import InputError, Problem
from carbongrid.method.categories import Category
from carbongrid.method.evidence import EvidenceRow, evidence_lines
from carbongrid.method.weights import eligible, people_points
from carbongrid.pipeline.allocation import Allocation, allocate_totals, weight_rasters
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.memory import estimated_memory, most_memory
from carbongrid.pipeline.residents import census_of, residents_of_units
from carbongrid.pipeline.writing import problems_of_left_out
from carbongrid.raster.chunked import threads_at_once
from carbongrid.raster.chunked.rasters import WeightRaster
from carbongrid.raster.opening.formats import sniff_raster

MAX_MISSING = 100
"""Of the people of a census one in this many may live where no point or cell has people."""

MIN_IN_UNITS = 0.5
"""A unit layer that covers less of the parcels' area than this is another place's."""

CELLS_PER_SECOND = 1.5e7
"""Rasterizing, counting and compressing on two cores, measured on the full demo."""


@dataclass(frozen=True)
class CheckReport:
    """What a run of this case would do.

    Parameters
    ----------
    lines
        Plain sentences and small tables, in order.
    problems
        Errors, warnings and notes.
    evidence
        What was given, used and lost, by category; empty where a category cannot be placed.
    """

    lines: tuple[str, ...]
    problems: tuple[Problem, ...]
    evidence: tuple[EvidenceRow, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether there is an error, so that a run would refuse."""
        return any(problem.level == "error" for problem in self.problems)


def check(case: Case | str | Path) -> CheckReport:
    """Read tables and geometry of a case and say what would be done with them; nothing is written.

    Parameters
    ----------
    case
        A case, or the path of its file.
    """
    try:
        case = case if isinstance(case, Case) else Case.read(case)
        inputs = read_inputs(case)
    except InputError as error:
        return CheckReport((), error.problems)
    land = Land.of(inputs.parcels, inputs.units, inputs.case.units.parents)
    problems = [*problems_of_left_out(), *inputs.notes, *cross_problems(inputs, land)]
    lines = list(_land_lines(inputs, land))
    allocation = None
    try:
        allocation = allocate_totals(_without_rasters(inputs), land)
        problems += allocation.problems
    except InputError as error:
        problems += error.problems
    lines += _category_lines(inputs, allocation)
    if weight_rasters(inputs):
        lines.append(
            "Weights by raster are known after the rasterization: those categories are placed by a run alone."
        )
    with suppress(InputError):  # of a grid that cannot be made, which is among the problems already
        lines += _cost_lines(inputs)
    return CheckReport(tuple(lines), tuple(problems), allocation.evidence if allocation else ())


def cross_problems(inputs: Inputs, land: Land) -> list[Problem]:
    """Return what only shows when the tables are held side by side."""
    return [
        *_problems_of_place(inputs, land),
        *_problems_of_codes(inputs, land),
        *_problems_of_grid(inputs),
        *_problems_of_reference(inputs),
        *_problems_of_supply(inputs),
        *_problems_of_people(inputs),
        *_problems_of_census(inputs, land),
    ]


def _problems_of_place(inputs: Inputs, land: Land) -> Iterator[Problem]:
    if land.share_in_units < MIN_IN_UNITS:
        yield Problem(
            f"the units cover {land.share_in_units:.1%} of the parcels' area, less than {MIN_IN_UNITS:.0%}",
            inputs.case.units.path,
            "Check that both layers are of the same place and that their CRS are right.",
        )


def _problems_of_codes(inputs: Inputs, land: Land) -> Iterator[Problem]:
    """Yield an error for each code that a table names and that means different land in different columns."""
    case = inputs.case
    tables = [(case.totals.path if case.totals else "the totals", inputs.totals)]
    if inputs.census is not None and case.people is not None:
        tables.append((str(case.people.census), inputs.census))
    for path, table in tables:
        for code, columns in land.ambiguous(sorted(set(table["region"]) - {""})):
            yield Problem(
                f"the region {code!r} means different land as {' and as '.join(columns)} of the units",
                path,
                "Give units and their parents codes that differ, as 01 and 0101 do.",
            )


def _problems_of_grid(inputs: Inputs) -> Iterator[Problem]:
    """Yield an error for a grid that nobody can hold, and for each weight raster that is unfit on it."""
    try:
        grid = fine_grid(inputs)
    except InputError as error:
        yield from error.problems
        return
    for raster in weight_rasters(inputs):
        try:
            path = inputs.case.resolve(raster)
            sniff_raster(path)
            WeightRaster.around(path, grid)
        except InputError as error:
            yield from error.problems
        except OSError as error:
            where = f"categories: raster:{raster}"
            yield Problem(f"the raster cannot be read: {error}", where, "Check its path.")


def _problems_of_reference(inputs: Inputs) -> Iterator[Problem]:
    reference = inputs.case.reference
    if reference != "all" and reference not in inputs.case.units.parents:
        known = ", ".join(("all", *inputs.case.units.parents))
        yield Problem(
            f"reference = {reference!r} is no parent column of the units",
            f"{inputs.case.path.name}: reference",
            f"Known: {known}; another column of the units must stand in [units] parents.",
        )


def _problems_of_supply(inputs: Inputs) -> Iterator[Problem]:
    supply = inputs.categories.get("industry/supply")
    if supply is not None and (inputs.facilities is None or inputs.facilities.empty):
        yield Problem(
            _way_of_supply(inputs, supply),
            f"{inputs.case.path.name}: [facilities]",
            "Name the power plants with their mass and coordinates, if they are known (D9).",
            "warning",
        )


def _way_of_supply(inputs: Inputs, supply: Category) -> str:
    """Return in words which land carries power and heat, and by what."""
    types, name = " or ".join(supply.types), supply.name
    if supply.weight == "area":
        return f"no facilities are named: power and heat go by area to all land of type {types}"
    if supply.weight != "pois":
        return (
            f"no facilities are named: power and heat go by {supply.weight} to land of type {types}"
        )
    count = 0 if inputs.pois is None else int((inputs.pois["category"] == name).sum())
    if not count:
        return f"no facilities are named: power and heat go by area to all land of type {types}, since no point of interest is of {name}"
    return f"no facilities are named: power and heat go to the land of type {types} at {count} points of interest of {name}"


def _problems_of_people(inputs: Inputs) -> Iterator[Problem]:
    spread = set(inputs.totals["category"])
    weights = {category.weight for name, category in inputs.categories.items() if name in spread}
    if inputs.people is not None and "people" not in weights:
        yield Problem(
            "people are given and no category is spread by them: they change no emission",
            f"{inputs.case.path.name}: [people]",
            "Give homes the weight people: take the row that sets another from the case's categories.csv.",
            "warning",
        )


def _problems_of_census(inputs: Inputs, land: Land) -> Iterator[Problem]:
    """Yield what the census counts where no point or cell has people: an error above 1 %, unless all homes may lose evidence."""
    census = census_of(inputs, land)
    if inputs.people is None or census is None or inputs.case.people is None:
        return
    told = people_points(inputs.people, land.units.crs, census)
    whole = int(census.thousandths.sum())
    homes = [name for name, category in inputs.categories.items() if category.weight == "people"]
    if not told.note and told.missing * MAX_MISSING <= whole:
        return
    much = told.missing * MAX_MISSING > whole and not (
        homes and set(homes) <= set(inputs.case.allow.lost)
    )
    why = told.note or "what their points hold is rounded away"
    yield Problem(
        f"{told.missing / 1000:,.0f} of the {whole / 1000:,.0f} people of the census live where no point or cell has people: {why}",
        str(inputs.case.people.census),
        "Give points or cells there, or take these regions out of the census."
        + (f" Or allow it: [allow] lost = {homes}." if much and homes else ""),
        "error" if much else "warning",
    )


def _without_rasters(inputs: Inputs) -> Inputs:
    """Return the inputs less the categories whose weight only a rasterization tells."""
    kept = {
        name: category
        for name, category in inputs.categories.items()
        if not category.weight.startswith("raster:")
    }
    return replace(inputs, categories=kept)


def _land_lines(inputs: Inputs, land: Land) -> Iterator[str]:
    case, parcels = inputs.case, land.parcels
    area = parcels["area_m2"].to_numpy(np.float64)
    yield f"{case.title or case.path.stem}, {case.year}"
    yield f"{len(parcels):,} parcels, {area.sum() / 1e6:,.2f} km2, in {parcels.crs.name}"
    yield f"{len(land.units):,} units; {land.share_in_units:.2%} of the parcels' area in them"
    whole = float(land.units.geometry.area.sum()) / 1e6
    bare = max(whole - land.covered / 1e6, 0.0)
    yield f"{bare:,.2f} km2 of the units' {whole:,.2f} bear no parcel ({bare / whole:.2%})"
    for label, table in (("POIs", inputs.pois), ("lines", inputs.lines)):
        if table is not None:
            yield f"{len(table):,} {label}"
    if inputs.people is not None:
        inside, outside = residents_of_units(inputs, land)
        told = f"{inside.sum():,.0f} residents"
        yield f"{told} in units, {outside:,.0f} in none" if outside >= 0.5 else told
    yield ""
    yield f"{'territorial type':<22} {'parcels':>9} {'km2':>12}"
    for name, members in parcels.groupby("type"):
        yield f"{name:<22} {len(members):>9,} {members['area_m2'].sum() / 1e6:>12,.2f}"
    yield ""


def _category_lines(inputs: Inputs, allocation: Allocation | None) -> Iterator[str]:
    yield f"{'category':<28} {'total t':>18} {'carriers':>9} weight"
    here = inputs.totals[inputs.totals["place"] == "here"]
    for name, category in inputs.categories.items():
        rows = here[here["category"] == name]
        whole = rows[rows["region"] == ""]
        grams = sum((rows if whole.empty else whole)["grams"].tolist())
        carriers = int(eligible(category, inputs.parcels).sum())
        yield f"{name:<28} {grams / 1e6:>18,.2f} {carriers:>9,} {category.weight}"
    yield ""
    if allocation and allocation.evidence:
        yield from evidence_lines(allocation.evidence)
        yield ""


def _memory_line(case: Case) -> str:
    try:
        return f"At least about {estimated_memory(case) / 1e9:,.1f} GB of memory."
    except InputError as error:
        return f"How much memory it takes is not known: {error}"


def _cost_lines(inputs: Inputs) -> Iterator[str]:
    yield _memory_line(inputs.case)
    yield f"At most about {most_memory(inputs, fine_grid(inputs)) / 1e9:,.1f} GB, with as many threads as here ({threads_at_once()})."
    if inputs.case.reduce == "exact" and not weight_rasters(inputs):
        yield "Parcels are shared by exact area: no fine raster is made."
        return
    height, width = fine_grid(inputs).shape
    cells = height * width
    yield (
        f"A fine grid of {height:,} x {width:,} cells at {inputs.case.grid.resolution:g} m, {cells / 1e6:,.1f} million "
        f"cells and never whole in memory; about {max(1, round(cells / CELLS_PER_SECOND))} s on two cores to rasterize."
    )
