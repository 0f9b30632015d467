"""Letters on figures: a font for Chinese where the machine has one, and one warning where not."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from carbongrid.errors import listed
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    from matplotlib.font_manager import FontManager, FontProperties

logger = logging.getLogger(__name__)

CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Heiti SC",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "SimSun",
    "Songti SC",
)

_SIMPLE = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "ARMENIAN",
    "GEORGIAN",
    "ETHIOPIC",
    "HANGUL SYLLABLE",
    "HIRAGANA",
    "KATAKANA",
    "CJK",
    "BOPOMOFO",
)
"""Scripts whose letters stand side by side."""

_PLACEHOLDERS = "Last Resort"
"""Fonts that have a box for every letter there is."""

_LISTED = 3

Language = Literal["both", "en", "zh"]
"""English with the Chinese beside it, or one of them."""

_WORDS = {
    "unknown": "未知",
    "none": "无",
    "no emissions": "无排放",
    "no sinks": "无碳汇",
}


def in_both(word: str) -> str:
    """Return a word of a legend with the Chinese beside it; what is no such word stays."""
    return f"{word} {_WORDS.get(word, '')}".strip()


@dataclass(frozen=True)
class Lettering:
    """The fonts of a figure, the characters that they can draw, and the language that it speaks.

    Parameters
    ----------
    families
        Names of installed fonts, tried in turn for each character.
    characters
        Code points that at least one of them has.
    bold
        Whether all of them have a bold face; matplotlib would warn of each text that lacks it.
    language
        English alone where Chinese cannot be drawn.
    """

    families: tuple[str, ...]
    characters: frozenset[int]
    bold: bool = True
    language: Language = "both"

    @property
    def chinese(self) -> bool:
        """Whether Chinese can be drawn."""
        return ord("碳") in self.characters

    @property
    def spoken(self) -> Language:
        """The language that the figure is lettered in."""
        return self.language if self.chinese else "en"

    def beside(self, english: str, chinese: str) -> str:
        """Return a text in the figure's language; in both, the Chinese stands beside the English."""
        return self._said(english, chinese, " ")

    def below(self, english: str, chinese: str) -> str:
        """Return a text in the figure's language; in both, the Chinese stands below the English."""
        return self._said(english, chinese, "\n")

    def _said(self, english: str, chinese: str, between: str) -> str:
        if not chinese or self.spoken == "en":
            return english
        return chinese if self.spoken == "zh" else f"{english}{between}{chinese}"

    def words(self, text: str) -> str:
        """Return a legend's label, whose words are translated; numbers stay."""
        return self.beside(text, _WORDS.get(text, ""))

    def drawable(self, text: str) -> str:
        """Return a text without the characters that no font here has; of those that part words, as a tab does, a space is left."""
        kept = "".join(
            sign if ord(sign) in self.characters or sign == "\n" else " " * sign.isspace()
            for sign in text
        )
        return " ".join(kept.split(" ")).strip()

    def draws(self, text: str) -> bool:
        """Whether a text has letters, and a font here has all of them: half a name is another name."""
        return bool(text.strip()) and not self.missing(text)

    def missing(self, text: str) -> set[str]:
        """Return the characters of a text that no font here has."""
        return {sign for sign in text if ord(sign) not in self.characters and not sign.isspace()}

    def first_drawn(self, *texts: str) -> str:
        """Return the first of several names for one thing that can be drawn; blank if none can."""
        return next((text for text in texts if self.draws(text)), "")

    def properties(self, size: float, *, bold: bool = False) -> FontProperties:
        """Return matplotlib's font properties at a size in points."""
        from matplotlib.font_manager import FontProperties

        weight = "bold" if bold and self.bold else "normal"
        return FontProperties(family=list(self.families), size=size, weight=weight)


