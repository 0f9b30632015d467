"""One plane of real numbers in a file: a GeoTIFF, a NetCDF file or a Zarr store, read in windows, NaN where a value is unknown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem
from carbongrid.raster.crs_of_rasters import grid_mapping, stated_crs
from carbongrid.raster.georeference import is_in_angles, plane_of
from carbongrid.raster.lattice import Lattice, lattice_of, north_up, with_mappings
from carbongrid.raster.nodata import Unknown, default_fill, valid_range
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.formats import is_tiff
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.opening.stores import (
    is_netcdf,
    missing_chunks,
    open_published_netcdf,
    open_rasters,
)
from carbongrid.raster.windows import band_problems, known_values

if TYPE_CHECKING:
    import rasterio
    import xarray as xr
    from pyproj import CRS
    from rasterio.windows import Window

_DEGREES = "EPSG:4326"
_HALF_TURN = 180.0
_CRS_ATTRIBUTES = {"crs_wkt", "spatial_ref", "grid_mapping_name", "epsg_code", "proj4", "proj4_params", "proj4text"}  # fmt: skip
_APART = (
    "Write the one that is meant to a file of its own: dataset[[NAME]].to_netcdf(FILE) in xarray."
)


@dataclass(frozen=True, eq=False)
class PlaneFile(ABC):
    """An open file that holds one raster [row, column], rows from the north.

    Parameters
    ----------
    crs
        None where the file says none.
    transform
        From (column, row) to (x, y) in that CRS.
    width, height
        Columns and rows.
    block_shape
        Rows and columns that are stored together.
    block_bytes
        Bytes of what is unpacked for one of their values.
    unit
        What a value is, as the file says; blank where it does not.
    described
        What the values are in words, as the file says; blank where it does not.
    top
        The largest number of the type of whole numbers that hold the values, where no number stands for no data; else None.
    """

    crs: CRS | None
    transform: Affine
    width: int
    height: int
    block_shape: tuple[int, int]
    block_bytes: int
    unit: str = ""
    described: str = ""
    top: int | None = None

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of a raster that is not rotated."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return west, south, east, north

    @abstractmethod
    def problems(self, where: str) -> Iterator[Problem]:
        """Yield an error for each reason why the file is not one raster of real numbers, under a name for messages."""

    def remarks(self) -> Iterator[Problem]:
        """Return what has to be said of the file beside its faults."""
        return iter(())

    @abstractmethod
    def known(self, window: Window) -> NDArray[np.float64]:
        """Return the values of a window as they are meant, NaN where they are unknown."""


@contextmanager
def open_plane(path: Path, *, checked: bool = False) -> Iterator[PlaneFile]:
    """Open a GeoTIFF, a NetCDF file or a Zarr store, by what it is.

    Parameters
    ----------
    path
        The file, or the folder of a store.
    checked
        A store is known to hold nothing but files.

    Raises
    ------
    InputError
        If there is nothing at the path, it is of another format, takes anything from other files, or, of NetCDF and Zarr, does not hold
        one raster with coordinates of its cells.
    rasterio.errors.RasterioError
        If a GeoTIFF is damaged.
    """
    if path.is_dir():
        with open_rasters(path, with_dask=False, checked=checked) as dataset:
            yield _named(dataset, path)
    elif path.is_file() and is_netcdf(path):
        with open_published_netcdf(path) as dataset:
            yield _named(dataset, path)
    elif is_tiff(path):
        with open_raster(path) as source:
            yield _of_tiff(source, path)
    else:
        raise InputError(
            "the file is not a GeoTIFF, and neither NetCDF nor a Zarr store",
            path.name,
            "Convert the raster to a GeoTIFF with gdal_translate.",
        )


@dataclass(frozen=True, eq=False)
class _Tiff(PlaneFile):
    source: rasterio.DatasetReader | None = None

    def problems(self, where: str) -> Iterator[Problem]:
        yield from band_problems(self.source, where)

    def known(self, window: Window) -> NDArray[np.float64]:
        return known_values(self.source, window)


def _of_tiff(source: rasterio.DatasetReader, path: Path) -> PlaneFile:
    from rasterio.enums import Interleaving

    rows, columns = source.block_shapes[0]
    # Where cells hold the values of all bands side by side, a block of one band is a block of all.
    bands = source.count if source.interleaving == Interleaving.pixel else 1
    return _Tiff(
        crs=None if source.crs is None else crs_of(source.crs.to_wkt(), path.name),
        transform=source.transform,
        width=source.width,
        height=source.height,
        block_shape=(rows, columns),
        block_bytes=rows * columns * bands * np.dtype(source.dtypes[0]).itemsize,
        unit=source.units[0] or _tagged_unit(source),
        described=source.descriptions[0] or "",
        top=_top(source),
        source=source,
    )


def _tagged_unit(source: rasterio.DatasetReader) -> str:
    """Return the unit that a tag of the band tells, as other programs write it; blank if none does."""
    tags = {name.lower(): text for name, text in source.tags(1).items()}
    return str(tags.get("units", tags.get("unit", "")))


def _top(source: rasterio.DatasetReader) -> int | None:
    kind = np.dtype(source.dtypes[0])
    plain = kind.kind in "iu" and (source.scales[0], source.offsets[0]) == (1, 0)
    return int(np.iinfo(kind).max) if plain and source.nodata is None else None


@dataclass(frozen=True, eq=False)
class _Variable(PlaneFile):
    path: Path = Path()
    variable: str = ""
    layer: xr.DataArray | None = None

    def problems(self, where: str) -> Iterator[Problem]:
        assert self.layer is not None
        if self.layer.dtype.kind not in "iuf":
            what = f"the raster holds numbers of the type {self.layer.dtype}, expected real ones"
            yield Problem(what, where)

    def remarks(self) -> Iterator[Problem]:
        assert self.layer is not None
        if stated_crs(self.layer) is None and self.crs is not None:
            what = "the raster has longitudes and latitudes and no CRS: they are taken as WGS 84"
            yield Problem(what, self.path.name, level="note")
        if self.path.is_dir():
            missing, chunks, fill = missing_chunks(self.path, self.variable)
            unknown = np.isnan(self._meant(np.full((1, 1), fill, self.layer.dtype))).all()
            if missing:
                verb = "is" if missing == 1 else "are"
                what = f"{missing:,} of the raster's {chunks:,} chunks {verb} not in the store, and {verb} read as {'unknown' if unknown else f'{fill:g}'}"
                yield Problem(what, self.path.name, "Copy the store again, if it should be whole.", "note")  # fmt: skip

    def known(self, window: Window) -> NDArray[np.float64]:
        assert self.layer is not None
        rows = slice(window.row_off, window.row_off + window.height)
        columns = slice(window.col_off, window.col_off + window.width)
        try:
            stored = self.layer[rows, columns].to_numpy()
        except (OSError, RuntimeError, ValueError) as error:  # of h5py, of Zarr's codecs
            hint = "It may be damaged or cut off: take it from its publisher again."
            raise InputError(f"the raster cannot be read: {error}", self.path.name, hint) from error
        return self._meant(stored)

    def _meant(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """Return decoded values as float64, NaN where the file says in any way that they are unknown."""
        assert self.layer is not None
        hidden = Unknown.of(self.layer).where(stored)
        low, high = valid_range(self.layer)
        values = stored.astype(np.float64)
        if hidden is not None:
            values[hidden] = np.nan
        if not self.path.is_dir() and (fill := default_fill(self.layer)) is not None:
            values[stored == fill] = np.nan
        values[(values < low) | (values > high)] = np.nan
        return values


def _named(dataset: xr.Dataset, path: Path) -> PlaneFile:
    """Return the raster of a Dataset; whatever is wrong with it is told with the file's name."""
    try:
        return _of_dataset(dataset, path)
    except InputError as error:
        raise error.at(path.name) from error


