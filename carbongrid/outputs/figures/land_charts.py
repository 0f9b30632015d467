"""Figs. 3 and 4: which land carries which emissions, and in what proportions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbongrid.outputs.figures.chart import Chart
from carbongrid.outputs.figures.pages import Page
from carbongrid.outputs.figures.palettes import colours_at
from carbongrid.outputs.figures.sheet import GREY, HEADING, INK, Sheet, shortened
from carbongrid.outputs.land_types import (
    Flow,
    basis_of_shares,
    colour_of_sector,
    land_flows,
    name_of_land,
    name_of_sector,
    ordered_lands,
    sums_by,
)
from carbongrid.outputs.numbers import in_percent, mass_scale, short_number
from carbongrid.outputs.zone_shares import share

if TYPE_CHECKING:
    from carbongrid.method.categories import Category

_MARGIN = 0.15
_TWO_LINES = 0.33
"""Height of a row with a sum and its share, in inches."""

_SECTOR, _NAME, _CELL, _SUM = 1.15, 2.2, 0.56, 0.78
"""Widths of the matrix in inches: names of sectors and categories, a cell, a sum."""
_DEPTH = 4
"""Powers of ten below the largest cell over which colours differ."""
_MAX_NAME = 46

_LABEL, _BAR, _NUMBER = 2.75, 3.0, 1.25


def matrix(sheet: Sheet) -> Page:
    """Draw the mass of each category on each territorial type, as the tables have it, with sums and their shares."""
    blocks = [(sink, land_flows(sheet.tables, sink=sink)) for sink in (False, True)]
    flows = [flow for _, block in blocks for flow in block]
    lands = ordered_lands(flow.land for flow in flows)
    names = [_two_lines(sheet, name_of_land(land)) for land in lands]
    head = 0.3 + max((_length(sheet, name) for name in names), default=0.0)
    row = max(_row_height(sheet), _TWO_LINES)
    rows = sum(len(sums_by(block, "category")) + 1 for _, block in blocks if block)
    left = _MARGIN + _SECTOR + _NAME
    width = left + max(len(lands), 3) * _CELL + _SUM + _MARGIN
    height = HEADING + head + rows * row + 0.5
    chart = Chart.of(
        sheet, ("Which land carries which emissions", "碳排放与用地的对应关系"), (width, height)
    )
    divisor, unit = mass_scale(float(sum(flow.grams for flow in blocks[0][1])))
    y = HEADING + head
    for number, name in enumerate(names):
        x = left + (number + 0.5) * _CELL
        chart.write(x, y - 0.08, name, rotation=90, ha="center", va="bottom", linespacing=1.0)
    x = left + len(lands) * _CELL + _SUM / 2
    chart.write(
        x, y - 0.08, sheet.letters.below("all land", "合计"), ha="center", va="bottom", bold=True
    )
    chart.write(
        _MARGIN, y - 0.08, sheet.tables.gas.told(f"{unit} CO₂e yr⁻¹"), va="bottom", colour=GREY
    )
    for sink, block in blocks:
        if block:
            y = _block(chart, block, lands, (y, row), divisor, sink)
    note = ("%: of all emissions, of all sinks", "百分比：占全部排放、占全部碳汇")
    chart.write(_MARGIN, y + 0.16, sheet.letters.beside(*note), 7, colour=GREY)
    return Page(chart.figure, ())


def _block(
    chart: Chart,
    flows: Sequence[Flow],
    lands: Sequence[str],
    place: tuple[float, float],
    divisor: float,
    sink: bool,
) -> float:
    """Draw the rows of emissions, or of sinks, and their sum; return where the next row begins."""
    sheet, (y, row) = chart.sheet, place
    left = _MARGIN + _SECTOR + _NAME
    cells, whole = sums_by(flows, "category", "land"), sum(flow.grams for flow in flows)
    top, palette = max(cells.values()), "YlGn" if sink else "YlOrRd"
    categories = {category.name: category for category in sheet.tables.categories}
    for (sector,) in sums_by(flows, "sector"):
        members = [name for (of, name) in sums_by(flows, "sector", "category") if of == sector]
        chart.box(_MARGIN, y + 0.03, 0.07, len(members) * row - 0.06, colour_of_sector(sector))
        middle = y + len(members) * row / 2
        chart.write(_MARGIN + 0.14, middle, _two_lines(sheet, name_of_sector(sector)), bold=True)
        for name in members:
            chart.write(_MARGIN + _SECTOR, y + row / 2, _two_lines(sheet, _named(categories[name])))
            for number, land in enumerate(lands):
                grams = cells.get((name, land), 0)
                if grams:
                    colour, ink = _shade(palette, grams / top)
                    x = left + number * _CELL
                    chart.box(x + 0.01, y + 0.01, _CELL - 0.02, row - 0.02, colour)
                    middle = x + _CELL / 2
                    chart.write(
                        middle, y + row / 2, _number(grams / divisor), 7, ha="center", colour=ink
                    )
            of_all = sum(grams for (category, _), grams in cells.items() if category == name)
            _sum_cell(
                chart, left + len(lands) * _CELL, (y, row), of_all / divisor, share(of_all, whole)
            )
            y += row
        chart.rule(_MARGIN, y, left + len(lands) * _CELL + _SUM - _MARGIN)
    words = ("all sinks", "碳汇合计") if sink else ("all emissions", "排放合计")
    chart.write(_MARGIN + _SECTOR, y + row / 2, _two_lines(sheet, words), bold=True)
    for number, land in enumerate(lands):
        of_land = sum(grams for (_, on), grams in cells.items() if on == land)
        if of_land:
            _sum_cell(
                chart,
                left + number * _CELL,
                (y, row),
                of_land / divisor,
                share(of_land, whole),
                _CELL,
            )
    _sum_cell(chart, left + len(lands) * _CELL, (y, row), whole / divisor, 1.0)
    return y + row + 0.08


def _sum_cell(
    chart: Chart,
    x: float,
    place: tuple[float, float],
    value: float,
    part: float,
    width: float = _SUM,
) -> None:
    y, row = place
    middle = x + width / 2
    chart.write(middle, y + row / 2 - 0.065, _number(value), 7, ha="center", bold=True)
    chart.write(middle, y + row / 2 + 0.065, in_percent(part), 5.8, ha="center", colour=GREY)


def _shade(palette: str, part: float) -> tuple[str, str]:
    """Return the colour of a cell that holds this part of the largest, and that of its number."""
    place = max(1 + math.log10(part) / _DEPTH, 0.0)
    return colours_at(palette, [0.05 + 0.75 * place])[0], "white" if place > 0.8 else INK


def _number(value: float) -> str:
    return "<0.001" if 0 < value < 0.001 else short_number(value)


def proportions(sheet: Sheet) -> Page:
    """Draw what part of the emissions is each sector's, and what part lies on each territorial type, by sector."""
    tables = sheet.tables
    flows = land_flows(tables, sink=False)
    whole, net = basis_of_shares(tables), tables.basis == "net"
    by_sector, on_land = sums_by(flows, "sector"), sums_by(flows, "land", "sector")
    lands = ordered_lands(flow.land for flow in flows)
    lands.sort(key=lambda land: -sum(grams for (on, _), grams in on_land.items() if on == land))
    row = _row_height(sheet)
    height = HEADING + 2 * 0.42 + (len(by_sector) + len(lands)) * row + 0.3
    width = 2 * _MARGIN + _LABEL + _BAR + _NUMBER
    chart = Chart.of(sheet, ("Proportions of emissions", "碳排放构成"), (width, height))
    basis = ("% of net emissions", "占净排放") if net else ("% of gross emissions", "占碳排放总量")
    y = HEADING
    sectors = [
        (name_of_sector(sector), [(grams, colour_of_sector(sector))])
        for (sector,), grams in by_sector.items()
    ]
    y = _bars(chart, y, ("(a) by department", "按部门"), basis, (sectors, whole))
    on_lands = [
        (
            name_of_land(land),
            [
                (grams, colour_of_sector(sector))
                for (on, sector), grams in on_land.items()
                if on == land
            ],
        )
        for land in lands
    ]
    caption = ("(b) by land use, in the colours of the departments", "按用地类型（颜色表示部门）")
    _bars(chart, y + 0.1, caption, basis, (on_lands, whole))
    return Page(chart.figure, ())


