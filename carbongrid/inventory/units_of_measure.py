"""Units of mass and of money, read exactly: text in, integer grams or currency units out."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from carbongrid.errors import InputError

MASS_RATE = "t yr-1"
"""Unit of mass in tables for people."""
GRAM_RATE = "g yr-1"
"""Unit of mass inside the package, int64."""
DENSITY = "kg m-2 yr-1"
"""Unit of emission density, float64."""

INT64_MAX = 2**63 - 1
_MAX_DIGITS = 400
"""Decimal exponents beyond this are refused: 1e999999999 would fill the memory as an integer."""

CHINESE_POWERS = {
    "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "億": 8, "十亿": 9, "百亿": 10, "千亿": 11, "万亿": 12,
}  # fmt: skip
"""Powers of ten before a unit in Chinese, of mass, money and activities alike."""
NUMBER_WORDS = {"thousand": 3, "million": 6}
"""The same in English, where a billion is one thing here and another there."""

_SYMBOLS = {
    "g": 1,
    "kg": 10**3,
    "t": 10**6,
    "kt": 10**9,
    "Mt": 10**12,
    "MMT": 10**12,
    "Gt": 10**15,
    "Mg": 10**6,
    "Gg": 10**9,
    "Tg": 10**12,
    "Pg": 10**15,
}
_WORDS_OF_MASS = {
    **dict.fromkeys(("tonne", "metric ton", "metric-ton", "metric tonne", "tonelada"), 10**6),
    "kilotonne": 10**9,
    "megatonne": 10**12,
    "gigatonne": 10**15,
    **dict.fromkeys(("pound", "lb"), Fraction(45359237, 10**5)),
    **dict.fromkeys(("short ton", "short-ton"), Fraction(90718474, 100)),
    **dict.fromkeys(("long ton", "long-ton"), Fraction(10160469088, 10**4)),
    "克": 1,
    "千克": 10**3,
    "公斤": 10**3,
    **dict.fromkeys(("吨", "公吨", "トン"), 10**6),
    **{f"{power}{ton}": 10 ** (zeros + 6) for ton in ("吨", "公吨", "トン", "t") for power, zeros in CHINESE_POWERS.items() if zeros < 10},
}  # fmt: skip
"""Any case, and with an s if there are several. A pound is 453.59237 g by definition, a short ton 2000 of them, a long one 2240."""
_PLURALS = {f"{word}s": grams for word, grams in _WORDS_OF_MASS.items() if word.isascii()}
GRAMS_OF_WORDS = {
    re.sub("[ -]", "", word): Fraction(grams)
    for word, grams in {**_WORDS_OF_MASS, **_PLURALS}.items()
    if word.isascii()
}
"""Grams of a mass that is written out, by its name in small letters and one word: those of activities and of totals are the same."""
_GRAMS = {word: Fraction(grams) for word, grams in {**_SYMBOLS, **_WORDS_OF_MASS, **_PLURALS}.items()}  # fmt: skip
_UNSURE = {
    re.compile(r"(?:.*\s)?(?:MT|mt|M\.T\.)\s*(?:of\s+)?(?:C.*)?"): (
        "MT is a metric ton in North America and a million of them elsewhere",
        "Write t CO2e for metric tons, Mt CO2e for a million of them.",
    ),
    re.compile(r"(?i)(?:.*\s)?(?:k|kilo|mega)?tons?(?![a-z]).*"): (
        "a ton is 1000 kg, a short ton of 907 kg or a long one of 1016 kg",
        "Write t CO2e or metric tons CO2e, short tons CO2e, or long tons CO2e.",
    ),
}
"""Units that mean one thing here and another there, why, and what to write."""
SUBSTANCE_NAMES = {
    **dict.fromkeys(
        ("co2e", "co2eq", "co2-e", "co2 e", "co2-eq", "co2 eq", "co2 equivalent", "co2-equivalent"),
        "CO2e",
    ),
    **dict.fromkeys(("co2当量", "二氧化碳当量"), "CO2e"),
    **dict.fromkeys(("co2", "二氧化碳"), "CO2"),
    **dict.fromkeys(("c", "碳"), "C"),
}
"""What a mass may be of, by what it is called; large letters are small here."""
_CO2_PER_CARBON = Fraction(44, 12)
_OTHER_GAS = re.compile(r"CH4|N2O|SF6|NF3|HFC|PFC|甲烷|氧化亚氮", re.IGNORECASE)

NUMBER = r"(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
"""Pattern of a number before a unit, or of one alone."""
_FACTOR = rf"(?P<factor>(?:{NUMBER}\s*[x×*]\s*)?10\^[0-9]{{1,2}}|{NUMBER}|(?i:{'|'.join(NUMBER_WORDS)})(?=\s))?"
_MASS_WORDS = "|".join(
    word if word in _SYMBOLS else f"(?i:{word})" for word in sorted(_GRAMS, key=len, reverse=True)
)
AMOUNT_OF_MASS = rf"{_FACTOR}\s*(?:{_MASS_WORDS})"
"""Pattern of a unit of mass that does not say of what: kt, 1000 t, thousand tonnes."""
_MASS = re.compile(
    rf"{_FACTOR}\s*(?P<mass>{_MASS_WORDS})(?P<gap>\s*(?:(?:of|de)\s+|-(?=C))?)(?P<substance>.*)"
)
# Not from every blank of a run of them: a cell of 400,000 took minutes.
_PER_YEAR = re.compile(r"(?<!\s)(?:\s*/\s*(?:yr|year|a|年)|\s+(?:yr|a)(?:-1|\^-1)|\s+per\s+year)$")
# The number is taken whole or not at all: the unit of 500 is not its last 0.
_TEXT = re.compile(rf"(?P<value>(?>{NUMBER}))(?![0-9.])\s*(?P<unit>\S.*)")
_COMMA = re.compile("[,，]")
_DECIMAL_COMMA = re.compile(r"[,，][0-9]+\s*[^\s0-9,，][^,，]*")
_OTHER_CASE = re.compile(rf"{_FACTOR}\s*(?P<mass>(?i:kt|kg|t|gt|gg|tg))\s*(?P<substance>\S.*)")
"""Symbols that mean nothing else in other letters, small or large, as mt, mg and MG do."""
_WIDE = re.compile("[\u3000\u3300-\u33ff\uff00-\uffef]+")
"""Letters and digits of full width, kana of half, and signs of a square such as ㎏. NFKC of others would read 5⁴ as 54."""
_APART = re.compile(r"(?<=[百千万亿億])\s+(?=公?吨|トン|t)")
_SCRIPTS = str.maketrans("₂₄₆₃", "2463")
_SUPERSCRIPT = re.compile("10([⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2})")
_LOST_POWER = re.compile("10(?:[2-9]|1[0-9])")
_GROUPED = re.compile(r"[+-]?([0-9]{1,3}(?:[\s,，'’][0-9]{3})+(?:\.[0-9]+)?)(?![0-9])")
_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_MASS_HINT = "Write for example t CO2e, kt CO2, 10000 t CO2e, 万吨 CO2e or t C."

_MONEY_NAMES = {"元": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR"}
_MONEY = re.compile(
    rf"{_FACTOR}\s*(?P<power>{'|'.join(sorted(CHINESE_POWERS, key=len, reverse=True))})?\s*(?P<name>[A-Z]{{3}}|{'|'.join(_MONEY_NAMES)})"
)
_MONEY_HINT = "Write for example 1e8 CNY, 亿元, 1e6 EUR or EUR."


def grams(value: Decimal, unit: str) -> int:
    """Return a mass in whole grams of CO2 or CO2e, rounded once, half to even.

    Parameters
    ----------
    value
        Any finite number.
    unit
        A mass with what it is of, such as ``t CO2e``, ``1e4 t CO2``, ``万吨 CO2e``, ``kt C``. A trailing
        ``/yr`` is taken as said. Carbon becomes CO2 by 44/12, exactly.

    Raises
    ------
    InputError
        If the unit is not known, names a gas that needs a GWP, or the mass exceeds int64.
    """
    return round(exact_grams(value, unit))


def exact_grams(value: Decimal, unit: str) -> Fraction:
    """Return a mass in grams as :func:`grams` does, before it is rounded."""
    per_one, _ = _mass_unit(unit)
    return _counted(value, per_one, f"{value} {unit}", "9.2e12 t")


def gas_of(unit: str) -> str:
    """Return what a mass unit is of: ``CO2e`` or ``CO2`` (carbon is converted to CO2).

    Raises
    ------
    InputError
        As :func:`grams`.
    """
    return _mass_unit(unit)[1]


def grams_of_text(text: str) -> int:
    """Return the grams of a number and a unit in one text, such as ``231.2 Mt CO2``.

    Raises
    ------
    InputError
        If the text does not begin with a number, or with one whose thousands are set apart by blanks, and as :func:`grams`.
    """
    return round(exact_grams_of_text(text))


def exact_grams_of_text(text: str) -> Fraction:
    """Return a mass in grams as :func:`grams_of_text` does, before it is rounded."""
    value, unit = _value_and_unit(text)
    return exact_grams(Decimal(value), unit)


def gas_of_text(text: str) -> str:
    """Return what a mass such as ``231.2 Mt CO2`` is of: ``CO2e`` or ``CO2``.

    Raises
    ------
    InputError
        As :func:`grams_of_text`.
    """
    return gas_of(_value_and_unit(text)[1])


def _value_and_unit(text: str) -> tuple[str, str]:
    require_not_grouped(text)
    number = text.strip()
    if re.fullmatch(NUMBER, number):
        raise InputError(f"{text!r} has no unit", hint=f"Write for example {number} t CO2e.")
    match = _TEXT.fullmatch(number)
    if match is None:
        raise InputError(
            f"{text!r} is not a number with a unit", hint="Write for example 231.2 Mt CO2."
        )
    if _DECIMAL_COMMA.fullmatch(match["unit"]):
        raise InputError(f"{text!r} has a decimal comma", hint="Write a point before decimals, such as 12.5 kt CO2e.")  # fmt: skip
    if _COMMA.match(match["unit"]):
        raise InputError(f"{text!r} has commas between digits", hint="Write nothing between thousands, and a point before decimals: 12500.5 kt CO2e.")  # fmt: skip
    return match["value"], match["unit"]


def currency_units(value: Decimal, unit: str) -> int:
    """Return an amount of money in whole units of the base currency, rounded once, half to even.

    Parameters, and what is raised, are those of :func:`exact_currency`.
    """
    return round(exact_currency(value, unit))


def exact_currency(value: Decimal, unit: str) -> Fraction:
    """Return an amount of money in the base currency.

    Parameters
    ----------
    value
        Any finite number.
    unit
        What one is worth: ``1e8 CNY``, ``亿元``, ``1e6 EUR``, ``EUR``.

    Raises
    ------
    InputError
        If the unit is not known or the amount exceeds int64.
    """
    per_one, name = _money_unit(unit)
    return _counted(value, per_one, f"{value} {unit}", f"9.2e18 {name}")


def base_currency(unit: str) -> str:
    """Return the three letters of the currency: ``CNY`` for ``1e8 CNY`` and for ``亿元``.

    Raises
    ------
    InputError
        If the unit is not known.
    """
    return _money_unit(unit)[1]


def mass_and_substance(unit: str) -> tuple[Fraction, str]:
    """Return the grams of one of a unit of mass, and what it is of: ``CO2e``, ``CO2``, ``C``, or blank where it does not say.

    Parameters
    ----------
    unit
        As for :func:`grams`; what it is of may be left out.

    Raises
    ------
    InputError
        If the unit is not known, is nothing, or is of anything else.
    """
    text = _PER_YEAR.sub("", _plain(unit))
    match = _MASS.fullmatch(text)
    if match is None:
        raise _no_mass(unit)
    written = match["substance"].strip()
    substance = SUBSTANCE_NAMES.get(written.lower(), "")
    if written and not substance:
        goes_on = not match["gap"] and written[0].isalpha() and not _OTHER_GAS.match(written)
        raise _no_mass(unit) if goes_on else _not_carbon(unit, written)
    mass = match["mass"]
    factor = _factor(match["factor"]) * _GRAMS[mass if mass in _GRAMS else mass.casefold()]
    if factor == 0:
        raise InputError(f"the unit {unit!r} is nothing", hint=_MASS_HINT)
    return factor, substance


def as_co2(grams_of_one: Fraction, substance: str) -> Fraction:
    """Return grams of carbon as those of CO2, by 44/12 exactly; of anything else as they are."""
    return grams_of_one * _CO2_PER_CARBON if substance == "C" else grams_of_one


@lru_cache(maxsize=256)
def _mass_unit(unit: str) -> tuple[Fraction, str]:
    factor, substance = mass_and_substance(unit)
    if not substance:
        raise _not_carbon(unit, "")
    return as_co2(factor, substance), "CO2" if substance == "C" else substance


def _no_mass(unit: str) -> InputError:
    for written, (why, hint) in _UNSURE.items():
        if written.fullmatch(_PER_YEAR.sub("", _plain(unit))):
            return InputError(f"the unit {unit!r} is not a unit of mass that is sure: {why}", hint=hint)  # fmt: skip
    other, hint = _OTHER_CASE.fullmatch(_PER_YEAR.sub("", _plain(unit))), _MASS_HINT
    if other and (substance := SUBSTANCE_NAMES.get(other["substance"].strip().lower())):
        symbol = next(each for each in _SYMBOLS if each.lower() == other["mass"].lower())
        meant = f"{other['factor'] or ''} {symbol} {substance}".strip()
        hint = f"Did you mean {meant!r}? Small and large letters differ: Mt is a million tonnes."
    return InputError(f"the unit {unit!r} is not a unit of mass", hint=hint)


def names_other_gas(text: str) -> bool:
    """Tell whether a text names a greenhouse gas whose weight in CO2e depends on a GWP set."""
    return _OTHER_GAS.search(text) is not None


def _not_carbon(unit: str, written: str) -> InputError:
    if names_other_gas(written):
        return InputError(
            f"the unit {unit!r} is of {written}, whose weight in CO2e depends on a GWP set",
            hint="Give the mass in CO2e: multiply by the GWP (AR5, 100 years) and say so in source.",
        )
    if not written:
        return InputError(
            f"the unit {unit!r} does not say of what: CO2e, CO2 or C", hint=_MASS_HINT
        )
    return InputError(
        f"the unit {unit!r} is of {written!r}, expected CO2e, CO2 or C", hint=_MASS_HINT
    )


@lru_cache(maxsize=256)
def _money_unit(unit: str) -> tuple[Fraction, str]:
    match = _MONEY.fullmatch(_plain(unit))
    if match is None or _factor(match["factor"]) == 0:
        raise InputError(f"the currency {unit!r} is not known", hint=_MONEY_HINT)
    factor = _factor(match["factor"]) * 10 ** CHINESE_POWERS.get(match["power"], 0)
    return factor, _MONEY_NAMES.get(match["name"], match["name"])


def in_usual_width(unit: str) -> str:
    """Return a unit with ``ｋｔ`` as ``kt`` and ``㎏`` as ``kg``; raised digits stay."""
    return _WIDE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), unit).strip()


def _plain(unit: str) -> str:
    text = in_usual_width(unit)
    text = _SUPERSCRIPT.sub(lambda match: f"10^{match[1].translate(_DIGITS)}", text)
    return _APART.sub("", text.translate(_SCRIPTS))


def _factor(text: str | None) -> Fraction:
    if not text:
        return Fraction(1)
    if text.lower() in NUMBER_WORDS:
        return Fraction(10 ** NUMBER_WORDS[text.lower()])
    require_no_lost_power(text)
    number, caret, power = text.partition("10^")
    if not caret:
        return Fraction(text)
    number = number.rstrip(" x×*")
    return Fraction(number or 1) * Fraction(10) ** int(power)


def of_percent(text: str) -> str:
    """Return what a percentage is as a number without a unit, ``0.3`` of ``30%``; any other text as it is."""
    number = text.removesuffix("%").strip()
    if number == text or not re.fullmatch(NUMBER, number):
        return text
    return f"{Decimal(number).scaleb(-2).normalize():f}"


def require_no_lost_power(text: str) -> None:
    """Raise InputError for 104 before a unit: a 10⁴ whose 4 is only raised to look at, as workbooks and PDF files have it, comes as 104.

    Raises
    ------
    InputError
        If it is one of 102 to 109 and 1010 to 1019.
    """
    if _LOST_POWER.fullmatch(text):
        power = text.removeprefix("10")
        raise InputError(
            f"{text} before a unit may be a 10^{power} whose {power} was raised",
            hint=f"Write 10^{power} or 1e{power}; or, if {text} is meant, work it into the value.",
        )


def require_not_grouped(text: str) -> None:
    """Raise InputError for 1 200 before a unit: thousands set apart by a blank are also a number and a unit, 1 of 200 kt; 1,200 may be 1.2.

    Raises
    ------
    InputError
        If one to three digits come first, then a blank, a comma or an apostrophe and three digits, once or more.
    """
    written = grouped_number(text.strip())
    if written:
        digits = re.sub("[^0-9.]", "", written)
        if not re.search(r"\s", written):
            raise InputError(f"{text!r} may be {digits}, or have a decimal comma", hint="Write a point before decimals, and nothing between thousands.")  # fmt: skip
        raise InputError(f"{text!r} may be {digits}, or a number and a unit that begins with another", hint=f"Write {digits} if that is meant; else work the number of the unit into it.")  # fmt: skip


def grouped_number(text: str) -> str:
    """Return the number that a text begins with, if its thousands are set apart, as in ``1,200 t`` and ``1 200 t``; else blank."""
    match = _GROUPED.match(text)
    return match[1] if match else ""


def _counted(value: Decimal, per_one: Fraction, text: str, most: str) -> Fraction:
    if not value.is_finite():
        raise InputError(f"{text} is not a finite number")
    if value and abs(value.adjusted()) > _MAX_DIGITS:
        raise InputError(f"{text} is out of any range", hint="Check the number and its unit.")
    exact = Fraction(value) * per_one
    if abs(round(exact)) > INT64_MAX:
        raise InputError(
            f"{text} is more than can be counted exactly ({most})",
            hint="Check the number and its unit.",
        )
    return exact
