"""``trend``: what changed between runs of several years, and through what."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.compare import require_alike
from carbongrid.analysis.decomposition import lmdi, tapio
from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.analysis.frozen import frozen_zones
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.errors import InputError, Problem
from carbongrid.method.zoning import zone_units

if TYPE_CHECKING:
    from pathlib import Path

EFFECTS = ("population", "gdp_per_head", "emission_per_gdp")
WHAT_IT_IS = Problem("A decomposition says how a change is made up of its factors, not what caused it; GDP is in the prices of each run.", level="note")  # fmt: skip
OWN_REGION = Problem("With each year's own region zones say who is better than the rest of that year; with the first year's kept they say who is better than then.", level="note")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Trend:
    """Runs of several years side by side, mass in whole grams.

    Parameters
    ----------
    runs
        In the order of their years.
    years
        Theirs.
    units
        One row per pair of years that follow each other, and unit: zones of both, ``zone_frozen_from`` and ``zone_frozen_to`` with the first year's region kept, emission, sink and indices of both,
        change_g, its effects in g (population, gdp_per_head, emission_per_gdp; without residents gdp and emission_per_gdp, the first of which stands under gdp_per_head),
        elasticity and tapio.
    region
        The same sums of all units, one row per pair of years, with the number of units in another zone.
    matrices
        Long: from_year, to_year, reference (``own``, ``first``), zone_from, zone_to, units, share of its row.
    notes
        What has to be said beside the numbers.
    """

    runs: tuple[FinishedRun, ...]
    years: tuple[int, ...]
    units: pd.DataFrame
    region: pd.DataFrame
    matrices: pd.DataFrame
    notes: tuple[Problem, ...]


def trend(
    runs: Sequence[Asked],
    *,
    codes: Mapping[str, str] | None = None,
    despite: Collection[str] = (),
) -> Trend:
    """Return what changed between runs of several years.

    Parameters
    ----------
    runs
        Run directories or opened runs, two or more; they are put in the order of their years, between which gaps may lie.
    codes
        Units that merged: old code to that in the last run. Their sums stand for the merged unit before.
    despite
        What may differ between the runs, as for :func:`carbongrid.compare`.

    Raises
    ------
    InputError
        If there are fewer than two, if a directory is not a finished run, and if the runs are not alike.
    VerificationError
        If a file of a run is not what its manifest says.

    Notes
    -----
    Emission is population times GDP per head times emission per GDP; each factor's effect is L(C1, C0)*ln(x1/x0) with L the logarithmic mean (LMDI-I, additive), so that
    effects add up to the change. The elasticity is Tapio's, relative change of emission over that of GDP.
    """
    found = sorted((FinishedRun.of(run) for run in runs), key=lambda run: int(run.manifest["year"]))
    if len(found) < 2:
        raise InputError("one run is no trend", hint="Name two runs or more.")
    notes = []
    allowed = {*despite, *(("units",) if codes else ())}
    for a, b in itertools.pairwise(found):
        notes += require_alike(a, b, allowed)
    if codes:
        notes = [note for note in notes if "outlines" not in note.what and "other units" not in note.what]  # fmt: skip
        notes.append(Problem(f"{len(codes)} codes are those of merged units: their sums stand for the units of the last year.", level="note"))  # fmt: skip
    tables = [_units(run, found[-1], codes or {}) for run in found]
    kept = [code for code in tables[-1]["id"] if all(code in set(table["id"]) for table in tables)]
    if not kept:
        raise InputError("the runs have no unit in common", ", ".join(run.name for run in found))
    tables = [table.set_index("id", drop=False).loc[kept].reset_index(drop=True) for table in tables]  # fmt: skip
    reference, ties = found[-1].parameters["reference"], found[-1].parameters.get("ties", ">=")
    zoned = [table.join(zone_units(table, reference, ties=ties)) for table in tables]
    frozen = [frozen_zones(tables[0], table, reference, ties) for table in tables]
    years = [int(run.manifest["year"]) for run in found]
    units, region, matrices = [], [], []
    for k in range(len(found) - 1):
        of_years = {"from_year": years[k], "to_year": years[k + 1]}
        own = _period(zoned[k], zoned[k + 1], frozen[k], frozen[k + 1])
        units.append(pd.DataFrame(own).assign(**of_years))
        region.append({**of_years, **_of_region(zoned[k], zoned[k + 1], units[-1])})
        for name, ends in (("own", ("zone_from", "zone_to")), ("first", ("zone_frozen_from", "zone_frozen_to"))):  # fmt: skip
            matrices += [
                {**of_years, "reference": name, **row} for row in _matrix(units[-1], *ends)
            ]
    lead = ["from_year", "to_year"]
    table = pd.concat(units, ignore_index=True)
    return Trend(
        tuple(found),
        tuple(years),
        table[[*lead, *(name for name in table if name not in lead)]],
        pd.DataFrame(region),
        pd.DataFrame(matrices),
        (*notes, WHAT_IT_IS, OWN_REGION),
    )


def read_merged_codes(path: Path) -> dict[str, str]:
    """Read a table of merged units: columns old and new.

    Raises
    ------
    InputError
        If a column is missing, or a code stands twice.
    """
    table = read_table(path)
    require_columns(table, path.name, ("old", "new"))
    old = [str(code) for code in table["old"]]
    twice = [code for code in dict.fromkeys(old) if old.count(code) > 1]
    if twice:
        raise InputError(f"the code {twice[0]!r} stands twice", path.name, "Keep one row.")
    return dict(zip(old, (str(code) for code in table["new"]), strict=True))


def _units(run: FinishedRun, last: FinishedRun, codes: Mapping[str, str]) -> pd.DataFrame:
    """Return whole sums of the units by their codes in the last year; a sum with something unknown is unknown."""
    columns = ["id", "name", "emission_g", "sink_g", "gdp", "residents"]
    own = run.units[[*columns, *(parent for parent in last.parameters["parents"] if parent in run.units)]]  # fmt: skip
    if not codes:
        return own
    new = [codes.get(code, code) for code in own["id"]]
    names = dict(zip(last.units["id"], last.units["name"], strict=True))
    rows = []
    for code, inside in own.groupby(new, sort=True):
        row: dict[str, Any] = {str(name): inside[name].iloc[0] for name in own}
        row |= {"id": code, "name": names.get(code, inside["name"].iloc[0])}
        row |= {name: int(inside[name].sum()) for name in ("emission_g", "sink_g")}
        row["gdp"] = pd.NA if inside["gdp"].isna().any() else int(inside["gdp"].sum())
        row["residents"] = float(inside["residents"].sum(skipna=False))
        rows.append(row)
    return pd.DataFrame(rows).astype({"emission_g": np.int64, "sink_g": np.int64, "gdp": "Int64"})


def _period(a: pd.DataFrame, b: pd.DataFrame, frozen_a: Any, frozen_b: Any) -> dict[str, Any]:
    columns: dict[str, Any] = {"unit": b["id"], "name": b["name"]}
    columns |= {"zone_from": a["zone"].astype(int), "zone_to": b["zone"].astype(int)}
    columns |= {"zone_frozen_from": frozen_a.astype(int), "zone_frozen_to": frozen_b.astype(int)}
    for name in ("emission_g", "sink_g"):
        stem = name.removesuffix("_g")
        columns |= {f"{stem}_from_g": a[name], f"{stem}_to_g": b[name]}
    columns["change_g"] = b["emission_g"] - a["emission_g"]
    columns["sink_change_g"] = b["sink_g"] - a["sink_g"]
    for name in ("ccr", "ecc", "esc"):
        columns |= {f"{name}_from": a[name], f"{name}_to": b[name]}
    parts = [_effects(_sums(a.iloc[[k]]), _sums(b.iloc[[k]])) for k in range(len(b))]
    for name in parts[0]:
        columns[name] = [each[name] for each in parts]
    return columns


def _sums(units: pd.DataFrame) -> dict[str, Any]:
    """Return sums of some units; None where one of them is unknown."""
    gdp, residents = units["gdp"], units["residents"]
    return {
        "emission": int(units["emission_g"].sum()),
        "gdp": None if gdp.isna().any() else int(gdp.sum()),
        "people": None if residents.isna().any() or not (residents > 0).all() else float(residents.sum()),
    }  # fmt: skip


def _effects(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effects on a change of emission, in g, and Tapio's class."""
    found: tuple[float, ...] | None = None
    if a["gdp"] and b["gdp"]:
        ends = []
        for each in (a, b):
            people = each["people"] if a["people"] and b["people"] else 1.0
            ends.append((people, each["gdp"] / people, each["emission"] / each["gdp"]))
        found = lmdi(ends[0], ends[1], a["emission"], b["emission"])
    values = found or (np.nan,) * 3
    if not (a["people"] and b["people"]) and found:
        values = (np.nan, *found[1:])
    elasticity, name = tapio((a["emission"], b["emission"]), (a["gdp"], b["gdp"]))
    effects = {f"{effect}_effect": value for effect, value in zip(EFFECTS, values, strict=True)}
    return {**effects, "elasticity": elasticity, "tapio": name}


