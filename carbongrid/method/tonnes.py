"""Grams as tonnes, exactly; numbers with the things that they count."""

from __future__ import annotations

from collections.abc import Iterable


def format_tonnes(masses: Iterable[int]) -> list[str]:
    """Return masses in grams as tonnes with six decimals, exactly.

    Parameters
    ----------
    masses
        Integer grams, shape (n,): an int64 array or Python integers.
    """
    return [exact_tonnes(mass) for mass in masses]


def exact_tonnes(mass: int, separator: str = "") -> str:
    """Return one mass in grams as :func:`format_tonnes` does."""
    whole, rest = divmod(abs(int(mass)), 10**6)  # an int64 has no absolute value of its least
    return f"{'-' if mass < 0 else ''}{whole:{separator}}.{rest:06d}"


def readable_tonnes(grams: int) -> str:
    """Return a mass in a sentence, exactly: thousands separated, without zeros behind."""
    return exact_tonnes(grams, ",").rstrip("0").rstrip(".")


def at_decimals(value: float, digits: int, separator: str = ",") -> str:
    """Return a number at so many decimals, thousands separated; as less than the last of them where it would read as 0 and is not."""
    shown = f"{abs(value):{separator}.{digits}f}"
    if value and not float(shown.replace(",", "")):
        least = f"{10.0**-digits:.{digits}f}"
        return f"< {least}" if value > 0 else f"> -{least}"
    return f"-{shown}" if value < 0 else shown


def signed_percent(percent: float) -> str:
    """Return a change in percent with two decimals and its sign; what is not quite none, or not quite all, as what it is beyond."""
    if 0 < abs(percent) < 0.005:
        return "< +0.01 %" if percent > 0 else "> -0.01 %"
    shown = f"{percent:+.2f} %"
    return f"> {shown}" if shown == "-100.00 %" and percent > -100 else shown


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its thing, or with the plural (an s by default) unless there is one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {things or thing + 's'}"
