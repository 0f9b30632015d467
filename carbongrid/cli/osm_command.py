"""The command ``from-osm``: an OpenStreetMap extract becomes a case."""

from __future__ import annotations

from pathlib import Path

import click

from carbongrid.cli.commands import _talk, _talking, main


@main.command("from-osm")
@click.argument("extract", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--units",
    "level",
    default=None,
    metavar="ADMIN_LEVEL",
    help="admin_level of the units, 2 to 11; default: the smallest that covers nearly all land; the output tells the others.",
)
@_talking
def from_osm(
    extract: Path, directory: Path, level: str | None, quiet: bool, as_json: bool, verbose: int
) -> None:
    """Turn EXTRACT (.osm.pbf, for example of Geofabrik) into a case in DIRECTORY.

    The case runs as it is: parcels, units, roads and points are there, and totals.csv has a row,
    still 0, for every category that some parcel carries.

    \b
        carbongrid from-osm liechtenstein.osm.pbf mycase
        carbongrid check mycase/case.toml
        (fill in mycase/totals.csv)
        carbongrid run mycase/case.toml --out myrun
        carbongrid verify myrun
    """  # noqa: D301  (click wants the character)
    talk = _talk(quiet, as_json, verbose)
    with talk.errors():
        from carbongrid.run_store import told_if_full
        from carbongrid.sources.osm import write_case_from_osm

        with talk.progress() as progress, told_if_full(directory):
            made = write_case_from_osm(extract, directory, level=level, progress=progress)
        talk.say(f"{made.units} units (admin_level {made.level}), {made.parcels:,} parcels,")
        talk.say(f"{made.lines:,} lines and {made.pois:,} points of interest in {directory}")
        talk.problems(made.notes)
        talk.say(f"Fill in {directory / 'totals.csv'}: {len(made.categories)} categories, all 0.")
        talk.say(f"Then: carbongrid check {made.case}")
        talk.document(
            {
                "status": "done",
                "case": made.case,
                "units": made.units,
                "parcels": made.parcels,
                "categories": list(made.categories),
                "notes": [vars(note) for note in made.notes],
            }
        )
