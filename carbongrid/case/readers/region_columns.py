"""Columns that tell regions under another name than ``region``: read past, a district's total would be spread over the whole city."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import geopandas as gpd
import pandas as pd

from carbongrid.case.fields import nearest
from carbongrid.case.readers.units import parent_name_columns
from carbongrid.errors import InputError

REGION = "region"

_LISTED = 3
_COUNTS_TO = 100
"""Whole numbers from below this may be codes of units, and as well numbers of rows or scopes."""


def codes_by_name(units: gpd.GeoDataFrame, parents: Iterable[str]) -> dict[str, set[str]]:
    """Return the codes that each name of a unit or of a parent stands for.

    Parameters
    ----------
    units
        Of :func:`carbongrid.case.readers.units.read_units`.
    parents
        Columns of higher levels.
    """
    named = [("id", ("name", "name_en")), *((name, parent_name_columns(name)) for name in parents)]
    found: dict[str, set[str]] = {}
    for level, columns in named:
        for column in columns:
            if column in units:
                for name, code in zip(units[column], units[level], strict=True):
                    found.setdefault(name, set()).add(code)
    return {name: codes for name, codes in found.items() if name}


def refuse_regions_unread(
    table: pd.DataFrame,
    read: Collection[str],
    where: str,
    *,
    codes: Collection[str],
    ancestors: Mapping[str, Collection[str]],
    names: Mapping[str, Collection[str]],
    own: Collection[str] = (),
) -> None:
    """Refuse a column that is not read and tells of which part of the city a row is that has no region.

    All its filled cells are codes or names of units or parents; under a name that regions go by, one code is enough. What every unit lies
    in is no part, and one name in all rows is what the table is of: a city is often called as one of its districts.

    Parameters
    ----------
    table, where
        Of :func:`carbongrid.case.readers.tables.read_table`, and its file.
    read
        Columns that are read.
    codes
        Of units and parents, today and before they were merged.
    ancestors
        For a code, those of the higher levels that hold it.
    names
        As of :func:`codes_by_name`.
    own
        Columns of the units with their codes.

    Raises
    ------
    InputError
        Naming the column and one of its cells.
    """
    whole = _of_all(ancestors)
    whole |= {name for name, held in names.items() if whole.intersection(held)}
    without = table[REGION] == "" if REGION in table.columns else pd.Series(True, table.index)
    for column in [name for name in table.columns if name not in read]:
        texts = set(table[column]) - {""}
        if not _are_regions(str(column), texts, codes, names, own):
            continue
        named = texts.isdisjoint(codes) and table[column].nunique() == 1
        parts = [text for text in table.loc[without, column] if text in {*codes, *names} - whole]
        if parts and not named:
            told = ", ".join(map(repr, dict.fromkeys(parts[:_LISTED])))
            what = f"the column {column!r} would not be read, and it says of which part of the city a row is ({told}): each would be spread over the whole"
            raise InputError(what, where, _ways_out(parts[0], codes, names))


def _are_regions(
    column: str,
    texts: Collection[str],
    codes: Collection[str],
    names: Mapping[str, Collection[str]],
    own: Collection[str],
) -> bool:
    if column in own and not set(texts).isdisjoint(codes):
        return True
    if not texts or not all(text in codes or text in names for text in texts):
        return False
    return nearest(column, [REGION]) is not None or not _may_count(texts)


def _may_count(texts: Collection[str]) -> bool:
    """Whether texts are plain numbers that begin low, as those of rows, ranks and scopes do."""
    plain = all(text.isdecimal() and str(int(text)) == text for text in texts)
    return plain and min(map(int, texts)) < _COUNTS_TO


def _of_all(ancestors: Mapping[str, Collection[str]]) -> set[str]:
    """Return the codes that hold every unit, a unit being a code that holds no other; of a single unit its own."""
    holders = {above for code, held in ancestors.items() for above in held if above != code}
    units = [{code, *held} for code, held in ancestors.items() if code not in holders]
    return set.intersection(*units) if units else set()


def _ways_out(text: str, codes: Collection[str], names: Mapping[str, Collection[str]]) -> str:
    give = "" if text in codes else f" and give codes, {min(names[text])!r} for {text!r}"
    return f"Rename it to {REGION}{give}; or take it out if the totals are of the whole."
