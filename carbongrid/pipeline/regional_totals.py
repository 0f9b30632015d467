"""What totals of regions move against one total of the whole (docs/decisions/0087)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from carbongrid.errors import Problem
from carbongrid.method.allocate.spreading import WHOLE
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.weights import PackedWeights

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
