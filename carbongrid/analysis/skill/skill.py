"""``skill``: how well the proxies of a run would have placed what is known, and the sigma and tau that this gives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.files import write_csvs
from carbongrid.analysis.skill.held_out import BASELINES, HeldOut, pairs_of, share_misplaced
from carbongrid.method.agreement import median_log2_ratio
from carbongrid.method.agreement import skill as skill_against
from carbongrid.method.answers import Answer
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.random_effects import spread_in_groups, spread_in_sums, spread_together
from carbongrid.outputs.reading import opened
from carbongrid.outputs.tables.plain import write_text_csv
from carbongrid.pipeline.prepared import PreparedRun
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.probability.uncertainty import Uncertainty
    from carbongrid.outputs.result import Result
    from carbongrid.pipeline.step import Progress

MIN_FACILITIES, MIN_REGIONS = 20, 20
"""Of fewer nothing is measured."""

NO_SKILL = 0.02
"""Of the least that area or people misplace: less than this is none."""

WELL = 0.3
"""sigma and tau are told apart where both errors are no larger than this, of each."""

CANNOT_TELL = (
    "What it cannot tell: facilities are known because they are large, so their mean says nothing of the proxy and only their spread is taken; emitters that nobody named may differ more or "
    "less from each other. Where a region's total was made with the same proxy it is predicted well for that. What is measured for a weight rule holds for the land, the year and the categories "
    "that were held out. GDP is predicted by land alone."
)


@dataclass(frozen=True, repr=False)
class Skill(Answer):
    """How well a run's proxies would have placed what is known.

    Parameters
    ----------
    measures
        of (a category, or gdp), rule, held (facilities, regions, units), count, mass_t, misplaced (share of the held-out mass that lies in other units than the
        proxy has it), by_area, by_people (what these alone misplace), skill (1 - misplaced over the least of both), median_log2_ratio,
        without_claim (share of the mass on land of which the proxy claims nothing), left_out (facilities without a place or outside every unit; regions that fell back to area while
        others did not).
    facilities, regions, gdp
        What was held out, row by row.
    spreads
        By weight rule and what was held out: count, groups, sigma, tau and their errors, both (standard deviation of the logarithms), tau_if_sigma_holds, told
        (sigma and tau are told apart), assumed_sigma, assumed_tau.
    """

    measures: pd.DataFrame
    facilities: pd.DataFrame
    regions: pd.DataFrame
    gdp: pd.DataFrame
    spreads: pd.DataFrame

    @property
    def rows(self) -> pd.DataFrame:
        """Rows for a table of uncertainty: the rules of which sigma and tau are told, facilities before regions."""
        told = self.spreads[self.spreads["told"].astype(bool)].drop_duplicates("rule")
        origin = [f"skill, {row['count']} {row['held']}" for row in told.to_dict("records")]
        return pd.DataFrame(
            {
                "source": "weights",
                "of": [_pattern(rule) for rule in told["rule"]],
                "percent": "",
                "sigma": [f"{value:.2f}" for value in told["sigma"]],
                "tau": [f"{value:.2f}" for value in told["tau"]],
                "group": "",
                "basis": "measured",
                "origin": origin,
            }
        )


def baselines_of(row: Mapping[Any, Any]) -> dict[str, tuple[str, str]]:
    """Return what else could have placed a quantity of ``measures`` and is known, by column, and the same in Chinese."""
    return {name: words for name, words in BASELINES.items() if not math.isnan(row[name])}


def without_skill(measures: pd.DataFrame) -> list[str]:
    """Return a line for each quantity that area or people alone, as far as they are known, would have placed as well."""
    return [
        f"{row['of']}: no skill. {' or '.join(name for name, _ in baselines_of(row).values()).capitalize()} alone would have placed these {row['held']} as well."
        for row in measures[measures["skill"] <= NO_SKILL].to_dict("records")
    ]


def skill(run: str | Path | Result, *, seed: int = 0, progress: Progress | None = None) -> Skill:
    """Return how well the proxies of a run would have placed what is known.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    seed
        By which facilities are dealt into fifths.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    Skill
        Of every category with facilities, of every one with three regions or more that have totals of their own, and of GDP.

    Raises
    ------
    InputError
        If the directory is no finished run with parcels.
    VerificationError
        If a file of the run is missing.

    Notes
    -----
    A facility that is held out goes back into what its category spreads by claims; what its parcel would get of that is held against its mass. A region is
    predicted by the others' total per claim. sigma is what parcels differ by themselves, tau what those of a unit share, as in
    :func:`carbongrid.probability`, from the spread of the logarithms; their means are not taken.
    """
    tell = progress or silent
    tell("reading", 0, 1)
    prepared = PreparedRun(opened(run))
    held = HeldOut(prepared)
    tell("reading", 1, 1)
    uncertainty = uncertainty_of(prepared.result.manifest)
    facilities: dict[str, pd.DataFrame] = {}
    regions: dict[str, pd.DataFrame] = {}
    measures: list[dict[str, Any]] = []
    categories = prepared.tables.categories
    for number, (name, category) in enumerate(categories.items()):
        tell("holding out", number, len(categories) + 1)
        table, by_region = held.facilities(category, seed), held.regions(category)
        if len(table):
            facilities[name] = table
            measures.append(_of_facilities(held, category, table))
        if len(by_region):
            regions[name] = by_region
            measures.append(_of_regions(name, by_region))
    tell("holding out", len(categories), len(categories) + 1)
    gdp = held.gdp()
    tell("holding out", len(categories) + 1, len(categories) + 1)
    if gdp["predicted"].notna().any():
        measures.append(_of_gdp(gdp))
    spreads = [
        *_by_facilities(facilities, uncertainty, prepared.units["id"]),
        *_by_regions(regions, uncertainty),
    ]
    columns = ["rule", "held", "count", "groups", "sigma", "sigma_error", "tau", "tau_error", "both", "tau_if_sigma_holds", "told", "assumed_sigma", "assumed_tau"]  # fmt: skip
    return Skill(
        pd.DataFrame(measures, columns=_MEASURES),
        _stacked(facilities.values()),
        _stacked(regions.values()),
        gdp,
        pd.DataFrame(spreads, columns=columns),
    )


_MEASURES = ["of", "rule", "held", "count", "mass_t", "misplaced", *BASELINES, "skill", "median_log2_ratio", "without_claim", "left_out"]  # fmt: skip


def _stacked(tables: Any) -> pd.DataFrame:
    there = list(tables)
    return pd.concat(there, ignore_index=True) if there else pd.DataFrame()


def _measure(
    of: str, rule: str, held: str, mass: NDArray[np.float64], shares: Sequence[float]
) -> dict[str, Any]:
    ours, *baselines = shares
    known = [each for each in baselines if not math.isnan(each)]
    return {
        "of": of,
        "rule": rule,
        "held": held,
        "count": mass.size,
        "mass_t": mass.sum(),
        "misplaced": ours,
        **dict(zip(BASELINES, baselines, strict=True)),
        "skill": skill_against(ours, known) if known else math.nan,
        "left_out": 0,
    }


def _rules_in(table: pd.DataFrame) -> str:
    """Return the weight rules of what was held out: two where some of a category's totals fell back to area."""
    return " and ".join(dict.fromkeys(table["rule"]))


