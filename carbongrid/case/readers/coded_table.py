"""Reads an inventory under the codes of a system, a row for each code and gas, as national tables are published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pandas as pd

from carbongrid.case.readers.tables import DOUBTS, Faults, on_thousands, rows_of
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.coded_table import ALL_GASES, BIOGENIC, CodedTable, CodedValue
from carbongrid.inventory.codes import EXAMPLES, check_system, is_fossil, normal_code
from carbongrid.inventory.factors.gwp import gwp_of
from carbongrid.inventory.gas_names import KNOWN, gas_named, origin_of, says_co2e
from carbongrid.inventory.thousands import in_tonnes
from carbongrid.inventory.units_of_measure import AMOUNT_OF_MASS, grams, mass_and_substance
from carbongrid.method.tonnes import counted

_GAS_COLUMNS = ("gas", "entity", "pollutant", "ghg", "substance")
_VALUE_COLUMNS = ("value", "emissions", "emission", "amount", "co2e")
_ZERO, _UNKNOWN = ("NO", "NA", "IE"), ("NE", "C", "FX")
_KEY_JOINTS = re.compile(r"[\s,;/+]+")
_UNKNOWN_MARKS = re.compile(r"[-–—－]+|[.．]{3,}|…+|[#＃]|")
_UNIT_IN_NAME = re.compile(
    r"(?<![A-Za-z])(kg|kt|Mt|Gt|Gg|Tg|Mg|t|g)[\s_]*(?i:(co2)[\s_-]*(e|eq|equivalents?)?)(?![A-Za-z0-9])"
)
_TIMES = {
    "thousand": "10^3", "million": "10^6", "billion": "10^9",
    "百": "10^2", "千": "10^3", "万": "10^4", "十万": "10^5", "百万": "10^6", "千万": "10^7", "亿": "10^8", "十亿": "10^9", "百亿": "10^10",
    "千亿": "10^11", "万亿": "10^12",
}  # fmt: skip
_POWER_OF_TEN = re.compile(
    r"10\^[0-9]{1,2}|10[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}|1[eE][0-9]{1,2}|10+|10[2-9]|101[0-9]"
)
"""Or what is left of one whose power was raised, which is told."""
_GROUPED = re.compile("(?:1|'|’)?(?:[ ,'’]?000)+")
_UNCLEAR = re.compile(
    r"[十百千万亿]$|\b(?:thousand|million|billion)$|[0-9.,]+[eE^*×][-+]?[0-9]+$|10[- ][0-9]{1,2}$|[0-9]\.0{3}$"
)
_GWP_IN_NAME = re.compile(r"(?i:ar[456])")
_BARE_MASS = re.compile(rf"(?P<mass>{AMOUNT_OF_MASS})(?:\s+(?P<gas>CH4|N2O))?")
_CARBON = ("CO2", BIOGENIC, ALL_GASES)
"""What a unit of CO2 or of carbon may be of; all gases together are often called so."""
_YEAR = re.compile(r"[0-9]{4}")
_PRECISION = 200
_SHOWN = 3


def read_coded(
    table: pd.DataFrame,
    system: str,
    *,
    where: str,
    year: int | None = None,
    unit: str = "",
    gwp: str = "AR5",
    parts: bool = False,
) -> CodedTable:
    """Return one year of an inventory under the codes of a system.

    Parameters
    ----------
    table
        Every cell text, as :func:`carbongrid.case.readers.tables.read_table` returns it. Columns by their names: the code (``code``,
        ``crt_code`` ...), the value (``value``, or beginning so; or a column for each year), and where there are such ``gas``,
        ``unit``, ``year``.
    system
        ``crt``, ``ipcc2006`` or ``gpc``.
    where
        Name of the file, for messages.
    year
        Which one, if the file has several.
    unit
        Of the values, if neither a column ``unit`` nor the name of the value's column tells it.
    gwp
        Set that turns masses of CH4 and N2O into CO2e, where the unit is one of mass alone.
    parts
        Whether rows of one code and gas are parts of it, such as one for each fuel; else a code and gas may stand once.

    Raises
    ------
    InputError
        With every cell that is wrong.
    """
    check_system(system)
    columns = _columns(table, system, where, year)
    doubts = table.attrs.get(DOUBTS, ())
    table, year, notes = _of_year(table, columns, year, where)
    told = _unit_in_name(columns["value"])
    if unit and (told or "unit" in columns):
        there = f"in column {columns['unit']!r}" if "unit" in columns else f"{told!r} by its column {columns['value']!r}"  # fmt: skip
        raise InputError(f"the file tells its unit {there}", where, "Leave out --unit.")
    faults = Faults(where)
    reading = _Reading(faults, system, unit or told, gwp)
    values: list[CodedValue] = []
    totals: list[CodedValue] = []
    names = list(dict.fromkeys(columns.values()))
    for row, cells in rows_of(table, names):
        found = reading.value(row, {role: cells[column] for role, column in columns.items()})
        if found is not None:
            (values if found.code else totals).append(found)
    values = reading.with_gases_of_units(values)
    if not parts:
        faults.once(((value.row, f"{value.code} {value.gas}") for value in values), "the value of")
    faults.raise_any()
    if not values:
        raise InputError("the table has no row with a code and a value", where)
    units = filter(None, table[columns["unit"]]) if "unit" in columns else [reading.unit]
    notes = (*doubts, *notes, *on_thousands(table, columns["value"], where, small=in_tonnes(units)))
    in_name = _GWP_IN_NAME.search(columns["value"])
    used = in_name[0].upper() if in_name else gwp if reading.converted else ""
    return CodedTable(where, system, year, tuple(values), tuple(totals), used, notes=notes)


def _columns(table: pd.DataFrame, system: str, where: str, year: int | None) -> dict[str, str]:
    """Return the column of each role: code, value, and those of gas, unit, year and name that there are."""
    names = {str(name).strip().lower(): str(name) for name in table.columns}
    found: dict[str, str] = {}
    preferred = (f"{system}_code", "code", "crt_code", "crf_code", "ipcc_code", "category_code", "gpc_code")  # fmt: skip
    _take(found, "code", [names[name] for name in preferred if name in names][:1])
    for role, known in (("gas", _GAS_COLUMNS), ("unit", ("unit", "units")), ("year", ("year",)), ("name", ("name", "category", "title"))):  # fmt: skip
        _take(found, role, [names[name] for name in known if name in names][:1])
    years = [name for name in names.values() if _YEAR.fullmatch(name.strip())]
    exact = [names[name] for name in ("value",) if name in names]
    values = exact or [name for low, name in names.items() if low.startswith(_VALUE_COLUMNS)]
    if not values and years and "year" not in found:
        if year is None and len(years) > 1:
            raise InputError(
                f"the table has a column for each year from {min(years)} to {max(years)}", where,
                "Say which one: --year 2020.",
            )  # fmt: skip
        values = [name for name in years if year is None or int(name) == year]
    there = f"there are {', '.join(map(repr, table.columns))}"
    problems = []
    if "code" not in found:
        problems.append(Problem(f"no column of codes is found; {there}", where, f"Call it code, or name it: --column code=NAME. Codes are like {EXAMPLES[system]}."))  # fmt: skip
    if not values:
        problems.append(Problem(f"no column of values is found; {there}", where, "Call it value, or name it: --column value=NAME."))  # fmt: skip
    if len(values) > 1:
        problems.append(Problem(f"the values may be in {' or in '.join(map(repr, values))}", where, "Say which: --column value=NAME."))  # fmt: skip
    if problems:
        raise InputError(problems)
    return {**found, "value": values[0]}


def _take(found: dict[str, str], role: str, candidates: list[str]) -> None:
    if candidates:
        found[role] = candidates[0]


def _of_year(
    table: pd.DataFrame, columns: Mapping[str, str], year: int | None, where: str
) -> tuple[pd.DataFrame, int | None, tuple[Problem, ...]]:
    """Return the rows of one year, the year if it is told, and a warning of rows with a value that are of no year."""
    if "year" not in columns:
        named = columns["value"].strip()
        return table, int(named) if _YEAR.fullmatch(named) else year, ()
    cells = table[columns["year"]]
    texts = sorted({cell for cell in cells if cell})
    years = [text for text in texts if _YEAR.fullmatch(text)]
    if year is None and len(years) > 1:
        raise InputError(f"the table holds {len(years)} years, {years[0]} to {years[-1]}", where, "Say which one: --year 2020.")  # fmt: skip
    wanted = str(year) if year is not None else (years[0] if years else "")
    if wanted not in years:
        held = f"it holds {', '.join(texts[:12])}" if texts else "its column of years is blank"
        raise InputError(f"the table has no year {wanted or 'of four digits'}; {held}", where)
    with_value = table[columns["value"]].map(lambda text: notation_key(text) is None)
    blank = table.index[with_value & (cells == "")]
    if len(blank):
        what = f"the year is blank beside a value, where other rows have one: rows {listed(map(str, blank))}"
        raise InputError(what, f"{where}, column {columns['year']}", "Write the year in all rows, or leave the column out.")  # fmt: skip
    other = cells[with_value & ~cells.isin(years)]
    notes: tuple[Problem, ...] = ()
    if len(other):
        shown = ", ".join(map(repr, list(dict.fromkeys(other))[:_SHOWN]))
        are, count = ("is", "counts") if len(other) == 1 else ("are", "count")
        what = f"{counted(len(other), 'row')} with a value {are} of no year of four digits ({shown}), and {count} nothing"
        notes = (Problem(what, f"{where}, column {columns['year']}", f"Write {wanted} in those that are of that year.", "warning"),)  # fmt: skip
    return table[cells == wanted], int(wanted), notes


def _unit_in_name(name: str) -> str:
    """Return the unit that a column's name tells, blank if none; ``mt`` is none, being either Mt or a metric ton.

    A power of ten alone before it, in brackets of its own or behind ``value``, is part of it; other numbers, as of a year, a scope or a GWP's horizon, are none.
    """
    match = _UNIT_IN_NAME.search(name.replace("_", " ")) or _UNIT_IN_NAME.search(name)
    if match is None:
        return ""
    piece = re.split(r"[(\[（,，;；/:：](?!000)", match.string[: match.start()])[-1]
    piece = re.sub(r"\s*\^\s*", "^", piece).strip(" ×x*")
    first, _, rest = piece.partition(" ")
    piece = rest.strip() if first.lower() in _VALUE_COLUMNS else piece
    if piece.lower() in _TIMES or _POWER_OF_TEN.fullmatch(piece):
        times = _TIMES.get(piece.lower(), piece)
    elif _GROUPED.fullmatch(piece):
        times = f"10^{piece.count('0')}"
    elif _UNCLEAR.search(piece):
        raise InputError(
            f"the header {name!r} tells no clear unit",
            hint="Write for example value (10^4 t CO2e).",
        )
    else:
        times = ""
    return f"{times} {match[1]} CO2{'e' if match[3] else ''}".strip()


class _Reading:
    """How the cells of a table become masses."""

    def __init__(self, faults: Faults, system: str, unit: str, gwp: str) -> None:
        self.faults, self.system, self.unit, self.gwp = faults, system, unit, gwp
        self.known = {name.upper(): name for name in gwp_of(gwp)} | {BIOGENIC: "CO2"}
        self.converted = False
        self.of_co2: set[int] = set()
        self.by_unit: set[str] = set()

    def with_gases_of_units(self, values: list[CodedValue]) -> list[CodedValue]:
        """Return values with CO2 for a gas where the unit alone says so and, of the same code, alone says other gases: kt CO2 beside kt CH4. Else it may be CO2e."""
        return [
            replace(value, gas="CO2") if value.row in self.of_co2 and value.code in self.by_unit else value
            for value in values
        ]  # fmt: skip

    def value(self, row: object, cells: Mapping[str, str]) -> CodedValue | None:
        """Return what a row says; None, with an error added, if that cannot be told, or if it says nothing."""
        code, text = normal_code(cells["code"], self.system), cells["value"]
        if not code and _UNKNOWN_MARKS.fullmatch(text):
            return None  # a heading or a footnote
        if not code and "total" not in cells["code"].lower():
            what = f"{cells['code']!r} is no code of {self.system}" if cells["code"] else "the code is blank"  # fmt: skip
            self.faults.add(what, f"Codes are like {EXAMPLES[self.system]}; a total of all says 'total'.", row=row, column="code")  # fmt: skip
            return None
        name = cells.get("name", "") or (cells["code"] if not code else "")
        written = cells.get("gas", "")
        unit = cells.get("unit", "") or self.unit
        bare = _BARE_MASS.fullmatch(unit)
        gas, of_unit = gas_named(written), (bare and bare["gas"]) or ""
        if of_unit and not (written and gas):
            gas = of_unit  # no column of gases, or one that says 'emissions'
            self.by_unit.add(code)
        number = int(str(row))
        if not written and unit.split()[-1:] == ["CO2"]:
            self.of_co2.add(number)
        key = notation_key(text)
        if key is not None:
            known = 0 if key and not set(_KEY_JOINTS.split(key)) & set(_UNKNOWN) else None
            if not gas and known == 0:
                return None  # nothing, of something that is no part of the rows of all gases
            return CodedValue(
                number, code, name, gas or written, known, key or "blank", Fraction(0)
            )
        value = self.faults.number(text, row, "value", signed=True)
        if value is None:
            return None
        in_co2e = says_co2e(written)
        if bare is not None and of_unit and (in_co2e or origin_of(gas)[0] != of_unit):
            what = f"the gas is called {written!r}, and the unit {unit!r} is of {of_unit}" + in_co2e * ", no CO2e"  # fmt: skip
            self.faults.add(what, f"Write {bare['mass']} CO2e, or call the gas {of_unit}, whichever is meant.", row=row, column="unit")  # fmt: skip
            return None
        if bare is not None and in_co2e and gas:
            unit = f"{bare['mass']} CO2e"
        if not gas and bare is None:
            what = (
                f"{written!r} is no gas that is known, and might be a sum of others, or in no total"
            )
            self.faults.add(what, f"Write what it is, or leave the row out. {KNOWN}", row=row, column="gas")  # fmt: skip
            return None
        of = ALL_GASES if in_co2e and gas else gas or written
        found = self.faults.told(lambda: self._mass(value, unit, of, code), row, "unit")
        return (
            None if found is None else CodedValue(number, code, name, gas, found[0], "", found[1])
        )

    def _mass(self, value: Decimal, unit: str, gas: str, code: str) -> tuple[int, Fraction]:
        """Return grams of CO2e, and half of the last digit; the gas or else the code tells whether CH4 is of fossil origin, a total of all does not."""
        if not unit:
            raise InputError("the file does not say the unit", hint='Say it: --unit "kt CO2e".')
        bare = _BARE_MASS.fullmatch(unit)
        factor = Fraction(1)
        itself, fossil = origin_of(gas)
        if bare is not None and itself in self.known:
            of = self.known[itself]
            if fossil is None and code:
                fossil = is_fossil(code, self.system)
            factor, unit = gwp_of(self.gwp, fossil=fossil)[of], f"{bare['mass']} CO2e"
            self.converted |= of != "CO2"
        elif bare is not None and gas == ALL_GASES:
            raise InputError(f"the unit {unit!r} does not say of what", hint=f"Write {unit} CO2e if it is CO2e.")  # fmt: skip
        elif bare is not None:
            raise InputError(f"the unit {unit!r} is of {gas}, whose weight in CO2e is not known here", hint=f"Give it in {unit} CO2e.")  # fmt: skip
        elif (substance := mass_and_substance(unit)[1]) in ("CO2", "C") and gas not in _CARBON:
            raise InputError(f"the gas is {gas}, and the unit {unit!r} is of {substance}", hint="Write CO2e in the unit if it is CO2e; if it is the mass of the gas, only the unit of mass.")  # fmt: skip
        with localcontext(prec=_PRECISION):
            scaled = value * factor.numerator / factor.denominator
        half = Fraction(10) ** int(value.as_tuple().exponent) / 2
        per_one = Fraction(grams(Decimal(10**6), unit), 10**6)
        return grams(scaled, unit), half * factor * per_one + 1


def notation_key(text: str) -> str | None:
    """Return the notation keys of a cell in capitals, blank for a mark that is unknown; None for anything else."""
    if _UNKNOWN_MARKS.fullmatch(text):
        return ""
    keys = _KEY_JOINTS.split(text.upper())
    if all(key in (*_ZERO, *_UNKNOWN) for key in keys):
        return ", ".join(keys)
    return None
