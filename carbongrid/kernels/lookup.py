"""Values looked up by label, run by run: in full, times a weight, or summed over coarse cells at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.kernels.jit import kernel


@kernel
def look_up(
    table: NDArray[np.float64], labels: NDArray[np.uint32], out: NDArray[np.float64]
) -> int:
    """Write table[label] of each cell to out; return 0, or a label that the table does not have.

    Sixteen cells of one label at a time are a store without a look at the table, which the processor writes in whole lines.
    """
    size = labels.size
    last = np.uint32(0)
    value = table[0]
    i = 0
    while i + 16 <= size:
        differs = np.uint32(0)
        for k in range(16):
            differs |= labels[i + k] ^ last
        if differs == 0:
            for k in range(16):
                out[i + k] = value
        else:
            for k in range(16):
                label = labels[i + k]
                if label >= table.size:
                    return int(label)
                out[i + k] = table[label]
            last = labels[i + 15]
            value = table[last]
        i += 16
    for k in range(i, size):
        if labels[k] >= table.size:
            return int(labels[k])
        out[k] = table[labels[k]]
    return 0


@kernel
def look_up_weighted(
    tables: tuple[NDArray[np.float64], NDArray[np.float64]],
    labels: NDArray[np.uint32],
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> int:
    """Write even[label] + following[label] * weight, an unknown weight as 0; return as look_up does."""
    even, following = tables
    for i in range(labels.size):
        label = labels[i]
        if label >= even.size:
            return int(label)
        weight = weights[i]
        out[i] = even[label] + following[label] * (weight if weight == weight else 0.0)
    return 0


@kernel
def look_up_sums(
    table: NDArray[np.float64], labels: NDArray[np.uint32], sums: NDArray[np.float64]
) -> int:
    """Add table[label] of each cell to the coarse cell that it lies in; return as look_up does.

    A run adds its value times its length to each coarse cell that it crosses.
    """
    factor = labels.shape[0] // sums.shape[0]
    for y in range(labels.shape[0]):
        fine, coarse = labels[y], sums[y // factor]
        for column in range(coarse.size):
            x, end = column * factor, (column + 1) * factor
            total = 0.0
            while x < end:
                label = fine[x]
                if label >= table.size:
                    return int(label)
                start = x
                while x + 16 <= end:
                    differs = np.uint32(0)
                    for k in range(16):
                        differs |= fine[x + k] ^ label
                    if differs != 0:
                        break
                    x += 16
                while x < end and fine[x] == label:
                    x += 1
                total += table[label] * (x - start)
            coarse[column] += total
    return 0
