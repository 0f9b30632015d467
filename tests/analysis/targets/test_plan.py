"""A joint plan: held against every choice of parcels by hand, applied as a scenario, within its limits, or told what is in the way."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from barren_town import barren_run
from click.testing import CliRunner
from declared import of_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from town import square, write_raster, write_town

import carbongrid as cg
from carbongrid.analysis.finished import FinishedRun
from carbongrid.analysis.frozen import frozen_zones
from carbongrid.analysis.targets.limits import read_limits
from carbongrid.analysis.targets.model import Model
from carbongrid.analysis.targets.plan import _how_dear, _in_the_way
from carbongrid.analysis.targets.program import Solution
from carbongrid.analysis.targets.targets import write_targets
from carbongrid.cli import main
from carbongrid.errors import InputError
from carbongrid.method.margins import NONE_TO_DIVIDE
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline.plans import read_plan

FIELDS = {"a": (0.3, 0.5, 0.9), "b": (0.2, 0.7, 0.4), "c": (0.6, 0.1, 0.8)}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    """Three units without a parcel across a border, each with a factory, three fields and a forest."""
    parcels, units, south = [], [], 0.0
    sizes = {"a": (1.0, 0.1), "b": (0.7, 0.8), "c": (0.2, 0.9)}
    for code, (factory, forest) in sizes.items():
        widths = [("0601", factory), *(("0103", width) for width in FIELDS[code]), ("0301", forest)]
        west = 0.0
        for number, (use, width) in enumerate(widths):
            parcels.append((f"{code}{number}", use, square(west, south, width, 1)))
            west += width
        units.append((code, "x", square(0, south, west, 1)))
        south += 1
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,3000,t CO2e\nagriculture/plantation,900,t CO2e\nsink/land,500,t CO2e\n",
        "gdp.csv": "region,value\na,30\nb,30\nc,40\n",
    }
    folder = tmp_path_factory.mktemp("town")
    more = '[gdp]\npath = "gdp.csv"\ncurrency = "1e8 CNY"\n[allow]\noutside = ["sink/land"]\n'
    return cg.run(write_town(folder, parcels, units, tables, more), folder / "run")


def least_cost(run: cg.Result, most: float, hectares: float, cost_t: float, cost_ha: float) -> float | None:  # fmt: skip
    """Every choice of fields by hand: the least cost of all units, None where one of them cannot be lifted."""
    units, parcels = FinishedRun.of(run).units, run.parcels
    C, CA, G = (int(units[name].sum()) for name in ("emission_g", "sink_g", "gdp"))
    forest = parcels[parcels["land_use"] == "0301"]
    rate = forest["sink_g"].sum() / forest["area_m2"].sum()
    whole = 0.0
    for unit in units.to_dict("records"):
        if unit["zone"] == 1:
            continue
        own = parcels[parcels["id"].str.startswith(unit["id"])]
        fields = own[own["land_use"] == "0103"].to_dict("records")
        costs = []
        for chosen in itertools.chain.from_iterable(itertools.combinations(fields, n) for n in range(4)):  # fmt: skip
            area = sum(field["area_m2"] for field in chosen)
            emission = unit["emission_g"] - sum(field["emission_g"] for field in chosen)
            sink = unit["sink_g"] + area * rate
            cut = max(emission - sink * C / CA, emission - unit["gdp"] * C / G, 0)
            if cut <= own["waste/industrial"].sum() * most / 100 * (1 - 1e-7) and area / 1e4 <= hectares:  # fmt: skip
                costs.append(cut / 1e6 * cost_t + area / 1e4 * cost_ha)
        if not costs:
            return None
        whole += min(costs)
    return whole


def limits_in(path, *rows: str):
    path.write_text(
        "\n".join(["do,unit,category,from,to,most,measured_in,cost,polygons", *rows]),
        encoding="utf-8",
    )
    return path


@settings(max_examples=8)
@given(
    st.sampled_from([20, 60, 95]),
    st.sampled_from([15, 60, 95, 200]),
    st.sampled_from([1, 3]),
    st.sampled_from([1, 5, 40]),
)
def test_the_plan_is_the_least_one(base, tmp_path_factory, most: int, hectares: int, cost_t: int, cost_ha: int) -> None:  # fmt: skip
    """Of few parcels no choice costs less; seen to fail when the share of a sink was left out."""
    path = limits_in(
        tmp_path_factory.mktemp("limits") / "limits.csv",
        f"cut,*,waste/*,,,{most},%,{cost_t},",
        f"convert,*,,0103,0301,{hectares},ha,{cost_ha},",
    )
    best = least_cost(base, most, hectares, cost_t, cost_ha)
    plan = cg.plan_targets(base, limits=path)
    if not plan.feasible:
        assert best is None
        return
    assert best is not None
    cost = float(plan.steps["cost"].sum())
    assert best * (1 - 1e-6) <= cost <= best * (1 + 1e-5)
    assert plan.cost == pytest.approx(cost, rel=1e-12)
    assert plan.least_cost is not None and plan.least_cost <= best * (1 + 1e-6)
    assert "no choice of them costs less" in " ".join(map(str, plan.notes))
    assert set(plan.units["zone_frozen"]) == {1}
    assert (plan.units.set_index("unit")["zone_frozen"] == pd.Series(dict(zip("abc", frozen_zones(FinishedRun.of(base).units, FinishedRun.of(plan.answer).units), strict=True)))).all()  # fmt: skip
    per_unit = plan.steps[plan.steps["do"] == "convert"].groupby("unit")["hectares"].sum()
    assert (per_unit.astype(float) <= hectares).all()
    assert (plan.limits["used"] <= plan.limits["most"]).all()


@pytest.mark.parametrize(
    ("cost", "least", "told"),
    [
        (8.0, 8.0, "no choice of them costs less."),
        (8.0, 8.000001, "no choice of them costs less."),
        (0.0, 0.0, "no choice of them costs less."),
        (1012.01, 1000.0, "this plan costs at most 1.3 % more than the cheapest choice of them."),
        (1000.0305, 1000.0, "this plan costs at most 0.0031 % more than the cheapest choice of them."),
        (3400.0, 1000.0, "this plan costs at most 240 % more than the cheapest choice of them."),
        (8.0, 0.0, "whether another choice of them costs less is not known."),
    ],
)  # fmt: skip
def test_how_much_dearer_than_the_cheapest_a_plan_is_at_most(cost: float, least: float, told: str) -> None:  # fmt: skip
    """Rounded up, never down."""
    note = _how_dear(cost, least)
    assert str(note) == f"Parcels are converted whole: {told}"
    assert note_in_chinese(str(note))


@pytest.fixture(scope="module")
def straddled(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    """Two units side by side that are to be lifted, and one beyond; fields lie across their borders, their points in the second."""
    widths = [("0601", 1.0), ("0103", 0.5), ("0103", 0.9), ("0103", 1.1), ("0601", 0.6), ("0103", 0.4), ("0301", 3.5)]  # fmt: skip
    west, parcels = 0.0, []
    for number, (use, width) in enumerate(widths):
        parcels.append((f"p{number}", use, square(west, 0, width, 1)))
        west += width
    borders = [0.0, 1.9, 4.3, west]
    units = [(code, "x", square(a, 0, b - a, 1)) for code, a, b in zip("abc", borders, borders[1:], strict=False)]  # fmt: skip
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,3000,t CO2e\nagriculture/plantation,900,t CO2e\nsink/land,500,t CO2e\n",
        "gdp.csv": "region,value\na,40\nb,40\nc,20\n",
    }
    folder = tmp_path_factory.mktemp("straddled")
    more = '[gdp]\npath = "gdp.csv"\ncurrency = "1e8 CNY"\n'
    return cg.run(write_town(folder, parcels, units, tables, more), folder / "run")


@pytest.mark.parametrize(
    ("unit", "most", "measure"), [("*", 60, "%"), ("*", 55, "ha"), ("a", 55, "ha"), ("", 80, "%")]
)
def test_land_is_capped_by_what_of_it_lies_in_the_unit(straddled, tmp_path, unit: str, most: int, measure: str) -> None:  # fmt: skip
    """Seen to fail: a field in two units was counted in that of its point alone, so that 62.1 % of the land was told for 59.3, and 40 ha for 20."""
    rows = ["cut,*,*,,,100,%,1000,", f"convert,{unit},,0103,0301,{most},{measure},0.001,"]
    plan = cg.plan_targets(straddled, limits=limits_in(tmp_path / "limits.csv", *rows))
    assert plan.feasible
    land, units = straddled.parcels.set_index("id"), straddled.units.set_index("id")
    names = [name for each in plan.actions if each["do"] == "convert" for name in each["parcels"]]
    fields = land[land["land_use"] == "0103"]
    capped = plan.limits[plan.limits["do"] == "convert"].set_index("unit")
    lifted = plan.units.loc[plan.units["target"], "unit"].tolist()
    assert names
    for place, row in capped.iterrows():
        outline = units.loc[[place] if place else lifted].union_all()
        inside = fields.geometry.intersection(outline).area / fields.geometry.area * fields["area_m2"] / 1e4  # fmt: skip
        converted = inside[names].sum() * (100 / inside.sum() if measure == "%" else 1.0)
        assert row["used"] == pytest.approx(converted, rel=1e-6)
        assert converted <= most


@pytest.mark.parametrize(("measure", "told"), [("%", 1), ("ha", 0)])
def test_land_is_measured_once_for_a_row_of_limits(base, tmp_path, monkeypatch, measure: str, told: int) -> None:  # fmt: skip
    """Beside the program itself. Seen to fail: anew for each of the units, of hectares too, minutes of a city of 1,500."""
    calls = {"hectares_of_code": 0, "program": 0}

    def counts(name: str) -> None:
        own = getattr(Model, name)

        def counted(*given: Any, **more: Any) -> Any:
            calls[name] += more.get("convert", True)
            return own(*given, **more)

        monkeypatch.setattr(Model, name, counted)

    for name in calls:
        counts(name)
    rows = ["cut,*,*,,,60,%,1,", f"convert,*,,0103,0301,50,{measure},1,"]
    plan = cg.plan_targets(base, limits=limits_in(tmp_path / "limits.csv", *rows))
    assert (plan.limits["do"] == "convert").sum() > 1
    assert calls["hectares_of_code"] == calls["program"] + told


def test_what_is_cut_is_cut_of_what_conversion_leaves(base, tmp_path) -> None:
    """Fields that become forest emit nothing more. Seen to fail: their emission was counted as cut too, with its cost, beyond what may be cut."""
    path = limits_in(tmp_path / "limits.csv", "cut,*,*,,,95,%,1,", "convert,*,,0103,0301,55,ha,1,")  # fmt: skip
    plan = cg.plan_targets(base, limits=path)
    assert plan.feasible
    assert (plan.limits["used"] <= plan.limits["most"]).all()
    emission = base.parcels.set_index("id")["emission_g"]
    converted = [name for each in plan.actions if each["do"] == "convert" for name in each["parcels"]]  # fmt: skip
    assert converted
    cut = plan.steps[plan.steps["do"] == "cut"]
    assert cut["category"].str.contains("agriculture").any()
    gone = plan.units["emission_change_g"].sum()
    assert cut["cut_g"].sum() + emission[converted].sum() == -gone
    assert cut["cost"].astype(float).sum() == pytest.approx(cut["cut_g"].sum() / 1e6)


def test_a_cut_of_what_follows_a_raster_is_where_the_raster_says(tmp_path) -> None:
    """A factory across a border has 45 of 52 parts of its mass in the second unit, by area 5 of 12: what is left of it after the cut, too."""
    widths = [("0301", 0.7), ("0601", 0.5), ("0601", 1.2), ("0301", 3.6)]
    parcels, west = [], 0.0
    for number, (use, width) in enumerate(widths):
        parcels.append((f"p{number}", use, square(west, 0, width, 1)))
        west += width
    units = [("a", "x", square(0, 0, 1.9, 1)), ("b", "x", square(1.9, 0, west - 1.9, 1))]
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,3000,t CO2e\nsink/land,500,t CO2e\n",
        "gdp.csv": "region,value\na,60\nb,40\n",
        "categories.csv": "category,weight\nwaste/industrial,raster:w.tif\n",
    }
    more = '[gdp]\npath = "gdp.csv"\ncurrency = "1e8 CNY"\n[categories]\npath = "categories.csv"\n'
    case = write_town(tmp_path, parcels, units, tables, more)
    write_raster(tmp_path / "w.tif", [[1.0] * 19 + [9.0] * 41] * 10, cell=100)
    run = cg.run(case, tmp_path / "run")
    plan = cg.plan_targets(run, limits=limits_in(tmp_path / "limits.csv", "cut,*,*,,,100,%,1,"))
    after = run.scenario(plan.actions)
    before, now = (each.parcels.set_index("id")["waste/industrial"].to_numpy(float) for each in (run, after))  # fmt: skip
    assert plan.actions and 0 < now[2] < before[2]
    for answer, mass in ((run, before), (after, now)):
        found = answer.units.set_index("id")["waste_industrial_t"]
        assert found["a"] == pytest.approx((mass[1] + mass[2] * 7 / 52) / 1e6)
        assert found["b"] == pytest.approx(mass[2] * 45 / 52 / 1e6)
    change = FinishedRun.of(after).units["emission_g"] - FinishedRun.of(run).units["emission_g"]
    assert change.tolist() == plan.units["emission_change_g"].tolist()


def test_a_plan_of_the_small_demo_is_applied_from_its_file(small_run, tmp_path) -> None:
    """Parcels across borders, facilities, POIs: the written plan reaches the zone to the gram, keeps its caps, and leaves kept land alone."""
    run = cg.open(small_run)
    units = FinishedRun.of(small_run).units
    west, south, east, north = run.units.total_bounds
    line = gpd.GeoDataFrame(geometry=[square(0, 0)], crs=run.units.crs)
    line.geometry = [run.units.union_all().envelope.intersection(shapely.box(west, south, west + (east - west) / 3, north))]  # fmt: skip
    line.to_crs(4326).to_file(tmp_path / "red.gpkg")
    path = limits_in(
        tmp_path / "limits.csv",
        "cut,*,industry/*,,,85,%,1,",
        "cut,,transport/road,,,1000,t,0.5,",
        "convert,*,,0101,0301,30,%,2,",
        "convert,,,0103,1106,200,ha,1,",
        "keep,,,,,,,,red.gpkg",
    )
    plan = cg.plan_targets(small_run, limits=path)
    files = write_targets(cg.targets(small_run), tmp_path, plan)
    assert [each for each in of_folder(tmp_path) if "targets" in each] == []
    assert [file.name for file in files][:2] == ["targets.html", "targets_plan.toml"]
    told = read_plan(tmp_path / "targets_plan.toml")
    assert told.reference == "frozen"
    after = run.scenario([each.content for each in told.actions])
    zones = frozen_zones(units, FinishedRun.of(after).units)
    assert list(zones) == plan.units["zone_frozen"].tolist() == [1] * len(units)
    cuts = {a["units"][0]: a["factor"] for a in plan.actions if a["do"] == "scale" and "industry/mining" in a["category"]}  # fmt: skip
    assert all(Fraction(str(factor)) >= Fraction(15, 100) for factor in cuts.values()) and cuts
    road = (run.live.parcels["transport/road"] - after.parcels["transport/road"]).sum()
    assert 0 < road <= 1000 * 10**6
    turned = run.parcels["land_use"].to_numpy() != after.parcels["land_use"].to_numpy()
    assert turned.sum() == plan.steps["parcels"].sum() > 5
    inside = run.parcels.geometry.intersection(line.geometry.iloc[0]).area > 1e-6 * run.parcels.geometry.area  # fmt: skip
    assert inside.sum() > 100 and not (inside & turned).any()
    assert plan.kept["parcels"].tolist() == [inside.sum()]
    spare = plan.units[[f"to_spare_{index}_g" for index in ("ecc", "esc")]].min(axis=1)
    assert (spare >= 0).all() and (spare < 10**9).sum() >= 3  # the least: a kilotonne of millions
    assert all(note_in_chinese(str(note)) for note in plan.notes)


def test_without_a_table_each_unit_cuts_what_the_table_of_targets_says(small_run) -> None:
    """The larger of both cuts; less than that no unit cuts, and what comes from neighbours' parcels is less than a hundredth."""
    needed = cg.targets(small_run).table
    frozen = needed[(needed["reference"] == "frozen") & (needed["quantity"] == "emission")]
    least = frozen.groupby("unit")["needed"].min()
    plan = cg.plan_targets(small_run)
    cut = plan.units.set_index("unit").loc[least.index, "emission_change_g"]
    assert (cut <= least.astype(int)).all() and (cut > least.astype(int) * 1.0001).all()
    assert all(len(action["category"]) > 10 for action in plan.actions)
    assert plan.cost is plan.least_cost is None, "tonnes are no costs"


