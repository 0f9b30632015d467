"""What a cell says that is true or false."""

from __future__ import annotations

_TRUE = ("1", "1.0", "true", "t", "yes", "y", "是")
_FALSE = ("", "0", "0.0", "false", "f", "no", "n", "否")


def truth_of(text: str) -> bool | None:
    """Return whether a cell says yes, a blank one no, in any case of letters; None if it says neither."""
    word = text.strip().lower()
    return word in _TRUE if word in (*_TRUE, *_FALSE) else None
