"""Where the time of parcels x units and of labels goes: each step by itself, on one core, as tasks do it tile by tile."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
from measuring import Measured, Row
from peers_geometry import Land

import carbongrid as cg
from carbongrid.raster import spans
from carbongrid.raster.chunked.pieces import Piece, pieces_of, tile_size
from carbongrid.raster.kernels.label_pairs import added


class Clock:
    """Seconds of each step, added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def __call__[R](self, step: str, function: Callable[..., R], *arguments: object) -> R:
        begin = time.perf_counter()
        result = function(*arguments)
        self.seconds[step] += time.perf_counter() - begin
        return result


def steps(land: Land) -> Iterator[Row]:
    """Time each step of an overlap, then of labels in memory."""
    size = f"{land.size}, {len(land.units)} units"
    for work, count in (("parcels x units", _overlap), ("labels", _labels)):
        clocks = []
        for _ in range(3):
            clocks.append(Clock())
            count(land, clocks[-1])
        fastest = min(clocks, key=lambda clock: sum(clock.seconds.values())).seconds
        whole = sum(fastest.values())
        for step, seconds in fastest.items():
            note = f"{seconds / whole:.0%} of {whole:.2f} s"
            yield Row(
                "steps", f"{work}: {step}", "-", size, Measured(seconds, 0, 3), None, None, note
            )


def _overlap(land: Land, clock: Clock) -> None:
    grid = land.grid
    parts = []
    for piece in clock("which tile", _pieces, grid, (land.parcels, land.units)):
        parcels, units = piece.excerpts
        sets = ((parcels.polygons, parcels.rows), (units.polygons, units.rows))
        for band, (rows, over) in clock(
            "which band", list, spans.bands(sets, grid, piece.windows[0])
        ):
            raw = clock(
                "parcels to spans", spans.rasterize_spans, parcels.polygons, grid, band, rows
            )
            mine = clock("whose a cell is", spans.count_spans, raw, band)
            raw_units = clock(
                "units to spans", spans.rasterize_spans, units.polygons, grid, band, over
            )
            theirs = clock("units in order", spans.ordered, raw_units, band)
            names = parcels.labels_of(rows), units.labels_of(over)
            parts.append(
                clock("pairs counted", spans.common_cells, mine, names[0], theirs, names[1])
            )
    clock("counts added up", added, parts)


def _labels(land: Land, clock: Clock) -> None:
    grid = land.grid
    raster = np.zeros(grid.shape, np.uint32)
    for piece in clock("which tile", _pieces, grid, (land.parcels,)):
        (parcels,) = piece.excerpts
        sets = ((parcels.polygons, parcels.rows),)
        for band, (rows,) in clock("which band", list, spans.bands(sets, grid, piece.windows[0])):
            raw = clock(
                "parcels to spans", spans.rasterize_spans, parcels.polygons, grid, band, rows
            )
            names = parcels.labels_of(rows)
            clock(
                "painted, first touch of memory",
                spans.paint_spans,
                raw,
                band,
                names,
                raster,
                (0, 0),
            )


def _pieces(grid: cg.Grid, sets: tuple[cg.Polygons, ...]) -> list[Piece]:
    return pieces_of(grid.shape, tile_size(grid, sets), sets, grid)
