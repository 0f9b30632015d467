"""Reads the sheets of an XLSX workbook as text: alone knows openpyxl among the readers."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.fields import nearest
from carbongrid.case.readers.cell_marks import column_letters, column_number, marks_problems
from carbongrid.case.readers.number_formats import Shown, how_shown, is_percentage, powers_told
from carbongrid.case.readers.zip_limits import check_zip_limits
from carbongrid.errors import InputError, Problem, require_extra
from carbongrid.raster.opening.files import read_bytes

MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 2**20, 1_024, 20_000_000
"""Of a sheet, the cells counted as they will be held: a rectangle, however few of them hold something. Spreadsheet programs that know
1,024 columns format sheets to the last of them."""

_ZEROS = re.compile("00+")
_REMARKS = ("note", "remark", "comment", "source", "origin", "备注", "来源", "说明", "注")
"""How headers of columns begin that nothing is computed from."""
_OF_UNITS = {"unit", "units", "capacity_unit", "currency", "单位", "币种"}
"""Words in headers of columns that tell what the numbers of their row are in."""
_PLACE = re.compile("([A-Z]*)([0-9]{1,15})")
DECIMAL = "decimal"
"""Key of the attrs of cells: the columns, from 0, whose points stand in numbers alone, which have none between thousands."""
_POINTED = re.compile(r"[0-9]\.[0-9]{3}")
_ELEMENTS_WITH_PLACE = (" c", " row")
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml"
"""Names in the other form of such workbooks, of which openpyxl finds no sheet."""
_EMPTY_TEXT = "str"
"""What openpyxl leaves of a formula that gives "": of a cell that was never computed nothing says that it is text."""


type CellsRead = Callable[[pd.DataFrame], NDArray[np.bool_]]
"""Which cells of a sheet are read, by all that it holds."""


class FirstSheet(NamedTuple):
    """The sheet of a workbook that is read as a table.

    Parameters
    ----------
    cells
        Text, header and all, shape (rows, columns).
    numbers
        Row and column, from 0, of those that hold a number, but where a format of zeros shows it with those that it begins with.
    name
        Of the sheet.
    others
        First rows of the other sheets that are not hidden, by their names: nothing else is read of them.
    doubts
        Warnings of numbers that may be of another size.
    """

    cells: pd.DataFrame
    numbers: list[tuple[int, int]]
    name: str
    others: dict[str, tuple[str, ...]]
    doubts: list[Problem]


def first_sheet(path: Path, columns: Collection[str] | None = None, unit: str = "") -> FirstSheet:
    """Return the first sheet of a workbook that is not hidden.

    Formulas count by their stored values, of which an empty text is a blank. A whole number whose format is all zeros keeps the leading
    zeros that the sheet shows (101 in the format 0000 is "0101"), a percentage its sign (0.4 in the format 0% is "40%");
    any other number is the shortest text that is the same number. A code that is stored so may have lost its zeros.

    Parameters
    ----------
    path
        The workbook.
    columns
        Those that are read of it, so that others, and what they show, count for nothing; all of them if None.
    unit
        That its numbers are in, where something else than the sheet says so.

    Raises
    ------
    InputError
        If openpyxl is not installed, it is no workbook, is no archive that a spreadsheet program writes, has a formula without a
        stored value or one to be computed anew, digits that are raised, text that is struck out in part, rows or columns that are
        hidden, numbers whose format shows another number or none, or merged cells that hide what would be read as blank.
    """
    with _opened(path) as book:
        if not book.offered:
            raise InputError(
                "the workbook has no sheet of cells", path.name, "Save it again as XLSX or CSV."
            )
        name = book.offered[0]
        sheet = _read_sheet(book, name, path.name, table=True, columns=columns, unit=unit)
        others = {other: _first_row(book.sheets[other][0]) for other in book.shown if other != name}
    return FirstSheet(sheet.cells, sheet.numbers, name, others, sheet.doubts)


def workbook_sheets(
    path: Path, leave_out: Collection[str] = (), doubts: list[Problem] | None = None
) -> dict[str, pd.DataFrame]:
    """Return the cells of the sheets of a workbook by their names, as :func:`first_sheet`; a hidden one that has rows is refused.

    Parameters
    ----------
    path
        The workbook.
    leave_out
        Names of sheets that are not read.
    doubts
        Warnings of numbers that may be of another size are appended.

    Raises
    ------
    InputError
        As :func:`first_sheet`.
    """
    doubts = [] if doubts is None else doubts
    found = {}
    with _opened(path) as book:
        wanted = [name for name in book.sheets if name not in leave_out]
        for name in [name for name in wanted if name in book.offered]:
            sheet = _read_sheet(book, name, f"{path.name}, sheet {name}", table=True)
            found[name] = sheet.cells
            doubts += sheet.doubts
        for name in [name for name in wanted if name not in book.offered]:
            _require_empty(book, name, f"{path.name}, sheet {name}")
    return found


def sheets_named(
    path: Path,
    name: re.Pattern[str],
    doubts: list[Problem] | None = None,
    read: CellsRead | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the cells of the sheets in whose names a pattern is found, as :func:`workbook_sheets`; the first sheet that is not hidden if there are none.

    These are forms, not tables: of merged cells the first one counts, and what is hidden counts wherever it stands.

    Parameters
    ----------
    path
        The workbook.
    name
        What is looked for in the names.
    doubts
        Warnings of numbers that may be of another size are appended.
    read
        Tells by the cells of a sheet which of them are read, as truths of their shape, so that what others show counts for nothing; all of them if None.

    Raises
    ------
    InputError
        As :func:`first_sheet`.
    """
    doubts = [] if doubts is None else doubts
    found = {}
    with _opened(path) as book:
        for title in [each for each in book.offered if name.search(each)] or book.offered[:1]:
            where = f"{path.name}, sheet {title}"
            sheet = _read_sheet(book, title, where, table=False, cells_read=read)
            found[title] = sheet.cells
            doubts += sheet.doubts
    return found


