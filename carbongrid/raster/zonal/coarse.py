"""Sums over coarse cells: of values, and of values looked up by label without making the fine field."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import each_band, map_coarse
from carbongrid.raster.crs_of_rasters import geotransform_of, mapping_of, with_mapping_of
from carbongrid.raster.georeference import inside, is_chunked, plane_of
from carbongrid.raster.kernels.blocks import block_sums
from carbongrid.raster.kernels.hi_lo import combine_hi_lo, split_hi_lo
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.lookup import look_up_sums
from carbongrid.raster.lattice import lattice_of
from carbongrid.raster.nodata import Unknown, labels_inside
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.zonal.lookups import label_table, require_known
from carbongrid.raster.zonal.rasters import described, require_whole, sum_dtype, units


def block_sum(values: Any, factor: int) -> xr.DataArray:
    """Sum factor x factor cells into one coarse cell.

    Parameters
    ----------
    values : real or integer [y, x]
        DataArray, NumPy, Dask or Zarr array; what is unknown (as for ``zonal_sum``) counts as nothing.
    factor
        Fine cells along the side of a coarse one; divides both sides.

    Returns
    -------
    xarray.DataArray, float64 or (of integers) int64 [y, x]
        Lazy if the values are; coordinates are those of the coarse cells' centres, units those of the values.

    Raises
    ------
    InputError
        If the factor does not divide both sides, or a sum of integers leaves int64 (found when a lazy one is computed).
    """
    data = inside(values)
    _require_division(data, factor)
    dtype, unknown = sum_dtype(data.dtype), Unknown.of(values)
    if is_chunked(data):
        sums = map_coarse(_coarsen_block, data, factor, dtype, unknown=unknown)
    else:
        bands = each_band(
            lambda rows: _coarsen_block(data[rows], factor, unknown=unknown), data.shape, factor
        )
        sums = np.concatenate(bands)
    return _coarse_array(sums, values, factor, f"sum of {described(values)}", units(values))


def lookup_sum(table: ArrayLike, labels: Any, factor: int) -> xr.DataArray:
    """Sum what labels stand for over coarse cells: ``block_sum(lookup(table, labels), factor)``, and no fine field is made.

    Parameters
    ----------
    table : real [label]
        Value of labels 1..n; 0 is worth nothing.
    labels : unsigned integer [y, x]
        DataArray, NumPy, Dask or Zarr array.
    factor
        Fine cells along the side of a coarse one; divides both sides.

    Returns
    -------
    xarray.DataArray, float64 [y, x]
        Lazy if the labels are: a label above n is then found when it is computed.

    Raises
    ------
    InputError
        If the factor does not divide both sides, a value is not finite, or a label is above n.
    """
    data = labels_inside(labels)
    _require_division(data, factor)
    row = label_table(table)
    if is_chunked(data):
        sums = map_coarse(_looked_up_block, data, factor, np.float64, table=row)
    else:
        bands = each_band(
            lambda rows: _looked_up_block(data[rows], factor, table=row), data.shape, factor
        )
        sums = np.concatenate(bands)
    return _coarse_array(sums, labels, factor, "sum of values by label", units(table))


def _require_division(data: Any, factor: int) -> None:
    require_whole(factor, "the factor is a number of cells")
    if factor < 1 or any(length % factor for length in data.shape):
        raise InputError(
            f"a factor of {factor} does not divide cells of shape {data.shape}",
            hint="Make the grid with snap= the coarse cell.",
        )


def _coarsen_block(values: Any, factor: int, *, unknown: Unknown) -> NDArray[Any]:
    block = unknown.as_zero(values)
    real = block.dtype.kind == "f"
    if real or not block.size or _largest(block) * factor**2 < 2**63:
        return block_sums(as_readonly_contiguous(block, sum_dtype(block.dtype)), factor)
    try:
        if block.max() >= 2**63:
            raise OverflowError
        high, low = (
            block_sums(as_readonly_contiguous(half, np.int64), factor)
            for half in np.moveaxis(split_hi_lo(block.astype(np.int64)), -1, 0)
        )
        return combine_hi_lo(np.stack([high, low], axis=-1))
    except OverflowError:
        raise InputError(
            "a sum of integers leaves int64", hint="Convert the values to float64 first."
        ) from None


def _largest(block: NDArray[Any]) -> int:
    """Bound the size of integers, by their type if it is a short one."""
    if block.dtype.itemsize < 8:
        return 1 << 8 * block.dtype.itemsize
    return max(-int(block.min()), int(block.max()))


def _looked_up_block(labels: Any, factor: int, *, table: NDArray[np.float64]) -> NDArray[Any]:
    numbers = as_readonly_contiguous(as_labels(labels), np.uint32)
    sums = np.zeros((numbers.shape[0] // factor, numbers.shape[1] // factor))
    if sums.size:
        require_known(look_up_sums(as_readonly_contiguous(table, np.float64), numbers, sums), table)
    return sums


def _coarse_array(sums: Any, values: Any, factor: int, long_name: str, unit: str) -> xr.DataArray:
    result = xr.DataArray(
        sums,
        dims=getattr(values, "dims", ("y", "x")),
        coords=_coarse_coordinates(values, factor),
        name=getattr(values, "name", None),
        attrs={"units": unit, "long_name": long_name},
    )
    with_mapping_of(result, values)
    return result


def _coarse_coordinates(values: Any, factor: int) -> dict[str, Any]:
    if not isinstance(values, xr.DataArray):
        return {}
    coordinates: dict[str, Any] = {}
    for axis in values.dims:
        if axis in values.coords:
            fine = values[axis].to_numpy()
            # The sum of two short integers may be beyond their type.
            fine = fine.astype(np.float64) if fine.dtype.kind in "iu" else fine
            centres = (fine[::factor] + fine[factor - 1 :: factor]) / 2
            coordinates[str(axis)] = (axis, centres, values[axis].attrs)
    mapping = mapping_of(values)
    if mapping is not None:
        attributes = {
            **values[mapping].attrs,
            "GeoTransform": _coarse_geotransform(values, factor),
        }
        known = {name: value for name, value in attributes.items() if value is not None}
        coordinates[mapping] = ((), 0, known)
    return coordinates


def _coarse_geotransform(values: xr.DataArray, factor: int) -> str | None:
    """Return the coarse cells' geotransform after the fine ones' coordinates; None where these are no regular grid's."""
    try:
        fine = lattice_of(values.transpose(*(plane_of(values) or values.dims)))
    except InputError:
        return None
    return geotransform_of(fine.west, fine.width * factor, fine.north, fine.height * factor)