def test_what_is_in_the_way_is_in_the_way(base, tmp_path) -> None:
    """With the rows that are told loosened by what is missing there is a plan."""
    rows = ["cut,*,waste/*,,,10,%", "cut,,agriculture/*,,,1,t"]
    plan = cg.plan_targets(base, units=["a"], limits=limits_in(tmp_path / "l.csv", *rows))
    assert not plan.feasible and plan.answer is None and not plan.actions
    assert plan.limits["binds"].tolist() == [True, True] and plan.limits["used"].isna().all()
    assert any("these rows of the table of limits: 2 (a), 3" in str(note) for note in plan.notes)
    assert all(note_in_chinese(str(note)) for note in plan.notes)
    missing = plan.short["missing_g"].max() / 1e6
    for extra, found in ((0.999, False), (1.001, True)):
        loose = f"cut,,agriculture/*,,,{1 + missing * extra},t"
        again = cg.plan_targets(base, units=["a"], limits=limits_in(tmp_path / "l.csv", "cut,*,waste/*,,,10,%", loose))  # fmt: skip
        agriculture = base.parcels[base.parcels["id"].str.startswith("a")]["agriculture/plantation"].sum() / 1e6  # fmt: skip
        assert again.feasible == (found and 1 + missing * extra < agriculture)


