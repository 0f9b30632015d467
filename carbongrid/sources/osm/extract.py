"""Read an extract (.osm.pbf) by GDAL's OSM driver: areas, lines and points with the tags that matter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from carbongrid.case.readers.grid_crs import equal_area_crs
from carbongrid.errors import InputError
from carbongrid.method.landuse import packaged_table
from carbongrid.raster.opening.files import open_file
from carbongrid.raster.opening.formats import OSM
from carbongrid.raster.opening.names import plain_name
from carbongrid.sources.osm.lifecycle import NotInUse, laundered, split_by_use

AREA_KEYS: tuple[str, ...] = tuple(packaged_table("osm/keys.csv")["key"])
"""Keys that say what land an area is, the first that the crosswalk knows decides."""

POINT_KEYS = (
    *("amenity", "shop", "office", "craft", "industrial", "man_made", "healthcare"),
    *("tourism", "leisure", "public_transport", "railway", "aeroway", "highway", "historic"),
)
"""Keys that say what a point is, in the same sense; plants and generators are read apart, with their output."""

_COAST = "coastline"

LINE_KEYS = ("highway", "railway", "aeroway", "route", "waterway")


@dataclass(frozen=True)
class Extract:
    """What an extract holds, in one equal-area plane.

    Parameters
    ----------
    areas
        Valid polygons with an ``id`` (way/1, relation/2), names and tags; of what is in use, as lines and points.
    borders
        Administrative areas among them: id, name, name_en, level, land_area (whether it ends at the coast); those of the
        sea are left out.
    lines, points
        With an id, a name and tags.
    broken
        Ids of areas that could not be mended and are left out.
    not_in_use
        What is closed, abandoned or only planned.
    coastal
        Whether there is a coastline.
    """

    areas: gpd.GeoDataFrame
    borders: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    points: gpd.GeoDataFrame
    broken: tuple[str, ...]
    not_in_use: NotInUse
    coastal: bool = False


def read_extract(path: Path) -> Extract:
    """Read an extract.

    Raises
    ------
    InputError
        If there is no such file, it is no OSM PBF, is damaged, or holds no areas.
    """
    _check_content(path)
    land = " OR ".join(f'"{laundered(key)}" IS NOT NULL' for key in AREA_KEYS)
    border = "(\"boundary\" IN ('administrative', 'land_area') AND \"admin_level\" IS NOT NULL)"
    areas = _read(path, "multipolygons", f"{land} OR {border}")
    if areas.empty:
        raise InputError("the extract holds no areas", str(path), "Take a larger extract.")
    crs = equal_area_crs(tuple(areas.total_bounds.tolist()))
    kinds = " OR ".join(f'"{key}" IS NOT NULL' for key in LINE_KEYS)
    lines = _read(path, "lines", f"{kinds} OR \"natural\" = '{_COAST}'").to_crs(crs)
    kinds = " OR ".join(f'"{key}" IS NOT NULL' for key in (*POINT_KEYS, "power"))
    points = _read(path, "points", kinds)
    areas = areas.to_crs(crs)
    whole, broken = _mended(_with_ids(areas))
    coast = (
        whole["natural"] == _COAST
    )  # an island drawn by one way: what lies on it is told by other areas
    coastal = bool(coast.any() or (lines["natural"] == _COAST).any())
    whole = whole.assign(natural=whole["natural"].where(~coast, None))
    tagged = whole[[laundered(key) for key in AREA_KEYS]].notna().any(axis=1)
    lines = lines.assign(id="way/" + lines["osm_id"].astype(str))
    points = points.to_crs(crs).assign(id="node/" + points["osm_id"].astype(str))
    # A railway says of an area only what it was: no land of its own.
    parts = split_by_use(whole[tagged], (*AREA_KEYS, "railway"))
    areas, gone_areas = (part.drop(columns="railway") for part in parts)
    lines, gone_lines = split_by_use(lines, LINE_KEYS)
    points, gone_points = split_by_use(points, (*POINT_KEYS, "power"))
    gone = NotInUse(gone_areas, gone_lines, gone_points)
    return Extract(areas, _borders(whole), lines, points, broken, gone, coastal)


def _borders(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the administrative areas, those that are marked as maritime left out."""
    kind = areas["boundary"]
    land = (kind == "land_area") | areas["land_area"].notna()
    own = kind.isin(["administrative", "land_area"]) & areas["admin_level"].notna()
    chosen = areas.assign(land_area=land)[own & (areas["maritime"] != "yes")]
    columns = ["id", "name", "name_en", "admin_level", "land_area", "geometry"]
    return chosen[columns].rename(columns={"admin_level": "level"}).reset_index(drop=True)


