"""Where an inventory is of decides which factors a row takes, before how well they are documented."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carbongrid import inventory
from carbongrid.errors import InputError, Problem
from carbongrid.inventory import Inventory
from carbongrid.inventory.activity import SETTINGS, ActivityData, ActivityRow
from carbongrid.inventory.crosswalks import categories_of
from carbongrid.inventory.factors import Factor, catalogue
from carbongrid.inventory.places import place_of
from carbongrid.inventory.units_of_measure import in_usual_width
from carbongrid.method.categories import COLUMNS, Category, read_categories
from carbongrid.outputs.report.notes import note_in_chinese


def formed(
    activity: str = "fuel/bituminous",
    unit: str = "t",
    *,
    category: str = "industry/manufacturing",
    parameters: str = "",
    own: tuple[Factor, ...] = (),
    country: str = "",
    code_system: str = "",
    amount: int = 1000,
    categories: Mapping[str, Category] | None = None,
    **settings: str,
) -> Inventory:
    """Return the inventory of 1,000 of a unit, 2020."""
    pairs = dict(part.split("=", 1) for part in parameters.split("; ") if part)
    sheet = category.partition("/")[0]
    row = ActivityRow(
        "probe", sheet, 2, "x", activity, category, Decimal(amount), str(amount), unit, pairs, None, "", "", ""
    )  # fmt: skip
    data = ActivityData("probe", (row,), {**SETTINGS, "year": "2020", **settings}, own)
    return inventory.form(data, country=country, code_system=code_system, categories=categories)


def elsewhere(inventory_: Inventory) -> list[Problem]:
    """Return what is said of factors of other places."""
    return [note for note in inventory.notes(inventory_) if "are taken for" in note.what]


def tonnes(inventory: Inventory, product: str = "co2") -> float:
    """Return the mass of a product."""
    return sum(float(line.exact) / 1e6 for line in inventory.lines if line.product == product)


@pytest.mark.parametrize(
    "told", [{"grid": "jiangsu"}, {"grid": "east"}, {"country": "CN"}, {"code_system": "tdland3"}]
)
def test_chinese_coal_takes_chinas_own_tier_unasked(told: dict[str, str]) -> None:
    """Liu et al. 2015 found Chinese coal 40 % below the IPCC's default. Seen to fail when status came before place."""
    assert 1700 < tonnes(formed(**told)) < 1950


@pytest.mark.parametrize(
    "told",
    [{}, {"country": "world"}, {"country": "LI"}, {"country": "GB", "grid": "jiangsu"}, {"code_system": "corine"}],
)  # fmt: skip
def test_elsewhere_coal_takes_the_ipccs_default(told: dict[str, str]) -> None:
    assert tonnes(formed(**told)) == pytest.approx(2440.68)


@pytest.mark.parametrize(
    ("told", "oxidation"),
    [({"grid": "jiangsu"}, "0.93"), ({"country": "CN/jiangsu"}, "0.93"), ({"country": "CN"}, "0.93"), ({}, "1"), ({"country": "LI"}, "1")],
)  # fmt: skip
def test_measured_coal_keeps_the_oxidation_of_its_country(
    told: dict[str, str], oxidation: str
) -> None:
    """Seen to burn whole in Jiangsu and not in China: the IPCC's 1, a number without a key, held nearer than China's own; 7.5 % more."""
    measured = "calorific_value=22 GJ/t; carbon_content=26 t C/TJ"
    (line,) = (each for each in formed(parameters=measured, **told).lines if each.product == "co2")
    assert line.exact == 1000 * 22 * 26 * Fraction(oxidation) * Fraction(44, 12) * 1000
    assert not any("of another tier" in other.why for other in line.passed_over)


@pytest.mark.parametrize(
    ("activity", "low", "high"),
    [
        ("fuel/anthracite", 2400, 2600),
        ("fuel/lignite", 1100, 1250),
        ("fuel/coke", 2800, 2900),
        ("fuel/diesel", 3090, 3100),
        ("fuel/lpg", 3095, 3105),
    ],
)
def test_fuels_of_china_are_of_their_own_grade(activity: str, low: float, high: float) -> None:
    """Lignite of 11.9 GJ/t and anthracite of 26.7, not both of raw coal's 20.9."""
    assert low < tonnes(formed(activity, grid="national")) < high


