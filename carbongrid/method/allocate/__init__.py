"""Splits of mass: totals to parcels, and parcels to units and cells, exact to the gram."""

from carbongrid.method.allocate.apportioning import apportion
from carbongrid.method.allocate.spreading import Facility, allocate, check_limits, of_same_parent
from carbongrid.method.allocate.targets import (
    move_outside,
    outside_problems,
    split_to_targets,
    totals_by_group,
    unit_totals,
)

__all__ = [
    "Facility",
    "allocate",
    "apportion",
    "check_limits",
    "move_outside",
    "of_same_parent",
    "outside_problems",
    "split_to_targets",
    "totals_by_group",
    "unit_totals",
]
