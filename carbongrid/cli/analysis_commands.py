"""The commands that ask a finished run how sure its zones are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carbongrid.cli.commands import _FOLDER, _console, _with_console, main

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.analysis.probability import ZoneProbability

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


@main.command()
@click.argument("directory", type=_FOLDER)
@click.option("--draws", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["totals", "weights", "sinks", "gdp"]),
    help="A source that is not drawn; may be given several times.",
)
@with_out
@_with_console
def probability(
    directory: Path,
    draws: int,
    seed: int,
    without: tuple[str, ...],
    out: Path | None,
    quiet: bool,
    as_json: bool,
    verbose: int,
) -> None:
    """Say how sure the zones of the finished run in DIRECTORY are, by draws.

    Drawn are totals, what parcels claim of them, coefficients of sinks, and GDP. Writes zone_probability.csv: per unit the share of draws in each zone, and
    5, 50 and 95 % points; zone_probability_sources.csv: which source moves how many zones; zone_probability_settings.csv: what the draws
    rest on. Most of that is assumed until it was measured for the place.
    """
    console = _console(quiet, as_json, verbose)
    with console.errors():
        from carbongrid.analysis.probability import probability as probability_of
        from carbongrid.analysis.probability import write_probability
        from carbongrid.errors import Problem, missing_libraries
        from carbongrid.outputs.figures.zone_probability import write_probability_figures
        from carbongrid.outputs.tables import read_tables
        from carbongrid.run_store import detect_full_disk

        with console.progress() as progress:
            found = probability_of(
                directory, draws=draws, seed=seed, without=without, progress=progress
            )
        folder = analysis_folder(directory, out)
        with detect_full_disk(folder):
            files = write_probability(found, folder)
            if missing_libraries("matplotlib"):
                console.problem(Problem("without matplotlib there is no figure", hint='pip install "carbongrid[report]"', level="note"))  # fmt: skip
            else:
                tables = read_tables(directory, parcels=False)
                files += write_probability_figures(tables, found.table, folder)
        for line in _how_sure(found):
            console.say(line)
        console.say(f"In {folder}: {', '.join(file.name for file in files)}.")
        rows = found.table.astype(object).where(found.table.notna(), None).to_dict("records")
        console.document(
            {
                "status": "done",
                "files": files,
                "draws": draws,
                "seed": seed,
                "units": rows,
                "sources": found.sources.to_dict("records"),
            }
        )


def _how_sure(found: ZoneProbability) -> Iterator[str]:
    """Yield how many zones are firm, what moves them, and how much of what they rest on is assumed."""
    table, sources, settings = found.table, found.sources, found.settings
    zoned = int((table["zone"] > 0).sum())
    draws = len(found.emission)
    yield f"{int(table['firm'].sum())} of {zoned} zones are firm: at least 90 % of {draws:,} draws have them."
    yield f"{'drawn':<18} {'units expected to flip':>22} {'share':>7}"
    for row in sources.to_dict("records"):
        yield f"{row['drawn']:<18} {row['units_expected_to_flip']:>22.1f} {100 * row['share_of_units']:>6.1f}%"
    unsure = table[(table["zone"] > 0) & ~table["firm"]]
    if len(unsure):
        yield "The least sure:"
        for row in unsure.sort_values("entropy", ascending=False, kind="stable").head(_NEAREST).to_dict("records"):  # fmt: skip
            shares = ", ".join(f"{code}: {100 * row[f'p{code}']:.0f} %" for code in (1, 2, 3, 4) if row[f"p{code}"] >= 0.005)  # fmt: skip
            yield f"  {row['unit']} {row['name']}, zone {row['zone']}; of the draws {shares}"
    assumed = int((settings["basis"] == "assumed").sum())
    if assumed:
        yield f"{assumed} of {len(settings)} uncertainties are assumed, no measurement: zone_probability_settings.csv lists them."