class _Book(NamedTuple):
    """An open workbook: its sheets by their names, each with stored values and with formulas, and the names of those that are not hidden."""

    archive: zipfile.ZipFile
    sheets: dict[str, tuple[Any, Any]]
    shown: list[str]

    @property
    def offered(self) -> list[str]:
        """Return the names of the sheets among which one is chosen: those that are not hidden, all if there are none."""
        return self.shown or list(self.sheets)


class _Sheet(NamedTuple):
    """What is read of a sheet, as in :class:`FirstSheet`."""

    cells: pd.DataFrame
    numbers: list[tuple[int, int]]
    doubts: list[Problem]


@contextmanager
def _opened(path: Path) -> Iterator[_Book]:
    """Open a workbook; whatever the parsers raise while it is open becomes an InputError."""
    require_extra(
        "inventory",
        "openpyxl",
        purpose="an XLSX workbook",
        where=path.name,
        or_else="Or save the table as CSV.",
    )
    import openpyxl

    data = read_bytes(path)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive, warnings.catch_warnings():
            check_zip_limits(archive, path.name)
            warnings.simplefilter("ignore")
            with (
                closing(openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)) as stored,
                closing(openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=False)) as written,
            ):  # fmt: skip
                pairs = zip(stored.worksheets, written.worksheets, strict=True)
                sheets = {str(pair[0].title): pair for pair in pairs}
                if not sheets:
                    _require_not_strict(archive, path.name)
                shown = [name for name, (sheet, _) in sheets.items() if sheet.sheet_state == "visible"]  # fmt: skip
                yield _Book(archive, sheets, shown)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        # A damaged workbook makes the parsers beneath raise nearly anything: zlib, XML, KeyError, TypeError.
        what = f"this is no XLSX workbook: {error or type(error).__name__}"
        raise InputError(what, path.name, "Save it again as XLSX or CSV.") from None


def _require_not_strict(archive: zipfile.ZipFile, where: str) -> None:
    parts = [archive.read(part) for part in archive.namelist() if part.endswith("workbook.xml")]
    if _STRICT in b"".join(parts):
        what = "the workbook is a Strict Open XML Spreadsheet, which is not read"
        hint = "Save it as Excel Workbook (*.xlsx), not as Strict, or as CSV."
        raise InputError(what, where, hint)


