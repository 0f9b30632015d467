"""Drawings of a finished run for a notebook: ``result.plot.zones()``, ``result.plot.ecc_esc()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import require_extra
from carbongrid.outputs.figures.classes import RELATIVE, flags_of, ordered_zones

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

_INK = "#22272e"
_LEAST, _GREATEST = 0.01, 100.0


@dataclass(frozen=True, repr=False)
class Plots:
    """Draws units on matplotlib's axes.

    Parameters
    ----------
    units
        Columns geometry, zone, ecc, esc, emission_t, borderline, indicative, and firm if it was drawn.
    """

    units: gpd.GeoDataFrame

    def __repr__(self) -> str:
        return "Plots: .zones(ax=None), .ecc_esc(ax=None)"

    def zones(self, ax: Axes | None = None) -> Axes:
        """Draw the zone map, units whose zone is not firm (or, where nothing was drawn, close to 1) and indicative ones hatched, counts in the legend.

        Parameters
        ----------
        ax
            Where to draw; by default a figure of its own, which a notebook then shows.

        Returns
        -------
        matplotlib.axes.Axes
        """
        require_extra("report", "matplotlib", purpose="a map of the zones")
        from matplotlib.patches import Patch

        axes = ax or _new_axes(7.0, 6.0)
        colours = {zone.code: zone.colour for zone in ordered_zones()}
        self.units.plot(
            ax=axes, color=[colours[int(code)] for code in self.units["zone"]], edgecolor="white"
        )
        counts = self.units["zone"].value_counts()
        handles = [
            Patch(facecolor=zone.colour, label=f"{zone.name_en} ({counts.get(zone.code, 0)})")
            for zone in ordered_zones()
            if zone.code or counts.get(zone.code, 0)
        ]
        for flag in flags_of(self.units):
            marked = self.units[flag.marked(self.units)]
            if len(marked):
                style: dict[str, Any] = {"facecolor": "none", "edgecolor": _INK, "hatch": flag.hatch, "linewidth": 0}  # fmt: skip
                marked.plot(ax=axes, **style)
                handles.append(Patch(label=f"{flag.name_en} ({len(marked)})", **style))
        axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        axes.set_title(RELATIVE[0].replace("\n", " "), fontsize="small", color=_INK)
        axes.set_aspect("equal")
        axes.set_axis_off()
        return axes

    def ecc_esc(self, ax: Axes | None = None) -> Axes:
        """Draw a point per unit by ECC and ESC, on logarithmic axes over the four zones.

        Parameters
        ----------
        ax
            As for :meth:`zones`.

        Returns
        -------
        matplotlib.axes.Axes

        Notes
        -----
        The area of a point follows the emission. An index of 0, infinity or beyond 0.01 to 100 stands on the edge; a unit
        without ECC or ESC has no point.
        """
        require_extra("report", "matplotlib", purpose="a drawing of ECC and ESC")
        axes = ax or _new_axes(6.0, 5.5)
        zone_of = {zone.code: zone for zone in ordered_zones()}
        known = self.units[self.units["ecc"].notna() & self.units["esc"].notna()]
        ecc, esc = (np.clip(known[name].to_numpy(np.float64), _LEAST, _GREATEST) for name in ("ecc", "esc"))  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(*_ends(ecc))
        axes.set_ylim(*_ends(esc))
        for code, right_of_1, above_1 in (
            (1, True, True),
            (2, True, False),
            (3, False, True),
            (4, False, False),
        ):
            x, (low, high) = _side(axes.get_xlim(), right_of_1), _side(axes.get_ylim(), above_1)
            axes.fill_between(x, low, high, color=zone_of[code].colour, alpha=0.13, linewidth=0)  # fmt: skip
        emission = known["emission_t"].to_numpy(np.float64)
        axes.scatter(
            ecc,
            esc,
            s=20 + 260 * emission / max(float(emission.max(initial=0.0)), 1.0),
            c=[zone_of[int(code)].colour for code in known["zone"]],
            edgecolors=_INK,
            linewidths=0.7,
            alpha=0.85,
        )
        axes.axvline(1, color=_INK, linewidth=0.8, linestyle="--")
        axes.axhline(1, color=_INK, linewidth=0.8, linestyle="--")
        axes.set_xlabel("ECC: share of GDP / share of emissions")
        axes.set_ylabel("ESC: share of sinks / share of emissions")
        return axes


def _new_axes(width: float, height: float) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _ends(values: Any) -> tuple[float, float]:
    """Return the ends of an axis that holds the values and both sides of 1."""
    return float(values.min(initial=0.5)) / 1.25, float(values.max(initial=2.0)) * 1.25


def _side(ends: tuple[float, float], high: bool) -> tuple[float, float]:
    """Return the part of an axis above 1, or that below it."""
    return (1.0, ends[1]) if high else (ends[0], 1.0)
