"""An island of which the map draws a part, a land cover of all of it, and people, to be written as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from osm_file import OsmFile, Ring
from rasterio.transform import from_origin

WEST, SOUTH, STEP = 14.0, 36.0, 1 / 1200
COLUMNS, ROWS = 48, 24
FIELDS, WOOD, VILLAGE, ICE = 40, 10, 50, 70


def ring(west: float, south: float, east: float, north: float) -> Ring:
    """Corners in cells of the land cover, anticlockwise from the south-west."""
    corners = [(west, south), (east, south), (east, north), (west, north)]
    return [(WEST + x * STEP, SOUTH + y * STEP) for x, y in corners]


def write_extract(folder: Path) -> Path:
    """Write two places of which homes, fields and a solar park are drawn."""
    file = OsmFile()
    for k in range(2):
        west = 24 * k
        tags = {"boundary": "administrative", "admin_level": "8", "name": f"Ort {k}"}
        file.border(ring(west, 0, west + 24, 24), tags)
        file.way(ring(west + 2.3, 3, west + 9.7, 11), {"landuse": "residential"})
        file.way(ring(west + 9.7, 3, west + 20, 8.5), {"landuse": "farmland"})
    file.way(ring(4, 14, 12, 20), {"power": "plant", "plant:source": "solar"})
    return file.write(folder / "island-2024.osm.pbf")


def raster(path: Path, values: np.ndarray, west: float, north: float, step: float) -> Path:
    """Write a raster of degrees with square cells."""
    with rasterio.open(
        path, "w", driver="GTiff", crs="EPSG:4326", transform=from_origin(west, north, step, step),
        count=1, height=values.shape[0], width=values.shape[1], dtype=values.dtype, nodata=0,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def write_cover(folder: Path) -> Path:
    """Write fields, a wood in the north, a village in the east, and ice that the code system does not know."""
    codes = np.full((ROWS + 4, COLUMNS + 4), FIELDS, np.uint8)
    codes[2:8] = WOOD
    codes[10:16, 40:] = VILLAGE
    codes[10, 23] = ICE
    return raster(folder / "cover.tif", codes, WEST - 2 * STEP, SOUTH + (ROWS + 2) * STEP, STEP)


def write_people(folder: Path) -> Path:
    """Write cells of four by four of the land cover's, far beyond the island."""
    values = np.zeros((30, 40), np.float32)
    values[12:18, 14:26] = np.arange(1, 73).reshape(6, 12)
    return raster(folder / "people-2020.tif", values, WEST - 54 * STEP, SOUTH + 70 * STEP, 4 * STEP)
