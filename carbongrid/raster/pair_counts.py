"""Pairs of labels and what each has in common: counted in windows, added up in any order, put into a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.kernels.jit import sealed
from carbongrid.raster.kernels.runs import pair_keys, pairs_of, run_starts, summed


def as_labels(values: ArrayLike) -> NDArray[np.uint32]:
    """Return labels as uint32; a masked cell is nobody's.

    Raises
    ------
    InputError
        If they are not integers, or one is negative or too large.
    """
    labels = np.asarray(np.ma.filled(values, 0) if np.ma.isMaskedArray(values) else values)
    if labels.dtype == np.uint32:
        return labels
    if labels.dtype.kind not in "iu":
        raise InputError(
            f"labels must be integers, not {labels.dtype}", way_out="Fill what is missing with 0."
        )
    if labels.size and (labels.min() < 0 or labels.max() >= 2**32):
        raise InputError(f"labels must fit uint32, these go from {labels.min()} to {labels.max()}")
    return labels.astype(np.uint32)


def pair_amounts(
    a: NDArray[np.uint32], b: NDArray[np.uint32], values: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the pairs of labels of two windows (as keys, sorted), and how many cells, or what sum of values, each has.

    Cells with 0 in a are left out.
    """
    flat_a, flat_b = sealed(a, np.uint32).reshape(-1), sealed(b, np.uint32).reshape(-1)
    start = run_starts(flat_a, flat_b)
    if values is None:
        amounts = np.diff(start, append=flat_a.size)
    else:
        amounts = np.add.reduceat(values.reshape(-1), start) if start.size else start
    mine = flat_a[start] > 0
    start = start[mine]
    return summed(pair_keys(flat_a[start], flat_b[start]), amounts[mine])


def merged(
    parts: list[tuple[NDArray[np.uint64], NDArray[np.int64]]],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Add up partial counts of integers; the order of the parts does not matter."""
    if not parts:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    return summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def counts_matrix(
    keys: NDArray[np.uint64],
    counts: NDArray[np.int64] | NDArray[np.float64],
    shape: tuple[int, int],
) -> csr_array:
    """Return counts (or sums) of pairs of labels as CSR; pairs with a 0 are nobody's and left out.

    Raises
    ------
    InputError
        If a label is above its number of rows.
    """
    a, b = pairs_of(keys)
    both = (a > 0) & (b > 0)
    a, b = a[both] - 1, b[both] - 1
    for name, labels, size in (("a", a, shape[0]), ("b", b, shape[1])):
        if labels.size and labels.max() >= size:
            raise InputError(
                f"label {labels.max() + 1} of {name} is above its number of rows, {size}"
            )
    amounts = counts[both].astype(np.float64 if counts.dtype.kind == "f" else np.int64)
    matrix = csr_array((amounts, (a, b)), shape=shape)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
