"""Points of interest: what goes on where, and what it counts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.method.landuse import packaged_table
from carbongrid.outputs.tables.plain import quoted
from carbongrid.sources.osm.extract import POINT_KEYS, Extract, tag_of


def points_of_interest(
    extract: Extract, sites: gpd.GeoDataFrame, units: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return points, areas as points, whose tag says what goes on there, and the sites that make power and heat.

    Parameters
    ----------
    extract
        Its points and areas count 1 each.
    sites
        Of :func:`carbongrid.sources.osm.energy.energy_sites`; they count their weight.
    units
        What lies outside of them is left out.

    Returns
    -------
    DataFrame
        Columns id, lon, lat, type, weight, name, sorted by id and type.
    """
    known = set(packaged_table("poi/osm.csv")["poi_type"])
    tables = [sites]
    for table in (extract.points, extract.areas):
        keys = [key for key in POINT_KEYS if key in table]
        tags = tag_of(table, keys, known)
        kept = np.array([t in known or f"{t.partition('=')[0]}=*" in known for t in tags], bool)
        chosen = table[kept]
        points = chosen.geometry.representative_point()
        told = chosen[["id", "name"]].assign(type=tags[kept], weight=1.0)
        tables.append(told.set_geometry(points))
    filled = [table for table in tables if len(table)] or [sites]
    every = gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=units.crs)
    region = shapely.union_all(units.geometry.to_numpy())
    every = every[shapely.covers(region, np.asarray(every.geometry.array))]
    places = every.to_crs("EPSG:4326").geometry
    columns = {
        "id": every["id"],
        "lon": places.x.round(7),
        "lat": places.y.round(7),
        "type": every["type"],
        "weight": [f"{weight:g}" for weight in every["weight"]],
        # Whoever draws the map may have named a shop like a formula.
        "name": [quoted(name) if isinstance(name, str) else "" for name in every["name"]],
    }
    return pd.DataFrame(columns).sort_values(["id", "type"], ignore_index=True)
