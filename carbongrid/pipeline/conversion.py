"""Land of another use: what parcels carried goes or is taken by others, and sinks follow area times coefficient."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.method.allocate import of_same_parent
from carbongrid.method.categories import Category
from carbongrid.method.weights import PackedWeights, WeightInputs, weigh
from carbongrid.method.weights.rules import eligible, may_carry
from carbongrid.pipeline.changes import MEASURED, under_new_totals
from carbongrid.pipeline.rasterizing import share_water
from carbongrid.pipeline.replanned import (
    gained,
    kept_shares,
    meaning_of,
    moved_totals,
    without_claims,
)
from carbongrid.pipeline.untold_land import (
    claiming_otherwise,
    nothing_counted,
    sink_without_total,
    unknown_uptake,
)

if TYPE_CHECKING:
    from carbongrid.pipeline.live import LiveResult
    from carbongrid.pipeline.prepared import PreparedRun

Rows = NDArray[np.int64]

Use = tuple[str, str]
"""Type and mode that land has now."""


def convert_parcels(answer: LiveResult, code: str, rows: Rows, *, remove: bool) -> LiveResult:
    """Return the answer with another land-use code on some parcels.

    Parameters
    ----------
    answer
        A run, or an answer of it.
    code
        The code.
    rows
        Parcels of another code, without facilities.
    remove
        Whether the totals fall by what the land emitted; else others take it.

    Raises
    ------
    InputError
        If the code means no land, or if what the new use claims is unknown.
    """
    prepared, use = answer.prepared, meaning_of(code, answer.inputs)
    after = _land_after(answer, (code, *use), rows)
    claims = _claims_that_change(answer, after, use, rows)
    inputs = dataclasses.replace(answer.inputs, parcels=after)
    totals, facilities = inputs.totals, inputs.facilities
    said = answer.said + sink_without_total(answer, use[0], rows)
    for name, (old, new) in claims.items():
        change = _mass_after(answer, name, use, old, new, rows, remove=remove)
        said += unknown_uptake(answer, name, old, new, rows)
        said += nothing_counted(answer, name, old, new, rows)
        if change.any():
            homes = prepared.land.unit_of_parcel[rows]
            totals = moved_totals(totals, prepared.land, name, homes, change.tolist())
            facilities = None if facilities is None else kept_shares(facilities, name)
    if totals is not inputs.totals:
        inputs = under_new_totals(inputs, totals, facilities)
    own = _claims_of_the_run(answer, claims, after, use, rows)
    land = prepared.land.with_parcels(after)
    changed = prepared.changed(own, parcels=after, land=land, inputs=dataclasses.replace(prepared.inputs, parcels=after))  # fmt: skip
    if prepared.tables.case.units.water != "ledger" or prepared.tables.water is not None:
        changed = changed.changed(shares=_shares_after(changed))
    packed = {name: new for name, (_, new) in claims.items()}
    moved = dataclasses.replace(answer, prepared=changed, claims={**answer.claims, **packed}, said=said)  # fmt: skip
    return moved.recomputed([*packed, *_fallen(answer)], inputs, answer.placed)


def mass_of_conversion(answer: LiveResult, code: str, rows: Rows) -> dict[str, NDArray[np.int64]]:
    """Return how much more or less of each category parcels would carry as land of a code, what they emit now being removed.

    Parameters
    ----------
    answer
        A run, or an answer of it.
    code
        The land-use code.
    rows
        Parcels of another code; each counts by itself, whichever others are converted.

    Returns
    -------
    dict of int64 array, shape (rows,)
        Grams, by category.

    Raises
    ------
    InputError
        If the code means no land, if what the new use claims is unknown, or if it takes part in a total that emits: then each parcel's part depends on all others'.
    """
    use = meaning_of(code, answer.inputs)
    after = _land_after(answer, (code, *use), rows)
    claims = _claims_that_change(answer, after, use, rows)
    changes = {name: np.zeros(len(rows), np.int64) for name in answer.inputs.categories}
    for name, (old, new) in claims.items():
        if not answer.inputs.categories[name].sink and new.values("eligible", rows).any():
            what = f"land of {code} emits {name}, by a part of a total that others have too"
            raise InputError(what, "to", "Give a use that emits nothing, or scale what it emits in a plan of your own.")  # fmt: skip
        changes[name] = _mass_after(answer, name, use, old, new, rows, remove=True)
    return changes


def _land_after(answer: LiveResult, use: tuple[str, str, str], rows: Rows) -> pd.DataFrame:
    """Return the parcels with another code, type and mode on some."""
    parcels = answer.prepared.parcels
    here = _flags(len(parcels), rows)
    changes = zip(("land_use", "type", "mode"), use, strict=True)
    after = parcels.assign(**{name: parcels[name].mask(here, value).astype(parcels[name].dtype) for name, value in changes})  # fmt: skip
    _require_known_claims(answer, after, rows)
    return after


def _flags(size: int, rows: Rows) -> NDArray[np.bool_]:
    here = np.zeros(size, np.bool_)
    here[rows] = True
    return here


def _require_known_claims(answer: LiveResult, parcels: pd.DataFrame, rows: Rows) -> None:
    """Refuse land that comes to a category whose weights are known parcel by parcel only: scaled land, or weights given by hand."""
    before = answer.prepared.parcels
    other = (parcels["type"] != before["type"]) | (parcels["mode"] != before["mode"])
    rows = rows[other.to_numpy(bool)[rows]]
    for name, category in answer.inputs.categories.items():
        if not category.weight.startswith("field:") or category.weight in parcels:
            continue
        measured = answer.prepared.inputs.categories[name].weight.partition(":")[0] in MEASURED
        if not measured and eligible(category, parcels)[rows].any():
            what = f"the new use carries {name}, whose land was scaled or weighed by hand before ({category.weight}): what land of another use claims of it is unknown"
            raise InputError(what, name, "Convert first and scale after it; of a run that has scaled land, ask the run before it.")  # fmt: skip


def _claims_that_change(
    answer: LiveResult, parcels: pd.DataFrame, use: Use, rows: Rows
) -> dict[str, tuple[PackedWeights, PackedWeights]]:
    """Return what parcels claim before and after land is of another use, of each category that has mass or claims there, or may have them now."""
    found, here = {}, _flags(len(parcels), rows)
    for name, category in answer.inputs.categories.items():
        before = answer.claims.get(name) or answer.prepared.claims([name])[name]
        emits = here[answer.masses([name])[0].rows].any()
        if emits or _concerns(category, before, here, use):
            found[name] = before, _claims_of(answer.prepared, category, before, parcels, rows)
    return found


def _claims_of_the_run(
    answer: LiveResult,
    changed: Mapping[str, tuple[PackedWeights, PackedWeights]],
    parcels: pd.DataFrame,
    use: Use,
    rows: Rows,
) -> dict[str, PackedWeights]:
    """Return what parcels claim by the run's own weights after land is of another use."""
    prepared, here = answer.prepared, _flags(len(parcels), rows)
    found = {}
    for name, category in prepared.inputs.categories.items():
        before = found[name] = prepared.claims([name])[name]
        if name in changed and before is changed[name][0] and category == answer.inputs.categories[name]:  # fmt: skip
            found[name] = changed[name][1]
        elif _concerns(category, before, here, use):
            found[name] = _claims_of(prepared, category, before, parcels, rows)
    return found


