"""units.xlsx: the units, a sheet per sector, and notes on every column; to be read and printed (docs/decisions/0071)."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, require_extra
from carbongrid.method.categories import column_of, sector_names
from carbongrid.method.columns import Kind, in_tonnes
from carbongrid.method.guidance import guidance_of_zones, read_guidance
from carbongrid.method.zoning import few_sinks, zones
from carbongrid.outputs.figures.classes import LEVELS
from carbongrid.outputs.numbers import decimals_beside_1, text_width
from carbongrid.outputs.tables.content import Table, titles
from carbongrid.outputs.tables.headings import Heading, headings_of, other_years, potentials
from carbongrid.outputs.tables.plain import plain_cells
from carbongrid.outputs.tables.xml_text import in_xml

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

UNITS_SHEET, NOTES_SHEET = "units", "notes"
NAMES_ROW = 2
"""Row with the columns' names, as in units.csv; row 1 has their headings."""
YEAR = "year 年份"
"""What stands beside the year in the notes."""
_OTHER_YEARS = {
    "gdp": "year of GDP 地区生产总值年份",
    "residents": "year of residents 人口年份",
    "totals": "years of totals 总量年份",
}

_FORMATS: dict[Kind, str] = {
    "text": "@",
    "mass": "#,##0",
    "whole": "0",
    "flag": "General",
    "number": "0.000",
}
_RATE_FORMAT, _SHARE_FORMAT, _PROBABILITY_FORMAT = "0.0000%", "0.0%", "0.00%"
_INDEX_FORMATS = (_FORMATS["number"], _RATE_FORMAT)
"""Of numbers that are held against 0 and 1 (docs/decisions/0120)."""
_DECIMALS_OF_EXCEL = 15
"""Excel counts no more digits; what is nearer to 0 is shown with an exponent."""
_FORMAT_OF = {
    "residents": "#,##0",
    "gdp": "#,##0",
    "gdp_low": "#,##0",
    "gdp_high": "#,##0",
    "gdp_to_leave_zone": "#,##0",
    "ccr": _RATE_FORMAT,
    "zone_probability": _PROBABILITY_FORMAT,
    # In tonnes, in which they have four digits: no mass in whole grams.
    **dict.fromkeys(("emission_t_p05", "emission_t_p95", "sink_t_p05", "sink_t_p95"), "#,##0"),
    **dict.fromkeys(("ccr_p05", "ccr_p95"), _RATE_FORMAT),
}
_TEXT = {"num_format": _FORMATS["text"], "quote_prefix": True}
_WRAPPED = {"text_wrap": True, "valign": "top"}
_HEAD = {**_TEXT, **_WRAPPED, "bold": True}
_MIN_WIDTH, _MAX_WIDTH, _NAME_WIDTH = 11, 24, 40
_A4 = 9
_ROWS_ON_A_PAGE = 50  # of a page that lies; twice as many of one that stands, which is half as wide
_LINE_HEIGHT = 13.5  # points
_DIGIT = 7  # pixels of a digit, by which the width of a column is counted
_MARGINS = {"left": 0.75, "right": 0.75, "top": 1, "bottom": 1}  # inches
_FOOTER_MARGIN = 0.5
_MAX_OF_A_CELL, _MAX_OF_A_TITLE = 32_767, 28  # of 31, for a number may follow
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384
MAX_UNITS = _MAX_ROWS - NAMES_ROW
_CREATED = datetime(2020, 1, 1)
"""When a workbook says that it was made, so that the same content gives the same bytes."""
_INFINITE = (math.inf, -math.inf)
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
        "source, balanced (within 5 %; a unit with neither too) or sink, by CCR",
        "按碳补偿率：碳源、平衡（5 % 以内；既无排放也无碳汇者亦同）或碳汇",
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
    """Write a sheet of the units, one per sector with its categories, and notes; the same content gives the same bytes.

    Parameters
    ----------
    units
        Content of the units.
    tables
        Where title, year, currency and categories come from.
    path
        The file.

    Raises
    ------
    InputError
        If XlsxWriter is not installed, or a sheet cannot hold as many units or columns.

    Notes
    -----
    A text that begins like a formula is stored as a string with Excel's quote prefix, so nothing runs it, not even
    after it was edited. Infinite indices are the text ``inf``, unknown values blank. A text is what :func:`in_a_cell` returns of it.
    """
    require_extra("report", "xlsxwriter", purpose=path.name)
    from xlsxwriter import Workbook

    # In memory: XlsxWriter would tell of a full disk in an exception of its own, which is no OSError.
    packed = BytesIO()
    book = Workbook(packed, {"in_memory": True})
    book.set_properties({"author": "carbongrid", "created": _CREATED})
    headings = headings_of(units, tables)
    columns = [
        Column(title, headings[title], units.frame[name], kind, _FORMAT_OF.get(name, _FORMATS[kind]))
        for title, (name, kind) in zip(titles(units.kinds), units.kinds.items(), strict=True)
    ]  # fmt: skip
    of_sectors = {f"{column_of(category.name)}_t" for category in tables.categories}
    sheet = book.add_worksheet(UNITS_SHEET)
    _fill(book, sheet, columns, folded=of_sectors)
    # The whole table on pages that lie, two side by side; a sector, long and narrow, on pages that stand.
    pages = -(-len(units.frame) // _ROWS_ON_A_PAGE)
    _print_on(sheet, wide=2, tall=pages)
    taken = {UNITS_SHEET, NOTES_SHEET}
    for sector, columns in _sectors(units, tables, headings):
        title = _sheet_title(sector, taken)
        taken.add(title.casefold())
        sheet = book.add_worksheet(title)
        _fill(book, sheet, columns)
        _print_on(sheet, wide=1, tall=-(-pages // 2), upright=True)
    sheet = book.add_worksheet(NOTES_SHEET)
    _write_notes(book, sheet, units, tables)
    _print_on(sheet, wide=1, tall=2)
    book.close()
    path.write_bytes(packed.getbuffer())


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
    title = _cut(_NOT_IN_TITLES.sub("_", sector), _MAX_OF_A_TITLE) or "sector"
    number, free = 2, title
    while free.casefold() in taken:
        free, number = f"{title} {number}", number + 1
    return free


def _fill(book: Any, sheet: Any, columns: Sequence[Column], *, folded: Container[str] = ()) -> None:
    """Write headings, names and rows, each column as wide as its numbers are when they are shown; headings and names stay in sight, and on each page.

    Columns that have a sheet of their own are ``folded``: hidden, under a mark that shows them.
    """
    rows = NAMES_ROW + len(columns[0].values)
    _refuse_too_many(rows, len(columns))
    text = book.add_format(_TEXT)
    key = book.add_format({**_TEXT, "font_size": 8, "font_color": "#6B7280"})
    height = 1
    for number, (name, heading, values, kind, form) in enumerate(columns):
        lines = [line for line in (heading.name_en, heading.name_zh, heading.unit) if line]
        side = {"align": _side(name, kind)}
        write_text(sheet, 0, number, "\n".join(lines), book.add_format({**_HEAD, **side}))
        # At the left in each column: the filter's button hides what stands at the right.
        write_text(sheet, NAMES_ROW - 1, number, name, key)
        cells = _cells(values, kind)
        forms = [_form_of(cell, form) for cell in cells]
        styles = {each: book.add_format({"num_format": each, **side}) for each in dict.fromkeys([form, *forms])}  # fmt: skip
        _write_column(sheet, number, cells, text, [styles[each] for each in forms])
        most = _NAME_WIDTH if kind == "text" else _MAX_WIDTH
        words = [word for line in lines for word in line.split()]
        shown = (
            _shown_width(
                [cell for cell, own in zip(cells, forms, strict=True) if own == each], each
            )
            for each in styles
        )
        widest = max([*shown, *map(text_width, words)])
        width = min(max(_MIN_WIDTH, widest + 2), most)
        fold = {"level": 1, "hidden": True} if name in folded else {}
        sheet.set_column_pixels(number, number, width * _DIGIT, None, fold)
        height = max(height, sum(-(-text_width(line) // (width - 1)) for line in lines))
    sheet.set_row(0, _LINE_HEIGHT * height)
    sheet.autofilter(NAMES_ROW - 1, 0, rows - 1, len(columns) - 1)
    sheet.freeze_panes(NAMES_ROW, 2)
    sheet.repeat_rows(0, NAMES_ROW - 1)
    sheet.repeat_columns(0, 1)


def _side(name: str, kind: Kind) -> str:
    """Return where a column's cells stand, and its heading, which at the left lies nearer to the numbers of the column before."""
    if kind == "flag" or name == "zone":
        return "center"  # at the right edge it would touch the text beside it
    return "left" if kind == "text" else "right"


def _refuse_too_many(rows: int, columns: int) -> None:
    """Raise where XlsxWriter would leave out cells, which it does in silence."""
    if rows > _MAX_ROWS or columns > _MAX_COLUMNS:
        raise InputError(
            f"a sheet of units.xlsx holds {_MAX_ROWS:,} rows and {_MAX_COLUMNS:,} columns, not {rows:,} and {columns:,}",
            "units, categories",
            "Take fewer units or categories.",
        )


Cell = str | bool | float | None
"""What a cell shows: None is a blank one."""


def _cells(values: pd.Series[Any], kind: Kind) -> list[Cell]:
    """Return what the cells of a column show, mass in tonnes; what is infinite is a text."""
    if kind == "text":
        return values.tolist()
    if kind == "mass":
        values = pd.Series(values.to_numpy(np.float64, na_value=np.nan) / 10**6)
    cells: list[Cell] = plain_cells(values).tolist()
    if kind == "number":
        return [str(cell) if cell in _INFINITE else cell for cell in cells]
    return cells


def _form_of(cell: Cell, form: str) -> str:
    """Return the number format of a cell: that of its column, with the digits that it takes where it would read as 0 or 1 and is not."""
    if form not in _INDEX_FORMATS or not isinstance(cell, float) or not math.isfinite(cell) or cell in (0, 1):  # fmt: skip
        return form
    percent = form.endswith("%")
    decimals = len(form.rstrip("%").partition(".")[2]) + 2 * percent  # of the number itself
    half = 0.5 * 10.0**-decimals * (1 + 1e-9)  # Excel rounds what it has of fifteen digits
    if abs(cell) <= half:
        decimals = 2 - math.floor(math.log10(abs(cell)))
    elif abs(cell - 1) <= half:
        decimals = decimals_beside_1(cell)
    digits = "0.00E+00" if decimals > _DECIMALS_OF_EXCEL else f"0.{'0' * (decimals - 2 * percent)}"
    return digits + "%" * percent


def _write_column(
    sheet: Any, column: int, cells: Sequence[Cell], text: Any, numbers: Sequence[Any]
) -> None:
    """Write the rows of a column; text is the format of its texts, and numbers those of all else, row by row."""
    for row, (cell, number) in enumerate(zip(cells, numbers, strict=True), start=NAMES_ROW):
        if isinstance(cell, str):
            write_text(sheet, row, column, cell, text)
        elif isinstance(cell, bool):
            sheet.write_boolean(row, column, cell, number)
        elif cell is not None:
            sheet.write_number(row, column, cell, number)


def _shown_width(cells: Sequence[Cell], form: str) -> int:
    """Return how many characters the widest of a column's cells takes as its format shows it."""
    texts = {cell for cell in cells if isinstance(cell, str)}
    numbers = [cell for cell in cells if cell is not None and not isinstance(cell, str)]
    # None between the least and the greatest is wider than both.
    ends = (min(numbers), max(numbers)) if numbers else ()
    digits, times = len(form.rstrip("%").partition(".")[2]), 100 if form.endswith("%") else 1
    texts |= {f"{end * times:,.{digits}f}" + "%" * form.count("%") for end in ends}
    return max(map(text_width, texts), default=0)


def _print_on(sheet: Any, *, wide: int, tall: int, upright: bool = False) -> None:
    """Say on how many A4 pages a sheet is printed."""
    if upright:
        sheet.set_portrait()
    else:
        sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(wide, tall)
    sheet.set_margins(**_MARGINS)
    sheet.set_footer("&L&A&R&P / &N", {"margin": _FOOTER_MARGIN})


Note = tuple[str, str, str]
"""What it is about, in English, in Chinese."""


def _write_notes(book: Any, sheet: Any, units: Table, tables: RunTables) -> None:
    """Write what the file is, what each column means, and the zones with their guidance, each under a heading."""
    shaded = book.add_format({**_HEAD, "bg_color": "#E8ECEF"})
    first, others = book.add_format(_HEAD), book.add_format({**_TEXT, **_WRAPPED})
    number = 0
    for head, rows in (
        (("About this file 关于本文件", "", ""), _about(tables)),
        (("Column 列", "Meaning", "含义"), _columns(units, tables)),
        (("Zone 分区", "Guidance", "指引"), _zones(tables)),
    ):
        for row in (head, *rows, ("", "", "")):
            for column, text in enumerate(row):
                style = shaded if row is head else others if column else first
                write_text(sheet, number, column, text, style)
            number += 1
    for column, width in enumerate((30, 80, 70)):
        sheet.set_column_pixels(column, column, width * _DIGIT)


def _about(tables: RunTables) -> Iterator[Note]:
    yield "title 标题", tables.title, ""
    yield YEAR, str(tables.year), ""
    for name, years in other_years(tables).items():
        yield _OTHER_YEARS[name], years, ""
    yield "currency 货币", tables.currency, ""
    region, of_all = tables.reference, tables.reference == "all"
    english = "all units together" if of_all else f"the unit's own {region}"
    yield (
        "region of the indices 参照区域",
        english,
        "全部单元" if of_all else f"单元所属{LEVELS.get(region, f' {region}')}",
    )
    high = "at or above" if tables.ties == ">=" else "above"
    yield (
        "zones 分区",
        f"relative: ECC and ESC are held against the whole of that region, and high is {high} 1; halving every emission changes no zone",
        f"相对结果：ECC 与 ESC 均与该区域整体相比，{'不低于' if tables.ties == '>=' else '高于'} 1 为高；所有排放同时减半，分区不变",
    )
    yield (
        "mass 质量",
        tables.gas.told("t CO2e per year, rounded from whole grams; units.csv has every gram"),
        tables.gas.told("吨二氧化碳当量/年，由整克数取整；精确值见 units.csv"),
    )
    yield "GWP 全球增温潜势", *potentials(tables)
    yield "made by 生成", "carbongrid", ""


def _columns(units: Table, tables: RunTables) -> Iterator[Note]:
    told = tables.gas.told
    meanings = {name: (told(english), told(chinese)) for name, (english, chinese) in _MEANINGS.items()}  # fmt: skip
    per_year = told(_PER_YEAR[0]), told(_PER_YEAR[1])
    meanings |= dict.fromkeys(tables.parents, ("code of a higher level", "上级区域代码"))
    own = {category.sector: (category.sector, category.sector) for category in tables.categories}
    for sector, (english, chinese) in {**own, **sector_names()}.items():
        meanings.setdefault(f"{sector}_t", (f"{english}, {per_year[0]}", f"{chinese}，{per_year[1]}"))  # fmt: skip
    for category in tables.categories:
        english, chinese = category.name_en or category.name, category.name_zh or category.name
        scopes = tables.spread_scopes.get(category.name, (category.scope,))
        meanings[f"{column_of(category.name)}_t"] = (
            f"{english}, {per_year[0]}, scope {', '.join(map(str, scopes))}",
            f"{chinese}，{per_year[1]}，范围 {'、'.join(map(str, scopes))}",
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


def write_text(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    """Write a string that is never taken for a formula; rows and columns count from 0, an empty string is a blank cell."""
    text = in_a_cell(text)
    if not text:
        sheet.write_blank(row, column, None, style)
    elif text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes such a text for markup, which it writes as it is. In runs it escapes _x0041_ twice, unless that is in two of them.
        runs = [text[0], *re.split("(?<=_)", text[1:])]
        sheet.write_rich_string(row, column, *chain(*((style, run) for run in runs)), style)
    else:
        sheet.write_string(row, column, text, style)


def in_a_cell(text: str) -> str:
    """Return what a cell holds of a text: what XML cannot hold is replaced, lines end as in XML, and what is more than Excel takes is cut off."""
    if not text.isprintable():  # nothing that is printable is replaced
        text = in_xml(text).replace("\r\n", "\n").replace("\r", "\n")
    return _cut(text, _MAX_OF_A_CELL)


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, as many characters as Excel counts: in UTF-16."""
    if len(text) <= most // 2:
        return text
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")
