"""What may be changed of a case whose land stays as it is: totals, facilities, weights; checked as if read from its files."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from carbongrid.case.fields import meant, nearest
from carbongrid.case.readers.facilities import under_totals
from carbongrid.case.readers.inputs import Inputs, ancestors_of, codes_of
from carbongrid.case.readers.region_columns import codes_by_name
from carbongrid.case.readers.regions import OF_TOTAL, check_regions, fit_to_whole, masses_here
from carbongrid.case.readers.tables import Faults, records
from carbongrid.case.readers.totals import notes_on_gases
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.electricity import rows_set_aside, side_of
from carbongrid.inventory.units_of_measure import exact_grams, exact_grams_of_text, gas_of_text
from carbongrid.method.categories import Category, weight_fault
from carbongrid.pipeline.land import Land
from carbongrid.raster.labelled import require_real, require_unmasked

TOTALS, FACILITIES, WEIGHTS = "with_totals", "without", "with_weights"
RUN = "Write it in the case and run it: what does not change is taken over."
"""The way out where an answer would take what a finished run does not keep."""

MEASURED = ("pois", "people", "roads", "lines")
"""Rules that measure geometry."""

Key = str | tuple[str, str]
"""A category, or a category and a region."""
Mass = str | float | int | Decimal | Fraction
"""A mass with its unit, such as ``12.5 Mt CO2e``; a number is in tonnes of what the total was of that it replaces."""


class Total(NamedTuple):
    """A total in grams before they are rounded, and the gas that it is told in: blank is that of the total in whose place it stands."""

    exact: Fraction
    gas: str

    @property
    def grams(self) -> int:
        """In whole grams, rounded by itself."""
        return round(self.exact)


def require_by_category(given: object, where: str) -> None:
    """Raise InputError unless what is given is a mapping or a Series, by category."""
    if not isinstance(given, Mapping | pd.Series):
        raise InputError(f"expected a mapping by category, not {type(given).__name__}", where, 'Give such as {"industry/mining": ...}.')  # fmt: skip


def total_given(value: Mass, key: Key) -> Total:
    """Return a mass, read as a table of totals is.

    Raises
    ------
    InputError
        If it is no mass, or negative.
    """
    parts = key if isinstance(key, tuple) else (key, "")
    if len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        what = f"{key!r} is no category, and no pair of category and region"
        raise InputError(what, TOTALS, "Both are text, the region's code too.")
    where, gas = f"{TOTALS}, {_named(key)}", ""
    hint = "Mass is >= 0: a sink that is negative is a source, of a category of its own."
    negative = InputError(f"a total is negative: {value}", where, hint)
    try:
        if isinstance(value, str):
            if value.strip().startswith("-"):
                raise negative
            mass, gas = exact_grams_of_text(value), gas_of_text(value)
        elif isinstance(value, bool | np.bool_) or not math.isfinite(value):
            raise InputError(f"{value!r} is no mass", hint="Give t CO2e, or text with a unit.")
        elif isinstance(value, Fraction):
            exact_grams(Decimal(round(value * 10**6)), "g CO2e")  # or it is too large
            mass = value * 10**6
        else:
            number = value.item() if isinstance(value, np.generic) else value
            mass = exact_grams(Decimal(str(number)), "t CO2e")
    except InputError as error:
        if error is negative:
            raise
        raise InputError(dataclasses.replace(each, where=where) for each in error.problems) from error  # fmt: skip
    except (TypeError, ValueError, OverflowError, InvalidOperation):
        what = f"{value!r:.80} is no mass"
        raise InputError(what, where, "Give t CO2e, or text with a unit.") from None
    if round(mass) < 0:
        raise negative
    return Total(mass, gas)


def with_totals(
    inputs: Inputs,
    land: Land,
    given: Mapping[Key, Total],
    names_of_parents: Callable[[], Mapping[str, Any]],
) -> Inputs:
    """Return the inputs with other totals, and with facilities that follow them.

    Parameters
    ----------
    inputs, land
        Those of a run.
    given
        By category, or by category and region. A total that was there is replaced; one of a further region is added.
    names_of_parents
        Returns the columns of the units that name their parents: read where a region is unknown, for the message.

    Raises
    ------
    InputError
        For a category without a total, a total given twice, a region that is none, regions that contradict their whole, facilities above their total, and a
        total that would change what counts of electricity.
    """
    rows = records(inputs.totals, inputs.totals.columns)
    seen = set[tuple[str, str]]()
    for key, total in given.items():
        name, region = (key, "") if isinstance(key, str) else key
        if (name, region) in seen:
            what = "the total is given twice, as a name and as a name with no region"
            raise InputError(what, f"{TOTALS}, {_named(key)}", "Give it once.")
        seen.add((name, region))
        _set_total(rows, inputs, land, (name, region), total, names_of_parents)
    rows.sort(key=itemgetter("category", "region", "place"))
    changed = {name for name, _ in seen}
    own = [row for row in rows if row["category"] in changed]
    for row in own:
        row.setdefault("exact", row["grams"] + Fraction(row["remainder"]))
    fit_to_whole(own)
    for row in own:
        row["remainder"] = str(row["exact"] - row["grams"])
    totals = pd.DataFrame(rows, columns=list(inputs.totals)).astype(inputs.totals.dtypes)
    return under_new_totals(inputs, totals, inputs.facilities)


def whole_total(inputs: Inputs, name: str) -> int:
    """Return the grams of a category's whole total here, or of its regions where it has no whole."""
    return masses_here(inputs.totals).get(name, 0)


