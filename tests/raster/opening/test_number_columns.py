"""Columns of numbers in which text stands: read as they are meant, or an error."""

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from carbongrid.case.readers.vector import read_vector
from carbongrid.errors import InputError
from carbongrid.raster.opening import number_columns, shapefiles
from carbongrid.raster.opening.number_columns import NumberColumn, blank_numbers

DIGITS = 12


def layer(path: Path, **columns: object) -> Path:
    geometry = [shapely.box(k, 0, k + 1, 1) for k in range(3)]
    table = gpd.GeoDataFrame({**columns, "text": ["a", "b", "c"]}, geometry=geometry, crs=4326)
    pyogrio.write_dataframe(table, path, layer="layer")
    return path


@pytest.fixture(scope="module")
def shapefile(tmp_path_factory) -> Path:
    return layer(tmp_path_factory.mktemp("shp") / "a.shp", real=[1.5, 2, 3], whole=np.int32([1, 2, 3]))  # fmt: skip


@pytest.fixture(scope="module")
def geopackage(tmp_path_factory) -> Path:
    path = layer(tmp_path_factory.mktemp("gpkg") / "a.gpkg", real=[1.5, 2, 3], whole=np.int32([1, 2, 3]))  # fmt: skip
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.commit()
    return path


def in_dbf(path: Path, column: str, text: str | bytes) -> None:
    """Let text stand in the second row of a column."""
    table = path.with_suffix(".dbf")
    data = bytearray(table.read_bytes())
    head, width = struct.unpack_from("<HH", data, 8)
    start = head + width + 1
    for place in range(32, head - 1, 32):
        size = data[place + 16]
        if data[place : place + 11].rstrip(b"\0").decode() == column:
            bare = text if isinstance(text, bytes) else text.encode().rjust(size)
            data[start : start + size] = bare.ljust(size)
        start += size
    table.write_bytes(data)


def in_geopackage(path: Path, column: str, value: object) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"UPDATE layer SET {column} = ? WHERE fid = 2", (value,))
        database.commit()


@pytest.mark.parametrize(
    ("column", "text"),
    [("real", "0,75"), ("real", "1,200"), ("real", "N/A"), ("real", "-"), ("real", "."), ("real", "1.5D+02"), ("real", "+1.#INF"), ("real", "+1.#INF"), ("real", "1\n2"), ("whole", "0.75"), ("whole", "1e5")],
)  # fmt: skip
def test_text_in_a_shapefiles_numbers_is_refused(shapefile: Path, column: str, text: str) -> None:
    """Seen to fail in silence: 0,75 was 0, 1,200 was 1, N/A and - were 0, and 0.75 was 0 where no decimals are declared. Two lines would pass as two numbers, of which GDAL reads one."""
    in_dbf(shapefile, column, text)
    with pytest.raises(
        InputError, match=rf"a.shp, row 2: column '{column}'.*{re.escape(repr(text))}"
    ):
        read_vector(shapefile, columns=[column])
    read_vector(shapefile, columns=["text"])  # what is not read counts for nothing
    in_dbf(shapefile, column, "2")


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("real", "-1.5e+02", -150), ("real", ".5", 0.5), ("real", "+5.", 5), ("real", "7  ", 7), ("real", b"2.5\0x", 2.5), ("real", b"-nan\0x", np.nan), ("real", "nan", np.nan),
        ("real", "1.#QNAN", np.nan), ("real", "", np.nan), ("real", b"\0" * DIGITS, np.nan), ("real", "*" * DIGITS, np.nan),
        ("whole", "-12", -12), ("whole", "12.00", 12), ("whole", "", np.nan),
        ("real", "-nan", np.nan), ("real", "-nan(ind)", np.nan), ("whole", "-nan", np.nan), ("real", "+inf", np.inf), ("real", "-Infinity", -np.inf),
        ("real", "****.**", np.nan), ("real", b"\t1.5", 1.5), ("real", b"1.5\t", 1.5), ("real", b"\t", np.nan), ("whole", b"\t15", 15),
        ("real", "1.#SNAN", np.nan), ("real", "-1.#IND", np.nan), ("real", "1.#IND", np.nan), ("real", "-1.#INF", -np.inf),
    ],
)  # fmt: skip
def test_a_shapefiles_numbers_are_read_however_they_are_written(
    shapefile: Path, column: str, text: str | bytes, value: float
) -> None:
    """Seen to fail in silence: -nan was 0, 1.#IND was 1. Seen to be refused: asterisks with a point, and a tab before a number."""
    in_dbf(shapefile, column, text)
    np.testing.assert_equal(read_vector(shapefile)[column][1], value)
    in_dbf(shapefile, column, "2")


