"""Polygons scanned tile by tile: labels in memory or in a store, and overlaps without any labels."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.chunked.pieces import Piece, pieces_of, tile_size
from carbongrid.raster.chunked.tasks import Progress, Scheduler, run_tasks
from carbongrid.raster.chunked.versions import OfOneRelease
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.label_pairs import added
from carbongrid.raster.label_store import block_side, write_window
from carbongrid.raster.polygons import Excerpt, Polygons
from carbongrid.raster.polygons.excerpts import Window
from carbongrid.raster.polygons.tiles import inverse_of
from carbongrid.raster.spans import (
    Amounts,
    bands,
    common_cells,
    common_squares,
    count_spans,
    ordered,
    paint_spans,
    rasterize_spans,
)


def count_overlap(a: Polygons, b: Polygons, grid: Grid) -> Amounts:
    """Return the pairs of labels (as keys, sorted) of two sets and their numbers of cells, counted in threads."""
    pieces = pieces_of(grid.shape, tile_size(grid, (a, b)), (a, b), grid)
    task = functools.partial(_overlap_piece, grid)
    counts: Amounts = run_tasks(task, pieces, "threads", combine=added)
    return counts


def fill_labels(polygons: Polygons, grid: Grid) -> NDArray[np.uint32]:
    """Return the labels of the whole grid in memory, painted in threads."""
    values = np.zeros(grid.shape, np.uint32)
    pieces = pieces_of(grid.shape, tile_size(grid, (polygons,)), (polygons,), grid)
    run_tasks(functools.partial(_fill_piece, grid, values), pieces, "threads")
    return values


def labels_later(polygons: Polygons, grid: Grid, chunks: tuple[tuple[int, ...], ...]) -> Any:
    """Return the labels of the whole grid as a lazy Dask array; each block is painted in a task of its own.

    Parameters
    ----------
    polygons, grid
        As for ``fill_labels``.
    chunks
        Heights and widths of the blocks, as Dask has them.
    """
    import dask.array as da
    from dask.delayed import delayed

    rows, columns = (
        da.arange(length, chunks=(sides,)) for length, sides in zip(grid.shape, chunks, strict=True)
    )
    return da.blockwise(
        OfOneRelease(functools.partial(_labels_block, grid)),
        "yx",
        *(rows, "y", columns, "x"),
        polygons=delayed(polygons, pure=False, traverse=False),  # one node of the graph
        dtype=np.uint32,
        meta=np.empty((0, 0), np.uint32),
        align_arrays=False,  # two axes: there is nothing to align
    )


def write_labels(polygons: Polygons, grid: Grid, store: Path, name: str) -> None:
    """Fill one variable of a label store, block by block, in threads."""
    side = block_side(store)
    pieces = pieces_of(grid.shape, (side, side), (polygons,), grid)
    run_tasks(functools.partial(_write_piece, grid, store, name), pieces, "threads")


@dataclass(frozen=True, eq=False)
class Named:
    """Rows of a set of polygons, ascending, and the label of each."""

    polygons: Polygons
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, polygons: Polygons, labels: NDArray[np.int64]) -> Named:
        """Name all rows of a set."""
        return cls(polygons, np.arange(len(polygons)), labels)

    def labels_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what some of the rows are called."""
        return self.labels[np.searchsorted(self.rows, rows)]


def count_tiles(
    parcels: Polygons,
    units: Polygons,
    grid: Grid,
    squares: tuple[int, int],
    scheduler: Scheduler,
    progress: Progress | None,
) -> tuple[Amounts, Amounts]:
    """Return what parcels have in common with units, and with squares (cells on a side, columns), without any labels."""
    sets = (parcels, units)
    pieces = pieces_of(grid.shape, tile_size(grid, sets), sets, grid)
    task = functools.partial(_count_piece, grid, squares)
    counts: tuple[Amounts, Amounts] = run_tasks(task, pieces, scheduler, progress, combine=_added)
    return counts


