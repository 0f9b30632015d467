"""Parcels: what the map's areas and roads are, cut to a partition, within the units."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.case.readers.geometry import normalize_geometry, only_polygons
from carbongrid.case.readers.grid_crs import decimals_of
from carbongrid.case.readers.partition import partition_by_order, stack_order, without
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.landuse import match_codes, read_code_system, type_priority
from carbongrid.method.tonnes import counted
from carbongrid.sources.osm.energy import land_of_plants
from carbongrid.sources.osm.extract import AREA_KEYS, more_precise, tag_of
from carbongrid.sources.osm.filtered import nearly_known
from carbongrid.sources.osm.lifecycle import LEFT
from carbongrid.sources.osm.mapped import GREEN, NO_LAND, MappedLand

_SMALLEST = 0.5
"""m2; what the cutting leaves of a parcel below this is a crumb between two outlines."""
_WORTH_TELLING = 5e4
"""m2; less would be told as 0.0 km2."""
_MOST = 0.5
"""Of the mapped land: an extract of a box around a place has so much around it only where the place is small in it."""
_LATTICE = 1e-4
_NEAR = 1.0  # m
_PROTECTION = ("leisure=nature_reserve",)
"""Says that land is protected, not what it is used for; it would fill every gap of the map."""


@dataclass(frozen=True)
class Land:
    """Parcels that do not overlap, and what became of the map's areas.

    Parameters
    ----------
    parcels
        Columns id, land_use (the tag), type, mode, name, geometry.
    notes
        Remarks for people.
    """

    parcels: gpd.GeoDataFrame
    notes: tuple[Problem, ...]


def land_of(
    areas: gpd.GeoDataFrame,
    roads: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    below: gpd.GeoDataFrame | None = None,
    gone: gpd.GeoDataFrame | None = None,
) -> Land:
    """Return the parcels of the units' land.

    Parameters
    ----------
    areas
        Areas of the extract, with an id and tags.
    roads
        Land of the network: id, land_use, name.
    units
        What is outside of them is cut away.
    below
        Land that lies under all of the map: columns id, land_use, type, mode, name.
    gone
        Areas that are closed or only planned: what is left of them carries nothing.

    Raises
    ------
    InputError
        If nothing of the map lies in the units.

    Notes
    -----
    Where areas overlap, the one whose type stands higher in ``type_priority.csv`` is on top (transport first, then
    water, ... land of no use last); of one type the smaller is on top, then the lower id.
    """
    both, notes = _known_land(areas, roads, gone)
    both, outside = _within(both, units)
    if both.empty:
        raise InputError("nothing that is mapped as land lies in the units", "--units")
    if outside >= _WORTH_TELLING:
        notes.append(_cut_away(outside, float(both.area.sum())))
    geometry = normalize_geometry(
        np.asarray(both.geometry.array, dtype=object), decimals=decimals_of(both.crs)
    )
    ranks = np.array([type_priority()[name] for name in both["type"]], dtype=np.int64)
    order = stack_order(ranks, shapely.area(geometry), both["id"].to_numpy(dtype=object))
    before = shapely.area(geometry).sum()
    geometry = only_polygons(partition_by_order(geometry, order, both.crs).of(geometry), _SMALLEST)
    covered = before - shapely.area(geometry).sum()
    if covered >= _WORTH_TELLING:
        notes.append(Problem(f"{covered / 1e6:,.1f} km2 lay under other land and stay with what is on top", level="note"))  # fmt: skip
    parcels = both.set_geometry(geometry, crs=both.crs)
    parcels = parcels[~parcels.is_empty].reset_index(drop=True)
    if below is not None:
        white = _left_white(_within(below, units)[0], parcels)
        parcels = gpd.GeoDataFrame(pd.concat([parcels, white], ignore_index=True), crs=both.crs)
    return Land(parcels, tuple(notes))


def _cut_away(outside: float, inside: float) -> Problem:
    """Return how much land lies in no unit, m2: more than half of all may be that of units whose borders are lost."""
    share = outside / (outside + inside)
    what = f"{outside / 1e6:,.1f} km2 of mapped land ({share:.0%}) lie in no unit and are cut away"
    if share <= _MOST:
        return Problem(what, level="note")
    hint = "If units are missing, take an extract that holds their borders as a whole, with their relations."
    return Problem(what, "", hint, "warning")


def _left_white(below: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what no parcel covers of land that is a partition of its own.

    Of the parcels only what is near each piece counts: a wood of 20,000 corners lies on hundreds of pieces, and whole unions took four times as long.
    """
    pieces = normalize_geometry(
        np.asarray(below.geometry.array, dtype=object), decimals=decimals_of(below.crs)
    )
    above = np.asarray(parcels.geometry.array, dtype=object)
    piece, parcel = shapely.STRtree(above).query(pieces, predicate="intersects")
    west, south, east, north = shapely.bounds(pieces[piece]).T
    around = shapely.box(west - _NEAR, south - _NEAR, east + _NEAR, north + _NEAR)
    near = only_polygons(shapely.intersection(above[parcel], around))
    rows, group = np.unique(piece, return_inverse=True)
    stacks = np.asarray(shapely.geometrycollections(near, indices=group))
    pieces[rows] = without(pieces[rows], stacks[:, np.newaxis], below.crs)
    pieces = only_polygons(pieces, _SMALLEST)
    return below.set_geometry(pieces, crs=below.crs)[~shapely.is_empty(pieces)]


