"""A page of one map or several: where each stands, its legend, scale bar, north arrow and graticule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from carbongrid.outputs.figures.sheet import (
    FOOT,
    GREY,
    HEADING,
    INK,
    LEGEND,
    Entry,
    Sheet,
    shortened,
)
from carbongrid.raster.opening.crs import crs_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.path import Path as Outline
    from matplotlib.text import Text
    from numpy.typing import NDArray

Extent = tuple[float, float, float, float]
"""West, south, east, north."""

_SIDE = {1: 4.7, 2: 3.6, 3: 2.9}
"""Width of a map in inches, by the number of columns."""
BELOW, _CAPTION, _GAP = 1.1, 0.3, 0.15
_CAPTION_SIZE = 9.0
_POLYGONS_A_PATH = 1000  # Agg gives up on a path with too many cells


@dataclass(frozen=True)
class Panel:
    """One map of a page, where its legend begins in shares of the page, and in how many columns."""

    sheet: Sheet
    figure: Figure
    axes: Axes
    corner: tuple[float, float]
    columns: int

    def legend(self, title: str, entries: Sequence[Entry], note: str = "") -> None:
        """Draw the legend: each entry a patch's style and its text; the note below its title."""
        self.legend_at(self.corner, title, entries, note)

    def legend_at(
        self, corner: tuple[float, float], title: str, entries: Sequence[Entry], note: str
    ) -> None:
        """Draw a legend from another corner."""
        small = self.columns > 1
        draw_legend(
            self.sheet, self.figure, corner, self.columns, (title, note), entries, small=small
        )


def draw_legend(
    sheet: Sheet,
    figure: Figure,
    corner: tuple[float, float],
    columns: int,
    heading: tuple[str, str],
    entries: Sequence[Entry],
    *,
    small: bool,
) -> Legend:
    """Draw a legend from its upper left corner in shares of the page; the heading is a title and a note."""
    from matplotlib.patches import Patch

    size = 7 if small else 8.5
    box = figure.legend(
        [Patch(**style) for style, _ in entries],
        [sheet.letters.drawable(text) for _, text in entries],
        title=sheet.letters.drawable("\n".join(part for part in heading if part)),
        loc="upper left",
        bbox_to_anchor=corner,
        frameon=False,
        ncols=columns,
        prop=sheet.letters.properties(size),
        title_fontproperties=sheet.letters.properties(size),
        alignment="left",
        handlelength=1.4,
        handleheight=1.0,
        labelspacing=0.4,
        columnspacing=1.0,
        borderaxespad=0,
        borderpad=0,
    )
    for text in [*box.get_texts(), box.get_title()]:
        text.set_parse_math(False)
    return box


@dataclass(frozen=True)
class Page:
    """A figure with a heading and panels."""

    figure: Figure
    panels: tuple[Panel, ...]


