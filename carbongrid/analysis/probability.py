"""``probability``: in which share of the worlds that the data allow each unit is in which zone."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.analysis.files import write_csvs
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.probability.zone_probability import (
    DRAWS,
    SEED,
    Progress,
    ZoneProbability,
    draw_zones,
)
from carbongrid.outputs.tables.layers import write_layer_gpkg
from carbongrid.pipeline.run_carriers import RunCarriers

if TYPE_CHECKING:
    import geopandas as gpd

    from carbongrid.outputs.result import Result


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
        If the directory is not a finished run, was written without parcels, a source is unknown, or there is no draw or thread.
    VerificationError
        If one of its files is missing, unreadable or not as the run wrote it.

    Notes
    -----
    Drawn are a category's total, each parcel's claim on it and a factor that the parcels of a unit share, coefficients of sinks, and GDP. Not drawn are
    choices between readings of the method, and whether the factors, sigma and tau are right: most are assumed, and ``settings`` says which.
    """
    found = RunCarriers(run)
    return draw_zones(
        found.on_land,
        uncertainty_of(found.manifest),
        draws=draws,
        seed=seed,
        without=without,
        threads=threads,
        progress=progress,
    )


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
