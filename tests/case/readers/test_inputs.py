"""All tables together: what is wrong in one is told once and does not make another look wrong."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from squares_case import CRS, SOUTH, WEST, squares_case

from carbongrid.case.figures import InventorySection
from carbongrid.case.readers.inputs import read_inputs
from carbongrid.errors import InputError
from carbongrid.method.weights import WeightInputs, weigh

WASTE = "category,value,unit,region\nwaste/industrial,600,t CO2e,\n"
FACILITY = "name,category,value,unit,x,y,crs\nKiln,waste/industrial,200,t CO2e,{x},{y},{crs}\n"
CATEGORIES = "category,sector,name_en,name_zh,scope,sink,types,weight\n"


def problems_of(case):
    with pytest.raises(InputError) as caught:
        read_inputs(case)
    return [str(problem) for problem in caught.value.problems if problem.level == "error"]


@pytest.mark.parametrize("column", ["area_m2", "type", "mode", "land_use", "id", "surveyed"])
def test_evidence_never_stands_in_for_a_column_of_ours(tmp_path, column):
    # A column area_m2 that a category named became the area of every parcel, and of every other category; type
    # and mode crashed.
    values = [1.0, 1.0, 1.0, 7.0]
    case = squares_case(
        tmp_path,
        ["0601"] * 4,
        {
            "totals.csv": WASTE + "industry/manufacturing,10,t CO2e,\n",
            "more.csv": f"{CATEGORIES}industry/manufacturing,,,,,,,field:{column}\n",
        },
        of_parcels={column: values},
        categories={"path": "more.csv"},
    )
    inputs = read_inputs(case)
    table = inputs.parcels
    assert table["area_m2"].between(0.99e6, 1.01e6).all()
    assert table["type"].tolist() == ["industrial"] * 4
    claims = weigh(inputs.categories["industry/manufacturing"], table, WeightInputs())
    assert claims.weight.tolist() == values


def place_of(column):
    point = gpd.GeoSeries([shapely.Point(WEST + 1000 * column + 500, SOUTH + 500)], crs=CRS)
    return point.to_crs(4326).iloc[0]


@pytest.mark.parametrize("crs", ["EPSG:4326", "gcj02"])
def test_swapped_coordinates_of_a_facility_are_told(tmp_path, crs):
    # They were projected to infinity and taken for no coordinates at all: exit 0 and not a word.
    place = place_of(1)
    text = FACILITY.format(x=place.y, y=place.x, crs=crs)
    files = {"totals.csv": WASTE, "facilities.csv": text}
    case = squares_case(tmp_path, ["0601"] * 4, files, facilities={"path": "facilities.csv"})
    (told,) = problems_of(case)
    assert told.startswith("facilities.csv, facility 'Kiln': ")
    assert "x and y seem swapped" in told


@pytest.mark.parametrize(
    ("x", "y", "crs", "says"),
    [
        ("1e30", "5", "EPSG:4549", "outside the area of use"),
        ("30", "0", "EPSG:4326", "too far away for the grid's plane"),
    ],
)
def test_a_facility_at_the_other_end_of_the_world_is_told(tmp_path, x, y, crs, says):
    files = {"totals.csv": WASTE, "facilities.csv": FACILITY.format(x=x, y=y, crs=crs)}
    case = squares_case(tmp_path, ["0601"] * 4, files, facilities={"path": "facilities.csv"})
    (told,) = problems_of(case)
    assert "facility 'Kiln'" in told
    assert says in told


def test_a_facility_is_brought_to_the_grid(tmp_path):
    place = place_of(1)
    files = {
        "totals.csv": WASTE,
        "facilities.csv": FACILITY.format(x=place.x, y=place.y, crs="EPSG:4326")
        + "Nowhere,waste/industrial,1,t CO2e,,,\n",
    }
    case = squares_case(tmp_path, ["0601"] * 4, files, facilities={"path": "facilities.csv"})
    table = read_inputs(case).facilities
    np.testing.assert_allclose(table["x"], [WEST + 1500, np.nan], atol=1e-3)
    np.testing.assert_allclose(table["y"], [SOUTH + 500, np.nan], atol=1e-3)


PEOPLE = "lon,lat,residents\n" + "".join(
    f"{WEST + 1000 * column + 500},{SOUTH + 500},100\n" for column in range(4)
)


def people_case(folder, census):
    files = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,300,t CO2e\n",
        "people.csv": PEOPLE,
        "census.csv": f"region,residents\n{census}",
    }
    section = {"path": "people.csv", "crs": f"EPSG:{CRS}", "census": "census.csv"}
    return squares_case(folder, ["0701"] * 4, files, people=section)


def test_a_census_of_a_district_and_of_a_township_in_it_is_refused(tmp_path):
    # The township kept its 900 and the rest of the district got all 1,000: 1,900 where 1,000 live.
    (told,) = problems_of(people_case(tmp_path, "D1,1000\n01,900\nD2,500\n"))
    assert "counts 1,000 in 'D1' and 900 in '01', which lies in it" in told
    fine = read_inputs(people_case(tmp_path, "D1,1000\n01,\nD2,500\n")).census
    assert fine.to_dict("list") == {"region": ["D1", "D2"], "thousandths": [1_000_000, 500_000]}


def test_one_bad_cell_of_the_categories_makes_no_other_row_wrong(tmp_path):
    # Every total and every facility was of an "unknown category ... Known: ." besides.
    files = {
        "totals.csv": WASTE + "industry/manufacturing,nan,t CO2e,\n",
        "facilities.csv": FACILITY.format(x="", y="", crs=""),
        "more.csv": f"{CATEGORIES}waste/industrial,,,,,,,arae\n",
    }
    case = squares_case(
        tmp_path,
        ["0601"] * 4,
        files,
        categories={"path": "more.csv"},
        facilities={"path": "facilities.csv"},
    )
    told = problems_of(case)
    assert len(told) == 2
    assert "arae" in told[0]
    assert "totals.csv, row 3, column value" in told[1]


def test_an_old_code_that_is_still_in_use_is_refused_once(tmp_path):
    # The statistics of unit 02 were counted as those of 01, without a word.
    files = {
        "totals.csv": WASTE.replace("600,t CO2e,", "600,t CO2e,02"),
        "old.csv": "old,new\n02,01\n04,04\n",
        "gdp.csv": "region,value\n01,1\n02,5\n03,1\n04,1\n",
    }
    case = squares_case(
        tmp_path,
        ["0601"] * 4,
        files,
        units={"old_codes": "old.csv"},
        gdp={"path": "gdp.csv", "currency": "CNY"},
    )
    (told,) = problems_of(case)
    assert "old.csv, row 2, column old: '02' is a code of today too" in told


def test_gdp_of_an_old_code_that_is_a_district_now_is_refused(tmp_path):
    # With by = "unit" the row was read, found no unit, and its GDP was gone.
    files = {
        "totals.csv": WASTE,
        "old.csv": "old,new\n99,D1\n",
        "gdp.csv": "region,value\n99,100\n01,1\n02,5\n03,1\n04,1\n",
    }
    case = squares_case(
        tmp_path,
        ["0601"] * 4,
        files,
        units={"old_codes": "old.csv"},
        gdp={"path": "gdp.csv", "currency": "CNY"},
    )
    (told,) = problems_of(case)
    assert "gdp.csv, row 2, column region: '99' is an old code of 'D1'" in told


@pytest.mark.parametrize(
    "name", ["zone", "gdp", "residents", "reason", "waste_g", "waste_t", "emission_t", "fid", "ccr",
             "waste_industrial_t", "waste/industrial", "name", "Zone"],
)  # fmt: skip
def test_a_parent_column_called_like_one_of_ours_is_refused_before_the_run(tmp_path, name):
    # Most of them ended in a crash or a clash of columns, after the rasterization; check said nothing.
    case = squares_case(
        tmp_path,
        ["0601"] * 4,
        {"totals.csv": WASTE},
        of_units={name: ["A", "A", "B", "B"]} if name not in ("fid",) else {},
        units={"parents": ["district", name]},
    )
    told = [each for each in problems_of(case) if "parent column" in each]
    assert len(told) == 1
    assert f"cannot be called {name!r}" in told[0]
    assert "units.gpkg" in told[0]


def test_a_parent_column_called_like_a_category_without_a_total_is_fine(tmp_path):
    """Seen to be refused, with a column of the run that it does not have."""
    parents = {"units": {"parents": ["district", "industry_manufacturing_t"]}}
    of_units = {"industry_manufacturing_t": ["A", "A", "B", "B"]}
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, of_units=of_units, **parents)
    assert list(read_inputs(case).units["industry_manufacturing_t"]) == ["A", "A", "B", "B"]


def case_of_categories(folder, *rows):
    lines = [f"{name},{sector},,,1,false,industrial,area\n" for name, sector in rows]
    totals = [f"{name},600,t CO2e,\n" for name, _ in rows]
    head = WASTE.splitlines(keepends=True)[0]
    files = {"totals.csv": head + "".join(totals), "own.csv": CATEGORIES + "".join(lines)}
    return squares_case(folder, ["0601"] * 4, files, categories={"path": "own.csv"})


@pytest.mark.parametrize(
    ("rows", "says", "hint"),
    [
        ([("a/b_c", "a"), ("a_b/c", "a")], "the category 'a_b/c' would have the same column as the category 'a/b_c'", "Give it another name: in the name of its column / is written as _"),
        ([("waste/X", "waste"), ("waste/x", "waste")], "the category 'waste/x' would have the same column as the category 'waste/X'", "by the size of letters"),
        ([("Industry/works", "Industry")], "the sector 'Industry' would have the same column as the package's own sector 'industry'", "Write it 'industry', or give it another name"),
        ([("own/works", "Sink")], "the sector 'Sink' would have the same column as the sum of all sinks", "by the size of letters"),
        ([("own/works", "sink_to_leave_zone")], "the sector 'sink_to_leave_zone' would have the same column as a column that a run gives the units", "Give it another name."),
        ([("emission_to/leave_zone", "own")], "would have the same column as a column that a run gives the units", "/ is written as _"),
    ],
)  # fmt: skip
def test_categories_that_share_a_column_are_refused_before_the_run(tmp_path, rows, says, hint):
    """Seen to pass ``check`` where only the size of letters tells them apart, and to be refused at the very end of a run; the size of letters was also to blame where / and _ were."""
    (told,) = problems_of(case_of_categories(tmp_path, *rows))
    assert says in told
    assert "own.csv" in told
    assert hint in told


def test_a_category_written_large_stands_beside_the_packages_that_has_no_total(tmp_path):
    inputs = read_inputs(case_of_categories(tmp_path, ("Industry/Mining", "industry")))
    assert list(inputs.categories) == ["Industry/Mining"]


def test_parents_named_farthest_first_are_refused(tmp_path):
    # A total of the district counted as one of the city, and the city's as one inside of it.
    city = {"of_units": {"city": ["C"] * 4}}
    order = {"units": {"parents": ["city", "district"]}}
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, **city, **order)
    (told,) = problems_of(case)
    assert "nearest first, but each 'district' lies in one 'city'" in told
    assert "Write 'district' before 'city'" in told


@pytest.mark.parametrize("other", [["C"] * 4, ["D1", "D1", "D2", "D2"], ["X", "Y", "X", "Y"]])
def test_parents_in_order_of_one_size_or_across_each_other_are_fine(tmp_path, other):
    parents = {"units": {"parents": ["district", "other"]}}
    case = squares_case(
        tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, of_units={"other": other}, **parents
    )
    assert read_inputs(case).units["other"].tolist() == other


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:32610", "EPSG:3031"])
def test_a_grid_of_another_part_of_the_world_is_refused(tmp_path, crs):
    # UTM 33 N in Jiangsu: areas off by half and more, exit 0 and not a word.
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, grid={"crs": crs})
    told = problems_of(case)[0]
    assert "the parcels lie outside the area of use of" in told
    assert "x 119.99" in told or "x 120" in told


def test_a_grid_that_shows_areas_wrong_is_warned_of_with_the_numbers(tmp_path):
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, grid={"crs": "EPSG:3857"})
    (told,) = [note for note in read_inputs(case).notes if "grid's plane" in note.what]
    assert told.level == "warning"
    # Web Mercator at 31.2 degrees north: near (1 / cos)^2 and 1 / cos, on the ellipsoid.
    assert "areas here off by up to +36." in told.what
    assert "lengths by up to +16.9%" in told.what


def test_a_case_with_activity_data_asks_for_totals_formed_of_them(tmp_path, monkeypatch):
    """Seen to fail when its totals were read from a table that it does not have."""

    def form(case, known, notes, *, codes, names):
        raise InputError(f"{case.inventory.path} was formed of {'waste/industrial' in known}")

    monkeypatch.setattr("carbongrid.case.readers.inputs.form_totals", form)
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE})
    activity = {"totals": None, "inventory": InventorySection(path="activity")}
    case = case.model_copy(update=activity)
    with pytest.raises(InputError) as told:
        read_inputs(case)
    assert [problem.what for problem in told.value.problems] == ["activity was formed of True"]


def test_where_pois_cannot_be_read_their_places_are_not_judged(tmp_path):
    """Seen to fail when their places were compared all the same."""
    files = {"totals.csv": WASTE, "pois.csv": "name,type,lon\nA,B,120\n"}
    pois = {"path": "pois.csv", "crs": "gcj02"}
    told = problems_of(squares_case(tmp_path, ["0601"] * 4, files, pois=pois))
    assert told
    assert all(problem.startswith("pois.csv") for problem in told)


def test_a_facility_whose_coordinates_are_misread_is_told_how_it_fits(tmp_path):
    """Seen to fail: it lay millions of m away, and its coordinates and CRS were to be checked."""
    place, own = place_of(1), (WEST + 1500, SOUTH + 500)
    web = gpd.GeoSeries([place], crs=4326).to_crs(3857).iloc[0]
    for x, y, crs, told in (
        (*own[::-1], f"EPSG:{CRS}", "The axes seem swapped"),
        (web.y, web.x, "EPSG:3857", "it would lie with x and y exchanged"),
        (place.x, place.y, f"EPSG:{CRS}", "They look like degrees"),
        (place.x, place.y, "EPSG:3857", "it would lie as degrees, EPSG:4326"),
    ):
        tables = {"totals.csv": WASTE, "works.csv": FACILITY.format(x=x, y=y, crs=crs)}
        case = squares_case(tmp_path, ["0601"] * 4, tables, facilities={"path": "works.csv"})
        (problem,) = problems_of(case)
        assert problem.startswith("works.csv, facility 'Kiln'"), problem
        assert told in problem
    for x, y in (own, (WEST - 9000, SOUTH - 9000)):  # there, and nowhere by any reading
        tables["works.csv"] = FACILITY.format(x=x, y=y, crs=f"EPSG:{CRS}")
        case = squares_case(tmp_path, ["0601"] * 4, tables, facilities={"path": "works.csv"})
        assert len(read_inputs(case).facilities) == 1


def test_gdp_of_another_level_is_told_with_the_way_to_give_it(tmp_path):
    """Seen to fail: for the code of a district that of a township was proposed."""
    tables = {"totals.csv": WASTE, "gdp.csv": "region,value\n01,5\n02,7\nD1,12\n"}
    case = squares_case(
        tmp_path, ["0601"] * 4, tables, of_units={"district": ["D1"] * 4},
        units={"parents": ["district"]}, gdp={"path": "gdp.csv"},
    )  # fmt: skip
    (told,) = problems_of(case)
    assert "row 4, column region: 'D1' is a code of 'district', and GDP is read by 'unit'" in told
    assert "[gdp] by = 'district'" in told


def test_a_blank_parent_is_no_code(tmp_path):
    """Seen to fail: a blank region of the GDP was called a code of the district."""
    tables = {"totals.csv": WASTE, "gdp.csv": "region,value\n01,5\n,7\n"}
    case = squares_case(
        tmp_path, ["0601"] * 4, tables, of_units={"district": ["D1", "D1", "D1", ""]},
        units={"parents": ["district"]}, gdp={"path": "gdp.csv"},
    )  # fmt: skip
    told = problems_of(case)
    assert any("row 3, column region: the region is blank" in each for each in told), told
    assert not any("is a code of" in each for each in told)


def test_totals_of_a_named_unit_under_another_column_are_refused(tmp_path):
    tables = {"totals.csv": "category,value,unit,Gemeinde\nwaste/industrial,600,t CO2e,D1\n"}
    parents = {"of_units": {"district": ["D1", "D1", "D2", "D2"]}, "units": {"parents": ["district"]}}  # fmt: skip
    (told,) = problems_of(squares_case(tmp_path, ["0601"] * 4, tables, **parents))
    assert "the column 'Gemeinde' would not be read" in told


def test_people_of_a_vector_file_are_in_its_own_crs(tmp_path):
    """Seen to fail: the CRS that the file has was to be written in the case."""
    points = [shapely.Point(WEST + 500, SOUTH + 500), shapely.Point(WEST + 1500, SOUTH + 500)]
    people = gpd.GeoDataFrame({"residents": [5, 7]}, geometry=points, crs=CRS)
    for name in ("people.gpkg", "people.parquet"):
        moved = people.to_crs(4326)
        (moved.to_parquet if name.endswith("parquet") else moved.to_file)(tmp_path / name)
        case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, people={"path": name})
        there = read_inputs(case).people
        assert there["thousandths"].tolist() == [5000, 7000]
        np.testing.assert_allclose(there["x"], [WEST + 500, WEST + 1500], atol=0.01)
    people.translate(5e4, 0).to_frame("geometry").assign(residents=1).to_file(tmp_path / "far.gpkg")
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, people={"path": "far.gpkg"})
    assert f"none of the 2 points lies in a parcel or within 100 m of one, read as EPSG:{CRS}" in problems_of(case)[0]  # fmt: skip
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        people.set_crs(None, allow_override=True).to_file(tmp_path / "none.gpkg")
    case = squares_case(tmp_path, ["0601"] * 4, {"totals.csv": WASTE}, people={"path": "none.gpkg"})
    assert "neither the case nor the file says which coordinate system" in problems_of(case)[0]
