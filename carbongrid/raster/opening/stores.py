"""Arrays on the disk: NumPy's, NetCDF's and Zarr's, none of which may send the reader elsewhere or hold a program."""

from __future__ import annotations

import atexit
import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import (
    open_file,
    read_bytes,
    require_regular,
    require_regular_tree,
)

if TYPE_CHECKING:
    import xarray as xr
    import zarr

_FROM_ITS_RUN = "Take it from the run that wrote it."
_FROM_ITS_PUBLISHER = "Ask its publisher for one file that holds all of it."

_HDF5, _CLASSIC = b"\x89HDF\r\n\x1a\n", b"CDF"


def open_arrays(path: Path, mmap_mode: Literal["r"] | None = None) -> Any:
    """Open an .npy or .npz file with pickles off.

    Raises
    ------
    OSError
        If there is none, or it is no regular file.
    """
    require_regular(path)
    return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)


def open_netcdf(path: Path) -> xr.Dataset:
    """Open a NetCDF-4 file that a run wrote: its bytes are in memory, its values are unpacked when they are asked for.

    So all of them are of the file that was opened, whatever takes its place, also where the dataset is pickled.

    Raises
    ------
    InputError
        If it takes anything from another file.
    OSError
        If there is none, it is no regular file, or it is damaged.
    """
    import xarray as xr

    held = io.BytesIO(read_bytes(path))
    _require_no_links(held, path.name, _FROM_ITS_RUN)
    opened = xr.open_dataset(held, engine="h5netcdf", decode_coords="all")
    opened.set_close(None)  # no file is open, and whoever leaves a ``with`` block may read on
    return opened


@atexit.register
def _close_what_is_read_through_python() -> None:
    """Close HDF5 files that are in memory, while there is Python.

    Else HDF5 does as the process ends, and asks Python, which is gone by then: a script that keeps a run's grid to its end ended with a segmentation fault.
    """
    if "h5py" not in sys.modules:
        return
    import h5py
    from h5py import h5f, h5fd

    for file in h5f.get_obj_ids(types=h5f.OBJ_FILE):
        through_python = file.get_access_plist().get_driver() == h5fd.fileobj_driver
        if through_python and file.get_intent() == h5f.ACC_RDONLY:
            h5py.File(file).close()


def is_netcdf(path: Path) -> bool:
    """Tell whether a file begins as a NetCDF file does, of the classic format or of NetCDF-4.

    Raises
    ------
    OSError
        If there is none, or it is no regular file.
    """
    with open_file(path) as file:
        head = file.read(len(_HDF5))
    return head == _HDF5 or head.startswith(_CLASSIC)


def open_published_netcdf(path: Path) -> xr.Dataset:
    """Open a NetCDF file that anybody wrote: NetCDF-4 lazily, the classic format as far as SciPy reads it.

    Times stay numbers where they cannot be read, as months since a day.

    Raises
    ------
    InputError
        If it takes anything from another file, is of a format that is not read, or is damaged.
    """
    import xarray as xr

    with open_file(path) as file:
        classic = file.read(4)
    if classic.startswith(_CLASSIC) and classic[3:] not in (b"\x01", b"\x02"):
        raise InputError(
            "the file is NetCDF in its classic format with 64-bit data, which is not read",
            path.name,
            f"Write it as NetCDF-4: nccopy -k nc4 {path.name} NEW.nc",
        )
    try:
        if classic.startswith(_CLASSIC):
            engine: Literal["scipy", "h5netcdf"] = "scipy"
        else:
            engine = "h5netcdf"
            require_regular(path)
            _require_no_links(path, path.name, _FROM_ITS_PUBLISHER)
        with warnings.catch_warnings():
            # All of them become NaN, as they are meant.
            warnings.filterwarnings("ignore", ".*has multiple fill values", xr.SerializationWarning)
            # Absolute: xarray takes a ``~`` at the beginning of any path for the user's home.
            try:
                return xr.open_dataset(path.absolute(), engine=engine, decode_coords="all")
            except ValueError:
                return xr.open_dataset(
                    path.absolute(), engine=engine, decode_coords="all", decode_times=False
                )
    except (InputError, MemoryError):
        raise
    except Exception as error:  # whatever a decoder says of damaged bytes and of odd attributes
        hint = "Open it with ncdump -h, or take it from its publisher again."
        raise InputError(f"the NetCDF file cannot be read: {error}", path.name, hint) from error


