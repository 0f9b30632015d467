"""The tables of a run and its manifest, put together from what the steps found."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from carbongrid import __version__
from carbongrid.case import Case
from carbongrid.case.readers.electricity_counted import (
    electricity_counted,
    has_both_electricities,
    scopes_spread,
)
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import left_by_regions, masses_here
from carbongrid.case.readers.units import parent_name_columns
from carbongrid.errors import Problem
from carbongrid.inventory import intervals_of_parts
from carbongrid.inventory.units_of_measure import base_currency, gas_of_text, grams_of_text
from carbongrid.method.categories import Category
from carbongrid.method.columns import UNIT_DRAWN
from carbongrid.method.evidence import FACILITIES, UNIT_OF_FACILITIES, EvidenceRow, Evidences
from carbongrid.method.gas import Gas, gas_of_emissions, gases_by_category
from carbongrid.method.margins import leave_zone
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.probability.zone_probability import SEED
from carbongrid.method.sharing import CellMass, Shares
from carbongrid.method.zoning import few_sinks, zone_units
from carbongrid.outputs.result import AS_GIVEN, Benchmark, RunTables
from carbongrid.outputs.tables import digest_of_parcels, published
from carbongrid.outputs.tables.content import BY_SECTOR, without_sectors
from carbongrid.outputs.tables.rasters import crs_of_grid, in_crs
from carbongrid.pipeline.allocation import Allocation, closed_ledger
from carbongrid.pipeline.comparison import notes_of_comparison
from carbongrid.pipeline.cross_checks import CrossChecked
from carbongrid.pipeline.facilities import facilities_by_unit, problems_of_rasters
from carbongrid.pipeline.gdp_step import gdp_of_units
from carbongrid.pipeline.guesses import notes_of_guesses
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.rasterizing import Reduction
from carbongrid.pipeline.step import RunOptions
from carbongrid.pipeline.weights_step import Weighed
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.crs import authority_code
from carbongrid.raster.software import versions

if TYPE_CHECKING:
    from carbongrid.pipeline.electricity_readings import Readings

logger = logging.getLogger(__name__)

ELECTRICITY = {
    "supply": "Electricity is counted where it is made",
    "use": "Electricity is counted where it is used",
    "both": "Electricity is counted both where it is made and where it is used",
    "consumption": "Electricity is counted where it is used, by a balance of what is made, imported, used and lost",
}

MAX_DRAWN = 100_000
"""Of more parcels nothing is drawn unless the case asks for it."""

_CELL = ("y", "x")
_TIES = {
    ">=": "An index of exactly 1 is high",
    ">": "An index of exactly 1 is low",
}


@dataclass(frozen=True)
class Indexed:
    """Units with all that the indices are made of, and what is worth saying of their GDP."""

    units: gpd.GeoDataFrame
    notes: tuple[Problem, ...]


@dataclass(frozen=True)
class Zoned:
    """Units with their indices, their zones, and what would move them to another; how sure they are, by so many draws."""

    units: gpd.GeoDataFrame
    draws: int = 0


def index_units(
    inputs: Inputs,
    land: Land,
    weighed: Weighed,
    reduction: Reduction,
    residents: tuple[NDArray[np.float64], float],
) -> Indexed:
    """Add up emission and sink of each unit, and find its GDP."""
    gdp = gdp_of_units(inputs, land, weighed, reduction.shares)
    units = land.units
    columns = unit_masses_by_name(inputs.categories.values(), reduction.mass.units)
    columns["residents"], _ = residents
    columns |= {"gdp": gdp.gdp, "gdp_low": gdp.low, "gdp_high": gdp.high}
    return Indexed(units.join(pd.DataFrame(columns, index=units.index)), gdp.notes)


def unit_masses_by_name(categories: Iterable[Category], mass: NDArray[np.int64]) -> dict[str, Any]:
    """Return grams of each category, emission and sink, and grams of each sector, of units whose mass is [unit, category]."""
    known = list(categories)
    columns: dict[str, Any] = {each.name: mass[:, k] for k, each in enumerate(known)}
    columns |= emission_and_sink(known, (ParcelMass.of(column) for column in mass.T), len(mass))
    by_sector: dict[str, list[int]] = {}
    for k, category in enumerate(known):
        if not category.sink:
            by_sector.setdefault(category.sector, []).append(k)
    for sector, members in by_sector.items():
        columns[f"{sector}_g"] = mass[:, members].sum(axis=1)
    return columns


def zone_land(inputs: Inputs, indexed: Indexed) -> Zoned:
    """Find the indices of each unit, and the zone that they decide."""
    case, units = inputs.case, indexed.units
    zones = zone_units(units, case.reference, is_derived(case), case.sink_floor, case.ties)
    margins = leave_zone(units, case.reference, case.ties)
    return Zoned(pd.concat([units, zones, margins], axis="columns"))


def is_derived(case: Case) -> bool:
    """Return whether GDP of the units is spread from that of larger areas."""
    return case.gdp is not None and case.gdp.by != "unit"


@dataclass(frozen=True)
class Parcels:
    """Parcels as RunTables has them, and the digest of their content; of a run that is published there is none."""

    frame: gpd.GeoDataFrame
    digest: str | None


def parcels_with_mass(
    inputs: Inputs, land: Land, allocation: Allocation, shares: Shares, options: RunOptions
) -> Parcels:
    """Put the table of the parcels together."""
    frame = _parcels(inputs, land, allocation, shares)
    known = tuple(inputs.categories.values())
    return Parcels(frame, None if options.public else digest_of_parcels(frame, known))


def make_tables(
    inputs: Inputs,
    land: Land,
    checked: CrossChecked,
    parcels: Parcels,
    allocation: Allocation,
    reduction: Reduction,
    indexed: Indexed,
    zoned: Zoned,
    readings: Readings,
    grid_1km: xr.Dataset,
    fingerprints: Fingerprints,
    options: RunOptions,
) -> RunTables:
    """Put the tables of a run together, as they may be published where the options say so (see RunTables for their columns)."""
    case, reduced, units = inputs.case, reduction.mass, zoned.units
    names = list(inputs.categories)
    ledger = closed_ledger(
        allocation.ledger, names, reduced.units.sum(axis=0), reduced.outside, reduced.snapped
    )
    rasters = {name: path for name, each in inputs.categories.items() if (path := each.structure)}
    named = facilities_by_unit(allocation.facilities, land, reduction.shares, rasters)
    notes = (*inputs.notes, *checked.problems, *allocation.problems, *reduction.problems, *problems_of_rasters(named, rasters), *indexed.notes)  # fmt: skip
    # A plan finds of the categories that it changes what its run finds of all.
    said = tuple(dict.fromkeys((str(note.level), str(note)) for note in notes))
    emission = parcels.frame["emission_g"].to_numpy(np.int64)
    of_method = [*method_notes(inputs), *notes_of_draws(units, len(emission), zoned.draws)]
    of_sinks = notes_of_sinks(units, case.sink_floor)
    gas = gas_of_inputs(inputs)
    of_guesses = [(str(note.level), str(note)) for note in notes_of_guesses(inputs)]
    differences = [
        *notes_of_comparison(case, land, units, emission, _by_raster(inputs, parcels.frame, units)),
        *(("note", sentence) for sentence in readings.sentences(len(units))),
    ]
    tables = RunTables(
        title=case.title or case.path.stem,
        year=case.year,
        currency=base_currency(case.gdp.currency) if case.gdp else "",
        categories=tuple(inputs.categories.values()),
        inventory=_inventory(inputs),
        audit=None if inputs.formed is None else inputs.formed.audit,
        intervals=None if inputs.formed is None else inputs.formed.intervals,
        unit_intervals=_unit_intervals(inputs, units),
        drawn=None if inputs.formed is None else inputs.formed.drawn,
        parcels=parcels.frame,
        units=units,
        parents=case.units.parents,
        parent_names=_parent_names(land.units, case.units.parents),
        ledger=ledger,
        evidence=evidence_in_gas(allocation.evidence, gas),
        facilities=named,
        grid_1km=grid_1km,
        assumptions=(*of_method, *of_sinks, *of_guesses, *differences, *said),
        benchmark=_benchmark(case),
        reference=case.reference,
        sink_floor=case.sink_floor,
        ties=case.ties,
        gwp=case.inventory.gwp if case.inventory else AS_GIVEN,
        gdp_derived=is_derived(case),
        draws=zoned.draws,
        basis=effective_basis(inputs),
        attribution=case.attribution,
        guidance=inputs.guidance,
        surroundings=inputs.surroundings,
        inputs=tuple(sorted(fingerprints.digests.items())),
        by_type=_by_type(parcels.frame["type"], allocation),
        scopes=scopes_spread(case, inputs.categories, inputs.totals, inputs.formed),
        other_years=inputs.years,
    )
    if not options.public:
        return tables
    kept = [*of_method, *of_sinks, *of_guesses]
    # What is handed on leaves them out; whoever makes it is to know.
    for level, text in tables.assumptions:
        if level == "warning" and (level, text) not in kept:
            logger.warning("%s", text)
    return published(tables, kept)


def _parent_names(
    units: pd.DataFrame, parents: Iterable[str]
) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the names of the codes of each level that has some; where one language lacks, the other stands for it."""
    found = {}
    for parent in parents:
        own, english = parent_name_columns(parent)
        if own in units or english in units:
            blank = [""] * len(units)
            columns = (list(units[name]) if name in units else blank for name in (own, english))
            rows = zip(units[parent], *columns, strict=True)
            found[parent] = {code: (name or foreign, foreign) for code, name, foreign in rows}
    return found


