"""Points that may stand between thousands, as they do in Brazil, Spain, Germany and Indonesia: 1.234 is read as a little more than 1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, chain

from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.inventory.units_of_measure import mass_and_substance

_POINTED = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_BELOW_1000 = re.compile(r"[+-]?[0-9]{1,3}")
_FEW_PEOPLE = 1000
_GRAMS_OF_A_TONNE = 10**6
_SHOWN = 3


def thousands_problems(
    texts: Iterable[str], where: str, column: str, *, whole: bool = False, small: bool = False
) -> list[Problem]:
    """Return what is said of a column whose points may stand between thousands: nothing, or one problem.

    They may, where each number with a point has three digits behind it and one to three before it, and each without a point is below 1000:
    what is written to three decimals has values below 1 or above 1000 where they spread, and what drops zeros at the end has one or two decimals.
    A column of three or more that has some without a point, or a zero at the end of the only one with a point, contradicts itself as decimals:
    a warning and no error, since some of it may be counted and the rest estimated. One whose numbers all have a point does not, and is told
    only where its size is in doubt.

    Parameters
    ----------
    texts
        Cells of the column; what are no numbers is passed over, and so is 0.
    where, column
        The file, and the column's name.
    whole
        Whether it counts what is whole, such as people: if all have a point this is a warning where they are fewer than 1000 together, and else a note.
    small
        Whether as decimals its numbers are smaller than is likely, as a city's totals below 1000 t are: then several are a warning.
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
    several = len(pointed) + len(plain) > 1
    if not (plain or whole or (small and several)):
        return []
    together = accumulate(abs(float(text)) for text in chain(pointed, plain))
    few = whole and all(people < _FEW_PEOPLE for people in together)
    level: Level = "warning" if contradicts or few or small else "note"
    first, every = pointed[0], len(pointed) + len(plain)
    what = f"points may stand between thousands: {len(pointed):,} of {every:,} numbers have three digits behind a point ({_some(pointed)}"
    what += f"), and the others are below 1,000 ({_some(plain)})" if plain else ")"
    what += f". {first} is read as a decimal, not as {first.replace('.', '')}"
    hint = f"If these are thousands, write them without points; if they are decimals, one with another digit tells so: {first}0."
    if plain:
        hint = f"If these are thousands, write them without points; if they are decimals, write the others so too: {plain[0]}.0."
    return [Problem(what, f"{where}, column {column}", hint, level)]


def in_tonnes(units: Iterable[str]) -> bool:
    """Whether all of these units of mass are a tonne or smaller."""
    return all(_is_small(unit) for unit in units)


def _is_small(unit: str) -> bool:
    try:
        return mass_and_substance(unit)[0] <= _GRAMS_OF_A_TONNE
    except InputError:
        return False  # whoever reads the unit says what is wrong


def _some(texts: list[str]) -> str:
    return listed(texts, _SHOWN, more=", ...")
