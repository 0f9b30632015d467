"""What only files of Overture's places tell: another release's taxonomy, two releases put together, a confidence that is no chance."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import Problem, listed

ID = "id"
"""Column that names a place, the same in all releases."""

_BETWEEN = " > "
_PRIMARY = ".primary"
"""How the columns end that hold the finest word alone, of which the crosswalk has few."""

_TOLD = 0.01
"""Of the places: more than that in branches that are not there, or twice, are told."""


def strange_kinds(types: pd.Series, entries: Collection[str], column: str, where: str, places: int) -> list[Problem]:  # fmt: skip
    """Return a warning of types that no entry of the crosswalk leads to, not even that of their branch.

    Parameters
    ----------
    types
        Those of the places that no entry matches.
    entries
        What the crosswalk knows, also what stands for no category.
    column
        That of the types.
    where
        The file.
    places
        How many it has in all.
    """
    branches = {entry.partition(_BETWEEN)[0].rstrip("*") for entry in entries}
    first = types.str.split(_BETWEEN, regex=False).str[0]
    strange = first[types.str.contains(_BETWEEN, regex=False) & ~first.isin(branches)]
    hint = "Another release has other branches: take a file of a release that the crosswalk knows, or write one of your own."
    if column.endswith(_PRIMARY):
        strange, hint = types[types != ""], "Name taxonomy.hierarchy, whose branches it knows."
    counts = strange.value_counts()
    if len(strange) <= _TOLD * places:
        return []
    ordered = sorted(counts.items(), key=lambda each: (-int(each[1]), str(each[0])))
    told = listed(f"{name} ({count})" for name, count in ordered)
    what = f"{len(strange):,} places are of kinds that the crosswalk overture does not know, as of another release or another column, and count nothing: {told}"
    return [Problem(what, where, hint, "warning")]


def repeated_places(ids: pd.Series, where: str) -> list[Problem]:
    """Return a warning of ids that stand in several rows, as where two releases were put together."""
    given = ids[ids.notna() & (ids.astype(str) != "")]
    again = int(given.duplicated().sum())
    if again <= _TOLD * len(ids):
        return []
    what = f"{again:,} of {len(ids):,} places have an id that another row has, and count again"
    hint = "A place has one id in all releases: leave one row of each."
    return [Problem(what, where, hint, "warning")]


def odd_confidence(numbers: NDArray[np.float64], where: str) -> list[Problem]:
    """Return a warning of confidences above 1 beside others below: a chance is at most 1, and in percent throughout it would count the same."""
    above = int((numbers > 1).sum())
    if not above or not ((numbers > 0) & (numbers < 1)).any():
        return []
    what = f"{above:,} of {len(numbers):,} places have a confidence above 1, up to {numbers.max():g}, and count so many times as much as others"
    return [Problem(what, where, "It is a chance from 0 to 1: divide those in percent by 100.", "warning")]  # fmt: skip


def release_problems(table: pd.DataFrame, told: pd.DataFrame, entries: Collection[str], column: str, where: str) -> list[Problem]:  # fmt: skip
    """Return what is odd of a file's kinds and ids.

    Parameters
    ----------
    table
        Its rows, with ids where there are any.
    told
        poi_type of each place, and the entry of the crosswalk that it has, None for none.
    entries, column, where
        As of :func:`strange_kinds`.
    """
    unknown: Any = told.loc[told["entry"].isna(), "poi_type"].astype(str)
    kinds = strange_kinds(unknown, entries, column, where, len(told))
    return [*kinds, *(repeated_places(table[ID], where) if ID in table else [])]
