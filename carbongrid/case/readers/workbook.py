"""Reads the sheets of an XLSX workbook as text: alone knows openpyxl among the readers."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Collection
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pandas as pd

from carbongrid.case.readers.security import check_zip_limits
from carbongrid.errors import InputError, Problem, require_extra
from carbongrid.raster.opening.files import read_bytes

MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 2**20, 1_024, 20_000_000
"""Of a sheet, the cells counted as they will be held: a rectangle, however few of them hold something. Spreadsheet programs that know
1,024 columns format sheets to the last of them."""

_ZEROS = re.compile("0+")
_PLACE = re.compile("([A-Z]*)([0-9]{1,15})")
_ELEMENTS_WITH_PLACE = (" c", " row")


def workbook_numbers(path: Path) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """Return the cells of a workbook's first sheet as text, and which of them hold a number without a format of zeros.

    Formulas count by their stored values. A whole number whose format is all zeros keeps the leading
    zeros that the sheet shows (101 in the format 0000 is "0101"); any other number is the shortest
    text that is the same number. A code that is stored so may have lost its zeros.

    Returns
    -------
    cells : DataFrame
        Header and all, shape (rows, columns).
    numbers : list of (row, column)
        From 0.

    Raises
    ------
    InputError
        If openpyxl is not installed, it is no workbook, is no archive that a spreadsheet program writes, or has a formula without a
        stored value.
    """
    first = list(_sheets(path, lambda names: names[:1], lambda _: path.name).values())
    if not first:
        raise InputError(
            "the workbook has no sheet of cells", path.name, "Save it again as XLSX or CSV."
        )
    return first[0]


def workbook_sheets(path: Path, leave_out: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Return the cells of the sheets of a workbook by their names, as :func:`workbook_numbers`.

    Parameters
    ----------
    path
        The workbook.
    leave_out
        Names of sheets that are not read.

    Raises
    ------
    InputError
        As :func:`workbook_numbers`.
    """
    return _cells(path, lambda names: [name for name in names if name not in leave_out])


def sheets_named(path: Path, name: re.Pattern[str]) -> dict[str, pd.DataFrame]:
    """Return the cells of the sheets in whose names a pattern is found, as :func:`workbook_sheets`; the first sheet if there are none.

    Parameters
    ----------
    path
        The workbook.
    name
        What is looked for in the names.

    Raises
    ------
    InputError
        As :func:`workbook_numbers`.
    """
    return _cells(path, lambda names: [each for each in names if name.search(each)] or names[:1])


def _cells(path: Path, wanted: Callable[[list[str]], list[str]]) -> dict[str, pd.DataFrame]:
    sheets = _sheets(path, wanted, lambda name: f"{path.name}, sheet {name}")
    return {name: cells for name, (cells, _) in sheets.items()}


def _sheets(
    path: Path, wanted: Callable[[list[str]], list[str]], where: Callable[[str], str]
) -> dict[str, tuple[pd.DataFrame, list[tuple[int, int]]]]:
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
            stored = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
            written = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=False)
            try:
                pairs = dict(zip(stored.worksheets, written.worksheets, strict=True))
                titles: dict[str, Any] = {str(sheet.title): sheet for sheet in pairs}
                names = wanted(list(titles))
                for name in names:
                    _require_near(archive, titles[name]._worksheet_path, where(name))
                return {
                    name: _sheet(titles[name], pairs[titles[name]], where(name)) for name in names
                }
            finally:
                stored.close()
                written.close()
    except (InputError, MemoryError):
        raise
    except Exception as error:
        # A damaged workbook makes the parsers beneath raise nearly anything: zlib, XML, KeyError, TypeError.
        what = f"this is no XLSX workbook: {error or type(error).__name__}"
        raise InputError(what, path.name, "Save it again as XLSX or CSV.") from None


def _sheet(stored: Any, written: Any, where: str) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    stored.reset_dimensions()
    written.reset_dimensions()
    rows: list[list[str]] = []
    numbers: list[tuple[int, int]] = []
    problems = []
    width = 0
    pairs = zip(stored.iter_rows(), written.iter_rows(), strict=True)
    for number, (values, formulas) in enumerate(pairs, start=1):
        width = max(width, len(values))
        _require_holdable(number, width, where)
        rows.append([_cell_text(cell) for cell in values])
        numbers += [(number - 1, k) for k, cell in enumerate(values) if _is_bare_number(cell)]
        problems += [
            Problem(
                f"the formula {formula.value} has no stored value",
                f"{where}, row {number}",
                "Open the workbook in a spreadsheet program and save it.",
            )
            for cell, formula in zip(values, formulas, strict=True)
            if cell.value is None and formula.value is not None
        ]
    if problems:
        raise InputError(problems)
    return pd.DataFrame([row + [""] * (width - len(row)) for row in rows], dtype=str), numbers


def _require_near(archive: zipfile.ZipFile, part: str, where: str) -> None:
    """Raise InputError at the first cell that stands too far out, before a row of the sheet is held.

    openpyxl would make a million empty rows on its way to the last cell that a sheet can have (8 s measured).
    """
    rows = columns = 0

    def look(element: str, attributes: dict[str, str]) -> None:
        nonlocal rows, columns
        if not element.endswith(_ELEMENTS_WITH_PLACE):
            return
        place = _PLACE.fullmatch(attributes.get("r", ""))
        if place is None:
            return
        rows = max(rows, int(place[2]))
        if place[1]:
            columns = max(columns, _column_number(place[1]))
        _require_holdable(rows, columns, where)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = look
    with archive.open(part) as stream:
        parser.ParseFile(stream)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _require_holdable(rows: int, columns: int, where: str) -> None:
    """Raise InputError if one cell far out makes a small file a table that nobody can hold."""
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise InputError(
            f"the sheet reaches to row {rows:,} and column {columns:,}, too far for a table",
            where,
            "Delete what stands far below or beside the table, or save it as CSV.",
        )


def _is_bare_number(cell: Any) -> bool:
    return (
        isinstance(cell.value, int | float)
        and not isinstance(cell.value, bool)
        and not _ZEROS.fullmatch(cell.number_format or "")
    )


def _cell_text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        shown = cell.number_format or ""
        return str(value).zfill(len(shown)) if _ZEROS.fullmatch(shown) else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()
