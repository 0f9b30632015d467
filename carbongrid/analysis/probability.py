"""``probability``: in which share of the worlds that the data allow each unit is in which zone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.carriers import RunCarriers
from carbongrid.analysis.drawn_numbers import DrawnCategory, drawn_category, drawn_gdp, kind_factors
from carbongrid.analysis.files import write_csvs
from carbongrid.analysis.uncertainty import SOURCES, uncertainty_of
from carbongrid.errors import InputError
from carbongrid.method.zone_draws import (
    DrawnIndices,
    drawn_indices,
    entropy_of,
    zone_shares_of,
)
from carbongrid.method.zoning import zones
from carbongrid.outputs.tables.layers import write_layer_gpkg

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.outputs.result import Result

DRAWS, SEED = 1000, 0
FIRM = 0.9
"""A zone is firm where at least this share of the draws has it."""

QUANTILES = (0.05, 0.5, 0.95)
_BLOCK = 16
"""Draws that a thread makes at once."""

Progress = Callable[[str, int, int], None]
Active = frozenset[str]


@dataclass(frozen=True)
class ZoneProbability:
    """What draws say of the units of a run.

    Parameters
    ----------
    table
        One row for each unit, as zone_probability.csv has it.
    sources
        What moves zones: drawn, units_expected_to_flip, share_of_units; with all sources on, each alone, all but each.
    settings
        What each number was taken to be uncertain by, and where that is from.
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


def probability(
    run: str | Path | Result,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    without: Collection[str] = (),
    threads: int = 2,
    progress: Progress | None = None,
) -> ZoneProbability:
    """Return how sure the zone of each unit is, by draws of the numbers that it rests on.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    draws
        How many.
    seed
        The same seed gives the same numbers, whatever the threads.
    without
        Sources that are not drawn: ``totals``, ``weights``, ``sinks``, ``gdp``.
    threads
        How many work at once.
    progress
        Called with ``drawing``, the number of draws made, and their number.

    Returns
    -------
    ZoneProbability
        Its ``table`` has for each unit p1 to p4 and p0 (unclassified), likely_zone, entropy (bits), firm (the published zone has at least 0.9 of
        the draws), and the 5, 50 and 95 % points of emission, sink, CCR, ECC and ESC.

    Raises
    ------
    InputError
        If the directory is not a finished run, was written without parcels, or a source is unknown.
    VerificationError
        If one of its files is missing, unreadable or not as the run wrote it.

    Notes
    -----
    Drawn are a category's total, each parcel's claim on it and a factor that the parcels of a unit share, coefficients of sinks, and GDP. Not drawn are
    choices between readings of the method, and whether the factors, sigma and tau are right: most are assumed, and ``settings`` says which.
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
    carriers = RunCarriers(run)
    uncertainty = uncertainty_of(carriers.manifest)
    active = frozenset(SOURCES) - {*without}
    combinations = _combinations(active)
    kinds = carriers.kinds()
    coefficients, of_kinds = kind_factors(kinds, uncertainty, draws, seed)
    gdp_drawn, of_gdp = drawn_gdp(carriers, uncertainty, draws, seed)
    masses: dict[bool, dict[Active, NDArray[np.float64]]] = {
        sink: {
            used: np.zeros((draws, len(carriers.units)))
            for used in {_used(each, sink) for each in combinations.values()}
        }
        for sink in (False, True)
    }
    settings = [*of_kinds, *of_gdp]
    for number, category in enumerate(carriers.categories):
        drawn = drawn_category(carriers, category, uncertainty, kinds, coefficients, draws, seed)
        settings += drawn.settings
        _add(drawn, masses[bool(category["sink"])], draws, threads)
        if progress is not None:
            progress("drawing", number + 1, len(carriers.categories))
    regions = list(carriers.regions())
    ties = carriers.manifest["parameters"].get("ties", ">=")
    own_gdp = np.broadcast_to(_floats(carriers.units["gdp"]), gdp_drawn.shape)
    published = carriers.units["zone"].to_numpy(np.int64)
    own_masses = [_floats(carriers.units[name]) for name in ("emission_g", "sink_g")]

    def decided(used: Active) -> DrawnIndices:
        emission, sink = (masses[of][_used(used, of)] for of in (False, True))
        gdp = gdp_drawn if "gdp" in used else own_gdp
        found = drawn_indices(emission, sink, gdp, regions, ties)
        # Floats take a unit that is a gram from 1 for a tie; a draw that is the run itself has the zones of its whole numbers.
        pairs = zip((emission, sink, gdp), (*own_masses, own_gdp[0]), strict=True)
        same = [((each == own) | np.isnan(own)).all(axis=1) for each, own in pairs]
        found.zone[np.logical_and.reduce(same)] = published
        return found

    indices = decided(active)
    emission, sink = (masses[of][_used(active, of)] for of in (False, True))
    flips = {
        name: float((decided(used).zone[:, published > 0] != published[published > 0]).mean(axis=0).sum())
        for name, used in combinations.items()
    }  # fmt: skip
    count = max(int((published > 0).sum()), 1)
    sources = pd.DataFrame(
        [(name, value, value / count) for name, value in flips.items()],
        columns=["drawn", "units_expected_to_flip", "share_of_units"],
    )
    return ZoneProbability(
        _table(carriers.units, indices, emission, sink),
        sources,
        pd.DataFrame(settings),
        emission,
        sink,
        gdp_drawn if "gdp" in active else np.array(own_gdp),
        indices,
    )


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

    def work(start: int) -> None:
        for draw in range(start, min(start + _BLOCK, draws)):
            for used, masses in drawn.masses(draw, sums):
                sums[used][draw] += masses

    if not drawn.varies:
        for total in sums.values():
            total += drawn.base
        return
    if threads == 1:
        for start in range(0, draws, _BLOCK):
            work(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(0, draws, _BLOCK)):
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
    with np.errstate(invalid="ignore"):
        known = np.where(np.isnan(values), np.inf, values)
        points = np.quantile(known, QUANTILES, axis=0, method="inverted_cdf")
    none = np.isnan(values).all(axis=0)
    for quantile, point in zip(QUANTILES, points, strict=True):
        yield f"{name}_p{round(100 * quantile):02d}", np.where(none, np.nan, point)


def write_probability(
    found: ZoneProbability, outlines: gpd.GeoDataFrame, folder: Path
) -> list[Path]:
    """Write zone_probability.csv and .gpkg, what moves zones and what the draws rest on.

    Parameters
    ----------
    found
        What :func:`probability` returned.
    outlines
        Of the units, in their order.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    tables = {
        "zone_probability.csv": found.table,
        "zone_probability_sources.csv": found.sources,
        "zone_probability_settings.csv": found.settings,
    }
    written = write_csvs(tables, folder)
    layer = folder / "zone_probability.gpkg"
    layer.unlink(missing_ok=True)  # GDAL would add to an existing one
    write_layer_gpkg(outlines[["geometry"]].join(found.table), layer, "zone_probability")
    return [*written, layer]
