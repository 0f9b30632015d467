"""Points between thousands: told where decimals written so would contradict themselves, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from figures_case import case_with
from power_town import SUPPLY, Row, formed
from pyproj import CRS

from carbongrid import inventory
from carbongrid.case.readers.coded_table import read_coded
from carbongrid.case.readers.declared import rows_declared
from carbongrid.case.readers.people import read_people
from carbongrid.case.readers.regional import read_census, read_gdp
from carbongrid.case.table_formats import TOTALS
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.thousands import thousands_problems
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
        (["987", "1.234", "12.500", ""], ("warning", "error")),
        (["987", "1.230"], ("warning", "error")),
        (["987", "640", "85.231"], ("warning", "error")),
        (["987", "85.231"], ("note", "warning")),
        (["1.234", "12.500"], ("note", "warning")),
        (["-3.000", "0", "NE"], ("", "warning")),
    ],
)
def test_numbers_that_may_be_thousands_are_told(texts, said):
    """Seen to fail: nothing was said of any."""
    assert levels(*texts) == said


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
    with pytest.raises(InputError, match="points may stand between thousands"):
        read_census(case_with(tmp_path, {"census.csv": text}, **people))
    read_census(case_with(tmp_path, {"census.csv": text.replace("987", "987.0")}, **people))


@pytest.mark.parametrize(("unit", "level"), [("t CO2e", "warning"), ("kt CO2e", "note")])
def test_a_city_s_totals_are_not_below_1000_t(unit: str, level: str) -> None:
    """Seen to fail: 85.231 t of industry were 85 t, where the same in kt may well be."""
    rows = [("industry/manufacturing", "85.231", unit), ("transport/road", "41.200", unit)]
    table = pd.DataFrame(rows, columns=["category", "value", "unit"])
    notes: list[Problem] = []
    rows_declared(table, TOTALS, "totals.csv", notes=notes)
    assert only(notes).level == level


def test_people_at_points_are_looked_at(tmp_path: Path) -> None:
    """Seen to fail: units had 1.234 residents."""
    people = {"people": {"path": "people.csv", "crs": "EPSG:4490"}}
    text = "lon,lat,residents\n120.6,31.3,1.234\n120.61,31.3,2.500\n"
    _, notes = read_people(case_with(tmp_path, {"people.csv": text}, **people), GRID)
    assert only(notes).level == "warning"
    with pytest.raises(InputError, match=r"people\.csv, column residents: points may"):
        read_people(case_with(tmp_path, {"people.csv": text + "120.62,31.3,987\n"}, **people), GRID)


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
