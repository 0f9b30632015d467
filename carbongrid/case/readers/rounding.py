"""How much comes or goes as numbers are rounded to what they are counted in (docs/decisions/0042)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

MAX_ROUNDED = 100
"""One part in this many may come or go."""


def moved_by_rounding(numbers: Iterable[Fraction], one: str) -> str:
    """Return what rounding to whole numbers, half to even, moves, if that is more than 1 % of their sum or takes one that is not 0 to 0; else blank.

    Parameters
    ----------
    numbers
        In what they are counted in.
    one
        What that is, such as ``CNY``.
    """
    exact = list(numbers)
    given, moved = sum(map(abs, exact)), sum(abs(each - round(each)) for each in exact)
    gone = sum(1 for each in exact if each and not round(each))
    if not gone and moved * MAX_ROUNDED <= given:
        return ""
    values = "the value" if len(exact) == 1 else f"{len(exact)} values"
    told = f"rounding {values} moves {roughly(moved)} of {roughly(given)} {one}"
    return f"{told}, and {gone} to 0" if gone else told


def roughly(number: int | Fraction) -> str:
    """Return three figures of a number, which may be too large for a float."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return f"{exact.normalize():.3g}"
