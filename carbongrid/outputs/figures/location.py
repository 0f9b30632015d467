"""Fig. 1: where the units lie in their region, what they are called, and what their land is used for."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.outputs.figures.pages import Extent, Page, Panel, draw_legend, graticule, page_of
from carbongrid.outputs.figures.parcels import counted_entries, paint_parcels
from carbongrid.outputs.figures.sheet import GREY, MAX_NAMES, Entry, Sheet, outline, shortened
from carbongrid.outputs.land_types import colour_of_land, name_of_land, ordered_lands

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PASTEL = (
    "#a6cee3", "#fdbf6f", "#cab2d6", "#b2df8a", "#ffff99", "#fb9a99", "#d9d9d9", "#80b1d3",
    "#8dd3c7", "#bc80bd", "#fccde5", "#ccebc5", "#e5c494", "#b3b3b3", "#fdcdac", "#cbd5e8",
)  # fmt: skip
_PLACE, _REGION = "#c8553d", "#eceae4"
_REGION_CAPTION = ("Place in its region", "区位")
_MAX_SMALL_NAMES = 300
"""Above it the names of units are not even tried: a page has no room for them."""
_WRAP = 24

_Legend = tuple[tuple[str, str], list[Entry]]
"""Title and note, and the entries."""


def location(sheet: Sheet) -> Page:
    """Draw the place in its region, the units, and the land of the parcels; a run has one to three of these."""
    drawn = [("Units", "评价单元")]
    if sheet.tables.surroundings is not None:
        drawn.insert(0, _REGION_CAPTION)
    if not sheet.tables.parcels.empty:
        drawn.append(("Land by territorial type", "国土空间类型"))
    colours, legends = _colours_of_units(sheet), [_units_legend(sheet)]
    lands = ordered_lands(sheet.tables.parcels["type"].astype(str))
    classes = _classes_of_land(sheet, lands)
    if sheet.tables.surroundings is not None:
        legends.insert(0, _region_legend(sheet))
    if lands:
        legends.append(_land_legend(sheet, lands, classes))
    extents = [sheet.extent] * len(drawn)
    if sheet.tables.surroundings is not None:
        extents[0] = _around(sheet)
    alone = len(drawn) == 1
    captions = [("", "")] if alone else drawn
    below = 0.0 if alone else 0.1 + max(_height(sheet, legend) for legend in legends)
    heading = ("Study area", "研究区")
    page = page_of(sheet, heading, captions, framed=True, below=below, extents=extents)
    for panel, (words, entries) in zip(page.panels, legends, strict=True):
        panel.legend(words[0], entries, words[1])
        graticule(sheet, panel.axes)
    panels = dict(zip([words[0] for words in drawn], page.panels, strict=True))
    if sheet.tables.surroundings is not None:
        _draw_region(panels[_REGION_CAPTION[0]])
    _draw_units(panels["Units"], colours)
    if lands:
        paint_parcels(page.panels[-1], classes, [colour_of_land(land) for land in lands])
    return page


def _height(sheet: Sheet, legend: _Legend) -> float:
    """Return how tall a legend is, in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8))
    box = draw_legend(sheet, figure, (0, 1), 2, *legend)
    return float(box.get_window_extent().height / figure.dpi)


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
    style: dict[str, Any] = {"facecolors": _REGION, "edgecolors": GREY, "linewidths": 0.5}
    panel.axes.add_collection(PathCollection(shapes, **style), autolim=False)
    place: dict[str, Any] = {"facecolors": _PLACE, "edgecolors": _PLACE, "linewidths": 0.6}
    panel.axes.add_collection(PathCollection(sheet.borders, **place), autolim=False)
    sheet.name_shapes(panel.axes, list(zip(region.geometry, region["name"], strict=True)), 6)


def _region_legend(sheet: Sheet) -> _Legend:
    title = sheet.letters.beside("The place of the study", "研究区所在")
    return (title, ""), [({"facecolor": _PLACE}, sheet.letters.beside("all units", "全部单元"))]


def _codes(sheet: Sheet) -> pd.Series[Any]:
    """Return the code of each unit's nearest parent."""
    units, parents = sheet.tables.units, sheet.tables.parents
    return units[parents[0]] if parents else pd.Series("", units.index)


def _districts(sheet: Sheet) -> dict[str, str]:
    """Return the colour of each district by its code, where there are from two of them to as many as colours."""
    names = list(dict.fromkeys(_codes(sheet)))
    return dict(zip(names, _PASTEL, strict=False)) if 1 < len(names) <= len(_PASTEL) else {}


def _colours_of_units(sheet: Sheet) -> list[str]:
    districts = _districts(sheet)
    return [districts.get(code, _PASTEL[0]) for code in _codes(sheet)]


def _draw_units(panel: Panel, colours: Sequence[str]) -> None:
    sheet = panel.sheet
    sheet.paint(panel.axes, colours)
    few = len(sheet.tables.units) <= MAX_NAMES
    if _districts(sheet) and not few:
        sheet.name_parents(panel.axes)
    sheet.name_units(panel.axes, 7 if few else 4.5, MAX_NAMES if few else _MAX_SMALL_NAMES)


def _units_legend(sheet: Sheet) -> _Legend:
    districts, letters = _districts(sheet), sheet.letters
    units = sheet.tables.units
    area = f"{units.area.sum() / 1e6:,.0f} km²"
    count = _codes(sheet).value_counts()
    entries: list[Entry] = [
        ({"facecolor": colour}, f"{shortened(code, 24)}  ({count[code]})")
        for code, colour in districts.items()
    ]
    parent = sheet.tables.parents[0] if districts else ""
    by = (f"Units by {parent}", f"按 {parent} 划分") if districts else ("Units", "评价单元")
    note = letters.below(f"{len(units)} units, {area}", f"{len(units)} 个单元，{area}")
    return (letters.beside(*by), note), entries


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
    return (title, ""), entries
