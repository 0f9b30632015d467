"""The catalogue of factors: its rows are sound, found and replaced."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from fractions import Fraction

import pytest

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.factors import GWP_SETS, Factor, catalogue, factor_of_row, find, gwp_of
from carbongrid.inventory.factors.catalogue import STATUSES
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import packaged_table


def test_every_factor_is_sound() -> None:
    for factor in catalogue():
        assert factor.status in STATUSES, factor.key
        assert factor.source, factor.key
        assert factor.region, factor.key
        assert factor.value is not None or factor.key.startswith("lal2004."), factor.key
    assert catalogue()["cn.agri.fertilizer"].upstream
    assert not catalogue()["ipcc.ef1"].upstream


def test_the_catalogue_goes_to_another_process() -> None:
    """Seen to fail: the view that keeps the package's factors from changes has no pickle."""
    own = catalogue().with_own([replace(catalogue()["ipcc.ef1"], value=Fraction(1, 50))])
    for each in (catalogue(), own):
        assert pickle.loads(pickle.dumps(each)) == copy.deepcopy(each) == each
        with pytest.raises(TypeError, match="does not support item assignment"):
            copy.copy(each).factors["own"] = each["ipcc.ef1"]  # type: ignore[index]


def test_the_unit_decides_between_carbon_and_co2() -> None:
    carbon, direct = catalogue()["ipcc.cc.anthracite"], catalogue()["ipcc.all.co2.anthracite"]
    assert (carbon.emits, carbon.molar) == ("CO2", Fraction(44, 12))
    assert (direct.emits, direct.molar) == ("CO2", 1)
    assert catalogue()["ipcc.ef1"].molar == Fraction(44, 28)
    assert catalogue()["lal2004.till_none"].emits == "CO2e"


def test_derived_rows_are_their_parts() -> None:
    """CO2 per tonne of a Chinese fuel is calorific value x carbon content x oxidation x 44/12, to six decimals."""
    factors = catalogue()
    checked = 0
    for factor in factors:
        fuel = factor.key.removeprefix("cn.co2.")
        if fuel == factor.key:
            continue
        parts = [factors[f"cn.{part}.{fuel}"].value for part in ("ncv", "cc", "of")]
        value = parts[0] * parts[1] * parts[2] * Fraction(44, 12) / 1000
        assert abs(value - factor.value) <= Fraction(1, 10**6), factor.key
        checked += 1
    assert checked > 15


def test_words_find_factors_the_best_status_first() -> None:
    found = find("natural gas")
    assert "ipcc.ncv.natural_gas" in set(found["key"])
    ranks = [STATUSES.index(status) for status in found["status"]]
    assert ranks == sorted(ranks)
    assert set(find("jiangsu", region="CN/jiangsu")["region"]) == {"CN/jiangsu"}
    assert set(find(gas="N2O", status="recalled")["status"]) == {"recalled"}
    assert find("no such thing").empty


def test_a_users_factor_replaces_the_one_of_its_key() -> None:
    factors = catalogue()
    own = Factor("prov.clinker", "own", Fraction(1, 2), "t CO2/t", "CO2")
    mine = factors.with_own([own])
    assert mine["prov.clinker"] is own
    assert mine.overridden == {"prov.clinker": factors["prov.clinker"]}
    assert factors.overridden == {}


def test_a_users_factor_is_upstream_where_the_one_it_replaces_is() -> None:
    """D28."""
    own = Factor("cn.agri.pesticide", "own", Fraction(6), "kg C/kg", "C")
    assert catalogue().with_own([own])["cn.agri.pesticide"].upstream
    assert not catalogue().with_own([replace(own, key="mine")])["mine"].upstream


def test_gwp_sets() -> None:
    assert [int(gwp_of(name)["N2O"]) for name in GWP_SETS] == [298, 265, 273]
    assert [gwp_of(name)["CH4"] for name in GWP_SETS] == [25, 28, Fraction(279, 10)]
    assert [gwp_of(name, fossil=False)["CH4"] for name in GWP_SETS] == [25, 28, 27]
    assert [gwp_of(name, fossil=True)["CH4"] for name in GWP_SETS] == [25, 28, Fraction(298, 10)]
    assert all(gwp_of(name)["CO2"] == gwp_of(name)["CO2e"] == 1 for name in GWP_SETS)
    with pytest.raises(InputError, match="AR4, AR5, AR6"):
        gwp_of("AR7")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"unit": "t C/t", "gas": "CO2"}, "gas"),
        ({"unit": "t CO2/t", "gas": "C"}, "gas"),
        ({"unit": "kg CH4/head/yr", "gas": "N2O"}, "gas"),
        ({"unit": "t CO2/t", "gas": "CO3"}, "gas"),
        ({"unit": "t CO2/foo", "gas": "CO2"}, "unit"),
        ({"unit": "t CO2/t", "value": "1,5"}, "value"),
        ({"unit": "t CO2/t", "value": "nan"}, "value"),
        ({"unit": "t CO2/t", "low": "2"}, "value"),
        ({"unit": "t CO2/t", "key": ""}, "key"),
        ({"unit": "kg CO2e/kg", "gas": "CH4"}, "gas"),
        ({"unit": "t CO2/t", "distribution": "triangular"}, "distribution"),
        ({"unit": "t CO2/t", "distribution": "lognormal"}, "distribution"),
        ({"unit": "t CO2/t", "distribution": "lognormal", "low": "0", "high": "2"}, "distribution"),
        ({"unit": "t CO2/t", "distribution": "lognormal x1"}, "distribution"),
        ({"unit": "t CO2/t", "distribution": "normal x2", "low": "0", "high": "2"}, "distribution"),
        ({"unit": "t CO2/t", "distribution": "normal", "low": "0"}, "distribution"),
        ({"unit": "t CO2/t", "tier": "2a"}, "tier"),
    ],
)
def test_a_wrong_row_names_its_column(cells: dict[str, str], column: str) -> None:
    problems: list[Problem] = []
    row = {"key": "mine", "name": "Mine", "value": "1", **cells}
    assert factor_of_row(row, "mine.csv, row 2", problems) is None
    assert [problem.where for problem in problems] == [f"mine.csv, row 2, column {column}"]


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"ipcc\.ncv\.lignite"):
        catalogue()["ipcc.ncv.lignit"]


def test_sinks_of_the_weights_are_those_of_the_catalogue() -> None:
    table = packaged_table("sink_coefficients.csv")
    names = {"grassland": "grass"}
    for row in table.to_dict("records"):
        key = f"sci_rep_2025.{names.get(row['type'], row['type'])}"
        assert Fraction(row["coefficient"]) == -catalogue()[key].value
    assert "agriculture/land" in read_categories()