def _of_region(a: pd.DataFrame, b: pd.DataFrame, units: pd.DataFrame) -> dict[str, Any]:
    before, after = _sums(a), _sums(b)
    return {
        "emission_from_g": before["emission"],
        "emission_to_g": after["emission"],
        "change_g": after["emission"] - before["emission"],
        "sink_change_g": int(units["sink_change_g"].sum()),
        **_effects(before, after),
        "turned": int((units["zone_from"] != units["zone_to"]).sum()),
        "turned_frozen": int((units["zone_frozen_from"] != units["zone_frozen_to"]).sum()),
        "units": len(units),
    }


def _matrix(units: pd.DataFrame, start: str, end: str) -> list[dict[str, Any]]:
    counts = pd.crosstab(units[start], units[end])
    rows = []
    for zone_from, row in counts.iterrows():
        for zone_to, count in row.items():
            if count:
                rows.append({"zone_from": zone_from, "zone_to": zone_to, "units": int(count), "share": count / row.sum()})  # fmt: skip
    return rows


def write_trend(found: Trend, folder: Path) -> list[Path]:
    """Write trend_units.csv, trend_region.csv, trend_zones.csv and trend.html; returns the files."""
    from carbongrid.analysis.files import write_exact_csvs
    from carbongrid.analysis.trend_page import write_trend_page

    def in_tonnes(table: pd.DataFrame) -> pd.DataFrame:
        effects = [str(name) for name in table if str(name).endswith("_effect")]
        return table.assign(**{name: table[name] / 1e6 for name in effects}).rename(columns={name: f"{name}_t" for name in effects})  # fmt: skip

    tables = {
        "trend_units.csv": in_tonnes(found.units),
        "trend_region.csv": in_tonnes(found.region),
        "trend_zones.csv": found.matrices,
    }
    return [write_trend_page(found, folder / "trend.html"), *write_exact_csvs(tables, folder)]
