"""Rasters in the layouts of EDGAR and ODIAC against a run: units by shapely, cells by shapely, units of measure, axes, what is left out."""

from __future__ import annotations

import calendar
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import squares_case
import xarray as xr
from declared import of_folder
from pyproj import CRS, Geod
from raster_files import edgar

from carbongrid.analysis.published.attributes import in_small_letters
from carbongrid.analysis.published.gridded import _as_months, _numbered_as_months, gridded
from carbongrid.analysis.published.land_on_cells import matrix_of
from carbongrid.analysis.published.rasters import (
    OpenedRaster,
    PublishedRaster,
    Window,
    read_rasters_table,
)
from carbongrid.analysis.published.units_of_measure import read_unit
from carbongrid.analysis.validation.cells import centres_written
from carbongrid.analysis.validation.validation import validate
from carbongrid.errors import InputError
from carbongrid.outputs.tables.layers import read_unit_geometry
from carbongrid.pipeline import run
from carbongrid.pipeline.run_carriers import RunCarriers

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use `@` matmul:PendingDeprecationWarning"
)  # of rioxarray

YEAR = 2020
SECONDS = 366 * 86400
SIDE = 0.004
NEAR = 1e-4
"""Edges are bent to 0.001 of a cell, and these units have some ten cells on their borders."""
TABLES = {
    "totals.csv": "category,value,unit\nagriculture/plantation,3,kt CO2e\nindustry/manufacturing,5,kt CO2e\nsink/forest,1,kt CO2e\n"
}
CODES = ["0101", "0101", "0601", "0301"]
ALLOW = {"fallback": ["industry/manufacturing"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Iterator[Path]:
    """A run of four squares three degrees west of Greenwich."""
    from drawing import drawing

    folder = tmp_path_factory.mktemp("squares")
    with pytest.MonkeyPatch.context() as patch, drawing(False):
        patch.setattr(squares_case, "CRS", 32630)
        run(squares_case.squares_case(folder, CODES, TABLES, allow=ALLOW), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def squares(finished) -> list[shapely.Polygon]:
    """The units in degrees, bent as they are on the ground."""
    units = read_unit_geometry(finished / "units.gpkg").geometry
    return [*units.segmentize(2.0).to_crs(4326)]


@pytest.fixture(scope="module")
def axes(squares) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = shapely.total_bounds(squares)
    lon = np.arange(np.floor(west / SIDE) - 3, np.ceil(east / SIDE) + 3) * SIDE + SIDE / 2
    lat = np.arange(np.floor(south / SIDE) - 2, np.ceil(north / SIDE) + 2) * SIDE + SIDE / 2
    return lat, lon


@pytest.fixture(scope="module")
def tonnes(axes) -> np.ndarray:
    """Tonnes of CO2 per cell and year [lat, lon], latitudes from the south."""
    lat, lon = axes
    return np.random.default_rng(3).uniform(1, 400, (lat.size, lon.size))


def areas_of(lat, side):
    """m2 of a cell at each latitude, by the geodesic area of a finely bent box."""
    geod = Geod(ellps="WGS84")
    boxes = [shapely.segmentize(shapely.box(0, y - side / 2, side, y + side / 2), side / 50) for y in lat]  # fmt: skip
    return np.array([abs(geod.geometry_area_perimeter(box)[0]) for box in boxes])


def geotiff(path, axes, values, side=SIDE, crs="EPSG:4326", nodata=None):
    """Rows from the north; of several layers each a band."""
    lat, lon = axes
    bands = values.reshape(-1, *values.shape[-2:])
    transform = rasterio.Affine(side, 0, lon[0] - side / 2, 0, -side, lat[-1] + side / 2)
    profile = {"driver": "GTiff", "count": len(bands), "dtype": "float64", "crs": crs, "transform": transform, "nodata": nodata}  # fmt: skip
    with rasterio.open(path, "w", height=lat.size, width=lon.size, **profile) as raster:
        raster.write(bands[:, ::-1])
    return path


def shares_by_shapely(polygons, axes, side=SIDE):
    """Share of each cell in each polygon [polygon, lat, lon]."""
    lat, lon = axes
    x, y = np.meshgrid(lon, lat)
    cells = shapely.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return np.array([shapely.area(shapely.intersection(each, cells)) for each in polygons]) / side**2  # fmt: skip


def published(found):
    return found.values.set_index("region")["published_t"].to_numpy()


TOLD = {"units": "Tonnes", "substance": "CO2"}
PER_YEAR = {"unit": "t CO2 yr-1", "draws": 2}


@pytest.mark.parametrize("way", ["emissions", "north first", "0..360", "fluxes", "classic", "zarr"])
def test_units_have_what_shapely_cuts_out_of_the_cells(finished, squares, axes, tonnes, tmp_path, way):  # fmt: skip
    """EDGAR's layouts, whichever way the axes run and whichever unit it is in."""
    lat, lon = axes
    settings = dict(PER_YEAR)
    if way == "fluxes":
        flux = tonnes * 1000 / areas_of(lat, SIDE)[:, None] / SECONDS
        path = edgar(tmp_path / "flx.nc", axes, flux, "fluxes", units="kg m-2 s-1", substance="CO2")
        settings.pop("unit")
    elif way == "north first":
        path = edgar(tmp_path / "emi.nc", (lat[::-1], lon), tonnes[::-1], **TOLD)
    elif way == "0..360":
        path = edgar(tmp_path / "emi.nc", (lat, lon + 360), tonnes, **TOLD)
    elif way == "zarr":
        opened = xr.open_dataset(edgar(tmp_path / "emi.nc", axes, tonnes, **TOLD)).load()
        opened.to_zarr(path := tmp_path / "emi.zarr", consolidated=False)
    else:
        engine = "scipy" if way == "classic" else "h5netcdf"
        path = edgar(tmp_path / "emi.nc", axes, tonnes, engine=engine, **TOLD)
    found = validate(finished, path, **settings)
    by_hand = (shares_by_shapely(squares, axes) * tonnes).sum(axis=(1, 2))
    np.testing.assert_allclose(published(found), by_hand, rtol=NEAR)
    assert any("taken as WGS 84" in str(problem) for problem, _ in found.remarks)
    covered = shares_by_shapely(squares, axes).sum(axis=0)
    inside, touched = (covered * tonnes).sum(), tonnes[covered > 0].sum()
    told = f"{touched:,.0f} t, of which {100 * (1 - inside / touched):.1f} % are left out"
    assert any(told in str(problem) for problem, _ in found.remarks)


def test_fluxes_in_web_mercator_are_told_with_the_scale_of_its_areas(finished, squares, tmp_path):
    """Seen to fail: a raster of Stockholm had 3.8 times its mass, and nothing was said."""
    units = gpd.GeoSeries(squares, crs=4326).to_crs(3857)
    west, south, east, north = units.total_bounds
    axes = np.arange(south - 500, north + 500, 100), np.arange(west - 500, east + 500, 100)
    path = geotiff(tmp_path / "flux.tif", axes, np.ones((axes[0].size, axes[1].size)), 100, "EPSG:3857")  # fmt: skip
    scale = 1 / np.cos(np.radians(squares[0].centroid.y)) ** 2
    for unit, told in (("kg CO2 m-2 yr-1", True), ("t CO2 yr-1", False)):
        found = validate(finished, path, unit=unit, draws=2)
        remarks = [(str(problem), zh) for problem, zh in found.remarks]
        off = [both for both in remarks if "areas in WGS 84 / Pseudo-Mercator are about" in both[0]]
        assert bool(off) is told
        assert all("等积坐标系" in zh for _, zh in off)
    assert scale > 1.1


def test_kilometres_and_corners_of_cells_are_refused_with_the_file_s_name(tmp_path):
    """Seen to fail: cells of a kilometre were a metre wide, and coordinates that are corners half a cell off."""
    places = {axis: (axis, np.arange(4.0)[::step], {"units": "km"}) for axis, step in (("y", -1), ("x", 1))}  # fmt: skip
    km = xr.Dataset({"co2": (("y", "x"), np.ones((4, 4)), {"grid_mapping": "crs"})}, coords=places)
    km["crs"] = ((), 0, CRS(32650).to_cf())
    km.to_netcdf(tmp_path / "km.nc")
    edges = km.drop_attrs().assign(crs=km["crs"])
    edges["co2"].attrs["grid_mapping"] = "crs"
    edges["x"].attrs["bounds"] = "x_bnds"
    edges["x_bnds"] = (("x", "nv"), np.stack([edges["x"], edges["x"] + 1], axis=1))
    edges.to_netcdf(tmp_path / "edges.nc")
    for name, told in (("km.nc", r"km.nc: the coordinates along y are in 'km'"), ("edges.nc", r"edges.nc: the coordinates along x are not the middles")):  # fmt: skip
        with pytest.raises(InputError, match=told):
            OpenedRaster.of(PublishedRaster("emission", tmp_path / name, "t CO2 yr-1"))


def test_cells_have_what_shapely_cuts_out_of_the_parcels(finished, squares, axes, tonnes, tmp_path):
    """Parcels are the units' squares: each one's mass goes to cells by area on the ground."""
    found = validate(finished, edgar(tmp_path / "emi.nc", axes, tonnes, **TOLD), **PER_YEAR)
    lat, _ = axes
    shares = shares_by_shapely(squares, axes)
    areas = shares * areas_of(lat, SIDE)[:, None]
    mass = found.values.set_index("region")["ours_t"].to_numpy()
    ours = (mass[:, None, None] * areas / areas.sum(axis=(1, 2), keepdims=True)).sum(axis=0)
    theirs = shares.sum(axis=0) * tonnes
    cells = found.cells
    row, column = lat.size - 1 - cells["row"].to_numpy(), cells["column"].to_numpy()
    np.testing.assert_allclose(cells["ours_t"], ours[row, column], rtol=NEAR, atol=NEAR * mass.max())  # fmt: skip
    np.testing.assert_allclose(
        cells["published_t"], theirs[row, column], rtol=NEAR, atol=1e-3 * tonnes.max()
    )
    np.testing.assert_allclose(cells["y"], lat[row])
    measures = found.cell_measures.iloc[0]
    assert measures["cells"] == (theirs > 1e-6).sum()
    assert measures["ours_t"] == pytest.approx(mass.sum())
    assert measures["misplaced"] == pytest.approx(np.abs(ours - theirs).sum() / 2 / theirs.sum(), rel=NEAR)  # fmt: skip
    apart = np.abs(ours * theirs.sum() / ours.sum() - theirs)
    assert measures["misplaced_scaled"] == pytest.approx(apart.sum() / 2 / theirs.sum(), rel=NEAR)
    worst = np.sort(apart.ravel())[::-1][:10]
    np.testing.assert_allclose(
        found.worst_cells["apart_t"].abs(), worst, rtol=NEAR, atol=NEAR * mass.max()
    )


def test_odiac_as_twelve_geotiffs_and_as_daily_means(finished, squares, axes, tonnes, tmp_path):
    """The same year of carbon, in tonnes per cell and month and in g m-2 per day."""
    lat, lon = axes
    carbon = tonnes * 12 / 44
    parts = np.random.default_rng(4).dirichlet(np.full(12, 5.0))
    files = [geotiff(tmp_path / f"odiac_{month:02}.tif", axes, carbon * part) for month, part in enumerate(parts)]  # fmt: skip
    days = np.array([calendar.monthrange(YEAR, month)[1] for month in range(1, 13)])
    daily = carbon * 1e6 / areas_of(lat, SIDE)[:, None] * (parts / days)[:, None, None]
    layers = {
        "land": (("month", "lat", "lon"), daily, {"units": "gC/m2/d"}),
        "intl_bunker": (("month", "lat", "lon"), daily * 0, {"units": "gC/m2/d"}),
    }
    coords = {"lat": lat, "lon": lon, "month": np.arange(1, 13)}
    xr.Dataset(layers, coords).to_netcdf(tmp_path / "odiac.nc", engine="h5netcdf")
    by_month = validate(finished, files, unit="t C month-1", draws=2)
    by_hand = (shares_by_shapely(squares, axes) * tonnes).sum(axis=(1, 2))
    np.testing.assert_allclose(published(by_month), by_hand, rtol=NEAR)
    daily_means = validate(finished, tmp_path / "odiac.nc", variable="land", draws=2)
    np.testing.assert_allclose(published(daily_means), by_hand, rtol=NEAR)
    with pytest.raises(InputError, match="several variables: land, intl_bunker"):
        validate(finished, tmp_path / "odiac.nc")
    with pytest.raises(InputError, match="no variable or band 'sea'"):
        validate(finished, tmp_path / "odiac.nc", variable="sea")
    with pytest.raises(InputError, match="11 months in 11 rasters"):
        validate(finished, files[:11], unit="t C month-1")
    with pytest.raises(InputError, match="stands twice"):
        validate(finished, [*files[:11], files[0]], unit="t C month-1")
    with pytest.raises(InputError, match="neither the raster nor --unit says how much"):
        validate(finished, files[0])


def test_twelve_layers_per_year_and_any_other_number_are_refused(finished, axes, tonnes, tmp_path):
    lat, lon = axes
    coords = {"lat": lat, "lon": lon}
    for count, told in ((12, "twelve layers, and its unit is per year"), (5, "several layers .month 5")):  # fmt: skip
        layers = {"emissions": (("month", "lat", "lon"), np.stack([tonnes] * count), TOLD)}
        xr.Dataset(layers, coords).to_netcdf(path := tmp_path / f"{count}.nc", engine="h5netcdf")
        with pytest.raises(InputError, match=told):
            validate(finished, path, **PER_YEAR)


def stack_of(path, axes, values, dimension="time", coordinate=None, **attributes):
    """Layers of a NetCDF file [dimension, lat, lon], 1/12 of the values in each."""
    lat, lon = axes
    coords = {"lat": lat, "lon": lon} | ({} if coordinate is None else {dimension: coordinate})
    layers = {"emissions": ((dimension, "lat", "lon"), values, attributes)}
    xr.Dataset(layers, coords).to_netcdf(path, engine="h5netcdf")
    return path


PER_MONTH = {"unit": "t CO2 month-1", "draws": 2}


def test_months_are_exactly_twelve_and_stand_beside_no_year(finished, axes, tonnes, tmp_path):
    """Two years of months, or months with their own year, would be added up."""
    months = [geotiff(tmp_path / f"{k:02}.tif", axes, tonnes) for k in range(24)]
    year = geotiff(tmp_path / "year.tif", axes, tonnes * 12)
    with pytest.raises(InputError, match="24 months in 24 rasters"):
        validate(finished, months, **PER_MONTH)
    every = [PublishedRaster("emission", path, "t CO2 month-1") for path in months[:12]]
    annual = PublishedRaster("emission", year, "t CO2 yr-1")
    with pytest.raises(InputError, match=r"year\.tif is of a year, and 12 others are of months"):
        validate(finished, [*every, annual])
    stack = stack_of(tmp_path / "s.nc", axes, np.stack([tonnes] * 12), "month", np.arange(1, 13))
    with pytest.raises(InputError, match="is of a year, and 1 other is of months"):
        validate(finished, [PublishedRaster("emission", stack, "t CO2 month-1"), annual])
    with pytest.raises(InputError, match="24 months in 13 rasters"):
        validate(finished, [stack, *months[:12]], **PER_MONTH)
    table = tmp_path / "rasters.csv"
    rows = [f"emission,road,{path.name},t CO2 month-1\n" for path in months[:12]]
    table.write_text(
        "of,part,path,unit\n" + "".join(rows) + "emission,air,year.tif,t CO2 yr-1\n",
        encoding="utf-8",
    )
    both = validate(finished, read_rasters_table(table), draws=2)
    np.testing.assert_allclose(published(both), 2 * published(validate(finished, year, **PER_YEAR)))


def test_months_of_files_are_those_of_their_dates(finished, axes, tonnes, tmp_path):
    def month(number, year=YEAR):
        path = tmp_path / f"{year}-{number}-{len(list(tmp_path.iterdir()))}.nc"
        return stack_of(path, axes, tonnes[None], coordinate=[np.datetime64(f"{year}-{number:02}-15", "ns")])  # fmt: skip

    files = [month(number) for number in range(1, 13)]
    validate(finished, files, **PER_MONTH)
    for wrong, told in ((month(11), "2020-11 twice"), (month(12, 2019), "2019-12, 2020-01")):
        with pytest.raises(InputError, match=told):
            validate(finished, [*files[:11], wrong], **PER_MONTH)
    with pytest.raises(InputError, match="dated 2020-01, 2020-02"):
        validate(finished, files[:2], **PER_YEAR)


@pytest.mark.parametrize("dated", ["middles", "last days", "numbers", "months"])
def test_twelve_files_of_rates_with_a_date_each_are_months(tmp_path, dated):
    """Seen to be refused: without bounds each was a year, dated in another month; of times 1 to 12 each was a year in silence."""
    lengths = [calendar.monthrange(YEAR, month)[1] for month in range(1, 13)]
    days = {"middles": [15] * 12, "last days": lengths}.get(dated)
    meant, rasters = [], []
    for month in (*range(4, 13), 1, 2, 3):
        path = tmp_path / f"{month}.nc"
        time = np.datetime64(f"{YEAR}-{month:02}-{days[month - 1]:02}", "ns") if days else 100 * YEAR + month  # fmt: skip
        when = {"time": month, "year": YEAR} if dated == "months" else {"time": time}
        rasters.append(one_layer(path, when))
        meant.append(PublishedRaster("emission", path))
    months = _as_months(meant, rasters)
    assert {each.dates.month for each in months} == {(YEAR, month) for month in range(1, 13)}
    assert all(each.months == 1 for each in months)
    assert not any(problem.level == "warning" for each in months for problem, _ in each.remarks)
    window = Window((0, 0), months[0].grid)
    grams = sum(each.grams(window, np.ones((3, 3), bool), YEAR)[0] for each in months)
    np.testing.assert_allclose(grams, 1000 * SECONDS * window.grid.areas_of_rows()[:, None] * np.ones(3))  # fmt: skip
    # Eleven say nothing, nor do twelve of a unit per year.
    assert not any(each.months for each in _as_months(meant[1:], rasters[1:]))
    per_year = dataclasses.replace(rasters[0], unit=read_unit("t CO2 yr-1"))
    assert not any(each.months for each in _as_months(meant, [per_year, *rasters[1:]]))


@pytest.mark.parametrize("dated", ["next", "last", "moments", "middles", "texts", "digits"])
def test_twelve_layers_are_the_months_of_their_bounds(tmp_path, dated):
    """Seen to be refused: the end of a month, of which the bounds are, is a date of the next one; so were dates that are texts."""
    edges = np.arange(f"{YEAR}-01", f"{YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[ns]")  # fmt: skip
    day = np.timedelta64(1, "D")
    times, bounds = {
        "next": (edges[1:], np.stack([edges[:-1], edges[1:]], axis=1)),
        "last": (edges[1:] - day, np.stack([edges[:-1], edges[1:] - day], axis=1)),
        "texts": ([f"{month}" for month in edges[:-1].astype("datetime64[M]")], None),
        "digits": (
            [f"{month}".replace("-", "") for month in edges[:-1].astype("datetime64[M]")],
            None,
        ),
        "moments": (edges[:-1], np.stack([edges[:-1]] * 2, axis=1)),
        "middles": (edges[:-1], np.stack([edges[:-1] - 15 * day, edges[:-1] + 15 * day], axis=1)),
    }[dated]
    opened = twelve_layers(tmp_path / "a.nc", times, bounds)
    assert opened.dates.years == (YEAR,)
    assert opened.dates.months == tuple(range(1, 13))
    assert not any(problem.level == "warning" for problem, _ in opened.remarks)


def test_attributes_are_read_in_whatever_letters_they_are_called(tmp_path):
    """Seen to fail: what a raster calls Unit or Species was not held against --unit."""
    for told, wrong in (({"Unit": "t C yr-1"}, "another substance"), ({"Species": "CH4"}, "Species|species")):  # fmt: skip
        path = edgar(tmp_path / f"{min(told)}.nc", (np.arange(3.0), np.arange(3.0)), np.ones((3, 3)), **told)  # fmt: skip
        with pytest.raises(InputError, match=wrong):
            OpenedRaster.of(PublishedRaster("emission", path, "t CO2 yr-1"))


@pytest.mark.parametrize("unit", ["m", "Metre", "degree", "US survey foot", "°", "米"])
def test_the_unit_of_a_crs_is_none_of_values(unit):
    """Seen to be told as the raster's units, which are not read."""
    assert "units" not in in_small_letters({"unit": unit})
    assert in_small_letters({"unit": unit, "units": "t"})["units"] == "t"
    assert in_small_letters({"units": unit})["units"] == unit


def test_twelve_layers_whose_bounds_are_no_months_are_told(tmp_path):
    """Seen to go without a word: sums since January, and days that stand for months; of one without a length among months theirs was told."""
    edges = np.arange(f"{YEAR}-01", f"{YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[ns]")  # fmt: skip
    bounds = np.stack([np.full(12, edges[0]), edges[1:]], axis=1)
    opened = twelve_layers(tmp_path / "a.nc", edges[:-1], bounds)
    [(problem, zh)] = [both for both in opened.remarks if both[0].level == "warning"]
    assert "has 11 layers with bounds of 60 to 366 days, no month's" in problem.what
    assert "366 天" in zh
    bounds = np.stack([edges[:-1], np.append(edges[1:-1], edges[-2])], axis=1)
    opened = twelve_layers(tmp_path / "c.nc", edges[:-1], bounds)
    [(problem, zh)] = [both for both in opened.remarks if both[0].level == "warning"]
    assert "has 1 layer with bounds of 0 days, no month's" in problem.what
    assert "1 层时间范围为 0 天" in zh
    with pytest.raises(InputError, match="time runs from 2020-02 to 2021-01"):
        twelve_layers(tmp_path / "b.nc", edges[1:], None)


def twelve_layers(path, times, bounds):
    """A raster of nine cells and twelve layers; opened."""
    places = {"lat": [1.0, 2, 3], "lon": [1.0, 2, 3], "time": times}
    told = {"units": "kg m-2 s-1", "substance": "CO2"}
    data = xr.Dataset({"flux": (("time", "lat", "lon"), np.ones((12, 3, 3)), told)}, places)
    if bounds is not None:
        data["time"].attrs["bounds"] = "time_bnds"
        data["time_bnds"] = (("time", "nv"), bounds)
    if data["time"].dtype.kind == "M":
        data["time"].encoding["units"] = "hours since 2000-01-01"
    data.to_netcdf(path, engine="h5netcdf")
    return OpenedRaster.of(PublishedRaster("emission", path))


def test_years_dated_at_their_middle_and_at_their_begin_are_parts(finished, axes, tonnes, tmp_path):
    """As grid_1km.nc and EDGAR date them; the message says the way out, which is gone here."""
    paths = [
        stack_of(tmp_path / f"{day}.nc", axes, tonnes[None], coordinate=[np.datetime64(f"{YEAR}-{day}", "ns")])
        for day in ("07-02", "01-01")
    ]  # fmt: skip
    with pytest.raises(InputError, match="dated 2020-01, 2020-07") as refused:
        validate(finished, paths, **PER_YEAR)
    assert "column part: --rasters" in refused.value.problems[0].hint
    (tmp_path / "rasters.csv").write_text(
        "of,part,path,unit\n" + "".join(f"emission,{path.stem},{path.name},t CO2 yr-1\n" for path in paths), encoding="utf-8"
    )  # fmt: skip
    both = validate(finished, read_rasters_table(tmp_path / "rasters.csv"), draws=2)
    one = validate(finished, paths[0], **PER_YEAR)
    np.testing.assert_allclose(published(both), 2 * published(one))


@pytest.mark.parametrize("first", [1, 4])
def test_rates_are_weighed_by_the_days_of_their_own_months(finished, squares, axes, tonnes, tmp_path, first):  # fmt: skip
    """Files may begin in any month, and months may be written in any order."""
    numbers = [(first - 1 + k) % 12 + 1 for k in range(12)]
    parts = np.random.default_rng(8).dirichlet(np.full(12, 5.0))
    days = np.array([calendar.monthrange(YEAR, number)[1] for number in numbers])
    daily = tonnes * (parts / days)[:, None, None]
    dates = [np.datetime64(f"{YEAR}-{number:02}-15", "ns") for number in numbers]
    by_hand = (shares_by_shapely(squares, axes) * tonnes).sum(axis=(1, 2))
    for name, coordinate in (("time", dates), ("month", numbers)):
        path = stack_of(tmp_path / f"{name}.nc", axes, daily, name, coordinate)
        found = validate(finished, path, unit="t CO2 day-1", draws=2)
        np.testing.assert_allclose(published(found), by_hand, rtol=NEAR)
    since = xr.DataArray(np.arange(12) + first - 1 - 12 * (first > 1), dims="time", attrs={"units": f"months since {YEAR}-01-01"})  # fmt: skip
    path = stack_of(tmp_path / "since.nc", axes, daily, "time", since)
    if first == 1:
        np.testing.assert_allclose(published(validate(finished, path, unit="t CO2 day-1", draws=2)), by_hand, rtol=NEAR)  # fmt: skip
    else:
        with pytest.raises(InputError, match="not the twelve months of one year"):
            validate(finished, path, unit="t CO2 day-1")


def test_twelve_layers_that_are_no_months_are_refused(finished, axes, tonnes, tmp_path):
    twelve = np.stack([tonnes / 12] * 12)
    years = [np.datetime64(f"{year}-01-01", "ns") for year in range(2009, 2021)]
    for number, (dimension, coordinate, told) in enumerate(
        (
            ("time", years, "time runs from 2009-01 to 2020-01, not the twelve months of one year"),
            ("time", np.arange(2009, 2021), "time .2009 to 2020. says no months"),
            ("sector", None, "twelve layers along 'sector'"),
            ("band", np.arange(1, 13), "twelve layers along 'band'"),
        )
    ):
        path = stack_of(tmp_path / f"{number}.nc", axes, twelve, dimension, coordinate)
        with pytest.raises(InputError, match=told):
            validate(finished, path, unit="kg CO2 s-1")


def test_bands_and_times_without_dates_are_told_as_taken_from_january(finished, axes, tonnes, tmp_path):  # fmt: skip
    path = geotiff(tmp_path / "bands.tif", axes, np.stack([tonnes] * 12))
    bare = stack_of(tmp_path / "bare.nc", axes, np.stack([tonnes] * 12), "time")
    for each in (path, bare):
        found = validate(finished, each, **PER_MONTH)
        told = [str(problem) for problem, _ in found.remarks]
        assert any("taken as January to December" in said for said in told)


@pytest.mark.parametrize(
    ("names", "months"),
    [
        ([f"flux_{month:02}" for month in range(1, 13)], True),
        ([f"flux{month}_v2" for month in range(1, 13)], True),
        ([f"2020{month:02}" for month in range(1, 13)], True),
        ([f"2020{month:02}01" for month in range(1, 13)], True),
        (
            [f"2020-{month:02}-{calendar.monthrange(2020, month)[1]}" for month in range(1, 13)],
            True,
        ),
        ([f"{month:02}/flux_2020{month:02}" for month in range(1, 13)], True),
        ([f"sector_{number}" for number in range(12)], False),
        ([f"{2000 + year}" for year in range(12)], False),
        (["energy", "industry", *map(str, range(3, 13))], False),
        ([f"{number}A{13 - number}" for number in range(1, 13)], False),
    ],
)
def test_names_may_be_numbered_as_months_are(names, months):
    """Seen to fail: days of dates, and folders of months."""
    assert _numbered_as_months(names) is months


def test_twelve_rates_in_files_numbered_as_months_are_told_with_figures(finished, axes, tonnes, tmp_path):  # fmt: skip
    """Seen to fail: they were added up as twelve rates of a year, and a note said that twelve are added up; then twelve bands of one file."""
    paths = [geotiff(tmp_path / f"flux_{month:02}.tif", axes, tonnes) for month in range(1, 13)]
    bands = geotiff(tmp_path / "bands.tif", axes, np.stack([tonnes] * 12))
    for several in ([(each, None) for each in paths], [(bands, str(band)) for band in range(1, 13)]):  # fmt: skip
        rasters = [PublishedRaster("emission", path, "t CO2 day-1", variable) for path, variable in several]  # fmt: skip
        [found] = gridded(RunCarriers(finished), rasters, {"emission": {"CO2e"}})
        [(problem, zh)] = [each for each in found.remarks if "twelve times" in each[0].what]
        sums, _ = found.of_units()
        assert problem.level == "warning"
        assert f"{sums.sum() / 12e6:,.0f} t" in problem.what and f"{sums.sum() / 1e6:,.0f} t" in zh
        parts = [each._replace(part=str(number)) for number, each in enumerate(rasters)]
        [found] = gridded(RunCarriers(finished), parts, {"emission": {"CO2e"}})
        assert not any("twelve times" in problem.what for problem, _ in found.remarks)


def test_another_year_than_the_runs_is_told(finished, axes, tonnes, tmp_path):
    for year in (YEAR, 2018):
        path = stack_of(tmp_path / f"{year}.nc", axes, tonnes[None], coordinate=[np.datetime64(f"{year}-07-01", "ns")])  # fmt: skip
        found = validate(finished, path, unit="t CO2 day-1", draws=2)
        told = [problem for problem, _ in found.remarks if "is of the year 2018" in problem.what]
        assert bool(told) is (year == 2018)
        assert all(each.level == "warning" for each in told)
        sums = published(found).sum()
        if year == YEAR:
            leap = sums
    assert sums / leap == pytest.approx(365 / 366)


def one_layer(path, coordinates=None, attributes=None, bounds=None, whole=None):
    """A raster of nine cells and one layer, as whatever says when it is; opened."""
    coordinates = coordinates or {}
    places = {"lat": ("lat", [1.0, 2, 3]), "lon": ("lon", [1.0, 2, 3])}
    axes = (*coordinates, "lat", "lon")
    told = {"units": "kg m-2 s-1", "substance": "CO2", **(attributes or {})}
    layer = np.ones([1] * len(coordinates) + [3, 3])
    places |= {of: (of, [at[1]], {"units": at[0], "calendar": at[2]}) if isinstance(at, tuple) else (of, [at]) for of, at in coordinates.items()}  # fmt: skip
    data = xr.Dataset({"flux": (axes, layer, told)}, places, whole)
    if bounds:
        data["time"].attrs["bounds"] = "time_bnds"
        dates = isinstance(bounds[0], str)
        if dates:
            data["time"].encoding["units"] = "hours since 2000-01-01"
        data["time_bnds"] = (
            ("time", "nv"),
            np.array([bounds], "datetime64[ns]" if dates else None),
        )
    data.to_netcdf(path, engine="h5netcdf")
    return OpenedRaster.of(PublishedRaster("emission", path))


def date(text):
    return np.datetime64(text, "ns")


@pytest.mark.parametrize(
    "said",
    [
        {"attributes": {"year": "2015"}},  # EDGAR
        {"attributes": {"year": np.array([2015.0])}},
        {"attributes": {"Year": "2015"}},
        {"whole": {"year": "2015", "substance": "CO2"}},  # EDGAR, where the file has them
        {"coordinates": {"time": ("days since 2015-01-01", 182.0, "noleap")}, "bounds": [0.0, 365.0]},
        {"coordinates": {"year": 2015}},
        {"coordinates": {"time": 2015.5}},
        {"coordinates": {"time": date("2015-07-02")}, "attributes": {"year": "2022"}},
        {"coordinates": {"time": date("2016-01-01")}, "bounds": ["2015-01-01", "2016-01-01"]},
    ],
)  # fmt: skip
def test_a_year_is_read_wherever_it_is_said(tmp_path, said):
    """Seen to fail: EDGAR's attribute, and a year as a number, were not looked at; 2019 and 2020 were added up as one year."""
    opened = one_layer(tmp_path / "a.nc", **said)
    assert (opened.dates.years, opened.months) == ((2015,), 0)
    assert any("is of the year 2015" in str(problem) for problem, _ in opened.remarks_of_year(YEAR))
    assert not any(problem.level == "warning" for problem, _ in opened.remarks)
    window = Window((0, 0), opened.grid)
    grams, _ = opened.grams(window, np.ones((3, 3), bool), YEAR)
    np.testing.assert_allclose(grams, 1000 * 365 * 86400 * window.grid.areas_of_rows()[:, None] * np.ones(3))  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"attributes": {"year": "2015-2020", "month": "all"}},
        *({"coordinates": {"time": when}} for when in (202001, "2020-01", ("years since 2020-01-01", 0.5, "standard"))),
        {"coordinates": {"sector": 2015}},
        {"coordinates": {"time": 2015.0}, "attributes": {"release": "2022"}},
        *({"coordinates": {"time": date(f"2020-{day}")}} for day in ("01-01", "06-30", "07-01T12", "07-02", "12-31")),
        {"coordinates": {"time": date("2020-03-16")}, "bounds": ["2020-01-01", "2021-01-01"]},
        {"coordinates": {"time": date("2020-06-16")}, "bounds": ["2020-01-01", "2020-12-01"]},  # CDO
        {"coordinates": {"time": date("2020-01-01")}, "bounds": ["2020-01-01", "2020-01-01"]},
    ],
)  # fmt: skip
def test_what_stands_for_a_year_is_no_month_and_goes_without_a_word(tmp_path, said):
    opened = one_layer(tmp_path / "a.nc", **said)
    assert opened.months == 0
    assert not any(problem.level == "warning" for problem, _ in opened.remarks)


