"""What an XLSX workbook says of its cells beside what they hold: to be computed anew, raised, struck out."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from typing import NamedTuple
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem

_WORKBOOK = re.compile(r"(.*/)?workbook\d*\.xml", re.IGNORECASE)
_CONTENTS, _TEXTS = "[Content_Types].xml", "spreadsheetml.sharedStrings+xml"
"""What lists the parts, and how it calls that of the texts that cells share, whatever its name is."""
_PLACE = re.compile("([A-Z]+)[0-9]+")
_OF_PARTS = (b"vertAlign", b"strike")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_RAISED = ("superscript", "subscript")
_OFF = ("0", "false")
_NUMBER_OR_CODE = re.compile(r"[!-~]+|[0-9.,'%+\-−eE\s]+")
"""Of other text the digits count for nothing, or stand in a unit (10⁴ t), of which its reader knows more."""


class CellMark(NamedTuple):
    """What is said of a cell.

    Parameters
    ----------
    row, column
        From 0.
    name
        Of the cell, such as B2.
    text
        That it holds.
    computed
        Whether it is a formula.
    struck
        Whether all of it is struck out.
    part
        What is wrong with a part of its text.
    """

    row: int
    column: int
    name: str
    text: str
    computed: bool
    struck: bool
    part: str


def marks_problems(
    archive: zipfile.ZipFile,
    sheet: str,
    struck_styles: Collection[str],
    read: NDArray[np.bool_],
    where: str,
) -> list[Problem]:
    """Return a warning of cells that are struck out.

    Parameters
    ----------
    archive
        The workbook.
    sheet
        The part of it that is the sheet.
    struck_styles
        Numbers of the styles of cells that strike out what they hold.
    read
        Whether each cell is read, shape (rows, columns).
    where
        The sheet's name in messages.

    Raises
    ------
    InputError
        If digits of a number or code are raised, as a footnote's mark, or a part of a text is struck out, which would be read as
        the rest is; or a formula's value is to be computed when the workbook is opened. Programs that compute nothing say so,
        XlsxWriter's zeros among them, and those that changed what a formula depends on: which values are right nobody can tell.
    """
    found = [
        mark
        for mark in _marks(archive, sheet, struck_styles)
        if read[mark.row : mark.row + 1, mark.column : mark.column + 1].any()
    ]
    problems = []
    if parts := [mark for mark in found if mark.part]:
        what = (
            f"cell {parts[0].name} holds {parts[0].text!r}, of which {parts[0].part}{_more(parts)}"
        )
        hint = (
            "Delete what is not part of the number or text, or write it into a column of remarks."
        )
        problems.append(Problem(what, where, hint))
    if formulas := [mark for mark in found if mark.computed]:
        what = f"cell {formulas[0].name} is a formula, and the workbook says that its formulas are to be computed when it is opened (fullCalcOnLoad): {formulas[0].text or 'nothing'}, which is stored, need not be its value{_more(formulas)}"
        hint = "Open the workbook in a spreadsheet program, compute it (Ctrl+Alt+F9, in LibreOffice Ctrl+Shift+F9) and save it; or write values in place of formulas."
        problems.append(Problem(what, where, hint))
    if problems:
        raise InputError(problems)
    if not (struck := [mark for mark in found if mark.struck]):
        return []
    what = f"cells are struck out and read as others are, {len(struck):,} in all, the first {struck[0].name} ({struck[0].text})"
    return [Problem(what, where, "Delete those that are not to count, or take the line off the others.", "warning")]  # fmt: skip


def _more(marks: Collection[CellMark]) -> str:
    return f"; {len(marks) - 1} more cells do" if len(marks) > 1 else ""


def _marks(archive: zipfile.ZipFile, sheet: str, struck_styles: Collection[str]) -> list[CellMark]:
    """Return the cells of which something is said; of most workbooks there is nothing, and no cell is looked at."""
    shared = _shared_texts(archive)
    cells = archive.read(sheet)
    computed = bool(_FORMULA.search(cells)) and any(map(_computed_when_opened, _workbooks(archive)))  # fmt: skip
    partly = any(mark in part for part in (shared, cells) for mark in _OF_PARTS)
    if not (computed or partly or struck_styles):
        return []
    reader = _Reader(struck_styles, computed=computed)
    for part in (shared, cells):
        if part:
            reader.read(part)
    return reader.found


def _shared_texts(archive: zipfile.ZipFile) -> bytes:
    parts = _attributes_of("Override", archive.read(_CONTENTS))
    names = (part["PartName"] for part in parts if part["ContentType"].endswith(_TEXTS))
    name = next(names, "").removeprefix("/")
    return archive.read(name) if name else b""


def _workbooks(archive: zipfile.ZipFile) -> list[bytes]:
    return [archive.read(part) for part in archive.namelist() if _WORKBOOK.fullmatch(part)]


def _computed_when_opened(workbook: bytes) -> bool:
    told = _attributes_of("calcPr", workbook)
    return any(each.get("fullCalcOnLoad", "0") not in _OFF for each in told)


def _attributes_of(name: str, part: bytes) -> list[dict[str, str]]:
    """Return what the elements of a name say in a part."""
    found = []

    def look(element: str, attributes: dict[str, str]) -> None:
        if element.rpartition(" ")[2] == name:
            found.append(attributes)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = look
    parser.Parse(part, True)
    return found


class _Run(NamedTuple):
    """Text of one form."""

    text: str
    raised: bool
    struck: bool


class _Reader:
    """Goes through the texts that cells share, then through the cells."""

    def __init__(self, struck_styles: Collection[str], *, computed: bool) -> None:
        self.found: list[CellMark] = []
        self._struck_styles, self._computed = struck_styles, computed
        self._shared: list[tuple[str, str]] = []
        self._runs: list[_Run] = []
        self._text: list[str] = []
        self._raised = self._struck = self._formula = self._phonetic = False
        self._row = self._column = 0
        self._cell: dict[str, str] = {}

    def read(self, part: bytes) -> None:
        """Take a part of the workbook."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: self._start(name.rpartition(" ")[2], attributes)  # fmt: skip
        parser.EndElementHandler = lambda name: self._end(name.rpartition(" ")[2])
        parser.CharacterDataHandler = self._text.append
        parser.Parse(part, True)

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if element == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif element == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = column_number(place[1]) if place else self._column + 1
            self._cell, self._formula = attributes, False
        elif element == "f":
            self._formula = True
        elif element == "vertAlign":
            self._raised = attributes.get("val") in _RAISED
        elif element == "strike":
            self._struck = attributes.get("val", "1") not in _OFF
        elif element in ("r", "rPh"):
            self._raised = self._struck = False
            self._phonetic = element == "rPh"
        if element in ("si", "c"):
            self._runs.clear()
            self._raised = self._struck = self._phonetic = False
        if element in ("t", "v"):
            self._text.clear()

    def _end(self, element: str) -> None:
        if element in ("t", "v") and not self._phonetic:
            self._runs.append(_Run("".join(self._text), self._raised, self._struck))
        elif element == "rPh":
            self._phonetic = False
        elif element == "si":
            self._shared.append((_text_of(self._runs), _wrong_part(self._runs)))
        elif element == "c":
            self._take()

    def _take(self) -> None:
        text, part = _text_of(self._runs), _wrong_part(self._runs)
        if self._cell.get("t") == "s":
            text, part = self._shared[int(text)] if text else ("", "")
        struck = bool(text) and self._cell.get("s", "0") in self._struck_styles
        computed = self._computed and self._formula
        if part or struck or computed:
            name = f"{column_letters(self._column - 1)}{self._row}"
            self.found.append(
                CellMark(self._row - 1, self._column - 1, name, text, computed, struck, part)
            )


def _text_of(runs: list[_Run]) -> str:
    return "".join(run.text for run in runs).strip()


def _wrong_part(runs: list[_Run]) -> str:
    """Return what is wrong with a part of a text that is read as one."""
    if not any(run.raised or run.struck for run in runs):
        return ""
    is_number = _NUMBER_OR_CODE.fullmatch(_text_of(runs))
    before = ""
    for run in runs:
        text = run.text.strip()
        if run.struck and text:
            return f"{text!r} is struck out and would be read"
        if run.raised and is_number and text[:1].isdigit() and before.isdigit():
            return f"{text!r} is raised or lowered, as a footnote's mark is, and would be read as digits like the others"
        before = text[-1:] if text and not run.raised else before
    return ""


def column_number(letters: str) -> int:
    """Return the place of a column, counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(column: int) -> str:
    """Return the name of a column, counted from 0."""
    letters = ""
    while column >= 0:
        letters = chr(ord("A") + column % 26) + letters
        column = column // 26 - 1
    return letters
