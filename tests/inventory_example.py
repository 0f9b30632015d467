"""The template's filled example, formed once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import carbongrid
from carbongrid import inventory
from carbongrid.case.readers.activity import read_activity
from carbongrid.inventory import Inventory

EXAMPLE = Path(carbongrid.__file__).parent / "data" / "template" / "inventory"


@cache
def example() -> Inventory:
    """Return the inventory of the example, AR5, with the sinks of the study: they form every term."""
    return inventory.form(read_activity(EXAMPLE), sinks="study")