def test_gdp_is_raised_in_whole_currency_units(base, tmp_path) -> None:
    low = FinishedRun.of(base).units.set_index("id")
    code = next(code for code, zone in low["zone"].items() if zone in (3, 4))
    path = limits_in(tmp_path / "l.csv", f"gdp,{code},,,,900,%,,")
    plan = cg.plan_targets(base, units=[code], zone=2, limits=path)
    assert plan.feasible
    table = cg.targets(base, units=[code], zone=2).table
    needed = table[(table["reference"] == "frozen") & (table["quantity"] == "gdp")]["needed"].iloc[0]  # fmt: skip
    change = int(plan.units.set_index("unit").at[code, "gdp_change"])
    assert 0 <= change - needed <= 1 + needed // 10**6
    assert plan.actions[0]["change"] == f"{change} CNY"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["halve,*,,,,,,,"], r"limits.csv, row 2, column do: 'halve' is nothing to do\. Give cut, convert, gdp, keep"),
        (["cut,d,,,,,,,"], "the run has no unit 'd'"),
        (["cut,*,waste/*,,,120,%,,"], "120 % is more than there is"),
        (["cut,*,waste/*,,,12,ha,,"], r"most is measured in 'ha'\. Give % or t"),
        (["cut,*,waste/*,,,12,,,"], "most is measured in ''"),
        (["cut,*,,0103,,,,,"], "cut has no from"),
        (["convert,*,,0103,,,,,"], "convert needs to"),
        (["convert,*,,0103,0301,-1,ha,,"], "expected no negative number"),
        (["gdp,*,,,,5,EUR,,"], r"GDP is measured in 'EUR'\. Give % or 1e8 CNY"),
        (["keep,,,,,,,,"], "keep names no land"),
        (["keep,,,0103,,,,,"], "the table allows no action"),
        (["cut,*,,,,,,,", "convert,*,,0103,0301,,,,"], "tonnes and hectares cannot be added"),
        (["cut,a,,,,,,1,", "cut,b,,,,,,,"], "1 row has no cost, others have"),
        (["cut,*,waste/*,,,,,,", "cut,a,*,,,,,,"], "waste/industrial of a is cut by two rows, 2 and 3"),
        (["cut,*,transport/*,,,,,,"], "limits, row 2: no category 'transport/\\*' emits"),
        (["convert,*,,0103,9999,,,,"], "limits, row 2: the land-use code '9999' means no land"),
        (["convert,*,,0301,0103,,,,"], "land of 0103 emits agriculture/plantation, by a part of a total that others have too"),
        (["convert,*,,0103,0301,,,,", "convert,a,,0103,0301,,,,"], "a parcel of 0103 becomes 0301 by two rows, 2 and 3"),
        (["keep,,,,,,,,nowhere.gpkg", "cut,*,,,,,,,"], "there is no file"),
        (["keep,,,01,,,,,", "cut,*,,,,,,,"], r"limits, row 2, from: no parcel has the land-use code '01'\. There are 0103, 0301, 0601"),
        (["keep,,,,,,,,line.gpkg", "cut,*,,,,,,,"], "areas are given as LineString, and nothing lies inside of these"),
        (["keep,,,,,,,,far.gpkg", "cut,*,,,,,,,"], "limits, row 2, polygons: of the 15 parcels that the row could keep none has part in far.gpkg"),
    ],
)  # fmt: skip
def test_a_table_that_says_what_the_run_has_not(base, tmp_path, rows, told) -> None:
    """Seen to fail: red lines drawn as lines, and a code that no parcel has, kept nothing, and a note of 0 parcels was all."""
    for name, shape in (
        ("line", shapely.LineString(square(0, 0).exterior.coords)),
        ("far", square(90, 90)),
    ):
        gpd.GeoDataFrame(geometry=[shape], crs=base.parcels.crs).to_file(tmp_path / f"{name}.gpkg")
    with pytest.raises(InputError, match=told):
        cg.plan_targets(base, limits=limits_in(tmp_path / "limits.csv", *rows))


