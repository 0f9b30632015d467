"""Totals of regions and of the whole, against each other."""

from __future__ import annotations

import pandas as pd
import pytest
from english_left import english_in

from carbongrid.case.readers import tables
from carbongrid.case.readers.regions import (
    check_activities,
    check_regions,
    left_by_regions,
    masses_here,
    notes_on_sizes,
    whole_masses,
)
from carbongrid.case.readers.tables import Faults
from carbongrid.outputs.report.notes import note_in_chinese

TONNE = 10**6


def total(region, tonnes, category="a/b", place="here"):
    return {"category": category, "region": region, "grams": tonnes * TONNE, "place": place}


@pytest.mark.parametrize("count", [1, 9, 10, 11, 12])
def test_ten_regions_are_listed_and_dots_stand_for_others(count):
    """Seen to fail when the dots stood where all were listed."""
    regions = [total(f"{number:02}", 2) for number in range(count)]
    faults = Faults("totals.csv")
    check_regions([total("", 1), *regions], {}, faults)
    listed = ", ".join(f"{number:02} 2 t" for number in range(min(count, 10)))
    dots = ", ..." if count > 10 else ""
    (problem,) = faults.problems
    assert problem.what.startswith(
        f"'a/b': the regions ({listed}{dots}) add up to {2 * count} t, more than the whole's 1 t: by the parts "
    )
    assert problem.what.endswith(", ...)") == (count > 10)


def test_regions_of_a_country_are_held_against_each_other_in_a_few_looks_at_each():
    """Seen to look at each region once for each other one: 20,000 took half a minute, districts with all of their towns as long."""

    class Above(dict):
        looks = 0

        def get(self, *asked):
            self.looks += 1
            return super().get(*asked)

        def __getitem__(self, code):
            self.looks += 1
            return super().__getitem__(code)

    towns = {f"{town:03}": [f"{town // 10:02}", "c"] for town in range(400)}
    units = Above({**towns, **{f"{district:02}": ["c"] for district in range(40)}, "c": []})
    faults, rows = Faults("totals.csv"), [total(code, 2) for code in towns]
    check_regions(rows, units, faults)
    assert not faults.problems
    check_regions([*rows, *(total(f"{district:02}", 20) for district in range(40))], units, faults)
    assert units.looks < 10 * len(units)
    assert len(faults.problems) == 40
    assert faults.problems[1].what.startswith("'a/b' is given for '01' (20 t) and for 010 2 t, 011 2 t, ")  # fmt: skip
    assert faults.problems[1].what.endswith(" 019 2 t in it (20 t together): they agree")


def test_words_of_a_column_that_are_unknown_are_looked_for_a_hundred_times(monkeypatch):
    """Seen to be looked for in each row among all known ones: a table of 20,000 codes of other units took minutes."""
    looked_for = []
    monkeypatch.setattr(tables, "nearest", lambda text, known: looked_for.append(text))
    faults = Faults("totals.csv")
    for row in range(300):
        for text in (f"x{row}", "y", ""):
            assert not faults.member(text, {"0101", "0102"}, "region", row, "region")
    assert len(looked_for) <= 101
    assert len(faults.problems) == 900
    assert faults.problems[0].hint == faults.problems[-3].hint == "Known: 0101, 0102."
    assert not faults.member("z", {"a"}, "unit", 1, "unit")
    assert faults.problems[-1].hint == "Known: a.", "of each column"


def test_what_regions_leave_of_their_whole_is_a_hundredth_at_most():
    """Seen to fail when a hundredth itself was an error."""
    units = {"1": ["0"], "2": ["0"]}
    for left, fault in ((0, False), (1, False), (2, True)):
        faults, notes = Faults("totals.csv"), []
        rows = [total("", 100), total("1", 50), total("2", 50 - left)]
        check_regions(rows, units, faults, notes)
        assert len(faults.problems) == fault
        assert len(notes) == (left == 1)


def test_a_whole_counts_instead_of_its_regions():
    rows = [total("", 7), total("1", 2), total("2", 3), total("1", 5, "c/d"), total("2", 6, "c/d")]
    assert whole_masses(rows) == {"a/b": 7 * TONNE, "c/d": 11 * TONNE}


def part(region, activity, tonnes, gas="CO2", place="here"):
    grams = tonnes * TONNE
    return {
        **total(region, tonnes, place=place),
        "activity": activity, "gas": gas, "ids": f"{activity}{region}", "exact": grams,
    }  # fmt: skip


