"""What a value of a published raster is: every spelling of one unit is the same, and what is not said is refused."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from carbongrid.analysis.published.calendars import days_of, middle_of, units_as_written
from carbongrid.analysis.published.months import (
    Dates,
    Layered,
    require_one_year,
    told_apart_by_dates,
)
from carbongrid.analysis.published.substances import _read
from carbongrid.analysis.published.units_of_measure import periods_in, read_unit, unit_of
from carbongrid.errors import InputError

MASSES = {"g": 1, "kg": 1000, "t": 10**6, "kt": 10**9, "Gg": 10**9}
SUBSTANCES = {"CO2": 1, "CO2e": 1, "C": Fraction(44, 12)}
AREAS = {"": None, "m": 1, "km": 10**6, "ha": 10**4}
PERIODS = {
    "second": ["s"],
    "hour": ["h", "hr", "hour"],
    "day": ["d", "day"],
    "month": ["month"],
    "year": ["yr", "a", "year"],
}


@given(some.data())
def test_every_spelling_is_read_as_the_same_unit(data):
    mass, substance, area, period = (data.draw(some.sampled_from(sorted(each))) for each in (MASSES, SUBSTANCES, AREAS, PERIODS))  # fmt: skip
    word = data.draw(some.sampled_from(PERIODS[period]))
    square = "" if area == "ha" else "2"
    places = {
        "per": (f" per {area}{square}" if area else "") + f" per {word}",
        "slash": (f"/{area}{square}" if area else "/cell") + f"/{word}",
        "power": (f" {area}-{square or 1}" if area else "") + f" {word}-1",
        "raised": (f" {area}⁻{'²' if square else '¹'}" if area else " cell-1") + f" {word}⁻¹",
        "stars": (f" {area}**-{square or 1}" if area else "") + f" {word}**-1",
    }
    how = data.draw(some.sampled_from(sorted(places)))
    found = read_unit(f"{mass}{data.draw(some.sampled_from(['', ' ']))}{substance}{places[how]}")
    assert (found.substance, found.square_metres, found.period) == (substance, AREAS[area], period)
    assert found.grams_of_co2 == MASSES[mass] * SUBSTANCES[substance] / Fraction(AREAS[area] or 1)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Tonnes", "t"),
        ("tonne carbon/cell", "t C"),
        ("gC/m2/d", "g C m-2 day-1"),
        ("kg/m2/s", "kg m-2 s-1"),
        ("t carbon dioxide per grid cell", "t CO2"),
        ("10^3 t CO2/pixel", "kt CO2"),
        ("kg CO2/(m2 s)", "kg CO2 m-2 s-1"),
        ("kg CO2 / (m^2·s)", "kg CO2 m-2 s-1"),
        ("t C/(cell month)", "t C month-1"),
        ("万吨 CO2/年", "1e4 t CO2 yr-1"),
        ("吨二氧化碳/平方公里/月", "t CO2 km-2 month-1"),
        ("千克碳每日", "kg C day-1"),
        ("Mg/grid/month", "t month-1"),  # MEIC
        ("metric tonnes C/cell", "t C"),
        ("Mg C km-2 y-1", "t C km-2 yr-1"),
        ("Mt CO$_2$ yr$^{-1}$", "Mt CO2 yr-1"),
        ("kg CO<sub>2</sub> / yr", "kg CO2 yr-1"),
        ("Tonne Carbon/cell/month", "t C month-1"),  # ODIAC
        ("kgC/h", "kg C h-1"),  # GRACED
        ("吨碳/小时", "t C per hour"),
        ("metric tons CO2/km2/year", "t CO2 km-2 yr-1"),  # Vulcan
        ("kilograms of carbon per square meter per second", "kg C m-2 s-1"),
        ("tonnes CO2 per hectare per annum", "t CO2 ha-1 yr-1"),
        ("kg CO2-C m-2 s-1", "kg C m-2 s-1"),
        ("kgCO2-C ha-1 yr-1", "kg C ha-1 yr-1"),
        ("gC-CO2 m-2 d-1", "g C m-2 day-1"),
        ("t C/1 km2/yr", "t C km-2 yr-1"),
        ("tC/cell/mo", "t C month-1"),
    ],
)
def test_published_spellings(text, same):
    """Seen to be refused: those per 1 km2 and per mo."""
    assert read_unit(text) == read_unit(same)


@pytest.mark.parametrize("unit", ["t C / 1km", "tC/1km/month", "t C per 1 km grid cell", "kt CO2/0.1°", "t/0.25 deg/yr", "t C/1°x1°", "t C/0.1x0.1 deg", "t C km-1 yr-1"])  # fmt: skip
def test_a_side_of_a_cell_is_told_to_be_no_area(unit):
    """Seen to be told to be of 'C / 1km', which says nothing of what to write."""
    with pytest.raises(
        InputError, match=r"per a length or an angle, which is no area.*/cell.*/km2"
    ):
        read_unit(unit)


def read(attributes, named=None):
    """What the attributes and the name say, and what is told of it."""
    unit, remarks = unit_of(attributes, named, "a.nc")
    assert all(any(sign >= "\u4e00" for sign in zh) for _, zh in remarks)
    return unit, [str(problem) for problem, _ in remarks if problem.level == "warning"]


FLUX = "tendency_of_atmosphere_mass_content_of_{}_due_to_emission"
RATE = {"units": "kg m-2 s-1"}


def test_what_the_attributes_say_needs_no_name():
    assert read(RATE | {"substance": "CO2"}) == (read_unit("kg CO2 m-2 s-1"), [])
    assert read(RATE | {"standard_name": FLUX.format("carbon_dioxide")})[0].gas == "CO2"
    carbon = FLUX.format("carbon_dioxide_expressed_as_carbon")
    assert read(RATE | {"standard_name": carbon})[0].substance == "C"
    for units in ("Tonnes", "1", "unitless"):
        assert read({"units": units}, "t CO2 yr-1") == (read_unit("t CO2 yr-1"), [])
    assert read({}, "t C month-1")[0].grams_of_co2 == Fraction(44 * 10**6, 12)
    assert [read_unit(f"t {each}").gas for each in SUBSTANCES] == ["CO2", "CO2e", "CO2"]
    # What the file says of all its variables stands where the raster says nothing.
    assert unit_of({}, None, "a.nc", {"units": "t CO2 yr-1"})[0] == read_unit("t CO2 yr-1")
    of_two = unit_of({"units": "t CO2 yr-1"}, None, "a.nc", {"units": "kg CO2 s-1"})
    assert of_two[0] == read_unit("t CO2 yr-1")


@pytest.mark.parametrize(
    ("said", "substance"),
    [
        ({"substance": "CO2_excl_short-cycle_org_C"}, "CO2"),  # EDGAR, to its release 8
        ({"substance": "CO2_excl_short-cycle_C"}, "CO2"),
        ({"substance": "CO2, non-short-cycle carbon"}, "CO2"),
        ({"substance": "CO2 without biogenic carbon"}, "CO2"),
        ({"species": "合成氨", "standard_name": FLUX.format("carbon_dioxide")}, "CO2"),  # of making it
        ({"species": "co2_ff"}, "CO2"),  # TNO
        ({"species": "Carbon dioxide (CO2)", "standard_name": FLUX.format("carbon_dioxide")}, "CO2"),
        ({"species": "CO2", "standard_name": "emission", "long_name": "NOx"}, "CO2"),
        ({"gas": "fossil CO₂", "species": "44"}, "CO2"),
        ({"gas": "Carbon"}, "C"),
        ({"gas": "二氧化碳"}, "CO2"),
        ({"gas": "CO2-eq"}, "CO2e"),
        ({"gas": "GHG"}, "CO2e"),
        ({"substance": "GWP_100_AR5_GHG"}, "CO2e"),
        ({"species": "carbon-dioxide_excl_short-cycle"}, "CO2"),  # CAMS-GLOB-ANT
        ({"species": "CO_2"}, "CO2"),
        ({"species": "FFCO2, no biofuel"}, "CO2"),
        ({"gas": "greenhouse gas CO2"}, "CO2"),
        ({"gas": "C, as CO2"}, "CO2"),
        ({"gas": "CO2 expressed as carbon"}, "C"),
        ({"gas": "CO2-C"}, "C"),
        ({"gas": "total carbon (C)"}, "C"),
    ],
)  # fmt: skip
def test_what_publishers_call_it_is_read(said, substance):
    """Seen to fail: EDGAR's total of all gases, CAMS' carbon-dioxide and total carbon were refused, CO2 as carbon was CO2, and CO2 called a greenhouse gas was CO2e."""
    assert read(RATE | said) == (read_unit(f"kg {substance} m-2 s-1"), [])
    assert read({"units": "Tonnes"} | said, f"t {substance} yr-1")[1] == []


@pytest.mark.parametrize(
    ("said", "substance"),
    [
        *((each, "CO2e") for each in ("GHG as CO2 equivalent", "GHG expressed as carbon dioxide equivalent", "CO2 (eq)", "CO2(e)", "CO2-Äquivalente", "CO2 équivalent", "eq. CO2", "GHG without biogenic CO2", "eCO2", "tCO2e", "温室气体(折CO2)")),
        *((each, "CO2") for each in ("CO2 emissions", "ecosystem CO2", "CO2 excl. biofuels")),
        *((each, "C") for each in ("总碳", "CO2 as C", "CO2 from fossil fuels, as C")),
        *((each, "CO2") for each in ("CO2 from CO ratio", "CO2 emissions from oil and gas", "CO2 by CH4 oxidation", "fossil CO2, excluding CO2 of biomass", "CO2 (excluding CO2 from the combustion of biomass)", "CO2, biogenic CO2 not included")),
        *((each, None) for each in ("CO from CO2 ratio", "NOx scaled from CO2", "CO/CO2 ratio", "black carbon by CO2")),
        *((each, None) for each in ("CO:CO2 ratio", "CO to CO2 emission ratio", "ratio of CO to CO2", "CO from GHG inventory", "greenhouse gas CH4", "CO (indirect GHG)")),
        *((each, "") for each in ("CO2 and other greenhouse gases", "various", "GHG and air pollutants (NOx, PM)", "GHG, PM", "NOx and greenhouse gases", "CO2 (CO ratio method)", "CO2 (CO/CO2 ratio method)", "CO2; emission ratio of CO from EDGAR")),
        *((each, None) for each in ("non-CO2 GHG", "GHG excluding CO2", "氢氟碳化物", "四氯化碳", "carbon tetrachloride", "PM2_5", "hydrofluorocarbons", "六氟化硫")),
    ],
)  # fmt: skip
def test_equivalents_compounds_and_what_is_left_out_are_told_apart(said, substance):
    """Seen to fail: CO2 equivalents were CO2 where "as" stood before them, GHG without CO2 was CO2, compounds of carbon were carbon, CO that was worked out from CO2 could be taken as CO2, CO2 without that of biomass was none, and so were greenhouse gases in a list with others and CO2 by a ratio to CO."""
    assert _read(said).substance == substance


@pytest.mark.parametrize("said", ["CO2_bio_excl_fossil", "non-energy biofuel CO2", "CO2_bio"])
def test_biomass_is_told_whatever_else_is_left_out(said):
    """Seen to fail: of what excludes fossil fuels the biomass was taken for excluded."""
    assert _read(said).biogenic


def test_attributes_of_several_numbers_say_nothing():
    """Seen to end in a ValueError: the truth of an array."""
    several = {"units": "kg CO2 m-2 s-1", "species": np.array([1, 2]), "month": np.arange(1, 13)}
    assert unit_of(several, None, "a.nc")[0] == read_unit("kg CO2 m-2 s-1")


def test_a_list_of_the_gases_of_a_file_says_of_none():
    assert read(RATE | {"species": "CO2, CH4 and CO"}, "kg CO2 m-2 s-1")[1] == []
    with pytest.raises(InputError, match="says of what"):
        read(RATE | {"species": "CO2, CH4 and CO"})


@pytest.mark.parametrize(
    "text",
    ["various", "total", "fossil", "carbon emissions", "碳排放", "CO2 [carbon]", "GHG, PM"],
)
def test_what_names_no_substance_leaves_it_to_the_unit_that_is_named(text):
    """Seen to fail: whatever was not known counted as another gas, and no unit that was named was a way out."""
    for gas in ("CO2", "C"):
        unit, [warning] = read(RATE | {"species": text}, f"kg {gas} m-2 s-1")
        assert unit.substance == gas
        assert f"{text!r}, which names no substance that is read" in warning
    assert read({"units": "kg CO2 m-2 s-1", "species": text})[1] == []
    with pytest.raises(InputError, match="says of what"):
        read(RATE | {"species": text})


def test_what_a_raster_says_of_itself_comes_before_what_its_file_says():
    """Seen to fail: a file's species of all its variables refused one whose own units are of CO2."""
    own = {"units": "kg CO2 m-2 s-1"}
    assert unit_of(own, None, "a.nc", {"species": "various"})[1] == []
    unit, [(problem, zh)] = unit_of(own, None, "a.nc", {"species": "NOx"})
    assert unit.gas == "CO2"
    assert "of the file species is 'NOx'" in problem.what
    assert "NOx" in zh
    with pytest.raises(InputError, match="species = 'NOx'"):
        unit_of(RATE, "kg CO2 m-2 s-1", "a.nc", {"species": "NOx"})
    assert unit_of(RATE, None, "a.nc", {"species": "CO2 (biogenic)"})[0].biogenic


