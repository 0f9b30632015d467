"""From totals and claims to grams on parcels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import masses_here
from carbongrid.errors import InputError, Problem
from carbongrid.method.allocate import allocate, check_limits, outside_problems
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.categories import Category, by_people_unasked
from carbongrid.method.evidence import EvidenceRow, evidence_problems
from carbongrid.method.facilities import FacilityRow
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.rule_skill import NoSkill, no_skill
from carbongrid.method.weights import PackedWeights
from carbongrid.pipeline.cross_checks import WORTH_A_NAME
from carbongrid.pipeline.empty_homes import homes_without_people
from carbongrid.pipeline.evidence import evidence_of
from carbongrid.pipeline.facilities import (
    PlacedFacilities,
    problems_of_borders,
    problems_of_place,
    rows_of_facilities,
)
from carbongrid.pipeline.facility_land import problems_of_land, problems_of_readings
from carbongrid.pipeline.guesses import marked_guesses
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.open_land import mass_on_open_land
from carbongrid.pipeline.rates import (
    problems_of_benchmark,
    problems_of_emission,
    problems_of_gdp,
    problems_of_homes,
    problems_of_uptake,
)
from carbongrid.pipeline.regional_totals import land_without_total, moved_by_regions
from carbongrid.pipeline.unreached_units import units_that_evidence_leaves_out
from carbongrid.pipeline.weights_step import (
    Weighed,
    regions_of,
    weighs_by_raster,
)
from carbongrid.raster.row_blocks import each_block

MAX_UNKNOWN = 0.05
"""No more of what no facility names of a category may lie, by area, on land of which its evidence says nothing, unless the case allows it by name."""


@dataclass(frozen=True)
class Allocation:
    """Mass on parcels.

    Parameters
    ----------
    names
        The categories.
    masses
        Theirs, in the order of ``names``.
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
    masses: tuple[ParcelMass, ...]
    ledger: tuple[LedgerRow, ...]
    evidence: tuple[EvidenceRow, ...]
    facilities: tuple[FacilityRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Part:
    """What the allocation of one category gives, as :class:`Allocation` has it."""

    mass: ParcelMass
    ledger: list[LedgerRow]
    evidence: list[EvidenceRow]
    facilities: list[FacilityRow]
    notes: list[Problem]


def allocate_totals(
    inputs: Inputs,
    land: Land,
    weighed: Weighed,
    placed: PlacedFacilities,
    residents: tuple[NDArray[np.float64], float] | None = None,
) -> Allocation:
    """Spread every category that was weighed over the parcels that carry it.

    Parameters
    ----------
    inputs, land
        The tables, and where parcels stand.
    weighed
        What parcels claim.
    placed
        Where facilities lie.
    residents
        Who lives in each unit, and in none; None where nothing is to be said of it.

    Raises
    ------
    InputError
        With every problem of every category, beyond those of the limits, those of the weights among them.
    """
    names = [name for name in inputs.categories if name in {*weighed.claims, *weighed.failed}]

    def allocated(name: str) -> Part | Sequence[Problem]:
        failed = [*weighed.failed.get(name, ()), *placed.failed.get(name, ())]
        if failed:
            return failed
        try:
            category, claims = inputs.categories[name], weighed.claims[name]
            return allocate_category(inputs, land, category, claims, placed)
        except InputError as error:
            return error.problems

    with closing(each_block(allocated, names)) as those:
        found = list(those)
    parts = [each for each in found if isinstance(each, Part)]
    problems = [problem for each in found if not isinstance(each, Part) for problem in each]
    if problems:
        raise InputError(problems)
    masses = tuple(part.mass for part in parts)
    ledger = [row for part in parts for row in part.ledger]
    counted = [row for part in parts for row in part.evidence]
    named = [row for part in parts for row in part.facilities]
    allow = inputs.case.allow
    limits = check_limits(ledger, allow.unallocated, allow.fallback)
    limits += _unknown_evidence(inputs, land, weighed.claims, ledger)
    limits += _without_proxy(weighed.claims, ledger)
    limits += _without_skill(inputs, weighed.claims, ledger)
    limits += [note for part in parts for note in part.notes]
    # People are evidence of all their categories together: who allows it of homes allows it of what follows them unasked.
    lost = {*allow.lost, *by_people_unasked()} if allow.lost else ()
    limits += evidence_problems(counted, lost)
    limits += problems_of_land(inputs, land, placed, ledger)
    if residents is not None:
        limits += problems_of_gdp(inputs, land, residents[0])
        limits += problems_of_emission(inputs, residents[0])
        limits += problems_of_benchmark(inputs)
        limits += problems_of_homes(inputs, counted, ledger)
        limits += units_that_evidence_leaves_out(inputs, land, weighed.claims, ledger)
        limits += homes_without_people(inputs, land, weighed.claims, ledger, residents[0])
        limits += problems_of_readings(inputs, land, placed, ledger)
    limits += _outside_by_area(inputs, land, masses, names)
    by_raster = [name for name in names if inputs.categories[name].structure]
    limits += [*problems_of_borders(named, land, by_raster), *problems_of_place(named)]
    return Allocation(
        tuple(names), masses, tuple(ledger), tuple(counted), tuple(named), tuple(limits)
    )


def allocate_category(
    inputs: Inputs,
    land: Land,
    category: Category,
    packed: PackedWeights,
    placed: PlacedFacilities,
) -> Part:
    """Spread one category: over the parcels that claim something or hold a facility, all others having nothing of it."""
    name = category.name
    codes = regions_of(inputs, name)
    facilities, of_units, told = rows_of_facilities(inputs, land, placed, name)
    totals = inputs.totals[inputs.totals["category"].to_numpy(object) == name]
    homes = np.array([parcel for _, parcel, _ in facilities if parcel >= 0], np.int64)

    def spread(rows: NDArray[np.int64]) -> tuple[Part, bool]:
        own = [
            (label, int(np.searchsorted(rows, parcel)) if parcel >= 0 else -1, grams)
            for label, parcel, grams in facilities
        ]
        claims = packed.opened(rows)
        grams, ledger = allocate(
            category,
            totals,
            claims,
            land.parcels,
            rows=rows,
            regions=codes,
            region_of_parcel=land.regions_of_parcels(codes, rows),
            facilities=own,
            region_of_facility=land.regions_at(codes, of_units),
            by_part={row.name for row in told if row.way != "value"},
        )
        ledger = marked_guesses(ledger, totals)
        counted = evidence_of(category, claims, grams, own, land.parcels, rows)
        some = np.flatnonzero(grams)
        fallen = any(row.by_parent or row.unallocated for row in ledger)
        region = land.regions_of_parcels(codes, packed.rows)
        said = land_without_total(ledger, packed, totals, land)
        said += moved_by_regions(ledger, packed, codes, region)
        system = inputs.case.parcels.code_system
        said += mass_on_open_land(category, claims, grams, own, land.parcels, rows, system)
        said += problems_of_uptake(category, grams, land.parcels, rows, inputs.coefficients)
        return Part(ParcelMass(rows[some], grams[some]), ledger, counted, told, said), fallen

    part, fallen = spread(np.union1d(packed.rows, homes) if homes.size else packed.rows)
    # What neither weight nor area carries goes to parcels of the parent type, which may be any.
    return spread(np.arange(len(land.parcels)))[0] if fallen else part


def allocate_rest(
    inputs: Inputs, land: Land, before: Allocation, weighed: Weighed, placed: PlacedFacilities
) -> Allocation:
    """Spread what could not be spread before the rasterization, and put both together in the order of the categories."""
    names = [name for name in inputs.categories if weighs_by_raster(inputs, name)]
    if not names:
        return before
    claims = {name: weighed.claims[name] for name in names if name in weighed.claims}
    failed = {name: weighed.failed[name] for name in names if name in weighed.failed}
    rest = allocate_totals(inputs, land, Weighed(claims, failed), placed)
    left_out = units_that_evidence_leaves_out(inputs, land, claims, rest.ledger)
    order = {name: k for k, name in enumerate(inputs.categories)}
    masses = {
        name: mass
        for part in (before, rest)
        for name, mass in zip(part.names, part.masses, strict=True)
    }

    def in_order[Row: (LedgerRow, EvidenceRow, FacilityRow)](
        rows: Iterable[Row],
    ) -> tuple[Row, ...]:
        return tuple(sorted(rows, key=lambda row: order[row.category]))

    return Allocation(
        tuple(order),
        tuple(masses[name] for name in order),
        in_order((*before.ledger, *rest.ledger)),
        in_order((*before.evidence, *rest.evidence)),
        in_order((*before.facilities, *rest.facilities)),
        (*before.problems, *rest.problems, *left_out),
    )


def _outside_by_area(
    inputs: Inputs, land: Land, masses: Sequence[ParcelMass], names: Sequence[str]
) -> list[Problem]:
    """Return an error for each category of which too much will lie outside every unit, by area, before anything is rasterized.

    A category that follows a raster inside its parcels is left to what the run finds, and so is what the case allows.
    """
    share = land.share_outside
    if inputs.case.units.water != "ledger":
        is_water = (land.parcels["type"] == "water").to_numpy(dtype=bool)
        share = np.where(is_water, 0.0, share)
    fates = [
        (name, mass.total, int((mass.grams * share[mass.rows]).sum()))
        for name, mass in zip(names, masses, strict=True)
        if not inputs.categories[name].structure and name not in inputs.case.allow.outside
    ]
    return outside_problems(fates)


_COVER = "Take a raster that covers the land; where no data means that there is nothing, write 0 there (gdalwarp -dstnodata None -wo INIT_DEST=0 IN OUT)"
_FINER = "Take a finer grid.resolution"


def _unknown_evidence(
    inputs: Inputs, land: Land, claims: Mapping[str, PackedWeights], ledger: Iterable[LedgerRow]
) -> list[Problem]:
    """Return a warning for each category of which something would lie, by area, on land of which the evidence says nothing, or where none was read; an error where that is much and cannot mean that there is nothing."""
    problems = []
    accounts: dict[str, list[LedgerRow]] = {}
    for row in ledger:
        accounts.setdefault(row.category, []).append(row)
    for name, claim in claims.items():
        own = accounts[name]
        unnamed = np.array([row.total - row.facilities for row in own], np.float64)
        # What is unknown is told first, what else is odd of the evidence after it.
        unknown, unread = str(claim.facts["note"]).partition("; ")[0], claim.facts.get("unread", "")
        for without, surely, said, remedy in (
            ("silent", "beyond", unknown, _COVER),
            ("missed", "missed", unread, _FINER),
        ):
            if without not in claim.arrays:
                continue
            # Each region by itself: land of one that has nothing is silent on nothing.
            mass, sure = (
                float(unnamed @ _silent_shares(inputs, land, claim, own, what))
                for what in (without, surely)
            )
            if not mass:
                continue
            much = sure > MAX_UNKNOWN * unnamed.sum() and name not in inputs.case.allow.fallback
            hint = remedy + (f"; or allow it: [allow] fallback = [{name!r}]." if much else ".")
            what = f"{said}. By area, {mass / 1e6:,.0f} t of it would lie there"
            problems.append(
                Problem(what, f"categories: {name}", hint, "error" if much else "warning")
            )
    return problems


def _silent_shares(
    inputs: Inputs, land: Land, claim: PackedWeights, rows: Sequence[LedgerRow], what: str
) -> NDArray[np.float64]:
    """Return of each of a category's accounts the share of its carriers' area of which the evidence says nothing (``silent``, ``beyond``, or ``missed``)."""
    if what not in claim.arrays:
        return np.zeros(len(rows))
    codes, none = regions_of(inputs, rows[0].category), len(rows)
    account = {row.region: number for number, row in enumerate(rows)}
    rest = account.get(WHOLE, none)
    own = np.array([*(account[code] for code in codes), rest], np.int64)
    own = own[land.regions_of_parcels(codes, claim.rows)]
    area = land.parcels["area_m2"].to_numpy(np.float64)[claim.rows] * claim.arrays["eligible"]
    silent, whole = (np.bincount(own, m2, none + 1)[:none] for m2 in (claim.arrays[what], area))
    return np.divide(silent, whole, out=np.zeros(none), where=whole > 0)


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


def _without_skill(
    inputs: Inputs, claims: Mapping[str, PackedWeights], ledger: Collection[LedgerRow]
) -> list[Problem]:
    """Return which mass lies by a rule that has shown no skill for its category: a warning if it is much, else a note."""
    found: dict[NoSkill, dict[str, int]] = {}
    for row in ledger:
        shown = no_skill(row.category, row.rule) if claims[row.category].by_counts_alone else None
        if shown is not None and row.by_rule:
            masses = found.setdefault(shown, {})
            masses[row.category] = masses.get(row.category, 0) + row.by_rule
    if not found:
        return []
    here = masses_here(inputs.totals)
    whole = sum(mass for name, mass in here.items() if not inputs.categories[name].sink)
    return [
        Problem(
            f"{sum(masses.values()) / whole:.1%} of the emissions ({', '.join(masses)}) lies by POIs that all count alike or nearly so, a rule that has shown no skill for it: of the mass of "
            f"{shown.units} published units it put {shown.misplaced:.0%} into other units, no better than chance",
            f"{inputs.case.path.name}: [facilities]",
            "Read nothing from where this mass lies until its largest works are named as facilities, or its POIs have sizes.",
            "warning" if sum(masses.values()) * WORTH_A_NAME > whole else "note",
        )
        for shown, masses in found.items()
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
