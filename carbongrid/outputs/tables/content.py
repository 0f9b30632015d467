"""What each table of a run holds, column by column, whatever file it is written to.

Content is what digests are made of and what files are read back into: mass in int64 grams, and a
kind for each column that no file format can change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from carbongrid.errors import InputError, Problem
from carbongrid.method.columns import (
    GEOMETRY_COLUMNS,
    UNIT_DRAWN,
    UNIT_NAMES,
    UNIT_NUMBERS,
    Kind,
    in_tonnes,
    repeated_columns,
    unit_masses,
)
from carbongrid.method.ledger import GUESSED, GUESSED_PARTS
from carbongrid.method.tonnes import format_tonnes
from carbongrid.outputs.land_types import land_flows

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr
    from numpy.typing import NDArray

    from carbongrid.method.categories import Category
    from carbongrid.method.evidence import Evidences
    from carbongrid.method.facilities import FacilityRow
    from carbongrid.method.ledger import Ledger
    from carbongrid.outputs.result import RunTables

BY_SECTOR = "emission_by_sector"
"""The variable of the coarse grid that has a dimension of sectors."""
DENSITY_SUFFIX = "_t_km2"
"""Columns of parcels.parquet that end so are a mass over the parcel's area."""

MIN_PEOPLE = 10
"""Counts of people below this are not printed where a run is published (D31).

They are not made secret: masses that are spread by people follow them, to the gram.
"""

INVENTORY: Mapping[str, Kind] = {
    "category": "text",
    "region": "text",
    "place": "text",
    "gas": "text",
    "year": "text",
    "mass_g": "mass",
    "source": "text",
}
LEDGER: Mapping[str, Kind] = {
    "category": "text",
    "region": "text",
    "total_g": "mass",
    "facilities_g": "mass",
    "by_rule_g": "mass",
    "by_area_g": "mass",
    "by_parent_g": "mass",
    "unallocated_g": "mass",
    "units_g": "mass",
    "outside_units_g": "mass",
    "snapped_g": "mass",
    "elsewhere_g": "mass",
    "rule": "text",
    "weight_placed": "whole",
    "weight_snapped": "whole",
    "weight_unplaced": "whole",
    "weight_unit": "text",
    "reason": "text",
}
LAND_TYPES: Mapping[str, Kind] = {
    "sector": "text",
    "category": "text",
    "type": "text",
    "mass_g": "mass",
    "share": "number",
}
SURROUNDINGS: Mapping[str, Kind] = {"name": "text"}
EVIDENCE: Mapping[str, Kind] = {
    "category": "text",
    "evidence": "text",
    "unit": "text",
    "given": "number",
    "used": "number",
    "lost": "number",
    "carriers": "whole",
    "carriers_with_weight": "whole",
    "spread_g": "mass",
    "top_share": "number",
    "densest_t_km2": "number",
}
FACILITIES: Mapping[str, Kind] = {
    "name": "text",
    "category": "text",
    "way": "text",
    "mass_g": "mass",
    "parcel": "text",
    "unit": "text",
    "mass_by_unit": "text",
    "place_uncertainty_m": "number",
    "units_in_reach": "text",
    "could_be_elsewhere_g": "mass",
}
HIDDEN_OF_PEOPLE = ("given", "used", "lost", "top_share", "densest_t_km2")
"""Columns of the evidence that a published run leaves blank where they count people, or tell of one parcel with people."""

PARCEL_NAMES: Mapping[str, Kind] = {"id": "text", "land_use": "text", "type": "text"}
_PARCEL_NUMBERS: Mapping[str, Kind] = {"area_m2": "number", "mode": "text", "cells": "whole"}


@dataclass(frozen=True)
class Table:
    """A frame and the kind of each column, in the order of its file; geometry has no kind."""

    frame: pd.DataFrame
    kinds: Mapping[str, Kind]

    @property
    def masses(self) -> list[str]:
        """The columns that are mass in grams."""
        return [name for name, kind in self.kinds.items() if kind == "mass"]

    @property
    def located(self) -> gpd.GeoDataFrame:
        """The frame, known to have a geometry."""
        import geopandas as gpd

        return gpd.GeoDataFrame(self.frame)


