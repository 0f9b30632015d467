"""Years side by side: effects add up, a year against itself is the identity, classes by hand, merged units as their sums."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from town import square, write_town

import carbongrid as cg
from carbongrid.analysis.decomposition import TAPIO_ZH, lmdi, log_mean, tapio
from carbongrid.analysis.trend import read_merged_codes, trend, write_trend
from carbongrid.errors import InputError

pytestmark = pytest.mark.usefixtures("undrawn")

SOME = st.floats(1e-3, 1e6)


@given(st.tuples(SOME, SOME, SOME), st.tuples(SOME, SOME, SOME))
def test_effects_add_up_to_the_change(before, after) -> None:
    """Seen to fail with the arithmetic mean for the logarithmic one."""
    totals = [math.prod(each) for each in (before, after)]
    assume(all(1e-9 < total < 1e30 for total in totals))
    effects = lmdi(before, after, *totals)
    change = totals[1] - totals[0]
    assert sum(effects) == pytest.approx(change, rel=1e-9, abs=1e-9 * max(totals))


@given(SOME, st.floats(-1e-6, 1e-6))
def test_the_logarithmic_mean_of_near_numbers_lies_between_them(a: float, share: float) -> None:
    b = a * (1 + share)
    assert min(a, b) * (1 - 1e-15) <= log_mean(a, b) <= max(a, b) * (1 + 1e-15)


def test_a_pair_by_hand() -> None:
    """Emission from 100 to 150 with GDP from 50 to 100: L = 50/ln 1.5 = 123.315; GDP adds L*ln 2 = 85.475, intensity (2 to 1.5) L*ln 0.75 = -35.475."""
    effects = lmdi((50.0, 2.0), (100.0, 1.5), 100.0, 150.0)
    assert effects == pytest.approx((85.475568, -35.475568), abs=1e-5)
    assert lmdi((0.0, 2.0), (1.0, 1.0), 0.0, 1.0) is None


@pytest.mark.parametrize(
    ("emission", "gdp", "name"),
    [
        ((100, 90), (100, 110), "strong decoupling"),
        ((100, 105), (100, 110), "weak decoupling"),
        ((100, 108), (100, 110), "expansive coupling"),
        ((100, 112), (100, 110), "expansive coupling"),
        ((100, 113), (100, 110), "expansive negative decoupling"),
        ((100, 110), (100, 90), "strong negative decoupling"),
        ((100, 95), (100, 90), "weak negative decoupling"),
        ((100, 90), (100, 90), "recessive coupling"),
        ((100, 80), (100, 90), "recessive decoupling"),
        ((100, 80), (None, 90), "unknown"),
        ((0, 80), (10, 90), "unknown"),
        ((100, 100), (10, 10), "expansive coupling"),
        ((100, 90), (10, 10), "strong decoupling"),
    ],
)  # fmt: skip
def test_eight_classes(emission, gdp, name: str) -> None:
    assert tapio(emission, gdp)[1] == name
    assert name in TAPIO_ZH


PARCELS = [("p0", "0601", square(0, 0)), ("p1", "0601", square(1, 0)), ("p2", "0301", square(2, 0)), ("p3", "0601", square(3, 0))]  # fmt: skip
UNITS = [(f"u{k}", "d", square(k, 0)) for k in range(4)]


def year(folder, number: int, mass: int, gdp: tuple[int, ...], units=UNITS) -> cg.Result:
    folder.mkdir()
    rows = "\n".join(f"{code},{value}" for (code, *_), value in zip(units, gdp, strict=True))
    tables = {"totals.csv": f"category,value,unit\nwaste/industrial,{mass},t CO2e\nsink/land,30,t CO2e\n", "gdp.csv": "region,value\n" + rows}  # fmt: skip
    path = write_town(folder, PARCELS, units, tables, '[gdp]\npath = "gdp.csv"\n')
    path.write_text(path.read_text(encoding="utf-8").replace("year = 2020", f"year = {number}"), encoding="utf-8")  # fmt: skip
    return cg.run(path, folder / "run")


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory, undrawn: None) -> list[cg.Result]:
    folder = tmp_path_factory.mktemp("years")
    return [year(folder / "a", 2015, 300, (1, 2, 3, 4)), year(folder / "b", 2020, 150, (2, 2, 3, 4))]  # fmt: skip


def test_the_same_year_twice_is_the_identity(years: list[cg.Result]) -> None:
    found = trend([years[0], years[0].directory])
    assert (found.units[["change_g", "sink_change_g"]] == 0).all(axis=None)
    assert (found.units["zone_from"] == found.units["zone_to"]).all()
    assert (found.matrices["zone_from"] == found.matrices["zone_to"]).all()
    assert found.matrices[found.matrices["reference"] == "own"]["units"].sum() == 4
    effects = found.region[["gdp_per_head_effect", "emission_per_gdp_effect"]]
    assert effects.to_numpy() == pytest.approx(0.0)


def test_years_are_put_in_order_and_effects_add_up(years: list[cg.Result], tmp_path) -> None:
    """Halved everywhere: against its own year nobody moves by it, against 2015's region they do."""
    found = cg.trend([years[1], years[0]])
    assert found.years == (2015, 2020)
    table = found.units[found.units["emission_from_g"] > 0]
    parts = table[["gdp_per_head_effect", "emission_per_gdp_effect"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(table["change_g"].to_numpy(np.float64), rel=1e-9)
    assert found.region["change_g"].sum() == table["change_g"].sum() == -150 * 10**6
    assert (found.units["zone_frozen_from"] == found.units["zone_from"]).all()
    assert found.region["turned_frozen"].sum() > found.region["turned"].sum()
    assert found.units["tapio"].tolist()[1] == "strong decoupling"
    files = write_trend(found, tmp_path)
    written = pd.read_csv(tmp_path / "trend_region.csv")
    assert written["change_t"].tolist() == [-150.0]
    assert "强脱钩" in (tmp_path / "trend.html").read_text(encoding="utf-8")
    assert len(files) == 4


def test_merged_units_are_the_sums_of_what_they_were(years: list[cg.Result], tmp_path) -> None:
    merged = [UNITS[0], UNITS[1], ("v", "d", square(2, 0, 2))]
    last = year(tmp_path / "c", 2022, 150, (2, 2, 7), merged)
    with pytest.raises(InputError, match="other units: u2, u3 only in the first, v only in the second"):  # fmt: skip
        trend([years[0], last])
    table = tmp_path / "codes.csv"
    table.write_text("old,new\nu2,v\nu3,v\n", encoding="utf-8")
    found = trend([years[0], last], codes=read_merged_codes(table))
    assert found.units["unit"].tolist() == ["u0", "u1", "v"]
    before = years[0].units.set_index("id")["emission_t"]
    of_merged = found.units.set_index("unit").at["v", "emission_from_g"]
    assert of_merged == round((before["u2"] + before["u3"]) * 10**6)
    table.write_text("old,new\nu2,v\nu2,w\n", encoding="utf-8")
    with pytest.raises(InputError, match="the code 'u2' stands twice"):
        read_merged_codes(table)


def test_the_command(years: list[cg.Result], tmp_path, carbongrid) -> None:
    done = carbongrid("trend", *(run.directory for run in years), "--out", tmp_path / "t", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["region"][0]["change_g"] == -150 * 10**6
    assert carbongrid("trend", years[0].directory, "--out", tmp_path / "one").returncode == 2
