"""Polygons of which not one meets the grid: refused where a missing CRS is why, else told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.overlaps import area_field, coverage, overlap
from carbongrid.raster.zonal import ZonalOperator, weighted_overlap, zonal_stats

GRID = Grid("EPSG:3035", 100, (4_320_000, 2_710_000, 4_322_000, 2_712_000))
LAND = gpd.GeoSeries([shapely.box(4_320_000, 2_710_000, 4_321_000, 2_711_000), None], crs=3035)
CALLS: dict[str, Callable[[Any], Any]] = {
    "zonal_stats": lambda land: zonal_stats(_values(), land, ["sum"]),
    "by centres": lambda land: zonal_stats(_values(), land, ["sum"], coverage="centre"),
    "operator": lambda land: ZonalOperator(land, GRID),
    "rasterize": lambda land: rasterize(land, GRID),
    "overlap": lambda land: overlap(land, LAND, grid=GRID),
    "coverage": lambda land: coverage(land, GRID),
    "coverage of polygons": lambda land: coverage(land, LAND),
    "area_field": lambda land: area_field(land, GRID, [1.0, 0.0]),
    "weighted_overlap": lambda land: weighted_overlap(land, LAND, _values()),
}


def _values() -> Any:
    made = rasterize(np.array([None]), GRID)
    return made.copy(data=np.ones(GRID.shape)).drop_attrs(deep=False)


def _bare(land: gpd.GeoSeries) -> gpd.GeoSeries:
    return gpd.GeoSeries(land.to_numpy())


@pytest.mark.parametrize("call", CALLS)
def test_degrees_without_a_crs_are_refused_on_a_plane(call: str) -> None:
    """Seen to fail: sums were 0 and labels 0, and nothing was said."""
    for land in (_bare(LAND.to_crs(4326)), LAND.to_crs(4326).to_numpy()):
        with pytest.raises(InputError, match=r"have no CRS, and none of the polygons .* Set it"):
            CALLS[call](land)


@pytest.mark.parametrize("call", CALLS)
def test_polygons_off_the_grid_are_told(call: str) -> None:
    """Seen to fail: as above, with a CRS that is wrong."""
    wrong = LAND.to_crs(4326).set_crs(3035, allow_override=True)
    for land in (wrong, LAND.translate(90_000), _bare(LAND.translate(90_000))):
        with pytest.warns(UserWarning, match="none of the polygons meets") as told:
            CALLS[call](land)
        assert [warning.filename for warning in told] == [__file__]


@pytest.mark.parametrize("call", CALLS)
def test_polygons_on_the_grid_need_no_crs_and_none_need_be_there(call: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for land in (LAND, _bare(LAND), LAND.to_numpy(), _bare(LAND.translate(500))):
            CALLS[call](land)
        if call != "area_field":  # an amount needs an area
            CALLS[call](gpd.GeoSeries([None], crs=3035))


def test_metres_without_a_crs_are_refused_in_degrees() -> None:
    grid = Grid("EPSG:4326", 0.01, (15, 46, 16, 48))
    with pytest.raises(InputError, match="the polygons have no CRS"):
        rasterize(_bare(LAND), grid)
    with pytest.warns(UserWarning, match="none of the polygons meets"):
        rasterize(_bare(LAND.to_crs(4326).translate(20)), grid)


def test_a_plane_near_its_origin_is_none_of_degrees() -> None:
    """Seen to fail: metres below 90 passed for degrees, and polygons in metres were refused."""
    grid = Grid("EPSG:3035", 1, (0, 0, 80, 80))
    for place in (500, 100, 81):
        with pytest.warns(UserWarning, match="none of the polygons meets"):
            rasterize(gpd.GeoSeries([shapely.box(place, place, place + 5, place + 5)]), grid)


def test_metres_are_told_whole() -> None:
    """Seen to fail: y 3.46e+06..3.461e+06."""
    grid = Grid("EPSG:4528", 10, (40_500_120, 3_460_120, 40_501_000, 3_461_230))
    with pytest.warns(UserWarning, match=r"that runs x 40500120\.\.40501000, y 3460120\.\.3461230"):
        rasterize(gpd.GeoSeries([shapely.box(0, 0, 5, 5)], crs=4528), grid)


def test_the_warning_of_tile_after_tile_is_silenced_by_its_words() -> None:
    """As docs/howto/zonal.md says."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "none of the polygons meets")
        rasterize(LAND.translate(90_000), GRID)