@pytest.mark.parametrize(
    "said",
    [
        {"substance": "CO"},
        {"substance": "no"},
        {"substance": "NOx"},
        {"substance": "PM2.5"},
        {"species": "ch4", "substance": ""},
        {"gas": "black carbon"},
        {"species": "CH4, N2O"},
        {"standard_name": FLUX.format("methane")},
        {"substance": "CO2", "standard_name": FLUX.format("nox_expressed_as_nitrogen_monoxide")},
        {"standard_name": FLUX.format("nmvoc_expressed_as_carbon")},
    ],
)
def test_another_substance_is_never_read_as_co2(said):
    """Seen to fail: with a unit that was named CO, CO2 of biomass, NOx and PM2.5 were CO2."""
    for named in ("kg CO2 m-2 s-1", "kg C m-2 s-1", "kg CO2e m-2 s-1"):
        with pytest.raises(InputError, match=r"a\.nc: the raster says \w+ = .* none of CO2e, CO2 and C"):  # fmt: skip
            read(RATE | said, named)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"units": "Tonnes", "substance": "CO2bio"}, "CO2 of biomass"),
        ({"units": "Tonnes", "substance": "CO2_org_short-cycle_C"}, "CO2 of biomass"),
        ({"units": "ton CO2/yr"}, "'ton CO2/yr', which are not read, where a ton is 1000 kg or a short ton"),
        ({"units": "count"}, "which are not read: what --unit says is taken, t CO2 yr-1"),
        ({"units": "kt/yr W/O LULUCF"}, "which are not read"),
        ({"units": "t CO2 yr-1, CO and CH4 excluded"}, "which are not read"),
        ({"substance": "CO2, biogenic"}, "CO2 of biomass"),
        ({"substance": "biogenic and fossil CO2"}, "CO2 of biomass"),
        ({"standard_name": FLUX.format("carbon_dioxide") + "_from_biofuel"}, "CO2 of biomass"),
    ],
)  # fmt: skip
def test_what_is_taken_in_spite_of_what_the_raster_says_is_told(said, told):
    """Seen to fail: units that are not understood vanished behind the one that was named, and biomass beside a comma or in a standard_name behind CO2."""
    unit, warnings = read(said, "t CO2 yr-1")
    assert unit.gas == "CO2"
    [warning] = warnings
    assert told in warning


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("kg CO2 m-2 s-1", {"substance": "C"}),
        ("kg CO2 m-2 s-1", {"standard_name": FLUX.format("carbon_dioxide_expressed_as_carbon")}),
        ("t C yr-1", {"species": "C, as CO2"}),
        ("t C yr-1", {"gas": "GHG"}),
        ("t CO2e yr-1", {"pollutant": "CO2 as C"}),
    ],
)
def test_carbon_and_carbon_dioxide_contradict_each_other_until_a_unit_is_named(units, said):
    """Seen to fail: what the units said was taken, at 44/12 or 12/44 of what the attribute said, without a word."""
    told = {"units": units, **said}
    with pytest.raises(InputError, match=r"a\.nc: the raster's units are of .* one is 44/12 of the other\. .*--unit"):  # fmt: skip
        read(told)
    unit, [warning] = read(told, units)
    assert unit == read_unit(units)
    assert "what the units say is taken" in warning
    # What the file says of all its variables decides nothing.
    [(problem, _)] = unit_of({"units": units}, None, "a.nc", said)[1]
    assert problem.level == "warning"


