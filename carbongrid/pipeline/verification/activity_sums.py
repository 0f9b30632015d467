"""What a run of activity data tells of its totals beside inventory.csv: the audit trail and the intervals, held against the totals and the units."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.explained import rows_of_city
from carbongrid.pipeline.verification.opened import AUDIT, INTERVALS, UNIT_INTERVALS, Opened

if TYPE_CHECKING:
    import pandas as pd

_GRAM = 1e-6
"""In tonnes."""


def faults_of_activity(run: Opened) -> Iterator[str]:
    """Yield where the audit trail or an interval is of another mass than the totals or the units; nothing of a run without activity data."""
    # A plan changes totals, and leaves the audit of the run that it was asked of as it was.
    if "scenario" not in run.manifest:
        yield from _audit(run)
        yield from _intervals(run)
    yield from _unit_intervals(run)


@in_own_decimals
def _audit(run: Opened) -> list[str]:
    """Compare the masses of each line with each other, and those of a category's lines with its total."""
    if run.audit is None:
        return []
    faults = []
    of_category: dict[str, list[dict[Any, Any]]] = {}
    records = run.audit.to_dict("records")
    sets = {row["gwp_set"] for row in records} - {"", run.manifest["parameters"].get("gwp")}  # fmt: skip
    if sets:
        faults.append(f"{AUDIT} is by the GWP set {', '.join(sorted(sets))}, the run by {run.manifest['parameters'].get('gwp')}")  # fmt: skip
    for row in records:
        if not row["mass_t"] or not row["co2e_t"]:  # the memo, what was left out, the balance
            continue
        of_category.setdefault(row["category"], []).append(row)
        mass, potential, co2e = (Decimal(row[name]) for name in ("mass_t", "gwp", "co2e_t"))
        # Both are rounded to the gram, and the potential is told in as many digits as it has.
        if abs(mass * potential - co2e) > (potential + 1) * Decimal(_GRAM) + abs(co2e) * Decimal("1e-12"):  # fmt: skip
            faults.append(f"{AUDIT}, {row['category']}, sheet {row['sheet']} row {row['row']}: co2e_t is {co2e}, its mass by its potential {mass * potential}")  # fmt: skip
    told = _inventory(run, elsewhere=True)
    for name in sorted(told.keys() | of_category.keys()):
        lines, _ = rows_of_city(of_category.get(name, []))
        found = float(sum((Decimal(line["co2e_t"]) for line in lines), Decimal(0)))
        # Lines are rounded one by one, sums of regions too.
        faults += _differ(f"{name}: {AUDIT}", found, "inventory.csv", told.get(name, 0.0), grams=len(lines))  # fmt: skip
    return faults


def _intervals(run: Opened) -> Iterator[str]:
    """Compare the middle of each category's interval with its total, and of sums with theirs."""
    table = run.intervals(INTERVALS)
    if table is None:
        return
    here, whole = _inventory(run), _inventory(run, elsewhere=True)
    upstream = {each["name"] for each in run.manifest["categories"] if each["scope"] == 3}
    sinks = {term.name: term.sink for term in run.terms}
    rows = dict(zip(table["category"].tolist(), table["co2e_t"].tolist(), strict=True))
    for name in sinks:
        # What lies elsewhere by its scope has an interval; a side of electricity that is set aside has none.
        told = (whole if name in upstream else here).get(name, 0.0)
        if name in rows or told:
            yield from _differ(f"{name}: {INTERVALS}", rows.get(name, 0.0), "inventory.csv", told)
    for sum_of, sink in {"gross": False, "sink": True}.items():
        if sum_of in rows:
            parts = sum(rows.get(name, 0.0) for name, each in sinks.items() if each == sink)
            yield from _differ(f"{sum_of}: {INTERVALS}", rows[sum_of], "its categories", parts)


def _unit_intervals(run: Opened) -> Iterator[str]:
    """Compare the units that have intervals, and what is in the middle of these, with units.csv."""
    table = run.intervals(UNIT_INTERVALS)
    if table is None:
        return
    if table["unit"].tolist() != run.units["id"].astype(str).tolist():
        yield f"{UNIT_INTERVALS} and units.csv do not hold the same units"
        return
    for quantity in ("emission", "sink"):
        pairs = zip(table["unit"], table[f"{quantity}_t"], run.units[f"{quantity}_g"], strict=True)
        for unit, found, grams in pairs:
            yield from _differ(f"{UNIT_INTERVALS}, unit {unit}: {quantity}_t", float(found), "in units.csv", int(grams) / 1e6)  # fmt: skip


def _inventory(run: Opened, *, elsewhere: bool = False) -> dict[str, float]:
    """Return tonnes by category in inventory.csv, with or without what is elsewhere."""
    rows: pd.DataFrame = run.inventory
    counted = rows if elsewhere else rows[rows["place"] != "elsewhere"]
    return {str(name): sum(map(int, grams)) / 1e6 for name, grams in counted.groupby("category")["mass_g"]}  # fmt: skip


def _differ(what: str, left: float, other: str, right: float, *, grams: int = 2) -> Iterator[str]:
    """Yield that two masses in tonnes are not the same but for rounding."""
    if not math.isclose(left, right, rel_tol=1e-12, abs_tol=grams * _GRAM):
        told, there = (f"{mass:,.6f}".rstrip("0").rstrip(".") for mass in (left, right))
        yield f"{what} has {told} t, {other} {there} t"
