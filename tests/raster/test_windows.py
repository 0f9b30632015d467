"""What a file says is unknown stays unknown, however it says so."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from carbongrid.raster.windows import known_values, stored_values

VALUES = np.arange(1, 13).reshape(3, 4)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
@pytest.mark.parametrize("nodata", [None, 7])
@pytest.mark.parametrize("masked", [False, True])
def test_unknown_is_what_any_of_the_file_s_ways_says(tmp_path, dtype, nodata, masked):
    """Seen to fail when nodata counted as a value in files that have a mask as well."""
    path, mask = tmp_path / "r.tif", np.ones(VALUES.shape, bool)
    mask[0] = not masked
    with rasterio.open(
        path, "w", driver="GTiff", height=3, width=4, count=1, dtype=dtype, nodata=nodata,
        crs="EPSG:32650", transform=from_origin(0, 30, 10, 10),
    ) as file:  # fmt: skip
        file.write(VALUES.astype(dtype), 1)
        if masked:
            file.write_mask(mask)
    with rasterio.open(path) as file:
        stored, known = (each(file, Window(1, 0, 3, 3)) for each in (stored_values, known_values))
    expected = np.where(mask & (nodata != VALUES), VALUES, np.nan)[:, 1:]
    np.testing.assert_array_equal(known, expected)
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored.astype(np.float64).filled(np.nan), expected)
