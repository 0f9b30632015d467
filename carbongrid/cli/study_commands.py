"""The commands that study finished runs: transfers between units, and what changed over the years."""

from __future__ import annotations

import math
from pathlib import Path

import click

from carbongrid.cli.answers import json_rows, signed_tonnes, tell_files
from carbongrid.cli.beside import folder_beside
from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, FOLDER, WRITTEN_FOLDER, with_console, with_out, with_seed
from carbongrid.errors import InputError

_OWE = {
    "sink": "take up less than their part of all sinks",
    "gdp": "emit more than their part by GDP",
    "people": "emit more than their part by residents",
    "cap": "emit more than their part by caps",
}


def _prices(_context: object, _parameter: object, text: str | None) -> tuple[float, ...]:
    """Return the prices of ``40`` or ``40:120``."""
    if text is None:
        return ()
    try:
        found = tuple(float(part) for part in text.split(":"))
    except ValueError:
        found = ()
    if not 1 <= len(found) <= 2 or not all(0 <= price < float("inf") for price in found):
        raise click.BadParameter(f"{text!r} is no price and no range such as 40:120")
    return found


@main.command()
@click.argument("directory", type=FOLDER)
@click.option(
    "--price",
    default=None,
    callback=_prices,
    help="Currency units per t CO2e, or a range such as 40:120; none is guessed.",
)
@click.option(
    "--allowance",
    type=click.Choice(["sink", "gdp", "people", "cap"]),
    default="sink",
    show_default=True,
    help="sink: a unit's part of all sinks is held against its own; else all emission is shared out by GDP, people or caps.",
)
@click.option(
    "--caps",
    type=FILE,
    default=None,
    help="CSV with columns unit, cap in t CO2e per year, for --allowance cap.",
)
@with_out
@with_console
def compensation(
    console: Console,
    directory: Path,
    price: tuple[float, ...],
    allowance: str,
    caps: Path | None,
    out: Path | None,
) -> None:
    """Say which units of the finished run in DIRECTORY would compensate which, so that each has its part.

    A transfer between units, which adds up to zero: never an offset against the atmosphere. Writes compensation.html and, as CSV, balances of units, who pays whom over the least distance, and sums by zone and by parent.
    """
    with console.progress() as progress:
        from carbongrid.analysis.compensation.compensation import compensation as compensation_of
        from carbongrid.analysis.compensation.compensation import read_caps, write_compensation
        from carbongrid.analysis.compensation.transfers import plain_price
        from carbongrid.method.tonnes import at_decimals, counted

        if (caps is None) == (allowance == "cap"):
            raise InputError("--allowance cap and --caps go together", hint="Give both, or neither.")  # fmt: skip
        given = None if caps is None else read_caps(caps)
        results = folder_beside(directory, "analysis", out)
        found = compensation_of(
            directory, allowance=allowance, prices=price, caps=given, progress=progress
        )
        with results as folder:
            files = write_compensation(found, folder)
    moved = int(found.flows["mass_g"].sum())
    payers = int((found.units["balance_g"] < 0).sum())
    tonnes = found.run.gas.told(f"{at_decimals(moved / 1e6, 0)} t CO2e")
    console.say(f"{payers:,} of {len(found.units):,} units {_OWE[allowance]} and compensate the others for {tonnes} per year in {counted(len(found.flows), 'transfer')}.")  # fmt: skip
    for each in price:
        console.say(f"At {plain_price(each)} per t that is {at_decimals(moved / 1e6 * each, 0)} {found.run.manifest['currency']}".rstrip() + ".")  # fmt: skip
    console.problems(found.notes)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "units": json_rows(found.units),
            "flows": json_rows(found.flows),
            "zones": json_rows(found.zones),
            "notes": [str(each) for each in found.notes],
        }
    )


