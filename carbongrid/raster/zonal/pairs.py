"""Pairs of labels: cells in common, or the sum of a value raster over them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import count_block, reduce_blocks, reduce_later
from carbongrid.raster.georeference import inside, require_same_cells
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.hi_lo import combine_hi_lo
from carbongrid.raster.kernels.label_pairs import Table, added, pair_sums
from carbongrid.raster.kernels.zonal import MAX_QUANTA
from carbongrid.raster.label_store import CHUNK, blocks
from carbongrid.raster.labels import burn_window
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import counts_matrix
from carbongrid.raster.polygons import Polygons, PolygonsLike
from carbongrid.raster.spans import require_burnable
from carbongrid.raster.zonal.quanta import quantum_of, refusing, scale_of, too_large
from carbongrid.raster.zonal.rasters import flat_labels, sum_dtype


@overload
def crosstab(
    a: Any,
    b: Any,
    shape: tuple[int, int],
    *,
    values: Any = None,
    quantum: float | None = None,
    compute: Literal[True] = True,
) -> csr_array: ...


@overload
def crosstab(
    a: Any,
    b: Any,
    shape: tuple[int, int],
    *,
    values: Any = None,
    quantum: float | None = None,
    compute: Literal[False],
) -> Any: ...


def crosstab(
    a: Any,
    b: Any,
    shape: tuple[int, int],
    *,
    values: Any = None,
    quantum: float | None = None,
    compute: bool = True,
) -> Any:
    """Count the cells that each pair of labels of two rasters has, or sum a third raster over them.

    Parameters
    ----------
    a, b : unsigned integer [y, x]
        Label rasters of the same cells (label = row + 1, 0 is background): DataArray, NumPy, Dask or Zarr array.
    shape
        Number of rows of a and of b.
    values : real or integer [y, x], optional
        What to sum; what is unknown (as for ``zonal_sum``) counts as nothing. Default: every cell is 1.
    quantum
        Real values are rounded to multiples of it before they are summed, so that the sums do not depend on chunks; default
        what ``quantum_of`` proposes, which reads them once more.
    compute
        Count now, lazy rasters too: a sparse matrix is as large as what it holds, so there is no lazy one. If False, nothing is read, and
        what comes back is a ``dask.delayed.Delayed`` that computes to the matrix; real values then need a quantum.

    Returns
    -------
    scipy.sparse.csr_array, int64, or float64 of real values [a, b]
        Pairs without cells, or whose sum is 0, are left out. If not compute, a ``Delayed`` of it: what is wrong with the labels is
        then found when it is computed.

    Raises
    ------
    InputError
        If the cells differ, a label is above its number of rows, an exact sum would leave int64, or real values have no quantum and
        compute is False.
    """
    require_same_cells(a, b, *([] if values is None else [values]))
    arrays = [labels_inside(a), labels_inside(b)]
    partial: Callable[..., Table] = count_block
    merge: Callable[[list[Table]], Table] = added
    finish = functools.partial(_counted, shape=shape)
    if values is not None:
        arrays.append(inside(values))
        if sum_dtype(arrays[2].dtype).kind == "f" and quantum is None:
            quantum = _proposed(values, compute)
        weigh = functools.partial(_weighted_pairs_block, Unknown.of(values), scale_of(quantum))
        partial, merge = functools.partial(refusing, weigh), functools.partial(refusing, added)
        finish = functools.partial(_matrix, shape=shape, quantum=quantum)
    if not compute:
        return reduce_later(partial, merge, finish, *arrays)
    return finish(reduce_blocks(partial, merge, *arrays))


def weighted_overlap(
    a: PolygonsLike, b: PolygonsLike, weights: xr.DataArray, *, quantum: float | None = None
) -> csr_array:
    """Sum a weight raster over the cells that each row of a and each row of b have in common.

    Parameters
    ----------
    a, b
        Polygons in the raster's CRS; a cell belongs to the polygon that covers its centre, the later row where several do.
    weights : real or integer [y, x]
        On its own grid, with coordinates x and y and a CRS; north-up and square; read tile by tile. What is unknown counts as nothing.
    quantum
        As for ``crosstab``.

    Returns
    -------
    scipy.sparse.csr_array, int64, or float64 of real weights [a, b]

    Raises
    ------
    InputError
        As ``crosstab``, and if the polygons are in another CRS.
    """
    grid, pair = Grid.like(weights), (Polygons.of(a), Polygons.of(b))
    for polygons in pair:
        require_burnable(polygons, grid)
    data = inside(weights)
    real = sum_dtype(data.dtype).kind == "f"
    if real and quantum is None:
        quantum = quantum_of(weights)
    scale, unknown = scale_of(quantum), Unknown.of(weights)
    tiles = [polygons.tiles(grid, CHUNK) for polygons in pair]
    parts: list[Table] = []
    for tile, corner, size in blocks(grid.shape, CHUNK):
        rows = [tiled.touching(tile) for tiled in tiles]
        if not all(touching.size for touching in rows):
            continue
        window = tuple(
            slice(start, start + length) for start, length in zip(corner, size, strict=True)
        )
        burnt = [
            burn_window(polygons.take(mine), grid, corner, size, mine + 1)
            for polygons, mine in zip(pair, rows, strict=True)
        ]
        block = data[window].compute() if hasattr(data, "dask") else data[window]
        try:
            parts.append(_weighted_pairs_block(unknown, scale, burnt[0], burnt[1], block))
        except OverflowError as error:
            raise too_large() from error
    return _matrix(added(parts), (len(pair[0]), len(pair[1])), quantum)


def _proposed(values: Any, compute: bool) -> float:
    if not compute:
        raise InputError(
            "real values need a quantum= where nothing is to be computed yet",
            hint="cg.quantum_of(values) proposes one, and reads them once.",
        )
    return quantum_of(values)


def _counted(found: Table, shape: tuple[int, int]) -> csr_array:
    return counts_matrix(*found, shape)


def _matrix(found: Table, shape: tuple[int, int], quantum: float | None) -> csr_array:
    keys, sums = found
    try:
        matrix = counts_matrix(
            keys, combine_hi_lo(sums) if keys.size else keys.astype(np.int64), shape
        )
    except OverflowError as error:
        raise too_large() from error
    return matrix if quantum is None else matrix * float(quantum)


def _weighted_pairs_block(
    unknown: Unknown, scale: float | None, a: Any, b: Any, values: Any
) -> Table:
    block = unknown.as_zero(values)
    numbers = flat_labels(a)
    quanta = _whole_quanta(block.reshape(-1), scale, numbers > 0)
    return pair_sums(numbers, flat_labels(b), quanta)


def _whole_quanta(
    values: NDArray[Any], scale: float | None, needed: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Values as whole quanta, 0 where they are unknown or background."""
    if scale is None:
        values = np.where(needed, values, values.dtype.type(0))
    else:
        # Float64 first, as in zonal sums: a product in a shorter type would round twice.
        values = np.where(needed, values.astype(np.float64) * scale, 0.0)
        values = np.nan_to_num(values, copy=False, nan=0.0, posinf=np.inf, neginf=-np.inf)
    if values.size and max(-float(values.min()), float(values.max())) >= MAX_QUANTA:
        raise OverflowError
    return (values if scale is None else np.rint(values)).astype(np.int64)
