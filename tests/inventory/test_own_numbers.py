"""The user's own factors held against the package's."""

from __future__ import annotations

import re

import pytest
from english_left import english_in

from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.outputs.report.notes import note_in_chinese

HEAD = "id,activity,category,amount,unit,parameters\n"


def told(folder, parameters, factors=""):
    """Return level and words of what is said of a row of coal by a factor, beside one of gas; each has Chinese."""
    rows = f"I1,fuel/bituminous,industry/manufacturing,1000,t,{parameters}\nI2,fuel/natural-gas,industry/manufacturing,5,m3,\n"
    (folder / "industry.csv").write_text(HEAD + rows, encoding="utf-8")
    if factors:
        (folder / "factors.csv").write_text("key,name,value,unit,gas,low,high,source\n" + factors, encoding="utf-8")  # fmt: skip
    notes = inventory.notes(inventory.form(read_activity(folder)))
    found = [each for each in notes if "by your own" in each.what]
    names = [folder.name, "my.coal", "I1", "factor", "calorific_value"]
    assert all(english_in(note_in_chinese(str(each)), names) == [] for each in found)
    return [(each.level, each.what) for each in found]


@pytest.mark.parametrize(
    ("value", "level", "words"),
    [
        ("1.9,t/t", None, ""),
        ("2.7,t/t", None, ""),
        ("0.5,t/t", "note", "one part in "),  # carbon for CO2
        ("1900,t/t", "warning", " times the "),
        ("1.9,kg/t", "warning", "one part in "),
        ("0,t/t", "warning", "one part in "),
    ],
)
def test_a_factor_of_another_unit_or_substance_is_told(tmp_path, value, level, words):
    """Seen without a word: 40 Gt of a city, as kg per t were given as t per t."""
    found = told(tmp_path, "factor=my.coal", f"my.coal,coal,{value},CO2,,,me\n")
    assert [each for each, _ in found] == ([level] if level else [])
    for _, what in found:
        assert what.startswith("rows I1 come to ")
        assert "by your own my.coal" in what
        assert words in what
    if words == " times the ":
        now, times, then = re.search(r"come to (\S+) t .*, (\S+) times the (\S+) t ", found[0][1]).groups()  # fmt: skip
        now, times, then = (float(each.replace(",", "")) for each in (now, times, then))
        assert times == pytest.approx(now / then, rel=0.01)


@pytest.mark.parametrize(
    ("parameters", "level"),
    [
        ("factor=1.9 t CO2/t", None),
        ("factor=1.9 kg CO2/t", "warning"),
        ("calorific_value=23 GJ/t", None),
        ("calorific_value=23 TJ/t", "warning"),
        ("oxidation=0.2", None),  # how it was burnt
        ("variant=cn", None),
    ],
)
def test_a_number_of_the_row_is_one_of_its_own(tmp_path, parameters, level):
    assert [each for each, _ in told(tmp_path, parameters)] == ([level] if level else [])


def test_rows_that_are_too_high_do_not_make_up_for_others(tmp_path):
    """Seen to be added up: six times too much of steel and a fifth of clinker were "one part in 1"."""
    rows = (
        "I1,product/steel-eaf,industry/manufacturing,1000,t,factor=50 t CO2/t\n"
        "I2,product/clinker,industry/manufacturing,1000,t,factor=0.01 t CO2/t\n"
        "I3,electricity,industry/manufacturing,1000,MWh,factor=0.001 t CO2/MWh\n"
    )
    (tmp_path / "industry.csv").write_text(HEAD + rows, encoding="utf-8")
    notes = inventory.notes(inventory.form(read_activity(tmp_path)))
    found = sorted(each.what.partition(" come ")[0] for each in notes if "by your own" in each.what)
    assert found == ["rows I1", "rows I2"]


def nitrogen_told(folder, factor, parameters=""):
    """Return what is said of nitrogen on fields by a factor of its own; it has Chinese."""
    (folder / "agriculture.csv").write_text(f"{HEAD}A1,nitrogen/synthetic,,1000,t N,{parameters}\n", encoding="utf-8")  # fmt: skip
    if factor:
        (folder / "factors.csv").write_text(f"key,name,value,unit,gas,low,high,source\n{factor},,,me\n", encoding="utf-8")  # fmt: skip
    notes = inventory.notes(inventory.form(read_activity(folder)))
    found = [each for each in notes if "is the package's number times" in each.what]
    names = [folder.name, "ipcc.ef1", "A1", "direct"]
    assert all(english_in(note_in_chinese(str(each)), names) == [] for each in found)
    assert all(each.level == "warning" for each in found)
    return [each.what for each in found]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0.01,kg N2O/kg N,N2O", "times 28/44, as if it were of N2O-N and given as one of N2O: 5.714 t N2O less"),
        ("0.01,kg/kg,N2O", "times 28/44"),
        ("0.0157,kg N2O-N/kg N,N2O", "times 44/28, as if it were of N2O and given as one of N2O-N"),
        ("0.01,kg N2O-N/kg N,N2O", ""),
        ("0.0157,kg N2O/kg N,N2O", ""),
        ("0.016,kg N2O-N/kg N,N2O", ""),  # of the 2019 Refinement
        ("0.005,kg N2O-N/kg N,N2O", ""),
    ],
)  # fmt: skip
def test_a_number_of_nitrogen_is_none_of_the_gas(tmp_path, value, words):
    """Seen without a word: a third of the N2O of fields."""
    found = nitrogen_told(tmp_path, f"ipcc.ef1,fields,{value}")
    assert len(found) == bool(words)
    assert all(words in what and what.startswith("your own ipcc.ef1 in rows A1") for what in found)


def test_a_row_s_own_number_of_nitrogen_is_held_against_the_package_s(tmp_path):
    assert len(nitrogen_told(tmp_path, "", "direct=0.01 kg N2O/kg N")) == 1


@pytest.mark.parametrize(("factor", "level"), [("0.65", "warning"), ("0.35", "warning"), ("24", None), ("0", None), ("0.01", None)])  # fmt: skip
def test_a_grid_in_kg_for_mwh_is_told_and_a_clean_one_not(tmp_path, factor, level):
    """Seen without a word: 0.65 kg per MWh for 0.65 t; water gives off 24, a contract of wind nothing."""
    (tmp_path / "settings.csv").write_text("setting,value\nyear,2021\ngrid,jiangsu\n", encoding="utf-8")  # fmt: skip
    rows = f"I1,electricity,industry/manufacturing,1000,MWh,factor={factor} kg CO2/MWh\n"
    (tmp_path / "industry.csv").write_text(HEAD + rows, encoding="utf-8")
    notes = inventory.notes(inventory.form(read_activity(tmp_path)))
    assert [each.level for each in notes if "by your own" in each.what] == ([level] if level else [])  # fmt: skip
