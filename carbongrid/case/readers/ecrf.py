"""Reads the common reporting framework of cities, the sheets eCRF of a workbook: a row for each sub-sector, scope and fuel."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.coded_table import notation_key, read_coded
from carbongrid.case.readers.tables import DOUBTS, Faults, is_workbook, read_table
from carbongrid.case.readers.workbook import sheets_named
from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.inventory.coded_table import BIOGENIC, CodedTable, CodedValue
from carbongrid.inventory.codes import gpc_scope, is_within, normal_code
from carbongrid.method.landuse import packaged_table
from carbongrid.method.tonnes import counted, readable_tonnes

_SHEETS = re.compile("crf", re.IGNORECASE)
_HEAD = ("gpcrefno", "crfsubsector", "scope")
_TOTALS_HEAD = "sectorsandsubsectors"
_LABELS = _OF_YEAR, _OF_GWP = "inventoryyear", "globalwarmingpotential"
_TONNES = "ghgsmetrictonnesco2e"
_GASES = {"co2", "ch4", "n2o"}
_BIOGENIC = ("biogenicco2", "co2b")
_ROLES = {"gpcrefno": "code", "crfsector": "sector", "crfsubsector": "sub_sector", "scope": "scope", "inventoryyear": "year"}  # fmt: skip
_OF_NOTHING = ("year", "sector", "scope")
"""What a row may say that says nothing."""
_KEYS = re.compile("notation(keys?)?(if(needed|applicable|any)|(n[oea]|ie|c|fx|and|or)*)")
"""Headers of the column of notation keys, with the keys that there may be."""
_SECTORS = {"stationary": "I", "transport": "II", "waste": "III", "ippu": "IV", "afolu": "V", "generation": "I.4.4"}  # fmt: skip
_GENERATION, _BESIDE = "I.4.4", "VI"
_WASTE = ("III.1", "III.2", "III.3", "III.4")
_SUM = re.compile(r"\s*(sub[\s-]?)?total", re.IGNORECASE)
_YEAR = re.compile("[0-9]{4}")
_DATE = re.compile(r"([0-9]{4})([-/.])[0-9]{1,2}\2[0-9]{1,2}(?:[T ][0-9:.]+)?|[0-9]{1,2}([-/.])[0-9]{1,2}\3([0-9]{4})")  # fmt: skip
_TO_CHOOSE = re.compile("(?i:(please )?(select|choose).*|n/a)")
_GWP = re.compile("(?i:ar[456])")
_EVERYWHERE = {
    "homes (I.1)": ("I.1",),
    "shops, offices and public buildings (I.2)": ("I.2",),
    "road traffic (II.1)": ("II.1",),
    "solid waste (III.1 to III.3)": ("III.1", "III.2", "III.3"),
    "wastewater (III.4)": ("III.4",),
}
"""What every city has, and the references that it may be under."""
_LISTED = 10
_PRECISION = 200


@dataclass(frozen=True)
class _Line:
    """A row with a mass: its year, its code, whether that is of waste treated here alone, the codes its sub-sector may have, its scope, and the number as it is written, in tonnes."""

    row: int
    year: str
    code: str
    here: bool
    sub_sector: str
    scope: str
    tonnes: Decimal


def read_ecrf(
    path: Path, *, year: int | None = None, unit: str = "", encoding: str | None = None
) -> CodedTable | None:
    """Return an inventory in the common reporting framework of cities, None if the file is none.

    The table is known by its header, a row with ``GPC ref. no.``, ``CRF - Sub-sector`` and ``Scope``, wherever it stands on a sheet in
    whose name is CRF (or on the first sheet, or in a CSV file). What a sheet of sub-sectors says of them is held against the rows.

    Parameters
    ----------
    path
        A workbook, or a CSV file with the columns of the sheet eCRF_3.
    year
        Which one, if the file has several.
    unit
        None is to be given: the header tells it.
    encoding
        Of a CSV file.

    Raises
    ------
    InputError
        If two sheets have the header, it lacks the column of totals, a row with a mass has no code, contradicts its code, or has a
        notation key beside its mass; all with sheet and row.
    """
    doubts: list[Problem] = []
    if is_workbook(path):
        sheets = sheets_named(path, _SHEETS, doubts, _cells_read)
    else:
        table = read_table(path, encoding=encoding)
        doubts += table.attrs.get(DOUBTS, ())
        if not set(_HEAD) <= {_plain(name) for name in table.columns}:
            return None
        head = pd.DataFrame([list(table.columns)], columns=table.columns, index=[1])
        rows = pd.concat([head, table]).reindex(range(1, max(table.index, default=1) + 1))
        sheets = {"": rows.fillna("")}
    details = [(name, at) for name, cells in sheets.items() if (at := _header(cells)) is not None]
    if not details:
        return None
    if len(details) > 1:
        what = f"the sheets {', '.join(name for name, _ in details)} all hold an inventory by GPC references"
        raise InputError(what, path.name, "Keep one of them, in a copy of the workbook.")
    name, at = details[0]
    where = f"{path.name}, sheet {name}" if name else path.name
    others = {other: cells for other, cells in sheets.items() if other != name}
    reading = _Reading(where, sheets[name], at, _told(others, _OF_YEAR, _YEAR))
    read = read_coded(reading.table(), "gpc", where=where, year=year, unit=unit, parts=True)
    rows_read = {value.row for value in read.values}
    lines = [line for line in reading.lines if line.row in rows_read]
    checked = [*reading.copies(rows_read), *reading.notes, *_not_told(read.values, lines, where), *_against_sheets(others, lines, path.name, read.year)]  # fmt: skip
    gwp = _told(others, _OF_GWP, _GWP).upper()
    apart = tuple({code for row, code in reading.here.items() if row in rows_read})
    return replace(read, gwp=gwp, checked=tuple(checked), apart=apart, notes=(*doubts, *read.notes))


def _not_told(
    values: Sequence[CodedValue], lines: Sequence[_Line], where: str
) -> Iterable[Problem]:
    """Yield what every city has and no row tells: a warning where rows say 0 without a notation key, a note where there is no row."""
    zero, absent = [], []
    for name, stems in _EVERYWHERE.items():
        own = [value for value in values if any(is_within(value.code, stem) or is_within(stem, value.code) for stem in stems if value.code)]  # fmt: skip
        if not own:
            absent.append(name)
        elif all(value.grams == 0 and not value.key for value in own):
            rows = [str(value.row) for value in own]
            zero.append(f"{name}, {'row' if len(rows) == 1 else 'rows'} {listed(rows, 3)}")
    if zero:
        what = f"rows say 0 t without a notation key of what every city has: {_list(zero)}"
        hint = "Write the key in place of the 0 where it is not estimated (NE) or counted elsewhere (IE)."
        yield Problem(what, where, hint, "warning")
    if absent and lines:
        what = f"no row is of {_list(absent)}, which every city has"
        yield Problem(what, where, "Look whether the sheet is whole.", "note")


def _plain(text: str) -> str:
    """Return letters and digits of a header or name, small."""
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKC", text).lower())


def _header(cells: pd.DataFrame) -> int | None:
    """Return the position of the header of an inventory by GPC references."""
    for at, row in enumerate(cells.to_numpy()):
        if set(_HEAD) <= {_plain(cell) for cell in row}:
            return at
    return None


def _role(header: str) -> str:
    """Return what a column of an inventory by GPC references is; the header itself of a gas, blank of what is not read."""
    plain = _plain(header)
    if _KEYS.fullmatch(plain):
        return "key"
    if not plain.startswith(_TONNES):
        return _ROLES.get(plain, "")
    gas = plain.removeprefix(_TONNES)
    return "biogenic" if gas in _BIOGENIC else "total" if gas.startswith("total") else header


def _cells_read(cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which cells of a sheet are read: of an inventory and of sums, from the header on, the columns that are in rows that say more than their names, and elsewhere the rows of what is told of the inventory."""
    rows = cells.to_numpy()
    read = np.zeros(rows.shape, dtype=bool)
    at = _header(cells)
    if at is not None:
        roles = [_role(str(cell)) for cell in rows[at]]
        counting = [bool(role) and role not in _OF_NOTHING for role in roles]
        read[at:] = _in_rows_with(rows[at:], counting) & [bool(role) for role in roles]
        return read
    at = _totals_header(cells)
    if at is not None:
        scopes = [place > 0 and bool(_scope(cell)) for place, cell in enumerate(rows[at])]
        read[at:] = _in_rows_with(rows[at:], scopes) & [True, *scopes[1:]]
    told = [any(cell and _plain(cell) in _LABELS for cell in row) for row in rows[:at]]
    read[:at] = np.array(told, dtype=bool)[:, np.newaxis]
    return read


