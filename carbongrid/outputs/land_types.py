"""Which land carries which emissions: mass by sector, category and territorial type, the study's Table 3."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from carbongrid.method.categories import SECTORS, sector_names
from carbongrid.method.landuse import TERRITORIAL_TYPES

if TYPE_CHECKING:
    from carbongrid.outputs.result import RunTables

UNALLOCATED = ("unallocated", "unallocated", "未分配")
"""What stands for a type where mass is on no land, and its names."""

SECTOR_COLOURS = {
    "industry": "#6d7f99",
    "buildings": "#d9a55c",
    "transport": "#9a7fbf",
    "agriculture": "#5f8238",
    "waste": "#b0525f",
    "sink": "#2c9f93",
}
_OTHER_COLOUR = "#8d8d8d"


@dataclass(frozen=True)
class Flow:
    """Mass of one category on one territorial type, grams; the type may be ``unallocated``."""

    sector: str
    category: str
    land: str
    grams: int


def land_flows(tables: RunTables, *, sink: bool) -> tuple[Flow, ...]:
    """Return the mass of each category on each territorial type, and what was not allocated.

    Parameters
    ----------
    tables
        What the run made.
    sink
        Whether sinks are meant, or emissions.

    Returns
    -------
    tuple of Flow
        Without empty ones, in the order of sectors, categories and types. Their sum is that of the totals.
    """
    chosen = [category for category in tables.categories if category.sink == sink]
    sectors = [*SECTORS, *sorted({c.sector for c in chosen} - set(SECTORS))]
    chosen.sort(key=lambda category: (sectors.index(category.sector), category.name))
    by_type = tables.by_type
    if by_type is None:
        by_type = tables.parcels.groupby("type")[[c.name for c in chosen]].sum()
    lands = ordered_lands(by_type.index)
    left: dict[str, int] = {}
    for row in tables.ledger:
        left[row.category] = left.get(row.category, 0) + row.unallocated
    flows = []
    for category in chosen:
        for land in lands:
            grams = int(by_type[category.name].get(land, 0))
            flows.append(Flow(category.sector, category.name, land, grams))
        flows.append(
            Flow(category.sector, category.name, UNALLOCATED[0], left.get(category.name, 0))
        )
    return tuple(flow for flow in flows if flow.grams > 0)


def basis_of_shares(tables: RunTables) -> int:
    """Return the grams that shares of emissions are of: all emissions, less the sinks where the case's basis is net."""
    gross, sinks = (
        sum(flow.grams for flow in land_flows(tables, sink=sink)) for sink in (False, True)
    )
    return gross - sinks if tables.basis == "net" else gross


def sums_by(flows: Iterable[Flow], *keys: str) -> dict[tuple[str, ...], int]:
    """Return the grams by some of ``sector``, ``category`` and ``land``, in the order in which they first occur."""
    sums: dict[tuple[str, ...], int] = {}
    for flow in flows:
        key = tuple(str(getattr(flow, name)) for name in keys)
        sums[key] = sums.get(key, 0) + flow.grams
    return sums


def ordered_lands(lands: Iterable[str]) -> list[str]:
    """Return territorial types in the order of the package's, others after them by name, what is unallocated last."""
    there = set(lands)
    *known, unallocated = _lands()
    others = sorted(there - {*known, unallocated})
    return [land for land in (*known, *others, unallocated) if land in there]


@cache
def _lands() -> dict[str, tuple[str, str, str]]:
    """Return the names and the colour of each territorial type, by its code, and of what is unallocated."""
    columns = (TERRITORIAL_TYPES[name] for name in ("type", "name_en", "name_zh", "colour"))
    known = {
        land: (english, chinese, colour)
        for land, english, chinese, colour in zip(*columns, strict=True)
    }
    return {**known, UNALLOCATED[0]: (*UNALLOCATED[1:], _OTHER_COLOUR)}


def name_of_land(land: str) -> tuple[str, str]:
    """Return the English and the Chinese name of a territorial type, or of what is unallocated."""
    return _lands().get(land, (land, land))[:2]


def colour_of_land(land: str) -> str:
    """Return the colour of a territorial type on maps."""
    return _lands()[land][2] if land in _lands() else _OTHER_COLOUR


def name_of_sector(sector: str) -> tuple[str, str]:
    """Return the English and the Chinese name of a sector; a user's own is called by its code."""
    return sector_names().get(sector, (sector, sector))


def colour_of_sector(sector: str) -> str:
    """Return the colour of a sector, the same in figures and report."""
    return SECTOR_COLOURS.get(sector, _OTHER_COLOUR)
