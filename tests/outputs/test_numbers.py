"""Numbers as people read them."""

from __future__ import annotations

import decimal
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables_example import SHARES

from carbongrid.outputs.numbers import (
    change_in_percent,
    density,
    ends,
    exact_mass,
    exact_mass_in_chinese,
    gini_number,
    in_percent,
    index_number,
    interval,
    mass,
    mass_in_chinese,
    mass_scale,
    money,
    money_in_chinese,
    people,
    percent,
    round_number,
    share_of_draws,
    short_number,
    threshold,
    to_the_gram,
    to_the_gram_in_chinese,
    tonnes_in_chinese,
    whole_percent,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1234567.0, "1,230,000"),
        (0.012345, "0.0123"),
        (12.3, "12.3"),
        (math.inf, "∞"),
        (math.nan, "–"),
        (999.9, "1,000"),
        (0.9996, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (-0.09996, "−0.100"),
        (1e-9, "1.00e-09"),
    ],
)
def test_short_numbers(value, text):
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(10.0, "10"), (1.0, "1"), (100.0, "100"), (1e6, "1,000,000"), (0.1, "0.1"), (1e-6, "0.000001"), (0.0, "0"), (-10.0, "−10"), (50.0, "50")],
)  # fmt: skip
def test_round_numbers_have_no_digits_that_say_nothing(value: float, text: str) -> None:
    """Seen in a legend: "10.0 – 100" above "100 – 1,000"."""
    assert round_number(value) == text


def test_ends_of_numbers_are_told_as_they_are():
    """Seen in the terminal: a density of 0.4 as 0 to 0, and nan to nan where nothing is emitted."""

    def of(show, *values):
        return ends(pd.Series(values), show, " to ")

    assert of(density, 0.4, 1234.5) == "0.400 to 1,234"
    assert of(density, 12.0, 12.0) == "12.0"
    assert of(density, math.nan) == of(gini_number, math.nan) == "–"
    assert of(gini_number, 0.0004, 0.5) == "< 0.001 to 0.500"
    # What rounding leaves of equal parts is none.
    assert of(gini_number, -2e-16, 1e-16) == "0.000"


def test_an_index_shows_on_which_side_of_1_it_is():
    """Seen to fail: ECC 0.99995 stood as 1.00 beside the zone of those below 1."""
    shown = {
        0.99995: "0.99995",
        1.0004: "1.0004",
        0.9999999: "0.9999999",
        math.nextafter(1, 2): "1.0000000000000002",
    }
    shown |= {
        1.0: "1.00",
        0.994: "0.994",
        1.01: "1.01",
        123.4: "123",
        0.0: "0",
        math.inf: "∞",
        math.nan: "–",
    }
    assert {value: index_number(value) for value in shown} == shown
    assert index_number(0.99995, "{:.4g}".format) == "0.99995"
    assert interval(0.99996, 0.5, 1.00001) == "0.99996 (0.500 – 1.00001)"


def test_units_of_masses():
    assert mass_scale(2.4e14) == (1e12, "Mt")
    assert mass_scale(5e9) == (1e9, "kt")
    assert mass_scale(0) == (1e6, "t")


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.0, "0.00 %"), (1.0, "100.00 %"), (0.371134, "37.11 %"), (0.00003, "< 0.01 %"), (0.00006, "0.01 %"), (math.nan, "–")],
)  # fmt: skip
def test_percent_with_two_decimals(part: float, text: str) -> None:
    assert in_percent(part) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.004, "< 1 %"), (0.006, "1 %"), (0.994, "99 %"), (0.996, "> 99 %"), (1.0, "100 %"), (math.nan, "–")],
)  # fmt: skip
def test_whole_percent_is_not_all_and_not_nothing_where_it_is_not(share, text):
    assert whole_percent(share) == text


def test_no_mass_is_an_exponent():
    assert [mass(grams) for grams in (0, 1, 999, 1000, -1, 1_234_567, 999_960_000)] == [
        "0 t", "< 0.001 t", "< 0.001 t", "0.00100 t", "> −0.001 t", "1.23 t", "1.00 kt",
    ]  # fmt: skip