def tag_of(
    table: gpd.GeoDataFrame,
    keys: Sequence[str],
    known: set[str],
    nothing: Collection[str] = frozenset(),
) -> np.ndarray:
    """Return, for each row, the tag (key=value) of the first key that is known; else of the first that is there.

    Parameters
    ----------
    table
        With a column per key.
    keys
        In order of precedence.
    known
        Codes of a crosswalk: ``key=value`` or ``key=*``.
    nothing
        Tags that ``key=*`` does not stand for.
    """
    found = np.full(len(table), "", dtype=object)
    sure = np.zeros(len(table), dtype=bool)
    for key in keys:
        values = table[laundered(key)]
        there = values.notna().to_numpy()
        tags = (f"{key}=" + values.astype(str)).to_numpy(dtype=object)
        any_value = f"{key}=*" in known
        match = there & np.array(
            [tag in known or (any_value and tag not in nothing) for tag in tags], dtype=bool
        )
        found = np.where(there & (found == ""), tags, found)
        found = np.where(match & ~sure, tags, found)
        sure |= match
    return found


def more_precise(areas: gpd.GeoDataFrame, tags: np.ndarray) -> np.ndarray:
    """Return the tags of areas; where one is vague, and another key says which kind it is, that of the other key.

    Parameters
    ----------
    areas
        With a column per key.
    tags : shape (areas,)
        From :func:`tag_of`. Which are vague, and what is more precise, stands in ``data/osm/precise.csv``.
    """
    found = tags.copy()
    table = _precise()
    for vague, key in dict.fromkeys(zip(table["land_use"], table["key"], strict=True)):
        rows = table[(table["land_use"] == vague) & (table["key"] == key)]
        own = np.flatnonzero((tags == vague) & (found == tags))
        values = areas[laundered(key)].iloc[own]
        known = values.isin(rows["value"]).to_numpy(bool)
        found[own[known]] = [f"{key}={value}" for value in values[known]]
    return found


@cache
def _precise() -> pd.DataFrame:
    return packaged_table("osm/precise.csv")


def _check_content(path: Path) -> None:
    """Raise unless the file begins as every OSM PBF does; GDAL would try other drivers."""
    try:
        with open_file(path) as stream:
            head = stream.read(64)
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path)) from None
    if b"OSMHeader" not in head[:24]:
        raise InputError(
            "this is not an OpenStreetMap extract in PBF format",
            str(path),
            "Take a .osm.pbf, for example of Geofabrik; osmium cat turns .osm into one.",
        )


def _read(path: Path, layer: str, where: str) -> gpd.GeoDataFrame:
    source = files("carbongrid").joinpath("data", "osm", "osmconf.ini")
    # By SQL, since GDAL then builds the features of this layer only and does not hoard the others.
    with as_file(source) as config, plain_name(path, OSM) as name:
        try:
            return pyogrio.read_dataframe(
                name,
                sql=f"SELECT * FROM {layer} WHERE {where}",  # noqa: S608  (our own words)
                CONFIG_FILE=str(config),
            )
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
            raise InputError(
                f"the extract cannot be read: {error}", str(path), "Download it again."
            ) from None


def _with_ids(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    way = "way/" + areas["osm_way_id"].astype(str)
    ids = way.where(areas["osm_way_id"].notna(), "relation/" + areas["osm_id"].astype(str))
    return areas.assign(id=ids).drop_duplicates("id").sort_values("id", ignore_index=True)


def _mended(areas: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    from carbongrid.case.readers.geometry import only_polygons

    geometry = np.asarray(areas.geometry.array, dtype=object)
    invalid = ~shapely.is_valid(geometry)
    geometry[invalid] = shapely.make_valid(
        geometry[invalid], method="structure", keep_collapsed=False
    )
    geometry = only_polygons(geometry)
    empty = shapely.is_empty(geometry)
    broken = tuple(areas.loc[empty, "id"])
    return areas.set_geometry(geometry, crs=areas.crs)[~empty].reset_index(drop=True), broken
