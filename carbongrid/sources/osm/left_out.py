"""What is told of places, lines and land that the map says are closed, abandoned or only planned."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.errors import Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.sources.osm.energy import KINDS
from carbongrid.sources.osm.land import used_land
from carbongrid.sources.osm.lifecycle import LEFT, NotInUse
from carbongrid.sources.osm.networks import lines_within, network_of
from carbongrid.sources.osm.points import places_of


def notes_on_what_is_not_in_use(
    gone: NotInUse, units: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame
) -> list[Problem]:
    """Return how much is left out in the units, what is closed and what is ahead, and the largest of it by name.

    Parameters
    ----------
    gone
        Of the extract.
    units
        What lies outside of them counts for nothing.
    parcels
        Of the case: land of what is gone is what became a parcel of no use, so that none counts twice and none on which
        something else stands.

    Notes
    -----
    Plants first, then land, then lines. Of a plan there is no land, since the map is as if nothing were drawn. Closed land that
    other land covers is told apart, since that land carries.
    """
    closed = "closed or abandoned by the map, so that nothing is emitted there"
    ahead = "planned or being built by the map, which counts for nothing yet"
    region = gpd.GeoDataFrame(geometry=[shapely.union_all(units.geometry.to_numpy())], crs=units.crs)  # fmt: skip
    told = [
        _told(gone.of(ahead=False), region, parcels, closed),
        _told(gone.of(ahead=True), region, parcels, ahead),
        _covered(gone.of(ahead=False).areas, region, parcels),
    ]
    return [note for note in told if note is not None]


def _told(
    gone: NotInUse, region: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, what: str
) -> Problem | None:
    within = region.geometry.iloc[0]
    shapely.prepare(within)
    power = [table[table["power"].isin(KINDS)] for table in (gone.points, gone.areas)]
    plants = pd.concat([table[["id", "geometry"]] for table in power])
    # A plan has no land that could be measured.
    drawn = used_land(gone.areas[gone.areas["left"] != LEFT])[["id", "geometry"]]
    places = pd.concat([plants, places_of(gone.points, gone.areas)[["id", "geometry"]], drawn])
    middles = np.asarray(places.geometry.representative_point().array, dtype=object)
    places = places[shapely.covers(within, middles)].drop_duplicates("id")
    things = pd.concat([table[["id", "name", "gone"]] for table in (gone.areas, gone.lines, gone.points)])  # fmt: skip
    things = things.drop_duplicates("id").set_index("id")
    left = parcels[parcels["id"].isin(gone.areas["id"])]
    left = left[left["land_use"].to_numpy(object) == things["gone"].reindex(left["id"]).to_numpy(object)]  # fmt: skip
    lines = network_of(gone.lines).lines
    # A street with a tram is two lines on one way.
    ways = lines["id"].str.split("/").str[:2].str.join("/")
    lines = lines_within(lines.assign(id=ways).drop_duplicates("id"), region)
    things["plant"] = things.index.isin(plants["id"])
    things["drawn"] = drawn.set_index("id").area.reindex(things.index)
    things["m2"] = left.set_index("id").area.reindex(things.index)
    things["m"] = lines.set_index("id").length.reindex(things.index)
    known = things.index.isin([*places["id"], *left["id"], *lines["id"]])
    things = things[known].fillna({"drawn": 0.0, "m2": 0.0, "m": 0.0})
    if things.empty:
        return None
    tags = listed(f"{tag} ({count})" for tag, count in things["gone"].value_counts().items())
    parts = [counted(len(places), "place")] if len(places) else []
    parts += [f"{things['m'].sum() / 1000:,.1f} km of lines"] if len(lines) else []
    parts += [f"{things['m2'].sum() / 1e6:,.2f} km2 of land"] if len(left) else []
    what = f"{what}: {', '.join(parts)} of {tags}"
    things["m2"] = things[["m2", "drawn"]].max(axis=1)
    large = things[things["plant"] | (things["m2"] > 0) | (things["m"] > 0)]
    if len(large):
        large = large.sort_values(["plant", "m2", "m"], ascending=False, kind="stable")
        names = (name if isinstance(name, str) else own for own, name in large["name"].items())
        what += f"; the largest: {listed(names, count=len(large))}"
    return Problem(what, level="note")


def _covered(
    closed: gpd.GeoDataFrame, region: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame
) -> Problem | None:
    """Return how much closed land is drawn where other land lies on top of it and carries.

    By what is left of an area and by what lies on its middle, since of most closed land all or nothing is covered, and cutting is dear.
    """
    drawn = used_land(closed[closed["left"] == LEFT])
    of_them = parcels[parcels["id"].isin(drawn["id"])].set_index("id")
    left = of_them.area.reindex(drawn["id"]).fillna(0.0).to_numpy()
    # What lives on a relic, or is nature there, has no state as its use.
    own = of_them["land_use"].reindex(drawn["id"]).to_numpy(object)
    lives = pd.notna(own) & (own != drawn["gone"].to_numpy(object))
    drawn = drawn.assign(under=drawn.area - left)[~lives & (left < drawn.area.to_numpy() / 2)]
    middles = np.asarray(drawn.geometry.representative_point().array, dtype=object)
    carrying = np.asarray(parcels.geometry[parcels["type"] != "none"].array, dtype=object)
    on_top = np.unique(shapely.STRtree(carrying).query(middles, predicate="intersects")[0])
    within = shapely.covers(region.geometry.iloc[0], middles[on_top])
    drawn = drawn.iloc[on_top[within]].sort_values("under", ascending=False, kind="stable")
    if drawn.empty:
        return None
    names = (n if isinstance(n, str) else i for n, i in zip(drawn["name"], drawn["id"], strict=True))  # fmt: skip
    what = f"{len(drawn)} closed areas, {drawn['under'].sum() / 1e6:,.2f} km2, lie in other land, which carries: {listed(names)}"
    return Problem(what, level="note")
