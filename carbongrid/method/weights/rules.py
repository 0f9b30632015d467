"""What each parcel claims of a category: one weight rule per category (DESIGN section 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.method.categories import Category
from carbongrid.method.landuse import carrying_types, packaged_table
from carbongrid.method.tonnes import counted
from carbongrid.method.weights.claims import Weight, Weights, count_alike
from carbongrid.method.weights.lines import LineWeights, weighted_lengths
from carbongrid.method.weights.people import THOUSANDTHS, Residents
from carbongrid.method.weights.points import points_in_parcels
from carbongrid.method.weights.roadside import blended_lengths, lengths_by_pois

POI_REACH = 100.0
"""Farthest that a POI comes to an eligible parcel, in m (D11)."""

ROAD = "transport/road"
"""Category whose POIs correct road lengths (D14)."""

MAX_EVIDENCE = 9e15
"""Of a column of the parcels: its thousandths are counted in int64."""

_LISTED = 10

_CROPLAND = frozenset({"cultivated", "paddy"})


@dataclass(frozen=True)
class WeightInputs:
    """What the weights are made from, in the grid's CRS.

    Parameters
    ----------
    pois
        Columns category, x, y, and, where the case weighs them, thousandths (int64); None if the case has none.
    people
        From :func:`people_by_parcel`, for all people categories together; None if the case has none.
    poi_categories
        Categories of which the case's crosswalk knows a type of POI; None if all may have some.
    lines
        Columns line_class, mode, weight, dual, geometry; None if the case has none.
    lambda_
        Weight of the POIs in the corrected road length, 0 to 1.
    miss
        ``nearest`` takes a POI outside to the nearest eligible parcel within 100 m, ``drop`` does not.
    coefficients
        Uptake per area by territorial type, for sinks on several types (t C ha-1 yr-1).
    rasters
        Sums per parcel by path of the raster, float64, shape (parcels,).
    raster_known
        Share of each parcel in which the raster has a value, by path, float64, shape (parcels,); NaN where no cell has its centre in it.
    """

    pois: pd.DataFrame | None = None
    people: Residents | None = None
    poi_categories: frozenset[str] | None = None
    lines: gpd.GeoDataFrame | None = None
    lambda_: float = 0.5
    miss: str = "nearest"
    coefficients: Mapping[str, float] = field(default_factory=dict)
    rasters: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    raster_known: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def sink_coefficients() -> dict[str, float]:
    """Return the uptake per area of each territorial type, t C ha-1 yr-1, from the package's table."""
    table = packaged_table("sink_coefficients.csv")
    values = zip(table["type"], table["coefficient"], strict=True)
    return {kind: float(value) for kind, value in values}


