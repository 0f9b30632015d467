"""Cells of a grid of people shared out: by claims, and over units by the exact share of a cell that lies in each (docs/decisions/0065)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import crs_text
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels import split as splits
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.overlaps import cells_of_runs
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.bringing import brought
from carbongrid.raster.zonal.shares import exact_shares

# In cells, over the whole grid.
_NEAR = 1e-3
# Of a cell: less of it outside every unit is rounding.
_NOTHING = 1e-9


@dataclass(frozen=True)
class CellShares:
    """Cells and what has a claim on them, by (cell, target); cell is a row of the populated cells."""

    cell: NDArray[np.int64]
    target: NDArray[np.int64]
    claim: NDArray[np.float64]

    def split(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Share each cell's people out over its targets, telescoped in their order."""
        first = np.flatnonzero(np.r_[True, self.cell[1:] != self.cell[:-1]][: self.cell.size])
        start = as_readonly_contiguous(np.append(first, self.cell.size), np.int64)
        quanta, _ = splits.quantize(as_readonly_contiguous(self.claim, np.float64), start)
        totals, claims = (
            as_readonly_contiguous(each, np.int64) for each in (counts[self.cell[first]], quanta)
        )
        parts, _ = splits.split(totals, claims, start, splits.MAX_SUM + self.claim.size)
        return parts


def cells_over_units(people: Any, cell: NDArray[np.int64], units: gpd.GeoSeries) -> CellShares:
    """Return which share of populated cells lies in which unit; -1 stands for none, and comes last.

    Parameters
    ----------
    people
        A grid of people.
    cell : int64, shape (cells,)
        Flat positions of populated cells, ascending.
    units
        In their own CRS; they are brought into the grid's.

    Raises
    ------
    InputError
        If the grid is rotated or its cells are not square.
    """
    grid = _grid_of(people)
    shares = exact_shares(*_brought(units, grid))
    start, row, first, end = shares.spans
    edge_start, edge_row, column, share = shares.edges
    lengths = end.astype(np.int64) - first
    whole, ones = cells_of_runs(row.astype(np.int64) * grid.shape[1] + first, lengths, np.ones(row.size))  # fmt: skip
    flat = np.concatenate([whole, edge_row.astype(np.int64) * grid.shape[1] + column])
    numbers = np.arange(len(units))
    owner = np.concatenate(
        [
            np.repeat(np.repeat(numbers, np.diff(start)), lengths),
            np.repeat(numbers, np.diff(edge_start)),
        ]
    )
    share = np.concatenate([ones, share])
    place = np.minimum(np.searchsorted(cell, flat), max(cell.size - 1, 0))
    there = np.flatnonzero(cell[place] == flat) if cell.size else np.zeros(0, np.int64)
    place, owner, share = place[there], owner[there], share[there]
    rest = 1.0 - np.bincount(place, share, cell.size)
    outside = np.flatnonzero(rest > _NOTHING)
    place = np.concatenate([place, outside])
    owner = np.concatenate([owner, np.full(outside.size, len(units))])
    share = np.concatenate([share, rest[outside]])
    order = np.lexsort((owner, place))
    target = np.where(owner < len(units), owner, -1)[order]
    return CellShares(place[order].astype(np.int64), target, share[order])


def _brought(units: gpd.GeoSeries, grid: Grid) -> tuple[Polygons, Grid, NDArray[np.int64]]:
    polygons, times = brought(Polygons.of(units), grid)
    return polygons, grid, times


def _grid_of(people: Any) -> Grid:
    place, shape = people.transform, np.shape(people.values)
    side = float(place.a)
    apart = max(abs(place.a + place.e), abs(place.b), abs(place.d)) * max(shape)
    if not (side > 0 and apart <= _NEAR * side):
        raise InputError(
            "the raster of people is rotated, or its cells are not square, and has no exact shares",
            "[people]",
            'Write share = "centre", or put it on a north-up grid of square cells first.',
        )
    corner = (float(place.c), float(place.f))
    return Grid.of_corner(crs_text(people.crs), side, corner, (shape[0], shape[1]))
