"""Zone probabilities against the closed form, full runs, and what cannot matter: order, threads, more draws."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from declared import of_folder
from probability_town import RULES, UNITS, tell, the_long_way, town
from scipy import sparse
from scipy.special import ndtr, ndtri

from carbongrid.analysis.probability import probability
from carbongrid.cli.analysis_commands import _few_draws, _how_sure
from carbongrid.errors import InputError
from carbongrid.method.categories import column_of
from carbongrid.method.draws import Stream, sigma_of_percent
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.probability.drawn_numbers import (
    _but_of_known_totals,
    _facility_factors,
    _rest,
    _sigma_of_rest,
    _totals,
    drawn_category,
    kind_factors,
)
from carbongrid.method.probability.gdp_draws import _shares_and_tau, drawn_gdp
from carbongrid.method.probability.mass_on_land import (
    Accounts,
    MassOnLand,
    NamedEmitters,
    homes_of_points,
    rule_placed_by,
)
from carbongrid.method.probability.uncertainty import (
    SOURCES,
    Rule,
    Uncertainty,
    rules_of,
    uncertainty_of,
)
from carbongrid.method.probability.zone_probability import DRAWS, _combinations
from carbongrid.method.spread_draws import Carriers, CategoryDraws
from carbongrid.outputs.tables.plain import read_units_csv
from carbongrid.pipeline.run_carriers import RunCarriers


@pytest.fixture(scope="module")
def town_run(tmp_path_factory):
    return town(tmp_path_factory.mktemp("town"))


@pytest.mark.parametrize("draws", [4, pytest.param(30, marks=pytest.mark.thorough)])
def test_draws_are_what_full_runs_give(draws, town_run, tmp_path):
    """Seen to fail with a factor by unit left out, with regions scaled together, and with facilities drawn as parcels."""
    drawn = probability(town_run, draws=draws, seed=5, without=["gdp"])
    assert (drawn.gdp == drawn.gdp[0]).all()
    for draw in range(draws):
        units = the_long_way(tmp_path, draw, 5)
        for name, values in (("emission_t", drawn.emission), ("sink_t", drawn.sink)):
            np.testing.assert_allclose(values[draw] / 1e6, units[name], rtol=1e-9)
        for name in ("ccr", "ecc", "esc"):
            np.testing.assert_allclose(getattr(drawn.indices, name)[draw], units[name], rtol=1e-9)
        assert drawn.indices.zone[draw].tolist() == units["zone"].tolist()


def test_one_total_alone_is_the_closed_form(town_run, tmp_path):
    """ECC_1 >= 1 where C_1 <= C_-1*G_1/G_-1: a lognormal C_1 with mean T, so Phi((ln(bound) - mu) / sigma)."""
    percent, draws = 60.0, 20_000
    quiet = [{"source": source, "of": "*"} for source in ("totals", "sinks", "weights", "gdp")]
    # Waste lies on one parcel of the first unit alone, and is all that this unit emits.
    from probability_town import TOTALS, case_of, written

    from carbongrid.pipeline import run

    written(tmp_path)
    parcels = gpd.read_file(tmp_path / "parcels.gpkg")
    parcels["waste"] = np.where(parcels["BSM"] == "p01", 1.0, 0.0)
    parcels["works"] = np.where(parcels.index < 7, 0.0, parcels["works"])
    (tmp_path / "parcels.gpkg").unlink()
    parcels.to_file(tmp_path / "parcels.gpkg")
    totals = {key: value for key, value in TOTALS.items() if key[1] == ""}
    run(case_of(tmp_path, totals, {}, (30.0, 20.0, 15.0, 15.0, 14.0)), tmp_path / "run")
    tell(tmp_path / "run", [{"source": "totals", "of": "waste/*", "percent": percent}, *quiet])
    table = read_units_csv(tmp_path / "run" / "units.csv")
    units = table.frame
    C, G = units["emission_g"].to_numpy(float), units["gdp"].to_numpy(float)
    assert units["waste_industrial_g"].tolist()[1:] == [0] * (UNITS - 1)
    assert C[0] == units["waste_industrial_g"][0]
    bound = C[1:].sum() * G[0] / G[1:].sum()
    sigma = sigma_of_percent(percent)
    expected = float(ndtr((math.log(bound) - (math.log(C[0]) - sigma**2 / 2)) / sigma))
    assert 0.05 < expected < 0.95
    drawn = probability(tmp_path / "run", draws=draws, seed=1)
    found = float((drawn.indices.zone[:, 0] <= 2).mean())
    assert abs(found - expected) <= 3 * math.sqrt(expected * (1 - expected) / draws)


def test_probabilities_add_up_to_1(town_run):
    table = probability(town_run, draws=200).table
    np.testing.assert_allclose(table[["p0", "p1", "p2", "p3", "p4"]].sum(axis=1), 1, atol=1e-12)
    assert (table["entropy"] >= 0).all()
    certain = table[["p1", "p2", "p3", "p4"]].max(axis=1) == 1
    assert (table.loc[certain, "entropy"] == 0).all()
    for name in ("emission_t", "sink_t", "ccr", "ecc", "esc"):
        points = table[[f"{name}_p05", f"{name}_p50", f"{name}_p95"]].to_numpy()
        assert (np.diff(points, axis=1) >= 0).all()


def test_nothing_drawn_is_the_published_zone(town_run, full_demo):
    for run in (town_run, full_demo / "run"):
        found = probability(run, draws=4, without=["totals", "weights", "sinks", "gdp"])
        units = read_units_csv(run / "units.csv")
        assert found.table["zone"].tolist() == units.frame["zone"].tolist()
        shares = found.table[["p0", "p1", "p2", "p3", "p4"]].to_numpy()
        assert shares[np.arange(len(shares)), found.table["zone"]].tolist() == [1.0] * len(shares)
        assert (found.emission == units.frame["emission_g"].to_numpy(float)).all()
        assert (found.sink == units.frame["sink_g"].to_numpy(float)).all()


def test_threads_and_more_draws_leave_every_draw_as_it_is(town_run):
    one = probability(town_run, draws=40, seed=3, threads=1)
    three = probability(town_run, draws=40, seed=3, threads=3)
    more = probability(town_run, draws=70, seed=3)
    assert (one.emission == three.emission).all()
    assert (one.indices.zone == three.indices.zone).all()
    assert (more.emission[:40] == one.emission).all()
    assert (more.sink[:40] == one.sink).all()
    assert not (probability(town_run, draws=40, seed=4).emission == one.emission).any()


def test_a_source_switched_off_leaves_the_others_draws_alone(town_run):
    every = probability(town_run, draws=25)
    without = probability(town_run, draws=25, without=["gdp"])
    assert (every.emission == without.emission).all()
    assert (every.sink == without.sink).all()
    sinks_off = probability(town_run, draws=25, without=["sinks"])
    assert (every.emission == sinks_off.emission).all()
    assert not (every.sink == sinks_off.sink).all()
    assert (every.gdp == sinks_off.gdp).all()


def test_parcels_in_another_order_give_the_same_numbers(town_run, tmp_path):
    from probability_town import FACILITIES, GDP, TOTALS, case_of, written

    from carbongrid.pipeline import run

    written(tmp_path)
    parcels = gpd.read_file(tmp_path / "parcels.gpkg")
    (tmp_path / "parcels.gpkg").unlink()
    parcels.sample(frac=1, random_state=2).to_file(tmp_path / "parcels.gpkg")
    run(case_of(tmp_path, TOTALS, FACILITIES, GDP), tmp_path / "run", chunks=64)
    tell(tmp_path / "run", RULES)
    ours, theirs = (probability(each, draws=20) for each in (town_run, tmp_path / "run"))
    pd.testing.assert_frame_equal(ours.table, theirs.table)
    assert (ours.emission == theirs.emission).all()


def test_the_mass_of_every_total_is_kept(town_run):
    """Claims are drawn and nothing else: what lies in the units and outside stays the mass of each region."""
    finished = RunCarriers(town_run)
    run, uncertainty = finished.on_land, uncertainty_of(finished.manifest)
    for category in run.categories:
        carriers = run.carriers(category, uncertainty, run.kinds())
        drawn = CategoryDraws(category.name, carriers, UNITS, 0)
        accounts = carriers.account[carriers.home]
        before = np.bincount(accounts, carriers.mass)
        claimed = drawn.drawn(range(20))
        np.testing.assert_allclose(drawn.masses(claimed).sum(axis=1), carriers.mass.sum(), 1e-13)
        for account, grams in enumerate(before):
            only = np.arange(before.size)[None] == account
            masses = drawn.masses(claimed, accounts=only.astype(float))
            np.testing.assert_allclose(masses.sum(axis=1), grams, 1e-13)


def test_totals_that_say_how_sure_they_are_and_a_facility_of_its_own(town_run, tmp_path):
    """A facility that is exact stays; the rest takes the total's swing. A group shares its draw."""
    rules = [
        {"source": "totals", "of": "*", "percent": 20.0, "group": "one"},
        {"source": "sinks", "of": "*"},
        {"source": "weights", "of": "*"},
        {"source": "gdp", "of": "*"},
    ]
    import shutil

    run = shutil.copytree(town_run, tmp_path / "run")
    tell(run, rules)
    shared = probability(run, draws=10)
    units = read_units_csv(run / "units.csv")
    ratio = shared.emission / units.frame["emission_g"].to_numpy(float)
    np.testing.assert_allclose(ratio, ratio[:, [0]] * np.ones(UNITS), rtol=1e-12)
    exact = [{"category": "waste/industrial", "name": "works B", "percent": 0.0}]
    tell(run, rules, facilities=exact)
    own = probability(run, draws=10)
    # Works B is 2e13 g; its parcel has 250 of 350 m in the third unit.
    there = 2e13 * 5 / 7
    third = units.frame["waste_industrial_g"][2] - there
    moved = (ratio[:, 0] * 2e14 - 2e13) / 1.8e14 * third + there
    rest = units.frame["emission_g"][2] - units.frame["waste_industrial_g"][2]
    np.testing.assert_allclose(own.emission[:, 2], ratio[:, 0] * rest + moved, rtol=1e-12)
    tell(run, rules, totals=[{"category": "waste/industrial", "region": "", "percent": 0.0}])
    fixed = probability(run, draws=10)
    works = units.frame["industry_manufacturing_g"].to_numpy(float)
    expected = ratio[:, [0]] * works + units.frame["waste_industrial_g"].to_numpy(float)
    np.testing.assert_allclose(fixed.emission, expected, rtol=1e-12)


