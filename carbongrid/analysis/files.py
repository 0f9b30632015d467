"""The tables that an analysis writes beside a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.outputs.tables.plain import write_text_csv

if TYPE_CHECKING:
    import pandas as pd


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


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6f}"
    return str(value)