def by_one_total(inputs: Inputs) -> Inputs:
    """Return the inputs with one whole total of each category, without those of regions and without a facility."""
    totals = inputs.totals.drop_duplicates(["category", "place"]).assign(region="", remainder="0")
    grams_here = [whole_total(inputs, name) for name in totals["category"]]
    totals = totals.assign(grams=totals["grams"].where(totals["place"] != "here", grams_here))
    return dataclasses.replace(inputs, totals=totals.astype(inputs.totals.dtypes), facilities=None)


def without_facility(inputs: Inputs, land: Land, row: int, unit: int, *, remove: bool) -> Inputs:
    """Return the inputs without a facility.

    Parameters
    ----------
    inputs, land
        Those of a run.
    row
        Of the facility in its table.
    unit
        Row of the unit in which it lies, -1 for none.
    remove
        Whether its mass is taken off the total of its category; else the rest of the category takes it.
    """
    table, totals = inputs.facilities, inputs.totals
    assert table is not None, "there is a row of it"
    if remove:
        name, mass = str(table["category"].iloc[row]), int(table["grams"].iloc[row])
        own = (totals["category"] == name) & (totals["place"] == HERE)
        regions = [code for code in sorted(totals.loc[own, "region"]) if code]
        home = land.regions_at(regions, np.array([unit], np.int64))[0]
        # What a region has is part of the whole.
        falls = own & totals["region"].isin(["", regions[home]] if home >= 0 else [""])
        if not falls.any():
            what = f"{str(table['name'].iloc[row])!r} has no place, and {name} has totals of regions only: nobody knows whose falls"
            raise InputError(what, FACILITIES, 'Give emission="redistribute", or change the totals too.')  # fmt: skip
        totals = totals.assign(grams=totals["grams"].where(~falls, totals["grams"] - mass))
        # A share was told of the total with the facility in it: the others emit what they did.
        shared = (table["category"] == name) & (table["way"] == "share")
        table = table.assign(way=table["way"].where(~shared, "value"))
    kept = np.arange(len(table)) != row
    return under_new_totals(inputs, totals, table[kept].reset_index(drop=True))


def facility_row(inputs: Inputs, name: str, category: str | None) -> int:
    """Return the row of a facility.

    Raises
    ------
    InputError
        If there is none of this name, or several and the category is not said.
    """
    if not isinstance(name, str):
        raise InputError(f"{name!r:.80} is no name of a facility", FACILITIES, "Give its name, as facilities.csv of the run has it.")  # fmt: skip
    table = inputs.facilities
    names, categories = (
        [] if table is None else table[column].tolist() for column in ("name", "category")
    )
    both = enumerate(zip(names, categories, strict=True))
    rows = [row for row, (each, of) in both if each == name and category in (None, of)]
    if len(rows) == 1:
        return rows[0]
    if rows:
        several = ", ".join(categories[row] for row in rows)
        raise InputError(f"{name!r} is a facility of {several}", FACILITIES, "Say which: category=...")  # fmt: skip
    close = nearest(name, names)
    hint = meant(close, name) if close else "facilities.csv of the run lists them."
    of = "" if category is None else f" of {category}"
    raise InputError(f"the run has no facility {name!r}{of}", FACILITIES, hint)


def with_weight(inputs: Inputs, name: str, weight: str) -> Inputs:
    """Return the inputs with another weight rule of a category."""
    if fault := weight_fault(weight):
        expected, hint = fault
        raise InputError(f"expected {expected}, not {weight!r}", f"{WEIGHTS}, {name}", hint)
    category = dataclasses.replace(known_category(inputs, name, WEIGHTS), weight=weight)
    return dataclasses.replace(inputs, categories={**inputs.categories, name: category})


def known_category(inputs: Inputs, name: str, where: str) -> Category:
    """Return a category that has a total.

    Raises
    ------
    InputError
        If there is none.
    """
    if name in inputs.categories:
        return inputs.categories[name]
    close = nearest(name, inputs.categories)
    hint = (
        f"Did you mean {close!r}?"
        if close
        else f"Those that have one: {', '.join(inputs.categories)}."
    )
    raise InputError(f"{name!r} has no total in the run", where, f"{hint} {RUN}")