@pytest.mark.parametrize(
    ("said", "month"),
    [
        ({"coordinates": {"month": 7}}, (0, 7)),
        ({"coordinates": {"month": 7, "year": 2015}}, (2015, 7)),
        ({"attributes": {"month": "7", "year": "2015"}}, (2015, 7)),
        ({"whole": {"month": "7", "year": "2015", "substance": "CO2"}}, (2015, 7)),
        ({"coordinates": {"time": date("2020-03-16")}, "bounds": ["2020-03-01", "2020-04-01"]}, (2020, 3)),
        ({"coordinates": {"time": date("2020-03-01")}, "bounds": ["2020-02-01", "2020-02-28"]}, (2020, 2)),
        ({"coordinates": {"time": ("days since 2020-01-01", 45.0, "noleap")}, "bounds": [31.0, 59.0]}, (2020, 2)),
    ],
)  # fmt: skip
def test_a_layer_that_says_it_is_a_month_is_no_year(tmp_path, said, month):
    """Seen to fail: seconds of a whole year were counted for a month."""
    opened = one_layer(tmp_path / "a.nc", **said)
    assert (opened.months, opened.dates.month) == (1, month)
    window = Window((0, 0), opened.grid)
    grams, _ = opened.grams(window, np.ones((3, 3), bool), YEAR)
    days = calendar.monthrange(month[0] or YEAR, month[1])[1]
    np.testing.assert_allclose(grams[0, 0], 1000 * days * 86400 * window.grid.areas_of_rows()[0])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"coordinates": {"time": date("2020-07-16")}}, "dated 2020-07-16, neither begin, middle nor end of a year"),
        *(({"coordinates": {"time": when}}, "dated 2020-07, which may be that month alone") for when in (202007, "202007", "2020-07", ("months since 2020-01-01", 6.5, "standard"))),
        ({"coordinates": {"time": date("2020-07-01")}, "bounds": ["2020-07-01", "2020-07-02"]}, "bounds of 1 day,"),
        ({"coordinates": {"time": date("2020-07-01")}, "bounds": ["2020-04-01", "2020-10-01"]}, "bounds of 183 days,"),
        ({"coordinates": {"time": date("2020-07-01")}, "bounds": ["2018-01-01", "2023-01-01"]}, "bounds of 1,826 days,"),
        ({"coordinates": {"time": ("days since 2020-01-01", 182.0, "lunar")}}, "'days since 2020-01-01', which is not read"),
        ({"attributes": {"units": "t CO2 yr-1", "month": "12"}}, "month is 12, and the unit is per year"),
    ],
)  # fmt: skip
def test_what_may_not_be_a_year_is_told(tmp_path, said, told):
    """Seen to fail: a rate of July, also where no day is written, and bounds of a day, of half a year and of five, were the whole year's without a word."""
    opened = one_layer(tmp_path / "a.nc", **said)
    [(problem, zh)] = [both for both in opened.remarks if both[0].level == "warning"]
    assert told in problem.what
    assert "按全年处理" in zh
    assert opened.months == 0


