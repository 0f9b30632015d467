"""Which factors a row takes: the row's own parameters, then what holds where the inventory is of, then what is documented best."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.activity import CLIMATES, ActivityRow
from carbongrid.inventory.checks import faults_of
from carbongrid.inventory.factors import Catalogue, Factor, read_unit
from carbongrid.inventory.factors.catalogue import OWN, RECALLED
from carbongrid.inventory.grids import WHICH_YEAR, grid_factor
from carbongrid.inventory.lines import Input
from carbongrid.inventory.places import ANYWHERE, WORLD, Place
from carbongrid.inventory.terms import TERMS, Product
from carbongrid.inventory.units_of_measure import require_not_grouped
from carbongrid.method.categories import Category, read_categories
from carbongrid.method.landuse import packaged_table

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,2})?)\s*(?P<unit>.*)"
)
_COMPLEMENT = re.compile(r"1\s*-\s*(?=[A-Za-z])")
_GRID = "@grid"
_DECAY = "ipcc.swds.k."


@dataclass(frozen=True)
class Method:
    """One way of an activity: a term and where each role's factor comes from, as the table has it.

    ``grade`` is what its factors are of, where that is not quite the activity: coal of no known rank.
    """

    variant: str
    when: str
    term: str
    sources: Mapping[str, str]
    grade: str = ""


@dataclass(frozen=True)
class Alternative:
    """A product of other factors that a row could take unasked, and why it does not.

    Parameters
    ----------
    name
        The variant, or the factor's key.
    why
        What comes before it.
    product, inputs
        What it would be formed of.
    """

    name: str
    why: str
    product: Product
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Standing:
    """What decides between factors, in this order; less is better.

    Parameters
    ----------
    others
        Whether none is the user's own.
    recalled
        Whether one is only recalled: such a number is taken if a row or ``prefer`` asks, or nothing else is there.
    upstream
        Whether one holds what is emitted elsewhere before use (D28).
    distance
        How far the regions of the first product's numbers are from the inventory's (:meth:`Place.distance`), the farthest.
    tier
        Less its tier: a country's own before a default, of two that hold in the same region; of two that hold elsewhere its tier,
        the default first.
    grade
        Whether the factors are of another grade than the activity.
    rank
        The worst status.
    """

    others: bool
    recalled: bool
    upstream: bool
    distance: int
    tier: int
    grade: bool
    rank: int

    @property
    def order(self) -> tuple[int, ...]:
        """The order as numbers."""
        return (
            *(self.others, self.recalled, self.upstream),
            *(self.distance, self.tier, self.grade, self.rank),
        )


@dataclass(frozen=True)
class Chosen:
    """The method of a row, with the inputs of each product and of what is a memo; a product without a factor says why."""

    method: Method
    products: tuple[tuple[Product, tuple[Input, ...] | str], ...]
    alternatives: tuple[Alternative, ...] = ()
    memo: tuple[tuple[Product, tuple[Input, ...] | str], ...] = ()

    @property
    def formed(self) -> list[tuple[Product, tuple[Input, ...]]]:
        """The products that have factors."""
        return [(product, ins) for product, ins in self.products if not isinstance(ins, str)]

    @property
    def memo_formed(self) -> list[tuple[Product, tuple[Input, ...]]]:
        """What is a memo and has factors."""
        return [(product, ins) for product, ins in self.memo if not isinstance(ins, str)]

    def standing(self, place: Place) -> Standing:
        """Return how it stands against the other methods of the activity."""
        used = [[e.factor for e in inputs if e.factor.key] for _, inputs in self.formed]
        first, every = next(iter(used), []), [factor for factors in used for factor in factors]
        of_first = next((inputs for _, inputs in self.formed), ())
        distance = max((place.distance(entry.factor) for entry in of_first), default=0)
        tier = min((int(factor.tier or 0) for factor in first), default=0)
        return Standing(
            others=not any(factor.status == OWN for factor in every),
            recalled=any(factor.status == RECALLED for factor in every),
            upstream=any(factor.upstream for factor in every),
            distance=distance,
            tier=tier if distance == place.elsewhere else -tier,
            grade=bool(self.method.grade),
            rank=max((factor.rank for factor in every), default=0),
        )


@dataclass(frozen=True)
class Setting:
    """What all rows share: the catalogue, the year, the grid, the preferred variant, the place, the climate, the categories."""

    factors: Catalogue
    year: int | None
    grid: str
    prefer: str
    place: Place = ANYWHERE
    climate: str = CLIMATES[0]
    categories: Mapping[str, Category] = field(default_factory=read_categories)


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
        method = Method(
            variant=str(cells["variant"]),
            when=str(cells["when"]),
            term=str(cells["term"]),
            sources=sources,
            grade=str(cells["grade"]),
        )
        found.setdefault(str(cells["activity"]), []).append(method)
    return {activity: tuple(methods) for activity, methods in found.items()}


@cache
def _uses() -> tuple[tuple[str, frozenset[str], str], ...]:
    """Return which use fuels of a category have that none but these types carry, of none given any: the first that fits counts."""
    table = packaged_table("inventory/uses.csv")
    types = [frozenset(filter(None, joined.split("+"))) for joined in table["types"]]
    return tuple(zip(table["category"], types, table["use"], strict=True))


@cache
def _named() -> dict[tuple[str, str], str]:
    table = packaged_table("inventory/named.csv")
    return {(each["activity"], each["role"]): each["factor"] for each in table.to_dict("records")}


def missing_roles(
    product: Product, method: Method, row: ActivityRow, setting: Setting
) -> list[str]:
    """Return the roles of a product that neither the row nor the method gives a factor."""
    return [role for role in product.roles if not _source(role, method, row, setting)]


def what_to_write(roles: list[str], row: ActivityRow, setting: Setting) -> str:
    """Return what a row may write for roles that have no factor unasked: a key of the catalogue, where it has one."""
    use, factors = _use(row, setting), setting.factors
    keys = [_named().get((row.activity, role), "").replace("{use}", use) for role in roles]
    if all(key in factors for key in keys):
        pairs = "; ".join(f"{role}={key}" for role, key in zip(roles, keys, strict=True))
        status = max((factors[key] for key in keys), key=lambda factor: factor.rank).status
        return f"Write {pairs} in parameters; that factor is {status}."
    wanted = "=...; ".join(roles)
    return f"Write {wanted}=... in parameters, with a factor's key or a number with its unit."


def choose(row: ActivityRow, setting: Setting) -> Chosen:
    """Return the method of a row, with its factors.

    Of the methods that go with the category and know all parameters of the row, the one that the row names; else the preferred
    one; else the one that stands best (:class:`Standing`), the first of equals. The others are its alternatives.

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
    # Else a row with a mistake would be told that it has no factor of the whole.
    knowing = [method for method in knowing if _is_asked_for(method, row)] or knowing
    formed, faults = [], []
    for method in knowing:
        try:
            formed.append(_with_factors(method, row, setting))
        except InputError as error:
            faults.append(error)
    if not formed:
        raise min(faults, key=lambda error: len(error.problems))
    formed.sort(key=lambda chosen: chosen.standing(setting.place).order)
    formed.sort(key=lambda chosen: chosen.method.variant != setting.prefer)
    best, *others = formed
    return replace(
        best, alternatives=(*_of_methods(best, others, setting), *_of_keys(best, row, setting))
    )


