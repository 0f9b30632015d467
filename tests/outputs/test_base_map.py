"""The report's base map: which parcel is seen at each dot, what is kept of it, and that a kept one draws the same report."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import held_as_coordinates
from tables_example import CRS

import carbongrid.outputs.report.base_map as module
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import burn_window
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.row_blocks import row_blocks

coordinates = st.tuples(st.integers(-40, 80), st.integers(-40, 80))


@given(st.lists(st.tuples(coordinates, st.integers(0, 50), st.integers(1, 50)), max_size=12), st.integers(1, 5))  # fmt: skip
def test_blocks_are_burnt_where_their_parcels_lie(boxes, rows):
    """Beyond the edge and without any polygon, too. Seen to fail where a window begins two cells late."""
    made = [shapely.box(x / 4, y / 4, (x + width) / 4, (y + height) / 4) for (x, y), width, height in boxes]  # fmt: skip
    shapes = np.array([shapely.Polygon(), *made], dtype=object)
    grids = [Grid(CRS, side, (0.0, 0.0, 12.0, 9.0)) for side in (0.5, 1.0)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "row_blocks", lambda size: row_blocks(size, rows))
        found = module._burnt(gpd.GeoDataFrame(geometry=shapes), grids)
    for dots, grid in zip(found, grids, strict=True):
        whole = burn_window(Polygons.of(shapes), grid, (0, 0), grid.shape)
        np.testing.assert_array_equal(dots, whole)


def test_a_parcel_of_a_later_block_covers_an_earlier_one(monkeypatch):
    """And blocks are put together in their order. Seen to fail when the earlier one stays."""
    land = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 4, 4), shapely.box(2, 0, 4, 2), shapely.box(3, 0, 4, 4)])  # fmt: skip
    grid = Grid("EPSG:3035", 1, (0, 0, 4, 4))
    [whole] = module._burnt(land, [grid])
    monkeypatch.setattr(module, "row_blocks", lambda size: [slice(i, i + 1) for i in range(size)])
    [parts] = module._burnt(land, [grid])
    held = gpd.GeoDataFrame(geometry=held_as_coordinates(land.geometry.to_numpy().copy(), None))
    assert module._burnt(held, [grid])[0].tolist() == parts.tolist()
    assert parts.tolist() == whole.tolist() == [[1, 1, 1, 3], [1, 1, 1, 3], [1, 1, 2, 3], [1, 1, 2, 3]]  # fmt: skip
