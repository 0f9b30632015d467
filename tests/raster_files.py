"""Rasters as their publishers store them: GeoTIFFs of one band, and EDGAR's NetCDF."""

from __future__ import annotations

import rasterio
import xarray as xr
from rasterio.transform import from_origin

WEST, NORTH, STEP = 9.5, 47.2, 1 / 12000  # WorldCover's cells, some 10 m


def raster_of(path, values, *, crs="EPSG:4326", transform=None, nodata=0, **more):
    """Write a GeoTIFF of one band, rows from the north."""
    profile = {"driver": "GTiff", "count": 1, "dtype": values.dtype, "nodata": nodata, **more}
    with rasterio.open(
        path, "w", height=values.shape[0], width=values.shape[1], crs=crs,
        transform=transform or from_origin(WEST, NORTH, STEP, STEP), **profile,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def edgar(path, axes, values, name="emissions", engine="h5netcdf", **attributes):
    """Write a value for each centre of ``axes``, latitudes and longitudes, as EDGAR's files have it."""
    lat, lon = axes
    coords = {
        "lat": ("lat", lat, {"units": "degrees_north"}),
        "lon": ("lon", lon, {"units": "degrees_east"}),
    }
    xr.Dataset({name: (("lat", "lon"), values, attributes)}, coords).to_netcdf(path, engine=engine)
    return path
