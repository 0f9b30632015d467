"""What a plan makes of a finished run: its actions in order, by the steps of the run, to the gram."""

from __future__ import annotations

import dataclasses
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from carbongrid.case.readers.geometry import only_polygons
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.units_of_measure import base_currency, gas_of_text
from carbongrid.method.allocate import apportion
from carbongrid.method.gas import CO2, CO2E
from carbongrid.method.tonnes import counted, readable_tonnes
from carbongrid.method.weights import locate
from carbongrid.pipeline.changes import (
    FACILITIES,
    TOTALS,
    WEIGHTS,
    facility_row,
    known_category,
    total_given,
    under_new_totals,
    whole_total,
)
from carbongrid.pipeline.conversion import convert_parcels
from carbongrid.pipeline.facilities import PlacedFacilities, place_facilities, rows_of_facilities
from carbongrid.pipeline.plans import Action, Plan
from carbongrid.pipeline.replanned import (
    amount_after,
    facility_table,
    kept_shares,
    meaning_of,
    money_after,
    moved_totals,
    named_once,
    not_spread,
    scaled_total,
    spread_here,
    whole_money,
)
from carbongrid.pipeline.tables import gas_of_inputs, gases_of_inputs
from carbongrid.raster.opening.vectors import open_vector
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    from carbongrid.case.readers.inputs import Inputs
    from carbongrid.pipeline.live import LiveResult

Rows = NDArray[np.int64]

_JUMP = 10
"""GDP that grows or falls by more than so many times is told: a number may be in another unit than was meant."""


def apply_plan(answer: LiveResult, plan: Plan) -> LiveResult:
    """Return what a plan makes of a run, or of an answer of it.

    Raises
    ------
    InputError
        For the first action that cannot be done, by its number, with what is there.
    """
    does = {
        "scale": _scaled,
        "add": _with_facility,
        "remove": _without_facility,
        "convert": _converted,
        "gdp": _with_gdp,
    }
    for action in plan.actions:
        try:
            warned = _warnings_of_gas(answer, action)
            answer = does[action.do](answer, action, plan.folder)
            answer = dataclasses.replace(answer, said=(*answer.said, *warned)) if warned else answer
        except InputError as error:
            problems = [dataclasses.replace(each, where=", ".join(filter(None, (action.where, _in_a_plan(each.where))))) for each in error.problems]  # fmt: skip
            raise InputError(problems) from error
    return answer


def _in_a_plan(where: str) -> str:
    """Return where something is wrong without the method of Python that would have been asked: a plan has none."""
    first, _, rest = where.partition(", ")
    return rest if first in (TOTALS, FACILITIES, WEIGHTS) else where


def _scaled(answer: LiveResult, action: Action, folder: Path | None) -> LiveResult:
    told = action.told
    if "facility" in told:
        return _scaled_facility(answer, action)
    names = _categories(answer, told)
    here = spread_here(answer.inputs.totals)
    aside = [name for name in names if name not in here]
    if aside == names:
        raise not_spread(listed(told.get("category", names)))
    if aside:
        names = [name for name in names if name in here]
        what = f"action {action.number} leaves out what is not spread here: {listed(aside)}"
        answer = dataclasses.replace(answer, said=(*answer.said, Problem(what, level="warning")))
    if action.land:
        return _scaled_land(answer, action, names, _selected(answer, action, folder))
    if len(names) > 1 and "factor" not in told:
        raise InputError(f"an amount for {len(names)} categories at once: {', '.join(names)}", hint="Give factor, or one category.")  # fmt: skip
    for name in names:
        now = whole_total(answer.inputs, name)
        after = amount_after(told, now, name)
        gas = total_given(told["total"], name).gas if "total" in told else None
        totals = scaled_total(answer.inputs, name, after, gas=gas)
        kept = _facilities_that_keep_theirs(answer, action, name, (now, after))
        inputs = under_new_totals(answer.inputs, totals, answer.inputs.facilities)
        answer = answer.recomputed([name], inputs, answer.placed)
        answer = dataclasses.replace(answer, said=(*answer.said, *kept))
    return answer


def _facilities_that_keep_theirs(answer: LiveResult, action: Action, name: str, whole: tuple[int, int]) -> list[Problem]:  # fmt: skip
    """Return a note where facilities given by mass keep it while their category's total changes: all of the change is of what has no name."""
    table = answer.inputs.facilities
    if table is None or whole[0] == whole[1]:
        return []
    known = (table["category"] == name) & (table["way"] == "value") & (table["grams"] > 0)
    own = table["grams"][known.to_numpy(bool) & (answer.placed.parcel >= 0)]
    kept = int(own.sum())
    rest = [each - kept for each in whole]
    if not kept or min(rest) < 0:
        return []
    now, before, after = map(readable_tonnes, (kept, *rest))
    what = f"action {action.number}: {now} t of {counted(len(own), 'facility', 'facilities')} of {name} stay, since they are given by mass, and all else goes from {before} t to {after} t"
    hint = "Scale facilities by name, or the land under them, if they are meant too."
    return [Problem(what, hint=hint, level="note")]


