"""From totals and claims to grams on parcels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import InputError, Problem
from carbongrid.method.allocate import allocate, check_limits, outside_problems
from carbongrid.method.evidence import EvidenceRow, evidence_problems
from carbongrid.method.facilities import FacilityRow
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import PackedWeights
from carbongrid.pipeline.evidence import evidence_of
from carbongrid.pipeline.facilities import (
    problems_of_borders,
    problems_of_place,
    rows_of_facilities,
)
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.weighing import Weighed, regions_of, weighs_by_raster

MAX_UNKNOWN = 0.05
"""Of more of a category's land its evidence must say something, unless the case allows it by name."""


@dataclass(frozen=True)
class Allocation:
    """Mass on parcels.

    Parameters
    ----------
    names
        The categories.
    mass : int64, shape (parcels, categories)
        Grams; categories in the order of ``names``.
    ledger
        One row per category and region.
    evidence
        What was given, used and lost, by category.
    facilities
        Emitters known by name, where they lie and could lie as well.
    problems
        Categories beyond the limits of what may fall back, stay unallocated, be lost or be unknown, errors; and warnings.
    """

    names: tuple[str, ...]
    mass: NDArray[np.int64]
    ledger: tuple[LedgerRow, ...]
    evidence: tuple[EvidenceRow, ...]
    facilities: tuple[FacilityRow, ...]
    problems: tuple[Problem, ...]


def allocate_totals(inputs: Inputs, land: Land, weighed: Weighed) -> Allocation:
    """Spread every category that was weighed over the parcels that carry it.

    Parameters
    ----------
    inputs, land
        The tables, and where parcels stand.
    weighed
        What parcels claim.

    Raises
    ------
    InputError
        With every problem of every category, beyond those of the limits, those of the weights among them.
    """
    names = [name for name in inputs.categories if name in {*weighed.claims, *weighed.failed}]
    # A category's masses lie side by side: each is written and read by itself.
    mass = np.zeros((len(names), len(land.parcels)), np.int64).T
    ledger: list[LedgerRow] = []
    counted: list[EvidenceRow] = []
    named: list[FacilityRow] = []
    problems: list[Problem] = []
    for k, name in enumerate(names):
        if name in weighed.failed:
            problems += weighed.failed[name]
            continue
        category, regions = inputs.categories[name], regions_of(inputs, name)
        claim = weighed.claims[name].opened()
        try:
            facilities, told = rows_of_facilities(inputs, land, name)
            mass[:, k], rows = allocate(
                category,
                inputs.totals[inputs.totals["category"] == name],
                claim,
                land.parcels,
                regions=regions,
                region_of_parcel=land.regions_of_parcels(regions),
                facilities=facilities,
            )
        except InputError as error:
            problems += error.problems
            continue
        ledger += rows
        named += told
        counted += evidence_of(category, claim, mass[:, k], facilities, land.parcels)
    if problems:
        raise InputError(problems)
    allow = inputs.case.allow
    limits = check_limits(ledger, allow.unallocated, allow.fallback)
    limits += _unknown_evidence(weighed.claims, allow.fallback)
    limits += _without_proxy(weighed.claims, ledger)
    limits += evidence_problems(counted, allow.lost)
    limits += _outside_by_area(inputs, land, mass, names)
    limits += [*problems_of_borders(named, land), *problems_of_place(named)]
    return Allocation(
        tuple(names), mass, tuple(ledger), tuple(counted), tuple(named), tuple(limits)
    )


def allocate_rest(inputs: Inputs, land: Land, before: Allocation, weighed: Weighed) -> Allocation:
    """Spread what could not be spread before the rasterization, and put both together in the order of the categories."""
    names = [name for name in inputs.categories if weighs_by_raster(inputs, name)]
    if not names:
        return before
    claims = {name: weighed.claims[name] for name in names if name in weighed.claims}
    failed = {name: weighed.failed[name] for name in names if name in weighed.failed}
    rest = allocate_totals(inputs, land, Weighed(claims, failed))
    order = {name: k for k, name in enumerate(inputs.categories)}
    mass = np.empty((len(order), len(land.parcels)), np.int64).T
    for part in (before, rest):
        mass[:, [order[name] for name in part.names]] = part.mass

    def in_order[Row: (LedgerRow, EvidenceRow, FacilityRow)](
        rows: Iterable[Row],
    ) -> tuple[Row, ...]:
        return tuple(sorted(rows, key=lambda row: order[row.category]))

    return Allocation(
        tuple(order),
        mass,
        in_order((*before.ledger, *rest.ledger)),
        in_order((*before.evidence, *rest.evidence)),
        in_order((*before.facilities, *rest.facilities)),
        (*before.problems, *rest.problems),
    )


def _outside_by_area(
    inputs: Inputs, land: Land, mass: NDArray[np.int64], names: list[str]
) -> list[Problem]:
    """Return an error for each category of which too much will lie outside every unit, by area, before anything is rasterized.

    A category that follows a raster inside its parcels is left to what the run finds.
    """
    share = 1.0 - np.minimum(np.asarray(land.shares_of_area.sum(axis=1)).ravel(), 1.0)
    if inputs.case.units.water != "ledger":
        share[(land.parcels["type"] == "water").to_numpy(dtype=bool)] = 0.0
    fates = [
        (name, int(mass[:, k].sum()), int(mass[:, k] @ share))
        for k, name in enumerate(names)
        if not weighs_by_raster(inputs, name)
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