def test_carbon_dioxide_that_another_attribute_tells_as_carbon_is_carbon():
    """Seen to fail: the first attribute decided, 44/12 off in silence, and the unit that is right was refused."""
    as_carbon = FLUX.format("carbon_dioxide_expressed_as_carbon")
    for told in ({"species": "CO2", "standard_name": as_carbon}, {"substance": "CO2 as C", "gas": "CO2"}):  # fmt: skip
        for named in (None, "kg C m-2 s-1"):
            unit, remarks = read({"units": "kg m-2 s-1", **told}, named)
            assert (unit, remarks) == (read_unit("kg C m-2 s-1"), [])


def test_carbon_beside_carbon_dioxide_is_refused_until_a_unit_names_one():
    """Seen to fail: the first attribute decided, 44/12 off in silence, and the unit that names the other one was refused."""
    for told in ({"substance": "CO2", "gas": "C"}, {"gas": "Carbon", "pollutant": "GHG"}):
        with pytest.raises(InputError, match=r"a\.nc: the raster says .* and .*: one is 44/12 of the other.*--unit"):  # fmt: skip
            read(RATE | told)
        assert read(RATE | told, "kg C m-2 s-1")[0] == read_unit("kg C m-2 s-1")
    unit, [warning] = read(RATE | {"substance": "CO2", "gas": "C"}, "kg CO2 m-2 s-1")
    assert unit.substance == "CO2"
    assert "gas is 'C', which is of C, and what is taken is CO2" in warning
    with pytest.raises(InputError, match="one is 44/12 of the other"):
        read(RATE | {"substance": "CO2", "gas": "C"}, "kg CO2e m-2 s-1")
    # Units that say it need no other word.
    assert read({"units": "kg C m-2 s-1", "substance": "CO2", "gas": "C"})[0].substance == "C"


