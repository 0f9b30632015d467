"""``validate``: how far a run agrees with what others have published for its units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from carbongrid.analysis.files import write_csvs
from carbongrid.analysis.published.gridded import GriddedQuantity, gridded, published_of
from carbongrid.analysis.published.rasters import Published, PublishedRaster, Remark, rasters_of
from carbongrid.analysis.published.table import (
    own_sums,
    read_published,
    remarks_of_gases,
    remarks_of_years,
    require_same_gases,
)
from carbongrid.analysis.validation.baselines import OneTotal
from carbongrid.analysis.validation.cells import CELLS, compare_cells
from carbongrid.analysis.validation.slips import remarks_of_slips
from carbongrid.analysis.validation.zones import NO_ZONES, areas_of_units, compare_zones
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.method.agreement import (
    SAME_PROXY,
    Found,
    covered,
    median_log2_ratio,
    misplaced,
    rank_correlation,
    sigma_and_tau,
    skill,
)
from carbongrid.method.answers import Answer
from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.method.probability.drawn_numbers import drawn_category, kind_factors
from carbongrid.method.probability.uncertainty import SOURCES, Uncertainty, uncertainty_of
from carbongrid.pipeline.run_carriers import RunCarriers
from carbongrid.pipeline.step import Progress
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.outputs.result import Result

MIN_UNITS = 20
"""Units that must be compared before sigma and tau are told from them."""

BASELINES = {"by_area": ("area", "面积"), "by_people": ("people", "人口"), "by_one_total": ("one total", "单一总量")}  # fmt: skip
_WORST = 10
_AT_ONCE = 16
Groups = Mapping[str, frozenset[str]]


@dataclass(frozen=True, repr=False)
class Validation(Answer):
    """What a run and a published table have to do with each other.

    Parameters
    ----------
    measures
        One row for each quantity of the table.
    values
        of, region, ours_t, published_t, low_t, high_t (5 and 95 % of the draws), log2_ratio; one row for each value that was compared.
    sums
        The table's units against its own totals.
    zones
        Agreement of zones; empty without a published emission for every unit.
    unit_zones
        unit, zone, zone_published, firm, agrees; one row for each unit that a zone can be decided for.
    outlines
        region (by which the table names it), name and geometry of each unit of the run.
    title, table, attribution
        Of the run, name of the file, and whom the run's data want named.
    cell_measures, cells
        Of rasters, cell by cell: a row for each quantity, and one for each cell; empty of a table (:func:`carbongrid.analysis.validation.cells.compare_cells`).
    remarks
        What has to be said of the gases of published values, of a baseline that is missing and, of rasters, of their cells, units and places, each with its Chinese.
    gas
        Of the run's emissions.
    """

    measures: pd.DataFrame
    values: pd.DataFrame
    sums: pd.DataFrame
    zones: Mapping[str, float]
    unit_zones: pd.DataFrame
    outlines: gpd.GeoDataFrame
    title: str
    table: str
    attribution: str
    cell_measures: pd.DataFrame = field(default_factory=pd.DataFrame)
    cells: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CELLS))
    remarks: tuple[Remark, ...] = ()
    gas: Gas = ALL_GASES

    @property
    def worst(self) -> pd.DataFrame:
        """The ten values of each quantity that lie furthest apart."""
        order = self.values.assign(far=self.values["log2_ratio"].abs())
        ordered = order.sort_values("far", ascending=False, kind="stable")
        return ordered.groupby("of", sort=True).head(_WORST).drop(columns="far")

    @property
    def worst_cells(self) -> pd.DataFrame:
        """The ten cells of each quantity whose masses lie furthest apart, both sides brought to one total."""
        order = self.cells.assign(far=self.cells["apart_t"].abs())
        ordered = order.sort_values("far", ascending=False, kind="stable")
        return ordered.groupby("of", sort=True).head(_WORST).drop(columns="far")


@in_own_decimals
def validate(
    run: str | Path | Result,
    table: Published,
    *,
    key: str | None = None,
    draws: int = 300,
    seed: int = 0,
    unit: str | None = None,
    variable: str | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Return how far a run agrees with a published table, or with published rasters.

    Parameters
    ----------
    run
        A finished run: its directory, or what :func:`carbongrid.open` returned.
    table
        A CSV or XLSX file: region, of (emission, sink, a sector or a category), value, unit; gas, source. Or rasters (GeoTIFF, NetCDF, Zarr): one of emission, several that add
        up to it, or by quantity: ``{"transport": "transport.nc"}``.
    key
        Column of the units whose codes the table names, where it merges units; by default their own.
    draws, seed
        Of the intervals.
    unit, variable
        Of rasters that do not say it: what a value is (``t CO2 yr-1``), and which of several variables or bands is meant.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    Validation
        ``measures``: units compared and missing from the table, totals, bias (ours over theirs), spearman, spearman_per_head, misplaced and misplaced_scaled, by_area,
        by_people and by_one_total (what area, residents, or one whole total instead of those of regions would misplace; NaN where there is none), skill, median_log2_ratio, coverage_90 (values in the interval of the draws, of those that are not 0 on both sides), sigma_found and
        tau_found (of a category) with their standard errors, tau_if_sigma_holds, same_proxy.

    Raises
    ------
    InputError
        If the directory is no finished run with parcels, the key no column of its units, or the table wrong; if a
        raster's unit is not said to the last word, its cells are not told, or its months are not twelve.

    Notes
    -----
    Agreement, not truth: the published values have errors of their own, and where they were made with the same proxies they agree for that. Such a
    quantity is marked ``same_proxy`` and has no skill.
    """
    tell, phase = progress or silent, "comparing"
    tell(phase, 0, 4)
    found = RunCarriers(run)
    groups = _groups(found.categories)
    codes, inside = _codes(found, key)
    read = _read(found, rasters_of(table, unit, variable), table, (codes, inside), groups)
    tell(phase, 1, 4)
    measures, values = _compared(found, read.values, codes, groups, key is None, draws, seed)
    tell(phase, 2, 4)
    zones, unit_zones = compare_zones(found, read.values, draws, seed) if key is None else NO_ZONES
    tell(phase, 3, 4)
    manifest = found.manifest
    remarks = (*read.remarks, *_without_people(measures, values, _people(found, codes)))
    if not read.gridded:
        remarks = (*remarks, *remarks_of_slips(measures, values))
    of_cells: dict[str, Any] = {"remarks": remarks}
    if read.gridded:
        measured, cells, more = compare_cells(found, read.gridded, groups)
        of_cells = {"cell_measures": measured, "cells": cells, "remarks": (*remarks, *more)}
    tell(phase, 4, 4)
    return Validation(
        measures,
        values,
        read.sums,
        zones,
        unit_zones,
        found.outlines[["name", "geometry"]].assign(region=codes.to_numpy()),
        f"{manifest['title']}, {manifest['year']}",
        read.name,
        manifest.get("attribution", ""),
        gas=found.gas,
        **of_cells,
    )