def _in_rows_with(rows: NDArray[np.object_], columns: Sequence[bool]) -> NDArray[np.bool_]:
    """Return which rows hold something in one of some columns, shape (rows, 1)."""
    filled: NDArray[np.bool_] = rows[:, columns] != ""
    return filled.any(axis=1, keepdims=True)


def _totals_header(cells: pd.DataFrame) -> int | None:
    """Return the position of the header of a sheet of sub-sectors."""
    heads = (at for at, row in enumerate(cells.to_numpy()) if len(row) and _plain(row[0]) == _TOTALS_HEAD)  # fmt: skip
    return next(heads, None)


def _told(sheets: Mapping[str, pd.DataFrame], name: str, what: re.Pattern[str]) -> str:
    """Return what a sheet of names and values says of a name, blank if none does."""
    for cells in sheets.values():
        for row in cells.to_numpy():
            texts = [str(cell) for cell in row if cell]
            for label, value in pairwise(texts):
                if _plain(label) == name and what.fullmatch(value):
                    return value
    return ""


@cache
def _sub_sectors() -> dict[str, tuple[str, ...]]:
    """Return, by the name of a sub-sector, the codes it may have."""
    rows = packaged_table("inventory/gpc_subsectors.csv").to_dict("records")
    return {_plain(str(row["sub_sector"])): tuple(str(row["codes"]).split()) for row in rows}


