"""The parcels on the report's map: a picture of what they emit per area, since a million outlines are too many for a page."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from carbongrid.outputs.figures.classes import powers_of_ten
from carbongrid.outputs.figures.scales import ranges, sequential
from carbongrid.outputs.report.ground import LAYER_BYTES
from carbongrid.outputs.report.layers import Entry
from carbongrid.raster.grid import Bounds, Grid
from carbongrid.raster.labels import burn_window
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.outlines import geometries_of
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.outputs.report.drawings import ZoneMap

_FINEST = 1.0
"""Side of a pixel in drawing units, where the picture is small enough."""

_STRATEGIES = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY)
_WORTH_A_SEARCH = 1.02
"""A quick search for repeated bytes makes at most so many times what codes alone make, where a thorough one may make less."""

_NOTHING = "#e4e6ea"
"""Of parcels that emit nothing; what no parcel covers is transparent."""


@dataclass(frozen=True)
class ParcelPicture:
    """A picture of the parcels and its legend.

    Parameters
    ----------
    png
        As a ``data:`` address.
    left, top, width, height
        Where it lies, in drawing units.
    entries
        Classes from the highest to the lowest, t CO2e km-2 yr-1, with counts of parcels.
    """

    png: str
    left: float
    top: float
    width: float
    height: float
    entries: tuple[Entry, ...]


def parcel_picture(
    parcels: gpd.GeoDataFrame, drawing: ZoneMap, room: int = LAYER_BYTES
) -> ParcelPicture | None:
    """Return the parcels in classes of emission per area, by powers of ten; None where none emits.

    Parameters
    ----------
    parcels
        int64 ``emission_g`` and float64 ``area_m2``, geometry in the plane of the drawing.
    drawing
        Where they are drawn.
    room
        Bytes that the picture may take of the page.

    Notes
    -----
    A pixel shows the parcel that covers its centre, so what is smaller than one may be missing. Pixels are made larger until the
    picture is small enough.
    """
    grams = parcels["emission_g"].to_numpy(np.int64)
    if not grams.any():
        return None
    stated = parcels["area_m2"].to_numpy(np.float64)
    # A table may state an area of 0 for land that is there, and that emits.
    unstated = np.flatnonzero(~(stated > 0))
    area = stated.copy()
    area[unstated] = shapely.area(geometries_of(parcels, unstated))
    density = grams / area  # g per m2 is t per km2
    emitting = density[density > 0]
    bounds = powers_of_ten(emitting)
    classes = np.where(density > 0, np.searchsorted(bounds, density), -1)
    colours = sequential("YlOrRd", len(bounds) + 1)
    # Where no parcel is, 0, which is transparent; then without emissions, then the classes.
    for frame, pixels in _pictures(parcels, classes + 2, drawing):
        packed = base64.b64encode(_png(pixels, [_NOTHING, *colours])).decode()
        png = f"data:image/png;base64,{packed}"
        if len(png) <= room:
            west, south, east, north = frame
            break
    return ParcelPicture(
        png=png,
        left=(west - drawing.west) / drawing.metres,
        top=(drawing.north - north) / drawing.metres,
        width=(east - west) / drawing.metres,
        height=(north - south) / drawing.metres,
        entries=_entries([float(emitting.min()), *bounds, float(emitting.max())], colours, classes),
    )


def _pictures(
    parcels: gpd.GeoDataFrame, places: NDArray[np.int64], drawing: ZoneMap
) -> Iterator[tuple[Bounds, NDArray[np.uint8]]]:
    """Yield pictures of larger and larger pixels without end, and the bounds of each.

    Two are made at once: of a million parcels the second is needed, and to prepare them again would take longer than to burn it.
    """
    side = _FINEST
    while True:
        grids = []
        for _ in range(2):
            grids.append(Grid(parcels.crs, side * drawing.metres, _frame(drawing)))
            side *= 2**0.5
        bounds = [grid.bounds for grid in grids]
        yield from zip(bounds, _burnt(parcels, places, grids), strict=True)


def _burnt(
    parcels: gpd.GeoDataFrame, places: NDArray[np.int64], grids: Sequence[Grid]
) -> list[NDArray[np.uint8]]:
    """Return for each grid the place in the palette of the parcel that covers each pixel's centre; a later one covers an earlier one."""

    def burn(rows: slice) -> list[tuple[tuple[slice, slice], NDArray[np.uint32]]]:
        # Prepared block by block, since a million prepared at once take half a gigabyte.
        polygons, burnt = Polygons.of(parcels.geometry.iloc[rows]), []
        for grid in grids:
            top, left, height, width = _around(polygons, grid)
            labels = burn_window(polygons, grid, (top, left), (height, width), places[rows])
            burnt.append(((slice(top, top + height), slice(left, left + width)), labels))
        return burnt

    pictures = [np.zeros(grid.shape, np.uint8) for grid in grids]
    for burnt in each_block(burn, row_blocks(len(parcels))):
        for pixels, (window, labels) in zip(pictures, burnt, strict=True):
            np.copyto(pixels[window], labels, where=labels > 0, casting="unsafe")
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


def _frame(drawing: ZoneMap) -> tuple[float, float, float, float]:
    """Return what the drawing shows, west, south, east, north."""
    east = drawing.west + drawing.width * drawing.metres
    return drawing.west, drawing.north - drawing.height * drawing.metres, east, drawing.north


def _entries(
    edges: list[float], colours: Sequence[str], classes: NDArray[np.int64]
) -> tuple[Entry, ...]:
    """Return the legend, the highest class first; in Chinese counted in ten thousands of tonnes."""
    texts = zip(ranges(edges), ranges([edge / 1e4 for edge in edges]), strict=True)
    counts = np.bincount(classes[classes >= 0], minlength=len(colours)).tolist()
    named = [Entry(colour, *text, count) for colour, text, count in zip(colours, texts, counts, strict=True) if count]  # fmt: skip
    nothing = int((classes < 0).sum())
    none = (Entry(_NOTHING, "none", "无", nothing),) if nothing else ()
    return (*reversed(named), *none)


def _png(pixels: NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """Return a picture of a palette whose first colour is transparent, packed in the way that makes it smallest.

    Of a million parcels, each of a few pixels, codes of frequent bytes alone make 0.67 MB in 0.04 s, where a thorough search for repeated ones made 0.75 MB in 2.1 s. Of few
    large parcels it is the other way round, and a search is fast.
    """
    from PIL import Image

    image = Image.fromarray(pixels, "P")
    palette = [0, 0, 0, *(int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5))]
    image.putpalette(palette)

    def packed(**how: int) -> bytes:
        stream = io.BytesIO()
        image.save(stream, "PNG", transparency=0, bits=4 if len(colours) < 15 else 8, **how)
        return stream.getvalue()

    *fast, searched = (packed(compress_type=strategy) for strategy in _STRATEGIES)
    smallest = min(fast, key=len)
    if len(searched) < _WORTH_A_SEARCH * len(smallest):
        return min(smallest, searched, packed(compress_level=9), key=len)
    return smallest
