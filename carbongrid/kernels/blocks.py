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
    zero = values.dtype.type(0)
    for y in range(values.shape[0]):
        fine, line = values[y], sums[y // factor]
        for column in range(columns):
            start = column * factor
            # Four sums side by side, since one would wait for each addition.
            a, b, c, d = zero, zero, zero, zero
            for k in range(start, start + factor // 4 * 4, 4):
                a += fine[k] if fine[k] == fine[k] else zero
                b += fine[k + 1] if fine[k + 1] == fine[k + 1] else zero
                c += fine[k + 2] if fine[k + 2] == fine[k + 2] else zero
                d += fine[k + 3] if fine[k + 3] == fine[k + 3] else zero
            for k in range(start + factor // 4 * 4, start + factor):
                a += fine[k] if fine[k] == fine[k] else zero
            line[column] += (a + b) + (c + d)
    return sums
