"""The commands that ask a finished run how sure its zones are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.answers import can_draw, json_rows, tell_files
from carbongrid.cli.beside import folder_beside
from carbongrid.cli.console import Console, or_dash
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, FOLDER, PATH, with_console, with_out, with_seed
from carbongrid.cli.outcome import firm_line
from carbongrid.errors import Problem, missing_libraries

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.analysis.validation.validation import Validation
    from carbongrid.method.probability.zone_probability import ZoneProbability

_NEAREST = 10
_ENOUGH_DRAWS = 100
"""From there on the standard error of a share of 90 % is 3 percentage points or less."""
_WELL = 0.3
"""sigma and tau are told apart where the standard errors of both are no larger than this, of each."""


@main.command()
@click.argument("directory", type=FOLDER)
@with_out
@with_console
def margins(console: Console, directory: Path, out: Path | None) -> None:
    """Say how far each unit of the finished run in DIRECTORY is from another zone.

    Writes margins.csv: the emission, sink or GDP at which ECC or ESC is just 1, all other units as they are, in whole grams and currency
    units. A margin is a distance: how likely it is to be crossed depends on how well the numbers are known.
    """
    with console.progress():
        from carbongrid.analysis.finished import FinishedRun
        from carbongrid.analysis.margins import margins as margins_of
        from carbongrid.analysis.margins import write_margins

        results = folder_beside(directory, "analysis", out)
        asked = FinishedRun.of(directory)
        table = margins_of(directory)
        of_esc = table[(table["boundary"] == "esc") & table["at_boundary"].notna()]
        warnings = asked.warnings_of_esc(of_esc["unit"])
        with results as folder:
            write_margins(table, folder / "margins.csv")
    for line in _nearest(table):
        console.say(line)
    console.problems(warnings)
    console.say(f"All of them in {folder / 'margins.csv'}.")
    console.document(
        {
            "status": "done",
            "file": folder / "margins.csv",
            "margins": json_rows(table),
            "notes": [str(each) for each in warnings],
        }
    )


def _nearest(table: pd.DataFrame) -> Iterator[str]:
    """Yield the units that the least change of emission would move; of a unit that emits nothing no percentage tells, so that it comes after the others, in tonnes."""
    import pandas as pd

    from carbongrid.outputs.numbers import change_in_percent

    floating = table[(table["reference"] == "floating") & (table["quantity"] == "emission")]
    known = floating[floating["at_boundary"].notna()]
    far = pd.DataFrame({"percent": known["percent"].abs(), "grams": known["difference"].map(abs)})
    nearest = known.loc[far.sort_values(["percent", "grams"], kind="stable").index[:_NEAREST]]
    if nearest.empty:
        yield "No unit has a zone that a change of its emission would end."
        return
    yield "The units nearest to another zone by their own emission, all other units as they are:"
    rows = [("unit", "index", "emission, t", "at the boundary, t", "change")]
    for row in nearest.to_dict("records"):
        named = f"{row['unit']} {row['name']}"
        change = change_in_percent(row["now"], row["difference"]).replace("−", "-") if row["now"] else f"+{_whole_tonnes(row['difference'])} t"  # fmt: skip
        masses = _whole_tonnes(row["now"]), _whole_tonnes(row["at_boundary"])
        rows.append((named, row["boundary"].upper(), *masses, change))
    yield from aligned_columns(rows, cut=False)


def _whole_tonnes(grams: int) -> str:
    """Return whole tonnes; of less than one three digits, for a boundary of some kilograms is one."""
    if not grams or abs(grams) >= 10**6:
        return f"{grams / 1e6:,.0f}"
    return f"{float(f'{grams / 1e6:.3g}'):.6f}".rstrip("0").rstrip(".")


@main.command()
@click.argument("directory", type=FOLDER)
@click.option("--draws", type=click.IntRange(min=1), default=1000, show_default=True)
@with_seed
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(["totals", "weights", "sinks", "gdp"]),
    help="A source that is not drawn; may be given several times.",
)
@with_out
@with_console
def probability(
    console: Console,
    directory: Path,
    draws: int,
    seed: int,
    without: tuple[str, ...],
    out: Path | None,
) -> None:
    """Say how sure the zones of the finished run in DIRECTORY are, by draws.

    Drawn are totals, what parcels claim of them, coefficients of sinks, and GDP. Writes zone_probability.csv: per unit the share of draws in each zone, and
    5, 50 and 95 % points; zone_probability_sources.csv: which source moves how many zones; zone_probability_settings.csv: what the draws
    rest on. Most of that is assumed until it was measured for the place.
    """
    from carbongrid.analysis.probability import probability as probability_of
    from carbongrid.analysis.probability import write_probability
    from carbongrid.outputs.figures.zone_probability import write_probability_figures
    from carbongrid.outputs.reading import of_one_run, read_tables

    # The run may be replaced while zones are drawn.
    with of_one_run(directory), console.progress() as progress:
        results = folder_beside(directory, "analysis", out)
        tables = read_tables(directory, parcels=False)
        found = probability_of(
            directory, draws=draws, seed=seed, without=without, progress=progress
        )
    with results as folder:
        files = write_probability(found, tables.units, folder)
        if missing_libraries("matplotlib"):
            console.problem(Problem("without matplotlib there is no figure", hint='pip install "carbongrid[report]"', level="note"))  # fmt: skip
        else:
            files += write_probability_figures(tables, found.table, folder)
    for line in _how_sure(found):
        console.say(line)
    notes = list(_few_draws(draws))
    console.problems(notes)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "draws": draws,
            "seed": seed,
            "units": json_rows(found.table),
            "sources": found.sources.to_dict("records"),
            "notes": [str(each) for each in notes],
        }
    )


@main.command()
@click.argument("directory", type=FOLDER)
@click.argument("published", metavar="TABLE...", nargs=-1, type=PATH)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="CATEGORY=FILE",
    help="A raster of one sector or category; may be given several times, and several times for one.",
)
@click.option(
    "--rasters",
    type=FILE,
    default=None,
    help="A table of rasters: columns of, path, unit, variable, part.",
)
@click.option(
    "--unit",
    default=None,
    help='What a raster\'s value is, where it does not say: "t CO2 yr-1" (per cell), "kg CO2 m-2 s-1".',
)
@click.option(
    "--variable",
    default=None,
    help="The variable, or the number of the band, where there are several.",
)
@click.option(
    "--key", default=None, help="Column of the units whose codes TABLE names; default: their own."
)
@click.option("--draws", type=click.IntRange(min=2), default=300, show_default=True)
@with_seed
@click.option(
    "--min-skill", type=float, default=None, help="End with code 1 where a quantity has less skill."
)
@with_out
@with_console
def validate(
    console: Console,
    directory: Path,
    published: tuple[Path, ...],
    categories: tuple[str, ...],
    rasters: Path | None,
    unit: str | None,
    variable: str | None,
    key: str | None,
    draws: int,
    seed: int,
    min_skill: float | None,
    out: Path | None,
) -> None:
    """Say how far the finished run in DIRECTORY agrees with what others have published, in TABLE.

    TABLE has columns region, of (emission, sink, a sector or a category), value, unit. It is first held against its own totals. Skill is against
    what area or people alone would do; agreement is not truth. Writes validation.csv, validation_units.csv, validation_sums.csv,
    validation_zones.csv, validation.html (maps of ratios, a scatter for each quantity) and validation.png.

    TABLE may be a raster of emission instead (GeoTIFF, NetCDF or Zarr, as of EDGAR or ODIAC), or twelve of the months of a year. It becomes a table of units by exact
    shares of its cells, and is held against the run cell by cell as well: validation_cell_measures.csv, validation_cells.csv.
    """
    with console.progress() as progress:
        from carbongrid.analysis.published.rasters import PublishedRaster, read_rasters_table
        from carbongrid.analysis.validation.page import write_validation_page
        from carbongrid.analysis.validation.validation import validate as validate_run
        from carbongrid.analysis.validation.validation import write_validation
        from carbongrid.outputs.figures.scatter import write_scatter

        named = [
            PublishedRaster(of, Path(path)) for of, path in map(_category_and_file, categories)
        ]
        listed = () if rasters is None else read_rasters_table(rasters)
        every: list[str | Path | PublishedRaster] = [*published, *named, *listed]
        results = folder_beside(directory, "analysis", out)
        found = validate_run(
            directory,
            every,
            key=key,
            draws=draws,
            seed=seed,
            unit=unit,
            variable=variable,
            progress=progress,
        )
        with results as folder:
            files = write_validation(found, folder)
            if can_draw(console):
                files.append(write_scatter(found.values, folder / "validation.png"))
                files.append(write_validation_page(found, folder / "validation.html"))
    console.problems(problem for problem, _ in found.remarks)
    for line in (*_agreement(found), *_agreement_of_cells(found)):
        console.say(line)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "measures": _finite_rows(found.measures),
            "values": _finite_rows(found.values),
            "sums": _finite_rows(found.sums),
            "zones": {name: None if value != value else value for name, value in found.zones.items()},
            "unit_zones": _finite_rows(found.unit_zones),
            "cell_measures": _finite_rows(found.cell_measures),
            "worst_cells": _finite_rows(found.worst_cells),
            "remarks": [vars(problem) for problem, _ in found.remarks],
        }
    )  # fmt: skip
    if min_skill is not None:
        # Without a skill to tell nothing has passed, but for what was made with this very proxy.
        measures = found.measures
        weak = measures[~(measures["skill"] >= min_skill) & ~measures["same_proxy"]]
        if len(weak):
            console.problem(Problem(f"less skill than {min_skill:g}, or none that can be told: {', '.join(weak['of'])}"))  # fmt: skip
            raise SystemExit(1)


def _category_and_file(text: str) -> tuple[str, str]:
    """Return the two sides of CATEGORY=FILE."""
    of, sign, path = text.partition("=")
    if not (of and sign and path):
        from carbongrid.errors import InputError

        raise InputError(f"{text!r} is not CATEGORY=FILE", "--category", "Write for example --category transport=transport.nc.")  # fmt: skip
    return of, path


def _finite_rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the rows of a table, null also where a number is infinite."""
    return json_rows(table.replace([math.inf, -math.inf], math.nan))


