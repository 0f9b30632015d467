"""A run against published rasters cell by cell: its parcels' masses on the raster's own cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.published.gridded import GriddedQuantity
from carbongrid.analysis.published.rasters import Remark
from carbongrid.analysis.validation.slips import remarks_of_total
from carbongrid.errors import Problem
from carbongrid.method.agreement import (
    NEAR_UNIT_SLIP,
    ROUNDING,
    SAME_PROXY,
    UNIT_SLIPS,
    misplaced,
    rank_correlation,
    skill,
    slip_of,
)
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.pipeline.run_carriers import RunCarriers

CELLS = ["of", "row", "column", "x", "y", "share_in_units", "ours_t", "published_t", "apart_t", "log2_ratio"]  # fmt: skip
"""Columns of the comparison of cells."""

_UNLIKE, _ALIKE, _MANY_CELLS = 0.2, 0.6, 50
"""A raster agrees only when it is turned where the rank correlation is less than the first as it is, and more than the second turned; among fewer cells chance does as much."""

_MOVED, _FALL = 2, 0.05
"""A raster that is turned agrees less by so much once it is moved by so many cells; what only rises to one side may agree turned over by chance, and moved as well."""

_MOSTLY = 0.5
"""Cells at the edge of the land have little on both sides."""

_WAYS = (((0,), "upside down", "上下翻转"), ((1,), "left to right", "左右翻转"), ((0, 1), "by half a turn", "旋转半周"))  # fmt: skip


def compare_cells(
    run: RunCarriers,
    quantities: Sequence[GriddedQuantity],
    members: Mapping[str, frozenset[str]],
) -> tuple[pd.DataFrame, pd.DataFrame, list[Remark]]:
    """Compare a run with published rasters cell by cell.

    Parameters
    ----------
    run
        The run.
    quantities
        Of :func:`carbongrid.analysis.published.gridded.gridded`.
    members
        Categories of each quantity.

    Returns
    -------
    measures : DataFrame
        A row for each quantity: of, cells, cells_unknown, cell_km2, cell_side (in units of the CRS), ours_off_t (on cells that have no value or off the raster), ours_t, published_t, bias, slip, spearman,
        misplaced, misplaced_scaled, by_area, skill, same_proxy.
    cells : DataFrame
        A row for each cell that units or their mass touch: of, row and column from the raster's north-west, x and y of the centre in its CRS, share_in_units, ours_t, published_t (its value times that
        share), apart_t (ours scaled to the published total, less the published), log2_ratio.
    remarks
        Slips and circles.

    Notes
    -----
    A parcel's mass in units is spread evenly over its area, exactly cut by the cells; a raster's value is spread evenly over its cell.
    """
    rows, tables, remarks = [], [], list[Remark]()
    for quantity in quantities:
        of, land = quantity.of, quantity.land
        grams = sum(
            (_mass_in_units(run, each) for each in run.categories if each.name in members[of]),
            np.zeros(len(run.parcels)),
        )
        ours = np.asarray(grams @ land.spread).reshape(land.covered.shape)
        theirs = quantity.grams * land.covered
        touched = (land.covered > 0) | (ours > 0)
        compared = touched & ~np.isnan(theirs)
        own, published = ours[compared] / 1e6, theirs[compared] / 1e6
        area = (land.covered * land.window.grid.areas_of_rows()[:, None])[compared]
        measured = _measures(own, published, area)
        cell_area = float(land.window.grid.areas_of_rows().mean())
        per_area = ("a value per m2 for one per cell", cell_area)
        slip = slip_of(measured["bias"], (*UNIT_SLIPS, per_area), NEAR_UNIT_SLIP)
        rows.append(
            {
                "of": of,
                "cells": int(compared.sum()),
                "cells_unknown": int((touched & ~compared).sum()),
                "cell_km2": cell_area / 1e6,
                "cell_side": land.grid.resolution,
                "ours_off_t": float(grams.sum() - ours[compared].sum()) / 1e6,
                **measured,
                "slip": slip,
            }
        )
        remarks += _remarks(of, rows[-1])
        if not measured["spearman"] > _ALIKE:  # each look at densities ranks all cells anew
            remarks += _remarks_of_turned(quantity, ours)
        tables.append(_table(quantity, compared, own, published))
    return pd.DataFrame(rows), pd.concat(tables, ignore_index=True), remarks


def centres_written(cells: pd.DataFrame, measures: pd.DataFrame) -> list[tuple[str, str]]:
    """Return x and y of cells to a hundredth of a cell, without powers of ten.

    Parameters
    ----------
    cells
        With of, x and y.
    measures
        With of and cell_side.
    """
    sides = dict(zip(measures["of"], measures["cell_side"], strict=True))
    found = []
    for of, x, y in zip(cells["of"], cells["x"], cells["y"], strict=True):
        decimals = max(0, math.ceil(2 - math.log10(sides[of])))
        found.append((f"{x:.{decimals}f}", f"{y:.{decimals}f}"))
    return found


def _mass_in_units(run: RunCarriers, category: Category) -> NDArray[np.float64]:
    """Return the grams of a category on each parcel that are in some unit, by what it shares with units."""
    on_land = run.on_land
    path = category.structure
    shares = on_land.by_raster[path] if path else on_land.shares
    whole = np.asarray(shares.sum(axis=1), np.float64).ravel()
    outside = np.asarray(shares[:, [-1]].sum(axis=1), np.float64).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(whole > 0, 1 - outside / whole, run.home < len(run.units))
    grams: NDArray[np.float64] = run.parcels[category.name].to_numpy(np.float64) * inside
    return grams


def _measures(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], area: NDArray[np.float64]
) -> dict[str, Any]:
    scaled = misplaced(ours, theirs, scaled=True)
    by_area = misplaced(area, theirs, scaled=True)
    same = scaled < SAME_PROXY and ours.size > 1
    return {
        "ours_t": ours.sum(),
        "published_t": theirs.sum(),
        "bias": ours.sum() / theirs.sum() if theirs.sum() else math.nan,
        "spearman": rank_correlation(ours, theirs),
        "misplaced": misplaced(ours, theirs),
        "misplaced_scaled": scaled,
        "by_area": by_area,
        "skill": math.nan if same or ours.size < 2 else skill(scaled, (by_area,)),
        "same_proxy": bool(same),
    }


def _table(
    quantity: GriddedQuantity,
    compared: NDArray[np.bool_],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
) -> pd.DataFrame:
    window = quantity.land.window
    row, column = np.nonzero(compared)
    scale = theirs.sum() / ours.sum() if ours.sum() else math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log2(ours / theirs)
    columns = (
        np.full(row.size, quantity.of, object),
        row + window.corner[0],
        column + window.corner[1],
        window.grid.x[column],
        window.grid.y[row],
        quantity.land.covered[compared],
        ours,
        theirs,
        ours * scale - theirs,
        ratio,
    )
    return pd.DataFrame(dict(zip(CELLS, columns, strict=True)))


def _remarks_of_turned(quantity: GriddedQuantity, ours: NDArray[np.float64]) -> list[Remark]:
    """Return a warning where cells agree with the raster only if the whole of it is turned over or mirrored."""
    land = quantity.land
    inside: NDArray[np.bool_] = land.covered >= _MOSTLY
    density = np.divide(ours, land.covered, out=np.zeros_like(ours), where=inside)
    as_it_is, cells = _agreement(density, quantity.grams, inside)
    if not as_it_is < _UNLIKE:
        return []
    found = []
    for axes, turned, zh in _WAYS:
        grams = _turned(quantity, axes)
        other, compared = _agreement(density, grams, inside)
        if compared < max(_MANY_CELLS, cells / 2) or not other > _ALIKE:
            continue
        # Of a move that leaves nothing to compare it is not known.
        if all(_agreement(density, moved, inside)[0] <= other - _FALL for moved in _moved(grams)):
            found.append((other, turned, zh))
    if not found:
        return []
    other, turned, zh = max(found)
    what = f"{quantity.of}: the rank correlation of densities is {round(as_it_is, 2) + 0.0:.2f} with the raster as it is, and {other:.2f} with it turned {turned}: its cells may stand in another order than its coordinates say; look at it on a map"
    return [(Problem(what, level="warning"), f"{quantity.of}：密度的秩相关系数按栅格原样为 {round(as_it_is, 2) + 0.0:.2f}，{zh}后为 {other:.2f}：像元顺序可能与坐标不符，请在地图上核对。")]  # fmt: skip


def _turned(quantity: GriddedQuantity, axes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the window's values with the whole raster turned over; NaN where they would come from beyond the window."""
    land, grams = quantity.land, quantity.grams
    for axis in axes:
        side, first = land.grid.shape[axis], land.window.corner[axis]
        places = side - 1 - 2 * first - np.arange(grams.shape[axis])
        read = (places >= 0) & (places < grams.shape[axis])
        taken = np.moveaxis(np.take(grams, np.where(read, places, 0), axis=axis), axis, 0)
        taken[~read] = np.nan
        grams = np.moveaxis(taken, 0, axis)
    return grams


