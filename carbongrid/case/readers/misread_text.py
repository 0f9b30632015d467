"""Whether text that an encoding made of bytes reads as words, and which encodings would make words of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from carbongrid.case.readers.chinese_text import beyond_ascii, common_chinese
from carbongrid.errors import Problem

PROPOSED = {
    "utf-8": "any",
    "gb18030": "Chinese",
    "cp932": "Japanese",
    "euc_jp": "Japanese of Unix",
    "cp949": "Korean",
    "big5": "traditional Chinese",
    "cp1252": "western Europe",
    "cp1250": "central Europe",
    "iso8859-2": "central Europe of Unix",
    "cp1254": "Turkish",
    "cp1257": "Baltic",
    "cp1251": "Cyrillic",
    "koi8-r": "Russian of Unix",
    "cp866": "Russian of DOS",
    "cp1253": "Greek",
    "cp1255": "Hebrew",
    "cp1256": "Arabic",
    "cp874": "Thai",
}
"""Encodings of text by what they are for; of those that read it alike the first is told."""

_SEVERAL_BYTES = ("gb18030", "cp932", "big5", "cp949")
"""Those that count against another beside UTF-8: few bytes that are not in one of them make common words of its language."""

_CHINESE = ("gbk", "gb2312", "gb18030")
_JAPANESE = ("cp932", "shift_jis", "euc_jp")
_KOREAN = ("cp949", "euc_kr")
_TRADITIONAL = ("big5", "cp950", "big5hkscs")
_EAST_ASIAN_ENCODINGS = (*_CHINESE, *_JAPANESE, *_KOREAN, *_TRADITIONAL, "shift_jis_2004", "shift_jisx0213", "euc_jis_2004", "euc_jisx0213", "johab")  # fmt: skip
_NOT_JUDGED = ("utf", "iso2022", "hz")
"""How the names begin of encodings of all characters, and of those that tell themselves where another begins."""

_ALIKE = (_CHINESE, _JAPANESE[:2], _KOREAN, _TRADITIONAL)
_PLANE_OF_94 = ("euc_jp", "euc_kr", "gb2312", "euc_jis_2004", "euc_jisx0213")
"""Encodings of the same pairs of bytes: each reads the text of the others as characters of its own."""

_COMMON, _COMMON_ELSEWHERE = 0.75, 0.9
"""Share of characters that are common ones where the text is in the encoding: each of these gives a meaning to most pairs of bytes.
What is held against the encoding that was told must do better."""

_IN_TEXT = frozenset("’‘“”„–—…·•§°ºª«»\u00a0€²³、。，・：；！？（）《》〈〉【】「」『』～\u3000")
"""Signs that stand among words."""

_MIN_STRANGE, _MIN_ACCENTS, _LOOKED_AT, _PROPOSED_AT_MOST = 3, 5, 1000, 5
_BYTES_LOOKED_AT = 2**17
_SURELY_UTF_8, _MIN_CHARACTERS, _HARDLY_BY_CHANCE, _MANY = 4, 4, 6, 12
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")
_WORD = re.compile(r"[^\W\d_]+")
_BESIDE_SMALL = re.compile(r"(?<=[a-z])[^\x00-\x7f]|[^\x00-\x7f](?=[a-z])")
_WITHIN_LATIN = re.compile(r"(?<=[A-Za-z])[^\x00-\x7f](?=[a-z])")
_LAST_LATIN = "\u024f"
_SECOND_LEVEL = b"\xd8"
"""With which the less common half of GB 2312 begins."""
_RUN = re.compile(r"[^\x00-\x7f]{4,}")
"""So many characters beyond ASCII stand side by side in words of no language that is written in Latin letters, but for a few words."""


@dataclass(frozen=True)
class Misreading:
    """Text that an encoding reads as no words.

    Parameters
    ----------
    example
        One of the texts, as it was read.
    others
        Which encodings read it as words, as :func:`proposal` tells them.
    meant
        The encoding of several bytes a character that the text is in, as good as surely; blank if there is none.
    """

    example: str
    others: str
    meant: str


def misread(texts: Iterable[str], encoding: str, data: bytes | None = None) -> Misreading | None:
    """Return what is to be said of texts that read as no words, though they do in another encoding, or no text has their characters; None of all others.

    Parameters
    ----------
    texts
        Read by the encoding; those without a character beyond ASCII are passed over, and so are all after the first thousand others.
    encoding
        Python's name of it.
    data
        The bytes of the texts, by lines; what the encoding makes of the texts if not given.
    """
    if _name(encoding).startswith(_NOT_JUDGED):
        return None
    odd = _first_odd(texts)
    if not odd:
        return None
    whole = "\n".join(odd)
    data = whole.encode(encoding, errors="ignore") if data is None else first_lines(data)
    worst = max(odd, key=lambda text: len(set(_strange(text))))
    words = reads_as_words(whole, encoding)
    meant = _meant(data, whole, encoding, words=words)
    if meant:
        sure = not _is_of_several_bytes(encoding) or len(set(beyond_ascii(whole))) >= _MANY
        return Misreading(worst, proposal(data, meant), meant[0] if sure else "")
    if _may_be_utf_8(data, whole, encoding):
        return Misreading(worst, proposal(data, ["utf-8"]), "")
    if words or not (_is_no_text(whole, encoding) or _has_a_reading(data, encoding)):
        return None
    return Misreading(worst, proposal(data), "")


def first_lines(data: bytes) -> bytes:
    """Return the first thousand lines that are not ASCII: what the judgement is formed of, whatever the file's size, or as much of them as is looked at if they are long."""
    lines = b"\n".join(_first_odd(data.splitlines()))
    if len(lines) <= _BYTES_LOOKED_AT:
        return lines
    looked_at = lines[:_BYTES_LOOKED_AT]
    # Between cells or words: none of these bytes is the second half of a character in any of the encodings.
    end = max(looked_at.rfind(between) for between in (b"\n", b",", b";", b"\t", b" "))
    return looked_at[:end] if end > 0 else looked_at


