"""Values as TOML writes them, and keys that its parser takes days for."""

from __future__ import annotations

import json
import re
from typing import Any

from carbongrid.errors import InputError

_PART = r"""(?:(?<![\w-])[\w-]++|(?<!\\)"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{100}}")


def require_short_keys(text: str, where: str) -> None:
    """Check that no key of a TOML text has more than a hundred parts: the parser's time goes by their square, days for a key that fills a file.

    Raises
    ------
    InputError
        If one has. Decimals, sentences and names of files are none, however many stand in a line.
    """
    if key := _LONG_KEY.search(text):
        line = text.count("\n", 0, key.start()) + 1
        raise InputError(f"line {line} has a key of more than a hundred parts with points between, as no key has", where, "Correct the line.")  # fmt: skip


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it.

    Raises
    ------
    TypeError
        If it is not a text, a number, a truth value or a list of them.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    raise TypeError(f"a case has no value like {value!r}")