def _of_methods(best: Chosen, others: list[Chosen], setting: Setting) -> Iterator[Alternative]:
    """Yield the products of the methods that were not taken."""
    for other in others:
        if best.method.variant == setting.prefer:
            why = f"{setting.prefer} is preferred"
        else:
            why = _why(best.standing(setting.place), other, setting.place)
        names = {product.name for product, _ in best.formed}
        for product, inputs in other.formed:
            if product.name in names:
                yield Alternative(other.method.variant, why, product, inputs)


def _of_keys(best: Chosen, row: ActivityRow, setting: Setting) -> Iterator[Alternative]:
    """Yield the products by the other factors that a role could have."""
    for product, inputs in best.formed:
        for position, entry in enumerate(inputs):
            for other in _candidates(entry.role, best.method, row, setting)[1:]:
                changed = (*inputs[:position], other, *inputs[position + 1 :])
                if other.factor.value is not None and not faults_of(row, product, changed):
                    alone = Chosen(best.method, ((product, (other,)),))
                    taken = Chosen(best.method, ((product, (entry,)),)).standing(setting.place)
                    why = _why(taken, alone, setting.place)
                    yield Alternative(other.factor.key, why, product, changed)


def _why(taken: Standing, other: Chosen, place: Place) -> str:
    """Return why one method is taken and not the other: the first thing in which they differ."""
    its = other.standing(place)
    _, inputs = other.formed[0]
    factors = [entry.factor for entry in inputs if entry.factor.region]
    far = max(factors, key=place.distance, default=None)
    if taken.others != its.others:
        return "a factor of your own comes first"
    if taken.recalled != its.recalled:
        return "a factor is only recalled"
    if taken.upstream != its.upstream:
        return "holds what is emitted upstream"
    if taken.distance != its.distance and far is not None:
        return f"of {far.region}; one that holds nearer is there"
    if taken.tier != its.tier:
        return "of another tier"
    if taken.grade != its.grade:
        return f"of {other.method.grade}"
    if taken.rank != its.rank:
        return "documented less well"
    return "the later of equals"


