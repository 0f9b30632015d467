"""Plants and generators: what they burn, how much, and that each counts once."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, box

from carbongrid.method.landuse import match_codes, packaged_table, read_code_system
from carbongrid.sources.osm.energy import (
    ENERGY_KEYS,
    energy_sites,
    land_of_plants,
    main_source,
    megawatts,
    source_weights,
)

CRS = "EPSG:32632"
UNITS = gpd.GeoDataFrame(geometry=[box(0, 0, 10_000, 10_000)], crs=CRS)


def table(*rows: tuple[str, dict[str, str], object]) -> gpd.GeoDataFrame:
    columns = {"id": [row[0] for row in rows], "name": None}
    for key in ENERGY_KEYS:
        columns[key.replace(":", "_")] = [row[1].get(key) for row in rows]
    return gpd.GeoDataFrame(columns, geometry=[row[2] for row in rows], crs=CRS)


def weights(areas: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> dict[str, float]:
    found = energy_sites(areas, points, UNITS).table
    return dict(zip(found["id"], found["weight"], strict=True))


def plant(source: str | None, output: str | None = None, kind: str = "plant") -> dict[str, str]:
    tags = {"power": kind, f"{kind}:source": source, f"{kind}:output:electricity": output}
    return {key: value for key, value in tags.items() if value is not None}


@given(
    st.integers(1, 10**7), st.sampled_from([("W", 1e-6), ("kW", 1e-3), ("MW", 1.0), ("GW", 1e3)]),
    st.sampled_from(["", " ", "  "]),
)  # fmt: skip
def test_an_output_is_a_number_with_its_unit(number, unit, space):
    """Seen to fail with kW read as MW."""
    word, mega = unit
    assert megawatts(f"{number}{space}{word}") == pytest.approx(number * mega)
    assert megawatts(f"{number}{space}{word};{number} {word}") == pytest.approx(2 * number * mega)


@pytest.mark.parametrize(
    ("text", "mw"),
    [
        ("7.5 MW", 7.5), ("7,5 MW", 7.5), ("1,200 kW", 1.2), ("12 kWp", 0.012), ("3 MWe", 3.0),
        ("40 MWth", 40.0), ("40 MWt", 40.0), ("100 kW_th", 0.1), ("40 MWel", 40.0), ("2 x 5 MW_e", 10.0),
        ("2 x 300 MW", 600), ("2x300MW", 600), ("3 × 1,200 kW", 3.6), ("2*0.5 GW; 4 MW", 1004),
    ],
)  # fmt: skip
def test_commas_peaks_and_units_of_a_plant(text, mw):
    """Seen to fail when two units of 300 MW were no output, and so 1 MW."""
    assert megawatts(text) == pytest.approx(mw)


@pytest.mark.parametrize(
    ("text", "mw"),
    [
        ("0,300 MW", 0.3), ("0,075 MW", 0.075), ("1234,567 MW", 1234.567), ("2 x 0,300 MW; 1,500 MW", 1500.6),
        ("1,500 MW", 1500.0), ("1,200,000 kW", 1200.0), ("1,234.5 MW", 1234.5),
    ],
)  # fmt: skip
def test_a_comma_behind_a_zero_or_four_digits_is_a_decimal_one(text, mw):
    """Seen to fail: a gas plant of 300 kW, written 0,300 MW, weighed as one of 300 MW."""
    assert megawatts(text) == pytest.approx(mw)


@pytest.mark.parametrize("text", ["1,234,5 MW", "yes", "small_installation", "500", "", "MW", "-3 MW", "5 MW or so", None, np.nan, "5 MVA", "5 MWh", "5 MW_", "x 300 MW", "2 x", "2 300 MW"])  # fmt: skip
def test_what_is_no_output_is_not_known(text):
    assert np.isnan(megawatts(text))


def test_of_several_sources_the_one_that_emits_most():
    assert main_source("solar;gas;biomass") == "gas"
    assert main_source(" Coal ") == "coal"
    assert main_source("who knows") == main_source(None) == ""


def test_output_times_what_is_burnt_weighs():
    areas = table(
        ("way/1", plant("coal", "500 MW"), box(0, 0, 900, 900)),
        ("way/2", plant("gas"), box(2000, 0, 2100, 100)),
        ("way/3", plant("solar", "90 MW"), box(3000, 0, 3900, 900)),
        ("way/4", plant(None, "2 MW"), box(5000, 0, 5100, 100)),
        ("way/5", {"power": "substation"}, box(6000, 0, 6100, 100)),
        ("way/6", plant("coal", "900 MW"), box(20_000, 0, 20_100, 100)),
    )
    points = table(
        ("node/1", plant("diesel", "500 kW", "generator"), Point(7000, 50)),
        ("node/2", plant("solar", "yes", "generator"), Point(7000, 150)),
        ("node/3", plant(None, "5 MW", "generator"), Point(7000, 250)),
        ("node/4", {"power": "generator", "generator:source": "biomass", "generator:output:hot_water": "4 MW"}, Point(8000, 0)),
    )  # fmt: skip
    gas = source_weights()["gas"]
    assert weights(areas, points) == {
        "way/1": 500 * 94.6,
        "way/2": gas,
        "way/4": 2 * gas,
        "node/1": 0.5 * 74.1,
        "node/4": 4 * 1.9,
    }
    told = " ".join(note.what for note in energy_sites(areas, points, UNITS).notes)
    assert "way/1 (coal, 500 MW)" in told
    assert "1 of them tell no output" in told
    assert "plant:source=solar (1)" in told


def test_an_output_that_is_not_understood_is_no_silence():
    """Seen to fail when a number without a unit was told as no output; a generator's stands for its plant's."""
    areas = table(
        ("way/1", plant("coal", "300"), box(0, 0, 900, 900)),
        ("way/2", plant("gas", "yes"), box(2000, 0, 2100, 100)),
        ("way/3", plant("gas"), box(3000, 0, 3900, 900)),
        ("way/4", plant("solar", "90"), box(5000, 0, 5100, 100)),
        ("way/5", plant("gas", "50 MW"), box(6000, 0, 6900, 900)),
    )
    points = table(
        ("node/1", plant("gas", "40 MVA", "generator"), Point(3100, 50)),
        ("node/2", plant("gas", "30", "generator"), Point(6100, 50)),
    )
    notes = energy_sites(areas, points, UNITS).notes
    (odd,) = [note for note in notes if "is not understood" in note.what]
    assert odd.level == "warning"
    assert odd.what == (
        "the output of 2 of them is not understood, and counts as 1 MW where no other tag tells it: "
        "way/1 (plant:output:electricity=300), way/3 (generator:output:electricity=40 MVA)"
    )
    assert [note.what for note in notes if "tell no output" in note.what] == ["1 of them tell no output and count as 1 MW"]  # fmt: skip


def test_a_plant_and_its_generators_count_once():
    """Seen to fail when generators within a plant counted beside it."""
    inside = [
        (f"node/{k}", plant("gas", "40 MW", "generator"), Point(100 + k, 100)) for k in range(3)
    ]
    whole = ("way/1", plant("gas", "120 MW"), box(0, 0, 900, 900))
    again = ("node/9", plant("gas", "120 MW"), Point(500, 500))
    untold = ("way/1", plant(None), box(0, 0, 900, 900))
    for ground, more in ((whole, []), (whole, [again]), (untold, [])):
        assert weights(table(ground), table(*inside, *more)) == {"way/1": 120 * 56.1}


def test_generators_of_a_closed_plant_are_closed_with_it():
    """Seen to count, each as one on its own. What is of another source, stands in a live plant or says that it runs does."""
    closed = table(("way/9", plant("coal", "900 MW"), box(0, 0, 900, 900)))
    live = table(("way/1", plant("gas", "50 MW"), box(800, 800, 1200, 1200)))
    points = table(
        ("node/1", plant("coal", "300 MW", "generator"), Point(100, 100)),
        ("node/2", plant("diesel", "2 MW", "generator"), Point(200, 100)),
        ("node/3", plant("coal", "300 MW", "generator"), Point(850, 850)),
        ("node/4", plant("coal", "1 MW", "generator"), Point(5000, 100)),
        ("node/5", plant("coal", "1 MW", "generator"), Point(300, 100)),
    ).assign(operational_status=[None, None, None, None, "operational"])
    sites = energy_sites(live, points, UNITS, closed)
    found = dict(zip(sites.table["id"], sites.table["weight"], strict=True))
    assert found == {"way/1": 2805.0, "node/2": 148.2, "node/4": 94.6, "node/5": 94.6}
    assert sites.notes[-1].what.endswith(
        "1 generator stands in a plant that is closed, and is left out with it: node/1"
    )


def test_panels_on_a_coal_plant_do_not_make_it_solar():
    panels = table(("node/1", plant("solar", "5 MW", "generator"), Point(1, 1)))
    assert weights(table(("way/1", plant("coal", "50 MW"), box(0, 0, 9, 9))), panels) == {"way/1": 4730.0}  # fmt: skip


def test_nothing_that_burns_is_a_warning():
    found = energy_sites(table(("way/3", plant("hydro", "9 MW"), box(0, 0, 9, 9))), table(), UNITS)
    assert found.table.empty
    assert [note.level for note in found.notes] == ["warning", "note"]


def test_land_of_a_plant_that_burns_something_is_a_plant_and_a_meadow_under_panels_stays_one():
    areas = table(
        ("way/1", plant("coal"), box(0, 0, 1, 1)),
        ("way/2", plant("solar"), box(0, 0, 1, 1)),
        ("way/3", plant("hydro"), box(0, 0, 1, 1)),
        ("way/4", plant(None), box(0, 0, 1, 1)),
        ("way/5", plant("gas", kind="generator"), box(0, 0, 1, 1)),
        ("way/6", plant("gas", kind="generator"), box(0, 0, 1, 1)),
        ("way/7", {"power": "substation"}, box(0, 0, 1, 1)),
    )
    tags = ["landuse=industrial", "landuse=meadow", "landuse=industrial", "landuse=industrial",
            "power=generator", "landuse=farmyard", "power=substation"]  # fmt: skip
    told = land_of_plants(areas, np.array(tags, dtype=object))
    assert told.tolist() == ["plant:source=coal", "landuse=meadow", "plant:source=hydro", "power=plant",
                             "generator:source=gas", "landuse=farmyard", "power=substation"]  # fmt: skip
    kinds = match_codes(pd.Series(told, dtype=str), read_code_system("osm"))["type"]
    assert kinds.tolist() == ["utilities", "grassland", "none", "utilities", "none", "farm-facilities", "none"]  # fmt: skip


def test_the_crosswalks_know_what_each_source_is():
    """A source that burns something is evidence of supply and its plant is utilities; no other is either."""
    points = packaged_table("poi/osm.csv").set_index("poi_type")["category"]
    land = read_code_system("osm").set_index("code")["type"]
    for source, weight in source_weights().items():
        for kind in ("plant", "generator"):
            assert (f"{kind}:source={source}" in points) == (weight > 0)
        assert land[f"plant:source={source}"] == ("utilities" if weight else "none")
    supply = set(points[points == "industry/supply"].index)
    assert supply == {"power=plant"} | {tag for tag in points.index if ":source=" in tag}


def test_weights_of_sources_are_the_factors_they_name():
    factors = packaged_table("factors/combustion_ipcc.csv").set_index("key")
    table = packaged_table("osm/energy_sources.csv")
    named = table[table["factor"] != ""]
    assert len(named) >= 5
    for row in named.itertuples():
        factor = factors.loc[row.factor]
        assert (factor["unit"], factor["gas"]) == ("kg/TJ (NCV)", "CO2")
        assert float(row.weight) == pytest.approx(float(factor["value"]) / 1000)
