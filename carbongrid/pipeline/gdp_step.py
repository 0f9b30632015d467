"""GDP of the units: as the table has it, or derived from a parent's and then an interval (docs/decisions/0005 and 0060)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem
from carbongrid.method import gdp
from carbongrid.method.allocate import apportion
from carbongrid.method.categories import Category
from carbongrid.method.gdp_interval import IndustryWeights, Spread, gdp_intervals
from carbongrid.method.sharing import Shares
from carbongrid.method.weights import WeightInputs, weigh
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.weights_step import Weighed


@dataclass(frozen=True)
class GdpOfUnits:
    """GDP of the units and the ends of its 90 % interval (Int64, missing is unknown), and what is worth saying of it.

    Where GDP is the unit's own both ends are GDP.
    """

    gdp: pd.Series[int]
    low: pd.Series[int]
    high: pd.Series[int]
    notes: tuple[Problem, ...] = ()


def gdp_of_units(inputs: Inputs, land: Land, weighed: Weighed, shares: Shares) -> GdpOfUnits:
    """Return GDP per unit and its interval."""
    case, table = inputs.case, inputs.gdp
    if case.gdp is None or table is None or table.empty:
        unknown = pd.Series(pd.NA, index=land.units.index, dtype="Int64")
        return GdpOfUnits(unknown, unknown, unknown)
    if case.gdp.by == "unit":
        value = table.set_index("region")["value"].reindex(land.units["id"])
        own = value.astype("Int64").set_axis(land.units.index)
        return GdpOfUnits(own, own, own)
    parents = land.units[case.gdp.by].to_numpy(dtype=object)
    of_parcel = np.append(parents, "")[land.unit_of_parcel]
    carriers = gdp.Land(
        types=land.parcels["type"].to_numpy(dtype=object),
        area=land.parcels["area_m2"].to_numpy(np.float64),
        parents=of_parcel,
        pois=_pois(inputs, land, weighed),
    )
    where = (shares.units, land.unit_of_parcel, parents)
    split, notes = gdp.gdp_of_units(table, carriers, *where, apportion)
    known = table.loc[table.drop(columns="region").notna().all(axis=1)].reset_index(drop=True)
    claims = [
        IndustryWeights(
            industry,
            of_units,
            known[industry].to_numpy(np.float64),
            known["region"].isin(by_rule).to_numpy(bool),
        )
        for industry, (of_units, by_rule) in gdp.weights_of_units(known, carriers, *where).items()
    ]
    number = pd.Index(known["region"]).get_indexer(parents)
    values = [None if pd.isna(value) else int(value) for value in split]
    low, high, spreads = gdp_intervals(values, number.astype(np.int64), claims)
    return GdpOfUnits(
        split.set_axis(land.units.index),
        pd.Series(low, index=land.units.index, dtype="Int64"),
        pd.Series(high, index=land.units.index, dtype="Int64"),
        (*notes, *_notes(spreads, case.gdp.by)),
    )


def _notes(spreads: tuple[Spread, ...], by: str) -> list[Problem]:
    """Return what the width of the intervals rests on, by industry."""
    notes = []
    for each in spreads:
        factor = f"{np.exp(each.quantile * each.tau):.2g}"
        if each.parents:
            what = f"GDP of {each.industry} per unit of weight differs between units by a factor of {factor} either way at 90 %, as its split over {each.parents} {by} regions shows where their GDP is known"
        else:
            what = f"GDP of {each.industry} per unit of weight is assumed to differ between units by a factor of {factor} either way at 90 %: too few {by} regions have GDP to try the split on"
        notes.append(Problem(what, "gdp", "See docs/decisions/0060.", "note"))
    return notes


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
