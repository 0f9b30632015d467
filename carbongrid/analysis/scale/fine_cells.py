"""Units under other fine cells and under exact areas: the run's own engine on its parcels and units."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from carbongrid.analysis.choices.open_choices import gdp_can_follow
from carbongrid.analysis.choices.readings import gdp_by_industry
from carbongrid.errors import VerificationError, listed
from carbongrid.method.sharing import (
    Shares,
    reduce_to_units,
    share_by_cells,
    shares_of_areas,
    with_water_rule,
)
from carbongrid.method.tonnes import counted, readable_tonnes
from carbongrid.method.zoning import zone_units
from carbongrid.raster.chunked import Counts
from carbongrid.raster.grid import Grid
from carbongrid.raster.overlaps import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.pipeline.land import Land
    from carbongrid.pipeline.prepared import PreparedRun

RESOLUTIONS = (5.0, 10.0, 25.0, 50.0)
"""Sides of fine cells that are tried, m, beside the run's own."""

EXACT = "exact"
_QUANTITIES = ("emission", "sink")
Progress = Callable[[str, int, int], None]


def fine_cells(
    run: PreparedRun, land: Land, told: Progress
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Return units under other fine cells and under exact areas.

    Parameters
    ----------
    run
        The run.
    land
        Where its parcels stand, with their geometry.
    told
        Called with ``fine cells``, what is done and what there is to do.

    Returns
    -------
    cells : DataFrame
        fine (m, or exact), cells (of the grid), snapped (parcels that no cell centre hits), seconds, emission_percent and sink_percent (the largest difference of a unit from the run, of those that have any in it),
        emission_from_0_t, emission_from_0 and so of sinks (the most that a unit without any in the run has, and which units they are), zones (units in another one) and which.
    units : DataFrame
        A row for each unit, for each of them the differences, in percent and t, and the zone.
    remarks
        What was left as in the run, and which units have what they have not in the run.

    Raises
    ------
    VerificationError
        If the run's own cells do not give its units again to the gram.
    """
    case = run.tables.case
    own = EXACT if case.reduce == EXACT else f"{case.grid.resolution:g}"
    remarks: list[str] = []
    tried = [f"{each:g}" for each in sorted({*RESOLUTIONS, case.grid.resolution}) if not case.grid.coarse % each]  # fmt: skip
    left = [f"{each:g}" for each in RESOLUTIONS if case.grid.coarse % each]
    if left:
        remarks.append(f"Cells of {', '.join(left)} m do not divide coarse cells of {case.grid.coarse:g} m, and were not tried.")  # fmt: skip
    if run.counted.rasters:
        remarks.append("Categories that follow a weight raster inside parcels are shared as in the run.")  # fmt: skip
    if not gdp_can_follow(run):
        remarks.append("GDP, which was split by POIs that the run has not put on parcels, or before a plan changed land or GDP, is left as in the run.")  # fmt: skip
    rows = []
    table = pd.DataFrame({"unit": run.units["id"].to_numpy(object), "name": run.units["name"].to_numpy(object)})  # fmt: skip
    published = run.result.units["zone"].to_numpy(np.int64)
    base = _sums(run, run.shares)
    ids = run.units["id"].to_numpy(object)
    news: dict[str, NDArray[np.int64]] = {of: np.zeros(len(ids), np.int64) for of in _QUANTITIES}
    for number, fine in enumerate([*tried, EXACT], start=1):
        start = time.perf_counter()
        shares, cells = _shares(run, land, fine)
        emission, sink = found = _sums(run, shares)
        zone = _zoned(run, shares, emission, sink)
        seconds = time.perf_counter() - start
        if fine == own and not (np.array_equal(found, _kept(run)) and np.array_equal(zone, published)):  # fmt: skip
            raise VerificationError(f"fine cells of {own} do not give the run's units again. Run the case again, and ask the new run.")  # fmt: skip
        told_of: dict[str, Any] = {}
        for of, now, before in zip(_QUANTITIES, found, base, strict=True):
            percent, new = _percent(now, before), np.where(before == 0, now, 0)
            table[f"{of}_percent_{fine}"] = percent
            table[f"{of}_change_t_{fine}"] = (now - before) / 1e6
            told_of[f"{of}_percent"] = float(np.nanmax(np.abs(percent), initial=0.0))
            told_of[f"{of}_from_0_t"] = float(new.max(initial=0)) / 1e6
            told_of[f"{of}_from_0"] = " ".join(map(str, ids[new > 0]))
            news[of] = np.maximum(news[of], new)
        table[f"zone_{fine}"] = zone
        turned = ids[zone != published]
        rows.append(
            {
                "fine": fine,
                "cells": cells,
                "snapped": int(shares.snapped.sum()),
                "seconds": seconds,
                **told_of,
                "zones": len(turned),
                "which": " ".join(map(str, turned)),
            }
        )
        told("fine cells", number, len(tried) + 1)
    remarks += [_from_nothing(of, ids[new > 0].tolist(), int(new.max())) for of, new in news.items() if new.any()]  # fmt: skip
    table.insert(2, "zone", published)
    return pd.DataFrame(rows), table, tuple(remarks)


def _from_nothing(of: str, units: list[str], grams: int) -> str:
    named = listed(units, more=f" … ({len(units)})")
    return f"{counted(len(units), 'unit has', 'units have')} no {of} in the run and some by other fine cells or exact areas, at most {readable_tonnes(grams)} t: {named}. No percentage tells of it."


def _shares(run: PreparedRun, land: Land, fine: str) -> tuple[Shares, int]:
    """Return what parcels have in common with units, the rule for water applied, and the number of cells."""
    case, kept = run.tables.case, run.counted
    if fine == EXACT:
        shares, cells = shares_of_areas(land.area, land.shared_area, sparse.csr_array((len(land.area), 0))), 0  # fmt: skip
    else:
        grid = Grid(land.parcels.crs, float(fine), tuple(run.result.manifest["parameters"]["bounds"]), snap=case.grid.coarse)  # fmt: skip
        shares, cells = _counted(land, grid), grid.shape[0] * grid.shape[1]
    shares = dataclasses.replace(shares, rasters=kept.rasters, raster_sums=kept.raster_sums, raster_known=kept.raster_known)  # fmt: skip
    rule = case.units.water if run.tables.water is None else run.tables.water
    return with_water_rule(shares, land.parcels, land.units, rule), cells


def _counted(land: Land, grid: Grid) -> Shares:
    """Return shares by cells in common, counted from spans: no raster is made."""
    parcels, units = land.polygons
    in_units = overlap(parcels, units, grid=grid)
    everywhere = gpd.GeoSeries([shapely.box(*grid.bounds)], crs=land.parcels.crs)
    whole = overlap(parcels, everywhere, grid=grid)
    outside = np.asarray(whole.sum(axis=1) - in_units.sum(axis=1)).ravel()
    with_outside = sparse.hstack([in_units, sparse.csr_array(outside[:, None])], format="csr")
    # Nothing is asked of coarse cells here: the first of them has all.
    coarse = Grid(grid.crs, _side(grid), grid.bounds)
    shape = (whole.shape[0], coarse.shape[0] * coarse.shape[1])
    in_first = sparse.csr_array((whole.data, whole.indices, whole.indptr), shape=shape)
    return share_by_cells(land.parcels, land.units, Counts(with_outside, in_first), coarse)


def _side(grid: Grid) -> float:
    return grid.resolution * max(grid.shape)


def _sums(run: PreparedRun, shares: Shares) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return emission and sink of each unit, grams."""
    known = run.tables.categories
    names = list(known)
    structures = [each.structure for each in known.values()]
    mass = reduce_to_units(run.masses(names), structures, shares).units
    sinks = np.array([each.sink for each in known.values()], np.bool_)
    return mass[:, ~sinks].sum(axis=1), mass[:, sinks].sum(axis=1)


def _kept(run: PreparedRun) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    sinks = np.array([each.sink for each in run.tables.categories.values()], np.bool_)
    return run.unit_masses[:, ~sinks].sum(axis=1), run.unit_masses[:, sinks].sum(axis=1)


def _zoned(
    run: PreparedRun, shares: Shares, emission: NDArray[np.int64], sink: NDArray[np.int64]
) -> NDArray[np.int64]:
    case, units = run.tables.case, run.units
    table: pd.DataFrame = pd.DataFrame(units.drop(columns="geometry")).assign(emission_g=emission, sink_g=sink)  # fmt: skip
    if case.gdp is not None and case.gdp.by != "unit" and gdp_can_follow(run):
        names = [name for name, each in run.tables.categories.items() if each.weight == "pois"]
        money: list[Any] = gdp_by_industry(run, run.claims(names), shares)
        table["gdp"] = pd.Series(money, table.index, dtype="Int64")
    columns = ["emission_g", "sink_g", "gdp", *case.units.parents]
    found: NDArray[np.int64] = zone_units(table[columns], case.reference, ties=case.ties)["zone"].to_numpy(np.int64)  # fmt: skip
    return found


def _percent(now: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the change in percent, NaN where there was nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, 100.0 * (now - before) / before, np.nan)