def eligible(category: Category, parcels: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which parcels may carry a category: those of its types, and modes where it names one.

    Parameters
    ----------
    category
        Its types are territorial types, or ``transport:MODE``.
    parcels
        Columns type and mode.
    """
    carries = np.zeros(len(parcels), np.bool_)
    for name in carrying_types(category.types):
        kind, _, mode = name.partition(":")
        of_type = (parcels["type"] == kind).to_numpy(dtype=bool)
        carries |= of_type & (parcels["mode"] == mode).to_numpy(dtype=bool) if mode else of_type
    return carries


def may_carry(category: Category, kind: str, mode: str) -> bool:
    """Tell whether land of one type and mode may carry a category, as :func:`eligible` does of parcels."""
    carrying = (name.partition(":") for name in carrying_types(category.types))
    return any(kind == own and asked in ("", mode) for own, _, asked in carrying)


def weigh(
    category: Category,
    parcels: gpd.GeoDataFrame,
    evidence: WeightInputs,
    regions: NDArray[np.int64] | None = None,
) -> Weights:
    """Return the parcels' claims on a category by its own rule; fallbacks are the allocation's.

    Parameters
    ----------
    category
        The category.
    parcels
        In id order: id, type, mode, area_m2, geometry, and a column ``field:COLUMN`` for each such rule.
    evidence
        POIs, people, lines, rasters, coefficients.
    regions : int64, shape (parcels,), optional
        Region of the category's totals that the parcel belongs to (-1: none); default one for all.

    Raises
    ------
    InputError
        For an unknown rule, a column or raster that is not there, a coefficient that is missing, values
        that are negative, NaN or infinite in an eligible parcel (the parcels are named).
    """
    carries = eligible(category, parcels)
    rule, _, argument = category.weight.partition(":")
    if rule == "area":
        return _by_area(category, parcels, carries, evidence.coefficients)
    if rule == "pois":
        return _by_pois(category, parcels, carries, evidence)
    if rule == "people":
        return _by_people(category, parcels, carries, evidence.people)
    if rule == "roads" or (rule == "lines" and argument):
        everywhere = np.zeros(len(parcels), np.int64)
        return _by_lines(
            category, parcels, carries, evidence, everywhere if regions is None else regions
        )
    if rule == "field" and argument:
        return _by_field(category, parcels, carries, argument)
    if rule == "raster" and argument:
        return _by_raster(category, parcels, carries, evidence)
    raise InputError(
        f"{category.weight!r} is no weight rule",
        f"categories: {category.name}",
        "Known: area, pois, people, roads, lines:MODE, field:COLUMN, raster:PATH.",
    )


def _by_area(
    category: Category,
    parcels: gpd.GeoDataFrame,
    carries: NDArray[np.bool_],
    coefficients: Mapping[str, float],
) -> Weights:
    area = parcels["area_m2"].to_numpy(np.float64)
    _check(category, parcels, carries, area, "area_m2")
    area = np.where(carries, area, 0.0)
    weight, unit = area, "m2"
    missing = [name for name in category.types if name.partition(":")[0] not in coefficients]
    # Fields and paddy take up alike where neither has a coefficient; of other types nobody knows that.
    alike = len(missing) == len(category.types) and _CROPLAND.issuperset(missing)
    if category.sink and len(category.types) > 1 and not alike:
        if missing:
            raise InputError(
                f"no sink coefficient for {', '.join(missing)}",
                f"categories: {category.name}",
                "Give a total for each type as a category of its own.",
            )
        number, kinds = pd.factorize(parcels["type"])
        uptake = np.array([*(coefficients.get(kind, np.nan) for kind in kinds), np.nan])[number]
        weight = np.where(carries, area * uptake, 0.0)
    return _claims(category, weight, unit, area, carries)


def _by_pois(
    category: Category,
    parcels: gpd.GeoDataFrame,
    carries: NDArray[np.bool_],
    evidence: WeightInputs,
) -> Weights:
    x, y, quanta = _pois_of(category.name, evidence.pois)
    within = -1.0 if evidence.miss == "drop" else POI_REACH
    found = points_in_parcels(x, y, quanta, parcels.geometry.array, carries, within)
    weighed = evidence.pois is not None and "thousandths" in evidence.pois
    per_unit = THOUSANDTHS if weighed else 1
    known = evidence.poi_categories
    unheard = known is not None and category.name not in known
    note = "" if len(x) else f"no POI of {category.name}"
    if unheard:
        note = f"the crosswalk has no type of POI of {category.name}"
    return Weights(
        found.weight,
        category.weight,
        "POI",
        found.inside,
        found.snapped,
        found.unplaced,
        carries,
        per_unit=per_unit,
        note=note,
        by_area=unheard,
        sized=not count_alike(quanta, per_unit),
        counted=(int(quanta.sum()), int(found.weight.sum()), found.unplaced),
    )


def _by_people(
    category: Category,
    parcels: gpd.GeoDataFrame,
    carries: NDArray[np.bool_],
    people: Residents | None,
) -> Weights:
    if people is None:
        nothing = np.zeros(len(carries), np.int64)
        return Weights(
            nothing,
            category.weight,
            "person",
            nothing,
            nothing,
            0,
            carries,
            note="no people in the case",
        )
    inside, near = np.where(carries, people.inside, 0), np.where(carries, people.snapped, 0)
    notes = [people.note] if people.note else []
    silent, told = _silent_land(parcels, carries, people.known)
    beyond, _ = _silent_land(parcels, carries, people.reached)
    if told:
        notes.insert(0, told)
    return Weights(
        inside + near,
        category.weight,
        "person",
        inside,
        near,
        people.unplaced,
        carries,
        THOUSANDTHS,
        "; ".join(notes),
        silent=silent,
        beyond=beyond,
        counted=(people.given, people.placed, people.unplaced),
    )


def _by_lines(
    category: Category,
    parcels: gpd.GeoDataFrame,
    carries: NDArray[np.bool_],
    evidence: WeightInputs,
    regions: NDArray[np.int64],
) -> Weights:
    corrected = category.weight == "roads"
    mode = "road" if corrected else category.weight.partition(":")[2]
    found, note = _no_lines(len(parcels)), f"no line of mode {mode}"
    if evidence.lines is not None:
        found = weighted_lengths(evidence.lines, mode, parcels.geometry.array, carries)
        note = "" if found.weight.any() or found.unplaced else note
    weight, length, by_pois = found.weight, None, None
    if corrected:
        x, y, quanta = _pois_of(ROAD, evidence.pois)
        length, by_pois = weight, lengths_by_pois(found, x, y, regions, quanta)
        weight = blended_lengths(length, by_pois, evidence.lambda_)
    return Weights(
        weight,
        category.weight,
        "m",
        found.inside,
        found.snapped,
        found.unplaced,
        carries,
        1000,
        note,
        by_area=not corrected,
        length=length,
        by_pois=by_pois,
    )


def _by_field(
    category: Category, parcels: gpd.GeoDataFrame, carries: NDArray[np.bool_], column: str
) -> Weights:
    if category.weight not in parcels:
        raise InputError(
            f"the parcels have no column {column!r}",
            f"categories: {category.name}",
            "Check the name after field:.",
        )
    value = parcels[category.weight].to_numpy(np.float64)
    _check(category, parcels, carries, value, column)
    value = np.where(carries, value, 0.0)
    if value.sum() > MAX_EVIDENCE:
        raise InputError(
            f"{column} adds up to {value.sum():g} over the parcels that carry {category.name}, more than {MAX_EVIDENCE:g}",
            "parcels",
            "Give it in a larger unit, or mend these values.",
        )
    return _claims(category, value, column, value, carries)


def _by_raster(
    category: Category,
    parcels: gpd.GeoDataFrame,
    carries: NDArray[np.bool_],
    evidence: WeightInputs,
) -> Weights:
    path = category.weight.partition(":")[2]
    sums, known = evidence.rasters.get(path), evidence.raster_known.get(path)
    if sums is None:
        raise InputError(
            f"no sums of the raster of {category.weight!r}",
            f"categories: {category.name}",
            "Check its path.",
        )
    _check(category, parcels, carries, sums, "sum of the raster")
    weight = np.where(carries, sums, 0.0)
    # In the ledger a raster counts its parcels: its quanta are a power of two that says nothing to a reader.
    some, nowhere = (weight > 0).astype(np.int64), np.zeros(len(parcels), np.int64)
    read = None if known is None else np.nan_to_num(known, nan=1.0)
    silent, unknown = _silent_land(parcels, carries, read)
    missed, unread = _missed_land(parcels, carries, known)
    quanta = _quanta(sums)
    fate = (int(quanta.sum()), int(quanta[carries].sum()), int(quanta[~carries].sum()))
    return Weights(
        weight,
        category.weight,
        "parcel",
        some,
        nowhere,
        0,
        carries,
        note="; ".join(filter(None, (unknown, unread))),
        silent=silent,
        beyond=silent,
        missed=missed,
        unread=unread,
        counted=fate,
    )


def _quanta(sums: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return sums as whole numbers of one power of two, to be counted; all together below 2^54."""
    shift = 53 - math.frexp(math.fsum(sums))[1]
    return np.rint(np.ldexp(sums, shift)).astype(np.int64)


def _silent_land(
    parcels: gpd.GeoDataFrame, carries: NDArray[np.bool_], known: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64] | None, str]:
    """Return of each carrier the m2 in which a raster has no value, None where it has one in all, and that in words."""
    if known is None or not carries.any():
        return None, ""
    area = parcels["area_m2"].to_numpy(np.float64)
    silent = np.where(carries, area * (1.0 - known), 0.0)
    parts, there, whole = np.count_nonzero(silent > 0), silent.sum(), area[carries].sum()
    if not parts:
        return None, ""
    return silent, (
        f"the raster has no value in {there / 1e6:,.4g} km2 ({there / whole:.2%}) of {parts:,} of the "
        f"{np.count_nonzero(carries):,} parcels that carry it: what is unknown has no weight there"
    )