def _codes(run: RunCarriers, key: str | None) -> tuple[pd.Series[str], dict[str, set[str]]]:
    """Return the code by which a table names each unit, blank for none, and the codes that lie in each larger area.

    Raises
    ------
    InputError
        If the key is no column of the units that has codes.
    """
    if key not in (None, "id", *run.parents):
        raise InputError(f"{key!r} is no column of the units that has codes", "key", f"Columns are id, {', '.join(run.parents)}.")  # fmt: skip
    units = run.units
    codes = units["id" if key is None else key].fillna("").astype(str)
    inside = {"": set(codes)}
    for name in (name for name in run.parents if name != key):
        for code, members in codes.groupby(units[name].fillna("").astype(str)):
            if code:
                inside[str(code)] = set(members)
    return codes, inside


class _Read(NamedTuple):
    """What was published: values of units, the sums of its own, what it is as rasters, and what has to be said of them."""

    values: pd.DataFrame
    sums: pd.DataFrame
    gridded: Sequence[GriddedQuantity]
    remarks: Sequence[Remark]
    name: str


def _read(
    run: RunCarriers,
    rasters: Sequence[PublishedRaster],
    table: Published,
    places: tuple[pd.Series[str], Mapping[str, set[str]]],
    groups: Groups,
) -> _Read:
    """Read a published table, or rasters as one.

    Raises
    ------
    InputError
        If it is wrong, or has no value of a unit.
    """
    codes, inside = places
    file = _named(table, [each.path for each in rasters])
    gases = {
        of: frozenset().union(*(run.gases.get(name, ()) for name in own))
        for of, own in groups.items()
    }
    quantities = gridded(run, rasters, gases)
    remarks: Sequence[Remark] = ()
    if quantities:
        published, remarks = published_of(quantities, codes)
    else:
        published = read_published(file, {*codes, *inside} - {""}, set(groups))
    values = published[published["region"].isin(set(codes))]
    require_same_gases(values, file.name)
    if not quantities:
        year = int(run.manifest["year"])
        remarks = [*remarks_of_gases(values, gases), *remarks_of_years(values, year)]
    if values.empty:
        raise InputError("the table has no value of a unit", str(file), "Write a row for each unit, by its code.")  # fmt: skip
    name = file.name if len(rasters) < 2 else f"{file.name} … ({len(rasters)})"
    return _Read(values, own_sums(published, inside), quantities, remarks, name)