def test_a_year_of_a_file_may_be_that_of_its_publication(finished, axes, tonnes, tmp_path):
    """Seen to fail: two sectors published in 2022 and 2023 were refused, and a rate had the days of its year of publication."""
    paths = []
    for year in (2022, 2023):
        path = edgar(tmp_path / f"{year}-.nc", axes, tonnes, units="t day-1", substance="CO2")
        paths.append(tmp_path / f"{year}.nc")
        xr.open_dataset(path).assign_attrs(year=year).to_netcdf(paths[-1], engine="h5netcdf")
    found = validate(finished, paths, draws=2)
    told = [problem.what for problem, _ in found.remarks if problem.level == "warning"]
    assert sum("the file's attribute year is" in each for each in told) == 2
    assert any("year is 2022, 2023: if these are years of emission" in each for each in told)
    assert published(found).sum() == pytest.approx(2 * published(validate(finished, path, draws=2)).sum())  # fmt: skip


def test_annual_rasters_of_two_years_are_not_added_up(finished, axes, tonnes, tmp_path):
    """As EDGAR has them: no time, and the year in an attribute of the variable."""
    paths = [edgar(tmp_path / f"{year}.nc", axes, tonnes, **TOLD, year=str(year)) for year in (2019, YEAR)]  # fmt: skip
    with pytest.raises(InputError, match="dated 2019, 2020, and would be added up as of one year"):
        validate(finished, paths, **PER_YEAR)


