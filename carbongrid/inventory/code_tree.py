"""Which codes of a table count: each gas and each part once, checked against what the table says of the whole."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from carbongrid.errors import Problem, listed
from carbongrid.inventory.coded_table import ALL_GASES, BIOGENIC, CodedTable, CodedValue
from carbongrid.inventory.codes import codes_above, is_within
from carbongrid.inventory.gas_names import gases_above
from carbongrid.method.tonnes import readable_tonnes

MEMO = {"crt": ("1.D",), "ipcc2006": ("1.A.3.a.i", "1.A.3.d.i"), "gpc": ()}
"""Codes that a system lists without counting them: fuel of ships and aircraft between countries."""

_TRANSPORT = {"crt": "1.A.3", "ipcc2006": "1.A.3", "gpc": "II"}
"""Codes of what vehicles, ships and aircraft burn, whose gases have much the same shares everywhere."""

_OF_BURNT = (1e-4, 1.0)
"""N2O of transport for each CO2, both in CO2e, is 0.0005 at least (gas turbines; jet fuel 0.007, petrol and diesel 0.02), and all CH4 and N2O far less than the CO2 (2006 IPCC Guidelines, Vol. 2, recalled); masses given as CO2e are 265 times less, CO2e given as masses 265 times more."""

_LAND = {"crt": ("4",), "ipcc2006": ("3.B", "3.D"), "gpc": ("V.2",)}
_WITHOUT_LAND = re.compile(r"without|excl|w/o", re.IGNORECASE)
_WITH_LAND = re.compile(r"\bwith\b|incl|\bnet\b", re.IGNORECASE)
_DIFFERENCE = ": the difference"
_TOO_MUCH = ", and others are unknown"


@dataclass(frozen=True)
class CodeMass:
    """A code and its mass.

    Parameters
    ----------
    code, name
        The code, and what the table calls it.
    grams
        CO2e of all gases, removals below 0.
    slack
        What rounding may have taken of it, in grams.
    """

    code: str
    name: str
    grams: int
    slack: Fraction


@dataclass(frozen=True)
class Uncounted:
    """Mass that the table names and that is in no total, and why; ``gas`` names the sum of gases that it is of, blank where it is of a code."""

    code: str
    name: str
    grams: int
    reason: str
    gas: str = ""


def counted_codes(
    table: CodedTable, named: Iterable[str] = ()
) -> tuple[list[CodeMass], list[Uncounted], list[Problem]]:
    """Return the codes that count, each mass once; what is not counted; and what a reader must know.

    Parameters
    ----------
    table
        What was read.
    named
        Codes that count although the system lists them as memo items.

    Notes
    -----
    A row of all gases does not count where rows of gases stand beside it, nor one of gases with fluorine, of HFCs or of PFCs beside
    such gases, unless one of the gases is unknown or included elsewhere: then the sum counts, and they do not. Nor does a code of which a part has a number. Where the whole says another mass than its parts, beyond the rounding of what is written, the difference is not counted and is told.
    """
    by_code: dict[str, list[CodedValue]] = {}
    biogenic: dict[str, list[CodedValue]] = {}
    for value in table.values:
        kind = biogenic if value.gas == BIOGENIC else by_code
        kind.setdefault(value.code, []).append(value)
    uncounted = [
        Uncounted(mass.code, mass.name, mass.grams, "biogenic CO2, told beside the inventory")
        for mass in (_sum(code, values[0].name, values) for code, values in biogenic.items())
    ]
    masses: dict[str, CodeMass] = {}
    for code, values in by_code.items():
        mass = _of_gases(code, values, uncounted)
        if mass is not None:
            masses[code] = mass
    memo = [code for code in masses if _is_memo(code, table.system, named)]
    for code in memo:
        mass = masses.pop(code)
        if not any(is_within(other, code) and other != code for other in memo):
            uncounted.append(
                Uncounted(code, mass.name, mass.grams, "a memo item, in no national total")
            )
    counted = _leaves(masses, uncounted, table.apart)
    uncounted = sorted((each for each in uncounted if each.grams), key=lambda each: each.code)
    against = table.checked or _against_totals(table, counted)
    notes = [*table.notes, *_unknown(table), *_differing(table, uncounted), *_shares_of_gases(table), *against]  # fmt: skip
    return counted, uncounted, notes


def _is_memo(code: str, system: str, named: Iterable[str]) -> bool:
    memo = any(is_within(code, each) for each in MEMO[system])
    return memo and not any(
        is_within(code, each) for each in named if any(is_within(each, m) for m in MEMO[system])
    )


_OF_TWO_ORIGINS = ("CH4", "N2O")


def _of_gases(
    code: str, values: Sequence[CodedValue], uncounted: list[Uncounted]
) -> CodeMass | None:
    """Return the mass of a code's gases; None if none has a number of its own: unknown, or included elsewhere.

    A sum of gases gives way to the gases, unless one of these is unknown or included elsewhere and the sum is a number: then it alone tells all.
    """
    known = [value for value in values if value.grams is not None and "IE" not in value.key]
    name = next((value.name for value in values if value.name), "")
    if not known:
        return None
    of_gas = {value.gas: [each for each in known if each.gas == value.gas] for value in known}
    masses = {gas: _sum(code, name, found) for gas, found in of_gas.items()}
    parts: dict[str, list[CodeMass]] = {}
    for gas, mass in masses.items():
        above = _sum_above(gas, masses)
        if above is not None:
            parts.setdefault(above, []).append(mass)
    unsure = {_sum_above(value.gas, masses) for value in values if value not in known}
    whole = {
        gas
        for gas in unsure & parts.keys()
        if all(each.gas != gas or not each.key for each in values)
    }
    # "Of which biogenic": one origin alone is no more than a part.
    whole |= {gas for gas, below in parts.items() if gas in _OF_TWO_ORIGINS and len(below) < 2}
    within = {gas for gas in masses if whole & {*gases_above(gas)}}
    for gas, below in parts.items():
        if gas not in within:
            _compare(masses[gas], below, gas, uncounted, partly=gas in whole)
    counted = [gas for gas in of_gas if gas not in within and (gas not in parts or gas in whole)]
    return _sum(code, name, [each for gas in counted for each in of_gas[gas]])


def _sum_above(gas: str, sums: Container[str]) -> str | None:
    """Return the nearest sum that a gas is a part of, of those that a code has; None if there is none."""
    try:
        return next((each for each in gases_above(gas) if each in sums), None)
    except ValueError:
        return None  # of no greenhouse gas, as NOx; it has a notation key, no number


def _sum(code: str, name: str, values: Iterable[CodedValue]) -> CodeMass:
    values = list(values)
    total = sum(value.grams or 0 for value in values)
    return CodeMass(code, name, total, sum((value.slack for value in values), Fraction(0)))


def _leaves(
    masses: dict[str, CodeMass], uncounted: list[Uncounted], apart: Sequence[str]
) -> list[CodeMass]:
    """Return the codes without parts, sorted; wholes are held against their parts."""
    parts: dict[str, list[CodeMass]] = {}
    wholes = masses.keys() - set(apart)
    for code, mass in masses.items():
        above = next((other for other in codes_above(code) if other in wholes), None)
        if above is not None:
            parts.setdefault(above, []).append(mass)
    for code, below in parts.items():
        _compare(masses[code], below, "", uncounted)
    return [masses[code] for code in sorted(masses) if code not in parts]


def _compare(
    whole: CodeMass,
    parts: Sequence[CodeMass],
    gas: str,
    uncounted: list[Uncounted],
    *,
    partly: bool = False,
) -> None:
    """Add what a code says beside what it is made of, its parts or, for a sum of gases, the gases; where some are unknown (``partly``), only that these are too much."""
    rest = whole.grams - sum(part.grams for part in parts)
    if abs(rest) <= _allowed(whole, parts):
        return
    if partly and (rest > 0 or min(part.grams for part in parts) < 0):
        return
    told, added = map(readable_tonnes, (whole.grams, whole.grams - rest))
    what = f"gases of {gas}" if gas not in ("", ALL_GASES) else "gases" if gas else "parts"
    reason = f"the code says {told} t, its {what} {added} t{_TOO_MUCH if partly else _DIFFERENCE}"
    uncounted.append(Uncounted(whole.code, whole.name, rest, reason, gas))


def _allowed(whole: CodeMass, parts: Iterable[CodeMass]) -> Fraction:
    """Return what rounding explains: half a last digit of each number, and a billionth, for sums made in floats."""
    parts = list(parts)
    largest = max([abs(whole.grams), *(abs(part.grams) for part in parts)])
    return whole.slack + sum((part.slack for part in parts), Fraction(0)) + Fraction(largest, 10**9)


def _differing(table: CodedTable, uncounted: Iterable[Uncounted]) -> list[Problem]:
    """Return warnings of the codes that say another mass than what they are made of, and of those that say less than the gases that are known."""
    told = (
        (_DIFFERENCE, "another mass than {its} parts or gases", "the parts and gases count"),
        (_TOO_MUCH, "less than {its} known gases", "the sum counts, since other gases are unknown"),
    )
    problems = []
    for reason, what, counts in told:
        found = [each for each in uncounted if each.reason.endswith(reason)]
        if not found:
            continue
        tonnes = readable_tonnes(sum(abs(each.grams) for each in found if not _is_told_above(each, found)))  # fmt: skip
        gases: dict[str, list[str]] = {}
        for each in found:
            gases.setdefault(each.code, []).append(each.gas)
        codes = [
            " ".join([code, ", ".join(filter(None, of))]).strip() for code, of in gases.items()
        ]
        number = f"{len(codes)} codes say" if len(codes) > 1 else "1 code says"
        what = what.format(its="their" if len(codes) > 1 else "its")
        which = listed(codes, more="; ...", between="; ")
        problems.append(Problem(f"{number} {what}, by {tonnes} t in all; {counts}: {which}", table.file, "Find the rows that are missing or wrong.", "warning"))  # fmt: skip
    return problems


def _is_told_above(one: Uncounted, found: Iterable[Uncounted]) -> bool:
    """Whether a code above says the same: a gas that is missing is missing in all codes that hold it."""
    above = codes_above(one.code)
    return one.gas != "" and any(each.gas == one.gas and each.code in above for each in found)


def _unknown(table: CodedTable) -> list[Problem]:
    """Return a warning of what is unknown, and a note of what is included elsewhere."""
    unknown = [value for value in table.values if value.grams is None]
    elsewhere = [value for value in table.values if value.grams is not None and "IE" in value.key]
    found = []
    if unknown:
        what = f"unknown values (NE, C, FX or blank) count nothing, so totals may be too low: {_list(unknown)}"
        found.append(Problem(what, table.file, "", "warning"))
    if elsewhere:
        what = f"values that are included elsewhere (IE) count where they are included: {_list(elsewhere)}"
        found.append(Problem(what, table.file, "", "note"))
    return found


def _shares_of_gases(table: CodedTable) -> list[Problem]:
    """Return a warning where CH4 and N2O of transport are more than its CO2, or N2O is next to nothing: masses and CO2e are taken for each other.

    A code and its parts may both be there: what is held against each other is twice then on either side.
    """
    by_code: dict[str, dict[str, int]] = {}
    for value in table.values:
        if is_within(value.code, _TRANSPORT[table.system]) and value.grams:
            of = by_code.setdefault(value.code, {})
            of[value.gas] = of.get(value.gas, 0) + value.grams
    # Where a code tells CO2 alone, others may not have been estimated.
    told_both = [of for of in by_code.values() if of.get("CO2", 0) > 0 and of.get("N2O", 0) > 0]
    co2, nitrous, methane = (sum(of.get(gas, 0) for of in told_both) for gas in ("CO2", "N2O", "CH4"))  # fmt: skip
    others = nitrous + methane
    least, most = _OF_BURNT
    told = f"the CO2 of transport is {_tonnes([co2])}"
    if co2 > 0 and others > most * co2:
        what = f"{told}, and its CH4 and N2O {_tonnes([others])}, more than vehicles give off: as if CO2e were given as masses"
        return [Problem(what, table.file, "Write CO2e in the unit if they are CO2e.", "warning")]
    if co2 > 0 and nitrous < least * co2:
        what = f"{told}, and its N2O {_tonnes([nitrous])}, less than vehicles give off: as if masses were given as CO2e"
        return [Problem(what, table.file, "Write the unit of mass alone if they are masses of the gases.", "warning")]  # fmt: skip
    return []


def _list(values: Sequence[CodedValue]) -> str:
    return listed(f"{value.code} {value.gas} ({value.key}, row {value.row})" for value in values)


def _against_totals(table: CodedTable, counted: Sequence[CodeMass]) -> list[Problem]:
    """Hold the codes that count against the file's own totals."""
    if not table.totals:
        what = "the file has no total of its own that its codes could be held against"
        return [Problem(what, table.file, "", "note")]
    without = [
        mass for mass in counted if not any(is_within(mass.code, c) for c in _LAND[table.system])
    ]
    found = []
    totals = [value for value in table.totals if value.gas != BIOGENIC]
    for name in dict.fromkeys(value.name for value in totals):
        said = _of_gases("", [value for value in totals if value.name == name], [])
        if said is None:
            continue
        ways = [counted, without]
        if _WITHOUT_LAND.search(name):
            ways = [without]
        elif _WITH_LAND.search(name):
            ways = [counted]
        sums = [sum(mass.grams for mass in way) for way in ways]
        fitting = [
            total
            for total, way in zip(sums, ways, strict=True)
            if abs(said.grams - total) <= _allowed(said, way)
        ]
        what = f"{name!r} is {_tonnes([said.grams])}, and the codes that count add up to "
        if said.grams in fitting:
            found.append(Problem(f"{what}the same", table.file, "", "note"))
        elif fitting:
            what += f"{_tonnes(fitting[:1])}, as rounding explains"
            found.append(Problem(what, table.file, "", "note"))
        else:
            hint = "Find the rows that are missing, or that are counted and should not be."
            found.append(Problem(what + _tonnes(sums), table.file, hint, "warning"))
    return found


def _tonnes(masses: Sequence[int]) -> str:
    return " or without land ".join(f"{readable_tonnes(each)} t CO2e" for each in masses)
