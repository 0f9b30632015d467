"""Units from administrative borders, which nest oddly, repeat names, miss levels or cross the extract's edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.errors import InputError, Problem
from carbongrid.io.geometry import only_polygons
from carbongrid.io.partition import find_overlaps, partition_by_order
from carbongrid.io.vector import listed

LEVELS = tuple(str(level) for level in range(2, 12))
"""Values of admin_level: 2 is a country, 11 the smallest."""

_SAME = 0.999
"""Two borders of a level that share so much of their area are one place mapped twice."""
_COVERS = 0.9
"""A level that covers so much of what all levels cover may be chosen unasked."""
_STANDS_IN = 0.5
"""A coarser unit stands in where the level leaves so much of its area without units."""
_WHOLLY = 0.99
_LATTICE = 1e-4


@dataclass(frozen=True)
class Units:
    """The units, and what was odd about the borders.

    Parameters
    ----------
    table
        Columns id (of the relation), name, name_en, level, a column ``level_N`` for each coarser level that has several
        units, with the name of the unit around (its id, if the name repeats); polygons that do not overlap.
    parents
        Names of these columns, nearest first.
    notes
        Remarks for people.
    level
        The admin_level that was taken.
    """

    table: gpd.GeoDataFrame
    parents: tuple[str, ...]
    notes: tuple[Problem, ...]
    level: str


def units_of(borders: gpd.GeoDataFrame, level: str | None) -> Units:
    """Return the units of a level.

    Parameters
    ----------
    borders
        Columns id, name, name_en, level; projected.
    level
        An admin_level, or None for the smallest that covers nearly all.

    Raises
    ------
    InputError
        If there is no such level, or none at all.
    """
    notes: list[Problem] = []
    known = borders[borders["level"].isin(LEVELS)].sort_values("id", ignore_index=True)
    known = _once(known, notes)
    chosen = _chosen_level(known, level)
    if level is None:
        notes.append(Problem(f"units are those of admin_level {chosen}; the extract has {_told(known)}", level="note"))  # fmt: skip
    units = known[known["level"] == chosen]
    units = _apart(_with_stand_ins(units, known, chosen, notes), notes)
    units, parents = _with_parents(units, known, chosen, notes)
    table = _told_apart(units, parents, known, notes)
    return Units(table, parents, tuple(notes), chosen)


def _told(borders: gpd.GeoDataFrame) -> str:
    counts = borders["level"].value_counts()
    return ", ".join(f"{level} ({counts[level]})" for level in LEVELS if level in counts.index)


def _once(borders: gpd.GeoDataFrame, notes: list[Problem]) -> gpd.GeoDataFrame:
    """Drop a border that is mapped twice at its level."""
    geometry = np.asarray(borders.geometry.array, dtype=object)
    first, second = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    ordered = (first < second) & (
        borders["level"].to_numpy()[first] == borders["level"].to_numpy()[second]
    )
    twice = set()
    for a, b in zip(first[ordered], second[ordered], strict=True):
        shared = shapely.intersection(geometry[a], geometry[b], grid_size=_LATTICE)
        if shapely.area(shared) > _SAME * max(shapely.area(geometry[a]), shapely.area(geometry[b])):
            twice.add(int(b))
    if twice:
        names = listed(f"{borders['name'][row]} ({borders['id'][row]})" for row in sorted(twice))
        notes.append(Problem(f"mapped twice at their level, one is taken: {names}", level="note"))
    return borders.drop(index=sorted(twice)).reset_index(drop=True)


def _chosen_level(borders: gpd.GeoDataFrame, level: str | None) -> str:
    counts = borders["level"].value_counts()
    if borders.empty:
        raise InputError(
            "the extract has no whole administrative border",
            "--units",
            "Take an extract that holds the units as a whole, with their relations.",
        )
    if level is not None:
        if level not in counts.index:
            raise InputError(
                f"no unit has admin_level {level}", "--units", f"There are: {_told(borders)}."
            )
        return level
    everything = _area_of_union(borders)
    several = [each for each in LEVELS if counts.get(each, 0) > 1]
    share = {each: _area_of_union(borders[borders["level"] == each]) / everything for each in several}  # fmt: skip
    if not several:
        return str(max(counts.index, key=int))
    good = [each for each in several if share[each] >= _COVERS]
    return good[-1] if good else max(several, key=lambda each: (share[each], int(each)))


def _area_of_union(borders: gpd.GeoDataFrame) -> float:
    return float(shapely.union_all(borders.geometry.to_numpy(), grid_size=_LATTICE).area)


def _with_stand_ins(
    units: gpd.GeoDataFrame, borders: gpd.GeoDataFrame, chosen: str, notes: list[Problem]
) -> gpd.GeoDataFrame:
    """Add coarser units where the level is missing: a city that is no part of a district has none below it."""
    added = []
    covered = shapely.union_all(units.geometry.to_numpy(), grid_size=_LATTICE)
    for level in reversed(LEVELS[: LEVELS.index(chosen)]):
        for row in borders[borders["level"] == level].itertuples():
            rest = shapely.difference(row.geometry, covered, grid_size=_LATTICE)
            if rest.area >= _STANDS_IN * row.geometry.area:
                [polygon] = only_polygons(np.array([rest], dtype=object))
                added.append({**row._asdict(), "geometry": polygon})
                covered = shapely.union_all([covered, polygon], grid_size=_LATTICE)
    if not added:
        return units
    names = listed(f"{row['name']} ({row['id']}, level {row['level']})" for row in added)
    notes.append(Problem(f"no units of level {chosen} lie in them, so they stand for themselves: {names}", level="warning"))  # fmt: skip
    more = gpd.GeoDataFrame(added, crs=units.crs)[units.columns]
    return gpd.GeoDataFrame(pd.concat([units, more], ignore_index=True), crs=units.crs)


def _apart(units: gpd.GeoDataFrame, notes: list[Problem]) -> gpd.GeoDataFrame:
    """Cut what two units claim from the larger one."""
    geometry = np.asarray(units.geometry.array, dtype=object)
    overlaps = find_overlaps(geometry, units.crs)
    if not len(overlaps.area):
        return units.reset_index(drop=True)
    ids = units["id"].to_numpy()
    order = np.empty(len(units), np.int64)
    order[np.lexsort((ids, shapely.area(geometry)))] = np.arange(len(units))
    cut = partition_by_order(geometry, order, units.crs)
    worst = np.argsort(-overlaps.area, kind="stable")
    pairs = listed(
        f"{ids[overlaps.first[k]]} and {ids[overlaps.second[k]]} ({overlaps.area[k]:,.0f} m2)"
        for k in worst
    )
    notes.append(Problem(f"units overlap; the smaller keeps the land: {pairs}", level="note"))
    left = units.set_geometry(cut.geometry, crs=units.crs)
    return left[~left.is_empty].reset_index(drop=True)


def _with_parents(
    units: gpd.GeoDataFrame, borders: gpd.GeoDataFrame, chosen: str, notes: list[Problem]
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give each unit the id of the unit around it, level by level; itself where there is none."""
    parents = []
    for level in reversed(LEVELS[: LEVELS.index(chosen)]):
        around = borders[borders["level"] == level]
        if len(around) < 2:
            continue
        column = f"level_{level}"
        found, share = _largest_share(units, around)
        codes = _codes_of(around, units)
        coded = np.array([codes.get(each, each) for each in found], dtype=object)
        units = units.assign(**{column: np.where(found == "", units["id"], coded)})
        parents.append(column)
        notes += _nesting_notes(units, found, share, level)
    return units, tuple(parents)