def _warnings_of_gas(answer: LiveResult, action: Action) -> tuple[Problem, ...]:
    """Return a warning where an action brings CO2e to a category of CO2 alone; a total of the whole says itself what the category is of from then on."""
    told = action.told
    mass = next((told[key] for key in ("change", "total", "mass") if key in told), None)
    part = "facility" in told or action.land or "change" in told
    if action.do == "gdp" or not part or not isinstance(mass, str):
        return ()
    if gas_of_text(mass.strip().lstrip("+-")) != CO2E:
        return ()
    if action.do == "scale" and "facility" in told:
        row, table = facility_row(answer.inputs, told["facility"], _one_category(told)), answer.inputs.facilities  # fmt: skip
        assert table is not None, "it has the row"
        names = [str(table["category"].iloc[row])]
    else:
        names = _categories(answer, told)
    alone = [name for name in names if _gases_joined(answer.inputs, name) == {CO2}]
    if not alone:
        return ()
    given = f"changes {listed(alone)} by {mass}" if "change" in told else f"gives {mass} to {listed(alone)}"  # fmt: skip
    what = f"action {action.number} {given}, of which the total is of CO2 alone."
    hint = "Give its CO2. What gives off no other gas may be called CO2: it is as much."
    return (Problem(what, hint=hint, level="warning"),)


def _gases_joined(inputs: Inputs, name: str) -> AbstractSet[str]:
    """Return the gases that mass brought to a category joins: those that it emits, of a total of 0 what it says; else the run's."""
    emitted, totals = gases_of_inputs(inputs).get(name), inputs.totals
    if emitted:
        return emitted
    of_zero = {*totals["gas"][(totals["category"] == name) & (totals["place"] == "here")]}
    # Of activity data a gas leaves nothing out.
    return of_zero if of_zero and inputs.case.inventory is None else {gas_of_inputs(inputs).name}


def _categories(answer: LiveResult, told: Any) -> list[str]:
    """Return the categories that an action names, ``*`` standing for anything; without a name all that emit."""
    known = answer.inputs.categories
    if "category" not in told:
        return [name for name, each in known.items() if not each.sink]
    found: list[str] = []
    for pattern in told["category"]:
        named = [name for name in known if fnmatchcase(name, pattern)]
        if not named:
            known_category(answer.inputs, pattern, "category")
        found += [name for name in named if name not in found]
    return found


def _scaled_facility(answer: LiveResult, action: Action) -> LiveResult:
    told, inputs = action.told, answer.inputs
    row = facility_row(inputs, told["facility"], _one_category(told))
    table = inputs.facilities
    assert table is not None, "it has the row"
    name, now = str(table["category"].iloc[row]), int(table["grams"].iloc[row])
    after = amount_after(told, now, told["facility"])
    land = answer.prepared.land
    homes = answer.placed.homes(land)[[row]]
    totals = moved_totals(inputs.totals, land, name, homes, [after - now])
    table = kept_shares(table, name)
    own = np.arange(len(table)) == row
    table = table.assign(
        grams=table["grams"].mask(own, after),
        way=table["way"].mask(own, "value"),
        remainder=table["remainder"].mask(own, "0"),
    )
    return answer.recomputed([name], under_new_totals(inputs, totals, table), answer.placed)


def _one_category(told: Any) -> str | None:
    if "category" not in told:
        return None
    if len(told["category"]) > 1:
        raise InputError("a facility is of one category", "category", "Name one.")
    return str(told["category"][0])


def _scaled_land(answer: LiveResult, action: Action, names: list[str], rows: Rows) -> LiveResult:
    """Scale what lies on land: it weighs what it emits from now on, so that all other land keeps its grams."""
    told, masses = action.told, answer.masses(names)
    there = [name for name, mass in zip(names, masses, strict=True) if np.isin(mass.rows, rows).any()]  # fmt: skip
    if not there:
        which = names[0] if len(names) == 1 else f"{len(names)} categories"
        raise InputError(f"the {counted(len(rows), 'parcel that it selects has', 'parcels that it selects have')} nothing of {which}", hint="Select other land.")  # fmt: skip
    if len(there) > 1 and "factor" not in told:
        raise InputError(f"an amount for {len(there)} categories at once: {', '.join(there)}", hint="Give factor, or one category.")  # fmt: skip
    for name in there:
        answer = _scaled_on(answer, action, name, rows)
    return answer


