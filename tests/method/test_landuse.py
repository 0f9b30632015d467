from __future__ import annotations

import csv

import pandas as pd
import pytest
from data import data_folder
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.landuse import (
    MODES,
    PARENT,
    SYSTEMS,
    TYPES,
    codes_of_several_types,
    fitting_systems,
    match_codes,
    packaged_table,
    read_code_system,
    type_priority,
)

CASE_TYPES = [
    "mining",
    "industrial",
    "utilities",
    "commercial",
    "public",
    "urban-residential",
    "rural-homestead",
    "paddy",
    "cultivated",
    "farm-facilities",
    "settlement",
    "transport",
    "forest",
    "grassland",
    "water",
    "ponds",
    "unused",
    "none",
]
NAMES_OF_THE_STUDY = {
    "Cultivated land and garden land": "cultivated",
    "Forest land": "forest",
    "Grassland": "grassland",
    "Commercial and business land": "commercial",
    "none": "none",
    "Transportation land": "transport",
    "Water": "water",
    "Unused land": "unused",
    "Industrial land": "industrial",
    "Mining land": "mining",
    "Urban residential land": "urban-residential",
    "Rural homestead": "rural-homestead",
    "Administration and public services land": "public",
    "Municipal utilities": "utilities",
    "Agricultural land for facilities": "farm-facilities",
}


def meaning(code: str, system: str) -> tuple[str, str]:
    row = match_codes(pd.Series([code], dtype=str), read_code_system(system)).iloc[0]
    return row["type"], row["mode"]


def test_types_are_those_of_the_case():
    assert list(TYPES) == CASE_TYPES
    assert PARENT["mining"] == PARENT["industrial"] == "industry-and-mining"
    assert PARENT["utilities"] == PARENT["commercial"] == PARENT["public"] == "built-up"
    assert PARENT["urban-residential"] == PARENT["rural-homestead"] == "residential"
    assert PARENT["cultivated"] == PARENT["farm-facilities"] == "agricultural"
    assert {PARENT[name] for name in ("transport", "forest", "water", "none")} == {""}


def test_every_type_has_a_rank_of_its_own_and_transport_lies_on_top():
    ranks = type_priority()
    assert set(ranks) == set(TYPES)
    assert sorted(ranks.values()) == list(range(1, len(TYPES) + 1))
    assert ranks["transport"] == 1
    assert ranks["none"] == len(TYPES)


@pytest.mark.parametrize("name", SYSTEMS)
def test_shipped_systems_are_sound(name):
    system = read_code_system(name)
    assert system["code"].is_unique
    assert set(system["type"]) <= set(TYPES)
    assert set(system["mode"]) <= {*MODES, ""}
    assert (system.loc[system["mode"] != "", "type"] == "transport").all()
    # The reader of a user's table checks the same.
    pd.testing.assert_frame_equal(read_code_system(system.copy()), system)


def test_survey_codes_follow_the_table_of_facts():
    facts = data_folder().parent / "facts" / "landuse_tdland3.csv"
    if not facts.is_file():
        pytest.skip("no real data: no table of facts beside it")
    system = read_code_system("tdland3").set_index("code")
    with facts.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(system)
    for row in rows:
        found = system.loc[row["code"], "type"]
        # Ponds are water in the study, and no sink here (decision 0054).
        told = "ponds" if row["code"].startswith("1104") else row["territorial_type"]
        # The study has one type for fields, gardens and paddy (decision 0055).
        told = "paddy" if row["code"] == "0101" else told
        assert found == NAMES_OF_THE_STUDY.get(told, told)


def test_modes_are_those_of_decision_15():
    system = read_code_system("tdland3")
    modes = system[system["mode"] != ""].set_index("code")["mode"].to_dict()
    rail, road = (
        dict.fromkeys(["1001", "1002"], "rail"),
        dict.fromkeys(["1003", "1004", "1006"], "road"),
    )
    assert modes == {**rail, **road, "1007": "air", "1008": "water"}


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("1001", "tdland3", ("transport", "rail")),
        ("1001", "ydyh2023", ("industrial", "")),
        ("0101K", "tdland3", ("paddy", "")),
        ("0201K", "tdland3", ("cultivated", "")),
        ("08H2A", "tdland3", ("public", "")),
        ("0299", "tdland3", ("cultivated", "")),
        ("0605", "tdland3", ("none", "")),
        ("100104", "ydyh2023", ("industrial", "")),
        ("131199", "ydyh2023", ("none", "")),
        ("101", "tdland3", ("none", "")),
        ("203a", "tdland3", ("industrial", "")),
        ("08h2a", "tdland3", ("public", "")),
        ("0201k", "tdland3", ("cultivated", "")),
        ("0299b", "tdland3", ("cultivated", "")),
        ("landuse=grass", "osm", ("grassland", "")),
        ("shop=anything", "osm", ("commercial", "")),
        ("aeroway=apron", "osm", ("transport", "air")),
        ("landuse=unheard_of", "osm", ("none", "")),
        ("112", "corine", ("urban-residential", "")),
        ("12230", "urban-atlas", ("transport", "rail")),
        ("20000", "urban-atlas", ("cultivated", "")),
        ("30000", "urban-atlas", ("forest", "")),
        ("", "tdland3", ("none", "")),
    ],
)
def test_meaning_of_a_code(code, system, expected):
    assert meaning(code, system) == expected


