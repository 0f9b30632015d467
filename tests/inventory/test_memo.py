"""Biogenic CO2 stands beside the totals and enters none; gases with fluorine and what escapes are counted by themselves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from inventory_example import example
from power_town import Row, formed

from carbongrid import inventory
from carbongrid.errors import InputError
from carbongrid.inventory.activity import activities
from carbongrid.inventory.factors import catalogue
from carbongrid.inventory.factors.units import FLUORINATED
from carbongrid.inventory.tables import MEMO, by_gas
from carbongrid.outputs.report.notes import note_in_chinese

WORKS = "industry/manufacturing"


def test_the_memo_by_hand() -> None:
    """Wood of 15.6 GJ/t and 30.5 kg C/GJ; paper of which 1 % is fossil."""
    rows: list[Row] = [
        ("fuel/wood", WORKS, 1000, "t"),
        ("incineration/paper", "waste/domestic", 1000, "t"),
    ]
    made = inventory.memo(formed(rows))
    assert made["category"].tolist() == [WORKS, "waste/domestic"]
    paper = {line.product: line for line in formed(rows[1:]).memo}["biogenic"]
    inputs = {entry.role: entry.value for entry in paper.inputs}
    whole = 1000 * 10**6 * inputs["dry"] * inputs["carbon"] * inputs["oxidation"]
    by_hand = whole * (1 - inputs["fossil"]) * Fraction(44, 12)
    assert paper.exact == by_hand > 0
    assert Decimal(made["mass_t"][1]) == Decimal(round(by_hand)) / 10**6
    wood = 1000 * Fraction("15.6") * Fraction("30.5") / 1000 * Fraction(44, 12)
    assert Decimal(made["mass_t"][0]) == Decimal(round(wood * 10**6)) / 10**6


@pytest.mark.parametrize(
    ("activity", "category", "told"),
    [
        ("fuel/wood", WORKS, ["methane=ipcc.manufacturing.ch4.wood", "nitrous_oxide=ipcc.manufacturing.n2o.wood"]),
        ("fuel/wood", "buildings/urban-homes", ["methane=ipcc.residential_agri.ch4.wood", "nitrous_oxide=ipcc.residential_agri.n2o.wood"]),
        ("fugitive/coal-surface", "industry/fugitive-coal", ["after=ipcc.fugitive.surface_after"]),
    ],
)  # fmt: skip
def test_a_gas_without_a_factor_is_warned_of_with_what_to_write(
    activity: str, category: str, told: list[str]
) -> None:
    """Seen to fail: a note said "no methane", of no fuel and without a way out."""
    made = formed([(activity, category, 1000, "t")])
    warned = [each for each in inventory.notes(made) if "not formed" in each.what]
    assert {each.level for each in warned} == {"warning"}
    for problem, pair in zip(warned, told, strict=True):
        assert problem.what.startswith(f"{activity}, ")
        assert problem.hint == f"Write {pair} in parameters; that factor is recalled."
        assert "column parameters" in problem.where
        assert note_in_chinese(str(problem))
    text = dict(pair.split("=") for pair in told)
    row = replace(made.data.rows[0], parameters=text)
    mended = inventory.form(replace(made.data, rows=(row,)))
    assert not mended.left_out
    assert len(mended.lines) == len(made.lines) + len(told)


def test_a_gas_that_no_factor_is_known_of_is_warned_of_too() -> None:
    made = formed([("fuel/straw", WORKS, 1000, "t")])
    first, _ = [each for each in inventory.notes(made) if "not formed" in each.what]
    assert first.what == "fuel/straw, ch4 is left out: not formed: no methane"
    assert first.hint.startswith("Write methane=... in parameters, with a factor's key")
    assert note_in_chinese(str(first))


def test_waste_by_a_factor_of_the_whole_has_no_memo() -> None:
    """The factor, 0.557 t of fossil CO2, tells no carbon: 0.2 of the other guideline gave 0.98 t of CO2 of a tonne that holds 0.70.

    Seen to fail with that memo. By its fractions both parts are of one carbon.
    """
    rows: list[Row] = [("incineration/msw", "waste/domestic", 1000, "t")]
    whole = formed(rows)
    assert not whole.memo
    assert "incineration/msw, biogenic" in {left.what for left in whole.left_out}
    text = {"carbon": "0.2 t C/t", "fossil": "0.39", "oxidation": "0.95"}
    data = replace(whole.data, rows=(replace(whole.data.rows[0], parameters=text),))
    parts = inventory.form(data)
    carbon = [line.exact for line in (*parts.lines, *parts.memo) if line.gas == "CO2"]
    assert len(carbon) == 2
    assert sum(carbon) == 10**9 * Fraction("0.2") * Fraction("0.95") * Fraction(44, 12)


def test_it_is_in_no_total_no_interval_and_no_code() -> None:
    """Seen to fail with the memo among the lines."""
    whole = example()
    assert whole.memo
    without = replace(whole, memo=(), memo_grams=())
    assert by_gas(whole).equals(by_gas(without))
    assert inventory.approach_1(whole).equals(inventory.approach_1(without))
    for system in ("crt", "ipcc2006", "gpc"):
        assert inventory.to_system(whole, system).equals(inventory.to_system(without, system))
    burnt = formed([("fuel/wood", WORKS, 1000, "t")])
    assert by_gas(burnt).empty
    assert {left.what for left in burnt.left_out} == {"fuel/wood, ch4", "fuel/wood, n2o"}


def test_the_audit_marks_it() -> None:
    trail = inventory.audit(example())
    marked = trail[trail["memo_t"] != ""]
    assert set(marked["remark"]) == {MEMO}
    assert set(marked["mass_t"]) | set(marked["co2e_t"]) == {""}
    sums = {name: sum(map(Decimal, part["memo_t"])) for name, part in marked.groupby("category")}
    told = inventory.memo(example()).groupby("category")["mass_t"]
    assert sums == {name: sum(map(Decimal, cells)) for name, cells in told}
    assert "memo" not in inventory.explain(example(), "waste/domestic")


@pytest.mark.parametrize("sinks", ["ipcc", "study"])
def test_crops_give_back_what_they_took_up_whatever_the_set_counts(sinks: str) -> None:
    study = inventory.form(example().data, sinks="study")
    taken = by_gas(study).set_index("category")["grams"]["sink/crops"]
    made = inventory.memo(inventory.form(example().data, sinks=sinks))
    given = made.loc[made["category"] == "sink/crops", "mass_t"].map(Decimal).sum()
    assert given == Decimal(int(taken)) / 10**6


@pytest.mark.parametrize("gwp", ["AR4", "AR5", "AR6"])
def test_every_gas_with_fluorine_weighs_its_own_potential(gwp: str) -> None:
    names = [name for name in activities() if name.startswith("f-gas/")]
    made = formed([(name, "industry/f-gases", 1, "kg") for name in names], gwp)
    assert {line.gas for line in made.lines} == set(FLUORINATED)
    for line, grams, co2e in zip(made.lines, made.grams, made.grams_co2e, strict=True):
        assert grams == 1000
        assert co2e == 1000 * line.potential(gwp)
    # AR6: Table 7.SM.7 by its authors' own data; 24,300, as the GHG Protocol prints it, is of another lifetime (0058).
    sulphur = {"AR4": 22_800, "AR5": 23_500, "AR6": 25_200}
    (heaviest,) = [line for line in made.lines if line.gas == "SF6"]
    assert heaviest.potential(gwp) == sulphur[gwp]
    assert "24,300" in catalogue()["gwp.ar6.sf6"].note


def test_what_is_only_recalled_must_be_named() -> None:
    with pytest.raises(InputError, match="needs the parameter gas"):
        formed([("fugitive/coal-underground", "industry/fugitive-coal", 1, "kt")])


def test_what_escapes_is_no_emission_of_power_plants() -> None:
    """Gas leaks where gas is used: set aside with supply it would be counted nowhere."""
    rows: list[Row] = [
        ("fugitive/methane", "industry/fugitive-gas", 5, "t"),
        ("fuel/diesel", "industry/supply", 1000, "t"),
        ("electricity", "buildings/urban-homes", 1, "GWh"),
    ]
    counted = inventory.as_counted(formed(rows), "use")
    assert set(by_gas(counted)["category"]) == {"industry/fugitive-gas", "buildings/urban-homes"}


def test_a_fuel_where_only_gas_escapes_has_no_code() -> None:
    table = inventory.to_system(formed([("fuel/diesel", "industry/fugitive-coal", 1, "t")]), "crt")
    assert set(table["code"]) == {""}
    assert set(table["reason"]) == {"only what escapes stands in this category"}
