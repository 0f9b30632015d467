"""Rasters without coordinates say where they lie by other means, and are asked."""

from __future__ import annotations

import numpy as np
import pytest
import rioxarray  # noqa: F401  (registers .rio)
import shapely
import xarray as xr
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator

GRID = Grid(CRS, 1, (0, 0, 12, 10))


def test_a_raster_without_coordinates_is_asked_for_the_rest():
    """Seen to fail: rasters of other places, other CRS and from the south were taken as if they lay on the grid."""
    operator = ZonalOperator(np.array([shapely.box(0, 0, 3, 3)]), GRID)
    raster = rasterize(np.array([None]), GRID).astype(float)
    bare = raster.drop_vars(["x", "y"])
    assert float(operator.apply(bare, "count")["count"][0]) == 9.0
    for geotransform in ("100 1 0 10 0 -1", "0 1 0 0 0 1", "0 2 0 10 0 -1", "0 1 0 11 0 -1"):
        elsewhere = bare.copy()
        elsewhere["spatial_ref"].attrs["GeoTransform"] = geotransform
        with pytest.raises(InputError, match=r"differ in its geotransform.*Make an operator"):
            operator.apply(elsewhere)
    with pytest.raises(InputError, match=r"the raster is in ETRS89 / UTM"):
        operator.apply(bare.rio.write_crs(25832))
    with pytest.raises(InputError, match=r"differ in x"):
        operator.apply(raster.drop_vars("y").assign_coords(x=raster.x + 3))


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1)])
def test_a_single_row_or_column_runs_no_way(shape):
    """Seen to fail: a raster of one column was said to run from the east, and its weights, an array, were refused."""
    grid = Grid(CRS, 1, (0, 0, shape[1], shape[0]))
    values = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    raster = rasterize(np.array([None]), grid).copy(data=values)
    operator = ZonalOperator(np.array([shapely.box(0, 0, shape[1], shape[0])]), grid)
    made = operator.apply(raster, "sum", weights=values)
    assert float(made["sum"][0]) == (values**2).sum()


def test_longitudes_and_latitudes_of_single_cells_are_not_passed_over():
    """Seen to fail: a model's cells in China were summed on an operator's grid at the equator."""
    operator = ZonalOperator(np.array([shapely.box(0, 0, 2, 2)]), GRID)
    away = (("south_north", "west_east"), np.full(GRID.shape, 100.0))
    model = xr.DataArray(np.ones(GRID.shape), dims=away[0], coords={"XLAT": away, "XLONG": away, "population": away})  # fmt: skip
    with pytest.raises(InputError, match=r"\(XLAT, XLONG\).*drop_vars\(\['XLAT', 'XLONG'\]\)"):
        operator.apply(model, ["sum"])
    assert operator.apply(model.drop_vars(["XLAT", "XLONG"]), ["sum"])["sum"].item() == 4


def test_names_that_only_begin_as_longitudes_do_are_no_places():
    """Seen to fail: a raster with a coordinate long_term_mean of its cells was refused."""
    operator = ZonalOperator(np.array([shapely.box(0, 0, 2, 2)]), GRID)
    plane = (("j", "i"), np.zeros(GRID.shape))
    other = ["long_term_mean", "latent", "longest", "longwave_mask", "late_mask", "platform", "latest", "flat"]  # fmt: skip
    raster = xr.DataArray(np.ones(GRID.shape), dims=plane[0], coords=dict.fromkeys(other, plane))
    assert operator.apply(raster, ["sum"])["sum"].item() == 4
    for name in ("XLAT_M", "XLONG_U", "nav_lat", "TLONG", "geolon", "lat_rho", "lon2d", "latitude", "Long", "lonc", "lats"):  # fmt: skip
        with pytest.raises(InputError, match=rf"\({name}\)"):
            operator.apply(raster.assign_coords({name: plane}), ["sum"])