def test_carbon_of_the_file_beside_carbon_dioxide_of_the_raster_is_told():
    """Seen to go without a word, and to refuse the unit that the file says."""
    as_carbon = {"standard_name": FLUX.format("carbon_dioxide_expressed_as_carbon")}
    for named in (None, "kg CO2 m-2 s-1"):
        unit, [(problem, zh)] = unit_of(RATE | {"gas": "CO2"}, named, "a.nc", as_carbon)
        assert unit.substance == "CO2"
        assert "of the file standard_name is" in problem.what
        assert "which is of C, and what is taken is CO2" in problem.what
        assert "44/12" in zh
    for own, of_file in (({"gas": "CO2"}, as_carbon), ({}, {"gas": "CO2", **as_carbon})):
        assert unit_of(RATE | own, "kg C m-2 s-1", "a.nc", of_file) == (read_unit("kg C m-2 s-1"), [])  # fmt: skip
    assert unit_of(RATE, None, "a.nc", {"gas": "CO2", **as_carbon})[0].substance == "C"
    # The carbon of CO2 is no contradiction.
    assert unit_of(RATE | {"species": "C"}, None, "a.nc", {"gas": "CO2"})[1] == []


def test_units_and_attributes_of_other_gases_are_told():
    """Seen to fail: all three went without a word."""
    for text in ("GHG", "GWP_100_AR5_GHG"):
        unit, [warning] = read({"units": "t CO2 yr-1", "substance": text})
        assert unit.gas == "CO2"
        assert "which is of CO2e: what the units say is taken" in warning
    assert "if that is CO2 alone" in read({"units": "t CO2e yr-1", "gas": "CO2"})[1][0]
    # As ODIAC and FFDAS have it: CO2, told as the mass of its carbon.
    [(note, zh)] = unit_of({"units": "gC/m2/d", "species": "CO2"}, None, "a.nc")[1]
    assert note.level == "note"
    assert "mass of its carbon" in note.what
    assert "碳" in zh


