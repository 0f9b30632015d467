"""The commands that say how a number came about: explain inventory, explain unit."""

from __future__ import annotations

from pathlib import Path

import click

from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import FOLDER, PATH, with_console, with_gwp
from carbongrid.errors import InputError


@main.group()
def explain() -> None:
    """Say how a number came about."""


@explain.command("inventory")
@click.argument("category")
@click.option(
    "--from",
    "source",
    type=PATH,
    default=Path("inventory.xlsx"),
    show_default=True,
    help="Activity data, a run directory, or its audit.csv.",
)
@with_gwp("For activity data.")
@click.option(
    "--sinks", default="ipcc", show_default=True, help="For activity data: as of inventory."
)
@with_console
def explain_inventory(console: Console, category: str, source: Path, gwp: str, sinks: str) -> None:
    """Print how the total of CATEGORY is formed, down to the rows and factors."""
    from carbongrid.case.readers.activity import read_activity
    from carbongrid.case.readers.sinks import sinks_of
    from carbongrid.inventory import explain as explain_total
    from carbongrid.inventory import form
    from carbongrid.outputs.tables.plain import read_text_csv

    trail = source / "audit.csv" if source.is_dir() else source
    # Activity data may lie in a folder, too.
    if (source / "manifest.json").is_file() and not trail.is_file():
        told = _total_as_given(source, category)
        console.say(told)
        console.document({"status": "done", "category": category, "tree": told})
        return
    if trail.name == "audit.csv" and trail.is_file():
        tree = explain_total(read_text_csv(trail), category)
    else:
        counted = sinks_of(sinks, Path(sinks))
        formed = form(read_activity(source), gwp=gwp, sinks=counted)
        tree = explain_total(formed, category)
    for line in tree.split("\n"):
        console.say(line)
    console.document({"status": "done", "category": category, "tree": tree})


def _total_as_given(run: Path, category: str) -> str:
    """Return the one line that there is to say of a total that the case gave: no activity data stand behind it."""
    from carbongrid.method.categories import suggestion_of
    from carbongrid.method.tonnes import at_decimals
    from carbongrid.outputs.reading import as_written, sealed_manifest
    from carbongrid.outputs.tables.plain import read_inventory_csv

    directory, manifest = sealed_manifest(run)
    with as_written(directory, "inventory.csv", manifest) as file:
        table = read_inventory_csv(file).frame
    rows = table[table["category"] == category]
    if rows.empty:
        known = sorted(set(table["category"]))
        raise InputError(f"no total of {category!r}", str(run), suggestion_of(category, known))
    sources = (
        "; ".join(dict.fromkeys(str(each) for each in rows["source"] if each)) or "no source told"
    )
    gas = " and ".join(sorted(set(rows["gas"])))
    return f"{category}: {at_decimals(int(rows['mass_g'].sum()) / 1e6, 2)} t {gas}, given as a total in the case ({sources}); this run was made of totals, so there are no activity data and factors to explain."


@explain.command("unit")
@click.argument("code")
@click.argument("directory", type=FOLDER)
@click.option(
    "--largest",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Parcels to name of each category.",
)
@with_console
def explain_unit(console: Console, code: str, directory: Path, largest: int) -> None:
    """Print how the numbers of the unit CODE came about in the finished run in DIRECTORY.

    Its categories with what they were spread by, the facilities and the largest parcels that carry them, their part in the unit and in the
    category; and at which emission, sink or GDP its indices would be just 1.
    """
    with console.progress() as progress:
        from dataclasses import asdict

        from carbongrid.pipeline.opening import open_run
        from carbongrid.pipeline.unit_account import account_lines, account_of_unit

        run = open_run(directory)
        account = account_of_unit(run, code, largest=largest, progress=progress)
    for line in account_lines(account, run.manifest["currency"]):
        console.say(line)
    console.document({"status": "done", **asdict(account)})
