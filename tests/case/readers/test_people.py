from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from english_left import english_in
from geodata_layers import case_of
from pyproj import CRS
from rasterio.transform import from_origin

from carbongrid.case.readers.people import AROUND, PeopleGrid, read_people
from carbongrid.errors import InputError
from carbongrid.method.weights.people import PEOPLE_REACH
from carbongrid.outputs.report.notes import note_in_chinese

GRID = CRS.from_epsg(4549)


def points_case(folder, *rows):
    (folder / "people.csv").write_text(
        "\n".join(["lon,lat,residents", *rows]) + "\n", encoding="utf-8"
    )
    return case_of(folder, people={"path": "people.csv", "crs": "EPSG:4490"})


def grid_case(folder, values, nodata=None, crs="EPSG:4549", bands=1, **more):
    values = np.asarray(values, dtype="float32")
    with rasterio.open(
        folder / "people.tif", "w", driver="GTiff", height=values.shape[0], width=values.shape[1],
        count=bands, dtype="float32", crs=crs, nodata=nodata,
        transform=more.get("transform", from_origin(500_000, 3_400_000, 100, 100)),
    ) as raster:  # fmt: skip
        for band in range(bands):
            raster.write(values, band + 1)
    return case_of(folder, people={"path": "people.tif"})


def test_points_in_thousandths(tmp_path):
    rows = [
        "120.62,31.3,0.0005",
        "120.61,31.3,2.0015",
        "120.6,31.3,1e3",
        "120.6,31.3,0",
        "120.63,31.3,0.0015",
    ]
    table, notes = read_people(points_case(tmp_path, *rows), GRID)
    assert isinstance(table, pd.DataFrame)
    # Half to even of the decimal number: 2.0015 as a float would be less than a half.
    assert table["thousandths"].tolist() == [0, 1_000_000, 2002, 0, 2]
    assert table["thousandths"].dtype == np.int64
    assert table["x"].is_monotonic_increasing
    (note,) = notes
    assert note.what.endswith("taken for none: 1 of 5, 0.0005 people together")
    again, _ = read_people(points_case(tmp_path, *reversed(rows)), GRID)
    pd.testing.assert_frame_equal(again, table)


def test_unknown_is_not_zero(tmp_path):
    table, (note,) = read_people(points_case(tmp_path, "120.6,31.3,5", "120.7,31.3,"), GRID)
    assert len(table) == 1
    assert "1 point has no count and is left out: row 3" in note.what


@pytest.mark.parametrize("count", ["-1", "nan", "inf", "many", "1,000"])
def test_counts_that_are_none(tmp_path, count):
    with pytest.raises(InputError, match=r"people\.csv, row 3, column residents"):
        read_people(points_case(tmp_path, "120.6,31.3,5", f'120.7,31.3,"{count}"'), GRID)


def test_counts_of_a_layer(tmp_path):
    places = gpd.points_from_xy([120.6, 120.7], [31.3, 31.3])
    gpd.GeoDataFrame({"residents": [2.5, 3.0]}, geometry=places, crs=4490).to_file(
        tmp_path / "p.gpkg"
    )
    case = case_of(tmp_path, people={"path": "p.gpkg", "crs": "EPSG:4490"})
    assert read_people(case, GRID)[0]["thousandths"].tolist() == [2500, 3000]


def test_a_grid(tmp_path):
    case = grid_case(tmp_path, [[1.5, -9999], [0, np.nan]], nodata=-9999)
    grid, (note,) = read_people(case, GRID)
    assert isinstance(grid, PeopleGrid)
    assert grid.values.tolist() == [[1500, -1], [0, -1]]
    assert grid.values.dtype == np.int64
    assert grid.crs.to_epsg() == 4549
    assert grid.transform @ (0, 0) == (500_000, 3_400_000)
    assert "2 of 4 cells are without data: nobody is counted there" in note.what


def test_a_grid_is_cut_to_the_parcels(tmp_path):
    # The whole raster was read, and all of its people outside the city counted as lost.
    values = np.arange(10_000.0).reshape(100, 100) % 997
    bounds = (503_450.0, 3_396_150.0, 503_650.0, 3_396_450.0)
    case = grid_case(tmp_path, values)
    grid, notes = read_people(case, GRID, bounds)
    west, north = grid.transform @ (0, 0)
    assert (west, north) == (502_400, 3_397_500)
    assert grid.values.shape == (24, 23)
    assert grid.values[0, 0] == values[25, 24] * 1000
    assert (
        f"{10_000 - 24 * 23:,} of the raster's 10,000 cells lie more than 1000 m" in notes[0].what
    )
    whole, notes = read_people(case, GRID, (0, 0, 1e6, 1e7))
    assert whole.values.shape == (100, 100)
    assert notes == []
    with pytest.raises(InputError, match="it covers none of the parcels"):
        read_people(case, GRID, (600_000.0, 3e6, 600_100.0, 3.1e6))


