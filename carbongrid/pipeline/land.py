"""Land, prepared once: where parcels stand (docs/decisions/0002), polygons as the engine takes them, what parcels and units have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import InputError
from carbongrid.method.weights import locate
from carbongrid.pipeline.sections import FOLDER
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.stores import open_arrays
from carbongrid.raster.overlaps import areas_in_plane
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.outlines import outlines_in
from carbongrid.raster.row_blocks import each_block, row_blocks

FILES = [f"{FOLDER}/land.npz"]


@dataclass(frozen=True)
class Land:
    """Parcels and units in id order, and which unit each parcel belongs to.

    Polygons, their hashes and areas in common are made when they are first asked for, once.

    Parameters
    ----------
    parcels, units
        GeoDataFrames of the readers.
    parents
        Parent columns of the units, nearest first.
    unit_of_parcel : int64, shape (parcels,)
        Row of the unit; -1 in none.
    area : float64, shape (parcels,)
        Area of each parcel, m2 of the grid's plane.
    """

    parcels: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    parents: tuple[str, ...]
    unit_of_parcel: NDArray[np.int64]
    area: NDArray[np.float64]

    @classmethod
    def of(cls, inputs: Inputs) -> Land:
        """Locate and measure every parcel."""
        parcels, units = inputs.parcels, inputs.units
        outlines = units.geometry.to_numpy()

        def located(rows: slice) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            some = outlines_in(parcels, rows)
            x, y = some.inner_points().T
            return locate(x, y, outlines), some.areas()

        found = each_block(located, row_blocks(len(parcels)))
        unit, area = map(np.concatenate, zip(*found, strict=True))
        return cls(parcels, units, inputs.case.units.parents, unit, area)

    @cached_property
    def polygons(self) -> tuple[Polygons, Polygons]:
        """Those of the parcels and of the units."""
        return Polygons.of(self.parcels), Polygons.of(self.units)

    @cached_property
    def hashes(self) -> tuple[str, str]:
        """Of the parcels' and the units' polygons."""
        parcels, units = self.polygons
        return parcels.content_hash, units.content_hash

    @cached_property
    def shared_area(self) -> Any:
        """Area that each parcel has in common with each unit, CSR, m2 of the grid's plane."""
        return areas_in_plane(*self.polygons)

    def save(self, folder: Path) -> None:
        """Write all that took time to find."""
        shared = self.shared_area
        with (folder / FILES[0]).open("wb") as stream:
            np.savez(
                stream,
                unit_of_parcel=self.unit_of_parcel,
                area=self.area,
                data=shared.data,
                indices=shared.indices,
                indptr=shared.indptr,
                hashes=np.array(self.hashes),
            )

    @classmethod
    def measured_before(cls, folder: Path, inputs: Inputs) -> Land:
        """Return the land of an earlier run with the same polygons; nothing is unpickled."""
        parcels, units = inputs.parcels, inputs.units
        with open_arrays(folder / FILES[0]) as arrays:
            entries = tuple(arrays[name] for name in ("data", "indices", "indptr"))
            shared = sparse.csr_array(entries, shape=(len(parcels), len(units)))
            unit, area = arrays["unit_of_parcel"], arrays["area"]
            land = cls(parcels, units, inputs.case.units.parents, unit, area)
            vars(land).update(shared_area=shared, hashes=tuple(arrays["hashes"].tolist()))
        return land

    def with_parcels(self, parcels: Any) -> Land:
        """Return the land with other columns of the same parcels; what was measured on their polygons is kept."""
        other = replace(self, parcels=parcels)
        measured = {name: value for name, value in vars(self).items() if name in ("shared_area", "hashes", "share_outside", "_regions")}  # fmt: skip
        vars(other).update(measured)
        return other

    def regions_of_units(self, codes: Sequence[str]) -> NDArray[np.int64]:
        """Return, for each unit, the position of the innermost code that means it; -1 for none.

        A code means a unit, or all units below a parent. Categories mostly have the regions of others, and ask more than once: the array is theirs too.
        """
        known, key = self._regions, tuple(codes)
        if key not in known:
            known[key] = regions_of_units(self.units, self.parents, codes)
            known[key].flags.writeable = False
        return known[key]

    @cached_property
    def _regions(self) -> dict[tuple[str, ...], NDArray[np.int64]]:
        return {}

    def regions_of_parcels(
        self, codes: Sequence[str], rows: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return, for each parcel or for some of them, the position of its region's code; -1 for none."""
        unit = self.unit_of_parcel if rows is None else self.unit_of_parcel[rows]
        return self.regions_at(codes, unit)

    def regions_at(self, codes: Sequence[str], units: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of its region's code for each of some rows of units, -1 being no unit; -1 for none."""
        found: NDArray[np.int64] = np.append(self.regions_of_units(codes), -1)[units]
        return found

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

    def shares_of_area(self, rows: NDArray[np.int64] | None = None) -> Any:
        """Return the share of each parcel's area, or of some parcels', that lies in each unit, CSR."""
        area, shared = (
            each if rows is None else each[rows] for each in (self.area, self.shared_area)
        )
        tiny = np.finfo(np.float64).tiny
        return sparse.diags_array(1.0 / np.maximum(area, tiny), format="csr") @ shared

    @cached_property
    def share_outside(self) -> NDArray[np.float64]:
        """Share of each parcel's area that lies outside every unit."""
        inside = np.asarray(self.shares_of_area().sum(axis=1)).ravel()
        outside: NDArray[np.float64] = 1.0 - np.minimum(inside, 1.0)
        return outside

    @property
    def covered(self) -> float:
        """Area that parcels and units have in common, m2 of the grid's plane."""
        return float(self.shared_area.sum())

    @property
    def share_in_units(self) -> float:
        """Share of the parcels' area that units cover."""
        whole = float(self.area.sum())
        return min(self.covered / whole, 1.0) if whole else 0.0


def regions_of_units(
    units: pd.DataFrame, parents: Sequence[str], codes: Sequence[str]
) -> NDArray[np.int64]:
    """Return, for each unit, the position of the innermost code that means it; -1 for none.

    Parameters
    ----------
    units
        With the columns id and ``parents``.
    parents
        Nearest first.
    codes
        A code means a unit, or all units below a parent.
    """
    position = {code: row for row, code in enumerate(codes)}
    found = np.full(len(units), -1, np.int64)
    for column in reversed(("id", *parents)):
        named = units[column].map(position).fillna(-1).to_numpy(np.int64)
        found = np.where(named >= 0, named, found)
    return found


def fine_grid(inputs: Inputs) -> Grid:
    """Return the fine grid: the bounds of parcels and units, out to whole coarse cells.

    Raises
    ------
    InputError
        If it would have more cells than can be worked on.
    """
    both = np.array([layer.geometry.array.total_bounds for layer in (inputs.parcels, inputs.units)])
    west, south, east, north = (*both[:, :2].min(axis=0), *both[:, 2:].max(axis=0))
    section = inputs.case.grid
    bounds = (west, south, east, north)
    try:
        return Grid(inputs.parcels.crs, section.resolution, bounds, snap=section.coarse)
    except InputError as error:
        where = f"{inputs.case.path.name}: [grid] resolution, coarse"
        raise InputError(replace(problem, where=where) for problem in error.problems) from error
