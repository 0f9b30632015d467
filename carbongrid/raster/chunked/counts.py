"""Labels and overlap counts of parcels, units and coarse cells, in one pass over the fine grid's tiles."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from carbongrid.errors import InputError
from carbongrid.raster.chunked.journal import Journal, open_journal, remembered
from carbongrid.raster.chunked.pieces import Piece, pieces_of
from carbongrid.raster.chunked.polygon_sources import PolygonSource, spill_polygons
from carbongrid.raster.chunked.rasters import WeightRaster
from carbongrid.raster.chunked.scans import Named, count_tiles, paint_window, scan_window
from carbongrid.raster.chunked.tasks import Progress, Scheduler, run_tasks, travels
from carbongrid.raster.grid import Grid
from carbongrid.raster.kernels.label_pairs import added
from carbongrid.raster.kernels.pair_keys import pairs_of
from carbongrid.raster.label_store import (
    CHUNK,
    block_side,
    blocks,
    create_label_store,
    label_shape,
    read_window,
    resolution_and_corner,
    write_window,
)
from carbongrid.raster.pair_counts import counts_matrix, window_pairs
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.excerpts import Window
from carbongrid.raster.software import versions
from carbongrid.raster.spans import Amounts, require_burnable, require_no_turn


@dataclass(frozen=True, eq=False)
class Counts:
    """How many fine cells parcels have in common with units and coarse cells.

    Parameters
    ----------
    parcel_unit
        CSR int64 [parcel, unit + 1]; the last column is what lies outside every unit.
    parcel_cell
        CSR int64 [parcel, coarse cell], row * width + column of the coarse grid.
    rasters
        For each weight raster, in the order given, the same two with sums of its values, float64, each rounded once.
    known
        For each weight raster, cells of each parcel in which it has a value, int64, shape (parcels,).
    sums
        For each weight raster, the sum of its values in each parcel, rounded once, float64, shape (parcels,).
    """

    parcel_unit: csr_array
    parcel_cell: csr_array
    rasters: Mapping[Path, tuple[csr_array, csr_array]] = field(default_factory=dict)
    known: Mapping[Path, NDArray[np.int64]] = field(default_factory=dict)
    sums: Mapping[Path, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def cells(self) -> NDArray[np.int64]:
        """Fine cells of each parcel, int64 [parcel]."""
        return np.asarray(self.parcel_cell.sum(axis=1), dtype=np.int64).ravel()

    @property
    def no_cell_centre(self) -> NDArray[np.int64]:
        """Rows of the parcels that no cell centre hits (or that later ones cover): somebody has to snap them."""
        return np.flatnonzero(self.cells == 0)


@dataclass(frozen=True)
class _Piece:
    """What one task is given: a block of the grid; its polygons are in the sources, under its number."""

    corner: tuple[int, int]
    shape: tuple[int, int]
    number: int = 0

    def __str__(self) -> str:
        return f"tile at row {self.corner[0]}, column {self.corner[1]}"


@dataclass(frozen=True)
class _Coarse:
    """The coarse grid as a third label raster."""

    factor: int
    columns: int

    @property
    def squares(self) -> tuple[int, int]:
        """Fine cells on a side, and columns."""
        return self.factor, self.columns

    def window(self, corner: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.uint32]:
        row = (corner[0] + np.arange(shape[0])) // self.factor
        column = (corner[1] + np.arange(shape[1])) // self.factor
        return (row[:, None] * self.columns + column + 1).astype(np.uint32)


def label_and_count(
    parcels: Polygons,
    units: Polygons,
    grid: Grid,
    coarse: float,
    store: Path | None,
    *,
    chunks: int = CHUNK,
    scheduler: Scheduler = None,
    rasters: Sequence[Path] = (),
    progress: Progress | None = None,
    journal: Path | None = None,
) -> Counts:
    """Count what parcels have in common with units and coarse cells, and write both as labels into a new Zarr store.

    Parameters
    ----------
    parcels, units
        In canonical order, in the grid's CRS.
    grid
        The fine grid; it never exists as a whole.
    coarse
        Side of a coarse cell in m, a whole multiple of the fine one that divides the grid.
    store
        A path that does not exist yet; gets the variables ``parcel`` and ``unit``. None, where there are no rasters: no
        labels are made and no cell is visited.
    chunks
        Side of a Zarr chunk in cells.
    scheduler
        ``threads``, ``processes``, ``synchronous`` or a distributed Client; default the active client, else threads.
    rasters
        Weight rasters: their values at the centres of the fine cells, or added up in these where they are finer.
    progress
        Called with the number of tiles done and their total.
    journal
        A folder for what is finished. If it is there, an earlier call with the same arguments was interrupted, and its
        finished tiles are not made again; if it is not, a store at the path is what such a call had only begun.

    Returns
    -------
    Counts
        The same integers for any chunks and scheduler.

    Raises
    ------
    InputError
        If CRS differ, the coarse cells do not divide the grid, the store exists, a raster is unfit, or there are rasters
        without a store.
    RunError
        If a tile fails; it is named.
    """
    for polygons in (parcels, units):
        require_burnable(polygons, grid)
        require_no_turn(polygons, grid)
    coarse_grid = grid.coarsen(coarse)
    weights = tuple(WeightRaster.around(Path(path), grid) for path in rasters)
    if store is None:
        if weights:
            raise InputError("weight rasters need labels", hint="Give a store for them.")
        coarse_cells = _coarse(coarse / grid.resolution, coarse_grid.shape)
        counted = count_tiles(parcels, units, grid, coarse_cells.squares, scheduler, progress)
        sizes = (len(parcels), len(units), coarse_grid.shape[0] * coarse_grid.shape[1])
        return Counts(*_matrices([[counted]], 1, sizes)[0])
    hashes = {"parcel": parcels.content_hash, "unit": units.content_hash}
    log: Journal | None = None
    place = store
    if journal is None:
        create_label_store(store, grid, hashes, chunks)
    else:
        key = _key(hashes, grid, coarse, chunks, weights)
        log = open_journal(
            journal, store, key, lambda path: create_label_store(path, grid, hashes, chunks)
        )
        place = log.store
    cells = _coarse(coarse / grid.resolution, coarse_grid.shape)
    side = block_side(place)
    pieces = [_Piece(corner, size, number) for number, corner, size in blocks(grid.shape, side)]
    layers = {"parcel": parcels, "unit": units}
    with spill_polygons(place, layers, grid, side, travels=travels(scheduler)) as sources:
        task: Callable[[_Piece], list[tuple[Amounts, Amounts]]]
        task = functools.partial(_label_block, place, grid, cells, weights, sources)
        if log is not None:
            task = functools.partial(remembered, task, log, ("parcel", "unit"))
        parts = run_tasks(task, pieces, scheduler, progress)
    if log is not None:
        log.close(store)
    shape = (len(parcels), len(units), coarse_grid.shape[0] * coarse_grid.shape[1])
    ((in_units, in_cells),) = _matrices(parts, 1, shape)
    first, pairs, known, sums = 1, {}, {}, {}
    for raster in weights:
        last = first + len(raster.exponents)
        places = [[part[kind] for part in parts] for kind in range(first, last)]
        pairs[raster.path], sums[raster.path] = _raster_sums(raster, places, shape)
        ((_, cells_known),) = _matrices([part[last : last + 1] for part in parts], 1, shape)
        known[raster.path] = cells_known.sum(axis=1)
        first = last + 1
    return Counts(in_units, in_cells, pairs, known, sums)


def recount(store: Path, n_parcels: int, n_units: int, coarse: float) -> Counts:
    """Derive the counts again from the labels in a store alone.

    Parameters
    ----------
    store
        What ``label_and_count`` wrote.
    n_parcels, n_units
        Numbers of parcels and units.
    coarse
        Side of a coarse cell in m.

    Returns
    -------
    Counts
        Without rasters.

    Raises
    ------
    InputError
        If the coarse cells do not divide the grid, or a label is above its number.
    RunError
        If a chunk is missing or damaged; its tile is named.
    """
    height, width = label_shape(store, "parcel")
    factor = coarse / resolution_and_corner(store)[0]
    shape = (round(height / factor), round(width / factor))
    cells = _coarse(factor, shape)
    if (shape[0] * cells.factor, shape[1] * cells.factor) != (height, width):
        raise InputError(f"cells of {coarse:g} m do not divide the labels' grid", str(store))
    task = functools.partial(_count_block, store, cells)
    pieces = [
        _Piece(corner, size) for _, corner, size in blocks((height, width), block_side(store))
    ]
    parts = run_tasks(task, pieces)
    ((in_units, in_cells),) = _matrices(parts, 1, (n_parcels, n_units, shape[0] * shape[1]))
    return Counts(in_units, in_cells)


def paint_and_count(parcels: Polygons, units: Polygons, grid: Grid, coarse: float) -> Counts:
    """Count as ``label_and_count`` does, but cell by cell, on labels that are painted tile by tile and let go of.

    Parameters
    ----------
    parcels, units, grid, coarse
        As for ``label_and_count``.

    Returns
    -------
    Counts
        Without rasters.

    Raises
    ------
    InputError
        If CRS differ, or the coarse cells do not divide the grid.
    RunError
        If a tile fails; it is named.
    """
    sets = (parcels, units)
    for polygons in sets:
        require_burnable(polygons, grid)
    shape = grid.coarsen(coarse).shape
    cells = _coarse(coarse / grid.resolution, shape)
    pieces = pieces_of(grid.shape, (CHUNK, CHUNK), sets, grid)
    parts = run_tasks(functools.partial(_paint_piece, grid, cells), pieces, "threads")
    sizes = (len(parcels), len(units), shape[0] * shape[1])
    ((in_units, in_cells),) = _matrices([part for several in parts for part in several], 1, sizes)
    return Counts(in_units, in_cells)


def _key(
    hashes: Mapping[str, str],
    grid: Grid,
    coarse: float,
    chunks: int,
    weights: Sequence[WeightRaster],
) -> str:
    """Return the hash of what the tiles are made from and by; a raster's content is told by its size and its time."""
    stats = [raster.path.stat() for raster in weights]
    rasters = [
        (str(raster), stat.st_size, stat.st_mtime_ns)
        for raster, stat in zip(weights, stats, strict=True)
    ]
    made_from = (versions(), sorted(hashes.items()), grid, coarse, chunks, rasters)
    return hashlib.sha256(repr(made_from).encode()).hexdigest()


