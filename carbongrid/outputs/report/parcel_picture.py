"""The parcels on the report's map: a picture of what they emit per area, since a million outlines are too many for a page."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import shapely

from carbongrid.method.gas import ALL_GASES, Gas
from carbongrid.outputs.figures.classes import powers_of_ten
from carbongrid.outputs.figures.scales import ranges_of_powers, sequential
from carbongrid.outputs.numbers import counted_in
from carbongrid.outputs.report.base_map import dots_of_parcels
from carbongrid.outputs.report.ground import LAYER_BYTES
from carbongrid.outputs.report.layers import Entry
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from carbongrid.outputs.report.base_map import BaseMap

_FAST = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)
_FILTERED = -1  # what Pillow takes unasked
_BAND, _BANDS = 16, 8
"""Of so many bands of so many rows one is tried."""
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
    unit_zh
        What the Chinese texts of the classes are in.
    """

    png: str
    left: float
    top: float
    width: float
    height: float
    entries: tuple[Entry, ...]
    unit_zh: str


def parcel_picture(
    parcels: gpd.GeoDataFrame, base: BaseMap, room: int = LAYER_BYTES, gas: Gas = ALL_GASES
) -> ParcelPicture | None:
    """Return the parcels in classes of emission per area, by powers of ten; None where none emits.

    Parameters
    ----------
    parcels
        int64 ``emission_g`` and float64 ``area_m2``, geometry in the plane of the drawing.
    base
        Where they are drawn, and which of them is seen at each dot.
    room
        Bytes that the picture may take of the page.
    gas
        What they emit.

    Notes
    -----
    A dot shows the parcel that covers its centre, so what is smaller than one may be missing. Dots are made larger until the
    picture is small enough.
    """
    grams = parcels["emission_g"].to_numpy(np.int64)
    if not grams.any():
        return None
    stated = parcels["area_m2"].to_numpy(np.float64)
    # A table may state an area of 0 for land that is there, and that emits.
    unstated = np.flatnonzero(~(stated > 0))
    area = stated.copy()
    if unstated.size:
        area[unstated] = shapely.area(geometries_of(parcels, unstated))
    density = grams / area  # g per m2 is t per km2
    emitting = density[density > 0]
    bounds = powers_of_ten(emitting)
    edges = [float(emitting.min()), *bounds, float(emitting.max())]
    factor, unit_zh = counted_in(edges[-1], 1e-4, gas.told("CO₂e/km²·年"))
    classes = np.where(density > 0, np.searchsorted(bounds, density), -1)
    colours = sequential("YlOrRd", len(bounds) + 1)
    # Where no parcel is, 0, which is transparent; then without emissions, then the classes.
    places, drawing = np.append(0, classes + 2).astype(np.uint8), base.zones
    for dots in chain(base.dots, dots_of_parcels(parcels, drawing, len(base.dots))):
        png = _address(_png(places[dots.parcel], [_NOTHING, *colours]))
        if len(png) <= room:
            west, south, east, north = dots.bounds
            break
    return ParcelPicture(
        png=png,
        left=(west - drawing.west) / drawing.metres,
        top=(drawing.north - north) / drawing.metres,
        width=(east - west) / drawing.metres,
        height=(north - south) / drawing.metres,
        entries=_entries(edges, factor, colours, classes),
        unit_zh=unit_zh,
    )


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _entries(
    edges: list[float], factor: float, colours: Sequence[str], classes: NDArray[np.int64]
) -> tuple[Entry, ...]:
    """Return the legend, the highest class first; its Chinese numbers are multiplied by ``factor``."""
    texts = zip(ranges_of_powers(edges), ranges_of_powers(edges, factor), strict=True)
    counts = np.bincount(classes[classes >= 0], minlength=len(colours)).tolist()
    named = [Entry(colour, *text, count) for colour, text, count in zip(colours, texts, counts, strict=True) if count]  # fmt: skip
    nothing = int((classes < 0).sum())
    none = (Entry(_NOTHING, "none", "无", nothing),) if nothing else ()
    return (*reversed(named), *none)


def _png(pixels: NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """Return a picture of a palette whose first colour is transparent, packed in a way that makes it small.

    Of a million parcels, each of a few pixels, codes of frequent bytes alone make 0.67 MB in 0.04 s, where a thorough search for repeated ones made 0.75 MB in 2.1 s. Of few
    large parcels it is the other way round, and a search is fast. What pays is tried on bands of rows from all over a large picture.
    """
    bits = 4 if len(colours) < 15 else 8
    palette = [0, 0, 0, *(int(colour[i : i + 2], 16) for colour in colours for i in (1, 3, 5))]

    def packed(rows: NDArray[np.uint8], how: int, **more: int) -> bytes:
        from PIL import Image

        image, stream = Image.fromarray(rows, "P"), io.BytesIO()
        image.putpalette(palette)
        image.save(stream, "PNG", transparency=0, bits=bits, compress_type=how, **more)
        return stream.getvalue()

    band = np.arange(len(pixels)) // _BAND
    tried = pixels[band % _BANDS == 0] if band[-1] >= _BANDS else pixels
    sizes = {how: len(packed(tried, how)) for how in (*_FAST, zlib.Z_DEFAULT_STRATEGY)}
    quick = min(_FAST, key=sizes.__getitem__)
    smallest = packed(pixels, quick)
    if sizes[zlib.Z_DEFAULT_STRATEGY] >= _WORTH_A_SEARCH * sizes[quick]:
        return smallest
    searched = packed(pixels, zlib.Z_DEFAULT_STRATEGY)
    return min(smallest, searched, packed(pixels, _FILTERED, compress_level=9), key=len)
