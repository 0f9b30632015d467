"""Combinations of labels: cells in common, or the sum of a value raster over them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import count_block, reduce_blocks, reduce_later
from carbongrid.raster.georeference import inside, is_chunked, require_same_cells
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.hi_lo import combine_hi_lo
from carbongrid.raster.kernels.label_pairs import Table, added, pair_sums
from carbongrid.raster.kernels.zonal import MAX_QUANTA
from carbongrid.raster.label_store import CHUNK, blocks
from carbongrid.raster.labels import burn_window
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import counts_matrix
from carbongrid.raster.polygons import Polygons, PolygonsLike
from carbongrid.raster.spans import require_on_grid
from carbongrid.raster.zonal.combinations import Combinations, added_combinations, combination_sums
from carbongrid.raster.zonal.quanta import quantum_later, quantum_of, refusing, scale_of, too_large
from carbongrid.raster.zonal.rasters import described, flat_labels, sum_dtype, units


def crosstab(
    *labels: Any,
    values: Any = None,
    quantum: float | None = None,
    shape: tuple[int, int] | None = None,
) -> Any:
    """Count the cells that each combination of labels of some rasters has, or sum another raster over them.

    Parameters
    ----------
    *labels : unsigned integer [y, x]
        Two or more label rasters of the same cells (label = row + 1, 0 is background): DataArray, NumPy, Dask or Zarr array.
    values : real or integer [y, x], optional
        What to sum; what is unknown (as for ``zonal_sum``) counts as nothing. Default: every cell is 1.
    quantum
        Real values are rounded to multiples of it before they are summed, so that the sums do not depend on chunks; default
        what ``quantum_of`` proposes, for which they are read once more.
    shape
        Number of rows of two label rasters: a matrix is returned.

    Returns
    -------
    xarray.Dataset [combination]
        ``count`` (int64), or ``sum`` (int64, or float64 of real values) in the values' units, of the combinations that occur, in
        order. Coordinates: the labels, under the names of the rasters where they have names of their own, else ``label_1``, ``label_2``...
        A cell that is background in one raster is in no combination.
    scipy.sparse.csr_array, int64, or float64 of real values [a, b]
        If a shape is given; pairs without cells, or whose sum is 0, are left out.
    dask.delayed.Delayed
        That computes to what is said above, if a raster is backed by Dask or Zarr. Nothing is read of it before, and what is wrong with the
        labels or sums is found when it is computed. A NumPy raster beside a lazy one goes whole with the work: chunk it as well.

    Raises
    ------
    InputError
        If there are fewer than two rasters, or more than two and a shape, the cells differ, a label is above its number of rows, or
        an exact sum would leave int64.
    """
    _require_number(labels, shape)
    if values is None and quantum is not None:
        raise InputError("a quantum is of values, and none are given", hint="Give values=, too.")
    weights = [] if values is None else [values]
    require_same_cells(*labels, *weights)
    arrays = [*map(labels_inside, labels), *map(inside, weights)]
    real = values is not None and sum_dtype(arrays[-1].dtype).kind == "f"
    lazy = any(map(is_chunked, arrays))
    if real and quantum is None:
        quantum = (quantum_later if is_chunked(arrays[-1]) else quantum_of)(values)
    elif values is not None:
        scale_of(quantum)
    block = _block_sums if len(labels) > 2 or shape is None else _block_pairs
    partial = functools.partial(refusing, block, None if values is None else Unknown.of(values))
    merge = functools.partial(refusing, added if block is _block_pairs else added_combinations)
    finish = functools.partial(_counted, shape=shape, summed=_summed(values), names=_names(labels))
    if lazy:
        return reduce_later(partial, merge, finish, *arrays, quantum=quantum)
    known = functools.partial(partial, quantum=quantum)
    return finish(reduce_blocks(known, merge, *arrays), quantum=quantum)


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
        require_on_grid(polygons, grid)
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


def _require_number(labels: tuple[Any, ...], shape: tuple[int, int] | None) -> None:
    if len(labels) < 2:
        raise InputError(f"combinations need two label rasters or more, not {len(labels)}")
    if any(isinstance(each, tuple) for each in labels):
        raise InputError("a shape is given as a label raster", hint="Name it: shape=(rows, rows).")
    if shape is not None and len(labels) > 2:
        raise InputError(
            f"{len(labels)} label rasters make no matrix", hint="Leave out shape=, for a Dataset."
        )


def _names(labels: tuple[Any, ...]) -> list[str]:
    own = [getattr(each, "name", None) for each in labels]
    taken = {"combination", "count", "sum"}
    plain = all(isinstance(name, str) and name and name not in taken for name in own)
    if plain and len(set(own)) == len(own):
        return [str(name) for name in own]
    return [f"label_{number}" for number in range(1, len(labels) + 1)]


def _summed(values: Any) -> tuple[str, dict[str, Any]]:
    """Return the name and the attributes of what is counted."""
    if values is None:
        return "count", {"units": "1", "long_name": "number of cells"}
    return "sum", {"units": units(values), "long_name": f"sum of {described(values)}"}


def _counted(
    found: Any,
    quantum: float | None,
    shape: tuple[int, int] | None,
    summed: tuple[str, dict[str, Any]],
    names: list[str],
) -> Any:
    """Return what was added up as a matrix where there is a shape, else as a table."""
    if shape is not None:
        return _matrix(found, shape, quantum)
    labels, amounts = found
    whole = _whole(amounts)
    name, attributes = summed
    dimension = "combination"
    coordinates = {each: (dimension, labels[:, k]) for k, each in enumerate(names)}
    scaled = whole if quantum is None else whole * float(quantum)
    return xr.Dataset({name: (dimension, scaled, attributes)}, coords=coordinates)


def _whole(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts as they are, sums put together from their halves."""
    return refusing(combine_hi_lo, amounts) if amounts.ndim == 2 else amounts


def _matrix(found: Table, shape: tuple[int, int], quantum: float | None) -> csr_array:
    keys, amounts = found
    matrix = counts_matrix(keys, _whole(amounts), shape)
    return matrix if quantum is None else matrix * float(quantum)


def _block_pairs(unknown: Unknown | None, *blocks: Any, quantum: float | None) -> Table:
    if unknown is None:
        return count_block(*blocks)
    a, b, values = blocks
    return _weighted_pairs_block(unknown, scale_of(quantum), a, b, values)


def _block_sums(unknown: Unknown | None, *blocks: Any, quantum: float | None) -> Combinations:
    """Return the combinations of labels of a block of rasters, and how many cells, or what sum of the last block, each has."""
    labels = [flat_labels(each) for each in (blocks if unknown is None else blocks[:-1])]
    if unknown is None:
        return combination_sums(labels)
    values = unknown.as_zero(blocks[-1]).reshape(-1)
    needed = np.logical_and.reduce([each > 0 for each in labels])
    return combination_sums(labels, _whole_quanta(values, scale_of(quantum), needed))


def _weighted_pairs_block(
    unknown: Unknown, scale: float | None, a: Any, b: Any, values: Any
) -> Table:
    block = unknown.as_zero(values)
    numbers, others = flat_labels(a), flat_labels(b)
    quanta = _whole_quanta(block.reshape(-1), scale, (numbers > 0) & (others > 0))
    return pair_sums(numbers, others, quanta)


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
