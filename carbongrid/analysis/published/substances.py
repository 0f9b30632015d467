"""What a raster says that it is of: carbon, CO2, CO2e, CO2 of biomass, or something that is none of these and never read as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from carbongrid.analysis.published.attributes import only_text
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import names_other_gas
from carbongrid.method.landuse import packaged_table

_ATTRIBUTES = ("substance", "species", "gas")
_MARKS = re.compile(r"<[^<>]*>|[${}]")
"""Around what stands low or high: CO$_2$, yr$^{-1}$, CO<sub>2</sub>."""
_SIGNS = str.maketrans("₂₄₆₃_-‐‑–—", "2463      ")
_GWP = re.compile(r"gwp ?(?P<years>[0-9]+) (?P<set>ar[0-9]|sar|tar)\b ?(?P<gases>.*)")
"""As EDGAR names CO2e: GWP_100_AR5_GHG."""
_BIOMASS = r"bio|short cycle|(?<![a-z])bf(?![a-z])|生物"
_OF_BIOMASS = re.compile(rf"{_BIOMASS}|(?<=co2)bf")
_NOT_OF_BIOMASS = re.compile(
    rf"\bnon\W*(?:{_BIOMASS})\w*|(?:\bexcl\w*|\bno\b|\bnot\b|without|w/o|不含)\W*(?:[a-z]+ ){{0,2}}?(?:{_BIOMASS})\w*|(?:{_BIOMASS})\w*(?: [a-z]+){{0,2}}? (?:excl\w*|not(?: included)?)(?=\W*$|[,;)])|生物\S*除外"
)
_EQUIVALENT = re.compile(
    r"(?:co2|carbon dioxide|二氧化碳) ?[(.]? ?(?:e(?![a-z])|eq(?![a-z])\.?|[eé]quiv\w*\.?|äq\w*|当量)\)?|(?:(?<![a-z])[eé]quiv\w*|(?<![a-z])eq\.?|(?<![a-z])e) ?co2(?![a-z0-9])"
)
"""All ways to write CO2e: CO2-eq, CO2 (equivalent), eq. CO2."""

_NO_MASS_OF_A_TIME = {
    re.compile(r"(?<![A-Za-z])(?:[munpk]|µ|μ)?mol(?:e|es|ec|ecules?)?s?(?![a-z])|摩尔|分子"): "an amount of molecules, no mass",
    re.compile(r"(?<![A-Za-z])pp[mbt]v?(?![A-Za-z])"): "a concentration, no mass",
    re.compile(r"(?<![A-Za-z])(?:[munpkMGT]|µ|μ)W(?![A-Za-z])|(?<![A-Za-z])W\s*(?:/\s*)?c?m(?![A-Za-z])|^\s*W\s*$|(?<![A-Za-z])sr(?![A-Za-z])|\b[Ww]atts?\b"): "light or power, no mass",
    re.compile(r"(?<![A-Za-z])(?:[kMGTPE]?Wh|[kMGTPE]J|[kMG]cal|[kM]?tce|[kM]?toe)(?![A-Za-z])|^\s*J\s*$|标准煤|千瓦时"): "energy, no mass",
    re.compile(r"(?:/\s*|\bper\s+)(?:h|hrs?|hours?|min|minutes?|weeks?)\b|(?<![A-Za-z])(?:h|hrs?|hours?|min|minutes?|weeks?)\s?(?:\^|\*\*)?[-⁻−][1¹]|小时|分钟|[/每]周"): "per hour, minute or week, a time that is not read",
}  # fmt: skip


class _Said(NamedTuple):
    """A substance that is said: CO2e, CO2 or C; blank where none is or several are, and None where it is another one."""

    substance: str | None
    biogenic: bool = False
    read: bool = True


def unmarked(text: str) -> str:
    """Return a text without the marks of LaTeX and HTML around what stands low or high."""
    return _MARKS.sub("", text)


def other_quantity(units: str) -> str:
    """Return what units are that are plainly no mass of carbon in a time that can be named; blank where they may be one.

    Parameters
    ----------
    units
        As a raster states them.
    """
    found = next((what for words, what in _NO_MASS_OF_A_TIME.items() if words.search(units)), "")
    if not found and names_another(units) and not names_other_gas(units):
        return "of another substance than CO2e, CO2 or C"
    return found


def names_another(text: str) -> bool:
    """Tell whether a text names another substance than carbon, CO2 or CO2e, and none of these beside it."""
    return _read(text).substance is None


def _plain(text: str) -> str:
    """Return a text in small letters with single blanks, in which CO2 and CO2e are one word each."""
    words = " ".join(unmarked(text).translate(_SIGNS).casefold().split())
    return _EQUIVALENT.sub("co2e", re.sub(r"\bco 2(?![0-9])", "co2", words))


@cache
def _words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of the words that name substances, and what each names; a longer word hides a shorter one in it."""
    table = packaged_table("words_of_substances.csv")
    named = dict(zip(table["word"], table["substance"], strict=True))
    by_length = sorted(named, key=len, reverse=True)
    return re.compile("|".join(map(_as_it_stands, by_length))), named


def _as_it_stands(word: str) -> str:
    """Return a pattern of a word: CO2 is also read in FFCO2 and CO2bio, CO2e in tCO2e, and in Chinese no blanks stand between words."""
    if word == "co2":
        return "co2(?![0-9])"
    if word == "co2e":
        return "co2e(?![a-z0-9])"
    if word == "碳":  # not in the names of compounds
        return "(?<![氟氯氢化硫素氧])碳(?![化氢氟氯酸])"
    return re.escape(word) if word[-1] >= "\u4e00" else rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])"  # fmt: skip