def _scope(text: str) -> str:
    """Return ``direct``, ``indirect`` or ``outside``, blank for anything else."""
    plain = _plain(text)
    if "outside" in plain:
        return "outside"
    words = {"1": "direct", "2": "indirect", "3": "outside"}
    by_word = next((word for word in ("direct", "indirect") if plain.startswith(word)), "")
    return by_word or words.get(plain.removeprefix("scope"), "")


def _last(text: str) -> str:
    """Return the sub-sector of ``Sector > Sub-sector`` and of ``Sub-sector > Part``."""
    parts = [part.strip() for part in text.split(">")]
    return next((part for part in parts if _plain(part) in _sub_sectors()), parts[0])


class _Reading:
    """The rows of the detailed sheet, as a table under codes; all that is wrong is raised at once."""

    def __init__(self, where: str, cells: pd.DataFrame, at: int, year: str) -> None:
        self.faults = Faults(where)
        self.lines: list[_Line] = []
        self.notes: list[Problem] = []
        self.here: dict[int, str] = {}
        self._cells, self._at, self._year, self._where = cells, at, year, where
        self._told: dict[str, str] = {}
        self._gases: list[str] = []
        self._records: list[tuple[int, tuple[str, ...]]] = []
        self._doubtful: list[str] = []
        self._covered: list[str] = []
        self._placeless = 0
        self._differing: list[tuple[int, Fraction, Fraction, bool]] = []
        self._sums: list[tuple[int, Decimal, int, int]] = []

    def table(self) -> pd.DataFrame:
        """Return code, value, gas, unit, year and name of the rows, each by its row in the sheet."""
        columns = self._columns()
        rows = []
        for number, row in enumerate(self._cells.to_numpy()[self._at + 1 :], self._at + 2):
            cells = {role: str(row[place]) for role, place in columns.items()}
            if any(cells[role] for role in cells if role not in _OF_NOTHING):
                rows.append((number, cells))
        told = {year for _, cells in rows if (year := _year(cells))}
        if self._year and told and self._year not in told:
            what = f"the rows are of {', '.join(sorted(told))}, and another sheet says that the inventory is of {self._year}"
            self._note(what, "Check that the sheets are of one inventory.", "warning")
        years = told or {self._year}
        for number, cells in rows:
            self._row(number, cells, years)
        self._keep_one_level()
        self.faults.raise_any()
        self._tell()
        names = ["code", "value", "gas", "unit", "year", "name"]
        index = pd.Index([number for number, _ in self._records], name="row")
        found = pd.DataFrame([each for _, each in self._records], columns=names, index=index, dtype=str)  # fmt: skip
        return found if (found["year"] != "").any() else found.drop(columns="year")

    def _columns(self) -> dict[str, int]:
        """Return the place of each role; gases are called by their headers."""
        found: dict[str, int] = {}
        for place, cell in enumerate(self._cells.iloc[self._at]):
            role = _role(str(cell))
            if role == str(cell) and _plain(role).startswith(_TONNES):
                self._gases.append(role)
            if role in found:
                self.faults.add(f"the column {cell!r} stands twice", "Keep one of them.", row=self._at + 1)  # fmt: skip
            if role:
                found[role] = place
                self._told[role] = str(cell)
        if "total" not in found:
            there = ", ".join(repr(cell) for cell in self._cells.iloc[self._at] if cell)
            hint = "Name the column of totals 'GHGs (metric tonnes CO2e) - Total CO2e', in the row of the other headers."
            self.faults.add(f"no column of total emissions is found; there are {there}", hint, row=self._at + 1)  # fmt: skip
        self.faults.raise_any()
        unread = [repr(cell) for cell in self._cells.iloc[self._at] if _plain(cell).startswith("notation")]  # fmt: skip
        if unread and "key" not in found:
            self._note(f"no column of notation keys is read; {', '.join(unread)} is taken for none", "Name it 'Notation key', if it has them.", "warning")  # fmt: skip
        return found

    def _row(self, row: int, cells: Mapping[str, str], years: set[str]) -> None:
        tonnes, key = self._number(row, cells, "total"), self._key(row, cells)
        gases = [each for name in self._gases if (each := self._number(row, cells, name)) is not None]  # fmt: skip
        biogenic = self._number(row, cells, "biogenic")
        if gases:
            tonnes = self._with_gases(row, tonnes, gases, biogenic)
        names = [cells.get(role, "") for role in ("code", "sector", "sub_sector")]
        if not normal_code(cells["code"], "gpc") and any(_SUM.match(name) for name in names):
            self._hold_sum(row, tonnes)
            return
        if key and (tonnes or any(gases)):
            mass = (
                f"emissions are {tonnes}"
                if tonnes
                else f"gases are {' and '.join(map(str, gases))}"
            )
            what = f"the notation key is {key}, and the {mass} t CO2e"
            self.faults.add(what, "Keep one of them: a key stands where there is no number.", row=row)  # fmt: skip
            return
        name = cells["sub_sector"]
        code, fault = self._code(cells)
        if fault and (tonnes or biogenic):
            self.faults.add(fault[0], fault[1], row=row)
            return
        if not code:
            self._placeless += 1
            return
        if fault:
            self._doubtful.append(f"{code} (row {row})")
        year = self._year_of(row, cells, years, needed=bool(tonnes or biogenic))
        if year is None:
            return
        here = _is_treated_here(code, _scope(cells["scope"]))
        if here:
            self.here[row] = code
        written = key or ("" if tonnes is None else f"{tonnes:f}")
        self._records.append((row, (code, written, "", "t CO2e", year, name)))
        if biogenic:
            self._records.append((row, (code, f"{biogenic:f}", BIOGENIC, "t CO2e", year, name)))
        if tonnes:
            self.lines.append(_Line(row, year, code, here, _group(name), gpc_scope(code) or _scope(cells["scope"]), tonnes))  # fmt: skip

    def _year_of(
        self, row: int, cells: Mapping[str, str], years: set[str], *, needed: bool
    ) -> str | None:
        """Return the year of a row, that of all others where it tells none; None, with an error added, where it is needed and not known."""
        year = _year(cells)
        if year is None and needed:
            self.faults.add(f"{cells['year']!r} is no year of four digits", "Write the year that the row is of, such as 2019.", row=row, column=self._told["year"])  # fmt: skip
            return None
        year = year or (min(years) if len(years) == 1 else "")
        if not year and len(years) > 1 and needed:
            self.faults.add(f"the year is not told, where other rows are of {', '.join(sorted(years))}", "Write the year.", row=row, column=self._told["year"])  # fmt: skip
            return None
        return year

    def _number(self, row: int, cells: Mapping[str, str], role: str) -> Decimal | None:
        text = cells.get(role, "")
        if notation_key(text) is not None:
            return None
        return self.faults.number(text, row, self._told[role], signed=True)

    def _key(self, row: int, cells: Mapping[str, str]) -> str:
        """Return the notation key of a row, blank if it has none; one that stands in the column of totals is one too."""
        text = cells.get("key", "")
        key = notation_key(text)
        if key is None:
            self.faults.add(f"{text!r} is no notation key", "Keys are NO, NE, IE, NA and C; leave the cell blank where there is a number.", row=row, column=self._told["key"])  # fmt: skip
        return key or notation_key(cells["total"]) or ""

    def _with_gases(
        self, row: int, tonnes: Decimal | None, gases: Sequence[Decimal], biogenic: Decimal | None
    ) -> Decimal:
        """Return the total of a row, that of its gases where it has none; a difference is kept to be told."""
        with localcontext(prec=_PRECISION):
            total = sum(gases, Decimal(0))
        if tonnes is None:
            return total
        rest = Fraction(tonnes) - Fraction(total)
        if abs(rest) > _allowed([tonnes, *gases]):
            of_plants = biogenic is not None and abs(rest - Fraction(biogenic)) <= _allowed([tonnes, *gases, biogenic])  # fmt: skip
            self._differing.append((row, Fraction(tonnes), Fraction(total), of_plants))
        return tonnes

    def _code(self, cells: Mapping[str, str]) -> tuple[str, tuple[str, str] | None]:
        """Return the code of a row, and what is wrong with it and the way out."""
        written, name, scope = cells["code"], _last(cells["sub_sector"]), _scope(cells["scope"])
        code, stems = normal_code(written, "gpc"), _sub_sectors().get(_plain(name), ())
        hint = "Write the GPC reference of the row, such as I.1.2."
        if code:
            if scope and gpc_scope(code) and scope != gpc_scope(code):
                return code, (f"the GPC reference {code} is of {gpc_scope(code)} emissions, and the scope is {cells['scope']!r}", "Mend one of them.")  # fmt: skip
            if stems and not any(is_within(code, stem) for stem in stems):
                return code, (f"the GPC reference {code} is none of {name!r}, whose references are {' and '.join(stems)}", "Mend one of them.")  # fmt: skip
            if not scope or not any(code in each for each in _sub_sectors().values()):
                return code, None
            made = _with_scope(code, scope)
            return made or code, None if made else (f"the GPC reference {code} has none for the scope {cells['scope']!r}", hint)  # fmt: skip
        if written:
            return "", (f"{written!r} is no GPC reference", hint)
        if not stems:
            return "", (f"the GPC reference is blank, and {name!r} is a sub-sector that is not known", hint)  # fmt: skip
        if len(stems) > 1:
            return "", (f"the GPC reference is blank, and {name!r} may be {' or '.join(stems)}", hint)  # fmt: skip
        made = _with_scope(stems[0], scope)
        return made, None if made else (f"the GPC reference is blank, and {name!r} has none for the scope {cells['scope']!r}", hint)  # fmt: skip

    def _keep_one_level(self) -> None:
        """Add an error for codes that rows have as a whole and others in parts; parts without mass are left out, or the whole would not count."""
        with_mass = {line.row for line in self.lines}
        wholes = {(line.year, line.code, line.here): line for line in self.lines}.values()
        for whole in wholes:
            below = [line.code for line in wholes if _is_below(whole, line.year, line.code)]
            if below:
                self.faults.add(f"the row is of {whole.code} as a whole, and other rows are of {', '.join(dict.fromkeys(below))}", "Write the GPC reference of the row.", row=whole.row)  # fmt: skip
        kept = []
        for row, record in self._records:
            code, _, gas, _, year, _ = record
            if row in with_mass or gas or not any(_is_below(line, year, code) for line in wholes):  # fmt: skip
                kept.append((row, record))
            else:
                self._covered.append(f"{code} (row {row})")
        self._records = kept

    def _hold_sum(self, row: int, tonnes: Decimal | None) -> None:
        """Keep a row that is a sum of rows above it, with the places in the lines where it may begin and ends."""
        if tonnes is not None:
            begin = self._sums[-1][3] if self._sums else 0
            self._sums.append((row, tonnes, begin, len(self.lines)))

    def copies(self, read: Collection[int]) -> Iterable[Problem]:
        """Yield a warning of rows with a mass, of those that are read, that agree in every cell, as where a sheet was pasted twice."""
        rows = self._cells.to_numpy()
        alike: dict[tuple[object, ...], list[_Line]] = {}
        for line in self.lines:
            if line.tonnes and line.row in read:
                alike.setdefault(tuple(rows[line.row - 1]), []).append(line)
        again = [same for same in alike.values() if len(same) > 1]
        if again:
            more = [line.tonnes for same in again for line in same[1:]]
            sides = (("emissions", [mass for mass in more if mass > 0]), ("sinks", [-mass for mass in more if mass < 0]))  # fmt: skip
            both = " and ".join(f"{_tonnes(_sum(masses))} t of {side}" for side, masses in sides if masses)  # fmt: skip
            which = (f"{same[0].code} (rows {', '.join(str(line.row) for line in same)})" for same in again)  # fmt: skip
            what = f"rows agree in every cell, and count each, {both} more than if each counted once: {_list(list(which))}"
            yield Problem(what, self._where, "Leave one of each, unless they are of two things.", "warning")  # fmt: skip

    def _tell(self) -> None:
        if self._differing:
            shown = "; ".join(f"row {row} {_tonnes(said)} t, its gases {_tonnes(gases)} t" + (", as much more as its biogenic CO2" if of_plants else "") for row, said, gases, of_plants in self._differing[:_LISTED])  # fmt: skip
            rest = sum((abs(said - gases) for _, said, gases, _ in self._differing), Fraction(0))
            others = {_plain(gas).removeprefix(_TONNES) for gas in self._gases} - _GASES
            reason = "" if others else ", since the sheet has no columns of other gases"
            what = f"{counted(len(self._differing), 'row says another total than its gases', 'rows say another total than their gases')}, by {_tonnes(rest)} t in all; the totals count{reason}: {shown}"
            self._note(what, "Look for gases that are missing, and for biogenic CO2, which is in no total.", "warning")  # fmt: skip
        if self._doubtful:
            what = f"{counted(len(self._doubtful), 'row without emissions has', 'rows without emissions have')} a GPC reference of another scope or sub-sector: {_list(self._doubtful)}"
            self._note(what, "They count nothing; what is said of them may be of another code.", "warning")  # fmt: skip
        if self._covered:
            self._note(f"{counted(len(self._covered), 'row without emissions is', 'rows without emissions are')} of parts of what other rows have as a whole, which counts: {_list(self._covered)}")  # fmt: skip
        if self._placeless:
            self._note(counted(self._placeless, "row without emissions has no GPC reference, and none follows from its name", "rows without emissions have no GPC reference, and none follows from their names"))  # fmt: skip
        wrong = []
        for row, said, begin, end in self._sums:
            ways = [self.lines[begin:end], self.lines[:end]]
            if not any(_fits(said, [line.tonnes for line in way]) for way in ways):
                wrong.append(f"row {row} {_tonnes(Fraction(said))} t, the rows above it {' or '.join(_tonnes(_sum(line.tonnes for line in way)) for way in ways)} t")  # fmt: skip
        if wrong:
            self._note(f"{counted(len(wrong), 'row of sums says another mass than the rows above it', 'rows of sums say another mass than the rows above them')}: {_list(wrong)}", "Find the rows that are missing or wrong.", "warning")  # fmt: skip
        elif self._sums:
            self._note(
                f"{counted(len(self._sums), 'row of sums says what the rows above it', 'rows of sums say what the rows above them')} add up to"
            )

    def _note(self, what: str, hint: str = "", level: Level = "note") -> None:
        self.notes.append(Problem(what, self._where, hint, level))


