"""What a finished run gives under other readings of the method: the steps of a run, from what it keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from carbongrid.analysis.choices.open_choices import AS_GIVEN, NO_CROPS, Reading
from carbongrid.case.readers.activity import read_activity
from carbongrid.case.readers.categories import categories_of
from carbongrid.case.readers.facilities import read_facilities, under_totals
from carbongrid.case.readers.fingerprints import Fingerprints
from carbongrid.case.readers.formed_totals import form_rows
from carbongrid.case.readers.inputs import ancestors_of
from carbongrid.case.readers.sinks import coefficients_of, sinks_of
from carbongrid.case.readers.totals import totals_of_rows
from carbongrid.case.table_formats import ELSEWHERE, HERE
from carbongrid.errors import InputError, NotKeptError
from carbongrid.inventory.electricity import set_aside
from carbongrid.method import gdp
from carbongrid.method.allocate import apportion
from carbongrid.method.sharing import Shares, shares_of_areas, with_water_rule
from carbongrid.method.weights import (
    PackedWeights,
    WeightInputs,
    blended_lengths,
    weigh,
)
from carbongrid.method.zoning import classify
from carbongrid.pipeline.live import changed_category
from carbongrid.pipeline.weights_step import regions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from carbongrid.case import Case
    from carbongrid.case.readers.formed_totals import Formed
    from carbongrid.case.readers.inputs import Inputs
    from carbongrid.method.categories import Category
    from carbongrid.pipeline.facilities import PlacedFacilities
    from carbongrid.pipeline.prepared import PreparedRun

_KEY = ["category", "name"]
_OF_MASS = ("electricity", "gwp", "sinks", "water", "reduce", "road_lambda", "poi_miss")
"""Choices that move mass; all others only say what is compared with what."""


@dataclass(frozen=True)
class _Changed:
    """Totals and facilities under a reading, and where these lie."""

    inputs: Inputs
    placed: PlacedFacilities

    @cached_property
    def spread(self) -> dict[str, tuple[Any, ...]]:
        """The masses that decide each category that is spread: of its regions, and of its facilities."""
        totals, facilities = self.inputs.totals, self.inputs.facilities
        found: dict[str, list[Any]] = {name: [] for name in _spread(totals)}
        here = totals[totals["place"] == HERE]
        for name, *mass in zip(here["category"], here["region"], here["grams"], strict=True):
            found[str(name)].append(mass)
        if facilities is not None:
            for name, *mass in zip(facilities["category"], facilities["name"], facilities["grams"], strict=True):  # fmt: skip
                found.get(str(name), []).append(mass)
        return {name: tuple(map(tuple, cells)) for name, cells in found.items()}


class Readings:
    """A finished run under other readings; what several readings have in common is computed once.

    Parameters
    ----------
    run
        The run.
    case
        Its case, whose activity data are read again; None where it is not at hand.

    Raises
    ------
    InputError
        If the case is not that of the run: its activity data are others.
    """

    def __init__(self, run: PreparedRun, case: Case | None = None) -> None:
        # Of a table of totals a run keeps all that is asked.
        formed = case is not None and run.tables.case.inventory is not None
        self.run, self.case = run, case if formed else None
        if self.case is not None:
            _require_same(run, self.case)
        self._kept: dict[Any, Any] = {}

    def zones(self, reading: Reading) -> NDArray[np.int8]:
        """Return the zone of each unit.

        Raises
        ------
        InputError
            With what a run of such a case would refuse, and where the run keeps too little.
        """
        emission, sink = self.masses(reading)
        if reading["basis"] == "net":
            emission = np.maximum(emission - sink, 0)
        money = self._gdp(reading)
        found = np.zeros(emission.size, np.int8)
        for rows in self._regions(reading["reference"]):
            of_region = [money[row] for row in rows.tolist()]
            found[rows] = classify(emission[rows], sink[rows], of_region, ties=reading["ties"])
        return found

    def masses(self, reading: Reading) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return gross emission and sink of each unit, grams."""

        def make() -> NDArray[np.int64]:
            changed = self._inputs(reading)
            sums = np.zeros((2, len(self.run.units)), np.int64)
            for name in changed.spread:
                category = changed.inputs.categories[name]
                sums[int(category.sink)] += self._mass(reading, name, changed)
            return sums

        emission, sink = self._once(("masses", *(reading[name] for name in _OF_MASS)), make)
        return emission, sink

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._kept:
            try:
                self._kept[key] = make()
            except InputError as error:
                self._kept[key] = error
        found = self._kept[key]
        if isinstance(found, InputError):
            raise found
        return found

    def _mass(self, reading: Reading, name: str, changed: _Changed) -> NDArray[np.int64]:
        claims_of = self._what_claims(reading, name)
        key = ("mass", name, changed.spread[name], claims_of, reading["water"], reading["reduce"])

        def make() -> NDArray[np.int64]:
            inputs = changed.inputs
            if regions_of(inputs, name) != regions_of(self.run.inputs, name) and inputs.categories[name].weight == "roads":  # fmt: skip
                raise NotKeptError(f"{name} would have other regions than its lengths")
            claims, shares = self._claims(name, claims_of), self._shares(reading)
            return changed_category(name, inputs, self.run.land, claims, changed.placed, shares).units  # fmt: skip

        found: NDArray[np.int64] = self._once(key, make)
        return found

    def _inputs(self, reading: Reading) -> _Changed:
        """Return totals and facilities under a reading, and where these lie."""
        chosen = {name: reading[name] for name in ("electricity", "gwp", "sinks")}

        def make() -> _Changed:
            before, placed = self.run.inputs, self.run.placed
            totals, facilities = self._given(reading) if self.case is None else self._formed(**chosen)  # fmt: skip
            if before.facilities is not None and facilities is not None:
                kept = _same_facilities(before.facilities, facilities)
                placed = placed.taken(kept)
                there = before.facilities[kept].reset_index(drop=True)
                facilities = there.assign(grams=facilities["grams"].to_numpy())
            units = before.case.units
            if reading["water"] != "table":
                units = units.model_copy(update={"water": reading["water"]})
            case = before.case.model_copy(update={"units": units})
            categories = self._categories(totals)
            inputs = dataclasses.replace(before, case=case, totals=totals, facilities=facilities, categories=categories)  # fmt: skip
            return _Changed(inputs, placed)

        found: _Changed = self._once(("inputs", *chosen.values(), reading["water"]), make)
        return found

    def _categories(self, totals: pd.DataFrame) -> dict[str, Category]:
        """Return the categories of totals; one that the run has not may go by area, which needs no geometry."""
        known = dict(self.run.inputs.categories)
        for name in sorted({*_spread(totals)} - set(known)):
            more = self._activity[0][name]
            if more.weight != "area":
                raise NotKeptError(f"the run keeps no weights of {name}: it measures geometry")
            known[name] = more
        return known

    def _given(self, reading: Reading) -> tuple[pd.DataFrame, Any]:
        """Return totals that were given, and facilities, under a choice of electricity and of sinks."""
        inputs, electricity = self.run.inputs, reading["electricity"]
        totals, aside = inputs.totals, set[str]()
        if electricity != (inputs.case.electricity or AS_GIVEN):
            present = set(totals.loc[(totals["place"] == HERE) & (totals["grams"] > 0), "category"])
            aside |= set_aside(present, inputs.categories, electricity)
        if reading["sinks"] == NO_CROPS:
            aside.add("sink/crops")
        away = totals["category"].isin(aside)
        totals = totals.assign(place=totals["place"].where(~away, ELSEWHERE))
        facilities = inputs.facilities
        if facilities is not None:
            there = facilities[~facilities["category"].isin(aside)].reset_index(drop=True)
            facilities = under_totals(there, totals)
        return totals, facilities

    def _formed(self, electricity: str, gwp: str, sinks: str) -> tuple[pd.DataFrame, Any]:
        """Return totals of the activity data, and facilities."""
        assert self.case is not None, "it is asked of cases only"
        assert self.case.inventory is not None, "it is asked of activity data only"
        section = self.case.inventory.model_copy(update={"gwp": gwp, "sinks": sinks})
        chosen = None if electricity == AS_GIVEN else electricity
        case = self.case.model_copy(update={"inventory": section, "electricity": chosen})
        known, data = self._activity

        def make() -> Formed:
            return form_rows(case, known, data)

        formed: Formed = self._once(("formed", gwp, sinks), make)
        if not formed.rows_by(chosen):
            raise NotKeptError(formed.not_balanced or "no activity data say what is generated and used")  # fmt: skip
        above = ancestors_of(self.run.inputs.units, case.units.parents)
        totals = totals_of_rows(case, known, formed, ancestors=above)[0]
        facilities = None
        if self.run.inputs.facilities is not None:
            facilities = read_facilities(case, known, totals)
        return totals, facilities

    @cached_property
    def _activity(self) -> Any:
        assert self.case is not None, "it is asked of cases only"
        assert self.case.inventory is not None, "it is asked of activity data only"
        known = categories_of(self.case)
        return known, read_activity(self.case.resolve(self.case.inventory.path), known)

    def _what_claims(self, reading: Reading, name: str) -> tuple[str, str]:
        """Return the choice that moves what parcels claim of a category, and its value; blank where none does."""
        category = self.run.inputs.categories.get(name)
        if category is None:
            return "area", ""
        if category.weight == "pois":
            return "poi_miss", reading["poi_miss"]
        if category.weight == "roads":
            return "road_lambda", reading["road_lambda"]
        if category.sink and category.weight == "area" and self.case is not None:
            return "sinks", reading["sinks"]
        return "", ""

    def _claims(self, name: str, by: tuple[str, str]) -> PackedWeights:
        choice, value = by

        def make() -> PackedWeights:
            if choice == "area":
                return PackedWeights.of(weigh(self._activity[0][name], self.run.parcels, WeightInputs()))  # fmt: skip
            kept = self.run.claims([name])[name]
            if choice == "poi_miss" and value == "drop":
                return _dropped(kept)
            if choice == "road_lambda" and value != AS_GIVEN and "by_pois" in kept.arrays:
                length, by_pois = kept.arrays["length"], kept.arrays["by_pois"]
                weight = blended_lengths(length, by_pois, float(value))
                return dataclasses.replace(kept, arrays={**kept.arrays, "weight": weight})
            if choice == "sinks":
                return self._sinks(name, value)
            return kept

        found: PackedWeights = self._once(("claims", name, choice, value), make)
        return found

    def _sinks(self, name: str, value: str) -> PackedWeights:
        """Return what parcels claim of a sink under a set of sinks."""
        assert self.case is not None, "it is asked of cases only"
        coefficients = coefficients_of(sinks_of(value, self.case.resolve(value)))
        inputs, evidence = self.run.inputs, WeightInputs(coefficients=coefficients)
        return PackedWeights.of(weigh(inputs.categories[name], inputs.parcels, evidence))

    def _shares(self, reading: Reading) -> Shares:
        water, by = reading["water"], reading["reduce"]

        def make() -> Shares:
            run = self.run
            shares = run.counted
            if by != run.tables.case.reduce:
                none = sparse.csr_array((len(run.parcels), 0))
                shares = shares_of_areas(run.land.area, run.land.shared_area, none)
            land = run.located if water == "nearest" else run.land
            rule = run.tables.water if water == "table" else water
            assert rule is not None, "a table is a value of runs that have one"
            return with_water_rule(shares, land.parcels, land.units, rule)

        found: Shares = self._once(("shares", water, by), make)
        return found

    def _gdp(self, reading: Reading) -> list[int | None]:
        """Return GDP of the units: as in the run, or split again."""
        key = ("gdp", *(reading[name] for name in ("gdp_split", "reduce", "poi_miss", "water")))

        def make() -> list[int | None]:
            units, case = self.run.units, self.run.tables.case
            own = [None if pd.isna(cell) else int(cell) for cell in units["gdp"]]
            if case.gdp is None or case.gdp.by == "unit":
                return own
            if reading["gdp_split"] == "people":
                return _split_by_people(own, units, case.gdp.by)
            own_water = case.units.water if self.run.tables.water is None else "table"
            if reading["reduce"] == case.reduce and reading["water"] == own_water and (not case.pois or reading["poi_miss"] == case.pois.miss):  # fmt: skip
                return own
            return self._split_by_industry(reading)

        found: list[int | None] = self._once(key, make)
        return found

    def _split_by_industry(self, reading: Reading) -> list[int | None]:
        by = ("poi_miss", reading["poi_miss"])
        known = self.run.inputs.categories
        claims = {name: self._claims(name, by) for name, each in known.items() if each.weight == "pois"}  # fmt: skip
        return gdp_by_industry(self.run, claims, self._shares(reading))

    def _regions(self, reference: str) -> Sequence[NDArray[np.int64]]:
        """Return the units of each reference region; one of no region is in none."""

        def make() -> list[NDArray[np.int64]]:
            if reference == "all":
                return [np.arange(len(self.run.units))]
            codes = self.run.units[reference].fillna("").astype(str).to_numpy()
            return [np.flatnonzero(codes == code) for code in sorted(set(codes) - {""})]

        found: list[NDArray[np.int64]] = self._once(("regions", reference), make)
        return found


