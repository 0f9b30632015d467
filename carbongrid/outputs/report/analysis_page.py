"""The page of an analysis: headline numbers, maps side by side, tables and what has to be said, in the report's look and both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from carbongrid.errors import Problem
from carbongrid.method.categories import Category
from carbongrid.method.gas import Gas
from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.classes import NO_VALUE, RATIOS, natural_breaks, ordered_zones
from carbongrid.outputs.figures.palettes import colours_at
from carbongrid.outputs.figures.scales import joined
from carbongrid.outputs.numbers import (
    mass,
    mass_in_chinese,
    plain_number,
    to_the_gram,
    to_the_gram_in_chinese,
)
from carbongrid.outputs.report.drawings import zone_map
from carbongrid.outputs.report.layers import Entry
from carbongrid.outputs.report.rendering import asset, render_page
from carbongrid.outputs.report.scatter import Scatter
from carbongrid.outputs.report.wording import isolated
from carbongrid.outputs.report.zone_flows import ZoneFlow

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_SAME = "#f2f1ec"
_RATIO_CLASSES = ("under 1/4", "1/4 … 1/2", "1/2 … 1", "1 … 2", "2 … 4", "4 and more")
_RATIO_CLASSES_ZH = ("不足 1/4", "1/4 … 1/2", "1/2 … 1", "1 … 2", "2 … 4", "4 及以上")


class Words(NamedTuple):
    """A text in both languages."""

    en: str
    zh: str


def mass_is(*gases: Gas) -> Words:
    """Return what the masses of a page are, of the gases of its runs."""
    names = sorted({name_of_gas(gas) for gas in gases})
    return Words(f"mass is {' and '.join(name.en for name in names)} per year", f"质量均为每年 {' 与 '.join(name.zh for name in names)}")  # fmt: skip


def name_of_gas(gas: Gas) -> Words:
    """Return what a run's emissions are of; where some of them are of CO2 alone that is said."""
    if gas.mixed:
        return Words("CO₂e (in part CO₂ alone)", "CO₂ 当量（部分仅含 CO₂）")
    return Words(gas.told("CO₂e"), gas.told("CO₂ 当量"))


PLOTS = Words("Values against published ones", "数值对照")
OF_PLOTS = Words(
    "Both axes are logarithmic and alike; on the diagonal both are equal. Lines: 5 to 95 % of the draws.",
    "两轴均为对数坐标且范围相同；对角线上两者相等。竖线：抽样的 5 % 至 95 %。",
)


class Cell(NamedTuple):
    """A cell of a table: its text in both languages, a colour beside it where it has one, and the code of what it names."""

    en: str
    zh: str = ""
    colour: str = ""
    code: str = ""


class Column(NamedTuple):
    """A column's heading, and whether it holds numbers."""

    name: Words
    number: bool = True


class Card(NamedTuple):
    """A headline number."""

    name: Words
    big: str | Words | Cell
    told: Words


@dataclass(frozen=True)
class Map:
    """The units by colour.

    Parameters
    ----------
    name
        What it shows.
    colours
        Of each unit.
    entries
        The legend.
    marked
        Rows of units with a heavy outline.
    note
        Below the legend.
    """

    name: Words
    colours: Sequence[str]
    entries: Sequence[Entry]
    marked: Sequence[int] = ()
    note: Words | None = None


@dataclass(frozen=True)
class Rows:
    """A table: its name, what it says of itself, its columns, its rows; rows of ``strong`` are sums."""

    key: str
    name: Words
    told: Words | None
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    strong: Sequence[int] = ()

    @property
    def is_wide(self) -> bool:
        """Whether it has more columns than fit an upright sheet."""
        return len(self.columns) > 7


