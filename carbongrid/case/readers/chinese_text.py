"""Whether text that GB18030 made of bytes is Chinese: it gives a meaning to nearly any."""

from __future__ import annotations

import re

_IN_A_WORD = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?=[a-z])")
"""One character between Latin letters: two bytes of Latin-1, as in ``Größe``, and no Chinese."""


def beyond_ascii(text: str) -> list[str]:
    """Return the characters of a text that are not ASCII, each as often as it stands there."""
    return [character for character in text if character > "\x7f"]


def common_chinese(text: str) -> list[str]:
    """Return those of its characters that are common ones (GB 2312), each as often as it stands there, without any inside a word of Latin letters."""
    return [character for character in beyond_ascii(_IN_A_WORD.sub("", text)) if _in_gb2312(character)]  # fmt: skip


def _in_gb2312(character: str) -> bool:
    return len(character.encode("gb2312", errors="ignore")) == 2
