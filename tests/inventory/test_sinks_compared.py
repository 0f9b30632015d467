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
