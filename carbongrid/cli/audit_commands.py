"""The commands that ask a finished run what its zones depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.answers import can_draw, json_rows, tell_files
from carbongrid.cli.beside import folder_beside
from carbongrid.cli.console import Console, or_dash
from carbongrid.cli.group import main
from carbongrid.cli.options import FILE, FOLDER, with_console, with_out, with_seed

if TYPE_CHECKING:
    from carbongrid.analysis.choices.audit import ChoiceAudit
    from carbongrid.analysis.scale.audit import ScaleAudit
    from carbongrid.analysis.skill.skill import Skill

_LISTED = 10


@main.command("audit-choices")
@click.argument("directory", type=FOLDER)
@click.option(
    "--case",
    type=FILE,
    default=None,
    help="The run's case, where it is from activity data: with it other electricity, GWP and sinks are tried.",
)
@click.option(
    "--without",
    multiple=True,
    help="A choice that is left as it is, such as basis; may be given several times.",
)
@with_seed
@with_out
@with_console
def audit_choices(
    console: Console,
    directory: Path,
    case: Path | None,
    without: tuple[str, ...],
    seed: int,
    out: Path | None,
) -> None:
    """Say which zones of the finished run in DIRECTORY hold under every defensible reading of the method.

    What the study leaves open is read otherwise, choice by choice and together; no geometry is measured again. Writes choices_units.csv: per unit the share of
    readings in each zone, and whether it is in the stable core; choices.csv: units that flip when a choice changes; choices_not_tried.csv: what this run cannot
    answer, and why; choices_readings.csv; choices.html, a page of all of it in English and Chinese; choices.png.
    """
    from carbongrid.analysis.choices.audit import CANNOT_TELL, write_choices
    from carbongrid.analysis.choices.audit import audit_choices as audit
    from carbongrid.analysis.choices.page import write_choices_page
    from carbongrid.outputs.figures.choices import write_choices_figure
    from carbongrid.outputs.reading import read_result

    with console.progress() as progress:
        results = folder_beside(directory, "analysis", out)
        result = read_result(directory)
        found = audit(result, case=case, without=without, seed=seed, progress=progress)
    with results as folder:
        files = write_choices(found, folder)
        if can_draw(console):
            files.append(write_choices_figure(found.units, found.choices, folder / "choices.png"))  # fmt: skip
            files.append(write_choices_page(found, result, folder / "choices.html"))
    for line in _decided(found):
        console.say(line)
    console.say(CANNOT_TELL)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "design": found.design,
            "stable": found.stable,
            "zoned": found.zoned,
            "units": json_rows(found.units),
            "choices": json_rows(found.choices),
            "not_tried": json_rows(found.not_tried),
            "cannot_tell": CANNOT_TELL,
        }
    )


def _decided(found: ChoiceAudit) -> Iterator[str]:
    """Yield how many zones are stable, what moves the rest, what was not tried, and the units that are moved most."""
    from carbongrid.method.tonnes import counted
    from carbongrid.outputs.numbers import whole_percent

    yield f"{found.stable:,} of {found.zoned:,} units with a zone have one zone under all readings ({found.design})."
    none = len(found.units) - found.zoned
    if none:
        yield f"{counted(none, 'unit')} {'has' if none == 1 else 'have'} no zone in the run, and so none that could hold."
    head = ("choice", "in the run", "read as", "units that flip", "mean over the others")
    choices = found.choices.sort_values("mean", ascending=False, kind="stable").to_dict("records")
    yield from aligned_columns(
        [
            head,
            *(
                (row["choice"], row["own"], row["value"], str(row["alone"]), f"{row['mean']:.1f}")
                for row in choices
            ),
        ],
        cut=False,
    )
    for (choice, reason), rows in found.not_tried.groupby(["choice", "reason"], sort=False):
        yield f"Not tried: {choice} {', '.join(rows['value'])}: {reason}."
    moved = found.units[found.decided]
    if len(moved):
        moved = moved.assign(own=[row[f"share_{row['zone']}"] for row in moved.to_dict("records")])
        yield "Kept by the fewest readings:"
        for row in moved.sort_values("own", kind="stable").head(_LISTED).to_dict("records"):
            shares = ", ".join(f"{code}: {whole_percent(row[f'share_{code}'])}" for code in (1, 2, 3, 4, 0) if row[f"share_{code}"] >= 0.005)  # fmt: skip
            yield f"  {row['unit']} {row['name']}, zone {row['zone']}; of the readings {shares}"


@main.command("audit-scale")
@click.argument("directory", type=FOLDER)
@click.option(
    "--without-fine",
    is_flag=True,
    help="Leave out other fine cells and exact areas, which count borders again.",
)
@click.option("--groupings", type=click.IntRange(min=1), default=200, show_default=True)
@with_seed
@with_out
@with_console
def audit_scale(
    console: Console,
    directory: Path,
    without_fine: bool,
    groupings: int,
    seed: int,
    out: Path | None,
) -> None:
    """Say whether the pattern of the finished run in DIRECTORY survives another ruler.

    Coarse grids of 0.5, 1, 2 and 5 km at eight origins; units merged to their parents, and to as many random groups of neighbours; other fine cells and exact
    areas. Writes scale_grids.csv, scale_groups.csv, scale_null.csv, scale_cells.csv, scale_units.csv, scale.html and scale.png.
    """
    from carbongrid.analysis.scale.audit import CANNOT_TELL, write_scale
    from carbongrid.analysis.scale.audit import audit_scale as audit
    from carbongrid.analysis.scale.page import write_scale_page
    from carbongrid.outputs.figures.scale import write_scale_figure
    from carbongrid.outputs.reading import read_result

    with console.progress() as progress:
        results = folder_beside(directory, "analysis", out)
        result = read_result(directory)
        found = audit(result, fine=not without_fine, groupings=groupings, seed=seed, progress=progress)  # fmt: skip
    with results as folder:
        files = write_scale(found, folder)
        if can_draw(console):
            files.append(write_scale_figure(found.grids, found.groups, found.cells, folder / "scale.png"))  # fmt: skip
            files.append(write_scale_page(found, result, folder / "scale.html"))
    for line in _by_ruler(found):
        console.say(line)
    console.say(CANNOT_TELL)
    tell_files(console, folder, files)
    console.document(
        {
            "status": "done",
            "files": files,
            "grids": json_rows(found.grids),
            "null": json_rows(found.null),
            "cells": json_rows(found.cells),
            "remarks": found.remarks,
            "cannot_tell": CANNOT_TELL,
        }
    )


def _by_ruler(found: ScaleAudit) -> Iterator[str]:
    """Yield what coarse grids see, how parents compare with random groups, and what fine cells move."""
    from carbongrid.method.tonnes import at_decimals
    from carbongrid.outputs.numbers import density, ends, gini_number, whole_percent

    yield f"{'coarse grid':<12} {'quantity':<9} {'Gini of density':>17} {'most, t per km2 and year':>29}"
    for key, rows in found.grids.groupby(["quantity", "side_m"], sort=True):
        quantity, side = str(key[0]), float(str(key[1]))
        gini = ends(rows["gini"], gini_number, " to ")
        most = ends(rows["max_t_km2"], density, " to ")
        yield f"{side / 1000:>8g} km  {quantity:<9} {gini:>17} {most:>29}"
    words = {"same": "have the zone with the largest part of their units' emission", "adjusted_rand": "adjusted Rand index of zones of units and of theirs"}  # fmt: skip
    for row in found.null.to_dict("records"):
        own = f"Merged to {row['merged']}: {row['parents']:.2f} {words[row['measure']]}"
        if row["random_mean"] != row["random_mean"]:
            yield f"{own}; no random groups of neighbours have a zone."
            continue
        yield (
            f"{own}; random groups of neighbours {row['random_mean']:.2f} "
            f"({row['random_p05']:.2f} to {row['random_p95']:.2f} of 90 %), {whole_percent(row['reached_by'])} of them reach it."
        )
    if len(found.cells):
        yield f"{'fine cells':<12} {'emission':>10} {'sink':>10} {'other zones':>12} {'seconds':>8}"
        for row in found.cells.to_dict("records"):
            named = row["fine"] if row["fine"] == "exact" else f"{row['fine']} m"
            yield f"{named:<12} {at_decimals(row['emission_percent'], 3):>9}% {at_decimals(row['sink_percent'], 3):>9}% {row['zones']:>12} {row['seconds']:>8.1f}"
    yield from found.remarks


@main.command()
@click.argument("directory", type=FOLDER)
@with_seed
@with_out
@with_console
def skill(console: Console, directory: Path, seed: int, out: Path | None) -> None:
    """Say how well the proxies of the finished run in DIRECTORY would have placed what is known.

    Facilities are held out one at a time and in fifths, regions with totals of their own one at a time, GDP of units by parent. Writes skill.csv and what was held
    out, skill.html, skill.png, and, where sigma and tau of a weight rule are told, uncertainty.csv, which [uncertainty] in the case names and `carbongrid probability` reads.
    """
    with console.progress() as progress:
        from carbongrid.analysis.skill.page import write_skill_page
        from carbongrid.analysis.skill.skill import CANNOT_TELL, write_skill
        from carbongrid.analysis.skill.skill import skill as skill_of
        from carbongrid.outputs.figures.skill import write_skill_figure
        from carbongrid.outputs.reading import read_result

        results = folder_beside(directory, "analysis", out)
        result = read_result(directory)
        found = skill_of(result, seed=seed, progress=progress)
        with results as folder:
            files = write_skill(found, folder)
            if len(found.measures) and can_draw(console):
                files.append(write_skill_figure(found.measures, found.facilities, folder / "skill.png"))  # fmt: skip
                files.append(write_skill_page(found, result, folder / "skill.html"))
    for line in _placed(found):
        console.say(line)
    console.say(CANNOT_TELL)
    console.say(f"In {folder}: {', '.join(file.name for file in files) or 'nothing'}.")
    console.document(
        {
            "status": "done",
            "files": files,
            "measures": json_rows(found.measures),
            "spreads": json_rows(found.spreads),
            "rows": json_rows(found.rows),
            "cannot_tell": CANNOT_TELL,
        }
    )


_ONE = {"facilities": "facility", "regions": "region", "units": "unit"}


def _counted(row: Mapping[Any, Any]) -> str:
    """Return how many were held out: 1 facility, 3 regions."""
    return f"{row['count']} {row['held'] if row['count'] != 1 else _ONE[row['held']]}"


def _placed(found: Skill) -> Iterator[str]:
    """Yield what was held out and how well it was placed, sigma and tau of each weight rule, and what to paste."""
    from carbongrid.analysis.skill.skill import without_skill

    if found.measures.empty:
        yield "Nothing is known to hold out: no facility with a place, no category with three regions that have totals and claims by its rule, no GDP of units with a parent."
        return
    rows = [("of", "by", "held out", "misplaced", "by area", "people", "skill")]
    for row in found.measures.to_dict("records"):
        shares = (or_dash(row[name], 0, ".3f") for name in ("misplaced", "by_area", "by_people"))
        rows.append((row["of"], row["rule"], _counted(row), *shares, or_dash(row["skill"], 0, ".2f")))  # fmt: skip
    yield from aligned_columns(rows, cut=False)
    yield from without_skill(found.measures)
    for row in found.measures[found.measures["left_out"] > 0].to_dict("records"):
        if row["left_out"] == 1:
            why = "has no place or lies in no unit" if row["held"] == "facilities" else "fell back to area"  # fmt: skip
            yield f"{row['of']}: 1 {_ONE[row['held']]} {why}, and is not held out."
            continue
        why = "have no place or lie in no unit" if row["held"] == "facilities" else "fell back to area"  # fmt: skip
        yield f"{row['of']}: {row['left_out']} {row['held']} {why}, and are not held out."
    for row in found.spreads.to_dict("records"):
        named = f"{row['rule']} ({_counted(row)})"
        if row["told"]:
            yield f"{named}: sigma {row['sigma']:.2f} (error {row['sigma_error']:.2f}), tau {row['tau']:.2f} (error {row['tau_error']:.2f}); assumed were {row['assumed_sigma']:g} and {row['assumed_tau']:g}."
        elif row["both"] != row["both"]:
            yield f"{named}: one alone of a category tells neither sigma nor tau; it takes two at least."
        elif row["both"] < row["assumed_sigma"]:
            yield f"{named}: too few, or too few in one unit, to tell sigma from tau; both together {row['both']:.2f}, less than sigma as it was taken, {row['assumed_sigma']:g}: what is held out is alike."
        else:
            yield f"{named}: too few, or too few in one unit, to tell sigma from tau; both together {row['both']:.2f}. With sigma as it was taken, {row['assumed_sigma']:g}, tau is {row['tau_if_sigma_holds']:.2f}."
    if len(found.rows):
        yield "What was measured is in uncertainty.csv. Copy it beside the case, and paste into the case:"
        yield "[uncertainty]"
        yield 'path = "uncertainty.csv"'