def _of_dataset(dataset: xr.Dataset, path: Path) -> PlaneFile:
    variable, layer = _one_raster(dataset, path.name)
    layer = north_up(layer)
    lattice = lattice_of(layer)
    stated = lattice.crs
    if stated is None and is_in_angles(layer):
        _require_no_other_crs(dataset, layer, path.name)
        stated = _DEGREES
    crs = None if stated is None else crs_of(stated, path.name)
    rows, columns = lattice.shape
    if crs is not None and crs.is_geographic:
        _require_half_turns(lattice, path.name)
    block = _stored_together(layer)
    return _Variable(
        crs=crs,
        transform=Affine(lattice.width, 0.0, lattice.west, 0.0, -lattice.height, lattice.north),
        width=columns,
        height=rows,
        block_shape=block,
        block_bytes=block[0] * block[1] * layer.dtype.itemsize,
        unit=str(layer.attrs.get("units", "")),
        described=str(layer.attrs.get("long_name", "")),
        top=_top_of_layer(layer),
        path=path,
        variable=variable,
        layer=layer,
    )


def _top_of_layer(layer: xr.DataArray) -> int | None:
    # Where it declares a fill or a scale, xarray has decoded it to real numbers.
    plain = layer.dtype.kind in "iu" and not Unknown.of(layer).numbers
    return int(np.iinfo(layer.dtype).max) if plain else None


