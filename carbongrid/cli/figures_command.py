"""The command ``figures``: the figures of the study for a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from carbongrid.cli.beside import folder_beside
from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import FOLDER, WRITTEN_FOLDER, with_console
from carbongrid.errors import require_extra

if TYPE_CHECKING:
    from carbongrid.outputs.figures.lettering import Language


@main.command()
@click.argument("directory", type=FOLDER)
@click.option(
    "--out",
    type=WRITTEN_FOLDER,
    default=None,
    help="Folder for the figures; default: DIRECTORY-figures beside the run, which stays as it is.",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice(["png", "pdf", "svg"]),
    multiple=True,
    default=("png", "pdf"),
    show_default=True,
    help="May be given several times.",
)
@click.option("--dpi", type=click.IntRange(50, 1200), default=300, show_default=True)
@click.option(
    "--language",
    type=click.Choice(["both", "en", "zh"]),
    default="both",
    show_default=True,
    help="Of headings and legends; Chinese needs a font for it.",
)
@with_console
def figures(
    console: Console,
    directory: Path,
    out: Path | None,
    formats: tuple[str, ...],
    dpi: int,
    language: Language,
) -> None:
    """Draw the study's figures for the finished run in DIRECTORY.

    Study area (1), framework (2), which land carries which emissions (3), proportions by
    department and land use (4), net emissions per parcel and coarse cell (5), units' emissions and
    sinks (6), CCR (7), ECC and ESC (8), zones and their parts (9); and the sectors on their parcels.
    """
    with console.progress() as progress:
        from carbongrid.outputs.figures import write_study_figures
        from carbongrid.outputs.reading import read_tables

        progress("reading", 0, 1)
        results = folder_beside(directory, "figures", out)
        tables = read_tables(directory)
        progress("reading", 1, 1)
        # Before a folder is made.
        require_extra("report", "matplotlib", purpose="drawing figures")
        with results as folder:
            paths = write_study_figures(
                tables, folder, formats=formats, dpi=dpi, language=language, progress=progress
            )
    for path in paths:
        console.say(str(path))
    console.document({"status": "done", "figures": [str(path) for path in paths]})