def _coarse(factor: float, shape: tuple[int, int]) -> _Coarse:
    if not np.isclose(factor, round(factor), rtol=0, atol=1e-9) or round(factor) < 1:
        raise InputError(
            f"a coarse cell must be a whole multiple of the fine one, not {factor:g} of it"
        )
    if shape[0] * shape[1] >= 2**32 - 1:
        raise InputError(
            f"{shape[0]} x {shape[1]} coarse cells are too many", hint="Take larger ones."
        )
    return _Coarse(round(factor), shape[1])


def _label_block(
    store: Path,
    grid: Grid,
    coarse: _Coarse,
    weights: tuple[WeightRaster, ...],
    sources: Mapping[str, PolygonSource],
    piece: _Piece,
) -> list[tuple[Amounts, Amounts]]:
    """Burn, write and count one block: pairs of parcel and unit, of parcel and cell, for cells, and for each place of the value of each raster and where it has one."""
    named = [Named.of(*sources[name].of_tile(piece.number)) for name in ("parcel", "unit")]
    parcel, unit = np.zeros(piece.shape, np.uint32), np.zeros(piece.shape, np.uint32)
    window = (*piece.corner, *piece.shape)
    parts = [scan_window(named[0], named[1], grid, window, coarse.squares, (parcel, unit))]
    write_window(store, "parcel", piece.corner, parcel)
    write_window(store, "unit", piece.corner, unit)
    cell = coarse.window(piece.corner, piece.shape) if weights else parcel
    for raster in weights:
        parts += [
            (window_pairs(parcel, unit, amounts), window_pairs(parcel, cell, amounts))
            for amounts in raster.sample(grid, piece.corner, parcel > 0)
        ]
    return parts


