"""GeoPackages as the SQLite databases that they are: opened for reading, their layers required to be tables, and rows counted."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import AGAIN, contradiction
from carbongrid.raster.opening.formats import files_behind

MAX_PATH = 512
"""Bytes of a path that SQLite opens; GDAL, with a file system of its own, opens longer ones."""

_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL", re.IGNORECASE)


@contextmanager
def geopackage(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a GeoPackage for reading only, its log of changes included where there is one.

    Raises
    ------
    InputError
        If its path is too long, or SQLite cannot read what is asked of it.
    """
    path = path.resolve()
    if (size := len(os.fsencode(path))) > MAX_PATH:
        raise InputError(
            f"its path has {size} bytes, and a GeoPackage is opened by paths of at most {MAX_PATH}",
            path.name,
            "Put it into a folder with a shorter path.",
        )
    logged = len(files_behind(path)) > 1
    address = f"file:{quote(str(path))}?{'mode=ro' if logged else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise InputError(f"the file cannot be read: {error}", path.name, AGAIN) from None


def rows_of_geopackage(path: Path, layer: str) -> int:
    """Return the number of rows in the table of a layer.

    Raises
    ------
    InputError
        If the table is damaged, or SQLite cannot read it.
    """
    with geopackage(path) as connection:
        name = layer.replace('"', '""')
        # Of this table only: of all with its indexes it takes six times as long, as long as reading the layer.
        damage = connection.execute(f'PRAGMA quick_check("{name}")').fetchone()[0]
        if damage != "ok":
            raise contradiction(path, " ".join(str(damage).split()))
        # Of the table itself: an index is another list of the rows.
        rows = connection.execute(f'SELECT COUNT(*) FROM "{name}" NOT INDEXED')  # noqa: S608  (quoted)
        return int(rows.fetchone()[0])


def require_tables(path: Path) -> None:
    """Raise unless every layer of a GeoPackage is a table: a view may be computed without end, a virtual table by a module of its own.

    Raises
    ------
    InputError
        Naming the layer.
    """
    with geopackage(path) as connection:
        layers = connection.execute("SELECT table_name FROM gpkg_contents").fetchall()
        made = connection.execute("SELECT lower(name), type, sql FROM sqlite_master").fetchall()
    tables = {name for name, kind, sql in made if kind == "table" and not _VIRTUAL.match(sql or "")}
    for (layer,) in layers:
        if str(layer).lower() not in tables:
            raise InputError(
                f"layer {layer!r} is no table, but computed when it is read (a view)",
                path.name,
                "Save it as a layer of its own, and remove the view.",
            )
