"""Statistics by shares of cells, slow and obvious: each cell a shapely box, each sum by math.fsum."""

from __future__ import annotations

import math

import numpy as np
import shapely


def shares(polygon, grid):
    """Share of each cell that a polygon covers."""
    west, _, _, north = grid.bounds
    side = grid.resolution
    found = np.zeros(grid.shape)
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            left, top = west + column * side, north - row * side
            cell = shapely.box(left, top - side, left + side, top)
            found[row, column] = shapely.intersection(polygon, cell).area / side**2
    return found


def statistics(values, share, weights=None):
    """Statistics of known values; weights are those of the cells."""
    known = ~np.isnan(values) & (share > 1e-9)
    x, c = values[known], share[known]
    w = c if weights is None else c * weights[known]
    total = math.fsum(w)
    result = {
        "count": math.fsum(c),
        "sum": math.fsum(w * x),
        "min": x.min() if x.size else math.nan,
        "max": x.max() if x.size else math.nan,
        "mean": math.nan,
        "variance": math.nan,
        "std": math.nan,
    }
    if total > 0:
        mean = math.fsum(w * x) / total
        variance = math.fsum(w * (x - mean) ** 2) / total
        result |= {"mean": mean, "variance": variance, "std": math.sqrt(variance)}
    return result
