"""What is asked for is what is answered: classes as the raster holds them, units of sums, values of polygons block by block."""

from __future__ import annotations

import dask
import numpy as np
import pytest
import shapely
import xarray as xr
from shapes import CRS, partition

from carbongrid.errors import InputError
from carbongrid.raster.grid import Grid
from carbongrid.raster.labels import rasterize
from carbongrid.raster.zonal import ZonalOperator, recipes
from carbongrid.raster.zonal.recipes import classes_as

GRID = Grid(CRS, 1, (0, 0, 12, 10))
LAND = np.array([shapely.box(0.5, 0.5, 4, 4), shapely.box(4, 4, 11, 9)])


def on(grid, values, **attributes):
    template = rasterize(np.array([None]), grid)
    return template.copy(data=values).assign_attrs({"polygons": None, **attributes})


def test_classes_are_those_that_the_raster_can_hold():
    """Seen to fail: class 300 of bytes came back as 44, and 0.1 was nowhere in float32 values of 0.1."""
    operator = ZonalOperator(LAND, GRID)
    cover = on(GRID, np.full(GRID.shape, 7, "u1"))
    with pytest.raises(InputError, match=r"a raster of uint8 has no class 300"):
        operator.apply(cover, "fractions", classes=[7, 300])
    with pytest.raises(InputError, match=r"has no class 1.5"):
        operator.apply(cover, "fractions", classes=[1.5])
    for wrong in (["a"], [1.0, np.nan]):
        with pytest.raises(InputError, match=r"classes must be numbers"):
            operator.apply(cover, "fractions", classes=wrong)
    tenths = operator.apply(on(GRID, np.full(GRID.shape, 0.1, "f4")), "fractions", classes=[0.1, 2])
    assert tenths["fractions"].values.tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert tenths["class"].dtype == np.float32
    assert classes_as([True, False, True], np.dtype(bool)).tolist() == [False, True]
    assert classes_as([3, 1, 3], np.dtype("i2")).tolist() == [1, 3]


def test_fractions_of_a_raster_that_is_unknown_everywhere():
    """Seen to fail with an error of NumPy's, about a shape."""
    nothing = on(GRID, np.full(GRID.shape, 255, "u1"), _FillValue=255)
    made = ZonalOperator(LAND, GRID).apply(nothing, ["fractions", "majority"])
    assert made["fractions"].shape == (2, 0)
    assert np.isnan(made["majority"]).all()


def test_classes_of_several_variables_are_named():
    """Seen to fail with an error of xarray's, about indexes that differ."""
    covers = xr.Dataset(
        {name: on(GRID, np.full(GRID.shape, value, "u1")) for name, value in (("a", 1), ("b", 2))}
    )
    operator = ZonalOperator(LAND, GRID)
    with pytest.raises(InputError, match=r"differs from variable to variable.*classes="):
        operator.apply(covers, "fractions")
    made = operator.apply(covers, "fractions", classes=[1, 2])
    assert made["b_fractions"].values.tolist() == [[0.0, 1.0], [0.0, 1.0]]
    layers = xr.concat([covers["a"], covers["b"]], "class")
    with pytest.raises(InputError, match=r"a dimension of the values is called 'class'"):
        operator.apply(layers, "fractions", classes=[1, 2])


def test_units_of_a_weighted_sum_are_a_product():
    """Seen to fail: 40 kg of 1 kg m-2 on 40 m2 were told to be kg m-2."""
    operator = ZonalOperator(LAND, GRID)
    density = on(GRID, np.ones(GRID.shape), units="kg m-2")
    for weights, units in (
        (None, "kg m-2"),
        ("cells", "kg m-2"),
        ("area", "kg m-2 m2"),
        (on(GRID, np.ones(GRID.shape), units="person"), "kg m-2 person"),
        (np.ones(GRID.shape), "kg m-2"),
    ):
        made = operator.apply(density, ["sum", "mean"], weights=weights)
        assert (made["sum"].attrs["units"], made["mean"].attrs["units"]) == (units, "kg m-2")
    bare = on(GRID, np.ones(GRID.shape)).drop_attrs()
    assert operator.apply(bare, "sum", weights="area")["sum"].attrs["units"] == "m2"


def test_values_of_polygons_in_one_block_are_not_kept(monkeypatch):
    """Seen to fail when a polygon that goes on in another block is finished in its first, and when batches leave one out."""
    grid = Grid(CRS, 10, (0, 0, 900, 700))
    random = np.random.default_rng(5)
    values = np.round(random.normal(0, 30, grid.shape))
    values[random.random(grid.shape) < 0.05] = np.nan
    operator = ZonalOperator(partition(40, 900.0, 2), grid)
    stats = ["median", "quantile_10", "majority", "minority", "variety"]
    raster = on(grid, values)
    kept = []
    merged = recipes.merged
    monkeypatch.setattr(
        "carbongrid.raster.zonal.recipes.merged",
        lambda parts: kept.extend(part.values.values.size for part in parts) or merged(parts),
    )
    monkeypatch.setattr(recipes, "_CELLS_AT_ONCE", 10**9)
    whole = operator.apply(raster, stats)
    assert kept == [0]
    monkeypatch.setattr(recipes, "_CELLS_AT_ONCE", 500)
    assert operator.apply(raster, stats).identical(whole)
    with dask.config.set(scheduler="synchronous"):
        for chunks in ((70, 30), (20, 90), (33, 17)):
            lazy = raster.chunk(y=chunks[0], x=chunks[1])
            assert operator.apply(lazy, stats).compute().identical(whole)
            # With fractions everything is kept to the end.
            fractions = operator.apply(lazy, [*stats, "fractions"], classes=[0]).compute()
            assert fractions[stats].identical(whole)
