"""Combinations of labels of more than two rasters: the pairs of what the first ones have in common and the last one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.raster.kernels.hi_lo import carry
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.label_pairs import Table, pair_sums
from carbongrid.raster.kernels.pair_keys import pair_keys, pairs_of

Combinations = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Labels [combination, raster] in order, and an amount for each: a count, or the halves of a sum of values."""


def combination_sums(
    labels: Sequence[NDArray[np.uint32]], values: NDArray[np.int64] | None = None
) -> Combinations:
    """Return the combinations that occur in a block, and how many cells, or what sum of values, each has.

    Parameters
    ----------
    labels
        Of two rasters or more, of one size. A cell that is background in one of them is left out.
    values
        As for :func:`pair_sums`.
    """
    first, *between, last = (as_readonly_contiguous(each, np.uint32).reshape(-1) for each in labels)
    codes, known = first, None
    for each in between:
        codes, known = _numbered(codes, known, each)
    return _opened(pair_sums(codes, last, values), known)


def added_combinations(parts: list[Combinations]) -> Combinations:
    """Add up tables of integers; the order of the parts does not matter. At least one part."""
    labels, amounts = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(labels):
        return labels, amounts
    order = np.lexsort(labels.T[::-1])
    labels = labels[order]
    differs = (labels[1:] != labels[:-1]).any(axis=1)
    first = np.flatnonzero(np.concatenate([[True], differs]))
    sums = np.add.reduceat(amounts[order], first)
    return labels[first], carry(sums) if sums.ndim == 2 else sums


def _numbered(
    codes: NDArray[np.uint32], known: NDArray[np.int64] | None, labels: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return a number from 1 for each combination of what codes stand for with labels, 0 for background, and what it stands for."""
    keys = pair_keys(codes, labels)
    keys[(codes == 0) | (labels == 0)] = 0
    # Zero comes first, so that background has the number 0 where there is any.
    numbers, found = pd.factorize(np.append(keys, np.uint64(0)), sort=True)
    combined, _ = _opened((found[1:], np.zeros(found.size - 1, np.int64)), known)
    return numbers[:-1].astype(np.uint32), combined


def _opened(pairs: Table, known: NDArray[np.int64] | None) -> Combinations:
    """Return the labels that pairs of a code and a label stand for; a code is a label where nothing else is known."""
    keys, amounts = pairs
    codes, last = pairs_of(keys)
    both = (codes > 0) & (last > 0)
    codes = codes[both]
    before = codes[:, None] if known is None else known[codes - 1]
    return np.column_stack([before, last[both]]), amounts[both]
