"""The report's page: what it says, put together for its templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.errors import require_extra
from carbongrid.method.guidance import guidance_of_zones, read_guidance
from carbongrid.method.ledger import FIRST_GUESSES, SHARED_BY_GUESSES
from carbongrid.method.zoning import EITHER_SIDE, FEW_SINKS, either_side, few_sinks
from carbongrid.outputs.figures.classes import RELATIVE_IN_LINE
from carbongrid.outputs.figures.framework import framework_svg
from carbongrid.outputs.marks import flags_of, why_indicative
from carbongrid.outputs.numbers import hundreds_of_millions_of, millions_of
from carbongrid.outputs.report.accounts import (
    evidence_rows,
    factor_rows,
    interval_rows,
    ledger_accounts,
    regional_rows,
    sector_rows,
    waterfall,
)
from carbongrid.outputs.report.base_map import BaseMap, draw_base_map
from carbongrid.outputs.report.drawings import ZoneMap, plane
from carbongrid.outputs.report.flows import sankey
from carbongrid.outputs.report.ground import LAYER_BYTES, coarse_cells
from carbongrid.outputs.report.land import land_table
from carbongrid.outputs.report.layers import Layer, map_layers
from carbongrid.outputs.report.parcel_picture import parcel_picture
from carbongrid.outputs.report.rendering import asset, render_page
from carbongrid.outputs.report.summary import (
    balance_rows,
    comparison,
    finding,
    headline,
    index_statistics,
    zones_by_code,
)
from carbongrid.outputs.report.unit_table import UnitTable, unit_table
from carbongrid.outputs.report.wording import EXPLAINED
from carbongrid.outputs.result import cell_side
from carbongrid.outputs.zone_shares import zone_shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carbongrid.outputs.result import RunTables

_D3 = ("dispatch", "selection", "drag", "timer", "color", "interpolate", "ease", "transition", "brush", "zoom")  # fmt: skip
_SCRIPTS = (
    "page",
    "table",
    "map",
    "plane",
    "sheet",
    "selection",
    "save",
    "address",
    "start",
    "rescue",
)
_FACILITIES = 50
"""Rows of the table of facilities; facilities.csv has all."""
_ROWS_AT_ONCE = 100
"""Rows that a browser lays out before the page answers; of a longer table scripts make the rows that are seen."""
_ROWS_IN_ONE = 2000
"""Rows of a table without pages: a browser lays a table out as a whole, 3,000 rows in six seconds."""
_ROWS_OF_A_PAGE = 500
_LEVELS = {"error": 0, "warning": 1}
_SECTIONS = (
    ("explorer", "Map and units", "地图与单元"),
    ("zones", "Zones and indices", "分区与指数"),
    ("guidance", "Guidance", "指引"),
    ("flows", "Allocation", "排放分配"),
    ("assumed", "Assumptions", "假设"),
)


def write_report(tables: RunTables, directory: Path, base: BaseMap | None = None) -> Path:
    """Write the report of a run: ``report.html``, one file that needs nothing beside it.

    Parameters
    ----------
    tables
        What the run made.
    directory
        An existing folder.
    base
        The base map of these units and parcels, where it is known.

    Returns
    -------
    Path
        The file.

    Notes
    -----
    All text from the case is escaped, and a Content-Security-Policy lets the page use its own style and scripts, by their
    hashes, and nothing else. Map and table can be read without the scripts. The same tables give the same bytes.

    Raises
    ------
    InputError
        If Jinja or Pillow is not installed.
    """
    require_extra("report", "jinja2", "pillow", purpose="the report")
    scripts = [
        asset("assets/head.js"),
        _library(),
        *(asset(f"assets/{name}.js") for name in _SCRIPTS),
    ]
    page = render_page("report.html.j2", _content(tables, base or _base_map(tables)), scripts)
    path = directory / "report.html"
    path.write_text(page, encoding="utf-8", newline="\n")  # the hashes are of these line ends
    return path


def _library() -> str:
    """Return the parts of D3 that brush and zoom need, as published, under their licences."""
    licences = [asset(f"vendor/{name}") for name in ("LICENSE-d3", "LICENSE-d3-ease")]
    parts = [asset(f"vendor/d3-{name}.min.js") for name in _D3]
    return "\n".join(["/*!", *licences, "*/", *parts])


def _base_map(tables: RunTables) -> BaseMap:
    return draw_base_map(tables.units, tables.parcels, tables.parents)


def _content(tables: RunTables, base: BaseMap) -> dict[str, Any]:
    sums = headline(tables)
    compared = comparison(tables, sums["gross"])
    sections = [*_SECTIONS[:4], *_benchmark_section(compared is not None), _SECTIONS[4]]
    return {
        "title": tables.title,
        "year": tables.year,
        "gas": tables.gas,
        "sections": sections,
        "headline": sums,
        "benchmark": tables.benchmark,
        "compared": compared,
        "attribution": tables.attribution,
        **_explorer(tables, base),
        **_zones(tables),
        **_flows(tables),
        **_assumed(tables, sums),
    }


def _explorer(tables: RunTables, base: BaseMap) -> dict[str, Any]:
    """Return what map, plane, table and sheets show."""
    units, drawing = tables.units, base.zones
    assert len(base.areas) == len(units), "the base map is of these units"
    table, layers = unit_table(tables, base.areas), map_layers(tables, base.areas)
    quadrants = plane(units)
    paged = len(units) > _ROWS_IN_ONE
    flags = {flag: int(flag.marked(units).sum()) for flag in flags_of(units)}
    return {
        "parents": tables.parents,
        "parent_names": tables.parent_names,
        "zones": zones_by_code(),
        "flags": {flag: count for flag, count in flags.items() if count},
        "columns": table.columns,
        "stored": len(units) > _ROWS_AT_ONCE,
        "paged": paged,
        "drawn": "firm" in units,
        "units": _unit_rows(tables, drawing, table),
        "map": drawing,
        "layers": layers,
        **_land(tables, base),
        "plane": quadrants,
        "reasons": _reasons(tables),
        "why_indicative": why_indicative(tables),
        "explained": EXPLAINED,
        "data": {
            **_data(tables, layers, drawing),
            "plane": quadrants.axes,
            "paged": paged,
            "rows_of_a_page": _ROWS_OF_A_PAGE if paged else len(units),
            "rows_at_once": _ROWS_AT_ONCE,
        },
    }


def _land(tables: RunTables, base: BaseMap) -> dict[str, Any]:
    """Return what the map shows beside the units: of what water and roads leave, half is the grid's, and the rest the parcels'."""
    room = LAYER_BYTES - len(base.water) - len(base.roads)
    cells = coarse_cells(tables.grid_1km, base.zones, room // 2, tables.gas)
    left = room - (cells.size if cells else 0)
    parcels = parcel_picture(tables.parcels, base, left, tables.gas)
    return {"water": base.water, "roads": base.roads, "cells": cells, "parcels": parcels}


def _zones(tables: RunTables) -> dict[str, Any]:
    """Return what is said of zones and indices, and the sentence that opens the page."""
    units = tables.units
    rows = zone_shares(units)
    return {
        "region": tables.reference,
        "ties": tables.ties,
        "relative": RELATIVE_IN_LINE,
        "finding": finding(units, rows),
        "guessed": [
            text
            for _, text in tables.assumptions
            if text.startswith((FIRST_GUESSES, SHARED_BY_GUESSES))
        ],
        "zone_rows": rows,
        "split": (
            int((units["ecc_low"] < units["ecc_high"]).sum()),
            int(either_side(units["reason"]).sum()),
        ),
        "balance": balance_rows(units),
        "statistics": index_statistics(units, tables.ties),
        "guidance": guidance_of_zones(
            units["zone"],
            few_sinks(units["reason"]),
            tables.guidance or read_guidance(),
            tables.sink_floor,
        ),
    }


def _flows(tables: RunTables) -> dict[str, Any]:
    """Return how totals came to land."""
    accounts = ledger_accounts(tables)
    facilities = sorted(tables.facilities, key=lambda row: (-row.grams, row.category, row.name))
    side = cell_side(tables.grid_1km) / 1000
    names = tables.units.filter(["id", "name", "name_en"])
    regional, more_regional = regional_rows(tables.ledger)
    return {
        "framework": framework_svg("switch", styled=False, ties=tables.ties, coarse_km=side),
        "land": land_table(tables),
        "flows": [
            ("emission", "Emissions", "碳排放", sankey(tables, sink=False, height=340)),
            ("sink", "Sinks", "碳汇", sankey(tables, sink=True, height=150)),
        ],
        "waterfalls": [
            ("emission", "Emissions", "碳排放", waterfall(accounts, sink=False)),
            ("sink", "Sinks", "碳汇", waterfall(accounts, sink=True)),
        ],
        "accounts": accounts,
        "evidence": evidence_rows(tables),
        "facilities": facilities[:_FACILITIES],
        "more_facilities": max(len(facilities) - _FACILITIES, 0),
        "unit_of": {row["id"]: row for row in names.to_dict("records")},
        "category_names": {
            each.name: (each.name_en or each.name, each.name_zh or each.name)
            for each in tables.categories
        },
        "regional": regional,
        "more_regional": more_regional,
    }


def _assumed(tables: RunTables, sums: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was assumed, and where numbers come from."""
    return {
        "sectors": sector_rows(tables, {False: sums["gross"], True: sums["sink"]}),
        "notes": sorted(tables.assumptions, key=lambda note: _LEVELS.get(note[0], 2)),
        "origins": _origins(tables),
        "factors": factor_rows(tables),
        "intervals": interval_rows(tables),
        "basis": tables.basis,
        "inputs": tables.inputs,
    }


