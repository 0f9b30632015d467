"""What tasks are given: windows of the grid and the polygons that touch them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from carbongrid.errors import CarbongridError, RunError
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Excerpt, Polygons
from carbongrid.raster.polygons.excerpts import Window
from carbongrid.raster.polygons.tiles import inverse_of

MAX_TASKS = 2000
"""More tiles than this are done several to a task, so that the graph stays small whatever the raster's size."""

_TILES = 64
_MIN_CELLS = 256**2
_POLYGONS_ACROSS = 4


@dataclass(frozen=True)
class Piece:
    """Windows of the grid that one task does, and for each set of polygons what touches any of them."""

    windows: tuple[Window, ...]
    excerpts: tuple[Excerpt, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return str_of(self.windows[0])

    def each[R](self, function: Callable[[Window], R]) -> list[R]:
        """Return function(window) of every window; an error names its tile."""
        results = []
        for window in self.windows:
            try:
                results.append(function(window))
            except CarbongridError:
                raise
            except Exception as error:
                raise RunError(f"{str_of(window)}: {type(error).__name__}: {error}") from error
        return results


def str_of(window: Window) -> str:
    """Return the name of a window in messages."""
    return f"tile at row {window[0]}, column {window[1]}"


def pieces_of(
    grid_shape: tuple[int, int],
    size: tuple[int, int],
    sets: Sequence[Polygons] = (),
    grid: Grid | None = None,
) -> list[Piece]:
    """Return a piece for each task: tiles of this size, several to a task where there are many.

    Polygons are looked up by their bounds, and referred to, not copied.
    """
    windows = tile_windows(grid_shape, size)
    together = -(-len(windows) // MAX_TASKS) if windows else 1
    tilings = [polygons.tiles(grid, size) for polygons in sets if grid is not None]
    pieces = []
    for first in range(0, len(windows), together):
        mine = tuple(windows[first : first + together])
        excerpts = []
        for polygons, tiling in zip(sets, tilings, strict=True):
            assert grid is not None
            rows = tiling.rows[tiling.start[first] : tiling.start[first + len(mine)]]
            rows = rows if together == 1 else np.unique(rows)
            excerpts.append(Excerpt(polygons, rows, rows + 1, _hull(mine), inverse_of(grid)))
        pieces.append(Piece(mine, tuple(excerpts)))
    return pieces


def tile_windows(shape: tuple[int, int], size: tuple[int, int]) -> list[Window]:
    """Return first row, first column, height and width of every tile of a raster, row by row."""
    return [
        (row, column, min(size[0], shape[0] - row), min(size[1], shape[1] - column))
        for row in range(0, shape[0], size[0])
        for column in range(0, shape[1], size[1])
    ]


def tile_size(grid: Grid, sets: Sequence[Polygons]) -> tuple[int, int]:
    """Return the height and width of tiles for a raster that lies in no blocks: some 64 of them.

    They are nearly square: whole rows, whose polygons lie far apart in memory, took a fifth longer. But a polygon is scanned
    row by row in every tile that it touches, so tiles are some times as wide as the polygons of most spans.
    """
    rows, columns = (max(side, 1) for side in grid.shape)
    cells = max(-(-rows * columns // _TILES), _MIN_CELLS)
    wide = _POLYGONS_ACROSS * _mean_width(sets) / grid.resolution
    least = math.ceil(wide) if wide < columns else columns
    width = _even(columns, max(math.ceil(math.sqrt(cells)), least, -(-cells // rows)))
    return _even(rows, -(-cells // width)), width


def _even(length: int, most: int) -> int:
    """Return the length of parts no longer than most, all but equal."""
    return -(-length // -(-length // most))


def _mean_width(sets: Sequence[Polygons]) -> float:
    """Return the mean width of polygons in the CRS, each counted by its height, as its spans are."""
    sides = [polygons.bounds[:, 2:] - polygons.bounds[:, :2] for polygons in sets]
    heights = sum(float(np.nansum(side[:, 1])) for side in sides)
    areas = sum(float(np.nansum(side[:, 0] * side[:, 1])) for side in sides)
    return areas / heights if heights > 0 else 0.0


def _hull(windows: Sequence[Window]) -> Window:
    top, left = min(each[0] for each in windows), min(each[1] for each in windows)
    bottom = max(each[0] + each[2] for each in windows)
    right = max(each[1] + each[3] for each in windows)
    return top, left, bottom - top, right - left
