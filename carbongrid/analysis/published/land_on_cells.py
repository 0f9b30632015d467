"""Where units and parcels of a run lie on the cells of a published raster."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.analysis.published.rasters import Window
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.overlaps import cells_of_runs
from carbongrid.raster.zonal import ZonalOperator
from carbongrid.raster.zonal.shares import Shares, cell_counts, extents

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from carbongrid.pipeline.run_carriers import RunCarriers

_BYTES_PER_SHARE = 64


@dataclass(frozen=True, eq=False)
class LandOnCells:
    """Units and parcels of a run on the cells of a raster.

    Parameters
    ----------
    run
        The run.
    grid
        All cells of the raster.
    name
        Of the raster, for messages.
    """

    run: RunCarriers
    grid: Grid
    name: str

    @cached_property
    def _parcels(self) -> ZonalOperator:
        return ZonalOperator(self.run.land.geometry, self.grid)

    @cached_property
    def window(self) -> Window:
        """The smallest rectangle of cells that holds all that units and parcels touch.

        Raises
        ------
        InputError
            If units touch no cell.
        """
        with warnings.catch_warnings():
            # The error below says as much.
            warnings.filterwarnings("ignore", "none of the polygons meets")
            on_all = ZonalOperator(self.run.outlines.geometry, self.grid)
        units = extents(on_all.shares)
        if not (units[:, 2] > 0).any():
            raise InputError(
                "the raster does not touch the run's units",
                self.name,
                "Check its CRS, and that it is of this part of the earth.",
            )
        every = np.concatenate([units, extents(self._parcels.shares)])
        every = every[every[:, 2] > 0]
        top, left = (int(each) for each in every[:, :2].min(axis=0))
        bottom, right = (int(each) for each in every[:, 2:].max(axis=0))
        part = self.grid.window((top, left), (bottom - top, right - left))
        return Window((top, left), part)

    @cached_property
    def units(self) -> ZonalOperator:
        """The units on the window."""
        return ZonalOperator(self.run.outlines.geometry, self.window.grid)

    @cached_property
    def covered(self) -> NDArray[np.float64]:
        """Share of each cell of the window that lies in units, at most 1."""
        shares = matrix_of(self.units.shares, (0, 0), self.window.grid.shape)
        found = np.asarray(shares.sum(axis=0)).reshape(self.window.grid.shape)
        return np.minimum(found, 1.0)

    @cached_property
    def units_in_cells(self) -> NDArray[np.float64]:
        """Area of each unit, in cells."""
        shares = matrix_of(self.units.shares, (0, 0), self.window.grid.shape)
        return np.asarray(shares.sum(axis=1)).ravel() + self.units.shares.outside

    @cached_property
    def spread(self) -> csr_array:
        """Share of each parcel's area in each cell of the window [parcel, cell]; a row adds up to 1 where the parcel lies on the raster."""
        from scipy import sparse

        own = matrix_of(self._parcels.shares, self.window.corner, self.window.grid.shape)
        areas = np.repeat(self.window.grid.areas_of_rows(), self.window.grid.shape[1])
        own = sparse.csr_array(own * areas)
        outside = self._parcels.shares.outside * areas.mean()
        whole = np.asarray(own.sum(axis=1)).ravel() + outside
        own.data /= np.repeat(whole, np.diff(own.indptr))
        return own


def matrix_of(shares: Shares, corner: tuple[int, int], shape: tuple[int, int]) -> csr_array:
    """Return shares of cells as a matrix [polygon, cell] of a window that holds them all.

    Raises
    ------
    InputError
        If there are more of them than there is memory for.
    """
    from scipy import sparse

    pairs = int(cell_counts(shares).sum())
    require_room(
        _BYTES_PER_SHARE * pairs, f"{pairs:,} shares of cells", "Take a raster with larger cells."
    )
    start, rows, firsts, ends = shares.spans
    edge_start, edge_rows, columns, parts = shares.edges
    lengths = (ends - firsts).astype(np.int64)
    base = (rows.astype(np.int64) - corner[0]) * shape[1] - corner[1]
    whole, ones = cells_of_runs(base + firsts, lengths, np.ones(lengths.size))
    edges = (edge_rows.astype(np.int64) - corner[0]) * shape[1] - corner[1] + columns
    count = shares.outside.size
    of_spans = np.repeat(np.repeat(np.arange(count), np.diff(start)), lengths)
    of_edges = np.repeat(np.arange(count), np.diff(edge_start))
    row, cell = np.concatenate([of_spans, of_edges]), np.concatenate([whole, edges])
    values = np.concatenate([ones, parts])
    return sparse.csr_array((values, (row, cell)), shape=(count, shape[0] * shape[1]))
