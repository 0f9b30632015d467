"""Units and coarse cells derived again from parcels and labels, and compared gram for gram."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from carbongrid.errors import VerificationError
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.sharing import (
    Reduced,
    Shares,
    UnitMass,
    masses_by_unit,
    reduce_mass,
    reduce_to_units,
    share_by_area,
    share_by_cells,
    with_water_rule,
)
from carbongrid.method.tonnes import counted, exact_tonnes, readable_tonnes
from carbongrid.outputs.reading import LABELS
from carbongrid.outputs.tables.content import BY_SECTOR
from carbongrid.pipeline.tables import covered_area
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.sums import total
from carbongrid.pipeline.verification.verdict import RESTORE, Check, check_of
from carbongrid.raster.overlaps import overlap
from carbongrid.run_store import MANIFEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-12
"""Of an area, relative: sums of floats."""
_FAR_FINER = 10  # as many times smaller are cells than those that were counted
_MAX_CELLS = 400_000_000  # a finer grid is not made just to say how far apart the two ways are


class Derived:
    """What follows from parcels, outlines and labels alone; made when it is first asked for."""

    def __init__(self, run: Opened) -> None:
        self.run = run

    @cached_property
    def shares(self) -> Shares:
        """What parcels have in common with units and cells, as this run shares them out."""
        run = self.run
        if run.exact:
            return share_by_area(run.parcels, run.outlines, run.coarse_grid)
        from carbongrid.raster.chunked import paint_and_count, recount

        coarse = run.manifest["parameters"]["coarse"]
        if run.keeps_labels:
            with run.reading(LABELS) as store:
                counts = recount(store, len(run.parcels), len(run.units), coarse)
        else:
            self._require_cells_as_counted()
            counts = paint_and_count(run.polygons["parcel"], run.polygons["unit"], run.grid, coarse)
        return share_by_cells(run.parcels, run.outlines, counts, run.coarse_grid)

    def _require_cells_as_counted(self) -> None:
        """Raise if a doctored manifest tells far finer cells than were counted: to paint them may take days."""
        run = self.run
        told = int(run.parcels["cells"].sum()) * run.grid.area_in_plane
        covered = float(run.grid_1km["covered_area"].sum())
        if told * _FAR_FINER < covered:
            raise VerificationError(
                f"{MANIFEST} tells cells of {run.grid.resolution:g} m, of which parcels cover {told:,.0f} m2; by grid_1km.nc it is {covered:,.0f} m2. {RESTORE}"
            )

    @cached_property
    def reduced(self) -> Reduced:
        """Mass of units and cells."""
        return self.reduce(self.shares)

    def ruled(self, shares: Shares) -> Shares:
        """Return these shares after the rule for water and, where a raster leads, the run's own."""
        run = self.run
        if any(term.raster for term in run.terms):
            shares = replace(shares, rasters=run.saved_shares.rasters)
        water = run.manifest["parameters"]["water"]
        return with_water_rule(shares, run.parcels, run.outlines, water)

    def reduce_units(self, shares: Shares) -> UnitMass:
        """Split the parcels' mass to units alone, as :meth:`reduce` does."""
        masses = [ParcelMass.of(column) for column in self.run.mass.T]
        rasters = [term.raster for term in self.run.terms]
        return reduce_to_units(masses, rasters, self.ruled(shares))

    def reduce(self, shares: Shares) -> Reduced:
        """Split the parcels' mass by these shares and, where a raster leads, by the run's own."""
        run, shares = self.run, self.ruled(shares)
        sectors = ["" if term.sink else term.sector for term in run.terms]
        rasters = [term.raster for term in run.terms]
        masses = [ParcelMass.of(column) for column in run.mass.T]
        return reduce_mass(masses, sectors, rasters, shares, run.coarse_grid.shape)


