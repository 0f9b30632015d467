"""What the other ways of counting electricity would have given: tonnes, and units in another zone (docs/decisions/0057)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case import Case
from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.electricity_counted import has_both_electricities
from carbongrid.case.readers.facilities import project_facilities, read_facilities
from carbongrid.case.readers.inputs import Inputs, ancestors_of
from carbongrid.case.readers.regions import masses_here
from carbongrid.case.readers.totals import read_totals, totals_of_rows
from carbongrid.errors import InputError, listed
from carbongrid.inventory.electricity import READINGS
from carbongrid.method.categories import Category
from carbongrid.method.sharing import reduce_to_units
from carbongrid.method.weights import PackedWeights, WeightInputs, weigh
from carbongrid.method.zoning import zone_units
from carbongrid.pipeline.allocation import allocate_category
from carbongrid.pipeline.facilities import PlacedFacilities, place_facilities
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.rasterizing import Reduction
from carbongrid.pipeline.tables import Zoned, is_derived
from carbongrid.pipeline.weights_step import Weighed, gather_weight_inputs, regions_of

_LISTED = 20
_UNKNOWN = "no activity data say what is generated and used"


@dataclass(frozen=True)
class Reading:
    """What one way of counting electricity gives.

    Parameters
    ----------
    name
        One of :data:`carbongrid.inventory.electricity.READINGS`.
    grams
        Emission that is spread, CO2e; None where it cannot be known.
    turned
        Units that would be in another zone; None where it cannot be known.
    why
        Why something is not known.
    """

    name: str
    grams: int | None = None
    turned: tuple[str, ...] | None = None
    why: str = ""


@dataclass(frozen=True)
class Readings:
    """Every way of counting electricity; none where the case has only one side of it."""

    chosen: str = ""
    rows: tuple[Reading, ...] = ()

    def sentences(self, units: int) -> Iterator[str]:
        """Yield a sentence for each, of so many units."""
        for row in self.rows:
            mass = "" if row.grams is None else f"{row.grams / 1e6:,.0f}"
            turned = row.turned or ()
            which = listed(turned, _LISTED, more=", ...")
            if row.grams is None:
                yield f'With electricity = "{row.name}" the emission is not known: {row.why} (D24).'
            elif row.name == self.chosen:
                yield f'With electricity = "{row.name}", as chosen, the emission that is spread is {mass} t (D24).'
            elif row.turned is None:
                yield f'With electricity = "{row.name}" the emission that is spread is {mass} t; which units would be in another zone is not known: {row.why} (D24).'
            else:
                yield (
                    f'With electricity = "{row.name}" the emission that is spread is {mass} t, and {len(turned):,} of {units:,} units would be in another zone'
                    f"{': ' + which if which else ''} (D24)."
                )


def tonnes_by_reading(inputs: Inputs) -> Readings:
    """Return what each way of counting would spread; nothing is placed."""
    known = _known(inputs)
    found = [(name, _totals_under(inputs, known, name)) for name in READINGS if known]
    rows = tuple(
        Reading(name, why=totals)
        if isinstance(totals, str)
        else Reading(name, _emission(totals, known))
        for name, totals in found
    )
    return Readings(inputs.case.electricity or "", rows)


def compare_readings(
    inputs: Inputs, land: Land, weighed: Weighed, reduction: Reduction, zoned: Zoned
) -> Readings:
    """Return what each way of counting would give: the method done again for the categories whose totals it changes.

    Such a category is allocated and split to the units as in the run, by the weights of the run; one that the run has not is
    weighed here. Land, shares and GDP are the same under every reading.
    """
    known = _known(inputs)

    @functools.cache
    def evidence() -> WeightInputs:
        """People are put on parcels here, so once, and only where a category is weighed that the run has not."""
        shares = reduction.shares
        gathered = gather_weight_inputs(inputs, land)
        return replace(gathered, rasters=shares.raster_sums, raster_known=shares.raster_known)

    rows = []
    for name in READINGS if known else ():
        totals = _totals_under(inputs, known, name)
        if isinstance(totals, str):
            rows.append(Reading(name, why=totals))
            continue
        grams = _emission(totals, known)
        if name == inputs.case.electricity:
            rows.append(Reading(name, grams, turned=()))
            continue
        try:
            now = _with_totals(inputs, known, name, totals)
            turned = _turned((inputs, now), land, weighed, reduction, zoned, known, evidence)
            rows.append(Reading(name, grams, turned))
        except InputError as error:
            rows.append(Reading(name, grams, why=error.problems[0].what))
    return Readings(inputs.case.electricity or "", tuple(rows))


def _known(inputs: Inputs) -> dict[str, Category]:
    """Return all categories of a case that has a choice; none of one that has not."""
    case, formed = inputs.case, inputs.formed
    chosen = case.electricity and has_both_electricities(
        case, inputs.categories, inputs.totals, formed
    )
    if chosen or (formed is not None and formed.by_consumption):
        return categories_of(case)
    return {}


def _totals_under(
    inputs: Inputs, known: Mapping[str, Category], reading: str
) -> pd.DataFrame | str:
    """Return the totals as a choice has them; why not, if the data say too little for it or their regions contradict it."""
    if reading == inputs.case.electricity:
        return inputs.totals
    case, formed = _counting(inputs.case, reading), inputs.formed
    if formed is None:
        return _UNKNOWN if reading == "consumption" else read_totals(case, known)
    if not formed.rows_by(reading):
        return formed.not_balanced or _UNKNOWN
    above = ancestors_of(inputs.units, case.units.parents)
    try:
        return totals_of_rows(case, known, formed, ancestors=above)[0]
    except InputError as error:
        return error.problems[0].what


def _counting(case: Case, reading: str) -> Case:
    return case.model_copy(update={"electricity": reading})


def _here(totals: pd.DataFrame) -> pd.DataFrame:
    return totals[totals["place"] == "here"]


def _emission(totals: pd.DataFrame, known: Mapping[str, Category]) -> int:
    return sum(grams for name, grams in masses_here(totals).items() if not known[name].sink)


def _turned(
    both: tuple[Inputs, Inputs],
    land: Land,
    weighed: Weighed,
    reduction: Reduction,
    zoned: Zoned,
    known: Mapping[str, Category],
    evidence: Callable[[], WeightInputs],
) -> tuple[str, ...]:
    """Return the units that the second inputs' totals would put in another zone than the first's."""
    inputs, now = both
    case, units = inputs.case, zoned.units
    emission = units["emission_g"].to_numpy(np.int64).copy()
    changed = _changed(inputs.totals, now.totals)
    if now.facilities is not None:
        of_these = now.facilities["category"].isin(changed)
        now = replace(now, facilities=now.facilities[of_these].reset_index(drop=True))
    placed = place_facilities(now, land)
    for name in changed:
        if name in inputs.categories:
            emission -= reduction.mass.units[:, list(inputs.categories).index(name)]
        same = regions_of(now, name) == regions_of(inputs, name)
        claim = weighed.claims.get(name) if same else None
        emission += _on_units(now, land, placed, claim, reduction, known[name], evidence)
    zones = zone_units(
        units.assign(emission_g=emission),
        case.reference,
        is_derived(case),
        case.sink_floor,
        case.ties,
    )
    apart = zones["zone"].to_numpy() != units["zone"].to_numpy()
    return tuple(str(unit) for unit in units["id"][apart])


def _changed(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return the categories of which another mass is spread."""
    keys = ["category", "region"]
    sums = [_here(each).groupby(keys)["grams"].sum() for each in (before, after)]
    first, second = sums[0].align(sums[1], fill_value=0)
    return sorted(set(first.index[first != second].get_level_values("category")))


