"""Measures against closed forms, a slow oracle and esda's published example; Theil adds up; permutations are seeded."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner
from declared import of_folder
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import sparse
from town import square, write_town

import carbongrid as cg
from carbongrid.analysis.finished import FinishedRun
from carbongrid.analysis.inequality.clusters import (
    ALPHA,
    KINDS,
    Moran,
    clusters,
    fewest_told,
    local_parts,
    moran_of,
    permutations_for,
)
from carbongrid.analysis.inequality.inequality import (
    Inequality,
    _without_measure,
    write_inequality,
)
from carbongrid.analysis.inequality.page import _clusters, _table
from carbongrid.analysis.inequality.shares import gini, lorenz, theil
from carbongrid.cli import main
from carbongrid.errors import InputError, VerificationError
from carbongrid.outputs.report.notes import note_in_chinese

AMOUNTS = st.lists(st.tuples(st.floats(0, 1e12), st.floats(1e-3, 1e6), st.sampled_from("abc")), min_size=1, max_size=12)  # fmt: skip


@given(st.integers(1, 200))
def test_one_that_holds_all(n: int) -> None:
    """(n - 1)/n, and Theil ln n."""
    amount = [0.0] * (n - 1) + [5.0]
    assert gini(amount, [1.0] * n) == pytest.approx((n - 1) / n)
    assert theil(amount, [1.0] * n, range(n)).total == pytest.approx(math.log(n))


@given(AMOUNTS)
def test_gini_is_the_mean_difference_and_theil_adds_up(rows) -> None:
    """The mean absolute difference of amounts per weight, over twice their mean. Seen to fail when units were sorted by amount."""
    amount, weight, groups = zip(*rows, strict=True)
    if sum(amount) < 1e-6:
        return
    whole, by = math.fsum(amount), math.fsum(weight)
    pairs = math.fsum(abs(a / v - b / w) * v * w for a, v, _ in rows for b, w, _ in rows)
    assert gini(amount, weight) == pytest.approx(pairs / (2 * by * whole), rel=1e-7, abs=1e-9)
    found = theil(amount, weight, groups)
    assert found.between + found.within == pytest.approx(found.total, rel=1e-9, abs=1e-9)
    assert found.between >= -1e-9 and found.within >= -1e-9
    curve = lorenz(amount, weight)
    assert (np.diff(curve[:, 1]) >= 0).all() and (curve[:, 1] <= curve[:, 0] + 1e-9).all()


def squares(side: int) -> gpd.GeoSeries:
    return gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for y in range(side) for x in range(side)], crs=4549)  # fmt: skip


def test_by_chance_and_of_two_halves() -> None:
    """E[I] = -1/(n - 1); two halves are clusters, a board of chess the opposite."""
    land = squares(6)
    halves = np.array([float(k % 6 < 3) for k in range(36)])
    moran, table = clusters(land, halves + np.arange(36) * 1e-6)
    assert moran.expected == pytest.approx(-1 / 35)
    assert moran.i > 0.5 and moran.p == pytest.approx(1 / (permutations_for(36) + 1))
    assert {"high beside high", "low beside low"} <= set(table["kind"]) <= set(KINDS)
    again, same = clusters(land, halves + np.arange(36) * 1e-6)
    assert again == moran and same.equals(table)


@given(st.integers(4, 100_000))
@example(32_424)
@example(32_426)
def test_permutations_tell_a_single_unit_or_how_many_are_needed(units: int) -> None:
    """Of so many units at the least p that permutations give, esda's threshold tells all, of one less none. Where p is the threshold to the last digit, rounding decides: of 32,425 units 1,297 are told, or 1,298."""
    esda = pytest.importorskip("esda")
    permutations, fewest = permutations_for(units), fewest_told(units)
    assume(2 * units * round(1 / ALPHA) % (permutations + 1))
    assert 999 <= permutations <= 99_999 and permutations * units <= max(20_000_000, 999 * units)
    for count, told in ((fewest, fewest), (fewest - 1, 0)):
        p = np.ones(units)
        p[:count] = 2 / (permutations + 1)
        assert (p <= esda.fdr(p, ALPHA)).sum() == told
    assert units > 600 or fewest == 1


def beside_at_random(rng: np.random.Generator, units: int) -> list[list[int]]:
    """Neighbours of each unit, both ways, at least one of each."""
    touches = np.triu(rng.random((units, units)) < rng.uniform(0.2, 1), 1)
    touches[np.arange(units - 1), np.arange(1, units)] |= rng.random(units - 1) < 0.8
    for unit in np.flatnonzero(~(touches | touches.T).any(axis=1)):
        other = (unit + 1) % units
        touches[min(unit, other), max(unit, other)] = True
    return [np.flatnonzero(row).tolist() for row in touches | touches.T]


