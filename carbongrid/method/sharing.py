"""From parcels to units and coarse cells: overlaps, then two exact splits (docs/decisions/0007)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from carbongrid.method.allocate import (
    move_outside,
    split_to_targets,
    totals_by_group,
    unit_totals,
)
from carbongrid.method.categories import in_order
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.weights import locate
from carbongrid.raster.chunked import Counts
from carbongrid.raster.grid import Grid
from carbongrid.raster.opening.stores import open_arrays
from carbongrid.raster.overlaps import areas_in_plane
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.outlines import geometries_of
from carbongrid.raster.row_blocks import each_block, row_blocks

MIN_SHARE = 1e-9
"""Intersections below this share of a parcel's area are noise of the geometry engine."""


@dataclass(frozen=True)
class Shares:
    """What parcels have in common with units and coarse cells.

    Parameters
    ----------
    units
        CSR [parcel, unit + 1], the last column what is outside every unit; counts (int64) or m2 (float64).
    cells
        CSR [parcel, coarse cell], row * width + column.
    fine_cells : int64, shape (parcels,)
        Cells of the fine grid per parcel; 0 where it was snapped, or where parcels are shared by exact area.
    snapped : bool, shape (parcels,)
        Parcels that no cell centre hits.
    rasters
        For each weight raster, (units, cells) by sums of its value, parcels without any value by ``units`` and ``cells``.
    raster_sums : float64, shape (parcels,)
        For each weight raster, its sum per parcel.
    raster_known : float64, shape (parcels,)
        For each weight raster, the share of the parcel's fine cells in which it has a value; NaN where the parcel has no cell, so that nothing was read there.
    """

    units: Any
    cells: Any
    fine_cells: NDArray[np.int64]
    snapped: NDArray[np.bool_]
    rasters: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    raster_sums: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    raster_known: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def with_rasters(self, counts: Counts, names: Sequence[str]) -> Shares:
        """Return the shares with those by weight rasters, counted in the order of their names."""
        rasters, sums, known = {}, {}, {}
        cells = np.asarray(counts.parcel_cell.sum(axis=1)).ravel().astype(np.float64)
        cells[cells == 0] = np.nan
        for name, path in zip(names, counts.rasters, strict=True):
            in_units, in_cells = counts.rasters[path]
            rasters[name] = (_filled(in_units, self.units), _filled(in_cells, self.cells))
            sums[name] = counts.sums[path]
            known[name] = np.asarray(counts.known[path]).ravel() / cells
        return replace(self, rasters=rasters, raster_sums=sums, raster_known=known)


def share_by_cells(
    parcels: gpd.GeoDataFrame, units: gpd.GeoDataFrame, counts: Counts, coarse_grid: Grid
) -> Shares:
    """Return the shares by cells in common; a parcel that no centre hits is snapped to its representative point.

    It belongs to the unit and the coarse cell that hold the point. The unit of the fine cell is not asked: that is the unit of
    the cell's centre, which may lie in another one, or in none.
    """
    fine_cells = np.asarray(counts.parcel_cell.sum(axis=1)).ravel().astype(np.int64)
    snapped = fine_cells == 0
    in_units, cells = counts.parcel_unit, counts.parcel_cell
    rows = np.flatnonzero(snapped)
    if rows.size:
        points = shapely.point_on_surface(geometries_of(parcels, rows))
        x, y = shapely.get_x(points), shapely.get_y(points)
        unit = locate(x, y, units.geometry.to_numpy())
        in_units = in_units + _ones(rows, np.where(unit < 0, len(units), unit), in_units.shape)
        cells = cells + _ones(rows, coarse_cell_of(coarse_grid, x, y), cells.shape)
    return Shares(_canonical(in_units), _canonical(cells), fine_cells, snapped)


