"""Polygons where tasks find them: in this process's memory, or on storage that workers share.

What is sent to a task is a path and a number of a tile, whatever the polygons weigh; the task maps the arrays and reads
only the rows of its tile.
"""

from __future__ import annotations

import functools
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.stores import open_arrays
from carbongrid.raster.polygons import Polygons, Tiles

_ARRAYS = ("x", "y", "ring_start", "part_start", "row_start", "bounds")
_OPEN_AT_ONCE = 4


class PolygonSource(Protocol):
    """Where the polygons of a tile are taken from."""

    def of_tile(self, tile: int) -> tuple[Polygons, NDArray[np.int64]]:
        """Return the polygons that may touch a tile, and their labels."""


@dataclass(frozen=True, eq=False)
class InMemory:
    """Polygons of this process, for threads."""

    polygons: Polygons
    tiles: Tiles

    def of_tile(self, tile: int) -> tuple[Polygons, NDArray[np.int64]]:
        """Return the polygons that may touch a tile, and their labels."""
        rows = self.tiles.touching(tile)
        return self.polygons.take(rows), rows + 1


@dataclass(frozen=True)
class OnDisk:
    """Polygons in a folder of arrays, for workers and processes.

    A worker keeps what it opened by the folder's name, so no name is ever used twice.
    """

    folder: Path

    @classmethod
    def written(cls, parent: Path, polygons: Polygons, tiles: Tiles) -> OnDisk:
        """Write the arrays, and which rows touch which tile, into a new folder."""
        folder = parent / uuid.uuid4().hex
        folder.mkdir(parents=True)
        if polygons.place is not None:
            # Mapped ones are stored in another order than that of their rows.
            polygons = polygons.take(np.arange(len(polygons)))
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(polygons, name))
        np.save(folder / "tile_start.npy", tiles.start)
        np.save(folder / "tile_rows.npy", tiles.rows)
        return cls(folder)

    def of_tile(self, tile: int) -> tuple[Polygons, NDArray[np.int64]]:
        """Return the polygons that may touch a tile, and their labels."""
        polygons, start, tile_rows = _opened(self.folder)
        rows = np.asarray(tile_rows[start[tile] : start[tile + 1]], dtype=np.int64)
        return polygons.take(rows), rows + 1


@functools.lru_cache(maxsize=_OPEN_AT_ONCE)
def _opened(folder: Path) -> tuple[Polygons, NDArray[np.int64], NDArray[np.int64]]:
    def mapped(name: str) -> NDArray[np.generic]:
        array: NDArray[np.generic] = open_arrays(folder / f"{name}.npy", "r")
        return array

    polygons = Polygons(*(mapped(name) for name in _ARRAYS))  # type: ignore[arg-type]
    return polygons, np.asarray(mapped("tile_start"), np.int64), mapped("tile_rows")  # type: ignore[return-value]


@contextmanager
def spill_polygons(
    store: Path, layers: dict[str, Polygons], grid: Grid, side: int, *, travels: bool
) -> Iterator[dict[str, PolygonSource]]:
    """Give the layers to tasks: from memory, or where tasks ``travel``, from a folder beside the store."""
    folder = store.with_name(f"{store.name}.polygons")
    sources: dict[str, PolygonSource] = {}
    shutil.rmtree(folder, ignore_errors=True)  # what a run that was killed left
    try:
        for name, polygons in layers.items():
            tiles = polygons.tiles(grid, side)
            if travels:
                sources[name] = OnDisk.written(folder, polygons, tiles)
            else:
                sources[name] = InMemory(polygons, tiles)
        yield sources
    finally:
        shutil.rmtree(folder, ignore_errors=True)
