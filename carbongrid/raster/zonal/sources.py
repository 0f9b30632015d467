"""Rasters given as paths: GeoTIFF files and Zarr stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError
from carbongrid.raster.opening.rasters import open_geotiff
from carbongrid.raster.opening.stores import open_rasters


def opened(raster: Any) -> Any:
    """Return a raster, or the one at a path, lazily: a folder is a Zarr store, whose only variable with two dimensions or more is taken, a file a GeoTIFF.

    Raises
    ------
    InputError
        If there is nothing at the path, or no raster.
    """
    if not isinstance(raster, str | os.PathLike):
        return raster
    path = Path(raster)
    if not path.exists():
        raise InputError("there is no such file", str(path))
    if not path.is_dir():
        return open_geotiff(path)
    dataset = open_rasters(path)
    rasters = [name for name, each in dataset.data_vars.items() if each.ndim > 1]
    return dataset[rasters[0]] if len(rasters) == 1 else dataset