def test_the_whole_and_its_regions_are_each_drawn_by_their_own_uncertainty(town_run, tmp_path):
    """D1 has 1.5 of 4, the rest takes what is left. Seen to fail: the whole's uncertainty was put on the rest, and D1 without one shared the whole's own draw."""
    import shutil

    run = shutil.copytree(town_run, tmp_path / "run")
    name = "industry/manufacturing"
    units = read_units_csv(run / "units.csv").frame
    waste, works = (units[f"{column_of(each)}_g"].to_numpy(float) for each in ("waste/industrial", name))  # fmt: skip

    def drawn(percents):
        totals = [{"category": name, "region": code, "percent": each} for code, each in percents]
        quiet = [{"source": source, "of": "*"} for source in ("totals", "sinks", "weights", "gdp")]
        industry = {"source": "totals", "of": "industry/*", "percent": 15.0}
        tell(run, [industry, *quiet], totals=totals)
        ratio = (probability(run, draws=4000).emission - waste) / works
        # Of the units but the first and the last some parcels lie across borders of D1 or outside.
        return ratio[:, 0], ratio[:, 3], (1.5 * ratio[:, 0] + 2.5 * ratio[:, 3]) / 4

    def percent_of(factor):
        return 100 * (np.quantile(factor, 0.975) / np.median(factor) - 1)

    first, rest, whole = drawn([("", 30.0), ("D1", 10.0)])
    assert percent_of(whole) == pytest.approx(30, abs=3)
    assert percent_of(first) == pytest.approx(10, abs=1)
    assert percent_of(rest) > 40
    assert abs(np.corrcoef(first, rest)[0, 1]) < 0.05
    first, rest, whole = drawn([("", 30.0)])
    assert percent_of(whole) == pytest.approx(30, abs=3)
    assert percent_of(first) == pytest.approx(15, abs=1)
    # Regions that are less sure than the whole is said to be.
    first, rest, whole = drawn([("", 2.0), ("D1", 150.0)])
    assert percent_of(rest) == pytest.approx(2, abs=0.3)
    assert percent_of(first) == pytest.approx(150, abs=12)
    first, rest, _ = drawn([])
    np.testing.assert_allclose(first, rest, rtol=1e-12)