def _one_raster(dataset: xr.Dataset, name: str) -> tuple[str, xr.DataArray]:
    """Return the only variable that lies on y and x, as a plane [y, x], and its name."""
    variables = with_mappings(dataset).data_vars
    planes = {str(key): (each, plane_of(each)) for key, each in variables.items()}
    rasters = {key: (each, plane) for key, (each, plane) in planes.items() if plane is not None}
    others = [
        key
        for key, (each, plane) in planes.items()
        if plane is None and each.dtype.kind in "iuf" and sum(size > 2 for size in each.shape) > 1
    ]
    if len(rasters) != 1 or others:
        several = [*rasters, *others]
        what = f"{len(several)} rasters: {', '.join(several)}" if rasters else "no variable with dimensions y and x"  # fmt: skip
        raise InputError(f"the file has {what}; expected one raster", name, _APART)
    ((variable, (layer, plane)),) = rasters.items()
    leads = {axis: layer.sizes[axis] for axis in layer.dims if axis not in plane}
    if any(size != 1 for size in leads.values()):
        told = ", ".join(f"{axis} {size}" for axis, size in leads.items())
        raise InputError(
            f"the raster has several layers ({told}), expected one",
            name,
            "Write the one that is meant, or their sum, to a file of its own, for example dataset.isel(time=0).to_netcdf(FILE) in xarray.",
        )
    return variable, layer.squeeze(list(leads)).transpose(*plane)


def _require_no_other_crs(dataset: xr.Dataset, layer: xr.DataArray, name: str) -> None:
    """Raise if a file states a CRS in a way that is not read: WGS 84 would be taken in its place."""
    told = grid_mapping(layer)
    stating = [
        str(key) for key, each in dataset.variables.items() if _CRS_ATTRIBUTES & set(each.attrs)
    ]
    if told or stating:
        raise InputError(
            f"the file states its CRS in a way that is not read ({', '.join(stating) or told})",
            name,
            "Write it as crs_wkt, for example with rioxarray's write_crs.",
        )


def _require_half_turns(lattice: Lattice, name: str) -> None:
    """Raise if longitudes go beyond half a turn, as from 0 to 360: what lies there would be off the raster."""
    west, east = lattice.west, lattice.west + lattice.width * lattice.shape[1]
    if west < -_HALF_TURN - lattice.width / 2 or east > _HALF_TURN + lattice.width / 2:
        raise InputError(
            f"the raster's longitudes run from {west:g} to {east:g}, expected within -180 to 180",
            name,
            "Turn them, in xarray: dataset.assign_coords(lon=(dataset.lon + 180) % 360 - 180).sortby('lon')",
        )


def _stored_together(layer: xr.DataArray) -> tuple[int, int]:
    """Return rows and columns of a chunk; of a plane that is stored in one piece, one row, which is read by itself."""
    down, across = layer.dims
    chunks: dict[Any, int] = layer.encoding.get("preferred_chunks") or {}
    return int(chunks.get(down, 1)), int(chunks.get(across, layer.sizes[across]))
