"""Rows of evidence that stand in a file more than once, as where files that overlap were put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem

WORTH_A_WARNING = 0.01
"""A smaller share of copies is taken for what it says: two shops of a kind in a house, two households of a size."""


def copy_problems(columns: Sequence[NDArray[Any]], where: str) -> list[Problem]:
    """Return a warning if many rows are as the row before them; they count all the same.

    Parameters
    ----------
    columns
        All that counts of the rows, which are sorted by it.
    where
        The file.
    """
    size = len(columns[0])
    if size < 2:
        return []
    again = int(np.logical_and.reduce([column[1:] == column[:-1] for column in columns]).sum())
    if again <= WORTH_A_WARNING * size:
        return []
    told = f"{again:,} of {size:,} rows ({again / size:.1%}) are exact copies of others, and count as those do"
    hint = "Remove them if files that overlap were put together."
    return [Problem(told, where, hint, "warning")]
