"""The template: a case that needs only its maps, and tables that the readers take."""

from __future__ import annotations

import tomllib

import pytest

from carbongrid.case import Case, write_template
from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.class_weights import read_class_weights
from carbongrid.case.readers.facilities import read_facilities
from carbongrid.case.readers.regional import read_census, read_gdp, read_water
from carbongrid.case.readers.tables import read_table
from carbongrid.case.readers.totals import read_totals
from carbongrid.case.table_formats import TABLES, TABLES_WITHOUT_EXAMPLE
from carbongrid.case.template import template_toml
from carbongrid.errors import InputError


@pytest.fixture
def folder(tmp_path):
    write_template(tmp_path / "city")
    for name in ("parcels.gpkg", "townships.gpkg", "lines.gpkg"):
        (tmp_path / "city" / name).touch()
    return tmp_path / "city"


def test_files_and_their_order(tmp_path):
    paths = write_template(tmp_path / "a" / "city")
    assert [path.name for path in paths] == ["case.toml", *(table.file for table in TABLES)]
    assert all(path.is_file() for path in paths)


def test_only_the_maps_are_missing(folder):
    assert Case.read(folder / "case.toml").year == 2020
    (folder / "parcels.gpkg").unlink()
    with pytest.raises(InputError) as caught:
        Case.read(folder / "case.toml")
    assert [problem.what for problem in caught.value.problems] == [
        "there is no file 'parcels.gpkg'"
    ]


def test_nothing_is_overwritten(folder):
    (folder / "case.toml").unlink()
    (folder / "gdp.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"gdp\.csv is there already"):
        write_template(folder)
    assert (folder / "gdp.csv").read_text(encoding="utf-8") == "mine"
    assert not (folder / "case.toml").exists()


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_template(tmp_path / "file")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.file)
def test_tables_have_the_documented_columns(folder, table):
    read = read_table(folder / table.file)
    assert list(read.columns) == [column.name for column in table.columns]
    assert len(read) > 0


def test_every_line_of_the_file_is_explained():
    lines = [line for line in template_toml().splitlines() if line]
    assert all("# " in line for line in lines)


def uncommented(text: str) -> dict[str, object]:
    body = text.split("\n\n", 1)[1]
    values = tomllib.loads("\n".join(line.removeprefix("# ") for line in body.splitlines()))
    del values["inventory"]
    return {"year": 2020, "electricity": "both", **values}


def test_the_readers_take_the_whole_template(folder):
    """Every section uncommented; a column that a reader needs and the template lacks fails here."""
    case = Case.of(
        uncommented((folder / "case.toml").read_text(encoding="utf-8")), folder / "case.toml"
    )
    known = categories_of(case)
    assert known["transport/road"].weight == "lines:road"
    units = {"001001": ("001",), "001002": ("001",), "001003": ("001",)}
    codes = {*units, "001", "002"}
    totals = read_totals(case, known, codes=codes, ancestors=units)
    assert totals["grams"].loc[totals["category"] == "sink/land"].item() == 6e9 * 44 / 12
    assert list(read_facilities(case, known, totals)["x"].notna()) == [False, True]
    assert read_gdp(case, codes)["value"].isna().sum() == 1
    assert list(read_census(case, codes)["thousandths"]) == [120_300_000, 98_500_000]
    assert case.units.water == "ledger"
    assert set(read_class_weights(case)["class"]) >= {"motorway", "footway"}
    by_district = {**uncommented((folder / "case.toml").read_text(encoding="utf-8"))}
    by_district["gdp"] = {"path": "gdp_by_district.csv", "by": "district"}
    by_district["units"] = {"path": "townships.gpkg", "water": "water.csv", "parents": ["district"]}
    case = Case.of(by_district, folder / "case.toml")
    assert list(read_gdp(case, codes)["tertiary"].isna()) == [False, True]
    assert read_water(case, codes) == {"001001": 750_000, "001003": 250_000}


def test_every_table_that_a_key_names_is_documented():
    documented = {table.key.partition(",")[0] for table in (*TABLES, *TABLES_WITHOUT_EXAMPLE)}
    assert {"[totals] path", "[gdp] path", "[units] water", "[pois] crosswalk"} <= documented
