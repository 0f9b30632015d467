"""What a raster says that it is of: carbon, CO2, CO2e, CO2 of biomass, or something that is none of these and never read as one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from carbongrid.analysis.published.attributes import only_text
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.units_of_measure import names_other_gas
from carbongrid.method.landuse import packaged_table

_ATTRIBUTES = ("substance", "species", "gas", "pollutant")
_OF_THE_VARIABLE = "the name of the variable"
_MARKS = re.compile(r"<[^<>]*>|[${}]")
"""Around what stands low or high: CO$_2$, yr$^{-1}$, CO<sub>2</sub>."""
_SIGNS = str.maketrans("₂₄₆₃_-‐‑–—", "2463      ")
_GWP = re.compile(r"gwp ?(?P<years>[0-9]+) (?P<set>ar[0-9]|sar|tar)\b ?(?P<gases>.*)")
"""As EDGAR names CO2e: GWP_100_AR5_GHG."""
_BIOMASS = r"bio|short cycle(?: org\w*)?(?: c(?:arbon)?(?![a-z0-9]))?|(?<![a-z])bf(?![a-z])|生物"
_OF_BIOMASS = re.compile(rf"{_BIOMASS}|(?<=co2)bf")
_NOT_OF_BIOMASS = re.compile(
    rf"\bnon\W*(?:{_BIOMASS})\w*|(?:\bexcl\w*|\bno\b|\bnot\b|without|w/o|不含)\W*(?:(?:[a-z0-9]+ ){{0,2}}?|(?:(?:co2|emissions?|from|of|the|combustion|burning|use) ){{3,6}})(?:{_BIOMASS})\w*(?: (?:co2|c|carbon(?: dioxide)?)(?![a-z0-9]))?|(?:{_BIOMASS})\w*(?: [a-z0-9]+){{0,2}}? (?:excl\w*|not(?: included)?)(?=\W*$|[,;)])|生物\S*除外"
)
_EQUIVALENT = re.compile(
    r"(?:co2|carbon dioxide|二氧化碳) ?[(.]? ?(?:e(?![a-z])|eq(?![a-z])\.?|[eé]quiv\w*\.?|äq\w*|当量)\)?|(?:(?<![a-z])[eé]quiv\w*|(?<![a-z])eq\.?|(?<![a-z])e) ?co2(?![a-z0-9])"
)
"""All ways to write CO2e: CO2-eq, CO2 (equivalent), eq. CO2."""
_WORKED_OUT_FROM = re.compile(
    r"(?P<what>.*?)\b(?:from|by|via|using|based on|relative to)\b(?P<source>.*)"
)
"""CO from CO2 is CO, and CO2 by a ratio to CO is CO2."""
_A_RATIO = re.compile(
    r"[\w.]+ ?(?:[/:]|to\b) ?[\w.]+(?: emissions?)? ratio\b|(?:emission )?ratio of [\w.]+ to\b"
)
"""Of one gas to the other, as CO/CO2 ratio; CO2 by the method of a CO ratio is CO2."""
_GHG_IN_A_LIST = re.compile(
    r"(?<![a-z0-9])(?:ghgs?|greenhouse gases|温室气体) ?(?:[,;/+&，；、和及与]|and\b)|(?:[,;/+&，；、和及与]|\band) ?(?:ghgs?\b|greenhouse gases|温室气体)"
)
"""With air pollutants, say; CH4 that is called a greenhouse gas is CH4."""
_CO_ALONE = re.compile(r"(?:(?:19|20)\d\d[ _.-])?CO(?:[ _.-](?:19|20)\d\d(?:[_.-]?\d\d){0,2})?")
"""With its year or date or without; CO2_2015, CO2015 and CO_2 are CO2."""
_EMISSION = r"em(?:is?|issions?)?"
_CATEGORY = re.compile(r"\b[1-7]\.?[A-Z]\.?[0-9]?\.?[a-z]*\b")
"""Of the IPCC, such as 1.A.1.bc, which is no black carbon."""
_GLUED = re.compile(r"(?<![A-Za-z])(?:[kMGTPmuµμ]?g|[kMG]?t)(?=[A-Z])")
"""A mass before what it is of, as in kgOC and tCH4."""

_NO_MASS_OF_A_TIME = {
    re.compile(r"(?<![A-Za-z])(?:[munpk]|µ|μ)?mol(?:e|es|ec|ecules?)?s?(?![a-z])|摩尔|分子"): "an amount of molecules, no mass",
    re.compile(r"(?<![A-Za-z])pp[mbt]v?(?![A-Za-z])"): "a concentration, no mass",
    re.compile(r"(?<![A-Za-z])(?:[kMGTPmuµμ]?g|[kMG]?t)\s?(?:NO?|S)(?![\w^*⁻−-])"): "of another substance than CO2e, CO2 or C",
    re.compile(r"(?<![A-Za-z])(?:[munpkMGT]|µ|μ)W(?![A-Za-z])|(?<![A-Za-z])W\s*(?:/\s*)?c?m(?![A-Za-z])|^\s*W\s*$|(?<![A-Za-z])sr(?![A-Za-z])|\b[Ww]atts?\b"): "light or power, no mass",
    re.compile(r"(?<![A-Za-z])(?:[kMGTPE]?Wh|[kMGTPE]J|[kMG]cal|[kM]?tce|[kM]?toe)(?![A-Za-z])|^\s*J\s*$|标准煤|千瓦时"): "energy, no mass",
    re.compile(r"(?:/\s*|\bper\s+)(?:min|minutes?|weeks?)\b|(?<![A-Za-z])(?:min|minutes?|weeks?)\s?(?:\^|\*\*)?[-⁻−][1¹]|分钟|[/每]周"): "per minute or week, a time that is not read",
}  # fmt: skip


class _Said(NamedTuple):
    """A substance that is said: CO2e, CO2 or C; blank where none is or several are, and None where it is another one.

    ``expressed`` is whether it says that the mass is told as that of this substance, whatever is emitted.
    """

    substance: str | None
    biogenic: bool = False
    read: bool = True
    expressed: bool = False


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
    if not found and named_by_units(units) is None and not names_other_gas(units):
        return "of another substance than CO2e, CO2 or C"
    return found


def named_by_units(units: str) -> str | None:
    """Return the substance that units name, also such as are not read: CO2e, CO2 or C; blank where none is or several are, and None where it is another one."""
    return _read(_GLUED.sub(r"\g<0> ", units)).substance


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


@cache
def _short_codes() -> re.Pattern[str]:
    """Return a pattern of codes of two letters, with emission beside them where it is: else they are also numbers, times, places and regulations."""
    codes = "|".join(word for word, substance in _words()[1].items() if substance == "other" and re.fullmatch("[a-z]{2}", word))  # fmt: skip
    return re.compile(
        rf"^no$|(?P<before>(?<![a-z]){_EMISSION} (?:of )?)?(?<![a-z0-9])(?:{codes})(?![a-z0-9])(?P<after> {_EMISSION}(?![a-z])| ?排放)?"
    )


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
    plain = _NOT_OF_BIOMASS.sub(" ", _plain(text))  # CO2 without that of biomass is CO2
    pattern, named = _words()
    words = {named[each] for each in pattern.findall(plain)}
    if derived := _WORKED_OUT_FROM.fullmatch(plain):
        what, source = ({named[each] for each in pattern.findall(derived[part])} for part in ("what", "source"))  # fmt: skip
        if what - {""} and source <= {"CO2", "C", "GHG", "other", ""}:
            words = what
    biogenic = bool(_OF_BIOMASS.search(plain))
    if "CO2e" in words or _GWP.match(plain):
        return _Said("CO2e")
    if "several" in words:
        return _Said("", read=False)
    # "No" is nitric oxide where it is all that is said.
    if plain == "no" or "not CO2" in words:
        return _Said(None)
    if "other" in words and "CO2" not in words:
        listed = "GHG" in words and _GHG_IN_A_LIST.search(plain)
        return _Said("", read=False) if listed else _Said(None)
    if "other" in words and _A_RATIO.match(plain):
        return _Said(None)
    if "other" in words:  # of a file with several gases the attribute may list them all
        return _Said("", biogenic)
    if "as CO2" in words:
        return _Said("CO2", biogenic, expressed=True)
    if "as C" in words:
        return _Said("C", biogenic, expressed=True)
    if words >= {"CO2", "C"}:  # which of both the mass is of is not said
        return _Said("", biogenic, read=False)
    found = next((each for each in ("CO2", "C") if each in words), "CO2e" if "GHG" in words else "")
    return _Said(found, biogenic and found != "CO2e", read=bool(found))


class _Statement(NamedTuple):
    """An attribute that may name a substance, what it says, whether it is the file's alone, and whether it is a name for people, which may name much and decides nothing."""

    name: str
    text: str
    said: _Said
    of_file: bool
    for_people: bool = False

    def of_another_mass(self, by_units: str) -> bool:
        """Tell whether this is of carbon and units of CO2, or the other way round; carbon of CO2 is no contradiction."""
        if {by_units, self.said.substance} == {"C", "CO2"}:
            return self.said.substance == "C" or self.said.expressed
        return {by_units, self.said.substance} == {"C", "CO2e"}


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