@pytest.mark.parametrize("own", [{"": 15.0}, {"": 5.0}, {"A": 5.0}, {"": 5.0, "A": 5.0, "B": 5.0}])
def test_what_regions_leave_keeps_its_figure(own):
    """A rest of 3 %. Seen to fail: cut off at 0 it had 1.8 times its figure in the mean, and nothing in a third of the draws."""
    rule = Rule("totals", "x", 15.0, basis="assumed", origin="")
    told = SimpleNamespace(totals={("x", region): each for region, each in own.items()}, of=lambda *_: rule)  # fmt: skip
    grams = np.array([500, 467, 33], dtype=np.int64)
    accounts = SimpleNamespace(regions=("A", "B", ""), grams=grams)
    factors, _ = _totals("x", accounts, told, 20_000, 1)
    assert factors[:, 2].mean() == pytest.approx(1, abs=0.1)
    assert factors[:, 2].min() > 0
    whole = factors @ grams / 1000
    assert whole.mean() == pytest.approx(1, abs=0.01)
    if own == {"": 15.0}:
        assert 100 * (np.quantile(whole, 0.975) - 1) == pytest.approx(15, abs=2)


def test_draws_are_shared_by_a_group_and_by_nothing_else():
    """Seen to pass with a group of coefficients drawn one by one, and with one draw for all facilities of a category."""
    rules = [Rule("sinks", kind, 30.0, group=group) for kind, group in (("forest", "trees"), ("orchard", "trees"), ("*", ""))]  # fmt: skip
    told = Uncertainty(tuple(rules), {}, {("x", "A"): 30.0, ("x", "B"): 30.0}, {})
    forest, orchard, sea = kind_factors(["forest", "orchard", "sea"], told, 50, 0).T
    assert (forest == orchard).all() and (forest != sea).all()
    of_total = np.full((50, 3), 2.0)
    first, second, third = _facility_factors("x", ["A", "B", "C"], of_total, told, 50, 0)[0].T
    assert (first != second).all() and (third == 2).all()


def test_a_rest_is_as_unsure_as_the_whole_leaves_it():
    """70 of 100 g follow their category together. Seen to pass with regions that move one by one, and with a rest surer than its whole."""
    grams, follows = np.array([40, 30, 30]), [True, True, False]
    sigma = _sigma_of_rest(grams, 2, np.array([0.1, 0.1, 0.09]), follows)
    parts = 0.7**2 * np.expm1(0.1**2) + 0.3**2 * np.expm1(sigma**2)
    assert parts == pytest.approx(np.expm1(0.09**2))
    assert _sigma_of_rest(grams, 2, np.array([0.1, 0.1, 0.6]), follows) == 0.6


def test_rows_and_sources_are_told_apart():
    """Seen to pass with sigma read for tau, and with all sources where all but one were asked for."""
    numbers = {"percent": "", "sigma": "0.5", "tau": "0.2"}
    [rule] = rules_of([{"source": "weights", "of": "*", **numbers, "group": "", "basis": "read", "origin": ""}])  # fmt: skip
    assert (rule.percent, rule.sigma, rule.tau) == (0.0, 0.5, 0.2)
    found = _combinations(frozenset(SOURCES))
    assert len(found) == 1 + 2 * len(SOURCES)
    for source in SOURCES:
        assert found[f"only {source}"] == {source} == found["all"] - found[f"all but {source}"]


def test_what_facilities_leave_of_a_drawn_total_is_no_less_than_nothing():
    """By hand: of 100 g 90 are at two works. Seen to pass with a mass below 0 where these are drawn above their total, and with a last bit off where one follows it."""
    accounts = Accounts(("A", "B", "C", ""), np.zeros(0, np.int64), np.array([100, 50, 30, 30]))
    factors = np.array([[1.0, 1.5, 1.1, 0.13], [2.0, 0.5, 1.1, 0.7]])
    of_facilities = np.array([[1.5, 1.0, 1.2, 0.13], [1.0, 1.0, 1.2, 0.7]])
    rest = _rest(accounts, factors, np.array([60.0, 30.0, 30.0, 20.0]), np.array([0, 0, 2, 3]), of_facilities)  # fmt: skip
    assert rest.tolist() == [[0.0, 1.5, 1.0, 0.13], [11.0, 0.5, 1.0, 0.7]]


