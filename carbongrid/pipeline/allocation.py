"""From totals to parcels: evidence, claims, allocation, in the order of DESIGN section 4."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.points import crosswalk_categories
from carbongrid.case.readers.sinks import read_sinks
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.sink_sets import counted_types
from carbongrid.method.allocate import Facility, allocate, check_limits, outside_problems
from carbongrid.method.evidence import EvidenceRow, evidence_problems
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.sharing import Shares
from carbongrid.method.weights import (
    PackedWeights,
    WeightInputs,
    parcels_of_facilities,
    sink_coefficients,
    weigh,
)
from carbongrid.pipeline.evidence import evidence_of
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.residents import residents_on_parcels

MAX_UNKNOWN = 0.05
"""Of more of a category's land its evidence must say something, unless the case allows it by name."""


@dataclass(frozen=True)
class Allocation:
    """Mass on parcels.

    Parameters
    ----------
    mass : int64, shape (parcels, categories)
        Grams; categories in the order of their names.
    ledger
        One row per category and region.
    claims
        By category.
    evidence
        What was given, used and lost, by category.
    problems
        Categories beyond the limits of what may fall back, stay unallocated, be lost or be unknown, errors; and warnings.
    """

    mass: NDArray[np.int64]
    ledger: tuple[LedgerRow, ...]
    claims: dict[str, PackedWeights]
    evidence: tuple[EvidenceRow, ...]
    problems: tuple[Problem, ...]


def weight_rasters(inputs: Inputs) -> list[str]:
    """Return the rasters that categories name as their weight, as written."""
    rules = (category.weight.partition(":") for category in inputs.categories.values())
    return sorted({path for rule, _, path in rules if rule == "raster"})


def coefficients_of(inputs: Inputs) -> dict[str, float]:
    """Return the uptake per area of each territorial type; none of those that the case's set of sinks does not count."""
    sinks = read_sinks(inputs.case)
    known = sink_coefficients()
    if sinks is None:
        return known
    counted = counted_types(sinks)
    return {name: value if name in counted else 0.0 for name, value in known.items()}


def gather_weight_inputs(inputs: Inputs, land: Land, shares: Shares | None) -> WeightInputs:
    """Return what the weights are made from; people are put on parcels here, once."""
    case = inputs.case
    return WeightInputs(
        pois=inputs.pois,
        people=residents_on_parcels(inputs, land),
        poi_categories=crosswalk_categories(case),
        lines=inputs.lines,
        lambda_=case.lines.lambda_ if case.lines else 0.0,
        miss=case.pois.miss if case.pois else "nearest",
        coefficients=coefficients_of(inputs),
        rasters=shares.raster_sums if shares else {},
        raster_known=shares.raster_known if shares else {},
    )


def allocate_totals(
    inputs: Inputs,
    land: Land,
    shares: Shares | None = None,
    known: Mapping[str, PackedWeights] | None = None,
) -> Allocation:
    """Spread every category over the parcels that carry it, by ``known`` claims where there are some.

    Parameters
    ----------
    inputs, land
        The tables, and where parcels stand.
    shares
        What has the sums of the weight rasters; None where no category weighs by one.
    known
        Claims of an earlier run, by category.

    Raises
    ------
    InputError
        With every problem of every category, beyond those of the limits.
    """
    known = known or {}
    evidence = None if known else gather_weight_inputs(inputs, land, shares)
    # A category's masses lie side by side: each is written and read by itself.
    mass = np.zeros((len(inputs.categories), len(land.parcels)), np.int64).T
    ledger: list[LedgerRow] = []
    claims: dict[str, PackedWeights] = {}
    counted: list[EvidenceRow] = []
    problems: list[Problem] = []
    for k, (name, category) in enumerate(inputs.categories.items()):
        totals = inputs.totals[inputs.totals["category"] == name]
        here = totals.loc[totals["place"] == "here", "region"]
        regions = sorted({code for code in here if code})
        region_of_parcel = land.regions_of_parcels(regions)
        try:
            if evidence is None:
                claim = known[name].opened()
            else:
                claim = weigh(category, land.parcels, evidence, region_of_parcel)
            claims[name] = PackedWeights.of(claim)
            facilities = _facilities(inputs, land, name)
            mass[:, k], rows = allocate(
                category,
                totals,
                claim,
                land.parcels,
                regions=regions,
                region_of_parcel=region_of_parcel,
                facilities=facilities,
            )
        except InputError as error:
            problems += error.problems
            continue
        ledger += rows
        counted += evidence_of(category, claim, mass[:, k], facilities, land.parcels)
    if problems:
        raise InputError(problems)
    allow = inputs.case.allow
    limits = check_limits(ledger, allow.unallocated, allow.fallback)
    limits += _unknown_evidence(claims, allow.fallback)
    limits += _without_proxy(claims, ledger)
    limits += evidence_problems(counted, allow.lost)
    limits += _outside_by_area(inputs, land, mass)
    return Allocation(mass, tuple(ledger), claims, tuple(counted), tuple(limits))