def test_carbon_dioxide_of_biomass_is_added_to_no_other_unless_parts_say_so(finished, axes, tonnes, tmp_path):  # fmt: skip
    """Seen to fail: EDGAR's CO2 and CO2bio were one sum without a word."""
    paths = [edgar(tmp_path / f"{gas}.nc", axes, tonnes, units="t yr-1", substance=gas) for gas in ("CO2", "CO2bio")]  # fmt: skip
    with pytest.raises(InputError, match=r"CO2bio\.nc: it is of biogenic CO2 and CO2\.nc is not"):
        validate(finished, paths)
    parts = [PublishedRaster("emission", path, part=path.stem) for path in paths]
    both = validate(finished, parts, draws=2)
    assert any("CO2 of biomass" in str(problem) for problem, _ in both.remarks)
    np.testing.assert_allclose(published(both), 2 * published(validate(finished, paths[0], draws=2)))  # fmt: skip


def test_a_few_negative_cells_are_told_and_count_as_nothing(finished, squares, axes, tonnes, tmp_path):  # fmt: skip
    """Seen to fail: one such cell, which EDGAR has, anywhere in the rectangle around the units refused the raster."""
    shares = shares_by_shapely(squares, axes)
    inside = np.unravel_index(shares.sum(axis=0).argmax(), tonnes.shape)
    values = tonnes * 1000
    values[inside] = -0.5
    found = validate(finished, edgar(tmp_path / "a.nc", axes, values, **TOLD), **PER_YEAR)
    told = [problem for problem, _ in found.remarks if "negative" in problem.what]
    assert [each.level for each in told] == ["warning"]
    assert "1 cell that units touch has a negative value (the lowest is -0.5), 0.5 t together" in told[0].what  # fmt: skip
    by_hand = (shares * np.maximum(values, 0)).sum(axis=(1, 2))
    np.testing.assert_allclose(published(found), by_hand, rtol=NEAR)
    values[inside] = -99
    with pytest.raises(InputError, match=r"lowest is -99\), 99 t together.*nodata"):
        validate(finished, edgar(tmp_path / "b.nc", axes, values, **TOLD), **PER_YEAR)
    # What stands for an unknown value hides behind a lower one, or is small: seen to count as 0. What rounding leaves takes nothing away, however often.
    near = np.argwhere(shares.sum(axis=0) > 0)
    values = tonnes * 1e6
    values[tuple(near[:4].T)] = -1e-3
    found = validate(finished, edgar(tmp_path / "r.nc", axes, values, **TOLD), **PER_YEAR)
    assert any("4 cells that units touch have negative" in each.what for each, _ in found.remarks)
    for number, (one, others) in enumerate(((-1000, [-99]), (-200, [-100] * 4))):
        values = tonnes * 1e4
        values[inside] = one
        values[tuple(near[: len(others)].T)] = others
        with pytest.raises(InputError, match=r"have negative values.*nodata"):
            validate(finished, edgar(tmp_path / f"n{number}.nc", axes, values, **TOLD), **PER_YEAR)
    nothing = np.zeros_like(tonnes)
    nothing[inside] = -1e-9  # what rounding leaves
    found = validate(finished, edgar(tmp_path / "z.nc", axes, nothing, **TOLD), **PER_YEAR)
    assert not any("negative" in problem.what for problem, _ in found.remarks)
    outside = np.where(shares.sum(axis=0) > 0, tonnes, -9999.0)
    found = validate(finished, edgar(tmp_path / "c.nc", axes, outside, **TOLD), **PER_YEAR)
    assert not any("negative" in problem.what for problem, _ in found.remarks)


