"""Where facilities lie: on the parcels in reach, as if all parcels were asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import held_as_coordinates

from carbongrid.errors import InputError
from carbongrid.method.weights import parcels_of_facilities
from carbongrid.pipeline import facilities
from carbongrid.raster import row_blocks

SIDE, CRS = 300.0, "EPSG:32651"
places = st.one_of(st.integers(-9, 69).map(lambda n: n * 25.0), st.just(float("nan")))


def land_of(rows: list[int]) -> Any:
    """Squares of a field of five by five, and one unit under all of them."""
    west, south = SIDE * (np.array(rows) % 5), SIDE * (np.array(rows) // 5)
    squares = shapely.box(west, south, west + SIDE, south + SIDE)
    parcels = gpd.GeoDataFrame(geometry=held_as_coordinates(np.asarray(squares, object), None))
    units = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 5 * SIDE, 5 * SIDE)])
    return SimpleNamespace(parcels=parcels, units=units)


def inputs_of(x: list[float], y: list[float]) -> Any:
    names = [f"works {i}" for i in range(len(x))]
    columns = {"name": names, "category": [f"c{i % 2}" for i in range(len(x))], "x": x, "y": y}
    return SimpleNamespace(facilities=pd.DataFrame({**columns, "place_uncertainty": 0.0}))


@given(
    st.lists(st.integers(0, 24), min_size=1, max_size=12, unique=True),
    st.lists(st.tuples(places, places), max_size=8),
    st.integers(1, 20),
)
@settings(max_examples=60)
def test_only_parcels_in_reach_are_asked_and_the_answer_is_that_of_all(rows, points, block):
    """Seen to fail when rows of a block are not moved, when -1 is the last parcel, and when 100 m from a border is out of reach."""
    land, (x, y) = land_of(rows), zip(*points, strict=True) if points else ((), ())
    inputs = inputs_of(list(x), list(y))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facilities, "row_blocks", lambda size: row_blocks.row_blocks(size, block))
        placed = facilities.place_facilities(inputs, land)
    for category, own in inputs.facilities.groupby("category").indices.items():
        table = inputs.facilities.iloc[own]
        of_all = land.parcels.geometry.to_numpy()
        try:
            expected = parcels_of_facilities(table["x"].to_numpy(), table["y"].to_numpy(), list(table["name"]), of_all)  # fmt: skip
        except InputError as error:
            assert placed.failed[category] == error.problems
        else:
            assert placed.parcel[own].tolist() == expected.tolist()
