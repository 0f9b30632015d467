"""Rows of activity data held against each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from english_left import english_in

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.outputs.report.notes import note_in_chinese

HEAD = "id,activity,category,amount,unit,parameters,note,region"
COAL, WORKS = "fuel/bituminous", "industry/manufacturing"
AMOUNTS = ("462", "273", "189.5", "651", "315", "210")
NAMES = {"activity", "fuel", "bituminous", "anthracite", "lignite", "coke", "industry", "manufacturing", "mining", "supply", "heat"}  # fmt: skip


def of_regions(activity: str = COAL, letter: str = "I", amounts: tuple[str, ...] = AMOUNTS, unit: str = "万吨") -> list[str]:  # fmt: skip
    """Rows of an activity in the regions a, b, c, ..."""
    return [
        f"{letter}{number},{activity},{WORKS},{amount},{unit},,,{'abcdefgh'[number]}"
        for number, amount in enumerate(amounts)
    ]


def told(folder: Path, rows: list[str]) -> list[tuple[str, str]]:
    """Return level and words of what rows of works say of each other; each has Chinese."""
    data = folder / "activity"
    data.mkdir()
    (data / "industry.csv").write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    notes = inventory.notes(inventory.form(read_activity(data)))
    words = ("same amounts in one", "is the sum of", "amounts of regions", "rows of regions have", "no row of a few")  # fmt: skip
    found = [each for each in notes if any(each_word in each.what for each_word in words)]
    for each in found:
        ids = {row.partition(",")[0] for row in rows} | set("abcdefgh") | {"t", "kt", "CO2e"}
        assert english_in(note_in_chinese(str(each)), [*NAMES, *ids]) == [], each
    return [(each.level, each.what) for each in found]


def test_regions_of_one_table_say_nothing(tmp_path: Path) -> None:
    rows = [*of_regions(), *of_regions("fuel/coke", "C", ("2", "700", "35", "81", "9", "0"))]
    assert told(tmp_path, rows) == []


@pytest.mark.parametrize(
    ("amounts", "is_told"),
    [
        (AMOUNTS, True),
        (("462.31", *("0",) * 5), True),
        (("462", "273", *("0",) * 4), True),
        (("462", *("0",) * 5), False),  # may be chance
        (("400", "200", "100", "300", "500", "600"), False),  # round
    ],
)
def test_one_fuel_under_two_names_is_told(tmp_path: Path, amounts: tuple[str, ...], is_told: bool) -> None:  # fmt: skip
    """Seen without a word: 53 Mt of anthracite were the 37 Mt of coal once more."""
    rows = [*of_regions(amounts=amounts), *of_regions("fuel/anthracite", "A", amounts)]
    found = told(tmp_path, rows)
    assert [level for level, _ in found] == ["warning"] * is_told
    for _, what in found:
        assert what.startswith("fuel/bituminous and fuel/anthracite have the same amounts")
        assert "I0 and A0 (462" in what


def test_many_works_of_two_fuels_say_nothing(tmp_path: Path) -> None:
    """Of a list of works some burn as much of one fuel as others of another, by chance."""
    rows = [f"{letter}{n},{fuel},{WORKS},{100 + n},t,,works {letter}{n},a" for letter, fuel in (("I", COAL), ("A", "fuel/anthracite")) for n in range(20)]  # fmt: skip
    assert told(tmp_path, rows) == []


def test_the_same_amount_by_another_unit_is_the_same(tmp_path: Path) -> None:
    rows = ["I,fuel/coke,industry/mining,46231,t,,,", "A,fuel/lignite,industry/mining,4.6231,万吨,,,"]  # fmt: skip
    assert len(told(tmp_path, rows)) == 1


@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        (f"X,{COAL},{WORKS},2100.5,万吨,,all,g", True),  # the city's, under a code
        (f"X,{COAL},industry/supply,2100.5,万吨,,all,", True),
        (f"X,{COAL},industry/supply,2100,万吨,,all,", True),  # as rounding explains
        (f"X,{COAL},{WORKS},2110.5,万吨,,,g", False),
        (f"X,{COAL},{WORKS},2100.5,万吨,,,", False),  # has its regions in it
    ],
)
def test_a_total_beside_its_parts_is_told(tmp_path: Path, row: str, is_told: bool) -> None:
    found = told(tmp_path, [*of_regions(), row])
    assert [level for level, _ in found] == ["warning"] * is_told
    for _, what in found:
        assert what.startswith(f"row X ({row.split(',')[3]} 万吨) is the sum of rows I3, I0, I4, I1, I5, ... of {COAL}")  # fmt: skip


def test_round_amounts_that_add_up_say_nothing(tmp_path: Path) -> None:
    """Seen to be told: estimates of districts in hundreds of tonnes add up by themselves."""
    assert told(tmp_path, of_regions(amounts=("5000", "2500", "1500", "1000"), unit="t")) == []


def test_few_regions_of_many_that_agree_say_nothing(tmp_path: Path) -> None:
    """Seen to be told: of 1,500 regions 23 burnt as much of one fuel as of another, by chance."""
    amounts = tuple(str(100 + 7 * n) for n in range(8))
    others = (*amounts[:3], *(str(105 + 7 * n) for n in range(5)))
    assert told(tmp_path, [*of_regions(amounts=amounts), *of_regions("fuel/anthracite", "A", others)]) == []  # fmt: skip


def test_two_parts_are_too_few_to_tell_a_sum(tmp_path: Path) -> None:
    assert told(tmp_path, of_regions(amounts=("462", "273", "735"))) == []


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [
        ("273", "t", ["amounts of regions", "rows of regions have a unit"]),
        ("273", "kt", ["rows of regions have a unit"]),
        ("273", "万吨标准煤", ["rows of regions have a unit"]),
        ("2730000", "t", []),  # the same
        ("2900", "kt", []),  # another number, as much as the others have
        ("0.0273", "万吨", ["amounts of regions"]),
        ("27.3", "万吨", []),
    ],
)
def test_a_region_in_another_unit_is_told(tmp_path: Path, amount: str, unit: str, words: list[str]) -> None:  # fmt: skip
    """Seen without a word: one district of six in t among 10,000 t took 4.8 Mt out of a city."""
    rows = of_regions()
    rows[1] = f"I1,{COAL},{WORKS},{amount},{unit},,,b"
    found = told(tmp_path, rows)
    assert [level for level, _ in found] == ["note"] * len(words)
    for (_, what), begin in zip(found, words, strict=True):
        assert what.startswith(begin)
        assert "I1 (" in what


@pytest.mark.parametrize(("kept", "is_told"), [(5, True), (4, False), (6, False)])
def test_regions_that_one_activity_lacks_are_told(tmp_path: Path, kept: int, is_told: bool) -> None:  # fmt: skip
    """What is made in some districts only has no rows of the others: of three in four and fewer nothing is said."""
    rows = [*of_regions()[:kept], *of_regions("fuel/coke", "C", ("2", "700", "35", "81", "9", "4"))]
    found = told(tmp_path, rows)
    assert [what for _, what in found] == [
        "activities have no row of a few regions that others of their category name, and count nothing there: fuel/bituminous of industry/manufacturing (f)"
    ] * is_told


def test_where_the_whole_is_given_regions_may_lack(tmp_path: Path) -> None:
    rows = [*of_regions(amounts=AMOUNTS[:5]), f"W,{COAL},{WORKS},9000,万吨,,,", f"V,fuel/coke,{WORKS},9000,万吨,,,", *of_regions("fuel/coke", "C", ("2", "700", "35", "81", "9", "4"))]  # fmt: skip
    assert told(tmp_path, rows) == []
