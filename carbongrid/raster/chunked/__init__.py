"""The chunked forms: label rasters and reductions tile by tile. Only this folder knows Dask.

Every task takes only what touches its tile and returns sparse partial counts; integers are added up in any order, so
the result is the same for any chunk size, scheduler and number of workers.
"""

from carbongrid.raster.chunked.counts import Counts, label_and_count, paint_and_count, recount
from carbongrid.raster.chunked.scans import count_overlap, fill_labels, write_labels
from carbongrid.raster.chunked.tasks import threads_at_once, travels

__all__ = [
    "Counts",
    "count_overlap",
    "fill_labels",
    "label_and_count",
    "paint_and_count",
    "recount",
    "threads_at_once",
    "travels",
    "write_labels",
]