def _names(own: Mapping[Any, Any], variable: str, *, unsaid: bool) -> list[_Statement]:
    """Return what names for people say, which may name much: they are told of and decide nothing.

    CO alone, or with a year, is Colorado, too: it is a gas in capitals, and where the raster does not say of what it is.
    """

    def said(text: str) -> _Said:
        if unsaid and _CO_ALONE.fullmatch(text.strip()):
            return _Said(None)
        plain = _plain(_CATEGORY.sub(" ", text))
        return _read(_short_codes().sub(lambda code: code[0] if code["before"] or code["after"] else " ", plain))  # fmt: skip

    texts = {"long_name": only_text(own.get("long_name")), _OF_THE_VARIABLE: variable}
    return [_Statement(name, text, said(text), of_file=False, for_people=True) for name, text in texts.items()]  # fmt: skip


def substance_of(
    own: Mapping[Any, Any], of_file: Mapping[Any, Any], *, by_units: str, named: str
) -> tuple[str, bool]:
    """Return what a raster is of by its units, else by its other attributes, and whether that is of biomass.

    Parameters
    ----------
    own, of_file
        Attributes of the raster and of its file: substance, species, gas, pollutant and standard_name are looked at. What the raster itself says comes first.
    by_units
        What the raster's units are of; one gas in CO2e is no contradiction, nor is the carbon of CO2.
    named
        What the unit that the user names is of: it decides where units and attributes contradict each other.

    Raises
    ------
    InputError
        If it is none of CO2e, CO2 and C, or units or attributes of the raster are of carbon and others are not.
    """
    naming, biogenic = list[_Statement](), False
    for statement in _statements(own, of_file):
        name, text, said, is_file, _ = statement
        if not (named or is_file) and statement.of_another_mass(by_units):
            raise InputError(
                f"the raster's units are of {by_units}, and {name} = {text!r} is of {said.substance}: one is 44/12 of the other",
                hint=f"If the units are right, name them, too: --unit; else correct them, or its attribute {name}.",
            )
        if said.substance is None and (by_units == "CO2e" or (is_file and (by_units or naming))):
            continue
        if said.substance is None:
            gwp = " Of a gas give the mass in CO2e: multiply by its GWP (AR5, 100 years)." if names_other_gas(text) else ""  # fmt: skip
            raise InputError(
                f"the raster says {name} = {text!r}, which is none of CO2e, CO2 and C",
                hint=f"Give the raster of what is meant, or correct its attribute {name}.{gwp}",
            )
        naming += [statement] if said.substance else []
        biogenic = biogenic or said.biogenic
    return by_units or _decided(naming, named), biogenic


