"""The commands that ask a finished run how sure its zones are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carbongrid.cli.commands import _FOLDER, _console, _with_console, main

if TYPE_CHECKING:
    import pandas as pd

_NEAREST = 10


def analysis_folder(run: Path, out: Path | None) -> Path:
    """Return the folder of an analysis, made if it is not there: as given, or ``RUN-analysis`` beside the run, which stays as it is."""
    here = run.resolve()  # "." has no name of its own
    folder = out or here.with_name(f"{here.name}-analysis")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


with_out = click.option(
    "--out",
    type=_FOLDER,
    default=None,
    help="Folder for the files; default: DIRECTORY-analysis beside the run, which stays as it is.",
)


@main.command()
@click.argument("directory", type=_FOLDER)
@with_out
@_with_console
def margins(directory: Path, out: Path | None, quiet: bool, as_json: bool, verbose: int) -> None:
    """Say how far each unit of the finished run in DIRECTORY is from another zone.

    Writes margins.csv: the emission, sink or GDP at which ECC or ESC is just 1, all other units as they are, in whole grams and currency
    units. A margin is a distance: how likely it is to be crossed depends on how well the numbers are known.
    """
    console = _console(quiet, as_json, verbose)
    with console.errors():
        from carbongrid.analysis.margins import margins as margins_of
        from carbongrid.analysis.margins import write_margins
        from carbongrid.run_store import detect_full_disk

        table = margins_of(directory)
        folder = analysis_folder(directory, out)
        with detect_full_disk(folder):
            write_margins(table, folder / "margins.csv")
        for line in _nearest(table):
            console.say(line)
        console.say(f"All of them in {folder / 'margins.csv'}.")
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        console.document({"status": "done", "file": folder / "margins.csv", "margins": rows})


def _nearest(table: pd.DataFrame) -> Iterator[str]:
    """Yield the units that the least change of emission would move."""
    floating = table[(table["reference"] == "floating") & (table["quantity"] == "emission")]
    known = floating[floating["percent"].notna()]
    nearest = known.loc[known["percent"].abs().sort_values(kind="stable").index[:_NEAREST]]
    if nearest.empty:
        yield "No unit has a zone that a change of its emission would end."
        return
    yield "The units nearest to another zone by their own emission, all other units as they are:"
    yield f"{'unit':<28} {'index':<6} {'emission, t':>16} {'at the boundary, t':>19} {'change':>9}"
    for row in nearest.to_dict("records"):
        named = f"{row['unit']} {row['name']}"
        yield f"{named:<28} {row['boundary'].upper():<6} {row['now'] / 1e6:>16,.0f} {row['at_boundary'] / 1e6:>19,.0f} {row['percent']:>+8.2f}%"
