"""Whether an extract holds what every map of a place has: one that was filtered by tags is none the less valid, and its case runs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from carbongrid.errors import Problem, listed
from carbongrid.method.landuse import packaged_table

_MANY = 100
"""So many parcels are no hamlet of which little else is drawn."""

_HOMES = ("urban-residential", "rural-homestead", "settlement")

_ALIKE = 0.85
"""How alike two values of a key are that differ by a slip of the pen."""

_WORTH_TELLING = 0.01
"""Of all land that is mapped: a farm whose tag somebody misspelt is none of the crosswalk's concern."""


def what_is_missing(
    parcels: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, points: int
) -> list[Problem]:
    """Return a warning of what every inhabited place has and this extract has not: roads, homes, points.

    Parameters
    ----------
    parcels
        Those of the units, with a type.
    lines
        Those of the units, with a class.
    points
        How many points with tags the extract has, wherever.
    """
    if len(parcels) < _MANY:
        return []
    table = packaged_table("road_classes.csv")
    roads = lines["class"].isin(table.loc[table["mode"] == "road", "class"]).any()
    missing = [
        what
        for what, there in (
            ("road with traffic", roads),
            ("land of homes", parcels["type"].isin(_HOMES).any()),
            ("point with a tag", points > 0),
        )
        if not there
    ]
    hint = (
        "It may hold what some tags alone kept: take the whole extract, unless the place has none."
    )
    return [
        Problem(f"the extract has {len(parcels):,} parcels in the units and no {what}", "", hint, "warning")
        for what in missing
    ]  # fmt: skip


def nearly_known(land: gpd.GeoDataFrame, is_unknown: np.ndarray, codes: Collection[str]) -> list[Problem]:  # fmt: skip
    """Return a warning of tags that are those of the crosswalk but for a slip, where their land is 1 % of all or more.

    Parameters
    ----------
    land
        Areas with a land_use.
    is_unknown : bool, shape (areas,)
        Whether the crosswalk has no such tag.
    codes
        Those that it has.
    """
    area = land.area.to_numpy()
    km2 = pd.Series(area[is_unknown] / 1e6).groupby(land["land_use"].to_numpy(object)[is_unknown]).sum()  # fmt: skip
    meant = {tag: found for tag in km2.index if (found := _meant(str(tag), codes))}
    whole = sum(float(km2[tag]) for tag in meant)
    if whole * 1e6 < _WORTH_TELLING * area.sum() or not meant:
        return []
    ordered = sorted(meant, key=lambda tag: (-float(km2[tag]), str(tag)))
    told = listed(f"{tag} ({km2[tag]:,.1f} km2) for {meant[tag]}" for tag in ordered)
    what = f"tags that the crosswalk does not know, and that look like others that it does, have {whole:,.1f} km2 of land, which is left out: {told}"
    return [Problem(what, "", "Correct them in the extract, if these are meant.", "warning")]


def _meant(tag: str, codes: Iterable[str]) -> str:
    """Return the known tag of the same key whose value a tag's is nearly, blank if there is none."""
    key, _, value = tag.partition("=")
    values = [code.partition("=")[2] for code in codes if code.startswith(f"{key}=")]
    near = difflib.get_close_matches(value.strip().lower(), values, 1, _ALIKE)
    return f"{key}={near[0]}" if near else ""
