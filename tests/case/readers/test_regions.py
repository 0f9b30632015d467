"""Totals of regions and of the whole, against each other."""

from __future__ import annotations

import pytest

from carbongrid.case.readers.regions import check_regions, whole_masses
from carbongrid.case.readers.tables import Faults

TONNE = 10**6


def total(region, tonnes, category="a/b", place="here"):
    return {"category": category, "region": region, "grams": tonnes * TONNE, "place": place}


@pytest.mark.parametrize("count", [1, 9, 10, 11, 12])
def test_ten_regions_are_listed_and_dots_stand_for_others(count):
    """Seen to fail when the dots stood where all were listed."""
    regions = [total(f"{number:02}", 2) for number in range(count)]
    faults = Faults("totals.csv")
    check_regions([total("", 1), *regions], {}, faults)
    listed = ", ".join(f"{number:02} 2.000000 t" for number in range(min(count, 10)))
    dots = ", ..." if count > 10 else ""
    (problem,) = faults.problems
    assert problem.what.startswith(
        f"'a/b': the regions ({listed}{dots}) add up to {2 * count}.000000 t, more than the whole's 1.000000 t: by the parts "
    )
    assert problem.what.endswith(", ...)") == (count > 10)


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