def _read_sheet(
    book: _Book,
    name: str,
    where: str,
    *,
    table: bool,
    columns: Collection[str] | None = None,
    unit: str = "",
    cells_read: CellsRead | None = None,
) -> _Sheet:
    """Return what a sheet holds; of a ``table`` merged cells are refused, and columns of remarks, without a header and beside those that are read may be hidden."""
    stored, written = book.sheets[name]
    merged, unseen = _marked(book.archive, stored._worksheet_path, where)
    cells, numbers, odd, unsaved = _sheet(stored, written, where)
    if cells.empty:
        return _Sheet(cells, numbers, [])
    counts = _columns_that_count(cells) if table else np.ones(cells.shape[1], dtype=bool)
    read = counts & _that_are_read(cells, columns)
    _require_stored(unsaved, read, where)
    _require_seen(cells, read, unseen, where)
    each_read = np.broadcast_to(read, cells.shape) if cells_read is None else cells_read(cells)
    struck = _struck_styles(stored.parent)
    doubts = [*marks_problems(book.archive, stored._worksheet_path, struck, each_read, where)]
    odd = [each for each in odd if each_read[each.row, each.column]]
    _require_shown(odd, where)
    doubts += _doubts_of_size(odd, cells, unit, where, table=table)
    if table:
        _require_apart(cells, merged, counts, where)
    return _Sheet(cells, numbers, doubts)


def _require_empty(book: _Book, name: str, where: str) -> None:
    """Raise InputError if a hidden sheet holds anything."""
    stored, written = book.sheets[name]
    _marked(book.archive, stored._worksheet_path, where)
    if not _sheet(stored, written, where)[0].empty:
        raise InputError(
            "the sheet is hidden, and its rows would count unseen",
            where,
            "Show it, or delete it.",
        )


def _sheet(
    stored: Any, written: Any, where: str
) -> tuple[pd.DataFrame, list[tuple[int, int]], list[_Odd], list[tuple[int, int, Any]]]:
    """Return the cells, the places of bare numbers, the numbers that are not shown plainly as they are, and places and formulas that have no stored value."""
    stored.reset_dimensions()
    written.reset_dimensions()
    rows: list[list[str]] = []
    numbers: list[tuple[int, int]] = []
    odd: list[_Odd] = []
    in_text: set[int] = set()
    unsaved: list[tuple[int, int, Any]] = []
    width = 0
    pairs = zip(stored.iter_rows(), written.iter_rows(), strict=True)
    for number, (values, formulas) in enumerate(pairs, start=1):
        width = max(width, len(values))
        _require_holdable(number, width, where)
        rows.append([_cell_text(cell) for cell in values])
        numbers += [(number - 1, k) for k, cell in enumerate(values) if _is_bare_number(cell)]
        in_text |= {k for k, cell in enumerate(values) if isinstance(cell.value, str) and _POINTED.search(cell.value)}  # fmt: skip
        odd += [
            _Odd(number - 1, k, f"{cell.value!r}", repr(cell.number_format), shown)
            for k, cell in enumerate(values)
            if _is_number(cell)
            and cell.value
            and (shown := how_shown(cell.value, cell.number_format or ""))
        ]
        unsaved += [
            (number - 1, k, formula.value)
            for k, (cell, formula) in enumerate(zip(values, formulas, strict=True))
            if cell.value is None and formula.value is not None and cell.data_type != _EMPTY_TEXT
        ]
    cells = pd.DataFrame([row + [""] * (width - len(row)) for row in rows], dtype=str)
    # pandas copies attrs with every column it hands out: of a sheet formatted to its last column only what is filled.
    filled = np.flatnonzero((cells.to_numpy() != "").any(axis=0))
    cells.attrs[DECIMAL] = tuple(k for k in filled.tolist() if k not in in_text)
    return cells, numbers, odd, unsaved


def _struck_styles(workbook: Any) -> set[str]:
    """Return the numbers of the styles in which a workbook strikes out what cells hold."""
    fonts = workbook._fonts
    return {str(k) for k, style in enumerate(workbook._cell_styles) if fonts[style.fontId].strike}


def _first_row(stored: Any) -> tuple[str, ...]:
    stored.reset_dimensions()
    texts = [
        _cell_text(cell) for cell in next(stored.iter_rows(max_row=1, max_col=MAX_COLUMNS), ())
    ]
    while texts and not texts[-1]:
        texts.pop()  # max_col fills the row up
    return tuple(texts)