def _spread(totals: pd.DataFrame) -> list[str]:
    """Return the categories of which something is spread."""
    return sorted(set(totals.loc[totals["place"] == HERE, "category"]))


def _dropped(kept: PackedWeights) -> PackedWeights:
    """Return what parcels claim if no POI comes from outside."""
    near = int(kept.arrays["near"].sum())
    inside = kept.arrays["inside"]
    arrays = {**kept.arrays, "weight": inside, "near": np.zeros_like(inside)}
    given, used, lost = kept.facts["counted"]
    moved = {"counted": (given, used - near, lost + near), "lost": kept.facts["lost"] + near}
    return dataclasses.replace(kept, arrays=arrays, facts={**kept.facts, **moved})


def gdp_by_industry(
    run: PreparedRun, claims: Mapping[str, PackedWeights], shares: Shares
) -> list[int | None]:
    """Return the GDP of units, split off that of their parents as a run does.

    Parameters
    ----------
    run
        One whose choices say that GDP can follow (:func:`carbongrid.analysis.choices.open_choices.gdp_can_follow`).
    claims
        Of the categories by POIs.
    shares
        What parcels have in common with units.
    """
    land, table, section = run.land, run.tables.gdp, run.tables.case.gdp
    assert table is not None, "it is kept"
    assert section is not None, "the case has GDP"
    parents = land.units[section.by].to_numpy(dtype=object)
    carriers = gdp.Land(
        types=land.parcels["type"].to_numpy(dtype=object),
        area=land.parcels["area_m2"].to_numpy(np.float64),
        parents=np.append(parents, "")[land.unit_of_parcel],
        pois={name: each.opened().weight.astype(np.int64) for name, each in claims.items()},
    )
    split, _ = gdp.gdp_of_units(table, carriers, shares.units, land.unit_of_parcel, parents, apportion)  # fmt: skip
    return [None if pd.isna(cell) else int(cell) for cell in split]