def test_the_row_is_named_wherever_it_stands(shapefile: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Seen to pass with rows numbered from each block's first."""
    monkeypatch.setattr(number_columns, "_ROWS_AT_ONCE", 1)
    in_dbf(shapefile, "real", "N/A")
    with pytest.raises(InputError, match=r"a\.shp, row 2: "):
        read_vector(shapefile)
    in_dbf(shapefile, "real", "2")


def test_columns_that_are_not_read_are_not_looked_at() -> None:
    """Seen to pass where all were, of a layer whose shapes alone are read."""
    names, kinds = ["a", "b", "c"], ["int32", "object", "float64"]
    for wanted, expected in ((None, ["a", "c"]), ([], []), (["b", "c"], ["c"])):
        found = number_columns.number_columns(names, kinds, wanted)
        assert [column.name for column in found] == expected
        assert [column.place for column in found] == [names.index(name) for name in expected]


def test_in_rows_that_are_deleted_text_may_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """What is unknown is so in its own row: GDAL numbers those that are deleted, too."""
    path = layer(tmp_path / "a.shp", real=[1.5, 2, 3])
    in_dbf(path, "real", "N/A")
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    head, width = struct.unpack_from("<HH", data, 8)
    data[head + width] = ord("*")
    path.with_suffix(".dbf").write_bytes(data)
    assert read_vector(path)["real"].tolist() == [1.5, 3]
    size = data[32 + 16]
    data[head + 2 * width + 1 : head + 2 * width + 1 + size] = b"-nan".rjust(size)
    path.with_suffix(".dbf").write_bytes(data)
    for at_once in (65536, 2):  # seen to pass with rows numbered from each block's first
        monkeypatch.setattr(number_columns, "_ROWS_AT_ONCE", at_once)
        np.testing.assert_equal(read_vector(path)["real"].to_numpy(), [1.5, np.nan])


def test_a_column_may_be_called_in_any_encoding(tmp_path: Path) -> None:
    path = layer(tmp_path / "a.shp", real=[1.5, 2, 3])
    in_dbf(path, "real", "-nan")
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"real", "人口".encode("big5"), 1))
    path.with_suffix(".cpg").unlink()
    read = read_vector(path, encoding="big5")["人口"]
    np.testing.assert_equal(read.to_numpy(), [1.5, np.nan, 3])


def test_a_shapefile_of_numbers_alone_needs_no_encoding(tmp_path: Path) -> None:
    path = layer(tmp_path / "a.shp", real=[1.5, 2, 3])
    pyogrio.write_dataframe(pyogrio.read_dataframe(path)[["real", "geometry"]], path)
    path.with_suffix(".cpg").unlink()
    assert read_vector(path)["real"].tolist() == [1.5, 2, 3]


@pytest.mark.parametrize(
    ("column", "value"),
    [("real", "N/A"), ("real", "1,200"), ("real", b"12"), ("whole", "x"), ("whole", 1.5), ("whole", 2**31), ("whole", -(2**31) - 1)],
)  # fmt: skip
def test_text_in_a_geopackages_numbers_is_refused(geopackage: Path, column: str, value: object) -> None:  # fmt: skip
    """Seen to fail in silence: N/A was 0, 1,200 was 1, and what an integer of 32 bits cannot hold was another number."""
    in_geopackage(geopackage, column, value)
    with pytest.raises(InputError, match=rf"a.gpkg, row 2 \(fid\): column '{column}'.*{value!r}"):
        read_vector(geopackage, columns=[column])
    read_vector(geopackage, columns=["text"])
    in_geopackage(geopackage, column, 2)


@pytest.mark.parametrize("column", ["real", "whole"])
@pytest.mark.parametrize("value", ["", " ", None])
def test_blank_text_in_a_geopackages_numbers_is_unknown(geopackage: Path, column: str, value: str | None) -> None:  # fmt: skip
    """Seen to fail in silence: '' was 0."""
    in_geopackage(geopackage, column, value)
    table = read_vector(geopackage)
    assert table[column].isna().tolist() == [False, True, False]
    assert table[column].dropna().tolist() == ([1.5, 3] if column == "real" else [1, 3])
    assert table.index.tolist() == [0, 1, 2]
    in_geopackage(geopackage, column, 2)


def test_every_row_of_a_geopackage_without_a_number_is_unknown(tmp_path: Path) -> None:
    """Also where another integer stands before the key of the rows. Seen to pass with the last of them alone unknown, and all others 0."""
    path = layer(tmp_path / "a.gpkg", real=[1.5, 2, 3])
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("ALTER TABLE layer RENAME TO other")
        database.execute("CREATE TABLE layer (whole INTEGER, fid INTEGER PRIMARY KEY, geom POLYGON, real REAL, text TEXT)")  # fmt: skip
        database.execute("INSERT INTO layer SELECT 3 - fid, fid, geom, CASE fid WHEN 2 THEN 2 ELSE '' END, text FROM other")  # fmt: skip
        database.execute("DROP TABLE other")
        database.commit()
    read = read_vector(path)
    np.testing.assert_equal(read["real"].to_numpy(), [np.nan, 2, np.nan])
    assert read["whole"].tolist() == [2, 1, 0]
    in_geopackage(path, "real", "N/A")
    with pytest.raises(InputError, match=r"a\.gpkg, row 2 \(fid\)"):
        read_vector(path)


@pytest.mark.parametrize("value", [-(2**31), 2**31 - 1])
def test_the_ends_of_whole_numbers_are_read(geopackage: Path, value: int) -> None:
    in_geopackage(geopackage, "whole", value)
    assert read_vector(geopackage)["whole"].tolist() == [1, value, 3]
    in_geopackage(geopackage, "whole", 2)


def test_a_column_may_be_called_as_sqlite_calls_its_rows(tmp_path: Path) -> None:
    """Seen to fail in silence: '' was 0, since rows were told by what stands in that column."""
    path = layer(tmp_path / "a.gpkg", real=[1.5, 2, 3], _rowid_=[5.0, 7.0, 9.0])
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.commit()
    in_geopackage(path, "real", "")
    np.testing.assert_equal(read_vector(path)["real"].to_numpy(), [1.5, np.nan, 3])


def test_a_shapefiles_table_is_read_once_for_all_of_its_columns(shapefile: Path, monkeypatch) -> None:  # fmt: skip
    """Seen to be read anew for each of them: 14 s for 30 columns of 240 MB."""
    read = []
    monkeypatch.setattr(shapefiles, "read_bytes", lambda path: read.append(path) or path.read_bytes())  # fmt: skip
    columns = [NumberColumn("real", 0, np.dtype(float)), NumberColumn("whole", 1, np.dtype("int32"))]  # fmt: skip
    assert blank_numbers(shapefile, "ESRI Shapefile", "a", columns) == {}
    assert len(read) == 1
