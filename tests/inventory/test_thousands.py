"""Points between thousands: told where decimals written so would contradict themselves, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from figures_case import case_with
from power_town import SUPPLY, Row, formed
from pyproj import CRS

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.case.readers.coded_table import read_coded
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.readers.people import read_people
from carbongrid.case.readers.regional import read_census, read_gdp
from carbongrid.case.table_formats import CENSUS, CLASS_WEIGHTS, TOTALS
from carbongrid.errors import Problem
from carbongrid.inventory.thousands import in_tonnes, thousands_problems
from carbongrid.outputs.report.notes import note_in_chinese

GRID = CRS.from_epsg(4549)


def levels(*texts: str) -> tuple[str, ...]:
    """What is said of a column of measures, and of one of people."""
    return tuple(
        "".join(each.level for each in thousands_problems(texts, "t.csv", "value", whole=whole))
        for whole in (False, True)
    )


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["987", "1.234", "12.500", ""], ("warning", "warning")),
        (["987", "1.230"], ("warning", "warning")),
        (["987", "640", "85.231"], ("warning", "warning")),
        (["987", "85.231"], ("note", "note")),
        (["1.234", "12.500"], ("", "warning")),
        (["985.231", "112.508"], ("", "note")),
        (["-3.000", "0", "NE"], ("", "warning")),
    ],
)
def test_numbers_that_may_be_thousands_are_told(texts, said):
    """Seen to fail: nothing was said of any; then GDP of three decimals had a note in 19 of 20 tables, and people a warning whatever they sum to."""
    assert levels(*texts) == said


def test_people_who_are_partly_counted_and_partly_estimated_are_not_refused() -> None:
    """Seen to fail: three of four such tables of villages were an error; and one more digit silences what is said of decimals."""
    villages = ["312", "54.817", "1", "118.250", "96"]
    assert levels(*villages) == ("warning", "warning")
    (told,) = thousands_problems(["54.817", "18.250"], "t.csv", "residents", whole=True)
    assert told.hint.endswith("if they are decimals, one with another digit tells so: 54.8170.")
    assert levels("54.8170", "18.250") == ("", "")


@pytest.mark.parametrize("text", [False, True])
def test_numbers_of_a_workbook_have_no_points_between_thousands(tmp_path: Path, text: bool) -> None:
    """Seen to fail: 979.123 beside 12 was an error whose way out, 12.0, a workbook stores as 12."""
    book = openpyxl.Workbook()
    for row in (("region", "residents"), ("01", 979.123), ("02", 12), ("03", 45.678)):
        book.active.append([str(cell) if text else cell for cell in row])
    book.save(tmp_path / "t.xlsx")
    notes: list[Problem] = []
    _, faults = rows_declared(
        read_declared(tmp_path / "t.xlsx", CENSUS), CENSUS, "t.xlsx", notes=notes
    )
    assert not faults.problems
    assert [each.level for each in notes] == ["warning"] * text


def test_amounts_of_a_workbook_have_no_points_between_thousands(tmp_path: Path) -> None:
    """Seen to fail: 7.125 beside 12 and 985 t was a warning, though a workbook held them as numbers."""
    book = openpyxl.Workbook()
    book.active.title = "industry"
    head = ("activity 活动", "category", "amount 数量", "unit")
    for row in (head, ("fuel/diesel", SUPPLY, 7.125, "t"), ("fuel/gasoline", SUPPLY, 12, "t")):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    data = read_activity(tmp_path / "t.xlsx")
    assert [row.is_decimal for row in data.rows] == [True, True]


def test_weights_are_not_in_the_thousands() -> None:
    """Seen to fail: weights of 1.000, 2.000 and 3 were told to be thousands."""
    table = pd.DataFrame({"class": list("abc"), "mode": "road", "weight": ["1.000", "2.000", "3"]})
    notes: list[Problem] = []
    rows_declared(table, CLASS_WEIGHTS, "t.csv", notes=notes)
    assert not [each for each in notes if "thousands" in each.what]


@pytest.mark.parametrize(
    "texts",
    [
        ["12.345", "1234.500", "7"],
        ["12.345", "0.250", "7"],
        ["12.345", "7.25", "7"],
        ["12.345", "1000"],
        ["12.345", "0.000"],
        ["12.345", "1.2e4"],
        ["1", "2", "999"],
        [],
    ],
)
def test_decimals_are_decimals(texts):
    assert levels(*texts) == ("", "")


def only(problems: list[Problem] | tuple[Problem, ...]) -> Problem:
    (found,) = [each for each in problems if "thousands" in each.what]
    assert note_in_chinese(str(found)), found
    return found


def test_every_table_of_numbers_is_looked_at(tmp_path: Path) -> None:
    """Seen to fail: 1234 residents were 1.234, GDP of 1.627 million stood beside 909 million, and zones changed, without a word."""
    notes: list[Problem] = []
    text = "region,value\n0101,909\n0102,1.627\n01,2.098\n"
    gdp = {"path": "gdp.csv", "currency": "1e6 BRL"}
    read_gdp(case_with(tmp_path, {"gdp.csv": text}, gdp=gdp), notes=notes)
    assert only(notes).level == "warning"
    assert str(only(notes)) == (
        "gdp.csv, column value: points may stand between thousands: 2 of 3 numbers have three digits behind a point (1.627, 2.098), and "
        "the others are below 1,000 (909). 1.627 is read as a decimal, not as 1627. If these are thousands, write them without points; "
        "if they are decimals, write the others so too: 909.0."
    )
    people = {"people": {"path": "people.tif", "census": "census.csv"}}
    text = "region,residents\n0101,987\n0102,1.240\n"
    notes.clear()
    read_census(case_with(tmp_path, {"census.csv": text}, **people), notes=notes)
    assert only(notes).level == "warning"
    notes.clear()
    read_census(
        case_with(tmp_path, {"census.csv": text.replace("987", "987.0")}, **people), notes=notes
    )
    assert not [each for each in notes if "thousands" in each.what]


@pytest.mark.parametrize(("unit", "levels"), [("t CO2e", ["warning"]), ("tCO2e", ["warning"]), ("kt CO2e", [])])  # fmt: skip
def test_a_city_s_totals_are_not_below_1000_t(unit: str, levels: list[str]) -> None:
    """Seen to fail: 85.231 t of industry were 85 t, where the same in kt may well be; and under codes, or without a blank, it was a note."""
    rows = [("industry/manufacturing", "85.231", unit), ("transport/road", "41.200", unit)]
    table = pd.DataFrame(rows, columns=["category", "value", "unit"])
    notes: list[Problem] = []
    rows_declared(table, TOTALS, "totals.csv", notes=notes)
    assert [each.level for each in notes] == levels
    coded = [("1.A.1", "85.231", unit), ("1.A.3", "41.200", unit)]
    table = pd.DataFrame(coded, columns=["code", "value", "unit"])
    assert [each.level for each in read_coded(table, "crt", where="t.csv").notes] == levels
    headed = table.drop(columns="unit").rename(columns={"value": f"value ({unit})"})
    assert [each.level for each in read_coded(headed, "crt", where="t.csv").notes] == levels


def test_people_at_points_are_looked_at(tmp_path: Path) -> None:
    """Seen to fail: units had 1.234 residents."""
    people = {"people": {"path": "people.csv", "crs": "EPSG:4490"}}
    text = "lon,lat,residents\n120.6,31.3,1.234\n120.61,31.3,2.500\n"
    _, notes = read_people(case_with(tmp_path, {"people.csv": text}, **people), GRID)
    assert only(notes).level == "warning"
    mixed = case_with(tmp_path, {"people.csv": text + "120.62,31.3,987\n"}, **people)
    assert only(read_people(mixed, GRID)[1]).level == "warning"


def test_a_table_under_codes_is_looked_at() -> None:
    table = pd.DataFrame(
        [("1.A.1", "1.234", "t CO2e"), ("1.A.3", "2.000", "t CO2e"), ("4.A", "987", "t CO2e")],
        columns=["code", "value", "unit"],
    )
    assert only(read_coded(table, "crt", where="t.csv").notes).level == "warning"


def test_animals_are_whole() -> None:
    """Seen to fail: 3.000 head were three cows, beside amounts that have no points."""
    rows: list[Row] = [
        ("fuel/diesel", SUPPLY, 1500, "t"),
        ("animals/dairy", "agriculture/husbandry", "3.000", "head"),
    ]
    told = only(inventory.notes(formed(rows)))
    assert told.level == "warning"
    assert told.where == "town, column amount"
    in_thousands: Row = ("animals/dairy", "agriculture/husbandry", "3.000", "1000 head")
    assert not [each for each in inventory.notes(formed([rows[0], in_thousands])) if "thousands" in each.what]  # fmt: skip


@pytest.mark.parametrize(("unit", "small"), [("t CO2", True), ("Tonnes CO2", True), ("metric tons CO2e", True), ("kg C", True), ("kt CO2", False), ("1000 t CO2e", False), ("short tons CO2", True), ("who knows", False)])  # fmt: skip
def test_whether_a_unit_is_a_tonne_at_most_is_asked_of_the_unit(unit: str, small: bool) -> None:
    """Seen to fail: ``Tonnes`` and ``metric tons`` were none."""
    assert in_tonnes([unit]) is small
