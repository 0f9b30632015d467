"""The sheet that a figure is drawn on: fonts, outlines, extent, scale bar and legend.

Matplotlib is used through its objects alone, without pyplot, so nothing global is left behind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from carbongrid.method.zoning import either_side
from carbongrid.outputs.figures.classes import NO_VALUE, round_length
from carbongrid.outputs.figures.lettering import (
    Language,
    Lettering,
    installed_lettering,
    tell_lost,
)
from carbongrid.outputs.result import cell_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Outline
    from matplotlib.text import Text
    from numpy.typing import NDArray

    from carbongrid.outputs.figures.scales import Scale
    from carbongrid.outputs.result import RunTables

WIDTH, HEADING, LEGEND, FOOT = 7.0, 0.75, 2.3, 0.4  # inches
DPI = 150
_UNSEEN = 0.05
"""Of a pixel. Lines are twenty times as wide, so that two outlines with a common border, each simplified by itself, leave no gap."""
MAX_NAMES = 30
_LEAST = 6
"""Characters that a name keeps, however narrow its shape is: four of Chinese are the rule, and a few Latin ones are no wider."""
EITHER_SIDE_OF_ONE = ("interval contains 1", "区间包含 1")
SPLIT_GDP = (
    "GDP split off a larger area's:\n90 % intervals in units.csv",
    "GDP 由上级区域拆分：\n90 % 区间见 units.csv",
)
"""What a map of ECC says where GDP was derived, in lines for a legend."""
INK, GREY = "#22272e", "#6b7280"
Entry = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Sheet:
    """What all figures of a run share: the tables, the fonts, the outlines, the extent.

    Parameters
    ----------
    tables, letters
        Of the run.
    dpi
        Dots per inch of figures of pixels, which are drawn without what no pixel shows; 0 where a figure may be of any scale,
        and every vertex is drawn.
    matched
        Whether neighbours share the points of their borders and none lies on another; None where nobody has looked.
    """

    tables: RunTables
    letters: Lettering
    dpi: int = 0
    matched: bool | None = None

    @property
    def case(self) -> str:
        """Title and year, the year once; the year alone where the title cannot be drawn."""
        title, year = (
            shortened(self.letters.first_drawn(self.tables.title), 70),
            str(self.tables.year),
        )
        return title if year in title else f"{title}, {year}" if title else year

    @cached_property
    def outlines(self) -> list[Outline]:
        """Outlines of the units."""
        return [outline(geometry, self._unseen) for geometry in self.tables.units.geometry]

    @cached_property
    def parents(self) -> dict[str, Any]:
        """Shapes of the nearest parents by their codes, or of the whole."""
        units = self.tables.units
        codes = units[self.tables.parents[0]] if self.tables.parents else [""] * len(units)
        groups = units.geometry.groupby(np.asarray(codes))
        # Where neighbours share the points of their border, what is left is the outer border: of 900,000 points in 0.1 s, or 0.4 s with the test, else in 1.1 s.
        # It begins its rings elsewhere, by which a name on regular shapes may stand elsewhere: what is printed has the other one.
        same = self.dpi > 0 and self.matched
        if same is None:
            same = bool(shapely.coverage_is_valid(units.geometry.to_numpy()))
        union = shapely.coverage_union_all if same else shapely.union_all
        return {str(code): union(rows.to_numpy()) for code, rows in groups}

    @cached_property
    def borders(self) -> list[Outline]:
        """Outlines of the nearest parents, or of the whole."""
        return [outline(shape, self._unseen) for shape in self.parents.values()]

    @cached_property
    def _unseen(self) -> float:
        """How far an outline may lie from its place, in metres of the map."""
        west, _, east, _ = self.extent
        return _UNSEEN * (east - west) / ((WIDTH - LEGEND) * self.dpi) if self.dpi else 0.0

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """The units and the coarse cells that hold mass, with a margin."""
        grid = self.tables.grid_1km
        rows, columns = np.nonzero((grid["emission"] + grid["sink"]).to_numpy())
        half = cell_side(grid) / 2
        x, y = grid["x"].to_numpy()[columns], grid["y"].to_numpy()[rows]
        bounds = [self.tables.units.total_bounds]
        if x.size:
            bounds.append(
                np.array([x.min() - half, y.min() - half, x.max() + half, y.max() + half])
            )
        west, south = np.nanmin(bounds, axis=0)[:2]
        east, north = np.nanmax(bounds, axis=0)[2:]
        margin = 0.02 * max(east - west, north - south)
        return west - margin, south - margin, east + margin, north + margin

    def blank(self, english: str, chinese: str) -> tuple[Figure, Axes]:
        """Return a figure with a heading, a scale bar and an empty map at the left."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        west, south, east, north = self.extent
        map_width = WIDTH - LEGEND
        map_height = min(max(map_width * (north - south) / (east - west), 3.2), 9.0)
        height = map_height + HEADING + FOOT
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.02, FOOT / height, map_width / WIDTH - 0.02, map_height / height))
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.set_aspect("equal", anchor="N")
        axes.set_axis_off()
        self.write(
            figure, 0.02, 1 - 0.14 / height, self.letters.beside(english, chinese), 12, bold=True
        )
        self.write(figure, 0.02, 1 - 0.42 / height, self.case, 8.5, colour=GREY)
        self._scale_bar(axes)
        return figure, axes

    def write(
        self,
        target: Any,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        colour: str = INK,
        **options: Any,
    ) -> Text:
        """Write a text on a figure or a map, and return it; a dollar sign in it is a dollar sign."""
        properties = self.letters.properties(size, bold=bold)
        defaults: dict[str, Any] = {"va": "top"}
        written: Text = target.text(
            x,
            y,
            self.letters.drawable(text),
            fontproperties=properties,
            color=colour,
            parse_math=False,
            **(defaults | options),
        )
        return written

    def _scale_bar(self, axes: Axes) -> None:
        west, _, east, _ = self.extent
        length = round_length((east - west) * 0.3)
        text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
        axes.plot(
            [west, west, west + length, west + length],
            [-0.028, -0.04, -0.04, -0.028],
            transform=axes.get_xaxis_transform(),
            color=INK,
            linewidth=1.2,
            clip_on=False,
            solid_joinstyle="miter",
        )
        place: dict[str, Any] = {
            "transform": axes.get_xaxis_transform(),
            "va": "bottom",
            "ha": "center",
        }
        self.write(axes, west + length / 2, -0.034, text, 8, **place)

    def paint(self, axes: Axes, colours: Sequence[str]) -> None:
        """Fill the units and draw the parents' borders over them."""
        from matplotlib.collections import PathCollection

        axes.add_collection(
            PathCollection(self.outlines, facecolors=colours, edgecolors="white", linewidths=0.5),
            autolim=False,
        )
        self.frame(axes)

    def hatch(self, axes: Axes, rows: NDArray[np.int64], hatch: str, text: str) -> Entry:
        """Hatch the units of these rows; return the legend's entry, with their number."""
        from matplotlib.collections import PathCollection
        from matplotlib.path import Path as Outline

        style: dict[str, Any] = {"facecolor": "none", "edgecolor": "#000000cc", "hatch": hatch, "linewidth": 0.0}  # fmt: skip
        plural = {key if key == "hatch" else f"{key}s": value for key, value in style.items()}
        # As one: the hatching is rendered anew for each path, which is 0.5 ms.
        shape = Outline.make_compound_path(*(self.outlines[row] for row in rows))
        axes.add_collection(PathCollection([shape], **plural), autolim=False)
        return style, f"{text}  ({rows.size:,})"

    @property
    def gdp_is_split(self) -> bool:
        """Whether the ECC of some unit rests on GDP split off a larger area's."""
        units = self.tables.units
        return bool((units["ecc_low"] < units["ecc_high"]).any())

    def mark_split(self, axes: Axes, *, narrow: bool = False) -> list[Entry]:
        """Hatch the units whose ECC may lie on either side of 1; return the entries of the legend (docs/decisions/0060)."""
        rows = np.flatnonzero(either_side(self.tables.units["reason"]))
        join = self.letters.below if narrow else self.letters.beside
        name = join(*EITHER_SIDE_OF_ONE)
        return [self.hatch(axes, rows, "....", name)] if rows.size else []

    def frame(self, axes: Axes) -> None:
        """Draw the parents' borders."""
        from matplotlib.collections import PathCollection

        axes.add_collection(
            PathCollection(self.borders, facecolors="none", edgecolors="#4b5563", linewidths=0.8),
            autolim=False,
        )

    def name_units(self, axes: Axes, size: float = 7, most: int = MAX_NAMES) -> int:
        """Write the units' names where they are few enough to be read; return how many found no place."""
        units = self.tables.units
        if len(units) > most:
            return 0
        names = [self._named(row.name, row.name_en, row.id) for row in units.itertuples()]
        return self.name_shapes(axes, list(zip(units.geometry, told_apart(names), strict=True)), size)  # fmt: skip

    def name_parents(self, axes: Axes) -> None:
        """Write the names of the nearest parents, so that colours are not all that tells them apart."""
        names = told_apart([self.names_of_parents[code] for code in self.parents])
        self.name_shapes(axes, list(zip(self.parents.values(), names, strict=True)), 7)

    @cached_property
    def names_of_parents(self) -> dict[str, str]:
        """Names of the nearest parents by their codes, in the language of the figure; behind the code where others read the same, and the code alone where no name can be drawn."""
        level = self.tables.parents[0] if self.tables.parents else ""
        named = self.tables.parent_names.get(level, {})
        names = {
            code: self._named(*named.get(code, ("", "")), code) or code for code in self.parents
        }
        drawn = Counter(map(shortened, names.values()))
        return {
            code: name if name == code or drawn[shortened(name)] == 1 else f"{code} {name}"
            for code, name in names.items()
        }

    def _named(self, own: str, english: str, code: str) -> str:
        """Return the first of the names that can be drawn, that of the figure's language first."""
        names = (english, own) if self.letters.language == "en" else (own, english)
        return self.letters.first_drawn(*names, code)

    def name_shapes(self, axes: Axes, names: Sequence[tuple[Any, str]], size: float) -> int:
        """Write names in their shapes and no wider, the largest shape first; return how many would lie on others."""
        from matplotlib.patheffects import Stroke

        axes.apply_aspect()  # so that boxes are those of the finished page
        written = [text for text in axes.texts if text.get_clip_on()]
        taken = [np.array(text.get_window_extent().extents) for text in written]
        style: dict[str, Any] = {"ha": "center", "va": "center", "clip_on": True}
        # Effects turn a text into outlines, so the halo lies below the name, which stays text in PDF and SVG.
        halo: dict[str, Any] = {"path_effects": [Stroke(linewidth=2, foreground="white")], "zorder": 2.9}  # fmt: skip
        lost = 0
        present = [
            (shape, name) for shape, name in names
            if shape is not None and not shape.is_empty and self.letters.draws(name)
        ]  # fmt: skip
        for shape, name in sorted(present, key=lambda pair: -pair[0].area):
            point = shape.representative_point()
            text = self.write(axes, point.x, point.y, shortened(name), size, **style)
            west, south, east, north = shape.bounds
            left, right = axes.transData.transform([(west, south), (east, north)])[:, 0]
            _narrow(text, right - left)
            box = _free_place(text, size, axes, taken)
            if box is None:
                text.remove()
                lost += 1
            else:
                taken.append(box)
                (x, y), points = text.get_position(), float(text.get_fontsize())
                self.write(axes, x, y, text.get_text(), points, colour="white", **style, **halo)
        return lost

    def legend(self, figure: Figure, title: str, entries: Sequence[Entry]) -> None:
        """Draw a legend at the right: each entry a patch's style and its text."""
        from matplotlib.patches import Patch

        handles = [Patch(**style) for style, _ in entries]
        labels = [self.letters.drawable(text) for _, text in entries]
        height = figure.get_size_inches()[1]
        box = figure.legend(
            handles,
            labels,
            title=self.letters.drawable(title),
            loc="upper left",
            bbox_to_anchor=((WIDTH - LEGEND + 0.05) / WIDTH, 1 - HEADING / height),
            frameon=False,
            prop=self.letters.properties(8.5),
            title_fontproperties=self.letters.properties(9, bold=True),
            alignment="left",
            handlelength=1.4,
            handleheight=1.1,
            labelspacing=0.55,
            borderaxespad=0,
            borderpad=0,
        )
        for text in [*box.get_texts(), box.get_title()]:
            text.set_parse_math(False)