@pytest.mark.parametrize(
    ("category", "methane"),
    [
        ("buildings/urban-homes", 300),
        ("buildings/commerce", 10),
        ("buildings/public-services", 10),
        ("agriculture/plantation", 300),
        ("industry/supply", 1),
    ],
)
@pytest.mark.parametrize("country", ["CN", "LI"])
def test_coal_in_boilers_of_shops_gives_off_less_methane_than_in_stoves_of_homes(
    category: str, methane: int, country: str
) -> None:
    """1000 TJ by Tables 2.2, 2.4 and 2.5 of the 2006 Guidelines: 10 kg CH4/TJ in commerce, 300 in homes.

    Seen to be 300 in commerce and public services.
    """
    for fuel in ("anthracite", "bituminous", "lignite", "coke"):
        made = formed(f"fuel/{fuel}", "TJ NCV", category=category, country=country)
        assert tonnes(made, "ch4") == methane
        assert tonnes(made, "n2o") == 1.5


@pytest.mark.parametrize(
    ("types", "use"),
    [
        ("rural-homestead", "residential_agri"),
        ("rural-homestead+urban-residential", "residential_agri"),
        ("commercial+urban-residential", "commercial"),
        ("commercial", "commercial"),
    ],
)
@pytest.mark.parametrize("name", ["dormitories", "commerce", "rural-homes"])
def test_a_category_of_ones_own_has_stoves_where_only_homes_carry_it(
    name: str, types: str, use: str
) -> None:
    """Those of the package by name. Seen to fall 30-fold where a name did not end in -homes, then to rise so for commerce on land of homes too."""
    use = {"commerce": "commercial", "rural-homes": "residential_agri"}.get(name, use)
    category = f"buildings/{name}"
    cells = [category, "buildings", "x", "x", "2", "false", types, "people"]
    own = read_categories(pd.DataFrame([[*cells, ""]], columns=list(COLUMNS)))
    made = formed("fuel/bituminous", category=category, categories=own, country="CN")
    (methane,) = (line for line in made.lines if line.product == "ch4")
    assert methane.inputs[-1].factor.key == f"ipcc.{use}.ch4.other_bituminous_coal"
    # Seen to be of commerce under codes: those of homes whose name did not end in -homes.
    of_homes = use == "residential_agri"
    codes = {"crt": "1.A.4.b" if of_homes else "1.A.4.a", "gpc": "I.1.1" if of_homes else "I.2.1"}
    for system, code in codes.items():
        assert {*inventory.to_system(made, system)["code"]} == {code}
        assert category in categories_of(code, system, own)


@pytest.mark.parametrize(
    ("activity", "category", "key", "instead", "settings"),
    [
        ("fuel/anthracite", "buildings/commerce", "ipcc.residential_agri.ch4.anthracite", "ipcc.commercial.ch4.anthracite", {}),
        ("landfill-decay/food", "waste/domestic", "ipcc.swds.k.food", "ipcc.swds.k.tropical_wet.food", {"climate": "tropical-wet"}),
        ("fuel/anthracite", "industry/manufacturing", "ipcc.residential_agri.ch4.anthracite", "", {}),
        ("fuel/anthracite", "industry/manufacturing", "ipcc.energy_industries.ch4.anthracite", "", {}),
        ("fuel/anthracite", "buildings/rural-homes", "ipcc.commercial.ch4.anthracite", "", {}),
        ("landfill-decay/food", "waste/domestic", "ipcc.swds.k.tropical_dry.food", "", {"climate": "tropical-wet"}),
        ("fuel/anthracite", "buildings/commerce", "ipcc.residential_agri.ch4.lignite", "", {}),
        ("landfill-decay/food", "waste/domestic", "ipcc.swds.k.wood", "", {"climate": "tropical-wet"}),
    ],
)  # fmt: skip
def test_a_number_of_ones_own_that_rows_pass_by_is_warned_of(
    activity: str, category: str, key: str, instead: str, settings: dict[str, str]
) -> None:
    """With what they take instead; one of another fuel or waste stays a note. Seen to be a note, the number without effect."""
    package = catalogue()[key]
    own = (Factor(key, "measured", Fraction(1, 5), package.unit, gas=package.gas),)
    parameters = "deposited=2015" if "decay" in activity else ""
    made = formed(activity, category=category, parameters=parameters, own=own, **settings)
    (told,) = [note for note in inventory.notes(made) if "enters no total" in note.what]
    assert told.level == ("warning" if instead else "note")
    assert (f"rows x take {instead}" in told.what) == bool(instead)
    assert note_in_chinese(str(told))


