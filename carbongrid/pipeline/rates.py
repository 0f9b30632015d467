"""What totals and GDP come to for each hectare and person, held against what land and people can do: what is a thousand times off adds up as well as what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.figures import GdpSection
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import masses_here
from carbongrid.errors import Problem, listed
from carbongrid.inventory.units_of_measure import base_currency, grams_of_text
from carbongrid.method.agreement import NEAR_UNIT_SLIP, UNIT_SLIPS, slip_of
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.categories import Category, homes
from carbongrid.method.evidence import EvidenceRow, in_words
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import eligible
from carbongrid.pipeline.land import Land

MAX_UPTAKE = 110.0
"""t CO2 per ha and year: 3 kg of carbon per m2, net primary production of the most productive vegetation there is (recalled)."""

HOMES = (0.01, 25.0)
"""t CO2e per person and year that homes emit at least and at most: a few kg without fuel or current, thrice what heating and cooling takes where it takes most (recalled)."""

TOLD = 2.0
"""A sink so many times what coefficients give, or one part in so many, is told. No more than that: published factors for forests are 6.6 times apart, for grass 45."""

PER_PERSON, PER_KM2 = 100.0, 1000.0
"""GDP so many times the median of all regions, or one part in so many, is in another unit: cities are that much denser than mountains, but not richer."""

OF_ALL = (0.01, 10_000.0)
"""t CO2e per person and year that a place emits at least, where three sectors of it are counted, and at most: the poorest countries emit thrice the first of CO2 alone, and a town beside the largest works of coal chemistry a seventh of the second (recalled)."""

OF_ONE = {"transport/road": 100.0, "waste/domestic": 100.0, "industry/f-gases": 100.0}
"""t CO2e per person and year that a category emits at most: twenty times of what countries do where they do most, since motorways lead through places where few live, and a city's landfill lies in a small town; of fluorinated gases in use a hundred times, and kg for t is a thousand (recalled)."""

MAX_EMISSION = 2e10
"""t CO2e that no country emits in a year (recalled)."""

GDP_PER_PERSON = (10.0, 1e8)
"""Of a currency a year, that all regions together have at least, in any of them, and at most in one of :data:`_STRONG`: the poorest countries have 200 dollars, the richest 200,000 (recalled)."""

_STRONG = ("CAD", "CHF", "CNY", "EUR", "GBP", "HKD", "USD")
"""Currencies of which one is no less than a tenth of a dollar; of others 1e8 may be a year's income."""

_APART, _SELDOM = 100.0, 3.0
"""So many times estimates of one place are hardly apart, and seldom by years, gases and scopes."""

_CITY, _SECTORS = 10_000, 3
"""Fewer people may live beside works that emit for others; fewer sectors are no inventory."""

_PEOPLE, _REGIONS = 1000, 5
"""Fewer people may live beside works that earn for others; fewer regions have no median worth the name."""

_LISTED = 5
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
    if tonnes > MAX_UPTAKE * whole:
        what = f"{rate} t a year on each of {whole:,.0f} ha, more than the {MAX_UPTAKE:g} of any vegetation"
        return [Problem(what, where, hint, "warning")]
    # Each type is looked up once: a fifth of what it takes to map the texts.
    codes, kinds = pd.factorize(parcels["type"].iloc[rows[some]])
    uptake = np.array([coefficients.get(kind, 0.0) for kind in kinds])[codes]
    given = float(hectares @ uptake) * _CARBON
    times = tonnes / given if given else 1.0
    if 1 / TOLD <= times <= TOLD:
        return []
    what = f"{rate} t a year on each of {whole:,.0f} ha, {in_words(times)} times the {given:,.0f} t that the package's coefficients give for them"
    if times < 1:
        what = f"{rate} t a year on each of {whole:,.0f} ha, one part in {in_words(1 / times)} of the {given:,.0f} t that the package's coefficients give for them"
    return [Problem(what, where, hint, "note")]


def problems_of_homes(
    inputs: Inputs, rows: Sequence[EvidenceRow], ledger: Sequence[LedgerRow]
) -> list[Problem]:
    """Return a warning if what homes emit for each person is more, or less, than any homes do.

    People are those of all homes together: nothing is said unless all homes that have land go by them, with a total of the whole and without facilities.
    """
    kinds = {name for name, each in homes().items() if eligible(inputs.categories.get(name, each), inputs.parcels).any()}  # fmt: skip
    own = [row for row in rows if row.category in kinds and row.evidence == "people" and row.used]
    whole = {row.category for row in ledger if row.region == WHOLE and row.total == row.by_rule}
    if not own or {row.category for row in own} != kinds or not kinds <= whole:
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


