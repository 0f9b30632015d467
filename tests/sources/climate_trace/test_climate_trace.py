"""Tables as Climate TRACE publishes them become facilities: every tonne is in one, or told as left out."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from climate_trace_files import NEW, OF_2022, OF_2023, published, row
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from squares_case import CRS, square, squares_case

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.inventory.factors.gwp import gwp_of
from carbongrid.method.categories import read_categories
from carbongrid.sources.climate_trace import (
    READINGS,
    SUBSECTORS,
    digits,
    facilities_of,
    read_published,
    write_facilities,
)

LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def months(number: object = 1, gas: str = "co2", tonnes: object = 1, *, of: range = range(1, 13), **more: object) -> list[dict[str, object]]:  # fmt: skip
    """Months of 2023, each of so many tonnes."""
    return [
        row(
            number,
            gas,
            tonnes,
            start=f"2023-{month:02}-01 00:00:00",
            end=f"2023-{month:02}-{LENGTHS[month - 1]} 00:00:00",
            every="month",
            **more,
        )
        for month in of
    ]


def made(folder: Path, rows: list[dict[str, object]], header: tuple[str, ...] = NEW, **options: Any):  # fmt: skip
    read = read_published([published(folder / "a_emissions_sources_v5_3_0.csv", rows, header)], year=2023)  # fmt: skip
    return read, facilities_of(read, **options)


def told(facilities: Any) -> str:
    return "\n".join(f"{note.level}: {note}" for note in facilities.notes)


def left(facilities: Any) -> dict[tuple[str, str, str], Fraction]:
    frame = facilities.left_out
    keys = zip(frame["reason"], frame["subsector"], frame["gas"], strict=True)
    return dict(zip(keys, frame["tonnes"], strict=True))


def left_by_gas(facilities: Any) -> Mapping[str, Fraction]:
    found: dict[str, Fraction] = defaultdict(Fraction)
    for (_, _, gas), tonnes in left(facilities).items():
        found[gas] += tonnes
    return found


# Every tonne is somewhere.

TONNES = st.one_of(
    st.sampled_from(["", "0", "N/A", "1e-9", "-3.25", "0.1", "0.2"]),
    st.floats(1e-6, 1e9, allow_nan=False).map(repr),
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["co2", "ch4", "n2o", "co2e_100yr", "co2e_20yr", "nox"]),
        st.sampled_from([*SUBSECTORS, "unheard-of"]),
        st.sampled_from(["", "NULL", "gadm_CHN.1_1", "ghs-fua_12"]),
        st.sampled_from(
            [("120.5", "31.5"), ("", ""), ("0", "95"), ("0", "0.0"), ("-70.25", "1e-3")]
        ),
        st.integers(1, 12),
        TONNES,
        st.booleans(),
    ),
    max_size=30,
)


def as_a_loop(path: Path) -> dict[str, Fraction]:
    """Tonnes of a file by gas, row by row, whatever becomes of them."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    with path.open(encoding="utf-8", newline="") as stream:
        for cells in csv.DictReader(stream):
            text = cells["emissions_quantity"]
            sums[cells["gas"]] += Fraction(text) if text not in ("", "N/A") else 0
    return sums