def scan_window(
    parcels: Named | Excerpt,
    units: Named | Excerpt,
    grid: Grid,
    window: Window,
    squares: tuple[int, int],
    paint: tuple[NDArray[np.uint32], NDArray[np.uint32]] | None = None,
) -> tuple[Amounts, Amounts]:
    """Count one window: pairs of parcel and unit, and of parcel and square; paint both into windows of zeros if given."""
    parts = []
    sets = ((parcels.polygons, parcels.rows), (units.polygons, units.rows))
    for band, (rows, over) in bands(sets, grid, window):
        raw = rasterize_spans(parcels.polygons, grid, band, rows)
        raw_units = rasterize_spans(units.polygons, grid, band, over)
        spans, others = count_spans(raw, band), ordered(raw_units, band)
        names, other_names = parcels.labels_of(rows), units.labels_of(over)
        in_units = common_cells(spans, names, others, other_names)
        parts.append((in_units, common_squares(spans, names, band, *squares)))
        if paint is not None:
            paint_spans(raw, band, names, paint[0], window[:2])
            paint_spans(raw_units, band, other_names, paint[1], window[:2])
    return _added(parts)


def _count_piece(grid: Grid, squares: tuple[int, int], piece: Piece) -> tuple[Amounts, Amounts]:
    parcels, units = piece.excerpts
    return _added(piece.each(lambda window: scan_window(parcels, units, grid, window, squares)))


def _added(parts: list[tuple[Amounts, Amounts]]) -> tuple[Amounts, Amounts]:
    return added([part[0] for part in parts]), added([part[1] for part in parts])


def paint_window(
    excerpt: Excerpt,
    grid: Grid,
    window: Window,
    raster: NDArray[np.uint32],
    corner: tuple[int, int],
) -> None:
    """Paint the labels of a window into a contiguous raster of zeros, whose first cell is at ``corner`` of the grid."""
    for band, (rows,) in bands(((excerpt.polygons, excerpt.rows),), grid, window):
        raw = rasterize_spans(excerpt.polygons, grid, band, rows)
        paint_spans(raw, band, excerpt.labels_of(rows), raster, corner)


def _overlap_piece(grid: Grid, piece: Piece) -> Amounts:
    parts = piece.each(functools.partial(_overlap_window, grid, piece))
    return added([part for several in parts for part in several])


def _overlap_window(grid: Grid, piece: Piece, window: Window) -> list[Amounts]:
    a, b = piece.excerpts
    parts = []
    for band, (rows_a, rows_b) in bands(((a.polygons, a.rows), (b.polygons, b.rows)), grid, window):
        if rows_a.size and rows_b.size:
            spans_a = count_spans(rasterize_spans(a.polygons, grid, band, rows_a), band)
            spans_b = ordered(rasterize_spans(b.polygons, grid, band, rows_b), band)
            parts.append(common_cells(spans_a, a.labels_of(rows_a), spans_b, b.labels_of(rows_b)))
    return parts


def _fill_piece(grid: Grid, values: NDArray[np.uint32], piece: Piece) -> None:
    (excerpt,) = piece.excerpts

    def fill(window: Window) -> None:
        paint_window(excerpt, grid, window, values, (0, 0))

    piece.each(fill)


def _labels_block(
    grid: Grid, rows: NDArray[np.int64], columns: NDArray[np.int64], *, polygons: Polygons
) -> NDArray[np.uint32]:
    window = (int(rows[0]), int(columns[0]), rows.size, columns.size)
    values = np.zeros(window[2:], np.uint32)
    # Wider by a cell, so that rounding loses none; a polygon without parts has no bounds.
    side, (west, _, _, north) = grid.resolution, grid.bounds
    left, right = west + (window[1] - 1) * side, west + (window[1] + columns.size + 1) * side
    top, bottom = north - (window[0] - 1) * side, north - (window[0] + rows.size + 1) * side
    bounds = polygons.bounds
    across = (bounds[:, 2] >= left) & (bounds[:, 0] <= right)
    near = np.flatnonzero(across & (bounds[:, 3] >= bottom) & (bounds[:, 1] <= top))
    excerpt = Excerpt(polygons, near, near + 1, window, inverse_of(grid))
    paint_window(excerpt, grid, window, values, window[:2])
    return values


def _write_piece(grid: Grid, store: Path, name: str, piece: Piece) -> None:
    (excerpt,) = piece.excerpts

    def write(window: Window) -> None:
        values = np.zeros(window[2:], np.uint32)
        paint_window(excerpt, grid, window, values, window[:2])
        write_window(store, name, window[:2], values)

    piece.each(write)
