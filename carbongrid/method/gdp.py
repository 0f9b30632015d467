"""GDP of a parent unit, carried over its parcels to its units (docs/decisions/0005)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.method.landuse import carrying_types

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array


class Split(Protocol):
    """An exact split of integer totals, such as ``carbongrid.method.allocate.apportion``."""

    def __call__(self, total: Any, weights: Any, start: Any = None) -> NDArray[np.int64]:
        """Return parts that add up to the total of each row."""


@dataclass(frozen=True)
class Industry:
    """One row of ``data/gdp_industries.csv``: on which land an industry's GDP lies, and by which weight.

    Parameters
    ----------
    name
        Column of the case's GDP table: primary, secondary, tertiary, or value (all of it).
    types
        Territorial types that carry it.
    weight
        ``area`` or ``pois``.
    categories
        Categories whose POIs weigh, each on the land of its own types; none for area.
    """

    name: str
    types: tuple[str, ...]
    weight: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Land:
    """What of the parcels GDP is carried by, in id order.

    Parameters
    ----------
    types
        Territorial type, text, shape (parcels,).
    area
        Area in m2, float64, shape (parcels,).
    parents
        Code of the parent unit that the parcel belongs to (0002), empty for none, shape (parcels,).
    pois
        By category, the POIs that each parcel has by the rules of 0003, int64, shape (parcels,).
    """

    types: NDArray[Any]
    area: NDArray[np.float64]
    parents: NDArray[Any]
    pois: Mapping[str, NDArray[np.int64]]


@cache
def industries() -> Mapping[str, Industry]:
    """Return the industries by name, as ``data/gdp_industries.csv`` has them."""
    text = (files("carbongrid") / "data" / "gdp_industries.csv").read_text(encoding="utf-8")
    return {
        row["industry"]: Industry(
            row["industry"],
            tuple(row["types"].split("+")),
            row["weight"],
            tuple(name for name in row["categories"].split("+") if name),
        )
        for row in csv.DictReader(text.splitlines())
    }


def parcel_gdp(
    values: pd.DataFrame, land: Land, split: Split
) -> tuple[NDArray[np.int64], tuple[Problem, ...]]:
    """Spread the GDP of parent units over their parcels, industry by industry.

    Parameters
    ----------
    values
        Column region (code of a parent unit) and ``value``, or ``primary``, ``secondary`` and ``tertiary``: Int64
        in currency units, missing is unknown.
    land
        The parcels.
    split
        ``carbongrid.method.allocate.apportion``.

    Returns
    -------
    gdp : int64 array of shape (parcels,)
        Currency units. A parent with an unknown value has none on its parcels.
    notes : tuple of Problem
        One for each parent and industry that fell back to area, or to all of the parent's land.

    Raises
    ------
    InputError
        If a parent has GDP but no parcel that could carry it.

    Notes
    -----
    An industry's claim on a parcel of its types is the parcel's POIs, or its area; a parent without such POIs goes by the
    area of that land, without such land by the area of all its parcels.
    """
    spread = np.zeros(land.area.size, dtype=np.int64)
    notes: list[Problem] = []
    problems: list[Problem] = []
    columns = [name for name in industries() if name in values.columns]
    rows_of = _rows_by_parent(land.parents)
    for row in values.loc[values[columns].notna().all(axis=1)].to_dict("records"):
        parcels = rows_of.get(str(row["region"]), np.empty(0, dtype=np.int64))
        for name in columns:
            total = int(row[name])
            if total == 0:
                continue
            claims, note = _claims(industries()[name], land, parcels)
            where = f"gdp of {row['region']}, {name}"
            if not claims.any():
                problems.append(
                    Problem(
                        f"no parcel with any area can carry {total} currency units",
                        where,
                        "Leave its GDP blank (unknown), or give GDP by unit.",
                    )
                )
                continue
            if note:
                notes.append(Problem(note, where, level="note"))
            spread[parcels] += split(total, claims)
    if problems:
        raise InputError(problems)
    return spread, tuple(notes)


def unit_gdp(
    gdp: NDArray[np.int64],
    parents: NDArray[Any],
    overlap: csr_array,
    parcel_units: NDArray[np.int64],
    unit_parents: NDArray[Any],
    split: Split,
) -> NDArray[np.int64]:
    """Add the GDP of parcels up to units, each parcel's within its own parent.

    Parameters
    ----------
    gdp
        Currency units on each parcel, int64, shape (parcels,).
    parents
        Code of the parent that each parcel belongs to, shape (parcels,).
    overlap
        What parcels and units have in common, cells (int64) or m2 (float64), shape (parcels, units) or with
        *outside* as one column more.
    parcel_units
        Row of the unit that covers each parcel's representative point, -1 for none, shape (parcels,).
    unit_parents
        Code of each unit's parent, shape (units,).
    split
        ``carbongrid.method.allocate.apportion``.

    Returns
    -------
    int64 array of shape (units,)
        Currency units; the units of a parent add up to the GDP on its parcels with ``==``.

    Notes
    -----
    A parcel that overlaps no unit of its parent gives its GDP to the unit under its representative point.
    """
    units = unit_parents.size
    sums = np.zeros(units, dtype=np.int64)
    carrying = np.flatnonzero(gdp)
    row, column, weight, alone = _within_parents(carrying, parents, overlap, unit_parents)
    count = np.bincount(row, minlength=carrying.size)
    np.add.at(sums, parcel_units[carrying[alone]], gdp[carrying[alone]])
    start = np.concatenate(([0], np.cumsum(count[~alone])))
    np.add.at(sums, column, split(gdp[carrying[~alone]], weight, start))
    return sums


def weights_of_units(
    values: pd.DataFrame,
    land: Land,
    overlap: csr_array,
    parcel_units: NDArray[np.int64],
    unit_parents: NDArray[Any],
) -> dict[str, tuple[NDArray[np.float64], frozenset[str]]]:
    """Return, by industry, each unit's weight in the split of its parent's GDP, and the parents where that is the industry's own.

    Parameters
    ----------
    values, land
        As for :func:`parcel_gdp`.
    overlap, parcel_units, unit_parents
        As for :func:`unit_gdp`.

    Notes
    -----
    Real numbers, for the interval of the split only: what a unit gets is split in whole currency units by :func:`unit_gdp`.
    """
    row, column, weight, alone = _within_parents(
        np.arange(land.area.size), land.parents, overlap, unit_parents
    )
    whole = np.bincount(row, weight, land.area.size)
    rows_of = _rows_by_parent(land.parents)
    found = {}
    for name in [name for name in industries() if name in values.columns]:
        claims, by_rule = np.zeros(land.area.size), set()
        for region in values["region"].astype(str):
            parcels = rows_of.get(region, np.empty(0, dtype=np.int64))
            own, note = _claims(industries()[name], land, parcels)
            claims[parcels] = own
            if not note:
                by_rule.add(region)
        units = np.zeros(unit_parents.size)
        np.add.at(units, column, claims[row] * weight / whole[row])
        of_one = parcel_units[alone]
        np.add.at(units, of_one[of_one >= 0], claims[alone][of_one >= 0])
        found[name] = (units, frozenset(by_rule))
    return found


def gdp_of_units(
    values: pd.DataFrame,
    land: Land,
    overlap: csr_array,
    parcel_units: NDArray[np.int64],
    unit_parents: NDArray[Any],
    split: Split,
) -> tuple[pd.Series, tuple[Problem, ...]]:
    """Derive the GDP of units from that of their parents: :func:`parcel_gdp`, then :func:`unit_gdp`.

    Parameters
    ----------
    values, land, split
        As for :func:`parcel_gdp`.
    overlap, parcel_units, unit_parents
        As for :func:`unit_gdp`.

    Returns
    -------
    gdp : pandas.Series of Int64, shape (units,)
        Currency units; missing where the parent's GDP is unknown or not in the table. Zones that rest on it are
        indicative.
    notes : tuple of Problem
        What fell back, and which parents have no GDP.

    Raises
    ------
    InputError
        If the table names a region twice or one that is no parent of a unit; and as :func:`parcel_gdp`.
    """
    _check_regions(values, unit_parents)
    spread, notes = parcel_gdp(values, land, split)
    sums = unit_gdp(spread, land.parents, overlap, parcel_units, unit_parents, split)
    columns = [name for name in industries() if name in values.columns]
    known = set(values.loc[values[columns].notna().all(axis=1), "region"].astype(str))
    unknown = np.array([parent not in known for parent in unit_parents.tolist()], dtype=bool)
    missing = sorted({str(p) for p, no in zip(unit_parents, unknown, strict=True) if no})
    if missing:
        named = ", ".join(repr(parent) for parent in missing[:10])
        text = f"GDP is unknown for {len(missing)} parent units, so for all units in them: {named}"
        notes += (Problem(text, "gdp", level="note"),)
    return pd.Series(sums, dtype="Int64").mask(unknown), notes


def _within_parents(
    parcels: NDArray[np.int64],
    parents: NDArray[Any],
    overlap: csr_array,
    unit_parents: NDArray[Any],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any], NDArray[np.bool_]]:
    """Return what parcels share with units of their own parent: place of the parcel, unit, overlap; and which share nothing."""
    shares = overlap[parcels].tocsr().sorted_indices().tocoo()
    row, column = shares.coords
    inside = (column < unit_parents.size) & (shares.data > 0)
    inside[inside] = unit_parents[column[inside]] == parents[parcels[row[inside]]]
    place: NDArray[np.int64] = row[inside].astype(np.int64)
    unit: NDArray[np.int64] = column[inside].astype(np.int64)
    alone: NDArray[np.bool_] = np.bincount(place, minlength=parcels.size) == 0
    return place, unit, shares.data[inside], alone


def _rows_by_parent(parents: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Group the parcels by parent in one pass; rows stay in canonical order."""
    groups = pd.Series(np.arange(parents.size)).groupby(parents, sort=False)
    return {str(parent): group.to_numpy(dtype=np.int64) for parent, group in groups}


