"""CH4 that brings fossil carbon is weighed apart by AR6: what escapes and what processes give off, not what is burnt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from inventory_example import EXAMPLE

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.inventory.activity import ActivityData


def with_a_mine() -> ActivityData:
    """Return the example's data with 1 Mt of coal from an open pit."""
    data = read_activity(EXAMPLE)
    coal = next(row for row in data.rows if row.activity.startswith("fuel/"))
    mine = replace(
        coal, id="mine", activity="fugitive/coal-surface", category="industry/fugitive-coal",
        amount=Decimal(1), written="1", unit="Mt", parameters={},
    )  # fmt: skip
    return replace(data, rows=(*data.rows, mine))


@pytest.mark.parametrize(("gwp", "fossil", "other"), [("AR5", "28", "28"), ("AR6", "29.8", "27")])
def test_methane_of_mines_of_fuels_and_of_fields(gwp: str, fossil: str, other: str) -> None:
    formed = inventory.form(with_a_mine(), gwp=gwp)
    seen = set()
    for line in formed.lines:
        if line.gas == "CH4":
            kind = line.row.activity.partition("/")[0]
            assert line.potential(gwp) == Fraction(fossil if kind == "fugitive" else other)
            seen.add(kind)
    assert {"fugitive", "fuel", "animals", "wastewater"} <= seen
    audit = inventory.audit(formed)
    methane = audit[audit["gas"] == "CH4"]
    assert set(methane["gwp"]) == {fossil, other}


def test_the_tree_shows_both_potentials_of_one_category() -> None:
    """Fuel burnt in a mine, written where its methane escapes."""
    data = with_a_mine()
    burnt = next(row for row in data.rows if row.activity == "fuel/anthracite")
    moved = replace(burnt, id="burnt", category="industry/fugitive-coal", parameters={"methane": "10 kg CH4/TJ"})  # fmt: skip
    tree = inventory.explain(inventory.form(replace(data, rows=(*data.rows, moved)), gwp="AR6"), "industry/fugitive-coal")  # fmt: skip
    assert "t x 27 = " in tree
    assert "t x 29.8 = " in tree


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
