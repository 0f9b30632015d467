"""Three made towns of twelve squares of 1 km, and rasters of them on the grids of publishers that cover the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import from_origin
from rasterio.windows import Window

LAND = {
    (0, 0): "homes", (1, 0): "works", (2, 0): "shops", (3, 0): "homes", (4, 0): "shops", (5, 0): "field",
    (0, 1): "field", (1, 1): "field", (2, 1): "wood", (3, 1): "wood", (4, 1): "wood", (5, 1): "wood",
}  # fmt: skip
"""Land of the square at a column from the west and a row from the south; the first three columns are the unit 1, the others 2."""


@cache
def way(source: str, target: str) -> Transformer:
    """From one system to another, x first in both; PROJ takes 0.1 s to find it."""
    return Transformer.from_crs(source, target, always_xy=True)


@dataclass(frozen=True)
class Place:
    """A town: the CRS that it is drawn in, its south-west corner there in m, the names of its units, and the CRS of its case's grid."""

    crs: str
    west: float
    south: float
    names: tuple[str, str]
    grid: str = ""

    def square(self, column: float, row: float, width: float = 1, height: float = 1) -> Any:
        """A rectangle in the town's CRS, its corner and sides in km."""
        x, y = self.west + 1000 * column, self.south + 1000 * row
        return shapely.box(x, y, x + 1000 * width, y + 1000 * height)

    def lonlat(self, column: float, row: float) -> tuple[float, float]:
        """Longitude from -180 to 180 and latitude of a point, in km from the corner."""
        to_degrees = way(self.crs, "EPSG:4326")
        lon, lat = to_degrees.transform(self.west + 1000 * column, self.south + 1000 * row)
        return float(lon), float(lat)

    def beside(self, km: float) -> Place:
        """The same town so many km further east."""
        return replace(self, west=self.west + 1000 * km)


STYRIA = Place("EPSG:3035", 4_731_000, 2_674_000, ("Oberdorf", "Unterdörfl"), "EPSG:3035")
JIANGSU = Place("EPSG:4549", 528_000, 3_464_000, ("西桥镇", "东桥镇"), "EPSG:4549")
FIJI = Place("EPSG:32760", 814_300, 8_029_000, ("Somosomo", "Vuna"))
"""The antimeridian runs through the homes of its second unit."""

PLACES = {"Styria": STYRIA, "Jiangsu": JIANGSU, "Fiji": FIJI}


def write_units(path: Path, place: Place) -> Path:
    """Write the two units, three columns each."""
    columns = {"code": ["1", "2"], "name": list(place.names)}
    halves = [place.square(0, 0, 3, 2), place.square(3, 0, 3, 2)]
    gpd.GeoDataFrame(columns, geometry=halves, crs=place.crs).to_file(path)
    return path


def write_parcels(path: Path, place: Place, codes: dict[str, str]) -> Path:
    """Write the twelve squares, with the code of each one's land."""
    columns = {
        "id": [f"{column}-{row}" for column, row in LAND],
        "code": [codes[kind] for kind in LAND.values()],
    }
    squares = [place.square(*at) for at in LAND]
    gpd.GeoDataFrame(columns, geometry=squares, crs=place.crs).to_file(path)
    return path


Values = Callable[[Any, Any], Any]
"""Of the km east and north of a town's corner; NaN is without data."""

WORLD = {"EPSG:4326": (-180.0, 90.0, 360.0), "ESRI:54009": (-18_041_000.0, 9_000_000.0, 36_082_000.0), "EPSG:3035": (900_000.0, 5_500_000.0, 6_500_000.0)}  # fmt: skip
"""West, north and width of a raster of the whole world; in EPSG:3035 of Europe, as CORINE's."""


def write_on_world_grid(
    path: Path, place: Place, values: Values, *, step: float, crs: str = "EPSG:4326", rim: int = 3,
    nodata: float | None = None, dtype: str = "float32",
) -> Path:  # fmt: skip
    """Write the cells of the world's grid around a town.

    What lies on both sides of the antimeridian is at both ends of the world: then the file is as wide as that, and holds nothing between.
    """
    west, north, width = WORLD[crs]
    columns = round(width / step)
    outline = shapely.segmentize(place.square(0, 0, 6, 2), 50)
    there = way(place.crs, crs)
    x, y = there.transform(*shapely.get_coordinates(outline).T)
    column, row = ((x - west) / step).astype(int), ((north - y) / step).astype(int)
    top, height = row.min() - rim, np.ptp(row) + 1 + 2 * rim
    if np.ptp(column) < columns // 2:
        first, last = max(column.min() - rim, 0), min(column.max() + rim + 1, columns)
        spans, start, wide = [(first, last)], first, last - first
    else:
        ends = column[column > columns // 2].min() - rim, column[column < columns // 2].max() + rim
        spans, start, wide = [(ends[0], columns), (0, ends[1] + 1)], 0, columns
    profile = {
        "driver": "GTiff", "count": 1, "dtype": dtype, "nodata": nodata, "crs": crs, "compress": "deflate",
        "tiled": True, "blockxsize": 256, "blockysize": 256, "sparse_ok": True, "width": wide, "height": height,
        "transform": from_origin(west + start * step, north - top * step, step, step),
    }  # fmt: skip
    back = way(crs, place.crs)
    numbers = np.concatenate([np.arange(*span) for span in spans])
    x, y = west + (numbers + 0.5) * step, north - (np.arange(top, top + height) + 0.5) * step
    across, up = back.transform(*np.meshgrid(x, y))
    found = np.asarray(values((across - place.west) / 1000, (up - place.south) / 1000), float)
    cells = np.where(np.isnan(found), np.nan if nodata is None else nodata, found).astype(dtype)
    with rasterio.open(path, "w", **profile) as file:
        for first, last in spans:
            window = Window(first - start, 0, last - first, height)
            file.write(cells[:, (numbers >= first) & (numbers < last)], 1, window=window)
    return path


def land_at(codes: dict[str, float], nothing: float) -> Values:
    """Return the code of the land at a point, and ``nothing`` outside the town."""

    def values(x: Any, y: Any) -> Any:
        found = np.full(np.shape(x), nothing)
        for (column, row), kind in LAND.items():
            found[(x // 1 == column) & (y // 1 == row)] = codes[kind]
        return found

    return values