def _year(cells: Mapping[str, str]) -> str | None:
    """Return the year of a row, also of a date; blank where the cell is, or says what to choose; None where it is a text of no one year."""
    text = cells.get("year", "")
    if notation_key(text) is not None or _TO_CHOOSE.fullmatch(text):
        return ""
    if date := _DATE.fullmatch(text):
        return date[1] or date[4]
    numbers = re.findall("[0-9]+", text)
    return numbers[0] if len(numbers) == 1 and _YEAR.fullmatch(numbers[0]) else None


def _with_scope(stem: str, scope: str) -> str:
    """Return the code of a sub-sector and a scope; blank if there is none."""
    if stem == _GENERATION or stem.startswith(("IV.", "V.")):
        return stem if scope == "direct" else ""
    if stem.startswith("III."):
        # Waste of the city and waste of elsewhere that are treated here have one name and one scope.
        return {"direct": stem, "outside": f"{stem}.2"}.get(scope, "")
    last = {"direct": "1", "indirect": "2", "outside": "3"}.get(scope, "")
    return f"{stem}.{last}" if last else ""


def _is_treated_here(code: str, scope: str) -> bool:
    """Whether a code is of waste of the city and of elsewhere that is treated here, without what is treated outside."""
    return scope == "direct" and code in _WASTE


