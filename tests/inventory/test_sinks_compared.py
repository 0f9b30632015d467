"""The sets of sinks side by side are the inventories formed by each."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from inventory_example import EXAMPLE, example

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.inventory.sink_sets import sink_set_of, sink_sets


def test_every_set_is_there_and_adds_up_as_its_own_inventory() -> None:
    table = inventory.compare_sinks(example()).set_index("set")
    assert table.index.tolist() == list(sink_sets())
    assert table.index[table["chosen"]].tolist() == ["study"]
    for name, row in table.iterrows():
        formed = inventory.form(read_activity(EXAMPLE), sinks=name)
        sums = inventory.by_gas(formed).groupby("category")["grams_co2e"].sum() / 1e6
        assert row["land_t"] == sums.get("sink/land", 0)
        assert row["crops_t"] == sums.get("sink/crops", 0)
        assert row["methane_t"] == sums.get("agriculture/water", 0)
        net = row["land_t"] + row["crops_t"] - row["methane_t"]
        assert row["net_t"] == pytest.approx(net, abs=1e-6)


def test_the_chosen_set_is_what_the_inventory_counts_wherever_it_is() -> None:
    """Seen to fail: the comparison took the world's factors where the land survey's codes had told the country."""
    data = example().data
    data = replace(data, settings={**data.settings, "grid": "", "country": ""})
    sinks = tuple(row for row in data.rows if row.sheet == "sinks")
    lost = replace(
        next(row for row in sinks if row.activity.startswith("land/")),
        id="lost",
        activity="land/grassland",
        parameters={"coefficient": "0.5 t C/(hm2 yr)"},
    )
    formed = inventory.form(
        replace(data, rows=(*sinks, lost)), sinks="study", code_system="tdland3"
    )
    sums = inventory.by_gas(formed).groupby("category")["grams_co2e"].sum() / 1e6
    (row,) = inventory.compare_sinks(formed).query("chosen").to_dict("records")
    assert row["land_t"] == sums["sink/land"]
    assert row["crops_t"] == sums["sink/crops"]
    assert row["lost_t"] == sums["agriculture/land"] > 0
    assert row["net_t"] == pytest.approx(sums["sink/land"] + sums["sink/crops"] - row["lost_t"])


def test_a_set_of_the_users_stands_beside_the_packages() -> None:
    cells = {"activity": ["land/water"], "products": ["land+ch4"], "source": ["a survey"]}
    mine = sink_set_of(pd.DataFrame(cells), "mine.csv")
    table = inventory.compare_sinks(inventory.form(read_activity(EXAMPLE), sinks=mine))
    assert table["set"].tolist() == [*sink_sets(), "mine.csv"]
    assert table["chosen"].tolist() == [False, False, False, True]
    assert table["land_t"].iloc[-1] == 276_164.166667


def test_without_a_sink_there_is_nothing_to_compare() -> None:
    data = example().data
    rows = tuple(row for row in data.rows if row.activity == "fuel/bituminous")
    assert inventory.compare_sinks(inventory.form(replace(data, rows=rows))).empty
