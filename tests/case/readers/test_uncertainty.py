"""What a case says of the uncertainty of its numbers: its own table, and a column of the tables of figures."""

from __future__ import annotations

import json

import pytest
from squares_case import squares_case

from carbongrid import pipeline
from carbongrid.analysis.probability import probability
from carbongrid.analysis.uncertainty import SOURCES, uncertainty_of
from carbongrid.case.readers.uncertainty import read_uncertainty
from carbongrid.case.table_formats import UNCERTAIN
from carbongrid.errors import InputError

TOTALS = """category,value,unit,region,place,uncertainty
agriculture/plantation,3,kt CO2e,,,12.5
industry/manufacturing,2,kt CO2e,,elsewhere,40
sink/forest,1,kt CO2e,,,
"""
FACILITIES = """name,category,value,unit,x,y,crs,uncertainty
farm,agriculture/plantation,0.1,kt CO2e,500500,3450500,EPSG:4549,5
barn,agriculture/plantation,0.1,kt CO2e,500500,3450600,EPSG:4549,
"""
GDP = "region,value,uncertainty\n01,1,\n02,2,20\n03,3,0\n04,4,\n"
OWN = """source,of,percent,sigma,tau,group,basis,origin
weights,area,,0.25,0.125,,measured,"a survey, 2021"
totals,agriculture/*,7,,,farms,,
"""
TABLES = {"totals.csv": TOTALS, "facilities.csv": FACILITIES, "gdp.csv": GDP, "own.csv": OWN}


def case_of(folder, tables=TABLES, **sections):
    named = {
        "facilities": {"path": "facilities.csv"},
        "gdp": {"path": "gdp.csv"},
        "uncertainty": {"path": "own.csv"},
    }
    return squares_case(folder, ["0101", "0101", "0301", "0301"], tables, **{**named, **sections})


def test_what_is_told_is_read(tmp_path):
    told = read_uncertainty(case_of(tmp_path))
    assert told["totals"] == [{"category": "agriculture/plantation", "region": "", "percent": 12.5}]
    assert told["facilities"] == [{"category": "agriculture/plantation", "name": "farm", "percent": 5.0}]  # fmt: skip
    assert told["gdp"] == [{"region": "02", "percent": 20.0}, {"region": "03", "percent": 0.0}]
    assert told["rules"][0] == {"source": "weights", "of": "area", "percent": 0.0, "sigma": 0.25, "tau": 0.125, "group": "", "basis": "measured", "origin": "a survey, 2021"}  # fmt: skip
    assert told["rules"][1]["basis"] == "assumed"


def test_a_case_that_says_nothing_tells_nothing(tmp_path):
    tables = {
        "totals.csv": "category,value,unit\nagriculture/plantation,3,kt CO2e\n",
        "gdp.csv": "region,value\n01,1\n",
    }
    assert read_uncertainty(case_of(tmp_path, tables, facilities=None, uncertainty=None)) == {}


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("own.csv", "source,of,percent\nweather,*,3\n", "weather"),
        ("own.csv", "source,of,percent\ntotals,*,-3\n", "-3"),
        ("own.csv", "source,of,sigma\nweights,area,9\n", "factor of more than 10,000"),
        ("own.csv", "source,of,basis\nweights,area,guessed\n", "guessed"),
        ("own.csv", "source,percent\ntotals,9\n", "of"),
        ("gdp.csv", "region,value,uncertainty\n01,1,much\n", "much"),
        ("totals.csv", "category,value,unit,uncertainty\nagriculture/plantation,3,kt CO2e,5000\n", "5000 % is more than"),
    ],
)  # fmt: skip
def test_wrong_cells_are_told(tmp_path, table, text, message):
    case = case_of(tmp_path, {**TABLES, table: text})
    with pytest.raises(InputError, match=message):
        read_uncertainty(case)
    assert any(message in str(problem) for problem in pipeline.check(case).problems)


def test_a_run_draws_what_its_case_says(tmp_path, undrawn):
    pipeline.run(case_of(tmp_path), tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    found = uncertainty_of(manifest)
    assert found.of("weights", "agriculture/plantation", "area").sigma == 0.25
    assert found.of("weights", "sink/forest", "area").sigma == 0.25  # the case's rows come first
    assert found.of("weights", "buildings/urban-homes", "people").basis == "assumed"
    assert found.gdp == {"02": 20.0, "03": 0.0}
    drawn = probability(tmp_path / "run", draws=50, without=["weights", "sinks", "totals"])
    spread = drawn.gdp.std(axis=0) / drawn.gdp.mean(axis=0)
    assert spread[2] == 0
    assert spread[1] > 1.5 * spread[0] > 0
    settings = probability(tmp_path / "run", draws=2).settings.set_index("of")
    assert settings.loc["agriculture/plantation"].query("basis == 'given'")["percent"].tolist() == [12.5]  # fmt: skip
    pipeline.run(case_of(tmp_path), tmp_path / "public", public=True)
    public = json.loads((tmp_path / "public" / "manifest.json").read_text(encoding="utf-8"))
    assert public["uncertainty"] == {}


def test_the_table_and_the_draws_have_the_same_sources():
    assert UNCERTAIN == SOURCES
    rules = uncertainty_of({}).rules
    assert {rule.source for rule in rules} == set(SOURCES)
    assert all(rule.origin and rule.basis in ("assumed", "recalled", "read") for rule in rules)
    for weight in ("area", "pois", "people", "roads", "lines:rail", "field:x", "raster:y.tif"):
        assert uncertainty_of({}).of("weights", "a/b", weight).sigma > 0
    assert uncertainty_of({}).of("totals", "own/thing").percent == 30
