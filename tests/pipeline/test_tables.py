"""Tables of a run: sums by land use are those of its parcels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from carbongrid.method.columns import UNIT_DRAWN
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.pipeline.tables import _by_type, notes_of_draws


@pytest.mark.parametrize("parcels", [1, 7, 200])
def test_sums_by_type_are_those_of_the_table_of_parcels(parcels: int) -> None:
    """Seen to fail when types came in the order of the parcels, and when sums were floats."""
    rng = np.random.default_rng(parcels)
    types = pd.Series(rng.choice(["water", "mining", "forest", "none"], parcels), dtype=str)
    names = ["buildings/heating", "buildings/commerce", "transport/road"]
    grams = rng.integers(0, 2**53, (3, parcels)) * (rng.random((3, parcels)) < 0.5)
    table = pd.DataFrame(grams.T, columns=names).assign(type=types)
    allocation: Any = SimpleNamespace(names=names, masses=[*map(ParcelMass.of, grams)])
    expected = table.groupby("type")[names].sum()
    pd.testing.assert_frame_equal(_by_type(types, allocation), expected)


def test_a_run_says_how_many_zones_are_firm_where_some_are_all_or_none() -> None:
    """Seen: 2 of 2 zones are firm, by draws of uncertain totals, of which none was uncertain; 0 of 2 zones are firm, 90 % of the draws have them."""
    same = pd.DataFrame({"zone": [1, 4], **dict.fromkeys(UNIT_DRAWN, 1.0), "firm": True})
    moved = same.assign(ecc_p95=[1.0, 1.001])
    told = {
        "2 of 2 zones are firm": moved,
        "1 of 2 zones is firm": moved.assign(firm=[True, False]),
        "0 of 2 zones are firm: none has at least 90 % of 50 draws": moved.assign(firm=False),
        "Nothing uncertain was drawn: 5 to 95 % of 50 draws": same,
    }
    for start, units in told.items():
        [(level, text)] = notes_of_draws(units, 10, 50)
        assert level == "note" and text.startswith(start)
    unknown = same.assign(ecc_p05=float("nan"), ecc_p95=float("nan"))
    assert "Nothing uncertain" in notes_of_draws(unknown, 10, 50)[0][1]