def _agreement(found: Validation) -> Iterator[str]:
    """Yield what is wrong with the table itself, then a line for each quantity, in words where there is no skill."""
    for row in found.sums[found.sums["off"]].to_dict("records"):
        where = f"region {row['region']}" if row["region"] else "the whole"
        why = f": as if {row['slip']}" if row["slip"] else ""
        yield f"The table contradicts itself: {' '.join(filter(None, (row['of'], row['gas'])))} of its units in {where} add up to {row['ratio']:.3g} times its total{why}."
    rows = [("of", "units", "bias", "rank", "misplaced", "by area", "people", "whole", "skill", "in 90 %")]  # fmt: skip
    forms = {"bias": ".2f", "spearman": ".2f", "misplaced_scaled": ".3f", "by_area": ".3f", "by_people": ".3f", "by_one_total": ".3f", "skill": ".2f"}  # fmt: skip
    rows += [(row["of"], str(row["units"]), *_measures(row, forms), _covered(row["coverage_90"])) for row in found.measures.to_dict("records")]  # fmt: skip
    yield from aligned_columns(rows, cut=False)
    for row in found.measures.to_dict("records"):
        yield from _remarks_of_quantity(row)
    if found.zones:
        yield from _agreement_of_zones(found.zones)


def _remarks_of_quantity(row: dict[Any, Any]) -> Iterator[str]:
    """Yield what the measures of a quantity do not say themselves, and how uncertain it was found to be."""
    from carbongrid.analysis.validation.validation import placed_as_well_by, why_no_skill

    if row["units_missing"]:
        verb = "is" if row["units_missing"] == 1 else "are"
        yield f"{row['of']}: {row['units_missing']:,} of {row['units'] + row['units_missing']:,} units {verb} not in the table; all that is said here is of the others."
    if row["same_proxy"]:
        yield f"{row['of']}: less than 0.005 is misplaced, so the published values were probably made with this very proxy; it says nothing of either."
    elif row["skill"] != row["skill"]:
        yield f"{row['of']}: no skill can be told: {why_no_skill(row)[0]}."
    elif row["skill"] <= 0:
        yield f"{row['of']}: no skill. By {placed_as_well_by(row)[0]} alone it would have been placed as well."
    if row["sigma_found"] == row["sigma_found"] and not row["same_proxy"]:
        yield _row_to_paste(row)


