"""Facilities: within their totals, with a coordinate system, listed where they have no place."""

from __future__ import annotations

import re

import numpy as np
import pytest
from figures_case import case_with

from carbongrid.case.readers.facilities import read_facilities
from carbongrid.case.readers.totals import read_totals
from carbongrid.errors import InputError
from carbongrid.method.categories import read_categories

KNOWN = read_categories()
TOTALS = "category,value,unit,place\nindustry/supply,10,kt CO2e,\nbuildings/commerce,5,kt CO2e,\nindustry/mining,1,kt CO2e,elsewhere\n"
HEAD = "name,category,value,unit,x,y,crs\n"


def facilities(folder, rows, *, notes=None, choice="both"):
    tables = {"totals.csv": TOTALS, "facilities.csv": HEAD + rows}
    case = case_with(folder, tables, facilities={"path": "facilities.csv"}, electricity=choice)
    return read_facilities(case, KNOWN, read_totals(case, KNOWN), notes=notes)


def test_read_and_sorted(tmp_path):
    notes = []
    rows = "B,industry/supply,2,kt CO2,,,\nA,industry/supply,1.5,kt CO2,120.58,-31.3,gcj02\n"
    table = facilities(tmp_path, rows, notes=notes)
    assert list(table.columns) == ["name", "category", "grams", "x", "y", "crs"]
    assert list(table["name"]) == ["A", "B"]
    assert list(table["grams"]) == [1_500_000_000, 2_000_000_000]
    np.testing.assert_array_equal(table["x"], [120.58, np.nan])
    np.testing.assert_array_equal(table["y"], [-31.3, np.nan])
    assert [note.level for note in notes] == ["warning"]
    assert "1 facilities (B): without coordinates" in notes[0].what


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (",industry/supply,1,t CO2,,,", "column name"),
        ("A,industry/suply,1,t CO2,,,", "column category: .*Did you mean 'industry/supply'"),
        ("A,waste/domestic,1,t CO2,,,", "'A' is of 'waste/domestic', which has no total"),
        ("A,industry/supply,-1,t CO2,,,", "column value: expected no negative mass"),
        ("A,industry/supply,1,t CH4,,,", "column unit: .*GWP"),
        ("A,industry/supply,1,t CO2,120,,EPSG:4490", "one coordinate is blank"),
        ("A,industry/supply,1,t CO2,120,nan,EPSG:4490", "column y: expected a finite number"),
        ("A,industry/supply,1,t CO2,120,31,", "column crs: the crs .* is blank.*no default"),
        ("A,industry/supply,1,t CO2,120,31,gjc02", "column crs: expected a coordinate reference system"),
        ("A,industry/supply,1,t CO2,,,\nA,industry/supply,2,t CO2,,,", r"'A' \(industry/supply\) stands in rows 2, 3"),
    ],
)  # fmt: skip
def test_wrong_rows(tmp_path, row, says):
    with pytest.raises(InputError) as caught:
        facilities(tmp_path, row + "\n")
    (problem,) = caught.value.problems
    assert re.search(says, str(problem)), problem


def test_above_the_total(tmp_path):
    rows = "A,industry/supply,6,kt CO2,120,31,gcj02\nB,industry/supply,{},kt CO2,121,31,gcj02\n"
    assert len(facilities(tmp_path, rows.format(4))) == 2
    with pytest.raises(InputError) as caught:
        facilities(tmp_path, rows.format(4.000001))
    message = str(caught.value)
    assert (
        "'industry/supply' (A, B) add up to 10000.001000 t, more than its total of 10000.000000 t"
        in message
    )


def test_without_coordinates_they_stay_in_the_total(tmp_path):
    assert len(facilities(tmp_path, "A,industry/supply,60,kt CO2,,,\n")) == 1


@pytest.mark.parametrize(
    ("name", "choice"), [("industry/mining", "both"), ("industry/supply", "use")]
)
def test_with_their_category_they_lie_elsewhere(tmp_path, name, choice):
    notes = []
    assert (
        len(facilities(tmp_path, f"A,{name},60,kt CO2,120,31,gcj02\n", notes=notes, choice=choice))
        == 0
    )
    assert "1 facilities (A): their category's total lies elsewhere" in notes[0].what


def test_none_named(tmp_path):
    case = case_with(tmp_path, {"totals.csv": TOTALS}, electricity="both")
    table = read_facilities(case, KNOWN, read_totals(case, KNOWN))
    assert table.dtypes.astype(str).to_dict() == {
        "name": "str",
        "category": "str",
        "grams": "int64",
        "x": "float64",
        "y": "float64",
        "crs": "str",
    }
