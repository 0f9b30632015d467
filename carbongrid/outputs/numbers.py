"""How numbers are written for people: masses, shares, money and indices, in English and in Chinese."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from carbongrid.method.tonnes import at_decimals

if TYPE_CHECKING:
    import pandas as pd


def text_width(text: str) -> int:
    """Return how many characters wide a text is; those of Chinese are as wide as two."""
    if text.isascii():
        return len(text)
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def short_number(value: float) -> str:
    """Return a number with three significant digits, thousands separated, with a minus as it is printed; inf as a sign."""
    if value < 0 and math.isfinite(value):
        return f"−{short_number(-value)}"
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    if rounded:  # 0.9996 is 1.00, not 1.000
        digits = 2 - math.floor(math.log10(abs(rounded)))
    if 1e-4 <= abs(rounded) < 1e15:
        return f"{rounded:,.{max(digits, 0)}f}"
    return f"{rounded:.2e}"


def plain_number(value: float) -> str:
    """Return a number with three significant digits, however small or large, without an exponent."""
    text = short_number(value)
    if "e" not in text:
        return text
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{digits}f}".rstrip("0") if digits else f"{value:,.0f}"


def round_number(value: float) -> str:
    """Return a number that is exact as it stands, such as a power of ten, without zeros that say nothing: 10, not 10.0."""
    text = plain_number(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def index_number(value: float, show: Callable[[float], str] = short_number) -> str:
    """Return an index as shown; where that would be 1 and it is not, with the digits that say on which side of 1 it is."""
    shown = show(value)
    if (
        value == 1
        or not math.isfinite(value)
        or float(shown.replace(",", "").replace("−", "-")) != 1
    ):
        return shown
    return f"{value:.{decimals_beside_1(value)}f}"


def decimals_beside_1(value: float) -> int:
    """Return how many decimals say on which side of 1 a number is that is near to it, and not 1."""
    return math.ceil(-math.log10(abs(value - 1)) - 1e-6)


def interval(value: float, low: float, high: float) -> str:
    """Return an index and, where its interval has a width, the ends of that."""
    shown = index_number(value)
    return f"{shown} ({index_number(low)} – {index_number(high)})" if low < high else shown


def percent(share: float) -> str:
    """Return a share in percent; unknown and infinite as signs, and no exponent however small."""
    if 0 < share < 1e-5:
        return "< 0.001 %"
    return f"{short_number(share * 100)} %" if math.isfinite(share) else short_number(share)


def whole_percent(share: float) -> str:
    """Return a share in whole percent, a dash where it is not known; below and above them as signs, so that nothing is 0 or 100 % that is not."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"