def _with_totals(
    inputs: Inputs, known: Mapping[str, Category], reading: str, totals: pd.DataFrame
) -> Inputs:
    """Return the inputs as another choice would have them: its totals, and the facilities that these have."""
    case, facilities = _counting(inputs.case, reading), None
    if case.facilities is not None:
        named = read_facilities(case, known, totals)
        facilities = project_facilities(named, inputs.parcels.crs, case.facilities.path)
    return replace(inputs, case=case, totals=totals, facilities=facilities)


def _on_units(
    inputs: Inputs,
    land: Land,
    placed: PlacedFacilities,
    claim: PackedWeights | None,
    reduction: Reduction,
    category: Category,
    evidence: Callable[[], WeightInputs],
) -> NDArray[np.int64]:
    """Return a category's grams of each unit; by new weights where the run has none, or none of the same regions."""
    here = _here(inputs.totals)
    if not (here["category"] == category.name).any():
        return np.zeros(len(land.units), np.int64)
    shares, path = reduction.shares, category.structure
    if path and path not in shares.rasters:
        raise InputError(f"the run has no {category.name}, and so no sums of {path}")
    failed = placed.failed.get(category.name)
    if failed:
        raise InputError(failed)
    if claim is None:
        regions = land.regions_of_parcels(regions_of(inputs, category.name))
        claim = PackedWeights.of(weigh(category, land.parcels, evidence(), regions))
    part = allocate_category(inputs, land, category, claim, placed)
    units: NDArray[np.int64] = reduce_to_units([part.mass], [path], shares).units[:, 0]
    return units
