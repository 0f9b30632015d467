"""What each set of sinks makes of the same activity data, side by side (docs/decisions/0054)."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from carbongrid.inventory.forming import LOST_LAND, METHANE_OF, form_at
from carbongrid.inventory.lines import Inventory
from carbongrid.inventory.sink_sets import sink_sets
from carbongrid.inventory.tables import by_gas

COLUMNS = ("set", "chosen", "land_t", "crops_t", "lost_t", "methane_t", "net_t")


def compare_sinks(inventory: Inventory) -> pd.DataFrame:
    """Return the sinks of an inventory by every set of the package, and by its own.

    Returns
    -------
    DataFrame
        set, chosen (whether the inventory counts by it), land_t and crops_t (uptake), lost_t (given off by land) and methane_t
        (of water and ponds), which stand among the emissions, net_t (uptake less these): t CO2e per year, float64. Empty if no row is of a sink.
    """
    data = inventory.data
    rows = tuple(row for row in data.rows if inventory.categories[row.category].sink)
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    sets = sink_sets() | {inventory.sinks.name: inventory.sinks}
    table = []
    for name, each in sets.items():
        formed = form_at(
            inventory.place,
            replace(data, rows=rows),
            gwp=inventory.gwp,
            sinks=each,
            year=inventory.year,
            categories=inventory.categories,
        )
        grams = by_gas(formed).groupby("category")["grams_co2e"].sum()
        uptake = grams[[inventory.categories[category].sink for category in grams.index]]
        crops = int(uptake.get("sink/crops", 0))
        land = int(uptake.sum()) - crops
        methane = int(grams.reindex(list(METHANE_OF.values()), fill_value=0).sum())
        lost = int(grams.get(LOST_LAND, 0))
        sums = (land, crops, lost, methane, land + crops - lost - methane)
        table.append((name, name == inventory.sinks.name, *(each / 1e6 for each in sums)))
    return pd.DataFrame(table, columns=list(COLUMNS))
