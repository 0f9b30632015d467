"""What a case says of the uncertainty of its numbers: its own table, and a column of the tables of figures."""

from __future__ import annotations

import json
import math
import re

import pytest
from squares_case import squares_case

from carbongrid import pipeline
from carbongrid.analysis.probability import probability
from carbongrid.case.readers.uncertainty import read_uncertainty
from carbongrid.case.table_formats import UNCERTAIN
from carbongrid.errors import InputError
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import packaged_table
from carbongrid.method.probability.uncertainty import SOURCES, uncertainty_of

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


def test_a_misspelt_column_makes_nothing_exact(tmp_path):
    """Seen to fail: with Percent for percent all totals were exact, and every zone was sure."""
    wrong = {**TABLES, "own.csv": "source,of,Percent,Groups\ntotals,*,20,\n"}
    with pytest.raises(InputError, match=r"own\.csv, row 2: the table has no column percent"):
        read_uncertainty(case_of(tmp_path, wrong))
    notes = []
    right = {**TABLES, "own.csv": "source,of,percent,Groups\ntotals,*,20,\n"}
    read_uncertainty(case_of(tmp_path, right), notes=notes)
    assert [(note.what, note.hint, note.level) for note in notes] == [("the column 'Groups' is not read", "Did you mean 'group'?", "warning")]  # fmt: skip


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
        ("own.csv", "source,of,percent\nweights,area,30\n", "a row of weights has no percent"),
        ("own.csv", "source,of,sigma\ntotals,agriculture/*,0.3\n", "a row of totals has no sigma"),
        ("own.csv", "source,of,percent\ntotals,agricultur/*,3\n", "'agricultur/*' is for none of what totals"),
        ("own.csv", "source,of,sigma\nweights,poi,1\n", "'poi' is for none of what weights"),
        ("own.csv", "source,of,percent\nsinks,woods,1\n", "'woods' is for none of what sinks"),
        ("own.csv", "source,of,percent\ngdp,town,1\n", "'town' is for none of what gdp"),
        ("own.csv", "source,percent\ntotals,9\n", "of"),
        ("gdp.csv", "region,value,uncertainty\n01,1,much\n", "much"),
        ("totals.csv", "category,value,unit,uncertainty\nagriculture/plantation,3,kt CO2e,5000\n", "5000 % is more than"),
    ],
)  # fmt: skip
def test_wrong_cells_are_told(tmp_path, table, text, message):
    case = case_of(tmp_path, {**TABLES, table: text})
    with pytest.raises(InputError, match=re.escape(message)):
        read_uncertainty(case, None, read_categories())
    assert any(message in str(problem) for problem in pipeline.check(case).problems)


def test_a_run_draws_what_its_case_says(tmp_path):
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


def test_the_packages_own_table_passes_as_a_cases(tmp_path):
    own = packaged_table("uncertainty.csv").to_csv(index=False)
    told = read_uncertainty(case_of(tmp_path, {**TABLES, "own.csv": own}), None, read_categories())
    assert len(told["rules"]) == len(packaged_table("uncertainty.csv"))


def test_merged_units_have_one_uncertainty(tmp_path):
    """Independent figures: the squares of their half-widths add up. Before, the last row's was taken for all."""
    tables = {
        **TABLES,
        "old.csv": "old,new\n90,02\n",
        "gdp.csv": "region,value,uncertainty\n01,1,\n02,3,20\n90,1,60\n03,3,0\n04,4,\n",
    }
    units = {"old_codes": "old.csv"}
    told = read_uncertainty(case_of(tmp_path, tables, units=units), ["01", "02", "03", "04"])
    assert told["gdp"] == [{"region": "02", "percent": pytest.approx(math.hypot(60, 60) / 4)}, {"region": "03", "percent": 0.0}]  # fmt: skip
    half = tables["gdp.csv"].replace("90,1,60", "90,1,")
    case = case_of(tmp_path, {**tables, "gdp.csv": half}, units=units)
    with pytest.raises(InputError, match="not all say how uncertain they are"):
        read_uncertainty(case, ["01", "02", "03", "04"])


def test_a_value_beside_its_industries_counts_once(tmp_path):
    """Seen to fail: the value was added to its industries, so that a merged parent with one weighed twice, and its GDP was drawn by 26.7 % in place of 20."""
    old = "old,new\n90,D1\n91,D1\n"
    rows = "90,1,50,49,100,40\n91,1,50,49,,0\nD2,1,2,3,6,\n"
    gdp = f"region,primary,secondary,tertiary,value,uncertainty\n{rows}"
    tables = {**TABLES, "old.csv": old, "gdp.csv": gdp}
    sections = {"units": {"old_codes": "old.csv"}, "gdp": {"path": "gdp.csv", "by": "district"}}
    told = read_uncertainty(case_of(tmp_path, tables, **sections), ["D1", "D2"])
    assert told["gdp"] == [{"region": "D1", "percent": pytest.approx(20)}]


@pytest.mark.parametrize(("header", "cells"), [("value", "5"), ("primary,secondary,tertiary", "1,2,2")])  # fmt: skip
def test_gdp_of_parents_says_how_sure_it_is(tmp_path, header, cells):
    tables = {**TABLES, "gdp.csv": f"region,{header},uncertainty\nD1,{cells},7\nD2,{cells},\n"}
    case = case_of(tmp_path, tables, gdp={"path": "gdp.csv", "by": "district"})
    assert read_uncertainty(case)["gdp"] == [{"region": "D1", "percent": 7.0}]
