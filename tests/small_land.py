"""Small pieces of land with whole-number corners, so that points fall on borders and distances tie."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.method.categories import Category

CRS = "EPSG:4528"
CELL = 100


def squares(side: int, cell: int = CELL) -> np.ndarray:
    """side x side squares; row i * side + j is column j of row i."""
    i, j = np.divmod(np.arange(side * side), side)
    return shapely.box(j * cell, i * cell, (j + 1) * cell, (i + 1) * cell)


def bent(rng: np.random.Generator, side: int, cell: int = CELL) -> np.ndarray:
    """A planar partition like ``squares``, its inner corners moved by whole metres."""
    grid = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1)), axis=-1) * cell
    grid[1:-1, 1:-1] += rng.integers(-cell // 4, cell // 4 + 1, (side - 1, side - 1, 2))
    found = [
        shapely.Polygon([grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]])
        for i in range(side)
        for j in range(side)
    ]
    return np.array(found, dtype=object)


def parcels(geometry: np.ndarray, types: list[str], **columns) -> gpd.GeoDataFrame:
    """Parcels in id order; ``transport:rail`` sets the mode."""
    kinds = [name.partition(":") for name in types]
    table = {
        "id": pd.Series([f"{row:04d}" for row in range(len(geometry))], dtype="str"),
        "type": pd.Series([kind for kind, _, _ in kinds], dtype="str"),
        "mode": pd.Series([mode for _, _, mode in kinds], dtype="str"),
        "area_m2": shapely.area(geometry),
    }
    return gpd.GeoDataFrame(table | columns, geometry=geometry, crs=CRS)


def category(name: str, types: str, weight: str, *, sink: bool = False) -> Category:
    """A category of types joined by +."""
    return Category(name, name.split("/")[0], name, name, 1, sink, tuple(types.split("+")), weight)
