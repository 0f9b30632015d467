"""The figures of a run: zones, unit totals, indices and the coarse grid, as PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.maps.classes import (
    BORDERLINE,
    INDICATIVE,
    NO_VALUE,
    logarithmic_breaks,
    mass_scale,
    natural_breaks,
    ordered_zones,
    short_number,
)
from carbongrid.maps.lettering import installed_lettering
from carbongrid.maps.sheet import GREY, HEADING, LEGEND, WIDTH, Entry, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from carbongrid.result import RunTables

DPI = 150


def write_figures(tables: RunTables, directory: Path) -> list[Path]:
    """Draw the figures of a run.

    Parameters
    ----------
    tables
        What the run made.
    directory
        Folder for the figures; made if it is not there.

    Returns
    -------
    list of Path
        The files: zones, emission, sink, ccr, ecc, grid_emission, grid_sink (.png).
    """
    directory.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(tables, installed_lettering())
    figures = {
        "zones": _zones(sheet),
        "emission": _totals(sheet, "emission_g", "Emissions", "碳排放", "YlOrRd"),
        "sink": _totals(sheet, "sink_g", "Carbon sinks", "碳汇", "YlGn"),
        "ccr": _ccr(sheet),
        "ecc": _ecc(sheet),
        "grid_emission": _grid(sheet, "emission", "Emissions", "碳排放", "YlOrRd"),
        "grid_sink": _grid(sheet, "sink", "Carbon sinks", "碳汇", "YlGn"),
    }
    paths = []
    for name, figure in figures.items():
        path = directory / f"{name}.png"
        figure.savefig(path, dpi=DPI, facecolor="white")
        paths.append(path)
    return paths


def _zones(sheet: Sheet) -> Figure:
    from matplotlib.collections import PathCollection

    figure, axes = sheet.blank("Carbon balance zones", "碳平衡分区")
    units, letters = sheet.tables.units, sheet.letters
    colours = {zone.code: zone.colour for zone in ordered_zones()}
    sheet.paint(axes, [colours[int(code)] for code in units["zone"]])
    counts = units["zone"].value_counts()
    entries: list[Entry] = []
    for zone in ordered_zones():
        count = counts.get(zone.code, 0)
        if zone.code or count:
            chinese = f"\n{zone.name_zh}" if letters.chinese else ""
            entries.append(({"facecolor": zone.colour}, f"{zone.name_en}: {count}{chinese}"))
    for column, hatch, names in (
        ("borderline", "////", BORDERLINE),
        ("indicative", "....", INDICATIVE),
    ):
        marked = np.flatnonzero(units[column].to_numpy(dtype=bool))
        if marked.size:
            style = {
                "facecolor": "none",
                "edgecolor": "#00000088",
                "hatch": hatch,
                "linewidth": 0.0,
            }
            shapes = [sheet.outlines[row] for row in marked]
            axes.add_collection(PathCollection(shapes, **_plural(style)), autolim=False)
            entries.append((style, f"{letters.beside(*names)}: {marked.size}"))
    sheet.name_units(axes)
    sheet.legend(figure, ("Zone", "分区"), entries)
    return figure


def _plural(style: dict[str, Any]) -> dict[str, Any]:
    """Return a patch's style in a collection's words."""
    return {name if name == "hatch" else f"{name}s": value for name, value in style.items()}


def _totals(sheet: Sheet, column: str, english: str, chinese: str, palette: str) -> Figure:
    """Draw a total per unit in five natural classes."""
    figure, axes = sheet.blank(f"{english} per unit", f"各单元{chinese}")
    grams = sheet.tables.units[column].to_numpy(dtype=np.float64)
    scale, unit = mass_scale(float(grams.max(initial=0.0)))
    values = np.where(grams > 0, grams / scale, np.nan)
    bounds = natural_breaks(values)
    labels = _ranges([float(np.nanmin(values)), *bounds]) if bounds else []
    _classed(
        sheet,
        axes,
        figure,
        Classes(values, bounds, labels, palette, "none", (f"{unit} CO₂e yr⁻¹", "")),
    )
    return figure


def _ccr(sheet: Sheet) -> Figure:
    units = sheet.tables.units
    emission, sink = int(units["emission_g"].sum()), int(units["sink_g"].sum())
    figure, axes = sheet.blank("Carbon compensation rate (CCR)", "碳补偿率")
    values = units["ccr"].to_numpy(dtype=np.float64) * 100
    rate = 100 * sink / emission if emission else 0.0
    if rate == 0:
        values = np.full(len(units), np.nan)
    title = ("sink over emission, %", "")
    note = f"The middle break is the rate of\nall units together: {short_number(rate)} %"
    _relative(sheet, axes, figure, values, rate or 1.0, title, note)
    return figure


def _ecc(sheet: Sheet) -> Figure:
    figure, axes = sheet.blank("Economic contribution (ECC)", "经济贡献系数")
    values = sheet.tables.units["ecc"].to_numpy(dtype=np.float64)
    note = "1: a unit's share of GDP equals\nits share of emissions"
    _relative(sheet, axes, figure, values, 1.0, ("share of GDP over\nshare of emissions", ""), note)
    return figure


def _relative(
    sheet: Sheet,
    axes: Axes,
    figure: Figure,
    values: NDArray[np.float64],
    centre: float,
    title: tuple[str, str],
    note: str,
) -> None:
    """Draw six classes that double away from a centre; a value at a break is in the class above."""
    inner = logarithmic_breaks(centre)
    bounds = [*(math.nextafter(value, 0) for value in inner), math.inf]
    texts = [f"{value:.3g}" for value in inner]
    middle = [f"{low} – {high}" for low, high in pairwise(texts)]
    labels = [f"< {texts[0]}", *middle, f"≥ {texts[-1]}"]
    _classed(sheet, axes, figure, Classes(values, bounds, labels, "PuOr", "unknown", title))
    height = figure.get_size_inches()[1]
    sheet.write(figure, (WIDTH - LEGEND + 0.05) / WIDTH, 0.95 / height, note, 7.5, colour=GREY)


@dataclass(frozen=True)
class Classes:
    """Values per unit, the upper bounds of their classes with a label each, and the colours."""

    values: NDArray[np.float64]
    bounds: list[float]
    labels: list[str]
    palette: str
    missing: str
    title: tuple[str, str]


def _classed(sheet: Sheet, axes: Axes, figure: Figure, classes: Classes) -> None:
    colours = _colours(classes.palette, len(classes.bounds))
    known = ~np.isnan(classes.values)
    index = np.searchsorted(classes.bounds, np.where(known, classes.values, 0))
    index = np.minimum(index, max(len(classes.bounds) - 1, 0))
    sheet.paint(
        axes, [colours[i] if has else NO_VALUE for i, has in zip(index, known, strict=True)]
    )
    sheet.name_units(axes)
    counts = np.bincount(index[known], minlength=len(classes.bounds))
    entries: list[Entry] = [
        ({"facecolor": colour}, f"{label}  ({count})")
        for colour, label, count in zip(colours, classes.labels, counts, strict=True)
    ]
    if not known.all():
        entries.append(({"facecolor": NO_VALUE}, f"{classes.missing}  ({(~known).sum()})"))
    sheet.legend(
        figure, classes.title, entries[::-1] if known.all() else [*entries[-2::-1], entries[-1]]
    )


def _ranges(bounds: Sequence[float]) -> list[str]:
    """Return a label for each class between its bounds; a single value stands alone."""
    texts = [short_number(value) for value in bounds]
    return [high if low == high else f"{low} – {high}" for low, high in pairwise(texts)]


def _colours(palette: str, count: int) -> list[str]:
    """Return colours of a palette of ColorBrewer, its palest end left out unless it diverges."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    low, high = (0.92, 0.08) if palette == "PuOr" else (0.12, 0.88)
    places = np.linspace(low, high, count) if count != 1 else np.array([0.6])
    return [to_hex(colour) for colour in colormaps[palette](places)]


