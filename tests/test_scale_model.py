"""The plan of docs/scale.md is what the model computes, and the model foretold the runs that it was held against."""

from __future__ import annotations

import json
import sys

import pytest
from data import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import scale_model


@pytest.fixture(scope="module")
def found() -> dict:
    return json.loads(scale_model.COSTS.read_text(encoding="utf-8"))


def test_the_page_holds_the_table_that_the_model_makes(found: dict) -> None:
    page = scale_model.PAGE.read_text(encoding="utf-8")
    told = page.split(scale_model.BEGIN)[1].split(scale_model.END)[0].strip()
    assert told == scale_model.table(found)


def test_two_runs_were_foretold_within_30_percent(found: dict) -> None:
    checked = found["checked"]
    assert [round(run["resolution"], 1) for run in checked] == [
        size[1] for size in scale_model.CHECKED
    ]
    for run in checked:
        guess = scale_model.predicted(found["costs"], run["parcels"], run["cells"])
        assert guess == pytest.approx(run["seconds"], rel=0.3)


def test_unit_costs_are_those_of_the_fitted_runs(found: dict) -> None:
    costs = scale_model.fitted(found["fitted"])
    assert costs == pytest.approx(found["costs"])
    for run in found["fitted"]:
        assert scale_model.predicted(costs, run["parcels"], run["cells"]) == pytest.approx(
            run["seconds"]
        )


def test_no_plan_has_too_many_tasks_or_sends_too_much(found: dict) -> None:
    for size in scale_model.SIZES:
        row = scale_model.plan(size, found)
        assert row["tasks"] < 5000
        assert row["sent"] < 10e6
        assert row["hours"] > 0
