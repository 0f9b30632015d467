"""Totals that no land and no people can have are told, with what they come to."""

from __future__ import annotations

import re
import shutil

import pytest
from english_left import english_in
from town import CRS, square, write_town

import carbongrid as cg
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check

ROW = [(f"p{x}", code, square(x, 0)) for x, code in enumerate(("0301", "0301", "0701", "0101"))]
UNITS = [(f"u{x}", "d", square(x, 0)) for x in range(4)]
FOREST = 200 * 0.612 * 44 / 12
"""t that the package's coefficient gives the two parcels of forest, of 100 ha each on the plane."""


def told(folder, totals, people=""):
    """Return what is said of rates, level and words; each has Chinese."""
    tables = {"totals.csv": "category,value,unit\n" + "".join(f"{name},{value},t CO2e\n" for name, value in totals.items())}  # fmt: skip
    more = ""
    if people:
        x, y = square(2, 0).centroid.coords[0]
        tables["people.csv"] = f"lon,lat,residents\n{x},{y},{people}\n"
        more = f'[people]\npath = "people.csv"\ncrs = "EPSG:{CRS}"\n'
    path = write_town(folder, ROW, UNITS, tables, more)
    found = [each for each in check(path).problems if "a year " in each.what]
    assert all(note_in_chinese(str(each)) for each in found)
    return [(each.level, each.what) for each in found]


@pytest.mark.parametrize(
    ("times", "level", "words"),
    [
        (0.7, None, ""),
        (1.9, None, ""),
        (44 / 12, "note", "3.67 times the "),
        (12 / 44, "note", "one part in 3.67 of the "),
        (15, "note", "15 times the "),  # mu read as hectares
        (45, "note", "45 times the "),  # as a published factor for grass
        (0.04, "note", "one part in 25 of the "),
        (1000, "warning", "more than the 110 of any vegetation"),
    ],
)
def test_a_sink_far_from_what_its_land_takes_up_is_told(tmp_path, times, level, words):
    """Seen without a word: t of carbon read as CO2, kt as t. Of 200 ha of forest."""
    found = told(tmp_path, {"sink/land": times * FOREST})
    assert [each for each, _ in found] == ([level] if level else [])
    for _, what in found:
        assert words in what
        assert re.search("on each of (199|200) ha", what)


def test_crops_take_up_no_more_than_any_vegetation(tmp_path):
    """They have no coefficient: only what no land takes up is told."""
    assert told(tmp_path, {"sink/crops": 100 * 30}) == []
    (tmp_path / "more").mkdir()
    [(level, what)] = told(tmp_path / "more", {"sink/crops": 100 * 300})
    assert level == "warning"
    assert "more than the 110 of any vegetation" in what


@pytest.mark.parametrize(
    ("tonnes", "words"),
    [
        (5000, None),
        (26_000, "homes emit 26 t a year for each of 1,000 people, more than the 25 of any homes"),
        (5, "homes emit 0.005 t a year for each of 1,000 people, less than the 0.01 of any homes"),
        (0, None),
    ],
)
def test_homes_that_nobody_could_live_in_are_told(tmp_path, tonnes, words):
    """Seen without a word: kt as t, and tens of thousands of people as people."""
    found = told(tmp_path, {"buildings/urban-homes": tonnes}, "1000")
    assert found == ([("warning", words)] if words else [])


def test_nothing_is_said_of_a_part_of_all_homes(small_city, tmp_path):
    """People are those of all homes: seen to warn of rural homes alone, and of an answer that changed these alone."""
    totals = small_city / "totals.csv"
    lines = totals.read_text(encoding="utf-8").splitlines()
    some = [line for line in lines if not line.startswith("buildings/urban-homes")]
    others = tmp_path / "case"
    shutil.copytree(small_city, others)
    (others / "totals.csv").write_text("\n".join(some), encoding="utf-8")
    report = check(others / "case.toml")
    assert not any("homes emit" in each.what for each in report.problems)
    by_name = {row["category"]: row for row in check(small_city / "case.toml").content["categories"]}  # fmt: skip
    assert by_name["buildings/rural-homes"]["rate_per"] is None  # whose people are not told apart
    assert by_name["sink/land"]["rate_per"] == "ha"
    assert by_name["industry/supply"]["rate_per"] is None  # goes by area for want of POIs


def test_a_run_says_what_a_check_says(tmp_path):
    """In its manifest, and so in its report."""
    [(level, what)] = told(tmp_path, {"sink/land": 1000 * FOREST})
    run = cg.run(tmp_path / "case.toml", tmp_path / "run")
    assert any(told_of == level and what in text for told_of, text in run.manifest["assumptions"])


