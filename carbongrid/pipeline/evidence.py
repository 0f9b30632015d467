"""The table of evidence: made once, where the claims and the mass on parcels are known (docs/decisions/0037)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.method.allocate import Facility
from carbongrid.method.categories import Category
from carbongrid.method.evidence import FACILITIES, UNIT_OF_FACILITIES, EvidenceRow
from carbongrid.method.weights import Weights

_GRAMS = 1_000_000
_FEW = 16
"""Of a million parcels, the densest part of this many is sorted; it nearly always holds a hundredth of the mass."""


def evidence_of(
    category: Category,
    claims: Weights,
    mass: NDArray[np.int64],
    facilities: Sequence[Facility],
    parcels: pd.DataFrame,
    rows: NDArray[np.int64] | slice = slice(None),
) -> list[EvidenceRow]:
    """Return a category's rows: that of its weight rule and, where it has some, that of its facilities.

    Parameters
    ----------
    category
        The category.
    claims
        Its weights.
    mass : int64, shape (parcels,)
        Its grams, those of facilities among them.
    facilities
        Those of the category: name, row of the parcel (-1: without coordinates), grams.
    parcels
        In id order, with area_m2.
    rows
        Those parcels of which the claims and the mass are; default all.
    """
    size = len(parcels)
    area = parcels["area_m2"].to_numpy(np.float64)[rows]
    at_facilities = np.zeros(len(area), np.int64)
    for _, parcel, grams in facilities:
        if parcel >= 0:
            at_facilities[parcel] += grams
    given, used, lost = claims.fate
    unit, per_unit = claims.unit, float(claims.per_unit)
    if claims.rule.startswith("raster:"):
        # Whatever the raster counts, its quanta are a power of two that nobody reads.
        unit, per_unit = "%", given / 100 or 1.0
    carriers = int(np.count_nonzero(claims.eligible))
    weighted = int(np.count_nonzero(claims.weight > 0))
    spread, top, densest = _on_land(mass - at_facilities, area)
    counted = [
        EvidenceRow(
            category.name, claims.rule, unit, given, used, lost, per_unit, carriers, weighted, spread, top, densest
        )
    ]  # fmt: skip
    if facilities:
        whole = sum(grams for _, _, grams in facilities)
        known, top, densest = _on_land(at_facilities, area)
        homes = len({parcel for _, parcel, _ in facilities if parcel >= 0})
        without = sum(grams for _, parcel, grams in facilities if parcel < 0)
        counted.append(
            EvidenceRow(
                category.name, FACILITIES, UNIT_OF_FACILITIES, whole, known, without, _GRAMS, size, homes, known, top, densest
            )
        )  # fmt: skip
    return counted


def _on_land(
    grams: NDArray[np.int64], area: NDArray[np.float64]
) -> tuple[int, float | None, float | None]:
    """Return the sum, the largest part of it on one parcel, and the density that its densest hundredth lies at or above, t per km2."""
    whole = int(grams.sum())
    if not whole:
        return 0, None, None
    some = np.flatnonzero(grams)
    own, size = grams[some], area[some]
    # Land that a survey rounds to nothing has no density.
    density = np.divide(own, size, out=np.zeros(len(own)), where=size > 0)
    # What lies on specks beside the land would say nothing of the rest.
    part = -(-whole // 100)
    dense = np.argpartition(-density, density.size // _FEW)[: density.size // _FEW]
    if own[dense].sum() >= part:
        own, density = own[dense], density[dense]
    order = np.argsort(-density, kind="stable")
    reached = int(np.searchsorted(np.cumsum(own[order]), part))
    return whole, float(grams.max() / whole), float(density[order[reached]]) or None
