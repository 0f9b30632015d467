"""Read POIs, say which category each is of, and how well their coordinates fit the parcels."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.case.readers.coordinates import READINGS
from carbongrid.case.readers.copies import OF_POINTS, copy_problems
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.readers.located import read_located
from carbongrid.case.readers.overture_places import ID, odd_confidence, release_problems
from carbongrid.case.readers.readings import (
    maps_are_shifted,
    other_datums,
    place_of,
    shifted_readings,
)
from carbongrid.case.readers.rounding import MAX_ROUNDED
from carbongrid.case.readers.tables import require_columns
from carbongrid.case.readers.vector import text_column
from carbongrid.case.table_formats import CROSSWALK, POIS
from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.inventory.units_of_measure import of_percent
from carbongrid.method.categories import Category
from carbongrid.method.landuse import carrying_types, packaged_table
from carbongrid.method.weights.claims import count_alike
from carbongrid.raster.polygons.outlines import geometries_of
from carbongrid.raster.row_blocks import pairs_in_blocks

_OVERTURE = "overture"
CROSSWALKS = ("gaode", "osm", _OVERTURE)
"""Crosswalks from POI types to categories that ship with the package."""

_HEAVIEST_TYPE = 10**9
"""A type that counts more is a slip of the pen; sums of thousandths stay far below 2^63."""

_STATUS = ("operating_status", "operating_")
"""Column of Overture's places that says whether one is closed, and what a Shapefile leaves of its name."""
_PER_POI = 1000
FAR_APART = 10
"""Types that count on average more than this many times what one without a weight does, or less than one part in as many, are in another unit."""
_NONE = np.array([-1], np.int64)
_SAMPLE = 20_000
_CLEARLY_BETTER, _NEARLY_ALL = 0.1, 0.9


