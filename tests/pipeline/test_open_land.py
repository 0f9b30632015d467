"""What lies on parks by area alone is told; what evidence, or a name, puts there is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from squares_case import squares_case

from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import (
    SYSTEMS,
    codes_of_open_land,
    read_code_system,
)
from carbongrid.method.weights.claims import Weights
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check
from carbongrid.pipeline.open_land import mass_on_open_land


@pytest.mark.parametrize("system", SYSTEMS)
def test_open_land_is_public_land(system: str) -> None:
    table = read_code_system(system).set_index("code")
    assert set(table.loc[sorted(codes_of_open_land(system)), "type"]) <= {"public"}


def test_public_services_in_parks_for_want_of_pois(tmp_path: Path) -> None:
    """Seen to fail: all public services of a city stood in its parks, and nobody was told."""
    rows = "buildings/public-services,6,kt CO2e\nbuildings/commerce,4,kt CO2e\n"
    text = "category,weight\nbuildings/public-services,area\n"
    tables = {"totals.csv": f"category,value,unit\n{rows}", "categories.csv": text}
    own = {"categories": {"path": "categories.csv"}, "allow": {"fallback": ["buildings/commerce"]}}
    case = squares_case(tmp_path, ["0810", "0810a", "08H2", "05"], tables, **own)
    [told] = [each for each in check(case).problems if "parks" in each.what]
    assert told.level == "warning" and told.where == "categories: buildings/public-services"
    assert "67% of what goes by area, 4,000.000164 t, lies on " in told.what
    assert " km2 of parks, squares and sports grounds (0810, 0810A), " in told.what
    assert note_in_chinese(str(told))


@pytest.mark.parametrize(
    ("rule", "weight", "known", "system", "told"),
    [
        ("area", [1, 9], 0, "tdland3", True),
        ("area", [1, 10], 0, "tdland3", False),
        ("area", [9, 1], 900, "tdland3", False),
        ("area", [9, 1], 0, "own.csv", False),
        ("pois", [9, 1], 0, "tdland3", False),
        ("pois", [0, 0], 0, "tdland3", True),
    ],
)
def test_a_tenth_by_area_is_told(
    rule: str, weight: list[int], known: int, system: str, told: bool
) -> None:
    """A park and a school, of which one holds all that a facility names."""
    none, eligible = np.zeros(2, np.int64), np.ones(2, np.bool_)
    claims = Weights(np.array(weight), rule, "m2", none, none, 0, eligible)
    shares = np.array(weight) if any(weight) else np.array([5, 5])
    parcels = pd.DataFrame({"land_use": ["0810", "08H2"], "type": "public", "area_m2": 1e6})
    facilities = [("lamps", 0, known), ("somewhere", -1, 7)]
    public = read_categories()["buildings/public-services"]
    of = (claims, 100 * shares, facilities, parcels, np.arange(2), system)
    notes = mass_on_open_land(public, *of)
    assert bool(notes) is told
    # Seen to fail: 0 t.
    assert all(f", {100 * shares[0] / 1e6:g} t, " in note.what for note in notes)
    assert mass_on_open_land(read_categories()["sink/forest"], *of) == []
