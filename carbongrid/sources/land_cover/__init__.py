"""Parcels of a land-cover raster."""

from carbongrid.sources.land_cover.parcels import (
    LandCover,
    Progress,
    land_cover_in,
    read_land_cover,
    require_target,
    system_of,
    write_land_cover,
)

__all__ = [
    "LandCover",
    "Progress",
    "land_cover_in",
    "read_land_cover",
    "require_target",
    "system_of",
    "write_land_cover",
]
