"""The commands of the inventory: factors, inventory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.answers import json_rows
from carbongrid.cli.coded_inventory import coded_options, require_fitting, tell_coded
from carbongrid.cli.console import Console
from carbongrid.cli.group import main
from carbongrid.cli.options import PATH, WRITTEN_FILE, with_console, with_gwp

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.inventory import Inventory

_LEVELS = "In which total a code is, is recalled from the GPC (v1.1), not read again: hold it against the protocol before you publish these."


@main.command()
@click.argument("words", nargs=-1)
@click.option("--gas", default=None, help="Only this gas: C, CO2, CH4, N2O, CO2e.")
@click.option(
    "--region", default=None, help="Only regions that begin so: world, CN, CN/jiangsu ..."
)
@click.option(
    "--status",
    default=None,
    help="Only this status: verified, verified-secondary, derived, recalled.",
)
@click.option("--full", is_flag=True, help="Show all that is known of the factors found.")
@with_console
def factors(
    console: Console,
    words: tuple[str, ...],
    gas: str | None,
    region: str | None,
    status: str | None,
    full: bool,
) -> None:
    """Search the emission factors: WORDS must all stand in key, name, unit, gas, source or note."""
    from carbongrid.inventory.factors import catalogue, find
    from carbongrid.inventory.lines import plain

    found = find(" ".join(words), gas=gas, region=region, status=status)
    rows = [{**row, **_digits(catalogue()[row["key"]], plain)} for row in found.to_dict("records")]
    if full:
        for row in rows:
            for name, value in row.items():
                if value not in ("", None):
                    console.say(f"{name:<14}{value}")
            console.say()
    else:
        head = [("key", "value", "unit", "gas", "low", "high", "status", "name")]
        cells = [tuple(str(row[name]) for name in head[0]) for row in rows]
        for line in aligned_columns([*head, *cells]):
            console.say(line)
    console.say(f"{len(rows)} of {len(catalogue().factors)} factors.")
    console.document({"status": "done", "factors": rows})


def _digits(factor: Any, plain: Any) -> dict[str, str]:
    return {name: plain(getattr(factor, name)) for name in ("value", "low", "high")}


@main.command()
@click.argument("file", type=PATH)
@with_gwp()
@click.option(
    "--sinks",
    default="ipcc",
    show_default=True,
    help="ipcc: land only; balanced: land, and water with its methane; study: land, water and crops; or a CSV.",
)
@click.option(
    "--as",
    "system",
    type=click.Choice(["crt", "ipcc2006", "gpc"]),
    default=None,
    help="Under the codes of a system.",
)
@click.option(
    "--out",
    type=WRITTEN_FILE,
    default=None,
    help="Write the totals to this CSV.",
)
@click.option(
    "--audit",
    "trail",
    type=WRITTEN_FILE,
    default=None,
    help="Write the audit trail to this CSV.",
)
@click.option(
    "--consumption",
    is_flag=True,
    help="Electricity where it is used, by the balance of what is made, imported, used and lost.",
)
@click.option("--uncertainty", is_flag=True, help="Add the 95 % intervals of both approaches.")
@coded_options
@with_console
def inventory(
    console: Console,
    file: Path,
    gwp: str,
    sinks: str,
    system: str | None,
    out: Path | None,
    trail: Path | None,
    consumption: bool,
    uncertainty: bool,
    **coded: Any,
) -> None:
    """Form the totals of FILE: activity data, or with --system a table under codes.

    Activity data are a filled template, XLSX, or a folder of CSV files. A table under codes, CSV or XLSX, has a row for each
    code and gas, as national inventories are published.
    """
    others = {"--as": system, "--out": out, "--consumption": consumption}
    require_fitting(coded, {**others, "--uncertainty": uncertainty})
    if coded["of_system"] is not None:
        tell_coded(file, gwp, trail, coded, console)
        return
    import carbongrid as cg
    from carbongrid.case.readers.activity import read_activity
    from carbongrid.case.readers.formed_totals import regions_told
    from carbongrid.case.readers.sinks import sinks_of
    from carbongrid.outputs.tables.plain import write_text_csv

    counted = sinks_of(sinks, Path(sinks))
    formed = cg.inventory.form(read_activity(file), gwp=gwp, sinks=counted)
    as_given = formed
    if consumption:
        formed = cg.inventory.by_consumption(formed)
    coded_rows = None if system is None else cg.inventory.to_system(formed, system)
    reading = "consumption" if consumption else None
    with_aside, formed = formed, cg.inventory.as_counted(formed, reading)
    table = cg.inventory.totals(formed) if coded_rows is None else _by_code(coded_rows, system)
    if out is not None:
        write_text_csv(table, out)
    if trail is not None:
        write_text_csv(cg.inventory.audit_with_readings(with_aside, as_given, reading), trail)
    for line in aligned_columns(
        [tuple(table.columns), *(tuple(map(str, row)) for row in table.itertuples(index=False))]
    ):
        console.say(line)
    for line in _gpc_totals(coded_rows) if coded_rows is not None and system == "gpc" else ():
        console.say(line)
    compared = cg.inventory.compare_sinks(formed)
    readings = cg.inventory.compare_electricity(as_given)
    beside = cg.inventory.memo(as_given)
    for line in (*_side_by_side(compared), *_readings(readings), *_memo(beside)):
        console.say(line)
    ranges = _intervals(formed) if uncertainty else []
    for line in aligned_columns(ranges) if ranges else []:
        console.say(line)
    problems = [*cg.inventory.notes(formed), *regions_told(formed)]
    problems += [*cg.inventory.energy_notes(as_given), *counted.problems(file.name)]
    problems += cg.inventory.notes_on_bounds(formed) if uncertainty else []
    console.problems(problems)
    console.document(
        {
            "status": "done",
            "gwp": gwp,
            "sinks": sinks,
            "totals": table.to_dict("records"),
            "sink_sets": compared.to_dict("records"),
            "electricity": json_rows(readings),
            "memo": beside.to_dict("records"),
            "uncertainty": [dict(zip(ranges[0], row, strict=True)) for row in ranges[1:]],
            "problems": [vars(problem) for problem in problems],
        }
    )


def _by_code(table: pd.DataFrame, system: str | None) -> pd.DataFrame:
    """Return the table with grams as tonnes, and scope as text; of the GPC with the total that a code is in."""
    from carbongrid.inventory.crosswalks import level_of
    from carbongrid.method.tonnes import format_tonnes

    tonnes = {
        "mass_t": format_tonnes(table["grams"].tolist()),
        "co2e_t": format_tonnes(table["grams_co2e"].tolist()),
    }
    columns = ["code", "category", "scope", "gas", "mass_t", "co2e_t", "reason"]
    shown = table.assign(**tonnes, scope=table["scope"].astype(str))
    if system == "gpc":
        shown["level"] = [level_of(code) for code in table["code"]]
        columns.insert(1, "level")
    return shown[columns]


def _gpc_totals(table: pd.DataFrame) -> list[str]:
    """Return the totals of the GPC as lines: generation for the grid is in neither BASIC nor BASIC+."""
    from carbongrid.inventory.crosswalks import level_of

    sums: dict[str, int] = {"BASIC": 0, "BASIC+": 0, "territorial": 0}
    for code, grams in zip(table["code"], table["grams_co2e"].tolist(), strict=True):
        level = level_of(code)
        if level:
            sums[level] += grams
    rows: list[tuple[str, ...]] = [
        ("total of the GPC", "co2e_t"),
        ("BASIC", f"{sums['BASIC'] / 1e6:,.0f}"),
        ("BASIC+, with BASIC", f"{(sums['BASIC'] + sums['BASIC+']) / 1e6:,.0f}"),
        ("territorial only, in neither", f"{sums['territorial'] / 1e6:,.0f}"),
    ]
    return ["", *aligned_columns(rows), _LEVELS]


def _readings(compared: pd.DataFrame) -> list[str]:
    """Return the emission by each way of counting electricity as lines."""
    if compared.empty:
        return []
    head = ("electricity", "made_t", "used_t", "gross_t")
    rows: list[tuple[str, ...]] = [
        (
            str(row["reading"]),
            *("not known" if row[name] != row[name] else f"{row[name]:,.0f}" for name in head[1:]),
        )
        for row in compared.to_dict("records")
    ]
    return ["", *aligned_columns([head, *rows])]


def _memo(table: pd.DataFrame) -> list[str]:
    """Return the biogenic CO2, which is in no total, as lines."""
    if table.empty:
        return []
    head = ("memo, in no total", "of", "biogenic CO2, t")
    return ["", *aligned_columns([head, *(tuple(row) for row in table.itertuples(index=False))])]


def _side_by_side(compared: pd.DataFrame) -> list[str]:
    """Return the sinks by each set as lines, the chosen one with a star."""
    if compared.empty:
        return []
    head = ("set of sinks", "land_t", "crops_t", "lost_t", "methane_t", "net_t")
    rows: list[tuple[str, ...]] = [
        (
            f"{row['set']} *" if row["chosen"] else row["set"],
            *(f"{row[name]:,.0f}" for name in head[1:]),
        )
        for row in compared.to_dict("records")
    ]
    return ["", *aligned_columns([head, *rows])]


def _intervals(formed: Inventory) -> list[tuple[str, ...]]:
    from carbongrid.inventory import approach_1, approach_2

    first, second = approach_1(formed), approach_2(formed)
    rows: list[tuple[str, ...]] = [("category", "co2e_t", "low_1", "high_1", "low_2", "high_2")]
    for one, two in zip(first.to_dict("records"), second.to_dict("records"), strict=True):
        numbers = (one["co2e_t"], one["low_t"], one["high_t"], two["low_t"], two["high_t"])
        rows.append((one["category"], *(f"{number:.0f}" for number in numbers)))
    return rows