@pytest.mark.parametrize("name", SYSTEMS)
def test_codes_of_several_types_are_all_whose_notes_say_so(name):
    table = packaged_table(f"landuse/{name}.csv").set_index("code")
    several = codes_of_several_types(name)
    unsplit = table["note"].str.contains("cannot split|cannot be split") & (table["type"] == "none")
    assert set(several) >= set(table.index[unsplit])
    assert (table.loc[list(several), "type"] == "none").all()
    assert {kind for types in several.values() for kind in types} <= set(TYPES) - {"none"}


def test_a_letter_is_taken_off_survey_codes_alone():
    """Seen to fail: RB, homes and shops that a table of one's own had forgotten, were homes, and nobody was told."""
    table = pd.DataFrame({"code": ["R", "01", "住"], "type": ["urban-residential", "cultivated", "urban-residential"], "mode": ""})  # fmt: skip
    found = match_codes(pd.Series(["RB", "R", "01K", "住商"], dtype=str), table)
    assert found["matched"].tolist() == ["", "R", "01", ""]


def test_a_code_that_is_missing_is_not_another_ones():
    """Seen to fail: it had the meaning of the last code."""
    with pytest.raises((TypeError, AttributeError)):
        match_codes(pd.Series(["0101", None, "09"], dtype=object), read_code_system("tdland3"))


def test_a_code_that_matched_nothing_says_so():
    found = match_codes(pd.Series(["0101K", "0605", "09"], dtype=str), read_code_system("tdland3"))
    assert found["matched"].tolist() == ["0101", "", "09"]


@given(st.lists(st.sampled_from(read_code_system("tdland3")["code"].tolist()), min_size=1))
def test_matching_is_the_table_itself_for_its_own_codes(codes):
    """Seen to fail when the trailing letter was stripped before the code was looked up."""
    system = read_code_system("tdland3").set_index("code")
    found = match_codes(pd.Series(codes, dtype=str), system.reset_index())
    assert found["matched"].tolist() == codes
    assert found["type"].tolist() == system.loc[codes, "type"].tolist()


def test_system_that_fits():
    survey = fitting_systems(pd.Series(["1001", "0701", "05H1", "0101"], dtype=str))
    assert next(iter(survey)) == "tdland3"
    assert survey == {**survey, "tdland3": 1.0, "ydyh2023": 0.75}
    planning = fitting_systems(pd.Series(["1001", "1401", "070102", "0901"], dtype=str))
    assert next(iter(planning)) == "ydyh2023"
    assert next(iter(fitting_systems(pd.Series(["landuse=forest"], dtype=str)))) == "osm"


def test_no_default_system():
    with pytest.raises(InputError, match="Did you mean 'tdland3'"):
        read_code_system("tdland")


def test_a_table_of_the_users_own():
    table = pd.DataFrame(
        {"code": ["A", "B"], "type": ["industrial", "transport"], "mode": ["", "rail"]}
    )
    system = read_code_system(table)
    assert list(system.columns) == ["code", "type", "mode", "name_en", "name_zh"]
    assert match_codes(pd.Series(["B"], dtype=str), system)["mode"].tolist() == ["rail"]


def test_a_bad_table_is_told_at_once():
    table = pd.DataFrame(
        {
            "code": ["A", "A", "B", "C"],
            "type": ["industry", "forest", "water", "transport"],
            "mode": ["", "", "rail", "sea"],
        }
    )
    with pytest.raises(InputError) as error:
        read_code_system(table, where="own.csv")
    text = str(error.value)
    assert "'industry' is not a territorial type" in text
    assert "Did you mean 'industrial'" in text
    assert "'sea' is not a mode" in text
    assert "code 'B' has a mode" in text
    assert "code 'A' stands twice" in text
    assert text.count("own.csv") == 4
    with pytest.raises(InputError, match="no column 'code'"):
        read_code_system(pd.DataFrame({"type": ["forest"]}))
