"""Whether text that GB18030 made of bytes is Chinese: it gives a meaning to nearly any."""

from __future__ import annotations

import re

_FIRST, _LAST = 0xDF, 0xF7
"""Of the bytes that are small letters in Latin-1, those with which a Chinese character begins, a rare one each."""
_SMALL = bytes(each for first in range(_FIRST, _LAST + 1) for second in range(_FIRST, 0xFF) for each in (first, second)).decode("gb18030")  # fmt: skip
_CAPITALS = "ÇÃÇÕÉÉÄÄÑÍÜÍ".encode("latin-1").decode("gb18030")
"""Of two capitals those that words have: others are read as ``型`` or ``至``, which stand between capitals in Chinese too."""
_IN_A_WORD = re.compile(f"(?<=[A-Za-z])[{_SMALL}](?=[a-z])|(?<=[A-Z])[{_CAPITALS}](?=[A-Z])")
"""One character between Latin letters: two bytes of Latin-1, as in ``Größe`` and ``AÇÃO``, and no Chinese."""

_SIGNS = "\u00b7\u2014"
"""The middle dot and the dash of GB 2312 as GB18030 reads them: by Python's table of GB 2312 they are others."""


_MANY_SYLLABLES = 12
"""Of the common Chinese characters some 62 of 100 have the bytes of a Korean syllable: that so many different ones all have them happens once in 300 texts."""


def reads_as_korean(data: bytes) -> bool:
    """Return whether bytes that GB18030 reads as Chinese are rather Korean: many syllables of Hangul in EUC-KR, and no other letter beyond ASCII."""
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return False
    letters = {letter for letter in beyond_ascii(text) if letter.isalpha()}
    return len(letters) >= _MANY_SYLLABLES and all("\uac00" <= letter <= "\ud7a3" for letter in letters)  # fmt: skip


def beyond_ascii(text: str) -> list[str]:
    """Return the characters of a text that are not ASCII, each as often as it stands there."""
    return [character for character in text if character > "\x7f"]


def common_chinese(text: str) -> list[str]:
    """Return those of its characters that are common ones (GB 2312), each as often as it stands there, without any inside a word of Latin letters."""
    return [character for character in beyond_ascii(_IN_A_WORD.sub("", text)) if _in_gb2312(character)]  # fmt: skip


def _in_gb2312(character: str) -> bool:
    return character in _SIGNS or len(character.encode("gb2312", errors="ignore")) == 2