def test_what_is_drawn_is_what_was_placed_by_region_unit_and_rule():
    """Seen to pass with what was not placed at all among what is drawn, and with works off the total of their parcel's unit."""

    def row(region, by_rule, by_area, unallocated, reason=""):
        total = by_rule + by_area + unallocated
        return SimpleNamespace(region=region, total=total, unallocated=unallocated, by_rule=by_rule, by_area=by_area, by_parent=0, reason=reason)  # fmt: skip

    rows = [row("A", 4, 1, 3), row("", 1, 4, 2), row("B", 6, 0, 0, "placed by area")]
    for ledger, of_unit, grams in ((rows, [0, 2, 1, 1], [5, 5, 6]), (rows[::2], [0, 1, 2, 2], [5, 6, 0])):  # fmt: skip
        run = SimpleNamespace(ledger={"x": ledger}, regions_of=lambda _: np.array([0, 1, -1]))
        found = MassOnLand.accounts(run, "x")
        assert (found.of_unit.tolist(), found.grams.tolist()) == (of_unit, grams)
    of_points = homes_of_points(["02", ""], np.array([0, 0]), {"01": 0, "02": 1})
    assert of_points.tolist() == [1, 0]
    by_field = SimpleNamespace(weight="field:works")
    assert [rule_placed_by(by_field, [each]) for each in rows] == ["field:works", "area", "area"]
    assert rule_placed_by(by_field, rows[:2]) == "field:works"
    # Units of no district are compared with none, not with each other.
    units = pd.DataFrame({"district": ["D2", "", None, "D1", "D2"]})
    for reference, regions in {"district": [[3], [0, 4]], "all": [[0, 1, 2, 3, 4]]}.items():
        run = SimpleNamespace(units=units, reference=reference)
        assert [rows.tolist() for rows in MassOnLand.regions(run)] == regions


def test_carriers_lie_where_their_raster_says():
    """And in the order of their units, works taken off. Seen to pass with the shares of areas in place of those of a raster, and with those of cells that do not add up to 1."""
    by_area, by_raster = (sparse.csr_array(np.array(each)) for each in ([[1, 0], [1, 0], [0, 1], [1, 0]], [[2, 0], [1, 3], [0, 4], [9, 9]]))  # fmt: skip
    run = SimpleNamespace(
        mass=lambda _: ParcelMass.of(np.array([7, 5, 6, 2])),
        named=lambda _: NamedEmitters(("w", "v"), np.array([1, 3]), np.array([0, 0]), np.array([[1, 1], [2, 0]])),
        home=np.array([1, 0, 1, 0]),
        types=np.array(["forest", "paddy field", "forest", "water"]),
        shares=by_area,
        by_raster={"a.tif": by_raster},
        rule_of=lambda _: "raster:a.tif",
        accounts=lambda _: Accounts(("",), np.array([0, 0]), np.array([20])),
    )  # fmt: skip
    category = SimpleNamespace(
        name="sink/crops", weight="raster:a.tif", structure="a.tif", sink=True
    )
    told = Uncertainty((Rule("weights", "raster:*", sigma=0.3, tau=0.2),), {}, {}, {})
    found = MassOnLand.carriers(run, category, told, ["forest", "sink/crops"])
    assert (found.mass.tolist(), found.home.tolist()) == ([3, 7, 6], [0, 1, 1])
    assert found.shares.toarray().tolist() == [[0.25, 0.75], [1, 0], [0, 1]]
    # Crops have their own coefficient on land of any type.
    assert (found.kind.tolist(), found.sigma, found.tau) == ([1, 1, 1], 0.3, 0.2)


def category_of(told, *, inventory=(), works=((), ()), sigma=0.4, tau=0.0):
    """A sink of 1,000 g, on one parcel that lies half in the only unit, drawn 40 times; its coefficient is always 3 times as large."""
    grams = np.array(works[1], np.int64).reshape(-1, 2)
    row, only = np.zeros(len(grams), np.int64), np.array([0])
    accounts = Accounts(("",), np.array([0, 0]), np.array([1000]))
    spread = np.array([1000.0 - grams.sum()])
    carriers = Carriers(spread, only, accounts.of_unit, sparse.csr_array([[0.5, 0.5]]), only, sigma, tau)  # fmt: skip
    run = SimpleNamespace(
        units=pd.DataFrame({"x": [500]}),
        inventory={"x": np.array(inventory)} if inventory else {},
        accounts=lambda _: accounts,
        carriers=lambda *_: carriers,
        named=lambda _: NamedEmitters(works[0], row, row, grams),
        rule_of=lambda _: "area",
    )
    coefficients = np.full((40, 1), 3.0)
    return drawn_category(run, SimpleNamespace(name="x"), told, ["grass"], coefficients, 40, 0)


def test_a_works_that_lies_outside_in_part_leaves_its_total_what_it_is():
    """Seen to pass with the mass of works outside every unit left out of what their total is relieved of."""
    told = Uncertainty((), {}, {("x", "A"): 30.0}, {})
    drawn = category_of(told, works=(("A",), [60, 40]))
    assert drawn.of_facilities.std() > 0.05 and "totals" in drawn.drawn
    assert drawn.accounts[:, 0] * 900 + drawn.of_facilities[:, 0] * 100 == pytest.approx(1000)


def test_each_source_moves_what_is_its_own():
    """Seen to pass with totals drawn where weights alone were asked for, of what is spread and of works."""
    told = Uncertainty((Rule("totals", "x", 20.0),), {}, {("x", "A"): 30.0}, {})
    drawn = category_of(told, works=(("A",), [60, 40]))
    wanted = [frozenset(each) for each in (["weights"], ["totals"], ["sinks"], ["totals", "weights"], ["gdp"])]  # fmt: skip
    found = {"".join(sorted(used)): masses[:, 0] for used, masses in drawn.masses(range(5, 40), wanted)}  # fmt: skip
    swing, works = drawn.accounts[5:, 0], 60 * drawn.of_facilities[5:, 0]
    assert found["weights"] == pytest.approx(450 + 60)
    assert found["totals"] == pytest.approx(450 * swing + works)
    assert found["totalsweights"] == pytest.approx(found["totals"])
    assert found["sinks"] == pytest.approx(3 * 450 + 60)
    assert (found["gdp"] == 500).all()


