"""The user's own factors held against the package's for the same rows: kg for t, or carbon for CO2, adds up as well as what is right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.inventory.activity import ActivityRow
from carbongrid.inventory.factors.catalogue import OWN
from carbongrid.inventory.forming import form_at
from carbongrid.inventory.lines import Inventory, Line
from carbongrid.method.evidence import in_words

TOLD, WARNED = 3, 30
"""A row by own factors is so many times what the package's give, or one part in so many: told, and warned of. Published factors for one fuel or one crop hardly differ by three, poor coals and crops of the far north by ten."""

_CLEAN = ("electricity", "heat")
"""A factor of a grid of its own is given because it is far below the others."""

_THOUSANDTH = (500, 2000)
"""One part in so many of the grid's is kg per MWh given as kg per kWh: even water and wind give off more, or nothing."""

_MOLAR = Fraction(44, 28)
"""What nitrogen that is taken for N2O makes of a mass, or the other way round. Carbon for CO2 is three times, and told by that."""

_AS_EXACT = Fraction(1, 1000)
"""So near is a ratio that is no accident."""

_OF_MASS = {"calorific_value", "carbon", "carbon_content", "coefficient", "enteric", "factor", "methane", "nitrous_oxide"}  # fmt: skip
"""Numbers that are of a substance, or of an animal; others tell how it was done, as what was recovered, and may be anything."""

_OF_N2O = {"deposition", "direct", "effluent", "leaching", "manure_nitrous_oxide", "plant"}
"""Numbers that tell N2O, and are given as one of N2O or of its nitrogen; of what burns nobody gives nitrogen."""

_LISTED = 5


def own_numbers_far_off(inventory: Inventory) -> list[Problem]:
    """Return which of the user's factors make rows far more, or far less, than the package's factors would; of rows for which it has none nothing is said."""
    own, taken = _with_own(inventory, _OF_MASS)
    rows = [row for row in inventory.data.rows if row.id in taken]
    by_row = _by_the_package(inventory, [_without(row, taken[row.id]) for row in rows])
    plain = {row: _mass(inventory, lines) for row, lines in by_row.items()}
    # Rows that are too high do not make up for rows that are too low, nor one activity for another.
    found: dict[tuple[str, bool, tuple[str, ...]], list[tuple[str, Fraction, Fraction]]] = {}
    for row in rows:
        now, then = _mass(inventory, own[row.id]), plain.get(row.id, Fraction(0))
        if not now or not then or then <= TOLD * now <= TOLD**2 * then:
            continue
        if now > then or not row.activity.startswith(_CLEAN) or _is_thousandth(now, then):
            key = (row.activity, now > then, tuple(taken[row.id]))
            found.setdefault(key, []).append((row.id, now, then))
    return [_told(inventory, keys, far) for (*_, keys), far in found.items()]


def _is_thousandth(now: Fraction, then: Fraction) -> bool:
    least, most = _THOUSANDTH
    return least * now <= then <= most * now


def own_numbers_of_nitrogen(inventory: Inventory) -> list[Problem]:
    """Return a warning of the user's numbers that make 44/28 of the package's N2O, or 28/44: the same number, of N2O for N2O-N."""
    own, taken = _with_own(inventory, _OF_N2O)
    rows = [row for row in inventory.data.rows if row.id in taken]
    by_row = _by_the_package(inventory, [_without(row, taken[row.id]) for row in rows])
    found: dict[tuple[bool, tuple[str, ...]], dict[str, Fraction]] = {}
    for row, lines in by_row.items():
        then = {line.product: line.exact for line in lines if line.gas == "N2O"}
        for line in (each for each in own[row] if each.gas == "N2O"):
            ratio = line.exact / then[line.product] if then.get(line.product) else Fraction(1)
            if any(abs(ratio / molar - 1) <= _AS_EXACT for molar in (_MOLAR, 1 / _MOLAR)):
                apart = found.setdefault((ratio > 1, tuple(taken[row])), {})
                apart[row] = apart.get(row, Fraction(0)) + abs(line.exact - then[line.product])
    return [_told_of_nitrogen(inventory, keys, apart, is_more=is_more) for (is_more, keys), apart in found.items()]  # fmt: skip