@pytest.mark.parametrize(
    ("told", "variable", "named"),
    [
        ({"units": "kg m-2 s-1", "long_name": "CH4 emissions"}, "sum", "kg CO2 m-2 s-1"),
        ({"units": "kg m-2 s-1", "long_name": "CH4 emissions"}, "CH4_em_anthro", "kg CO2 m-2 s-1"),
        *(
            ({"units": "t"}, each, "t CO2 yr-1")
            for each in ("CO", "CO_2015", "2015-CO", "CO 201507")
        ),
        ({"units": "kg m-2 s-1", "long_name": "CO"}, "flux", "kg CO2 m-2 s-1"),
        ({"units": "kg CO2 m-2 s-1"}, "emi_co", None),
        ({"units": "t CO2 yr-1"}, "CO_em_anthro", None),  # CEDS
        ({"units": "t CO2 yr-1", "long_name": "Emissions of PM"}, "z", None),
        ({"units": "t CO2 yr-1", "long_name": "CO排放"}, "z", None),
        ({"units": "t C yr-1", "long_name": "CO emissions from CO2 ratio"}, "z", None),
        ({"units": "kg yr-1"}, "co2_bf", "kg CO2 yr-1"),
        ({"units": "t CO2 yr-1", "long_name": "CO2 flux, expressed as carbon"}, "z", None),
    ],
)
def test_names_of_another_substance_are_told(told, variable, named):
    """Seen to fail: a file of methane or of CO was CO2 once a unit was named, and nothing was said; then one that was called CO alone, and one with its year."""
    _, remarks = unit_of(told, named, "a.nc", variable=variable)
    [(problem, zh)] = remarks
    assert problem.level == "warning"
    assert ("变量名" in zh) is ("the name of the variable" in problem.what)


