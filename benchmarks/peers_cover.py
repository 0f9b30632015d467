"""Parcels of land cover: a raster as large as a city's, and as a country's, each read in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from measuring import Row
from peers_whole import in_process_told
from rasterio.transform import from_origin

CRS = "EPSG:3035"
NORTH_WEST = 4_000_000.0, 3_200_000.0
CELL = 10.0  # m, as ESA WorldCover's
PATCH = 25  # cells of a side: a field
CODES = {10: 0.25, 30: 0.2, 40: 0.35, 50: 0.12, 80: 0.08}
"""Classes of ESA WorldCover, and about what share of the land has each."""

READ = """import sys
from pathlib import Path
from carbongrid.sources.land_cover import read_land_cover, write_land_cover
cover = read_land_cover(Path(sys.argv[1]), Path(sys.argv[2]), codes="worldcover")
write_land_cover(cover, Path(sys.argv[3]))
print(len(cover.parcels), cover.cells)
"""


def land_cover(*sides: int) -> Iterator[Row]:
    """Make parcels of square rasters of so many cells a side, within 400 units."""
    for side in sides:
        with tempfile.TemporaryDirectory() as name:
            raster, units = Path(name) / "cover.tif", Path(name) / "units.gpkg"
            write_cover(raster, side)
            write_units(units, side, 20)
            taken, (told,) = in_process_told(READ, raster, units, Path(name) / "parcels.parquet")
            parcels, cells = map(int, told.split())
        size = f"{cells / 1e6:,.0f} million cells, {parcels:,} parcels"
        yield Row("land-cover", "parcels of a land-cover raster", "-", size, taken, None, None, f"{taken.peak:.0f} MB of the whole process")  # fmt: skip


def write_cover(path: Path, side: int) -> None:
    """Write fields of a few classes as a compressed GeoTIFF, band by band."""
    random = np.random.default_rng(side)
    fields = random.choice(list(CODES), (side // PATCH + 1,) * 2, p=list(CODES.values())).astype(np.uint8)  # fmt: skip
    profile = {"driver": "GTiff", "count": 1, "dtype": "uint8", "nodata": 0, "BIGTIFF": "YES"}
    profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    place = from_origin(*NORTH_WEST, CELL, CELL)
    with rasterio.open(
        path, "w", height=side, width=side, crs=CRS, transform=place, **profile
    ) as file:
        for row in range(0, side, 40 * PATCH):
            some = fields[row // PATCH : row // PATCH + 40].repeat(PATCH, 0).repeat(PATCH, 1)
            some = some[: side - row, :side]
            file.write(some, 1, window=((row, row + len(some)), (0, side)))


def write_units(path: Path, side: int, across: int) -> None:
    """Write square units that cover the raster."""
    west, north = NORTH_WEST
    step = side * CELL / across
    column, row = (each.reshape(-1) for each in np.meshgrid(np.arange(across), np.arange(across)))
    boxes = shapely.box(west + column * step, north - (row + 1) * step, west + (column + 1) * step, north - row * step)  # fmt: skip
    gpd.GeoDataFrame(geometry=boxes, crs=CRS).to_file(path)
