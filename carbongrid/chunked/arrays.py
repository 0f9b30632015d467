"""Dask arrays in, small tables or lazy Dask arrays out: the caller's functions see NumPy blocks only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from carbongrid.errors import InputError
from carbongrid.overlaps import as_labels, merged, pair_amounts


def is_chunked(array: Any) -> bool:
    """Tell whether an array is a Dask array, without importing Dask."""
    return hasattr(array, "dask")


def count_pairs(a: Any, b: Any) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the pairs of labels of two rasters (as keys, sorted) and their numbers of cells; 0 in a is left out."""
    return merged(reduce_blocks(_count_block, a, b))


def reduce_blocks(partial: Callable[..., Any], *arrays: Any) -> list[Any]:
    """Return partial(block of each array) for all blocks, row by row, computed now."""
    from dask.base import compute

    return list(compute(*_partials(partial, _aligned(arrays))))


def map_with_sheet(
    partial: Callable[..., Any],
    combine: Callable[[list[Any]], Any],
    apply: Callable[..., Any],
    *arrays: Any,
) -> Any:
    """Return a lazy float64 array: apply(block of each array, first row, first column, sheet=...).

    The sheet is combine(all partial(block of each array)), made when the result is computed. For it the arrays are
    read a second time, under other names: otherwise Dask would keep every block in memory from the first reading on.
    """
    import dask.array as da
    from dask.delayed import delayed
    from dask.graph_manipulation import clone

    aligned = _aligned(arrays)
    again = [clone(array) for array in aligned]
    sheet = delayed(combine, pure=False)(_partials(partial, again))
    rows, columns = (
        da.arange(length, chunks=(chunks,))
        for length, chunks in zip(aligned[0].shape, aligned[0].chunks, strict=True)
    )
    pairs = [item for array in aligned for item in (array, "yx")]
    return da.blockwise(
        functools.partial(_apply_block, apply),
        "yx",
        *pairs,
        rows,
        "y",
        columns,
        "x",
        sheet=sheet,
        dtype=np.float64,
        meta=np.empty((0, 0), np.float64),
    )


def map_coarse(function: Callable[..., Any], array: Any, factor: int, dtype: DTypeLike) -> Any:
    """Return lazily function(block, factor), whose sides are those of the block over the factor."""
    chunks = tuple(tuple(_multiples(sides, factor)) for sides in array.chunks)
    fitted = array.rechunk(chunks)
    smaller = tuple(tuple(side // factor for side in sides) for sides in chunks)
    return fitted.map_blocks(
        function, factor, dtype=dtype, chunks=smaller, meta=np.empty((0, 0), dtype)
    )


def _multiples(sides: tuple[int, ...], factor: int) -> list[int]:
    """Sides of chunks near the given ones that the factor divides; their sum is a multiple of it."""
    ends = np.cumsum(sides) // factor * factor
    ends[-1] = sum(sides)
    fitted = np.diff(np.unique(np.concatenate([[0], ends])))
    return [int(side) for side in fitted]


def _aligned(arrays: tuple[Any, ...]) -> list[Any]:
    """All as Dask arrays in the chunks of the first that is one."""
    import dask.array as da

    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise InputError(f"the rasters differ in shape: {sorted(shapes)}")
    chunks = next(array.chunks for array in arrays if is_chunked(array))
    return [
        array.rechunk(chunks)
        if is_chunked(array)
        else da.from_array(np.asarray(array), chunks=chunks)
        for array in arrays
    ]


def _partials(partial: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    from dask.delayed import delayed

    task = delayed(partial, pure=False)
    blocks = [array.to_delayed().ravel() for array in arrays]
    return [task(*several) for several in zip(*blocks, strict=True)]


def _apply_block(apply: Callable[..., Any], *blocks: Any, sheet: Any) -> Any:
    *values, rows, columns = blocks
    return apply(*values, int(rows[0]), int(columns[0]), sheet=sheet)


def _count_block(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    return pair_amounts(as_labels(a), as_labels(b))
