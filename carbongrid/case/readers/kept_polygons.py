"""Polygons that a run keeps in a file, read when somebody asks for their coordinates: of another year hardly anybody does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.errors import InputError, RunError
from carbongrid.raster.opening.files import stamp_of
from carbongrid.raster.opening.parquet import open_parquet
from carbongrid.raster.polygons.entry import multipolygons_of_wkb
from carbongrid.raster.polygons.outlines import Outlines, digest_of_binary
from carbongrid.raster.row_blocks import each_block

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as parquet
    from numpy.typing import NDArray

_SIDES = ("xmin", "ymin", "xmax", "ymax")


class KeptPolygons:
    """Polygons and multipolygons of two dimensions in a file of :func:`carbongrid.case.readers.geoparquet.write_geoparquet`, none missing, empty or with an empty part.

    Parameters
    ----------
    path
        The file. Whatever is read of it later must be of the file that is there now, by its stamp: a run that another one replaces has a file of the same name.
    digest
        That of the polygons (:func:`carbongrid.raster.polygons.outlines.digest_of_binary`), if it is known.

    Raises
    ------
    InputError
        If its footer cannot be read.
    RunError
        Whenever something is read later, if the file is gone, or is another one.
    """

    def __init__(self, path: Path, digest: str | None = None) -> None:
        self.path, self._stamp, self._digest = path, stamp_of(path), digest
        with self._opened() as file:
            self._rows, self._groups = (
                int(file.metadata.num_rows),
                int(file.metadata.num_row_groups),
            )
            told = json.loads(file.schema_arrow.metadata[b"geo"])["columns"]["geometry"]
        self.total_bounds = np.array(told.get("bbox", [np.nan] * 4), np.float64)
        self._read: Outlines | None = None
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return self._rows

    @property
    def is_unread(self) -> bool:
        """Whether nobody has asked for coordinates yet."""
        return self._read is None

    @property
    def outlines(self) -> Outlines:
        """The polygons, read once."""
        with self._reading:
            if self._read is None:
                binary = (piece for block in self.blocks for piece in self.binary_of(block))
                self._read = Outlines.of_wkb(binary)
            return self._read

    @cached_property
    def digest(self) -> str:
        """That of the polygons; where it is not known it is made of their binary, and none is taken apart."""
        if self._digest is not None:
            return self._digest

        def binary(block: int) -> list[NDArray[np.uint8]]:
            return [*map(multipolygons_of_wkb, self.binary_of(block))]

        with closing(each_block(binary, self.blocks)) as blocks:
            return digest_of_binary(piece for pieces in blocks for piece in pieces)

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of each, which stand beside them."""
        with self._opened() as file:
            box = file.read(columns=["bbox"]).column("bbox").combine_chunks()
        return np.column_stack([box.field(side).to_numpy() for side in _SIDES])

    @property
    def blocks(self) -> range:
        """Numbers of the blocks in which rows are read."""
        return range(self._groups)

    def binary_of(self, block: int) -> list[pa.Array]:
        """Return the well-known binary of a block of rows, in several arrays where one cannot hold it; several threads may ask at once."""
        with self._opened() as file:
            column = file.read_row_group(block, columns=["geometry"]).column("geometry")
        pieces: list[pa.Array] = column.chunks
        return pieces

    @contextmanager
    def _opened(self) -> Iterator[parquet.ParquetFile]:
        import pyarrow as pa

        try:
            with open_parquet(self.path) as file:
                yield file
        except (InputError, OSError, pa.ArrowException) as error:
            self._require_the_same(error)
            raise
        # It may have been replaced before it was opened.
        self._require_the_same(None)

    def _require_the_same(self, error: Exception | None) -> None:
        if stamp_of(self.path) != self._stamp:
            raise RunError(f"{self.path} was changed, moved or removed after it was opened. Do it again.") from error  # fmt: skip
