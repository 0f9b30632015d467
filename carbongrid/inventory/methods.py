"""Which factors a row takes: the methods of its activity, the row's own parameters, the best status."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import ActivityRow
from carbongrid.inventory.checks import faults_of
from carbongrid.inventory.factors import Catalogue, Factor, read_unit
from carbongrid.inventory.lines import Input
from carbongrid.inventory.terms import TERMS, Product
from carbongrid.method.landuse import packaged_table

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?)\s*(?P<unit>.*)"
)
_COMPLEMENT = re.compile(r"1\s*-\s*(?=[A-Za-z])")
_GRID = "@grid"
_WHICH_YEAR = "Write year, 2020 for example, on the sheet settings."
_WHICH_GRID = (
    "Write grid on the sheet settings: national (of China), a province or region such as jiangsu or east, or the key of a factor, "
    "your own for example; or factor= in the row."
)


@dataclass(frozen=True)
class Method:
    """One way of an activity: a term and where each role's factor comes from, as the table has it."""

    variant: str
    when: str
    term: str
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Chosen:
    """The method of a row, with the inputs of each product; a product without a factor says why."""

    method: Method
    products: tuple[tuple[Product, tuple[Input, ...] | str], ...]

    @property
    def rank(self) -> int:
        """The worst status among the package's factors in use."""
        ranks = [
            entry.factor.rank
            for _, inputs in self.products
            if not isinstance(inputs, str)
            for entry in inputs
        ]
        return max(ranks, default=0)


@dataclass(frozen=True)
class Setting:
    """What all rows share: the catalogue, the year, the grid, the preferred variant."""

    factors: Catalogue
    year: int | None
    grid: str
    prefer: str


@cache
def methods_of(activity: str) -> tuple[Method, ...]:
    """Return the methods of an activity, in the order of the table."""
    return _methods().get(activity, ())


def variants() -> set[str]:
    """Return the variants that some activity has."""
    return {method.variant for methods in _methods().values() for method in methods}


@cache
def _methods() -> dict[str, tuple[Method, ...]]:
    found: dict[str, list[Method]] = {}
    for cells in packaged_table("inventory/methods.csv").to_dict("records"):
        pairs = (part.partition("=") for part in str(cells["factors"]).split("; ") if part)
        sources = {role.strip(): source.strip() for role, _, source in pairs}
        method = Method(str(cells["variant"]), str(cells["when"]), str(cells["term"]), sources)
        found.setdefault(str(cells["activity"]), []).append(method)
    return {activity: tuple(methods) for activity, methods in found.items()}


@cache
def _uses() -> dict[str, str]:
    table = packaged_table("inventory/uses.csv")
    return dict(zip(table["category"], table["use"], strict=True))


def choose(row: ActivityRow, setting: Setting) -> Chosen:
    """Return the method of a row, with its factors.

    Of the methods that go with the category and know all parameters of the row, the one that the row names; else the preferred
    one; else the one whose worst factor has the best status, the first of equals.

    Raises
    ------
    InputError
        If none can be formed; the problems are without a place.
    """
    methods = methods_of(row.activity)
    own = [method for method in methods if method.when == row.category]
    methods = tuple(own or (method for method in methods if not method.when))
    wanted = row.parameters.get("variant", "")
    if wanted:
        methods = tuple(method for method in methods if method.variant == wanted)
        if not methods:
            known = ", ".join(sorted({method.variant for method in methods_of(row.activity)}))
            raise InputError(
                f"unknown variant {wanted!r} of {row.activity}", hint=f"Known: {known}."
            )
    knowing = [method for method in methods if _knows(method, row)]
    if not knowing:
        raise _unknown_parameter(methods, row)
    formed, faults = [], []
    for method in knowing:
        try:
            formed.append(_with_factors(method, row, setting))
        except InputError as error:
            faults.append(error)
    if not formed:
        raise min(faults, key=lambda error: len(error.problems))
    preferred = [chosen for chosen in formed if chosen.method.variant == setting.prefer]
    return preferred[0] if preferred else min(formed, key=lambda chosen: chosen.rank)


def _roles(method: Method) -> set[str]:
    roles = {role for product in TERMS[method.term].products for role in product.roles}
    return (roles - {"age"}) | {"deposited"} if "age" in roles else roles


def _knows(method: Method, row: ActivityRow) -> bool:
    return set(row.parameters) <= _roles(method) | {"variant"}


def _unknown_parameter(methods: tuple[Method, ...], row: ActivityRow) -> InputError:
    known = sorted({role for method in methods for role in _roles(method)})
    strange = [name for name in row.parameters if name not in known and name != "variant"]
    if not strange:
        together = ", ".join(sorted(set(row.parameters) - {"variant"}))
        return InputError(
            f"no method of {row.activity} takes {together} together",
            hint=f"Known: {', '.join(known)}.",
        )
    close = difflib.get_close_matches(strange[0], known, 1, 0.6)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
    return InputError(f"unknown parameter {strange[0]!r} of {row.activity}", hint=hint)


