"""Reads a table as it is declared: columns, kinds of cells, cells that stand once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case.fields import nearest
from carbongrid.case.readers.masses import mass_cell
from carbongrid.case.readers.tables import (
    DOUBTS,
    NAMELESS,
    SHEETS,
    Faults,
    on_thousands,
    read_table,
    require_columns,
    rows_of,
)
from carbongrid.case.table_formats import PERSONS, Column, TableFormat
from carbongrid.errors import Problem, listed
from carbongrid.inventory.thousands import in_tonnes
from carbongrid.inventory.units_of_measure import of_percent

_OF_ONE = ("%", "1")
"""Units of shares and weights, none of which is in the thousands."""

Known = Mapping[str, Collection[str] | None]


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Parameters
    ----------
    number
        In the file, the header being row 1.
    cells
        Text by column, blank where the table lacks one.
    values
        What the cells hold, by column; None where that is nothing or wrong.
    right
        Whether no cell is wrong.
    """

    number: Any
    cells: dict[str, str]
    values: dict[str, Any]
    right: bool


def read_declared(
    path: Path,
    form: TableFormat,
    *,
    encoding: str | None = None,
    beside: str | None = None,
    or_else: TableFormat | None = None,
    unit: str = "",
) -> pd.DataFrame:
    """Return a table as :func:`carbongrid.case.readers.tables.read_table` does, its codes and ids kept from losing zeros.

    Parameters
    ----------
    path, encoding, beside, unit
        As there.
    form
        Its declaration.
    or_else
        Another one that it may be by, with the same codes and ids.
    """
    codes, ids = form.names("code"), form.names("id")
    columns = {*form.names(), *(or_else.names() if or_else else ())}
    return read_table(path, encoding=encoding, beside=beside, codes=codes, ids=ids, columns=columns, unit=unit)  # fmt: skip


def rows_declared(
    table: pd.DataFrame,
    form: TableFormat,
    where: str,
    known: Known | None = None,
    notes: list[Problem] | None = None,
    names: Mapping[str, Collection[str]] | None = None,
) -> tuple[list[Row], Faults]:
    """Return the rows of a table and what is wrong with their cells.

    Parameters
    ----------
    table
        Of :func:`read_declared`.
    form
        Its declaration.
    where
        Name of the file.
    known
        Texts that a column may hold, by its name; any where it is missing or None.
    notes
        A warning is appended for each column that is not read and looks like one that is missing, for cells without a header, for
        other sheets that look like the same table, and a warning or note for points that may stand between thousands.
    names
        Codes of regions by name, for messages.

    Raises
    ------
    InputError
        If a required column is missing.
    """
    needed, sheets = form.names(required=True), dict(table.attrs.get(SHEETS, {}))
    read = next(iter(sheets), "")
    require_columns(table, f"{where}, sheet {read}" if len(sheets) > 1 else where, needed)
    if notes is not None:
        notes += misspelt(table, form, where)
        notes += _on_thousands(table, form, where)
        notes += _left_out(table, [name for name in sheets if name != read and set(needed) <= set(sheets[name])], where)  # fmt: skip
    faults, rows = Faults(where, names), []
    for number, cells in rows_of(table, form.names()):
        before = len(faults.problems)
        values = {
            column.name: mass_cell(cells, number, faults)
            if column.kind == "mass" and (cells[column.name] or not column.may_be_blank)
            else cell(column, cells[column.name], number, faults, (known or {}).get(column.name))
            for column in form.columns
        }
        rows.append(Row(number, cells, values, len(faults.problems) == before))
    if form.once:
        noun = form.column(form.once).called
        named = [(row.number, repr(text)) for row in rows if (text := row.cells[form.once])]
        years = {row.number: row.values.get("year") for row in rows}
        faults.once(named, f"the {noun}", years)
    return rows, faults


def _on_thousands(table: pd.DataFrame, form: TableFormat, where: str) -> Iterator[Problem]:
    """Yield what is said of points between thousands, of columns of numbers that may be thousands."""
    for column in form.columns:
        if (
            column.kind in ("number", "mass")
            and column.unit not in _OF_ONE
            and column.name in table
        ):
            whole, units = column.unit == PERSONS, table.get("unit", pd.Series(dtype="str"))
            small = column.kind == "mass" and in_tonnes(filter(None, units))
            yield from on_thousands(table, column.name, where, whole=whole, small=small)


def _left_out(table: pd.DataFrame, alike: list[str], where: str) -> Iterator[Problem]:
    """Yield a warning of text that is no words, of cells without a header, and of other sheets that could be meant."""
    yield from table.attrs.get(DOUBTS, ())
    if table.attrs.get(NAMELESS):
        what = f"cells in columns without a header are not read: {table.attrs[NAMELESS]} are filled"
        yield Problem(what, where, "Name their columns, or take them out.", "warning")
    if alike:
        others = listed(map(repr, alike), 5, more=", ...")
        what = f"only the first sheet is read; others have the columns of the same table: {others}"
        yield Problem(what, where, "Put the rows that count on the first sheet, and hide or delete the others.", "warning")  # fmt: skip


def misspelt(table: pd.DataFrame, form: TableFormat, where: str) -> list[Problem]:
    """Return a warning for each further column that may be an optional one under a slip of the pen: ``regions``, but not ``name`` where there may be ``name_en``."""
    missing = [name for name in form.names() if name not in table.columns]
    more = [str(name) for name in table.columns if name not in form.names()]
    return [
        Problem(f"the column {name!r} is not read", where, f"Did you mean {close!r}?", "warning")
        for name in more
        if (close := nearest(name, missing)) and close not in (f"{name}_en", f"{name}_zh")
    ]


def cell(
    column: Column, text: str, row: object, faults: Faults, known: Collection[str] | None = None
) -> Any:
    """Return what a cell holds; None where that is nothing, or wrong and an error is added.

    Parameters
    ----------
    column
        Its declaration.
    text
        As written, without blanks around it.
    row
        In the file.
    faults
        Of the table.
    known
        Texts that it may hold, where the column declares no words; any if None.

    Returns
    -------
    str, Decimal or int
        By the column's kind: a text, a number, a year. A unit of mass is checked with its mass.
    """
    if (not text and column.may_be_blank) or column.kind == "unit of mass":
        return None
    if column.kind == "year":
        return faults.year(text, row, column.name)
    if column.kind in ("number", "coordinate"):
        number = of_percent(text) if column.unit == "1" else text
        value = faults.number(number, row, column.name, signed=column.kind == "coordinate")
        limit = column.limit
        if value is None or limit is None or value <= limit.most:
            return value
        what = limit.what.format(text=text, most=limit.most)
        faults.add(what, limit.hint, row=row, column=column.name)
        return None
    words = column.words or known
    if not text and (column.hint or words is None):
        faults.add(f"the {column.called} is blank", column.hint, row=row, column=column.name)
        return None
    if words is None:
        return text
    told = (column.called, row, column.name, column.otherwise)
    return text if faults.member(text, words, *told) else None
