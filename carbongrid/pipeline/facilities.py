"""Facilities of a run: where each lies, the units in which its mass lies, and those that it could lie in as well."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.case.readers.facilities import exact_mass, with_grams
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import left_by_regions
from carbongrid.case.readers.rounding import fitted
from carbongrid.case.readers.tables import records
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError, Problem
from carbongrid.method.allocate import Facility
from carbongrid.method.facilities import FacilityRow, units_in_reach
from carbongrid.method.sharing import Shares, masses_by_unit
from carbongrid.method.tonnes import counted
from carbongrid.method.weights import FACILITY_REACH, locate, parcels_of_facilities
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.sections import FOLDER
from carbongrid.pipeline.weights_step import regions_of
from carbongrid.raster.opening.files import read_text
from carbongrid.raster.polygons.outlines import geometries_of
from carbongrid.raster.row_blocks import each_block, row_blocks

FILES = [f"{FOLDER}/facilities.json"]

WORTH_A_WARNING = 100
"""A facility of which more than one part in this many lies beyond its unit's border is named."""

_LISTED = 10

_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class PlacedFacilities:
    """Where facilities lie, in the order of their table.

    Parameters
    ----------
    parcel, unit : int64, shape (facilities,)
        Row of the parcel, and of the unit that holds the point; -1 for none.
    in_reach
        Rows of the other units in which each could lie as well.
    failed
        Problems of the categories of which some lie on no parcel.
    """

    parcel: NDArray[np.int64]
    unit: NDArray[np.int64]
    in_reach: tuple[tuple[int, ...], ...]
    failed: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)

    def homes(self, land: Land) -> NDArray[np.int64]:
        """Return the row of the unit as whose each is counted by totals of regions, -1 for none: that which holds its point, and of a point in no unit that of its parcel."""
        of_parcel = np.append(land.unit_of_parcel, -1)[self.parcel]
        return np.where(self.unit >= 0, self.unit, of_parcel)

    def taken(self, which: NDArray[np.bool_]) -> PlacedFacilities:
        """Return some of them."""
        chosen = np.flatnonzero(which)
        in_reach = tuple(self.in_reach[row] for row in chosen.tolist())
        return PlacedFacilities(self.parcel[chosen], self.unit[chosen], in_reach, self.failed)


def place_facilities(inputs: Inputs, land: Land) -> PlacedFacilities:
    """Find the parcel and the unit of every facility, whatever its mass."""
    table = inputs.facilities
    size = 0 if table is None else len(table)
    parcel, unit = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    if table is None or not size:
        return PlacedFacilities(parcel, unit, ())
    x, y, reach = (table[name].to_numpy(np.float64) for name in ("x", "y", "place_uncertainty"))
    failed: dict[str, tuple[Problem, ...]] = {}
    near, outlines = parcels_near(land, x, y), land.units.geometry.to_numpy()
    geometry = geometries_of(land.parcels, near)
    for category, rows in table.groupby("category", sort=True).indices.items():
        names = list(table["name"].iloc[rows])
        try:
            found = parcels_of_facilities(x[rows], y[rows], names, geometry)
            parcel[rows] = np.append(near, -1)[found]
        except InputError as error:
            failed[str(category)] = error.problems
    there = parcel >= 0
    unit[there] = locate(x[there], y[there], outlines)
    others = units_in_reach(x, y, reach, unit, outlines)
    return PlacedFacilities(parcel, unit, tuple(map(tuple, others)), failed)