def test_an_inventorys_own_draws_hold_what_coefficients_add():
    """Seen to pass with coefficients of sinks drawn on top of them."""
    told = Uncertainty((), {}, {}, {})
    drawn = category_of(told, inventory=[0.9, 1.1])
    assert (drawn.coefficients == 1).all() and drawn.drawn == {"totals", "weights"}
    assert set(drawn.accounts[:, 0].tolist()) == {0.9, 1.1}
    assert drawn.settings[0]["percent"] == pytest.approx(9.5)
    assert category_of(told, sigma=0.0).drawn == {"sinks"}
    assert category_of(told, sigma=0.0, tau=0.4).drawn == {"sinks", "weights"}


def test_a_total_of_one_region_says_nothing_of_another_regions_coefficients():
    accounts = Accounts(("A", ""), np.array([0, 1, 1]), np.array([5, 5]))
    told = Uncertainty((), {("sink/land", "A"): 5.0}, {}, {})
    carriers = Carriers(np.ones(2), np.array([0, 1]), accounts.of_unit, sparse.eye_array(2, 3), np.zeros(2, np.int64), 0.0, 0.0)  # fmt: skip
    found, factors = _but_of_known_totals("sink/land", accounts, carriers, np.full((4, 1), 3.0), told)  # fmt: skip
    assert factors[:, found.kind].tolist() == [[1.0, 3.0]] * 4


def test_a_rest_of_nothing_and_a_small_one_are_drawn():
    """Seen to be NaN for a category of 0 t, and next to nothing in most draws."""
    rule = Rule("totals", "x", 5.0, basis="assumed", origin="")
    told = SimpleNamespace(totals={("x", ""): 10.0}, of=lambda *_: rule)
    for grams, median in (([0, 0], 1.0), ([997, 3], 0.9)):
        accounts = SimpleNamespace(regions=("A", ""), grams=np.array(grams, dtype=np.int64))
        factors, _ = _totals("x", accounts, told, 4000, 1)
        assert np.isfinite(factors).all()
        assert np.median(factors[:, 1]) > 0.9 * median


def test_regions_that_follow_a_category_are_drawn_once(monkeypatch):
    """Seen to fail: the same numbers were drawn for each region, two minutes of a run with 25 totals of 1,500 units."""
    asked, normal = [], Stream.normal

    def counted(self, draws, size):
        asked.append(size)
        return normal(self, draws, size)

    monkeypatch.setattr(Stream, "normal", counted)
    rule = Rule("totals", "x", 15.0, basis="assumed", origin="")
    told = SimpleNamespace(totals={("x", "B"): 5.0}, of=lambda *_: rule)
    grams = np.array([1, 2, 3, 0], dtype=np.int64)
    factors, settings = _totals("x", SimpleNamespace(regions=("A", "B", "C", ""), grams=grams), told, 9, 1)  # fmt: skip
    assert asked == [1, 1]
    assert (factors[:, [0, 2, 3]] == factors[:, [0]]).all()
    assert not (factors[:, 1] == factors[:, 0]).any()
    assert [row["of"] for row in settings] == ["x", "x B"]


def test_a_sink_whose_total_says_how_sure_it_is_is_not_drawn_twice(town_run, tmp_path):
    """5 % of the total, and the coefficient with it. Seen to fail: 50 % of the coefficient came on top."""
    import shutil

    run = shutil.copytree(town_run, tmp_path / "run")
    rules = [{"source": source, "of": "*"} for source in ("totals", "weights", "gdp")]
    tell(run, rules, totals=[{"category": "sink/land", "region": "", "percent": 5.0}])
    found = probability(run, draws=2000)
    ratio = found.sink / read_units_csv(run / "units.csv").frame["sink_g"].to_numpy(float)
    np.testing.assert_allclose(ratio, ratio[:, [0]] * np.ones(UNITS), rtol=1e-12)
    assert np.quantile(ratio[:, 0], [0.025, 0.975]) == pytest.approx([1 / 1.05, 1.05], abs=0.005)
    tell(run, rules, totals=[{"category": "sink/land", "region": "", "percent": 0.0}])
    assert np.ptp(probability(run, draws=20).sink, axis=0).tolist() == [0.0] * UNITS


def test_the_table_of_sources_tells_what_moves_zones(town_run):
    sources = probability(town_run, draws=100).sources
    assert sources["drawn"].tolist() == ["all", *(f"only {each}" for each in ("totals", "weights", "sinks", "gdp")), *(f"all but {each}" for each in ("totals", "weights", "sinks", "gdp"))]  # fmt: skip
    assert sources["share_of_units"].between(0, 1).all()
    alone = probability(town_run, draws=100, without=["totals", "weights", "sinks"])
    only_gdp = sources.set_index("drawn").loc["only gdp", "units_expected_to_flip"]
    assert alone.sources["units_expected_to_flip"].tolist() == [only_gdp]
    table = alone.table
    kept = table[["p0", "p1", "p2", "p3", "p4"]].to_numpy()[np.arange(UNITS), table["zone"]]
    assert only_gdp == pytest.approx((1 - kept).sum())
    assert table["firm"].tolist() == (kept >= 0.9).tolist()


def test_what_cannot_be_drawn_is_refused(town_run, tmp_path, small_run):
    """Seen to end in a ValueError of the pool's, without threads."""
    with pytest.raises(InputError, match="'weather' is no source of uncertainty"):
        probability(town_run, without=["weather"])
    with pytest.raises(InputError, match="at least one draw"):
        probability(town_run, draws=0)
    for none in (0, -1):
        with pytest.raises(InputError, match=f"threads: expected at least one thread, not {none}"):
            probability(town_run, draws=4, threads=none)
    with pytest.raises(InputError, match="not a finished run"):
        probability(tmp_path)


def test_a_run_without_parcels_is_refused(small_city, tmp_path):
    from carbongrid.pipeline import run

    run(small_city / "case.toml", tmp_path / "public", public=True)
    with pytest.raises(InputError, match="without its parcels"):
        probability(tmp_path / "public")


