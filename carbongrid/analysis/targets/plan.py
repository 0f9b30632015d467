"""A joint plan: the least that lifts all units at once against the region that is kept, within limits, and tried by applying it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.analysis.frozen import frozen_zones
from carbongrid.analysis.targets.actions import (
    STEPS,
    conversions,
    cuts,
    hectares_converted,
    land_steps,
    other_steps,
    raises,
)
from carbongrid.analysis.targets.effects import Effects
from carbongrid.analysis.targets.limits import EACH, UNLIMITED, Limit, read_limits
from carbongrid.analysis.targets.model import HIGH, Model, currency_units_of_one
from carbongrid.analysis.targets.program import Need, Program, Solution
from carbongrid.analysis.targets.targets import (
    INDICES,
    require_units,
    require_zones,
    without_zone,
    zones_to_lift,
)
from carbongrid.analysis.targets.whole_parcels import solve
from carbongrid.errors import InputError, Problem, RunError, listed
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.percents import percent_problems
from carbongrid.method.answers import Answer
from carbongrid.method.margins import NONE_TO_DIVIDE
from carbongrid.method.zoning import by_esc_alone
from carbongrid.pipeline.live import LiveResult
from carbongrid.pipeline.opening import open_same_run
from carbongrid.pipeline.step import Progress
from carbongrid.pipeline.work import silent

_TRIES = 6
"""Of plans, each with more to spare than the one before, until one that was applied reaches its targets."""

_ALIKE = 1e-6
"""Costs that differ by so little are alike: HiGHS takes a millionth for nothing."""

KEPT = Problem("The plan is against the region as it is: with the region following, other units' zones move as well, and all at 1 at once is impossible unless all are equal.", level="note")  # fmt: skip
COSTS = Problem("What is least is the sum of the costs in the table, which are the user's; without costs it is tonnes, or hectares. Another plan may cost the same.", level="note")  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class TargetPlan(Answer):
    """A joint plan, and what it does.

    Parameters
    ----------
    run
        The run.
    zone
        The zone that is aimed at.
    feasible
        Whether the limits allow it, for the units that anything lifts: of others ``short`` has a remark.
    actions
        The plan, as :meth:`carbongrid.LiveResult.scenario` takes it; empty where it is not feasible.
    answer
        What the plan makes of the run; None where it is not feasible.
    units
        One row per unit: unit, name, target, zone, zone_frozen and zone_floating after the plan, emission, sink and GDP of both and their change, and ``to_spare_ecc_g``, ``to_spare_esc_g``: how much more the unit
        might emit, or would have to emit less (below 0), for the index to be just high against the region that is kept.
    steps
        One row per action and unit: limit (row of the table), do, unit, name, category, from, to, parcels, hectares, cut_g, gdp, cost.
    limits
        One row per row of the table and unit (blank: all together): most, measured_in, used, binds.
    kept
        Land that may not be converted: limit, parcels, hectares.
    short
        Units that are left out, since nothing that is allowed lifts them, and, where it is not feasible, what is missing: unit, name, index, missing_g (emission beyond the target whatever is done; None of those left out),
        remark (why a unit is left out).
    notes
        What has to be said beside the numbers.
    cost
        Of all steps; None where there is no plan, or the table of limits has no costs.
    least_cost
        What no plan within the limits costs less than, whichever parcels it converts, with cuts as on the land before conversion: ``cost`` is as much, or more. None as for ``cost``.
    """

    run: FinishedRun
    zone: int
    feasible: bool
    actions: tuple[Mapping[str, Any], ...]
    answer: LiveResult | None
    units: pd.DataFrame
    steps: pd.DataFrame
    limits: pd.DataFrame
    kept: pd.DataFrame
    short: pd.DataFrame
    notes: tuple[Problem, ...]
    cost: float | None = None
    least_cost: float | None = None


@in_own_decimals
def plan_targets(
    run: Asked,
    *,
    units: Collection[str] = (),
    zone: int = 1,
    limits: str | Path | None = None,
    progress: Progress | None = None,
) -> TargetPlan:
    """Return the least that lifts units to a zone all at once, the region being kept as it is, within limits.

    Parameters
    ----------
    run
        A run directory, what :func:`carbongrid.open` returned, or an answer of it.
    units
        Codes; without any all that are below the zone.
    zone
        1: both indices at 1; 2: ECC; 3: ESC. A unit that reaches more is not held back.
    limits
        A table of what may be cut, converted or raised and at most how much, and of land that is kept (docs/howto/plan.md). Without it each unit cuts all of its emission alike.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    TargetPlan
        Where the limits allow no plan, what is missing and which limits are in the way.

    Raises
    ------
    InputError
        If the directory is not a finished run or one to be published, if a unit is none of it, the zone is no target, or the table says what the run has not.

    Notes
    -----
    A linear program (HiGHS) over the cut of each unit, conversions of parcels, and GDP, with what a parcel across a border does to both units. Its answer is rounded to whole parcels, or to the cheapest choice of few, and outward to what a plan says, and
    applied as a scenario: a plan that is returned has been found to reach every target in whole grams, and leaves no index low that is high now.
    """
    if zone not in INDICES:
        raise InputError(f"zone {zone} is no target: no index is high in it", "zone", "Give 1, 2 or 3.")  # fmt: skip
    tell = progress or silent
    tell("reading", 0, 1)
    told = FinishedRun.of(run)
    require_units(told, units)
    decided = zones_to_lift(told, zone)
    require_zones(decided, units)
    answer = (
        told.answer
        if told.answer is not None
        else open_same_run(_directory(told), told.manifest).live
    )
    frame = told.units
    section = answer.inputs.case.gdp
    currency = "" if section is None else section.currency
    rows = UNLIMITED if limits is None else read_limits(Path(limits), frame["id"], currency)
    parts = ((f"row {row.row}", float(row.most or 0)) for row in rows if row.measured_in == "%")
    doubts = percent_problems(parts, "most", "" if limits is None else Path(limits).name)
    low = _low(decided, INDICES[zone], units)
    if not low:
        # No action is looked for where nothing is to be lifted: there may be nothing to cut.
        rows = ()
    zones = {index: zones_to_lift(told, of)["zone"].tolist() for index, of in (("ecc", 1), ("esc", 3))}  # fmt: skip
    model = Model(
        Effects(answer), frame, low, INDICES[zone], told.parameters["reference"],
        told.parameters.get("ties", ">="), rows, currency, zones,
    )  # fmt: skip
    tell("reading", 1, 1)
    found = _Search(told, zone, model, tell).plan()
    low_esc = [row for row in low if "esc" in INDICES[zone] and decided["zone"].iloc[row] not in HIGH["esc"]]  # fmt: skip
    warnings = told.warnings_of_esc(frame["id"].iloc[low_esc])
    return dataclasses.replace(
        found, notes=(*found.notes, *doubts, *warnings, *without_zone(decided))
    )


def _directory(told: FinishedRun) -> Path:
    assert told.directory is not None, "it is no answer"
    return told.directory


def _low(frame: pd.DataFrame, aims: Sequence[str], units: Collection[str]) -> list[int]:
    """Return the rows of the units that are to be lifted: of those asked for, all with an index that is low; those without a zone have no target."""
    zones = frame["zone"].astype(int).tolist()
    asked = frame["id"].isin(list(units)) if units else pd.Series(True, frame.index)
    return [row for row, zone in enumerate(zones) if asked.iloc[row] and zone and any(zone not in HIGH[index] for index in aims)]  # fmt: skip


class _Search:
    """Solves, rounds, applies, and solves again with more to spare where a gram is missing."""

    def __init__(self, told: FinishedRun, zone: int, model: Model, tell: Progress) -> None:
        self.told, self.zone, self.model, self.tell = told, zone, model, tell
        self.left_out: list[Need] = []
        while beyond := self._read():
            # What is allowed in each unit that is lifted may have helped its neighbours: so once more.
            self.left_out += beyond
            rows = {need.unit for need in beyond}
            self.model = dataclasses.replace(self.model, lifted=[row for row in self.model.lifted if row not in rows])  # fmt: skip

    def _read(self) -> tuple[Need, ...]:
        """Make the program of the units that are to be lifted; return the targets that nothing in it reaches."""
        model = self.model
        self.needs = model.needs()
        self.base = model.base_cuts()
        self.kept = model.kept()
        self.first = model.program(self.needs, self.base, self.kept, convert=True)
        return self.first.beyond_reach()

    def plan(self) -> TargetPlan:
        """Return the plan, or what is in the way of one."""
        if self.left_out and not self.model.lifted:
            return self._none(Solution(np.zeros(0)))
        size = np.bincount(np.maximum(self.model.effects.unit_of_parcel, 0), minlength=len(self.model.units))  # fmt: skip
        # A gram on each parcel of a unit is what rounding may move; beside it the solver's own tolerance. Who emits nothing more has no more to spare than what the unit may emit.
        margin = [
            min(2.0 * float(size[need.unit]) + 1e-9 * need.emission, float(need.ratio * need.part))
            for need in self.needs
        ]
        step = 1000.0
        for tried in range(_TRIES):
            self.tell("trying plans", tried, _TRIES)
            found = solve(self.first, margin)
            if found.short:
                if not tried and sum(each.grams for each in found.short) <= sum(margin):
                    # Limits are to blame where they are short of the target itself; what is reached is seen to the gram.
                    margin, step = [0.0] * len(margin), 1.0
                    continue
                return self._infeasible(found)
            land = conversions(self.model, self.first, found.x)
            between = self.model.effects.answer.scenario(land) if land else self.model.effects.answer  # fmt: skip
            model = dataclasses.replace(self.model, effects=Effects(between))
            second, rest = self.first, found
            if land:
                second = model.program(self._needs_after(between), self.base, self.kept, convert=False)  # fmt: skip
                rest = solve(second, margin)
                if rest.short:
                    return self._infeasible(dataclasses.replace(rest, in_parts=True))
            actions = [*land, *cuts(self.model, second, rest.x), *raises(self.model, second, rest.x)]  # fmt: skip
            after = self.model.effects.answer.scenario(actions) if actions else self.model.effects.answer  # fmt: skip
            units = FinishedRun.of(after).units
            zones = self._frozen(self.model.units, units)
            by = {"ecc": zones, "esc": self._frozen(by_esc_alone(self.model.units), by_esc_alone(units))}  # fmt: skip
            low = [by[need.index][need.unit] not in HIGH[need.index] for need in self.needs]
            if not any(low):
                self.tell("trying plans", _TRIES, _TRIES)
                return self._feasible(actions, after, zones, (found, second, rest), model)
            margin = [
                more + (2.0 * max(-_to_spare(need, units), 0) + step if missed else 0.0)
                for need, more, missed in zip(self.needs, margin, low, strict=True)
            ]
        raise RunError("no plan was found that reaches the targets to the gram when it is applied: give the limits a little more room")  # fmt: skip

    def _frozen(self, base: pd.DataFrame, units: pd.DataFrame) -> list[int]:
        """Return the zones of units against the region that is kept."""
        zones = frozen_zones(base, units, self.model.reference, self.model.ties)
        return [int(zone) for zone in zones]

    def _needs_after(self, between: LiveResult) -> tuple[Need, ...]:
        """Return the needs when land is converted, of the region as it was."""
        units = FinishedRun.of(between).units
        found = []
        for need in self.needs:
            emission, part = _amounts(need, units)
            found.append(dataclasses.replace(need, part=part, emission=emission))
        return tuple(found)

    def _infeasible(self, found: Solution) -> TargetPlan:
        return self._none(found, _in_the_way(self._short(found), found, self.model.units["id"]))

    def _none(self, found: Solution, why: Sequence[Problem] = ()) -> TargetPlan:
        return TargetPlan(
            self.told, self.zone, False, (), None, self._units(None, None), pd.DataFrame(columns=STEPS),
            self._limits(None, found.binding), self._kept(), self._short(found), (*self._notes(), *why),
        )  # fmt: skip

    def _short(self, found: Solution | None = None) -> pd.DataFrame:
        """Return the targets that are left out, and of a solution those that are missed."""
        missed = [(each.need, round(each.grams), "") for each in (() if found is None else found.short)]  # fmt: skip
        units = self.model.units
        rows = [
            (units["id"].iloc[need.unit], units["name"].iloc[need.unit], need.index, grams, remark)
            for need, grams, remark in [*((need, None, NONE_TO_DIVIDE) for need in self.left_out), *missed]
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["unit", "name", "index", "missing_g", "remark"], dtype=object)  # fmt: skip

    def _feasible(
        self,
        actions: Sequence[Mapping[str, Any]],
        after: LiveResult,
        zones: list[int],
        solved: tuple[Solution, Program, Solution],
        converted: Model,
    ) -> TargetPlan:
        first, second, rest = solved
        # What is cut is cut of what is left once land is converted.
        steps = [*land_steps(self.model, self.first, first.x), *other_steps(converted, second, rest.x)]  # fmt: skip
        used: dict[tuple[int, int], float] = {}
        for key, step in steps:
            limit, unit = key
            at = (limit.row, unit if limit.unit == EACH else -1)
            if step["do"] != "convert":
                used[at] = used.get(at, 0) + ((step["cut_g"] if step["do"] == "cut" else step["gdp"]) or 0)  # fmt: skip
        used |= hectares_converted(self.model, self.first, first.x)
        table = pd.DataFrame([step for _, step in steps], columns=STEPS, dtype=object)
        has_costs = any(limit.cost is not None for limit in self.model.limits)
        cost = float(table["cost"].sum())
        # Cuts of the first program are of the land before conversion, which differs for parcels across a border.
        least = min(first.least, cost)
        return TargetPlan(
            self.told, self.zone, True, tuple(actions), after, self._units(after, zones), table,
            self._limits(used, (*first.binding, *rest.binding)), self._kept(), self._short(), self._notes((cost, least)),
            cost=cost if has_costs else None, least_cost=least if has_costs else None,
        )  # fmt: skip

    def _units(self, after: LiveResult | None, zones: list[int] | None) -> pd.DataFrame:
        """Return the units before and after."""
        before = self.model.units
        now = before if after is None else FinishedRun.of(after).units
        known = after is not None
        zone = before["zone"].astype(int)
        columns: dict[str, Any] = {
            "unit": before["id"],
            "name": before["name"],
            "target": np.isin(np.arange(len(before)), self.model.lifted),
            "zone": zone,
            "zone_frozen": zones if known else pd.array([pd.NA] * len(before), "Int64"),
            "zone_floating": now["zone"].astype(int) if known else pd.array([pd.NA] * len(before), "Int64"),
        }  # fmt: skip
        for name in ("emission_g", "sink_g", "gdp"):
            columns[name] = before[name]
            columns[f"{name.removesuffix('_g')}_change{'_g' if name.endswith('_g') else ''}"] = now[name] - before[name]  # fmt: skip
        spare = {(need.unit, need.index): _to_spare(need, now) for need in self.needs}
        for index in HIGH:
            left = [spare.get((row, index)) for row in range(len(before))]
            columns[f"to_spare_{index}_g"] = pd.Series(left, before.index, dtype=object)
        return pd.DataFrame(columns)

    def _limits(
        self, used: Mapping[tuple[int, int], float] | None, binding: Sequence[tuple[Limit, int]]
    ) -> pd.DataFrame:
        """Return what of each limit is used, and which bind; with ``*`` of each unit."""
        model, rows = self.model, []
        tight = {(limit.row, unit if limit.unit == EACH else -1) for limit, unit in binding}
        for limit in model.limits:
            if limit.do == "keep":
                continue
            places = model.places_of(limit)
            in_percent = limit.do == "convert" and limit.measured_in == "%"
            there = model.hectares_of_code(limit) if in_percent else np.full(len(places), np.nan)
            for unit, hectares in zip(places, there.tolist(), strict=True):
                key = (limit.row, unit)
                code = limit.unit if unit < 0 else model.units["id"].iloc[unit]
                amount, measure = _measured(
                    self, limit, unit, hectares, math.nan if used is None else used.get(key, 0.0)
                )
                most = np.nan if limit.most is None else float(limit.most)
                rows.append({"row": limit.row, "do": limit.do, "what": limit.category if limit.do == "cut" else f"{limit.code} to {limit.to}" if limit.do == "convert" else "", "unit": code, "most": most, "used": amount, "measured_in": measure, "binds": key in tight})  # fmt: skip
        return pd.DataFrame(rows)

    def _kept(self) -> pd.DataFrame:
        rows = []
        area = self.model.hectares
        wanted = np.zeros(area.size, np.bool_)
        for limit in self.model.limits:
            if limit.do == "convert":
                wanted |= self.model.convertible(limit)
        for each in self.kept:
            both = each.parcels & wanted
            rows.append({"row": each.limit.row, "polygons": "" if each.limit.polygons is None else each.limit.polygons.name, "code": each.limit.code, "parcels": int(each.parcels.sum()), "hectares": float(area[each.parcels].sum()), "parcels_else_converted": int(both.sum()), "hectares_else_converted": float(area[both].sum())})  # fmt: skip
        return pd.DataFrame(rows, columns=["row", "polygons", "code", "parcels", "hectares", "parcels_else_converted", "hectares_else_converted"])  # fmt: skip

    def _notes(self, costs: tuple[float, float] | None = None) -> tuple[Problem, ...]:
        _, fallen = self.model.effects.can_be_cut()
        said = [KEPT, COSTS]
        if self.left_out:
            ids = self.model.units["id"]
            names = [f"{ids.iloc[need.unit]} {need.index.upper()}" for need in self.left_out]
            said.append(Problem(f"Left out of the plan, since nothing that is allowed lifts them: {_some(names)} ({NONE_TO_DIVIDE}).", level="warning"))  # fmt: skip
        if costs is not None and any(limit.do == "convert" for limit in self.model.limits):
            said.append(_how_dear(*costs))
        if fallen:
            said.append(Problem(f"Some of {', '.join(fallen)} lies on land of the parent type, or on none: no land of it is cut.", level="warning"))  # fmt: skip
        for row in self._kept().to_dict("records"):
            what = row["polygons"] or row["code"]
            kept = f"1 parcel ({row['hectares']:,.0f} ha) is kept by {what}"
            if row["parcels"] > 1:
                kept = f"{row['parcels']:,} parcels ({row['hectares']:,.0f} ha) are kept by {what}"
            said.append(Problem(f"{kept}, of which {row['parcels_else_converted']} ({row['hectares_else_converted']:,.0f} ha) might else be converted.", level="note"))  # fmt: skip
        return tuple(said)


def _how_dear(cost: float, least: float) -> Problem:
    """Say how much more a plan of whole parcels costs than the cheapest one can, rounded up to two digits."""
    if cost - least <= _ALIKE * cost:
        told = "Parcels are converted whole: no choice of them costs less."
    elif least <= 0:
        told = (
            "Parcels are converted whole: whether another choice of them costs less is not known."
        )
    else:
        percent = 100 * (cost - least) / least
        digits = 1 - math.floor(math.log10(percent))
        up = f"{math.ceil(percent * 10.0**digits) / 10.0**digits:.{max(digits, 0)}f}"
        told = f"Parcels are converted whole: this plan costs at most {up} % more than the cheapest choice of them."
    return Problem(told, level="note")


def _in_the_way(short: pd.DataFrame, found: Solution, ids: pd.Series[str]) -> tuple[Problem, ...]:
    """Say that there is no plan, where, and which rows of the table are in the way."""
    names = [f"{row['unit']} {row['index'].upper()} {_tonnes(row['missing_g'])} t" for row in short.to_dict("records") if row["missing_g"]]  # fmt: skip
    rows: dict[int, list[str]] = {}
    for limit, unit in found.binding:
        own = rows.setdefault(limit.row, [])
        own += [str(ids.iloc[unit])] if unit >= 0 and limit.unit == EACH else []
    way = [f"{row} ({_some(units)})" if units else f"{row}" for row, units in sorted(rows.items())]
    said = [f"No plan within the limits reaches the targets. The one that comes nearest leaves too much emission: {_some(names)}."]  # fmt: skip
    if found.in_parts and found.proven:
        said = [f"No plan of whole parcels reaches the targets, though parts of parcels would. What was tried leaves too much emission: {_some(names)}."]  # fmt: skip
    elif found.in_parts:
        said = [f"No plan of whole parcels was found, though parts of parcels would do, so that there may be one. What was tried leaves too much emission: {_some(names)}."]  # fmt: skip
    if not names:
        said = ["Within the limits the targets are missed by no more than what rounding may move: give the limits a little more room."]  # fmt: skip
    said.append(f"In the way are these rows of the table of limits: {', '.join(way)}." if 0 not in rows and way else "All that is allowed is not enough.")  # fmt: skip
    return tuple(Problem(text, level="warning") for text in said)


def _tonnes(grams: int) -> str:
    """Return tonnes, of less than one to the gram."""
    return f"{grams / 1e6:,.0f}" if grams >= 10**6 else f"{grams / 1e6:.6f}".rstrip("0")


def _some(names: Sequence[str]) -> str:
    return listed(names, more=f" … ({len(names)})")


def _measured(
    search: _Search, limit: Limit, unit: int, hectares: float, used: float
) -> tuple[float, str]:
    """Return what is used of a limit in what it is measured in; hectares are those of its code in the unit, what per cents of them are of."""
    model = search.model
    units = model.units_of(limit) if unit < 0 else [unit]
    if limit.do == "cut":
        whole = sum(search.base[limit.row, each] for each in units)
        return (used / 1e6, "t") if limit.measured_in == "t" else (100 * used / whole if whole else 0.0, "%")  # fmt: skip
    if limit.do == "convert":
        return (used, "ha") if limit.measured_in == "ha" else (100 * used / hectares if hectares else 0.0, "%")  # fmt: skip
    now = sum(int(model.units["gdp"].iloc[each]) for each in units if not pd.isna(model.units["gdp"].iloc[each]))  # fmt: skip
    if limit.measured_in == "%":
        return (100 * used / now if now else 0.0), "%"
    return used / currency_units_of_one(model.currency), limit.measured_in


def _amounts(need: Need, units: pd.DataFrame) -> tuple[int, int]:
    """Return the emission of a unit, and its GDP or sink."""
    part = units["gdp" if need.index == "ecc" else "sink_g"].iloc[need.unit]
    return int(units["emission_g"].iloc[need.unit]), int(part)


def _to_spare(need: Need, units: pd.DataFrame) -> int:
    """Return how much more a unit might emit with the index just high, whole grams."""
    emission, part = _amounts(need, units)
    return math.floor(need.ratio * part) - emission
