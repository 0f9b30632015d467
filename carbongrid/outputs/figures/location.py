"""Fig. 1: where the units lie in their region, what they are called, and what their land is used for."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.outputs.figures.classes import LEVELS
from carbongrid.outputs.figures.pages import (
    Extent,
    Page,
    Panel,
    draw_legend,
    extent_of,
    graticule,
    map_width,
    page_of,
)
from carbongrid.outputs.figures.parcels import counted_entries, paint_parcels
from carbongrid.outputs.figures.sheet import GREY, MAX_NAMES, Entry, Sheet, outline, shortened
from carbongrid.outputs.land_types import colour_of_land, name_of_land, ordered_lands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.outputs.result import RunTables

_PASTEL = (
    "#a6cee3", "#fdbf6f", "#cab2d6", "#b2df8a", "#ffff99", "#fb9a99", "#d9d9d9", "#80b1d3",
    "#8dd3c7", "#bc80bd", "#fccde5", "#ccebc5", "#e5c494", "#b3b3b3", "#fdcdac", "#cbd5e8",
)  # fmt: skip
_PLACE, _AROUND = "#c8553d", "#eceae4"
_REGION, _UNITS, _LAND = (
    ("Place in its region", "区位"),
    ("Units", "评价单元"),
    ("Land by territorial type", "国土空间类型"),
)
_MAX_SMALL_NAMES = 300
"""Above it the names of units are not even tried: a page has no room for them."""
_WRAP = 24
_SPECK = 0.03
"""Of the width of the map of the region: a smaller place is framed, else it is overlooked."""


@dataclass(frozen=True)
class _Legend:
    """Title and note, and the entries."""

    heading: tuple[str, str] = ("", "")
    entries: tuple[Entry, ...] = ()


def location(sheet: Sheet) -> Page:
    """Draw the place in its region, the units, and the land of the parcels; a run has one to three of these."""
    tables = sheet.tables
    region, land = tables.surroundings is not None, not tables.parcels.empty
    captions = [_REGION] * region + [_UNITS] + [_LAND] * land
    alone = len(captions) == 1
    lands = ordered_lands(tables.parcels["type"].astype(str))
    classes, of_units = _classes_of_land(sheet, lands), _units_legend(sheet)
    of_land = _land_legend(sheet, lands, classes) if land else _Legend()
    each = map_width(len(captions))
    columns, tall = _fitting(sheet, of_units, 1 if alone else 2, each)
    across, more = _fitting(sheet, of_land, 6, len(captions) * each)
    page = page_of(
        sheet,
        ("Study area", "研究区"),
        [("", "")] if alone else captions,
        framed=True,
        below=0.1 + tall + land * (0.1 + more),
        extents=[*([_around(sheet)] if region else []), *[sheet.extent] * (1 + land)],
    )
    panels = list(page.panels)
    for panel in panels:
        graticule(sheet, panel.axes)
    if region:
        _draw_region(panels[0])
    units = panels[region]
    _draw_units(units)
    draw_legend(
        sheet,
        page.figure,
        units.corner,
        columns,
        of_units.heading,
        of_units.entries,
        small=not alone,
    )
    if land:
        paint_parcels(panels[-1], classes, [colour_of_land(name) for name in lands])
        left, top = panels[0].corner
        corner = (left, top - (tall + 0.1) / page.figure.get_size_inches()[1])
        draw_legend(
            sheet, page.figure, corner, across, of_land.heading, of_land.entries, small=True
        )
    return page


def _fitting(sheet: Sheet, legend: _Legend, columns: int, room: float) -> tuple[int, float]:
    """Return in how many columns, so many at most, a legend has room, and how tall it is then, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(20, 20))
    for number in range(columns, 0, -1):
        drawn = draw_legend(
            sheet, figure, (0, 1), number, legend.heading, legend.entries, small=True
        )
        box = drawn.get_window_extent()
        if box.width <= room * figure.dpi:
            break
    return number, float(box.height / figure.dpi)


