"""Which polygons are valid: most surely, by a kernel; of the others GEOS is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.simple_rings import simple_rings
from carbongrid.raster.polygons.sets import Polygons
from carbongrid.raster.row_blocks import each_block, in_blocks, row_blocks

_NAMED = 10
# What rounding may put between a polygon's area and that of the land it covers: of the area, and of a cell.
_NEAR = 1e-6
_NEAR_OF_CELL = 2e-9


def surely_valid(polygons: Polygons) -> NDArray[np.bool_]:
    """Tell of which polygons it is sure that they are valid: of one ring that touches itself nowhere; bool, shape (rows,). Of the others GEOS has to be asked."""
    single = np.diff(polygons.part_start[polygons.row_start]) == 1

    def sure(rows: slice) -> NDArray[np.bool_]:
        some = polygons.block(rows)
        simple = np.append(simple_rings((some.x, some.y), some.ring_start), np.False_)
        shells: NDArray[np.bool_] = simple[some.part_start[some.row_start[:-1]]]
        return shells

    blocks = list(each_block(sure, row_blocks(len(polygons))))
    found: NDArray[np.bool_] = single & np.concatenate(blocks)
    return found


def require_valid(polygons: Polygons, rows: NDArray[np.int64], what: str, first: int = 0) -> None:
    """Raise unless these polygons are valid; they are named by their rows, the polygons' first being that many.

    Raises
    ------
    InputError
        Ten of them are named, and why GEOS takes the first for invalid.
    """
    left = rows[~surely_valid(polygons.take(rows))]
    geometries = polygons.geometries(left)
    wrong = np.flatnonzero(~in_blocks(shapely.is_valid, geometries))
    if wrong.size:
        reason = shapely.is_valid_reason(geometries[wrong[0]])
        raise InputError(
            f"{wrong.size} of {what} are not valid, rows {(first + left[wrong[:_NAMED]]).tolist()}: {reason}",
            hint="Mend them first with make_valid().",
        )


def require_simple(polygons: Polygons, bounds: Sequence[float], side: float) -> None:
    """Raise if a polygon that meets a grid crosses or covers itself, so that it winds around land twice, or backwards; rings that touch do no harm.

    Parameters
    ----------
    polygons
        Stored in the order of their rows.
    bounds, side
        West, south, east and north of the grid in the polygons' CRS, and the side of a cell: what is far below one is rounding.

    Raises
    ------
    InputError
        Naming the first.
    """
    west, south, east, north = bounds
    x_low, y_low, x_high, y_high = polygons.bounds.T
    rows = np.flatnonzero((x_low < east) & (x_high > west) & (y_low < north) & (y_high > south))
    left = rows[~surely_valid(polygons if rows.size == len(polygons) else polygons.take(rows))]
    for some in row_blocks(left.size):
        land = polygons.geometries(left[some])
        maybe = np.flatnonzero(~shapely.is_valid(land))
        mended = shapely.make_valid(land[maybe], method="structure", keep_collapsed=False)
        enclosed, covered = shapely.area(land[maybe]), shapely.area(mended)
        odd = np.flatnonzero(np.abs(covered - enclosed) > _NEAR * enclosed + _NEAR_OF_CELL * side**2)  # fmt: skip
        if odd.size:
            row, why = int(left[some][maybe[odd[0]]]), shapely.is_valid_reason(land[maybe[odd[0]]])
            cells = np.array([enclosed[odd[0]], covered[odd[0]]]) / side**2
            raise InputError(
                f"a polygon crosses or covers itself: {why}; its rings enclose {cells[0]:g} cells, and it covers {cells[1]:g}",
                f"row {row}" if polygons.ids is None else f"row {row}, id {polygons.ids[row]}",
                'Repair them first: gdf.geometry.make_valid(method="structure", keep_collapsed=False).',
            )
