"""Content as CSV and back, to the bit; cells that a spreadsheet would run are quoted."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
import pandas as pd

from carbongrid.errors import VerificationError
from carbongrid.method.columns import Kind
from carbongrid.method.tonnes import exact_tonnes
from carbongrid.outputs.tables.content import (
    EVIDENCE,
    FACILITIES,
    INVENTORY,
    LAND_TYPES,
    LEDGER,
    Table,
    titles,
    typed,
    unit_kinds,
)
from carbongrid.raster.opening.files import open_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets take for the start of a formula; the wide forms count in Chinese and Japanese ones."""


_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|inf)")
"""A removal is a number below 0; a spreadsheet reads it as a number, not as a formula. Minus infinity is a name to it, which runs nothing."""


def quoted(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; :func:`unquoted` takes it off again."""
    return f"'{text}" if text.lstrip("'").startswith(_DANGEROUS) else text


def unquoted(text: str) -> str:
    """Return the text that was quoted; any other is returned as it is."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_DANGEROUS) else text


class _Lines:
    """Ends each line of a CSV writer with a line feed alone.

    Before Python 3.13 a carriage return in a name is put in quotes only where lines end with one: else the row was two to every reader.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(f"{line.removesuffix('\r\n')}\n")


def write_csv(table: Table, path: Path, *, mark: bool = False) -> None:
    """Write content as CSV: UTF-8, mass in tonnes with six decimals, floats to the last bit.

    Parameters
    ----------
    table
        A table of content.
    path
        The file.
    mark
        Begin with a byte order mark, by which Excel knows UTF-8.
    """
    cells = [_cells(table.frame[name], kind) for name, kind in table.kinds.items()]
    with path.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as stream:
        writer = csv.writer(_Lines(stream), lineterminator="\r\n")
        writer.writerow([quoted(name) for name in titles(table.kinds)])
        writer.writerows(zip(*cells, strict=True))


def write_text_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table of texts as CSV in UTF-8; cells that a spreadsheet would run are quoted, numbers are not."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(_Lines(stream), lineterminator="\r\n")
        writer.writerow([quoted(str(name)) for name in table.columns])
        rows = ([str(cell) for cell in row] for row in table.itertuples(index=False))
        writer.writerows([c if _NUMBER.fullmatch(c) else quoted(c) for c in row] for row in rows)


def read_text_csv(path: Path) -> pd.DataFrame:
    """Read what :func:`write_text_csv` wrote; raises as :func:`read_units_csv`."""
    header, rows = _rows(path)
    return pd.DataFrame(
        [[unquoted(cell) for cell in row] for row in rows], columns=header, dtype=str
    )


def plain_cells[Cells: (pd.Series[Any], pd.DataFrame)](values: Cells) -> Cells:
    """Return a column or a table with Python's own objects in its cells, None where nothing is known."""
    return values.astype(object).where(values.notna(), None)


_OF_WHAT = ("category", "unit", "name")
"""Columns of tables of intervals that hold texts; all others hold tonnes."""


def write_interval_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table of intervals as CSV: tonnes to the gram, blank where an end is unknown."""
    rounded = table.round(6)
    write_text_csv(rounded.astype(object).where(rounded.notna(), ""), path)


def read_interval_csv(path: Path) -> pd.DataFrame:
    """Read what :func:`write_interval_csv` wrote, tonnes as float64, NaN where blank; raises as :func:`read_units_csv`."""
    table = read_text_csv(path)
    # Before ends were left blank, an unknown one was written as nan.
    numbers = {name: table[name].replace("", "nan").astype(float) for name in table if name not in _OF_WHAT}  # fmt: skip
    return table.assign(**{str(name): column for name, column in numbers.items()})


def _cells(column: pd.Series[Any], kind: Kind) -> list[str]:
    values, missing = column.tolist(), column.isna().tolist()
    if kind == "text":
        return [quoted(value) for value in values]
    if kind == "flag":
        return ["true" if value else "false" for value in values]
    write: Callable[[Any], str] = {
        "mass": exact_tonnes,
        "number": lambda value: repr(float(value)),
    }.get(kind, lambda value: str(int(value)))
    return ["" if no else write(value) for value, no in zip(values, missing, strict=True)]


def read_units_csv(path: Path, wanted: Collection[str] | None = None) -> Table:
    """Read units.csv: its content but geometry, all columns or those that are wanted.

    Raises
    ------
    VerificationError
        If the file is not one that :func:`write_csv` made.
    """
    header, rows = _rows(path)
    try:
        first, last = header.index("emission_t"), header.index("residents")
    except ValueError as error:
        raise VerificationError(f"{path.name}: a column is missing: {error}") from error
    masses = [name.removesuffix("_t") + "_g" for name in header[first:last]]
    kinds = unit_kinds(header[3:first], masses, drawn="firm" in header)
    return _content(header, rows, kinds, path, wanted)


def read_inventory_csv(path: Path) -> Table:
    """Read inventory.csv; raises as :func:`read_units_csv`."""
    return _content(*_rows(path), INVENTORY, path)


def read_ledger_csv(path: Path) -> Table:
    """Read ledger.csv; raises as :func:`read_units_csv`."""
    return _content(*_rows(path), LEDGER, path)


def read_evidence_csv(path: Path) -> Table:
    """Read evidence.csv; raises as :func:`read_units_csv`."""
    return _content(*_rows(path), EVIDENCE, path)


def read_land_types_csv(path: Path) -> Table:
    """Read land_types.csv; raises as :func:`read_units_csv`."""
    return _content(*_rows(path), LAND_TYPES, path)


def read_facilities_csv(path: Path) -> Table:
    """Read facilities.csv; raises as :func:`read_units_csv`."""
    return _content(*_rows(path), FACILITIES, path)


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with open_text(path, "utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise VerificationError(f"{path.name} is not readable as CSV in UTF-8: {error}") from error
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise VerificationError(f"{path.name} is empty, or its rows differ in length")
    return [unquoted(name) for name in rows[0]], rows[1:]


def _content(
    header: list[str],
    rows: list[list[str]],
    kinds: Mapping[str, Kind],
    path: Path,
    wanted: Collection[str] | None = None,
) -> Table:
    expected = titles(kinds)
    if header != expected:
        raise VerificationError(f"{path.name} has the columns {header}, expected {expected}")
    columns = {}
    for position, (name, kind) in enumerate(kinds.items()):
        if wanted is not None and name not in wanted:
            continue
        cells = [row[position] for row in rows]
        try:
            columns[name] = _parsed(cells, kind)
        except (ValueError, KeyError) as error:
            raise VerificationError(f"{path.name}, column {header[position]}: {error}") from error
    return typed(columns, {name: kinds[name] for name in columns})


def _parsed(cells: Sequence[str], kind: Kind) -> pd.Series[Any]:
    if kind == "text":
        return pd.Series([unquoted(cell) for cell in cells], dtype="str")
    if kind == "flag":
        return pd.Series([{"true": True, "false": False}[cell] for cell in cells], dtype=bool)
    if kind == "number":
        return pd.Series([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    read = _grams if kind == "mass" else int
    return pd.Series([read(cell) if cell else pd.NA for cell in cells], dtype="Int64")


def _grams(text: str) -> int:
    whole, point, decimals = text.partition(".")
    if not point or len(decimals) != 6:
        raise ValueError(f"{text!r} is not in tonnes with six decimals")
    return int(whole + decimals)
