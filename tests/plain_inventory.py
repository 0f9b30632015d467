"""The example's totals again, in pandas and plain arithmetic: imports nothing from carbongrid.

``python tests/plain_inventory.py`` prints them. Every row's formula and factors are written out by hand.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

DATA = Path(__file__).resolve().parents[1] / "carbongrid" / "data"
SHEETS = ("industry", "buildings", "transport", "agriculture", "waste", "sinks")

# Amounts in t, m3, kWh, GJ, ha, heads, persons, t km, person km, vehicle km.
UNITS = {
    "t": 1,
    "kt": 1e3,
    "万吨": 1e4,
    "t N": 1,
    "万吨标准煤": 1e4,
    "亿立方米": 1e8,
    "亿千瓦时": 1e8,
    "GJ": 1,
    "亿吨公里": 1e8,
    "亿人公里": 1e8,
    "万人公里": 1e4,
    "亿车公里": 1e8,
    "公顷": 1,
    "万亩": 1e4 / 15,
    "km2": 100,
    "head": 1,
    "万头": 1e4,
    "万人": 1e4,
}
CARBON, NITROGEN, METHANE = 44 / 12, 44 / 28, 16 / 12
AR5 = {"CO2": 1, "CH4": 28, "N2O": 265, "CO2e": 1}
STOKER, MSW_N2O = ("ipcc.inc.ch4_stoker", 1e-6), ("ipcc.inc.n2o_msw", 1e-6)


def amounts() -> pd.Series:
    """Amounts by id in the plain units above; marks are unknown."""
    folder = DATA / "template" / "inventory"
    rows = pd.concat(pd.read_csv(folder / f"{sheet}.csv", dtype=str) for sheet in SHEETS)
    number = pd.to_numeric(rows["amount"], errors="coerce")
    return pd.Series((number * rows["unit"].map(UNITS)).to_numpy(), index=rows["id"])


def factors() -> pd.Series:
    """Values by key, the example's own factor over the package's."""
    tables = [
        *sorted((DATA / "factors").glob("*.csv")),
        DATA / "template" / "inventory" / "factors.csv",
    ]
    rows = pd.concat(pd.read_csv(path, dtype=str) for path in tables)
    return pd.to_numeric(rows.drop_duplicates("key", keep="last").set_index("key")["value"])


def products() -> pd.DataFrame:
    """One row per product: id, category, gas, mass in t."""
    a, f = amounts(), factors()
    rows: list[tuple[str, str, str, float]] = []

    def add(row: str, category: str, gas: str, mass: float) -> None:
        rows.append((row, category, gas, float(mass)))

    def burn(row: str, category: str, energy: float, carbon: float, ipcc: str, use: str) -> None:
        """Energy in TJ, carbon in t C/TJ."""
        add(row, category, "CO2", energy * carbon * CARBON)
        if ipcc:
            for gas in ("CH4", "N2O"):
                add(row, category, gas, energy * f[f"ipcc.{use}.{gas.lower()}.{ipcc}"] / 1000)

    coal = "other_bituminous_coal"
    # GJ/t / 1000 is TJ/t; t C/TJ as it stands; TJ/Gg / 1000 is TJ/t; kg C/GJ is t C/TJ.
    burn(
        "I01",
        "industry/supply",
        a["I01"] * f["cn.ncv.bituminous"] / 1e3,
        f["cn.cc.bituminous"],
        "",
        "",
    )
    rows[-1] = ("I01", "industry/supply", "CO2", rows[-1][3] * f["cn.of.bituminous"])
    for gas in ("CH4", "N2O"):
        add(
            "I01",
            "industry/supply",
            gas,
            a["I01"]
            * f["cn.ncv.bituminous"]
            / 1e3
            * f[f"ipcc.energy_industries.{gas.lower()}.{coal}"]
            / 1e3,
        )
    energy = a["I02"] * f["gbt32151_22.ncv.bituminous"] / 1e3
    oxidised = f["cn.cc.bituminous"] * f["cn.of.bituminous"]
    burn("I02", "industry/manufacturing", energy, oxidised, "", "")
    for gas in ("CH4", "N2O"):
        add(
            "I02",
            "industry/manufacturing",
            gas,
            energy * f[f"ipcc.manufacturing.{gas.lower()}.{coal}"] / 1e3,
        )
    energy = a["I03"] * f["gbt32151_22.ncv.anthracite"] / 1e3
    burn("I03", "industry/mining", energy, f["cn.cc.anthracite"] * f["cn.of.anthracite"], "", "")
    for gas in ("CH4", "N2O"):
        add(
            "I03",
            "industry/mining",
            gas,
            energy * f[f"ipcc.manufacturing.{gas.lower()}.anthracite"] / 1e3,
        )
    energy = a["I04"] * f["cn.ncv.natural_gas"] / 1e6
    burn(
        "I04",
        "industry/manufacturing",
        energy,
        f["cn.cc.natural_gas"] * f["cn.of.natural_gas"],
        "natural_gas",
        "manufacturing",
    )
    coke = "coke_oven_coke_and_lignite_coke"
    burn(
        "I05",
        "industry/manufacturing",
        a["I05"] * 29.3076 / 1e3,
        f["cn.cc.coke"] * f["cn.of.coke"],
        coke,
        "manufacturing",
    )
    burn(
        "I06",
        "industry/mining",
        a["I06"] * f["cn.ncv.diesel"] / 1e3,
        21 * f["cn.of.diesel"],
        "diesel_oil",
        "manufacturing",
    )
    add("I07", "industry/manufacturing", "CO2", a["I07"] * 1.9)
    add("I08", "industry/manufacturing", "CO2", a["I08"] * 0.525)
    add("I09", "industry/manufacturing", "CO2", a["I09"] * 0.75 * 0.525)
    add("I10", "industry/manufacturing", "CO2", a["I10"] * f["ipcc.glass.float"] * (1 - 0.15))
    add("I11", "industry/manufacturing", "N2O", a["I11"] * 7 / 1e3)
    add("I12", "industry/manufacturing", "CO2", a["I12"] * f["cn.grid.province.jiangsu.2021"] / 1e3)
    add("I13", "industry/manufacturing", "CO2", a["I13"] * f["cn.heat.co2"])

    energy = a["B01"] * f["cn.ncv.natural_gas"] / 1e6
    burn(
        "B01",
        "buildings/urban-homes",
        energy,
        f["cn.cc.natural_gas"] * f["cn.of.natural_gas"],
        "natural_gas",
        "residential_agri",
    )
    lpg = "liquefied_petroleum_gases"
    burn(
        "B02",
        "buildings/rural-homes",
        a["B02"] * f["cn.ncv.lpg"] / 1e3,
        f["cn.cc.lpg"] * f["cn.of.lpg"],
        lpg,
        "residential_agri",
    )
    add("B03", "buildings/urban-homes", "CO2", a["B03"] * f["cn.grid.province.jiangsu.2021"] / 1e3)
    add("B04", "buildings/commerce", "CO2", a["B04"] * f["cn.grid.province.jiangsu.2022"] / 1e3)

    add("T01", "transport/road", "CO2", a["T01"] * 41.25e-6)
    add("T02", "transport/water", "CO2e", a["T02"] * 0.015e-3)
    add("T03", "transport/rail", "CO2", a["T03"] * 0.02832e-3)
    add("T04", "transport/air", "CO2", a["T04"] * 87.69e-6)
    add("T05", "transport/road", "CO2", a["T05"] * 0.16323e-3)
    energy = a["T06"] * f["cn.ncv.diesel"] / 1e3
    burn("T06", "transport/rail", energy, f["cn.cc.diesel"] * f["cn.of.diesel"], "", "")
    for gas in ("CH4", "N2O"):
        add(
            "T06", "transport/rail", gas, energy * f[f"ipcc.mobile.rail_diesel.{gas.lower()}"] / 1e3
        )

    fields = "agriculture/plantation"
    add(
        "A01",
        "agriculture/rice",
        "CH4",
        a["A01"] * 120 * 1.3 / 1e3 * 0.52 * 1.22 * (1 + 3 * 1) ** 0.59,
    )
    add("A02", "agriculture/rice", "CH4", a["A02"] * 224.0 / 1e3)
    for row, volatile in (("A03", 0.1), ("A04", 0.2)):
        add(row, fields, "N2O", a[row] * 0.01 * NITROGEN)
        add(row, fields, "N2O", a[row] * volatile * 0.01 * NITROGEN)
        add(row, fields, "N2O", a[row] * 0.3 * 0.0075 * NITROGEN)
    add("A05", fields, "CO2", a["A05"] * 0.2 * CARBON)
    animals = "agriculture/husbandry"
    for row, enteric, methane, nitrous in (("A07", 1.5, 5.08, 0.175), ("A08", 58.6, 8.33, 2.065)):
        add(row, animals, "CH4", a[row] * enteric / 1e3)
        add(row, animals, "CH4", a[row] * methane / 1e3)
        add(row, animals, "N2O", a[row] * nitrous / 1e3)

    home = "waste/domestic"
    add("W01", "waste/industrial", "CH4", (a["W01"] - 3000) * 0.25 * 0.8 - 900)
    add("W02", home, "CH4", a["W02"] * 40e-6 * 365 * 1.25 * 0.6 * 0.1)
    add("W02", home, "N2O", a["W02"] * 33.4e-3 * 0.16 * 1.1 * 1.25 * 0.005 * NITROGEN)
    add("W02", home, "N2O", a["W02"] * 0.3 * 1.25 * 3.2e-6)
    add("W03", home, "CH4", (a["W03"] * 1 * 0.15 * 0.5 * 0.5 * METHANE - 1000) * (1 - 0.1))
    decayed = math.exp(-0.06 * 5) - math.exp(-0.06 * 6)
    add("W04", home, "CH4", a["W04"] * 1 * 0.4 * 0.5 * decayed * 0.5 * METHANE)
    add("W05", home, "CO2", a["W05"] * 1 * 0.75 * 1 * 1 * CARBON)
    add("W06", home, "CO2", a["W06"] * 0.557)
    for row in ("W05", "W06"):
        add(row, home, "CH4", a[row] * f[STOKER[0]] * STOKER[1])
        add(row, home, "N2O", a[row] * f[MSW_N2O[0]] * MSW_N2O[1])

    add("S01", "sink/land", "CO2", a["S01"] * 0.612 * CARBON)
    add("S02", "sink/land", "CO2", a["S02"] * 0.235 * CARBON)
    add("S03", "sink/crops", "CO2", 0.414 * a["S03"] * 0.89 / 0.45 * CARBON)
    add("S04", "sink/crops", "CO2", 0.423 * a["S04"] / 0.7 * CARBON)
    return pd.DataFrame(rows, columns=["id", "category", "gas", "mass_t"])


def totals(upstream: bool = False) -> pd.DataFrame:
    """category, gas, grams (int64), co2e_t: mass rounded to the gram once per category and gas."""
    formed = products()
    if upstream:
        # Pesticide, t x kg C/kg: what its making emitted.
        making = amounts()["A06"] * factors()["cn.agri.pesticide"] * CARBON
        formed.loc[len(formed)] = ["A06", "agriculture/plantation", "CO2", making]
    sums = formed.groupby(["category", "gas"], as_index=False)["mass_t"].sum()
    grams = (sums["mass_t"] * 1e6).round().astype("int64")
    return sums.assign(grams=grams, co2e_t=sums["mass_t"] * sums["gas"].map(AR5))


if __name__ == "__main__":
    print(totals().to_string())  # noqa: T201
