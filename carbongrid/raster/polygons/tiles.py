"""Which polygons may touch which tile of a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.tiles import listed, ranges_of

if TYPE_CHECKING:
    from carbongrid.raster.grid import Grid

Inverse = tuple[float, float, float, float]
"""x' = inverse[0] + x * inverse[1] and y' = inverse[2] + y * inverse[3] are columns and rows of the grid."""


class Tiles(NamedTuple):
    """Which polygons may touch which tile.

    Tile t = tile_row * columns + tile_column is touched by rows[start[t]:start[t + 1]], in row order.
    """

    size: tuple[int, int]
    shape: tuple[int, int]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]

    def touching(self, tile: int) -> NDArray[np.int64]:
        """Return the rows of the polygons whose bounds meet the tile."""
        return self.rows[self.start[tile] : self.start[tile + 1]]


def tiles_of(bounds: NDArray[np.float64], grid: Grid, size: tuple[int, int]) -> Tiles:
    """Return which bounds meet which tile of size[0] x size[1] cells; they are widened by a cell, so rounding loses none."""
    west, _, _, north = grid.bounds
    shape = (-(-grid.shape[0] // size[0]), -(-grid.shape[1] // size[1]))
    boxes = as_readonly_contiguous(bounds, np.float64)
    ranges = ranges_of(boxes, (float(west), float(north)), float(grid.resolution), grid.shape, size)
    return Tiles(size, shape, *listed(ranges, shape))


def inverse_of(grid: Grid) -> Inverse:
    """Return what takes coordinates to columns and rows, as GDAL inverts a geotransform."""
    west, _, _, north = grid.bounds
    side = grid.resolution
    return -west / side, 1.0 / side, -north / -side, 1.0 / -side
