"""Parcels of a land-cover raster."""

from carbongrid.sources.land_cover.parcels import LandCover, read_land_cover, write_land_cover

__all__ = ["LandCover", "read_land_cover", "write_land_cover"]