def _agreement_of_zones(zones: Mapping[str, float]) -> Iterator[str]:
    """Yield how far zones agree, and by what else they would."""
    from carbongrid.method.tonnes import counted
    from carbongrid.outputs.numbers import whole_percent

    yield f"Zones of {counted(round(zones['units']), 'unit')}: {whole_percent(zones['agreement'])} agree, kappa {zones['kappa']:.2f}; with emission spread by area {whole_percent(zones['agreement_by_area'])}, kappa {zones['kappa_by_area']:.2f}."
    if zones["agreement_by_one_total"] == zones["agreement_by_one_total"]:
        yield f"With one whole total of each category instead of those of regions {whole_percent(zones['agreement_by_one_total'])} agree, kappa {zones['kappa_by_one_total']:.2f}."
    yield f"Published values with the run's totals as a reference: {whole_percent(zones['agreement_by_published'])} would agree, kappa {zones['kappa_by_published']:.2f}."
    if zones["agreement"] < 1:
        yield f"Of the zones that disagree {whole_percent(zones['disagreements_not_firm'])} are not firm, of all {whole_percent(zones['not_firm'])}."


def _agreement_of_cells(found: Validation) -> Iterator[str]:
    """Yield how far rasters agree cell by cell, and where they agree least."""
    if not len(found.cell_measures):
        return
    from carbongrid.analysis.validation.cells import centres_written

    rows = [("cell by cell", "cells", "bias", "rank", "misplaced", "scaled", "by area", "skill")]
    forms = {"bias": ".2f", "spearman": ".2f", "misplaced": ".3f", "misplaced_scaled": ".3f", "by_area": ".3f", "skill": ".2f"}  # fmt: skip
    rows += [(row["of"], str(row["cells"]), *_measures(row, forms)) for row in found.cell_measures.to_dict("records")]  # fmt: skip
    yield from aligned_columns(rows, cut=False)
    yield "The cells whose masses lie furthest apart, both sides brought to one total:"
    worst = found.worst_cells
    places = centres_written(worst, found.cell_measures)
    apart = [("of", "x", "y", "run, t", "published, t", "apart, t")]
    for row, (x, y) in zip(worst.to_dict("records"), places, strict=True):
        masses = f"{row['ours_t']:,.0f}", f"{row['published_t']:,.0f}", f"{row['apart_t']:+,.0f}"
        apart.append((row["of"], x, y, *masses))
    yield from aligned_columns(apart, cut=False)


