"""Polygons measured on a grid, as blocks of a raster ask for them: which have cells where, how many, and what their shares add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import ShareBins, share_bins
from carbongrid.raster.zonal.distributions import scales_of
from carbongrid.raster.zonal.moments import share_totals
from carbongrid.raster.zonal.shares import Shares, cell_counts, extents


@dataclass(frozen=True, eq=False)
class Measured:
    """Shares of cells, and what follows from them.

    Parameters
    ----------
    shares
        Of all polygons.
    share_bins
        What shares of edge cells add up to, in bins, of each polygon.
    totals : float64 [polygon]
        Sum of shares that each polygon would have if the grid had no end.
    scales : float64 [polygon]
        What makes whole numbers of shares.
    extents : int64 [polygon, 4]
        First row and column, and one past the last of each.
    cells : int64 [polygon]
        How many cells each has a share in.
    """

    shares: Shares
    share_bins: ShareBins
    totals: NDArray[np.float64]
    scales: NDArray[np.float64]
    extents: NDArray[np.int64]
    cells: NDArray[np.int64]

    @classmethod
    def of(cls, shares: Shares) -> Measured:
        """Return shares with what follows from them."""
        tops, sums = (as_readonly_contiguous(a, np.int64) for a in share_bins(shares.edges))
        bins = (tops, sums)
        on_grid = share_totals(shares.whole, bins)
        totals = np.asarray(on_grid + shares.outside, np.float64)
        return cls(shares, bins, totals, scales_of(on_grid), extents(shares), cell_counts(shares))

    def __len__(self) -> int:
        return self.totals.size

    def polygons_in(self, corner: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Return which polygons may have cells in a block of cells."""
        top, left, bottom, right = self.extents.T
        rows = (top < corner[0] + shape[0]) & (bottom > corner[0])
        return np.flatnonzero(rows & (left < corner[1] + shape[1]) & (right > corner[1]))

    def whole_in(
        self, polygons: NDArray[np.int64], corner: tuple[int, int], shape: tuple[int, ...]
    ) -> NDArray[np.bool_]:
        """Tell which polygons have all their cells in a block."""
        top, left, bottom, right = self.extents[polygons].T
        rows = (top >= corner[0]) & (bottom <= corner[0] + shape[0])
        return np.asarray(rows & (left >= corner[1]) & (right <= corner[1] + shape[1]), np.bool_)

    def batches(self, polygons: NDArray[np.int64], cells: int) -> list[NDArray[np.int64]]:
        """Return polygons in batches of so many cells, or of one polygon."""
        until = np.cumsum(self.cells[polygons]) // cells
        return np.split(polygons, np.flatnonzero(np.diff(until)) + 1) if polygons.size else []
