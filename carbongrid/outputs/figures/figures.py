"""The figures of a run: zones, unit totals, indices and the coarse grid, as PNG."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.outputs.figures.classes import NO_VALUE, RELATIVE, ordered_zones
from carbongrid.outputs.figures.scales import scales_of, sequential
from carbongrid.outputs.figures.sheet import (
    DPI,
    GREY,
    HEADING,
    LEGEND,
    SPLIT_GDP,
    WIDTH,
    Entry,
    Sheet,
    legend_entries,
    sheet_of,
)
from carbongrid.outputs.figures.style import in_plain_style
from carbongrid.outputs.figures.zone_probability import probability_map
from carbongrid.outputs.figures.zones_page import mark_unsure
from carbongrid.outputs.numbers import mass_scale, plain_number
from carbongrid.outputs.result import cell_side
from carbongrid.raster.row_blocks import go_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from carbongrid.outputs.result import RunTables


_CLEAR = 0.06
"""Of a bar of colours: how far from its ends another number stands, so that the lines of text do not touch."""


@in_plain_style
def write_figures(tables: RunTables, directory: Path, matched: bool | None = None) -> list[Path]:
    """Draw the figures of a run.

    Parameters
    ----------
    tables
        What the run made.
    directory
        Folder for the figures; made if it is not there.
    matched
        Whether neighbours share the points of their borders, where that is known (``ZoneMap`` of the report).

    Returns
    -------
    list of Path
        The files: zones, emission, sink, ccr, ecc, esc, grid_emission, grid_sink (.png), and zone_probability where zones were drawn.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in _drawn(sheet_of(tables, dpi=DPI, matched=matched)):
        path = directory / f"{name}.png"
        _save(figure, path)
        paths.append(path)
        go_on()
    return paths


def _save(figure: Figure, path: Path) -> None:
    """Draw a figure and write its pixels.

    Nothing shines through, so three channels do; and a quick search for repeated bytes does: of a map of 1,500 units they take 0.47 MB and 0.03 s,
    where Matplotlib's four take 0.53 MB and 0.06 s.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DPI)
    figure.set_facecolor("white")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    pixels.save(path, dpi=(DPI, DPI), compress_level=3)


def _drawn(sheet: Sheet) -> Iterator[tuple[str, Figure]]:
    """Yield each figure and its name, one by one."""
    yield "zones", _zones(sheet)
    yield "emission", _of_units(sheet, "emission", ("Emissions per unit", "各单元碳排放"))
    yield "sink", _of_units(sheet, "sink", ("Carbon sinks per unit", "各单元碳汇"))
    yield "ccr", _of_units(sheet, "ccr", ("Carbon compensation rate (CCR)", "碳补偿率"))
    yield "ecc", _of_units(sheet, "ecc", ("Economic contribution (ECC)", "经济贡献系数"))
    yield "esc", _of_units(sheet, "esc", ("Ecological support (ESC)", "生态承载系数"))
    yield "grid_emission", _grid(sheet, "emission", "Emissions", "碳排放", "YlOrRd")
    yield "grid_sink", _grid(sheet, "sink", "Carbon sinks", "碳汇", "YlGn")
    units = sheet.tables.units
    if "firm" in units:
        sure, firm = units["zone_probability"].tolist(), units["firm"].to_numpy(bool)
        yield "zone_probability", probability_map(sheet, sure, firm)


def _zones(sheet: Sheet) -> Figure:
    figure, axes = sheet.blank("Carbon balance zones", "碳平衡分区")
    units, letters = sheet.tables.units, sheet.letters
    colours = {zone.code: zone.colour for zone in ordered_zones()}
    sheet.paint(axes, [colours[int(code)] for code in units["zone"]])
    counts = units["zone"].value_counts()
    entries: list[Entry] = []
    for zone in ordered_zones():
        count = counts.get(zone.code, 0)
        if zone.code or count:
            text = f"{letters.below(zone.name_en, zone.name_zh)}  ({count:,})"
            entries.append(({"facecolor": zone.colour}, text))
    entries += mark_unsure(sheet, axes)
    sheet.name_units(axes)
    sheet.legend(figure, letters.beside("Zone (units)", "分区（单元数）"), entries)
    _note(sheet, figure, RELATIVE)
    return figure


def _note(sheet: Sheet, figure: Figure, note: tuple[str, str]) -> None:
    """Write a remark at the foot of the legend's column."""
    height = figure.get_size_inches()[1]
    place = ((WIDTH - LEGEND + 0.05) / WIDTH, 1.1 / height)
    sheet.write(figure, *place, sheet.letters.below(*note), 7.5, colour=GREY)