def _grid(sheet: Sheet, variable: str, english: str, chinese: str, palette: str) -> Figure:
    """Draw the coarse grid on a logarithmic scale over at most five powers of ten."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    field = sheet.tables.grid_1km[variable]
    side = float(sheet.tables.grid_1km.attrs["resolution"])
    figure, axes = sheet.blank(f"{english} on the {side / 1000:g} km grid", f"{chinese}格网")
    density = field.to_numpy() / (side / 1000) ** 2
    scale, unit = mass_scale(float(density.max(initial=0.0)))
    density = density / scale
    present = density[density > 0]
    top = float(present.max()) if present.size else 1.0
    bottom = max(float(present.min()), top / 1e5) if present.size else 0.1
    low = bottom if bottom < top else top / 10
    norm = LogNorm(low, top, clip=True)
    colours = ListedColormap(colormaps[palette](np.linspace(0.08, 1, 256)))
    x, y = field["x"].to_numpy(), field["y"].to_numpy()
    extent = (x[0] - side / 2, x[-1] + side / 2, y[-1] - side / 2, y[0] + side / 2)
    axes.set_autoscale_on(False)
    shown = np.ma.masked_less_equal(density, 0)
    axes.imshow(
        shown, cmap=colours, norm=norm, extent=extent, interpolation="nearest", aspect="equal"
    )
    sheet.frame(axes)
    height = figure.get_size_inches()[1]
    tall = min(2.4, height - 2.0)
    left, foot = (WIDTH - LEGEND + 0.1) / WIDTH, 1 - (HEADING + 0.35 + tall) / height
    place = (left, foot, 0.03, tall / height)
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=figure.add_axes(place))
    bar.outline.set_visible(False)
    ticks = _round_ticks(low, top)
    bar.set_ticks(
        ticks, labels=[f"{tick:,g}" if tick < 1e6 else f"{tick:.0e}" for tick in ticks], minor=False
    )
    bar.minorticks_off()
    for label in bar.ax.get_yticklabels():
        label.set_fontproperties(sheet.letters.properties(8.5))
    sheet.write(figure, left, 1 - HEADING / height, f"{unit} CO₂e km⁻² yr⁻¹", 9, bold=True)
    note = f"white: nothing ({int((density <= 0).sum()):,} cells)"
    sheet.write(figure, left, foot - 0.14 / height, note, 7.5, colour=GREY)
    return figure


def _round_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten between two numbers, with 2 and 5 times them where those are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    return [step * 10.0**p for p in powers for step in steps if low <= step * 10.0**p <= high]
