"""The commands that hold runs against each other, and ask a finished run what a plan would do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.answers import json_rows, signed_tonnes, tell_files
from carbongrid.cli.beside import beside, folder_beside, of_the_run_before
from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import (
    FILE,
    FOLDER,
    WRITTEN_FOLDER,
    with_console,
    with_out,
    with_parcels,
)

if TYPE_CHECKING:
    from carbongrid.analysis.comparison.compare import Comparison
    from carbongrid.analysis.targets.plan import TargetPlan
    from carbongrid.outputs.tables.parcel_layer import ParcelFormat

_LARGEST = 10


@main.command()
@click.argument("a", type=FOLDER)
@click.argument("b", type=FOLDER)
@click.option(
    "--despite",
    multiple=True,
    type=click.Choice(["units", "gwp", "basis", "currency"]),
    help="Compare though these differ, and say so; may be given several times.",
)
@click.option(
    "--out",
    type=WRITTEN_FOLDER,
    default=None,
    help="Folder for the files; default: B-analysis beside B, which stays as it is.",
)
@with_console
def compare(
    console: Console,
    a: Path,
    b: Path,
    despite: tuple[str, ...],
    out: Path | None,
) -> None:
    """Say what differs between the finished runs A and B, to the gram.

    Writes comparison.html, and as CSV what differs per category and sector, unit and cell, how many units went from which zone to which, and which inputs and settings differ. A change is B less A.
    Runs of other units, GWP sets, bases or currencies are refused, unless --despite names what differs.
    """
    with console.progress():
        from carbongrid.analysis.comparison.compare import compare as compare_runs
        from carbongrid.analysis.comparison.compare import write_comparison

        results = folder_beside(b, "analysis", out)
        found = compare_runs(a, b, despite=despite)
        with results as folder:
            files = write_comparison(found, folder)
    for line in _told(found):
        console.say(line)
    console.problems(found.notes)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "units_in_another_zone": found.turned,
            "zones": {str(code): row.to_dict() for code, row in found.matrix.iterrows()},
            "totals": json_rows(found.totals),
            "units": json_rows(found.units),
            "made_of": json_rows(found.made_of),
            "notes": [str(each) for each in found.notes],
        }
    )


def _told(found: Comparison) -> Iterator[str]:
    """Yield what changed of the totals, and the units that changed most."""
    from carbongrid.method.tonnes import format_tonnes

    changed = found.totals[(found.totals["kind"] != "sector") & (found.totals["total_change_g"] != 0)]  # fmt: skip
    yield f"{len(changed)} of {int((found.totals['kind'] != 'sector').sum())} totals differ{':' if len(changed) else '.'}"
    rows = [
        (row["of"], *format_tonnes(row[f"total_{side}_g"] for side in ("a", "b", "change")))
        for row in changed.to_dict("records")
    ]
    yield from (
        aligned_columns([("total", "A, t", "B, t", "change, t"), *rows], cut=False) if rows else ()
    )
    units = found.units
    yield f"{found.turned:,} of {len(units):,} units {'is' if found.turned == 1 else 'are'} in another zone{':' if found.turned else '.'}"
    for row in units[units["zone_a"] != units["zone_b"]].head(_LARGEST).to_dict("records"):
        yield f"  {row['unit']} {row['name']}: {row['zone_a']} {row['zone_name_a']} -> {row['zone_b']} {row['zone_name_b']}"
    if found.turned > _LARGEST:
        yield f"  and {found.turned - _LARGEST} more."
    cells = "not compared" if found.cells is None else f"{len(found.cells):,} differ"
    yield f"Cells: {cells}. {len(found.made_of)} inputs, settings and statements differ."


@main.command()
@click.argument("run", type=FOLDER)
@click.argument("plan", type=FILE)
@click.option("--out", type=WRITTEN_FOLDER, required=True, help="The run directory to make.")
@click.option("--replace", is_flag=True, help="Replace an existing run.")
@with_parcels
@with_console
def scenario(
    console: Console,
    run: Path,
    plan: Path,
    out: Path,
    replace: bool,
    parcels: ParcelFormat,
) -> None:
    """Do the actions of PLAN on the finished RUN, and write what comes of it as a run of its own.

    PLAN is a TOML file of actions in order: scale a total, a facility or what lies on land; add or remove a facility; convert land; change GDP. Nothing of the case is read again, and
    the run equals one of the case changed by hand. Beside it, in OUT-analysis, it is compared with RUN, and zones.csv has each unit's zone against the region as the plan leaves it and as it was.
    """
    from carbongrid.analysis.comparison.compare import compare as compare_runs
    from carbongrid.analysis.comparison.compare import write_comparison
    from carbongrid.analysis.files import write_csvs
    from carbongrid.analysis.finished import FinishedRun
    from carbongrid.analysis.frozen import zones_both_ways
    from carbongrid.method.tonnes import counted
    from carbongrid.pipeline.opening import open_run
    from carbongrid.pipeline.plans import read_plan
    from carbongrid.pipeline.scenario_run import run_plan
    from carbongrid.run_store import require_writable

    told = read_plan(plan)
    require_writable(beside(out, "analysis"))
    with console.progress() as progress:
        progress("reading", 0, 1)
        base = open_run(run)
        progress("reading", 1, 1)
        answer, made = run_plan(base, told, out, path=plan, replace=replace, parcels=parcels, progress=progress)  # fmt: skip
    results = folder_beside(made, "analysis", None)
    found = compare_runs(run, made)
    zones = zones_both_ways(FinishedRun.of(run), FinishedRun.of(made))
    with results as folder:
        files = [*write_comparison(found, folder), *write_csvs({"zones.csv": zones}, folder)]
    for action in told.actions:
        console.say(str(action))
    for line in _told(found):
        console.say(line)
    turned = {
        reference: int((zones[f"zone_{reference}"] != zones["zone_before"]).sum())
        for reference in ("floating", "frozen")
    }
    told_first = told.reference
    other = "frozen" if told_first == "floating" else "floating"
    kept = {"floating": "against the region as the plan leaves it", "frozen": "against the region as it was"}  # fmt: skip
    console.say(f"{counted(turned[told_first], 'unit')} {'is' if turned[told_first] == 1 else 'are'} in another zone {kept[told_first]}, {turned[other]:,} {kept[other]}.")  # fmt: skip
    console.problems(each for each in answer.problems if each.level != "note")
    console.problems(of_the_run_before(made))
    console.say(f"Results in {made}; the comparison with {run} is {files[0]}.")
    console.document(
        {
            "status": "done",
            "run": made,
            "files": files,
            "actions": [str(action) for action in told.actions],
            "reference": told_first,
            "turned": turned,
            "zones": json_rows(zones),
            "totals": json_rows(found.totals),
        }
    )


@main.command()
@click.argument("directory", type=FOLDER)
@click.option("--unit", "units", multiple=True, help="Code of a unit; may be given several times.")
@click.option(
    "--zone",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="Zone to be lifted to: 1 both indices at 1, 2 ECC, 3 ESC.",
)
@click.option(
    "--limits",
    type=FILE,
    default=None,
    help="Table of what may be cut, converted or raised, at most how much, at what cost, and of land that is kept; default: each unit cuts all its emission alike.",
)
@with_out
@with_console
def targets(
    console: Console,
    directory: Path,
    units: tuple[str, ...],
    zone: int,
    limits: Path | None,
    out: Path | None,
) -> None:
    """Say what would lift units of the finished run in DIRECTORY to a zone: the least cut of emission, gain of sink or of GDP, in tonnes and in hectares by land type.

    First each unit by itself, with the region following and with the region kept; then all of them at once within --limits, the region kept, as a plan that `carbongrid scenario` takes and that was applied to see that it reaches
    the zone. Writes targets.html, targets_plan.toml and tables. Where the limits allow no plan it says what is in the way.
    """
    with console.progress() as progress:
        from carbongrid.analysis.targets.plan import plan_targets
        from carbongrid.analysis.targets.targets import targets as targets_of
        from carbongrid.analysis.targets.targets import write_targets
        from carbongrid.method.tonnes import counted

        progress("reading", 0, 1)
        results = folder_beside(directory, "analysis", out)
        found = targets_of(directory, units=units, zone=zone)
        plan = None
        if limits is not None or not found.run.manifest.get("public"):
            plan = plan_targets(directory, units=units, zone=zone, limits=limits, progress=progress)
        with results as folder:
            files = write_targets(found, folder, plan)
    lifted = found.table["unit"].nunique()
    if lifted:
        console.say(f"{counted(lifted, 'unit is', 'units are')} below zone {zone}. With the region kept as it is {'it needs' if lifted == 1 else 'they need'}, each by itself:")  # fmt: skip
    else:
        console.say(f"No unit that could be lifted is below zone {zone}.")
    frozen = found.table[found.table["reference"] == "frozen"]
    for row in frozen.head(4 * _LARGEST).to_dict("records"):
        console.say(f"  {row['unit']} {row['name']}: {target_in_words(row)}")
    if plan is not None and plan.actions:
        console.say(_told_of_plan(plan))
    console.problems(dict.fromkeys([*(() if plan is None else plan.notes), *found.notes]))
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "zone": zone,
            "targets": json_rows(found.table),
            "uptake_per_hectare_g": found.rates,
            "plan": None if plan is None else _document_of_plan(plan),
            "notes": [str(each) for each in found.notes],
        }
    )


def _told_of_plan(plan: TargetPlan) -> str:
    """Return a joint plan in a line."""
    from carbongrid.method.tonnes import at_decimals, counted
    from carbongrid.outputs.numbers import short_number

    units, steps = plan.units, plan.steps
    reached = int(units["target"].sum())
    hectares = float(steps["hectares"].fillna(0).astype(float).sum())
    land = f", {at_decimals(hectares, 0)} ha converted" if hectares else ""
    cost = "" if plan.cost is None else f", cost {short_number(plan.cost)}"
    return f"Together: {counted(len(plan.actions), 'action')}, emission {signed_tonnes(int(units['emission_change_g'].sum()))} t, sink {signed_tonnes(int(units['sink_change_g'].sum()))} t{land}{cost}. Applied, {'the unit reaches' if reached == 1 else f'all {reached} units reach'} it with the region as it was."  # fmt: skip


def _document_of_plan(plan: TargetPlan) -> dict[str, Any]:
    return {
        "feasible": plan.feasible,
        "actions": [dict(action) for action in plan.actions],
        "units": json_rows(plan.units),
        "steps": json_rows(plan.steps),
        "limits": json_rows(plan.limits),
        "kept": json_rows(plan.kept),
        "short": json_rows(plan.short),
        "cost": plan.cost,
        "least_cost": plan.least_cost,
        "notes": [str(each) for each in plan.notes],
    }


def target_in_words(row: dict[Any, Any]) -> str:
    """Return a target in a line."""
    from carbongrid.method.tonnes import at_decimals, signed_percent

    name = row["index"].upper()
    if row["needed"] is None:
        return f"{name} by {row['quantity']}: none is enough, {row['remark']}"
    part = "" if row["percent"] != row["percent"] else f" ({signed_percent(row['percent'])})"
    if row["quantity"] == "gdp":
        return f"{name}: {row['needed']:+,} {row['measured_in']} of GDP{part}"
    hectares = [f"{at_decimals(value, 0)} ha of {key.removeprefix('hectares_')}" for key, value in row.items() if str(key).startswith("hectares_") and value == value]  # fmt: skip
    land = f", such as {' or '.join(hectares[:3])}" if hectares else ""
    return f"{name}: {signed_tonnes(int(row['needed']))} t of {row['quantity']}{part}{land}"