@settings(max_examples=40)
@given(
    ROWS,
    st.sampled_from([NEW, OF_2023, OF_2022]),
    st.sampled_from([None, *READINGS]),
    st.sampled_from(["AR4", "AR5", "AR6"]),
)
def test_every_tonne_is_written_or_told(tmp_path_factory, drawn, header, by, gwp) -> None:
    """By gas and exactly, in any release; values are grams of what is written, by the weights of the GWP set."""
    folder = tmp_path_factory.mktemp("drawn")
    seen: dict[Any, str] = {}
    rows = months(99, "co2e_100yr", "7.5") + months(99, "co2", "2.5")
    for number, gas, subsector, boundary, (x, y), month, tonnes, again in drawn:
        key = number, gas, subsector, month
        tonnes = seen.setdefault(key, tonnes)  # two quantities of one month are an error
        more = {"subsector": subsector, "boundary": boundary, "x": x, "y": y}
        rows += months(number, gas, tonnes, of=range(month, month + 1), **more) * (1 + again)
    read, facilities = made(folder, rows, header, by=by, gwp=gwp)
    expected = as_a_loop(folder / "a_emissions_sources_v5_3_0.csv")
    out = left_by_gas(facilities)
    for gas in expected.keys() | read.read.keys() | out.keys():
        assert read.read[gas] == expected[gas]
        assert facilities.written.get(gas, 0) + out[gas] == expected[gas]
    grams = sum(Fraction(value) for value in facilities.table["value"])
    weighed = Fraction(0)
    by_id = {(each.number, each.subsector): each for each in read.sources}
    counted = {"co2": "CO2", "ch4": "CH4", "n2o": "N2O"}
    for number, subsector in facilities.table[["source_id", "subsector"]].itertuples(index=False):
        weights = gwp_of(gwp, fossil=SUBSECTORS[subsector].fossil)
        for gas in facilities.written:
            tonnes = by_id[number, subsector].tonnes(gas) or 0
            weighed += tonnes * (weights[counted[gas]] if gas in counted else 1)
    assert grams == weighed + facilities.rounded
    assert abs(facilities.rounded) <= Fraction(len(facilities.table), 2 * 10**6)
    assert not facilities.table.duplicated(["name", "category"]).any()


def test_no_gas_is_counted_beside_its_co2e(tmp_path) -> None:
    rows = [row(1, gas, 100) for gas in ("co2", "ch4", "n2o", "co2e_100yr", "co2e_20yr")]
    _, by_gases = made(tmp_path, rows)
    assert Fraction(by_gases.table["value"][0]) == 100 * (1 + 28 + 265)
    assert by_gases.table["unit"][0] == "t CO2e"
    assert set(by_gases.written) == {"co2", "ch4", "n2o"}
    _, as_published = made(tmp_path, rows, by="co2e")
    assert Fraction(as_published.table["value"][0]) == 100
    assert "AR6 over 100 years" in told(as_published)
    assert left(as_published)["told again", "electricity-generation", "ch4"] == 100
    _, two = made(tmp_path, rows[1:])  # without CO2 the gases are not whole, and CO2e is
    assert set(two.written) == {"co2e_100yr"}


def test_co2_alone_is_co2_and_said(tmp_path) -> None:
    _, facilities = made(tmp_path, [row(1, "co2", 5)])
    assert facilities.table["unit"][0] == "t CO2"
    assert "warning: no file holds CH4 or N2O" in told(facilities)
    with pytest.raises(InputError, match="hold no co2e_100yr, but co2"):
        made(tmp_path, [row(1, "co2", 5)], by="co2e")


def test_a_source_told_of_by_co2e_alone_is_told_where_gases_count(tmp_path) -> None:
    rows = [row(1, gas, 1) for gas in ("co2", "ch4", "n2o")] + [row(2, "co2e_100yr", 40)]
    _, facilities = made(tmp_path, rows)
    assert len(facilities.table) == 1
    assert left(facilities)["told in another way only", "electricity-generation", "co2e_100yr"] == 40  # fmt: skip
    assert "1 source is told of in a way that is not counted here, 40.0 t CO2e" in told(facilities)  # fmt: skip


def test_a_sum_of_the_publisher_that_its_gases_do_not_make_is_told(tmp_path) -> None:
    """Seen to fail: a source of 5,000 t of CO2e, of which CO2 had no quantity, was 28 t without a word of it."""
    rows = [
        *(row(1, gas, tonnes, name="Whole") for gas, tonnes in (("co2", 900), ("ch4", 3), ("n2o", 0), ("co2e_100yr", 1000))),
        *(row(2, gas, tonnes, name="Part") for gas, tonnes in (("ch4", 1), ("co2e_100yr", 5000))),
    ]  # fmt: skip
    for gwp in ("AR4", "AR5", "AR6"):  # the sum is held against gases by the publisher's own
        _, facilities = made(tmp_path, rows, gwp=gwp)
        [said] = [note for note in facilities.notes if "by their gases" in note.what]
        assert said.level == "warning"
        assert "1 of 2 facilities has 5,000.0 t of co2e_100yr" in said.what
        assert "Part" in said.what
        assert "Whole" not in said.what
    assert "by their gases" not in told(made(tmp_path, rows, by="co2e")[1])