def _measures(row: Mapping[Any, Any], forms: Mapping[str, str]) -> Iterator[str]:
    """Yield the measures of a quantity, each in its form."""
    return (or_dash(row[name], 0, form) for name, form in forms.items())


def _covered(share: float) -> str:
    from carbongrid.outputs.numbers import whole_percent

    return "-" if math.isnan(share) else whole_percent(share)


def _row_to_paste(row: dict[Any, Any]) -> str:
    """Return what differences say of sigma and tau, as a row for the table of uncertainty."""
    told = f"{row['of']}: sigma {row['sigma_found']:.2f} (error {row['sigma_error']:.2f}), tau {row['tau_found']:.2f} (error {row['tau_error']:.2f})"
    well = row["sigma_error"] <= _WELL * row["sigma_found"] and row["tau_error"] <= _WELL * row["tau_found"]  # fmt: skip
    if well:
        numbers = f"{row['sigma_found']:.2f},{row['tau_found']:.2f}"
        return f'{told}. For [uncertainty]: weights,{row["of"]},,{numbers},,measured,"validate, {row["units"]} units"'
    return f"{told}: these units do not tell them apart. With sigma as it was taken tau is {row['tau_if_sigma_holds']:.2f}."


def _few_draws(draws: int) -> Iterator[Problem]:
    """Yield a note where the share of draws by which a zone is firm is off by several per cent by chance."""
    from carbongrid.method.probability.zone_probability import FIRM
    from carbongrid.method.tonnes import counted

    if draws >= _ENOUGH_DRAWS:
        return
    error = 100 * math.sqrt(FIRM * (1 - FIRM) / draws)
    what = f"of {counted(draws, 'draw')} a share of {FIRM:.0%} is off by {error:.0f} percentage points either way by chance (one standard error), so that which zones are firm, and 5 and 95 % points, say little"
    yield Problem(what, "--draws", f"Draw {_ENOUGH_DRAWS} times or more.", "note")


def _how_sure(found: ZoneProbability) -> Iterator[str]:
    """Yield how many zones are firm, what moves them, and how much of what they rest on is assumed."""
    from carbongrid.outputs.numbers import share_of_draws

    table, sources, settings = found.table, found.sources, found.settings
    zoned = int((table["zone"] > 0).sum())
    draws = len(found.emission)
    if not settings[["percent", "sigma", "tau"]].to_numpy().any():
        yield "Nothing was drawn: every uncertainty is 0 or left out, so that each draw is the run."
        return
    yield firm_line(int(table["firm"].sum()), zoned, draws)
    if zoned:
        yield f"{'drawn':<18} {'units expected to flip':>22} {'share':>7}"
    for row in sources.to_dict("records") if zoned else ():
        yield f"{row['drawn']:<18} {row['units_expected_to_flip']:>22.1f} {100 * row['share_of_units']:>6.1f}%"
    unsure = table[(table["zone"] > 0) & ~table["firm"]]
    if len(unsure):
        yield "The least sure:"
        for row in unsure.sort_values("entropy", ascending=False, kind="stable").head(_NEAREST).to_dict("records"):  # fmt: skip
            shares = ", ".join(f"{code}: {share_of_draws(row[f'p{code}'])}" for code in (1, 2, 3, 4) if row[f"p{code}"] >= 0.005)  # fmt: skip
            yield f"  {row['unit']} {row['name']}, zone {row['zone']}; of the draws {shares}"
    assumed, taken = ((settings["basis"] == "assumed").sum(), (settings["basis"] != "off").sum())
    if assumed:
        yield f"{assumed} of {taken} uncertainties are assumed, no measurement: zone_probability_settings.csv lists them."
