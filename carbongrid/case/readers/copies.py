"""Rows of evidence that stand in a file more than once, as where files that overlap were put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem

OF_LINES, OF_POINTS = 0.01, 0.05
"""A smaller share is taken for what it says: two shops of a kind in a house, two households of a size; of lines hardly any."""


def copy_problems(columns: Sequence[NDArray[Any]], where: str, most: float) -> list[Problem]:
    """Return a warning if many rows count as the row before them does, at the same place.

    Parameters
    ----------
    columns
        All that counts of the rows, which are sorted by it.
    where
        The file.
    most
        Share that is no warning.
    """
    size = len(columns[0])
    if size < 2:
        return []
    again = int(np.logical_and.reduce([column[1:] == column[:-1] for column in columns]).sum())
    if again <= most * size:
        return []
    told = f"{again:,} of {size:,} rows ({again / size:.1%}) agree with another one in place and in all that counts, and count as well"
    hint = "If they are the same, as where files that overlap were put together, leave one of each."
    return [Problem(told, where, hint, "warning")]