def gdp_told(folder, values, people=None, by="unit", currency="1e8 CNY"):
    """Return the warnings of GDP of units of 100 ha each, in districts of two."""
    count = len(values) * (1 if by == "unit" else 2)
    tables = {"totals.csv": "category,value,unit\nbuildings/commerce,5,t CO2e\n"}
    codes = (
        [f"u{x}" for x in range(count)] if by == "unit" else [f"d{x}" for x in range(len(values))]
    )
    tables["gdp.csv"] = "region,value\n" + "".join(f"{code},{value}\n" for code, value in zip(codes, values, strict=True))  # fmt: skip
    if by == "district":
        tables["gdp.csv"] = "region,primary,secondary,tertiary\n" + "".join(f"{code},0,0,{value}\n" for code, value in zip(codes, values, strict=True))  # fmt: skip
    more = f'[gdp]\npath = "gdp.csv"\nby = "{by}"\ncurrency = "{currency}"\n'
    if people:
        points = [square(x, 0).centroid.coords[0] for x in range(count)]
        tables["people.csv"] = "lon,lat,residents\n" + "".join(f"{x},{y},{many}\n" for (x, y), many in zip(points, people, strict=True))  # fmt: skip
        more += f'[people]\npath = "people.csv"\ncrs = "EPSG:{CRS}"\n'
    land = [(f"p{x}", "05", square(x, 0)) for x in range(count)]
    units = [(f"u{x}", f"d{x // 2}", square(x, 0)) for x in range(count)]
    folder.mkdir(exist_ok=True)
    problems = check(write_town(folder, land, units, tables, more)).problems
    found = [each for each in problems if each.what.startswith(("GDP for each", "GDP comes to"))]
    assert all(each.level == "warning" for each in found)
    assert all(english_in(note_in_chinese(str(each)), ["gdp.csv", "u5", "u6", "d5", "CNY", "VND"]) == [] for each in found)  # fmt: skip
    return [each.what for each in found]


USUAL = [20, 50, 10, 30, 90, 40]


@pytest.mark.parametrize(
    ("values", "people", "words"),
    [
        (USUAL, None, None),
        ([*USUAL, 20_000], None, None),  # a centre beside villages: 500 times as dense
        ([*USUAL, 500_000], None, "for each km2 is more than 1,000 times the median of 7 regions, or less than one part in 1,000, in 1: u6 (12,500 times)"),
        (USUAL, [2000] * 6, None),
        ([*USUAL[:5], 40_000], [2000] * 6, "for each person is more than 100 times the median of 6 regions, or less than one part in 100, in 1: u5 (1,000 times)"),
        ([*USUAL[:5], 0.04], [2000] * 6, "in 1: u5 (0.0016 times)"),
        ([*USUAL[:5], 0], [2000] * 6, None),  # nothing is nothing
        ([*USUAL[:5], ""], [2000] * 6, None),
        ([*USUAL[:5], 20_000], [2000] * 5 + [900_000], None),  # as many times the people
        ([*USUAL[:5], 8_000], [2000] * 5 + [900], None),  # works beside which nobody lives
        (USUAL[:4], None, None),
    ],
)  # fmt: skip
def test_gdp_in_another_unit_is_told(tmp_path, values, people, words):
    """Seen without a word: one unit's GDP in yuan among others in 10,000 yuan made all others' ECC fall."""
    found = gdp_told(tmp_path, values, people)
    assert len(found) == (words is not None)
    assert all(words in each for each in found)


@pytest.mark.parametrize(
    ("currency", "people", "words"),
    [
        ("1e8 CNY", 2000, None),
        ("CNY", 2000, "GDP comes to 0.02 CNY a year for each of 12,000 people, less than the 10 of any place"),
        ("CNY", 1600, None),  # too few people to tell
        ("1e11 CNY", 2000, "GDP comes to 2,000,000,000 CNY a year for each of 12,000 people, more than the 100,000,000 of any place"),
        ("1e11 VND", 2000, None),
        ("10 VND", 2000, "GDP comes to 0.2 VND a year for each of 12,000 people, less than the 10 of any place"),
    ],
)  # fmt: skip
def test_gdp_that_no_place_has_is_told(tmp_path, currency, people, words):
    """Seen without a word: a table in 1e8 CNY that was declared to be in CNY, 0.02 CNY a person."""
    found = gdp_told(tmp_path, USUAL, [people] * 6, currency=currency)
    assert found == ([] if words is None else [words])


