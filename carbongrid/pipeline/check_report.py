"""``check``: what a run would do, what is odd and what is wrong, without a raster and without writing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from carbongrid.case import Case
from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import InputError, Problem
from carbongrid.method.evidence import EvidenceRow, evidence_lines
from carbongrid.method.weights import eligible
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.electricity_readings import tonnes_by_reading
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.memory import estimated_memory, most_memory
from carbongrid.pipeline.residents import residents_of_units
from carbongrid.pipeline.steps import STEPS
from carbongrid.pipeline.weighing import weight_rasters
from carbongrid.pipeline.work import Work
from carbongrid.pipeline.writing import problems_of_left_out
from carbongrid.raster.chunked import threads_at_once

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
        work = Work(STEPS, {"case": case})
        work.go("cross-check", refuse=False)
    except InputError as error:
        return CheckReport((), error.problems)
    inputs, land = work.values["read"], work.values["land"]
    problems = [*problems_of_left_out(), *work.problems]
    lines = list(_land_lines(inputs, land))
    try:
        work.go("allocate", refuse=False)
    except InputError as error:
        problems += error.problems
    allocation = work.values.get("allocate")
    if allocation is not None:
        problems += allocation.problems
    lines += _category_lines(inputs, allocation)
    lines += _electricity_lines(inputs)
    if weight_rasters(inputs):
        lines.append(
            "Weights by raster are known after the rasterization: those categories are placed by a run alone."
        )
    with suppress(InputError):  # of a grid that cannot be made, which is among the problems already
        lines += _cost_lines(inputs)
    return CheckReport(tuple(lines), tuple(problems), allocation.evidence if allocation else ())


def _land_lines(inputs: Inputs, land: Land) -> Iterator[str]:
    case, parcels = inputs.case, land.parcels
    area = parcels["area_m2"].to_numpy(np.float64)
    yield f"{case.title or case.path.stem}, {case.year}"
    yield f"{len(parcels):,} parcels, {area.sum() / 1e6:,.2f} km2, in {parcels.crs.name}"
    yield f"{len(land.units):,} units; {land.share_in_units:.2%} of the parcels' area in them"
    whole = float(land.units.geometry.area.sum()) / 1e6
    bare = max(whole - land.covered / 1e6, 0.0)
    yield f"{bare:,.2f} km2 of the units' {whole:,.2f} hold no parcel ({bare / whole:.2%})"
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


def _electricity_lines(inputs: Inputs) -> Iterator[str]:
    """Yield what each way of counting electricity would spread."""
    readings = tonnes_by_reading(inputs)
    if readings.rows:
        yield f"{'electricity':<28} {'emission spread, t':>18}"
    for row in readings.rows:
        mass = row.why if row.grams is None else f"{row.grams / 1e6:,.2f}"
        yield f"{row.name + (' *' if row.name == readings.chosen else ''):<28} {mass:>18}"
    if readings.rows:
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