def _moved(grams: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield values moved to each of four sides; NaN where they would come from beyond the window."""
    padded = np.pad(grams, _MOVED, constant_values=np.nan)
    middle = slice(_MOVED, -_MOVED)
    for end in (slice(None, -2 * _MOVED), slice(2 * _MOVED, None)):
        yield padded[end, middle]
        yield padded[middle, end]


def _agreement(
    density: NDArray[np.float64], grams: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[float, int]:
    """Return the rank correlation of cells that are known, and how many of them have something on either side: of a few works among empty cells one decides."""
    compared = inside & ~np.isnan(grams)
    ours, theirs = density[compared], grams[compared]
    return rank_correlation(ours, theirs), int(np.count_nonzero((ours != 0) | (theirs != 0)))


def _remarks(of: str, row: Mapping[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    if math.isnan(row["bias"]):
        what = f"{of}: the raster has nothing in the units, so there is nothing to agree with"
        found.append((Problem(what, level="warning"), f"{of}：栅格在单元内无数值，无从比较。"))
    found += remarks_of_total(of, row["bias"], row["slip"], "raster", "栅格")
    if row["by_area"] <= SAME_PROXY:
        what = f"{of}: the raster is even: area alone misplaces no more than {SAME_PROXY} of it in the units, so there is no skill to tell between cells"
        found.append((Problem(what, level="warning"), f"{of}：栅格在单元内近乎均匀，仅按面积错置即不超过 {SAME_PROXY}，像元间无技巧可言。"))  # fmt: skip
    if row["same_proxy"]:
        what = f"{of}: less than 0.005 is misplaced between cells, so the raster was probably made from this very run or with its proxy: agreement is circular and says nothing of either"
        found.append((Problem(what, level="warning"), f"{of}：像元间错置不足 0.005，栅格很可能由本次运算或同一替代指标得出，属循环论证。"))  # fmt: skip
    elif row["skill"] <= 0:
        what = f"{of}: no skill between cells. Area alone would have placed it as well"
        found.append((Problem(what, level="warning"), f"{of}：像元间没有技巧，仅按面积亦可达到。"))
    total = row["ours_t"] + row["ours_off_t"]
    if row["cells_unknown"] or row["ours_off_t"] > ROUNDING * total:
        share = row["ours_off_t"] / total if total else 0.0
        what = f"{of}: {counted(row['cells_unknown'], 'cell that the units touch has', 'cells that the units touch have')} no value; {row['ours_off_t']:,.0f} t of the run ({100 * share:.1f} %) lie there or off the raster, and are in no comparison of cells"
        found.append((Problem(what, level="warning"), f"{of}：单元所及像元中有 {row['cells_unknown']} 个无值；本次 {row['ours_off_t']:,.0f} t 未参与像元比较。"))  # fmt: skip
    return found
