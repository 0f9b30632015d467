"""Polygons as ragged coordinate arrays: prepared once, sliced by tile, cheap to send to a worker."""

from carbongrid.raster.polygons.excerpts import Excerpt
from carbongrid.raster.polygons.sets import Polygons, PolygonsLike, require_same_crs
from carbongrid.raster.polygons.tiles import Tiles

__all__ = ["Excerpt", "Polygons", "PolygonsLike", "Tiles", "require_same_crs"]
