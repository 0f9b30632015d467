"""The remarks of a run in Chinese: sentences that the code says, with what stands in them."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from importlib import resources

from carbongrid.method.landuse import TERRITORIAL_TYPES
from carbongrid.method.zoning import (
    NO_CARBON,
    NO_GDP,
    NO_REGION,
    NO_SINK,
    ONE_UNIT,
    UNKNOWN_GDP,
)

WHY_NO_ZONE = {
    NO_CARBON: "既无排放也无碳汇",
    UNKNOWN_GDP: "地区生产总值未知",
    NO_REGION: "不属于任何参照区域",
    ONE_UNIT: "参照区域内仅此一个单元",
    NO_GDP: "参照区域没有地区生产总值",
    NO_SINK: "参照区域没有碳汇",
}
_PLACE = re.compile(r"\{(\w+)\}")
_JOINS = re.compile(", | and ")
_AND_MORE = re.compile(r" and ([\d,]+) more$")
_IN_A_FILE = (
    (re.compile(r" \(and ([\d,]+) more, such as ([^)]+)\)"), r"（另有 \1 处，如 \2）"),
    (re.compile(r" \(and ([\d,]+) more\)"), r"（另有 \1 处）"),
    (re.compile(r"(?<=[,;如] )sheet ([^,;]+)"), r"工作表 \1"),
    (re.compile(r"(?<=[,;如] )row (\d+)"), r"第 \1 行"),
    (re.compile(r"(?<=[,;如] )column ([^,;（）]+)"), r"\1 列"),
)
"""Where in a file a remark is of, and in which words."""
_PHRASES = {
    "apart": (
        (re.compile(r" \(([\d.,e-]+) times\)"), r"（\1 倍）"),
        (re.compile(r" \(([^()]+), ([\d.,e-]+) times\)"), r"（\1，\2 倍）"),
        (re.compile(r" and ([\d,]+) more$"), r" 等，另有 \1 个"),
    ),
    "small": (
        (re.compile(r"\brow (\d+) \(([\d.e-]+) %\)"), r"第 \1 行（\2 %）"),
        (re.compile(r" and ([\d,]+) more$"), r" 等，另有 \1 个"),
    ),
    "either": ((re.compile(" or "), " 或 "),),
    "pairs": (
        (re.compile(r" and (?=[^ ]+ \()"), " 与 "),
        (re.compile(r" \(([^()]+)\)"), r"（\1）"),
        (re.compile(r" and ([\d,]+) more$"), r" 等，另有 \1 对"),
        (re.compile(r"(?<=）), "), "，"),
    ),
    "lone": (
        (re.compile(r" \((.+?) among ([^()]+)\)"), r"（\1，其余为 \2）"),
        (re.compile(r" and ([\d,]+) more$"), r" 等，另有 \1 行"),
    ),
    "bare": (
        (re.compile(r" and ([\d,]+) more(?=\)|$)"), r" 等，另有 \1 个"),
        (re.compile(r"([^ ,]+) of ([^ ,]+) \(([^()]+)\)"), r"\2 的 \1（\3）"),
    ),
    "alike": (
        (re.compile(r"""(?<=['"]) and (?=['"])"""), " 与 "),
        (
            re.compile(r" \(([^()]+), ([\d.,]+) t each, rows ([\d, ]+)\)"),
            r"（\1，各 \2 t，第 \3 行）",
        ),
        (re.compile(r" and (\d+) more$"), r"，另有 \1 组"),
    ),
}
"""What the code puts together in a place, and in which words."""

_REGIONS = {
    "world": "全球",
    "developing countries": "发展中国家",
    "developed countries": "发达国家",
}
_TYPES = dict(zip(TERRITORIAL_TYPES["type"], TERRITORIAL_TYPES["name_zh"], strict=True))
_WEIGHED = {"residents": "人口", "GDP": "地区生产总值", "area": "面积"}
_GAS_IN_PART = {"CO2e, in part CO2 alone": "CO2e（其中部分仅含 CO2）"}
_COUNTED = {"POIs": "兴趣点", "people": "人口", "roads": "道路", "lines": "线路"}

