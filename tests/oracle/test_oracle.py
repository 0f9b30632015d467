"""The package against an independent second implementation, ``oracle.method``.

The package runs through its command line with ``reduce = "exact"``: every parcel x category within 1e-9
of the number and 1 g, every unit x category within 1e-9 and 1 g for each of its parcels, every zone the same.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from oracle.comparison import differences, report
from oracle.method import solve
from oracle.tiny_case import write_tiny_case


def exact(case, folder):
    """Copy a case folder and let its cases share parcels out by exact area."""
    shutil.copytree(case, folder)
    for path in folder.glob("*.toml"):
        text = path.read_text("utf-8")
        text = re.sub(r"(?m)^\s*#?\s*reduce\s*=.*\n", "", text)
        path.write_text('reduce = "exact"\n' + text, "utf-8")
    return folder


def assert_same(carbongrid, case, out):
    done = carbongrid("run", case, "--out", out, "--quiet")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    lines = differences(solve(case), out)
    assert not lines, (
        f"{len(lines)} differences from the oracle in {Path(case).name}\n{report(lines)}"
    )


@pytest.fixture(scope="module")
def small(small_city, tmp_path_factory):
    return exact(small_city, tmp_path_factory.mktemp("small") / "exact")


def test_tiny_case(carbongrid, tmp_path):
    assert_same(carbongrid, write_tiny_case(tmp_path), tmp_path / "run")


@pytest.mark.parametrize(
    "name", ["case.toml", pytest.param("case-district-gdp.toml", marks=pytest.mark.thorough)]
)
def test_small_demo(carbongrid, small, tmp_path, name):
    assert_same(carbongrid, small / name, tmp_path / "run")


@pytest.mark.thorough  # the small demo as it is is held above
def test_small_demo_with_other_choices(carbongrid, small, tmp_path):
    """A grid of people, geodesic areas, totals of a district, water to the nearest, POIs dropped,

    indices by district, and the GDP of a unit unknown.
    """
    case = shutil.copytree(small, tmp_path / "case") / "case.toml"
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
    assert_same(carbongrid, case, tmp_path / "run")


@pytest.mark.thorough
def test_small_demo_with_facilities_of_each_kind(carbongrid, small, tmp_path):
    """A share of 7.3 %, two capacities that take all the rest of supply, values as they are, one place uncertain."""
    case = shutil.copytree(small, tmp_path / "case") / "case.toml"
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
    assert_same(carbongrid, case, tmp_path / "run")


@pytest.mark.thorough  # beside the small demo and Liechtenstein
@pytest.mark.full
def test_full_demo(carbongrid, full_demo, tmp_path):
    assert_same(
        carbongrid, exact(full_demo / "case", tmp_path / "exact") / "case.toml", tmp_path / "run"
    )


@pytest.mark.thorough  # beside the small demo
def test_liechtenstein(carbongrid, liechtenstein, tmp_path):
    [case] = liechtenstein.rglob("case.toml")
    assert_same(carbongrid, exact(case.parent, tmp_path / "exact") / "case.toml", tmp_path / "run")
