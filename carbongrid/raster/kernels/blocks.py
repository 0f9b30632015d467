"""Sums over square blocks of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import kernel


@kernel
def block_sums(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Sum factor x factor cells; NaN counts as nothing. Both sides are multiples of the factor."""
    rows, columns = values.shape[0] // factor, values.shape[1] // factor
    sums = np.zeros((rows, columns), values.dtype)
    zero = values.dtype.type(0)
    for y in range(values.shape[0]):
        line = sums[y // factor]
        for column in range(columns):
            cells = values[y, column * factor : (column + 1) * factor]
            # Four sums side by side, since one would wait for each addition.
            a, b, c, d = zero, zero, zero, zero
            i = 0
            while i + 4 <= cells.size:
                a += cells[i] if cells[i] == cells[i] else zero
                b += cells[i + 1] if cells[i + 1] == cells[i + 1] else zero
                c += cells[i + 2] if cells[i + 2] == cells[i + 2] else zero
                d += cells[i + 3] if cells[i + 3] == cells[i + 3] else zero
                i += 4
            for k in range(i, cells.size):
                a += cells[k] if cells[k] == cells[k] else zero
            line[column] += (a + b) + (c + d)
    return sums
