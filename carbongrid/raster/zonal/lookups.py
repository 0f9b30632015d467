"""Values by label, put into cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import each_band, map_placed
from carbongrid.raster.crs_of_rasters import with_mapping_of
from carbongrid.raster.georeference import is_chunked
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.lookup import look_up
from carbongrid.raster.labelled import require_order_of_labels, require_real, require_unmasked
from carbongrid.raster.nodata import labels_inside
from carbongrid.raster.pair_counts import as_labels
from carbongrid.raster.zonal.rasters import units


def lookup(
    table: ArrayLike, labels: Any, *, out: NDArray[np.float64] | None = None
) -> xr.DataArray:
    """Put the value of its label into every cell.

    Parameters
    ----------
    table : real [label]
        Value of labels 1..n; background cells get 0.
    labels : unsigned integer [y, x]
        DataArray, NumPy, Dask or Zarr array.
    out : float64 [y, x], optional
        A NumPy array to write into: fresh memory costs more than the lookup. Only for labels in memory.

    Returns
    -------
    xarray.DataArray, float64 [y, x]
        Lazy if the labels are: a label above n is then found when it is computed.

    Raises
    ------
    InputError
        If a value is not finite, a label is above n, or out does not fit.
    """
    row = label_table(table)
    data = labels_inside(labels)
    if is_chunked(data):
        if out is not None:
            raise InputError("out= is for labels in memory")
        field = map_placed(_look_up_block, data, sheet=row)
    else:
        field = _buffer(data.shape, out)

        def fill(rows: slice) -> None:
            look_up_block(row, data[rows], field[rows])

        each_band(fill, data.shape)
    return fine_array(
        field, labels, "value", {"units": units(table), "long_name": "value by label"}
    )


def label_table(table: ArrayLike) -> NDArray[np.float64]:
    """Return the values of labels 0..n, that of 0 being 0.

    Raises
    ------
    InputError
        If they are not one row of finite numbers, or say that they are of other labels than 1, 2, 3 ..., as a table that was sorted does.
    """
    require_unmasked(table, "the table")
    require_real(table, "the table")
    require_order_of_labels(table)
    values = np.asarray(table, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError("give one row of finite numbers, one for each label")
    return np.concatenate([[0.0], values])


def require_known(label: int, table: NDArray[np.float64]) -> None:
    """Raise if a kernel has found a label that the table does not have.

    Raises
    ------
    InputError
        If the label is not 0.
    """
    if label:
        raise InputError(f"label {label} is above the largest there can be, {table.size - 1}")


def look_up_block(table: NDArray[np.float64], labels: Any, out: NDArray[np.float64]) -> None:
    """Write the values of a block's labels into a contiguous block.

    Raises
    ------
    InputError
        If a label has none.
    """
    numbers = as_readonly_contiguous(as_labels(labels), np.uint32).reshape(-1)
    require_known(
        look_up(as_readonly_contiguous(table, np.float64), numbers, out.reshape(-1)), table
    )


def fine_array(field: Any, labels: Any, name: str, attributes: dict[str, str]) -> xr.DataArray:
    """Return a field on the labels' cells."""
    array = xr.DataArray(
        field,
        dims=getattr(labels, "dims", ("y", "x")),
        coords=getattr(labels, "coords", None),
        name=name,
        attrs=attributes,
    )
    with_mapping_of(array, labels)
    return array


def _buffer(shape: tuple[int, int], out: NDArray[np.float64] | None) -> NDArray[np.float64]:
    if out is None:
        return np.empty(shape)
    if out.shape != shape or out.dtype != np.float64 or not out.flags.c_contiguous:
        raise InputError(f"out must be contiguous float64 of shape {shape}")
    return out


def _look_up_block(labels: Any, *_corner: int, sheet: NDArray[np.float64]) -> NDArray[np.float64]:
    field = np.empty(labels.shape)
    look_up_block(sheet, labels, field)
    return field