def test_gdp_of_districts_is_held_against_their_own_people(tmp_path):
    """Two units each, whose people count together."""
    people = [1500, 500] * 6
    assert gdp_told(tmp_path / "a", USUAL, people, "district") == []
    [what] = gdp_told(tmp_path / "b", [*USUAL[:5], 40_000], people, "district")
    assert "in 1: d5 (1,000 times)" in what


@pytest.mark.parametrize(
    ("totals", "people", "words"),
    [
        ({"industry/manufacturing": 9e6}, "20000", None),
        ({"industry/manufacturing": 3e8}, "20000", "totals: emissions come to 15,000 t a year for each of 20,000 people, more than the 10,000 of any place"),
        ({"industry/manufacturing": 3e8}, "2000", None),  # a works beside which few live
        ({"industry/manufacturing": 3e9}, "", None),  # people are not known
        ({"industry/manufacturing": 3e10}, "2000", "totals: emissions add up to 30,000,000,000 t a year, more than the 20,000,000,000 t of any country"),
        ({"industry/manufacturing": 90}, "20000", None),  # one sector is no inventory
        ({"industry/manufacturing": 90, "transport/road": 20, "waste/domestic": 5}, "20000", "totals: emissions come to 0.00575 t a year for each of 20,000 people, less than the 0.01 of any place"),
        ({"waste/domestic": 3e6}, "20000", "categories: waste/domestic: waste/domestic comes to 150 t a year for each of 20,000 people, more than the 100 of any place"),
        ({"industry/f-gases": 3e6}, "20000", "categories: industry/f-gases: industry/f-gases comes to 150 t a year for each of 20,000 people, more than the 100 of any place"),
        ({"transport/road": 1e6}, "20000", None),
    ],
)  # fmt: skip
def test_what_no_place_emits_is_told(tmp_path, totals, people, words):
    """Seen without a word: totals of a city in kt as t, and 40 Gt of one city."""
    tables = {"totals.csv": "category,value,unit\n" + "".join(f"{name},{value:.0f},t CO2e\n" for name, value in totals.items())}  # fmt: skip
    land = [(f"p{x}", code, square(x, 0)) for x, code in enumerate(("0601", "1003", "0809", "0701"))]  # fmt: skip
    more = ""
    if people:
        x, y = square(3, 0).centroid.coords[0]
        tables["people.csv"] = f"lon,lat,residents\n{x},{y},{people}\n"
        more += f'[people]\npath = "people.csv"\ncrs = "EPSG:{CRS}"\n'
    problems = check(write_town(tmp_path, land, UNITS, tables, more)).problems
    found = [each for each in problems if each.what.startswith(("emissions ", *totals))]
    found = [each for each in found if " of any " in each.what and "km2" not in each.what]
    assert [f"{each.where}: {each.what}" for each in found] == ([words] if words else [])
    for each in found:
        assert each.level == "warning"
        assert english_in(note_in_chinese(str(each))) == []


@pytest.mark.parametrize(
    ("benchmark", "level", "words"),
    [
        ("250 kt CO2", None, ""),
        ("120 kt CO2e", None, ""),
        ("82 kt C", None, ""),  # 300 kt CO2
        ("1100 kt CO2", "note", "0.273 times the benchmark, 1100 kt CO2, as if carbon for CO2, 44/12"),
        ("60 kt CO2", "note", "5 times the benchmark, 60 kt CO2, by more than years, gases and scopes usually make"),
        ("1600 kt CO2", "note", "0.188 times the benchmark, 1600 kt CO2, by more than"),
        ("240 t CO2", "warning", "1,250 times the benchmark, 240 t CO2, further apart than estimates of one place are"),
        ("310 Mt CO2", "warning", "0.000968 times the benchmark, 310 Mt CO2, as if a unit a thousand times as large"),
        ("0 t CO2", None, ""),
    ],
)  # fmt: skip
def test_a_benchmark_in_another_unit_is_told(tmp_path, benchmark, level, words):
    """Seen without a word but a ratio in the report. Of 300 kt."""
    land = [("p0", "0601", square(0, 0))]
    more = f'[benchmark]\nname = "others"\ntotal = "{benchmark}"\n'
    tables = {"totals.csv": "category,value,unit\nindustry/manufacturing,300,kt CO2e\n"}
    problems = check(write_town(tmp_path, land, UNITS[:1], tables, more)).problems
    found = [each for each in problems if "the benchmark" in each.what]
    assert [each.level for each in found] == ([level] if level else [])
    for each in found:
        assert words in each.what
        assert note_in_chinese(str(each))
