"""Numbers in percent that may be parts of 1, as 0.3 for 30 %."""

from __future__ import annotations

from collections.abc import Iterable

from carbongrid.errors import Level, Problem, listed

_OF_OTHERS = 10
"""Beside others, a number of 1 % or less is told where the least of them is so many percent."""

_SEVERAL, _LOW = 3, 0.3
"""So many numbers, one of them so low, are hardly all meant."""

_LISTED = 5


def percent_problems(told: Iterable[tuple[str, float]], column: str, where: str) -> list[Problem]:
    """Return a warning of several numbers in percent that are all 1 or less, but for 0, and a note of one or two, or where some are among others far above.

    Parameters
    ----------
    told
        The name of each number, as that of its row, and the number.
    column, where
        What they are, and the file.
    """
    given = [(name, number) for name, number in told if number > 0]
    small = [(name, number) for name, number in given if number <= 1]
    others = [number for _, number in given if number > 1]
    if not small or (others and min(others) < _OF_OTHERS):
        return []
    # Of one or two, 0.5 % may be meant: fuel of power plants is known so well.
    level: Level = "note"
    if not others and len(small) >= _SEVERAL and min(number for _, number in small) <= _LOW:
        level = "warning"
    which = listed((f"{name} ({number:.6g} %)" for name, number in small), _LISTED)
    what = f"{len(small):,} of {len(given):,} numbers of {column} are 1 % or less: {which}"
    return [Problem(what, where, "If parts of 1 are meant, write 30 for 0.3.", level)]