def _scaled_on(answer: LiveResult, action: Action, name: str, rows: Rows) -> LiveResult:
    prepared, inputs = answer.prepared, answer.inputs
    _require_by_own_rule(answer, name)
    size = len(prepared.parcels)
    grams, here = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    answer.masses([name])[0].add_to(grams)
    here[rows] = True
    table = inputs.facilities
    own = np.zeros(0, np.int64)
    if table is not None:
        placed = (table["category"] == name).to_numpy(bool) & (answer.placed.parcel >= 0)
        own = np.flatnonzero(placed)
        np.subtract.at(grams, answer.placed.parcel[own], table["grams"].to_numpy(np.int64)[own])
        own = own[here[answer.placed.parcel[own]]]
    before = np.concatenate([grams[rows], [] if table is None else table["grams"].to_numpy(np.int64)[own]]).astype(np.int64)  # fmt: skip
    now = int(before.sum())
    after = amount_after(action.told, now, name)
    parts = apportion(after, before)
    grams[rows] = parts[: len(rows)]
    land = prepared.land
    homes = np.concatenate([land.unit_of_parcel[rows], answer.placed.homes(land)[own]])
    totals = moved_totals(inputs.totals, land, name, homes, (parts - before).tolist())
    if table is not None:
        table = kept_shares(table, name)
        masses, ways = table["grams"].to_numpy(np.int64).copy(), table["way"].copy()
        masses[own] = parts[len(rows) :]
        ways.iloc[own] = "value"
        remainders = table["remainder"].copy()
        remainders.iloc[own] = "0"
        table = table.assign(grams=masses, way=ways, remainder=remainders)
    inputs = under_new_totals(inputs, totals, table)
    if not grams.any():  # all of it lies at facilities: no land weighs anything
        return answer.recomputed([name], inputs, answer.placed)
    column = f"plan-{action.number}"
    while f"field:{column}" in prepared.parcels:  # a column of the user's own
        column += "'"
    return answer.reweighed(name, grams.astype(np.float64), column, _with_structure(inputs, name))


def _with_structure(inputs: Inputs, name: str) -> Inputs:
    """Return the inputs with a category that goes on to follow its raster inside parcels, whatever weighs them: mass on other land would move inside it."""
    category = inputs.categories[name]
    if not category.structure:
        return inputs
    category = dataclasses.replace(category, inside=f"raster:{category.structure}")
    return dataclasses.replace(inputs, categories={**inputs.categories, name: category})


def _require_by_own_rule(answer: LiveResult, name: str) -> None:
    """Refuse a category of which some lies on land of the parent type: that is none of its own, which alone can weigh something."""
    own = [row for row in answer.ledger_rows if row.category == name]
    if any(row.by_parent or row.unallocated for row in own):
        what = f"some of {name} lies on land of the parent type, or on none: its land cannot be scaled by itself"
        raise InputError(what, hint="Scale the whole category, or give it a weight.")


def _with_facility(answer: LiveResult, action: Action, _: Path | None) -> LiveResult:
    told, inputs, prepared = action.told, answer.inputs, answer.prepared
    name = str(_one_category(told))
    known_category(inputs, name, "category")
    if name not in spread_here(inputs.totals):
        raise not_spread(name)
    before = inputs.facilities
    if before is not None:
        same = (before["name"] == told["facility"]) & (before["category"] == name)
        if same.any():
            what = f"{told['facility']!r} is a facility of {name} already"
            raise InputError(what, "facility", "Scale it, or give another name.")
    grams = amount_after({"total": told["mass"]}, 0, name)
    one = facility_table(told, grams, prepared.units.crs)
    land = prepared.located
    at = place_facilities(dataclasses.replace(inputs, facilities=one), land)
    if at.failed:
        raise InputError(problem for problems in at.failed.values() for problem in problems)
    totals, table = inputs.totals, one if before is None else before
    if action.fate == "add":
        table = table if before is None else kept_shares(before, name)
        totals = moved_totals(inputs.totals, prepared.land, name, at.homes(land), [grams])
    if before is not None:
        table = pd.concat([table, one], ignore_index=True).astype(before.dtypes)
    order = table.sort_values(["category", "name", "x", "y"], kind="stable").index.to_numpy()
    placed = PlacedFacilities(
        np.append(answer.placed.parcel, at.parcel)[order],
        np.append(answer.placed.unit, at.unit)[order],
        tuple((*answer.placed.in_reach, *at.in_reach)[row] for row in order),
        answer.placed.failed,
    )
    changed = under_new_totals(inputs, totals, table.iloc[order].reset_index(drop=True))
    return answer.recomputed([name], changed, placed)


