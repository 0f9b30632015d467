"""Parcels of a land-cover raster."""

from carbongrid.sources.land_cover.parcels import (
    LandCover,
    read_land_cover,
    require_target,
    write_land_cover,
)

__all__ = ["LandCover", "read_land_cover", "require_target", "write_land_cover"]