def _marked(
    archive: zipfile.ZipFile, part: str, where: str
) -> tuple[list[tuple[slice, slice, str]], _Unseen]:
    """Return rows, columns and name of merged cells, and what is hidden, and raise InputError at the first cell that stands too far out, before a row of the sheet is held.

    openpyxl would make a million empty rows on its way to the last cell that a sheet can have (8 s measured).
    """
    rows = columns = 0
    merged: list[tuple[slice, slice, str]] = []
    unseen = _Unseen([], [])

    def look(element: str, attributes: dict[str, str]) -> None:
        nonlocal rows, columns
        if element.endswith(" mergeCell"):
            name = attributes.get("ref", "")
            first, last = (_PLACE.fullmatch(end) for end in (name.partition(":")[::2]))
            if first and last:
                down = slice(int(first[2]) - 1, int(last[2]))
                merged.append((down, slice(column_number(first[1]) - 1, column_number(last[1])), name))  # fmt: skip
            return
        is_hidden = attributes.get("hidden") in ("1", "true")
        if element.endswith(" col") and is_hidden:
            unseen.columns.append(slice(int(attributes["min"]) - 1, int(attributes["max"])))
            return
        if not element.endswith(_ELEMENTS_WITH_PLACE):
            return
        place = _PLACE.fullmatch(attributes.get("r", ""))
        if place is None:
            return
        rows = max(rows, int(place[2]))
        if is_hidden:
            unseen.rows.append(int(place[2]))
        if place[1]:
            columns = max(columns, column_number(place[1]))
        _require_holdable(rows, columns, where)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = look
    with archive.open(part) as stream:
        parser.ParseFile(stream)
    return merged, unseen


class _Odd(NamedTuple):
    """A number that is not shown plainly as it is: row and column, from 0, what it is, its format and how that shows it."""

    row: int
    column: int
    number: str
    number_format: str
    shown: Shown

    @property
    def name(self) -> str:
        """Return the name of its cell."""
        return f"{column_letters(self.column)}{self.row + 1}"


class _Unseen(NamedTuple):
    """Rows of a sheet, as it numbers them, and columns, from 0, that are hidden."""

    rows: list[int]
    columns: list[slice]


def _columns_that_count(cells: pd.DataFrame) -> np.ndarray:
    """Return which columns of a table have a header, and none that is of remarks."""
    heads = [text.lower().split()[:1] for text in cells.iloc[0]]
    return np.array([bool(head) and not head[0].startswith(_REMARKS) for head in heads], dtype=bool)


def _that_are_read(cells: pd.DataFrame, columns: Collection[str] | None) -> np.ndarray:
    """Return which columns are read, or look like one that is missing and may have been meant; all where nothing says which are read."""
    names = list(cells.iloc[0])
    missing = [] if columns is None else [name for name in columns if name not in names]
    read = [columns is None or name in columns or nearest(name, missing) is not None for name in names]  # fmt: skip
    return np.array(read, dtype=bool)


def _require_stored(
    unsaved: Collection[tuple[int, int, Any]], counts: np.ndarray, where: str
) -> None:
    """Raise InputError for formulas without a stored value in columns that count, or in the first row, which tells which these are."""
    problems = [
        Problem(
            f"the formula {formula} has no stored value",
            f"{where}, row {row + 1}",
            "Open the workbook in a spreadsheet program and save it.",
        )
        for row, column, formula in unsaved
        if row == 0 or counts[column]
    ]
    if problems:
        raise InputError(problems)


def _require_seen(cells: pd.DataFrame, counts: np.ndarray, unseen: _Unseen, where: str) -> None:
    """Raise InputError for hidden rows and columns that hold something, as filters and groups leave them: they would count with nobody seeing them."""
    filled = (cells != "").to_numpy()
    in_column = filled[1:].any(axis=0) & counts
    rows = [str(row) for row in unseen.rows if filled[row - 1 : row].any()]
    columns = [
        f"{column_letters(column)} ({cells.iloc[:, column][filled[:, column]].iloc[0]})"
        for hidden in unseen.columns
        for column in range(*hidden.indices(len(counts)))
        if in_column[column]
    ]
    problems = [
        Problem(
            f"{kind} {found[0]}{f' and {len(found) - 1} more {kind}s are' if len(found) > 1 else ' is'} hidden, {how}, and would count unseen",
            where,
            f"{hint}, or delete those that are not to count.",
        )
        for kind, found, how, hint in (
            ("row", rows, "as by a filter", "Take off the filter, show the rows"),
            ("column", columns, "as in a group that is closed", "Show the columns"),
        )
        if found
    ]
    if problems:
        raise InputError(problems)