@dataclass(frozen=True)
class AnalysisPage:
    """What a page says.

    Parameters
    ----------
    kicker, title, sub
        What it is, of what.
    cards, maps, tables
        In the order in which they are shown.
    outlines
        Of the units, for the maps.
    tips
        A line for each unit, shown where it is pointed at.
    notes
        Warnings and notes, each with its Chinese; what it cannot tell is among them.
    attribution
        Whom the data's licence wants named.
    plots
        Of values against published or known ones.
    plots_name, plots_told
        Their heading, and what they say of themselves.
    flow
        Of units from zone to zone.
    """

    kicker: Words
    title: str
    sub: Words
    cards: Sequence[Card]
    outlines: gpd.GeoDataFrame
    tips: Sequence[str]
    maps: Sequence[Map]
    tables: Sequence[Rows]
    notes: Sequence[tuple[Problem, str]]
    attribution: str = ""
    plots: Sequence[Scatter] = ()
    plots_name: Words = PLOTS
    plots_told: Words = OF_PLOTS
    flow: ZoneFlow | None = None


def write_analysis_page(page: AnalysisPage, path: Path) -> Path:
    """Write a page: one HTML file that loads nothing that needs nothing beside it.

    Raises
    ------
    InputError
        If Jinja is not installed.
    """
    content: dict[str, Any] = {
        "page": page,
        "map": zone_map(page.outlines, None) if page.maps else None,
    }
    scripts = [asset("assets/analysis.js")]
    text = render_page("analysis.html.j2", content, scripts, asset("assets/analysis.css"))
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def zone_cell(code: int) -> Cell:
    """Return a zone as a cell."""
    zone = zones()[code]
    return Cell(zone.name_en, zone.name_zh, zone.colour)


def unit_cell(name: str, code: str) -> Cell:
    """Return a unit as a cell."""
    return Cell(name, code=code)


def category_cell(name: str, categories: Mapping[str, Category]) -> Cell:
    """Return a category as a cell, by its names; by its key where it is none of the run's."""
    known = categories.get(name)
    return Cell(known.name_en or name, known.name_zh or name) if known else Cell(name)


def unit_in_text(name: str, code: str) -> str:
    """Return a unit where there is no markup."""
    return f"{isolated(name)} ({code})"


def mass_cell(grams: int) -> Cell:
    """Return a mass as a cell, in Chinese in 10,000 t or t."""
    return Cell(mass(grams), mass_in_chinese(grams))


def change_cell(grams: int, more: str = "") -> Cell:
    """Return a change of mass as a cell, and what stands behind it in both languages."""
    return Cell(_signed(grams) + more, _signed(grams, mass_in_chinese) + more)


def _signed(grams: int, show: Callable[[int], str] = mass) -> str:
    """Return a change of mass with its sign."""
    if 0 < abs(grams) < 1000:
        return show(grams).replace("< ", "< +")
    return f"{'+' if grams > 0 else '−' if grams < 0 else ''}{show(abs(grams))}"


def map_of_zones(
    codes: Sequence[int], name: Words, marked: Sequence[int] = (), note: Words | None = None
) -> Map:
    """Return the units by zone."""
    colours = {zone.code: zone.colour for zone in zones()}
    entries = [
        Entry(zone.colour, zone.name_en, zone.name_zh, list(codes).count(zone.code))
        for zone in ordered_zones()
        if zone.code or 0 in codes
    ]
    return Map(name, [colours[code] for code in codes], entries, marked, note)


