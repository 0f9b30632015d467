"""What a run says of how sure its zones are, against the command of the same seed, and where it says nothing."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from PIL import Image
from squares_case import squares_case

import carbongrid as cg
from carbongrid.analysis.probability import probability
from carbongrid.method.columns import UNIT_DRAWN
from carbongrid.outputs.figures import write_figures
from carbongrid.outputs.marks import flags_of
from carbongrid.outputs.reading import read_tables
from carbongrid.outputs.report import write_report
from carbongrid.outputs.report.layers import map_layers
from carbongrid.outputs.report.unit_table import unit_table
from carbongrid.pipeline import run, tables
from carbongrid.pipeline.verification import verify

TABLES = {
    "totals.csv": "category,value,unit\nindustry/manufacturing,3,kt CO2e\nsink/forest,1,kt CO2e\n",
    "gdp.csv": "region,value\n01,1\n02,2\n03,3\n04,4\n",
}
CODES = ["0601", "0601", "0301", "0301"]


def squares(folder, **sections):
    allow = {"fallback": ["industry/manufacturing"]}
    return squares_case(
        folder, CODES, TABLES, **{"gdp": {"path": "gdp.csv"}, "allow": allow, **sections}
    )


@pytest.mark.parametrize("name", ["small", "district", "inventory"])
def test_a_run_draws_what_the_command_draws_from_its_files(
    name, small_run, small_city, full_demo, tmp_path
):
    """Steps in memory and files read back are two ways to the same numbers: weights, facilities, water, split GDP, an inventory's draws."""
    out = small_run if name == "small" else full_demo / "run-district-gdp"
    if name == "inventory":
        out = tmp_path / "run"
        run(small_city / "case-inventory.toml", out, reuse=small_run)
    result = cg.open(out)
    units = result.units
    table = probability(out, draws=result.manifest["parameters"]["draws"]).table
    zoned = units["zone"].to_numpy() > 0
    assert (units["firm"] == table["firm"]).all()
    shares = table[["p0", "p1", "p2", "p3", "p4"]].to_numpy()[np.arange(len(table)), table["zone"]]
    assert (units["zone_probability"].to_numpy()[zoned] == shares[zoned]).all()
    for column in list(UNIT_DRAWN)[2:]:
        np.testing.assert_allclose(units[column], table[column], rtol=1e-3)


def test_every_file_has_it(small_run, tmp_path):
    units = cg.open(small_run).units
    written = gpd.read_file(small_run / "units.gpkg", layer="units")
    sheet = openpyxl.load_workbook(small_run / "units.xlsx")["units"]
    rows = list(sheet.iter_rows(values_only=True))
    table = pd.DataFrame(rows[2:], columns=rows[1])
    for column in UNIT_DRAWN:
        assert (written[column] == units[column]).all(), column
        assert (table[column] == units[column]).all(), column
    found = read_tables(small_run, parcels=False)
    drawn = {path.name: path for path in write_figures(found, tmp_path / "figures")}
    with Image.open(drawn["zone_probability.png"]) as image:
        assert image.size[0] > 500
    text = write_report(found, tmp_path).read_text(encoding="utf-8")
    assert 'id="layer-sure"' in text
    assert "fewer than 90 % of the draws have this zone" in text


def test_marks_and_layers_follow_firm_where_it_was_drawn(small_run):
    found = read_tables(small_run, parcels=False)
    marks, _ = flags_of(found.units)
    assert marks.column == "firm"
    expected = ~found.units["firm"].to_numpy(bool) & (found.units["zone"] > 0).to_numpy()
    assert marks.marked(found.units).tolist() == expected.tolist()
    [layer] = [layer for layer in map_layers(found) if layer.key == "sure"]
    assert sum(entry.count for entry in layer.entries) == len(found.units)
    for unit, place in enumerate(layer.place):
        sure = found.units["zone_probability"].iloc[unit]
        assert layer.entries[place].text_en.endswith("≥ 90 %") == (sure >= 0.9)
    keys = [column.key for column in unit_table(found).columns]
    assert "zone_probability" in keys
    undrawn = found.units.drop(columns=list(UNIT_DRAWN))
    assert flags_of(undrawn)[0].column == "borderline"


def test_a_case_may_say_how_often_or_not_at_all(tmp_path):
    few = run(squares(tmp_path, uncertainty={"draws": 40}), tmp_path / "few")
    assert few.manifest["parameters"]["draws"] == 40
    assert set((few.units["zone_probability"] * 40).round(9) % 1) == {0.0}
    assert verify(tmp_path / "few").ok
    none = run(squares(tmp_path, uncertainty={"draws": 0}), tmp_path / "none")
    assert not {*UNIT_DRAWN} & {*none.units.columns}
    same = few.units.drop(columns=list(UNIT_DRAWN))
    pd.testing.assert_frame_equal(pd.DataFrame(none.units), pd.DataFrame(same))
    again = run(squares(tmp_path, uncertainty={"draws": 40}), tmp_path / "again", reuse=tmp_path / "few")  # fmt: skip
    assert again.manifest["digests"] == few.manifest["digests"]


def test_without_a_zone_nothing_is_drawn(tmp_path):
    result = run(squares(tmp_path, gdp=None), tmp_path / "run")
    assert not {*UNIT_DRAWN} & {*result.units.columns}
    assert result.manifest["parameters"]["draws"] == 0
    assert verify(tmp_path / "run").ok


def test_of_many_parcels_nothing_is_drawn_unasked_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("carbongrid.pipeline.probability.MAX_DRAWN", 3)
    monkeypatch.setattr(tables, "MAX_DRAWN", 3)
    result = run(squares(tmp_path), tmp_path / "run")
    assert "firm" not in result.units
    assert any("more than 3 parcels" in text for _, text in result.manifest["assumptions"])
    asked = run(squares(tmp_path, uncertainty={"draws": 5}), tmp_path / "asked")
    assert "firm" in asked.units


def test_a_published_run_keeps_it(small_city, small_run, tmp_path):
    out = tmp_path / "public"
    published = run(small_city / "case.toml", out, public=True, reuse=small_run).units
    assert (published["firm"] == cg.open(small_run).units["firm"]).all()
    assert verify(out).ok
