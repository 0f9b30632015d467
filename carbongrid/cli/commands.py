"""The commands: each reads its arguments, calls one function of the package, and tells the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from carbongrid.cli.beside import of_the_run_before
from carbongrid.cli.console import Console, warnings_logged
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, FOLDER, WRITTEN_FOLDER, with_console, with_parcels
from carbongrid.errors import require_extra

if TYPE_CHECKING:
    from carbongrid.outputs.tables.parcel_layer import ParcelFormat


@main.command()
@click.argument("directory", type=WRITTEN_FOLDER)
@click.option("--size", type=click.Choice(["full", "small"]), default="full", show_default=True)
@click.option(
    "--seed", type=click.IntRange(min=0), default=2023, show_default=True, help="Seed of the city."
)
@click.option(
    "--years",
    "with_years",
    is_flag=True,
    help="Also run 2015 and 2018, do a plan, and ask all that is asked of several runs: trend, compare, targets, compensation, inequality.",
)
@with_console
def demo(
    console: Console,
    directory: Path,
    size: Literal["full", "small"],
    seed: int,
    with_years: bool,
) -> None:
    """Write a synthetic city to DIRECTORY/case and run it to DIRECTORY/run."""
    with console.progress() as progress:
        from carbongrid.cli.outcome import what_to_open, zone_lines
        from carbongrid.run_store import detect_full_disk
        from carbongrid.sources.demo import run_demo

        with detect_full_disk(directory):
            outcome = run_demo(directory, size=size, seed=seed, with_years=with_years, progress=progress)  # fmt: skip
    for line in zone_lines(outcome.result):
        console.say(line)
    console.say(
        f"With GDP known per district only, {outcome.flipped:,} of "
        f"{len(outcome.result.units):,} units would be in another zone."
    )
    console.say()
    console.say(f"Results   {outcome.result.directory}")
    (first, program), *others = what_to_open(outcome.result).items()
    console.say(f"Open next {outcome.result.directory / first} in {program},")
    console.say(f"          {', '.join(f'{name} in {by}' for name, by in others)}.")
    pages = {} if outcome.years is None else outcome.years.pages
    if outcome.years is not None:
        console.say("Years     made up, as the city is: case/YEARS.md says from what.")
    for told, path in pages.items():
        console.say(f"          {path}: {told}")
    console.say(f"Your city {outcome.case}: replace the files beside it by your own, then")
    console.say(f"          carbongrid check {outcome.case}")
    console.document(
        {
            "status": "done",
            "case": outcome.case,
            "run": outcome.result.directory,
            "zones": outcome.result.units["zone"].value_counts().sort_index().to_dict(),
            "flipped": outcome.flipped,
            "pages": pages,
        }
    )


@main.command()
@click.argument("directory", type=WRITTEN_FOLDER)
@click.option("--inventory", is_flag=True, help="Write the template of activity data, too.")
@with_console
def init(console: Console, directory: Path, inventory: bool) -> None:
    """Write a case to fill in, with a comment on every line, to DIRECTORY."""
    from carbongrid.case import write_template
    from carbongrid.case.readers.activity_template import write_inventory_template

    if inventory:  # before a file is written
        require_extra("inventory", "openpyxl", purpose="the template of activity data")
    files = write_template(directory)
    files += write_inventory_template(directory) if inventory else []
    for path in files:
        console.say(str(path))
    console.say(
        f"Edit case.toml, lay your data beside it, then: carbongrid check {directory / 'case.toml'}"
    )
    console.document({"status": "done", "files": [str(path) for path in files]})


@main.command()
@click.argument("case", type=FILE)
@with_console
def check(console: Console, case: Path) -> None:
    """Read everything that CASE names and say what a run would do; write nothing."""
    with console.progress() as progress:
        from carbongrid.pipeline import check as check_case

        checked = check_case(case, progress=progress)
    for line in checked.lines:
        console.say(line)
    console.problems(checked.problems)
    console.document(
        {
            "status": "wrong" if checked.wrong else "fine",
            **checked.content,
            "evidence": [vars(row) for row in checked.evidence],
            "problems": [vars(problem) for problem in checked.problems],
        }
    )
    if checked.wrong:
        raise SystemExit(2)


@main.command()
@click.argument("case", type=FILE)
@click.option("--out", type=WRITTEN_FOLDER, required=True, help="The run directory to make.")
@click.option("--replace", is_flag=True, help="Replace an existing run, reusing what still holds.")
@click.option(
    "--restart", is_flag=True, help="Make everything anew, whatever an earlier run has finished."
)
@click.option(
    "--scheduler",
    default=None,
    help="threads, processes, synchronous, or the address of a Dask scheduler; default: the active client, else threads.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Start so many worker processes on 127.0.0.1 for this run.",
)
@click.option(
    "--memory",
    default=None,
    help="Such as 4GB: a case of which this process is sure to take more, or, once it is read, may take more, is refused; both "
    "are estimates that `check` prints, no bounds. Each process of --workers is bound: it is ended above it. Tiles count "
    "for this process only where it makes them, not with --workers.",
)
@click.option(
    "--chunks",
    type=click.IntRange(min=64),
    default=2048,
    show_default=True,
    help="Side of a tile of labels in cells, where the case has a run keep them.",
)
@click.option(
    "--public",
    is_flag=True,
    help="Write what may be published: units and coarse cells, no parcels or names; counts of people below ten are not written.",
)
@with_parcels
@with_console
def run(
    console: Console,
    case: Path,
    out: Path,
    replace: bool,
    restart: bool,
    scheduler: str | None,
    workers: int | None,
    memory: str | None,
    chunks: int,
    public: bool,
    parcels: ParcelFormat,
) -> None:
    """Run CASE: allocate, reduce, compute the indices, zone."""
    with console.resumable():
        with console.progress() as progress, warnings_logged() as logged:
            from carbongrid.cli.outcome import evidence_table, fate_lines, what_to_open, zone_lines
            from carbongrid.pipeline import run as run_case

            result = run_case(
                case,
                out,
                replace=replace,
                restart=restart,
                scheduler=scheduler,
                workers=workers,
                memory=memory,
                chunks=chunks,
                public=public,
                parcels=parcels,
                progress=progress,
            )
        warnings = [problem for problem in result.problems if problem.level == "warning"]
        for line in zone_lines(result):
            console.say(line)
        console.say()
        for line in (*evidence_table(result), *fate_lines(result)):
            console.say(line)
        before = [*of_the_run_before(out)]
        console.problems((*warnings, *before))
        console.say(f"Results in {out}; open {next(iter(what_to_open(result)))} first.")
        console.document(
            {
                "status": "done",
                "run": result.directory,
                "zones": result.units["zone"].value_counts().sort_index().to_dict(),
                "evidence": result.manifest["evidence"],
                "digests": result.manifest["digests"],
                "reused": result.manifest["reused"],
                "left_out": result.manifest["left_out"],
                "warnings": [*map(str, warnings), *logged, *map(str, before)],
            }
        )


@main.command()
@click.argument("directory", type=FOLDER)
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help="Tiles to rasterize again.",
)
@with_console
def verify(console: Console, directory: Path, sample: int) -> None:
    """Derive a finished run's numbers again from its own files, and compare."""
    with console.progress() as progress:
        from carbongrid.pipeline.verification import verify as verify_run

        verification = verify_run(directory, sample=sample, progress=progress)
    for each in verification.checks:
        console.outcome(each.ok, f"{each.name}: {each.text}", made=each.made)
    console.document(
        {
            "status": "sound" if verification.ok else "damaged",
            "checks": [vars(each) for each in verification.checks],
        }
    )
    if not verification.ok:
        raise SystemExit(1)
