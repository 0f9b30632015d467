"""Row spans of polygons on a grid: what labels are painted from and overlaps are counted from (docs/decisions/0011)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import full_turn
from carbongrid.raster.kernels import pairs
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.pair_keys import pair_keys
from carbongrid.raster.kernels.scanline import RawSpans, scan
from carbongrid.raster.kernels.spans import Spans, apart, in_order, paint, single
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.polygons.sets import require_same_crs
from carbongrid.raster.polygons.tiles import inverse_of

if TYPE_CHECKING:
    from carbongrid.raster.grid import Grid
    from carbongrid.raster.polygons import Polygons
    from carbongrid.raster.polygons.excerpts import Window

Amounts = tuple[NDArray[np.uint64], NDArray[np.int64]]
"""Keys of pairs of labels, and an integer for each: a sparse partial count."""

SPANS_AT_ONCE = 2**18
"""About as many spans are held at once; with what they are made from, some 30 MB. Four times as many are no faster."""

_MAX_LABEL = 2**32 - 2
_MAX_ROWS = 4096
# Of 64 cells each: with more of them than this to a span, sorting is cheaper than looking at them.
_WORDS_PER_SPAN = 8
# Where spans have every cell more often than this, to settle whose it is is cheaper than to paint it so often.
_MAX_LAYERS = 4


def rasterize_spans(
    polygons: Polygons, grid: Grid, window: Window, rows: NDArray[np.int64]
) -> RawSpans:
    """Return the spans of some rows of a set in a window of the grid, those of later rows later; they may overlap.

    Parameters
    ----------
    polygons
        The set.
    grid
        The whole grid.
    window
        First row, first column, height and width.
    rows
        Rows of the set, ascending. An owner of a span is a place in this list.
    """
    return scan(
        window,
        inverse_of(grid),
        (polygons.x, polygons.y),
        (polygons.ring_start, polygons.part_start, polygons.row_start),
        polygons.blocks,
        as_readonly_contiguous(polygons.places(rows), np.int64),
    )


def ordered(raw: RawSpans, window: Window) -> Spans:
    """Give each cell to the last of its owners, and put the spans in order, to be laid under others."""
    return single(in_order(raw, *window[2:]))


def count_spans(raw: RawSpans, window: Window) -> RawSpans:
    """Give each cell to the last of its owners, and leave the spans in no order; owners of ``raw`` ascend."""
    height, width = window[2:]
    # The cells of a window, or of the spans where they overlap so much that these are more.
    cells = max(height * width, _cells_of(raw))
    if cells <= 64 * _WORDS_PER_SPAN * raw[0].size:
        return apart(raw, height, width)
    start, firsts, ends, owners = ordered(raw, window)
    return np.repeat(np.arange(height, dtype=np.int32), np.diff(start)), firsts, ends, owners


def _cells_of(raw: RawSpans) -> int:
    _, firsts, ends, _ = raw
    return int(ends.sum(dtype=np.int64) - firsts.sum(dtype=np.int64))


def bands(
    parts: tuple[tuple[Polygons, NDArray[np.int64]], ...], grid: Grid, window: Window
) -> Iterator[tuple[Window, list[NDArray[np.int64]]]]:
    """Yield the bands of rows that a window is done in, and which of the given rows of each set touch each band.

    A band is so high that it has about SPANS_AT_ONCE spans.
    """
    top, left, height, width = window
    north = grid.bounds[3]
    ranges = []
    spans = 0.0
    for polygons, rows in parts:
        first = np.floor((north - polygons.bounds[rows, 3]) / grid.resolution) - 1
        last = np.floor((north - polygons.bounds[rows, 1]) / grid.resolution) + 1
        inside = np.minimum(last, top + height) - np.maximum(first, top)
        spans += float(np.maximum(np.nan_to_num(inside), 0).sum())
        ranges.append((rows, first, last))
    share = int(SPANS_AT_ONCE / max(spans / max(height, 1), 1.0))
    step = min(max(share, 1), _MAX_ROWS, max(height, 1))
    for begin in range(top, top + height, step):
        end = min(begin + step, top + height)
        touching = [rows[(first < end) & (last >= begin)] for rows, first, last in ranges]
        yield (begin, left, end - begin, width), touching


def paint_spans(
    raw: RawSpans,
    window: Window,
    labels: NDArray[np.integer],
    raster: NDArray[np.uint32],
    corner: tuple[int, int],
) -> None:
    """Paint the spans of a window into a contiguous raster of zeros, whose first cell is at ``corner`` of the grid.

    Each cell has the label of the last of its owners, which ascend.
    """
    top, left, height, width = window
    if _cells_of(raw) > _MAX_LAYERS * height * width:
        raw = count_spans(raw, window)
    paint(
        raw, as_readonly_contiguous(labels, np.uint32), raster[top - corner[0] :], left - corner[1]
    )


def common_cells(
    a: RawSpans, labels_a: NDArray[np.int64], b: Spans, labels_b: NDArray[np.int64]
) -> Amounts:
    """Count the cells of each pair of labels; spans of a share none, and what lies on b's background counts with label 0."""
    names = np.append(labels_b, 0)
    keys, counts = pairs.common_cells(a, b, labels_b.size, _table_size(labels_a.size))
    owner, other = np.divmod(keys, names.size)
    return pair_keys(labels_a[owner].astype(np.uint32), names[other].astype(np.uint32)), counts


