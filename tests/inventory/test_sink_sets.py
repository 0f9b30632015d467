"""Sets of sinks: what each counts, and that nothing is a sink without a source."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from inventory_example import EXAMPLE

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.errors import InputError
from carbongrid.inventory.activity import activities
from carbongrid.inventory.sink_sets import (
    DEFAULT,
    PRODUCTS,
    counted_types,
    sink_set,
    sink_set_of,
    sink_sets,
)


def own(**cells: str) -> pd.DataFrame:
    row = {"activity": "land/forest", "products": "land", "source": "a survey"}
    return pd.DataFrame([{**row, **cells}])


def sinks_of(formed: inventory.Inventory) -> dict[str, int]:
    sums = inventory.by_gas(formed).groupby("category")["grams_co2e"].sum()
    return {
        name: int(grams)
        for name, grams in sums.items()
        if name.startswith("sink/") or name in ("agriculture/water", "agriculture/ponds")
    }


def test_every_row_of_the_package_has_a_source_and_known_products() -> None:
    known = activities()
    for each in sink_sets().values():
        for row in each.rows:
            assert row.source
            assert set(row.products) <= set(PRODUCTS)
            assert row.activity in known or row.activity == "crop/*"


def test_crops_are_in_no_total_unasked() -> None:
    """Seen to fail with the set of the study as default."""
    assert DEFAULT == "ipcc"
    formed = inventory.form(read_activity(EXAMPLE))
    assert "sink/crops" not in set(inventory.totals(formed)["category"])
    assert [name for name, each in sink_sets().items() if each.counts("crop/rice", "crop")] == [
        "study"
    ]


@pytest.mark.parametrize("name", ["ipcc", "balanced", "study"])
def test_no_packaged_set_takes_ponds_for_a_sink(name: str) -> None:
    assert not sink_set(name).counts("land/ponds", "land")
    assert sink_set(name).counts("land/ponds", "ch4") == (name != "study")
    assert "ponds" not in counted_types(sink_set(name))


def test_the_template_by_each_set() -> None:
    """By hand: 19.4e4 mu of forest, 3,205 km2 of water; as docs/decisions/0054 prints them."""
    data = read_activity(EXAMPLE)
    forest, water = 19.4e4 / 15, 320_500.0
    land = forest * 0.612 * 44 / 12
    both = land + water * 0.235 * 44 / 12
    expected = {
        "ipcc": {"sink/land": land},
        "balanced": {"sink/land": both, "agriculture/water": water * 15.2 / 1000 * 28},
        "study": {"sink/land": both, "sink/crops": 1_582_571.361905},
    }
    for name, masses in expected.items():
        found = sinks_of(inventory.form(data, sinks=name))
        assert {key: grams / 1e6 for key, grams in found.items()} == pytest.approx(masses, rel=1e-9)


def test_ponds_emit_and_take_up_nothing_without_a_factor_of_the_users() -> None:
    data = read_activity(EXAMPLE)
    water = next(row for row in data.rows if row.activity == "land/water")
    pond = replace(water, activity="land/ponds", parameters={})
    ponds = replace(data, rows=(pond,))
    methane = round(320_500 * 75.3 / 1000 * 28 * 1e6)
    assert sinks_of(inventory.form(ponds)) == {"agriculture/ponds": methane}
    assert sinks_of(inventory.form(ponds, sinks="study")) == {}
    mine = sink_set_of(own(activity="land/ponds", products="land+ch4"), "mine.csv")
    assert sinks_of(inventory.form(ponds, sinks=mine)) == {"agriculture/ponds": methane}
    measured = replace(pond, parameters={"coefficient": "own.pond"})
    factor = replace(inventory.form(data).factors["sci_rep_2025.water"], key="own.pond")
    told = replace(data, rows=(measured,), factors=(factor,))
    assert set(sinks_of(inventory.form(told, sinks=mine))) == {"agriculture/ponds", "sink/land"}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (own(source=" "), "land/forest has no source"),
        (own(products="land+air"), "unknown product 'air'"),
        (own(activity="land/forrest"), "unknown activity 'land/forrest'. Known: land/"),
        (own().drop(columns="source"), "no column source"),
    ],
)
def test_a_set_of_the_users_needs_sources(table: pd.DataFrame, told: str) -> None:
    with pytest.raises(InputError, match=told):
        sink_set_of(table, "mine.csv")


def test_a_set_that_counts_uptake_without_return_is_warned_of() -> None:
    for name, parts in {"study": ["land/water", "crop/*"], "ipcc": [], "balanced": []}.items():
        told = sink_set(name).problems("x")
        assert len(told) == bool(parts)
        assert all(part in told[0].what for part in parts)
    whole = sink_set_of(own(activity="land/*"), "mine.csv")
    assert "land/*" in whole.problems("x")[0].what


def test_an_unknown_set_names_those_there_are() -> None:
    with pytest.raises(InputError, match="unknown set of sinks 'ipc'") as told:
        inventory.form(read_activity(EXAMPLE), sinks="ipc")
    assert "ipcc, balanced, study" in str(told.value)


def test_an_activity_that_stands_twice_is_refused() -> None:
    """Seen without a word: the first row counted, and methane in the second did not."""
    rows = [("land/water", "land", "a study"), ("land/water", "ch4", "a study")]
    with pytest.raises(InputError, match=r"my\.csv: land/water stands twice"):
        sink_set_of(pd.DataFrame(rows, columns=["activity", "products", "source"]), "my.csv")
