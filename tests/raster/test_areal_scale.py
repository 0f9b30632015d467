"""Planes that show areas off: told where areas are asked for or cells count alike, and nowhere else."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from pyproj import CRS, Transformer
from shapely import box

from carbongrid.case.readers.grid_crs import scale_problems
from carbongrid.raster.areal_scale import areal_scales, cells_apart
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.overlaps import coverage
from carbongrid.raster.zonal import ZonalOperator, operator, spread, zonal_stats

EAST, NORTH = Transformer.from_crs(4326, 3857, always_xy=True).transform(18.0, 59.3)
STOCKHOLM = Grid("EPSG:3857", 100, (EAST, NORTH, EAST + 20_000, NORTH + 20_000))
TOWN = box(EAST + 3000, NORTH + 3000, EAST + 13_000, NORTH + 13_000)


def calls(town: gpd.GeoSeries, grid: Grid) -> dict[str, Callable[[], Any]]:
    labels = rasterize(town, grid)
    flux = labels.astype(float).drop_attrs(deep=False)
    operator = ZonalOperator(town, grid)
    return {
        "zonal_stats": lambda: zonal_stats(flux, town, ["sum"], weights="area"),
        "operator": lambda: operator.apply(flux, ["sum"], weights="area"),
        "cell_area": lambda: grid.cell_area,
        "cell_areas": lambda: grid.cell_areas,
        "coverage": lambda: coverage(town, grid),
        "coverage of polygons": lambda: coverage(town, town),
        "spread": lambda: spread([1000], labels),
    }


@pytest.mark.parametrize("call", calls(gpd.GeoSeries([TOWN], crs=3857), STOCKHOLM))
def test_areas_in_web_mercator_are_told_with_figures(call: str) -> None:
    """Seen to fail: areas and densities were 3.8 times off, and nothing was said."""
    own = calls(gpd.GeoSeries([TOWN], crs=3857), STOCKHOLM)
    with pytest.warns(UserWarning, match=r"Mercator are about 3.8\d to 3.8\d times the true") as told:  # fmt: skip
        own[call]()
    assert [warning.filename for warning in told] == [__file__]


@pytest.mark.parametrize(
    ("crs", "place", "side"),
    [(32650, (117, 31), 50_000), (32650, (114.1, 30), 20_000), (4528, (120.6, 31.3), 30_000), (3035, (10, 50), 900_000), (2154, (3, 46), 400_000),
     (27700, (-2, 53), 300_000), (25832, (14.9, 51), 5_000), (3067, (27, 65), 400_000), (6677, (139.7, 35.6), 50_000), (2263, (-74, 40.7), 100_000),
     (3857, (0, 0), 100_000), (4326, (18, 59), 2)],
)  # fmt: skip
def test_equal_area_and_national_planes_say_nothing(
    crs: int, place: tuple[float, float], side: float
) -> None:
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(*place)
    grid = Grid(f"EPSG:{crs}", side / 20, (x - side, y - side, x + side, y + side))
    town = gpd.GeoSeries([box(x - side, y - side, x + side, y + side)], crs=crs)
    flux = rasterize(town, grid).astype(float).drop_attrs(deep=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zonal_stats(flux, town, ["sum"], weights="area")
        if crs != 4326:
            zonal_stats(flux, town, ["mean", "std"])
            _ = grid.cell_area, coverage(town, grid), spread([1], rasterize(town, grid))


TALL = Grid("EPSG:3857", 10_000, (0, 0, 200_000, 11_000_000))


@pytest.mark.parametrize("coverage", ["exact", "centre"])
def test_means_of_cells_that_differ_on_the_ground_are_told(coverage: Any) -> None:
    """Seen to fail: the mean latitude of a strip from the equator to 70 degrees was 40.9, by true areas it is 29.8."""
    whole = gpd.GeoSeries([box(0, 0, 200_000, 11_000_000)], crs=3857)
    parts = gpd.GeoSeries([box(0, y, 200_000, y + 30_000) for y in (0, 10_950_000)], crs=3857)
    values = rasterize(whole, TALL).astype(float).drop_attrs(deep=False)
    with pytest.warns(UserWarning, match=r"count alike in means, .* differ by up to 737.7%"):
        zonal_stats(values, whole, ["mean"], coverage=coverage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zonal_stats(values, whole, ["sum", "min"], coverage=coverage)
        zonal_stats(values, whole, ["mean"], coverage=coverage, weights="cells")
        # The plane differs from one to the other, and hardly inside of each.
        zonal_stats(values, parts, ["mean"], coverage=coverage)
        zonal_stats(values, gpd.GeoSeries([None], crs=3857), ["mean"], coverage=coverage)


def test_planes_made_of_grads_are_measured_at_their_place() -> None:
    """Seen to fail: near Lille areas were told to be 1.028 times the true ones, by grads taken for degrees."""
    for crs, place, true in ((27572, (3.06, 50.63), 1.00433), (29702, (47.5, -18.9), 0.99927)):
        x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(*place)
        around = (x - 20_000, y - 20_000, x + 20_000, y + 20_000)
        assert np.mean(areal_scales(f"EPSG:{crs}", around)) == pytest.approx(true, abs=5e-5)
        assert scale_problems(CRS.from_epsg(crs), around, "grid") == []


def test_how_far_cells_differ_is_asked_once_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: of 30,000 polygons every call took five times as long, and each layer of a Dataset told it again."""
    asked = []
    apart = cells_apart
    monkeypatch.setattr(operator, "cells_apart", lambda *of: asked.append(of) or apart(*of))
    whole = gpd.GeoSeries([box(0, 0, 200_000, 11_000_000)], crs=3857)
    layer = rasterize(whole, TALL).astype(float).drop_attrs(deep=False)
    measured = ZonalOperator(whole, TALL)
    for raster in (layer, layer, layer.to_dataset(name="a").assign(b=layer)):
        with pytest.warns(UserWarning, match="count alike in means") as told:
            measured.apply(raster, ["mean"])
        assert len(told) == 1
    assert len(asked) == 1


def test_what_is_not_known_is_not_told() -> None:
    assert areal_scales(None, (0.0, 0.0, 1.0, 1.0)) == (1, 1)
    assert areal_scales("EPSG:4326", (0.0, 0.0, 1.0, 1.0)) == (1, 1)
    beyond = areal_scales("EPSG:3035", (-1e9, -1e9, -9e8, -9e8))
    assert np.allclose(beyond, 1, atol=1e-6)