def _by_raster(inputs: Inputs, *tables: pd.DataFrame) -> Any:
    """Return of each table how much of the emission follows a raster inside parcels."""
    names = [name for name, each in inputs.categories.items() if not each.sink and each.structure]  # fmt: skip
    return tuple(table[names].sum(axis=1).to_numpy(np.int64) for table in tables)


def _benchmark(case: Case) -> Benchmark | None:
    if case.benchmark is None:
        return None
    given = case.benchmark
    return Benchmark(
        name=given.name,
        total=given.total,
        grams=grams_of_text(given.total),
        gas=gas_of_text(given.total),
        year=given.year,
        source=given.source,
        scope=given.scope,
    )


def _inventory(inputs: Inputs) -> pd.DataFrame:
    return inventory_of_totals(inputs.totals) if inputs.by_gas is None else inputs.by_gas


def gas_of_inputs(inputs: Inputs) -> Gas:
    """Return what the emissions of a run are of."""
    return gas_of_emissions(_inventory(inputs), inputs.categories.values(), formed=inputs.case.inventory is not None)  # fmt: skip


def gases_of_inputs(inputs: Inputs) -> dict[str, frozenset[str]]:
    """Return what the emissions of each category that emits are of: ``CO2``, ``CO2e`` or both."""
    return gases_by_category(_inventory(inputs), inputs.categories.values(), formed=inputs.case.inventory is not None)  # fmt: skip


