"""What is told of places, lines and land that the map says are closed, abandoned or only planned."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.case.readers.vector import listed
from carbongrid.errors import Problem
from carbongrid.sources.osm.energy import KINDS
from carbongrid.sources.osm.gone import Gone
from carbongrid.sources.osm.land import used_land
from carbongrid.sources.osm.networks import lines_within, network_of
from carbongrid.sources.osm.points import places_of


def notes_of_gone(gone: Gone, units: gpd.GeoDataFrame) -> list[Problem]:
    """Return how much is left out in the units, and the largest of it by name: plants first, then land, then lines."""
    region = shapely.union_all(units.geometry.to_numpy())
    shapely.prepare(region)
    power = [table[table["power"].isin(KINDS)] for table in (gone.points, gone.areas)]
    plants = pd.concat([table[["id", "geometry"]] for table in power])
    places = pd.concat([plants, places_of(gone.points, gone.areas)[["id", "geometry"]]])
    middles = np.asarray(places.geometry.representative_point().array, dtype=object)
    places = places[shapely.covers(region, middles)].drop_duplicates("id")
    land = used_land(gone.areas)
    land = land.assign(m2=shapely.area(shapely.intersection(np.asarray(land.geometry.array, dtype=object), region)))  # fmt: skip
    land = land[land["m2"] > 0]
    lines = lines_within(network_of(gone.lines).lines, units)
    lines = lines.assign(m=lines.length, id=lines["id"].str.split("/").str[:2].str.join("/"))
    told = pd.concat([table[["id", "name", "gone"]] for table in (gone.areas, gone.lines, gone.points)])  # fmt: skip
    told = told.drop_duplicates("id").set_index("id")
    told["plant"] = told.index.isin(plants["id"])
    told["m2"] = land.set_index("id")["m2"].reindex(told.index)
    told["m"] = lines.groupby("id")["m"].sum().reindex(told.index)
    told = told[told.index.isin([*places["id"], *land["id"], *lines["id"]])].fillna({"m2": 0.0, "m": 0.0})  # fmt: skip
    if told.empty:
        return []
    tags = listed(f"{tag} ({count})" for tag, count in told["gone"].value_counts().items())
    parts = [f"{len(places)} places"] if len(places) else []
    parts += [f"{told['m'].sum() / 1000:,.1f} km of lines"] if len(lines) else []
    parts += [f"{told['m2'].sum() / 1e6:,.2f} km2 of land"] if len(land) else []
    what = f"closed, abandoned or only planned by the map, so that nothing is emitted there: {', '.join(parts)} of {tags}"
    large = told[told["plant"] | (told["m2"] > 0) | (told["m"] > 0)]
    if len(large):
        large = large.sort_values(["plant", "m2", "m"], ascending=False, kind="stable")
        names = (name if isinstance(name, str) else own for own, name in large["name"].items())
        what += f"; the largest: {listed(names, count=len(large))}"
    return [Problem(what, level="note")]