def _is_below(whole: _Line, year: str, code: str) -> bool:
    """Whether a code of a year is a part of what a row has as a whole."""
    if whole.year != year or whole.code == code or not is_within(code, whole.code):
        return False
    return not (whole.here and gpc_scope(code) == "outside")


def _group(name: str) -> str:
    """Return what the names of one sub-sector have in common."""
    plain = _plain(_last(name))
    return " ".join(_sub_sectors().get(plain, (plain,)))


def _against_sheets(
    sheets: Mapping[str, pd.DataFrame], lines: Sequence[_Line], file: str, year: int | None
) -> list[Problem]:
    """Hold the rows against the sheet of sub-sectors and totals by scope."""
    for name, cells in sheets.items():
        at = _totals_header(cells)
        if at is not None:
            return _against(cells, at, lines, f"{file}, sheet {name}", year)
    what = "the file has no sheet of sub-sectors that its rows could be held against"
    return [Problem(what, file, "", "note")]


def _against(
    cells: pd.DataFrame, at: int, lines: Sequence[_Line], where: str, year: int | None
) -> list[Problem]:
    above = [cell for row in cells.to_numpy()[:at] for cell in row]
    told = {cell for cell in above if _YEAR.fullmatch(cell)}
    if year is not None and told and str(year) not in told:
        what = f"the sheet is of {', '.join(sorted(told))}, so the rows of {year} are not held against it"  # fmt: skip
        return [Problem(what, where, "", "note")]
    scopes = {place: scope for place, cell in enumerate(cells.iloc[at]) if place and (scope := _scope(cell))}  # fmt: skip
    said: dict[tuple[str, str, str], list[Decimal]] = {}
    faults = Faults(where)
    for number, row in enumerate(cells.to_numpy()[at + 1 :], at + 2):
        name = str(row[0])
        whose = _whose(name)
        for place, scope in scopes.items() if whose else ():
            text = str(row[place])
            value = Decimal(0) if notation_key(text) is not None else faults.number(text, number, str(cells.iat[at, place]), signed=True)  # fmt: skip
            if value is not None:
                said.setdefault((*whose, scope), []).append(value)
    faults.raise_any()
    named = dict.fromkeys(of for kind, of, _ in said if kind == "sub-sector")
    names_of: dict[str, set[str]] = {}
    for line in lines:
        if line.sub_sector in named:
            names_of.setdefault(_stem_of(line), set()).add(line.sub_sector)
    of_sheet = [(line, _sub_sector_among(named, line, names_of)) for line in lines]
    wrong, same = [], 0
    for (kind, of, scope), numbers in said.items():
        parts = [line.tonnes for line, sub_sector in of_sheet if line.scope == scope and _is_of(line, sub_sector, kind, of)]  # fmt: skip
        if any(numbers) or parts:
            if abs(_sum(numbers) - _sum(parts)) <= _allowed([*numbers, *parts]):
                same += 1
            else:
                shown = f"{of or 'all'}, {scope}: {_tonnes(_sum(numbers))} t here, {_tonnes(_sum(parts))} t in the rows"  # fmt: skip
                wrong.append(shown)
    if wrong:
        what = f"{len(wrong)} sums say another mass than the rows by GPC reference, which count: {_list(wrong)}"
        return [Problem(what, where, "Find the rows that are missing or wrong.", "warning")]
    return [Problem(f"{same} sums say what the rows by GPC reference add up to", where, "", "note")]


