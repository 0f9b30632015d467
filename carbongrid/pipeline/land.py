"""Where parcels stand: the unit that covers each parcel's representative point (docs/decisions/0002)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from carbongrid.grid import Grid
from carbongrid.io.inputs import Inputs
from carbongrid.overlaps import coverage
from carbongrid.polygons import Polygons
from carbongrid.weights import locate


@dataclass(frozen=True)
class Land:
    """Parcels and units in id order, and which unit each parcel belongs to.

    Parameters
    ----------
    parcels, units
        GeoDataFrames of the readers.
    parents
        Parent columns of the units, nearest first.
    unit_of_parcel : int64, shape (parcels,)
        Row of the unit; -1 in none.
    """

    parcels: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    parents: tuple[str, ...]
    unit_of_parcel: NDArray[np.int64]

    @classmethod
    def of(
        cls, parcels: gpd.GeoDataFrame, units: gpd.GeoDataFrame, parents: tuple[str, ...]
    ) -> Land:
        """Locate every parcel."""
        points = parcels.geometry.representative_point()
        unit = locate(points.x.to_numpy(), points.y.to_numpy(), units.geometry.to_numpy())
        return cls(parcels, units, parents, unit)

    def regions_of_units(self, codes: Sequence[str]) -> NDArray[np.int64]:
        """Return, for each unit, the position of the innermost code that means it; -1 for none.

        A code means a unit, or all units below a parent.
        """
        position = {code: row for row, code in enumerate(codes)}
        found = np.full(len(self.units), -1, np.int64)
        for column in reversed(("id", *self.parents)):
            named = self.units[column].map(position).fillna(-1).to_numpy(np.int64)
            found = np.where(named >= 0, named, found)
        return found

    def regions_of_parcels(self, codes: Sequence[str]) -> NDArray[np.int64]:
        """Return, for each parcel, the position of its region's code; -1 for none."""
        rows: NDArray[np.int64] = np.append(self.regions_of_units(codes), -1)[self.unit_of_parcel]
        return rows

    def ambiguous(self, codes: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
        """Return the codes that mean different land in different columns of the units, with those columns."""
        levels = {column: self.units.groupby(column).indices for column in ("id", *self.parents)}
        found = []
        for code in codes:
            meanings = {
                column: tuple(rows[code].tolist())
                for column, rows in levels.items()
                if code in rows
            }
            if len(set(meanings.values())) > 1:
                found.append((code, tuple(meanings)))
        return found

    @cached_property
    def shared_area(self) -> Any:
        """Area that each parcel has in common with each unit, CSR, m2 of the grid's plane."""
        return coverage(Polygons.of(self.parcels), Polygons.of(self.units))

    @property
    def shares_of_area(self) -> Any:
        """Share of each parcel's area that lies in each unit, CSR."""
        area = np.maximum(self.parcels.geometry.area.to_numpy(), np.finfo(np.float64).tiny)
        return sparse.diags_array(1.0 / area, format="csr") @ self.shared_area

    @property
    def covered(self) -> float:
        """Area that parcels and units have in common, m2 of the grid's plane."""
        return float(self.shared_area.sum())

    @property
    def share_in_units(self) -> float:
        """Share of the parcels' area that units cover."""
        whole = float(self.parcels.geometry.area.sum())
        return min(self.covered / whole, 1.0) if whole else 0.0


def fine_grid(inputs: Inputs) -> Grid:
    """Return the fine grid: the bounds of parcels and units, out to whole coarse cells."""
    both = np.array([inputs.parcels.total_bounds, inputs.units.total_bounds])
    west, south, east, north = (*both[:, :2].min(axis=0), *both[:, 2:].max(axis=0))
    section = inputs.case.grid
    return Grid(
        inputs.parcels.crs, section.resolution, (west, south, east, north), snap=section.coarse
    )
