"""Tells by the number format of a spreadsheet's cell whether what it shows is the number that it holds."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|[\\!](?P<escaped>.)|[_*].|\[\$(?P<symbol>[^\]-]*)[^\]]*\]'
    r"|\[(?P<sign>[<>=]{1,2})(?P<bound>-?[0-9]+(?:\.[0-9]*)?)\]|\[[^\]]*\]|(?P<end>;)|(?P<bare>.)",
    re.DOTALL,
)
"""What a format shows as it stands, leaves room for or fills with, colours and conditions; ``!`` shows the next character as ``\\`` does, in China."""
_THOUSANDTHS = re.compile("[0#?],+(?![0#?,])")
"""A comma behind the last digit of a format divides what is shown by a thousand; one between digits parts them."""
_POINT, _COMMA, _DIGITS = "\1\2\3"
"""Marks of what stands among the places of digits as text."""
_MOVED_POINT = re.compile(f"[0#?]{_POINT}[0#?]")
_MOVED_COMMA = re.compile(f"[0#?]{_COMMA}[0#?]{{1,2}}(?![0#?{_COMMA}])")
"""Before one or two digits; one before three or four parts them."""
_MORE_DIGITS = re.compile(f"[0#?]{_DIGITS}|{_DIGITS}[0#?]")
_DIGITS_ALONE = re.compile("[.,]?[0-9][0-9.,]*")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, "<>": operator.ne, ">=": operator.ge, ">": operator.gt,
}  # fmt: skip
_USUAL: dict[int, tuple[tuple[str, float], ...]] = {
    1: (),
    2: ((">=", 0.0),),
    3: ((">", 0.0), ("<", 0.0)),
}
"""Of a format of so many parts, what a number fulfils that the first ones are for; the last one is for the rest."""

_CHINESE = {"十": 1, "百": 2, "千": 3, "": 0, "万": 4, "萬": 4, "亿": 8, "億": 8}
_SIZE = re.compile(
    r"(?P<tens>[十百千]?)(?P<myriads>[万萬亿億])|(?P<hundreds>[百千])(?=[元円圆圓人吨噸トド]|\W|$)"
    r"|(?<![^\W\d_])(?:"
    r"(?P<p3>(?i:k|thousands?|tsd|tis|тыс)|T(?=\s?(?:€|\$|EUR|USD|CHF|RMB|CNY)))"
    r"|(?P<p5>(?i:lakhs?))"
    r"|(?P<p6>M|(?i:mn|mln|mio|millions?|millionen|milhões|millones|млн))"
    r"|(?P<p7>(?i:crores?|cr))"
    r"|(?P<p9>(?i:bn|mrd|mld|billions?|milliarden?|млрд))"
    r")(?:(?!\w)|(?<=T)(?=[EUCR]))"
)
"""Words that make a number another one where they stand behind it; letters of whatever alphabet beside them make them others (Kč, M², 千焦)."""
_PREFIXES = re.compile(r"(?<![^\W\d_])(?:(?P<p3>kt|Gg)|(?P<p6>Mt|MMT|Tg)|(?P<p9>Gt|Pg))(?![a-z])")
_ONE_AND_ZEROS = re.compile(r"(?<![0-9.])1(?P<zeros>0+)(?![0-9]|\s?\^)|(?<![0-9.])1e\+?(?P<e>[0-9])|10\s?\^\s?(?P<power>[0-9])")  # fmt: skip
_BETWEEN_DIGITS = re.compile("(?<=[0-9])[,' ](?=0{3})")


class Shown(NamedTuple):
    """How a number is shown, where it is not plainly as it is.

    Parameters
    ----------
    another
        Whether the digits that are shown are those of another number: in thousands, with a point that is text, with digits that are text.
    unseen
        Whether no digit of it is shown.
    word
        That makes what is shown another number (万, k, million), blank without one.
    power
        Of ten, that the word stands for.
    """

    another: bool
    unseen: bool
    word: str
    power: int


class _Part(NamedTuple):
    condition: tuple[str, float] | None
    is_text: bool
    shown: Shown | None


def how_shown(value: float, number_format: str) -> Shown | None:
    """Return how a format shows a number, None where that is as it is held but for rounding.

    The part of the format that is for the number counts: above 0, below 0 and 0, or by its conditions.
    """
    parts = _parts(number_format)
    if not parts:
        return None
    for part, usual in zip(parts, _USUAL[len(parts)], strict=False):
        sign, bound = part.condition or usual
        if _SIGNS[sign](value, bound):
            return part.shown
    last = parts[-1]
    if last.condition is not None and not _SIGNS[last.condition[0]](value, last.condition[1]):
        return None
    return last.shown


@lru_cache(maxsize=1024)
def is_percentage(number_format: str) -> bool:
    """Whether a format shows a number times 100; a % that is text shows it as it is."""
    return any(token["bare"] == "%" for token in _TOKEN.finditer(number_format))


def powers_told(texts: Iterable[str]) -> set[int]:
    """Return the powers of ten that texts tell as the size of a unit: by a word, by digits or by a prefix (万吨, 10000 t, 1e4 CNY, kt), or by digits before one of these (10 kt)."""
    found: set[int] = set()
    for text in texts:
        words = {_power(match) for match in _SIZE.finditer(text)}
        words |= {int(str(match.lastgroup)[1:]) for match in _PREFIXES.finditer(text)}
        digits = {
            len(match["zeros"] or "") or int(match["e"] or match["power"])
            for match in _ONE_AND_ZEROS.finditer(_BETWEEN_DIGITS.sub("", text))
        }
        found |= words | digits | {word + before for word in words for before in digits}
    return found


@lru_cache(maxsize=1024)
def _parts(number_format: str) -> tuple[_Part, ...]:
    """Return the parts of a format that are for numbers; none where all show them as they are."""
    tokens: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(number_format):
        if token["end"]:
            tokens.append([])
        else:
            tokens[-1].append(token)
    if not number_format.strip():
        return ()
    parts = [_part(each) for each in tokens[:3]]
    if 1 < len(tokens) <= 3 and parts[-1].is_text:
        parts.pop()
    return tuple(parts) if any(part.shown for part in parts) else ()


def _part(tokens: list[re.Match[str]]) -> _Part:
    condition = next(((each["sign"], float(each["bound"])) for each in tokens if each["sign"] in _SIGNS), None)  # fmt: skip
    bare = "".join(each["bare"] or "" for each in tokens)
    marked = "".join(each["bare"] or _mark(_text(each)) for each in tokens)
    text = "".join(each["bare"] or _text(each) for each in tokens).replace("General", "0")
    size = _SIZE.search(text)
    shown = Shown(
        another=bool(
            _THOUSANDTHS.search(bare)
            or ("." not in bare and marked.count(_POINT) == 1 and _MOVED_POINT.search(marked))
            or ("." not in bare and _MOVED_COMMA.search(marked))
            or _MORE_DIGITS.search(marked)
        ),
        unseen=not re.search(r"[0#?@]|[^\W\d_]", bare),
        word=size[0] if size else "",
        power=_power(size) if size else 0,
    )
    plain = not (shown.another or shown.unseen or shown.word)
    return _Part(condition, "@" in bare, None if plain else shown)


def _text(token: re.Match[str]) -> str:
    """Return what a format shows for a token that is text, a blank for room that it leaves."""
    text: str = token["quoted"] or token["escaped"] or token["symbol"] or ""
    return text or " " * token[0].startswith("_")


def _mark(text: str) -> str:
    """Return the mark of a text that is read as part of a number, blank for any other."""
    if text in (".", ","):
        return _POINT if text == "." else _COMMA
    return _DIGITS if _DIGITS_ALONE.fullmatch(text) else ""


def _power(size: re.Match[str]) -> int:
    if size["myriads"]:
        return _CHINESE[size["tens"]] + _CHINESE[size["myriads"]]
    return _CHINESE[size["hundreds"]] if size["hundreds"] else int(str(size.lastgroup)[1:])