@pytest.mark.parametrize(
    ("long_name", "variable"),
    [
        ("CO2 emissions", "emissions"),
        ("CO2 emissions", "no"),
        ("Total", "CO2_em_anthro"),
        ("1.A.1.bc Other energy industries", "z"),
        ("2.B.1 Ammonia production", "z"),
        ("合成氨生产", "z"),
        ("Emissions, EC-JRC/PBL", "z"),
        ("Emissions without biofuels", "carbon_emissions"),
        ("Emissions excl. CO2 of biomass", "z"),
        ("NOx", "no2"),  # beside a substance that is said
        *(("Road transport", each) for each in ("no", "pm", "ec")),
        ("Emissions in CO (Colorado)", "z"),
        ("CO", "CO_2015"),  # of a state, as units of CO2 say
        ("Emissions, EC regulation", "z"),
        ("Emissions, no biofuels", "z"),
    ],
)
def test_names_that_say_nothing_else_go_without_a_word(long_name, variable):
    """Seen to fail: codes of two letters, which are times, places and regulations as well, were other gases wherever they stood."""
    told = {"units": "t CO2 yr-1", "long_name": long_name}
    told |= {"substance": "CO2"} if variable == "no2" else {}
    assert unit_of(told, None, "a.nc", variable=variable)[1] == []
    for each in ("co", "CO2_2015", "co2015", "CO2015", "CO_2", "CO_2_2015", "CO_2015_OSM"):
        assert unit_of({"units": "t"}, "t CO2 yr-1", "a.nc", variable=each)[1] == []


def test_one_gas_in_co2e_and_other_horizons_are_told():
    assert "that alone" in read({"units": "kt CO2e yr-1", "gas": "CH4"})[1][0]
    assert "AR6 over 20 years" in read({"units": "t yr-1", "substance": "GWP_20_AR6_GHG"})[1][0]
    assert "these gases alone" in read({"units": "t yr-1", "substance": "GWP_100_AR5_F-gases"})[1][0]  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "named", "told"),
    [
        ({}, None, "how much one is .*, of what .*, in which time"),
        ({"units": "Tonnes", "substance": "CO2"}, None, "says in which time"),
        ({"units": "kg m-2 s-1"}, None, "says of what"),
        ({"units": "count"}, None, "its units are 'count'"),
        ({"units": "t yr-1"}, "t", "says of what"),
        ({"units": "kg m-2 s-1", "substance": "CO2"}, "t CO2 yr-1", "another mass"),
        ({"units": "kg m-2 s-1", "substance": "CO2"}, "kg CO2 s-1", "another area"),
        ({"units": "kg m-2 s-1", "substance": "CO2"}, "kg CO2 m-2 yr-1", "another time"),
        ({"units": "kg m-2 s-1", "substance": "CO2"}, "kg C m-2 s-1", "another substance"),
        ({"units": "kg m-2 s-1", "substance": "CH4"}, "kg CO2 m-2 s-1", "GWP"),
        ({"units": "kg CH4 m-2 s-1"}, "kg CO2 m-2 s-1", "GWP"),
        ({"units": "kg m-2 h-1"}, "kg CO2 m-2 s-1", "another time"),
        ({"units": "kg/m2/week"}, "kg CO2 m-2 s-1", "per minute or week"),
        ({"units": "kgOC/m2/s"}, "kg CO2 m-2 s-1", "another substance than"),
        ({"units": "tCH4/yr"}, "t CO2 yr-1", "another substance than|GWP"),
        ({"units": "kgCO m-2 s-1"}, "kg CO2 m-2 s-1", "another substance than"),
        ({"units": "tPM25/yr"}, "t CO2 yr-1", "another substance than"),
        ({"units": "tNO/yr"}, "t CO2 yr-1", "another substance than"),
        ({"units": "kg N m-2 s-1"}, "kg CO2 m-2 s-1", "another substance than"),
        ({"units": "kg S yr-1"}, "kg CO2 yr-1", "another substance than"),
        (
            {
                "units": "kg m-2 s-1",
                "species": "CO2",
                "standard_name": FLUX.format("carbon_dioxide_expressed_as_carbon"),
            },
            "kg CO2 m-2 s-1",
            "says 1000 g C .* another substance",
        ),
        ({"units": "t C / 1km"}, "t CO2 month-1", "the raster says C, .* another substance"),
        ({"units": "t C / 1km"}, None, r"how much one is .*its units are 't C / 1km'.*--unit"),
        ({"units": "kg m-2 s-1", "pollutant": "CH4"}, "kg CO2 m-2 s-1", "GWP"),
        ({"units": "umol m-2 s-1"}, "kg CO2 m-2 s-1", "molecules, no mass"),
        ({"units": "molec. cm-2 s-1"}, "kg CO2 m-2 s-1", "molecules, no mass"),
        ({"units": "nW cm-2 sr-1"}, "t CO2 yr-1", "light or power"),
        ({"units": "W m-2"}, "t CO2 yr-1", "light or power"),
        ({"units": "TJ yr-1"}, "t CO2 yr-1", "energy, no mass"),
        ({"substance": "CO2 as C"}, "t CO2 yr-1", "another substance"),
        ({"units": "kg NOx m-2 s-1"}, "kg CO2 m-2 s-1", "another substance"),
        ({"units": "Tonnes", "substance": "GWP_100_AR5_GHG"}, "t CO2 yr-1", "another substance"),
        ({}, "t CO2 yr-1 day-1", "several areas or times"),
        ({}, "kg CO2 m-2 km-2 s-1", "several areas or times"),
        ({}, "kg CO2 m-2 s-1 per cell", "several areas or times"),
        ({}, "degC", r"a\.nc: the unit 'degC' is not a unit of mass.*--unit"),
        ({}, "kg CO2/(m2 s", r"a\.nc: .*--unit"),
        (
            {},
            "ton C/cell/month",
            r"a\.nc: .*'ton C/cell/month' says ton.*short ton.*Write t or tonnes",
        ),
        (
            {"units": "tons C"},
            None,
            r"a\.nc: .*its units are 'tons C, where a ton is 1000 kg or a short ton",
        ),
    ],
)
def test_what_is_not_said_or_contradicts_is_refused(attributes, named, told):
    """Seen to fail: kg in an hour were kg in a second, molecules and light were tonnes, kgOC and kgCO kg of CO2, and t C / 1km t of CO2, once a unit was named."""
    with pytest.raises(InputError, match=told):
        unit_of(attributes, named, "a.nc")