@dataclass(frozen=True)
class Content:
    """The tables of a run as its files hold them.

    Parameters
    ----------
    inventory, ledger, evidence, units, land_types
        Units with geometry.
    parcels
        With geometry; None where they are not published.
    grid_1km
        int64 emission and sink (g yr-1), float64 covered_area (m2), dims (y, x); emission_by_sector, dims (sector, y, x), unless published.
    surroundings
        With geometry; None where the case names none.
    facilities
        None where there are none, or they are not published.
    layer
        How parcels are written for a GIS as well; None: not at all.
    """

    inventory: Table
    ledger: Table
    evidence: Table
    land_types: Table
    units: Table
    parcels: Table | None
    grid_1km: xr.Dataset
    surroundings: Table | None = None
    facilities: Table | None = None
    layer: ParcelLayer | None = None


@dataclass(frozen=True)
class ParcelLayer:
    """Parcels for a GIS that reads no Parquet, or for the web: the format, and the unit of each parcel.

    Parameters
    ----------
    format
        ``gpkg``, ``fgb`` or ``pmtiles``.
    unit : int64, shape (parcels,)
        Row of the unit that holds a point inside the parcel, -1 for none.
    """

    format: Literal["gpkg", "fgb", "pmtiles"]
    unit: NDArray[np.int64]

    @property
    def file(self) -> str:
        """The file's name."""
        return f"parcels.{self.format}"


def content_of(tables: RunTables, *, public: bool) -> Content:
    """Return the content of a run's files.

    Parameters
    ----------
    tables
        The run's tables.
    public
        Leave out what may not be published (D31): parcels, counts of fewer than ten
        people, and the ledger's remarks, which may name facilities.

    Raises
    ------
    InputError
        If two columns of a table would bear one name.
    """
    content = Content(
        inventory=inventory_of(tables.inventory),
        ledger=ledger_of(tables.ledger),
        evidence=evidence_of(tables.evidence),
        land_types=_land_types(tables),
        units=units_of(tables.units, tables.parents, tables.categories),
        parcels=parcels_of(tables.parcels, tables.categories),
        grid_1km=tables.grid_1km,
        surroundings=None if tables.surroundings is None else surroundings_of(tables.surroundings),
        facilities=_facilities(tables.facilities) if tables.facilities else None,
    )
    return _published(content) if public else content


def unit_kinds(parents: Iterable[str], masses: Iterable[str], *, drawn: bool) -> dict[str, Kind]:
    """Return the columns of units.csv, in its order, from the parents and the mass columns; ``drawn``: with what draws say."""
    return {
        **UNIT_NAMES,
        **dict.fromkeys(parents, "text"),
        **dict.fromkeys(masses, "mass"),
        **UNIT_NUMBERS,
        **(UNIT_DRAWN if drawn else {}),
    }  # fmt: skip


def parcel_kinds(masses: Iterable[str]) -> dict[str, Kind]:
    """Return the columns of parcels.parquet but geometry, in its order, from the mass columns."""
    return {**PARCEL_NAMES, **dict.fromkeys(masses, "mass"), **_PARCEL_NUMBERS}


