"""The tables that an analysis writes beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbongrid.method.columns import in_tonnes
from carbongrid.method.tonnes import exact_tonnes
from carbongrid.outputs.tables.plain import write_text_csv

_DIGITS = 6
_SMALL = 1e-3
"""Below it six decimals leave less than four digits of a number without a unit, and nothing of an index of 1e-7."""


def write_csvs(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables by the names of their files: six decimals, six digits of what is small and no mass, blank where unknown, ``true`` and ``false``.

    Parameters
    ----------
    tables
        By file name.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    for name, table in tables.items():
        columns = {column: _cells(table, column) for column in table.columns}
        write_text_csv(pd.DataFrame(columns, dtype=object), folder / name)
    return [folder / name for name in tables]


def write_exact_csvs(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables with mass in whole grams (columns that end in ``_g``) as CSV with tonnes, from the integers; else as :func:`write_csvs`.

    Parameters
    ----------
    tables
        By file name; whole numbers are written to the last digit.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    for name, table in tables.items():
        columns = {}
        for column in table.columns:
            grams = str(column).endswith("_g")
            cells = [_tonnes(cell) for cell in table[column].tolist()] if grams else _cells(table, column)  # fmt: skip
            columns[in_tonnes(str(column))] = cells
        write_text_csv(pd.DataFrame(columns, dtype=object), folder / name)
    return [folder / name for name in tables]


def _tonnes(value: Any) -> str:
    return "" if value is None or pd.isna(value) else exact_tonnes(value)


def _cells(table: pd.DataFrame, column: Any) -> list[str]:
    """Return a column as it is written: tonnes (``emission_t_p05``) end at the gram, indices and shares have no such end."""
    least = 0.0 if "t" in str(column).split("_") else _SMALL
    return [_cell(value, least) for value in table[column].tolist()]


def _cell(value: Any, least: float) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        if 0 < abs(value) < least:
            return np.format_float_positional(value, _DIGITS, unique=False, fractional=False, trim="-")  # fmt: skip
        return f"{value:.{_DIGITS}f}"
    return str(value)