def _whose(name: str) -> tuple[str, str] | tuple[()]:
    """Return of what a row of the sheet of sub-sectors is: a sub-sector, a sector or all; nothing if it is not known."""
    if not name:
        return ()
    if not _SUM.match(name):
        return ("sub-sector", _group(name))
    rest = _plain(name).removeprefix("total")
    if rest.startswith("emissions"):
        return ("all", "")
    sector = next((code for word, code in _SECTORS.items() if rest.startswith(word)), "")
    return ("sector", sector) if sector else ()


def _sub_sector_among(named: Collection[str], line: _Line, others: Mapping[str, set[str]]) -> str:
    """Return which of the sub-sectors of a sheet a row is of: by its name, else, as where a merged cell leaves it blank, by its reference.

    Electricity generation is told apart by its reference wherever the sheet does so. A name of somebody's own is that of all ``others`` of its stem that have one.
    """
    generation = line.code == _GENERATION
    if generation and _GENERATION in named:
        return _GENERATION
    if line.sub_sector in named:
        return line.sub_sector
    by_reference = (of for of in named if any(is_within(line.code, stem) for stem in of.split()))
    own = others.get(_stem_of(line), set()) if not line.sub_sector else set()
    by_others = own if len(own) == 1 else set()
    return next((of for of in (*by_reference, *by_others) if (of == _GENERATION) == generation), "")