def _decided(naming: Sequence[_Statement], named: str) -> str:
    """Return the substance that a raster is of by statements that name one each: its own, and those of its file where it has none; blank where there are none.

    Raises
    ------
    InputError
        If they are of carbon and of CO2 or CO2e, and no unit names the one that is meant.
    """
    of_file = [each for each in naming if each.of_file]
    own = [each for each in naming if not each.of_file] or of_file
    if _of_carbon_and_not(own):  # of CO2 beside CO2 as carbon the latter says more
        own = [each for each in own if each.said.expressed] or own
    confirmed = [each for each in (*own, *of_file) if each.said.substance == named]
    if _of_carbon_and_not(own) and not confirmed:
        one, other = own[0], next(each for each in own if _of_carbon_and_not((own[0], each)))
        raise InputError(
            f"the raster says {one.name} = {one.text!r}, which is of {one.said.substance}, and {other.name} = {other.text!r}, which is of {other.said.substance}: one is 44/12 of the other",
            hint=f"Name the one that the mass is of: --unit; or correct the attribute {other.name}.",
        )
    if _of_carbon_and_not((*own[:1], *confirmed[:1])):
        return named
    return next((each.said.substance for each in own if each.said.substance), "")


def _of_carbon_and_not(statements: Sequence[_Statement]) -> bool:
    """Tell whether some statements are of carbon and others of CO2 or CO2e."""
    substances = {each.said.substance for each in statements}
    return "C" in substances and len(substances) > 1


