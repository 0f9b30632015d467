"""The folders beside a run, RUN-figures and RUN-analysis: which run what they hold was made of."""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from carbongrid.errors import Problem

RECORD = "made_of.json"
"""In such a folder: by command, the content of the run that it was last asked of (none before it has finished), and its words."""
_FOLDERS = ("figures", "analysis")
_DECIDING = (
    *("title", "year", "currency", "attribution", "parent_names", "categories"),
    *("parameters", "uncertainty", "digests"),
)
"""What of a manifest decides what is made of its run: not when, by which steps and from which files it came."""
_NOT_TOLD = ("quiet", "as_json", "verbose", "replace")
"""Options of the output; and the one by which a run would go that took the place of another one."""


def content_of(run: Path) -> str:
    """Return the digest of what decides what is made of a run; raises InputError if the directory is not a finished run.

    It is asked for before the run is read, which may be replaced meanwhile: nothing is then taken for newer than it is.
    """
    from carbongrid.outputs.reading import read_manifest
    from carbongrid.run_store import hash_values

    told = {name: value for name, value in read_manifest(run).items() if name in _DECIDING}
    if isinstance(told.get("parameters"), dict):
        told["parameters"] = {k: v for k, v in told["parameters"].items() if k != "chunks"}
    return hash_values(told)


def folder_beside(run: Path, kind: str, out: Path | None) -> AbstractContextManager[Path]:
    """Return the folder that a command writes to, as given or :func:`beside` the run; it is asked for before the work and entered after it.

    It is made when it is entered, so that a command that is refused leaves none. What it holds is noted, once all is written, to be of the run as it was when the folder was asked for.

    Raises
    ------
    InputError
        If the directory is not a finished run.
    RunError
        If nothing can be written into the folder.
    """
    from carbongrid.run_store import require_writable

    content = content_of(run)
    folder = out or beside(run, kind)
    require_writable(folder)
    return _written(folder, content, noted=out is None)


def beside(run: Path, kind: str) -> Path:
    """Return ``RUN-KIND`` beside a run, which stays as it is."""
    here = run.resolve()  # "." has no name of its own
    return here.with_name(f"{here.name}-{kind}")


@contextlib.contextmanager
def _written(folder: Path, content: str, *, noted: bool) -> Iterator[Path]:
    from carbongrid.run_store import detect_full_disk, open_to_write

    open_to_write(folder)
    with detect_full_disk(folder):
        if noted:
            _note(folder, None)
        yield folder
        if noted:
            _note(folder, content)


def _note(folder: Path, content: str | None) -> None:
    from carbongrid.run_store.hashing import write_whole

    context = click.get_current_context()
    made = {"content": content, "words": _words(context)}
    noted = {**_noted(folder), str(context.info_name): made}
    write_whole(folder / RECORD, json.dumps(noted, ensure_ascii=False, indent=1))


def _noted(folder: Path) -> dict[str, dict[str, str | None]]:
    """Return what a folder's record says, nothing where there is none that can be read."""
    from carbongrid.raster.opening.files import read_text

    try:
        noted = dict(json.loads(read_text(folder / RECORD)))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {command: made for command, made in noted.items() if isinstance(made, dict)}


def _words(context: click.Context) -> str:
    """Return the command that is under way as it was typed, but for paths, which are right from every folder, and without what is said of its output."""
    words = ["carbongrid", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.params[name]
        if context.get_parameter_source(name) != ParameterSource.COMMANDLINE or name in _NOT_TOLD:
            continue
        many = parameter.multiple if isinstance(parameter, click.Option) else parameter.nargs != 1
        if isinstance(given, tuple) and not many:
            given = ":".join(map(str, given))  # a range, taken apart when it was read
        for value in given if many else (given,):
            words += [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            words += [] if value is True else [_from_anywhere(parameter, value)]
    return shlex.join(words)


def _from_anywhere(parameter: click.Parameter, value: Any) -> str:
    """Return a value as text; a file or folder by its whole path."""
    before, text = "", str(value)
    if str(parameter.metavar).endswith("=FILE"):
        of, sign, text = text.partition("=")
        before = of + sign
    elif not isinstance(parameter.type, click.Path):
        return text
    with suppress(OSError):  # a name that no file can have
        if Path(text).exists():
            return before + str(Path(text).resolve())
    return before + text


def of_the_run_before(run: Path) -> Iterator[Problem]:
    """Yield a warning for each command whose files beside a run are of another one that was in its place before, or were never finished."""
    content = content_of(run)
    for folder in (beside(run, kind) for kind in _FOLDERS):
        for command, made in _noted(folder).items():
            of = made.get("content", "")
            if of != content:
                how = f"{command} left unfinished" if of is None else f"{command} made of the run before"  # fmt: skip
                yield Problem(f"{folder.name} holds what {how}", hint=f"Make it again: {made.get('words')}", level="warning")  # fmt: skip
