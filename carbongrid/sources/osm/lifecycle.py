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
_NO_RELICS = ("no", "yes", "works")
"""Values of such a key that outlast nothing: what goes on in a works is closed with it. An abandoned railway does."""
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
class NotInUse:
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

    def of(self, *, ahead: bool) -> NotInUse:
        """Return what is planned or being built, or what is closed."""
        tables = (self.areas, self.lines, self.points)
        return NotInUse(*(table[table["ahead"] == ahead] for table in tables))


@cache
def _words() -> pd.DataFrame:
    return packaged_table("osm/lifecycle.csv")


def laundered(key: str) -> str:
    """Return the column of a key as GDAL names it."""
    return key.replace(":", "_")


def split_by_use(
    table: gpd.GeoDataFrame, keys: Sequence[str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Split what is in use from what is not.

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
    present = [key for key in keys if laundered(key) in table]
    told = _states(table, keys)
    state, ahead = told["state"].to_numpy(object), told["ahead"].to_numpy(bool)
    used, was = {}, {}
    empty, anything = np.full(len(table), "", object), np.zeros(len(table), bool)
    for key in present:
        values = table[laundered(key)]
        no = _says_nothing(key, values)
        anything |= values.notna().to_numpy() & ~no
        if no.any():
            used[laundered(key)] = values.mask(no, None)
            was[laundered(key)] = values.mask(no, "*")
            first = no & (empty == "")
            ahead[first & (state == "") & _is_ahead(key, values)] = True
            empty[first] = (f"{key}=" + values[first]).to_numpy(object)
    state = np.where((state == "") & ~anything, empty, state)
    gone = state != ""
    in_use = table.assign(**used)
    out = table.assign(**was, gone=state, left=told["left"], ahead=ahead)
    shared = (
        gone & ~ahead & ~told["whole"].to_numpy(bool) & _lives_on_a_relic(table, in_use, present)
    )
    if shared.any():
        living, relics = _apart(table[shared], in_use[shared], out[shared], present)
        in_use = pd.concat([in_use[~gone], living]).sort_index()
        out = pd.concat([out[gone & ~shared], relics]).sort_index()
    else:
        in_use, out = in_use[~gone], out[gone]
    return in_use.reset_index(drop=True), out.reset_index(drop=True)


def _states(table: gpd.GeoDataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return what keys of states say of each row, the first that does.

    Returns
    -------
    DataFrame
        Columns state (``disused=yes``, or blank), left and ahead as of :class:`NotInUse`, and whole: that it is of the whole object.
    """
    words, found = _words(), pd.DataFrame({"state": "", "left": "", "ahead": False, "whole": False}, index=table.index, dtype=object)  # fmt: skip
    runs = np.zeros(len(table), bool)
    if _STATUS in table:
        runs = (_plain(table[_STATUS], years=False) == _RUNS).to_numpy(bool)
    for key in dict.fromkeys(words.loc[words["key"] != "*", "key"]):
        if key in keys or laundered(key) not in table:
            continue
        meanings = words[words["key"] == key].set_index("value")
        is_plan = meanings["ahead"] == "yes"
        told = _plain(table[laundered(key)].dropna(), years=not is_plan.any())
        told = told[told.isin(meanings.index)]
        found.loc[told.index, "whole"] |= key == _STATUS
        outdone = pd.Series(runs, table.index)[told.index] & ~is_plan.loc[told].to_numpy()
        told = told[(found["state"][told.index] == "") & ~outdone]
        found.loc[told.index, "state"] = f"{key}=" + told
        found.loc[told.index, "left"] = meanings["left"].loc[told].to_numpy(object)
        found.loc[told.index, "ahead"] = is_plan.loc[told].to_numpy()
    return found


def _lives_on_a_relic(
    table: gpd.GeoDataFrame, in_use: gpd.GeoDataFrame, present: Sequence[str]
) -> NDArray[np.bool_]:
    """Return which objects are both a relic and something that may have moved in."""
    old, live = np.zeros(len(table), bool), np.zeros(len(table), bool)
    for key in present:
        old |= _is_relic(key, table[laundered(key)])
        live |= _may_live(key, in_use[laundered(key)])
    return old & live


def _apart(
    table: gpd.GeoDataFrame,
    in_use: gpd.GeoDataFrame,
    out: gpd.GeoDataFrame,
    present: Sequence[str],
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return what lives on relics without the keys of these, and the relics without those of what lives."""
    relics = {laundered(key): _is_relic(key, table[laundered(key)]) for key in present}
    if "landuse" in relics:
        # Industry around an old station is closed with it.
        relics["landuse"] = ~_may_live("landuse", table["landuse"])
    living = in_use.assign(**{key: in_use[key].mask(relic, None) for key, relic in relics.items()})
    alone = out.assign(**{key: out[key].where(relic, None) for key, relic in relics.items()})
    return living, alone


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
