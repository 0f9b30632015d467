"""Targets are tried: with each the index is high, with one gram less low; all of them at once against the region that is kept."""

from __future__ import annotations

import json
import math

import pytest
from barren_town import barren_run

import carbongrid as cg
from carbongrid.analysis.finished import FinishedRun
from carbongrid.analysis.frozen import frozen_zones
from carbongrid.analysis.targets.targets import (
    BARE,
    INDICES,
    NOT_ALL,
    TOGETHER,
    write_targets,
)
from carbongrid.cli.plan_commands import target_in_words
from carbongrid.errors import InputError
from carbongrid.method.margins import NONE_TO_DIVIDE
from carbongrid.method.zoning import classify
from carbongrid.outputs.report.notes import note_in_chinese


def columns_of(frame):
    names = {"emission": "emission_g", "sink": "sink_g", "gdp": "gdp"}
    return {name: [int(value) for value in frame[column]] for name, column in names.items()}


def test_each_target_is_the_least_change_that_is_enough(full_demo) -> None:
    """With the region following, one unit at a time, through classify."""
    found = cg.targets(full_demo / "run")
    frame = FinishedRun.of(full_demo / "run").units
    cells = columns_of(frame)
    place = {code: row for row, code in enumerate(frame["id"])}
    floating = found.table[(found.table["reference"] == "floating") & found.table["needed"].notna()]
    assert len(floating) > 100
    for row in floating.sort_values("unit", kind="stable").iloc[::7].to_dict("records"):
        at, quantity = place[row["unit"]], row["quantity"]
        now, less = cells[quantity][at], 1 if row["needed"] > 0 else -1
        sides = []
        for change in (row["needed"], row["needed"] - less):
            cells[quantity][at] = now + change
            sides.append(
                classify(*cells.values())[at] in ((1, 2) if row["index"] == "ecc" else (1, 3))
            )
        cells[quantity][at] = now
        assert sides == [True, False], row


def test_all_targets_at_once_lift_every_unit_against_the_region_that_is_kept(full_demo) -> None:
    """The larger cut of emission of each unit; against the region that follows not all can be lifted."""
    found = cg.targets(full_demo / "run")
    run = FinishedRun.of(full_demo / "run")
    after = run.units.copy()
    cuts = found.table[
        (found.table["reference"] == "frozen") & (found.table["quantity"] == "emission")
    ]
    least = cuts.groupby("unit")["needed"].min()
    change = after["id"].map(least).fillna(0).astype(int)
    after["emission_g"] += change
    assert set(frozen_zones(run.units, after)) == {1}
    assert set(classify(*columns_of(after).values())) != {1}


def test_hectares_are_the_gain_over_the_uptake_of_the_run(small_run, tmp_path) -> None:
    run = cg.open(small_run)
    found = cg.targets(run)
    forest = run.parcels[run.parcels["type"] == "forest"]
    rate = forest["sink_g"].sum() / (forest["area_m2"].sum() / 1e4)
    assert found.rates["forest"] == pytest.approx(rate)
    gain = found.table[(found.table["quantity"] == "sink") & found.table["needed"].notna()]
    assert gain["hectares_forest"].astype(float).to_numpy() == pytest.approx(
        (gain["needed"] / rate).astype(float).to_numpy()
    )
    assert found.table.loc[found.table["quantity"] == "gdp", "hectares_forest"].isna().all()
    assert cg.targets(run.live).table.equals(found.table)
    some = cg.targets(run, units=[gain["unit"].iloc[0]], zone=3)
    assert set(some.table["index"]) == set(INDICES[3]) and some.table["unit"].nunique() == 1
    files = write_targets(found, tmp_path)
    assert [file.name for file in files] == ["targets.html", "targets.csv", "targets_uptake.csv"]
    assert not any(math.isnan(rate) for rate in found.rates.values())


