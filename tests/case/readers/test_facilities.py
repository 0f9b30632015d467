"""Facilities: within their totals, with a coordinate system, listed where they have no place."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from english_left import english_in
from figures_case import case_with
from hypothesis import given
from hypothesis import strategies as st
from oracle.facilities import grams_of_facilities

from carbongrid.case.readers.facilities import read_facilities
from carbongrid.case.readers.facility_masses import Amount, grams_of
from carbongrid.case.readers.tables import Faults
from carbongrid.case.readers.totals import read_totals
from carbongrid.errors import InputError
from carbongrid.method.categories import read_categories
from carbongrid.outputs.report.notes import note_in_chinese

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
    assert list(table.columns) == ["name", "category", "way", "grams", "x", "y", "crs", "place_uncertainty", "part", "part_unit", "remainder"]  # fmt: skip
    assert list(table["name"]) == ["A", "B"]
    assert list(table["grams"]) == [1_500_000_000, 2_000_000_000]
    np.testing.assert_array_equal(table["x"], [120.58, np.nan])
    np.testing.assert_array_equal(table["y"], [-31.3, np.nan])
    assert [note.level for note in notes] == ["warning"]
    assert "1 facility (B): without coordinates" in notes[0].what


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
    """Seen to say 10000.001000 t and 10000.000000 t."""
    rows = "A,industry/supply,6,kt CO2,120,31,gcj02\nB,industry/supply,{},kt CO2,121,31,gcj02\n"
    assert len(facilities(tmp_path, rows.format(4))) == 2
    with pytest.raises(InputError) as caught:
        facilities(tmp_path, rows.format(4.000001))
    message = str(caught.value)
    assert (
        "'industry/supply' (A, B) add up to 10,000.001 t, more than its total of 10,000 t"
        in message
    )


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("A,industry/supply,1,kt CO2e,120,31,gcj02\nB,industry/supply,1,kt CO2e,121,31,gcj02\n", "2 facilities (A, B)"),
        ("A,industry/supply,1,kt CO2e,120,31,gcj02\nB,industry/supply,1,kt CO2,121,31,gcj02\n", "1 facility (A)"),
        # CO2 is a part of CO2e, 0 of anything; and sinks are of CO2 in either.
        ("A,industry/supply,0,kt CO2e,120,31,gcj02\nB,buildings/commerce,1,kt CO2,121,31,gcj02\nC,sink/land,1,kt CO2e,121,31,gcj02\n", None),
    ],
)  # fmt: skip
def test_co2e_within_totals_of_co2_alone_is_told(tmp_path, rows, told):
    """Seen to be added without a word, and to be called CO2."""
    totals = "category,value,unit\nindustry/supply,10,kt CO2\nbuildings/commerce,5,kt CO2e\nsink/land,5,kt CO2\n"
    tables, notes = {"totals.csv": totals, "facilities.csv": HEAD + rows}, []
    case = case_with(tmp_path, tables, facilities={"path": "facilities.csv"}, electricity="both")
    read_facilities(case, KNOWN, read_totals(case, KNOWN), notes=notes)
    found = [str(note) for note in notes if "CO2 alone" in note.what]
    assert len(found) == (told is not None)
    for note in found:
        assert f"{told}: given in CO2e" in note and "仅含 CO2" in note_in_chinese(note)


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
    assert "1 facility (A): their category's total lies elsewhere" in notes[0].what


def test_none_named(tmp_path):
    case = case_with(tmp_path, {"totals.csv": TOTALS}, electricity="both")
    table = read_facilities(case, KNOWN, read_totals(case, KNOWN))
    assert table.dtypes.astype(str).to_dict() == {
        "name": "str",
        "category": "str",
        "way": "str",
        "grams": "int64",
        "x": "float64",
        "y": "float64",
        "crs": "str",
        "place_uncertainty": "float64",
        "part": "str",
        "part_unit": "str",
        "remainder": "str",
    }


WIDE = "name,category,value,unit,share,capacity,capacity_unit,x,y,crs,place_uncertainty_m\n"


def of_each_kind(folder, rows, notes=None):
    tables = {"totals.csv": TOTALS, "facilities.csv": WIDE + rows}
    case = case_with(folder, tables, facilities={"path": "facilities.csv"}, electricity="both")
    return read_facilities(case, KNOWN, read_totals(case, KNOWN), notes=notes)


def test_a_share_is_of_the_whole_category_and_capacities_take_what_is_left(tmp_path):
    """10 kt: 1 kt by value, 25 % by share, and 6.5 kt by 300 : 100 : 250 MW. By hand."""
    rows = (
        "A,industry/supply,1,kt CO2e,,,,120,31,gcj02,500\nB,industry/supply,,,25,,,120,31,gcj02,\n"
        "C,industry/supply,,,,300,MW,,,,\nD,industry/supply,,,,100,MW,120,31,gcj02,\nE,industry/supply,,,,250,MW,120,31,gcj02,\n"
    )
    table = of_each_kind(tmp_path, rows)
    assert (table["grams"] / 10**6).tolist() == [1000, 2500, 3000, 1000, 2500]
    assert table["way"].tolist() == ["value", "share", "capacity", "capacity", "capacity"]
    assert table["place_uncertainty"].fillna(-1).tolist() == [500, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ([("supply", "0.25"), ("supply", "0.15")], "0.4 % in all, 40 t of its 10,000 t; as parts of 1 they would be 40 %, 4,000 t."),
        ([("commerce", "1"), ("supply", "60")], "1 % in all, 50 t of its 5,000 t; as parts of 1 they would be 100 %, 5,000 t."),
        ([("supply", "0.9"), ("supply", "0.8")], ""),
        ([("supply", "0.4"), ("supply", "25")], ""),
        ([("supply", "0")], ""),
    ],
)  # fmt: skip
def test_shares_that_may_be_parts_of_1_are_told(tmp_path, shares, told):
    """Seen to fail: 0.4, meant as 40 %, placed a hundredth of it without a word."""
    notes = []
    sector = {"supply": "industry/supply", "commerce": "buildings/commerce"}
    rows = [f"A{k},{sector[of]},,,{share},,,120,3{k},gcj02,\n" for k, (of, share) in enumerate(shares)]  # fmt: skip
    of_each_kind(tmp_path, "".join(rows), notes)
    said = [str(note) for note in notes if "as parts of 1" in note.what]
    assert len(said) == bool(told)
    for note in said:
        assert told in note
        assert english_in(note_in_chinese(note), ["A0", "A1", "value"]) == []


def test_half_a_place_is_one_error(tmp_path):
    """Not one more of a CRS that only a whole place needs."""
    with pytest.raises(InputError) as caught:
        of_each_kind(tmp_path, "A,industry/supply,1,kt CO2e,,,,120,,,")
    (problem,) = caught.value.problems
    assert "one coordinate is blank" in problem.what


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("A,industry/supply,1,kt CO2e,25,,,,,,", "row 2: the facility 'A' is given by value and by share.*Keep one"),
        ("A,industry/supply,,,25,3,MW,,,,", "row 2: the facility 'A' is given by share and by capacity"),
        ("A,industry/supply,,,,,,,,,", "row 2: the facility 'A' has neither value nor share nor capacity"),
        ("A,industry/supply,,,120,,,,,,", "row 2, column share: 120 % is more than the whole category"),
        ("A,industry/supply,,,60,,,,,,\nB,industry/supply,,,30,,,,,,\nC,industry/supply,,,20,,,,,,", r"row 4, column share: .*add up to 110 %"),
        ("A,industry/supply,,,60,,,,,,\nB,industry/supply,,,40.5,,,,,,", r"row 3, column share: the shares of 'industry/supply' \(A, B\) add up to 100.5 %, more than 100 %.*Correct the shares"),
        ("A,industry/supply,,,,3,,,,,", "row 2, column capacity_unit: the capacity of 'A' has no unit"),
        ("A,industry/supply,,,,3,MW,,,,\nB,industry/supply,,,,3,t a day,,,,", r"row 3, column capacity_unit: the capacities of 'industry/supply' \(A, B\) are in MW and t a day"),
        ("A,industry/supply,,,,0,MW,,,,", r"row 2, column capacity: the capacities of 'industry/supply' \(A\) are all 0"),
        ("A,industry/supply,11,kt CO2e,,,,,,,\nB,industry/supply,,,,3,MW,,,,", r"row 3, column capacity: the other facilities of 'industry/supply' add up to more than its total, so that nothing is left for B"),
        ("A,industry/supply,,,60,,,,,,\nB,industry/supply,4,kt CO2e,,,,,,,\nC,industry/supply,,,,3,MW,,,,", r"row 4, column capacity: the other facilities of 'industry/supply' add up to its total, so that nothing is left for C"),
        ("A,industry/supply,1,kt CO2e,,,,,,,100", "row 2, column place_uncertainty_m: the place of 'A' is uncertain by 100 m, and it has none"),
        ("A,industry/supply,1,kt CO2e,,,,120,31,gcj02,-1", "row 2, column place_uncertainty_m: expected"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_in_its_place(tmp_path, rows, says):
    with pytest.raises(InputError) as caught:
        of_each_kind(tmp_path, rows + "\n")
    (problem,) = caught.value.problems
    assert re.search(says, str(problem)), problem
    assert str(problem).startswith("facilities.csv")


@pytest.mark.parametrize(("whole", "part", "left"), [("0.2", "0.1", 0), ("0.4", "0.2", 1)])
def test_facilities_that_fill_their_total_are_no_gram_more(tmp_path, whole, part, left):
    """Seen to be refused, 0.1 and 0.1 t C as more than 0.2 t C: each was rounded by itself. None is raised, since it may be all of its region's total."""
    rows = [f"{name},buildings/commerce,{part},t C,120,31,gcj02" for name in "AB"]
    tables = {"totals.csv": f"category,value,unit\nbuildings/commerce,{whole},t C\n", "facilities.csv": HEAD + "\n".join(rows)}  # fmt: skip
    case = case_with(tmp_path, tables, facilities={"path": "facilities.csv"})
    totals, notes = read_totals(case, KNOWN), []
    table = read_facilities(case, KNOWN, totals, notes=notes)
    assert table["grams"].sum() == totals["grams"].item() - left
    (note,) = notes
    assert "facilities that agree in category, place and mass" in note.what


