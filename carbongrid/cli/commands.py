"""The commands: each reads its arguments, calls one function of the package, and tells the outcome."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from carbongrid import __version__
from carbongrid.cli.beside import of_the_run_before
from carbongrid.cli.console import Console, escape_what_cannot_be_encoded, set_up_logging
from carbongrid.errors import Problem, require_extra
from carbongrid.raster.surroundings import set_aside, set_by_hand

if TYPE_CHECKING:
    from carbongrid.outputs.tables.parcel_layer import ParcelFormat

logger = logging.getLogger(__name__)

_CASE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _with_console(command: Any) -> Any:
    """Add the options that every command has."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors."),
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
        click.option("--verbose", "-v", count=True, help="Log what is done; twice for details."),
    ):
        command = option(command)
    return command


_with_parcels = click.option(
    "--parcels",
    type=click.Choice(["parquet", "gpkg", "fgb", "pmtiles"]),
    default="parquet",
    show_default=True,
    help="Write parcels.gpkg or parcels.fgb too, for a GIS that reads no Parquet, or parcels.pmtiles for a map on the web: tonnes, densities, unit and zone of each parcel.",
)


def _console(quiet: bool, as_json: bool, verbose: int) -> Console:
    escape_what_cannot_be_encoded()
    set_up_logging(verbose)
    console = Console(quiet, as_json)
    names = set_aside()
    if names:
        logger.info("ignored, though set in the environment: %s", ", ".join(names))
    on_purpose = ", ".join(set_by_hand(names))
    if on_purpose and not verbose:
        console.problem(
            Problem(f"ignored, though set in the environment: {on_purpose}", level="note")
        )
    return console


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="carbongrid")
def main() -> None:
    """Spread a city's carbon inventory over its land and zone its townships.

    Start with `carbongrid demo DIR`: it writes a synthetic city, runs it, and is a template for
    your own. `carbongrid init DIR` writes an empty case instead.

    Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 143 terminated (SIGTERM).
    """


@main.command()
@click.argument("directory", type=_FOLDER)
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
@_with_console
def demo(
    directory: Path,
    size: Literal["full", "small"],
    seed: int,
    with_years: bool,
    quiet: bool,
    as_json: bool,
    verbose: int,
) -> None:
    """Write a synthetic city to DIRECTORY/case and run it to DIRECTORY/run."""
    console = _console(quiet, as_json, verbose)
    with console.errors():
        with console.progress() as progress:
            from carbongrid.cli.outcome import what_to_open, zone_lines
            from carbongrid.run_store import detect_full_disk
            from carbongrid.sources.demo import run_demo

            with detect_full_disk(directory):
                outcome = run_demo(directory, size=size, seed=seed, with_years=with_years, progress=progress)  # fmt: skip
        for line in zone_lines(outcome.result):
            console.say(line)
        console.say(
            f"With GDP known per district only, {outcome.flipped} of "
            f"{len(outcome.result.units)} units change their zone."
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
@click.argument("directory", type=_FOLDER)
@click.option("--inventory", is_flag=True, help="Write the template of activity data, too.")
@_with_console
def init(directory: Path, inventory: bool, quiet: bool, as_json: bool, verbose: int) -> None:
    """Write a case to fill in, with a comment on every line, to DIRECTORY."""
    console = _console(quiet, as_json, verbose)
    with console.errors():
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
@click.argument("case", type=_CASE)
@_with_console
def check(case: Path, quiet: bool, as_json: bool, verbose: int) -> None:
    """Read everything that CASE names and say what a run would do; write nothing."""
    console = _console(quiet, as_json, verbose)
    with console.errors():
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
@click.argument("case", type=_CASE)
@click.option("--out", type=_FOLDER, required=True, help="The run directory to make.")
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
    help="Side of a tile, in cells.",
)
@click.option(
    "--public",
    is_flag=True,
    help="Write what may be published: units and 1 km cells, no parcels or names; counts of people below ten are not printed.",
)
@_with_parcels
@_with_console
def run(
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
    quiet: bool,
    as_json: bool,
    verbose: int,
) -> None:
    """Run CASE: allocate, reduce, compute the indices, zone."""
    console = _console(quiet, as_json, verbose)
    with console.errors(), console.resumable():
        with console.progress() as progress:
            from carbongrid.cli.outcome import evidence_table, what_to_open, zone_lines
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
        warnings = [text for level, text in result.manifest["assumptions"] if level == "warning"]
        for line in zone_lines(result):
            console.say(line)
        console.say()
        for line in evidence_table(result):
            console.say(line)
        before = [*of_the_run_before(out)]
        console.problems((*(Problem(text, level="warning") for text in warnings), *before))
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
                "warnings": [*warnings, *map(str, before)],
            }
        )


@main.command()
@click.argument("directory", type=_FOLDER)
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    help="Tiles to rasterize again.",
)
@_with_console
def verify(directory: Path, sample: int, quiet: bool, as_json: bool, verbose: int) -> None:
    """Derive a finished run's numbers again from its own files, and compare."""
    console = _console(quiet, as_json, verbose)
    with console.errors():
        with console.progress() as progress:
            from carbongrid.pipeline.verification import verify as verify_run

            verification = verify_run(directory, sample=sample, progress=progress)
        for each in verification.checks:
            console.outcome(each.ok, f"{each.name}: {each.text}")
        console.document(
            {
                "status": "sound" if verification.ok else "damaged",
                "checks": [vars(each) for each in verification.checks],
            }
        )
        if not verification.ok:
            raise SystemExit(1)