@pytest.mark.parametrize(("west", "columns", "crs", "bounds", "way"), [(285, 4, 32618, (580e3, 4.5e6, 600e3, 4.52e6), "raster.x + 180"), (0, 360, 32618, (580e3, 4.5e6, 600e3, 4.52e6), "raster.x + 180"), (0, 360, 32630, (700e3, 5.7e6, 720e3, 5.72e6), "raster.x + 180"), (170, 20, 32701, (500e3, 8.1e6, 510e3, 8.11e6), "gdalwarp")])  # fmt: skip
def test_longitudes_from_0_to_360_are_told_where_the_land_is_in_the_west(tmp_path, west, columns, crs, bounds, way):  # fmt: skip
    """New York, London, Fiji. Seen to: the file's CRS was to be looked at, which is right, and of London the west was left out without a word."""
    case = grid_case(tmp_path, np.ones((80, columns)), crs="EPSG:4326", transform=from_origin(west, 60, 1, 1))  # fmt: skip
    with pytest.raises(InputError, match=rf"beyond 180, and there lie parcels.*{re.escape(way)}"):
        read_people(case, CRS.from_epsg(crs), bounds)


def test_longitudes_from_0_to_360_do_in_the_east(tmp_path):
    case = grid_case(tmp_path, np.ones((80, 360)), crs="EPSG:4326", transform=from_origin(0, 60, 1, 1))  # fmt: skip
    people, _ = read_people(case, GRID, (500e3, 3.3e6, 510e3, 3.31e6))
    assert people.transform.c == 119


def test_the_rim_that_is_read_is_wider_than_the_reach():
    assert AROUND > PEOPLE_REACH


def test_a_huge_grid_is_read_by_window(tmp_path):
    # 40,000 x 40,000 cells, sparse on disk: whole they would be 6.4 GB.
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", height=40_000, width=40_000, count=1, dtype="float32",
        crs="EPSG:4326", tiled=True, sparse_ok=True, transform=from_origin(100, 50, 0.001, 0.001),
    ):  # fmt: skip
        pass
    case = case_of(tmp_path, people={"path": "people.tif"})
    grid, _ = read_people(case, GRID, (503_450.0, 3_396_150.0, 503_650.0, 3_396_450.0))
    assert grid.values.size < 1000
    with pytest.raises(InputError, match="1,600,000,000 cells, more than"):
        read_people(case, GRID)


def test_people_beyond_counting_are_refused(tmp_path):
    # They wrapped around to a negative number, which means unknown.
    with pytest.raises(InputError, match=r"impossibly many people, the first 1e\+30"):
        read_people(grid_case(tmp_path, [[1, 1e30]]), GRID)


def raster_that_says(folder, *, tags=None, unit=None, described=None):
    case = grid_case(folder, [[1, 2]])
    with rasterio.open(folder / "people.tif", "r+") as raster:
        raster.update_tags(1, **(tags or {}))
        raster.units, raster.descriptions = (unit,), (described,)
    return case


@pytest.mark.parametrize(
    "said",
    [
        {"tags": {"units": "persons/km2"}},
        {"tags": {"UNITS": "people per ha"}},
        {"unit": "people km-2"},
        {"unit": "population_density"},
        {"unit": "people/km2", "described": "Population count"},
    ],
)
def test_a_density_by_its_unit_is_refused(tmp_path, said):
    """Seen to fail with a tag: a hundredfold of the people."""
    unit = said.get("unit") or next(iter(said["tags"].values()))
    with pytest.raises(InputError, match=f"says that its values are '{unit}', expected people per"):
        read_people(raster_that_says(tmp_path, **said), GRID)


@pytest.mark.parametrize(
    "said",
    [
        "Population density per km2",
        "Residents per square kilometre, 2020",
        "人口密度",
        "population_density",
        "pop_density_km2",
        "Population per hectare",
    ],
)
@pytest.mark.parametrize("unit", [None, "people"])
def test_a_density_by_its_description_is_told(tmp_path, said, unit):
    """Seen to pass in silence where words are joined by underscores."""
    (told,) = read_people(raster_that_says(tmp_path, unit=unit, described=said), GRID)[1]
    assert told.level == "warning"
    assert f"describes its values as {said!r}, which may be a density" in told.what
    assert note_in_chinese(str(told))


