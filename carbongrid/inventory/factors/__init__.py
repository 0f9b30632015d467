"""Factors: published numbers with unit, gas, bounds, source and status, and the units they stand in.

``find`` searches them; ``carbongrid factors`` does it on the command line.
"""

from carbongrid.inventory.factors.catalogue import Catalogue, Factor, catalogue, factor_of_row
from carbongrid.inventory.factors.gwp import GWP_SETS, gwp_of
from carbongrid.inventory.factors.search import find
from carbongrid.inventory.factors.units import Unit, read_unit

__all__ = [
    "GWP_SETS",
    "Catalogue",
    "Factor",
    "Unit",
    "catalogue",
    "factor_of_row",
    "find",
    "gwp_of",
    "read_unit",
]