def test_values_that_fill_what_shares_leave_are_no_gram_more():
    """Seen to be refused as more than their total: 2.6, 2.6 and 2.6 g beside 22 % of 10 g, of which shares are rounded down and values were not."""
    rows = [Amount(name, "c", None, "value", Fraction("2.6"), Fraction(0), "") for name in "ABC"]
    rows.append(Amount("D", "c", None, "share", Fraction(0), Fraction(22), ""))
    assert grams_of(rows, {"c": 10}, Faults("facilities.csv")) == [2, 3, 3, 2]
    assert grams_of(rows, {"c": 6}, Faults("facilities.csv")) == [3, 3, 3, 1], "more than there is"


@st.composite
def amounts(draw):
    """Facilities of a category: some by value, shares that fit in 100 %, some by capacity; and a total that holds them."""
    values = draw(st.lists(st.integers(0, 10**12), max_size=3))
    cuts = sorted(draw(st.lists(st.integers(0, 10**6), max_size=4)))
    shares = [Fraction(b - a, 10**4) for a, b in zip([0, *cuts], cuts, strict=False)]
    capacities = draw(st.lists(st.integers(1, 10**6), max_size=4))
    rows = [("value", g, Fraction(0)) for g in values] + [("share", 0, part) for part in shares]
    rows += [("capacity", 0, Fraction(part, 1000)) for part in capacities]
    found = [Amount(f"f{k}", "c", k + 2, way, g, part, "MW") for k, (way, g, part) in enumerate(rows)]  # fmt: skip
    given, room = sum(values), 1 - sum(shares, Fraction(0)) / 100
    least = int(given / room) + 1 if room else None
    return found, (least or 0) + draw(st.integers(0, 10**15)) if least or not given else None


