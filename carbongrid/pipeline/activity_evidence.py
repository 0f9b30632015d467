"""What a scenario carries of the evidence behind the run that it was asked of: gases, draws and audit of activity data, and how sure weights are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from carbongrid.case.readers.formed_totals import Formed
from carbongrid.case.readers.regions import left_by_regions
from carbongrid.case.table_formats import HERE
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.tables import scopes_of_audit
from carbongrid.inventory.uncertainty import PERCENTILES
from carbongrid.method.allocate import apportion
from carbongrid.method.probability.mass_on_land import rule_placed_by
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.outputs.tables.inventory_draws import DRAWS_FILE, read_draws
from carbongrid.outputs.tables.plain import read_interval_csv, read_text_csv
from carbongrid.pipeline.changes import scopes_left
from carbongrid.pipeline.guesses import no_guesses_any_more

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.outputs.result import Result
    from carbongrid.pipeline.live import LiveResult
    from carbongrid.pipeline.plans import Action

_FILES = ("inventory.csv", "audit.csv", "uncertainty.csv", DRAWS_FILE)
_SUMS = {"gross": False, "sink": True}
"""Rows of uncertainty.csv that are sums, and whether of sinks."""


@dataclasses.dataclass(frozen=True)
class ActivityEvidence:
    """What stands for the evidence of activity data in a scenario.

    Parameters
    ----------
    formed
        Audit as it was; draws as multiples of the totals that are now; intervals likewise.
    by_gas
        The totals that are now, of each category by the gases that it had.
    notes
        What of it the plan changed.
    """

    formed: Formed
    by_gas: pd.DataFrame
    notes: tuple[Problem, ...]


def evidence_after(answer: LiveResult, base: Result) -> ActivityEvidence | None:
    """Return what a plan leaves of the evidence of activity data; None for a run of totals.

    A total that changed keeps its shares of gases and its relative uncertainty: a plan says of neither.

    Raises
    ------
    InputError
        If the run keeps no draws of its activity data.
    """
    if answer.inputs.case.inventory is None:
        return None
    missing = [name for name in _FILES if name not in base.manifest["files"]]
    if missing:
        what = f"the run is of activity data and has no {', '.join(missing)}: a plan would lose how sure its totals are"
        raise InputError(what, str(base.directory), "Run the case again, and ask the new run.")
    read = answer.prepared.read
    told, audit = [read(partial(_table, name), name) for name in _FILES[:2]]
    intervals = read(lambda folder: read_interval_csv(folder / _FILES[2]), _FILES[2])
    relative = read(lambda folder: read_draws(folder / DRAWS_FILE), DRAWS_FILE)
    before, after = (_sums(each.totals) for each in (answer.prepared.tables, answer.inputs))
    changed = [name for name in after if after[name] != before.get(name, 0)]
    left = scopes_left(answer.inputs, scopes_of_audit(audit), answer.inputs.totals)
    rows = tuple(
        {"category": name, "scope": scope, "grams": grams} for (name, scope), grams in left.items()
    )
    formed = Formed(
        file=answer.inputs.case.inventory.path,
        rows=rows,
        by_consumption=rows,
        audit=audit,
        intervals=_intervals(intervals, answer, before, after, relative),
        drawn=_drawn(relative, after),
    )
    return ActivityEvidence(formed, _by_gas(told, answer.inputs.totals), tuple(_notes(changed, before, base)))  # fmt: skip


def uncertainty_after(
    answer: LiveResult, base: Result, actions: Sequence[Action] = ()
) -> dict[str, Any]:
    """Return what the manifest says of uncertainty.

    Each category whose land was scaled has a row: it is as sure as before, by the rule that placed it. A total that was a guess and is given now
    is as sure as one of which the table of totals says nothing. What is known of a facility that an action removes is not of another that comes by its name.
    """
    told = dict(base.manifest["uncertainty"] or {})
    given = no_guesses_any_more(answer.prepared.tables.totals, answer.inputs.totals)
    if "totals" in told:
        told["totals"] = [row for row in told["totals"] if (row["category"], row["region"]) not in given]  # fmt: skip
    gone = [each.told for each in actions if each.do == "remove"]
    if gone and "facilities" in told:
        told["facilities"] = [row for row in told["facilities"] if not any(_is_of(row, each) for each in gone)]  # fmt: skip
    told = {name: figures for name, figures in told.items() if figures}
    known, rows = uncertainty_of(base.manifest), []
    for name, category in answer.inputs.categories.items():
        first = answer.prepared.tables.categories[name]
        if category.weight == first.weight:
            continue
        rule = known.of("weights", name, rule_placed_by(first, answer.prepared.ledger[name]))
        rows.append({**dataclasses.asdict(rule), "of": name})
    return {**told, "rules": [*rows, *told.get("rules", ())]} if rows else told


def _is_of(row: Mapping[str, Any], removed: Mapping[str, Any]) -> bool:
    """Whether a row of a facility's uncertainty is of the one that an action names; without a category, of all of that name."""
    return row["name"] == removed["facility"] and row["category"] in removed.get("category", (row["category"],))  # fmt: skip


