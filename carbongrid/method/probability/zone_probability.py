"""How sure the zone of each unit is: in which share of the worlds that the data allow it is in which zone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.errors import InputError
from carbongrid.method.answers import Answer
from carbongrid.method.columns import UNIT_DRAWN
from carbongrid.method.probability.drawn_numbers import (
    DrawnCategory,
    drawn_category,
    kind_factors,
)
from carbongrid.method.probability.gdp_draws import drawn_gdp
from carbongrid.method.probability.settings import Setting, off
from carbongrid.method.probability.uncertainty import SOURCES, Uncertainty
from carbongrid.method.zone_draws import (
    DrawnIndices,
    drawn_indices,
    entropy_of,
    zone_shares_of,
)
from carbongrid.method.zoning import zones

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.probability.mass_on_land import MassOnLand

DRAWS, SEED = 1000, 0
FIRM = 0.9
"""A zone is firm where at least this share of the draws has it."""

QUANTILES = (0.05, 0.5, 0.95)
_BLOCK = 2**17
"""Numbers of parcels that a thread draws at once."""

Progress = Callable[[str, int, int], None]
Active = frozenset[str]


@dataclass(frozen=True, repr=False)
class ZoneProbability(Answer):
    """What draws say of the units of a run.

    Parameters
    ----------
    table
        One row for each unit, as zone_probability.csv has it.
    sources
        What moves zones: drawn, units_expected_to_flip, share_of_units; with all sources on, each alone, all but each.
    settings
        What each number that is drawn was taken to be uncertain by, and where that is from; of a source that is not drawn, that it is ``off``.
    emission, sink, gdp : float64, shape (draws, units)
        Drawn, in g and currency units.
    indices
        Drawn.
    """

    table: pd.DataFrame
    sources: pd.DataFrame
    settings: pd.DataFrame
    emission: NDArray[np.float64]
    sink: NDArray[np.float64]
    gdp: NDArray[np.float64]
    indices: DrawnIndices


def draw_zones(
    run: MassOnLand,
    uncertainty: Uncertainty,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    without: Collection[str] = (),
    threads: int = 2,
    sources: bool = True,
    progress: Progress | None = None,
) -> ZoneProbability:
    """Return how sure the zone of each unit is.

    Parameters
    ----------
    run
        What it has on its land.
    uncertainty
        Of its numbers.
    draws, seed, without, threads, progress
        As for :func:`carbongrid.probability`.
    sources
        Whether to find what moves zones, which takes as long again; else of all sources together only.

    Raises
    ------
    InputError
        If a source is unknown, or there is no draw or thread.
    """
    unknown = sorted({*without} - {*SOURCES})
    if unknown:
        raise InputError(
            f"{unknown[0]!r} is no source of uncertainty",
            "without",
            f"Sources are {', '.join(SOURCES)}.",
        )
    if draws < 1:
        raise InputError(f"expected at least one draw, not {draws}", "draws")
    if threads < 1:
        raise InputError(f"expected at least one thread, not {threads}", "threads")
    active = frozenset(SOURCES) - {*without}
    combinations = _combinations(active) if sources else {"all": active}
    kinds = run.kinds()
    coefficients = kind_factors(kinds, uncertainty, draws, seed)
    gdp_drawn, settings = drawn_gdp(run, uncertainty, draws, seed)
    masses: dict[bool, dict[Active, NDArray[np.float64]]] = {
        sink: {
            used: np.zeros((draws, len(run.units)))
            for used in {_used(each, sink) for each in combinations.values()}
        }
        for sink in (False, True)
    }
    for number, category in enumerate(run.categories):
        if progress is not None:
            progress("drawing", number, len(run.categories))
        drawn = drawn_category(run, category, uncertainty, kinds, coefficients, draws, seed)
        settings += drawn.settings
        _add(drawn, masses[category.sink], draws, threads)
    if progress is not None:
        progress("drawing", len(run.categories), len(run.categories))
    regions = list(run.regions())
    own_gdp = np.broadcast_to(_floats(run.units["gdp"]), gdp_drawn.shape)
    published = run.units["zone"].to_numpy(np.int64)

    def decided(used: Active) -> DrawnIndices:
        emission, sink = (masses[of][_used(used, of)] for of in (False, True))
        gdp = gdp_drawn if "gdp" in used else own_gdp
        return drawn_indices(emission, sink, gdp, regions, run.ties, published)

    indices = decided(active)
    emission, sink = (masses[of][_used(active, of)] for of in (False, True))
    flips = {
        name: _flips((indices if used == active else decided(used)).zone, published)
        for name, used in combinations.items()
    }
    count = max(int((published > 0).sum()), 1)
    return ZoneProbability(
        _table(run.units, indices, emission, sink),
        pd.DataFrame(
            [(name, value, value / count) for name, value in flips.items()],
            columns=["drawn", "units_expected_to_flip", "share_of_units"],
        ),
        pd.DataFrame(_used_settings(settings, active)),
        emission,
        sink,
        gdp_drawn if "gdp" in active else np.array(own_gdp),
        indices,
    )


def _used_settings(settings: list[Setting], active: Active) -> Iterator[Setting]:
    """Yield what the draws rest on, source by source, each row once; one row for a source that is not drawn."""
    for source in SOURCES:
        rows = {repr(row): row for row in settings if row["source"] == source}
        yield from rows.values() if source in active else [off(source)]


def _flips(zone: NDArray[np.int8], published: NDArray[np.int64]) -> float:
    """Return how many units with a zone are expected to be in another one."""
    zoned = published > 0
    return float((zone[:, zoned] != published[zoned]).mean(axis=0).sum())


def _combinations(active: Active) -> dict[str, Active]:
    """Return what is drawn together, by name: all that is on, each alone, all but each."""
    ordered = [source for source in SOURCES if source in active]
    found = {"all": active}
    if len(ordered) > 1:
        found |= {f"only {source}": frozenset({source}) for source in ordered}
        found |= {f"all but {source}": active - {source} for source in ordered}
    return found


def _used(active: Active, sink: bool) -> Active:
    """Return the sources that move emissions, or sinks."""
    return active & ({"totals", "weights", "sinks"} if sink else {"totals", "weights"})


def _add(
    drawn: DrawnCategory,
    sums: Mapping[Active, NDArray[np.float64]],
    draws: int,
    threads: int,
) -> None:
    """Add a category's drawn masses to those of the units; a thread writes rows of its own."""
    block = max(_BLOCK // max(drawn.claims.carriers.mass.size, 1), 1)

    def work(start: int) -> None:
        rows = range(start, min(start + block, draws))
        for used, masses in drawn.masses(rows, sums):
            sums[used][rows.start : rows.stop] += masses

    if not drawn.varies:
        for total in sums.values():
            total += drawn.base
        return
    if threads == 1:
        for start in range(0, draws, block):
            work(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(0, draws, block)):
            pass


def _floats(column: pd.Series[Any]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = column.to_numpy(np.float64, na_value=np.nan)
    return found


def _table(
    units: pd.DataFrame,
    indices: DrawnIndices,
    emission: NDArray[np.float64],
    sink: NDArray[np.float64],
) -> pd.DataFrame:
    shares = zone_shares_of(indices.zone)
    published = units["zone"].to_numpy(np.int64)
    names = {zone.code: zone.name_en for zone in zones()}
    of_published = shares[np.arange(len(units)), published]
    columns: dict[str, Any] = {
        "unit": units["id"].to_numpy(object),
        "name": units["name"].to_numpy(object),
        "zone": published,
        "zone_name": [names[code] for code in published.tolist()],
        **{f"p{code}": shares[:, code] for code in (1, 2, 3, 4, 0)},
        "likely_zone": shares.argmax(axis=1),
        "entropy": entropy_of(shares),
        "firm": (of_published >= FIRM) & (published > 0),
    }
    drawn = {
        "emission_t": emission / 1e6,
        "sink_t": sink / 1e6,
        "ccr": indices.ccr,
        "ecc": indices.ecc,
        "esc": indices.esc,
    }
    for name, values in drawn.items():
        columns |= dict(_points(name, values))
    return pd.DataFrame(columns)


def _points(name: str, values: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the quantiles of the draws; an index that is inf in a draw is above all others, one that is NaN is in none."""
    unknown = np.isnan(values)
    with np.errstate(invalid="ignore"):
        points = _quantiles(np.where(unknown, np.inf, values))
        for unit in np.flatnonzero(unknown.any(axis=0)):
            known = values[~unknown[:, unit], unit]
            points[:, unit] = _quantiles(known) if known.size else np.nan
    for quantile, point in zip(QUANTILES, points, strict=True):
        yield f"{name}_p{round(100 * quantile):02d}", point


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.quantile(values, QUANTILES, axis=0, method="inverted_cdf")
    return found


def unit_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the units of a run are told of the draws.

    Parameters
    ----------
    table
        Of :class:`ZoneProbability`.

    Returns
    -------
    DataFrame
        In the order of ``UNIT_DRAWN``: zone_probability (of the published zone; NaN without one), firm, and the 5 and 95 % points with four
        digits, which is more than draws know and less than processors differ in.
    """
    published = table["zone"].to_numpy(np.int64)
    shares = table[["p0", "p1", "p2", "p3", "p4"]].to_numpy()
    own = shares[np.arange(len(table)), published]
    columns: dict[str, Any] = {
        "zone_probability": np.where(published > 0, own, np.nan),
        "firm": table["firm"].to_numpy(bool),
    }
    for name in UNIT_DRAWN:
        if name not in columns:
            columns[name] = [float(f"{value:.4g}") for value in table[name]]
    return pd.DataFrame(columns)