def test_the_command_writes_its_tables_beside_the_run(small_run, tmp_path, carbongrid):
    out = tmp_path / "sure"
    done = carbongrid("probability", small_run, "--draws", 40, "--without", "gdp", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "zones are firm" in done.stdout
    assert "note: --draws: of 40 draws a share of 90% is off by 5 percentage points" in done.stderr
    settings = probability(small_run, draws=1, without=["gdp"]).settings
    assert settings["basis"].value_counts().to_dict() == {"assumed": len(settings) - 1, "off": 1}
    assert f"{len(settings) - 1} of {len(settings) - 1} uncertainties are assumed, no measurement" in done.stdout  # fmt: skip
    assert {path.name for path in out.iterdir()} == {"zone_probability.csv", "zone_probability_sources.csv", "zone_probability_settings.csv", "zone_probability.png", "zone_plane.png", "zone_probability.gpkg"}  # fmt: skip
    assert of_folder(out) == []
    layer = gpd.read_file(out / "zone_probability.gpkg", layer="zone_probability")
    assert layer["unit"].tolist() == read_units_csv(small_run / "units.csv").frame["id"].tolist()
    assert layer.geometry.is_valid.all()
    table = pd.read_csv(out / "zone_probability.csv", dtype={"unit": str})
    assert list(layer)[:-1] == list(table)
    expected = probability(small_run, draws=40, without=["gdp"]).table
    assert list(table) == list(expected)
    assert table["unit"].tolist() == expected["unit"].tolist()
    np.testing.assert_allclose(table["p1"], expected["p1"], atol=5e-7)
    asked = carbongrid("probability", small_run, "--draws", 5, "--out", out, "--json")
    assert json.loads(asked.stdout)["draws"] == 5
    refused = carbongrid("probability", tmp_path, "--json")
    assert refused.returncode == 2


def test_few_draws_are_told_to_say_little():
    """Seen: 0 of 2 zones are firm, of one draw, and not a word."""
    [alone], [few] = (list(_few_draws(draws)) for draws in (1, 99))
    assert "of 1 draw a share of 90% is off by 30 percentage points" in alone.what
    assert "of 99 draws" in few.what and few.level == "note"
    assert [*_few_draws(100), *_few_draws(DRAWS)] == []


def test_the_terminal_says_what_is_so_where_no_zone_or_nothing_uncertain_is_drawn():
    """Seen: 0 of 0 zones are firm, and nine shares of no unit; 90 % of the draws of a zone that is not firm; 0 % of five in 1,000."""
    table = pd.DataFrame({"unit": ["1"], "name": ["A"], "zone": [1], "entropy": [0.5], "firm": [False], "p1": [0.8996], "p2": [0.0954], "p3": [0.005], "p4": [0.0]})  # fmt: skip
    sources = pd.DataFrame({"drawn": ["all"], "units_expected_to_flip": [0.1], "share_of_units": [0.1]})  # fmt: skip
    settings = pd.DataFrame({"percent": [0.0, 0.0], "sigma": [0.0, 0.3], "tau": 0.0, "basis": ["off", "read"]})  # fmt: skip
    found = SimpleNamespace(table=table, sources=sources, settings=settings, emission=np.ones((10_000, 1)))  # fmt: skip
    told = list(_how_sure(found))
    assert told[-1] == "  1 A, zone 1; of the draws 1: 89.9 %, 2: 9.5 %, 3: 0.5 %"
    found.table = table.assign(zone=0)
    assert list(_how_sure(found)) == ["No unit has a zone, so there is none that could be firm."]
    found.table, found.settings = table.assign(firm=True, p1=1.0), settings.assign(sigma=0.0)
    (nothing,) = _how_sure(found)
    assert nothing.startswith("Nothing was drawn")


def test_settings_say_what_is_assumed(small_run):
    settings = probability(small_run, draws=2).settings
    categories = json.loads((small_run / "manifest.json").read_text(encoding="utf-8"))["categories"]
    for source in ("totals", "weights"):
        assert set(settings.loc[settings["source"] == source, "of"]) == {c["name"] for c in categories}  # fmt: skip
    assert set(settings["basis"]) == {"assumed"}
    assert (settings["origin"] != "").all()


def test_settings_are_what_was_used_and_no_more(town_run, tmp_path):
    """Seen to fail: defaults of which nothing was drawn stood first, own per cents of GDP and of facilities were missing, and sources left out looked drawn."""
    import shutil

    run = shutil.copytree(town_run, tmp_path / "run")
    name = "industry/manufacturing"

    def rows(*, without=(), **told):
        tell(run, RULES, **told)
        found = probability(run, draws=2, without=without).settings
        return {source: sorted(zip(part["of"], part["percent"], part["basis"], strict=True)) for source, part in found.groupby("source", sort=False)}  # fmt: skip

    found = rows()
    assert list(found) == ["totals", "weights", "sinks", "gdp"]
    assert found["totals"] == [(name, 20.0, "assumed"), ("sink/land", 0.0, "assumed"), ("waste/industrial", 30.0, "assumed")]  # fmt: skip
    assert found["sinks"] == [("forest", 40.0, "assumed"), ("grassland", 40.0, "assumed")]
    assert found["gdp"] == [("unit", 15.0, "assumed")]
    totals = [{"category": name, "region": code, "percent": 4.0} for code in ("", "D1")]
    facilities = [{"category": "waste/industrial", "name": "works B", "percent": 60.0}]
    gdp = [{"region": f"{unit + 1:02}", "percent": 90.0} for unit in range(UNITS)]
    found = rows(totals=totals, facilities=facilities, gdp=gdp)
    assert found["totals"][:2] == [(name, 4.0, "given"), (f"{name} D1", 4.0, "given")]
    assert found["totals"][3:] == [("waste/industrial", 30.0, "assumed"), ("waste/industrial, works B", 60.0, "given")]  # fmt: skip
    assert found["gdp"] == [(each["region"], 90.0, "given") for each in gdp]
    assert rows(gdp=gdp[:-1])["gdp"][-1] == ("unit", 15.0, "assumed")
    found = rows(totals=[{"category": "sink/land", "region": "", "percent": 5.0}])
    assert "sinks" not in found
    found = rows(without=["totals", "gdp"])
    assert found["totals"] == [("*", 0.0, "off")] and found["gdp"] == [("*", 0.0, "off")]
    assert len(found["weights"]) == 3


def test_derived_gdp_is_drawn_by_its_split(full_demo):
    """The district's GDP is kept, and nine tenths of the draws lie in the unit's interval, within what its approximation allows."""
    run = full_demo / "run-district-gdp"
    found = probability(run, draws=400, without=["totals", "weights", "sinks"])
    table = read_units_csv(run / "units.csv")
    units = table.frame
    gdp = units["gdp"].to_numpy(float)
    for code in set(units["district"]):
        inside = (units["district"] == code).to_numpy()
        np.testing.assert_allclose(found.gdp[:, inside].sum(axis=1), gdp[inside].sum(), rtol=1e-12)
    low, high = (units[name].to_numpy(float) for name in ("gdp_low", "gdp_high"))
    inside = (found.gdp >= low) & (found.gdp <= high)
    assert 0.85 < inside[:, (low < high) & (gdp > 0)].mean() < 0.95
    assert found.settings.query("source == 'gdp'")["of"].tolist() == [
        "split by district",
        "district",
    ]
    assert not found.table["firm"].all()


def test_a_unit_that_got_no_gdp_but_may_have_some_is_drawn(tmp_path):
    """Roads and forest carry no GDP. Seen to fail: zone 3 with probability 1 and firm, where its own interval said that its ECC may be above 1."""
    from squares_case import squares_case

    from carbongrid.pipeline import run

    tables = {
        "totals.csv": "category,value,unit\nindustry/manufacturing,300,kt CO2e\ntransport/road,50,kt CO2e\nsink/forest,9,kt CO2e\n",
        "gdp.csv": "region,primary,secondary,tertiary\nD1,0,100,0\nD2,0,150,0\nD3,0,80,0\n",
    }
    allow = {"fallback": ["industry/manufacturing", "transport/road"]}
    case = squares_case(tmp_path, ["0601", "1003", "0601", "0601", "0301", "0601"], tables, gdp={"path": "gdp.csv", "by": "district"}, allow=allow)  # fmt: skip
    run(case, tmp_path / "run")
    found = probability(tmp_path / "run", draws=2000, without=["totals", "weights", "sinks"])
    units = read_units_csv(tmp_path / "run" / "units.csv").frame
    gdp, high = (units[name].to_numpy(float) for name in ("gdp", "gdp_high"))
    none = np.array([1, 4])
    assert (gdp[none] == 0).all() and (high[none] > 0).all()
    assert units.loc[1, "reason"].endswith("its interval of ECC contains 1")
    assert (found.gdp[:, none] <= high[none]).mean(axis=0) == pytest.approx([0.95] * 2, abs=0.02)
    # Half of the only claim is a third of the district.
    assert np.median(found.gdp[:, none], axis=0) == pytest.approx(np.array([100, 80]) * 1e8 / 3, rel=0.05)  # fmt: skip
    for pair in (slice(0, 2), slice(2, 4), slice(4, 6)):
        np.testing.assert_allclose(found.gdp[:, pair].sum(axis=1), gdp[pair].sum(), rtol=1e-12)
    assert 0 < found.indices.ecc[:, 1].min() < 1 < found.indices.ecc[:, 1].max()
    assert not found.table["firm"][1]


def test_an_inventorys_own_draws_are_taken(small_city, small_run, tmp_path):
    """What categories have in common in the inventory they have in common here."""
    from carbongrid.outputs.tables.inventory_draws import read_draws
    from carbongrid.pipeline import run
    from carbongrid.pipeline.verification import verify

    out = tmp_path / "run"
    run(small_city / "case-inventory.toml", out, reuse=small_run)
    assert verify(out).ok
    inventory = read_draws(out / "inventory_draws.npz")
    found = probability(out, draws=300, without=["weights", "gdp"])
    carriers = RunCarriers(out)
    which = Stream(0, "totals", "inventory").whole(300, 10_000)
    expected = np.zeros((300, len(carriers.units)))
    for category in carriers.categories:
        if not category.sink:
            own = carriers.units[f"{column_of(category.name)}_g"].to_numpy(float)
            expected += inventory[category.name][which][:, None] * own
    np.testing.assert_allclose(found.emission, expected, rtol=1e-9)
    totals = found.settings.query("source == 'totals'")
    assert set(totals["basis"]) == {"drawn"}


def test_with_nothing_drawn_a_unit_one_gram_from_1_keeps_its_published_zone(tmp_path):
    """C_1 = C_2 + 1 g at the same GDP: ECC_1 is low by one gram in 5e15, which floats do not tell from a tie."""
    from squares_case import squares_case

    from carbongrid.pipeline import run

    grams = 5 * 10**15
    totals = [f"industry/manufacturing,{grams + 1},g CO2e,01", f"industry/manufacturing,{grams},g CO2e,02", "sink/forest,5,t CO2e,"]  # fmt: skip
    tables = {
        "totals.csv": "\n".join(["category,value,unit,region", *totals]),
        "gdp.csv": "region,value\n01,7\n02,7\n03,0\n04,0\n",
    }
    case = squares_case(tmp_path, ["0601", "0601", "0301", "0301"], tables, gdp={"path": "gdp.csv"}, allow={"fallback": ["industry/manufacturing"]})  # fmt: skip
    run(case, tmp_path / "run")
    found = probability(tmp_path / "run", draws=2, without=["totals", "weights", "sinks", "gdp"])
    zones = found.table["zone"].tolist()
    assert zones == read_units_csv(tmp_path / "run" / "units.csv").frame["zone"].tolist()
    assert zones[:2] == [4, 2]
    shares = found.table[["p0", "p1", "p2", "p3", "p4"]].to_numpy()
    assert shares[np.arange(4), zones].tolist() == [1.0] * 4
    assert found.sources["units_expected_to_flip"].tolist() == [0.0]


@pytest.mark.parametrize(("ties", "zone"), [(">=", 1), (">", 4)])
def test_units_that_are_alike_stay_so_in_every_draw(ties, zone, tmp_path):
    """Totals and coefficients are drawn, so ECC and ESC are 1 in every draw. Seen to fail: 0.62 of the draws had the zone."""
    from town import square, write_town

    from carbongrid.pipeline import run

    parcels = [(f"{kind}{k}", code, square(2 * k + (kind == "b"), 0)) for k in range(7) for kind, code in (("a", "0601"), ("b", "0301"))]  # fmt: skip
    units = [(f"{k:02}", "D1", square(2 * k, 0, 2)) for k in range(7)]
    tables = {
        "totals.csv": "category,value,unit\nindustry/manufacturing,7000003.5,t CO2e\nsink/forest,700000.7,t CO2e\n",
        "gdp.csv": "region,value\n" + "".join(f"{code},10\n" for code, *_ in units),
        "uncertainty.csv": "source,of,percent,sigma,tau,group,basis,origin\nweights,*,,0,0,,read,exact\ngdp,*,0,,,,read,exact\n",
        "categories.csv": "category,sector,name_en,name_zh,scope,sink,types,weight\nindustry/manufacturing,,,,,,,field:claim\nsink/forest,,,,,,,field:claim\n",
    }
    more = "".join(f'[{name}]\npath = "{name}.csv"\n' for name in ("gdp", "uncertainty", "categories"))  # fmt: skip
    path = write_town(tmp_path, parcels, units, tables, more, {"claim": [1.0] * 14})
    path.write_text(f'ties = "{ties}"\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    run(path, tmp_path / "run")
    found = probability(tmp_path / "run", draws=500)
    assert found.table["zone"].tolist() == [zone] * 7
    assert (found.indices.zone == zone).all()
    assert found.table["firm"].all()
    assert found.emission.std() > 0 and found.sink.std() > 0


def test_gdp_moves_by_what_is_said_of_its_own_region():
    """Seen to pass with a district of one unit that stood still, with one draw for all districts, and with what units say of themselves unread."""
    gdp = pd.array([10, 20, 30], dtype="Int64")
    units = pd.DataFrame({"id": ["01", "02", "03"], "district": ["D1", "D2", "D2"], "gdp": gdp, "gdp_low": gdp, "gdp_high": gdp})  # fmt: skip
    told = Uncertainty((Rule("gdp", "district", 20.0),), {}, {}, {"02": 30.0})
    by_unit, by_district = (
        drawn_gdp(SimpleNamespace(units=units, gdp_by=by), told, 40, 0)[0] / [10, 20, 30]
        for by in ("unit", "district")
    )
    assert (by_unit[:, [0, 2]] == 1).all() and by_unit[:, 1].std() > 0.05
    assert by_district.std(axis=0).min() > 0.05
    np.testing.assert_allclose(by_district[:, 1], by_district[:, 2])
    assert (by_district[:, 0] != by_district[:, 1]).all()


def test_shares_of_gdp_are_drawn_as_wide_as_their_intervals():
    """The 90 % interval of the logit of a unit's share is that from low to high. Seen to fail with one of 95 %, and with the swing of the others left out."""
    claims, half = np.array([20.0, 30.0, 50.0]), np.array([0.4, 0.5, 0.6])
    odds = claims / (100 - claims)
    low, high = (100 * odds * by / (1 + odds * by) for by in (np.exp(-half), np.exp(half)))
    share, tau = _shares_and_tau(claims, low, high)
    assert share.tolist() == [0.2, 0.3, 0.5]
    # The sum of the others' claims has the variance of their logarithms by the squares of their parts.
    others = np.array([(0.3**2 + 0.5**2) / 0.8**2, (0.2**2 + 0.5**2) / 0.7**2, (0.2**2 + 0.3**2) / 0.5**2])  # fmt: skip
    assert tau * np.sqrt(1 + others) * ndtri(0.95) == pytest.approx(half)
    # Who has nothing is as unsure as the least sure, and has the upper end that it is told.
    share, tau = _shares_and_tau(np.array([60.0, 40, 0]), np.array([50.0, 20, 0]), np.array([70.0, 70, 5]))  # fmt: skip
    assert tau[2] == tau[1] > tau[0]
    assert share[:2] == pytest.approx([0.5, 1 / 3])
    of_others = (0.5**2 + (1 / 3) ** 2) / (5 / 6) ** 2
    top = share[2] / (5 / 6) * np.exp(ndtri(0.95) * tau[2] * np.sqrt(1 + of_others))
    assert top == pytest.approx(0.05 / 0.95)


def test_gdp_of_parents_is_drawn_where_somebody_says_how_sure_it_is(full_demo, tmp_path):
    import shutil

    run = shutil.copytree(full_demo / "run-district-gdp", tmp_path / "run")
    table = read_units_csv(run / "units.csv")
    districts = table.frame["district"].astype(str).to_numpy()
    first = sorted(set(districts))[0]
    tell(run, [], gdp=[{"region": first, "percent": 30.0}])
    found = probability(run, draws=200, without=["totals", "weights", "sinks"])
    gdp = table.frame["gdp"].to_numpy(float)
    for code in set(districts):
        ratio = found.gdp[:, districts == code].sum(axis=1) / gdp[districts == code].sum()
        expected = sigma_of_percent(30.0 if code == first else 0.0)
        assert np.log(ratio).std() == pytest.approx(expected, rel=0.15, abs=1e-12)
    rows = found.settings.query("source == 'gdp'").set_index("of")
    assert rows.loc[[first, "district"], "percent"].tolist() == [30.0, 0.0]
    assert rows.loc[first, "basis"] == "given"
