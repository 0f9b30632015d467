"""What the map says is closed, abandoned or no more than planned: it emits nothing (docs/decisions/0023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.method.landuse import packaged_table

LEFT = "none"
"""Land of what is no longer used is still no other land; a plan leaves none."""


@dataclass(frozen=True)
class Gone:
    """What is not in use, with the tags that it would have.

    Parameters
    ----------
    areas, lines, points
        As of an extract; columns gone (``disused=yes``, ``shop=vacant``) and left (:data:`LEFT`, or blank where the map
        is as if nothing were drawn). A key whose value says that there is nothing has the value ``*``.
    """

    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    points: gpd.GeoDataFrame


@cache
def _words() -> pd.DataFrame:
    return packaged_table("osm/gone.csv")


def laundered(key: str) -> str:
    """Return the column of a key as GDAL names it."""
    return key.replace(":", "_")


def parted(
    table: gpd.GeoDataFrame, keys: Sequence[str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Part what is in use from what is not.

    Parameters
    ----------
    table
        With a column per key, and per key that tells a state (``disused``).
    keys
        Those that say what a thing is; ``landuse`` says it of the land itself, which is always there.

    Returns
    -------
    used, gone
        Of what is used, values that say that there is nothing (``shop=no``) are taken out.
    """
    words = _words()
    state, left = np.full(len(table), "", object), np.full(len(table), "", object)
    for key in dict.fromkeys(words.loc[words["key"] != "*", "key"]):
        if key in keys or laundered(key) not in table:
            continue
        rows = words[words["key"] == key]
        meaning = dict(zip(rows["value"], rows["left"], strict=True))
        told = table[laundered(key)].dropna().astype(str)
        told = told.str.strip().str.lower().str.replace(" ", "_")
        told = told[told.isin(meaning)]
        rows_told = table.index.get_indexer(told.index)
        first = state[rows_told] == ""
        state[rows_told[first]] = f"{key}=" + told[first].to_numpy(object)
        left[rows_told[first]] = told[first].map(meaning).to_numpy(object)
    used, was = {}, {}
    empty, anything = np.full(len(table), "", object), np.zeros(len(table), bool)
    for key in (key for key in keys if laundered(key) in table):
        values = table[laundered(key)]
        no = _says_nothing(key, values)
        anything |= values.notna().to_numpy() & ~no
        if no.any():
            used[laundered(key)] = values.mask(no, None)
            was[laundered(key)] = values.mask(no, "*")
            empty[no & (empty == "")] = (f"{key}=" + values[no & (empty == "")]).to_numpy(object)
    state = np.where((state == "") & ~anything, empty, state)
    gone = state != ""
    in_use = table.assign(**used)[~gone].reset_index(drop=True)
    return in_use, table.assign(**was, gone=state, left=left)[gone].reset_index(drop=True)


def _says_nothing(key: str, values: pd.Series) -> NDArray[np.bool_]:
    """Return which values of a key say that there is nothing of its kind."""
    if key == "landuse":
        return np.zeros(len(values), bool)
    words = _words()
    found: NDArray[np.bool_] = values.isin(words.loc[words["key"].isin(["*", key]), "value"]).to_numpy(bool)  # fmt: skip
    return found
