"""Small layers and cases for the tests of the readers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from carbongrid.case import Case

FORMATS = {
    "gpkg": "GPKG",
    "gdb": "OpenFileGDB",
    "geojson": "GeoJSON",
    "fgb": "FlatGeobuf",
    "shp": "ESRI Shapefile",
    "parquet": "",
}
"""Driver by the suffix of a file's name."""


def case_of(folder: Path, **sections: Mapping[str, Any] | None) -> Case:
    """Return a case in a folder; parcels and units are there unless said otherwise."""
    values: dict[str, Any] = {
        "year": 2020,
        "totals": {"path": "totals.csv"},
        "parcels": {
            "path": "parcels.gpkg",
            "id": "BSM",
            "land_use": "DLBM",
            "code_system": "tdland3",
        },
        "units": {"path": "units.gpkg", "id": "code"},
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **(section or {})}
    return Case.of(values, folder / "case.toml")


def write_layer(layer: gpd.GeoDataFrame, path: Path, encoding: str = "utf-8") -> Path:
    """Write a layer in the format that the suffix names."""
    driver = FORMATS[path.suffix[1:]]
    if not driver:
        layer.to_parquet(path)
        return path
    options: dict[str, Any] = {"encoding": encoding} if driver == "ESRI Shapefile" else {}
    if driver == "OpenFileGDB" and (layer.geom_type == "MultiPolygon").any():
        options["promote_to_multi"] = True
    with warnings.catch_warnings():
        # The File Geodatabase driver warns that int64 becomes float64.
        warnings.simplefilter("ignore", RuntimeWarning)
        pyogrio.write_dataframe(layer, path, driver=driver, **options)
    return path


def survey_layer(crs: str = "EPSG:4528") -> gpd.GeoDataFrame:
    """Return six parcels with a hole, an island and two parts, as the national survey has them."""
    x, y = (120.0, 31.0) if crs == "EPSG:4490" else (40_500_000.0, 3_430_000.0)
    unit = 0.001 if crs == "EPSG:4490" else 100.0

    def box(*edges: float) -> shapely.Polygon:
        west, south, east, north = edges
        return shapely.box(x + west * unit, y + south * unit, x + east * unit, y + north * unit)

    island = box(0.25, 0.25, 0.75, 0.75)
    geometry = [
        box(0, 0, 1, 1) - island,
        island,
        box(1, 0, 2, 1),
        shapely.MultiPolygon([box(0, 1, 1, 2), box(2, 0, 3, 1)]),
        box(1, 1, 2, 2),
        box(2, 1, 3, 2),
    ]
    return gpd.GeoDataFrame(
        {
            "BSM": ["0004", "0003", "0010", "0001", "0002", "0020"],
            "DLBM": ["0101", "0702", "0601", "1003", "0701", "1101"],
            "DLMC": ["水田", "农村宅基地", "工业用地", "公路用地", "城镇住宅用地", "河流水面"],
            "ZLDWDM": ["320505001"] * 3 + ["320505002"] * 3,
            "TBDLMJ": np.round(shapely.area(geometry) * 0.98, 2) if unit == 100 else [9000.0] * 6,
        },
        geometry=geometry,
        crs=crs,
    )


def voronoi(count: int, seed: int, size: float = 10_000.0) -> np.ndarray:
    """Return the cells of random points, cut to a square: a partition."""
    rng = np.random.default_rng(seed)
    square = shapely.box(0, 0, size, size)
    points = shapely.multipoints(rng.random((count, 2)) * size)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    cut = shapely.intersection(cells, square)
    return np.asarray(cut[~shapely.is_empty(cut)], dtype=object)