def _without_facility(answer: LiveResult, action: Action, _: Path | None) -> LiveResult:
    told = action.told
    return answer.without(told["facility"], category=_one_category(told), emission=action.fate)


def _with_gdp(answer: LiveResult, action: Action, _: Path | None) -> LiveResult:
    """Change GDP of units, or of all; an interval of GDP that was derived keeps its ratio."""
    section, units = answer.inputs.case.gdp, answer.prepared.units
    if section is None:
        raise InputError("the run has no GDP", hint="Write [gdp] in the case and run it.")
    codes = action.told.get("units", tuple(units["id"]))
    positions = _positions(answer, codes)
    columns = {name: units[name].copy() for name in ("gdp", "gdp_low", "gdp_high")}
    unknown = [code for code, row in zip(codes, positions, strict=True) if pd.isna(units["gdp"].iloc[row])]  # fmt: skip
    known = [row for code, row in zip(codes, positions, strict=True) if code not in unknown]
    some = listed(unknown, more=", ...")
    if "total" in action.told:
        known, unknown = positions, []
    elif unknown and ("units" in action.told or not known):
        raise InputError(f"GDP of {counted(len(unknown), 'unit')} is unknown: {some}", "units", "Give total, or other units.")  # fmt: skip
    if "factor" not in action.told and len(known) != 1:
        raise InputError(f"an amount for {len(known)} units at once", "units", "Give factor, or one unit.")  # fmt: skip
    said = [f"action {action.number} leaves {counted(len(unknown), 'unit')} of unknown GDP unchanged: {some}"] if unknown else []  # fmt: skip
    before = [0 if pd.isna(now) else int(now) for now in units["gdp"].iloc[known]]
    exact = [money_after(action.told, now, section.currency) for now in before]
    for row, after in zip(known, whole_money(exact, section.currency, "factor"), strict=True):
        now = units["gdp"].iloc[row]
        for name in columns:
            end = units[name].iloc[row]
            own = pd.isna(end) or pd.isna(now) or not int(now)
            columns[name].iloc[row] = after if name == "gdp" or own else round(int(end) * after / int(now))  # fmt: skip
        if not pd.isna(now) and int(now) and not _JUMP * after >= int(now) >= after / _JUMP:
            said.append(f"action {action.number} takes GDP of {units['id'].iloc[row]} from {int(now):,} to {after:,} {base_currency(section.currency)}. A number counts {section.currency}: was that meant?")  # fmt: skip
    warned = tuple(Problem(text, level="warning") for text in said)
    answer = dataclasses.replace(answer, said=(*answer.said, *warned))
    return answer.on(answer.prepared.changed(units=units.assign(**columns)))


def _positions(answer: LiveResult, codes: Any) -> list[int]:
    ids = pd.Index(answer.prepared.units["id"])
    named_once(codes, lambda code: code in ids, "unit", f"Units are {listed(ids)}.")  # fmt: skip
    return [int(row) for row in ids.get_indexer(list(codes))]


def _selected(answer: LiveResult, action: Action, folder: Path | None) -> Rows:
    """Return the rows of the parcels that hold all that an action says of land; units by where a parcel's representative point lies."""
    prepared, told = answer.prepared, action.land
    parcels = prepared.parcels
    chosen = np.ones(len(parcels), np.bool_)
    if "units" in told:
        chosen &= np.isin(prepared.land.unit_of_parcel, _positions(answer, told["units"]))
    if "parcels" in told:
        ids = pd.Index(parcels["id"])
        named_once(told["parcels"], lambda code: code in ids, "parcel", "parcels.parquet has the ids.")  # fmt: skip
        chosen &= parcels["id"].isin(told["parcels"]).to_numpy(bool)
    if "code" in told:
        codes = set(parcels["land_use"].unique())
        named_once(told["code"], lambda code: code in codes, "land-use code", f"There are {', '.join(sorted(codes)[:20])}.")  # fmt: skip
        chosen &= parcels["land_use"].isin(told["code"]).to_numpy(bool)
    if "inside" in told:
        outlines = outlines_in(told["inside"], folder, prepared.units.crs)
        rows = np.flatnonzero(chosen)
        points = shapely.point_on_surface(geometries_of(prepared.located.parcels, rows))
        inside = locate(shapely.get_x(points), shapely.get_y(points), outlines) >= 0
        chosen[rows] = inside
    if not chosen.any():
        what = ", ".join(f"{key} {_named(value)}" for key, value in told.items())
        raise InputError(f"no parcel of the run is selected by {what}", hint="Select other land.")
    return np.flatnonzero(chosen)


