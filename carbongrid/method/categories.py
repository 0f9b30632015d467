"""Categories: the lines of the inventory that are spread on their own.

The table ships as ``data/categories.csv``; rows of a user's table replace or add to it by key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.method.landuse import MODES, TYPES, packaged_table

SECTORS = ("industry", "buildings", "transport", "agriculture", "waste")
"""Emission sectors of equation (1), in its order; ``sink`` is the sixth."""

COLUMNS = ("category", "sector", "name_en", "name_zh", "scope", "sink", "types", "weight", "inside")

_NAME = re.compile(r"[\w-]+/[\w-]+")
_SECTOR = re.compile(r"[\w-]+")
_OF_MODE = re.compile(r"transport of mode (\w+)")
_PLAIN_WEIGHTS = ("area", "pois", "people", "roads")
_WEIGHTS = "area, pois, people, roads, lines:MODE, field:COLUMN or raster:PATH"
_CARRIERS = tuple(name for name in TYPES if name != "none")
_RESERVED = ("emission",)
"""A sector of this name would have the column of the sum of all sectors."""


@dataclass(frozen=True, order=True)
class Category:
    """One category: sector x activity x territorial types, with one weight rule.

    Parameters
    ----------
    name
        Key such as ``industry/mining``.
    sector
        One of :data:`SECTORS`, ``sink``, or a user's own.
    name_en, name_zh
        For people.
    scope
        1, 2 or 3 (D24).
    sink
        Whether the mass is taken up rather than emitted.
    types
        Territorial types that carry it; ``transport:rail`` is transport land of mode rail.
    weight
        ``area``, ``pois``, ``people``, ``roads``, ``lines:MODE``, ``field:COLUMN``, ``raster:PATH``.
    inside
        ``raster:PATH`` if mass follows a raster inside each parcel whatever weighs the parcels; blank: as ``weight`` says.
    """

    name: str
    sector: str
    name_en: str
    name_zh: str
    scope: int
    sink: bool
    types: tuple[str, ...]
    weight: str
    inside: str = ""

    @property
    def structure(self) -> str:
        """The path of the raster that mass follows inside a parcel; empty for none."""
        return raster_inside(self.weight, self.inside)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Category:
        """Return a category of its fields, as JSON holds them."""
        return cls(**{**told, "types": tuple(told["types"])})


def raster_inside(weight: str, inside: str) -> str:
    """Return the path of the raster that mass follows inside a parcel, of what a category says of both; empty for none."""
    rule, _, path = (inside or weight).partition(":")
    return path if rule == "raster" else ""


def in_order(sectors: Iterable[str]) -> list[str]:
    """Return sectors once each, as tables have them: those of :data:`SECTORS` that occur, then a user's own by name."""
    found = set(sectors)
    return [*(name for name in SECTORS if name in found), *sorted(found - set(SECTORS))]


def read_categories(
    extra: pd.DataFrame | None = None, *, where: str = "", people: bool = False
) -> dict[str, Category]:
    """Return the categories of the package, with a user's rows laid over them.

    Parameters
    ----------
    extra
        A user's table, every cell text, indexed by the row of its file. A row whose category the
        package has replaces it, a blank cell keeping the package's value; any other row is a new
        category and needs every cell but the names.
    where
        Name of the user's file, for messages.
    people
        Whether the case has people, by whom some of the package's categories then go (docs/decisions/0088).

    Returns
    -------
    dict
        Category by name; those of the package first, in its order.

    Raises
    ------
    InputError
        With every wrong cell.
    """
    packaged = _packaged_with_people() if people else _packaged()
    if extra is None:
        return dict(packaged)
    problems = _faults_of_table(extra, where)
    if problems:
        raise InputError(problems)
    found = dict(packaged)
    for row, cells in zip(extra.index, extra.to_dict("records"), strict=True):
        place = f"{where}, row {row}" if where else f"row {row}"
        text = {column: str(cells.get(column, "")).strip() for column in COLUMNS}
        category = _category(text, packaged.get(text["category"]), place, problems)
        if category is not None:
            found[category.name] = category
    if problems:
        raise InputError(problems)
    return found


@cache
def sector_names() -> dict[str, tuple[str, str]]:
    """Return the English and the Chinese name of each sector, ``sink`` included."""
    table = packaged_table("sectors.csv")
    names = zip(table["name_en"], table["name_zh"], strict=True)
    return dict(zip(table["sector"], names, strict=True))


@cache
def by_people_unasked() -> frozenset[str]:
    """Return the package's categories that go by people where a case has any."""
    return frozenset(packaged_table("categories_with_people.csv")["category"])


@cache
def homes() -> Mapping[str, Category]:
    """Return the package's categories of homes as they come: those that go by people unless a case says otherwise."""
    return {name: each for name, each in _packaged().items() if each.weight == "people"}


def column_of(name: str) -> str:
    """Return the stem of a category's column in tables: ``industry_mining`` for ``industry/mining``."""
    return name.replace("/", "_")


@cache
def _packaged() -> dict[str, Category]:
    problems: list[Problem] = []
    rows = packaged_table("categories.csv").to_dict("records")
    found = [_category({str(k): v for k, v in row.items()}, None, "", problems) for row in rows]
    if problems:
        raise InputError(problems)
    return {category.name: category for category in found if category is not None}


@cache
def _packaged_with_people() -> dict[str, Category]:
    return read_categories(packaged_table("categories_with_people.csv"))


