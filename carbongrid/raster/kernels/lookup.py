"""Values looked up by label, run by run: in full, times a weight, or summed over coarse cells at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import kernel
from carbongrid.raster.kernels.vectors import bits, differing


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
    """Add table[label] of each cell to the coarse cell that it lies in; return as look_up does."""
    factor = labels.shape[0] // sums.shape[0]
    for y in range(labels.shape[0]):
        line, coarse = labels[y], sums[y // factor]
        i = 0
        for column in range(coarse.size):
            end = i + factor
            last, value, total = np.uint32(0), table[0], 0.0
            while i + 16 <= end:
                others = differing(line, i, last)
                if others == 0:
                    total += value * 16
                    i += 16
                    continue
                label = line[i + 15]
                if label >= table.size:
                    return int(label)
                if others & differing(line, i, label) == 0:
                    theirs = bits(others)
                    total += value * (16 - theirs) + table[label] * theirs
                else:
                    for k in range(i, i + 16):
                        if line[k] >= table.size:
                            return int(line[k])
                        total += table[line[k]]
                last, value = label, table[label]
                i += 16
            while i < end:
                if line[i] >= table.size:
                    return int(line[i])
                total += table[line[i]]
                i += 1
            coarse[column] += total
    return 0
