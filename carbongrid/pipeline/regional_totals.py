"""What totals of regions move against one total of the whole, and which land they leave without one (docs/decisions/0087)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import Problem, listed
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import PackedWeights
from carbongrid.pipeline.land import Land

_LISTED = 5
_SEEN = 0.0005
"""A smaller part would be told as 0.0 %."""


def moved_by_regions(
    ledger: Sequence[LedgerRow],
    claims: PackedWeights,
    codes: Sequence[str],
    region: NDArray[np.int64],
) -> list[Problem]:
    """Return a note of how much a category's regional totals move, region by region; nothing where it has one total.

    Parameters
    ----------
    ledger
        The category's rows.
    claims
        Its claims.
    codes
        Its regions.
    region : int64, shape (rows of the claims,)
        Region of the parcels that claim something, a position in ``codes``; -1 for none.
    """
    if not codes:
        return []
    # Land of no region, where nothing has a total: one total would put something there too.
    account, none = {row.region: number for number, row in enumerate(ledger)}, len(ledger)
    own = np.array([*(account[code] for code in codes), account.get(WHOLE, none)], np.int64)[region]
    sums = np.bincount(own, claims.arrays["weight"].astype(np.float64), none + 1)
    if not sums.any():
        return []
    left = np.array([*(row.total - row.facilities for row in ledger), 0], np.float64)
    moved = left - left.sum() * sums / sums.sum()
    part = float(np.abs(moved).sum() / 2)
    most = np.argsort(-np.abs(moved), kind="stable")[:_LISTED]
    names = [*(row.region or "the rest" for row in ledger), "land of no region"]
    told = ", ".join(f"{names[k]} {moved[k] / 1e6:+,.0f} t" for k in most if moved[k])
    row = ledger[0]
    what = (
        f"totals of {len(codes)} regions put {part / 1e6:,.0f} t of {row.category} ({part / max(left.sum(), 1):.1%} of what no facility names) "
        f"elsewhere than one total by {row.rule} would: {told}"
    )
    hint = "Where that is much, either the statistics or the weight is of something else: hold them against each other."
    return [Problem(what, "totals", hint, "note")] if part and part >= _SEEN * left.sum() else []


def land_without_total(
    ledger: Sequence[LedgerRow], claims: PackedWeights, totals: pd.DataFrame, land: Land
) -> list[Problem]:
    """Return a warning of the land that may carry a category in regions that have no total, where none is of the whole: it gets nothing.

    A total that lies elsewhere is one: who gives it knows of the region, or of the whole.

    Parameters
    ----------
    ledger
        The category's rows.
    claims
        Its claims.
    totals
        Its totals; a region with a total of 0 has none of it, and says so.
    land
        Where parcels lie. Those in no unit are in no region.
    """
    codes = sorted(set(totals["region"].astype(str)))
    if WHOLE in codes or ledger[0].region == WHOLE:
        return []
    rows = claims.rows[claims.arrays["eligible"].astype(np.bool_)]
    area, unit = land.parcels["area_m2"].to_numpy(np.float64)[rows], land.unit_of_parcel[rows]
    bare = (land.regions_of_parcels(codes, rows) < 0) & (unit >= 0)
    share = float(area[bare].sum() / max(area.sum(), 1.0))
    if share < _SEEN:
        return []
    names = land.units[level_of(codes, land)].iloc[np.unique(unit[bare])]
    what = (
        f"no total of {ledger[0].category} is of the whole, and {share:.1%} of its land ({area[bare].sum() / 1e6:,.4g} km2) lies in regions that have none, "
        f"and get nothing of it: {listed(dict.fromkeys(names.astype(str)))}"
    )
    hint = "Give their totals, 0 where there is nothing, or a row without a region that has the regions in it."
    return [Problem(what, "totals", hint, "warning")]


def level_of(codes: Sequence[str], land: Land) -> str:
    """Return the column of the units by which regions are named, the lowest of several."""
    levels = ("id", *land.parents)
    return next((name for name in levels if land.units[name].isin(codes).any()), "id")
