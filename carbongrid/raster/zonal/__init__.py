"""Fields and their reductions: statistics per label and by exact shares of cells, density from mass per label, sums per coarse cell, pairs of labels.

NumPy, Dask or Zarr inside. Fields are float64, right to 1e-9 for any chunking; sums of integers and of quanta are exact.
"""

from carbongrid.raster.zonal.coarse import block_sum, lookup_sum
from carbongrid.raster.zonal.density import spread
from carbongrid.raster.zonal.lookups import lookup
from carbongrid.raster.zonal.operator import ZonalOperator
from carbongrid.raster.zonal.pairs import crosstab, weighted_overlap
from carbongrid.raster.zonal.quanta import quantum_of
from carbongrid.raster.zonal.statistics import (
    zonal_count,
    zonal_max,
    zonal_mean,
    zonal_min,
    zonal_sum,
)
from carbongrid.raster.zonal.stats import zonal_stats

__all__ = [
    "ZonalOperator",
    "block_sum",
    "crosstab",
    "lookup",
    "lookup_sum",
    "quantum_of",
    "spread",
    "weighted_overlap",
    "zonal_count",
    "zonal_max",
    "zonal_mean",
    "zonal_min",
    "zonal_stats",
    "zonal_sum",
]