def test_the_audit_names_what_was_passed_over_and_what_it_would_have_given() -> None:
    probe = formed(grid="jiangsu")
    cell = inventory.audit(probe)["passed_over"][0]
    assert "ipcc: 2440.680000 t CO2 (of world; one that holds nearer is there)" in cell
    assert "cn: 1860.832908 t CO2 (of coal of no known rank)" in cell
    said = [note.what for note in inventory.notes(probe)]
    assert any("ipcc is passed over" in what and "+40.1%" in what for what in said)
    assert any("told by the electricity grid jiangsu" in what for what in said)


def test_what_would_not_move_the_inventory_is_counted_and_not_told_one_by_one() -> None:
    """Seen to fail: 61 sentences for an inventory of 55 rows."""
    small, large = (formed(fuel, grid="jiangsu").data for fuel in ("fuel/bituminous", "fuel/coke"))
    much = replace(large.rows[0], id="much", amount=Decimal(10**7), written="10000000")
    both = inventory.form(replace(small, rows=(*small.rows, much)))
    said = [note.what for note in inventory.notes(both)]
    assert sum("is passed over" in what for what in said) == 1
    assert (
        sum(
            "2 other factors were passed over, each of which would move less than 0.5%" in what
            for what in said
        )
        == 1
    )


def test_what_a_row_asks_for_is_taken_and_nothing_is_passed_over() -> None:
    asked = formed(parameters="variant=ipcc", grid="jiangsu")
    assert tonnes(asked) == pytest.approx(2440.68)
    assert not asked.lines[0].passed_over


def test_a_preferred_set_comes_before_the_place() -> None:
    asked = formed(grid="jiangsu", prefer="ipcc")
    assert tonnes(asked) == pytest.approx(2440.68)
    assert {other.why for other in asked.lines[0].passed_over} == {"ipcc is preferred"}


def test_a_factor_of_the_users_own_comes_first() -> None:
    own = Factor("ipcc.ncv.other_bituminous_coal", "measured", Fraction(20), "GJ/t")
    probe = formed(grid="jiangsu", own=(own,))
    assert tonnes(probe) == pytest.approx(1000 * 0.02 * 25.8 * 44 / 12)
    assert "a factor of your own comes first" in inventory.audit(probe)["passed_over"][0]


@pytest.mark.parametrize("grid", ["jiangsu", "cn.grid.province.jiangsu.2021"])
def test_a_number_of_ones_own_for_the_grid_leaves_the_place(grid: str) -> None:
    """Seen to fail: with an own factor of Jiangsu's grid nothing told the country, and coal was the IPCC's, 40 % more."""
    own = Factor("cn.grid.province.jiangsu.2021", "grid", Fraction("0.62"), "kg CO2/kWh", gas="CO2")
    assert place_of(catalogue().with_own([own]), grid, "", "") == place_of(catalogue(), grid, "", "")  # fmt: skip
    assert tonnes(formed(grid=grid, own=(own,))) == tonnes(formed(grid=grid)) < 1950


def test_manure_is_of_the_region_that_the_grid_is_in() -> None:
    def taken(grid: str) -> str:
        lines = formed("animals/pigs", "head", category="agriculture/husbandry", grid=grid).lines
        return next(line.inputs[1].factor.key for line in lines if line.product == "manure-ch4")

    assert taken("jiangsu") == "prov.manure_ch4.pig"
    assert taken("guangdong") == "gbt32151_22.manure_ch4.centralsouth.pig"
    assert taken("inner_mongolia") == "gbt32151_22.manure_ch4.north.pig"


