"""How well proxies would have placed what is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.outputs.figures.sheet import DPI, GREY, INK
from carbongrid.outputs.figures.style import in_plain_style

if TYPE_CHECKING:
    import pandas as pd

_BARS = (("misplaced", "its proxy", INK), ("by_area", "area", "#c9ccd3"), ("by_people", "people", "#8fa3bf"))  # fmt: skip


@in_plain_style
def write_skill_figure(measures: pd.DataFrame, facilities: pd.DataFrame, path: Path) -> Path:
    """Draw what proxies misplace beside what area and people do, and the mass of each facility against what its parcel would have got.

    Parameters
    ----------
    measures
        of, held, misplaced, by_area, by_people.
    facilities
        category, mass_t, proxy_t; may be empty.
    path
        The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(9.0, max(3.0, 0.5 * len(measures) + 1.4)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
    place = np.arange(len(measures))[::-1]
    for number, (column, label, colour) in enumerate(_BARS):
        left.barh(place + 0.26 - 0.26 * number, measures[column], 0.24, color=colour, label=label)
    labels = [f"{row.of} ({row.held})" for row in measures.itertuples(index=False)]
    left.set_yticks(place, labels, fontsize=7, parse_math=False)
    left.set_xlim(0, 1)
    left.set_xlabel("share of what was held out that is put into other units", fontsize=8)
    left.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=3)
    right.set_xlabel("what its parcel would have got, Mt", fontsize=8)
    right.set_ylabel("a facility held out, Mt", fontsize=8)
    if len(facilities):
        there = facilities[facilities["proxy_t"] > 0]
        for category, rows in there.groupby("category", sort=True):
            right.plot(
                rows["proxy_t"] / 1e6, rows["mass_t"] / 1e6, "o", markersize=3, label=str(category)
            )
        both = there[["proxy_t", "mass_t"]].to_numpy(float) / 1e6
        if both.size:
            right.plot([both.min(), both.max()], [both.min(), both.max()], color=GREY, linewidth=0.7)  # fmt: skip
            right.set_xscale("log")
            right.set_yscale("log")
            for axis in (right.xaxis, right.yaxis):
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.set_major_formatter(FormatStrFormatter("%g"))
                axis.set_minor_formatter(NullFormatter())
            right.legend(fontsize=6.5, frameon=False)
    for axes in (left, right):
        axes.tick_params(which="both", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI, facecolor="white")
    return path
