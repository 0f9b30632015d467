"""From categories to the codes of the CRT, of IPCC 2006 and of the GPC, and back; what does not map is listed, not lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache

import pandas as pd

from carbongrid.categories import Category, read_categories
from carbongrid.errors import InputError
from carbongrid.factors.catalogue import GASES
from carbongrid.inventory.forming import LOST_LAND
from carbongrid.inventory.lines import Inventory, Line
from carbongrid.landuse import packaged_table

SYSTEMS = ("crt", "ipcc2006", "gpc")
"""Common reporting tables, the 2006 Guidelines, the Global Protocol for Community-Scale inventories."""

COLUMNS = ("code", "category", "scope", "gas", "grams", "grams_co2e", "reason")
_FROM_COLUMNS = ("category", "gas", "grams")


def to_system(inventory: Inventory, system: str) -> pd.DataFrame:
    """Return the inventory under the codes of a system.

    Parameters
    ----------
    inventory
        As :func:`carbongrid.inventory.form` returns it.
    system
        ``crt``, ``ipcc2006`` or ``gpc``.

    Returns
    -------
    DataFrame
        code, category, scope, gas, grams, grams_co2e (int64; removals below 0), reason: one row for each code, category, scope
        and gas, sorted by code. The category stays as a subdivision of the code, so that the way back loses nothing. Rows
        whose code is blank do not map; the reason says why.
    """
    _check(system)
    sums: dict[tuple[str, str, int, str, str], list[int]] = {}
    for line, grams, co2e in zip(
        inventory.lines, inventory.grams, inventory.grams_co2e, strict=True
    ):
        code, reason = code_of(line, system)
        sign = -1 if inventory.categories[line.category].sink else 1
        entry = sums.setdefault((code, line.category, line.scope, line.gas, reason), [0, 0])
        entry[0] += sign * grams
        entry[1] += sign * co2e
    rows = [(*key[:4], *masses, key[4]) for key, masses in sums.items()]
    rows.sort(key=lambda row: (not row[0], row[0], row[1], row[2], GASES.index(row[3])))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(("scope", "grams", "grams_co2e"), "int64"))


def from_system(
    table: pd.DataFrame, system: str, categories: Mapping[str, Category] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return categories from the codes of a system.

    Parameters
    ----------
    table
        code, gas, grams; ``category`` where the code alone does not tell it. A table of :func:`to_system` has all.
    system
        ``crt``, ``ipcc2006`` or ``gpc``.
    categories
        Default those of the package.

    Returns
    -------
    tuple of DataFrame
        category, gas, grams (int64, sinks positive again), summed; and the rows that do not map, with their ``reason``: a code
        that no category has, or one that several have.

    Raises
    ------
    InputError
        If a column is missing.
    """
    _check(system)
    missing = [name for name in ("code", "gas", "grams") if name not in table.columns]
    if missing:
        raise InputError(
            f"the columns {', '.join(missing)} are missing", way_out="Give code, gas and grams."
        )
    known = dict(read_categories() if categories is None else categories)
    sums: dict[tuple[str, str], int] = {}
    unmapped = []
    for cells in table.to_dict("records"):
        given, code = str(cells.get("category", "") or ""), str(cells["code"])
        fitting = {given} if given in known else categories_of(code, system, known)
        if len(fitting) != 1:
            reason = (
                f"{code} may be {', '.join(sorted(fitting))}"
                if fitting
                else f"no category has the code {code}"
            )
            unmapped.append({**cells, "reason": reason})
            continue
        name, grams = fitting.pop(), int(cells["grams"])
        if known[name].sink:
            # A sink that emits is a source of its own category, never a negative sink (decision 27).
            name, grams = (LOST_LAND, grams) if grams > 0 else (name, -grams)
        key = (name, str(cells["gas"]))
        sums[key] = sums.get(key, 0) + grams
    mapped = pd.DataFrame(
        [(*key, grams) for key, grams in sums.items()], columns=list(_FROM_COLUMNS)
    )
    return mapped.astype({"grams": "int64"}), pd.DataFrame(
        unmapped, columns=[*table.columns.drop("reason", errors="ignore"), "reason"]
    )


def code_of(line: Line, system: str) -> tuple[str, str]:
    """Return the code of a line, or a blank and the reason."""
    for row in _rows():
        fits = (
            fnmatchcase(line.row.activity, row["activity"])
            and fnmatchcase(line.category, row["category"])
            and fnmatchcase(line.product, row["product"])
        )
        if fits:
            return row[system], "" if row[system] else row["reason"]
    return "", "the category is the user's own"


def categories_of(code: str, system: str, categories: Iterable[str]) -> set[str]:
    """Return the categories that a code may be: those that have it; else those of the code above; else those of codes below."""
    names = list(categories)
    exact = [row for row in _rows() if row[system] == code]
    above = [row for row in _rows() if row[system] and code.startswith(f"{row[system]}.")]
    longest = max((len(row[system]) for row in above), default=0)
    nearest = [row for row in above if len(row[system]) == longest]
    below = [row for row in _rows() if row[system].startswith(f"{code}.")]
    found: set[str] = set()
    for row in exact or nearest or below:
        home = (
            {row["back"]}
            if row["back"]
            else {name for name in names if fnmatchcase(name, row["category"])}
        )
        found |= home & set(names)
    return found


@cache
def _rows() -> list[dict[str, str]]:
    records = packaged_table("inventory/crosswalk.csv").to_dict("records")
    return [{str(name): str(value) for name, value in record.items()} for record in records]


def _check(system: str) -> None:
    if system not in SYSTEMS:
        raise InputError(f"unknown system {system!r}", way_out=f"Known: {', '.join(SYSTEMS)}.")
