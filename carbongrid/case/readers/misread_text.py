"""Whether text that an encoding made of bytes reads as words, and which encodings would make words of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from carbongrid.case.readers.chinese_text import beyond_ascii, common_chinese
from carbongrid.errors import Problem

PROPOSED = {
    "utf-8": "any",
    "gb18030": "Chinese",
    "cp932": "Japanese",
    "cp949": "Korean",
    "big5": "traditional Chinese",
    "cp1252": "western Europe",
    "cp1250": "central Europe",
    "cp1251": "Cyrillic",
    "cp1253": "Greek",
    "cp1256": "Arabic",
    "cp874": "Thai",
}
"""Encodings of text by what they are for; of those that read it alike the first is told."""

_COMMON = 0.75
"""Share of characters that are common ones where the text is in the encoding: each of these gives a meaning to most pairs of bytes."""

_IN_TEXT = frozenset("’‘“”„–—…·•§°ºª«»\u00a0€²³、。，・：；！？（）《》〈〉【】「」『』～\u3000")
"""Signs that stand among words."""

_MIN_STRANGE, _MIN_ACCENTS, _LOOKED_AT, _PROPOSED_AT_MOST = 3, 5, 1000, 4
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")
_WORD = re.compile(r"[^\W\d_]+")


def misread(texts: Iterable[str], encoding: str) -> tuple[str, bytes] | None:
    """Return a text that reads as no words, with the bytes of all that are not ASCII; None if they do.

    Parameters
    ----------
    texts
        Read by the encoding; those without a character beyond ASCII are passed over, and so are all after the first thousand others.
    encoding
        Python's name of it.
    """
    odd = list(islice((text for text in texts if not text.isascii()), _LOOKED_AT))
    whole = "\n".join(odd)
    data = whole.encode(encoding, errors="ignore")
    if not odd or (reads_as_words(whole, encoding) and not _is_utf8(data, whole)):
        return None
    worst = max(odd, key=lambda text: len(set(_strange(text))))
    return worst, data


def proposal(data: bytes) -> str:
    """Return what may be named as the encoding of bytes: those under which they read as words, with what is read, else all by what they are for."""
    first = next((line for line in data.splitlines() if not line.isascii()), b"")
    found: dict[str, str] = {}
    for encoding in PROPOSED:
        try:
            text, shown = data.decode(encoding), first.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
        if shown not in found and reads_as_words(text, encoding) and not _is_mixed(text):
            found[shown] = encoding
    told = [f'"{encoding}" reads {shown[:40]!r}' for shown, encoding in found.items()]
    if told:
        return ", ".join(told[:_PROPOSED_AT_MOST])
    return ", ".join(f'"{encoding}" ({what})' for encoding, what in PROPOSED.items() if encoding != "utf-8")  # fmt: skip


def misread_problem(encoding: str, example: str, others: str, where: str) -> Problem:
    """Return a warning of text that reads as no words by the encoding that the case names."""
    what = f"read as {encoding}, as the case names it, the text is no words: {example!r}"
    return Problem(what, where, f"Name the right encoding: {others}.", "warning")


def reads_as_words(text: str, encoding: str) -> bool:
    """Return whether text may be what its author wrote: no control characters, few signs and accents beside its letters, and common characters in Chinese, Japanese and Korean."""
    beyond = set(beyond_ascii(text))
    strange = list(_strange(beyond))
    if any(unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs") or sign == "\ufffd" for sign in strange):  # fmt: skip
        return False
    if len(strange) >= _MIN_STRANGE and 4 * len(strange) > len(beyond):
        return False
    if _too_many_accents(text):
        return False
    common = _common(text, encoding)
    return common is None or len(common) >= _COMMON * len(beyond_ascii(text))


def _too_many_accents(text: str) -> bool:
    """Whether Latin letters beyond ASCII are more than those in it, as in no language."""
    latin = sum(1 for sign in text if sign > "\x7f" and _script(sign) == "LATIN")
    return latin >= _MIN_ACCENTS and latin > sum(
        1 for sign in text if sign.isascii() and sign.isalpha()
    )


def _strange(text: Collection[str]) -> Iterator[str]:
    """Yield the characters beyond ASCII that are neither letters nor signs among words."""
    for sign in text:
        kind = unicodedata.category(sign)
        wide = "\uff00" <= sign <= "\uffef" or (kind == "No" and sign > "\u2000")
        if sign > "\x7f" and (kind[0] not in "LMN" or kind == "No") and sign not in _IN_TEXT and not wide:  # fmt: skip
            yield sign


def _common(text: str, encoding: str) -> list[str] | None:
    """Return those characters beyond ASCII that are common in the language of an encoding; None if it is of single bytes, or of all languages."""
    name = encoding.lower().replace("-", "_")
    beyond = beyond_ascii(text)
    if name in ("gbk", "gb2312", "gb18030"):
        return common_chinese(text)
    if name in ("cp932", "shift_jis", "euc_jp"):
        return [sign for sign in beyond if (sign.encode("cp932", "ignore") or b"\xff")[0] < 0x98 or "\uff61" <= sign <= "\uff9f"]  # fmt: skip
    if name in ("cp949", "euc_kr"):
        return [sign for sign in beyond if len(sign.encode("euc_kr", "ignore")) == 2]
    if name in ("big5", "cp950"):
        return [sign for sign in beyond if (sign.encode("cp950", "ignore") or b"\xff")[0] < 0xC7]
    return None


def _is_utf8(data: bytes, text: str) -> bool:
    try:
        return data.decode("utf-8") != text
    except UnicodeDecodeError:
        return False


def _is_mixed(text: str) -> bool:
    """Whether many of the words have letters of several scripts, as no word has."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(1 for word in words if len({_script(letter) for letter in word}) > 1)
    return 4 * mixed > len(words)


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").partition(" ")[0]
    return "EAST ASIAN" if first in _EAST_ASIAN else first
