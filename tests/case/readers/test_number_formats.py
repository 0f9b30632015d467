"""What a number format shows is the number that the cell holds, another one, or nothing."""

from __future__ import annotations

import pytest

from carbongrid.case.readers.number_formats import how_shown, is_percentage, powers_told

ACCOUNTS = '_-* #,##0.00\\ "Kč"_-;\\-* #,##0.00\\ "Kč"_-;_-* "-"??\\ "Kč"_-;_-@_-'


@pytest.mark.parametrize(
    "shown",
    ["", "General", "@", "#,##0.00_);(#,##0.00)", '#,##0.00\\ "Kč"', ACCOUNTS, "#,##0.00\\ [$Kč-405]", '0" kö"', '0"MÜ"', '"K"0', '"M"000', '0" M2"', '0"M3"', '0" M²"', '0" MM"', '0"kt"', '0"km"', '0"千焦"', '0"千卡"', '0.0"千伏"', '0"千公里"', '0"千公顷"', '0"百帕"', '0.00"千克标准煤"', "# ?/?", "##0.0E+0", "[DBNum1][$-804]General", '0"."000"."000', '0","000', '#","####', '0"%"', "#,##0.--", "0;;;", "0;-0;;@"],
)  # fmt: skip
def test_what_is_shown_whole_is_plain(shown):
    """Seen to fail: a column of korunas, whose K stood before a letter that is none of English, was taken for thousands."""
    assert how_shown(1234567.0, shown) is None


@pytest.mark.parametrize(
    "shown",
    ["0,", "#,##0.00,", "#,##0,.00", "0,_)", '0.0,"k"', '0!.0,"万"', "0!.0000", '0"."0000', "0\\.0000", "#!.####", '#"."##0","00', '0!.0000"万"', '0","00', '0"000"', '0",000"', '"20"00', "0!.0000;-0!.0000"],
)  # fmt: skip
def test_what_is_shown_as_another_number_is_known(shown):
    """Seen to fail: 0!.0000, as a 万 is written in China, showed 123.4567 of 1,234,567, of which it was read as plain."""
    told = how_shown(1234567, shown)
    assert told is not None
    assert told.another
    assert not told.unseen


@pytest.mark.parametrize("shown", [";;;", '"";"";""', '""', "_-", '[<5]"-";0', '"-"', '"n/a";0'])
def test_a_number_of_which_nothing_is_shown_is_known(shown):
    told = how_shown(4, shown)
    assert told is not None
    assert told.unseen


@pytest.mark.parametrize(
    ("shown", "word", "power"),
    [('0.00"万"', "万", 4), ('#,##0"万元"', "万", 4), ("[$亿元-804]0", "亿", 8), ('0"億円"', "億", 8), ('0"萬元"', "萬", 4), ('0"百万円"', "百万", 6), ('"¥"0"千円"', "千", 3), ('0"千"', "千", 3), ('0"k"', "k", 3), ("0\\ \\k", "k", 3), ('0.0" k€"', "k", 3), ('0"T€"', "T", 3), ('0"TEUR"', "T", 3), ('#,##0"Tsd. €"', "Tsd", 3), ('0"тыс. руб."', "тыс", 3), ('0.0"M"', "M", 6), ('0" mn"', "mn", 6), ('0" млн"', "млн", 6), ('0.0" million"', "million", 6), ('0.0" lakh"', "lakh", 5), ('0" Cr"', "Cr", 7), ('0" Mrd"', "Mrd", 9), ('"Bn "0', "Bn", 9)],
)  # fmt: skip
def test_words_of_size_are_known(shown, word, power):
    told = how_shown(1.02, shown)
    assert told is not None
    assert (told.another, told.unseen, told.word, told.power) == (False, False, word, power)


def test_the_part_of_a_format_that_is_for_the_number_counts():
    """Seen to fail: 50 below the condition of 万, shown as 50, was refused."""
    for shown in ('[>=10000]0!.0,"万";0', '[>=1000000]0.0,,"M";[>=20000]0.0,"k";0', "0;0,"):
        assert how_shown(50, shown) is None
    assert how_shown(20_000, '[>=10000]0!.0,"万";0').another
    assert how_shown(30_000, '[>=1000000]0.0,,"M";[>=20000]0.0,"k";0').word == "k"
    assert how_shown(-5, "0;0,").another
    assert how_shown(-5, "0;0,;0,") is not None
    assert how_shown(5, "0;0,;0,") is None
    assert how_shown(5, "[>=10]0,") is None
    assert how_shown(5, "[>=10]0,;[<2]0,") is None
    assert how_shown(15, "[>=10]0,").another
    assert how_shown(-5, "0;0,;@").another and how_shown(0, "0,;0;@").another, (
        "the third is for texts"
    )


def test_a_percentage_is_one_where_its_sign_is_no_text():
    assert all(map(is_percentage, ("0%", "0.0 %;[Red]-0.0 %")))
    assert not any(map(is_percentage, ("0", '0"%"', "0\\%", "0!%", "0_%", "0*%")))


def test_what_a_unit_tells_of_its_size():
    for text in ("万元", "gdp (万元)", "1e4 CNY", "10000 t CO2e", "10,000 t", "10^4 t", "万吨"):
        assert powers_told([text]) == {4}, text
    assert powers_told(["kt CO2e"]) == powers_told(["Gg CO2"]) == powers_told(["thousand t"]) == {3}
    assert powers_told(["1e8 CNY", "Mt"]) == {8, 6}
    # Seen to fail: 万吨 as the format of numbers in 10 kt was said to be told by nothing.
    assert powers_told(["10 kt CO2e"]) == {1, 3, 4}
    assert powers_told(["1000 万元"]) == {3, 4, 7}
    for text in ("t CO2e", "kg", "CNY", "人", "", "value", "2020", "MWh", "Mg"):
        assert powers_told([text]) == set(), text
