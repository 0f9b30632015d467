"""Pairs of labels and what each has in common: counted in windows, added up in any order, put into a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.kernels.hi_lo import combine_hi_lo
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.label_pairs import Table, pair_sums
from carbongrid.raster.kernels.pair_keys import pairs_of


def as_labels(values: ArrayLike) -> NDArray[np.uint32]:
    """Return labels as uint32; a masked cell is background.

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
            f"labels must be integers, not {labels.dtype}", hint="Fill what is missing with 0."
        )
    if labels.size and (labels.min() < 0 or labels.max() >= 2**32):
        raise InputError(f"labels must fit uint32, these go from {labels.min()} to {labels.max()}")
    return labels.astype(np.uint32)


def window_pairs(
    a: NDArray[np.uint32], b: NDArray[np.uint32], values: NDArray[np.int64] | None = None
) -> Table:
    """Return the pairs of labels of two windows (as keys, sorted), and how many cells, or what sum of values, each has.

    Cells with 0 in a are left out.

    Raises
    ------
    OverflowError
        If a sum leaves int64.
    """
    flat_a, flat_b = (as_readonly_contiguous(each, np.uint32).reshape(-1) for each in (a, b))
    if values is None:
        return pair_sums(flat_a, flat_b)
    keys, sums = pair_sums(flat_a, flat_b, as_readonly_contiguous(values, np.int64).reshape(-1))
    return keys, combine_hi_lo(sums)


def counts_matrix(
    keys: NDArray[np.uint64],
    counts: NDArray[np.int64] | NDArray[np.float64],
    shape: tuple[int, int],
) -> csr_array:
    """Return counts (or sums) of pairs of labels as CSR; pairs with a 0 are background and left out.

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
