"""A scenario as a run like any other: what it leaves as it is comes from the run that it was asked of, the rest is written by a run's own steps."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from carbongrid.case.readers.inputs import Inputs, Section
from carbongrid.errors import InputError, Problem
from carbongrid.outputs.reading import require_as_written
from carbongrid.outputs.report import shown_land
from carbongrid.outputs.result import Result
from carbongrid.outputs.tables.layers import read_surroundings_gpkg
from carbongrid.outputs.tables.parcel_layer import ParcelFormat
from carbongrid.pipeline import base_maps, facilities, sections, small_tables, weights_step
from carbongrid.pipeline.activity_evidence import evidence_after, uncertainty_after
from carbongrid.pipeline.allocation import Allocation
from carbongrid.pipeline.base_maps import BaseMapLater
from carbongrid.pipeline.cross_checks import CrossChecked
from carbongrid.pipeline.electricity_readings import Readings
from carbongrid.pipeline.facilities import problems_of_borders, problems_of_place
from carbongrid.pipeline.facility_land import problems_of_land
from carbongrid.pipeline.guesses import notes_of_guesses
from carbongrid.pipeline.land import FILES as LAND_FILES
from carbongrid.pipeline.land import Land, fine_grid
from carbongrid.pipeline.live import LiveResult
from carbongrid.pipeline.plans import Plan
from carbongrid.pipeline.scenario import apply_plan, facility_rows, notes_of_plan
from carbongrid.pipeline.step import SAVES, Progress, RunOptions
from carbongrid.pipeline.steps import STEPS
from carbongrid.pipeline.tables import Indexed, manifest_of
from carbongrid.pipeline.weights_step import Weighed
from carbongrid.pipeline.work import Work, silent
from carbongrid.pipeline.writing import PARCELS_STEP, left_out
from carbongrid.raster.opening.files import read_text
from carbongrid.run_store import (
    SEAL,
    Hashes,
    Making,
    Recall,
    RunStore,
    check_target,
    claimed,
    hash_values,
    new_run,
    place_of,
)

_FIRST, _BY_ITSELF = "reduce", "keep tables"
"""From this step on a scenario is made by the list of a run's steps, but for one: of its tables the plan has a say."""


_OUTLINES = "read parcels"
"""The step that keeps outlines, from which parcels are written."""
_MADE_ANEW = (PARCELS_STEP, "tables", "report", "figures")
"""Steps of the base run whose files are the scenario's own."""


