"""Exact areas that polygons have in common with other polygons: GEOS is asked only where a border of these may be near."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from carbongrid.raster.kernels.planar_areas import planar_areas
from carbongrid.raster.planes import require_plane
from carbongrid.raster.polygons import Polygons, require_same_crs
from carbongrid.raster.row_blocks import each_block, row_blocks

_ROWS_AT_ONCE = 100_000
_THREADS = 8
_TOGETHER = (256, 16, 1)
"""So many neighbours are tried at once, what is left of them in smaller groups. Of a million parcels in 1,500 units a tenth is left in the end."""
_WORTH_ANOTHER = 0.95
"""Where more than this is left of what a smaller group was tried for, targets are as small as polygons, and still smaller ones tell no more."""

Rows = NDArray[np.int64]
Geometries = NDArray[np.object_]


def polygon_coverage(polygons: Polygons, targets: Polygons) -> csr_array:
    """Return the area that each polygon has in common with each target: all of it where a target covers it, exact intersections where they straddle.

    Float64 [polygon, target], m2 on the plane of the CRS, as :func:`carbongrid.coverage` has them.
    """
    require_same_crs(polygons, targets.crs)
    square = require_plane(polygons.crs or targets.crs, "exact areas") ** 2
    land = _Targets.of(targets.geometries())
    covered, by, left = land.far_from_borders(polygons.bounds)
    found = [(covered, by, _areas(polygons, covered))]
    for some in row_blocks(left.size, _ROWS_AT_ONCE):
        rows = left[some]
        whole = _areas(polygons, rows)
        for own, by, area, inside in land.shared(polygons.geometries(rows)):
            found.append((rows[own], by, np.where(inside, whole[own], area)))
    row, column, area = (np.concatenate(each) for each in zip(*found, strict=True))
    real = area > 0
    shape = (len(polygons), len(targets))
    matrix = csr_array((area[real] * square, (row[real], column[real])), shape=shape)
    matrix.sort_indices()
    return matrix


def _areas(polygons: Polygons, rows: Rows) -> NDArray[np.float64]:
    """Return the planar areas of some polygons."""
    starts, places = (polygons.ring_start, polygons.part_start, polygons.row_start), polygons.places(rows)  # fmt: skip
    parts = each_block(
        lambda some: planar_areas((polygons.x, polygons.y), starts, places[some]),
        row_blocks(rows.size),
    )
    return np.concatenate(list(parts))


@dataclass(frozen=True)
class _Targets:
    geometry: Geometries
    tree: shapely.STRtree

    @classmethod
    def of(cls, geometry: Geometries) -> _Targets:
        return cls(geometry, shapely.STRtree(geometry))

    def far_from_borders(self, bounds: NDArray[np.float64]) -> tuple[Rows, Rows, Rows]:
        """Tell by boxes around polygons which lie in one target and meet no other: their rows, the targets, and the rows that are left.

        What meets no target is in neither.
        """
        # A box without an inside is no valid polygon.
        has_inside = (bounds[:, 0] < bounds[:, 2]) & (bounds[:, 1] < bounds[:, 3])
        rows, aside = np.flatnonzero(has_inside), np.flatnonzero(~has_inside)
        covered, by = [rows[:0]], [rows[:0]]
        for turn, together in enumerate(_TOGETHER):
            group, boxes = _boxes_around(bounds[rows], together)
            target, meets = self._around(boxes)
            alone = ((meets == 1) & (target >= 0))[group]
            covered.append(rows[alone])
            by.append(target[group[alone]])
            before, rows = rows.size, rows[~alone & (meets > 0)[group]]
            if turn and rows.size > _WORTH_ANOTHER * before:
                break
        return np.concatenate(covered), np.concatenate(by), np.sort(np.concatenate([rows, aside]))

    def _around(self, boxes: Geometries) -> tuple[Rows, Rows]:
        """Return for each box a target that covers it, or -1, and how many targets it meets."""

        def asked(row: Rows, column: Rows) -> tuple[Any, ...]:
            meets = shapely.intersects(self.geometry[column], boxes[row])
            row, column = row[meets], column[meets]
            return row, column, shapely.covers(self.geometry[column], boxes[row])

        inside, meets = np.full(len(boxes), -1), np.zeros(len(boxes), np.int64)
        for row, column, covers in self._each_pair(boxes, asked):
            inside[row[covers]] = column[covers]
            meets += np.bincount(row, minlength=len(boxes))
        return inside, meets

    def shared(self, geometry: Geometries) -> Iterator[tuple[Any, ...]]:
        """Yield pairs of geometries and targets, the area that they have in common where they straddle, and whether the target covers the geometry."""

        def asked(row: Rows, column: Rows) -> tuple[Any, ...]:
            target, mine = self.geometry[column], geometry[row]
            inside = shapely.covers(target, mine)
            # Most polygons lie in one target, so that few are asked twice.
            straddling = np.flatnonzero(~inside)
            meets = shapely.intersects(target[straddling], mine[straddling])
            straddling = straddling[meets]
            area = np.zeros(inside.size)
            area[straddling] = shapely.area(
                shapely.intersection(mine[straddling], target[straddling])
            )
            return row, column, area, inside

        yield from self._each_pair(geometry, asked)

    def _each_pair(
        self, geometry: Geometries, ask: Callable[[Rows, Rows], tuple[Any, ...]]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield what is asked of geometries and targets whose boxes meet, on threads."""
        row, column = self.tree.query(geometry)

        def of_thread(own: Rows) -> tuple[Any, ...]:
            shapely.prepare(self.geometry[np.unique(column[own])])
            return ask(row[own], column[own])

        # Each target is one thread's own: what is prepared of it is made at its first use, without a lock.
        yield from each_block(
            of_thread, [np.flatnonzero(column % _THREADS == thread) for thread in range(_THREADS)]
        )


def _boxes_around(bounds: NDArray[np.float64], together: int) -> tuple[Rows, Geometries]:
    """Return the group of each of some boxes, so many neighbours in one, and a box around each group."""
    if not len(bounds):
        return np.zeros(0, np.int64), np.zeros(0, object)
    if together == 1:
        return np.arange(len(bounds)), _boxes(bounds)
    sides = max(int((len(bounds) / together) ** 0.5), 1)
    cell = np.zeros(len(bounds), np.int64)
    for low, high in ((1, 3), (0, 2)):
        middle = (bounds[:, low] + bounds[:, high]) / 2
        step = (np.ptp(middle) or 1.0) / sides
        place = np.minimum((middle - middle.min()) / step, sides - 1)
        cell = cell * sides + place.astype(np.int64)
    used = np.bincount(cell, minlength=sides * sides) > 0
    group = (np.cumsum(used) - 1)[cell]
    around = np.repeat([np.inf, -np.inf], 2)[:, None] * np.ones(np.count_nonzero(used))
    for side, own in enumerate(bounds.T):
        (np.minimum if side < 2 else np.maximum).at(around[side], group, own)
    return group, _boxes(around.T)


def _boxes(bounds: NDArray[np.float64]) -> Geometries:
    boxes: Geometries = np.asarray(shapely.box(*bounds.T), dtype=object)
    return boxes