@pytest.mark.parametrize(
    ("activity", "category", "parameters", "product", "developed", "developing"),
    [
        ("animals/sheep", "agriculture/husbandry", "", "enteric", 8, 5),
        ("animals/sheep", "agriculture/husbandry", "", "manure-ch4", 0.28, 0.15),
        ("animals/pigs", "agriculture/husbandry", "", "enteric", 1.5, 1),
        ("animals/goats", "agriculture/husbandry", "", "manure-ch4", 0.2, 0.17),
        ("animals/horses", "agriculture/husbandry", "", "manure-ch4", 2.34, 1.64),
        ("animals/camels", "agriculture/husbandry", "", "manure-ch4", 2.37, 1.92),
        ("animals/mules-asses", "agriculture/husbandry", "", "manure-ch4", 1.1, 0.9),
        ("product/lime-dolomitic", "industry/manufacturing", "", "process", 860, 770),
        ("wastewater/domestic", "waste/domestic", "protein=30 kg/person", "n2o-effluent", 0.0518571, 0.0518571),
    ],
)  # fmt: skip
def test_defaults_that_differ_by_development_are_of_the_countrys_own(
    activity: str, category: str, parameters: str, product: str, developed: float, developing: float
) -> None:
    """1000 head, t or people by 2006 Guidelines Vol. 4 Tables 10.10 and 10.15, Vol. 3 Table 2.4, Vol. 5 Table 6.11.

    Effluent: 1000 x 30 kg x 0.16 x 1.1 x 1.25 x 0.005 x 44/28 of a tonne, everywhere: 1.4 is where kitchens have garbage disposals
    (Table 6.11). Seen to be those of developing countries everywhere, and of effluent 1.4 in all developed ones.
    """
    unit = {"animals": "head", "product": "t", "wastewater": "person"}[activity.partition("/")[0]]
    for country, mass in (("LI", developed), ("JP", developed), ("KE", developing)):
        made = formed(activity, unit, category=category, parameters=parameters, country=country)
        assert tonnes(made, product) == pytest.approx(mass, rel=1e-6), country


def test_where_nothing_tells_the_country_a_default_of_developing_ones_is_warned_of() -> None:
    """Seen to be taken without a word, as if it held for the world. A country that is one has no warning."""
    probe = {"activity": "product/lime-dolomitic", "country": "world"}
    (told,) = elsewhere(formed(**probe))
    assert told.level == "warning"
    assert told.hint == "Write country on the sheet settings, or in the case."
    assert told.what.startswith("factors of developing countries are taken for world")
    assert "采用“发展中国家”的因子" in note_in_chinese(str(told))
    for country in ("KE", "LI", "CN"):
        assert not elsewhere(formed(**(probe | {"country": country}))), country
    assert not elsewhere(formed(**probe, parameters="factor=ipcc.lime.dolomitic_developed"))
    assert not elsewhere(formed(**probe, amount=0))


def test_poultry_of_developed_countries_is_told_of_the_kinds_that_there_are() -> None:
    """Seen to be told to bring own factors, though the catalogue has those by kind."""
    probe = {"activity": "animals/poultry", "unit": "head", "category": "agriculture/husbandry", "country": "LI"}  # fmt: skip
    taken = "manure_nitrous_oxide=0.1 kg N2O/head"
    (told,) = elsewhere(formed(**probe, parameters=taken))
    assert "Write manure_methane=... in parameters of poultry: ipcc.manure.layers_dry" in told.hint
    # Seen to be told as "not formed: no enteric".
    told_of_row = inventory.notes(formed(**probe, parameters=taken))
    (digestion,) = [str(each) for each in told_of_row if "digestion of poultry" in each.what]
    assert "家禽" in note_in_chinese(digestion)
    assert "ipcc.manure.turkeys.temperate_developed" in told.hint
    assert note_in_chinese(str(told))
    by_kind = "manure_methane=ipcc.manure.turkeys.temperate_developed"
    assert not elsewhere(formed(**probe, parameters=f"{taken}; {by_kind}"))


@pytest.mark.parametrize(
    ("climate", "food", "paper", "wood", "garden"),
    [
        ("", 0.185, 0.06, 0.03, 0.1),
        ("temperate-wet", 0.185, 0.06, 0.03, 0.1),
        ("temperate-dry", 0.06, 0.04, 0.02, 0.05),
        ("tropical-wet", 0.4, 0.07, 0.035, 0.17),
        ("tropical-dry", 0.085, 0.045, 0.025, 0.065),
    ],
)
def test_waste_decays_as_in_the_climate(
    climate: str, food: float, paper: float, wood: float, garden: float
) -> None:
    """k of Table 3.3: x MCF 0.6 x DOC x DOCf 0.5 x F 0.5 x 16/12, in the second year. Seen to be that of wet temperate places everywhere."""
    shares = {"food": (food, 0.15), "paper": (paper, 0.4), "textile": (paper, 0.24), "wood": (wood, 0.43), "garden": (garden, 0.2)}  # fmt: skip
    for waste, (rate, carbon) in shares.items():
        made = formed(f"landfill-decay/{waste}", category="waste/domestic", parameters="deposited=2018", climate=climate)  # fmt: skip
        decayed = math.exp(-rate) - math.exp(-2 * rate)
        by_hand = 1000 * 0.6 * carbon * 0.5 * decayed * 0.5 * 16 / 12
        assert tonnes(made, "ch4") == pytest.approx(by_hand), waste
        said = [note for note in inventory.notes(made) if "landfills of 1 row (x)" in note.what]
        assert len(said) == (not climate)
        assert all("temperate-wet" in note_in_chinese(str(note)) for note in said)