def check_shares(run: Opened, derived: Derived) -> Check:
    """Compare overlap.npz with what labels (or geometry) give."""
    saved, found = run.saved_shares, derived.shares
    ids = run.parcels["id"].tolist()
    faults = [
        f"overlap.npz was made from other {name}s than those of this run"
        for name, told in zip(run.polygons, run.saved_hashes, strict=False)
        if run.polygons[name].content_hash != told
    ]
    for name, of_file, again in (
        ("units", saved.units, found.units),
        ("cells", saved.cells, found.cells),
    ):
        faults += [
            f"overlap.npz: parcel {ids[row]} has other {name} in common than its labels say"
            for row in _rows_that_differ(of_file, again)
        ]
    for row in np.flatnonzero(saved.snapped != found.snapped):
        faults.append(f"overlap.npz: parcel {ids[row]} was snapped in one, not in the other")
    for row in np.flatnonzero(run.parcels["cells"].to_numpy() != found.fine_cells):
        faults.append(f"parcels.parquet: parcel {ids[row]} has another number of cells")
    source = "areas of geometry" if run.exact else "labels"
    if not (run.exact or run.keeps_labels):
        source += ", painted again"
    text = f"{counted(found.units.nnz, 'pair')} of parcel and unit and {found.cells.nnz:,} of parcel and cell counted again from {source}"
    if saved.rasters:
        text += "; those by weight rasters were not, since the rasters are not part of the run"
    return check_of("shares", faults, text)


def _rows_that_differ(left: Any, right: Any) -> NDArray[np.int64]:
    """Return the rows of two CSR matrices that are not equal; all of them if their shapes differ."""
    if left.shape != right.shape:
        return np.arange(right.shape[0])
    different = sparse.csr_array(left != right)
    return np.flatnonzero(np.diff(different.indptr))


def check_units(run: Opened, derived: Derived) -> Check:
    """Compare units.csv with the units derived again, category by category."""
    found = derived.reduced
    faults: list[str] = []
    for k, term in enumerate(run.terms):
        told = [int(value) for value in run.units[term.column].tolist()]
        for unit, left, right in zip(
            run.units["id"], told, found.units[:, k].tolist(), strict=True
        ):
            faults += _difference(f"units.csv, unit {unit}: {term.name}", left, right)
        rows = run.ledger[run.ledger["category"] == term.name]
        for column, grams in (("outside_units", found.outside[k]), ("snapped", found.snapped[k])):
            told_there = total(rows[f"{column}_g"])
            faults += _difference(f"ledger.csv, {term.name}: {column}_t", told_there, int(grams))
    faults += _facilities(run, derived)
    size = (
        f"{counted(len(run.units), 'unit')} in {counted(len(run.terms), 'category', 'categories')}"
    )
    return check_of("units", faults, f"{size} derived again from parcels: the same to the gram")


def _difference(what: str, told: int, found: int) -> Iterator[str]:
    if told != found:
        yield f"{what} is {readable_tonnes(told)} t, derived again {readable_tonnes(found)} t: {told - found:+,} g"


def _facilities(run: Opened, derived: Derived) -> Iterator[str]:
    """Compare the units in which facilities.csv says that mass lies with those that its parcel's shares give."""
    if run.facilities is None:
        return
    shares = derived.ruled(derived.shares)
    parcels, ids = pd.Index(run.parcels["id"].astype(str)), [*run.units["id"].astype(str), ""]
    rasters = {term.name: term.raster for term in run.terms if term.raster}
    for row in run.facilities.to_dict("records"):
        targets = shares.rasters[rasters[row["category"]]][0] if row["category"] in rasters else shares.units  # fmt: skip
        parcel = parcels.get_indexer([row["parcel"]]).astype(np.int64)
        [parts] = masses_by_unit([int(row["mass_g"])], parcel, targets)
        found = {ids[unit]: exact_tonnes(grams) for unit, grams in parts}
        try:
            told = json.loads(row["mass_by_unit"] or "{}")
        except ValueError:
            told = None
        if told != found:
            yield f"facilities.csv, {row['name']} ({row['category']}): mass_by_unit is not what the shares of parcel {row['parcel']} give: {json.dumps(found, ensure_ascii=False)}"


