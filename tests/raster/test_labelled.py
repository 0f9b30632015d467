"""Tables that say of what each number is are taken in that order or refused, never by place."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from shapes import CRS

from carbongrid.errors import InputError
from carbongrid.method.allocate import apportion
from carbongrid.method.indices import indices
from carbongrid.method.zoning import classify
from carbongrid.raster.grid import Grid
from carbongrid.raster.labelled import require_order_of_labels, require_same_order
from carbongrid.raster.labels import rasterize
from carbongrid.raster.overlaps import area_field
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal import lookup, lookup_sum, spread, zonal_sum

GRID = Grid(CRS, 10, (0, 0, 20, 10))
LAND = Polygons.of(shapely.box([0, 10], [0, 0], [10, 20], [10, 10]), CRS)


def by_unit(values, units="abc"):
    return xr.DataArray(values, dims="unit", coords={"unit": list(units)})


@pytest.mark.parametrize("kind", ["DataArray", "Series"])
@pytest.mark.parametrize("function", [indices, classify])
def test_indices_and_zones_take_no_units_in_another_order(function, kind):
    """Seen to fail: an ECC of 7 for one of 1, and another zone."""
    emission, gdp = by_unit([10, 20, 70]), by_unit([1, 2, 7])
    if kind == "Series":
        emission, gdp = emission.to_series(), gdp.to_series()
    function(emission, emission, gdp)
    function(emission, [1, 2, 7], gdp)
    with pytest.raises(InputError, match=r"emission and gdp are of other rows.*'a' and 'c' at place 0"):  # fmt: skip
        function(emission, emission, gdp[::-1])


TIMES = np.array(["2020-01-01", "2020-01-02"], "M8[ns]")
REAL_PARTS = np.array([1 + 2j, 3])


@pytest.mark.parametrize("odd", [TIMES, TIMES - TIMES[0], REAL_PARTS, ["1", "2"], np.array(["1", 2], object), pd.Series(["1", "2"]), pd.Series(TIMES).dt.tz_localize("UTC"), np.array([1, 2j], object), np.array([*TIMES - TIMES[0]], object)])  # fmt: skip
def test_only_real_numbers_are_numbers(odd):
    """Seen to fail: nanoseconds since 1970 of times, also of none (NaT, -9e18), real parts of complex numbers, and text that was read."""
    labels = rasterize(LAND, GRID)
    plane = labels.copy(data=np.resize(np.asarray(odd), labels.shape))
    doors = [
        lambda: lookup(odd, labels),
        lambda: lookup_sum(odd, labels, 1),
        lambda: spread(odd, labels),
        lambda: area_field(LAND, GRID, odd),
        lambda: indices([5, 7], [1, 2], odd),
        lambda: classify([5, 7], [1, 2], odd),
        lambda: classify(odd, [1, 2], [1, 2]),
    ]
    if plane.dtype != object:
        doors.append(lambda: spread([1, 2], labels, weights=plane))
        doors.append(lambda: spread([1, 2], labels.chunk(), weights=plane))
    for door in doors:
        with pytest.raises(InputError, match=r"must be real numbers, not .*astype"):
            door()


@pytest.mark.parametrize("real", [[True, 2], np.array([1, 2**70], object), np.array([Fraction(1), Decimal(2)], object), pd.Series([1, 2], dtype="Int64"), np.array([1, 2], "f2")])  # fmt: skip
def test_numbers_of_any_type_are_taken(real):
    labels = rasterize(LAND, GRID)
    assert lookup(real, labels).values.tolist() == [[1.0, float(real[1])]]
    assert spread(real, labels).sum() > 0
    assert area_field(LAND, GRID, real).tolist() == [[1.0, float(real[1])]]
    assert indices(real, real, real).ccr.values.tolist() == [1, 1]
    assert classify(real, real, real).tolist() == [1, 1]


@pytest.mark.parametrize("unknown", [[None, 2], [np.nan, 2], pd.Series([pd.NA, 2], dtype="Int64"), np.array([pd.NA, 2], object)])  # fmt: skip
def test_gdp_that_is_missing_is_no_other_type(unknown):
    assert classify([5, 7], [1, 2], unknown).tolist() == [0, 1]


def test_a_sorted_table_is_not_taken_by_place():
    """Seen to fail for a Series, where a DataArray was refused."""
    labels = np.array([[1, 2], [3, 0]], np.uint32)
    table = zonal_sum(np.array([[5, 9], [7, 0]]), labels, 3).to_series()
    assert lookup(table, labels).values.tolist() == [[5, 9], [7, 0]]
    with pytest.raises(InputError, match=r"labels that are not 1, 2, 3.*sort_index"):
        lookup(table.sort_values(), labels)
    placed = xr.DataArray(labels, dims=("y", "x"), coords={"y": [15.0, 5], "x": [5.0, 15]})
    with pytest.raises(InputError, match="labels that are not 1, 2, 3"):
        spread(table.sort_values(), placed)


def test_what_tells_no_order_of_labels_is_taken_by_place():
    """Seen to refuse masses of a frame that was sorted before it was burnt, with the hint to sort them back."""
    for index in (pd.RangeIndex(3), pd.Index(["p7", "p1", "p3"]), pd.Index([2, 0, 1]), pd.Index([3, 1, 2])):  # fmt: skip
        require_order_of_labels(pd.Series([5, 6, 7], index))
    require_order_of_labels(xr.DataArray([5.0, 6, 7], dims="label"))
    require_order_of_labels(by_unit([1, 2, 3], [0, 1, 2]))
    require_same_order(a=pd.Series([1, 2]), b=pd.Series([1, 2], ["x", "y"]), c=[1, 2])
    require_same_order(a=by_unit([1, 2, 3]).drop_indexes("unit"), b=by_unit([1, 2, 3], "xyz"))
    categories = [pd.CategoricalIndex(list(each)) for each in ("ab", "ac")]
    with pytest.raises(InputError, match="'b' and 'c' at place 1"):
        require_same_order(a=pd.Series([1, 2], categories[0]), b=pd.Series([1, 2], categories[1]))
    for gap in ([1.0, 2.0, np.nan], pd.Index([1, 2, pd.NA], dtype="Int64")):
        require_same_order(a=pd.Series([1, 2, 3], gap), b=pd.Series([4, 5, 6], gap))
        with pytest.raises(InputError, match="place 0"):
            require_same_order(a=pd.Series([1, 2, 3], gap), b=pd.Series([4, 5, 6], [9, 2, 3]))
    labels = pd.Series([1, 2], pd.Index([1, 2], name="label"))
    require_same_order(a=labels, b=pd.Series([1, 2]))
    rows = pd.DataFrame({"a": range(4)})["a"]
    with pytest.raises(InputError, match="a and b are of other rows"):
        require_same_order(a=rows[1:], b=rows[:3])
    with pytest.raises(InputError, match="a and b are of other rows"):
        require_same_order(a=pd.Series([1, 2], ["x", "z"]), b=pd.Series([1, 2], ["x", "y"]))
    with pytest.raises(InputError, match="a and b are of other rows"):
        require_same_order(a=pd.Series([1, 2]), b=pd.Series([1, 2])[::-1])


def test_what_lies_under_a_mask_is_not_taken():
    """Seen to fail: 98 of 100 went to what was masked."""
    masked = np.ma.array([1, 98, 1], mask=[0, 1, 0])
    labels = np.array([[1, 2], [3, 0]], np.uint32)
    for call in (lambda: apportion(100, masked), lambda: lookup(masked, labels), lambda: indices(masked, [1, 1, 1], [1, 1, 1])):  # fmt: skip
        with pytest.raises(InputError, match=r"1 value of .* is masked"):
            call()
    found = indices([1, 2, 3], [1, 1, 1], np.ma.array([1, 5, 3], mask=[0, 1, 0]))
    assert found["ecc"].values[[0, 2]].tolist() == [1, 1]
    assert np.isnan(found["ecc"].values[1])
