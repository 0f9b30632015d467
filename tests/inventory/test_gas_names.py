"""Gases by what tables call them."""

from __future__ import annotations

import pytest

from carbongrid.inventory.coded_table import ALL_GASES, BIOGENIC, F_GASES
from carbongrid.inventory.gas_names import gas_named, gases_above


@pytest.mark.parametrize(
    ("gas", "labels"),
    [
        (ALL_GASES, ["", "-", "total", "All gases", "GHG", "GHG total", "Net GHG", "GHG (CO2e)", "Greenhouse gases", "Sum of gases", "Aggregate GHGs", "KYOTOGHG (AR4GWP100)", "Kyoto gases, GWP 100", "CO2e", "CO₂-eq.", "CO2 equivalents", "Carbon dioxide equivalent", "Total GHG emissions without LULUCF", "合计", "总计", "温室气体总量", "总计（二氧化碳当量）"]),
        (BIOGENIC, ["CO2(B)", "CO2B", "CO2bio", "CO2 (biogenic)", "Biogenic CO2 emissions", "CO2 from biomass", "non-fossil CO2", "二氧化碳（生物成因）"]),
        ("CO2", ["CO2", "co₂", "CO2 emissions", "Net CO2 emissions/removals", "CO2 total", "CO2 (fossil)", "Carbon dioxide", "CO2 (CO2e)", "二氧化碳排放"]),
        ("CH4", ["CH4", "Methane", "CH4 (AR5GWP100)", "CH4 (CO2e)", "甲烷"]),
        ("CH4 (biogenic)", ["CH4 biogenic", "CH4 (non-fossil)", "biogenic CH4", "Methane (biogenic)", "甲烷（生物质）"]),
        ("CH4 (fossil)", ["CH4 fossil", "Fossil methane", "CH4 (fossil) emissions"]),
        ("N2O", ["N2O", "Nitrous oxide", "氧化亚氮"]),
        (F_GASES, ["F-gases", "FGASES (AR6GWP100)", "Fluorinated gases", "Total fluorinated greenhouse gases", "含氟气体"]),
        ("HFCS", ["HFCs", "HFCS (SARGWP100)", "Hydrofluorocarbons", "氢氟碳化物"]),
        ("PFCS", ["PFCs", "Perfluorocarbons", "全氟化碳", "全氟碳化物"]),
        ("SF6", ["SF6", "Sulphur hexafluoride", "sulfur hexafluoride", "六氟化硫"]),
        ("NF3", ["NF3", "Nitrogen trifluoride", "三氟化氮"]),
        ("HFC-134A", ["HFC-134a", "HFC134a", "HFC 134a"]),
        ("HFC-4310MEE", ["HFC-43-10mee", "HFC-4310mee"]),
        ("CF4", ["CF4", "PFC-14", "CF4 (PFC-14)"]),
        ("C-C4F8", ["c-C4F8"]),
        ("OTHER HFCS PFCS", ["Unspecified mix of HFCs and PFCs"]),
        ("OTHER HFCS", ["Unspecified mix of HFCs", "Other HFCs"]),
        ("", ["NOx", "CO", "nitrogen oxide", "non-biogenic CO2", "CO2 incl. biogenic", "CO2 and CH4", "non-CO2 GHG", "Other GHG", "HFCs and PFCs", "CH4 (AR6GWP20)", "Indirect CO2", "CH4 fossil and biogenic", "SF6 biogenic", "biogenic", "HCFC-22", "net emissions", "其他"]),
    ],
)  # fmt: skip
def test_what_a_table_calls_a_gas(gas: str, labels: list[str]) -> None:
    assert {label: gas_named(label) for label in labels} == dict.fromkeys(labels, gas)


@pytest.mark.parametrize(
    ("label", "above"),
    [
        ("GHG", []),
        ("CO2", [ALL_GASES]),
        ("CO2 (biogenic)", []),
        ("CH4 (biogenic)", ["CH4", ALL_GASES]),
        ("CH4 fossil", ["CH4", ALL_GASES]),
        ("F-gases", [ALL_GASES]),
        ("SF6", [F_GASES, ALL_GASES]),
        ("PFCs", [F_GASES, ALL_GASES]),
        ("Unspecified mix of HFCs and PFCs", [F_GASES, ALL_GASES]),
        ("Other PFCs", ["PFCS", F_GASES, ALL_GASES]),
        ("C2F6", ["PFCS", F_GASES, ALL_GASES]),
        ("c-C4F8", ["PFCS", F_GASES, ALL_GASES]),
        ("HFC-23", ["HFCS", F_GASES, ALL_GASES]),
    ],
)
def test_of_which_sums_a_gas_is_a_part(label: str, above: list[str]) -> None:
    assert gases_above(gas_named(label)) == above


def test_what_an_unknown_gas_is_a_part_of_nobody_can_tell() -> None:
    """Seen to fail: it was one with fluorine, and thrown away beside F-gases."""
    for label in ("NOx", ""):
        with pytest.raises(ValueError, match="no gas that is known"):
            gases_above(label)
