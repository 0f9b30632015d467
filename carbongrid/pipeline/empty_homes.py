"""Units on whose land of homes hardly any people of their own lie, though nobody says that it stands empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem, listed
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import PackedWeights
from carbongrid.method.weights.people import THOUSANDTHS
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.residents import census_of, counted_as_empty, pointed_as_empty
from carbongrid.pipeline.weights_step import regions_of

_EMPTY = 10_000.0
"""Of less land, m2, nobody need live on it: a house may stand empty."""
_EMPTY_KIND = 100_000.0
"""Likewise of one kind of homes, where people live on another: a point stands for all who live around it."""
_HARDLY = 1e-3
"""Fewer people per area than this part of their region's mean are hardly any: a new town or an island has more than a hundredth."""
_LISTED = 5
_CHECK_POINTS = "Check that the people that are read cover these units; of those where nobody lives a row of 0 in the census says so."
_CHECK_RASTER = "Check that the raster has the people of these units, and its 0 is no missing value; of those where nobody lives a row of 0 in the census says so."
"""A raster covers what it calls 0, which it may be where it knows nothing."""


def homes_without_people(
    inputs: Inputs,
    land: Land,
    claims: Mapping[str, PackedWeights],
    ledger: Sequence[LedgerRow],
    residents: NDArray[np.float64],
) -> list[Problem]:
    """Return warnings of the units on whose land of homes hardly any people of their own lie, though neither the census nor a point of 0 says that nobody lives there: what goes by people goes to others.

    Parameters
    ----------
    inputs, land
        The tables, and where parcels stand.
    claims, ledger
        Those of the categories that are spread. Where nothing goes by people, as in regions without a total, nothing goes to others.
    residents : float64, shape (units,)
        Who lives in each unit, as points or cells have it; NaN where it is not known.
    """
    names = [name for name, each in inputs.categories.items() if each.weight == "people" and name in claims]  # fmt: skip
    if inputs.people is None or not names:
        return []
    found = [_of_category(inputs, land, claims[name], ledger, residents, name) for name in names]
    homes, hardly = (np.array(each) for each in zip(*found, strict=True))
    lived_on = (homes > 0) & ~hardly
    hardly &= homes >= np.where(lived_on.any(axis=0), _EMPTY_KIND, _EMPTY)
    census = census_of(inputs, land)
    if census is not None:
        hardly &= ~counted_as_empty(census)
    # To find the units of a million points takes seconds.
    if hardly.any() and isinstance(inputs.people, pd.DataFrame):
        hardly &= ~pointed_as_empty(inputs.people, land.units.geometry)
    # Units are told together that have no people for the same categories.
    alike: dict[tuple[str, ...], list[int]] = {}
    for unit in np.flatnonzero(hardly.any(axis=0)).tolist():
        alike.setdefault(tuple(np.array(names)[hardly[:, unit]].tolist()), []).append(unit)
    return [_told(inputs, land, {name: claims[name] for name in which}, units) for which, units in alike.items()]  # fmt: skip


def _of_category(
    inputs: Inputs,
    land: Land,
    claim: PackedWeights,
    ledger: Sequence[LedgerRow],
    residents: NDArray[np.float64],
    name: str,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return each unit's land that carries a category that goes by people there, in m2, and whether hardly any of its people lie on it."""
    unit, size = land.unit_of_parcel[claim.rows], len(land.units)

    def of_units(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(unit[unit >= 0], values[unit >= 0], size)

    codes = regions_of(inputs, name)
    by_people = {row.region: row.by_rule for row in ledger if row.category == name}
    account = land.regions_of_units(codes)  # -1, the last, is the rest
    spread = np.array([by_people.get(code, 0) for code in (*codes, WHOLE)]) > 0
    homes = np.where(spread[account], of_units(_known_land(land, claim)), 0.0)
    # Who lives around is no resident: near homes take the neighbours' points as well.
    people = np.fmin(of_units(claim.arrays["weight"]), THOUSANDTHS * residents)
    if not isinstance(inputs.people, pd.DataFrame):
        # A small unit may have part of a cell and no centre of one.
        people = np.maximum(people, of_units(claim.arrays["inside"]))
    sums, areas = (np.bincount(account % spread.size, each, spread.size) for each in (people, homes))  # fmt: skip
    mean = np.divide(sums, areas, out=np.zeros(spread.size), where=areas > 0)
    return homes, people < _HARDLY * mean[account] * homes


def _known_land(land: Land, claim: PackedWeights) -> NDArray[np.float64]:
    """Return the land of each row that carries the category, in m2, without that of which a raster says nothing: of it that is told elsewhere."""
    area = land.parcels["area_m2"].to_numpy(np.float64)[claim.rows]
    known: NDArray[np.float64] = area * claim.arrays["eligible"] - claim.arrays.get("silent", 0.0)
    return known


def _told(
    inputs: Inputs, land: Land, claims: Mapping[str, PackedWeights], units: Sequence[int]
) -> Problem:
    # Land that carries several categories counts once.
    known = np.zeros(len(land.parcels))
    for claim in claims.values():
        known[claim.rows] = np.maximum(known[claim.rows], _known_land(land, claim))
    inside = land.unit_of_parcel >= 0
    homes = np.bincount(land.unit_of_parcel[inside], known[inside], len(land.units))
    ids, called = (land.units[column].astype(str).to_numpy() for column in ("id", "name"))
    largest = sorted(units, key=lambda unit: -homes[unit])
    which = listed((f"{' '.join(dict.fromkeys(filter(None, (ids[k], called[k]))))} ({homes[k] / 1e4:,.0f} ha)" for k in largest), _LISTED, count=len(units))  # fmt: skip
    return Problem(
        f"no people of their own, or hardly any, lie on the land of {', '.join(claims)} in {len(units)} of {len(land.units)} units, so that what goes by people there goes to others: {which}",
        f"{inputs.case.path.name}: [people]",
        _CHECK_POINTS if isinstance(inputs.people, pd.DataFrame) else _CHECK_RASTER,
        "warning",
    )
