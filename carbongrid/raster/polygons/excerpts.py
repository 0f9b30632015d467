"""The polygons that one window of a grid needs, and nothing more when they are sent away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.excerpts import excerpt
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.polygons.sets import Polygons
from carbongrid.raster.polygons.tiles import Inverse

Window = tuple[int, int, int, int]
"""First row, first column, height and width, in cells of the whole grid."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """Some rows of a set of polygons, for one window.

    In this process it refers to the whole set. Pickled, it takes along its own rows only, their long rings cut down to
    what the window needs; a set that was opened from disk travels as its path.

    Parameters
    ----------
    polygons
        The set.
    rows : int64 array of shape (rows,)
        Which of its rows.
    labels : int64 array of shape (rows,)
        What they are called.
    window
        Where they are needed.
    inverse
        From coordinates to cells of the whole grid.
    """

    polygons: Polygons
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    window: Window
    inverse: Inverse

    def __reduce__(self) -> tuple[Any, ...]:
        if self.polygons.path is not None:
            return Excerpt, (self.polygons, self.rows, self.labels, self.window, self.inverse)
        own = self.cut()
        return Excerpt, (own, np.arange(len(own)), self.labels, self.window, self.inverse)

    def labels_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what some of the excerpt's rows are called."""
        return self.labels[np.searchsorted(self.rows, rows)]

    def cut(self) -> Polygons:
        """Return the rows as a set of their own, equal to the whole set inside the window."""
        whole = self.polygons
        x, y, rings, parts, rows = excerpt(
            self.window,
            self.inverse,
            (whole.x, whole.y),
            (whole.ring_start, whole.part_start, whole.row_start),
            whole.blocks,
            as_readonly_contiguous(whole.places(self.rows), np.int64),
        )
        return Polygons(x, y, rings, parts, rows, whole.bounds[self.rows], whole.crs)
