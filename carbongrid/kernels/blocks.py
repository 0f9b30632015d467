"""Sums over square blocks of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel


@kernel
def block_sums(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Sum factor x factor cells; NaN counts as nothing. Both sides are multiples of the factor."""
    rows, columns = values.shape[0] // factor, values.shape[1] // factor
    sums = np.zeros((rows, columns), values.dtype)
    for y in range(values.shape[0]):
        line = sums[y // factor]
        for column in range(columns):
            total = line[column]
            for x in range(column * factor, (column + 1) * factor):
                if values[y, x] == values[y, x]:
                    total += values[y, x]
            line[column] = total
    return sums
