"""On what land facilities lie: what does not carry their category is told, and whether their coordinates fit another system better (D9, D12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.coordinates import Degrees
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.readings import (
    maps_are_shifted,
    other_datums,
    place_of,
    shifted_readings,
)
from carbongrid.errors import Problem
from carbongrid.method.categories import Category
from carbongrid.method.tonnes import counted
from carbongrid.method.weights import eligible, locate
from carbongrid.pipeline.facilities import PlacedFacilities, few_tonnes, parcels_near
from carbongrid.pipeline.land import Land
from carbongrid.raster.polygons.outlines import geometries_of

_LISTED = 10

_CRS_OF = {"wgs84": "EPSG:4326"}
"""What the column crs has for a reading, where that is not its name."""

_BY_CHANCE = 0.05
"""Of a sign test: of ten facilities five that another system puts on their land, and none that it takes off it, are no chance (1/32)."""


def problems_of_land(
    inputs: Inputs, land: Land, placed: PlacedFacilities, names: Iterable[str]
) -> list[Problem]:
    """Return a note of each category of which facilities lie on parcels that do not carry it.

    Parameters
    ----------
    inputs, land, placed
        The tables, of which the parcels say what land is used for, where parcels stand, and where the facilities lie: those without a place, or without mass, are left out.
    names
        The categories.
    """
    notes = []
    for name in names:
        there, at = _standing(inputs, placed, [name])
        on_own = _on_own_land(there, inputs.parcels.iloc[at], inputs.categories)
        if not on_own.all():
            off = at[~on_own]
            uses = inputs.parcels[["type", "mode"]].iloc[off].to_numpy(str)
            kinds = [kind + (f":{mode}" if mode else "") for kind, mode in uses.tolist()]
            stray = there[~on_own].assign(kind=kinds, parcel=land.parcels["id"].iloc[off].to_numpy(str))  # fmt: skip
            notes.append(_note(stray, len(there), _file(inputs)))
    return notes


def problems_of_readings(inputs: Inputs, land: Land, placed: PlacedFacilities) -> list[Problem]:
    """Return a warning of each system in the table of which another puts clearly more facilities on land that carries their category.

    Parameters
    ----------
    inputs, land, placed
        As of :func:`problems_of_land`; parcels are looked at only where some facility lies on land that does not carry it.
    """
    there, at = _standing(inputs, placed, inputs.categories)
    if _on_own_land(there, inputs.parcels.iloc[at], inputs.categories).all():
        return []
    return list(_readings_that_fit_better(there, inputs, land))


def _file(inputs: Inputs) -> str:
    section = inputs.case.facilities
    return section.path if section else "facilities"


def _standing(inputs: Inputs, placed: PlacedFacilities, names: Iterable[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:  # fmt: skip
    """Return the facilities of some categories that have a place and mass, and the row of the parcel of each."""
    table = inputs.facilities
    if table is None:
        return pd.DataFrame({"category": []}), np.zeros(0, np.int64)
    known = (placed.parcel >= 0) & (table["grams"].to_numpy(np.int64) > 0)
    rows = np.flatnonzero(known & table["category"].isin(list(names)).to_numpy())
    return table.iloc[rows], placed.parcel[rows]


def _on_own_land(facilities: pd.DataFrame, parcels: pd.DataFrame, categories: Mapping[str, Category]) -> NDArray[np.bool_]:  # fmt: skip
    """Return of each facility whether the parcel in its row carries its category."""
    on_own = np.zeros(len(facilities), np.bool_)
    for name, rows in facilities.groupby("category").indices.items():
        on_own[rows] = eligible(categories[str(name)], parcels.iloc[rows])
    return on_own


def _note(off: pd.DataFrame, count: int, file: str) -> Problem:
    largest = off.sort_values(["grams", "name"], ascending=[False, True]).head(_LISTED)
    listed = "; ".join(
        f"{row['name']} ({few_tonnes(int(row['grams']))} t) on {row['kind']} (parcel {row['parcel']})"
        for row in largest.to_dict("records")
    )
    more = "; ..." if len(off) > _LISTED else ""
    mass = few_tonnes(int(off["grams"].sum()))
    named = f"{counted(count, 'facility', 'facilities')} of {off['category'].iloc[0]}"
    what = f"{mass} t of {len(off):,} of {named} lie on land of other types than the category's, and stay there: {listed}{more}"
    hint = "Look at them on a map: their coordinates may be off, their land of another use by now, or types of their category missing."
    return Problem(what, file, hint, "note")


def _readings_that_fit_better(facilities: pd.DataFrame, inputs: Inputs, land: Land) -> Iterator[Problem]:  # fmt: skip
    for crs, rows in facilities.groupby("crs").indices.items():
        some, declared = facilities.iloc[rows], str(crs)
        places = {declared: _places(some), **_otherwise(some, land, declared)}
        hits = _on_their_land(some, places, inputs, land)
        own = hits[declared]
        best = max(hits, key=lambda name: int(hits[name].sum()))
        gained, lost = (int(np.count_nonzero(each)) for each in (hits[best] & ~own, own & ~hits[best]))  # fmt: skip
        if _chance(gained, lost) < _BY_CHANCE:
            what = f"of {len(some):,} facilities {int(own.sum()):,} lie on land that carries their category, their coordinates read as {declared}; read as {best}, {int(hits[best].sum()):,} would"
            yield Problem(what, _file(inputs), "Check the column crs.", "warning")


def _places(facilities: pd.DataFrame) -> Degrees:
    x, y = (facilities[name].to_numpy(np.float64) for name in ("x", "y"))
    return x, y


def _otherwise(facilities: pd.DataFrame, land: Land, declared: str) -> dict[str, Degrees]:
    """Return where facilities would lie by the other systems in use there, as points of interest are tried."""
    x, y = _places(facilities)
    found = dict(other_datums(x, y, land.parcels, declared))
    if maps_are_shifted(place_of(land.parcels), declared):
        shifted = shifted_readings(x, y, land.parcels.crs, declared)
        found |= {_CRS_OF.get(name, name): place for name, place in shifted.items()}
    found.pop(declared, None)
    return found


def _on_their_land(facilities: pd.DataFrame, places: Mapping[str, Degrees], inputs: Inputs, land: Land) -> dict[str, NDArray[np.bool_]]:  # fmt: skip
    """Return by reading of which facilities a parcel holds the point and carries their category."""
    x, y = (np.concatenate([place[axis] for place in places.values()]) for axis in (0, 1))
    near = parcels_near(land, x, y)
    row = np.append(near, -1)[locate(x, y, geometries_of(land.parcels, near))]
    parcels = inputs.parcels.iloc[np.maximum(row, 0)]
    repeated = pd.concat([facilities] * len(places))
    on_own = _on_own_land(repeated, parcels, inputs.categories) & (row >= 0)
    return dict(zip(places, np.split(on_own, len(places)), strict=True))


def _chance(gained: int, lost: int) -> float:
    """Return how probable as many or more gains are if each change were either with the same odds."""
    changes = gained + lost
    return float(sum(comb(changes, each) for each in range(gained, changes + 1)) / 2**changes)