def test_red_lines_keep_what_they_enclose_and_tell_what_might_else_be_converted(base, tmp_path) -> None:  # fmt: skip
    """Rectangles in common with rectangles. Seen to fail: red lines whose parts overlap ended in a GEOSException, and fields that no row converts counted as land that might be converted."""
    parts = [(0.2, 0.1, 2.0, 0.3), (1.5, 0.2, 0.4, 1.2)]  # a line over a's fields and into b, and one that lies over both  # fmt: skip
    shape = shapely.MultiPolygon([square(*part) for part in parts])
    assert not shape.is_valid
    gpd.GeoDataFrame(geometry=[shape], crs=base.parcels.crs).to_file(tmp_path / "red.gpkg")
    rows = ["cut,*,,,,,,1,", "convert,a,,0103,0301,,,1,", "keep,,,,,,,,red.gpkg"]
    plan = cg.plan_targets(base, zone=1, limits=limits_in(tmp_path / "limits.csv", *rows))
    kept = []
    for parcel in base.parcels.to_dict("records"):
        west, south, east, north = parcel["geometry"].bounds
        for x, y, width, height in parts:
            left, bottom, right, top = square(x, y, width, height).bounds
            if min(east, right) > max(west, left) and min(north, top) > max(south, bottom):
                kept.append(parcel["id"])
                break
    could = [code for code in kept if code in ("a1", "a2", "a3")]
    told = plan.kept.iloc[0]
    assert 0 < len(could) < sum(code[1] in "123" for code in kept)
    assert told["parcels"] == len(kept)
    assert told["parcels_else_converted"] == len(could)
    area = base.parcels.set_index("id")["area_m2"]
    assert told["hectares_else_converted"] == pytest.approx(area[could].sum() / 1e4)
    assert not {code for action in plan.actions for code in action.get("parcels", ())} & set(kept)


