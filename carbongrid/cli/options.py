"""What commands share of the command line: kinds of paths, options, and the console that each is given."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from carbongrid.cli.console import Console, escape_what_cannot_be_encoded, set_up_logging
from carbongrid.errors import InputError, Problem
from carbongrid.raster.surroundings import set_aside, set_by_hand

logger = logging.getLogger("carbongrid.cli.commands")  # as -v shows it

Command = Callable[..., None]


class WrittenPath(click.Path):
    """A file or folder that the command writes: an address is refused before the command begins."""


class ReadFile(click.Path):
    """A file that the command reads; where a folder is given for a case, it is said which one lies in it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; a folder is refused."""
        path = Path(value)
        if path.is_dir():
            case, meant = path / "case.toml", "give a file"
            if param is not None and param.name == "case" and case.is_file():
                meant = f"give the case in it, '{case}'"
            self.fail(f"'{path}' is a folder; {meant}.", param, ctx)
        return path


class ReadFolder(click.Path):
    """A run that the command reads; of a file it is said where its run is, or what makes one of it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; a file is refused."""
        path = Path(value)
        if path.is_file():
            meant = "give a folder"
            if (path.parent / "manifest.json").is_file():
                # "." and ".." would say little.
                bare = path.parent.name in ("", "..")
                parent = path.resolve().parent if bare else path.parent
                meant = f"give the run that it is of, '{parent}'"
            elif path.suffix == ".toml":
                meant = "give the folder that `carbongrid run`, or of a plan `carbongrid scenario`, made with --out"
            self.fail(f"'{path}' is a file; {meant}.", param, ctx)
        return path


PATH = click.Path(path_type=Path)
FILE = ReadFile(path_type=Path)
# The shell completes it by folders alone.
FOLDER = ReadFolder(path_type=Path, file_okay=False)
WRITTEN_PATH = WrittenPath(path_type=Path)
WRITTEN_FILE = WrittenPath(path_type=Path, dir_okay=False)
WRITTEN_FOLDER = WrittenPath(path_type=Path, file_okay=False)

with_out = click.option(
    "--out",
    type=WRITTEN_FOLDER,
    default=None,
    help="Folder for the files; default: DIRECTORY-analysis beside the run, which stays as it is.",
)
with_parcels = click.option(
    "--parcels",
    type=click.Choice(["parquet", "gpkg", "fgb", "pmtiles"]),
    default="parquet",
    show_default=True,
    help="Write parcels.gpkg or parcels.fgb too, for a GIS that reads no Parquet, or parcels.pmtiles for a map on the web: tonnes, densities, unit and zone of each parcel.",
)
with_seed = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
with_layer = click.option(
    "--layer", default=None, help="Layer of the units' file; default: its only one."
)


def with_gwp(text: str | None = None) -> Callable[[Command], Command]:
    """Add the choice of global warming potentials."""
    return click.option(
        "--gwp",
        type=click.Choice(["AR4", "AR5", "AR6"]),
        default="AR5",
        show_default=True,
        help=text,
    )


def with_console(command: Command) -> Command:
    """Add the options that every command has; call it with the console that they ask for, which turns errors into exit codes."""

    @functools.wraps(command)
    def with_errors_told(
        *args: Any, quiet: bool, as_json: bool, verbose: int, **given: Any
    ) -> None:
        console = _console(quiet, as_json, verbose)
        with console.errors():
            _require_a_folder()
            _require_local(click.get_current_context())
            command(console, *args, **given)

    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors."),
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
        click.option("--verbose", "-v", count=True, help="Log what is done; twice for details."),
    ):
        with_errors_told = option(with_errors_told)
    return with_errors_told


def _console(quiet: bool, as_json: bool, verbose: int) -> Console:
    escape_what_cannot_be_encoded()
    set_up_logging(verbose, quiet=quiet)
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


def _require_a_folder() -> None:
    """Raise InputError where the working directory was removed meanwhile: libraries look at it at any time, and ended in what read as damage of a run."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise InputError(
            "the folder that the command was called in is not there any more",
            hint="Go into one that is there, as with cd ~, and call it again.",
        ) from None


def _require_local(context: click.Context) -> None:
    """Raise InputError for an address among what is written: not where words are read, which is before anybody knows of --json."""
    from carbongrid.raster.opening.files import path_to_write

    for parameter in context.command.params:
        path = context.params[str(parameter.name)]
        if isinstance(parameter.type, WrittenPath) and path is not None:
            path_to_write(path)
