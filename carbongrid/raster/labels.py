"""Label rasters: polygons on the fine grid, in memory or in Zarr.

A cell belongs to the polygon that covers its centre, exactly as GDAL decides; where polygons overlap, to the later row.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.scans import fill_labels, labels_later, write_labels
from carbongrid.raster.grid import require_grid
from carbongrid.raster.label_store import (
    CHUNK,
    LABEL_ATTRIBUTES,
    create_label_store,
    georeferenced,
    open_labels,
)
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.opening.files import path_to_write
from carbongrid.raster.polygons import Polygons, require_same_crs
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.spans import (
    bands,
    paint_spans,
    rasterize_spans,
    require_burnable,
    require_no_turn,
)

if TYPE_CHECKING:
    from carbongrid.raster.grid import Grid
    from carbongrid.raster.polygons import PolygonsLike

_BYTES_PER_CELL = 4


def rasterize(
    polygons: PolygonsLike,
    grid: Grid,
    *,
    store: str | Path | None = None,
    chunks: int | tuple[int, int] | None = None,
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
        Default: in memory, or lazy with chunks.
    chunks
        Rows and columns of a chunk in cells, or the side of a square one, which is what a store has (default 2048). Without a store: the
        labels are backed by Dask, and a chunk is burnt when it is computed.

    Returns
    -------
    xarray.DataArray, uint32 [y, x]
        Row number + 1 of the polygon that covers the cell's centre, 0 for background; no _FillValue. The attribute ``polygon_count`` has the
        largest label there can be, ``polygons`` the hash of the set.

    Raises
    ------
    InputError
        If the polygons are in another CRS, or lie on the grid only a whole turn round the earth further, there are more than 2^32 - 2 of them, the store exists, chunks are no positive numbers, or the
        labels fit neither into memory nor into a million files.
    """
    require_grid(grid)
    prepared = Polygons.of(polygons)
    require_same_crs(prepared, grid.crs)
    require_no_turn(prepared, grid)
    require_reach(prepared, grid.bounds, grid.crs, prepared.crs)
    return labels_of(prepared, grid, store, chunks)


def labels_of(
    prepared: Polygons,
    grid: Grid,
    store: str | Path | None = None,
    chunks: int | tuple[int, int] | None = None,
) -> xr.DataArray:
    """Return labels as :func:`rasterize` does, of polygons that have been moved round the earth to where the grid's longitudes are."""
    require_burnable(prepared, grid)
    told = LABEL_ATTRIBUTES | {"polygons": prepared.content_hash, "polygon_count": len(prepared)}
    if store is None and chunks is not None:
        height, width = _sides(chunks)
        cut = (_cut(grid.shape[0], height), _cut(grid.shape[1], width))
        return georeferenced(labels_later(prepared, grid, cut), grid, "label", told)
    if store is None:
        rows, columns = grid.shape
        require_room(
            _BYTES_PER_CELL * rows * columns,
            f"labels of {rows:,} x {columns:,} cells",
            "Take chunks=, write them to a store=, take a coarser grid, or overlap(), which makes no labels.",
        )
        return georeferenced(fill_labels(prepared, grid), grid, "label", told)
    path, side = path_to_write(store), CHUNK if chunks is None else chunks
    if isinstance(side, tuple):
        raise InputError(f"a store has square chunks, not {side}", hint="Give one side.")
    create_label_store(path, grid, {"label": prepared.content_hash}, side)
    write_labels(prepared, grid, path, "label")
    return open_labels(path)["label"].assign_attrs(polygon_count=len(prepared))


def _sides(chunks: int | tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of a chunk."""
    height, width = chunks if isinstance(chunks, tuple) else (chunks, chunks)
    if height < 1 or width < 1:
        raise InputError(f"chunks must be positive numbers of cells, not {chunks}")
    return height, width


def _cut(length: int, side: int) -> tuple[int, ...]:
    """Return the sides of chunks along one axis."""
    return tuple(min(side, length - first) for first in range(0, length, side))


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
        paint_spans(
            rasterize_spans(polygons, grid, window, mine), window, names[mine], values, corner
        )
    return values
