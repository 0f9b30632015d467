"""The weights as a step: the parcels' claims on every category, kept for the next run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.points import crosswalk_categories
from carbongrid.errors import InputError, Problem
from carbongrid.method.sharing import Shares
from carbongrid.method.weights import PackedWeights, WeightInputs, weigh
from carbongrid.method.weights.packing import ARRAYS, OF_SOME
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.residents import residents_on_parcels
from carbongrid.pipeline.sections import FOLDER
from carbongrid.raster.opening.stores import open_arrays

FILES = [f"{FOLDER}/weights.npz"]


@dataclass(frozen=True)
class Weighed:
    """What parcels claim of each category.

    Parameters
    ----------
    claims
        By category; without those that failed, and without those by rasters where none were summed yet.
    failed
        Problems of the categories of which no claims could be made.
    """

    claims: Mapping[str, PackedWeights]
    failed: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def one_spelling(inputs: Inputs) -> Inputs:
    """Write each weight raster in one way, relative to the case: two spellings of one file are one raster."""
    case, spelled = inputs.case, {}
    for name, category in inputs.categories.items():
        told: dict[str, Any] = {}
        for column in ("weight", "inside"):
            rule, _, path = getattr(category, column).partition(":")
            if rule == "raster":
                with suppress(
                    InputError
                ):  # of a path that may not be read, which the cross-check tells
                    target = case.resolve(path).relative_to(case.folder.resolve(), walk_up=True)
                    told[column] = f"raster:{target.as_posix()}"
        spelled[name] = dataclasses.replace(category, **told)
    return dataclasses.replace(inputs, categories=spelled)


def weighs_by_raster(inputs: Inputs, category: str) -> bool:
    """Tell whether only a rasterization tells what parcels claim of a category."""
    return inputs.categories[category].weight.startswith("raster:")


def weight_rasters(inputs: Inputs) -> list[str]:
    """Return the rasters that categories name as their weight, or follow inside parcels, as written."""
    named = (rule for each in inputs.categories.values() for rule in (each.weight, each.inside))
    rules = (rule.partition(":") for rule in named)
    return sorted({path for rule, _, path in rules if rule == "raster"})


def weigh_categories(inputs: Inputs, land: Land) -> Weighed:
    """Weigh every category but those by raster: what each parcel claims of it."""
    names = [name for name in inputs.categories if not weighs_by_raster(inputs, name)]
    return _weighed(inputs, land, names, gather_weight_inputs(inputs, land))


def weigh_by_rasters(inputs: Inputs, land: Land, weighed: Weighed, shares: Shares) -> Weighed:
    """Weigh the categories by raster too, whose sums the rasterization found."""
    names = [name for name in inputs.categories if weighs_by_raster(inputs, name)]
    evidence = WeightInputs(rasters=shares.raster_sums, raster_known=shares.raster_known)
    rest = _weighed(inputs, land, names, evidence)
    return Weighed({**weighed.claims, **rest.claims}, {**weighed.failed, **rest.failed})


def _weighed(inputs: Inputs, land: Land, names: Collection[str], evidence: WeightInputs) -> Weighed:
    claims: dict[str, PackedWeights] = {}
    failed: dict[str, tuple[Problem, ...]] = {}
    for name in names:
        category = inputs.categories[name]
        region_of_parcel = land.regions_of_parcels(regions_of(inputs, name))
        try:
            claims[name] = PackedWeights.of(
                weigh(category, land.parcels, evidence, region_of_parcel)
            )
        except InputError as error:
            failed[name] = error.problems
    return Weighed(claims, failed)


def gather_weight_inputs(inputs: Inputs, land: Land) -> WeightInputs:
    """Return what the weights are made from; people are put on parcels here, once."""
    case = inputs.case
    return WeightInputs(
        pois=inputs.pois,
        people=residents_on_parcels(inputs, land),
        poi_categories=crosswalk_categories(case),
        lines=inputs.lines,
        lambda_=case.lines.lambda_ if case.lines else 0.0,
        miss=case.pois.miss if case.pois else "nearest",
        coefficients=inputs.coefficients,
    )


def regions_of(inputs: Inputs, category: str) -> list[str]:
    """Return the regions that have a total of a category here."""
    return list(inputs.regions.get(category, ()))


def what_weighs(inputs: Inputs, *_: Any) -> list[Any]:
    """Return what decides the claims beside land and evidence: categories and regions, but no total."""
    census = None if inputs.census is None else inputs.census.to_csv(index=False)
    lines = inputs.case.lines
    return [
        [dataclasses.asdict(category) for category in categories_of(inputs.case).values()],
        {name: regions_of(inputs, name) for name in inputs.categories},
        census,
        inputs.case.pois.miss if inputs.case.pois else "",
        inputs.case.people.share if inputs.case.people else "",
        lines.lambda_ if lines else 0.0,
        dict(inputs.coefficients),
    ]


def save_weights(folder: Path, weighed: Weighed) -> None:
    """Write the claims of every category."""
    arrays: dict[str, Any] = {}
    facts = {}
    for number, (name, each) in enumerate(weighed.claims.items()):
        arrays |= {f"{number}_{part}": array for part, array in each.arrays.items()}
        arrays[f"{number}_rows"] = each.rows
        facts[name] = {"size": each.size, "facts": dict(each.facts)}
    with (folder / FILES[0]).open("wb") as stream:
        np.savez(stream, facts=np.array(json.dumps(facts)), **arrays)


def load_weights(folder: Path, *_: Any, names: Collection[str] | None = None) -> Weighed:
    """Read the claims back, those of some categories or all; nothing is unpickled."""
    with open_arrays(folder / FILES[0]) as arrays:
        told = json.loads(str(arrays["facts"]))
        claims = {
            name: PackedWeights(
                rows=arrays[f"{number}_rows"],
                arrays={
                    part: arrays[f"{number}_{part}"]
                    for part in (*ARRAYS, *OF_SOME)
                    if part in ARRAYS or f"{number}_{part}" in arrays
                },
                **one,
            )
            for number, (name, one) in enumerate(told.items())
            if names is None or name in names
        }
    return Weighed(claims)