def matrix_of(beside: list[list[int]]) -> sparse.csr_array:
    rows = [unit for unit, each in enumerate(beside) for _ in each]
    columns = [other for each in beside for other in each]
    weights = [1 / len(each) for each in beside for _ in each]
    return sparse.csr_array((weights, (rows, columns)), shape=(len(beside),) * 2)


@given(st.integers(0, 2**32), st.lists(st.sampled_from([0, 0, 1, 2, 7]), min_size=4, max_size=7))
def test_local_parts_are_those_of_every_way_to_put_values_beside_a_unit(seed, values) -> None:
    """All ways, in exact fractions. Seen to fail by esda's two-sided p: 2.0 of a unit that touches all others, and half of it where nothing lies beside one that has nothing."""
    if len(set(values)) == 1:
        return
    rng, n, permutations = np.random.default_rng(seed), len(values), 3000
    beside = beside_at_random(rng, n)
    found = local_parts(np.array(values, float), matrix_of(beside), permutations, seed)
    mean = Fraction(sum(values), n)
    z = [value - mean for value in values]
    square = sum(each * each for each in z)
    for unit, near in enumerate(beside):
        lag = sum(z[other] for other in near) / len(near)
        own = z[unit] * lag
        ways = [z[unit] * sum(z[other] for other in each) / len(near) for each in combinations([other for other in range(n) if other != unit], len(near))]  # fmt: skip
        no_less, no_more = (Fraction(sum(map(test, ways)), len(ways)) for test in (own.__le__, own.__ge__))  # fmt: skip
        p = float(min(1, 2 * min(no_less, no_more)))
        noise = 12 * math.sqrt(p * (1 - p / 2) / 2 / permutations) + 2 / permutations
        assert found.p[unit] <= 1 and abs(found.p[unit] - p) <= noise
        assert found.i[unit] == pytest.approx(float((n - 1) * own / square), abs=1e-12)
        kind = {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}
        assert found.kind[unit] == kind[z[unit] > 0, lag > 0]


@pytest.mark.thorough  # half a minute of compiling
def test_local_parts_are_esdas() -> None:
    """p is twice the smaller of esda's one-sided ones, but for chance; its two-sided one of 12 units is 0.008 where all ways give 0.012."""
    esda, weights = pytest.importorskip("esda"), pytest.importorskip("libpysal.weights")
    rng, drawn = np.random.default_rng(3), 19_999
    beside = [[each for each in range(60) if 0 < abs(each - unit) < 4] for unit in range(60)]
    values = rng.normal(size=60) + np.linspace(0, 3, 60)
    own = local_parts(values, matrix_of(beside), drawn, 1)
    matrix = weights.W(dict(enumerate(beside)), silence_warnings=True)
    less, more = (esda.Moran_Local(values, matrix, permutations=drawn, seed=1, keep_simulations=False, alternative=each) for each in ("lesser", "greater"))  # fmt: skip
    assert own.i == pytest.approx(less.Is) and own.kind.tolist() == less.q.tolist()
    assert np.abs(own.p - 2 * np.minimum(less.p_sim, more.p_sim)).max() < 0.03


@given(st.integers(0, 2**32), st.integers(4, 12))
def test_morans_i_is_that_of_every_pair(seed: int, units: int) -> None:
    """A double loop; and p of all ways to put few values on units, which is no more than chance away. Seen to warn where all units touch each other, and to fail where p was of one side."""
    weights = pytest.importorskip("libpysal.weights")
    rng = np.random.default_rng(seed)
    beside, values = beside_at_random(rng, units), rng.lognormal(0, 1, units)
    found, _ = moran_of(values, weights.W(dict(enumerate(beside)), silence_warnings=True), seed=seed)  # fmt: skip

    def slow(of) -> float:
        z = of - of.mean()
        pairs = sum(z[i] * z[j] / len(each) for i, each in enumerate(beside) for j in each)
        return pairs / (z * z).sum()

    assert found.i == pytest.approx(slow(values), abs=1e-12)
    assert found.expected == pytest.approx(-1 / (units - 1))
    if units > 5:
        return
    ways = np.array([slow(values[list(each)]) for each in permutations(range(units))])
    p = (np.abs(ways - found.expected) >= abs(found.i - found.expected) - 1e-9).mean()
    assert found.p == pytest.approx(p, abs=0.1)