def outline(geometry: Any, tolerance: float = 0.0) -> Outline:
    """Return a polygon's rings, holes and parts as one matplotlib path, simplified within twice a tolerance; a ring that would vanish stays as it is."""
    from matplotlib.path import Path as Outline

    # Agg fills by winding, so holes have to run against their shell.
    parts = shapely.orient_polygons(shapely.get_parts(geometry))
    rings = shapely.get_rings(parts)
    if tolerance > 0:
        simple = shapely.simplify(rings, tolerance, preserve_topology=False)
        rings = np.where(shapely.get_num_coordinates(simple) < 4, rings, simple)
    if len(rings) == 0:
        return Outline(np.empty((0, 2)))
    coordinates = [shapely.get_coordinates(ring) for ring in rings]
    codes = []
    for ring in coordinates:
        code = np.full(len(ring), Outline.LINETO, dtype=Outline.code_type)
        code[0], code[-1] = Outline.MOVETO, Outline.CLOSEPOLY
        codes.append(code)
    return Outline(np.concatenate(coordinates), np.concatenate(codes))


def legend_entries(
    scale: Scale, classes: NDArray[np.int64], letters: Lettering, without: str = NO_VALUE
) -> list[Entry]:
    """Return the legend's entries, highest first, with counts; last what has no class, which is of the colour ``without``."""
    counts = np.bincount(classes[classes >= 0], minlength=len(scale.colours))
    entries: list[Entry] = [
        ({"facecolor": colour}, f"{letters.words(label)}  ({count:,})")
        for colour, label, count in zip(scale.colours, scale.labels, counts, strict=True)
        if scale.breaks or count
    ][::-1]
    none = int((classes < 0).sum())
    if none:
        entries.append(({"facecolor": without}, f"{letters.words(scale.missing)}  ({none:,})"))
    return entries