@given(amounts(), st.randoms(use_true_random=False))
def test_shares_and_capacities_are_split_to_the_gram(drawn, random):
    """As the oracle has it; shares of all 100 % and capacities leave nothing. Seen to fail with each share rounded by itself."""
    rows, total = drawn
    if total is None:
        return
    faults = Faults("facilities.csv")
    grams = grams_of(rows, {"c": total}, faults)
    known = sum(mass for row, mass in zip(rows, grams, strict=True) if row.way != "capacity")
    refused = total == known > 0 and any(row.way == "capacity" for row in rows)
    assert bool(faults.problems) == refused
    if refused:
        return
    table = pd.DataFrame(
        {
            "name": [row.name for row in rows],
            "category": "c",
            "value": [f"{row.grams // 10**6}.{row.grams % 10**6:06}" if row.way == "value" else "" for row in rows],
            "unit": "t CO2e",
            "share": [str(row.part) if row.way == "share" else "" for row in rows],
            "capacity": [str(row.part) if row.way == "capacity" else "" for row in rows],
        }
    )  # fmt: skip
    if rows:
        assert grams == grams_of_facilities(table, {("c", ""): total})
    for row, mass in zip(rows, grams, strict=True):
        if row.way == "share":
            assert abs(mass - total * row.part / 100) < 1
    shares = sum((row.part for row in rows if row.way == "share"), Fraction(0))
    if any(row.way == "capacity" for row in rows):
        assert sum(grams) == total
    elif shares == 100:
        assert (
            sum(mass for row, mass in zip(rows, grams, strict=True) if row.way == "share") == total
        )
    order = list(range(len(rows)))
    random.shuffle(order)
    assert grams_of([rows[k] for k in order], {"c": total}, Faults("")) == [grams[k] for k in order]
    renamed = [dataclasses.replace(row, category="d") for row in rows]
    assert grams_of(renamed, {"c": total}, Faults("")) == [row.grams for row in rows]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("B,industry/supply,1,kt CO2,120,31,EPSG:4490", True),
        ("B,industry/supply,1000,t CO2,120.0,31,EPSG:4490", True),
        ("B,industry/supply,2,kt CO2,120,31,EPSG:4490", False),
        ("B,industry/supply,1,kt CO2,120,31.1,EPSG:4490", False),
        ("B,buildings/commerce,1,kt CO2,120,31,EPSG:4490", False),
    ],
)
def test_one_works_under_two_names_is_told(tmp_path, other, told):
    """Seen to fail: it came off the total twice without a word."""
    notes = []
    rows = f"A,industry/supply,1,kt CO2,120,31,EPSG:4490\nC,industry/supply,1,kt CO2,,,\n{other}\n"
    assert len(facilities(tmp_path, rows, notes=notes)) == 3
    said = [note for note in notes if "agree in category" in note.what]
    assert [note.level for note in said] == ["warning"] * told
    assert all(
        "'A' and 'B' (industry/supply, 1,000 t each, rows 2, 4)" in note.what for note in said
    )
    for note in said:
        chinese = note_in_chinese(str(note))
        assert "'A' 与 'B'（industry/supply，各 1,000 t，第 2, 4 行）" in chinese
        assert english_in(chinese, ["A", "B"]) == []


