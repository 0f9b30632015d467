"""Writes the template of activity data: a workbook with one sheet a sector, lists to choose from and a filled example; the same as CSV."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError, Problem, require_extra
from carbongrid.inventory.activity import COLUMN_TITLES, SHEETS, activities, sheet_of
from carbongrid.method.categories import read_categories
from carbongrid.raster.opening.files import path_to_write

WORKBOOK, FOLDER = "inventory.xlsx", "inventory"
TABLES = (*SHEETS, "settings", "factors")
Table = Sequence[Sequence[str]]
"""A header and the rows below it, every cell text."""

_HELP = {
    "id": ("Your own key of the row; each once.", "本行编号，不得重复。"),
    "activity": ("What was burnt, made, driven, kept ...: from the list.", "活动类型，从下拉列表选择。"),
    "category": ("Where it counts; may be blank where the activity has one category only.", "所属类别；活动只有一个类别时可留空。"),
    "amount": (
        "A number, 0 or more. -, ..., #, blank and 不足 are unknown: never zero, left out and told.",
        "非负数。“-”“…”“#”、空白、“不足……”均为未知，不作零处理，不计入总量并在审计表中说明。",
    ),
    "unit": (
        "t, kt, GWh, kWh, TJ, m3, tce, head, person, ha, t km; 万吨, 亿千瓦时, 万吨标准煤, 亩, 公顷, 万头, 亿吨公里, 万人公里, 亿立方米. Energy of fuels is net; electricity in standard coal is by its heat (0.1229 kgce/kWh).",
        "列表中是例子，倍数亦可。燃料的能量按低位发热量；电力的标准煤按当量值（0.1229千克标准煤/千瓦时），等价值请改填千瓦时。",
    ),
    "parameters": (
        "role=factor key, role=number unit, variant=name, deposited=year; joined by a semicolon.",
        "角色=因子键；角色=数值 单位；variant=方法；deposited=填埋年份；用分号分隔。",
    ),
    "uncertainty_pct": ("Half of the 95 % interval of the amount, in percent of it.", "数量95%置信区间的半宽，占数量的百分比。"),
    "year": ("Year of the figure, if not the inventory's.", "数据年份。"),
    "source": ("Where the figure is from.", "数据来源。"),
    "note": ("Free text. Two rows of one activity and category need different notes.", "备注；同一活动同一类别的两行须以备注区分。"),
    "region": (
        "Code of a unit, or of a parent of units such as a district, that the amount is of. Blank is the whole city, with what its regions have in it.",
        "该数量所属单元或上级区域的代码；留空为全市，包含各区域的数量。",
    ),
}  # fmt: skip
_FIXED = datetime(2020, 1, 1)
_ROOM = 400
"""Rows in which the lists drop down."""
_BLANK_WIDTH = 2
_COLUMNS_OF_A_SECTOR = 9
"""Of the lists: three of its activities, of its categories and of its units."""
_WIDTH_OF_A4 = 110
"""Characters across a page that lies, with usual margins; LibreOffice, where a font is missing, has room for no more."""


def write_inventory_template(directory: str | Path) -> list[Path]:
    """Write ``inventory.xlsx`` and the same tables as CSV in ``inventory/``, filled with an example.

    Returns
    -------
    list
        The files written, the workbook first.

    Raises
    ------
    InputError
        If openpyxl is not installed, one of them is there already, or the folder cannot be written; nothing is overwritten.
    """
    folder = path_to_write(directory)
    require_extra("inventory", "openpyxl", purpose="the template of activity data")
    tables = example_tables()
    targets = [folder / WORKBOOK, *(folder / FOLDER / f"{name}.csv" for name in tables)]
    there = [path for path in targets if path.exists()]
    if there:
        raise InputError(
            Problem(f"{path.name} is there already", str(path.parent), "Name an empty folder.")
            for path in there
        )
    try:
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        write_workbook(folder / WORKBOOK, tables)
        for name, table in tables.items():
            text = StringIO()
            csv.writer(text, lineterminator="\n").writerows(table)
            (folder / FOLDER / f"{name}.csv").write_text(
                text.getvalue(), encoding="utf-8", newline="\n"
            )
    except OSError as error:
        raise InputError(f"the folder cannot be written: {error.strerror}", str(folder)) from None
    return targets


def example_tables() -> dict[str, Table]:
    """Return the filled example of the template by sheet."""
    folder = files("carbongrid").joinpath("data", "template", "inventory")
    return {
        name: list(csv.reader(StringIO(folder.joinpath(f"{name}.csv").read_text(encoding="utf-8"))))
        for name in TABLES
    }


def write_workbook(path: Path, tables: Mapping[str, Table]) -> None:
    """Write activity data as a workbook with lists to choose from; the same tables give the same bytes.

    Parameters
    ----------
    path
        The file.
    tables
        By sheet: a header, then rows; every cell text. Numbers are stored as numbers where that keeps every digit.
    """
    require_extra("inventory", "openpyxl", purpose="a workbook of activity data", where=path.name)
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.created = book.properties.modified = _FIXED
    book.properties.creator = "carbongrid"
    _readme(book.create_sheet("readme"))
    for name, table in tables.items():
        _sheet(book.create_sheet(name), table)
    columns = _lists(book.create_sheet("lists"))
    for sheet in book:
        _print_on_a4(sheet)
    for name in SHEETS:
        if name in tables:
            _choices(book[name], [str(column) for column in tables[name][0]], columns, name)
    plain = BytesIO()
    book.save(plain)
    path.write_bytes(_with_fixed_dates(plain.getvalue()))


def _readme(sheet: Any) -> None:
    from openpyxl.styles import Alignment, Font

    rows = [
        ("Activity data for carbongrid: one sheet a sector. Replace the example by your own figures.", "carbongrid 活动数据：每个部门一张工作表。请以自己的数据替换示例。"),
        ("Then: carbongrid inventory inventory.xlsx", "然后运行：carbongrid inventory inventory.xlsx"),
        ("The sheet factors: factors of your own; one with a key of the package replaces it.", "factors 表：自有因子；键与软件包相同者将替换之。"),
        ("The sheet lists: activities and categories with their names.", "lists 表：活动与类别名称。"),
        *((f"{name}: {english}", f"{COLUMN_TITLES[name]}：{chinese}") for name, (english, chinese) in _HELP.items()),
    ]  # fmt: skip
    for number, (english, chinese) in enumerate(rows, start=1):
        sheet.cell(number, 1, english)
        sheet.cell(number, 2, chinese)
        for column in (1, 2):
            sheet.cell(number, column).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.cell(1, 1).font = sheet.cell(1, 2).font = Font(bold=True)
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = 80


def _sheet(sheet: Any, table: Table) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for column, name in enumerate(table[0], start=1):
        head = sheet.cell(1, column, f"{name} {COLUMN_TITLES.get(name, '')}".strip())
        head.font = Font(bold=True)
        if name in _HELP:
            head.comment = Comment("\n".join(_HELP[name]), "carbongrid", height=120, width=320)
        shown = (head.value, *(row[column - 1] for row in table))
        sheet.column_dimensions[get_column_letter(column)].width = _shown_width(shown)
    for number, row in enumerate(table[1:], start=2):
        for column, text in enumerate(row, start=1):
            if text:
                _write(sheet.cell(number, column), text, table[0][column - 1])
    sheet.freeze_panes = "A2"


def _print_on_a4(sheet: Any) -> None:
    """Print a sheet as wide as an A4 page, its header on each, with its name below; the lists, which are wider, a sector a page."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.pagebreak import Break, ColBreak
    from openpyxl.worksheet.properties import PageSetupProperties

    page = sheet.page_setup
    page.orientation, page.paperSize = sheet.ORIENTATION_LANDSCAPE, sheet.PAPERSIZE_A4
    if sheet.title != "readme":
        sheet.print_title_rows = "1:1"
    sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "&P / &N"
    if sheet.title == "lists":
        widths = [sheet.column_dimensions[get_column_letter(k)].width for k in range(1, sheet.max_column + 1)]  # fmt: skip
        sectors = range(0, sheet.max_column, _COLUMNS_OF_A_SECTOR)
        widest = max(sum(widths[first : first + _COLUMNS_OF_A_SECTOR]) for first in sectors)
        page.scale = int(100 * min(1, _WIDTH_OF_A4 / widest))
        sheet.col_breaks = ColBreak(brk=tuple(Break(id=first) for first in sectors if first))
    else:
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        page.fitToWidth, page.fitToHeight = 1, 0
        # An uncertainty of 10, at the right of its cell, and the year, at the left of the next, else read 102020.
        sheet.print_options.gridLines = sheet.title != "readme"


