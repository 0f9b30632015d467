"""What a finished run answers, against loading and saving its parcels with GeoPandas (R); and of the demo against the goal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import whole_case
from measuring import Measured, Row, measured

import carbongrid as cg
from carbongrid.sources.demo import write_city

OF_R, DEMO_SECONDS = 5.0, 0.05
"""An answer takes at most a fifth of R, for the demo 50 ms."""

Question = Callable[[cg.Result], cg.LiveResult]


def questions(run: cg.Result) -> dict[str, Question]:
    """Return what is asked: one total, every total, another weight, a plan, and a facility less where there is one."""
    totals = {row.category: f"{row.total + 10**6} g CO2e" for row in run.live.ledger_rows}
    first = "industry/manufacturing"
    asked: dict[str, Question] = {
        "one total": lambda result: result.with_totals({first: totals[first]}),
        f"all {len(totals)} totals": lambda result: result.with_totals(totals),
        "a category by area": lambda result: result.with_weights({first: "area"}),
    }
    facilities = run.live.inputs.facilities
    if facilities is not None:
        name, category = facilities["name"].iloc[0], facilities["category"].iloc[0]
        asked["without a facility"] = lambda result: result.without(name, category=category)
    actions = whole_case.plan(run)
    asked[f"a plan of {len(actions)} actions"] = lambda result: result.scenario(actions)
    return asked


def answered(ask: Question, run: cg.Result) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the units with indices and zones, and the ledger."""
    answer = ask(run)
    return answer.units, answer.ledger


def answers(count: int, side: float, units: int, *, small: bool) -> Iterator[Row]:
    """Run a province's case once, then ask; and the demo."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parcels = whole_case.write(folder / "case", count, side, units)
        cg.run(folder / "case" / "case.toml", folder / "run")
        table, out = folder / "case" / "parcels.parquet", folder / "again.parquet"
        yardstick = measured(lambda: gpd.read_parquet(table).to_parquet(out))
        size = f"{parcels} parcels, {units} units, {len(whole_case.CATEGORIES)} categories"
        yield from _rows(folder / "run", size, "GeoPandas, parcels loaded and saved", yardstick, OF_R)  # fmt: skip
        case = write_city(folder / "city", size="small" if small else "full")
        cg.run(case, folder / "demo")
        goal = Measured(DEMO_SECONDS, 0.0, 0)
        yield from _rows(folder / "demo", "the demo", "the goal", goal, 1)


def _rows(run: Path, size: str, peer: str, theirs: Measured, goal: float) -> Iterator[Row]:
    asked = questions(cg.open(run))
    opened = [cg.open(run) for _ in range(3)]
    first = measured(lambda: answered(asked["one total"], opened.pop()))
    note = f"{first.seconds / theirs.seconds:.2f} of it; reads what the run keeps"
    yield Row("live", "one total, the first question", peer, size, first, theirs, None, note)
    result = cg.open(run)
    for work, ask in asked.items():
        # Once for what is read, which is the first question's.
        answered(ask, result)
        ours = measured(lambda ask=ask: answered(ask, result))
        note = f"{ours.seconds / theirs.seconds:.2f} of it"
        yield Row("live", f"{work}: units, zones, ledger", peer, size, ours, theirs, goal, note)
