"""Units of several years by one set of codes: which merged, what is left out, and what cannot be set side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.comparison.compare import some_codes
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.errors import InputError, Problem
from carbongrid.method.tonnes import counted, readable_tonnes

if TYPE_CHECKING:
    from pathlib import Path

    from carbongrid.analysis.finished import FinishedRun


def read_merged_codes(path: Path) -> dict[str, str]:
    """Read a table of merged units: columns old and new.

    Raises
    ------
    InputError
        If a column is missing, a code is blank, or an old one stands twice.
    """
    table = read_table(path, columns=("old", "new"))
    require_columns(table, path.name, ("old", "new"))
    found: dict[str, str] = {}
    for number, pair in enumerate(zip(table["old"], table["new"], strict=True), start=2):
        old, new = ("" if pd.isna(code) else str(code).strip() for code in pair)
        where = f"{path.name}, row {number}"
        if not old or not new:
            raise InputError("a code is blank", where, "Give both the old code and the new.")
        if old in found:
            raise InputError(f"the code {old!r} stands twice", where, "Keep one row.")
        found[old] = new
    return found


def require_merged_codes(codes: Mapping[str, str], runs: Sequence[FinishedRun]) -> dict[str, str]:
    """Return old codes with those that their units have in the last run, through all steps between.

    Raises
    ------
    InputError
        For every old code that no earlier run has or the last one still has, and every new one that the last run has not.
    """
    earlier = {code for run in runs[:-1] for code in run.units["id"]}
    last = set(runs[-1].units["id"])
    found, problems = {}, []
    for number, (old, code) in enumerate(codes.items(), start=1):
        where, new, steps = f"codes, row {number}: {old} to {code}", code, {old}
        while new in codes and new not in steps:
            steps.add(new)
            new = codes[new]
        if old in last:
            problems.append(Problem(f"{old!r} is a unit of the last run still", where, "Name units that are no more."))  # fmt: skip
        elif old not in earlier:
            problems.append(Problem(f"no earlier run has a unit {old!r}", where, "Name a code of an earlier run."))  # fmt: skip
        elif new not in last:
            problems.append(Problem(f"the last run has no unit {new!r}", where, "Name a code of the last run."))  # fmt: skip
        found[old] = new
    if problems:
        raise InputError(problems)
    return found


def require_same_money(runs: Sequence[FinishedRun]) -> None:
    """Raise :class:`InputError` if GDP of two runs is in two currencies: neither effects nor a region that is kept mean anything then."""
    told = {run.manifest["currency"] or "none told" for run in runs if run.units["gdp"].notna().any()}  # fmt: skip
    if len(told) > 1:
        raise InputError(
            f"GDP is in several currencies: {', '.join(sorted(told))}",
            ", ".join(run.name for run in runs),
            "Run the cases with GDP in one currency, and in one year's prices.",
        )


def units_by_new_codes(
    run: FinishedRun, last: FinishedRun, codes: Mapping[str, str]
) -> pd.DataFrame:
    """Return whole sums of the units by their codes in the last year, merged units in the parents that they have there; a sum with something unknown is unknown."""
    columns = ["id", "name", "emission_g", "sink_g", "gdp", "residents"]
    own = run.units[[*columns, *(parent for parent in last.parameters["parents"] if parent in run.units)]]  # fmt: skip
    if not codes:
        return own
    new = [codes.get(code, code) for code in own["id"]]
    there = last.units.set_index("id")
    parents = [name for name in last.parameters["parents"] if name in own]
    rows = []
    for code, inside in own.groupby(new, sort=True):
        row: dict[str, Any] = {str(name): inside[name].iloc[0] for name in own}
        row |= {"id": code}
        if code in there.index:
            row |= {name: there.at[code, name] for name in ("name", *parents)}
        row |= {name: int(inside[name].sum()) for name in ("emission_g", "sink_g")}
        row["gdp"] = pd.NA if inside["gdp"].isna().any() else int(inside["gdp"].sum())
        row["residents"] = float(inside["residents"].sum(skipna=False))
        rows.append(row)
    return pd.DataFrame(rows).astype({"emission_g": np.int64, "sink_g": np.int64, "gdp": "Int64"})


def merged_across_parents(
    runs: Sequence[FinishedRun], codes: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield the merged units that had parts in other parents than theirs in the last run, which counts for all years."""
    last = runs[-1].units.set_index("id")
    for parent in runs[-1].parameters["parents"]:
        moved = {
            code
            for run in runs[:-1]
            if parent in run.units
            for old, own in zip(run.units["id"], run.units[parent], strict=True)
            if (code := codes.get(old)) is not None and own != last.at[code, parent]
        }
        if moved:
            yield Problem(f"{counted(len(moved), 'merged unit')} had parts in another {parent} before: {some_codes(sorted(moved))}. They count in that of the last run in all years.", level="warning")  # fmt: skip


def what_was_left_out(
    runs: Sequence[FinishedRun], tables: Sequence[pd.DataFrame], kept: Collection[str]
) -> Iterator[Problem]:
    """Yield the units of each run that are not in all of them, with their emission and sink."""
    for run, table in zip(runs, tables, strict=True):
        out = table[~table["id"].isin([*kept])]
        if len(out):
            emission, sink = (
                readable_tonnes(int(out[name].sum())) for name in ("emission_g", "sink_g")
            )
            year, names = run.manifest["year"], some_codes(out["id"])
            what = f"1 unit of {year} is left out, since not every year has it: {names}; it emits {emission} t and takes up {sink} t."
            if len(out) > 1:
                what = f"{len(out):,} units of {year} are left out, since not every year has them: {names}; they emit {emission} t and take up {sink} t."
            yield Problem(what, level="warning")