_COMPARED = {
    "none told": "未说明",
    "as the totals were given": "按给定总量",
    "gross": "总量",
    "net": "净量",
}

_OWN_WORDS = {
    "where": {
        "facilities": "重点排放设施",
        "categories": "核算类别",
        "gdp": "地区生产总值",
        "totals": "总量",
        "ledger": "台账",
    },
    "category": {"gross": "总排放", "sink": "碳汇"},
    "origin": _REGIONS,
    "region": _REGIONS,
    "country": {"world": "未说明的国家（全球）"},
    "industry": {"primary": "第一产业", "secondary": "第二产业", "tertiary": "第三产业"},
    "rule": {"pois": "兴趣点", "people": "人口", "roads": "道路", "area": "面积"},
    "why": {
        "a factor of your own comes first": "自有因子优先",
        "a factor is only recalled": "来源未核实",
        "holds what is emitted upstream": "含上游排放",
        "of another tier": "方法层级不同",
        "of coal of no known rank": "煤种不明",
        "documented less well": "文献依据较弱",
        "the later of equals": "同等条件下次序在后",
        "no activity data say what is generated and used": "没有活动数据说明发电量与用电量",
    },
    "what": {
        "GWP set": "GWP",
        "basis of shares": "占比口径",
        "reference region": "参照区域",
        "rule for an index of exactly 1": "指数恰为 1 时的规则",
        "choice of electricity": "电力核算口径",
        "set of sinks": "碳汇系数集",
    },
    "currency": {"currency units that nobody told": "未说明的货币"},
    "amount": {"GDP": "地区生产总值", "residents": "人口", "emission": "排放", "sink": "碳汇"},
    "a": _COMPARED,
    "b": _COMPARED,
    "no_zone": WHY_NO_ZONE,
    "quantity": {"emission": "排放", "sink": "碳汇"},
    "held": {"facilities": "设施", "regions": "区域", "units": "单元"},
    "alone": {"Area or people": "面积或人口", "Area": "面积", "People": "人口"},
    "first": {"none": "无"},
    "emission": {"nothing": "0"},
    "sinks": {"nothing": "0"},
    "made_by": {
        "area times the study's coefficient": "面积乘以原研究的系数",
        "world mean per head": "世界人均值",
        "other sources": "其他来源",
        "sources that nobody tells": "未说明的来源",
    },
    "second": {"none": "无"},
    "weighed": _WEIGHED,
    "area_unit": {
        "square feet": "平方英尺",
        "square yards": "平方码",
        "ares": "公亩",
        "mu": "亩",
        "acres": "英亩",
        "hectares": "公顷",
        "km2": "平方公里",
        "square miles": "平方英里",
    },
    "of": {"emission": "碳排放", "sink": "碳汇"},
    "mode": {"road": "道路", "rail": "铁路", "water": "水路", "air": "航空"},
    "things": {
        "POIs": "个兴趣点",
        "people": "人",
        "m of lines": "m 线路",
        "km of lines": "km 线路",
    },
    "features": {"points": "点", "parcels": "地块", "units": "单元"},
    "counted": _COUNTED,
    "evidence": _COUNTED,
    "sink_type": _TYPES,
    "new_type": _TYPES,
    "own_type": _TYPES,
    "caution": {
        "CO2 of BF/BOF carbon: do NOT also count coke and coal burned in the same plant in Eq. 2 first term. BOF and EAF already include upstream pig iron": "高炉与转炉所含碳的 CO2：同一工厂燃烧的焦炭与煤不得再计入公式 (2) 第一项。转炉与电炉已含上游生铁",
        "do not mix with 266.48. Not found in a short public search, left recalled": "勿与 266.48 混用。短时公开检索未找到出处，仍系凭记忆引用",
        "read as C here, 44/12 lower if CO2. Forest is ~6x the other forest value: do not default": "此处按 C 理解，若为 CO2 则低 44/12 倍。林地约为另一林地值的 6 倍：不作默认值",
        "see cn.agri.plough.km2: do not default": "参见 cn.agri.plough.km2：不作默认值",
    },
    "a_gas": _GAS_IN_PART,
    "b_gas": _GAS_IN_PART,
    "place": {"no unit": "所有单元之外", "world": "全球"},
}