@dataclasses.dataclass
class _Told:
    """Stands for the digests of the case's files: those of the run, and that of the plan."""

    digests: dict[str, str]

    def take(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of some files."""
        return {name: self.digests[name] for name in names if name in self.digests}


def run_plan(
    base: Result,
    plan: Plan,
    out: str | Path,
    *,
    path: Path | None = None,
    replace: bool = False,
    parcels: ParcelFormat = "parquet",
    progress: Progress | None = None,
) -> tuple[LiveResult, Path]:
    """Do a plan on a finished run and write what comes of it as a run of its own.

    Parameters
    ----------
    base
        The run, opened.
    plan
        Its actions.
    out
        The run directory to make; it is absent or complete at any moment.
    path
        The plan's file, whose name the manifest gets beside the digest of what was read.
    replace
        Whether an existing run may be replaced.
    parcels
        As of :func:`carbongrid.run`.
    progress
        Called with a phase, the number of its steps that are done, and their number.

    Returns
    -------
    answer, directory
        What the plan makes of the run, and where it is written.

    Raises
    ------
    InputError
        For the first action that cannot be done, by its number; then nothing is written.
    """
    out = place_of(Path(out))
    if out == place_of(base.directory):
        raise InputError("a scenario may not replace the run that it is asked of", str(out), "Give another --out.")  # fmt: skip
    check_target(out, replace=replace)
    polygons = plan.polygons()
    # No Recall of the run to be replaced: each step comes from the base run, or is made.
    recall = Recall((base.folder,), base.folder, base.live.prepared.hashes)
    with recall.ahead():
        answer = apply_plan(base.live, plan)
        if plan.polygons() != polygons:
            raise InputError("a file of polygons changed while the plan was done", str(plan.folder), "Do it again.")  # fmt: skip
        out.parent.mkdir(parents=True, exist_ok=True)
        store_of_run = new_run(
            out, replace=replace, reuse=base.folder, restart=True, for_next=False
        )
        with claimed(out), store_of_run as store:
            store.recall = recall
            options = RunOptions(
                None, base.manifest["parameters"]["chunks"], progress or silent, parcels=parcels
            )
            read = _read_for(plan, path, polygons, base)
            _write(answer, base, plan, read, store, options)
    return answer, out


def _write(
    answer: LiveResult,
    base: Result,
    plan: Plan,
    read: Mapping[str, str],
    store: RunStore,
    options: RunOptions,
) -> None:
    inputs = _whole_inputs(answer, base, plan)
    drawn = _base_map(answer, base, inputs)
    kept = _kept(answer, base, inputs, plan, drawn, store)
    # Parcels are written from their outlines.
    outlines, others = kept.pop(_OUTLINES), list(kept.values())
    store.step(outlines)
    land = answer.prepared.read(lambda folder: Land.measured_before(folder, inputs), *LAND_FILES)
    grid = fine_grid(inputs)
    digests = {each["file"]: each["sha256"] for each in base.manifest["inputs"]}
    digests |= {f"{name} ({store.folder.name})" if name in digests else name: own for name, own in read.items()}  # fmt: skip
    fingerprints: Any = _Told(digests)
    at, wanted = [step.name for step in STEPS].index(_FIRST), ("assemble", "digest")
    # Named nowhere else, so that what no step needs any more is free.
    work = Work(
        [step for step in STEPS[at:] if step.name != _BY_ITSELF],
        {
            **_values(answer, land),
            "case": inputs.case,
            "options": options,
            "fingerprints": fingerprints,
            "read": inputs,
            "land": land,
            base_maps.STEP: drawn,
            "grid": grid,
        },
        fingerprints,
        store.recall,
        options.progress,
        wanted,
    )
    with work.keep_in(store):
        work.keep_meanwhile(others)
        work.go()
    tables, made = (work.values[name] for name in wanted)
    content = manifest_of(inputs, grid, tables, made, options.chunks)
    told = {"base": base.directory.name, "seal": base.manifest[SEAL], "zones": "floating", "zones_told_first": plan.reference, "read": dict(read), "actions": [each.content for each in plan.actions]}  # fmt: skip
    facts = {"public": False, "reused": store.reused, "left_out": left_out(), "scenario": told}
    store.write_manifest({**content, **facts})


def _read_for(
    plan: Plan, path: Path | None, polygons: Mapping[str, str], base: Result
) -> dict[str, str]:
    """Return the digests of the plan and of what it names, under names that no file of a case has."""
    own = {} if path is None or not plan.sha256 else {path.name: plan.sha256}
    return {f"plan on {base.directory.name}: {name}": value for name, value in {**polygons, **own}.items()}  # fmt: skip


def _whole_inputs(answer: LiveResult, base: Result, plan: Plan) -> Inputs:
    """Return the tables with geometry, and with what the report shows."""
    prepared = answer.prepared
    parcels = gpd.GeoDataFrame(prepared.parcels, geometry=prepared.shapes)
    around = base.folder / "surroundings.gpkg"
    evidence = evidence_after(answer, base)
    more = () if evidence is None else evidence.notes
    return dataclasses.replace(
        answer.inputs,
        parcels=parcels,
        units=gpd.GeoDataFrame(prepared.units.assign(**prepared.names_of_parents)),
        notes=(*answer.inputs.notes, *notes_of_plan(plan, base.directory.name), *more),
        surroundings=read_surroundings_gpkg(around).located if around.is_file() else None,
        uncertainty=uncertainty_after(answer, base, plan.actions),
        formed=None if evidence is None else evidence.formed,
        by_gas=None if evidence is None else evidence.by_gas,
        years={
            name: tuple(years)
            for name, years in base.manifest["parameters"].get("other_years", {}).items()
        },
    )


def _values(answer: LiveResult, land: Land) -> dict[str, Any]:
    """Return what the steps of a run before these would have made, of the answer."""
    names, shares = list(answer.inputs.categories), answer.prepared.shares
    named = facility_rows(answer)
    evidence = tuple(row for name in names for row in answer.evidence_rows[name])
    by_raster = [name for name in names if answer.inputs.categories[name].structure]
    borders = problems_of_borders(named, land, by_raster)
    of_land = problems_of_land(answer.inputs, land, answer.placed, answer.ledger_rows)
    problems = [*answer.problems, *borders, *problems_of_place(named), *of_land]
    told = (*answer.inputs.notes, *notes_of_guesses(answer.inputs))  # by the tables, of any run
    notes = tuple(each for each in dict.fromkeys(problems) if each not in told)
    masses = tuple(answer.masses(names))
    return {
        "cross-check": CrossChecked(()),
        "allocate all": Allocation(
            tuple(names), masses, answer.ledger_rows, evidence, named, notes
        ),
        "rasterize": shares,
        "share water": shares,
        "index": Indexed(answer.prepared.units, ()),
        "zone": answer.zoned,
        "readings": Readings(),
    }


def _base_map(answer: LiveResult, base: Result, inputs: Inputs) -> BaseMapLater:
    """Return the run's base map, or one to be drawn."""
    if _shows_other_land(answer, base) or base_maps.STEP not in base.manifest["steps"]:
        return BaseMapLater(inputs)
    return answer.prepared.read(lambda folder: base_maps.load(folder, inputs), *base_maps.FILES)


def _shows_other_land(answer: LiveResult, base: Result) -> bool:
    """Whether a plan made water or roads of other land, or other land of them: of land of other uses the map shows nothing."""
    if not _converts(answer, base):
        return False
    after, before = map(shown_land, (answer.prepared.parcels, base.live.prepared.parcels))
    return not all(map(np.array_equal, after, before))


def _converts(answer: LiveResult, base: Result) -> bool:
    return answer.prepared.parcels is not base.live.prepared.parcels


def _kept(
    answer: LiveResult,
    base: Result,
    inputs: Inputs,
    plan: Plan,
    drawn: BaseMapLater,
    store: RunStore,
) -> dict[str, Making]:
    """Return how what the next question is answered from is taken over, by step; what the plan changed of it is written anew."""
    steps: Mapping[str, Any] = base.manifest["steps"]
    converted, redrawn = _converts(answer, base), _shows_other_land(answer, base)
    own = {
        _OUTLINES: (lambda: _save_parcels(store.folder, inputs, base, store.recall.hashes))
        if converted
        else None,
        base_maps.STEP: (lambda: base_maps.save(store.folder, drawn)) if redrawn else None,
        "facilities": lambda: facilities.save_places(store.folder, answer.placed),
        "weigh": (lambda: _save_weights(store.folder, answer)) if answer.claims else None,
        "keep tables": lambda: _save_tables(
            store.folder, answer, inputs, plan, converted=converted
        ),
    }
    marked = hash_values([each.content for each in plan.actions], sorted(plan.polygons().items()))
    names = [name for name in steps if name not in _MADE_ANEW]
    if inputs.facilities is not None and "facilities" not in names:
        names.append("facilities")
    makings = {}
    for name in names:
        make = own.get(name)
        key = steps[name]["key"] if name in steps else hash_values(base.manifest[SEAL], name)
        files = list(steps[name]["files"]) if name in steps else list(facilities.FILES)
        if make is None:
            makings[name] = Making(name, key, files, _missing(base, name))
        else:
            marked_key = hash_values(key, marked, "scenario")
            makings[name] = Making(name, marked_key, files, make, imports=SAVES)
    return makings


def _missing(base: Result, name: str) -> Any:
    def refuse() -> None:
        raise InputError(f"{base.directory}: the files of its step {name!r} were changed after the run", hint="Run the case again.")  # fmt: skip

    return refuse


def _save_parcels(folder: Path, inputs: Inputs, base: Result, hashes: Hashes) -> None:
    shapes = sections.shapes_of("parcels")
    with hashes.copying(base.folder / shapes, folder / shapes):
        shutil.copy2(base.folder / shapes, folder / shapes)
    require_as_written(folder, shapes, base.manifest, hashes)
    told = json.loads(read_text(base.folder / sections.facts_of("parcels")))
    notes = tuple(Problem(**each) for each in told["notes"])
    sections.save_columns("parcels", folder, Section(inputs.parcels, notes))


def _save_weights(folder: Path, answer: LiveResult) -> None:
    """Write the claims of all categories but those by rasters, which are summed when they are asked for."""
    names = [name for name in answer.inputs.categories if not weights_step.weighs_by_raster(answer.inputs, name)]  # fmt: skip
    rest = [name for name in names if name not in answer.claims]
    claims = {**answer.prepared.claims(rest), **answer.claims}
    weights_step.save_weights(folder, Weighed({name: claims[name] for name in names}))


def _save_tables(folder: Path, answer: LiveResult, inputs: Inputs, plan: Plan, *, converted: bool) -> None:  # fmt: skip
    """Write settings and small tables; a table of GDP that the plan changes, or that was split on other land, is none any more."""
    changed = converted or any(action.do == "gdp" for action in plan.actions)
    gdp = None if changed else answer.prepared.tables.gdp
    small_tables.keep_tables(folder, dataclasses.replace(inputs, gdp=gdp))