def _roles(method: Method) -> set[str]:
    term = TERMS[method.term]
    roles = {role for product in term.products for role in product.roles}
    if not any(product.gas == "CO2" for product in term.products):
        # Else the roles of a memo would make a method know a row that means another one.
        roles |= {role for product in term.memo for role in product.roles}
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


def _is_asked_for(method: Method, row: ActivityRow) -> bool:
    """Whether a row gives a method more than what the default method takes too, if it is one that takes what the default has."""
    roles = TERMS[method.term].as_default
    return not roles or bool(row.parameters.keys() - {*roles, "variant"})


def _as_default(method: Method, row: ActivityRow, setting: Setting) -> Method:
    """Return a method whose roles have what they have by default, by the row's category, place and unit; blank where no default can be formed."""
    roles = TERMS[method.term].as_default  # those of a method without a factor of the whole
    if not roles:
        return method
    given = {role: row.parameters[role] for role in roles if role in row.parameters}
    sources: Mapping[str, str] = {}
    if _is_asked_for(method, row):
        try:
            sources = choose(replace(row, parameters=given), setting).method.sources
        except InputError:
            if given:
                raise
    found = {role: sources.get(role, "") for role in roles}
    return replace(method, sources={**method.sources, **found})


def _in_climate(method: Method, setting: Setting) -> Method:
    """Return a method whose factors are those of the climate, where their keys name one."""
    climate = _in_keys(setting.climate)
    named = {role: source.replace("{climate}", climate) for role, source in method.sources.items()}
    return replace(method, sources=named)


def _with_factors(method: Method, row: ActivityRow, setting: Setting) -> Chosen:
    method = _in_climate(_as_default(method, row, setting), setting)
    problems: list[Problem] = []
    products: list[tuple[Product, tuple[Input, ...] | str]] = []
    for product in TERMS[method.term].products:
        missing = missing_roles(product, method, row, setting)
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
    memo: list[tuple[Product, tuple[Input, ...] | str]] = []
    for product in TERMS[method.term].memo:
        # A factor of the whole tells nothing of its carbon; shares of another source would not fit it.
        missing = missing_roles(product, method, row, setting)
        inputs = [_input(role, method, row, setting) for role in product.roles if not missing]
        memo.append((product, f"no {' and no '.join(missing)}" if missing else tuple(inputs)))
    return Chosen(method, tuple(products), memo=tuple(memo))


def _use(row: ActivityRow, setting: Setting) -> str:
    """Return the use that the keys of a fuel's factors name, by the row's category and the land that carries it; blank where there is none."""
    category = setting.categories.get(row.category)
    types = frozenset(category.types if category else ())
    return next(
        (use for pattern, only, use in _uses() if fnmatchcase(row.category, pattern) and (not only or (types and types <= only))),
        "",
    )  # fmt: skip


