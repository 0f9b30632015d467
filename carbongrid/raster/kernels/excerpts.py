"""Long rings by blocks of edges, and sets of polygons cut down to what a window needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.jit import helper, kernel
from carbongrid.raster.kernels.scanline import Blocks, Starts, Vertices


@kernel
def edge_blocks(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    ring_start: NDArray[np.int64],
    length: int,
    least: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return where the blocks of ``length`` edges of each ring start, and west, south, east, north of each block of edges; rings of fewer edges than ``least`` have none."""
    start = np.zeros(ring_start.size, np.int64)
    for ring in range(ring_start.size - 1):
        edges = ring_start[ring + 1] - ring_start[ring] - 1
        start[ring + 1] = start[ring] + (-(-edges // length) if edges >= least else 0)
    boxes = np.empty((start[start.size - 1], 4))
    for ring in range(ring_start.size - 1):
        for block in range(start[ring], start[ring + 1]):
            begin = ring_start[ring] + (block - start[ring]) * length
            end = min(begin + length + 1, ring_start[ring + 1])
            west, south, east, north = x[begin], y[begin], x[begin], y[begin]
            for i in range(begin + 1, end):
                west, east = min(west, x[i]), max(east, x[i])
                south, north = min(south, y[i]), max(north, y[i])
            boxes[block, 0], boxes[block, 1] = west, south
            boxes[block, 2], boxes[block, 3] = east, north
    return start, boxes


@helper
def _misses(
    box: NDArray[np.float64],
    inverse: tuple[float, float, float, float],
    window: tuple[int, int, int, int],
) -> bool:
    """Whether a box (west, south, east, north) lies wholly on one side of the window."""
    top, left, height, width = window
    west, east = inverse[0] + box[0] * inverse[1], inverse[0] + box[2] * inverse[1]
    low, high = inverse[2] + box[3] * inverse[3], inverse[2] + box[1] * inverse[3]
    return bool(high <= top or low >= top + height or east <= left or west >= left + width)


@kernel
def excerpt(
    window: tuple[int, int, int, int],
    inverse: tuple[float, float, float, float],
    vertices: Vertices,
    starts: Starts,
    blocks: Blocks,
    chosen: NDArray[np.int64],
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]:
    """Copy the chosen polygons (x, y, starts of rings, parts and rows), their long rings with chords for blocks that miss the window."""
    ring_start, part_start, row_start = starts
    block_start, boxes, length = blocks
    x, y = vertices
    n_parts, n_rings, size = 0, 0, 0
    for polygon in chosen:
        first, last = part_start[row_start[polygon]], part_start[row_start[polygon + 1]]
        n_parts += row_start[polygon + 1] - row_start[polygon]
        n_rings += last - first
        size += ring_start[last] - ring_start[first]
    new_x, new_y = np.empty(size), np.empty(size)
    rings, parts, rows = (
        np.zeros(n_rings + 1, np.int64),
        np.zeros(n_parts + 1, np.int64),
        np.zeros(chosen.size + 1, np.int64),
    )
    used, ring, part = 0, 0, 0
    for place in range(chosen.size):
        for old_part in range(row_start[chosen[place]], row_start[chosen[place] + 1]):
            for old in range(part_start[old_part], part_start[old_part + 1]):
                first = ring_start[old]
                for i in range(first, ring_start[old + 1]):
                    if block_start[old] < block_start[old + 1] and i > first:
                        block = block_start[old] + (i - first - 1) // length
                        ends = (i - first) % length == 0 or i + 1 == ring_start[old + 1]
                        if not ends and _misses(boxes[block], inverse, window):
                            continue
                    new_x[used], new_y[used] = x[i], y[i]
                    used += 1
                ring += 1
                rings[ring] = used
            part += 1
            parts[part] = ring
        rows[place + 1] = part
    return new_x[:used].copy(), new_y[:used].copy(), rings, parts, rows
