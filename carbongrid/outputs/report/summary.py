"""What the report says in numbers beside the tables: headline, indices, benchmark."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.method.zoning import NO_CARBON
from carbongrid.outputs.figures.classes import ordered_zones
from carbongrid.outputs.numbers import whole_percent
from carbongrid.outputs.zone_shares import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from carbongrid.method.zoning import Zone
    from carbongrid.outputs.result import RunTables
    from carbongrid.outputs.zone_shares import ZoneShare

_HIGH_CARBON = 4
"""Code of the zone of units low in ECC and in ESC."""


@dataclass(frozen=True)
class Statistic:
    """Least, mean and greatest of an index over the units that have it.

    Parameters
    ----------
    key
        ``ccr``, ``ecc`` or ``esc``.
    count
        Units with a finite value, over which the mean is taken.
    least, greatest
        Value and position of the unit.
    mean
        Of the units, each counted once.
    high, high_share, high_emission
        Units at or above 1 (above it, with ties so), their share of the units with a value, and of the emission.
    infinite
        Units without emission, whose index is infinite.
    """

    key: str
    count: int
    least: tuple[float, int] | None
    mean: float
    greatest: tuple[float, int] | None
    high: int
    high_share: float
    high_emission: float
    infinite: int


@dataclass(frozen=True)
class Comparison:
    """A run beside a published total: their difference and what may explain it.

    Parameters
    ----------
    grams, difference, ratio
        Of the run; the run less the published total; the run over it.
    gas, scopes
        What the emissions that were spread are of: ``CO2`` where all are, else ``CO2e``; and their scopes.
    other_gas, other_year
        Whether the published total is of another.
    """

    grams: int
    difference: int
    ratio: float
    gas: str
    other_gas: bool
    other_year: bool
    scopes: tuple[int, ...]


def headline(tables: RunTables) -> dict[str, Any]:
    """Return the sums that open the report, in grams; CCR is that of the units together."""
    sinks = {category.name for category in tables.categories if category.sink}
    total = {True: 0, False: 0}
    placed = {"units": 0, "outside": 0, "unallocated": 0}
    for row in tables.ledger:
        total[row.category in sinks] += row.total
        if row.category not in sinks:
            placed["units"] += row.units or 0
            placed["outside"] += row.outside_units or 0
            placed["unallocated"] += row.unallocated
    emission, sink = (int(tables.units[name].sum()) for name in ("emission_g", "sink_g"))
    return {
        "gross": total[False],
        "sink": total[True],
        "net": total[False] - total[True],
        "ccr": sink / emission if emission else math.inf if sink else math.nan,
        "units_sink": sink,
        **placed,
    }


def index_statistics(units: pd.DataFrame, ties: str = ">=") -> list[Statistic]:
    """Return least, mean, greatest and the share of CCR, ECC and ESC that is high: at or above 1, or above it with such ties."""
    emission = units["emission_g"].to_numpy(np.float64)
    total = float(emission.sum())
    statistics = []
    for key in ("ccr", "ecc", "esc"):
        values = units[key].to_numpy(np.float64)
        finite, known = np.isfinite(values), ~np.isnan(values)
        high = known & (values >= 1 if ties == ">=" else values > 1)
        ends: list[tuple[float, int] | None] = [None, None]
        if finite.any():
            low, top = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
            ends = [(float(values[i]), int(i)) for i in (np.argmin(low), np.argmax(top))]
        statistics.append(
            Statistic(
                key=key,
                count=int(finite.sum()),
                least=ends[0],
                mean=float(values[finite].mean()) if finite.any() else math.nan,
                greatest=ends[1],
                high=int(high.sum()),
                high_share=share(int(high.sum()), int(known.sum())),
                high_emission=float(emission[high].sum()) / total if total else math.nan,
                infinite=int(np.isinf(values).sum()),
            )
        )
    return statistics


def balance_rows(units: pd.DataFrame) -> list[tuple[str, int, float, float]]:
    """Return, for source, balanced and sink, the units, their share, and that of their emission; units with neither emission nor sink apart, where there are any: D6 has them balanced."""
    emission = int(units["emission_g"].sum())
    rows = []
    neither = (units["emission_g"] == 0) & (units["sink_g"] == 0)
    for word in ("source", "balanced", "sink", *([NO_CARBON] if neither.any() else [])):
        inside = units[neither if word == NO_CARBON else ~neither & (units["balance"] == word)]
        part = share(int(inside["emission_g"].sum()), emission)
        rows.append((word, len(inside), share(len(inside), len(units)), part))
    return rows


def comparison(tables: RunTables, gross: int) -> Comparison | None:
    """Return how the gross total lies to the published one; None if none was given."""
    published = tables.benchmark
    if published is None:
        return None
    sinks = {category.name for category in tables.categories if category.sink}
    gas = tables.gas.name
    scopes = {
        scope for name, own in tables.spread_scopes.items() if name not in sinks for scope in own
    }
    return Comparison(
        grams=gross,
        difference=gross - published.grams,
        ratio=share(gross, published.grams),
        gas=gas,
        other_gas=published.gas != gas,
        other_year=published.year is not None and published.year != tables.year,
        scopes=tuple(sorted(scopes)),
    )


def zones_by_code() -> dict[int, Zone]:
    """Return the zones, 1 to 4 and then 0, by code."""
    return {zone.code: zone for zone in ordered_zones()}


def finding(units: pd.DataFrame, rows: Sequence[ZoneShare]) -> tuple[str, str]:
    """Return the sentence that opens the report, in English and Chinese.

    Parameters
    ----------
    units
        The run's.
    rows
        Each zone's part.

    Notes
    -----
    What the high-carbon units emit beside what they earn. Where there are none, or GDP is unknown or was derived by the very land that carries
    the emissions, it is how few units emit half of all; of a single unit, that there is nothing to hold it against.
    """
    high = next(row for row in rows if row.zone.code == _HIGH_CARBON)
    inside = units["zone"] == _HIGH_CARBON
    derived = bool(units["indicative"][inside].any())
    if high.count and not derived and not math.isnan(high.gdp_share):
        emitted, earned, taken = map(whole_percent, (high.emission_share, high.gdp_share, high.sink_share))  # fmt: skip
        known, known_zh = ("known ", "已知") if units["gdp"].isna().any() else ("", "")
        zone, verb = high.zone, "emits" if high.count == 1 else "emit"
        return (
            f"{high.count:,} of {len(units):,} units, the {zone.name_en} zone, {verb} {emitted} of the emissions in all units, with {earned} of the {known}GDP and {taken} of the sinks.",
            f"{len(units):,} 个单元中，{high.count:,} 个属{zone.name_zh}：排放占各单元合计的 {emitted}，{known_zh}地区生产总值占 {earned}，碳汇占 {taken}。",
        )
    emission = sorted((int(grams) for grams in units["emission_g"]), reverse=True)
    whole, least, reached = sum(emission), 0, 0
    if not whole:
        return "No unit emits anything.", "各单元均无排放。"
    if len(emission) == 1:
        return (
            "A single unit: zones hold units against each other.",
            "仅一个单元：分区以单元之间的比较为前提。",
        )
    while 2 * reached < whole:
        reached += emission[least]
        least += 1
    part, verb = whole_percent(reached / whole), "emits" if least == 1 else "emit"
    return (
        f"{least:,} of {len(units):,} units {verb} at least half of the emissions in all units ({part}).",
        f"{len(units):,} 个单元中，{least:,} 个单元的排放即占各单元合计的一半以上（{part}）。",
    )
