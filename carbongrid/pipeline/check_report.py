"""``check``: what a run would do, what is odd and what is wrong, without a raster and without writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case import Case
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import masses_here
from carbongrid.errors import InputError, Problem, merged, shown
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.method.evidence import EvidenceRow, evidence_lines, short
from carbongrid.method.tonnes import at_decimals, counted
from carbongrid.method.weights import eligible
from carbongrid.method.zoning import no_zone, units_in_regions
from carbongrid.outputs.without_zone import counted_reasons, lines_without_zone
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.electricity_readings import tonnes_by_reading
from carbongrid.pipeline.guesses import notes_of_guesses
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.memory import estimated_memory, most_memory
from carbongrid.pipeline.rasterizing import keeps_labels
from carbongrid.pipeline.step import Progress
from carbongrid.pipeline.steps import STEPS
from carbongrid.pipeline.weights_step import weight_rasters
from carbongrid.pipeline.work import Work
from carbongrid.pipeline.writing import problems_of_left_out
from carbongrid.raster.chunked import threads_at_once

CELLS_PER_SECOND = 1.5e7
"""Rasterizing, counting and compressing on two cores, measured on the full demo."""


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What a run of this case would do.

    Parameters
    ----------
    content
        The same as data, of plain numbers and texts: title, year, crs, parcels, units, types, categories, electricity, without_zone, cost; empty where nothing could be read.
    problems
        Errors, warnings and notes.
    evidence
        What was given, used and lost, by category; empty where a category cannot be placed.
    """

    content: Mapping[str, Any]
    problems: tuple[Problem, ...]
    evidence: tuple[EvidenceRow, ...] = ()

    def __repr__(self) -> str:
        """Return what the command prints."""
        said = (f"{each.level}: {each}" for each in merged(self.problems))
        return "\n".join(map(shown, [*self.lines, *said]))

    @property
    def wrong(self) -> bool:
        """Whether there is an error, so that a run would refuse."""
        return any(problem.level == "error" for problem in self.problems)

    @property
    def lines(self) -> tuple[str, ...]:
        """Plain sentences and small tables, in order."""
        return tuple(_lines(self.content, self.evidence)) if self.content else ()


@in_own_decimals
def check(case: Case | str | Path, *, progress: Progress | None = None) -> CheckReport:
    """Read tables and geometry of a case and say what would be done with them; nothing is written.

    Parameters
    ----------
    case
        A case, or the path of its file.
    progress
        Called with a phase, the number of its steps that are done, and their number.

    Returns
    -------
    CheckReport
        What a run would do, in :attr:`~CheckReport.lines` as the command prints it and in ``content`` as data; ``problems``, and whether one of them would stop a run, ``wrong``.

    Raises
    ------
    RunError
        If a file is changed or removed while it is read. What is wrong with a case is not raised, but told among the ``problems``.
    """
    try:
        case = case if isinstance(case, Case) else Case.read(case)
        work = Work(STEPS, {"case": case}, progress=progress)
        work.go("cross-check", refuse=False)
    except InputError as error:
        return CheckReport({}, error.problems)
    inputs, land = work.values["read"], work.values["land"]
    problems = [*problems_of_left_out(), *work.problems, *notes_of_guesses(inputs)]
    try:
        work.go("allocate", refuse=False)
    except InputError as error:
        problems += error.problems
    allocation = work.values.get("allocate")
    if allocation is not None:
        problems += allocation.problems
    content = {
        **_of_land(inputs, land, work.values.get("residents")),
        "categories": _of_categories(inputs, allocation),
        "electricity": _of_electricity(inputs),
        "without_zone": _without_zone(inputs, land),
        "by_raster": bool(weight_rasters(inputs)),
        "cost": _cost(inputs),
    }
    return CheckReport(content, tuple(problems), allocation.evidence if allocation else ())