def told_of(*rows):
    faults = Faults("data")
    check_activities(rows, faults)
    return [problem.what for problem in faults.problems]


COMPLETE = [part("", "gas", 100), part("1", "gas", 30), part("2", "gas", 70), part("", "lpg", 9), part("1", "lpg", 9), part("2", "lpg", 0)]  # fmt: skip


def test_all_activities_of_a_category_are_given_for_all_that_one_is_given_for():
    assert told_of(*COMPLETE) == []
    for row in COMPLETE:
        rest = [each for each in COMPLETE if each is not row]
        (told,) = told_of(*rest)
        assert told.startswith(f"'a/b', {row['activity']} ({row['activity']}")
        if row["region"]:
            assert f"for the whole and nothing for {row['region']!r}" in told
        else:
            parts = sum(each["grams"] for each in rest if each["activity"] == row["activity"])
            assert f"has {parts / TONNE:,g} t in regions and no row of the whole" in told
        assert told_of(*[{**each, "place": "elsewhere"} for each in rest]) == [told]
        # What is here and what is elsewhere are held apart.
        away = [{**each, "place": each["activity"]} for each in rest]
        assert told_of(*away) == []


def test_regions_alone_or_the_whole_alone_may_have_any_activities():
    assert told_of(part("1", "gas", 3), part("2", "lpg", 4)) == []
    assert told_of(part("", "gas", 3), part("", "lpg", 4)) == []


def test_regions_of_one_activity_or_gas_are_no_more_than_its_whole():
    """In sum they agree: 109 of 109. Seen to fail in silence: the whole of another activity made up for it."""
    rows = [part("", "gas", 100), part("1", "gas", 101), part("", "lpg", 9), part("1", "lpg", 8)]
    (told,) = told_of(*rows)
    assert told.startswith("'a/b', gas: the regions (1 101 t) add up to 101 t, more than the whole's 100 t")  # fmt: skip
    gases = [
        part("", "gas", 100, "CO2"), part("", "gas", 9, "CH4"), part("1", "gas", 90, "CO2"), part("1", "gas", 10, "CH4"),
    ]  # fmt: skip
    (told,) = told_of(*gases)
    assert told.startswith("'a/b', CH4: the regions (1 10 t)")


def test_what_regions_leave_adds_up():
    rows = pd.DataFrame([total("", 7), total("1", 2), total("2", 3), total("1", 5, "c/d"), total("", 4, place="elsewhere")])  # fmt: skip
    left = left_by_regions(rows, ("category", "place"))
    assert left["grams"].tolist() == [2 * TONNE, 2 * TONNE, 3 * TONNE, 5 * TONNE, 4 * TONNE]


def test_what_is_here_is_the_whole_where_there_is_one():
    """Seen to fail when what is elsewhere counted."""
    rows = [("a", "", 9, "here"), ("a", "x", 4, "here"), ("a", "", 7, "elsewhere")]
    rows += [("b", "x", 1, "here"), ("b", "y", 2, "here"), ("c", "", 5, "elsewhere")]
    totals = pd.DataFrame(rows, columns=["category", "region", "grams", "place"])
    assert masses_here(totals) == {"a": 9, "b": 3}


@pytest.mark.parametrize(
    ("tonnes", "told"),
    [
        ([400, 90, 60, 1200, 700], ""),
        ([400, 90, 60, 1200, 700, 0], ""),
        ([400, 90, 60, 1200, 900_000], "4 (a/b, 2,250 times)"),
        ([400_000, 90_000, 60_000, 1_200_000, 70], "4 (a/b, 0.000778 times)"),
        ([400, 90, 60, 900_000], ""),  # of four there is no usual one
        ([400, 9, 60, 20_000, 900_000], ""),  # some lie between
    ],
)
def test_a_total_of_a_region_in_another_unit_is_told(tonnes, told):
    """Seen without a word: one district of six in t among kt."""
    rows = [total(str(number), mass) for number, mass in enumerate(tonnes)]
    notes = notes_on_sizes([total("", 10**7), *rows], "totals.csv")
    assert [each.level for each in notes] == ["note"] * bool(told)
    for note in notes:
        assert told in note.what
        chinese = note_in_chinese(str(note))
        assert english_in(chinese, ["totals.csv", "a/b"]) == []
