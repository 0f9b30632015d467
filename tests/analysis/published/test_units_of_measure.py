"""What a value of a published raster is: every spelling of one unit is the same, and what is not said is refused."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from carbongrid.analysis.published.months import Dates, Layered, require_one_year
from carbongrid.analysis.published.units_of_measure import periods_in, read_unit, unit_of
from carbongrid.errors import InputError

MASSES = {"g": 1, "kg": 1000, "t": 10**6, "kt": 10**9, "Gg": 10**9}
SUBSTANCES = {"CO2": 1, "CO2e": 1, "C": Fraction(44, 12)}
AREAS = {"": None, "m": 1, "km": 10**6, "ha": 10**4}
PERIODS = {"second": ["s"], "day": ["d", "day"], "month": ["month"], "year": ["yr", "a", "year"]}


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
    ],
)
def test_published_spellings(text, same):
    assert read_unit(text) == read_unit(same)


def test_what_the_attributes_say_needs_no_name():
    named = unit_of({"units": "kg m-2 s-1", "substance": "CO2"}, None, "a.nc")
    assert named == read_unit("kg CO2 m-2 s-1")
    flux = "tendency_of_atmosphere_mass_content_of_carbon_dioxide{}_due_to_emission"
    assert unit_of({"units": "kg m-2 s-1", "standard_name": flux.format("")}, None, "").gas == "CO2"
    carbon = {"units": "kg m-2 s-1", "standard_name": flux.format("_expressed_as_carbon")}
    assert unit_of(carbon, None, "").substance == "C"
    assert unit_of({"units": "Tonnes"}, "t CO2 yr-1", "") == read_unit("t CO2 yr-1")
    assert unit_of({"units": "1"}, "t CO2 yr-1", "") == read_unit("t CO2 yr-1")
    assert unit_of({}, "t C month-1", "").grams_of_co2 == Fraction(44 * 10**6, 12)


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
        ({}, "t CO2 yr-1 day-1", "several areas or times"),
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
    with pytest.raises(InputError, match=told):
        unit_of(attributes, named, "a.nc")


@pytest.mark.parametrize("year", [2019, 2020])
def test_months_and_seconds_make_the_year(year):
    whole = dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)
    assert sum(periods_in("day", year, month) for month in range(1, 13)) == whole.days
    assert sum(periods_in("second", year, month) for month in range(1, 13)) == whole.total_seconds()
    assert periods_in("second", year, None) == whole.total_seconds()
    assert periods_in("year", year, None) == 1


def test_twelve_layers_of_two_years_are_no_year():
    """Seen to fail: files of twelve months each, of 2019 and of 2020, were added up, and the run was half of what was published."""
    months = tuple(range(1, 13))
    first, second = (Layered(f"{year}.nc", 12, Dates((year,), months)) for year in (2019, 2020))
    with pytest.raises(InputError, match=r"dated 2019, 2020, and would be added up as of one year"):
        require_one_year("industry", [first, second])
    require_one_year("industry", [first, Layered("more.nc", 12, Dates((2019,), months))])
    require_one_year("industry", [first, Layered("undated.nc", 12, Dates(months=months))])
