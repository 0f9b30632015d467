"""Audit trail and intervals held against totals and units, to the gram, of tables by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from carbongrid.pipeline.verification.activity_sums import faults_of_activity
from carbongrid.pipeline.verification.opened import INTERVALS, UNIT_INTERVALS

MINE, AWAY, SINK = "industry/mining", "waste/exported", "sink/forest"
COLUMNS = ["category", "scope", "activity", "region", "mass_t", "gwp", "co2e_t", "gwp_set"]
SOUND = [
    (MINE, "1", "coal", "", "7.000000", "1", "7.000000", "AR5"),
    (MINE, "1", "coal", "D1", "5.000000", "1", "5.000000", "AR5"),  # of the 7
    (MINE, "1", "gas", "", "0.100000", "30", "3.000000", "AR5"),
    (MINE, "1", "memo", "", "9.000000", "", "", ""),
    (AWAY, "3", "landfill", "", "4.000000", "1", "4.000000", "AR5"),
    (SINK, "1", "forest", "", "2.000000", "1", "2.000000", "AR5"),
]


def opened() -> Any:
    """A run of ten tonnes and a sink of two here, four tonnes elsewhere by their scope."""
    audit = pd.DataFrame(SOUND, columns=COLUMNS).assign(sheet="s", row=range(2, 8))
    inventory = pd.DataFrame(
        {
            "category": [MINE, MINE, AWAY, SINK],
            "place": ["here", "here", "elsewhere", "here"],
            "mass_g": [7_000_000, 3_000_000, 4_000_000, 2_000_000],
        }
    )
    tables = {
        INTERVALS: pd.DataFrame({"category": [MINE, AWAY, SINK, "gross", "sink"], "co2e_t": [10.0, 4, 2, 14, 2]}),
        UNIT_INTERVALS: pd.DataFrame({"unit": ["a", "b"], "emission_t": [6.0, 4], "sink_t": [0.5, 1.5]}),
    }  # fmt: skip
    return SimpleNamespace(
        manifest={
            "parameters": {"gwp": "AR5"},
            "categories": [{"name": name, "scope": 3 if name == AWAY else 1} for name in (MINE, AWAY, SINK)],
        },
        terms=[SimpleNamespace(name=name, sink=name == SINK) for name in (MINE, AWAY, SINK)],
        audit=audit,
        inventory=inventory,
        tables=tables,
        intervals=tables.get,
        units=pd.DataFrame({"id": ["a", "b"], "emission_g": [6_000_000, 4_000_000], "sink_g": [500_000, 1_500_000]}),
    )  # fmt: skip


def test_what_is_right_is_told_nothing_of() -> None:
    """A whole's regions are no second mass, and of what lies elsewhere there is an interval."""
    assert list(faults_of_activity(opened())) == []


def in_audit(row: int, column: str, value: str) -> Callable[[Any], None]:
    return lambda run: run.audit.__setitem__(column, [value if k == row else each for k, each in enumerate(run.audit[column])])  # fmt: skip


def in_table(name: str, row: int, column: str, grams: int) -> Callable[[Any], None]:
    def change(run: Any) -> None:
        run.tables[name].loc[row, column] += grams / 1e6

    return change


def without(name: str, row: int) -> Callable[[Any], None]:
    return lambda run: run.tables.__setitem__(name, run.tables[name].drop(row))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (in_audit(0, "co2e_t", "7.000003"), "co2e_t is 7.000003, its mass by its potential 7"),
        (in_audit(0, "co2e_t", "6.999997"), "co2e_t is 6.999997, its mass by its potential 7"),
        (in_audit(0, "category", AWAY), f"{MINE}: audit.csv has "),
        (in_audit(4, "category", "waste/other"), f"{AWAY}: audit.csv has 0 t, inventory.csv 4 t"),
        (in_audit(4, "category", "waste/other"), "waste/other: audit.csv has 4 t, inventory.csv 0 t"),
        (in_audit(4, "gwp_set", "AR4"), "audit.csv is by the GWP set AR4, the run by AR5"),
        (in_table(INTERVALS, 0, "co2e_t", 3), f"{MINE}: uncertainty.csv has 10.000003 t, inventory.csv 10 t"),
        (in_table(INTERVALS, 1, "co2e_t", -3), f"{AWAY}: uncertainty.csv has 3.999997 t, inventory.csv 4 t"),
        (in_table(INTERVALS, 3, "co2e_t", 3), "gross: uncertainty.csv has 14.000003 t, its categories 14 t"),
        (in_table(INTERVALS, 4, "co2e_t", 3), "sink: uncertainty.csv has 2.000003 t, its categories 2 t"),
        (without(INTERVALS, 0), f"{MINE}: uncertainty.csv has 0 t, inventory.csv 10 t"),
        (in_table(UNIT_INTERVALS, 1, "emission_t", 3), "unit b: emission_t has 4.000003 t, in units.csv 4 t"),
        (in_table(UNIT_INTERVALS, 1, "sink_t", -3), "unit b: sink_t has 1.499997 t, in units.csv 1.5 t"),
        (without(UNIT_INTERVALS, 1), "uncertainty_units.csv and units.csv do not hold the same units"),
    ],
)  # fmt: skip
def test_three_grams_and_rows_that_are_missing_are_told(
    change: Callable[[Any], None], told: str
) -> None:
    """Seen to pass where masses ten times as large alone were tried: a category without a line in the audit, and one without an interval."""
    run = opened()
    change(run)
    assert told in "; ".join(faults_of_activity(run))


def test_of_a_plan_the_units_alone_are_asked() -> None:
    """It leaves the audit of its run as it was."""
    run = opened()
    run.manifest["scenario"] = {}
    for change in (in_audit(0, "co2e_t", "8.000000"), in_table(INTERVALS, 0, "co2e_t", 10**6), in_table(UNIT_INTERVALS, 0, "sink_t", 3)):  # fmt: skip
        change(run)
    [told] = faults_of_activity(run)
    assert "unit a: sink_t has 0.500003 t" in told
