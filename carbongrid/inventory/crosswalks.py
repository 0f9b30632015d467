"""From categories to the codes of the CRT, of IPCC 2006 and of the GPC, and back; what does not map is listed, not lost."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from functools import cache, lru_cache

import pandas as pd

from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.activity import Activity, activities, category_of
from carbongrid.inventory.codes import EXAMPLES, check_system, codes_above, is_within, normal_code
from carbongrid.inventory.codes import SYSTEMS as SYSTEMS
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.factors.catalogue import GASES
from carbongrid.inventory.forming import LOST_LAND
from carbongrid.inventory.lines import Inventory, Line
from carbongrid.inventory.methods import methods_of
from carbongrid.inventory.regions import counted_once
from carbongrid.inventory.terms import TERMS
from carbongrid.inventory.units_of_measure import INT64_MAX
from carbongrid.method.categories import Category, homes, read_categories
from carbongrid.method.landuse import packaged_table

COLUMNS = ("code", "category", "scope", "gas", "grams", "grams_co2e", "reason")
_FROM_COLUMNS = ("category", "gas", "grams")
_MAX_LISTED = 8


@in_own_decimals
def to_system(inventory: Inventory, system: str) -> pd.DataFrame:
    """Return the inventory of the whole city under the codes of a system.

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
    check_system(system)
    sums: dict[tuple[str, str, int, str, str], list[int]] = {}
    for line, grams, co2e in counted_once(inventory).formed:
        code, reason = code_of(line, system, inventory.categories)
        sign = -1 if inventory.categories[line.category].sink else 1
        entry = sums.setdefault((code, line.category, line.scope, line.gas, reason), [0, 0])
        entry[0] += sign * grams
        entry[1] += sign * co2e
    rows = [(*key[:4], *masses, key[4]) for key, masses in sums.items()]
    rows.sort(key=lambda row: (not row[0], row[0], row[1], row[2], GASES.index(row[3])))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys(("scope", "grams", "grams_co2e"), "int64"))


