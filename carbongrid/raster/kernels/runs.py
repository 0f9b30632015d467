"""Runs of equal labels: label rasters are constant over long stretches, so counts and sums go run by run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import kernel

_LOW = np.uint64(2**32 - 1)


@kernel
def run_starts(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the places where the pair (a, b) differs from the one before it; the first place is one."""
    count = 0
    for i in range(a.size):
        if i == 0 or a[i] != a[i - 1] or b[i] != b[i - 1]:
            count += 1
    start = np.empty(count, np.int64)
    count = 0
    for i in range(a.size):
        if i == 0 or a[i] != a[i - 1] or b[i] != b[i - 1]:
            start[count] = i
            count += 1
    return start


def pair_keys(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one number for each pair; numbers sort as pairs do."""
    return (a.astype(np.uint64) << np.uint64(32)) | b.astype(np.uint64)


def pairs_of(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs that the numbers stand for."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & _LOW).astype(np.int64)


def summed(
    keys: NDArray[np.uint64], amounts: NDArray[Any]
) -> tuple[NDArray[np.uint64], NDArray[Any]]:
    """Return the distinct keys, sorted, and the sum of the amounts of each, added in the order they came."""
    if not keys.size:
        return keys, amounts
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(amounts[order], first)
