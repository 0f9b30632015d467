"""Transfers between units: balances add up to zero, payments to balances, and no other payments are shorter."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from squares_case import squares_case

import carbongrid as cg
from carbongrid.analysis.compensation import transfers
from carbongrid.analysis.compensation.compensation import (
    _balance,
    _shares,
    compensation,
    read_caps,
    write_compensation,
)
from carbongrid.analysis.compensation.page import _flows
from carbongrid.analysis.compensation.transfers import balance_of, least_transfers, sink_surplus
from carbongrid.analysis.finished import FinishedRun
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese

GRAMS = st.integers(0, 10**15)


@given(st.lists(st.tuples(GRAMS, GRAMS), min_size=1, max_size=8))
def test_surpluses_add_up_to_zero_and_are_sinks_less_their_part(units) -> None:
    """Seen to fail when each part was rounded by itself."""
    emission, sink = zip(*units, strict=True)
    if not sum(emission):
        return
    found = sink_surplus(emission, sink)
    assert sum(int(each) for each in found) == 0
    rate = Fraction(sum(sink), sum(emission))
    assert all(abs(int(s) - (ca - rate * c)) < 2 for s, c, ca in zip(found, emission, sink, strict=True))  # fmt: skip


def moved(flows, size: int) -> list[int]:
    """What each unit is paid less what it pays."""
    sums = [0] * size
    for payer, receiver, grams in flows:
        assert grams > 0
        sums[payer] -= grams
        sums[receiver] += grams
    return sums


@settings(max_examples=40)
@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=9), st.integers(0, 2**32 - 1))
def test_on_a_line_the_cost_is_the_sum_of_running_sums(balances: list[int], seed: int) -> None:
    """Units a kilometre apart: what crosses between two neighbours is what those on one side are short of, to the gram.

    Seen to fail when flows were rounded one by one, when all pay into one fund, and when units in another order paid others, of several ways as short.
    """
    balance = np.array([*balances, -sum(balances)], np.int64)
    places = np.arange(len(balance))
    points = np.column_stack([places, np.zeros_like(places)]).astype(np.float64)
    flows = least_transfers(balance, points)
    assert moved(flows, len(balance)) == balance.tolist()
    cost = sum(grams * abs(int(places[i] - places[j])) for i, j, grams in flows)
    running = [abs(sum(balance[: k + 1].tolist())) for k in range(len(balance))]
    near = 1e-6 * max(running) * len(balance)
    assert sum(running) <= cost <= sum(running) + near
    order = np.random.default_rng(seed).permutation(len(balance))
    other = least_transfers(balance[order], points[order])
    assert sorted((int(order[i]), int(order[j]), grams) for i, j, grams in other) == flows


PLACES = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(-(10**12), 10**12))


@settings(max_examples=15, deadline=None)
@given(st.lists(PLACES, min_size=2, max_size=14), st.integers(0, 2**32 - 1))
def test_pairs_that_are_tried_one_by_one_give_the_least_of_all_pairs(units, seed: int) -> None:
    """Held against the transport problem on all pairs; one counterpart of each unit at a time, priced in blocks, by both solvers. Units often share a place or lie as far apart.

    Seen to fail after one round.
    """
    points = np.array([(x, y) for x, y, _ in units], np.float64)
    balance = np.array([grams for *_, grams in units], np.int64)
    balance[-1] -= balance.sum()
    if not balance.any():
        return
    distance = np.hypot(*(points[:, None, axis] - points[None, :, axis] for axis in (0, 1)))
    payers, receivers = np.flatnonzero(balance < 0), np.flatnonzero(balance > 0)
    pays = np.kron(np.eye(len(payers)), np.ones(len(receivers)))
    paid = np.kron(np.ones(len(payers)), np.eye(len(receivers)))
    largest = float(np.abs(balance).max())
    # The last receipt follows from all others, which as floats it might contradict.
    least = linprog(
        distance[np.ix_(payers, receivers)].ravel(),
        A_eq=np.vstack([pays, paid])[:-1],
        b_eq=np.abs(balance[[*payers, *receivers]])[:-1] / largest * 1e7,
        options={"dual_feasibility_tolerance": 1e-10},
    )
    order = np.random.default_rng(seed).permutation(len(units))
    twins = len({(x, y, grams) for (x, y, _), grams in zip(units, balance.tolist(), strict=True)}) < len(units)  # fmt: skip
    for few_edges in (0, 3000):
        with pytest.MonkeyPatch.context() as at:
            for name, value in {"_NEAREST": 1, "_CHEAPEST": 1, "_BLOCK": 3, "_FEW_EDGES": few_edges}.items():  # fmt: skip
                at.setattr(transfers, name, value)
            flows = least_transfers(balance, points)
            other = least_transfers(balance[order], points[order])
        assert moved(flows, len(units)) == balance.tolist()
        cost = sum(grams / largest * distance[i, j] for i, j, grams in flows)
        assert cost == pytest.approx(least.fun / 1e7, abs=1e-6)
        assert twins or sorted((int(order[i]), int(order[j]), grams) for i, j, grams in other) == flows  # fmt: skip


def test_many_units_are_solved_on_few_pairs(monkeypatch) -> None:
    """Seen to fail: all pairs of units were edges, whose number, and a matrix of distances, grow with the square of units."""
    rng = np.random.default_rng(0)
    points, balance = rng.random((400, 2)) * 1e5, rng.integers(-(10**9), 10**9, 400)
    balance[-1] -= balance.sum()
    sizes = []
    solved = transfers._transport
    monkeypatch.setattr(transfers, "_transport", lambda i, *rest: sizes.append(len(i)) or solved(i, *rest))  # fmt: skip
    assert moved(least_transfers(balance, points), 400) == balance.tolist()
    assert sizes == sorted(sizes) and sizes[-1] < 20 * len(balance) < 200 * 200


def test_payments_that_go_round_in_a_ring_are_met() -> None:
    """Such as no basic solution has: each edge takes what the solver says, and grams that are left follow."""
    ring = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([2.0, 3.0, 4.0, 1.0])
    found = transfers._whole_flows(*ring, np.array([5, 6]), np.array([6, 5]))
    assert found == [(0, 0, 2), (0, 1, 3), (1, 0, 4), (1, 1, 1), (1, 1, 1)]


def test_balances_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(InputError, match="add up to 1, not to 0"):
        least_transfers(np.array([1, 0]), np.zeros((2, 2)))
    with pytest.raises(InputError, match="nobody has to compensate"):
        sink_surplus([0, 0], [1, 2])
    with pytest.raises(InputError, match="no unit has any"):
        balance_of([1, 2], [0, 0])
    assert least_transfers(np.zeros(2, np.int64), np.zeros((2, 2))) == []


def test_a_run(small_run, tmp_path) -> None:
    """Payments add up to balances; sums by zone and parent to all payments; other allowances to all emission."""
    for allowance in ("sink", "gdp", "people"):
        found = compensation(small_run, allowance=allowance, prices=(40.0, 120.0))
        ids = found.units["unit"].tolist()
        flows = [(ids.index(a), ids.index(b), int(grams)) for a, b, grams in zip(found.flows["payer"], found.flows["receiver"], found.flows["mass_g"], strict=True)]  # fmt: skip
        assert moved(flows, len(ids)) == found.units["balance_g"].tolist()
        whole = found.flows["mass_g"].sum()
        assert found.zones["mass_g"].sum() == found.parents["mass_g"].sum() == whole
        assert found.units["CNY_at_40_per_t"].sum() == pytest.approx(0.0, abs=1e-3)
        for price in (40, 120):
            name = f"CNY_at_{price}_per_t"
            assert (found.flows[name] == found.flows["mass_g"] / 1e6 * price).all()
            assert (found.units[name] == found.units["balance_g"] / 1e6 * price).all()
        zones = found.units.set_index("unit")["zone"]
        of_zones = found.flows["mass_g"].groupby([found.flows[end].map(zones) for end in ("payer", "receiver")]).sum()  # fmt: skip
        told = found.zones.set_index(["payers", "receivers"])["mass_g"]
        assert told.to_dict() == of_zones.to_dict()
    files = write_compensation(found, tmp_path)
    assert {file.suffix for file in files} == {".csv", ".html"}
    page = (tmp_path / "compensation.html").read_text(encoding="utf-8")
    assert "never an offset against the atmosphere" in page and "并非对大气的抵消" in page
    run = cg.open(small_run)
    assert cg.compensation(run).flows.equals(cg.compensation(run.live).flows)
    caps = dict.fromkeys(run.units["id"], 1)
    even = cg.compensation(run, allowance="cap", caps=caps).units
    part = even["balance_g"] + even["emission_g"]
    assert part.max() - part.min() <= 1


def test_payments_that_the_page_leaves_out_are_told(small_run) -> None:
    """Seen to list 200 of more, the largest first, without a word."""
    found = compensation(small_run)
    names = dict(zip(found.units["unit"], found.units["name"], strict=True))
    assert _flows(found, names, []).told.en.startswith("The largest first; ")
    many = pd.concat([found.flows] * 1000, ignore_index=True)
    table = _flows(replace(found, flows=many), names, [])
    assert len(table.rows) == 200
    assert table.told.en.startswith(f"The 200 largest of {len(many):,}; ")
    assert f"{len(many):,} 笔" in table.told.zh


@pytest.fixture(scope="module")
def districts(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    """Two districts of two units each, of other CCR, the second below the floor, and one of a unit alone, without sinks; zones are within districts."""
    folder = tmp_path_factory.mktemp("districts")
    tables = {
        "totals.csv": "category,value,unit\nindustry/manufacturing,1100,kt CO2e\nsink/forest,185,kt CO2e\n",
        "categories.csv": "category,sector,name_en,name_zh,scope,sink,types,weight\nindustry/manufacturing,,,,,,industrial,field:works\nsink/forest,,,,,,industrial,field:stand\n",
        "gdp.csv": "region,value\n01,10\n02,11\n03,12\n04,13\n05,9\n",
    }
    weights = {"works": [4.0, 2.0, 2.0, 2.0, 1.0], "stand": [9.0, 8.0, 1.0, 0.5, 0.0]}
    gdp = {"path": "gdp.csv", "currency": "1e8 CNY"}
    case = squares_case(folder, ["0601"] * 5, tables, of_parcels=weights, reference="district", sink_floor=0.1, gdp=gdp, categories={"path": "categories.csv"})  # fmt: skip
    return cg.run(case, folder / "run")


def test_each_reference_region_shares_what_is_its_own(districts, tmp_path) -> None:
    """Seen to fail: all sinks were shared out over all units, so that 01 was paid though its ESC is 0.79, and a district with a low CCR paid one with a high one.

    Seen to say nothing while thousands of units are solved.
    """
    steps: list[tuple[str, int, int]] = []
    found = compensation(districts, progress=lambda *step: steps.append(step))
    assert steps == [("solving transfers", done, 5) for done in (0, 2, 4, 5)]
    # D1: 170 of 600 kt, so that 400 kt owe 113 1/3 and have 90; D2: 15 of 400 kt.
    assert found.units["balance_g"].tolist() == [-23333333333, 23333333333, 2500 * 10**6, -2500 * 10**6, 0]  # fmt: skip
    esc = districts.units["esc"].to_numpy()
    assert ((found.units["balance_g"].to_numpy() > 0) == (esc > 1)).all()
    assert found.flows[["payer", "receiver"]].to_numpy().tolist() == [["01", "02"], ["04", "03"]]
    assert found.flows["distance_km"].to_numpy() == pytest.approx(1.0)
    assert found.units["region"].tolist() == ["D1", "D1", "D2", "D2", "D3"]
    said = [str(note) for note in found.notes]
    assert "Within each of 3 reference regions (district), as zones are: no unit pays one of another region." in said  # fmt: skip
    assert any(note.startswith("Neither paying nor paid: 1 of 5 units, ") and note.endswith(": 05.") for note in said)  # fmt: skip
    assert all(note_in_chinese(note) for note in said)
    # Seen to say nothing of the floor, though guidance of the same run said that no payment follows from such sinks.
    told = "2 of the 4 units that pay or are paid, with 10 % of the mass moved, are in reference regions that take up less than 10 % of what they emit (sink_floor): "
    assert any(note.startswith(told) and "no payment for uptake follows" in note for note in said)
    assert found.units["sinks_below_floor"].tolist() == [False, False, True, True, True]
    assert found.flows["sinks_below_floor"].tolist() == [False, True]
    write_compensation(found, tmp_path)
    page = (tmp_path / "compensation.html").read_text(encoding="utf-8")
    assert ">25.8 kt<" in page and ">2.58 万吨<" in page, "seen to be in kt in Chinese, too"
    assert "of the mass moved rests on sinks below the floor" in page and "碳汇低于下限" in page
    for allowance, caps in (("gdp", None), ("cap", {f"{k:02}": k for k in range(1, 6)})):
        units = compensation(districts, allowance=allowance, caps=caps).units
        assert (units.groupby("region")["balance_g"].sum() == 0).all()
        assert units["balance_g"].any()
        notes = compensation(districts, allowance=allowance, caps=caps).notes
        assert not any("noise" in str(note) for note in notes)


def test_margins_and_targets_say_where_esc_ranks_noise(districts, tmp_path, carbongrid) -> None:
    """Of D2; D3 has no sinks and so no ESC. Seen to say nothing, and to count the units told of against all of the run."""
    told = "Among the units whose distance of ESC from 1 is told here, ESC ranks noise in {} of {}: their reference region takes up less than 10 % of what it emits (sink_floor), so that this distance says little (docs/decisions/0037)."
    asked = carbongrid("margins", districts.directory, "--out", tmp_path)
    assert asked.returncode == 0 and told.format(2, 4) in " ".join(asked.stderr.split())
    table = cg.margins(districts)
    flagged = dict(zip(table["unit"], table["sinks_below_floor"], strict=True))
    assert flagged == {"01": False, "02": False, "03": True, "04": True, "05": True}
    found = cg.targets(districts, zone=3)
    low = found.table.drop_duplicates("unit")
    assert low["unit"].tolist() == ["01", "04"]
    assert low["sinks_below_floor"].tolist() == [False, True]
    of_one = told.format(1, 2)
    for notes in (found.notes, cg.plan_targets(districts, zone=3).notes):
        assert of_one in {str(note) for note in notes} and note_in_chinese(of_one)
    for notes in (
        cg.targets(districts, zone=3, units=["01"]).notes,
        cg.targets(districts, zone=2).notes,
    ):
        assert not any("noise" in str(note) for note in notes)


def test_a_region_with_a_unit_of_which_nobody_knows_is_left_out(districts, monkeypatch) -> None:
    """Seen to fail: one unit without GDP refused all regions."""
    units = FinishedRun.of(districts).units.copy()
    for column in ("gdp", "residents"):
        units[column] = pd.array([1, 2, 3, 4, 5], dtype="Float64")
        units.loc[1, column] = pd.NA
    monkeypatch.setattr(FinishedRun, "units", property(lambda _: units))
    caps = {"01": 1, "03": 3, "04": 1, "05": 1}
    for allowance, why in (("gdp", "nobody knows GDP of units there"), ("people", "nobody knows residents of units there"), ("cap", "units there have no cap")):  # fmt: skip
        found = compensation(
            districts, allowance=allowance, caps=caps if allowance == "cap" else None
        )
        balance = found.units["balance_g"].tolist()
        assert balance[:2] == [0, 0]
        assert balance[2] == -balance[3] != 0
        said = [str(note) for note in found.notes]
        assert f"Nothing is shared within 1 of 3 reference regions, since {why}: D1 (02)." in said
        assert any(note.startswith("Neither paying nor paid: 1 of 5 units, ") and note.endswith(": 05.") for note in said)  # fmt: skip
        assert all(note_in_chinese(note) for note in said)
    units["gdp"] = pd.NA
    with pytest.raises(InputError, match="GDP of 5 units is unknown: 01, 02, 03, 04, 05"):
        compensation(districts, allowance="gdp")
    units.loc[:, "residents"] = [pd.NA, 2, 3, 4, 5]
    units["district"] = "D0"
    with pytest.raises(InputError, match="residents of 1 unit are unknown: 01"):
        compensation(districts, allowance="people")
    with pytest.raises(InputError, match="5 units have no cap"):
        compensation(districts, allowance="cap")


def test_the_command(small_run, tmp_path, carbongrid) -> None:
    done = carbongrid("compensation", small_run, "--price", "40:120", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sum(row["balance_g"] for row in told["units"]) == 0
    assert carbongrid("compensation", small_run, "--price", "much", "--out", tmp_path).returncode == 2  # fmt: skip
    with pytest.raises(InputError, match="'trees' is no allowance"):
        compensation(small_run, allowance="trees")
    with pytest.raises(InputError, match="6 units have no cap"):
        compensation(small_run, allowance="cap")


def test_the_command_says_who_owes_by_what(small_run, tmp_path, carbongrid) -> None:
    """Seen to fail when units above their part of emission were said to be below it."""
    units = cg.open(small_run).units["id"]
    caps = tmp_path / "caps.csv"
    caps.write_text("unit,cap\n" + "".join(f"{code},1.5\n" for code in units), encoding="utf-8")
    told = carbongrid("compensation", small_run, "--allowance", "cap", "--caps", caps, "--price", "40.0000001", "--out", tmp_path)  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "emit more than their part by caps and compensate the others" in told.stdout
    assert "At 40.0000001 per t" in told.stdout and "CNY." in told.stdout
    assert carbongrid("compensation", small_run, "--caps", caps, "--out", tmp_path).returncode == 2


def test_prices_that_are_nearly_alike_have_columns_of_their_own(small_run) -> None:
    found = compensation(small_run, prices=(40.0, 40.0000001))
    assert {"CNY_at_40_per_t", "CNY_at_40.0000001_per_t"} <= set(found.units)
    currency = cg.open(small_run).manifest["currency"]
    [note] = [str(each) for each in found.notes if "price" in str(each)]
    assert f"Money is in {currency}:" in note and note_in_chinese(note)
    with pytest.raises(InputError, match="a price stands twice"):
        compensation(small_run, prices=(40.0, 40.0))


@pytest.mark.parametrize(("rows", "wrong"), [("a,1\na,2", "row 3: the unit 'a' stands twice"), ("a,-1", "row 2: '-1' is no cap"), ("a,much", "no cap"), ("a,0.0000001", "no cap"), ("a,1\n,2", "row 3: the unit is blank")])  # fmt: skip
def test_caps_that_are_none(tmp_path, rows: str, wrong: str) -> None:
    (tmp_path / "caps.csv").write_text(f"unit,cap\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError, match=wrong):
        read_caps(tmp_path / "caps.csv")


def test_caps_are_read_to_the_gram_and_people_to_the_thousandth(tmp_path) -> None:
    (tmp_path / "caps.csv").write_text("unit,cap\na,0\nb,1.000001\n", encoding="utf-8")
    assert read_caps(tmp_path / "caps.csv") == {"a": 0, "b": 1_000_001}
    units = pd.DataFrame({"id": ["a", "b"], "residents": [0.5, 1.25], "gdp": pd.array([7, None], dtype="Int64")})  # fmt: skip
    assert _shares(units, "people", None) == [500, 1250]
    assert _shares(units, "gdp", None) == [7, None]
    assert _shares(units, "cap", {"b": 3}) == [None, 3]
    with pytest.raises(InputError, match="1 caps are of no unit of the run: c"):
        _shares(units, "cap", {"b": 3, "c": 1})
    nothing = units.assign(emission_g=[1, 2], sink_g=0)
    with pytest.raises(InputError, match="no unit has any"):
        _balance(nothing, [0, 0], [np.arange(2)])
