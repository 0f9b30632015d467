"""Land as surveys draw it, made up: clustered Voronoi parcels, ribbons, holes with islands, parcels under a cell."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

CRS = "EPSG:3035"
ISLANDS = 0.02
RIBBONS = 0.03
SPECKS = 0.01
# A vertex every so many metres along an edge, as digitised boundaries have them.
DETAIL = 60.0


def parcels(count: int, side: float, seed: int = 0) -> gpd.GeoDataFrame:
    """Return about count parcels in a square of side m: two thirds of them in clusters, as in towns."""
    random = np.random.default_rng(seed)
    everything = [
        *_holed_and_islands(random, round(count * (1 - ISLANDS - RIBBONS - SPECKS)), side),
        _ribbons(random, round(count * RIBBONS), side),
        _specks(random, round(count * SPECKS), side),
    ]
    return _frame(np.concatenate(everything))


def partition(count: int, side: float, seed: int = 0) -> gpd.GeoDataFrame:
    """Return about count parcels of which none overlaps another, to the centimetre, as a land survey publishes them."""
    random = np.random.default_rng(seed)
    exact = np.concatenate(_holed_and_islands(random, round(count * (1 - ISLANDS)), side))
    rounded = shapely.transform(exact, lambda xy: np.round(xy, 2))
    return _frame(np.where(shapely.is_valid(rounded), rounded, exact))


def _frame(geometry: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"id": [f"{i:08d}" for i in range(len(geometry))]}, geometry=geometry, crs=CRS
    )


def townships(count: int, side: float, seed: int = 1) -> gpd.GeoDataFrame:
    """Return count units that cover the square, their borders drawn in detail."""
    random = np.random.default_rng(seed)
    geometry = _voronoi(random.random((count, 2)) * side, side)
    return gpd.GeoDataFrame(
        {"id": [f"{i:04d}" for i in range(len(geometry))]}, geometry=geometry, crs=CRS
    )


def _holed_and_islands(
    random: np.random.Generator, count: int, side: float
) -> tuple[np.ndarray, np.ndarray]:
    cells = _voronoi(_points(random, count, side), side)
    every = max(round(1 / ISLANDS), 1)
    islands = _islands(cells[::every])
    holed = cells.copy()
    holed[::every] = shapely.difference(holed[::every], islands)
    return holed, islands


def _points(random: np.random.Generator, count: int, side: float) -> np.ndarray:
    clustered = 2 * count // 3
    towns = random.random((max(count // 500, 1), 2)) * side
    near = towns[random.integers(len(towns), size=clustered)] + random.normal(
        0, side / 60, (clustered, 2)
    )
    points = np.concatenate([np.mod(near, side), random.random((count - clustered, 2)) * side])
    return np.round(points, 1)


def _voronoi(points: np.ndarray, side: float) -> np.ndarray:
    square = shapely.box(0, 0, side, side)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=square)
    )
    cells = shapely.segmentize(shapely.intersection(cells, square), DETAIL)
    return cells[~shapely.is_empty(cells)]


def _islands(cells: np.ndarray) -> np.ndarray:
    """Half as wide as the parcel that they lie in, so they leave a ring of it."""
    centres = shapely.centroid(cells)
    reach = shapely.distance(centres, shapely.boundary(cells)) * 0.5
    return shapely.buffer(centres, np.maximum(reach, 0.5), quad_segs=3)


def _ribbons(random: np.random.Generator, count: int, side: float) -> np.ndarray:
    """Roads and canals: crooked, long, a few metres wide, above what they cross."""
    start = random.random((count, 1, 2)) * side
    steps = random.normal(0, 120, (count, 12, 2)) + random.normal(0, 120, (count, 1, 2))
    lines = shapely.linestrings(np.clip(start + np.cumsum(steps, axis=1), 0, side))
    ribbons = shapely.buffer(lines, random.uniform(2, 15, count), cap_style="flat", quad_segs=2)
    inside = shapely.intersection(ribbons, shapely.box(0, 0, side, side))
    return inside[~shapely.is_empty(inside)]


def _specks(random: np.random.Generator, count: int, side: float) -> np.ndarray:
    corner = random.random((2, count)) * (side - 10)
    size = random.uniform(1, 9, (2, count))
    return shapely.box(corner[0], corner[1], corner[0] + size[0], corner[1] + size[1])
