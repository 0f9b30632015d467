"""Land use: what a parcel's code means to the method.

Code systems collide: 1001 is a railway in the national land survey and a works in the planning
classification. So a system is always named, and codes are never guessed across systems.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable
from functools import cache
from importlib.resources import files
from io import StringIO

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, Problem

SYSTEMS = (
    *("tdland3", "ydyh2023", "gbt21010", "osm", "overture", "corine", "urban-atlas"),
    *("worldcover", "globeland30", "corine-grid", "nlcd", "glc-fcs30"),
)
"""Code systems that ship with the package."""

MODES = ("road", "rail", "water", "air")
"""Modes of transport land; other land has none."""

SYSTEM_COLUMNS = ("code", "type", "mode", "name_en", "name_zh")

Rows = dict[str, tuple[str, str]]
"""Type and mode by code."""

_NEAR, _ALIKE = 0.8, 0.6
"""A user's system is one of the package's, changed, where that has so many of its codes, and so many of these with the same type."""

_NATIONAL_CODE = re.compile(r"\d{2}(?:\d{2})+")


def packaged_table(name: str) -> pd.DataFrame:
    """Return a CSV of the package's data folder, every cell as text.

    Parameters
    ----------
    name
        Path inside ``carbongrid/data``, such as ``landuse/tdland3.csv``.
    """
    return _packaged(name).copy()


@cache
def _packaged(name: str) -> pd.DataFrame:
    text = files("carbongrid").joinpath("data", name).read_text(encoding="utf-8")
    return pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)


TERRITORIAL_TYPES = packaged_table("territorial_types.csv")
"""Columns type, parent (blank where it has none), name_en, name_zh, colour (on maps)."""

TYPES: tuple[str, ...] = tuple(TERRITORIAL_TYPES["type"])
"""Territorial types in the order in which reports list them."""

PARENT: dict[str, str] = dict(zip(TYPES, TERRITORIAL_TYPES["parent"], strict=True))
"""Parent of each territorial type, for the fallback of D10; blank where it has none."""


SETTLEMENT = "settlement"
"""Land that is built on, and nobody says with what: land cover seen from above."""

_IN_SETTLEMENTS = frozenset(
    {
        *("industrial", "utilities", "commercial", "public", "urban-residential"),
        *("rural-homestead", "transport", "transport:road"),
    }
)


def carrying_types(types: Iterable[str]) -> tuple[str, ...]:
    """Return the types of land that carry what stands on land of these types.

    A settlement whose land nobody tells apart carries what stands on homes, shops, offices, works and roads. Railways, ports and airports are few and
    far between: spread over every settlement they would lie where they are not. Where parcels tell such land apart, no parcel is a settlement.
    """
    own = tuple(types)
    return (*own, SETTLEMENT) if _IN_SETTLEMENTS.intersection(own) else own


@cache
def type_priority() -> dict[str, int]:
    """Return the rank of each territorial type where parcels overlap; 1 lies on top."""
    table = packaged_table("type_priority.csv")
    return {name: int(rank) for name, rank in zip(table["type"], table["rank"], strict=True)}


@cache
def codes_of_several_types(system: str) -> dict[str, tuple[str, ...]]:
    """Return the codes of a system that are of several types of land and tell none, such as 07, homes of town and country, with those types."""
    table = packaged_table("codes_of_several_types.csv")
    own = table[table["system"] == system]
    return {
        code: tuple(types.split()) for code, types in zip(own["code"], own["types"], strict=True)
    }


@cache
def codes_of_open_land(system: str) -> frozenset[str]:
    """Return the codes of a system that are public land without buildings to speak of: parks, squares, golf courses, sports grounds."""
    table = packaged_table("open_land.csv")
    return frozenset(table.loc[table["system"] == system, "code"])


@cache
def _packaged_system(system: str) -> pd.DataFrame:
    """Return a table that ships with the package; to be selected from, not handed on: others get the same."""
    return packaged_table(f"landuse/{system}.csv")


def read_code_system(system: str | pd.DataFrame, *, where: str = "") -> pd.DataFrame:
    """Return a code system's table.

    Parameters
    ----------
    system
        One of :data:`SYSTEMS`, or a user's table with columns code and type, and if need be
        mode, name_en, name_zh; every cell text.
    where
        Name of the user's file, for messages.

    Returns
    -------
    DataFrame
        Columns code, type, mode, name_en, name_zh; blank where unknown.

    Raises
    ------
    InputError
        If the system is unknown, or the table lacks a column, repeats a code, or names a type or
        mode that is not known.
    """
    if isinstance(system, str):
        if system not in SYSTEMS:
            raise InputError(
                f"{system!r} is not a land-use code system",
                where or "parcels.code_system",
                f"Known: {', '.join(SYSTEMS)}, or a CSV with columns code, type.{_nearest(system, SYSTEMS)}",
            )
        return _packaged_system(system)[list(SYSTEM_COLUMNS)]
    table = system.rename(columns=str).copy()
    for column in SYSTEM_COLUMNS[2:]:
        if column not in table:
            table[column] = ""
    problems = _problems_of_system(table, where or "the code system")
    if problems:
        raise InputError(problems)
    return table[list(SYSTEM_COLUMNS)].reset_index(drop=True)


def match_codes(codes: pd.Series, system: pd.DataFrame) -> pd.DataFrame:
    """Return what land-use codes mean.

    A code is looked up as it is, a survey code then with its letters in upper case (05h1), then without its
    trailing letter (0101K), then, if it is a national code of digits, by its higher levels (0101 by 01) where these have a type other than
    none; the nearest level decides. An OSM tag is looked up as ``key=value``, then as ``key=*``.

    Parameters
    ----------
    codes
        Codes as text, shape (n,).
    system
        From :func:`read_code_system`.

    Returns
    -------
    DataFrame
        Columns type (``none`` where unknown), mode, matched (the row's code, blank where
        unknown), on the index of ``codes``.
    """
    meanings = zip(system["type"], system["mode"], strict=True)
    rows: Rows = dict(zip(system["code"], meanings, strict=True))
    place, different = pd.factorize(codes, use_na_sentinel=False)
    known = []
    for code in different:
        row = _matching(code, rows)
        known.append((*rows[row], row) if row else ("none", "", ""))
    table = np.array(known, dtype=object).reshape(-1, 3)[place]
    return pd.DataFrame(table, columns=["type", "mode", "matched"], index=codes.index, dtype=str)


def fitting_systems(codes: pd.Series) -> dict[str, float]:
    """Return the share of rows whose code each shipped system has, best first.

    Higher levels do not count here: they would make every system of digits fit every other.
    """
    counts = codes.value_counts()
    total = int(counts.sum())
    shares = {}
    for name in SYSTEMS:
        rows = _codes_of(name)
        fits = [_exactly(code, rows) != "" for code in counts.index]
        shares[name] = float(counts[fits].sum()) / total if total else 0.0
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def codes_stored_as_numbers(codes: Iterable[str], system: pd.DataFrame) -> dict[str, str]:
    """Return those of some codes that a system has with a zero in front or without decimals, and what they were: 101 and 0101, 1101.0 and 1101.

    0 is none of them: it says that there is no code.
    """
    rows, were = set(system["code"]), {}
    for code in codes:
        whole = code.removesuffix(".0")
        others = (other for other in ("0" + whole, whole) if other != code)
        found = [row for other in others if (row := _exactly(other, rows))]
        if found and whole.strip("0"):
            were[code] = " or ".join(found)
    return were


def exchanged_types(codes: Iterable[str], own: pd.DataFrame) -> tuple[str, list[tuple[str, str]]]:
    """Return pairs of codes of which each has in a user's system the type that the other has in the shipped one that it is nearest to.

    Parameters
    ----------
    codes
        Those that occur.
    own
        The user's, from :func:`read_code_system`.

    Returns
    -------
    tuple
        The shipped system, and the pairs; blank and nothing where none has nearly all of the user's codes, mostly with the same types.
    """
    occurring = set(codes)
    rows = dict(zip(own["code"], own["type"], strict=True))
    best, near, agreeing = "", {}, 0
    for name in SYSTEMS:
        table = read_code_system(name)
        theirs = dict(zip(table["code"], table["type"], strict=True))
        both = rows.keys() & theirs.keys()
        same = sum(rows[code] == theirs[code] for code in both)
        if same > agreeing and len(both) >= _NEAR * len(rows) and same >= _ALIKE * len(both):
            best, near, agreeing = name, theirs, same
    other = sorted(code for code in occurring & rows.keys() & near.keys() if rows[code] != near[code])  # fmt: skip
    pairs = [
        (first, second)
        for place, first in enumerate(other)
        for second in other[place + 1 :]
        if (rows[first], rows[second]) == (near[second], near[first])
        and "none" not in (rows[first], rows[second])
    ]
    return (best, pairs) if pairs else ("", [])


@cache
def _codes_of(system: str) -> frozenset[str]:
    """Return the codes of a shipped system; each run and check asks for those of all."""
    return frozenset(read_code_system(system)["code"])


def _matching(code: str, rows: Rows) -> str:
    exact = _exactly(code, rows)
    if exact:
        return exact
    digits = code.upper().rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if not _NATIONAL_CODE.fullmatch(digits):
        return ""
    levels = (digits[:length] for length in range(len(digits) - 2, 0, -2))
    nearest = next((level for level in levels if level in rows), "")
    return nearest if nearest and rows[nearest][0] != "none" else ""


def _exactly(code: str, rows: Container[str]) -> str:
    candidates = [code]
    if code[:2].isdigit():
        candidates.append(code.upper())
        if code[-1:].isalpha():
            candidates += [code[:-1], code[:-1].upper()]
    if "=" in code:
        candidates = [code, code.partition("=")[0] + "=*"]
    return next((candidate for candidate in candidates if candidate in rows), "")


def _problems_of_system(table: pd.DataFrame, where: str) -> list[Problem]:
    missing = [column for column in ("code", "type") if column not in table]
    if missing:
        hint = f"It has: {', '.join(map(str, table.columns))}."
        return [Problem(f"no column {column!r}", where, hint) for column in missing]
    problems = [
        Problem(
            f"{name!r} is not a territorial type",
            where,
            f"Known: {', '.join(TYPES)}.{_nearest(name, TYPES)}",
        )
        for name in sorted(set(table["type"]) - set(TYPES))
    ]
    problems += [
        Problem(
            f"{name!r} is not a mode of transport", where, f"Known: {', '.join(MODES)}, or blank."
        )
        for name in sorted(set(table["mode"]) - {*MODES, ""})
    ]
    stray = table.loc[(table["mode"] != "") & (table["type"] != "transport"), "code"]
    problems += [
        Problem(
            f"code {code!r} has a mode, but is not transport land", where, "Leave its mode blank."
        )
        for code in stray
    ]
    repeated = table.loc[table["code"].duplicated(), "code"].unique()
    problems += [
        Problem(f"code {code!r} stands twice", where, "Keep one row per code.")
        for code in repeated[:10]
    ]
    return problems


def _nearest(word: str, known: tuple[str, ...]) -> str:
    matches = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