def _faults_of_table(table: pd.DataFrame, where: str) -> list[Problem]:
    if "category" not in table.columns:
        what = f"the column 'category' is missing; there are {', '.join(map(repr, table.columns))}"
        return [Problem(what, where, f"The columns are {', '.join(COLUMNS)}.")]
    repeated = table["category"].loc[
        table["category"].duplicated(keep=False) & (table["category"] != "")
    ]
    return [
        Problem(
            f"the category {name!r} stands in rows {', '.join(map(str, rows))}",
            where,
            "Keep one of them.",
        )
        for name, rows in repeated.groupby(repeated).groups.items()
    ]


def _category(
    cells: Mapping[str, str], base: Category | None, where: str, problems: list[Problem]
) -> Category | None:
    """Return the category that a row describes; None, with problems added, if a cell is wrong."""
    before = len(problems)
    text = dict(cells)
    if base is not None:
        text = {column: text[column] or kept for column, kept in _cells_of(base).items()}
    if fault := _inside_fault(text.get("inside", "")):
        problems.append(_fault(where, "inside", text["inside"], *fault))
    for column, check in _CHECKS.items():
        value = text[column]
        expected = check(value) if value else ("some text", _EXAMPLES[column])
        if expected:
            problems.append(_fault(where, column, value, *expected))
    if len(problems) == before and (text["sector"] == "sink") != (text["sink"].lower() == "true"):
        what = f"the sector is {text['sector']!r} and sink is {text['sink']!r}"
        problems.append(Problem(what, where, "Sinks, and they alone, have the sector sink."))
    if len(problems) > before:
        return None
    return Category(
        name=text["category"],
        sector=text["sector"],
        name_en=text["name_en"] or text["category"],
        name_zh=text["name_zh"] or text["name_en"] or text["category"],
        scope=int(text["scope"]),
        sink=text["sink"].lower() == "true",
        types=_types(text["types"]),
        weight=_spelled(text["weight"]),
        inside=_spelled(text.get("inside", "")),
    )


def _spelled(rule: str) -> str:
    return ":".join(part.strip() for part in rule.split(":", 1))


def _cells_of(category: Category) -> dict[str, str]:
    return {
        "category": category.name,
        "sector": category.sector,
        "name_en": category.name_en,
        "name_zh": category.name_zh,
        "scope": str(category.scope),
        "sink": str(category.sink).lower(),
        "types": "+".join(category.types),
        "weight": category.weight,
        "inside": category.inside,
    }


def _fault(where: str, column: str, value: str, expected: str, hint: str) -> Problem:
    place = f"{where}, column {column}" if where else f"column {column}"
    shown = repr(value) if value else "a blank"
    return Problem(f"expected {expected}, not {shown}", place, hint)


_Expected = tuple[str, str] | None


def _name_fault(text: str) -> _Expected:
    return None if _NAME.fullmatch(text) else ("sector/activity", _EXAMPLES["category"])


def _sector_fault(text: str) -> _Expected:
    if _SECTOR.fullmatch(text) and text not in _RESERVED:
        return None
    return ("the name of a sector", _EXAMPLES["sector"])


def _scope_fault(text: str) -> _Expected:
    return None if text in ("1", "2", "3") else ("1, 2 or 3", "Scope 3 is emitted elsewhere.")


def _sink_fault(text: str) -> _Expected:
    return None if text.lower() in ("true", "false") else ("true or false", _EXAMPLES["sink"])


def _types_fault(text: str) -> _Expected:
    types = _types(text)
    if len(set(types)) != len(types):
        return ("each type once", "Take the second out.")
    for name in types:
        land, _, mode = name.partition(":")
        if land not in _CARRIERS:
            return (
                f"territorial types joined by + ({land!r} is not one)",
                suggestion_of(land, _CARRIERS),
            )
        if mode and (land != "transport" or mode not in MODES):
            return (
                f"a mode ({', '.join(MODES)}) after transport:",
                "Write for example transport:rail.",
            )
        if name.endswith(":"):
            return ("a mode after the colon", "Write for example transport:rail.")
    return None


def weight_fault(text: str) -> _Expected:
    """Return what is expected in the place of a weight rule, and a hint; None if it is one."""
    kind, colon, argument = (part.strip() for part in text.partition(":"))
    if text in _PLAIN_WEIGHTS:
        return None
    if colon and argument.strip() and kind in ("field", "raster"):
        return None
    if kind == "lines" and colon:
        if argument in MODES:
            return None
        return (f"lines: and one of {', '.join(MODES)}", suggestion_of(argument, MODES))
    return (_WEIGHTS, suggestion_of(text, _PLAIN_WEIGHTS))


def _inside_fault(text: str) -> _Expected:
    kind, _, path = (part.strip() for part in text.partition(":"))
    if not text or (kind == "raster" and path):
        return None
    return ("raster:PATH, or a blank", "A blank leaves mass inside a parcel as its weight has it.")


def suggestion_of(word: str, known: Collection[str]) -> str:
    """Return which of the known words is meant, or what is known."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."


def _types(text: str) -> tuple[str, ...]:
    parts = (_OF_MODE.sub(r"transport:\1", part.strip()) for part in text.split("+"))
    return tuple(parts)


_CHECKS = {
    "category": _name_fault,
    "sector": _sector_fault,
    "scope": _scope_fault,
    "sink": _sink_fault,
    "types": _types_fault,
    "weight": weight_fault,
}

_EXAMPLES = {
    "category": "Write for example industry/steel.",
    "sector": f"Known: {', '.join(SECTORS)}, sink; or one of your own.",
    "scope": "Write 1, 2 or 3.",
    "sink": "Write true for an uptake, false for an emission.",
    "types": "Write for example forest+grassland.",
    "weight": f"Write {_WEIGHTS}.",
}
