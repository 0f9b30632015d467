"""Label rasters: polygons on the fine grid, in memory or in Zarr.

A cell belongs to the polygon that covers its centre, exactly as GDAL decides; where polygons overlap, to the later row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.raster.chunked.scans import fill_labels, write_labels
from carbongrid.raster.label_store import (
    CHUNK,
    LABEL_ATTRIBUTES,
    create_label_store,
    georeferenced,
    open_labels,
)
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.spans import bands, painted, require_burnable, scanned

if TYPE_CHECKING:
    from carbongrid.raster.grid import Grid
    from carbongrid.raster.polygons import PolygonsLike

_BYTES_PER_CELL = 4


def rasterize(
    polygons: PolygonsLike, grid: Grid, *, store: str | Path | None = None, chunks: int = CHUNK
) -> xr.DataArray:
    """Burn polygons into a label raster.

    Parameters
    ----------
    polygons
        GeoDataFrame, GeoSeries, array of shapely polygons, or Polygons, in the grid's CRS.
    grid
        The fine grid.
    store
        A path that does not exist yet: the labels are written to Zarr, chunk by chunk, and opened lazily.
        Default: in memory.
    chunks
        Side of a chunk in cells.

    Returns
    -------
    xarray.DataArray, uint32 [y, x]
        Row number + 1 of the polygon that covers the cell's centre, 0 for nobody; no _FillValue.

    Raises
    ------
    InputError
        If the polygons are in another CRS, there are more than 2^32 - 2 of them, the store exists, or the labels fit neither into memory
        nor into a million files.
    """
    prepared = Polygons.of(polygons)
    require_burnable(prepared, grid)
    if store is None:
        rows, columns = grid.shape
        require_room(
            _BYTES_PER_CELL * rows * columns,
            f"labels of {rows:,} x {columns:,} cells",
            "Write them to a store=, take a coarser grid, or overlap(), which makes no labels.",
        )
        values = fill_labels(prepared, grid)
        return georeferenced(
            values, grid, "label", LABEL_ATTRIBUTES | {"polygons": prepared.content_hash}
        )
    path = Path(store)
    create_label_store(path, grid, {"label": prepared.content_hash}, chunks)
    write_labels(prepared, grid, path, "label")
    return open_labels(path)["label"]


def label_bands(polygons: PolygonsLike, grid: Grid) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Yield first row and labels of one band of rows after the other, from the north; the whole raster never exists.

    Parameters
    ----------
    polygons, grid
        As for ``rasterize``.
    """
    prepared = Polygons.of(polygons)
    require_burnable(prepared, grid)
    everything = np.arange(len(prepared))
    for window, (rows,) in bands(((prepared, everything),), grid, (0, 0, *grid.shape)):
        values = np.zeros(window[2:], np.uint32)
        raw = scanned(prepared, grid, window, rows)
        painted(raw, window, rows + 1, values, window[:2])
        yield window[0], values


def burn_window(
    polygons: Polygons,
    grid: Grid,
    corner: tuple[int, int],
    shape: tuple[int, int],
    labels: ArrayLike | None = None,
) -> NDArray[np.uint32]:
    """Return the labels of one window of the grid; equal to that window of the whole raster.

    Parameters
    ----------
    polygons
        In canonical order; later ones win.
    grid
        The whole grid.
    corner
        Row and column of the window's first cell.
    shape
        Rows and columns of the window.
    labels : integers of shape (polygons,)
        What to burn; default row number + 1.
    """
    rows = np.arange(len(polygons))
    names = rows + 1 if labels is None else np.asarray(labels)
    values = np.zeros(shape, np.uint32)
    for window, (mine,) in bands(((polygons, rows),), grid, (*corner, *shape)):
        painted(scanned(polygons, grid, window, mine), window, names[mine], values, corner)
    return values
