"""CRS that rasters state."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.crs_of_rasters import stated_crs
from carbongrid.raster.georeference import require_same_cells
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import georeferenced
from carbongrid.raster.zonal import (
    block_sum,
    lookup,
    lookup_sum,
    spread,
)


def test_a_crs_is_found_wherever_it_is_kept():
    import rioxarray  # noqa: F401

    raster = georeferenced(np.zeros((6, 8)), Grid(CRS, 10, (0, 0, 80, 60)), "v", {"units": "1"})
    bare = raster.drop_vars("spatial_ref")
    assert stated_crs(raster) == CRS
    assert stated_crs(bare) is None
    with pytest.warns(FutureWarning, match="write_crs"):
        beside = raster.drop_vars("spatial_ref").rio.set_crs(3034)
    assert stated_crs(beside) == "EPSG:3034"
    elsewhere = raster.rename(spatial_ref="lambert").assign_attrs(grid_mapping="lambert")
    assert stated_crs(elsewhere) == CRS
    only_cf = {
        k: v for k, v in raster["spatial_ref"].attrs.items() if k not in ("crs_wkt", "spatial_ref")
    }
    parameters = bare.assign_coords(spatial_ref=((), 0, only_cf))
    require_same_cells(raster, bare, raster.values)
    with pytest.raises(InputError, match="ETRS89"):
        require_same_cells(raster, parameters.assign_coords(spatial_ref=((), 0, {**only_cf, "false_easting": 1.0})))  # fmt: skip


def test_a_crs_under_any_name_stays_with_results_and_through_arithmetic():
    """Seen to take feet for metres: 0.093 kg of one."""
    centres = np.arange(4) * 10.0 + 5
    labels = xr.DataArray(np.ones((4, 4), np.uint32), dims=("y", "x"), coords={"y": centres[::-1], "x": centres})  # fmt: skip
    labels = labels.rio.write_crs(2263, grid_mapping_name="lambert_conformal_conic")
    for result in (lookup([5.0], labels), spread([1000], labels), block_sum(labels, 2), lookup_sum([5.0], labels, 2)):  # fmt: skip
        assert stated_crs(result) == stated_crs(labels) is not None
    coarse = (block_sum(labels, 2) > 0).astype(np.uint32)
    density = spread([1000], coarse)
    assert float((density * (20 * 1200 / 3937) ** 2).sum()) == pytest.approx(1, rel=1e-6)