def _codes_of(around: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> dict[str, str]:
    """Return by id what a user writes in totals.csv to mean a region: its name, if no other has it; else the id."""
    counts = around["name"].value_counts()
    taken = set(units["id"])
    return {
        row.id: row.name
        for row in around[["id", "name"]].itertuples(index=False)
        if isinstance(row.name, str) and counts[row.name] == 1 and row.name not in taken
    }


def _largest_share(units: gpd.GeoDataFrame, around: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return for each unit the id of what holds most of it, and how much; empty if less than half."""
    geometry = np.asarray(units.geometry.array, dtype=object)
    outer = np.asarray(around.geometry.array, dtype=object)
    unit, other = shapely.STRtree(outer).query(geometry, predicate="intersects")
    shared = shapely.area(shapely.intersection(geometry[unit], outer[other], grid_size=_LATTICE))
    share = shared / shapely.area(geometry)[unit]
    best = np.zeros(len(units))
    found = np.full(len(units), "", dtype=object)
    for k in np.argsort(share, kind="stable"):
        if share[k] > 0.5:
            found[unit[k]], best[unit[k]] = around["id"].iloc[other[k]], share[k]
    return found, best


def _nesting_notes(
    units: gpd.GeoDataFrame, found: np.ndarray, share: np.ndarray, level: str
) -> Iterator[Problem]:
    names = units["name"].fillna(units["id"]).to_numpy(dtype=object)
    none = found == ""
    if none.any():
        told = listed(names[none])
        yield Problem(f"in no unit of level {level}, so they are their own: {told}", level="note")
    odd = ~none & (share < _WHOLLY)
    if odd.any():
        told = listed(f"{names[k]} ({share[k]:.0%} in {found[k]})" for k in np.flatnonzero(odd))
        yield Problem(f"they reach beyond their unit of level {level}: {told}", level="note")


def _told_apart(
    units: gpd.GeoDataFrame,
    parents: tuple[str, ...],
    borders: gpd.GeoDataFrame,
    notes: list[Problem],
) -> gpd.GeoDataFrame:
    """Give units without a name their id, and units of one name that of what is around them, or the id."""
    names = units["name"].astype(object).where(units["name"].notna(), units["id"])
    same = names.duplicated(keep=False)
    if same.any():
        of_id = borders.set_index("id")["name"].to_dict()
        around = (
            units[parents[0]].map(lambda code: of_id.get(code, code))
            if parents
            else pd.Series(None, units.index, object)
        )
        longer = names + " (" + around.where(around.notna(), units["id"]).astype(str) + ")"
        still = longer.duplicated(keep=False)
        longer = longer.where(~still, names + " (" + units["id"].astype(str) + ")")
        notes.append(Problem(f"units of one name: {listed(longer[same])}", level="note"))
        names = names.where(~same, longer)
    english = units["name_en"].astype(object).where(units["name_en"].notna(), "")
    return units.assign(name=names.astype(str), name_en=english.astype(str))