def map_of_changes(
    grams: NDArray[np.int64],
    name: Words,
    marked: Sequence[int] = (),
    note: Words | None = None,
    *,
    rise_is_good: bool = False,
) -> Map:
    """Return the units by a change of mass: natural classes of its amount, the same on both sides of none; green is what is good."""
    amounts = np.abs(grams.astype(np.float64))
    changed = amounts[amounts > 0]
    least = float(changed.min(initial=np.inf))
    bounds = joined(natural_breaks(changed, 3), least)
    if not bounds:
        whole = Entry(_SAME, "no change", "无变化", len(grams))
        return Map(name, [_SAME] * len(grams), [whole], marked, note)
    places = np.searchsorted(bounds, amounts)
    good = 1 if rise_is_good else -1
    sides = {
        good: colours_at("BrBG", [0.5 + 0.42 * (k + 1) / len(bounds) for k in range(len(bounds))]),
        -good: colours_at("BrBG", [0.5 - 0.42 * (k + 1) / len(bounds) for k in range(len(bounds))]),
    }
    edges = [least, *bounds]
    entries, colours = [], [_SAME] * len(grams)
    for sign, order in ((1, range(len(bounds) - 1, -1, -1)), (-1, range(len(bounds)))):
        for k in order:
            inside = np.flatnonzero((np.sign(grams) == sign) & (places == k))
            mark = "+" if sign > 0 else "−"
            english, chinese = (
                " … ".join(dict.fromkeys(f"{mark}{show(round(edge))}" for edge in edges[k : k + 2]))
                for show in (to_the_gram, to_the_gram_in_chinese)
            )
            for row in inside:
                colours[row] = sides[sign][k]
            entries.append(Entry(sides[sign][k], english, chinese, len(inside)))
        if sign > 0:
            none = int((grams == 0).sum())
            entries.append(Entry(_SAME, "no change", "无变化", none))
    return Map(name, colours, [entry for entry in entries if entry.count], marked, note)


def map_of_ratios(of: str, logs: NDArray[np.float64], listed: NDArray[np.bool_] | None = None) -> Map:  # fmt: skip
    """Return the units by how many times the published value the run has, in classes that double away from 1; apart those without a ratio, and those that are not listed (default: all are)."""
    shades = colours_at("BrBG", [0.95, 0.8, 0.62, 0.38, 0.2, 0.05])
    bounds = np.log2(RATIOS)
    places = np.searchsorted(bounds, logs, side="right")
    known = ~np.isnan(logs)
    colours = [shades[k] if there else NO_VALUE for k, there in zip(places, known, strict=True)]
    entries = [
        Entry(
            shades[k], _RATIO_CLASSES[k], _RATIO_CLASSES_ZH[k], int((known & (places == k)).sum())
        )
        for k in range(len(shades) - 1, -1, -1)
    ]
    listed = np.ones_like(known) if listed is None else listed
    for these, english, chinese in ((listed & ~known, "no ratio", "无比值"), (~listed, "not in the table", "未列出")):  # fmt: skip
        if these.any():
            entries.append(Entry(NO_VALUE, english, chinese, int(these.sum())))
    return Map(Words(f"{of}: run / published", f"{of}：本次 / 发布"), colours, entries)


UNKNOWN = Words("unknown", "未知")


def map_of_classes(values: NDArray[np.float64], name: Words, missing: Words = UNKNOWN) -> Map:
    """Return the units by a number, in at most five natural classes, of few numbers in fewer; those without one stand apart, as what is missing."""
    known = ~np.isnan(values)
    distinct = np.unique(values[known]).size
    least = float(values[known].min(initial=np.inf))
    bounds = joined(natural_breaks(values, int(np.clip(distinct // 4, 2, 5))), least)
    if not bounds:
        return Map(name, [NO_VALUE] * len(values), [Entry(NO_VALUE, *missing, len(values))])
    places = np.minimum(np.searchsorted(bounds, np.where(known, values, bounds[0])), len(bounds) - 1)  # fmt: skip
    shades = colours_at("YlOrRd", [0.15 + 0.75 * (k + 1) / len(bounds) for k in range(len(bounds))])
    colours = [shades[k] if there else NO_VALUE for k, there in zip(places, known, strict=True)]
    edges = [least, *bounds]
    entries = []
    for k in range(len(bounds) - 1, -1, -1):
        text = " … ".join(dict.fromkeys(plain_number(edge) for edge in edges[k : k + 2]))
        entries.append(Entry(shades[k], text, text, int((known & (places == k)).sum())))
    if not known.all():
        entries.append(Entry(NO_VALUE, *missing, int((~known).sum())))
    return Map(name, colours, entries)