@pytest.mark.parametrize("key", ["ipcc.swds.k.food", "ipcc.swds.k.bulk"])
@pytest.mark.parametrize("climate", ["", "tropical-dry"])
def test_a_rate_of_decay_is_by_year(key: str, climate: str) -> None:
    """Seen to take the fraction ipcc.swds.f as a rate, and to know wet temperate rates by new keys only; then to refuse 0.1 fraction in a row."""
    probe = {"activity": "landfill-decay/food", "category": "waste/domestic", "climate": climate}
    for rate in (key, "0.1", "10 %/yr", "0.1 1/a", "0.1 fraction"):
        assert tonnes(formed(**probe, parameters=f"deposited=2015; rate={rate}"), "ch4") > 0
    for rate in ("ipcc.swds.f", "ipcc.ww.i_factor"):
        with pytest.raises(InputError, match="rate is per year, but"):
            formed(**probe, parameters=f"deposited=2015; rate={rate}")


@pytest.mark.parametrize("unit", ["/yr", " /yr", "/年", " yr-1", " a^-1", " yr⁻¹", " y−1", " per year", " 1/y"])  # fmt: skip
def test_a_rate_of_decay_may_be_spelt_as_in_papers(unit: str) -> None:
    """Seen to be unknown units."""
    probe = {"activity": "landfill-decay/food", "category": "waste/domestic"}
    spelt, plain = (
        formed(**probe, parameters=f"deposited=2015; rate=0.1{each}") for each in (unit, " 1/yr")
    )
    assert tonnes(spelt, "ch4") == tonnes(plain, "ch4") > 0


def test_a_half_life_is_no_rate_of_decay() -> None:
    """Seen to be taken as k = 3.7 1/yr, by which nothing was left, in a row and in a number of one's own."""
    probe = {"activity": "landfill-decay/food", "category": "waste/domestic"}
    says = r"rate is per year.* a half-life of 3.7 years is a rate of ln 2 / 3.7 = 0.187 1/yr"
    for half_life in ("3.7 yr", "3.7 年", "3.7 years", "370 % a"):
        with pytest.raises(InputError, match=says):
            formed(**probe, parameters=f"deposited=2015; rate={half_life}")
    own = (Factor("ipcc.swds.k.food", "measured", Fraction("3.7"), "yr"),)
    with pytest.raises(InputError, match=says):
        formed(**probe, parameters="deposited=2015", own=own)
    for rate in ("0.1 1/day", "1350 day"):
        with pytest.raises(InputError, match="Write the rate in 1/yr"):
            formed(**probe, parameters=f"deposited=2015; rate={rate}")


def test_the_rate_of_the_first_climate_is_hinted_by_its_key() -> None:
    """Seen to hint at that of dry temperate places."""
    probe = {"activity": "landfill-decay/food", "category": "waste/domestic"}
    with pytest.raises(InputError, match=r"Did you mean 'ipcc\.swds\.k\.food'"):
        formed(**probe, parameters="deposited=2015; rate=ipcc.swds.k.temperate_wet.food")


@pytest.mark.parametrize(
    "climate", ["Tropical-Wet", "tropical_wet", " tropical wet ", "热带湿润", "TROPICAL_WET"]
)
def test_a_climate_is_read_as_it_is_spelt(climate: str) -> None:
    made = formed("landfill-decay/food", category="waste/domestic", parameters="deposited=2018", climate=climate)  # fmt: skip
    assert made.lines[0].inputs[-2].factor.key == "ipcc.swds.k.tropical_wet.food"


