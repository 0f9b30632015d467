"""Which average factor electricity from a grid takes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from carbongrid.errors import InputError
from carbongrid.inventory.factors import Catalogue, Factor
from carbongrid.inventory.factors.catalogue import RECALLED

WHICH_YEAR = "Write year, 2020 for example, on the sheet settings."
"""What to do where the year of the inventory is not known."""
_WHICH_GRID = (
    "Write grid on the sheet settings: national (of China), a province or region such as jiangsu or east, or the key of a factor, "
    "your own for example; or factor= in the row."
)


def grid_factor(factors: Catalogue, grid: str, year: int | None) -> Factor:
    """Return the average factor of a grid: of those not merely recalled the nearest year, then the best status, then the earlier.

    Parameters
    ----------
    factors
        The catalogue.
    grid
        ``national``, a province or a region such as ``jiangsu`` or ``east``; or the key of a factor.
    year
        Of the inventory.

    Raises
    ------
    InputError
        If there is no such grid, or grid or year are not known.
    """
    if grid in factors:
        return factors[grid]
    if not grid:
        raise InputError("which grid the electricity is from is not known", hint=_WHICH_GRID)
    if year is None:
        raise InputError("the year of the inventory is not known", hint=WHICH_YEAR)
    found = sorted(
        _of_grid(factors, grid),
        key=lambda pair: (
            pair[0].status == RECALLED,
            abs(pair[1] - year),
            pair[0].rank,
            pair[1],
        ),
    )
    if found:
        return found[0][0]
    known = sorted(
        {
            factor.key.split(".")[-2]
            for factor in factors
            if factor.key.startswith("cn.grid.") and factor.key[-4:].isdigit()
        }
    )
    close = difflib.get_close_matches(grid, known, 1, 0.6)
    hint = f"Did you mean {close[0]!r}?" if close else "Bring your own factor and name its key."
    raise InputError(f"unknown grid {grid!r}", hint=hint)


def _of_grid(factors: Catalogue, grid: str) -> Iterator[tuple[Factor, int]]:
    name = re.compile(rf"cn\.grid\.(?:province\.|region\.)?{re.escape(grid)}\.(\d{{4}})")
    for factor in factors:
        match = name.fullmatch(factor.key)
        if match:
            yield factor, int(match[1])