def test_units_of_a_works_with_one_capacity_are_no_copies(tmp_path):
    notes = []
    head = "name,category,capacity,capacity_unit,x,y,crs\n"
    units = "".join(f"Unit {k},industry/supply,600,MW,120,31,EPSG:4490\n" for k in (1, 2))
    tables = {"totals.csv": TOTALS, "facilities.csv": head + units}
    case = case_with(tmp_path, tables, facilities={"path": "facilities.csv"}, electricity="both")
    read_facilities(case, KNOWN, read_totals(case, KNOWN), notes=notes)
    assert not [note for note in notes if "agree" in note.what]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([30, 20, 50, 40, 0.04], None),
        ([30, 20, 50, 40, 0.02], "'4' (buildings/commerce, 0.000667 times)"),
        ([0.03, 0.02, 0.05, 0.04, 60], "'4' (buildings/commerce, 1,500 times)"),
        ([30, 20, 50, 40, 0], None),
        ([30, 20, 50, 0.4, 0.02, 40, 45, 60], None),  # a refinery, boilers and what lies between
        ([30, 20, 50, 0.02], None),  # of a few none is usual
    ],
)
def test_a_facility_of_another_size_is_told(tmp_path, values, words):
    """Seen without a word: one in kt among those in t adds up as well as what is right."""
    rows = [f"{name},buildings/commerce,{value},kt CO2e,120.0{name},31,gcj02" for name, value in enumerate(values)]  # fmt: skip
    tables = {"totals.csv": "category,value,unit\nbuildings/commerce,900,kt CO2e\n", "facilities.csv": HEAD + "\n".join(rows)}  # fmt: skip
    case = case_with(tmp_path, tables, facilities={"path": "facilities.csv"})
    notes = []
    read_facilities(case, KNOWN, read_totals(case, KNOWN), notes=notes)
    told = [each for each in notes if "median" in each.what]
    assert [each.what.partition(": ")[2] for each in told] == ([words] if words else [])
    for note in told:
        assert note.level == "note"
        assert english_in(note_in_chinese(str(note)), ["facilities.csv"]) == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("A,buildings/commerce,2,kt CO2e,120,31,gcj02\nA,industry/supply,2,kt CO2e,120,31,gcj02\n", "'A' and 'A' (buildings/commerce, industry/supply, 2,000 t each, rows 2, 3)"),
        ("A,buildings/commerce,2,kt CO2e,120,31,gcj02\na,industry/supply,2000,t CO2e,,,\n", "'A' and 'a' (buildings/commerce, industry/supply, 2,000 t each, rows 2, 3)"),
        ("A,buildings/commerce,2,kt CO2e,120,31,gcj02\nB,industry/supply,2,kt CO2e,120,31,gcj02\n", "'A' and 'B' (buildings/commerce, industry/supply, 2,000 t each, rows 2, 3)"),
        ("A,buildings/commerce,2,kt CO2e,120,31,gcj02\nA,industry/supply,3,kt CO2e,120,31,gcj02\n", None),  # its own power
        ("A,buildings/commerce,2,kt CO2e,120,31,gcj02\nB,industry/supply,2,kt CO2e,120.1,31,gcj02\n", None),
        ("Boiler,buildings/commerce,2,kt CO2e,120,31,gcj02\nBoiler,industry/supply,2,kt CO2e,121,31,gcj02\n", None),
    ],
)  # fmt: skip
def test_a_works_in_two_categories_is_told(tmp_path, rows, words):
    """Seen without a word: the second took as much off its category's total, where other land lost it."""
    notes = []
    facilities(tmp_path, rows, notes=notes)
    told = [each for each in notes if "several categories" in each.what]
    assert [each.what.partition(": ")[2] for each in told] == ([words] if words else [])
    for note in told:
        assert english_in(note_in_chinese(str(note)), ["facilities.csv"]) == []


def test_many_copies_are_not_all_named(tmp_path):
    """Seen to be 52,000 characters of 3,000 works at the middle of a town."""
    rows = [f"{name},buildings/commerce,0.1,kt CO2e,120,31,gcj02" for name in range(30)]
    notes = []
    facilities(tmp_path, "\n".join(rows) + "\n", notes=notes)
    (told,) = [each for each in notes if "agree in category" in each.what]
    assert len(told.what) < 400
    assert "and 25 more" in told.what
