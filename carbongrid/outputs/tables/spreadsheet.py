"""units.xlsx: the units, a sheet per sector, and notes on every column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.errors import require_extra
from carbongrid.method.categories import column_of, sector_names
from carbongrid.method.columns import Kind
from carbongrid.method.guidance import guidance_of_zones, read_guidance
from carbongrid.method.zoning import few_sinks, zones
from carbongrid.outputs.tables.content import Table, titles

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

UNITS_SHEET = "units"
_FORMATS: dict[Kind, str] = {
    "text": "@",
    "mass": "#,##0.000000",
    "whole": "0",
    "flag": "General",
    "number": "0.000",
}
_FORMAT_OF = {
    "residents": "#,##0",
    "gdp": "#,##0",
    "gdp_low": "#,##0",
    "gdp_high": "#,##0",
    "gdp_to_leave_zone": "#,##0",
    "ccr": "0.0000%",
}
_SHARE_FORMAT, _SECTOR_MASS = "0.0%", "#,##0.000"
_MAX_WIDTH = 40
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\']")
_MEANINGS = {  # English, Chinese
    "id": ("code of the unit, text", "单元代码（文本）"),
    "name": ("name", "名称"),
    "name_en": ("name in English, where it is known", "英文名称（如有）"),
    "emission_t": (
        "gross emissions, t CO2e per year, without sinks",
        "碳排放总量，吨二氧化碳当量/年，不扣除碳汇",
    ),
    "sink_t": ("carbon sinks, t CO2e per year, positive", "碳汇，吨二氧化碳当量/年，正值"),
    "residents": ("people; blank where unknown or not published", "常住人口；未知或不公布为空"),
    "gdp": (
        "GDP in whole currency units; blank is unknown, 0 is 0",
        "地区生产总值，以货币单位计；空为未知，0 即为 0",
    ),
    "gdp_low": (
        "lower end of the 90 % interval of GDP, given that of its larger area; GDP itself where it is the unit's own",
        "地区生产总值 90 % 区间的下限（给定上级区域的值）；单元自有数据时即为该值",
    ),
    "gdp_high": ("upper end of that interval", "该区间的上限"),
    "ccr": (
        "carbon compensation rate: sink over emission (equation 8), shown in percent",
        "碳补偿率：碳汇与排放之比（式 8），以百分数显示",
    ),
    "ecc": (
        "economic contributive coefficient: share of GDP over share of emissions (equation 9)",
        "经济贡献系数：GDP 份额与排放份额之比（式 9）",
    ),
    "ecc_low": (
        "ECC with gdp_low: how low it may be for the split of GDP alone; where ecc_low and ecc_high lie on either side of 1 the zone depends on the split",
        "以 gdp_low 计算的 ECC：仅反映 GDP 拆分的不确定性；ecc_low 与 ecc_high 分居 1 两侧时，分区取决于拆分方式",
    ),
    "ecc_high": ("ECC with gdp_high", "以 gdp_high 计算的 ECC"),
    "esc": (
        "ecological support coefficient: share of sinks over share of emissions (equation 10)",
        "生态承载系数：碳汇份额与排放份额之比（式 10）",
    ),
    "zone": ("code of the carbon balance zone, see below", "碳平衡分区代码，见下"),
    "zone_name": ("its name", "分区英文名称"),
    "zone_name_zh": ("its name in Chinese", "分区中文名称"),
    "borderline": (
        "close to 1: ECC or ESC is within 0.05 of 1; a distance, no probability",
        "接近 1：ECC 或 ESC 距 1 不超过 0.05；仅为距离，并非概率",
    ),
    "indicative": (
        "ECC or ESC tells little: GDP was derived from that of a larger area, or sinks are below the floor",
        "仅供参考：ECC 或 ESC 说明力有限（地区生产总值由上级区域推算，或碳汇低于下限）",
    ),
    "balance": (
        "source, balanced (within 5 %) or sink, by CCR",
        "按碳补偿率：碳源、平衡（5 % 以内）或碳汇",
    ),
    "reason": ("why the unit is unclassified, or its zone indicative", "未分区或仅供参考的原因"),
    "emission_to_leave_zone_t": (
        "least change of its own emission, t CO2e per year, that moves it to another zone, all other units as they are; blank where none does",
        "其他单元不变时，使其改变分区的最小排放变化量，吨二氧化碳当量/年；无则为空",
    ),
    "sink_to_leave_zone_t": (
        "least change of its own sinks, t CO2e per year, that moves it to another zone",
        "使其改变分区的最小碳汇变化量，吨二氧化碳当量/年",
    ),
    "gdp_to_leave_zone": (
        "least change of its own GDP, in whole currency units, that moves it to another zone",
        "使其改变分区的最小地区生产总值变化量，以货币单位计",
    ),
}


_PER_YEAR = ("t CO2e per year", "吨二氧化碳当量/年")


def write_units_xlsx(units: Table, tables: RunTables, path: Path) -> None:
    """Write a sheet of the units, one per sector with its categories, and notes.

    Parameters
    ----------
    units
        Content of the units.
    tables
        Where title, year, currency and categories come from.
    path
        The file.

    Notes
    -----
    A text that begins like a formula is stored as a string with Excel's quote prefix, so nothing runs it, not even
    after it was edited. Infinite indices are the text ``inf``, unknown values blank.
    """
    require_extra("report", "openpyxl", purpose=path.name)
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = UNITS_SHEET
    columns = [
        (title, units.frame[name], kind, _FORMAT_OF.get(name, _FORMATS[kind]))
        for title, (name, kind) in zip(titles(units.kinds), units.kinds.items(), strict=True)
    ]
    _fill(sheet, columns)
    taken = {UNITS_SHEET, "notes"}
    for sector, columns in _sectors(units, tables):
        title = _sheet_title(sector, taken)
        taken.add(title.casefold())
        _fill(book.create_sheet(title), columns)
    _write_notes(book.create_sheet("notes"), units, tables)
    book.save(path)


Column = tuple[str, "pd.Series[Any]", Kind, str]
"""Title, values (mass in grams), kind and number format."""


def _sectors(units: Table, tables: RunTables) -> Iterator[tuple[str, list[Column]]]:
    """Yield each sector that has a category: the whole, its share of the unit's, its categories."""
    frame = units.frame
    named: list[Column] = [(name, frame[name], "text", _FORMATS["text"]) for name in ("id", "name")]
    for sector in dict.fromkeys(category.sector for category in tables.categories):
        whole = f"{sector}_g"
        sums = frame[whole].astype(np.int64)
        of_all = sums if sector == "sink" else frame["emission_g"].astype(np.int64)
        share = (sums / of_all.where(of_all > 0)).astype(np.float64)
        columns: list[Column] = [*named, (f"{sector}_t", sums, "mass", _SECTOR_MASS)]
        if sector != "sink":
            columns.append(("share of emission 占排放", share, "number", _SHARE_FORMAT))
        for category in tables.categories:
            if category.sector == sector:
                mass = frame[f"{column_of(category.name)}_g"]
                title = f"{category.name_en or category.name} {category.name_zh}".strip()
                columns.append((f"{title}, t", mass, "mass", _SECTOR_MASS))
        yield sector, columns


