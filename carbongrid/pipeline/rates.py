"""What totals come to for each hectare and person, held against what land and people can do: a total a thousand times off adds up as well as a right one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import Level, Problem
from carbongrid.method.categories import Category, homes
from carbongrid.method.evidence import EvidenceRow, in_words

MOST_UPTAKE = 110.0
"""t CO2 per ha and year: 3 kg of carbon per m2, net primary production of the most productive vegetation there is (recalled)."""

HOMES = (0.01, 25.0)
"""t CO2e per person and year that homes emit at least and at most: a few kg without fuel or current, thrice what heating and cooling takes where it takes most (recalled)."""

TOLD, WARNED = 2.0, 20.0
"""A sink so many times what coefficients give, or one in so many, is told, and warned of: factors for forests alone are 6.6 times apart."""

_CARBON = 44 / 12
_M2, _GRAMS = 1e4, 1e6


def problems_of_uptake(
    category: Category,
    grams: NDArray[np.int64],
    parcels: pd.DataFrame,
    rows: NDArray[np.int64],
    coefficients: Mapping[str, float],
) -> list[Problem]:
    """Return what is odd of a sink's uptake by area: more than any land has, or far from what the package's coefficients give.

    Parameters
    ----------
    category
        Any; of an emission nothing is said.
    grams : int64, shape (rows,)
        What parcels have of it.
    parcels
        All of them: type, area_m2.
    rows
        Those of the grams.
    coefficients
        t C ha-1 yr-1 of each territorial type.
    """
    some = np.flatnonzero(grams) if category.sink else np.empty(0, np.int64)
    hectares = parcels["area_m2"].to_numpy(np.float64)[rows[some]] / _M2
    if not hectares.sum():
        return []
    whole, tonnes = float(hectares.sum()), float(grams[some].sum()) / _GRAMS
    rate, where = in_words(tonnes / whole), f"categories: {category.name}"
    hint = "Check its unit: a tonne of carbon is 44/12 t of CO2, a mu is 1/15 ha."
    if tonnes > MOST_UPTAKE * whole:
        what = f"{rate} t a year on each of {whole:,.0f} ha, more than the {MOST_UPTAKE:g} of any vegetation"
        return [Problem(what, where, hint, "warning")]
    uptake = parcels["type"].iloc[rows[some]].map(coefficients).fillna(0.0).to_numpy(np.float64)
    given = float(hectares @ uptake) * _CARBON
    times = tonnes / given if given else 1.0
    if 1 / TOLD <= times <= TOLD:
        return []
    level: Level = "note" if 1 / WARNED <= times <= WARNED else "warning"
    what = f"{rate} t a year on each of {whole:,.0f} ha, {in_words(times)} times the {given:,.0f} t that the package's coefficients give for them"
    if times < 1:
        what = f"{rate} t a year on each of {whole:,.0f} ha, one part in {in_words(1 / times)} of the {given:,.0f} t that the package's coefficients give for them"
    return [Problem(what, where, hint, level)]


def problems_of_homes(rows: Iterable[EvidenceRow]) -> list[Problem]:
    """Return a warning if what homes emit for each person is more, or less, than any homes do: people are those of all homes together."""
    own = [row for row in rows if row.category in homes() and row.evidence == "people" and row.used]
    if not own:
        return []
    people = own[0].in_units(own[0].used) or 0.0
    tonnes = sum(row.spread for row in own) / _GRAMS
    least, most = HOMES
    if least * people <= tonnes <= most * people or not tonnes:
        return []
    rate = in_words(tonnes / people)
    what = f"homes emit {rate} t a year for each of {people:,.0f} people, more than the {most:g} of any homes"
    if tonnes < least * people:
        what = f"homes emit {rate} t a year for each of {people:,.0f} people, less than the {least:g} of any homes"
    names = ", ".join(row.category for row in own)
    hint = "Check the units of their totals, and that all people are there."
    return [Problem(what, f"categories: {names}", hint, "warning")]
