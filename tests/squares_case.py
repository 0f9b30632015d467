"""A row of squares of 1 km, each a parcel and a unit, as a case on disk: the shortest that runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from carbongrid.case import Case

WEST, SOUTH = 500_000.0, 3_450_000.0
CRS = 4549


def square(column: float, row: float = 0, width: float = 1) -> shapely.Polygon:
    """A box with its corner so many km east and north of the first."""
    x, y = WEST + 1000 * column, SOUTH + 1000 * row
    return shapely.box(x, y, x + 1000 * width, y + 1000)


def layer(count: int, **columns: Any) -> gpd.GeoDataFrame:
    """So many squares in a row, with these columns."""
    geometry = [square(column) for column in range(count)]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def squares_case(
    folder: Path,
    codes: list[str],
    tables: Mapping[str, str],
    *,
    of_parcels: Mapping[str, Any] | None = None,
    of_units: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Case:
    """Write parcels p0, p1, ... of these land-use codes, units 01, 02, ... in districts D1, D1, D2, D2, and tables.

    ``of_parcels`` and ``of_units`` are further columns; sections are laid over the shortest case, and None takes one away.
    """
    count = len(codes)
    names = [f"p{row}" for row in range(count)]
    layer(count, BSM=names, DLBM=codes, **(of_parcels or {})).to_file(folder / "parcels.gpkg")
    columns = {
        "code": [f"{row + 1:02}" for row in range(count)],
        "district": [f"D{row // 2 + 1}" for row in range(count)],
        **(of_units or {}),
    }
    layer(count, **columns).to_file(folder / "units.gpkg")
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    values = {
        "year": 2020,
        "grid": {"crs": f"EPSG:{CRS}", "resolution": 100},
        "parcels": {"path": "parcels.gpkg", "code_system": "tdland3"},
        "units": {"path": "units.gpkg", "parents": ["district"]},
        "totals": {"path": "totals.csv"},
    }
    for name, section in sections.items():
        known = values.get(name)
        values[name] = {**known, **section} if isinstance(known, dict) and section else section
    values = {name: section for name, section in values.items() if section is not None}
    return Case.of(values, folder / "case.toml")
