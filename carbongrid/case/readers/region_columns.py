"""Columns that tell regions under another name than ``region``: read past, a district's total would be spread over the whole city."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import geopandas as gpd
import pandas as pd

from carbongrid.case.fields import nearest
from carbongrid.case.readers.regions import lowest_codes
from carbongrid.case.readers.units import parent_name_columns
from carbongrid.errors import InputError, Problem

REGION = "region"

_LISTED = 3
_COUNTS_TO = 100
"""Whole numbers from below this may be codes of units, and as well numbers of rows or scopes."""
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_WHOLE = {"全市", "全域", "合计", "总计", "total", "whole", "whole city"}
"""What is written into the row of the whole."""
_REMARKS = {"note", "notes", "remark", "remarks", "comment", "comments", "source", "备注", "说明", "来源"}  # fmt: skip
"""Columns of free text, which may name a place."""


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
    notes: list[Problem] | None = None,
) -> None:
    """Refuse a column that is not read and tells of which part of the city a row is that has no region.

    All its filled cells are codes or names of units or parents, or say that the row is of the whole; under a name that regions go by, one
    code is enough. What every unit lies in is no part, and one name in all rows is what the table is of: a city is often called as one of
    its districts. What may as well be anything else is a warning, and plain numbers of rows or years are not even that. Where some rows
    have a region, a column that says another one tells none.

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
    notes
        Warnings are appended to it.

    Raises
    ------
    InputError
        Naming the column and one of its cells.
    """
    notes = [] if notes is None else notes
    whole = _of_all(ancestors)
    whole |= {name for name, held in names.items() if whole.intersection(held)}
    known = {*codes, *names}
    parts_known = known - whole
    has_regions = REGION in table.columns
    region = table[REGION] if has_regions else pd.Series("", table.index)
    for column in [name for name in table.columns if name not in read]:
        cells = table[column].where(~table[column].str.lower().isin(_WHOLE), "")
        level = _level(str(column), cells, codes, known, own)
        parts = [text for text in cells[region == ""] if text in parts_known] if level else []
        # One name in all rows; a row of the whole among them says that the others are not.
        if not parts or (parts[0] not in codes and table[column].nunique() == 1):
            continue
        if not _agree(region, cells, ancestors, names):
            continue
        told = ", ".join(map(repr, dict.fromkeys(parts[:_LISTED])))
        if level == "error":
            what = f"the column {column!r} would not be read, and it says of which part of the city a row is ({told}): each would be spread over the whole"
            raise InputError(what, where, _ways_out(parts[0], codes, names, has_regions))
        what = f"the column {column!r} is not read, and may say of which part of the city a row is ({told})"
        hint = "If it does, write the codes into region; else each is spread over the whole."
        notes.append(Problem(what, where, hint, "warning"))


def _level(
    column: str,
    cells: pd.Series[str],
    codes: Collection[str],
    known: Collection[str],
    own: Collection[str],
) -> Literal["error", "warning", ""]:
    """Return how sure it is that a column is of regions."""
    texts = set(cells) - {""}
    some = column in own and not texts.isdisjoint(codes)
    if not texts or not (some or texts.issubset(known)):
        return ""
    if nearest(column, [REGION]) is not None:
        return "error"
    if _may_count(texts) or _may_be_years(texts):
        return "warning" if column in own else ""
    if column in own:
        return "error"
    remark = column.strip().lower() in _REMARKS or (cells == "").mean() > 0.5
    letters = all(len(text) == 1 and text.isalpha() and text.isascii() for text in texts)
    return "warning" if letters or (remark and texts.isdisjoint(codes)) else "error"


def _may_count(texts: Collection[str]) -> bool:
    """Whether texts are plain numbers that begin low, as those of rows, ranks and scopes do."""
    plain = all(text.isdecimal() and str(int(text)) == text for text in texts)
    return plain and min(map(int, texts)) < _COUNTS_TO


def _may_be_years(texts: Collection[str]) -> bool:
    return all(_YEAR.fullmatch(text) for text in texts)


def _agree(
    region: pd.Series[str],
    cells: pd.Series[str],
    ancestors: Mapping[str, Collection[str]],
    names: Mapping[str, Collection[str]],
) -> bool:
    """Whether a column says what the regions do where both are known: the same code, one that holds it, or one that it holds."""
    for code, text in sorted(set(zip(region, cells, strict=True))):
        told = {text, *names.get(text, ())}.intersection(ancestors)
        if code not in ancestors or not told:
            continue
        if not any(code in (each, *ancestors[each]) or each in ancestors[code] for each in told):
            return False
    return True


def _of_all(ancestors: Mapping[str, Collection[str]]) -> set[str]:
    """Return the codes that hold every unit; of a single unit its own."""
    units = [{code, *ancestors[code]} for code in lowest_codes(ancestors)]
    return set.intersection(*units) if units else set()


def _ways_out(
    text: str, codes: Collection[str], names: Mapping[str, Collection[str]], has_regions: bool
) -> str:
    code = "" if text in codes else f"{min(names[text])!r} for {text!r}"
    if has_regions:
        return f"Write its codes into {REGION}{', ' * bool(code)}{code}; or take it out if the totals are of the whole."
    give = f" and give codes, {code}" if code else ""
    return f"Rename it to {REGION}{give}; or take it out if the totals are of the whole."