@pytest.mark.parametrize(("sum_of_it", "is_told"), [(10, True), (100, True), (279, False), (300, False)])  # fmt: skip
def test_a_sum_of_the_publisher_below_its_methane_is_told(tmp_path, sum_of_it, is_told) -> None:
    """Seen without a word: tonnes of CH4 in the file of CO2e. 10 t of CH4 are 279 t by AR6, or 298 where it is fossil; CO2 may come to it."""
    rows = [row(1, "co2e_100yr", sum_of_it), row(1, "ch4", 10), row(2, "co2e_100yr", 500)]
    _, facilities = made(tmp_path, rows)
    said = [note for note in facilities.notes if "gases alone" in note.what]
    assert [note.level for note in said] == ["warning"] * is_told
    assert all(f"1 of 2 facilities has {sum_of_it:.1f} t of co2e_100yr, and 2" in note.what for note in said)  # fmt: skip


def test_works_under_the_numbers_of_two_releases_are_told(tmp_path) -> None:
    """Seen without a word: works whose masses differ by 1 % counted twice. Fuels, subsectors, places and halves of the year tell works apart."""
    half = {"start": "2023-01-01 00:00:00", "end": "2023-06-30 00:00:00"}
    other = {"start": "2023-07-01 00:00:00", "end": "2023-12-31 00:00:00"}
    rows = [
        *(row(number, "co2", mass, name="Old works") for number, mass in ((1, 1000), (901, 1010))),
        *(row(number, "co2", 500, name="Unknown") for number in (5, 905)),
        *(row(number, "co2", 500, name="Two fuels", type=fuel) for number, fuel in ((2, "coal"), (902, "gas"))),
        *(row(number, "co2", 500, name="Elsewhere", x=x) for number, x in ((3, "120.5"), (903, "120.6"))),
        *(row(number, "co2", 500, name="Renumbered", **when) for number, when in ((4, half), (904, other))),
    ]  # fmt: skip
    _, facilities = made(tmp_path, rows)
    [said] = [note for note in facilities.notes if "agree with another one" in note.what]
    assert said.level == "warning"
    assert said.what == "2 of 10 facilities agree with another one in subsector, type, name and place, and count as well, 1,000.0 t CO2e more than the larger ones alone: Old works (1), Old works (901)"  # fmt: skip


def test_works_of_a_release_by_months_beside_one_by_years_are_told(tmp_path) -> None:
    """Seen without a word: no period of one is a period of the other."""
    halves = [{"start": "2023-01-01 00:00:00", "end": "2023-06-30 00:00:00"}, {"start": "2023-07-01 00:00:00", "end": "2023-12-31 00:00:00"}]  # fmt: skip
    rows = [row(1, "co2", 1000, name="Works"), *(row(901, "co2", 500, name="Works", **half) for half in halves)]  # fmt: skip
    _, facilities = made(tmp_path, rows)
    [said] = [note for note in facilities.notes if "agree with another one" in note.what]
    assert said.what.startswith("2 of 2 facilities")


def test_methane_of_mines_is_fossil_by_ar6(tmp_path) -> None:
    rows = [row(1, "ch4", 1, subsector="coal-mining"), row(2, "ch4", 1, subsector="cement"), row(3, "ch4", 1)]  # fmt: skip
    _, facilities = made(tmp_path, rows, gwp="AR6")
    values = facilities.table.set_index("subsector")["value"].map(Fraction)
    assert values["coal-mining"] == Fraction("29.8")
    assert values["cement"] == Fraction("27.9")
    assert values["electricity-generation"] == 27


# What is no place, or not whole.


