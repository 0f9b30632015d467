"""carbongrid: a city's carbon inventory, spread over its land and zoned.

Names are loaded when they are first used, so that ``import carbongrid`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Grid": "carbongrid.grid",
    "Polygons": "carbongrid.polygons",
    "rasterize": "carbongrid.labels",
    "overlap": "carbongrid.overlaps",
    "coverage": "carbongrid.overlaps",
    "area_field": "carbongrid.overlaps",
    "zonal_sum": "carbongrid.fields",
    "spread": "carbongrid.fields",
    "block_sum": "carbongrid.fields",
    "zonal_min": "carbongrid.fields",
    "zonal_mean": "carbongrid.fields",
    "zonal_max": "carbongrid.fields",
    "zonal_count": "carbongrid.fields",
    "quantum_of": "carbongrid.fields",
    "weighted_overlap": "carbongrid.fields",
    "crosstab": "carbongrid.fields",
    "lookup_sum": "carbongrid.fields",
    "lookup": "carbongrid.fields",
    "apportion": "carbongrid.allocate",
    "indices": "carbongrid.carbon_indices",
    "classify": "carbongrid.zoning",
    "Case": "carbongrid.case",
    "check": "carbongrid.pipeline",
    "run": "carbongrid.pipeline",
    "verify": "carbongrid.verification",
    "Result": "carbongrid.result",
    "InputError": "carbongrid.errors",
    "RunError": "carbongrid.errors",
    "VerificationError": "carbongrid.errors",
}

_ROOMS = ("factors", "inventory")
"""Modules that are public as a whole."""

__all__ = sorted([*_HOME, *_ROOMS, "__version__"])

if TYPE_CHECKING:
    from carbongrid import factors as factors
    from carbongrid import inventory as inventory
    from carbongrid.allocate import apportion as apportion
    from carbongrid.carbon_indices import indices as indices
    from carbongrid.case import Case as Case
    from carbongrid.errors import InputError as InputError
    from carbongrid.errors import RunError as RunError
    from carbongrid.errors import VerificationError as VerificationError
    from carbongrid.fields import block_sum as block_sum
    from carbongrid.fields import crosstab as crosstab
    from carbongrid.fields import lookup as lookup
    from carbongrid.fields import lookup_sum as lookup_sum
    from carbongrid.fields import quantum_of as quantum_of
    from carbongrid.fields import spread as spread
    from carbongrid.fields import weighted_overlap as weighted_overlap
    from carbongrid.fields import zonal_count as zonal_count
    from carbongrid.fields import zonal_max as zonal_max
    from carbongrid.fields import zonal_mean as zonal_mean
    from carbongrid.fields import zonal_min as zonal_min
    from carbongrid.fields import zonal_sum as zonal_sum
    from carbongrid.grid import Grid as Grid
    from carbongrid.labels import rasterize as rasterize
    from carbongrid.overlaps import area_field as area_field
    from carbongrid.overlaps import coverage as coverage
    from carbongrid.overlaps import overlap as overlap
    from carbongrid.pipeline import check as check
    from carbongrid.pipeline import run as run
    from carbongrid.polygons import Polygons as Polygons
    from carbongrid.result import Result as Result
    from carbongrid.verification import verify as verify
    from carbongrid.zoning import classify as classify


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"carbongrid.{name}")
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'carbongrid' has no attribute {name!r}") from None
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