def _told_of_nitrogen(inventory: Inventory, keys: Sequence[str], apart: Mapping[str, Fraction], *, is_more: bool) -> Problem:  # fmt: skip
    rows = listed(apart, _LISTED, more=", ...")
    mass = f"{float(sum(apart.values(), Fraction(0))) / 1e6:,.4g}"
    what = f"your own {', '.join(keys)} in rows {rows} is the package's number times 28/44, as if it were of N2O-N and given as one of N2O: {mass} t N2O less"
    if is_more:
        what = f"your own {', '.join(keys)} in rows {rows} is the package's number times 44/28, as if it were of N2O and given as one of N2O-N: {mass} t N2O more"
    hint = "Check what it is of: 1 kg N2O-N is 44/28 kg N2O."
    return Problem(what, inventory.data.file, hint, "warning")


def _with_own(inventory: Inventory, roles: Collection[str]) -> tuple[dict[str, list[Line]], dict[str, list[str]]]:  # fmt: skip
    """Return the lines of each row, and of those with numbers of the user's in some roles their keys, or the roles, where the amount is not 0."""
    lines: dict[str, list[Line]] = {}
    for line in inventory.lines:
        lines.setdefault(line.row.id, []).append(line)
    taken = {row: _own_of(own, roles) for row, own in lines.items() if own[0].row.amount}
    return lines, {row: keys for row, keys in taken.items() if keys}


def _own_of(lines: Sequence[Line], roles: Collection[str]) -> list[str]:
    """Return the keys of the user's factors in some lines, and the names of what their row has as numbers of its own."""
    entries = [entry for line in lines for entry in line.inputs[1:] if entry.factor.status == OWN]
    return sorted({entry.factor.key or entry.role for entry in entries if entry.role in roles})


def _told(inventory: Inventory, keys: Sequence[str], far: Sequence[tuple[str, Fraction, Fraction]]) -> Problem:  # fmt: skip
    now = float(sum((mass for _, mass, _ in far), Fraction(0))) / 1e6
    then = float(sum((mass for *_, mass in far), Fraction(0))) / 1e6
    rows = listed((row for row, *_ in far), _LISTED, more=", ...")
    ratio = (
        f"{in_words(now / then)} times" if now > then else f"one part in {in_words(then / now)} of"
    )
    what = f"rows {rows} come to {in_words(now)} t CO2e by your own {', '.join(keys)}, {ratio} the {in_words(then)} t that the package's factors give"
    hint = (
        "Check its unit and what it is of: kg for t, carbon for CO2 (44/12), CO2e for CH4 or N2O."
    )
    level: Level = "note"
    if any(now > WARNED * then or now * WARNED < then for _, now, then in far):
        level = "warning"
    return Problem(what, inventory.data.file, hint, level)


def _without(row: ActivityRow, keys: Sequence[str]) -> ActivityRow:
    """Return a row without some factors and numbers."""
    kept = {role: told for role, told in row.parameters.items() if not {role, told} & set(keys)}
    return replace(row, parameters=kept)


def _by_the_package(inventory: Inventory, rows: Sequence[ActivityRow]) -> dict[str, list[Line]]:
    """Return the lines of each row by the package's factors, without those that it cannot form."""
    if not rows:
        return {}
    data = replace(inventory.data, rows=tuple(rows), factors=(), problems=(), notes=())
    try:
        formed = form_at(inventory.place, data, gwp=inventory.gwp, sinks=inventory.sinks, year=inventory.year, categories=inventory.categories)  # fmt: skip
    except InputError:
        if len(rows) == 1:
            return {}
        half = len(rows) // 2
        each = [_by_the_package(inventory, part) for part in (rows[:half], rows[half:])]
        return {row: formed for found in each for row, formed in found.items()}
    lines: dict[str, list[Line]] = {}
    for line in formed.lines:
        lines.setdefault(line.row.id, []).append(line)
    return lines


def _mass(inventory: Inventory, lines: Sequence[Line]) -> Fraction:
    return sum((line.exact * line.potential(inventory.gwp) for line in lines), Fraction(0))
