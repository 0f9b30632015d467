"""What the report's map shows beside the units: the coarse grid's cells in classes, water and roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import powers_of_ten
from carbongrid.outputs.figures.scales import ranges_of_powers, sequential
from carbongrid.outputs.numbers import counted_in
from carbongrid.outputs.report.drawings import length_in_words, paths_of, simplified
from carbongrid.outputs.result import cell_side
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from carbongrid.outputs.report.drawings import ZoneMap

LAYER_BYTES = 990_000
"""What grid, parcels, water and roads may take of the page together: with their tags and legends less than 1 MB."""

_VERTICES = 15_000  # of water, and of roads
_SPAN = 6.0  # drawing units: what is smaller is a speck on the map


@dataclass(frozen=True)
class CellClass:
    """The cells of one class as one outline, SVG path data in drawing units."""

    colour: str
    text_en: str
    text_zh: str
    count: int
    path: str


@dataclass(frozen=True)
class Cells:
    """Emissions per cell, from the highest class to the lowest; ``side`` is that of a cell as drawn, m, ``unit_zh`` that of the Chinese texts."""

    side: float
    classes: tuple[CellClass, ...]
    unit_zh: str

    @property
    def size(self) -> int:
        """Bytes of the outlines."""
        return sum(len(each.path) for each in self.classes)

    @property
    def side_text(self) -> str:
        """The side as people say it."""
        return length_in_words(self.side)


def coarse_cells(
    grid: xr.Dataset, drawing: ZoneMap, room: int = LAYER_BYTES, gas: Gas = ALL_GASES
) -> Cells | None:
    """Return the cells that emit, by powers of ten as the grid's own style has them; None where none does.

    Parameters
    ----------
    grid
        int64 ``emission`` in g yr-1, dims (y, x), north up, and its resolution in m.
    drawing
        Where they are drawn.
    room
        Bytes that the outlines may take. Where they take more, blocks of two by two cells are drawn, and so on.
    gas
        What they emit.
    """
    side = cell_side(grid)
    corner = float(grid["x"][0]) - side / 2, float(grid["y"][0]) + side / 2
    tonnes = grid["emission"].to_numpy() / 1e6
    if not (tonnes > 0).any():
        return None
    cells = _classed(tonnes, _Transform(*corner, side, drawing), gas)
    while cells.size > room and tonnes.size > 1:
        tonnes, side = _halved(tonnes), 2 * side
        cells = _classed(tonnes, _Transform(*corner, side, drawing), gas)
    return cells


def _classed(tonnes: NDArray[np.float64], to_drawing: _Transform, gas: Gas) -> Cells:
    """Return the cells that emit in their classes."""
    emitting = tonnes[tonnes > 0]
    bounds = powers_of_ten(emitting)
    colours = sequential("YlOrRd", len(bounds) + 1)
    place = np.where(tonnes > 0, np.searchsorted(bounds, tonnes), -1)
    edges = [float(emitting.min()), *bounds, float(emitting.max())]
    factor, unit_zh = counted_in(edges[-1], 1e-4, gas.told("CO₂e"))
    texts = zip(ranges_of_powers(edges), ranges_of_powers(edges, factor), strict=True)
    classes = [
        CellClass(colour, *text, int((place == k).sum()), _runs(place == k, to_drawing))
        for k, (colour, text) in enumerate(zip(colours, texts, strict=True))
        if (place == k).any()
    ]
    return Cells(to_drawing.side, tuple(reversed(classes)), unit_zh)


def _halved(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over blocks of two by two cells, from the north-west corner."""
    height, width = values.shape
    whole = np.pad(values, ((0, height % 2), (0, width % 2)))
    blocks = whole.reshape(whole.shape[0] // 2, 2, whole.shape[1] // 2, 2)
    sums: NDArray[np.float64] = blocks.sum(axis=(1, 3))
    return sums


@dataclass(frozen=True)
class _Transform:
    """Edges of columns and rows of cells, from metres to whole drawing units: neighbours share them."""

    west: float
    north: float
    side: float
    drawing: ZoneMap

    def x(self, column: int) -> int:
        return round((self.west + column * self.side - self.drawing.west) / self.drawing.metres)

    def y(self, row: int) -> int:
        return round((self.drawing.north - self.north + row * self.side) / self.drawing.metres)


def _runs(inside: NDArray[np.bool_], to_drawing: _Transform) -> str:
    """Return cells side by side in a row as one rectangle each."""
    pieces = []
    for row in np.flatnonzero(inside.any(axis=1)).tolist():
        top, height = to_drawing.y(row), to_drawing.y(row + 1) - to_drawing.y(row)
        ends = np.flatnonzero(np.diff(np.concatenate([[False], inside[row], [False]])))
        for first, last in zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True):
            left, width = to_drawing.x(first), to_drawing.x(last) - to_drawing.x(first)
            pieces.append(f"M{left} {top}h{width}v{height}h-{width}z")
    return "".join(pieces)


def shown_land(parcels: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which parcels are water, and which are roads: the land that the map shows by itself."""
    return _is_water(parcels), _is_road(parcels)


def _is_water(parcels: pd.DataFrame) -> NDArray[np.bool_]:
    return (parcels["type"] == "water").to_numpy(bool)


def _is_road(parcels: pd.DataFrame) -> NDArray[np.bool_]:
    return (parcels["mode"] == "road").to_numpy(bool)


def water_path(parcels: gpd.GeoDataFrame, drawing: ZoneMap) -> str:
    """Return the water among the parcels as SVG path data, the largest first, specks left out; empty where there is none."""
    return _path_of_land(parcels, _is_water(parcels), drawing)


def road_path(parcels: gpd.GeoDataFrame, drawing: ZoneMap) -> str:
    """Return the land of roads as SVG path data, the largest first, specks left out; empty where no parcel is a road."""
    return _path_of_land(parcels, _is_road(parcels), drawing)


def _path_of_land(parcels: gpd.GeoDataFrame, chosen: NDArray[np.bool_], drawing: ZoneMap) -> str:
    # Specks left out before they are taken apart as well: of 140,000 parcels 0.15 s.
    whole = _no_specks(geometries_of(parcels, chosen), drawing)
    shapes = _no_specks(shapely.get_parts(whole), drawing)
    shapes = simplified(shapes, 1.2 * drawing.metres, False, _VERTICES)
    shapes = shapes[np.lexsort((np.arange(len(shapes)), -shapely.area(shapes)))]
    room, fit = _VERTICES, []
    for size in shapely.get_num_coordinates(shapes).tolist():
        fit.append(size <= room)
        room -= size if fit[-1] else 0
    offset = np.array([drawing.west, drawing.north])
    return "".join(paths_of(shapes[np.array(fit, bool)], offset, 1 / drawing.metres))


def _no_specks(shapes: NDArray[np.object_], drawing: ZoneMap) -> NDArray[np.object_]:
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    span = np.hypot(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / drawing.metres
    large: NDArray[np.object_] = shapes[span >= _SPAN]
    return large
