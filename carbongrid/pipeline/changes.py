"""What may be changed of a case whose land stays as it is: totals, facilities, weights; checked as if read from its files."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from carbongrid.case.fields import nearest
from carbongrid.case.readers.facilities import under_totals
from carbongrid.case.readers.inputs import Inputs, ancestors_of, codes_of
from carbongrid.case.readers.regions import check_regions
from carbongrid.case.readers.tables import Faults
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError
from carbongrid.inventory.electricity import is_supply
from carbongrid.inventory.units_of_measure import grams, grams_of_text
from carbongrid.method.categories import Category
from carbongrid.pipeline.land import Land

TOTALS, FACILITIES, WEIGHTS = "with_totals", "without", "with_weights"
RUN = "Write it in the case and run it: what does not change is taken over."
"""The way out where an answer would take what a finished run does not keep."""

Key = str | tuple[str, str]
"""A category, or a category and a region."""
Mass = str | float | int | Decimal
"""A mass with its unit, such as ``12.5 Mt CO2e``; a number is t CO2e."""


def grams_given(value: Mass, key: Key) -> int:
    """Return a mass in whole grams, read as a table of totals is.

    Raises
    ------
    InputError
        If it is no mass, or negative.
    """
    where = f"{TOTALS}, {_named(key)}"
    try:
        if isinstance(value, str):
            mass = grams_of_text(value) if not value.strip().startswith("-") else -1
        elif isinstance(value, bool) or not math.isfinite(value):
            raise InputError(f"{value!r} is no mass", hint="Give t CO2e, or text with a unit.")
        else:
            number = value.item() if isinstance(value, np.generic) else value
            mass = grams(Decimal(str(number)), "t CO2e")
    except InputError as error:
        raise InputError(dataclasses.replace(each, where=where) for each in error.problems) from error  # fmt: skip
    except TypeError:
        what = f"{value!r} is no mass"
        raise InputError(what, where, "Give t CO2e, or text with a unit.") from None
    if mass < 0:
        hint = "Mass is >= 0: a sink that is negative is a source, of a category of its own."
        raise InputError(f"a total is negative: {value}", where, hint)
    return mass


def with_totals(inputs: Inputs, given: Mapping[Key, int]) -> Inputs:
    """Return the inputs with other totals, and with facilities that follow them.

    Parameters
    ----------
    inputs
        Those of a run.
    given
        Grams by category, or by category and region. A total that was there is replaced; one of a further region is added.

    Raises
    ------
    InputError
        For a category without a total, a region that is none, regions that contradict their whole, facilities above their total, and a total
        that would change what counts of electricity.
    """
    rows: list[dict[Any, Any]] = inputs.totals.to_dict("records")
    for key, mass in given.items():
        name, region = (key, "") if isinstance(key, str) else key
        _set_total(rows, inputs, (name, region), mass)
    order = ["category", "region", "place"]
    totals = pd.DataFrame(rows).astype(inputs.totals.dtypes).sort_values(order, ignore_index=True)
    return _checked(inputs, totals, inputs.facilities)


def without_facility(inputs: Inputs, land: Land, row: int, parcel: int, *, remove: bool) -> Inputs:
    """Return the inputs without a facility.

    Parameters
    ----------
    inputs, land
        Those of a run.
    row
        Of the facility in its table.
    parcel
        Row of its parcel, -1 for none.
    remove
        Whether its mass is taken off the total of its category; else the rest of the category takes it.
    """
    table, totals = inputs.facilities, inputs.totals
    assert table is not None, "there is a row of it"
    if remove:
        name, mass = str(table["category"].iloc[row]), int(table["grams"].iloc[row])
        own = (totals["category"] == name) & (totals["place"] == HERE)
        regions = [code for code in sorted(totals.loc[own, "region"]) if code]
        at = np.array([parcel], np.int64)
        home = land.regions_of_parcels(regions, at)[0] if parcel >= 0 else -1
        # What a region has is part of the whole.
        falls = own & totals["region"].isin(["", regions[home]] if home >= 0 else [""])
        if not falls.any():
            what = f"{str(table['name'].iloc[row])!r} has no place, and {name} has totals of regions only: nobody knows whose falls"
            raise InputError(what, FACILITIES, 'Give emission="redistribute", or change the totals too.')  # fmt: skip
        totals = totals.assign(grams=totals["grams"].where(~falls, totals["grams"] - mass))
    kept = np.arange(len(table)) != row
    return _checked(inputs, totals, table[kept].reset_index(drop=True))


def facility_row(inputs: Inputs, name: str, category: str | None) -> int:
    """Return the row of a facility.

    Raises
    ------
    InputError
        If there is none of this name, or several and the category is not said.
    """
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
    hint = f"Did you mean {close!r}?" if close else "facilities.csv of the run lists them."
    of = "" if category is None else f" of {category}"
    raise InputError(f"the run has no facility {name!r}{of}", FACILITIES, hint)


def with_weight(inputs: Inputs, name: str, weight: str) -> Inputs:
    """Return the inputs with another weight rule of a category."""
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
        If there are too many or too few, an id is none of a parcel, or a value is no number.
    """
    where = f"{WEIGHTS}, {name}"
    if isinstance(values, Mapping):
        values = pd.Series(dict(values))
    by_id = isinstance(values, pd.Series)
    try:
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
    return given.reindex(ids.to_numpy()).fillna(0.0).reset_index(drop=True)