def evidence_in_gas(rows: Iterable[EvidenceRow], gas: Gas) -> Evidences:
    """Return rows of evidence whose facilities are told in the gas of a run, whatever run they were of."""
    unit = gas.told(UNIT_OF_FACILITIES)
    return tuple(replace(row, unit=unit) if row.evidence == FACILITIES else row for row in rows)


def inventory_of_totals(totals: pd.DataFrame) -> pd.DataFrame:
    """Return the totals as rows that add up: of a whole with regions, what the regions leave."""
    columns = ["category", "region", "place", "gas", "grams", "year", "source"]
    return left_by_regions(totals[columns].reset_index(drop=True), ("category", "place"))


def emission_and_sink(
    categories: Iterable[Category], masses: Iterable[ParcelMass], size: int
) -> dict[str, NDArray[np.int64]]:
    """Return gross emission and sink of each row, which every table has."""
    columns = {name: np.zeros(size, np.int64) for name in ("emission_g", "sink_g")}
    for category, mass in zip(categories, masses, strict=True):
        mass.add_to(columns["sink_g" if category.sink else "emission_g"])
    return columns


def _parcels(
    inputs: Inputs, land: Land, allocation: Allocation, shares: Shares
) -> gpd.GeoDataFrame:
    fixed = land.parcels[["id", "land_use", "type", "mode", "area_m2", "geometry"]]
    # A category's masses lie side by side: each is written and read by itself. Those of a million parcels are 200 MB: the table is a view of them.
    dense = np.zeros((len(allocation.names), len(fixed)), np.int64)
    for column, mass in zip(dense, allocation.masses, strict=True):
        mass.add_to(column)
    masses = pd.DataFrame(dense.T, fixed.index, list(allocation.names), copy=False)
    sums = emission_and_sink(inputs.categories.values(), allocation.masses, len(fixed))
    more = {**sums, "cells": shares.fine_cells}
    return fixed.join(masses).join(pd.DataFrame(more, fixed.index))