def proposal(data: bytes, of: Iterable[str] = PROPOSED) -> str:
    """Return what may be named as the encoding of bytes: those of some under which they read as words, with what is read, else all by what they are for."""
    data = first_lines(data)
    found: dict[str, str] = {}
    for encoding in of:
        text = _words_of(data, encoding)
        if text is not None and text not in found:
            found[text] = encoding
    # A line that they read differently tells which of them is right.
    lines = [text.split("\n") for text in found]
    rows = range(min(map(len, lines), default=0))
    shown = max(rows, key=lambda row: len({each[row] for each in lines}), default=0)
    told = [f'"{encoding}" reads {each[shown].strip()[:40]!r}' for each, encoding in zip(lines, found.values(), strict=True)]  # fmt: skip
    if told:
        return ", ".join([*told[:_PROPOSED_AT_MOST], "or another"])
    return ", ".join([*(f'"{encoding}" ({what})' for encoding, what in PROPOSED.items() if encoding != "utf-8"), "or another"])  # fmt: skip


def misread_problem(encoding: str, example: str, others: str, where: str) -> Problem:
    """Return a warning of text that reads as no words by the encoding that the case names."""
    what = f"read as {encoding}, as the case names it, the text is no words: {example!r}"
    return Problem(what, where, f"Name the right encoding: {others}.", "warning")


def reads_as_words(text: str, encoding: str) -> bool:
    """Return whether text may be what its author wrote: no control characters, few signs and accents beside its letters, and common characters in Chinese, Japanese and Korean."""
    if _has_no_meaning(text):
        return False
    beyond = set(beyond_ascii(text))
    strange = set(_strange(text))
    if len(strange) > 1 and 6 * len(strange) > len(beyond) and not _is_of_several_bytes(encoding):
        return False
    if _too_many_accents(text) or _has_capitals_inside(text):
        return False
    common = _common(text, encoding)
    if common is None:
        return True
    # Signs are in every one of them.
    letters = [sign for sign in beyond_ascii(text) if unicodedata.category(sign)[0] in "LC"]
    return len([sign for sign in common if unicodedata.category(sign)[0] in "LC"]) >= _COMMON * len(letters)  # fmt: skip


def _first_odd[T: (str, bytes)](lines: Iterable[T]) -> list[T]:
    return list(islice((line for line in lines if not line.isascii()), _LOOKED_AT))


def _name(encoding: str) -> str:
    return encoding.lower().replace("-", "_")


