"""The tables that an analysis writes beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbongrid.method.columns import in_tonnes
from carbongrid.method.tonnes import format_tonnes
from carbongrid.outputs.tables.plain import write_text_csv


def write_csvs(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables by the names of their files: six decimals, blank where unknown, ``true`` and ``false``.

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
        write_text_csv(table.map(_cell), folder / name)
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
            cells = table[column].tolist()
            write = _tonnes if str(column).endswith("_g") else _cell
            columns[in_tonnes(str(column))] = [write(cell) for cell in cells]
        write_text_csv(pd.DataFrame(columns, dtype=object), folder / name)
    return [folder / name for name in tables]


def _tonnes(value: Any) -> str:
    return "" if value is None or pd.isna(value) else format_tonnes([value])[0]


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6f}"
    return str(value)
