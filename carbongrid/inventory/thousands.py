"""Points that may stand between thousands, as they do in Brazil, Spain, Germany and Indonesia: 1.234 is read as a little more than 1."""

from __future__ import annotations

import re
from collections.abc import Iterable

from carbongrid.errors import Level, Problem

_POINTED = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_BELOW_1000 = re.compile(r"[+-]?[0-9]{1,3}")
_SHOWN = 3


def thousands_problems(
    texts: Iterable[str], where: str, column: str, *, whole: bool = False, small: bool = False
) -> list[Problem]:
    """Return what is said of a column whose points may stand between thousands: nothing, or one problem.

    They may, where each number with a point has three digits behind it and one to three before it, and each without a point is below 1000:
    what is written to three decimals has values below 1 or above 1000 as a rule, and what drops zeros at the end has one or two decimals.
    A column of three or more that has some without a point, or a zero at the end of the only one with a point, contradicts itself as decimals.

    Parameters
    ----------
    texts
        Cells of the column; what are no numbers is passed over, and so is 0.
    where, column
        The file, and the column's name.
    whole
        Whether it counts what is whole, such as people: a column that contradicts itself is then an error, any other a warning.
    small
        Whether as decimals its numbers are smaller than is likely, as a city's totals below 1000 t are: then several are a warning, and no note.
    """
    texts = list(texts)
    if not any("." in text for text in texts):
        return []
    pointed: list[str] = []
    plain: list[str] = []
    for text in texts:
        if _POINTED.fullmatch(text):
            pointed.append(text)
        elif _BELOW_1000.fullmatch(text):
            if text.strip("+-0"):
                plain.append(text)
        elif any(map(str.isdigit, text)):
            return []
    if not pointed:
        return []
    contradicts = bool(plain) and (len(pointed) + len(plain) > 2 or pointed[0].endswith("0"))
    level: Level = "note"
    if whole or contradicts:
        level = "error" if whole and contradicts else "warning"
    elif len(pointed) + len(plain) < 2:
        return []
    elif small:
        level = "warning"
    first, every = pointed[0], len(pointed) + len(plain)
    what = f"points may stand between thousands: {len(pointed):,} of {every:,} numbers have three digits behind a point ({_some(pointed)}"
    what += f"), and the others are below 1,000 ({_some(plain)})" if plain else ")"
    what += f". {first} is read as a decimal, not as {first.replace('.', '')}"
    hint = "If these are thousands, write them without points."
    if plain:
        hint = f"If these are thousands, write them without points; if they are decimals, write the others so too: {plain[0]}.0."
    return [Problem(what, f"{where}, column {column}", hint, level)]


def _some(texts: list[str]) -> str:
    return ", ".join(texts[:_SHOWN]) + (", ..." if len(texts) > _SHOWN else "")