def blank_page(sheet: Sheet, heading: tuple[str, str], size: tuple[float, float]) -> Figure:
    """Return a page of a size in inches with its heading, the case, and whom the data's licence wants named."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width, height = size
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    letters = sheet.letters
    sheet.write(figure, 0.14 / width, 1 - 0.14 / height, letters.beside(*heading), 12, bold=True)
    sheet.write(figure, 0.14 / width, 1 - 0.42 / height, sheet.case, 8.5, colour=GREY)
    if sheet.tables.attribution:
        credit = f"{letters.beside('Data', '数据')}: {shortened(sheet.tables.attribution, 100)}"
        sheet.write(figure, 1 - 0.1 / width, 0.05 / height, credit, 6.5, colour=GREY, ha="right", va="bottom")  # fmt: skip
    return figure


def map_width(maps: int) -> float:
    """Return how wide each of so many maps on a page is, in inches."""
    return _SIDE[min(maps, 3)]


def page_of(
    sheet: Sheet,
    heading: tuple[str, str],
    captions: Sequence[tuple[str, str]],
    *,
    framed: bool = False,
    below: float = BELOW,
    extents: Sequence[Extent] = (),
    beside: tuple[float, float] = (LEGEND, 0.0),
) -> Page:
    """Return a page with a map for each caption; a single map has its legend beside it, others below.

    Parameters
    ----------
    sheet
        The run's sheet.
    heading, captions
        English and Chinese.
    framed
        Whether degrees are to stand around the map.
    below
        Room for a legend below a map, in inches.
    extents
        What each map shows, all of one shape; the sheet's by default.
    beside
        Width and least height of what stands beside a single map, in inches.
    """
    alone = len(captions) == 1
    across = min(len(captions), 3)
    down = math.ceil(len(captions) / across)
    west, south, east, north = sheet.extent
    side = map_width(across)
    tall = min(max(side * (north - south) / (east - west), 0.5 * side), 1.9 * side)
    below = 0.0 if alone else below
    caption = 0.0 if alone else _CAPTION
    width = side + beside[0] if alone else across * (side + _GAP) + _GAP
    cell = tall + caption + below + (FOOT if alone else 0.35)
    height = HEADING + max(down * cell, beside[1]) + 0.2
    figure = blank_page(sheet, heading, (width, height))
    panels, written = [], []
    for number, words in enumerate(captions):
        row, column = divmod(number, across)
        left = _GAP + column * (side + _GAP)
        top = height - HEADING - row * cell - caption
        axes = figure.add_axes((left / width, (top - tall) / height, side / width, tall / height))
        shown = extents[number] if extents else sheet.extent
        axes.set_xlim(shown[0], shown[2])
        axes.set_ylim(shown[1], shown[3])
        axes.set_aspect("equal", anchor="N")
        axes.set_axis_off()
        if not alone:
            text = f"({chr(97 + number)}) {sheet.letters.beside(*words)}"
            start = (left / width, (top + 0.26) / height)
            written.append(sheet.write(figure, *start, text, _CAPTION_SIZE, bold=True))
        _scale_bar(sheet, axes, side, tall, below=0.32 if framed else 0.12)
        _north_arrow(sheet, axes, side, tall)
        corner = (left + side + 0.1, top) if alone else (left, top - tall - 0.38)
        place = (corner[0] / width, corner[1] / height)
        panels.append(Panel(sheet, figure, axes, place, 1 if alone else 2))
    _fit(written, side * figure.dpi)
    return Page(figure, tuple(panels))


def _fit(captions: Sequence[Text], width: float) -> None:
    """Letter captions, all alike, so that the widest ends with its panel, whatever fonts the machine has."""
    widest = max((caption.get_window_extent().width for caption in captions), default=0.0)
    for caption in captions:
        caption.set_fontsize(_CAPTION_SIZE * min(width / max(widest, 1.0), 1.0))


def extent_of(axes: Axes) -> Extent:
    """Return what a map shows: west, south, east, north in its plane."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    return west, south, east, north


def _scale_bar(sheet: Sheet, axes: Axes, side: float, tall: float, below: float) -> None:
    from carbongrid.outputs.figures.classes import round_length

    west, _, east, _ = extent_of(axes)
    length = round_length((east - west) * 0.3)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    tick, foot = 0.05 / tall, -below / tall
    transform = axes.get_xaxis_transform()
    axes.plot(
        [west, west, west + length, west + length],
        [foot + tick, foot, foot, foot + tick],
        transform=transform,
        color=INK,
        linewidth=1.2,
        clip_on=False,
        solid_joinstyle="miter",
    )
    beside = west + length + 0.08 / side * (east - west)
    place: dict[str, Any] = {"transform": transform, "va": "center", "ha": "left"}
    sheet.write(axes, beside, foot + tick / 2, text, 7.5, **place)


def _north_arrow(sheet: Sheet, axes: Axes, side: float, tall: float) -> None:
    """Draw an arrow at the upper right that points to true north in the middle of the map."""
    turn = math.radians(convergence(sheet, extent_of(axes)))
    x, y, long = 1 - 0.16 / side, 1 - 0.30 / tall, 0.24
    dx, dy = long * math.sin(turn) / side, long * math.cos(turn) / tall
    axes.annotate(
        "",
        xy=(x + dx / 2, y + dy / 2),
        xytext=(x - dx / 2, y - dy / 2),
        xycoords="axes fraction",
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0},
        annotation_clip=False,
    )  # fmt: skip
    place: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    sheet.write(axes, x + 0.8 * dx, y + 0.8 * dy, "N", 8, bold=True, **place)


