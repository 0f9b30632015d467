"""The coarse grid as a cloud-optimized GeoTIFF (tonnes) and as CF NetCDF (grams and densities)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster

from carbongrid import __version__
from carbongrid.errors import CarbongridError, RunError, VerificationError
from carbongrid.inventory.units_of_measure import DENSITY, GRAM_RATE, MASS_RATE
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.result import cell_side
from carbongrid.outputs.tables.content import BY_SECTOR
from carbongrid.raster.opening.names import plain_folder
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.opening.stores import open_netcdf

_BANDS = {"emission": "CO2e emitted per cell and year", "sink": "CO2e taken up per cell and year"}
POTENTIALS = "global_warming_potentials"
"""What both files of the coarse grid say of the potentials that their masses are by."""
_VARIABLES = ("emission", "sink", "covered_area", "emission_density", "sink_density")


def crs_of_grid(grid: xr.Dataset) -> Any:
    """Return the coarse grid's CRS, as rasterio has it; None if it says none."""
    import rioxarray  # noqa: F401  (registers .rio)

    return grid.rio.crs


def in_crs[Values: (xr.DataArray, xr.Dataset)](values: Values, crs: Any) -> Values:
    """Return values that say this CRS."""
    import rioxarray  # noqa: F401  (registers .rio)

    said: Values = values.rio.write_crs(crs)
    return said


def write_grid_tif(
    grid: xr.Dataset, title: str, gwp: str, path: Path, gas: Gas = ALL_GASES
) -> None:
    """Write a COG with the bands emission and sink, t per cell and year, float64, and by which global warming potentials they are CO2e.

    Notes
    -----
    A cell that no parcel covers is nodata (NaN), unless mass was snapped to it.

    Raises
    ------
    RunError
        If the grid's CRS cannot be written, as where rasterio finds no data of PROJ.
    """
    tonnes = tonnes_of_cells(grid)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": len(_BANDS),
        "height": tonnes.shape[1],
        "width": tonnes.shape[2],
        "dtype": "float64",
        "crs": crs_of_grid(grid),
        "transform": _transform(grid),
        "nodata": np.nan,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(tonnes)
            raster.descriptions = tuple(_BANDS)
            raster.units = (MASS_RATE,) * len(_BANDS)
            raster.update_tags(**{"TITLE": title, POTENTIALS: gwp})
            for band, long_name in enumerate(_BANDS.values(), start=1):
                raster.update_tags(band, long_name=gas.told(long_name))
        with memory.open() as raster, plain_folder(path.parent) as folder:
            _require_place(raster.crs)
            options = {"compress": "deflate", "resampling": "average"}
            copy_raster(raster, folder / path.name, driver="COG", **options)


def tonnes_of_cells(grid: xr.Dataset) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return emission and sink of the coarse grid as the GeoTIFF has them: t per cell, NaN where no parcel covers a cell that has no mass."""
    bands = np.stack([grid[name].to_numpy() for name in _BANDS])
    outside = (grid["covered_area"].to_numpy() <= 0) & (bands == 0).all(axis=0)
    return np.where(outside, np.nan, bands / 10**6)


def _require_place(crs: Any) -> None:
    """Raise RunError if what was written of the grid's CRS has no place on earth."""
    if crs is None or not crs.is_projected:
        raise RunError(
            "the grid's CRS cannot be written: rasterio finds no data of PROJ. "
            "Unset PROJ_DATA and PROJ_LIB, or let them name the data that came with it."
        )


def write_grid_nc(grid: xr.Dataset, title: str, year: int, gwp: str, path: Path, gas: Gas) -> None:
    """Write CF NetCDF: emission and sink in g yr-1 (int64), emission by sector where the grid has it, densities over the covered area in kg m-2 yr-1, and by which global warming potentials they are CO2e.

    Notes
    -----
    A density is NaN where the covered area is 0. The time is one number, the middle of the year: files of several years are stacked
    along it.
    """
    by_sector = [BY_SECTOR] if BY_SECTOR in grid else []
    dataset = with_densities(grid[["emission", "sink", *by_sector, "covered_area"]])
    # GDAL gives its bands no name of the sector.
    sectors = ", ".join(map(str, dataset["sector"].to_numpy())) if by_sector else ""
    attributes = {
        "emission": (GRAM_RATE, "CO2e emitted per cell", "area: sum"),
        "sink": (GRAM_RATE, "CO2e taken up per cell", "area: sum"),
        **dict.fromkeys(
            by_sector, (GRAM_RATE, f"CO2e emitted per cell by sector: {sectors}", "area: sum")
        ),
        "covered_area": ("m2", "area of the cell that parcels cover", "area: sum"),
        "emission_density": (DENSITY, "CO2e emitted per covered area", "area: mean"),
        "sink_density": (DENSITY, "CO2e taken up per covered area", "area: mean"),
    }
    for name, (units, long_name, methods) in attributes.items():
        dataset[name].attrs = {
            "units": units,
            "long_name": gas.told(long_name),
            "cell_methods": methods,
        }
    dataset = in_crs(dataset, crs_of_grid(grid)).rio.write_transform(_transform(grid))
    dataset = _dated(dataset.rio.write_coordinate_system(), year)
    dataset.attrs = {
        "Conventions": "CF-1.11",
        "title": title,
        "source": f"carbongrid {__version__}",
        # No time: the same run gives the same bytes. The manifest holds what a history would.
        "history": f"written by carbongrid {__version__}; how it was made is in manifest.json",
        "resolution": cell_side(grid),
        POTENTIALS: gwp,
    }
    for variable in dataset.data_vars.values():
        variable.encoding |= {"zlib": True, "complevel": 4}
    for name in ("x", "y", "covered_area", "time"):
        dataset[name].encoding["_FillValue"] = None
    path.write_bytes(netcdf_of(dataset))


