"""Numbers in percent that may be parts of 1, as 0.3 for 30 %."""

from __future__ import annotations

from collections.abc import Iterable

from carbongrid.errors import Level, Problem, listed

_OF_OTHERS = 10
"""Beside others, a number below 1 % is told where the least of them is so many percent."""

_LISTED = 5


def percent_problems(told: Iterable[tuple[str, float]], column: str, where: str) -> list[Problem]:
    """Return a warning of numbers in percent that are all below 1, but for 0, and a note where some are among others far above.

    Parameters
    ----------
    told
        The name of each number, as that of its row, and the number.
    column, where
        What they are, and the file.
    """
    given = [(name, number) for name, number in told if number]
    small = [(name, number) for name, number in given if number < 1]
    others = [number for _, number in given if number >= 1]
    if not small or (others and min(others) < _OF_OTHERS):
        return []
    level: Level = "note" if others else "warning"
    which = listed((f"{name} ({number:.6g} %)" for name, number in small), _LISTED)
    what = f"{len(small):,} of {len(given):,} numbers of {column} are less than 1 %: {which}"
    return [Problem(what, where, "If parts of 1 are meant, write 30 for 0.3.", level)]