def _of_facilities(held: HeldOut, category: Any, table: pd.DataFrame) -> dict[str, Any]:
    mass, proxy = (table[name].to_numpy(np.float64) for name in ("mass_t", "proxy_t"))
    shares = list(held.fifths(category, table).values())
    return {
        **_measure(category.name, _rules_in(table), "facilities", mass, shares),
        "median_log2_ratio": median_log2_ratio(proxy, mass),
        "without_claim": float(mass[proxy <= 0].sum() / mass.sum()),
        "left_out": held.without_place(category),
    }


def _of_regions(name: str, table: pd.DataFrame) -> dict[str, Any]:
    known = table[table["predicted_t"].notna()]
    shares = [share_misplaced(known, column, "total_t") for column in ("predicted_t", "by_area_t", "by_people_t")]  # fmt: skip
    total, predicted = (known[column].to_numpy(np.float64) for column in ("total_t", "predicted_t"))
    return {
        **_measure(name, _rules_in(known), "regions", total, shares),
        "median_log2_ratio": median_log2_ratio(predicted, total),
        "without_claim": float(total[~(predicted > 0)].sum() / total.sum()) if total.any() else 0.0,
        "left_out": len(table) - len(known),
    }


def _of_gdp(table: pd.DataFrame) -> dict[str, Any]:
    known = table[table["predicted"].notna()]
    shares = [share_misplaced(known, column, "gdp") for column in ("predicted", *BASELINES)]
    own, predicted = (known[column].to_numpy(np.float64) for column in ("gdp", "predicted"))
    return {
        **_measure("gdp", "area", "units", own, shares),
        "mass_t": math.nan,
        "median_log2_ratio": median_log2_ratio(predicted, own),
        "without_claim": float(own[~(predicted > 0)].sum() / own.sum()),
    }