def _shown_width(texts: Iterable[str]) -> int:
    """Return how wide a column of texts is, in characters, 12 to 48."""
    # In the bytes of GB 18030, of which a Chinese sign has two, as it takes the room of two.
    widest = max(len(text.encode("gb18030")) for text in texts)
    return min(max(widest, 10) + 2, 48)


def _write(cell: Any, text: str, name: str) -> None:
    """Write a number as a number where the cell then reads back as the same number, anything else as text."""
    if name in ("amount", "uncertainty_pct", "value", "low", "high"):
        try:
            number = Decimal(text)
            if number.is_finite() and Decimal(repr(float(number))) == number:
                cell.value = (
                    int(number) if number == int(number) and abs(number) < 2**53 else float(number)
                )
                return
        except (InvalidOperation, OverflowError):
            pass
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"


def _lists(sheet: Any) -> dict[str, dict[str, str]]:
    """Write the lists; return, by kind and sheet, the range that a list drops down from."""
    ranges: dict[str, dict[str, str]] = {"activity": {}, "category": {}, "unit": {}}
    column = 1
    for name in SHEETS:
        known = [entry for entry in activities().values() if name in entry.sheets]
        rows = [
            (entry.name, f"{entry.name_en} {entry.name_zh}", " | ".join(entry.units))
            for entry in known
        ]
        column = _block(sheet, column, f"activities: {name}", rows, ranges["activity"], name)
        own = [entry for entry in read_categories().values() if sheet_of(entry.sector) == name]
        names = [(entry.name, f"{entry.name_en} {entry.name_zh}", "") for entry in own]
        column = _block(sheet, column, f"categories: {name}", names, ranges["category"], name)
        units = list(
            dict.fromkeys(
                unit
                for entry in known
                for unit in (*entry.units, *_MULTIPLES.get(entry.units[0], ()))
            )
        )
        column = _block(
            sheet,
            column,
            f"units: {name}",
            [(unit, "", "") for unit in units],
            ranges["unit"],
            name,
        )
    return ranges