def _of_land(
    inputs: Inputs, land: Land, residents: tuple[NDArray[np.float64], float] | None
) -> dict[str, Any]:
    case, parcels = inputs.case, land.parcels
    whole = float(land.units.geometry.area.sum()) / 1e6
    found: dict[str, Any] = {
        "title": case.title or case.path.stem,
        "year": case.year,
        "crs": parcels.crs.name,
        "parcels": {
            "count": len(parcels),
            "km2": float(parcels["area_m2"].sum()) / 1e6,
            "share_in_units": float(land.share_in_units),
        },
        "units": {
            "count": len(land.units),
            "km2": whole,
            "bare_km2": max(whole - float(land.covered) / 1e6, 0.0),
        },
        "types": [
            {"type": name, "parcels": len(own), "km2": float(own["area_m2"].sum()) / 1e6}
            for name, own in parcels[["type", "area_m2"]].groupby("type")
        ],
    }
    for key, table in (("pois", inputs.pois), ("lines", inputs.lines)):
        if table is not None:
            found[key] = int((~table["again"]).sum()) if "again" in table else len(table)
    if inputs.people is not None and residents is not None:
        inside, outside = residents
        found["residents"] = {"in_units": float(np.nansum(inside)), "in_none": float(outside)}
    return found


def _of_categories(inputs: Inputs, allocation: Allocation | None) -> list[dict[str, Any]]:
    rates = {} if allocation is None else _rates(allocation)
    here = inputs.totals[inputs.totals["place"] == "here"]
    found = []
    for name, category in inputs.categories.items():
        rows = here[here["category"] == name]
        whole = rows[rows["region"] == ""]
        grams = sum((rows if whole.empty else whole)["grams"].tolist())
        carriers = int(eligible(category, inputs.parcels).sum())
        tonnes, unit = rates.get(name) or (None, None)
        found.append({"category": name, "grams": grams, "carriers": carriers, "weight": category.weight, "rate_t": tonnes, "rate_per": unit})  # fmt: skip
    return found


def _rates(allocation: Allocation) -> dict[str, tuple[float, str]]:
    """Return t for each unit of evidence by category: of those that went by it alone, and of people where one category has them all."""
    fallen = {row.category for row in allocation.ledger if row.total > row.by_rule + row.facilities}
    people = [row.category for row in allocation.evidence if row.evidence == "people"]
    shared = set(people) if len(people) > 1 else set()
    return {row.category: row.rate for row in allocation.evidence if row.rate and row.category not in fallen | shared}  # fmt: skip


def _of_electricity(inputs: Inputs) -> list[dict[str, Any]]:
    """Return what each way of counting electricity would spread."""
    readings = tonnes_by_reading(inputs)
    return [
        {"way": row.name, "chosen": row.name == readings.chosen, "grams": row.grams, "why": row.why}
        for row in readings.rows
    ]


def _without_zone(inputs: Inputs, land: Land) -> dict[str, int]:
    """Return how many units a run gives no zone, by reason, as far as GDP, sinks and the units themselves tell; which have neither emission nor sink only a run knows."""
    case, table = inputs.case, inputs.gdp
    units = pd.DataFrame(land.units.drop(columns="geometry"))
    gdp = pd.Series(pd.NA, index=units.index, dtype="Int64")
    if case.gdp is not None and table is not None and len(table):
        # Of a parent's GDP each of its units gets something.
        of_region = (
            table.drop_duplicates("region")
            .set_index("region")
            .astype("Float64")
            .sum(axis=1, skipna=False)
        )
        region = units["id" if case.gdp.by == "unit" else case.gdp.by]
        gdp = of_region.reindex(region).set_axis(units.index).round().astype("Int64")
    here = masses_here(inputs.totals)
    sinks = any(mass for name, mass in here.items() if inputs.categories[name].sink)
    units = units.assign(emission_g=1, sink_g=int(sinks), gdp=gdp)
    rows = units_in_regions(units, case.reference, case.ties)
    return counted_reasons(no_zone(unit, region) for unit, region in rows)


