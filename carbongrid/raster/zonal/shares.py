"""Which cells polygons cover, and how much of each: row spans of whole cells, and edge cells with their share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import full_turn
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import Edges, Spans
from carbongrid.raster.kernels.shares import extents_of
from carbongrid.raster.overlaps import cell_shares
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.validity import require_simple
from carbongrid.raster.row_blocks import row_blocks
from carbongrid.raster.spans import bands, count_spans, rasterize_spans, require_burnable

MAX_CELLS = 2**31
"""Cells that one polygon may have: their sums in bins stay within int64."""

# In cells: coordinates may be rounded.
_NEAR = 1e-3
# Less of a cell is taken for rounding where shares are measured.
_ROUNDING = 1e-9

# Of so many at once places in blocks are looked up: of all edge cells they would be as large as the operator.
_CELLS_AT_ONCE = 2**20


class Shares(NamedTuple):
    """What polygons have of the cells of a grid.

    Parameters
    ----------
    spans
        Whole cells: where those of each polygon start, then row, first and end column of each span, in order.
    edges
        Cells with a share below 1: where those of each polygon start, then row, column and share of each, in order.
    outside : float64 [polygon]
        Area of each polygon off the grid, in cells.
    whole : int64 [polygon]
        How many whole cells each has.
    """

    spans: Spans
    edges: Edges
    outside: NDArray[np.float64]
    whole: NDArray[np.int64]


def exact_shares(polygons: Polygons, grid: Grid, times: NDArray[np.int64] | None = None) -> Shares:
    """Return exact shares of cells; each polygon has its own, also where another one lies over it.

    Parameters
    ----------
    polygons
        In the grid's CRS.
    grid
        Their grid. A cell that reaches beyond a pole is what of it lies on the earth.
    times : [polygon]
        How many times each is in its row, moved by whole turns; default once.
    """
    if polygons.place is not None:
        polygons = polygons.take(np.arange(len(polygons)))
    require_simple(polygons, grid.bounds, grid.resolution)
    if rows_beyond_poles(grid):
        polygons = _on_earth(polygons, grid.crs)
    found = cell_shares(polygons, grid)
    beyond = _reach_beyond(polygons, grid)
    own = found.areas if times is None else found.areas / times
    outside = np.where(beyond, np.maximum(own - found.sums, 0.0), 0.0)
    spans, edges = _of_cells_on_earth(found.spans, found.edges, grid)
    return as_shares(spans, edges, outside)


def _on_earth(polygons: Polygons, crs: str) -> Polygons:
    """Return polygons in degrees without what of them lies beyond a pole."""
    pole = (full_turn(crs) or np.inf) / 4
    x, y, ring_start = polygons.x, polygons.y, polygons.ring_start
    if not (np.abs(y) > pole).any():
        return polygons
    edges = np.delete(np.arange(y.size), ring_start[1:] - 1)
    rise = y[edges + 1] - y[edges]
    cut, along = [], []
    for border in (pole, -pole):
        over = (y[edges] - border) * (y[edges + 1] - border) < 0
        cut.append(edges[over])
        along.append((border - y[edges[over]]) / rise[over])
    edge, place = np.concatenate(cut), np.concatenate(along)
    order = np.lexsort((place, edge))
    edge, place = edge[order], place[order]
    # Where an edge crosses a pole it gets a vertex, and what lies beyond falls onto the pole, where it has no area.
    x = np.insert(x, edge + 1, x[edge] + place * (x[edge + 1] - x[edge]))
    y = np.insert(y, edge + 1, y[edge] + place * (y[edge + 1] - y[edge]))
    starts = ring_start + np.searchsorted(edge + 1, ring_start)
    points = np.column_stack([x, np.clip(y, -pole, pole)])
    return Polygons.of_rings(
        points, (starts, polygons.part_start, polygons.row_start), crs, polygons.ids
    )


def _of_cells_on_earth(spans: Spans, edges: Edges, grid: Grid) -> tuple[Spans, Edges]:
    """Return shares of what of each cell lies on the earth: in a row whose centres are on the pole, of the half below it."""
    start, row, column, share = edges
    parts = np.ones(grid.shape[0])
    for edge_row, part in rows_beyond_poles(grid).items():
        parts[edge_row] = part
    if (parts == 1).all() or not (parts[row] < 1).any():
        return spans, edges
    owner = np.repeat(np.arange(start.size - 1), np.diff(start))
    share = share / parts[row]
    whole = share > 1 - _ROUNDING
    span_start, span_row, first, end = spans
    owners = np.repeat(np.arange(span_start.size - 1), np.diff(span_start))
    kept = np.stack([owners, span_row, first, end])
    filled = np.stack([owner, row, column, column + 1])[:, whole]
    joined = np.concatenate([kept, filled], axis=1)
    joined = joined[:, np.lexsort((joined[2], joined[1], joined[0]))]
    size = start.size - 1
    return (
        (_starts(joined[0], size), joined[1], joined[2], joined[3]),
        (_starts(owner[~whole], size), row[~whole], column[~whole], share[~whole]),
    )


def rows_beyond_poles(grid: Grid) -> dict[int, float]:
    """Return which share of the cells lies on the earth, of the rows of a geographic grid that reach beyond a pole."""
    turn = full_turn(grid.crs)
    if turn is None:
        return {}
    _, south, _, north = grid.bounds
    found = {}
    for row, edge in ((0, north), (grid.shape[0] - 1, -south)):
        part = 1 - (edge - turn / 4) / grid.resolution
        if _NEAR < part < 1 - _NEAR:
            found[row] = part
    return found


def _reach_beyond(polygons: Polygons, grid: Grid) -> NDArray[np.bool_]:
    west, south, east, north = grid.bounds
    left, bottom, right, top = polygons.bounds.T
    return np.asarray((left < west) | (right > east) | (bottom < south) | (top > north), np.bool_)


def centre_shares(polygons: Polygons, grid: Grid, times: NDArray[np.int64] | None = None) -> Shares:
    """Return whole cells by their centres, as ``rasterize`` burns them: where polygons overlap, the later row has a cell."""
    require_burnable(polygons, grid)
    height, width = grid.shape
    parts = [np.empty((4, 0), np.int64)]
    for window, (rows,) in bands(((polygons, np.arange(len(polygons))),), grid, (0, 0, height, width)):  # fmt: skip
        row, first, end, owner = count_spans(rasterize_spans(polygons, grid, window, rows), window)
        parts.append(np.stack([rows[owner], row + np.int64(window[0]), first, end]))
    owner, row, first, end = np.concatenate(parts, axis=1)
    order = np.lexsort((first, row, owner))
    spans = (_starts(owner, len(polygons)), row[order], first[order], end[order])
    nothing = np.empty(0, np.int64)
    edges = (np.zeros(len(polygons) + 1), nothing, nothing, nothing)
    return as_shares(spans, edges, _area_beyond(polygons, grid, times))


def _area_beyond(
    polygons: Polygons, grid: Grid, times: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return the area of each polygon off the grid, in cells."""
    found = np.zeros(len(polygons))
    rows = np.flatnonzero(_reach_beyond(polygons, grid))
    if rows.size:
        shares = cell_shares(polygons.take(rows), grid)
        areas = shares.areas if times is None else shares.areas / times[rows]
        found[rows] = np.maximum(areas - shares.sums, 0.0)
    return found