def test_an_infinite_value_is_refused_in_the_units_alone(finished, squares, axes, tonnes, tmp_path):  # fmt: skip
    """Seen to pass where only a raster that is infinite everywhere was refused."""
    covered = shares_by_shapely(squares, axes).sum(axis=0)
    for name, place in (("in", covered.argmax()), ("out", covered.argmin())):
        values = tonnes.copy()
        values[np.unravel_index(place, tonnes.shape)] = np.inf
        path = edgar(tmp_path / f"{name}.nc", axes, values, **TOLD)
        if name == "in":
            with pytest.raises(InputError, match="a value in the units is infinite"):
                validate(finished, path, **PER_YEAR)
        else:
            assert np.isfinite(published(validate(finished, path, **PER_YEAR))).all()


def test_a_negative_value_in_one_layer_is_refused(finished, axes, tonnes, tmp_path):
    layers = np.stack([tonnes] * 12)
    layers[3] *= -1
    path = stack_of(tmp_path / "s.nc", axes, layers, "month", np.arange(1, 13))
    with pytest.raises(InputError, match="negative"):
        validate(finished, path, **PER_MONTH)
    files = [geotiff(tmp_path / f"{k}.tif", axes, layer) for k, layer in enumerate(layers)]
    with pytest.raises(InputError, match="negative"):
        validate(finished, files, **PER_MONTH)