def common_squares(
    a: RawSpans, labels: NDArray[np.int64], window: Window, factor: int, columns: int
) -> Amounts:
    """Count the cells of each label in squares of factor x factor cells, whose label is row * columns + column + 1."""
    top, _, height, _ = window
    first = top // factor
    squares = ((top + max(height, 1) - 1) // factor - first + 1) * columns
    keys, counts = pairs.common_squares(a, window, factor, columns, _table_size(labels.size))
    owner, square = np.divmod(keys, squares)
    names = square + first * columns + 1
    return pair_keys(labels[owner].astype(np.uint32), names.astype(np.uint32)), counts


def _table_size(owners: int) -> int:
    """Return a power of two that has room for some three pairs an owner."""
    return 1 << max(int(owners * 3).bit_length(), 6)


def require_on_grid(polygons: Polygons, grid: Grid) -> None:
    """Raise unless the polygons can be burnt into the grid and lie where its longitudes are; warn where not one meets it.

    Raises
    ------
    InputError
        As :func:`require_burnable`, :func:`require_no_turn` and :func:`require_reach`.
    """
    require_burnable(polygons, grid)
    require_no_turn(polygons, grid)
    require_reach(polygons, grid.bounds, grid.crs, polygons.crs)


def require_burnable(polygons: Polygons, grid: Grid) -> None:
    """Raise unless the polygons can be burnt into the grid.

    Raises
    ------
    InputError
        If they are in another CRS, or too many for uint32.
    """
    require_same_crs(polygons, grid.crs)
    if len(polygons) > _MAX_LABEL:
        raise InputError(
            f"{len(polygons)} polygons are more than uint32 labels can tell apart (2^32 - 2)"
        )


def require_no_turn(polygons: Polygons, grid: Grid) -> None:
    """Raise if a polygon has land on the grid only a whole turn round the earth further, as at -10 degrees of a grid from 0 to 360.

    Raises
    ------
    InputError
        Naming the first.
    """
    turn = None if grid.crs is None else full_turn(grid.crs)
    if turn is None:
        return
    # No centre of a cell is nearer to the grid's edge.
    near = grid.resolution / 2
    west, south, east, north = grid.bounds
    left, bottom, right, top = polygons.bounds.T
    beyond = ((left < west - near) | (right > east + near)) & (bottom < north) & (top > south)
    there = [(left + by < east - near) & (right + by > west + near) for by in (-turn, turn)]
    odd = np.flatnonzero(beyond & (there[0] | there[1]))
    if odd.size:
        row = odd[0] if polygons.place is None else np.flatnonzero(polygons.place == odd[0])[0]
        have = "1 polygon has" if odd.size == 1 else f"{odd.size} polygons have"
        raise InputError(
            f"{have} land that is on the grid only after a whole turn round the earth: the first lies from {left[odd[0]]:g} to {right[odd[0]]:g}, the grid from {west:g} to {east:g}",
            f"row {row}",
            "Write their longitudes as the grid has them, or take cg.zonal_stats, which moves them.",
        )