@pytest.mark.parametrize(
    ("number", "units", "calendar", "day"),
    [
        (59, "days since 2020-01-01", "noleap", (2020, 3, 1)),
        (365 * 24 - 1, "hours since 2015-01-01", "365_day", (2015, 12, 31)),
        (-1, "days since 2016-03-01", "all_leap", (2016, 2, 29)),
        (59, "days since 2020-01-01", "360_day", (2020, 2, 30)),
        (1.5, "months since 2020-12-01", "", (2021, 1, 0)),
        (0, "years since 2015-01-01", "", (2015, 1, 1)),
        (0.5, "years since 2015-01-01", "", (2015, 7, 1)),
        (15, "days since 2020-01-20T00:00:00", "noleap", (2020, 2, 4)),
        (15, "hours since 2020-01-31T12:00Z", "noleap", (2020, 1, 31)),
        (20190131.0, "day as %Y%m%d.%f", "", (2019, 1, 31)),
        (59, "days since 2020-01-01", "julian", None),
        (1e9, "days since 2020-01-01", "noleap", None),
        (59, "m", "", None),
        (202007, "month as %Y%m", "", (2020, 7, 0)),
        (202013, "month as %Y%m", "", None),
        (20200031, "day as %Y%m%d", "", None),
        (59, "days since 0000-01-01", "noleap", None),  # a mean of many years
    ],
)
def test_days_of_numbers(number, units, calendar, day):
    """Seen to fail: without cftime, times of the calendars of climate models and of CDO were no times."""
    found = days_of(np.array([number]), {"units": units, "calendar": calendar})
    assert found == (None if day is None else [day])


@given(some.integers(0, 5000), some.floats(0, 0.999))
def test_hours_minutes_and_seconds_are_parts_of_days(day, part):
    """Seen to pass with an hour for a day of seconds: only days and hours were tried."""
    calendar = {"calendar": "noleap"}
    expected = days_of(np.array([day]), {"units": "days since 2015-03-01", **calendar})
    for step, length in (("day", 1), ("hour", 24), ("minute", 24 * 60), ("second", 24 * 3600)):
        units = {"units": f"{step}s since 2015-03-01", **calendar}
        assert days_of(np.array([(day + part) * length]), units) == expected, step


@pytest.mark.parametrize(("calendar", "february"), [("noleap", 28), ("366_day", 29), ("360_day", 30)])  # fmt: skip
def test_days_of_a_calendar_follow_each_other(calendar, february):
    lengths = [30] * 12 if february == 30 else [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]  # fmt: skip
    every = [(year, month, day) for year in (2015, 2016) for month, days in enumerate(lengths, 1) for day in range(1, days + 1)]  # fmt: skip
    numbers = np.arange(len(every))
    assert days_of(numbers, {"units": "days since 2015-01-01", "calendar": calendar}) == every


DATES = some.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))


