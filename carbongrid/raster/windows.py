"""Rasters in files: one band of real numbers, read as they are meant, NaN where they are unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem


def band_problems(source: Any, where: str) -> Iterator[Problem]:
    """Yield an error for each reason why a file is not one band of real numbers.

    Parameters
    ----------
    source
        An open rasterio dataset.
    where
        Its name, for messages.
    """
    if source.count != 1:
        yield Problem(
            f"the raster has {source.count} bands, expected one",
            where,
            "Write the one that is meant to a file of its own: gdal_translate -b 1 FILE ONE.tif",
        )
    if np.dtype(source.dtypes[0]).kind not in "iuf":
        yield Problem(
            f"the raster holds numbers of the type {source.dtypes[0]}, expected real ones",
            where,
            "Write its real part to a file of its own, if that is what is meant.",
        )
    scale, offset = source.scales[0], source.offsets[0]
    if not (math.isfinite(scale) and math.isfinite(offset) and scale):
        yield Problem(
            f"the raster's values are scaled by {scale:g} and moved by {offset:g}",
            where,
            "Correct them: gdal_edit.py -scale 1 -offset 0 FILE",
        )


def stored_values(source: Any, window: Any) -> np.ma.MaskedArray[Any, Any]:
    """Return the values of a window of the first band as they are stored; masked is what is nodata, masked by the file or transparent.

    Parameters
    ----------
    source
        An open rasterio dataset.
    window
        A rasterio window.
    """
    stored: np.ma.MaskedArray[Any, Any] = source.read(1, window=window, masked=True)
    if source.nodata is None:
        return stored
    # Where a file has a mask of its own, GDAL asks no more for the nodata value.
    values = np.ma.getdata(stored)
    with np.errstate(over="ignore"):
        nodata = values.dtype.type(source.nodata) if values.dtype.kind == "f" else source.nodata
    return np.ma.masked_where(values == nodata, stored, copy=False)


def known_values(source: Any, window: Any) -> NDArray[np.float64]:
    """Return the values of a window of the first band with the file's scale and offset; NaN where there is none.

    Unknown is what is nodata, NaN, masked by the file or transparent.

    Parameters
    ----------
    source
        An open rasterio dataset that :func:`band_problems` has nothing to say of.
    window
        A rasterio window.
    """
    stored = stored_values(source, window)
    with np.errstate(invalid="ignore"):  # a NaN may be of the kind that signals
        values = np.ma.getdata(stored).astype(np.float64)
    values[np.ma.getmaskarray(stored)] = np.nan
    scale, offset = source.scales[0], source.offsets[0]
    return values if (scale, offset) == (1, 0) else values * scale + offset