def test_what_stands_for_land_is_no_facility(tmp_path) -> None:
    """A road network has coordinates too: the centre of its region."""
    rows = [
        row(1),
        row(2, tonnes=20, subsector="road-transportation", boundary="gadm_CHN.10.2_1"),
        row(
            3,
            tonnes=30,
            subsector="domestic-wastewater-treatment-and-discharge",
            boundary="ghs-fua_9",
        ),
        row(4, tonnes=40, subsector="domestic-wastewater-treatment-and-discharge"),
        row(5, tonnes=50, subsector="pulp-and-paper", boundary="gadm_CHN.10_1"),
        row(6, tonnes=60, subsector="pulp-and-paper"),
    ]
    _, facilities = made(tmp_path, rows)
    assert set(facilities.table["source_id"]) == {"1", "4", "6"}
    assert sum(tonnes for (why, _, _), tonnes in left(facilities).items() if why == "stands for land") == 100  # fmt: skip
    assert "3 sources stand for land or a whole region, and become no facility, 100.0 t CO2e: pulp-and-paper 1 with 50.0 t" in told(facilities)  # fmt: skip
    assert "has no boundary, and counts as a place: Plant 6 (6)" in told(facilities)


def test_without_a_column_of_boundaries_a_warning_says_what_it_decides(tmp_path) -> None:
    """Nothing tells that the mill has no boundary; what has a place by its kind needs no such column."""
    rows = [row(1), row(6, tonnes=60, subsector="pulp-and-paper")]
    _, older = made(tmp_path, rows, OF_2022)
    assert set(older.table["source_id"]) == {"1"}
    assert left(older) == {("no column of boundaries", "pulp-and-paper", "co2"): 60}
    assert "warning: 1 source is of a subsector that is a place only where it has no boundary, and its file has no column geometry_ref, 60.0 t CO2e: pulp-and-paper 1 with 60.0 t" in told(older)  # fmt: skip
    assert "stand for land" not in told(older)
    named = published(tmp_path / "with.csv", rows[1:])
    without = published(tmp_path / "without.csv", [row(6, "ch4", 1, subsector="pulp-and-paper")], OF_2022)  # fmt: skip
    for files in (
        [named, without],
        [without, named],
    ):  # one file that tells is enough, in any order
        assert list(facilities_of(read_published(files)).table["source_id"]) == ["6"]


@pytest.mark.parametrize("nothing", ["NULL", "None", "n/a", " NaN "])
def test_a_text_that_stands_for_nothing_is_blank_in_any_column(tmp_path, nothing) -> None:
    rows = [row(6, tonnes=60, subsector="pulp-and-paper", boundary=nothing, name=nothing, type=nothing)]  # fmt: skip
    read, facilities = made(tmp_path, rows)
    assert list(facilities.table["name"]) == ["pulp-and-paper (6)"]
    assert (read.sources[0].boundary, read.sources[0].kind) == ("", "")
    with pytest.raises(InputError, match="row 3: the source's id, its subsector or the gas is blank"):  # fmt: skip
        made(tmp_path, [*rows, row(nothing)])


@pytest.mark.parametrize("header", [NEW, OF_2022])
def test_nought_nought_is_no_place(tmp_path, header) -> None:
    """Where the equator meets the prime meridian is open sea: zeros stand for what is not known."""
    rows = [row(1), row(2, tonnes=20, x="0", y="-0.0"), row(3, tonnes=30, x="0", y="51.5"), row(4, tonnes=40, x="9.4", y="0")]  # fmt: skip
    _, facilities = made(tmp_path, rows, header)
    assert set(facilities.table["source_id"]) == {"1", "3", "4"}
    assert left(facilities) == {("no coordinates", "electricity-generation", "co2"): 20}
    assert "warning: 1 source has no coordinates on earth, or 0, 0, 20.0 t CO2e" in told(facilities)  # fmt: skip


