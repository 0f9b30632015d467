"""On what land facilities lie: what is none of their category's is told, and whether their coordinates fit another system better (D9, D12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.coordinates import SHIFTED, Degrees
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.readings import (
    maps_are_shifted,
    other_datums,
    place_of,
    shifted_readings,
)
from carbongrid.errors import Problem
from carbongrid.method.allocate.spreading import of_same_parent
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.tonnes import counted
from carbongrid.method.weights import eligible, parcels_in_reach
from carbongrid.pipeline.facilities import PlacedFacilities, few_tonnes, parcels_near
from carbongrid.pipeline.land import Land
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.polygons.outlines import geometries_of

_LISTED = 10

_CRS_OF = {"wgs84": "EPSG:4326"}
"""What the column crs has for a reading, where that is not its name."""

_BY_CHANCE = 0.1
"""Of a sign test, all systems that are tried together: of ten places five that another one of two puts on their land, and none that it takes off it, are no chance (2/32)."""


def problems_of_land(
    inputs: Inputs, land: Land, placed: PlacedFacilities, ledger: Iterable[LedgerRow]
) -> list[Problem]:
    """Return a note of each category of which facilities lie on parcels of other types than its own.

    Parameters
    ----------
    inputs, land, placed
        The tables, of which the parcels say what land is used for, where parcels stand, and where the facilities lie: those without a place, or without mass, are left out.
    ledger
        Of the categories that are looked at: where some of one lies on land of the parent type, that is its own, too.
    """
    notes, rows = [], list(ledger)
    for name in dict.fromkeys(row.category for row in rows):
        there, at = _standing(inputs, placed, [name])
        on_own = _on_own_land(there, at, inputs, _by_parent(rows))
        if not on_own.all():
            off = at[~on_own]
            uses = inputs.parcels[["type", "mode"]].iloc[off].to_numpy(str)
            kinds = [kind + (f":{mode}" if mode else "") for kind, mode in uses.tolist()]
            stray = there[~on_own].assign(kind=kinds, parcel=land.parcels["id"].iloc[off].to_numpy(str))  # fmt: skip
            notes.append(_note(stray, len(there), _file(inputs)))
    return notes


def problems_of_readings(
    inputs: Inputs, land: Land, placed: PlacedFacilities, ledger: Iterable[LedgerRow]
) -> list[Problem]:
    """Return a warning of each system in the table of which another puts clearly more facilities on land of their category.

    Parameters
    ----------
    inputs, land, placed, ledger
        As of :func:`problems_of_land`; other systems are tried only where some facility lies on land that is none of its category's.

    Notes
    -----
    Places count, not facilities: the boilers of one works, all on one parcel, move together. A parcel is found for every reading as for the run, up to
    100 m away. The test is that of signs, of the places that a reading puts on their land and of those that it takes off it, times the number of readings.
    """
    by_parent = _by_parent(ledger)
    there, at = _standing(inputs, placed, inputs.categories)
    if _on_own_land(there, at, inputs, by_parent).all():
        return []
    found = []
    # Whatever the spelling.
    systems = there["crs"].map({crs: crs if crs in SHIFTED else crs_of(crs).to_string() for crs in there["crs"].unique()})  # fmt: skip
    for crs, rows in there.groupby(systems.to_numpy(object)).indices.items():
        places = there.iloc[rows].assign(parcel=at[rows]).drop_duplicates("parcel")
        found += _reading_that_fits_better(places, str(crs), inputs, land, by_parent)
    return found


def _reading_that_fits_better(places: pd.DataFrame, declared: str, inputs: Inputs, land: Land, by_parent: Collection[str]) -> list[Problem]:  # fmt: skip
    own = _on_own_land(places, places["parcel"].to_numpy(np.int64), inputs, by_parent)
    readings = {} if own.all() else _other_readings(places, land, declared)
    if not readings:
        return []
    x, y = (np.concatenate([place[axis] for place in readings.values()]) for axis in (0, 1))
    near = parcels_near(land, x, y)
    at = np.append(near, -1)[parcels_in_reach(x, y, geometries_of(land.parcels, near))]
    repeated = pd.concat([places] * len(readings))
    by_reading = np.split(_on_own_land(repeated, at, inputs, by_parent), len(readings))
    hits = dict(zip(readings, by_reading, strict=True))
    best = max(hits, key=lambda name: int(hits[name].sum()))
    gained, lost = (int(np.count_nonzero(each)) for each in (hits[best] & ~own, own & ~hits[best]))
    if len(readings) * _chance(gained, lost) >= _BY_CHANCE:
        return []
    what = f"of {len(places):,} places of facilities {int(own.sum()):,} are on land of their category's types, coordinates read as {declared}; read as {best}, {int(hits[best].sum()):,} would be"
    hint = "Check the column crs."
    if best in SHIFTED and declared not in SHIFTED and crs_of(declared).is_projected:
        hint = "Check how they were projected: what is in degrees of such a system is moved to WGS 84 first."
    return [Problem(what, _file(inputs), hint, "warning")]


def _file(inputs: Inputs) -> str:
    section = inputs.case.facilities
    return section.path if section else "facilities"


def _by_parent(ledger: Iterable[LedgerRow]) -> set[str]:
    return {row.category for row in ledger if row.by_parent}


def _standing(inputs: Inputs, placed: PlacedFacilities, names: Iterable[str]) -> tuple[pd.DataFrame, NDArray[np.int64]]:  # fmt: skip
    """Return the facilities of some categories that have a place and mass, and the row of the parcel of each."""
    table = inputs.facilities
    if table is None:
        return pd.DataFrame({"category": []}), np.zeros(0, np.int64)
    known = (placed.parcel >= 0) & (table["grams"].to_numpy(np.int64) > 0)
    rows = np.flatnonzero(known & table["category"].isin(list(names)).to_numpy())
    return table.iloc[rows], placed.parcel[rows]


def _on_own_land(facilities: pd.DataFrame, at: NDArray[np.int64], inputs: Inputs, by_parent: Collection[str]) -> NDArray[np.bool_]:  # fmt: skip
    """Return of each facility whether its parcel, -1 for none, is of its category's types, or of their parent where some of the category lies on such land."""
    on_own = np.zeros(len(facilities), np.bool_)
    # Without outlines, which need not be read for this.
    uses = inputs.parcels[["type", "mode"]]
    for name, rows in facilities.groupby("category").indices.items():
        category, parcels = inputs.categories[str(name)], uses.iloc[np.maximum(at[rows], 0)]
        on_own[rows] = eligible(category, parcels)
        if name in by_parent:
            on_own[rows] |= of_same_parent(category, parcels["type"])
    return on_own & (at >= 0)


