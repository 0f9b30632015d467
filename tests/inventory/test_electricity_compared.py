"""The ways of counting electricity side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from inventory_example import example
from power_town import HOMES, SUPPLY, WITH_PLANT, WITHOUT_PLANT, WORKS, formed

from carbongrid import inventory
from carbongrid.inventory.crosswalks import level_of
from carbongrid.inventory.electricity import READINGS


def test_each_reading_by_hand() -> None:
    """1.0 Mt made; 1700 GWh at 0.5 kg are 0.85 Mt; by the balance 1.4 Mt."""
    table = inventory.compare_electricity(formed(WITH_PLANT)).set_index("reading")
    assert tuple(table.index) == READINGS
    assert table["made_t"].tolist() == [1_000_000, 0, 1_000_000, 0]
    assert table["used_t"].tolist() == [0, 850_000, 850_000, 1_400_000]
    assert table["gross_t"].tolist() == [1_000_000, 850_000, 1_850_000, 1_400_000]


def test_where_only_the_balance_counts_the_other_readings_have_nothing() -> None:
    """Seen to end with KeyError: 'category': no row but of electricity/used and what is generated."""
    town = formed([("electricity/used", WORKS, 16, "GWh"), WITHOUT_PLANT[2]])
    table = inventory.compare_electricity(town).set_index("reading")
    assert table["gross_t"].to_dict() == {"supply": 0, "use": 0, "both": 0, "consumption": 8000}


def test_a_balance_that_is_not_given_is_not_known() -> None:
    table = inventory.compare_electricity(formed(WITH_PLANT[:3])).set_index("reading")
    assert math.isnan(table.loc["consumption", "gross_t"])
    assert table.loc["both", "gross_t"] == 1_850_000


def test_the_audit_by_consumption_says_what_makes_the_mix() -> None:
    """Seen to fail: nothing of generation, imports, losses and exports, and the plants' fuel was gone."""
    town = formed(WITH_PLANT)
    trail = inventory.audit_with_readings(inventory.by_consumption(town), town, "consumption")
    sides = trail[trail["product"].str.startswith("balance of electricity")].set_index("activity")
    assert sides["amount"].to_dict() == {
        "electricity/generated": str(1000 * 10**9),
        "electricity/imported": str(800 * 10**9),
        "electricity/losses": str(100 * 10**9),
        "electricity/exported": "0",
    }
    assert set(sides["unit"]) == {"Wh"}
    assert "1,000,000 t CO2, 1,000,000 t CO2e" in sides.loc["electricity/generated", "remark"]
    assert "400,000 t CO2e" in sides.loc["electricity/imported", "remark"]
    assert "77,777.777778 t CO2e" in sides.loc["electricity/losses", "remark"]
    assert "0.5 kg CO2/kWh (own.grid)" in sides.loc["electricity/imported", "factors"]
    assert sides.index[sides["factors"] != ""].tolist() == ["electricity/imported"]
    aside = trail[trail["remark"].str.startswith("set aside by electricity = consumption")]
    assert set(aside["activity"]) == {"fuel/diesel"}
    assert aside["mass_t"].tolist() == ["1000000.000000", "0.000000", "0.000000"]
    # The rest is what is spread.
    counted = inventory.totals(inventory.as_counted(inventory.by_consumption(town), "consumption"))
    rest = trail[(trail["mass_t"] != "") & ~trail.index.isin(aside.index)]
    assert sum(map(Decimal, rest["co2e_t"])) == sum(map(Decimal, counted["co2e_t"]))


@pytest.mark.parametrize(("none", "reading"), [(0, "supply"), (1, "use")])
def test_a_side_of_0_sets_nothing_aside(none: int, reading: str) -> None:
    """Of a city without plants, whose row of them says 0. Seen to fail: use was set aside in audit, draws and comparison, and spread all the same."""
    rows = [row for row in WITH_PLANT[:2] if row[0] in ("fuel/diesel", "electricity")]
    rows[none] = (*rows[none][:2], 0, rows[none][3])
    town = formed(rows)
    whole = sum(town.grams_co2e)
    assert sum(inventory.as_counted(town, reading).grams_co2e) == whole > 0
    trail = inventory.audit_with_readings(town, town, reading)
    assert not trail["remark"].str.startswith("set aside").any()
    assert inventory.compare_electricity(town).empty
    assert not trail["remark"].str.contains("side by side").any()


def test_nothing_is_compared_where_there_is_one_side_only() -> None:
    assert inventory.compare_electricity(formed(WITH_PLANT[:1])).empty
    assert inventory.compare_electricity(formed(WITHOUT_PLANT[:1])).empty
    assert len(inventory.compare_electricity(formed(WITHOUT_PLANT))) == len(READINGS)


def test_sinks_are_no_emission() -> None:
    gross = inventory.compare_electricity(example()).set_index("reading")["gross_t"]
    sums = inventory.by_gas(example())
    emitted = sums[~sums["category"].str.startswith("sink/")]["grams_co2e"].sum()
    assert gross["both"] == emitted / 1e6


def test_waste_burnt_without_its_energy_is_told() -> None:
    data = example().data
    rows = tuple(row for row in data.rows if row.activity == "incineration/msw")
    told = [n.what for n in inventory.energy_notes(inventory.form(replace(data, rows=rows)))]
    assert len(told) == 1
    assert rows[0].id in told[0]
    moved = tuple(replace(row, category=SUPPLY, sheet="industry") for row in rows)
    burnt = inventory.form(replace(data, rows=moved))
    assert not inventory.energy_notes(burnt)
    codes = {s: set(inventory.to_system(burnt, s)["code"]) for s in ("crt", "ipcc2006", "gpc")}
    assert codes == {"crt": {"1.A.1.a"}, "ipcc2006": {"1.A.1.a"}, "gpc": {"I.4.4"}}


@pytest.mark.parametrize(
    ("code", "level"),
    [("I.4.4", "territorial"), ("I.4.1", "BASIC"), ("I.1.2", "BASIC"), ("I.1.3", "BASIC+"), ("II.2.2", "BASIC"),
     ("II.4.3", "BASIC+"), ("III.1.1", "BASIC"), ("III.2.3", "territorial"), ("IV.1", "BASIC+"), ("V.3", "BASIC+"), ("VI.1", "")],
)  # fmt: skip
def test_generation_is_outside_of_basic(code: str, level: str) -> None:
    assert level_of(code) == level


def test_the_gpc_has_generation_at_i_4_4_and_use_where_it_is() -> None:
    town = inventory.by_consumption(formed(WITH_PLANT))
    table = inventory.to_system(town, "gpc")
    grams = table.groupby("code")["grams"].sum()
    assert grams["I.4.4"] == 10**12
    assert grams[["I.1.2", "I.1.3", "I.3.2", "I.3.3"]].sum() == 1_400_000 * 10**6
    assert set(table.loc[table["category"] == HOMES, "code"]) == {"I.1.2", "I.1.3"}
    back, left = inventory.from_system(table, "gpc")
    assert left.empty
    assert back["grams"].sum() == table["grams"].sum()
