"""Sums of the tables, made again in Python integers (grams) and compared with ``==``."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.method.evidence import FACILITIES, EvidenceRow
from carbongrid.method.landuse import carrying_types
from carbongrid.method.tonnes import counted, readable_tonnes
from carbongrid.outputs.tables.content import BY_SECTOR, DENSITY_SUFFIX, evidence_of
from carbongrid.outputs.tables.plain import plain_cells
from carbongrid.outputs.tables.rasters import with_densities
from carbongrid.pipeline.land import regions_of_units
from carbongrid.pipeline.verification.activity_sums import faults_of_activity
from carbongrid.pipeline.verification.opened import Opened, Term
from carbongrid.pipeline.verification.verdict import Check, check_of

if TYPE_CHECKING:
    import pandas as pd

_PLACED = ("facilities_g", "by_rule_g", "by_area_g", "by_parent_g")


def total(column: Any) -> int:
    """Return the sum of a column of whole numbers, exact at any size; a missing one counts as 0."""
    return sum(int(value) for value in column.dropna().tolist())


def check_sums(run: Opened) -> Check:
    """Add up inventory, ledger, evidence, facilities, parcels, units, coarse grid and what activity data left, category by category."""
    faults = [*_ledger_rows(run.ledger), *_manifest(run)]
    for term in run.terms:
        faults += _category(run, term)
    faults += [*_units(run), *_parcels(run), *_grid(run), *_evidence(run), *_land_types(run)]
    faults += [*_facilities(run), *faults_of_activity(run)]
    grams = total(run.inventory.loc[run.inventory["place"] != "elsewhere", "mass_g"])
    text = f"{counted(len(run.terms), 'category', 'categories')}, {readable_tonnes(grams)} t in all: inventory, ledger, {'' if run.public else 'parcels, '}"
    text += "land types, units, outside, unallocated and coarse grid add up to the gram; densities are mass over area"
    return check_of("sums", faults, text)


def _differ(what: str, left: int, other: str, right: int) -> Iterator[str]:
    if left != right:
        yield f"{what} is {readable_tonnes(left)} t, {other} {readable_tonnes(right)} t: {left - right:+,} g"


def _ledger_rows(ledger: pd.DataFrame) -> Iterator[str]:
    for row in ledger.to_dict("records"):
        place = f"ledger.csv, {row['category']}" + (f" in {row['region']}" if row["region"] else "")
        parts = [int(row[name]) for name in (*_PLACED, "unallocated_g")]
        yield from _differ(
            f"{place}: the total", int(row["total_g"]), "its parts add up to", sum(parts)
        )
        if min(parts) < 0:
            yield f"{place}: a part is negative"


def _manifest(run: Opened) -> Iterator[str]:
    """Compare ledger.csv with the manifest, where the ledger stands in grams."""
    masses = [name for name in run.ledger.columns if name.endswith("_g")]
    told = [
        [row["category"], row["region"], *(row[name.removesuffix("_g")] for name in masses)]
        for row in run.manifest["ledger"]
    ]
    names = ("category", "region", *masses)
    found = [plain_cells(run.ledger[name]).tolist() for name in names]
    if told != [list(row) for row in zip(*found, strict=True)]:
        yield "ledger.csv and the ledger in manifest.json differ"


def _category(run: Opened, term: Term) -> Iterator[str]:
    name = term.name
    rows = run.ledger[run.ledger["category"] == name]
    if rows.empty:
        yield f"ledger.csv has no row for {name}"
        return
    of_category = run.inventory[run.inventory["category"] == name]
    elsewhere = of_category["place"] == "elsewhere"
    came_in, apart = (total(of_category.loc[where, "mass_g"]) for where in (~elsewhere, elsewhere))
    spread = total(rows["total_g"]) - total(rows["unallocated_g"])
    outside, in_units = total(rows["outside_units_g"]), total(rows["units_g"])
    yield from _differ(f"{name}: inventory.csv", came_in, "ledger.csv", total(rows["total_g"]))
    told, listed = (
        {str(region): total(mass) for region, mass in each.groupby("region")[column]}
        for each, column in ((of_category[~elsewhere], "mass_g"), (rows, "total_g"))
    )
    for region in sorted({*told, *listed} - {""}):
        yield from _differ(f"{name} in {region}: inventory.csv", told.get(region, 0), "ledger.csv", listed.get(region, 0))  # fmt: skip
    yield from _differ(
        f"{name} elsewhere: inventory.csv", apart, "ledger.csv", total(rows["elsewhere_g"])
    )
    yield from _differ(
        f"{name}: what was placed", spread, "units and outside in ledger.csv", in_units + outside
    )
    yield from _differ(f"{name}: units.csv", total(run.units[term.column]), "ledger.csv", in_units)
    if not run.public:
        yield from _differ(
            f"{name}: parcels.parquet",
            total(run.parcels[name]),
            "what was placed in ledger.csv",
            spread,
        )


def _units(run: Opened) -> Iterator[str]:
    emission = [term.column for term in run.terms if not term.sink]
    sink = [term.column for term in run.terms if term.sink]
    sectors: dict[str, list[str]] = {}
    for term in run.terms:
        if not term.sink:
            sectors.setdefault(f"{term.sector}_g", []).append(term.column)
    for row in run.units.to_dict("records"):
        for whole, parts in {"emission_g": emission, "sink_g": sink, **sectors}.items():
            named = f"units.csv, unit {row['id']}: {whole.removesuffix('_g')}_t"
            yield from _differ(
                named, int(row[whole]), "its categories", sum(int(row[p]) for p in parts)
            )


def _parcels(run: Opened) -> Iterator[str]:
    if run.public:
        return
    sinks = [k for k, term in enumerate(run.terms) if term.sink]
    emissions = [k for k, term in enumerate(run.terms) if not term.sink]
    for column, members in (("emission_g", emissions), ("sink_g", sinks)):
        whole = run.parcels[column].to_numpy()
        parts = run.mass[:, members].sum(axis=1)
        for row in (whole != parts).nonzero()[0]:
            named = f"parcels.parquet, parcel {run.parcels['id'].iloc[row]}: {column}"
            yield from _differ(named, int(whole[row]), "its categories", int(parts[row]))
    area = run.parcels["area_m2"].to_numpy(np.float64)
    land = np.where(area > 0, area, np.nan)
    for mass in ("emission_g", "sink_g", *(term.name for term in run.terms)):
        told = run.parcels[f"{mass}{DENSITY_SUFFIX}"].to_numpy(np.float64)
        expected = run.parcels[mass].to_numpy(np.int64) / land
        wrong = np.flatnonzero((told != expected) & ~(np.isnan(told) & np.isnan(expected)))
        for row in wrong:
            yield f"parcels.parquet, parcel {run.parcels['id'].iloc[row]}: {mass}{DENSITY_SUFFIX} is {told[row]}, its mass over its area {expected[row]}"


def _evidence(run: Opened) -> Iterator[str]:
    """Compare what was given with what was used and lost; carriers and densities with those of the parcels."""
    types = {each["name"]: each["types"] for each in run.manifest["categories"]}
    at_facilities = run.ledger.groupby("category")["facilities_g"].agg(total)
    names = run.evidence["category"].tolist()
    for name in sorted({term.name for term in run.terms} - {*names}):
        yield f"evidence.csv has no row for {name}"
    for row in run.evidence.to_dict("records"):
        place = f"evidence.csv, {row['category']} ({row['evidence']})"
        given, added = row["given"], row["used"] + row["lost"]
        if not math.isclose(given, added, rel_tol=1e-12) and not math.isnan(given):
            yield f"{place}: given is {given:g}, used and lost add up to {added:g}"
        if row["evidence"] == FACILITIES or row["category"] not in types or run.public:
            continue
        carriers = int(_carries(run.parcels, types[row["category"]]).sum())
        if int(row["carriers"]) != carriers:
            yield f"{place}: carriers is {row['carriers']}, by the parcels' types {carriers}"
        if not at_facilities.get(row["category"], 0):
            yield from _on_top(row, run.parcels, place)
    told = evidence_of(tuple(EvidenceRow(**each) for each in run.manifest.get("evidence", ())))
    if told.frame.to_csv() != run.evidence.to_csv():
        yield "evidence.csv and the evidence in manifest.json differ"


def _facilities(run: Opened) -> Iterator[str]:
    """Compare the facilities on land with the ledger and with their parcels, and what could be elsewhere with their reach."""
    rows = run.facilities
    at_facilities = run.ledger.groupby("category")["facilities_g"].agg(total)
    if rows is None:
        if not run.public and at_facilities.sum():
            yield "ledger.csv has mass at facilities, and there is no facilities.csv"
        return
    there = rows[rows["parcel"] != ""]
    for term in run.terms:
        own = there[there["category"] == term.name]
        yield from _differ(
            f"{term.name}: facilities.csv",
            total(own["mass_g"]),
            "ledger.csv",
            int(at_facilities.get(term.name, 0)),
        )
        yield from _facilities_in_regions(run, term.name, own)
        on_land = dict(zip(run.parcels["id"].astype(str), run.parcels[term.name], strict=True)) if len(own) else {}  # fmt: skip
        for parcel, grams in own.groupby("parcel")["mass_g"].agg(total).items():
            if grams > int(on_land.get(parcel, 0)):
                yield f"facilities.csv, parcel {parcel}: {readable_tonnes(grams)} t of {term.name}, more than parcels.parquet has there"
    units = {"", *run.units["id"].astype(str)}
    for row in rows.to_dict("records"):
        place = f"facilities.csv, {row['name']} ({row['category']})"
        reach = _ids(row["units_in_reach"])
        if reach is None:
            yield f"{place}: units_in_reach is no list of ids"
            continue
        if not units.issuperset([row["unit"], *reach]) or row["unit"] in reach:
            yield f"{place}: it names a unit that is none of the others"
        expected = int(row["mass_g"]) if reach else 0
        yield from _differ(f"{place}: what could be elsewhere", int(row["could_be_elsewhere_g"]), "its mass in reach of others", expected)  # fmt: skip


def _facilities_in_regions(run: Opened, name: str, rows: pd.DataFrame) -> Iterator[str]:
    """Compare what facilities are taken off totals of regions with where their points lie; those in no unit, which follow their parcels, may be of any."""
    of_ledger = run.ledger[run.ledger["category"] == name]
    told = dict(zip(of_ledger["region"].astype(str), of_ledger["facilities_g"], strict=True))
    codes = [code for code in told if code]
    region = regions_of_units(run.units, run.manifest["parameters"]["parents"], codes)
    by_unit = dict(zip(run.units["id"].astype(str), np.array([*codes, ""], object)[region], strict=True))  # fmt: skip
    found, anywhere = dict.fromkeys(told, 0), 0
    for unit, grams in zip(rows["unit"], rows["mass_g"], strict=True):
        code = by_unit.get(unit)
        if code in found:
            found[code] += int(grams)
        else:
            anywhere += int(grams)
    for code, grams in told.items():
        if not 0 <= int(grams) - found[code] <= anywhere:
            place = f"{name}{f' in {code}' if code else ''}"
            yield from _differ(f"{place}: facilities.csv, by unit", found[code], "ledger.csv", int(grams))  # fmt: skip


def _ids(cell: str) -> list[str] | None:
    """Return the ids in a cell; None if it is no JSON list of text."""
    if not cell:
        return []
    try:
        ids = json.loads(cell)
    except ValueError:
        return None
    right = isinstance(ids, list) and all(isinstance(each, str) for each in ids)
    return ids if right else None


def _carries(parcels: pd.DataFrame, types: Collection[str]) -> Any:
    kinds, wanted = parcels["type"].astype(str), carrying_types(types)
    return kinds.isin(wanted) | (kinds + ":" + parcels["mode"].astype(str)).isin(wanted)


def _on_top(row: dict[Any, Any], parcels: pd.DataFrame, place: str) -> Iterator[str]:
    mass = parcels[row["category"]].to_numpy()
    whole = int(mass.sum())
    yield from _differ(f"{place}: spread", int(row["spread_g"]), "parcels.parquet", whole)
    if not whole:
        return
    area = parcels["area_m2"].to_numpy(np.float64)
    density = np.divide(mass, area, out=np.zeros(len(area)), where=area > 0)
    falling = np.argsort(density)[::-1]
    hundredth = np.flatnonzero(np.cumsum(mass[falling]) >= -(-whole // 100))[0]
    dense = density[falling][hundredth]
    for name, found in (("top_share", int(mass.max()) / whole), ("densest_t_km2", dense)):
        if not math.isclose(row[name], found, rel_tol=1e-12) and not math.isnan(row[name]):
            yield f"{place}: {name} is {row[name]!r}, by parcels.parquet {float(found)!r}"


def _land_types(run: Opened) -> Iterator[str]:
    """Add up the mass of each category on each territorial type; without parcels, of each category alone."""
    yield from _land_rows(run)
    names = [term.name for term in run.terms]
    types = None if run.public else run.parcels["type"].astype(str)
    by_type = None if types is None else run.parcels.groupby(types)[names].sum()
    for name in names:
        of_category = run.land_types[run.land_types["category"] == name]
        told = {str(land): total(mass) for land, mass in of_category.groupby("type")["mass_g"]}
        of_ledger = run.ledger[run.ledger["category"] == name]
        if by_type is None:
            came_in = total(of_ledger["total_g"])
            yield from _differ(f"{name}: land_types.csv", sum(told.values()), "ledger.csv", came_in)
            continue
        found = {str(land): int(grams) for land, grams in by_type[name].items()}
        found["unallocated"] = total(of_ledger["unallocated_g"])
        for land in sorted(told.keys() | found.keys()):
            place = f"land_types.csv, {name} on {land}"
            yield from _differ(place, told.get(land, 0), "parcels and ledger", found.get(land, 0))


def _land_rows(run: Opened) -> Iterator[str]:
    """Compare the sector of each row with its category's, and its share with its mass: of all emissions, or of all sinks."""
    rows = run.land_types
    sinks = {term.name for term in run.terms if term.sink}
    sectors = {term.name: term.sector for term in run.terms}
    of_sinks = rows["category"].isin(sinks)
    whole = {sink: total(rows.loc[of_sinks == sink, "mass_g"]) for sink in (False, True)}
    for row in rows.to_dict("records"):
        name, part = row["category"], int(row["mass_g"]) / max(whole[row["category"] in sinks], 1)
        place = f"land_types.csv, {name} on {row['type']}"
        if row["sector"] != sectors.get(name):
            yield f"{place}: the sector is {row['sector']}, in manifest.json {sectors.get(name)}"
        if not math.isclose(row["share"], part):
            yield f"{place}: share is {row['share']!r}, which is not that of its mass"