def _by_type(types: pd.Series, allocation: Allocation) -> pd.DataFrame:
    """Return the grams of each category on parcels of each type: summed without the table of both, which would be copied."""
    row, kinds = pd.factorize(types, sort=True, use_na_sentinel=False)
    sums = np.zeros((len(allocation.names), len(kinds)), np.int64)
    for own, mass in zip(sums, allocation.masses, strict=True):
        np.add.at(own, row[mass.rows], mass.grams)
    return pd.DataFrame(sums.T, pd.Index(kinds, name="type"), list(allocation.names))


def _unit_intervals(inputs: Inputs, units: pd.DataFrame) -> pd.DataFrame | None:
    """Return the 95 % interval that the inventory alone leaves each unit's emission and sink, t CO2e; None without activity data."""
    if inputs.formed is None:
        return None
    columns: dict[str, Any] = {"unit": units["id"], "name": units["name"]}
    for quantity in ("emission", "sink"):
        names = [c.name for c in inputs.categories.values() if c.sink == (quantity == "sink")]
        parts = units[names].astype(np.float64) / 1e6
        ends = intervals_of_parts(inputs.formed.drawn, parts)
        columns[f"{quantity}_t"] = units[f"{quantity}_g"] / 1e6
        columns |= {f"{quantity}_{end}": ends[end] for end in ends}
    return pd.DataFrame(columns)


def grid_with_mass(inputs: Inputs, reduction: Reduction, grid: Grid) -> xr.Dataset:
    """Return the coarse grid of RunTables: what parcels cover of each cell, its emission and its sink."""
    coarse = grid.coarsen(inputs.case.grid.coarse)
    covered = covered_area(reduction.shares, grid.area_in_plane).reshape(coarse.shape)
    area = {"units": "m2", "long_name": "area covered by parcels"}
    dataset = xr.Dataset(
        {"covered_area": (_CELL, covered, area)},
        coords={"y": coarse.y, "x": coarse.x},
        attrs={"resolution": inputs.case.grid.coarse},
    )
    return with_mass(in_crs(dataset, coarse.crs), reduction.mass.cells, gas_of_inputs(inputs))


def covered_area(shares: Shares, cell_area: float) -> NDArray[np.float64]:
    """Return what parcels cover of each coarse cell, m2, from what they have in common with it: areas, or cells of the fine grid."""
    exact = np.issubdtype(shares.cells.dtype, np.floating)
    # A snapped parcel covers no cell centre; its own cell's count of one is not an area.
    rows = np.where(shares.snapped, 0.0, 1.0 if exact else cell_area)
    return np.asarray(rows @ shares.cells, dtype=np.float64)


