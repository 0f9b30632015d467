"""Units from administrative borders, which nest oddly, repeat names, miss levels or cross the extract's edge."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import Geometry

from carbongrid.case.readers.geometry import only_polygons
from carbongrid.case.readers.partition import find_overlaps, partition_by_order
from carbongrid.errors import InputError, Problem, listed
from carbongrid.sources.osm.mapped import MappedLand

LEVELS = tuple(str(level) for level in range(2, 12))
"""Values of admin_level: 2 is a country, 11 the smallest."""

_SAME = 0.999
"""Two borders of a level that share so much of their area are one place mapped twice."""
_COVERS = 0.9
"""A level that covers so much of the land that all levels cover may be chosen unasked."""
_MAX_UNITS = 2000
"""A level of more units is not chosen unasked where a coarser one covers the land too."""
_TWIN = 0.99
"""A land area lies so far within the border of its level that reaches into the sea."""
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


def units_of(
    borders: gpd.GeoDataFrame, level: str | None, mapped: MappedLand | None = None
) -> Units:
    """Return the units of a level.

    Parameters
    ----------
    borders
        Columns id, name, name_en, level, and, where it is known, land_area (whether it ends at the coast); projected.
    level
        An admin_level, or None for the smallest that covers nearly all land.
    mapped
        What land is; default all within the borders.

    Raises
    ------
    InputError
        If there is no such level, or none at all.
    """
    notes: list[Problem] = []
    known = borders[borders["level"].isin(LEVELS)].sort_values("id", ignore_index=True)
    known = known.assign(name=_called(known))
    known = _of_land(_once(_to_the_coast(known, notes), notes), mapped, notes)
    whole = _land(known, mapped)
    shares = _shares(known, mapped, whole)
    chosen = _chosen_level(known, level, shares)
    told = _told(known, shares)
    notes.append(Problem(f"units are those of admin_level {chosen}; --units takes another level: {told}", level="note"))  # fmt: skip
    units = known[known["level"] == chosen]
    units = _apart(_with_stand_ins(units, known, mapped, notes), notes)
    notes += _left_out(units, mapped, whole, shares)
    units, parents = _with_parents(units, known, chosen, notes)
    table = disambiguate_names(units, parents, known, notes)
    return Units(table, parents, tuple(notes), chosen)


def _called(borders: gpd.GeoDataFrame) -> pd.Series:
    """Return the names, and the id of what has none."""
    texts = borders["name"].map(lambda name: name.strip() if isinstance(name, str) else "")
    names: pd.Series = texts.astype(object).where(texts != "", borders["id"])
    return names


def _to_the_coast(borders: gpd.GeoDataFrame, notes: list[Problem]) -> gpd.GeoDataFrame:
    """Drop a border that reaches into the sea where the map has its land as an area of its own."""
    if "land_area" not in borders or not borders["land_area"].any():
        return borders
    geometry = np.asarray(borders.geometry.array, dtype=object)
    level, land = borders["level"].to_numpy(), borders["land_area"].to_numpy(dtype=bool)
    inner, outer = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    pairs = land[inner] & ~land[outer] & (level[inner] == level[outer])
    twins = {}
    for a, b in zip(inner[pairs], outer[pairs], strict=True):
        shared = shapely.intersection(geometry[a], geometry[b], grid_size=_LATTICE)
        if shapely.area(shared) >= _TWIN * shapely.area(geometry[a]):
            twins[int(b)] = int(a)
    if twins:
        names = listed(
            f"{borders['name'][b]} ({borders['id'][a]})" for b, a in sorted(twins.items())
        )
        notes.append(Problem(f"taken by their land, not by their borders in the sea: {names}", level="note"))  # fmt: skip
    return borders.drop(index=sorted(twins)).reset_index(drop=True)


def _of_land(
    borders: gpd.GeoDataFrame, mapped: MappedLand | None, notes: list[Problem]
) -> gpd.GeoDataFrame:
    """Drop borders that hold sea and rocks alone."""
    if mapped is None or not mapped.coastal or borders.empty:
        return borders
    land = mapped.is_land(np.asarray(borders.geometry.array, dtype=object))
    if not land.all():
        names = listed(borders["name"][~land])
        notes.append(Problem(f"sea and rocks alone, so no units ({int((~land).sum())}): {names}", level="note"))  # fmt: skip
    return borders[land].reset_index(drop=True)


def _told(borders: gpd.GeoDataFrame, shares: dict[str, float]) -> str:
    counts = borders["level"].value_counts()
    return ", ".join(
        f"{level} ({counts[level]} unit{'s' if counts[level] > 1 else ''}, {share:.0%} of the land)"
        for level, share in shares.items()
    )


def _land(borders: gpd.GeoDataFrame, mapped: MappedLand | None) -> float:
    """Return the land that borders cover, m2."""
    geometry = np.asarray(borders.geometry.array, dtype=object)
    if mapped is not None:
        return mapped.inside_any(geometry)
    return float(shapely.union_all(geometry, grid_size=_LATTICE).area)


def _shares(borders: gpd.GeoDataFrame, mapped: MappedLand | None, whole: float) -> dict[str, float]:
    """Return by level the share that its borders cover of the land that all borders cover, m2."""
    levels = [level for level in LEVELS if (borders["level"] == level).any()]
    covered = {each: _land(borders[borders["level"] == each], mapped) for each in levels}
    return {each: m2 / whole if whole else 0.0 for each, m2 in covered.items()}


def _left_out(
    units: gpd.GeoDataFrame, mapped: MappedLand | None, whole: float, shares: dict[str, float]
) -> list[Problem]:
    """Return a warning if units cover less of the land that all borders cover, m2, than a level that is taken unasked.

    What lies in no border at all may be a neighbour's, and is told where it is cut away.
    """
    left = whole - _land(units, mapped)
    if left <= (1 - _COVERS) * whole:
        return []
    what = f"{left / 1e6:,.1f} km2 ({left / whole:.0%}) of the land within the map's borders lie in none of the units, and are cut away"
    level = max(shares, key=lambda each: (shares[each], int(each)))
    hint = f"--units {level} takes those that cover {shares[level]:.0%} of it."
    if shares[level] <= 1 - left / whole:
        hint = "No other level covers more: take an extract that holds the borders as a whole, with their relations."
    return [Problem(what, "", hint, "warning")]


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


def _chosen_level(borders: gpd.GeoDataFrame, level: str | None, shares: dict[str, float]) -> str:
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
                f"no unit has admin_level {level}",
                "--units",
                f"There are: {_told(borders, shares)}.",
            )
        return level
    several = [each for each in shares if counts[each] > 1]
    if not several:
        return str(max(counts.index, key=int))
    good = [each for each in several if shares[each] >= _COVERS]
    if not good:
        return max(several, key=lambda each: (shares[each], int(each)))
    return next((each for each in reversed(good) if counts[each] <= _MAX_UNITS), good[0])


def _with_stand_ins(
    units: gpd.GeoDataFrame,
    borders: gpd.GeoDataFrame,
    mapped: MappedLand | None,
    notes: list[Problem],
) -> gpd.GeoDataFrame:
    """Add coarser units where the level is missing: a city that is no part of a district has none below it."""
    added = []
    chosen = units["level"].iloc[0]
    covered = shapely.union_all(units.geometry.to_numpy(), grid_size=_LATTICE)
    for level in reversed(LEVELS[: LEVELS.index(chosen)]):
        for row in borders[borders["level"] == level].itertuples():
            rest = shapely.difference(row.geometry, covered, grid_size=_LATTICE)
            if _is_bare(rest, row.geometry, mapped):
                [polygon] = only_polygons(np.array([rest], dtype=object))
                added.append({**row._asdict(), "geometry": polygon})
                covered = shapely.union_all([covered, polygon], grid_size=_LATTICE)
    if not added:
        return units
    names = listed(f"{row['name']} ({row['id']}, level {row['level']})" for row in added)
    notes.append(Problem(f"no units of level {chosen} lie in them, so they stand for themselves: {names}", level="warning"))  # fmt: skip
    more = gpd.GeoDataFrame(added, crs=units.crs)[units.columns]
    return gpd.GeoDataFrame(pd.concat([units, more], ignore_index=True), crs=units.crs)


def _is_bare(rest: Geometry, border: Geometry, mapped: MappedLand | None) -> bool:
    """Return whether what units leave of a border is half of its land or more, and no mere sea."""
    if mapped is None:
        return bool(shapely.area(rest) >= _STANDS_IN * shapely.area(border))
    left, whole = mapped.inside(np.array([rest, border], dtype=object))
    if whole == 0:
        return bool(not mapped.coastal and shapely.area(rest) >= _STANDS_IN * shapely.area(border))
    is_land = not mapped.coastal or bool(mapped.is_land(np.array([rest], dtype=object))[0])
    return bool(is_land and left >= _STANDS_IN * whole)


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
    left = units.set_geometry(cut.of(geometry), crs=units.crs)
    return left[~left.is_empty].reset_index(drop=True)


def _with_parents(
    units: gpd.GeoDataFrame, borders: gpd.GeoDataFrame, chosen: str, notes: list[Problem]
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give each unit the id of the unit around it, level by level; itself where there is none."""
    parents = []
    alone: dict[str, list[str]] = {}
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
        names = units["name"].to_numpy(dtype=object)
        if (found == "").any():
            alone[level] = list(names[found == ""])
        odd = np.flatnonzero((found != "") & (share < _WHOLLY))
        if len(odd):
            told = listed(f"{names[k]} ({share[k]:.0%} in {found[k]})" for k in odd)
            notes.append(Problem(f"they reach beyond their unit of level {level}: {told}", level="note"))  # fmt: skip
    if alone:
        told = "; ".join(f"level {level}: {listed(names)}" for level, names in alone.items())
        notes.append(Problem(f"in no unit of a coarser level, so they are their own there: {told}", level="note"))  # fmt: skip
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


def disambiguate_names(
    units: gpd.GeoDataFrame,
    parents: tuple[str, ...],
    borders: gpd.GeoDataFrame,
    notes: list[Problem],
) -> gpd.GeoDataFrame:
    """Give units of one name that of what is around them, or the id."""
    names = units["name"].astype(object)
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