def _require_no_links(source: Path | io.BytesIO, name: str, hint: str) -> None:
    """Raise if an HDF5 file has a link to another, or an array whose values lie in others."""
    import h5py

    def look(group: Any) -> None:
        for inside in group:
            link = group.get(inside, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise _elsewhere(name, inside, hint)
            item = group[inside]
            if isinstance(item, h5py.Group):
                look(item)
            elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                raise _elsewhere(name, inside, hint)

    with h5py.File(source, "r") as file:
        look(file)


def _elsewhere(name: str, inside: str, hint: str) -> InputError:
    return InputError(
        f"{inside} in it is taken from another file, or from another place of this one", name, hint
    )


def open_zarr_array(path: Path, name: str, mode: Literal["r", "r+"] = "r") -> zarr.Array[Any]:
    """Open an array of a Zarr store of format 3: that of version 2 may be pickled."""
    import zarr

    return zarr.open_array(_local(path, mode), path=name, mode=mode, zarr_format=3)


def open_zarr_group(path: Path) -> zarr.Group:
    """Open a Zarr store of format 3."""
    import zarr

    return zarr.open_group(_local(path, "r"), mode="r", zarr_format=3)


def open_zarr(path: Path, **options: Any) -> xr.Dataset:
    """Open a Zarr store of format 3 lazily; options are xarray's."""
    import xarray as xr

    require_regular_tree(path)
    opened: xr.Dataset = xr.open_zarr(
        _local(path, "r"), consolidated=False, zarr_format=3, **options
    )
    return opened


def open_rasters(path: Path, *, with_dask: bool = True, checked: bool = False) -> xr.Dataset:
    """Open a Zarr store that anybody wrote, lazily; a chunk that is missing is what the store says of it.

    Parameters
    ----------
    path
        The folder.
    checked
        It holds nothing but files, as was found before: looking at 14,400 chunks takes longer than opening the store.
    with_dask
        As Dask arrays in the store's own chunks; without it they are read where they are indexed, as inside of a task.

    Raises
    ------
    InputError
        If it is no Zarr store.
    """
    import xarray as xr
    import zarr.errors
    import zarr.storage

    if not checked:
        require_regular_tree(path)
    try:
        store = zarr.storage.LocalStore(path, read_only=True)
        opened: xr.Dataset = xr.open_zarr(
            store,
            chunks={} if with_dask else None,
            decode_coords="all",
            consolidated=False,
        )
    except zarr.errors.ContainsArrayError as error:
        raise InputError(
            "this Zarr store is a single array, which names neither coordinates nor a CRS",
            str(path),
            "Where you know its grid: cg.ZonalOperator(polygons, grid).apply(zarr.open_array(path), stats).",
        ) from error
    except (zarr.errors.BaseZarrError, OSError, ValueError, RuntimeError, KeyError) as error:  # fmt: skip
        raise InputError(
            f"this is no Zarr store of rasters: {error}",
            str(path),
            "Open it with xarray, and give the DataArray.",
        ) from error
    return opened


def missing_chunks(path: Path, name: str) -> tuple[int, int, Any]:
    """Return how many chunks of an array of a Zarr store are not there, how many it has, and the value that is read for them."""
    import zarr
    import zarr.storage

    store = zarr.storage.LocalStore(path, read_only=True)
    array = zarr.open_array(store, path=name, mode="r")
    # Of Zarr 2 an array may tell none, which is read as zeros.
    fill = array.dtype.type(0) if array.fill_value is None else array.fill_value
    return array.nchunks - array.nchunks_initialized, array.nchunks, fill


def _local(path: Path, mode: str) -> Any:
    """Return the folder as a store: a mere path would be taken for an address, and cut where one is."""
    import zarr.storage

    if mode == "r":
        from carbongrid.raster.opening.whole_store import WholeStore

        return WholeStore(path, read_only=True)
    return zarr.storage.LocalStore(path)
