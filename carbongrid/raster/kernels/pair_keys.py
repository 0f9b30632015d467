"""Pairs of labels as single numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW = np.uint64(2**32 - 1)


def pair_keys(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return one number for each pair; numbers sort as pairs do."""
    return (a.astype(np.uint64) << np.uint64(32)) | b.astype(np.uint64)


def pairs_of(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs that the numbers stand for."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & _LOW).astype(np.int64)
