"""Roads, railways and runways: the lines of the case, and the land that they take."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.method.landuse import packaged_table
from carbongrid.sources.osm.extract import LINE_KEYS

_WIDEST, _NARROWEST = 80.0, 2.0
"""A width outside of these is a slip of the pen; that of the class is taken."""


@dataclass(frozen=True)
class Network:
    """Lines with traffic, and the land under them.

    Parameters
    ----------
    lines
        Columns id, name, class, dual (traffic of one direction alone); tunnels left out, since no parcel lies over them that carries their traffic.
    land
        Columns id, land_use (``highway=primary``), name; a polygon per line that has a width.
    tunnels
        How many ways were left out.
    """

    lines: gpd.GeoDataFrame
    land: gpd.GeoDataFrame
    tunnels: int


def network_of(lines: gpd.GeoDataFrame) -> Network:
    """Return the network of an extract: every class that carries traffic by the package's table.

    Parameters
    ----------
    lines
        With columns id, name, highway, railway, aeroway, route, waterway, tunnel, width, area, oneway, junction.
    """
    weights = packaged_table("road_classes.csv")
    carries = set(weights.loc[weights["weight"] != "0", "class"]) - {"river", "waterway"}
    every = _by_key(lines[lines["area"].astype(object) != "yes"].drop_duplicates("id"), carries)
    tunnel = every["tunnel"].notna() & ~every["tunnel"].isin(["no", "culvert"])
    chosen = every[~tunnel].sort_values("id", ignore_index=True)
    width = chosen["width"].to_numpy(np.float64)
    wide = np.isfinite(width)
    buffers = shapely.buffer(
        np.asarray(chosen.geometry.array, dtype=object)[wide], width[wide] / 2, cap_style="flat"
    )
    land = gpd.GeoDataFrame(
        {
            "id": chosen.loc[wide, "id"],
            "land_use": chosen.loc[wide, "key"] + "=" + chosen.loc[wide, "class"],
            "name": chosen.loc[wide, "name"],
        },
        geometry=buffers,
        crs=lines.crs,
    )
    return Network(
        gpd.GeoDataFrame(
            chosen[["id", "name", "class", "geometry"]].assign(dual=_one_way(chosen)), crs=lines.crs
        ),
        land[~land.is_empty],
        int(every.loc[tunnel, "way"].nunique()),
    )


def lines_within(lines: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the lines cut to the units."""
    region = shapely.union_all(units.geometry.to_numpy())
    shapely.prepare(region)
    geometry = np.asarray(lines.geometry.array, dtype=object)
    inside = shapely.covers(region, geometry)
    geometry[~inside] = shapely.intersection(geometry[~inside], region)
    # A line that also touches the border at a point is cut into both.
    mixed = np.flatnonzero(shapely.get_type_id(geometry) == shapely.GeometryType.GEOMETRYCOLLECTION)
    for row in mixed:
        parts = shapely.get_parts(geometry[row])
        geometry[row] = shapely.multilinestrings(parts[shapely.get_dimensions(parts) == 1])
    cut = lines.set_geometry(geometry, crs=lines.crs)
    linear = np.isin(shapely.get_type_id(geometry), (1, 5)) & ~shapely.is_empty(geometry)
    return cut[linear].reset_index(drop=True)


def _by_key(lines: gpd.GeoDataFrame, carries: set[str]) -> gpd.GeoDataFrame:
    """Return a line for each key that carries traffic: trams run on a street, whose way says both.

    The first key keeps the id of the way; others have theirs behind it (``way/1/railway``). The mapped width is that of
    the first; each of the others is at most half as wide as the one before, so that both keep land.

    Returns
    -------
    GeoDataFrame
        With columns way, class, key and width (m, NaN where it takes no land).
    """
    widths = packaged_table("osm/widths.csv")
    found = []
    room = np.full(len(lines), np.inf)
    taken = np.zeros(len(lines), bool)
    for key in LINE_KEYS:
        fits = lines[key].isin(carries).to_numpy(bool)
        own, again = lines[fits], taken[fits]
        ids = own["id"].where(~again, own["id"] + f"/{key}")
        known = widths[widths["key"] == key].set_index("class")["width_m"].astype(float)
        by_class = own[key].map(known).to_numpy(np.float64)
        told = np.where(again, by_class, _told_width(own["width"], by_class))
        width = np.minimum(told, np.where(again, room[fits] / 2, np.inf))
        found.append(
            own.assign(
                **{"way": own["id"], "id": ids, "class": own[key], "key": key, "width": width}
            )
        )
        room[fits] = np.fmin(room[fits], width)
        taken |= fits
    return gpd.GeoDataFrame(pd.concat(found, ignore_index=True), crs=lines.crs)


def _one_way(lines: gpd.GeoDataFrame) -> np.ndarray:
    """Return which roads are of one direction: as mapped, else motorways and roundabouts, which are so unless mapped otherwise."""
    told = lines["oneway"].astype(object).where(lines["oneway"].notna(), "")
    implied = (lines["class"] == "motorway") | lines["junction"].isin(["roundabout", "circular"])
    one = told.isin(["yes", "true", "1", "-1"]) | ((told == "") & implied)
    found: np.ndarray = (one & (lines["key"] == "highway")).to_numpy(dtype=bool)
    return found


def _told_width(told: pd.Series, by_class: np.ndarray) -> np.ndarray:
    """Return the width that is mapped where it is a plain number of metres, else that of the class."""
    number = pd.to_numeric(told.astype(str).str.removesuffix("m").str.strip(), errors="coerce")
    plausible = number.between(_NARROWEST, _WIDEST).to_numpy() & np.isfinite(by_class)
    return np.where(plausible, number.to_numpy(np.float64), by_class)
