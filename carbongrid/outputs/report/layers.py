"""The layers of the report's map: what each unit is coloured by, in classes with counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.outputs.figures.classes import (
    NO_VALUE,
    SURE,
    faded,
    how_sure,
    natural_breaks,
    ordered_zones,
)
from carbongrid.outputs.figures.scales import joined, ranges, scales_of
from carbongrid.outputs.numbers import counted_in, hundreds_of_millions_of, mass_scale, millions_of
from carbongrid.outputs.report.unit_table import intensity
from carbongrid.outputs.report.wording import EXPLAINED, chinese

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from carbongrid.method.gas import Gas
    from carbongrid.outputs.figures.scales import Scale
    from carbongrid.outputs.result import RunTables

_EMBER = ("#fbefd5", "#f3cf94", "#e2a35a", "#c0703a", "#853f22")
_ROSE = ("#f9e7e1", "#ecbfb1", "#d68e7d", "#ad5a54", "#732f36")
_LEAF = ("#e9f3e3", "#bfdcb8", "#89bd92", "#4b936f", "#1f634f")
_PLUM = ("#efeaf5", "#cfc3e0", "#a796c6", "#7b66a2", "#4e3b74")
_SEA = ("#e6eff6", "#b9d2e6", "#82aed0", "#4a82b0", "#1f5685")
"""Ordered by lightness, so that they part under any colour blindness."""


@dataclass(frozen=True)
class Entry:
    """One line of a legend."""

    colour: str
    text_en: str
    text_zh: str
    count: int


@dataclass(frozen=True)
class Layer:
    """One way to colour the units.

    Parameters
    ----------
    key, name_en, name_zh
        What it shows.
    unit
        Of the numbers in its legend; may be empty.
    entries
        Classes in the legend's order.
    place
        Of each unit, which entry it belongs to.
    note_en, note_zh
        How the classes were made.
    unit_zh
        The unit in Chinese where it is written otherwise.
    """

    key: str
    name_en: str
    name_zh: str
    unit: str
    entries: tuple[Entry, ...]
    place: tuple[int, ...]
    note_en: str = ""
    note_zh: str = ""
    unit_zh: str = ""

    @property
    def colours(self) -> list[str]:
        """Colour of each unit."""
        return [self.entries[place].colour for place in self.place]


def map_layers(tables: RunTables, area: NDArray[np.float64] | None = None) -> tuple[Layer, ...]:
    """Return the layers that a run has numbers for, zones first; ``area`` as for :func:`carbongrid.outputs.report.unit_table.intensity`.

    Notes
    -----
    Totals in five natural classes; CCR, ECC and ESC in those of figures and styles, so that no two of a run's maps
    class a unit differently (D30). A layer without a single number is left out.
    """
    units = tables.units
    scales, density, gas = scales_of(units), intensity(units, area), tables.gas
    layers = [
        _zones(units),
        _sure(units),
        _mass(units["emission_g"], "emission", "Emissions", "碳排放", _EMBER, gas),
        _natural(
            density,
            ("intensity", "Intensity", "排放强度", gas.told("t CO₂e km⁻²")),
            _ROSE,
            counted_in(np.nanmax(density, initial=0.0), 1e-4, gas.told("CO₂e/km²")),
        ),
        _mass(units["sink_g"], "sink", "Sinks", "碳汇", _LEAF, gas),
        *(
            _around(scales[key], tables, (key, key.upper(), chinese))
            for key, chinese in (
                ("ccr", "碳补偿率"),
                ("ecc", "经济贡献系数"),
                ("esc", "生态承载系数"),
            )
        ),
        _natural(
            units["residents"].to_numpy(np.float64), ("residents", "Residents", "人口", ""), _PLUM
        ),
        _gdp(tables),
    ]
    return tuple(layer for layer in layers if layer is not None)


def _gdp(tables: RunTables) -> Layer | None:
    english, _ = millions_of(tables.currency)
    values = tables.units["gdp"].to_numpy(np.float64, na_value=np.nan)
    chinese = (0.01, hundreds_of_millions_of(tables.currency))
    return _natural(values, ("gdp", "GDP", "地区生产总值", english), _SEA, chinese, 1e6)


def _zones(units: pd.DataFrame) -> Layer:
    codes = units["zone"].to_numpy(np.int64)
    shown = [zone for zone in ordered_zones() if zone.code or (codes == 0).any()]
    places = {zone.code: place for place, zone in enumerate(shown)}
    return Layer(
        "zone",
        "Zone",
        "分区",
        "",
        tuple(
            Entry(zone.colour, zone.name_en, zone.name_zh, int((codes == zone.code).sum()))
            for zone in shown
        ),
        tuple(places[code] for code in codes.tolist()),
    )


def _sure(units: pd.DataFrame) -> Layer | None:
    """Return the zones, their colours fading with the share of draws that have them; None where nothing was drawn."""
    if "firm" not in units:
        return None
    codes = units["zone"].to_numpy(np.int64)
    sure = how_sure(units["zone_probability"].to_numpy(np.float64))
    entries: list[Entry] = []
    places = np.zeros(len(units), np.int64)
    for zone in ordered_zones():
        here = codes == zone.code
        shades = [
            (here & (sure == place), faded(zone.colour, place), f", {text}")
            for place, text in enumerate(SURE)
        ]
        for inside, colour, text in shades if zone.code else [(here, zone.colour, "")]:
            if inside.any():
                places[inside] = len(entries)
                english, chinese = (f"{name}{text}" for name in (zone.name_en, zone.name_zh))
                entries.append(Entry(colour, english, chinese, int(inside.sum())))
    notes = (
        "Share of the draws of uncertain totals, proxies, sinks and GDP that have the zone; firm from 90 %. Where the case says nothing, uncertainties are assumed.",
        "属该分区的抽样比例（对总量、替代指标、碳汇与地区生产总值的不确定性抽样）；90 % 起为稳定。案例未给出之处，不确定度为假定值。",
    )
    return Layer("sure", "How sure", "可靠程度", "", tuple(entries), tuple(places.tolist()), *notes)


def _mass(
    grams: Any, key: str, english: str, chinese: str, palette: Sequence[str], gas: Gas
) -> Layer | None:
    values = grams.to_numpy(np.float64)
    scale, unit = mass_scale(float(values.max(initial=0.0)))
    names = (key, english, chinese, gas.told(f"{unit} CO₂e"))
    counted = counted_in(np.nanmax(values, initial=0.0) / scale, scale / 1e10, gas.told("CO₂e"))
    return _natural(values, names, palette, counted, scale)


def _natural(
    values: NDArray[np.float64],
    names: tuple[str, str, str, str],
    palette: Sequence[str],
    chinese: tuple[float, str] = (1.0, ""),
    divisor: float = 1.0,
) -> Layer | None:
    """Return natural classes of the numbers above zero; zero and unknown stand apart.

    The legend tells numbers over ``divisor``: those of the table are classed, so that figures and styles have the same breaks, which are sought once.
    ``chinese`` is what a number of the legend is multiplied by to be in the unit that Chinese statistics count in, and that unit.
    """
    above = values[values > 0]
    least = float(above.min(initial=np.inf))
    bounds = joined(natural_breaks(above), least, divisor)
    if not bounds:
        return None
    edges = [each / divisor for each in (least, *bounds)]
    places = np.searchsorted(bounds, values)  # the first bound that is not below the value
    texts = ranges(edges), ranges([edge * chinese[0] for edge in edges])
    colours = _spread(palette, len(bounds))
    layer = _layer(names, values, places, list(zip(colours, *texts, strict=True)), ("", ""))
    return replace(layer, unit_zh=chinese[1])


def _around(scale: Scale, tables: RunTables, names: tuple[str, str, str]) -> Layer | None:
    """Return the classes of an index as figures and styles have them; infinity is in the highest."""
    values = scale.values(tables.units)
    if not scale.breaks or np.isnan(values).all():
        return None
    unit, notes = "", ("Doubling away from 1.", "以 1 为界，逐级翻倍。")
    if scale.column == "ccr":
        unit = "%"
        english, chinese = _whole(tables.reference)
        notes = (
            f"Fixed classes, the same for every place. {' '.join(scale.note[0].split())}. ESC is at least 1 just where CCR is at least that of {english}.",
            f"固定分级，各地相同。{scale.note[1].replace(chr(10), '；')}。ESC 不低于 1 等价于碳补偿率不低于{chinese}。",
        )
    english, chinese = EXPLAINED[scale.column]
    notes = (f"{english} {notes[0]}", f"{chinese}{notes[1]}")
    classes = list(zip(scale.colours, scale.labels, scale.labels, strict=True))
    return _layer((*names, unit), values, scale.classes(values), classes, notes, zero=False)


def _whole(reference: str) -> tuple[str, str]:
    """Return what an index is held against, in English and Chinese."""
    if reference == "all":
        return "all units together", "全部单元合计值"
    return f"the unit's own {reference}", f"其所属{chinese(reference)}的合计值"


def _layer(
    names: tuple[str, str, str, str],
    values: NDArray[np.float64],
    places: NDArray[np.intp],
    classes: list[tuple[str, str, str]],
    notes: tuple[str, str],
    *,
    zero: bool = True,
) -> Layer:
    """Return the layer, from the highest class to the lowest, then zero and unknown if there are any."""
    size = len(classes)
    places = size - 1 - np.minimum(places, size - 1)
    counted = [Entry(*each, 0) for each in reversed(classes)]
    for apart, colour, texts in (
        (zero & (values == 0), "#f7f7f4", ("0", "0")),
        (np.isnan(values), NO_VALUE, ("unknown", "未知")),
    ):
        if np.any(apart):
            places = np.where(apart, len(counted), places)
            counted.append(Entry(colour, *texts, 0))
    counts = np.bincount(places, minlength=len(counted))
    entries = tuple(
        Entry(entry.colour, entry.text_en, entry.text_zh, int(count))
        for entry, count in zip(counted, counts, strict=True)
    )
    return Layer(*names, entries, tuple(places.tolist()), *notes)


def _spread(palette: Sequence[str], count: int) -> list[str]:
    """Return that many colours, from the palette's lightest to its darkest."""
    if count == 1:
        return [palette[len(palette) // 2]]
    step = (len(palette) - 1) / (count - 1)
    return [palette[math.floor(place * step + 0.5)] for place in range(count)]