def installed_lettering(
    language: Language = "both", texts: Collection[str] = (), also: Collection[str] = ()
) -> Lettering:
    """Return the lettering of this machine; log one warning if it has no font for the Chinese that is wanted.

    Parameters
    ----------
    language
        What the figures are lettered in.
    texts
        Names that stand on them: another font that is installed is added for letters that have to stand side by side and no more, and its punctuation.
    also
        Names that stand on some, whose letters are looked for as long as those of ``texts`` are not lost to them.
    """
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    manager = font_manager.fontManager
    if not any(font.name in CHINESE_FONTS for font in manager.ttflist):
        _add_chinese(manager)
    fonts = manager.ttflist
    names = {font.name for font in fonts}
    heavy = {font.name for font in fonts if font.weight in ("bold", 700) and font.style == "normal"}
    families = ["DejaVu Sans", *[name for name in CHINESE_FONTS if name in names][:1]]
    characters: set[int] = set()
    for family in families:
        characters.update(FT2Font(font_manager.findfont(family)).get_charmap())
    first, missing = (
        frozenset(
            sign for sign in "".join(named) if ord(sign) not in characters and _is_simple(sign)
        )
        for named in (texts, [*texts, *also])
    )
    # A font that has the letters alone is better than none: a name in brackets is lost then, others are not.
    wanted = (missing, first, *(frozenset(filter(str.isalpha, signs)) for signs in (missing, first)))  # fmt: skip
    found = (
        _with_letters(manager, signs) for signs in dict.fromkeys(wanted)
    )  # each opens all fonts
    more = next(filter(None, found), None)
    if more is not None:
        families.append(more)
        its = FT2Font(font_manager.findfont(more)).get_charmap()
        characters.update(its.keys() & set(map(ord, missing)))
    bold = heavy.issuperset(families)
    lettering = Lettering(tuple(families), frozenset(characters), bold, language)
    if not lettering.chinese and language != "en":
        logger.warning(
            "no font for Chinese is installed, so the figures are lettered in English alone; "
            "install one, such as Noto Sans CJK SC, and draw them again"
        )
    return lettering


def _add_chinese(manager: FontManager) -> None:
    """Add the files of the first font for Chinese that is installed: matplotlib keeps a list of fonts, and knows of none that came later."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    listed = {font.fname for font in manager.ttflist}
    files: dict[str, list[str]] = {}
    for path in sorted(set(font_manager.findSystemFonts()) - listed):
        with suppress(OSError, RuntimeError):  # a file that is no font
            files.setdefault(FT2Font(path).family_name, []).append(path)
    first = next((family for family in CHINESE_FONTS if family in files), None)
    for path in files.get(first or "", []):
        manager.addfont(path)


def _is_simple(sign: str) -> bool:
    """Whether a letter is drawn by itself, from left to right, as punctuation and digits are: those of Indic scripts, Thai and Arabic are formed with their neighbours, which Matplotlib does not do."""
    if sign.isalpha():
        return unicodedata.name(sign, "").startswith(_SIMPLE)
    return unicodedata.category(sign)[0] in "PN"


def _with_letters(manager: FontManager, letters: Collection[str]) -> str | None:
    """Return the first family by name, upright, that has all of these letters; None if there are no letters."""
    from matplotlib.ft2font import FT2Font

    if not letters:
        return None
    for font in sorted(manager.ttflist, key=lambda font: font.name):
        if (
            not font.name.startswith(_PLACEHOLDERS)
            and font.style == "normal"
            and font.weight in (400, "normal", "regular", "book")
        ):
            with suppress(OSError, RuntimeError):
                if set(map(ord, letters)) <= set(FT2Font(font.fname).get_charmap()):
                    return str(font.name)
    return None


def tell_lost(
    units: Collection[str], letters: Lettering, title: str, districts: Collection[str] = ()
) -> None:
    """Log one warning of names of units and districts, and of a title, that no font here has the letters of, those in Chinese apart where it is told that there is no font for it."""
    lost = [*filter(None, [title]), *units, *districts]
    signs = sorted(set().union(*map(letters.missing, lost)))
    told = [sign for sign in signs if letters.chinese or not unicodedata.name(sign, "").startswith("CJK")]  # fmt: skip
    if told:
        some = listed(lost, _LISTED, more=", ...")
        so = [*["the title is left out"] * bool(title), *["units are called by their ids"] * bool(units), *["districts are called by their codes"] * bool(districts)]  # fmt: skip
        give = [*["the title of the case in other letters"] * bool(title), *["the units a name_en"] * bool(units), *["[units] of the case parent_names_en and run it again"] * bool(districts)]  # fmt: skip
        logger.warning(
            "the fonts of the figures lack letters of %s (%s), so in them %s; give %s",
            counted(len(lost), "name"),
            some,
            " and ".join(so),
            ", and ".join(give),
        )
