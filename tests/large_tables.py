"""Tables of a province: 1,500 crooked units and 1e5 parcels, drawn from the small example's."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from tables_example import CATEGORIES, CRS, example_tables

from carbongrid.method.margins import leave_zone
from carbongrid.method.zoning import zone_units
from carbongrid.outputs.result import RunTables

COLUMNS, ROWS, SIDE, STEPS = 50, 30, 4000.0, 24
ORIGIN = (40_300_000.0, 3_300_000.0)


def large_tables() -> RunTables:
    """Return tables whose units form a coverage with 24 vertices a side, whose masses span five orders."""
    rng = np.random.default_rng(1500)
    units = _units(rng)
    tables = example_tables()
    parcels = _parcels(rng)
    title = "A province of 1,500 townships (synthetic)"
    ledger = tuple(
        dataclasses.replace(
            row,
            total=total,
            facilities=0,
            by_rule=total,
            unallocated=0,
            units=total,
            outside_units=0,
        )
        for row in tables.ledger
        for total in [int(units[row.category].sum())]
    )
    return dataclasses.replace(tables, title=title, units=units, parcels=parcels, ledger=ledger)


def _units(rng: np.random.Generator) -> gpd.GeoDataFrame:
    count = COLUMNS * ROWS
    frame = gpd.GeoDataFrame(
        {
            "id": [f"{number:06d}" for number in range(count)],
            "name": [f"第{number}镇" for number in range(count)],
            "name_en": [f"Township {number}" for number in range(count)],
            "district": [
                f"{number // COLUMNS // 5:02d}{number % COLUMNS // 10:02d}"
                for number in range(count)
            ],
        },
        geometry=_lattice(rng),
        crs=CRS,
    )
    for category in CATEGORIES:
        frame[category.name] = (10 ** rng.normal(10.5, 0.7, count)).astype(np.int64)
    for sector in ("industry", "buildings", "transport", "agriculture", "waste"):
        inside = [c.name for c in CATEGORIES if c.sector == sector]
        frame[f"{sector}_g"] = frame[inside].sum(axis=1).astype(np.int64)
    frame["emission_g"] = frame[[c.name for c in CATEGORIES if not c.sink]].sum(axis=1)
    frame["sink_g"] = frame[[c.name for c in CATEGORIES if c.sink]].sum(axis=1)
    frame["residents"] = rng.integers(2000, 200_000, count).astype(np.float64)
    frame["gdp"] = pd.array((10 ** rng.normal(9.5, 0.5, count)).astype(np.int64), dtype="Int64")
    frame["gdp_low"] = frame["gdp_high"] = frame["gdp"]
    return frame.join(zone_units(frame)).join(leave_zone(frame))


def _lattice(rng: np.random.Generator) -> list[shapely.Polygon]:
    """Return squares whose common sides are the same crooked line."""
    across = _sides(rng, ROWS + 1, COLUMNS)
    upright = _sides(rng, ROWS, COLUMNS + 1)
    shapes = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            corner = np.array([column, row]) * SIDE
            south = corner + across[row, column]
            north = corner + (0, SIDE) + across[row + 1, column]
            west = corner + upright[row, column][:, ::-1]
            east = corner + (SIDE, 0) + upright[row, column + 1][:, ::-1]
            ring = np.vstack([south, east[1:], north[::-1][1:], west[::-1][1:]])
            shapes.append(shapely.Polygon(ring + np.array(ORIGIN)))
    return shapes


def _sides(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return a line along x per side, shape (rows, columns, vertices, 2), straight at its ends."""
    along = np.linspace(0, SIDE, STEPS + 1)
    # Less near a corner, where two sides would cross.
    most = np.minimum(220, 0.7 * np.minimum(along, SIDE - along))
    aside = most * rng.uniform(-1, 1, (rows, columns, STEPS + 1))
    return np.stack(np.broadcast_arrays(along, aside), axis=-1)


def _parcels(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return parcels of 24 vertices each, side by side all over the units."""
    across, down = 400, 250
    width, height = COLUMNS * SIDE / across, ROWS * SIDE / down
    number = np.arange(across * down)
    middle = np.stack([number % across + 0.5, number // across + 0.5], axis=1) * (width, height)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = 0.49 * np.stack([width * np.cos(angle), height * np.sin(angle)], axis=1)
    frame = gpd.GeoDataFrame(
        {
            "id": number.astype(str),
            "type": rng.choice([c.types[0] for c in CATEGORIES], number.size),
            "mode": np.where(number % 20, "", "road"),
            "area_m2": 0.75 * width * height,
        },
        geometry=shapely.polygons(middle[:, None] + ring + np.array(ORIGIN)),
        crs=CRS,
    )
    for category in CATEGORIES:
        masses = (10 ** rng.normal(9, 0.5, number.size)).astype(np.int64)
        frame[category.name] = np.where(frame["type"] == category.types[0], masses, 0)
    for sink, column in ((False, "emission_g"), (True, "sink_g")):
        frame[column] = frame[[c.name for c in CATEGORIES if c.sink == sink]].sum(axis=1)
    return frame