def test_a_single_unit_that_stands_out_is_told() -> None:
    """One high unit among high ones, of a hundred: grey with 999 permutations."""
    land, values = squares(10), np.random.default_rng(4).normal(0.0, 1.0, 100)
    middle = [44, 33, 34, 35, 43, 45, 53, 54, 55]
    values[middle] = 3.0
    _, table = clusters(land, values)
    assert table["kind"].iloc[44] == "high beside high"


def test_units_without_a_value_or_a_neighbour_take_no_part() -> None:
    """An island, and a unit that is one as soon as its only neighbour has no value."""
    far = gpd.GeoSeries([shapely.box(50, 50, 51, 51), shapely.box(60, 60, 61, 61), shapely.box(61, 60, 62, 61)], crs=4549)  # fmt: skip
    land = gpd.GeoSeries([*squares(4), *far], crs=4549)
    values = np.concatenate([np.arange(16.0), [1e9, 5.0, np.nan]])
    moran, table = clusters(land, values)
    alone, _ = clusters(squares(4), np.arange(16.0))
    assert moran == alone
    assert table["local_i"].isna().tolist() == [False] * 16 + [True] * 3
    with pytest.raises(InputError, match="0 units have a value and a neighbour"):
        clusters(far, np.array([1.0, 2.0, np.nan]))
    with pytest.raises(InputError, match="all units have one value"):
        clusters(squares(3), np.ones(9))


def test_the_published_example_of_esda() -> None:
    """Homicide rates around St. Louis, 1988 to 1993, with the neighbours that come with them: I = 0.2436 (the documentation of esda.Moran)."""
    libpysal = pytest.importorskip("libpysal")
    counties = gpd.read_file(libpysal.examples.get_path("stl_hom.shp"))
    file = libpysal.io.open(libpysal.examples.get_path("stl.gal"))
    neighbours = file.read()
    file.close()
    moran, _ = moran_of(counties["HR8893"].to_numpy(np.float64), neighbours)
    assert moran.i == pytest.approx(0.24365582621771659, abs=1e-9)
    assert moran.p < 0.01