def _claims(industry: Industry, land: Land, parcels: NDArray[np.int64]) -> tuple[NDArray[Any], str]:
    """Return the industry's weight on a parent's parcels, and what it fell back to."""
    area = land.area[parcels]
    eligible = np.isin(land.types[parcels].astype(str), carrying_types(industry.types))
    if not (eligible & (area > 0)).any():
        return area, f"there is no {' or '.join(industry.types)} land: spread over all the land"
    if industry.weight == "pois":
        counts = np.zeros(parcels.size, dtype=np.int64)
        for category in industry.categories:
            if category in land.pois:
                counts += land.pois[category][parcels]
        if counts.any():
            return counts, ""
        return np.where(eligible, area, 0.0), "there are no POIs on its land: spread by area"
    return np.where(eligible, area, 0.0), ""


def _check_regions(values: pd.DataFrame, unit_parents: NDArray[Any]) -> None:
    regions = values["region"].astype(str)
    parents = set(unit_parents.tolist())
    problems = [
        Problem(f"region {region!r} is no parent of any unit", "gdp", "Check gdp.by and the code.")
        for region in regions
        if region not in parents
    ]
    problems += [
        Problem(f"region {region!r} has two rows", "gdp", "Keep one.")
        for region in regions[regions.duplicated()]
    ]
    if problems:
        raise InputError(problems)
