"""Reads the outlines of units for a way in that needs no more of them than where they lie."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np

from carbongrid.case.readers.geometry import missing_problems, polygon_problems
from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError, Problem


def read_outlines(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    """Return the outlines of units, without their columns.

    Parameters
    ----------
    path
        Polygons in any format of a case.
    layer
        Its name; may be left out where there is one only.

    Raises
    ------
    InputError
        Unless all are valid polygons in a known CRS, and there is one at least.
    """
    outlines = read_vector(path, layer, columns=[])
    geometry = outlines.geometry.to_numpy()
    rows = np.array([f"row {number}" for number in range(1, len(outlines) + 1)], dtype=object)
    problems = [
        *missing_problems(geometry, rows, path.name),
        *polygon_problems(geometry, rows, path.name, "Mend them in QGIS: Fix geometries."),
    ]
    if outlines.crs is None:
        problems.append(Problem("the layer has no CRS", path.name, "Write it again with one."))
    if not len(outlines):
        problems.append(Problem("the layer is empty", path.name))
    if problems:
        raise InputError(problems)
    return outlines