def _sheet_title(sector: str, taken: set[str]) -> str:
    title = _NOT_IN_TITLES.sub("_", sector)[:28] or "sector"
    number, free = 2, title
    while free.casefold() in taken:
        free, number = f"{title} {number}", number + 1
    return free


def _fill(sheet: Any, columns: Sequence[Column]) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for number, (title, values, kind, form) in enumerate(columns, start=1):
        head = sheet.cell(1, number)
        write_text(head, title)
        head.font, head.alignment = bold, wrapped
        shown = values.to_numpy(np.float64, na_value=np.nan) / 10**6 if kind == "mass" else values
        for row, value in enumerate(shown.tolist(), start=2):
            _write_cell(sheet.cell(row, number), value, kind, form)
        width = max(12, min(len(title), 18)) + 2
        if kind == "text":
            width = max([width, *(len(str(text)) + 2 for text in shown)])
        sheet.column_dimensions[get_column_letter(number)].width = min(width, _MAX_WIDTH)
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions


Note = tuple[str, str, str]
"""What it is about, in English, in Chinese."""


def _write_notes(sheet: Any, units: Table, tables: RunTables) -> None:
    """Write what the file is, what each column means, and the zones with their guidance, each under a heading."""
    from openpyxl.styles import Alignment, Font, PatternFill

    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    shade = PatternFill("solid", fgColor="E8ECEF")
    number = 0
    for head, rows in (
        (("About this file 关于本文件", "", ""), _about(tables)),
        (("Column 列", "Meaning", "含义"), _columns(units, tables)),
        (("Zone 分区", "Guidance", "指引"), _zones(tables)),
    ):
        for row in (head, *rows, ("", "", "")):
            number += 1
            for column, text in enumerate(row, start=1):
                cell = sheet.cell(number, column)
                write_text(cell, text)
                cell.alignment = wrapped
                if column == 1 or row is head:
                    cell.font = bold
                if row is head:
                    cell.fill = shade
    for letter, width in (("A", 30), ("B", 80), ("C", 70)):
        sheet.column_dimensions[letter].width = width


