"""What a plan does not know of land of another use, which then counts as 0: warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem
from carbongrid.method.categories import read_categories
from carbongrid.method.weights import PackedWeights
from carbongrid.method.weights.rules import may_carry
from carbongrid.pipeline.weights_step import regions_of

if TYPE_CHECKING:
    from carbongrid.pipeline.live import LiveResult

Rows = NDArray[np.int64]

_COUNTED = {"pois": "POIs", "people": "people", "roads": "roads", "lines": "lines"}
"""What the rules count that measure what stands on land."""


def claiming_otherwise(
    answer: LiveResult, name: str, old: PackedWeights, new: PackedWeights, rows: Rows
) -> tuple[Rows, NDArray[np.int64]]:
    """Return which of the rows claim more or less of a category than before, and of each parcel the region of its totals."""
    before, after = (each.values("weight", rows).astype(np.float64) for each in (old, new))
    return np.flatnonzero(before != after), _regions(answer, name)


def unknown_uptake(
    answer: LiveResult, name: str, old: PackedWeights, new: PackedWeights, rows: Rows
) -> tuple[Problem, ...]:
    """Return a warning if land comes to a sink in regions in which nothing has that sink: what a hectare takes up there is unknown."""
    if not answer.inputs.categories[name].sink:
        return ()
    other, regions = claiming_otherwise(answer, name, old, new, rows)
    known = np.unique(regions[old.rows[old.arrays["weight"] > 0]])
    if not any(row.category == name and not row.region for row in answer.ledger_rows):
        known = known[known >= 0]  # what is of no region has no total
    unknown = rows[other[~np.isin(regions[rows[other]], known)]]
    if not unknown.size:
        return ()
    what = f"{name}: {unknown.size} of the converted parcels ({_hectares(answer, unknown):,.1f} ha) lie in regions whose total of it lies on no land, or that have none: what they take up is unknown, and counts as 0"
    return (Problem(what, hint=f"Give {name} one total for all, or scale it after the conversion.", level="warning"),)  # fmt: skip


def sink_without_total(answer: LiveResult, kind: str, rows: Rows) -> tuple[Problem, ...]:
    """Return a warning if land comes to a type that takes up carbon, and no total of the run is of it: there is no rate at which it could.

    The coefficients are the case's: what its set of sinks does not count is none, and known to be none.
    """
    came = rows[(answer.prepared.parcels["type"] != kind).to_numpy(bool)[rows]]
    coefficient = answer.prepared.tables.coefficients.get(kind, 0.0)
    sinks = [each for each in answer.inputs.categories.values() if each.sink]
    if not came.size or not coefficient or any(may_carry(each, kind, "") for each in sinks):
        return ()
    tonnes = _hectares(answer, came) * coefficient * 44 / 12
    what = f"no total of the run is a sink of {kind}: what {came.size} of the converted parcels ({_hectares(answer, came):,.1f} ha) take up as {kind} is unknown, and counts as 0; by the package's coefficient ({coefficient:g} t C ha-1 yr-1) it would be {tonnes:,.0f} t CO2e"
    hint = f"A plan takes the rate of the run: give the case a category that is a sink of {kind}, with a total and land that has it."
    if answer.inputs.case.categories is None:
        # A case's own may have changed the package's, and a run does not keep those without a total.
        named = " or ".join(each.name for each in read_categories().values() if each.sink and may_carry(each, kind, ""))  # fmt: skip
        hint = f"A plan takes the rate of the run: give the case a total of {named} and land that has it."
    return (Problem(what, hint=hint, level="warning"),)


def nothing_counted(
    answer: LiveResult, name: str, old: PackedWeights, new: PackedWeights, rows: Rows
) -> tuple[Problem, ...]:
    """Return a warning if land comes to a category that goes by what is counted on land, of which a plan has nothing there.

    Where nothing at all is counted in a region the category falls back to area, of which the land has its part.
    """
    things = _COUNTED.get(answer.prepared.inputs.categories[name].weight.partition(":")[0])
    if things is None:
        return ()
    regions = _regions(answer, name)
    counted = np.unique(regions[new.rows[new.arrays["weight"] > 0]])
    came = rows[new.values("eligible", rows) & ~old.values("eligible", rows)]
    empty = came[np.isin(regions[came], counted)]
    if not empty.size:
        return ()
    what = f"{name} goes by {things}, of which a plan knows none on land of another use: {empty.size} of the converted parcels ({_hectares(answer, empty):,.1f} ha) may carry it now and have 0 t of it"
    hint = f"Add a facility of {name} there, or run the case again with that land and its {things}."
    return (Problem(what, hint=hint, level="warning"),)


def _regions(answer: LiveResult, name: str) -> NDArray[np.int64]:
    """Return the region of a category's totals of each parcel."""
    return answer.prepared.land.regions_of_parcels(regions_of(answer.inputs, name))


def _hectares(answer: LiveResult, rows: Rows) -> float:
    return float(answer.prepared.parcels["area_m2"].to_numpy(np.float64)[rows].sum()) / 1e4
