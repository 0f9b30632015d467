"""The report's base map as a step: taken over where land is the same, drawn anew where it is not, the same report either way."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely

import carbongrid as cg
from carbongrid.case.readers.inputs import Inputs, read_inputs
from carbongrid.case.readers.kept_polygons import KeptPolygons
from carbongrid.outputs.report import BaseMap, write_report
from carbongrid.outputs.result import Result
from carbongrid.pipeline import base_maps, writing
from carbongrid.pipeline.base_maps import BaseMapLater
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan

pytestmark = pytest.mark.drawn


def change_totals(folder: Path) -> None:
    totals = folder / "totals.csv"
    totals.write_text(totals.read_text(encoding="utf-8").replace(",1", ",2"), encoding="utf-8")


def same(left: BaseMap, right: BaseMap) -> bool:
    assert [each.bounds for each in left.dots] == [each.bounds for each in right.dots]
    for mine, other in zip(left.dots, right.dots, strict=True):
        np.testing.assert_array_equal(mine.parcel, other.parcel, strict=True)
    np.testing.assert_array_equal(left.areas, right.areas, strict=True)
    return (left.zones, left.water, left.roads) == (right.zones, right.water, right.roads)


@pytest.fixture(scope="module")
def inputs(small_city: Path) -> Inputs:
    return read_inputs(cg.Case.read(small_city / "case.toml"))


@pytest.fixture(scope="module")
def base(small_run: Path) -> cg.Result:
    return cg.open(small_run)


def test_what_is_kept_is_what_was_drawn(inputs, tmp_path):
    later = BaseMapLater(inputs)
    (tmp_path / "steps").mkdir()
    base_maps.save(tmp_path, later)
    assert later.drawn.water
    assert later.drawn.roads
    assert same(base_maps.load(tmp_path, inputs).drawn, later.drawn)


def test_of_another_year_no_outline_is_read(city, small_run, tmp_path, monkeypatch):
    """Neither for what is written, nor for the report, nor to hold evidence against the land: the same files as of a run that takes nothing over. Nor are borders held against each other for the figures."""
    case = city / "case.toml"
    shutil.copytree(small_run, tmp_path / "run")
    change_totals(city)
    with monkeypatch.context() as patch:
        patch.setattr(
            KeptPolygons, "outlines", property(lambda _: pytest.fail("outlines are read"))
        )
        patch.setattr(shapely, "coverage_is_valid", lambda *_: pytest.fail("borders are compared"))
        after = cg.run(case, tmp_path / "run", replace=True)
    fresh = cg.run(case, tmp_path / "fresh")
    assert after.manifest["digests"] == fresh.manifest["digests"]
    assert "base map" in after.manifest["reused"]
    assert "hold points" in after.manifest["reused"]
    for name in ("report.html", "parcels.parquet", "steps/base_map.json", "steps/base_map.parquet", "steps/points.json", "steps/parcels-shapes.parquet", "figures/zones.png"):  # fmt: skip
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes(), (
            name
        )
    assert cg.verify(tmp_path / "run").ok


def test_a_map_of_an_earlier_version_is_read(inputs, tmp_path):
    """It says nothing of borders, which figures look at then. Seen to fail: plans on such a run were refused as damaged."""
    later = BaseMapLater(inputs)
    (tmp_path / "steps").mkdir()
    base_maps.save(tmp_path, later)
    path = tmp_path / "steps" / "base_map.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["zones"].pop("matched") is True
    path.write_text(json.dumps(told), encoding="utf-8")
    read = base_maps.load(tmp_path, inputs).drawn
    assert read.zones == dataclasses.replace(later.drawn.zones, matched=None)


def written(base: cg.Result, actions: list[dict[str, object]], out: Path) -> cg.Result:
    plan = plan_of(actions)
    _, directory = run_plan(base, plan, out)
    return cg.open(directory)


@pytest.mark.parametrize("do", [pytest.param("scale", marks=pytest.mark.thorough), "convert"])
def test_a_plan_that_leaves_water_and_roads_takes_the_map_over(base, tmp_path, monkeypatch, do):
    """And reads no outline: of fields and forests the map shows nothing."""
    field = base.parcels["id"][base.parcels["land_use"].str.startswith("01")].iloc[0]
    action = {
        "scale": {"do": "scale", "category": "transport/*", "factor": 0.5},
        "convert": {"do": "convert", "parcels": field, "to": "0301"},
    }[do]
    monkeypatch.setattr(base_maps, "draw_base_map", lambda *_: pytest.fail("a map is drawn"))
    monkeypatch.setattr(KeptPolygons, "outlines", property(lambda _: pytest.fail("outlines are read")))  # fmt: skip
    after = written(base, [action], tmp_path / "after")
    assert base_maps.STEP in after.manifest["reused"]
    for name in base_maps.FILES:
        assert (after.directory / name).read_bytes() == (base.directory / name).read_bytes()
    assert cg.verify(after.directory).ok


def test_a_plan_that_changes_water_draws_it_anew(base, tmp_path):
    """Seen to fail: water that is built over stood on the map, and a run on the plan's took it over in turn."""
    lake = (
        base.parcels[base.parcels["type"] == "water"]
        .assign(size=lambda each: each.area)
        .nlargest(1, "size")
    )
    convert = {"do": "convert", "parcels": lake["id"].iloc[0], "to": "0401"}
    after = written(base, [convert], tmp_path / "after")
    told = [
        json.loads((run.directory / base_maps.FILES[0]).read_text("utf-8")) for run in (base, after)
    ]
    assert len(told[1]["water"]) < len(told[0]["water"])
    assert told[1]["roads"] == told[0]["roads"]
    assert told[1]["water"] in (after.directory / "report.html").read_text("utf-8")


def test_a_run_that_an_earlier_version_wrote_has_no_map(base, tmp_path):
    """Of its plans one is drawn."""
    old = Result.__new__(type(base))
    vars(old).update(vars(base))
    steps = {name: each for name, each in base.manifest["steps"].items() if name != base_maps.STEP}
    vars(old)["manifest"] = {**base.manifest, "steps": steps}
    after = written(
        old, [{"do": "scale", "category": "transport/*", "factor": 0.5}], tmp_path / "after"
    )
    assert not (after.directory / base_maps.FILES[0]).exists()
    assert json.loads((base.directory / base_maps.FILES[0]).read_text("utf-8"))["water"] in (
        after.directory / "report.html"
    ).read_text("utf-8")


def test_the_report_of_a_kept_map_is_the_one_that_the_tables_make(
    base, city, tmp_path, monkeypatch
):
    """Rows of the map are those of the tables."""
    change_totals(city)
    written = []

    def both(tables, folder, base):
        assert isinstance(base, BaseMap)
        written.extend(write_report(tables, folder, known).read_bytes() for known in (None, base))

    monkeypatch.setattr(writing, "write_report", both)
    after = cg.run(city / "case.toml", tmp_path / "after", reuse=base.directory)
    assert base_maps.STEP in after.manifest["reused"]
    assert written[0] == written[1]
    assert written[0] != (base.directory / "report.html").read_bytes()


def test_a_published_run_keeps_no_map_and_shows_no_parcels(base, small_city, tmp_path):
    public = cg.run(small_city / "case.toml", tmp_path / "run", public=True)
    assert not (public.directory / "steps").exists()
    assert 'id="parcels"' not in (public.directory / "report.html").read_text("utf-8")
    assert 'id="parcels"' in (base.directory / "report.html").read_text("utf-8")
