"""Letters on figures: a font for Chinese where the machine has one, and one warning where not."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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

Language = Literal["both", "en", "zh"]
"""English with the Chinese beside it, or one of them."""

_WORDS = {
    "unknown": "未知",
    "none": "无",
    "no emissions": "无排放",
    "no sinks": "无碳汇",
}


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
        """Return a text without the characters that no font here has."""
        kept = "".join(sign for sign in text if ord(sign) in self.characters or sign == "\n")
        return " ".join(kept.split(" ")).strip()

    def properties(self, size: float, *, bold: bool = False) -> FontProperties:
        """Return matplotlib's font properties at a size in points."""
        from matplotlib.font_manager import FontProperties

        weight = "bold" if bold and self.bold else "normal"
        return FontProperties(family=list(self.families), size=size, weight=weight)


def installed_lettering(language: Language = "both") -> Lettering:
    """Return the lettering of this machine; log one warning if it has no font for the Chinese that is wanted."""
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