def _set_total(rows: list[dict[Any, Any]], inputs: Inputs, key: tuple[str, str], mass: int) -> None:
    """Replace one total among the rows, or add that of a further region."""
    name, region = key
    category = known_category(inputs, name, TOTALS)
    own = [row for row in rows if row["category"] == name]
    here = [row for row in own if row["place"] == HERE]
    same = [row for row in here or own if row["region"] == region]
    if same:
        [row] = same
        _require_same_electricity(rows, inputs, category, row["grams"], mass)
        row.update(grams=mass, gas="CO2e")
        return
    where = f"{TOTALS}, {_named(key)}"
    if not here:
        raise InputError(f"nothing of {name} is spread here", where, RUN)
    if not region:
        regions = sorted({row["region"] for row in own if row["region"]})
        what = f"{name} has totals of regions only: {', '.join(regions[:10])}"
        raise InputError(what, TOTALS, f"Name the region, such as ({name!r}, {regions[0]!r}).")
    if region not in codes_of(inputs.units, inputs.case.units.parents):
        hint = "Give a code of the units or of their parents."
        raise InputError(f"{region!r} is no unit and no parent of units", where, hint)
    if category.weight == "roads":
        what = f"{name} has no total of {region}: road lengths are corrected by region, so that its weights would be others"
        raise InputError(what, TOTALS, RUN)
    rows.append({**here[0], "region": region, "grams": mass, "gas": "CO2e", "source": ""})


def _require_same_electricity(
    rows: list[dict[Any, Any]], inputs: Inputs, category: Category, before: int, mass: int
) -> None:
    """Refuse a side of electricity that was nothing or becomes nothing beside the other: what is set aside may be another (D24)."""
    sides = {name: _side(inputs.categories[name]) for name in inputs.categories}
    own = sides[category.name]
    with_mass = {row["category"] for row in rows if row["grams"]}
    other = [name for name in with_mass if sides[name] and sides[name] != own]
    if inputs.case.electricity == "both" or not own or not other or (before > 0) == (mass > 0):
        return
    what = f"{category.name} {'becomes' if before else 'was'} nothing beside {', '.join(sorted(other))}, which may change what counts of electricity"
    raise InputError(what, TOTALS, RUN)


def _side(category: Category) -> str:
    """Return the side of electricity that a category is; blank for neither."""
    if is_supply(category) and category.scope == 1:
        return "supply"
    return "use" if category.scope == 2 and not category.sink else ""


def _checked(inputs: Inputs, totals: pd.DataFrame, facilities: pd.DataFrame | None) -> Inputs:
    """Hold totals and facilities against each other, as when they are read."""
    parents = inputs.case.units.parents
    faults = Faults(TOTALS)
    rows: list[dict[Any, Any]] = totals.to_dict("records")
    check_regions(rows, ancestors_of(inputs.units, parents), faults)
    faults.raise_any()
    if facilities is not None:
        facilities = under_totals(facilities, totals, "facilities")
    return dataclasses.replace(inputs, totals=totals, facilities=facilities)


def _named(key: Key) -> str:
    return key if isinstance(key, str) else " in ".join(map(str, key))
