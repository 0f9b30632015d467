"""Units of activities and of factors, read exactly: alone knows pint.

A unit becomes a scale (a Fraction, to gram, metre, second, joule = g m2 s-2), a dimension and a substance: ``kg CO2/kWh`` is
1000/3.6e9 of mass over energy, of CO2. All amounts are of one year, so ``yr`` counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from carbongrid.errors import InputError, require_extra
from carbongrid.inventory.units_of_measure import (
    CHINESE_POWERS,
    GRAMS_OF_WORDS,
    NUMBER,
    NUMBER_WORDS,
    SUBSTANCE_NAMES,
    grouped_number,
    in_usual_width,
    require_no_lost_power,
)
from carbongrid.method.landuse import packaged_table

Dimension = tuple[tuple[str, Fraction], ...]
"""Base dimensions and their powers, sorted by name."""

_DEFINITIONS = (
    "metre = [length] = m",
    "gram = [mass] = g",
    "second = [time] = s",
    "kilo- = 1000 = k-",
    "mega- = 1000000 = M-",
    "giga- = 1000000000 = G-",
    "tera- = 1000000000000 = T-",
    "peta- = 1000000000000000 = P-",
    "exa- = 1000000000000000000 = E-",
    "tonne = 1000000 * gram = t",
    "hectare = 10000 * metre ** 2 = ha = hm2",
    "mu = hectare / 15",
    "litre = metre ** 3 / 1000 = L",
    "Nm3 = metre ** 3",
    "hour = 3600 * second = h",
    "day = 24 * hour",
    "joule = kilogram * metre ** 2 / second ** 2 = J",
    "watt = joule / second = W",
    "watt_hour = watt * hour = Wh",
    "tce = 29.3076 * gigajoule",
    "gce = tce / 1000000",
    "calorie = 41868 * joule / 10000 = cal",
    "toe = 10000000000 * calorie",
    "goe = toe / 1000000",
    "milligram = gram / 1000 = mg",
    "head = [animal]",
    "person = [person]",
    "vehicle = [vehicle]",
    "pkm = person * kilometre",
    "tkm = tonne * kilometre",
    "vkm = vehicle * kilometre",
    "usgallon = 3785.411784 * metre ** 3 / 1000000",
    "ukgallon = 4546.09 * metre ** 3 / 1000000",
    "barrel = 42 * usgallon = bbl",
    "foot = 3048 * metre / 10000 = ft",
    "mile = 5280 * foot = mi",
    "acre = 43560 * foot ** 2 = ac",
    "percent = 1 / 100",
)
"""tce: 7000 kcal of 4.1868 J a gram, the definition of standard coal (docs/decisions/0015); the calorie of the International Tables, and oil of 10,000 kcal a kg. There is no milli-: who writes ``mt`` or
``mtkm`` means a million, or a metric ton, but never the thousandth."""

_CHINESE = {
    "克": "g", "千克": "kg", "公斤": "kg", "吨": "t", "公吨": "t", "トン": "t",
    "千瓦时": "kWh", "度": "kWh", "千瓦": "kW", "兆瓦时": "MWh", "吉瓦时": "GWh", "太瓦时": "TWh", "千卡": "kcal", "大卡": "kcal", "焦": "J", "千焦": "kJ", "兆焦": "MJ", "吉焦": "GJ", "太焦": "TJ",
    "吨标准煤": "tce", "吨标煤": "tce", "千克标准煤": "kgce", "公斤标准煤": "kgce", "吨标准油": "toe", "吨油当量": "toe", "千克标准油": "kgoe", "千克油当量": "kgoe", "公斤标准油": "kgoe", "公斤油当量": "kgoe",
    "亩": "mu", "公顷": "ha", "平方米": "m2", "平方公里": "km2", "平方千米": "km2",
    "立方米": "m3", "标准立方米": "m3", "标立方米": "m3", **dict.fromkeys(("方", "标方", "立方", "标准立方", "标立方"), "m3"), "升": "L",
    "头": "head", "只": "head", "匹": "head", "羽": "head", "头只": "head", "人": "person",
    "吨公里": "tkm", "人公里": "pkm", "车公里": "vkm", "辆公里": "vkm", "天": "day", "日": "day",
}  # fmt: skip
_ALIASES = {"cap": "person", "capita": "person", "heads": "head", "persons": "person", "people": "person", "passenger": "person", "passengers": "person",
            "days": "day", "d": "day", "l": "L", "kl": "kL", "tec": "tce", "vehicles": "vehicle", "%": "percent", "fraction": "", "1": ""}  # fmt: skip
_YEAR = {"yr", "yrs", "y", "a", "year", "years", "年"}
_A_YEAR = f"(?:{'|'.join(sorted(_YEAR, key=len, reverse=True))})"
FLUORINATED = (
    "HFC-23", "HFC-32", "HFC-125", "HFC-134a", "HFC-143a", "HFC-152a", "HFC-227ea", "HFC-236fa", "HFC-245fa",
    "CF4", "C2F6", "C3F8", "SF6", "NF3",
)  # fmt: skip
"""Gases with fluorine that are counted by themselves."""

SUBSTANCES = ("CO2e", "CO2", "CH4", "N2O", "C", "CE", "N2O-N", "N", "BOD", "COD", *FLUORINATED)
"""What a numerator may be of; the unit decides whether a mass is of C or of CO2, of N or of N2O."""
_CALLED = {name: of for name, of in SUBSTANCE_NAMES.items() if len(name) > 1} | {
    gas.lower().replace("hfc-", f"hfc{joint}"): gas
    for gas in ("CH4", "N2O", "N2O-N", *FLUORINATED)
    for joint in ("-", " ", "")
}
"""Substances by their names in small letters, with those of gases that are not joined by a hyphen."""
_SYNONYMS = {"BOD5": "BOD", "C-eq": "CE", "碳": "C", "氮": "N", "甲烷": "CH4", "氧化亚氮": "N2O"}
_NAMES_OF_SUBSTANCES = "|".join(sorted(_CALLED, key=len, reverse=True))
_EQUIVALENTS = {"ce": "gce", "oe": "goe"}
"""What stands behind a mass of coal or oil that energy is told by, and what a gram of it is."""
_MARKS = str.maketrans("（）／·⋅∙•・‐‑‒–−", "()/     -----")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_LOWERED = str.maketrans("₂₃₄₅₆₈", "234568")
_POWER_OF_TEN = re.compile(r"(?<![0-9.])10([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})(?![⁰¹²³⁴⁵⁶⁷⁸⁹])")
_OF_A_LETTER = re.compile(r"(?<=[A-Za-z])(?:[²³](?![⁰¹²³⁴⁵⁶⁷⁸⁹])|[₂₃₄₅₆₈])")
_MULTIPLIER = re.compile(
    rf"(?:(?P<number>(?!10\^){NUMBER})\s*[x×*]?\s*)?(?:10\^(?P<power>\d{{1,2}}))?"
)
_CHINESE_POWER = re.compile(
    "(" + "|".join(sorted(CHINESE_POWERS, key=len, reverse=True)) + ")?(.+)"
)
_PLAIN_WORD = re.compile(r"[A-Za-z]{1,12}[23]?")
"""What is handed to pint: no powers of its own, which could be of any size."""
_FAR = re.compile(
    r"(?:[MGTPE]m|(?:mega|giga|tera|peta|exa)metre)[23]?"
    r"|(?:[kMGTPE]|kilo|mega|giga|tera|peta|exa)(?:ft|foot|mi|mile|ac|acre|usgallon|ukgallon|barrel|bbl)s?2?"
)
"""A megametre, and its cube, which whoever writes Mm3 for a million m3 does not mean; Mbbl, which is a thousand barrels to some."""
_INDEX = re.compile(r"([A-Za-z])(\d)$")


def _basis(names: str) -> re.Pattern[str]:
    """Return a pattern of a calorific value behind a unit of energy, by its names, in brackets or not."""
    said = rf"(?:by\s+)?(?:{names})(?:\s+basis)?"
    return re.compile(rf"(?i)(?<=[^\s/,;_-])[\s,;_-]*(?:[(\[]\s*{said}\s*[)\]]|{said}(?![A-Za-z]))")


_SPELLINGS: dict[re.Pattern[str], str | Callable[[re.Match[str]], str]] = {
    # Heavy and light commercial vehicles: behind a distance HCV and LCV are no calorific values.
    **{re.compile(rf"(?i)(km|kilomet(?:re|er)s?|miles?|公里)[\s,;_-]*(?:\bof\s+)?(?:[(\[]\s*{kind[0]}CVs?\s*[)\]]|{kind[0]}CVs?(?![A-Za-z]))"): rf"\1 {kind} " for kind in ("heavy-vehicles", "light-vehicles")},
    _basis(r"NCV|LHV|LCV|NHV|PCI|(?-i:H[iu])|(?:net|lower|low|inferior)[ -](?:calorific(?: value)?|heat(?:ing)? value|C\.?V\.?)|(?:unterer )?Heizwert|净热值|(?:收到基|平均)?低位?(?:发热[量值]|热值)|低位"): " NCV ",
    _basis(r"GCV|HHV|HCV|GHV|PCS|(?-i:H[so])|(?:gross|higher|high|upper|superior)[ -](?:calorific(?: value)?|heat(?:ing)? value|C\.?V\.?)|(?:oberer )?Brennwert|(?:收到基|平均)?高位?(?:发热[量值]|热值)|高位"): " GCV ",
    re.compile(r"(?i)\((net|gross)\)"): r" \1 ",
    re.compile(
        "((?<![A-Za-z])(?:[kMGTPm]?g|[kMG]?t|lb)|[吨克斤])"
        "(?=(?i:CO2|二氧化碳|CH4|N2O|HFC|CF4|C2F6|C3F8|SF6|NF3)|BOD|COD|[CN](?![A-Za-z0-9-])|甲烷|氧化亚氮|碳|氮)"
    ): r"\1 ",
    re.compile(f"(?i)(?<![A-Za-z0-9])(?:{_NAMES_OF_SUBSTANCES})(?![A-Za-z0-9-])"): lambda match: _CALLED[match[0].lower()],
    re.compile(r"(?i)(?<=\s)(?:of|de)\s+(?=\S)"): "",
    **{re.compile(rf"(?i)\b{word}\s+(?=\S)"): f"10^{power} " for word, power in NUMBER_WORDS.items()},
    re.compile(r"(?<=[百千万亿億])\s+(?=\S)"): "",
    re.compile(r"(?ai)\b(short|long|metric)[ -](ton(?:ne)?)s?\b"): r"\1\2",
    re.compile(r"(?ai)\b(met|kilomet|lit|kilolit|megalit)(?:re|er)s?\b"): lambda match: f"{match[1].lower()}re",
    re.compile(r"(?ai)\b(?:kilo|mega|giga|tera|peta|exa)?(?:gram|tonne|hectare|joule|calorie|watt|hour|day|head|person|people|capita|passenger|vehicle|barrel|percent)s?\b"): lambda match: match[0].lower(),
    re.compile(r"(?ai)\boil equivalent\b"): "oe",
    re.compile(r"(?ai)\b(?:standard )?coal equivalent\b"): "ce",
    re.compile(r"(?<=[吨克斤])\s+(?=标准煤|标煤|标准油|油当量)"): "",
    re.compile(r"(?ai)\bU\.?S\.? ?gal(?:lons?|\b)"): "usgallon",
    re.compile(r"(?ai)\b(?:U\.?K\.?|imp(?:\.|erial)?) ?gal(?:lons?|\b)"): "ukgallon",
    re.compile(r"(?a)\b[Kk][Ww]\.?[Hh]\b"): "kWh",
    re.compile(r"(?a)\b([MGT])[Ww]\.?[Hh]\b"): r"\1Wh",
    re.compile(r"(?a)(?<=[A-Za-z])(?:\^|\*\*)([23])(?![0-9])"): r"\1",
    re.compile(r"(?a)\b([kMG]?t|(?i:tonnes?|shortton|longton|metricton(?:ne)?)|persons?|passengers?|vehicles?)-(?=km\b|kilomet|mi\b|miles?\b)"): r"\1 ",
    re.compile(r"(?ai)\b(?:sq\.?|square) ?(?:km|kilometre)\b"): "km2",
    re.compile(r"(?ai)\b(?:sq\.?|square) ?(?:m|metre)\b"): "m2",
    re.compile(r"(?ai)\b(?:cu\.?|cubic) ?(?:m|metre)\b"): "m3",
    re.compile(r"\bMMT\b"): "Mt",
    re.compile(r"(?i)\b(?:lbs?|pounds?)\b\.?"): "lb",
    re.compile(r"(?i)\bacres?\b"): "acre",
    re.compile(r"(?i)\bmiles?\b"): "mile",
    re.compile(r"(?i)\b(?:cubic feet|cu\.? ft\b)"): "ft3",
    re.compile(r"(?i)\b(?:square feet|sq\.? ft\b)"): "ft2",
    re.compile(r"(?i)\bvehicle[ -]miles?\b"): "vehicle mile",
    re.compile(rf"(?<![A-Za-z0-9])({_A_YEAR})(?:(?:\^|\*\*)?-1|⁻¹)(?![0-9])"): r"/\1",
    re.compile(rf"(?a)\bper\s+(?={_A_YEAR}(?![A-Za-z]))"): "/",
    re.compile(rf"^\s*/\s*(?={_A_YEAR}\s*$)"): "1/",
}  # fmt: skip
"""What is written instead of a spelling, in this order: kinds of vehicles, calorific values, a mass apart from what it is of, names of that, powers of ten, then units. Of tCE nobody knows whether it is tce, and of mwh whether the m is large."""
_UNSURE = (
    (re.compile(r"(?i)(?:[km]|kilo|mega)?tons?(?:-(?:km|kilometre|mi|miles?))?"), "a ton is 1000 kg, or a short one of 907 kg", "Write t, short ton, long ton, kt or Mt; t km, or short ton-miles."),
    (re.compile("MT"), "{} is a metric ton in North America and a million of them elsewhere", "Write t, or Mt."),
    (re.compile(r"(?i)m?gal(?:lons?)?"), "a gallon is 3.785 l in the United States, 4.546 l elsewhere", "Write US gal, UK gal, or L."),
    (re.compile(r"(?i)[km]{0,2}btus?|d?therms?"), "fuel is billed in {} of gross calorific value, and factors are by the net one", "Write MJ of net calorific value: of natural gas about 0.90 of the gross one, of oil and coal 0.95; a therm is 105.506 MJ, an MMBtu 1055.06 MJ."),
    (re.compile("(?i)net|gross"), "{} may be by that calorific value, or before or after own use or packing", "Write NCV behind the energy of a fuel by the net one, which is about 0.90 of that by the gross one of natural gas, 0.95 of oil and coal; else the unit alone."),
    (re.compile(r"(?i)(?:[mcs]|mm|ms)?cf|ft3"), "a cubic foot of gas is one at 60 F, and factors are by m3 at 0 or 20 C", "Write MJ of net calorific value; else m3: 1 cubic foot is 0.0283168 m3."),
)  # fmt: skip
"""Words that mean one thing here and another there, what, and the way out."""
_IN_OTHER_LETTERS = {
    symbol.lower(): symbol for symbol in ("kg", "toe", "kgoe", "ha", "km", "GJ", "TJ")
}
"""Symbols that mean nothing else in other letters, small or large, as mt and mg do."""
HINT = "Write for example t, kt, 万吨, GWh, 亿千瓦时, TJ, tce, m3, 亿立方米, ha, 亩, head, 万头, person, t km, 亿吨公里."
"""The way out of a unit that is not known, of an amount."""


@dataclass(frozen=True)
class Unit:
    """A unit that was read.

    Parameters
    ----------
    text
        As written.
    scale
        One of it in gram, metre, second, animal, person, vehicle.
    dimension
        Powers of the base dimensions.
    substance
        One of :data:`SUBSTANCES`, or blank.
    per
        The substance below the line, such as BOD of ``kg CH4/kg BOD``; blank if none.
    bare
        Whether it is a plain number, such as ``fraction`` or ``%``, and not a mass per mass.
    words, per_words
        Words that say of what it is, above and below the line, such as clinker of ``t CO2/t clinker``: those of
        ``data/inventory/unit_words.csv``, which says with what they go. They are in no scale.
    years
        Power of the year, -1 of what is per year; it is in no scale.
    """

    text: str
    scale: Fraction
    dimension: Dimension
    substance: str
    per: str = ""
    bare: bool = False
    words: frozenset[str] = frozenset()
    per_words: frozenset[str] = frozenset()
    years: int = 0


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit:
    """Return a unit of an activity or of a factor.

    Parameters
    ----------
    text
        ``kt``, ``亿千瓦时``, ``10^4 Nm3``, ``kg CO2/kWh``, ``t C/(hm2 yr)`` ...

    Raises
    ------
    InputError
        If a word in it is not known.
    """
    joined = _in_digits(in_usual_width(text))
    for written, word in _SPELLINGS.items():
        joined = written.sub(word, joined)
    parts = _split(joined)
    if not text.strip() or any(not part.strip() for part in parts):
        raise InputError("the unit is blank", hint=HINT)
    scale, powers, bare, years = Fraction(1), dict[str, Fraction](), True, 0
    substances = ["", ""]
    words: tuple[set[str], set[str]] = (set(), set())
    for position, part in enumerate(parts):
        below = position > 0
        factor, dimension, found, plain, of_years = _part(part, text, words[below])
        years += -of_years if below else of_years
        scale = scale / factor if below else scale * factor
        bare = bare and plain
        for name, power in dimension:
            powers[name] = powers.get(name, Fraction(0)) + (-power if below else power)
        substances[below] = found or substances[below]
    kept = tuple(sorted((name, power) for name, power in powers.items() if power))
    above, under = map(frozenset, words)
    return Unit(text, scale, kept, substances[0], substances[1], bare, above, under, years)


@cache
def words_of_units() -> frozenset[str]:
    """Return the words in a unit that say of what it is and measure nothing."""
    return frozenset(packaged_table("inventory/unit_words.csv")["word"])


def _in_digits(text: str) -> str:
    """Return a unit without raised and lowered digits: ``10⁸`` is ``10^8``, ``m³`` is ``m3``; any other stays and is refused."""
    powers = _POWER_OF_TEN.sub(lambda match: f"10^{match[1].translate(_RAISED)}", text)
    return _OF_A_LETTER.sub(
        lambda match: match[0].translate(_RAISED).translate(_LOWERED), powers
    ).translate(_MARKS)


def product_dimension(*factors: tuple[Dimension, int]) -> Dimension:
    """Return the dimension of a product of powers."""
    powers: dict[str, Fraction] = {}
    for dimension, sign in factors:
        for name, power in dimension:
            powers[name] = powers.get(name, Fraction(0)) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


_NAMES = {
    "t": "mass", "kWh": "energy", "m3": "volume", "ha": "area", "head": "animals", "person": "people", "t km": "freight (mass x distance)",
    "pkm": "people x distance", "vkm": "vehicles x distance", "kW": "power", "day": "time", "1": "a plain number",
    "km": "distance", "kg/m3": "density",
}  # fmt: skip


@cache
def _named_dimensions() -> dict[Dimension, str]:
    return {read_unit(text).dimension if text != "1" else (): name for text, name in _NAMES.items()}


def dimension_name(dimension: Dimension) -> str:
    """Return a dimension in words: ``mass``, ``energy``, or its powers."""
    known = _named_dimensions()
    if dimension in known:
        return known[dimension]
    return " x ".join(f"{name.strip('[]')}^{power}" for name, power in dimension)


def _split(text: str) -> list[str]:
    """Split at slashes; a slash inside brackets is none, and N2O per head and year is per both."""
    return re.split(r"/(?![^(]*\))", text)


def _part(part: str, whole: str, words: set[str]) -> tuple[Fraction, Dimension, str, bool, int]:
    """Return scale, dimension and substance of what stands between slashes, whether it is a plain number, and of how many years; words of what it is are added."""
    text = part.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    if grouped_number(text):
        raise InputError(
            f"the unit {whole!r} begins with a number whose thousands are set apart",
            hint="Write the number in the column of the amount, or of the value; one of the unit itself, as in 1000 t, without a mark.",
        )
    match = _MULTIPLIER.match(text)
    scale = Fraction(1)
    if match and match.end() and text[match.end() :].strip():
        if match["number"] and not match["power"]:
            require_no_lost_power(match["number"])
        scale = Fraction(match["number"] or 1) * Fraction(10) ** int(match["power"] or 0)
        text = text[match.end() :].strip()
    dimension: Dimension = ()
    substance, bare, years = "", True, 0
    last: Dimension = ()
    for word in text.replace("*", " ").split():
        if word in _EQUIVALENTS:
            # Of coal or oil equivalent: the mass before it is energy.
            if last != _MASS:
                raise InputError(f"unknown unit {whole!r}", hint=HINT)
            of_one, energy = _word(_EQUIVALENTS[word], whole)
            scale *= of_one
            dimension = product_dimension((dimension, 1), (_MASS, -1), (energy, 1))
            last = ()
            continue
        if word in _YEAR or word in words_of_units():
            years += word in _YEAR
            words |= {word} - _YEAR
            last = ()
            continue
        if _SYNONYMS.get(word, word) in SUBSTANCES:
            substance, last = _SYNONYMS.get(word, word), ()
            continue
        if word == "GCV" and last:  # behind a number alone pcs are pieces
            raise InputError(f"the unit {whole!r} is by the gross calorific value, and factors are by the net one", hint="Work it out by the net one, of which the energy is about 0.90 of that by the gross one of natural gas, 0.95 of oil and coal, and write NCV.")  # fmt: skip
        factor, last = _word(word, whole)
        scale *= factor
        bare = bare and not last
        dimension = product_dimension((dimension, 1), (last, 1))
    if not scale:
        raise InputError(f"the unit {whole!r} is nothing", hint=HINT)
    return scale, dimension, substance, bare, years


_MASS: Dimension = (("[mass]", Fraction(1)),)


def _word(word: str, whole: str) -> tuple[Fraction, Dimension]:
    power = 1
    if not word.isascii():
        match = _CHINESE_POWER.fullmatch(word)
        multiple, rest = (match[1], match[2]) if match else (None, word)
        if word in _CHINESE or not (rest in _CHINESE or _PLAIN_WORD.fullmatch(rest)):
            multiple, rest = None, word
        if not rest.isascii() and rest not in _CHINESE:
            raise InputError(f"unknown unit {whole!r}", hint=HINT)
        power = 10 ** CHINESE_POWERS.get(multiple or "", 0)
        word = _CHINESE.get(rest, rest)
    word = _ALIASES.get(word, word)
    if not word:
        return Fraction(power), ()
    if word.lower() in GRAMS_OF_WORDS:
        return GRAMS_OF_WORDS[word.lower()] * power, _MASS
    for written, why, hint in _UNSURE:
        if written.fullmatch(word):
            raise InputError(f"the unit {whole!r} is not sure: {why.format(word)}", hint=hint)
    if not _PLAIN_WORD.fullmatch(word) or _FAR.fullmatch(word):
        raise InputError(f"unknown unit {whole!r}", hint=HINT)
    registry = _registry()
    try:
        quantity = registry.parse_units(
            _INDEX.sub(r"\1**\2", word) if word not in ("hm2", "Nm3") else word
        )
        root = registry.Quantity(Fraction(1), quantity).to_root_units()
    except Exception:
        meant = _IN_OTHER_LETTERS.get(word.lower())
        hint = f"Did you mean {meant!r}? Small and large letters differ." if meant else HINT
        raise InputError(f"unknown unit {whole!r}", hint=hint) from None
    dimension = tuple(
        sorted((str(name), Fraction(n)) for name, n in dict(root.dimensionality).items())
    )
    return Fraction(root.magnitude) * power, dimension


def require_units() -> None:
    """Raise InputError unless what reads units is installed; called where many would be read, each with the same fault."""
    require_extra("inventory", "pint", purpose="reading units of activity data and of factors")


@cache
def _registry() -> Any:
    # Its own definitions: pint's full table takes 0.2 s to read and knows an "a" for a year and a "head" for nothing.
    require_units()
    import pint

    registry: Any = pint.UnitRegistry(None, non_int_type=Fraction)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry
