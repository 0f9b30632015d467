"""Points of interest: what goes on where, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.errors import Problem
from carbongrid.method.landuse import packaged_table
from carbongrid.method.tonnes import counted
from carbongrid.outputs.tables.plain import quoted
from carbongrid.sources.osm.extract import POINT_KEYS, Extract, tag_of

_STOP, _PLATFORM = "highway=bus_stop", "public_transport=platform"
_ONE_STOP = 8.0
"""m; a bus stop's pole stands no farther from its platform, and the stop across the street does."""
_NO_BUS = ("train", "tram", "light_rail", "subway", "monorail", "aerialway", "ferry")
"""Keys that say what else than buses halts at a platform."""


@dataclass(frozen=True)
class Pois:
    """Points of interest, each thing once.

    Parameters
    ----------
    table
        Columns id, lon, lat, type, weight, name, sorted by id and type.
    notes
        Remarks for people.
    """

    table: pd.DataFrame
    notes: tuple[Problem, ...]


def points_of_interest(extract: Extract, sites: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> Pois:
    """Return points, areas as points, whose tag says what goes on there, and the sites that make power and heat.

    Parameters
    ----------
    extract
        Its points and areas count 1 each.
    sites
        Of :func:`carbongrid.sources.osm.energy.energy_sites`; they count their weight.
    units
        What lies outside of them is left out.

    Notes
    -----
    What is drawn twice counts once: a point in an area of its tag, or an area in a larger one, of the same name, or the only one there
    where one of them has none; a bus stop's pole beside its platform. Within an area without a name, things of one name are one,
    and areas without a name its buildings. Where it still holds several, it is the ground that they stand on, and counts for nothing.
    """
    every = places_of(extract.points, extract.areas)
    region = shapely.union_all(units.geometry.to_numpy())
    every = every[shapely.covers(region, np.asarray(every.geometry.array))].reset_index(drop=True)
    (drawn, grounds), stops = _drawn_again(every), _beside_platforms(every)
    notes = []
    if drawn.any():
        what = f"{counted(int(drawn.sum()), 'point of interest is drawn twice, in an area of the same tag, and counts', 'points of interest are drawn twice, in an area of the same tag, and count')} once"
        notes.append(Problem(what, level="note"))
    if grounds.any():
        what = f"{counted(int(grounds.sum()), 'area without a name holds several points of interest of its tag, and counts', 'areas without a name hold several points of interest of their tag, and count')} as these"
        notes.append(Problem(what, level="note"))
    if stops.any():
        what = f"{int(stops.sum())} bus stops are drawn beside their platforms, and count once"
        notes.append(Problem(what, level="note"))
    own = every[~drawn & ~grounds & ~stops]
    sites = sites[shapely.covers(region, np.asarray(sites.geometry.array))]
    filled = [table for table in (sites, own) if len(table)] or [sites]
    chosen = gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=units.crs)
    places = chosen.to_crs("EPSG:4326").geometry
    columns = {
        "id": chosen["id"],
        "lon": places.x.round(7),
        "lat": places.y.round(7),
        "type": chosen["type"],
        "weight": [f"{weight:g}" for weight in chosen["weight"]],
        # Whoever draws the map may have named a shop like a formula.
        "name": [quoted(name) if isinstance(name, str) else "" for name in chosen["name"]],
    }
    table = pd.DataFrame(columns).sort_values(["id", "type"], ignore_index=True)
    return Pois(table, tuple(notes))


def places_of(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return points and areas whose tag is of a category.

    Returns
    -------
    GeoDataFrame
        Columns id, name, type, weight (1), pole (whether it is a bus stop, whatever else), no_bus (whether trains,
        trams or ships halt there and no bus), ground (its polygon or point); points.
    """
    crosswalk = packaged_table("poi/osm.csv")
    of_none = crosswalk["category"] == ""
    known, nothing = set(crosswalk["poi_type"][~of_none]), set(crosswalk["poi_type"][of_none])
    found = []
    for table in (points, areas):
        keys = [key for key in POINT_KEYS if key in table]
        tags = tag_of(table, keys, known, nothing)
        kept = np.array(
            [t in known or (f"{t.partition('=')[0]}=*" in known and t not in nothing) for t in tags], bool
        )  # fmt: skip
        chosen = table[kept]
        pole = chosen["highway"] == "bus_stop" if "highway" in chosen else False
        told = chosen[["id", "name"]].assign(
            type=tags[kept], weight=1.0, pole=pole, no_bus=_without_buses(chosen)
        )
        ground = np.asarray(chosen.geometry.array, dtype=object)
        found.append(
            told.assign(ground=ground).set_geometry(chosen.geometry.representative_point())
        )
    return gpd.GeoDataFrame(pd.concat(found, ignore_index=True), crs=points.crs)


def _without_buses(places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which places say that trains, trams or ships halt there, and not that buses do."""
    others, buses = np.zeros(len(places), bool), np.zeros(len(places), bool)
    for key in _NO_BUS:
        if key in places:
            others |= (places[key] == "yes").to_numpy(bool)
    if "railway" in places:
        others |= places["railway"].notna().to_numpy(bool)
    if "bus" in places:
        buses |= (places["bus"] == "yes").to_numpy(bool)
    return others & ~buses


def _drawn_again(places: gpd.GeoDataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which places are the thing that an area of their tag around them is, and which areas are the ground of several."""
    again, shared = np.zeros(len(places), bool), np.zeros(len(places), bool)
    names, shapes = _plain(places["name"]), places["ground"].to_numpy(object)
    middles, area = np.asarray(places.geometry.array, dtype=object), shapely.area(shapes)
    for rows in places.groupby("type").indices.values():
        grounds = rows[area[rows] > 0]
        if not len(grounds) or len(rows) == 1:
            continue
        # The grounds are prepared, the points stand in the tree: a zoo of 20,000 corners may hold as many of them.
        around, inner = shapely.STRtree(middles[rows]).query(shapes[grounds], predicate="intersects")  # fmt: skip
        around, inner = grounds[around], rows[inner]
        larger = (area[inner] < area[around]) | ((area[inner] == area[around]) & (inner > around))
        held = pd.Series(inner[larger]).groupby(around[larger]).indices
        within = np.unique(around[larger])
        inner = inner[larger]
        # From the smallest on: what a building is drawn again of is no longer there for the grounds around it.
        for ground in within[np.lexsort((-within, area[within]))].tolist():
            things = inner[held[ground]]
            things = np.sort(things[~again[things] & ~shared[things]])
            if names[ground]:
                same = things[names[things] == names[ground]]
                untold = things[names[things] == ""]
                if not len(same) and len(untold) == 1:
                    same = untold
                again[same] = True
            else:
                # Areas without a name are its buildings, and what has one name is one thing.
                first = np.unique(names[things], return_index=True)[1]
                named, building = names[things] != "", (names[things] == "") & (area[things] > 0)
                same = named & ~np.isin(np.arange(len(things)), first)
                again[things[same | building]] = True
                things = things[~same & ~building]
                if len(things) > 1:
                    shared[ground] = True
                elif len(things):
                    # What has the name stays.
                    again[ground if names[things[0]] else things[0]] = True
    return again, shared


def _beside_platforms(places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which bus stops are a pole whose platform is drawn beside it: the nearest pairs first, each platform once."""
    beside = np.zeros(len(places), bool)
    pole, kind = places["pole"].to_numpy(bool), places["type"].to_numpy(object)
    stops = np.flatnonzero(kind == _STOP)
    platforms = np.flatnonzero((kind == _PLATFORM) & ~pole & ~places["no_bus"].to_numpy(bool))
    if not len(stops) or not len(platforms):
        return beside
    points, names = places["ground"].to_numpy(object), _plain(places["name"])
    stop, platform = shapely.STRtree(points[platforms]).query(
        points[stops], predicate="dwithin", distance=_ONE_STOP
    )
    stop, platform = stops[stop], platforms[platform]
    same = (names[stop] == names[platform]) | (names[stop] == "") | (names[platform] == "")
    stop, platform = stop[same], platform[same]
    taken = set()
    for k in np.argsort(shapely.distance(points[stop], points[platform]), kind="stable"):
        if not beside[stop[k]] and platform[k] not in taken:
            beside[stop[k]] = True
            taken.add(platform[k])
    return beside


def _plain(names: pd.Series) -> NDArray[np.object_]:
    """Return names without case and blanks around them, blank where there is none."""
    told = [name.strip().casefold() if isinstance(name, str) else "" for name in names]
    return np.array(told, dtype=object)
