"""Dask and Zarr arrays in, small tables or lazy Dask arrays out: the caller's functions see NumPy blocks only.

A block is read, decoded and reduced in one task; what tasks return is sparse and merged as a tree. A Zarr array is cut into at
most 4,096 blocks of whole chunks, so a graph's size is bounded whatever the raster's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.versions import OfOneRelease
from carbongrid.raster.georeference import is_chunked, is_zarr
from carbongrid.raster.pair_counts import as_labels, window_pairs

_MAX_BLOCKS = 4096
_PARTS_AT_ONCE = 16
_CELLS_IN_BAND = 2**24


def as_chunked(array: Any) -> Any:
    """Return a Zarr array as a Dask array of blocks of whole chunks (or shards); a Dask array as it is."""
    if not is_zarr(array):
        return array
    import dask.array as da

    if "polygons" in array.attrs:
        # Labels of this package: a missing chunk is damage, not background.
        array = array.with_config({"read_missing_chunks": False})
    sides = array.shards or array.chunks
    times = 1
    while _blocks_in(array.shape, sides, times) > _MAX_BLOCKS:
        times += 1
    chunks = tuple(side * times for side in sides)
    return da.from_array(array, chunks=chunks, name=False, meta=np.empty((0, 0), array.dtype))


def reduce_blocks(
    partial: Callable[..., Any], merge: Callable[[list[Any]], Any], *arrays: Any
) -> Any:
    """Return merge of partial(block of each array) over all blocks, computed now, in the order of the blocks.

    Chunked arrays run on the active scheduler, NumPy arrays band by band on threads.
    """
    if any(is_chunked(array) for array in arrays):
        return _merged_tree(_partials(partial, _aligned(arrays)), merge).compute()
    return merge(
        each_band(lambda rows: partial(*(array[rows] for array in arrays)), arrays[0].shape)
    )


def reduce_later(
    partial: Callable[..., Any],
    merge: Callable[[list[Any]], Any],
    finish: Callable[..., Any],
    *arrays: Any,
    again: bool = False,
    shared: bool = False,
    **known: Any,
) -> Any:
    """Return finish(merge of partial(block of each array) over all blocks) as a Dask delayed: no block is read before it is computed.

    What it makes is what ``reduce_blocks`` would, whatever the arrays are.

    Parameters
    ----------
    again
        The arrays are read for this under other names: Dask would keep every block for whoever reads them afterwards.
    shared
        As for ``reduce_touched``.
    **known
        Given to partial and finish by name; may be delayed.
    """
    from dask.delayed import delayed
    from dask.graph_manipulation import clone

    aligned = _aligned(arrays)
    read = [clone(array) for array in aligned] if again else aligned
    later = {name: delayed(value, pure=False) for name, value in known.items()}
    merged = _merged_tree(_partials(partial, read, shared=shared, **later), merge)
    return delayed(OfOneRelease(finish), pure=False)(merged, **later)


def cut_as_read(array: Any) -> Any:
    """Return a Dask array whose blocks are made of what is asked of them alone: what was cut out of larger blocks is cut as it is read."""
    import dask

    (found,) = dask.optimize(array)  # type: ignore[attr-defined,no-untyped-call]
    return found


def reduce_touched(
    partial: Callable[..., Any],
    merge: Callable[[list[Any]], Any],
    finish: Callable[..., Any],
    touched: Callable[[Any], NDArray[np.bool_]],
    *arrays: Any,
    shared: bool = False,
    **known: Any,
) -> Any:
    """Return finish(merge of partial(block of each array, first row, first column) over some blocks) as a Dask delayed.

    Parameters
    ----------
    touched
        Which blocks are wanted [y, x], by the sides of the blocks along y and x; the others are never read.
    shared
        Blocks that the arrays are taken from hold more than these arrays, and what is made of the others is computed together with this: each is made once, for all.
        Otherwise making a block and reducing it are one task, so that no block waits for another reduction.
    **known
        Given to partial and finish by name; each is one node of the graph.
    """
    import dask.array as da
    from dask.delayed import delayed

    aligned = _aligned(arrays)
    chunks = aligned[0].chunks
    rows, columns = (
        da.arange(length, chunks=(sides,))
        for length, sides in zip(aligned[0].shape, chunks, strict=True)
    )
    later = {name: delayed(value, pure=False, traverse=False) for name, value in known.items()}
    pairs = [item for array in aligned for item in (array, "yx")]
    boxes = da.blockwise(
        _of_blocks(functools.partial(_boxed_at, partial), aligned),
        "yx",
        *pairs,
        *(rows, "y", columns, "x"),
        dtype=object,
        meta=np.empty((0, 0), object),
        align_arrays=False,
        **later,
    )
    parts = boxes.to_delayed(optimize_graph=not shared)[touched(chunks)]
    return delayed(OfOneRelease(finish), pure=False)(_merged_tree(list(parts), merge), **later)


def rows_later(
    later: Any, dtypes: Mapping[str, DTypeLike], size: int, across: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return what a delayed dict will hold under some names, arrays of one length (those in ``across`` of so many columns), as Dask arrays."""
    import dask.array as da

    shapes = dict.fromkeys(dtypes, (size,)) | {
        name: (size, columns) for name, columns in (across or {}).items()
    }
    return {
        name: da.from_delayed(
            later[name], shapes[name], meta=np.empty((0,) * len(shapes[name]), dtype)
        )
        for name, dtype in dtypes.items()
    }