def _grid(run: Opened) -> Iterator[str]:
    """Nothing lies outside the coarse grid, so it holds what parcels hold (docs/decisions/0007)."""
    grid = run.grid_1km
    fields = {name: (grid[name], {term.name for term in run.terms if term.sink == (name == "sink")}) for name in ("emission", "sink")}  # fmt: skip
    for sector in grid["sector"].to_numpy().tolist() if BY_SECTOR in grid else ():
        members = {term.name for term in run.terms if not term.sink and term.sector == sector}
        fields[f"emission of {sector}"] = (grid[BY_SECTOR].sel(sector=sector), members)
    for name, (field, members) in fields.items():
        cells = sum(field.to_numpy().ravel().tolist())
        rows = run.ledger[run.ledger["category"].isin(members)]
        placed = total(rows["total_g"]) - total(rows["unallocated_g"])
        yield from _differ(f"{name}: grid_1km.nc", cells, "what was placed in ledger.csv", placed)
    if run.public and BY_SECTOR in grid:
        yield "grid_1km.nc: a public run has no sectors in its cells, since one may be a single works"
    if "time" in grid:  # not in a run of an earlier version
        told, year = str(grid["time"].to_numpy()[()])[:4], run.manifest["year"]
        if told != str(year):
            yield f"grid_1km.nc is of the year {told}, the run of {year}"
    again = with_densities(grid[["emission", "sink", "covered_area"]])
    for name in ("emission_density", "sink_density"):
        if not np.array_equal(again[name], grid[name], equal_nan=True):
            yield f"grid_1km.nc: {name} is not the mass of each cell over its covered area"
    if BY_SECTOR in grid and not (grid[BY_SECTOR].sum("sector") == grid["emission"]).all():
        yield "grid_1km.nc: emissions of sectors do not add up to the emission of each cell"
