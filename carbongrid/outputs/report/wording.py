"""How the report writes numbers, and its Chinese for the words that a run's tables bring."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd

from carbongrid.method.zoning import (
    DERIVED_GDP,
    EITHER_SIDE,
    FEW_SINKS,
)
from carbongrid.outputs.figures.classes import (
    CLOSE,
    INDICATIVE,
    LEVELS,
    NOT_FIRM,
    index_number,
    mass_scale,
    short_number,
)
from carbongrid.outputs.report.notes import WHY_NO_ZONE, note_in_chinese
from carbongrid.outputs.zone_shares import in_percent

CHINESE = {
    **WHY_NO_ZONE,
    DERIVED_GDP: "地区生产总值由上级区域推算",
    EITHER_SIDE: "其 ECC 区间包含 1",
    FEW_SINKS: "参照区域的碳汇低于下限",
    "source": "碳源",
    "balanced": "碳平衡",
    "sink": "碳汇",
    "note": "说明",
    "warning": "警告",
    "error": "错误",
    "area": "按面积",
    "pois": "按兴趣点",
    "people": "按人口",
    "roads": "按修正道路长度",
    "facilities": "重点排放设施",
    "value": "排放量",
    "share": "占类别比例",
    "capacity": "按产能",
    "POI": "个兴趣点",
    "person": "人",
    **LEVELS,
    **{flag.name_en: flag.name_zh for flag in (CLOSE, NOT_FIRM, INDICATIVE)},
}
"""Words of the tables in Chinese; a word that is not here is shown as it is."""
_RULES = {"lines": "按{}线路长度", "field": "按字段 {}", "raster": "按栅格 {}"}
_MODES = {"road": "道路", "rail": "铁路", "water": "水路", "air": "航空"}

EXPLAINED = {
    "ccr": ("CCR: sinks over emissions.", "碳补偿率 CCR：碳汇与碳排放之比。"),
    "ecc": ("ECC: share of GDP over share of emissions.", "经济贡献系数 ECC：GDP 占比与碳排放占比之比。"),
    "esc": ("ESC: share of sinks over share of emissions.", "生态承载系数 ESC：碳汇占比与碳排放占比之比。"),
}  # fmt: skip
"""What the indices are, wherever one of them stands."""


def chinese(word: str) -> str:
    """Return a word of the run's tables in Chinese, or the word where none is known; a rule may name a mode, a field or a raster."""
    rule, colon, argument = word.partition(":")
    if colon and rule in _RULES:
        return _RULES[rule].format(_MODES.get(argument, argument))
    return CHINESE.get(word, word)


def isolated(name: str) -> str:
    """Return a name for text without markup: where it has letters that run from right to left in signs that keep what stands beside it in its place."""
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in name):
        return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
    return name


def tonnes(grams: int) -> str:
    """Return whole tonnes, rounded half up in integers."""
    if 0 < grams < 500_000:
        return "< 1"
    return f"{(int(grams) + 500_000) // 1_000_000:,}"


def mass(grams: int) -> str:
    """Return a mass with three digits in the unit that suits it; no exponent however small."""
    if 0 < abs(grams) < 1000:
        return "< 0.001 t" if grams > 0 else "> −0.001 t"
    scale, unit = mass_scale(abs(grams))
    return f"{short_number(grams / scale)} {unit}"


def exact_mass(grams: int) -> str:
    """Return a headline's mass: hundredths of its unit."""
    scale, unit = mass_scale(abs(grams))
    return f"{grams / scale:,.2f} {unit}" if abs(grams) >= scale / 100 else mass(grams)


_WAN = 10**10
"""Grams in 10,000 t, by which Chinese statistics count."""


def tonnes_in_chinese(grams: int) -> str:
    """Return hundredths of 10,000 t, without that unit; what is less than one of them in tonnes, with theirs."""
    return f"{grams / _WAN:,.2f}" if not grams or abs(grams) >= _WAN / 100 else mass_in_chinese(grams)  # fmt: skip