def values_by_parcel(values: Any, ids: pd.Series[str], name: str) -> pd.Series[float]:
    """Return weights in the order of the parcels.

    Parameters
    ----------
    values
        A Series or mapping by parcel id, or as many numbers as there are parcels, in the order of their ids. A parcel that is left out has none.
    ids
        Of the parcels.
    name
        The category, for messages.

    Raises
    ------
    InputError
        If there are too many or too few, an id is none of a parcel, a value is masked or no real number, or nobody said what a Series is by.
    """
    where = f"{WEIGHTS}, {name}"
    if isinstance(values, pd.Series) and isinstance(values.index, pd.RangeIndex):
        what = "a Series with pandas' own index, 0, 1, 2 ...: these may be ids, or places"
        raise InputError(what, where, 'Give .to_numpy() for the order of the ids, or set the index to them: .set_axis(parcels["id"]).')  # fmt: skip
    if isinstance(values, Mapping):
        values = pd.Series(dict(values))
    if isinstance(values, xr.DataArray) and values.ndim == 1 and values.dims[0] in values.coords:
        values = values.to_series()
    by_id = isinstance(values, pd.Series)
    require_unmasked(values, f"the weights of {name}")
    try:
        # Text is read, as from a table; objects are asked by float().
        if np.asarray(values).dtype.kind in "cmM":
            require_real(values, f"the weights of {name}")
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        hint = "Give numbers by parcel id, or a rule as text."
        raise InputError(f"a weight is no number: {error}", where, hint) from None
    if not by_id:
        if array.shape != (len(ids),):
            what = f"{array.shape} weights for {len(ids)} parcels"
            raise InputError(what, where, "Give one for each parcel, or a Series by their ids.")
        return pd.Series(array)
    given = pd.Series(array, values.index.astype(str))
    if given.index.has_duplicates:
        twice = given.index[given.index.duplicated()][0]
        raise InputError(f"parcel {twice!r} has two weights", where, "Keep one.")
    unknown = given.index.difference(pd.Index(ids))
    if len(unknown):
        listed = ", ".join(map(repr, unknown[:10]))
        what = f"{len(unknown)} ids are no parcel of the run: {listed}"
        raise InputError(what, where, "The Series' index holds the ids of parcels, as text.")
    return given.reindex(ids.to_numpy(), fill_value=0.0).reset_index(drop=True)


def _set_total(
    rows: list[dict[Any, Any]],
    inputs: Inputs,
    land: Land,
    key: tuple[str, str],
    total: Total,
    names_of_parents: Callable[[], Mapping[str, Any]],
) -> None:
    """Replace one total among the rows, or add that of a further region; where it is from is not known any more."""
    name, region = key
    category = known_category(inputs, name, TOTALS)
    own = [row for row in rows if row["category"] == name]
    here = [row for row in own if row["place"] == HERE]
    same = [row for row in here or own if row["region"] == region]
    if same:
        [row] = same
        row.update(grams=total.grams, exact=total.exact, gas=total.gas or row["gas"], source="", basis="")  # fmt: skip
        return
    where = f"{TOTALS}, {_named(key)}"
    if not here:
        raise InputError(f"nothing of {name} is spread here", where, RUN)
    if not region:
        regions = sorted({row["region"] for row in own if row["region"]})
        what = f"{name} has totals of regions only: {', '.join(regions[:10])}"
        raise InputError(what, TOTALS, f"Name the region, such as ({name!r}, {regions[0]!r}).")
    parents = inputs.case.units.parents
    codes = codes_of(inputs.units, parents)
    if region not in codes:
        named = inputs.units.assign(**names_of_parents())
        faults = Faults(where, codes_by_name(named, parents))
        hint = "Give a code of the units or of their parents."
        faults.member(region, codes, "region", None, "", hint)
        faults.raise_any()
    for _, columns in land.ambiguous([region]):
        what = (
            f"the region {region!r} means different land as {' and as '.join(columns)} of the units"
        )
        raise InputError(what, where, "Give units and their parents codes that differ.")
    if category.weight == "roads":
        what = f"{name} has no total of {region}: road lengths are corrected by region, so that its weights would be others"
        raise InputError(what, TOTALS, RUN)
    gas = total.gas or here[0]["gas"]
    rows.append({**here[0], "grams": total.grams, "exact": total.exact, "gas": gas, "region": region, "source": "", "basis": ""})  # fmt: skip