def _benchmark_section(there: bool) -> list[tuple[str, str, str]]:
    return [("benchmark", "Benchmark", "对比")] if there else []


def _unit_rows(tables: RunTables, drawing: ZoneMap, table: UnitTable) -> list[dict[str, Any]]:
    """Return a row per unit, with its number, outline, cells and remarks."""
    rows = []
    records = tables.units.drop(columns="geometry").to_dict("records")
    flags = [(flag, flag.marked(tables.units)) for flag in flags_of(tables.units)]
    for number, (row, path, cells) in enumerate(
        zip(records, drawing.units, table.rows, strict=True), start=1
    ):
        remarks = [
            *row["reason"].split("; "),
            *(flag.name_en for flag, marked in flags if marked[number - 1]),
        ]
        carbon = row["emission_g"] or row["sink_g"]
        remarks.append("" if row["balance"] == "source" or not carbon else row["balance"])
        known = {str(name): value for name, value in row.items()}
        shown = [remark for remark in remarks if remark]
        # A unit without a zone has another reason: nothing of it is indicative.
        known |= {"few_sinks": FEW_SINKS in row["reason"], "derived": tables.gdp_derived and row["zone"] > 0}  # fmt: skip
        known["unsure"] = flags[0][1][number - 1]
        known["either"] = EITHER_SIDE in row["reason"]
        known |= {"number": number, "path": path, "remarks": shown}
        known["cells"] = list(zip(table.columns, cells, strict=True))
        rows.append(known)
    return rows


