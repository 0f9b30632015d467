"""Codes of the systems, in one spelling: 1.A.3.b for ``1.A.3.b.``, ``1A3b`` and ``1. a. 3. B Road transportation``."""

from __future__ import annotations

import re
import unicodedata

from carbongrid.errors import InputError

SYSTEMS = ("crt", "ipcc2006", "gpc")
"""Common reporting tables, the 2006 Guidelines, the Global Protocol for Community-Scale inventories."""

EXAMPLES = {"crt": "1.A.2", "ipcc2006": "3.C.7", "gpc": "I.1.2"}
"""A code of each system, for messages."""

FOR_THE_GRID = "I.4.4"
"""Code of the GPC of what is burnt for power and heat that the grid takes."""

_FOSSIL = {"crt": ("1.B", "2"), "ipcc2006": ("1.B", "2"), "gpc": ("I.7", "I.8", "IV")}
"""Codes whose CH4 brings fossil carbon that is in no CO2: what escapes from fuels, and what industrial processes give off."""

_GAP = re.compile(r"[.\s]*")
_DIGITS = re.compile(r"[0-9]{1,2}(?![0-9])")
_LETTERS = re.compile(r"[a-z]+")
_GAS = re.compile("n2o(?![a-z0-9])")
"""A name may begin with it, as N2O from product uses does, and each of its signs might be a part of a code."""
_ROMAN = re.compile(r"x{0,2}(?:ix|iv|v?i{0,3})")


def check_system(system: str) -> None:
    """Raise InputError if there is no such system."""
    if system not in SYSTEMS:
        raise InputError(f"unknown system {system!r}", hint=f"Known: {', '.join(SYSTEMS)}.")


def normal_code(text: object, system: str) -> str:
    """Return a code in the spelling of its system, blank if the text does not begin with a code.

    Dots and blanks between, before and behind the parts do not count, nor does the case of letters, nor a name that
    follows the code after a blank.

    Parameters
    ----------
    text
        A cell of a table.
    system
        One of :data:`SYSTEMS`.

    Raises
    ------
    InputError
        If there is no such system.
    """
    check_system(system)
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    parts = _parts("" if text is None else str(text))
    if not parts or parts[0].isdigit() == (system == "gpc"):
        return ""
    if system == "gpc":
        return ".".join(parts).upper() if _ROMAN.fullmatch(parts[0]) else ""
    return ".".join(part.upper() if level == 1 else part for level, part in enumerate(parts))


def is_within(code: str, other: str) -> bool:
    """Whether a code is another or a part of it; both in their normal spelling."""
    return code == other or code.startswith(f"{other}.")


def is_fossil(code: str, system: str) -> bool:
    """Whether CH4 under a code brings fossil carbon that is in no CO2 of the inventory, which AR6 weighs otherwise."""
    return any(is_within(code, each) for each in _FOSSIL[system])


def gpc_scope(code: str) -> str:
    """Return where a code of the GPC is emitted: ``direct`` (in the city), ``indirect`` (where its grid is fed) or ``outside``; blank if it does not tell."""
    parts = code.split(".")
    sector, last = parts[0], parts[2] if len(parts) > 2 else ""
    if sector in ("IV", "V", "VI"):
        return "outside" if sector == "VI" else "direct"
    if sector == "III":
        return {"1": "direct", "2": "outside", "3": "direct"}.get(last, "")
    if is_within(code, FOR_THE_GRID):
        return "direct"
    return {"1": "direct", "2": "indirect", "3": "outside"}.get(last, "")


def codes_above(code: str) -> list[str]:
    """Return the codes that a code is a part of, nearest first."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]


def _parts(text: str) -> list[str]:
    """Return the parts of a code in small letters; none if what follows it is not set off by a blank."""
    text = unicodedata.normalize("NFKC", text).lower()
    parts: list[str] = []
    place = _end(_GAP, text, 0)
    while place < len(text):
        if parts and text[place - 1].isspace() and _GAS.match(text, place):
            return parts
        if digits := _DIGITS.match(text, place):
            found = [digits[0]]
        else:
            letters = _LETTERS.match(text, place)
            found = _split(letters[0]) if letters else []
        if not found:
            return parts if text[place - 1].isspace() else []
        parts += found
        place = _end(_GAP, text, place + sum(map(len, found)))
    return parts


def _split(letters: str) -> list[str]:
    """Return a letter, a Roman number, or a letter and a Roman number after it; of a word nothing."""
    if len(letters) == 1 or _ROMAN.fullmatch(letters):
        return [letters]
    return [letters[0], letters[1:]] if _ROMAN.fullmatch(letters[1:]) else []


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place