def _missed_land(
    parcels: gpd.GeoDataFrame, carries: NDArray[np.bool_], known: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64] | None, str]:
    """Return the m2 of each carrier in which no cell has its centre, None where there is none such, and that in words."""
    without = carries & np.isnan(np.zeros(len(parcels)) if known is None else known)
    if not without.any():
        return None, ""
    area = parcels["area_m2"].to_numpy(np.float64)
    missed = np.where(without, area, 0.0)
    return missed, (
        f"no cell of the grid has its centre in {np.count_nonzero(without):,} of the {np.count_nonzero(carries):,} parcels that carry it "
        f"({missed.sum() / 1e6:,.4g} km2, {missed.sum() / area[carries].sum():.2%}): the raster gives them no weight"
    )


def _claims(
    category: Category,
    weight: NDArray[np.float64],
    unit: str,
    quantity: NDArray[np.float64],
    carries: NDArray[np.bool_],
) -> Weights:
    inside = np.rint(1000.0 * quantity).astype(np.int64)
    return Weights(weight, category.weight, unit, inside, np.zeros_like(inside), 0, carries, 1000)


def _check(
    category: Category,
    parcels: pd.DataFrame,
    carries: NDArray[np.bool_],
    value: Weight,
    name: str,
) -> None:
    bad = np.flatnonzero(carries & ~(np.isfinite(value) & (value >= 0)))
    if bad.size:
        ids = parcels["id"].to_numpy()
        listed = ", ".join(f"{ids[row]} ({value[row]})" for row in bad[:_LISTED])
        raise InputError(
            f"{name} is negative, infinite or not a number in {counted(bad.size, 'parcel that carries', 'parcels that carry')} {category.name}: {listed}",
            "parcels",
            "Mend these values; 0 is fine.",
        )


def _pois_of(
    name: str, pois: pd.DataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return x, y and quanta of a category's POIs: thousandths where they have a weight, else 1 each."""
    if pois is None:
        return np.empty(0), np.empty(0), np.empty(0, np.int64)
    own = pois[pois["category"] == name]
    x, y = own["x"].to_numpy(np.float64), own["y"].to_numpy(np.float64)
    if "thousandths" in own:
        return x, y, own["thousandths"].to_numpy(np.int64)
    return x, y, np.ones(len(own), np.int64)


def _no_lines(size: int) -> LineWeights:
    nothing = np.zeros(size, np.int64)
    return LineWeights(np.zeros(size), nothing, nothing, 0)
