"""``targets``: the least cut of emission, gain of sink or of GDP that lifts each unit's low indices to 1, in tonnes and in hectares."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.answers import Answer
from carbongrid.method.margins import margins
from carbongrid.method.zoning import by_esc_alone, zone_units
from carbongrid.outputs.reading import as_written
from carbongrid.outputs.tables.layers import PARCELS_FILE
from carbongrid.raster.opening.parquet import open_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.targets.plan import TargetPlan

PLAN_FILE = "targets_plan.toml"

INDICES = {1: ("ecc", "esc"), 2: ("ecc",), 3: ("esc",)}
"""Indices that are high in each zone; in zone 4 none is, so that it is no target."""

NOT_ALL = Problem(
    "With the region following, each row is for one unit alone: that all units are at 1 at once is impossible, unless all are equal.",
    level="note",
)
TOGETHER = Problem("With the region kept as it is the rows hold together: all can be at 1 at once.", level="note")  # fmt: skip
NO_LAND = Problem("The run has no parcels, so that no hectares are known.", level="note")
BARE = Problem("Hectares are of land that took up nothing before, at the run's mean uptake of each land type; young land takes up less, and whether there is such land is not looked at.", level="note")  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Targets(Answer):
    """What would lift units to a zone.

    Parameters
    ----------
    run
        The run.
    zone
        The zone that is aimed at.
    table
        One row for each unit that has not, index that is low, quantity (emission, sink, gdp) and reference (floating, frozen): unit, name, zone, index, quantity, reference, measured_in,
        now, needed (the least change, signed, Python integers; None where no change is enough, ``remark`` says why), percent, sinks_below_floor (ESC ranks noise there), and hectares of each land type for a gain of sink.
    rates
        Uptake of a hectare by territorial type, g yr-1, as the run has it.
    notes
        What has to be said beside the numbers.
    """

    run: FinishedRun
    zone: int
    table: pd.DataFrame
    rates: dict[str, float]
    notes: tuple[Problem, ...]


def targets(run: Asked, *, units: Collection[str] = (), zone: int = 1) -> Targets:
    """Return the least changes that lift units to a zone, each by itself, all other units as they are.

    Parameters
    ----------
    run
        A run directory, what :func:`carbongrid.open` returned, or an answer of it.
    units
        Codes; all units without.
    zone
        1: both indices at 1; 2: ECC; 3: ESC.

    Returns
    -------
    Targets
        With ``needed`` the index is high, with one gram or currency unit less it is low.

    Raises
    ------
    InputError
        If the directory is not a finished run, a unit is none of it or has nothing to be lifted, or the zone is no target.

    Notes
    -----
    Zone 3 is a target of ESC alone, which a unit of unknown GDP has too; for the others a unit needs a zone. Units that have neither are named.
    The boundaries are those of :func:`carbongrid.margins`. Where both indices are low and emission is cut for both, the larger cut is enough for both; a gain of sink lifts ESC alone, one of GDP ECC.
    Hectares are the gain over the mean uptake per hectare of a land type in the run.
    """
    if zone not in INDICES:
        raise InputError(f"zone {zone} is no target: no index is high in it", "zone", "Give 1, 2 or 3.")  # fmt: skip
    told = FinishedRun.of(run)
    frame = told.units
    require_units(told, units)
    decided = zones_to_lift(told, zone)
    require_zones(decided, units)
    seen = by_esc_alone(frame) if zone == 3 else frame
    found = margins(seen, told.parameters["reference"], told.parameters.get("ties", ">="))
    uptake = _uptake(told)
    rates = uptake or {}
    named: dict[Any, dict[Any, Any]] = frame.set_index("id")[["name", "zone"]].to_dict("index")
    zones = dict(zip(frame["id"], decided["zone"].tolist(), strict=True))
    few = dict(zip(frame["id"], told.sinks_below_floor.tolist(), strict=True))
    rows = []
    for row in found.to_dict("records"):
        wanted = not units or row["unit"] in units
        if not wanted or row["boundary"] not in INDICES[zone] or not _is_low(row, zones):
            continue
        needed = _needed(row, named, told.manifest["currency"] or "currency units", rates)
        rows.append(needed | {"sinks_below_floor": few[row["unit"]]})
    columns = ["unit", "name", "zone", "index", "quantity", "reference", "measured_in", "now", "needed", "percent", "remark", "sinks_below_floor"]  # fmt: skip
    land = [f"hectares_{kind}" for kind in rates]
    # As objects: beside a None whole numbers would become floats, which have no None and are no integers beyond 2^53.
    table = pd.DataFrame(rows, columns=[*columns, *land], dtype=object)
    table = table.astype(
        {"zone": int, "sinks_below_floor": bool, **dict.fromkeys(["percent", *land], float)}
    )
    each_has_a_way = len(table) > 0 and all(needed is not None for needed in table["needed"])
    of_land = NO_LAND if uptake is None else BARE
    notes = (
        *told.warnings_of_esc(table["unit"][table["index"] == "esc"]),
        *without_zone(decided),
        *((NOT_ALL,) if len(table) else ()),
        *((TOGETHER,) if each_has_a_way else ()),
        *((of_land,) if (uptake is None or rates) and (table["quantity"] == "sink").any() else ()),
    )
    return Targets(told, zone, table, rates, notes)


def require_units(run: FinishedRun, units: Collection[str]) -> None:
    """Raise :class:`InputError` for codes that are no units of a run."""
    known = run.units["id"]
    unknown = [code for code in units if code not in set(known)]
    if unknown:
        raise InputError(f"no units of the run: {', '.join(unknown[:10])}", "units", f"There are {', '.join(known[:10])}.")  # fmt: skip


def zones_to_lift(run: FinishedRun, zone: int) -> pd.DataFrame:
    """Return id, zone and reason of each unit, by which it is decided what is low in it: for zone 3 by ESC alone, whatever is known of GDP."""
    units = by_esc_alone(run.units) if zone == 3 else run.units
    found = zone_units(units, run.parameters["reference"], ties=run.parameters.get("ties", ">="))
    return found[["zone", "reason"]].assign(id=units["id"])


def require_zones(decided: pd.DataFrame, units: Collection[str]) -> None:
    """Raise :class:`InputError` for units asked for by code in which nothing can be low or high."""
    none = decided[(decided["zone"] == 0) & decided["id"].isin(list(units))]
    if len(none):
        what = ", ".join(f"{row['id']} ({row['reason']})" for row in none.to_dict("records"))
        raise InputError(f"units have no zone and so no target: {what}", "units", "Leave them out; where GDP is all that is unknown, zone 3 aims at ESC alone.")  # fmt: skip


def without_zone(decided: pd.DataFrame) -> Iterator[Problem]:
    """Name the units in which nothing can be low or high, by what is in the way."""
    for why, rows in decided[decided["zone"] == 0].groupby("reason", sort=True):
        names = listed(rows["id"], more=f" … ({len(rows)})")
        where = "1 unit" if len(rows) == 1 else f"{len(rows)} units"
        yield Problem(f"Nothing is aimed at in {where} ({why}): {names}.", level="note")


def _is_low(row: dict[Any, Any], zones: dict[Any, int]) -> bool:
    """Tell by the zone, which is decided exactly, whether the index is low; a unit without a zone has no target."""
    zone = zones[row["unit"]]
    return zone in ((3, 4) if row["boundary"] == "ecc" else (2, 4))


def _needed(
    row: dict[Any, Any], units: dict[Any, dict[Any, Any]], currency: str, rates: dict[str, float]
) -> dict[str, Any]:
    needed = row["difference"]
    found = {
        "unit": row["unit"],
        "name": units[row["unit"]]["name"],
        "zone": int(units[row["unit"]]["zone"]),
        "index": row["boundary"],
        "quantity": row["quantity"],
        "reference": row["reference"],
        "measured_in": currency if row["quantity"] == "gdp" else "g yr-1",
        "now": row["now"],
        "needed": needed,
        "percent": row["percent"],
        "remark": row["remark"],
    }
    if row["quantity"] == "sink" and needed is not None:
        found |= {f"hectares_{kind}": needed / rate for kind, rate in rates.items()}
    return found


def _uptake(run: FinishedRun) -> dict[str, float] | None:
    """Return g yr-1 that a hectare of each territorial type takes up in the run, of those that take up something; None without parcels."""
    columns = ["type", "area_m2", "sink_g"]
    if run.answer is not None:
        parcels = run.answer.fresh_parcels()[columns]
    else:
        assert run.directory is not None, "an answer has none"
        if PARCELS_FILE not in run.manifest["files"]:
            return None
        written = as_written(run.directory, PARCELS_FILE, run.manifest)
        with written as path, open_parquet(path) as file:
            parcels = file.read(columns=columns).to_pandas()
    sums = parcels.groupby(parcels["type"].astype(str))[["area_m2", "sink_g"]].sum()
    some = sums[(sums["sink_g"] > 0) & (sums["area_m2"] > 0)]
    rates = some["sink_g"] / (some["area_m2"] / 1e4)
    return {str(kind): float(rate) for kind, rate in rates.items()}


def write_targets(found: Targets, folder: Path, plan: TargetPlan | None = None) -> list[Path]:
    """Write targets.html and the tables: whole numbers to the last digit, mass in tonnes where the column says so; with a plan targets_plan.toml, which ``scenario`` takes.

    Parameters
    ----------
    found
        What each unit needs by itself.
    folder
        An existing folder; files of the same names are replaced, and the plan of an earlier call goes where there is none now.
    plan
        The joint plan.

    Returns
    -------
    list of Path
        The files, the page first.
    """
    from carbongrid.analysis.files import write_exact_csvs
    from carbongrid.analysis.targets.actions import plan_toml
    from carbongrid.analysis.targets.page import write_targets_page

    rates = pd.DataFrame({"type": list(found.rates), "uptake_per_hectare_t": [rate / 1e6 for rate in found.rates.values()]})  # fmt: skip
    tables = {"targets.csv": found.table, "targets_uptake.csv": rates}
    path = folder / PLAN_FILE
    path.unlink(missing_ok=True)
    if plan is not None:
        own = {"units": plan.units, "steps": plan.steps, "limits": plan.limits, "kept": plan.kept, "short": plan.short}  # fmt: skip
        tables |= {f"targets_{name}.csv": table for name, table in own.items()}
    files = [write_targets_page(found, plan, folder / "targets.html"), *write_exact_csvs(tables, folder)]  # fmt: skip
    if plan is not None and plan.actions:
        aimed = int(plan.units["target"].sum())
        said = [f"Zone {plan.zone} for {aimed} units of {found.run.manifest['title']}, {found.run.manifest['year']}, against the region as it is.", f"carbongrid scenario {found.run.name} {PLAN_FILE} --out DIR does it."]  # fmt: skip
        path.write_text(plan_toml(plan.actions, said), encoding="utf-8", newline="\n")
        files.insert(1, path)
    return files