def parcels_near(land: Land, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the parcels whose box lies in reach of a facility: no other can be its parcel, and of a million few are."""
    known = np.isfinite(x) & np.isfinite(y)
    tree = shapely.STRtree(np.asarray(shapely.points(x[known], y[known]), dtype=object))
    around = land.parcels.geometry.array.bounds + _OUTWARD * (FACILITY_REACH + 1.0)

    def reached(rows: slice) -> NDArray[np.int64]:
        found, _ = tree.query(shapely.box(*around[rows].T))
        near: NDArray[np.int64] = rows.start + np.unique(found)
        return near

    return np.concatenate(list(each_block(reached, row_blocks(len(around)))))


def within_regions(
    inputs: Inputs, land: Land, placed: PlacedFacilities, *categories: str
) -> pd.DataFrame | None:
    """Return the facilities, those of categories with totals of regions fitted to these, of which readers know no place (docs/decisions/0002).

    Parameters
    ----------
    inputs, land, placed
        The tables, where parcels stand, and where the facilities lie.
    *categories
        Those that are looked at; default all.
    """
    table = inputs.facilities
    if table is None or not has_remainders(table):
        return table
    rows, homes = records(table, ("way", "grams", "remainder")), placed.homes(land)
    masses = [int(row["grams"]) for row in rows]
    here = inputs.totals[inputs.totals["place"] == HERE]
    left = left_by_regions(here, ("category",)).groupby(["category", "region"])["grams"].sum()
    for category, own in table.groupby("category").indices.items():
        codes = regions_of(inputs, str(category))
        if not codes or (categories and category not in categories):
            continue
        members: dict[str, list[int]] = {}
        for number, region in zip(own, land.regions_at(codes, homes[own]).tolist(), strict=True):
            if placed.parcel[number] >= 0:
                members.setdefault(codes[region] if region >= 0 else "", []).append(int(number))
        for code, there in members.items():
            by_value = [number for number in there if rows[number]["way"] == "value"]
            by_part = sum(masses[number] for number in there if rows[number]["way"] != "value")
            room = int(left.get((category, code), 0)) - by_part
            exact = [exact_mass(rows[number]) for number in by_value]
            alone = [round(mass) for mass in exact]
            parts = fitted(exact, room) if sum(alone) > room else alone
            for number, grams in zip(by_value, parts, strict=True):
                masses[number] = grams
    return with_grams(table, masses)


def has_remainders(facilities: pd.DataFrame) -> bool:
    """Return whether the mass of any was rounded."""
    return bool((facilities["remainder"].to_numpy(object) != "0").any())


def rows_of_facilities(
    inputs: Inputs, land: Land, placed: PlacedFacilities, category: str
) -> tuple[list[Facility], NDArray[np.int64], list[FacilityRow]]:
    """Return a category's facilities as the allocation takes them, their units by :meth:`PlacedFacilities.homes`, and what the run tells of them."""
    known, none = inputs.facilities, np.zeros(0, np.int64)
    if known is None:
        return [], none, []
    rows = np.flatnonzero(known["category"].to_numpy(object) == category)
    table = within_regions(inputs, land, placed, category) if rows.size else None
    if table is None:
        return [], none, []
    ids, parcel_ids = [*land.units["id"].astype(str).tolist(), ""], land.parcels["id"]
    facilities: list[Facility] = []
    told = []
    names, ways, masses, reaches = (
        table[column].tolist() for column in ("name", "way", "grams", "place_uncertainty")
    )
    for row in rows.tolist():
        name, grams, parcel = str(names[row]), int(masses[row]), int(placed.parcel[row])
        reach = float(reaches[row])
        facilities.append((name, parcel, grams))
        told.append(
            FacilityRow(
                name=name,
                category=category,
                way=str(ways[row]),
                grams=grams,
                parcel="" if parcel < 0 else str(parcel_ids.iloc[parcel]),
                unit=ids[placed.unit[row]],
                place_uncertainty=None if np.isnan(reach) else reach,
                in_reach=tuple(ids[other] for other in placed.in_reach[row]),
            )
        )
    return facilities, placed.homes(land)[rows], told


def save_places(folder: Path, placed: PlacedFacilities) -> None:
    """Write where facilities lie."""
    told = {
        "parcel": placed.parcel.tolist(),
        "unit": placed.unit.tolist(),
        "in_reach": placed.in_reach,
        "failed": {
            name: [vars(problem) for problem in problems]
            for name, problems in placed.failed.items()
        },
    }
    (folder / FILES[0]).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def load_places(folder: Path, *_: Any) -> PlacedFacilities:
    """Read where facilities lie back."""
    told = json.loads(read_text(folder / FILES[0]))
    parcel, unit = (np.array(told[name], np.int64) for name in ("parcel", "unit"))
    failed = {
        name: tuple(Problem(**problem) for problem in problems)
        for name, problems in told["failed"].items()
    }
    return PlacedFacilities(parcel, unit, tuple(map(tuple, told["in_reach"])), failed)


def what_places(inputs: Inputs, *_: Any) -> list[Any]:
    """Return what decides where facilities lie, beside the land."""
    table = inputs.facilities
    columns = ["name", "category", "x", "y", "place_uncertainty"]
    return [] if table is None else table[columns].astype(str).to_numpy().tolist()


def files_of_places(inputs: Inputs, *_: Any) -> list[str]:
    """Return the file that keeps them; none without facilities."""
    return [] if inputs.facilities is None else FILES


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
    parcel = rows_of_parcels(rows, land)
    found = list(rows)
    for category in dict.fromkeys(row.category for row in rows):
        own = [number for number, row in enumerate(rows) if row.category == category]
        targets = shares.rasters[rasters[category]][0] if category in rasters else shares.units
        masses = masses_by_unit([rows[number].grams for number in own], parcel[own], targets)
        for number, parts in zip(own, masses, strict=True):
            by_unit = tuple((ids[unit], grams) for unit, grams in parts)
            found[number] = replace(rows[number], by_unit=by_unit)
    return tuple(found)


def problems_of_borders(rows: Sequence[FacilityRow], land: Land, by_raster: Collection[str]) -> list[Problem]:  # fmt: skip
    """Return a warning on the facilities whose parcel crosses a border, and how much lies on its other side, by area.

    Categories that follow a raster inside their parcels (``by_raster``) are left out: how their mass lies there is known when the raster has been summed (:func:`problems_of_rasters`).
    """
    there = [row for row in rows if row.parcel and row.category not in by_raster]
    if not there:
        return []
    ids = land.units["id"].astype(str).to_numpy()
    shares = land.shares_of_area(rows_of_parcels(there, land))
    split = []
    for number, row in enumerate(there):
        part = slice(shares.indptr[number], shares.indptr[number + 1])
        inside = dict(zip(ids[shares.indices[part]], shares.data[part].tolist(), strict=True))
        own = inside.get(row.unit, 0.0) if row.unit else 1.0 - sum(inside.values())
        split.append((round(row.grams * min(max(1.0 - own, 0.0), 1.0)), row))
    count, mass, listed = _in_other_units(split)
    if not count:
        return []
    what = f"{mass} t of {count:,} facilities go by area to units that do not hold their points, since their parcels lie there"
    hint = "Cut these parcels at the border; mass_by_unit in facilities.csv of the run has what lies where."
    if count == 1:
        what = f"{mass} t of 1 facility go by area to units that do not hold its point, since its parcel lies there"
        hint = "Cut this parcel at the border; mass_by_unit in facilities.csv of the run has what lies where."
    return [Problem(f"{what}: {listed}", "facilities", hint, "warning")]


def problems_of_rasters(rows: Sequence[FacilityRow], by_raster: Collection[str]) -> list[Problem]:
    """Return a warning on the facilities of which a raster puts more than a hundredth into units that do not hold their points.

    Parameters
    ----------
    rows
        Of :func:`facilities_by_unit`.
    by_raster
        Categories that follow a raster inside their parcels.
    """
    own = (row for row in rows if row.parcel and row.category in by_raster)
    split = [(row.grams - dict(row.by_unit).get(row.unit, 0), row) for row in own]
    count, mass, listed = _in_other_units(split)
    if not count:
        return []
    what = f"{mass} t of {counted(count, 'facility', 'facilities')} lie in other units than the coordinates, where the raster of the category puts them: {listed}"
    hint = "Cut such parcels at the border; mass_by_unit in facilities.csv of the run has what lies where."
    return [Problem(what, "facilities", hint, "warning")]


def _in_other_units(split: Iterable[tuple[int, FacilityRow]]) -> tuple[int, str, str]:
    """Return how many facilities have more than a hundredth in units that do not hold their points, of their grams there, how much that is, and a list, the largest first."""
    told = [(beyond, row) for beyond, row in split if beyond * WORTH_A_WARNING > row.grams]
    told.sort(key=lambda each: (-each[0], each[1].category, each[1].name))
    listed = "; ".join(_in_others(row, beyond) for beyond, row in told[:_LISTED])
    more = "; ..." if len(told) > _LISTED else ""
    return len(told), few_tonnes(sum(beyond for beyond, _ in told)), f"{listed}{more}"


def _in_others(row: FacilityRow, grams: int) -> str:
    mass = few_tonnes(grams)
    if row.unit:
        return f"{row.name} (parcel {row.parcel}, {mass} t not in {row.unit})"
    return f"{row.name} (parcel {row.parcel}, {mass} t in units, the point in none)"


def rows_of_parcels(rows: Sequence[FacilityRow], land: Land) -> NDArray[np.int64]:
    """Return the row of each facility's parcel, -1 for none."""
    ids, wanted = land.parcels["id"].astype(str), [row.parcel for row in rows]
    # An index of a million ids takes longer than to look through them.
    there = np.flatnonzero(ids.isin(wanted))
    position = dict(zip(ids.iloc[there].tolist(), there.tolist(), strict=True))
    return np.array([position.get(parcel, -1) for parcel in wanted], np.int64)


def problems_of_place(rows: Sequence[FacilityRow]) -> list[Problem]:
    """Return a note on the facilities that could lie in another unit, and how much they emit."""
    unsure = [row for row in rows if row.could_be_elsewhere]
    if not unsure:
        return []
    unsure.sort(key=lambda row: (-row.grams, row.category, row.name))
    listed = "; ".join(
        f"{row.name} ({few_tonnes(row.grams)} t) in {row.unit or 'no unit'} or {', '.join(row.in_reach)}"
        for row in unsure[:_LISTED]
    )
    more = "; ..." if len(unsure) > _LISTED else ""
    mass = few_tonnes(sum(row.grams for row in unsure))
    what = f"{mass} t of {len(unsure):,} facilities could lie in another unit, within place_uncertainty_m"
    if len(unsure) == 1:
        what = f"{mass} t of 1 facility could lie in another unit, within place_uncertainty_m"
    hint = "See facilities.csv of the run."
    return [Problem(f"{what}: {listed}{more}", "facilities", hint, "note")]


def few_tonnes(grams: int) -> str:
    """Return tonnes in whole ones, of less than a hundred in three digits."""
    return f"{grams / 1e6:,.0f}" if grams >= 99.95e6 else f"{grams / 1e6:.3g}"
