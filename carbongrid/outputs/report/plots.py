"""Drawings of a finished run for a notebook: ``result.plot("emission_t")``, ``result.plot.zones()``, ``.ecc_esc()``, ``.grid()``, ``.explore()``."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, require_extra
from carbongrid.method.categories import suggestion_of
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import (
    NO_VALUE,
    RELATIVE_IN_LINE,
    ordered_zones,
    powers_of_ten,
)
from carbongrid.outputs.figures.scales import (
    natural,
    ranges_of_powers,
    scales_of,
    sequential,
    signed,
    totals,
)
from carbongrid.outputs.marks import flags_of
from carbongrid.outputs.numbers import (
    index_number,
    mass,
    people,
    percent,
    plain_number,
    share_of_draws,
)
from carbongrid.outputs.result import cell_side
from carbongrid.outputs.tables.headings import name_of

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from carbongrid.outputs.figures.scales import Scale

_INK = "#22272e"
_TOLD = {
    "id": "code",
    "name": "name",
    "name_en": "name in English",
    "zone_name": "zone",
    "emission_t": "emission",
    "sink_t": "sink",
    "ccr": "CCR",
    "ecc": "ECC",
    "esc": "ESC",
}
"""Columns that a unit of a map to move about in tells, and what they are called there."""
_LEAST, _GREATEST = 0.01, 100.0


@dataclass(frozen=True, repr=False)
class Plots:
    """Draws units on matplotlib's axes.

    Parameters
    ----------
    units
        Columns geometry, zone, ecc, esc, emission_t, borderline, indicative, and firm if it was drawn.
    cells
        The coarse grid, ``emission`` and ``sink`` in g yr-1; or what returns it, when it is asked for.
    gas
        Of the emissions.
    """

    units: gpd.GeoDataFrame
    cells: xr.Dataset | Callable[[], xr.Dataset] | None = None
    gas: Gas = ALL_GASES

    def __repr__(self) -> str:
        return 'Plots: ("emission_t", ax=None), .zones(ax=None), .ecc_esc(ax=None), .grid("emission", ax=None), .explore("zone")'

    def __call__(self, column: str = "emission_t", ax: Axes | None = None) -> Axes:
        """Draw a map of the units by one of their columns, in the classes of the report and the figures.

        Parameters
        ----------
        column
            A column of numbers of :attr:`carbongrid.Result.units`; ``zone`` draws the zones.
        ax
            Where to draw; by default a figure of its own, which a notebook then shows.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        InputError
            If the units have no such column, or it holds no numbers.

        Notes
        -----
        CCR, ECC and ESC have their own classes; what is below 0 in some unit, as the change to leave a zone, powers of ten on both sides of 0; all else five natural ones of what is above 0. Grey is zero, or unknown.
        """
        if column == "zone":
            return self.zones(ax)
        require_extra("report", "matplotlib", purpose="a map of the units")
        scale, classes = self._classed(column)
        axes = ax or _new_axes(7.0, 6.0)
        colours = [
            scale.colours[number] if number >= 0 else NO_VALUE for number in classes.tolist()
        ]
        self.units.plot(ax=axes, color=colours, edgecolor="white", linewidth=0.5)
        _legend(axes, *_entries(scale, classes))
        return _as_map(axes)

    def _classed(self, column: str) -> tuple[Scale, NDArray[np.int64]]:
        """Return the classes of a column, and that of each unit: those of the figures where they draw it."""
        numbers = [str(name) for name in self.units.select_dtypes("number").columns]
        if column not in numbers:
            raise InputError(f"the units have no column of numbers {column!r}", "plot", suggestion_of(column, numbers))  # fmt: skip
        frame = pd.DataFrame(self.units.drop(columns="geometry"))
        frame = frame.assign(emission_g=1e6 * frame["emission_t"], sink_g=1e6 * frame["sink_t"])
        key = {"emission_t": "emission", "sink_t": "sink"}.get(column, column)
        known = scales_of(frame, gas=self.gas)
        values = frame[column].to_numpy(np.float64, na_value=np.nan)
        if key in known:
            scale = known[key]
        elif (values < 0).any():
            unit = self.gas.told("t CO₂e yr⁻¹") if column.endswith("_t") else ""
            scale = signed(column, values, (name_of(column), ""), unit)
            frame[column] = np.where(values == 0, np.nan, values)
        elif column.endswith("_t"):
            grams = 1e6 * frame[column].rename("grams")
            frame = frame.assign(grams=grams)
            palette = "YlGn" if column.startswith("sink") else "YlOrRd"
            scale = totals("grams", grams, (name_of(column), ""), palette, self.gas)
        else:
            scale = replace(natural(frame[column], ("", ""), "YlOrRd"), name=(name_of(column), ""))
        return scale, scale.classes(scale.values(frame))

    def grid(self, field: str = "emission", ax: Axes | None = None) -> Axes:
        """Draw the coarse grid by powers of ten, as its own style in QGIS has it; the units' borders above it.

        Parameters
        ----------
        field
            ``emission`` or ``sink``.
        ax
            As for :meth:`__call__`.

        Returns
        -------
        matplotlib.axes.Axes
        """
        require_extra("report", "matplotlib", purpose="a map of the grid")
        from matplotlib.colors import BoundaryNorm, ListedColormap

        if self.cells is None or field not in ("emission", "sink"):
            raise InputError(f"there is no field {field!r} of the grid", "plot.grid", "The fields are emission and sink, of a finished run.")  # fmt: skip
        dataset = self.cells() if callable(self.cells) else self.cells
        tonnes = dataset[field].to_numpy() / 1e6
        axes = ax or _new_axes(7.0, 6.0)
        shown = tonnes[tonnes > 0]
        if shown.size:
            bounds = powers_of_ten(shown)
            edges = sorted({float(shown.min()), *bounds, float(np.nextafter(shown.max(), np.inf))})
            colours = sequential("YlGn" if field == "sink" else "YlOrRd", max(len(edges) - 1, 1))
            half = cell_side(dataset) / 2
            x, y = dataset["x"].to_numpy(), dataset["y"].to_numpy()
            axes.imshow(
                np.where(tonnes > 0, tonnes, np.nan),
                extent=(x[0] - half, x[-1] + half, y[-1] - half, y[0] + half),
                cmap=ListedColormap(colours),
                norm=BoundaryNorm(edges, len(colours)),
                interpolation="nearest",
            )
            places = np.digitize(shown, edges[1:-1])
            counts = np.bincount(places, minlength=len(colours)).tolist()
            entries = list(zip(colours, ranges_of_powers(edges), counts, strict=True))
            _legend(axes, entries[::-1], self.gas.told(f"{field}, t CO₂e per cell and year"))
        self.units.boundary.plot(ax=axes, color=_INK, linewidth=0.4)
        return _as_map(axes)

    def explore(self, column: str = "zone", *, tiles: str | None = None, **options: Any) -> Any:
        """Return a map to move about in, of folium; needs ``pip install "carbongrid[explore]"``.

        Parameters
        ----------
        column
            ``zone``, or a column of numbers.
        tiles
            What to lay the units over, such as ``OpenStreetMap``; by default nothing. Whatever is drawn, folium's page loads its scripts from
            the network, and tiles besides.
        options
            For ``folium.Map``.

        Returns
        -------
        folium.Map

        Notes
        -----
        Names are text in it, whatever they hold. Classes, their colours and the numbers of a unit are those of the report.
        """
        require_extra("explore", "folium", purpose="a map to move about in")
        import folium

        if column == "zone":
            known = {zone.code: zone.colour for zone in ordered_zones()}
            colours = [known[int(code)] for code in self.units["zone"]]
            entries, title = self._zone_entries(), RELATIVE_IN_LINE[0]
        else:
            scale, classes = self._classed(column)
            colours = [scale.colours[k] if k >= 0 else NO_VALUE for k in classes.tolist()]
            entries, title = _entries(scale, classes)
        told = {name: text for name, text in _TOLD.items() if name in self.units}
        if column not in ("zone", *told):
            told[column] = name_of(column)
        shown = self.units[[*told, "geometry"]].to_crs("EPSG:4326")
        for name in told:
            shown[name] = [html.escape(self._in_words(name, cell)) for cell in shown[name]]
        for flag in flags_of(self.units) if "zone_name" in told else ():
            shown.loc[flag.marked(self.units), "zone_name"] += f", {flag.name_en}"
        west, south, east, north = shown.total_bounds.tolist()
        drawn = folium.Map(tiles=tiles, **options)
        folium.GeoJson(
            shown.assign(**{_COLOUR: colours}),
            style_function=_style,
            tooltip=folium.GeoJsonTooltip(
                list(told), [html.escape(text) for text in told.values()]
            ),
        ).add_to(drawn)
        drawn.fit_bounds([[south, west], [north, east]])
        page: Any = drawn.get_root()
        page.html.add_child(folium.Element(_legend_beside(entries, title)))
        return drawn

    def _zone_entries(self) -> list[tuple[str, str, int]]:
        """Return colour, name and number of units of each zone; unclassified where there are some."""
        counts = self.units["zone"].value_counts()
        return [
            (zone.colour, zone.name_en, int(counts.get(zone.code, 0)))
            for zone in ordered_zones()
            if zone.code or counts.get(zone.code, 0)
        ]

    def _in_words(self, column: str, cell: Any) -> str:
        """Return what a unit's cell is as the report shows it, with its unit."""
        if pd.isna(cell):
            return "–"
        if isinstance(cell, str) or column == "id":
            return str(cell)
        measure = re.sub("_(p05|p95|low|high)$", "", column)
        if measure.endswith("_t"):
            return self.gas.told(f"{mass(round(1e6 * cell))} CO₂e yr⁻¹")
        if measure == "zone_probability":
            return share_of_draws(cell)
        if measure == "ccr":
            return percent(cell)
        if measure in ("ecc", "esc"):
            return index_number(cell)
        return people(cell) if cell >= 0 else plain_number(cell)

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
        handles = [
            Patch(facecolor=colour, label=f"{name} ({count:,})")
            for colour, name, count in self._zone_entries()
        ]
        for flag in flags_of(self.units):
            marked = self.units[flag.marked(self.units)]
            if len(marked):
                style: dict[str, Any] = {"facecolor": "none", "edgecolor": _INK, "hatch": flag.hatch, "linewidth": 0}  # fmt: skip
                marked.plot(ax=axes, **style)
                # On white, as dark lines are not seen on a dark theme's ground.
                handles.append(Patch(label=f"{flag.name_en} ({len(marked):,})", **{**style, "facecolor": "white"}))  # fmt: skip
        axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        axes.set_title(RELATIVE_IN_LINE[0], fontsize="small")
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
        ink = axes.xaxis.label.get_color()  # the theme's, which may be light on dark
        axes.axvline(1, color=ink, linewidth=0.8, linestyle="--")
        axes.axhline(1, color=ink, linewidth=0.8, linestyle="--")
        axes.set_xlabel("ECC: share of GDP / share of emissions")
        axes.set_ylabel("ESC: share of sinks / share of emissions")
        return axes


