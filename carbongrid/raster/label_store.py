"""Label rasters on the disk, in Zarr: made, filled window by window, read so that a missing chunk is an error."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_of_rasters import geotransform_of
from carbongrid.raster.crs_units import metres_per_unit, unit_of
from carbongrid.raster.opening.crs import crs_of
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.stores import open_zarr, open_zarr_array, open_zarr_group

if TYPE_CHECKING:
    import zarr

    from carbongrid.raster.grid import Grid

CHUNK = 2048
MAX_FILES = 10_000
_CHUNKS_IN_SHARD = 4
# So many take days to write, and a file system to hold.
_MAX_SHARDS = 2**20

MARK = "carbongrid_labels"
"""Attribute of a store's group by which it is known as one of labels; no array of it has it, to take it along into another store."""

LABEL_ATTRIBUTES = {
    "long_name": "label of the polygon that covers the cell's centre: row number + 1, 0 is background",
    "units": "1",
}


def blocks(
    shape: tuple[int, int], side: int
) -> Iterator[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Yield number, corner and shape of each block of a raster, row by row."""
    number = 0
    for row in range(0, shape[0], side):
        for column in range(0, shape[1], side):
            yield number, (row, column), (min(side, shape[0] - row), min(side, shape[1] - column))
            number += 1


def georeferenced(
    values: Any, grid: Grid, name: str, attributes: Mapping[str, Any]
) -> xr.DataArray:
    """Return a raster of the grid with coordinates and CRS as CF and rioxarray read them."""
    array = xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "y": ("y", grid.y, _axis(grid, "y")),
            "x": ("x", grid.x, _axis(grid, "x")),
            "spatial_ref": ((), 0, _grid_mapping(grid)),
        },
        name=name,
        attrs=dict(attributes),
    )
    array.encoding["grid_mapping"] = "spatial_ref"
    return array


def _axis(grid: Grid, axis: Literal["x", "y"]) -> dict[str, str]:
    """Return the attributes of a coordinate, after CF."""
    named = {"axis": axis.upper(), "long_name": f"{axis} of the cell's centre"}
    unit = unit_of(grid.crs)
    if metres_per_unit(grid.crs) is not None:
        return {**named, "standard_name": f"projection_{axis}_coordinate", "units": unit}
    if unit == "degree":
        unit = {"x": "degrees_east", "y": "degrees_north"}[axis]
    return {**named, "standard_name": {"x": "longitude", "y": "latitude"}[axis], "units": unit}


def _grid_mapping(grid: Grid) -> dict[str, Any]:
    west, _, _, north = grid.bounds
    crs = crs_of(grid.crs)
    transform = geotransform_of(west, grid.resolution, north, grid.resolution)
    return {**crs.to_cf(), "spatial_ref": crs.to_wkt(), "GeoTransform": transform}


def create_label_store(path: Path, grid: Grid, variables: Mapping[str, str], chunks: int) -> None:
    """Make an empty Zarr store (format 3) of label rasters on one grid, to be filled block by block.

    Parameters
    ----------
    path
        A path that does not exist yet.
    grid
        The fine grid.
    variables
        Name of each label variable and the content hash of its polygons, which travels with it.
    chunks
        Side of a chunk in cells; in shards of 4 x 4 chunks where there would be more than 10,000 files.

    Raises
    ------
    InputError
        If the path exists, chunks is not a positive number, or there would be more than 16 million of them.
    """
    if path.exists():
        raise InputError("the store exists already", str(path), "Remove it, or name another path.")
    if chunks < 1:
        raise InputError(f"chunks must be a positive number of cells, not {chunks}")
    sides = tuple(min(chunks, length) for length in grid.shape)
    files = math.prod(-(-length // side) for length, side in zip(grid.shape, sides, strict=True))
    shards = tuple(side * _CHUNKS_IN_SHARD for side in sides) if files > MAX_FILES else None
    if files > _MAX_SHARDS * _CHUNKS_IN_SHARD**2:
        rows, columns = grid.shape
        raise InputError(
            f"labels of {rows:,} x {columns:,} cells would be {files:,} chunks of {chunks} cells on a side",
            hint="Take larger chunks, or a coarser grid.",
        )
    import zarr  # late: of another year no label is made, and it takes 0.15 s
    from zarr.codecs import Crc32cCodec, ZstdCodec

    group = zarr.create_group(
        path, zarr_format=3, attributes={"Conventions": "CF-1.11", MARK: True}
    )
    for name, digest in variables.items():
        group.create_array(
            name,
            shape=grid.shape,
            dtype="uint32",
            chunks=sides,
            shards=shards,
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            fill_value=0,
            dimension_names=("y", "x"),
            attributes={
                **LABEL_ATTRIBUTES,
                "polygons": digest,
                "grid_mapping": "spatial_ref",
                "coordinates": "spatial_ref",
            },
            config={"write_empty_chunks": True},
        )
    for axis, values in (("y", grid.y), ("x", grid.x)):
        told = _axis(grid, "x" if axis == "x" else "y")
        array = group.create_array(
            axis,
            shape=values.shape,
            dtype=values.dtype,
            dimension_names=(axis,),
            attributes={**told},
            # Of a single cell at 0 nothing would be written: what is undamaged would lack a chunk.
            config={"write_empty_chunks": True},
        )
        array[...] = values
    mapping = group.create_array(
        "spatial_ref",
        shape=(),
        dtype="int64",
        attributes=_grid_mapping(grid),
        config={"write_empty_chunks": True},
    )
    mapping[...] = 0


def block_side(path: Path) -> int:
    """Return the side of the square that one task writes: a shard, or a chunk where there are no shards."""
    arrays = open_zarr_group(path).arrays()
    return max(max(array.shards or array.chunks) for _, array in arrays if array.ndim == 2)


def _label_array(path: Path, name: str, mode: Literal["r", "r+"]) -> zarr.Array[Any]:
    # These settings travel in no file, so an array that is opened again must be told again.
    array = open_zarr_array(path, name, mode)
    return array.with_config({"write_empty_chunks": True, "read_missing_chunks": False})


def _to_write_to(path: Path, name: str) -> zarr.Array[Any]:
    """Open an array once for all of its windows: for each it took a tenth of the time to label and write a billion cells."""
    with open_file(path / name / "zarr.json") as stream:
        return _described(path, name, stream.read())


@lru_cache(maxsize=4)
def _described(path: Path, name: str, _description: bytes) -> zarr.Array[Any]:
    return _label_array(path, name, "r+")


def write_window(
    path: Path, name: str, corner: tuple[int, int], window: NDArray[np.uint32]
) -> None:
    """Write one block of labels.

    Raises
    ------
    InputError
        If the block is not made of whole chunks (shards): two writers of one chunk would corrupt it.
    """
    array = _to_write_to(path, name)
    for start, length, side, end in zip(
        corner, window.shape, array.shards or array.chunks, array.shape, strict=True
    ):
        if start % side or (length % side and start + length != end):
            raise InputError(
                f"a block of {window.shape} cells at {corner} is not aligned to chunks of {side} cells"
            )
    rows, columns = (
        slice(start, start + length) for start, length in zip(corner, window.shape, strict=True)
    )
    array[rows, columns] = window


def files_of_window(
    path: Path, name: str, corner: tuple[int, int], shape: tuple[int, int]
) -> list[Path]:
    """Return the files that hold a window of whole chunks (shards), whether or not they are there."""
    array = _to_write_to(path, name)
    rows, columns = (
        range(start // side, -(-(start + length) // side))
        for start, length, side in zip(corner, shape, array.shards or array.chunks, strict=True)
    )
    return [path / name / "c" / str(row) / str(column) for row in rows for column in columns]


def read_window(
    path: Path, name: str, corner: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.uint32]:
    """Read one window of labels; a missing or damaged chunk is an error, not zeros."""
    array = _label_array(path, name, "r")
    rows, columns = (
        slice(start, start + length) for start, length in zip(corner, shape, strict=True)
    )
    return np.asarray(array[rows, columns], dtype=np.uint32)


def resolution_and_corner(path: Path) -> tuple[float, tuple[float, float]]:
    """Return a store's cell side and its north-west corner (x, y)."""
    attributes = open_zarr_array(path, "spatial_ref").attrs
    west, resolution, _, north, *_ = map(float, str(attributes["GeoTransform"]).split())
    return resolution, (west, north)


def label_shape(path: Path, name: str) -> tuple[int, int]:
    """Return rows and columns of a label variable."""
    height, width = _label_array(path, name, "r").shape
    return height, width


def open_labels(path: str | Path) -> xr.Dataset:
    """Open a store of label rasters lazily; a missing chunk, and any of a store that took the place of this one, is an error when it is read."""
    import zarr

    with zarr.config.set({"array.read_missing_chunks": False}):
        labels: xr.Dataset = open_zarr(Path(path), decode_coords="all", chunks={})
    return labels
