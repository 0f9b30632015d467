"""Units of coordinates against those of their CRS, degrees in every spelling of CF: one place for files and arrays."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from pyproj import CRS
from shapely import box

from carbongrid.errors import InputError
from carbongrid.raster.axis_units import axis_of_angle, require_units_of_crs
from carbongrid.raster.grid import Grid
from carbongrid.raster.zonal import ZonalOperator, spread, zonal_stats

LAMBERT = CRS("+proj=lcc +lat_1=30 +lat_2=33 +lat_0=31.3 +lon_0=120.6 +datum=WGS84 +units=m")
SATELLITE = CRS("+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80")
TOWN = gpd.GeoSeries([box(40e3, 40e3, 60e3, 60e3)], crs=LAMBERT)


def raster(crs: CRS | None, units: str, side: float) -> xr.DataArray:
    x = (np.arange(300) - 149.5) * side
    coordinates = {"y": ("y", x[::-1], {"units": units}), "x": ("x", x, {"units": units})}
    made = xr.DataArray(np.ones((300, 300)), dims=("y", "x"), coords=coordinates, name="co2")
    if crs is None:
        return made
    made.encoding["grid_mapping"] = "crs"
    return made.assign_coords(crs=((), 0, crs.to_cf()))


def small(units: str | None, middle: tuple[float, float] = (3.0, 2.0)) -> xr.DataArray:
    """Raster around (x, y) that says a unit."""
    told = {} if units is None else {"units": units}
    places = {axis: (axis, at + np.array([-1.0, 1.0]) * by, told) for axis, at, by in (("y", middle[1], -1), ("x", middle[0], 1))}  # fmt: skip
    return xr.DataArray(np.ones((2, 2)), dims=("y", "x"), coords=places)


def test_kilometres_on_a_plane_in_metres_are_refused_wherever_cells_are_laid(tmp_path: Any) -> None:
    """Seen to fail: a town of 400 t had none, the 0 t of the middle were 400 t."""
    km = raster(LAMBERT, "km", 1.0)
    km.to_netcdf(tmp_path / "km.nc")
    metres = raster(LAMBERT, "m", 1000.0)
    operator = ZonalOperator(TOWN, Grid.like(metres))
    for call in (
        lambda: zonal_stats(tmp_path / "km.nc", TOWN, ["sum"]),
        lambda: zonal_stats(km, TOWN, ["sum"]),
        lambda: zonal_stats(km, TOWN, ["sum"], coverage="centre"),
        lambda: Grid.like(km),
        lambda: operator.apply(km, ["sum"]),
        lambda: spread([1], km.astype(np.uint32)),
    ):
        with pytest.raises(InputError, match=r"along y are in 'km', and .* 1 m. .*values \* 1000"):
            call()
    mended = km.assign_coords({axis: (axis, km[axis].values * 1000, {}) for axis in ("y", "x")})
    for sound in (metres, mended):
        assert zonal_stats(sound, TOWN, ["sum"])["sum"].item() == 400
        assert operator.apply(sound, ["sum"])["sum"].item() == 400


def test_radians_on_a_plane_and_kilometres_without_a_crs_are_refused() -> None:
    """Seen to fail: a scan of a satellite in radians was 0.6 m wide, a square kilometre of labels one square metre."""
    with pytest.raises(InputError, match=r"along y are in 'rad', and the CRS .* has lengths"):
        Grid.like(raster(SATELLITE, "rad", 5.6e-5))
    with pytest.raises(
        InputError, match="in 'km', and coordinates without a CRS are taken for 1 m"
    ):
        spread([1], raster(None, "km", 1.0).astype(np.uint32))


@pytest.mark.parametrize(
    ("units", "crs"),
    [("m", "EPSG:32650"), ("metre", "EPSG:32650"), ("US_survey_foot", "EPSG:2263"), ("ft", "EPSG:2263"),
     ("degrees_north", "EPSG:4326"), ("degree", "EPSG:4326"), ("parsec", "EPSG:32650"), (None, "EPSG:32650"), ("1", "EPSG:4326"), ("degrees", None)],
)  # fmt: skip
def test_units_that_agree_or_say_nothing_are_taken(units: str | None, crs: str | None) -> None:
    require_units_of_crs(small(units), crs)


@pytest.mark.parametrize(
    ("units", "crs", "told"),
    [("m", "EPSG:4326", "has angles"), ("radian", "EPSG:4326", "units of 0.0174533 rad"), ("m", "EPSG:2263", "units of 0.304801 m"),
     ("degreeN", "EPSG:32650", "has lengths")],
)  # fmt: skip
def test_units_that_contradict_the_crs_are_refused(units: str, crs: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        require_units_of_crs(small(units), crs)


def test_numbers_that_cannot_be_in_the_unit_that_they_kept_are_taken_as_they_are() -> None:
    """Seen to fail: xarray keeps units through arithmetic, metres made of kilometres were refused, and a million times off as the hint said."""
    km = raster(LAMBERT, "km", 1.0)
    with xr.set_options(keep_attrs=True):
        made = km.assign_coords(x=km.x * 1000, y=km.y * 1000)
        assert made.x.attrs["units"] == "km"
        assert zonal_stats(made, TOWN, ["sum"])["sum"].item() == 400
        scan = raster(SATELLITE, "rad", 5.6e-5)
        scan = scan.assign_coords(x=scan.x * 35786023.0, y=scan.y * 35786023.0)
        assert Grid.like(scan).resolution == pytest.approx(2004.017, rel=1e-6)
    for units, crs, middle in (
        ("radian", "EPSG:4326", (3.0, 30.0)),
        ("km", "EPSG:32650", (5e5, 3.5e6)),
        ("m", "EPSG:2263", (9.8e5, 2e5)),  # metres would be 2900 km east of New York
        ("degrees", "EPSG:32650", (5e5, 3.5e6)),
    ):
        require_units_of_crs(small(units, middle), crs)
    for units, crs, middle in (("radian", "EPSG:4326", (3.0, 0.5)), ("km", "EPSG:32650", (500.0, 3500.0)), ("km", "EPSG:27700", (400.0, 300.0)), ("m", "EPSG:2263", (3e5, 6e4))):  # fmt: skip
        with pytest.raises(InputError, match=r"right already, .*y\"\]\.attrs.pop\(\"units\"\); "):
            require_units_of_crs(small(units, middle), crs)


def test_the_way_out_of_another_unit_mends_both_axes_to_the_last_digit() -> None:
    """Seen to fail: with six digits of 180 / pi a cell of 1/3600 degree at 170 E was beside its place; and one axis at a time."""
    angle = 180 / np.pi
    made = small("radian", (2.97, 0.87))
    with pytest.raises(InputError) as refused:
        require_units_of_crs(made, "EPSG:4326")
    hint = str(refused.value)
    assert hint.count(f"values * {angle!r}, {{}})") == 2
    written = hint.split("in that unit: ")[1].rstrip(".")
    mended = eval(written, {"raster": made})
    require_units_of_crs(mended, "EPSG:4326")
    np.testing.assert_allclose(mended.x, np.rad2deg(made.x), rtol=1e-15)
    for each in ("y", "x"):
        eval(f'raster["{each}"].attrs.pop("units")', {"raster": made})
    require_units_of_crs(made, "EPSG:4326")


@pytest.mark.parametrize("spelling", ["degrees_{}", "degree_{}", "degrees{}", "degree{}"])
@pytest.mark.parametrize(("x", "y"), [("east", "north"), ("E", "N")])
def test_degrees_in_every_spelling_say_which_axis_is_which(spelling: str, x: str, y: str) -> None:
    """Seen to fail: with degree_east the corner in the north-west had 0 and the one in the south-east its 400."""
    assert axis_of_angle(spelling.format(x)) == "x"
    assert axis_of_angle(spelling.format(y)) == "y"
    places = np.arange(-9.5, 10)
    values = np.where((places[:, None] < -8) & (places > 8), 100.0, 0.0)
    columns = {"i": ("i", places, {"units": spelling.format(x)}), "j": ("j", places, {"units": spelling.format(y)})}  # fmt: skip
    made = xr.DataArray(values, dims=("i", "j"), coords=columns)
    made = made.assign_coords(spatial_ref=((), 0, CRS(4326).to_cf()))
    corners = gpd.GeoSeries([box(-10, 8, -8, 10), box(8, -10, 10, -8)], crs=4326)
    assert zonal_stats(made, corners, ["sum"])["sum"].values.tolist() == [400, 0]
