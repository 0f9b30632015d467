"""How much polygons have in common with other polygons or cells: counts of cells, and exact areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.areal_scale import warn_of_areas
from carbongrid.raster.chunked.scans import count_overlap
from carbongrid.raster.crs_units import require_plane
from carbongrid.raster.grid import Grid, require_grid
from carbongrid.raster.kernels.coverage import (
    Land,
    cover_runs,
    each_cell,
    spread_evenly,
)
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import Edges, Spans
from carbongrid.raster.kernels.shares import whole_and_parts
from carbongrid.raster.labelled import require_real, require_same_order, require_unmasked
from carbongrid.raster.pair_counts import counts_matrix
from carbongrid.raster.polygon_coverage import polygon_coverage
from carbongrid.raster.polygons import Polygons, require_same_crs
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.polygons.validity import require_simple, require_valid
from carbongrid.raster.row_blocks import each_block, row_blocks
from carbongrid.raster.spans import require_on_grid

if TYPE_CHECKING:
    from carbongrid.raster.polygons import PolygonsLike

_POLYGONS_AT_ONCE = 2**14
_MAX_IN_FIELDS = 2**23
_ROUNDING = 1e-6
"""Of the shares of a polygon, beside its area; no rounding comes near it."""


def overlap(a: PolygonsLike, b: PolygonsLike, *, grid: Grid) -> csr_array:
    """Count the cells that each row of a and each row of b have in common.

    Parameters
    ----------
    a, b
        Two sets of polygons in the grid's CRS. For label rasters there is ``crosstab``.
    grid
        The fine grid; spans of both are laid over each other, so it never exists.

    Returns
    -------
    scipy.sparse.csr_array, int64 [a, b]
        Where two polygons of one set cover a cell, the later row has it.

    Raises
    ------
    InputError
        If CRS differ, or label rasters are given.
    """
    mine, others = _burnable(a, grid), _burnable(b, grid)
    return counts_matrix(*count_overlap(mine, others, grid), (len(mine), len(others)))


def _burnable(polygons: PolygonsLike, grid: Grid) -> Polygons:
    if getattr(polygons, "ndim", 0) == 2 and not hasattr(polygons, "geometry"):
        raise InputError("overlap takes polygons", hint="cg.crosstab counts label rasters.")
    require_grid(grid)
    prepared = Polygons.of(polygons)
    require_on_grid(prepared, grid)
    return prepared


def coverage(polygons: PolygonsLike, target: Grid | PolygonsLike) -> csr_array:
    """Measure the exact area that each polygon has in each cell of a grid, or in common with each polygon of another set.

    Parameters
    ----------
    polygons
        Valid polygons [polygon].
    target
        A grid (column = row * width + column), or valid polygons, in the same CRS. No target is cut at tiles.

    Returns
    -------
    scipy.sparse.csr_array, float64 [polygon, target]
        Areas in m2 on the plane of the CRS, whatever its unit of length (m where none is known); a warning tells where true ones are others by more than 2 %. What lies off the grid is left out.
        Overlaps smaller than rounding error are dropped. Polygon and cell that an edge enters: below 1e-12 of the polygon and below 1e-9 of the cell. Two polygons: below 3e-14 of their common bounding box.

    Raises
    ------
    InputError
        If the CRS differ, or are geographic: squares of degrees are no areas. If a polygon or a target that lies partly in another is not valid; on a grid,
        one that meets it and winds around land twice, or backwards. Of :class:`Polygons` that is seen only where their shares do not add up to their area: a bow tie inside one cell counts what its rings enclose.
    """
    prepared = Polygons.of(polygons)
    if isinstance(target, Grid):
        if prepared is not polygons:
            require_simple(prepared, target.bounds, target.resolution)
    else:
        target = Polygons.of(target)
    found = areas_in_plane(prepared, target)
    # Of the polygons alone: what lies beyond the targets counts nowhere.
    around = prepared.total_bounds
    if isinstance(target, Grid) and found.nnz:
        around = np.clip(around.reshape(2, 2), target.bounds[:2], target.bounds[2:]).ravel()
    warn_of_areas(prepared.crs or target.crs, around)
    return found


def areas_in_plane(polygons: Polygons, target: Grid | Polygons) -> csr_array:
    """Return what ``coverage`` does of polygons that are known to be simple, without a word where the plane shows areas off: of a run's own the case says so."""
    if isinstance(target, Grid):
        return _grid_coverage(polygons, target)
    return polygon_coverage(polygons, target)