def _is_of_several_bytes(encoding: str) -> bool:
    return _name(encoding) in _EAST_ASIAN_ENCODINGS


def _meant(data: bytes, read: str, encoding: str, *, words: bool) -> list[str]:
    """Return the encodings of several bytes that read bytes as common words where the one that was told does not."""
    if (kinds := _kinds_in_utf_8(data)) and not _is_of_several_bytes(encoding):
        return ["utf-8"] if kinds >= (_SURELY_UTF_8 if words else 2) else []
    if kinds >= _MIN_CHARACTERS and not words:
        return ["utf-8"]
    name, enough = (
        _name(encoding),
        _HARDLY_BY_CHANCE if _is_of_several_bytes(encoding) else _MIN_CHARACTERS,
    )
    found = []
    for other in _SEVERAL_BYTES:
        alike = any(name in family and other in family for family in _ALIKE)
        # Chinese that is read as Latin letters has many accents, but a word here and there may have, too.
        possible = not words or (other == "gb18030" and not _is_of_several_bytes(encoding) and _is_latin(read))  # fmt: skip
        if alike or not possible or (name in _PLANE_OF_94 and other != "cp932"):
            continue
        try:
            text = data.decode(other)
        except UnicodeDecodeError:
            continue
        if len(set(beyond_ascii(text))) >= enough and _is_common_elsewhere(text, other):
            found.append(other)
    return found


def _kinds_in_utf_8(data: bytes) -> int:
    """Return how many characters beyond ASCII there are in bytes as UTF-8, 0 if they are none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return 0
    return 0 if _has_no_meaning(text) else len(set(beyond_ascii(text)))


def _may_be_utf_8(data: bytes, read: str, encoding: str) -> bool:
    """Whether bytes are UTF-8 and that hardly by chance, though they read as words in the encoding that was told."""
    if _is_of_several_bytes(encoding):
        return _kinds_in_utf_8(data) >= _HARDLY_BY_CHANCE
    return _kinds_in_utf_8(data) >= (1 if any(_inside(read)) else 2)


def _is_latin(text: str) -> bool:
    """Whether a text has no letter of another script than the Latin one."""
    return not any(letter.isalpha() and letter > _LAST_LATIN for letter in text)


def _is_no_text(text: str, encoding: str) -> bool:
    """Whether text is clearly none, whatever else its bytes may be: by its characters, or by those that stand inside words."""
    if _is_of_several_bytes(encoding):
        found = _common(text, encoding)
        common = set(text if found is None else found)
        odd = {sign for sign in _BESIDE_SMALL.findall(text) if sign not in common}
        # Rare characters of given names may stand behind pinyin, but not within it.
        within = not odd.isdisjoint(_WITHIN_LATIN.findall(text))
        return _has_no_meaning(text, "Cc", "Cn", "Cs") or (within and len(odd) >= _MIN_STRANGE)
    runs = set(_RUN.findall(_without_marks(text))) if _too_many_accents(text) else ()
    return _has_no_meaning(text) or len(set(_inside(text))) >= _MIN_STRANGE or len(runs) >= _MIN_STRANGE  # fmt: skip


def _is_common_elsewhere(text: str, encoding: str) -> bool:
    """Whether text is what anybody writes in the language of an encoding: such characters as come of other bytes do not count."""
    beyond = beyond_ascii(text)
    if encoding == "gb18030":
        common = common_chinese(text)
        if sum(1 for sign in common if sign.encode("gb2312", "ignore") < _SECOND_LEVEL) < _COMMON * len(beyond):  # fmt: skip
            return False
    elif encoding == "cp949":
        common = [sign for sign in _common(text, encoding) or [] if "\uac00" <= sign <= "\ud7a3"]
    else:
        common = [
            sign for sign in _common(text, encoding) or [] if not "\uff61" <= sign <= "\uff9f"
        ]
    letters = [sign for sign in common if unicodedata.category(sign) == "Lo"]
    return len(common) >= _COMMON_ELSEWHERE * len(beyond) and 2 * len(letters) > len(beyond)


def _has_a_reading(data: bytes, encoding: str) -> bool:
    """Whether another encoding of single bytes reads bytes of one as words, most of them of three letters and more."""
    if _is_of_several_bytes(encoding):
        return False
    for other in PROPOSED:
        if other == "utf-8" or _is_of_several_bytes(other) or _name(other) == _name(encoding):
            continue
        if (text := _words_of(data, other)) is None:
            continue
        words = [word for word in _WORD.findall(_without_marks(text)) if not word.isascii()]
        if 4 * sum(1 for word in words if len(word) > 2) >= 3 * len(words) > 0:
            return True
    return False


def _words_of(data: bytes, encoding: str) -> str | None:
    """Return what an encoding reads; None if it is no words of one script each."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return text if reads_as_words(text, encoding) and not _is_mixed(text) else None


