"""Writes a case to start from: the file with a comment on every line, and example tables."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from carbongrid.case.commented import commented_toml
from carbongrid.case.fields import facts_of
from carbongrid.case.models import Case
from carbongrid.case.schema import keys_of, sections
from carbongrid.case.table_formats import TABLES
from carbongrid.errors import InputError, Problem
from carbongrid.raster.opening.files import path_to_write

CASE_FILE = "case.toml"

_USED = {
    "": ("title", "year", "electricity"),
    "grid": ("resolution", "coarse"),
    "parcels": ("path", "id", "land_use", "code_system"),
    "units": ("path", "id", "name"),
    "totals": ("path",),
    "gdp": ("path", "by", "currency"),
}
"""Keys that the template sets; all others stand behind a ``#`` with an example."""

_HEAD = """\
# A case of carbongrid. What stands behind a # is a comment; take the # away at the head of a line to use it.
# Every line says [unit or kind] and meaning. Paths are relative to this file. The tables beside it are examples.
"""


def write_template(directory: str | Path) -> list[Path]:
    """Write ``case.toml`` and an example of each table into a folder, which is made if need be.

    Returns
    -------
    list
        The files written, the case file first.

    Raises
    ------
    InputError
        If one of the files is there already, or the folder cannot be written; nothing is overwritten.
    """
    folder = path_to_write(directory)
    texts = {CASE_FILE: template_toml()}
    for table in TABLES:
        texts[table.file] = example_table(table.file)
    there = [name for name in texts if (folder / name).exists()]
    if there:
        raise InputError(
            Problem(f"{name} is there already", str(folder), "Name an empty folder.")
            for name in there
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise InputError(f"the folder cannot be written: {error.strerror}", str(folder)) from None
    return [folder / name for name in texts]


def template_toml() -> str:
    """Return the text of the template's case file."""
    values: dict[str, Any] = {}
    for section, keys in _USED.items():
        fields = keys_of(sections()[section] if section else Case)
        examples = {key: facts_of(fields[key])["example"] for key in keys}
        values.update({section: examples} if section else examples)
    return _HEAD + commented_toml(values, unused=True)


def example_table(name: str) -> str:
    """Return the text of an example table, such as ``totals.csv``."""
    return files("carbongrid").joinpath("data", "template", name).read_text(encoding="utf-8")
