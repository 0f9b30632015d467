"""Polygons as ragged coordinate arrays: prepared once, sliced by tile, cheap to send to a worker."""

from carbongrid.polygons.excerpts import Excerpt
from carbongrid.polygons.sets import Polygons, PolygonsLike, require_same_crs
from carbongrid.polygons.tiles import Tiles

__all__ = ["Excerpt", "Polygons", "PolygonsLike", "Tiles", "require_same_crs"]