def with_mass(grid: xr.Dataset, cells: CellMass, gas: Gas) -> xr.Dataset:
    """Return the coarse grid with this emission and sink, and the emission of each sector where there is one."""
    rate = {"units": "g yr-1"}
    variables: dict[str, Any] = {
        "emission": (_CELL, cells.emission, {**rate, "long_name": gas.told("emission (CO2e)")}),
        "sink": (_CELL, cells.sink, {**rate, "long_name": gas.told("carbon sink (CO2e)")}),
    }
    if cells.by_sector:
        fields = np.stack(list(cells.by_sector.values()))
        told = {**rate, "long_name": gas.told("emission by sector (CO2e)")}
        variables[BY_SECTOR] = (("sector", *_CELL), fields, told)
        variables["sector"] = list(cells.by_sector)
    return in_crs(without_sectors(grid).assign(variables), crs_of_grid(grid))


def effective_basis(inputs: Inputs) -> str:
    """Return what sectors' shares are of: ``gross`` emission, or ``net`` where the case asks for it and it is at least half of gross."""
    if inputs.case.basis != "net":
        return "gross"
    here = masses_here(inputs.totals)
    sinks = sum(mass for name, mass in here.items() if inputs.categories[name].sink)
    return "gross" if 2 * sinks > sum(here.values()) - sinks else "net"


def method_notes(inputs: Inputs) -> list[tuple[str, str]]:
    """Return the choices that the case made, in sentences."""
    case = inputs.case
    reference = (
        "all units" if case.reference == "all" else f"the units of the same {case.reference}"
    )
    shared = "cells in common on the fine grid" if case.reduce == "cells" else "exact area"
    sentences = [
        f"CCR, ECC and ESC take C gross, over {reference} (D1 and D2).",
        f"{_TIES[case.ties]} (D3).",
        f"A parcel across a border is shared by {shared} (D19).",
        f"Fine grid {case.grid.resolution:g} m, coarse grid {case.grid.coarse:g} m, in {_crs_name(inputs)} (D23).",
        f"Water outside every unit: {case.units.water} (D22).",
    ]
    basis = effective_basis(inputs)
    if basis == "net":
        sentences.append(
            "Shares of sectors are of net emission, those of the indices of gross (D1)."
        )
    elif case.basis == "net":
        sentences.append(
            "Sinks take up more than half of what is emitted, so shares of net emission would add up to more than 200 %: shares of sectors are of gross emission (D1)."
        )
    if case.attribution:
        sentences.append(f"Data: {case.attribution}.")
    electricity = _electricity_chosen(inputs)
    if electricity:
        sentences.append(f"{ELECTRICITY[electricity]} (D24).")
    if case.gdp is None:
        sentences.append("There is no GDP: ECC is unknown and every unit is unclassified.")
    elif case.gdp.by != "unit":
        sentences.append(
            f"GDP is known by {case.gdp.by} and spread by industry: zones are indicative (D5)."
        )
    return [("note", sentence) for sentence in sentences]


def _electricity_chosen(inputs: Inputs) -> str | None:
    """Return the choice of electricity, where it decides anything: with both sides of it, or by a balance."""
    case = inputs.case
    balanced = case.electricity == "consumption"
    both = balanced or has_both_electricities(case, inputs.categories, inputs.totals, inputs.formed)
    return case.electricity if case.electricity and both else None


def notes_of_sinks(units: pd.DataFrame, floor: float) -> list[tuple[str, str]]:
    """Return a warning where a reference region's sinks are too small for ESC to rank its units."""
    few = int(few_sinks(units["reason"]).sum())
    if not few:
        return []
    text = (
        f"The reference regions of {few:,} of {len(units):,} units take up less than {100 * floor:g} % of what they emit (sink_floor): "
        "ESC ranks noise there, and their zones are indicative (docs/decisions/0037)."
    )
    return [("warning", text)]


