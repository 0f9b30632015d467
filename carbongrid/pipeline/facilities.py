"""Facilities of a run: where each lies, the units in which its mass lies, and those that it could lie in as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem
from carbongrid.method.allocate import Facility
from carbongrid.method.facilities import FacilityRow, units_in_reach
from carbongrid.method.sharing import Shares, masses_by_unit
from carbongrid.method.tonnes import format_tonnes
from carbongrid.method.weights import locate, parcels_of_facilities
from carbongrid.pipeline.land import Land

WORTH_A_WARNING = 100
"""A facility of which more than one part in this many lies beyond its unit's border is named."""

_LISTED = 10


def rows_of_facilities(
    inputs: Inputs, land: Land, category: str
) -> tuple[list[Facility], list[FacilityRow]]:
    """Return a category's facilities as the allocation takes them, and as the run tells of them."""
    if inputs.facilities is None:
        return [], []
    rows = inputs.facilities[inputs.facilities["category"] == category]
    x, y, reach = (rows[name].to_numpy(np.float64) for name in ("x", "y", "place_uncertainty"))
    names, grams = list(rows["name"]), [int(mass) for mass in rows["grams"]]
    parcel = parcels_of_facilities(x, y, names, land.parcels.geometry.to_numpy())
    outlines = land.units.geometry.to_numpy()
    unit = np.full(len(rows), -1, np.int64)
    unit[parcel >= 0] = locate(x[parcel >= 0], y[parcel >= 0], outlines)
    others = units_in_reach(x, y, reach, unit, outlines)
    ids = [*land.units["id"].astype(str), ""]
    parcel_ids = land.parcels["id"].astype(str).to_numpy()
    told = [
        FacilityRow(
            name=names[row],
            category=category,
            way=str(rows["way"].iloc[row]),
            grams=grams[row],
            parcel="" if parcel[row] < 0 else str(parcel_ids[parcel[row]]),
            unit=ids[unit[row]],
            place_uncertainty=None if np.isnan(reach[row]) else float(reach[row]),
            in_reach=tuple(ids[other] for other in others[row]),
        )
        for row in range(len(rows))
    ]
    return list(zip(names, parcel.tolist(), grams, strict=True)), told


def facilities_by_unit(
    rows: Sequence[FacilityRow], land: Land, shares: Shares, rasters: dict[str, str]
) -> tuple[FacilityRow, ...]:
    """Return the facilities with the units in which their mass lies.

    Parameters
    ----------
    rows, land
        The facilities, and where parcels stand.
    shares
        What parcels have in common with units, after the rule for water.
    rasters
        The path of the raster that a category's mass follows inside a parcel, for those that have one.
    """
    ids = [*land.units["id"].astype(str), ""]
    parcel = _rows_of_parcels(rows, land)
    found = list(rows)
    for category in dict.fromkeys(row.category for row in rows):
        own = [number for number, row in enumerate(rows) if row.category == category]
        targets = shares.rasters[rasters[category]][0] if category in rasters else shares.units
        masses = masses_by_unit([rows[number].grams for number in own], parcel[own], targets)
        for number, parts in zip(own, masses, strict=True):
            by_unit = tuple((ids[unit], grams) for unit, grams in parts)
            found[number] = replace(rows[number], by_unit=by_unit)
    return tuple(found)


def problems_of_borders(rows: Sequence[FacilityRow], land: Land) -> list[Problem]:
    """Return a warning on the facilities whose parcel crosses a border, and how much lies on its other side, by area."""
    there = [row for row in rows if row.parcel]
    if not there:
        return []
    ids = land.units["id"].astype(str).to_numpy()
    shares = land.shares_of_area[_rows_of_parcels(there, land)]
    split = []
    for number, row in enumerate(there):
        part = slice(shares.indptr[number], shares.indptr[number + 1])
        inside = dict(zip(ids[shares.indices[part]], shares.data[part].tolist(), strict=True))
        own = inside.get(row.unit, 0.0) if row.unit else 1.0 - sum(inside.values())
        beyond = round(row.grams * min(max(1.0 - own, 0.0), 1.0))
        if beyond * WORTH_A_WARNING > row.grams:
            split.append((beyond, row))
    if not split:
        return []
    split.sort(key=lambda each: (-each[0], each[1].category, each[1].name))
    listed = "; ".join(
        f"{row.name} (parcel {row.parcel}, {format_tonnes([beyond])[0]} t not in {row.unit or 'no unit'})"
        for beyond, row in split[:_LISTED]
    )
    more = "; ..." if len(split) > _LISTED else ""
    mass = format_tonnes([sum(beyond for beyond, _ in split)])[0]
    what = f"{mass} t of {len(split)} facilities go by area to units that do not hold their points, since their parcels cross a border: {listed}{more}"
    hint = "Cut these parcels at the border; mass_by_unit in facilities.csv of the run has what lies where."
    return [Problem(what, "facilities", hint, "warning")]


def _rows_of_parcels(rows: Sequence[FacilityRow], land: Land) -> NDArray[np.int64]:
    """Return the row of each facility's parcel, -1 for none."""
    ids = pd.Index(land.parcels["id"].astype(str))
    return np.asarray(ids.get_indexer([row.parcel for row in rows]), np.int64)


def problems_of_place(rows: Sequence[FacilityRow]) -> list[Problem]:
    """Return a note on the facilities that could lie in another unit, and how much they emit."""
    unsure = [row for row in rows if row.could_be_elsewhere]
    if not unsure:
        return []
    unsure.sort(key=lambda row: (-row.grams, row.category, row.name))
    listed = "; ".join(
        f"{row.name} ({format_tonnes([row.grams])[0]} t) in {row.unit or 'no unit'} or {', '.join(row.in_reach)}"
        for row in unsure[:_LISTED]
    )
    more = "; ..." if len(unsure) > _LISTED else ""
    mass = format_tonnes([sum(row.grams for row in unsure)])[0]
    what = f"{mass} t of {len(unsure)} facilities could lie in another unit, within place_uncertainty_m: {listed}{more}"
    return [Problem(what, "facilities", "See facilities.csv of the run.", "note")]
