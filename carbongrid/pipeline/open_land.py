"""What lies on parks and sports grounds by area alone: they are public land, to which the study gives no emission."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import Problem, listed
from carbongrid.method.allocate import Facility
from carbongrid.method.categories import Category
from carbongrid.method.landuse import PARENT, codes_of_open_land, match_codes, read_code_system
from carbongrid.method.tonnes import readable_tonnes
from carbongrid.method.weights.claims import Weights

_OPEN = "public"
"""Type of land that has codes of open land."""

_TOLD_FROM = 0.1
"""Part of what goes by area from which on it is told: less is within what area can tell."""


def mass_on_open_land(
    category: Category,
    claims: Weights,
    grams: NDArray[np.int64],
    facilities: Sequence[Facility],
    parcels: pd.DataFrame,
    rows: NDArray[np.int64],
    system: str,
) -> list[Problem]:
    """Return a warning where much of what goes by area, as its rule or for want of anything else, lies on open land.

    Parameters
    ----------
    category, claims
        The category, and its claims on some parcels.
    grams : int64, shape (rows,)
        What these have.
    facilities
        Those of the category: name, place in ``rows`` (-1: without coordinates), grams.
    parcels
        All of them: land_use, type, area_m2.
    rows
        Those of the claims.
    system
        The case's code system. A table of the user's own says itself what parks are.
    """
    levels = {PARENT.get(name.partition(":")[0], "") for name in category.types}
    if category.sink or PARENT[_OPEN] not in levels or not codes_of_open_land(system):
        return []
    by_area = np.where((claims.rule == "area") | (claims.weight == 0), grams, 0)
    for _, place, known in facilities:
        if place >= 0 and by_area[place]:
            by_area[place] -= known
    some = np.flatnonzero(by_area > 0)
    mass = int(by_area[some].sum())
    told_from = max(1, _TOLD_FROM * mass)
    public = some[(parcels["type"].iloc[rows[some]] == _OPEN).to_numpy(dtype=bool)]
    # Codes are looked up where public land has enough at all: every answer of a finished run asks this of every category.
    if int(by_area[public].sum()) < told_from:
        return []
    land = parcels[["land_use", "area_m2"]].iloc[rows[public]]
    codes = match_codes(land["land_use"], read_code_system(system))["matched"]
    is_open = codes.isin(codes_of_open_land(system)).to_numpy(dtype=bool)
    there = int(by_area[public][is_open].sum())
    if there < told_from:
        return []
    m2 = float(land["area_m2"].to_numpy(np.float64)[is_open].sum())
    what = (
        f"{there / mass:.0%} of what goes by area, {readable_tonnes(there)} t, lies on {m2 / 1e6:,.4g} km2 of parks, squares and sports grounds "
        f"({listed(sorted(set(codes[is_open])))}), to which the study gives no emission"
    )
    hint = "Let POIs of it carry it (weight pois), or name its emitters as facilities; or let other types do, or these codes carry nothing (type none, in a CSV of your own): docs/howto/factor.md."
    return [Problem(what, f"categories: {category.name}", hint, "warning")]
