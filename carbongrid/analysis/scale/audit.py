"""``audit-scale``: does the pattern survive another ruler: fine cells, coarse grids, larger units."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.files import write_csvs
from carbongrid.analysis.neighbours import neighbours_of
from carbongrid.analysis.scale.fine_cells import fine_cells
from carbongrid.errors import InputError
from carbongrid.method.answers import Answer
from carbongrid.method.scale import (
    adjusted_rand,
    contiguous_groups,
    gini,
    islands_of,
    majority,
)
from carbongrid.method.sharing import MIN_SHARE
from carbongrid.method.zoning import NO_GDP, UNKNOWN_GDP, classify, zone_units
from carbongrid.outputs.reading import opened
from carbongrid.pipeline.prepared import PreparedRun
from carbongrid.pipeline.work import silent
from carbongrid.raster.grid import Grid
from carbongrid.raster.overlaps import area_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.outputs.result import Result
    from carbongrid.pipeline.land import Land

SIDES = (500.0, 1000.0, 2000.0, 5000.0)
"""Of coarse cells, m."""

_CORNER = 10_000.0
"""A multiple of all sides: at its multiples all of them have a corner."""

QUARTERS = ((0, 0), (2, 0), (0, 2), (2, 2), (1, 1), (3, 1), (1, 3), (3, 3))
"""Origins of a coarse grid, in quarters of a cell east and north of multiples of its side."""

GROUPINGS = 200

CANNOT_TELL = (
    "What it cannot tell: a pattern that survives these rulers may still be the proxy's. Coarse grids spread the mass of a parcel evenly over it. Random groups are neighbours "
    "drawn by lot, not the borders that another planner would draw. A maximum of density is that of a ruler: it falls as cells grow, and is no property of the place."
)

Progress = Callable[[str, int, int], None]
Sums = tuple["NDArray[np.int64]", "NDArray[np.int64]", list[int | None]]


@dataclass(frozen=True, repr=False)
class ScaleAudit(Answer):
    """What of a run depends on the ruler.

    Parameters
    ----------
    grids
        quantity, side_m, origin_east_m, origin_north_m, gini (of density, cells by their covered area), max_t_km2, cells.
    groups
        A row for each way of merging units: merged (a parent column, or random), draw, groups, zoned (of these: they have a zone), compared (of these: so have units of theirs that emit), same (share of
        the compared whose zone is that with the largest part of their units' emission), adjusted_rand (zones of units against those of their groups, where both have one); NaN where fewer than two units are left.
    null
        For each parent column what the random groups say: same and adjusted_rand of the parents, mean, 5 and 95 % of the random ones, and the share of
        these that reach the parents'; NaN where no random group has it, and no row where the parents have not.
    cells
        A row for each fine grid and exact areas; empty if left out.
    units
        unit, name, zone, and for each fine grid the difference of emission and sink in percent and t, and the zone.
    remarks
        What was left as in the run, and why; how many parents have no zone, and why, or no emission; which units have by other fine cells what they have not in the run.
    """

    grids: pd.DataFrame
    groups: pd.DataFrame
    null: pd.DataFrame
    cells: pd.DataFrame
    units: pd.DataFrame
    remarks: tuple[str, ...]


def audit_scale(
    run: str | Path | Result,
    *,
    fine: bool = True,
    groupings: int = GROUPINGS,
    seed: int = 0,
    progress: Progress | None = None,
) -> ScaleAudit:
    """Return whether the pattern of a run survives another ruler.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    fine
        Whether parcels on borders are counted again by other fine cells and by exact areas, which measures geometry.
    groupings
        How many random groupings of units are made for each parent column.
    seed
        Of the groupings.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    ScaleAudit

    Raises
    ------
    InputError
        If the directory is no finished run with parcels.
    VerificationError
        If a file of the run is missing, or the run's own fine cells do not give its units again to the gram.
    """
    if groupings < 1:
        raise InputError(f"expected at least one grouping, not {groupings}", "groupings")
    told = progress or silent
    prepared = PreparedRun(opened(run))
    land = prepared.located
    grids = pd.DataFrame(_grids(prepared, land, told))
    groups, null, remarks = _merged(prepared, groupings, seed, told)
    cells, units, more = fine_cells(prepared, land, told) if fine else (pd.DataFrame(), pd.DataFrame(), ())  # fmt: skip
    return ScaleAudit(grids, groups, null, cells, units, (*remarks, *more))


def _grids(run: PreparedRun, land: Land, told: Progress) -> Iterator[dict[str, Any]]:
    """Yield what coarse grids see: parcels are measured once, on the lattice that all of them share."""
    lattice = SIDES[0] / 4
    west, south, east, north = run.result.manifest["parameters"]["bounds"]
    largest = SIDES[-1]
    # A cell of the largest grid more on every side, so that each origin's cells lie on the lattice.
    bounds = (west - largest, south - largest, east + largest, north + largest)
    grid = Grid(land.parcels.crs, lattice, bounds, snap=_CORNER)
    polygons = land.polygons[0]
    names = list(run.tables.categories)
    sums = {"emission": np.zeros(len(run.parcels)), "sink": np.zeros(len(run.parcels))}
    for name, mass in zip(names, run.masses(names), strict=True):
        of = "sink" if run.tables.categories[name].sink else "emission"
        sums[of][mass.rows] += mass.grams
    fields = {}
    for number, (of, amounts) in enumerate({**sums, "area": land.area}.items(), start=1):
        fields[of] = area_field(polygons, grid, amounts)
        told("coarse grids", number, 3)
    for of, side, (right, up) in itertools.product(sums, SIDES, QUARTERS):
        factor, quarter = round(side / lattice), round(side / lattice / 4)
        amount, area = (_blocks(fields[each], factor, right * quarter, up * quarter) for each in (of, "area"))  # fmt: skip
        there = area > MIN_SHARE * side**2  # sums along a row leave 1e-9 m2 behind what ends
        yield {
            "quantity": of,
            "side_m": side,
            "origin_east_m": right * side / 4,
            "origin_north_m": up * side / 4,
            "gini": gini(amount[there], area[there]),
            "max_t_km2": float(amount.max() / side**2),
            "cells": int(there.sum()),
        }


def _blocks(field: NDArray[np.float64], factor: int, right: int, up: int) -> NDArray[np.float64]:
    """Return sums of blocks of cells whose south-west corner is moved, cells that fill no block left out; edges of the lattice hold nothing."""
    moved = field[: field.shape[0] - up, right:]
    height, width = (size // factor * factor for size in moved.shape)
    kept = moved[moved.shape[0] - height :, :width]
    return kept.reshape(height // factor, factor, width // factor, factor).sum(axis=(1, 3)).ravel()


def _merged(
    run: PreparedRun, groupings: int, seed: int, told: Progress
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    units, case = run.result.units, run.tables.case
    sums = _sums_of(run)
    zone = _zones(sums, case.ties)
    remarks = []
    if case.reference != "all":
        remarks.append(f"Merged units are compared within the whole, and so are their parts; the run compares within each {case.reference}.")  # fmt: skip
    neighbours = neighbours_of(units.geometry.to_numpy())
    islands = len(list(islands_of(neighbours)))
    rows: list[dict[str, Any]] = []
    null: list[dict[str, Any]] = []
    for parent in case.units.parents:
        codes, group = np.unique(run.units[parent].fillna("").astype(str), return_inverse=True)
        if len(codes) < 2 or len(codes) == len(units):
            remarks.append(f"{parent}: {len(codes)} of them for {len(units)} units merge nothing, or all.")  # fmt: skip
            continue
        own = _compared(sums, zone, group.astype(np.int64), case.ties)
        rows.append({"merged": parent, "draw": 0, **own})
        remarks += _without_zone(parent, merge(sums, group.astype(np.int64)), case.ties, own)
        told_of = [each for each in ("same", "adjusted_rand") if not np.isnan(own[each])]
        if not told_of:
            continue
        if islands > len(codes):
            remarks.append(f"{parent}: units lie on {islands} islands, so groups of neighbours cannot be as few as {len(codes)}.")  # fmt: skip
            continue
        rng = np.random.default_rng([seed, len(codes)])
        drawn = []
        for draw in range(1, groupings + 1):
            random = contiguous_groups(neighbours, len(codes), rng)
            drawn.append({"merged": f"random, as many as {parent}", "draw": draw, **_compared(sums, zone, random, case.ties)})  # fmt: skip
            told("random groups", draw, groupings)
        rows += drawn
        null += [{"merged": parent, "measure": each, **_against(own[each], [row[each] for row in drawn])} for each in told_of]  # fmt: skip
    columns = ["merged", "draw", "groups", "zoned", "compared", "same", "adjusted_rand"]
    of_null = ["merged", "measure", "parents", "random_mean", "random_p05", "random_p95", "reached_by"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(null, columns=of_null), tuple(remarks)


def _sums_of(run: PreparedRun) -> Sums:
    grams = {"emission": np.zeros(len(run.units), np.int64), "sink": np.zeros(len(run.units), np.int64)}  # fmt: skip
    for column, category in zip(run.unit_masses.T, run.tables.categories.values(), strict=True):
        grams["sink" if category.sink else "emission"] += column
    money = [None if pd.isna(cell) else int(cell) for cell in run.units["gdp"]]
    return grams["emission"], grams["sink"], money


def _zones(sums: Sums, ties: str) -> NDArray[np.int64]:
    emission, sink, money = sums
    return classify(emission, sink, np.array(money, dtype=object), ties=ties).astype(np.int64)


def merge(sums: Sums, group: NDArray[np.int64]) -> Sums:
    """Return emission, sink and GDP of groups of units; GDP is unknown where that of a unit is.

    Parameters
    ----------
    sums
        Of the units.
    group : int64, shape (units,)
        Of each unit, from 0.
    """
    size = int(group.max()) + 1
    grams = []
    for values in sums[:2]:
        merged = np.zeros(size, np.int64)
        np.add.at(merged, group, values)
        grams.append(merged)
    money: list[int | None] = [0] * size
    for place, value in zip(group.tolist(), sums[2], strict=True):
        before = money[place]
        money[place] = None if value is None or before is None else before + value
    return grams[0], grams[1], money


def _compared(sums: Sums, zone: NDArray[np.int64], group: NDArray[np.int64], ties: str) -> dict[str, Any]:  # fmt: skip
    merged = _zones(merge(sums, group), ties)
    most = majority(zone, sums[0].astype(np.float64), group, merged.size)
    # Where nobody emits no zone has most of the emission; that is no want of a zone.
    zoned, compared = merged > 0, (merged > 0) & (most > 0)
    both, emitting = ((zone > 0) & groups[group] for groups in (zoned, compared))
    # One unit is like itself in any group.
    return {
        "groups": merged.size,
        "zoned": int(zoned.sum()),
        "compared": int(compared.sum()),
        "same": float((merged == most)[compared].mean()) if emitting.sum() > 1 else np.nan,
        "adjusted_rand": adjusted_rand(zone[both], merged[group][both]) if both.sum() > 1 else np.nan,
    }  # fmt: skip


def _without_zone(parent: str, merged: Sums, ties: str, own: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many parents have no zone, by why, and how many have one but no emission."""
    if still := own["zoned"] - own["compared"]:
        yield f"{parent}: {still} of {own['groups']} have a zone but no unit with one that emits, so that no zone has the largest part of their units' emission; they are in the adjusted Rand index alone."
    emission, sink, money = merged
    units = pd.DataFrame({"emission_g": emission, "sink_g": sink, "gdp": pd.array(money, dtype=object)})  # fmt: skip
    zoned = zone_units(units, ties=ties)
    # Where all are unknown the region has no GDP, but that is not why.
    reason = zoned["reason"].mask(units["gdp"].isna() & (zoned["reason"] == NO_GDP), UNKNOWN_GDP)
    for why, rows in zoned[zoned["zone"] == 0].groupby(reason, sort=True):
        yield f"{parent}: {len(rows)} of {len(zoned)} have no zone ({why}) and are compared with nothing; random groups without one are left out, too."


def _against(own: float, random: list[float]) -> dict[str, float]:
    known = np.array([each for each in random if not np.isnan(each)])
    low, high = np.quantile(known, (0.05, 0.95)) if known.size else (np.nan, np.nan)
    return {
        "parents": own,
        "random_mean": float(known.mean()) if known.size else np.nan,
        "random_p05": float(low),
        "random_p95": float(high),
        "reached_by": float((known >= own).mean()) if known.size else np.nan,
    }


def write_scale(found: ScaleAudit, folder: Path) -> list[Path]:
    """Write scale_grids.csv, scale_groups.csv, scale_null.csv and, where fine cells were tried, scale_cells.csv and scale_units.csv.

    Parameters
    ----------
    found
        What :func:`audit_scale` returned.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    tables: Mapping[str, pd.DataFrame] = {
        "scale_grids.csv": found.grids,
        "scale_groups.csv": found.groups,
        "scale_null.csv": found.null,
        "scale_cells.csv": found.cells,
        "scale_units.csv": found.units,
    }
    return write_csvs({name: each for name, each in tables.items() if len(each)}, folder)