def typed(columns: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Table:
    """Return a table of the columns in the order and the dtypes of their kinds; its index is 0, 1, ...

    Columns are taken row by row, whatever their index, and not copied where they have the dtype already: the table is not to be written to.
    """
    # As arrays: of Series pandas would compare every index first.
    taken = {name: _typed(pd.Series(columns[name]), kind).array for name, kind in kinds.items()}
    return Table(pd.DataFrame(taken, copy=False), kinds)


def _typed(column: pd.Series[Any], kind: Kind) -> pd.Series[Any]:
    if kind == "text":
        return column.astype("str").fillna("")
    if kind == "number":
        return pd.Series(column.to_numpy(np.float64, na_value=np.nan), column.index)
    if kind == "flag":
        return column.astype(bool)
    return column if column.dtype in (np.int64, pd.Int64Dtype()) else column.astype("Int64")


def inventory_of(inventory: pd.DataFrame) -> Table:
    """Return inventory.csv, of rows as RunTables has them."""
    years = ["" if pd.isna(year) else str(year) for year in inventory["year"]]
    columns = {name: inventory[name].tolist() for name in INVENTORY if name in inventory.columns}
    return typed({**columns, "year": years, "mass_g": inventory["grams"].tolist()}, INVENTORY)


def ledger_of(ledger: Ledger) -> Table:
    """Return ledger.csv."""
    names = {name: name.removesuffix("_g") for name in LEDGER}
    columns = {
        name: pd.Series([getattr(row, field) for row in ledger], dtype=object)
        for name, field in names.items()
    }
    return typed(columns, LEDGER)


def evidence_of(rows: Evidences) -> Table:
    """Return evidence.csv, in units of the evidence."""
    columns = {
        **{name: [getattr(row, name) for row in rows] for name in ("category", "evidence", "unit")},
        **{name: [row.in_units(getattr(row, name)) for row in rows] for name in ("given", "used", "lost")},
        "carriers": [row.carriers for row in rows],
        "carriers_with_weight": [row.weighted for row in rows],
        "spread_g": [row.spread for row in rows],
        "top_share": [row.top_share for row in rows],
        "densest_t_km2": [row.densest for row in rows],
    }  # fmt: skip
    return typed(
        {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}, EVIDENCE
    )


def _land_types(tables: RunTables) -> Table:
    """Return the mass of each category on each territorial type, sinks last; shares are of all emissions, or of all sinks."""
    columns: dict[str, list[Any]] = {name: [] for name in LAND_TYPES}
    for sink in (False, True):
        flows = land_flows(tables, sink=sink)
        whole = sum(flow.grams for flow in flows)
        for flow in flows:
            row = (flow.sector, flow.category, flow.land, flow.grams, flow.grams / whole)
            for cells, cell in zip(columns.values(), row, strict=True):
                cells.append(cell)
    masses = pd.Series(columns.pop("mass_g"), dtype="Int64")
    return typed({**columns, "mass_g": masses}, LAND_TYPES)


def _facilities(rows: Sequence[FacilityRow]) -> Table:
    columns = {
        **{name: [getattr(row, name) for row in rows] for name in ("name", "category", "way", "parcel", "unit")},
        "mass_g": [row.grams for row in rows],
        "place_uncertainty_m": [row.place_uncertainty for row in rows],
        "mass_by_unit": [_json(_in_tonnes(row.by_unit)) for row in rows],
        "units_in_reach": [_json(row.in_reach) for row in rows],
        "could_be_elsewhere_g": [row.could_be_elsewhere for row in rows],
    }  # fmt: skip
    return typed(
        {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}, FACILITIES
    )


def _in_tonnes(masses: Sequence[tuple[str, int]]) -> dict[str, str]:
    tonnes = format_tonnes(grams for _, grams in masses)
    return {name: mass for (name, _), mass in zip(masses, tonnes, strict=True)}


def _json(cell: Sequence[str] | Mapping[str, str]) -> str:
    """Return several ids in one cell: JSON, since an id may hold any character; nothing is a blank cell."""
    return json.dumps(cell, ensure_ascii=False) if cell else ""


def units_of(
    units: gpd.GeoDataFrame, parents: Sequence[str], categories: Sequence[Category]
) -> Table:
    """Return units.csv with geometry, of units as RunTables has them."""
    of_category = {c.name.replace("/", "_") + "_g": c.name for c in categories}
    masses = unit_masses(categories)
    names = [*UNIT_NAMES, *parents, *masses, *UNIT_NUMBERS, *UNIT_DRAWN, *GEOMETRY_COLUMNS]
    _refuse_clashes(names, "units.csv", "a parent column or a category")
    kinds = unit_kinds(parents, masses, drawn="firm" in units)
    nothing = pd.Series(np.zeros(len(units), dtype=np.int64), units.index)
    columns = {
        name: units.get(of_category.get(name, name), nothing) if kind == "mass" else units[name]
        for name, kind in kinds.items()
    }
    return with_geometry(typed(columns, kinds), units.geometry)


def parcels_of(parcels: gpd.GeoDataFrame, categories: Sequence[Category]) -> Table:
    """Return parcels.parquet with geometry, of parcels as RunTables has them; raises as :func:`content_of`."""
    masses = [*(category.name for category in categories), "emission_g", "sink_g"]
    names = [*masses, *(f"{name}{DENSITY_SUFFIX}" for name in masses)]
    _refuse_clashes(names, "parcels.parquet", "a category")
    return with_geometry(typed(parcels, parcel_kinds(masses)), parcels.geometry)


def surroundings_of(polygons: gpd.GeoDataFrame) -> Table:
    """Return the polygons around the units as a table."""
    return with_geometry(typed({"name": polygons["name"]}, SURROUNDINGS), polygons.geometry)


def with_geometry(table: Table, geometry: gpd.GeoSeries) -> Table:
    """Return the table with a geometry for each of its rows; its columns are not copied, and not to be written to."""
    import geopandas as gpd

    # One column of many, not one more: pandas warns of a table that grows, and copies it.
    columns = {name: column.array for name, column in table.frame.items()}
    columns["geometry"] = geometry.array
    whole = pd.DataFrame(columns, table.frame.index, copy=False)
    frame = gpd.GeoDataFrame(whole, copy=False)
    return Table(frame, table.kinds)


def _refuse_clashes(names: list[str], file: str, named: str) -> None:
    """Raise if two names are one in a file; columns are called like what is named."""
    twice = repeated_columns(names)
    if twice:
        raise InputError(
            Problem(
                f"several columns would have one name: {', '.join(twice)}",
                file,
                f"Rename {named}.",
            )
        )


def titles(kinds: Mapping[str, Kind]) -> list[str]:
    """Return the column names of a table for people, whose mass is in tonnes: ``sink_g`` is ``sink_t``."""
    return [in_tonnes(name) if kind == "mass" else name for name, kind in kinds.items()]


def published_reason(reason: str) -> str:
    """Return what may be published of a ledger's remark: that a total or its parts are a guess, and nothing that may name facilities."""
    return "; ".join(text for text in reason.split("; ") if text in (GUESSED, GUESSED_PARTS))


def without_sectors(grid: xr.Dataset) -> xr.Dataset:
    """Return what may be published of the coarse grid: a sector's mass in a cell may be that of one works."""
    return grid.drop_vars([BY_SECTOR, "sector"], errors="ignore")


def _published(content: Content) -> Content:
    units, ledger = content.units.frame, content.ledger.frame
    evidence = content.evidence.frame
    residents = units["residents"].where(units["residents"] >= MIN_PEOPLE)
    counts = ("weight_placed", "weight_snapped", "weight_unplaced")
    hidden = {name: ledger[name].mask(ledger["rule"] == "people") for name in counts}
    reasons = [published_reason(text) for text in ledger["reason"]]
    of_people = evidence["evidence"] == "people"
    shares = {name: evidence[name].mask(of_people) for name in HIDDEN_OF_PEOPLE}
    return replace(
        content,
        grid_1km=without_sectors(content.grid_1km),
        evidence=replace(content.evidence, frame=evidence.assign(**shares)),
        units=replace(content.units, frame=units.assign(residents=residents)),
        ledger=replace(content.ledger, frame=ledger.assign(reason=reasons, **hidden)),
        parcels=None,
        facilities=None,
    )