def test_units_that_are_there_need_no_plan(base, tmp_path) -> None:
    """A plan of an earlier call does not stay beside an answer that has none."""
    there = [code for code, zone in zip(base.units["id"], base.units["zone"], strict=True) if zone in (1, 3)]  # fmt: skip
    plan = cg.plan_targets(base, units=there[:1], zone=3)
    assert plan.feasible and not plan.actions
    (tmp_path / "targets_plan.toml").write_text("old", encoding="utf-8")
    files = write_targets(cg.targets(base, units=there[:1], zone=3), tmp_path, plan)
    assert "targets_plan.toml" not in {file.name for file in files}
    assert not (tmp_path / "targets_plan.toml").exists()


def test_the_command(base, tmp_path) -> None:
    path = limits_in(tmp_path / "limits.csv", "cut,*,*,,,,,1,", "convert,*,,0103,0301,,,3,")
    words = ["targets", base.directory, "--limits", path, "--out", tmp_path, "--json"]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["plan"]
    assert told["feasible"] and told["actions"][-1]["do"] == "scale"
    page = (tmp_path / "targets.html").read_text(encoding="utf-8")
    assert "Targets reached" in page and "达标单元" in page and "Forest land" in page
    named = next(each["name_zh"] for each in base.manifest["categories"] if each["name"] == "waste/industrial")  # fmt: skip
    assert named in page and "waste/industrial" not in page  # seen: keys, in Chinese, too
    assert page.count("<script") == 1  # its language alone
    codes = pd.Series(["a", "b", "c"])
    assert [limit.row for limit in read_limits(path, codes, "")] == [2, 3]


