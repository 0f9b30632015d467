"""The zones of a run beside those that a published emission gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from carbongrid.analysis.validation.baselines import OneTotal, raked
from carbongrid.case.readers.geometry import geodesic_area
from carbongrid.method.agreement import kappa
from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.probability.zone_probability import draw_zones
from carbongrid.method.zoning import zone_units
from carbongrid.pipeline.run_carriers import RunCarriers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.probability.mass_on_land import MassOnLand

_UNIT_ZONES = ["unit", "zone", "zone_published", "firm", "agrees"]
NO_ZONES: tuple[dict[str, float], pd.DataFrame] = ({}, pd.DataFrame(columns=_UNIT_ZONES))
"""Nothing is compared: emission is not published for every unit, or is 0 in all of them; or no unit has a zone."""


def areas_of_units(run: RunCarriers) -> NDArray[np.float64]:
    """Return the area of each unit on the ellipsoid, m2."""
    areas: NDArray[np.float64] = geodesic_area(run.outlines.geometry.to_numpy(), run.outlines.crs)
    return areas


def compare_zones(
    run: RunCarriers,
    values: pd.DataFrame,
    draws: int,
    seed: int,
) -> tuple[dict[str, float], pd.DataFrame]:
    """Compare zones with those that the published emission gives, sinks and GDP being the run's.

    Beside it what an emission spread by area would have, one by one whole total of each category, and the published values scaled, sector by
    sector, to the run's totals. These are no bound: sectors placed otherwise may have a sum that comes nearer.
    """
    units, on_land, area = run.units, run.on_land, areas_of_units(run)
    by_quantity = values.pivot_table("grams", "region", "of", aggfunc="sum").reindex(units["id"])
    parts = _parts_of_emission(on_land, by_quantity)
    if not parts:
        return NO_ZONES
    theirs = {of: by_quantity[of].to_numpy(np.float64) for of in parts}
    whole = by_quantity["emission"].to_numpy(np.float64) if "emission" in by_quantity else None
    published = sum(theirs.values(), np.zeros(len(units))) if whole is None else whole
    if np.isnan(published).any() or not published.any():
        return NO_ZONES
    one = OneTotal(run)
    base = [on_land.units[each.name].to_numpy(np.float64) for each in on_land.categories]
    placed = [one.masses(each) for each in on_land.categories]
    emitting = [not each.sink for each in on_land.categories]
    rows = [(own, other) for own, other, emits in zip(base, placed, emitting, strict=True) if emits]
    nested = any(other is not None for _, other in rows)
    emission = {
        "run": units["emission_g"].to_numpy(np.float64),
        "published": published,
        "by_area": published.sum() * (area / area.sum()),
        "by_published": sum((raked(on_land, of, theirs[name]) for name, of in parts.items()), np.zeros(len(units))),
    }  # fmt: skip
    if nested:
        emission["by_one_total"] = sum((own if other is None else other for own, other in rows), np.zeros(len(units)))  # fmt: skip
    zone = {name: _zones_with(run, grams) for name, grams in emission.items()}
    zoned = (zone["run"] > 0) | (
        zone["published"] > 0
    )  # what neither can zone, for want of GDP or sinks, is no agreement
    if not zoned.any():
        return NO_ZONES
    drawn = draw_zones(on_land, uncertainty_of(run.manifest), draws=draws, seed=seed, sources=False)
    firm = drawn.table["firm"].to_numpy(bool)[zoned]
    zone = {name: codes[zoned] for name, codes in zone.items()}
    differs = zone["run"] != zone["published"]
    found = {
        "units": float(zoned.sum()),
        "agreement": float((~differs).mean()),
        "disagreements_not_firm": float((~firm[differs]).mean()) if differs.any() else math.nan,
        "not_firm": float((~firm).mean()),
        "kappa": kappa(zone["run"], zone["published"]),
    }
    for name in ("by_area", "by_one_total", "by_published"):
        same = zone.get(name)
        found[f"agreement_{name}"] = math.nan if same is None else float((same == zone["published"]).mean())  # fmt: skip
        found[f"kappa_{name}"] = math.nan if same is None else kappa(same, zone["published"])
    columns = (units["id"][zoned], zone["run"], zone["published"], firm, ~differs)
    return found, pd.DataFrame(dict(zip(_UNIT_ZONES, columns, strict=True))).reset_index(drop=True)


def _parts_of_emission(run: MassOnLand, by_quantity: pd.DataFrame) -> dict[str, list[str]]:
    """Return the quantities that make up emission, with their categories: all sectors where the table has each for every unit, else emission as a whole."""
    sectors: dict[str, list[str]] = {}
    for category in run.categories:
        if not category.sink:
            sectors.setdefault(category.sector, []).append(category.name)
    complete = [name for name in sectors if name in by_quantity and by_quantity[name].notna().all()]
    if sectors and len(complete) == len(sectors):
        return sectors
    whole = [name for members in sectors.values() for name in members]
    return {"emission": whole} if "emission" in by_quantity else {}


def _zones_with(run: RunCarriers, emission: NDArray[np.float64]) -> NDArray[np.int64]:
    told = run.manifest["parameters"]
    units = run.units.assign(emission_g=np.rint(emission).astype(np.int64))
    zoned = zone_units(units, told["reference"], ties=told.get("ties", ">="))
    return zoned["zone"].to_numpy(np.int64)
