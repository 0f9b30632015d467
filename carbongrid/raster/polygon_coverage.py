"""Exact areas that polygons have in common with other polygons, pair by pair of those whose bounds meet."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from carbongrid.raster.crs_units import require_plane
from carbongrid.raster.kernels.excerpts import edge_blocks
from carbongrid.raster.kernels.planar_areas import planar_areas
from carbongrid.raster.kernels.shared_areas import RUN, Runs, Shape, shared_areas
from carbongrid.raster.polygons import Polygons, require_same_crs
from carbongrid.raster.polygons.boxes import boxes
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.polygons.validity import require_valid
from carbongrid.raster.row_blocks import each_block, row_blocks

ROUNDING = 3e-14
"""Of the box that the bounds of two polygons have in common: less than this is rounding. Of 300,000 pairs of parcels and units those that only touch had 1e-15 of it at most, of combs of 20,000 teeth that
lie in each other 1.2e-14."""


def polygon_coverage(polygons: Polygons, targets: Polygons) -> csr_array:
    """Return the area that each polygon has in common with each target, as :func:`carbongrid.coverage` has them: float64 [polygon, target], m2 on the plane of the CRS."""
    require_same_crs(polygons, targets.crs)
    require_reach(polygons, targets.total_bounds, targets.crs, polygons.crs)
    square = require_plane(polygons.crs or targets.crs, "exact areas") ** 2
    areas: csr_array = areas_in_common(polygons, targets) * square
    return areas


def areas_in_common(polygons: Polygons, targets: Polygons) -> csr_array:
    """Return the area that each polygon has in common with each target, in squares of the unit of their coordinates, whatever that is.

    Float64 [polygon, target]. What a target covers has its own area, and a target that is covered has its own.

    Raises
    ------
    InputError
        If a polygon or a target that lies partly in another is not valid.
    """
    theirs, their_area = _as_kernels_take_them(targets), areas_of(targets)
    tree = shapely.STRtree(_boxes_of(targets))
    cut = np.zeros(len(targets), np.bool_)

    def shared(rows: slice) -> csr_array:
        some = polygons.block(rows)
        row, target = tree.query(_boxes_of(some)).astype(np.int64)
        found, window = shared_areas(*_as_kernels_take_them(some), *theirs, row, target)
        rounding = ROUNDING * window
        partly = np.abs(found) > rounding
        for whole in (their_area[target], areas_of(some)[row]):
            same = np.abs(found - whole) <= rounding
            found[same] = whole[same]
            partly &= ~same
        # What is added up of polygons that cross themselves is no area, and nothing would say so.
        require_valid(some, np.unique(row[partly]), "the polygons", rows.start)
        cut[target[partly]] = True
        real = found > rounding
        entries = (found[real], (row[real], target[real]))
        return csr_array(entries, shape=(len(some), len(targets)))

    with closing(each_block(shared, row_blocks(len(polygons)))) as parts:
        found = list(parts)
    require_valid(targets, np.flatnonzero(cut), "the targets")
    matrix: csr_array = vstack(found, format="csr")
    matrix.sort_indices()
    return matrix


def areas_of(polygons: Polygons) -> NDArray[np.float64]:
    """Return the planar area of each polygon, float64 [polygon]."""
    starts = (polygons.ring_start, polygons.part_start, polygons.row_start)
    found: NDArray[np.float64] = planar_areas(
        (polygons.x, polygons.y), starts, polygons.places(np.arange(len(polygons)))
    )
    return found


def _as_kernels_take_them(polygons: Polygons) -> tuple[Shape, Runs, NDArray[np.float64]]:
    in_order = polygons if polygons.place is None else polygons.block(slice(None))
    x, y, ring_start = in_order.x, in_order.y, in_order.ring_start
    shape = (x, y, ring_start, in_order.part_start, in_order.row_start)
    return shape, edge_blocks(x, y, ring_start, RUN, 0), in_order.bounds


def _boxes_of(polygons: Polygons) -> NDArray[np.object_]:
    """Return the box of each polygon; None where there is nothing."""
    found = np.full(len(polygons), None, dtype=object)
    there = ~np.isnan(polygons.bounds[:, 0])
    found[there] = boxes(polygons.bounds[there])
    return found
