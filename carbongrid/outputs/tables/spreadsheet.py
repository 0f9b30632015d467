"""units.xlsx: the units, a sheet per sector, and notes on every column; to be read and printed (docs/decisions/0071)."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import east_asian_width

import numpy as np
import pandas as pd

from carbongrid.errors import require_extra
from carbongrid.method.categories import column_of, sector_names
from carbongrid.method.columns import Kind, in_tonnes
from carbongrid.method.guidance import guidance_of_zones, read_guidance
from carbongrid.method.zoning import few_sinks, zones
from carbongrid.outputs.tables.content import Table, titles
from carbongrid.outputs.tables.headings import Heading, headings_of

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

UNITS_SHEET = "units"
NAMES_ROW = 2
"""Row with the columns' names, as in units.csv; row 1 has their headings."""

_FORMATS: dict[Kind, str] = {
    "text": "@",
    "mass": "#,##0",
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
_SHARE_FORMAT = "0.0%"
_MIN_WIDTH, _MAX_WIDTH, _NAME_WIDTH = 11, 24, 40
_A4 = 9
_ROWS_ON_A_PAGE = 50  # of a page that lies; twice as many of one that stands, which is half as wide
_LINE_HEIGHT = 13.5  # points
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
    "zone_probability": (
        "share of the draws of uncertain totals, proxies, sinks and GDP in which the unit has its zone; where the case says nothing, uncertainties are assumed",
        "对总量、替代指标、碳汇与地区生产总值的不确定性抽样中，属该分区的比例；案例未给出之处，不确定度为假定值",
    ),
    "firm": ("whether that is 0.9 or more", "该比例是否不低于 0.9"),
    **{
        f"{name}_{point}": (
            f"{quantity}: {part} of the draws are lower, with four digits",
            f"{chinese}：{part} 的抽样低于此值，四位有效数字",
        )
        for name, quantity, chinese in (
            ("emission_t", "emissions, t CO2e per year", "碳排放，吨二氧化碳当量/年"),
            ("sink_t", "sinks, t CO2e per year", "碳汇，吨二氧化碳当量/年"),
            ("ccr", "CCR", "碳补偿率"),
            ("ecc", "ECC", "经济贡献系数"),
            ("esc", "ESC", "生态承载系数"),
        )
        for point, part in (("p05", "5 %"), ("p95", "95 %"))
    },
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
    headings = headings_of(units, tables)
    columns = [
        Column(title, headings[title], units.frame[name], kind, _FORMAT_OF.get(name, _FORMATS[kind]))
        for title, (name, kind) in zip(titles(units.kinds), units.kinds.items(), strict=True)
    ]  # fmt: skip
    _fill(sheet, columns)
    _fold(sheet, columns, {f"{column_of(category.name)}_t" for category in tables.categories})
    # The whole table on pages that lie, two side by side; a sector, long and narrow, on pages that stand.
    pages = -(-len(units.frame) // _ROWS_ON_A_PAGE)
    _print_on(sheet, wide=2, tall=pages)
    taken = {UNITS_SHEET, "notes"}
    for sector, columns in _sectors(units, tables, headings):
        title = _sheet_title(sector, taken)
        taken.add(title.casefold())
        sheet = book.create_sheet(title)
        _fill(sheet, columns)
        _print_on(sheet, wide=1, tall=-(-pages // 2), upright=True)
    sheet = book.create_sheet("notes")
    _write_notes(sheet, units, tables)
    _print_on(sheet, wide=1, tall=2)
    book.save(path)


class Column(NamedTuple):
    """A column of a sheet: its name in units.csv, its heading, values (mass in grams), their kind and number format."""

    name: str
    heading: Heading
    values: pd.Series[Any]
    kind: Kind
    form: str


def _sectors(
    units: Table, tables: RunTables, headings: Mapping[str, Heading]
) -> Iterator[tuple[str, list[Column]]]:
    """Yield each sector that has a category: the whole, its share of the unit's, its categories."""
    frame = units.frame

    def column(name: str, kind: Kind) -> Column:
        title = in_tonnes(name) if kind == "mass" else name
        return Column(title, headings[title], frame[name], kind, _FORMATS[kind])

    for sector in dict.fromkeys(category.sector for category in tables.categories):
        whole = f"{sector}_g"
        sums = frame[whole].astype(np.int64)
        of_all = sums if sector == "sink" else frame["emission_g"].astype(np.int64)
        share = (sums / of_all.where(of_all > 0)).astype(np.float64)
        columns = [column("id", "text"), column("name", "text"), column(whole, "mass")]
        if sector != "sink":
            of_emission = Heading("Share of emissions", "占排放")
            columns.append(Column("", of_emission, share, "number", _SHARE_FORMAT))
        own = [category.name for category in tables.categories if category.sector == sector]
        yield sector, columns + [column(f"{column_of(name)}_g", "mass") for name in own]


def _sheet_title(sector: str, taken: set[str]) -> str:
    title = _NOT_IN_TITLES.sub("_", sector)[:28] or "sector"
    number, free = 2, title
    while free.casefold() in taken:
        free, number = f"{title} {number}", number + 1
    return free


def _fill(sheet: Any, columns: Sequence[Column]) -> None:
    """Write headings, names and rows, each column as wide as its numbers are when they are shown."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    bold, wrapped = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    small = Font(size=8, color="6B7280")
    height = 1
    for number, (name, heading, values, kind, form) in enumerate(columns, start=1):
        head, key = sheet.cell(1, number), sheet.cell(NAMES_ROW, number)
        lines = [line for line in (heading.name_en, heading.name_zh, heading.unit) if line]
        write_text(head, "\n".join(lines))
        write_text(key, name)
        head.font, head.alignment, key.font = bold, wrapped, small
        shown = values.to_numpy(np.float64, na_value=np.nan) / 10**6 if kind == "mass" else values
        cells = shown.tolist()
        for row, value in enumerate(cells, start=NAMES_ROW + 1):
            _write_cell(sheet.cell(row, number), value, kind, form)
        most = _NAME_WIDTH if kind == "text" else _MAX_WIDTH
        words = [word for line in lines for word in line.split()]
        widest = max([_shown_width(cells, form), *map(_text_width, words)])
        width = min(max(_MIN_WIDTH, widest + 2), most)
        sheet.column_dimensions[get_column_letter(number)].width = width
        height = max(height, sum(-(-_text_width(line) // (width - 1)) for line in lines))
    sheet.row_dimensions[1].height = _LINE_HEIGHT * height
    sheet.freeze_panes = f"C{NAMES_ROW + 1}"
    last = get_column_letter(len(columns))
    sheet.auto_filter.ref = f"A{NAMES_ROW}:{last}{sheet.max_row}"


def _shown_width(cells: Sequence[Any], form: str) -> int:
    """Return how many characters the widest of a column's cells takes as its format shows it; what is no number is a text."""
    texts = {cell for cell in cells if isinstance(cell, str)}
    numbers = {cell for cell in cells if not isinstance(cell, str) and not pd.isna(cell)}
    finite = [number for number in numbers if math.isfinite(number)]
    texts |= {str(number) for number in numbers if not math.isfinite(number)}
    # None between the least and the greatest is wider than both.
    ends = (min(finite), max(finite)) if finite else ()
    digits, times = len(form.rstrip("%").partition(".")[2]), 100 if form.endswith("%") else 1
    texts |= {f"{end * times:,.{digits}f}" + "%" * form.count("%") for end in ends}
    return max(map(_text_width, texts), default=0)


def _text_width(text: str) -> int:
    """Return how many characters wide a text is; those of Chinese are as wide as two."""
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def _fold(sheet: Any, columns: Sequence[Column], names: Container[str]) -> None:
    """Hide columns that have a sheet of their own, under a mark that shows them."""
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(columns, start=1):
        if column.name in names:
            dimension = sheet.column_dimensions[get_column_letter(number)]
            dimension.outlineLevel, dimension.hidden = 1, True


def _print_on(sheet: Any, *, wide: int, tall: int, upright: bool = False) -> None:
    """Say on how many A4 pages a sheet is printed; of a table, headings and names stand on each."""
    sheet.page_setup.orientation = "portrait" if upright else "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = wide, tall
    if sheet.freeze_panes:
        sheet.print_title_rows, sheet.print_title_cols = f"1:{NAMES_ROW}", "A:B"
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"


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
