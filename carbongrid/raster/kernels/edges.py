"""Edges of polygons held against each other: which have exactly one counterpart that runs the other way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel

_NONE = -1
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(29)


@helper
def _mixed(bits: np.uint64, salt: np.uint64) -> np.uint64:
    turned = (bits ^ (bits >> _SHIFT)) * salt
    return turned ^ (turned >> _SHIFT)


@kernel
def unmatched_polygons(
    xy: NDArray[np.float64],
    bits: NDArray[np.uint64],
    ring_start: NDArray[np.int64],
    polygon_of_ring: NDArray[np.int64],
    count: int,
) -> NDArray[np.bool_]:
    """Tell which polygons have an edge that is not met by exactly one equal edge in the other direction.

    Parameters
    ----------
    xy, bits
        Vertices of all rings [vertex, 2], exteriors in one direction and holes in the other, and the same as bits; zeros without a sign.
    ring_start
        Where rings start, and where the last ends.
    polygon_of_ring
        Their polygons.
    count
        Number of polygons.
    """
    size = 4
    while size < 2 * xy.shape[0]:
        size *= 2
    mask = np.uint64(size - 1)
    table = np.full(size, _NONE, np.int32)
    partner = np.full(xy.shape[0], _NONE, np.int32)
    owner = np.full(xy.shape[0], _NONE, np.int32)
    unmatched = np.zeros(count, np.bool_)
    for ring in range(ring_start.size - 1):
        for i in range(ring_start[ring], ring_start[ring + 1] - 1):
            if xy[i, 0] == xy[i + 1, 0] and xy[i, 1] == xy[i + 1, 1]:
                continue
            owner[i] = polygon_of_ring[ring]
            # The same for both directions: the sum of what each end is mixed to.
            key = _mixed(bits[i, 0], _FIRST) + _mixed(bits[i, 1], _SECOND)
            key += _mixed(bits[i + 1, 0], _FIRST) + _mixed(bits[i + 1, 1], _SECOND)
            slot = _mixed(key, _FIRST) & mask
            while table[slot] != _NONE:
                j = table[slot]
                forth = (
                    xy[i, 0] == xy[j, 0]
                    and xy[i, 1] == xy[j, 1]
                    and xy[i + 1, 0] == xy[j + 1, 0]
                    and xy[i + 1, 1] == xy[j + 1, 1]
                )
                back = (
                    xy[i, 0] == xy[j + 1, 0]
                    and xy[i, 1] == xy[j + 1, 1]
                    and xy[i + 1, 0] == xy[j, 0]
                    and xy[i + 1, 1] == xy[j, 1]
                )
                if forth or back:
                    break
                slot = (slot + np.uint64(1)) & mask
            if table[slot] == _NONE:
                table[slot] = i
                continue
            j = table[slot]
            if back and partner[j] == _NONE:
                partner[j], partner[i] = i, j
                continue
            # A third edge, or two in one direction: land lies twice on one side.
            unmatched[owner[i]] = unmatched[owner[j]] = True
            if partner[j] != _NONE:
                unmatched[owner[partner[j]]] = True
    for i in range(xy.shape[0]):
        if owner[i] != _NONE and partner[i] == _NONE:
            unmatched[owner[i]] = True
    return unmatched