def share_by_area(parcels: gpd.GeoDataFrame, units: gpd.GeoDataFrame, coarse_grid: Grid) -> Shares:
    """Return the shares by exact planar area in the grid's CRS."""
    polygons = Polygons.of(parcels)
    in_units, in_cells = (
        areas_in_plane(polygons, Polygons.of(units)),
        areas_in_plane(polygons, coarse_grid),
    )
    area = [shapely.area(geometries_of(parcels, rows)) for rows in row_blocks(len(parcels))]
    return shares_of_areas(np.concatenate(area), in_units, in_cells)


def shares_of_areas(area: NDArray[np.float64], in_units: Any, in_cells: Any) -> Shares:
    """Return the shares by areas that were measured.

    Parameters
    ----------
    area : shape (parcels,)
        Of each parcel, m2.
    in_units, in_cells
        In common with each unit and each coarse cell, CSR, m2; they stay as they are.
    """
    inside = _without_noise(in_units, area)
    outside = area - np.asarray(inside.sum(axis=1)).ravel()
    outside[outside < MIN_SHARE * area] = 0.0
    with_outside = sparse.hstack([inside, sparse.csr_array(outside[:, None])], format="csr")
    cells = _without_noise(in_cells, area)
    none = np.zeros(len(area), np.int64)
    return Shares(_canonical(with_outside), _canonical(cells), none, none.astype(np.bool_))


