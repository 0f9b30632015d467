"""The inventory: from activity data to category totals, every number with its source.

:mod:`carbongrid.inventory.equations` holds equations 1 to 7; read a filled template with :func:`carbongrid.read_activity`, ``form`` the inventory, then
``totals``, ``audit``, ``explain``, ``to_system``, ``approach_1``, ``approach_2``, ``draws`` and ``intervals_of_parts`` of it.
"""

from carbongrid.inventory.crosswalks import from_system, to_system
from carbongrid.inventory.electricity_compared import (
    audit_with_readings,
    compare_electricity,
    energy_notes,
)
from carbongrid.inventory.explained import explain
from carbongrid.inventory.forming import form
from carbongrid.inventory.lines import Inventory, Line
from carbongrid.inventory.notes import notes
from carbongrid.inventory.power_balance import (
    as_counted,
    balance_of,
    by_consumption,
    consumption_if_known,
    has_balance,
)
from carbongrid.inventory.sinks_compared import compare_sinks
from carbongrid.inventory.tables import audit, by_gas, by_region, memo, totals
from carbongrid.inventory.uncertainty import (
    approach_1,
    approach_2,
    draws,
    intervals_of_parts,
    notes_on_bounds,
    without_bounds,
)

__all__ = [
    "Inventory",
    "Line",
    "approach_1",
    "approach_2",
    "as_counted",
    "audit",
    "audit_with_readings",
    "balance_of",
    "by_consumption",
    "by_gas",
    "by_region",
    "compare_electricity",
    "compare_sinks",
    "consumption_if_known",
    "draws",
    "energy_notes",
    "explain",
    "form",
    "from_system",
    "has_balance",
    "intervals_of_parts",
    "memo",
    "notes",
    "notes_on_bounds",
    "to_system",
    "totals",
    "without_bounds",
]