def _note(off: pd.DataFrame, count: int, file: str) -> Problem:
    largest = off.sort_values(["grams", "name"], ascending=[False, True]).head(_LISTED)
    listed = "; ".join(
        f"{row['name']} ({few_tonnes(int(row['grams']))} t) on {row['kind']} (parcel {row['parcel']})"
        for row in largest.to_dict("records")
    )
    more = "; ..." if len(off) > _LISTED else ""
    mass = few_tonnes(int(off["grams"].sum()))
    named = f"{counted(count, 'facility', 'facilities')} of {off['category'].iloc[0]}"
    what = f"{len(off):,} of {named} ({mass} t) on land of other types than the category's, where they stay: {listed}{more}"
    hint = "Look at them on a map: their coordinates may be off, their land of another use by now, or types of their category missing."
    return Problem(what, file, hint, "note")


def _other_readings(places: pd.DataFrame, land: Land, declared: str) -> Mapping[str, Degrees]:
    """Return where facilities would lie by the other systems in use there, as points of interest are tried."""
    x, y = (places[name].to_numpy(np.float64) for name in ("x", "y"))
    found = dict(other_datums(x, y, land.parcels, declared))
    if maps_are_shifted(place_of(land.parcels), declared):
        shifted = shifted_readings(x, y, land.parcels.crs, declared)
        found |= {_CRS_OF.get(name, name): place for name, place in shifted.items()}
    # What lies where it is declared to lie is no other reading, whatever its name.
    return {name: place for name, place in found.items() if not _is_there(place, (x, y))}


def _is_there(place: Sequence[NDArray[np.float64]], own: Sequence[NDArray[np.float64]]) -> bool:
    return bool(np.hypot(*(one - other for one, other in zip(place, own, strict=True))).max() < 1.0)


def _chance(gained: int, lost: int) -> float:
    """Return how probable as many or more gains are if each change were either with the same odds."""
    changes = gained + lost
    return float(sum(comb(changes, each) for each in range(gained, changes + 1)) / 2**changes)
