"""Facilities of a run: the parcel that holds each, its unit, and the units that it could lie in as well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem
from carbongrid.method.allocate import Facility
from carbongrid.method.facilities import FacilityRow, units_in_reach
from carbongrid.method.tonnes import format_tonnes
from carbongrid.method.weights import parcels_of_facilities
from carbongrid.pipeline.land import Land

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
    unit = np.where(parcel < 0, -1, land.unit_of_parcel[parcel])
    others = units_in_reach(x, y, reach, unit, land.units.geometry.to_numpy())
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
