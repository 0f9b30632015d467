"""What of the package's categories the extract's land carries, and by which weight: totals.csv and categories.csv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from carbongrid.errors import Problem
from carbongrid.method.categories import Category, read_categories
from carbongrid.method.landuse import SETTLEMENT, packaged_table
from carbongrid.method.weights import WeightInputs, Weights, eligible, weigh
from carbongrid.sources.osm.energy import SUPPLY

MIN_POIS = 10
"""A category of which fewer points of interest reach its land goes by area: a handful would carry all of it."""

BUILT_UP = ("utilities", "industrial", "mining", "commercial", "public", "urban-residential", "farm-facilities")  # fmt: skip
"""Land that may hold what makes power and heat: a works' own plant, a school's boiler, a farm's digester."""

WORKS_LAND = ("utilities", "industrial")
"""Land of power and heat where no plant is mapped: OSM draws the grounds of utilities as industrial."""

UNFILLED = "to be filled in"
"""How the source of a total begins that nobody has given yet."""


@dataclass(frozen=True)
class Rows:
    """What a case of an extract says of its categories.

    Parameters
    ----------
    totals, categories
        The rows of totals.csv and categories.csv.
    sinks
        What sinks would take up by their area and the study's coefficient, t CO2.
    not_told_apart
        Categories that lie on settlements alone, which all that is built shares.
    notes
        Remarks for people.
    """

    totals: pd.DataFrame
    categories: pd.DataFrame
    sinks: Mapping[str, float]
    not_told_apart: frozenset[str]
    notes: tuple[Problem, ...]


def carried_rows(
    parcels: gpd.GeoDataFrame, pois: pd.DataFrame, lines: gpd.GeoDataFrame, *, people: bool = False
) -> Rows:
    """Return a row per category that some parcel carries.

    Parameters
    ----------
    parcels
        Columns id, type, mode; polygons, projected.
    pois
        Columns lon, lat, type, weight.
    lines
        Of the network; only whether there are any counts.
    people
        Whether the case has people.

    Notes
    -----
    An extract has no people, so homes go by area unless people are given beside it. Points of interest weigh where ten or more, and half of them at least, reach land of their
    category; the sites that make power and heat are no sample, so one is enough, and any built-up land may hold
    them. Shipping goes by the area of ports: a ferry line lies on water, and what of it lies on a pier says nothing.
    """
    land = parcels.assign(area_m2=parcels.area).sort_values("id", ignore_index=True)
    evidence = WeightInputs(pois=_placed_pois(pois, land))
    totals, own, without = [], [], []
    sinks: dict[str, float] = {}
    not_told_apart = set()
    for category in read_categories(people=people).values():
        if category.name == "sink/land":
            continue  # its types have categories of their own
        chosen, how = _as_carried(category, land, evidence, len(lines), people=people)
        carries = eligible(chosen, land)
        if not carries.any():
            without.append(category.name)
            continue
        if (land["type"][carries] == SETTLEMENT).all():
            not_told_apart.add(category.name)
        km2 = float(land["area_m2"][carries].sum()) / 1e6
        carriers = f"{int(carries.sum())} parcels, {km2:.2f} km2"
        source = f"{UNFILLED}; {carriers}, by {chosen.weight}{how}"
        uptake = _uptake(category, km2)
        if uptake is not None:
            sinks[category.name], told = uptake
            source += f"; {told} would be {sinks[category.name]:,.0f} t CO2"
        totals.append((category.name, "0", "t CO2e", "", source))
        if chosen != category:
            types = "+".join(chosen.types) if chosen.types != category.types else ""
            weight = chosen.weight if chosen.weight != category.weight else ""
            own.append((category.name, *[""] * 5, types, weight))
    columns = ["category", "sector", "name_en", "name_zh", "scope", "sink", "types", "weight"]
    notes = []
    if without:
        what = (
            f"no land is mapped that carries {', '.join(without)}: totals.csv has no row for them"
        )
        notes.append(Problem(what, level="note"))
    return Rows(
        pd.DataFrame(totals, columns=["category", "value", "unit", "year", "source"]),
        pd.DataFrame(own, columns=columns),
        sinks,
        frozenset(not_told_apart),
        tuple(notes),
    )


def _placed_pois(pois: pd.DataFrame, land: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the points as the weights take them: category, x, y, thousandths, and a row's own number."""
    crosswalk = packaged_table("poi/osm.csv").set_index("poi_type")["category"]
    exact = pois["type"].map(crosswalk)
    rough = (pois["type"].str.split("=").str[0] + "=*").map(crosswalk)
    places = gpd.GeoSeries(gpd.points_from_xy(pois["lon"], pois["lat"], crs="EPSG:4326"))
    xy = places.to_crs(land.crs)
    thousandths = np.rint(1000 * pois["weight"].astype(float)).astype(np.int64)
    columns: Mapping[str, object] = {
        "category": exact.where(exact.notna(), rough),
        "x": xy.x.to_numpy(),
        "y": xy.y.to_numpy(),
        "thousandths": thousandths,
    }
    return pd.DataFrame(columns)


def _as_carried(
    category: Category,
    land: gpd.GeoDataFrame,
    evidence: WeightInputs,
    lines: int,
    *,
    people: bool,
) -> tuple[Category, str]:
    """Return a category with the land and the weight that an extract has for it, and why."""
    by_area = replace(category, weight="area")
    if category.weight == "people" and people:
        return category, ""
    if category.weight == "people":
        return by_area, " (an extract has no people)"
    if category.weight == "roads" and not lines:
        return by_area, " (no roads)"
    if category.name == "transport/water":
        return by_area, " (ferry lines lie on water, not in ports)"
    if category.weight != "pois":
        return category, ""
    supply = category.name == SUPPLY
    by_pois = replace(category, types=BUILT_UP) if supply else category
    assert evidence.pois is not None
    own = evidence.pois[evidence.pois["category"] == category.name]
    claims = weigh(by_pois, land, replace(evidence, pois=own.assign(thousandths=1)))
    reached = int(claims.inside.sum() + claims.near.sum())
    told = f"{reached} of {len(own)} points of interest reach {_holders(claims)} of them"
    if supply and reached:
        return by_pois, f" ({told}, by their megawatts)"
    # What loses more than half of its evidence would stop the run (docs/decisions/0037).
    if reached >= MIN_POIS and 2 * reached >= len(own):
        return by_pois, f" ({told})"
    why = f" (only {reached} of {len(own)} points of interest reach its land)"
    return (replace(by_area, types=WORKS_LAND), why) if supply else (by_area, why)


def _holders(claims: Weights) -> int:
    return int(np.count_nonzero(claims.weight))


def _uptake(category: Category, km2: float) -> tuple[float, str] | None:
    """Return what a sink takes up on so much land, t CO2, and the coefficient; None where none is known."""
    table = packaged_table("sink_coefficients.csv").set_index("type")
    if not category.sink or len(category.types) != 1 or category.types[0] not in table.index:
        return None
    row = {name: str(table.at[category.types[0], name]) for name in table.columns}
    tonnes = float(row["coefficient"]) * km2 * 100 * 44 / 12
    return tonnes, f"{row['coefficient']} {row['unit']} ({row['source']})"