def notes_of_draws(units: pd.DataFrame, parcels: int, draws: int) -> list[tuple[str, str]]:
    """Return how many zones are firm, or that it was not drawn since there are too many parcels."""
    zoned = int((units["zone"] > 0).sum())
    if "firm" in units:
        firm = int(units["firm"].sum())
        if _nothing_moves(units):
            return [("note", f"Nothing uncertain was drawn: 5 to 95 % of {draws:,} draws have every figure of the units as it is, in four digits (docs/method/probability.md).")]  # fmt: skip
        if not firm:
            return [("note", f"0 of {zoned:,} zones are firm: none has at least 90 % of {draws:,} draws of uncertain totals, proxies, sinks and GDP (docs/method/probability.md).")]  # fmt: skip
        if firm == 1:
            return [("note", f"1 of {zoned:,} zones is firm: at least 90 % of {draws:,} draws of uncertain totals, proxies, sinks and GDP have it (docs/method/probability.md).")]  # fmt: skip
        return [("note", f"{firm:,} of {zoned:,} zones are firm: at least 90 % of {draws:,} draws of uncertain totals, proxies, sinks and GDP have them (docs/method/probability.md).")]  # fmt: skip
    if zoned and parcels > MAX_DRAWN:
        return [("note", f"How sure zones are was not drawn, since there are more than {MAX_DRAWN:,} parcels: carbongrid probability draws it.")]  # fmt: skip
    return []


def _nothing_moves(units: pd.DataFrame) -> bool:
    """Return whether both ends of each drawn interval are the same, in all units."""
    lows = [name for name in UNIT_DRAWN if name.endswith("_p05")]
    return all(units[low].equals(units[low.replace("_p05", "_p95")]) for low in lows)


def _crs_name(inputs: Inputs) -> str:
    crs = inputs.parcels.crs
    return authority_code(crs, 20) or str(crs.name)


def manifest_of(
    inputs: Inputs,
    grid: Grid,
    tables: RunTables,
    digests: Mapping[str, str],
    chunks: int,
) -> dict[str, Any]:
    """Return what the manifest says, but for the files' hashes and the steps.

    Parameters
    ----------
    inputs, grid, tables
        The run's.
    digests
        Of the tables' content.
    chunks
        Side of a label tile in cells.
    """
    case = inputs.case
    return {
        "carbongrid": __version__,
        "python": platform.python_version(),
        "versions": versions(),
        "title": tables.title,
        "year": tables.year,
        "currency": tables.currency,
        "attribution": tables.attribution,
        # Figures that are drawn later are of the files alone, and these hold codes.
        "parent_names": {
            parent: {code: list(names) for code, names in named.items()}
            for parent, named in tables.parent_names.items()
        },
        "parameters": {
            "reduce": case.reduce,
            "reference": case.reference,
            "sink_floor": case.sink_floor,
            "basis": tables.basis,
            "ties": case.ties,
            "draws": tables.draws,
            "seed": SEED,
            "resolution": grid.resolution,
            "coarse": case.grid.coarse,
            "crs": grid.crs,
            "bounds": list(grid.bounds),
            "water": case.units.water if inputs.water is None else inputs.water,
            "chunks": chunks,
            "gdp_by": case.gdp.by if case.gdp else None,
            "gwp": tables.gwp,
            "gas": tables.gas.setting,
            "sinks": case.inventory.sinks if case.inventory else None,
            "electricity": electricity_counted(
                case, inputs.categories, inputs.totals, inputs.formed
            ),
            "parents": list(tables.parents),
            # None is said as runs of earlier versions say it.
            **(
                {"other_years": {name: list(years) for name, years in tables.other_years.items()}}
                if tables.other_years
                else {}
            ),
        },
        "categories": [vars(category) for category in tables.categories],
        "inputs": [{"file": name, "sha256": digest} for name, digest in tables.inputs],
        "assumptions": [list(each) for each in tables.assumptions],
        "ledger": [vars(row) for row in tables.ledger],
        "evidence": [vars(row) for row in tables.evidence],
        # Names of facilities are not published, and without parcels nothing is drawn.
        "uncertainty": (inputs.uncertainty or {}) if len(tables.parcels) else {},
        "digests": dict(digests),
    }
