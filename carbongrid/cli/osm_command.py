"""The command ``from-osm``: an OpenStreetMap extract becomes a case."""

from __future__ import annotations

from pathlib import Path

import click

from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, WRITTEN_FOLDER, with_console


@main.command("from-osm")
@click.argument("extract", type=FILE)
@click.argument("directory", type=WRITTEN_FOLDER)
@click.option(
    "--units",
    "level",
    default=None,
    metavar="ADMIN_LEVEL",
    help="admin_level of the units, 2 to 11; default: the smallest that covers nearly all land; the output tells the others.",
)
@click.option(
    "--land-cover",
    type=FILE,
    default=None,
    help="A GeoTIFF of land-cover codes, for what the map leaves white.",
)
@click.option(
    "--codes",
    default=None,
    help="Code system of the land cover: worldcover, globeland30, corine-grid, nlcd, glc-fcs30, or a CSV of your own.",
)
@click.option(
    "--people",
    type=FILE,
    default=None,
    help="A GeoTIFF of people per cell, such as WorldPop: homes then go by people.",
)
@click.option(
    "--guess",
    is_flag=True,
    help="Fill in first guesses of totals, marked as such: world means per head (needs --people), and sinks by area.",
)
@with_console
def from_osm(
    console: Console,
    extract: Path,
    directory: Path,
    level: str | None,
    land_cover: Path | None,
    codes: str | None,
    people: Path | None,
    guess: bool,
) -> None:
    """Turn EXTRACT (.osm.pbf, for example of Geofabrik) into a case in DIRECTORY.

    The case runs as it is: parcels, units, roads and points are there, and totals.csv has a row,
    still 0, for every category that some parcel carries; --guess fills in world means, which are no figures of the place.

    \b
        carbongrid from-osm liechtenstein.osm.pbf mycase
        carbongrid from-osm island.osm.pbf mycase --land-cover worldcover.tif --codes worldcover --people worldpop.tif
        carbongrid check mycase/case.toml
        (fill in mycase/totals.csv)
        carbongrid run mycase/case.toml --out myrun
        carbongrid verify myrun
    """  # noqa: D301  (click wants the character)
    from carbongrid.method.tonnes import counted
    from carbongrid.run_store import detect_full_disk
    from carbongrid.sources.osm import write_case_from_osm

    with console.progress() as progress, detect_full_disk(directory):
        made = write_case_from_osm(
            extract,
            directory,
            level=level,
            land_cover=land_cover,
            codes=codes,
            people=people,
            guess=guess,
            progress=progress,
        )
    console.say(
        f"{counted(made.units, 'unit')} (admin_level {made.level}), {counted(made.parcels, 'parcel')},"
    )
    console.say(
        f"{counted(made.lines, 'line')} and {counted(made.pois, 'point of interest', 'points of interest')} in {directory}"
    )
    console.problems(made.notes)
    totals = f"{made.guesses} first guesses" if made.guesses else "all 0"
    console.say(f"Fill in {directory / 'totals.csv'}: {len(made.categories)} categories, {totals}.")
    console.say(f"Then: carbongrid check {made.case}")
    console.document(
        {
            "status": "done",
            "case": made.case,
            "units": made.units,
            "parcels": made.parcels,
            "categories": list(made.categories),
            "guesses": made.guesses,
            "notes": [vars(note) for note in made.notes],
        }
    )