def test_a_raster_made_from_the_run_agrees_to_rounding_and_is_told_as_circular(finished, tmp_path):
    """Cells of 100 m in the squares: what each unit has, over its hundred cells."""
    units = RunCarriers(finished).units
    west, south = squares_case.WEST, squares_case.SOUTH
    x, y = west + 50 + 100 * np.arange(40), south + 50 + 100 * np.arange(10)
    cells = np.repeat(units["emission_g"].to_numpy(float) / 1e8, 10)[None, :].repeat(10, axis=0)
    path = geotiff(tmp_path / "own.tif", (y, x), cells, 100.0, "EPSG:32630")
    found = validate(finished, path, unit="t CO2e yr-1", draws=2)
    np.testing.assert_allclose(published(found), units["emission_g"] / 1e6, rtol=1e-12)
    for row in (found.measures.iloc[0], found.cell_measures.iloc[0]):
        assert row["same_proxy"]
        assert np.isnan(row["skill"])
        assert row["misplaced"] < 1e-9
        assert row["spearman"] == pytest.approx(1)
    np.testing.assert_allclose(found.cells["ours_t"], found.cells["published_t"], atol=1e-9)
    told = [str(problem) for problem, _ in found.remarks]
    assert any("circular" in each for each in told)
    assert not any("smaller than a cell" in each for each in told)
    band = validate(finished, finished / "grid_1km.nc", variable="emission", unit="g CO2e yr-1", draws=2)  # fmt: skip
    assert any("written by carbongrid" in str(problem) for problem, _ in band.remarks)
    assert band.measures["published_t"].iloc[0] == pytest.approx(units["emission_g"].sum() / 1e6)


