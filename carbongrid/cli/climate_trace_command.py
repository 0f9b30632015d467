"""The command ``from-climate-trace``: published tables of sources become facilities."""

from __future__ import annotations

from pathlib import Path

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, PATH, WRITTEN_FILE, with_console, with_gwp, with_layer


@main.command("from-climate-trace")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--out", type=WRITTEN_FILE, required=True, help="facilities.csv")
@click.option(
    "--year",
    type=click.IntRange(1900, 2999),
    default=None,
    help="Default: the only year of the files.",
)
@click.option(
    "--within",
    type=PATH,
    default=None,
    help="Polygons of the units; only what lies in one becomes a facility.",
)
@with_layer
@click.option(
    "--by",
    type=click.Choice(["gases", "co2e"]),
    default=None,
    help="gases: CO2, CH4 and N2O by --gwp; co2e: CO2e over 100 years as published. Default: gases if the files hold all three, else co2e if they hold it.",
)
@with_gwp("For gases.")
@with_console
def from_climate_trace(
    console: Console,
    files: tuple[Path, ...],
    out: Path,
    year: int | None,
    within: Path | None,
    layer: str | None,
    by: str | None,
    gwp: str,
) -> None:
    """Turn FILE..., emissions of sources as Climate TRACE publishes them, into facilities.

    \b
        carbongrid from-climate-trace DATA/*/*_emissions_sources_v*.csv --year 2024 --within townships.gpkg --out facilities.csv
    """  # noqa: D301  (click wants the character)
    from carbongrid.method.tonnes import counted
    from carbongrid.run_store import detect_full_disk
    from carbongrid.sources.climate_trace import (
        digits,
        facilities_of,
        read_published,
        write_facilities,
    )
    from carbongrid.sources.new_files import require_new
    from carbongrid.sources.outlines import read_outlines

    require_new(out)
    outlines = None if within is None else read_outlines(within, layer)
    with console.progress() as progress, detect_full_disk(out.parent):
        published = read_published(files, year=year, progress=progress)
        made = facilities_of(published, within=outlines, by=by, gwp=gwp)
        write_facilities(made, out)
    unit = made.table["unit"].iloc[0]
    lines: list[tuple[str, ...]] = [("category", "facilities", unit)]
    lines += [
        (name, f"{count:,}", f"{float(tonnes):,.1f}") for name, count, tonnes in made.by_category()
    ]
    for line in aligned_columns(lines):
        console.say(line)
    console.problems(made.notes)
    console.say(
        f"{counted(len(made.table), 'facility', 'facilities')} of {published.year} in {out}. In the case:"
    )
    console.say()
    console.say("    [facilities]")
    console.say(f'    path = "{out.name}"')
    console.say()
    console.say("A category needs a total that is at least what its facilities emit.")
    console.document(
        {
            "status": "done",
            "year": published.year,
            "facilities": len(made.table),
            "file": out,
            "read": {gas: digits(tonnes) for gas, tonnes in published.read.items()},
            **made.as_text(),
            "notes": [vars(note) for note in made.notes],
        }
    )