def problems_of_emission(inputs: Inputs, residents: NDArray[np.float64]) -> list[Problem]:
    """Return a warning of emissions that are more than any country's, or for each person more or less than any place emits.

    Parameters
    ----------
    inputs
        The tables.
    residents : float64, shape (units,)
        Who lives in each unit, NaN where it is not known: then nothing is said of persons.
    """
    here = {name: grams / _GRAMS for name, grams in masses_here(inputs.totals).items() if not inputs.categories[name].sink}  # fmt: skip
    whole, people = sum(here.values()), float(residents.sum())
    where, hint = "totals", "Check the units of the totals, and that all people are there."
    if whole > MAX_EMISSION:
        what = f"emissions add up to {whole:,.0f} t a year, more than the {MAX_EMISSION:,.0f} t of any country"
        return [Problem(what, where, hint, "warning")]
    if not people >= _CITY or not whole:
        return []
    sectors = {inputs.categories[name].sector for name, tonnes in here.items() if tonnes}
    least, most = OF_ALL
    if whole > most * people:
        what = f"emissions come to {in_words(whole / people)} t a year for each of {people:,.0f} people, more than the {most:,g} of any place"
        return [Problem(what, where, hint, "warning")]
    if whole < least * people and len(sectors) >= _SECTORS:
        what = f"emissions come to {in_words(whole / people)} t a year for each of {people:,.0f} people, less than the {least:,g} of any place"
        return [Problem(what, where, hint, "warning")]
    return [
        Problem(f"{name} comes to {in_words(here[name] / people)} t a year for each of {people:,.0f} people, more than the {most:,g} of any place", f"categories: {name}", hint, "warning")
        for name, most in OF_ONE.items()
        if here.get(name, 0.0) > most * people
    ]  # fmt: skip


def problems_of_benchmark(inputs: Inputs) -> list[Problem]:
    """Return what is odd of emissions beside the published total: a warning where they are a hundred times apart, a note from three times on."""
    given = inputs.case.benchmark
    published = 0 if given is None else grams_of_text(given.total)
    here = sum(grams for name, grams in masses_here(inputs.totals).items() if not inputs.categories[name].sink)  # fmt: skip
    if given is None or not published or not here:
        return []
    times = here / published
    slip = slip_of(times, UNIT_SLIPS, NEAR_UNIT_SLIP)
    apart = not 1 / _APART < times < _APART
    if not slip and 1 / _SELDOM < times < _SELDOM:
        return []
    told = f"emissions come to {in_words(times)} times the benchmark, {given.total}"
    what = f"{told}, by more than years, gases and scopes usually make"
    if slip:
        what = f"{told}, as if {slip}"
    elif apart:
        what = f"{told}, further apart than estimates of one place are"
    hint = "Look at its unit, at those of the totals, and at what it is of."
    return [Problem(what, f"{inputs.case.path.name}: [benchmark]", hint, "warning" if apart else "note")]  # fmt: skip


def problems_of_gdp(inputs: Inputs, land: Land, residents: NDArray[np.float64]) -> list[Problem]:
    """Return a warning of regions whose GDP for each person, or where people are not known for each km2, is far from that of the others; else one if that of all together is none of any place.

    Parameters
    ----------
    inputs, land
        The tables, and the units.
    residents : float64, shape (units,)
        Who lives in each unit, NaN where it is not known.
    """
    case, table = inputs.case, inputs.gdp
    if case.gdp is None or table is None or table.empty:
        return []
    region = land.units["id" if case.gdp.by == "unit" else case.gdp.by].to_numpy(object)
    amounts = table.drop(columns="region").astype("Float64").sum(axis=1, skipna=False)
    gdp = pd.Series(amounts.to_numpy(np.float64, na_value=np.nan), table["region"])
    people = pd.Series(residents, region).groupby(level=0).sum(min_count=1).reindex(gdp.index)
    if 2 * int((people >= _PEOPLE).sum()) >= len(gdp):
        each, limit = gdp / people[people >= _PEOPLE], PER_PERSON
    else:
        area = land.units.geometry.area.to_numpy() / 1e6
        each, limit = gdp / pd.Series(area, region).groupby(level=0).sum(), PER_KM2
    each = each[each > 0]
    times = each / each.median()
    far = times[(times > limit) | (times * limit < 1)]
    if len(each) < _REGIONS or far.empty:
        everybody = float(people.sum(skipna=False))
        return _problems_of_money(float(gdp.sum(skipna=False)), everybody, case.gdp)
    which = listed((f"{code} ({in_words(by)} times)" for code, by in far.items()), _LISTED)
    what = f"GDP for each person is more than {limit:,g} times the median of {len(each)} regions, or less than one part in {limit:,g}, in {len(far)}: {which}"
    if limit == PER_KM2:
        what = f"GDP for each km2 is more than {limit:,g} times the median of {len(each)} regions, or less than one part in {limit:,g}, in {len(far)}: {which}"
    hint = "Check that all are in one unit: the ECC of every unit rests on the sum."
    return [Problem(what, case.gdp.path, hint, "warning")]


def _problems_of_money(gdp: float, people: float, section: GdpSection) -> list[Problem]:
    """Return a warning of GDP that for each person is less than any place has, or more: all figures are in another unit than the case says."""
    currency = base_currency(section.currency)
    least, most = GDP_PER_PERSON
    if not people >= _CITY or not gdp > 0:
        return []
    each = (
        f"GDP comes to {in_words(gdp / people)} {currency} a year for each of {people:,.0f} people"
    )
    if gdp < least * people:
        what = f"{each}, less than the {least:,.0f} of any place"
    elif gdp > most * people and currency in _STRONG:
        what = f"{each}, more than the {most:,.0f} of any place"
    else:
        return []
    hint = "Check [gdp] currency: it says what one of the table counts, such as 1e4 CNY."
    return [Problem(what, section.path, hint, "warning")]