@pytest.mark.parametrize(
    ("unit", "slip"),
    [
        ("t C yr-1", "carbon for CO2"),
        ("kg CO2e yr-1", "a thousand times"),
        ("t CO2e s-1", "a second for a year"),
        ("t CO2e day-1", "a day for a year"),
        ("t CO2e m-2 yr-1", "a value per m2 for one per cell"),
        ("t CO2e yr-1", ""),
    ],
)
def test_a_wrong_unit_is_told_as_a_likely_slip(finished, axes, squares, tonnes, tmp_path, unit, slip):  # fmt: skip
    """A raster whose total in units is the run's, up to 10 %, under units that it is not in."""
    inside = (shares_by_shapely(squares, axes).sum(axis=0) * tonnes).sum()
    total = RunCarriers(finished).units["emission_g"].sum() / 1e6
    path = edgar(tmp_path / "emi.nc", axes, tonnes * total / inside * 1.1)
    found = validate(finished, path, unit=unit, draws=2)
    assert slip in found.cell_measures["slip"].iloc[0]
    assert bool(found.cell_measures["slip"].iloc[0]) is bool(slip)
    assert any("look at its unit" in str(problem) for problem, _ in found.remarks) is bool(slip)


def test_cells_larger_than_units_are_told_to_say_little(finished, squares, tmp_path):
    west, south, *_ = shapely.total_bounds(squares)
    axes = (np.floor(south * 10) / 10 + np.array([-0.05, 0.05, 0.15]), np.floor(west * 10) / 10 + np.array([-0.05, 0.05, 0.15]))  # fmt: skip
    found = validate(finished, edgar(tmp_path / "emi.nc", axes, np.full((3, 3), 9e4), **TOLD), **PER_YEAR)  # fmt: skip
    told = [str(problem) for problem, _ in found.remarks]
    assert any("4 of 4 units are smaller than a cell of the raster (10" in each and "says little" in each for each in told)  # fmt: skip


def test_what_has_no_value_or_lies_off_the_raster_is_told_and_not_compared(finished, axes, squares, tonnes, tmp_path):  # fmt: skip
    lat, lon = axes
    west = shapely.total_bounds(squares[:1])[2] - SIDE / 2
    values = np.where(lon < west, -9.0, tonnes)
    path = geotiff(tmp_path / "t.tif", axes, values, nodata=-9.0)
    found = validate(finished, path, **PER_YEAR)
    assert found.measures["units_missing"].iloc[0] == 1
    unknown = found.cell_measures["cells_unknown"].iloc[0]
    assert unknown == (shares_by_shapely(squares, axes).sum(axis=0) > 0)[:, lon < west].sum()
    gone = found.cell_measures["ours_off_t"].iloc[0]
    assert gone > 0
    assert gone + found.cell_measures["ours_t"].iloc[0] == pytest.approx(RunCarriers(finished).units["emission_g"].sum() / 1e6)  # fmt: skip
    told = [str(problem) for problem, _ in found.remarks]
    assert any(
        "1 of 4 units is not compared, since 1 % or more of its area" in each for each in told
    )
    kept = lon > west
    half = validate(finished, edgar(tmp_path / "half.nc", (lat, lon[kept]), tonnes[:, kept], **TOLD), **PER_YEAR)  # fmt: skip
    assert half.measures["units_missing"].iloc[0] == 1
    np.testing.assert_allclose(published(half), published(found))
    nothing = validate(finished, edgar(tmp_path / "none.nc", axes, tonnes * 0, **TOLD), **PER_YEAR)
    assert any("has nothing in the units" in str(problem) for problem, _ in nothing.remarks)
    # Warnings are errors here: what they lie on is told once.
    with pytest.raises(InputError, match="does not touch the run's units"):
        validate(finished, edgar(tmp_path / "far.nc", (lat, lon + 90), tonnes, **TOLD), **PER_YEAR)
    with pytest.raises(InputError, match="negative"):
        validate(finished, edgar(tmp_path / "less.nc", axes, -tonnes, **TOLD), **PER_YEAR)
    with pytest.raises(InputError, match=r"the raster has no CRS\. .*gdal_edit\.py -a_srs"):
        validate(finished, geotiff(tmp_path / "bare.tif", axes, tonnes, crs=None), **PER_YEAR)


def test_rasters_of_categories_are_added_up_and_refined_cells_change_nothing(finished, axes, tonnes, tmp_path):  # fmt: skip
    lat, lon = axes
    whole = edgar(tmp_path / "whole.nc", axes, tonnes, **TOLD)
    part = np.random.default_rng(5).uniform(0, 1, tonnes.shape)
    parts = [edgar(tmp_path / f"{k}.nc", axes, tonnes * share, **TOLD) for k, share in enumerate((part, 1 - part))]  # fmt: skip
    fine = (np.arange(lat.size * 2) / 2 * SIDE + lat[0] - SIDE / 4, np.arange(lon.size * 2) / 2 * SIDE + lon[0] - SIDE / 4)  # fmt: skip
    quarter = edgar(tmp_path / "fine.nc", fine, np.kron(tonnes, np.full((2, 2), 0.25)), **TOLD)
    given = {"agriculture": whole, "industry": parts, "emission": quarter}
    found = validate(finished, given, **PER_YEAR)
    table = found.values.pivot_table("published_t", "region", "of")
    np.testing.assert_allclose(table["industry"], table["agriculture"], rtol=1e-9)
    np.testing.assert_allclose(table["emission"], table["agriculture"], rtol=1e-9)
    ours = found.values.pivot_table("ours_t", "region", "of")
    cells = found.cells.groupby("of")["ours_t"].sum()
    np.testing.assert_allclose(cells, ours.sum(), rtol=1e-9)
    assert any("2 rasters are added up: 0.nc, 1.nc" in str(problem) for problem, _ in found.remarks)
    with pytest.raises(InputError, match="no quantity of the run"):
        validate(finished, {"magic": whole}, **PER_YEAR)
    with pytest.raises(InputError, match="its cells are not those of"):
        validate(finished, [whole, quarter], **PER_YEAR)
    other = edgar(tmp_path / "other.nc", axes, tonnes, units="t yr-1", substance="CO2e")
    with pytest.raises(InputError, match=r"it is of CO2e, whole\.nc of CO2"):
        named = [PublishedRaster("emission", whole, "t CO2 yr-1"), PublishedRaster("emission", other)]  # fmt: skip
        validate(finished, named)


def test_merged_units_have_the_sum_of_theirs(finished, axes, tonnes, tmp_path):
    path = edgar(tmp_path / "emi.nc", axes, tonnes, **TOLD)
    each = published(validate(finished, path, **PER_YEAR))
    merged = published(validate(finished, path, key="district", **PER_YEAR))
    np.testing.assert_allclose(merged, each.reshape(2, 2).sum(axis=1), rtol=1e-9)