def _split_by_people(own: list[int | None], units: pd.DataFrame, by: str) -> list[int | None]:
    """Return the GDP of each parent split over its units by residents; what is unknown stays so."""
    people = units["residents"].to_numpy(np.float64, na_value=np.nan)
    found = list(own)
    codes = units[by].fillna("").astype(str).to_numpy()
    for code in sorted(set(codes) - {""}):
        inside = np.flatnonzero(codes == code).tolist()
        if any(own[row] is None for row in inside):
            continue
        whole = sum(own[row] or 0 for row in inside)
        if len(inside) == 1 or not whole:
            continue  # as it is, wherever people live
        heads = people[inside]
        if np.isnan(heads).any() or not heads.any():
            raise NotKeptError(f"nobody is known to live in {by} {code}")
        parts = apportion(whole, heads)
        for row, part in zip(inside, parts.tolist(), strict=True):
            found[row] = part
    return found


def _same_facilities(before: pd.DataFrame, after: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which of the run's facilities there are; raises for one whose place is not kept."""
    kept, wanted = (list(map(tuple, each[_KEY].to_numpy())) for each in (before, after))
    found = np.array([key in set(wanted) for key in kept], np.bool_)
    if [key for key in kept if key in set(wanted)] != wanted:
        missing = sorted({str(name) for _, name in set(wanted) - set(kept)})
        raise NotKeptError(f"the run keeps no place of {', '.join(missing[:5])}: it measures geometry")  # fmt: skip
    return found


def _require_same(run: PreparedRun, case: Case) -> None:
    """Refuse a case whose activity data are not those that the run was made of."""
    if case.inventory is None:
        raise InputError("the run is from activity data, and the case has none", str(case.path), "Name the case of this run.")  # fmt: skip
    told = {each["file"]: each["sha256"] for each in run.result.manifest["inputs"]}
    names = [path for key, path in case.named_files() if key.startswith(("[inventory]", "[categories]", "[facilities]"))]  # fmt: skip
    for file, digest in Fingerprints(case).take(names).items():
        if told.get(file) != digest:
            what = f"{file} is not what the run was made of"
            raise InputError(what, str(case.path), "Name the case of this run, as it was; or run it again.")  # fmt: skip