def check_cells(run: Opened, derived: Derived) -> Check:
    """Compare grid_1km.nc with the coarse cells derived again."""
    faults: list[str] = []
    grid, cells = run.grid_1km, derived.reduced.cells
    told = {name: grid[name].to_numpy() for name in ("emission", "sink")}
    found = {"emission": cells.emission, "sink": cells.sink}
    if BY_SECTOR in grid:
        by_sector = grid[BY_SECTOR]
        names = [str(name) for name in grid["sector"].to_numpy()]
        if names != list(cells.by_sector):
            faults.append(f"grid_1km.nc has the sectors {', '.join(names)}, the run's categories {', '.join(cells.by_sector)}")  # fmt: skip
        told |= {f"{name} emission": field for name, field in zip(names, by_sector.to_numpy(), strict=True)}  # fmt: skip
        found |= {f"{name} emission": field for name, field in cells.by_sector.items()}
    for name in [name for name in told if name in found]:
        if told[name].shape != found[name].shape:
            faults.append(f"grid_1km.nc has {told[name].shape} cells, the run's grid {found[name].shape}")  # fmt: skip
            break
        for row, column in np.argwhere(told[name] != found[name]).tolist():
            place = f"grid_1km.nc, {name} of the cell in row {row}, column {column}"
            faults += _difference(place, int(told[name][row, column]), int(found[name][row, column]))  # fmt: skip
    area = covered_area(derived.shares, run.grid.area_in_plane).reshape(run.coarse_grid.shape)
    for row, column in np.argwhere(
        ~np.isclose(grid["covered_area"], area, rtol=_ROUNDING, atol=0.0)
    ).tolist():
        faults.append(
            f"grid_1km.nc, cell in row {row}, column {column}: covered_area is {float(grid['covered_area'][row, column])} m2, by parcels {area[row, column]}"
        )
    for axis, places in (("x", run.coarse_grid.x), ("y", run.coarse_grid.y)):
        if not np.array_equal(grid[axis].to_numpy(), places):
            faults.append(f"grid_1km.nc: {axis} is not where the manifest says")
    count = run.coarse_grid.shape[0] * run.coarse_grid.shape[1]
    # A run of an earlier version has none.
    sectors = (
        f" in {counted(len(cells.by_sector), 'sector')}"
        if BY_SECTOR in grid
        else ", without sectors,"
    )
    return check_of(
        "cells",
        faults,
        f"{counted(count, 'coarse cell')}{sectors} derived again from parcels: the same to the gram, and the area that they cover",
    )


def compare_methods(run: Opened, derived: Derived) -> Check:
    """Say how far apart sharing by cells and by exact area are; no fault, whatever the distance."""
    if run.exact and run.grid.shape[0] * run.grid.shape[1] > _MAX_CELLS:
        told = "by cells was not compared: the fine grid is too large"
        return Check("methods", True, told, made=False)
    other = (
        _by_cells(run) if run.exact else share_by_area(run.parcels, run.outlines, run.coarse_grid)
    )
    emissions = [k for k, term in enumerate(run.terms) if not term.sink]
    mine = derived.reduced.units[:, emissions].sum(axis=1)
    theirs = derived.reduce_units(other).units[:, emissions].sum(axis=1)
    names = ("by cells", "by exact area") if run.exact else ("by exact area", "by cells")
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.where(mine == theirs, 0.0, np.abs(theirs - mine) / mine)
    if apart.size == 0:
        return Check("methods", True, "there are no units to compare", made=False)
    worst = int(np.argmax(apart))
    moved = int(np.abs(theirs - mine).sum()) // 2
    text = (
        f"{names[0]} instead of {names[1]}, a unit's emission differs by at most {apart[worst]:.3%} "
        f"(unit {run.units['id'].iloc[worst]}); {readable_tonnes(moved)} t would change sides"
    )
    return Check("methods", True, text)


def _by_cells(run: Opened) -> Shares:
    """Share by cells without labels; parcels that no cell centre hits keep their exact shares."""
    parcels, outlines, grid = run.polygons["parcel"], run.polygons["unit"], run.grid
    exact = share_by_area(run.parcels, run.outlines, run.coarse_grid)
    in_units = overlap(parcels, outlines, grid=grid)
    whole = overlap(parcels, parcels, grid=grid).diagonal()
    outside = whole - np.asarray(in_units.sum(axis=1)).ravel()
    counts = sparse.hstack([in_units, sparse.csr_array(outside[:, None])], format="csr")
    no_cell_centre = sparse.diags_array((whole == 0).astype(np.float64), format="csr")
    units = sparse.csr_array(counts.astype(np.float64) + no_cell_centre @ exact.units)
    units.eliminate_zeros()
    units.sort_indices()
    return replace(exact, units=units)