_MULTIPLES = {
    "t": ("kt", "万吨"), "kWh": ("GWh", "亿千瓦时"), "m3": ("亿立方米",), "GJ": ("TJ",), "ha": ("公顷", "亩", "万亩"),
    "head": ("万头",), "person": ("万人",), "t km": ("亿吨公里",), "person km": ("万人公里", "亿人公里"),
    "vehicle km": ("亿车公里",), "t N": ("万吨",), "t COD": ("万吨",),
}  # fmt: skip


def _block(
    sheet: Any,
    column: int,
    title: str,
    rows: Sequence[tuple[str, str, str]],
    ranges: dict[str, str],
    name: str,
) -> int:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.cell(1, column, title).font = Font(bold=True)
    for number, cells in enumerate(rows, start=2):
        for offset, text in enumerate(cells):
            if text:
                sheet.cell(number, column + offset, text)
    for offset, texts in enumerate(zip(*rows, strict=True)):
        shown = (title, *texts) if offset == 0 else texts
        wide = sheet.column_dimensions[get_column_letter(column + offset)]
        wide.width = _shown_width(shown) if any(shown) else _BLANK_WIDTH
    letter = get_column_letter(column)
    ranges[name] = f"lists!${letter}$2:${letter}${len(rows) + 1}"
    return column + 3


def _choices(
    sheet: Any, columns: Sequence[str], ranges: Mapping[str, Mapping[str, str]], name: str
) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for kind, of_sheet in ranges.items():
        if kind not in columns:
            continue
        # A unit may be any multiple, so its list only suggests.
        rule = DataValidation(
            type="list",
            formula1=of_sheet[name],
            allow_blank=True,
            showErrorMessage=kind == "activity",
        )
        letter = get_column_letter(columns.index(kind) + 1)
        rule.add(f"{letter}2:{letter}{_ROOM}")
        sheet.add_data_validation(rule)


def _with_fixed_dates(workbook: bytes) -> bytes:
    """Return the same archive with every entry of one date, so that it does not tell when it was written."""
    target = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(workbook)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in sorted(
            old.infolist(), key=lambda entry: entry.filename != "[Content_Types].xml"
        ):
            fixed = zipfile.ZipInfo(entry.filename, (2020, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            content = old.read(entry.filename)
            if entry.filename == "docProps/core.xml":  # openpyxl writes the time of saving here
                content = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2020-01-01T00:00:00Z", content
                )
            new.writestr(fixed, content)
    return target.getvalue()
