"""Units that no POI, no line and no raster reaches, though their land is of the kind that elsewhere has some: what goes by them there lies in other units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem, listed
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import PackedWeights
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.weights_step import regions_of

CHANCE = 1e-6
"""That none of a unit's parcels has some, each as likely as any other to have it: where it is less, the evidence was cut off or never looked there."""

_SURE = 0.9
"""Where nearly all parcels have some, a few without are not odd yet: each counts as if no more had it."""

_FEW_OF_NOUGHT = 10
"""So many parcels of 0 in a unit, side by side as they are, and no other."""

_LISTED = 5


def units_that_evidence_leaves_out(
    inputs: Inputs, land: Land, claims: Mapping[str, PackedWeights], ledger: Sequence[LedgerRow]
) -> list[Problem]:
    """Return warnings of units that no POI, or no line of a kind, reaches, though one would by chance, or in which a raster is 0 wherever it has a value.

    Parameters
    ----------
    inputs, land
        The tables, and where parcels stand.
    claims, ledger
        Those of the categories that are spread. Where nothing goes by the evidence, as in regions that fell back, nothing goes to others.
    """
    by_rule: dict[str, list[str]] = {}
    for name, claim in claims.items():
        rule = str(claim.facts["rule"])
        # A category that no type of POI stands for goes by area.
        some = claim.arrays["weight"].any() and not (rule == "pois" and claim.facts["by_area"])
        if some and rule.partition(":")[0] in ("pois", "roads", "lines"):
            by_rule.setdefault(rule, []).append(name)
    found = []
    ids = land.units["id"].to_numpy(object)
    for rule, names in by_rule.items():
        parcels, with_some, unlikely = _counted(inputs, land, claims, ledger, names)
        far = np.flatnonzero((with_some == 0) & (unlikely < np.log(CHANCE)))
        if not far.size:
            continue
        which = _which(far, parcels, ids)
        share = f"{with_some.sum() / parcels.sum():.0%}"
        where, all_names = f"evidence: {rule}", ", ".join(names)
        what = f"no line reaches land of {all_names} in {far.size:,} of {len(ids):,} units, though {share} of the parcels that may carry it have some; units and such parcels: {which}"
        hint = "Check that the lines cover these units: what goes by them there lies in others."
        if rule == "pois":
            what = f"no POI reaches land of {all_names} in {far.size:,} of {len(ids):,} units, though {share} of the parcels that may carry it have some; units and such parcels: {which}"
            hint = "Check that the POIs cover these units: what goes by them there lies in others."
        found.append(Problem(what, where, hint, "warning"))
    return [*found, *_units_of_nought(inputs, land, claims, ledger)]


def _units_of_nought(
    inputs: Inputs, land: Land, claims: Mapping[str, PackedWeights], ledger: Sequence[LedgerRow]
) -> list[Problem]:
    """Return a warning for each category whose raster is 0 in all that it says of a unit's land, where hardly any parcel of the other units has none: cells of 0 lie side by side, and where they are common one unit of them is not odd."""
    found, ids = [], land.units["id"].to_numpy(object)
    for name, claim in claims.items():
        rule = str(claim.facts["rule"])
        if not rule.startswith("raster:"):
            continue
        may, unit = _may_carry(inputs, land, claim, ledger, name)
        some = may & (claim.arrays["weight"] > 0)
        nought = may & ~some
        for unread in ("silent", "missed"):  # told of, in other words
            nought &= claim.arrays.get(unread, np.zeros(1)) == 0
        with_some, without = (np.bincount(unit[rows], minlength=len(ids)) for rows in (some, nought))  # fmt: skip
        far = (with_some == 0) & (without >= _FEW_OF_NOUGHT)
        share = with_some.sum() / max(int((with_some + without)[~far].sum()), 1)
        if share < _SURE or not far.any():
            continue
        what = f"the raster is 0 wherever it has a value on land of {name} in {far.sum():,} of {len(ids):,} units, though {int(100 * share)}% of the parcels that may carry it have some in the others; units and such parcels: {_which(np.flatnonzero(far), without, ids)}"
        hint = "Check that the raster covers these units, and that its 0 is no missing value: what goes by it there lies in others."
        found.append(Problem(what, f"evidence: {rule}", hint, "warning"))
    return found


def _which(far: NDArray[np.int64], parcels: NDArray[np.int64], ids: NDArray[np.object_]) -> str:
    """Return units and how many parcels they have, those with most first."""
    order = far[np.argsort(-parcels[far], kind="stable")]
    return listed((f"{ids[unit]} ({parcels[unit]:,})" for unit in order), _LISTED)


def _counted(
    inputs: Inputs, land: Land, claims: Mapping[str, PackedWeights], ledger: Sequence[LedgerRow], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Return of each unit the parcels that may carry some of the categories, those of them with evidence, and the logarithm of the chance that none has."""
    size = len(land.units)
    parcels, with_some, unlikely = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size)  # fmt: skip
    for name in names:
        claim = claims[name]
        may, unit = _may_carry(inputs, land, claim, ledger, name)
        has = may & (claim.arrays["weight"] > 0)
        own, reached = (np.bincount(unit[rows], minlength=size) for rows in (may, has))
        if own.any():
            unlikely += own * np.log1p(-min(reached.sum() / own.sum(), _SURE))
        parcels, with_some = parcels + own, with_some + reached
    return parcels, with_some, unlikely


def _may_carry(
    inputs: Inputs, land: Land, claim: PackedWeights, ledger: Sequence[LedgerRow], name: str
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which of a claim's parcels may carry a category and are in a unit, where something goes by its rule; and the units."""
    spread_by_rule = {row.region: row.by_rule > 0 for row in ledger if row.category == name}
    codes = regions_of(inputs, name)
    account = land.regions_of_units(codes)  # -1, the last, is the rest
    counts = np.array([spread_by_rule.get(code, False) for code in (*codes, WHOLE)])[account]
    unit = land.unit_of_parcel[claim.rows]
    return claim.arrays["eligible"] & (unit >= 0) & counts[unit], unit