def _around(sheet: Sheet) -> Extent:
    """Return the bounds of the region and the place, in the shape of the place's own map."""
    region = sheet.tables.surroundings
    assert region is not None, "the run has no region"
    bounds = np.array([region.total_bounds, sheet.extent])
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    left, low, right, high = sheet.extent
    width, height = 1.04 * (east - west), 1.04 * (north - south)
    wanted = (high - low) / (right - left)
    width, height = max(width, height / wanted), max(height, width * wanted)
    x, y = (west + east) / 2, (south + north) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _draw_region(panel: Panel) -> None:
    from matplotlib.collections import PathCollection

    sheet, region = panel.sheet, panel.sheet.tables.surroundings
    assert region is not None, "the run has no region"
    shapes = [outline(shape) for shape in region.geometry]
    style: dict[str, Any] = {"facecolors": _AROUND, "edgecolors": GREY, "linewidths": 0.5}
    panel.axes.add_collection(PathCollection(shapes, **style), autolim=False)
    place: dict[str, Any] = {"facecolors": _PLACE, "edgecolors": _PLACE, "linewidths": 0.6}
    panel.axes.add_collection(PathCollection(sheet.borders, **place), autolim=False)
    (west, _, east, _), (left, _, right, _) = sheet.extent, extent_of(panel.axes)
    if east - west < _SPECK * (right - left):
        at = sheet.tables.units.total_bounds.reshape(2, 2).mean(axis=0)
        panel.axes.plot(
            *at, marker="s", markersize=7, markerfacecolor="none", markeredgecolor=_PLACE
        )
    sheet.name_shapes(panel.axes, list(zip(region.geometry, region["name"], strict=True)), 6)


def _codes(tables: RunTables) -> pd.Series[Any]:
    """Return the code of each unit's nearest parent."""
    units, parents = tables.units, tables.parents
    return units[parents[0]] if parents else pd.Series("", units.index)


def districts_of(tables: RunTables) -> dict[str, str]:
    """Return the colour of each district by its code, where there are from two of them to as many as colours."""
    names = list(dict.fromkeys(_codes(tables)))
    return dict(zip(names, _PASTEL, strict=False)) if 1 < len(names) <= len(_PASTEL) else {}


def _draw_units(panel: Panel) -> None:
    sheet, districts = panel.sheet, districts_of(panel.sheet.tables)
    sheet.paint(panel.axes, [districts.get(code, _PASTEL[0]) for code in _codes(sheet.tables)])
    few = len(sheet.tables.units) <= MAX_NAMES
    if districts and not few:
        sheet.name_parents(panel.axes)
    sheet.name_units(panel.axes, 7 if few else 4.5, MAX_NAMES if few else _MAX_SMALL_NAMES)


def _units_legend(sheet: Sheet) -> _Legend:
    districts, letters = districts_of(sheet.tables), sheet.letters
    units = sheet.tables.units
    area = f"{units.area.sum() / 1e6:,.0f} km²"
    count = _codes(sheet.tables).value_counts()
    entries: list[Entry] = [
        ({"facecolor": colour}, f"{shortened(sheet.names_of_parents[code], 24)}  ({count[code]:,})")
        for code, colour in districts.items()
    ]
    parent = sheet.tables.parents[0] if districts else ""
    by = (
        (f"Units by {parent}", f"按{LEVELS.get(parent, f' {parent} ')}划分")
        if districts
        else ("Units", "评价单元")
    )
    note = letters.below(f"{len(units):,} units, {area}", f"{len(units):,} 个单元，{area}")
    return _Legend((letters.beside(*by), note), tuple(entries))


def _classes_of_land(sheet: Sheet, lands: Sequence[str]) -> NDArray[np.int64]:
    numbers = {land: number for number, land in enumerate(lands)}
    found = sheet.tables.parcels["type"].astype(str).map(numbers)
    classes: NDArray[np.int64] = found.to_numpy(np.int64)
    return classes


def _land_legend(sheet: Sheet, lands: Sequence[str], classes: NDArray[np.int64]) -> _Legend:
    letters = sheet.letters
    names = []
    for land in lands:
        english, chinese = name_of_land(land)
        names.append(letters.below("\n".join(textwrap.wrap(english, _WRAP)), chinese))
    entries = counted_entries(names, [colour_of_land(land) for land in lands], classes)
    title = letters.beside("Territorial type (parcels)", "国土空间类型（地块数）")
    return _Legend((title, ""), tuple(entries))