def _read(text: str) -> _Said:
    plain = _plain(text)
    pattern, named = _words()
    words = {named[each] for each in pattern.findall(plain)}
    biogenic = bool(_OF_BIOMASS.search(_NOT_OF_BIOMASS.sub(" ", plain)))
    if "CO2e" in words or _GWP.match(plain):
        return _Said("CO2e")
    if "several" in words:
        return _Said("", read=False)
    # "No" is nitric oxide where it is all that is said.
    if plain == "no" or "not CO2" in words or ("other" in words and "CO2" not in words):
        return _Said(None)
    if "other" in words:  # of a file with several gases the attribute may list them all
        return _Said("", biogenic)
    if "as CO2" in words:
        return _Said("CO2", biogenic)
    if "as C" in words:
        return _Said("C", biogenic)
    if words >= {"CO2", "C"}:  # which of both the mass is of is not said
        return _Said("", biogenic, read=False)
    found = next((each for each in ("CO2", "C") if each in words), "CO2e" if "GHG" in words else "")
    return _Said(found, biogenic and found != "CO2e", read=bool(found))


class _Statement(NamedTuple):
    """An attribute that may name a substance, what it says, and whether it is the file's alone."""

    name: str
    text: str
    said: _Said
    of_file: bool


def _statements(own: Mapping[Any, Any], of_file: Mapping[Any, Any]) -> list[_Statement]:
    """Return what attributes other than units say: those of the raster first, then those of its file that it has not."""
    found = []
    for attributes in (own, {name: each for name, each in of_file.items() if name not in own}):
        for name in _ATTRIBUTES:
            text = only_text(attributes.get(name))
            if re.search(r"[^\W\d_]", text):  # a number is a code of some table
                found.append(_Statement(name, text, _read(text), attributes is not own))
        standard = only_text(attributes.get("standard_name"))
        # What CF says it is due to may name other substances, and whether it is biomass.
        said = _read(standard.split("_due_to_")[0])
        biogenic = _read(standard).biogenic and bool(said.substance)
        found.append(_Statement("standard_name", standard, said._replace(biogenic=biogenic, read=True), attributes is not own))  # fmt: skip
    return found


def substance_of(
    own: Mapping[Any, Any], of_file: Mapping[Any, Any], *, by_units: str
) -> tuple[str, bool]:
    """Return what attributes other than units say that a raster is of, and whether that is of biomass.

    Parameters
    ----------
    own, of_file
        Attributes of the raster and of its file: substance, species, gas and standard_name are looked at. What the raster itself says comes first.
    by_units
        What the raster's units are of; one gas in CO2e is no contradiction.

    Raises
    ------
    InputError
        If it is none of CO2e, CO2 and C.
    """
    found, biogenic = "", False
    for name, text, said, is_file in _statements(own, of_file):
        if said.substance is None and (by_units == "CO2e" or (is_file and (by_units or found))):
            continue
        if said.substance is None:
            gwp = " Of a gas give the mass in CO2e: multiply by its GWP (AR5, 100 years)." if names_other_gas(text) else ""  # fmt: skip
            raise InputError(
                f"the raster says {name} = {text!r}, which is none of CO2e, CO2 and C",
                hint=f"Give the raster of what is meant, or correct its attribute {name}.{gwp}",
            )
        found, biogenic = found or said.substance, biogenic or said.biogenic
    return found, biogenic


def remarks_of_substance(
    own: Mapping[Any, Any],
    of_file: Mapping[Any, Any],
    where: str,
    *,
    stated: str,
    named: str | None,
) -> list[tuple[Problem, str]]:
    """Return what has to be said of CO2 of biomass, of CO2e by whose GWPs, of one gas in CO2e, and of what is not read.

    Parameters
    ----------
    own, of_file
        Those of :func:`substance_of`.
    where
        The raster, for messages.
    stated
        What the raster is of by all that it says; blank where it does not say.
    named
        The unit that the user names instead.
    """
    found: list[tuple[Problem, str]] = []
    for name, text, said, _ in _statements(own, of_file):
        gwp = _GWP.match(_plain(text))
        if said.biogenic:
            what = f"{name} is {text!r}: CO2 of biomass, which inventories tell apart from their totals"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，属生物源 CO2，清单中单列、不计入总量。"))  # fmt: skip
        elif gwp:
            some = "" if gwp["gases"] in ("", "ghg") else ", of these gases alone"
            what = f"{name} is {text!r}: CO2e by the GWPs of {gwp['set'].upper()} over {gwp['years']} years{some}"
            zh = f"{where}：{name} 为“{text}”，即按 {gwp['set'].upper()} 的 {gwp['years']} 年 GWP 折算的 CO2 当量{'（仅这些气体）' if some else ''}。"
            usual = gwp["years"] == "100" and not some
            found.append((Problem(what, where, level="note" if usual else "warning"), zh))
        elif said.substance is None and stated == "CO2e":
            what = f"{name} is {text!r}: that alone, in CO2e, stands beside all gases of the run"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，仅为该气体的 CO2 当量，而本次运算为所有气体。"))  # fmt: skip
        elif said.substance is None:
            what = f"of the file {name} is {text!r}, and the raster itself says that it is of {stated}, which is taken"
            found.append((Problem(what, where, level="warning"), f"{where}：文件的 {name} 为“{text}”，而栅格自身注明为 {stated}，按后者处理。"))  # fmt: skip
        elif not said.read and not stated:
            what = f"{name} is {text!r}, which names no substance that is read: what --unit says is taken, {named}"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，无法识别其物质，按 --unit（{named}）处理。"))  # fmt: skip
    return found
