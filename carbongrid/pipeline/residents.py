"""Who lives where: on parcels, as a weight, and in units, as a number; both of the same people, scaled to the same census."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.inputs import Inputs
from carbongrid.method.categories import Category, homes
from carbongrid.method.weights import (
    Census,
    Residents,
    eligible,
    locate,
    people_by_parcel,
    people_points,
)
from carbongrid.method.weights.people import polygons_in, shares_known
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.sections import FOLDER
from carbongrid.raster.opening.stores import open_arrays

FILES = [f"{FOLDER}/residents.npz"]


def residents_on_parcels(inputs: Inputs, land: Land) -> Residents | None:
    """Return the people on parcels that carry homes; None where the case has no people."""
    if inputs.people is None:
        return None
    residential = residential_parcels(
        {**categories_of(inputs.case), **inputs.categories}, land.parcels
    )
    census = census_of(inputs, land)
    return people_by_parcel(inputs.people, land.parcels, residential, census, shared_over(inputs, land))  # fmt: skip


def residential_parcels(
    categories: Mapping[str, Category], parcels: pd.DataFrame
) -> NDArray[np.bool_]:
    """Return the parcels that people are located on: land of homes, and of all categories that go by people.

    Land of homes counts without a total too, and where a case spreads homes by something else: their people are not those of the other kind of home.
    """
    found = np.zeros(len(parcels), np.bool_)
    for category in _with_people(categories):
        found |= eligible(category, parcels)
    return found


def residential_types(categories: Mapping[str, Category]) -> frozenset[str]:
    """Return the types of land that people are located on, as :func:`residential_parcels` has the parcels."""
    return frozenset(name for each in _with_people(categories) for name in each.types)


def _with_people(categories: Mapping[str, Category]) -> list[Category]:
    by_people = (each for each in categories.values() if each.weight == "people")
    return [*homes().values(), *by_people]


def shared_over(inputs: Inputs, land: Land) -> gpd.GeoSeries | None:
    """Return the units that a cell of people on a border is shared out over; None where it is its centre's."""
    people = inputs.case.people
    return land.units.geometry if people is not None and people.share == "exact" else None


def census_of(inputs: Inputs, land: Land) -> Census | None:
    """Return the census as regions of units, or None where the case has none."""
    if inputs.census is None:
        return None
    codes = list(inputs.census["region"])
    thousandths = inputs.census["thousandths"].to_numpy(np.int64)
    return Census(land.units.geometry.to_numpy(), land.regions_of_units(codes), thousandths, codes)


def residents_of_units(inputs: Inputs, land: Land) -> tuple[NDArray[np.float64], float]:
    """Return the people in each unit, and those in none; NaN where nothing is known of them: in a case without people, and where a raster has no value in all of a unit of which the census does not say that it has nobody."""
    if inputs.people is None:
        return np.full(len(land.units), np.nan), np.nan
    census = census_of(inputs, land)
    people = people_points(inputs.people, land.units.crs, census, shared_over(inputs, land))
    unit = people.unit
    if unit is None:
        unit = locate(people.x, people.y, land.units.geometry.to_numpy())
    # The last sum is of those in none.
    sums = np.zeros(len(land.units) + 1, np.int64)
    np.add.at(sums, unit, people.thousandths)
    inside = sums[:-1] / 1000.0
    if not isinstance(inputs.people, pd.DataFrame):
        everywhere = np.arange(len(land.units))
        known, _ = shares_known(inputs.people, polygons_in(land.units, inputs.people.crs, everywhere))  # fmt: skip
        silent = known == 0
        # A census of nobody knows more than a raster that is silent.
        nobody = np.zeros(len(silent), np.bool_) if census is None else counted_as_empty(census)
        inside[silent & (inside == 0) & ~nobody] = np.nan
    return inside, float(sums[-1] / 1000.0)


def counted_as_empty(census: Census) -> NDArray[np.bool_]:
    """Return the units of which a census says that nobody lives there."""
    return np.append(census.thousandths == 0, False)[census.region_of_unit]


def pointed_as_empty(people: pd.DataFrame, units: gpd.GeoSeries) -> NDArray[np.bool_]:
    """Return the units in which points of people stand that all say that nobody lives there."""
    unit = locate(people["x"].to_numpy(np.float64), people["y"].to_numpy(np.float64), units.to_numpy())  # fmt: skip
    inside, thousandths = unit >= 0, people["thousandths"].to_numpy(np.int64)
    points = np.bincount(unit[inside], minlength=len(units))
    found: NDArray[np.bool_] = (points > 0) & (np.bincount(unit[inside], thousandths[inside], len(units)) == 0)  # fmt: skip
    return found


def files_of_residents(inputs: Inputs, _: Land) -> list[str]:
    """Return the files of the residents of units; none where the case has no people."""
    return [] if inputs.people is None else FILES


def save_residents(folder: Path, residents: tuple[NDArray[np.float64], float]) -> None:
    """Write the people in each unit, and those in none."""
    inside, outside = residents
    with (folder / FILES[0]).open("wb") as stream:
        np.savez(stream, inside=inside, outside=np.float64(outside))


def load_residents(folder: Path, *_: Any) -> tuple[NDArray[np.float64], float]:
    """Read them back."""
    with open_arrays(folder / FILES[0]) as arrays:
        return arrays["inside"], float(arrays["outside"])