def _by_rule(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """Yield each weight rule with what was held out of each category by it."""
    for rule in sorted({rule for table in tables.values() for rule in table["rule"]}):
        parts = [table[table["rule"] == rule] for table in tables.values()]
        yield rule, [part for part in parts if len(part)]


def _by_facilities(
    tables: dict[str, pd.DataFrame], uncertainty: Uncertainty, units: pd.Series[str]
) -> Iterator[dict[str, Any]]:
    """Yield sigma and tau of each weight rule whose categories have facilities; each category has a mean of its own."""
    for rule, own in _by_rule(tables):
        samples = list(pairs_of(own, units))
        # Each category has a mean of its own, of which one facility alone tells nothing.
        samples = [each for each in samples if each[0].size > 1] or samples
        count = sum(logs.size for logs, _ in samples)
        groups = sum(np.unique(group).size for _, group in samples)
        found = spread_in_groups(samples)
        both = spread_together([logs for logs, _ in samples])
        assumed = uncertainty.of("weights", _pattern(rule))
        rest = math.sqrt(max(both**2 - assumed.sigma**2, 0.0)) if count > 1 else math.nan
        yield _spread_row(rule, "facilities", count, groups, found, both, rest, assumed, MIN_FACILITIES)  # fmt: skip


def _by_regions(
    tables: dict[str, pd.DataFrame], uncertainty: Uncertainty
) -> Iterator[dict[str, Any]]:
    """Yield sigma and tau of each weight rule whose categories have regions with totals."""
    known = {name: table[table["log_ratio"].notna()] for name, table in tables.items()}
    # Each category has a mean of its own, of which one region alone tells nothing.
    known = {name: table for name, table in known.items() if len(table) > 1}
    for rule, own in _by_rule(known):
        samples = [each["log_ratio"].to_numpy(np.float64) for each in own]
        logs = np.concatenate([each - each.mean() for each in samples])
        of_parcels, of_units = (np.concatenate([each[name].to_numpy(np.float64) for each in own]) for name in ("of_parcels", "of_units"))  # fmt: skip
        assumed = uncertainty.of("weights", _pattern(rule))
        found = spread_in_sums(logs, of_parcels, of_units, assumed.sigma)
        yield _spread_row(rule, "regions", logs.size, logs.size, found, spread_together(samples), found.tau_if_sigma_holds, assumed, MIN_REGIONS)  # fmt: skip


def _spread_row(
    rule: str, held: str, count: int, groups: int, found: Any, both: float, rest: float, assumed: Any, least: int
) -> dict[str, Any]:  # fmt: skip
    well = found.sigma_error <= WELL * found.sigma and found.tau_error <= WELL * found.tau
    return {
        "rule": rule,
        "held": held,
        "count": count,
        "groups": groups,
        "sigma": found.sigma,
        "sigma_error": found.sigma_error,
        "tau": found.tau,
        "tau_error": found.tau_error,
        "both": both,
        "tau_if_sigma_holds": rest,
        "told": bool(well and count >= least),
        "assumed_sigma": assumed.sigma,
        "assumed_tau": assumed.tau,
    }


def _pattern(rule: str) -> str:
    """Return a weight rule as a table of uncertainty names it."""
    return f"{rule}:*" if rule in ("lines", "field", "raster") else rule


def write_skill(found: Skill, folder: Path) -> list[Path]:
    """Write skill.csv, what was held out, skill_spreads.csv and, where something was measured, uncertainty.csv, which a case can name.

    Parameters
    ----------
    found
        What :func:`skill` returned.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    tables = {
        "skill.csv": found.measures,
        "skill_facilities.csv": found.facilities,
        "skill_regions.csv": found.regions,
        "skill_gdp.csv": found.gdp,
        "skill_spreads.csv": found.spreads,
    }
    files = write_csvs({name: each for name, each in tables.items() if len(each)}, folder)
    if len(found.rows):
        files.append(folder / "uncertainty.csv")
        write_text_csv(found.rows, files[-1])
    return files
