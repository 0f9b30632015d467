"""Which polygons are valid: most surely, by a kernel; of the others GEOS is asked."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.simple_rings import simple_rings
from carbongrid.raster.polygons.sets import Polygons
from carbongrid.raster.row_blocks import each_block, in_blocks, row_blocks

_NAMED = 10


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