def test_bunkers_and_the_unknown_are_told_with_tonnes(tmp_path) -> None:
    rows = [
        row(1),
        row(2, tonnes=20, subsector="international-aviation"),
        row(3, tonnes=30, subsector="fusion"),
        row(4, tonnes=0),
        row(5, tonnes="-4"),
        row(6, tonnes="N/A"),
        row(7, tonnes=70, x="", y=""),
        row(8, tonnes=80, subsector="domestic-shipping"),
    ]
    _, facilities = made(tmp_path, rows)
    assert set(facilities.table["source_id"]) == {"1", "8"}
    assert left(facilities) == {
        ("no category", "international-aviation", "co2"): 20,
        ("unknown subsector", "fusion", "co2"): 30,
        ("emits nothing", "electricity-generation", "co2"): 0,
        ("takes up more than it emits", "electricity-generation", "co2"): -4,
        ("no quantity yet", "electricity-generation", "co2"): 0,
        ("no coordinates", "electricity-generation", "co2"): 70,
    }
    assert "carries what was emitted on the way, too: 1 facility of domestic-shipping, 80.0 t" in told(facilities)  # fmt: skip


def test_a_part_of_a_year_is_told_and_not_scaled_up(tmp_path) -> None:
    rows = months(1) + months(2, of=range(1, 10)) + months(3, tonnes="", of=range(1, 7)) + months(3, of=range(7, 13))  # fmt: skip
    _, facilities = made(tmp_path, rows)
    assert dict(zip(facilities.table["source_id"], facilities.table["value"].map(Fraction), strict=True)) == {"1": 12, "2": 9, "3": 6}  # fmt: skip
    assert "2 of 3 facilities, 15.0 t CO2e, have quantities of a part of 2023 only, and are not scaled up: Plant 2 (2) 273 days, Plant 3 (3) 184 days" in told(facilities)  # fmt: skip
    whole = [row(1, end="2024-01-01 00:00:00")]
    assert "part of 2023" not in told(made(tmp_path, whole)[1])


def test_a_month_told_twice_counts_once_and_a_month_in_a_year_is_refused(tmp_path) -> None:
    _, facilities = made(tmp_path, months(1) * 2)
    assert Fraction(facilities.table["value"][0]) == 12
    assert left(facilities)["row repeated", "", "co2"] == 12
    assert "rows say again what another row says, and count once: co2 12 with 12.0 t" in told(facilities)  # fmt: skip
    with pytest.raises(InputError, match="other rows of co2 that share days"):
        made(tmp_path, [*months(1), row(1)])
    with pytest.raises(InputError, match="share days with 2023-01-01 to 2023-12-31"):
        made(tmp_path, [row(1, tonnes=1), row(1, tonnes=2)])


def test_a_period_over_the_turn_of_the_year_is_left_out_with_its_tonnes(tmp_path) -> None:
    over = row(1, tonnes=3, start="2022-12-16", end="2023-01-15")
    read, facilities = made(tmp_path, [*months(1), over, row(1, tonnes=100, start="2022-01-01", end="2022-12-31")])  # fmt: skip
    assert left(facilities) == {("period over the turn of the year", "", "co2"): 3}
    assert read.read["co2"] == 15  # other years are not asked for


def test_rows_that_all_go_over_the_turn_are_told_as_such(tmp_path) -> None:
    """Seen to fail: the files were said to hold no co2 and no quantity at all."""
    over = row(1, tonnes=3, start="2023-07-01", end="2024-06-30")
    with pytest.raises(InputError, match="no row lies within 2023: all 1 that reach into it begin or end in another year"):  # fmt: skip
        made(tmp_path, [over])


def test_only_what_lies_in_a_unit(tmp_path) -> None:
    """Units in metres, sources in degrees; the border counts as inside."""
    to_degrees = Transformer.from_crs(CRS, 4326, always_xy=True).transform
    units = gpd.GeoDataFrame(geometry=[square(0), square(2)], crs=CRS)
    places = [square(each).centroid for each in range(4)]
    rows = []
    for number, place in enumerate(places):
        x, y = to_degrees(place.x, place.y)
        rows.append(row(number, tonnes=number + 1, x=repr(x), y=repr(y)))
    _, facilities = made(tmp_path, rows, within=units)
    assert set(facilities.table["source_id"]) == {"0", "2"}
    assert left(facilities) == {("outside the units", "electricity-generation", "co2"): 2 + 4}
    with pytest.raises(InputError, match="no source of 2023 becomes a facility") as error:
        made(tmp_path, rows[1:2], within=units)
    assert "1 source lies outside the units, 2.0 t CO2e" in str(error.value)


