"""Fig. 9: the zones on a map, and beside it what part each has in units, area, emissions and GDP."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.outputs.figures.chart import Chart
from carbongrid.outputs.figures.classes import RELATIVE, ordered_zones
from carbongrid.outputs.figures.pages import Page, page_of
from carbongrid.outputs.figures.sheet import HEADING, Entry, Sheet
from carbongrid.outputs.marks import flags_of
from carbongrid.outputs.numbers import in_percent, mass_scale, short_number
from carbongrid.outputs.zone_shares import ZoneShare, zone_shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MEASURES = (
    ("units", "单元数", "unit_share"),
    ("area", "面积", "area_share"),
    ("emissions", "碳排放", "emission_share"),
    ("GDP", "地区生产总值", "gdp_share"),
)
_SWATCH, _NAME, _CELL, _ROW, _HEAD = 0.22, 1.62, 0.96, 0.42, 0.45
"""Of the chart, in inches."""
_UNSURE = 1.3
"""Height of the legend of hatches, and of the remark on what zones are, below it."""

CHART = _SWATCH + _NAME + len(_MEASURES) * _CELL
"""Width of the chart."""


def zones_page(sheet: Sheet) -> Page:
    """Draw the zones and their parts; hatched units are less sure."""
    rows = zone_shares(sheet.tables.units)
    beside = _HEAD + (len(rows) + 1) * _ROW
    size = (CHART + 0.5, beside + _UNSURE)
    page = page_of(sheet, ("Carbon balance zones", "碳平衡分区"), [("", "")], beside=size)
    [panel] = page.panels
    colours = {zone.code: zone.colour for zone in ordered_zones()}
    sheet.paint(panel.axes, [colours[int(code)] for code in sheet.tables.units["zone"]])
    hatches = mark_unsure(sheet, panel.axes)
    sheet.name_units(panel.axes)
    width, height = page.figure.get_size_inches()
    left = panel.corner[0] * width + 0.05
    _chart(Chart.over(sheet, page.figure), rows, left)
    below = (panel.corner[0], 1 - (HEADING + beside + 0.1) / height)
    panel.legend_at(below, "", hatches, sheet.letters.below(*RELATIVE))
    return page


def mark_unsure(sheet: Sheet, axes: Axes) -> list[Entry]:
    """Hatch the units that are not firm (or, where nothing was drawn, close to 1) or indicative; return the entries of the legend."""
    entries: list[Entry] = []
    for flag in flags_of(sheet.tables.units):
        marked = np.flatnonzero(flag.marked(sheet.tables.units))
        if marked.size:
            text = sheet.letters.beside(flag.name_en, flag.name_zh)
            entries.append(sheet.hatch(axes, marked, flag.hatch, text))
    return entries


def _chart(chart: Chart, rows: list[ZoneShare], left: float) -> None:
    letters, y = chart.sheet.letters, HEADING
    first = left + _SWATCH + _NAME
    gdp = chart.sheet.tables.units["gdp"]
    for number, (english, chinese, key) in enumerate(_MEASURES):
        if key == "gdp_share" and gdp.isna().any() and gdp.notna().any():
            english, chinese = "known GDP", "已知地区生产总值"
        words = letters.below(english, chinese)
        chart.write(first + number * _CELL, y, words, va="top", bold=True)
    y += _HEAD
    for row in rows:
        chart.box(left, y + 0.06, 0.14, 0.2, row.zone.colour)
        chart.write(left + _SWATCH, y + 0.16, letters.below(row.zone.name_en, row.zone.name_zh))
        for number, (english, _, key) in enumerate(_MEASURES):
            part, x = getattr(row, key), first + number * _CELL
            text = f"{row.count:,} ({in_percent(part)})" if english == "units" else in_percent(part)
            chart.write(x, y + 0.07, text, 7)
            if not math.isnan(part):
                chart.bar(x, y + 0.16, (_CELL - 0.12, 0.11), [(part, row.zone.colour)])
        y += _ROW
    chart.rule(left, y - 0.04, CHART)
    chart.write(left + _SWATCH, y + 0.14, letters.below("all units", "全部单元"), bold=True)
    for number, text in enumerate(_wholes(chart.sheet, rows)):
        chart.write(first + number * _CELL, y + 0.14, text, 7)


def _wholes(sheet: Sheet, rows: list[ZoneShare]) -> list[str]:
    """Return what the shares are of: units, area, emissions, known GDP."""
    tables = sheet.tables
    area, emission = (sum(getattr(row, name) for row in rows) for name in ("area", "emission"))
    divisor, unit = mass_scale(emission)
    known = tables.units["gdp"].dropna()
    gdp = int(known.sum()) if len(known) else None
    money = "–"
    if gdp is not None:
        yuan = "元" if tables.currency == "CNY" else f" {tables.currency}".rstrip()
        english = f"{short_number(gdp / 1e9)} bn {tables.currency}".strip()
        money = sheet.letters.below(english, f"{short_number(gdp / 1e8)} 亿{yuan}")
    mass = tables.gas.told(f"{short_number(emission / divisor)} {unit} CO₂e")
    return [f"{len(tables.units):,}", f"{area / 1e6:,.0f} km²", mass, money]
