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


_MANY_SYLLABLES, _SYLLABLES_BESIDE_ONE = 12, 8
"""Of the common Chinese characters some 62 of 100 have the bytes of a Korean syllable: that so many different ones all have them happens once in 300 texts,
and hardly more often that all but one of so many more have them, or all but two of twice as many more."""

BOTH_WAYS = "reads as Chinese by GB18030 and as Korean by CP949"
"""What is to be said of a text that :func:`reads_as_korean`."""
CHINESE_OR_KOREAN = ("gb18030", "cp949")


def reads_as_korean(data: bytes) -> bool:
    """Return whether bytes that GB18030 reads as Chinese are rather Korean: many syllables of Hangul in EUC-KR, and few Chinese characters beside them.

    Signs and letters of other scripts count for nothing: both have them, and most of them by the same bytes.
    """
    try:
        letters = {*beyond_ascii(data.decode("cp949"))}
    except UnicodeDecodeError:
        return False
    syllables = sum("\uac00" <= letter <= "\ud7a3" for letter in letters)
    chinese = sum("\u4e00" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" for letter in letters)  # fmt: skip
    return syllables >= _MANY_SYLLABLES + _SYLLABLES_BESIDE_ONE * chinese


def beyond_ascii(text: str) -> list[str]:
    """Return the characters of a text that are not ASCII, each as often as it stands there."""
    return [character for character in text if character > "\x7f"]


def common_chinese(text: str) -> list[str]:
    """Return those of its characters that are common ones (GB 2312), each as often as it stands there, without any inside a word of Latin letters."""
    found = beyond_ascii(_IN_A_WORD.sub("", text))
    common = {character for character in set(found) if _in_gb2312(character)}
    return [character for character in found if character in common]


def _in_gb2312(character: str) -> bool:
    return character in _SIGNS or len(character.encode("gb2312", errors="ignore")) == 2