def remarks_of_substance(
    own: Mapping[Any, Any],
    of_file: Mapping[Any, Any],
    where: str,
    *,
    by_units: str,
    stated: str,
    named: str | None,
    taken: str,
    variable: str,
) -> list[tuple[Problem, str]]:
    """Return what has to be said of CO2 of biomass, of CO2e by whose GWPs, of one gas in CO2e, of what is not read, and of what says another thing than what is taken.

    Parameters
    ----------
    own, of_file
        Those of :func:`substance_of`.
    where
        The raster, for messages.
    by_units
        What the raster's units are of; blank where they do not say.
    stated
        What the raster is of by all that it says; blank where it does not say.
    named
        The unit that the user names instead.
    taken
        What the raster is taken to be of.
    variable
        Its own name in its file.
    """
    found: list[tuple[Problem, str]] = []
    statements = _statements(own, of_file)
    if all(each.said.substance == "" for each in statements):
        names = _names(own, variable, unsaid=not stated)
        named_so = any(each.said.substance for each in names)
        # One of them: variables are often called as their long_name says.
        statements += [each for each in names if _tells(each, taken, named_so=named_so)][:1]
    for statement in statements:
        name, text, said, *_ = statement
        name_zh = "变量名" if name == _OF_THE_VARIABLE else name
        gwp = _GWP.match(_plain(text))
        contradicts = by_units and said.substance and said.substance != by_units
        if contradicts and not statement.for_people:
            found.append(_of_two_substances(statement, by_units, where))
        elif not (by_units or statement.for_people) and statement.of_another_mass(taken):
            of = "of the file " if statement.of_file else ""
            what = f"{of}{name} is {text!r}, which is of {said.substance}, and what is taken is {taken}: one is 44/12 of the other"
            found.append((Problem(what, where, level="warning"), f"{where}：{'文件的 ' if of else ''}{name} 为“{text}”（{said.substance}），而按 {taken} 处理，两者相差 44/12 倍。"))  # fmt: skip
        if said.biogenic:
            what = f"{name} is {text!r}: CO2 of biomass, which inventories tell apart from their totals"
            found.append((Problem(what, where, level="warning"), f"{where}：{name_zh} 为“{text}”，属生物源 CO2，清单中单列、不计入总量。"))  # fmt: skip
        elif gwp and by_units in ("", "CO2e"):
            some = "" if gwp["gases"] in ("", "ghg") else ", of these gases alone"
            what = f"{name} is {text!r}: CO2e by the GWPs of {gwp['set'].upper()} over {gwp['years']} years{some}"
            zh = f"{where}：{name} 为“{text}”，即按 {gwp['set'].upper()} 的 {gwp['years']} 年 GWP 折算的 CO2 当量{'（仅这些气体）' if some else ''}。"
            usual = gwp["years"] == "100" and not some
            found.append((Problem(what, where, level="note" if usual else "warning"), zh))
        elif said.substance is None and taken == "CO2e":
            what = f"{name} is {text!r}: that alone, in CO2e, stands beside all gases of the run"
            found.append((Problem(what, where, level="warning"), f"{where}：{name_zh} 为“{text}”，仅为该气体的 CO2 当量，而本次运算为所有气体。"))  # fmt: skip
        elif statement.for_people:
            what = f"{name} is {text!r}, and what is taken is {taken}: look whether this is the raster that is meant"
            found.append((Problem(what, where, level="warning"), f"{where}：{name_zh} 为“{text}”，而按 {taken} 处理；请核对是否为所需栅格。"))  # fmt: skip
        elif said.substance is None:
            what = f"of the file {name} is {text!r}, and the raster itself says that it is of {stated}, which is taken"
            found.append((Problem(what, where, level="warning"), f"{where}：文件的 {name} 为“{text}”，而栅格自身注明为 {stated}，按后者处理。"))  # fmt: skip
        elif not said.read and not stated:
            what = f"{name} is {text!r}, which names no substance that is read: what --unit says is taken, {named}"
            found.append((Problem(what, where, level="warning"), f"{where}：{name} 为“{text}”，无法识别其物质，按 --unit（{named}）处理。"))  # fmt: skip
    return found


def _tells(name: _Statement, taken: str, *, named_so: bool) -> bool:
    """Tell whether a name for people says another thing than what is taken, while no other name is of CO2e, CO2 or C, or biomass."""
    said = name.said
    other_gas = said.substance is None and not named_so
    another = other_gas or (said.expressed and name.of_another_mass(taken))
    return another or (said.biogenic and said.substance == "CO2")


def _of_two_substances(statement: _Statement, by_units: str, where: str) -> tuple[Problem, str]:
    """Tell of units of one substance beside an attribute that names another one of CO2e, CO2 and C."""
    name, text, said, *_ = statement
    if by_units == "C" and not statement.of_another_mass(by_units):
        what = f"the units are of C and {name} is {text!r}: a value is taken as the mass of its carbon, 12/44 of that of CO2"
        return Problem(what, where, level="note"), f"{where}：单位为 C，{name} 为“{text}”，数值按其中碳的质量处理（CO2 的 12/44）。"  # fmt: skip
    if by_units == "CO2e" and said.substance == "CO2":
        what = f"the units are of CO2e and {name} is {text!r}: if that is CO2 alone, it stands beside all gases of the run"
        return Problem(what, where, level="warning"), f"{where}：单位为 CO2e，{name} 为“{text}”；若仅含 CO2，则与本次运算的所有气体并列。"  # fmt: skip
    what = f"the units are of {by_units} and {name} is {text!r}, which is of {said.substance}: what the units say is taken"
    return Problem(what, where, level="warning"), f"{where}：单位为 {by_units}，{name} 为“{text}”（{said.substance}），按单位处理。"  # fmt: skip