def _count_block(store: Path, coarse: _Coarse, piece: _Piece) -> list[tuple[Amounts, Amounts]]:
    parcel = read_window(store, "parcel", piece.corner, piece.shape)
    unit = read_window(store, "unit", piece.corner, piece.shape)
    return [_pairs(parcel, unit, coarse, piece.corner)]


def _paint_piece(grid: Grid, coarse: _Coarse, piece: Piece) -> list[list[tuple[Amounts, Amounts]]]:
    def count(window: Window) -> list[tuple[Amounts, Amounts]]:
        corner, shape = window[:2], window[2:]
        parcel, unit = np.zeros(shape, np.uint32), np.zeros(shape, np.uint32)
        for excerpt, labels in zip(piece.excerpts, (parcel, unit), strict=True):
            paint_window(excerpt, grid, window, labels, corner)
        return [_pairs(parcel, unit, coarse, corner)]

    return piece.each(count)


def _pairs(
    parcel: NDArray[np.uint32], unit: NDArray[np.uint32], coarse: _Coarse, corner: tuple[int, int]
) -> tuple[Amounts, Amounts]:
    """Count the labels of a window: pairs of parcel and unit, and of parcel and coarse cell."""
    cell = coarse.window(corner, (parcel.shape[0], parcel.shape[1]))
    return window_pairs(parcel, unit), window_pairs(parcel, cell)


