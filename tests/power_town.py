"""Two towns whose electricity can be balanced by hand: one with a power plant, one without."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from carbongrid import inventory
from carbongrid.inventory import Inventory
from carbongrid.inventory.activity import SETTINGS, ActivityData, ActivityRow
from carbongrid.inventory.factors import Factor
from carbongrid.inventory.power_balance import Balance

GRID = Factor(
    "own.grid",
    "grid",
    Fraction(1, 2),
    "kg CO2/kWh",
    gas="CO2",
    low=Fraction(2, 5),
    high=Fraction(3, 5),
)
FUEL = Factor("own.fuel", "fuel", Fraction(1), "t CO2/t", gas="CO2")
ALONE = {"factor": "own.fuel", "methane": "0 kg CH4/TJ", "nitrous_oxide": "0 kg N2O/TJ"}
"""Parameters of a fuel that gives nothing but CO2."""
HEAT = Factor("own.heat", "heat", Fraction(1, 10), "t CO2/GJ", gas="CO2")

Row = tuple[str, str, object, str]


def formed(rows: list[Row], gwp: str = "AR5", *, grid: Factor = GRID, of_rows: str = "") -> Inventory:  # fmt: skip
    """Form rows of activity, category, amount (None: blank), unit; fuel weighs its own tonnes of CO2, the grid 0.5 kg a kWh unless told, and electricity what its rows name."""
    words = {"fuel/diesel": ALONE, "heat": {"factor": "own.heat"}}
    if of_rows:
        words["electricity"] = {"factor": of_rows}
    data = tuple(
        ActivityRow(
            "town", "industry", number, f"R{number}", activity, category,
            None if amount is None else Decimal(str(amount)), "" if amount is None else str(amount), unit,
            words.get(activity, {}), None, "2020", "", "",
        )
        for number, (activity, category, amount, unit) in enumerate(rows)
    )  # fmt: skip
    settings = {**SETTINGS, "year": "2020", "grid": grid.key}
    return inventory.form(ActivityData("town", data, settings, (grid, FUEL, HEAT)), gwp=gwp)


HOMES, WORKS, SUPPLY = "buildings/urban-homes", "industry/manufacturing", "industry/supply"
WITH_PLANT: list[Row] = [
    ("fuel/diesel", SUPPLY, 1_000_000, "t"),
    ("electricity", HOMES, 600, "GWh"),
    ("electricity", WORKS, 1100, "GWh"),
    ("electricity/generated", SUPPLY, 1000, "GWh"),
    ("electricity/losses", SUPPLY, 100, "GWh"),
]
WITHOUT_PLANT: list[Row] = [
    ("electricity", HOMES, 30, "GWh"),
    ("electricity/used", WORKS, 60, "GWh"),
    ("electricity/generated", SUPPLY, 0, "kWh"),
    ("electricity/losses", SUPPLY, 10, "GWh"),
]


def sides_agree(balance: Balance) -> None:
    """Hold both sides against each other, in Wh and in grams of each gas."""
    parts = [flow for _, flow in balance.uses] + [balance.losses, balance.exported]
    sources = [balance.generated, balance.imported]
    assert sum(flow.wh for flow in parts) == sum(flow.wh for flow in sources)
    for gas in ("CO2", "CH4", "N2O", "CO2e"):
        for what in ("grams", "co2e"):
            sums = [
                sum(getattr(flow.gases[gas], what) for flow in side if gas in flow.gases)
                for side in (parts, sources)
            ]
            assert sums[0] == sums[1], (gas, what)
            lost = sum(getattr(f.gases[gas], what) for _, f in balance.lost if gas in f.gases)
            assert lost == getattr(balance.losses.gases.get(gas), what, 0)
