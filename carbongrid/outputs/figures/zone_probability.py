"""How sure zones are, drawn: a map whose colours fade with the probability of the zone, and the plane of ECC and ESC with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.outputs.figures.classes import RELATIVE, SURE, faded, how_sure, ordered_zones
from carbongrid.outputs.figures.sheet import (
    DPI,
    GREY,
    HEADING,
    INK,
    LEGEND,
    WIDTH,
    Entry,
    Sheet,
    sheet_of,
)
from carbongrid.outputs.figures.style import in_plain_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables

_NOT_FIRM = ("not firm: below 90 %", "不稳定：低于 90 %")
_MAX_BARS = 300
"""Of more units the plane shows points without intervals."""


@in_plain_style
def write_probability_figures(
    tables: RunTables, probabilities: pd.DataFrame, directory: Path
) -> list[Path]:
    """Draw zone_probability.png and zone_plane.png.

    Parameters
    ----------
    tables
        The run's; parcels are not needed.
    probabilities
        One row for each unit, in the order of the units, as zone_probability.csv has it.
    directory
        An existing folder.

    Returns
    -------
    list of Path
        The files.
    """
    sheet = sheet_of(tables, dpi=DPI)
    figures = {
        "zone_probability.png": probability_map(
            sheet, probability_of_zone(probabilities), probabilities["firm"].to_numpy(bool)
        ),
        "zone_plane.png": _plane(sheet, probabilities),
    }
    for name, figure in figures.items():
        figure.savefig(directory / name, dpi=DPI, facecolor="white")
    return [directory / name for name in figures]


def probability_of_zone(probabilities: pd.DataFrame) -> list[float]:
    """Return the share of draws that have the published zone, by unit."""
    rows = probabilities.to_dict("records")
    return [float(row[f"p{int(row['zone'])}"]) for row in rows]


def probability_map(sheet: Sheet, sure: Sequence[float], firm: NDArray[np.bool_]) -> Figure:
    """Draw the zones, their colours fading with the share of draws that have them; those that are not firm are hatched."""
    figure, axes = sheet.blank("How sure the zones are", "分区的可靠程度")
    letters, zones = sheet.letters, ordered_zones()
    colours = {zone.code: zone.colour for zone in zones}
    codes = sheet.tables.units["zone"].to_numpy(np.int64)
    pairs = zip(codes.tolist(), how_sure(np.asarray(sure)).tolist(), strict=True)
    sheet.paint(axes, [faded(colours[code], each if code else 0) for code, each in pairs])
    entries: list[Entry] = []
    for zone in zones:
        here = codes == zone.code
        if zone.code and here.any():
            text = letters.below(zone.name_en, zone.name_zh)
            counts = f"({int(firm[here].sum()):,} / {int(here.sum()):,})"
            entries.append(({"facecolor": zone.colour}, f"{text}  {counts}"))
    strongest = zones[0].colour
    for each, share in enumerate(SURE):
        text = f"{share} {letters.beside('of draws', '抽样')}"
        entries.append(({"facecolor": faded(strongest, each)}, text))
    unsure = np.flatnonzero(~firm & (codes > 0))
    if unsure.size:
        entries.append(sheet.hatch(axes, unsure, "////", letters.below(*_NOT_FIRM)))
    sheet.name_units(axes)
    sheet.legend(
        figure, letters.below("Zone (firm / all units)", "分区（稳定 / 全部单元）"), entries
    )
    height = figure.get_size_inches()[1]
    place = ((WIDTH - LEGEND + 0.05) / WIDTH, 1.1 / height)
    sheet.write(figure, *place, letters.below(*RELATIVE), 7.5, colour=GREY)
    return figure


def _plane(sheet: Sheet, probabilities: pd.DataFrame) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 6.0))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.11, 0.11, 0.85, 0.89 - HEADING / 6.0))
    words = sheet.letters.beside(
        "ECC and ESC, 5 to 95 % of the draws", "ECC 与 ESC，抽样的 5 % 至 95 %"
    )
    sheet.write(figure, 0.02, 1 - 0.14 / 6.0, words, 12, bold=True)
    sheet.write(figure, 0.02, 1 - 0.42 / 6.0, sheet.case, 8.5, colour=GREY)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.axhline(1, color=INK, linewidth=0.8)
    _units_in_plane(axes, probabilities)
    for label, english, chinese in (("x", "ECC", "经济贡献系数"), ("y", "ESC", "生态承载系数")):
        place = (0.53, 0.055) if label == "x" else (0.02, 0.5)
        style = {"ha": "center"} if label == "x" else {"rotation": 90, "va": "center"}
        sheet.write(figure, *place, sheet.letters.beside(english, chinese), 9, **style)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontproperties(sheet.letters.properties(8))
    return figure


def _units_in_plane(axes: Axes, probabilities: pd.DataFrame) -> None:
    """Draw each unit's median and, where they are few enough to be told apart, its intervals."""
    colours = {zone.code: zone.colour for zone in ordered_zones()}
    points = [f"{index}_p{point}" for index in ("ecc", "esc") for point in ("05", "50", "95")]
    values = probabilities[points].to_numpy(np.float64)
    known = (np.isfinite(values) & (values > 0)).all(axis=1)
    for row in np.flatnonzero(known):
        x_low, x, x_high, y_low, y, y_high = values[row]
        colour = colours[int(probabilities["zone"].iloc[row])]
        if len(probabilities) <= _MAX_BARS:
            firm = bool(probabilities["firm"].iloc[row])
            style: dict[str, Any] = {
                "color": colour,
                "linewidth": 0.8,
                "alpha": 0.9 if firm else 0.35,
            }
            axes.plot([x_low, x_high], [y, y], **style)
            axes.plot([x, x], [y_low, y_high], **style)
        axes.plot([x], [y], "o", color=colour, markersize=4, markeredgecolor="white", markeredgewidth=0.4)  # fmt: skip