def _matrices(
    parts: list[list[tuple[Amounts, Amounts]]], kinds: int, shape: tuple[int, int, int]
) -> list[tuple[csr_array, csr_array]]:
    """Add up the partial counts of all blocks, kind by kind."""
    return [
        _pair_of_matrices(
            added([part[kind][0] for part in parts]),
            added([part[kind][1] for part in parts]),
            shape,
        )
        for kind in range(kinds)
    ]


def _raster_sums(
    raster: WeightRaster,
    places: list[list[tuple[Amounts, Amounts]]],
    shape: tuple[int, int, int],
) -> tuple[tuple[csr_array, csr_array], NDArray[np.float64]]:
    """Add up the partial sums of all blocks, place by place, and those of each parcel."""
    units, cells = (
        raster.sums([added([pair[target] for pair in place]) for place in places])
        for target in (0, 1)
    )
    of_parcels = np.zeros(shape[0] + 1, object)
    np.add.at(of_parcels, pairs_of(units[0])[0], units[1])
    in_units, in_cells = ((keys, raster.as_floats(whole)) for keys, whole in (units, cells))
    return _pair_of_matrices(in_units, in_cells, shape), raster.as_floats(of_parcels[1:])


def _pair_of_matrices(
    in_units: tuple[NDArray[np.uint64], NDArray[Any]],
    in_cells: tuple[NDArray[np.uint64], NDArray[Any]],
    shape: tuple[int, int, int],
) -> tuple[csr_array, csr_array]:
    n_parcels, n_units, n_cells = shape
    units, amounts = in_units
    in_none = (units & np.uint64(2**32 - 1)) == 0
    units = units + np.where(in_none, np.uint64(n_units + 1), np.uint64(0))
    return (
        counts_matrix(units, amounts, (n_parcels, n_units + 1)),
        counts_matrix(*in_cells, (n_parcels, n_cells)),
    )
