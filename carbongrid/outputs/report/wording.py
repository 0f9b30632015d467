"""The report's Chinese for the words that a run's tables bring, and its filters of templates."""

from __future__ import annotations

import unicodedata
from typing import Any

import pandas as pd

from carbongrid.method.zoning import (
    DERIVED_GDP,
    EITHER_SIDE,
    FEW_SINKS,
)
from carbongrid.outputs import numbers
from carbongrid.outputs.figures.classes import LEVELS
from carbongrid.outputs.marks import CLOSE, INDICATIVE, NOT_FIRM
from carbongrid.outputs.report.notes import WHY_NO_ZONE, note_in_chinese

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


def whole_or_none(value: Any) -> int | None:
    """Return an integer, or None for any kind of missing."""
    return None if value is None or pd.isna(value) else int(value)


FILTERS = {
    "chinese": chinese,
    "count": "{:,}".format,
    "exact_mass": numbers.exact_mass,
    "exact_mass_in_chinese": numbers.exact_mass_in_chinese,
    "index": numbers.index_number,
    "interval": numbers.interval,
    "isolated": isolated,
    "mass": numbers.mass,
    "mass_in_chinese": numbers.mass_in_chinese,
    "money": numbers.money,
    "note_in_chinese": note_in_chinese,
    "number": numbers.short_number,
    "people": numbers.people,
    "percent": numbers.percent,
    "tonnes": numbers.tonnes,
    "tonnes_in_chinese": numbers.tonnes_in_chinese,
    "two_decimals": numbers.in_percent,
}
