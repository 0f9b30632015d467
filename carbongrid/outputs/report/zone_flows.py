"""Units from zone to zone over the years, as a drawing: a bar for each zone of each year, a band for the units that went from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.classes import ordered_zones
from carbongrid.outputs.report.flows import COLUMN, WIDTH, ribbon, stacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEIGHT = 260
"""Drawing units that all units take together."""


class Bar(NamedTuple):
    """A zone in a year: its place, how many units it has, its names, and whether no year before has it."""

    x: float
    y: float
    height: float
    colour: str
    units: int
    name_en: str
    name_zh: str
    new: bool


class Band(NamedTuple):
    """Units that went from a zone to another, or stayed, as SVG path data in the colour of where they came from."""

    path: str
    colour: str
    stays: bool
    title_en: str
    title_zh: str


@dataclass(frozen=True)
class ZoneFlow:
    """A drawing of ``WIDTH`` by its height.

    Parameters
    ----------
    years
        The middle of each column, and its year.
    bars, bands
        From the top down, from the left.
    height
        Of the drawing.
    """

    years: Sequence[tuple[float, str]]
    bars: Sequence[Bar]
    bands: Sequence[Band]
    height: float
    width: float = WIDTH
    column: float = COLUMN


def zone_flow(years: Sequence[str], counts: Sequence[Mapping[tuple[int, int], int]]) -> ZoneFlow:
    """Return the drawing of units from zone to zone.

    Parameters
    ----------
    years
        Names of the columns, one more than there are counts.
    counts
        From each column to the next: how many units went from a zone's code to another's, or stayed.
    """
    order = [zone.code for zone in ordered_zones()]
    known = {zone.code: zone for zone in zones()}
    whole = max(sum(each.values()) for each in counts)
    scale = HEIGHT / whole
    step = (WIDTH - COLUMN) / (len(years) - 1)
    left = [column * step for column in range(len(years))]
    tops: list[dict[int, float]] = []
    named, lowest = set[int](), 0.0
    bars: list[Bar] = []
    for column, x in enumerate(left):
        end, flows = (0, counts[column]) if column < len(counts) else (1, counts[-1])
        sums = {code: sum(n for pair, n in flows.items() if pair[end] == code) for code in order}
        places, end_of_column = stacked(sums, [code for code in order if sums[code]], scale)
        for code, (top, height) in places.items():
            zone, new = known[code], code not in named
            named.add(code)
            bars.append(
                Bar(
                    x,
                    top,
                    height,
                    zone.colour,
                    sums[code],
                    zone.name_en,
                    zone.name_zh,
                    new,
                )
            )
        lowest = max(lowest, end_of_column)
        tops.append({code: top for code, (top, _) in places.items()})
    bands = []
    for column, flows in enumerate(counts):
        starts, ends = dict(tops[column]), dict(tops[column + 1])
        for pair in sorted(flows, key=lambda pair: (order.index(pair[0]), order.index(pair[1]))):
            source, target = pair
            width, units = flows[pair] * scale, flows[pair]
            path = ribbon(
                (left[column] + COLUMN, starts[source]), (left[column + 1], ends[target]), width
            )
            starts[source] += width
            ends[target] += width
            one, other = known[source], known[target]
            bands.append(
                Band(
                    path,
                    one.colour,
                    source == target,
                    f"{years[column]} – {years[column + 1]}: {one.name_en} → {other.name_en}: {units}",
                    f"{years[column]} – {years[column + 1]}：{one.name_zh} → {other.name_zh}：{units}",
                )
            )
    middles = [x + COLUMN / 2 for x in left]
    return ZoneFlow(list(zip(middles, years, strict=True)), bars, bands, lowest)
