"""Tables of a run: sums by land use are those of its parcels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.pipeline.tables import _by_type


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