def test_a_table_that_allows_nothing_there(base, tmp_path) -> None:
    """No land of the code: nothing to choose, and that is no plan."""
    plan = cg.plan_targets(base, limits=limits_in(tmp_path / "l.csv", "convert,*,,0307,0301,,,,"))
    assert not plan.feasible and len(plan.short)
    assert "All that is allowed is not enough." in {str(note) for note in plan.notes}


@pytest.fixture(scope="module")
def barren(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    return barren_run(tmp_path_factory.mktemp("barren"))


def test_a_unit_that_nothing_lifts_is_named_and_the_others_have_their_plan(
    barren, tmp_path
) -> None:
    """04 has no sink, and cuts alone give it none. Seen to fail: there was no plan for anybody, and what was missing were 2 kg, the solver's own margin."""
    plan = cg.plan_targets(barren)
    assert plan.feasible and plan.units.loc[plan.units["target"], "unit"].tolist() == ["03"]
    assert plan.units["zone_frozen"].tolist() == [1, 1, 1, 4, 0]
    assert plan.short.to_dict("records") == [{"unit": "04", "name": "04", "index": "esc", "missing_g": None, "remark": NONE_TO_DIVIDE}]  # fmt: skip
    told = f"Left out of the plan, since nothing that is allowed lifts them: 04 ESC ({NONE_TO_DIVIDE})."
    assert told in {str(note) for note in plan.notes}
    assert all(note_in_chinese(str(note)) for note in plan.notes)
    assert note_in_chinese(NONE_TO_DIVIDE) in note_in_chinese(told)
    page = write_targets(cg.targets(barren), tmp_path, plan)[0].read_text(encoding="utf-8")
    assert "Left out of the plan" in page and "Targets reached" in page
    alone = cg.plan_targets(barren, units=["04"], zone=3)
    assert not alone.feasible and not alone.actions and alone.short["remark"].tolist() == [NONE_TO_DIVIDE]  # fmt: skip
    assert "too much emission" not in "".join(map(str, alone.notes))
    planted = cg.plan_targets(barren, limits=limits_in(tmp_path / "l.csv", "cut,*,*,,,,,1,", "convert,04,,0103,0301,,,1,"))  # fmt: skip
    assert planted.feasible and planted.short.empty
    assert planted.units["zone_frozen"].tolist() == [1, 1, 1, 1, 0]


def test_what_is_missing_is_without_what_is_kept_for_rounding(barren, tmp_path) -> None:
    """Seen to fail: 2 g for each parcel and a billionth of the emission more than there was missing; and '0 t' of less than half a tonne."""
    needed = cg.targets(barren, units=["03"], zone=2).table
    cut = needed[(needed["reference"] == "frozen") & (needed["quantity"] == "emission")]["needed"].item()  # fmt: skip
    for less in (250_000, 2_000_000):
        row = f"cut,03,*,,,{(-cut - less) / 10**6:.6f},t,,"
        plan = cg.plan_targets(
            barren, units=["03"], zone=2, limits=limits_in(tmp_path / "l.csv", row)
        )
        assert not plan.feasible
        assert plan.short["missing_g"].item() == pytest.approx(less, abs=2)
        assert f"03 ECC {'0.25' if less < 10**6 else '2'} t." in "".join(map(str, plan.notes))
    # Seen to fail: what is enough to the gram was to be given a little more room.
    for less, feasible in ((0, True), (1, False)):
        row = f"cut,03,*,,,{(-cut - less) / 10**6:.6f},t,,"
        plan = cg.plan_targets(barren, units=["03"], zone=2, limits=limits_in(tmp_path / "l.csv", row))  # fmt: skip
        assert plan.feasible == feasible
        assert (plan.limits["used"] <= plan.limits["most"]).all() or not feasible
    assert plan.short["missing_g"].item() == 1
    less_than_a_gram = _in_the_way(plan.short.assign(missing_g=0), Solution(np.zeros(0)), plan.units["unit"])  # fmt: skip
    assert "what rounding may move" in str(less_than_a_gram[0])
    assert all(note_in_chinese(str(note)) for note in (*plan.notes, *less_than_a_gram))


def test_a_plan_for_esc_takes_units_of_unknown_gdp_with_it(barren) -> None:
    """Seen to fail: 05, of which only GDP is unknown, was no target of zone 3."""
    plan = cg.plan_targets(barren, zone=3)
    assert plan.feasible and plan.units.loc[plan.units["target"], "unit"].tolist() == ["05"]
    before, after = FinishedRun.of(barren).units, FinishedRun.of(plan.answer).units
    C, CA = int(before["emission_g"].sum()), int(before["sink_g"].sum())
    own = after.set_index("id").loc["05"]
    assert int(own["sink_g"]) * C >= int(own["emission_g"]) * CA
    assert plan.short["unit"].tolist() == ["04"]
    both = cg.plan_targets(barren)
    assert "Nothing is aimed at in 1 unit (GDP unknown): 05." in {str(note) for note in both.notes}


def test_where_nothing_is_to_be_lifted_no_action_is_looked_for(tmp_path) -> None:
    """Forests alone: nobody emits, all units are in zone 1. Seen to fail: 'limits, row 0: no category '*' emits', of a table that nobody gave."""
    parcels = [(f"p{k}", "0301", square(k, 0)) for k in range(3)]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(3)]
    more = '[gdp]\npath = "gdp.csv"\ncurrency = "1e8 CNY"\n'
    for name, gdp, zones in (("all", (1, 2, 3), [1, 1, 1]), ("one", (1, 2, 0), [1, 1, 3])):
        (tmp_path / name).mkdir()
        tables = {
            "totals.csv": "category,value,unit\nsink/land,70,kt CO2e\n",
            "gdp.csv": "region,value\n" + "".join(f"u{k},{value}\n" for k, value in enumerate(gdp)),
        }
        run = cg.run(
            write_town(tmp_path / name, parcels, units, tables, more), tmp_path / name / "run"
        )
        assert run.units["zone"].tolist() == zones
        plan = cg.plan_targets(run)
        # u2 without GDP is low at any emission, and there is none to be cut.
        assert plan.feasible == (name == "all") and not plan.actions
        assert plan.short["unit"].tolist() == (["u2"] if name == "one" else [])
        done = CliRunner().invoke(main, ["targets", str(run.directory), "--out", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert ("No unit that could be lifted is below zone 1." in done.output) == (name == "all")
    with pytest.raises(InputError, match="No category does"):
        cg.plan_targets(run, limits=limits_in(tmp_path / "l.csv", "cut,*,*,,,,,,"))


def test_a_unit_of_a_gram_may_cut_it(tmp_path) -> None:
    """Seen to fail: 2 g of a parcel were to be spare where there is 1 g, so that limits, of which there are none, were to give a little more room."""
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,0.000001,t CO2e\nsink/land,0.000002,t CO2e\n",
        "gdp.csv": "region,value\nu0,1\nu1,100\n",
    }
    parcels = [("p0", "0601", square(0, 0, 0.5)), ("f0", "0301", square(0.5, 0, 0.5)), ("f1", "0301", square(1, 0, 0.5))]  # fmt: skip
    units = [("u0", "d", square(0, 0)), ("u1", "d", square(1, 0))]
    run = cg.run(write_town(tmp_path, parcels, units, tables, '[gdp]\npath = "gdp.csv"\n'), tmp_path / "run")  # fmt: skip
    found = cg.plan_targets(run)
    assert found.feasible and found.units["zone_frozen"].tolist() == [1, 1]
    assert found.answer is not None and found.answer.units["emission_t"].sum() == 0


def test_limits_of_a_few_grams_are_blamed_for_no_margin(tmp_path) -> None:
    """4 g may be 2 g where 3 g are the target. Seen to fail: 2 g more were to be spare."""
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,0.000008,t CO2e\nsink/land,0.000008,t CO2e\n",
        "gdp.csv": "region,value\nu0,75\nu1,125\n",
    }
    parcels = [(f"{kind}{k}", code, square(k + 0.5 * right, 0, 0.5)) for k in range(2) for right, (kind, code) in enumerate((("p", "0601"), ("f", "0301")))]  # fmt: skip
    units = [(f"u{k}", "d", square(k, 0)) for k in range(2)]
    run = cg.run(write_town(tmp_path, parcels, units, tables, '[gdp]\npath = "gdp.csv"\n'), tmp_path / "run")  # fmt: skip
    for most, missing in ((50, None), (20, 1)):
        limits = tmp_path / f"{most}.csv"
        limits.write_text(
            f"do,category,unit,most,measured_in\ncut,*,*,{most},%\n", encoding="utf-8"
        )
        found = cg.plan_targets(run, zone=2, limits=limits)
        assert found.feasible == (missing is None)
        assert found.short["missing_g"].tolist() == ([] if missing is None else [missing])
