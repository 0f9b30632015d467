"""The user's own factors held against the package's for the same rows: kg for t, or carbon for CO2, adds up as well as what is right."""

from __future__ import annotations

from collections.abc import Sequence
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

_OF_MASS = {"calorific_value", "carbon", "carbon_content", "coefficient", "enteric", "factor", "methane", "nitrous_oxide"}  # fmt: skip
"""Numbers that are of a substance, or of an animal; others tell how it was done, as what was recovered, and may be anything."""

_LISTED = 5


def own_numbers_far_off(inventory: Inventory) -> list[Problem]:
    """Return which of the user's factors make rows far more, or far less, than the package's factors would; of rows for which it has none nothing is said."""
    own: dict[str, list[Line]] = {}
    for line in inventory.lines:
        own.setdefault(line.row.id, []).append(line)
    taken = {row: _own_of(lines) for row, lines in own.items()}
    rows = [row for row in inventory.data.rows if row.amount and taken.get(row.id)]
    if not rows:
        return []
    plain = _by_the_package(inventory, [_without(row, taken[row.id]) for row in rows])
    # Rows that are too high do not make up for rows that are too low, nor one activity for another.
    found: dict[tuple[str, bool, tuple[str, ...]], list[tuple[str, Fraction, Fraction]]] = {}
    for row in rows:
        now, then = _mass(inventory, own[row.id]), plain.get(row.id, Fraction(0))
        if not now or not then or then <= TOLD * now <= TOLD**2 * then:
            continue
        if now > then or not row.activity.startswith(_CLEAN):
            key = (row.activity, now > then, tuple(taken[row.id]))
            found.setdefault(key, []).append((row.id, now, then))
    return [_told(inventory, keys, far) for (*_, keys), far in found.items()]


def _own_of(lines: Sequence[Line]) -> list[str]:
    """Return the keys of the user's factors in some lines, and the names of what their row has as numbers of its own."""
    entries = [entry for line in lines for entry in line.inputs[1:] if entry.factor.status == OWN]
    return sorted({entry.factor.key or entry.role for entry in entries if entry.role in _OF_MASS})


def _told(inventory: Inventory, keys: Sequence[str], far: Sequence[tuple[str, Fraction, Fraction]]) -> Problem:  # fmt: skip
    now = float(sum((mass for _, mass, _ in far), Fraction(0))) / 1e6
    then = float(sum((mass for *_, mass in far), Fraction(0))) / 1e6
    rows = listed((row for row, *_ in far), _LISTED, more=", ...")
    ratio = (
        f"{in_words(now / then)} times" if now > then else f"one part in {in_words(then / now)} of"
    )
    what = f"rows {rows} come to {in_words(now)} t CO2e by your own {', '.join(keys)}, {ratio} the {in_words(then)} t that the package's factors give"
    hint = "Check its unit and what it is of: kg for t, carbon for CO2 (44/12)."
    level: Level = "note"
    if any(now > WARNED * then or now * WARNED < then for _, now, then in far):
        level = "warning"
    return Problem(what, inventory.data.file, hint, level)


def _without(row: ActivityRow, keys: Sequence[str]) -> ActivityRow:
    """Return a row without some factors and numbers."""
    kept = {role: told for role, told in row.parameters.items() if not {role, told} & set(keys)}
    return replace(row, parameters=kept)


def _by_the_package(inventory: Inventory, rows: Sequence[ActivityRow]) -> dict[str, Fraction]:
    """Return the grams of CO2e of each row by the package's factors, without those that it cannot form."""
    data = replace(inventory.data, rows=tuple(rows), factors=(), problems=(), notes=())
    try:
        formed = form_at(inventory.place, data, gwp=inventory.gwp, sinks=inventory.sinks, year=inventory.year, categories=inventory.categories)  # fmt: skip
    except InputError:
        if len(rows) == 1:
            return {}
        half = len(rows) // 2
        each = [_by_the_package(inventory, part) for part in (rows[:half], rows[half:])]
        return {row: mass for found in each for row, mass in found.items()}
    lines: dict[str, list[Line]] = {}
    for line in formed.lines:
        lines.setdefault(line.row.id, []).append(line)
    return {row: _mass(formed, own) for row, own in lines.items()}


def _mass(inventory: Inventory, lines: Sequence[Line]) -> Fraction:
    return sum((line.exact * line.potential(inventory.gwp) for line in lines), Fraction(0))
