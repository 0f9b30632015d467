"""From totals to land: how mass flows from sectors over categories to territorial types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbongrid.outputs.land_types import (
    Flow,
    colour_of_sector,
    land_flows,
    name_of_land,
    name_of_sector,
    ordered_lands,
)

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

WIDTH, COLUMN, SLOT, GAP = 1000, 12, 15, 5
"""Drawing units: the whole, a node's width, the least room of a node, between nodes."""

_STARTS = (0, 390, WIDTH - COLUMN)


@dataclass(frozen=True)
class Node:
    """A bar of the drawing with its names; ``side`` says where its text stands."""

    x: float
    y: float
    height: float
    colour: str
    name_en: str
    name_zh: str
    grams: int
    side: str


@dataclass(frozen=True)
class Band:
    """A flow between two bars, as SVG path data."""

    path: str
    colour: str
    title_en: str
    title_zh: str
    grams: int


@dataclass(frozen=True)
class Sankey:
    """A drawing of flows, and the flows as a table: names of sector, category, land; grams."""

    height: float
    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]
    rows: tuple[tuple[tuple[str, str], tuple[str, str], tuple[str, str], int], ...]
    total: int


def sankey(tables: RunTables, *, sink: bool, height: float) -> Sankey | None:
    """Return the drawing of the flows of emissions or of sinks, all mass being so high; None if there are none."""
    flows = land_flows(tables, sink=sink)
    if not flows:
        return None
    names = _names(tables, {flow.land for flow in flows})
    total = sum(flow.grams for flow in flows)
    scale = height / total
    keys = (
        [("sector", flow.sector) for flow in flows],
        [("category", flow.category) for flow in flows],
        [("land", flow.land) for flow in flows],
    )
    lands = ordered_lands(flow.land for flow in flows)
    keys[2].sort(key=lambda key: lands.index(key[1]))
    columns = [stacked(_sums(flows, column), keys[column], scale) for column in range(3)]
    whole = max(end for _, end in columns)
    places = {
        key: (top + whole / 2 - end / 2, tall)
        for bars, end in columns for key, (top, tall) in bars.items()
    }  # fmt: skip
    colours = {("category", flow.category): colour_of_sector(flow.sector) for flow in flows}
    nodes = []
    for column, side in enumerate(("right", "right", "left")):
        for key, grams in _sums(flows, column).items():
            top, tall = places[key]
            colour = colour_of_sector(key[1]) if column == 0 else colours.get(key, "#8b8577")
            nodes.append(Node(_STARTS[column], top, tall, colour, *names[key], grams, side))
    bands = [
        *_bands(_merged(flows), 0, places, scale, names),
        *_bands(flows, 1, places, scale, names),
    ]
    rows = tuple(
        (
            names["sector", flow.sector],
            names["category", flow.category],
            names["land", flow.land],
            flow.grams,
        )
        for flow in flows
    )
    return Sankey(whole, tuple(nodes), tuple(bands), rows, total)


def _names(tables: RunTables, lands: set[str]) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return the English and the Chinese name of every node."""
    found = {("land", land): name_of_land(land) for land in lands}
    for category in tables.categories:
        english, chinese = category.name_en or category.name, category.name_zh or category.name
        found["category", category.name] = (english, chinese)
        found["sector", category.sector] = name_of_sector(category.sector)
    return found


def _key(flow: Flow, column: int) -> tuple[str, str]:
    return (("sector", flow.sector), ("category", flow.category), ("land", flow.land))[column]


def _sums(flows: Iterable[Flow], column: int) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for flow in flows:
        key = _key(flow, column)
        sums[key] = sums.get(key, 0) + flow.grams
    return sums


def stacked[K](
    sums: Mapping[K, int], order: Iterable[K], scale: float
) -> tuple[dict[K, tuple[float, float]], float]:
    """Return top and height of the bars of a column, one under the other, each in room enough for its text; and where they end."""
    places, top = dict[K, tuple[float, float]](), 0.0
    for key in dict.fromkeys(order):
        height = sums[key] * scale
        room = max(height, SLOT)
        places[key] = (top + (room - height) / 2, height)
        top += room + GAP
    return places, top - GAP


def _merged(flows: Sequence[Flow]) -> list[Flow]:
    """Return one flow per category, whatever its land."""
    sums: dict[tuple[str, str], int] = {}
    for flow in flows:
        sums[flow.sector, flow.category] = sums.get((flow.sector, flow.category), 0) + flow.grams
    return [Flow(sector, category, "", grams) for (sector, category), grams in sums.items()]


def _bands(
    flows: Sequence[Flow],
    column: int,
    places: Mapping[tuple[str, str], tuple[float, float]],
    scale: float,
    names: Mapping[tuple[str, str], tuple[str, str]],
) -> list[Band]:
    """Return the flows between a column and the next; at either end they lie side by side."""
    left, right = _STARTS[column] + COLUMN, _STARTS[column + 1]
    used: dict[tuple[str, str], float] = {}
    bands = []
    for flow in flows:
        start, end = _key(flow, column), _key(flow, column + 1)
        width = flow.grams * scale
        y0, y1 = places[start][0] + used.get(start, 0.0), places[end][0] + used.get(end, 0.0)
        used[start], used[end] = used.get(start, 0.0) + width, used.get(end, 0.0) + width
        bands.append(
            Band(
                ribbon((left, y0), (right, y1), max(width, 0.4)),
                colour_of_sector(flow.sector),
                f"{names[start][0]} → {names[end][0]}",
                f"{names[start][1]} → {names[end][1]}",
                flow.grams,
            )
        )
    return bands


def ribbon(start: tuple[float, float], end: tuple[float, float], width: float) -> str:
    """Return a band between two places, so wide downwards, as SVG path data."""
    (x0, y0), (x1, y1) = start, end
    bend = (x0 + x1) / 2
    return (
        f"M{x0:.1f} {y0:.1f}C{bend:.1f} {y0:.1f} {bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        f"v{width:.1f}C{bend:.1f} {y1 + width:.1f} {bend:.1f} {y0 + width:.1f} {x0:.1f} {y0 + width:.1f}z"
    )
