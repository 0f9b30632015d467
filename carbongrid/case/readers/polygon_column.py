"""A column of geometry that holds its polygons as coordinates: GeoPandas' own, which makes those rows into geometries that somebody asks for."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from geopandas.array import GeometryArray
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case.readers.kept_polygons import KeptPolygons
from carbongrid.raster.polygons.outlines import Outlines
from carbongrid.raster.row_blocks import row_blocks


class PolygonColumn(GeometryArray):  # type: ignore[misc]
    """Polygons of a table: rows that follow each other are a view; what else is taken of it is a column of geometries as any other, and so is itself once it is written to.

    Each time that all geometries are asked for they are made anew, so whoever needs some asks for those (:func:`carbongrid.raster.polygons.outlines.geometries_of`).
    Polygons that lie in a file are read by the first who asks for ``outlines``, be it only for whether there are any; size, CRS, bounds and what is taken whole need none.

    Parameters
    ----------
    held
        The polygons, or where they are.
    crs
        Their CRS.
    """

    def __init__(self, held: Outlines | KeptPolygons, crs: CRS | None) -> None:
        self._held = held
        self._crs = None
        self.crs = crs
        self._sindex = None

    @property
    def outlines(self) -> Outlines:
        """The polygons as coordinates."""
        return self._held.outlines if isinstance(self._held, KeptPolygons) else self._held

    @property
    def kept(self) -> KeptPolygons | None:
        """Where the polygons are, while nobody has asked for their coordinates; None if they are here."""
        held = self._held
        return held if isinstance(held, KeptPolygons) and held.is_unread else None

    @property
    def digest(self) -> str:
        """The sha256 of the polygons (:func:`carbongrid.raster.polygons.outlines.digest_of_binary`), made once."""
        return self._held.digest

    @property
    def _data(self) -> NDArray[np.object_]:
        """What GeoPandas works on."""
        return self.outlines.geometries()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """Bytes of the coordinates and their structure."""
        return self.outlines.nbytes

    @property
    def bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of each row."""
        kept = self.kept
        return (self.outlines.polygons.bounds if kept is None else kept.bounds).copy()

    @property
    def total_bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of all rows."""
        kept = self.kept
        bounds: NDArray[np.float64] = (
            super().total_bounds if kept is None else kept.total_bounds.copy()
        )
        return bounds

    def __iter__(self) -> Iterator[Any]:
        for rows in row_blocks(self.size):
            yield from self.outlines.geometries(rows)

    def isna(self) -> NDArray[np.bool_]:
        """Return False for each row: none is missing."""
        return np.zeros(self.size, np.bool_)

    def copy(self, *_: Any, **__: Any) -> PolygonColumn:
        """Return a column of the same polygons, which are never changed."""
        return PolygonColumn(self._held, self.crs)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, numbers.Integral):
            return self.outlines.geometries(np.array([range(self.size)[int(rows)]]))[0]
        if isinstance(rows, slice) and rows.indices(self.size) == (0, self.size, 1):
            return self.copy()
        if isinstance(rows, slice) and not range(self.size)[rows]:
            return GeometryArray(np.empty(0, object), crs=self.crs)
        rows = pd.api.indexers.check_array_indexer(self, rows)
        if isinstance(rows, slice) and rows.step in (None, 1):
            return PolygonColumn(self.outlines.take(rows), self.crs)
        return self._of(np.arange(self.size)[rows])

    def take(self, indices: Any, allow_fill: bool = False, fill_value: Any = None) -> GeometryArray:
        """Return the geometries of these rows, as pandas has it."""
        rows = np.asarray(indices, np.int64)
        if allow_fill and (rows < 0).any():
            return super().take(indices, allow_fill=allow_fill, fill_value=fill_value)
        return self._of(np.arange(self.size)[rows])

    def _of(self, rows: NDArray[np.int64]) -> GeometryArray:
        return GeometryArray(self.outlines.geometries(rows), crs=self.crs)

    def __setitem__(self, rows: Any, value: Any) -> None:
        # It has its own geometries from now on, as any other column; copies and views keep what they had.
        geometries = self._data
        del self._held
        self.__class__ = GeometryArray
        self._data = geometries  # type: ignore[misc]
        self[rows] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return GeometryArray, (self._data, self.crs)