def area_field(polygons: PolygonsLike, grid: Grid, amounts: ArrayLike) -> NDArray[np.float64]:
    """Spread an amount evenly over the exact area of each polygon, and add up what each cell of a grid gets.

    Parameters
    ----------
    polygons
        Valid polygons [polygon].
    grid
        Any grid in the same CRS. What lies off it is left out.
    amounts : shape (polygons,)
        Any finite numbers, for example grams.

    Returns
    -------
    float64 array of the grid's shape
        In the amounts' unit. Heights are rounded to 6e-14 of a cell: the amount of a polygon that crosses borders of cells is right
        to some 1e-13 over its height in cells; of one inside a cell, to the last bits. ``coverage`` keeps polygons apart.

    Raises
    ------
    InputError
        If the CRS differ or are geographic, the shapes differ, an amount is not finite, or a polygon has an amount and no area; if no amount
        is negative, a cell gets less than nothing, and a polygon is not valid; if one that is no :class:`Polygons` crosses or covers itself.
    """
    require_same_order(polygons=polygons, amounts=amounts)
    require_unmasked(amounts, "the amounts")
    require_real(amounts, "the amounts")
    prepared = Polygons.of(polygons)
    values = as_readonly_contiguous(amounts, np.float64)
    if values.shape != (len(prepared),):
        raise InputError(f"amounts are of shape {values.shape}, not ({len(prepared)},)")
    odd = np.flatnonzero(~np.isfinite(values))
    if odd.size:
        raise InputError(f"amounts are NaN or infinite in rows {odd[:10].tolist()}")
    require_plane(grid.crs, "exact areas")
    land = _land(prepared, grid)
    require_reach(prepared, grid.bounds, grid.crs, prepared.crs)
    if prepared is not polygons:
        require_simple(prepared, grid.bounds, grid.resolution)
    if prepared.place is not None:
        stored_values = np.empty_like(values)
        stored_values[prepared.place] = values
        values = as_readonly_contiguous(stored_values, np.float64)
    # Few parts where the field is large, since each has one of its own; never after the number of threads.
    most = max(_MAX_IN_FIELDS // (grid.shape[0] * grid.shape[1]), 1)
    parts = each_block(
        lambda rows: spread_evenly(land, (rows.start, rows.stop), values, grid.shape),
        row_blocks(len(prepared), max(_POLYGONS_AT_ONCE, -(-len(prepared) // most))),
    )
    total = np.zeros(grid.shape)
    for field, lost in parts:
        if lost >= 0:
            row = lost if prepared.place is None else int(np.flatnonzero(prepared.place == lost)[0])
            raise InputError("a polygon has an amount and no area to spread it over", f"row {row}")
        total += field
    if total.min(initial=0.0) < -_ROUNDING * np.abs(values).max(initial=0.0) and not (values < 0).any():  # fmt: skip
        _require_valid(prepared, np.arange(len(prepared)))
    return total


class ExactCoverage(NamedTuple):
    """What polygons have of cells: spans of whole cells, cells in part, sums of shares, areas and runs of cells.

    Parameters
    ----------
    spans
        Where those of each polygon start, then row, first and end column of each, in order of cells.
    edges
        Where those of each polygon start, then row, column and share of each, in order of cells.
    sums : float64 [polygon]
        Of all shares.
    areas : float64 [polygon]
        Of the whole polygon, on the grid or off it, in cells.
    """

    spans: Spans
    edges: Edges
    sums: NDArray[np.float64]
    areas: NDArray[np.float64]


def cell_shares(polygons: Polygons, grid: Grid) -> ExactCoverage:
    """Measure the exact share that polygons have in cells: what ``ZonalOperator`` is made of.

    Coordinates are counted from a cell near each polygon: shares are right to the last bits whatever the size of the grid, and the same ones on any
    grid with the same borders of cells. ``coverage`` counts from the grid's corner.

    Parameters
    ----------
    polygons
        Valid polygons [polygon], in the order in which they are stored.
    grid
        In the same CRS, which may be geographic: a share is then one of a square of degrees.
    """
    land = _land(polygons, grid)

    def shares_in(rows: slice) -> tuple[NDArray[Any], ...]:
        counts, runs, areas = cover_runs(land, (rows.start, rows.stop), grid.shape, True)
        of_spans, spans, of_edges, edges, sums = whole_and_parts(counts, runs)
        return of_spans, *spans, of_edges, *edges, sums, areas

    parts = each_block(shares_in, row_blocks(len(polygons), _POLYGONS_AT_ONCE))
    joined = list(each_block(np.concatenate, list(zip(*parts, strict=True))))
    of_spans, row, first, end, of_edges, edge_row, column, share, sums, areas = joined
    spans = (_starts(of_spans), row, first, end)
    return ExactCoverage(spans, (_starts(of_edges), edge_row, column, share), sums, areas)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)])


def cells_of_runs(
    cells: NDArray[np.int64], lengths: NDArray[np.int64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each cell of runs, and its share."""
    first, length = (as_readonly_contiguous(each, np.int64) for each in (cells, lengths))
    return each_cell(first, length, as_readonly_contiguous(shares, np.float64))


def _grid_coverage(polygons: Polygons, grid: Grid) -> csr_array:
    require_plane(grid.crs, "exact areas")
    land = _land(polygons, grid)
    require_reach(polygons, grid.bounds, grid.crs, polygons.crs)

    def cells_in(rows: slice) -> tuple[NDArray[Any], ...]:
        counts, runs, areas = cover_runs(land, (rows.start, rows.stop), grid.shape, False)
        row, column, lengths, shares = runs
        ends = np.concatenate([[0], np.cumsum(lengths)])[np.cumsum(counts)]
        return np.diff(ends, prepend=0), areas, *cells_of_runs(row * grid.shape[1] + column, lengths, shares)  # fmt: skip

    parts = each_block(cells_in, row_blocks(len(polygons), _POLYGONS_AT_ONCE))
    counts, areas, cells, shares = (np.concatenate(each) for each in zip(*parts, strict=True))
    start = np.concatenate([[0], np.cumsum(counts)])
    shape = (len(polygons), grid.shape[0] * grid.shape[1])
    found = csr_array((shares * grid.area_in_plane, cells, start), shape=shape)
    apart = np.abs(found.sum(axis=1) / grid.area_in_plane - areas)
    odd = np.flatnonzero(apart > _ROUNDING * (areas + counts + 1))
    if odd.size:
        west, south, east, north = grid.bounds
        left, bottom, right, top = polygons.bounds[odd].T
        whole = (left >= west) & (right <= east) & (bottom >= south) & (top <= north)
        _require_valid(polygons, odd[whole])
    return found if polygons.place is None else found[polygons.place]


def _require_valid(polygons: Polygons, rows: NDArray[np.int64]) -> None:
    """Raise if polygons whose shares do not add up are not valid; they are named by the rows in which they were given."""
    if rows.size:
        given = rows if polygons.place is None else np.flatnonzero(np.isin(polygons.place, rows))
        require_valid(polygons.take(np.arange(len(polygons))), given, "the polygons")


def _land(polygons: Polygons, grid: Grid) -> Land:
    require_same_crs(polygons, grid.crs)
    west, _, _, north = grid.bounds
    starts = (polygons.ring_start, polygons.part_start, polygons.row_start)
    return (polygons.x, polygons.y), starts, (west, north, grid.resolution)
