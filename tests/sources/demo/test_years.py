"""The demo's years: the same bytes each time, nothing of the city itself changed, and all that is asked of several runs is answered."""

from __future__ import annotations

import csv
import json
import tomllib

import geopandas as gpd
import pandas as pd
import pytest
from small_demo import write_small_city

import carbongrid as cg
from carbongrid.pipeline.plans import read_plan
from carbongrid.pipeline.verification import verify
from carbongrid.sources.demo.years import EARLIER


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.thorough
def test_years_are_the_same_each_time_and_change_nothing_of_the_city(years_demo, small_city, tmp_path) -> None:  # fmt: skip
    """Every byte of the city's own files, workbook apart, which carries its time of writing."""
    own, without = bytes_of(years_demo / "case"), bytes_of(small_city)
    for name in without.keys() - {"inventory.xlsx"}:
        assert own[name] == without[name], name
    again = bytes_of(write_small_city(tmp_path, with_years=True).parent)
    assert {name for name in own if own[name] != again.get(name)} <= {"inventory.xlsx"}
    more = own.keys() - without.keys()
    assert {"plan.toml", "limits.csv", "red-lines.gpkg", "YEARS.md", "case-2015.toml"} <= more


def test_earlier_years_say_that_they_are_made_up_and_differ_where_they_say(years_demo) -> None:
    case = years_demo / "case"
    now = gpd.read_file(case / "parcels.gpkg")
    for year in EARLIER:
        rows = list(csv.DictReader((case / f"totals-{year}.csv").read_text("utf-8").splitlines()))
        assert all("made up for the demo" in row["source"] and row["year"] == str(year) for row in rows)  # fmt: skip
        told = tomllib.loads((case / f"case-{year}.toml").read_text(encoding="utf-8"))
        assert told["year"] == year and "benchmark" not in told
        before = gpd.read_file(case / f"parcels-{year}.gpkg")
        turned = before["DLBM"] != now["DLBM"]
        assert 0.003 < turned.mean() < 0.06
        assert set(before["DLBM"][turned]) <= {"0103", "0101"}
        assert before.drop(columns=["DLBM", "DLMC"]).equals(now.drop(columns=["DLBM", "DLMC"]))
    text = (case / "YEARS.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in ("plan.toml", "limits.csv", "red-lines.gpkg"))


def test_each_run_of_the_years_is_sound(years_demo) -> None:
    """An earlier year, all its numbers derived again."""
    found = verify(years_demo / "run-2015", sample=0)
    assert found.ok, [each for each in found.checks if not each.ok]
    assert len(read_plan(years_demo / "case" / "plan.toml").actions) == 6


def test_all_that_is_asked_of_several_runs_is_answered(years_demo) -> None:
    """Pages, and in their tables: a year that is better and one that is worse, a plan of six actions, a joint plan that reaches its targets."""
    out = years_demo / "years"
    pages = {path.name for path in out.glob("*.html")}
    assert pages == {f"{name}.html" for name in ("trend", "comparison", "targets", "compensation", "inequality")}  # fmt: skip
    region = pd.read_csv(out / "trend_region.csv")
    assert set(region["tapio"]) == {"weak decoupling", "strong decoupling"}
    units = pd.read_csv(out / "targets_units.csv", dtype={"unit": str})
    assert set(units.loc[units["target"], "zone_frozen"]) == {1} and units["target"].sum() >= 3
    steps = pd.read_csv(out / "targets_steps.csv")
    assert set(steps["do"]) == {"cut", "convert"}
    assert pd.read_csv(out / "targets_kept.csv")["parcels_else_converted"].iloc[0] > 10
    assert {"CNY_at_40_per_t", "CNY_at_120_per_t"} <= set(pd.read_csv(out / "compensation_flows.csv"))  # fmt: skip
    told = json.loads((years_demo / "run-plan" / "manifest.json").read_text(encoding="utf-8"))
    assert [each["do"] for each in told["scenario"]["actions"]] == ["scale", "remove", "add", "convert", "scale", "gdp"]  # fmt: skip
    joint = cg.open(years_demo / "run").scenario(
        [each.content for each in read_plan(out / "targets_plan.toml").actions]
    )
    assert joint.units["sink_t"].sum() > cg.open(years_demo / "run").units["sink_t"].sum()