@pytest.mark.parametrize("clusters", [False, True])
def test_a_run_and_the_command(small_run, tmp_path, carbongrid, clusters) -> None:
    found = cg.inequality(small_run, with_clusters=clusters)
    table = found.table.set_index(["of", "by"])
    assert (table["between_zones"] + table["within_zones"]).to_numpy() == pytest.approx(table["theil"].to_numpy())  # fmt: skip
    files = write_inequality(found, tmp_path)
    assert of_folder(tmp_path) == []
    assert "基尼系数" in files[0].read_text(encoding="utf-8")
    done = carbongrid("inequality", small_run, "--no-clusters", "--out", tmp_path / "c", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["moran"] is None


def test_clusters_of_emission_are_told_where_there_are_no_sinks(tmp_path, monkeypatch) -> None:
    """Seen to be refused, in a message that did not say of what all units have one value."""

    def seen(outlines, values, *, of, beside=None, seed=0):
        assert of == "emission per km2" and np.ptp(values)
        return Moran(0.0, 0.0, 1.0, 0.5), pd.DataFrame({"local_i": 0.0, "kind": KINDS[0]}, index=range(len(values)))  # fmt: skip

    tables = {"totals.csv": "category,value,unit\nwaste/industrial,90,t CO2e\n"}
    parcels = [(f"p{k}", "0601", square(k, 0)) for k in range(4)]
    units = [(f"u{k}", "d", square(k, 0)) for k in range(5)]
    run = cg.run(write_town(tmp_path, parcels, units, tables, ""), tmp_path / "run")
    monkeypatch.setattr("carbongrid.analysis.inequality.inequality.clusters", seen)
    found = cg.inequality(run)
    assert found.moran["of"].tolist() == ["emission per km2"]
    assert "emission_kind" in found.units and "sink_kind" not in found.units
    [note] = [each for each in found.notes if "All units have one sink per km2" in each.what]
    assert "碳汇" in note_in_chinese(str(note))
    assert not [each for each in found.notes if "where sink lies" in each.what]
    page = write_inequality(found, tmp_path)[0].read_text(encoding="utf-8")
    assert "Emission per km²" in page
    # Seen of a unit of 1000 among neighbours of 3 and others below 1: high beside low, of what was not said.
    assert "High and low are above and below the mean of the units." in page
    # Seen to be refused: where the only sink lies on an island, those that touch have none.
    parcels = [*[(f"p{k}", "0601", square(k, 0, 1, 0.2 * (k + 1))) for k in range(5)], ("f", "0301", square(10, 0))]  # fmt: skip
    units = [(f"u{k}", "d", square(k, 0)) for k in range(5)] + [("island", "d", square(10, 0))]
    tables = {"totals.csv": "category,value,unit\nwaste/industrial,90,t CO2e\nsink/land,10,t CO2e\n"}  # fmt: skip
    (tmp_path / "island").mkdir()
    case = write_town(tmp_path / "island", parcels, units, tables, "")
    found = cg.inequality(cg.run(case, tmp_path / "island" / "run"))
    assert found.moran["of"].tolist() == ["emission per km2"]
    [note] = [each for each in found.notes if "All units that touch another have one sink per km2" in each.what]  # fmt: skip
    assert "碳汇" in note_in_chinese(str(note))
    monkeypatch.undo()
    with pytest.raises(InputError, match="no clusters of sink per km2 can be looked for: all units have one value"):  # fmt: skip
        clusters(squares(3), np.ones(9), of="sink per km2")


def test_of_many_units_of_clusters_those_of_the_smallest_p_are_listed() -> None:
    """Of 20,000 units the table had 31,902 rows, without a word."""
    p = np.arange(250)[::-1] / 1000
    units = pd.DataFrame({"unit": "u", "name": "", "emission_kind": KINDS[1], "emission_local_i": -0.0004, "emission_p": p})  # fmt: skip
    [table] = _clusters(SimpleNamespace(units=units))  # type: ignore[arg-type]
    assert table.told is not None
    assert table.told.en == "The 200 of 250 with the smallest p; inequality_units.csv has all"
    assert [row[4] for row in table.rows][:2] == ["0", "0.00100"]
    assert len(table.rows) == 200
    assert table.rows[0][3] == "> −0.001"
    [few] = _clusters(SimpleNamespace(units=units[:200]))  # type: ignore[arg-type]
    assert few.told is None


def test_units_without_neighbours_have_measures_and_no_clusters(tmp_path) -> None:
    """Seen to be refused, Gini and all, since no clusters could be looked for; and nan in the terminal, of residents that nobody knows."""
    totals = "category,value,unit\nwaste/industrial,90,t CO2e\n"
    parcels = [("p0", "0601", square(0, 0)), ("p1", "0601", square(5, 0, 2))]
    units = [("u0", "d", square(0, 0)), ("u1", "d", square(5, 0, 2)), ("u2", "d", square(9, 0))]
    run = cg.run(write_town(tmp_path, parcels, units, {"totals.csv": totals}, ""), tmp_path / "run")
    told = CliRunner().invoke(main, ["inequality", str(run.directory), "--out", str(tmp_path / "of")])  # fmt: skip
    assert told.exit_code == 0, told.output
    found = {tuple(words[:2]): words[2] for words in map(str.split, told.stdout.splitlines()) if len(words) == 4}  # fmt: skip
    assert found["emission", "units"] == "0.444" and found["emission", "residents"] == "–"
    text = "Fewer than four units touch another: no clusters can be looked for."
    assert text in told.output and note_in_chinese(text)
    assert "Neighbours whose emission" not in told.output and "nan" not in told.output
    assert not (tmp_path / "of" / "inequality_moran.csv").exists()


def test_where_nothing_is_held_there_are_no_measures_and_it_is_told(tmp_path) -> None:
    """Seen to fail: no Lorenz curve at all was a fault of carbongrid."""
    totals = "category,value,unit\nwaste/industrial,0,t CO2e\nsink/land,0,t CO2e\n"
    parcels = [("p0", "0601", square(0, 0)), ("p1", "0301", square(1, 0))]
    units = [("u0", "d", square(0, 0)), ("u1", "d", square(1, 0))]
    run = cg.run(write_town(tmp_path, parcels, units, {"totals.csv": totals}, ""), tmp_path / "run")
    found = cg.inequality(run, with_clusters=False)
    assert found.table["gini"].isna().all() and found.curves.empty
    for of in ("emission", "sink"):
        told = f"There are no measures of {of}: no unit has any."
        assert told in {str(note) for note in found.notes} and note_in_chinese(told)
    curves = next(path for path in write_inequality(found, tmp_path) if "lorenz" in path.name)
    assert curves.read_text("utf-8").split() == ["of,by,share_of_weight,share_of_amount"]


def test_units_without_a_number_are_named() -> None:
    """Seen to fail: measures by residents were blank, and nothing said that it was one unit with 0 of them; and "1 of 3 units have"."""
    units = pd.DataFrame({"id": ["a", "b", "c"]})
    weights = {
        "units": np.ones(3),
        "residents": np.array([1, 0, np.nan]),
        "gdp": np.full(3, np.nan),
    }
    told = list(_without_measure(units, weights))
    assert [(str(each), each.level) for each in told] == [
        ("There are no measures by residents: unknown in 1 of 3 units (c). Give those to have them.", "warning"),
        ("There are no measures by residents: 0 in 1 of 3 units (b). Merge each with a neighbour to have them.", "warning"),
        ("There are no measures by GDP: unknown in 3 of 3 units (a, b, c). Give those to have them.", "note"),
    ]  # fmt: skip
    assert all("指标" in note_in_chinese(str(each)) for each in told)
    # Seen in Chinese: and 1 more.
    many = pd.DataFrame({"id": [f"u{k}" for k in range(11)]})
    [unknown] = _without_measure(many, {"gdp": np.full(11, np.nan)})
    assert "（u0, u1, u2, u3, u4, u5, u6, u7, u8, u9 等，另有 1 个）" in note_in_chinese(
        str(unknown)
    )


def test_what_is_not_0_is_not_0_on_the_page(small_run) -> None:
    """Seen to be 0.000 there, and < 0.001 in the terminal."""
    table = pd.DataFrame({"of": ["sink"], "by": ["area"], "gini": [4e-4], "theil": [-1e-17], "between_zones": [np.nan]})  # fmt: skip
    found = Inequality(FinishedRun.of(small_run), table, table, None, None, ())
    assert _table(found).rows[0][2:] == ["< 0.001", "0.000", "–"]


def test_clusters_are_told_in_words_as_well(small_run) -> None:
    """Seen to be told by colours of a map alone: which unit they are stood in no table."""
    run = FinishedRun.of(small_run)
    units = pd.DataFrame({"unit": run.units["id"], "name": run.units["name"]})
    kinds = [KINDS[0], KINDS[1], *[KINDS[0]] * (len(units) - 2)]
    units = units.assign(emission_local_i=-0.5, emission_p=0.5, emission_kind=KINDS[0])
    calm = Inequality(run, pd.DataFrame(), pd.DataFrame(), None, units, ())
    assert _clusters(calm) == _clusters(replace(calm, units=None)) == []
    told = units.assign(sink_local_i=-0.5, sink_p=6.87e-5, sink_kind=kinds)
    [table] = _clusters(replace(calm, units=told))
    [[unit, of, kind, *numbers]] = table.rows
    assert unit.code == told["unit"].iloc[1] and (of.en, of.zh) == ("sink per km²", "单位面积碳汇")
    assert (kind.en, kind.zh, kind.colour) == ("high beside high", "高—高", "#b2402e")
    assert numbers == ["−0.500", "0.0000687"]


def test_the_null_is_of_the_proxies_alone_or_it_is_said(small_run, monkeypatch) -> None:
    """Clusters stand aside."""
    asked = []

    def seen(outlines, values, *, of="", beside=None, seed=0):
        asked.append(beside)
        return Moran(0.0, 0.0, 1.0, 0.5), pd.DataFrame(
            {"local_i": 0.0, "kind": KINDS[0]}, index=range(len(values))
        )

    monkeypatch.setattr("carbongrid.analysis.inequality.inequality.clusters", seen)
    units = cg.open(small_run).live.by_proxies_alone().units
    area = units.geometry.area.to_numpy() / 1e6
    found = cg.inequality(small_run)
    for beside, of in zip(asked, ("emission_t", "sink_t"), strict=True):
        assert beside == pytest.approx(units[of].to_numpy() * 1e6 / area, rel=1e-12)
    assert found.moran is not None and (found.moran["by_proxies_alone"] == 0.5).all()

    of_proxies = [each.what for each in found.notes if "No facility" in each.what]
    assert len(of_proxies) == 1 and "where sink lies" in of_proxies[0], "the small demo names works"
    for error in (InputError("no claims"), VerificationError("damaged")):

        def refuse(*_: object, error: Exception = error) -> None:
            raise error

        asked.clear()
        monkeypatch.setattr(cg.LiveResult, "by_proxies_alone", refuse)
        notes = [each.what for each in cg.inequality(small_run).notes]
        assert asked == [None, None]
        for of in ("emission", "sink"):
            assert (
                f"What Moran's I of {of} would be by the proxies alone is not known: {error}"
                in notes
            )
