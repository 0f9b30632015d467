"""What the numbers and columns of a GeoPackage mean, in the tables of its schema extension."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from carbongrid.outputs.figures.classes import ordered_zones
from carbongrid.raster.opening.files import read_bytes

ZONE_DOMAIN = "zone"
_TABLES = """
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name)
);
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC,
  max_is_inclusive BOOLEAN, description TEXT, CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value)
);
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name)
);
"""
_DEFINITION = "http://www.geopackage.org/spec121/#extension_schema"


def write_domains(file: Path, layer: str, titles: Mapping[str, str]) -> None:
    """Say in a GeoPackage what its columns are called, and which zone each number of ``zone`` is.

    Parameters
    ----------
    file
        The GeoPackage, whose layer is written.
    layer
        Name of the table.
    titles
        What people call each column.

    Notes
    -----
    GDAL and QGIS read the zones as a coded field domain: forms offer them, and tables show their names. pyogrio writes no domains.
    """
    zones = [(ZONE_DOMAIN, str(zone.code), f"{zone.name_en} {zone.name_zh}") for zone in sorted(ordered_zones(), key=lambda zone: zone.code)]  # fmt: skip
    columns = [(layer, name, title, ZONE_DOMAIN if name == "zone" else None) for name, title in titles.items()]  # fmt: skip
    extension = [(table, None, "gpkg_schema", _DEFINITION, "read-write") for table in ("gpkg_data_columns", "gpkg_data_column_constraints")]  # fmt: skip
    # In memory: SQLite itself opens no path of more than 512 bytes, where GDAL does.
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(read_bytes(file))
        with database:
            database.executescript(_TABLES)
            database.executemany(
                "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, description) VALUES (?, 'enum', ?, ?)",
                zones,
            )
            database.executemany(
                "INSERT INTO gpkg_data_columns (table_name, column_name, title, constraint_name) VALUES (?, ?, ?, ?)",
                columns,
            )
            database.executemany("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", extension)
        file.write_bytes(database.serialize())
