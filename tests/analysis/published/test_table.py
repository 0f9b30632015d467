"""A published table held against its own totals, gas by gas."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from carbongrid.analysis.published.table import own_sums, remarks_of_gas, remarks_of_years

INSIDE = {"": ["01", "02"], "D1": ["01"], "D9": []}
MANY = 10**8


def sums_of(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Region, gas and grams of one quantity, held against the totals among them."""
    table = pd.DataFrame(rows, columns=["region", "gas", "grams"]).assign(of="emission")
    return own_sums(table, INSIDE)


@pytest.mark.parametrize(
    ("own", "off"),
    [(100, False), (102, False), (98, False), (103, True), (97, True), (1000, True)],
)
def test_units_that_add_up_to_their_total_but_for_two_percent_are_right(
    own: int, off: bool
) -> None:
    [row] = sums_of(("01", "", own * MANY), ("02", "", 0), ("", "", 100 * MANY)).to_dict("records")
    assert (row["off"], row["ratio"], row["units_missing"]) == (off, own / 100, 0)
    assert (row["total_t"], row["sum_of_units_t"]) == (100 * MANY / 1e6, own * MANY / 1e6)
    assert (row["slip"] == "") or off


def test_of_units_that_are_missing_only_a_sum_above_the_total_is_off() -> None:
    for own, off in ((50, False), (103, True)):
        [row] = sums_of(("01", "", own), ("", "", 100)).to_dict("records")
        assert (row["off"], row["units_missing"]) == (off, 1)
    # Of a total without any unit nothing is known.
    of_other = sums_of(("02", "", 5), ("D1", "", 100), ("D9", "", 100))
    assert of_other[["region", "off", "units_missing"]].to_numpy().tolist() == [["D1", False, 1], ["D9", False, 0]]  # fmt: skip


def test_a_total_of_nothing_is_right_where_units_have_nothing() -> None:
    for own, ratio in ((0, 1.0), (1, math.inf)):
        [row] = sums_of(("01", "", own), ("02", "", 0), ("", "", 0)).to_dict("records")
        assert (row["ratio"], row["off"]) == (ratio, own > 0)


@pytest.mark.parametrize(
    ("units", "total", "own", "off"),
    [
        ("CO2", "", 50, False),  # less than all gases
        ("CO2", "", 150, True),
        ("", "CO2", 150, False),  # more than one of them
        ("", "CO2", 50, True),
        ("CO2", "CH4", 50, False),  # another gas says nothing
        ("CO2", "CH4", 150, False),
        ("", "", 50, True),
    ],
)
def test_one_gas_is_less_than_all_and_says_nothing_of_another(
    units: str, total: str, own: int, off: bool
) -> None:
    [row] = sums_of(("01", units, own), ("02", units, 0), ("", total, 100)).to_dict("records")
    assert row["off"] == off
    assert (row["slip"] == "") or off


def test_gases_that_both_sides_have_are_held_against_each_other_one_by_one() -> None:
    rows = [(region, gas, 10) for region in ("01", "02") for gas in ("CO2", "CH4")]
    found = sums_of(*rows, ("", "CO2", 20), ("", "CH4", 10), ("", "N2O", 7))
    assert dict(zip(found["gas"], found["off"], strict=True)) == {"CO2": False, "CH4": True}
    # A total's sum of all gases is not counted beside its parts.
    [row] = sums_of(("01", "HFC", 1), ("02", "HFC", 1), ("", "", 2), ("", "CO2", 9)).to_dict("records")  # fmt: skip
    assert (row["total_t"], row["off"]) == (2e-6, False)


@pytest.mark.parametrize(
    ("of", "gases", "own", "told"),
    [
        ("emission", {"CO2"}, {"CO2e"}, "the published values are of CO2 alone, the run's of CO2e:"),
        ("emission", {"CO2"}, {"CO2", "CO2e"}, "the run's of CO2e, in part CO2 alone:"),
        ("emission", {"CO2"}, {"CO2"}, None),
        ("emission", {""}, {"CO2"}, "the run's values are of CO2 alone"),
        ("emission", {""}, {"CO2", "CO2e"}, "the run's values are in part of CO2 alone"),
        ("emission", {"CO2", "CH4"}, {"CO2e"}, None),
        ("emission", {""}, set(), None),
        ("sink/forest", {"CO2"}, {"CO2e"}, None),
        ("sinking", {"CO2"}, {"CO2e"}, "the published values are of CO2 alone"),
    ],
)  # fmt: skip
def test_other_gases_on_one_side_are_told(
    of: str, gases: set[str], own: set[str], told: str | None
) -> None:
    found = remarks_of_gas(of, gases, own)
    assert len(found) == (told is not None)
    for problem, zh in found:
        assert told is not None and f"{of}: " in problem.what and told in problem.what
        assert zh.startswith(f"{of}：")


@pytest.mark.parametrize(
    ("years", "words"),
    [
        (["", ""], None),
        (["2020", "2020.0"], None),
        (["about 2020", "unknown"], None),
        (["2015", "2015.0"], "2 of 2 values are of 2015, the run of 2020"),
        (["2020", "2019"], "1 of 2 values are of 2019, the run of 2020"),
        (["2019-2020", "2020"], "1 of 2 values are of 2019-2020, the run of 2020"),
    ],
)
def test_values_of_another_year_or_of_several_are_told(years: list[str], words: str | None) -> None:
    """Seen without a word: the column was not read."""
    found = remarks_of_years(pd.DataFrame({"year": years}), 2020)
    assert len(found) == (words is not None)
    for problem, zh in found:
        assert words is not None and words in problem.what
        assert problem.level == "warning" and "本次运算为 2020 年" in zh
