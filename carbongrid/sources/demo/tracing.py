"""From labels on a mesh of quadrilaterals to polygons that share their vertices.

Boundary edges are chained into rings with arrays only: two polygons on either side of a border get the same nodes of
the mesh, so the polygons are a valid coverage by construction, not by snapping.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from carbongrid.sources.demo.draws import Ints

EAST, NORTH, WEST, SOUTH = range(4)


def connected_parts(labels: Ints) -> Ints:
    """Return numbers, from 1, of the parts of equal label that hang together by sides of cells; label 0 stays 0.

    Parameters
    ----------
    labels
        Label of each cell, shape (rows, columns), 0 for background.
    """
    rows, columns = labels.shape
    # Cells and the links between equal ones, as pixels of one binary image.
    image = np.zeros((2 * rows - 1, 2 * columns - 1), dtype=np.bool_)
    image[::2, ::2] = labels > 0
    image[1::2, ::2] = (labels[1:] == labels[:-1]) & (labels[1:] > 0)
    image[::2, 1::2] = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] > 0)
    parts, _ = ndimage.label(image)
    return np.asarray(parts[::2, ::2], dtype=np.int64)


def trace(labels: Ints, x: Ints, y: Ints, steps: int) -> NDArray[np.object_]:
    """Return the multipolygons of labels 1, 2, ... n, each of one or more parts, with holes.

    Parameters
    ----------
    labels
        Label of each cell, shape (rows, columns), row 0 in the south, 0 for background; every label of 1..n occurs.
    x, y
        Integer coordinates of the nodes, shape (rows + 1, columns + 1).
    steps
        Integer steps in a metre; a quotient is the nearest float, a product would not be.

    Notes
    -----
    A directed edge has its own cell on the left. At its end it turns right where it can, else goes straight, else
    left: where two cells of a part touch at a corner only, the ring passes between them, so a hole that touches the
    outer ring stays a ring of its own, as OGC validity wants it.
    """
    parts = connected_parts(labels)
    start, left, following = _directed_edges(parts)
    ring, order = _chain(following)
    ring, start, left = ring[order], start[order], left[order]
    ring_start = np.flatnonzero(np.r_[True, ring[1:] != ring[:-1]])
    owner = left[ring_start]
    node_x, node_y = x.ravel()[start], y.ravel()[start]
    area = _doubled_areas(node_x, node_y, ring_start)

    part_label = np.zeros(int(parts.max()) + 1, dtype=np.int64)
    part_label[parts.ravel()] = labels.ravel()
    # Outer rings (positive) come before the holes of their part.
    ring_order = np.lexsort((ring_start, area < 0, owner, part_label[owner]))
    size = np.diff(np.r_[ring_start, start.size])[ring_order]
    take = _ranges(ring_start[ring_order], size)
    closed = np.insert(take, np.cumsum(size), ring_start[ring_order])
    coordinates = np.column_stack((node_x[closed], node_y[closed])) / steps
    ring_offsets = np.r_[0, np.cumsum(size + 1)]
    owner = owner[ring_order]
    part_offsets = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1], True])
    label = part_label[owner[part_offsets[:-1]]]
    label_offsets = np.flatnonzero(np.r_[True, label[1:] != label[:-1], True])
    polygons = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, coordinates, (ring_offsets, part_offsets, label_offsets)
    )
    return np.asarray(polygons)


def _directed_edges(parts: Ints) -> tuple[Ints, Ints, Ints]:
    """Return start node, part on the left and next edge of every boundary edge, shape (edges,) each."""
    padded = np.pad(parts, 1)
    south_west, south_east = padded[:-1, :-1], padded[:-1, 1:]
    north_west, north_east = padded[1:, :-1], padded[1:, 1:]
    sides = [
        (north_east, south_east),
        (north_west, north_east),
        (south_west, north_west),
        (south_east, south_west),
    ]
    left = np.stack([np.where(own != other, own, 0).ravel() for own, other in sides])
    nodes = left.shape[1]
    width = padded.shape[1] - 1
    step = np.array([1, width, -1, -width])
    flat = left.ravel()
    edge = np.flatnonzero(flat)
    heading, start = edge // nodes, edge % nodes
    own = flat[edge]
    end = start + step[heading]
    following = np.full(edge.size, -1)
    for turn in (1, 0, -1):  # the last one tried wins: right before straight before left
        candidate = ((heading + turn) % 4) * nodes + end
        following = np.where(flat[candidate] == own, candidate, following)
    position = np.full(flat.size, -1)
    position[edge] = np.arange(edge.size)
    return start, own, position[following]


def _chain(following: Ints) -> tuple[Ints, Ints]:
    """Return the ring of every edge (its smallest edge) and the order that sorts edges ring by ring, in sequence."""
    count = following.size
    ring, jump = np.arange(count), following
    while True:
        smaller = np.minimum(ring, ring[jump])
        if np.array_equal(smaller, ring):
            break
        ring, jump = smaller, jump[jump]
    # List ranking by doubling: steps from an edge to the last one of its ring.
    last = following == ring
    jump = np.where(last, np.arange(count), following)
    steps = np.where(last, 0, 1)
    while True:
        further = steps[jump]
        if not further.any():
            break
        steps, jump = steps + further, jump[jump]
    return ring, np.lexsort((-steps, ring))


def _doubled_areas(x: Ints, y: Ints, ring_start: Ints) -> Ints:
    following = np.arange(1, x.size + 1)
    following[np.r_[ring_start[1:] - 1, x.size - 1]] = ring_start
    # Relative to one corner, so that products stay far below 2^63.
    x, y = x - x.min(), y - y.min()
    return np.asarray(np.add.reduceat(x * y[following] - x[following] * y, ring_start))


def _ranges(start: Ints, size: Ints) -> Ints:
    """Concatenate range(start, start + size)."""
    offset = np.cumsum(size) - size
    return np.asarray(np.arange(int(size.sum())) + np.repeat(start - offset, size))