def _concerns(category: Category, before: PackedWeights, here: NDArray[np.bool_], use: Use) -> bool:
    """Return whether land that is of another use has claims on a category, or may have some now."""
    return bool(here[before.rows].any()) or may_carry(category, *use)


def _fallen(answer: LiveResult) -> list[str]:
    """Return the categories of which some lies on land of the parent type, or on none, which any land of another use may change."""
    return [row.category for row in answer.ledger_rows if row.by_parent or row.unallocated]


def _claims_of(
    prepared: PreparedRun, category: Category, before: PackedWeights, parcels: pd.DataFrame, rows: Rows
) -> PackedWeights:  # fmt: skip
    """Return claims after land is of another use.

    By area, by a raster and by a column of the parcels it is weighed again. What was measured otherwise (POIs, people, lines) stood on the land and is gone with its use.
    """
    rule = category.weight.partition(":")[0]
    if rule in ("area", "raster") or (rule == "field" and category.weight in parcels):
        evidence = WeightInputs(
            coefficients=prepared.tables.coefficients,
            rasters=prepared.shares.raster_sums,
            raster_known=prepared.shares.raster_known,
        )
        return PackedWeights.of(weigh(category, parcels, evidence))
    return without_claims(before, category, parcels, rows)


def _mass_after(
    answer: LiveResult, name: str, use: Use, old: PackedWeights, new: PackedWeights, rows: Rows, *, remove: bool
) -> NDArray[np.int64]:  # fmt: skip
    """Return how much more of a category the land carries, or less."""
    grams = np.zeros(old.size, np.int64)
    answer.masses([name])[0].add_to(grams)
    if not answer.inputs.categories[name].sink:
        gone = ~(new.values("eligible", rows) | _carries_by_parent(answer, name, use, rows))
        return np.where(gone, -grams[rows], 0) if remove else np.zeros(len(rows), np.int64)
    other, regions = claiming_otherwise(answer, name, old, new, rows)
    after = new.values("weight", rows[other]).astype(np.float64)
    change = np.zeros(len(rows), np.int64)
    change[other] = gained(old, after, grams, regions, rows[other]) - grams[rows[other]]
    return change


def _carries_by_parent(answer: LiveResult, name: str, use: Use, rows: Rows) -> NDArray[np.bool_]:
    """Return the rows on which a category lies since its region has no land of its own type, and on which it goes on to lie: the new type has the same parent."""
    found = np.zeros(len(rows), np.bool_)
    if not of_same_parent(answer.inputs.categories[name], pd.Series([use[0]], dtype="str"))[0]:
        return found
    own = [row for row in answer.ledger_rows if row.category == name]
    codes = sorted(row.region for row in own if row.region)
    home = answer.prepared.land.regions_of_parcels(codes, rows)
    for row in own:
        if row.by_parent:
            found |= home == (codes.index(row.region) if row.region else -1)
    return found


def _shares_after(prepared: PreparedRun) -> Any:
    """Return the shares after the rule for water, of land that may be water now, or water no more."""
    nearest = prepared.tables.case.units.water == "nearest"
    return share_water(
        prepared.inputs, prepared.located if nearest else prepared.land, prepared.counted
    )
