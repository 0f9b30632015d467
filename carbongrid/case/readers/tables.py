"""Reads tables, CSV or XLSX, in which every cell is text, and checks cells one by one."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case.fields import meant, nearest
from carbongrid.case.readers.chinese_text import (
    BOTH_WAYS,
    CHINESE_OR_KOREAN,
    beyond_ascii,
    common_chinese,
    reads_as_korean,
)
from carbongrid.case.readers.misread_text import misread, misread_problem, proposal
from carbongrid.case.readers.workbook import DECIMAL, MAX_COLUMNS, first_sheet
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.thousands import thousands_problems
from carbongrid.raster.opening.encodings import encoding_named
from carbongrid.raster.opening.files import ZIP, head_of, read_bytes

SHEETS = "sheets"
"""Key of a table's attrs: of a workbook the header of each sheet that is shown by its name, first that of the one that was read."""

DOUBTS = "doubts"
"""Key of a table's attrs: warnings of how it was read, for whoever tells the others."""

NAMELESS = "nameless"
"""Key of a table's attrs: how many cells in columns without a header were left out."""

FIRST_ROWS = "first rows"
"""Key of a table's attrs: the cells of the first rows below the header by row, since the header may be one of them."""

_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})(?:[eE][+-]?[0-9]{1,3})?"
)
_WHOLE = re.compile(r"-?[0-9]{1,16}")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:[, '\u2019\u00a0\u202f][0-9]{3})+(?:\.[0-9]+)?")
_YEAR = re.compile(r"[0-9]{4}")
_LOOKED_AT = 10
_LOOKED_FOR = 100
"""So many unknown words of a column are looked for among the known ones: of 5,000 that takes 4 ms a word."""
_SHORTENED = re.compile(r"[0-9][.,][0-9]+[eE]\+[0-9]{2}")
"""A long code as a spreadsheet shows it, and saves it as CSV."""
_NO_TEXT = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file, or one with a password", "Save it as XLSX without a password, or as CSV."),
    (b"PAR1\x15", "Parquet", "Save the table as CSV or XLSX."),
    (b"SQLite format 3\x00", "an SQLite database, as GeoPackage is", "Save the table as CSV or XLSX."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it."),
)  # fmt: skip
"""Files by how they begin, as no text does; what they are and the way out."""
_HEAD = max(len(mark) for mark, *_ in _NO_TEXT)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SEPARATOR = re.compile(r"\ufeff?sep=.?")
_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def read_table(
    path: str | Path,
    *,
    encoding: str | None = None,
    beside: str | None = None,
    codes: Collection[str] = (),
    ids: Collection[str] = (),
    columns: Collection[str] | None = None,
    unit: str = "",
) -> pd.DataFrame:
    """Return a table in which every cell is text, without blanks around it.

    Parameters
    ----------
    path
        A CSV file with commas between its cells, or an XLSX workbook, whose first sheet is read with the
        stored values of its formulas. The content decides which.
    encoding
        Of a CSV file; by default UTF-8 (with or without a byte order mark), then GB18030.
    beside
        Encoding of the file that this table explains, such as parcels whose codes it lists: taken if the table is not UTF-8.
    codes
        Columns of codes that may begin with zeros: a workbook's cells must hold them as text, or show their zeros by their format.
    ids
        Columns whose cells are looked up in others, so that one that had lost its zeros would not be found: a workbook's cells
        must hold text or whole numbers.
    columns
        Those that are read, of a table whose others are ignored: in a workbook only they must be seen, and shown as they are. All if None.
    unit
        That the numbers are in, where something else than the table says so.

    Returns
    -------
    DataFrame
        Columns as in the header, index ``row``: the row in the file, the header being row 1. A blank cell
        is ""; blank rows and columns without a header are left out. Its attrs tell what was left out: :data:`SHEETS`, :data:`NAMELESS`,
        and what may be meant otherwise: :data:`DOUBTS`.

    Raises
    ------
    InputError
        If the file is missing, is neither, cannot be decoded, has rows longer than its header, a cell in quotes that
        goes over several lines, a formula without a stored value, a column twice, numbers in a column of codes, or what is read is
        hidden or shown as another number.
    """
    path = Path(path)
    head = head_of(path, _HEAD)
    if head.startswith(ZIP):
        cells, numbers, name, others, doubts = first_sheet(path, columns, unit)
        _check_codes(cells, numbers, codes, path.name)
        _check_ids(cells, numbers, ids, path.name)
        table = with_header(cells, path.name)
        table.attrs[SHEETS] = {name: tuple(table.columns), **others}
        table.attrs[DOUBTS] = doubts
        return table
    for mark, what, hint in _NO_TEXT:
        if head.startswith(mark):
            raise InputError(f"this is {what}", path.name, hint)
    if path.suffix.lower() == ".toml":
        raise InputError("this is a file of settings, such as a case file, not a table", path.name, "Give the table that it names.")  # fmt: skip
    data = read_bytes(path)
    if encoding is None and data.startswith(_UTF_16):
        encoding = "utf-16"
    elif encoding is None and b"\0" in data:
        raise _not_text(path.name)
    elif encoding is None and not _is_utf8(data):
        encoding = beside
    text = decoded(data, path.name, encoding)
    table = with_header(_csv_cells(text, path.name), path.name)
    if encoding is not None and (wrong := misread(text.splitlines(), encoding_named(encoding) or encoding)):  # fmt: skip
        table.attrs[DOUBTS] = [misread_problem(encoding, wrong.example, wrong.others, path.name)]
    return table


def is_workbook(path: Path) -> bool:
    """Whether a file is an XLSX workbook by how it begins.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    """
    return head_of(path, len(ZIP)) == ZIP


def _check_codes(
    cells: pd.DataFrame, numbers: Iterable[tuple[int, int]], codes: Collection[str], where: str
) -> None:
    """Raise if a workbook holds numbers in a column of codes: what was 060100 is 60100 by now, and nobody can tell."""
    names = [] if cells.empty else list(cells.iloc[0])
    found: dict[str, list[int]] = {}
    for row, column in numbers:
        if row and names[column] in codes:
            found.setdefault(names[column], []).append(row)
    problems = [
        Problem(
            f"column {name!r} holds numbers where codes and ids are text, and a leading zero would be lost: {len(rows)} "
            f"cells, the first {cells.iat[rows[0], names.index(name)]!r}",
            f"{where}, row {rows[0] + 1}, column {name}",
            "Format the column as text and write the codes anew, or give it a format of zeros, such as 000000.",
        )
        for name, rows in found.items()
    ]
    if problems:
        raise InputError(problems)


def _check_ids(
    cells: pd.DataFrame, numbers: Iterable[tuple[int, int]], ids: Collection[str], where: str
) -> None:
    """Raise if a workbook holds numbers that are not whole in a column of ids."""
    names = [] if cells.empty else list(cells.iloc[0])
    faults = Faults(where)
    for row, column in numbers:
        text = str(cells.iat[row, column])
        if row and names[column] in ids and not _WHOLE.fullmatch(text):
            what = f"an id is text or a whole number, not the number {text}"
            faults.add(what, "Format the column as text.", row=row + 1, column=names[column])
    faults.raise_any()


def decoded(data: bytes, where: str, encoding: str | None = None) -> str:
    """Return text that is UTF-8 or GB18030, or in a named encoding.

    GB18030 gives a meaning to almost any bytes, so its reading is taken only if most of the
    characters are common Chinese ones (GB 2312); ``ür`` in Latin-1 would be read as a rare one, ``öß`` as one inside a word of Latin letters.

    Raises
    ------
    InputError
        If the bytes are not in the named encoding, or in neither.
    """
    if encoding is not None:
        known = encoding_named(encoding)
        try:
            if known is None:
                raise LookupError("it is not a text encoding")
            return data.decode(known).removeprefix("\ufeff")
        except (LookupError, ValueError) as error:
            raise InputError(
                f"this cannot be read as {encoding!r}: {error}",
                where,
                "Correct the encoding that is named.",
            ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    chinese = 2 * len(set(common_chinese(text))) >= len(set(beyond_ascii(text)))
    if text and chinese and reads_as_korean(data):
        raise InputError(
            f"this {BOTH_WAYS}",
            where,
            f"Save it as UTF-8, or name its encoding, encoding = ... in the case, --encoding of a command that has it: {proposal(data, CHINESE_OR_KOREAN)}.",
        )
    if not text or not chinese:
        raise InputError(
            "this is neither UTF-8 nor GB18030",
            where,
            f"Save it as UTF-8, or name its encoding, encoding = ... in the case, --encoding of a command that has it: {proposal(data)}.",
        )
    return text


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def require_columns(
    table: pd.DataFrame,
    where: str,
    columns: Iterable[str],
    keys: Mapping[str, str] | None = None,
) -> None:
    """Check that a table has these columns; ``keys`` are those of the case that name them.

    Raises
    ------
    InputError
        Naming every column that is missing and what is there instead.
    """
    problems, columns = [], list(columns)
    header = next((row for row, texts in table.attrs.get(FIRST_ROWS, {}).items() if set(texts).issuperset(columns)), 0)  # fmt: skip
    if header and not set(columns) <= set(table.columns):
        what = f"the first row holds no names of columns, which seem to stand in row {header}"
        raise InputError(what, where, f"Take out what stands above row {header}.")
    for column in columns:
        if column not in table.columns:
            close = nearest(column, table.columns)
            hint = meant(close, column) if close else f"Add a column {column!r}."
            if keys and column in keys:
                hint = f"{meant(close, column)} " if close else ""
                hint += f"{keys[column]} in the case says which column it is."
            there = ", ".join(map(repr, table.columns))
            problems.append(
                Problem(f"the column {column!r} is missing; there are {there}", where, hint)
            )
    if problems:
        raise InputError(problems)


def decimal_cell(text: str, where: str) -> Decimal:
    """Return the number in a cell, exactly.

    Raises
    ------
    InputError
        If the cell is blank, or no finite number as computers write it.
    """
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if not text:
        raise InputError("expected a number, not a blank", where, "Write 0 if there is none.")
    hint = "Write it in digits with a point, for example 1234.5 or 1.2e4."
    if _GROUPED.fullmatch(text):
        hint = "Write it without separators between thousands."
    if text.endswith("%"):
        hint = "Write the number alone, in the unit that the column is in; the cells of a workbook not as percentages."
    raise InputError(f"expected a finite number, not {text!r}", where, hint)


_LEVEL_WORDS = {"镇", "乡", "街道", "街道办事处", "区", "县", "市", "新区", "开发区", " town", " township", " subdistrict", " district", " county"}  # fmt: skip
"""What stands behind the name of a unit and is often left out, case folded."""


class Faults:
    """The problems of one table, gathered cell by cell and raised at once.

    Parameters
    ----------
    file
        Its name.
    names
        Codes that each name stands for, for who writes names where codes belong.
    """

    def __init__(self, file: str, names: Mapping[str, Collection[str]] | None = None) -> None:
        self.file = file
        self._named = [(name.casefold(), name, code) for name, codes in (names or {}).items() for code in sorted(codes)]  # fmt: skip
        self.problems: list[Problem] = []
        self._hints: dict[tuple[str, str], dict[str, str]] = {}

    def place(self, row: object = None, column: str = "") -> str:
        """Return file, row and column as one text."""
        return ", ".join(
            [
                self.file,
                *([f"row {row}"] if row is not None else []),
                *([f"column {column}"] if column else []),
            ]
        )

    def add(self, what: str, hint: str = "", *, row: object = None, column: str = "") -> None:
        """Add an error."""
        self.problems.append(Problem(what, self.place(row, column), hint))

    def number(
        self, text: str, row: object, column: str, *, signed: bool = False
    ) -> Decimal | None:
        """Return the number in a cell; None, with an error added, if it is none or negative."""
        try:
            value = decimal_cell(text, self.place(row, column))
        except InputError as error:
            self.problems += error.problems
            return None
        if value < 0 and not signed:
            self.add(f"expected no negative number, not {text}", row=row, column=column)
            return None
        return value

    def year(self, text: str, row: object, column: str) -> int | None:
        """Return the year in a cell; None, with an error added, if it is not four digits."""
        if _YEAR.fullmatch(text):
            return int(text)
        self.add(f"expected a year, not {text!r}", "Write 2020.", row=row, column=column)
        return None

    def told[T](self, call: Callable[[], T], row: object, column: str) -> T | None:
        """Return what a call returns; None, with its errors added at a cell, if it raises InputError."""
        try:
            return call()
        except InputError as error:
            for fault in error.problems:
                self.add(fault.what, fault.hint, row=row, column=column)
        return None

    def member(
        self,
        text: str,
        known: Collection[str],
        what: str,
        row: object,
        column: str,
        otherwise: str = "",
    ) -> bool:
        """Whether a cell holds a known word; if not, an error is added with the nearest one, or another way out."""
        if text in known:
            return True
        hints = self._hints.setdefault((what, column), {})
        # Behind the first ones stands what would be said of a word that is like none.
        for word in (text, "") if len(hints) < _LOOKED_FOR else ():
            hints[word] = hints.get(word) or self._way_out(word, known, otherwise)
        self.add(
            f"unknown {what} {text!r}" if text else f"the {what} is blank",
            hints.get(text, hints[""]),
            row=row,
            column=column,
        )
        return False

    def _way_out(self, text: str, known: Collection[str], otherwise: str) -> str:
        """Return what to write in place of a word that is not known."""
        close = nearest(text, known if not _digits(text) else [one for one in known if _digits(one) == _digits(text)])  # fmt: skip
        some = listed(sorted(known), 8)
        hint = meant(close, text) if close else otherwise or f"Known: {some}."
        whole = text.removesuffix(".0")
        shorter = next((one for one in known if whole and one != text and one.lstrip("0") == whole.lstrip("0")), "")  # fmt: skip
        if shorter:
            lost = (
                " but for zeros in front, which were lost where codes are stored as numbers"
                if whole == text
                else ", which was written as a number with decimals where codes are stored as numbers"
            )
            hint = f"It is {shorter!r}{lost}: store them as text there."
        longer = [one for one in known if text and abs(len(one) - len(text)) > 1 and one.rstrip("0") == text.rstrip("0")]  # fmt: skip
        if len(longer) == 1:
            hint = f"Did you mean {longer[0]!r}, which is the same but for zeros at the end?"
        here, elsewhere = self._called(text, known)
        if here:
            each = " and ".join(f"{code!r} is {name}" for code, name in here.items())
            hint = f"Write the code, not the name: {each}."
        elif elsewhere:
            hint = f"It is the name of {', '.join(elsewhere)}, which cannot stand here. Known: {some}."  # fmt: skip
        return hint

    def _called(self, text: str, known: Collection[str]) -> tuple[dict[str, str], list[str]]:
        """Return the known codes that have a text as their name in any case, with it, or the one that has it with a word such as 镇 behind it; and unknown ones that have it."""
        folded = text.casefold()
        exact = {code: name for one, name, code in self._named if one == folded}
        here = {code: name for code, name in sorted(exact.items()) if code in known}
        if here or not text:
            return here, []
        longer = {
            code: name
            for one, name, code in self._named
            if one.startswith(folded) and one.removeprefix(folded) in _LEVEL_WORDS and code in known
        }
        return (longer if len(longer) == 1 else {}), sorted(exact)

    def once(
        self,
        keys: Iterable[tuple[object, object]],
        what: str,
        years: Mapping[object, int | None] | None = None,
    ) -> None:
        """Add an error for each key that stands in several rows, of (row, key) pairs; with the years of rows, where these tell them apart."""
        rows: dict[object, list[object]] = {}
        for row, key in keys:
            rows.setdefault(key, []).append(row)
        for key, places in rows.items():
            if len(places) > 1:
                told = [str(of) for row in places if (of := (years or {}).get(row)) is not None]
                apart = len(set(told)) == len(places)
                hint = (
                    "Keep the rows of one year, that of the case." if apart else "Keep one of them."
                )
                if _SHORTENED.search(str(key)):
                    hint = "They may be several: a spreadsheet wrote long codes as numbers with a power of ten, and their last digits are lost. Store the codes as text, and write them anew."
                self.add(f"{what} {key} stands in rows {', '.join(map(str, places))}" + apart * f", of {', '.join(told)}", hint)  # fmt: skip

    def raise_any(self) -> None:
        """Raise InputError if there is any problem."""
        if self.problems:
            raise InputError(self.problems)


def _digits(text: str) -> str:
    """Return the digits of a code: one that differs in them is another, however alike it looks."""
    return "".join(filter(str.isdigit, text))


def _not_text(where: str) -> InputError:
    return InputError("this is not a text file", where, "Save the table as CSV or XLSX.")


def _csv_cells(text: str, where: str) -> pd.DataFrame:
    if "\0" in text:
        raise _not_text(where)
    if not text.strip():
        return pd.DataFrame()
    header = text.partition("\n")[0].strip()
    _require_commas(header, where)
    header_columns = header.count(",") + 1
    if header_columns > MAX_COLUMNS:
        raise InputError(
            f"the header has {header_columns:,} columns, too many for a table",
            where,
            f"Keep the columns that the case names, {MAX_COLUMNS:,} at most.",
        )
    _require_a_row_a_line(text, where)
    try:
        cells = pd.read_csv(
            StringIO(text),
            header=None,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        ragged = _RAGGED.search(str(error))
        if ragged is None:
            raise InputError(f"this is no CSV: {error}", where, "Check the quotes.") from None
        columns, row, found = ragged.groups()
        raise InputError(
            f"there are {found} cells, expected {columns} as in the header",
            f"{where}, row {row}",
            "Take out what stands above the names of the columns."
            if columns == "1"
            else "Put a cell that holds a comma in double quotes.",
        ) from None
    stripped: pd.DataFrame = cells.fillna("").apply(lambda column: column.str.strip())
    return stripped


def _require_commas(header: str, where: str) -> None:
    """Raise for a table whose cells are set apart by something else, before cells are counted: 1,5 would be two."""
    if _SEPARATOR.fullmatch(header):
        raise InputError(f"the first row is {header!r}, expected the names of the columns", f"{where}, row 1", "Take that row out, and separate the cells by commas.")  # fmt: skip
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if mark in header and "," not in header:
            raise InputError(
                f"the cells are separated by {word}, expected commas",
                where,
                "Save it with commas, and points in the numbers.",
            )


def _require_a_row_a_line(text: str, where: str) -> None:
    """Raise if a quote opens in one line and closes in a later one, or never: what lies between would be no rows."""
    if '"' not in text:
        return
    # Line ends inside quotes count too, whichever they are.
    records = csv.reader(StringIO(text, newline=""), strict=True, skipinitialspace=True)
    last, fault = 0, ""
    while not fault:
        first = last + 1
        try:
            next(records)
        except StopIteration:
            return
        except csv.Error as error:
            fault = str(error)
        last = records.line_num
        if "unexpected end" in fault:
            fault = f"a quote opens in row {first} and never closes"
        elif last > first:
            fault = f"a cell in quotes goes from row {first} to row {last}, and the rows between would be text in it"
        elif fault:
            fault = "a cell goes on after its closing quote, or is longer than any text"
    raise InputError(
        fault,
        f"{where}, row {first}" if first == last else f"{where}, rows {first} to {last}",
        'Write a cell in one line, and a quote that is part of its text twice, all in quotes: "a ""b"" c".',
    )


def with_header(cells: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return cells as a table whose columns are named by the first row, as :func:`read_table` does."""
    if cells.empty:
        raise InputError(
            "the table is empty", where, "Its first row holds the names of the columns."
        )
    names = list(cells.iloc[0])
    filled_names = [name for name in names if name]
    if len(filled_names) == 1:
        _require_commas(filled_names[0], where)  # a CSV that a workbook took as one column
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise InputError(
            f"the columns {', '.join(map(repr, repeated))} stand twice",
            where,
            "Rename one of each.",
        )
    table = cells.iloc[1:].loc[:, [bool(name) for name in names]]
    table.columns = pd.Index([name for name in names if name])
    table.index = pd.RangeIndex(2, len(table) + 2, name="row")
    filled: pd.DataFrame = table.loc[(table != "").any(axis=1)]
    nameless = cells.iloc[1:].loc[:, [not name for name in names]]
    filled.attrs[FIRST_ROWS] = {row + 1: list(cells.iloc[row]) for row in range(1, min(len(cells), _LOOKED_AT))}  # fmt: skip
    filled.attrs[DECIMAL] = tuple(names[k] for k in cells.attrs.get(DECIMAL, ()) if names[k])
    filled.attrs[NAMELESS] = int((nameless != "").to_numpy().sum())
    return filled


def renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with columns by other names, and what is known of their points with them."""
    table = table.rename(columns=dict(names))
    table.attrs[DECIMAL] = tuple(names.get(name, name) for name in table.attrs.get(DECIMAL, ()))
    return table


def points_are_decimal(table: pd.DataFrame, column: str) -> bool:
    """Whether the points of a column are decimal ones for certain: numbers of a workbook or of a layer, stored as such, have none between thousands."""
    return column in table.attrs.get(DECIMAL, ()) or pd.api.types.is_numeric_dtype(table[column])


def on_thousands(
    table: pd.DataFrame, column: str, where: str, *, whole: bool = False, small: bool = False
) -> list[Problem]:
    """Return what :func:`carbongrid.inventory.thousands.thousands_problems` says of a column, nothing of one whose points are decimal ones for certain."""
    if points_are_decimal(table, column):
        return []
    texts = ("" if pd.isna(value) else str(value).strip() for value in table[column])
    return thousands_problems(texts, where, column, whole=whole, small=small)


def records(table: pd.DataFrame, columns: Iterable[str]) -> list[dict[str, Any]]:
    """Return some columns of a table row by row; of a few rows pandas' ``to_dict`` takes several times as long."""
    names = list(columns)
    cells = zip(*(table[name].tolist() for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in cells]


def rows_of(table: pd.DataFrame, columns: Sequence[str]) -> Iterable[tuple[object, dict[str, str]]]:
    """Yield (row, cells) of a table; a column that it does not have is blank."""
    for row, cells in zip(table.index, table.to_dict("records"), strict=True):
        yield row, {column: cells.get(column, "") for column in columns}