def _of_units(sheet: Sheet, key: str, heading: tuple[str, str]) -> Figure:
    """Draw a variable of the units in its classes."""
    figure, axes = sheet.blank(*heading)
    units = sheet.tables.units
    scale = scales_of(units, gas=sheet.tables.gas)[key]
    classes = scale.classes(scale.values(units))
    sheet.paint(axes, [scale.colours[k] if k >= 0 else NO_VALUE for k in classes])
    split = key == "ecc" and sheet.gdp_is_split
    hatches = sheet.mark_split(axes, narrow=True) if split else []
    sheet.name_units(axes)
    entries = [*legend_entries(scale, classes, sheet.letters), *hatches]
    sheet.legend(figure, sheet.letters.below(*scale.unit), entries)
    notes = [pair for pair in (scale.note, SPLIT_GDP if split else ("", "")) if pair[0]]
    if notes:
        _note(sheet, figure, ("\n".join(en for en, _ in notes), "\n".join(zh for _, zh in notes)))
    return figure


def _grid(sheet: Sheet, variable: str, english: str, chinese: str, palette: str) -> Figure:
    """Draw the coarse grid on a logarithmic scale over at most five powers of ten."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    field = sheet.tables.grid_1km[variable]
    side = cell_side(sheet.tables.grid_1km)
    figure, axes = sheet.blank(f"{english} on the {side / 1000:g} km grid", f"{chinese}格网")
    density = field.to_numpy() / (side / 1000) ** 2
    scale, unit = mass_scale(float(density.max(initial=0.0)))
    density = density / scale
    present = density[density > 0]
    least, top = (float(present.min()), float(present.max())) if present.size else (1.0, 1.0)
    low = max(least, top / 1e5)
    below = least < low
    numbers = _beside_bar(low, top, below=below)
    alike = len(numbers) == 1  # of one colour, for which any scale will do
    norm = LogNorm(top / 10 if alike else low, top, clip=True)
    colours = ListedColormap(
        sequential(palette, 1) if alike else colormaps[palette](np.linspace(0.08, 1, 256))
    )
    x, y = field["x"].to_numpy(), field["y"].to_numpy()
    extent = (x[0] - side / 2, x[-1] + side / 2, y[-1] - side / 2, y[0] + side / 2)
    axes.set_autoscale_on(False)
    shown = np.ma.masked_less_equal(density, 0)
    axes.imshow(
        shown, cmap=colours, norm=norm, extent=extent, interpolation="nearest", aspect="equal"
    )
    sheet.frame(axes)
    height = figure.get_size_inches()[1]
    tall = (0.2 if alike else min(2.4, height - 2.0)) if present.size else 0.0
    left, foot = (WIDTH - LEGEND + 0.1) / WIDTH, 1 - (HEADING + 0.35 + tall) / height
    place = (left, foot, 0.03, tall / height)
    if present.size:
        bar = figure.colorbar(
            ScalarMappable(norm, colours),
            cax=figure.add_axes(place),
            extend="min" if below else "neither",
        )
        bar.outline.set_visible(False)
        bar.set_ticks(list(numbers), labels=list(numbers.values()), minor=False)
        bar.minorticks_off()
        for label in bar.ax.get_yticklabels():
            label.set_fontproperties(sheet.letters.properties(8.5))
    sheet.write(
        figure,
        left,
        1 - HEADING / height,
        sheet.tables.gas.told(f"{unit} CO₂e km⁻² yr⁻¹"),
        9,
        bold=True,
    )
    # Cells outside of all parcels are not worth a count.
    land = sheet.tables.grid_1km["covered_area"].to_numpy() > 0
    empty = int((land & (density <= 0)).sum())
    if empty:
        note = (f"white: nothing ({empty:,} cells)", f"白色：无（{empty:,} 格）")
        sheet.write(
            figure, left, foot - 0.14 / height, sheet.letters.below(*note), 7.5, colour=GREY
        )
    return figure


def _beside_bar(low: float, top: float, *, below: bool) -> dict[float, str]:
    """Return what is written beside a bar of colours, and where: both its ends, and round numbers clear of them; of ends that read alike one.

    Where there are values below the lowest colour, they have that colour too.
    """
    foot, head = plain_number(low), plain_number(top)
    if foot == head:
        return {top / math.sqrt(10): head}  # the middle of a power of ten
    clear = (top / low) ** _CLEAR
    inner = {
        tick: plain_number(tick)
        for tick in _round_ticks(low, top)
        if low * clear < tick < top / clear
    }
    return {low: f"≤ {foot}" if below else foot, **inner, top: head}


def _round_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten between two numbers, with 2 and 5 times them where those are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    return [step * 10.0**p for p in powers for step in steps if low <= step * 10.0**p <= high]