@in_own_decimals
def from_system(
    table: pd.DataFrame, system: str, categories: Mapping[str, Category] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return categories from the codes of a system.

    Parameters
    ----------
    table
        code, gas, grams; ``category`` where the code alone does not tell it. A table of :func:`to_system` has all. Codes may be
        written in any way that :func:`carbongrid.inventory.codes.normal_code` reads.
    system
        ``crt``, ``ipcc2006`` or ``gpc``.
    categories
        Default those of the package.

    Returns
    -------
    tuple of DataFrame
        category, gas, grams (int64, sinks positive again), summed; and the rows that do not map, with their ``reason``: a code
        that no category has, and which codes are near it, or one that several have, and which.

    Raises
    ------
    InputError
        If a column is missing, grams are not whole, or a row's category has not the row's code; by row, the first being 1.
    """
    check_system(system)
    missing = [name for name in ("code", "gas", "grams") if name not in table.columns]
    if missing:
        raise InputError(
            f"the columns {', '.join(missing)} are missing", hint="Give code, gas and grams."
        )
    known = dict(read_categories() if categories is None else categories)
    sums: dict[tuple[str, str], int] = {}
    unmapped, problems = [], []
    for number, cells in enumerate(table.to_dict("records"), start=1):
        given = _text(cells.get("category"))
        try:
            grams = _whole_grams(cells["grams"])
            name, reason = home_of(cells["code"], given, grams, system, known)
        except InputError as error:
            problems += [Problem(p.what, f"row {number}", p.hint) for p in error.problems]
            continue
        if reason:
            unmapped.append({**cells, "reason": reason})
            continue
        key = (name, _text(cells["gas"]))
        sums[key] = sums.get(key, 0) + (-grams if known[name].sink else grams)
    if problems:
        raise InputError(problems)
    mapped = pd.DataFrame(
        [(*key, grams) for key, grams in sums.items()], columns=list(_FROM_COLUMNS)
    )
    return mapped.astype({"grams": "int64"}), pd.DataFrame(
        unmapped, columns=[*table.columns.drop("reason", errors="ignore"), "reason"]
    )


def home_of(
    written: object, given: str, grams: int, system: str, known: Mapping[str, Category]
) -> tuple[str, str]:
    """Return the category of a row, or a blank and the reason why there is none.

    Parameters
    ----------
    written
        The code in any spelling.
    given
        The row's category; blank if the code alone is to tell it.
    grams
        Of the row, removals below 0.
    system
        ``crt``, ``ipcc2006`` or ``gpc``.
    known
        Those there are.

    Raises
    ------
    InputError
        If the given category has not the code.
    """
    code = normal_code(written, system)
    if not code and _text(written):
        return (
            "",
            f"{_text(written)!r} is no code of {system}, whose codes are like {EXAMPLES[system]}",
        )
    fitting = categories_of(code, system, known) if code else set()
    if given and given not in known:
        return "", f"there is no category {given!r}"
    if given and code and given not in fitting:
        may = f"it may be {', '.join(sorted(fitting))}" if fitting else "no category has it"
        raise InputError(f"{given} has not the code {code}", hint=f"{may}; mend one of them.")
    fitting = _by_sign({given} if given else fitting, grams, known)
    if len(fitting) == 1:
        return fitting.pop(), ""
    if not code:
        return "", "the code is blank, and no category is given"
    if fitting:
        return "", f"{code} may be {', '.join(sorted(fitting))}"
    return "", f"no category has the code {code}; {_near(code, system, known)}"


def candidates_of(code: str, grams: int, system: str, known: Mapping[str, Category]) -> list[str]:
    """Return the categories that a code with so much mass may be, removals below 0; sorted."""
    return sorted(_by_sign(categories_of(code, system, known), grams, known))


def _by_sign(fitting: set[str], grams: int, known: Mapping[str, Category]) -> set[str]:
    """Return those that fit the sign: land under one code takes up or gives off (D27)."""
    sinks = {name for name in fitting if known[name].sink}
    if sinks and grams > 0 and LOST_LAND in known:
        return (fitting - sinks) | {LOST_LAND}
    return sinks or fitting


def _near(code: str, system: str, known: Mapping[str, Category]) -> str:
    """Say which codes have a category, under the nearest code above that has any."""
    codes = sorted(_homes(system, tuple(known.items())))
    for above in codes_above(code):
        near = [other for other in codes if is_within(other, above)]
        if near:
            return f"under {above} there are {listed(near, _MAX_LISTED, more=', ...')}"
    first = dict.fromkeys(other.partition(".")[0] for other in codes)
    return f"codes begin with {', '.join(first)}"


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()


def _whole_grams(cell: object) -> int:
    try:
        grams = Decimal(str(cell))
    except InvalidOperation:
        grams = Decimal("nan")
    if not grams.is_finite() or grams != grams.to_integral_value() or abs(grams) > INT64_MAX:
        raise InputError(f"expected whole grams, not {cell!r}", hint="Round them first.")
    return int(grams)


def code_of(line: Line, system: str, categories: Mapping[str, Category]) -> tuple[str, str]:
    """Return the code of a line, whose category is one of those, or a blank and the reason."""
    name = _name_in_the_table(categories[line.category])
    row = _row_of(line.row.activity, name, line.product)
    if row is None:
        return "", "the category is the user's own"
    return row[system], "" if row[system] else row["reason"]


def level_of(code: str) -> str:
    """Return which total of the GPC a code is in: ``BASIC``, ``BASIC+``, or ``territorial``, outside of both; blank if it has none."""
    rows = packaged_table("inventory/gpc_levels.csv").to_dict("records")
    # A part of a code is in the total that the code is in.
    found = (row["level"] for each in (code, *codes_above(code)) for row in rows if fnmatchcase(each, str(row["code"])))  # fmt: skip
    return str(next(found, ""))


def categories_of(code: str, system: str, categories: Mapping[str, Category]) -> set[str]:
    """Return the categories that a code may be.

    Those that rows of activity give to the code, or to a code below it, which is a part of it; where none has the code itself, those of
    the nearest code above too, of which it is a part.
    """
    homes = _homes(system, tuple(categories.items()))
    code = normal_code(code, system)
    found = {name for other in homes if is_within(other, code) for name in homes[other]}
    if code in homes:
        return found
    above = next((other for other in codes_above(code) if other in homes), "")
    return found | homes.get(above, set())


@lru_cache(maxsize=8)
def _homes(system: str, categories: tuple[tuple[str, Category], ...]) -> dict[str, set[str]]:
    """Return, by code, the categories that some row of activity gives to it: what :func:`code_of` does, the other way."""
    known = dict(categories)
    found: dict[str, set[str]] = {}
    for activity in activities().values():
        goes = {
            name
            for sheet in activity.sheets
            for name in known
            if _goes(activity, sheet, name, known)
        }
        if any(known[name].sink for name in goes):
            goes |= {LOST_LAND} & set(known)
        terms = {method.term for method in methods_of(activity.name)}
        products = {product.name for term in terms for product in TERMS[term].products}
        for home, product in itertools.product(goes, products):
            row = _row_of(activity.name, _name_in_the_table(known[home]), product)
            if row is not None and row[system]:
                found.setdefault(row[system], set()).add(home)
    return found


def _goes(activity: Activity, sheet: str, name: str, known: Mapping[str, Category]) -> bool:
    try:
        return category_of(activity, sheet, name, known) == name
    except InputError:
        return False


def _name_in_the_table(category: Category) -> str:
    """Return the name under which the table finds a category: of a user's own buildings that homes alone carry, that of these."""
    of_homes = {carrier for each in homes().values() for carrier in each.types}
    own = category.name not in read_categories() and category.sector == "buildings"
    return next(iter(homes())) if own and {*category.types} <= of_homes else category.name


@lru_cache(maxsize=4096)
def _row_of(activity: str, category: str, product: str) -> dict[str, str] | None:
    """Return the first row of the table that fits."""
    cells = {"activity": activity, "category": category, "product": product}
    return next((row for row in _rows() if all(fnmatchcase(cells[n], row[n]) for n in cells)), None)


@cache
def _rows() -> list[dict[str, str]]:
    records = packaged_table("inventory/crosswalk.csv").to_dict("records")
    return [{str(name): str(value) for name, value in record.items()} for record in records]