def each_band[T](
    function: Callable[[slice], T], shape: tuple[int, int], multiple: int = 1
) -> list[T]:
    """Return function(rows) for bands of rows that do not depend on the number of threads, in their order.

    Threads, or one by one where Dask is configured so; a single band costs no import of Dask.
    """
    height = _band_height(shape, multiple)
    bands = [slice(first, min(first + height, shape[0])) for first in range(0, shape[0], height)]
    if len(bands) < 2:
        return [function(band) for band in bands or [slice(0, 0)]]
    import dask
    from dask.base import compute
    from dask.delayed import delayed

    scheduler = dask.config.get("scheduler", None)
    alone = scheduler if scheduler in ("sync", "synchronous", "single-threaded") else "threads"
    task = delayed(function, pure=False, traverse=False)
    return list(compute(*(task(band) for band in bands), scheduler=alone))


def map_with_sheet(
    reduction: tuple[Callable[..., Any], Callable[[list[Any]], Any]],
    finish: Callable[[Any], Any],
    apply: Callable[..., Any],
    *arrays: Any,
) -> Any:
    """Return a lazy float64 array: apply(block of each array, first row, first column, sheet=...).

    The sheet is finish(what the reduction, a partial and a merge, makes of all blocks), made when the result is computed. For
    it the arrays are read a second time, under other names: otherwise Dask would keep every block in memory from the first
    reading on.
    """
    from dask.delayed import delayed
    from dask.graph_manipulation import clone

    partial, merge = reduction
    aligned = _aligned(arrays)
    again = [clone(array) for array in aligned]
    sheet = delayed(OfOneRelease(finish), pure=False)(
        _merged_tree(_partials(partial, again), merge)
    )
    return map_placed(apply, *aligned, sheet=sheet)


def map_placed(apply: Callable[..., Any], *arrays: Any, sheet: Any) -> Any:
    """Return a lazy float64 array: apply(block of each array, first row, first column, sheet=sheet)."""
    import dask.array as da
    from dask.delayed import delayed

    aligned = _aligned(arrays)
    rows, columns = (
        da.arange(length, chunks=(chunks,))
        for length, chunks in zip(aligned[0].shape, aligned[0].chunks, strict=True)
    )
    pairs = [item for array in aligned for item in (array, "yx")]
    return da.blockwise(
        _of_blocks(functools.partial(_apply_block, apply), aligned),
        "yx",
        *pairs,
        rows,
        "y",
        columns,
        "x",
        sheet=delayed(sheet, pure=False),  # one node of the graph, not a copy in each task
        dtype=np.float64,
        meta=np.empty((0, 0), np.float64),
    )