def _people(run: RunCarriers, codes: pd.Series[str]) -> pd.Series[float]:
    """Return the residents by code, NaN where none are known."""
    return run.units["residents"].groupby(codes.to_numpy()).sum(min_count=1)


def _compared(
    run: RunCarriers,
    values: pd.DataFrame,
    codes: pd.Series[str],
    groups: Groups,
    own_units: bool,
    draws: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the measures of each quantity, and each value beside the run's."""
    wanted = {of: groups[of] for of in dict.fromkeys(values["of"])}
    uncertainty = uncertainty_of(run.manifest)
    drawn = _drawn_by_key(run, wanted, codes, uncertainty, draws, seed)
    area = pd.Series(areas_of_units(run)).groupby(codes.to_numpy()).sum()
    people = _people(run, codes)
    rows, compared = [], []
    for of, masses in drawn.items():
        theirs = values[values["of"] == of].groupby("region")["grams"].sum() / 1e6
        each = masses.loc[theirs.index].assign(published_t=theirs, of=of)
        told = None
        if len(groups[of]) == 1 and len(theirs) >= MIN_UNITS and own_units:
            told = _concentration(run, next(iter(groups[of])), uncertainty, each.index)
        missing = len(set(codes) - {""} - set(each.index))
        baselines = (area, people, each["one_total_t"])
        rows.append({"of": of, "units": len(each), "units_missing": missing, **_measures(each, baselines, told)})  # fmt: skip
        compared.append(each)
    every = pd.concat(compared)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log2(every["ours_t"] / every["published_t"])
    listed = every.assign(log2_ratio=ratio).rename_axis("region").reset_index()
    columns = ["of", "region", "ours_t", "published_t", "low_t", "high_t", "log2_ratio"]
    return pd.DataFrame(rows), listed[columns]


def _named(published: Published, rasters: Sequence[Path]) -> Path:
    """Return the first file of what was published, for messages.

    Raises
    ------
    InputError
        If there is none.
    """
    if rasters:
        return rasters[0]
    if isinstance(published, str | Path):
        return Path(published)
    for each in published:
        return Path(str(each))
    raise InputError("no published table and no raster is given", hint="Name one: carbongrid validate RUN TABLE.")  # fmt: skip


def _groups(categories: Iterable[Category]) -> Groups:
    """Return the categories of each quantity that a table may be of."""
    found: dict[str, set[str]] = {}
    for category in categories:
        whole = "sink" if category.sink else "emission"
        for name in {whole, category.sector, category.name}:
            found.setdefault(name, set()).add(category.name)
    return {name: frozenset(members) for name, members in found.items()}


def _drawn_by_key(
    run: RunCarriers,
    wanted: Groups,
    codes: pd.Series[str],
    uncertainty: Uncertainty,
    draws: int,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return ours_t, low_t, high_t and one_total_t (NaN without totals of regions) by code for each quantity."""
    on_land = run.on_land
    kinds = on_land.kinds()
    coefficients = kind_factors(kinds, uncertainty, draws, seed)
    names, place = np.unique(codes.to_numpy(str), return_inverse=True)
    base = {of: np.zeros(names.size) for of in wanted}
    sums = {of: np.zeros((draws, names.size)) for of in wanted}
    whole, nested, one = {of: np.zeros(names.size) for of in wanted}, set(), OneTotal(run)
    everything = frozenset(SOURCES)
    for category in run.categories:
        of_it = [of for of, members in wanted.items() if category.name in members]
        if not of_it:
            continue
        drawn = drawn_category(on_land, category, uncertainty, kinds, coefficients, draws, seed)
        own = np.bincount(place, drawn.base, names.size)
        by_one = one.masses(category)
        nested |= set(of_it) if by_one is not None else set()
        for of in of_it:
            base[of] += own
            whole[of] += own if by_one is None else np.bincount(place, by_one, names.size)
        for start in range(0, draws, _AT_ONCE):
            rows = range(start, min(start + _AT_ONCE, draws))
            [(_, masses)] = drawn.masses(rows, [everything])
            merged = np.array([np.bincount(place, each, names.size) for each in masses])
            for of in of_it:
                sums[of][rows.start : rows.stop] += merged
    tables = {}
    for of in wanted:
        low, high = np.quantile(sums[of], (0.05, 0.95), axis=0)
        columns = {"ours_t": base[of] / 1e6, "low_t": low / 1e6, "high_t": high / 1e6}
        columns["one_total_t"] = whole[of] / 1e6 if of in nested else np.full(names.size, np.nan)
        tables[of] = pd.DataFrame(columns, index=names)
    return tables


def _measures(
    each: pd.DataFrame,
    baselines: Sequence[pd.Series[float]],
    told: tuple[NDArray[np.float64], float] | None,
) -> dict[str, Any]:
    ours, theirs = (each[name].to_numpy(np.float64) for name in ("ours_t", "published_t"))
    area, heads, one_total = (
        np.asarray(values.reindex(each.index), np.float64) for values in baselines
    )
    peopled = bool(not np.isnan(heads).any() and heads.any())
    populated = (heads > 0).all()
    scaled = misplaced(ours, theirs, scaled=True)
    by_area = misplaced(area, theirs, scaled=True)
    by_people = misplaced(heads, theirs, scaled=True) if peopled else math.nan
    nested = not np.isnan(one_total).any()
    by_one = misplaced(one_total, theirs, scaled=True) if nested else math.nan
    # One value is always its own total: it says nothing of where anything is.
    same = scaled < SAME_PROXY and len(each) > 1
    alone = len(each) < 2
    errors = Found(*[math.nan] * len(Found._fields))
    if told is not None:
        concentration, sigma = told
        known = (ours > 0) & (theirs > 0) & (concentration > 0)
        if known.sum() >= MIN_UNITS:
            logs = np.log(theirs[known] / ours[known])
            errors = sigma_and_tau(logs, concentration[known], sigma)
    low, high = (each[name].to_numpy(np.float64) for name in ("low_t", "high_t"))
    return {
        "ours_t": ours.sum(),
        "published_t": theirs.sum(),
        "bias": ours.sum() / theirs.sum() if theirs.sum() else math.nan,
        "spearman": rank_correlation(ours, theirs),
        "spearman_per_head": rank_correlation(ours / heads, theirs / heads) if populated else math.nan,
        "misplaced": misplaced(ours, theirs),
        "misplaced_scaled": scaled,
        "by_area": by_area,
        "by_people": by_people,
        "by_one_total": by_one,
        "skill": math.nan if same or alone else skill(scaled, (by_area, by_people, by_one)),
        "median_log2_ratio": median_log2_ratio(ours, theirs),
        "coverage_90": covered(ours, theirs, low, high),
        "sigma_found": errors.sigma,
        "sigma_error": errors.sigma_error,
        "tau_found": errors.tau,
        "tau_error": errors.tau_error,
        "tau_if_sigma_holds": errors.tau_if_sigma_holds,
        "same_proxy": bool(same),
    }  # fmt: skip


def _without_people(
    measures: pd.DataFrame, values: pd.DataFrame, people: pd.Series[float]
) -> list[Remark]:
    """Tell which quantities are not held against people, without which a run looks more skilful than it is.

    Parameters
    ----------
    measures, values
        Of each quantity, and of each of its units.
    people
        Residents by code of the unit.
    """
    without = measures.loc[measures["by_people"].isna() & (measures["published_t"] != 0), "of"]
    units = {of: tuple(values.loc[values["of"] == of, "region"]) for of in without}
    found: list[Remark] = []
    for compared in dict.fromkeys(units.values()):
        some = [of for of in without if units[of] == compared]
        unknown = int(people.reindex(list(compared)).isna().sum())
        if unknown:
            level: Literal["warning", "note"] = "warning" if (people > 0).any() else "note"
            who, zh = f"residents of {unknown} of {len(compared)} units compared are not known", f"所比较的 {len(compared)} 个单元中有 {unknown} 个人口未知"  # fmt: skip
        else:
            level, who, zh = "note", "there are no residents in the units compared", "所比较单元没有人口"  # fmt: skip
        what = f"{listed(some, 3)}: {who}, so that skill is not against people"
        found.append((Problem(what, level=level), f"{listed(some, 3, more='等', between='、')}：{zh}，技巧未与按人口分配比较。"))  # fmt: skip
    return found


def placed_as_well_by(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return what alone would have placed a quantity of ``measures`` without skill as well, and the same in Chinese."""
    names = [BASELINES[each] for each in BASELINES if row[each] <= row["misplaced_scaled"]]
    return " or ".join(name for name, _ in names), "或".join(chinese for _, chinese in names)


def why_no_skill(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return why a quantity of ``measures`` has no skill that could be told, and the same in Chinese."""
    if not row["published_t"]:
        return "none of it is published for the units compared", "所比较单元的发布值均为 0"
    if not row["ours_t"]:
        return "the run has none of it in the units compared", "所比较单元在本次运算中均为 0"
    if row["units"] < 2:
        return "one value is always its own total, and says nothing of where things are", "仅有一个数值，总与其自身合计一致，不说明空间分布"  # fmt: skip
    made = [each for each in BASELINES if row[each] <= SAME_PROXY]
    assert made, "else there is a skill"
    names, chinese = (", or ".join(f"{BASELINES[each][0]} alone" for each in made), "或".join(f"仅按{BASELINES[each][1]}" for each in made))  # fmt: skip
    more = "," if len(made) > 1 else ""
    return f"{names}{more} misplaces no more than {SAME_PROXY}, so the published values were probably made by it", f"{chinese}错置即不超过 {SAME_PROXY}，发布值很可能据此得出"  # fmt: skip


def _concentration(
    run: RunCarriers, category: str, uncertainty: Uncertainty, codes: pd.Index[str]
) -> tuple[NDArray[np.float64], float]:
    """Return the sum of squares of the parcels' shares of a category in each unit, and sigma as it was taken.

    It is 0 where there is none, and where facilities are part of the unit's mass: they vary with neither, so that what is seen there is no measure of sigma and tau.
    """
    [told] = [each for each in run.categories if each.name == category]
    carriers = run.on_land.carriers(told, uncertainty, run.on_land.kinds())
    size = len(run.units) + 1
    whole = np.bincount(carriers.home, carriers.mass, size)
    squares = np.bincount(carriers.home, carriers.mass**2, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(whole > 0, squares / whole**2, 0.0)[:-1]
    found[run.on_land.named(category).grams[:, :-1].any(axis=0)] = 0.0
    by_code = pd.Series(found, index=run.units["id"]).reindex(codes)
    return np.asarray(by_code, np.float64), carriers.sigma


def write_validation(found: Validation, folder: Path) -> list[Path]:
    """Write validation.csv, validation_units.csv, validation_sums.csv, validation_zones.csv where zones were compared, and of rasters validation_cells.csv and validation_cell_measures.csv.

    Parameters
    ----------
    found
        What :func:`validate` returned.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    tables = {
        "validation.csv": found.measures,
        "validation_units.csv": found.values,
        "validation_sums.csv": found.sums,
    }
    if found.zones:
        tables["validation_zones.csv"] = found.unit_zones
    if len(found.cell_measures):
        tables["validation_cell_measures.csv"] = found.cell_measures
        tables["validation_cells.csv"] = found.cells
    return write_csvs(tables, folder)