_Rows = list[tuple[tuple[str, str], list[tuple[int, str]]]]
"""Names in both languages, and the bar's parts: grams and colour."""


def _bars(
    chart: Chart,
    y: float,
    caption: tuple[str, str],
    basis: tuple[str, str],
    rows: tuple[_Rows, int],
) -> float:
    sheet, (bars, whole) = chart.sheet, rows
    row = _row_height(sheet)
    chart.write(_MARGIN, y + 0.12, sheet.letters.beside(*caption), 9, bold=True)
    end = _MARGIN + _LABEL + _BAR + _NUMBER
    chart.write(end, y + 0.3, sheet.letters.beside(*basis), 7, colour=GREY, ha="right")
    y += 0.38
    for names, parts in bars:
        grams = sum(part for part, _ in parts)
        chart.write(_MARGIN, y + row / 2, _two_lines(sheet, names))
        shares = [(share(part, whole), colour) for part, colour in parts]
        chart.bar(_MARGIN + _LABEL, y + 0.2 * row, (_BAR, 0.6 * row), shares)
        x = _MARGIN + _LABEL + _BAR + 0.62
        chart.write(x, y + row / 2, in_percent(share(grams, whole)), bold=True, ha="right")
        divisor, unit = mass_scale(grams)
        chart.write(
            end, y + row / 2, f"{short_number(grams / divisor)} {unit}", colour=GREY, ha="right"
        )
        y += row
    return y


def _row_height(sheet: Sheet) -> float:
    return 0.37 if sheet.letters.spoken == "both" else 0.26


def _named(category: Category) -> tuple[str, str]:
    return category.name_en or category.name, category.name_zh


def _two_lines(sheet: Sheet, names: tuple[str, str]) -> str:
    english, chinese = (shortened(name, _MAX_NAME) for name in names)
    return sheet.letters.below(english, chinese)


def _length(sheet: Sheet, text: str) -> float:
    """Return how long a text is in inches, at the size of a chart's words."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    box = sheet.write(figure, 0, 0, text, 7.5).get_window_extent()
    return float(box.width / figure.dpi)