def test_where_nothing_becomes_a_facility_the_likely_cause_is_said(tmp_path) -> None:
    """Units that were given a wrong CRS lie elsewhere, and figures tell; the roads beside the plant are no cause."""
    roads = [row(9, tonnes=5, subsector="road-transportation"), row(8, subsector="road-transportation")]  # fmt: skip
    degrees = gpd.GeoDataFrame(geometry=[shapely.box(20.5, 1, 21.25, 2)], crs=4326)
    plants = [row(1), row(2, x="121.75", y="32")]
    for units in (degrees, degrees.to_crs(3857)):
        with pytest.raises(InputError) as error:
            made(tmp_path, [*plants, *roads], within=units)
        first = error.value.problems[0]
        assert first.what == "no source of 2023 becomes a facility: 2 stand for land or a whole region, and become no facility; 2 lie outside the units"  # fmt: skip
        assert first.hint == "Check the CRS of --within, or give the files of its place: the units lie at longitude 20.500 to 21.250 and latitude 1.000 to 2.000, the sources outside at longitude 120.500 to 121.750 and latitude 31.500 to 32.000."  # fmt: skip
    for rows, hint in (
        (roads, "Give the files of plants, mines, ports and the like"),
        ([row(1, subsector="fusion")], "with a category"),
        ([row(1, x="0", y="0")], "where you know their places"),
        ([row(1, tonnes=0)], "Give the files of another year or gas"),
    ):
        with pytest.raises(InputError) as error:
            made(tmp_path, rows)
        assert hint in error.value.problems[0].hint
        assert "See what became" not in str(error.value)


def test_names_are_told_apart_by_the_publishers_number(tmp_path) -> None:
    rows = [
        row(7, name="Works\nof  two lines"),
        row(8, name="Works of two lines"),
        row(9, name="Farm", subsector="manure-management-cattle-operation"),
        row(9, name="Farm", subsector="enteric-fermentation-cattle-operation"),
        row(10, name=""),
    ]
    _, facilities = made(tmp_path, rows)
    assert sorted(facilities.table["name"]) == [
        "Farm (9, enteric-fermentation-cattle-operation)",
        "Farm (9, manure-management-cattle-operation)",
        "Works of two lines (7)",
        "Works of two lines (8)",
        "electricity-generation (10)",
    ]


def test_a_place_that_changes_is_told(tmp_path) -> None:
    rows = months(1, of=range(1, 7)) + months(1, of=range(7, 13), x="120.75")
    _, facilities = made(tmp_path, rows)
    assert facilities.table["x"][0] == "120.5"
    assert "1 facility changes its place from row to row, and the first counts: Plant 1 (1)" in told(facilities)  # fmt: skip


# Files that are none, or of something else.


def test_tables_beside_them_are_passed_over_and_said(tmp_path) -> None:
    countries = tmp_path / "power_country_emissions_v5.csv"
    countries.write_text("iso3_country,start_time,end_time,gas,sector,subsector,emissions_quantity,emissions_quantity_units\nCHN,2023-01-01,2023-12-31,co2,power,electricity-generation,9,tonnes\n", encoding="utf-8")  # fmt: skip
    sources = published(tmp_path / "power_emissions_sources_v5.csv", [row(1)])
    read = read_published([countries, sources])
    assert read.year == 2023
    assert read.read == {"co2": 10}
    assert "passed over" in told(facilities_of(read))
    assert "power_country_emissions_v5.csv" in told(facilities_of(read))
    with pytest.raises(InputError, match="none of the files holds emissions of sources"):
        read_published([countries])
    with pytest.raises(InputError, match="none of the files holds emissions of sources"):
        read_published([countries], year=2023)


def test_of_several_years_one_is_named(tmp_path) -> None:
    path = published(tmp_path / "a.csv", [row(1), row(1, start="2024-01-01", end="2024-12-31")])
    with pytest.raises(InputError, match=r"the years 2023, 2024, and none is named. Say which: --year 2024"):  # fmt: skip
        read_published([path])
    assert read_published([path], year=2024).rows == 1
    with pytest.raises(InputError, match="no row is of the year 2019"):
        read_published([path], year=2019)


