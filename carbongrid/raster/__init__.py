"""The engine: polygons and rasters in, labels, overlaps and exact sums out. It knows nothing of carbon.

``import carbongrid.raster as cr`` costs nothing: names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "Grid": "grid",
    "Polygons": "polygons",
    "ZonalOperator": "zonal",
    "area_field": "overlaps",
    "block_sum": "zonal",
    "coverage": "overlaps",
    "crosstab": "zonal",
    "lookup": "zonal",
    "lookup_sum": "zonal",
    "open_labels": "label_store",
    "overlap": "overlaps",
    "quantum_of": "zonal",
    "rasterize": "labels",
    "spread": "zonal",
    "weighted_overlap": "zonal",
    "zonal_count": "zonal",
    "zonal_max": "zonal",
    "zonal_mean": "zonal",
    "zonal_min": "zonal",
    "zonal_stats": "zonal",
    "zonal_sum": "zonal",
}

__all__ = sorted(_HOME)

if TYPE_CHECKING:
    from carbongrid.raster.grid import Grid as Grid
    from carbongrid.raster.label_store import open_labels as open_labels
    from carbongrid.raster.labels import rasterize as rasterize
    from carbongrid.raster.overlaps import area_field as area_field
    from carbongrid.raster.overlaps import coverage as coverage
    from carbongrid.raster.overlaps import overlap as overlap
    from carbongrid.raster.polygons import Polygons as Polygons
    from carbongrid.raster.zonal import ZonalOperator as ZonalOperator
    from carbongrid.raster.zonal import block_sum as block_sum
    from carbongrid.raster.zonal import crosstab as crosstab
    from carbongrid.raster.zonal import lookup as lookup
    from carbongrid.raster.zonal import lookup_sum as lookup_sum
    from carbongrid.raster.zonal import quantum_of as quantum_of
    from carbongrid.raster.zonal import spread as spread
    from carbongrid.raster.zonal import weighted_overlap as weighted_overlap
    from carbongrid.raster.zonal import zonal_count as zonal_count
    from carbongrid.raster.zonal import zonal_max as zonal_max
    from carbongrid.raster.zonal import zonal_mean as zonal_mean
    from carbongrid.raster.zonal import zonal_min as zonal_min
    from carbongrid.raster.zonal import zonal_stats as zonal_stats
    from carbongrid.raster.zonal import zonal_sum as zonal_sum


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'carbongrid.raster' has no attribute {name!r}") from None
    return getattr(importlib.import_module(f"carbongrid.raster.{home}"), name)


def __dir__() -> list[str]:
    return __all__
