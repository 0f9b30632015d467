"""Polygons that a run keeps in a file, read when somebody asks for their coordinates: of another year hardly anybody does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.polygons.outlines import Outlines

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SIDES = ("xmin", "ymin", "xmax", "ymax")


class KeptPolygons:
    """Polygons and multipolygons of two dimensions in a file of :func:`carbongrid.case.readers.geoparquet.write_geoparquet`, none missing, empty or with an empty part.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If its footer cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_parquet(path) as file:
            rows, metadata = file.metadata.num_rows, file.schema_arrow.metadata
            self._rows, self._groups = int(rows), int(file.metadata.num_row_groups)
        told = json.loads(metadata[b"geo"])["columns"]["geometry"]
        self.total_bounds = np.array(told.get("bbox", [np.nan] * 4), np.float64)
        self._read: Outlines | None = None
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return self._rows

    @property
    def unread(self) -> bool:
        """Whether nobody has asked for coordinates yet."""
        return self._read is None

    @property
    def outlines(self) -> Outlines:
        """The polygons, read once."""
        with self._reading:
            if self._read is None:
                self._read = Outlines.of_wkb(self.binary())
            return self._read

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of each, which stand beside them."""
        with open_parquet(self.path) as file:
            box = file.read(columns=["bbox"]).column("bbox").combine_chunks()
        self._require_all(len(box))
        return np.column_stack([box.field(side).to_numpy() for side in _SIDES])

    def binary(self) -> Iterator[pa.Array]:
        """Yield the well-known binary of blocks of rows."""
        for block in self.blocks:
            yield from self.binary_of(block)

    @property
    def blocks(self) -> range:
        """Numbers of the blocks in which rows are read."""
        return range(self._groups)

    def binary_of(self, block: int) -> list[pa.Array]:
        """Return the well-known binary of a block of rows, in several arrays where one cannot hold it; several threads may ask at once.

        Raises
        ------
        InputError
            If the file is not the one that was opened.
        """
        with open_parquet(self.path) as file:
            self._require_all(file.metadata.num_rows)
            column = file.read_row_group(block, columns=["geometry"]).column("geometry")
            pieces: list[pa.Array] = column.chunks
            return pieces

    def _require_all(self, there: int) -> None:
        if there != self._rows:
            raise InputError(f"{there:,} rows are read, but the footer tells of {self._rows:,}", self.path.name, "Run the case again.")  # fmt: skip