def share_of_draws(share: float) -> str:
    """Return a share of draws in percent with one decimal, never rounded up, so that what is below 90 %, or not all, is not told as that; a dash where it is not known."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.001:
        return "< 0.1 %"
    tenths = math.floor(1000 * share + 1e-9)  # 0.29 * 100 is less than 29
    return f"{tenths / 10:.1f} %" if 0 < tenths < 1000 else f"{tenths // 10} %"


def in_percent(part: float) -> str:
    """Return a share in percent with two decimals, as the study prints them; a dash where it is unknown."""
    if math.isnan(part):
        return "–"
    return "< 0.01 %" if 0 < part < 0.00005 else f"{100 * part:.2f} %"


def change_in_percent(now: int, change: int) -> str:
    """Return a change as a signed percentage; where nothing is there now as a sign, and where it is below a thousandth of a percent, or not quite all, as what it is beyond."""
    if not change:
        return "0 %"
    sign = "+" if change > 0 else "−"
    if not now:
        return f"{sign}∞"
    share = abs(change) / now
    if 0 < share < 1e-5:
        return f"{'<' if change > 0 else '>'} {sign}0.001 %"
    shown = f"{sign}{percent(share)}"
    return f"> {shown}" if shown == "−100 %" and -change < now else shown


def mass_scale(grams: float, decimals: int = 0) -> tuple[float, str]:
    """Return the grams in the unit that suits a mass, and the unit's name.

    It suits the mass as it is shown, with so many decimals beside 1,000 of a unit (none where three digits are): what would read 1,000 t is 1.00 kt.
    """
    for factor, unit, lower in ((1e12, "Mt", 1e9), (1e9, "kt", 1e6)):
        if round(grams / lower, decimals) >= 1000:
            return factor, unit
    return 1e6, "t"


def tonnes(grams: int) -> str:
    """Return whole tonnes, rounded half up in integers."""
    if 0 < grams < 500_000:
        return "< 1"
    return f"{(int(grams) + 500_000) // 1_000_000:,}"


def mass(grams: int) -> str:
    """Return a mass with three digits in the unit that suits it as rounded; no exponent however small."""
    if 0 < abs(grams) < 1000:
        return "< 0.001 t" if grams > 0 else "> −0.001 t"
    rounded = _three_digits(grams)
    scale, unit = mass_scale(abs(rounded))
    return f"{short_number(rounded / scale)} {unit}"


def _three_digits(grams: int) -> int:
    """Return a mass rounded to three digits, once, so that every unit has the same."""
    return _rounded_half_up(grams, 10 ** max(len(str(abs(int(grams)))) - 3, 0))


def _rounded_half_up(grams: int, step: int) -> int:
    """Return a mass rounded to a step in integers, as page.js rounds it; below 0 as above."""
    rounded = (abs(int(grams)) + step // 2) // step * step
    return rounded if grams >= 0 else -rounded


def exact_mass(grams: int) -> str:
    """Return a headline's mass: hundredths of its unit."""
    rounded = _rounded_half_up(grams, int(mass_scale(abs(grams), 2)[0]) // 100)
    scale, unit = mass_scale(abs(rounded), 2)
    if abs(grams) < scale / 100:
        return mass(grams)
    return f"{rounded / scale:,.2f} {unit}".replace("-", "−")


def to_the_gram(grams: int) -> str:
    """Return a mass where a sentence compares with it ("more than"): one below 0.001 t in grams."""
    return f"{grams} g" if 0 < grams < 1000 else mass(grams)


def threshold(now: int, change: int, show: Callable[[int], str]) -> str:
    """Return the mass at which a change ends, and the change in percent of what is there now, if anything is."""
    return f"{show(now + change)} ({change_in_percent(now, change)})" if now else show(change)


def people(count: float) -> str:
    """Return a count of people; a dash where it is unknown."""
    if math.isnan(count):
        return "–"
    return f"{count:,.0f}" if count >= 100 or count == int(count) else short_number(count)


def density(tonnes_per_km2: float) -> str:
    """Return a mass per km2 in whole tonnes, and with three digits below 100 of them; a dash where it is unknown."""
    return f"{tonnes_per_km2:,.0f}" if tonnes_per_km2 >= 100 else short_number(tonnes_per_km2)


def ends(values: pd.Series[Any], show: Callable[[float], str], between: str) -> str:
    """Return the least and the most of some numbers as shown, once where they are shown alike."""
    return between.join(dict.fromkeys(map(show, (values.min(), values.max()))))


def decimals_or_dash(value: float, digits: int) -> str:
    """Return a number at so many decimals, what is not 0 never as 0; a dash where it is unknown."""
    return "–" if math.isnan(value) else at_decimals(value, digits)


def coefficient(value: float, digits: int = 2) -> str:
    """Return a coefficient at so many decimals, with a minus as it is printed, what is not 0 never as 0; a dash where it is unknown, infinite as a sign."""
    return at_decimals(value, digits).replace("-", "−") if math.isfinite(value) else short_number(value)  # fmt: skip


def gini_number(value: float) -> str:
    """Return a Gini or Theil coefficient; where all have as much the sums that it is formed of are rounded, which is 0."""
    return decimals_or_dash(round(value, 12), 3)


def millions_of(currency: str) -> tuple[str, str]:
    """Return what a million of the currency is called, in English and in Chinese."""
    return (
        f"million {currency}".strip(),
        "百万元" if currency == "CNY" else f"百万 {currency}".strip(),
    )


def money(value: int | None) -> str:
    """Return currency units in millions, no exponent however few; a dash where they are unknown."""
    if value is None:
        return "–"
    if 0 < value < 100:
        return f"{value / 1e6:.6f}".rstrip("0")
    return f"{value / 1e6:,.0f}" if value >= 10_000_000 else short_number(value / 1e6)


_WAN = 10**10
"""Grams in 10,000 t, by which Chinese statistics count."""


def mass_in_chinese(grams: int) -> str:
    """Return a mass with three digits, in 10,000 t from there on and in tonnes below."""
    rounded = _three_digits(grams)
    if abs(rounded) >= _WAN:
        return f"{short_number(rounded / _WAN)} 万吨"
    if 0 < abs(grams) < 1000:
        return "< 0.001 吨" if grams > 0 else "> −0.001 吨"
    return f"{short_number(rounded / 1e6)} 吨"


def exact_mass_in_chinese(grams: int) -> str:
    """Return a headline's mass in hundredths of 10,000 t; a smaller one as any mass."""
    if abs(grams) < _WAN:
        return mass_in_chinese(grams)
    return f"{_rounded_half_up(grams, _WAN // 100) / _WAN:,.2f} 万吨".replace("-", "−")


def to_the_gram_in_chinese(grams: int) -> str:
    """Return a mass in Chinese where a sentence compares with it: one below 0.001 t in grams."""
    return f"{grams} 克" if 0 < grams < 1000 else mass_in_chinese(grams)


def tonnes_in_chinese(grams: int) -> str:
    """Return hundredths of 10,000 t, without that unit; what is less than one of them in tonnes, with theirs."""
    if 0 < abs(grams) < _WAN // 100:
        return mass_in_chinese(grams)
    return f"{_rounded_half_up(grams, _WAN // 100) / _WAN:,.2f}"


def ten_thousands(tonnes: float) -> str:
    """Return three digits of 10,000 t, without that unit; what is less than a hundredth of it in tonnes, with theirs."""
    small = 0 < abs(tonnes) < 100
    return mass_in_chinese(round(tonnes * 1e6)) if small else short_number(tonnes / 1e4)


def counted_in(largest: float, factor: float, of: str) -> tuple[float, str]:
    """Return what the numbers of a legend are multiplied by to be in 10,000 t, by ``factor``, and that unit; in tonnes where the largest is less than a hundredth of that."""
    if largest * factor < 0.01:
        return factor * 1e4, f"吨 {of}"
    return factor, f"万吨 {of}"


def hundreds_of_millions_of(currency: str) -> str:
    """Return what 1e8 of the currency are called in Chinese, as statistics there count."""
    return "亿元" if currency == "CNY" else f"亿 {currency}".strip()


def money_in_chinese(value: int | None) -> str:
    """Return currency units in hundreds of millions, no exponent however few; a dash where they are unknown."""
    if value is None:
        return "–"
    if 0 < value < 10_000:
        return f"{value / 1e8:.8f}".rstrip("0")
    return f"{value / 1e8:,.2f}" if value >= 10_000_000 else short_number(value / 1e8)
