"""What a case folder holds, joined and brought to one plane (CASE.md; docs/decisions/0002, 0006)."""

from __future__ import annotations

import fnmatch
import math
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from oracle.shifted import bd09_to_wgs84, gcj02_to_wgs84

CRUMB = 1e-6  # m2: a partition leaves such parts by rounding alone
DATA = Path(__file__).resolve().parents[2] / "carbongrid" / "data"

# CASE.md's tables, written out here so that a slip in the package's own data is found.
PARENT_TYPE = {
    "mining": "industry-and-mining",
    "industrial": "industry-and-mining",
    "utilities": "built-up",
    "commercial": "built-up",
    "public": "built-up",
    "urban-residential": "residential",
    "rural-homestead": "residential",
    "cultivated": "agricultural",
    "paddy": "agricultural",
    "farm-facilities": "agricultural",
}
CATEGORIES = {
    "industry/mining": ("mining", "pois"),
    "industry/manufacturing": ("industrial", "pois"),
    "industry/supply": ("utilities", "pois"),
    "buildings/urban-homes": ("urban-residential", "people"),
    "buildings/rural-homes": ("rural-homestead", "people"),
    "buildings/commerce": ("commercial", "pois"),
    "buildings/public-services": ("public", "pois"),
    "transport/road": ("transport:road", "roads"),
    "transport/rail": ("transport:rail", "lines:rail"),
    "transport/water": ("transport:water", "lines:water"),
    "transport/air": ("transport:air", "lines:air"),
    "agriculture/plantation": ("cultivated+paddy", "area"),
    "agriculture/rice": ("paddy", "area"),
    "agriculture/husbandry": ("farm-facilities", "area"),
    "agriculture/water": ("water", "area"),
    "agriculture/ponds": ("ponds", "area"),
    "waste/industrial": ("industrial", "area"),
    "waste/domestic": ("utilities", "area"),
    "sink/land": ("forest+grassland+water+unused", "area"),
    "sink/crops": ("cultivated+paddy", "area"),
    "sink/forest": ("forest", "area"),
    "sink/grassland": ("grassland", "area"),
    "sink/water": ("water", "area"),
    "sink/ponds": ("ponds", "area"),
    "sink/unused": ("unused", "area"),
}


@dataclass
class Category:
    name: str
    sector: str
    scope: str
    sink: bool
    types: list[str]  # a territorial type, or transport:MODE
    weight: str


@dataclass
class Inputs:
    settings: dict
    folder: Path
    crs: pyproj.CRS
    parcels: gpd.GeoDataFrame  # in id order, in the grid's plane: id, type, mode, area, unit
    source_parcels: gpd.GeoSeries  # the same rows, in the plane that they came in
    units: gpd.GeoDataFrame  # in id order, in the grid's plane
    parents: list[str]

    def region_of_parcels(self, code):
        return np.isin(self.parcels["unit"].to_numpy(), self.units_of(code))

    def units_of(self, code):
        """Rows of the units that a code names: the unit's own, or a parent's."""
        named = self.units["id"] == code
        for column in self.parents:
            named |= self.units[column] == code
        if not named.any():
            raise ValueError(f"no unit and no parent has the code {code!r}")
        return np.flatnonzero(named)


def read_case(path):
    path = Path(path)
    settings = tomllib.loads(path.read_text("utf-8"))
    folder = path.parent
    raw_parcels = read_polygons(folder, settings["parcels"])
    raw_units = read_polygons(folder, settings["units"])
    crs = grid_crs(settings.get("grid", {}).get("crs"), raw_parcels, raw_units)

    parcels = describe_parcels(raw_parcels, settings["parcels"], folder)
    parcels = in_id_order(parcels, settings["parcels"]["id"])
    if settings["parcels"].get("overlap", "error") == "priority":
        parcels = without_overlaps(parcels)
    source_parcels = parcels.geometry
    parcels["area"] = areas(parcels, settings["parcels"].get("area_field"))
    parcels = to_plane(parcels, crs)

    parents = settings["units"].get("parents", [])
    units = in_id_order(raw_units, settings["units"]["id"])
    for column in parents:
        units[column] = text(units[column])
    units = to_plane(units, crs)
    parcels["point"] = shapely.point_on_surface(parcels.geometry.to_numpy())
    parcels["unit"] = covering(parcels["point"].to_numpy(), units.geometry.to_numpy())
    return Inputs(settings, folder, crs, parcels, source_parcels, units, parents)


# ---- tables -------------------------------------------------------------------------------------


def read_table(path):
    """Every cell as stripped text, blank where there is nothing."""
    if path.suffix.lower() in {".xlsx", ".xls"}:
        table = pd.read_excel(path, dtype=str, keep_default_na=False)
    else:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    return table.apply(lambda column: column.fillna("").str.strip())


def text(column):
    """Codes and ids as text; a missing one is blank."""
    if pd.api.types.is_integer_dtype(column):
        return column.astype("int64").astype(str).astype(object)
    return column.map(lambda value: "" if pd.isna(value) else str(value).strip()).astype(object)


