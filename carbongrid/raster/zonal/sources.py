"""Rasters given as paths: GeoTIFF and NetCDF files, and Zarr stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.label_store import MARK, open_labels
from carbongrid.raster.lattice import with_mappings
from carbongrid.raster.nodata import default_fill, valid_range
from carbongrid.raster.opening.files import is_address
from carbongrid.raster.opening.formats import is_tiff, is_zip
from carbongrid.raster.opening.rasters import open_geotiff
from carbongrid.raster.opening.stores import is_netcdf, open_published_netcdf, open_rasters

if TYPE_CHECKING:
    from collections.abc import Hashable

    import xarray as xr

_CELLS_AT_ONCE = 2**22
_OPENED_ELSEWHERE = "Open it with xarray.open_zarr(...), xarray.open_dataset(...) or rioxarray.open_rasterio(...), and give the DataArray."


def is_raster(path: Path) -> bool:
    """Tell whether there is a raster at a path by what it is: a folder, or a file that begins as NetCDF or TIFF does."""
    if path.is_dir():
        return True
    return path.is_file() and (is_netcdf(path) or is_tiff(path))


def opened(raster: Any, *, placed: bool = True, whole: bool = False) -> Any:
    """Return a raster, or the one at a path, lazily: a folder is a Zarr store, a file is NetCDF or a GeoTIFF, by its content.

    Of a store and of NetCDF the only variable with two dimensions or more is taken; all of them where there are several.

    Parameters
    ----------
    raster
        Whatever is no path is returned as it is.
    placed
        Whether it is asked where cells lie; bounds that contradict coordinates are refused then.
    whole
        Whether a store and NetCDF are returned as the Dataset that they are, also where one variable is all: attributes of the file say things of it.

    Raises
    ------
    InputError
        If there is nothing at the path, or no raster.
    """
    if not isinstance(raster, str | os.PathLike):
        return raster
    path = Path(raster)
    if is_address(raster):
        raise InputError("this is an address, and rasters are read from local paths", os.fspath(raster), _OPENED_ELSEWHERE)  # fmt: skip
    if not path.exists():
        raise InputError("there is no such file", str(path))
    if not path.is_dir():
        if not (path.is_file() and is_netcdf(path)):
            if path.is_file() and is_zip(path):
                raise InputError("this is a ZIP archive", path.name, "Unpack it, or open a Zarr store that is in it with xarray.open_zarr(zarr.storage.ZipStore(path)), and give the DataArray.")  # fmt: skip
            return open_geotiff(path)
        dataset = open_published_netcdf(path)
    else:
        dataset = open_rasters(path)
        # Of this package's own labels a chunk that is gone is no background.
        if dataset.attrs.get(MARK):
            dataset = open_labels(path)
    try:
        dataset = with_mappings(dataset, placed=placed)
    except InputError as error:
        raise error.at(path.name) from error
    rasters = [name for name, each in dataset.data_vars.items() if each.ndim > 1]
    for name in rasters:
        dataset[name].encoding.setdefault("source", str(path))  # which Zarr leaves out
    known = {name: _known(dataset[name], in_netcdf=not path.is_dir()) for name in rasters}
    return known[rasters[0]] if len(rasters) == 1 and not whole else dataset.assign(known)


def _as_it_lies(layer: xr.DataArray) -> dict[Hashable, int]:
    """Return the chunks of a layer as its file has them; where that has none, some rows at once."""
    if layer.encoding.get("preferred_chunks"):
        return {}
    *others, rows, columns = layer.dims
    return {**dict.fromkeys(others, 1), rows: max(_CELLS_AT_ONCE // layer.sizes[columns], 1)}


def _known(layer: xr.DataArray, *, in_netcdf: bool) -> xr.DataArray:
    """Return a layer of a file with NaN beyond the range that it calls valid, and with the number of cells that nobody wrote declared.

    Of arrays neither is asked: attributes stay where values became others, as degrees Celsius of kelvins.
    """
    low, high = valid_range(layer)
    fill = default_fill(layer) if in_netcdf else None
    if fill is not None:
        layer = layer.assign_attrs(missing_value=fill)
    if np.isfinite([low, high]).any():
        stored = layer.chunk(_as_it_lies(layer))  # nothing is read yet
        valid = stored.where((stored >= low) & (stored <= high))
        valid.encoding = layer.encoding  # which names the grid mapping, and says what was decoded
        layer = valid
    return layer