def _narrow(text: Text, width: float) -> None:
    """Cut a text where it is wider, in pixels, than its shape: it would seem to name the neighbours."""
    whole = text.get_text().removesuffix("…")
    length = len(text.get_text())
    while length > _LEAST and (wide := text.get_window_extent().width) > width:
        length = max(min(length - 1, int(length * width / wide)), _LEAST)
        # Also of what was cut before: without it half a name would seem whole.
        text.set_text(whole[: length - 1] + "…")


def _free_place(
    text: Text, size: float, axes: Axes, taken: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Move a text to where it lies on no other and none of it is cut at the edge of the map: there, a line up or down, or smaller.

    Returns its box in pixels, None if there is no such place.
    """
    frame, start = axes.bbox, axes.transData.transform(text.get_position())
    for points in (size, 0.8 * size):
        text.set_fontsize(points)
        width, height = text.get_window_extent().size
        if width > frame.width or height > frame.height:
            continue
        low = np.array([frame.x0 + width / 2, frame.y0 + height / 2])
        high = np.array([frame.x1 - width / 2, frame.y1 - height / 2])
        for lines in (0, 0.9, -0.9):
            middle = np.clip(start + np.array([0, lines * height]), low, high)
            half = np.array([width / 2, height / 2])
            box: NDArray[np.float64] = np.concatenate([middle - half, middle + half])
            if not _lies_on(box, taken):
                x, y = axes.transData.inverted().transform(middle)
                text.set_position((x, y))
                return box
    return None


def _lies_on(box: NDArray[np.float64], others: Sequence[NDArray[np.float64]]) -> bool:
    if not others:
        return False
    west, south, east, north = np.array(others).T
    over = (west < box[2]) & (east > box[0]) & (south < box[3]) & (north > box[1])
    return bool(over.any())


def shortened(name: str, length: int = 18) -> str:
    """Return a name, cut where it is longer than a map or a heading can hold."""
    return name if len(name) <= length else name[: length - 1] + "…"


def told_apart(names: Sequence[str]) -> list[str]:
    """Return names without the beginning that all of them share before a number: cut to their place on a map they would all read the same."""
    start = "" if len(names) < 2 else re.split(r"(?<= )(?=[0-9])", names[0], maxsplit=1)[0]
    shared = start.endswith(" ") and all(name.startswith(start) and name[len(start) :][:1].isdigit() for name in names)  # fmt: skip
    return [name.removeprefix(start) if shared else name for name in names]


def sheet_of(
    tables: RunTables,
    language: Language = "both",
    dpi: int = 0,
    matched: bool | None = None,
    districts: Iterable[str] = (),
) -> Sheet:
    """Return the sheet of a run's figures, with the lettering of this machine; log a warning of names that it has no letters for.

    Parameters
    ----------
    tables, dpi, matched
        As :class:`Sheet` has them.
    language
        What the figures are lettered in.
    districts
        Codes of the nearest parents whose names stand on one of the figures.
    """
    pairs = [(str(row.name), str(row.name_en)) for row in tables.units.itertuples()]
    told = tables.parent_names.get(tables.parents[0], {}) if tables.parents else {}
    above = [told[code] for code in districts if code in told]
    texts, also = ([name for name, _ in named] for named in (pairs, above))
    letters = installed_lettering(language, [tables.title, *texts], also)

    def lost(named: Iterable[tuple[str, str]]) -> list[str]:
        return [
            own for own, english in named if letters.missing(own) and not letters.draws(english)
        ]

    title = tables.title if letters.missing(tables.title) else ""
    tell_lost(lost(pairs), letters, title, lost(above))
    return Sheet(tables, letters, dpi, matched)