def _stem_of(line: _Line) -> str:
    """Return the reference of a row's sub-sector: I.3 of I.3.2."""
    return ".".join(line.code.split(".")[:2])


def _is_of(line: _Line, sub_sector: str, kind: str, of: str) -> bool:
    if kind == "sub-sector":
        return sub_sector == of
    generation = line.code == _GENERATION
    if kind == "all":
        return not generation and not is_within(line.code, _BESIDE)
    return generation if of == _GENERATION else is_within(line.code, of) and not generation


def _sum(numbers: Iterable[Decimal]) -> Fraction:
    return sum(map(Fraction, numbers), Fraction(0))


def _fits(said: Decimal, parts: Sequence[Decimal]) -> bool:
    return abs(Fraction(said) - _sum(parts)) <= _allowed([said, *parts])


def _allowed(numbers: Sequence[Decimal]) -> Fraction:
    """Return what rounding explains, as for codes and their parts: half a last digit of each number, and a billionth."""
    half = sum((Fraction(10) ** int(n.as_tuple().exponent) / 2 for n in numbers), Fraction(0))
    return half + max((abs(Fraction(n)) for n in numbers), default=Fraction(0)) / 10**9


def _tonnes(mass: Fraction) -> str:
    return readable_tonnes(round(mass * 10**6))


def _list(texts: Sequence[str]) -> str:
    return listed(texts, between="; ")
