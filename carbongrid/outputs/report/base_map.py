"""The report's base map: what it shows of outlines, whatever they emit. Of the same land in another year it is the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.outputs.report.drawings import ZoneMap, zone_map
from carbongrid.outputs.report.ground import road_path, water_path
from carbongrid.outputs.report.unit_table import areas_of_units
from carbongrid.raster.grid import Bounds, Grid
from carbongrid.raster.labels import burn_window
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_FINEST = 1.0
"""Side of the finest dots in drawing units."""
_COARSER = 2**0.5
_AT_ONCE = 3
"""Sizes of dots for which polygons are prepared once: of a million parcels that takes longer than to burn them."""
_KEPT = 3
"""Of a million parcels the second size is small enough for the page, or the third where they are of many classes."""


@dataclass(frozen=True, eq=False)
class ParcelDots:
    """Which parcel is seen at each dot of a picture.

    Parameters
    ----------
    bounds
        West, south, east and north of the picture in the plane of the parcels.
    parcel : uint32, shape (rows, columns)
        The row, counted from 1, of the parcel that covers the dot's centre, the last one where several do; 0 where none does.
    """

    bounds: Bounds
    parcel: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class BaseMap:
    """What the report's map shows of outlines.

    Parameters
    ----------
    zones
        Outlines of the units and of their parents.
    areas : float64, shape (units,)
        Area of each unit on the ellipsoid, m2.
    water, roads
        Land of these kinds as SVG path data.
    dots
        The parcels on pictures of the first sizes of :func:`dots_of_parcels`; none without parcels.
    """

    zones: ZoneMap
    areas: NDArray[np.float64]
    water: str
    roads: str
    dots: tuple[ParcelDots, ...]


def draw_base_map(
    units: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, parents: Iterable[str]
) -> BaseMap:
    """Draw the base map.

    Parameters
    ----------
    units
        In a projected CRS, north up, with the columns ``parents``.
    parcels
        In the same CRS, with ``type`` and ``mode``.
    parents
        Nearest first: borders of the nearest are drawn.
    """
    zones = zone_map(units, next(iter(parents), None))
    dots = itertools.islice(dots_of_parcels(parcels, zones), _KEPT if len(parcels) else 0)
    return BaseMap(
        zones=zones,
        areas=areas_of_units(units),
        water=water_path(parcels, zones),
        roads=road_path(parcels, zones),
        dots=tuple(dots),
    )


def dots_of_parcels(
    parcels: gpd.GeoDataFrame, zones: ZoneMap, first: int = 0
) -> Iterator[ParcelDots]:
    """Yield what is seen of the parcels in dots of larger and larger size, beginning with one of these sizes, without end."""
    west, north = zones.west, zones.north
    frame = (west, north - zones.height * zones.metres, west + zones.width * zones.metres, north)
    for size in itertools.count(first, _AT_ONCE):
        sides = [_FINEST * _COARSER**each * zones.metres for each in range(size, size + _AT_ONCE)]
        grids = [Grid(parcels.crs, side, frame) for side in sides]
        for grid, seen in zip(grids, _burnt(parcels, grids), strict=True):
            yield ParcelDots(grid.bounds, seen)


def _burnt(parcels: gpd.GeoDataFrame, grids: list[Grid]) -> list[NDArray[np.uint32]]:
    def burn(rows: slice) -> list[tuple[tuple[slice, slice], NDArray[np.uint32]]]:
        # Prepared block by block, since a million prepared at once take half a gigabyte.
        polygons, burnt = Polygons.of(parcels.geometry.iloc[rows]), []
        numbers = np.arange(rows.start, rows.start + len(polygons)) + 1
        for grid in grids:
            top, left, height, width = _around(polygons, grid)
            labels = burn_window(polygons, grid, (top, left), (height, width), numbers)
            burnt.append(((slice(top, top + height), slice(left, left + width)), labels))
        return burnt

    pictures = [np.zeros(grid.shape, np.uint32) for grid in grids]
    for burnt in each_block(burn, row_blocks(len(parcels))):
        for dots, (window, labels) in zip(pictures, burnt, strict=True):
            np.copyto(dots[window], labels, where=labels > 0)
    return pictures


def _around(polygons: Polygons, grid: Grid) -> tuple[int, int, int, int]:
    """Return a window with all cells that polygons cover: first row and column, and how many of them."""
    known = polygons.bounds[~np.isnan(polygons.bounds).any(axis=1)]
    if not len(known):
        return 0, 0, 0, 0
    (west, south), (east, north) = known[:, :2].min(axis=0), known[:, 2:].max(axis=0)
    x, y = grid.bounds[0], grid.bounds[3]
    sides = np.array([y - north, y - south, west - x, east - x]) / grid.resolution
    # A cell more on either side, for what is rounded.
    first, last = np.floor(sides[::2]).astype(int) - 1, np.floor(sides[1::2]).astype(int) + 2
    (top, left), (bottom, right) = (np.clip(ends, 0, grid.shape).tolist() for ends in (first, last))
    return top, left, bottom - top, right - left