def coarse_cell_of(grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the cell, row * width + column, that holds each point."""
    west, _, _, north = grid.bounds
    column = np.clip((x - west) // grid.resolution, 0, grid.shape[1] - 1).astype(np.int64)
    row = np.clip((north - y) // grid.resolution, 0, grid.shape[0] - 1).astype(np.int64)
    return row * grid.shape[1] + column


def with_water_rule(
    shares: Shares,
    parcels: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    water: str | Mapping[str, int],
) -> Shares:
    """Return the shares after D22: whose is water outside every unit."""
    if water == "ledger":
        return shares
    is_water = (parcels["type"] == "water").to_numpy(dtype=bool)
    moved = move_outside(shares.units, is_water, parcels, units, water)
    rasters = {
        path: (move_outside(in_units, is_water, parcels, units, water), in_cells)
        for path, (in_units, in_cells) in shares.rasters.items()
    }
    return replace(shares, units=moved, rasters=rasters)


@dataclass(frozen=True)
class UnitMass:
    """Mass of units, int64 grams.

    Parameters
    ----------
    units : shape (units, categories)
    outside : shape (categories,)
        Outside every unit.
    snapped : shape (categories,)
        Mass of the parcels that no cell centre hits.
    """

    units: NDArray[np.int64]
    outside: NDArray[np.int64]
    snapped: NDArray[np.int64]


@dataclass(frozen=True)
class CellMass:
    """Mass of coarse cells, int64 grams.

    Parameters
    ----------
    emission, sink : shape (coarse rows, coarse columns)
    by_sector
        Of each sector, a field of the same shape; in every cell they add up to the emission with ``==``.
    """

    emission: NDArray[np.int64]
    sink: NDArray[np.int64]
    by_sector: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Reduced(UnitMass):
    """Mass after the reductions: that of units, and of coarse cells."""

    cells: CellMass


def reduce_to_units(
    masses: Sequence[ParcelMass], structures: Sequence[str], shares: Shares
) -> UnitMass:
    """Split every parcel's mass to units, category by category.

    Parameters
    ----------
    masses
        Of each category.
    structures
        For each category the path of the raster that its mass follows inside a parcel, or empty.
    shares
        What parcels have in common with the targets.
    """
    columns = [
        _to_targets(mass, shares.rasters[path][0] if path else shares.units)
        for mass, path in zip(masses, structures, strict=True)
    ]
    per_target = np.stack(columns, axis=1)
    snapped = [int(mass.grams[shares.snapped[mass.rows]].sum()) for mass in masses]
    return UnitMass(per_target[:-1], per_target[-1], np.array(snapped, np.int64))


def reduce_to_cells(
    masses: Sequence[ParcelMass],
    sectors: Sequence[str],
    structures: Sequence[str],
    shares: Shares,
    shape: tuple[int, int],
) -> CellMass:
    """Split every parcel's emission and sink to coarse cells.

    Parameters
    ----------
    masses, structures, shares
        As for :func:`reduce_to_units`.
    sectors
        The sector of each category; empty for a sink.
    shape
        Rows and columns of the coarse grid.

    Returns
    -------
    CellMass
        The sectors in the order of :func:`in_order`, which decides where their odd grams lie.
    """
    size = shape[0] * shape[1]
    by_sector = {name: np.zeros(size, np.int64) for name in in_order(sectors)}
    # Of a parcel all that follows one raster is split at once: apart, the odd grams of each category would lie elsewhere.
    for path, emits in sorted({*zip(structures, map(bool, sectors), strict=True)}):
        members: dict[str, list[ParcelMass]] = {
            name: [] for name in by_sector if bool(name) == emits
        }
        for mass, sector, structure in zip(masses, sectors, structures, strict=True):
            if sector in members and structure == path:
                members[sector].append(mass)
        targets = shares.rasters[path][1] if path else shares.cells
        for sector, field_mass in _cells_by_sector(members, targets).items():
            by_sector[sector] += field_mass
    fields = {name: each.reshape(shape) for name, each in by_sector.items()}
    sink_field = fields.pop("", np.zeros(shape, np.int64))
    emission = sum(fields.values(), np.zeros(shape, np.int64))
    return CellMass(emission, sink_field, fields)


def _cells_by_sector(
    members: Mapping[str, Sequence[ParcelMass]], targets: Any
) -> dict[str, NDArray[np.int64]]:
    """Return the grams of each cell, of the categories of each sector."""
    grams = np.zeros((len(members), targets.shape[0]), np.int64)
    for column, own in zip(grams, members.values(), strict=True):
        for mass in own:
            mass.add_to(column)
    whole = ParcelMass.of(grams.sum(axis=0))
    parts = _split(whole, targets)
    if len(members) == 1:
        return dict(zip(members, unit_totals(parts)[None], strict=True))
    return dict(zip(members, totals_by_group(parts, grams[:, whole.rows]), strict=True))


def reduce_mass(
    masses: Sequence[ParcelMass],
    sectors: Sequence[str],
    structures: Sequence[str],
    shares: Shares,
    shape: tuple[int, int],
) -> Reduced:
    """Do :func:`reduce_to_units` and :func:`reduce_to_cells`, beside each other."""
    both: list[Callable[[], Any]] = [
        partial(reduce_to_units, masses, structures, shares),
        partial(reduce_to_cells, masses, sectors, structures, shares, shape),
    ]
    with closing(each_block(lambda reduce: reduce(), both)) as reduced:
        units, cells = reduced
    return Reduced(units.units, units.outside, units.snapped, cells)


def _to_targets(mass: ParcelMass, targets: Any) -> NDArray[np.int64]:
    """Return the grams of each target."""
    return unit_totals(_split(mass, targets))


def _split(mass: ParcelMass, targets: Any) -> Any:
    """Return the grams of each target, CSR [parcel with mass, target]: each parcel is split by itself, so the others need not be looked at."""
    own = targets if mass.rows.size == targets.shape[0] else targets[mass.rows]
    return split_to_targets(mass.grams, own)


def masses_by_unit(
    grams: Sequence[int], parcel: NDArray[np.int64], targets: Any
) -> list[list[tuple[int, int]]]:
    """Return in which units the mass of facilities lies: that of a parcel goes to units by the parcel's shares.

    Parameters
    ----------
    grams
        Of each facility.
    parcel : int64, shape (facilities,)
        Its row, -1 for none.
    targets
        CSR [parcel, unit], what is outside as the last column (see Shares).

    Returns
    -------
    list of (column of the unit, grams)
        For each facility, in the order of the units, without those that get nothing; none without a parcel.
    """
    found: list[list[tuple[int, int]]] = [[] for _ in grams]
    there = np.flatnonzero(parcel >= 0)
    if there.size:
        mass = np.array([grams[row] for row in there.tolist()], np.int64)
        parts = split_to_targets(mass, targets[parcel[there]])
        for number, row in enumerate(there.tolist()):
            own = slice(parts.indptr[number], parts.indptr[number + 1])
            pairs = zip(parts.indices[own].tolist(), parts.data[own].tolist(), strict=True)
            found[row] = [(unit, part) for unit, part in pairs if part]
    return found


def save_shares(path: Path, shares: Shares, polygons: tuple[str, str]) -> None:
    """Write overlap.npz: CSR parts of both matrices, snapped rows, cells per parcel, hashes of the polygons of parcels and of units."""
    arrays: dict[str, Any] = {
        "polygons": np.array(polygons),
        "snapped": np.flatnonzero(shares.snapped),
        "fine_cells": shares.fine_cells,
    }
    matrices = {"parcel_unit": shares.units, "parcel_cell": shares.cells}
    for number, (raster, pair) in enumerate(sorted(shares.rasters.items())):
        arrays |= {
            f"raster_{number}": np.array(raster),
            f"raster_{number}_sums": shares.raster_sums[raster],
            f"raster_{number}_known": shares.raster_known[raster],
        }
        matrices |= {f"raster_{number}_unit": pair[0], f"raster_{number}_cell": pair[1]}
    for name, matrix in matrices.items():
        arrays |= {
            f"{name}_data": matrix.data,
            f"{name}_indices": matrix.indices.astype(np.int64),
            f"{name}_indptr": matrix.indptr.astype(np.int64),
            f"{name}_shape": np.array(matrix.shape, np.int64),
        }
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def load_shares(path: Path) -> Shares:
    """Read overlap.npz back; nothing is unpickled."""
    with open_arrays(path) as arrays:

        def matrix(name: str) -> Any:
            parts = [arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")]
            return sparse.csr_array(tuple(parts), shape=tuple(arrays[f"{name}_shape"]))

        snapped = np.zeros(len(arrays["fine_cells"]), np.bool_)
        snapped[arrays["snapped"]] = True
        names = sorted(key for key in arrays if key.removeprefix("raster_").isdecimal())
        rasters = {
            str(arrays[name]): (matrix(f"{name}_unit"), matrix(f"{name}_cell")) for name in names
        }
        sums = {str(arrays[name]): arrays[f"{name}_sums"] for name in names}
        known = {str(arrays[name]): arrays[f"{name}_known"] for name in names}
        return Shares(
            matrix("parcel_unit"),
            matrix("parcel_cell"),
            arrays["fine_cells"],
            snapped,
            rasters,
            sums,
            known,
        )


def load_hashes(path: Path) -> tuple[str, ...]:
    """Return the hashes of the polygons of which shares are; none of an earlier version."""
    with open_arrays(path) as arrays:
        return tuple(arrays["polygons"].tolist()) if "polygons" in arrays else ()


def _ones(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    return sparse.csr_array((np.ones(rows.size, np.int64), (rows, columns)), shape=shape)


def _filled(by_value: Any, by_cells: Any) -> Any:
    """Take the row of ``by_cells`` where a raster says nothing in a parcel."""
    silent = np.asarray(by_value.sum(axis=1)).ravel() == 0
    keep = sparse.diags_array(silent.astype(by_cells.dtype), dtype=by_cells.dtype, format="csr")
    return _canonical(by_value + keep @ by_cells)


def _without_noise(matrix: Any, area: NDArray[np.float64]) -> Any:
    matrix = matrix.tocsr(copy=True)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    matrix.data[matrix.data < MIN_SHARE * area[rows]] = 0.0
    matrix.eliminate_zeros()
    return matrix


def _canonical(matrix: Any) -> Any:
    """Return the matrix with sorted targets and no stored zeros: the order decides the odd grams."""
    matrix = sparse.csr_array(matrix)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
