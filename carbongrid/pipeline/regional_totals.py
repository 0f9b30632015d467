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
    if len(ledger) < 2:
        return []
    account = {row.region: number for number, row in enumerate(ledger)}
    own = np.array([*(account[code] for code in codes), account.get(WHOLE, -1)], np.int64)[region]
    weight = claims.arrays["weight"].astype(np.float64)
    sums = np.bincount(own[own >= 0], weight[own >= 0], len(ledger))
    if not sums.any():
        return []
    left = np.array([row.total - row.facilities for row in ledger], np.float64)
    moved = left - left.sum() * sums / sums.sum()
    part = float(np.abs(moved).sum() / 2)
    most = np.argsort(-np.abs(moved), kind="stable")[:_LISTED]
    told = ", ".join(
        f"{ledger[k].region or 'the rest'} {moved[k] / 1e6:+,.0f} t" for k in most if moved[k]
    )
    row = ledger[0]
    what = (
        f"totals of {len(codes)} regions put {part / 1e6:,.0f} t of {row.category} ({part / max(left.sum(), 1):.1%} of what no facility names) "
        f"elsewhere than one total by {row.rule} would: {told}"
    )
    hint = "Where that is much, either the statistics or the weight is of something else: hold them against each other."
    return [Problem(what, "totals", hint, "note")] if part else []
