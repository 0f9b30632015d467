"""From an inventory under the codes of a system to the totals of a case, each gram once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import pandas as pd

from carbongrid.case.readers.tables import Faults, require_columns, rows_of
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.code_tree import CodeMass, Uncounted, counted_codes
from carbongrid.inventory.coded_table import CodedTable
from carbongrid.inventory.codes import (
    EXAMPLES,
    FOR_THE_GRID,
    codes_above,
    gpc_scope,
    is_within,
    normal_code,
)
from carbongrid.inventory.crosswalks import candidates_of, home_of, level_of
from carbongrid.method.allocate import apportion
from carbongrid.method.categories import Category, read_categories
from carbongrid.method.tonnes import exact_tonnes, readable_tonnes

LEAVE_OUT = "leave-out"
"""Stands for a category in a table of shares: the code is in no total, on purpose."""

SPLIT_COLUMNS = ("code", "category", "share")
DRAFT_COLUMNS = (*SPLIT_COLUMNS, "name", "co2e_t")
TRAIL_COLUMNS = ("code", "name", "category", "share", "co2e_t", "reason")

_SHARE = re.compile(
    r"(?P<upper>[0-9]{1,30}(?:\.[0-9]{1,30})?)\s*(?:(?P<percent>[%％])|/\s*(?P<lower>[0-9]{1,30}))?"
)

Shares = dict[str, dict[str, Fraction]]
"""By code, the share of each category."""


@dataclass(frozen=True)
class CodedTotals:
    """What an inventory under codes comes to.

    Parameters
    ----------
    totals
        category, value (t CO2e), unit, year, source, all text: the totals of a case, removals above 0.
    trail
        code, name, category, share, co2e_t, reason, all text: a row for each code and category; what is in no total has a blank
        category and its reason. Removals are below 0.
    left_out
        What is in no total.
    notes
        What a reader must know.
    """

    totals: pd.DataFrame
    trail: pd.DataFrame
    left_out: tuple[Uncounted, ...]
    notes: tuple[Problem, ...]


def totals_of_codes(
    table: CodedTable,
    categories: Mapping[str, Category] | None = None,
    shares: Shares | None = None,
) -> CodedTotals:
    """Return the totals that an inventory under codes comes to, exactly in grams.

    Parameters
    ----------
    table
        As :func:`carbongrid.case.readers.coded_table.read_coded` returns it.
    categories
        Default those of the package.
    shares
        As :func:`read_shares` returns them: of codes that several categories have, or none. They go before what the package
        would take, and count for the parts of a code too.

    Raises
    ------
    InputError
        If a code with mass has several categories, or none, and no shares; if the sign of a mass does not fit a category.
    """
    known = read_categories() if categories is None else categories
    shares = shares or {}
    counted, uncounted, notes = counted_codes(table, shares)
    undecided, problems = _undecided(table, known, shares, counted), []
    for mass, reason in undecided:
        problems.append(Problem(f"{_shown(mass)}: {reason}", table.file))
    if undecided:
        what = f"{'1 code needs' if len(undecided) == 1 else f'{len(undecided)} codes need'} a category"
        hint = "Give them to categories in a table with the columns code, category, share: --split FILE. --draft FILE writes one to begin with."
        problems.append(Problem(what, table.file, hint))
    parts: list[tuple[CodeMass, str, Fraction, int]] = []
    for mass in counted:
        of = _shares_of(mass, table.system, known, shares)
        problems += _faults_of_sign(mass, of, known, table.file)
        parts += _split(mass, of)
    if problems:
        raise InputError(problems)
    left = tuple(
        Uncounted(mass.code, mass.name, grams, "left out by the table of shares")
        for mass, name, _, grams in parts
        if name == LEAVE_OUT and grams
    )
    unused = [code for code in shares if not any(is_within(mass.code, code) for mass in counted)]
    for code in unused:
        what = f"no code that counts is {code} or a part of it, so its shares are not used"
        notes.append(Problem(what, "", "Codes whose parts are in the file count as their parts.", "warning"))  # fmt: skip
    left += tuple(uncounted)
    if table.system == "gpc":
        notes += _of_the_protocol(parts, table.file)
    parts = [part for part in parts if part[1] != LEAVE_OUT and part[3]]
    return CodedTotals(_totals(table, parts, known), _trail(parts, left), left, tuple(notes))


def draft_shares(
    table: CodedTable, categories: Mapping[str, Category], shares: Shares | None
) -> pd.DataFrame:
    """Return a table of shares to fill in: a row for each category that an undecided code may be, its share blank.

    Parameters
    ----------
    table, categories, shares
        As for :func:`totals_of_codes`; shares that are given come first.

    Returns
    -------
    DataFrame
        code, category, share, name, co2e_t, all text; no rows if nothing is to be decided.
    """
    shares = shares or {}
    counted, _, _ = counted_codes(table, shares)
    rows = []
    for mass, _ in _undecided(table, categories, shares, counted):
        candidates = candidates_of(mass.code, mass.grams, table.system, categories) or [""]
        tonnes = exact_tonnes(mass.grams)
        rows += [(mass.code, name, "", mass.name, tonnes) for name in candidates]
    given = [(c, name, str(part), "", "") for c, of in shares.items() for name, part in of.items()]
    return pd.DataFrame([*given, *rows] if rows else [], columns=list(DRAFT_COLUMNS), dtype=str)


def read_shares(
    table: pd.DataFrame, system: str, categories: Mapping[str, Category], where: str
) -> Shares:
    """Return the shares of categories in codes, of a user's table.

    Parameters
    ----------
    table
        code, category, share, every cell text. A share is 0.25, 25 % or 1/4; blank is 1 where the code has one row. The category
        ``leave-out`` keeps a code out of every total.
    system
        Of the codes.
    categories
        Those that rows may name.
    where
        Name of the file, for messages.

    Raises
    ------
    InputError
        With every wrong cell, and every code whose shares do not add up to 1 exactly.
    """
    require_columns(table, where, SPLIT_COLUMNS[:2])
    faults = Faults(where)
    rows = list(rows_of(table, SPLIT_COLUMNS))
    count = [normal_code(cells["code"], system) for _, cells in rows]
    shares: Shares = {}
    whole = True
    for (row, cells), code in zip(rows, count, strict=True):
        if not code:
            faults.add(f"{cells['code']!r} is no code of {system}", f"Codes are like {EXAMPLES[system]}.", row=row, column="code")  # fmt: skip
        name = cells["category"]
        faults.member(name, [*categories, LEAVE_OUT], "category", row, "category")
        share = _share("1" if not cells["share"] and count.count(code) == 1 else cells["share"])
        if share is None:
            whole = False
            faults.add(f"expected a share above 0, not {cells['share']!r}" if cells["share"] else "the share is blank", "Write 0.25, 25 % or 1/4; delete rows that have no share.", row=row, column="share")  # fmt: skip
        elif name in shares.setdefault(code, {}):
            faults.add(f"{code} has {name} twice", "Add them up.", row=row)
        else:
            shares[code][name] = share
    for code, of in shares.items() if whole else ():
        total = sum(of.values(), Fraction(0))
        if total != 1:
            faults.add(f"the shares of {code} add up to {_plain(total)}, expected exactly 1", "Thirds are written 1/3.")  # fmt: skip
    faults.raise_any()
    return shares


def _share(text: str) -> Fraction | None:
    match = _SHARE.fullmatch(text)
    if match is None or (match["lower"] and not int(match["lower"])):
        return None
    share = Fraction(match["upper"]) / int(match["lower"] or 1) / (100 if match["percent"] else 1)
    return share if share > 0 else None


def _plain(share: Fraction) -> str:
    exact = f"{float(share):.12g}"
    return exact if Fraction(exact) == share else f"{share} (about {exact})"


def _given(code: str, shares: Shares) -> dict[str, Fraction] | None:
    """Return the shares of a code, or of the nearest code above it that has some."""
    return next((shares[each] for each in (code, *codes_above(code)) if each in shares), None)


def _is_left_out(code: str, shares: Shares) -> bool:
    """Whether nothing of a code is in a total."""
    return (_given(code, shares) or {}).keys() == {LEAVE_OUT}


def _undecided(
    table: CodedTable, known: Mapping[str, Category], shares: Shares, counted: Sequence[CodeMass]
) -> list[tuple[CodeMass, str]]:
    """Return the codes with mass that have not one category, and why."""
    found = []
    for mass in counted:
        if not mass.grams:
            continue
        reason = ""
        if _given(mass.code, shares) is None:
            _, reason = home_of(mass.code, "", mass.grams, table.system, known)
        reason = reason or _twice(mass, table.system, shares, counted)
        if reason:
            found.append((mass, reason.removeprefix(f"{mass.code} ")))
    return found


def _twice(mass: CodeMass, system: str, shares: Shares, counted: Sequence[CodeMass]) -> str:
    """Return why generation for the grid cannot simply count: what is bought from the grid does; blank if it can."""
    if system != "gpc" or not is_within(mass.code, FOR_THE_GRID):
        return ""
    own = [code for code in shares if is_within(code, FOR_THE_GRID) and is_within(mass.code, code)]
    if own or _is_left_out(mass.code, shares):
        return ""
    bought = [
        other.code
        for other in counted
        if gpc_scope(other.code) == "indirect"
        and other.grams
        and not _is_left_out(other.code, shares)
    ]
    return f"generation for the grid, and what is bought from it counts too ({', '.join(bought)}); say by a row of {FOR_THE_GRID} whether it counts, or leave out the others" if bought else ""  # fmt: skip


def _of_the_protocol(
    parts: Sequence[tuple[CodeMass, str, Fraction, int]], where: str
) -> list[Problem]:
    """Return in which totals of the GPC stands what counts, and a warning of what is emitted outside the boundary."""
    sums: dict[str, int] = dict.fromkeys(("BASIC", "BASIC+", "territorial", ""), 0)
    outside: dict[str, int] = {}
    for mass, name, _, grams in parts:
        if name == LEAVE_OUT:
            continue
        sums[level_of(mass.code)] += grams
        if gpc_scope(mass.code) == "outside" and grams:
            outside[mass.code] = outside.get(mass.code, 0) + grams
    basic, plus, territorial, untold = map(readable_tonnes, sums.values())
    what = f"of what counts, {basic} t CO2e are BASIC, {plus} t BASIC+ beyond that, {territorial} t in the territorial total only"
    if sums[""]:
        what += f", and of {untold} t the codes do not tell"
    found = [Problem(what, where, "", "note")]
    if outside:
        tonnes = readable_tonnes(sum(outside.values()))
        what = f"{tonnes} t CO2e of {', '.join(outside)} are emitted outside the boundary, and would be spread over land within it"
        found.append(Problem(what, where, f"Give these codes to {LEAVE_OUT} by --split where a map of the territory is wanted.", "warning"))  # fmt: skip
    return found


def _shares_of(
    mass: CodeMass, system: str, known: Mapping[str, Category], shares: Shares
) -> dict[str, Fraction]:
    given = _given(mass.code, shares)
    if given is not None:
        return given
    home, _ = home_of(mass.code, "", mass.grams, system, known)
    return {home: Fraction(1)} if home else {}


def _shown(mass: CodeMass) -> str:
    name = f" {mass.name}" if mass.name else ""
    return f"{mass.code}{name}, {readable_tonnes(mass.grams)} t CO2e"


def _faults_of_sign(
    mass: CodeMass, of: Mapping[str, Fraction], known: Mapping[str, Category], where: str
) -> list[Problem]:
    found = []
    for name in of:
        if name == LEAVE_OUT or not mass.grams or known[name].sink == (mass.grams < 0):
            continue
        what = f"{_shown(mass)}, are taken up, and {name} emits" if mass.grams < 0 else f"{_shown(mass)}, are emitted, and {name} is a sink"  # fmt: skip
        hint = f"Give {mass.code} to a category that {'is a sink' if mass.grams < 0 else 'emits, such as agriculture/land'}, or to {LEAVE_OUT}."
        found.append(Problem(what, where, hint))
    return found


def _split(mass: CodeMass, of: Mapping[str, Fraction]) -> list[tuple[CodeMass, str, Fraction, int]]:
    """Return the parts of a code's mass, in the order of the categories' names; they add up to it exactly."""
    if not of:
        return []
    names = sorted(of)
    one = lcm(*(of[name].denominator for name in names))
    parts = apportion(abs(mass.grams), [int(of[name] * one) for name in names])
    sign = -1 if mass.grams < 0 else 1
    return [
        (mass, name, of[name], sign * int(part)) for name, part in zip(names, parts, strict=True)
    ]


def _totals(
    table: CodedTable,
    parts: Sequence[tuple[CodeMass, str, Fraction, int]],
    known: Mapping[str, Category],
) -> pd.DataFrame:
    sums: dict[str, int] = {}
    codes: dict[str, list[str]] = {}
    for mass, name, _, grams in parts:
        sums[name] = sums.get(name, 0) + abs(grams)
        codes.setdefault(name, []).append(mass.code)
    order = [name for name in known if name in sums]
    year = "" if table.year is None else str(table.year)
    gwp = f" ({table.gwp})" if table.gwp else ""
    rows = [
        (name, exact_tonnes(sums[name]), "t CO2e", year, f"{table.file}: {table.system.upper()} {', '.join(codes[name])}{gwp}")
        for name in order
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["category", "value", "unit", "year", "source"], dtype=str)


def _trail(
    parts: Sequence[tuple[CodeMass, str, Fraction, int]], left: Sequence[Uncounted]
) -> pd.DataFrame:
    rows = [
        (mass.code, mass.name, name, _plain(share), exact_tonnes(grams), "")
        for mass, name, share, grams in parts
    ]
    rows += [(each.code, each.name, "", "", exact_tonnes(each.grams), each.reason) for each in left]
    return pd.DataFrame(sorted(rows), columns=list(TRAIL_COLUMNS), dtype=str)