def _outside_by_area(inputs: Inputs, land: Land, mass: NDArray[np.int64]) -> list[Problem]:
    """Return an error for each category of which too much will lie outside every unit, by area, before anything is rasterized.

    A category that follows a raster inside its parcels is left to what the run finds.
    """
    share = 1.0 - np.minimum(np.asarray(land.shares_of_area.sum(axis=1)).ravel(), 1.0)
    if inputs.case.units.water != "ledger":
        share[(land.parcels["type"] == "water").to_numpy(dtype=bool)] = 0.0
    fates = [
        (name, int(mass[:, k].sum()), int(mass[:, k] @ share))
        for k, (name, category) in enumerate(inputs.categories.items())
        if not category.weight.startswith("raster:")
    ]
    return outside_problems(fates, inputs.case.allow.outside)


def _unknown_evidence(
    claims: Mapping[str, PackedWeights], allowed: Collection[str]
) -> list[Problem]:
    """Return an error for each category of which the evidence says nothing of too much land, else a warning."""
    problems = []
    for name, claim in claims.items():
        unknown, note = claim.facts["unknown"], claim.facts["note"]
        if unknown:
            much = unknown > MAX_UNKNOWN and name not in allowed
            hint = (
                f"Take a raster that covers the land, or allow it: [allow] fallback = [{name!r}]."
            )
            problems.append(
                Problem(note, f"categories: {name}", hint, "error" if much else "warning")
            )
    return problems


def _without_proxy(
    claims: Mapping[str, PackedWeights], ledger: Collection[LedgerRow]
) -> list[Problem]:
    """Return a warning for each category that no type of POI stands for, so that its mass goes by area."""
    spread = {row.category for row in ledger if row.by_rule}
    hint = "Name its emitters as facilities: a plant's stack is one place. Or give POIs of it, in a crosswalk of your own."
    return [
        Problem(f"{claim.facts['note']}: it goes by area", f"categories: {name}", hint, "warning")
        for name, claim in claims.items()
        if name in spread and claim.facts["by_area"] and claim.facts["rule"] == "pois"
    ]


def _facilities(inputs: Inputs, land: Land, category: str) -> list[Facility]:
    """Return name, parcel row (-1 without coordinates) and grams of a category's facilities."""
    if inputs.facilities is None:
        return []
    rows = inputs.facilities[inputs.facilities["category"] == category]
    x, y = rows["x"].to_numpy(np.float64), rows["y"].to_numpy(np.float64)
    names = list(rows["name"])
    parcel = parcels_of_facilities(x, y, names, land.parcels.geometry.to_numpy())
    return list(zip(names, parcel.tolist(), rows["grams"].tolist(), strict=True))


def closed_ledger(
    ledger: tuple[LedgerRow, ...],
    names: list[str],
    units: NDArray[np.int64],
    outside: NDArray[np.int64],
    snapped: NDArray[np.int64],
) -> tuple[LedgerRow, ...]:
    """Return the ledger with what the reduction found, on each category's first row (0008)."""
    first = {row.category: position for position, row in reversed(list(enumerate(ledger)))}
    closed = list(ledger)
    for k, name in enumerate(names):
        row = first[name]
        closed[row] = replace(
            ledger[row],
            units=int(units[k]),
            outside_units=int(outside[k]),
            snapped=int(snapped[k]),
        )
    return tuple(closed)