def mapped_land(
    areas: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, gone: gpd.GeoDataFrame, *, coastal: bool
) -> MappedLand:
    """Return where the map has land, whatever the borders."""
    none = roads.iloc[:0]
    return MappedLand.of(_known_land(areas, none, gone)[0], roads, coastal=coastal)


def used_land(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return areas that people use: those of a known type, nature and land of no use left out."""
    system = read_code_system("osm")
    return areas[_used(_tags(areas, set(system["code"])), system)]


def _tags(areas: gpd.GeoDataFrame, codes: set[str]) -> NDArray[np.object_]:
    """Return the tag that says what land each area is."""
    return land_of_plants(areas, more_precise(areas, tag_of(areas, AREA_KEYS, codes)))


def _used(tags: NDArray[np.object_], system: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which tags are land that people use, neither nature nor land of no use."""
    kinds = match_codes(pd.Series(tags, dtype=str), system)["type"]
    used: NDArray[np.bool_] = ~kinds.isin([*GREEN, *NO_LAND]).to_numpy(bool)
    return used


def _known_land(
    areas: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, gone: gpd.GeoDataFrame | None
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """Return areas and roads whose tag the crosswalk knows, with type and mode, and which it does not know."""
    system = read_code_system("osm")
    tags = _tags(areas, set(system["code"]))
    if gone is not None and (gone["left"] == LEFT).any():
        left = gone[gone["left"] == LEFT]
        was = _tags(left, set(system["code"]))
        # A wood, or a pond, is there whoever gave it up, and also in the quarry that was.
        nature = tag_of(left, ["natural"], set(system["code"]))
        natural = match_codes(pd.Series(nature, dtype=str), system)["type"].isin([*GREEN, "water"])
        now = np.where(_used(was, system), left["gone"].to_numpy(object), was)
        now = np.where(natural, nature, now)
        areas = gpd.GeoDataFrame(pd.concat([areas, left], ignore_index=True), crs=areas.crs)
        tags = np.concatenate([tags, now])
    mapped = areas[["id", "name", "geometry"]].assign(land_use=tags)
    mapped = mapped[~np.isin(tags, _PROTECTION)]
    both = gpd.GeoDataFrame(pd.concat([mapped, roads], ignore_index=True), crs=areas.crs)
    both = both.drop_duplicates("id").sort_values("id", ignore_index=True)
    kinds = match_codes(both["land_use"].astype(str), system)
    notes = _unknown_notes(both, kinds)
    known = (kinds["matched"] != "").to_numpy()
    notes += nearly_known(both, ~known, system["code"].tolist())
    both = both.assign(type=kinds["type"], mode=kinds["mode"])[known].reset_index(drop=True)
    return both, notes


def _within(land: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, float]:
    """Cut land to the units; return also the area that was cut away."""
    region = shapely.union_all(units.geometry.to_numpy(), grid_size=_LATTICE)
    shapely.prepare(region)
    geometry = np.asarray(land.geometry.array, dtype=object)
    before = shapely.area(geometry).sum()
    meets = shapely.intersects(region, geometry)
    across = meets & ~shapely.covers(region, geometry)
    geometry[across] = only_polygons(
        shapely.intersection(geometry[across], region, grid_size=_LATTICE)
    )
    cut = land.set_geometry(geometry, crs=land.crs)[meets]
    cut = cut[~cut.is_empty].reset_index(drop=True)
    return cut, float(before - cut.area.sum())


def _unknown_notes(land: gpd.GeoDataFrame, kinds: pd.DataFrame) -> list[Problem]:
    unknown = (kinds["matched"] == "").to_numpy()
    if not unknown.any():
        return []
    counts = land.loc[unknown, "land_use"].value_counts()
    told = listed((f"{tag} ({count})" for tag, count in counts.items()), 20)
    return [Problem(f"{counted(int(unknown.sum()), 'area whose tag the crosswalk does not know is', 'areas whose tag the crosswalk does not know are')} left out: {told}", level="note")]  # fmt: skip
