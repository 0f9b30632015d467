"""Fields and their reductions: statistics per label, density from mass per label, sums per coarse cell, pairs of labels.

NumPy, Dask or Zarr inside. Fields are float64, right to 1e-9 for any chunking; sums of integers and of quanta are exact.
"""

from carbongrid.fields.coarse import block_sum, lookup_sum
from carbongrid.fields.density import spread
from carbongrid.fields.lookups import lookup
from carbongrid.fields.pairs import crosstab, weighted_overlap
from carbongrid.fields.quanta import quantum_of
from carbongrid.fields.zonal import zonal_count, zonal_max, zonal_mean, zonal_min, zonal_sum

__all__ = [
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
    "zonal_sum",
]