def _with_factors(method: Method, row: ActivityRow, setting: Setting) -> Chosen:
    problems: list[Problem] = []
    products: list[tuple[Product, tuple[Input, ...] | str]] = []
    for product in TERMS[method.term].products:
        missing = [role for role in product.roles if not _source(role, method, row)]
        if missing and product.optional:
            products.append((product, f"no {' and no '.join(missing)}"))
            continue
        inputs = []
        for role in product.roles:
            try:
                inputs.append(_input(role, method, row, setting))
            except InputError as error:
                problems += error.problems
        if len(inputs) == len(product.roles):
            problems += faults_of(row, product, inputs)
        products.append((product, tuple(inputs)))
    if problems:
        # Products of one row share roles: what is wrong with one of them is told once.
        raise InputError(dict.fromkeys(problems))
    return Chosen(method, tuple(products))


def _source(role: str, method: Method, row: ActivityRow) -> str:
    if role == "age":
        return row.parameters.get("deposited", "")
    given = row.parameters.get(role, method.sources.get(role, ""))
    use = _uses().get(row.category, "") or _uses().get(row.category.partition("/")[0], "")
    if "{use}" in given:
        return given.replace("{use}", use) if use else ""
    return given


def _input(role: str, method: Method, row: ActivityRow, setting: Setting) -> Input:
    source = _source(role, method, row)
    if role == "calorific_value" and read_unit(row.unit).dimension == read_unit("J").dimension:
        if role in row.parameters:
            raise InputError(
                f"calorific_value={source} has no use: the amount is energy already ({row.unit})",
                hint="Leave it out, or write the amount as a mass or a volume.",
            )
        return Input(role, _number("1", row, role, "the amount is energy already"))
    if role == "age":
        return Input(role, _age(source, setting))
    if not source:
        options = "a factor's key (search with `carbongrid factors`), or a number with its unit"
        raise InputError(
            f"{row.activity} needs the parameter {role}", hint=f"Write {role}=..., {options}."
        )
    if source == _GRID:
        return Input(role, grid_factor(setting.factors, setting.grid, setting.year))
    if _QUANTITY.fullmatch(source) and not _COMPLEMENT.match(source):
        why = "given in the row" if role in row.parameters else "of the method"
        return Input(role, _number(source, row, role, why))
    keys = [
        (bool(_COMPLEMENT.match(key)), _COMPLEMENT.sub("", key, 1)) for key in source.split("|")
    ]
    complement, key = min(keys, key=lambda key: setting.factors[key[1]].rank)
    factor = setting.factors[key]
    if factor.value is None:
        raise InputError(
            f"the factor {key!r} has bounds but no value",
            hint=f"Give a number: {role}=1.3 {factor.unit}.",
        )
    return Input(role, factor, complement)


def _number(text: str, row: ActivityRow, role: str, why: str) -> Factor:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no number with a unit")
    unit = match["unit"].strip() or "1"
    read_unit(unit)
    value = Fraction(Decimal(match["number"]))
    if value < 0:
        raise InputError(f"expected no negative number, not {role}={text}")
    status = "own" if role in row.parameters else ""
    source = f"{why}: {row.source}".rstrip(": ") if status else why
    return Factor("", role, value, unit, gas=_gas(unit), source=source, status=status)


def _gas(unit: str) -> str:
    substance = read_unit(unit).substance
    return substance if substance not in ("N", "BOD", "COD") else ""


def _age(deposited: str, setting: Setting) -> Factor:
    if setting.year is None:
        raise InputError("the year of the inventory is not known", hint=_WHICH_YEAR)
    if not re.fullmatch(r"\d{4}", deposited) or int(deposited) > setting.year:
        raise InputError(
            f"expected a year up to {setting.year}, not deposited={deposited}",
            hint="Write deposited=2015, the year in which the waste was put down.",
        )
    age = Fraction(setting.year - int(deposited))
    return Factor("", "age", age, "1", source=f"{setting.year} - {deposited}", status="")


def grid_factor(factors: Catalogue, grid: str, year: int | None) -> Factor:
    """Return the average factor of a grid: the nearest year, then the best status, then the earlier of two.

    Parameters
    ----------
    factors
        The catalogue.
    grid
        ``national``, a province or a region such as ``jiangsu`` or ``east``; or the key of a factor.
    year
        Of the inventory.

    Raises
    ------
    InputError
        If there is no such grid, or grid or year are not known.
    """
    if grid in factors:
        return factors[grid]
    if not grid:
        raise InputError("which grid the electricity is from is not known", hint=_WHICH_GRID)
    if year is None:
        raise InputError("the year of the inventory is not known", hint=_WHICH_YEAR)
    found = sorted(
        _of_grid(factors, grid), key=lambda pair: (abs(pair[1] - year), pair[0].rank, pair[1])
    )
    if found:
        return found[0][0]
    known = sorted(
        {
            factor.key.split(".")[-2]
            for factor in factors
            if factor.key.startswith("cn.grid.") and factor.key[-4:].isdigit()
        }
    )
    close = difflib.get_close_matches(grid, known, 1, 0.6)
    hint = f"Did you mean {close[0]!r}?" if close else "Bring your own factor and name its key."
    raise InputError(f"unknown grid {grid!r}", hint=hint)


def _of_grid(factors: Catalogue, grid: str) -> Iterator[tuple[Factor, int]]:
    name = re.compile(rf"cn\.grid\.(?:province\.|region\.)?{re.escape(grid)}\.(\d{{4}})")
    for factor in factors:
        match = name.fullmatch(factor.key)
        if match:
            yield factor, int(match[1])
