"""A town of squares of 1 km, small enough to work out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely

EAST, NORTH, CRS = 500_000.0, 3_450_000.0, 4549

CASE = """
year = 2020
[parcels]
path = "parcels.gpkg"
id = "BSM"
land_use = "DLBM"
code_system = "tdland3"
[units]
path = "units.gpkg"
id = "code"
parents = ["district"]
[totals]
path = "totals.csv"
[grid]
crs = "EPSG:4549"
resolution = 100
"""

Row = tuple[str, str, Any]


def square(x: float, y: float, width: float = 1, height: float = 1) -> shapely.Polygon:
    """A rectangle, in km from the town's corner."""
    west, south = EAST + 1000 * x, NORTH + 1000 * y
    return shapely.box(west, south, west + 1000 * width, south + 1000 * height)


def write_town(
    folder: Path,
    parcels: list[Row],
    units: list[Row],
    tables: dict[str, str],
    more: str = "",
    columns: dict[str, list[float]] | None = None,
) -> Path:
    """Write parcels (id, land use, geometry), units (code, district, geometry) and tables; return the case file."""
    land = {"BSM": [row[0] for row in parcels], "DLBM": [row[1] for row in parcels]}
    geometry = [row[2] for row in parcels]
    gpd.GeoDataFrame({**land, **(columns or {})}, geometry=geometry, crs=CRS).to_file(
        folder / "parcels.gpkg"
    )
    named = {"code": [row[0] for row in units], "district": [row[1] for row in units]}
    gpd.GeoDataFrame(named, geometry=[row[2] for row in units], crs=CRS).to_file(
        folder / "units.gpkg"
    )
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "case.toml").write_text(CASE + more, encoding="utf-8")
    return folder / "case.toml"


def write_raster(
    path: Path, values: Any, west: float = 0, nodata: float | None = -1, cell: float = 1000
) -> None:
    """Write a raster of square cells, rows from the north, its south-west corner ``west`` km from the town's."""
    array = np.asarray(values, dtype=np.float64)
    transform = rasterio.transform.from_origin(
        EAST + 1000 * west, NORTH + cell * len(array), cell, cell
    )
    shape = {"height": array.shape[0], "width": array.shape[1], "count": 1, "dtype": "float64"}
    with rasterio.open(
        path, "w", driver="GTiff", crs=f"EPSG:{CRS}", transform=transform, nodata=nodata, **shape
    ) as target:
        target.write(array, 1)
