"""Percent that may be parts of 1."""

from __future__ import annotations

import pytest
from english_left import english_in

from carbongrid.inventory.percents import percent_problems
from carbongrid.outputs.report.notes import note_in_chinese


@pytest.mark.parametrize(
    ("numbers", "level", "words"),
    [
        ([], None, ""),
        ([0, 0], None, ""),
        ([0.3, 0.05, 0, 1.0], "warning", "3 of 3 numbers of most are 1 % or less: row 2 (0.3 %), row 3 (0.05 %), row 5 (1 %)"),
        ([0.5], "note", "1 of 1 numbers of most are 1 % or less: row 2 (0.5 %)"),
        ([0.5, 0.9, 0.7], "note", "3 of 3"),  # well-metered
        ([float("nan"), 0.2], "note", "1 of 1"),
        ([90, 0.9, 80], "note", "1 of 3 numbers of most are 1 % or less: row 3 (0.9 %)"),
        ([90, 0.5, 2], None, ""),  # gas that is metered beside coal that is not
        ([5, 30], None, ""),
        ([0.1] * 9, "warning", "row 6 (0.1 %) and 4 more"),
    ],
)  # fmt: skip
def test_numbers_below_one_percent_are_told(numbers, level, words):
    """Seen without a word: half-widths of 0.05 for 5 %, limits of 0.9 for 90 %."""
    told = [(f"row {place + 2}", number) for place, number in enumerate(numbers)]
    found = percent_problems(told, "most", "limits.csv")
    assert [each.level for each in found] == ([level] if level else [])
    for each in found:
        assert words in each.what
        assert english_in(note_in_chinese(str(each)), ["limits.csv", "most"]) == []