def convergence(sheet: Sheet, extent: Extent) -> float:
    """Return the direction of true north on a map, in degrees clockwise from up, at its middle."""
    from carbongrid.case.readers.grid_crs import transformer_between

    crs = crs_of(sheet.tables.units.crs)
    if crs.geodetic_crs is None:
        return 0.0
    west, south, east, north = extent
    x, y = (west + east) / 2, (south + north) / 2
    to_degrees = transformer_between(crs, crs.geodetic_crs)
    longitude, latitude = to_degrees.transform(x, y)
    above = to_degrees.transform(longitude, latitude + 0.01, direction="INVERSE")
    turn = math.degrees(math.atan2(above[0] - x, above[1] - y))
    return turn if math.isfinite(turn) else 0.0


def graticule(sheet: Sheet, axes: Axes) -> None:
    """Frame the map and mark degrees along its lower and left edge."""
    from carbongrid.case.readers.grid_crs import transformer_between

    axes.set_axis_on()
    for spine in axes.spines.values():
        spine.set_color(GREY)
        spine.set_linewidth(0.6)
    axes.set_xticks([])
    axes.set_yticks([])
    crs = crs_of(sheet.tables.units.crs)
    if crs.geodetic_crs is None:
        return
    to_degrees = transformer_between(crs, crs.geodetic_crs)
    west, south, east, north = extent_of(axes)
    x, y = np.linspace(west, east, 200), np.linspace(south, north, 200)
    longitude = np.unwrap(to_degrees.transform(x, np.full(200, south))[0], period=360)
    latitude = to_degrees.transform(np.full(200, west), y)[1]
    step = _degree_step(float(longitude[-1] - longitude[0]))
    for axis, places, degrees, sides in (
        (axes.xaxis, x, longitude, ("W", "E")),
        (axes.yaxis, y, latitude, ("S", "N")),
    ):
        marks = np.arange(math.ceil(degrees[0] / step), math.floor(degrees[-1] / step) + 1) * step
        at = np.interp(marks, degrees, places)
        edge = 0.05 * (places[-1] - places[0])  # a label there would stick out
        inside = (at > places[0] + edge) & (at < places[-1] - edge)
        at, marks = at[inside], marks[inside]
        # Beyond the antimeridian degrees go on: 181 E is 179 W.
        named = (mark - 360 * round(mark / 360) for mark in marks.round(6))
        labels = [f"{abs(mark):g}° {sides[int(mark >= 0)]}" for mark in named]
        axis.set_ticks(at, labels=labels)
        axis.set_tick_params(length=3, width=0.6, color=GREY, labelcolor=GREY, pad=1)
        for label in axis.get_ticklabels():
            label.set_fontproperties(sheet.letters.properties(6.5))
    for label in axes.get_yticklabels():
        label.set(rotation=90, va="center")
    axes.tick_params(axis="both", direction="in")


def _degree_step(width: float) -> float:
    """Return the step that gives three to six marks: 1, 2, 5 times a power of ten."""
    from carbongrid.outputs.figures.classes import round_length

    return round_length(width / 3)


def compound_paths(geometry: NDArray[np.object_]) -> list[Outline]:
    """Return polygons as few paths, a thousand in each: a hundred thousand parcels are drawn in seconds."""
    from matplotlib.path import Path as Outline

    paths = []
    for start in range(0, len(geometry), _POLYGONS_A_PATH):
        # Agg fills by winding, so holes have to run against their shell.
        parts = shapely.orient_polygons(
            shapely.get_parts(geometry[start : start + _POLYGONS_A_PATH])
        )
        rings = shapely.get_rings(parts)
        if len(rings) == 0:
            continue
        coordinates = shapely.get_coordinates(rings)
        last = np.cumsum(shapely.get_num_coordinates(rings)) - 1
        codes = np.full(len(coordinates), Outline.LINETO, dtype=Outline.code_type)
        codes[np.r_[0, last[:-1] + 1]] = Outline.MOVETO
        codes[last] = Outline.CLOSEPOLY
        paths.append(Outline(coordinates, codes))
    return paths