def _has_no_meaning(text: str, *kinds: str) -> bool:
    """Whether there are control characters or such as nobody has given a meaning to."""
    return any(sign == "\ufffd" or unicodedata.category(sign) in (kinds or ("Cc", "Cn", "Co", "Cs")) for sign in set(text) if sign > "\x7f")  # fmt: skip


def _too_many_accents(text: str) -> bool:
    """Whether most Latin letters beyond ASCII stand many side by side, as in no language."""
    composed = _without_marks(text)
    latin = _latin(composed)
    return latin >= _MIN_ACCENTS and 2 * sum(map(_latin, _RUN.findall(composed))) > latin


def _without_marks(text: str) -> str:
    return "".join(sign for sign in text if sign <= "\x7f" or unicodedata.category(sign) != "Mn")


def _latin(text: str) -> int:
    return sum(1 for sign in text if sign > "\x7f" and _script(sign) == "LATIN")


def _has_capitals_inside(text: str) -> bool:
    """Whether many of the words have a capital after a small letter, as where an encoding has both the other way round."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    inside = sum(1 for word in words if any(a.islower() and b.isupper() and not (a.isascii() and b.isascii()) for a, b in pairwise(word)))  # fmt: skip
    return 4 * inside > len(words)


def _strange(text: str) -> Iterator[str]:
    """Yield the characters beyond ASCII that are neither letters nor signs among words, and stand inside a word or beside such a character."""
    for at, sign in enumerate(text):
        if _is_sign(sign):
            before, after = text[at - 1 : at], text[at + 1 : at + 2]
            if (before.isalpha() and after.isalpha()) or max(before, after) > "\x7f":
                yield sign


def _inside(text: str) -> Iterator[str]:
    """Yield those of them that have a letter on each side."""
    for before, sign, after in zip(text, text[1:], text[2:], strict=False):
        if _is_sign(sign) and before.isalpha() and after.isalpha():
            yield sign


def _is_sign(character: str) -> bool:
    if character <= "\x7f" or character in _IN_TEXT:
        return False
    kind = unicodedata.category(character)
    wide = "\uff00" <= character <= "\uffef" or (kind == "No" and character > "\u2000")
    return (kind[0] not in "LMN" or kind == "No") and not wide


def _common(text: str, encoding: str) -> list[str] | None:
    """Return those characters beyond ASCII that are common in the language of an encoding; None if it is of single bytes, or of all languages."""
    name, beyond = _name(encoding), beyond_ascii(text)
    if name in _CHINESE:
        traditional = [sign for sign in beyond if _is_traditional(sign)]
        simplified = common_chinese(text)
        return simplified + [sign for sign in traditional if not common_chinese(sign)]
    if name in _JAPANESE:
        return [sign for sign in beyond if (sign.encode("cp932", "ignore") or b"\xff")[0] < 0x98 or "\uff61" <= sign <= "\uff9f"]  # fmt: skip
    if name in _KOREAN:
        return [sign for sign in beyond if len(sign.encode("euc_kr", "ignore")) == 2]
    if name in _TRADITIONAL:
        return [sign for sign in beyond if _is_traditional(sign)]
    return None


def _is_traditional(sign: str) -> bool:
    """Whether a character is a common one in Big5."""
    return (sign.encode("cp950", "ignore") or b"\xff")[0] < 0xC7


def _is_mixed(text: str) -> bool:
    """Whether many of the words have letters of several scripts, as no word has."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(1 for word in words if len({_script(letter) for letter in word}) > 1)
    return 4 * mixed > len(words)


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").partition(" ")[0]
    return "EAST ASIAN" if first in _EAST_ASIAN else first