def test_a_mass_has_the_unit_that_suits_it_as_rounded():
    """Seen: "1,000 t" above "1.00 kt" in the table of zones."""
    near = [999_400_000, 999_960_000, 10**9, 999_960_000_000, -999_960_000_000]
    assert list(map(mass, near)) == ["999 t", "1.00 kt", "1.00 kt", "1.00 Mt", "−1.00 Mt"]
    assert list(map(mass_in_chinese, [9_994_000_000, 9_996_000_000, 10**10])) == [
        "9,990 吨", "1.00 万吨", "1.00 万吨",
    ]  # fmt: skip
    # Seen: 1,000.00 t in the headline, and 9.99 kt beside 1.00 万吨.
    assert [exact_mass(grams) for grams in (999_994_000, 999_996_000, 999_996_000_000)] == ["999.99 t", "1.00 kt", "1.00 Mt"]  # fmt: skip
    # Seen: 365.56 beside 365.57 on one page.
    assert exact_mass_in_chinese(3_655_650_000_000) == f"{tonnes_in_chinese(3_655_650_000_000)} 万吨" == "365.57 万吨"  # fmt: skip
    assert [exact_mass(grams) for grams in (1_005_000_000, 999_995_000, -1_005_000_000)] == ["1.01 kt", "1.00 kt", "−1.01 kt"]  # fmt: skip
    assert (mass(9_995_000_000), mass_in_chinese(9_995_000_000)) == ("10.0 kt", "1.00 万吨")


@given(st.integers(0, 10**19))
def test_a_mass_is_rounded_once_and_half_up(grams: int) -> None:
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_HALF_UP):
        rounded = int(+decimal.Decimal(grams))
    for text, units in ((mass(grams), {"t": 6, "kt": 9, "Mt": 12}), (mass_in_chinese(grams), {"吨": 6, "万吨": 10})):  # fmt: skip
        number, unit = text.split()[-2:]
        assert (
            "<" in text or decimal.Decimal(number.replace(",", "")) * 10 ** units[unit] == rounded
        )


def test_a_change_is_not_all_and_not_nothing_where_it_is_not():
    """Seen: "takes up more than < 0.001 t (−100 %)", "less than 2.00e-06 (+∞) million CNY", "−< 0.001 %"."""
    now = 22_727_330_043
    assert threshold(now, 197 - now, to_the_gram) == "197 g (> −100 %)"
    assert threshold(now, 197 - now, to_the_gram_in_chinese) == "197 克 (> −100 %)"
    assert threshold(now, -now, to_the_gram) == "0 t (−100 %)"
    assert (
        threshold(0, 2, money) == "0.000002" and threshold(0, 2, money_in_chinese) == "0.00000002"
    )
    assert [money(value) for value in (0, 90, 99, 1234)] == ["0", "0.00009", "0.000099", "0.00123"]
    changes = [-1, 1, -100, 100, 1000, 10**9]
    assert [change_in_percent(10**9, change) for change in changes] == [
        "> −0.001 %", "< +0.001 %", "> −0.001 %", "< +0.001 %", "< +0.001 %", "+100 %",
    ]  # fmt: skip
    assert change_in_percent(10**9, 20_000) == "+0.00200 %"
    assert change_in_percent(10**9, 0) == change_in_percent(0, 0) == "0 %", "seen: −0 % and −∞"


def test_digits_of_a_share_are_counted_after_rounding():
    assert [percent(share) for share in SHARES] == list(SHARES.values())


def test_people_and_money_are_read_as_they_are():
    assert [people(count) for count in (7.0, 0.0, 7.5, 31_000.5, np.nan)] == [
        "7",
        "0",
        "7.50",
        "31,000",
        "–",
    ]
    assert [money(value) for value in (None, 0, 3_200_000_000, 1_500_000)] == [
        "–",
        "0",
        "3,200",
        "1.50",
    ]


def test_a_share_of_draws_is_told_on_its_own_side_of_90_percent_and_of_all() -> None:
    """Seen: of the draws, 90.0 % have this zone, which is not firm (below 90 %); and 100 % of 9,996 draws in 10,000."""
    told = {0.0: "0 %", 0.0004: "< 0.1 %", 0.05: "5.0 %", 0.29: "29.0 %", 0.8996: "89.9 %", 0.9: "90.0 %", 0.9996: "99.9 %", 1.0: "100 %", math.nan: "–"}  # fmt: skip
    assert {share: share_of_draws(share) for share in told} == told
    for draws in (30, 1000, 7):
        for have in range(draws + 1):
            text = share_of_draws(have / draws)
            assert text == f"{1000 * have // draws / 10:.1f} %" or have in (0, draws)