def ten_thousands(tonnes: float) -> str:
    """Return three digits of 10,000 t, without that unit; what is less than a hundredth of it in tonnes, with theirs."""
    small = 0 < abs(tonnes) < 100
    return mass_in_chinese(round(tonnes * 1e6)) if small else short_number(tonnes / 1e4)


def counted_in(largest: float, factor: float, of: str) -> tuple[float, str]:
    """Return what the numbers of a legend are multiplied by to be in 10,000 t, by ``factor``, and that unit; in tonnes where the largest is less than a hundredth of that."""
    if largest * factor < 0.01:
        return factor * 1e4, f"吨 {of}"
    return factor, f"万吨 {of}"


def mass_in_chinese(grams: int) -> str:
    """Return a mass with three digits, in 10,000 t from there on and in tonnes below."""
    if abs(grams) >= _WAN:
        return f"{short_number(grams / _WAN)} 万吨"
    if 0 < abs(grams) < 1000:
        return "< 0.001 吨" if grams > 0 else "> −0.001 吨"
    return f"{short_number(grams / 1e6)} 吨"


def exact_mass_in_chinese(grams: int) -> str:
    """Return a headline's mass in hundredths of 10,000 t; a smaller one as any mass."""
    return f"{grams / _WAN:,.2f} 万吨" if abs(grams) >= _WAN else mass_in_chinese(grams)


def money_in_chinese(value: int | None) -> str:
    """Return currency units in hundreds of millions, no exponent however few; a dash where they are unknown."""
    if value is None:
        return "–"
    if 0 < value < 10_000:
        return f"{value / 1e8:.8f}".rstrip("0")
    return f"{value / 1e8:,.2f}" if value >= 10_000_000 else short_number(value / 1e8)


def threshold(now: int, change: int, show: Callable[[int], str]) -> str:
    """Return the mass at which a change ends, and the change in percent of what is there now, if anything is."""
    return f"{show(now + change)} ({change_in_percent(now, change)})" if now else show(change)


def to_the_gram(grams: int) -> str:
    """Return a mass where a sentence compares with it ("more than"): one below 0.001 t in grams."""
    return f"{grams} g" if 0 < grams < 1000 else mass(grams)


def to_the_gram_in_chinese(grams: int) -> str:
    """Return the same in Chinese."""
    return f"{grams} 克" if 0 < grams < 1000 else mass_in_chinese(grams)


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


def percent(share: float) -> str:
    """Return a share in percent; unknown and infinite as signs, and no exponent however small."""
    if 0 < share < 1e-5:
        return "< 0.001 %"
    return f"{short_number(share * 100)} %" if math.isfinite(share) else short_number(share)


def interval(value: float, low: float, high: float) -> str:
    """Return an index and, where its interval has a width, the ends of that."""
    shown = index_number(value)
    return f"{shown} ({index_number(low)} – {index_number(high)})" if low < high else shown


def money(value: int | None) -> str:
    """Return currency units in millions, no exponent however few; a dash where they are unknown."""
    if value is None:
        return "–"
    if 0 < value < 100:
        return f"{value / 1e6:.6f}".rstrip("0")
    return f"{value / 1e6:,.0f}" if value >= 10_000_000 else short_number(value / 1e6)


def people(count: float) -> str:
    """Return a count of people; a dash where it is unknown."""
    if math.isnan(count):
        return "–"
    return f"{count:,.0f}" if count >= 100 or count == int(count) else short_number(count)


def whole_or_none(value: Any) -> int | None:
    """Return an integer, or None for any kind of missing."""
    return None if value is None or pd.isna(value) else int(value)


FILTERS = {
    "chinese": chinese,
    "exact_mass": exact_mass,
    "exact_mass_in_chinese": exact_mass_in_chinese,
    "index": index_number,
    "interval": interval,
    "isolated": isolated,
    "mass": mass,
    "mass_in_chinese": mass_in_chinese,
    "money": money,
    "note_in_chinese": note_in_chinese,
    "number": short_number,
    "people": people,
    "percent": percent,
    "tonnes": tonnes,
    "tonnes_in_chinese": tonnes_in_chinese,
    "two_decimals": in_percent,
}