@pytest.mark.parametrize(
    "said",
    [
        {"tags": {"units": "people per cell"}},
        {"tags": {"units": "people/cell"}},
        {"tags": {"units": "population"}, "described": "population"},
        {"unit": "people"},
        {"unit": "people", "described": "people"},
        {"unit": "people/pixel"},
        {"unit": "people per 100 m x 100 m grid cell"},
        {"described": "Residents per km2 cell (1 km grid)"},
        {"described": "Population per hectare (100 m grid)"},
        {"described": "density-weighted dasymetric count"},
        {"described": "100 m count 1/2020"},
        {"described": "Population per pixel, UN/WPP adjusted"},
    ],
)
def test_a_count_is_one_however_the_file_says_so(tmp_path, said):
    """Seen to be refused: a unit that the description repeats, and cells whose size is told."""
    assert read_people(raster_that_says(tmp_path, **said), GRID)[1] == []


@pytest.mark.parametrize("unit", ["kg", "%", "％", "percentage", "years", "min", "thousand persons", "Mg", "ktCO2e", "°C", "kWh", "ha", "万人"])  # fmt: skip
def test_a_unit_of_something_else_is_refused(tmp_path, unit):
    """Seen without a word: of kg and of years, as where another variable was taken."""
    with pytest.raises(InputError, match=f"says that its values are '{unit}', expected people per cell.* Is it the right variable"):  # fmt: skip
        read_people(raster_that_says(tmp_path, unit=unit), GRID)


def test_more_people_than_any_city_has_are_told(tmp_path):
    """A density per km2 in cells of a hectare is a hundredfold of the people: seen to pass in silence."""
    _, notes = read_people(grid_case(tmp_path, np.full((50, 50), 900.0)), GRID)
    assert notes == []
    _, (note,) = read_people(grid_case(tmp_path, np.full((50, 50), 9_000.0)), GRID)
    assert note.level == "warning"
    assert "people per km2 of the land that is read, more than in any city" in note.what


def test_more_people_than_live_anywhere_are_told(tmp_path):
    """A density of a town among fields: seen to pass in silence, since few live in the rest of the window."""
    people = np.zeros((50, 50))
    people[:5] = 900.0
    assert read_people(grid_case(tmp_path, people), GRID)[1] == []
    _, (note,) = read_people(grid_case(tmp_path, 4 * people), GRID)
    assert note.level == "warning"
    assert re.search("half of the people live where there are 3[56][0-9],[0-9]{3} of them per km2 or more, by cells of 0.0[01]+ km2", note.what)  # fmt: skip
    assert english_in(note_in_chinese(str(note)), ["people.tif"]) == []


@pytest.mark.parametrize("nodata", [None, 254])
def test_a_number_that_seems_to_stand_for_no_data_is_told(tmp_path, nodata):
    """Seen to fail: 100 cells of 255 in bytes, undeclared, were 25,500 people."""
    people = np.arange(8_100, dtype=np.uint8).reshape(90, 90)
    case = grid_case(tmp_path, [[1]])

    def notes():
        with rasterio.open(
            tmp_path / "people.tif", "w", driver="GTiff", height=90, width=90, count=1, dtype="uint8", crs="EPSG:4549",
            transform=from_origin(500_000, 3_400_000, 100, 100), nodata=nodata,
        ) as raster:  # fmt: skip
            raster.write(people, 1)
        return [note.what for note in read_people(case, GRID)[1] if "largest number" in note.what]

    assert notes() == []
    people[:10, :10] = 255
    assert len(notes()) == (nodata is None)


def test_grids_that_are_refused(tmp_path):
    with pytest.raises(
        InputError,
        match=r"negative, infinite or impossibly many people, the first -9999.*gdal_edit",
    ):
        read_people(grid_case(tmp_path, [[1, -9999]]), GRID)
    with pytest.raises(InputError, match="has 2 bands"):
        read_people(grid_case(tmp_path, [[1, 2]], bands=2), GRID)
    with pytest.raises(InputError, match="no CRS"):
        read_people(grid_case(tmp_path, [[1, 2]], crs=None), GRID)
    with pytest.raises(InputError, match="outside the area of use"):
        read_people(grid_case(tmp_path, [[1, 2]], crs="EPSG:4490"), GRID)
    (tmp_path / "people.tif").write_text("<VRTDataset/>", encoding="utf-8")
    with pytest.raises(InputError, match="not a GeoTIFF"):
        read_people(case_of(tmp_path, people={"path": "people.tif"}), GRID)
