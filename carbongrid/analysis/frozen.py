"""Zones against a region that is kept as it was: the base run's own sums, whatever the plan makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.method.zoning import TIES, UNCLASSIFIED, units_in_regions


def frozen_zones(
    base: pd.DataFrame, units: pd.DataFrame, reference: str = "all", ties: str = ">="
) -> NDArray[np.int8]:
    """Return the zone of each unit against the regions of other units: ECC and ESC with C, CA and G as they were.

    Parameters
    ----------
    base
        The units whose sums are kept: id, emission_g, sink_g, gdp and, if it is the reference, a parent column.
    units
        The units to be zoned, in the same order.
    reference, ties
        As for :func:`carbongrid.method.zoning.zone_units`.

    Returns
    -------
    int8 array of shape (units,)

    Notes
    -----
    ECC is high where G_i*C >= C_i*G, ESC where CA_i*C >= C_i*CA, the sums being those of ``base``, of the units of known GDP for ECC. A unit
    without emission is high only if it has GDP, or a sink. With the floating reference halving every emission changes no zone; with this one it does.
    """
    regions = [region for _, region in units_in_regions(base, reference, ties)]
    rows = [unit for unit, _ in units_in_regions(units, reference, ties)]
    least = TIES[ties]
    zones = []
    for unit, region in zip(rows, regions, strict=True):
        if region is None or unit.G_i is None or not (unit.C_i or unit.CA_i):
            zones.append(UNCLASSIFIED)
            continue
        if region.units < 2 or not region.G or not region.CA:
            zones.append(UNCLASSIFIED)
            continue
        sides = (
            unit_part > 0 if not unit.C_i else least(unit_part * C, whole * unit.C_i)
            for unit_part, whole, C in ((unit.G_i, region.G, region.C_known), (unit.CA_i, region.CA, region.C))
        )  # fmt: skip
        ecc, esc = sides
        zones.append(1 if ecc and esc else 2 if ecc else 3 if esc else 4)
    return np.array(zones, np.int8)


def zones_both_ways(base: Any, after: Any) -> pd.DataFrame:
    """Return the zone of each unit before a plan, and after it against the region as the plan leaves it and as it was.

    Parameters
    ----------
    base, after
        Runs as :class:`carbongrid.analysis.finished.FinishedRun`, of the same units.
    """
    reference, ties = base.parameters["reference"], base.parameters.get("ties", ">=")
    frozen = frozen_zones(base.units, after.units, reference, ties)
    return pd.DataFrame(
        {
            "unit": base.units["id"],
            "name": base.units["name"],
            "zone_before": base.units["zone"].astype(int),
            "zone_floating": after.units["zone"].astype(int),
            "zone_frozen": frozen.astype(int),
        }
    )