def test_a_table_of_rasters_and_the_command(finished, axes, tonnes, tmp_path, carbongrid):
    edgar(tmp_path / "a.nc", axes, tonnes, **TOLD)
    edgar(tmp_path / "b.nc", axes, tonnes, units="t yr-1", substance="CO2")
    table = tmp_path / "rasters.csv"
    table.write_text("of,path,unit,variable\nagriculture,a.nc,t CO2 yr-1,emissions\nindustry,b.nc,,\n", encoding="utf-8")  # fmt: skip
    assert read_rasters_table(table)[0] == ("agriculture", tmp_path / "a.nc", "t CO2 yr-1", "emissions", "")  # fmt: skip
    out = tmp_path / "out"
    asked = ("validate", finished, "--draws", 2, "--out", out)
    by_table = carbongrid(*asked, "--rasters", table, "--json")
    assert by_table.returncode == 0, by_table.stderr
    told = json.loads(by_table.stdout)
    assert [row["of"] for row in told["cell_measures"]] == ["agriculture", "industry"]
    assert told["remarks"]
    assert {"validation_cells.csv", "validation_cell_measures.csv"} <= {path.name for path in out.iterdir()}  # fmt: skip
    assert of_folder(out) == []
    cells = pd.read_csv(out / "validation_cells.csv")
    assert cells.groupby("of")["published_t"].sum().tolist() == pytest.approx([row["published_t"] for row in told["cell_measures"]])  # fmt: skip
    page = (out / "validation.html").read_text(encoding="utf-8")
    assert "Cell by cell" in page
    assert "Cells furthest apart" in page
    said = carbongrid(*asked, "--category", f"industry={tmp_path / 'b.nc'}")
    assert said.returncode == 0, said.stderr
    assert "cell by cell" in said.stdout
    assert "CO2 alone" in said.stderr
    for words, wrong in (
        ((tmp_path / "rasters.csv", tmp_path / "b.nc"), "a table is read alone"),
        (("--category", "industry"), "is not CATEGORY=FILE"),
        ((), "no published table and no raster"),
        ((table, "--unit", "t CO2"), "a table is read alone"),
        ((tmp_path / "none.nc",), "no such file"),
    ):
        refused = carbongrid(*asked, *words)
        assert refused.returncode == 2
        assert wrong in refused.stderr


def test_a_matrix_of_shares_is_that_of_shapely(monkeypatch):
    """Spans and edges of random triangles, on a window of a larger grid."""
    from carbongrid.raster.grid import Grid
    from carbongrid.raster.zonal import ZonalOperator

    rng = np.random.default_rng(6)
    grid = Grid("EPSG:32630", 1.0, (500_000, 10, 500_020, 22))
    corners = np.array([500_004.0, 13.0]) + rng.uniform(0, 8, (9, 3, 2))
    triangles = gpd.GeoSeries(shapely.polygons(corners), crs=grid.crs)
    found = matrix_of(ZonalOperator(triangles, grid).shares, (0, 0), grid.shape).toarray()
    x, y = np.meshgrid(grid.x, grid.y)
    cells = shapely.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5).ravel()
    by_hand = [shapely.area(shapely.intersection(each, cells)) for each in triangles]
    np.testing.assert_allclose(found, by_hand, atol=1e-9)
    part = matrix_of(ZonalOperator(triangles, grid).shares, (1, 3), (9, 12)).toarray()
    np.testing.assert_array_equal(part, found.reshape(9, *grid.shape)[:, 1:10, 3:15].reshape(9, -1))
    monkeypatch.setattr("carbongrid.raster.memory_limit.memory_limit", lambda: 100)
    with pytest.raises(InputError, match="shares of cells need"):
        matrix_of(ZonalOperator(triangles, grid).shares, (0, 0), grid.shape)


@pytest.mark.thorough  # a process of its own
def test_a_wrong_unit_ends_the_command_with_its_error_and_nothing_else(finished, axes, tonnes, tmp_path):  # fmt: skip
    """In a process of its own: what GDAL still has open at its end would be told by nobody's name."""
    path = geotiff(tmp_path / "emi.tif", axes, tonnes)
    words = (sys.executable, "-m", "carbongrid", "validate", finished, path, "--unit", "count")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    [line] = done.stderr.strip().splitlines()
    assert "is not a unit of mass" in line


def test_one_file_by_two_names_is_not_counted_twice(finished, axes, tonnes, tmp_path):
    path = edgar(tmp_path / "emi.nc", axes, tonnes, **TOLD)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.nc").symlink_to(path)
    for other in (tmp_path / "sub" / ".." / "emi.nc", tmp_path / "link.nc"):
        with pytest.raises(InputError, match="twice"):
            validate(finished, [path, other], **PER_YEAR)
    named = PublishedRaster("emission", path, "t CO2 yr-1", "emissions")
    with pytest.raises(InputError, match="twice"):
        validate(finished, [named, path], **PER_YEAR)


def test_an_even_raster_leaves_no_skill_to_tell(finished, axes, tonnes, tmp_path):
    """Area misplaces nothing of it but rounding, against which any share is some 1e16."""
    path = edgar(tmp_path / "even.nc", axes, np.full_like(tonnes, 0.37))
    found = validate(finished, path, unit="kg CO2 m-2 yr-1", draws=2)
    assert 0 <= found.cell_measures["by_area"].iloc[0] < 1e-9
    assert np.isnan(found.cell_measures["skill"].iloc[0])
    assert any("the raster is even" in str(problem) for problem, _ in found.remarks)


def test_each_band_has_its_own_unit(finished, axes, tonnes, tmp_path):
    lat, lon = axes
    transform = rasterio.Affine(SIDE, 0, lon[0] - SIDE / 2, 0, -SIDE, lat[-1] + SIDE / 2)
    profile = {"driver": "GTiff", "dtype": "float64", "crs": "EPSG:4326", "transform": transform}
    for count in (2, 12):
        path = tmp_path / f"{count}.tif"
        with rasterio.open(path, "w", height=lat.size, width=lon.size, count=count, **profile) as raster:  # fmt: skip
            raster.write(np.stack([tonnes[::-1], *[1000 * tonnes[::-1]] * (count - 1)]))
            raster.units = ("t CO2 yr-1", *["kg CO2 yr-1"] * (count - 1))
    first, second = (validate(finished, tmp_path / "2.tif", variable=band, draws=2) for band in "12")  # fmt: skip
    np.testing.assert_allclose(published(first), published(second))
    with pytest.raises(InputError, match="another mass"):
        validate(finished, tmp_path / "2.tif", variable="2", unit="t CO2 yr-1")
    with pytest.raises(InputError, match="bands have different units: t CO2 yr-1, kg CO2 yr-1"):
        validate(finished, path, unit="kg CO2 month-1")


@pytest.mark.parametrize(
    ("x", "side", "told"),
    [(116.35, 0.1, "116.350"), (500_012.5, 25, "500012.5"), (4_567_500.0, 1000, "4567500"), (-0.5, 1, "-0.50"), (12_345_678.25, 0.5, "12345678.250")],
)  # fmt: skip
def test_centres_are_written_to_a_hundredth_of_a_cell_and_never_with_a_power(x, side, told):
    cells = pd.DataFrame({"of": ["emission"], "x": [x], "y": [x]})
    measures = pd.DataFrame({"of": ["sink", "emission"], "cell_side": [7.0, side]})
    assert centres_written(cells, measures) == [(told, told)]