def test_what_is_no_target_is_refused(small_run, tmp_path, carbongrid) -> None:
    with pytest.raises(InputError, match="zone 4 is no target"):
        cg.targets(small_run, zone=4)
    with pytest.raises(InputError, match="no units of the run: nowhere"):
        cg.targets(small_run, units=["nowhere"])
    done = carbongrid("targets", small_run, "--zone", 2, "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert {row["index"] for row in json.loads(done.stdout)["targets"]} == {"ecc"}


@pytest.fixture(scope="module")
def barren(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    return barren_run(tmp_path_factory.mktemp("barren"))


def test_what_is_needed_is_whole_and_says_where_nothing_is_enough(barren, tmp_path, carbongrid) -> None:  # fmt: skip
    """Seen to fail: one unit without a sink made floats of all that is needed, so that GDP beyond 2^53 was wrong, the remark stood nowhere, and 'nan t (+nan %)' was told."""
    found = cg.targets(barren)
    told = cg.margins(barren).rename(columns={"boundary": "index", "difference": "needed"})
    keys = ["unit", "index", "quantity", "reference"]
    exact = told.set_index(keys)["needed"]
    for row in found.table.to_dict("records"):
        assert row["needed"] == exact[tuple(row[key] for key in keys)]
        assert row["needed"] is None or type(row["needed"]) is int
    assert found.table.loc[found.table["quantity"] == "gdp", "now"].max() > 2**53
    none = found.table[[needed is None for needed in found.table["needed"]]]
    assert set(none["unit"]) == {"04"} and set(none["remark"]) == {NONE_TO_DIVIDE}
    write_targets(found, tmp_path)
    assert "." not in "".join(line.split(",")[8] for line in (tmp_path / "targets.csv").read_text("utf-8").splitlines()[1:])  # fmt: skip
    page = (tmp_path / "targets.html").read_text("utf-8")
    assert f"none: {NONE_TO_DIVIDE}" in page and note_in_chinese(NONE_TO_DIVIDE) in page
    done = carbongrid("targets", barren.directory, "--unit", "04", "--zone", 3, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 unit is below zone 3. With the region kept as it is it needs," in done.stdout
    assert f"04 04: ESC by emission: none is enough, {NONE_TO_DIVIDE}" in done.stdout
    assert "nan" not in done.stdout
    assert "t of sink, such as" in done.stdout


def test_that_all_rows_hold_together_is_said_only_where_they_do(barren, small_run) -> None:
    """Seen to fail: it was said of every run, though no cut lifts a unit without a sink."""
    assert TOGETHER in cg.targets(small_run).notes
    found = cg.targets(barren).notes
    assert TOGETHER not in found and {NOT_ALL, BARE} <= {*found}
    # Only a gain of sink has hectares. Seen to fail: of GDP they were told, too.
    by_gdp = cg.targets(barren, zone=2)
    assert NOT_ALL in by_gdp.notes and BARE not in by_gdp.notes and len(by_gdp.table)
    assert all(note_in_chinese(str(note)) for note in (TOGETHER, *found))


def test_esc_alone_decides_for_zone_3_and_units_without_a_zone_are_named(barren, tmp_path, carbongrid) -> None:  # fmt: skip
    """05, whose GDP nobody knows, has an ESC of 0.58. Seen to fail: it was dropped, and '0 units are below zone 3'."""
    found = cg.targets(barren, units=["05"], zone=3)
    assert set(found.table["index"]) == {"esc"} and set(found.table["zone"]) == {0}
    frame = FinishedRun.of(barren).units.set_index("id")
    C, CA = int(frame["emission_g"].sum()), int(frame["sink_g"].sum())
    own_C, own_CA = int(frame.at["05", "emission_g"]), int(frame.at["05", "sink_g"])
    needed = found.table.set_index(["quantity", "reference"])["needed"]
    assert needed["emission", "frozen"] == own_CA * C // CA - own_C
    assert needed["emission", "floating"] == own_CA * (C - own_C) // (CA - own_CA) - own_C
    assert needed["sink", "frozen"] == -(-own_C * CA // C) - own_CA
    assert not any("Nothing is aimed at" in str(note) for note in found.notes)
    told = "Nothing is aimed at in 1 unit (GDP unknown): 05."
    assert told in {str(note) for note in cg.targets(barren).notes} and note_in_chinese(told)
    for asked in (cg.targets, cg.plan_targets):
        with pytest.raises(InputError, match=r"no zone and so no target: 05 \(GDP unknown\)"):
            asked(barren, units=["05"])
    refused = carbongrid(
        "targets", barren.directory, "--unit", "05", "--zone", 2, "--out", tmp_path
    )
    assert refused.returncode == 2 and "zone 3 aims at ESC alone" in refused.stderr


def test_a_run_in_which_no_unit_has_a_zone(tmp_path) -> None:
    """Without GDP each unit has its ESC; without sinks nobody has. Seen to fail: '0 units are below' was said of both."""
    for name in ("no-gdp", "no-sinks"):
        (tmp_path / name).mkdir()
    run = barren_run(tmp_path / "no-gdp", gdp=False)
    assert set(run.units["zone"]) == {0}
    low = run.units["id"][run.units["esc"] < 1].tolist()
    found = cg.targets(run, zone=3)
    assert found.table["unit"].unique().tolist() == low == ["04", "05"]
    run = barren_run(tmp_path / "no-sinks", sinks=False)
    found = cg.targets(run, zone=3)
    told = "Nothing is aimed at in 5 units (its reference region has no sink): 01, 02, 03, 04, 05."
    assert found.table.empty and told in {str(note) for note in found.notes}
    assert TOGETHER not in found.notes and note_in_chinese(told)
    # Seen to fail: notes spoke of each row, and of the hectares of a sink, where there is no row.
    assert [str(note) for note in found.notes] == [told]
    with pytest.raises(InputError, match="its reference region has no sink"):
        cg.targets(run, zone=3, units=["01"])


@pytest.mark.parametrize(("grams", "says"), [(-400_000, "-0.4 t"), (1, "+0.000001 t"), (12_345_678, "+12 t"), (-9_500_000, "-9.5 t")])  # fmt: skip
def test_less_than_a_tonne_is_not_nothing(grams: int, says: str) -> None:
    """Seen to fail: ``-0 t of emission``."""
    row = {"index": "ecc", "quantity": "emission", "needed": grams, "percent": float("nan")}
    assert target_in_words(row) == f"ECC: {says} of emission"
    row |= {"quantity": "sink", "percent": 1e-4, "hectares_industrial": 0.02, "hectares_green": 0.0}
    told = f"ECC: {says} of sink (< +0.01 %), such as < 1 ha of industrial or 0 ha of green"
    assert target_in_words(row) == told
