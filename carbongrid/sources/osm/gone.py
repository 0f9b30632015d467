"""What the map says is closed, abandoned or no more than planned: it emits nothing (docs/decisions/0023)."""

from __future__ import annotations

import re
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

_RELICS = ("railway", "man_made", "power", "military", "aeroway")
_RELIC_LAND = ("quarry", "landfill", "railway")
"""Keys, and values of ``landuse``, of what stays in the landscape when it is no longer used."""
_NO_RELICS = ("yes", "works")
"""Values of such a key that outlast nothing: what goes on in a works is closed with it."""
_LIVE = ("highway", "amenity", "shop", "tourism", "office", "leisure", "craft", "healthcare")
_LIVE_LAND = (
    *("farmland", "orchard", "vineyard", "meadow", "allotments", "farmyard", "plant_nursery"),
    *("greenhouse_horticulture", "residential", "forest", "grass", "recreation_ground"),
    "village_green",
)
"""Keys, and values of ``landuse``, of what may have moved in: a restaurant in an old station, fields on an old airfield."""
_STATUS, _RUNS = "operational_status", "operational"
"""Says of the whole object how it is, and comes before all other keys."""
_YEAR = re.compile(r"\d{4}(-\d\d){0,2}")


@dataclass(frozen=True)
class Gone:
    """What is not in use, with the tags that it would have.

    Parameters
    ----------
    areas, lines, points
        As of an extract; columns gone (``disused=yes``, ``shop=vacant``), left (:data:`LEFT`, or blank where the map
        is as if nothing were drawn) and ahead (a plan or a building site). A key whose value says that there is nothing has the value ``*``.
    """

    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    points: gpd.GeoDataFrame

    def of(self, *, ahead: bool) -> Gone:
        """Return what is planned or being built, or what is closed."""
        tables = (self.areas, self.lines, self.points)
        return Gone(*(table[table["ahead"] == ahead] for table in tables))


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
        Of what is used, values that say that there is nothing (``shop=no``) are taken out. Where something else lives on a relic,
        it is used, and the relic alone is gone: such an object is in both. ``operational_status`` closes all of it, or says that
        it runs whatever else is told.
    """
    words = _words()
    state, left = np.full(len(table), "", object), np.full(len(table), "", object)
    ahead, whole = np.zeros(len(table), bool), np.zeros(len(table), bool)
    runs = np.zeros(len(table), bool)
    if _STATUS in table:
        runs = (_plain(table[_STATUS], years=False) == _RUNS).to_numpy(bool)
    for key in dict.fromkeys(words.loc[words["key"] != "*", "key"]):
        if key in keys or laundered(key) not in table:
            continue
        rows = words[words["key"] == key].set_index("value")
        told = _plain(table[laundered(key)].dropna(), years=not (rows["ahead"] == "yes").any())
        told = told[told.isin(rows.index)]
        rows_told, meaning = table.index.get_indexer(told.index), rows.loc[told]
        whole[rows_told] |= key == _STATUS
        outdone = runs[rows_told] & (meaning["ahead"] != "yes").to_numpy()
        first = (state[rows_told] == "") & ~outdone
        rows_told, meaning = rows_told[first], meaning[first]
        state[rows_told] = f"{key}=" + told[first].to_numpy(object)
        left[rows_told] = meaning["left"].to_numpy(object)
        ahead[rows_told] = (meaning["ahead"] == "yes").to_numpy()
    used, was = {}, {}
    empty, anything = np.full(len(table), "", object), np.zeros(len(table), bool)
    old, live = np.zeros(len(table), bool), np.zeros(len(table), bool)
    present = [key for key in keys if laundered(key) in table]
    for key in present:
        values = table[laundered(key)]
        no = _says_nothing(key, values)
        there = values.notna().to_numpy() & ~no
        anything |= there
        old |= _is_relic(key, values)
        live |= _may_live(key, values) & ~no
        if no.any():
            used[laundered(key)] = values.mask(no, None)
            was[laundered(key)] = values.mask(no, "*")
            first = no & (empty == "")
            ahead[first & (state == "") & _is_ahead(key, values)] = True
            empty[first] = (f"{key}=" + values[first]).to_numpy(object)
    state = np.where((state == "") & ~anything, empty, state)
    gone = state != ""
    shared = gone & ~ahead & ~whole & old & live
    in_use, out = table.assign(**used), table.assign(**was, gone=state, left=left, ahead=ahead)
    if not shared.any():
        return in_use[~gone].reset_index(drop=True), out[gone].reset_index(drop=True)
    relics = {laundered(key): _is_relic(key, table[laundered(key)]) for key in present}
    if "landuse" in relics:
        # Industry around an old station is closed with it.
        relics["landuse"] = ~_may_live("landuse", table["landuse"])
    living = in_use.assign(**{key: in_use[key].mask(relic, None) for key, relic in relics.items()})
    alone = out.assign(**{key: out[key].where(relic, None) for key, relic in relics.items()})
    in_use, out = pd.concat([in_use[~gone], living[shared]]), pd.concat([out[gone & ~shared], alone[shared]])  # fmt: skip
    return in_use.sort_index().reset_index(drop=True), out.sort_index().reset_index(drop=True)


def _plain(told: pd.Series, *, years: bool) -> pd.Series:
    """Return what keys of states say; a year since when it is so is a yes."""
    plain = told.astype(str).str.strip().str.lower().str.replace(" ", "_")
    yes = plain.isin(["true", "1"])
    if years:
        yes |= plain.str.fullmatch(_YEAR)
    return plain.mask(yes, "yes")


def _is_relic(key: str, values: pd.Series) -> NDArray[np.bool_]:
    """Return which values of a key are of what outlasts its use."""
    if key == "landuse":
        return values.isin(_RELIC_LAND).to_numpy(bool)
    if key not in _RELICS:
        return np.zeros(len(values), bool)
    return (values.notna() & ~values.isin(_NO_RELICS)).to_numpy(bool)


def _may_live(key: str, values: pd.Series) -> NDArray[np.bool_]:
    """Return which values of a key are of what may have moved in; a platform is that of its railway."""
    if key == "landuse":
        return values.isin(_LIVE_LAND).to_numpy(bool)
    return (values.notna() & (values != "platform")).to_numpy(bool) & (key in _LIVE)


def _is_ahead(key: str, values: pd.Series) -> NDArray[np.bool_]:
    """Return which values of a key say that there is nothing of its kind yet."""
    words = _words()
    words = words[words["ahead"] == "yes"]
    return values.isin(words.loc[words["key"].isin(["*", key]), "value"]).to_numpy(bool)


def _says_nothing(key: str, values: pd.Series) -> NDArray[np.bool_]:
    """Return which values of a key say that there is nothing of its kind."""
    if key == "landuse":
        return np.zeros(len(values), bool)
    words = _words()
    found: NDArray[np.bool_] = values.isin(words.loc[words["key"].isin(["*", key]), "value"]).to_numpy(bool)  # fmt: skip
    return found
