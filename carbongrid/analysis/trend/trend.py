"""``trend``: what changed between runs of several years, and through what."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.comparison.compare import (
    notes_of_other_gas,
    only_one_has,
    require_alike,
    some_codes,
)
from carbongrid.analysis.comparison.guessed import notes_of_guessed_runs
from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.analysis.frozen import frozen_zones
from carbongrid.analysis.trend.decomposition import EFFECTS, lmdi, tapio
from carbongrid.analysis.trend.leaps import leaps
from carbongrid.analysis.trend.merged_units import (
    merged_across_parents,
    require_merged_codes,
    require_same_money,
    units_by_new_codes,
    what_was_left_out,
)
from carbongrid.errors import InputError, Problem
from carbongrid.method.answers import Answer
from carbongrid.method.tonnes import counted
from carbongrid.method.zoning import zone_units

if TYPE_CHECKING:
    from pathlib import Path

WHAT_IT_IS = Problem("A decomposition says how a change is made up of its factors, not what caused it; GDP is in the prices of each run.", level="note")  # fmt: skip
OWN_REGION = Problem("With each year's own region zones say who is better than the rest of that year; with the first year's kept they say who is better than then.", level="note")  # fmt: skip


_FACTORS = (("GDP", "gdp"), ("residents", "residents"), ("emission", "emission_g"))
"""What a decomposition takes, and its column."""


@dataclass(frozen=True, eq=False, repr=False)
class Trend(Answer):
    """Runs of several years side by side, mass in whole grams.

    Parameters
    ----------
    runs
        In the order of their years.
    years
        Theirs.
    units
        One row per pair of years that follow each other (``period``, from 1), and unit: zones of both, ``zone_frozen_from`` and ``zone_frozen_to`` with the first year's region kept, emission, sink and indices of both,
        change_g, its effects in g (population and gdp_per_head, which together are gdp's, and emission_per_gdp; without residents only the last two),
        elasticity and tapio.
    region
        The same sums of all units, one row per pair of years, with the number of units in another zone.
    matrices
        Long: period, from_year, to_year, reference (``own``, ``first``), zone_from, zone_to, units, share of its row.
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
        Units that merged: old code to new, step by step where they merged twice. Their sums stand for the merged unit before.
    despite
        What may differ between the runs, as for :func:`carbongrid.compare`, and ``electricity``, ``sinks`` and ``gas``, which of years have to be alike too; units that are not in all of them are left out, and said. GDP in two currencies is refused all the same.

    Returns
    -------
    Trend
        What changed, period by period: of each unit in ``units``, of all together in ``region``, and who went from which zone to which.

    Raises
    ------
    InputError
        If there are fewer than two, if a directory is not a finished run, if the runs are not alike, and if ``codes`` names units that are in no run.
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
    merged = require_merged_codes(codes or {}, found)
    require_same_money(found)
    notes = []
    for a, b in itertools.pairwise(found):
        notes += require_alike(a, b, despite, merged, years=True)
        notes += only_one_has(a, b, "warning")
        notes += notes_of_other_gas(a, b)
    if merged:
        what = "1 code is that of a merged unit: its sum stands for the unit of the last year."
        if len(merged) > 1:
            what = f"{len(merged):,} codes are those of merged units: their sums stand for the units of the last year."
        notes.append(Problem(what, level="note"))
        notes += merged_across_parents(found, merged)
    tables = [units_by_new_codes(run, found[-1], merged) for run in found]
    every = [set(table["id"]) for table in tables]
    kept = [code for code in tables[-1]["id"] if all(code in known for known in every)]
    if not kept:
        raise InputError("the runs have no unit in common", ", ".join(run.name for run in found))
    notes += what_was_left_out(found, tables, kept)
    tables = [table.set_index("id", drop=False).loc[kept].reset_index(drop=True) for table in tables]  # fmt: skip
    years = tuple(int(run.manifest["year"]) for run in found)
    reference, ties = _rule(found[-1])
    for run, table in zip(found, tables, strict=True):
        if reference not in ("all", *table):
            raise InputError(f"the units have no {reference}, the reference region of {found[-1].name}", run.name, "Run the cases with one reference region.")  # fmt: skip
    zoned = [table.join(zone_units(table, reference, ties=ties)) for table in tables]
    followed, region, matrices = _followed(years, tables, zoned, found[-1])
    notes += [*_otherwise_zoned(found, zoned), *_gaps(years, tables), *leaps(years, tables, found), *notes_of_guessed_runs(found)]  # fmt: skip
    # Of several runs of one year, as plans are, some notes are the same.
    said = dict.fromkeys((*notes, WHAT_IT_IS, OWN_REGION))
    return Trend(tuple(found), years, followed, region, matrices, tuple(said))


def _rule(run: FinishedRun) -> tuple[str, str]:
    """Return the reference region and the rule for an index of exactly 1."""
    return str(run.parameters["reference"]), str(run.parameters.get("ties", ">="))


def _followed(
    years: Sequence[int],
    tables: Sequence[pd.DataFrame],
    zoned: Sequence[pd.DataFrame],
    last: FinishedRun,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of the units, of the region, and of zones, period by period."""
    frozen = [frozen_zones(tables[0], table, *_rule(last)) for table in tables]
    units, region, matrices = [], [], []
    for k in range(len(years) - 1):
        of_years = {"period": k + 1, "from_year": years[k], "to_year": years[k + 1]}
        own = _period(zoned[k], zoned[k + 1], frozen[k], frozen[k + 1])
        units.append(pd.DataFrame(own).assign(**of_years))
        region.append({**of_years, **_of_region(zoned[k], zoned[k + 1], units[-1])})
        for name, ends in (("own", ("zone_from", "zone_to")), ("first", ("zone_frozen_from", "zone_frozen_to"))):  # fmt: skip
            matrices += [
                {**of_years, "reference": name, **row} for row in _matrix(units[-1], *ends)
            ]
    lead = ["period", "from_year", "to_year"]
    table = pd.concat(units, ignore_index=True)
    ordered = table[[*lead, *(name for name in table if name not in lead)]]
    return ordered, pd.DataFrame(region), pd.DataFrame(matrices)


def _otherwise_zoned(
    runs: Sequence[FinishedRun], zoned: Sequence[pd.DataFrame]
) -> Iterator[Problem]:
    """Yield how many zones are not those that a run has, and what differs in how the runs are zoned."""
    for place, what in enumerate(("reference region", "rule for an index of exactly 1")):
        rules = list(dict.fromkeys(_rule(run)[place] for run in runs))
        if len(rules) > 1:
            yield Problem(f"The {what} differs ({' and '.join(rules)}): all years are zoned by that of the last run, {rules[-1]}.", level="warning")  # fmt: skip
    for run, table in zip(runs, zoned, strict=True):
        own = run.units.set_index("id")["zone"]
        told = table[table["id"].isin(own.index)].set_index("id")["zone"]
        other = int((told != own[told.index]).sum())
        if other:
            yield Problem(f"{other} of {len(told)} zones of {run.manifest['year']} are not those that {run.name} has: they are of the units that all years have in common, by the rule of the last run.", level="warning")  # fmt: skip


def _gaps(years: Sequence[int], tables: Sequence[pd.DataFrame]) -> Iterator[Problem]:
    """Yield of which units GDP or residents are unknown, or one of them or emission is 0, so that effects are not known."""
    for year, table in zip(years, tables, strict=True):
        for name, column in _FACTORS:
            unknown = table["id"][table[column].isna()].tolist()
            if len(unknown) == len(table):
                yield Problem(f"No {name} of {year} are known: their effects are blank.", level="note")  # fmt: skip
            elif unknown:
                yield Problem(f"Nobody knows the {name} of {year} in {counted(len(unknown), 'unit')}: {some_codes(unknown)}. Effects that rest on that are blank, there and in the region.", level="warning")  # fmt: skip
            nothing = table["id"][(table[column] == 0).fillna(False)].tolist()
            if nothing:
                theirs = "Their own effects that rest on that are blank, and so are the region's." if len(nothing) == len(table) else "Their own effects that rest on that are blank; the region's are not blank for that."  # fmt: skip
                have = (
                    f"1 unit has 0 {name}"
                    if len(nothing) == 1
                    else f"{counted(len(nothing), 'unit has', 'units have')} 0 {name}"
                )
                yield Problem(f"{have} in {year}: {some_codes(nothing)}. {theirs}", level="note")


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
        "people": None if residents.isna().any() else float(residents.sum()),
    }  # fmt: skip


def _effects(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effects on a change of emission, in g, and Tapio's class."""
    values = [np.nan] * len(EFFECTS)
    if a["gdp"] and b["gdp"]:
        known = bool(a["people"] and b["people"])
        ends = []
        for each in (a, b):
            people = each["people"] if known else 1.0
            ends.append((people, each["gdp"] / people, each["emission"] / each["gdp"]))
        found = lmdi(ends[0], ends[1], a["emission"], b["emission"])
        if found:
            population, per_head, intensity = found
            split = (population, per_head) if known else (np.nan, np.nan)
            values = [*split, population + per_head, intensity]
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
    from carbongrid.analysis.trend.page import write_trend_page

    def in_tonnes(table: pd.DataFrame) -> pd.DataFrame:
        effects = [str(name) for name in table if str(name).endswith("_effect")]
        return table.assign(**{name: table[name] / 1e6 for name in effects}).rename(columns={name: f"{name}_t" for name in effects})  # fmt: skip

    tables = {
        "trend_units.csv": in_tonnes(found.units),
        "trend_region.csv": in_tonnes(found.region),
        "trend_zones.csv": found.matrices,
    }
    return [write_trend_page(found, folder / "trend.html"), *write_exact_csvs(tables, folder)]
