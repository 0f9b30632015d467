"""What of a run depends on the ruler: coarse grids, fine cells, groups of units."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.outputs.figures.sheet import DPI, GREY, INK
from carbongrid.outputs.figures.style import in_plain_style

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"emission": "#c4532f", "sink": "#2c8c6a"}


@in_plain_style
def write_scale_figure(
    grids: pd.DataFrame, groups: pd.DataFrame, cells: pd.DataFrame, path: Path
) -> Path:
    """Draw inequality and maximum of density by coarse grid, differences by fine cells, and parents among random groups.

    Parameters
    ----------
    grids
        quantity, side_m, gini, max_t_km2: a row for each origin.
    groups
        merged, draw (0: parents), adjusted_rand.
    cells
        fine, emission_percent, sink_percent, zones; empty where none was tried.
    path
        The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 5.8), layout="constrained")
    FigureCanvasAgg(figure)
    (first, second), (third, fourth) = figure.subplots(2, 2)
    _by_side(first, grids, "gini", "Gini of density")
    _by_side(second, grids, "max_t_km2", "largest density, t per km² and year")
    if (grids["max_t_km2"] > 0).any():  # zeros alone have no place on it
        second.set_yscale("log")
    _by_cells(third, cells)
    _among_random(fourth, groups)
    for axes in (first, second, third, fourth):
        axes.tick_params(which="both", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI, facecolor="white")
    return path


def _by_side(axes: Any, grids: pd.DataFrame, column: str, label: str) -> None:
    """Draw the range over the origins of each size of cell."""
    for quantity, rows in grids.groupby("quantity", sort=True):
        colour = _COLOURS[str(quantity)]
        ends = rows.groupby("side_m")[column].agg(["min", "median", "max"])
        side = ends.index.to_numpy(float) / 1000
        axes.fill_between(side, ends["min"], ends["max"], color=colour, alpha=0.25, linewidth=0)
        axes.plot(side, ends["median"], "o-", color=colour, markersize=3, linewidth=1, label=str(quantity))  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks(side, [f"{each:g}" for each in side])
    axes.minorticks_off()
    axes.set_xlabel("side of a coarse cell, km; bands: eight origins", fontsize=8)
    axes.set_ylabel(label, fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _by_cells(axes: Any, cells: pd.DataFrame) -> None:
    axes.set_ylabel("largest difference of a unit, %", fontsize=8)
    axes.set_xlabel("fine cells, m; below: units in another zone", fontsize=8)
    if cells.empty:
        axes.text(0.5, 0.5, "not tried", ha="center", transform=axes.transAxes, fontsize=8)
        return
    place = range(len(cells))
    for shift, quantity in ((-0.18, "emission"), (0.18, "sink")):
        heights = cells[f"{quantity}_percent"]
        axes.bar([each + shift for each in place], heights, 0.34, color=_COLOURS[quantity], label=quantity)  # fmt: skip
    named = [f"{fine}\n{zones}" for fine, zones in zip(cells["fine"], cells["zones"], strict=True)]
    axes.set_xticks(list(place), named)
    axes.legend(fontsize=7, frameon=False)


def _among_random(axes: Any, groups: pd.DataFrame) -> None:
    axes.set_xlabel("adjusted Rand index: zones of units and of their groups", fontsize=8)  # fmt: skip
    axes.set_ylabel("groupings drawn by lot", fontsize=8)
    groups = groups[groups["adjusted_rand"].notna()]
    random, parents = groups[groups["draw"] > 0], groups[groups["draw"] == 0]
    if len(random):
        axes.hist(random["adjusted_rand"], bins=25, color=GREY, alpha=0.6)
    for row in parents.to_dict("records"):
        axes.axvline(row["adjusted_rand"], color=INK, linewidth=1.2)
        axes.annotate(row["merged"], (row["adjusted_rand"], 1), (3, -8), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=7)  # fmt: skip
