"""carbongrid: a city's carbon inventory, spread over its land and zoned.

Names are loaded when they are first used, so that ``import carbongrid`` costs nothing.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Grid": "carbongrid.raster.grid",
    "Polygons": "carbongrid.raster.polygons",
    "ZonalOperator": "carbongrid.raster.zonal",
    "rasterize": "carbongrid.raster.labels",
    "overlap": "carbongrid.raster.overlaps",
    "coverage": "carbongrid.raster.overlaps",
    "area_field": "carbongrid.raster.overlaps",
    "zonal_sum": "carbongrid.raster.zonal",
    "spread": "carbongrid.raster.zonal",
    "block_sum": "carbongrid.raster.zonal",
    "zonal_min": "carbongrid.raster.zonal",
    "zonal_stats": "carbongrid.raster.zonal",
    "zonal_mean": "carbongrid.raster.zonal",
    "zonal_max": "carbongrid.raster.zonal",
    "zonal_count": "carbongrid.raster.zonal",
    "quantum_of": "carbongrid.raster.zonal",
    "weighted_overlap": "carbongrid.raster.zonal",
    "crosstab": "carbongrid.raster.zonal",
    "lookup_sum": "carbongrid.raster.zonal",
    "lookup": "carbongrid.raster.zonal",
    "apportion": "carbongrid.method.allocate",
    "indices": "carbongrid.method.indices",
    "classify": "carbongrid.method.zoning",
    "Case": "carbongrid.case",
    "read_activity": "carbongrid.case.readers.activity",
    "audit_choices": "carbongrid.analysis.choices.audit",
    "audit_scale": "carbongrid.analysis.scale.audit",
    "check": "carbongrid.pipeline",
    "run": "carbongrid.pipeline",
    "validate": "carbongrid.analysis.validation.validation",
    "verify": "carbongrid.pipeline.verification",
    "margins": "carbongrid.analysis.margins",
    "skill": "carbongrid.analysis.skill.skill",
    "compare": "carbongrid.analysis.comparison.compare",
    "compensation": "carbongrid.analysis.compensation.compensation",
    "targets": "carbongrid.analysis.targets.targets",
    "plan_targets": "carbongrid.analysis.targets.plan",
    "trend": "carbongrid.analysis.trend.trend",
    "inequality": "carbongrid.analysis.inequality.inequality",
    "Comparison": "carbongrid.analysis.comparison.compare",
    "probability": "carbongrid.analysis.probability",
    "Result": "carbongrid.outputs.result",
    "LiveResult": "carbongrid.pipeline.live",
    "InputError": "carbongrid.errors",
    "RunError": "carbongrid.errors",
    "VerificationError": "carbongrid.errors",
}

_RENAMED = {"open": ("carbongrid.pipeline.opening", "open_run")}
"""Public names that are called otherwise at home, where they would hide a built-in function."""

_ROOMS = {"factors": "carbongrid.inventory.factors", "inventory": "carbongrid.inventory"}
"""Modules that are public as a whole."""

__all__ = sorted([*_HOME, *_RENAMED, *_ROOMS, "__version__"])

if TYPE_CHECKING:
    from carbongrid import inventory as inventory
    from carbongrid.analysis.choices.audit import audit_choices as audit_choices
    from carbongrid.analysis.comparison.compare import Comparison as Comparison
    from carbongrid.analysis.comparison.compare import compare as compare
    from carbongrid.analysis.compensation.compensation import compensation as compensation
    from carbongrid.analysis.inequality.inequality import inequality as inequality
    from carbongrid.analysis.margins import margins as margins
    from carbongrid.analysis.probability import probability as probability
    from carbongrid.analysis.scale.audit import audit_scale as audit_scale
    from carbongrid.analysis.skill.skill import skill as skill
    from carbongrid.analysis.targets.plan import plan_targets as plan_targets
    from carbongrid.analysis.targets.targets import targets as targets
    from carbongrid.analysis.trend.trend import trend as trend
    from carbongrid.analysis.validation.validation import validate as validate
    from carbongrid.case import Case as Case
    from carbongrid.case.readers.activity import read_activity as read_activity
    from carbongrid.errors import InputError as InputError
    from carbongrid.errors import RunError as RunError
    from carbongrid.errors import VerificationError as VerificationError
    from carbongrid.inventory import factors as factors
    from carbongrid.method.allocate import apportion as apportion
    from carbongrid.method.indices import indices as indices
    from carbongrid.method.zoning import classify as classify
    from carbongrid.outputs.result import Result as Result
    from carbongrid.pipeline import check as check
    from carbongrid.pipeline import run as run
    from carbongrid.pipeline.live import LiveResult as LiveResult
    from carbongrid.pipeline.opening import open_run as open  # noqa: A004, F401
    from carbongrid.pipeline.verification import verify as verify
    from carbongrid.raster.grid import Grid as Grid
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
    if name in _ROOMS:
        return _imported(_ROOMS[name])
    if name in _RENAMED:
        module, at_home = _RENAMED[name]
        return getattr(_imported(module), at_home)
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'carbongrid' has no attribute {name!r}") from None
    return getattr(_imported(home), name)


def _imported(module: str) -> ModuleType:
    from carbongrid.raster.portable import imported

    return imported(module)


def __dir__() -> list[str]:
    return __all__
