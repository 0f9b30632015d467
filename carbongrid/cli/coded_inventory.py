"""What the command ``inventory`` does with a table under the codes of a system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carbongrid.cli.aligned import aligned_columns
from carbongrid.cli.console import Console
from carbongrid.cli.options import FILE, WRITTEN_FILE
from carbongrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carbongrid.pipeline.coded_totals import CodedTotals

ROLES = ("code", "value", "gas", "unit", "year", "name")
_WITHOUT_SYSTEM = ("year", "split", "draft", "categories", "columns", "unit", "encoding", "totals")


def coded_options(command: Any) -> Any:
    """Add the options for a table under codes."""
    for option in (
        click.option("--system", "of_system", type=click.Choice(["crt", "ipcc2006", "gpc"]), default=None, help="FILE is a table under the codes of this system, CSV or XLSX."),
        click.option("--year", type=click.IntRange(1000, 9999), default=None, help="With --system: which year of the table."),
        click.option("--split", type=FILE, default=None, help="With --system: a table code, category, share; leave-out is a category too."),
        click.option("--draft", type=WRITTEN_FILE, default=None, help="With --system: write a table for --split to begin with."),
        click.option("--categories", type=FILE, default=None, help="With --system: the case's own categories."),
        click.option("--column", "columns", multiple=True, metavar="ROLE=NAME", help=f"With --system: the column of {', '.join(ROLES)}, if its name does not tell."),
        click.option("--unit", default="", help='With --system: of the values, if the table does not tell, such as "kt CO2e".'),
        click.option("--encoding", default=None, help="With --system: of FILE, if it is neither UTF-8 nor GB18030."),
        click.option("--totals", type=WRITTEN_FILE, default=None, help="With --system: write totals.csv for the [totals] of a case."),
    ):  # fmt: skip
        command = option(command)
    return command


def require_fitting(coded: Mapping[str, Any], others: Mapping[str, Any]) -> None:
    """Raise InputError if options for activity data and for a table under codes are mixed."""
    if coded["of_system"] is None:
        given = [f"--{name}".removesuffix("s") if name == "columns" else f"--{name}" for name in _WITHOUT_SYSTEM if coded[name]]  # fmt: skip
        if given:
            hint = "Say of which system the codes are, such as --system crt. Totals of activity data are written by --out; a case takes the data themselves by [inventory]."
            raise InputError(f"{', '.join(given)} is for tables under codes", hint=hint)
        return
    given = [name for name, value in others.items() if value]
    if given:
        hint = "Totals are written by --totals, what became of each code by --audit."
        raise InputError(f"{', '.join(given)} is for activity data, not for a table under codes", hint=hint)  # fmt: skip


def tell_coded(
    file: Path, gwp: str, trail: Path | None, coded: Mapping[str, Any], console: Console
) -> None:
    """Form the totals of a table under codes, tell and write them."""
    from carbongrid.case.readers.coded_table import read_coded
    from carbongrid.case.readers.ecrf import read_ecrf
    from carbongrid.case.readers.tables import read_table
    from carbongrid.method.tonnes import counted
    from carbongrid.outputs.tables.plain import write_text_csv
    from carbongrid.pipeline.coded_totals import draft_shares, read_shares, totals_of_codes

    system, encoding = coded["of_system"], coded["encoding"]
    known = _categories(coded["categories"], encoding)
    read = None
    if system == "gpc" and not coded["columns"]:
        read = read_ecrf(file, year=coded["year"], unit=coded["unit"], encoding=encoding)
    if read is None:
        table = _renamed(read_table(file, encoding=encoding, unit=coded["unit"]), coded["columns"], file.name)  # fmt: skip
        read = read_coded(table, system, where=file.name, year=coded["year"], unit=coded["unit"], gwp=gwp)  # fmt: skip
    split = coded["split"]
    shares = read_shares(read_table(split, beside=encoding), system, known, split.name) if split else None  # fmt: skip
    if coded["draft"] is not None:
        draft = draft_shares(read, known, shares)
        if len(draft):
            _write_draft(draft, coded["draft"])
            console.say(f"{coded['draft']} has {counted(draft['code'].nunique(), 'code')} to decide. Fill in category and share (of each code 1 in all; the category leave-out keeps a code out of every total), delete the rows that do not apply, then run again with --split {coded['draft']}.")  # fmt: skip
            for problem in read.notes:
                console.problem(problem)
            console.document({"status": "drafted", "split": draft.to_dict("records")})
            return
        console.say("Every code has its category: there is nothing to draft.")
    try:
        formed = totals_of_codes(read, known, shares)
    except InputError as error:
        warnings = [note for note in read.notes if note.level == "warning"]
        raise InputError(dict.fromkeys([*warnings, *error.problems])) from None
    if coded["totals"] is not None:
        write_text_csv(formed.totals, coded["totals"])
    if trail is not None:
        write_text_csv(formed.trail, trail)
    _tell(formed, console)
    console.document(
        {
            "status": "done",
            "system": system,
            "year": read.year,
            "totals": formed.totals.to_dict("records"),
            "left_out": formed.trail[formed.trail["category"] == ""].to_dict("records"),
            "problems": [vars(problem) for problem in formed.notes],
        }
    )


def _tell(formed: CodedTotals, console: Console) -> None:
    from carbongrid.method.tonnes import readable_tonnes

    rows = [tuple(map(str, row)) for row in formed.totals.itertuples(index=False)]
    for line in aligned_columns([tuple(formed.totals.columns), *rows]):
        console.say(line)
    if formed.left_out:
        console.say()
        console.say("In no total:")
    for each in formed.left_out:
        tonnes = readable_tonnes(each.grams)
        console.say(f"  {each.code} {each.name}: {tonnes} t CO2e, {each.reason}")
    for problem in formed.notes:
        console.problem(problem)
    console.say()
    console.say("Removals are totals above 0 of sink categories.")


def _write_draft(draft: Any, path: Path) -> None:
    from carbongrid.outputs.tables.plain import write_text_csv

    if path.exists():
        raise InputError("the file is there already", str(path), "Give --draft another name.")
    write_text_csv(draft, path)


def _categories(path: Path | None, encoding: str | None) -> Any:
    from carbongrid.case.readers.tables import read_table
    from carbongrid.method.categories import read_categories

    if path is None:
        return read_categories()
    return read_categories(read_table(path, beside=encoding), where=path.name)


def _renamed(table: Any, columns: tuple[str, ...], where: str) -> Any:
    """Return the table with the columns that were named called by their roles."""
    from carbongrid.case.readers.tables import renamed, require_columns

    for pair in columns:
        role, _, name = pair.partition("=")
        if role not in ROLES or not name:
            raise InputError(f"--column {pair} is not ROLE=NAME", hint=f"Roles are {', '.join(ROLES)}, as in --column code=crt_code.")  # fmt: skip
        require_columns(table, where, [name])
        others = table.columns[(table.columns == role) & (table.columns != name)]
        table = renamed(table.drop(columns=others), {name: role})
    return table