def _require_shown(odd: Collection[_Odd], where: str) -> None:
    """Raise InputError for numbers that are shown as others: the column's unit may be that of what the sheet shows or of what it holds, and nobody can tell; and for those that are not shown at all."""
    problems = []
    if found := [each for each in odd if each.shown.another]:
        more = f"; {len(found) - 1} more cells do" if len(found) > 1 else ""
        what = f"cell {found[0].name} shows another number than it holds, {found[0].number} in the number format {found[0].number_format}, which would be read{more}"
        hint = "Write the numbers in the unit that the table tells, and give the cells a format that shows them whole, such as General."
        problems.append(Problem(what, where, hint))
    if found := [each for each in odd if each.shown.unseen]:
        more = f"; {len(found) - 1} more cells do" if len(found) > 1 else ""
        what = f"cell {found[0].name} shows nothing of the number that it holds, {found[0].number} in the number format {found[0].number_format}, which would count unseen{more}"
        hint = "Give the cells a format that shows their numbers, such as General, or delete those that are not to count."
        problems.append(Problem(what, where, hint))
    if problems:
        raise InputError(problems)


def _doubts_of_size(
    odd: Collection[_Odd], cells: pd.DataFrame, unit: str, where: str, *, table: bool
) -> list[Problem]:
    """Return a warning of numbers with a word such as 万 behind them that nothing else says: neither the header (all texts of its column, in a form), nor a unit in the row, nor the ``unit`` of all."""
    odd = [each for each in odd if each.shown.word]
    if not odd:
        return []
    heads = [str(head) for head in cells.iloc[0]]
    units = [cells.iloc[:, k].tolist() for k, head in enumerate(heads) if _OF_UNITS & {*head.lower().split()}]  # fmt: skip
    told = {text: powers_told([text]) for text in {unit, *(text for texts in units for text in texts)}}  # fmt: skip
    of_column: dict[int, set[int]] = {}
    found = []
    for each in odd:
        if each.column not in of_column:
            own = heads[each.column : each.column + 1] if table else cells.iloc[:, each.column].tolist()  # fmt: skip
            of_column[each.column] = powers_told(own)
        others = [unit, *(texts[each.row] for texts in units)]
        if each.shown.power not in of_column[each.column].union(*(told[text] for text in others)):
            found.append(each)
    if not found:
        return []
    first = found[0]
    what = f"numbers are read as their cells hold them, {len(found)} in all, the first {first.number} in {first.name}, which the number format {first.number_format} shows with {first.shown.word!r}: neither the header nor a unit says so"
    hint = "Say in the unit what the numbers are in, or take the word out of the format."
    return [Problem(what, where, hint, "warning")]


def _require_apart(
    cells: pd.DataFrame,
    merged: Collection[tuple[slice, slice, str]],
    counts: np.ndarray,
    where: str,
) -> None:
    """Raise InputError for merged cells of a table, of which openpyxl reads all but the first as blank: where blank has a meaning, as the whole city has, what the sheet shows would not be what is read.

    Those of its first row, of headings and footnotes (a row with nothing else), of columns without a header and of remarks count for nothing.
    """
    filled = (cells != "").to_numpy()
    in_row = filled.sum(axis=1)
    found = []
    for rows, columns, name in merged:
        if not filled[rows.start : rows.start + 1, columns.start : columns.start + 1].any():
            continue  # blank in what the sheet shows, too
        blanked = (rows.stop - max(rows.start, 1)) * int(counts[columns].sum())
        blanked -= int(rows.start > 0 and bool(counts[columns.start : columns.start + 1].any()))
        if blanked > 0 and in_row[rows].sum() > 1:
            found.append(name)
    if found:
        more = f" and {len(found) - 1} more ranges" if len(found) > 1 else ""
        raise InputError(
            f"{found[0]}{more} are merged cells, of which all but the first would be read as blank",
            where,
            "Unmerge them in a spreadsheet program, and fill in each cell.",
        )


def _require_holdable(rows: int, columns: int, where: str) -> None:
    """Raise InputError if one cell far out makes a small file a table that nobody can hold."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise InputError(
            f"the sheet reaches to row {rows:,} and column {columns:,}, too far for a table",
            where,
            "Delete what stands far below or beside the table, or save it as CSV.",
        )


def _is_number(cell: Any) -> bool:
    return isinstance(cell.value, int | float) and not isinstance(cell.value, bool)


def _is_bare_number(cell: Any) -> bool:
    """Whether a number may be a code that lost its zeros: it has no format of zeros, or one that is too short to show any."""
    if not _is_number(cell):
        return False
    shown = cell.number_format or ""
    return not (
        _ZEROS.fullmatch(shown)
        and float(cell.value).is_integer()
        and len(str(int(abs(cell.value)))) <= len(shown)
    )


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and is_percentage(cell.number_format or ""):
        return f"{Decimal(repr(value)).scaleb(2):f}%"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        shown = cell.number_format or ""
        return str(value).zfill(len(shown)) if _ZEROS.fullmatch(shown) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()