def _named(value: Any) -> str:
    if isinstance(value, gpd.GeoDataFrame):
        return counted(len(value), "polygon")
    return ", ".join(value[:5]) if isinstance(value, tuple) else str(value)


def outlines_in(inside: Any, folder: Path | None, crs: Any) -> NDArray[np.object_]:
    """Return the polygons of a file, or of a GeoDataFrame, in a CRS; of one that crosses itself, or whose parts overlap, all that its rings enclose.

    Raises
    ------
    InputError
        If there is no such file, or it has several layers, no CRS, shapes that cannot be brought to the CRS, or shapes without a polygon: nothing lies inside the line around an area.
    """
    if isinstance(inside, str | Path):
        path = Path(inside)
        path = path if folder is None or path.is_absolute() else folder / path
        if not path.exists():
            raise InputError(
                f"there is no file {path}", "inside", "Paths are relative to the plan."
            )
        with open_vector(path) as file:
            layers = [name for name, kind in file.layers() if kind]
            if len(layers) != 1:
                raise InputError(f"{path.name} has {len(layers)} layers with geometry", "inside", "Give a file with one.")  # fmt: skip
            table = file.table(layers[0])
    else:
        table = gpd.GeoDataFrame(geometry=inside.geometry.to_numpy(), crs=inside.crs)
    if table.crs is None:
        raise InputError("the polygons have no CRS", "inside", "Write it into the file.")
    polygons: NDArray[np.object_] = only_polygons(_without_crossings(table.to_crs(crs).geometry.to_numpy()))  # fmt: skip
    others = set(table.geom_type[shapely.is_empty(polygons) & ~table.geometry.is_empty.to_numpy()].dropna())  # fmt: skip
    if others:
        raise InputError(f"areas are given as {', '.join(sorted(others))}, and nothing lies inside of these", "inside", "Give polygons.")  # fmt: skip
    return polygons


def _without_crossings(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return shapes with those mended that cross themselves, by all that they enclose: GEOS cuts no others with parcels."""
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise InputError("polygons cannot be brought to the CRS of the run", "inside", "Check the file's CRS, and the order of its coordinates.")  # fmt: skip
    crossing = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    mended = shapes.copy()
    mended[crossing] = shapely.make_valid(shapes[crossing], method="structure", keep_collapsed=False)  # fmt: skip
    return mended


def _converted(answer: LiveResult, action: Action, folder: Path | None) -> LiveResult:
    """Give parcels another land-use code."""
    prepared, code = answer.prepared, action.told["to"]
    meaning_of(code, answer.inputs)
    rows = _selected(answer, action, folder)
    chosen, rows = rows, rows[(prepared.parcels["land_use"].iloc[rows] != code).to_numpy(bool)]
    if not rows.size:
        raise InputError(f"the {counted(len(chosen), 'parcel that it selects is', 'parcels that it selects are')} {code} already", "to", "Take the action out.")  # fmt: skip
    _require_no_facility(answer, rows)
    return convert_parcels(answer, code, rows, remove=action.fate == "remove")


def rows_with_facilities(answer: LiveResult) -> Rows:
    """Return the parcels on which facilities lie, which no plan converts."""
    return np.unique(answer.placed.parcel[answer.placed.parcel >= 0])


def _require_no_facility(answer: LiveResult, rows: Rows) -> None:
    table = answer.inputs.facilities
    if table is None:
        return
    there = np.flatnonzero(np.isin(answer.placed.parcel, rows))
    if there.size:
        names = ", ".join(table["name"].iloc[there[:10]])
        raise InputError(f"there are facilities on this land: {names}", hint="Remove them in an action before this one.")  # fmt: skip


def facility_rows(answer: LiveResult) -> tuple[Any, ...]:
    """Return the facilities as a run tells of them, category by category."""
    rows = []
    for name in answer.inputs.categories:
        rows += rows_of_facilities(answer.inputs, answer.prepared.land, answer.placed, name)[-1]
    return tuple(rows)


def notes_of_plan(plan: Plan, base: str) -> tuple[Problem, ...]:
    """Return what a run says that was made by a plan."""
    said = [f"This run is a scenario: a plan of {len(plan.actions)} actions on {base}. What that run says of its data holds here as well."]  # fmt: skip
    said += [f"Plan: {action}" for action in plan.actions]
    said.append("GDP and residents are those of that run, but for what the plan says of GDP.")
    return tuple(Problem(text, level="note") for text in said)
