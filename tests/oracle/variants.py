"""The demo's case in other forms, which the oracle answers too: shared out by exact area, with other choices, with facilities of each kind."""

from __future__ import annotations

import re
import shutil

import pandas as pd


def exact(case, folder):
    """Copy a case folder and let its cases share parcels out by exact area."""
    shutil.copytree(case, folder)
    for path in folder.glob("*.toml"):
        text = path.read_text("utf-8")
        text = re.sub(r"(?m)^\s*#?\s*reduce\s*=.*\n", "", text)
        path.write_text('reduce = "exact"\n' + text, "utf-8")
    return folder


def with_other_choices(folder, copy):
    """Give a grid of people, geodesic areas, totals of a district, water to the nearest, POIs dropped,

    indices by district, and the GDP of a unit unknown.
    """
    case = shutil.copytree(folder, copy) / "case.toml"
    text = case.read_text("utf-8")
    for old, new in [
        ('path = "people.csv"', 'path = "people.tif"'),
        ('area_field = "TBDLMJ"', ""),
        ('water = "ledger"', 'water = "nearest"'),
        ('miss = "nearest"', 'miss = "drop"'),
        ("lambda = 0.5", "lambda = 0.9"),
        ('reference = "all"', 'reference = "district"'),
    ]:
        assert old in text
        text = text.replace(old, new)
    case.write_text(text, "utf-8")
    district = sorted(
        line.split(",")[0]
        for line in (case.parent / "census.csv").read_text("utf-8").splitlines()[1:]
    )
    gdp = case.parent / "gdp.csv"
    header, first, *rows = gdp.read_text("utf-8-sig").splitlines()
    gdp.write_text("\n".join([header, re.sub(r",[\d.]+,", ",,", first), *rows]) + "\n", "utf-8")
    totals = case.parent / "totals.csv"
    regions = [
        ("industry/manufacturing", "8000", district[-1]),
        ("transport/road", "500", district[0]),
        ("sink/land", "30.5", district[0]),
    ]
    header, *rows = totals.read_text("utf-8-sig").splitlines()
    columns = header.split(",")
    own = [
        ",".join(
            {"category": c, "value": v, "unit": "10000 t CO2e", "year": "2020"}.get(k, "")
            for k in columns
        )
        + f",{r}"
        for c, v, r in regions
    ]
    totals.write_text(
        "\n".join([header + ",region", *(row + "," for row in rows), *own]) + "\n", "utf-8"
    )
    return case


def with_facilities_of_each_kind(folder, copy):
    """Give a share of 7.3 %, two capacities that take all the rest of supply, values as they are, one place uncertain."""
    case = shutil.copytree(folder, copy) / "case.toml"
    path = case.parent / "facilities.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    supply = table.index[table["category"] == "industry/supply"]
    works = table.index[table["category"] == "industry/manufacturing"]
    table = table.assign(share="", capacity="", capacity_unit="", place_uncertainty_m="")
    table.loc[supply, ["value", "unit"]] = ""
    table.loc[supply, "capacity_unit"] = "MW"
    table.loc[supply, "capacity"] = [str(330 + 7 * k) for k in range(len(supply))]
    table.loc[works[:1], ["value", "unit", "share", "place_uncertainty_m"]] = [
        "",
        "",
        "7.3",
        "5000",
    ]
    table.to_csv(path, index=False)
    return case