def _cost(inputs: Inputs) -> dict[str, Any]:
    """Return memory and time; without the most, and the grid, where that cannot be made, which is among the problems already."""
    found: dict[str, Any] = {"least_memory_gb": None, "why": ""}
    try:
        found["least_memory_gb"] = estimated_memory(inputs.case) / 1e9
    except InputError as error:
        found["why"] = str(error)
    with suppress(InputError):
        grid = fine_grid(inputs)
        most = most_memory(inputs, grid) / 1e9
        found |= {"most_memory_gb": most, "threads": threads_at_once(), "fine_grid": None}
        kept = keeps_labels(inputs)
        if inputs.case.reduce != "exact" or kept:
            height, width = grid.shape
            # What is counted alone takes as long as outlines are, not as there are cells.
            seconds = max(1, round(height * width / CELLS_PER_SECOND)) if kept else None
            found["fine_grid"] = {"rows": height, "columns": width, "resolution_m": inputs.case.grid.resolution, "seconds": seconds}  # fmt: skip
    return found


def _lines(content: Mapping[str, Any], evidence: tuple[EvidenceRow, ...]) -> Iterator[str]:
    yield from _land_lines(content)
    yield f"{'category':<25} {'total t':>16} {'carriers':>9} {'weight':<12} {'each':>14}"
    for row in content["categories"]:
        rate = "" if row["rate_per"] is None else f"{short(row['rate_t'])} t/{row['rate_per']}"
        yield f"{row['category']:<25} {at_decimals(row['grams'] / 1e6, 2):>16} {row['carriers']:>9,} {row['weight']:<12} {rate:>14}".rstrip()
    yield ""
    if evidence:
        yield from evidence_lines(evidence)
        yield ""
    if content["electricity"]:
        yield f"{'electricity':<28} {'emission spread, t':>18}"
        for row in content["electricity"]:
            mass = row["why"] if row["grams"] is None else at_decimals(row["grams"] / 1e6, 2)
            yield f"{row['way'] + (' *' if row['chosen'] else ''):<28} {mass:>18}"
        yield ""
    if content["without_zone"]:
        yield from lines_without_zone(content["without_zone"], content["units"]["count"])
        yield ""
    if content["by_raster"]:
        yield "Weights by raster are known after the rasterization: those categories are placed by a run alone."
    yield from _cost_lines(content["cost"])


def _land_lines(content: Mapping[str, Any]) -> Iterator[str]:
    parcels, units = content["parcels"], content["units"]
    yield f"{content['title']}, {content['year']}"
    yield f"{counted(parcels['count'], 'parcel')}, {parcels['km2']:,.2f} km2, in {content['crs']}"
    yield f"{counted(units['count'], 'unit')}; {parcels['share_in_units']:.2%} of the parcels' area in them"
    bare, whole = units["bare_km2"], units["km2"]
    yield f"{bare:,.2f} km2 of the units' {whole:,.2f} hold no parcel ({bare / whole:.2%})"
    for key, label in (("pois", "POI"), ("lines", "line")):
        if key in content:
            yield counted(content[key], label)
    if "residents" in content:
        inside, outside = content["residents"].values()
        told = counted(round(inside), "resident")
        yield f"{told} in units, {outside:,.0f} in none" if outside >= 0.5 else told
    yield ""
    yield f"{'territorial type':<22} {'parcels':>9} {'km2':>12}"
    for row in content["types"]:
        yield f"{row['type']:<22} {row['parcels']:>9,} {row['km2']:>12,.2f}"
    yield ""


def _cost_lines(cost: Mapping[str, Any]) -> Iterator[str]:
    if cost["least_memory_gb"] is None:
        yield f"How much memory it takes is not known: {cost['why']}"
    else:
        yield f"At least about {cost['least_memory_gb']:,.1f} GB of memory."
    if "fine_grid" not in cost:
        return
    yield f"At most about {cost['most_memory_gb']:,.1f} GB, with as many threads as here ({cost['threads']})."
    grid = cost["fine_grid"]
    if grid is None:
        yield "Parcels are shared by exact area: no fine raster is made."
        return
    seconds = grid["seconds"]
    told = "" if seconds is None else f"; about {seconds} s on two cores for its labels"
    yield (
        f"A fine grid of {grid['rows']:,} x {grid['columns']:,} cells at {grid['resolution_m']:g} m, {grid['rows'] * grid['columns'] / 1e6:,.1f} million "
        f"cells and never whole in memory{told}."
    )