def _table(name: str, folder: Path) -> pd.DataFrame:
    return read_text_csv(folder / name)


def _sums(totals: pd.DataFrame) -> dict[str, int]:
    """Return grams of each category here, as intervals and draws are of; a whole includes its regions."""
    here = totals[totals["place"] == HERE]
    sums = left_by_regions(here, ("category", "place")).groupby("category")["grams"].sum()
    return {str(name): int(grams) for name, grams in sums.items()}


def _by_gas(told: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the inventory under other totals, each in proportion."""
    keys = ["category", "region", "place"]
    rows = told.assign(
        grams=[int(Decimal(cell) * 10**6) for cell in told["mass_t"]],
        year=[int(cell) if cell else 0 for cell in told["year"]],
    )[[*keys, "gas", "grams", "year", "source"]]
    parts = []
    for row in left_by_regions(totals, ("category", "place")).to_dict("records"):
        own = rows[(rows[keys] == [row[key] for key in keys]).all(axis=1)]
        if int(own["grams"].sum()) == row["grams"]:
            parts.append(own)
        elif not own["grams"].any():
            parts.append(pd.DataFrame([{name: row[name] for name in rows}]))
        else:
            grams = apportion(int(row["grams"]), own["grams"].to_numpy(np.int64))
            parts.append(own.assign(grams=grams, source=""))
    return pd.concat(parts, ignore_index=True)


def _drawn(relative: dict[str, Any], after: dict[str, int]) -> xr.DataArray:
    """Return draws of the totals that are now."""
    names = [name for name in relative if after.get(name)]
    totals = np.array([after[name] / 1e6 for name in names])
    draws = len(next(iter(relative.values()))) if relative else 0
    values = np.stack([relative[name] for name in names], axis=1) * totals if names else np.zeros((draws, 0))  # fmt: skip
    coordinates = {"category": names, "total": ("category", totals)}
    return xr.DataArray(values, dims=("draw", "category"), coords=coordinates, name="emission")


def _intervals(
    told: pd.DataFrame, answer: LiveResult, before: dict[str, int], after: dict[str, int],
    relative: dict[str, Any],
) -> pd.DataFrame:  # fmt: skip
    """Return the intervals under other totals: of a category in proportion; of sums those of the draws alone, since error propagation needs the activity data."""
    numbers, found = told.drop(columns="category"), told.copy()
    kinds = {name: each.sink for name, each in answer.inputs.categories.items()}
    for row, name in enumerate(told["category"]):
        if name in kinds:
            if after.get(name, 0) != before.get(name, 0) and before.get(name):
                found.loc[row, numbers.columns] = numbers.loc[row] * (after.get(name, 0) / before[name])  # fmt: skip
            continue
        own = [each for each, sink in kinds.items() if sink == _SUMS.get(name)]
        if all(after.get(each, 0) == before.get(each, 0) for each in own):
            continue
        total = sum(after.get(each, 0) for each in own) / 1e6
        spread = sum((after.get(each, 0) / 1e6 * (relative[each] - 1) for each in own if each in relative), np.zeros(1))  # fmt: skip
        low, high = np.quantile(total + spread, PERCENTILES)
        found.loc[row, ["co2e_t", "low_1_t", "high_1_t", "low_2_t", "high_2_t"]] = [total, np.nan, np.nan, low, high]  # fmt: skip
    return found


def _notes(changed: list[str], before: dict[str, int], base: Result) -> list[Problem]:
    """Return what a reader of the evidence must know."""
    if not changed:
        return []
    name = base.directory.name
    told = f"The activity data are those of {name}: audit.csv tells how its totals were formed, of which the plan changed {len(changed)} ({', '.join(changed)})."
    kept = "What a plan changed keeps the shares of gases and the relative uncertainty that it had: what new or scaled mass is made of, and how sure it is, the plan does not say."
    said = [told, kept]
    fresh = [each for each in changed if not before.get(each)]
    if fresh:
        said.append(f"{name} has nothing of {', '.join(fresh)}, and so no draws: the intervals take it as exact, the probabilities as the table of uncertainty says.")  # fmt: skip
    return [Problem(text, level="note") for text in said]
