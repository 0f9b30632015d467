"""The doors for input that does not fit: the least that a case takes, from headers alone, and the most, from what was read (docs/decisions/0044)."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.case import Case
from carbongrid.case.evidence import RASTER_SUFFIXES
from carbongrid.case.readers.extents import extent, geographic_bounds, raster_cells, unpacked_size
from carbongrid.case.readers.grid_crs import Bounds
from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.people import PeopleGrid
from carbongrid.case.readers.vector import count_features
from carbongrid.errors import InputError
from carbongrid.pipeline.rasterizing import keeps_labels
from carbongrid.raster.chunked import threads_at_once
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import CHUNK
from carbongrid.raster.polygons.outlines import outlines_of

BASE_MEMORY = 0.48
"""GB of a process with all libraries: the least peak was 0.54 GB, with 962 parcels."""

TILES, TILES_OF_EXACT, PER_SMALL_PARCEL, PER_PARCEL = 0.1, 0.05, 14e-6, 0.5e-6
"""GB: tiles and buffers once there is land to fill them, fewer where areas are exact, and per parcel until then and from then on.

Below the least peaks that were measured, since who is refused could not have run: 1.17 GB with a million squares and three categories, 0.94 GB with 490,000; 0.70 GB with 20,490 parcels of the
demo, 0.72 GB of it with exact areas; 0.62 GB with 9,848; with 25 categories 0.85 GB with 60,000, and 2.1 GB with a million of 27 vertices. benchmarks/memory.py measures.
"""

PARCEL_COPIES, COPIES = 2.5, 4
"""Coordinates of parcels, and those of anything else, are held about so often at once: as geometries, as arrays, and what is made on the way. 3.8 and 6.8 were measured of parcels with 26 and 16 million vertices, all else included."""

TEXT_COPIES = 12
"""Bytes per byte of a CSV: 15 were measured on 300,000 POIs, 13 on as many points of people."""

PER_COARSE_CELL = 270
"""Bytes; 257 to 540 were measured on the small demo with 7.5 million cells of 8 m, the more the more is written at once, 380 by now."""

PER_CELL_OF_PEOPLE = 64
"""Bytes: as read, as decimal numbers, as thousandths, a mask, and their temporaries."""

MAX_BASE = 0.75e9
"""Bytes of a process with all libraries that has written report and figures; 0.54 to 0.62 GB were measured."""

MAX_BYTES_PER_PARCEL, MAX_BYTES_PER_RING, MAX_BYTES_PER_VERTEX, MAX_BYTES_PER_MASS = (
    6000,
    6000,
    250,
    60,
)
"""Bytes of a parcel, of each ring of it, of each vertex, and of the mass of one category on one parcel."""

MAX_BYTES_PER_TILE_CELL, MAX_BYTES_PER_WEIGHT = 24, 100
"""Bytes of a cell of a tile that is worked on, and of its values where there is a weight raster."""

MAX_BYTES_PER_COARSE_CELL, MAX_BYTES_PER_CELL_OF_PEOPLE, MAX_TIMES_TABLES = 600, 100, 1.6
"""Bytes; of tables of points, times what is estimated at least."""

_ROWS_COUNTED = 1000

_PREFIXES = ("", "K", "M", "G", "T")
_MEMORY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", re.IGNORECASE)


def bytes_of(memory: str) -> int:
    """Return a text such as ``4GB`` or ``512 MiB`` as bytes.

    Raises
    ------
    InputError
        If it is none.
    """
    match = _MEMORY.fullmatch(memory)
    if match is None:
        raise InputError(f"{memory!r} is no amount of memory", "memory", "Write for example 4GB.")
    step = 1024 if match[3] else 1000
    return int(float(match[1]) * step ** _PREFIXES.index(match[2].upper()))


def estimated_memory(case: Case) -> int:
    """Return about how many bytes a run of this case takes in this process at least, from headers and file sizes."""
    path = case.resolve(case.parcels.path)
    parcels = count_features(path, case.parcels.layer, case.parcels.encoding)
    layers = [case.parcels.path, case.units.path, *([case.lines.path] if case.lines else [])]
    own, *others = (_size(case, name) for name in layers)
    coordinates = PARCEL_COPIES * own + COPIES * sum(others)
    bounds = _bounds(case)
    land = max(
        1e9 * memory_of(parcels, exact=case.reduce == "exact"), 1e9 * BASE_MEMORY + coordinates
    )
    cells = PER_COARSE_CELL * _coarse_cells(case, bounds)
    people = PER_CELL_OF_PEOPLE * _people_cells(case, bounds)
    return int(land + cells + people + _beside(case, layers))


def memory_of(parcels: float, *, exact: bool = False) -> float:
    """Return about how many GB a run of so many parcels takes at least, libraries included; fewer with exact areas."""
    tiles = TILES_OF_EXACT if exact else TILES
    return BASE_MEMORY + min(PER_SMALL_PARCEL * parcels, tiles + PER_PARCEL * parcels)


def _beside(case: Case, layers: list[str]) -> int:
    """Return what points and tables take: all files that a case names but those of the land and rasters."""
    total = 0
    for _, name in case.named_files():
        if name not in layers and not name.lower().endswith(RASTER_SUFFIXES):
            copies = TEXT_COPIES if name.lower().endswith(".csv") else COPIES
            total += copies * _size(case, name)
    return total


def _size(case: Case, name: str) -> int:
    return _told(unpacked_size, case.resolve(name)) or 0


def _told[**P, R](ask: Callable[P, R], *args: P.args, **more: P.kwargs) -> R | None:
    """Return what a header tells; None of a damaged one, of which the readers say more."""
    try:
        return ask(*args, **more)
    except (RuntimeError, OSError, ValueError, zipfile.BadZipFile):
        return None


def _bounds(case: Case) -> Bounds | None:
    """Return the bounds of parcels and units in degrees, as far as headers tell them."""
    layers = [(case.parcels.path, case.parcels.layer), (case.units.path, case.units.layer)]
    found = [_told(geographic_bounds, case.resolve(path), layer) for path, layer in layers]
    known = np.array([bounds for bounds in found if bounds is not None])
    if not len(known):
        return None
    (west, south), (east, north) = known[:, :2].min(axis=0), known[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _coarse_cells(case: Case, bounds: Bounds | None) -> int:
    if bounds is None:
        return 0
    width, height = extent(bounds)
    return math.ceil(width / case.grid.coarse) * math.ceil(height / case.grid.coarse)


def _people_cells(case: Case, bounds: Bounds | None) -> int:
    """Return how many cells of a raster of people are read."""
    if case.people is None:
        return 0
    if not case.people.is_raster:
        return 0
    return _told(raster_cells, case.resolve(case.people.path), bounds) or 0


def require_memory(case: Case, memory: str) -> None:
    """Raise InputError if a run of the case is sure to take more than it may.

    Raises
    ------
    InputError
        With both numbers; also if the parcels cannot be opened, or nobody can tell what they hold.
    """
    _require(bytes_of(memory), estimated_memory(case), case)


def most_memory(inputs: Inputs, grid: Grid, *, chunks: int = 2048, tiles: int | None = None) -> int:
    """Return about how many bytes a run takes in this process at most, from what was read.

    Parameters
    ----------
    inputs
        All of them: rings, vertices and categories are counted.
    grid
        The fine grid.
    chunks
        Side of a label tile in cells, where labels are kept.
    tiles
        How many tiles are worked on in this process at once; by default as many as Dask takes threads, none where workers do it.
    """
    case = inputs.case
    height, width = grid.coarsen(case.grid.coarse).shape
    people = inputs.people.values.size if isinstance(inputs.people, PeopleGrid) else 0
    layers = [case.parcels.path, case.units.path, *([case.lines.path] if case.lines else [])]
    lines = _size(case, case.lines.path) if case.lines else 0
    return int(
        MAX_BASE
        + _most_of_land(inputs)
        + _most_of_tiles(inputs, grid, chunks, tiles)
        + MAX_BYTES_PER_COARSE_CELL * height * width
        + MAX_BYTES_PER_CELL_OF_PEOPLE * people
        + MAX_TIMES_TABLES * (_beside(case, layers) + 2 * COPIES * lines)
    )


def _most_of_land(inputs: Inputs) -> int:
    (rings, vertices), of_units = map(_rings_and_vertices, (inputs.parcels, inputs.units))
    rings, vertices = rings + of_units[0], vertices + of_units[1]
    parcels = len(inputs.parcels)
    return (
        MAX_BYTES_PER_PARCEL * parcels
        + MAX_BYTES_PER_RING * max(rings - parcels, 0)
        + MAX_BYTES_PER_VERTEX * vertices
        + MAX_BYTES_PER_MASS * parcels * len(inputs.categories)
    )


def _most_of_tiles(inputs: Inputs, grid: Grid, chunks: int, tiles: int | None) -> int:
    weighted = any(each.structure for each in inputs.categories.values())
    if not keeps_labels(inputs):
        if inputs.case.reduce == "exact":
            return 0
        chunks = CHUNK  # tiles that are counted alone are of no size that is asked for
    there = math.prod(-(-side // chunks) for side in grid.shape)
    at_once = min(threads_at_once() if tiles is None else tiles, there)
    cells = math.prod(min(side, chunks) for side in grid.shape)
    return at_once * cells * (MAX_BYTES_PER_TILE_CELL + MAX_BYTES_PER_WEIGHT * weighted)


def _rings_and_vertices(layer: Any) -> tuple[int, int]:
    held = outlines_of(layer)
    if held is not None:
        return held.polygons.ring_start.size - 1, held.polygons.x.size
    geometry = layer.geometry.to_numpy()
    return count_rings(geometry), int(shapely.get_num_coordinates(geometry).sum())


def count_rings(polygons: NDArray[np.object_]) -> int:
    """Return how many rings polygons have, a thousand of them at once, since their parts are copies."""
    count = 0
    for first in range(0, len(polygons), _ROWS_COUNTED):
        parts = shapely.get_parts(polygons[first : first + _ROWS_COUNTED])
        count += len(parts) + int(shapely.get_num_interior_rings(parts).sum())
    return count


def require_memory_of_inputs(
    inputs: Inputs, memory: str, grid: Grid, *, chunks: int, tiles: int | None
) -> None:
    """Raise InputError if a run of what was read may take more than it may.

    Headers do not tell rings and categories, and may lie. The most is an estimate that was measured, not proven, and nothing
    ends this process above it (docs/decisions/0044).

    Raises
    ------
    InputError
        With both numbers.
    """
    limit, needed = bytes_of(memory), most_memory(inputs, grid, chunks=chunks, tiles=tiles)
    if needed > limit:
        parcels, categories = len(inputs.parcels), len(inputs.categories)
        rings, _ = _rings_and_vertices(inputs.parcels)
        raise InputError(
            f"the case takes up to about {needed / 1e9:.1f} GB of memory, more than the {limit / 1e9:.1f} GB that it may: "
            f"{parcels:,} parcels of {rings:,} rings, {categories:,} categories",
            inputs.case.path.name,
            "Allow more with --memory, take a part of the region, fewer categories, or simpler polygons.",
        )


def _require(limit: int, needed: int, case: Case) -> None:
    if needed > limit:
        raise InputError(
            f"the case takes at least about {needed / 1e9:.1f} GB of memory, more than the {limit / 1e9:.1f} GB that it may",
            case.path.name,
            "Allow more with --memory, take a part of the region, or a larger machine.",
        )
