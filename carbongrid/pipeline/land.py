"""Where parcels stand: the unit of each parcel and the regions of statistics (docs/decisions/0002)."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from carbongrid.weights import locate


@dataclass(frozen=True)
class Land:
    """Parcels and units in id order, and which unit covers each parcel's representative point.

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
    def of(cls, parcels: gpd.GeoDataFrame, units: gpd.GeoDataFrame, parents: tuple[str, ...]) -> Land:
        """Locate every parcel."""
        points = parcels.geometry.representative_point()
        unit = locate(points.x.to_numpy(), points.y.to_numpy(), units.geometry.to_numpy())
        return cls(parcels, units, parents, unit)

    def units_in(self, code: str) -> NDArray[np.bool_]:
        """Return which units a code of any level means: the unit itself, or those below it."""
        inside = np.zeros(len(self.units), np.bool_)
        for column in ("id", *self.parents):
            inside |= (self.units[column] == code).to_numpy(dtype=bool)
        return inside

    def regions(self, codes: list[str]) -> NDArray[np.int64]:
        """Return, for each unit, the row of the code that means it; -1 for none.

        Where a code and a code of a higher level both mean a unit, the narrower one holds.
        """
        row = np.full(len(self.units), -1, np.int64)
        breadth = {code: int(self.units_in(code).sum()) for code in codes}
        for code in sorted(codes, key=lambda each: (-breadth[each], each)):
            row[self.units_in(code)] = codes.index(code)
        return row

    def parcel_regions(self, codes: list[str]) -> NDArray[np.int64]:
        """Return, for each parcel, the row of the code of its region; -1 for none."""
        rows: NDArray[np.int64] = np.append(self.regions(codes), -1)[self.unit_of_parcel]
        return rows