@main.command()
@click.argument("runs", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--codes",
    type=FILE,
    default=None,
    help="CSV with columns old, new: units that merged, by their codes before and after.",
)
@click.option(
    "--despite",
    multiple=True,
    type=click.Choice(["units", "gwp", "basis", "currency", "electricity", "sinks", "gas"]),
    help="Follow the years though these differ, and say so.",
)
@click.option("--out", type=WRITTEN_FOLDER, required=True, help="Folder for the files.")
@with_console
def trend(
    console: Console,
    runs: tuple[Path, ...],
    codes: Path | None,
    despite: tuple[str, ...],
    out: Path,
) -> None:
    """Say what changed over the years, and through what, between finished RUNS in the order of their years.

    Writes trend.html and, as CSV, zones from year to year with each year's own region and with the first year's, change of emission, sink and indices, its parts by population, GDP per head and emission per GDP (LMDI), and Tapio's decoupling.
    """
    with console.progress():
        from carbongrid.analysis.trend.merged_units import read_merged_codes
        from carbongrid.analysis.trend.trend import trend as trend_of
        from carbongrid.analysis.trend.trend import write_trend
        from carbongrid.method.tonnes import counted
        from carbongrid.run_store import detect_full_disk, open_to_write, require_writable

        if len(runs) < 2:
            raise InputError("one run is no trend", hint="Name two runs or more.")
        require_writable(out)
        found = trend_of(
            runs, codes=None if codes is None else read_merged_codes(codes), despite=despite
        )
        open_to_write(out)
        with detect_full_disk(out):
            files = write_trend(found, out)
    for row in found.region.to_dict("records"):
        console.say(f"{row['from_year']} to {row['to_year']}: emission {signed_tonnes(row['change_g'])} t, {'decoupling not known' if row['tapio'] == 'unknown' else row['tapio']}; {counted(row['turned'], 'unit')} in another zone, {row['turned_frozen']} with the first year's region kept.")  # fmt: skip
    console.problems(found.notes)
    tell_files(console, out, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "region": json_rows(found.region),
            "units": json_rows(found.units),
            "matrices": json_rows(found.matrices),
            "notes": [str(each) for each in found.notes],
        }
    )


@main.command()
@click.argument("directory", type=FOLDER)
@with_seed
@click.option("--no-clusters", is_flag=True, help="Leave out Moran's I, which takes esda.")
@with_out
@with_console
def inequality(
    console: Console,
    directory: Path,
    seed: int,
    no_clusters: bool,
    out: Path | None,
) -> None:
    """Say how unequally the units of the finished run in DIRECTORY hold emission and sink, and whether like units lie side by side.

    Writes inequality.html and, as CSV, Gini and Theil by residents, GDP and area, Lorenz curves, Moran's I and its local parts.
    """
    with console.progress() as progress:
        from carbongrid.analysis.inequality.inequality import inequality as inequality_of
        from carbongrid.analysis.inequality.inequality import write_inequality
        from carbongrid.outputs.numbers import gini_number

        results = folder_beside(directory, "analysis", out)
        found = inequality_of(
            directory, with_clusters=not no_clusters, seed=seed, progress=progress
        )
        with results as folder:
            files = write_inequality(found, folder)
    console.say(f"{'of':<10} {'by':<10} {'Gini':>7} {'Theil':>7}")
    for row in found.table.to_dict("records"):
        console.say(f"{row['of']:<10} {row['by']:<10} {gini_number(row['gini']):>7} {gini_number(row['theil']):>7}")  # fmt: skip
    for row in () if found.moran is None else found.moran.to_dict("records"):
        by_proxies = row["by_proxies_alone"]
        alone = "" if math.isnan(by_proxies) else f"; by the proxies alone {by_proxies:.3f}"
        console.say(f"Moran's I of {row['of']}: {row['i']:.3f}, by chance {row['expected']:.3f}, p {row['p']:.2g}{alone}.")  # fmt: skip
    console.problems(found.notes)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "seed": seed,
            "measures": json_rows(found.table),
            "moran": None if found.moran is None else json_rows(found.moran),
            "units": None if found.units is None else json_rows(found.units),
            "notes": [str(each) for each in found.notes],
        }
    )
