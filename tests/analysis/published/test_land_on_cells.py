"""Units and parcels on the cells of a raster, by hand: parcels beyond units, land off the raster, rows of other areas."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from carbongrid.analysis.published.land_on_cells import LandOnCells
from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid

GRID = Grid("EPSG:4326", 0.5, (10.0, 40.0, 15.0, 44.0))
"""Eight rows of ten cells."""
UNITS = shapely.box([12.0, 12.25], [41.0, 41.0], [12.5, 13.25], [42.0, 42.0])
"""Cells of rows 4 and 5 from the north: half of column 4 in both, columns 5 and a half of 6 in the second."""
PARCELS = shapely.box([11.0, 9.5], [41.0, 41.5], [12.0, 10.5], [43.0, 42.0])
"""Four rows of columns 2 and 3 beyond the units; and one cell of which as much is off the raster."""


def land(units: Any = UNITS, parcels: Any = PARCELS) -> LandOnCells:
    layers = [gpd.GeoDataFrame(geometry=shapes, crs=4326) for shapes in (units, parcels)]
    run: Any = SimpleNamespace(outlines=layers[0], land=layers[1])
    return LandOnCells(run, GRID, "a.nc")


def test_the_window_holds_all_that_units_and_parcels_touch() -> None:
    """Seen to pass without parcels, where these were the units: what lies beyond would be counted in other cells."""
    found = land()
    assert found.window.corner == (2, 0)
    assert found.window.grid.shape == (4, 7)
    with pytest.raises(InputError, match="does not touch the run's units"):
        assert land(units=shapely.box([0.0], [0.0], [1.0], [1.0])).window


def test_cells_that_two_units_share_are_covered_once() -> None:
    found = land()
    row = [0, 0, 0, 0, 1, 1, 0.5]
    np.testing.assert_allclose(found.covered, [[0] * 7, [0] * 7, row, row], atol=1e-12)
    np.testing.assert_allclose(found.units_in_cells, [2, 4])
    half_off = land(units=shapely.box([9.5], [41.0], [10.5], [42.0]))
    np.testing.assert_allclose(half_off.units_in_cells, [4])


def test_a_parcel_is_spread_by_areas_on_the_ground_and_what_is_off_the_raster_to_no_cell() -> None:
    """Cells of a row are alike, and those further south are larger."""
    found = land()
    spread = found.spread.toarray().reshape(2, *found.window.grid.shape)
    areas = found.window.grid.areas_of_rows()
    assert (np.diff(areas) > 0).all()
    np.testing.assert_allclose(spread[0, :, 2:4], np.repeat(areas[:, None] / areas.sum() / 2, 2, axis=1))  # fmt: skip
    assert spread[0].sum() == pytest.approx(1)
    assert spread[1, 2, 0] == pytest.approx(0.5, rel=0.02)
    assert spread[1].sum() == spread[1, 2, 0]
