"""CH4 of fossil origin and biogenic CH4 are weighed apart by AR6."""

from __future__ import annotations

from fractions import Fraction

import pytest
from inventory_example import EXAMPLE

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity


@pytest.mark.parametrize(("gwp", "fossil", "other"), [("AR5", "28", "28"), ("AR6", "29.8", "27")])
def test_methane_of_fuels_and_of_fields(gwp: str, fossil: str, other: str) -> None:
    formed = inventory.form(read_activity(EXAMPLE), gwp=gwp)
    seen = set()
    for line in formed.lines:
        if line.gas == "CH4":
            burnt = line.row.activity.startswith("fuel/")
            assert line.potential(gwp) == Fraction(fossil if burnt else other)
            seen.add(burnt)
    assert seen == {True, False}
    audit = inventory.audit(formed)
    methane = audit[audit["gas"] == "CH4"]
    assert set(methane["gwp"]) == {fossil, other}


def test_the_tree_shows_both_potentials_of_one_category() -> None:
    """Fuel burnt on a farm and its animals."""
    folder = read_activity(EXAMPLE)
    tree = inventory.explain(inventory.form(folder, gwp="AR6"), "waste/domestic")
    assert "t x 27 = " in tree
    fuels = inventory.explain(inventory.form(folder, gwp="AR6"), "industry/supply")
    assert "t x 29.8 = " in fuels


def test_the_intervals_weigh_as_the_totals_do() -> None:
    formed = inventory.form(read_activity(EXAMPLE), gwp="AR6")
    told = (
        inventory.totals(formed)
        .groupby("category")["co2e_t"]
        .apply(lambda t: t.astype(float).sum())
    )
    for method in (inventory.approach_1, inventory.approach_2):
        for row in method(formed).itertuples():
            if row.category in told:
                assert row.co2e_t == pytest.approx(told[row.category])
                assert row.low_t < row.co2e_t < row.high_t
