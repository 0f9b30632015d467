"""Decimals are added, scaled and rounded here as Python does by default, whatever the caller has set for its own."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from functools import wraps

_AS_BY_DEFAULT = decimal.Context(
    prec=28,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
"""Written out, since also what a context of Python begins with may be set."""


def in_own_decimals[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that counts in decimals of its own: with six digits of a caller's, people and masses were others."""

    @wraps(function)
    def called(*args: P.args, **named: P.kwargs) -> R:
        with decimal.localcontext(_AS_BY_DEFAULT):
            return function(*args, **named)

    return called