def map_coarse(
    function: Callable[..., Any], array: Any, factor: int, dtype: DTypeLike, **known: Any
) -> Any:
    """Return lazily function(block, factor, **known), whose sides are those of the block over the factor."""
    from dask.delayed import delayed

    shared = {name: delayed(value, pure=False) for name, value in known.items()}
    array = as_chunked(array)
    chunks = tuple(tuple(_multiples(sides, factor)) for sides in array.chunks)
    fitted = _rechunked(array, chunks)
    smaller = tuple(tuple(side // factor for side in sides) for sides in chunks)
    return fitted.map_blocks(
        _of_blocks(function, [array]),
        factor,
        dtype=dtype,
        chunks=smaller,
        meta=np.empty((0, 0), dtype),
        **shared,
    )


def _band_height(shape: tuple[int, int], multiple: int = 1) -> int:
    return max(_CELLS_IN_BAND // max(shape[1], 1) // multiple, 1) * multiple


def _blocks_in(shape: tuple[int, ...], sides: tuple[int, ...], times: int) -> int:
    return math.prod(
        -(-length // (side * times)) for length, side in zip(shape, sides, strict=True)
    )


def _multiples(sides: tuple[int, ...], factor: int) -> list[int]:
    """Sides of chunks near the given ones that the factor divides; their sum is a multiple of it."""
    ends = np.cumsum(sides) // factor * factor
    ends[-1] = sum(sides)
    fitted = np.diff(np.unique(np.concatenate([[0], ends])))
    return [int(side) for side in fitted] or [0]


def _aligned(arrays: tuple[Any, ...]) -> list[Any]:
    """All as Dask arrays in the chunks of the first that is one (else the first of Zarr; of NumPy alone, in bands)."""
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise InputError(f"the rasters differ in shape: {sorted(shapes)}")
    cut = [as_chunked(array) for array in arrays]
    own = [array.chunks for array in arrays if hasattr(array, "dask")]
    stored = [array.chunks for array in cut if hasattr(array, "dask")]
    bands = [(_band_height(cut[0].shape), max(cut[0].shape[1], 1))]
    chunks = (own or stored or bands)[0]
    return [
        _rechunked(array, chunks) if hasattr(array, "dask") else _cut(array, chunks)
        for array in cut
    ]


def _rechunked(array: Any, chunks: Any) -> Any:
    """Return a Dask array in other chunks, to be computed anywhere: left to itself, Dask binds it to the cluster that is there now."""
    return array.rechunk(chunks, method="tasks")


def _of_blocks(function: Callable[..., Any], arrays: list[Any]) -> OfOneRelease[..., Any]:
    """Return a function of blocks of these arrays, and of more, as a task has it."""
    declared = tuple(array.dtype for array in arrays)
    return OfOneRelease(functools.partial(_with_declared, function, declared))


def _with_declared(
    function: Callable[..., Any], declared: tuple[np.dtype[Any], ...], *blocks: Any, **known: Any
) -> Any:
    own, others = blocks[: len(declared)], blocks[len(declared) :]
    return function(*map(_as_declared, own, declared), *others, **known)


def _as_declared(block: Any, declared: np.dtype[Any]) -> Any:
    """Return a block whose numbers are as its array declares them: after that the type of the result is told before any block is there.

    Whole numbers are float64 where reals are declared, of whatever size: float32 would round them.

    Raises
    ------
    InputError
        If they are not whole, or no numbers, where the array says so, or are whole and float64 would round them.
    """
    found = _of_objects(block) if block.dtype.kind == "O" else block
    own = found.dtype
    if own.kind == declared.kind or (own.kind in "biu" and declared.kind in "biu"):
        return found
    if own.kind in "biu" and declared.kind == "f":
        return _unrounded(found, declared)
    hint = "Name their type where they are made, by dtype= or output_dtypes="
    if own.kind == "f":
        hint += ', or give raster.astype("float64")'
    elif own.kind in "OSU":  # by astype Dask makes no floats of what it takes for them
        hint += f", or give {_typed_anew('float64')}"
    raise InputError(f"the raster says {declared} and its blocks are {own}", hint=f"{hint}.")


def _of_objects(block: Any) -> Any:
    """Return a block of Python's numbers as int64 if all are whole, else as float64, None being NaN; as it is if something else is among them, or a number that would be rounded."""
    cells = block.ravel().tolist()
    whole = [isinstance(cell, Integral | np.bool_) for cell in cells]
    try:
        if all(whole):
            return np.array(cells, np.int64).reshape(block.shape)
        if not all(cell is None or isinstance(cell, Real | Decimal | np.bool_) for cell in cells):
            return block
        reals = np.array([np.nan if cell is None else float(cell) for cell in cells])
    except OverflowError:
        return block
    rounded = any(
        is_whole and real != cell
        for is_whole, real, cell in zip(whole, reals.tolist(), cells, strict=True)
    )
    return block if rounded else reals.reshape(block.shape)


def _unrounded(block: Any, declared: np.dtype[Any]) -> Any:
    """Return whole numbers as float64."""
    floats = block.astype(np.float64)
    if block.dtype.itemsize < 8:
        return floats
    with np.errstate(invalid="ignore"):  # 2^63, to which the last ones are rounded, is no int64
        lost = (floats >= float(np.iinfo(block.dtype).max)) | (floats.astype(block.dtype) != block)
    if lost.any():
        raise InputError(
            f"the raster says {declared} and its blocks hold whole numbers beyond 2^53, which that would round",
            hint=f"Name their type where they are made, by dtype= or output_dtypes=, or give {_typed_anew(str(block.dtype))}.",
        )
    return floats


def _typed_anew(dtype: str) -> str:
    """Return how a raster is written whose blocks are of a type, whatever it says now."""
    return f'raster.copy(data=raster.data.map_blocks(lambda block: block.astype("{dtype}"), dtype="{dtype}"))'


def _cut(array: NDArray[Any], chunks: Any) -> Any:
    """Return a NumPy array as a Dask array, which copies it; of one column that stands for all, as areas of cells, that column."""
    import dask.array as da

    if array.strides[1] == 0:
        column = da.from_array(np.ascontiguousarray(array[:, :1]), chunks=(chunks[0], 1), name=False)  # fmt: skip
        return da.broadcast_to(column, array.shape, chunks=(column.chunks[0], chunks[1]))
    return da.from_array(array, chunks=chunks, name=False)


def _partials(
    partial: Callable[..., Any], arrays: list[Any], *, shared: bool = False, **known: Any
) -> list[Any]:
    """Return a lazy box for each block; unless blocks are shared, reading and reducing fuse into one task."""
    import dask.array as da

    pairs = [item for array in arrays for item in (array, "yx")]
    boxes = da.blockwise(
        _of_blocks(functools.partial(_boxed, partial), arrays),
        "yx",
        *pairs,
        dtype=object,
        meta=np.empty((0, 0), object),
        align_arrays=False,
        **known,
    )
    return list(boxes.to_delayed(optimize_graph=not shared).ravel())


def _boxed(partial: Callable[..., Any], *blocks: Any, **known: Any) -> NDArray[Any]:
    box = np.empty((1, 1), object)
    box[0, 0] = partial(*blocks, **known)
    return box


def _boxed_at(partial: Callable[..., Any], *blocks: Any, **known: Any) -> NDArray[Any]:
    *values, rows, columns = blocks
    box = np.empty((1, 1), object)
    box[0, 0] = partial(*values, _first(rows), _first(columns), **known)
    return box


def _first(numbers: NDArray[Any]) -> int:
    """Return the first number, 0 of a block without cells."""
    return int(numbers[0]) if numbers.size else 0


def _merged_tree(parts: list[Any], merge: Callable[[list[Any]], Any]) -> Any:
    from dask.delayed import delayed

    task = delayed(OfOneRelease(functools.partial(_merge_boxes, merge)), pure=False)
    parts = parts or [None]
    while True:
        parts = [task(parts[i : i + _PARTS_AT_ONCE]) for i in range(0, len(parts), _PARTS_AT_ONCE)]
        if len(parts) == 1:
            return parts[0]


def _merge_boxes(merge: Callable[[list[Any]], Any], parts: list[Any]) -> Any:
    opened = [part[0, 0] if isinstance(part, np.ndarray) else part for part in parts]
    return merge([part for part in opened if part is not None])


def _apply_block(apply: Callable[..., Any], *blocks: Any, sheet: Any) -> Any:
    *values, rows, columns = blocks
    return apply(*values, _first(rows), _first(columns), sheet=sheet)


def count_block(a: Any, b: Any) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the pairs of labels of a block of two rasters, and how many cells each has."""
    return window_pairs(as_labels(a), as_labels(b))