def _reasons(tables: RunTables) -> list[tuple[str, int]]:
    counts = tables.units["reason"].value_counts()
    return [(str(reason), int(count)) for reason, count in counts.items() if reason]


def _origins(tables: RunTables) -> dict[str, dict[str, list[str]]]:
    """Return the years and the sources of each category's totals."""
    found: dict[str, dict[str, list[str]]] = {}
    columns = tables.inventory[["category", "year", "source"]]
    for category, year, source in columns.itertuples(index=False, name=None):
        origin = found.setdefault(category, {"years": [], "sources": []})
        for key, value in (("years", year), ("sources", source)):
            text = "" if value is None or value != value else str(value)
            if text and text not in origin[key]:
                origin[key].append(text)
    return found


def _data(tables: RunTables, layers: Sequence[Layer], drawing: ZoneMap) -> dict[str, Any]:
    """Return what the scripts need beside the table: colours, categories' grams, places on the map."""
    names = [category.name for category in tables.categories]
    masses = tables.units[names].to_numpy()
    return {
        "year": tables.year,
        "layers": {
            layer.key: {
                "colours": [entry.colour for entry in layer.entries],
                "of": layer.place,
            }
            for layer in layers
        },
        "categories": names,
        "ties": tables.ties,
        "grams": [[str(int(grams)) for grams in row] for row in masses],  # text: beyond a double
        "places": drawing.places,
        "metres": drawing.metres,
        "currency": [millions_of(tables.currency)[0], hundreds_of_millions_of(tables.currency)],
    }
