"""Which polygons of a layer fit to their neighbours without any doubt: edge by edge, coordinate by coordinate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.edges import unmatched_polygons
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.rings import turned
from carbongrid.raster.polygons.outlines import Rows, Shapes, ragged_of


def unmatched(shapes: Shapes, rows: Rows = slice(None)) -> NDArray[np.bool_]:
    """Tell which polygons have an edge without exactly one equal edge of the other direction.

    Parameters
    ----------
    shapes
        Valid polygons, in any direction.
    rows
        Those that are held against each other, n of them; default all.

    Returns
    -------
    bool, shape (n,)
        All others share each of their edges with one neighbour, vertex by vertex, who lies on its other side. What is no polygon has no edges.

    Notes
    -----
    Edges that cancel leave how often each place is covered to those that are left: it changes nowhere else. So where no polygon is
    unmatched but those at the rim, nothing lies twice unless a rim lies on land.
    """
    points, (ring_start, part_start, row_start) = ragged_of(shapes, rows)
    count = row_start.size - 1
    # Exteriors run clockwise and holes the other way, or what lies twice would seem to lie on both sides.
    # Of a sliver whose direction rounding leaves open, that is asked of whoever looks closer.
    corners = as_readonly_contiguous(points + 0.0, np.float64)
    xy, unknown = turned(corners, ring_start, part_start)
    owners = np.repeat(np.arange(count), np.diff(part_start[row_start]))
    owners = as_readonly_contiguous(owners, np.int64)
    found = unmatched_polygons(xy, xy.view(np.uint64), ring_start, owners, count)
    found[owners[unknown]] = True
    return found