@pytest.mark.parametrize("climate", ["wet", "tropical", "热带"])
def test_a_climate_that_there_is_not_is_refused(climate: str) -> None:
    """Seen to be told again at the row, as an unknown factor."""
    with pytest.raises(InputError) as told:
        formed("landfill-decay/food", category="waste/domestic", parameters="deposited=2018", climate=climate)  # fmt: skip
    assert [problem.what for problem in told.value.problems] == [f"unknown climate {climate!r}"]


def test_the_climate_of_manure_is_told_unless_the_row_chose_it() -> None:
    """Seen to be 16 °C, or 15 to 25 °C, without a word."""
    probe = {"activity": "animals/sheep", "unit": "head", "category": "agriculture/husbandry"}

    def said(**told: Any) -> list[Problem]:
        notes = inventory.notes(formed(**(probe | told)))
        return [note for note in notes if "manure of 1 row (x)" in note.what]

    (note,) = said(country="LI")
    assert "16 °C" in note_in_chinese(str(note))
    assert not said(country="LI", parameters="manure_methane=0.19 kg CH4/head")
    assert not said(grid="jiangsu"), "of China's own, by region"
    assert not said(country="LI", amount=0)
    own = Factor("ipcc.manure.sheep.temperate_developed", "m", Fraction(1, 5), "kg CH4/head/yr", gas="CH4")  # fmt: skip
    assert not said(country="LI", own=(own,))


@pytest.mark.parametrize(
    ("country", "grid", "region", "warned"),
    [
        ("", "north", "CN/north", True),
        ("CN", "north", "CN/north", True),
        ("CN/shandong", "north", "CN/shandong", False),
        ("CN/north", "north", "CN/north", False),
        ("", "shandong", "CN/shandong", False),
        ("", "east", "CN/east", False),
        ("", "south", "CN/south", True),
        ("LI", "north", "LI", False),
    ],
)
def test_a_grid_that_the_guidelines_cut_otherwise_tells_no_region_of_manure(
    country: str, grid: str, region: str, warned: bool
) -> None:
    """Shandong has the grid of the north, and manure of the east. Seen to take that of the north with a note of its grid."""
    probe = {"activity": "animals/pigs", "unit": "head", "category": "agriculture/husbandry"}
    made = formed(**probe, country=country, grid=grid)
    assert made.place.regions[0] == region
    said = [note for note in inventory.notes(made) if "tells no province" in note.what]
    assert [note.level for note in said] == ["warning"] * warned
    assert all(note_in_chinese(str(note)) for note in said)
    if region == "CN/shandong":
        assert made.lines[1].inputs[1].factor.key == "prov.manure_ch4.pig"
    # Horses have no factor by region, and none are none.
    for told in ({"activity": "fuel/bituminous", "unit": "t", "category": "industry/manufacturing"}, {"activity": "animals/horses"}, {"amount": 0}):  # fmt: skip
        other = formed(**(probe | told), country=country, grid=grid)
        assert not [note for note in inventory.notes(other) if "tells no province" in note.what]


_GRIDS = {
    "north": "beijing tianjin hebei shanxi shandong inner_mongolia",
    "northeast": "liaoning jilin heilongjiang inner_mongolia",
    "east": "shanghai jiangsu zhejiang anhui fujian",
    "central": "henan hubei hunan jiangxi sichuan chongqing",
    "northwest": "shaanxi gansu qinghai ningxia xinjiang",
    "south": "guangdong guangxi yunnan guizhou hainan",
    "southwest": "sichuan chongqing",
}


@pytest.mark.parametrize(
    ("province", "grid"),
    [(name, grid) for grid, names in _GRIDS.items() for name in names.split()]
    + [("jiangsu", "national"), ("jiangsu", "jiangsu"), ("xizang", "national")],
)
def test_a_province_takes_electricity_of_its_grid_without_a_warning(
    province: str, grid: str
) -> None:
    """Seen to be warned of as a factor of elsewhere: CN/shandong is in CN/east, and its grid is CN/north."""
    made = formed("electricity", "kWh", country=f"CN/{province}", grid=grid)
    assert f".{grid}." in made.lines[0].inputs[-1].factor.key
    assert not elsewhere(made)


def test_a_grid_of_another_country_is_warned_of() -> None:
    assert elsewhere(formed("electricity", "kWh", country="LI", grid="jiangsu"))


