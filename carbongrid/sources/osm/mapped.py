"""Where an extract maps land at all: what borders are measured by, since their outlines may reach far into the sea."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.case.readers.geometry import Geometries

GREEN = ("forest", "grassland", "unused")
"""Land that a rock in the sea may be mapped as."""
NO_LAND = ("water", "none")
ROCK = 1e5
"""m2 of green land below which a border without anything that people use is a rock."""


@dataclass(frozen=True)
class MappedLand:
    """Land of the map as points, one in each area.

    Parameters
    ----------
    points : shape (n,)
        A point in each area of land; water and areas that say nothing of use are left out.
    m2 : float64, shape (n,)
        Its area; where areas overlap each counts.
    used : bool, shape (n,)
        Whether people use it: settled, tilled, driven on.
    coastal
        Whether the extract has a coastline.
    """

    points: NDArray[np.object_]
    m2: NDArray[np.float64]
    used: NDArray[np.bool_]
    coastal: bool

    @classmethod
    def of(cls, land: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, *, coastal: bool) -> MappedLand:
        """Return the land of areas (column type) and of roads."""
        dry = land[~land["type"].isin(NO_LAND)]
        shapes = np.concatenate([np.asarray(dry.geometry.array), np.asarray(roads.geometry.array)])
        used = np.concatenate([~dry["type"].isin(GREEN), np.ones(len(roads), bool)]).astype(bool)
        points = np.asarray(shapely.point_on_surface(shapes), dtype=object)
        return cls(points, shapely.area(shapes), used, coastal)

    def inside(self, polygons: Geometries) -> NDArray[np.float64]:
        """Return the mapped land in each polygon, m2."""
        polygon, point = self._pairs(polygons)
        return np.bincount(polygon, self.m2[point], len(polygons))

    def inside_any(self, polygons: Geometries) -> float:
        """Return the mapped land in any of the polygons, m2."""
        _, point = self._pairs(polygons)
        return float(self.m2[np.unique(point)].sum())

    def is_land(self, polygons: Geometries) -> NDArray[np.bool_]:
        """Return whether a polygon is more than sea and rock: used, or with green land of some size."""
        polygon, point = self._pairs(polygons)
        used = np.bincount(polygon, self.used[point], len(polygons)) > 0
        return used | (self.inside(polygons) >= ROCK)

    def _pairs(self, polygons: Geometries) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return polygon and point of each pair; the polygons are prepared, the points stand in the tree."""
        polygon, point = shapely.STRtree(self.points).query(polygons, predicate="intersects")
        return polygon, point
