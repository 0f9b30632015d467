"""Margins of a finished run: every boundary of every unit is tried through classify."""

from __future__ import annotations

import csv
import json

import pandas as pd
import pytest
from declared import of_folder

from carbongrid.analysis.margins import margins, write_margins
from carbongrid.cli.analysis_commands import _nearest
from carbongrid.errors import InputError
from carbongrid.method.margins import margins as of_units
from carbongrid.method.zoning import classify
from carbongrid.outputs.reading import read_result
from carbongrid.outputs.tables.plain import read_units_csv


def all_boundaries_hold(run):
    """Return how many boundaries were tried."""
    units = read_units_csv(run / "units.csv")
    cells = {name: units.frame[column].tolist() for name, column in {"emission": "emission_g", "sink": "sink_g", "gdp": "gdp"}.items()}  # fmt: skip
    ids = {unit: position for position, unit in enumerate(units.frame["id"])}
    floating = margins(run).query("reference == 'floating'")
    count = 0
    for row in floating.to_dict("records"):
        if row["at_boundary"] is None:
            continue
        quantity, position, now = row["quantity"], ids[row["unit"]], row["now"]
        assert cells[quantity][position] == now
        further = row["at_boundary"] + (1 if quantity == "emission" else -1)
        sides = []
        for value in (row["at_boundary"], further):
            cells[quantity][position] = value
            zone = classify(*cells.values())[position]
            sides.append(zone in ((1, 2) if row["boundary"] == "ecc" else (1, 3)))
        cells[quantity][position] = now
        assert sides == [True, False], row
        count += 1
    return count


def test_every_boundary_of_the_demo_is_one(full_demo):
    """Every unit of the demo has a zone, GDP and a sink, so each has its four boundaries."""
    assert all_boundaries_hold(full_demo / "run") == 4 * 97


def test_the_table_of_a_run(small_run, tmp_path):
    table = margins(small_run)
    assert list(table) == ["unit", "name", "boundary", "reference", "quantity", "measured_in", "now", "at_boundary", "difference", "percent", "remark", "sinks_below_floor"]  # fmt: skip
    assert set(table["measured_in"]) == {"g yr-1", "CNY"}
    assert margins(read_result(small_run)).equals(table)
    write_margins(table, tmp_path / "margins.csv")
    assert of_folder(tmp_path) == []
    with (tmp_path / "margins.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["difference"] for row in rows] == ["" if v is None else str(v) for v in table["difference"]]  # fmt: skip
    assert {row["name"] for row in rows} == set(read_result(small_run).units["name"])


def test_units_that_emit_nothing_are_near_another_zone_too():
    """Seen to fail: a percentage of 0 is not known, so that no unit had a boundary, where units.csv gave two."""
    units = pd.DataFrame({"id": ["a", "b", "c"], "emission_g": [300_000_000, 0, 0], "sink_g": [0, 50_000_000, 30_000_000], "gdp": pd.array([0, 100, 50], "Int64")})  # fmt: skip
    table = of_units(units).assign(name="")
    told = [line.split() for line in _nearest(table)]
    assert [line for line in told if line[0] in "bc"] == [["c", "ECC", "0", "150", "+150", "t"], ["c", "ESC", "0", "180", "+180", "t"], ["b", "ESC", "0", "500", "+500", "t"], ["b", "ECC", "0", "600", "+600", "t"]]  # fmt: skip
    assert not any(line[0] == "a" for line in told)
    # What is told in percent goes first.
    units["emission_g"] += [0, 600_000_000, 0]
    told = [line.split() for line in _nearest(of_units(units).assign(name=""))][2:]
    assert [line[0] for line in told][-2:] == ["c", "c"] and told[0][-1].endswith("%")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a finished run"):
        margins(tmp_path)


def test_the_command_writes_beside_the_run(small_run, tmp_path, carbongrid):
    out = tmp_path / "margins"
    done = carbongrid("margins", small_run, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "nearest to another zone" in done.stdout
    assert (out / "margins.csv").is_file()
    asked = carbongrid("margins", small_run, "--out", out, "--json")
    told = json.loads(asked.stdout)
    assert told["status"] == "done"
    assert len(told["margins"]) == len(margins(small_run))
    assert carbongrid("margins", tmp_path).returncode == 2