_COLOUR = "fill colour"
"""A property of each unit, which no column is called."""
_OPACITY = 0.75


def _style(feature: dict[str, Any]) -> dict[str, Any]:
    colour = feature["properties"][_COLOUR]
    return {"fillColor": colour, "color": _INK, "weight": 0.6, "fillOpacity": _OPACITY}


def _legend_beside(entries: list[tuple[str, str, int]], title: str) -> str:
    """Return the legend as HTML, and what is seen in place of the map where its scripts cannot be loaded."""
    rows = "".join(
        f'<div><span style="display:inline-block;width:1em;height:1em;margin-right:.5em;vertical-align:-.1em;border:1px solid {_INK};background:{colour};opacity:{_OPACITY}"></span>{html.escape(text)} ({count:,})</div>'
        for colour, text, count in entries
    )
    page = (
        '<p style="position:absolute;top:0;margin:1em 4em;font:13px sans-serif">The map takes its scripts from the network, and could not load them.</p>'
        "<script>window.L && document.currentScript.previousElementSibling.remove()</script>"  # a map of some width lies beside it
        f'<div class="legend" style="position:absolute;left:10px;bottom:10px;z-index:1000;max-width:18em;padding:.5em .8em;background:rgba(255,255,255,.9);color:{_INK};font:13px/1.5 sans-serif;border-radius:4px"><b>{html.escape(title)}</b>{rows}</div>'
    )
    return page.replace("{", "&#123;")  # a brace begins what folium's own templates fill in


def _entries(scale: Scale, classes: NDArray[np.int64]) -> tuple[list[tuple[str, str, int]], str]:
    """Return colour, text and number of units of each class, the highest first, and what they are classes of."""
    counts = np.bincount(classes[classes >= 0], minlength=len(scale.labels))
    entries = list(zip(scale.colours, scale.labels, counts.tolist(), strict=True))[::-1]
    left = int((classes < 0).sum())
    certain = scale.missing == "unknown" and scale.at_break == "above"
    none = "unknown" if certain else "0 or unknown"
    entries += [(NO_VALUE, none, left)] if left else []
    return entries, ", ".join(filter(None, (scale.name[0], scale.unit[0].replace("\n", " "))))


def _legend(axes: Axes, entries: list[tuple[str, str, int]], title: str) -> None:
    """Put classes with their counts beside the map."""
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colour, label=f"{text} ({count:,})") for colour, text, count in entries
    ]
    axes.legend(
        handles=handles, title=title, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False
    )


def _as_map(axes: Axes) -> Axes:
    axes.set_aspect("equal")
    axes.set_axis_off()
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
