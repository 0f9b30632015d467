"""The weights as a step: the parcels' claims on every category, kept for the next run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.totals import categories_of
from carbongrid.method.weights import PackedWeights
from carbongrid.method.weights.packing import ARRAYS
from carbongrid.pipeline.allocation import coefficients_of
from carbongrid.pipeline.reading import FOLDER, Reading
from carbongrid.raster.opening.stores import open_arrays
from carbongrid.raster.software import versions
from carbongrid.run_store import hash_values

STEP = "weights"
FILES = [f"{FOLDER}/weights.npz"]


def weights_key(inputs: Inputs, reading: Reading, rasters: str) -> str:
    """Return the hash of all that decides the claims: land, evidence, categories and regions, but no total.

    Parameters
    ----------
    inputs
        The tables.
    reading
        What read them.
    rasters
        Key of the step that summed the weight rasters, or empty.
    """
    totals = inputs.totals[inputs.totals["place"] == "here"]
    regions = sorted({*zip(totals["category"], totals["region"], strict=True)})
    census = None if inputs.census is None else inputs.census.to_csv(index=False)
    lines = inputs.case.lines
    return hash_values(
        versions(),
        dict(reading.keys),
        [dataclasses.asdict(category) for category in categories_of(inputs.case).values()],
        list(inputs.categories),
        regions,
        census,
        inputs.case.pois.miss if inputs.case.pois else "",
        lines.lambda_ if lines else 0.0,
        coefficients_of(inputs),
        rasters,
    )


def save_weights(path: Path, claims: dict[str, PackedWeights]) -> None:
    """Write the claims of every category."""
    arrays: dict[str, Any] = {}
    facts = {}
    for number, (name, each) in enumerate(claims.items()):
        arrays |= {f"{number}_{part}": array for part, array in each.arrays.items()}
        arrays[f"{number}_rows"] = each.rows
        facts[name] = {"size": each.size, "facts": dict(each.facts)}
    with path.open("wb") as stream:
        np.savez(stream, facts=np.array(json.dumps(facts)), **arrays)


def load_weights(path: Path) -> dict[str, PackedWeights]:
    """Read the claims back; nothing is unpickled."""
    with open_arrays(path) as arrays:
        told = json.loads(str(arrays["facts"]))
        return {
            name: PackedWeights(
                rows=arrays[f"{number}_rows"],
                arrays={part: arrays[f"{number}_{part}"] for part in ARRAYS},
                **one,
            )
            for number, (name, one) in enumerate(told.items())
        }