def as_shares(spans: Any, edges: Any, outside: NDArray[np.float64]) -> Shares:
    """Return arrays as kernels take them.

    Raises
    ------
    InputError
        If a polygon has too many cells.
    """
    kinds = (np.int64, np.int32, np.int32, np.int32)
    start, *columns = (
        as_readonly_contiguous(a, kind) for a, kind in zip(spans, kinds, strict=True)
    )
    edge_kinds = (np.int64, np.int32, np.int32, np.float64)
    of_edges = [as_readonly_contiguous(a, kind) for a, kind in zip(edges, edge_kinds, strict=True)]
    made = Shares(
        (start, columns[0], columns[1], columns[2]),
        (of_edges[0], of_edges[1], of_edges[2], of_edges[3]),
        as_readonly_contiguous(outside, np.float64),
        _whole_cells(start, columns[1], columns[2]),
    )
    many = np.flatnonzero(cell_counts(made) > MAX_CELLS)
    if many.size:
        raise InputError(
            f"a polygon covers more than {MAX_CELLS:,} cells, too many for exact sums",
            f"row {many[0]}",
            "Take a coarser grid, or cut the polygon.",
        )
    return made


def cell_counts(shares: Shares) -> NDArray[np.int64]:
    """Return the number of cells of each polygon that it has a share in."""
    return shares.whole + np.diff(shares.edges[0])


def _whole_cells(
    start: NDArray[np.int64], first: NDArray[np.int32], end: NDArray[np.int32]
) -> NDArray[np.int64]:
    ends = np.zeros(first.size + 1, np.int64)
    np.cumsum(end - first, out=ends[1:])
    return np.diff(ends[start])


def extents(shares: Shares) -> NDArray[np.int64]:
    """Return first row, first column, and one past the last row and column of the cells of each polygon [polygon, 4]; 0 where it has none."""
    return extents_of(shares.spans, shares.edges)


def blocks_touched(shares: Shares, chunks: tuple[tuple[int, ...], ...]) -> NDArray[np.bool_]:
    """Return in which blocks of a raster [y, x] any polygon has a cell."""
    down, across = (np.repeat(np.arange(len(sides)), sides) for sides in chunks)
    height, width = len(chunks[0]), len(chunks[1]) + 1
    marks = np.zeros(height * width, np.int64)
    _, rows, firsts, ends = shares.spans
    _, edge_rows, columns, _ = shares.edges
    for row, first, last in ((rows, firsts, ends - np.int32(1)), (edge_rows, columns, columns)):
        for some in row_blocks(row.size, _CELLS_AT_ONCE):
            begin = down[row[some]] * width
            marks += np.bincount(begin + across[first[some]], minlength=marks.size)
            marks -= np.bincount(begin + across[last[some]] + 1, minlength=marks.size)
    return np.asarray(marks.reshape(height, width).cumsum(axis=1)[:, :-1] > 0, np.bool_)


def _starts(owners: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    counts = np.bincount(owners, minlength=size)
    return np.concatenate([[0], np.cumsum(counts)])