def read_pois(
    case: Case,
    crs: CRS,
    categories: Collection[str] | None = None,
    by_pois: Collection[str] | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the POIs in the grid's CRS and what is worth saying of them.

    Parameters
    ----------
    case
        A :class:`carbongrid.case.Case`: its ``pois`` are read.
    crs
        The grid's CRS.
    categories
        Names that a user's crosswalk may give; None if any will do.
    by_pois
        Those that go by POIs, whose sizes matter; None if all may.

    Returns
    -------
    DataFrame
        Columns poi_type, category (blank: no match), x, y, and, where the case or the crosswalk has weights,
        thousandths (of a POI, int64); sorted by x, y, poi_type, thousandths, category. A POI whose type serves several categories has a row
        for each, and then a column again says which rows are of one that was counted.
    list of Problem
        Types without a match, with their counts; types that look as if they had lost leading zeros.

    Raises
    ------
    InputError
        With rows of impossible coordinates or weights, or a crosswalk of unknown categories.
    """
    section = case.pois
    assert section is not None, "the case names no POIs"
    notes: list[Problem] = []
    entries = _crosswalk(case, section.crosswalk, categories, notes)
    crosswalk = dict(zip(entries["poi_type"], entries["category"], strict=True))
    padded = any(entry.startswith("0") for entry in crosswalk)
    columns = [section.type, *([section.weight] if section.weight else [])]
    is_overture = section.crosswalk == _OVERTURE
    optional = (*_STATUS, ID) if is_overture else _STATUS
    points = read_located(case, section, columns, [section.type] if padded else [], optional)
    problems: list[Problem] = []
    types = text_column(points.table, section.type, points.where, problems, padded=padded)
    if problems:
        raise InputError(problems)
    x, y = points.projected(crs)
    kinds = pd.Series(types, dtype=str)
    names = list(crosswalk)
    # By number, since a row of the crosswalk may stand for a blank type.
    number = match_poi_types(kinds, {entry: str(place) for place, entry in enumerate(names)})
    matched = [names[int(text)] if text else None for text in number]
    told = pd.DataFrame({"poi_type": kinds, "entry": matched, "category": [crosswalk.get(entry, "") for entry in matched]})  # fmt: skip
    row, entry = _claims(matched, entries)
    served = entries["category"].to_numpy(object)
    category = np.where(entry < 0, "", served[entry]) if len(served) else np.full(len(row), "")
    table = pd.DataFrame(
        {"poi_type": kinds.to_numpy()[row], "category": category, "x": x[row], "y": y[row]},
    ).astype({"poi_type": str, "category": str})
    order = ["x", "y", "poi_type"]
    sizes = _sizes(entries, entry)
    notes += _half_sized(entries, entry, section.crosswalk)
    own = None
    if section.weight:
        own, exact, _ = points.thousandths(section.weight, POIS.column("weight"))
    if own is not None or sizes is not None:
        each = None if own is None else own[row]
        table["thousandths"] = _weighed(each, sizes, len(table), points.where)
        order.append("thousandths")
        given = np.ones(len(table)) if own is None else exact[row]
        given = given if sizes is None else given * np.array(sizes, np.float64)
        notes += _rounded(table["category"], given, table["thousandths"].to_numpy(), points.where)
    if len(row) > len(kinds):
        table["again"] = np.append(False, row[1:] == row[:-1])
    table = table.sort_values([*order, "category"], kind="stable", ignore_index=True)
    notes += [*points.notes, *points.shift_problems(crs), *_lost_zeros(told, crosswalk, points.where)]  # fmt: skip
    once = table[~table["again"]] if "again" in table else table
    notes += copy_problems([once[name].to_numpy() for name in order], points.where, OF_POINTS)
    notes += _unmatched(told, section.crosswalk, points.where)
    if is_overture:
        notes += release_problems(points.table, told, names, section.type, points.where)
    notes += _shared(told, entries, section.crosswalk)
    for status in [name for name in _STATUS if name in points.table]:
        notes += _closed(points.table[status], own, points.where)
    if own is not None:
        notes += _weightless(exact, points.where)
        if is_overture and str(section.weight).endswith("confidence"):
            notes += odd_confidence(exact, points.where)
    return table, [*notes, *_unsized(table, by_pois, points.where)]


def _claims(
    matched: list[str | None], entries: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return POI and row of the crosswalk of each claim, -1 for none; a type that serves several categories has several rows."""
    rows = entries.groupby("poi_type", sort=False).indices
    found = [_NONE if entry is None else rows[entry] for entry in matched]
    poi = np.repeat(np.arange(len(found)), [len(each) for each in found])
    return poi, np.concatenate([_NONE[:0], *found]).astype(np.int64)


def crosswalk_categories(case: Case) -> frozenset[str] | None:
    """Return the categories of which the case's crosswalk knows a type of POI; None without POIs."""
    if case.pois is None:
        return None
    return frozenset(_crosswalk(case, case.pois.crosswalk, None)["category"]) - {""}


def match_poi_types(types: pd.Series, crosswalk: Mapping[str, str]) -> pd.Series:
    """Return the category of each POI type, blank where the crosswalk has none.

    An entry that ends with ``*`` matches what begins with the rest; the longest match counts, and
    a whole match most. Of several types in one cell, joined by ``|`` as Gaode does, the first with a
    match counts.
    """
    prefixes = sorted(
        (entry[:-1] for entry in crosswalk if entry.endswith("*")), key=lambda text: -len(text)
    )

    def category(poi_type: str) -> str:
        for one in (part.strip() for part in poi_type.split("|")):
            if one in crosswalk:
                return crosswalk[one]
            start = next((prefix for prefix in prefixes if one.startswith(prefix)), None)
            if start is not None:
                return crosswalk[start + "*"]
        return ""

    known = {poi_type: category(poi_type) for poi_type in types.unique()}
    return types.map(known).astype(str)


def hit_rates(
    pois: pd.DataFrame,
    parcels: gpd.GeoDataFrame,
    categories: Mapping[str, Category],
    declared: str,
) -> dict[str, float]:
    """Return the share of POIs that hit a parcel of a type that carries their category.

    The numbers in the file are read as the case says; in China as WGS 84, as GCJ-02 and as BD-09 too; and, unless nearly all
    hit, by each datum in use at the place that would shift them, of which the best is told if it is clearly better (D12).

    Parameters
    ----------
    pois
        From :func:`read_pois`, in the parcels' CRS.
    parcels
        With type, mode and geometry.
    categories
        By name; those weighed by POIs count.
    declared
        What the case says the coordinates are: ``gcj02``, ``bd09`` or a CRS.

    Returns
    -------
    dict
        Share by name of the reading, the declared one first outside of China; empty if no POI counts. Of more than 20,000 POIs,
        every k-th is tried.
    """
    weighed = [name for name, one in categories.items() if one.weight == "pois"]
    counted = pois[pois["category"].isin(weighed)]
    if not len(counted):
        return {}
    counted = counted.iloc[:: -(-len(counted) // _SAMPLE)]
    carry = _carriers(parcels, {name: carrying_types(categories[name].types) for name in weighed})
    kinds = counted["category"].map({name: row for row, name in enumerate(weighed)}).to_numpy()
    carriers = np.flatnonzero(carry.any(axis=0))
    geometry, carry = geometries_of(parcels, carriers), carry[:, carriers]

    def rate(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        tree = shapely.STRtree(np.asarray(shapely.points(x, y)))
        parcel, point = pairs_in_blocks(tree, geometry, predicate="intersects")
        return len(np.unique(point[carry[kinds[point], parcel]])) / len(counted)

    x, y = counted["x"].to_numpy(np.float64), counted["y"].to_numpy(np.float64)
    if maps_are_shifted(place_of(parcels), declared):
        moved = shifted_readings(x, y, parcels.crs, declared)
        rates = {name: rate(*place) for name, place in moved.items()}
    else:
        rates = {declared: rate(x, y)}
    if max(rates.values()) < _NEARLY_ALL:
        own = rates[_own_reading(rates, declared)]
        others = {name: rate(*place) for name, place in other_datums(x, y, parcels, declared)}
        best = max(others, key=lambda name: others[name], default="")
        if best and _is_clearly_better(others[best], own, len(counted)):
            rates[best] = others[best]
    return rates


def _own_reading(rates: Mapping[str, float], declared: str) -> str:
    return declared if declared in rates else READINGS[0]


def _is_clearly_better(rate: float, own: float, count: int) -> bool:
    """Whether one reading of so many points hits more than another, and not by chance: three standard errors."""
    better = (rate - own) * count
    return rate > own + _CLEARLY_BETTER and better > 3 * math.sqrt((rate + own) * count)


def reading_notes(rates: Mapping[str, float], declared: str, where: str) -> list[Problem]:
    """Return the hit rates as a note, or as a warning if another reading fits clearly better."""
    if not rates:
        return []
    own = _own_reading(rates, declared)
    best = max(rates, key=lambda reading: rates[reading])
    told = ", ".join(f"{rate:.1%} as {reading}" for reading, rate in rates.items())
    what = f"POIs that hit a parcel of a type that carries their category: {told}"
    if best != own and rates[best] > rates[own] + _CLEARLY_BETTER:
        hint = f"The case says {declared}; {best} fits clearly better. Check pois.crs."
        return [Problem(what, where, hint, "warning")]
    return [Problem(what, where, level="note")]


def _crosswalk(
    case: Case,
    name: str,
    categories: Collection[str] | None,
    notes: list[Problem] | None = None,
) -> pd.DataFrame:
    """Return poi_type, category, and, where a table of the user's has them, weight and source; notes as of :func:`rows_declared`."""
    if name in CROSSWALKS:
        table = packaged_table(f"poi/{name}.csv")
    else:
        encoding = case.pois.encoding if case.pois else None
        table = read_declared(case.resolve(name), CROSSWALK, beside=encoding)
        require_columns(table, name, CROSSWALK.names(required=True))
        # Types of no category may stand as often as they like; each takes a type out of what stands for its beginning.
        nothing = table[table["category"] == ""].drop_duplicates("poi_type")
        table = table[table["category"] != ""]
        if "weight" in table:
            table = table.assign(weight=table["weight"].map(of_percent))
        rows, faults = rows_declared(table, CROSSWALK, name, {"category": categories}, notes)
        pairs = ((row.number, f"{row.cells['poi_type']!r} for {row.cells['category']}") for row in rows)  # fmt: skip
        faults.once(pairs, "the POI type")
        faults.raise_any()
        problems = [*_faults_of_sizes(table, name), *_faults_of_shares(table, name)]
        both = nothing.loc[nothing["poi_type"].isin(table["poi_type"]), "poi_type"]
        problems += [Problem(f"the POI type {kind!r} stands for no category and for some", name, "Keep one of its rows.") for kind in both]  # fmt: skip
        if problems:
            raise InputError(problems)
        table = pd.concat([table, nothing[["poi_type", "category"]]]).fillna("")
    return table


def _faults_of_sizes(table: pd.DataFrame, where: str) -> list[Problem]:
    """Return an error for each weight of a type that is no number, is too large, or has no source."""
    problems = []
    sources = table["source"] if "source" in table else pd.Series("", index=table.index)
    weights = table["weight"] if "weight" in table else pd.Series("", index=table.index)
    for kind, weight, source in zip(table["poi_type"], weights, sources, strict=True):
        if not weight:
            continue
        if not _is_weight(weight):
            what = f"the weight of {kind} is {weight!r}: a number from 0 to {_HEAVIEST_TYPE:,}"
            problems.append(Problem(what, where, "1 is a POI; write 1 where 1 is meant."))
        elif not source.strip():
            what = f"the weight of {kind} has no source"
            problems.append(Problem(what, where, "Name who measured it, in a column source."))
    return problems


def _faults_of_shares(table: pd.DataFrame, where: str) -> list[Problem]:
    """Return an error for each type that serves several categories and does not say what a POI of it counts in each: it may be a slip."""
    problems = []
    weights = table["weight"] if "weight" in table else pd.Series("", index=table.index)
    for kind, own in table.groupby("poi_type", sort=False):
        if len(own) > 1 and not weights[own.index].all():
            what = f"the POI type {kind!r} serves {', '.join(own['category'])}, and a row of it has no weight"
            hint = "Write what a POI of it counts in each, in a column weight, with its source; or keep one row."
            problems.append(Problem(what, where, hint))
    return problems


def _is_weight(text: str) -> bool:
    try:
        return 0 <= Decimal(text) <= _HEAVIEST_TYPE
    except InvalidOperation:
        return False


def _sizes(entries: pd.DataFrame, entry: NDArray[np.int64]) -> list[Decimal] | None:
    """Return what each claim counts, by its row of the crosswalk; None where that weighs no type."""
    if "weight" not in entries or not entries["weight"].any():
        return None
    written = [Decimal(text or "1") for text in entries["weight"]]
    return [written[row] if row >= 0 else Decimal(1) for row in entry.tolist()]


def _half_sized(entries: pd.DataFrame, entry: NDArray[np.int64], where: str) -> list[Problem]:
    """Return a warning for each category of which some types weigh far more or less than 1 and others have no weight, which is 1: they are added up.

    What a POI counts in each of several categories is a part of it, not a size.
    """
    if "weight" not in entries or not entries["weight"].any():
        return []
    pois = np.bincount(entry + 1, minlength=len(entries) + 1)[1:]
    counted = (pois > 0) & (entries["category"] != "") & ~entries["poi_type"].duplicated(keep=False)
    types = entries.assign(pois=pois)[counted]
    notes = []
    for category, own in types.groupby("category", sort=True):
        blank = own[own["weight"] == ""]
        told = own.loc[own["weight"] != "", ["weight", "pois"]].astype(float)
        told = told[told["weight"] > 0]
        if not len(blank) or not len(told):
            continue
        mean = float((told["weight"] * told["pois"]).sum() / told["pois"].sum())
        if not 1 / FAR_APART <= mean <= FAR_APART:
            what = f"{blank['pois'].sum():,} of {own['pois'].sum():,} POIs of {category} are of types without a weight, which count 1, where others count {mean:.3g} on average: {listed(blank['poi_type'])}"
            hint = (
                "Give every type of the category a weight, in one unit; write 1 where 1 is meant."
            )
            notes.append(Problem(what, where, hint, "warning"))
    return notes


def _weighed(
    own: NDArray[np.int64] | None, sizes: list[Decimal] | None, count: int, where: str
) -> NDArray[np.int64]:
    """Return thousandths of each POI: its own weight times that of its type, rounded half to even.

    Raises
    ------
    InputError
        If the product of one is above what either may be, so that sums of them might leave int64.
    """
    quanta = np.full(count, _PER_POI, np.int64) if own is None else own
    if sizes is None:
        return quanta
    exact = (int(each) * size for each, size in zip(quanta, sizes, strict=True))
    whole = [int(each.to_integral_value(ROUND_HALF_EVEN)) for each in exact]
    heaviest = max(whole, default=0)
    if heaviest > _HEAVIEST_TYPE * _PER_POI:
        raise InputError(
            f"a POI weighs {heaviest // _PER_POI:,} with the weight of its type, more than {_HEAVIEST_TYPE:,}",
            where,
            "Weigh POIs or types in a larger unit.",
        )
    return np.array(whole, dtype=np.int64)


def _closed(status: pd.Series[Any], own: NDArray[np.int64] | None, where: str) -> list[Problem]:
    """Return a warning of places that are closed, for good or for now, and count something: nothing takes them out."""
    is_closed = status.astype(str).str.endswith("closed").to_numpy(dtype=bool)
    closed = status[is_closed if own is None else is_closed & (own > 0)].value_counts()
    if not len(closed):
        return []
    told = listed(f"{name} ({count})" for name, count in closed.items())
    what = f"{int(closed.sum())} of {len(status)} places are closed, and are not taken out: {told}"
    hint = "Take them out of the file."
    if own is None:
        hint = 'Take them out of the file; or count each place by how sure it is that it exists, which is no size: weight = "confidence".'
    return [Problem(what, where, hint, "warning")]


def _rounded(
    category: pd.Series[str], given: NDArray[np.float64], kept: NDArray[np.int64], where: str
) -> list[Problem]:
    """Return a note on weights that are too small to count.

    Parameters
    ----------
    category
        Of each claim, blank for none.
    given, kept
        Its weight, and that in thousandths.

    Raises
    ------
    InputError
        If more than 1 % of the weight of a category comes or goes as weights are rounded to thousandths.
    """
    claims = pd.DataFrame({"given": given, "moved": np.abs(given - kept / _PER_POI), "faint": (given > 0) & (kept == 0)})  # fmt: skip
    claims = claims[(category != "").to_numpy(bool)]
    sums = claims.groupby(category)[["given", "moved"]].sum()
    coarse = sums[sums["moved"] * MAX_ROUNDED > sums["given"]]
    if len(coarse):
        raise InputError(
            Problem(f"weights of POIs are counted in thousandths, and rounding them moves {moved:.3g} of the {weight:.3g} of {name}", where, "Give larger ones, such as m2 for km2: what counts is how they compare.")
            for name, weight, moved in coarse.itertuples()
        )  # fmt: skip
    faint = claims.loc[claims["faint"], "given"]
    if faint.empty:
        return []
    told = f"weights of POIs below half a thousandth count nothing: {len(faint)} of {len(claims)}, {faint.sum():.4g} together"
    return [Problem(told, where, level="note")]


def _weightless(own: NDArray[np.float64], where: str) -> list[Problem]:
    """Return how many POIs count nothing by their own weight."""
    count = int((own == 0).sum())
    if not count:
        return []
    return [Problem(f"{count} of {len(own)} POIs have a weight of 0, and count nothing", where, level="note")]  # fmt: skip


def _unsized(pois: pd.DataFrame, by_pois: Collection[str] | None, where: str) -> list[Problem]:
    """Return what it means that POIs have no size, all or those of some categories that go by them: n of them know their sum to 1/sqrt(n) of it, if sizes spread as widely as their mean."""
    if not len(pois):
        return []
    what = (
        "every POI counts 1, whatever its size: where sizes spread as widely as their mean, what a place with 1, 10 or 100 of them "
        "gets is uncertain by 100, 32 or 10 % (one standard deviation)"
    )
    if "thousandths" in pois:
        counting = pois[(pois["category"] != "") & (pois["thousandths"] > 0)]
        alike = [
            str(category)
            for category, own in counting.groupby("category", sort=True)["thousandths"]
            if (by_pois is None or category in by_pois) and count_alike(own.to_numpy(), _PER_POI)
        ]
        if not alike:
            return []
        what = f"POIs of {listed(alike)} all count alike or nearly so, whatever their size: what a place with 1, 10 or 100 of them gets is uncertain by 100, 32 or 10 % (one standard deviation) where sizes spread as widely as their mean"
    hint = "Name a column of sizes, [pois] weight, or give the types of a crosswalk of your own a weight and its source."
    return [Problem(what, where, hint, "note")]


def _lost_zeros(pois: pd.DataFrame, crosswalk: Mapping[str, str], where: str) -> list[Problem]:
    """Return a warning of types that a spreadsheet may have shortened: with zeros before them they would match."""
    counts = {str(text): int(count) for text, count in pois["poi_type"].value_counts().items()}
    length = max((len(text) for text in (*crosswalk, *counts) if _is_digits(text)), default=0)
    short = [text for text in counts if _is_digits(text) and text not in crosswalk]
    padded = {text: text.zfill(length) for text in short if len(text) < length}
    categories = match_poi_types(pd.Series(list(padded.values()), dtype=str), crosswalk)
    lost = [text for text, found in zip(padded, categories, strict=True) if found]
    if not lost:
        return []
    told = listed(f"{text} for {padded[text]} ({counts[text]})" for text in lost)
    number = sum(counts[text] for text in lost)
    what = f"{number} of {len(pois)} POIs are of {len(lost)} types that would match with leading zeros: {told}"
    hint = "A spreadsheet may have taken them off: get the table anew, with the types as text."
    return [Problem(what, where, hint, "warning")]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _unmatched(pois: pd.DataFrame, crosswalk: str, where: str) -> list[Problem]:
    counts = pois.loc[pois["category"] == "", "poi_type"].value_counts()
    if not len(counts):
        return []
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    told = listed((f"{name or '(blank)'} ({count})" for name, count in ordered), 20)
    what = (
        f"{int(counts.sum())} of {len(pois)} POIs are of {len(counts)} types without a category in "
        f"{crosswalk}: {told}"
    )
    level: Level = "warning" if counts.sum() > 0.5 * len(pois) else "note"
    hint = "Write a crosswalk of your own with these types, if they matter."
    if crosswalk == "osm" and not pois["poi_type"].str.contains("=", regex=False).any():
        hint = "Types of osm are a key and its value, such as shop=bakery: is the key in another column?"
    return [Problem(what, where, hint, level)]


def _shared(pois: pd.DataFrame, entries: pd.DataFrame, crosswalk: str) -> list[Problem]:
    """Return how many POIs stand for several categories."""
    several = entries["poi_type"][entries["poi_type"].duplicated()].unique()
    count = int(pois["entry"].isin(several).sum())
    if not count:
        return []
    what = f"{count} of {len(pois)} POIs are of types that serve several categories in {crosswalk}, and count in each what it says there: {listed(several)}"
    return [Problem(what, level="note")]


def _carriers(parcels: gpd.GeoDataFrame, types: Mapping[str, tuple[str, ...]]) -> NDArray[np.bool_]:
    """Return whether a parcel may carry a category, shape (categories, parcels)."""
    (kind, kinds), (mode, modes) = (pd.factorize(parcels[name], use_na_sentinel=False) for name in ("type", "mode"))  # fmt: skip
    fits = [land in names or f"{land}:{way}" in names for names in types.values() for land in kinds for way in modes]  # fmt: skip
    of_pairs = np.array(fits, np.bool_).reshape(len(types), len(kinds), len(modes))
    return of_pairs[:, kind, mode]