def numbers(column):
    return pd.to_numeric(column.replace("", None)).to_numpy(dtype=float)


def lookup(crosswalk, key, code):
    """The row for a code: itself first, then the longest pattern with a star that fits."""
    exact = crosswalk[crosswalk[key] == code]
    if len(exact):
        return exact.iloc[0]
    patterns = [p for p in crosswalk[key] if p.endswith("*") and fnmatch.fnmatchcase(code, p)]
    if not patterns:
        return None
    longest = max(patterns, key=len)
    return crosswalk[crosswalk[key] == longest].iloc[0]


def shipped_or_own(name, kind, folder):
    """A crosswalk of the package by its name, or the case's own CSV."""
    if name.lower().endswith(".csv"):
        return read_table(folder / name)
    return read_table(DATA / kind / f"{name}.csv")


def read_categories(inputs):
    table = {}
    for name, (types, weight) in CATEGORIES.items():
        if name == "waste/domestic" and "people" in inputs.settings:
            types, weight = "urban-residential+rural-homestead", "people"
        sector = name.split("/")[0]
        scope = "2" if sector == "buildings" else "1"
        table[name] = Category(name, sector, scope, sector == "sink", types.split("+"), weight)
    own = inputs.settings.get("categories", {}).get("path")
    if own:
        for row in read_table(inputs.folder / own).to_dict("records"):
            name = row["category"]
            sink = row.get("sink", "").lower() in {"true", "1", "yes"}
            sector = row.get("sector") or name.split("/")[0]
            types = row["types"].split("+")
            table[name] = Category(name, sector, row.get("scope", ""), sink, types, row["weight"])
    return table


def grams(value, unit):
    """An amount as a Fraction of grams of CO2 or CO2e: ``1.5``, ``10000 t CO2e``."""
    words = unit.split()
    factor = Fraction(1)
    if words[0][0].isdigit():
        factor = Fraction(Decimal(words.pop(0)))
    factor *= {"g": 1, "kg": 10**3, "t": 10**6, "kt": 10**9, "Mt": 10**12, "Gt": 10**15}[words[0]]
    factor *= {"C": Fraction(44, 12), "CO2": 1, "CO2e": 1}[words[1]]
    return Fraction(Decimal(value)) * factor


# ---- geometry -----------------------------------------------------------------------------------


def read_vector(path, layer=None):
    if path.suffix.lower() in {".parquet", ".geoparquet"}:
        return gpd.read_parquet(path)
    return gpd.read_file(path, **({"layer": layer} if layer else {}))


def read_polygons(folder, section):
    frame = read_vector(folder / section["path"], section.get("layer"))
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    geometry = normalized(frame.geometry.to_numpy(), frame.crs)
    if section.get("repair", False):
        geometry = np.where(
            shapely.is_valid(geometry),
            geometry,
            shapely.normalize(shapely.make_valid(geometry, method="structure")),
        )
    return frame.set_geometry(gpd.GeoSeries(geometry, index=frame.index, crs=frame.crs))


def normalized(geometry, crs):
    """Two dimensions, 0.1 mm (1e-9 degree) coordinates where that keeps a polygon valid, canonical rings."""
    geometry = shapely.force_2d(geometry)
    decimals = 9 if pyproj.CRS(crs).is_geographic else 4
    rounded = shapely.transform(geometry, lambda xy: np.round(xy, decimals))
    broken = shapely.is_valid(geometry) & ~shapely.is_valid(rounded)
    return shapely.normalize(np.where(broken, geometry, rounded))


def to_plane(frame, crs):
    return frame.set_geometry(
        gpd.GeoSeries(moved(frame.geometry.to_numpy(), frame.crs, crs), index=frame.index, crs=crs)
    )


def moved(geometry, source, target):
    source, target = pyproj.CRS(source), pyproj.CRS(target)
    if source == target:
        return shapely.normalize(geometry)
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    return shapely.normalize(
        shapely.transform(
            geometry, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
        )
    )


def grid_crs(named, *frames):
    if named:
        return pyproj.CRS(named)
    bounds = np.array([frame.to_crs(4326).total_bounds for frame in frames])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    centre = round((west + east) / 2), round((south + north) / 2)
    return pyproj.CRS(
        f"+proj=laea +lon_0={centre[0]} +lat_0={centre[1]} +datum=WGS84 +units=m +type=crs"
    )


def in_id_order(frame, columns):
    columns = [columns] if isinstance(columns, str) else columns
    frame = frame.copy()
    frame["id"] = pd.concat([text(frame[c]) for c in columns], axis=1).agg("-".join, axis=1)
    return frame.sort_values("id", kind="stable").reset_index(drop=True)


def describe_parcels(frame, section, folder):
    crosswalk = shipped_or_own(section["code_system"], "landuse", folder)
    frame = frame.copy()
    frame["land_use"] = text(frame[section["land_use"]])
    rows = {code: lookup(crosswalk, "code", code) for code in frame["land_use"].unique()}
    kinds = {code: "none" if row is None else row["type"] for code, row in rows.items()}
    modes = {code: "" if row is None else row.get("mode", "") for code, row in rows.items()}
    frame["type"] = frame["land_use"].map(kinds)
    frame["mode"] = frame["land_use"].map(modes)
    return frame