_ONE_OF_THEM = re.compile(r"(?<![\w.,'])1 (row|unit|merged unit|parcel|polygon|point|cell|region|area|place|generator|code|factor|facility)\b(?! of \d)([^:;(]*)")  # fmt: skip
"""A count of one, and what is said of it."""
_IN_THE_PLURAL = {
    "is": "are", "has": "have", "does": "do", "lies": "lie", "stands": "stand", "holds": "hold",
    "says": "say", "carries": "carry", "crosses": "cross", "itself": "themselves", "its": "their", "it": "them",
}  # fmt: skip


def note_in_chinese(text: str) -> str:
    """Return a remark in Chinese; nothing where it is none of those that are known. Of one thing it is as of several: Chinese makes no difference."""
    return _known_note(text) or _known_note(_ONE_OF_THEM.sub(_in_the_plural, text))


def _in_the_plural(one: re.Match[str]) -> str:
    said = re.sub(r"\w+", lambda word: _IN_THE_PLURAL.get(word[0], word[0]), one[2])
    things = re.sub("y$", "ie", one[1]) + "s"
    return f"1 {things}{said}"


def _known_note(text: str) -> str:
    for words, chinese in _known():
        values = _values(text, words)
        if values is not None:
            return _PLACE.sub(lambda place: _word(place[1], values[place[1]]), chinese)  # noqa: B023  (used at once)
    return ""


def _word(place: str, value: str) -> str:
    """Return what stands in a place, in Chinese where it is one of the package's own words, or a list of them, or of remarks."""
    own = _OWN_WORDS.get(place, {})
    if place == "list":
        return "；".join(note_in_chinese(each) or each for each in value.split("; "))
    if place == "where":
        return _where(value, own)
    if place in _PHRASES:
        return _in_words(value, _PHRASES[place])
    listed = [value] if value in own else _JOINS.split(value)
    if own.keys() >= set(listed):
        return "，".join(own[each] for each in listed)
    return _AND_MORE.sub(r" 等，另有 \1 个", value)


def _where(value: str, own: dict[str, str]) -> str:
    """Return where a remark is of: a part of the case, and of it perhaps a name; or a file, and a place in it."""
    part, _, name = value.partition(": ")
    if part in own:
        return f"{own[part]} {name}".rstrip()
    return _in_words(value, _IN_A_FILE)


def _in_words(value: str, phrases: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for english, chinese in phrases:
        value = english.sub(chinese, value)
    return value


def templates() -> list[tuple[str, str]]:
    """Return the known remarks, English and Chinese, with {names} for what differs; the first that fits counts."""
    text = resources.files("carbongrid.outputs.report").joinpath("notes_zh.toml").read_text("utf-8")
    return [(note["en"], note["zh"]) for note in tomllib.loads(text)["note"]]


@functools.cache
def _known() -> list[tuple[list[str], str]]:
    return [(_PLACE.split(english), chinese) for english, chinese in templates()]


def _values(text: str, words: list[str]) -> dict[str, str] | None:
    """Return what stands in the places of a sentence: words, name of a place, words, and so on; None where it is another one.

    From its end on, so that a place at the beginning, as of a file, may hold a colon; in linear time, whatever the text. A name
    that quotes the words of the sentence is taken for them; the package's own words are taken whole, though they have spaces.
    """
    first, *places = words
    if not places:
        return {} if text == first else None
    values: dict[str, str] = {}
    end = len(text) - len(places[-1])
    if not (text.startswith(first) and text.endswith(places[-1])):
        return None
    for place in range(len(places) - 2, -1, -2):
        before = places[place - 1] if place else first
        whole = (
            each
            for each in _OWN_WORDS.get(places[place], {})
            if text.endswith(before + each, 0, end)
        )
        own = len(next(whole, ""))
        begin = text.rfind(before, 0, end - max(own, 1)) if place else 0
        if begin < 0 or begin + len(before) >= end:
            return None
        values[places[place]] = text[begin + len(before) : end]
        end = begin
    return values