def instead_of(key: str) -> frozenset[str]:
    """Return the keys that rows may take where one would think of another: that of shops' boilers for homes' stoves, that of a climate for one that names none."""
    found = {key.replace(".residential_agri.", ".commercial.")}
    waste = key.removeprefix(_DECAY)
    if waste != key and "." not in waste:
        found |= {f"{_DECAY}{_in_keys(climate)}{waste}" for climate in CLIMATES}
    return frozenset(found - {key})


def _in_keys(climate: str) -> str:
    """Return a climate as keys of factors have it: the first goes without saying."""
    return "" if climate == CLIMATES[0] else climate.replace("-", "_") + "."


def _source(role: str, method: Method, row: ActivityRow, setting: Setting) -> str:
    if role == "age":
        return row.parameters.get("deposited", "")
    given = row.parameters.get(role, method.sources.get(role, ""))
    use = _use(row, setting)
    return "" if "{use}" in given and not use else given.replace("{use}", use)


def _input(role: str, method: Method, row: ActivityRow, setting: Setting) -> Input:
    source = _source(role, method, row, setting)
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
    if _is_quantity(source):
        if role in row.parameters:
            return Input(role, _number(source, row, role, "given in the row"))
        # The IPCC's oxidation of 1 is a default of the world; of no region it would come before a country's own.
        return Input(role, replace(_number(source, row, role, "of the method"), region=WORLD))
    best = _candidates(role, method, row, setting)[0]
    if best.factor.value is None:
        raise InputError(
            f"the factor {best.factor.key!r} has bounds but no value",
            hint=f"Give a number: {role}=1.3 {best.factor.unit}.",
        )
    return best


def _candidates(role: str, method: Method, row: ActivityRow, setting: Setting) -> list[Input]:
    """Return the factors that a role may have, the one that stands best first; none if it is given as a number."""
    source = _source(role, method, row, setting)
    if not source or source == _GRID or _is_quantity(source):
        return []
    found = []
    for written in source.split("|"):
        factor = setting.factors[_COMPLEMENT.sub("", written, 1)]
        found.append(Input(role, factor, bool(_COMPLEMENT.match(written))))

    def order(entry: Input) -> tuple[int, ...]:
        product = TERMS[method.term].products[0]
        return Chosen(method, ((product, (entry,)),)).standing(setting.place).order

    return sorted(found, key=order)


def _is_quantity(source: str) -> bool:
    return _QUANTITY.fullmatch(source) is not None and not _COMPLEMENT.match(source)


def _number(text: str, row: ActivityRow, role: str, why: str) -> Factor:
    require_not_grouped(text)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no number with a unit")
    value = Fraction(Decimal(match["number"]))
    # Nothing recovered is nothing of any unit.
    unit = match["unit"].strip() or ("t" if role == "recovered" and not value else "1")
    read_unit(unit)
    if value < 0 and not (role == "coefficient" and row.activity.startswith("land/")):
        raise InputError(f"expected no negative number, not {role}={text}")
    status = "own" if role in row.parameters else ""
    source = f"{why}: {row.source}".rstrip(": ") if status else why
    return Factor("", role, value, unit, gas=_gas(unit), source=source, status=status)


def _gas(unit: str) -> str:
    substance = read_unit(unit).substance
    return substance if substance not in ("N", "BOD", "COD") else ""


def _age(deposited: str, setting: Setting) -> Factor:
    if setting.year is None:
        raise InputError("the year of the inventory is not known", hint=WHICH_YEAR)
    if not re.fullmatch(r"\d{4}", deposited) or int(deposited) > setting.year:
        raise InputError(
            f"expected a year up to {setting.year}, not deposited={deposited}",
            hint="Write deposited=2015, the year in which the waste was put down.",
        )
    age = Fraction(setting.year - int(deposited))
    return Factor("", "age", age, "1", source=f"{setting.year} - {deposited}", status="")
