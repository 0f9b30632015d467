"""The folders beside a run, RUN-figures and RUN-analysis: which run what they hold was made of."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from click.core import ParameterSource

from carbongrid.errors import Problem

RECORD = "made_of.json"
"""In such a folder: by command, the seal of the run that it was last asked of, and its words."""
_FOLDERS = ("figures", "analysis")
_OF_OUTPUT = ("quiet", "as_json", "verbose")


def folder_beside(run: Path, kind: str, out: Path | None) -> Path:
    """Return the folder that a command writes to, made if it is not there: as given, or ``RUN-KIND`` beside the run, which stays as it is and is noted there."""
    here = run.resolve()  # "." has no name of its own
    folder = out or here.with_name(f"{here.name}-{kind}")
    folder.mkdir(parents=True, exist_ok=True)
    if out is None:
        _note(folder, here)
    return folder


def _note(folder: Path, run: Path) -> None:
    from carbongrid.outputs.tables.reading import read_manifest
    from carbongrid.run_store import SEAL
    from carbongrid.run_store.hashing import write_whole

    context = click.get_current_context()
    made = {"seal": read_manifest(run).get(SEAL), "words": _words(context)}
    noted = {**_noted(folder), str(context.info_name): made}
    write_whole(folder / RECORD, json.dumps(noted, ensure_ascii=False, indent=1))


def _noted(folder: Path) -> dict[str, dict[str, str]]:
    """Return what a folder's record says, nothing where there is none that can be read."""
    from carbongrid.raster.opening.files import read_text

    try:
        noted = dict(json.loads(read_text(folder / RECORD)))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {command: made for command, made in noted.items() if isinstance(made, dict)}


def _words(context: click.Context) -> str:
    """Return the command that is under way as it was typed, without what is said of its output."""
    words = ["carbongrid", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.params[name]
        if context.get_parameter_source(name) != ParameterSource.COMMANDLINE or name in _OF_OUTPUT:
            continue
        for value in given if isinstance(given, tuple) else (given,):
            words += [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            words += [] if value is True else [str(value)]
    return shlex.join(words)


def of_the_run_before(run: Path, seal: str) -> Iterator[Problem]:
    """Yield a warning for each command whose files beside a run, which has this seal, are of a run that was in its place before."""
    here = run.resolve()
    for folder in (here.with_name(f"{here.name}-{kind}") for kind in _FOLDERS):
        for command, made in _noted(folder).items():
            if made.get("seal") != seal:
                what = f"{folder.name} holds what {command} made of the run before"
                yield Problem(what, hint=f"Make it again: {made.get('words')}", level="warning")