@pytest.mark.parametrize(
    ("country", "place"),
    [
        ("CN/Shandong", "CN/shandong"),
        ("cn / shandong", "CN/shandong"),
        ("CN/山东", "CN/shandong"),
        ("CN/内蒙古自治区", "CN/inner_mongolia"),
        ("CN/Inner Mongolia", "CN/inner_mongolia"),
        ("CN/neimenggu", "CN/inner_mongolia"),
        ("CN/tibet", "CN/xizang"),
        ("CN/Shaanxi", "CN/shaanxi"),
        ("CN/North", "CN/north"),
        ("CN／山东", "CN/shandong"),
        ("CN/Hebei Province", "CN/hebei"),
        ("CN/Guangxi Zhuang Autonomous Region", "CN/guangxi"),
        ("CN/Xinjiang Uygur Autonomous Region", "CN/xinjiang"),
        ("CN/Tibet Autonomous Region", "CN/xizang"),
        ("CN/Shanghai Municipality", "CN/shanghai"),
        ("cn", "CN"),
        ("hk", "HK"),
        ("World", "world"),
    ],
)
def test_a_province_is_read_as_it_is_spelt(country: str, place: str) -> None:
    """Seen to refuse cn alone, World, kinds of province in English, and a slash of full width."""
    assert place_of(catalogue(), country=country) == place_of(catalogue(), country=place)


@pytest.mark.parametrize(
    ("country", "hint"),
    [
        ("CN/shangdong", "Did you mean 'CN/shandong'?"),
        ("CN/hongkong", "Write HK."),
        ("CN/Macau", "Write MO."),
        ("CN/台湾", "Write TW."),
        ("山东", "Write CN/shandong."),
        ("CN/suzhou", "Write CN, or a place in it: CN/anhui, CN/beijing, "),
        ("CN/", "Write CN, or a place in it: "),
        ("US/california", "Write US."),
        ("GB/hebei", "Write CN/hebei."),
        ("UK/wales", "Write GB."),
        ("uk", "Write GB."),
        ("CN/Hong Kong Special Administrative Region", "Write HK."),
    ],
)
def test_a_province_that_there_is_not_is_refused(country: str, hint: str) -> None:
    """With what is close, else with what there is. Seen to suggest Chongqing for Hong Kong."""
    with pytest.raises(InputError) as told:
        place_of(catalogue(), country=country)
    assert told.value.problems[0].hint.startswith(hint)


def test_a_factor_of_another_country_is_warned_of() -> None:
    probe = formed("passengers/rail", "person km", category="transport/rail", country="LI")
    said = [note for note in inventory.notes(probe) if note.level == "warning"]
    assert any("factors of CN are taken for LI" in note.what for note in said)
    of_china = formed("passengers/rail", "person km", category="transport/rail", country="CN")
    assert not [note for note in inventory.notes(of_china) if "are taken for" in note.what]


def test_a_life_cycle_factor_is_no_default_while_another_is_there() -> None:
    """The Chinese factor of the metro holds the building of it (D28)."""
    metro = formed("passengers/metro", "person km", category="transport/rail", country="CN")
    assert metro.lines[0].inputs[1].factor.key == "uk.defra2023.pax.light_rail"
    assert "holds what is emitted upstream" in inventory.audit(metro)["passed_over"][0]


@given(st.text(max_size=3))
@example("uk")
@example("ß")
def test_a_country_is_two_letters_or_the_world(country: str) -> None:
    written = in_usual_width(country)
    good = len(written) == 2 and written.isascii() and written.isalpha()
    if (good and written.upper() != "UK") or not country:
        assert place_of(catalogue(), country=country).regions[-1] == "world"
    else:
        with pytest.raises(InputError, match="two letters"):
            place_of(catalogue(), country=country)


def test_a_place_is_in_wider_ones() -> None:
    assert place_of(catalogue(), "jiangsu").regions == (
        "CN/jiangsu", "CN/east", "CN", "Asia", "developing countries", "world",
    )  # fmt: skip
    assert place_of(catalogue(), "cn.grid.province.gansu.2022").regions[:2] == (
        "CN/gansu",
        "CN/northwest",
    )
    assert place_of(catalogue(), "jiangsu", "JP").regions == (
        "JP", "Asia", "developed countries", "world",
    )  # fmt: skip
    assert place_of(catalogue()).country == "world"
