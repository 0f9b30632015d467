"""Which polygons of a layer fit to their neighbours without any doubt: edge by edge, coordinate by coordinate."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.raster.kernels.edges import unmatched_polygons
from carbongrid.raster.kernels.jit import as_readonly_contiguous


def unmatched(geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons have an edge without exactly one equal edge of the other direction.

    Parameters
    ----------
    geometry
        Valid polygons, shape (n,), in any direction.

    Returns
    -------
    bool, shape (n,)
        All others share each of their edges with one neighbour, vertex by vertex, who lies on its other side.

    Notes
    -----
    Edges that cancel leave how often each place is covered to those that are left: it changes nowhere else. So where no polygon is
    unmatched but those at the rim, nothing lies twice unless a rim lies on land.
    """
    parts, part_of = shapely.get_parts(geometry, return_index=True)
    # Exteriors run clockwise and holes the other way, or what lies twice would seem to lie on both sides.
    rings, ring_of = shapely.get_rings(
        shapely.orient_polygons(parts, exterior_cw=True), return_index=True
    )
    xy = as_readonly_contiguous(shapely.get_coordinates(rings) + 0.0, np.float64)
    starts = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(rings))]).astype(np.int64)
    owners = as_readonly_contiguous(part_of[ring_of], np.int64)
    return unmatched_polygons(xy, xy.view(np.uint64), starts, owners, len(geometry))