def _about(tables: RunTables) -> Iterator[Note]:
    yield "title 标题", tables.title, ""
    yield "year 年份", str(tables.year), ""
    yield "currency 货币", tables.currency, ""
    region, of_all = tables.reference, tables.reference == "all"
    english = "all units together" if of_all else f"the unit's own {region}"
    yield (
        "region of the indices 参照区域",
        english,
        "全部单元" if of_all else f"单元所属 {region}",
    )
    high = "at or above" if tables.ties == ">=" else "above"
    yield (
        "zones 分区",
        f"relative: ECC and ESC are held against the whole of that region, and high is {high} 1; halving every emission changes no zone",
        f"相对结果：ECC 与 ESC 均与该区域整体相比，{'不低于' if tables.ties == '>=' else '高于'} 1 为高；所有排放同时减半，分区不变",
    )
    yield (
        "mass 质量",
        "t CO2e per year, rounded from whole grams; units.csv has every gram",
        "吨二氧化碳当量/年，由整克数取整；精确值见 units.csv",
    )
    yield "made by 生成", "carbongrid", ""


def _columns(units: Table, tables: RunTables) -> Iterator[Note]:
    meanings = dict(_MEANINGS)
    meanings |= dict.fromkeys(tables.parents, ("code of a higher level", "上级区域代码"))
    own = {category.sector: (category.sector, category.sector) for category in tables.categories}
    for sector, (english, chinese) in {**own, **sector_names()}.items():
        meanings.setdefault(f"{sector}_t", (f"{english}, {_PER_YEAR[0]}", f"{chinese}，{_PER_YEAR[1]}"))  # fmt: skip
    for category in tables.categories:
        english, chinese = category.name_en or category.name, category.name_zh or category.name
        scopes = tables.spread_scopes.get(category.name, (category.scope,))
        meanings[f"{column_of(category.name)}_t"] = (
            f"{english}, {_PER_YEAR[0]}, scope {', '.join(map(str, scopes))}",
            f"{chinese}，{_PER_YEAR[1]}，范围 {'、'.join(map(str, scopes))}",
        )
    for title in titles(units.kinds):
        yield title, *meanings.get(title, ("", ""))


def _zones(tables: RunTables) -> Iterator[Note]:
    few = few_sinks(tables.units["reason"])
    advice = tables.guidance or read_guidance()
    guidance = guidance_of_zones(tables.units["zone"], few, advice, tables.sink_floor)
    for zone in sorted(zones(), key=lambda zone: (zone.code == 0, zone.code)):
        yield f"{zone.code}", zone.name_en, zone.name_zh
        for each in guidance[zone.code]:
            yield "", f"{each.topic_en}: {each.text_en}", f"{each.topic_zh}：{each.text_zh}"


def _write_cell(cell: Any, value: Any, kind: Kind, form: str) -> None:
    if kind == "text":
        write_text(cell, value)
        return
    if pd.isna(value):
        return
    if kind == "number" and not np.isfinite(value):
        write_text(cell, str(value))
        return
    cell.value = value
    cell.number_format = form


def write_text(cell: Any, text: str) -> None:
    """Write a string that is never taken for a formula; what XML cannot hold is replaced."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub("�", text)
    cell.data_type = "s"
    cell.number_format = _FORMATS["text"]
    cell.quotePrefix = True
