"""A GeoPackage is a database: it is opened by a path that SQLite takes, and of it tables alone are read."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pyogrio
import pytest
from geodata_layers import survey_layer, write_layer

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.opening.geopackages import require_tables, rows_of_geopackage


@pytest.mark.parametrize("name", ["n" * 200, "县" * 67])
def test_a_geopackage_whose_path_sqlite_takes_not_is_told_so(tmp_path: Path, name: str) -> None:
    """GDAL reads it. Seen to fail: "unable to open database file. Write it again with the program that it comes from"; and to pass with characters counted for bytes."""
    folder = tmp_path / name / name / name
    folder.mkdir(parents=True)
    path = Path(shutil.copy(write_layer(survey_layer(), tmp_path / "layer.gpkg"), folder))
    assert len(pyogrio.read_dataframe(path)) == 6
    with pytest.raises(InputError, match=r"its path has \d+ bytes.* at most 512.*shorter path"):
        read_vector(path)


@pytest.mark.parametrize("computed", ["view", "endless view", "virtual table"])
def test_a_layer_that_is_computed_is_refused(tmp_path: Path, computed: str) -> None:
    """Caught: a view without end, on which reading never ended."""
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    made = {
        "view": "CREATE VIEW layer AS SELECT * FROM other",
        "endless view": "CREATE VIEW layer AS WITH RECURSIVE c(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM c) "
        "SELECT c.fid AS fid, o.BSM, o.geom FROM c, (SELECT * FROM other LIMIT 1) o",
        "virtual table": "CREATE VIRTUAL TABLE layer USING fts5(BSM, geom)",
    }
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("ALTER TABLE layer RENAME TO other")
        database.execute(made[computed])
        database.commit()
    with pytest.raises(InputError, match=r"is no table.*Save it as a layer"):
        read_vector(path)


def test_a_view_behind_a_table_is_refused(tmp_path: Path) -> None:
    """Seen to pass with the first layer looked at alone."""
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    require_tables(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE VIEW seen AS SELECT * FROM layer")
        database.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('seen', 'features', 'seen')")  # fmt: skip
        database.commit()
    with pytest.raises(InputError, match=r"layer\.gpkg: layer 'seen' is no table"):
        require_tables(path)


def test_a_page_that_lists_fewer_rows_than_it_holds_is_damage(tmp_path: Path) -> None:
    """GDAL reads no more than SQLite counts. Seen to pass where the check of the table was not heeded: a parcel less, in silence."""
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    with closing(sqlite3.connect(path)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'layer'").fetchone()  # fmt: skip
    data = bytearray(path.read_bytes())
    at = (page - 1) * struct.unpack_from(">H", data, 16)[0] + 3
    (rows,) = struct.unpack_from(">H", data, at)
    struct.pack_into(">H", data, at, rows - 1)
    path.write_bytes(data)
    assert rows == 6
    with pytest.raises(InputError, match="the file contradicts itself"):
        rows_of_geopackage(path, "layer")


def test_rows_in_the_log_beside_it_are_counted(tmp_path: Path) -> None:
    """Seen to pass without the log, as whoever may write nothing opens a database."""
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("DELETE FROM layer WHERE fid = 2")
        database.commit()
        assert rows_of_geopackage(path, "layer") == 5
