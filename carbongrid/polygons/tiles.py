"""Which polygons may touch which tile of a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import sealed
from carbongrid.kernels.tiles import listed

if TYPE_CHECKING:
    from carbongrid.grid import Grid

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
    shape = (-(-grid.shape[0] // size[0]), -(-grid.shape[1] // size[1]))
    ranges = tile_ranges(bounds, grid, size, shape)
    start, rows = listed(ranges, shape)
    return Tiles(size, shape, start, rows)


def tile_ranges(
    bounds: NDArray[np.float64], grid: Grid, size: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return first and last tile row, first and last tile column of each polygon; -1 where it is off the grid."""
    west, _, _, north = grid.bounds
    side = grid.resolution
    left, right = (np.floor((bounds[:, edge] - west) / side) for edge in (0, 2))
    top, bottom = (np.floor((north - bounds[:, edge]) / side) for edge in (3, 1))
    seen = (right >= -1) & (left <= grid.shape[1]) & (bottom >= -1) & (top <= grid.shape[0])
    ranges = np.full((len(bounds), 4), -1, np.int64)
    for column, (value, axis) in enumerate(
        ((top - 1, 0), (bottom + 1, 0), (left - 1, 1), (right + 1, 1))
    ):
        place = np.clip(value[seen] // size[axis], 0, shape[axis] - 1)
        ranges[seen, column] = place.astype(np.int64)
    return sealed(ranges, np.int64)


def inverse_of(grid: Grid) -> Inverse:
    """Return what takes coordinates to columns and rows, as GDAL inverts a geotransform."""
    west, _, _, north = grid.bounds
    side = grid.resolution
    return -west / side, 1.0 / side, -north / -side, 1.0 / -side
