"""GDP of the units: as the table has it, or derived from a parent's (docs/decisions/0005)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.totals import categories_of
from carbongrid.errors import Problem
from carbongrid.method import gdp
from carbongrid.method.allocate import apportion
from carbongrid.method.categories import Category
from carbongrid.method.sharing import Shares
from carbongrid.method.weights import WeightInputs, weigh
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.weighing import Weighed


def gdp_of_units(
    inputs: Inputs, land: Land, weighed: Weighed, shares: Shares
) -> tuple[pd.Series, tuple[Problem, ...]]:
    """Return GDP per unit (Int64, missing is unknown) and what is worth saying of it."""
    case, table = inputs.case, inputs.gdp
    if case.gdp is None or table is None or table.empty:
        return pd.Series(pd.NA, index=land.units.index, dtype="Int64"), ()
    if case.gdp.by == "unit":
        value = table.set_index("region")["value"].reindex(land.units["id"])
        return value.astype("Int64").set_axis(land.units.index), ()
    parents = land.units[case.gdp.by].to_numpy(dtype=object)
    of_parcel = np.append(parents, "")[land.unit_of_parcel]
    carriers = gdp.Land(
        types=land.parcels["type"].to_numpy(dtype=object),
        area=land.parcels["area_m2"].to_numpy(np.float64),
        parents=of_parcel,
        pois=_pois(inputs, land, weighed),
    )
    return gdp.gdp_of_units(table, carriers, shares.units, land.unit_of_parcel, parents, apportion)


def _pois(inputs: Inputs, land: Land, weighed: Weighed) -> dict[str, NDArray[np.int64]]:
    """Return POIs per parcel of every category that weighs an industry; claims of the run are reused."""
    if inputs.pois is None:
        return {}
    evidence = WeightInputs(
        pois=inputs.pois, miss=inputs.case.pois.miss if inputs.case.pois else "nearest"
    )
    known: dict[str, Category] = categories_of(inputs.case)
    pois = {}
    for name in {name for industry in gdp.industries().values() for name in industry.categories}:
        category = known[name]
        packed = weighed.claims.get(name)
        claims = None if packed is None else packed.opened()
        if claims is None or claims.rule != "pois":
            by_pois = Category(**{**vars(category), "weight": "pois"})
            claims = weigh(by_pois, land.parcels, evidence)
        pois[name] = claims.weight.astype(np.int64)
    return pois
