"""What a run's emissions are of: CO2 alone only where nothing that is spread says otherwise."""

from __future__ import annotations

import pandas as pd
import pytest

from carbongrid.method.categories import read_categories
from carbongrid.method.gas import (
    Gas,
    emissions_by_gas,
    gas_of_emissions,
    gases_beside_others,
    gases_by_category,
)
from carbongrid.outputs.report.analysis_page import mass_is

KNOWN = read_categories().values()
WORKS, MINES, FOREST = "industry/manufacturing", "industry/mining", "sink/forest"


@pytest.mark.parametrize(
    ("rows", "formed", "gas"),
    [
        ([(WORKS, "CO2e", 5)], False, Gas()),
        ([(WORKS, "CO2", 5), (MINES, "CO2", 3)], False, Gas("CO2")),
        ([(WORKS, "CO2", 5), (MINES, "CO2e", 3)], False, Gas(alone=5)),
        ([(WORKS, "CO2", 5), (FOREST, "CO2e", 3), (MINES, "CO2e", 0)], False, Gas("CO2")),
        ([(WORKS, "CO2e", 5), (FOREST, "CO2", 3)], False, Gas()),
        ([(FOREST, "CO2", 3)], False, Gas()),
        # Of activity data every gas of a row is counted: works that give off CO2 alone are as complete as mines.
        ([(WORKS, "CO2", 5), (MINES, "CH4 as CO2e", 3)], True, Gas()),
        ([(WORKS, "CO2", 5), (FOREST, "CH4 as CO2e", 3)], True, Gas()),
        ([(WORKS, "CO2", 5), (MINES, "CO2", 3)], True, Gas("CO2")),
    ],
)
def test_the_gas_of_emissions(rows: list[tuple[str, str, int]], formed: bool, gas: Gas) -> None:
    inventory = pd.DataFrame(rows, columns=["category", "gas", "grams"]).assign(place="here")
    away = pd.DataFrame({"category": [MINES], "gas": ["N2O"], "grams": [7], "place": ["elsewhere"]})
    assert gas_of_emissions(pd.concat([inventory, away]), KNOWN, formed=formed) == gas


@pytest.mark.parametrize(
    ("rows", "formed", "gases"),
    [
        # Seen to be told as CO2e beside published CO2, which is as much.
        ([(WORKS, "CO2", 5), (MINES, "CO2", 2), (MINES, "CH4 as CO2e", 3)], True, {MINES: {"CO2e"}}),
        ([(WORKS, "CO2", 5)], True, {WORKS: {"CO2"}}),
        ([(WORKS, "CO2", 5), (MINES, "CO2e", 3)], False, {WORKS: {"CO2"}, MINES: {"CO2e"}}),
        ([(WORKS, "CO2", 5), (WORKS, "CO2e", 3)], False, {WORKS: {"CO2", "CO2e"}}),
        ([(WORKS, "CO2e", 5), (WORKS, "CO2", 3)], False, {WORKS: {"CO2", "CO2e"}}),
    ],
)  # fmt: skip
def test_activity_data_without_other_gases_is_as_much_co2_as_co2e(
    rows: list[tuple[str, str, int]], formed: bool, gases: dict[str, set[str]]
) -> None:
    inventory = pd.DataFrame(rows, columns=["category", "gas", "grams"]).assign(place="here")
    # Categories may come one by one.
    assert gases_beside_others(inventory, iter(KNOWN), formed=formed) == gases


def test_masses_of_a_category_add_up_by_gas() -> None:
    """Seen to pass where the last row of a category stood for all of them."""
    rows = [(WORKS, "CO2", 5), (WORKS, "CO2", 7), (WORKS, "CO2e", 2), (MINES, "CO2e", 1)]
    inventory = pd.DataFrame(rows, columns=["category", "gas", "grams"]).assign(place="here")
    masses = {(WORKS, "CO2"): 12, (WORKS, "CO2e"): 2, (MINES, "CO2e"): 1}
    assert emissions_by_gas(inventory, KNOWN, formed=False) == masses
    assert gas_of_emissions(inventory, KNOWN, formed=False) == Gas(alone=12)
    assert gases_by_category(inventory, KNOWN, formed=False)[WORKS] == {"CO2", "CO2e"}


def test_a_gas_is_told_in_words_and_tonnes() -> None:
    """Seen to pass with thousandths of a thousandth for tonnes, and with CO2 named where all gases are meant."""
    assert Gas(alone=12_345_678_000_000).in_part[0] == ", 12,345,678 t of the emissions CO2 alone"
    assert Gas(alone=2_400_000).in_part[1] == "，其中 2 吨排放仅含 CO2"
    assert Gas().in_part == Gas("CO2").in_part == ("", "")
    text = "t CO2e, CO₂e, 二氧化碳当量, CO₂ 当量"
    assert Gas().told(text) == Gas(alone=3).told(text) == text
    assert Gas("CO2").told(text) == "t CO2, CO₂, 二氧化碳, CO₂"


def test_old_runs_say_nothing() -> None:
    assert Gas.of_manifest({"parameters": {"gwp": "AR5"}}) == Gas()
    assert Gas.of_manifest({"parameters": {"gas": Gas("CO2").setting}}) == Gas("CO2")
    assert Gas.of_manifest({"parameters": {"gas": Gas("CO2e").setting}}) == Gas()


def test_a_finished_run_of_both_is_known_for_that() -> None:
    """Seen to be of CO2e, so that no page of an analysis said more."""
    mixed = Gas.of_manifest({"parameters": {"gas": Gas(alone=3).setting}})
    assert mixed.name == "CO2e" and mixed.mixed and mixed.setting == Gas(alone=3).setting
    assert "part of the emissions CO2 alone" in mixed.in_part[0]
    assert not Gas().mixed and not Gas("CO2").mixed
    assert mass_is(mixed).en == "mass is CO₂e (in part CO₂ alone) per year"
    assert mass_is(Gas("CO2"), Gas(), mixed).zh == "质量均为每年 CO₂ 与 CO₂ 当量 与 CO₂ 当量（部分仅含 CO₂）"  # fmt: skip
