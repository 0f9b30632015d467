"""A run's values against published ones, a panel for each quantity."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.outputs.figures.sheet import DPI, GREY, INK
from carbongrid.outputs.figures.style import in_plain_style

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS, _SIDE = 3, 2.6
_MAX_PANELS = 12


@in_plain_style
def write_scatter(values: pd.DataFrame, path: Path) -> Path:
    """Draw ours against published, both on logarithmic axes, with the interval of the draws; values of 0 are left out.

    Parameters
    ----------
    values
        of, ours_t, published_t, low_t, high_t.
    path
        The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    quantities = list(dict.fromkeys(values["of"]))[:_MAX_PANELS]
    columns = min(_COLUMNS, len(quantities))
    rows = math.ceil(len(quantities) / columns)
    figure = Figure(figsize=(columns * _SIDE + 0.5, rows * _SIDE + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(quantities) :]:
        axes.set_axis_off()
    for axes, of in zip(grid, quantities, strict=False):
        each = values[(values["of"] == of) & (values["ours_t"] > 0) & (values["published_t"] > 0)]
        axes.set_title(of, fontsize=8, parse_math=False)
        axes.set_xlabel("published, t", fontsize=7)
        axes.set_ylabel("run, t", fontsize=7)
        axes.tick_params(which="both", labelsize=6)
        if each.empty:
            continue
        x, y = each["published_t"].to_numpy(float), each["ours_t"].to_numpy(float)
        low = np.maximum(each["low_t"].to_numpy(float), y.min() / 10)
        axes.vlines(x, low, each["high_t"], colors=GREY, linewidths=0.6, alpha=0.5)
        axes.plot(x, y, "o", color="#0b6e4f", markersize=2.5)
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        axes.plot(ends, ends, color=INK, linewidth=0.7)
        axes.set_xscale("log")
        axes.set_yscale("log")
    figure.savefig(path, dpi=DPI, facecolor="white")
    return path