@given(DATES, some.integers(0, 800))
def test_the_middle_of_two_days_is_halfway(begin, length):
    end = begin + dt.timedelta(days=length)
    both = [(each.year, each.month, each.day) for each in (begin, end)]
    middle, days = middle_of(*both)
    assert days == length
    assert dt.date(*middle) == begin + dt.timedelta(days=length // 2)


def test_the_middle_of_days_that_the_usual_calendar_has_not():
    assert middle_of((2020, 1, 0), (2020, 2, 0)) == ((2020, 1, 16), 31)
    assert middle_of((2019, 2, 30), (2019, 2, 30)) == ((2019, 3, 2), 0)


def test_times_that_are_missing_are_none():
    assert days_of(np.array(["2020-01-31", "NaT"], "datetime64[ns]"), {}) is None
    assert days_of(np.array([1.0, np.nan]), {"units": "days since 2020-01-01"}) is None


def test_texts_are_dates_only_as_iso_writes_them():
    """Seen to be refused: stores without dates have them as texts."""
    assert days_of(np.array(["2020-01", "2020-02-29T12"]), {}) == [(2020, 1, 0), (2020, 2, 29)]
    assert days_of(np.array(["2020-01-31"], object), {}) == [(2020, 1, 31)]
    for other in (["road", "air"], ["2020-13"], ["2020-01", "2020"], ["01"]):
        assert days_of(np.array(other), {}) is None


@pytest.mark.parametrize("year", [2019, 2020])
def test_months_and_seconds_make_the_year(year):
    whole = dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)
    assert sum(periods_in("day", year, month) for month in range(1, 13)) == whole.days
    assert sum(periods_in("second", year, month) for month in range(1, 13)) == whole.total_seconds()
    assert periods_in("second", year, None) == whole.total_seconds()
    assert periods_in("hour", year, None) == 24 * whole.days
    assert periods_in("year", year, None) == 1


def test_twelve_layers_of_two_years_are_no_year():
    """Seen to fail: files of twelve months each, of 2019 and of 2020, were added up, and the run was half of what was published."""
    months = tuple(range(1, 13))
    first, second = (Layered(f"{year}.nc", 12, Dates((year,), months)) for year in (2019, 2020))
    with pytest.raises(InputError, match=r"dated 2019, 2020, and would be added up as of one year"):
        require_one_year("industry", [first, second])
    require_one_year("industry", [first, Layered("more.nc", 12, Dates((2019,), months))])
    require_one_year("industry", [first, Layered("undated.nc", 12, Dates(months=months))])
    # A raster that has its year alone, beside one that is dated.
    whole = [Layered("a.nc", 0, Dates((2019,))), Layered("b.nc", 0, Dates((2020,), (7,)))]
    with pytest.raises(InputError, match=r"dated 2019, 2020-07, and would"):
        require_one_year("industry", whole)


def test_a_year_by_its_bounds_stands_beside_one_by_its_date():
    """Seen to be refused as dated 2020-01 and 2020-07."""
    annual = [Layered("a.nc", 0, Dates((2020,))), Layered("b.nc", 0, Dates((2020,), (1,)))]
    require_one_year("industry", annual)


def test_twelve_dates_of_a_year_are_its_months():
    """Seen to fail: twelve files with a date each, as CAMS and others give them, were years that contradict each other."""
    every = [Dates((2020,), (month,), by_date=True) for month in (*range(7, 13), *range(1, 7))]
    assert told_apart_by_dates(every)
    assert told_apart_by_dates([Dates((2020,), number=month) for month in range(1, 13)])
    next_year = Dates((2021,), (1,), by_date=True)
    of_a_day = every[0]._replace(by_date=False)  # by its bounds
    for wrong in (every[:11], [*every[:11], every[0]], [*every, every[0]], [*every[:11], next_year], [of_a_day, *every[1:]], [*every, Dates((2020,))], [], [Dates()] * 12):  # fmt: skip
        assert not told_apart_by_dates(wrong)


def test_numbers_are_dates_only_where_they_are_written_so():
    assert units_as_written(np.arange(202001, 202013)) == "month as %Y%m"
    assert units_as_written(np.array([20200131.0])) == "day as %Y%m%d"
    for other in (np.arange(12), np.array([2020]), np.array([43_829]), np.array([np.nan]), np.array(["202001"])):  # fmt: skip
        assert units_as_written(other) == ""


def test_numbered_months_without_a_year_are_twelve_and_none_twice():
    every = [Layered(f"{month}.nc", 1, Dates((), (month,), of_a_month=True)) for month in range(1, 13)]  # fmt: skip
    require_one_year("industry", every)
    with pytest.raises(InputError, match="month 1 twice"):
        require_one_year("industry", [*every[:11], every[0]])
    with pytest.raises(InputError, match=r"1 month in 1 raster, .*7\.nc says that it is of month 7 alone"):  # fmt: skip
        require_one_year("industry", every[6:7])
