"""Sets of sinks: which land and which crops an inventory counts, each with its source (D27, docs/decisions/0054)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import activities
from carbongrid.method.landuse import packaged_table

COLUMNS = ("activity", "products", "source")
"""Of a user's set; a column note is kept as well."""

DEFAULT = "ipcc"

UPTAKE_OF_LAND, METHANE, UPTAKE_OF_CROPS = "land", "ch4", "crop"
PRODUCTS = (UPTAKE_OF_LAND, METHANE, UPTAKE_OF_CROPS)
"""Products that a set may count: uptake of land, methane of water, uptake of crops."""

_NOT_COUNTED = {
    "crop": "what an annual crop takes up is given back within the year, where it is eaten (2006 IPCC Guidelines, Vol. 4, Ch. 5.2.1)",
    "land/water": "the guidelines have no uptake of water, and its methane is not counted",
    "land/ponds": "ponds are no sink without a source",
}


@dataclass(frozen=True)
class SinkRow:
    """What a set counts of an activity.

    Parameters
    ----------
    activity
        Such as ``land/forest``, or ``crop/*`` for all crops.
    products
        Some of :data:`PRODUCTS`.
    source, note
        Who counts it so, and what to know of it.
    """

    activity: str
    products: tuple[str, ...]
    source: str
    note: str = ""


@dataclass(frozen=True)
class SinkSet:
    """A named set of sinks; what it does not name is no sink in it."""

    name: str
    rows: tuple[SinkRow, ...]

    def row_of(self, activity: str) -> SinkRow | None:
        """Return what the set counts of an activity; None if nothing."""
        return next((row for row in self.rows if fnmatchcase(activity, row.activity)), None)

    def counts(self, activity: str, product: str) -> bool:
        """Return whether the set counts a product of an activity."""
        row = self.row_of(activity)
        return row is not None and product in row.products

    def why_not(self, activity: str) -> str:
        """Return why an activity is no sink in the set."""
        reason = _NOT_COUNTED.get(activity) or _NOT_COUNTED.get(activity.partition("/")[0])
        return f"the set {self.name} does not count {activity}" + (f": {reason}" if reason else "")

    def problems(self, where: str) -> list[Problem]:
        """Return warnings for uptake that a set counts without what is given back."""
        half = [
            row.activity
            for row in self.rows
            if UPTAKE_OF_CROPS in row.products
            or (fnmatchcase("land/water", row.activity) and row.products == (UPTAKE_OF_LAND,))
        ]
        if not half:
            return []
        what = f"the set {self.name} counts the uptake of {', '.join(half)} without what is given back: harvested crops are eaten within the year, water emits methane"
        hint = "It repeats the study; for an inventory take sinks = ipcc, or balanced."
        return [Problem(what, where, hint, "warning")]


def sink_sets() -> dict[str, SinkSet]:
    """Return the package's sets by name, the default first."""
    return dict(_packaged())


@cache
def _packaged() -> Mapping[str, SinkSet]:
    table = packaged_table("sink_sets.csv")
    return {
        str(name): SinkSet(str(name), _rows(part))
        for name, part in table.groupby("set", sort=False)
    }


def sink_set_of(table: pd.DataFrame, where: str) -> SinkSet:
    """Return a user's set.

    Parameters
    ----------
    table
        Columns activity, products (of land, ch4, crop; joined by ``+``), source, and if need be note; every cell text.
    where
        Name of the file; the set bears it.

    Raises
    ------
    InputError
        For a missing column, an unknown product, a row without a source.
    """
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        what = f"no column {', '.join(missing)}"
        raise InputError(what, where, f"A set of sinks has the columns {', '.join(COLUMNS)}.")
    problems = [
        Problem(f"{name} stands twice", where, "Keep one row; join its products by +.")
        for name in table.loc[table["activity"].duplicated(), "activity"].unique()
    ]
    for number, cells in enumerate(table.to_dict("records"), start=2):
        place = f"{where}, row {number}"
        unknown = set(str(cells["products"]).split("+")) - set(PRODUCTS)
        if unknown:
            hint = f"Known: {', '.join(PRODUCTS)}, joined by +."
            problems.append(Problem(f"unknown product {sorted(unknown)[0]!r}", place, hint))
        if not any(fnmatchcase(name, str(cells["activity"])) for name in activities()):
            hint = f"Known: {', '.join(name for name in activities() if name.startswith('land/'))}, crop/*."
            problems.append(Problem(f"unknown activity {cells['activity']!r}", place, hint))
        if not str(cells["source"]).strip():
            what = f"{cells['activity']} has no source"
            problems.append(Problem(what, place, "Nothing is a sink without a source: name it."))
    if problems:
        raise InputError(problems)
    return SinkSet(where, _rows(table))


def _rows(table: pd.DataFrame) -> tuple[SinkRow, ...]:
    return tuple(
        SinkRow(
            str(cells["activity"]),
            tuple(str(cells["products"]).split("+")),
            str(cells["source"]),
            str(cells.get("note", "")),
        )
        for cells in table.to_dict("records")
    )


def sink_set(sinks: str | SinkSet) -> SinkSet:
    """Return a set, the package's by its name.

    Raises
    ------
    InputError
        If the package has no such set.
    """
    if isinstance(sinks, SinkSet):
        return sinks
    known = _packaged()
    if sinks not in known:
        raise InputError(
            f"unknown set of sinks {sinks!r}",
            hint=f"Known: {', '.join(known)}, or the name of a CSV.",
        )
    return known[sinks]


def counted_types(sinks: SinkSet) -> frozenset[str]:
    """Return the territorial types whose land takes up carbon in a set, as in ``land/forest``."""
    land = (activity for activity in _land() if sinks.counts(activity, UPTAKE_OF_LAND))
    return frozenset(activity.partition("/")[2] for activity in land)


@cache
def _land() -> tuple[str, ...]:
    activities = packaged_table("inventory/activities.csv")["activity"]
    return tuple(name for name in activities if str(name).startswith("land/"))
