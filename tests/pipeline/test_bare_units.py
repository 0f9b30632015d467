"""Units whose land is missing among the parcels are named."""

from __future__ import annotations

import pytest
import shapely
from town import square, write_town

from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check

TOTALS = {"totals.csv": "category,value,unit\nbuildings/commerce,5,t CO2e\n"}


@pytest.mark.parametrize(
    ("covered", "words"),
    [
        ((1, 1, 1, 1, 1, 1), None),
        ((1, 1, 0.85, 1, 1, 1), None),
        ((1, 0.5, 1, 1, 1, 1), "1 of 6 units than of the median one, 100%: u1 (50%)"),
        ((1, 0.5, 1, 0, 1, 1), "2 of 6 units than of the median one, 100%: u3 (0%), u1 (50%)"),
        ((0.4, 0.5, 0.1, 0.45, 0.4, 0.5), None),  # a map that tells less than half of all land
        ((1, 0.5, 1, 1), None),  # few units have no usual one
    ],
)
def test_a_unit_whose_land_is_missing_is_told(tmp_path, covered, words):
    """Seen without a word: a whole township of 97 was missing, and 99.1 % of the units' area had parcels."""
    land = [(f"p{x}", "05", square(x, 0, part)) for x, part in enumerate(covered) if part]
    units = [(f"u{x}", "d", square(x, 0)) for x in range(len(covered))]
    problems = check(write_town(tmp_path, land, units, TOTALS)).problems
    found = [each for each in problems if "parcels cover far less" in each.what]
    assert all(each.level == "warning" and note_in_chinese(str(each)) for each in found)
    assert len(found) == (words is not None)
    assert all(words in each.what for each in found)


def test_a_unit_that_reaches_far_is_told_once(tmp_path):
    """Seen to fail: one corner that was typed wrong was named as land far away and as a unit without its land."""
    units = [square(x, 0) for x in range(6)]
    units[5] = shapely.union(units[5], square(6, 0, 60, 0.5))
    land = [(f"p{x}", "05", square(x, 0)) for x in range(6)]
    path = write_town(tmp_path, land, [(f"u{x}", "d", each) for x, each in enumerate(units)], TOTALS)  # fmt: skip
    [told] = [each.what for each in check(path).problems if "u5" in each.what]
    assert "far from all other" in told
