"""Grams as tonnes, exactly."""

from __future__ import annotations

from collections.abc import Iterable


def format_tonnes(masses: Iterable[int]) -> list[str]:
    """Return masses in grams as tonnes with six decimals, exactly.

    Parameters
    ----------
    masses
        Integer grams, shape (n,): an int64 array or Python integers.
    """
    return [_six_decimals(int(mass)) for mass in masses]


def _six_decimals(mass: int) -> str:
    whole, rest = divmod(abs(mass), 10**6)
    return f"{'-' if mass < 0 else ''}{whole}.{rest:06d}"