def areas(parcels, field):
    if field:
        return parcels[field].astype(float).to_numpy()
    return geodesic_areas(parcels.geometry.to_numpy(), parcels.crs)


def geodesic_areas(geometry, crs):
    """Area in m2 on the ellipsoid of the source's own geographic CRS: exterior less holes.

    In numbers of 64 bits' mantissa: areas below parallels, of straight lines on the cylinder that keeps areas, and the strips to the
    geodesics (docs/decisions/0067). pyproj's own area is off by some 3e-5 m2 whatever the size, and an equal-area map of PROJ by 7e-6.
    """
    crs = pyproj.CRS(crs)
    if not crs.is_geographic:
        geometry = moved(geometry, crs, crs.geodetic_crs)
    geod = crs.get_geod()

    half_axis, flat = np.longdouble(geod.a), np.longdouble(geod.f)
    squared = flat * (2 - flat)

    def ring_area(ring):
        east, north = np.radians(shapely.get_coordinates(ring).astype(np.longdouble)).T
        scaled = np.sqrt(squared) * np.sin(north)
        height = np.sin(north) / (1 - scaled**2) + np.arctanh(scaled) / np.sqrt(squared)
        below = (half_axis * (1 - flat)) ** 2 / 2 * height
        middle = (north[1:] + north[:-1]) / 2
        parallel = half_axis * np.cos(middle) / np.sqrt(1 - squared * np.sin(middle) ** 2)
        step, rise = np.diff(east), np.diff(below) / parallel
        lines = step * (below[1:] + below[:-1]) / 2
        strips = step * np.sin(middle) * ((parallel * step) ** 2 + 3 * rise**2) / 12
        return float(abs(np.sum(lines + strips)))

    return np.array(
        [
            math.fsum(
                ring_area(part.exterior) - math.fsum(ring_area(hole) for hole in part.interiors)
                for part in shapely.get_parts(one)
            )
            for one in geometry
        ]
    )


def without_overlaps(parcels):
    """A planar partition (D18): by rank of type, then smaller on top, then first in id order."""
    rank = read_table(DATA / "type_priority.csv").set_index("type")["rank"].astype(int)
    geometry = parcels.geometry.to_numpy()
    order = np.lexsort(
        (np.arange(len(parcels)), geodesic_areas(geometry, parcels.crs), parcels["type"].map(rank))
    )
    height = np.empty(len(parcels), dtype=int)
    height[order] = np.arange(len(parcels))
    lower, upper = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    above = height[upper] < height[lower]
    lower, upper = lower[above], upper[above]
    overlapping = shapely.area(shapely.intersection(geometry[lower], geometry[upper])) > 0
    left = geometry.copy()
    for row, rows in pd.Series(upper[overlapping]).groupby(lower[overlapping]):
        rest = shapely.difference(geometry[row], shapely.union_all(geometry[rows.to_numpy()]))
        parts = [
            part
            for part in shapely.get_parts(rest)
            if part.geom_type == "Polygon" and part.area > CRUMB
        ]
        left[row] = shapely.normalize(shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0])
    parcels = parcels.set_geometry(gpd.GeoSeries(left, index=parcels.index, crs=parcels.crs))
    return parcels[~parcels.geometry.is_empty].reset_index(drop=True)


def covering(points, polygons):
    """Row of the first polygon that covers each point, border included; -1 for none."""
    which, rows = shapely.STRtree(polygons).query(points, predicate="intersects")
    found = np.full(len(points), -1)
    for point, row in zip(which[::-1], rows[::-1], strict=True):
        found[point] = row if found[point] < 0 else min(row, found[point])
    return found


# ---- points -------------------------------------------------------------------------------------


def points_in_plane(x, y, named, crs):
    """Points of a table, from a CRS or a shifted system, in the grid's plane; empty where unknown."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(x) & np.isfinite(y)
    points = np.full(len(x), shapely.Point(), dtype=object)
    x, y = x[known], y[known]
    undo = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}.get(str(named).lower())
    if undo:
        x, y = undo(x, y)
        named = "EPSG:4326"
    transformer = pyproj.Transformer.from_crs(pyproj.CRS(named), crs, always_xy=True)
    points[known] = shapely.points(*transformer.transform(x, y))
    return points


def read_points(inputs, section):
    """The table of a [pois] or [people] section, with its points in the grid's plane."""
    path = inputs.folder / section["path"]
    if path.suffix.lower() in {".csv", ".xlsx"}:
        table = read_table(path)
        x, y = numbers(table[section["x"]]), numbers(table[section["y"]])
        return table, points_in_plane(x, y, section["crs"], inputs.crs)
    frame = read_vector(path, section.get("layer"))
    frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty].reset_index(drop=True)
    geometry = normalized(frame.geometry.to_numpy(), frame.crs)
    named = section.get("crs") or frame.crs
    return frame, points_in_plane(
        shapely.get_x(geometry), shapely.get_y(geometry), named, inputs.crs
    )