def _require_same_electricity(inputs: Inputs, totals: pd.DataFrame) -> None:
    """Refuse totals of which a run would set others aside than are set aside (D24)."""
    choice = inputs.case.electricity
    if choice == "both":
        return
    if inputs.scopes is not None:
        _require_same_scopes(inputs, inputs.scopes, totals)
        return
    sides = {name: side_of(each, each.scope) for name, each in inputs.categories.items()}
    before, after = (_names_with_mass(each) for each in (inputs.totals, totals))
    there = {sides[name] for name in _names_with_mass(totals, HERE)}
    for name in sorted(name for name in before | after if sides[name]):
        place = set(totals.loc[totals["category"] == name, "place"])
        if sides[name] == choice or name not in after:
            wrong = False
        elif choice is None:
            wrong = there >= {"supply", "use"}
        else:  # of the side that gives way where the other has mass
            wrong = (HERE in place) == (choice in there)
        if wrong:
            what = f"the mass of {name} would {'not be spread' if HERE in place else 'be spread'}: another side of electricity counts under these totals"
            raise InputError(what, TOTALS, RUN)


def scopes_left(
    inputs: Inputs, formed: Mapping[tuple[str, int], int], totals: pd.DataFrame
) -> dict[tuple[str, int], int]:
    """Return what of activity data there is under other totals, by category and scope: 0 g of what is spread no more.

    What electricity sets aside, and what lies elsewhere, keeps its grams. Of a category whose rows were all 0 they say what it emits now.
    """
    here = {name: grams for name, grams in masses_here(totals).items() if grams}
    aside = _aside(inputs, formed)
    kept = {key for key in formed if key in aside or inputs.categories[key[0]].scope == 3}
    emitted = {key[0] for key, grams in formed.items() if grams and key not in kept}
    return {
        (name, scope): grams
        if (name, scope) in kept or (name in emitted and name in here)
        else here.get(name, 0)
        for (name, scope), grams in formed.items()
    }


def _aside(inputs: Inputs, scopes: Mapping[tuple[str, int], int]) -> frozenset[tuple[str, int]]:
    """Return what electricity sets aside; where the case does not choose, one side alone has mass."""
    with_mass = [key for key, grams in scopes.items() if grams]
    return rows_set_aside(with_mass, inputs.categories, inputs.case.electricity or "use")


def _require_same_scopes(
    inputs: Inputs, scopes: Callable[[], Mapping[tuple[str, int], int]], totals: pd.DataFrame
) -> None:
    """Refuse totals of activity data without the last of a side of electricity, or with the first of it."""
    before, after = (_names_with_mass(each, HERE) for each in (inputs.totals, totals))
    if before == after:
        return
    formed = scopes()
    aside = _aside(inputs, formed)
    left = scopes_left(inputs, formed, totals)
    now = _aside(inputs, left)
    if now == aside:
        return
    if now < aside:
        gone = sorted((before - after) & _of_power(inputs, formed))
        what = f"nothing of {listed(gone)} would be left, and without it nothing is counted twice: what electricity = {inputs.case.electricity!r} sets aside would be spread"
        least = "1 g of it" if len(gone) == 1 else "1 g of one of them"
        hint = f"Leave {least}, or take the rows out of the activity data and run the case."
        raise InputError(what, TOTALS, hint)
    new = listed(sorted((after - before) & _of_power(inputs, left)))
    what = f"{new} has nothing and would have some: electricity would be there where it is made and where it is used, of which a run sets one aside"
    raise InputError(what, TOTALS, RUN)


def _of_power(inputs: Inputs, scopes: Mapping[tuple[str, int], int]) -> set[str]:
    """Return the categories with mass on a side of electricity."""
    return {name for (name, scope), grams in scopes.items() if grams and side_of(inputs.categories[name], scope)}  # fmt: skip


def _names_with_mass(totals: pd.DataFrame, *places: str) -> set[str]:
    """Return the categories with mass, in some places or in any."""
    some = totals["grams"] > 0
    if places:
        some &= totals["place"].isin(places)
    return set(totals.loc[some, "category"])


def under_new_totals(
    inputs: Inputs, totals: pd.DataFrame, facilities: pd.DataFrame | None
) -> Inputs:
    """Return the inputs with other totals and facilities, held against each other as when they are read; the notes are what a run would say of these totals.

    Raises
    ------
    InputError
        For regions that contradict their whole, facilities above their total, and totals of which another side of electricity would count.
    """
    parents = inputs.case.units.parents
    faults, notes = Faults(TOTALS), list[Problem]()
    check_regions(records(totals, OF_TOTAL), ancestors_of(inputs.units, parents), faults, notes)
    faults.raise_any()
    _require_same_electricity(inputs, totals)
    if inputs.case.inventory is None:  # of activity data CO2 leaves nothing out
        notes += notes_on_gases(totals, inputs.categories, "totals")
    if facilities is not None:
        facilities = under_totals(facilities, totals)
    return dataclasses.replace(inputs, totals=totals, facilities=facilities, notes=tuple(notes))


def _named(key: Key) -> str:
    return key if isinstance(key, str) else " in ".join(map(str, key))
