"""How much comes or goes as numbers are rounded to what they are counted in (docs/decisions/0042)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor

MAX_ROUNDED = 100
"""One part in this many may come or go."""


def moved_by_rounding(numbers: Iterable[Fraction], one: str, *, faint: int = 0) -> str:
    """Return what rounding to whole numbers, half to even, moves, if that is more than 1 % of their sum or takes one that is not 0 to 0; else blank.

    Parameters
    ----------
    numbers
        In what they are counted in.
    one
        What that is, such as ``CNY``.
    faint
        Those that are taken to 0 may come to one part in this many of the sum; default nothing may.
    """
    exact = list(numbers)
    given, moved = sum(map(abs, exact)), sum(abs(each - round(each)) for each in exact)
    lost = [abs(each) for each in exact if each and not round(each)]
    bearable = sum(lost) * faint <= given if faint else not lost
    if bearable and moved * MAX_ROUNDED <= given:
        return ""
    values = "the value" if len(exact) == 1 else f"{len(exact)} values"
    told = f"rounding {values} moves {roughly(moved)} of {roughly(given)} {one}"
    return f"{told}, and {len(lost)} to 0" if lost else told


def fitted(exact: Sequence[Fraction], whole: int) -> list[int]:
    """Return parts in whole numbers, each within one of its exact amount, that exceed their whole only if it has no room for the whole numbers in them, and miss it only if the exact ones do.

    Parameters
    ----------
    exact
        The parts, in an order that does not depend on the file's.
    whole
        The whole, rounded by itself as parts are, half to even.

    Notes
    -----
    Parts rounded by themselves may come to a little more than a whole that they fill, or to less. One is then taken off those that
    rounding raised most, or added to those that it lowered most. The whole may have lost one to a whole of its own.
    """
    parts = [round(part) for part in exact]
    excess, together = sum(parts) - whole, round(sum(exact, Fraction(0)))
    if (excess > 0 and sum(map(floor, exact)) <= whole) or (excess < 0 and together == whole):
        step = 1 if excess > 0 else -1
        furthest = sorted(range(len(parts)), key=lambda number: step * (exact[number] - parts[number]))  # fmt: skip
        for number in furthest[: abs(excess)]:
            parts[number] -= step
    return parts


def roughly(number: int | Fraction) -> str:
    """Return three figures of a number, which may be too large for a float."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return f"{exact.normalize():.3g}"
