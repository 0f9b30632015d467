"""Emissions by sector and territorial type as the report's table: the study's Table 3, with the proportions of its Fig. 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbongrid.outputs.land_types import (
    basis_of_shares,
    colour_of_sector,
    land_flows,
    name_of_land,
    name_of_sector,
    ordered_lands,
    sums_by,
)
from carbongrid.outputs.zone_shares import share

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables


@dataclass(frozen=True)
class LandRow:
    """One territorial type, or all: emissions by sector in grams (0 where there are none), their sum and its share, and the sink.

    ``bar`` holds the shares of the sectors with their colours.
    """

    name: tuple[str, str]
    cells: tuple[int, ...]
    emission: int
    share: float
    sink: int
    bar: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class LandTable:
    """The sectors that are columns, with colours; a row for each type, the sums, and what part of all each sector has."""

    sectors: tuple[tuple[tuple[str, str], str], ...]
    rows: tuple[LandRow, ...]
    sums: LandRow
    shares: tuple[float, ...]


def land_table(tables: RunTables) -> LandTable:
    """Return the table of emissions and sinks by territorial type."""
    emitted, taken_up = (land_flows(tables, sink=sink) for sink in (False, True))
    whole = basis_of_shares(tables)
    cells, sinks = sums_by(emitted, "land", "sector"), sums_by(taken_up, "land")
    sectors = [sector for (sector,) in sums_by(emitted, "sector")]

    def row(name: tuple[str, str], grams: list[int], sink: int) -> LandRow:
        bar = [
            (share(each, whole), colour_of_sector(sector))
            for each, sector in zip(grams, sectors, strict=True)
        ]
        total = sum(grams)
        return LandRow(name, tuple(grams), total, share(total, whole), sink, tuple(bar))

    lands = ordered_lands(flow.land for flow in (*emitted, *taken_up))
    rows = [
        row(name_of_land(land), [cells.get((land, s), 0) for s in sectors], sinks.get((land,), 0))
        for land in lands
    ]
    of_sectors = [sum(grams) for grams in zip(*(each.cells for each in rows), strict=True)]
    sums = row(("all land", "合计"), of_sectors or [0] * len(sectors), sum(sinks.values()))
    columns = tuple((name_of_sector(sector), colour_of_sector(sector)) for sector in sectors)
    return LandTable(columns, tuple(rows), sums, tuple(share(each, whole) for each in sums.cells))
