"""Which choices of the method move zones, and which units they move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.sheet import DPI, GREY, INK
from carbongrid.outputs.figures.style import in_plain_style

if TYPE_CHECKING:
    import pandas as pd

_ORDER = (1, 2, 3, 4, 0)


@in_plain_style
def write_choices_figure(units: pd.DataFrame, choices: pd.DataFrame, path: Path) -> Path:
    """Draw how many units each choice moves, and the share of the readings that each unit has in each zone.

    Parameters
    ----------
    units
        zone, stable, share_1 to share_4 and share_0.
    choices
        choice, own, value, alone, mean.
    path
        The file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, max(3.2, 0.27 * len(choices) + 1.4)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    ordered = choices.sort_values("mean", kind="stable")
    place = np.arange(len(ordered))
    left.barh(place, ordered["mean"], color=GREY, height=0.62, label="mean over the other choices")
    left.plot(ordered["alone"], place, "o", color=INK, markersize=3.5, label="it alone")
    labels = [f"{row.choice}: {row.own} → {row.value}" for row in ordered.itertuples(index=False)]
    left.set_yticks(place, labels, fontsize=7, parse_math=False)
    left.set_xlabel(f"units of {len(units)} in another zone", fontsize=8)
    left.tick_params(axis="x", labelsize=7)
    left.spines[["top", "right"]].set_visible(False)
    if len(ordered):
        left.legend(fontsize=7, loc="lower right", frameon=False)
    shares = units[[f"share_{code}" for code in _ORDER]].to_numpy(np.float64)
    # By the zone of the run, the surest first.
    own = units["zone"].map({code: rank for rank, code in enumerate(_ORDER)}).to_numpy(np.int64)
    surest = shares[np.arange(len(units)), own]
    rows = shares[np.lexsort((-surest, own))]
    foot = np.zeros(len(units))
    known = {zone.code: zone for zone in zones()}
    for column, code in enumerate(_ORDER):
        if not rows[:, column].any():
            continue
        right.bar(np.arange(len(units)), rows[:, column], 1.0, foot, color=known[code].colour, label=known[code].name_en)  # fmt: skip
        foot += rows[:, column]
    right.set_xlim(-0.5, len(units) - 0.5)
    right.set_ylim(0, 1)
    right.set_xticks([])
    right.set_xlabel("units, by their zone in the run", fontsize=8)
    right.set_ylabel("share of the readings", fontsize=8)
    right.tick_params(labelsize=7)
    zoned = int((units["zone"] != 0).sum())
    right.set_title(f"{int(units['stable'].sum())} of {zoned} units with a zone have one zone under all readings", fontsize=8)  # fmt: skip
    right.legend(fontsize=6.5, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, frameon=False)  # fmt: skip
    figure.savefig(path, dpi=DPI, facecolor="white")
    return path
