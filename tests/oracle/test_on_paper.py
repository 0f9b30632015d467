"""The oracle against figures worked out on paper, so that it is not merely another opinion."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from oracle.clipping import cut
from oracle.comparison import far_apart
from oracle.inputs import grams, without_overlaps
from oracle.method import Method, solve
from oracle.shifted import bd09_to_wgs84, gcj02_to_wgs84
from oracle.tiny_case import CRS, EAST, NORTH, write_tiny_case


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_case(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny_answer(tiny):
    return solve(tiny)


@pytest.mark.parametrize(
    ("category", "tonnes"),
    [
        (
            "industry/manufacturing",
            {"01": 60, "02": 40, "03": 10},
        ),  # 3 : 2 POIs, and a facility in a field
        ("industry/mining", {"01": 16, "02": 16}),  # no mining land: its parent's, by area
        ("buildings/homes", {"04": 8, "05": 5}),  # 40 : 25 residents, doubled by the census
        ("buildings/urban-homes", {"04": 8}),
        ("buildings/rural-homes", {"05": 2}),
        (
            "transport/road",
            {"06": 20 * (500 + 900) / 1800, "07": 20 * 400 / 1800},
        ),  # half by 500 : 400 weighted m, half by the one POI, whose road lies in 06
        ("transport/air", {"11": 4}),  # no lines: area is the rule
        ("agriculture/plantation", {"03": 11}),  # 3 t C
        ("sink/forest", {"09": 2, "10": 4}),  # 4 t of 6 belong to the unit of parcel 10
        ("sink/water", {"08": 1}),
    ],
)
def test_parcels_of_the_tiny_case_on_paper(tiny_answer, category, tonnes):
    mass = tiny_answer.parcels[category] / 1e6
    assert mass[mass > 0].to_dict() == pytest.approx(tonnes, rel=1e-12)


def test_units_of_the_tiny_case_on_paper(tiny_answer):
    units = tiny_answer.units
    assert (units["emission"] / 1e6).tolist() == pytest.approx([110, 65, 25], rel=1e-12)
    assert (units["sink"] / 1e6).tolist() == pytest.approx(
        [2, 4, 1], rel=1e-12
    )  # the lake's mass all comes ashore
    assert units["residents"].tolist() == [0, 130, 7]
    assert units["gdp"].tolist()[:2] == [3e8, 1e8]
    assert units["ecc"].tolist()[:2] == pytest.approx([3 / 4 * 175 / 110, 1 / 4 * 175 / 65])
    assert units["esc"].tolist() == pytest.approx(
        [2 / 7 * 200 / 110, 4 / 7 * 200 / 65, 1 / 7 * 200 / 25]
    )
    assert units["zone"].tolist() == [2, 3, 0]


def changed(path, *replacements):
    text = path.read_text("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path


def test_gdp_of_a_district_follows_its_industries(tmp_path):
    case = changed(write_tiny_case(tmp_path), ('by = "unit"', 'by = "district"'))
    (tmp_path / "gdp.csv").write_text(
        "region,primary,secondary,tertiary\n01,10,50,20\n02,4,1,0\n", "utf-8"
    )
    # no farmland and no shops in district 01: by the area of all its parcels, 800 : 860 thousand m2
    a, b = 35 + 30 * 800 / 1660, 15 + 30 * 860 / 1660
    assert (solve(case).units["gdp"] / 1e8).tolist() == pytest.approx([a, b, 5], rel=1e-12)


def test_a_cell_of_people_is_shared_by_area_and_a_lone_one_goes_near(tmp_path):
    case = changed(
        write_tiny_case(tmp_path), ("people.csv", "people.tif"), ('census = "census.csv"\n', "")
    )
    values = np.full((1, 4), np.nan)
    values[0, 0] = 0.007  # half in 04, half in 05: 3 and 4 thousandths
    values[0, 3] = 2.0  # x from 1950 to 2050: 50 m from 05 and no home in it
    place = rasterio.Affine(100, 0, EAST + 1650, 0, -100, NORTH + 200)
    with rasterio.open(
        tmp_path / "people.tif", "w", "GTiff", 4, 1, 1, crs=CRS, transform=place, dtype="float64"
    ) as raster:
        raster.write(values, 1)
    people = Method(case).people
    assert [q for q in people.by_parcel if q] == [3, 2004]
    assert people.by_unit == [0, 2007, 0]  # its centre is on the border: the first in id order


def test_water_outside_stays_outside_or_follows_a_table(tmp_path):
    case = changed(write_tiny_case(tmp_path), ('water = "nearest"', 'water = "ledger"'))
    answer = solve(case)
    assert answer.outside["sink/water"] == pytest.approx(0.5e6)
    changed(case, ('water = "ledger"', 'water = "water.csv"'))
    (tmp_path / "water.csv").write_text("unit,share\n0101,0.25\n0102,0.75\n", "utf-8")
    water = solve(case).units["sink/water"]
    assert (water / 1e6).tolist() == pytest.approx([0.125, 0.375, 0.5])


def test_the_small_and_the_higher_ranked_lie_on_top():
    boxes = {
        "a": ("urban-residential", (0, 0, 100, 100)),
        "b": ("urban-residential", (50, 0, 100, 50)),  # smaller: on top of a
        "c": ("transport", (0, 40, 200, 60)),  # a road is on top of all
        "d": ("none", (10, 41, 20, 59)),  # all of it under the road
    }
    parcels = gpd.GeoDataFrame(
        {"id": list(boxes), "type": [kind for kind, _ in boxes.values()]},
        geometry=[
            shapely.box(EAST + w, NORTH + s, EAST + e, NORTH + n)
            for _, (w, s, e, n) in boxes.values()
        ],
        crs=CRS,
    )
    left = without_overlaps(parcels)
    assert left["id"].tolist() == ["a", "b", "c"]
    assert left.area.tolist() == pytest.approx([10000 - 2000 - 2000, 2000, 4000])


def test_shifted_coordinates_come_back():
    lon, lat = gcj02_to_wgs84([116.41024449916938], [39.91640428150164])
    assert (lon[0], lat[0]) == pytest.approx((116.404, 39.915), abs=1e-12)
    lon, lat = bd09_to_wgs84([116.41662724378733], [39.922699552216216])
    assert (lon[0], lat[0]) == pytest.approx((116.404, 39.915), abs=1e-9)


def test_a_tonne_of_carbon_is_44_twelfths():
    assert grams("3", "t C") == 11_000_000
    assert grams("0.5", "10000 t CO2e") == 5_000_000_000


def test_a_line_is_cut_at_borders_and_a_shared_border_is_the_first_ones():
    squares = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(30, 0, 40, 10)]
    )
    lines = np.array([shapely.LineString([(-5, 5), (10, 5), (10, 9), (35, 9)])])
    pieces = cut(lines, squares)
    stretches = pieces.groupby("stretch").agg(
        polygon=("polygon", "first"), length=("length", "sum")
    )
    assert stretches["polygon"].tolist() == [-1, 0, 1, -1, 2]
    assert stretches["length"].tolist() == pytest.approx([5, 14, 10, 10, 5])


def test_a_difference_is_told_with_both_numbers():
    ours = pd.Series({"a": 1e15, "b": 1e15, "c": 10.0})
    run = np.array([1e15 + 1e6, 1e15 + 2e6, np.nan])
    lines = far_apart("industry/mining", "parcel", ours, run, 1.0)
    assert [line.split(":")[0] for line in lines] == [
        f"industry/mining of parcel {i}" for i in "bc"
    ]
    assert "oracle 1000000000000000.000, run 1000000002000000.000" in lines[0]