def netcdf_of(dataset: xr.Dataset) -> bytes:
    """Return the bytes that ``dataset.to_netcdf(engine="h5netcdf")`` does, without what that asks of Dask.

    It imports ``distributed``, a third of a second, and with a cluster's client active it takes a lock of the scheduler, which may be gone with a worker.
    Not straight to the disk: where it is full, HDF5 prints tracebacks of its own while it closes the file.
    """
    from xarray.backends import H5NetCDFStore
    from xarray.backends.locks import HDF5_LOCK

    written = io.BytesIO()
    store = H5NetCDFStore.open(written, mode="w", lock=HDF5_LOCK)
    try:
        dataset.compute().dump_to_store(store)  # of what is lazy nothing would be written
    finally:
        store.close()
    return written.getvalue()


def with_densities(grid: xr.Dataset) -> xr.Dataset:
    """Return the coarse grid with emission and sink over the covered area, kg m-2 yr-1; NaN where nothing is covered."""
    covered = grid["covered_area"].where(grid["covered_area"] > 0)
    densities = {f"{name}_density": grid[name] / 1000 / covered for name in _BANDS}
    with_units = {name: values.assign_attrs(units=DENSITY) for name, values in densities.items()}
    return grid.assign(with_units)


def _dated(dataset: xr.Dataset, year: int) -> xr.Dataset:
    """Return a grid with the middle of the year as its time."""
    if "sector" in dataset:
        dataset["sector"].attrs = {"long_name": "sector"}
        # Characters, as CF has texts along a dimension: variable strings by its name would have to be numbers.
        dataset["sector"].encoding = {"dtype": "S1"}
    begin, end = (np.datetime64(f"{each:04d}-01-01", "s") for each in (year, year + 1))
    dated = dataset.assign_coords(time=begin + (end - begin) / 2)
    dated["time"].attrs = {
        "standard_name": "time",
        "long_name": f"middle of the year {year}, all of which the values are of",
        "axis": "T",
        "units_metadata": "leap_seconds: none",
    }
    dated["time"].encoding = {"units": f"hours since {year:04d}-01-01", "dtype": "int32"}
    return dated


def _transform(grid: xr.Dataset) -> Affine:
    """Return the transform from the cell centres and the resolution, which one column alone does not tell."""
    size = cell_side(grid)
    west, north = float(grid["x"][0]) - size / 2, float(grid["y"][0]) + size / 2
    return Affine(size, 0.0, west, 0.0, -size, north)


def read_grid_nc(path: Path) -> xr.Dataset:
    """Open the NetCDF grid, whose values are unpacked when they are asked for.

    Raises
    ------
    InputError
        If something in the file is taken from another.
    VerificationError
        If the file cannot be opened or lacks a variable.
    """
    try:
        grid = open_netcdf(path)
    except (CarbongridError, MemoryError):
        raise
    except Exception as error:  # whatever a decoder says of damaged bytes and of odd attributes
        raise VerificationError(f"{path.name} cannot be read: {error}") from error
    missing = [name for name in _VARIABLES if name not in grid]
    if missing:
        grid.close()
        raise VerificationError(f"{path.name} lacks {', '.join(missing)}")
    return grid


def values_of_grid(grid: xr.Dataset, path: Path) -> xr.Dataset:
    """Return what :func:`read_grid_nc` opened with its values in memory; raises :class:`VerificationError` where they are damaged."""
    try:
        return grid.copy(deep=False).load()
    except MemoryError:
        raise
    except Exception as error:  # whatever a filter says of damaged bytes
        raise VerificationError(f"{path.name} cannot be read: {error}") from error


def place_of_tif(path: Path) -> tuple[Any, Affine]:
    """Return the CRS of grid_1km.tif, None if it has none, and its transform."""
    with open_raster(path) as raster:
        return raster.crs, raster.transform


def potentials_of_tif(path: Path) -> str | None:
    """Return by which global warming potentials grid_1km.tif says that its masses are CO2e; None if it does not say."""
    with open_raster(path) as raster:
        told = raster.tags().get(POTENTIALS)
    return None if told is None else str(told)


def bands_of_tif(path: Path) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Read the bands of grid_1km.tif by their description, t per cell and year, NaN outside."""
    with open_raster(path) as raster:
        return dict(zip(raster.descriptions, raster.read(), strict=True))