HEAD = "source_id,subsector,gas,start_time,end_time,emissions_quantity,emissions_quantity_units,lat,lon\n"  # fmt: skip
RIGHT = "1,cement,co2,2023-01-01,2023-12-31,5,tonnes,31,120\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + RIGHT.replace(",5,", ",five,"), "a.csv, row 2, column emissions_quantity: expected a finite number, not 'five'"),
        (HEAD + RIGHT.replace("tonnes", "kg"), "row 2, column emissions_quantity_units: the quantity is in 'kg', and only tonnes are read"),
        (HEAD + RIGHT.replace("2023-01-01", "1/1/2023"), "row 2, column start_time: no period goes from '1/1/2023' to '2023-12-31'"),
        (HEAD + RIGHT.replace("2023-12-31", "2022-12-31"), "no period goes from"),
        (HEAD + RIGHT + RIGHT.replace("1,cement", ",cement"), "row 3: the source's id, its subsector or the gas is blank"),
        (HEAD + RIGHT[:30] + "\n", "row 2: there are 5 cells, expected 9 as in the header"),
        (HEAD + RIGHT.replace("31,120", "north,120"), "row 2, column lat: expected a finite number"),
        (HEAD.replace("gas", "substance") + RIGHT, "there is no column gas"),
        (HEAD.replace("gas", "lat") + RIGHT, "the column 'lat' stands twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_row(tmp_path, text, said) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_published([path], year=2023)
    assert said in str(error.value)


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_published([tmp_path / "none.csv"], year=2023)
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(InputError, match=r"this is an archive\. Unpack it"):
        read_published([tmp_path / "a.zip"], year=2023)
    (tmp_path / "b.csv").write_bytes(HEAD.encode() + "1,cement,co2,ü".encode("latin-1"))
    with pytest.raises(InputError, match="this is no UTF-8"):
        read_published([tmp_path / "b.csv"], year=2023)
    (tmp_path / "c.csv").write_text(HEAD + '1,"' + "x" * 200_000, encoding="utf-8")
    with pytest.raises(InputError, match="this is no CSV"):
        read_published([tmp_path / "c.csv"], year=2023)


def test_many_wrong_rows_stop_the_reading(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + RIGHT.replace("tonnes", "kg") * 5000, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_published([path], year=2023)
    assert len(error.value.problems) < 1100


def test_bytes_read_are_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("carbongrid.sources.climate_trace.published._ROWS_A_STEP", 2)
    path = published(tmp_path / "a.csv", months(1))
    steps: list[tuple[int, int]] = []
    read_published([path], year=2023, progress=lambda _, done, total: steps.append((done, total)))
    assert steps
    assert all(0 < done <= total == path.stat().st_size for done, total in steps)


# The declared table, and a case.


def test_every_subsector_is_of_a_category_of_the_package_or_says_why_not() -> None:
    known = read_categories()
    for each in SUBSECTORS.values():
        assert each.place in ("point", "area", "boundary")
        if each.place == "area":
            assert not each.category
        elif each.category:
            assert not known[each.category].sink
            assert known[each.category].scope == 1
        else:
            assert each.reason, each.name


@given(st.fractions(max_denominator=10**3).map(lambda value: Fraction(round(value * 10**9), 10**9)))
def test_digits_are_exact(value: Fraction) -> None:
    assert Fraction(digits(value)) == value


CASE = f"""
year = 2023
[grid]
crs = "EPSG:{CRS}"
resolution = 100
[parcels]
path = "parcels.gpkg"
code_system = "tdland3"
[units]
path = "units.gpkg"
parents = ["district"]
[totals]
path = "totals.csv"
[facilities]
path = "facilities.csv"
[categories]
path = "categories.csv"
"""


def test_three_releases_say_the_same(tmp_path) -> None:
    rows = [row(1, gas, tonnes) for gas, tonnes in (("co2", "9.75"), ("ch4", 1), ("n2o", 2))]
    tables = [made(tmp_path, rows, header)[1].table for header in (OF_2022, OF_2023, NEW)]
    assert Fraction(tables[0]["value"][0]) == Fraction("9.75") + 28 + 2 * 265
    assert all(table.equals(tables[0]) for table in tables)


def test_a_case_takes_what_the_command_writes(tmp_path, carbongrid) -> None:
    """Files in, case out: three places of three releases; check and run pass, and each mass lies in the unit that holds its place."""
    tables = {
        "totals.csv": "category,value,unit\nindustry/supply,2,Mt CO2e\nindustry/manufacturing,900,kt CO2e\n",
        "categories.csv": "category,weight\nindustry/supply,area\nindustry/manufacturing,area\n",
        "case.toml": CASE,
    }
    squares_case(tmp_path, ["0601", "0809", "0601", "0809"], tables)
    to_degrees = Transformer.from_crs(CRS, 4326, always_xy=True).transform
    places = [to_degrees(*square(column).centroid.coords[0]) for column in range(3)]
    old, new, monthly = ({"x": f"{x:.7f}", "y": f"{y:.7f}"} for x, y in places)
    steel = {**old, "subsector": "steel"}
    cement = {**monthly, "subsector": "cement"}
    files = [
        published(tmp_path / "asset_steel_emissions.csv", [row(1, gas, 400, **steel) for gas in ("co2", "ch4", "n2o")], OF_2022),
        published(tmp_path / "power_emissions_sources.csv", [row(2, "co2", "1200000.125", **new), row(2, "co2e_100yr", "1300000", **new)], OF_2023),
        published(tmp_path / "cement_emissions_sources_v5_3_0.csv", [*months(3, "co2", "8765.4321", **cement), row(4, x="10", y="50")]),
    ]  # fmt: skip
    words = ("from-climate-trace", *files, "--within", tmp_path / "units.gpkg", "--out", tmp_path / "facilities.csv")  # fmt: skip
    done = carbongrid(*words, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["facilities"] == 3
    out: dict[str, Fraction] = defaultdict(Fraction)
    for each in answer["left_out"]:
        out[each["gas"]] += Fraction(each["tonnes"])
    for gas, tonnes in answer["read"].items():
        assert Fraction(answer["written"].get(gas, "0")) + out[gas] == Fraction(tonnes)
    checked = carbongrid("check", tmp_path / "case.toml", "--json")
    assert checked.returncode == 0, checked.stdout
    assert "is not read" not in checked.stdout  # no column of the table is a slip of the pen
    cg.run(tmp_path / "case.toml", tmp_path / "run")
    facilities = csv.DictReader(
        io.StringIO((tmp_path / "run" / "facilities.csv").read_text(encoding="utf-8"))
    )
    assert {each["name"]: json.loads(each["mass_by_unit"]) for each in facilities} == {
        "Plant 1 (1)": {"01": f"{400 * (1 + 28 + 265)}.000000"},
        "Plant 2 (2)": {"02": "1200000.125000"},
        "Plant 3 (3)": {"03": "105185.185200"},
    }
    again = carbongrid(*words)
    assert again.returncode == 2
    assert "the file is there already" in again.stderr


def test_the_command_says_what_a_reader_needs(tmp_path, carbongrid) -> None:
    table = published(tmp_path / "a.csv", [row(1), row(2, tonnes=3, subsector="cement")])
    done = carbongrid("from-climate-trace", table, "--out", tmp_path / "facilities.csv")
    assert done.returncode == 0, done.stderr
    assert "industry/manufacturing           1    3.0" in done.stdout
    assert "no units were named" in done.stdout + done.stderr
    assert '    path = "facilities.csv"' in done.stdout


def test_a_formula_in_a_name_is_no_formula(tmp_path) -> None:
    _, facilities = made(tmp_path, [row(1, name="=1+1", x="-0.00000001")])
    write_facilities(facilities, tmp_path / "facilities.csv")
    [found] = csv.DictReader(io.StringIO((tmp_path / "facilities.csv").read_text(encoding="utf-8")))
    assert found["name"] == "'=1+1 (1)"
    assert found["x"] == "-0.00000001"
